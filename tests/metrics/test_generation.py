"""BLEU and chrF are sacrebleu's, Distinct-n is worked out by hand, and the judge is always named."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, MissingExtraError
from affetto.metrics import generation
from affetto.metrics.generation import Judge

GOLDEN = json.loads((Path(__file__).parent / "golden" / "generation.json").read_text("utf-8"))
TRUTH = ["I am so sorry to hear that , it must hurt .", "What happened then ?", "You did your very best today ."]
REPLIES = ["I am sorry to hear that .", "And what happened then ?", "You did your best today ."]


def exactly(text):
    return pytest.approx(float("nan") if text == "nan" else float(Fraction(text)), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("n", ["1", "2", "3", "9"])
def test_golden_distinct(n):
    assert generation.distinct(GOLDEN["replies"], int(n)) == exactly(GOLDEN["distinct"][n])
    assert generation.distinct_per_reply(GOLDEN["replies"], int(n)) == exactly(GOLDEN["distinct_per_reply"][n])


def test_golden_emotion_accuracy():
    judge = Judge("Scripted 1.0", lambda texts: GOLDEN["read"])
    judged = generation.emotion_accuracy(GOLDEN["emotions"], ["a", "b", "c", "d"], judge)
    assert judged == (exactly(GOLDEN["accuracy"]), "Scripted 1.0", 4)


def test_bleu_and_chrf_are_those_of_sacrebleu():
    bleu, chrf = generation.bleu(TRUTH, REPLIES), generation.chrf(TRUTH, REPLIES)
    assert bleu.value == pytest.approx(sacrebleu.corpus_bleu(REPLIES, [TRUTH]).score, abs=1e-9)
    assert chrf.value == pytest.approx(sacrebleu.corpus_chrf(REPLIES, [TRUTH]).score, abs=1e-9)
    assert "tok:13a" in bleu.signature and f"version:{sacrebleu.__version__}" in bleu.signature
    assert "nw:0" in chrf.signature
    plus = generation.chrf(TRUTH, REPLIES, word_order=2)
    assert plus.value == pytest.approx(sacrebleu.corpus_chrf(REPLIES, [TRUTH], word_order=2).score, abs=1e-9)
    assert "tok:char" in generation.bleu(TRUTH, REPLIES, tokenize="char").signature


def test_several_references_and_fewer_for_some():
    second = [REPLIES[0], "Why ?", "Well done ."]
    both = [list(pair) for pair in zip(TRUTH, second, strict=True)]
    assert generation.bleu(both, REPLIES).value == pytest.approx(sacrebleu.corpus_bleu(REPLIES, [TRUTH, second]).score)
    both[1].pop()
    fewer = generation.bleu(both, REPLIES)
    assert fewer.value == pytest.approx(sacrebleu.corpus_bleu(REPLIES, [TRUTH, [second[0], None, second[2]]]).score)
    assert "nrefs:var" in fewer.signature


def test_evaluate_says_who_judged():
    judge = Judge("emo-small v2", lambda texts: ["sadness"] * len(texts))
    scores = generation.evaluate(TRUTH, REPLIES, ["sadness", "joy", "joy"], judge)
    assert scores["emotion_accuracy_by_emo_small_v2"] == exactly("1/3")
    assert scores["bleu"] == generation.bleu(TRUTH, REPLIES).value
    assert (scores["n"], scores["words"]) == (3, exactly("6"))
    assert not any(name.startswith("emotion") for name in generation.evaluate(TRUTH, REPLIES))


def test_identical_replies_are_perfect_and_empty_ones_are_not():
    scores = generation.evaluate(TRUTH, TRUTH)
    assert (scores["bleu"], scores["chrf"]) == (pytest.approx(100), pytest.approx(100))
    scores = generation.evaluate(TRUTH, ["", "", ""])
    assert (scores["bleu"], scores["chrf"], scores["words"]) == (0, 0, 0)
    assert np.isnan(scores["distinct_1"])


@given(st.lists(st.text("ab ", max_size=9), min_size=1), st.integers(1, 3))
def test_distinct_lies_between_0_and_1_and_falls_by_repetition(replies, n):
    once, twice = generation.distinct(replies, n), generation.distinct(replies * 2, n)
    assert np.isnan(once) or (0 < once <= 1 and twice == pytest.approx(once / 2))
    alone = generation.distinct_per_reply(replies, n)
    assert alone == pytest.approx(generation.distinct_per_reply(replies * 2, n), nan_ok=True)


@pytest.mark.parametrize(
    ("truth", "estimate"),
    [
        ([], []),
        (["a"], []),
        (["a"], ["a", "b"]),
        ("a", ["a"]),
        (["a"], "a"),
        ([""], ["a"]),
        ([[]], ["a"]),
        ([[1]], ["a"]),
        (["a"], [None]),
    ],
)
def test_what_cannot_be_scored_is_refused(truth, estimate):
    with pytest.raises(MalformedError, match="wants "):
        generation.evaluate(truth, estimate)


def test_judges_are_held_to_their_word():
    silent = Judge("silent", lambda texts: [])
    with pytest.raises(MalformedError, match="'silent' wants to return one label"):
        generation.emotion_accuracy(["joy"], ["a"], silent)
    with pytest.raises(MalformedError, match="one label, a str"):
        generation.emotion_accuracy([1], ["a"], silent)
    with pytest.raises(MalformedError, match="a judge, or neither"):
        generation.evaluate(["a"], ["a"], ["joy"])
    with pytest.raises(MalformedError, match="wants a name"):
        Judge(" ", lambda texts: texts)
    with pytest.raises(MalformedError, match="at least one word"):
        generation.distinct(["a"], 0)


def test_without_sacrebleu_the_way_out_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'affetto\[bench\]'"):
        generation.bleu(["a"], ["a"])
