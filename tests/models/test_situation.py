"""What was felt in what somebody tells of: who tells, what is said of him, and which words say so."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.models.dialogue.saying import worded
from affetto.models.dialogue.situation import LONGEST, MOST_TURNS, bag, clauses, spelled, tellers

TALK = (
    ("Ada", "My dog died last night."),
    ("Bo", "Oh no, I won the lottery."),
    ("Ada", ""),
    ("Ada", "I miss him so much, I cry all day."),
)


@pytest.fixture(scope="module")
def model():
    return catalog.load("dialogue.situation")


def talk(lines=TALK, timed=False, people=None):
    turns = tuple(Turn(who, Span(3 * k, 3 * k + 2) if timed else None, text) for k, (who, text) in enumerate(lines))
    return Record("talk", turns=turns, people=people or {})


def test_who_speaks_first_tells_and_one_row_says_what_he_felt(model):
    assert isinstance(model, Model) and model.card == catalog.find("dialogue.situation")
    ((track,),) = model([talk()])
    assert (track.space.id, track.subject, track.perspective, track.unit) == ("empathetic-32", "Ada", "felt", "turn")
    assert (track.start.tolist(), track.end.tolist()) == ([0], [4])
    assert track.values.sum() == pytest.approx(1, abs=1e-4)
    assert track.confidence[0] == track.values.max()
    best = {track.space.names[k] for k in np.argsort(-track.values[0])[:5]}
    assert {"sad", "devastated"} & best and "excited" not in best
    ((timed,),) = model([talk(timed=True)])
    assert (timed.unit, timed.start[0], timed.end[0]) == ("s", 0, 11)
    assert timed.values == pytest.approx(track.values)


def test_roles_say_who_tells(model):
    ((track,),) = model([talk(people={"Bo": {"role": "seeker"}, "Ada": {"role": "supporter"}})])
    assert track.subject == "Bo" and track.space.names[track.values[0].argmax()] not in ("sad", "devastated")
    assert [t.subject for t in model([talk(people={"Bo": {"role": "client"}, "Ada": {"role": "speaker"}})])[0]] == [
        "Ada",
        "Bo",
    ]


def test_nothing_is_said_of_nothing_and_all_come_in_order(model):
    empty = [Record("none"), talk((("", ""), ("Bo", "..."))), Record("text", (Text(" "),))]
    assert model(empty) == [(), (), ()]
    assert model([]) == []
    both = model([empty[0], talk(), empty[1], talk((("Cy", "I won the race!"),))])
    assert [len(tracks) for tracks in both] == [0, 1, 0, 1]
    assert both[1][0].values == pytest.approx(model([talk()])[0][0].values, abs=2e-2)
    ((track,),) = model([Record("text", (Text("I won the race!"),))])
    assert (track.unit, track.subject) == ("char", "writer")


def test_long_and_odd_talks_are_answered(model):
    odd = talk([("آدا", "\u202eאני שמח \ud83d 😂"), ("Bo", "\x00 ok")] + [("آدا", "me too " * 300)] * 60)
    assert len(tellers(odd)[0]) == MOST_TURNS
    ((track,),) = model([odd])
    assert np.isfinite(track.values).all()


def test_which_clauses_say_so(model):
    (track,) = model.because(talk(), "devastated")
    assert (track.space.id, track.subject, track.perspective) == ("cause", "Ada", "felt")
    assert set(track.about) == {Span(0, 4, "turn")} and track.start.tolist() == sorted(track.start)
    assert "My dog died last night" in track.note and track.start[track.note.index("My dog died last night")] == 0
    assert ((track.values > 0) & (track.values <= 1)).all() and len(track) <= 3
    (one,) = model.because(Record("1", (Text("I was on the bus. Then my dog died. It was noon."),)), most=1)
    assert one.note == ("Then my dog died",) and one.unit == "char"
    assert model.because(Record("none")) == () and len(model.because(talk((("Ada", "wow"),)))) == 1


@given(st.text(max_size=200))
def test_clauses_lie_in_their_order_and_hold_all_that_has_letters(text):
    found = clauses(text)
    assert all(a < b for a, b in found) and all(b <= c for (_, b), (c, _) in pairwise(found))
    assert all(len(text[a:b].split()) <= LONGEST for a, b in found)
    if worded(text):
        inside = "".join(text[a:b] for a, b in found)
        assert all(sign in inside for sign in text if sign.isalnum())


def test_words_are_spelled_in_latin_letters():
    assert spelled("I’m SO glad, glad!") == {"i'm", "so", "glad"}
    assert bag(["x", ""], ["y"]).tolist() == [[0], [0]]


def test_the_weights_are_small_and_the_card_tells_their_worth():
    card = catalog.find("dialogue.situation")
    scores = {row["metric"]: row["value"] for row in card.facts["scores"]}
    assert scores["recall at 5"] > 0.8 and scores["accuracy"] > 0.43
    assert (Path(card.path).parent / "weights" / card.facts["weights"]).stat().st_size <= 100_000


@pytest.mark.corpus
def test_it_ranks_the_truth_high_on_dialogues_it_never_saw(model):
    from recipes.corpora import DATA

    if not (DATA / "text/empatheticdialogues").is_dir():
        pytest.skip("the data folder is not here")
    records = list(catalog.load("empathetic-intents").read("test", folder=DATA / "text/empatheticdialogues"))[::25]
    hits = []
    for record, (track,) in zip(records, model([record.blind() for record in records]), strict=True):
        truth = next(t for t in record.tracks if t.source == "speaker").values[0].argmax()
        hits.append(truth in np.argsort(-track.values[0])[:5])
    assert np.mean(hits) > 0.7
