"""Models on hashed n-grams as Models over Records: small, quick, in English or in many languages.

Its card says, for each head of the network, the space and whose feeling it is. Knows Tracks; `ngrams` does the numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Perspective, Track
from affetto.models.text.ngrams import CODES, Ngrams
from affetto.models.text.reading import Answer, decided, read
from affetto.models.weights import weights

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Head:
    name: str
    space: Space
    perspective: Perspective
    reader: bool


@dataclass(frozen=True)
class Bagged:
    """A Model over a network of n-grams."""

    card: Card
    network: Ngrams
    heads: tuple[_Head, ...]

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return the Tracks of each Record; where its language is not among the model's, the note says so."""
        return read(records, self.answer, self.card)

    def answer(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Answer]:
        """Answer texts in every space; `languages` are BCP 47 or BRIGHTER codes, empty to detect them."""
        several = len(self.network.languages) > 1
        told = [_code(code) for code in languages] if several and languages else None
        values: Mapping[str, Any] = self.network.answer(texts, told)
        spoken = list(values["language"]) if several else None
        why = _unread(spoken, told) if spoken is not None else None
        return [self._answer(head, values[head.name], self._limits(head, spoken), why) for head in self.heads]

    def _answer(self, head: _Head, values: Floats, limits: Floats | None, why: Sequence[str] | None) -> Answer:
        note: list[str] | None = None
        confidence = None
        if head.space.kind == "graded":
            low = np.array([axis.low for axis in head.space.axes], np.float32)
            high = np.array([axis.high for axis in head.space.axes], np.float32)
            values = np.clip(values, low, high)
        else:
            said = np.where(np.isnan(values), -1, values)
            confidence = np.where((said >= 0).any(1), said.max(1, initial=-1), np.nan).astype(np.float32)
        if limits is not None:
            note = decided(values, limits, head.space.names)
        if why is not None:
            note = [reason or words for reason, words in zip(why, note or [""] * len(why), strict=True)]
        return Answer(head.space, values, head.perspective, head.reader, confidence, note)

    def _limits(self, head: _Head, spoken: Sequence[str | None] | None) -> Floats | None:
        """Return from where a label of an `any` head is decided: k, or for each text those of its language, n x k."""
        if head.space.kind != "any":
            return None
        limits = np.asarray(self.network.thresholds[head.name], np.float32)
        if spoken is None:
            return limits
        known = {code: i for i, code in enumerate(self.network.languages)}
        return limits[[known.get(code or "", 0) for code in spoken]]


def _unread(spoken: Sequence[str | None], told: Sequence[str] | None) -> list[str]:
    given = told or [""] * len(spoken)
    return [
        "" if language else f"language {code!r} is not supported" if code else "no supported language was recognised"
        for language, code in zip(spoken, given, strict=True)
    ]


def _code(language: str) -> str:
    """Return a language as the network knows it: with its region where that decides, else without."""
    code = language.lower().replace("_", "-")
    return code if code in CODES or "-" not in code else code.split("-")[0]


def load(card: Card) -> Bagged:
    """Load the network that a card names, with the heads that it describes.

    Raises:
        UnreadableError: the weights are no such network, or have other heads than the card says.
    """
    path = weights(card)
    try:
        network = Ngrams.load(path)
    except (ValueError, OSError, KeyError) as error:
        raise UnreadableError(f"{path.name} is no n-gram network of affetto: {error}") from None
    said: Mapping[str, Mapping[str, Any]] = card.facts.get("heads", {})
    if set(said) != {head.name for head in network.heads}:
        raise UnreadableError(f"{path.name} has the heads {[h.name for h in network.heads]}, not {list(said)}")
    heads = (
        _Head(name, load_card(facts["space"]), facts.get("perspective", "expressed"), facts.get("reader", False))
        for name, facts in said.items()
    )
    return Bagged(card, network, tuple(heads))
