"""Rows of .csv and .tsv, each on its own: what is broken in one row is that row's matter alone.

Python's csv module, given a quote that nobody closes, reads the rest of the file as one cell. Here a row may run over
several lines only where it is then well formed; else its first line is the broken row, and the next line begins anew.
In a .tsv a quote that makes no sense is a character like any other, as most corpora mean it; a table of one column has
no delimiter, so that commas in it are just commas. Lines with nothing on them are no rows. Knows cells, no Records.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from affetto.core.errors import UnreadableError
from affetto.media.lines import TooLong

DELIMITERS = (",", ";", "\t", "|")
_LONGEST_ROW = 1 << 25
"""Characters over which the lines of one row are sought."""


@dataclass(frozen=True)
class Broken:
    """A row that could not be read."""

    reason: str
    """The end of a sentence that begins with the row."""


class Delimited:
    """The header and the rows of a table."""

    def __init__(
        self, lines: Iterable[str], name: str, delimiter: str | None = None, column: str | None = None
    ) -> None:
        """Read the header.

        Args:
            lines: the lines of the file, with their ends.
            name: the file, for messages.
            delimiter: what stands between cells; by default what the header speaks for.
            column: a column that the header is known to have: helps to find the delimiter.

        Raises:
            UnreadableError: there is no header.
        """
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_ROW))
        self._lines = iter(lines)
        self._waiting: deque[str] = deque()
        self.delimiter = delimiter or ","
        header = self._first()
        if header[:4] == "sep=" and header[5:].strip() == "" and len(header) > 5:
            self.delimiter, header = header[4], self._first()
        elif delimiter is None:
            self.delimiter = _sniff(header, column)
        cells = self._row(header, 0)
        if not header or isinstance(cells, Broken):
            reason = cells.reason if isinstance(cells, Broken) else "is empty"
            raise UnreadableError(f"{name} has no header: its first line {reason}; a table begins with column names")
        self.columns = _unique(cells)

    def __iter__(self) -> Iterator[list[str | None] | Broken]:
        """Yield the rows: as many cells as columns, None for one that is missing at the end, or what is Broken."""
        width = len(self.columns)
        while (line := self._next()) is not None:
            if not line.strip("\r\n"):
                continue
            cells = self._row(line, width)
            if isinstance(cells, Broken) or len(cells) == width:
                yield cells  # type: ignore[misc]  # list[str] is what it promises, and nobody writes into it
            elif len(cells) < width:
                yield [*cells, *[None] * (width - len(cells))]
            elif width == 1:
                yield [line.rstrip("\r\n")]
            elif not any(cells[width:]):
                yield list(cells[:width])
            else:
                yield Broken(
                    f"has {len(cells)} cells where the header has {width}; put quotes around cells that hold "
                    f"{self.delimiter!r}"
                )

    def _first(self) -> str:
        while (line := self._next()) is not None:
            if line.strip():
                return line
        return ""

    def _next(self) -> str | None:
        return self._waiting.popleft() if self._waiting else next(self._lines, None)

    def _row(self, line: str, width: int) -> list[str] | Broken:
        if type(line) is TooLong:
            return Broken("is too long for a row; is a quote missing?")
        if '"' not in line:
            return line.rstrip("\r\n").split(self.delimiter)
        reader = csv.reader([line, ""], delimiter=self.delimiter, strict=True)
        try:
            return next(reader)
        except csv.Error:
            opened = reader.line_num > 1
        raw = line.rstrip("\r\n").split(self.delimiter)
        literal = width > 0 and len(raw) == width and (self.delimiter == "\t" or width == 1)
        if opened:
            return self._over_lines(line, raw if literal else None)
        if literal:
            return raw
        try:
            return next(csv.reader([line], delimiter=self.delimiter))
        except csv.Error as error:
            return Broken(f"is no row of cells ({error}); check its quotes")

    def _over_lines(self, line: str, raw: list[str] | None) -> list[str] | Broken:
        taken: list[str] = []

        def feed() -> Iterator[str]:
            yield line
            size = len(line)
            while size <= _LONGEST_ROW and (more := self._next()) is not None:
                taken.append(more)
                size += len(more)
                yield more

        try:
            cells = next(csv.reader(feed(), delimiter=self.delimiter, strict=True))
            if raw is None or any(len(x.rstrip("\r\n").split(self.delimiter)) != len(raw) for x in taken):
                return cells
        except csv.Error:
            pass
        self._waiting.extendleft(reversed(taken))
        return raw or Broken("opens a quote that nothing closes; close it, or double quotes that are meant as such")


def _sniff(header: str, column: str | None) -> str:
    counts = {}
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([header], delimiter=delimiter))
        except csv.Error:
            continue
        counts[delimiter] = (column in _unique(cells), len(cells))
    return max(counts, key=lambda d: counts[d]) if counts else ","


def _unique(names: list[str]) -> tuple[str, ...]:
    """Return names each of which stands once: the second `text` is `text.2`."""
    seen: dict[str, None] = {}
    for name in (name.strip() for name in names):
        free, n = name, 1
        while free in seen:
            n += 1
            free = f"{name}.{n}"
        seen[free] = None
    return tuple(seen)
