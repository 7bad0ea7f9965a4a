"""How hard a talk is to follow: how often feelings shift, within a speaker and between speakers, and how far.

After PRC-Emo (Li et al. 2026, Do LLMs feel?, AAAI; the text's version, in which a change of speaker counts only where
the feeling changes too). A shift costs more where the two feelings lie near each other, for these are told apart worst.
Takes Records with labelled turns; knows no corpus and no model.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.space import Space

WHEELS: dict[str, dict[str, float]] = {
    "ekman-7": {"joy": 30, "surprise": 85, "anger": 100, "disgust": 155, "fear": 170, "sadness": 255},
}
"""Degrees of feelings on the circle of valence (0) and arousal (90), where a space's own coordinates are not taken.

PRC-Emo draws its circle without numbers. On a grid of five degrees these, and the same turned as a whole within each
side, are the only ones that give MELD's train dialogues the figures measured of it: mean .5765 and largest .934.
"""
NEUTRAL = "neutral"


@dataclass(frozen=True)
class ShiftOptions:
    """What a shift costs."""

    slope: float = 1.0
    """Per unit of similarity, 0..1."""
    base: float = 0.4
    """Of any shift."""
    own_points: bool = False
    """Take the coordinates of the space's words in place of `WHEELS`."""


@dataclass(frozen=True)
class Difficulty:
    """How hard one talk is."""

    id: str
    turns: int
    speakers: int
    own: float
    """Cost of the shifts from a speaker's turn to the same speaker's next."""
    across: float
    """Cost of the shifts from a turn to the next, of another speaker."""

    @property
    def value(self) -> float:
        """The costs and the number of speakers, over turns and speakers."""
        return (self.own + self.across + self.speakers) / (self.turns + self.speakers)


def difficulties(records: Iterable[Record], space: Space, options: ShiftOptions | None = None) -> list[Difficulty]:
    """Return how hard each talk is, in their order.

    Args:
        records: with turns, and Tracks in the space that label them; a turn without a label shifts nothing.
        space: of kind `one`.
        options: see `ShiftOptions`.

    Raises:
        MalformedError: no Record has a labelled turn, or the space has no place for a label on the circle.
    """
    options = options or ShiftOptions()
    cost = options.slope * similarity(space, options.own_points) + options.base
    found, labelled = [], False
    for record in records:
        if record.turns:
            labels = labels_of(record, space)
            labelled = labelled or any(label >= 0 for label in labels)
            found.append(_difficulty(record, labels, cost))
    if not labelled:
        raise MalformedError(f"no Record has turns labelled in {space.id}; name the space of its labels")
    return found


def similarity(space: Space, own_points: bool = False) -> npt.NDArray[np.float64]:
    """Return how near labels are to each other (k x k, 0..1; 1 of a label and itself).

    The cosine of the angle between two on one side of valence, at least 0; 0 of two on different sides; 1 / k where
    one is neutral.

    Raises:
        MalformedError: a label has no place on the circle.
    """
    angles = _angles(space, own_points)
    near = np.eye(len(space.axes))
    for i, one in enumerate(space.names):
        for j, other in enumerate(space.names):
            if i != j and NEUTRAL in (one, other):
                near[i, j] = 1 / len(space.axes)
            elif i != j and _side(angles[one]) == _side(angles[other]):
                near[i, j] = max(math.cos(math.radians(angles[one] - angles[other])), 0.0)
    return near


def labels_of(record: Record, space: Space) -> list[int]:
    """Return the label of each turn as the number of its axis; -1 where it has none."""
    pieces = record.pieces()
    places = {(piece.subject, piece.start): k for k, piece in enumerate(pieces)}
    labels = [-1] * len(pieces)
    for track in record.tracks:
        if track.space.id != space.id or track.unit != (pieces[0].unit if pieces else ""):
            continue
        for start, values in zip(track.start, track.values, strict=True):
            k = places.get((track.subject, float(start)))
            if k is not None and not np.isnan(values).all():
                labels[k] = int(np.nanargmax(values))
    return labels


def _difficulty(record: Record, labels: list[int], cost: npt.NDArray[np.float64]) -> Difficulty:
    own = across = 0.0
    last: dict[str, int] = {}
    before: tuple[str, int] | None = None
    for turn, label in zip(record.turns, labels, strict=True):
        own += _shift(last.get(turn.speaker, -1), label, cost)
        if before is not None and before[0] != turn.speaker:
            across += _shift(before[1], label, cost)
        last[turn.speaker] = label
        before = turn.speaker, label
    return Difficulty(record.id, len(record.turns), len(last), own, across)


def _shift(one: int, other: int, cost: npt.NDArray[np.float64]) -> float:
    return float(cost[one, other]) if one != other and min(one, other) >= 0 else 0.0


def _angles(space: Space, own_points: bool) -> Mapping[str, float]:
    if not own_points and space.id in WHEELS:
        return WHEELS[space.id]
    angles = {}
    for axis in space.axes:
        if axis.vad is None and axis.name != NEUTRAL:
            raise MalformedError(f"{axis.name!r} of {space.id} has no coordinates, so it has no place on the circle")
        if axis.vad is not None:
            angles[axis.name] = math.degrees(math.atan2(axis.vad[1], axis.vad[0]))
    return angles


def _side(degrees: float) -> bool:
    return math.cos(math.radians(degrees)) > 0
