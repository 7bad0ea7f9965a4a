"""One thing that happened: a sentence, a post, a clip, a dialogue, a session.

Knows what belongs together; `core.plain` writes it as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from affetto.core.errors import MalformedError
from affetto.core.signal import Signal, Text
from affetto.core.span import Span, Unit
from affetto.core.track import Track


@dataclass(frozen=True)
class Turn:
    """What one speaker says in one go."""

    speaker: str
    span: Span | None
    """When, in seconds, where it is known."""
    text: str

    def __post_init__(self) -> None:
        """Refuse what is no turn."""
        if not (isinstance(self.speaker, str) and isinstance(self.text, str)):
            raise MalformedError(f"a Turn wants speaker and text as str, not {self.speaker!r} and {self.text!r}")
        if not isinstance(self.span, Span | None):
            raise MalformedError(f"a Turn's span is a Span or None, not {self.span!r}")


@dataclass(frozen=True)
class Piece:
    """Words that one row of an answer lies on: a whole text, or a turn."""

    subject: str
    unit: Unit
    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Record:
    """One thing that happened, and what was said of it.

    Args:
        id: its name among its fellows.
        signals: what the senses give of it.
        turns: who said what, in order, where somebody talks.
        people: what is known of each subject: role, personality, group ...
        tracks: the answers of models and raters.
        meta: anything else, as JSON holds it (the columns of a table, the path of a file).

    >>> Record("1", (Text("I got the job!"),)).text
    'I got the job!'
    """

    id: str
    signals: tuple[Signal, ...] = ()
    turns: tuple[Turn, ...] = ()
    people: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tracks: tuple[Track, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bring lists to tuples, and refuse what does not belong."""
        if not isinstance(self.id, str):
            raise MalformedError(f"a Record's id is a str, not {self.id!r}")
        for name, facts in (("people", self.people), ("meta", self.meta), *getattr(self.people, "items", tuple)()):
            if not isinstance(facts, Mapping):
                raise MalformedError(f"a Record's {name} maps names to facts, and is no {type(facts).__name__}")
        wanted: tuple[tuple[str, Any], ...] = (("signals", Signal), ("turns", Turn), ("tracks", Track))
        for name, kind in wanted:
            values = tuple(getattr(self, name))
            for value in values:
                if not isinstance(value, kind):
                    raise MalformedError(f"a Record's {name} holds no {type(value).__name__}")
            object.__setattr__(self, name, values)

    @property
    def text(self) -> str | None:
        """All its written words: its Text signals, or else its turns, a line each; None where nothing is written."""
        words = [signal.text for signal in self.signals if isinstance(signal, Text)]
        words = words or [turn.text for turn in self.turns]
        return "\n".join(words) if words else None

    def pieces(self) -> list[Piece]:
        """Return what the rows of an answer to its words lie on: each turn, or else each Text, said by `writer`.

        Turns lie in seconds where all of them carry their times, or else at their numbers; texts at their characters,
        one after the other with a character between.

        >>> [(piece.subject, piece.start, piece.end) for piece in Record("1", (Text("Oh no"), Text("Yes"))).pieces()]
        [('writer', 0, 5), ('writer', 6, 9)]
        """
        if self.turns:
            timed = all(turn.span is not None and turn.span.unit == "s" for turn in self.turns)
            unit: Unit = "s" if timed else "turn"
            found = []
            for k, turn in enumerate(self.turns):
                start, end = (turn.span.start, turn.span.end) if timed and turn.span else (k, k + 1)
                found.append(Piece(turn.speaker or "speaker", unit, start, end, turn.text))
            return found
        found, at = [], 0
        for signal in self.signals:
            if isinstance(signal, Text):
                found.append(Piece("writer", "char", at, at + len(signal.text), signal.text))
                at += len(signal.text) + 1
        return found

    def blind(self) -> "Record":
        """Return it without its tracks, so that nothing under test can peek."""
        return replace(self, tracks=())

    def add(self, *tracks: Track) -> "Record":
        """Return it with more tracks."""
        return replace(self, tracks=(*self.tracks, *tracks))
