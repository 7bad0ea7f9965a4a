"""A Model without weights, for tests, demos and dry runs: each word votes by the hash of its letters.

Knows the laws that every text Model keeps (`models.text.reading`); knows nothing of feelings. The votes of the words
add up, so an Explainer has something to find.
"""

import functools
import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.text.reading import Answer, read

_FEELINGS, _DEGREES = 7, 3
_STRENGTH = 2.5
"""How far one word can sway the answer."""

Numbers = npt.NDArray[np.float64]


def load(card: Card) -> "Fake":
    """Return the model of this card."""
    return Fake(card)


class Fake:
    """Answers in ekman-7 and vad by the hash of each word; the same words get the same bytes on every machine.

    >>> from affetto.core import catalog
    >>> from affetto.core.signal import Text
    >>> [len(tracks) for tracks in catalog.load("fake")([Record("1"), Record("2", (Text("Oh no"),))])]
    [0, 2]
    """

    def __init__(self, card: Card) -> None:
        """Take the card, and the two spaces from the catalog."""
        self.card = card
        self._feelings: Space = catalog.load("ekman-7")
        self._degrees: Space = catalog.load("vad")

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return two Tracks for each text, or for each speaker of a talk; none where there is no text at all."""
        return read(records, self._answer, self.card)

    def _answer(self, texts: Sequence[str], languages: Sequence[str]) -> list[Answer]:
        votes = np.stack([_votes(text) for text in texts]) if texts else np.zeros((0, _FEELINGS + _DEGREES))
        feelings = _shares(votes[:, :_FEELINGS])
        low, high = (np.array([getattr(axis, end) for axis in self._degrees.axes]) for end in ("low", "high"))
        degrees = np.round(low + (high - low) * (np.tanh(votes[:, _FEELINGS:]) + 1) / 2, 4)
        return [
            Answer(self._feelings, feelings, confidence=feelings.max(1)),
            Answer(self._degrees, degrees.astype(np.float32)),
        ]


def _votes(text: str) -> Numbers:
    """Return ten numbers near -2..2: the summed votes of all words, tamed by how many they are."""
    words = text.split()
    votes: Numbers = _STRENGTH * np.sum([_vote(word) for word in words], axis=0) / len(words) ** 0.5
    return votes


@functools.lru_cache(1 << 14)
def _vote(word: str) -> Numbers:
    digest = hashlib.sha256(word.casefold().encode("utf-8", "surrogatepass")).digest()
    return np.frombuffer(digest, np.uint8, _FEELINGS + _DEGREES) / 127.5 - 1


def _shares(votes: Numbers) -> npt.NDArray[np.float32]:
    """Return the votes as probabilities, rounded so that every machine gives the same bytes."""
    raised = np.exp(votes - votes.max(1, keepdims=True, initial=0.0))
    shares: npt.NDArray[np.float32] = np.round(raised / raised.sum(1, keepdims=True), 4).astype(np.float32)
    return shares
