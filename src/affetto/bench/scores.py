"""Scores as functions of sums over rows, so that ten thousand resamples cost one matrix product.

Each score lays out what a row adds (n x m) and how the sums become the score; over all rows it equals the function of
`affetto.metrics` of the same name. Knows arrays; knows no corpus and no system.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 15
NEUTRAL = "neutral"
EPSILON = 1e-6
"""How much of everything the divergence to the raters mixes into an estimate."""


@dataclass(frozen=True)
class Case:
    """What one system said of n rows, ready to be scored; labels that the truth never has are left out.

    Of kinds `one` and `any`, `truth` and `said` are decisions in {0, 1}, and `p` probabilities; of kind `graded`, all
    three are values on the axes.
    """

    truth: Floats
    """n x k; NaN where raters were not asked."""
    said: Floats
    """n x k; 0 everywhere in a row that says nothing."""
    p: Floats
    """n x k; NaN where nothing is said."""
    names: tuple[str, ...]
    shares: Floats | None = None
    """n x k, of kind `one`: how the raters' votes fell, where that is more than the decision."""

    def only(self, rows: npt.NDArray[np.intp], labels: npt.NDArray[np.bool_]) -> "Case":
        """Return some of its rows and labels."""
        truth, said, p = (values[rows][:, labels] for values in (self.truth, self.said, self.p))
        names = tuple(name for name, yes in zip(self.names, labels, strict=True) if yes)
        return Case(truth, said, p, names, None if self.shares is None else self.shares[rows][:, labels])


@dataclass(frozen=True)
class Score:
    """What each row adds, and what becomes of the sums."""

    adds: Floats
    """n x m."""
    finish: Callable[[Floats], Floats]
    """Takes sums (b x m), returns b scores."""


def scores(kind: str, case: Case) -> Mapping[str, Score]:
    """Return the scores that are meant for a kind of space, by their names."""
    if kind == "graded":
        return _graded(case)
    return (_several(case) if kind == "any" else _single(case)) | _labels(case)


def right(kind: str, case: Case) -> npt.NDArray[np.bool_] | None:
    """Return which rows are right: the one label is among the raters', or all labels are theirs; None if graded."""
    if kind == "graded":
        return None
    if kind == "any":
        return np.asarray((case.said == np.nan_to_num(case.truth)).all(1))
    return np.asarray((case.said * case.truth).sum(1) > 0)


def _labels(case: Case) -> dict[str, Score]:
    """F1 in its three means: hits, asked and said of each label; 0 where a label is neither asked nor said."""
    truth, known = np.nan_to_num(case.truth), ~np.isnan(case.truth)
    said = case.said * known
    adds = np.hstack([truth * said, truth, said])

    def f1(sums: Floats) -> Floats:
        hits, asked, answered = np.split(sums, 3, axis=1)
        return np.asarray(2 * hits / np.maximum(1e-12, asked + answered))

    def micro(sums: Floats) -> Floats:
        hits, asked, answered = (part.sum(1) for part in np.split(sums, 3, axis=1))
        return np.asarray(2 * hits / np.maximum(1e-12, asked + answered))

    def weighted(sums: Floats) -> Floats:
        asked = np.split(sums, 3, axis=1)[1]
        return np.asarray((f1(sums) * asked).sum(1) / np.maximum(1e-12, asked.sum(1)))

    found = {
        "macro_f1": Score(adds, lambda sums: f1(sums).mean(1)),
        "micro_f1": Score(adds, micro),
        "weighted_f1": Score(adds, weighted),
    }
    felt = np.array([name != NEUTRAL for name in case.names])
    if not felt.all():
        found["micro_f1_without_neutral"] = Score(adds[:, np.tile(felt, 3)], micro)
    for k, name in enumerate(case.names):
        found[f"f1_{name}"] = Score(adds, partial(_column, f1, k))
    return found


def _column(finish: Callable[[Floats], Floats], k: int, sums: Floats) -> Floats:
    return finish(sums)[:, k]


def _several(case: Case) -> dict[str, Score]:
    truth, known = np.nan_to_num(case.truth), ~np.isnan(case.truth)
    said = case.said * known
    both, either = (truth * said).sum(1), np.maximum(truth, said).sum(1)
    gaps = _gaps(np.where(known, np.nan_to_num(case.p), np.nan), truth)
    return {
        "jaccard": _mean(np.where(either > 0, both / np.maximum(1, either), 1.0)),
        "exact_match": _mean((truth == said).all(1)),
        "hamming": _mean((truth != said).sum(1) / np.maximum(1, known.sum(1))),
        "ece": Score(gaps, lambda sums: _ece(sums, case.truth.shape[1])),
        "brier": _mean(np.nanmean((np.nan_to_num(case.p) - case.truth) ** 2, 1)),
    }


def _single(case: Case) -> dict[str, Score]:
    truth = np.nan_to_num(case.truth)
    hit = (case.said * truth).sum(1) > 0
    share = truth / np.maximum(1e-12, truth.sum(1, keepdims=True))
    p = np.nan_to_num(case.p)
    caught = np.hstack([truth * case.said, truth])
    sure = np.where(case.said.any(1), p.max(1), np.nan)[:, None]
    votes = {} if case.shares is None else {"kl": _mean(_kl(case.shares, p))}
    return votes | {
        "accuracy": _mean(hit),
        "uar": Score(caught, recall),
        "ece": Score(_gaps(sure, hit[:, None].astype(float)), lambda sums: _ece(sums, 1)),
        "brier": _mean(((p - share) ** 2).sum(1)),
        "nll": _mean(-(share * np.log(np.clip(p, 1e-7, 1))).sum(1)),
    }


def _graded(case: Case) -> dict[str, Score]:
    """Of each axis; rows without truth add nothing, rows where nothing is said count as the mean of what is."""
    found: dict[str, Score] = {}
    for k, name in enumerate(case.names):
        known = ~np.isnan(case.truth[:, k])
        x, y = case.truth[known, k], case.p[known, k]
        if not known.any() or np.isnan(y).all():
            continue
        y = np.where(np.isnan(y), np.nanmean(y), y)

        def laid(values: Floats, known: npt.NDArray[np.bool_] = known) -> Floats:
            whole = np.zeros((len(known), values.shape[1]))
            whole[known] = values
            return whole

        ones = np.ones_like(x)
        moments = laid(np.stack([ones, x, y, x * x, y * y, x * y], 1))
        ranked = [_ranks(values) for values in (x, y)]
        ranks = laid(np.stack([ones, *ranked, *(r * r for r in ranked), ranked[0] * ranked[1]], 1))
        found |= {
            f"pearson_{name}": Score(moments, lambda sums: _pearson(sums)[0]),
            f"ccc_{name}": Score(moments, concordance),
            f"spearman_{name}": Score(ranks, lambda sums: _pearson(sums)[0]),
            f"rmse_{name}": Score(moments, lambda s: np.sqrt(np.maximum(0, s[:, 3] + s[:, 4] - 2 * s[:, 5]) / s[:, 0])),
            f"mae_{name}": Score(laid(np.stack([ones, abs(x - y)], 1)), lambda s: s[:, 1] / s[:, 0]),
        }
    for kind in ("pearson", "ccc", "mae"):
        parts = [score for name, score in found.items() if name.startswith(f"{kind}_")]
        if len(parts) > 1:
            found[kind] = _joined(parts)
        if len(parts) > 1 and kind == "pearson":
            found["median_pearson"] = _joined(parts, median=True)
    return found


def _joined(parts: list[Score], median: bool = False) -> Score:
    """Return the mean of scores, or their median."""
    ends = np.cumsum([part.adds.shape[1] for part in parts])[:-1]

    def finish(sums: Floats) -> Floats:
        split = np.split(sums, ends, axis=1)
        each = [part.finish(own) for part, own in zip(parts, split, strict=True)]
        return np.asarray(np.median(each, 0) if median else np.mean(each, 0))

    return Score(np.hstack([part.adds for part in parts]), finish)


def _mean(values: npt.NDArray[np.generic]) -> Score:
    adds = np.stack([np.asarray(values, np.float64), np.ones(len(values))], 1)
    return Score(adds, lambda sums: sums[:, 0] / sums[:, 1])


def _kl(shares: Floats, p: Floats) -> Floats:
    """Return n, the divergence of Kullback and Leibler, in nats, as `metrics.distribution.kl` has it."""
    whole = shares / np.maximum(1e-12, shares.sum(1, keepdims=True))
    mixed = (p + EPSILON) / (1 + p.shape[1] * EPSILON)
    return np.asarray((whole * np.log(np.where(whole > 0, whole / mixed, 1.0))).sum(1))


def recall(sums: Floats) -> Floats:
    """Return the mean recall of k labels from sums (b x 2k): how often each was named right, and how often it was."""
    hits, asked = np.split(sums, 2, axis=1)
    present = asked > 0
    shares = np.divide(hits, asked, out=np.zeros_like(hits), where=present)
    return np.asarray(shares.sum(1) / np.maximum(1, present.sum(1)))


def _gaps(p: Floats, truth: Floats) -> Floats:
    """Return what each row adds to the bins of each label: truth less probability; the last column counts rows."""
    n, k = p.shape
    said = ~np.isnan(p)
    bins = np.minimum((np.nan_to_num(p) * BINS).astype(int), BINS - 1)
    adds = np.zeros((n, k * BINS + k))
    for label in range(k):
        rows = np.flatnonzero(said[:, label])
        adds[rows, label * BINS + bins[rows, label]] = truth[rows, label] - p[rows, label]
        adds[rows, k * BINS + label] = 1
    return adds


def _ece(sums: Floats, k: int) -> Floats:
    gaps = np.abs(sums[:, : k * BINS]).reshape(-1, k, BINS).sum(2)
    return np.asarray((gaps / np.maximum(1, sums[:, k * BINS :])).mean(1))


def _pearson(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return correlation, covariance and variances (divisor n); 0 where either is constant."""
    n, x, y, xx, yy, xy = sums.T
    cov, vx, vy = xy / n - x * y / n**2, xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    scale = np.sqrt(np.maximum(0, vx) * np.maximum(0, vy))
    return np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 1e-12), cov, vx, vy


def concordance(sums: Floats) -> Floats:
    """Return Lin's concordance (1989) with divisor n."""
    _, cov, vx, vy = _pearson(sums)
    gap = (sums[:, 1] - sums[:, 2]) / sums[:, 0]
    return np.asarray(2 * cov / np.maximum(1e-12, vx + vy + gap**2))


def _ranks(values: Floats) -> Floats:
    """Return ranks from 1, ties sharing their mean."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[group], np.float64)
