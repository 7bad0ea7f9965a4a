"""From rows and answers to numbers: decisions, intervals by bootstrap over groups, paired tests between systems.

All systems of a run are resampled with the same draws, so that their differences are paired. Knows no file.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.bench.protocol import Benchmark
from affetto.bench.rows import Floats, Rows
from affetto.bench.scores import Case, Score, right, scores
from affetto.bench.thresholds import threshold
from affetto.core.errors import MalformedError, UnknownNameError

RESAMPLES = 10_000
CHUNK = 250


@dataclass(frozen=True)
class Measured:
    """One metric of one system."""

    value: float
    low: float
    high: float
    """Ends of the 95 % interval; NaN where it was not resampled."""


@dataclass(frozen=True)
class Paired:
    """How a system compares with another on the headline metric, on the same rows and draws."""

    against: str
    metric: str
    difference: float
    low: float
    high: float
    p_bootstrap: float
    """Two-sided: how often the difference has the other sign, twice; never below 2 / (resamples + 1)."""
    p_mcnemar: float
    """Exact two-sided McNemar on the rows that only one of them has right; NaN for graded answers."""


@dataclass(frozen=True)
class Outcome:
    """All that was measured of one system."""

    n: int
    groups: int
    said: float
    """Share of the rows of which it said anything."""
    metrics: Mapping[str, Measured]
    paired: tuple[Paired, ...]


def case(benchmark: Benchmark, rows: Rows, values: Floats, cuts: Floats | None = None) -> Case:
    """Return decisions beside the truth.

    Args:
        benchmark: named where something is wrong.
        rows: the truth.
        values: n x k, what a system said in the benchmark's space; NaN where nothing.
        cuts: k or n x k, of kind `any`, the thresholds.

    Raises:
        MalformedError: there are not as many rows, or not the axes of the space.
    """
    if values.shape != rows.values.shape:
        raise MalformedError(
            f"{benchmark.id} wants {rows.values.shape[0]} rows of {rows.values.shape[1]} values in {rows.space.id}, not"
            f" {values.shape[0]} of {values.shape[-1]}"
        )
    asked = np.asarray(~np.isnan(rows.values).all(0))
    if rows.space.kind == "graded":
        truth = rows.values[:, asked]
        return Case(truth, values[:, asked], values[:, asked], _kept(rows, asked))
    truth = np.where(np.isnan(rows.values), np.nan, rows.values > (0 if rows.space.kind == "one" else 0.5))
    if benchmark.majority:
        truth = np.eye(rows.values.shape[1])[np.nan_to_num(rows.values).argmax(1)]
    asked = asked & (np.nansum(truth, 0) > 0)
    if rows.space.kind == "one":
        said = np.zeros_like(values)
        spoken = ~np.isnan(values).all(1)
        said[spoken, np.nanargmax(values[spoken], 1)] = 1
    else:
        limit = np.full(values.shape[1], 0.5) if cuts is None else cuts
        said = (np.nan_to_num(values, nan=-1.0) >= limit).astype(np.float64)
    shares = rows.values[:, asked] if benchmark.majority else None
    return Case(truth[:, asked], said[:, asked], values[:, asked], _kept(rows, asked), shares)


def cuts(truth: Floats, values: Floats, seed: int) -> Floats:
    """Return the thresholds of k labels that are best for these rows (n x k both); .5 for one that they do not have."""
    found = np.full(values.shape[1], 0.5)
    for k in range(values.shape[1]):
        known = ~np.isnan(truth[:, k])
        if known.any() and (truth[known, k] > 0.5).any():
            found[k] = threshold(values[known, k], truth[known, k] > 0.5, seed)
    return found


def evaluate(
    benchmark: Benchmark,
    rows: Rows,
    cases: Mapping[str, Case],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Outcome]:
    """Score systems on the same rows and the same draws.

    Args:
        benchmark: whose metrics, groups and parts.
        rows: the truth.
        cases: by system.
        seed: of the draws.
        resamples: how many draws of groups.
    """
    kind = rows.space.kind
    layouts = {name: _laid(benchmark, rows, kind, own) for name, own in cases.items()}
    for name, parts in layouts.items():
        if kind != "graded" and benchmark.metrics[0] not in parts[0].scores:
            raise UnknownNameError(f"metric of {benchmark.id} for {name}", benchmark.metrics[0], parts[0].scores)
    return compared(
        benchmark,
        layouts,
        {name: right(kind, own) for name, own in cases.items()},
        {name: float((~np.isnan(own.p).all(1)).mean()) for name, own in cases.items()},
        (len(rows), len(set(rows.group))),
        seed,
        resamples,
    )


def compared(
    benchmark: Benchmark,
    layouts: Mapping[str, list["Part"]],
    rights: Mapping[str, npt.NDArray[np.bool_] | None],
    said: Mapping[str, float],
    counts: tuple[int, int],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Outcome]:
    """Resample laid out scores of systems with the same draws, and compare the systems.

    Args:
        benchmark: whose headline and conditions: under conditions, all parts are drawn alike.
        layouts: by system, its parts.
        rights: by system, n, which rows it has right; None where nobody can say.
        said: by system, the share of the rows of which it said anything.
        counts: rows and groups.
        seed: of the draws.
        resamples: how many.
    """
    headline = benchmark.metrics[0]
    draws: dict[str, dict[str, list[Floats]]] = {name: {} for name in layouts}
    values: dict[str, dict[str, float]] = {}
    for name, parts in layouts.items():
        whole = [np.ones((1, part.groups)) for part in parts]
        values[name] = {key: float(v[0]) for key, v in _finished(parts, whole).items()}
    for weights in _weights(layouts, seed, resamples, bool(benchmark.conditions)):
        for name, parts in layouts.items():
            for key, v in _finished(parts, weights).items():
                draws[name].setdefault(key, []).append(v)
    outcomes = {}
    for name in layouts:
        drawn = {key: np.concatenate(v) for key, v in draws[name].items()}
        metrics = {key: _measured(key, value, drawn.get(key)) for key, value in values[name].items()}
        paired = tuple(
            _paired(
                other,
                headline,
                (values[name], values[other]),
                (draws[name], draws[other]),
                (rights[name], rights[other]),
            )
            for other in layouts
            if other != name and headline in values[name] and headline in values[other]
        )
        outcomes[name] = Outcome(*counts, said[name], metrics, paired)
    return outcomes


@dataclass(frozen=True)
class Part:
    """A part of the corpus: how many groups it has, and what each group adds to each score."""

    name: str
    groups: int
    scores: Mapping[str, Score]


def _laid(benchmark: Benchmark, rows: Rows, kind: str, own: Case) -> list[Part]:
    """Lay a system's rows out by part, summed over groups."""
    found = []
    part_of, several = np.array(rows.part), len(set(rows.part)) > 1
    for part in dict.fromkeys(rows.part):
        at = np.flatnonzero(part_of == part)
        mine = own.only(at, _present(own.truth[at], several and kind != "graded"))
        _, group = np.unique(np.array(rows.group)[at], return_inverse=True)
        groups = int(group.max()) + 1
        summed: dict[int, Floats] = {}
        gathered = {}
        for name, score in scores(kind, mine).items():
            if _shown(name, benchmark, kind):
                if id(score.adds) not in summed:
                    summed[id(score.adds)] = np.zeros((groups, score.adds.shape[1]))
                    np.add.at(summed[id(score.adds)], group, score.adds)
                gathered[name] = Score(summed[id(score.adds)], score.finish)
        found.append(Part(part, groups, gathered))
    return found


def _shown(name: str, benchmark: Benchmark, kind: str) -> bool:
    return (
        name in benchmark.metrics
        or name in ("ece", "brier", "accuracy", "micro_f1", "macro_f1")
        or (name.startswith("f1_") and not benchmark.parts and not benchmark.conditions)
        or (kind == "graded" and name.split("_", maxsplit=1)[0] in ("pearson", "ccc", "rmse"))
        or (kind == "graded" and "mae" in benchmark.metrics and name.startswith("mae_"))
    )


def _present(truth: Floats, several: bool) -> npt.NDArray[np.bool_]:
    """Return which labels count: where there are several parts, those that a part was asked about and has."""
    return np.asarray(np.nansum(truth, 0) > 0) if several else np.ones(truth.shape[1], bool)


def _finished(parts: Sequence[Part], weights: Sequence[Floats]) -> dict[str, Floats]:
    """Return every score of resamples: of each part where there are several, and their mean."""
    found: dict[str, Floats] = {}
    means: dict[str, list[Floats]] = {}
    for part, weight in zip(parts, weights, strict=True):
        done: dict[int, Floats] = {}
        for name, score in part.scores.items():
            if id(score.adds) not in done:
                done[id(score.adds)] = weight @ score.adds
            value = score.finish(done[id(score.adds)])
            means.setdefault(name, []).append(value)
            if len(parts) > 1:
                found[f"{name}_{part.name}"] = value
    return {name: np.mean(values, 0) for name, values in means.items()} | found


def _weights(
    layouts: Mapping[str, list[Part]], seed: int, resamples: int, alike: bool = False
) -> Iterator[list[Floats]]:
    """Yield, in chunks, how often each group of each part is drawn in each resample: as often as there are groups.

    Parts drawn alike have the same groups in the same order.
    """
    rng = np.random.default_rng(seed)
    sizes = [part.groups for part in next(iter(layouts.values()))]
    for start in range(0, resamples, CHUNK):
        b = min(CHUNK, resamples - start)
        weights = []
        for n in sizes[:1] if alike else sizes:
            drawn = rng.integers(0, n, (b, n)) + np.arange(b)[:, None] * n
            weights.append(np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).astype(np.float64))
        yield weights * len(sizes) if alike else weights


def _measured(name: str, value: float, drawn: Floats | None) -> Measured:
    """Return a value and its percentile interval; of ECE, which resampling inflates, moved back by as much."""
    if drawn is None or np.isnan(drawn).all():
        return Measured(value, math.nan, math.nan)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    if name.startswith("ece"):
        inflated = float(np.nanmean(drawn)) - value
        low, high = max(0.0, low - inflated), max(0.0, high - inflated)
    return Measured(value, float(low), float(high))


def _paired(
    other: str,
    metric: str,
    values: tuple[Mapping[str, float], Mapping[str, float]],
    draws: tuple[Mapping[str, list[Floats]], Mapping[str, list[Floats]]],
    rights: tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_] | None],
) -> Paired:
    gap = np.concatenate(draws[0][metric]) - np.concatenate(draws[1][metric])
    low, high = np.nanpercentile(gap, [2.5, 97.5])
    tail = min((gap <= 0).sum(), (gap >= 0).sum())
    mine, theirs = rights
    p = (
        math.nan
        if mine is None or theirs is None
        else mcnemar(int((mine & ~theirs).sum()), int((~mine & theirs).sum()))
    )
    difference = values[0][metric] - values[1][metric]
    return Paired(other, metric, difference, float(low), float(high), min(1.0, 2 * (tail + 1) / (len(gap) + 1)), p)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p that two systems are right equally often (binomial over the discordant rows).

    >>> round(mcnemar(8, 1), 4)
    0.0391
    """
    n, k = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2) for i in range(k + 1)]
    return min(1.0, 2 * math.fsum(math.exp(value) for value in logs))


def _kept(rows: Rows, asked: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, yes in zip(rows.space.names, asked, strict=True) if yes)
