"""What studies of effects need: regression with clustered errors, propensities, matching, balance, corrections.

Everything is a function of arrays, in numpy alone. Knows no talk and no feeling; says nothing of causes: whether an
association is an effect depends on what was measured beside it, which no formula can know.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]
LEVEL = 0.95
STEPS = 100
"""Of Newton's method, at most."""
LARGEST = 2000
"""Rows of a cluster up to which its residuals are widened exactly (CR2); above, all are by one factor (CR1). Also the
clusters up to which degrees of freedom are counted; above, they are so many that they do not matter."""


@dataclass(frozen=True)
class Estimate:
    """A number with its error."""

    value: float
    error: float
    low: float
    """Ends of the 95 % interval."""
    high: float
    p: float
    """Two-sided, that it is 0."""
    freedom: float
    """Degrees of freedom of the t distribution that the interval is from."""


def regression(
    y: Floats, x: Floats, clusters: Sequence[object] | None = None, asked: int | None = None
) -> list[Estimate]:
    """Return the coefficients of a least-squares regression, whose errors allow for rows that belong together.

    Errors are CR2 with Satterthwaite's degrees of freedom (Bell and McCaffrey 2002), which hold better than others
    where clusters are few or unlike; rows without clusters are each their own, which gives HC2. Columns that others
    already say get NaN.

    Args:
        y: n.
        x: n x k; a constant is added, and has no coefficient in the answer.
        clusters: n, what rows that belong together share.
        asked: of how many columns, the first, the coefficients are wanted; by default of all.

    Raises:
        MalformedError: there are not more rows than columns, or fewer than two clusters.

    >>> [round(one.value, 2) for one in regression(np.array([1.0, 3, 5, 7.2]), np.array([[0.0], [1], [2], [3]]))]
    [2.06]
    """
    n, k = x.shape
    asked = k if asked is None else asked
    _, group = np.unique(np.arange(n) if clusters is None else np.array(list(map(str, clusters))), return_inverse=True)
    count = int(group.max()) + 1 if n else 0
    kept = _independent(np.hstack([np.ones((n, 1)), x]))
    if n <= len(kept) or count < 2:
        raise MalformedError(
            f"a regression on {k} columns wants more rows than that and two clusters or more, not {n} rows in {count}"
        )
    full = np.hstack([np.ones((n, 1)), x])[:, kept]
    inverse = np.linalg.inv(full.T @ full)
    coefficients = inverse @ full.T @ y
    residuals = y - full @ coefficients
    rows = [np.flatnonzero(group == g) for g in range(count)]
    widened, exact = _widened(full, inverse, rows)
    plain = 1.0 if exact else math.sqrt(count / (count - 1) * (n - 1) / (n - len(kept)))
    found = [Estimate(*[math.nan] * 6)] * asked
    scores = np.stack([part @ residuals[own] for part, own in zip(widened, rows, strict=True)]) * plain
    for place, column in enumerate(kept):
        if not 0 < column <= asked:
            continue
        error = math.sqrt(float(((scores @ inverse[place]) ** 2).sum()))
        freedom = _freedom(full, inverse, rows, [part.T @ inverse[place] for part in widened])
        found[column - 1] = estimate(float(coefficients[place]), error, freedom)
    return found


def estimate(value: float, error: float, freedom: float) -> Estimate:
    """Return a number with its interval and p by the t distribution."""
    if not error > 0:
        return Estimate(value, error, value, value, 1.0 if value == 0 else 0.0, freedom)
    reach = t_quantile(0.5 + LEVEL / 2, freedom) * error
    return Estimate(value, error, value - reach, value + reach, t_tails(value / error, freedom), freedom)


def difference(a: Floats, b: Floats) -> Estimate:
    """Return how much the mean of a is above that of b, by Welch's test."""
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    whole = float(sum(parts))
    freedom = whole**2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1)) if whole > 0 else 1.0
    return estimate(float(a.mean() - b.mean()), math.sqrt(whole), float(freedom))


def propensity(x: Floats, treated: npt.NDArray[np.bool_], ridge: float = 1e-3) -> Floats:
    """Return the log-odds of treatment, n, by logistic regression (Newton's method, a little ridge on all but one).

    Args:
        x: n x k, best standardised.
        treated: n.
        ridge: of the coefficients, so that perfectly told groups stay finite.
    """
    full = np.hstack([np.ones((len(x), 1)), x])
    penalty = np.eye(full.shape[1]) * ridge * len(x)
    penalty[0, 0] = 1e-9
    weights = np.zeros(full.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(full @ weights, -30, 30)))
        slope = full.T @ (treated - p) - penalty @ weights
        step = np.linalg.solve((full * (p * (1 - p))[:, None]).T @ full + penalty, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(full @ weights)


def matched(odds: Floats, treated: npt.NDArray[np.bool_], caliper: float = 0.2) -> tuple[Whole, Whole]:
    """Return pairs, one treated and one not each: the nearest by propensity, none used twice, none too far.

    The treated who are hardest to match, those with the highest odds, choose first. A caliper of .2 standard deviations
    of the log-odds is that of Austin (2011, Pharmaceutical Statistics 10).

    Args:
        odds: n, log-odds of treatment.
        treated: n.
        caliper: the furthest that a pair may be apart, in standard deviations of the odds.

    Returns:
        The rows of the treated and those of their pairs.
    """
    reach = caliper * float(odds.std())
    free = np.flatnonzero(~treated)
    free = free[np.argsort(odds[free], kind="stable")]
    pairs: list[tuple[int, int]] = []
    for row in sorted(np.flatnonzero(treated), key=lambda row: (-odds[row], row)):
        if not len(free):
            break
        at = int(np.searchsorted(odds[free], odds[row]))
        near = min((k for k in (at - 1, at) if 0 <= k < len(free)), key=lambda k: abs(odds[free[k]] - odds[row]))
        if abs(odds[free[near]] - odds[row]) <= reach:
            pairs.append((int(row), int(free[near])))
            free = np.delete(free, near)
    found = np.array(pairs, np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def imbalance(x: Floats, a: Whole, b: Whole, spread: Floats | None = None) -> Floats:
    """Return the standardised mean difference of each column between rows a and rows b, k.

    Args:
        x: n x k.
        a: rows of the treated.
        b: rows of the others.
        spread: k, the standard deviations to divide by; by default the root of the mean variance of both groups. After
            matching, give those of before, so that the same difference stays the same.
    """
    spread = spread_of(x, a, b) if spread is None else spread
    gap = x[a].mean(0) - x[b].mean(0)
    return np.asarray(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 1e-12))


def spread_of(x: Floats, a: Whole, b: Whole) -> Floats:
    """Return the root of the mean variance of two groups, column by column."""
    return np.asarray(np.sqrt((x[a].var(0) + x[b].var(0)) / 2))


def holm(p: Sequence[float]) -> Floats:
    """Return p values corrected so that one false finding among all is as rare as said (Holm 1979).

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values)
    raised = np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values))))
    return _back(np.minimum(1, raised), order)


def false_discovery(p: Sequence[float]) -> Floats:
    """Return p values corrected for the share of false findings among findings (Benjamini and Hochberg 1995).

    >>> false_discovery([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values)
    raised = values[order] * len(values) / np.arange(1, len(values) + 1)
    return _back(np.minimum(1, np.minimum.accumulate(raised[::-1])[::-1]), order)


def e_value(standardised: float) -> float:
    """Return how strongly something unmeasured must go with both sides to explain a difference of means away.

    As a risk ratio: RR = exp(.91 d), E = RR + sqrt(RR (RR - 1)) (VanderWeele and Ding 2017, Annals of Internal Medicine
    167); 1 says that nothing is needed.

    Args:
        standardised: d, the difference over the standard deviation of what differs.

    >>> round(e_value(0.5), 2)
    2.53
    """
    ratio = math.exp(0.91 * abs(standardised))
    return ratio + math.sqrt(ratio * (ratio - 1))


def t_tails(t: float, freedom: float) -> float:
    """Return the two-sided p of a t, by the incomplete beta function.

    >>> round(t_tails(2.0, 10), 4)
    0.0734
    """
    return _beta_share(freedom / (freedom + t * t), freedom / 2, 0.5)


def t_quantile(share: float, freedom: float) -> float:
    """Return the t below which a share (over a half) of the distribution lies.

    >>> round(t_quantile(0.975, 10), 3)
    2.228
    """
    low, high = 0.0, 1.0
    while 1 - t_tails(high, freedom) / 2 < share:
        high *= 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - t_tails(middle, freedom) / 2 < share else (low, middle)
    return (low + high) / 2


def _independent(x: Floats) -> list[int]:
    """Return the columns that those before them do not already say."""
    kept: list[int] = []
    basis = np.zeros((len(x), 0))
    for k in range(x.shape[1]):
        own = x[:, k]
        rest = own - basis @ (basis.T @ own)
        rest = rest - basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > 1e-8 * max(1.0, float(np.linalg.norm(own))):
            kept.append(k)
            basis = np.hstack([basis, (rest / size)[:, None]])
    return kept


def _widened(x: Floats, inverse: Floats, rows: Sequence[Whole]) -> tuple[list[Floats], bool]:
    """Return of each cluster X' A, k x m, A the inverse root of (1 - H) (CR2), and whether it is that or X' alone."""
    if max(len(own) for own in rows) > LARGEST:
        return [x[own].T for own in rows], False
    found = []
    for own in rows:
        part = x[own]
        sizes, turns = np.linalg.eigh(np.eye(len(own)) - part @ inverse @ part.T)
        roots = np.where(sizes > 1e-9, 1 / np.sqrt(np.maximum(sizes, 1e-9)), 0.0)
        found.append((part.T @ turns * roots) @ turns.T)
    return found, True


def _freedom(x: Floats, inverse: Floats, rows: Sequence[Whole], lean: Sequence[Floats]) -> float:
    """Return Satterthwaite's degrees of freedom of one coefficient; `lean`, of each cluster, weighs its residuals."""
    if len(rows) > LARGEST:
        return float(len(x) - x.shape[1])
    spread = np.stack([x[own].T @ part for own, part in zip(rows, lean, strict=True)])
    crossed = -(spread @ inverse @ spread.T)
    crossed[np.diag_indices(len(rows))] += [float(part @ part) for part in lean]
    squares = float((crossed**2).sum())
    return max(1.0, float(np.trace(crossed)) ** 2 / squares) if squares > 0 else 1.0


def _back(values: Floats, order: Whole) -> Floats:
    found = np.empty_like(values)
    found[order] = values
    return found


def _beta_share(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(1 - x, b, a)
    tail = 1.0
    for m in range(200, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        tail = 1 + even / (1 + odd / tail)
    first = -(a + b) * x / (a + 1)
    whole = 1 + first / tail
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / (a * whole)
