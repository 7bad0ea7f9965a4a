"""What a face expresses, in eight words: `face.expression`; valence and arousal by the words' coordinates.

A residual network (`recipes/face_expression_network.py`) looks at the inner part of the upright crop, 48 x 48 and grey,
as FER+ shows faces. Its calibration was fitted on the dev split and lies in the file's metadata. Knows crops; knows no
picture that they come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.space import Space
from affetto.models.face.crop import Grey
from affetto.models.face.looking import Answer
from affetto.models.face.mesh import SIDE
from affetto.models.face.seen import Face
from affetto.models.weights import opened, weights

Floats = npt.NDArray[np.float32]
CLOSE = 48
"""Of what the network sees, pixels."""
LIFTED = 0.03
"""How far the middle of FER2013's pictures lies above that of our crops, as a share of their side (the median)."""
FRAMED = (0.8, 0.67)
"""Sides of the parts of our crop that are looked at, as shares of its own; FER2013's median is .735."""
EXPRESSIONS = ("neutral", "joy", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The order of the logits, in the words of the space `ekman-8`."""


@dataclass(frozen=True)
class Calibration:
    """From logits to answers one may trust; fitted by the recipe on the dev split."""

    temperature: float
    trust: tuple[float, float, float]
    """Intercept, slope on the log-odds of the top label, and slope on the mesh's expected error, to the log-odds that
    the label is right."""

    def probabilities(self, logits: Floats) -> Floats:
        """Return n x 8 of logits n x 8."""
        x = logits / self.temperature
        raised = np.exp(x - x.max(1, keepdims=True, initial=-np.inf))
        return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)

    def confidence(self, values: Floats, error: Floats) -> Floats:
        """Return the probability that the top label of each row is right, where the mesh expects to be off so far."""
        top = np.clip(values.max(1, initial=0), 1e-6, 1 - 1e-6)
        intercept, slope, off = self.trust
        odds = intercept + slope * np.log(top / (1 - top)) + off * np.asarray(error)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


class Network:
    """The network in its file: close crops in, logits out.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path) -> None:
        self.session, self.facts = opened(path, "expression network", "affetto.calibration")

    def __call__(self, close: Grey) -> Floats:
        """Return logits, n x 15 (FER+'s eight, then FER2013's seven), of n x 48 x 48 grey crops.

        Each is looked at with its mirror image, and both answers are averaged.
        """
        x = close[:, None].astype(np.float32) / 255
        both = self.session.run(["logits"], {"close": np.concatenate([x, x[..., ::-1]])})[0]
        return np.asarray((both[: len(x)] + both[len(x) :]) / 2, np.float32)


def closer(crop: Grey, framed: float) -> Grey:
    """Return the inner part of a crop of the mesh, 112 x 112, so large, about as FER2013 frames faces: 48 x 48."""
    half, middle = framed / 2, 0.5 - LIFTED
    top, bottom = round((middle - half) * SIDE), round((middle + half) * SIDE)
    left, right = round((0.5 - half) * SIDE), round((0.5 + half) * SIDE)
    part = cv2.resize(crop[top:bottom, left:right], (CLOSE, CLOSE), interpolation=cv2.INTER_AREA)
    return np.asarray(part, np.uint8)


@dataclass(frozen=True)
class Expression:
    """The part of `face` that names expressions."""

    card: Card
    network: Network
    calibration: Calibration

    @cached_property
    def spaces(self) -> tuple[Space, ...]:
        """The labels, and valence and arousal."""
        return tuple(load_card(id) for id in self.card.spaces)

    def __call__(self, faces: Sequence[Face]) -> list[Answer]:
        """Answer faces: labels with calibrated confidence, and what they make of valence and arousal."""
        logits = [self.network(np.stack([closer(face.crop, framed) for face in faces])) for framed in FRAMED]
        return self._answers(np.mean(logits, 0), np.array([face.error for face in faces], np.float32))

    def answer(self, close: Grey) -> list[Answer]:
        """Answer grey crops, n x 48 x 48, framed as FER2013 frames faces, as if their meshes were without error."""
        return self._answers(self.network(close), np.zeros(len(close), np.float32))

    def _answers(self, logits: Floats, error: Floats) -> list[Answer]:
        labels, degrees = self.spaces
        said = self.calibration.probabilities(logits[:, : len(EXPRESSIONS)])
        values = said[:, [EXPRESSIONS.index(name) for name in labels.names]]
        sure = self.calibration.confidence(values, error)
        return [Answer(labels, values, sure), Answer(degrees, labels.weighed(degrees, values), sure)]


def load(card: Card) -> Expression:
    """Load the part that a card names."""
    network = Network(weights(card))
    trust = network.facts["trust"]
    return Expression(card, network, Calibration(float(network.facts["temperature"]), (trust[0], trust[1], trust[2])))
