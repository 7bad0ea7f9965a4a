"""Scores of a published model with bootstrap intervals, written where the docs and cards read them."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from affetto.core import plain
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from benchmarks.results import interval, save

Score = Callable[[np.ndarray], float]
"""Takes row numbers and returns the score over them."""


def save_scores(benchmark: str, model: str, n: int, seed: int, scores: Mapping[str, Score], notes: str) -> None:
    """Compute each score over all n rows and its 95 % interval over bootstrap resamples of the rows, and save them."""
    save(benchmark, model, n, {name: interval(score, n, seed) for name, score in scores.items()}, seed, {}, notes)


def keep_predictions(
    path: Path, ids: Sequence[str], texts: Sequence[str], space: Space, p: np.ndarray, source: str
) -> None:
    """Write what was said of n texts (n x k) as predictions that `affetto bench score` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for id, text, row in zip(ids, texts, p, strict=True):
            track = Track(space, np.zeros(1), np.array([len(text)]), row[None], unit="char", source=source)
            file.write(json.dumps(plain.from_record(Record(id, tracks=(track,)))) + "\n")
