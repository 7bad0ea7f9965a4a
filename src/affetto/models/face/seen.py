"""What one picture shows of one person's face, and how the mesh network is asked about places in it.

Knows points, places and pictures as numbers; knows neither time nor films (`track`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from affetto.models.face.crop import Grey, Place, cut
from affetto.models.face.mesh import AROUND, SIDE, Meshes, place_of

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, pixels."""
_AT_ONCE = 64
"""Crops that the network is asked about at a time."""


class Mesh(Protocol):
    """A mesh network, as `mesh.FaceMesh` is."""

    def __call__(self, crops: Grey) -> Meshes:
        """Return what n x 112 x 112 crops show."""
        ...


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one picture."""

    place: Place
    """Where `crop` was cut."""
    points: Floats
    """478 x 3, pixels of the picture; z in the same unit, negative towards the camera."""
    face: float
    """Probability that it is one."""
    error: float
    """Expected mean error of the points, as a share of the distance between the eyes."""
    visible: Floats
    """68: probability that each of the iBUG points is seen."""
    crop: Grey
    """112 x 112."""
    person: str = ""
    """Such as `person-1`; empty where nobody was told from anybody."""

    @property
    def upright(self) -> Floats:
        """The points, 478 x 3, in the crop: x and y 0..1, z in the same unit."""
        return self.place.to_crop(self.points)

    @property
    def box(self) -> Box:
        """The box of the points, which may reach beyond the picture."""
        (left, top), (right, bottom) = self.points[:, :2].min(0), self.points[:, :2].max(0)
        return float(left), float(top), float(right), float(bottom)


class Enough(NamedTuple):
    """From when on a face counts as seen."""

    face: float
    """Lowest probability that it is one."""
    error: float
    """Highest expected error of its points, as a share of the distance between the eyes."""

    def holds(self, face: Face) -> bool:
        """Tell whether a face is good enough."""
        return face.face >= self.face and face.error <= self.error


def look(mesh: Mesh, picture: Grey, places: Sequence[Place]) -> list[Face]:
    """Return what a grey picture shows at each place, good or bad, many asked at once."""
    faces = []
    for first in range(0, len(places), _AT_ONCE):
        some = places[first : first + _AT_ONCE]
        crops = np.stack([cut(picture, place, SIDE) for place in some])
        said = mesh(crops)
        faces += [
            Face(
                place,
                place.to_source(said.points[k]),
                float(said.face[k]),
                float(said.error[k]),
                said.visible[k],
                crops[k],
            )
            for k, place in enumerate(some)
        ]
    return faces


def look_twice(mesh: Mesh, picture: Grey, places: Sequence[Place]) -> list[Face]:
    """Return what a grey picture shows at each place, looked at again where the points then are; good or bad."""
    return look(mesh, picture, [place_of(face.points) for face in look(mesh, picture, places)])


def in_boxes(mesh: Mesh, picture: Grey, boxes: Sequence[Box]) -> list[Face]:
    """Return the faces of a grey picture that lie in boxes of faces' points, good or bad, in their order."""
    places = [
        Place((left + right) / 2, (top + bottom) / 2, AROUND * max(right - left, bottom - top, 1.0))
        for left, top, right, bottom in boxes
    ]
    return look_twice(mesh, picture, places)


def off(place: Place, other: Place) -> float:
    """Return how far a place is from another, 0 is the same: by its move or growth, as shares, or half its turn.

    >>> off(Place(5, 0, 10), Place(0, 0, 10)), off(Place(0, 0, 10, 0.5), Place(0, 0, 10))
    (0.5, 0.25)
    """
    moved = np.hypot(place.x - other.x, place.y - other.y) / other.size
    turned = abs((place.angle - other.angle + np.pi) % (2 * np.pi) - np.pi) / 2
    return float(max(moved, abs(np.log(place.size / other.size)), turned))


def overlap(box: Box, other: Box) -> float:
    """Return the share of the smaller box that the other covers, 0..1.

    >>> overlap((0, 0, 10, 10), (5, 0, 15, 10)), overlap((0, 0, 10, 10), (2, 2, 4, 4))
    (0.5, 1.0)
    """
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return max(wide, 0.0) * max(high, 0.0) / smaller if smaller > 0 else 0.0


def apart(faces: Sequence[Face], most: float = 0.45) -> list[Face]:
    """Return the faces, in their order, without those that an earlier one covers by more than `most`."""
    kept: list[Face] = []
    for face in faces:
        if all(overlap(face.box, other.box) <= most for other in kept):
            kept.append(face)
    return kept


def surest(faces: Sequence[Face]) -> list[Face]:
    """Return the faces, the surest first."""
    return sorted(faces, key=lambda face: face.face - face.error, reverse=True)
