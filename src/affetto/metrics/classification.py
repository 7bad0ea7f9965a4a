"""Scores of labels: which were said, and were they there.

Conventions:
    A decision table is n rows x k labels: 1 the label is there, 0 it is not, NaN. `top` makes one from probabilities of
    which one label is right, `above` from independent ones, `chosen` from label numbers. NaN in the truth is "not
    asked": the cell is left out of every count. NaN in the estimate is "not said" and counts as no: a row of which the
    truth speaks and the estimate does not is a miss, and nobody's false alarm. As a score (AUROC, AUPRC) it lies below
    all others.
    F1 of a label is 2 tp / (2 tp + fp + fn), and 0 where that is 0/0. `macro_f1` is the mean of these F1 over all k
    labels (not the F1 of mean precision and mean recall), with `present` over those that the truth has at least once.
    `weighted_f1` weighs them by how often the truth has them. `micro_f1` sums the counts first; for one label a row and
    no silence it equals accuracy (WA, WAR); `micro_f1_without` leaves one label out of the sums. `uar` (UA, balanced
    accuracy, macro recall) is over the labels that the truth has.
    A mean over no label is NaN. `jaccard` and `exact_match` are means over rows; a row in which neither has a label
    gives `both_empty` (1 here; scikit-learn says 0).
    A tie of probabilities goes to the first label of the space, in truth and estimate alike.

Knows decisions and ranks; knows no calibration, and no threshold but the one it is given.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.track import Track
from affetto.metrics.pairs import Flags, Floats, Metric, mean_of_said, paired, ranks, tables

NEUTRAL = "neutral"
HALF = 0.5
"""From where on a truth in 0..1 says that a label is there."""


def top(values: npt.ArrayLike) -> Floats:
    """Return decisions for the highest label of each row, n x k; rows of NaN stay NaN.

    >>> top([[0.2, 0.8]]).tolist()
    [[0.0, 1.0]]
    """
    table, _ = tables(values, values)
    decided: Floats = np.eye(table.shape[1])[np.where(np.isnan(table), -np.inf, table).argmax(1)]
    decided[np.isnan(table).all(1)] = np.nan
    return decided


def above(values: npt.ArrayLike, threshold: float | Sequence[float] | Floats = HALF) -> Floats:
    """Return decisions for the labels that reach the threshold, n x k; cells of NaN stay NaN.

    Args:
        values: n x k, 0..1.
        threshold: one number, or one a label; a value equal to it reaches it, also if it was rounded to float32.

    Raises:
        MalformedError: the threshold is not one number or k numbers.
    """
    table, _ = tables(values, values)
    try:
        least = np.asarray(threshold, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MalformedError(f"the threshold is a number or one a label: {error}") from None
    if least.shape not in ((), (table.shape[1],)) or np.isnan(least).any():
        raise MalformedError(f"the threshold is one number or {table.shape[1]}, one a label, not {threshold!r:.80}")
    if np.asarray(values).dtype == np.float32:
        least = least.astype(np.float32).astype(np.float64)
    return np.where(np.isnan(table), np.nan, table >= least)


def chosen(labels: npt.ArrayLike, k: int) -> Floats:
    """Return decisions for n label numbers in 0..k-1, n x k; -1 is "not said" and gives a row of NaN.

    Raises:
        MalformedError: a number is no whole number in -1..k-1.

    >>> chosen([1, 0], 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    numbers = np.asarray(labels)
    if numbers.ndim != 1 or not np.isin(numbers, np.arange(-1, k)).all():
        raise MalformedError(f"label numbers are a column of whole numbers in -1..{k - 1}, not {labels!r:.80}")
    decided: Floats = np.eye(k)[numbers.astype(int)]
    decided[numbers == -1] = np.nan
    return decided


def confusion(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return counts, k x (k+1): label in truth, label in estimate; the last column is "nothing said".

    Raises:
        MalformedError: they are no decisions, or a row has several labels, or the truth none.
    """
    asked, said, _ = _one_label(truth, estimate)
    silent = ~said.any(1, keepdims=True)
    counts: npt.NDArray[np.int64] = asked.astype(np.int64).T @ np.hstack([said, silent]).astype(np.int64)
    return counts


def accuracy(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the share of rows whose one label was said (WA, WAR).

    Raises:
        MalformedError: they are no decisions, or a row has several labels, or the truth none.

    >>> accuracy([[1, 0], [0, 1]], [[1, 0], [1, 0]])
    0.5
    """
    asked, said, _ = _one_label(truth, estimate)
    return float((asked & said).any(1).mean())


def recall(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return tp / (tp + fn) of each label; NaN where the truth never has it."""
    hits, _, misses = _counts(truth, estimate)
    return _share(hits, hits + misses, np.nan)


def precision(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return tp / (tp + fp) of each label; NaN where it is never said."""
    hits, alarms, _ = _counts(truth, estimate)
    return _share(hits, hits + alarms, np.nan)


def f1(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return the F1 of each label, 2 tp / (2 tp + fp + fn); 0 where neither has it."""
    hits, alarms, misses = _counts(truth, estimate)
    return _share(2 * hits, 2 * hits + alarms + misses, 0.0)


def uar(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the mean recall over the labels that the truth has (UA, balanced accuracy)."""
    return mean_of_said(recall(truth, estimate))


def macro_f1(truth: npt.ArrayLike, estimate: npt.ArrayLike, present: bool = False) -> float:
    """Return the mean F1 over all labels; with `present` over those that the truth has at least once.

    >>> macro_f1([[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]], present=True)
    1.0
    """
    each = f1(truth, estimate)
    return mean_of_said(each[_support(truth, estimate) > 0] if present else each)


def micro_f1(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the F1 of the counts summed over all labels; 0 where neither has any."""
    hits, alarms, misses = (counts.sum() for counts in _counts(truth, estimate))
    asked = 2 * hits + alarms + misses
    return float(2 * hits / asked) if asked else 0.0


def micro_f1_without(truth: npt.ArrayLike, estimate: npt.ArrayLike, label: int) -> float:
    """Return the F1 of the counts summed over all labels but one, such as neutral where most rows are neutral.

    A row of that label counts only where something else was said of it: as a false alarm.

    >>> micro_f1_without([[1, 0], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 1]], 0)
    0.6666666666666666
    """
    hits, alarms, misses = (np.delete(counts, label).sum() for counts in _counts(truth, estimate))
    asked = 2 * hits + alarms + misses
    return float(2 * hits / asked) if asked else 0.0


def weighted_f1(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the mean F1 over labels, each weighed by how often the truth has it; NaN where it has none."""
    weights = _support(truth, estimate)
    return float(f1(truth, estimate) @ weights / weights.sum()) if weights.any() else float("nan")


def jaccard(truth: npt.ArrayLike, estimate: npt.ArrayLike, both_empty: float = 1.0) -> float:
    """Return the mean over rows of labels in both / labels in either; `both_empty` where neither has one.

    >>> jaccard([[1, 1], [0, 0]], [[1, 0], [0, 0]])
    0.75
    """
    asked, said, known = _decided(truth, estimate)
    rows = known.any(1)
    return float(_share((asked & said).sum(1), (asked | said).sum(1), both_empty)[rows].mean())


def hamming(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the share of cells that were decided wrong (Hamming loss, lower is better)."""
    asked, said, known = _decided(truth, estimate)
    return float((asked ^ said)[known].mean())


def exact_match(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the share of rows in which every label was decided right (subset accuracy)."""
    asked, said, known = _decided(truth, estimate)
    return float((asked == said).all(1)[known.any(1)].mean())


def auroc(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return how probably a row with the label scores higher than one without, a tie counting half.

    Args:
        truth: n, 1 or 0, or NaN for "not asked".
        estimate: n scores, NaN below all others.

    Returns:
        0..1, or NaN without a row of each sort. Mann and Whitney 1947: (rank sum - p (p + 1) / 2) / (p q).

    >>> auroc([0, 1, 1], [0.1, 0.1, 0.9])
    0.75
    """
    there, score = _scored(truth, estimate)
    yes, no = int(there.sum()), int((~there).sum())
    if not yes or not no:
        return float("nan")
    return float((ranks(score)[there].sum() - yes * (yes + 1) / 2) / (yes * no))


def auprc(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Return the average precision: the sum over distinct scores of the gain in recall times the precision there.

    Args:
        truth: n, 1 or 0, or NaN for "not asked".
        estimate: n scores, NaN below all others; equal scores come in together, and nothing is interpolated.

    Returns:
        0..1, or NaN without a row of each sort. Chance is the share of rows with the label, not one half.
    """
    there, score = _scored(truth, estimate)
    yes = int(there.sum())
    if yes in (0, len(there)):
        return float("nan")
    _, place, counts = np.unique(-score, return_inverse=True, return_counts=True)
    gained = np.bincount(place, there, len(counts))
    return float((gained / yes * np.cumsum(gained) / np.cumsum(counts)).sum())


def per_label(metric: Metric, truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return a metric of columns, such as `auroc`, for each of k labels."""
    asked, said = tables(truth, estimate)
    return np.array([metric(asked[:, i], said[:, i]) for i in range(asked.shape[1])])


def _scored(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Flags, Floats]:
    there, score = np.asarray(truth, np.float64), np.asarray(estimate, np.float64)
    if there.ndim != 1 or there.shape != score.shape:
        raise MalformedError(f"truth and estimate are two columns of as many rows, not {there.shape} and {score.shape}")
    if not (np.isnan(there) | np.isin(there, (0, 1))).all():
        raise MalformedError("the truth of a ranked label is 1, 0 or NaN in every row")
    known = ~np.isnan(there)
    return there[known] == 1, np.where(np.isnan(score), -np.inf, score)[known]


def _decided(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Flags, Flags, Flags]:
    asked, said = tables(truth, estimate)
    for name, table in (("truth", asked), ("estimate", said)):
        if not (np.isnan(table) | (table == 0) | (table == 1)).all():
            raise MalformedError(f"the {name} is decided: 1, 0 or NaN in every cell; top() and above() make it so")
    known = ~np.isnan(asked)
    if not known.any():
        raise MalformedError("the truth says nothing in any row, so there is nothing to score")
    return asked == 1, (said == 1) & known, known


def _one_label(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Flags, Flags, Flags]:
    asked, said, known = _decided(truth, estimate)
    rows = known.any(1)
    if (asked[rows].sum(1) != 1).any() or (said.sum(1) > 1).any():
        raise MalformedError("each row has one label here; use exact_match or jaccard where it may have several")
    return asked[rows], said[rows], known[rows]


def _counts(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    asked, said, _ = _decided(truth, estimate)
    hits, alarms, misses = (flags.sum(0, dtype=np.float64) for flags in (asked & said, ~asked & said, asked & ~said))
    return hits, alarms, misses


def _support(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    support: Floats = _decided(truth, estimate)[0].sum(0, dtype=np.float64)
    return support


def _share(part: npt.NDArray[Any], whole: npt.NDArray[Any], nothing: float) -> Floats:
    share: Floats = np.divide(part, whole, out=np.full(np.shape(whole), nothing, np.float64), where=whole > 0)
    return share


def evaluate(
    truth: Track,
    estimate: Track,
    threshold: float | Sequence[float] = HALF,
    per_label_too: bool = False,
    both_empty: float = 1.0,
) -> dict[str, float]:
    """Return all scores of labels.

    Args:
        truth: n rows in a space of kind `one` (its highest label counts) or `any` (labels from 0.5 on count).
        estimate: n rows in the same space; where it is silent and the truth is not, that is a miss.
        threshold: kind `any` only: from where on the estimate says a label, one number or one a label. Fix it on dev.
        per_label_too: add `f1_<label>`, `recall_<label>`, `precision_<label>`, `auroc_<label>`, `auprc_<label>`.
        both_empty: what a row without any label in both gives in `jaccard`.

    Returns:
        `n` (rows scored), `labels` (of the space), `labels_present` (K: in the truth), `silent` (share of rows in
        which the estimate says nothing), `uar`, `macro_f1`, `macro_f1_present`, `micro_f1`, `weighted_f1`, `auroc`
        and `auprc` (means over the labels for which they exist); where the space has a neutral, also
        `micro_f1_without_neutral`; for kind `one` `accuracy`, for kind `any` `exact_match`, `jaccard` and `hamming`.

    Raises:
        MalformedError: the Tracks cannot be compared, or the threshold does not fit.

    >>> from affetto.core.space import Axis, Space
    >>> mood = Space("mood-2", "one", (Axis("good"), Axis("bad")))
    >>> rated = Track(mood, [0, 1], [1, 2], [[1, 0], [0, 1]])
    >>> evaluate(rated, rated)["accuracy"]
    1.0
    """
    pair = paired(truth, estimate, ("one", "any"))
    single = pair.space.kind == "one"
    asked = top(pair.truth) if single else above(pair.truth)
    said = top(pair.estimate) if single else above(pair.estimate.astype(np.float32), threshold)
    areas = {name: per_label(metric, asked, pair.estimate) for name, metric in (("auroc", auroc), ("auprc", auprc))}
    scores = {
        "n": float(len(asked)),
        "labels": float(asked.shape[1]),
        "labels_present": float(((asked == 1).any(0)).sum()),
        "silent": float(np.isnan(pair.estimate).all(1).mean()),
    }
    if single:
        scores["accuracy"] = accuracy(asked, said)
    else:
        scores |= {
            "exact_match": exact_match(asked, said),
            "jaccard": jaccard(asked, said, both_empty),
            "hamming": hamming(asked, said),
        }
    scores |= {
        "uar": uar(asked, said),
        "macro_f1": macro_f1(asked, said),
        "macro_f1_present": macro_f1(asked, said, present=True),
        "micro_f1": micro_f1(asked, said),
        "weighted_f1": weighted_f1(asked, said),
    }
    if NEUTRAL in pair.space.names:
        scores["micro_f1_without_neutral"] = micro_f1_without(asked, said, pair.space.names.index(NEUTRAL))
    scores |= {name: mean_of_said(area) for name, area in areas.items()}
    if per_label_too:
        each = {"f1": f1(asked, said), "recall": recall(asked, said), "precision": precision(asked, said)} | areas
        for name, values in each.items():
            scores |= {f"{name}_{label}": float(v) for label, v in zip(pair.space.names, values, strict=True)}
    return scores
