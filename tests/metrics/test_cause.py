"""The scores of causes are those worked out by hand, and no sample is judged by the answer of another."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from affetto.core.errors import MalformedError, UnknownNameError
from affetto.metrics import cause
from affetto.metrics.cause import CausePair

GOLDEN = json.loads((Path(__file__).parent / "golden" / "cause.json").read_text("utf-8"))
WORDS = st.lists(st.sampled_from("we won the game Game, dog . is".split()), max_size=6).map(" ".join)
SPANS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8)


def exactly(text):
    return pytest.approx(float(Fraction(text)), abs=1e-9)


def pairs(side):
    return [[CausePair(*pair) for pair in conversation] for conversation in side]


@pytest.mark.parametrize("task", ["entailment", "span"])
def test_golden(task):
    case = GOLDEN[task]
    scores = cause.evaluate(case["truth"], case["estimate"], task)
    assert scores == {name: exactly(value) for name, value in case["expected"].items()}


@pytest.mark.parametrize("match", ["strict", "utterance", "proportional"])
def test_golden_pairs(match):
    case = GOLDEN["pairs"]
    scores = cause.pair_scores(pairs(case["truth"]), pairs(case["estimate"]), match)
    assert list(scores) == [exactly(value) for value in case[match]]
    whole = cause.evaluate(
        pairs(case["truth"]), pairs(case["estimate"]), "pair" if match == "utterance" else "pair-span"
    )
    assert whole["weighted_f1" if match == "utterance" else f"{match}_weighted_f1"] == scores.weighted_f1
    assert whole["n"] == 2


def test_two_spans_may_lie_on_one_true_span():
    truth = [[CausePair(1, "joy", 1, 0, 4)]]
    scores = cause.pair_scores(truth, [[CausePair(1, "joy", 1, 0, 2), CausePair(1, "joy", 1, 2, 3)]], "proportional")
    assert (scores.precision, scores.recall) == (1, exactly("3/8"))


def test_the_span_is_laid_on_what_it_covers_best():
    truth = [[CausePair(1, "joy", 1, 0, 6), CausePair(1, "joy", 1, 6, 8)]]
    scores = cause.pair_scores(truth, [[CausePair(1, "joy", 1, 3, 8)]], "proportional")
    assert (scores.precision, scores.recall) == (exactly("2/5"), exactly("1/4"))


def test_a_pair_said_twice_counts_once_and_a_missing_emotion_has_no_weight():
    truth = [[CausePair(1, "joy", 1)], []]
    said = [[CausePair(1, "joy", 1), CausePair(1, "joy", 1)], [CausePair(2, "fear", 1)]]
    scores = cause.pair_scores(truth, said, "utterance")
    assert (scores.weighted_f1, scores.precision, scores.recall) == (1, 0.5, 1)
    assert cause.pair_scores(truth, [[], []], "utterance") == (0,) * 6


def stale(truth, estimate):
    """Model the public script's counts of wrong refusals: the last branch looks at the sample of the branch before."""
    overlapping = [
        said for asked, said in zip(truth, estimate, strict=True) if asked != said and (said in asked or asked in said)
    ]
    apart = [said for asked, said in zip(truth, estimate, strict=True) if not (said in asked or asked in said)]
    refused = sum(said == "" for said in overlapping)
    return refused, refused + len(apart) * (overlapping[-1:] == [""])


def test_no_sample_is_judged_by_the_answer_of_another():
    truth = ["it rained", "my dog died", "we lost", "he left", ""]
    estimate = ["rained", "", "a cat", "she said", ""]
    assert stale(truth[:4], estimate[:4]) == (1, 3)
    assert stale(truth[3::-1], estimate[3::-1]) == (1, 1)
    precision, recall, f1 = cause.inverse_scores(truth, estimate)
    assert (precision, recall, f1) == (0.5, 1, exactly("2/3"))
    assert cause.inverse_scores(truth[::-1], estimate[::-1]) == (precision, recall, f1)
    with_fault = 2 * (1 / (1 + 3)) / (1 / (1 + 3) + 1)
    assert with_fault == exactly("2/5")


def squad(asked, said):
    """The definition of SQuAD, written out."""

    def tokens(text):
        kept = "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")
        return [word for word in kept.split() if word not in ("a", "an", "the")]

    a, b = tokens(asked), tokens(said)
    same = sum((Counter(a) & Counter(b)).values())
    if not a or not b:
        return float(a == b)
    return 2 * (same / len(b)) * (same / len(a)) / (same / len(b) + same / len(a)) if same else 0.0


@settings(max_examples=20)
@given(SPANS)
def test_spans_agree_with_their_definitions(spans):
    truth, estimate = zip(*spans, strict=True)
    scores = cause.evaluate(truth, estimate, "span")
    positives = [pair for pair in spans if pair[0]]
    assert scores["n_positive"] + scores["n_negative"] == len(spans)
    assert scores["squad_f1"] == pytest.approx(
        np.mean([squad(*p) if p[1] else 0 for p in positives]) if positives else np.nan, nan_ok=True
    )
    if len(positives) < len(spans):
        refused = [[not text for text in side] for side in (truth, estimate)]
        assert scores["inverse_f1"] == pytest.approx(f1_score(*refused, zero_division=0))
    else:
        assert np.isnan(scores["inverse_f1"])
    if positives:
        assert scores["contained_lcs_f1"] <= scores["lcs_f1"] + 1e-12
        assert scores["exact_match"] <= scores["lcs_f1"] + 1e-12


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_entailment_is_that_of_scikit_learn(rows):
    truth, estimate = zip(*rows, strict=True)
    for side in (True, False):
        assert cause.entailment_f1(truth, estimate, side) == pytest.approx(
            f1_score(truth, estimate, pos_label=side, zero_division=0)
        )


NUMBER = st.integers(1, 2)
PAIRS = st.tuples(NUMBER, st.sampled_from(["joy", "fear"]), NUMBER, st.integers(0, 4), st.integers(1, 4)).map(
    lambda row: CausePair(*row[:3], row[3], row[3] + row[4])
)
TALKS = st.lists(st.lists(PAIRS, max_size=5), min_size=1, max_size=3).filter(any)


@settings(max_examples=30)
@given(TALKS, TALKS)
def test_pairs_keep_their_order_of_strictness(truth, estimate):
    n = min(len(truth), len(estimate))
    truth, estimate = truth[:n], estimate[:n]
    if not any(truth):
        return
    for match in ("strict", "proportional", "utterance"):
        assert all(0 <= value <= 1 + 1e-12 for value in cause.pair_scores(truth, estimate, match))
        assert list(cause.pair_scores(truth, truth, match)) == pytest.approx([1] * 6)
    assert cause.pair_scores(truth, estimate).f1 <= 1


@pytest.mark.parametrize(
    ("truth", "estimate", "task"),
    [
        ([], [], "entailment"), ([1], [1, 0], "entailment"), ([1, 2], [1, 0], "entailment"),
        ([np.nan], [1], "entailment"), (["yes"], [1], "entailment"), ([[1]], [[1]], "entailment"),
        ([], [], "span"), ("text", "text", "span"), ([None], [""], "span"),
        ([[]], [[]], "pair"), ([[(1, "joy", 1)]], [[]], "pair"), ([[CausePair(1, "joy", 1)]], [], "pair"),
        ([[CausePair(1, "joy", 1)]], [[]], "pair-span"), ([[CausePair(1, "joy", 1, 3, 3)]], [[]], "pair-span"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused(truth, estimate, task):
    with pytest.raises(MalformedError, match=r"wants? |nothing to find"):
        cause.evaluate(truth, estimate, task)


def test_unknown_names_are_answered_with_the_known():
    with pytest.raises(UnknownNameError, match="pair-span"):
        cause.evaluate([1], [1], "spam")
    with pytest.raises(UnknownNameError, match="anger, disgust"):
        cause.pair_scores([[CausePair(1, "neutral", 1)]], [[]], "utterance")
    with pytest.raises(UnknownNameError, match="proportional"):
        cause.pair_scores([[CausePair(1, "joy", 1)]], [[]], "loose")
