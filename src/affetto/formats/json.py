"""JSON (.json): one Record, or a list of them, whole, in the schema affetto-record-1.

Reads the whole file at once: for many Records there is `jsonl`. Knows files; `core.plain` knows the schema.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from affetto.core import plain
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.formats import jsonl
from affetto.formats.finding import find_space
from affetto.formats.growing import whole
from affetto.formats.labelstudio_reading import is_task, read_records

LARGEST = 1 << 29
"""Bytes of the largest file that is read."""


def read(path: str | Path) -> Iterator[Record]:
    """Read the Record, or each of the Records, of a file; tasks of Label Studio are read as `labelstudio` does.

    Raises:
        UnreadableError: there is no such file, it is no JSON, or no Record inside.
    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > LARGEST:
            raise UnreadableError(f"{name} is larger than {LARGEST >> 20} MB and must be read whole; use .jsonl")
        held = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None
    said = jsonl.parse(held, name)
    found = said if isinstance(said, list) else [said]
    if found and all(map(is_task, found)):
        yield from read_records(path)
        return
    for i, one in enumerate(found):
        try:
            yield plain.to_record(one, find_space)
        except MalformedError as error:
            raise UnreadableError(f"entry {i} of {name} is no Record: {error}") from None


def write(records: Record | Iterable[Record], path: str | Path) -> None:
    """Write one Record as an object, or several as a list, a line each."""
    with whole(path) as file:
        if isinstance(records, Record):
            file.writelines(jsonl.pieces(records))
            return
        file.write(b"[")
        between = b"\n"
        for record in records:
            file.write(between + jsonl.encode(record).rstrip())
            between = b",\n"
        file.write(b"\n]\n")


def appender(columns: Sequence[str] = ()) -> jsonl.Rewriting:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return jsonl.Rewriting(write)
