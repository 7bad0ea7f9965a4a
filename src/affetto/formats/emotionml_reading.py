"""EmotionML 1.0 back to Records: our own documents as they were, other people's as one Record with Tracks.

Of a stranger's document: each vocabulary, channel and subject gives a Track, a row an `<emotion>` (or a sample of a
`<trace>`). Categories stand in a space of kind `any`, one that is only named counts as 1; dimensions are graded 0..1,
but PAD becomes our vad. Offsets become seconds, absolute times seconds since the earliest, and without any time a row
is a turn. Knows the standard; `markup` knows XML.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from affetto.core import plain
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.space import Axis, Space
from affetto.core.track import Channel, Track
from affetto.formats import jsonl
from affetto.formats.finding import find_space, same_space
from affetto.formats.markup import Node, nodes
from affetto.formats.vocabularies import SPACES, STANDARD, W3C, scaled, unscaled, vocabulary

NAMESPACE = "http://www.w3.org/2009/10/emotionml"
OWN = "urn:affetto:emotionml-1"
SCHEMA = "affetto-emotionml-1"
TYPES = ("category", "dimension", "appraisal", "action-tendency")
_CHANNELS = {
    "gaze": "face",
    "head": "face",
    "torso": "body",
    "gesture": "body",
    "leg": "body",
    "locomotion": "body",
    "posture": "body",
}
_MOST_ROWS = 2_000_000
"""Rows of a stranger's document, which must lie in memory whole."""


def read_records(path: str | Path) -> Iterator[Record]:
    """Read the Records of a document.

    Raises:
        UnreadableError: it is no EmotionML 1.0, or it is hostile.
    """
    name = Path(path).name
    stream = nodes(path)
    root = next(stream)
    if root.name != _tag("emotionml") or root.attributes.get("version") != "1.0":
        raise UnreadableError(
            f"{name} is no EmotionML 1.0: its root is {root.name!r}, version {root.attributes.get('version')!r}"
        )
    document = _Document(name, root.attributes)
    try:
        for node in stream:
            yield from document.take(node)
        yield from document.rest(Path(path).stem)
    except (MalformedError, KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(
            f"{name} is no EmotionML that makes sense, near emotion {document.count}: {error}"
        ) from None


@dataclass
class _Vocabulary:
    type: str
    items: tuple[str, ...]
    space: dict[str, Any] | None


@dataclass
class _Ours:
    """A Record of our own whose emotions still come."""

    number: int
    said: dict[str, Any]
    tracks: dict[int, dict[str, Any]] = field(default_factory=dict)

    def record(self) -> Record:
        tracks = {i: plain.to_track(said, find_space) for i, said in self.said.get("beside", ())}
        tracks |= {i: plain.to_track(said, find_space) for i, said in self.tracks.items()}
        bare = plain.to_record(self.said, find_space)
        return bare.add(*(tracks[i] for i in sorted(tracks)))


class _Document:
    def __init__(self, name: str, root: dict[str, str]) -> None:
        self.count = 0
        self._name, self._root = name, root
        self._vocabularies: dict[str, _Vocabulary] = {}
        self._alone: list[dict[str, Any]] = []
        self._ours: _Ours | None = None
        self._strange: list[Node] = []
        self._last: tuple[Any, tuple[Space, tuple[str, ...]]] = None, (Space("", "any", ()), ())

    def take(self, node: Node) -> Iterator[Record]:
        """Take a child of the root; yield the Records that are whole by now."""
        if node.name == _tag("info"):
            self._alone += [self._json(child) for child in node.all(_own("record"))]
        elif node.name == _tag("vocabulary"):
            self._vocabulary(node)
        elif node.name == _tag("emotion"):
            self.count += 1
            note = next((row for info in node.all(_tag("info")) for row in info.all(_own("row"))), None)
            if note is None:
                self._strange.append(node)
                if len(self._strange) > _MOST_ROWS:
                    raise UnreadableError(f"{self._name} has over {_MOST_ROWS:,} emotions; split it")
            else:
                yield from self._row(node, self._json(note))
        else:
            raise UnreadableError(f"{self._name} holds a {node.name!r} where EmotionML has none")

    def rest(self, stem: str) -> Iterator[Record]:
        """Yield what is left at the end."""
        yield from self._finish(None)
        if self._strange:
            yield _Stranger(self._name, self._root, self._vocabularies).record(self._strange, stem)

    def _json(self, node: Node) -> dict[str, Any]:
        said = jsonl.parse(node.text, f"the info of {self._name}")
        if not isinstance(said, dict):
            raise UnreadableError(f"the info of {self._name} wants a JSON object, not {type(said).__name__}")
        return said

    def _vocabulary(self, node: Node) -> None:
        id, type = node.attributes.get("id", ""), node.attributes.get("type", "")
        items = tuple(item.attributes["name"] for item in node.all(_tag("item")))
        if type not in TYPES or not id or not items or id in self._vocabularies or len(set(items)) < len(items):
            raise UnreadableError(
                f"the vocabulary {id!r} of {self._name} wants an id of its own, a type ({', '.join(TYPES)}) and items"
            )
        space = next((s for info in node.all(_tag("info")) for s in info.all(_own("space"))), None)
        self._vocabularies[id] = _Vocabulary(type, items, None if space is None else self._json(space))

    def _row(self, node: Node, note: dict[str, Any]) -> Iterator[Record]:
        if self._ours is None or self._ours.number != note["record"]:
            yield from self._finish(note["record"])
            self._ours = _Ours(note["record"], note["of"])
        tracks = self._ours.tracks
        i = note["track"]
        if i not in tracks:
            tracks[i] = {key: note[key] for key in ("unit", "subject", "perspective", "channel", "source")}
            tracks[i]["space"] = self._space(note["space"])
        track = tracks[i]
        if track["unit"] == "s":
            note["start"], note["end"] = _seconds(node, note["start"], note["end"])
        note["values"] = self._values(node, note["values"], track["space"])
        for column in ("start", "end", "values", "confidence", "box", "about", "note"):
            if column in note:
                track.setdefault(column, []).append(note[column])

    def _finish(self, upto: int | None) -> Iterator[Record]:
        if self._ours is not None:
            yield from self._before(self._ours.number)
            ours, self._ours = self._ours, None
            yield ours.record()
        yield from self._before(upto)

    def _before(self, upto: int | None) -> Iterator[Record]:
        while self._alone and (upto is None or self._alone[0]["number"] < upto):
            said = self._alone.pop(0)
            yield _Ours(said["number"], said).record()

    def _space(self, said: Any) -> dict[str, Any]:
        if isinstance(said, str):
            said = self._vocabularies[said.removeprefix("#")].space
        if not isinstance(said, dict):
            raise UnreadableError(f"a vocabulary of {self._name} does not say its space")
        return said

    def _values(self, node: Node, exact: list[float | None], said: dict[str, Any]) -> list[float | None]:
        """Return the exact values of our info, but those of the standard's part where somebody changed that."""
        space, names = self._named(said)
        found = {child.attributes["name"]: child for type in TYPES for child in node.all(_tag(type))}
        if all(value is None for value in exact) and [x.attributes.get("confidence") for x in found.values()] == ["0"]:
            return exact
        values: list[float | None] = []
        for name, axis, value in zip(names, space.axes, exact, strict=True):
            share = _share(found[name], "value", self._name) if name in found else None
            same = share is not None and value is not None and abs(scaled(value, axis, space.kind) - share) < 1e-6
            values.append(value if same else None if share is None else unscaled(share, axis, space.kind))
        return values

    def _named(self, said: dict[str, Any]) -> tuple[Space, tuple[str, ...]]:
        key = (said["id"], said["kind"], tuple(said["names"]), str(said.get("ranges")))
        if key != self._last[0]:
            space = plain.to_track({"space": said, "start": [], "end": [], "values": []}).space
            self._last = key, (space, vocabulary(space, "own").names)
        return self._last[1]


@dataclass
class _Series:
    """Rows of one vocabulary, channel and subject."""

    rows: list[tuple[float, float, dict[str, float], float, str]] = field(default_factory=list)
    """Start, end, name -> value, confidence, note."""
    names: dict[str, None] = field(default_factory=dict)


class _Stranger:
    """Makes one Record of the emotions of somebody else."""

    def __init__(self, name: str, root: dict[str, str], vocabularies: dict[str, _Vocabulary]) -> None:
        self._name, self._root, self._vocabularies = name, root, vocabularies
        self._series: dict[tuple[str, str, str, str, str, str], _Series] = {}
        self._began = 0

    def record(self, emotions: list[Node], id: str) -> Record:
        """Return the Record of all emotions."""
        starts = [int(e.attributes["start"]) for e in emotions if e.attributes.get("start", "").isdigit()]
        self._began = min(starts, default=0)
        for i, emotion in enumerate(emotions):
            self._emotion(emotion, i)
        meta = {"began": self._began} if starts else {}
        return Record(id, tracks=tuple(itertools.starmap(self._track, self._series.items())), meta=meta)

    def _emotion(self, node: Node, i: int) -> None:
        start, end, unit = self._time(node, i)
        told = {
            child.attributes.get("role", "expressedBy"): child.attributes["uri"]
            for child in node.all(_tag("reference"))
        }
        subject, perspective = told.get("experiencedBy", "someone"), "felt" if "experiencedBy" in told else "expressed"
        through = node.attributes.get("expressed-through", "").split()
        channels = [_CHANNELS.get(word, word) for word in through]
        channel = next((word for word in channels if word in get_args(Channel)), "fused")
        described = 0
        for type in TYPES:
            children = node.all(_tag(type))
            described += len(children)
            names = [child.attributes["name"] for child in children]
            if len(set(names)) < len(names):
                raise UnreadableError(f"emotion {i + 1} of {self._name} names {names} twice")
            uri = node.attributes.get(f"{type}-set") or self._root.get(f"{type}-set", "")
            series = (
                self._series.setdefault((type, uri, unit, subject, perspective, channel), _Series())
                if children
                else None
            )
            if series is not None:
                series.names.update(dict.fromkeys(names))
                series.rows += self._rows(children, start, end, type, node.text.strip())
        if not described:
            raise UnreadableError(f"emotion {i + 1} of {self._name} holds no {', '.join(TYPES)}")

    def _rows(
        self, children: list[Node], start: float, end: float, type: str, note: str
    ) -> Iterator[tuple[float, float, dict[str, float], float, str]]:
        said: dict[str, float] = {}
        sure: dict[str, float] = {}
        for child in children:
            name, traces = child.attributes["name"], child.all(_tag("trace"))
            for trace in traces:
                rate = float(trace.attributes["freq"].removesuffix("Hz"))
                if not 0 < rate < math.inf:
                    raise UnreadableError(
                        f"{self._name} says freq={trace.attributes['freq']!r}, not a number of Hz > 0"
                    )
                for k, sample in enumerate(trace.attributes["samples"].split()):
                    yield start + k / rate, start + (k + 1) / rate, {name: _unit(sample, self._name)}, math.nan, note
            value = _share(child, "value", self._name)
            if not traces or value is not None:
                said[name] = (1.0 if type == "category" else math.nan) if value is None else value
                sure[name] = _share(child, "confidence", self._name) or math.nan
        if said:
            top = max(said, key=lambda name: -1 if math.isnan(said[name]) else said[name])
            yield start, end, said, sure[top], note

    def _time(self, node: Node, i: int) -> tuple[float, float, str]:
        given = {
            key: int(node.attributes[key])
            for key in ("start", "end", "duration", "offset-to-start")
            if key in node.attributes
        }
        if "start" in given:
            start = (given["start"] - self._began) / 1000
            return start, max(start, (given.get("end", given["start"]) - self._began) / 1000), "s"
        if "offset-to-start" in given or "duration" in given:
            start = max(0, given.get("offset-to-start", 0)) / 1000
            return start, start + given.get("duration", 0) / 1000, "s"
        timed = any(child.all(_tag("trace")) for child in node.children)
        return (0.0, 0.0, "s") if timed else (float(i), float(i + 1), "turn")

    def _track(self, key: tuple[str, str, str, str, str, str], series: _Series) -> Track:
        type, uri, unit, subject, perspective, channel = key
        space, names = self._space(type, uri, series)
        values = [
            [
                math.nan if name not in said else unscaled(said[name], axis, space.kind)
                for name, axis in zip(names, space.axes, strict=True)
            ]
            for _, _, said, _, _ in series.rows
        ]
        starts, ends, _, sure, notes = zip(*series.rows, strict=True)
        return Track(
            space,
            starts,  # type: ignore[arg-type]
            ends,  # type: ignore[arg-type]
            values,  # type: ignore[arg-type]
            unit,  # type: ignore[arg-type]
            subject,
            perspective,  # type: ignore[arg-type]
            channel,  # type: ignore[arg-type]
            source=self._name,
            confidence=None if all(map(math.isnan, sure)) else sure,  # type: ignore[arg-type]
            note=notes if any(notes) else None,
        )

    def _space(self, type: str, uri: str, series: _Series) -> tuple[Space, tuple[str, ...]]:
        own = self._vocabularies.get(uri.removeprefix("#")) if uri.startswith("#") else None
        names = own.items if own else tuple(series.names)
        fragment = uri.rpartition("#")[2]
        if uri.startswith(W3C) and fragment in STANDARD:
            ours = STANDARD[fragment][1]
            if type == "dimension" and set(names) <= set(ours):
                axes = tuple(Axis(our, low=-1.0, high=1.0) for our in ours.values())
                return same_space(SPACES[fragment], "graded", axes), tuple(ours)
            names = tuple(dict.fromkeys([*ours, *names]))
        missing = [name for name in series.names if name not in names]
        if missing:
            raise UnreadableError(f"{self._name} uses {', '.join(missing)}, not in the vocabulary {uri!r}")
        kind: Any = "any" if type == "category" else "graded"
        return Space(fragment or type, kind, tuple(map(Axis, names))), names


def _seconds(node: Node, start: float, end: float) -> tuple[float, float]:
    """Return our exact seconds, but those of the standard's attributes where somebody changed them."""
    offset, lasts = (int(node.attributes.get(key, 0)) for key in ("offset-to-start", "duration"))
    if (offset, lasts) == (round(start * 1000), round(end * 1000) - round(start * 1000)):
        return start, end
    return offset / 1000, (offset + lasts) / 1000


def _share(node: Node, attribute: str, name: str) -> float | None:
    said = node.attributes.get(attribute)
    return None if said is None else _unit(said, name)


def _unit(said: str, name: str) -> float:
    value = float(said)
    if not 0 <= value <= 1:
        raise UnreadableError(f"{name} says {said!r} where EmotionML knows 0..1")
    return value


def _tag(local: str) -> str:
    return f"{NAMESPACE} {local}"


def _own(local: str) -> str:
    return f"{OWN} {local}"
