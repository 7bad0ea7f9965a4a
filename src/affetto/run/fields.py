"""Records of several written fields (the title and the description of a film): each is asked about on its own.

`meta["fields"]` names the Text signals of a Record and says which stretch of `record.text` each is. A Record is taken
apart into one a field, which are worked on like any others, and put together again: a Track then has a row a field,
over the characters of that field. Knows Records; knows no model and no file.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.core.track import Track

Places = dict[str, tuple[int, int]]
_Kind = tuple[Any, ...]
"""All that the rows of one Track share."""
Pass = Callable[[Iterator[Record]], Iterable[Record]]
"""Takes Records as they come and gives as many, in order."""


def places(record: Record) -> Places:
    """Return the first character of each field in `record.text`, and the one after its last; nothing without fields."""
    said = record.meta.get("fields")
    if not isinstance(said, Mapping) or len(said) != sum(isinstance(one, Text) for one in record.signals):
        return {}
    at = 0
    found: Places = {}
    for name, text in zip(said, (one.text for one in record.signals if isinstance(one, Text)), strict=True):
        found[str(name)] = (at, at + len(text))
        at += len(text) + 1
    return found


def apart(record: Record) -> list[Record]:
    """Return a Record without tracks for each field, called `id/field`; the Record itself where it has no fields.

    A field that could not be read (`meta["flaws"]`) becomes a Record with `meta["error"]`.
    """
    named = places(record)
    if not named:
        return [record]
    flaws = record.meta.get("flaws", {})
    texts = (one for one in record.signals if isinstance(one, Text))
    return [
        Record(
            f"{record.id}/{name}",
            () if name in flaws else (text,),
            people=record.people,
            meta={"field": name} | ({"error": flaws[name]} if name in flaws else {}),
        )
        for name, text in zip(named, texts, strict=True)
    ]


def together(records: Sequence[Record], parts: Sequence[Sequence[Record]]) -> list[Record]:
    """Return Records with what was found of their fields.

    Args:
        records: as they were before they were taken apart.
        parts: for each, what has become of the Records that `apart` gave, in order. What went wrong in some stands in
            `meta["error"]`; the others keep their Tracks.
    """
    stacks: dict[_Kind, _Stack] = {}
    taken: list[dict[_Kind, slice]] = []
    for record, some in zip(records, parts, strict=True):
        mine: dict[_Kind, slice] = {}
        for place, part in zip(places(record).values(), some, strict=True):
            seen: dict[_Kind, int] = {}
            for track in part.tracks:
                alike = _kind(track)
                seen[alike] = seen.get(alike, 0) + 1
                kind = (*alike, seen[alike])
                stack = stacks.setdefault(kind, _Stack())
                begun = mine[kind].start if kind in mine else stack.rows
                stack.add(track, place)
                mine[kind] = slice(begun, stack.rows)
        taken.append(mine)
    whole = {kind: stack.joined() for kind, stack in stacks.items()}
    found = [tuple(whole[kind][rows] for kind, rows in mine.items()) for mine in taken]
    return [_with(*one) for one in zip(records, parts, found, strict=True)]


def each(records: Iterable[Record], work: Pass, keep: bool = False, at_once: int = 512) -> Iterator[Record]:
    """Yield Records whose fields, where they have several, were worked on one by one.

    Args:
        records: any number of them, read as they are needed.
        work: sees a Record a field, and those without fields as they are.
        keep: do not take apart those that bear Tracks already.
        at_once: fields that are put together at a time, about.
    """
    waiting: deque[tuple[Record, int]] = deque()

    def taken() -> Iterator[Record]:
        for record in records:
            some = [record] if keep and record.tracks else apart(record)
            waiting.append((record, 0 if some[0] is record else len(some)))
            yield from some

    return _gathered(iter(work(taken())), waiting, at_once)


def _gathered(done: Iterator[Record], waiting: deque[tuple[Record, int]], at_once: int) -> Iterator[Record]:
    block: list[Record] = []
    parts: list[list[Record]] = []
    for first in done:
        record, n = waiting.popleft()
        if n:
            block.append(record)
            parts.append([first, *islice(done, n - 1)])
        if not n or n * len(block) >= at_once:
            yield from together(block, parts)
            block, parts = [], []
        if not n:
            yield first
    yield from together(block, parts)


class _Stack:
    """Rows of Tracks that differ in nothing else, moved to where their fields stand: one Track for many Records."""

    def __init__(self) -> None:
        self.rows = 0
        self._tracks: list[Track] = []
        self._starts: list[Any] = []
        self._ends: list[Any] = []

    def add(self, track: Track, place: tuple[int, int]) -> None:
        """Add rows of a field; what they do not say in characters, they say of all of it."""
        in_characters, n = track.unit == "char", len(track)
        self.rows += n
        self._tracks.append(track)
        self._starts.append(track.start + place[0] if in_characters else np.full(n, float(place[0])))
        self._ends.append(track.end + place[0] if in_characters else np.full(n, float(place[1])))
        if track.about is not None:
            self._tracks[-1] = replace(track, about=tuple(_moved(one, place[0]) for one in track.about))

    def joined(self) -> Track:
        """Return all rows, in the order in which they came."""
        first = self._tracks[0]
        columns: dict[str, Any] = {"start": np.concatenate(self._starts), "end": np.concatenate(self._ends)}
        for name in ("values", "confidence", "box"):
            if getattr(first, name) is not None:
                columns[name] = np.concatenate([getattr(track, name) for track in self._tracks])
        for name in ("about", "note"):
            if getattr(first, name) is not None:
                columns[name] = tuple(cell for track in self._tracks for cell in getattr(track, name))
        return replace(first, unit="char", **columns)


def _kind(track: Track) -> _Kind:
    said = (id(track.space), track.subject, track.perspective, track.channel, track.source)
    return (*said, *(getattr(track, name) is None for name in ("confidence", "box", "about", "note")))


def _moved(span: Span | None, start: int) -> Span | None:
    return Span(span.start + start, span.end + start, "char") if span is not None and span.unit == "char" else span


def _with(record: Record, parts: Sequence[Record], tracks: tuple[Track, ...]) -> Record:
    flaws = record.meta.get("flaws", {})
    meta = {key: value for key, value in record.meta.items() if key != "flaws"}
    named = list(zip(places(record), parts, strict=True))
    errors = [(name, part.meta["error"]) for name, part in named if "error" in part.meta]
    words = {f"{name}.{key}": said for name, part in named for key, said in part.meta.get("annotation", {}).items()}
    if errors:
        meta["error"] = "; ".join(said if name in flaws else f"{name}: {said}" for name, said in errors)
    if words:
        meta["annotation"] = words
    texts = iter([one for part in parts for one in (part.signals or (Text(""),))])
    signals = tuple(next(texts) if isinstance(one, Text) else one for one in record.signals)
    return replace(record, signals=signals, tracks=(*record.tracks, *tracks), meta=meta)
