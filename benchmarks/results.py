"""Where a measured number is kept: `benchmarks/results/<benchmark>/<model>.json`, with what made it.

Knows the schema of a result and the bootstrap; knows no benchmark. The tables of README and docs are made from these
files and from nothing else.
"""

import datetime
import json
import math
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HOME = Path(__file__).resolve().parents[1]
RESULTS = HOME / "benchmarks" / "results"
Metric = Mapping[str, float | None]
"""`value`, and `low` and `high` of its 95 % interval; None where not said."""


def save(
    benchmark: str,
    model: str,
    n: int,
    metrics: Mapping[str, Metric],
    seed: int | None,
    speed: Mapping[str, float],
    notes: str,
) -> Path:
    """Write a result with the commit, the date and the machine that made it; return the file.

    Args:
        benchmark: id of the benchmark, which becomes the folder.
        model: id of the model, which becomes the name of the file.
        n: how many items were scored.
        metrics: name to value, low and high; NaN is written as null.
        seed: what the random choices started from; None where nothing was random.
        speed: name to number; the name says the unit.
        notes: split, protocol, command: whatever one must know to read the numbers.
    """
    path = RESULTS / benchmark / f"{model}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {
        "benchmark": benchmark,
        "model": model,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "seed": seed,
        "n": n,
        "metrics": {
            name: {key: _number(metric.get(key)) for key in ("value", "low", "high")}
            for name, metric in metrics.items()
        },
        "speed": {name: _number(value) for name, value in speed.items()},
        "notes": notes,
    }
    path.write_text(json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    return path


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


def results(benchmark: str | None = None) -> list[dict[str, Any]]:
    """Return all kept results, or those of one benchmark, by benchmark and model."""
    files = sorted(RESULTS.glob(f"{benchmark or '*'}/*.json"))
    return [json.loads(path.read_text("utf-8")) for path in files]


def commit() -> str:
    """Return the commit of the code, with `+` where the tree differs from it; empty outside a repository."""
    try:
        hash, dirty = (
            subprocess.run(["git", "-C", str(HOME), *what], capture_output=True, text=True, check=True).stdout.strip()
            for what in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--", "src"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return hash + ("+" if dirty else "")


def machine() -> str:
    """Return processor, cores and Python; no names of hosts or people."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, Python {platform.python_version()}"


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")
