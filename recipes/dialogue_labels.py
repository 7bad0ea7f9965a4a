"""Which labels the corpora of talks bear, and how a model of their turns is scored. Knows no network."""

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.core.record import Record
from affetto.metrics.classification import chosen, micro_f1_without, weighted_f1

LABELS = {"meld": "ekman-7", "emorynlp": "emorynlp-7", "dailydialog": "ekman-7"}
"""Corpus -> the space of its labels."""
MODELS = {
    "dialogue.erc": ("meld", False),
    "dialogue.erc-emorynlp": ("emorynlp", False),
    "dialogue.erc-daily": ("dailydialog", False),
    "dialogue.erc-with-future": ("meld", True),
}
"""Card -> corpus of its head, and whether it sees later turns."""
Ints = npt.NDArray[np.int64]


def labels(record: Record, space: str) -> npt.NDArray[np.int64]:
    """Return the number of each turn's label."""
    found = np.full(len(record.turns), -1)
    for track in record.tracks:
        if track.space.id == space:
            for start, row in zip(track.start, track.values, strict=True):
                if not np.isnan(row).all():
                    found[int(start)] = int(np.nanargmax(row))
    return found


def score(corpus: str, truth: Ints, said: Ints) -> float:
    """Return the score that the corpus is known by: weighted F1, or micro-F1 without neutral."""
    asked, answered = chosen(truth, 7), chosen(said, 7)
    if corpus == "dailydialog":
        return micro_f1_without(asked, answered, load(LABELS[corpus]).names.index("neutral"))
    return weighted_f1(asked, answered)
