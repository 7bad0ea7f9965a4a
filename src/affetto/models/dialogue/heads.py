"""A small model of talk: a line over what the encoder knows, and weights of wordings beside it; several a npz file.

Knows arrays and texts; knows no labels. A file holds, of each head, `<name>.weight` (d x k, float16), `<name>.bias`
(k), `<name>.keys`, `<name>.grams` and `<name>.scale` (see `Grams`), and `<name>.facts`, JSON in UTF-8 as bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import UnreadableError
from affetto.models.dialogue.grams import Grams

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """What is answered from vectors and words."""

    weight: npt.NDArray[np.float16]
    """d x k."""
    bias: Floats
    """k."""
    grams: Grams
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the model must know: calibration, thresholds."""

    def __call__(self, known: Floats, texts: Sequence[str]) -> Floats:
        """Return logits, n x k, of n vectors and their texts."""
        return np.asarray(known @ self.weight.astype(np.float32) + self.bias + self.grams(texts), np.float32)


def keep(path: Path, heads: Mapping[str, Head]) -> None:
    """Write heads into a file."""
    parts: dict[str, Any] = {}
    for name, head in heads.items():
        parts |= {
            f"{name}.weight": head.weight,
            f"{name}.bias": head.bias,
            f"{name}.keys": head.grams.keys,
            f"{name}.grams": head.grams.weights,
            f"{name}.scale": head.grams.scale,
            f"{name}.facts": np.frombuffer(json.dumps(head.facts).encode(), np.uint8),
        }
    np.savez_compressed(path, allow_pickle=False, **parts)


def kept(path: Path, *names: str) -> tuple[Head, ...]:
    """Read heads from a file.

    Raises:
        UnreadableError: the file holds none of that name.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = []
            for name in names:
                grams = Grams(*(file[f"{name}.{part}"] for part in ("keys", "grams", "scale")))
                facts = json.loads(bytes(file[f"{name}.facts"]))
                found.append(Head(file[f"{name}.weight"], file[f"{name}.bias"], grams, facts))
            return tuple(found)
    except Exception as error:  # numpy, zipfile and json raise errors of their own
        raise UnreadableError(f"{path.name} holds no head {' and '.join(names)} of affetto: {error}") from None
