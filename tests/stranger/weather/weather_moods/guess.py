"""A model by a stranger, who has read the documentation and nothing else."""

import math
from collections.abc import Sequence

import affetto


def load(card: affetto.Card) -> "Guess":
    """Return the model of this card."""
    return Guess(card)


class Guess:
    """Says stormy for each exclamation mark, rainy for each row of dots."""

    def __init__(self, card: affetto.Card) -> None:
        """Take the card, and the space from the catalog."""
        self.card = card
        self.space: affetto.Space = affetto.load("weather-3")

    def __call__(self, records: Sequence[affetto.Record]) -> list[tuple[affetto.Track, ...]]:
        """Return a Track for each Record that has words."""
        return [self._tracks(record) for record in records]

    def _tracks(self, record: affetto.Record) -> tuple[affetto.Track, ...]:
        if record.turns:
            speakers = dict.fromkeys(turn.speaker or "speaker" for turn in record.turns)
            return tuple(self._talk(record, speaker) for speaker in speakers)
        if record.text is None:
            return ()
        values = [_weather(record.text)]
        return (affetto.Track(self.space, [0], [len(record.text)], values, "char", "writer", source=str(self.card)),)

    def _talk(self, record: affetto.Record, speaker: str) -> affetto.Track:
        timed = all(turn.span is not None for turn in record.turns)
        rows = [(i, turn) for i, turn in enumerate(record.turns) if (turn.speaker or "speaker") == speaker]
        spans = [(turn.span.start, turn.span.end) if timed and turn.span else (i, i + 1) for i, turn in rows]
        return affetto.Track(
            self.space,
            [start for start, _ in spans],
            [end for _, end in spans],
            [_weather(turn.text) for _, turn in rows],
            unit="s" if timed else "turn",
            subject=speaker,
            source=str(self.card),
        )


def _weather(text: str) -> tuple[float, float, float]:
    if not text.strip():
        return (math.nan,) * 3
    storm, rain = 1 + 2 * text.count("!"), 1 + 2 * text.count("...")
    whole = 2 + storm + rain
    return 2 / whole, rain / whole, storm / whole
