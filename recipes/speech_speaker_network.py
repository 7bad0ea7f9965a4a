"""The network behind `speech.speaker`: the voice encoder of Resemblyzer as it came, and the file it is written to.

`pip install --no-deps resemblyzer==0.1.4` brings its weights (Wan et al. 2018; Apache-2.0).
"""

import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch

from affetto.models.speech.mel import VOICE_BANDS
from affetto.models.speech.remembering import STEP
from affetto.train.export import export, halved
from affetto.train.packed import save, saved

Floats = npt.NDArray[np.float32]
WIDTH = 256


class Remembering(torch.nn.Module):
    """The voice encoder as it came: three layers of LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(
            torch.nn.LSTM(WIDTH if k else VOICE_BANDS, WIDTH, batch_first=True) for k in range(3)
        )
        file = next(f for f in importlib.metadata.files("resemblyzer") or () if f.name == "pretrained.pt")
        held = torch.load(file.locate(), map_location="cpu", weights_only=True)["model_state"]
        for k, layer in enumerate(self.layers):
            layer.load_state_dict({f"{name}_l0": held[f"lstm.{name}_l{k}"] for name in
                                   ("weight_ih", "weight_hh", "bias_ih", "bias_hh")})  # fmt: skip

    def forward(self, power: torch.Tensor) -> torch.Tensor:
        """Return what all layers remember of mel powers n x t x 40, n x t / 4 x 768: the mean of each 40 ms."""
        states, found = power, []
        for layer in self.layers:
            states, _ = layer(states)
            found.append(states)
        return torch.cat(found, 2).reshape(len(power), -1, STEP, 3 * WIDTH).mean(2)


def write(path: Path, facts: Mapping[str, Any], turn: Floats | None = None) -> None:
    """Write the encoder, and what turns its numbers (769 x d, the last row is added) where that is learned, as ONNX.

    Powers span decades, so the layer that takes them stays float32.
    """
    text = {"affetto.speaker": json.dumps(facts)}
    export(Remembering(), {"power": torch.rand(1, 64, VOICE_BANDS)}, ["rows"], path, text, floats=("layers.0",))
    if turn is None:
        return
    made, helper, number = saved(path), onnx.helper, onnx.numpy_helper
    for node in made.graph.node:
        node.output[:] = ["frames" if name == "rows" else name for name in node.output]
    made.graph.initializer.extend([number.from_array(turn[:-1], "turn"), number.from_array(turn[-1], "turn.add")])
    made.graph.node.append(helper.make_node("MatMul", ["frames", "turn"], ["turned"], "turned"))
    made.graph.node.append(helper.make_node("Add", ["turned", "turn.add"], ["rows"], "rows"))
    halved(made)
    save(made, path)
