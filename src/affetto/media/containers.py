"""Media files opened without trust: any container that holds sound or film, and nothing that leads elsewhere.

A file is opened by Python and handed over as a stream without a name, so its content alone says what it is. No
container may open another file or an address, and formats that are lists of other files (HLS, DASH, concat) are
refused. Knows how to open; decodes nothing.
"""

import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av

from affetto.core.errors import MalformedError, UnreadableError

Source = str | Path | Callable[[], BinaryIO]
"""A path, or what opens a binary file anew each time it is called (a clip inside a zip)."""
BROKEN = (av.FFmpegError, OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)
"""What a damaged file raises while it is read."""
BUFFER = 1 << 16
"""Bytes asked of a file at a time."""
SPAN = 1e8
"""Seconds beyond which a time in a header is nonsense."""
_FORMATS = (
    "aac ac3 aiff amr ape apng asf au avi caf dsf dts dv eac3 flac flv gif ivf latm loas matroska mov mp3 mpc mpc8 "
    "mpeg mpegts mxf nistsphere nut ogg rm sox spx tak tta voc w64 wav webm wv"
).replace(" ", ",")


def name(source: Source, path: str = "") -> str:
    """Return what to call a source in a sentence."""
    return Path(path or source).name if path or isinstance(source, str | Path) else "this file"  # type: ignore[arg-type]


@contextmanager
def opened(source: Source, path: str = "") -> Iterator[tuple[Any, int]]:
    """Open a source; give its container (PyAV's) and its bytes, and close both in the end.

    Raises:
        UnreadableError: there is no such file, it is empty, or no film or sound inside.
    """
    called = name(source, path)
    with _binary(source, called) as file:
        size = _size(file, called)
        try:
            container = av.open(
                _Nameless(file),
                metadata_errors="replace",
                buffer_size=BUFFER,
                container_options={"format_whitelist": _FORMATS, "protocol_whitelist": "none"},
            )
        except BROKEN:
            raise UnreadableError(
                f"{called} is no picture, film or sound inside, whatever its name says, or broken off before its "
                "index; check what it is, or save it anew"
            ) from None
        with container:
            yield container, size


def bytes_of(source: Source, path: str = "", most: int = -1) -> bytes:
    """Return all bytes of a file.

    Raises:
        UnreadableError: there is no such file, it is empty or too large, or cannot be read.
    """
    called = name(source, path)
    with _binary(source, called) as file:
        size = _size(file, called)
        if 0 <= most < size:
            raise UnreadableError(
                f"{called} has {size:,} bytes; a picture of at most {most:,} is read: make it smaller"
            )
        try:
            return file.read()
        except BROKEN as error:
            raise UnreadableError(f"{called} cannot be read: {error}") from None


def head_of(source: Source, path: str, count: int) -> bytes:
    """Return the first bytes of a file.

    Raises:
        UnreadableError: there is no such file, it is empty, or cannot be read.
    """
    called = name(source, path)
    with _binary(source, called) as file:
        _size(file, called)
        try:
            return file.read(count)
        except BROKEN as error:
            raise UnreadableError(f"{called} cannot be read: {error}") from None


def seconds(container: Any) -> float:
    """Return when the container's clock starts, in its own seconds."""
    start = (container.start_time or 0) / av.time_base
    return start if abs(start) < SPAN else 0.0


def checked(since: float) -> None:
    """Refuse a beginning that is none.

    Raises:
        MalformedError: it is not a number of seconds from 0 on.
    """
    if not 0 <= since < SPAN:
        raise MalformedError(f"since wants seconds >= 0 from the start of the file, not {since}")


def rest_of(duration: float, since: float) -> float:
    """Return the seconds that are left of a duration from a second on; NaN where that is NaN."""
    return duration if math.isnan(duration) else max(0.0, duration - since)


def leapt(container: Any, second: float, stream: Any = None) -> bool:
    """Leap to a key frame before a second of the container's clock, as far as its index knows; tell whether it went.

    What is read next may yet lie later: whoever leaps looks where it is.
    """
    try:
        if stream is None:
            container.seek(int((second + seconds(container)) * av.time_base))
        else:
            container.seek(int((second + seconds(container)) / stream.time_base), stream=stream)
    except BROKEN:
        return False
    return True


class _Nameless(io.RawIOBase):
    """A binary file without its name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _binary(source: Source, called: str) -> BinaryIO:
    try:
        if callable(source):
            return source()
        if Path(source).is_dir():
            raise UnreadableError(f"{str(source)!r} is a folder; name one file in it")
        if Path(source).exists() and not Path(source).is_file():
            raise UnreadableError(f"{str(source)!r} is no file but a device or a pipe; save its sound to a file first")
        return Path(source).open("rb")
    except FileNotFoundError:
        hint = "save what is there to a file first" if "://" in str(source) else "check the path"
        raise UnreadableError(f"there is no file {str(source)!r}; {hint}") from None
    except UnreadableError:
        raise
    except BROKEN as error:
        why = getattr(error, "strerror", None) or error
        raise UnreadableError(f"{called} cannot be opened: {why}") from None


def _size(file: BinaryIO, called: str) -> int:
    try:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
    except BROKEN as error:
        raise UnreadableError(f"{called} cannot be read from its beginning: {error}") from None
    if size == 0:
        raise UnreadableError(f"{called} is empty: it holds not one byte; record or save it anew")
    return size
