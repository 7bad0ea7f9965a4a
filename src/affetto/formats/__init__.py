"""Records to files and back, one module a format. Knows which suffix belongs to which; knows no model.

Each module has `read(path)`, `write(records, path)` and `appender()`, the last for batches (`run.batch`).
"""

import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, cast

from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.roles import Appender

FORMATS: dict[str, str] = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".emotionml": "emotionml",
    ".xml": "emotionml",
    ".textgrid": "textgrid",
    ".rttm": "rttm",
    ".audformat": "audformat",
}
"""Suffix -> module of this folder."""

TITLES: dict[str, str] = {
    "json": "one Record, or a list of them, whole (affetto-record-1)",
    "jsonl": "one Record a line, whole (affetto-record-1)",
    "csv": "a table: wide (a line a post or turn, input columns kept) or long (a line a number)",
    "parquet": "a table with types: wide or long",
    "emotionml": "EmotionML 1.0 of the W3C",
    "textgrid": "TextGrid of Praat: tiers of labels along a recording",
    "rttm": "RTTM: lines of who speaks when, in which emotion",
    "audformat": "a folder in audformat: a header and tables of labelled segments",
}
"""Module -> one line for lists."""


class Format(Protocol):
    """What every module of this folder can do."""

    def read(self, path: str | Path) -> Iterator[Record]:
        """Read Records, one by one."""
        ...

    def write(self, records: Iterable[Record], path: str | Path) -> None:
        """Write Records to a file, atomically."""
        ...

    def appender(self, columns: Sequence[str] = ()) -> Appender:
        """Return what writes Records as they come; those of `csv` and `parquet` take a `shape`, wide or long, too.

        Args:
            columns: the columns of the input (`media.files.read(...).columns`), so that a table that turns out to have
                no rows, or broken first rows, still has its header.
        """
        ...


def by_path(path: str | Path) -> Format:
    """Return the format that the suffix of a path asks for, and import it only now.

    Raises:
        UnknownNameError: no format has that suffix; names those there are.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UnknownNameError("format", suffix or Path(path).name, FORMATS)
    return by_name(FORMATS[suffix])


def by_name(name: str) -> Format:
    """Return a format by the name of its module.

    Raises:
        UnknownNameError: there is none of that name; names those there are.
    """
    if name not in TITLES:
        raise UnknownNameError("format", name, TITLES)
    return cast(Format, importlib.import_module(f"{__name__}.{name}"))
