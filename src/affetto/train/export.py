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
"""Numbers of a table from which on it is kept as float16."""


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
    """Keep the large float32 tables of a network as float16; they are cast back once, when it is loaded."""
    for one in list(made.graph.initializer):
        if one.data_type == onnx.TensorProto.FLOAT and np.prod(one.dims) >= _LARGE:
            half = onnx.numpy_helper.to_array(one).astype(np.float16)
            cast = onnx.helper.make_node("Cast", [f"{one.name}_half"], [one.name], to=onnx.TensorProto.FLOAT)
            made.graph.initializer.remove(one)
            made.graph.initializer.append(onnx.numpy_helper.from_array(half, f"{one.name}_half"))
            made.graph.node.insert(0, cast)


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
