"""From a torch module to the small ONNX file that the package carries. Knows nothing of what the module means."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process


def export(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    path: Path,
    facts: Mapping[str, str],
    whole: bool = False,
    floats: Sequence[str] = (),
) -> None:
    """Write a module as ONNX with int8 weights (one scale a column) and dynamic first two axes.

    Args:
        module: takes the inputs by position, gives the outputs.
        inputs: an example of each input, by name; the first axes are the batch and, from rank 2 on, the length.
        outputs: the names of the outputs.
        path: where to write.
        facts: what to keep in the file's metadata.
        whole: keep float32 instead, to compare.
        floats: nodes whose names hold one of these keep float32: those whose inputs span too much for eight bits.
    """
    axes = {name: {0: "n", 1: "t"} for name in inputs} | {name: {0: "n"} for name in outputs}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, clean = Path(folder, "plain.onnx"), Path(folder, "clean.onnx")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(plain),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        if whole:
            made = onnx.load(str(plain))
        else:
            quant_pre_process(str(plain), str(clean), skip_symbolic_shape=True)
            nodes = [node.name for node in onnx.load(str(clean)).graph.node]
            kept = [name for name in nodes if any(part in name for part in floats)]
            quantize_dynamic(
                str(clean), str(path), per_channel=True, weight_type=QuantType.QInt8, nodes_to_exclude=kept
            )
            made = onnx.load(str(path))
    onnx.helper.set_model_props(made, dict(facts))
    onnx.save(made, str(path))
