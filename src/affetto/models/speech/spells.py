"""A recording as it comes: spells in which somebody is heard, and the rows that they are cut into, one voice each.

Knows sound, seconds and an embedder that is handed in; knows no Track and not what is felt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio
from affetto.models.speech.listening import KEPT, Grid, Listening, Tape, parts, timed, within
from affetto.models.speech.mel import RATE
from affetto.models.speech.speaker import Embedder, changes
from affetto.models.speech.stretches import Stretch
from affetto.models.speech.voice import Voice, VoiceOptions

Floats = npt.NDArray[np.float32]
PAIR = 0.02
"""Seconds that a chance of voice stands for."""
Even = tuple[str, Stretch, Floats | None]
"""A row that comes evenly: whose it is, when, and its sound, none where there is too little voice."""
VOICE = "voice"
"""The subject of voices that are not told apart yet."""
BREATH = 0.5
"""A shorter pause, in seconds, is no end of speaking."""
_MARGIN = 0.1
"""Seconds that are added before and after what is spoken."""
_CLOSE = 1.6
"""Seconds that are listened to at a time for changes: what was heard before would colour what comes."""


@dataclass(frozen=True)
class Spell:
    """A stretch of voice, or a turn."""

    subject: str
    at: Stretch
    """In seconds of the sound."""
    sound: Floats
    """Nothing where the recording does not reach it, or nobody speaks in all of it."""
    chances: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """Of voice, one every 20 ms from `at.start` on; none of a turn."""
    words: str = ""
    whole: bool = False
    """Whether it is one row, whatever happens in it."""

    def clip(self, part: Stretch) -> Floats:
        """Return the sound of a part."""
        first = round(self.at.start * RATE)
        return self.sound[max(0, round(part.start * RATE) - first) : max(0, round(part.end * RATE) - first)]


@dataclass(frozen=True)
class Segment:
    """A row to be: a part of a spell in which one voice is heard."""

    spell: Spell
    at: Stretch
    clip: Floats
    """Its sound."""
    wide: Floats
    """The same with some of its neighbours, as far as the same voice goes."""
    sums: Floats | None = None
    """f: what the embedder heard."""


class Channel:
    """One channel as it comes."""

    def __init__(self, subject: str, listening: Listening, since: float) -> None:
        """Take whose it is, and at which second of the media it begins."""
        self.subject, self._since, self._silent, self._tape = subject, since, True, Tape()
        self._voice = Voice(listening.voice)
        self._chances, self._first = np.zeros(0, np.float32), 0
        self._grid = Grid(listening, since) if listening.rate else None
        self.even: list[Even] = []
        """The rows at a rate that are known and that nobody has taken yet."""
        self.spells: list[Spell] = []
        """The spells that are over and that nobody has taken yet."""

    @property
    def end(self) -> float:
        """Seconds that were heard."""
        return self._tape.end

    @property
    def until(self) -> float:
        """Up to when all that begins is known, in seconds."""
        known = self._voice.until if self._voice.begun is None else self._voice.begun
        return known if self._grid is None else min(known, self._grid.until)

    def feed(self, samples: Floats) -> None:
        """Hear what comes next."""
        self._tape.add(samples)
        over = self._voice.feed(samples)
        known = self._voice.until if self._voice.since is None else self._voice.since
        self._heard(over, known)
        kept = max(0.0, min(known, self.until) - KEPT)
        self._tape.forget(kept if self._grid is None else min(kept, self._grid.kept))
        gone = min(len(self._chances), max(0, int(kept / PAIR) - self._first))
        self._chances, self._first = self._chances[gone:], self._first + gone

    def finish(self) -> None:
        """Hear that nothing comes any more; where nobody was heard, one spell without sound says so."""
        self._heard(self._voice.finish(), np.inf)
        if self._silent and self._grid is None and not self._since:
            self.spells.append(Spell(self.subject, Stretch(0.0, self.end), np.zeros(0, np.float32), whole=True))

    def _heard(self, over: Sequence[Stretch], until: float) -> None:
        self._chances = np.concatenate([self._chances, self._voice.fresh])
        self._silent = self._silent and not over
        for stretch in over:
            first = max(0, round(stretch.start / PAIR) - self._first)
            last = max(0, round(stretch.end / PAIR) - self._first)
            sound = self._tape.clip(stretch.start, stretch.end)
            self.spells.append(Spell(self.subject, stretch, sound, self._chances[first:last].copy()))
        if self._grid is not None:
            self.even += [(self.subject, part, clip) for part, clip in self._grid.rows(self._tape, over, until)]


class Turns:
    """All channels, mixed, as they come, where it is known who has the word when."""

    def __init__(self, turns: Sequence[tuple[Turn, Stretch]], since: float) -> None:
        """Take the turns in order, in seconds of the media; those that began before the sound are over."""
        self._tape = Tape()
        self._waiting = [
            (turn, Stretch(at.start - since, at.end - since)) for turn, at in turns if at.start >= since - 1e-6
        ]
        self.even: list[Even] = []
        self.spells: list[Spell] = []

    @property
    def end(self) -> float:
        """Seconds that were heard."""
        return self._tape.end

    @property
    def until(self) -> float:
        """Up to when all that begins is known, in seconds."""
        return min(self._waiting[0][1].start, self.end) if self._waiting else self.end

    def feed(self, samples: Floats) -> None:
        """Hear what comes next."""
        self._tape.add(samples)
        self._heard(self._tape.end)
        self._tape.forget(max(0.0, self.until))

    def finish(self) -> None:
        """Hear that nothing comes any more."""
        self._heard(np.inf)

    def _heard(self, until: float) -> None:
        while self._waiting and self._waiting[0][1].end <= until:
            turn, at = self._waiting.pop(0)
            sound = self._tape.clip(at.start, at.end)
            self.spells.append(Spell(turn.speaker or VOICE, at, sound, words=turn.text, whole=True))


class Ears:
    """All sound of a Record as it comes."""

    def __init__(self, record: Record, listening: Listening, since: float) -> None:
        """Take the Record, and at which second of the media its sound begins.

        Raises:
            MalformedError: a sound has another rate than 16 kHz.
        """
        self._audios = [signal for signal in record.signals if isinstance(signal, Audio)]
        self._lines: list[list[Channel] | Turns] = []
        names = record.meta.get("speakers", ())
        for audio in self._audios:
            if audio.rate != RATE:
                raise MalformedError(
                    f"models of speech want sound at {RATE} Hz, not {audio.rate:g}; read it with its default"
                )
            turns = [] if len(names) == audio.channels > 1 else timed(record)
            several = [f"channel-{k + 1}" for k in range(audio.channels)] if audio.channels > 1 else [VOICE]
            subjects = [*map(str, names[: audio.channels]), *several[len(names) :]]
            self._lines.append(
                Turns(turns, since) if turns else [Channel(subject, listening, since) for subject in subjects]
            )

    def __len__(self) -> int:
        """Return how many sounds there are."""
        return len(self._lines)

    def hear(self, seconds: float) -> Iterator[None]:
        """Hear all there is, so many seconds at a time."""
        for blocks in zip_longest(*(audio.blocks(seconds) for audio in self._audios)):
            for line, block in zip(self._lines, blocks, strict=True):
                if block is None:
                    continue
                if isinstance(line, Turns):
                    line.feed(block.mean(1))
                else:
                    for k, channel in enumerate(line):
                        channel.feed(block[:, k])
            yield
        for one in self._all():
            one.finish()

    @property
    def end(self) -> float:
        """Seconds that were heard."""
        return max((one.end for one in self._all()), default=0.0)

    @property
    def until(self) -> float:
        """Up to when all that begins is known, in seconds."""
        return min((one.until for one in self._all()), default=0.0)

    def taken(self, until: float) -> tuple[list[Spell], list[Even]]:
        """Take the spells, and the rows at a rate, that begin before a second, in order of time."""
        spells: list[Spell] = []
        even: list[Even] = []
        for one in self._all():
            spells += [spell for spell in one.spells if spell.at.start < until]
            even += [row for row in one.even if row[1].start < until]
            one.spells = [spell for spell in one.spells if spell.at.start >= until]
            one.even = [row for row in one.even if row[1].start >= until]
        return sorted(spells, key=lambda spell: spell.at.start), even

    def _all(self) -> list[Channel | Turns]:
        return [one for line in self._lines for one in ([line] if isinstance(line, Turns) else line)]


def cut(spells: Sequence[Spell], embedder: Embedder, listening: Listening) -> list[Segment]:
    """Return the rows of spells, in order: cut where the voice changes, and where they would be too long.

    Only voices that nobody names are listened to for changes, and get sums.
    """
    unnamed = [one for one in spells if one.subject == VOICE and not one.whole and len(one.sound)]
    turns = dict(zip(map(id, unnamed), _turns(unnamed, embedder), strict=True))
    found = []
    for spell in spells:
        edges = [spell.at.start, *turns.get(id(spell), ()), spell.at.end]
        for start, end in pairwise(edges):
            found += _parts(spell, Stretch(start, end), listening)
    asked = [one.spell.subject == VOICE and len(one.wide) > 0 for one in found]
    heard = iter(embedder.rows([one.wide for one, yes in zip(found, asked, strict=True) if yes]))
    return [
        replace(one, sums=next(heard).sum(0, np.float64)) if yes else one for one, yes in zip(found, asked, strict=True)
    ]


def spoken(segment: Segment) -> list[tuple[Stretch, float]]:
    """Return when somebody speaks within a row, and how surely, 0..1; pauses for breath do not count."""
    spell, at = segment.spell, segment.at
    if spell.whole or not len(spell.chances):
        return [(at, 1.0)]
    first, last = (round((second - spell.at.start) / PAIR) for second in (at.start, at.end))
    voiced = np.flatnonzero(spell.chances[first:last] >= VoiceOptions.stay) + first
    if not len(voiced):
        return []
    breaks = np.flatnonzero(np.diff(voiced) * PAIR > BREATH)
    starts, ends = voiced[np.r_[0, breaks + 1]], voiced[np.r_[breaks, len(voiced) - 1]] + 1
    found = []
    for one, other in zip(starts, ends, strict=True):
        start = max(at.start, spell.at.start + one * PAIR - _MARGIN)
        end = min(at.end, spell.at.start + other * PAIR + _MARGIN)
        found.append((Stretch(start, end), float(spell.chances[one:other].mean())))
    return found


def _parts(spell: Spell, at: Stretch, listening: Listening) -> list[Segment]:
    found = []
    for part in [at] if spell.whole else parts(at, listening.longest):
        wide = within(part, at, listening.around)
        found.append(Segment(spell, part, spell.clip(part), spell.clip(wide)))
    return found


def _turns(spells: Sequence[Spell], embedder: Embedder) -> list[list[float]]:
    """Return when the voice changes within each spell, in seconds of the sound."""
    step = embedder.step
    short = [one.at.length < _CLOSE for one in spells]
    pieces = [[] if no else parts(one.at, _CLOSE) for one, no in zip(spells, short, strict=True)]
    rows = iter(embedder.rows([one.clip(part) for one, mine in zip(spells, pieces, strict=True) for part in mine]))
    found: list[list[float]] = []
    for spell, mine in zip(spells, pieces, strict=True):
        if not mine:
            found.append([])
            continue
        whole = np.concatenate([next(rows)[: max(1, round(part.length / step))] for part in mine])
        places = np.minimum(((np.arange(len(whole)) + 0.5) * step / PAIR).astype(int), len(spell.chances) - 1)
        at = [spell.at.start + k * step for k in changes(embedder, whole, 1 - spell.chances[places])]
        found.append([second for second in at if second < spell.at.end - 0.1])
    return found
