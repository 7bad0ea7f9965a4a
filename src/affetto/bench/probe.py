"""A fair reading of systems that speak another language: their numbers, mapped to the benchmark's labels on dev.

Where no bridge leads from what a system says (polarity, say) to the benchmark's space, a regression from its values to
the raters' labels is fitted on dev, the same for every such system. Knows arrays.
"""

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MissingExtraError

Floats = npt.NDArray[np.float64]


def read_through(dev: Floats, truth: Floats, test: Floats, kind: str) -> Floats:
    """Return what test values (m x j) mean on the benchmark's axes (m x k), by a regression fitted on dev.

    Logistic over labels of kind `one` (the raters' shares as weights) and `any` (each label alone), ridge for
    `graded`. What was not said counts as 0, and that it was not said is a value of its own.

    Args:
        dev: n x j, what the system said of dev.
        truth: n x k, the raters on dev.
        test: m x j.
        kind: of the benchmark's space.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("reading a system through a regression", "bench") from None
    x, y = _features(dev), _features(test)
    out = np.full((len(test), truth.shape[1]), np.nan)
    if kind == "one":
        rows, labels = np.nonzero(truth > 0)
        weights = truth[rows, labels] / truth[rows].sum(1)
        model = LogisticRegression(C=10.0, max_iter=1000).fit(x[rows], labels, weights)
        out[:] = 0
        out[:, model.classes_] = model.predict_proba(y)
        return out
    for k in range(truth.shape[1]):
        known = ~np.isnan(truth[:, k])
        if not known.any():
            continue
        if kind == "graded":
            out[:, k] = Ridge(1.0).fit(x[known], truth[known, k]).predict(y)
        elif len(set(truth[known, k] > 0.5)) == 2:
            model = LogisticRegression(C=10.0, max_iter=1000).fit(x[known], truth[known, k] > 0.5)
            out[:, k] = model.predict_proba(y)[:, 1]
        else:
            out[:, k] = float(truth[known, k].mean() > 0.5)
    return out


def _features(values: Floats) -> Floats:
    there = ~np.isnan(values).all(0)
    kept = values[:, there]
    return np.hstack([np.nan_to_num(kept), np.isnan(kept).any(1, keepdims=True)])
