"""Tables of faces, a row a person and picture: reading their columns, and writing them row by row.

Names of columns are taken without the blanks that OpenFace 2 puts before them. Knows cells; what the columns mean is
known by `openface`, `pyfeat` and `arkit`.
"""

import csv
import io
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.errors import MissingExtraError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Array
from affetto.formats.growing import GrowingFile

Sorter = Callable[[str], tuple[str, bool] | None]
"""Takes the name of a column; returns what it is called here and whether it holds numbers, or None to pass it over."""
_NOTHING = frozenset(("", "na", "n/a", "none", "null", "<na>", "-nan", "-nan(ind)", "nan(ind)", "-1.#ind", "1.#qnan"))


@dataclass(frozen=True)
class Sheet:
    """The columns of a table."""

    name: str
    length: int
    numbers: Mapping[str, Array]
    texts: Mapping[str, Sequence[str]]

    def block(self, names: Iterable[str]) -> Array:
        """Return columns of numbers side by side, n x k, NaN where a column is missing."""
        nothing = np.full(self.length, np.nan)
        return np.stack([self.numbers.get(name, nothing) for name in names], 1)

    def column(self, name: str, otherwise: float = np.nan) -> Array:
        """Return one column of numbers, or one number throughout where it is missing."""
        return self.numbers.get(name, np.full(self.length, otherwise))

    def says(self, names: Iterable[str]) -> bool:
        """Tell whether any of these columns of numbers is there."""
        return any(name in self.numbers for name in names)


def read_sheet(path: str | Path, sorter: Sorter, what: str) -> Sheet:
    """Read the columns that `sorter` wants from a .csv, .tsv or .parquet.

    Args:
        path: the file.
        sorter: names the columns.
        what: what kind of table is wanted, for errors.

    Raises:
        UnreadableError: there is no such file, or a cell or line is none of such a table; says which.
        MissingExtraError: it is a .parquet and pyarrow is not installed.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".parquet":
            return _parquet(path, sorter, what)
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            return _cells(path.name, lines, sorter, what)
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror or error}; check the path") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path.name} is no table of {what}: {error}") from None


class FaceTable(GrowingFile):
    """Writes a header of fixed columns, and what each Record gives."""

    def __init__(self, header: Sequence[str], rows: Callable[[Record], Iterable[Sequence[str]]]) -> None:
        """Begin with a header and with what makes the cells of a Record."""
        self._header, self._rows = list(header), rows
        self._begun = False

    def state(self) -> dict[str, Any]:
        """Return whether the header is written."""
        return {"begun": self._begun}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `state` gave."""
        self._begun = bool(state["begun"])

    def encode(self, records: Sequence[Record]) -> bytes:
        """Return the lines of Records, after the header where it is not there yet."""
        rows = [] if self._begun else [self._header]
        self._begun = True
        return _lines([*rows, *(row for record in records for row in self._rows(record))])

    def finish(self, path: Path, out: Path) -> None:
        """Rename the file; without any Record it still has a header."""
        if not self._begun:
            path.write_bytes(_lines([self._header]))
        super().finish(path, out)


def cells(block: Array, form: str = "%.7g") -> list[list[str]]:
    """Return rows of numbers as text, NaN as an empty cell."""
    return [["" if x != x else form % x for x in row] for row in block.tolist()]  # noqa: PLR0124 - NaN is not itself


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    held = list(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(held)
    if "\r" in text.getvalue():  # which csv quotes only where it is part of the line end
        text = io.StringIO()
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(held)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _sorted(header: Iterable[str], sorter: Sorter) -> tuple[dict[str, int], dict[str, int]]:
    numbers: dict[str, int] = {}
    texts: dict[str, int] = {}
    for i, name in enumerate(header):
        if (found := sorter(name.strip())) is not None:
            (numbers if found[1] else texts).setdefault(found[0], i)
    return numbers, texts


def _cells(name: str, lines: Iterable[list[str]], sorter: Sorter, what: str) -> Sheet:
    rows = iter(lines)
    header = next(rows, None)
    numbers, texts = _sorted(header or (), sorter)
    if header is None or not numbers:
        raise UnreadableError(f"{name} is no table of {what}: its first line has none of its columns")
    held, words, n = array("d"), [list[str]() for _ in texts], 0
    for number, row in enumerate(rows, 2):
        if not any(row):
            continue
        if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
            raise UnreadableError(f"line {number} of {name} has {len(row)} cells and the header {len(header)}")
        whole = row + [""] * (len(header) - len(row))
        try:
            held.extend([_number(whole[i]) for i in numbers.values()])
        except ValueError as error:
            raise UnreadableError(f"line {number} of {name}, a table of {what}, wants numbers: {error}") from None
        for column, i in zip(words, texts.values(), strict=True):
            column.append(whole[i])
        n += 1
    block = np.frombuffer(held, np.float64).reshape(n, len(numbers)).T if n else np.zeros((len(numbers), 0))
    block = np.where(np.isfinite(block), block, np.nan)
    return Sheet(name, n, dict(zip(numbers, block, strict=True)), dict(zip(texts, words, strict=True)))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        if cell.strip().lower() in _NOTHING:
            return np.nan
        raise ValueError(f"not {cell[:40]!r}") from None


def _parquet(path: Path, sorter: Sorter, what: str) -> Sheet:
    try:
        import pyarrow as arrow  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("reading .parquet", "parquet") from None
    try:
        file = parquet.ParquetFile(path)
        numbers, texts = _sorted(file.schema_arrow.names, sorter)
        names = file.schema_arrow.names
        table = file.read([names[i] for i in (*numbers.values(), *texts.values())])
        if not numbers:
            raise UnreadableError(f"{path.name} is no table of {what}: it has none of its columns")
        block = {key: np.array(table[names[i]].cast("double").to_numpy(), np.float64) for key, i in numbers.items()}
        words = {key: ["" if x is None else str(x) for x in table[names[i]].to_pylist()] for key, i in texts.items()}
    except arrow.ArrowException as error:
        raise UnreadableError(f"{path.name} cannot be read as .parquet: {str(error).splitlines()[0]}") from None
    finite = {key: np.where(np.isfinite(column), column, np.nan) for key, column in block.items()}
    return Sheet(path.name, table.num_rows, finite, words)
