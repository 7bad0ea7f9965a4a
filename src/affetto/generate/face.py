"""Draws a head from ARKit's coefficients and a pose: shaded triangles with brows, eyes, lips, teeth and hair.

The head is `head.npz`: the 478 points of MediaPipe's mesh and some around them on the ICT face model, light (ICT-VGL/
ICT-FaceKit, MIT licence, Li et al. 2020; made by `recipes/drawn_face.py`): a neutral, what each coefficient moves, and
how heads differ. Knows OpenCV; knows no talk. It is a drawing that a detector finds and a mesh follows, and not meant
to be taken for a photograph.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.generate.talk import Floats

HEAD = Path(__file__).with_name("head.npz")
Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[Any]
"""Pixels."""
Colour = tuple[float, float, float]
"""Red, green, blue, 0..1."""
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Points around the face, in MediaPipe's order, as those below."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""From the right corner over the upper lip to the left one, and back below."""
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
EYE_RINGS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
"""The right eye and the left: from the outer corner over the upper lid, and back below."""
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
HAIRLINE = (127, 162, 21, 54, 103, 67, 109, 338, 297, 332, 284, 251, 389, 356)
"""The upper part of the oval."""
IRISES = (468, 473)
"""The first of five points of each."""
FACE = 468
"""Points before it are the face's surface, without irises."""
AWAY = 75.0
"""Centimetres between the camera and a head."""
NAPE = np.array([0.0, -6.5, -6.0], np.float32)
"""Where the neck begins, centimetres from the middle of the face."""
FINE = 2
"""A head is drawn so many times as large, and then reduced."""
LAMPS = np.array([[-0.35, 0.6, 0.8], [0.5, 0.1, 0.9]], np.float32)
CREASE = 0.9
"""How much darker skin becomes where it is pressed together."""
LARGER = {
    "browDown": 2.2, "browInnerUp": 2.2, "noseSneer": 1.8, "mouthFrown": 3.0, "mouthShrug": 0.6, "eyeSquint": 1.6,
}  # fmt: skip
"""By how much movements are exaggerated of which a face without wrinkles shows too little, or, less than 1, that hide
another; tuned by eye and by what `face.expression` reads in it."""
_SHIFT = 4
"""Bits of a pixel's fraction."""


@dataclass(frozen=True)
class Look:
    """What somebody looks like."""

    skin: Colour
    hair: Colour
    lips: Colour
    iris: Colour
    clothes: Colour
    shape: tuple[float, ...]
    """How the head differs from the mean: deviations along the first of the model's 16 ways."""
    hairline: float
    """Centimetres above the middle of the eyes where the hair begins."""
    long: bool = False
    """Whether the hair falls to the shoulders."""
    brow: float = 1.0
    """How thick the brows are."""


LOOKS = (
    Look((0.91, 0.71, 0.60), (0.25, 0.15, 0.09), (0.78, 0.42, 0.40), (0.28, 0.40, 0.50), (0.45, 0.20, 0.30),
         (0.6, -0.8, 0.5, 0.4), 5.0, True, 0.85),
    Look((0.80, 0.60, 0.47), (0.10, 0.08, 0.07), (0.66, 0.40, 0.36), (0.25, 0.17, 0.10), (0.16, 0.26, 0.42),
         (-0.7, 0.9, -0.4, -0.6, 0.5), 5.6, False, 1.25),
    Look((0.55, 0.37, 0.27), (0.06, 0.05, 0.05), (0.47, 0.25, 0.24), (0.14, 0.09, 0.06), (0.75, 0.62, 0.25),
         (0.3, 0.5, 0.9, -0.7), 5.4, False, 1.1),
    Look((0.95, 0.78, 0.68), (0.72, 0.52, 0.25), (0.82, 0.48, 0.47), (0.35, 0.52, 0.40), (0.25, 0.45, 0.35),
         (-0.4, -0.9, -0.6, 0.8, -0.5), 5.2, True, 0.8),
    Look((0.86, 0.66, 0.55), (0.45, 0.44, 0.43), (0.70, 0.42, 0.40), (0.30, 0.36, 0.44), (0.30, 0.30, 0.34),
         (0.9, 0.4, -0.8, 0.3, 0.8), 6.6, False, 1.15),
)  # fmt: skip
"""Those that can be drawn, by number."""


@dataclass(frozen=True)
class Shape:
    """The file."""

    neutral: Floats
    """n x 3, centimetres: x to the person's left, y up, z out of the face."""
    moves: Floats
    """52 x n x 3, at full strength of each coefficient."""
    shapes: Floats
    """16 x n x 3, for one deviation each."""
    triangles: npt.NDArray[np.int64]
    """t x 3, counter-clockwise from outside."""


@cache
def shape() -> Shape:
    """Return the head of the file."""
    with np.load(HEAD) as file:
        grown = {
            name: file[name].astype(np.float32) * file[f"{name}_step"][:, None, None] for name in ("moves", "shapes")
        }
        return Shape(
            file["neutral"].astype(np.float32) / 1000,
            grown["moves"],
            grown["shapes"],
            file["triangles"].astype(np.int64),
        )


@dataclass(frozen=True)
class Head:
    """One person, to be drawn.

    Args:
        look: what the person looks like.
        face: pixels from the brows to the chin.
    """

    look: Look
    face: float

    @cached_property
    def still(self) -> Floats:
        """The points of this person's neutral face, about the middle of the face."""
        model = shape()
        amounts = np.zeros(len(model.shapes), np.float32)
        amounts[: len(self.look.shape)] = self.look.shape
        points = model.neutral + np.tensordot(amounts, model.shapes, 1)
        return np.asarray(points - points[list(OVAL)].mean(0), np.float32)

    @cached_property
    def scale(self) -> float:
        """Pixels a centimetre."""
        brow, chin = self.still[[105, 334], 1].mean(), self.still[152, 1]
        return float(self.face / (brow - chin))

    @cached_property
    def paint(self) -> Floats:
        """The colour of each point, n x 3."""
        look, still = self.look, self.still
        eyes = still[[33, 263], 1].mean()
        paint = np.tile(np.array(look.skin, np.float32), (len(still), 1))
        above = still[:, 1] + 0.035 * still[:, 0] ** 2 > eyes + look.hairline
        behind = still[:, 2] < (-4.5 if look.long else -5.5)
        low = still[:, 1] < eyes - (30 if look.long else 4)
        hair = (above | behind) & ~low & (np.arange(len(still)) >= FACE) | (above & (still[:, 1] > eyes + 4))
        paint[hair] = look.hair
        for ring in (OUTER_LIPS, INNER_LIPS):
            paint[list(ring)] = look.lips
        between = [k for k in range(FACE) if _lip(k)]
        paint[between] = look.lips
        cheeks = np.exp(-((np.abs(still[:, 0]) - 4) ** 2 + (still[:, 1] - eyes + 4) ** 2) / 3)[:, None]
        paint[:, 1:] *= 1 - 0.12 * cheeks * (still[:, 2:] > 2)
        return paint

    @cached_property
    def areas(self) -> Floats:
        """How large each triangle is in the neutral face."""
        return _areas(self.still)

    def points(self, arkit: Floats) -> Floats:
        """Return the points, n x 3, with an expression of 52 coefficients in 0..1; before they are turned."""
        drawn = arkit * _gains()
        moving = np.flatnonzero(np.nan_to_num(drawn) > 0.004)
        return np.asarray(self.still + np.tensordot(drawn[moving], shape().moves[moving], 1), np.float32)

    def draw(self, canvas: Pixels, arkit: Floats, pose: Floats, middle: tuple[float, float]) -> Floats:
        """Draw this person on a picture; return the box of the face: left, top, right, bottom in pixels.

        Args:
            canvas: height x width x 3, RGB, is drawn on.
            arkit: 52 coefficients, 0..1.
            pose: yaw to the person's left, pitch down, roll to the right shoulder, degrees.
            middle: where the middle of the face is, pixels.
        """
        solid = self.points(arkit)
        crease = np.clip(1 - _areas(solid) / self.areas, 0, 0.5)
        turn = turned(pose)
        solid = solid @ turn.T
        spot = solid[:, :2] * (AWAY / (AWAY - solid[:, 2:])) * [self.scale, -self.scale] + middle
        self._behind(canvas, spot, (turn @ NAPE)[:2] * [self.scale, -self.scale] + middle)
        low = np.clip(spot.min(0) - 3, 0, canvas.shape[1::-1]).astype(int)
        high = np.clip(spot.max(0) + 4, 0, canvas.shape[1::-1]).astype(int)
        if min(high - low) > 1:
            part = canvas[low[1] : high[1], low[0] : high[0]]
            large = cv2.resize(part, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_NEAREST)
            self._fill(large, solid, (spot - low) * FINE + (FINE - 1) / 2, crease)
            part[:] = cv2.resize(large, part.shape[1::-1], interpolation=cv2.INTER_AREA)
        return np.array([*spot[:FACE].min(0), *spot[:FACE].max(0)], np.float32)

    def _fill(self, large: Any, solid: Floats, spot: Points, crease: Floats) -> None:
        unit = self.scale * FINE
        triangles = shape().triangles
        lit, front = _lit(solid, triangles)
        colours = self.paint[triangles].mean(1) * (lit * (1 - CREASE * crease))[:, None]
        order = np.argsort(solid[triangles, 2].mean(1))
        order = order[front[order]]
        shades = (np.clip(colours[order], 0, 1) * 255).tolist()
        corners = np.round(spot).astype(np.int32)[triangles[order]]
        for corner, shade in zip(corners, shades, strict=True):
            cv2.fillConvexPoly(large, corner, shade)
        _soften(large, spot, 0.16 * unit)
        _soften(large, spot[[10, *HAIRLINE]] - np.array([0, unit]), 0.4 * unit)
        for ring, brow, iris in zip(EYE_RINGS, BROWS, IRISES, strict=True):
            self._eye(large, spot, ring, iris, unit)
            self._brow(large, spot, brow)
        self._mouth(large, spot, unit)
        for nostril in (79, 309):
            _disc(large, spot[nostril], 0.28 * unit, np.array(self.look.skin) * 0.35)

    def _behind(self, canvas: Any, spot: Points, nape: Points) -> None:
        """Draw what lies behind the head: long hair, the neck and clothes."""
        unit = self.scale
        if self.look.long:
            middle = 0.6 * nape + 0.4 * spot[[105, 334]].mean(0)
            size = (round(9.4 * unit), round(13.0 * unit))
            _ellipse(canvas, middle - np.array([0, 2.5 * unit]), size, np.array(self.look.hair) * 0.8)
        neck = nape + np.array([[-5.0, -3], [5.0, -3], [5.4, 5], [8.0, 9], [-8.0, 9], [-5.4, 5]]) * unit
        dark = tuple(float(x) * 0.72 * 255 for x in self.look.skin)
        cv2.fillPoly(canvas, [np.round(neck).astype(np.int32)], dark, cv2.LINE_AA)
        _ellipse(canvas, nape + np.array([0, 26 * unit]), (round(19 * unit), round(20.5 * unit)), self.look.clothes)

    def _eye(self, large: Any, spot: Points, ring: tuple[int, ...], iris: int, unit: float) -> None:
        outline: Any = np.round(spot[list(ring)]).astype(np.int32)
        left, top, wide, high = cv2.boundingRect(outline)
        left, top = max(0, left - 2), max(0, top - 2)
        part = large[top : top + high + 5, left : left + wide + 5]
        if not part.size:
            return
        ball = np.full_like(part, 0)
        ball[:] = np.array([0.93, 0.92, 0.90]) * 235
        centre = spot[iris] - [left, top]
        _disc(ball, centre, 0.62 * unit, self.look.iris)
        _disc(ball, centre, 0.28 * unit, (0.03, 0.03, 0.03))
        _disc(ball, centre + np.array([0.18, -0.2]) * unit, 0.11 * unit, (0.95, 0.95, 0.95))
        mask: Any = np.zeros(part.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline - [left, top]], (255.0,), cv2.LINE_AA)
        share = mask[:, :, None] / np.float32(255)
        shadow = np.linspace(0.72, 1.0, len(part))[:, None, None]
        part[:] = (ball * shadow * share + part * (1 - share)).astype(np.uint8)
        dark = tuple(float(x) for x in np.array(self.look.skin) * 60)
        lid = np.round(spot[list(ring[:9])] * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(large, [lid], False, dark, max(1, round(0.2 * unit)), cv2.LINE_AA, _SHIFT)

    def _brow(self, large: Any, spot: Points, brow: tuple[int, ...]) -> None:
        upper, lower = spot[list(brow[:5])], spot[list(brow[5:])][::-1]
        middle, half = (upper + lower) / 2, (upper - lower) / 2 * 0.62 * self.look.brow
        outline = np.concatenate([middle + half, (middle - half)[::-1]])
        colour = tuple(float(x) for x in (np.array(self.look.hair) * 0.75 + np.array(self.look.skin) * 0.1) * 255)
        cv2.fillPoly(large, [np.round(outline * (1 << _SHIFT)).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)

    def _mouth(self, large: Any, spot: Points, unit: float) -> None:
        """Draw the dark of an open mouth and the upper teeth, or the line between closed lips."""
        outline: Any = np.round(spot[list(INNER_LIPS)]).astype(np.int32)
        left, top, wide, high = cv2.boundingRect(outline)
        left, top = max(0, left - 2), max(0, top - 2)
        part = large[top : top + high + 5, left : left + wide + 5]
        if not part.size:
            return
        mask: Any = np.zeros(part.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline - [left, top]], (255.0,), cv2.LINE_AA)
        inside: Any = np.zeros_like(part)
        inside[:] = np.array([0.23, 0.07, 0.07]) * 255
        upper = spot[list(INNER_LIPS[1:10])] - [left, top]
        bite = upper.copy()
        bite[:, 1] += 0.75 * unit * np.sin(np.linspace(0.35, np.pi - 0.35, 9))
        teeth = np.concatenate([upper - [0, unit], bite[::-1]])
        cv2.fillPoly(inside, [np.round(teeth).astype(np.int32)], (225.0, 220.0, 208.0), cv2.LINE_AA)
        share = mask[:, :, None] / np.float32(255)
        part[:] = (inside * share + part * (1 - share)).astype(np.uint8)
        line = np.round(spot[list(INNER_LIPS[:11])] * (1 << _SHIFT)).astype(np.int32)
        dark = tuple(float(x) for x in np.array(self.look.lips) * 110)
        cv2.polylines(large, [line], False, dark, max(1, round(0.13 * unit)), cv2.LINE_AA, _SHIFT)


def turned(pose: Floats) -> Floats:
    """Return the turn, 3 x 3, of a head: Ry(yaw) Rx(pitch) Rz(roll), as the space `head-pose` has it, from degrees."""
    (cy, sy), (cx, sx), (cz, sz) = ((np.cos(x), np.sin(x)) for x in np.radians(pose))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    roll = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(yaw @ pitch @ roll, np.float32)


@cache
def _gains() -> Floats:
    """Return by how much each of the 52 coefficients is exaggerated."""
    names = catalog.load("arkit-52").names
    return np.array([next((g for start, g in LARGER.items() if name.startswith(start)), 1.0) for name in names])


@cache
def _lips() -> frozenset[int]:
    """Return the points between the outlines of the lips."""
    flat = shape().neutral[:FACE, :2] + 0.4 * shape().moves[24, :FACE, :2]
    outer, inner = (flat[list(ring)].reshape(-1, 1, 2) for ring in (OUTER_LIPS, INNER_LIPS))
    near = shape().neutral[:FACE, 2] > shape().neutral[[61, 291], 2].min() - 0.5
    return frozenset(
        k for k, (x, y) in enumerate(flat)
        if near[k] and cv2.pointPolygonTest(outer, (float(x), float(y)), False) >= 0
        and cv2.pointPolygonTest(inner, (float(x), float(y)), False) <= 0
    )  # fmt: skip


def _lip(point: int) -> bool:
    return point in _lips()


def _areas(points: Floats) -> Floats:
    a, b, c = (points[shape().triangles[:, k]] for k in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 + 1e-4, np.float32)


def _lit(solid: Floats, triangles: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return how bright lamps make each triangle, with corners blended, and which face the camera."""
    a, b, c = (solid[triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    smooth = np.zeros_like(solid)
    for k in range(3):
        smooth[:, k] = np.bincount(triangles.ravel(), np.repeat(flat[:, k], 3), len(solid))
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-6
    lamps = LAMPS / np.linalg.norm(LAMPS, axis=1, keepdims=True)
    each = 0.42 + 0.36 * np.clip(smooth @ lamps.T, 0, None).sum(1)
    return np.asarray(each[triangles].mean(1), np.float32), flat[:, 2] > 0


def _soften(large: Any, face: Points, sigma: float) -> None:
    """Blur the triangles of the face into skin."""
    (left, top), (right, bottom) = (
        np.clip(edge, 0, large.shape[1::-1]).astype(int) for edge in (face.min(0), face.max(0))
    )
    part = large[top:bottom, left:right]
    if part.size:
        part[:] = cv2.GaussianBlur(part, (0, 0), max(0.3, sigma))


def _disc(picture: Any, centre: Points, radius: float, colour: Any) -> None:
    spot = tuple(int(x) for x in np.round(np.asarray(centre) * (1 << _SHIFT)))
    rgb = tuple(float(x) * 255 for x in colour)
    cv2.circle(picture, spot, max(1, round(radius * (1 << _SHIFT))), rgb, -1, cv2.LINE_AA, _SHIFT)


def _ellipse(picture: Any, centre: Points, size: tuple[int, int], colour: Any) -> None:
    spot = tuple(int(x) for x in np.round(centre))
    cv2.ellipse(picture, spot, size, 0, 0, 360, tuple(float(x) * 255 for x in colour), -1, cv2.LINE_AA)
