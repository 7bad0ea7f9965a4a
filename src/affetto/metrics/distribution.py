"""Scores of whole distributions: how near is a row of probabilities to that of many raters.

Conventions:
    Rows are n distributions over k labels: no number below 0, sums within 0.002 of 1; each is divided by its sum. Every
    function returns n numbers, one a row; `evaluate` returns their plain means over rows.
    Logarithms are natural in `kl` (nats) and of base 2 in `js` (bits), unless another base is asked for. 0 log 0 = 0.
    `kl` mixes a little of everything into the estimate first, (p + epsilon) / (1 + k epsilon) with epsilon 1e-6; with
    epsilon 0 it is the pure formula and infinite where the estimate rules out what the truth has.
    In `canberra` a label that both rule out adds 0. `js` is the divergence, not its root, the distance.
    `emd` is for labels in order (a scale of intensity, of polarity) on a line, not a circle, one step between
    neighbours: 0..k-1 steps. For labels without order it means nothing, so `evaluate` gives it only where `ordered`.
    NaN is an error; `evaluate` leaves out rows of which the truth does not speak, and refuses an estimate that is
    silent where the truth speaks, unless `silent="drop"`.

Knows rows that sum to 1; knows not where they come from.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.track import SLACK, Track
from affetto.metrics.pairs import Floats, paired, tables

EPSILON = 1e-6
"""How much of everything `kl` mixes into the estimate."""
TIE = 1e-6
"""Probabilities nearer than this are a tie: float32 rounds votes such as 1/3."""


def distributions(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return two tables of distributions, n x k, each row divided by its sum.

    Raises:
        MalformedError: a row holds NaN or a number below 0, or its sum is not 1.
    """
    checked = []
    for name, table in zip(("truth", "estimate"), tables(truth, estimate), strict=True):
        sums = table.sum(1)
        good = (table >= 0).all(1) & (np.abs(sums - 1) <= SLACK)
        if not good.all():
            i = int(np.argmin(good))
            raise MalformedError(
                f"each row of the {name} is a distribution, of no number below 0 and of sum 1, but row {i} is "
                f"{np.array2string(table[i], threshold=6)}"
            )
        checked.append(table / sums[:, None])
    return checked[0], checked[1]


def kl(truth: npt.ArrayLike, estimate: npt.ArrayLike, epsilon: float = EPSILON) -> Floats:
    """Return the divergence of Kullback and Leibler from truth to estimate, sum t log(t / p), in nats, 0 or more.

    >>> kl([[1, 0]], [[0.5, 0.5]], epsilon=0).round(4).tolist(), kl([[1, 0]], [[0, 1]], epsilon=0).tolist()
    ([0.6931], [inf])
    """
    t, p = distributions(truth, estimate)
    if not epsilon >= 0:
        raise MalformedError(f"epsilon is 0 or a little more, not {epsilon!r}")
    return _divergence(t, (p + epsilon) / (1 + p.shape[1] * epsilon))


def js(truth: npt.ArrayLike, estimate: npt.ArrayLike, base: float = 2.0) -> Floats:
    """Return the divergence of Jensen and Shannon, 0..1 in base 2: the mean `kl` of both to their middle (Lin 1991).

    >>> js([[1, 0]], [[0, 1]]).tolist()
    [1.0]
    """
    t, p = distributions(truth, estimate)
    if not base > 1:
        raise MalformedError(f"the base of a logarithm is more than 1 here, not {base!r}")
    middle = (t + p) / 2
    score: Floats = np.maximum(0, _divergence(t, middle) + _divergence(p, middle)) / 2 / np.log(base)
    return score


def cosine(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return the cosine of the angle between both, 0..1, 1 the best."""
    t, p = distributions(truth, estimate)
    score: Floats = np.minimum(1, (t * p).sum(1) / (np.linalg.norm(t, axis=1) * np.linalg.norm(p, axis=1)))
    return score


def canberra(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return the sum over labels of |t - p| / (t + p), 0..k, 0 the best."""
    t, p = distributions(truth, estimate)
    score: Floats = np.divide(np.abs(t - p), t + p, out=np.zeros_like(t), where=t + p > 0).sum(1)
    return score


def chebyshev(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return the greatest difference on any label, 0..1, 0 the best."""
    t, p = distributions(truth, estimate)
    score: Floats = np.abs(t - p).max(1)
    return score


def emd(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return the earth mover's distance of labels in order, 0..k-1 steps: the sum of differences of cumulated sums.

    >>> emd([[1, 0, 0]], [[0, 0, 1]]).tolist()
    [2.0]
    """
    t, p = distributions(truth, estimate)
    score: Floats = np.abs(np.cumsum(t - p, axis=1)[:, :-1]).sum(1)
    return score


def intersection(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return the sum over labels of the lesser of both, 0..1, 1 the best."""
    t, p = distributions(truth, estimate)
    score: Floats = np.minimum(1, np.minimum(t, p).sum(1))
    return score


def top_match(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> Floats:
    """Return 1 where the estimate's highest label is a highest label of the truth, any of those tied, else 0.

    Where the estimate itself is tied, the share of its highest labels that are.

    >>> top_match([[0.4, 0.4, 0.2]], [[0.1, 0.8, 0.1]]).tolist()
    [1.0]
    """
    t, p = distributions(truth, estimate)
    asked = t >= t.max(1, keepdims=True) - TIE
    said = p >= p.max(1, keepdims=True) - TIE
    score: Floats = (asked & said).sum(1) / said.sum(1)
    return score


def _divergence(t: Floats, p: Floats) -> Floats:
    share = np.divide(t, p, out=np.full_like(t, np.inf), where=p > 0)
    logs = np.log(share, out=np.zeros_like(t), where=t > 0)
    parts: Floats = np.multiply(t, logs, out=np.zeros_like(t), where=t > 0)
    sums: Floats = parts.sum(1)
    return sums


def evaluate(
    truth: Track,
    estimate: Track,
    ordered: bool = False,
    epsilon: float = EPSILON,
    base: float = 2.0,
    silent: Literal["drop", "refuse"] = "refuse",
) -> dict[str, float]:
    """Return the means over rows of all scores of distributions.

    Args:
        truth: n rows in a space of kind `one`: shares of raters, or one label.
        estimate: n rows in the same space.
        ordered: whether the labels of the space stand in order; adds `emd`.
        epsilon: how much `kl` mixes in.
        base: of the logarithm in `js`.
        silent: `refuse` an estimate that says nothing where the truth speaks, or `drop` those rows.

    Returns:
        `n`, `kl`, `js`, `cosine`, `canberra`, `chebyshev`, `intersection`, `top_match`, and `emd` where `ordered`.

    Raises:
        MalformedError: the Tracks cannot be compared, or the estimate is silent where the truth speaks.

    >>> from affetto.core.space import Axis, Space
    >>> mood = Space("mood-2", "one", (Axis("good"), Axis("bad")))
    >>> voted = Track(mood, [0], [1], [[0.75, 0.25]])
    >>> evaluate(voted, voted)["js"]
    0.0
    """
    if silent not in ("drop", "refuse"):
        raise MalformedError(f"silent is drop or refuse, not {silent!r}")
    pair = paired(truth, estimate, ("one",), silent)
    t, p = pair.truth, pair.estimate
    scores = {"n": float(len(t)), "kl": float(kl(t, p, epsilon).mean()), "js": float(js(t, p, base).mean())}
    metrics = (cosine, canberra, chebyshev, intersection, top_match) + ((emd,) if ordered else ())
    return scores | {metric.__name__: float(metric(t, p).mean()) for metric in metrics}
