"""The behaviour suite itself: enough cases, always the same, and a judge that can tell right from wrong."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.behaviour import judge
from benchmarks.behaviour.cases import Case, cases
from benchmarks.behaviour.judge import Answer

HOME = Path(__file__).resolve().parents[2]
CASES = cases()


def said(labels, valence=0.0):
    """Return an answer with joy as the only pleasant and sadness as the only unpleasant label."""
    top = max(labels, key=labels.get) if labels else ""
    sides = (labels.get("joy", 0.0), labels.get("sadness", 0.0), labels.get("neutral", 0.0))
    return Answer(labels, frozenset({top}) if top else frozenset(), *sides, valence)


GLAD, SAD = said({"joy": 0.9, "sadness": 0.05, "neutral": 0.05}), said({"joy": 0.1, "sadness": 0.8, "neutral": 0.1})
SOME = said({"joy": 0.5, "sadness": 0.1, "neutral": 0.4})


def test_there_are_enough_cases_of_enough_capabilities():
    counts = Counter(case.capability for case in CASES)
    assert len(CASES) >= 400
    assert len(counts) >= 14
    assert min(counts.values()) >= 8
    assert len({(case.capability, case.texts) for case in CASES}) == len(CASES)


def test_cases_are_the_same_in_every_process():
    code = "from benchmarks.behaviour.cases import cases; print(ascii(cases()))"
    asked = {"args": [sys.executable, "-c", code], "cwd": HOME, "capture_output": True, "text": True}
    seeds = ({**os.environ, "PYTHONHASHSEED": seed} for seed in "01")
    assert {subprocess.run(env=env, check=True, **asked).stdout for env in seeds} == {ascii(CASES) + "\n"}


def test_what_should_get_one_answer_differs_in_its_words():
    for case in CASES:
        assert len(set(case.texts)) == len(case.texts)
        assert (len(case.texts) > 1) == (case.kind != "MFT")
        assert not any("{" in text for text in case.texts)


@pytest.mark.parametrize(
    ("kind", "expect", "answers", "right"),
    [
        ("MFT", ("joy",), [GLAD], True),
        ("MFT", ("gratitude",), [GLAD], True),  # by its group, for a model that knows no gratitude
        ("MFT", ("grief",), [GLAD], False),
        ("MFT", "pleasant", [GLAD], True),
        ("MFT", "pleasant", [SAD], False),
        ("MFT", "unpleasant", [SAD], True),
        ("MFT", "not pleasant", [SAD], True),
        ("MFT", "not unpleasant", [SAD], False),
        ("MFT", "both", [GLAD], False),
        ("MFT", "both", [said({"joy": 0.5, "sadness": 0.4})], True),
        ("MFT", "answered or silent", [said({})], True),
        ("MFT", "answered or silent", [said({"joy": float("inf")})], False),
        ("INV", "the same", [GLAD, SOME], True),
        ("INV", "the same", [GLAD, SAD], False),
        ("DIR", "more pleasant", [GLAD, SOME], True),
        ("DIR", "less pleasant", [GLAD, SOME], False),
        ("DIR", "stronger", [GLAD, SOME], True),
        ("DIR", "stronger", [SOME, GLAD], False),
    ],
)
def test_the_judge_tells_right_from_wrong(kind, expect, answers, right):
    case = Case("x", kind, ("a", "b")[: len(answers)], expect, "a")
    assert judge.passes(case, answers) is right


def test_an_expectation_that_nobody_can_judge_is_an_error():
    with pytest.raises(ValueError, match="nobody can judge"):
        judge.passes(Case("x", "MFT", ("a",), "funny", "a"), [GLAD])


def test_how_far_answers_lie_apart_is_a_mean_over_pairs():
    apart = judge.spread([said({"joy": 0.5, "sadness": 0.5}, 0.0), said({"joy": 0.7, "sadness": 0.4}, 0.3)])
    assert apart == pytest.approx({"valence": 0.3, "top": 0.2, "label": 0.2})
    assert math.isnan(judge.spread([GLAD, said({})])["label"])


def test_the_suite_runs_on_a_model_and_prints_each_capability():
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.behaviour", "--model", "fake", "--dry", "--failures", "1"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for name in {case.capability for case in CASES}:
        assert f"  {name}" in run.stdout


def test_kept_results_have_the_shape_of_all_results():
    for path in (HOME / "benchmarks" / "results").rglob("*.json"):
        plain = json.loads(path.read_text("utf-8"))
        assert list(plain)[:10] == [
            *("benchmark", "model", "commit", "date", "machine", "seed", "n", "metrics", "speed", "notes")
        ]
        assert (plain["benchmark"], f"{plain['model']}.json") == (path.parent.name, path.name)
        assert all(set(metric) == {"value", "low", "high"} for metric in plain["metrics"].values())
