"""Files of weights, packed. Knows files; knows neither torch nor what a network is for."""

import gzip
import lzma
import zipfile
from pathlib import Path

import onnx

_LARGE = 50_000
"""Bytes of an array from which on it is packed by LZMA."""


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


def tightened(path: Path) -> None:
    """Pack the large arrays of an .npz by LZMA: `numpy.load` reads it as before, smaller and some tenths slower."""
    with zipfile.ZipFile(path) as file:
        held = {one: file.read(one) for one in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in held.items():
            kind = zipfile.ZIP_LZMA if len(data) > _LARGE else zipfile.ZIP_DEFLATED
            file.writestr(zipfile.ZipInfo(name), data, kind)
