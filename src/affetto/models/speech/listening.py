"""How Records become clips of voice to answer, and answers become Tracks again. Every speech model listens this way.

Where the turns of a Record carry their seconds, each turn is a row of its speaker. Else the voice in each channel is
found (`voice`), and each stretch of it is a row; long ones are cut. With a rate, rows come evenly, each answered from
the sound around it. Where nobody speaks there is one row over all of it, "not said", that says so. Knows no network.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio
from affetto.core.space import Space
from affetto.core.track import Perspective, Track
from affetto.models.speech.mel import RATE
from affetto.models.speech.stretches import Stretch
from affetto.models.speech.voice import Voice, VoiceOptions

Floats = npt.NDArray[np.float32]
SPEAKER = "speaker"
"""The subject of a voice that nobody names."""
NO_VOICE = "no voice"
BLOCK = 10.0
"""Seconds that are read at a time."""
KEPT = 1.0
"""Seconds of sound that are kept before what voice activity has yet to decide on."""
_AT_ONCE = 90.0
"""Seconds of clips that are answered at a time."""


@dataclass(frozen=True)
class Listening:
    """How a model goes through a recording."""

    longest: float = 6.0
    """Seconds of a row, at most; a longer stretch of voice is cut into even parts."""
    around: float = 0.5
    """Seconds that the clip of a part reaches into its neighbours, so that the windows overlap."""
    pause: float = 0.6
    """A shorter pause, in seconds, does not end a stretch of voice."""
    begin: float = VoiceOptions.begin
    """A stretch begins where the chance of voice reaches this."""
    stay: float = VoiceOptions.stay
    """It lasts while the chance stays at this."""
    shortest: float = VoiceOptions.shortest
    """Less voice than this, in seconds, is no stretch."""
    rate: float = 0.0
    """Rows a second, evenly from the beginning to the end; 0: a row a stretch of voice."""
    width: float = 2.0
    """Seconds of sound, around its middle, that a row at a rate is answered from."""
    sparse: float = 0.25
    """Share of `width` that must be voice; where there is less, the row is "not said"."""

    @property
    def voice(self) -> VoiceOptions:
        """How voice is found."""
        return VoiceOptions(self.begin, self.stay, self.shortest, self.pause)


@dataclass(frozen=True)
class Answer:
    """What a network says of n clips in one space."""

    space: Space
    values: Floats
    """n x k; NaN where it does not say."""
    confidence: Floats | None = None
    """n."""
    perspective: Perspective = "expressed"
    note: Sequence[str] | None = None
    """n."""


Answerer = Callable[[Sequence[Floats]], Sequence[Answer]]
"""Takes n clips at 16 kHz, of any lengths, and answers in each of its spaces."""


class Piece(NamedTuple):
    """A row to be, and the sound that it is answered from; no sound where nobody speaks there."""

    record: int
    subject: str
    start: float
    end: float
    clip: Floats | None
    note: str = ""


class _Row(NamedTuple):
    piece: Piece
    values: Floats
    confidence: float
    note: str


def read(
    records: Sequence[Record], answer: Answerer, card: Card, options: Listening | None = None
) -> list[tuple[Track, ...]]:
    """Answer the voices of `records`, and return each Record's Tracks, in order; a Record without sound gets none.

    Raises:
        MalformedError: a sound has another rate than 16 kHz.
        UnreadableError: a sound was only named, not opened.
    """
    options = options or Listening()
    found = (piece for i, record in enumerate(records) for piece in pieces(record, options, i))
    return said_of(found, answer, card, len(records))


def said_of(pieces: Iterable[Piece], answer: Answerer, card: Card, records: int = 1) -> list[tuple[Track, ...]]:
    """Answer rows to be, some at a time, and return the Tracks of each of so many Records."""
    said: dict[tuple[int, str], list[_Row]] = {}
    kinds: dict[str, Answer] = {}
    for batch in _batches(pieces):
        heard = [piece for piece in batch if piece.clip is not None]
        for part in answer([piece.clip for piece in heard if piece.clip is not None]):
            kinds.setdefault(part.space.id, part)
            rows = iter(range(len(heard)))
            for piece in batch:
                row = _silent(part, piece) if piece.clip is None else _said(part, piece, next(rows))
                said.setdefault((piece.record, part.space.id), []).append(row)
    return [
        tuple(
            _track(kinds[space], subject, list(rows), card)
            for (owner, space), found in said.items()
            if owner == i
            for subject, rows in groupby(sorted(found, key=_subject), _subject)
        )
        for i in range(records)
    ]


def _subject(row: _Row) -> str:
    return row.piece.subject


def pieces(record: Record, options: Listening, number: int = 0) -> Iterator[Piece]:
    """Yield the rows of a Record with their sound, channel after channel, each in order of time."""
    names = record.meta.get("speakers", ())
    for audio in (signal for signal in record.signals if isinstance(signal, Audio)):
        if audio.rate != RATE:
            raise MalformedError(
                f"models of speech want sound at {RATE} Hz, not {audio.rate:g}; read it with its default"
            )
        turns = [] if len(names) == audio.channels > 1 else timed(record)
        for channel in range(audio.channels if not turns else 1):
            subject = (
                str(names[channel])
                if channel < len(names)
                else SPEAKER
                if audio.channels == 1
                else f"channel-{channel + 1}"
            )
            if turns:
                yield from _at(audio, turns, number)
            elif options.rate:
                yield from _evenly(audio, channel, subject, options, number)
            else:
                yield from _stretches(audio, channel, subject, options, number)


def timed(record: Record) -> list[tuple[Turn, Stretch]]:
    """Return the turns of a Record with their seconds, in order, if all of them carry theirs; else none."""
    found = [(turn, Stretch(turn.span.start, turn.span.end)) for turn in record.turns if turn.span]
    return sorted(found, key=lambda one: one[1].start) if len(found) == len(record.turns) else []


def _stretches(audio: Audio, channel: int, subject: str, options: Listening, number: int) -> Iterator[Piece]:
    """Yield each stretch of voice, or the parts of a long one; a row without sound where there is no voice at all."""
    tape, voice, silent = Tape(), Voice(options.voice), True

    def heard(stretch: Stretch) -> Iterator[Piece]:
        for part in parts(stretch, options.longest):
            around = within(part, stretch, options.around)
            yield Piece(number, subject, part.start, part.end, tape.clip(around.start, around.end))

    for block in audio.blocks(BLOCK):
        tape.add(block[:, channel])
        for stretch in voice.feed(block[:, channel]):
            silent = False
            yield from heard(stretch)
        tape.forget(voice.until - KEPT if voice.since is None else voice.since - KEPT)
    for stretch in voice.finish():
        silent = False
        yield from heard(stretch)
    if silent:
        yield Piece(number, subject, 0.0, tape.end, None)


def parts(stretch: Stretch, longest: float) -> list[Stretch]:
    """Return a stretch, or where it is longer than that, its even parts."""
    edges = np.linspace(stretch.start, stretch.end, math.ceil(stretch.length / longest) + 1)
    return [Stretch(float(start), float(end)) for start, end in pairwise(edges)]


def within(part: Stretch, whole: Stretch, around: float) -> Stretch:
    """Return a part with so many seconds around it, as far as the whole goes."""
    return Stretch(max(whole.start, part.start - around), min(whole.end, part.end + around))


def _evenly(audio: Audio, channel: int, subject: str, options: Listening, number: int) -> Iterator[Piece]:
    """Yield a row every 1 / rate seconds, of which as much is voice as `sparse` asks, or else without sound."""
    tape, voice, grid = Tape(), Voice(options.voice), Grid(options)
    for block in audio.blocks(BLOCK):
        tape.add(block[:, channel])
        over = voice.feed(block[:, channel])
        for part, clip in grid.rows(tape, over, voice.until if voice.since is None else voice.since):
            yield Piece(number, subject, part.start, part.end, clip)
        tape.forget(grid.kept)
    for part, clip in grid.rows(tape, voice.finish(), np.inf):
        yield Piece(number, subject, part.start, part.end, clip)


class Grid:
    """Rows that come evenly, as soon as it is known whether there is voice in them."""

    def __init__(self, options: Listening, since: float = 0.0) -> None:
        """Take the options, and at which second of the media the sound begins: rows lie on one grid all the same."""
        self._width, self._sparse, self._step, self._since = options.width, options.sparse, 1 / options.rate, since
        self._row = math.ceil(since / self._step - 1e-6)
        self._found: list[Stretch] = []

    @property
    def until(self) -> float:
        """When the next row begins, in seconds of the sound."""
        return max(0.0, self._row * self._step - self._since)

    @property
    def kept(self) -> float:
        """From when on sound may still be asked for."""
        return max(0.0, self.until - self._width)

    def rows(self, tape: "Tape", over: Sequence[Stretch], until: float) -> Iterator[tuple[Stretch, Floats | None]]:
        """Yield the rows that are known by now, and their sound, none where there is too little voice.

        Args:
            tape: what was heard.
            over: the stretches of voice that have come to their end.
            until: up to when all voice is known.
        """
        self._found += over
        while self.until < tape.end and self.until + (self._step + self._width) / 2 <= until:
            middle = (self._row + 0.5) * self._step - self._since
            start, end = max(0.0, middle - self._width / 2), middle + self._width / 2
            spoken = sum(max(0.0, min(end, one.end) - max(start, one.start)) for one in self._found)
            clip = tape.clip(start, end) if spoken >= self._sparse * self._width else None
            yield Stretch(self.until, min((self._row + 1) * self._step - self._since, tape.end)), clip
            self._row += 1
        self._found = [one for one in self._found if one.end > self.kept]


def _at(audio: Audio, turns: Sequence[tuple[Turn, Stretch]], number: int) -> Iterator[Piece]:
    """Yield each turn with its sound, its channels mixed; of a turn that the recording does not reach, none."""
    tape, waiting = Tape(), list(turns)

    def ready(until: float) -> Iterator[Piece]:
        while waiting and waiting[0][1].end <= until:
            turn, at = waiting.pop(0)
            clip = tape.clip(at.start, at.end)
            yield Piece(number, turn.speaker or SPEAKER, at.start, at.end, clip if len(clip) else None)

    for block in audio.blocks(BLOCK):
        tape.add(block.mean(1))
        yield from ready(tape.end)
        tape.forget(waiting[0][1].start if waiting else tape.end)
    yield from ready(np.inf)


class Tape:
    """The end of a recording: as much of it as may still be asked for.

    >>> tape = Tape()
    >>> tape.add(np.ones(16000, np.float32)); tape.forget(0.5); len(tape.clip(0.0, 0.75)), tape.end
    (4000, 1.0)
    """

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.float32)
        self._first = 0

    @property
    def end(self) -> float:
        """Seconds that have gone by."""
        return (self._first + len(self._samples)) / RATE

    def add(self, samples: Floats) -> None:
        """Hear what comes next."""
        self._samples = np.concatenate([self._samples, np.asarray(samples, np.float32)])

    def clip(self, start: float, end: float) -> Floats:
        """Return what lies between two seconds, as far as it is still known."""
        first, last = (max(0, round(at * RATE) - self._first) for at in (start, end))
        return self._samples[first:last]

    def forget(self, before: float) -> None:
        """Let go of all before a second."""
        gone = min(max(0, round(before * RATE) - self._first), len(self._samples))
        self._samples, self._first = self._samples[gone:].copy(), self._first + gone


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield the rows some at a time, so that a network is asked about many clips at once, and hours are not held."""
    batch: list[Piece] = []
    seconds = 0.0
    for piece in pieces:
        batch.append(piece)
        seconds += 0.0 if piece.clip is None else len(piece.clip) / RATE
        if seconds >= _AT_ONCE:
            yield batch
            batch, seconds = [], 0.0
    if batch:
        yield batch


def _said(part: Answer, piece: Piece, row: int) -> _Row:
    sure = np.nan if part.confidence is None else float(part.confidence[row])
    return _Row(piece, part.values[row], sure, piece.note or (part.note[row] if part.note is not None else ""))


def _silent(part: Answer, piece: Piece) -> _Row:
    return _Row(piece, np.full(len(part.space.axes), np.nan, np.float32), np.nan, NO_VOICE)


def _track(kind: Answer, subject: str, rows: Sequence[_Row], card: Card) -> Track:
    notes = tuple(row.note for row in rows)
    return Track(
        space=kind.space,
        start=np.array([row.piece.start for row in rows]),
        end=np.array([row.piece.end for row in rows]),
        values=np.stack([row.values for row in rows]),
        unit="s",
        subject=subject,
        perspective=kind.perspective,
        channel="voice",
        source=str(card),
        confidence=None if kind.confidence is None else np.array([row.confidence for row in rows]),
        note=notes if any(notes) else None,
    )
