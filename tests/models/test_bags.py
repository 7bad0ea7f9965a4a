"""Bags of n-grams, and the plain weights that read them."""

from dataclasses import replace

import numpy as np
import pytest

from affetto.models.text.bags import Bags, Lines, bags
from affetto.models.text.hashing import Grams

TEXTS = ["so glad", "", "so sad \U0001f622", "\u05e9\u05dc\u05d5\u05dd", "x" * 5000]


def test_a_text_has_the_same_n_grams_alone_and_in_company() -> None:
    for grams in (Grams(1, 4), Grams(2, 5, pairs=False)):
        together = bags(TEXTS, grams)
        for i, text in enumerate(TEXTS):
            alone = bags([text], grams)
            mine = together.numbers[together.offsets[i] : together.offsets[i + 1]]
            assert sorted(alone.numbers) == sorted(mine)


def test_no_texts_have_no_n_grams() -> None:
    assert len(bags([], Grams())) == 0
    assert Lines(np.ones((8, 2), np.int8), np.ones(2, np.float32), Grams()).logits([]).shape == (0, 2)


def test_parts_are_the_bags_of_their_rows_in_order() -> None:
    whole = Bags(np.array([1, 2, 3, 4, 5, 6], np.uint32), np.array([0, 2, 2, 6]))
    part = whole.part(np.array([2, 0, 1]))
    assert part.numbers.tolist() == [3, 4, 5, 6, 1, 2] and part.offsets.tolist() == [0, 4, 6, 6]


def test_logits_are_sums_of_weights_over_the_root_of_the_count() -> None:
    rng = np.random.default_rng(1)
    lines = Lines(
        rng.integers(-127, 128, (1 << 8, 3)).astype(np.int8), np.array([0.1, 0.2, 0.3], np.float32), Grams(1, 3)
    )
    read = bags(TEXTS, lines.grams)
    for i in range(len(TEXTS)):
        numbers = read.numbers[read.offsets[i] : read.offsets[i + 1]]
        wanted = lines.table[numbers >> 24].sum(0, dtype=np.int64) * lines.scale / np.sqrt(max(1, len(numbers)))
        assert lines.logits(TEXTS)[i] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def test_a_long_text_says_what_a_part_of_it_says() -> None:
    rng = np.random.default_rng(2)
    lines = Lines(rng.integers(-9, 9, (1 << 8, 3)).astype(np.int8), np.ones(3, np.float32), Grams(2, 5), most=100)
    short, long, longer = lines.logits(["so glad", "so glad " * 100, "so glad " * 2000])
    assert longer == pytest.approx(long, rel=0.02, abs=0.05)
    assert np.abs(short).sum() > 0
    assert replace(lines, most=0).logits(["so glad"])[0] == pytest.approx(short)


def test_they_survive_being_written() -> None:
    lines = Lines(
        np.arange(-8, 8, dtype=np.int8).reshape(8, 2), np.array([0.5, 2], np.float32), Grams(2, 5, pairs=True), 64
    )
    again = Lines.from_plain(lines.to_plain())
    assert np.array_equal(again.table, lines.table) and np.array_equal(again.scale, lines.scale)
    assert (again.grams, again.most) == (lines.grams, lines.most)
