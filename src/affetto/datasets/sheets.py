"""Anybody's table as it lies on a disk: its cells, all of them words. Several tables are one, part by part.

Reads .csv, .tsv, .jsonl and .parquet, also packed by gzip, xz or bzip2. Knows what parts are called; of the other
columns it knows nothing.
"""

import bz2
import gzip
import json
import lzma
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from affetto.core.errors import MissingExtraError, UnreadableError
from affetto.media.delimited import Broken, Delimited
from affetto.media.lines import Lines, clean

Words = tuple[str, ...]
PART = "part (of the file's name)"
"""The column that several tables gain when they become one."""
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_PACKED: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_LARGEST = 1 << 32
"""Bytes to which a packed table may unfold."""
PART_NAMES = {
    "train": "train training trn tr learn fit",
    "dev": "dev devel development val valid validation vali tune tuning",
    "test": "test testing tst eval evaluation heldout",
}
"""What the parts are called in the field."""
_PART_OF = {name: part for part, names in PART_NAMES.items() for name in names.split()}


@dataclass(frozen=True)
class Sheet:
    """The cells of a file, as words."""

    name: str
    columns: Mapping[str, Words]
    broken: int = 0
    """Rows that could not be read, and are left out."""

    def __len__(self) -> int:
        """Return how many rows it has."""
        return len(next(iter(self.columns.values()), ()))


def read_sheet(path: str | Path, encoding: str | None = None) -> Sheet:
    """Read a table whole.

    Raises:
        UnreadableError: there is no such file, its suffix is unknown, it is damaged, or it has no rows.
        MissingExtraError: pyarrow is not installed, for a .parquet.
    """
    source = Path(path)
    if source.suffix.lower() not in _PACKED:
        return _read(source, encoding)
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder) / source.stem
        try:
            with _PACKED[source.suffix.lower()](source, "rb") as packed, inner.open("wb") as file:
                shutil.copyfileobj(_Bounded(packed, source.name), file)
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise UnreadableError(f"{str(path)!r} cannot be unpacked: {error}") from None
        return replace(_read(inner, encoding), name=source.name)


class _Bounded:
    """A packed file that ends in an error where it unfolds beyond measure."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name, self._left = file, name, _LARGEST

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise UnreadableError(f"{self._name} unfolds to more than {_LARGEST >> 30} GB; unpack and cut it")
        return block


def _read(path: Path, encoding: str | None) -> Sheet:
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise UnreadableError(
            f"{path.name} ends in {kind!r}, which is no table known here; known: {', '.join(SUFFIXES)}, "
            f"and these with {', '.join(_PACKED)} at the end"
        )
    if kind == ".parquet":
        sheet = _parquet(path)
    else:
        lines = Lines(path, encoding)
        sheet = _jsonl(lines) if kind in (".jsonl", ".ndjson") else _delimited(lines, kind == ".tsv")
    if not len(sheet):
        what = f"{sheet.broken:,} rows, none of which can be read" if sheet.broken else "no rows"
        raise UnreadableError(f"{path.name} has {what}; a table to be checked has one row a sample")
    return sheet


def _delimited(lines: Lines, tabs: bool) -> Sheet:
    table = Delimited(lines, lines.name, "\t" if tabs else None)
    rows, broken = [], 0
    for row in table:
        if isinstance(row, Broken):
            broken += 1
        else:
            rows.append([clean(cell).strip() if cell else "" for cell in row])
    names = [clean(name) for name in table.columns]
    return Sheet(lines.name, dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}, broken)


def _jsonl(lines: Lines) -> Sheet:
    rows, broken = [], 0
    for line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            broken += 1
    return Sheet(lines.name, _columns(rows), broken)


def _parquet(path: Path) -> Sheet:
    try:
        import pyarrow as arrow  # noqa: PLC0415 - an extra, loaded where it is needed
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("reading .parquet", "parquet") from None
    try:
        return Sheet(path.name, _columns(parquet.ParquetFile(path).read(use_threads=False).to_pylist()))
    except FileNotFoundError:
        raise UnreadableError(f"there is no file {str(path)!r}; check the path") from None
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path.name} is no .parquet inside: {str(error).strip()[:200]}") from None


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Words]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {clean(str(name)): tuple(_cell(row.get(name)) for row in rows) for name in names}


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return clean(str(value))


def read_sheets(path: str | Path | Sequence[str | Path], encoding: str | None) -> Sheet:
    """Return one table of all files, with a column for the part that each file's name says where there are several."""
    if isinstance(path, str | Path) and not Path(path).is_dir():
        return read_sheet(path, encoding)
    if isinstance(path, str | Path):
        name, files = Path(path).name, sorted(file for file in Path(path).iterdir() if _part_of(file))
        if not files:
            raise UnreadableError(f"the folder {name!r} has no table called train, dev or test; name the files instead")
    else:
        files = [Path(file) for file in path]
        name = ", ".join(file.name for file in files)
    columns: dict[str, list[str]] = {PART: []}
    n = broken = 0
    for file in files:
        if not _part_of(file):
            raise UnreadableError(f"the name of {file.name} says no part; call it train, dev or test")
        sheet = read_sheet(file, encoding)
        for column in dict.fromkeys([*columns, *sheet.columns]):
            cells = [_part_of(file)] * len(sheet) if column == PART else sheet.columns.get(column, [""] * len(sheet))
            columns.setdefault(column, [""] * n).extend(cells)
        n, broken = n + len(sheet), broken + sheet.broken
    return Sheet(name, {column: tuple(cells) for column, cells in columns.items()}, broken)


def _part_of(file: Path) -> str:
    """Return the part that the name of a table says; empty where it says none."""
    stem, *suffixes = file.name.split(".")
    if not {f".{suffix.lower()}" for suffix in suffixes} & set(SUFFIXES):
        return ""
    words = [part_name(word) for word in stem.replace("-", "_").replace(" ", "_").split("_")]
    return next((word for word in words if word in ("train", "dev", "test")), "")


def bare(name: str) -> str:
    """Return the name of a column without case and signs.

    >>> bare("Speaker_ID")
    'speakerid'
    """
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def part_name(value: str) -> str:
    """Return train, dev or test for what the field calls so, else the value as it is.

    >>> part_name("Validation"), part_name("PublicTest")
    ('dev', 'PublicTest')
    """
    return _PART_OF.get(bare(value), value)
