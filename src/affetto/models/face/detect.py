"""Where faces are in a grey picture: a detector proposes, the mesh network confirms.

The detector that needs nothing else is the cascade of Viola and Jones 2001 that comes with OpenCV. It is asked with
no scruples, since the mesh network tells a face from what is none; where nothing is found, the picture is looked at
again: its light spread, from the side, turned. Knows one picture at a time; knows no persons (`track`).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from affetto.core.errors import UnreadableError
from affetto.models.face.crop import Grey, Place, cut
from affetto.models.face.mesh import AROUND, place_of
from affetto.models.face.seen import Enough, Face, Mesh, apart, look, surest

NEW = Enough(0.7, 0.15)
"""What counts as a face where nobody was followed to."""
QUICK = 320
"""Pixels of the longer side of the picture in a quick look."""
NEAR = 1280
"""Pixels of the longer side of the picture in a close look."""
TURNS = (-np.pi / 6, np.pi / 6, -np.pi / 4, np.pi / 4)
"""How far heads may be turned besides upright, radians; the cascade forgives some 20 degrees around each."""
_HALF_SURE = 0.03
"""Probability of a face at a place that is merely proposed, from which on it is cut again around its points."""
_SIDEWAYS = 480
"""Pixels of the longer side of a picture that is searched for faces in profile, or turned."""
_MOST = 100
"""Places that a cascade proposes, at most."""
_SMALL = 160
"""Pixels of the longer side of a picture that is likely to be but a face."""
_WHOLE = (1.0, 1.3, 0.75)
"""Sides of the squares, as shares of the picture's mean side, in which a picture that is but a face is looked at."""


class Detector(Protocol):
    """Proposes where faces may be."""

    def __call__(self, picture: Grey) -> list[Place]:
        """Return the squares to cut around faces, as large as the mesh network wants its crops, in pixels."""
        ...


@dataclass(frozen=True)
class Shape:
    """How the boxes of a cascade lie on faces; measured beside the face mesh of MediaPipe on four films."""

    file: str
    """In OpenCV's folder of cascades."""
    size: float
    """Larger side of the box of a face's points, as a share of the box."""
    right: float
    """Middle of the points from the middle of the box, as a share of the box."""
    down: float


FRONTAL = Shape("haarcascade_frontalface_alt2.xml", 1.02, 0.0, 0.1)
PROFILE = Shape("haarcascade_profileface.xml", 0.95, -0.12, 0.13)
"""Of faces that look to the left of the picture."""


@dataclass(frozen=True)
class Cascade:
    """OpenCV's cascade: finds faces from about 20 pixels on in the picture as it looks at it."""

    longest: int = NEAR
    """Pixels of the longer side of the picture as it is looked at; a larger one is made smaller."""
    shape: Shape = FRONTAL
    mirrored: bool = False
    """Whether it looks at the picture in the mirror."""
    step: float = 1.2
    """From one size to the next."""
    smallest: int = 20
    """Pixels of the smallest box."""

    def __call__(self, picture: Grey) -> list[Place]:
        """Return where faces may be."""
        small, by = smaller(picture, self.longest)
        if min(small.shape) < self.smallest:
            return []
        small = np.ascontiguousarray(small[:, ::-1]) if self.mirrored else small
        reader, alone = _reader(self.shape.file)
        with alone:
            boxes = reader.detectMultiScale(small, self.step, 0, minSize=(self.smallest, self.smallest))
        boxes = sorted(boxes, key=lambda box: (box[2], box[1], box[0]))  # several threads of OpenCV give any order
        return [self._place(left, top, side, small.shape[1], by) for left, top, side in grouped(boxes)]

    def _place(self, left: float, top: float, side: float, wide: int, by: float) -> Place:
        x, y = left + side * (0.5 + self.shape.right), top + side * (0.5 + self.shape.down)
        x = wide - x if self.mirrored else x
        return Place(x / by - 0.5, y / by - 0.5, AROUND * self.shape.size * side / by)


def grouped(boxes: Sequence[Sequence[int]]) -> list[tuple[float, float, float]]:
    """Return left, top and side of the mean of each group of squares that lie on each other, the largest group first.

    >>> grouped([(0, 0, 10, 10), (40, 40, 10, 10), (2, 0, 10, 10)])
    [(1.0, 0.0, 10.0), (40.0, 40.0, 10.0)]
    """
    groups: list[list[tuple[float, float, float]]] = []
    for left, top, side, _ in boxes:
        box = (float(left), float(top), float(side))
        mine = next((group for group in groups if _near(box, group[0])), None)
        if mine is None:
            groups.append([box])
        else:
            mine.append(box)
    groups.sort(key=len, reverse=True)
    return [tuple(float(x) for x in np.mean(group, axis=0)) for group in groups[:_MOST]]  # type: ignore[misc]


def _near(box: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Tell whether two squares lie on each other: their middles near, their sides much alike."""
    half, side = (box[2] - other[2]) / 2, min(box[2], other[2])
    near = abs(box[0] - other[0] + half) < 0.25 * side and abs(box[1] - other[1] + half) < 0.25 * side
    return near and 0.66 < box[2] / other[2] < 1.5


@cache
def _reader(file: str) -> tuple[Any, threading.Lock]:
    """Return a cascade of OpenCV, and the lock of whoever asks it: it keeps what it looks at."""
    reader = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / file))
    if reader.empty():
        raise UnreadableError(f"OpenCV lacks {file}: pip install 'opencv-python-headless<5', which brings it")
    return reader, threading.Lock()


def smaller(picture: Grey, longest: int) -> tuple[Grey, float]:
    """Return a picture whose longer side is at most so many pixels, and by how much it was scaled."""
    by = longest / max(picture.shape)
    if by >= 1:
        return picture, 1.0
    size = (max(1, round(picture.shape[1] * by)), max(1, round(picture.shape[0] * by)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), by


class Finder:
    """Finds faces: places that a detector proposes, confirmed and put right by the mesh network.

    Args:
        mesh: the network.
        detector: what proposes; None: OpenCV's cascade.
        longest: pixels of the longer side of a picture as the cascade looks at it closely.
        enough: what counts as a face; None: `NEW`.
    """

    def __init__(
        self, mesh: Mesh, detector: Detector | None = None, longest: int = NEAR, enough: Enough | None = None
    ) -> None:
        self.mesh, self.enough = mesh, enough or NEW
        self._quick = detector or Cascade(min(QUICK, longest))
        self._near = detector or Cascade(longest)
        sides = [] if detector else [Cascade(_SIDEWAYS, PROFILE, mirrored) for mirrored in (False, True)]
        self._again: list[Callable[[Grey], list[Place]]] = [
            lambda picture: self._near(lit(picture)),
            *sides,
            *(partial(turned, self._near, turn=turn) for turn in TURNS),
        ]

    def __call__(self, picture: Grey) -> list[Face]:
        """Return the faces of a picture, the surest first, however long it takes."""
        again = (whole, *self._again) if max(picture.shape) <= _SMALL else (*self._again, whole)
        for propose in (self._near, *again):
            if found := self.confirm(picture, propose(picture)):
                return found
        return []

    def quick(self, picture: Grey) -> list[Face]:
        """Return the faces that a quick look shows: upright ones, not too small."""
        return self.confirm(picture, self._quick(picture))

    def near(self, picture: Grey) -> list[Face]:
        """Return the faces that a close look shows: upright ones."""
        return self.confirm(picture, self._near(picture))

    def again(self, picture: Grey, turn: int) -> list[Face]:
        """Return the faces that one of the other ways of looking shows; they take turns."""
        return self.confirm(picture, self._again[turn % len(self._again)](picture))

    def confirm(self, picture: Grey, places: Sequence[Place]) -> list[Face]:
        """Return the faces at places that are proposed, each once, the surest first."""
        seen = [face for face in look(self.mesh, picture, distinct(places)) if face.face >= _HALF_SURE]
        nearer = look(self.mesh, picture, [place_of(face.points) for face in apart(surest(seen), 0.8)])
        return apart(surest([face for face in nearer if self.enough.holds(face)]))


def lit(picture: Grey) -> Grey:
    """Return a picture with its light spread part by part, so that the dark becomes readable."""
    return np.asarray(cv2.createCLAHE(3.0, (4, 4)).apply(picture), np.uint8)


def turned(detector: Detector, picture: Grey, turn: float) -> list[Place]:
    """Return where a detector finds faces that are turned so far."""
    high, wide = picture.shape
    cos, sin = abs(np.cos(turn)), abs(np.sin(turn))
    view = Place((wide - 1) / 2, (high - 1) / 2, max(wide * cos + high * sin, high * cos + wide * sin), turn)
    side = min(_SIDEWAYS, round(view.size))
    found = []
    for place in detector(cut(picture, view, side)):
        x, y = view.to_source(np.array([(place.x + 0.5) / side, (place.y + 0.5) / side], np.float32))
        found.append(Place(float(x), float(y), place.size * view.size / side, place.angle + turn))
    return found


def whole(picture: Grey) -> list[Place]:
    """Return places that hold all of a picture, should it be nothing but a face; none if it is too wide or high."""
    high, wide = picture.shape
    if not 0.5 <= wide / high <= 2:
        return []
    return [Place((wide - 1) / 2, (high - 1) / 2, share * (wide + high) / 2) for share in _WHOLE]


def distinct(places: Sequence[Place]) -> list[Place]:
    """Return the places without those that nearly repeat an earlier one."""
    kept: list[Place] = []
    for place in places:
        if all(_differ(place, other) for other in kept):
            kept.append(place)
    return kept


def _differ(place: Place, other: Place) -> bool:
    far = np.hypot(place.x - other.x, place.y - other.y) > 0.1 * min(place.size, other.size)
    return bool(far or not 0.8 < place.size / other.size < 1.25 or place.angle != other.angle)
