"""The tiers of a document of ELAN, with the seconds of every annotation. Knows EAF as XML; knows no Record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from affetto.core.errors import UnreadableError
from affetto.formats.markup import Node, nodes

_UNITS = {"milliseconds": 1e-3, "PAL-frames": 1 / 25, "NTSC-frames": 1001 / 30000}
"""Seconds of a unit of time."""
LATEST = 1e12
"""Units of time beyond which nothing lies."""


@dataclass
class Annotation:
    """What stands from when to when, in seconds."""

    start: float
    end: float
    text: str


@dataclass
class Tier:
    """One tier, its annotations in order of time."""

    name: str
    type: str = ""
    participant: str = ""
    annotator: str = ""
    parent: str = ""
    vocabulary: str = ""
    """The controlled vocabulary of its type, where it has one."""
    annotations: list[Annotation] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Whose it is: its participant, or else what it is called."""
        return self.participant or self.name


@dataclass
class Document:
    """All that is read of a document."""

    author: str = ""
    media: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    tiers: dict[str, Tier] = field(default_factory=dict)
    vocabularies: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def facts(self, path: str | Path) -> dict[str, Any]:
        """Return the id and the meta of a stranger's Record."""
        return {"id": Path(path).stem, "meta": {"path": self.media[0]} if self.media else {}}


@dataclass
class _Raw:
    """An annotation as it stands."""

    tier: str
    slots: tuple[str, str]
    """Empty where it refers to another."""
    above: str
    text: str
    place: tuple[float, float] | None = None


def document(path: str | Path) -> Document:
    """Read a document.

    Raises:
        UnreadableError: there is no such file, it is no .eaf, it makes no sense, or it is hostile.
    """
    name = Path(path).name
    stream = nodes(path)
    root = next(stream)
    if root.name != "ANNOTATION_DOCUMENT":
        raise UnreadableError(f"{name} is no .eaf: its root is {root.name[:60]!r}, not ANNOTATION_DOCUMENT")
    reader = _Reader(name, Document(root.attributes.get("AUTHOR", "")))
    for node in stream:
        reader.take(node)
    return reader.finish()


class _Reader:
    def __init__(self, name: str, document: Document) -> None:
        self._name, self._document = name, document
        self._unit = _UNITS["milliseconds"]
        self._slots: dict[str, float | None] = {}
        self._raw: dict[str, _Raw] = {}
        self._types: dict[str, str] = {}

    def take(self, node: Node) -> None:
        """Take a child of the root."""
        match node.name:
            case "HEADER":
                self._header(node)
            case "TIME_ORDER":
                self._slots |= dict(map(self._slot, node.all("TIME_SLOT")))
            case "TIER":
                self._tier(node)
            case "LINGUISTIC_TYPE":
                known = node.attributes.get("CONTROLLED_VOCABULARY_REF", "")
                self._types[node.attributes.get("LINGUISTIC_TYPE_ID", "")] = known
            case "CONTROLLED_VOCABULARY":
                words = [one.text for one in node.all("CV_ENTRY")]
                words += [one.text for entry in node.all("CV_ENTRY_ML") for one in entry.all("CVE_VALUE")[:1]]
                found = tuple(word.strip() for word in words if word.strip())
                self._document.vocabularies[node.attributes.get("CV_ID", "")] = found

    def _header(self, node: Node) -> None:
        unit = node.attributes.get("TIME_UNITS", "milliseconds")
        if unit not in _UNITS:
            raise UnreadableError(f"{self._name} counts time in {unit[:40]!r}; known: {', '.join(_UNITS)}")
        self._unit = _UNITS[unit]
        for one in node.all("MEDIA_DESCRIPTOR"):
            url = one.attributes.get("MEDIA_URL") or one.attributes.get("RELATIVE_MEDIA_URL", "")
            self._document.media.append(url.removeprefix("file://"))
        for one in node.all("PROPERTY"):
            self._document.properties[one.attributes.get("NAME", "")] = one.text

    def _slot(self, node: Node) -> tuple[str, float | None]:
        id, said = node.attributes.get("TIME_SLOT_ID", ""), node.attributes.get("TIME_VALUE")
        if said is None:
            return id, None
        try:
            value = float(said)
        except ValueError:
            value = -1.0
        if not 0 <= value <= LATEST:
            raise UnreadableError(f"the time {id[:40]!r} of {self._name} wants a number >= 0, not {said[:40]!r}")
        return id, value

    def _tier(self, node: Node) -> None:
        told = node.attributes
        name = told.get("TIER_ID", "")
        if name in self._document.tiers:
            raise UnreadableError(f"{self._name} has two tiers called {name[:60]!r}; rename one in ELAN")
        keys = ("LINGUISTIC_TYPE_REF", "PARTICIPANT", "ANNOTATOR", "PARENT_REF")
        type, participant, annotator, parent = (told.get(key, "") for key in keys)
        self._document.tiers[name] = Tier(name, type, participant, annotator, parent)
        for one in (inner for outer in node.all("ANNOTATION") for inner in outer.children):
            said = one.attributes
            text = "".join(value.text for value in one.all("ANNOTATION_VALUE"))
            slots = said.get("TIME_SLOT_REF1", ""), said.get("TIME_SLOT_REF2", "")
            id = said.get("ANNOTATION_ID", "")
            if id in self._raw:
                raise UnreadableError(f"{self._name} has two annotations called {id[:60]!r}; save it again in ELAN")
            self._raw[id] = _Raw(name, slots, said.get("ANNOTATION_REF", ""), text)

    def finish(self) -> Document:
        """Return the document, every annotation with its times."""
        for tier in self._document.tiers.values():
            tier.vocabulary = self._types.get(tier.type, "")
        for chain in self._chains():
            self._spread(chain)
        self._below()
        for raw in self._raw.values():
            start, end = raw.place or (0.0, 0.0)
            self._document.tiers[raw.tier].annotations.append(Annotation(start, end, raw.text))
        for tier in self._document.tiers.values():
            tier.annotations.sort(key=lambda one: (one.start, one.end))
        return self._document

    def _chains(self) -> Iterator[list[_Raw]]:
        """Yield annotations of one tier each of which begins at the slot at which the last one ends."""
        chain: list[_Raw] = []
        for raw in self._raw.values():
            if raw.above:
                continue
            if chain and (chain[-1].tier, chain[-1].slots[1]) != (raw.tier, raw.slots[0]):
                yield chain
                chain = []
            chain.append(raw)
        if chain:
            yield chain

    def _spread(self, chain: list[_Raw]) -> None:
        """Give the annotations of a chain their times; slots without one are spread evenly between those with one."""
        ids = [chain[0].slots[0], *(raw.slots[1] for raw in chain)]
        lacks = next((id for id in ids if id not in self._slots), None)
        if lacks is not None:
            raise UnreadableError(f"{self._name} refers to a time {lacks[:40]!r} that it does not have")
        known = [(i, time) for i, id in enumerate(ids) if (time := self._slots[id]) is not None]
        if not known:
            raise UnreadableError(f"{self._name} has annotations without any time in the tier {chain[0].tier[:60]!r}")
        times = _between(known, len(ids))
        for raw, start, end in zip(chain, times, times[1:], strict=False):
            if end < start:
                raise UnreadableError(
                    f"{self._name} ends an annotation of the tier {raw.tier[:60]!r} at {end:g}, before {start:g}"
                )
            raw.place = round(start * self._unit, 9), round(end * self._unit, 9)

    def _below(self) -> None:
        """Give annotations that refer to others the times of these; several below one share them evenly."""
        waiting: dict[tuple[str, str], list[_Raw]] = {}
        for raw in self._raw.values():
            if raw.above:
                if raw.above not in self._raw:
                    raise UnreadableError(f"{self._name} refers to an annotation {raw.above[:40]!r} that it lacks")
                waiting.setdefault((raw.above, raw.tier), []).append(raw)
        while waiting:
            ready = [key for key in waiting if self._raw[key[0]].place is not None]
            if not ready:
                raise UnreadableError(f"{self._name} has annotations that refer to each other in a circle")
            for key in ready:
                start, end = self._raw[key[0]].place or (0.0, 0.0)
                mine = waiting.pop(key)
                step = (end - start) / len(mine)
                for i, raw in enumerate(mine):
                    raw.place = start + i * step, start + (i + 1) * step


def _between(known: list[tuple[int, float]], count: int) -> list[float]:
    """Return `count` times of which some are known: the others lie evenly between these."""
    times = [known[0][1]] * count
    for (i, first), (j, last) in pairwise(known):
        for k in range(i, j + 1):
            times[k] = first + (last - first) * (k - i) / (j - i)
    for k in range(known[-1][0], count):
        times[k] = known[-1][1]
    return times
