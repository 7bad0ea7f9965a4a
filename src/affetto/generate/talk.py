"""A talk before it is played: who is there, who says what, and what is felt, shown, heard and worded.

Knows what is true of it, as a Record; draws nothing and makes no sound. Of a line the face, the voice and the words may
each show another feeling than the one felt: such a conflict is planned, and the truth says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Channel, Track

Floats = npt.NDArray[np.float32]
FEELINGS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
"""What can be felt: the labels of `ekman-7`."""
SOURCE = "drawn"
RATE = 16000
"""Samples a second of all made sound."""
MOUTH = 100
"""Rows a second of what the mouth does."""
STEP = 0.1
"""Seconds: how finely it is known what is felt."""
BEFORE, AFTER = 0.2, 0.3
"""Seconds by which a face shows a line's feeling before its first and after its last sound."""


@dataclass(frozen=True)
class Person:
    """Somebody in a talk."""

    name: str
    side: Literal["left", "middle", "right", ""] = ""
    """Where the person is seen; empty: only heard."""
    look: int = 0
    """Which of the identities that can be drawn."""
    voice: int = 0
    """Which of the voices that can be made."""


@dataclass(frozen=True)
class Line:
    """What one person says in one go."""

    speaker: str
    text: str
    feeling: str = "neutral"
    """What is felt: the truth."""
    face: str = ""
    """What the face shows; empty: what is felt."""
    voice: str = ""
    """What the voice sounds like; empty: what is felt."""
    words: str = ""
    """What the words say; empty: what is felt."""
    pause: float = 0.5
    """Seconds of silence before it; less than 0: it begins while another is spoken."""
    listeners: Mapping[str, str] = field(default_factory=dict)
    """How the faces of others take it: name -> feeling; neutral where nothing is said."""

    def __post_init__(self) -> None:
        """Refuse a feeling that is none."""
        for said in (self.feeling, self.face, self.voice, self.words, *self.listeners.values()):
            if said and said not in FEELINGS:
                raise MalformedError(f"a Line's feelings are among {', '.join(FEELINGS)}, not {said!r}")

    def shown(self, channel: str) -> str:
        """Return the feeling that `face`, `voice` or `text` shows."""
        return {"face": self.face, "voice": self.voice, "text": self.words}.get(channel, "") or self.feeling

    @property
    def conflict(self) -> bool:
        """Whether two channels are to show different feelings."""
        return len({self.shown(channel) for channel in ("face", "voice", "text")}) > 1


@dataclass(frozen=True)
class Talk:
    """People and their lines, in the order in which they begin."""

    id: str
    people: tuple[Person, ...]
    lines: tuple[Line, ...]
    lead: float = 0.6
    """Seconds before the first line, and after the last."""

    def __post_init__(self) -> None:
        """Refuse lines of people who are not there."""
        names = {person.name for person in self.people}
        for line in self.lines:
            strange = {line.speaker, *line.listeners} - names
            if strange:
                raise MalformedError(f"a Talk's lines are said by {', '.join(sorted(names))}, not {strange.pop()!r}")

    @property
    def seen(self) -> tuple[Person, ...]:
        """Those who can be seen."""
        return tuple(person for person in self.people if person.side)


@dataclass(frozen=True)
class Utterance:
    """The sound of a line."""

    sound: Floats = field(repr=False)
    """n, 16 kHz, -1..1."""
    mouth: Floats = field(repr=False)
    """m x 3, 100 rows a second, 0..1: how far the mouth is open, how round, how wide."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from: corpus, speaker, file."""


@dataclass(frozen=True)
class Spoken:
    """A line when it is spoken."""

    line: Line
    start: float
    end: float
    """Seconds."""
    heard: Utterance


@dataclass(frozen=True)
class Boxes:
    """Where the face of a person is seen."""

    times: npt.NDArray[np.float64]
    """n, seconds."""
    box: Floats
    """n x 4: left, top, right, bottom in pixels."""
    arkit: Floats
    """n x 52: what moves."""


def spoken(talk: Talk, says: Callable[[Line], Utterance]) -> tuple[Spoken, ...]:
    """Return the lines with their times: each begins when the one before is over and its pause has passed."""
    done: list[Spoken] = []
    at = talk.lead
    for line in talk.lines:
        heard = says(line)
        start = round(max(0.0, at + (line.pause if done else 0.0)), 3)
        end = start + len(heard.sound) / RATE
        done.append(Spoken(line, start, end, heard))
        at = max(at, end)
    return tuple(done)


def duration(talk: Talk, lines: Sequence[Spoken]) -> float:
    """Return how long the talk takes, in seconds, to the next tenth."""
    last = max((one.end for one in lines), default=0.0)
    return float(np.ceil((last + talk.lead) * 10) / 10)


def sound(lines: Sequence[Spoken], seconds: float) -> Floats:
    """Return what is heard, n at 16 kHz: the lines, one over the other where they overlap, never above 0.98."""
    out = np.zeros(round(seconds * RATE), np.float32)
    for one in lines:
        at = round(one.start * RATE)
        part = one.heard.sound[: max(0, len(out) - at)]
        out[at : at + len(part)] += part
    return out / np.float32(max(1.0, float(np.abs(out).max(initial=0)) / 0.98))


def faces(name: str, lines: Sequence[Spoken], seconds: float, felt: bool = False) -> list[str]:
    """Return what a face shows in each tenth of a second, or what that person feels.

    Own lines go before those of others, later ones before earlier ones.
    """
    shown = ["neutral"] * round(seconds / STEP)
    for own in (False, True):
        for one in lines:
            if (one.line.speaker == name) is not own:
                continue
            label = one.line.listeners.get(name, "neutral")
            if own:
                label = one.line.feeling if felt else one.line.shown("face")
            early, late = (BEFORE, AFTER) if own else (-0.4, 0.5)
            first, last = (round(edge / STEP) for edge in (one.start - early, one.end + late))
            for k in range(max(0, first), min(len(shown), last)):
                shown[k] = label
    return shown


def truth(talk: Talk, lines: Sequence[Spoken], boxes: Mapping[str, Boxes], seconds: float, **meta: Any) -> Record:
    """Return what is true of a talk: turns, who speaks when, and the feelings of each channel and of each person.

    Args:
        talk: who is there.
        lines: as they are spoken.
        boxes: of each person who is seen.
        seconds: how long it all takes.
        meta: more facts; `meta["lines"]` has a row a line: its feelings in every channel, and where its sound is from.
    """
    people = {
        person.name: {"visible": bool(person.side)} | ({"side": person.side} if person.side else {})
        for person in talk.people
    }
    turns = [Turn(one.line.speaker, Span(one.start, round(one.end, 3), "s"), one.line.text) for one in lines]
    tracks: list[Track] = []
    for person in talk.people:
        own = [one for one in lines if one.line.speaker == person.name]
        tracks += _heard(person.name, own)
        tracks += _felt(person, lines, boxes.get(person.name), seconds)
    rows = [
        {"speaker": one.line.speaker, "start": one.start, "end": round(one.end, 3), "feeling": one.line.feeling}
        | {channel: one.line.shown(channel) for channel in ("face", "voice", "text")}
        | {"conflict": one.line.conflict}
        | dict(one.heard.meta)
        for one in lines
    ]
    return Record(talk.id, turns=tuple(turns), people=people, tracks=tuple(tracks), meta={"lines": rows} | meta)


def _heard(name: str, own: Sequence[Spoken]) -> list[Track]:
    """Return when somebody speaks, and what voice, words and both with the face tell in each line."""
    if not own:
        return []
    start, end = np.array([one.start for one in own]), np.array([round(one.end, 3) for one in own])
    speaking = Track(
        catalog.load("speaking"), start, end, np.ones((len(own), 1)), subject=name, channel="voice", source=SOURCE,
        note=tuple(one.line.text for one in own),
    )  # fmt: skip
    voice = _labelled(name, "voice", start, end, [one.line.shown("voice") for one in own])
    text = _labelled(name, "text", start, end, [one.line.shown("text") for one in own])
    return [speaking, voice, text]


def _felt(person: Person, lines: Sequence[Spoken], seen: Boxes | None, seconds: float) -> list[Track]:
    """Return what somebody feels over time; of who is seen also what the face shows, and what in it moves."""
    name = person.name
    if seen is None:
        own = [one for one in lines if one.line.speaker == name]
        start, end = np.array([one.start for one in own]), np.array([round(one.end, 3) for one in own])
        labels = [one.line.feeling for one in own]
        conflicts = [_conflict(name, own, heard=("voice", "text"))] if own else []
        return [_labelled(name, "fused", start, end, labels), *conflicts] if own else []
    tracks = [_runs(name, "fused", faces(name, lines, seconds, felt=True))]
    tracks.append(_runs(name, "face", faces(name, lines, seconds), seen))
    own = [one for one in lines if one.line.speaker == name]
    if own:
        tracks.append(_conflict(name, own))
    every = max(1, round(0.2 * (len(seen.times) - 1) / max(float(seen.times[-1]), 1e-3)))
    start = seen.times[::every]
    end = np.append(start[1:], seconds)
    moves, box = np.round(seen.arkit[::every], 3), np.round(seen.box[::every], 1)
    space = catalog.load("arkit-52")
    return [*tracks, Track(space, start, end, moves, subject=name, channel="face", source=SOURCE, box=box)]


def _runs(name: str, channel: Channel, labels: Sequence[str], seen: Boxes | None = None) -> Track:
    """Return a row for each stretch of one label; where the face is in it, as the median."""
    rows, at = [], 0
    for label, same in groupby(labels):
        n = len(list(same))
        rows.append((round(at * STEP, 3), round((at + n) * STEP, 3), label))
        at += n
    start, end, said = zip(*rows, strict=True)
    box = None
    if seen is not None:
        middle = [np.clip([a, b - 1e-6], 0, seen.times[-1]) for a, b in zip(start, end, strict=True)]
        box = np.array([np.median(_within(seen, a, b), axis=0) for a, b in middle]).round(1)
    return _labelled(name, channel, np.array(start), np.array(end), said, box=box)


def _within(seen: Boxes, start: float, end: float) -> Floats:
    first = int(np.searchsorted(seen.times, start))
    last = max(first + 1, int(np.searchsorted(seen.times, end)))
    return seen.box[min(first, len(seen.box) - 1) : last]


def _labelled(
    name: str, channel: Channel, start: npt.ArrayLike, end: npt.ArrayLike, labels: Sequence[str], **more: Any
) -> Track:
    space = catalog.load("ekman-7")
    values = np.zeros((len(labels), len(space.axes)), np.float32)
    values[np.arange(len(labels)), [space.index(label) for label in labels]] = 1
    return Track(
        space, np.asarray(start), np.asarray(end), values, subject=name, channel=channel, source=SOURCE, **more
    )


def _conflict(name: str, own: Sequence[Spoken], heard: tuple[str, ...] = ("text", "voice", "face")) -> Track:
    """Return where somebody's channels are to differ; the share of a channel is how far it stands alone."""
    rows, notes = [], []
    for one in own:
        shown = {channel: one.line.shown(channel) for channel in heard}
        differ = len(set(shown.values())) > 1
        alone = {c: float(differ and list(shown.values()).count(label) == 1) for c, label in shown.items()}
        total = sum(alone.values()) or 1.0
        rows.append([float(differ), *(alone.get(channel, 0.0) / total for channel in ("text", "voice", "face"))])
        words = ", ".join(f"{'words' if c == 'text' else c} {label}" for c, label in shown.items())
        notes.append(words if differ else "")
    start, end = np.array([one.start for one in own]), np.array([round(one.end, 3) for one in own])
    return Track(
        catalog.load("conflict"), start, end, np.array(rows), subject=name, channel="fused", source=SOURCE,
        note=tuple(notes),
    )  # fmt: skip
