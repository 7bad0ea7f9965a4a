"""Bridges that weigh axes up: a unit of the target is a sum of axes of the origin, each times a weight.

Knows how such a bridge is written in a card (`[[bridges]]` with `kind = "linear"`) and the arithmetic of crossing it;
knows not which way to take (`bridges` does). `[bridges.lines.X]` says of the target's axis X: `weights` (axis of the
origin = number), `offset` (default 0), `mean` (true where the weights are to sum to 1) and `why`. All is counted in
shares of each axis' range, so 1 is its upper end. Axes of the target without a line are not said.

Models may not import this folder: they find the same lines by `core.catalog.find(origin, "space").facts["bridges"]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import AffettoError, CatalogError
from affetto.core.space import Space
from affetto.spaces.tables import Values, chances

ENOUGH = 0.5
"""Share of a line's positive weights that must be known for it to be said."""


@dataclass(frozen=True, eq=False)
class Linear:
    """How much of each axis of `origin` makes each axis of `target`."""

    origin: Space
    target: Space
    weights: Values
    """k x m; a column of zeros is an axis that nothing tells."""
    offset: Values
    """m."""

    @property
    def told(self) -> npt.NDArray[np.bool_]:
        """Which axes of the target have a line."""
        return np.asarray((self.weights != 0).any(0), np.bool_)


def matrix(plain: Mapping[str, Any], origin: Space, target: Space) -> Linear:
    """Return the weights and offsets that a card says for two spaces.

    Raises:
        CatalogError: it names axes that the spaces lack, or a line has no weight above 0.
    """
    where = f"the bridge {origin.id}--{target.id}"
    weights, offset = np.zeros((len(origin.axes), len(target.axes))), np.zeros(len(target.axes))
    try:
        for name, line in plain["lines"].items():
            column = target.index(name)
            for axis, weight in line["weights"].items():
                weights[origin.index(axis), column] = weight
            whole = np.maximum(weights[:, column], 0).sum()
            if not whole > 0:
                raise CatalogError(f"{where}: the line {name!r} wants at least one weight above 0")
            if line.get("mean"):
                weights[:, column] /= whole
            offset[column] = line.get("offset", 0)
    except CatalogError:
        raise
    except AffettoError as error:
        raise CatalogError(f"{where}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogError(f"{where} wants [bridges.lines.NAME] with weights: {error!r}") from None
    return Linear(origin, target, weights, offset)


def cross(linear: Linear, values: npt.NDArray[Any]) -> Values:
    """Return values (n x k) of the origin as values (n x m) of the target, within the ranges of its axes.

    What is not said of the origin is left out, and the rest of the line weighed up in its place, as long as at least
    `ENOUGH` of its positive weights are known; else the axis is NaN, as it is where no line leads to it.
    """
    shares = chances(linear.origin, values)
    up = np.maximum(linear.weights, 0)
    known = ~np.isnan(shares) @ up / np.where(linear.told, up.sum(0), 1)
    enough = (known >= ENOUGH - 1e-9) & linear.told
    out = np.nan_to_num(shares) @ linear.weights / np.where(enough, known, 1) + linear.offset
    low = np.array([axis.low for axis in linear.target.axes])
    high = np.array([axis.high for axis in linear.target.axes])
    said: Values = np.where(enough, low + (high - low) * np.clip(out, 0, 1), np.nan)
    return said
