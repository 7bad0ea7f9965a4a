"""What the pictures of a film or a still picture show, one after the other: faces, and the names of their persons.

Knows how to go through pictures, which of them are looked at, and how a film ends or breaks off; asks nothing of the
faces (`looking` does).
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.signal import Frames, Image
from affetto.models.face.crop import Grey
from affetto.models.face.detect import NEAR, Detector, Finder
from affetto.models.face.seen import Box, Face, Mesh, in_boxes
from affetto.models.face.track import Following, Tracker

Item = TypeVar("Item")
NO_PICTURE = "no picture"
"""Where a film is said to go on, but shows nothing."""
BROKEN = "the film cannot be read beyond this"
CROP = 64
"""Pixels of the longer side of a picture that is taken for a crop of one face, which nobody needs to search for."""
_FLAT = 1.0
"""Deviation of the greys of a crop in which there is nothing."""
_FILM = 800
"""Pixels of the longer side of a film's picture as the cascade looks at it closely."""
_BLOCK = 2.0
"""Seconds of film that are read at a time, at most."""
_SLACK = 1.0
"""Seconds by which a film may be longer or shorter than it is said to be."""
_SAME = 1e-6
"""Seconds by which two times may differ that are one."""


@dataclass(frozen=True)
class Looking:
    """How a model goes through pictures."""

    rate: float = 0.0
    """Rows a second at most; 0: one for each picture that the film was opened to give."""
    detector: str = ""
    """The id of the card of a detector; empty: OpenCV's cascade."""
    least: int = 2
    """Pictures of a film in which somebody must be seen to count, where it has as many; chance shows itself once."""
    following: Following = field(default_factory=Following)
    """How people are followed."""


class Sight(NamedTuple):
    """What one analysed picture shows."""

    start: float
    end: float
    """Seconds; both 0 in a still picture."""
    faces: Sequence[Face]
    size: tuple[int, int]
    """Width and height of the picture in pixels."""
    note: str = ""
    """Why there is no picture from here on, where the film breaks off."""


def sights(
    signal: Frames | Image, mesh: Mesh, options: Looking | None = None, boxes: Sequence[Box] = (), opened: float = 0.0
) -> Iterator[Sight]:
    """Yield what each analysed picture of a signal shows, in order; faces bear the names of their persons.

    Args:
        signal: a film or a picture.
        mesh: the network that finds points.
        options: how to go through it.
        boxes: where the faces of a picture are, in pixels, where somebody knows; then nobody searches for them.
        opened: the second from which on a film was opened.

    Raises:
        UnreadableError: the film was only named, not opened, or nothing of it can be read.
    """
    options = options or Looking()
    if isinstance(signal, Image):
        finder = _finder(mesh, options, NEAR)
        pixels = signal.pixels
        seen = grey(pixels)
        if boxes:
            faces = in_boxes(mesh, seen, boxes)
        elif max(seen.shape) <= CROP:
            faces = in_boxes(mesh, seen, [(0, 0, seen.shape[1] - 1, seen.shape[0] - 1)]) if seen.std() > _FLAT else []
        else:
            faces = sorted(finder(seen), key=_size, reverse=True)
        named = [replace(face, person=f"person-{k + 1}") for k, face in enumerate(faces)]
        yield Sight(0.0, 0.0, named, (pixels.shape[1], pixels.shape[0]))
    else:
        yield from moving(signal, tracker_of(mesh, options), Stretch(options.rate, opened))


def grey(pixels: npt.NDArray[np.uint8]) -> Grey:
    """Return a picture (height x width x 3, RGB) in grey."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def tracker_of(mesh: Mesh, options: Looking, state: Mapping[str, Any] | None = None) -> Tracker:
    """Return who follows the faces of a film; `state` is what one that followed them before knew (`Tracker.state`)."""
    return Tracker(mesh, _finder(mesh, options, _FILM), options=options.following, state=state)


def _finder(mesh: Mesh, options: Looking, longest: int) -> Finder:
    detector: Detector | None = catalog.load(options.detector) if options.detector else None
    return Finder(mesh, detector, longest, options.following.new)


class Stretch(NamedTuple):
    """Which pictures of a film are looked at."""

    rate: float = 0.0
    """Rows a second at most; 0: one for each picture."""
    opened: float = 0.0
    """The second from which on the film was opened."""
    wanted: float = -1.0
    """The second of the first picture, where pictures before were looked at already; below 0: there are none."""


def moving(film: Frames, tracker: Tracker, stretch: Stretch) -> Iterator[Sight]:
    """Yield what the pictures of a film show, each until the next one; one that breaks off says so at its end."""
    last: Sight | None = None
    for second, pixels, note in _pictures(film, stretch):
        if last:
            yield last._replace(end=second)
        if pixels is not None:
            last = Sight(second, second, tracker.step(grey(pixels), second), (pixels.shape[1], pixels.shape[0]))
        elif note or (last is None and stretch.wanted < 0):
            rest = max(second, round(stretch.opened + film.duration, 9)) if math.isfinite(film.duration) else second
            yield Sight(second, rest, (), film.size, note)


def _pictures(film: Frames, stretch: Stretch) -> Iterator[tuple[float, npt.NDArray[np.uint8] | None, str]]:
    """Yield the second and pixels of each analysed picture; at last the end, and why it is one if the film breaks."""
    rate, half, over = stretch.rate, 0.5 / film.rate, round(stretch.opened + film.duration, 9)  # however it was opened
    blocks, wanted, end, note = _ahead(film.timed(_BLOCK)), 0.0, max(stretch.opened, stretch.wanted), ""
    seen = stretch.wanted >= 0
    while True:
        try:
            times, block = next(blocks, (np.zeros(0), None))
        except Exception as error:  # of whatever reads the film
            if not seen:
                raise
            note = f"{BROKEN}: {(str(error).strip() or type(error).__name__).splitlines()[0]}"
            break
        if block is None:
            break
        for second, pixels in zip(times.tolist(), block, strict=True):
            if second < stretch.wanted - _SAME:
                continue
            if not rate or second + half >= wanted:  # nearest to the tick
                yield second, pixels, ""
                wanted = (math.floor((second + half) * rate) + 1) / rate if rate else 0.0
            end, seen = second + 2 * half, True
    if abs(over - end) <= _SLACK and not note:
        end = over
    elif over > end and not note and seen:
        note = NO_PICTURE
    yield end, None, note


def _ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, the next one being read while one is used."""
    rest = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, rest, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, rest, None)
            yield item


def _size(face: Face) -> float:
    return face.place.size
