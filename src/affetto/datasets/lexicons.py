"""Words and signs that people have rated one by one: Warriner's norms, VADER's lexicon, the emoji sentiment ranking.

Each entry is a Record of its own. VADER's ten raters are kept one by one; of the others only sums were published.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, lines_of, post, said_of, table_of

AXES = ("V", "A", "D")
VADER_TOP = 4.0
"""The strongest rating in VADER's lexicon."""


def warriner(card: Card) -> Corpus:
    """Return the norms: valence, arousal and dominance 1 to 9 as (x - 5) / 4."""
    return Corpus(card, _norms, _fake_norms)


def vader(card: Card) -> Corpus:
    """Return the lexicon: valence -4 to 4 as x / 4, arousal and dominance not said."""
    return Corpus(card, _lexicon, _fake_lexicon)


def emoji(card: Card) -> Corpus:
    """Return the ranking: shares of the tweets with a sign that annotators called negative, neutral and positive."""
    return Corpus(card, _signs, _fake_signs)


def _norms(split: Split) -> Iterator[Record]:
    space = catalog.load("vad")
    for row in table_of(split.files[0]):
        values = [(float(row[f"{axis}.Mean.Sum"]) - 5) / 4 for axis in AXES]
        spread = {f"{axis}_sd": float(row[f"{axis}.SD.Sum"]) for axis in AXES}
        track = said_of(row["Word"], space, values, subject="reader", perspective="evoked")
        yield post(row["Word"], row["Word"], [track], "en", **spread)


def _lexicon(split: Split) -> Iterator[Record]:
    space = catalog.load("vad")
    for number, line in enumerate(lines_of(split.files[0])):
        word, mean, _, rated = line.rstrip().split("\t")
        scores = [float(mean), *map(float, json.loads(rated))]
        sources = ["raters", *(f"rater:{i}" for i in range(1, len(scores)))]
        tracks = [
            said_of(word, space, [score / VADER_TOP, np.nan, np.nan], source)
            for score, source in zip(scores, sources, strict=True)
        ]
        yield post(str(number), word, tracks, "en")


def _signs(split: Split) -> Iterator[Record]:
    space = catalog.load("sentiment-3")
    for row in table_of(split.files[0]):
        counts = np.array([float(row[name.capitalize()]) for name in space.names])
        track = said_of(row["Emoji"], space, counts / counts.sum())
        yield post(
            row["Unicode codepoint"], row["Emoji"], [track], name=row["Unicode name"], occurrences=int(counts.sum())
        )


def _fake_norms(folder: Path) -> None:
    heads = [f"{axis}.{what}.Sum" for axis in AXES for what in ("Mean", "SD", "Rat")]
    lines = [",Word," + ",".join(heads)]
    lines += [f"{i},{word},6.2,2.2,19,2.4,1.4,22,4.3,1.8,15" for i, word in enumerate(("abalone", "na\u00efve"), 1)]
    with gzip.open(folder / "Ratings_Warriner_et_al.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _fake_lexicon(folder: Path) -> None:
    rows = ["$:\t-1.5\t0.80623\t[-1, -2]", "glad\t2.0\t0.4\t[2, 2]"]
    (folder / "vader_lexicon.txt").write_text("\n".join(rows) + "\n", "utf-8")


def _fake_signs(folder: Path) -> None:
    head = "Emoji,Unicode codepoint,Occurrences,Position,Negative,Neutral,Positive,Unicode name,Unicode block"
    row = "\U0001f602,0x1f602,10,0.8,2,3,5,FACE WITH TEARS OF JOY,Emoticons"
    (folder / "Emoji_Sentiment_Data_v1.0.csv").write_text(f"{head}\n{row}\n", "utf-8")
