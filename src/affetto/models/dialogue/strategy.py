"""What a turn does in a talk: a supporter's strategy, a counsellor's behaviour, what a client says about changing.

One head answers for one space or for several, each on the turns of those who have a role. Knows talks; no corpus.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.dialogue.context import HELPERS, SEEKERS, Floats, around, heard_of, turns_of
from affetto.models.dialogue.heads import Head, kept
from affetto.models.dialogue.readout import softmax
from affetto.models.dialogue.saying import said, worded
from affetto.models.dialogue.words import Reader, encoder
from affetto.models.weights import weights

ROLES = {"strategy-8": HELPERS, "therapist-4": HELPERS, "client-talk-3": SEEKERS}
"""Of each space, who is asked about."""


@dataclass(frozen=True)
class Deeds:
    """A Model that gives turns one label of each of its spaces."""

    card: Card
    encoder: Reader
    head: Head
    """Its logits are those of the spaces of the card, side by side; `facts["slopes"]` calibrates each."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each speaker whose turns are answered, and each space."""
        talks = [record for record in records if record.turns]
        views = iter(heard_of(self.encoder, talks))
        return [self._of(record, around(record, next(views))) if record.turns else () for record in records]

    def _of(self, record: Record, turns: Floats) -> tuple[Track, ...]:
        tracks: tuple[Track, ...] = ()
        texts = [turn.text for turn in record.turns]
        start = 0
        for id, slope in zip(self.card.spaces, self.head.facts["slopes"], strict=True):
            space, rows = load_card(id), turns_of(record, ROLES[id])
            end = start + len(space.axes)
            spoken = [k for k in rows if worded(texts[k])]
            values = np.full((len(texts), len(space.axes)), np.nan, np.float32)
            if spoken:
                logits = self.head(turns[spoken], [texts[k] for k in spoken])[:, start:end]
                values[spoken] = softmax(logits * np.float32(slope))
            tracks += said(record, space, values, self.card, values.max(1), rows=rows)
            start = end
        return tracks


def load(card: Card) -> Deeds:
    """Load it as its card says.

    Raises:
        CatalogError: nobody knows whose turns one of its spaces is about.
    """
    odd = [id for id in card.spaces if id not in ROLES]
    if odd:
        raise CatalogError(f"{card.id} names the space {odd[0]}, and turns are labelled in {', '.join(ROLES)}")
    return Deeds(card, encoder(card), *kept(weights(card), "deeds"))
