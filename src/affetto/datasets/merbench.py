"""CMU-MOSI, CH-SIMS and CH-SIMS v2 as MERBench hands them out: transcripts, and how positive each clip is.

Knows its two tables: an `.npz` of labels, read without unpickling, and a CSV of transcripts in two languages, one of
them made by a machine. Scores of CH-SIMS, -1..1, are multiplied by 3 to stand on the scale of MOSI.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, post, said_of, table_of
from affetto.datasets.restricted import read_npz

UNSAID = -10
"""The value that says that a clip has no score."""


def load(card: Card) -> Corpus:
    """Return the corpus: which of the three, and on which scale, its card says."""
    return Corpus(card, lambda split: _read(split, card), lambda folder: _fake(folder, card))


def _read(split: Split, card: Card) -> Iterator[Record]:
    space = catalog.load("sentiment-score")
    labels = read_npz(split.files[0])[f"{'val' if split.name == 'dev' else split.name}_corpus"]
    words = {row["name"]: row for row in table_of(split.files[1])}
    own, other = ("english", "chinese") if card.languages == ("en",) else ("chinese", "english")
    for id, label in labels.items():
        text, translation = words[id][own], words[id][other]
        score = label["val"] * card.facts["scale"] if label["val"] != UNSAID else np.nan
        track = said_of(text, space, [score], subject="speaker", channel="fused")
        yield post(id, text, [track], card.languages[0], group=id.rpartition("_")[0], translation=translation)


def _fake(folder: Path, card: Card) -> None:
    labels, transcripts = card.facts["splits"]["train"]["files"]
    lines, sets = ["name,chinese,english"], {}
    for name, n in (("train", 3), ("val", 2), ("test", 2)):
        ids = [f"{name}_000{i}_0001" for i in range(n)]
        lines += [f'{id},她说 "好" 。,"She said, ""good"" {i}."' for i, id in enumerate(ids)]
        said = {id: {"emo": 0, "val": np.float64(0.2 * i) if i < 2 else UNSAID} for i, id in enumerate(ids)}
        sets[f"{name}_corpus"] = np.array(said, dtype=object)
    np.savez_compressed(folder / labels, **sets)  # type: ignore[arg-type]
    (folder / transcripts).write_text("\n".join(lines) + "\n", "utf-8")
