"""What is known of faces as JSON can hold it, and back, number for number. Knows arrays and places; knows no file."""

import base64
import zlib
from dataclasses import astuple
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.models.face.crop import Place

_TYPES = {"f4": np.float32, "u1": np.uint8}


def packed(array: npt.NDArray[Any]) -> list[Any]:
    """Return an array of float32 or uint8 as its type, its shape, and its bytes: compressed, base64.

    >>> unpacked(packed(np.array([[0.1, 2]], np.float32)))
    array([[0.1, 2. ]], dtype=float32)
    """
    kind = array.dtype.str[1:]
    return [kind, list(array.shape), base64.b64encode(zlib.compress(array.tobytes(), 6)).decode("ascii")]


def unpacked(said: list[Any]) -> npt.NDArray[Any]:
    """Return the array that was packed."""
    kind, shape, text = said
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), _TYPES[kind]).reshape(shape)


def kept(place: Place) -> list[float]:
    """Return the numbers of a place."""
    return [float(number) for number in astuple(place)]
