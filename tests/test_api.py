"""The verbs, with the model that needs no weights."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import affetto
from affetto import api
from affetto.core import catalog
from affetto.core.card import Card
from affetto.models import asking

EXAMPLES = Path(__file__).parents[1] / "examples"


class Echo:
    """A stranger's model: says nothing, and remembers what it was asked."""

    def __init__(self, languages=("en",), short=False):
        self.card = Card("echo", "model", "3", "An echo", languages=languages)
        self.short = short
        self.asked: list[str] = []

    def __call__(self, records):
        self.asked += [record.text for record in records]
        if any(record.text == "fail" for record in records):
            raise ZeroDivisionError("that hurt")
        return [()] * (len(records) - self.short)


def test_one_text_gives_one_record_and_several_give_a_list():
    one = affetto.perceive("What a day!", model="fake")
    assert isinstance(one, affetto.Record)
    assert [track.space.id for track in one.tracks] == ["ekman-7", "vad"]
    assert affetto.perceive(one.blind(), model="fake") == one
    many = affetto.perceive(["What a day!", one.blind()], model="fake")
    assert [record.id for record in many] == ["1", "text"]
    assert many[0].tracks == many[1].tracks == one.tracks
    assert affetto.perceive((text for text in ("a", "b")), model="fake")[1].text == "b"
    assert affetto.perceive([], model="fake") == []


def test_files_give_a_list_in_order():
    posts = affetto.perceive(EXAMPLES / "posts.csv", model="fake", column="text")
    with (EXAMPLES / "posts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [post.id for post in posts] == [row["id"] for row in rows]
    assert [post.text or "" for post in posts] == [row["text"] for row in rows]
    (talk,) = affetto.perceive(EXAMPLES / "conversation.srt", model="fake")
    assert {track.subject for track in talk.tracks} == {"Ines", "Tomas"}
    assert sum(len(track) for track in talk.tracks if track.space.id == "vad") == len(talk.turns) == 15


def test_what_is_no_text_is_refused_with_the_shape_that_is_wanted():
    for what in (None, 3, b"bytes", object()):
        with pytest.raises(affetto.MalformedError, match="wants a str, a Record, a Path, or several"):
            affetto.perceive(what, model="fake")
    with pytest.raises(affetto.MalformedError, match="item 2 wants to be a str or a Record, not int"):
        affetto.perceive(["fine", 2], model="fake")


def test_several_models_answer_one_after_the_other():
    record = affetto.perceive("What a day!", model=["fake", Echo(), catalog.load("fake")])
    assert [track.space.id for track in record.tracks] == ["ekman-7", "vad", "ekman-7", "vad"]


def test_answers_already_there_are_kept():
    once = affetto.perceive("What a day!", model="fake")
    assert affetto.perceive(once, model="fake").tracks == once.tracks * 2


def test_an_unknown_model_names_the_known_ones():
    with pytest.raises(affetto.UnknownNameError, match="no model is called 'fakee'; did you mean fake"):
        affetto.perceive("hi", model="fakee")
    with pytest.raises(affetto.UnknownNameError, match="no model is called 'vad'"):
        affetto.perceive("hi", model="vad")


def test_a_model_is_asked_only_in_its_languages():
    model = Echo(("en", "pt-BR"))
    for language in ("en", "EN", "en-GB", "en_US", "pt-br", "pt"):
        affetto.perceive("hi", model=model, language=language)
    for language in ("de", "e", "pt-PT", "eng"):
        with pytest.raises(affetto.UnknownNameError, match=f"no language of echo is called '{language}'.* known: en"):
            affetto.perceive("hi", model=model, language=language)
    assert affetto.perceive("hi", model="fake", language="xx").signals[0].language == "xx"


def test_the_language_goes_along_with_the_words():
    heard: list[affetto.Record] = []

    class Listener(Echo):
        def __call__(self, records):
            heard.extend(records)
            return super().__call__(records)

    talk = affetto.Record("talk", turns=(affetto.Turn("Ana", None, "Olá"), affetto.Turn("Bia", None, "Oi")))
    said = affetto.Record("said", (affetto.Text("Olá", "pt-PT"),))
    affetto.perceive([talk, said, affetto.Record("none")], model=Listener(()), language="pt")
    assert [[signal.language for signal in record.signals] for record in heard] == [["pt"], ["pt-PT"], []]
    assert heard[0].text == talk.text


@pytest.fixture
def two_models(monkeypatch):
    """Stand in for the English model and for that of the other languages."""
    models = {asking.ENGLISH: Echo(("en",)), asking.MANY: Echo(("de", "ru"))}
    cards = {id: Card(id, "model", "1", id, languages=model.card.languages) for id, model in models.items()}
    monkeypatch.setattr(asking.catalog, "load", models.__getitem__)
    monkeypatch.setattr(asking.catalog, "find", lambda name, kind=None: cards[name])
    return models


def test_the_default_model_is_chosen_by_language_then_by_script(two_models):
    texts = ["Hello 😀!", "Привет", "¿Qué?", affetto.Record("g", (affetto.Text("Hallo", "de"),)), "", "Ёлки? ok"]
    records = affetto.perceive(texts)
    assert [record.id for record in records] == ["1", "2", "3", "g", "5", "6"]
    assert two_models[asking.ENGLISH].asked == ["Hello 😀!", "¿Qué?", ""]
    assert two_models[asking.MANY].asked == ["Привет", "Hallo", "Ёлки? ok"]
    affetto.perceive("Hallo", language="de")
    assert two_models[asking.MANY].asked[-1] == "Hallo"


def test_a_language_that_nobody_reads_is_said_and_not_guessed(two_models):
    with pytest.raises(affetto.UnknownNameError, match="'fi'; known: de, en, ru"):
        affetto.perceive("hei", language="fi")
    strange = affetto.Record("f", (affetto.Text("hei", "fi"),))
    with pytest.raises(affetto.UnreadableError, match=r"record 'f': no language .* 'fi'"):
        affetto.perceive([strange])
    good, bad = api.perceive_each([affetto.Record("g", (affetto.Text("hello"),)), strange])
    assert "error" not in good.meta
    assert "'fi'" in bad.meta["error"]


def test_a_row_that_fails_stops_nobody_and_says_why():
    records = [api.post(text) for text in ("one", "fail", "three")]
    answered = list(api.perceive_each(records, Echo()))
    assert ["error" in record.meta for record in answered] == [False, True, False]
    assert answered[1].meta["error"] == "ZeroDivisionError: that hurt"


def test_a_model_that_loses_records_is_named():
    with pytest.raises(affetto.MalformedError, match="echo gave 1 answers to 2 Records"):
        affetto.perceive(["a", "b"], model=Echo(short=True))


def test_records_that_bear_answers_can_be_left_alone():
    once = affetto.perceive("What a day!", model="fake")
    fresh, kept = api.perceive_each([once.blind(), once], "fake", keep=True)
    assert fresh.tracks == kept.tracks == once.tracks


@given(st.lists(st.text(max_size=30), max_size=12), st.integers(1, 5))
def test_each_text_gets_one_answer_in_order_however_they_are_cut(texts, at_once):
    records = [affetto.Record(str(i), (affetto.Text(text),)) for i, text in enumerate(texts)]
    whole = affetto.perceive(records, model="fake")
    for record, cut, asked in zip(whole, api.perceive_each(records, "fake", at_once=at_once), records, strict=True):
        assert record.id == cut.id == asked.id
        for track, same in zip(record.tracks, cut.tracks, strict=True):
            np.testing.assert_array_equal(track.values, same.values)


def test_explain_gives_each_answer_with_the_words_it_rests_on():
    reasons = affetto.explain("wonderful and terrible", model="fake")
    assert [answer.space.id for answer, _ in reasons] == ["ekman-7", "vad"]
    for answer, (part,) in reasons:
        assert part.space.id == "importance"
        assert part.note == ("wonderful", "and", "terrible")
        assert part.about[0] == answer.spans[0]
    assert "vad: valence" in reasons[1][1][0].source
    ((_, (part,)),) = affetto.explain("wonderful and terrible", model="fake", space="vad", axis="arousal")
    assert "vad: arousal" in part.source


def test_explain_goes_through_every_turn_and_is_silent_where_nothing_is_said():
    (talk,) = affetto.read(EXAMPLES / "conversation.srt")
    assert len(affetto.explain(talk, model="fake", space="ekman-7")) == 15
    ((answer, parts),) = affetto.explain("   ", model="fake", space="vad")
    assert np.isnan(answer.values).all()
    assert parts == ()
    assert affetto.explain(affetto.Record("nothing"), model="fake") == []


def test_explain_names_the_spaces_there_are():
    with pytest.raises(affetto.UnknownNameError, match="'mikels-8'; known: ekman-7, vad"):
        affetto.explain("hi", model="fake", space="mikels-8")
    with pytest.raises(affetto.UnknownNameError, match="no axis of vad is called 'joy'"):
        affetto.explain("hi", model="fake", space="vad", axis="joy")


def test_translate_takes_a_track_a_record_or_a_text():
    record = affetto.perceive("What a day!", model="fake")
    track = affetto.translate(record.tracks[0], "sentiment-3")
    assert track.space.id == "sentiment-3"
    assert affetto.translate(record, "sentiment-3", origin="ekman-7").tracks == (track,)
    assert affetto.translate("What a day!", "sentiment-3", model="fake").tracks[0].source.startswith("fake@1 > ")
    assert affetto.translate(record, "vad").tracks == (record.tracks[1],)


def test_translate_refuses_what_nothing_connects_and_names_the_near():
    record = affetto.perceive("What a day!", model="fake")
    with pytest.raises(affetto.NoBridgeError, match="no bridge leads from 'ekman-7' to 'facs-au'"):
        affetto.translate(record, "facs-au")
    with pytest.raises(affetto.UnknownNameError, match="no space is called 'ekman-9'; did you mean ekman-"):
        affetto.translate(record, "ekman-9")
    with pytest.raises(
        affetto.UnknownNameError, match="no space of these answers is called 'joy'; known: ekman-7, vad"
    ):
        affetto.translate(record, "ekman-6", origin="joy")
    assert affetto.translate(affetto.Record("silent"), "vad").tracks == ()


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".emotionml", ".xml"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    records = affetto.perceive(["What a day!", ""], model="fake")
    affetto.write(records, tmp_path / f"answers{suffix}")
    again = list(affetto.read(tmp_path / f"answers{suffix}"))
    assert [record.tracks for record in again] == [record.tracks for record in records]
    affetto.write(records[0], tmp_path / f"one{suffix}")
    assert len(list(affetto.read(tmp_path / f"one{suffix}"))) == 1


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_long_table_is_read_as_tracks_and_a_wide_one_as_words(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    done = api.perceive_file(EXAMPLES / "posts.csv", tmp_path / f"long{suffix}", "fake", shape="long")
    assert done.rows == len(list(affetto.read(tmp_path / f"long{suffix}"))) == 40
    assert next(affetto.read(tmp_path / f"long{suffix}")).tracks[0].space.id == "ekman-7"
    api.perceive_file(EXAMPLES / "posts.csv", tmp_path / f"wide{suffix}", "fake")
    assert next(affetto.read(tmp_path / f"wide{suffix}")).text.startswith("I got the job!!!")


def test_only_tables_are_long(tmp_path):
    with pytest.raises(affetto.MalformedError, match="only tables"):
        api.perceive_file(EXAMPLES / "posts.csv", tmp_path / "a.jsonl", "fake", shape="long")


def test_reading_and_writing_name_what_they_know(tmp_path):
    with pytest.raises(affetto.UnreadableError, match="no file"):
        affetto.read(tmp_path / "none.csv")
    with pytest.raises(affetto.UnknownNameError, match=r"no format is called '\.docx'; .*known: \.audformat, \.csv"):
        affetto.write([], tmp_path / "a.docx")
    with pytest.raises(affetto.UnknownNameError, match="'words'; known: author, id, text"):
        affetto.perceive(EXAMPLES / "posts.csv", model="fake", column="words")


def test_cards_and_card_and_load():
    assert affetto.cards("model")["fake"] == affetto.card("fake")
    assert affetto.load("fake").card == affetto.card("fake")
    assert {card.kind for card in affetto.cards("space").values()} == {"space"}
    with pytest.raises(affetto.UnknownNameError, match="no card is called 'nobody'"):
        affetto.card("nobody")


def test_the_examples_are_what_they_are_said_to_be():
    with (EXAMPLES / "posts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "author", "text"]
    assert len(rows) == 40
    assert sum(not row["text"] for row in rows) == 1
    (talk,) = affetto.read(EXAMPLES / "conversation.srt")
    assert {turn.speaker for turn in talk.turns} == {"Ines", "Tomas"}


def test_the_quickstart_runs():
    done = subprocess.run(
        [sys.executable, EXAMPLES / "quickstart.py", "fake"],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert "because of not(" in done.stdout
    assert done.stderr == ""
