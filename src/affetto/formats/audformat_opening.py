"""Opening folders in audformat, which may be hostile.

The library reads headers by a YAML loader that can be made to run code, and prefers pickles to tables; so the header is
parsed here, by the safe loader and within bounds, and tables that come as pickles are refused. Knows files; knows not
what stands in them.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affetto.core.errors import MissingExtraError, UnreadableError

LARGEST_HEADER = 1 << 24
"""Bytes of the largest header."""
LARGEST_TABLE = 1 << 29
"""Bytes of the largest table, unpacked."""
MOST_NODES = 2_000_000
"""Values of the largest header, its aliases written out."""
DEEPEST = 30
"""Levels of a header, one inside the other."""


def library(what: str) -> Any:
    """Return the module audformat.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import audformat  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError(what, "sound") from None
    return audformat


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep to itself what pandas foresees for the code of audformat."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def opened(root: Path) -> Any:
    """Return the Database of a folder with all its tables.

    Raises:
        MissingExtraError: audformat is not installed.
        UnreadableError: there is no such folder, or it is no audformat; says what and where.
    """
    audformat = library("reading .audformat")
    header = _header(root / "db.yaml", f"db.yaml of {root.name}")
    try:
        with quiet():
            db = audformat.Database.load_header_from_yaml(header)
    except Exception as error:  # the library asserts, and looks up what is not there
        why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise UnreadableError(f"db.yaml of {root.name} is no audformat: {why}") from None
    for id in [*db.misc_tables, *db.tables]:
        _load(db[id], root, str(id))
    return db


def _header(path: Path, name: str) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with audformat

    try:
        if path.stat().st_size > LARGEST_HEADER:
            raise UnreadableError(f"{name} is larger than {LARGEST_HEADER >> 20} MB")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnreadableError(
            f"{str(path)!r} cannot be read: {error.strerror}; name a folder that holds a db.yaml"
        ) from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{name} is no UTF-8 (byte {error.start})") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _bounded(yaml.parse(text, Loader=loader), name)
        header = yaml.load(text, Loader=loader)  # noqa: S506 - one of the two safe loaders
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(f"{name} is no safe YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(header, dict):
        raise UnreadableError(f"{name} is no audformat: it holds no names with values")
    return header


def _bounded(events: Iterator[Any], name: str) -> None:
    """Refuse a header that is nested too deep, or that its aliases would blow up."""
    sizes: dict[str, int] = {}
    inside: list[tuple[str | None, int]] = []
    total = 0
    for event in events:
        kind = type(event).__name__
        if kind == "AliasEvent":
            total += sizes.get(event.anchor, MOST_NODES)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            inside.append((event.anchor, total))
            total += 1
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            anchor, before = inside.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        elif kind == "ScalarEvent":
            total += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        if total > MOST_NODES or len(inside) > DEEPEST:
            raise UnreadableError(f"{name} is refused: over {MOST_NODES:,} values, or nested deeper than {DEEPEST}")


def _load(table: Any, root: Path, id: str) -> None:
    where = f"the table {id[:60]!r} of {root.name}"
    if "/" in id or "\\" in id:
        raise UnreadableError(f"{where} is refused: its name is a path")
    base = root / f"db.{id}"
    packed, plain = (base.with_name(f"{base.name}.{suffix}") for suffix in ("parquet", "csv"))
    if base.with_name(base.name + ".pkl").exists():
        raise UnreadableError(f"{where} is refused: it comes as a pickle, which may run code; remove the .pkl file")
    try:
        if packed.exists():
            from pyarrow import parquet  # noqa: PLC0415 - comes with audformat

            facts = parquet.read_metadata(packed)
            size = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
        else:
            size = plain.stat().st_size
        if size > LARGEST_TABLE:
            raise UnreadableError(f"{where} is larger than {LARGEST_TABLE >> 20} MB")
        with quiet():
            table.load(str(base))
    except UnreadableError:
        raise
    except Exception as error:  # of audformat, pandas or pyarrow
        raise UnreadableError(f"{where} cannot be read: {' '.join(str(error).split())[:300]}") from None
