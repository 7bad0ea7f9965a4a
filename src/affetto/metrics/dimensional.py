"""Scores of numbers on an axis: valence, arousal, dominance, intensity, sentiment.

Conventions:
    Columns of n finite numbers, on the scale of their axis: RMSE and MAE are in its unit, so state it. Variances divide
    by n (`ddof=0`) in the CCC unless 1 is asked for; Pearson and Spearman do not depend on it. Spearman gives ties the
    mean of their ranks.
    A constant estimate gives CCC, Pearson and Spearman 0. A constant truth gives CCC 0, and Pearson, Spearman and R2
    NaN: there is nothing to correlate with.
    Rows are pooled (concatenated) over sequences unless `per_sequence` is called, which scores each sequence alone and
    returns the plain mean over sequences, leaving out those that give NaN. `evaluate` names that `<key>_per_sequence`.
    NaN in a column is an error. `evaluate` leaves out cells of which the truth does not speak, and refuses an estimate
    that is silent where the truth speaks, unless `silent="drop"`.
    Sentiment classes follow MMSA (github.com/thuiar/MMSA, metricsTop.py) for truths in -3..3: Has0 is >= 0 against
    >= 0 over all rows; Non0 drops rows whose truth is 0 and compares > 0 with > 0; the F1 beside them is weighted;
    Acc-7, Acc-5 and Acc-3 clip both to -3..3, -2..2 and -1..1 and round halves to the even number.

Knows agreement of numbers; knows no clock: frames and lags are in `timeline`.
"""

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.track import Track
from affetto.metrics import classification
from affetto.metrics.pairs import Flags, Floats, Metric, Pair, mean_of_said, paired, ranks, vectors

SENTIMENT = 3.0
"""How far the sentiment of MOSI and MOSEI reaches on either side."""


def ccc(truth: npt.ArrayLike, estimate: npt.ArrayLike, ddof: Literal[0, 1] = 0) -> float:
    """Return the concordance correlation coefficient, -1..1 (Lin 1989).

    2 cov / (var truth + var estimate + (mean truth - mean estimate)^2), variances and covariance divided by n - ddof.

    Raises:
        MalformedError: the columns are no numbers, empty, not finite or of different length, or ddof is not 0 or 1.

    >>> ccc([0, 1], [0.5, 0.5]), round(ccc([0, 1, 2], [1, 2, 3]), 3)
    (0.0, 0.571)
    """
    a, b = vectors(truth, estimate)
    if ddof not in (0, 1):
        raise MalformedError(f"ddof is 0 (divide by n) or 1 (by n - 1), not {ddof!r}")
    if not np.ptp(a) or not np.ptp(b):
        return 0.0
    x, y, n = a - a.mean(), b - b.mean(), len(a) - ddof
    return float(2 * (x @ y) / n / ((x @ x + y @ y) / n + (a.mean() - b.mean()) ** 2))


def pearson(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the product-moment correlation, -1..1: blind to scale and offset."""
    a, b = vectors(truth, estimate)
    if not np.ptp(a):
        return float("nan")
    if not np.ptp(b):
        return 0.0
    x, y = a - a.mean(), b - b.mean()
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1, 1))


def spearman(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the correlation of average ranks, -1..1: blind to any rising change of scale."""
    a, b = vectors(truth, estimate)
    return pearson(ranks(a), ranks(b))


def rmse(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the root of the mean squared error, in the unit of the axis."""
    a, b = vectors(truth, estimate)
    return float(np.sqrt(np.mean((a - b) ** 2)))


def mae(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the mean absolute error, in the unit of the axis."""
    a, b = vectors(truth, estimate)
    return float(np.abs(a - b).mean())


def r2(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return 1 - squared error / squared spread of the truth about its own mean: 1 at best, without lower bound."""
    a, b = vectors(truth, estimate)
    return float(1 - ((a - b) ** 2).sum() / ((a - a.mean()) ** 2).sum()) if np.ptp(a) else float("nan")


def sagr(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the share of rows with equal sign; 0 is a sign of its own (Nicolaou, Gunes and Pantic 2011)."""
    a, b = vectors(truth, estimate)
    return float((np.sign(a) == np.sign(b)).mean())


def per_sequence(
    metric: Metric, truth: npt.ArrayLike, estimate: npt.ArrayLike, sequences: Sequence[Hashable] | npt.NDArray[Any]
) -> float:
    """Return the mean over sequences of a metric that is computed within each.

    Args:
        metric: such as `ccc`.
        truth: n numbers.
        estimate: n numbers.
        sequences: n ids: which sequence each row belongs to.

    Raises:
        MalformedError: there are not as many ids as rows.

    >>> per_sequence(mae, [0, 0, 0], [1, 1, 3], ["a", "a", "b"])
    2.0
    """
    a, b = vectors(truth, estimate)
    if len(sequences) != len(a):
        raise MalformedError(f"sequences are one id a row: {len(a)} rows, {len(sequences)} ids")
    numbers: dict[Any, int] = {}
    of = np.array([numbers.setdefault(id, len(numbers)) for id in sequences])
    order = np.argsort(of, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(of))[:-1])
    return mean_of_said([metric(a[part], b[part]) for part in parts])


def acc2_has0(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the share of all rows on the same side, where 0 counts as positive."""
    return classification.accuracy(*_has0(truth, estimate))


def f1_has0(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the weighted F1 of the two sides over all rows, where 0 counts as positive."""
    return classification.weighted_f1(*_has0(truth, estimate))


def acc2_non0(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the share on the same side of the rows whose truth is not 0; an estimate of 0 counts as negative.

    NaN where every truth is 0.
    """
    sides = _non0(truth, estimate)
    return classification.accuracy(*sides) if sides else float("nan")


def f1_non0(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the weighted F1 of the two sides over the rows whose truth is not 0; NaN where there is none."""
    sides = _non0(truth, estimate)
    return classification.weighted_f1(*sides) if sides else float("nan")


def acc_classes(truth: npt.ArrayLike, estimate: npt.ArrayLike, classes: int) -> float:
    """Return the share of rows in the same of 3, 5 or 7 classes, clipped and rounded halves to even.

    >>> acc_classes([0.5, 3.0], [0.0, 5.0], 7)
    1.0
    """
    a, b = vectors(truth, estimate)
    if classes not in (3, 5, 7):
        raise MalformedError(f"sentiment has 3, 5 or 7 classes, not {classes!r}")
    most = classes // 2
    return float((np.round(np.clip(a, -most, most)) == np.round(np.clip(b, -most, most))).mean())


def sentiment_scores(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> dict[str, float]:
    """Return `acc2_has0`, `f1_has0`, `acc2_non0`, `f1_non0`, `acc3`, `acc5` and `acc7` of sentiment in -3..3."""
    pairs = (acc2_has0, f1_has0, acc2_non0, f1_non0)
    return {metric.__name__: metric(truth, estimate) for metric in pairs} | {
        f"acc{classes}": acc_classes(truth, estimate, classes) for classes in (3, 5, 7)
    }


def _has0(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats]:
    a, b = vectors(truth, estimate)
    return _sides(a >= 0), _sides(b >= 0)


def _non0(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats] | None:
    a, b = vectors(truth, estimate)
    kept = a != 0
    return (_sides(a[kept] > 0), _sides(b[kept] > 0)) if kept.any() else None


def _sides(positive: Flags) -> Floats:
    return classification.chosen(positive.astype(int), 2)


def evaluate(
    truth: Track,
    estimate: Track,
    sequences: Sequence[Hashable] | None = None,
    ddof: Literal[0, 1] = 0,
    silent: Literal["drop", "refuse"] = "refuse",
    sentiment: str = "",
) -> dict[str, float]:
    """Return all scores of each axis, and their means over the axes.

    Args:
        truth: n rows in a space of kind `graded`.
        estimate: n rows in the same space.
        sequences: n ids; if given, `ccc_<axis>_per_sequence` and its like stand beside the pooled scores.
        ddof: what the variances of the CCC divide by: n - ddof.
        silent: `refuse` an estimate that is NaN where the truth speaks, or `drop` those cells.
        sentiment: an axis of symmetric range; it is stretched to -3..3 and scored as MOSI and MOSEI are.

    Returns:
        `n`, and for each of ccc, pearson, spearman, rmse, mae, r2, sagr: `<metric>_<axis>` and `<metric>`, the mean
        over the axes that have it. An axis of which the truth never speaks gives NaN.

    Raises:
        MalformedError: the Tracks cannot be compared, or the estimate is silent where the truth speaks.
    """
    if silent not in ("drop", "refuse"):
        raise MalformedError(f"silent is drop or refuse, not {silent!r}")
    pair = paired(truth, estimate, ("graded",), silent)
    if sequences is not None and len(sequences) != len(pair.kept):
        raise MalformedError(f"sequences are one id a row: {len(pair.kept)} rows, {len(sequences)} ids")
    of = None if sequences is None else [id for id, kept in zip(sequences, pair.kept, strict=True) if kept]

    def concordance(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
        return ccc(a, b, ddof)

    metrics: dict[str, Metric] = {"ccc": concordance}
    metrics |= {metric.__name__: metric for metric in (pearson, spearman, rmse, mae, r2, sagr)}
    rows = {name: _spoken(pair, axis, silent) for axis, name in enumerate(pair.space.names)}
    scores = {"n": float(len(pair.truth))}
    for name, metric in metrics.items():
        scores |= _over_axes(name, "", metric, pair, rows)
        if of is not None:
            scores |= _over_axes(name, "_per_sequence", metric, pair, rows, of)
    if sentiment:
        axis, stretch = pair.space.index(sentiment), _stretch(pair, sentiment)
        chosen = rows[sentiment]
        scores |= sentiment_scores(pair.truth[chosen, axis] * stretch, pair.estimate[chosen, axis] * stretch)
    return scores


def _over_axes(
    name: str, suffix: str, metric: Metric, pair: Pair, rows: dict[str, Flags], of: list[Hashable] | None = None
) -> dict[str, float]:
    each: dict[str, float] = {}
    for axis, (label, chosen) in enumerate(rows.items()):
        a, b = pair.truth[chosen, axis], pair.estimate[chosen, axis]
        if not len(a):
            each[label] = float("nan")
        elif of is None:
            each[label] = metric(a, b)
        else:
            each[label] = per_sequence(metric, a, b, [id for id, kept in zip(of, chosen, strict=True) if kept])
    scores = {f"{name}_{label}{suffix}": score for label, score in each.items()}
    return scores | {f"{name}{suffix}": mean_of_said(list(each.values()))}


def _spoken(pair: Pair, axis: int, silent: str) -> Flags:
    asked, said = ~np.isnan(pair.truth[:, axis]), ~np.isnan(pair.estimate[:, axis])
    if silent == "refuse" and (asked & ~said).any():
        raise MalformedError(
            f"the estimate says nothing of {pair.space.names[axis]} in {(asked & ~said).sum()} of {asked.sum()} rows "
            "of which the truth speaks: fill them, or ask for silent='drop'"
        )
    return asked & said


def _stretch(pair: Pair, name: str) -> float:
    it = pair.space[name]
    if it.low != -it.high:
        raise MalformedError(f"sentiment wants an axis as long below 0 as above, and {it.name} is {it.low}..{it.high}")
    return SENTIMENT / it.high
