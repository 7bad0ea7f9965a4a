"""What the outputs of somebody else's network mean: for which axis of a space each stands, and on what scale.

Such a card names one space, of kind `one`, `any` or `graded`, and says

    longest = 15.0                  seconds that the network hears at once; a longer clip is heard in even parts
    activation = "softmax"          what makes probabilities of the outputs: softmax, sigmoid, or none
    scale = [0.0, 1.0]              of kind `graded`: the outputs that stand for the low and the high end of an axis

Knows cards, spaces and clips as numbers; knows no network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.space import Space
from affetto.models.speech.listening import Answer
from affetto.models.speech.mel import RATE

Floats = npt.NDArray[np.float32]
Activation = Literal["softmax", "sigmoid", "none"]
OUTSIDE = ""
"""The word for a label that the space does not have, such as "other"."""
SHORTEST = 0.1
"""Seconds; of a shorter clip nothing is said: the networks look at windows of 25 ms, and a voice at several."""
SLACK = 0.02
"""How far outputs that a card calls probabilities may sum from 1."""


@dataclass(frozen=True)
class Meaning:
    """How a row of outputs becomes a row of values."""

    space: Space
    columns: tuple[int, ...]
    """For each output, the axis that it stands for; -1 for a label that the space does not have."""
    activation: Activation
    scale: tuple[float, float]
    longest: float
    """Seconds."""

    def answer(self, clips: Sequence[Floats], outputs: Callable[[Sequence[Floats]], Floats]) -> list[Answer]:
        """Answer clips by a network.

        Of a clip that is heard in parts, the values are the mean over those of which something is said.

        Args:
            clips: samples at 16 kHz.
            outputs: takes clips of at most `longest` seconds and returns the outputs, n x labels.
        """
        parts = [part for clip in clips for part in self._parts(clip)]
        owner = np.repeat(np.arange(len(clips)), [len(self._parts(clip)) for clip in clips])
        values = np.full((len(clips), len(self.space.axes)), np.nan, np.float32)
        note = ["" if any(owner == i) else f"under {SHORTEST:g} s" for i in range(len(clips))]
        if parts:
            each = self.values(outputs(parts))
            for i in np.unique(owner):
                mine = each[owner == i]
                said = mine[~np.isnan(mine).all(1)]
                if len(said):
                    values[i] = said.mean(0)
                else:
                    note[i] = f"none of {self.space.id}"
        return [Answer(self.space, values, note=note)]

    def _parts(self, clip: Floats) -> list[Floats]:
        if len(clip) < SHORTEST * RATE:
            return []
        return np.array_split(np.asarray(clip, np.float32), int(np.ceil(len(clip) / (self.longest * RATE))))

    def values(self, outputs: Floats) -> Floats:
        """Return the values that outputs (n x labels) stand for, n x k.

        Labels of one axis add up (`one`), or the surest counts (`any`). Of kind `one`, labels that the space does not
        have are taken out and the rest is divided by its sum; where they hold more than half, nothing is said. An axis
        that no output stands for is 0 (`one`) or NaN.

        Raises:
            CatalogError: the outputs are not the probabilities that the card says they are.
        """
        values = np.full((len(outputs), len(self.space.axes)), np.nan, np.float32)
        said = self._activated(outputs)
        for axis in range(len(self.space.axes)):
            mine = said[:, [column == axis for column in self.columns]]
            if self.space.kind == "one":
                values[:, axis] = mine.sum(1)
            elif mine.size:
                values[:, axis] = mine.max(1)
        if self.space.kind == "graded":
            return self._graded(values)
        if self.space.kind == "one":
            known = values.sum(1, keepdims=True)
            with np.errstate(invalid="ignore"):
                values = np.where(known >= 0.5, values / known, np.nan).astype(np.float32)
        return values

    def _activated(self, outputs: Floats) -> Floats:
        if self.activation == "softmax":
            raised = np.exp(outputs - outputs.max(1, keepdims=True, initial=-np.inf))
            return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)
        if self.activation == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-np.clip(outputs, -60, 60))), np.float32)
        if self.space.kind != "graded":
            self._check(outputs)
        return outputs

    def _check(self, outputs: Floats) -> None:
        finite = outputs[np.isfinite(outputs).all(1)]
        wrong = (finite < 0) | (finite > 1)
        if self.space.kind == "one":
            wrong |= np.abs(finite.sum(1, keepdims=True) - 1) > SLACK
        if wrong.any():
            raise CatalogError(
                f"outputs such as {finite[wrong.any(1)][0]!s:.60} are no probabilities in {self.space.id}:"
                " the card wants an activation, softmax or sigmoid"
            )

    def _graded(self, values: Floats) -> Floats:
        low = np.array([axis.low for axis in self.space.axes], np.float32)
        high = np.array([axis.high for axis in self.space.axes], np.float32)
        share = (values - self.scale[0]) / (self.scale[1] - self.scale[0])
        return np.asarray(np.clip(low + share * (high - low), low, high), np.float32)


def meaning(card: Card, words: Sequence[str]) -> Meaning:
    """Return what outputs mean.

    Args:
        card: says what the module's first lines list.
        words: for each output, in order, the axis of the card's space, or `OUTSIDE`.

    Raises:
        CatalogError: the card lacks a fact, or its facts do not go together.
        UnknownNameError: the space has no axis of a word.
    """
    if len(card.spaces) != 1:
        raise CatalogError(f"{card.id}: such a network answers in one space, not in {len(card.spaces)}")
    space: Space = load_card(card.spaces[0])
    if space.kind not in ("one", "any", "graded"):
        raise CatalogError(f"{card.id}: a network answers in labels or axes, and {space.id} is of kind {space.kind!r}")
    activation: Any = card.facts.get("activation")
    if activation not in get_args(Activation):
        raise CatalogError(f"{card.id}: activation is {' or '.join(get_args(Activation))}, not {activation!r}")
    unfit = {"one": "sigmoid", "any": "softmax"}
    if activation == unfit.get(space.kind) or (space.kind == "graded" and activation != "none"):
        raise CatalogError(f"{card.id}: activation = {activation!r} does not give values of kind {space.kind!r}")
    columns = tuple(-1 if word == OUTSIDE else space.index(word) for word in words)
    if space.kind == "graded" and len(set(columns)) != len(columns):
        raise CatalogError(f"{card.id}: two outputs stand for one axis of {space.id}: {', '.join(words)}")
    longest = card.facts.get("longest")
    if not isinstance(longest, int | float) or longest < 1:
        raise CatalogError(f"{card.id}: longest is at least 1 second, not {longest!r}")
    return Meaning(space, columns, activation, _scale(card), longest)


def facts_of(card: Card, kinds: Mapping[str, type | tuple[type, ...]], needed: Sequence[str]) -> dict[str, Any]:
    """Return those facts of a card that `kinds` names, checked for their types.

    Raises:
        CatalogError: a needed fact is missing or empty, or one is of another type.
    """
    missing = [name for name in needed if not card.facts.get(name)]
    if missing:
        raise CatalogError(f"the card {card.id} lacks {', '.join(missing)}")
    said = {name: card.facts[name] for name in kinds if name in card.facts}
    wrong = [name for name, value in said.items() if not isinstance(value, kinds[name])]
    if wrong:
        raise CatalogError(f"in the card {card.id}, {', '.join(wrong)} is not of the kind that such a model wants")
    return said


def _scale(card: Card) -> tuple[float, float]:
    given = card.facts.get("scale", [0.0, 1.0])
    numbers = isinstance(given, list) and len(given) == 2 and all(isinstance(x, int | float) for x in given)
    if not numbers or given[0] == given[1]:
        raise CatalogError(f"{card.id}: scale is two numbers, not {given!r}")
    return float(given[0]), float(given[1])
