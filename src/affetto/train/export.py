"""From a torch module to the small ONNX file that the package carries. Knows nothing of what the module means."""

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from affetto.train.packed import save

_LARGE = 20_000
"""Numbers of a table from which on it is kept in fewer bytes."""
_WHOLE = 1e-3
"""How far from a whole number a multiple of the scale may be."""


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
        _traced(module, inputs, outputs, axes, plain)
        if whole:
            made = onnx.load(str(plain))
        else:
            quant_pre_process(str(plain), str(clean), skip_symbolic_shape=True)
            quantize_dynamic(
                str(clean),
                str(path),
                per_channel=True,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=_named(clean, floats),
            )
            made = onnx.load(str(path))
    onnx.helper.set_model_props(made, dict(facts))
    halved(made)
    save(made, path)


def export_static(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    path: Path,
    facts: Mapping[str, str],
    lessons: Iterable[Mapping[str, npt.NDArray[np.float32]]],
    floats: Sequence[str] = (),
    kinds: Sequence[str] = ("Conv", "Gemm", "Add", "Relu", "Mul"),
) -> None:
    """Write a module of convolutions as ONNX with int8 weights and activations whose ranges lessons showed.

    Args:
        module: as in `export`.
        inputs: as in `export`; only the first axis is of any length.
        outputs: as in `export`.
        path: as in `export`.
        facts: as in `export`.
        lessons: inputs by name, a few hundred rows in all, from which each activation's range is taken.
        floats: as in `export`.
        kinds: the kinds of nodes that compute in int8.
    """
    axes = {name: {0: "n"} for name in (*inputs, *outputs)}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, clean = Path(folder, "plain.onnx"), Path(folder, "clean.onnx")
        _traced(module, inputs, outputs, axes, plain)
        quant_pre_process(str(plain), str(clean), skip_symbolic_shape=True)
        quantize_static(
            str(clean), str(path), _Shown(lessons), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=list(kinds),
            nodes_to_exclude=_named(clean, floats),
        )  # fmt: skip
        made = onnx.load(str(path))
    onnx.helper.set_model_props(made, dict(facts))
    halved(made)
    save(made, path)


def halved(made: onnx.ModelProto) -> None:
    """Keep the large float32 tables of a network in half the bytes or a quarter; they are widened once, when it loads.

    Kernels that came from int8, a scale a channel, become that again, and lose nothing; the others become float16.
    """
    helper, number = onnx.helper, onnx.numpy_helper
    for one in list(made.graph.initializer):
        if one.data_type != onnx.TensorProto.FLOAT or np.prod(one.dims) < _LARGE:
            continue
        table = number.to_array(one)
        made.graph.initializer.remove(one)
        scale = np.abs(table).reshape(len(table), -1).max(1) / 127 + np.float32(1e-30)
        steps = table / scale.reshape(-1, *[1] * (table.ndim - 1))
        if table.ndim > 2 and np.abs(steps - np.round(steps)).max() < _WHOLE:
            parts = {f"{one.name}_whole": np.round(steps).astype(np.int8), f"{one.name}_scale": scale}
            node = helper.make_node("DequantizeLinear", list(parts), [one.name], axis=0)
        else:
            parts = {f"{one.name}_half": table.astype(np.float16)}
            node = helper.make_node("Cast", list(parts), [one.name], to=onnx.TensorProto.FLOAT)
        made.graph.initializer.extend(number.from_array(x, name) for name, x in parts.items())
        made.graph.node.insert(0, node)


class _Shown(CalibrationDataReader):  # type: ignore[misc]
    """Lessons, as onnxruntime asks for them."""

    def __init__(self, lessons: Iterable[Mapping[str, npt.NDArray[np.float32]]]) -> None:
        self._rest: Iterator[Mapping[str, npt.NDArray[np.float32]]] = iter(lessons)

    def get_next(self) -> Mapping[str, npt.NDArray[np.float32]] | None:
        """Return the next one."""
        return next(self._rest, None)


def _traced(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
    path: Path,
) -> None:
    torch.onnx.export(
        module.eval(),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def _named(path: Path, parts: Sequence[str]) -> list[str]:
    """Return the names of the nodes of a file that hold one of some parts."""
    return [node.name for node in onnx.load(str(path)).graph.node if any(part in node.name for part in parts)]
