"""Quality and preference bias are those worked out by hand, and no answer that cannot be read is lost."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from affetto.core.errors import MalformedError, UnknownNameError
from affetto.metrics import support

GOLDEN = json.loads((Path(__file__).parent / "golden" / "support.json").read_text("utf-8"))
ANSWERS = st.lists(st.tuples(st.sampled_from(support.STRATEGIES), st.sampled_from(support.STRATEGIES)), min_size=1)


def exactly(text):
    return pytest.approx(float(Fraction(text)), abs=1e-9)


def spread(table, strategies):
    """Return truth and estimate of a table of counts, rows estimates."""
    rows = [
        (asked, said)
        for i, said in enumerate(strategies)
        for j, asked in enumerate(strategies)
        for _ in range(table[i][j])
    ]
    return list(zip(*rows, strict=True))


@pytest.mark.parametrize("name", ["two", "three"])
def test_golden_preferences(name):
    case = GOLDEN[name]
    sides = spread(case["table"], case["strategies"])
    found = support.preferences(*sides, case["strategies"])
    assert list(found) == [exactly(value) for value in case["preferences"]]
    bias = support.bias(*sides, case["strategies"])
    assert bias**2 == exactly(case["bias_squared"]) if name == "three" else bias == exactly(case["bias"])


def test_golden_quality():
    case = GOLDEN["two"]
    sides = spread(case["table"], case["strategies"])
    assert support.quality(*sides, case["strategies"]) == exactly(case["quality"])
    assert support.weighted_f1(*sides, case["strategies"]) == exactly(case["weighted_f1"])


def test_an_answer_that_is_no_strategy_is_counted():
    case = GOLDEN["errors"]
    scores = support.evaluate(case["truth"], case["estimate"], case["strategies"])
    assert {name: scores[name] for name in case["expected"]} == {n: exactly(v) for n, v in case["expected"].items()}
    lost = support.evaluate(["others"] * 2, ["others", "I do not know"])
    assert (lost["quality"], lost["parse_errors"], lost["bias"]) == (exactly("2/3"), 1, 0)
    assert support.evaluate(["others"], [""])["quality"] == 0


def test_who_is_always_right_has_no_bias():
    scores = support.evaluate(support.STRATEGIES, [name.title() for name in support.STRATEGIES])
    assert (scores["quality"], scores["bias"], scores["weighted_f1"], scores["parse_errors"]) == (1, 0, 1, 0)
    assert scores["preference_self_disclosure"] == 1


def test_who_always_says_the_same_has_the_greatest_bias():
    truth = support.STRATEGIES * 3
    scores = support.evaluate(truth, ["information"] * len(truth))
    assert scores["bias"] == exactly(str(np.sqrt(7)))
    assert (scores["preference_information"], scores["preference_others"]) == (8, 0)


def test_two_that_are_never_missed_cannot_be_compared():
    assert np.isnan(support.bias(["a", "b", "c", "c"], ["a", "b", "a", "b"], ["a", "b", "c"]))


def test_strategies_that_do_not_occur_are_left_out_of_quality():
    scores = support.evaluate(["question", "others"], ["question", "others"])
    assert (scores["quality"], scores["strategies"]) == (1, 2)
    assert np.isnan(scores["f1_information"])


def plain(table, rounds):
    """The published recursion, pair by pair, for tables where nothing vanishes."""
    k, p = len(table), [1.0] * len(table)
    for _ in range(rounds):
        for i in range(k):
            others = [j for j in range(k) if j != i]
            p[i] = sum(table[i][j] * p[j] / (p[i] + p[j]) for j in others) / sum(
                table[j][i] / (p[i] + p[j]) for j in others
            )
    return [k * value / sum(p) for value in p]


@pytest.mark.parametrize("seed", range(5))
def test_preferences_follow_the_recursion(seed):
    names = support.STRATEGIES
    table = np.random.default_rng(seed).integers(1, 9, (8, 8))
    assert support.preferences(*spread(table, names)) == pytest.approx(plain(table, 20), abs=1e-9)
    assert support.preferences(*spread(table, names), rounds=3) == pytest.approx(plain(table, 3), abs=1e-9)


@settings(max_examples=20)
@given(ANSWERS)
def test_quality_is_that_of_scikit_learn(rows):
    truth, estimate = zip(*rows, strict=True)
    assert support.quality(truth, estimate) == pytest.approx(
        f1_score(truth, estimate, average="macro", zero_division=0)
    )
    assert support.weighted_f1(truth, estimate) == pytest.approx(
        f1_score(truth, estimate, average="weighted", zero_division=0)
    )


@given(ANSWERS)
def test_preferences_sum_to_the_number_of_strategies(rows):
    found = support.preferences(*zip(*rows, strict=True))
    assert np.isnan(found).all() or (found.sum() == pytest.approx(8) and (found >= 0).all())
    assert support.counts(*zip(*rows, strict=True)).sum() == len(rows)


@pytest.mark.parametrize(
    ("truth", "estimate", "more"),
    [
        ([], [], {}),
        (["others"], [], {}),
        ("others", "others", {}),
        (["others"], [None], {}),
        ([float("nan")], ["others"], {}),
        (["a"], ["a"], {"strategies": ["a", "A"]}),
        (["a"], ["a"], {"strategies": ["a"]}),
    ],
)
def test_what_cannot_be_scored_is_refused(truth, estimate, more):
    with pytest.raises(MalformedError, match=r"wants? |is a str"):
        support.evaluate(truth, estimate, **more)


def test_an_unknown_truth_is_answered_with_the_known():
    with pytest.raises(UnknownNameError, match="known: affirmation and reassurance"):
        support.quality(["questions"], ["question"])
    with pytest.raises(MalformedError, match="at least one round"):
        support.preferences(["others"], ["others"], rounds=0)
