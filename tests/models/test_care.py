"""The check for words that ask for a person: its test set, what it must not take for them, and what it survives."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.models.dialogue import care as module
from affetto.models.dialogue.disguise import Disguises, one_off

ROWS = [json.loads(line) for line in Path(__file__).with_name("care.jsonl").read_text("utf-8").splitlines()]
FAMILIES = {"self-harm", "abuse", "danger-to-others", "emergency"}


@pytest.fixture(scope="module")
def care():
    return catalog.load("dialogue.care")


def top(care, text):
    return max((found.value for found in care.check(text)), default=0.0)


def refers(care, text):
    return top(care, text) >= care.refer


def test_the_set_is_what_it_should_be():
    assert len(ROWS) >= 400 and len({row["text"] for row in ROWS}) == len(ROWS)
    assert sum(bool(row["families"]) for row in ROWS) >= 200
    assert sum(not row["families"] for row in ROWS) >= 200
    assert {family for row in ROWS for family in row["families"]} == FAMILIES
    assert {row["half"] for row in ROWS} == {"dev", "test"}


@pytest.mark.parametrize(("half", "recall", "alarms"), [("dev", 0.98, 0.02), ("test", 0.97, 0.05)])
def test_it_misses_little_and_cries_wolf_rarely(care, half, recall, alarms):
    rows = [row for row in ROWS if row["half"] == half]
    caught = [refers(care, row["text"]) for row in rows if row["families"]]
    false = [refers(care, row["text"]) for row in rows if not row["families"]]
    assert np.mean(caught) >= recall
    assert np.mean(false) <= alarms


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("kms", "self-harm"),
        ("i w a n t t o d i e", "self-harm"),
        ("I want to k\u200bill my\u200bself", "self-harm"),
        ("Ｉ ｗａｎｔ ｔｏ ｄｉｅ", "self-harm"),
        ("WANT TO DIEEEEEE", "self-harm"),
        ("killmyself", "self-harm"),
        ("everyone would be better off without me", "self-harm"),
        ("my husband hits me", "abuse"),
        ("I'm going to kill him, I have the knife", "danger-to-others"),
        ("I took all my pills", "emergency"),
    ],
)
def test_words_are_found_in_their_family(care, text, family):
    assert family in {name for found in care.check(text) if found.value >= care.refer for name in found.families}


@pytest.mark.parametrize(
    "text",
    [
        "I'm dying of laughter",
        "this killed me 😂",
        "shoot me an email",
        "kill the process on port 80",
        "my diet committed suicide",
        "have you seen Suicide Squad?",
        "I can't live without my phone",
        "He hit on me at the bar",
        "Thanks for everything, goodbye!",
        "🙂",
    ],
)
def test_figures_of_speech_are_none(care, text):
    assert not refers(care, text)


@pytest.mark.parametrize(
    "text", ["I would never kill myself", "I'm not suicidal", "I have never thought about suicide"]
)
def test_what_is_denied_is_said_but_asks_for_nobody(care, text):
    assert 0 < top(care, text) < care.refer


def test_a_denial_does_not_hide_what_follows(care):
    assert refers(care, "I would never kill myself. I told them that. I want to kill myself.")
    assert refers(care, "I'm not ok, I can't stop thinking about killing myself")


def test_a_film_hides_others_but_not_the_speaker(care):
    assert not refers(care, "In the film he hangs himself.")
    assert refers(care, "After the film I thought again about hanging myself.")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("I want to kill myself", False),
        ("My friend wants to kill himself", True),
        ("My wife told me she has thoughts of suicide", True),
        ("My boyfriend beats me", False),
        ("My neighbour beats his children", True),
        ("everyone would be better off without me", False),
    ],
)
def test_it_tells_who_is_meant(care, text, other):
    strong = [found for found in care.check(text) if found.value >= care.refer]
    assert strong and all(found.other == other for found in strong)


def talk(*texts, speaker="Ada", timed=False):
    return Record(
        "talk", turns=tuple(Turn(speaker, Span(k, k + 1, "s") if timed else None, text) for k, text in enumerate(texts))
    )


@pytest.mark.parametrize("timed", [False, True])
def test_rows_are_the_turns_in_which_words_stand(care, timed):
    (tracks,) = care([talk("hello", "i want to k!ll mys3lf", "sorry", timed=timed)])
    (track,) = tracks
    assert track.space.id == "care" and track.subject == "Ada" and track.source == str(care.card)
    assert track.unit == ("s" if timed else "turn")
    assert track.start.tolist() == [1] and track.end.tolist() == [2]
    assert track.column("self-harm")[0] >= care.refer and track.column("abuse")[0] == 0
    assert track.note == ("want to k!ll mys3lf",)


def test_words_split_over_two_turns_of_one_speaker_are_found(care):
    (tracks,) = care([talk("i want", "to die")])
    assert [track.start.tolist() for track in tracks] == [[1]]
    record = Record("talk", turns=(Turn("Ada", None, "i want"), Turn("Bo", None, "to die laughing? haha")))
    assert care([record]) == [()]


def test_the_note_says_that_it_is_about_somebody_else(care):
    (tracks,) = care([talk("My friend wants to kill himself")])
    assert tracks[0].note[0].startswith(module.OTHER)


def test_each_speaker_has_a_track_and_nothing_found_is_no_track(care):
    turns = (Turn("Ada", None, "He raped me."), Turn("Bo", None, "I want to die too."), Turn("Cy", None, "Tea?"))
    record = Record("talk", turns=turns)
    assert [track.subject for track in care([record])[0]] == ["Ada", "Bo"]
    assert care([talk("nice day"), talk(), Record("empty")]) == [(), (), ()]


def test_a_text_without_turns_is_checked_too(care):
    (tracks,) = care([Record("post", (Text("I want to kill myself"),))])
    assert tracks[0].unit == "char"


def test_a_batch_answers_as_one_by_one(care):
    records = [talk(row["text"]) for row in ROWS[:20]]
    assert care(records) == [care([record])[0] for record in records]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "<Media omitted>",
        "?!?!",
        "a" * 20_000,
        "k " * 5_000,
        "\u202eאני שמח\u202c",
        "\x00\ud83d",
        "*" * 99,
        "💀" * 500,
    ],
)
def test_strange_input_is_survived(care, text):
    assert all(found.value < care.refer for found in care.check(text))


def test_many_turns_are_quick_enough(care):
    record = talk(*["I am fine, how are you doing today?", "what a day"] * 500)
    assert care([record]) == [()]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_places_lie_in_the_text(text):
    for found in catalog.load("dialogue.care").check(text + " i want to die " + text):
        whole = text + " i want to die " + text
        assert 0 <= found.start < found.end <= len(whole)
        assert found.words == whole[found.start : found.end].strip()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abcdefgh", min_size=6, max_size=10), st.integers(0, 9), st.sampled_from("xyz"))
def test_one_letter_off_is_one_letter_off(word, k, letter):
    k = k % len(word)
    assert one_off(word, word)
    assert one_off(word[:k] + word[k + 1 :], word)
    assert one_off(word[:k] + letter + word[k:], word)
    assert one_off(word[:k] + letter + word[k + 1 :], word)
    assert not one_off("xyz" + word, word)


def test_disguises_need_no_patterns():
    plain = Disguises({"u": "you"}, frozenset(["kill"]), frozenset(["suicidal"]), {"🔪": "knife"}).plain
    assert plain("K1LL, u... 🔪").words == "kill you . knife"
    assert plain("suicdal k*ll k i l l").words == "suicidal kill kill"


def test_a_card_without_patterns_is_told():
    with pytest.raises(CatalogError, match="patterns of x cannot be read"):
        module.load(Card("x", "model", "1", "x", facts={"patterns": "nowhere.patterns"}, path=__file__))
