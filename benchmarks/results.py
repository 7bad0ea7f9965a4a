"""Where this repository keeps its measured numbers: `benchmarks/results/<benchmark>/<model>.json`.

Knows the folder and the bootstrap; the schema of a result is `affetto.bench.results`. The tables of README and docs are
made from these files and from nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affetto.bench import results as kept

HOME = Path(__file__).resolve().parents[1]
RESULTS = HOME / "benchmarks" / "results"


def save(
    benchmark: str,
    model: str,
    n: int,
    metrics: Mapping[str, kept.Metric],
    seed: int | None,
    speed: Mapping[str, float],
    notes: str,
) -> Path:
    """Write a result into this repository, as `affetto.bench.results.save` does; return the file."""
    return kept.save(RESULTS, benchmark, model, n, metrics, seed, speed, notes)


def results(benchmark: str | None = None) -> list[dict[str, Any]]:
    """Return all kept results, or those of one benchmark, by benchmark and model."""
    return kept.results(RESULTS, benchmark)


def interval(
    score: Callable[[np.ndarray], float], n: int, seed: int, groups: Sequence[Any] | None = None, resamples: int = 1000
) -> dict[str, float]:
    """Return the value of a score over n rows, and its 95 % interval over bootstrap resamples.

    Args:
        score: takes row numbers, each perhaps several times, and returns the score over them.
        n: the number of rows.
        seed: of the resampling.
        groups: for each row whose it is (a subject, a template); then whole groups are drawn, not rows.
        resamples: how many.

    >>> interval(lambda rows: float(np.array([0, 1, 1, 1])[rows].mean()), 4, seed=1)["value"]
    0.75
    """
    rng = np.random.default_rng(seed)
    if groups is None:
        draws = (rng.integers(0, n, n) for _ in range(resamples))
    else:
        _, whose = np.unique(np.asarray(groups), return_inverse=True)
        rows_of = [np.flatnonzero(whose == g) for g in range(whose.max() + 1)]
        picks = (rng.integers(0, len(rows_of), len(rows_of)) for _ in range(resamples))
        draws = (np.concatenate([rows_of[g] for g in pick]) for pick in picks)
    low, high = np.nanpercentile([score(rows) for rows in draws], [2.5, 97.5])
    return {"value": float(score(np.arange(n))), "low": float(low), "high": float(high)}
