"""Reading folders in audformat: those of `formats.audformat`, corrected or not, and those of anybody else.

Knows what columns and schemes mean as Tracks; `audformat_opening` opens the folder.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.errors import AffettoError, MalformedError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.space import Axis, Space, open_space
from affetto.core.span import Span, Unit
from affetto.core.track import Array, Track
from affetto.formats.audformat_opening import opened
from affetto.formats.finding import same_space
from affetto.formats.quoting import heard, one_hot

MARK = "affetto"
"""The key of what only Affetto understands, in the meta of header, tables and columns."""
MOST_LABELS = 1000
"""Labels of a scheme that is read as a space; one with more names things, and no feelings."""
_SPEAKERS = ("subject", "speaker")
_WORDS = ("text", "transcription", "transcript")


def read_records(path: str | Path) -> Iterator[Record]:
    """Read a Record for each file of a folder.

    Raises:
        MissingExtraError: audformat is not installed.
        UnreadableError: there is no such folder, or it is no audformat; says what and where.
    """
    root = Path(path)
    db = opened(root)
    found = _Found()
    whole = [name for name in db.tables if db[name].is_filewise]
    for id in [*whole, *(name for name in (*db.tables, *db.misc_tables) if name not in whole)]:
        try:
            found.table(db, id)
        except (AffettoError, TypeError, ValueError, KeyError, OverflowError) as error:
            raise UnreadableError(f"the table {id[:60]!r} of {root.name} makes no Tracks: {error}") from None
    for file in sorted(found.files.values(), key=lambda file: file.number):
        try:
            yield file.record()
        except AffettoError as error:
            raise UnreadableError(f"{file.id[:60]!r} of {root.name} makes no Record: {error}") from None


@dataclass
class _Said:
    """The rows of one Track."""

    whose: dict[str, Any]
    """What a Track is called by: unit, subject, perspective, channel, source."""
    space: Space
    places: list[tuple[float, float]] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    """A row of numbers each; of open words, a number by word."""
    confidence: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def track(self) -> Track:
        """Return the Track, its rows in order of time."""
        space, values = self.space, self.values
        if space.kind == "open":
            words = tuple(dict.fromkeys(word for row in values for word in row))
            if len(words) > MOST_LABELS:
                raise MalformedError(f"over {MOST_LABELS:,} different words in one Track")
            space = open_space(words, space.id)
            values = [[row.get(word, np.nan) for word in words] for row in values]
        start, end = np.transpose(self.places)
        track = Track(
            space,
            start,
            end,
            np.array(values, np.float32).reshape(len(values), len(space.axes)),
            **self.whose,
            confidence=None if np.isnan(self.confidence).all() else np.array(self.confidence),
            note=tuple(self.notes) if any(self.notes) else None,
        )
        return track[np.lexsort((track.end, track.start))]


@dataclass
class _File:
    """What the tables say of one file."""

    id: str
    meta: dict[str, Any] = field(default_factory=dict)
    number: int = 1 << 62
    duration: float = np.nan
    turns: list[tuple[int, Turn]] = field(default_factory=list)
    tracks: dict[tuple[int, Any], _Said] = field(default_factory=dict)

    def record(self) -> Record:
        """Return the Record."""
        turns = tuple(turn for _, turn in sorted(self.turns, key=lambda pair: pair[0]))
        numbers = sorted(self.tracks, key=lambda key: key[0])
        return Record(self.id, turns=turns, tracks=tuple(self.tracks[key].track() for key in numbers), meta=self.meta)


@dataclass
class _Rows:
    """A table, its cells as Python has them, None for the empty ones."""

    table: Any
    frame: Any
    files: list[str]
    start: Array
    end: Array
    timed: bool
    """Whether start and end are seconds."""

    def cells(self, name: str) -> list[Any]:
        """Return the cells of a column; all None where there is none of that name."""
        if name not in self.frame:
            return [None] * len(self.files)
        column = self.frame[name]
        return [None if missing else cell for cell, missing in zip(column.tolist(), column.isna(), strict=True)]

    def numbers(self, names: list[str]) -> Array:
        """Return the cells of columns as numbers, rows x columns, NaN for the empty ones."""
        wide = [self.frame[name].to_numpy(dtype=float, na_value=np.nan) for name in names]
        return np.stack(wide, 1) if wide else np.zeros((len(self.files), 0))

    def texts(self, name: str) -> list[str]:
        """Return the cells of a column as texts, empty ones for the empty ones."""
        return ["" if cell is None else str(cell) for cell in self.cells(name)]


@dataclass
class _Found:
    """The files of all tables."""

    files: dict[str, _File] = field(default_factory=dict)

    def table(self, db: Any, id: str) -> None:
        """Take in the rows of a table."""
        rows = _rows(db[id])
        if rows is None:
            return
        for file in rows.files:
            held = self.files.setdefault(file, _File(file, {"path": file}))
            if db[id].split_id:
                held.meta["split"] = db[id].split_id
        facts = db[id].meta.get(MARK)
        if MARK in db.meta and {"record", "number", "duration", "error"} == {*db[id].columns}:
            self._names(rows)
        elif isinstance(facts, Mapping):
            self._own(rows, facts)
        else:
            self._strange(rows, id)

    def _names(self, rows: _Rows) -> None:
        columns = map(rows.cells, ("record", "number", "duration", "error"))
        for file, id, number, length, error in zip(rows.files, *columns, strict=True):
            held = self.files[file]
            held.number = int(number)
            held.id = "" if id is None else str(id)
            held.duration = np.nan if length is None else length.total_seconds()
            if held.id == file:
                held.meta.pop("path", None)
            if error is not None:
                held.meta["error"] = str(error)

    def _own(self, rows: _Rows, facts: Mapping[str, Any]) -> None:
        columns = {name: column.meta[MARK] for name, column in rows.table.columns.items() if MARK in column.meta}
        axes = [_axis(facts_of) for facts_of in columns.values()]
        whose = {name: facts[name] for name in ("unit", "channel", "perspective", "source")}
        values: Any
        if facts["kind"] == "open":
            space, values = Space(facts["space"], "open", ()), [heard(text)[0] for text in rows.texts("words")]
        else:
            space = same_space(facts["space"], facts["kind"], tuple(axes))
            values = rows.numbers(list(columns)).astype(np.float32)
        sure = rows.numbers(["confidence"])[:, 0]
        if space.kind == "one":
            values, sure = _corrected(space, values, sure, rows.texts("label"))
        numbers, subjects, notes = rows.cells("track"), rows.texts("subject"), rows.texts("note")
        for i, file in enumerate(rows.files):
            key = (int(numbers[i]), "")
            said = self.files[file].tracks.setdefault(key, _Said({**whose, "subject": subjects[i]}, space))
            _take(said, (rows.start[i], rows.end[i]), values[i], sure[i], notes[i])

    def _strange(self, rows: _Rows, id: str) -> None:
        speakers = next((rows.texts(name) for name in _SPEAKERS if name in rows.frame), [""] * len(rows.files))
        for name in _WORDS:
            numbers = rows.cells("turn")
            for i, text in enumerate(rows.cells(name)):
                if text is not None:
                    held, (start, end, unit) = self.files[rows.files[i]], self._place(rows, i)
                    span = Span(start, end) if unit == "s" and rows.timed else None
                    number = len(held.turns) if numbers[i] is None else int(numbers[i])
                    held.turns.append((number, Turn(speakers[i], span, str(text))))
        for source, space, values in _schemes(rows, id):
            for i in np.flatnonzero(~np.isnan(values).all(1)).tolist():
                start, end, unit = self._place(rows, i)
                whose = {"unit": unit, "channel": "voice", "source": source, "subject": speakers[i] or "speaker"}
                tracks = self.files[rows.files[i]].tracks
                key = (_LATER, (id, source, space.id, *whose.values()))
                _take(tracks.setdefault(key, _Said(whose, space)), (start, end), values[i], np.nan, "")

    def _place(self, rows: _Rows, i: int) -> tuple[float, float, Unit]:
        """Return where a row lies; a whole file of unknown length is turn 0."""
        start, end = float(rows.start[i]), float(rows.end[i])
        if not np.isnan(end):
            return start, end, "s"
        length = self.files[rows.files[i]].duration
        if not np.isnan(length):
            return start, max(start, length), "s"
        return (0, 1, "turn") if start == 0 else (start, start, "s")


_LATER = 1 << 62
"""Puts the Tracks of strangers behind those that have a number."""


def _take(said: _Said, place: tuple[float, float], values: Any, sure: float, note: str) -> None:
    said.places.append(place)
    said.values.append(values)
    said.confidence.append(sure)
    said.notes.append(note)


def _rows(table: Any) -> _Rows | None:
    """Return the rows of a table; None of a misc table that is not of Affetto's own."""
    index, count = table.index, len(table.index)
    names = list(index.names)
    files = [str(name) for name in index.get_level_values(0)] if count else []
    if names == ["record", "start", "end"]:
        start, end = (index.get_level_values(name).to_numpy(dtype=float) for name in names[1:])
    elif names == ["file", "start", "end"]:
        start, end = (_seconds(index.get_level_values(name)) for name in names[1:])
    elif names == ["file"]:
        start, end = np.zeros(count), np.full(count, np.nan)
    else:
        return None
    return _Rows(table, table.df, files, start, end, names[0] == "file")


def _seconds(times: Any) -> Array:
    ticks = times.to_numpy(dtype="timedelta64[ns]")
    return np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64) / 1e9)


def _axis(facts: Mapping[str, Any]) -> Axis:
    if "low" in facts:
        return Axis(facts["axis"], low=float(facts["low"]), high=float(facts["high"]), unit=facts.get("unit", ""))
    return Axis(facts["axis"])


def _corrected(space: Space, values: Array, sure: Array, labels: list[str]) -> tuple[Array, Array]:
    """Return probabilities and confidence, but where somebody has changed the label: what it says, and NaN."""
    best = np.nan_to_num(values, nan=-1.0).argmax(1) if space.axes else np.zeros(len(values), int)
    tops = ["" if np.isnan(row).any() else space.names[i] for i, row in zip(best, values, strict=True)]
    changed = np.array([label != top for label, top in zip(labels, tops, strict=True)], bool)
    fresh = one_hot((label if odd else "" for label, odd in zip(labels, changed, strict=True)), space.names)
    return np.where(changed[:, None], fresh, values), np.where(changed, np.nan, sure)


def _schemes(rows: _Rows, id: str) -> Iterator[tuple[str, Space, Array]]:
    """Yield source, space and values of what the columns of a stranger's table say."""
    bounded: dict[str, list[Axis]] = {}
    for name, column in rows.table.columns.items():
        scheme, source = column.scheme, column.rater_id or ""
        if scheme is None or name in (*_SPEAKERS, *_WORDS):
            continue
        if scheme.labels is not None:
            labels = list(dict.fromkeys(map(str, scheme.labels_as_list)))
            if len(labels) <= MOST_LABELS:
                space = same_space(column.scheme_id, "one", tuple(map(Axis, labels)))
                yield source, space, one_hot(rows.texts(name), labels)
        elif scheme.minimum is not None and scheme.maximum is not None and scheme.dtype in ("float", "int"):
            bounded.setdefault(source, []).append(Axis(name, low=float(scheme.minimum), high=float(scheme.maximum)))
    for source, axes in bounded.items():
        yield source, same_space(id, "graded", tuple(axes)), rows.numbers([axis.name for axis in axes])
