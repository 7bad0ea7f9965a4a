"""The coordinate system of an answer: which words or axes it is given in, and what they mean.

Knows names, ranges and relations; knows no numbers anybody gave.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnknownNameError

Floats = npt.NDArray[np.float32]
Kind = Literal["one", "any", "graded", "vector", "open"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Axis:
    """One label, or one graded axis, of a space."""

    name: str
    """How it is written in every answer: lower case, the field's own word."""
    definition: str = ""
    """What it means, in one sentence."""
    synonyms: tuple[str, ...] = ()
    """Other words for it."""
    polarity: int | None = None
    """-1 unpleasant, 0 neither or both, 1 pleasant; None where the question makes no sense."""
    vad: tuple[float, float, float] | None = None
    """Valence, arousal and dominance, each -1..1; the space says from where."""
    parent: str = ""
    """The broader label of the same space that it belongs to."""
    opposite: str = ""
    """The label of the same space that it stands against."""
    low: float = 0.0
    """Lowest value of a graded axis."""
    high: float = 1.0
    """Highest value of a graded axis."""
    unit: str = ""
    """Unit of a graded axis."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Whatever else is known of it: a muscle, a code, an intensity tier."""

    def __post_init__(self) -> None:
        """Refuse what is no axis."""
        if not (isinstance(self.name, str) and self.name):
            raise MalformedError(f"an Axis wants a name, not {self.name!r}")
        if self.polarity not in (-1, 0, 1, None):
            raise MalformedError(f"the polarity of {self.name!r} is -1, 0, 1 or None, not {self.polarity!r}")
        if self.vad is not None and not (len(self.vad) == 3 and all(-1 <= x <= 1 for x in self.vad)):
            raise MalformedError(f"the vad of {self.name!r} is three numbers in -1..1, not {self.vad!r}")
        if not -math.inf < self.low < self.high < math.inf:
            raise MalformedError(f"the axis {self.name!r} wants finite low < high, not {self.low} and {self.high}")


@dataclass(frozen=True)
class Relation:
    """That a label is `composed_of` others, or `leads_to` them."""

    subject: str
    kind: Literal["composed_of", "leads_to"]
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Space:
    """A named set of axes, and how the values on them hang together.

    kind `one`: one label is right, the probabilities of a row sum to 1. `any`: several may be right, each
    probability stands alone. `graded`: axes with low, high and unit. `vector`: unnamed numbers (an embedding).
    `open`: the words themselves, made for one Track, with weights 0..1.

    >>> Space("mood-2", "one", (Axis("good"), Axis("bad"))).index("bad")
    1
    """

    id: str
    kind: Kind
    axes: tuple[Axis, ...]
    relations: tuple[Relation, ...] = ()
    vad_source: str = ""
    """Where the valence-arousal-dominance coordinates were published."""

    def __post_init__(self) -> None:
        """Refuse what is no space."""
        if self.kind not in KINDS:
            raise MalformedError(f"the kind of space {self.id!r} is one of {', '.join(KINDS)}, not {self.kind!r}")
        for axis in self.axes:
            if not isinstance(axis, Axis):
                raise MalformedError(f"the axes of space {self.id!r} are each an Axis, not {axis!r}")
        object.__setattr__(self, "axes", tuple(self.axes))
        names = self.names
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise MalformedError(f"space {self.id!r} wants each name once; twice: {', '.join(twice)}")
        said = {word for axis in self.axes for word in (axis.parent, axis.opposite) if word}
        said |= {word for relation in self.relations for word in (relation.subject, *relation.objects)}
        if said - set(names):
            raise MalformedError(
                f"space {self.id!r} relates names it does not have: {', '.join(sorted(said - set(names)))}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its axes, in order."""
        return tuple(axis.name for axis in self.axes)

    def index(self, name: str) -> int:
        """Return the column of an axis.

        Raises:
            UnknownNameError: no axis is called so.
        """
        for i, axis in enumerate(self.axes):
            if axis.name == name:
                return i
        raise UnknownNameError(f"axis of {self.id}", name, self.names)

    def __getitem__(self, name: str) -> Axis:
        """Return an axis by its name."""
        return self.axes[self.index(name)]

    def weighed(self, degrees: "Space", values: Floats) -> Floats:
        """Return valence, arousal ... of labels' probabilities: the mean of the labels' coordinates, weighed by them.

        Their order means something, their size little: the coordinates are those of words (`vad_source`).

        Args:
            degrees: `va`, `vad` or another space whose axes begin with these letters.
            values: n x k, k the labels of this space.

        Returns:
            n x q, q the axes of `degrees`.
        """
        places = [
            [axis.vad["vad".index(one.name[0])] if axis.vad else math.nan for one in degrees.axes] for axis in self.axes
        ]
        return np.asarray(values @ np.array(places), np.float32)

    def children(self, name: str) -> tuple[str, ...]:
        """Return the labels whose parent is `name`; the roots for an empty name."""
        return tuple(axis.name for axis in self.axes if axis.parent == name)


def open_space(words: tuple[str, ...], id: str = "open") -> Space:
    """Return the space of just these words, for one Track in open vocabulary."""
    return Space(id, "open", tuple(Axis(word) for word in words))


def vector_space(width: int, id: str = "vector") -> Space:
    """Return a space of `width` unnamed axes, called by their numbers."""
    return Space(id, "vector", tuple(Axis(str(i)) for i in range(width)))
