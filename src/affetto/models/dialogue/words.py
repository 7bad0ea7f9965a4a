"""The text encoder under every model of talk: found by card, asked for what it knows of each turn.

Several models ask about the same turns, one after the other: what was read is kept for a while, so that it is read but
once. Knows what the encoder may be asked, and that weights trained on one fit no other; knows no network.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
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


KEPT = 8192
"""Texts whose answers are kept, the latest (25 MB)."""
_BOTH = ("logits", "known")


class Once:
    """An encoder that reads a text but once, as long as it remembers it."""

    def __init__(self, encoder: Encoder) -> None:
        """Take the encoder."""
        self.encoder = encoder
        self._kept: OrderedDict[str, tuple[Floats, ...]] = OrderedDict()
        self._lock = Lock()

    def heard(self, texts: Sequence[str], outputs: Sequence[str] = _BOTH) -> list[Floats]:
        """Return what `Encoder.heard` says."""
        if not texts or not set(outputs) <= set(_BOTH):
            return self.encoder.heard(texts, outputs)
        with self._lock:
            found = {text: self._kept[text] for text in dict.fromkeys(texts) if text in self._kept}
            new = [text for text in dict.fromkeys(texts) if text not in found]
            if new:
                found |= zip(new, zip(*self.encoder.heard(new, _BOTH), strict=True), strict=True)
            for text in new[-KEPT:]:
                self._kept[text] = tuple(part.copy() for part in found[text])
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return [np.stack([found[text][_BOTH.index(name)] for text in texts]) for name in outputs]

    def states(self, texts: Sequence[str]) -> Iterator[tuple[Ids, Floats, Floats, Ids]]:
        """Return what `Encoder.states` says; nothing of it is kept."""
        return self.encoder.states(texts)


_ONCE: dict[int, Once] = {}
"""One for each encoder of this process."""


def encoder(card: Card) -> Encoder:
    """Return the encoder that a card names as its `base`, checked to be the one that its weights were trained on.

    Raises:
        CatalogError: `base` is no text encoder, or not the one whose sha256 the card gives as `base_sha256`.
    """
    model = load(str(card.facts.get("base", "")))
    found: Encoder | None = getattr(model, "network", None)
    if found is None or model.card.sha256 != card.facts.get("base_sha256"):
        raise CatalogError(f"{card.id} was trained on other weights than those of {card.facts.get('base')!r} here")
    return _ONCE.setdefault(id(found), Once(found))
