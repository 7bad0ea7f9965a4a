"""The labelled turns that lie nearest to a turn: as features for a model, or as examples to show to a language model.

A store keeps the vector of each turn as int8 (768 bytes a turn of `text.affect-en`), its label, and where it comes
from. Turns of the dialogue that is asked about are never given. Knows vectors; knows not what made them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnreadableError

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
_AT_ONCE = 1024
"""Turns that are sought together."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """Turns to look up, n of them."""

    vectors: npt.NDArray[np.int8]
    """n x d, less the mean, each scaled to its largest number."""
    mean: Floats
    """d, of all vectors: what they have in common says nothing."""
    labels: Ids
    """n, numbers of a space's axes."""
    sources: tuple[str, ...]
    """n, the corpus of each."""
    dialogues: tuple[str, ...]
    """n, the dialogue of each."""
    texts: tuple[str, ...] = ()
    """n, or none where they may not be kept."""

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        n = len(self.vectors)
        lengths = {len(self.labels), len(self.sources), len(self.dialogues), len(self.texts) or n}
        if lengths != {n} or self.vectors.ndim != 2 or self.mean.shape != self.vectors.shape[1:]:
            raise MalformedError(f"a store of {n} vectors wants as many labels, sources, dialogues and texts (or none)")

    @staticmethod
    def of(
        known: Floats,
        labels: Sequence[int] | Ids,
        sources: Sequence[str],
        dialogues: Sequence[str],
        texts: Sequence[str] = (),
    ) -> "Nearest":
        """Return a store of turns, of what is known of each (n x d)."""
        known = np.asarray(known, np.float32)
        mean = known.mean(0) if len(known) else np.zeros(known.shape[1:], np.float32)
        return Nearest(
            _rounded(known - mean), mean, np.asarray(labels, np.int64), tuple(sources), tuple(dialogues), tuple(texts)
        )

    def __call__(self, known: Floats, k: int = 3, dialogues: Sequence[str] = ()) -> tuple[Ids, Floats]:
        """Return the numbers of the k nearest turns, and their cosines, nearest first (both m x k).

        Args:
            known: m x d, of the turns asked about.
            k: how many.
            dialogues: m, the dialogue of each turn asked about: its own turns are left out. None: nothing is.

        Returns:
            Numbers are -1, and cosines 0, where there are fewer than k.
        """
        known = np.asarray(known, np.float32)
        if len(dialogues) not in (0, len(known)):
            raise MalformedError(f"{len(known)} turns want as many dialogues, or none, not {len(dialogues)}")
        numbers = np.full((len(known), k), -1, np.int64)
        cosines = np.zeros((len(known), k), np.float32)
        most = min(k, len(self.vectors))
        whole = self.vectors.astype(np.float32)
        whole /= np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-9)
        own = np.array(self.dialogues)
        for start in range(0, len(known) if most else 0, _AT_ONCE):
            asked = known[start : start + _AT_ONCE] - self.mean
            asked = asked / np.maximum(np.linalg.norm(asked, axis=1, keepdims=True), 1e-9)
            near = asked @ whole.T
            if dialogues:
                near[np.array(dialogues[start : start + _AT_ONCE])[:, None] == own] = -np.inf
            best = np.argpartition(-near, most - 1, axis=1)[:, :most]
            found = np.take_along_axis(near, best, 1)
            order = np.argsort(-found, axis=1, kind="stable")
            best, found = np.take_along_axis(best, order, 1), np.take_along_axis(found, order, 1)
            there = np.isfinite(found)
            rows = slice(start, start + len(asked))
            numbers[rows, :most] = np.where(there, best, -1)
            cosines[rows, :most] = np.where(there, found, 0)
        return numbers, cosines

    def shares(
        self, known: Floats, labels: int, k: int = 16, dialogues: Sequence[str] = (), heat: float = 0.1
    ) -> Floats:
        """Return how far the k nearest speak for each label (m x labels, rows sum to 1), nearer ones louder.

        Args:
            known: m x d.
            labels: how many there are.
            k: how many neighbours speak.
            dialogues: see `__call__`.
            heat: a neighbour counts by e to the power of its cosine over this.
        """
        numbers, cosines = self(known, k, dialogues)
        weight = np.where(numbers >= 0, np.exp(cosines / heat), 0)
        weight /= np.maximum(weight.sum(1, keepdims=True), 1e-9)
        said = np.zeros((len(numbers), labels), np.float32)
        for column in range(numbers.shape[1]):
            there = numbers[:, column] >= 0
            said[np.flatnonzero(there), self.labels[numbers[there, column]]] += weight[there, column]
        return said

    def save(self, path: Path) -> None:
        """Write the store as npz."""
        columns = {name: np.array(getattr(self, name), str) for name in ("sources", "dialogues", "texts")}
        np.savez_compressed(
            path, allow_pickle=False, vectors=self.vectors, mean=self.mean, labels=self.labels, **columns
        )

    @staticmethod
    def open(path: Path) -> "Nearest":
        """Read a store.

        Raises:
            UnreadableError: it is none.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                columns = (tuple(map(str, file[name])) for name in ("sources", "dialogues", "texts"))
                return Nearest(file["vectors"], file["mean"], file["labels"], *columns)
        except Exception as error:  # numpy and zipfile raise errors of their own
            raise UnreadableError(f"{path.name} is no store of turns of affetto: {error}") from None


def _rounded(vectors: Floats) -> npt.NDArray[np.int8]:
    """Return vectors as int8, each scaled to its largest number: a cosine does not care."""
    largest = np.maximum(np.abs(vectors).max(1, keepdims=True), 1e-9) if len(vectors) else 1.0
    return np.asarray(np.rint(vectors / largest * 127), np.int8)
