"""How hard a talk is: by hand, and as measured of MELD."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.serve.difficulty import difficulty as command
from affetto.study.difficulty import ShiftOptions, difficulties, labels_of, similarity
from recipes.corpora import DATA

EKMAN = catalog.load("ekman-7")


def talk(*said, id="1"):
    """Return a talk of (speaker, label or None)."""
    tracks = []
    for speaker in dict.fromkeys(who for who, _ in said):
        mine = [(k, label) for k, (who, label) in enumerate(said) if who == speaker]
        values = [[float(name == label) if label else np.nan for name in EKMAN.names] for _, label in mine]
        start = [k for k, _ in mine]
        tracks.append(Track(EKMAN, start, [k + 1 for k in start], values, unit="turn", subject=speaker))
    return Record(id, turns=tuple(Turn(who, None, "words") for who, _ in said), tracks=tuple(tracks))


def value(*said, options=None):
    return difficulties([talk(*said)], EKMAN, options)[0].value


def test_a_talk_without_shifts_is_as_hard_as_its_speakers_are_many():
    assert value(("a", "joy"), ("a", "joy"), ("a", "joy")) == pytest.approx(1 / 4)
    assert value(("a", "joy"), ("b", "joy"), ("a", "joy")) == pytest.approx(2 / 5)


def test_shifts_by_hand():
    neutral = 1 / 7 + 0.4
    assert value(("a", "joy"), ("a", "neutral")) == pytest.approx((neutral + 1) / 3)
    assert value(("a", "joy"), ("a", "anger")) == pytest.approx((0.4 + 1) / 3)
    near = math.cos(math.radians(55)) + 0.4
    assert value(("a", "anger"), ("a", "disgust")) == pytest.approx((near + 1) / 3)
    one = difficulties([talk(("a", "joy"), ("b", "anger"), ("a", "neutral"))], EKMAN)[0]
    assert one.own == pytest.approx(neutral)  # a: joy to neutral
    assert one.across == pytest.approx(0.4 + neutral)  # joy to anger, anger to neutral
    assert (one.turns, one.speakers) == (3, 2)


def test_a_change_of_speaker_alone_costs_nothing():
    one = difficulties([talk(("a", "joy"), ("b", "joy"), ("a", "joy"))], EKMAN)[0]
    assert one.own == one.across == 0


def test_a_shift_of_one_speaker_is_not_counted_between_speakers():
    one = difficulties([talk(("a", "joy"), ("a", "anger"))], EKMAN)[0]
    assert one.own == pytest.approx(0.4) and one.across == 0


def test_a_turn_without_a_label_shifts_nothing():
    record = talk(("a", "joy"), ("a", None), ("b", "joy"))
    assert labels_of(record, EKMAN) == [3, -1, 3]
    one = difficulties([record], EKMAN)[0]
    assert one.own == one.across == 0


def test_options_are_the_price():
    assert value(("a", "joy"), ("a", "anger"), options=ShiftOptions(base=1.0)) == pytest.approx(2 / 3)
    plain = value(("a", "anger"), ("a", "disgust"), options=ShiftOptions(slope=0.0))
    assert plain == pytest.approx((0.4 + 1) / 3)


def test_similarity_keeps_its_laws():
    for own in (False, True):
        near = similarity(EKMAN, own)
        assert (near == near.T).all() and (near.diagonal() == 1).all()
        assert near.min() >= 0 and near.max() <= 1
        assert near[EKMAN.index("joy"), EKMAN.index("anger")] == 0
        assert near[EKMAN.index("neutral"), EKMAN.index("joy")] == pytest.approx(1 / 7)
    assert similarity(catalog.load("emorynlp-7")).shape == (7, 7)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(MalformedError, match="labelled in ekman-7"):
        difficulties([Record("1", turns=(Turn("a", None, "x"),))], EKMAN)
    with pytest.raises(MalformedError, match="no coordinates"):
        similarity(Space("mood", "one", (Axis("good"), Axis("bad"))))


@pytest.mark.corpus
def test_meld_is_as_measured(monkeypatch):
    monkeypatch.setenv("AFFETTO_DATA", str(DATA))
    values = [one.value for one in difficulties(catalog.load("meld").read("train"), EKMAN)]
    assert len(values) == 1038
    assert round(float(np.mean(values)), 4) == 0.5765
    assert round(min(values), 3) == 0.125
    assert round(max(values), 3) == 0.934


@pytest.mark.corpus
def test_the_command_says_so(monkeypatch):
    monkeypatch.setenv("AFFETTO_DATA", str(DATA))
    out = CliRunner().invoke(command, ["meld", "--split", "train", "--top", "1"]).output
    assert "1,038 talks, difficulty: mean 0.5765, least 0.125" in out and "most 0.934" in out
    lines = CliRunner().invoke(command, ["emorynlp", "--split", "dev", "--json"]).output.splitlines()
    assert len(lines) == 89 and 0 < json.loads(lines[0])["difficulty"] < 2
