"""What the first bytes of a sound file say: its rate, its channels, its length.

Knows RIFF WAVE and MPEG layer III; decodes no sound. A WAVE file of 44 bytes and some silence can be written, for
corpora that are made up.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from affetto.core.errors import UnreadableError

_HEAD = 1 << 16
"""Bytes looked at."""
_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Version bits of an MPEG frame -> samples a second, by its rate bits (ISO 11172-3, 13818-3; 2.5 by Fraunhofer)."""


@dataclass(frozen=True)
class Sound:
    """The facts of a sound file."""

    rate: float
    """Samples a second."""
    channels: int
    duration: float
    """Seconds; NaN where the header does not say."""


def header(path: Path) -> Sound:
    """Return what the header of a `.wav` or `.mp3` file says.

    Raises:
        UnreadableError: the file is neither, or its header is broken.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    try:
        return _wave(head, path.stat().st_size) if path.suffix.lower() == ".wav" else _mpeg(head, path)
    except (struct.error, ValueError, IndexError, ZeroDivisionError):
        raise UnreadableError(
            f"{path.name} does not begin as a {path.suffix[1:]} file does; take it anew from the corpus"
        ) from None


def silence(path: Path, seconds: float = 0.1, rate: int = 16000) -> None:
    """Write a WAVE file of silence, 16 bit, one channel, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 2 * round(seconds * rate)
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size) + bytes(size)
    )


def _wave(head: bytes, size: int) -> Sound:
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError
    at, rate, channels, width = 12, 0, 0, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"fmt ":
            channels, rate, _, width = struct.unpack_from("<HIIH", head, at + 10)
        if name == b"data":
            return Sound(rate, channels, min(length, size - at - 8) / width / rate)
        at += 8 + length + length % 2
    if not rate:
        raise ValueError
    return Sound(rate, channels, math.nan)


def _mpeg(head: bytes, path: Path) -> Sound:
    at = 0
    if head[:3] == b"ID3":
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        if at + 4 > len(head):
            with path.open("rb") as file:
                file.seek(at)
                head, at = file.read(4), 0
    sync, version, layer = head[at] == 0xFF and head[at + 1] >> 5 == 7, head[at + 1] >> 3 & 3, head[at + 1] >> 1 & 3
    if not sync or layer != 1 or head[at + 2] >> 2 & 3 == 3 or version not in _MPEG_RATES:
        raise ValueError
    return Sound(_MPEG_RATES[version][head[at + 2] >> 2 & 3], 1 if head[at + 3] >> 6 == 3 else 2, math.nan)
