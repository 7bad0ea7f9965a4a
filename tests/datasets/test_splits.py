import hashlib
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError
from affetto.datasets import splits
from affetto.datasets.splits import Split, group_folds, holdout, leave_one_group_out, read_split, time_split, write

owners = st.lists(st.sampled_from("abcdefghijkl"), min_size=8, max_size=60)
seeds = st.integers(0, 50)


def names(n):
    return [f"row-{i:03d}" for i in range(n)]


def disjoint(split, ids, groups):
    where = {}
    for part, group in zip(split.of(ids), groups, strict=True):
        where.setdefault(group, set()).add(part)
    return all(len(parts) == 1 for parts in where.values())


@given(owners, st.integers(2, 5), seeds)
def test_folds_share_no_group_and_cover_every_row(groups, k, seed):
    assume(len(set(groups)) >= k)
    ids = names(len(groups))
    folds = group_folds(ids, groups, k, seed)
    assert disjoint(folds, ids, groups)
    assert folds.ids == tuple(ids)
    assert folds.names == tuple(map(str, range(k)))
    for name, train, test in folds.rounds():
        assert set(train) | set(test) == set(ids) and not set(train) & set(test) and test == folds[name]


@given(owners, seeds, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_chance_changes_a_split(groups, seed, shuffler):
    assume(len(set(groups)) >= 3)
    rows = list(zip(names(len(groups)), groups, range(len(groups)), strict=True))
    mixed = rows[:]
    shuffler.shuffle(mixed)
    for make in (lambda r: group_folds(*r[:2], 3, seed, r[2]), lambda r: holdout(*r[:2], seed=seed, targets=r[2])):
        assert make([*map(list, zip(*rows, strict=True))]) == make([*map(list, zip(*mixed, strict=True))])


@given(owners, seeds)
def test_a_holdout_has_every_part_and_shares_no_group(groups, seed):
    assume(len(set(groups)) >= 3)
    ids = names(len(groups))
    parts = holdout(ids, groups, seed=seed)
    assert parts.names == ("train", "dev", "test") and disjoint(parts, ids, groups)


def test_folds_are_of_one_size_and_have_the_same_classes():
    dice = np.random.default_rng(1)
    groups = [f"s{i}" for i in dice.integers(0, 80, 2000)]
    classes = dice.choice(["calm", "glad", "sad"], 2000, p=[0.8, 0.15, 0.05]).tolist()
    folds = group_folds(names(2000), groups, 5, 0, classes)
    assert all(abs(size - 400) <= 20 for size in folds.sizes.values())
    part = folds.of(names(2000))
    rare = Counter(p for p, c in zip(part, classes, strict=True) if c == "sad")
    assert max(rare.values()) - min(rare.values()) <= 4


def test_numbers_are_balanced_by_their_bins():
    values = np.linspace(0, 1, 300)
    parts = np.array(group_folds(names(300), names(300), 3, 0, values).of(names(300)))
    assert all(abs(values[parts == fold].mean() - 0.5) < 0.03 for fold in "012")


def test_not_said_targets_are_spread_as_well():
    values = np.where(np.arange(300) % 3 == 0, np.nan, np.arange(300))
    parts = np.array(group_folds(names(300), names(300), 4, 0, values).of(names(300)))
    assert {int(np.isnan(values[parts == fold]).sum()) for fold in "0123"} == {25}


def test_shares_are_kept_with_many_groups():
    sizes = holdout(names(1000), names(1000)).sizes
    assert sizes == {"train": 700, "dev": 150, "test": 150}


def test_another_seed_is_another_split_and_the_same_is_the_same_for_ever():
    ids = names(40)
    first = group_folds(ids, [i[:6] for i in ids], 2, 0)
    assert first != group_folds(ids, [i[:6] for i in ids], 2, 1)
    assert "".join(group_folds(names(12), names(12), 3, 7).parts) == "120020012112"


def test_leaving_one_group_out():
    folds = leave_one_group_out(["1", "2", "3"], ["ann", "bob", "ann"])
    assert folds.names == ("ann", "bob") and folds["ann"] == ("1", "3")
    assert [(name, test) for name, _, test in folds.rounds()] == [("ann", ("1", "3")), ("bob", ("2",))]
    with pytest.raises(MalformedError, match="at least two groups"):
        leave_one_group_out(["1", "2"], ["ann", "ann"])
    with pytest.raises(MalformedError, match="called test"):
        leave_one_group_out(["1", "2"], ["ann", "test"])


@given(st.lists(st.integers(0, 30), min_size=20, max_size=60))
def test_what_is_tested_came_later(times):
    assume(len(set(times)) >= 15 and max(Counter(times).values()) <= 3)
    ids = names(len(times))
    when = dict(zip(ids, times, strict=True))
    split = time_split(ids, times)
    assert split.names == ("train", "dev", "test")
    assert max(when[i] for i in split["train"]) < min(when[i] for i in split["dev"])
    assert max(when[i] for i in split["dev"]) < min(when[i] for i in split["test"])


@settings(max_examples=20)
@given(st.dictionaries(st.text(min_size=1), st.sampled_from(["train", "dev", "test"]), min_size=1), st.none() | seeds)
def test_a_split_comes_back_as_it_was_written(tmp_path_factory, parts, seed):
    try:
        split = Split(tuple(parts), tuple(parts.values()), "by hand", seed)
    except MalformedError as error:
        assert "control characters" in str(error)
        return
    path = tmp_path_factory.mktemp("split") / "parts.csv"
    digest = write(split, path)
    assert read_split(path) == split and hashlib.sha256(path.read_bytes()).hexdigest() == digest
    first = path.read_bytes()
    write(split, path)
    assert path.read_bytes() == first


def test_a_split_file_that_was_changed_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "folds.csv"
    write(group_folds(names(6), names(6), 2), path)
    assert path.read_text().splitlines()[:2] == ["id,part", "row-000,1"]
    facts = json.loads((tmp_path / "folds.csv.json").read_text())
    assert (facts["protocol"], facts["seed"], facts["n"]) == ("2 folds, no group in two", 0, 6)
    path.write_text(path.read_text().replace("row-000,1", "row-000,0"))
    with pytest.raises(UnreadableError, match=r"^folds\.csv was changed since it was written: its SHA-256 is .*anew$"):
        read_split(path)
    (tmp_path / "folds.csv.json").write_text("[]")
    with pytest.raises(UnreadableError, match=r"folds\.csv\.json is not what a split is described with"):
        read_split(path)
    (tmp_path / "folds.csv.json").unlink()
    with pytest.raises(UnreadableError, match=r"folds\.csv\.json cannot be read"):
        read_split(path)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: group_folds([], []), "one or more words, not 0"),
        (lambda: group_folds(["a", "b"], ["x"]), "2 words, not 1"),
        (lambda: group_folds(["a", "a"], ["x", "y"], 2), "'a' comes twice"),
        (lambda: group_folds(["a", "b"], ["x", "y"], 3), "at least as many groups, and there are 2"),
        (lambda: group_folds(["a", "b"], ["x", "y"], 1), "at least 2, not 1"),
        (lambda: group_folds(["a", "b"], ["x", ""], 2), "not empty"),
        (lambda: group_folds([1, 2], ["x", "y"], 2), "not 1"),
        (lambda: group_folds(["a\nb", "b"], ["x", "y"], 2), "control characters"),
        (lambda: group_folds(["a\ud800", "b"], ["x", "y"], 2), "half characters"),
        (lambda: group_folds(["a", "b"], ["x", "y"], 2, 0, [[1, 2], [3, 4]]), "one column of 2"),
        (lambda: holdout(["a", "b"], ["x", "y"], {"train": 1, "test": 0}), "positive numbers"),
        (lambda: holdout(["a", "b"], ["x", "y"], {"train": 1}), "two or more"),
        (lambda: time_split(["a", "b"], [1, np.nan]), "2 finite numbers"),
        (lambda: time_split(["a", "b"], ["x", "y"]), "are numbers"),
        (lambda: time_split(["a", "b", "c"], [1, 1, 1]), "1 different times are too few"),
        (lambda: list(Split(("a", "b"), ("train", "dev")).rounds()), "'train' and a part 'test'"),
    ],
)
def test_what_is_no_split_is_refused_in_a_sentence(make, words):
    with pytest.raises(MalformedError, match=words):
        make()


def test_unknown_parts_and_ids_are_answered_with_the_known():
    split = Split(("a", "b"), ("train", "test"))
    with pytest.raises(UnknownNameError, match="known: test, train"):
        split["dev"]
    with pytest.raises(UnknownNameError, match="known: a, b"):
        split.of(["c"])


def test_folds_stand_in_the_order_of_their_numbers():
    assert splits.order_parts(["10", "9", "test", "dev", "train", "9"]) == ("train", "dev", "9", "10", "test")
