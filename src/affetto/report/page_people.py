"""Who is on the page, and what of each: their lanes, valence, speech, marks of conflict, shares and peaks.

Chooses among the Tracks of a Record and counts; knows neither JSON nor HTML.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from affetto.core.record import Record
from affetto.core.signal import Audio, Frames
from affetto.core.span import Unit
from affetto.core.track import Array, Track
from affetto.report.page_labels import PLAIN

CHANNELS = ("fused", "text", "voice", "face", "body", "scene", "music", "physiology")
"""The order of lanes and of evidence."""
_BEST = ("ekman-7", "ekman-8", "ekman-6", "ravdess-8")
"""Spaces whose Track is the lane where a source answers in several."""
_DEGREES = ("va", "vad")
_FEW = 8
"""Axes that a graded Track may have to be told in the evidence."""
_KINDS = ("one", "any", "open")
_MOVING = ("head-pose", "gaze")
"""Graded, with few axes, and no answer about feelings."""
_FEWEST = 1e-3


@dataclass(frozen=True)
class Mark:
    """A stretch in which a person's channels contradict each other."""

    start: float
    end: float
    degree: float
    channel: str
    """Which deviates; empty where nobody knows."""
    note: str = ""


@dataclass(frozen=True)
class Peak:
    """A moment at which a feeling was the strongest."""

    at: float
    label: str
    value: float
    note: str = ""


@dataclass(frozen=True)
class Spoken:
    """A turn with its place on the clock, if it has one."""

    speaker: str
    place: tuple[float, float] | None
    text: str


@dataclass
class Person:
    """One subject, and what is told of them."""

    name: str
    facts: Mapping[str, Any]
    lanes: list[Track] = field(default_factory=list)
    """Labels, one Track of each channel and source."""
    also: list[Track] = field(default_factory=list)
    """Further labels and degrees, for the evidence only."""
    degrees: Track | None = None
    """Valence and arousal: fused, or else of the first channel that has them."""
    units: Track | None = None
    prosody: Track | None = None
    speaking: list[tuple[float, float, float]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def main(self) -> Track | None:
        """The lane that sums them up: fused, or else the first."""
        return self.lanes[0] if self.lanes else None


@dataclass
class Cast:
    """All that the page is about."""

    unit: Unit
    end: float
    people: list[Person]
    turns: list[Spoken]
    readers: list[Track]
    """What a reader or viewer may feel: nobody's own feeling."""
    reasons: list[Track]
    """Explanations: Tracks in the space `importance`."""
    left: list[str]
    """Ids of spaces that the page does not draw."""


def gather(record: Record) -> Cast:
    """Return who is on the page and what of them; without Tracks and turns, nobody is there."""
    unit = _unit(record)
    turns = _turns(record, unit)
    cast = Cast(unit, 0.0, [], turns, [], [], [])
    found: dict[str, list[Track]] = {name: [] for name in record.people}
    ends = [turn.place[1] for turn in turns if turn.place]
    ends += [s.duration for s in record.signals if isinstance(s, Audio | Frames) and s.duration > 0 and unit == "s"]
    for given in record.tracks:
        if given.space.id == "importance":
            cast.reasons.append(given)
            continue
        track = _placed(given, record, unit)
        if track is None or not len(track) or not track.space.axes:
            cast.left.append(given.space.id)
            continue
        ends.append(float(track.end.max()))
        if track.perspective == "evoked" or track.subject == "reader":
            cast.readers.append(track)
        else:
            found.setdefault(track.subject, []).append(track)
    for turn in turns:
        found.setdefault(turn.speaker, [])
    cast.end = max(ends, default=0.0)
    for name, tracks in found.items():
        person, left = _person(name, record.people.get(name, {}), tracks)
        if not person.speaking:
            person.speaking = [(*turn.place, 1.0) for turn in turns if turn.place and turn.speaker == name]
        cast.people.append(person)
        cast.left += left
    return cast


def _unit(record: Record) -> Unit:
    """Return what the clock counts: seconds where anything has them, else turns, else characters."""
    units = {track.unit for track in record.tracks if len(track) and track.space.id != "importance"}
    timed = any(turn.span is not None and turn.span.unit == "s" for turn in record.turns)
    if "s" in units or timed or any(isinstance(signal, Audio | Frames) for signal in record.signals):
        return "s"
    return "turn" if "turn" in units or record.turns else "char"


def _turns(record: Record, unit: Unit) -> list[Spoken]:
    if not record.turns:
        return [
            Spoken(piece.subject, (piece.start, piece.end) if unit == "char" else None, piece.text)
            for piece in record.pieces()
        ]
    found = []
    for k, turn in enumerate(record.turns):
        place = (turn.span.start, turn.span.end) if turn.span is not None and turn.span.unit == unit else None
        if unit == "turn":
            place = (float(k), k + 1.0)
        found.append(Spoken(turn.speaker or "speaker", place, turn.text))
    return found


def _placed(track: Track, record: Record, unit: Unit) -> Track | None:
    """Return a Track on the page's clock: rows of turns lie where their turns do; None where it has no place."""
    if track.unit == unit:
        return track
    if not (track.unit == "turn" and unit == "s"):
        return None
    timed = {k: turn.span for k, turn in enumerate(record.turns) if turn.span is not None and turn.span.unit == "s"}
    rows = [i for i, k in enumerate(track.start) if int(k) in timed]
    spans = [timed[int(track.start[i])] for i in rows]
    start, end = np.array([span.start for span in spans]), np.array([span.end for span in spans])
    return replace(track[rows], start=start, end=end, unit="s") if rows else None


def _person(name: str, facts: Mapping[str, Any], tracks: Sequence[Track]) -> tuple[Person, list[str]]:
    """Return a person made of their Tracks, and the spaces that are left out."""
    person, left = Person(name, facts), []
    lanes: dict[tuple[str, str], list[Track]] = {}
    degrees: list[Track] = []
    for track in tracks:
        space = track.space
        match space.id:
            case "speaking":
                person.speaking += _stretches(track)
            case "conflict":
                person.marks += _marks(track)
            case "facs-au":
                person.units = person.units or track
            case "prosody":
                person.prosody = person.prosody or track
            case _ if space.kind in _KINDS:
                lanes.setdefault((track.channel, track.source), []).append(track)
            case _ if space.id in _DEGREES:
                degrees.append(track)
            case _ if space.kind == "graded" and len(space.axes) <= _FEW and space.id not in _MOVING:
                person.also.append(track)
            case _:
                left.append(space.id)
    for (_, _), found in sorted(lanes.items(), key=lambda item: CHANNELS.index(item[0][0])):
        best = min(found, key=_rank)
        person.lanes.append(best)
        person.also += [track for track in found if track is not best]
    degrees.sort(key=lambda track: (CHANNELS.index(track.channel), track.space.id))
    person.degrees = degrees[0] if degrees else None
    person.also += degrees[1:]
    return person, left


def _rank(track: Track) -> tuple[int, int]:
    known = _BEST.index(track.space.id) if track.space.id in _BEST else len(_BEST)
    return known, _KINDS.index(track.space.kind)


def _stretches(track: Track) -> list[tuple[float, float, float]]:
    said = track.values[:, 0]
    return [(float(a), float(b), float(v)) for a, b, v in zip(track.start, track.end, said, strict=True) if v >= 0.5]


def _marks(track: Track) -> list[Mark]:
    """Return the stretches of rows whose notes say what contradicts what: the highest row of each names the channel."""
    if "conflict" not in track.space.names or track.note is None:
        return []
    degree = np.nan_to_num(track.column("conflict"))
    high = np.flatnonzero(track.noted)
    found = []
    for run in np.split(high, np.flatnonzero(np.diff(high) > 1) + 1) if len(high) else []:
        top = int(run[np.argmax(degree[run])])
        others = [(float(v), axis.name) for v, axis in zip(track.values[top], track.space.axes, strict=True)]
        shares = [(v, name) for v, name in others if name != "conflict" and v > 0]
        found.append(
            Mark(
                start=float(track.start[run[0]]),
                end=float(track.end[run[-1]]),
                degree=float(degree[top]),
                channel=max(shares)[1] if shares else "",
                note=track.note[top],
            )
        )
    return found


def _weights(track: Track) -> Array:
    return np.asarray(np.maximum(track.end - track.start, _FEWEST))


def shares(track: Track) -> tuple[list[tuple[str, float]], float]:
    """Return in which share of the time said each label is the strongest, largest first, and how much is said."""
    said = ~np.isnan(track.values).all(1)
    weight = _weights(track)
    if not said.any():
        return [], 0.0
    tops = np.argmax(np.nan_to_num(track.values[said], nan=-1.0), axis=1)
    sums = np.bincount(tops, weight[said], len(track.space.axes))
    order = np.argsort(-sums, kind="stable")
    whole = float(weight[said].sum())
    return [(track.space.names[i], float(sums[i]) / whole) for i in order if sums[i] > 0], whole


def chances(track: Track) -> list[tuple[str, float]]:
    """Return the probabilities of the first row that says anything, largest first, of 1 in all."""
    row = np.nan_to_num(track.values[~np.isnan(track.values).all(1)][0].astype(float))
    order = np.argsort(-row, kind="stable")
    return [(track.space.names[i], float(row[i] / max(row.sum(), 1.0))) for i in order if row[i] >= _FEWEST]


def means(track: Track | None) -> dict[str, float]:
    """Return the mean of valence and arousal over the time said; empty where there is none."""
    found: dict[str, float] = {}
    for name in ("valence", "arousal") if track is not None else ():
        if track is not None and name in track.space.names:
            column, weight = track.column(name).astype(float), _weights(track)
            said = ~np.isnan(column)
            if said.any():
                found[name] = float(np.average(column[said], weights=weight[said]))
    return found


def peaks(track: Track, most: int, apart: float) -> list[Peak]:
    """Return the rows at which a feeling other than neutral was the strongest, in order of time.

    Of rows with the same label only one within three times `apart` is taken, of others one within `apart`.
    """
    plain = [i for i, name in enumerate(track.space.names) if name in PLAIN]
    values = np.nan_to_num(track.values.astype(float))
    top = values.argmax(1)
    height = np.where(np.isin(top, plain), 0.0, values.max(1, initial=0.0))
    chosen: list[int] = []
    for i in np.argsort(-height, kind="stable"):
        if height[i] < 0.25 or len(chosen) >= most:
            break
        if all(abs(track.start[i] - track.start[j]) >= apart * (3 if top[i] == top[j] else 1) for j in chosen):
            chosen.append(int(i))
    chosen.sort(key=lambda i: track.start[i])
    return [
        Peak(
            at=float((track.start[i] + track.end[i]) / 2),
            label=track.space.names[int(top[i])],
            value=float(height[i]),
            note=track.note[i] if track.note else "",
        )
        for i in chosen
    ]
