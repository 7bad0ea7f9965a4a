"""Tasks of Label Studio back to Records: predictions are models' Tracks, annotations those of human raters.

A region is a row: `labels` in seconds or characters, `rectanglelabels` with a box, `paragraphlabels` in turns, and
`choices` over the whole text, picture or recording. A label that a person left or gave counts 1 and the others 0; the
numbers beside it count of a model's region, and of a rater's own that Affetto wrote. Written answers (`textarea`) of a
region are notes of its rows. Knows the export called JSON; `labelstudio` says what becomes of what.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import plain
from affetto.core.errors import AffettoError, MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Image, Text
from affetto.core.space import Axis, Space, open_space
from affetto.core.span import Unit
from affetto.core.track import Track
from affetto.formats import jsonl
from affetto.formats.finding import find_space, same_space, space_of
from affetto.formats.labelstudio_controls import RATER, SCHEMA, lines_of, slug
from affetto.formats.quoting import heard

LARGEST = 1 << 29
"""Bytes of the largest file that is read."""
LABELS = ("labels", "rectanglelabels", "paragraphlabels", "hypertextlabels", "choices")
"""Types of results that say names."""
NUMBERS = ("number", "rating")
_STARS = 5.0
"""Of a rating, at least."""
_MEDIA = ("video", "audio", "image", "url")
Item = Mapping[str, Any]


@dataclass
class _Control:
    """Whose Track a control stands for."""

    space: Space
    channel: Any
    unit: Unit | None = None
    """None: as the region says."""
    subject: str = "someone"
    perspective: Any = "expressed"
    ours: bool = False


@dataclass
class _Row:
    """One region, as far as one control speaks of it."""

    unit: Unit
    start: float
    end: float
    box: tuple[float, ...] | None
    values: dict[str, float] = field(default_factory=dict)
    others: float = math.nan
    """Of the names that `values` lacks."""
    confidence: float = math.nan
    note: str = ""


def read_records(path: str | Path) -> Iterator[Record]:
    """Read a Record for each task of a file.

    Raises:
        UnreadableError: there is no such file, it is no JSON, or no tasks of Label Studio.
    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > LARGEST:
            raise UnreadableError(f"{name} is larger than {LARGEST >> 20} MB; export fewer tasks at a time")
        held = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None
    said = jsonl.parse(held, name)
    tasks = said if isinstance(said, list) else [said]
    for i, task in enumerate(tasks):
        if not is_task(task):
            raise UnreadableError(
                f"entry {i} of {name} is no task of Label Studio: it wants data, and predictions or annotations; choose"
                " JSON (not JSON-MIN) when exporting"
            )
    spaces = _spaces(tasks)
    for i, task in enumerate(tasks):
        try:
            yield _Task(task, i + 1, spaces).record()
        except (AffettoError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise UnreadableError(f"entry {i} of {name} makes no Record: {error}") from None


def is_task(said: Any) -> bool:
    """Tell whether a JSON value is a task of Label Studio."""
    return (
        isinstance(said, Mapping)
        and isinstance(said.get("data"), Mapping)
        and all(isinstance(said.get(key, []), list) for key in ("predictions", "annotations"))
        and any(key in said for key in ("predictions", "annotations"))
    )


def _spaces(tasks: list[Any]) -> dict[str, Space]:
    """Return for each control the space that knows all of its labels, in whatever task."""
    words: dict[str, dict[str, None]] = {}
    for task in tasks:
        for group in (*task.get("predictions", ()), *task.get("annotations", ())):
            for item in _results(group):
                for name in _labels(item):
                    words.setdefault(str(item.get("from_name")), {})[name] = None
    found = {control: space_of(tuple(names)) for control, names in words.items()}
    return {control: space for control, space in found.items() if space is not None}


def _results(group: Any) -> list[Item]:
    said = group.get("result") if isinstance(group, Mapping) else None
    return [item for item in said if isinstance(item, Mapping)] if isinstance(said, list) else []


def _labels(item: Item) -> list[str]:
    value = item.get("value")
    said = value.get(str(item.get("type"))) if isinstance(value, Mapping) and item.get("type") in LABELS else None
    return [str(name) for name in said] if isinstance(said, list) else []


class _Task:
    """One task, and the rows of its Tracks while they are found."""

    def __init__(self, task: Item, number: int, spaces: dict[str, Space]) -> None:
        self._task, self._spaces = task, spaces
        self._data: Mapping[str, Any] = task["data"]
        ours = self._data.get("affetto")
        self._ours = ours if isinstance(ours, Mapping) and ours.get("schema") == SCHEMA else None
        self._bare = plain.to_record(self._ours["record"], find_space) if self._ours else self._stranger(number)
        self._controls = {name: _ours(said) for name, said in (self._ours or {}).get("controls", {}).items()}
        self._rows: dict[tuple[str, str], dict[tuple[int, str], _Row]] = {}
        self._aside: list[dict[str, Any]] = []
        self._notes: dict[tuple[int, str], str] = {}

    def _stranger(self, number: int) -> Record:
        path = next((str(self._data[key]) for key in _MEDIA if self._data.get(key)), "")
        words = self._data.get("text")
        signals = (Text(words),) if isinstance(words, str) else ()
        return Record(
            str(self._task.get("id", number)), signals, meta={"data": self._data} | ({"path": path} if path else {})
        )

    def record(self) -> Record:
        """Return the Record."""
        number = 0
        for group in self._task.get("predictions") or ():
            number += 1
            self._group(group, str(group.get("model_version") or "model"), number, False)
        for group in self._task.get("annotations") or ():
            number += 1
            source = f"{RATER}{_who(group.get('completed_by'))}"
            if group.get("was_cancelled"):
                self._aside += [{"source": source, "cancelled": True, "item": item} for item in _results(group)]
            else:
                self._group(group, source, number, True)
        tracks = []
        for (source, name), rows in self._rows.items():
            for key, row in rows.items():
                row.note = row.note or self._notes.pop(key, "")
            if rows:
                tracks.append(_track(source, self._controls[name], list(rows.values())))
        meta = dict(self._bare.meta)
        if self._aside:
            kinds = sorted({str(one["item"].get("type")) for one in self._aside})
            told = f"{len(self._aside)} results of Label Studio were left aside ({', '.join(kinds)[:200]})"
            meta["warning"] = "; ".join([*([str(meta["warning"])] if meta.get("warning") else []), told])
            meta["labelstudio"] = self._aside
        bare = self._bare
        return Record(bare.id, bare.signals, bare.turns, bare.people, tuple(tracks), meta)

    def _group(self, group: Any, source: str, number: int, human: bool) -> None:
        written = []
        for i, item in enumerate(_results(group)):
            key = number, str(item.get("id", f"#{i}"))
            try:
                if item.get("type") == "textarea":
                    written.append((key, item))
                elif item.get("type") in LABELS:
                    self._label(item, source, key, human)
                elif item.get("type") in NUMBERS:
                    self._number(item, source, key, human)
                else:
                    raise MalformedError("a result of a type that is no label, number or text")
            except (AffettoError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                self._aside.append({"source": source, "item": dict(item), "reason": str(error)[:300]})
        regions = {key for rows in self._rows.values() for key in rows}
        for key, item in written:
            said = item["value"].get("text", "")
            words = "\n".join(map(str, said)) if isinstance(said, list) else str(said)
            if key in regions:
                self._notes[key] = words
            else:
                self._row(str(item.get("from_name")), source, item, key).note = words

    def _label(self, item: Item, source: str, key: tuple[int, str], human: bool) -> None:
        name = str(item.get("from_name"))
        row = self._row(name, source, item, key)
        control = self._controls[name]
        exact = _exact(item)
        words = _labels(item)
        if control.ours and (not human or item.get("origin") == "manual") and exact is not None:
            values, sure, note = exact
            if control.space.kind == "graded" or [_top(values)] == words:
                row.values, row.confidence, row.note = values, sure, note
                return
        if control.space.kind == "graded":
            return
        known = {axis.lower(): axis for axis in control.space.names}
        odd = [word for word in words if word.lower() not in known] if control.space.kind != "open" else []
        if odd:
            del self._rows[source, name][key]
            raise MalformedError(f"{odd[0][:60]!r} is no name in the space {control.space.id}")
        if control.space.kind == "open":
            row.values, row.others = dict.fromkeys(words, 1.0), 0.0
        elif words:
            share = 1.0 / len(words) if control.space.kind == "one" else 1.0
            row.values = dict.fromkeys(control.space.names, 0.0) | {known[word.lower()]: share for word in words}

    def _number(self, item: Item, source: str, key: tuple[int, str], human: bool) -> None:
        name = str(item.get("from_name"))
        value = float(item["value"][str(item["type"])])
        if not math.isfinite(value):
            raise MalformedError("a number that is none")
        for known, control in self._controls.items():
            axes = {f"{known}.{slug(axis)}": axis for axis in control.space.names}
            if control.ours and name in axes:
                axis = control.space[axes[name]]
                if not axis.low <= value <= axis.high:
                    raise MalformedError(f"{value:g} lies outside {axis.low:g}..{axis.high:g}")
                row = self._row(known, source, item, key)
                row.values = row.values | {axis.name: value}
                exact = _exact(item)
                if exact is not None and (not human or item.get("origin") == "manual"):
                    row.confidence, row.note = exact[1:]
                return
        if name not in self._controls:
            stars = item["type"] == "rating"
            space = Space(name, "graded" if stars else "vector", (Axis(name, high=max(_STARS, value)),))
            self._controls[name] = self._foreign(space, item)
        self._row(name, source, item, key).values[name] = value

    def _row(self, name: str, source: str, item: Item, key: tuple[int, str]) -> _Row:
        """Return the row of a region, which may be there already."""
        control = self._controls.get(name)
        if control is None:
            control = self._controls[name] = self._foreign(self._spaces.get(name) or open_space(()), item)
        rows = self._rows.setdefault((source, name), {})
        if key not in rows:
            rows[key] = self._place(item, control)
        return rows[key]

    def _foreign(self, space: Space, item: Item) -> _Control:
        unit = self._place(item, None).unit
        image = item.get("type") == "rectanglelabels" or "original_width" in item
        channel = "text" if unit != "s" else "face" if image else "voice" if self._data.get("audio") else "fused"
        return _Control(space, channel, subject=str(item.get("from_name")), perspective="perceived")

    def _place(self, item: Item, control: _Control | None) -> _Row:
        """Return an empty row where the region of an item lies."""
        value: Mapping[str, Any] = item["value"]
        text = self._bare.text
        if item.get("type") == "rectanglelabels" or {"x", "y", "width", "height"} <= set(value):
            return _Row("s", 0.0, 0.0, self._box(item, value))
        if item.get("type") == "paragraphlabels":
            return _Row("turn", float(value["start"]), float(value["end"]) + 1, None)
        offsets = value.get("globalOffsets")
        if isinstance(offsets, Mapping):
            value = offsets
        elif "start" not in value or "end" not in value:
            return self._whole(item, text)
        start, end = float(value["start"]), float(value["end"])
        if not 0 <= start <= end < math.inf:
            raise MalformedError(f"a region wants 0 <= start <= end, not {start:g} and {end:g}")
        written = "text" in item["value"] or isinstance(offsets, Mapping) or item.get("to_name") == "text"
        unit: Unit = "char" if written else "s"
        if control is not None and control.unit == "turn" and unit == "char":
            lines = lines_of(self._bare)
            mine = [k for k, (first, last) in enumerate(lines) if first < end and start <= last]
            return _Row("turn", mine[0] if mine else 0, mine[-1] + 1 if mine else len(lines), None)
        return _Row(unit, start, end, None)

    def _whole(self, item: Item, text: str | None) -> _Row:
        lengths: list[Any] = [s.duration for s in self._bare.signals if isinstance(s, Audio | Frames)]
        lengths.append(item.get("original_length"))
        if (
            text is not None
            and not self._bare.turns
            and not any(isinstance(s, Audio | Frames) for s in self._bare.signals)
        ):
            return _Row("char", 0, len(text), None)
        return _Row("s", 0.0, next((float(x) for x in lengths if x and math.isfinite(x)), 0.0), None)

    def _box(self, item: Item, value: Mapping[str, Any]) -> tuple[float, ...]:
        sizes = [s.size for s in self._bare.signals if isinstance(s, Image)]
        width, height = item.get("original_width"), item.get("original_height")
        if not (width and height):
            if not sizes:
                raise MalformedError("a rectangle in percent of a picture whose size is not said")
            width, height = sizes[0]
        x, y, w, h = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
        return x * width, y * height, (x + w) * width, (y + h) * height


def _ours(said: Mapping[str, Any]) -> _Control:
    space = said["space"]
    ranges = space.get("ranges") or [[0.0, 1.0, ""]] * len(space["names"])
    axes = (Axis(n, low=low, high=high, unit=u) for n, (low, high, u) in zip(space["names"], ranges, strict=True))
    known = same_space(space["id"], space["kind"], tuple(axes))
    return _Control(known, said["channel"], said["unit"], said["subject"], said["perspective"], ours=True)


def _who(said: Any) -> str:
    """Return the email of a rater, or else the number."""
    if isinstance(said, Mapping):
        return str(said.get("email") or said.get("username") or said.get("id") or "unknown")
    return "unknown" if said in (None, "") else str(said)


def _exact(item: Item) -> tuple[dict[str, float], float, str] | None:
    """Return what stands in the meta of a region, where Affetto wrote it."""
    meta = item.get("meta")
    said = meta.get("text") if isinstance(meta, Mapping) else None
    if not (isinstance(said, list) and said and isinstance(said[0], str)):
        return None
    try:
        return heard(said[0])
    except MalformedError:  # a note that a person wrote
        return None


def _top(values: dict[str, float]) -> str:
    return max(values, key=lambda name: values[name]) if values else ""


def _track(source: str, control: _Control, rows: list[_Row]) -> Track:
    """Return the rows of one control as a Track, in order."""
    rows = sorted(rows, key=lambda row: (row.start, row.end))
    space = control.space
    if space.kind == "open":
        words = tuple(dict.fromkeys(word for row in rows for word in row.values))
        space = open_space(words, space.id)
    if space.kind == "graded" and not control.ours:
        (axis,) = space.names
        space = Space(space.id, "graded", (Axis(axis, high=max([_STARS, *(row.values.get(axis, 0) for row in rows)])),))
    values = np.full((len(rows), len(space.axes)), np.nan, np.float32)
    for i, row in enumerate(rows):
        if row.values:
            values[i] = row.others
        for name, value in row.values.items():
            values[i, space.index(name)] = value
    sure = np.array([row.confidence for row in rows])
    notes = tuple(row.note for row in rows)
    boxes = [row.box or (math.nan,) * 4 for row in rows] if any(row.box for row in rows) else None
    return Track(
        space,
        [row.start for row in rows],  # type: ignore[arg-type]  # a Track makes arrays of them
        [row.end for row in rows],  # type: ignore[arg-type]
        values,
        rows[0].unit,
        control.subject,
        control.perspective,
        control.channel,
        source,
        confidence=None if np.isnan(sure).all() else sure,
        box=None if boxes is None else np.array(boxes, np.float32),
        note=notes if any(notes) else None,
    )
