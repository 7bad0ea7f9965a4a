"""Labels as points: from labels to valence, arousal and dominance, from there to quadrants, and labels to a side.

Knows coordinates and signs; knows not where they were published (`Space.vad_source` says so).
"""

import numpy as np
import numpy.typing as npt

from affetto.core.space import Space
from affetto.spaces.tables import Table, Values, chances, cross, unsaid

CENTRE = 0.05
"""A point nearer to the centre than this lies in no quadrant."""
SIDES = {-1: "negative", 0: "neutral", 1: "positive"}


def has_points(space: Space) -> bool:
    """Tell whether all labels of a space have coordinates."""
    return space.kind in ("one", "any", "graded") and all(axis.vad for axis in space.axes)


def has_sides(space: Space) -> bool:
    """Tell whether all labels of a space have a polarity."""
    return space.kind in ("one", "any", "graded") and all(axis.polarity is not None for axis in space.axes)


def points(space: Space, values: npt.NDArray[np.floating]) -> Values:
    """Return the points (n x 3, each -1..1) that rows of labels weigh out to.

    A row is the mean of its labels' coordinates, weighted by their probabilities; where these sum to less than 1,
    what lacks lies at the coordinates of the label neutral, or at the centre where the space has none. Coordinates
    are those of words, which spread wider than texts do: compare their order, not their size. A mere side (negative,
    neutral, positive) says nothing of arousal and dominance: NaN there.
    """
    p = chances(space, values)
    silent = unsaid(p)
    p = np.nan_to_num(p)
    total = p.sum(1, keepdims=True)
    home = next((axis.vad for axis in space.axes if axis.name in ("neutral", "neutrality")), None) or (0.0, 0.0, 0.0)
    lack = np.maximum(0, 1 - total)
    out: Values = (p @ np.array([axis.vad for axis in space.axes]) + lack * np.array(home)) / np.maximum(1, total)
    out[silent] = np.nan
    if set(space.names) == set(SIDES.values()):
        out[:, 1:] = np.nan
    return out


def quadrants(values: npt.NDArray[np.floating]) -> Values:
    """Return rows of valence and arousal (n x 2) as quadrants (n x 4, one of them 1), NaN next to the centre."""
    valence, arousal = np.array(values, np.float64).T
    column = np.where(arousal >= 0, np.where(valence >= 0, 0, 1), np.where(valence >= 0, 3, 2))
    out: Values = np.eye(4)[column]
    with np.errstate(invalid="ignore"):
        out[~(np.hypot(valence, arousal) >= CENTRE)] = np.nan
    return out


def sides(space: Space, target: Space, values: npt.NDArray[np.floating]) -> Values:
    """Return rows of labels as negative, neutral, positive (n x 3), by the polarity of each label; sums to 1.

    What the probabilities lack to 1 goes to neutral.
    """
    weights = np.zeros((len(space.axes), len(target.axes)))
    for row, axis in enumerate(space.axes):
        weights[row, target.index(SIDES[axis.polarity or 0])] = 1
    return cross(Table(space, target, "table", weights, rest=target.index("neutral")), values)
