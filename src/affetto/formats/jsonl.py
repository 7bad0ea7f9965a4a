"""JSON lines (.jsonl): one Record a line, whole, in the schema affetto-record-1. The best form for batches.

What JSON cannot hold is brought to what it can: NaN in `meta` to null, numpy numbers to numbers, anything else to its
text. Half characters (lone surrogates) survive as escapes. Knows files; `core.plain` knows the schema.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affetto.core import plain
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.formats.finding import find_space
from affetto.formats.growing import GrowingFile, whole

LONGEST = 1 << 28
"""Bytes of the longest line that is read."""


def read(path: str | Path) -> Iterator[Record]:
    """Read Records, one by one. To read hostile lines, or a table with a column of words, there is `media`.

    Raises:
        UnreadableError: there is no such file, or a line is no Record; says which.
    """
    name = Path(path).name
    try:
        with Path(path).open("rb") as file:
            lines = iter(lambda: file.readline(LONGEST + 1), b"")
            for number, line in enumerate(lines, 1):
                if len(line) > LONGEST:
                    raise UnreadableError(f"line {number} of {name} is longer than {LONGEST >> 20} MB; split it")
                if line.strip():
                    yield decode(line, f"line {number} of {name}")
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records, a line each."""
    with whole(path) as file:
        for record in records:
            file.write(encode(record))


class Appender(GrowingFile):
    """Writes Records to the end of a growing file, a line each."""

    def encode(self, records: Sequence[Record]) -> bytes:
        """Return the lines of Records."""
        return b"".join(map(encode, records))

    def append(self, records: Sequence[Record]) -> None:
        """Write Records, none of them whole in memory."""
        for record in records:
            self._opened().writelines(pieces(record))


class Rewriting(Appender):
    """Grows as lines, of which another format's file is made when all are there."""

    def __init__(self, write: Callable[[Iterable[Record], Path], None]) -> None:
        """Take what writes Records in that format."""
        self._write = write

    def finish(self, path: Path, out: Path) -> None:
        """Make the file of the lines, and remove them."""
        self._write(read(path), out)
        path.unlink()


def appender(columns: Sequence[str] = ()) -> Appender:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return Appender()


def encode(record: Record) -> bytes:
    """Return a Record as one line of JSON in UTF-8.

    Raises:
        MalformedError: it holds what has no place in JSON, such as an image without a path.
    """
    return b"".join(pieces(record))


def pieces(record: Record) -> Iterator[bytes]:
    """Yield the line of a Record piece by piece, a Track at a time: the numbers of hours of film would not fit at once.

    Raises:
        MalformedError: as `encode`.
    """
    frame = plain.from_record(record.blind())
    meta = frame.pop("meta")
    frame.pop("tracks")
    yield dump(frame)[:-1] + b', "tracks": ['
    for number, track in enumerate(record.tracks):
        yield (b", " if number else b"") + dump(plain.from_track(track))
    yield b'], "meta": ' + dump(meta) + b"}\n"


def decode(line: bytes | str, where: str) -> Record:
    """Return the Record of a line of JSON.

    Raises:
        UnreadableError: it is no JSON, or no Record; says `where`.
    """
    try:
        return plain.to_record(parse(line, where), find_space)
    except MalformedError as error:
        raise UnreadableError(f"{where} is no Record: {error}") from None


def dump(value: Any, ascii: bool = False) -> bytes:
    """Return JSON in UTF-8 (or ASCII) on one line, never with NaN or infinity in it."""
    try:
        text = json.dumps(value, ensure_ascii=ascii, allow_nan=False, default=_odd)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=ascii, allow_nan=False, default=_odd)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(_finite(value), default=_odd).encode("ascii")


def parse(said: bytes | str, where: str) -> Any:
    """Return the value that JSON says.

    Raises:
        UnreadableError: it is no JSON, or nested too deep; says `where`.
    """
    try:
        text = said.decode("utf-8-sig") if isinstance(said, bytes) else said
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise UnreadableError(f"{where} is nested too deep to be read") from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{where} is no UTF-8 (byte {error.start}); save it as UTF-8") from None
    except ValueError as error:
        raise UnreadableError(f"{where} is no JSON: {error}") from None


def _odd(value: Any) -> Any:
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return _finite(item())
    if isinstance(value, Mapping):
        return dict(value)
    return [*value] if isinstance(value, set | frozenset | tuple) else str(value)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value
