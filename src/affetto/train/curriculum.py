"""From easy to hard: which items an epoch of training sees.

The baby steps of Bengio et al. 2009 (Curriculum learning, ICML), as PRC-Emo (Li et al. 2026) uses them: items are
sorted by their difficulty and cut into buckets; each epoch adds one bucket, and from then on all are seen. Knows
numbers; knows no items.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError

Rows = npt.NDArray[np.int64]


def buckets(difficulty: Sequence[float] | npt.NDArray[np.floating], count: int = 2) -> list[Rows]:
    """Return the numbers of the items in buckets of about one size, the easiest bucket first.

    Raises:
        MalformedError: there are fewer items than buckets, or a difficulty is no number.

    >>> [list(map(int, bucket)) for bucket in buckets([0.9, 0.1, 0.5, 0.3], 2)]
    [[1, 3], [2, 0]]
    """
    values = np.asarray(difficulty, np.float64)
    if values.ndim != 1 or not 1 <= count <= len(values) or np.isnan(values).any():
        raise MalformedError(f"a curriculum wants a number for each of at least {count} items, not {values.shape}")
    return [part.astype(np.int64) for part in np.array_split(np.argsort(values, kind="stable"), count)]


def epochs(
    difficulty: Sequence[float] | npt.NDArray[np.floating], count: int, steps: int = 2, seed: int = 0
) -> Iterator[Rows]:
    """Yield the items of each of `count` epochs, shuffled: those of the first bucket, of the first two, ... of all.

    Raises:
        MalformedError: see `buckets`.

    >>> [len(rows) for rows in epochs([0.9, 0.1, 0.5, 0.3], 3)]
    [2, 4, 4]
    """
    parts = buckets(difficulty, steps)
    rng = np.random.default_rng(seed)
    for number in range(count):
        yield rng.permutation(np.concatenate(parts[: number + 1]))
