"""Deviations from a person's own usual: some faces look cross and some voices sad with nothing in them.

Of each person the median of every axis over the recording, weighted by time, is what is usual; what is told is how far
each row is from it. Knows Tracks; needs enough of a person to say anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from affetto.core.space import Axis, Space
from affetto.core.track import Track

Floats = npt.NDArray[np.float64]
SUFFIX = ".deviation"
"""What the id of a space of deviations ends in."""
KINDS = ("one", "any", "graded")
CHANNELS = ("face", "voice", "physiology")


@dataclass(frozen=True)
class BaselineOptions:
    """Of whom it can be told."""

    rows: int = 5
    """Rows of a Track that say something, at least."""
    seconds: float = 10.0
    """Seconds that they cover, at least."""


def deviations(tracks: Sequence[Track], options: BaselineOptions | None = None) -> tuple[Track, ...]:
    """Return for each Track of a face or a voice one of its deviations, where there is enough of the person.

    The values of an axis from `low` to `high` become value - median, -(high - low)..(high - low), in a graded space
    called as the other with `.deviation` behind it. What was not said stays so.

    >>> from affetto.core import catalog
    >>> va = Track(catalog.load("va"), [0, 5, 10], [5, 10, 15], [[0.2, 0], [0.3, 0], [0.9, 0.5]], channel="face")
    >>> [np.round(track.values[:, 0].tolist(), 2).tolist() for track in deviations([va], BaselineOptions(rows=3))]
    [[-0.1, 0.0, 0.6]]
    """
    options = options or BaselineOptions()
    found = []
    for track in tracks:
        if track.channel not in CHANNELS or track.space.kind not in KINDS or track.unit != "s":
            continue
        said = ~np.isnan(track.values).all(1)
        if said.sum() >= options.rows and (track.end - track.start)[said].sum() >= options.seconds:
            usual = _medians(track.values.astype(np.float64), track.end - track.start)
            values = np.where(np.isnan(usual), np.nan, track.values - usual)
            found.append(replace(track, space=_space(track.space), values=values, confidence=None))
    return tuple(found)


def _space(space: Space) -> Space:
    axes = tuple(
        Axis(axis.name, low=axis.low - axis.high, high=axis.high - axis.low, unit=axis.unit) for axis in space.axes
    )
    return Space(space.id + SUFFIX, "graded", axes)


def _medians(values: Floats, seconds: Floats) -> Floats:
    """Return the median of each column, rows weighted by how long they last; NaN where nothing was said."""
    found = np.full(values.shape[1], np.nan)
    for k, column in enumerate(values.T):
        said = ~np.isnan(column)
        if said.any():
            order = np.argsort(column[said], kind="stable")
            weights = np.cumsum(np.maximum(seconds[said][order], 1e-9))
            found[k] = column[said][order][np.searchsorted(weights, weights[-1] / 2)]
    return found
