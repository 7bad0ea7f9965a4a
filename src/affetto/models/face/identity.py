"""Whether two faces of one recording are the same person's: by how the crop's texture lies, not by a trained network.

Local binary patterns (Ojala, Pietikainen and Maenpaa 2002; faces after Ahonen, Hadid and Pietikainen 2006), counted in
the 5 x 5 cells of the whole crop: hair and collar tell people of one recording apart as well as features do, and light
changes patterns little. It is no biometric across recordings, and nothing of it is kept. Knows crops; knows no films.
"""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from affetto.models.face.crop import Grey

Floats = npt.NDArray[np.float32]
_SIDE = 64
_CELLS = 5
_RADIUS = 2
"""Pixels from the middle of a pattern to its eight neighbours."""
_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


class Identity(Protocol):
    """Tells the people of one recording apart."""

    def of(self, crops: Sequence[Grey]) -> Floats:
        """Return n x d unit vectors of upright crops: the larger the product of two, the more alike."""
        ...


class Texture:
    """Tells people apart by local binary patterns.

    >>> crops = np.random.default_rng(0).integers(0, 255, (2, 112, 112), dtype=np.uint8)
    >>> Texture().of(crops).shape
    (2, 1475)
    """

    def of(self, crops: Sequence[Grey]) -> Floats:
        """Return n x 1475 vectors of length 1: as a rule .7 to .8 alike for one person, .5 to .6 for two."""
        found = np.array([_patterns(crop) for crop in crops], np.float32).reshape(-1, _CELLS**2 * _KINDS)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6), np.float32)


def _uniform() -> tuple[npt.NDArray[np.int64], int]:
    """Return for each of 256 patterns the number of its kind: each uniform one is one, and all others are one."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    even = (bits != np.roll(bits, 1, axis=1)).sum(1) <= 2
    kinds = np.where(even, np.cumsum(even) - 1, even.sum())
    return kinds, int(even.sum()) + 1


_KIND, _KINDS = _uniform()


def _patterns(crop: Grey) -> Floats:
    """Return the roots of the shares of each kind of pattern in each cell, 1475 numbers; flat ones count not."""
    small = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    inner, side = slice(_RADIUS, -_RADIUS), _SIDE - 2 * _RADIUS
    middle = small[inner, inner] + 1
    code = np.zeros((side, side), np.int64)
    for bit, (down, right) in enumerate(_NEIGHBOURS):
        y, x = _RADIUS * (1 + down), _RADIUS * (1 + right)
        code |= (small[y : y + side, x : x + side] > middle).astype(np.int64) << bit
    cell = np.arange(side) * _CELLS // side
    place = (cell[:, None] * _CELLS + cell) * _KINDS + _KIND[code]
    counts = np.bincount(place.ravel(), minlength=_CELLS**2 * _KINDS).reshape(-1, _KINDS)
    shares = counts / counts.sum(1, keepdims=True)
    shares[:, 0] = 0  # where no neighbour is brighter: an even ground, which says nothing of anybody
    return np.asarray(np.sqrt(shares).ravel(), np.float32)
