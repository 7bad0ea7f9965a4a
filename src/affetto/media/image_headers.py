"""What the first bytes of a picture say: its kind, how large it is, which way it is up, whether it moves.

Nothing is decoded, so that a picture of a few bytes that claims a billion pixels is known before it takes any memory.
The bytes alone say what it is, whatever the name of the file. Knows JPEG, PNG, GIF, WebP, BMP, TIFF, AVIF, JPEG 2000
and PNM; tells HEIC, which nobody here decodes.
"""

import re
import struct
import zlib
from dataclasses import dataclass

HEAD = 1 << 12
"""Bytes that are enough to tell whether a file is a picture."""
UPRIGHT = 1
"""The first of the eight ways to lie that TIFF and EXIF number (tag 274)."""
_TURNED = {0: 1, 1: 8, 2: 3, 3: 6}
"""Quarter turns against the clock, as AVIF's `irot` counts them -> the EXIF orientation that asks for them."""
_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_NO_SIZE = {0xC4, 0xC8, 0xCC}
"""JPEG markers in 0xC0..0xCF that are no start of a frame."""
_PNM = re.compile(rb"P([1-6])(?:\s+|#[^\n]*\n)+(\d{1,9})(?:\s+|#[^\n]*\n)+(\d{1,9})\s")


@dataclass(frozen=True)
class Header:
    """What a picture says of itself."""

    kind: str
    """`jpeg`, `png`, `gif`, `webp`, `bmp`, `tiff`, `avif`, `jp2`, `pnm`, or `heic`."""
    width: int = 0
    """Pixels as they are stored, before it is turned; 0 where the header is broken."""
    height: int = 0
    orientation: int = UPRIGHT
    """1..8 as EXIF numbers them; what must still be done after decoding."""
    moves: bool = False
    """It says that it has several pictures, to be shown one after the other; a GIF does not say."""
    progressive: bool = False
    """A JPEG that is decoded whole, not row by row."""
    cut: bool = False
    """A JPEG whose end is missing."""
    flaw: str = ""
    """What is broken, where that can be seen without decoding."""


def kind_of(head: bytes) -> str | None:
    """Return the kind of a picture by its first bytes (`HEAD` are enough), or None for what is no picture.

    >>> kind_of(b"GIF89a") , kind_of(b"Dear diary")
    ('gif', None)
    """
    for start, kind in (
        (b"\xff\xd8\xff", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
        (b"II+\0", "tiff"),
        (b"MM\0+", "tiff"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
        (b"\xff\x4f\xff\x51", "jp2"),
    ):
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and head[14:18] in _BMP:
        return "bmp"
    if head[4:8] == b"ftyp":
        brands = head[8 : min(HEAD, int.from_bytes(head[:4], "big"))]
        still = {brands[at : at + 4] for at in range(0, len(brands), 4)}
        return (
            "avif" if still & {b"avif", b"avis"} else "heic" if still & {b"heic", b"heix", b"mif1", b"msf1"} else None
        )
    return "pnm" if _PNM.match(head) else None


_BMP = {struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124)}


def header(data: bytes) -> Header | None:
    """Return what a picture says of itself; None for what is no picture. A broken header gives a size of 0 x 0."""
    kind = kind_of(data[:HEAD])
    if kind is None:
        return None
    try:
        return _READERS[kind](data)
    except (struct.error, IndexError, ValueError):
        return Header(kind)


def _jpeg(data: bytes) -> Header:
    at, orientation = 2, UPRIGHT
    while True:
        if data[at] != 0xFF:
            return Header("jpeg")
        marker = data[at + 1]
        if marker in (0x01, 0xFF) or 0xD0 <= marker <= 0xD8:  # fill bytes, and markers without a length
            at += 1 if marker == 0xFF else 2
            continue
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _tags(data[at + 10 : at + 2 + size]).get(_ORIENTATION, UPRIGHT)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            height, width = struct.unpack_from(">HH", data, at + 5)
            whole = marker not in (0xC0, 0xC1)
            return Header(
                "jpeg", width, height, _way(orientation), progressive=whole, cut=data.find(b"\xff\xd9", at) < 0
            )
        at += 2 + size


def _png(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    at, orientation, moves, flaw, ended = 8, UPRIGHT, False, "", False
    while at + 8 <= len(data) and not (flaw or ended):
        size, name = struct.unpack_from(">I4s", data, at)
        body = memoryview(data)[at + 4 : at + 8 + size]
        if len(data) < at + 12 + size:
            break
        if not name[0] & 0x20 and zlib.crc32(body) != int.from_bytes(data[at + 8 + size : at + 12 + size], "big"):
            flaw = "is damaged: the checksum of a part of it is wrong"
        moves = moves or (name == b"acTL" and int.from_bytes(body[4:8], "big") > 1)
        if name == b"eXIf":
            orientation = _tags(bytes(body[4:])).get(_ORIENTATION, UPRIGHT)
        ended = name == b"IEND"
        at += 12 + size
    return Header("png", width, height, _way(orientation), moves, flaw=flaw or ("" if ended else "is broken off"))


def _gif(data: bytes) -> Header:
    width, height = struct.unpack_from("<HH", data, 6)
    return Header("gif", width, height)


def _webp(data: bytes) -> Header:
    name = data[12:16]
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("webp", width & 0x3FFF, height & 0x3FFF)
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if name != b"VP8X":
        return Header("webp")
    width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    at, orientation = 12, UPRIGHT
    while at + 8 <= len(data):
        chunk, size = struct.unpack_from("<4sI", data, at)
        if chunk == b"EXIF":
            exif = data[at + 8 : at + 8 + size].removeprefix(b"Exif\0\0")
            orientation = _tags(exif).get(_ORIENTATION, UPRIGHT)
        at += 8 + size + size % 2
    return Header("webp", width, height, _way(orientation), bool(data[20] & 2))


def _bmp(data: bytes) -> Header:
    if data[14] == 12:
        return Header("bmp", *struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    return Header("bmp", abs(width), abs(height))


def _tiff(data: bytes) -> Header:
    tags = _tags(data)  # its orientation is applied by the decoder
    return Header("tiff", tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0))


def _avif(data: bytes) -> Header:
    kind = kind_of(data[:HEAD]) or "avif"
    sizes = [struct.unpack_from(">II", data, found.end() + 4) for found in re.finditer(b"ispe", data[: 1 << 16])]
    turned = re.search(b"\0\0\0\x09irot(.)", data[: 1 << 16], re.DOTALL)
    orientation = _TURNED[turned[1][0] & 3] if turned else UPRIGHT
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header(kind, width, height, orientation, data[8:12] == b"avis")


def _jp2(data: bytes) -> Header:
    at = data[: 1 << 12].find(b"\xff\x4f\xff\x51")
    right, below, left, above = struct.unpack_from(">IIII", data, at + 8) if at >= 0 else (0, 0, 0, 0)
    return Header("jp2", max(0, right - left), max(0, below - above))


def _pnm(data: bytes) -> Header:
    found = _PNM.match(data[:HEAD])
    return Header("pnm", int(found[2]), int(found[3])) if found else Header("pnm")


def _tags(data: bytes) -> dict[int, int]:
    """Return the whole numbers of the first directory of a TIFF, or of EXIF, which is one; what is broken is left out.

    After TIFF 6.0 (1992); BigTIFF's offsets and counts have eight bytes.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    tags: dict[int, int] = {}
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        first, step, value = (at + 8, 20, 12) if big else (at + 2, 12, 8)
        for entry in range(first, first + step * min(count, 4096), step):
            tag, form = struct.unpack_from(order + "HH", data, entry)
            if form in _WHOLE:
                (tags[tag],) = struct.unpack_from(order + _WHOLE[form], data, entry + value)
    except struct.error:
        return tags
    return tags


_WHOLE = {1: "B", 3: "H", 4: "I", 16: "Q"}


def _way(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else UPRIGHT


_READERS = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "webp": _webp,
    "bmp": _bmp,
    "tiff": _tiff,
    "avif": _avif,
    "heic": _avif,
    "jp2": _jp2,
    "pnm": _pnm,
}
