"""What every `evaluate` does first: see that two Tracks can be compared, and keep the rows of which the truth speaks.

Conventions:
    Truth comes before estimate. Both Tracks have one space (id and names of the axes), one unit and as many rows; row i
    of one is about the same thing as row i of the other, which nobody can check here.
    A row that is NaN on every axis says nothing. Such rows of the truth are left out everywhere. What such rows of the
    estimate mean is `silent`: `keep` hands them on as NaN (classification counts them as wrong), `drop` leaves them
    out, `refuse` is an error (distributions, dimensions).
    Arrays are computed in float64, whatever they came in.

Knows shapes and silence; knows no metric.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.space import Space
from affetto.core.track import Track

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Metric = Callable[[npt.ArrayLike, npt.ArrayLike], float]
Silent = Literal["keep", "drop", "refuse"]
_INSTEAD = {
    "one": "use affetto.metrics.classification, distribution or calibration",
    "any": "use affetto.metrics.classification or calibration",
    "graded": "use affetto.metrics.dimensional",
    "open": "use affetto.metrics.openset",
    "vector": "compare what is made of the vectors",
}


@dataclass(frozen=True, eq=False)
class Pair:
    """The rows of two Tracks that can be compared."""

    space: Space
    """The space of both."""
    truth: Floats
    """n x k, no row of which is NaN throughout."""
    estimate: Floats
    """n x k; rows of NaN only where `silent` is `keep`."""
    kept: Flags
    """Which of the rows given these are."""


def same_space(truth: Track, estimate: Track, kinds: Collection[str]) -> Space:
    """Return the space that both Tracks share.

    Args:
        truth: what is so.
        estimate: what was said.
        kinds: the kinds of space that the asking metric can score.

    Raises:
        MalformedError: one is no Track, spaces or units differ, or the space is of another kind.
    """
    for name, track in (("truth", truth), ("estimate", estimate)):
        if not isinstance(track, Track):
            raise MalformedError(f"the {name} wants to be a Track, not {type(track).__name__}")
    space, other = truth.space, estimate.space
    if space.id != other.id:
        raise MalformedError(
            f"truth is in {space.id} and the estimate in {other.id}: translate one of them first"
            " (affetto.spaces.bridges.translate)"
        )
    if space.names != other.names or space.kind != other.kind:
        raise MalformedError(
            f"truth and estimate are both in {space.id}, but of axes {_few(space.names)} ({space.kind}) and "
            f"{_few(other.names)} ({other.kind}): make both with the same space"
        )
    if truth.unit != estimate.unit:
        raise MalformedError(
            f"the rows of truth are in {truth.unit} and those of the estimate in {estimate.unit}: "
            "bring both to one unit first"
        )
    if space.kind not in kinds:
        raise MalformedError(
            f"these scores want a space of kind {' or '.join(kinds)}, and {space.id} is {space.kind}: "
            f"{_INSTEAD[space.kind]}"
        )
    return space


def paired(truth: Track, estimate: Track, kinds: Collection[str], silent: Silent = "keep") -> Pair:
    """Return the rows of two Tracks of which the truth speaks.

    Args:
        truth: n rows.
        estimate: n rows about the same things.
        kinds: the kinds of space that the asking metric can score.
        silent: what becomes of rows in which the estimate says nothing: `keep`, `drop` or `refuse`.

    Raises:
        MalformedError: the Tracks cannot be compared, no row is left, or the estimate is silent and that is refused.

    >>> from affetto.core.space import Axis, Space
    >>> mood = Space("mood-2", "one", (Axis("good"), Axis("bad")))
    >>> rated = Track(mood, [0, 1], [1, 2], [[1, 0], [np.nan, np.nan]])
    >>> paired(rated, rated, ["one"]).kept.tolist()
    [True, False]
    """
    if silent not in get_args(Silent):
        raise MalformedError(f"silent is one of {', '.join(get_args(Silent))}, not {silent!r}")
    space = same_space(truth, estimate, kinds)
    if len(truth) != len(estimate):
        raise MalformedError(
            f"truth has {len(truth)} rows and the estimate {len(estimate)}: give one row of each for each thing"
        )
    values, said = truth.values.astype(np.float64), estimate.values.astype(np.float64)
    kept: Flags = ~np.all(np.isnan(values), axis=1)
    mute: Flags = kept & np.all(np.isnan(said), axis=1)
    if silent == "refuse" and mute.any():
        raise MalformedError(
            f"the estimate says nothing in {mute.sum()} of {kept.sum()} rows of which the truth speaks, the first is "
            f"row {int(np.argmax(mute))}: fill them, or ask for silent='drop'"
        )
    if silent == "drop":
        kept = kept & ~mute
    if not kept.any():
        raise MalformedError(f"none of the {len(truth)} rows can be scored: truth or estimate says nothing in each")
    return Pair(space, values[kept], said[kept], kept)


def vectors(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return two columns of n finite numbers as float64.

    Raises:
        MalformedError: they are no numbers, empty, of different length, or hold NaN or infinity.
    """
    a, b = _numbers("truth", truth), _numbers("estimate", estimate)
    if a.ndim != 1 or a.shape != b.shape or not a.size:
        raise MalformedError(
            f"truth and estimate are two columns of as many numbers, at least one, not of shape {a.shape} and {b.shape}"
        )
    for name, column in (("truth", a), ("estimate", b)):
        if not np.isfinite(column).all():
            i = int(np.argmin(np.isfinite(column)))
            raise MalformedError(f"the {name} is finite in every row, but row {i} is {column[i]}: leave such rows out")
    return a, b


def tables(truth: npt.ArrayLike, estimate: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return two tables of n rows x k labels as float64; NaN is let through.

    Raises:
        MalformedError: they are no numbers, empty, or of different shape.
    """
    a, b = _numbers("truth", truth), _numbers("estimate", estimate)
    if a.ndim != 2 or a.shape != b.shape or not a.size:
        raise MalformedError(
            f"truth and estimate are two tables of rows x labels of one shape, not empty, not {a.shape} and {b.shape}"
        )
    return a, b


def ranks(values: Floats) -> Floats:
    """Return the rank of each of n numbers, 1 the lowest; equal numbers share the mean of their ranks.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    shared: Floats = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return shared


def tie_means(values: Floats, by: Floats) -> tuple[Floats, Floats]:
    """Return n values in falling order of `by`, each as the mean of those that share its `by`, and `by` so ordered.

    What is summed over such values does not depend on the order in which ties came.
    """
    keys, place, counts = np.unique(-by, return_inverse=True, return_counts=True)
    means = np.bincount(place, values, len(keys)) / counts
    return np.repeat(means, counts), -np.repeat(keys, counts)


def mean_of_said(values: npt.ArrayLike) -> float:
    """Return the mean of the numbers that are not NaN; NaN where there is none."""
    numbers = np.asarray(values, np.float64)
    said = numbers[~np.isnan(numbers)]
    return float(said.mean()) if said.size else float("nan")


def _numbers(name: str, given: npt.ArrayLike) -> Floats:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MalformedError(f"the {name} wants to be an array of numbers: {error}") from None


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
