"""Where a face lies in a picture, and how it is cut out upright. Knows squares and turns; knows no network."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """A square in a picture, perhaps turned.

    Args:
        x: of its centre, pixels from the left.
        y: of its centre, pixels from the top.
        size: of its side, pixels.
        angle: how far it is turned, radians, clockwise as one sees it; 0 is upright.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    def to_source(self, points: Points) -> Points:
        """Return points of the crop (... x 2 or 3, of which x and y are 0..1 in it) as pixels of the picture."""
        back = np.array(points, np.float32)
        x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        back[..., 0] = self.x + self.size * (cos * x - sin * y)
        back[..., 1] = self.y + self.size * (sin * x + cos * y)
        back[..., 2:] *= self.size
        return back

    def to_crop(self, points: Points) -> Points:
        """Return pixels of the picture (... x 2 or 3) as points of the crop, 0..1 inside it."""
        there = np.array(points, np.float32)
        x, y = (points[..., 0] - self.x) / self.size, (points[..., 1] - self.y) / self.size
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        there[..., 0] = 0.5 + cos * x + sin * y
        there[..., 1] = 0.5 - sin * x + cos * y
        there[..., 2:] /= self.size
        return there

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the upright box around it, pixels."""
        half = self.size / 2 * (abs(np.cos(self.angle)) + abs(np.sin(self.angle)))
        return self.x - half, self.y - half, self.x + half, self.y + half


def cut(picture: Grey, place: Place, side: int) -> Grey:
    """Return what a place shows, side x side; beyond the picture its edge goes on.

    A place much larger than `side` is made smaller by halves first, so that nothing is skipped over.
    """
    shrunk = 1.0
    if place.size > 2 * side:
        picture, place, shrunk = _smaller(picture, place, side)
    scale = side / (place.size * shrunk)
    cos, sin = np.cos(place.angle) * scale, np.sin(place.angle) * scale
    x, y = (place.x + 0.5) * shrunk - 0.5, (place.y + 0.5) * shrunk - 0.5
    middle = (side - 1) / 2
    turn = np.array([[cos, sin, middle - cos * x - sin * y], [-sin, cos, middle + sin * x - cos * y]])
    return np.asarray(
        cv2.warpAffine(picture, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _smaller(picture: Grey, place: Place, side: int) -> tuple[Grey, Place, float]:
    """Return the part of the picture around a place, made smaller, the place in it, and by how much."""
    left, top, right, bottom = place.box
    high, wide = picture.shape[:2]
    x0, y0 = int(np.clip(left - 2, 0, wide - 1)), int(np.clip(top - 2, 0, high - 1))
    x1, y1 = int(np.clip(right + 3, x0 + 1, wide)), int(np.clip(bottom + 3, y0 + 1, high))
    part = picture[y0:y1, x0:x1]
    by = side / place.size
    size = (max(1, round(part.shape[1] * by)), max(1, round(part.shape[0] * by)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), Place(place.x - x0, place.y - y0, place.size, place.angle), by
