"""From easy to hard: buckets and epochs."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core.errors import MalformedError
from affetto.train.curriculum import buckets, epochs

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40)


@given(NUMBERS, st.integers(1, 3))
def test_buckets_hold_everything_once_and_the_easiest_first(difficulty, count):
    parts = buckets(difficulty, count)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(difficulty)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    values = np.array(difficulty)
    for easy, hard in itertools.pairwise(parts):
        assert values[easy].max() <= values[hard].min()


@given(NUMBERS, st.integers(1, 3), st.integers(0, 9))
def test_each_epoch_adds_a_bucket_and_then_all_are_seen(difficulty, count, seed):
    parts = buckets(difficulty, count)
    seen = list(epochs(difficulty, 5, count, seed))
    assert len(seen) == 5
    for number, rows in enumerate(seen):
        assert sorted(rows.tolist()) == sorted(np.concatenate(parts[: number + 1]).tolist())


def test_the_same_seed_gives_the_same_order_and_another_another():
    one, same, other = (np.concatenate(list(epochs(range(50), 3, 2, seed))).tolist() for seed in (1, 1, 2))
    assert one == same and one != other


@pytest.mark.parametrize("wrong", [[], [1.0, float("nan"), 2.0], [1.0]])
def test_what_cannot_be_ordered_is_refused(wrong):
    with pytest.raises(MalformedError, match="at least 2 items"):
        buckets(wrong, 2)
