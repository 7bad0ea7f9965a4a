"""The 35,887 small faces of FER2013 with the ten votes of FER+, as arrays, from the sheets they are packed in.

Knows what the labels and votes mean to a recipe; `affetto.datasets.face_tiles` knows the sheets and the tables.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.datasets.corpus import Split
from affetto.datasets.face_tiles import SIDE, TABLE, TWINS, tiles

EXPRESSIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""As FER+ orders them; two more columns of votes follow: unknown, and no face."""
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Of FER2013, by number."""
__all__ = ["EXPRESSIONS", "LABELS", "SIDE", "Pictures", "pictures"]


@dataclass(frozen=True)
class Pictures:
    """Faces in the order of their rows."""

    pixels: npt.NDArray[np.uint8]
    """n x 48 x 48."""
    label: npt.NDArray[np.int64]
    """n: 0..6, of FER2013."""
    votes: npt.NDArray[np.int64]
    """n x 10, of FER+."""
    twin: npt.NDArray[np.bool_]
    """n: whether Training holds the very same pixels, of dev and test."""
    blank: npt.NDArray[np.bool_]
    """n: whether there is nothing in it."""

    def __getitem__(self, which: npt.NDArray[np.bool_]) -> "Pictures":
        """Return some of them."""
        return Pictures(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    @property
    def shares(self) -> npt.NDArray[np.float32]:
        """Shares, n x 8, of the votes for the eight expressions; zeros where nobody voted for any."""
        said = self.votes[:, :8].astype(np.float32)
        return said / np.maximum(said.sum(1, keepdims=True), 1)

    @property
    def majority(self) -> npt.NDArray[np.int64]:
        """The expression (n) that won by the official protocol, or -1.

        As the training code of Barsoum et al. 2016 scores: single votes are dropped, then more than half of what is
        left must agree, and unknown and no face are no expressions.
        """
        votes = np.where(self.votes <= 1, 0, self.votes)
        won = votes.argmax(1)
        return np.where((votes.max(1) > 0.5 * votes.sum(1)) & (won < len(EXPRESSIONS)), won, -1)


def pictures(split: str) -> Pictures:
    """Read a split: train, dev or test."""
    folder = Path(os.environ["AFFETTO_DATA"]) / "face" / "fer2013"
    found = list(tiles(Split(folder, split, "", (folder / TABLE, folder / TWINS))))
    words = (*EXPRESSIONS, "unknown", "NF")
    return Pictures(
        np.stack([tile.image.pixels[:, :, 0] for tile in found]),
        np.array([int(tile.cells["emotion"]) for tile in found]),
        np.array([[int(tile.cells[f"ferplus_{word}"] or 0) for word in words] for tile in found]),
        np.array(["seen_in" in tile.marks for tile in found]),
        np.array(["blank" in tile.marks for tile in found]),
    )
