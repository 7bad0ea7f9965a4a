"""Pictures as Records: one Image, upright, RGB of eight bits, whatever is in the file.

What is transparent is laid on white. 16 bits become 8 by their share of the whole range; floating-point numbers, and
whole ones of 32 bits, by their share of 1, 255 or 65,535, the least that none of them exceeds, or else of the highest.
Grey becomes three equal channels; colour profiles are not applied. A picture that moves (GIF, APNG) is a film.

A picture is decoded once when it is read, to see whether it can be, and again each time its pixels are asked for: a
folder of a million lies in no memory. Knows files; knows nothing of what is seen.
"""

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Image, Pixels
from affetto.media.containers import Source, bytes_of, name
from affetto.media.image_headers import UPRIGHT, Header, header
from affetto.media.lines import clean

PIXELS = 50_000_000
"""Of the largest picture that is read as it is, 150 MB decoded; 7,680 x 4,320 are 33 million."""
REDUCED = 1 << 30
"""Pixels of the largest JPEG that is read at a half, a quarter or an eighth of its size."""
BYTES = 1 << 28
"""Of the largest file."""
_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
_TO_RGB = {1: cv2.COLOR_GRAY2RGB, 2: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
"""Channels as OpenCV gives them -> how they become RGB."""
_TOPS = (1.0, 255.0, 65535.0)
_END = b"\xff\xd9"
"""Marker at the end of a JPEG."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Seen:
    """What a picture file gives."""

    pixels: Pixels
    header: Header
    warning: str


def read_image(source: Source, *, id: str | None = None, path: str = "") -> Record:
    """Return a picture file as a Record.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        id: its name; by default that of the file without its suffix.
        path: what to call it where `source` is a callable.

    Returns:
        One Image; `meta` holds `path` and, where there is such, `warning`: it is broken off, or it moves and only its
        first picture was read, or it was made smaller as it was read, and by how much.

    Raises:
        UnreadableError: there is no such file, it is no picture, it is broken, or too large.
    """
    seen = _seen(source, path)
    where = clean(path or (str(source) if isinstance(source, str | Path) else ""))
    signal = Image(None, where, (seen.pixels.shape[1], seen.pixels.shape[0]), partial(_pixels, source, path))
    meta = {"path": where} | ({"warning": seen.warning} if seen.warning else {})
    return Record(id if id is not None else Path(where).stem or "picture", (signal,), meta=meta)


def _pixels(source: Source, path: str) -> Pixels:
    return _seen(source, path).pixels


def _seen(source: Source, path: str) -> _Seen:
    called = name(source, path)
    data = bytes_of(source, path, BYTES)
    about = header(data)
    if about is None:
        raise UnreadableError(
            f"{called} is no picture inside, whatever its name says; check what it is, or save it anew"
        )
    less = _checked(about, called)
    decoded = _first(data) if about.kind == "gif" else _decoded(data + _END if about.cut else data, less)
    if decoded is None:
        raise UnreadableError(f"{called} begins as a {about.kind} picture, but is broken off or damaged; save it anew")
    warnings = [f"{called} is broken off: what is missing of it is grey"] if about.cut else []
    if about.moves:
        warnings.append(f"{called} moves, and only its first picture is read; save it as .gif or .mp4 to read them all")
    if less > 1:
        warnings.append(f"{called} has {about.width:,} x {about.height:,} pixels, and is read at 1/{less} of its size")
    return _Seen(_upright(_plain(decoded), about.orientation), about, "; ".join(warnings))


def _checked(about: Header, called: str) -> int:
    """Return by how much a picture must be made smaller, or refuse it, before it takes any memory."""
    if about.kind == "heic" or (about.kind == "avif" and not cv2.haveImageWriter("a.avif")):
        raise UnreadableError(
            f"{called} is a {about.kind.upper()} picture, which nobody here decodes; save it as .jpg or .png"
        )
    if about.flaw:
        raise UnreadableError(f"{called} {about.flaw}; save it anew")
    count = about.width * about.height
    if count == 0:
        raise UnreadableError(
            f"{called} begins as a {about.kind} picture, but says no size; it is damaged: save it anew"
        )
    if count <= PIXELS:
        return 1
    if about.kind == "jpeg" and not about.progressive and count <= REDUCED:
        return next(less for less in _REDUCED if count <= PIXELS * less * less)
    raise UnreadableError(
        f"{called} says that it has {about.width:,} x {about.height:,} pixels; a picture of at most {PIXELS:,} is "
        "read: make it smaller"
    )


def _decoded(data: bytes, less: int) -> Array | None:
    """Return what OpenCV makes of it, as it is stored; None where it is broken."""
    flags = cv2.IMREAD_UNCHANGED if less == 1 else _REDUCED[less] | cv2.IMREAD_IGNORE_ORIENTATION
    level = cv2.getLogLevel()
    cv2.setLogLevel(0)  # what it would print is said in our sentence
    try:
        decoded: Array | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (cv2.error, MemoryError):
        return None
    finally:
        cv2.setLogLevel(level)
    return decoded if decoded is not None and decoded.size else None


def _first(data: bytes) -> Array | None:
    """Return what PyAV makes of the first picture of a GIF, which not every OpenCV reads; None where it is broken."""
    try:
        with av.open(io.BytesIO(data), "r") as container:
            shown = next(container.decode(video=0), None)
            return None if shown is None else np.asarray(shown.to_ndarray(format="bgra"), np.uint8)
    except (av.error.FFmpegError, OSError, ValueError, IndexError, MemoryError):
        return None


def _plain(decoded: Array) -> Pixels:
    """Return height x width x 3 in RGB, uint8, of what has one to four channels of any number."""
    eight = _eight(decoded if decoded.ndim == 3 else decoded[:, :, None])
    channels = eight.shape[2]
    colours = np.asarray(cv2.cvtColor(eight if channels > 2 else eight[:, :, 0], _TO_RGB[channels]), np.uint8)
    if channels in (1, 3) or eight[:, :, -1].min() == 255:
        return colours
    alpha = cv2.cvtColor(eight[:, :, -1], cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.add(cv2.multiply(colours, alpha, scale=1 / 255), cv2.bitwise_not(alpha)), np.uint8)


def _eight(decoded: Array) -> Pixels:
    if decoded.dtype == np.uint8:
        return decoded
    if decoded.dtype == np.uint16:
        return np.floor_divide(decoded, 257, out=decoded).astype(np.uint8)
    values = np.nan_to_num(decoded.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(values.max())
    top = next((top for top in _TOPS if highest <= top), highest)
    return np.asarray(np.clip(values / top, 0, 1) * 255 + 0.5, np.uint8)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return a picture as EXIF says that it is to be seen (EXIF 2.3, tag 274)."""
    if orientation == UPRIGHT:
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
