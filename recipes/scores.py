"""Scores of a published model with bootstrap intervals, written where the docs and cards read them.

Knows three metrics, until `affetto.metrics` does: macro-F1 of label decisions, expected calibration error, intervals.
"""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.results import interval, save

Score = Callable[[np.ndarray], float]
"""Takes row numbers and returns the score over them."""


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the mean over labels of 2 hits / (asked + said), 0 for a label that has neither; n x k in {0, 1}."""
    hits = (truth * said).sum(0)
    return float((2 * hits / np.maximum(1, truth.sum(0) + said.sum(0))).mean())


def ece(p: np.ndarray, truth: np.ndarray, bins: int = 15) -> float:
    """Return the expected calibration error: per label over `bins` bins of equal width, then the mean over labels.

    sum_b n_b / n |mean truth - mean p| (Guo et al. 2017), n x k both.
    """
    errors = []
    for k in range(p.shape[1]):
        bin_of = np.minimum((p[:, k] * bins).astype(int), bins - 1)
        gap = np.bincount(bin_of, truth[:, k] - p[:, k], bins)
        errors.append(np.abs(gap).sum() / len(p))
    return float(np.mean(errors))


def save_scores(benchmark: str, model: str, n: int, seed: int, scores: Mapping[str, Score], notes: str) -> None:
    """Compute each score over all n rows and its 95 % interval over bootstrap resamples of the rows, and save them."""
    save(benchmark, model, n, {name: interval(score, n, seed) for name, score in scores.items()}, seed, {}, notes)
