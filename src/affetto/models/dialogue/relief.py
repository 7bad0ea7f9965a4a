"""How strong a seeker's trouble is before a supporting talk and after it, 1 to 5. Knows talks; knows no corpus."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.dialogue.context import HELPERS, SEEKERS, STATE, Floats, heard_of, role
from affetto.models.dialogue.heads import Head, kept
from affetto.models.dialogue.saying import worded
from affetto.models.dialogue.words import Reader, encoder
from affetto.models.weights import weights

SPACE = "trouble"
FIRST = 4
"""Turns of the seeker at the start that are looked at on their own."""


def seeker_turns(record: Record) -> list[int]:
    """Return the turns of who seeks support: who has that role, or else the first who speaks and is no helper."""
    names = [turn.speaker for turn in record.turns]
    seeking = [name for name in names if role(record, name) in SEEKERS]
    others = [name for name in names if role(record, name) not in HELPERS]
    who = (seeking or others or names)[:1]
    return [k for k, name in enumerate(names) if name in who]


def told(record: Record, vectors: Floats) -> tuple[Floats, list[str]]:
    """Return what is known of the seeker's first turns and of all (1 x 4 STATE + 3), and all his words.

    Args:
        record: whose seeker has at least one turn with words.
        vectors: n x HEARD, of its turns.
    """
    rows = [k for k in seeker_turns(record) if worded(record.turns[k].text)]
    texts = [record.turns[k].text for k in rows]
    means = [vectors[some, -2 * STATE :].mean(0) for some in (rows[:FIRST], rows)]
    length = sum(len(text.split()) for text in texts)
    counts = np.array([np.log1p(len(rows)), np.log1p(length), np.log1p(len(record.turns))], np.float32) / 4
    return np.concatenate([*means, counts])[None].astype(np.float32), [" ".join(texts)]


@dataclass(frozen=True)
class Relief:
    """A Model of whole talks."""

    card: Card
    encoder: Reader
    head: Head
    """Two numbers: before and after."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track with two rows of each talk: before at the seeker's first turn, after at his last."""
        views = iter(heard_of(self.encoder, [record for record in records if record.turns]))
        return [(self._of(record, next(views)),) if record.turns else () for record in records]

    def _of(self, record: Record, vectors: Floats) -> Track:
        space, rows, pieces = load_card(SPACE), seeker_turns(record), record.pieces()
        values = np.full((2, 1), np.nan, np.float32)
        if any(worded(record.turns[k].text) for k in rows):
            values[:, 0] = np.clip(self.head(*told(record, vectors))[0], space.axes[0].low, space.axes[0].high)
        ends = [pieces[rows[0]], pieces[rows[-1]]]
        return Track(
            space=space,
            start=np.array([piece.start for piece in ends]),
            end=np.array([piece.end for piece in ends]),
            values=values,
            unit=ends[0].unit,
            subject=ends[0].subject,
            perspective="felt",
            channel="text",
            source=str(self.card),
            note=("before", "after"),
        )


def load(card: Card) -> Relief:
    """Load it as its card says."""
    return Relief(card, encoder(card), *kept(weights(card), "trouble"))
