"""Benchmarks of causes in talks: what is asked, what counts as an answer, and that sums give the metric's scores."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto import measure
from affetto.bench import causes
from affetto.bench.causes import Sample
from affetto.bench.protocol import Benchmark, load
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.metrics import cause as metric
from affetto.serve.cli import page
from benchmarks.cause import of_iemocap
from recipes import corpora

SEVEN, CAUSE = catalog.load("ekman-7"), catalog.load("cause")
TEXTS = ("We won .", "You won ? That is great !", "It is .", "I lost my keys .", "Oh no .")


def bench(headline: str) -> Benchmark:
    facts = {"corpus": "reccon", "split": "test", "truth": "cause", "space": "cause", "metrics": [headline]}
    return load(Card("b.v1", "benchmark", "1", "B", facts=facts))


def named(*pairs: tuple[int, int, str], values: Sequence[float] = ()) -> Track:
    start = np.array([cause for _, cause, _ in pairs])
    sure = np.array(values or [1.0] * len(pairs))[:, None]
    about = tuple(Span(turn, turn + 1, "turn") for turn, _, _ in pairs)
    return Track(CAUSE, start, start + 1, sure, unit="turn", about=about, note=tuple(words for *_, words in pairs))


def talk(*marks: tuple[int, int, str], labels: str = "neutral joy neutral neutral sadness", id: str = "t") -> Record:
    said = labels.split()
    values = np.eye(7)[[SEVEN.index(label) for label in said]]
    at = np.arange(len(said))
    felt = Track(SEVEN, at, at + 1, values, unit="turn", subject="A", source="raters")
    turns = tuple(Turn("AB"[k % 2], None, TEXTS[k]) for k in range(len(said)))
    return Record(id, turns=turns, tracks=(felt, named(*marks)) if marks else (felt,), meta={"split": "test"})


TRUTH = talk((1, 0, "We won"), (1, 0, "won ."), (1, 1, "great"), (4, 3, "lost my keys"))
RIGHT = named((1, 0, "We won"), (1, 1, "great"), (4, 3, "lost my keys"))


def scores(headline: str, answer: Sequence[Track], truth: Record = TRUTH) -> dict[str, float]:
    outcome = causes.evaluate(bench(headline), [truth], {"m": [answer]}, 1, 20)["m"]
    return {name: one.value for name, one in outcome.metrics.items()}


def test_each_turn_that_shows_something_is_asked_about_with_itself_and_all_before() -> None:
    found = causes.samples(TRUTH)
    assert {one[:2] for one in found} == {(1, 0), (1, 1)} | {(4, k) for k in range(5)}
    assert [one for one in found if one.turn == 1] == [
        Sample(1, 0, "We won"),
        Sample(1, 0, "won ."),
        Sample(1, 1, "great"),
    ]
    assert [one.words for one in found if one.turn == 4] == ["", "", "", "lost my keys", ""]
    late = talk((1, 2, "It is ."))
    assert Sample(1, 2, "It is .") in causes.samples(late)


def test_a_system_sees_the_labels_in_question_and_no_causes() -> None:
    shown = causes.asked(TRUTH)
    (felt,) = shown.tracks
    assert felt.space.id == "ekman-7" and felt.start.tolist() == [1, 4] and not shown.meta
    assert shown.turns == TRUTH.turns
    assert causes.asked(talk(labels="neutral neutral")).tracks == ()


def test_a_right_answer_has_all_scores_right() -> None:
    assert set(scores("macro_f1", [RIGHT]).values()) == {1.0}
    found = scores("squad_f1", [RIGHT])
    assert found["inverse_f1"] == found["inverse_recall"] == found["inverse_precision"] == 1
    assert found["exact_match"] == 0.75 and 0.75 < found["squad_f1"] < 1


def test_who_says_nothing_is_right_of_what_is_none() -> None:
    assert scores("macro_f1", [])["positive_f1"] == 0
    found = scores("squad_f1", [])
    assert found["squad_f1"] == 0 and found["inverse_recall"] == 1 and found["inverse_precision"] == 0.5


def test_a_row_counts_if_it_says_something_of_a_turn_there_is() -> None:
    questions = causes.samples(TRUTH)
    unsure = named((4, 3, "keys"), (4, 2, "x"), values=[0.01, np.nan])
    assert [
        one.cause for one, words in zip(questions, causes.said(TRUTH, [unsure], questions), strict=True) if words
    ] == [3]
    assert set(causes.said(TRUTH, [named((4, 9, "x")), replace(RIGHT, about=None)], questions)) == {""}
    whole = causes.said(TRUTH, [replace(RIGHT, note=None)], questions)
    assert whole[:3] == [TEXTS[0], TEXTS[0], TEXTS[1]]
    assert causes.kept([RIGHT, TRUTH.tracks[0]]) == (RIGHT,)


def test_nothing_to_ask_is_refused() -> None:
    with pytest.raises(MalformedError, match="not neutral"):
        scores("macro_f1", [], talk(labels="neutral neutral"))


PAIRS = [(turn, cause) for turn in (1, 4) for cause in range(turn + 1)]
WORDS = st.sampled_from(["", "won", "great keys", "the keys lost", "We won the keys"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=len(PAIRS), max_size=len(PAIRS)))
def test_sums_give_the_scores_of_the_metric(words: list[tuple[str, str]]) -> None:
    sides = [[(*pair, one[k]) for pair, one in zip(PAIRS, words, strict=True) if one[k]] for k in (0, 1)]
    truth, answer = talk(*sides[0]), [named(*sides[1])] if sides[1] else []
    asked, said = ([one[k] for one in words] for k in (0, 1))
    pairs = metric.evaluate([bool(a) for a in asked], [bool(b) for b in said], "entailment")
    found = scores("macro_f1", answer, truth)
    assert found == pytest.approx({name: pairs[f"f1_{name.removesuffix('_f1')}"] for name in found})
    spans = metric.evaluate(asked, said, "span")
    found = {name: value for name, value in scores("squad_f1", answer, truth).items() if not name.endswith("_found")}
    for name, value in found.items():
        assert value == pytest.approx(0 if np.isnan(spans[name]) else spans[name]), name


@pytest.mark.corpus
def test_pairs_of_the_corpus_are_as_many_as_were_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFETTO_DATA", str(corpora.DATA))
    counted = {}
    for split in ("dev", "test"):
        found = [causes.samples(record) for record in catalog.load("reccon").read(split)]
        flat = [one for own in found for one in own]
        distinct = sum(len({one[:2] for one in own if one.words}) for own in found)
        counted[split] = (sum(bool(one.words) for one in flat), distinct, sum(not one.words for one in flat))
    assert counted == {"dev": (347, 328, 838), "test": (1894, 1767, 5330)}


@pytest.mark.corpus
def test_statistics_give_the_published_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFETTO_DATA", str(corpora.DATA))
    found = measure.corpus_stats("reccon")
    counts = {
        split: (one["records"], one["turns"], one["emotional"]["ekman-7"], one["labels"]["cause"]["cause"])
        for split, one in found.items()
    }
    assert counts == {
        "train": (834, 8206, 4562, 7271),
        "dev": (47, 493, 200, 347),
        "test": (225, 2405, 1099, 1894),
    }
    assert [one["pairs"]["cause"] for one in found.values()] == [7029, 328, 1767]


def test_statistics_show_sums_where_they_are_counted(tmp_path: Path) -> None:
    catalog.load("reccon").faker(tmp_path)
    shown = CliRunner().invoke(page, ["data", "stats", "reccon", "--folder", str(tmp_path)]).stdout
    assert "all but neutral\t3 (50.0%)" in shown and "different pairs\t6 (100.0%)" in shown


def test_talks_of_the_other_part_are_read_if_somebody_has_them(tmp_path: Path) -> None:
    catalog.load("reccon").faker(tmp_path)
    plain = json.loads((tmp_path / "dailydialog_test.json").read_text("utf-8"))
    for parts in plain.values():
        parts[0][1]["emotion"] = "frustrated"
    (tmp_path / "iemocap_test.json").write_text(json.dumps(plain), "utf-8")
    records = of_iemocap(tmp_path / "iemocap_test.json")
    assert [causes.samples(record)[-1] for record in records] == [Sample(1, 1, "Oh , a boat !")] * 2
    assert all(causes.asked(record).tracks[0].values[0, SEVEN.index("anger")] == 1 for record in records)
