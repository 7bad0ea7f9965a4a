"""Faces marked in pixels: a box, the lines of the mesh, and a plate with a name and a few words.

Knows pixels, colours and letters; knows neither Records nor files. OpenCV draws the lines, matplotlib the letters.
"""

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from affetto.core.errors import MissingExtraError
from affetto.core.track import Array
from affetto.report.faces import Mark
from affetto.report.strips import COLOURS, brief, ink_on

_CHAINS = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
     136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 61),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382, 362),
    (133, 173, 157, 158, 159, 160, 161, 246, 33, 7, 163, 144, 145, 153, 154, 155, 133),
    (276, 283, 282, 295, 285), (336, 296, 334, 293, 300), (46, 53, 52, 65, 55), (107, 66, 105, 63, 70),
    (474, 475, 476, 477, 474), (469, 470, 471, 472, 469),
    (168, 6, 197, 195, 5, 4), (64, 98, 97, 2, 326, 327, 294),
)  # fmt: skip
"""Numbers of the mesh's points along oval, lips, eyes, brows, irises and nose (the face mesh of MediaPipe)."""
_POINTS = 478
_PALE, _DARK = (250, 250, 250), (20, 20, 20)
_LEAST = (36, 110)
"""Pixels a face is wide from which on the lines of its mesh are drawn, and all its points too."""
_LETTERS = (11, 19)
"""Pixels of the smallest and the largest letters."""
_SUBPIXEL = 3
"""Bits behind the point of coordinates that OpenCV is given."""


def paint(pixels: Array, marks: Sequence[Mark], scale: float = 1.0) -> Array:
    """Return a picture with faces marked; the picture that is given stays as it is.

    Args:
        pixels: height x width x 3, uint8 RGB.
        marks: what to show, in pixels of it.
        scale: how many times larger (below 1: smaller) the result is.
    """
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    if size == (pixels.shape[1], pixels.shape[0]):
        canvas = np.array(pixels)
    else:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC if min(pixels.shape[:2]) >= 64 else cv2.INTER_NEAREST
        canvas = np.asarray(cv2.resize(pixels, size, interpolation=how))
    boxes = [_scaled(mark.box, scale) for mark in marks]
    for mark, box in zip(marks, boxes, strict=True):
        if mark.points is not None and box[2] - box[0] >= _LEAST[0]:
            _mesh(canvas, mark.points * scale, box)
        _frame(canvas, box, rgb(mark.order))
    taken: list[tuple[int, int, int, int]] = []
    for mark, box in zip(marks, boxes, strict=True):
        plate = _plate(mark, box[2] - box[0])
        x, y = _room(box, plate.shape[:2], canvas.shape[:2], taken, boxes)
        high, wide = min(plate.shape[0], canvas.shape[0] - y), min(plate.shape[1], canvas.shape[1] - x)
        canvas[y : y + high, x : x + wide] = plate[:high, :wide]
        taken.append((x, y, x + wide, y + high))
    return canvas


def rgb(order: int) -> tuple[int, int, int]:
    """Return the colour of the so many-th person."""
    colour = COLOURS[order % len(COLOURS)]
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@functools.lru_cache(512)
def written(text: str, size: int, bold: bool = False) -> Array:
    """Return a line of text as a mask, height x width, 0..1, of letters about `size` pixels high.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("letters in a picture", "plot") from None
    line = brief(text, 60) or " "
    high, wide = round(1.35 * size), size * (len(line) + 2)
    figure = Figure(figsize=(wide / 100, high / 100), dpi=100, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    look: dict[str, Any] = {
        "family": "DejaVu Sans",
        "size": size * 0.72,
        "weight": "bold" if bold else "normal",
        "parse_math": False,
    }
    figure.text(0, 0.24, line, color="black", va="baseline", **look)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        canvas.draw()
    mask: Array = 1 - np.asarray(canvas.buffer_rgba())[..., 0] / np.float32(255)
    inked = np.flatnonzero(mask.max(0) > 0.02)
    return mask[:, : inked[-1] + 1] if len(inked) else mask[:, :1]


def _scaled(box: tuple[float, float, float, float], scale: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = (x * scale for x in box)
    return left, top, right, bottom


def _frame(canvas: Array, box: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
    """Draw a box with a dark edge around it, so that it is seen on any ground."""
    width = 1 if box[2] - box[0] < 60 else 2 if box[2] - box[0] < 260 else 3
    one, other = ((round(box[i] * 2**_SUBPIXEL), round(box[i + 1] * 2**_SUBPIXEL)) for i in (0, 2))
    for ink, wide in ((_DARK, width + 2), (colour, width)):
        cv2.rectangle(canvas, one, other, ink, wide, cv2.LINE_AA, _SUBPIXEL)


def _mesh(canvas: Array, points: Array, box: tuple[float, float, float, float]) -> None:
    """Draw the lines of a mesh half through, and its points where the face is large enough."""
    low = np.maximum(np.floor(np.minimum(points.min(0), box[:2])).astype(int) - 2, 0)
    top = np.maximum(np.ceil(np.maximum(points.max(0), box[2:])).astype(int) + 3, low)
    part = canvas[low[1] : top[1], low[0] : top[0]]
    if not part.size:
        return
    drawn = part.copy()
    at = np.round((points - low) * 2**_SUBPIXEL).astype(np.int32)
    wide = box[2] - box[0]
    if wide >= _LEAST[1]:
        for x, y in at:
            cv2.circle(drawn, (int(x), int(y)), round(wide / 300 * 2**_SUBPIXEL), _PALE, -1, cv2.LINE_AA, _SUBPIXEL)
    if len(points) == _POINTS:
        lines = [at[list(chain)] for chain in _CHAINS]
        cv2.polylines(drawn, lines, False, _PALE, 2 if wide >= 400 else 1, cv2.LINE_AA, _SUBPIXEL)
    through = 0.6 if wide >= _LEAST[1] else 0.4
    part[:] = cv2.addWeighted(drawn, through, part, 1 - through, 0)


def _plate(mark: Mark, wide: float) -> Array:
    """Return the plate of a face: the name above the words, in letters that go with the face's width."""
    size = int(np.clip(wide / 11, *_LETTERS))
    ground = np.array(rgb(mark.order), np.float32)
    ink = np.array(_PALE if ink_on(COLOURS[mark.order % len(COLOURS)]) == "#FFFFFF" else _DARK, np.float32)
    lines = [written(brief(mark.name, 24), size, True), *([written(brief(mark.words, 28), size)] if mark.words else [])]
    pad = max(2, size // 4)
    whole = max(line.shape[1] for line in lines) + 2 * pad
    mask = np.concatenate([np.pad(line, ((0, 0), (pad, whole - pad - line.shape[1]))) for line in lines])
    mask = np.pad(mask, ((pad // 2, pad // 2), (0, 0)))[..., None]
    return np.asarray(np.round(ground * (1 - mask) + ink * mask), np.uint8)


def _room(
    box: tuple[float, float, float, float],
    plate: tuple[int, int],
    canvas: tuple[int, int],
    taken: Sequence[tuple[float, float, float, float]],
    faces: Sequence[tuple[float, float, float, float]],
) -> tuple[int, int]:
    """Return left and top of a plate: beside its box inside the picture, where it hides least of faces and plates."""
    high, wide = plate
    left, top, right, bottom = box
    wished = (
        (left - 2, top - high - 1), (left - 2, bottom + 2), (right - wide + 2, top - high - 1),
        (right - wide + 2, bottom + 2), (right + 3, top), (left - wide - 3, top), (left, top),
    )  # fmt: skip
    best, least = (0, 0), float("inf")
    for order, (x, y) in enumerate(wished):
        at = (round(min(max(x, 0), max(0, canvas[1] - wide))), round(min(max(y, 0), max(0, canvas[0] - high))))
        mine = (at[0], at[1], at[0] + wide, at[1] + high)
        hidden = 3 * sum(_shared(mine, other) for other in taken) + sum(_shared(mine, face) for face in faces)
        if hidden + order < least:
            best, least = at, hidden + order
    return best


def _shared(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return how many pixels two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)
