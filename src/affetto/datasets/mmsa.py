"""CMU-MOSI and CMU-MOSEI as MMSA hands them out: opinions told to a camera, with how positive each sentence is.

Knows the one pickled dictionary of that layout, which is read without unpickling; features stay in the file.
"""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, post, said_of
from affetto.datasets.restricted import read_pickle


def load(card: Card) -> Corpus:
    """Return the corpus; MOSI and MOSEI share their layout."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("sentiment-score")
    part = read_pickle(split.files[0])[{"dev": "valid"}.get(split.name, split.name)]
    scores = np.asarray(part["regression_labels"], np.float64).reshape(-1)
    for id, text, score in zip(part["id"], part["raw_text"], scores, strict=True):
        video = id.partition("$_$")[0]
        track = said_of(text, space, [score], subject="speaker", channel="fused")
        yield post(id, text, [track], "en", group=video)


def _fake(folder: Path) -> None:
    whole = {}
    for name, n in (("train", 4), ("valid", 2), ("test", 3)):
        words = [f"WELL I THINK MOVIE {i} WAS\N{HORIZONTAL ELLIPSIS} GREAT" for i in range(n)]
        whole[name] = {
            "raw_text": np.array(words),
            "audio": np.zeros((n, 8, 5)),
            "vision": np.zeros((n, 8, 20)),
            "id": [f"{name}V{i % 2}$_${i}" for i in range(n)],
            "text": np.zeros((n, 8, 768), np.float32),
            "text_bert": np.zeros((n, 3, 8)),
            "audio_lengths": [8] * n,
            "vision_lengths": [8] * n,
            "annotations": ["Positive"] * n,
            "regression_labels": np.linspace(-3, 3, n),
        }
    path = folder / "Processed" / "unaligned_50.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(whole, protocol=4))
