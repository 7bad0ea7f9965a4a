"""One door for all files: `read` chooses by the suffix and yields Records one by one.

Knows which suffix is read by whom; knows no format itself.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.media.lines import Lines
from affetto.media.parquet import Parquet
from affetto.media.subtitles import read_subtitles
from affetto.media.tables import Columns, read_delimited, read_jsonl
from affetto.media.text import read_lines, read_whole

SUFFIXES: dict[str, str] = {
    ".txt": "a text, or one text a line",
    ".srt": "subtitles: turns with seconds",
    ".vtt": "subtitles: turns with seconds",
    ".csv": "a table, one Record a row",
    ".tsv": "a table, one Record a row",
    ".jsonl": "an object a line, one Record each",
    ".ndjson": "an object a line, one Record each",
    ".parquet": "a table, one Record a row",
}
"""Suffix -> what it is, for lists."""


class _Measured(Protocol):
    """What knows how far it has been read."""

    total: int | None

    @property
    def position(self) -> int: ...


class Reading(Iterator[Record]):
    """Records as they come, and how far they have come.

    `run.batch` looks at `position` and `total` to tell the progress; a plain iterator does as well, without.
    """

    def __init__(self, records: Iterable[Record], measured: _Measured, columns: tuple[str, ...] = ()) -> None:
        """Wrap Records."""
        self._records = iter(records)
        self._measured = measured
        self.columns = columns
        """The columns of a table, in order; empty for other files."""

    @property
    def total(self) -> int | None:
        """Bytes of the input; None where nobody knows (stdin)."""
        return self._measured.total

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._measured.position

    def __next__(self) -> Record:
        """Return the next Record."""
        return next(self._records)


def read(
    path: str | Path,
    column: Columns | None = None,
    *,
    id_column: str | None = None,
    lines: bool = False,
    turns: bool | None = None,
    suffix: str | None = None,
    encoding: str | None = None,
) -> Reading:
    """Read a file, or stdin for `-`, as Records, one by one.

    What can be known at once is checked at once: the file, its suffix, its columns. A row that cannot be read never
    stops the others: it comes, in its place, as a Record without signals whose `meta["error"]` is one sentence.
    In tables `meta["row"]` keeps the columns of the input as they were, `meta["number"]` the number of the row from 1.

    Args:
        path: the file; `-` is stdin.
        column: the column of a table that holds the words; by default `text`, or the only one there is. Several give
            Records of several fields: a Text each, and `meta["fields"]` says which characters they are.
        id_column: the column that names the Records; by default `id` where there is one, else the number of the row.
        lines: a .txt (or stdin) is one Record a line, not one in all.
        turns: a .txt is a dialogue of `Name: words` lines; None: only where that is unmistakable; False: never.
        suffix: read it as if its name ended so (`.csv`); for stdin by default `.txt`.
        encoding: how its characters are written; by default UTF-8, or UTF-16 where the file begins so.

    Raises:
        UnreadableError: there is no such file, its suffix is unknown, or it is no such file inside.
        UnknownNameError: no column is called so; names those there are.
        MissingExtraError: reading it needs a part that is not installed.
    """
    kind = (suffix or (".txt" if str(path) == "-" else Path(path).suffix)).lower()
    if kind not in SUFFIXES:
        raise UnreadableError(
            f"{str(path)!r} ends in {kind!r}, which nobody here reads; known: {', '.join(SUFFIXES)}; "
            "say suffix='.txt' (or another) if it is one inside"
        )
    if kind == ".parquet":
        table = Parquet(path, column, id_column)
        return Reading(table, table, table.columns)
    opened = Lines(path, encoding)
    try:
        if kind in (".csv", ".tsv"):
            columns, records = read_delimited(opened, kind == ".tsv", column, id_column)
        elif kind in (".jsonl", ".ndjson"):
            columns, records = read_jsonl(opened, column, id_column)
        elif kind == ".txt":
            columns, records = (), read_lines(opened) if lines else read_whole(opened, path, turns)
        else:
            columns, records = (), read_subtitles(opened, path)
    except BaseException:
        opened.close()
        raise
    return Reading(records, opened, columns)
