"""Single words and pairs of words as numbers, and a weight each: what a small model knows of wordings.

A gram is its CRC-32; only grams of the table count, each once a text, and a text's sum is divided by the root of how
many different grams it has, known or not. Knows texts and numbers.
"""

import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.uint32]
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|[^\w\s]")
MOST = 2000
"""Words of a text that are read, the first ones."""


def words(text: str) -> list[tuple[int, int]]:
    """Return where the words and single signs of a text stand.

    >>> words("I'm sad!")
    [(0, 3), (4, 7), (7, 8)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def keys(text: str) -> Keys:
    """Return the numbers of the different grams of a text: its words, and its pairs of words with its two ends."""
    said = [text[start:end].lower().replace("\u2019", "'") for start, end in words(text)[:MOST]]
    framed = ["<", *said, ">"]
    pairs = [f"{one} {other}" for one, other in itertools.pairwise(framed)]
    found = {zlib.crc32(gram.encode("utf-8", "replace")) for gram in (*said, *pairs)}
    return np.array(sorted(found), np.uint32)


@dataclass(frozen=True)
class Grams:
    """A weight for each gram that counts, and each output."""

    keys: Keys
    """m, ascending."""
    weights: npt.NDArray[np.int8]
    """m x k, in units of `scale`."""
    scale: Floats
    """k."""

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the sums of texts, n x k."""
        found = np.zeros((len(texts), len(self.scale)), np.float32)
        for row, text in enumerate(texts):
            mine = keys(text)
            at = np.minimum(np.searchsorted(self.keys, mine), max(0, len(self.keys) - 1))
            hit = at[self.keys[at] == mine] if len(self.keys) else at[:0]
            found[row] = self.weights[hit].astype(np.float32).sum(0) / np.sqrt(max(1, len(mine)))
        return found * self.scale
