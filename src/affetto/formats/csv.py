"""CSV and TSV (.csv, .tsv): wide tables for reading, long ones that give the Tracks back.

Numbers of wide tables have six digits; a `long` one, and JSON, have all. Cells of the input stand as they were, also
one that begins with `=`, which a spreadsheet takes for a formula: import tables of strangers as text. Knows files;
`wide` and `long` know what stands in them.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.formats import long, wide
from affetto.formats.growing import GrowingFile, whole, write_by

Shape = Literal["wide", "long"]
SHAPES: tuple[Shape, ...] = ("wide", "long")
_LONGEST = 1 << 26


def read(path: str | Path) -> Iterator[Record]:
    """Read the Records and Tracks of a long table. To read a table with a column of words there is `media`.

    Raises:
        UnreadableError: there is no such file, or it is no long table.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
            table = csv.DictReader(file, delimiter=_delimiter(path), strict=True)
            if list(table.fieldnames or ()) != list(long.COLUMNS):
                raise UnreadableError(not_long(path.name))
            yield from long.records((_typed(row) for row in table), path.name)
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(f"{path.name} is no long table: {error}") from None


def write(records: Iterable[Record], path: str | Path, shape: Shape = "wide", columns: Sequence[str] = ()) -> None:
    """Write Records as a table.

    Args:
        records: any number of them.
        path: the file; .tsv has tabs between its cells.
        shape: a line a Record, or a line a number.
        columns: the columns of the input, where no Record could tell.
    """
    write_by(appender(columns, shape), records, Path(path))


def appender(columns: Sequence[str] = (), shape: Shape = "wide") -> "_Table":
    """Return what writes the lines of Records as they come.

    Raises:
        UnknownNameError: the shape is neither wide nor long.
    """
    if shape not in SHAPES:
        raise UnknownNameError("shape of table", shape, SHAPES)
    return _Wide(columns) if shape == "wide" else _Long()


def not_long(name: str) -> str:
    """Say that a table cannot be read back."""
    return (
        f"{name} is no long table of Affetto, so its Tracks cannot be read back; "
        "write with shape='long' or to .jsonl for that, and read tables of words with affetto.media"
    )


class _Table(GrowingFile):
    """Lines of cells."""

    _cells = ","

    def open(self, path: Path, offset: int, state: Mapping[str, Any]) -> None:
        """Open the growing file; its name says what stands between the cells."""
        self._cells = _delimiter(path)
        super().open(path, offset, state)

    def lines(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """Return the bytes of rows of cells."""
        held = list(rows)
        text = io.StringIO()
        csv.writer(text, delimiter=self._cells, lineterminator="\n").writerows(held)
        if "\r" in text.getvalue():  # which csv quotes only where it is part of the line end
            text = io.StringIO()
            csv.writer(text, delimiter=self._cells, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(held)
        return text.getvalue().encode("utf-8", "backslashreplace")


class _Wide(_Table):
    def __init__(self, columns: Sequence[str]) -> None:
        self._sheet = wide.Sheet(columns)

    def state(self) -> dict[str, Any]:
        return self._sheet.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._sheet.restore(state)

    def encode(self, records: Sequence[Record]) -> bytes:
        new = [line for record in records for line in wide.lines(record)]
        begun = bool(self._sheet.order)
        rows = self._sheet.take(new)
        answers = [group == "out" for group, _ in self._sheet.order]
        cells = (
            [x if type(x) is str else _cell(x, answer) for x, answer in zip(row, answers, strict=True)] for row in rows
        )
        return (b"" if begun else self.lines([self._sheet.header()])) + self.lines(cells)

    def finish(self, path: Path, out: Path) -> None:
        """Rename the file; where columns came late, or no line at all, write it once more with its last header."""
        if self._sheet.settled:
            return super().finish(path, out)
        places, header = self._sheet.places(), self._sheet.header()
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
        with path.open(encoding="utf-8", newline="") as file, whole(out) as fresh:
            fresh.write(self.lines([header]))
            rows = csv.reader(file, delimiter=self._cells)
            next(rows, None)
            for row in rows:
                fresh.write(self.lines([[row[i] if i < len(row) else "" for i in places]]))
        path.unlink()
        return None


class _Long(_Table):
    _number = 0

    def state(self) -> dict[str, Any]:
        return {"number": self._number}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._number = int(state["number"])

    def encode(self, records: Sequence[Record]) -> bytes:
        rows: list[list[Any]] = [] if self._number else [list(long.COLUMNS)]
        for self._number, record in enumerate(records, self._number + 1):  # noqa: B020 - it counts on
            rows += (
                [_cell(line.get(name), False) for name in long.COLUMNS] for line in long.lines(self._number, record)
            )
        return self.lines(rows)

    def finish(self, path: Path, out: Path) -> None:
        """Rename the file; without any Record it still has a header."""
        if not self._number:
            path.write_bytes(self.lines([list(long.COLUMNS)]))
        super().finish(path, out)


def _cell(value: Any, answer: bool) -> Any:
    if value is None:
        return ""
    if type(value) is float:
        return f"{value:.6g}" if answer else repr(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _typed(row: Mapping[str, str | None]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise ValueError("a line has other cells than the header")
    return {name: kind(cell) if (cell := row[name]) else None for name, kind in long.COLUMNS.items()}


def _delimiter(path: Path) -> str:
    name = path.name.removesuffix(".part")
    return "\t" if name.lower().endswith(".tsv") else ","
