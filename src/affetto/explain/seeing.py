"""Which parts of a face carried an answer, and which of its muscles moved, in words.

Patches: one small square after the other is made grey, and the face is asked about again; a cell's importance is the
mean fall over the squares that cover it (occlusion after Zeiler & Fergus 2014). Works for any Model of faces that
answers a picture; knows none.

Muscles: the action units of the same person above their own median over the recording, or of a picture the highest.
They say what the face does where the model answers so; not that the model looked at them.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.signal import Frames, Image
from affetto.core.space import Axis
from affetto.core.track import Track
from affetto.explain.occlusion import IMPORTANCE
from affetto.explain.patches import (
    Box,
    Doubles,
    Floats,
    Pixels,
    SeeingOptions,
    around,
    box_of,
    column_of,
    falls,
    nothing,
    said,
)

Reason = tuple[Track, tuple[Track, ...]]
UNITS, MESH, MEASURER = "facs-au", "face-mesh-478", "face.au"
"""The spaces of action units and of landmarks, and the card of the Model that gives units."""
MEASURED = ("facs-au", "arkit-52", "head-pose", "gaze", "face-mesh-478")
"""Spaces of what is measured: the face itself carries it, so that there is nothing to explain."""
ENOUGH = 3
"""Rows of a person from which on a row is compared with that person's own median."""
OWN = "above this person's median"
NEUTRAL = "neutral"
_NEAR = 1e-3
"""Seconds by which a frame may miss its row."""
REGIONS: dict[str, tuple[tuple[int, ...], tuple[float, float]]] = {
    "forehead": ((151, 9), (0.50, 0.12)),
    "right brow": ((105, 66), (0.27, 0.27)),
    "left brow": ((334, 296), (0.73, 0.27)),
    "right eye": ((33, 133, 159, 145), (0.30, 0.38)),
    "left eye": ((263, 362, 386, 374), (0.70, 0.38)),
    "nose": ((4, 5, 195), (0.50, 0.53)),
    "right cheek": ((205, 50), (0.20, 0.60)),
    "left cheek": ((425, 280), (0.80, 0.60)),
    "mouth": ((13, 14), (0.50, 0.76)),
    "right mouth corner": ((61,), (0.34, 0.76)),
    "left mouth corner": ((291,), (0.66, 0.76)),
    "chin": ((199, 175), (0.50, 0.93)),
}
"""Parts of a face (left and right are its own): points of the mesh around each, and where it lies in most boxes."""


def reasons(
    model: Model,
    record: Record,
    chosen: Sequence[Track],
    answers: Sequence[Track],
    axis: str | None = None,
    options: SeeingOptions | None = None,
) -> list[Reason]:
    """Return rows of answers to faces with what they rest on: patches of the face, and action units in words.

    Of a picture each row is explained; of a film, for each person, the moments that show most, in order of time. A film
    is read once more.

    Args:
        model: who answered; it is asked about small pictures, whose `meta["boxes"]` says where the face is.
        record: a picture, or a film that is open.
        chosen: which of its answers to explain; those that are measured, as action units are, get no reasons.
        answers: all its answers, among which are the action units and the mesh; without units `face.au` is asked.
        axis: the label or axis to explain, in answers that have it; by default the row's highest value, or the farthest
            from the middle, and of valence and arousal the first.
        options: how finely to look.

    Returns:
        Pairs, as `api.explain` gives them. The first importance Track has a row a patch, in source pixels (see
        `patches`); the second, where units are known, a row a unit (see `units`). Neither where nothing was said.

    Raises:
        MalformedError: the record has no picture and no film, or the model gives no such track of a small picture.
    """
    options = options or SeeingOptions()
    told = [track for track in chosen if track.space.id not in MEASURED and len(track)]
    if not told:
        return []
    anything = any(not np.isnan(track.values).all() for track in told)
    measured = _measured(record, answers) if anything else []
    rows = {track.subject: _moments(track, options) for track in reversed(told)}
    wanted = sorted({float(track.start[row]) for track in told for row in _same(track, rows[track.subject])})
    seen: list[tuple[int, float, Reason]] = []
    for second, pixels in _pictures(record, wanted):
        for subject, begins in rows.items():
            mine = [
                (order, track, row)
                for order, track in enumerate(told)
                if track.subject == subject
                for row in _same(track, begins)
                if float(track.start[row]) == second
            ]
            found = falls(model, record, [(track, row) for _, track, row in mine], pixels, axis, options)
            for (order, track, row), part in zip(mine, found, strict=True):
                parts = [] if part is None else [_patches(track, row, part, axis, answers, options)]
                parts += units(track, measured, row, axis, options)
                seen.append((order, second, (track[row : row + 1], tuple(parts))))
    return [reason for _, _, reason in sorted(seen, key=lambda one: one[:2])]


def units(
    track: Track, measured: Sequence[Track], row: int = 0, axis: str | None = None, options: SeeingOptions | None = None
) -> tuple[Track, ...]:
    """Return which action units a person shows in one row of an answer, in words.

    Args:
        track: the answer.
        measured: Tracks in the space `facs-au`; that of the same subject is looked at.
        row: which row of the track.
        axis: as in `reasons`.
        options: the least that is said.

    Returns:
        One Track in the space `importance`, a row a unit, the strongest first: how far it lies above this person's
        median over the recording, where at least three rows say it, or else its intensity, as a share of its range;
        `note` says so ("lip corner puller (AU12) 2.4 above this person's median"). Empty where nothing was said, or no
        unit is high enough.
    """
    options = options or SeeingOptions()
    mine = next((one for one in measured if one.subject == track.subject and len(one)), None)
    at = None if mine is None else _row_at(mine, float(track.start[row]))
    if mine is None or at is None or np.isnan(track.values[row]).all() or np.isnan(mine.values[at]).all():
        return ()
    values = mine.values.astype(float)
    own = (~np.isnan(values)).sum(0) >= ENOUGH
    middle = np.zeros(values.shape[1])
    middle[own] = np.nanmedian(values[:, own], axis=0)
    above = np.nan_to_num(values[at] - middle)
    told = [int(i) for i in np.argsort(-above, kind="stable") if above[i] >= options.least]
    if not told:
        return ()
    axes = mine.space.axes
    shares = np.array([above[i] / (axes[i].high - axes[i].low) for i in told])
    notes = tuple(sentence(axes[i], float(above[i]), bool(own[i])) for i in told)
    named = track.space.names[column_of(track, row, axis)]
    return (_part(track, row, shares, notes, f"units({mine.source}, {track.space.id}: {named})"),)


def sentence(axis: Axis, above: float, own: bool = True) -> str:
    """Say how strong an action unit is, against a person's own median or by itself.

    >>> sentence(Axis("AU12", high=5, facts={"facs_name": "Lip corner puller"}), 2.41)
    "lip corner puller (AU12) 2.4 above this person's median"
    >>> sentence(Axis("AU06", high=5), 1.8, own=False)
    'AU06 1.8'
    """
    does = axis.facts.get("facs_name", "").lower()
    name = f"{does} ({axis.name})" if does else axis.name
    return f"{name} {above:.1f} {OWN}" if own else f"{name} {above:.1f}"


def _patches(
    track: Track, row: int, weights: Doubles, axis: str | None, answers: Sequence[Track], options: SeeingOptions
) -> Track:
    box = box_of(track, row)
    assert box is not None  # there are no falls without
    left, top, right, bottom = around(box, options)
    across, down = np.linspace(left, right, options.cells + 1), np.linspace(top, bottom, options.cells + 1)
    boxes = [
        (across[j], down[i], across[j + 1], down[i + 1]) for i in range(options.cells) for j in range(options.cells)
    ]
    named = track.space.names[column_of(track, row, axis)]
    notes = _regions(boxes, box, _mesh(track, row, answers))
    source = f"patches({track.source}, {track.space.id}: {named})"
    return _part(track, row, weights.ravel(), notes, source, np.array(boxes, np.float32))


def _regions(cells: Sequence[Box], box: Box, points: Floats | None) -> tuple[str, ...]:
    """Return the part of the face that each cell lies on, by the mesh where there is one, or else by the box."""
    wide, high = box[2] - box[0], box[3] - box[1]
    places = {
        name: (box[0] + u * wide, box[1] + v * high) if points is None else points[list(near)].mean(0)
        for name, (near, (u, v)) in REGIONS.items()
    }
    names, at = list(places), np.array(list(places.values()), float)
    found = []
    for left, top, right, bottom in cells:
        far = np.hypot(*(at - ((left + right) / 2, (top + bottom) / 2)).T)
        found.append(names[int(far.argmin())] if far.min() <= 0.25 * max(wide, high) else "around the face")
    return tuple(found)


def _mesh(track: Track, row: int, answers: Sequence[Track]) -> Floats | None:
    """Return the landmarks of a person at a row, 478 x 2, pixels; None where nobody gave them."""
    mine = next((one for one in answers if one.subject == track.subject and one.space.id == MESH), None)
    at = None if mine is None else _row_at(mine, float(track.start[row]))
    if mine is None or at is None or np.isnan(mine.values[at]).any() or mine.values.shape[1] != 3 * 478:
        return None
    return np.asarray(mine.values[at].reshape(-1, 3)[:, :2])


def _part(
    track: Track, row: int, weights: Doubles, notes: tuple[str, ...], source: str, box: Floats | None = None
) -> Track:
    return Track(
        space=IMPORTANCE,
        start=np.full(len(notes), track.start[row]),
        end=np.full(len(notes), track.end[row]),
        values=np.clip(weights, -1, 1)[:, None],
        unit=track.unit,
        subject=track.subject,
        perspective=track.perspective,
        channel=track.channel,
        source=source,
        box=box,
        about=(track.spans[row],) * len(notes),
        note=notes,
    )


def _moments(track: Track, options: SeeingOptions) -> list[float]:
    """Return the seconds at which the rows begin that show most, at most so many and so far apart; of nothing one.

    Of each label that is ever on top, but neutral, the row that shows most comes before the second of any.
    """
    order = [int(row) for row in np.argsort(-_shown(track), kind="stable") if said(track, int(row))]
    best: dict[str, int] = {}
    for row in order if track.space.kind == "one" else ():
        best.setdefault(track.space.names[int(np.nanargmax(track.values[row]))], row)
    best.pop(NEUTRAL, None)
    kept: list[float] = []
    for row in (*best.values(), *order):
        at = float(track.start[row])
        if len(kept) < options.most_moments and all(abs(at - one) >= options.apart for one in kept):
            kept.append(at)
    return sorted(kept) or [float(track.start[0])]


def _shown(track: Track) -> Doubles:
    """Return how much each row shows: 1 minus what is neutral, or how far it is from nothing."""
    values = np.nan_to_num(track.values.astype(float))
    if track.space.kind == "one" and NEUTRAL in track.space.names:
        return np.asarray(1 - values[:, track.space.index(NEUTRAL)], float)
    return np.asarray(np.abs(values - nothing(track.space)).max(1), float)


def _same(track: Track, seconds: Sequence[float]) -> list[int]:
    """Return the rows of a track that begin at these seconds."""
    return [int(row) for row in np.flatnonzero(np.isin(track.start, seconds))]


def _pictures(record: Record, wanted: Sequence[float]) -> Iterator[tuple[float, Pixels]]:
    """Yield the picture at each wanted second, in order; the same picture for all where it is but one."""
    image = next((signal for signal in record.signals if isinstance(signal, Image)), None)
    film = next((signal for signal in record.signals if isinstance(signal, Frames)), None)
    if image is not None:
        pixels = image.pixels
        yield from ((second, pixels) for second in wanted)
    elif film is not None:
        rest = list(wanted)
        for times, block in film.timed():
            for second, frame in zip(times.tolist(), block, strict=True):
                while rest and rest[0] <= second + _NEAR:
                    yield rest.pop(0), frame
            if not rest:
                return
    else:
        raise MalformedError(f"record {record.id!r} has no picture and no film that could explain an answer to a face")


def _measured(record: Record, answers: Sequence[Track]) -> list[Track]:
    """Return the action units among answers, or else those of `face.au`, where there is such a Model."""
    known = [track for track in answers if track.space.id == UNITS]
    if known or MEASURER not in catalog.cards("model"):
        return known
    (tracks,) = catalog.load(MEASURER)([record.blind()])
    return [track for track in tracks if track.space.id == UNITS]


def _row_at(track: Track, second: float) -> int | None:
    """Return the row that speaks of a second, the last one that began; None where none does."""
    holding = np.flatnonzero((track.start <= second + _NEAR) & (second <= track.end + _NEAR))
    return int(holding[np.argmax(track.start[holding])]) if len(holding) else None
