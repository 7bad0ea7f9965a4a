"""Is what is said with 70 % right in 70 % of cases, and what does silence buy.

Conventions:
    `correct` is n numbers, 1 right and 0 wrong; `confidence` n numbers in 0..1.
    Bins are 15. Equal width: bin b holds b/15 < c <= (b+1)/15, and the first holds 0 too (Guo et al. 2017). Equal mass:
    rows in falling order of confidence, cut into 15 parts whose sizes differ by one at most. Rows of equal confidence
    count each as their mean, here and in risk-coverage, so that no order of rows changes a score.
    ECE = sum over bins of n_b / n |mean correct - mean confidence|; MCE the greatest such gap. `ece_classwise` takes
    each label's probability against its truth, by equal width, and returns the mean over labels.
    Brier is sum over labels of (p - t)^2, mean over rows: 0..2 for kind `one`. For kind `any` each label is a question
    of its own and `evaluate` gives the mean over labels too: 0..1. NLL is in nats, probabilities not below 1e-12; for
    kind `any` the mean binary cross-entropy of all cells. Soft truths (shares of raters) are taken as they are.
    Risk-coverage: error among the surest rows; AURC is its mean over coverages 1/n..1 (Geifman and El-Yaniv 2017).
    Split conformal: the score of a row is 1 - p of its true label, the threshold the ceil((n + 1) coverage)-th lowest
    score of the calibration rows, infinite where n is too small for that; the set of a row is all labels of score <=
    threshold. The promise holds on average, for rows that are exchangeable with the calibration rows, not per group.
    NaN in an array is an error. `evaluate` leaves out rows in which the estimate says nothing or is not sure how sure
    it is, and gives the share that stays as `said`.

Knows probabilities and whether they came true; fits nothing but one quantile.
"""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.track import Track
from affetto.metrics.classification import HALF, auroc
from affetto.metrics.distribution import TIE
from affetto.metrics.pairs import Flags, Floats, mean_of_said, paired, tables, tie_means, vectors

BINS = 15
LEAST = 1e-12
"""No probability is taken as lower than this in a logarithm."""


def ece(correct: npt.ArrayLike, confidence: npt.ArrayLike, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal width, 0..1, 0 the best.

    Raises:
        MalformedError: the columns are empty, of different length, not finite or outside 0..1.

    >>> round(ece([1, 0], [0.75, 0.75]), 9)
    0.25
    """
    gaps, shares = _bins(*_sure(correct, confidence), _whole(bins))
    return float((gaps * shares).sum())


def mce(correct: npt.ArrayLike, confidence: npt.ArrayLike, bins: int = BINS) -> float:
    """Return the greatest calibration error of any bin of equal width, 0..1."""
    return float(_bins(*_sure(correct, confidence), _whole(bins))[0].max())


def ece_mass(correct: npt.ArrayLike, confidence: npt.ArrayLike, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of as many rows, 0..1."""
    right, sure = tie_means(*_sure(correct, confidence))
    parts = np.array_split(right - sure, min(_whole(bins), len(sure)))
    return float(sum(abs(part.sum()) for part in parts) / len(sure))


def ece_classwise(truth: npt.ArrayLike, estimate: npt.ArrayLike, bins: int = BINS) -> float:
    """Return the mean over labels of the calibration error of that label's probability, 0..1 (Kull et al. 2019)."""
    t, p = tables(truth, estimate)
    return float(np.mean([ece(t[:, i], p[:, i], bins) for i in range(t.shape[1])]))


def brier(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the mean over rows of the squared errors summed over labels: 0..2 where rows sum to 1 (Brier 1950).

    >>> brier([[1, 0]], [[0, 1]])
    2.0
    """
    t, p = _probable(truth, estimate)
    return float(((p - t) ** 2).sum(1).mean())


def nll(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the mean over rows of -sum t log p, in nats, 0 or more: the log score of one label a row."""
    t, p = _probable(truth, estimate)
    return float(-(t * np.log(np.maximum(p, LEAST))).sum(1).mean() + 0.0)


def binary_nll(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the mean over cells of -t log p - (1 - t) log(1 - p), in nats: the log score of independent labels."""
    t, p = _probable(truth, estimate)
    logs = t * np.log(np.maximum(p, LEAST)) + (1 - t) * np.log(np.maximum(1 - p, LEAST))
    return float(-logs.mean() + 0.0)


def auroc_confidence(correct: npt.ArrayLike, confidence: npt.ArrayLike) -> float:
    """Return how probably a right row is surer than a wrong one, 0..1; NaN where all are right, or all wrong."""
    return auroc(*_sure(correct, confidence))


def risk_coverage(correct: npt.ArrayLike, confidence: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return coverages 1/n..1 and the share of errors among the surest rows at each, n numbers both.

    >>> [part.tolist() for part in risk_coverage([1, 0], [0.9, 0.6])]
    [[0.5, 1.0], [0.0, 0.5]]
    """
    right, _ = tie_means(*_sure(correct, confidence))
    kept = np.arange(1, len(right) + 1)
    return kept / len(right), np.cumsum(1 - right) / kept


def aurc(correct: npt.ArrayLike, confidence: npt.ArrayLike) -> float:
    """Return the area under the risk-coverage curve, 0..1, 0 the best."""
    return float(risk_coverage(correct, confidence)[1].mean())


def conformal_scores(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return 1 - p of the true label for each of n rows; n x k both, one true label a row.

    Raises:
        MalformedError: they are no probabilities, or a row of the truth has not one label.
    """
    t, p = _probable(truth, estimate)
    if not (np.isin(t, (0, 1)).all() and (t.sum(1) == 1).all()):
        raise MalformedError("conformal scores want one true label a row: a 1 and else 0")
    scores: Floats = 1 - p[t == 1]
    return scores


def conformal_threshold(scores: npt.ArrayLike, coverage: float) -> float:
    """Return the score up to which a label belongs in the set, from n calibration rows (never from the test).

    Args:
        scores: n nonconformity scores of the true labels.
        coverage: the wished share of rows whose set holds the truth, 0..1.

    Returns:
        The ceil((n + 1) coverage)-th lowest score; infinity where there are too few rows (Vovk et al. 2005).

    Raises:
        MalformedError: there are no scores, one is not finite, or coverage is not between 0 and 1.

    >>> conformal_threshold([0.1, 0.2, 0.3, 0.4], 0.75)
    0.4
    """
    ordered = np.sort(vectors(scores, scores)[0])
    if not 0 < coverage < 1:
        raise MalformedError(f"coverage lies between 0 and 1, not {coverage!r}")
    place = math.ceil((len(ordered) + 1) * coverage - 1e-9)
    return float(ordered[place - 1]) if place <= len(ordered) else math.inf


def conformal_sets(estimate: npt.ArrayLike, threshold: float) -> Flags:
    """Return which labels belong in the set of each row, n x k: those with 1 - p <= threshold."""
    _, p = _probable(estimate, estimate)
    sets: Flags = 1 - p <= threshold
    return sets


def conformal_report(
    truth: npt.ArrayLike, sets: npt.ArrayLike, groups: Sequence[Hashable] | npt.NDArray[Any] | None = None
) -> dict[str, float]:
    """Return how often the sets hold the truth and how large they are.

    Args:
        truth: n x k, one true label a row.
        sets: n x k, 1 for a label in the set.
        groups: n names, for example of speakers' groups.

    Returns:
        `conformal_coverage` and `conformal_set_size`, and both as `<score>_<group>` for each group.

    Raises:
        MalformedError: the shapes differ, or there are not as many groups as rows.

    >>> conformal_report([[1, 0], [0, 1]], [[1, 1], [1, 0]])
    {'conformal_coverage': 0.5, 'conformal_set_size': 1.5}
    """
    t, inside = _probable(truth, sets)
    held, size = (t * inside).sum(1), inside.sum(1)
    report = {"conformal_coverage": float(held.mean()), "conformal_set_size": float(size.mean())}
    if groups is not None:
        if len(groups) != len(t):
            raise MalformedError(f"groups are one name a row: {len(t)} rows, {len(groups)} groups")
        for group in dict.fromkeys(groups):
            rows = np.array([name == group for name in groups])
            report[f"conformal_coverage_{group}"] = float(held[rows].mean())
            report[f"conformal_set_size_{group}"] = float(size[rows].mean())
    return report


def _bins(right: Floats, sure: Floats, bins: int) -> tuple[Floats, Floats]:
    """Return the gap of each bin of equal width that holds a row, and the share of rows in it."""
    at = np.searchsorted(np.arange(1, bins) / bins, sure, side="left")
    counts = np.bincount(at, minlength=bins)
    sums = np.bincount(at, right - sure, bins)
    held = counts > 0
    return np.abs(sums[held]) / counts[held], counts[held] / len(sure)


def _sure(correct: npt.ArrayLike, confidence: npt.ArrayLike) -> tuple[Floats, Floats]:
    right, sure = vectors(correct, confidence)
    _within("correct", right)
    _within("confidence", sure)
    return right, np.clip(sure, 0, 1)


def _probable(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats]:
    t, p = tables(truth, estimate)
    _within("the truth", t)
    _within("the estimate", p)
    return t, np.clip(p, 0, 1)


def _within(name: str, numbers: Floats) -> None:
    if not ((numbers >= -1e-6) & (numbers <= 1 + 1e-6)).all():
        raise MalformedError(f"{name} lies in 0..1 everywhere, and is not NaN: leave such rows out")


def _whole(bins: int) -> int:
    if not (isinstance(bins, int | np.integer) and bins > 0):
        raise MalformedError(f"bins are a whole number from 1 on, not {bins!r}")
    return int(bins)


def evaluate(
    truth: Track,
    estimate: Track,
    bins: int = BINS,
    threshold: float | None = None,
    groups: Sequence[Hashable] | None = None,
) -> dict[str, float]:
    """Return all scores of calibration and of what may be left unsaid.

    The main answer of a row is its highest label; it is right where the truth has that label (kind `one`: the highest
    of the truth, any of those tied; kind `any`: from 0.5 on). Its confidence is the Track's column, or where there is
    none, the label's probability.

    Args:
        truth: n rows in a space of kind `one` or `any`.
        estimate: n rows in the same space.
        bins: how many.
        threshold: kind `one` only: of `conformal_threshold` on other rows; adds `conformal_coverage` and
            `conformal_set_size`.
        groups: n names; adds both for each group.

    Returns:
        `n`, `said`, `ece`, `ece_mass`, `mce`, `auroc_confidence`, `aurc` of the main answer; `ece_classwise`, `brier`,
        `nll` of all probabilities, over the cells of which both speak.

    Raises:
        MalformedError: the Tracks cannot be compared, or no row has both a truth and a confidence.
    """
    pair = paired(truth, estimate, ("one", "any"), "keep")
    t, p = pair.truth, pair.estimate
    top = np.where(np.isnan(p), -1.0, p).argmax(1)[:, None]
    sure = np.take_along_axis(p, top, 1)[:, 0]
    if estimate.confidence is not None and not np.isnan(estimate.confidence).all():
        sure = np.where(np.isnan(sure), np.nan, estimate.confidence[pair.kept])
    asked = np.take_along_axis(t, top, 1)[:, 0]
    rows = ~np.isnan(sure) & ~np.isnan(asked)
    if not rows.any():
        raise MalformedError("no row has both a truth and a confidence: the estimate says nothing where truth speaks")
    single = pair.space.kind == "one"
    right = (asked >= t.max(1) - TIE if single else asked >= HALF)[rows].astype(np.float64)
    scores = {"n": float(rows.sum()), "said": float(rows.mean())}
    for metric in (ece, ece_mass, mce):
        scores[metric.__name__] = metric(right, sure[rows], bins)
    scores |= {metric.__name__: metric(right, sure[rows]) for metric in (auroc_confidence, aurc)}
    scores |= _of_probabilities(t[rows], p[rows], bins, single)
    if threshold is not None:
        if not single:
            raise MalformedError(f"conformal sets want a space of kind one, and {pair.space.id} is {pair.space.kind}")
        labels = np.eye(t.shape[1])[t[rows].argmax(1)]
        named = None if groups is None else _of_rows(groups, pair.kept, rows)
        scores |= conformal_report(labels, conformal_sets(p[rows], threshold), named)
    return scores


def _of_probabilities(t: Floats, p: Floats, bins: int, single: bool) -> dict[str, float]:
    both = ~np.isnan(t) & ~np.isnan(p)
    columns = [(t[both[:, i], i], p[both[:, i], i]) for i in range(t.shape[1])]
    scores = {"ece_classwise": mean_of_said([ece(a, b, bins) if len(a) else math.nan for a, b in columns])}
    if single:
        return scores | {"brier": brier(t, p), "nll": nll(t, p)}
    cells = t[both][:, None], p[both][:, None]
    return scores | {"brier": brier(*cells), "nll": binary_nll(*cells)}


def _of_rows(groups: Sequence[Hashable], kept: Flags, rows: Flags) -> list[Hashable]:
    if len(groups) != len(kept):
        raise MalformedError(f"groups are one name a row: {len(kept)} rows, {len(groups)} groups")
    names = [group for group, stays in zip(groups, kept, strict=True) if stays]
    return [name for name, stays in zip(names, rows, strict=True) if stays]
