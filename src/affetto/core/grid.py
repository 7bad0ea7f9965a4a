"""Rows of any length on an even grid of time. Knows numbers; knows no Track."""

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def overlaps(start: Doubles, end: Doubles, columns: Doubles, step: float, size: int) -> Doubles:
    """Return for each step the sum of rows' columns (r x m), each times the seconds of the row in the step: n x m.

    A row lies in a step for as long as its end does, less as long as its start does; both are sums that run backwards,
    so that a row of hours costs no more than one of a moment.
    """
    out = np.zeros((size + 1, columns.shape[1]))
    for edge, sign in ((end, 1.0), (start, -1.0)):
        cell = np.minimum((edge / step).astype(np.int64), size)
        rest = edge - cell * step
        for m in range(columns.shape[1]):
            here = np.bincount(cell, columns[:, m], size + 1)
            later = here[::-1].cumsum()[::-1] - here
            out[:, m] += sign * (step * later + np.bincount(cell, columns[:, m] * rest, size + 1))
    return out[:size]
