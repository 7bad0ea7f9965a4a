"""Documents of ELAN back to Records: our own as they were or corrected, other people's as turns and a rater's Tracks.

Of a stranger's document: a tier is words (turns of its PARTICIPANT) where its name or type says so, or where it is no
tier of labels: labels have at most four words and do not end as sentences do. Of a tier below words, as a translation,
the words are notes of a Track. Labels that all are names of one space become a Track in it, whatever their capitals;
else they are an open space. Annotations below others take their times from them, those without times of their own are
spread evenly. `subject` is the PARTICIPANT, or else the name of the tier; `channel` is the one that the tier or its
type names, or else `fused`; the perspective is `perceived`.

Hostile XML is refused as `markup` says. Knows the standard (EAF 2.0 to 3.0); `markup` knows XML.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from affetto.core import plain
from affetto.core.errors import AffettoError, MalformedError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.space import Axis, Space, open_space
from affetto.core.span import Span
from affetto.core.track import Channel, Perspective, Track
from affetto.formats import jsonl
from affetto.formats.eaf_tiers import Annotation, Tier, document
from affetto.formats.finding import find_space, same_space, space_of
from affetto.formats.quoting import NOTHING, heard, unquoted

SCHEMA = "affetto-eaf-1"
PROPERTY = "affetto"
WORDS = "words"
NUMBERS = "numbers"
MOST_LABELS = 1000
"""Different labels of a tier in an open space; one with more is told by notes."""
_SPEAKS = re.compile(r"words|text|utter|transcri|speech|orth|sentence|translat|gloss|comment|note", re.IGNORECASE)
_SENTENCE = re.compile(r"[.?!\u2026\u3002]\s*$|^(\S+\s+){4,}\S")
_RECORD = re.compile(r"#(\d{1,9}) ")
Row = tuple[float, float, dict[str, float], float, str]
"""Begin and end in seconds, value by name, confidence, note."""


@dataclass(frozen=True)
class _Key:
    """Whose Track a tier is."""

    subject: str
    space: str
    channel: Channel
    perspective: Perspective
    source: str


@dataclass
class _Ours:
    """What Affetto wrote into the header."""

    records: list[dict[str, Any]] = field(default_factory=list)
    sources: frozenset[str] = frozenset()
    spaces: dict[str, Any] = field(default_factory=dict)


def read_records(path: str | Path, space: str = "") -> Iterator[Record]:
    """Read the Records of a document.

    Raises:
        UnreadableError: there is no such file, it is no .eaf, or it is hostile; says what and where.
        UnknownNameError: there is no such space.
    """
    meant = find_space(space) if space else None
    name = Path(path).name
    said = document(path)
    ours = _ours(said.properties.get(PROPERTY, ""), name)
    tiers: dict[int, list[Tier]] = {number: [] for number in range(1, len(ours.records) + 1)}
    for tier in said.tiers.values():
        found = _RECORD.match(tier.name)
        number = int(found[1]) if found and int(found[1]) in tiers else 1
        tiers.setdefault(number, []).append(tier)
    for number in sorted(tiers) or [1]:
        frame = ours.records[number - 1] if number <= len(ours.records) else None
        try:
            yield _record(tiers.get(number, []), said.vocabularies, ours, frame, said.facts(path), meant)
        except (AffettoError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableError(f"{name} makes no Record: {error}") from None


def short(values: dict[str, float], space: Space) -> str:
    """Return the main answer of a row: its label, or its axes with two decimals; `?` where nothing is said."""
    if not values:
        return NOTHING
    if space.kind == "graded":
        return ", ".join(f"{name} {value:.2f}" for name, value in values.items())
    return max(values, key=lambda name: values[name])


def quoted_part(text: str) -> str:
    """Return a part of a type's name: without `|`."""
    return text.replace("%", "%25").replace("|", "%7C")


def gist(space: Space) -> dict[str, Any]:
    """Return a space as JSON; of an open one the words stand with the rows."""
    said: dict[str, Any] = {"kind": space.kind, "names": [] if space.kind == "open" else list(space.names)}
    if space.kind == "graded":
        said["ranges"] = [[axis.low, axis.high, axis.unit] for axis in space.axes]
    return said


def _ours(held: str, name: str) -> _Ours:
    if not held:
        return _Ours()
    said = jsonl.parse(held, f"the property {PROPERTY!r} of {name}")
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        return _Ours()
    try:
        return _Ours(list(said["records"]), frozenset(said["sources"]), dict(said["spaces"]))
    except (KeyError, TypeError, ValueError):
        raise UnreadableError(
            f"the property {PROPERTY!r} of {name} is damaged; remove it, and the tiers are read as anybody's"
        ) from None


def _record(
    tiers: list[Tier],
    vocabularies: dict[str, tuple[str, ...]],
    ours: _Ours,
    frame: dict[str, Any] | None,
    facts: dict[str, Any],
    meant: Space | None,
) -> Record:
    turns: list[Turn] = []
    rows: dict[_Key, list[Row]] = {}
    tracks: list[Track] = []
    spaces = {id: _space(id, said) for id, said in ours.spaces.items()}
    below = [tier for tier in tiers if frame is not None and tier.type == NUMBERS]
    for tier in tiers:
        key = _key(tier, spaces, ours.sources) if frame is not None else None
        if tier in below:
            continue
        if key is not None:
            children = [one for child in below if child.parent == tier.name for one in child.annotations]
            rows.setdefault(key, []).extend(_rows(tier.annotations, children, spaces[key.space]))
        elif not tier.parent and (tier.type == WORDS or _wordy(tier, vocabularies)):
            speaker = tier.participant if frame is not None and tier.type == WORDS else tier.subject
            turns += [Turn(speaker, Span(one.start, one.end), one.text) for one in tier.annotations]
        elif tier.annotations:
            tracks.append(_stranger(tier, vocabularies, meant))
    turns.sort(key=lambda turn: (turn.span.start, turn.span.end) if turn.span else (0, 0))
    found = [_track(key, spaces[key.space], said) for key, said in rows.items()]
    if frame is None:
        return Record(facts["id"], turns=tuple(turns), tracks=tuple(tracks), meta=facts["meta"])
    bare = plain.to_record(frame, find_space)
    return Record(bare.id, bare.signals, tuple(turns), bare.people, (*found, *tracks), bare.meta)


def _key(tier: Tier, spaces: dict[str, Space], sources: frozenset[str]) -> _Key | None:
    """Return whose Track a tier of ours is; None where its type is none of ours."""
    parts = [unquoted(part) for part in tier.type.split("|")]
    if len(parts) != 3 or parts[0] not in spaces:
        return None
    space, channel, perspective = parts
    if channel not in get_args(Channel) or perspective not in get_args(Perspective):
        return None
    source = tier.annotator if tier.annotator in sources else f"rater:{tier.annotator}"
    return _Key(tier.participant, space, channel, perspective, source)  # type: ignore[arg-type]  # seen to be known


def _space(id: str, said: dict[str, Any]) -> Space:
    names = said["names"]
    ranges = said.get("ranges") or [[0.0, 1.0, ""]] * len(names)
    axes = (Axis(name, low=low, high=high, unit=unit) for name, (low, high, unit) in zip(names, ranges, strict=True))
    return same_space(id, said["kind"], tuple(axes))


def _rows(labels: list[Annotation], numbers: list[Annotation], space: Space) -> Iterator[Row]:
    """Yield the rows of a tier of labels: the numbers below each where they agree with it, or else the label."""
    numbers = sorted(numbers, key=lambda one: (one.start, one.end))
    at = 0
    for label in sorted(labels, key=lambda one: (one.start, one.end)):
        while at < len(numbers) and numbers[at].end <= label.start + 1e-6:
            at += 1
        last = at
        while last < len(numbers) and numbers[last].end <= label.end + 1e-6:
            last += 1
        mine = [one for one in numbers[at:last] if one.start >= label.start - 1e-6]
        told = [(one.start, one.end, *heard(one.text)) for one in mine]
        if any(short(row[2], space) != label.text for row in told):
            told = []
        until = label.start
        for row in told:
            if row[0] > until + 1e-6:
                yield until, row[0], _values(label, space), math.nan, ""
            yield row
            until = max(until, row[1])
        if until < label.end - 1e-6:
            yield until, label.end, _values(label, space), math.nan, ""


def _values(label: Annotation, space: Space) -> dict[str, float]:
    """Return what a label says that a person wrote or left without numbers."""
    text = label.text.strip()
    if text in ("", NOTHING):
        return {}
    if space.kind == "open":
        return {text: 1.0}
    where = f"{text[:60]!r} at {label.start:g} s"
    if space.kind == "graded":
        found: dict[str, float] = {}
        for part in text.split(","):
            name, _, number = part.strip().rpartition(" ")
            try:
                found[space.names[space.index(name)]] = float(number)
            except (LookupError, ValueError):
                raise MalformedError(f"{where} is not said as 'axis number, axis number' of {space.id}") from None
        return found
    names = {name.lower(): name for name in space.names}
    parts = [text] if text.lower() in names else [part.strip() for part in text.split(",")]
    if not all(part.lower() in names for part in parts) or (space.kind == "one" and len(parts) > 1):
        raise MalformedError(f"{where} is no name in the space {space.id}: {', '.join(space.names)[:300]}")
    return dict.fromkeys(space.names, 0.0) | {names[part.lower()]: 1.0 for part in parts}


def _track(key: _Key, space: Space, rows: list[Row]) -> Track:
    rows = sorted(rows, key=lambda row: row[:2])
    if space.kind == "open":
        space = open_space(tuple(dict.fromkeys(name for row in rows for name in row[2])), space.id)
    place = {name: i for i, name in enumerate(space.names)}
    values = np.full((len(rows), len(space.axes)), np.nan, np.float32)
    for i, (start, _, told, *_) in enumerate(rows):
        for name, value in told.items():
            if name not in place:
                raise MalformedError(f"{name[:60]!r} at {start:g} s is no name in the space {space.id}")
            values[i, place[name]] = value
    sure = np.array([row[3] for row in rows])
    notes = tuple(row[4] for row in rows)
    return Track(
        space,
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        values,
        "s",
        key.subject,
        key.perspective,
        key.channel,
        key.source,
        confidence=None if np.isnan(sure).all() else sure,
        note=notes if any(notes) else None,
    )


def _wordy(tier: Tier, vocabularies: dict[str, tuple[str, ...]]) -> bool:
    """Tell whether a stranger's tier is words."""
    if tier.vocabulary in vocabularies:
        return False
    if _SPEAKS.search(tier.type) or _SPEAKS.search(tier.name):
        return True
    return any(_SENTENCE.search(one.text) for one in tier.annotations)


def _stranger(tier: Tier, vocabularies: dict[str, tuple[str, ...]], meant: Space | None) -> Track:
    """Return the Track of a stranger's tier of labels, or of words below words."""
    texts = [one.text.strip() for one in tier.annotations]
    words = dict.fromkeys(text for text in texts if text not in ("", NOTHING))
    told = _wordy(tier, vocabularies) or len(words) > MOST_LABELS
    channels = [one for one in get_args(Channel) if re.search(rf"\b{one}\b", f"{tier.name} {tier.type}".lower())]
    space: Space | None = None
    if not told:
        candidates: Iterable[str] = (*words, *vocabularies.get(tier.vocabulary, ()))
        inside = meant is not None and {w.lower() for w in words} <= {n.lower() for n in meant.names}
        space = meant if inside else space_of(tuple(candidates)) or space_of(tuple(words))
    key = _Key(
        tier.subject,
        space.id if space else "open",
        channels[0] if channels else "fused",
        "perceived",
        f"rater:{tier.annotator}",
    )
    rows: list[Row] = []
    for one, text in zip(tier.annotations, texts, strict=True):
        values = {} if told else _values(one, space or open_space(()))
        rows.append((one.start, one.end, values, math.nan, text if told else ""))
    track = _track(key, space or open_space(()), rows)
    if space is None and not told:  # a word that was not said of a row counts as 0 there
        said = ~np.isnan(track.values).all(1, keepdims=True)
        return replace(track, values=np.where(said, np.nan_to_num(track.values), np.nan))
    return track
