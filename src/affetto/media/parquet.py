"""Tables with types (.parquet), a few rows at a time. Needs the extra `parquet`; knows columns, no feelings.

Rows are read in small batches through a buffered stream, so that a row group of a million rows does not lie in memory.
A batch that cannot be read is taken apart; a row group that is damaged gives an error for each of its rows.
"""

import datetime
import decimal
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affetto.core.errors import MissingExtraError, UnreadableError
from affetto.core.record import Record
from affetto.media.delimited import Broken
from affetto.media.tables import Columns, Row, choose_columns, choose_id, records

_ROWS = 512
"""Rows of a batch, at most."""
_BATCH = 1 << 24
"""Bytes of a batch, about."""
_BUFFER = 1 << 20


class Parquet:
    """The columns and the Records of a .parquet file."""

    def __init__(self, path: str | Path, column: Columns | None = None, id_column: str | None = None) -> None:
        """Open the file and choose its columns.

        Raises:
            MissingExtraError: pyarrow is not installed.
            UnreadableError: there is no such file, or it is no parquet inside.
        """
        try:
            import pyarrow as arrow  # noqa: PLC0415 - an extra, loaded where it is needed
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError:
            raise MissingExtraError("reading .parquet", "parquet") from None
        self.name = Path(path).name
        if str(path) == "-":
            raise UnreadableError("stdin cannot be read as .parquet; save it to a file first")
        if not Path(path).is_file():
            raise UnreadableError(f"there is no file {str(path)!r} to read as .parquet; check the path")
        self.total: int | None = Path(path).stat().st_size
        self._arrow = arrow
        try:
            self._file = parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
        except (arrow.ArrowException, OSError) as error:
            raise UnreadableError(f"{self.name} is no .parquet inside: {_first_line(error)}") from None
        self.columns = tuple(self._file.schema_arrow.names)
        if len(set(self.columns)) < len(self.columns):
            raise UnreadableError(f"{self.name} has two columns of one name; rename one: {', '.join(self.columns)}")
        self._words = choose_columns(self.columns, column, self.name)
        self._id = choose_id(self.columns, id_column, self.name)
        self._groups = self._file.metadata.num_row_groups
        self._done = 0

    @property
    def position(self) -> int:
        """Bytes read so far, by the rows read so far."""
        rows = self._file.metadata.num_rows
        return (self.total or 0) * self._done // rows if rows else self.total or 0

    def __iter__(self) -> Iterator[Record]:
        """Yield a Record a row."""
        for record in records(self._rows(), self._words, self._id, self.name):
            self._done += 1
            yield record

    def _rows(self) -> Iterator[Row]:
        for group in range(self._groups):
            facts = self._file.metadata.row_group(group)
            left = facts.num_rows
            most = max(1, min(_ROWS, _BATCH * left // max(1, facts.total_byte_size)))
            try:
                for batch in self._file.iter_batches(most, row_groups=[group], use_threads=False):
                    for row in _plain_rows(batch, self._arrow):
                        left -= 1
                        yield row
            except (self._arrow.ArrowException, OSError) as error:
                for _ in range(left):
                    yield Broken(f"lies in a damaged part of the file ({_first_line(error)})")


def _plain_rows(batch: Any, arrow: Any) -> Iterator[Row]:
    columns = [_cells(batch.column(i), arrow) for i in range(batch.num_columns)]
    names = batch.schema.names
    for cells in zip(*columns, strict=True):
        yield dict(zip(names, cells, strict=True))


def _cells(column: Any, arrow: Any) -> list[Any]:
    try:
        return [_plain(value) for value in column.to_pylist()]
    except UnicodeDecodeError:  # one cell poisons the column: take its bytes
        kind = arrow.large_binary() if arrow.types.is_large_string(column.type) else arrow.binary()
        return [_plain(value) for value in column.cast(kind).to_pylist()]


def _plain(value: Any) -> Any:
    """Return a cell as JSON holds it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return value.decode("utf-8", "affetto.mark")
        case decimal.Decimal():
            return float(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
    return str(value)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
