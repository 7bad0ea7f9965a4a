"""The micro-F1 that leaves neutral out: by hand, in the bench, and where a space has no neutral."""

import numpy as np
import pytest

from affetto.bench.scores import Case, scores
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics.classification import chosen, evaluate, micro_f1, micro_f1_without

NAMES = ("joy", "neutral", "anger")
NAME = "micro_f1_without_neutral"


def test_a_neutral_row_counts_only_as_a_false_alarm() -> None:
    truth, said = chosen([0, 0, 1, 1, 1, 2], 3), chosen([0, 1, 1, 0, 1, 0], 3)
    assert micro_f1_without(truth, said, 1) == pytest.approx(2 * 1 / (2 * 1 + 2 + 2))
    assert micro_f1_without(truth, chosen([1] * 6, 3), 1) == 0
    assert micro_f1_without(truth, truth, 1) == 1


def test_the_bench_gives_the_same() -> None:
    rng = np.random.default_rng(5)
    truth, said = (chosen(rng.integers(0, 3, 50), 3) for _ in range(2))
    score = scores("one", Case(truth, said, said, NAMES))[NAME]
    assert score.finish(score.adds.sum(0, keepdims=True))[0] == pytest.approx(micro_f1_without(truth, said, 1))
    assert score.finish(score.adds.sum(0, keepdims=True))[0] != pytest.approx(micro_f1(truth, said))


def test_only_spaces_with_neutral_have_it() -> None:
    values = np.eye(3)
    for names, has in ((NAMES, True), (("joy", "fear", "anger"), False)):
        space = Space("some-3", "one", tuple(Axis(name) for name in names))
        track = Track(space, np.arange(3), np.arange(1, 4), values)
        assert (NAME in evaluate(track, track)) == has
        assert (NAME in scores("one", Case(values, values, values, names))) == has
