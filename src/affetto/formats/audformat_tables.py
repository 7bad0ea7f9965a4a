"""Records as the tables, schemes, raters and splits of an audformat database.

Knows which row stands in which table, and how audformat wants to be told; `formats.audformat` says it in words.
"""

import itertools
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Waves
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.formats.audformat_opening import library, quiet
from affetto.formats.audformat_reading import MARK
from affetto.formats.quoting import said

LATEST = 9e9
"""Seconds that audformat can hold, which counts nanoseconds in 64 bits."""
_SPLITS = {"train": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev", "test": "test"}
_USAGES = ("commercial", "other", "research", "restricted", "unrestricted")
_LOST_IN_CSV = re.compile(r"[\r\n\0]|^(|<na>|#?n/a|#na|na|-?nan|null|none|#n/a n/a|-?1\.#(ind|qnan))$", re.IGNORECASE)
"""What a cell of CSV does not give back as it was: line ends, and words that pandas or pyarrow take for nothing."""
Cells = dict[str, Any]
_COMMON: dict[str, Cells] = {
    "string": {"dtype": "str"},
    "number": {"dtype": "int"},
    "float": {"dtype": "float"},
    "time": {"dtype": "time"},
    "probability": {"dtype": "float", "minimum": 0.0, "maximum": 1.0},
}
"""Schemes of columns that hold no space."""


@dataclass(frozen=True)
class _Column:
    """What a column is: its scheme, and which axis of the space it holds."""

    scheme: str
    facts: Cells = field(default_factory=dict)
    rated: bool = False
    """Whether the source of the Track said it, and not the Record."""


@dataclass(frozen=True)
class _Kind:
    """What the rows of a table have in common."""

    key: tuple[Any, ...]
    name: str
    split: str
    timed: bool
    source: str = ""
    columns: dict[str, _Column] = field(default_factory=dict, compare=False)
    facts: Cells = field(default_factory=dict, compare=False)


@dataclass
class _Table:
    """Rows of one kind, each at its place: the file, and where in it."""

    name: str
    rows: dict[tuple[Any, ...], Cells] = field(default_factory=dict)

    def words(self) -> Iterator[str]:
        """Yield all its texts."""
        for place, cells in self.rows.items():
            yield place[0]
            yield from (cell for cell in cells.values() if isinstance(cell, str))


@dataclass
class Folder:
    """The tables of all Records, and what the header must say of them."""

    _tables: dict[tuple[_Kind, int], _Table] = field(default_factory=dict)
    _schemes: dict[str, Cells] = field(default_factory=dict)
    _usages: set[str] = field(default_factory=set)
    _tracks: dict[str, int] = field(default_factory=dict)
    _count: int = 0
    _turns: dict[str, int] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take the rows of a Record."""
        paths = [getattr(signal, "path", "") for signal in record.signals]
        path = next(filter(None, paths), "") or str(record.meta.get("path") or "")
        file = _clean(path or record.id or "record")
        split = _clean(str(record.meta.get("split") or ""))
        self._usages.add(str(record.meta.get("usage")))
        self._add_file(record, file, split)
        self._add_turns(record, file, split)
        first = self._tracks.get(file, 0)
        self._tracks[file] = first + len(record.tracks)
        for number, track in enumerate(record.tracks, first):
            if len(track):
                self._add_track(track, number, file, split)

    def _add_file(self, record: Record, file: str, split: str) -> None:
        schemes = {"record": "string", "number": "number", "duration": "time", "error": "string"}
        columns = {name: _Column(scheme) for name, scheme in schemes.items()}
        table = self._table(_Kind(("files",), "files", split, True, columns=columns), 0)
        fresh = {"record": _clean(record.id), "number": self._count, "duration": None, "error": None}
        self._count += 1
        cells = table.rows.setdefault((file,), fresh)
        lengths = (signal.duration for signal in record.signals if isinstance(signal, Audio | Frames | Waves))
        cells["duration"] = max(filter(None, (cells["duration"], *map(_time, lengths))), default=None)
        if "error" in record.meta:
            cells["error"] = "; ".join(filter(None, (cells["error"], _clean(str(record.meta["error"])))))

    def _add_turns(self, record: Record, file: str, split: str) -> None:
        columns = {"speaker": _Column("string"), "text": _Column("string"), "turn": _Column("number")}
        for turn in record.turns:
            number = self._turns[file] = self._turns.get(file, -1) + 1
            timed = turn.span is not None and turn.span.unit == "s"
            start, end = (turn.span.start, turn.span.end) if turn.span and timed else (number, number + 1)
            kind = _Kind((), "turns" if timed else "words", split, timed, columns=columns)
            self._put(
                kind, (file, start, end), {"speaker": _clean(turn.speaker), "text": _clean(turn.text), "turn": number}
            )

    def _add_track(self, track: Track, number: int, file: str, split: str) -> None:
        space = track.space
        whose = {"unit": track.unit, "channel": track.channel, "perspective": track.perspective, "source": track.source}
        axes = space.axes if space.kind != "open" else ()
        gist = (space.id, space.kind, tuple((axis.name, axis.low, axis.high, axis.unit) for axis in axes))
        name = ".".join([space.id, track.channel, track.perspective, *[track.unit] * (track.unit != "s")])
        columns = self._columns(space)
        facts = {"space": space.id, "kind": space.kind} | whose
        kind = _Kind((gist, *whose.values()), name, split, track.unit == "s", track.source, columns, facts)
        for i in range(len(track)):
            cells = {"subject": _clean(track.subject), "track": number} | _cells(track, i, columns)
            self._put(kind, (file, float(track.start[i]), float(track.end[i])), cells)

    def _columns(self, space: Space) -> dict[str, _Column]:
        columns: dict[str, _Column] = {}
        if space.kind == "one":
            columns["label"] = _Column(
                self._scheme(space.id, {"labels": [_clean(name) for name in space.names]}), rated=True
            )
        elif space.kind == "open":
            columns["words"] = _Column("string", rated=True)
        for axis in space.axes if space.kind != "open" else ():
            facts: Cells = {"axis": axis.name}
            scheme = "float" if space.kind == "vector" else "probability"
            if space.kind == "graded":
                facts |= {"low": axis.low, "high": axis.high, "unit": axis.unit}
                bounds = {"dtype": "float", "minimum": float(axis.low), "maximum": float(axis.high)}
                scheme = self._scheme(f"{space.id}.{axis.name}", bounds)
            columns[_fresh(_printable(axis.name), {*_TAKEN, *columns})] = _Column(scheme, facts, rated=True)
        return columns | {
            "confidence": _Column("probability", rated=True),
            "note": _Column("string", rated=True),
            "subject": _Column("string"),
            "track": _Column("number"),
        }

    def _scheme(self, id: str, facts: Cells) -> str:
        taken = {name for name, known in self._schemes.items() if known != facts} | {*_COMMON}
        name = _fresh(_printable(id), taken)
        self._schemes[name] = facts
        return name

    def _put(self, kind: _Kind, place: tuple[Any, ...], cells: Cells) -> None:
        """Put a row into the first table of its kind where its place is free."""
        if kind.timed:
            place = (place[0], *map(_time, place[1:]))
        for copy in itertools.count():
            table = self._table(kind, copy)
            if place not in table.rows:
                table.rows[place] = cells
                return

    def _table(self, kind: _Kind, copy: int) -> _Table:
        if (kind, copy) not in self._tables:
            safe = re.sub(r"[^A-Za-z0-9._-]", "_", ".".join(filter(None, (kind.name, kind.split))))[:80]
            name = _fresh(safe, {table.name for table in self._tables.values()})
            self._tables[kind, copy] = _Table(name)
        return self._tables[kind, copy]

    def save(self, root: Path) -> None:
        """Write header and tables into a folder."""
        audformat = library("writing .audformat")
        usage = next(iter(self._usages), "") if len(self._usages) == 1 else ""
        words = "Estimates and ratings of feelings, written by Affetto; they are no facts about a person."
        usage = usage if usage in _USAGES else "other"
        db = audformat.Database("answers", "Affetto", usage, description=words, meta={MARK: 1})
        used = {column.scheme for kind, _ in self._tables for column in kind.columns.values()}
        for id, facts in (_COMMON | self._schemes).items():
            if id in used:
                db.schemes[id] = audformat.Scheme(**facts)
        with quiet():
            for (kind, _), table in self._tables.items():
                _fill(db, kind, table)
            db.save(str(root), header_only=True)
            for table in self._tables.values():
                packed = any(map(_LOST_IN_CSV.search, table.words()))
                db[table.name].save(str(root / f"db.{table.name}"), storage_format="parquet" if packed else "csv")


_TAKEN = ("file", "record", "start", "end", "label", "words", "confidence", "note", "subject", "track")
"""Names that no axis may have as a column."""


def _cells(track: Track, row: int, columns: dict[str, _Column]) -> Cells:
    if track.space.kind == "open":
        bare = Track(track.space, track.start[row : row + 1], track.end[row : row + 1], track.values[row : row + 1])
        cells: Cells = {"words": _clean(said(bare, 0))}
    else:
        axes = [name for name, column in columns.items() if column.facts]
        cells = dict(zip(axes, map(_value, track.values[row]), strict=True))
    if track.space.kind == "one":
        top = track.top(row)
        cells["label"] = None if top is None else _clean(top.name)
    cells["confidence"] = None if track.confidence is None else _value(track.confidence[row])
    cells["note"] = None if track.note is None else _clean(track.note[row]) or None
    return cells


def _fill(db: Any, kind: _Kind, table: _Table) -> None:
    """Give a table with all its columns to the database."""
    audformat = library("writing .audformat")
    import pandas as pd  # noqa: PLC0415 - comes with audformat

    if kind.source:
        machine = kind.source.partition("@")[0] in _models()
        db.raters[_clean(kind.source)] = audformat.Rater("machine" if machine else "human")
    if kind.split:
        db.splits[kind.split] = audformat.Split(_SPLITS.get(kind.split, "other"))
    facts = {MARK: _cleaned(kind.facts)} if kind.facts else {}
    columns = list(zip(*table.rows, strict=True))
    if not kind.timed:
        index = pd.MultiIndex.from_arrays(columns, names=["record", "start", "end"])
        db[table.name] = audformat.MiscTable(index, split_id=kind.split or None, meta=facts)
    else:
        files, times = columns[0], [pd.to_timedelta(column, unit="ns") for column in columns[1:]]
        index = audformat.segmented_index(files, *times) if times else audformat.filewise_index(files)
        db[table.name] = audformat.Table(index, split_id=kind.split or None, meta=facts)
    for name, column in kind.columns.items():
        rater = _clean(kind.source) if kind.source and column.rated else None
        meta = {MARK: _cleaned(column.facts)} if column.facts else {}
        db[table.name][name] = audformat.Column(scheme_id=column.scheme, rater_id=rater, meta=meta)
        values: Any = [cells[name] for cells in table.rows.values()]
        if column.scheme == "time":
            values = pd.to_timedelta(pd.Series(values, dtype="Int64"), unit="ns").to_list()
        db[table.name][name].set(values)


def _models() -> Container[str]:
    return catalog.cards("model")


def _value(number: np.floating[Any]) -> float | None:
    """Return a float32 number in the fewest digits that give it back; None for NaN."""
    return None if np.isnan(number) else float(str(number))


def _time(seconds: float) -> int | None:
    if np.isnan(seconds):
        return None
    if seconds > LATEST:
        raise MalformedError(f"audformat holds times up to {LATEST:.0e} s, not {seconds}; write .jsonl")
    return round(seconds * 1e9)


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _cleaned(facts: Cells) -> Cells:
    return {name: _clean(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "_" for c in text)


def _fresh(name: str, taken: Container[str]) -> str:
    """Return a name that is not taken: the name itself, or with -2, -3 ... behind."""
    return next(one for one in _numbered(name) if one not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in itertools.count(2):
        yield f"{name}-{number}"
