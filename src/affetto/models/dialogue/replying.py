"""How well a reply answers a talk: a network that lays both into one space, and the words that they share.

A talk is the encoder's middle states of its last turns, each marked by how far back it lies and whose it is; a reply is
those of its own words. The network looks at either with eight weighings of its word pieces, and gives 256 numbers of
length 1: what belongs together lies near. Beside that counts which words both have, the rarer the more; how rare a word
is stands in a table by its checksum, so that no word of the corpus is kept. Knows texts, arrays and one network over
the encoder that its card names.
"""

import base64
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Piece, Record
from affetto.core.track import Track
from affetto.models.dialogue import words
from affetto.models.dialogue.saying import said, worded
from affetto.models.weights import opened, weights

Floats = npt.NDArray[np.float32]
Turns = Sequence[tuple[str, bool]]
"""What was said, in order, and whether by the one who is to reply."""
BACK = 3
"""How many turns back the network reads."""
FAR = 7
"""How many turns back shared words are looked for."""
DEEP = 5
"""Turns after which a talk counts as far on."""
SIGNS = 11
SHARP = 15.0
"""By how much nearness counts where it is asked how common a reply is."""
WIDTH = 256
"""Numbers of a vector."""
BITS = 15
"""Of the checksums of words."""
BATCH = 64
_WORD = re.compile(r"[a-z']+|[0-9]+")
_ENDINGS = ("ing", "ed", "es", "s", "ly")


@dataclass(frozen=True)
class Replying:
    """A Model of how well turns answer what was said before, and what finds replies."""

    card: Card
    encoder: words.Reader
    session: Any
    rarity: Floats
    """By checksum: the log of how seldom a turn has the word."""
    common: Floats
    """Middles of groups of talks, k x 256, by which it is told how many talks a reply would answer."""
    weights: Floats
    """Of what `signs` gives."""
    line: tuple[float, float]
    """Slope and intercept from a fit to the log odds that it is the reply, and not one to another talk."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return how surely each turn that follows another's answers the talk before it, in the space `answering`."""
        return [self._answering(record) if record.turns else () for record in records]

    def talks(self, talks: Sequence[Turns]) -> Floats:
        """Return the vectors of talks, n x 256, by their last turns; of one without words zeros."""
        rows = [[turn for turn in talk if worded(turn[0])][::-1][:BACK] for talk in talks]
        kinds = [[1 + k + BACK * own for k, (_, own) in enumerate(row)] for row in rows]
        return self._vectors([[text for text, _ in row] for row in rows], kinds)

    def replies(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of replies, n x 256; of one without words zeros."""
        rows = [[text] if worded(text) else [] for text in texts]
        return self._vectors(rows, [[0] * len(row) for row in rows])

    def fits(self, talk: Turns, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """Return how well texts answer a talk: n log odds that each is its reply, and not one to another talk.

        Args:
            talk: with one turn or more.
            texts: n replies.
            vectors: n x 256, theirs, where they are known.
        """
        if vectors is None:
            vectors = self.replies(texts)
        slope, intercept = self.line
        return np.asarray(self.ranked(talk, texts, vectors, self.talks([talk])[0]) * slope + intercept, np.float32)

    def ranked(self, talk: Turns, texts: Sequence[str], vectors: Floats, vector: Floats) -> Floats:
        """Return the scores, n, by which texts with their vectors are ranked as answers to a talk with its vector."""
        turns = [text for text, _ in talk if worded(text)][::-1]
        common = commonness(vectors, self.common)
        return np.asarray(signs(turns, texts, vectors @ vector, common, self.rarity) @ self.weights, np.float32)

    def _answering(self, record: Record) -> tuple[Track, ...]:
        pieces = record.pieces()
        values = np.full((len(pieces), 1), np.nan, np.float32)
        rows = [k for k in range(1, len(pieces)) if _answers(pieces, k)]
        talks = [[(p.text, p.subject == pieces[k].subject) for p in pieces[max(0, k - 2 * FAR) : k]] for k in rows]
        texts = [pieces[k].text for k in rows]
        slope, intercept = self.line
        for k, talk, text, said_to, own in zip(rows, talks, texts, self.talks(talks), self.replies(texts), strict=True):
            values[k] = 1 / (1 + np.exp(-self.ranked(talk, [text], own[None], said_to) * slope - intercept))
        return said(record, load_card("answering"), values, self.card)

    def _vectors(self, rows: Sequence[Sequence[str]], kinds: Sequence[Sequence[int]]) -> Floats:
        """Return the vectors of texts laid end to end, each with its kind."""
        states = self._states([text for row in rows for text in row])
        sizes = np.array([sum(len(states[text]) for text in row) for row in rows], np.int64)
        out = np.zeros((len(rows), WIDTH), np.float32)
        order = [i for i in np.argsort(sizes, kind="stable") if sizes[i]]
        for at in range(0, len(order), BATCH):
            part = order[at : at + BATCH]
            longest = int(sizes[part].max())
            given: dict[str, npt.NDArray[Any]] = {
                "states": np.zeros((len(part), longest, 384), np.float32),
                "kinds": np.zeros((len(part), longest), np.int64),
                "mask": (np.arange(longest) < sizes[part, None]).astype(np.int64),
            }
            for k, i in enumerate(part):
                whole = [states[text] for text in rows[i]]
                marks = np.repeat(kinds[i], [len(piece) for piece in whole])
                given["states"][k, : sizes[i]] = np.concatenate(whole)
                given["kinds"][k] = kinds[i][0]
                given["kinds"][k, : sizes[i]] = marks
            out[part] = self.session.run(["vectors"], given)[0]
        return out

    def _states(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return the first states of each different text."""
        unique = list(dict.fromkeys(texts))
        return dict(zip(unique, self.encoder.pieces(unique), strict=True))


def _answers(pieces: Sequence[Piece], k: int) -> bool:
    """Tell whether a turn answers: it has words, and another's turn with words stands before it."""
    before = next((piece for piece in reversed(pieces[:k]) if worded(piece.text)), None)
    return worded(pieces[k].text) and before is not None and before.subject != pieces[k].subject


def commonness(vectors: Floats, common: Floats) -> Floats:
    """Return how many talks replies would answer, n: the log of the mean nearness to groups of talks."""
    return np.asarray(np.log(np.exp(SHARP * vectors @ common.T).mean(1)), np.float32)


def signs(turns: Sequence[str], texts: Sequence[str], near: Floats, common: Floats, rarity: Floats) -> Floats:
    """Return what tells how well texts answer turns (the latest first), n x 11.

    How near their vectors are; the rarity of the words that they share with the latest turn and with the last three,
    that by the root of the rarity of all words of the text, the same with the last seven turns, and its square there;
    the log of how many different words the text has, whether it asks, both times how far the talk has come; and
    how common a reply it is.
    """
    spoken = [spelled(turn) for turn in turns[:FAR]]
    last, recent, whole = (frozenset().union(*spoken[:k]) for k in (1, BACK, FAR))
    depth = min(len(spoken), DEEP) - 1
    out = np.zeros((len(texts), SIGNS), np.float32)
    for row, text, product, often in zip(out, texts, near, common, strict=True):
        own = spelled(text)
        latest, shared, far = (rarity[sorted(own & words)] for words in (last, recent, whole))
        root = np.sqrt(rarity[sorted(own)].sum() + 1e-6)
        length, asks = np.log(len(own) + 1), float("?" in text)
        row[:] = (
            product, latest.sum(), shared.sum(), shared.sum() / root, far.sum() / root, (far**2).sum() / 10,
            length, asks, length * depth, asks * depth, often,
        )  # fmt: skip
    return out


@lru_cache(16384)
def spelled(text: str) -> frozenset[int]:
    """Return the checksums of the words of a text, without their endings."""
    return frozenset(checksum(word) for word in _WORD.findall(text.lower().replace("\u2019", "'")))


def checksum(word: str) -> int:
    """Return the place of a word in the table of rarities.

    >>> checksum("walks") == checksum("walking") == checksum("walked")
    True
    """
    word = word.replace("'", "")
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 3), "")
    return zlib.crc32(word[: len(word) - len(ending)].encode()) >> (32 - BITS)


def load(card: Card) -> Replying:
    """Load the one whose weights a card names."""
    session, facts = opened(weights(card), "network of replies", "affetto.replying")
    rarity = np.frombuffer(base64.b64decode(facts["rarity"]), np.uint8).astype(np.float32) / facts["rarity_scale"]
    middles = np.frombuffer(base64.b64decode(facts["common"]), np.int8).reshape(-1, WIDTH)
    common = np.asarray(middles / 127, np.float32)
    line = (float(facts["line"][0]), float(facts["line"][1]))
    weighed = np.array(facts["weights"], np.float32)
    return Replying(card, words.encoder(card), session, rarity, common, weighed, line)
