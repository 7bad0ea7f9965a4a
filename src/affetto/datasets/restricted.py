"""Pickled files read without unpickling: numbers, words, lists, dicts and numpy arrays come out, and nothing is called.

Knows those byte codes of a pickle that say plain values, and the few names under which numpy writes an array; every
other code or name is refused before anything happens. Numbers of arrays too large to be labels are passed over in the
file, so that gigabytes of features never lie in memory. Byte codes as `pickletools` of the standard library lists them.
"""

import gzip
import lzma
import pickletools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from affetto.core.errors import UnreadableError

KEEP = 1 << 24
"""Bytes of an array of numbers above which it is passed over."""
_CODES = {code.code: code for code in pickletools.opcodes}
_SAID = set(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8"
    " BINSTRING SHORT_BINSTRING".split()
)
_BYTES = {"SHORT_BINBYTES": 1, "BINBYTES": 4, "BINBYTES8": 8, "BYTEARRAY8": 8}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_FILLS = ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "DICT")
_NAMES = {
    "numpy ndarray": "a class",
    "numpy dtype": "dtype",
    "numpy.core.multiarray _reconstruct": "array",
    "numpy.core.multiarray scalar": "scalar",
    "numpy.core.numeric _frombuffer": "buffer",
    "_codecs encode": "bytes",
    "__builtin__ bytes": "bytes",
}
_DTYPE = re.compile(r"b1|[iu][1248]|f[248]|O8?|[SU]\d{1,9}")
_BROKEN = (
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    EOFError,
    OSError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class _Name:
    """A name of numpy's that stands in the file; what it names is never looked up."""

    what: str


@dataclass(eq=False)
class _Made:
    """What the file says of an array, a dtype or a number, until it is made by our own code."""

    what: str
    args: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class _Far:
    """Where many bytes lie in the file."""

    start: int
    length: int


def read_pickle(path: Path, keep: int = KEEP) -> Any:
    """Return what a pickle file says, if it says only plain values and numpy arrays.

    Args:
        path: the file, packed (.gz, .xz) or not.
        keep: arrays of numbers of more bytes come out as None.

    Raises:
        UnreadableError: it says anything else, such as a call or a class, or is no pickle; nothing of it was run.
    """
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    try:
        with opener(path, "rb") as file:
            return _Reading(file, keep).value()
    except _BROKEN as error:
        _refuse(path, error)


def read_npz(path: Path, keep: int = KEEP) -> dict[str, Any]:
    """Return the arrays of an `.npz` by their names, objects in them as plain values; else as `read_pickle`.

    Raises:
        UnreadableError: it is no `.npz`, or its objects are more than plain values; nothing of it was run.
    """
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    found[name.removesuffix(".npy")] = _member(file, keep)
    except _BROKEN as error:
        _refuse(path, error)
    return found


def _member(file: Any, keep: int) -> Any:
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    if header(file)[2].hasobject:
        return _Reading(file, keep).value()
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _refuse(path: Path, error: BaseException) -> NoReturn:
    told = isinstance(error, ValueError | OSError | zipfile.BadZipFile)
    why = " ".join(str(error).split()) if told else f"it is not laid out as it should ({type(error).__name__})"
    raise UnreadableError(f"{path.name} is not read, and nothing of it was run: {why}") from None


class _Reading:
    """One pass over one pickle: a stack, a memo, and no way to call anything."""

    def __init__(self, file: BinaryIO, keep: int) -> None:
        self.file, self.keep = file, keep
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.done: dict[int, Any] = {}

    def value(self) -> Any:
        """Return what stands on the stack at the end, finished."""
        while (code := self._code())[0] != "STOP":
            self._step(*code)
        return self._finished(self.stack.pop())

    def _code(self) -> tuple[str, Any]:
        """Return the next code and what it says."""
        byte = self.file.read(1)
        if not byte:
            raise ValueError("it ends too early")
        code = _CODES.get(byte.decode("latin-1"))
        if code is None:
            raise ValueError(f"the byte {byte[0]} is no code of a pickle")
        if code.arg is None or code.name in _BYTES:
            return code.name, None
        return code.name, code.arg.reader(self.file)

    def _step(self, name: str, said: Any) -> None:
        """Do what one code says."""
        if name in _SAID:
            self.stack.append(said)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _BYTES:
            self.stack.append(self._bytes(int.from_bytes(self.file.read(_BYTES[name]), "little")))
        elif name in _TUPLES:
            self.stack[-_TUPLES[name] :] = [tuple(self.stack[-_TUPLES[name] :])]
        elif name in _FILLS:
            self._fill(name)
        elif name in ("REDUCE", "BUILD"):
            self._make(name)
        elif name not in ("PROTO", "FRAME"):
            self._move(name, said)

    def _move(self, name: str, said: Any) -> None:
        stack = self.stack
        match name:
            case "MARK":
                self.marks.append(len(stack))
            case "POP":
                stack.pop()
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[said] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[said])
            case "TUPLE" | "LIST":
                stack.append((tuple if name == "TUPLE" else list)(self._marked()))
            case "GLOBAL":
                self._name(said)
            case "STACK_GLOBAL":
                self._name(f"{stack.pop(-2)} {stack.pop()}")
            case _:
                raise ValueError(f"it holds the code {name}, which says more than plain values and arrays")

    def _bytes(self, length: int) -> bytes | _Far:
        if length > self.keep or length > KEEP:
            start = self.file.tell()
            self.file.seek(length, 1)
            return _Far(start, length)
        data = self.file.read(length)
        if len(data) != length:
            raise ValueError("it ends too early")
        return data

    def _marked(self) -> list[Any]:
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def _fill(self, name: str) -> None:
        count = {"APPEND": 1, "SETITEM": 2}.get(name)
        items = self._marked() if count is None else [self.stack.pop() for _ in range(count)][::-1]
        if name == "DICT":
            self.stack.append({})
        holder = self.stack[-1]
        if name.startswith("APPEND") and type(holder) is list:
            holder.extend(items)
        elif not name.startswith("APPEND") and type(holder) is dict:
            holder.update(zip(items[::2], items[1::2], strict=True))
        else:
            raise ValueError(f"it fills a {type(holder).__name__} as if it were a list or a dict")

    def _name(self, name: str) -> None:
        known = name.replace("numpy._core", "numpy.core")
        if known not in _NAMES:
            raise ValueError(f"it names {name!r:.80}, which is neither a plain value nor an array")
        self.stack.append(_Name(_NAMES[known]))

    def _make(self, name: str) -> None:
        said = self.stack.pop()
        made = self.stack[-1]
        if name == "REDUCE" and isinstance(made, _Name) and isinstance(said, tuple) and made.what != "a class":
            self.stack[-1] = _Made(made.what, said)
        elif name == "BUILD" and isinstance(made, _Made) and made.what in ("array", "dtype"):
            made.state = said
        else:
            raise ValueError("it makes something that is neither a plain value nor an array")

    def _finished(self, value: Any) -> Any:
        """Return a value with all that was made in it made; what stands in it twice is finished once."""
        if isinstance(value, _Name):
            raise ValueError("it holds a class, where a value should stand")
        if not isinstance(value, list | dict | tuple | _Made):
            return None if isinstance(value, _Far) else value
        key = id(value)
        if key in self.done:
            return self.done[key]
        if isinstance(value, list):
            items = self.done[key] = list[Any]()
            items.extend(self._finished(item) for item in value)
        elif isinstance(value, dict):
            table = self.done[key] = dict[Any, Any]()
            table.update((self._finished(k), self._finished(v)) for k, v in value.items())
        elif isinstance(value, tuple):
            self.done[key] = tuple(self._finished(item) for item in value)
        else:
            self.done[key] = self._made(value)
        return self.done[key]

    def _made(self, made: _Made) -> Any:
        if made.what == "array":
            _, shape, kind, fortran, data = made.state
            return self._array(shape, kind, "F" if fortran else "C", data)
        if made.what == "buffer":
            data, kind, shape, order = made.args
            return self._array(shape, kind, order, data)
        if made.what == "scalar":
            kind, data = made.args
            return self._array((), kind, "C", [data] if _kind(kind) == "O" else data)
        if made.what == "bytes":
            return _latin(made)
        raise ValueError("it holds a dtype, where a value should stand")

    def _array(self, shape: Iterable[int], kind: Any, order: str, data: Any) -> Any:
        sizes = tuple(int(n) for n in shape)
        if _kind(kind) == "O":
            array = np.empty(len(data), object)
            for i, item in enumerate(data):
                array[i] = self._finished(item)
        else:
            dtype = np.dtype(_kind(kind))
            raw = self._raw(data, dtype)
            if raw is None:
                return None
            array = np.frombuffer(raw, dtype)
        array = array.reshape(sizes, order="F" if order == "F" else "C")
        return array if sizes else array.item()

    def _raw(self, data: Any, dtype: np.dtype[Any]) -> bytes | None:
        if not isinstance(data, _Far):
            return _latin(data)
        if dtype.kind not in "US":
            return None
        self.file.seek(data.start)
        return self.file.read(data.length)


def _kind(made: Any) -> str:
    """Return the code of a dtype, such as `<f8`; `O` for objects."""
    if not isinstance(made, _Made) or made.what != "dtype":
        raise ValueError("it holds an array without a dtype")
    code = made.args[0]
    _, order, *structure = (made.state or (3, "|", None, None, None))[:5]
    if not isinstance(code, str) or not _DTYPE.fullmatch(code) or order not in tuple("|<>=") or any(structure):
        raise ValueError(f"it holds an array of {code!r:.40}, which is neither numbers nor words")
    return "O" if code.startswith("O") else order + code


def _latin(data: Any) -> bytes:
    """Return bytes, also those that old pickles write as Latin-1 words."""
    if isinstance(data, _Made) and data.what == "bytes":
        words, encoding = data.args or ("", "latin1")
        if encoding not in ("latin1", "latin-1"):
            raise ValueError(f"it holds bytes in the encoding {encoding!r:.40}")
        data = words
    if isinstance(data, str):
        return data.encode("latin-1")
    if not isinstance(data, bytes):
        raise ValueError(f"it holds a {type(data).__name__}, where bytes should stand")
    return data
