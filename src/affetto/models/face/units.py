"""Which action units a face shows, 0..5: `face.au`: the blendshapes, by the map that the space `arkit-52` holds.

A unit is 0 where nine in ten faces at rest lie, and 5 where the map's coefficients are 1: what a face at rest shows
was read off people whom nine in ten raters call neutral, and lies in the card (`rest`). Knows no picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import find
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.space import Space
from affetto.models.face import blendshapes
from affetto.models.face.blendshapes import Blendshapes
from affetto.models.face.looking import Answer
from affetto.models.face.seen import Face

Floats = npt.NDArray[np.float32]
MOST = 5.0
"""The strongest intensity of a unit (E)."""


@dataclass(frozen=True)
class Units:
    """The part of `face` that says action units."""

    card: Card
    shapes: Blendshapes
    rest: Mapping[str, float]
    """Unit -> what the map gives of nine in ten faces at rest, 0..1."""

    @cached_property
    def spaces(self) -> tuple[Space, ...]:
        """Action units."""
        return (load_card("facs-au"),)

    @cached_property
    def lines(self) -> tuple[Floats, Floats]:
        """The map: weights, 52 x units, and offsets; NaN where no line leads to a unit."""
        (units,), arkit = self.spaces, load_card("arkit-52")
        bridge = next(one for one in find("arkit-52", "space").facts["bridges"] if one["to"] == units.id)
        weight = np.zeros((len(arkit.axes), len(units.axes)), np.float32)
        offset = np.full(len(units.axes), np.nan, np.float32)
        for name, line in bridge["lines"].items():
            column = units.index(name)
            for axis, share in line["weights"].items():
                weight[arkit.index(axis), column] = share
            if line.get("mean"):
                weight[:, column] /= np.maximum(weight[:, column], 0).sum()
            offset[column] = line.get("offset", 0)
        return weight, offset

    def __call__(self, faces: Sequence[Face]) -> list[Answer]:
        """Answer faces."""
        moved = self.shapes(faces)[0]
        return [self.of(moved.values)._replace(confidence=moved.confidence)]

    def of(self, coefficients: Floats) -> Answer:
        """Answer ARKit's coefficients, n x 52; a NaN counts as 0."""
        (units,), (weight, offset) = self.spaces, self.lines
        shares = np.nan_to_num(coefficients) @ weight + offset
        rest = np.array([self.rest.get(name, 0.0) for name in units.names], np.float32)
        return Answer(units, np.asarray(MOST * np.clip((shares - rest) / (1 - rest), 0, 1), np.float32))


def load(card: Card) -> Units:
    """Load the part that a card names; it stands on the blendshapes.

    Raises:
        CatalogError: the card does not say what faces at rest show.
    """
    rest = card.facts.get("rest")
    if not isinstance(rest, Mapping):
        raise CatalogError(f"{card.id}: rest is a table of units and shares, not {rest!r:.60}")
    return Units(
        card, blendshapes.load(find("face.blendshapes")), {str(name): float(share) for name, share in rest.items()}
    )
