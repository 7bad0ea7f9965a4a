"""Models of the face: `face`, all its parts in one pass over the pictures, and each part by itself.

Knows which parts a card names; what a part says is its own matter, and how pictures are gone through is `looking`'s.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import find
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.face import blendshapes, expression, units, windows
from affetto.models.face.looking import Answer, Looking, Part, read
from affetto.models.face.mesh import FaceMesh
from affetto.models.face.seen import Face
from affetto.models.weights import weights

MESH = "face.mesh"
"""The card of the network that finds faces and their points."""


@dataclass(frozen=True)
class Mesh:
    """The part of `face` that says where its 478 points are."""

    card: Card

    @property
    def spaces(self) -> Sequence[Space]:
        """The mesh."""
        return (load_card("face-mesh-478"),)

    def __call__(self, faces: Sequence[Face]) -> list[Answer]:
        """Answer faces: pixels of the picture."""
        points = np.stack([face.points.reshape(-1) for face in faces])
        return [Answer(self.spaces[0], points, np.array([face.face for face in faces], np.float32))]


PARTS: dict[str, Callable[[Card], Part]] = {
    "face.expression": expression.load,
    "face.blendshapes": blendshapes.load,
    "face.au": units.load,
    MESH: Mesh,
}


@dataclass(frozen=True)
class FaceModel:
    """A Model of faces in pictures and films."""

    card: Card
    mesh: FaceMesh
    parts: tuple[Part, ...]
    looking: Looking = field(default_factory=Looking)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each person and space of each Record; none where it has no pictures."""
        return read(records, self.parts, self.mesh, self.looking)

    def windows(
        self, record: Record, seconds: float = windows.SECONDS, state: Mapping[str, Any] | None = None
    ) -> Iterator[windows.Window]:
        """Yield what a film shows, a window at a time, from where `state` ends; errors as `windows.windows`."""
        return windows.windows(record, self.parts, self.mesh, self.looking, seconds, state)

    def joined(self, tracks: Iterable[Track]) -> tuple[Track, ...]:
        """Return what all windows of a film say, in order, as what is said of the whole."""
        return windows.joined(tracks, self.looking.least)


def load(card: Card) -> FaceModel:
    """Load the model that a card names by its `parts`, or the one part that it is; `detector` may name another one.

    Raises:
        CatalogError: it names a part that there is none of.
    """
    named = card.facts.get("parts", [card.id])
    if not isinstance(named, list) or not set(named) <= set(PARTS):
        raise CatalogError(f"{card.id}: parts are some of {', '.join(PARTS)}, not {named!r:.80}")
    parts = tuple(PARTS[one](find(one)) for one in named)
    looking = Looking(detector=str(card.facts.get("detector", "")))
    return FaceModel(card, FaceMesh(weights(find(MESH))), parts, looking)
