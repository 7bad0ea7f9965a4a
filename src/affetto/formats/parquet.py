"""Parquet (.parquet): the wide and long tables of `csv`, with types. Needs the extra `parquet`.

While it grows it is JSON lines; at the end the types are seen and it is written a few thousand rows at a time, so that
no table lies in memory. A column whose cells differ in kind becomes text. Knows files; `wide` and `long` know what
stands in them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affetto.core.errors import MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.formats import jsonl, long, wide
from affetto.formats.csv import SHAPES, Shape, not_long
from affetto.formats.growing import GrowingFile, whole, write_by

_BYTES = 1 << 23
"""Bytes of growing file that become one row group, about."""


def read(path: str | Path) -> Iterator[Record]:
    """Read the Records and Tracks of a long table. To read a table with a column of words there is `media`.

    Raises:
        MissingExtraError: pyarrow is not installed.
        UnreadableError: there is no such file, or it is no long table.
    """
    arrow = _arrow("reading .parquet")
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    name = Path(path).name
    try:
        file = parquet.ParquetFile(path)
        if file.schema_arrow.names != list(long.COLUMNS):
            raise UnreadableError(not_long(name))
        rows = (row for batch in file.iter_batches(4096) for row in batch.to_pylist())
        yield from long.records(rows, name)
    except (arrow.ArrowException, OSError) as error:
        raise UnreadableError(f"{name} cannot be read as .parquet: {str(error).splitlines()[0]}") from None


def write(records: Iterable[Record], path: str | Path, shape: Shape = "wide", columns: Sequence[str] = ()) -> None:
    """Write Records as a table with types.

    Args:
        records: any number of them.
        path: the file.
        shape: a line a Record, or a line a number.
        columns: the columns of the input, where no Record could tell.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    write_by(appender(columns, shape), records, Path(path))


def appender(columns: Sequence[str] = (), shape: Shape = "wide") -> "_Table":
    """Return what writes the lines of Records as they come.

    Raises:
        UnknownNameError: the shape is neither wide nor long.
        MissingExtraError: pyarrow is not installed.
    """
    if shape not in SHAPES:
        raise UnknownNameError("shape of table", shape, SHAPES)
    _arrow("writing .parquet")
    return _Wide(columns) if shape == "wide" else _Long()


class _Table(GrowingFile):
    """Rows of cells, a list of JSON each."""

    def schema(self, rows: Iterator[list[Any]]) -> tuple[Any, list[int]]:
        """Return the schema of the finished table, and for each of its columns the place of its cells in a row."""
        raise NotImplementedError

    def lines(self, rows: Iterable[Sequence[Any]]) -> bytes:
        return b"".join(jsonl.dump(list(row)) + b"\n" for row in rows)

    def finish(self, path: Path, out: Path) -> None:
        """Read the rows twice: once for their types, once to write them."""
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        schema, places = self.schema(_cells(path))
        with whole(out) as file, parquet.ParquetWriter(file, schema, compression="zstd") as table:
            for group in _groups(path):
                table.write_table(_columns(group, schema, places))
        path.unlink()


class _Wide(_Table):
    def __init__(self, columns: Sequence[str]) -> None:
        self._sheet = wide.Sheet(columns)

    def state(self) -> dict[str, Any]:
        return self._sheet.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._sheet.restore(state)

    def encode(self, records: Sequence[Record]) -> bytes:
        return self.lines(self._sheet.take([line for record in records for line in wide.lines(record)]))

    def schema(self, rows: Iterator[list[Any]]) -> tuple[Any, list[int]]:
        arrow = _arrow("writing .parquet")
        places, names = self._sheet.places(), self._sheet.header()
        kinds: list[set[type]] = [set() for _ in self._sheet.order]
        for row in rows:
            for kind, cell in zip(kinds, row, strict=False):
                kind.add(str if type(cell) is int and not -(2**63) <= cell < 2**63 else type(cell))
        groups = [group for group, _ in self._sheet.order]
        types = [_type(kind, group == "out", arrow) for kind, group in zip(kinds, groups, strict=True)]
        return arrow.schema([(name, types[place]) for name, place in zip(names, places, strict=True)]), places


class _Long(_Table):
    _number = 0

    def state(self) -> dict[str, Any]:
        return {"number": self._number}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._number = int(state["number"])

    def encode(self, records: Sequence[Record]) -> bytes:
        rows: list[list[Any]] = []
        for self._number, record in enumerate(records, self._number + 1):  # noqa: B020 - it counts on
            rows += ([line.get(name) for name in long.COLUMNS] for line in long.lines(self._number, record))
        return self.lines(rows)

    def schema(self, rows: Iterator[list[Any]]) -> tuple[Any, list[int]]:
        arrow = _arrow("writing .parquet")
        types = {int: arrow.int64(), float: arrow.float64(), str: arrow.string()}
        single = dict.fromkeys(("value", "confidence"), arrow.float32())
        names = enumerate(long.COLUMNS.items())
        return arrow.schema([(n, single.get(n, types[t])) for _, (n, t) in names]), list(range(len(long.COLUMNS)))


def _arrow(what: str) -> Any:
    try:
        import pyarrow as arrow  # noqa: PLC0415 - an extra, loaded where it is needed
    except ImportError:
        raise MissingExtraError(what, "parquet") from None
    return arrow


def _cells(path: Path) -> Iterator[list[Any]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def _groups(path: Path) -> Iterator[list[list[Any]]]:
    with path.open("rb") as file:
        while lines := file.readlines(_BYTES):
            yield [json.loads(line) for line in lines]


def _columns(rows: list[list[Any]], schema: Any, places: list[int]) -> Any:
    arrow = _arrow("writing .parquet")
    text = (arrow.string(), arrow.large_string())
    columns = []
    for field, place in zip(schema, places, strict=True):
        cells = [row[place] if place < len(row) else None for row in rows]
        if field.type in text:
            cells = [None if cell is None else _text(cell) for cell in cells]
        columns.append(arrow.array(cells, field.type))
    return arrow.Table.from_arrays(columns, schema=schema)


def _type(kinds: set[type], answer: bool, arrow: Any) -> Any:
    kinds = kinds - {type(None)}
    if kinds == {bool}:
        return arrow.bool_()
    if kinds == {int} and not answer:
        return arrow.int64()
    if kinds and kinds <= {int, float}:
        return arrow.float32() if answer else arrow.float64()
    return arrow.string()


def _text(cell: Any) -> str:
    words = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    return words.encode("utf-8", "backslashreplace").decode("utf-8")
