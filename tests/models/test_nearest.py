"""The store of labelled turns: the nearest by hand, own dialogues left out, and what int8 costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, UnreadableError
from affetto.models.dialogue.nearest import Nearest

KNOWN = np.array([[2, 0, 1], [0, 2, 1], [-2, 0, 1], [0, -2, 1]], np.float32)


def store():
    return Nearest.of(KNOWN, [0, 1, 2, 1], ["meld"] * 4, ["a", "a", "b", "c"], ["yes", "up", "no", "down"])


def test_the_nearest_by_hand():
    numbers, cosines = store()(np.array([[4, 1, 1], [-1, -0.5, 1]], np.float32), k=2)
    assert numbers.tolist() == [[0, 1], [2, 3]]
    assert cosines[0, 0] == pytest.approx(4 / np.sqrt(17), abs=0.01)
    assert (np.diff(cosines) <= 0).all()


def test_turns_of_the_same_dialogue_are_left_out():
    numbers, _ = store()(np.array([[4, 1, 1]], np.float32), k=4, dialogues=["a"])
    assert set(numbers[0].tolist()) == {2, 3, -1}
    only = Nearest.of(KNOWN[:1], [0], ["meld"], ["a"])
    assert only(KNOWN[:1], 3, ["a"])[0].tolist() == [[-1, -1, -1]]
    assert only.shares(KNOWN[:1], 2, 3, ["a"]).tolist() == [[0, 0]]


def test_shares_sum_to_one_and_the_nearest_speaks_loudest():
    said = store().shares(np.array([[4, 1, 1]], np.float32), labels=3, k=4)
    assert said.sum() == pytest.approx(1, abs=1e-5)
    assert said[0].argmax() == 0


def test_an_empty_store_says_nothing():
    nobody = Nearest.of(np.zeros((0, 3), np.float32), [], [], [])
    numbers, cosines = nobody(KNOWN, 2)
    assert (numbers == -1).all() and (cosines == 0).all()


def test_it_is_written_and_read(tmp_path):
    one = store()
    one.save(tmp_path / "store.npz")
    other = Nearest.open(tmp_path / "store.npz")
    assert other.vectors.dtype == np.int8 and (other.vectors == one.vectors).all()
    assert (other.sources, other.dialogues, other.texts) == (one.sources, one.dialogues, one.texts)
    (tmp_path / "no.npz").write_bytes(b"none")
    with pytest.raises(UnreadableError, match=r"no\.npz is no store"):
        Nearest.open(tmp_path / "no.npz")


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(MalformedError, match="store of 4 vectors"):
        Nearest.of(KNOWN, [0, 1], ["meld"] * 4, ["a"] * 4)
    with pytest.raises(MalformedError, match="as many dialogues"):
        store()(KNOWN, 1, ["a"])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_small_numbers_keep_the_order_of_cosines(seed):
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(60, 32)).astype(np.float32)
    asked = rng.normal(size=(5, 32)).astype(np.float32)
    _, cosines = Nearest.of(known, [0] * 60, [""] * 60, [""] * 60)(asked, k=60)
    whole, question = known - known.mean(0), asked - known.mean(0)
    exact = question @ whole.T / np.linalg.norm(question, axis=1)[:, None] / np.linalg.norm(whole, axis=1)
    assert np.abs(cosines + np.sort(-exact)).max() < 0.02
