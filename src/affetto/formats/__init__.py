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
from affetto.formats.finding import layout

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
    ".eaf": "eaf",
    ".rttm": "rttm",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".labelstudio.json": "labelstudio",
    ".audformat": "audformat",
    ".openface.csv": "openface",
    ".pyfeat.csv": "pyfeat",
    ".livelink.csv": "arkit",
}
"""Suffix -> module of this folder; of two that fit a name, the longer counts."""

TITLES: dict[str, str] = {
    "json": "one Record, or a list of them, whole (affetto-record-1)",
    "jsonl": "one Record a line, whole (affetto-record-1)",
    "csv": "a table: wide (a line a post or turn, input columns kept) or long (a line a number)",
    "parquet": "a table with types: wide or long",
    "emotionml": "EmotionML 1.0 of the W3C",
    "textgrid": "TextGrid of Praat: tiers of labels along a recording",
    "eaf": "ELAN: a tier a person and channel along a recording",
    "subtitles": "subtitles whose cues name the speaker and the feeling",
    "labelstudio": "tasks of Label Studio: models' answers to be corrected, and raters' annotations",
    "rttm": "RTTM: lines of who speaks when, in which emotion",
    "audformat": "a folder in audformat: a header and tables of labelled segments",
    "openface": "faces in the columns of OpenFace 2",
    "pyfeat": "faces in the columns of Py-Feat 2",
    "arkit": "one face as curves of ARKit, as Live Link Face writes them",
}
"""Module -> one line for lists."""


_LONGEST_HEADER = 1 << 20


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
    known = suffix(path)
    if known not in FORMATS:
        raise UnknownNameError("format", known or Path(path).name, FORMATS)
    return by_name(FORMATS[known])


def suffix(path: str | Path) -> str:
    """Return the suffix that names the format of a path, in lower case: the last two parts where these are known.

    >>> suffix("talk.OpenFace.csv"), suffix("talk.1.csv")
    ('.openface.csv', '.csv')
    """
    parts = [part.lower() for part in Path(path).suffixes]
    double = "".join(parts[-2:])
    return double if double in FORMATS else "".join(parts[-1:])


def for_reading(path: str | Path) -> Format:
    """Return the format of a file that is there: that of its suffix, or of a table's first line where that names one.

    Raises:
        UnknownNameError: no format has that suffix; names those there are.
    """
    known = suffix(path)
    found = layout(_header(Path(path), known)) if known in (".csv", ".tsv", ".parquet") else ""
    return by_name(found) if found else by_path(path)


def _header(path: Path, known: str) -> list[str]:
    """Return the names of a table's columns; none where it cannot be read, which its format will say better."""
    try:
        if known == ".parquet":
            from pyarrow import parquet  # noqa: PLC0415 - an extra

            return list(parquet.read_schema(path).names)
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline(_LONGEST_HEADER).replace('"', "").split("\t" if known == ".tsv" else ",")
    except (ImportError, OSError, ValueError):
        return []


def by_name(name: str) -> Format:
    """Return a format by the name of its module.

    Raises:
        UnknownNameError: there is none of that name; names those there are.
    """
    if name not in TITLES:
        raise UnknownNameError("format", name, TITLES)
    return cast(Format, importlib.import_module(f"{__name__}.{name}"))
