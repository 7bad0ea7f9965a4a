"""How much empathic concern and distress the writer of a text felt, 1 to 7. Knows texts and turns; knows no corpus."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.dialogue.heads import Head, kept
from affetto.models.dialogue.saying import said, worded
from affetto.models.dialogue.words import Reader, encoder
from affetto.models.weights import weights

SPACE = "empathy-2"


@dataclass(frozen=True)
class Concern:
    """A Model of texts, and of turns one by one."""

    card: Card
    encoder: Reader
    head: Head

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each speaker or writer; NaN where there are no words."""
        space = load_card(SPACE)
        pieces = [[piece.text for piece in record.pieces()] for record in records]
        texts = [text for own in pieces for text in own]
        values = np.full((len(texts), len(space.axes)), np.nan, np.float32)
        rows = [k for k, text in enumerate(texts) if worded(text)]
        if rows:
            spoken = [texts[k] for k in rows]
            low, high = space.axes[0].low, space.axes[0].high
            values[rows] = np.clip(self.head(self.encoder.heard(spoken, ("middle",))[0], spoken), low, high)
        split = np.split(values, np.cumsum([len(own) for own in pieces])[:-1]) if records else []
        return [
            said(record, space, own, self.card, perspective="felt") for record, own in zip(records, split, strict=True)
        ]


def load(card: Card) -> Concern:
    """Load it as its card says."""
    return Concern(card, encoder(card), *kept(weights(card), "felt"))
