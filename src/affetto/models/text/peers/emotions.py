"""Peers that count words of named emotions: NRCLex and Empath.

Each answers three times: in `plutchik-8`, the share of its hits that each emotion has (pleasant and unpleasant words
counted in, as NRCLex counts them), in `ekman-7`, and in `sentiment-3`. The step to Ekman's names is ours: the six have
the same names in both lists, their hits are scaled to 1, and a text without any is neutral. So is the step to a side:
that of which there are more words. Knows counts; the words are the libraries'.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.text.peers.library import library
from affetto.models.text.peers.valence import sides
from affetto.models.text.reading import Answer, decided, read

GOOD, BAD = "positive", "negative"
EMPATH_SIDES = {GOOD: "positive_emotion", BAD: "negative_emotion"}
"""What Empath calls the two sides."""
_WORD = re.compile(r"[^\W\d_]+")

Floats = npt.NDArray[np.float32]
Hits = Mapping[str, float]
"""How often each emotion was hit, by its name in `plutchik-8`, and `positive` and `negative`."""


@dataclass(frozen=True)
class Counting:
    """A Model over a function that counts the words of each emotion."""

    card: Card
    hits: Callable[[str], Hits]

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return Tracks in `plutchik-8`, `ekman-7` and `sentiment-3` for each text, or each speaker of a talk."""
        return read(records, self.answer, self.card)

    def answer(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Answer]:
        """Answer texts in the three spaces; `languages` are not looked at, all is read as English."""
        eight: Space = load_card("plutchik-8")
        seven: Space = load_card("ekman-7")
        found = [self.hits(text) for text in texts]
        shares = scaled(found, (*eight.names, GOOD, BAD))[:, : len(eight.axes)]
        six = scaled(found, seven.names)
        six[:, seven.index("neutral")] = 1 - six.sum(1).round()
        tone = sides([hit.get(GOOD, 0.0) - hit.get(BAD, 0.0) for hit in found], 0.0)
        named = decided(shares, np.full(len(eight.axes), 1e-9, np.float32), eight.names)
        return [
            Answer(eight, shares, note=named),
            Answer(seven, six),
            Answer(load_card("sentiment-3"), tone),
        ]


def scaled(found: Sequence[Hits], names: Sequence[str]) -> Floats:
    """Return the share of the hits that each name has, n x k; 0 where there is no hit at all.

    >>> scaled([{"joy": 3, "fear": 1, "trust": 1}, {}], ("joy", "fear")).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    """
    counts = np.array([[hit.get(name, 0.0) for name in names] for hit in found], np.float32).reshape(-1, len(names))
    shares: Floats = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, as both lexicons hold them.

    >>> words("Happy, SAD-ish 4U")
    ['happy', 'sad', 'ish', 'u']
    """
    return _WORD.findall(text.lower())


def nrclex(card: Card) -> Counting:
    """Load NRCLex with the lexicon that it brings, over plain lower-case words.

    Its own splitting of raw text asks for data of NLTK that are downloaded; given the words it needs none.

    Raises:
        MissingExtraError: NRCLex is not installed.
    """
    lexicon = library("nrclex", card.id).NRCLex()

    def hits(text: str) -> Hits:
        lexicon.load_token_list(words(text))
        return dict(lexicon.raw_emotion_scores)

    return Counting(card, hits)


def empath(card: Card) -> Counting:
    """Load Empath: ten of its categories, over plain lower-case words, since by itself it splits at spaces only.

    Raises:
        MissingExtraError: empath is not installed.
    """
    lexicon = library("empath", card.id).Empath()
    categories = {name: EMPATH_SIDES.get(name, name) for name in (*load_card("plutchik-8").names, GOOD, BAD)}

    def hits(text: str) -> Hits:
        counts = lexicon.analyze(" ".join(words(text)), list(categories.values()))
        return {name: counts[category] for name, category in categories.items()}

    return Counting(card, hits)
