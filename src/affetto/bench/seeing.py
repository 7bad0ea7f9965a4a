"""How a recogniser fares when it sees worse: something in front of the face, a turn, less light, less of it.

A condition changes the pictures of a Record and nothing else:

    hidden-10 hidden-25 hidden-50           one square hides so many percent of the picture, somewhere, in one grey
    hidden-eyes hidden-mouth                a band over the eyes (from 20 to 48 % of the height), or all below 60 %
    turned-15 turned-30 turned-45           degrees, to one side or the other; what the edges lack repeats them
    dark-4 dark-16                          that part of the light is left (2 and 4 stops), with the noise of a sensor
    small-24 small-16                       so many pixels on the shorter side, and enlarged again to what it was

The bands are where eyes and mouth lie in pictures cut to a face, such as those of FER2013. What is drawn is drawn by
the seed and the Record's id. Knows pixels; knows no benchmark. Needs OpenCV.
"""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.signal import Image

Pixels = npt.NDArray[np.uint8]
KNOWN = (
    *(f"hidden-{what}" for what in (10, 25, 50, "eyes", "mouth")),
    *(f"turned-{degrees}" for degrees in (15, 30, 45)),
    *(f"dark-{part}" for part in (4, 16)),
    *(f"small-{side}" for side in (24, 16)),
)
BANDS = {"eyes": (0.20, 0.48), "mouth": (0.60, 1.0)}
"""From where to where, as shares of the height."""
GAMMA = 2.2
"""Light goes with the grey value to this power, as displays have it (about that of IEC 61966-2-1)."""
GRAIN = 2.0
"""Standard deviation of the noise of a dark picture, in grey values of 0..255."""


def under(condition: str, record: Record, seed: int) -> Record:
    """Return a Record as it looks under a condition.

    Raises:
        UnknownNameError: there is no such condition; names those there are.
    """
    if condition not in KNOWN:
        raise UnknownNameError("condition", condition, KNOWN)
    digest = hashlib.sha256(f"{seed}\0{record.id}".encode("utf-8", "surrogatepass")).digest()
    drawn = int.from_bytes(digest[:8], "big")
    signals = tuple(
        _changed(signal, condition, drawn) if isinstance(signal, Image) else signal for signal in record.signals
    )
    return replace(record, signals=signals)


def seen(pixels: Pixels, condition: str, rng: np.random.Generator) -> Pixels:
    """Return a picture (h x w x 3) as it looks under one of the conditions known here."""
    name, _, amount = condition.partition("-")
    if amount in BANDS:
        return band(pixels, *BANDS[amount])
    if name == "hidden":
        return hidden(pixels, float(amount) / 100, rng)
    if name == "turned":
        return turned(pixels, float(amount) * rng.choice((-1, 1)))
    return dark(pixels, 1 / float(amount), rng) if name == "dark" else small(pixels, int(amount))


def hidden(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Return a picture (h x w x 3) of which one square, or as much of it as fits, hides a share, in one drawn grey.

    >>> part = hidden(np.full((48, 48, 3), 255, np.uint8), 0.25, np.random.default_rng(1))
    >>> float((part != 255).all(2).mean())
    0.25
    """
    height, width = pixels.shape[:2]
    side = np.sqrt(share * height * width)
    tall, wide = min(height, round(side)), min(width, round(side))
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    out = pixels.copy()
    out[top : top + tall, left : left + wide] = rng.integers(0, 255)
    return out


def band(pixels: Pixels, start: float, end: float) -> Pixels:
    """Return a picture hidden from one share of its height to another, in the mean of what is hidden."""
    rows = slice(round(start * len(pixels)), round(end * len(pixels)))
    out = pixels.copy()
    if out[rows].size:
        out[rows] = round(float(out[rows].mean()))
    return out


def turned(pixels: Pixels, degrees: float) -> Pixels:
    """Return a picture turned about its middle, clockwise, in its old size."""
    import cv2  # noqa: PLC0415 - heavy, and sound needs none

    height, width = pixels.shape[:2]
    way: Any = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    found = cv2.warpAffine(pixels, way, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)


def dark(pixels: Pixels, light: float, rng: np.random.Generator) -> Pixels:
    """Return a picture with a part of its light left, and noise."""
    grain = rng.normal(0, GRAIN, pixels.shape[:2])[:, :, None]
    return np.asarray(np.clip(np.round(pixels * light ** (1 / GAMMA) + grain), 0, 255), np.uint8)


def small(pixels: Pixels, side: int) -> Pixels:
    """Return a picture with no more in it than so many pixels on the shorter side can hold, in its old size."""
    import cv2  # noqa: PLC0415

    height, width = pixels.shape[:2]
    scale = side / min(height, width)
    if scale >= 1:
        return pixels
    few = cv2.resize(
        pixels, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _changed(image: Image, condition: str, drawn: int) -> Image:
    """Return a picture that is changed each time that it is looked at, and each time alike."""
    if 0 in image.size:
        return image
    return Image(None, image.path, image.size, lambda: seen(image.pixels, condition, np.random.default_rng(drawn)))
