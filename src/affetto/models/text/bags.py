"""Texts as bags of n-grams held in two arrays, and the plainest thing that reads them: one weight an n-gram.

Knows arrays; knows nothing of what the weights mean.
"""

import base64
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.models.text import hashing
from affetto.models.text.hashing import Grams


@dataclass(frozen=True)
class Bags:
    """The n-grams of texts: text i has `numbers[offsets[i]:offsets[i + 1]]` (32 bits each)."""

    numbers: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.offsets) - 1

    def part(self, rows: np.ndarray) -> "Bags":
        """Return the bags of some rows."""
        sizes = self.offsets[rows + 1] - self.offsets[rows]
        ends = np.cumsum(sizes)
        places = np.repeat(self.offsets[rows] - (ends - sizes), sizes) + np.arange(sizes.sum())
        return Bags(self.numbers[places], np.concatenate([[0], ends]))


def bags(texts: Sequence[str], grams: Grams) -> Bags:
    """Return the n-grams of texts, those that `Ngrams` looks up."""
    numbers, owners = [np.zeros(0, np.uint32)], [np.zeros(0, np.intp)]
    for held, rows in hashing.chunks(texts):
        read = hashing.tokens(held)
        _, first, same = np.unique(read.names, return_index=True, return_inverse=True)
        found, offsets = hashing.letter_grams(read, first, grams)
        tokens = Bags(found, offsets).part(same)
        token_rows = np.repeat(np.array(rows), np.diff(read.offsets))
        numbers.append(tokens.numbers)
        owners.append(np.repeat(token_rows, np.diff(tokens.offsets)))
        if grams.pairs:
            found, offsets = hashing.pair_grams(read)
            numbers.append(found)
            owners.append(np.repeat(np.array(rows), np.diff(offsets)))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(texts))
    return Bags(np.concatenate(numbers)[order], np.concatenate([[0], np.cumsum(counts)]))


@dataclass(frozen=True)
class Lines:
    """One weight an n-gram and label: a text's logits are their sums over the root of how many n-grams it has.

    Of a text with more than `most` n-grams, where that is not 0, they stay what they would be with that many.
    """

    table: npt.NDArray[np.int8]
    """2 ** bits x k, in units of `scale`; an n-gram's row is the first `bits` bits of its number."""
    scale: npt.NDArray[np.float32]
    """k."""
    grams: Grams
    most: int = 0

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the logits of texts, n x k, without a constant."""
        read = bags(texts, self.grams)
        places = read.numbers >> np.uint32(33 - len(self.table).bit_length())
        sizes = np.diff(read.offsets)
        sums = np.zeros((len(texts), len(self.scale)), np.int32)
        some = np.flatnonzero(sizes)
        if len(some):
            sums[some] = np.add.reduceat(self.table[places], read.offsets[:-1][some], axis=0, dtype=np.int32)
        counts = np.maximum(1, sizes)[:, None]
        root = np.maximum(np.sqrt(counts), counts / np.sqrt(self.most)) if self.most else np.sqrt(counts)
        return np.asarray(sums / root * self.scale, np.float32)

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "table": base64.b85encode(lzma.compress(self.table.T.tobytes())).decode("ascii"),
            "scale": self.scale.tolist(),
            "grams": [self.grams.shortest, self.grams.longest, self.grams.pairs],
            "most": self.most,
        }

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> "Lines":
        """Return what `to_plain` gave."""
        scale = np.array(plain["scale"], np.float32)
        shortest, longest, pairs = plain["grams"]
        columns = np.frombuffer(lzma.decompress(base64.b85decode(plain["table"])), np.int8).reshape(len(scale), -1)
        table = np.ascontiguousarray(columns.T)
        return Lines(table, scale, Grams(int(shortest), int(longest), bool(pairs)), int(plain.get("most", 0)))
