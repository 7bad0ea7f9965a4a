"""Scores of a published model with bootstrap intervals, written where the docs and cards read them."""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.results import interval, save

Score = Callable[[np.ndarray], float]
"""Takes row numbers and returns the score over them."""


def save_scores(benchmark: str, model: str, n: int, seed: int, scores: Mapping[str, Score], notes: str) -> None:
    """Compute each score over all n rows and its 95 % interval over bootstrap resamples of the rows, and save them."""
    save(benchmark, model, n, {name: interval(score, n, seed) for name, score in scores.items()}, seed, {}, notes)
