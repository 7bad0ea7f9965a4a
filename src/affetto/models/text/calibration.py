"""From logits to answers one may trust: calibrated probabilities, decided labels, units of the space.

A head is a run of columns of the logits. Its calibration was fitted on dev data by the recipe that made the weights:
`any` heads have a slope, an intercept and a threshold a label (Platt 1999), `one` heads a temperature and a bias a
label (Guo et al. 2017), `graded` heads a slope and an intercept an axis. Knows no network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.space import Space
from affetto.core.track import Perspective
from affetto.models.text.reading import Answer, decided

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """One run of logits, and how it becomes an answer."""

    space: Space
    perspective: Perspective
    reader: bool
    slope: Floats
    """k; NaN for an axis that the data never asked about: it stays "not said"."""
    intercept: Floats
    """k."""
    threshold: Floats
    """k: probability from which a label of an `any` head is decided; empty elsewhere."""
    trust: tuple[float, float]
    """Slope and intercept from the top label's log-odds to the log-odds that it is right."""

    def answer(self, logits: Floats) -> Answer:
        """Return the calibrated answer of logits, n x k."""
        x = logits * self.slope + self.intercept
        if self.space.kind == "graded":
            low = np.array([axis.low for axis in self.space.axes], np.float32)
            high = np.array([axis.high for axis in self.space.axes], np.float32)
            return Answer(self.space, np.clip(x, low, high), self.perspective, self.reader)
        values = softmax(x) if self.space.kind == "one" else sigmoid(x)
        return Answer(self.space, values, self.perspective, self.reader, self.confidence(values), self.notes(values))

    def confidence(self, values: Floats) -> Floats:
        """Return the probability that the top label of each row is right."""
        top = np.clip(values.max(1, initial=0), 1e-6, 1 - 1e-6)
        return sigmoid(self.trust[0] * np.log(top / (1 - top)) + self.trust[1])

    def notes(self, values: Floats) -> list[str] | None:
        """Return the decided labels of each row of an `any` head, the surest first; None for other heads."""
        if not len(self.threshold):
            return None
        return decided(values, self.threshold, self.space.names)


@dataclass(frozen=True)
class Calibration:
    """The heads of a network, in the order of its logits."""

    heads: tuple[Head, ...]

    @property
    def width(self) -> int:
        """How many logits the network gives a text."""
        return sum(len(head.slope) for head in self.heads)

    def answers(self, logits: Floats) -> list[Answer]:
        """Return an answer for each head, of logits n x width."""
        cuts = np.cumsum([len(head.slope) for head in self.heads])[:-1]
        return [head.answer(part) for head, part in zip(self.heads, np.split(logits, cuts, axis=1), strict=True)]

    @staticmethod
    def from_plain(plain: Mapping[str, Any], find_space: Callable[[str], Space]) -> "Calibration":
        """Return the calibration that a network's metadata say."""
        return Calibration(tuple(_head(part, find_space) for part in plain["heads"]))


def _head(plain: Mapping[str, Any], find_space: Callable[[str], Space]) -> Head:
    def column(name: str) -> Floats:
        return np.array(plain.get(name, []), dtype=object).astype(np.float32)

    return Head(
        space=find_space(plain["space"]),
        perspective=plain["perspective"],
        reader=plain["reader"],
        slope=column("slope"),
        intercept=column("intercept"),
        threshold=column("threshold"),
        trust=(float(plain["trust"][0]), float(plain["trust"][1])),
    )


def sigmoid(x: Floats) -> Floats:
    """Return the logistic function of x."""
    return (1 / (1 + np.exp(-np.clip(x, -60, 60)))).astype(np.float32)


def softmax(x: Floats) -> Floats:
    """Return the probabilities of the rows of x, n x k."""
    raised: Floats = np.exp(x - x.max(1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)
