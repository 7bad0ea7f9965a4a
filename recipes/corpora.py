"""The text corpora that the recipes train on, read in their official layouts into plain rows.

Knows where a corpus lies under the data folder and what its columns mean; knows nothing of models.
"""

import csv
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
_NAMES = """
admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust
embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness
surprise neutral
"""
GOEMOTIONS = tuple(_NAMES.split())
EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
BRIGHTER = ("anger", "disgust", "fear", "joy", "sadness", "surprise")


@dataclass(frozen=True)
class Rows:
    """Texts with their answers, NaN where nobody was asked."""

    texts: list[str]
    truth: np.ndarray
    """n x k float32."""

    def __len__(self) -> int:
        return len(self.texts)


def _lines(*parts: str) -> Iterator[str]:
    with gzip.open(DATA.joinpath("text", *parts), "rt", encoding="utf-8", newline="") as file:
        yield from file


def goemotions(split: str) -> Rows:
    """Read GoEmotions `train`, `dev` or `test`: n x 28, labels in {0, 1}.

    Training rows whose text also stands in dev or test are left out (exact match after case folding).
    """
    rows = [line.rstrip("\n").split("\t") for line in _lines("goemotions", f"{split}.tsv.gz")]
    if split == "train":
        held_out = {text.casefold().strip() for part in ("dev", "test") for text in goemotions(part).texts}
        rows = [row for row in rows if row[0].casefold().strip() not in held_out]
    truth = np.zeros((len(rows), len(GOEMOTIONS)), np.float32)
    for i, row in enumerate(rows):
        truth[i, [int(label) for label in row[1].split(",")]] = 1
    return Rows([row[0] for row in rows], truth)


def ekman_of_goemotions() -> np.ndarray:
    """Return the official 28 x 7 table from GoEmotions labels to Ekman's six and neutral."""
    groups = json.loads(DATA.joinpath("text", "goemotions", "ekman_mapping.json").read_text("utf-8"))
    table = np.zeros((len(GOEMOTIONS), len(EKMAN)), np.float32)
    for group, members in groups.items():
        for member in members:
            table[GOEMOTIONS.index(member), EKMAN.index(group)] = 1
    table[GOEMOTIONS.index("neutral")] = np.eye(len(EKMAN))[EKMAN.index("neutral")]
    return table


def emobank(split: str) -> Rows:
    """Read EmoBank `train`, `dev` or `test`: n x 6, valence, arousal, dominance (1 to 5) of reader, then of writer."""
    sides = []
    for side in ("reader", "writer"):
        rows = csv.DictReader(_lines("emobank", f"{side}.csv.gz"))
        sides.append({row["id"]: [float(row[axis]) for axis in "VAD"] for row in rows})
    chosen = [row for row in csv.DictReader(_lines("emobank", "emobank.csv.gz")) if row["split"] == split]
    missing = [np.nan] * 3
    reader, writer = sides
    truth = [reader.get(row["id"], missing) + writer.get(row["id"], missing) for row in chosen]
    return Rows([row["text"] for row in chosen], np.array(truth, np.float32))


def brighter(track: str, language: str, split: str) -> Rows:
    """Read BRIGHTER track `a` (0 or 1) or `b` (0 to 3): n x 6, NaN for an emotion the language was not asked about."""
    rows = list(csv.DictReader(_lines("brighter_semeval2025", f"track_{track}", split, f"{language}.csv.gz")))
    truth = [[float(row[emotion]) if emotion in row else np.nan for emotion in BRIGHTER] for row in rows]
    return Rows([row["text"] for row in rows], np.array(truth, np.float32))


def xed_english() -> list[str]:
    """Return the sentences of XED's English part, without their labels."""
    annotated = [line.split("\t")[0].strip() for line in _lines("xed", "AnnotatedData", "en-annotated.tsv.gz")]
    neutral = [line.split("\t")[1].strip() for line in _lines("xed", "AnnotatedData", "neu_en.txt.gz")]
    return [text for text in annotated + neutral if len(text) > 3]


BRIGHTER_LANGUAGES = tuple(
    "afr amh arq ary chn deu eng esp hau hin ibo kin mar orm pcm ptbr ptmz ron rus som sun swa swe tat tir ukr vmw "
    "yor".split()
)


def plain(text: str) -> str:
    """Return a text without differences of case and white space, to find the same text twice."""
    return " ".join(text.casefold().split())


def brighter_train(language: str) -> Rows:
    """Read the training part of BRIGHTER track A without the texts that also stand in the language's dev or test."""
    held_out = {plain(text) for part in ("dev", "test") for text in brighter("a", language, part).texts}
    rows = brighter("a", language, "train")
    kept = [i for i, text in enumerate(rows.texts) if plain(text) not in held_out]
    return Rows([rows.texts[i] for i in kept], rows.truth[kept])


def xed(code: str) -> Rows:
    """Read XED's projection to a language (`en`: what people annotated): n x 6, Plutchik's eight less two."""
    name = ("AnnotatedData", "en-annotated.tsv.gz") if code == "en" else ("Projections", f"{code}-projections.tsv.gz")
    cells = [line.rstrip("\n").split("\t") for line in _lines("xed", *name)]
    rows = [(row[0], {int(label) for label in row[1].split(",")}) for row in cells if len(row) == 2 and row[1].strip()]
    truth = [[float(label in labels) for label in (1, 3, 4, 5, 6, 7)] for _, labels in rows]
    return Rows([text for text, _ in rows], np.array(truth, np.float32))
