"""Baselines say what they are said to say, on the rows of the truth, whatever stands in them."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from affetto.bench import baselines
from affetto.bench.baselines import Majority, Random, TfidfLogistic, words
from affetto.bench.protocol import load
from affetto.bench.rows import said_rows, truth_rows
from affetto.bench.teaching import taught
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError, MissingExtraError, UnknownNameError
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.space import vector_space
from affetto.core.span import Span
from affetto.core.track import Track

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
GLAD = ("so happy today", "what a lovely day", "happy happy", "lovely, I am so glad")
SAD = ("so sad today", "what an awful day", "sad sad", "awful, I am so sorry")
KINDS = (Majority, Random, TfidfLogistic)


def rated(text, space, values, id="", **more):
    track = Track(space, [0], [len(text)], [values], unit="char", subject="writer", source="raters", **more)
    return Record(id or text, (Text(text),), tracks=(track,))


def posts(space, glad, sad):
    return [rated(text, space, glad) for text in GLAD] + [rated(text, space, sad) for text in SAD]


def fitted(kind, space, glad, sad, **more):
    train = posts(catalog.load(space), glad, sad)
    return kind(space, **more).fit(train, [record.tracks[0] for record in train])


def said(model, text, id="x"):
    return model([Record(id, (Text(text),))])[0][0]


def bench(space, truth="", **facts):
    facts = {"corpus": "c", "split": "test", "space": space, "truth": truth or space, "metrics": ["accuracy"]} | facts
    return load(Card("b.v1", "benchmark", "1", "B", facts=facts))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("space, k", [("sentiment-3", 3), ("brighter-6", 6), ("vad", 3)])
def test_they_are_models_that_keep_the_laws_of_their_space(kind, space, k):
    glad, sad = np.eye(k)[2] if space != "vad" else [0.8, 0.1, 0.2], np.eye(k)[0] if space != "vad" else [-0.8, 0.3, 0]
    model = fitted(kind, space, glad, sad)
    assert isinstance(model, Model)
    assert model.card.id == kind.id and model.card.spaces == (space,) and model.card.limits
    answers = model([Record("1", (Text("so happy"),)), Record("2", (Text(" "),)), Record("3")])
    assert answers[0][0].spans == (Span(0, 8, "char"),)
    assert not np.isnan(answers[0][0].values).all()
    assert np.isnan(answers[1][0].values).all()
    assert answers[2] == ()
    assert answers[0][0].source == str(model.card)
    assert model([]) == []


def test_the_majority_is_the_prior():
    space = catalog.load("sentiment-3")
    train = [rated(text, space, np.eye(3)[k]) for text, k in zip(GLAD, (2, 2, 2, 0), strict=True)]
    model = Majority("sentiment-3").fit(train, [record.tracks[0] for record in train])
    assert said(model, "anything").values.tolist() == [[0.25, 0, 0.75]]


def test_the_majority_of_degrees_is_the_mean_of_those_said():
    space = catalog.load("vad")
    train = [rated("a", space, [0.5, np.nan, -1]), rated("b", space, [0, np.nan, 0]), rated("c", space, [np.nan] * 3)]
    model = Majority(space).fit(train, [record.tracks[0] for record in train])
    np.testing.assert_array_equal(said(model, "x").values, [[0.25, np.nan, -0.5]])


def test_chance_draws_from_the_training_rows_and_from_nothing_else():
    model = fitted(Random, "sentiment-3", [0, 0, 1], [1, 0, 0], seed=3)
    drawn = np.array([said(model, "same words", str(i)).values[0] for i in range(2000)])
    assert drawn.mean(0) == pytest.approx([0.5, 0, 0.5], abs=0.05)
    again = fitted(Random, "sentiment-3", [0, 0, 1], [1, 0, 0], seed=3)
    assert all((said(again, "same words", str(i)).values[0] == drawn[i]).all() for i in range(50))
    other = fitted(Random, "sentiment-3", [0, 0, 1], [1, 0, 0], seed=4)
    assert any((said(other, "same words", str(i)).values[0] != drawn[i]).any() for i in range(50))


def test_tfidf_learns_one_label_of_several():
    model = fitted(TfidfLogistic, "sentiment-3", [0, 0, 1], [1, 0, 0])
    for text in GLAD:
        assert said(model, text).top().name == "positive"
    assert said(model, "awful!").top().name == "negative"
    assert said(model, "qqq").values.sum() == pytest.approx(1, abs=1e-6)
    assert said(model, "so sad").column("neutral")[0] == 0


def test_tfidf_learns_several_labels_each_alone():
    joy, sadness = np.eye(6)[3], np.eye(6)[4]
    model = fitted(TfidfLogistic, "brighter-6", joy, sadness)
    names = model.space.names
    assert said(model, "happy").column(names[3])[0] > 0.5 > said(model, "happy").column(names[4])[0]
    assert said(model, "happy").column(names[0])[0] == 0


def test_tfidf_learns_degrees_and_stays_in_range():
    model = fitted(TfidfLogistic, "vad", [1, 0.2, np.nan], [-1, 0.4, np.nan])
    glad, sad = said(model, "lovely happy lovely").values[0], said(model, "awful sad awful").values[0]
    assert -1 <= sad[0] < 0 < glad[0] <= 1
    assert np.isnan(glad[2])


def test_shares_of_raters_count_for_the_label_that_most_gave():
    model = fitted(TfidfLogistic, "sentiment-3", [0.1, 0.3, 0.6], [0.6, 0.3, 0.1])
    assert said(model, "happy").top().name == "positive"
    assert said(model, "happy").column("neutral")[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_of_a_talk_are_those_of_the_truth(kind):
    space = catalog.load("ekman-7")
    turns = (
        Turn("Ada", None, "so happy"),
        Turn("Bo", None, "so sad"),
        Turn("Ada", None, "lovely"),
        Turn("Bo", None, ""),
    )
    emotions = np.eye(7)[[3, 4, 3, 6]]
    tracks = tuple(
        Track(space, at, np.array(at) + 1, emotions[at], unit="turn", subject=who, source="raters")
        for who, at in (("Ada", [0, 2]), ("Bo", [1, 3]))
    )
    talk = Record("t", turns=turns, tracks=tracks)
    model = taught(kind.id, bench("ekman-7"), [talk], 0)
    answers = model([talk.blind()])
    assert [(t.subject, t.unit, t.start.tolist()) for t in answers[0]] == [
        ("Ada", "turn", [0, 2]),
        ("Bo", "turn", [1, 3]),
    ]
    found = said_rows(bench("ekman-7"), truth_rows(bench("ekman-7"), [talk]), answers)
    assert not np.isnan(found.values[:3]).any() and np.isnan(found.values[3]).all()
    assert found.way == ""


def test_seconds_and_several_turns_at_once():
    turns = tuple(Turn("A", Span(2 * i, 2 * i + 1), f"turn {i}") for i in range(3))
    record = Record("s", turns=turns)
    assert [piece.unit for piece in record.pieces()] == ["s"] * 3
    assert words(record, "s", 0, 3) == "turn 0\nturn 1"
    assert words(record, "turn", 0, 3) == ""
    assert words(Record("c", (Text("ab"), Text("cd"))), "char", 3, 5) == "cd"


def test_what_is_taught_is_carried_to_the_space_of_the_benchmark():
    space = catalog.load("goemotions-28")
    records = posts(space, np.eye(28)[space.index("joy")], np.eye(28)[space.index("sadness")])
    model = taught("baseline.tfidf", bench("ekman-7", "goemotions-28"), records, 0)
    assert said(model, "happy").top().name == "joy"


def test_what_also_stands_in_a_later_split_is_not_learned():
    space = catalog.load("sentiment-3")
    twin = Record("t", (Text("x"),), tracks=rated("x", space, [1, 0, 0]).tracks, meta={"duplicate_of": "test:1"})
    model = taught("baseline.majority", bench("sentiment-3"), [twin, rated("y", space, [0, 0, 1])], 0)
    assert said(model, "z").values.tolist() == [[0, 0, 1]]


def test_what_is_evoked_is_the_readers():
    space = catalog.load("vad")
    records = [rated(text, space, [v, 0, 0], perspective="evoked") for text, v in (("a", 0.5), ("b", -0.5))]
    model = taught("baseline.majority", bench("vad", perspective="evoked"), records, 0)
    track = said(model, "c")
    assert (track.subject, track.perspective) == ("reader", "evoked")


@pytest.mark.parametrize(
    "text", ["😂" * 50, "\u202eאני שמח", "so sad \ud83d", "a" * 10_000, "?", "\x00", "so happy " * 12_000]
)
@pytest.mark.parametrize("kind", KINDS)
def test_any_text_is_answered(kind, text):
    model = fitted(kind, "sentiment-3", [0, 0, 1], [1, 0, 0])
    assert not np.isnan(said(model, text).values).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_answers_as_one_by_one(kind):
    model = fitted(kind, "sentiment-3", [0, 0, 1], [1, 0, 0])
    records = [Record(str(i), (Text(text),)) for i, text in enumerate((*GLAD, "", *SAD))]
    for together, record in zip(model(records), records, strict=True):
        np.testing.assert_allclose(model([record])[0][0].values, together[0].values, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_learned_is_refused_in_one_sentence(kind):
    record = rated("words", catalog.load("sentiment-3"), [1, 0, 0])
    with pytest.raises(MalformedError, match="a Track for each Record, not 0 for 1"):
        kind("sentiment-3").fit([record], [])
    with pytest.raises(MalformedError, match="learns ekman-7, not sentiment-3; translate the truth"):
        kind("ekman-7").fit([record], record.tracks)
    with pytest.raises(MalformedError, match="at least one row with words and truth"):
        kind("sentiment-3").fit([], [])
    with pytest.raises(MalformedError, match="at least one row with words and truth"):
        kind("sentiment-3").fit([rated(" ", catalog.load("sentiment-3"), [1, 0, 0])], record.tracks)
    with pytest.raises(MalformedError, match="has not learned yet"):
        kind("sentiment-3")([record])
    with pytest.raises(MalformedError, match="labels or degrees"):
        kind(vector_space(3))


def test_tfidf_of_one_word_or_of_one_answer_says_so_always():
    space = catalog.load("sentiment-3")
    record = rated("!", space, [0, 0, 1])
    model = TfidfLogistic(space).fit([record], record.tracks)
    assert said(model, "anything").values.tolist() == [[0, 0, 1]]


def test_an_unknown_baseline_is_answered_with_those_known():
    with pytest.raises(UnknownNameError, match=r"baseline\.majority"):
        taught("baseline.magic", bench("sentiment-3"), [], 0)


def test_a_missing_library_is_answered_with_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'affetto\[bench\]'"):
        fitted(TfidfLogistic, "sentiment-3", [0, 0, 1], [1, 0, 0])


@pytest.mark.corpus
@pytest.mark.skipif(not (DATA / "text" / "goemotions").is_dir(), reason="the data folder is absent")
def test_tfidf_beats_chance_on_goemotions():
    space = catalog.load("ekman-7")
    benchmark = bench("ekman-7", "goemotions-28")
    fine = catalog.load("goemotions-28")

    def some(split, n):
        with gzip.open(DATA / "text" / "goemotions" / f"{split}.tsv.gz", "rt", encoding="utf-8") as file:
            lines = [next(file).rstrip("\n").split("\t") for _ in range(n)]
        given = [(text, np.isin(np.arange(28), [int(k) for k in labels.split(",")])) for text, labels, _ in lines]
        return [rated(text, fine, values.astype(float), str(i)) for i, (text, values) in enumerate(given)]

    dev = some("dev", 500)
    truth = truth_rows(benchmark, dev)
    right = {}
    for kind in KINDS:
        answers = taught(kind.id, benchmark, some("train", 1500), 0)([record.blind() for record in dev])
        top = said_rows(benchmark, truth, answers).values.argmax(1)
        right[kind] = (truth.values[np.arange(len(dev)), top] > 0).mean()
    assert right[TfidfLogistic] > right[Majority] > right[Random] > 1 / len(space.axes)
    assert baselines.C > 0
