"""A few layers of numbers, from what is known of a turn to what is said of it, kept in one npz file.

The file holds `w0`, `b0`, `w1`, `b1` ... (float16 or float32; d x h, h), with a GELU between layers and none after the
last, and `facts`, JSON in UTF-8 as bytes, whatever else a model must know. Knows arrays; knows neither turns nor words.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import UnreadableError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Readout:
    """Layers, and the facts beside them."""

    layers: tuple[tuple[Floats, ...], ...]
    """Weights (d x h) and biases (h) of each."""
    facts: dict[str, Any] = field(default_factory=dict)

    def __call__(self, known: Floats) -> Floats:
        """Return logits (n x k) of what is known (n x d)."""
        x = np.asarray(known, np.float32)
        for weight, bias in self.layers[:-1]:
            x = gelu(x @ weight + bias)
        weight, bias = self.layers[-1]
        return np.asarray(x @ weight + bias, np.float32)

    def save(self, path: Path) -> None:
        """Write the file, weights as float16."""
        facts = np.frombuffer(json.dumps(self.facts).encode(), np.uint8)
        np.savez_compressed(path, allow_pickle=False, facts=facts, **self.arrays())

    @staticmethod
    def open(path: Path) -> "Readout":
        """Read the file.

        Raises:
            UnreadableError: it is none.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return Readout.of(file, json.loads(bytes(file["facts"])))
        except Exception as error:  # numpy, zipfile and json raise errors of their own
            raise UnreadableError(f"{path.name} is no readout of affetto: {error}") from None

    def arrays(self, before: str = "") -> dict[str, Any]:
        """Return the layers as a file holds them, weights as float16, with some letters before their names."""
        parts: dict[str, Any] = {}
        for k, (weight, bias) in enumerate(self.layers):
            parts |= {f"{before}w{k}": np.asarray(weight, np.float16), f"{before}b{k}": bias}
        return parts

    @staticmethod
    def of(file: Mapping[str, Any], facts: dict[str, Any], before: str = "") -> "Readout":
        """Return the layers that a file holds under names with some letters before them, with facts beside them."""
        count = sum(name.startswith(f"{before}w") for name in file)
        layers = (tuple(file[f"{before}{kind}{k}"].astype(np.float32) for kind in "wb") for k in range(count))
        return Readout(tuple(layers), facts)


def softmax(x: Floats) -> Floats:
    """Return the probabilities of the rows of x, n x k."""
    raised = np.exp(x - x.max(1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)


def sigmoid(x: Floats) -> Floats:
    """Return the logistic function of x."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))), np.float32)


def gelu(x: Floats) -> Floats:
    """Return x times about the normal distribution function of x (Hendrycks and Gimpel 2016, by the tanh formula)."""
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x * x * x))), np.float32)
