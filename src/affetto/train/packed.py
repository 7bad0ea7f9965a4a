"""Networks as ONNX files, packed or not. Knows files; knows neither torch nor what a network is for."""

import gzip
import lzma
from pathlib import Path

import onnx


def save(made: onnx.ModelProto, path: Path) -> None:
    """Write a network, packed where its path ends with .gz or .xz: a number of int8 tables holds less than 8 bits."""
    data = made.SerializeToString()
    if path.suffix == ".gz":
        data = gzip.compress(data, 9, mtime=0)
    elif path.suffix == ".xz":
        data = lzma.compress(data, preset=9)
    path.write_bytes(data)


def saved(path: Path) -> onnx.ModelProto:
    """Return a network that was written, packed or not."""
    unpack = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)
    return onnx.load_from_string(unpack(path.read_bytes()))
