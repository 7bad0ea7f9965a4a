"""The text encoder under every model of talk: found by card, asked for what it knows of each turn.

Knows what it may be asked, and that weights trained on one encoder fit no other; knows no network.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load
from affetto.core.errors import CatalogError

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Encoder(Protocol):
    """Reads texts, and says what it knows of them."""

    def heard(self, texts: Sequence[str], outputs: Sequence[str] = ("logits", "known")) -> list[Floats]:
        """Return, for n texts, `logits` (n x 47: its own heads) and `known` (n x 768: what they answer from)."""
        ...

    def states(self, texts: Sequence[str]) -> Iterator[tuple[Ids, Floats, Floats, Ids]]:
        """Yield batches of windows: their text numbers (b), sizes (b), middle states (b x t x 384), mask (b x t)."""
        ...


def encoder(card: Card) -> Encoder:
    """Return the encoder that a card names as its `base`, checked to be the one that its weights were trained on.

    Raises:
        CatalogError: `base` is no text encoder, or not the one whose sha256 the card gives as `base_sha256`.
    """
    model = load(str(card.facts.get("base", "")))
    found: Encoder | None = getattr(model, "network", None)
    if found is None or model.card.sha256 != card.facts.get("base_sha256"):
        raise CatalogError(f"{card.id} was trained on other weights than those of {card.facts.get('base')!r} here")
    return found
