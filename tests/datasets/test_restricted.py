"""Pickles that say plain values are read as what they say; any other is refused, and nothing of it runs."""

import contextlib
import gzip
import io
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core.errors import UnreadableError
from affetto.datasets import restricted
from affetto.datasets.restricted import read_npz, read_pickle

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(LEAVES, lambda x: st.lists(x) | st.dictionaries(st.text(), x) | st.tuples(x, x), max_leaves=12)


class Calls:
    """What runs a function of somebody's choice when it is unpickled."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.what = (function, args)

    def __reduce__(self) -> Any:
        return self.what


class Mine:
    """A class of one's own."""


def written(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@given(VALUES, st.integers(2, 5))
def test_plain_values_come_out_as_they_went_in(tmp_path_factory: pytest.TempPathFactory, value: Any, protocol: int):
    assert read_pickle(written(tmp_path_factory.mktemp("p") / "a.pkl", value, protocol)) == value


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(4, dtype=">i4"),
        np.array(["good", "猫", ""]),
        np.array([True, False]),
        np.array(["a", None, 3, ["b"]], dtype=object),
        np.zeros((0, 5), np.float32),
        np.arange(10)[::2],
    ],
    ids=lambda array: str(array.dtype) + str(array.shape),
)
def test_arrays_come_out_as_numpy_reads_them(tmp_path: Path, array: Any, protocol: int):
    found = read_pickle(written(tmp_path / "a.pkl", {"x": [array, array]}, protocol))["x"]
    assert found[0] is found[1] and found[0].dtype == array.dtype
    np.testing.assert_array_equal(found[0], array)


def test_numbers_and_words_of_numpy(tmp_path: Path):
    values = [np.float64(-0.6), np.float32(0.5), np.int64(3), np.str_("猫"), np.bool_(True), np.array(7)]
    assert read_pickle(written(tmp_path / "a.pkl", values)) == [-0.6, 0.5, 3, "猫", True, 7]


def test_large_arrays_of_numbers_are_passed_over_and_words_are_kept(tmp_path: Path):
    value = {"vision": np.zeros((100, 50)), "text": np.array(["a" * 900] * 10), "y": np.arange(3.0), "same": None}
    for protocol in (3, 4, 5):
        found = read_pickle(written(tmp_path / "a.pkl", value, protocol), keep=1000)
        assert found["vision"] is None and found["same"] is None
        assert found["text"].tolist() == value["text"].tolist() and found["y"].tolist() == [0, 1, 2]


def test_packed_files(tmp_path: Path):
    (tmp_path / "a.pkl.gz").write_bytes(gzip.compress(pickle.dumps({"a": [1]})))
    assert read_pickle(tmp_path / "a.pkl.gz") == {"a": [1]}


def test_an_npz_of_objects_and_of_numbers(tmp_path: Path):
    said = {"clip_1": {"emo": 0, "val": np.float64(-0.8)}}
    np.savez(tmp_path / "a.npz", corpus=np.array(said, dtype=object), numbers=np.arange(3))
    found = read_npz(tmp_path / "a.npz")
    assert found["corpus"] == {"clip_1": {"emo": 0, "val": -0.8}} and found["numbers"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_malicious_pickle_is_refused_and_runs_nothing(tmp_path: Path, protocol: int):
    mark = tmp_path / "ran"
    evil = [
        Calls(os.system, f"touch {mark}"),
        Calls(os.mkdir, str(mark)),
        Calls(eval, f"open({str(mark)!r}, 'w')"),
        Calls(exec, f"open({str(mark)!r}, 'w')"),
        Calls(getattr, os, "mkdir"),
        Calls(np.memmap, str(mark), "uint8", "w+", 0, (4,)),
        Mine(),
    ]
    for thing in evil:
        for value in (thing, {"text": [thing]}, {"a": np.array([thing], dtype=object)}):
            try:
                path = written(tmp_path / "evil.pkl", value, protocol)
            except (TypeError, pickle.PicklingError):
                continue
            with pytest.raises(UnreadableError, match="nothing of it was run") as caught:
                read_pickle(path)
            assert "\n" not in str(caught.value) and not mark.exists()
    np.savez(tmp_path / "evil.npz", a=np.array([Calls(os.mkdir, str(mark))], dtype=object))
    with pytest.raises(UnreadableError, match="nothing of it was run"):
        read_npz(tmp_path / "evil.npz")
    assert not mark.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cposix\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"cnumpy\nndarray\n.",
        b"cnumpy\nndarray\n(I9\ntR.",
        b"cnumpy\ndtype\n(X\x02\x00\x00\x00O8K\x00K\x01tR.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\x02\x00\x00\x00V8tRC\x0812345678tR.",
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x04\x00\x00\x00zlibtR.",
        b"\x80\x02]}b.",
        b"\x80\x04K\x01K\x02s.",
        b"\x80\x04(((.",
        b"\x80\x04h\x07.",
        b"\x80\x04P1\n.",
        b"\x80\x04\x82\x01.",
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"abc.",
        b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"abc.",
        b"\x80\x04r\xff\xff\xff\xff.",
        b"]" * 3 + b"a" * 9 + b".",
        b"(" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"",
        b"no pickle at all",
        b"\xff\xfe\x00 no corpus",
    ],
)
def test_bytes_made_to_harm_give_one_sentence(tmp_path: Path, code: bytes):
    (tmp_path / "a.pkl").write_bytes(code)
    with pytest.raises(UnreadableError, match=r"^a\.pkl is not read") as caught:
        read_pickle(tmp_path / "a.pkl")
    assert "\n" not in str(caught.value)


def test_an_array_whose_bytes_are_called_pointers_is_refused(tmp_path: Path):
    """A dtype of objects that says it is none would make numpy take bytes for addresses; here it stays plain."""
    real = pickle.dumps(np.array([None], dtype=object), protocol=3)
    for flags in (b"K?", b"K\x00"):
        forged = real.replace(b"K?tq", flags + b"tq")
        (tmp_path / "a.pkl").write_bytes(forged)
        assert read_pickle(tmp_path / "a.pkl").tolist() == [None]
    forged = real.replace(b"O8", b"V8")
    (tmp_path / "a.pkl").write_bytes(forged)
    with pytest.raises(UnreadableError, match="neither numbers nor words"):
        read_pickle(tmp_path / "a.pkl")


def test_what_is_shared_a_thousandfold_is_finished_once(tmp_path: Path):
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    found = read_pickle(written(tmp_path / "a.pkl", value))
    assert found[0] is found[1]


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_one_sentence(data: bytes):
    reading = restricted._Reading(io.BytesIO(b"\x80\x04" + data), 1000)
    with contextlib.suppress(restricted._BROKEN):
        reading.value()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"\xff\xfe\x00"])
def test_a_broken_npz_gives_one_sentence(tmp_path: Path, data: bytes):
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(UnreadableError, match=r"^a\.npz is not read"):
        read_npz(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as file:
        file.writestr("a.npy", data)
    with pytest.raises(UnreadableError, match=r"^b\.npz is not read"):
        read_npz(tmp_path / "b.npz")
