"""Patches of a face made grey, and how far the answer falls without each: the pixels' part of `seeing`.

Knows pictures, boxes and Models; says nothing in words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.signal import Image
from affetto.core.space import Space
from affetto.core.track import Track

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, pixels."""
_BATCH = 16
"""Pictures that the model is given at a time."""


@dataclass(frozen=True)
class SeeingOptions:
    """How finely to look."""

    cells: int = 8
    """Cells a side of the square around a face; a patch is two by two of them."""
    room: float = 1.5
    """Side of that square as a multiple of the longer side of the face's box."""
    most_moments: int = 3
    """Rows of each person in a film that are explained, those that show most."""
    apart: float = 1.0
    """Seconds that lie between them at least."""
    largest: int = 256
    """Pixels a side of the picture that is asked about, at most."""
    least: float = 0.5
    """Intensity, or difference of it, from which on an action unit is said."""

    def __post_init__(self) -> None:
        """Refuse what cannot be looked at."""
        if self.cells < 2 or self.room < 1 or self.most_moments < 1 or self.largest < 16:
            raise MalformedError(
                f"looking wants cells >= 2, room >= 1, most_moments >= 1 and largest >= 16, not {self!r}"
            )


def around(box: Box, options: SeeingOptions | None = None) -> Box:
    """Return the square around a face's box, which is divided into cells; it may reach beyond the picture.

    >>> around((10, 10, 30, 50), SeeingOptions(room=1.5))
    (-10.0, 0.0, 50.0, 60.0)
    """
    room = (options or SeeingOptions()).room
    left, top, right, bottom = box
    half = max(right - left, bottom - top, 2.0) * room / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - half, y - half, x + half, y + half


def crop(pixels: Pixels, square: Box, largest: int) -> Pixels:
    """Return a square of a picture, in at most `largest` pixels a side; beyond the picture its edge goes on."""
    left, top, right, _ = square
    side = max(2, round(right - left))
    step = -(-side // largest)
    side += -side % step
    rows = np.clip(np.arange(side) + round(top), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(side) + round(left), 0, pixels.shape[1] - 1)
    cut = pixels[rows[:, None], columns]
    if step == 1:
        return cut
    small = cut.reshape(side // step, step, side // step, step, 3).mean((1, 3))
    return np.asarray(np.round(small), np.uint8)


def greyed(cut: Pixels, cells: int) -> Iterator[Pixels]:
    """Yield a square picture with one patch after the other made grey, (cells + 1) x (cells + 1), row by row.

    A patch is two by two cells, or what of it lies inside; its grey is the mean of the picture.
    """
    edges = np.round(np.linspace(0, len(cut), cells + 1)).astype(int)
    grey = np.uint8(cut.mean())
    for i in range(cells + 1):
        for j in range(cells + 1):
            hidden = cut.copy()
            rows = slice(edges[max(0, i - 1)], edges[min(cells, i + 1)])
            hidden[rows, edges[max(0, j - 1)] : edges[min(cells, j + 1)]] = grey
            yield hidden


def falls(
    model: Model,
    record: Record,
    asked: Sequence[tuple[Track, int]],
    pixels: Pixels,
    axis: str | None,
    options: SeeingOptions,
) -> list[Doubles | None]:
    """Return how far each answer about one face falls without each cell, cells x cells; None where nothing was said."""
    seen = [box_of(track, row) is not None and said(track, row) for track, row in asked]
    box = next((box_of(track, row) for (track, row), yes in zip(asked, seen, strict=True) if yes), None)
    if box is None:
        return [None] * len(asked)
    square = around(box, options)
    cut = crop(pixels, square, options.largest)
    scale = len(cut) / (square[2] - square[0])
    face = [(box[k] - square[k % 2]) * scale for k in range(4)]
    found: list[list[float]] = [[] for _ in asked]
    for batch in _batches(cut, options.cells):
        records = [Record(f"{record.id}/{k}", (Image(one),), meta={"boxes": [face]}) for k, one in enumerate(batch)]
        for tracks in model(records):
            for values, (track, row), yes in zip(found, asked, seen, strict=True):
                values.append(_value(model, tracks, track, column_of(track, row, axis), face) if yes else np.nan)
    return [
        _cells(np.array(values), track, options.cells, column_of(track, row, axis)) if yes else None
        for values, (track, row), yes in zip(found, asked, seen, strict=True)
    ]


def _batches(cut: Pixels, cells: int) -> Iterator[list[Pixels]]:
    """Yield the whole picture and all with a patch in grey, a few at a time."""
    batch = [cut]
    for one in greyed(cut, cells):
        if len(batch) == _BATCH:
            yield batch
            batch = []
        batch.append(one)
    yield batch


def _cells(values: Doubles, track: Track, cells: int, column: int) -> Doubles | None:
    """Return falls by cell: the mean over the four patches that cover each, as a share of the axis' range.

    Where the face is not seen with a patch, the answer falls to nothing; where it is not seen without, there is none.
    """
    if np.isnan(values[0]):
        return None
    axis = track.space.axes[column]
    left = np.where(np.isnan(values), nothing(track.space)[column], values)
    falls = (left[0] - left[1:]) / (axis.high - axis.low if track.space.kind == "graded" else 1.0)
    grid = falls.reshape(cells + 1, cells + 1)
    return np.asarray((grid[:-1, :-1] + grid[1:, :-1] + grid[:-1, 1:] + grid[1:, 1:]) / 4)


def _value(model: Model, tracks: Sequence[Track], track: Track, column: int, face: Sequence[float]) -> float:
    """Return what an answer to a small picture says on one axis of the face that is meant; NaN where nothing."""
    twins = [one for one in tracks if one.space.id == track.space.id and len(one)]
    if not twins:
        raise MalformedError(f"{model.card.id} gives no {track.space.id} track of a picture of a face to explain")
    value = min(twins, key=lambda one: _far(one, face)).values[0, column]
    return float(value)


def _far(track: Track, face: Sequence[float]) -> float:
    """Return how far a track's box lies from where the face is."""
    box = box_of(track, 0)
    return np.inf if box is None else sum(abs(one - other) for one, other in zip(box, face, strict=True))


def box_of(track: Track, row: int) -> Box | None:
    """Return the box of a row; None where it has none."""
    if track.box is None or not np.isfinite(track.box[row]).all():
        return None
    left, top, right, bottom = (float(x) for x in track.box[row])
    return left, top, right, bottom


def column_of(track: Track, row: int, axis: str | None) -> int:
    """Return the column that is explained: of `axis`, or valence, or what is farthest from nothing in the row."""
    if axis is None and "valence" in track.space.names:
        axis = "valence"
    if axis is not None and axis in track.space.names:
        return track.space.index(axis)
    return int(np.nanargmax(np.abs(track.values[row] - nothing(track.space)))) if said(track, row) else 0


def said(track: Track, row: int) -> bool:
    """Tell whether a row says anything."""
    return not bool(np.isnan(track.values[row]).all())


def nothing(space: Space) -> Floats:
    """Return what each axis is worth where no face is seen: nothing for labels, the middle for graded axes."""
    if space.kind != "graded":
        return np.zeros(len(space.axes), np.float32)
    return np.array([(axis.low + axis.high) / 2 for axis in space.axes], np.float32)
