"""ELAN (.eaf, EAF 3.0): tiers of annotations along a recording, as behavioural researchers keep them.

How a Record is said there:

- What a speaker says in timed turns is a tier of the type `words`, called `Ann words`.
- A Track in seconds is a tier called `Ann face ekman-7`: its PARTICIPANT is the subject, its ANNOTATOR the source, its
  type `space|channel|perspective`. An annotation is the main answer of a row (`joy`, and of axes `valence 0.32, arousal
  -0.10`; `?` where nothing was said); rows that meet and say the same are one annotation, so that a person can correct
  stretches. Labels are a controlled vocabulary.
- A tier below it (of the type `numbers`, included in it) has the rows themselves, exactly: `joy=0.82 anger=0.1 @0.8 #
  note`. Where somebody has changed a label, its times, or taken it away, that counts, and the numbers do not.
- Annotations of one tier never overlap: rows that do go to further tiers, whose names end in ` 2`, ` 3` ...
- The media come from the Record's signals, or else from `meta["path"]`, absolute and relative to the .eaf.
- Times are whole milliseconds; a row or turn without length lasts one. Open words come back in the order in which they
  are first said.
- Signals, people, meta, sources and spaces that nobody else knows stand in the PROPERTY `affetto` of the header, which
  ELAN keeps. Several Records are one document in which the names of tiers begin with `#1 `, `#2 ` ...
- Left out, and named in that property: Tracks in characters or turns, vectors, and graded spaces of over 8 axes
  (blendshapes, action units, acoustic descriptors), which ELAN shows as curves of a table (.csv); further boxes,
  `about`, turns without time, Tracks without rows. For whole Records there is JSON.

The date is always the same, so that the same Records give the same bytes. Knows how to write it, and the doors;
`eaf_reading` reads.
"""

import mimetypes
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from affetto.core import plain
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.formats import jsonl
from affetto.formats.eaf_reading import (
    NUMBERS,
    PROPERTY,
    SCHEMA,
    WORDS,
    gist,
    quoted_part,
    read_records,
    short,
)
from affetto.formats.growing import whole
from affetto.formats.quoting import NOTHING, layers, said

MOST_AXES = 8
"""Axes of a graded space that is said in annotations."""
_INCLUDED = "Included_In"
_CONSTRAINTS = {
    "Time_Subdivision": "Time subdivision of parent annotation's time interval, no time gaps allowed within this "
    "interval",
    "Symbolic_Subdivision": "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are "
    "ordered",
    "Symbolic_Association": "1-1 association with a parent annotation",
    _INCLUDED: "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
}
"""The constraints that every document of ELAN names, in its own words."""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT AUTHOR="Affetto" DATE="2000-01-01T00:00:00+00:00" '
    'FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">\n'
)
_LANGUAGE = (
    '    <LOCALE LANGUAGE_CODE="en"/>\n    <LANGUAGE LANG_DEF="http://cdb.iso.org/lg/CDB-00138502-001" LANG_ID="eng" '
    'LANG_LABEL="English (eng)"/>\n'
)
Label = tuple[int, int, str]
"""Milliseconds of begin and end, and what is said."""


def read(path: str | Path, space: str = "") -> Iterator[Record]:
    """Read the Record of a document, or the Records that Affetto wrote into it.

    Tiers of others: words are turns of the PARTICIPANT; labels are a Track of a human rater (`rater:` and the
    ANNOTATOR), in a space that knows all of them, or in an open one. `eaf_reading` says more.

    Args:
        path: the file.
        space: the id of a space for tiers of others all of whose labels are names in it; by default one is looked for.

    Raises:
        UnreadableError: there is no such file, it is no .eaf, or it is hostile; says what and where.
        UnknownNameError: there is no such space.
    """
    return read_records(path, space)


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records as one document."""
    document = _Document(Path(path).absolute().parent)
    held = list(records)
    for number, record in enumerate(held, 1):
        document.add(record, f"#{number} " if len(held) > 1 else "")
    with whole(path) as file:
        file.writelines(piece.encode("utf-8", "replace") for piece in document.pieces())


def appender(columns: Sequence[str] = ()) -> jsonl.Rewriting:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return jsonl.Rewriting(write)


@dataclass
class _Tier:
    """Annotations that do not overlap, in order."""

    name: str
    type: str
    participant: str
    labels: list[Label]
    annotator: str = ""
    parent: str = ""


@dataclass
class _Document:
    """All that the header and the end must say of the tiers."""

    folder: Path
    """Where the document will lie."""
    _tiers: list[_Tier] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _media: dict[str, None] = field(default_factory=dict)
    _types: dict[str, Space | None] = field(default_factory=dict)
    _spaces: dict[str, Any] = field(default_factory=dict)
    _sources: dict[str, None] = field(default_factory=dict)
    _frames: list[dict[str, Any]] = field(default_factory=list)

    def add(self, record: Record, prefix: str) -> None:
        """Take a Record."""
        paths = [getattr(signal, "path", "") for signal in record.signals] or [str(record.meta.get("path") or "")]
        self._media |= dict.fromkeys(filter(None, paths))
        self._words(record, prefix)
        out = [track for track in record.tracks if not _sayable(track)]
        for track in record.tracks:
            if _sayable(track):
                self._track(track, prefix)
        frame = plain.from_record(record.blind()) | {"turns": []}
        self._frames.append(frame | {"left_out": [_named(track) for track in out]})

    def _words(self, record: Record, prefix: str) -> None:
        speakers: dict[str, list[Label]] = {}
        for turn in record.turns:
            if turn.span is not None and turn.span.unit == "s":
                place = _place(turn.span.start, turn.span.end)
                speakers.setdefault(turn.speaker, []).append((*place, turn.text))
        for speaker, labels in speakers.items():
            self._types.setdefault(WORDS, None)
            for layer in _apart(labels):
                self._tiers.append(_Tier(self._free(f"{prefix}{speaker} {WORDS}"), WORDS, speaker, layer))

    def _track(self, track: Track, prefix: str) -> None:
        space = track.space
        type = "|".join(map(quoted_part, (space.id, track.channel, track.perspective)))
        known = space if space.kind in ("one", "any") else None
        self._types.setdefault(type, known)
        self._types.setdefault(NUMBERS, None)
        self._sources.setdefault(track.source)
        self._spaces.setdefault(space.id, gist(space))
        rows = [(*_place(*at), said(track, i)) for i, at in enumerate(zip(track.start, track.end, strict=True))]
        tops = {id(row): _main(track, i) for i, row in enumerate(rows)}
        for layer in _apart(rows):
            name = self._free(f"{prefix}{track.subject} {track.channel} {space.id}")
            labels = _stretches([(start, end, tops[id(row)]) for row in layer for start, end, _ in [row]])
            self._tiers.append(_Tier(name, type, track.subject, labels, track.source))
            below = self._free(f"{name} {NUMBERS}")
            self._tiers.append(_Tier(below, NUMBERS, track.subject, layer, track.source, name))

    def _free(self, name: str) -> str:
        """Return a name that no tier has yet."""
        name = _xml(name)
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name} {number}"
        self._names.add(free)
        return free

    def pieces(self) -> Iterator[str]:
        """Yield the document."""
        yield _HEAD
        count = sum(len(tier.labels) for tier in self._tiers)
        yield '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">\n'
        for path in self._media:
            yield f"        <MEDIA_DESCRIPTOR {self._medium(path)}/>\n"
        facts = {"schema": SCHEMA, "sources": list(self._sources), "spaces": self._spaces, "records": self._frames}
        held = escape(jsonl.dump(facts, ascii=True).decode("ascii"))
        yield f'        <PROPERTY NAME="{PROPERTY}">{held}</PROPERTY>\n'
        yield f'        <PROPERTY NAME="lastUsedAnnotationId">{count}</PROPERTY>\n    </HEADER>\n'
        slots = self._slots()
        yield "    <TIME_ORDER>\n"
        for number, (time, *_) in enumerate(slots, 1):
            yield f'        <TIME_SLOT TIME_SLOT_ID="ts{number}" TIME_VALUE="{time}"/>\n'
        yield "    </TIME_ORDER>\n"
        names = {(annotation, edge): f"ts{n}" for n, (_, annotation, edge) in enumerate(slots, 1)}
        first = 1
        for tier in self._tiers:
            yield from _annotations(tier, first, names)
            first += len(tier.labels)
        yield from self._end()

    def _slots(self) -> list[tuple[int, int, int]]:
        """Return time, number of the annotation and 0 or 1 (its begin or end), in order of time."""
        labels = (label for tier in self._tiers for label in tier.labels)
        return sorted((at, n, edge) for n, label in enumerate(labels, 1) for edge, at in enumerate(label[:2]))

    def _medium(self, path: str) -> str:
        kind = mimetypes.guess_type(path)[0] or "unknown"
        told = {"MEDIA_URL": path, "MIME_TYPE": kind}
        if "://" not in path:
            there = Path(path).absolute()
            told["MEDIA_URL"] = "file:///" + there.as_posix().lstrip("/")
            try:
                relative = PurePath(os.path.relpath(there, self.folder)).as_posix()
            except ValueError:  # another drive
                relative = ""
            if relative:
                told["RELATIVE_MEDIA_URL"] = relative if relative.startswith("..") else f"./{relative}"
        return " ".join(f"{key}={quoteattr(_xml(value))}" for key, value in told.items())

    def _end(self) -> Iterator[str]:
        spaces = {space.id: space for space in self._types.values() if space is not None}
        for type, space in self._types.items():
            below = f' CONSTRAINTS="{_INCLUDED}"' if type == NUMBERS else ""
            words = f" CONTROLLED_VOCABULARY_REF={quoteattr(_xml(space.id))}" if space is not None else ""
            yield f'    <LINGUISTIC_TYPE{below}{words} GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID='
            yield f'{quoteattr(_xml(type))} TIME_ALIGNABLE="true"/>\n'
        yield _LANGUAGE
        for name, text in _CONSTRAINTS.items():
            yield f'    <CONSTRAINT DESCRIPTION="{text}" STEREOTYPE="{name}"/>\n'
        number = 0
        for space in spaces.values():
            yield f"    <CONTROLLED_VOCABULARY CV_ID={quoteattr(_xml(space.id))}>\n"
            yield '        <DESCRIPTION LANG_REF="eng">A label space of Affetto</DESCRIPTION>\n'
            for name, meaning in [*((a.name, a.definition) for a in space.axes), (NOTHING, "Nothing is said.")]:
                number += 1
                yield f'        <CV_ENTRY_ML CVE_ID="cveid{number}"><CVE_VALUE DESCRIPTION={quoteattr(_xml(meaning))} '
                yield f'LANG_REF="eng">{_text(name)}</CVE_VALUE></CV_ENTRY_ML>\n'
            yield "    </CONTROLLED_VOCABULARY>\n"
        yield "</ANNOTATION_DOCUMENT>\n"


def _annotations(tier: _Tier, first: int, names: dict[tuple[int, int], str]) -> Iterator[str]:
    told = {"LINGUISTIC_TYPE_REF": tier.type, "PARTICIPANT": tier.participant, "TIER_ID": tier.name}
    told |= {"ANNOTATOR": tier.annotator} if tier.annotator else {}
    told |= {"PARENT_REF": tier.parent} if tier.parent else {}
    yield f'    <TIER DEFAULT_LOCALE="en" {" ".join(f"{k}={quoteattr(_xml(v))}" for k, v in told.items())}>\n'
    for number, (_, _, text) in enumerate(tier.labels, first):
        yield (
            f'        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" TIME_SLOT_REF1="{names[number, 0]}" '
            f'TIME_SLOT_REF2="{names[number, 1]}"><ANNOTATION_VALUE>{_text(text)}</ANNOTATION_VALUE>'
            "</ALIGNABLE_ANNOTATION></ANNOTATION>\n"
        )
    yield "    </TIER>\n"


def _sayable(track: Track) -> bool:
    fits = track.space.kind != "vector" and (track.space.kind != "graded" or len(track.space.axes) <= MOST_AXES)
    return track.unit == "s" and len(track) > 0 and fits


def _named(track: Track) -> str:
    return f"{track.subject} {track.channel} {track.space.id}: {len(track)} rows in {track.unit}"


def _main(track: Track, row: int) -> str:
    values = {n: float(str(v)) for n, v in zip(track.space.names, track.values[row], strict=True) if not np.isnan(v)}
    return short(values, track.space)


def _place(start: float, end: float) -> tuple[int, int]:
    """Return milliseconds, at least one of them."""
    first = round(float(start) * 1000)
    return first, max(first + 1, round(float(end) * 1000))


def _apart(labels: list[Label]) -> list[list[Label]]:
    """Return them in layers in which none overlaps another, each in order."""
    mine = sorted(labels, key=lambda one: one[:2])
    found: dict[int, list[Label]] = {}
    for layer, one in zip(layers((start, end) for start, end, _ in mine), mine, strict=True):
        found.setdefault(layer, []).append(one)
    return list(found.values())


def _stretches(labels: list[Label]) -> list[Label]:
    """Return labels with those that meet and are the same as one."""
    found: list[Label] = []
    for start, end, text in labels:
        if found and found[-1][1:] == (start, text):
            found[-1] = (found[-1][0], end, text)
        else:
            found.append((start, end, text))
    return found


def _text(text: str) -> str:
    return escape(_xml(text), {"\r": "&#13;"})


def _xml(text: str) -> str:
    """Return a text without what XML cannot hold: such characters become U+FFFD."""
    return "".join(c if (c >= " " and c not in "\ufffe\uffff") or c in "\t\n\r" else "\ufffd" for c in text)
