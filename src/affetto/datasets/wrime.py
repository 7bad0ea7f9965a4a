"""WRIME: Japanese posts with eight emotions, as strong as their writer felt them and as three readers saw them.

Knows the official table (tab-separated, no quotes); takes from a file only the rows of the split that is asked for.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, post, said_of, table_of

READERS = (1, 2, 3)


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("plutchik-8-intensity")
    for number, row in enumerate(table_of(split.files[0], "\t", quoted=False)):
        if row["Train/Dev/Test"] != split.name:
            continue
        text = row["Sentence"]

        def rated(who: str, row: dict[str, str] = row) -> list[float]:
            return [float(row[f"{who}_{name.capitalize()}"]) for name in space.names]

        read = [rated(f"Reader{i}") for i in READERS]
        tracks = [
            said_of(text, space, rated("Writer"), "writer", perspective="felt"),
            said_of(text, space, np.mean(read, 0), perspective="perceived"),
            *(
                said_of(text, space, values, f"rater:{i}", perspective="perceived")
                for i, values in zip(READERS, read, strict=True)
            ),
        ]
        yield post(f"{split.name}-{number}", text, tracks, "ja", speaker=row["UserID"], time=row["Datetime"])


def _fake(folder: Path) -> None:
    names = "Joy Sadness Anticipation Surprise Anger Fear Disgust Trust".split()
    raters = ["Writer", *(f"Reader{i}" for i in READERS), "Avg. Readers"]
    header = [
        "Sentence",
        "UserID",
        "Datetime",
        "Train/Dev/Test",
        *(f"{who}_{name}" for who in raters for name in names),
    ]
    for part, n in (("train", 4), ("dev", 2), ("test", 2)):
        lines = ["\t".join(header)]
        for i in range(n):
            steps = [str((i + k) % 4) for k in range(len(raters) * len(names))]
            lines.append("\t".join([f'"猫{i}"がいた \N{CAT FACE}', str(i % 2), "2015/01/01 10:00", part, *steps]))
        (folder / f"wrime_v1_{part}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
