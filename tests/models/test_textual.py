"""Tracks become one sentence of a fixed grammar, and a text model is asked about it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.models.fusion.textual import (
    NORMS,
    SOUNDS,
    Cues,
    Textualised,
    TextualOptions,
    cues,
    own_limits,
    reading,
    sentence,
    windows,
)

ALL = Cues(
    {"lip pressor": 2.04, "brow lowerer": 3.1, "jaw drop": 0.9},
    {"anger": 0.62, "disgust": 0.2, "joy": 0.05, "neutral": 0.13},
    {"pitch": 1, "loudness": 1, "rate": 1, "jitter": 0},
    {"anger": 0.5, "sadness": 0.5},
    "I am fine.",
)
GOLDEN = (
    "brow lowerer 3.1, lip pressor 2.0; face: anger .62, disgust .20, neutral .13; pitch high, loud, fast; "
    'voice: anger .50, sadness .50; says: "I am fine."'
)


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (ALL, GOLDEN),
        (Cues(), "no face; silent"),
        (Cues(words='"No," he said'), "no face; no voice; says: \"'No,' he said\""),
        (Cues(words="Well."), 'no face; no voice; says: "Well."'),
        (Cues(sound={"pitch": -1, "pitch-range": -1}), "no face; pitch low, flat; no words"),
        (Cues(sound={"pitch": 0}), "no face; voice as usual; no words"),
        (Cues(units={"jaw drop": 0.4}), "face at rest; silent"),
        (Cues(units={}), "face at rest; silent"),
        (Cues(face={"joy": 1.0}), "face: joy 1.00; silent"),
        (Cues(face=dict.fromkeys("abcdefghijklm", 1 / 13)), "face: unsure; silent"),
        (Cues(voice={"fear": 0.345}, words="  a\n b\t"), 'no face; voice: fear .34; says: "a b"'),
    ],
)
def test_golden_sentences(known, text):
    assert sentence(known) == text


def test_options_say_from_where_on_a_thing_is_named():
    wide = TextualOptions(unit=0.5, units=2, top=1, least=0.5, longest=5)
    assert sentence(ALL, wide) == (
        'brow lowerer 3.1, lip pressor 2.0; face: anger .62; pitch high, loud, fast; voice: anger .50; says: "fine."'
    )


names = st.text("abc ", min_size=1, max_size=4)
probabilities = st.dictionaries(names, st.floats(0, 1), max_size=9)


@given(probabilities, probabilities, st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_order_of_what_is_known_does_not_matter(face, voice, words):
    one = sentence(Cues(None, face, None, voice, words))
    other = sentence(Cues(None, dict(reversed(face.items())), None, dict(reversed(voice.items())), words))
    assert one == other
    assert "\n" not in one


def track(space, channel, rows, step=1.0, subject="ann"):
    rows = np.asarray(rows, np.float32)
    start = np.arange(len(rows)) * step
    return Track(catalog.load(space), start, start + step, rows, subject=subject, channel=channel)


def units(**intensities):
    space = catalog.load("facs-au")
    row = np.full(len(space.axes), np.nan)
    for name, value in intensities.items():
        row[space.index(name)] = value
    return row


def sounds(**values):
    space = catalog.load("prosody")
    row = np.full(len(space.axes), np.nan)
    for name, value in values.items():
        row[space.index(name.replace("_", "-"))] = value
    return row


def film():
    """Return four seconds of ann, who is seen all the time and speaks in the last two, and of ben, who only speaks."""
    happy, cross = np.eye(7)[3], np.eye(7)[0]
    return Record(
        "film",
        turns=(Turn("ann", Span(2, 4), "You lied."), Turn("ben", Span(0, 1.5), "Hello?")),
        tracks=(
            track("facs-au", "face", [units(AU12=2.2, AU06=1.5), units(AU12=0.4), units(AU04=3.0), units(AU04=2.0)]),
            track("ekman-7", "face", [happy, happy, cross, 0.75 * cross + 0.25 * happy]),
            track("prosody", "voice", [sounds(), sounds(), sounds(pitch=300.0), sounds(pitch=320.0, rate=2.0)]),
        ),
    )


def test_a_film_in_sentences():
    found = list(windows(film(), TextualOptions(window=2)))
    assert [(one.subject, one.start, one.end, one.text) for one in found] == [
        ("ann", 0, 2, "lip corner puller 2.2, cheek raiser 1.5; face: joy 1.00; silent"),
        ("ann", 2, 4, 'brow lowerer 3.0; face: anger .88, joy .12; pitch high, slow; says: "You lied."'),
        ("ben", 0, 2, 'no face; no voice; says: "Hello?"'),
        ("ben", 2, 4, "no face; silent"),
    ]
    assert [one.said for one in found] == [True, True, True, False]


def test_rows_weigh_by_how_far_they_reach_into_the_window():
    half = cues(film(), "ann", 1.5, 2.75)
    assert half.face["joy"] == pytest.approx(0.5 / 1.25)
    assert half.units == {"lip corner puller": pytest.approx(0.4), "brow lowerer": 3.0}
    assert cues(film(), "ann", 9, 10) == cues(film(), "nobody", 0, 4) == Cues()


def test_what_others_feel_of_it_is_not_said():
    happy = replace(track("ekman-7", "face", [np.eye(7)[3]]), perspective="evoked")
    assert cues(Record("1", tracks=(happy,)), "ann", 0, 1) == Cues()


def test_enough_rows_make_a_median_of_ones_own():
    calm = [sounds(pitch=95.0 + k) for k in range(10)]
    few, many = track("prosody", "voice", calm[:3]), track("prosody", "voice", [*calm, sounds(pitch=125.0)])
    assert own_limits(few) == dict(NORMS)
    low, high = own_limits(many)["pitch"]
    assert 95 < low < 100 < high < 105
    now = cues(Record("1", tracks=(many,)), "ann", 10, 11)
    assert now.sound["pitch"] == 1
    assert cues(Record("1", tracks=(few,)), "ann", 0, 1).sound["pitch"] == -1


def test_what_is_told_of_a_voice_is_an_axis():
    names = set(catalog.load("prosody").names)
    assert set(SOUNDS) <= names
    assert set(NORMS) <= set(SOUNDS)
    assert all(low < high for low, high in NORMS.values())


@pytest.fixture(scope="module")
def model():
    return reading(catalog.load("fake"))


def test_a_text_model_answers_the_sentences(model):
    model = replace(model, options=TextualOptions(window=2))
    (found,) = model([film()])
    assert [(one.subject, one.space.id, len(one)) for one in found] == [
        ("ann", "ekman-7", 2),
        ("ann", "vad", 2),
        ("ben", "ekman-7", 2),
        ("ben", "vad", 2),
    ]
    ann = found[0]
    assert (ann.unit, ann.channel, ann.source) == ("s", "fused", f"{model.card} > fake@1")
    assert ann.note[0] == "lip corner puller 2.2, cheek raiser 1.5; face: joy 1.00; silent"
    (alone,) = catalog.load("fake")([Record("x", (Text(ann.note[1]),))])
    np.testing.assert_array_equal(ann.values[1], alone[0].values[0])
    np.testing.assert_array_equal(ann.confidence[1], alone[0].confidence[0])
    assert np.isnan(found[2].values[1]).all()
    assert found[2].note[1] == "not said"


def test_where_nothing_lies_in_seconds_nothing_is_said(model):
    assert model([]) == []
    post = Record("post", (Text("I won!"),))
    unheard = Record("quiet", tracks=(track("ekman-7", "face", np.full((2, 7), np.nan)),))
    assert model([post, unheard]) == [(), ()]
    two = model([post, film()])
    assert two[0] == ()
    assert two[1] == model([film()])[0]


def test_the_card_names_the_model_that_reads():
    card = catalog.find("fusion.textual")
    assert catalog.find(card.facts["reader"], "model").channel == "text"
    own = catalog.load("fusion.textual")
    assert isinstance(own, Model)
    assert isinstance(own, Textualised)
    (found,) = own([film()])
    assert {one.space.id for one in found} <= set(card.spaces)
    assert all(one.subject in ("ann", "ben") for one in found)


@pytest.mark.corpus
def test_descriptions_of_meld_match_its_utterances(monkeypatch):
    pytest.importorskip("scipy")
    from recipes import fusion_textual as recipe

    monkeypatch.setenv("AFFETTO_DATA", str(recipe.DATA))

    found = recipe.utterances("test")
    assert (len(found), len({one.dialogue for one in found})) == (1909, 219)
    names = {str(axis.facts["facs_name"]).lower() for axis in catalog.load("facs-au").axes}
    assert {name for one in found for name in one.units} <= names
    assert all(set(one.sound) == set(recipe.HEARD) for one in found)
    assert recipe.said(found[:1])[0].count("; ") == 2
