"""Faces for tests of how faces are looked for: bright squares, which a mesh that is no network finds for certain.

Who is who lies in the pattern of the square. Knows pictures as numbers; no picture of a person is needed.
"""

import cv2
import numpy as np

from affetto.models.face.crop import Place
from affetto.models.face.mesh import AROUND, SIDE, Meshes

BRIGHT = 150
_SHAPE = np.random.default_rng(7).uniform(0.05, 0.95, (478, 3)).astype(np.float32)
_SHAPE[:4] = [(0, 0, 0), (1, 1, 0), (0, 1, 0), (1, 0, 0)]
_SHAPE[33], _SHAPE[263] = (0.2, 0.4, 0), (0.8, 0.4, 0)


def pattern(who):
    """Return the face of somebody, 96 x 96, all bright."""
    down, right = np.mgrid[:96, :96]
    way = np.repeat(np.repeat(np.random.default_rng(who).uniform(0, np.pi, (3, 3)), 32, 0), 32, 1)
    waves = np.sin((down * np.sin(way) + right * np.cos(way)) * 2 * np.pi / 16)
    return np.uint8(BRIGHT + 60 + 40 * waves)


def picture(*faces, size=(320, 240), ground=40):
    """Return a grey picture with faces, each (who, x, y, side): the middle and side of the square in pixels."""
    page = np.full((size[1], size[0]), ground, np.uint8)
    for who, x, y, side in faces:
        left, top = round(x - side / 2), round(y - side / 2)
        square = cv2.resize(pattern(who), (side, side), interpolation=cv2.INTER_AREA)
        y0, y1, x0, x1 = max(0, top), min(size[1], top + side), max(0, left), min(size[0], left + side)
        page[y0:y1, x0:x1] = square[y0 - top : y1 - top, x0 - left : x1 - left]
    return page


def boxes(grey, least=8):
    """Return the bright boxes of a picture: left, top, right, bottom."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((grey > BRIGHT).astype(np.uint8))
    found = [tuple(int(v) for v in stats[k, :4]) for k in range(1, count)]
    return [(x, y, x + w, y + h) for x, y, w, h in found if min(w, h) >= least]


class Squares:
    """A mesh that finds the bright square nearest to the middle of each crop, and counts what it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, crops):
        self.asked += len(crops)
        assert crops.shape[1:] == (SIDE, SIDE)
        assert crops.dtype == np.uint8
        said = [self._one(crop) for crop in crops]
        return Meshes(
            np.stack([points for points, _ in said]),
            np.array([face for _, face in said], np.float32),
            np.where([face > 0.5 for _, face in said], 0.03, 0.6).astype(np.float32),
            np.ones((len(crops), 68), np.float32),
        )

    def _one(self, crop):
        found = boxes(crop)
        if not found:
            return _SHAPE.copy(), 0.01
        middle = (SIDE - 1) / 2
        left, top, right, bottom = min(
            found, key=lambda box: abs((box[0] + box[2]) / 2 - middle) + abs((box[1] + box[3]) / 2 - middle)
        )
        points = _SHAPE.copy()
        points[:, 0] = (left + _SHAPE[:, 0] * (right - left)) / SIDE
        points[:, 1] = (top + _SHAPE[:, 1] * (bottom - top)) / SIDE
        even = 0.7 < (right - left) / (bottom - top) < 1.4
        return points, 0.99 if even and right - left > 0.3 * SIDE else 0.3


class Corners:
    """A detector that proposes each bright square, a little off, and counts how often it is asked."""

    def __init__(self):
        self.looks = 0

    def __call__(self, grey):
        self.looks += 1
        return [
            Place((x0 + x1) / 2 + 0.05 * (x1 - x0), (y0 + y1) / 2, AROUND * 1.15 * (x1 - x0))
            for x0, y0, x1, y1 in boxes(grey)
        ]
