"""The text encoder under every model of talk: found by card, asked for what it knows of each turn.

Several models ask about the same turns, one after the other: what was read is kept for a while, so that it is read but
once. Knows what the encoder may be asked, and that weights trained on one fit no other; knows no network.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load
from affetto.core.errors import CatalogError

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Encoder(Protocol):
    """Reads texts, and says what it knows of them."""

    def read(self, texts: Sequence[str]) -> Iterator[tuple[Ids, Floats, Ids, Floats, Floats, Floats]]:
        """Yield batches of windows of texts, those of one text in their order.

        Text numbers (b), sizes (b), mask (b x t), logits (b x 47), known (b x 768) and middle states (b x t x 384).
        """
        ...


class Known(NamedTuple):
    """What is known of a text."""

    logits: Floats
    """47: what the encoder's own heads say."""
    known: Floats
    """768: what they say it from."""
    middle: Floats
    """768: mean and highest of the middle states."""


KEPT, HELD = 8192, 1024
"""Texts whose vectors (50 MB), and whose middle states (75 MB at most), are kept, the latest."""
PIECES = 48
"""Word pieces of a text whose middle states are kept: the first, the mark at its beginning included."""
_BLOCK = 1024
_STATE = 384


class Reader:
    """Asks an encoder about a text but once, as long as it remembers."""

    def __init__(self, encoder: Encoder) -> None:
        """Take the encoder."""
        self._encoder = encoder
        self._kept: OrderedDict[str, Known] = OrderedDict()
        self._held: OrderedDict[str, Floats] = OrderedDict()
        self._lock = Lock()

    def heard(self, texts: Sequence[str], outputs: Sequence[str] = ("logits", "known")) -> list[Floats]:
        """Return, for n texts, some of `logits` (n x 47), `known` (n x 768) and `middle` (n x 768).

        Of a text of several windows all are means over them by their length, but the highest states.
        """
        if not texts:
            return [np.zeros((0, 0), np.float32) for _ in outputs]
        with self._lock:
            found = self._asked(texts, self._kept, KEPT)
        return [np.stack([getattr(found[text], name) for text in texts]) for name in outputs]

    def pieces(self, texts: Sequence[str]) -> list[Floats]:
        """Return the middle states of the first pieces of each text, t x 384, t at most `PIECES`."""
        with self._lock:
            found = self._asked(texts, self._held, HELD)
        return [found[text] for text in texts]

    def _asked(self, texts: Sequence[str], kept: "OrderedDict[str, Any]", most: int) -> dict[str, Any]:
        """Return what is kept of texts, those that are not there read first."""
        found: dict[str, Any] = {text: kept[text] for text in dict.fromkeys(texts) if text in kept}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        for at in range(0, len(new), _BLOCK):
            block = new[at : at + _BLOCK]
            self._read(block)
            found |= {text: kept[text] for text in block}
        for memory, size in ((self._kept, KEPT), (self._held, HELD)):
            while len(memory) > size:
                memory.popitem(last=False)
        return found

    def _read(self, texts: Sequence[str]) -> None:
        """Read texts, and keep what is known of them."""
        sums = [np.zeros((len(texts), width), np.float32) for width in (47, 768, _STATE)]
        tops = np.full((len(texts), _STATE), -np.inf, np.float32)
        whole = np.zeros((len(texts), 1), np.float32)
        pieces: dict[int, tuple[int, Floats]] = {}
        for rows, sizes, mask, logits, known, states in self._encoder.read(texts):
            inside = mask[:, :, None] > 0
            mean = (states * inside).sum(1) / inside.sum(1)
            for total, part in zip(sums, (logits, known, mean), strict=True):
                np.add.at(total, rows, part * sizes[:, None])
            np.add.at(whole, rows, sizes[:, None])
            np.maximum.at(tops, rows, np.where(inside, states, -np.inf).max(1))
            for row, state, size in zip(rows.tolist(), states, mask.sum(1).tolist(), strict=True):
                # windows of one text are all full but the last, which comes before them where batches go by length
                if size > pieces.get(row, (0, state))[0]:
                    pieces[row] = size, state[: min(size, PIECES)].copy()
        logits, known, mean = (total / whole for total in sums)
        for row, text in enumerate(texts):
            middle = np.concatenate([mean[row], tops[row]])
            self._kept[text] = Known(logits[row].copy(), known[row].copy(), middle)
            self._held[text] = pieces[row][1]


_READERS: dict[int, Reader] = {}
"""One for each encoder of this process."""


def encoder(card: Card) -> Reader:
    """Return the encoder that a card names as its `base`, checked to be the one that its weights were trained on.

    Raises:
        CatalogError: `base` is no text encoder, or not the one whose sha256 the card gives as `base_sha256`.
    """
    model = load(str(card.facts.get("base", "")))
    found: Encoder | None = getattr(model, "network", None)
    if found is None or model.card.sha256 != card.facts.get("base_sha256"):
        raise CatalogError(f"{card.id} was trained on other weights than those of {card.facts.get('base')!r} here")
    return _READERS.setdefault(id(found), Reader(found))
