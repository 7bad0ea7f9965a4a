"""The 35,887 small faces of FER2013 with the ten votes of FER+, as arrays, from the sheets they are packed in.

Knows the folder `face/fer2013` below AFFETTO_DATA: tile sheets, `labels.csv` (usage, label, votes) and
`duplicates.csv` (rows whose pixels are the same).
"""

import csv
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

SIDE, A_LINE, A_SHEET = 48, 60, 6000
EXPRESSIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""As FER+ orders them; two more columns of votes follow: unknown, and no face."""
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Of FER2013, by number."""
USAGES = {"train": "Training", "dev": "PublicTest", "test": "PrivateTest"}


@dataclass(frozen=True)
class Pictures:
    """Faces in the order of their rows."""

    rows: npt.NDArray[np.int64]
    """n: the number of each row in the original table."""
    pixels: npt.NDArray[np.uint8]
    """n x 48 x 48."""
    label: npt.NDArray[np.int64]
    """n: 0..6, of FER2013."""
    votes: npt.NDArray[np.int64]
    """n x 10, of FER+."""
    twin: npt.NDArray[np.bool_]
    """n: whether a row of Training holds the very same pixels."""
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
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    sheets = [
        cv2.imread(str(folder / f"tiles_{k}.jpg"), cv2.IMREAD_GRAYSCALE) for k in range(-(-len(table) // A_SHEET))
    ]
    tiles = np.concatenate([_tiles(sheet) for sheet in sheets])[: len(table)]
    groups: dict[str, list[int]] = defaultdict(list)
    with (folder / "duplicates.csv").open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            groups[cells["dup_group"]].append(int(cells["row"]))
    twins = np.zeros(len(table), bool)
    for rows in groups.values():
        twins[rows] = any(table[row]["usage"] == USAGES["train"] for row in rows)
    all = Pictures(
        np.arange(len(table)),
        tiles,
        np.array([int(cells["emotion"]) for cells in table]),
        np.array([[int(cells[f"ferplus_{word}"] or 0) for word in (*EXPRESSIONS, "unknown", "NF")] for cells in table]),
        twins,
        tiles.reshape(len(tiles), -1).std(1) < 1,
    )
    return all[np.array([cells["usage"] == USAGES[split] for cells in table])]


def _tiles(sheet: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    lines = sheet.shape[0] // SIDE
    cut = sheet[: lines * SIDE, : A_LINE * SIDE].reshape(lines, SIDE, A_LINE, SIDE)
    return cut.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE)
