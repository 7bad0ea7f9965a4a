"""A recording as it is made: rows come while somebody still speaks, and again, final, when the stretch is over.

Knows the clock of the samples it is given, not that of the wall; knows no microphone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from affetto.core.card import Card
from affetto.core.track import Track
from affetto.models.speech.listening import SPEAKER, Answer, Floats, Piece, Tape, said_of
from affetto.models.speech.stretches import Stretch
from affetto.models.speech.voice import Voice

SO_FAR = "so far"
"""The note of a row whose stretch is not over."""


@dataclass(frozen=True)
class LiveOptions:
    """When rows come."""

    first: float = 0.8
    """Seconds of a stretch after which its first row comes."""
    again: float = 1.0
    """Seconds after which a row of the same stretch comes again, while it goes on."""
    longest: float = 6.0
    """Seconds of a stretch, the last ones, that a row is answered from."""


class Listener(Protocol):
    """What is asked: any model of speech that answers clips."""

    card: Card

    def answer(self, clips: Sequence[Floats]) -> Sequence[Answer]:
        """Answer clips of any length at 16 kHz."""
        ...


class Live:
    """Listens to one channel as it comes.

    >>> import numpy as np
    >>> from affetto.core import catalog
    >>> live = Live(catalog.load("speech.affect"))
    >>> live.feed(np.zeros(16000, np.float32)), live.finish()
    ((), ())
    """

    def __init__(self, model: Listener, subject: str = SPEAKER, options: LiveOptions | None = None) -> None:
        """Take the model that answers, whose voice it is, and when rows are to come."""
        self._model, self._subject, self._options = model, subject, options or LiveOptions()
        self._voice, self._tape = Voice(), Tape()
        self._due: float | None = None

    def feed(self, samples: Floats) -> tuple[Track, ...]:
        """Hear what comes next; return the rows that are new, a Track a space, of the stretches that go on or are over.

        Args:
            samples: n, 16 kHz, in -1..1; n may be any number.
        """
        self._tape.add(samples)
        over = self._voice.feed(samples)
        rows = [(stretch, "") for stretch in over]
        since, now = self._voice.since, self._voice.until
        if over or since is None:
            self._due = None
        if since is not None:
            self._due = since + self._options.first if self._due is None else self._due
            if now >= self._due:
                self._due = now + self._options.again
                rows.append((Stretch(since, now), SO_FAR))
        answered = self._answered(rows)
        self._tape.forget((now if since is None else max(since, now - self._options.longest)) - 1.0)
        return answered

    def finish(self) -> tuple[Track, ...]:
        """Return the row of the stretch that the end of the sound cut off, if there is one, and forget all."""
        rows = self._answered([(stretch, "") for stretch in self._voice.finish()])
        self._tape, self._due = Tape(), None
        return rows

    def _answered(self, rows: Sequence[tuple[Stretch, str]]) -> tuple[Track, ...]:
        longest = self._options.longest
        pieces = [
            Piece(
                0, self._subject, one.start, one.end, self._tape.clip(max(one.start, one.end - longest), one.end), note
            )
            for one, note in rows
        ]
        return said_of(pieces, self._model.answer, self._model.card)[0] if pieces else ()
