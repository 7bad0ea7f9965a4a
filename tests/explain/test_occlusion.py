"""Explanations: the words that carry an answer, on the shipped encoder."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.explain.occlusion import explain


@pytest.fixture(scope="module")
def encoder():
    return catalog.load("text.affect-en")


def reasons(model, record, space="ekman-7", row=0, axis=None):
    track = next(t for t in model([record])[0] if t.space.id == space)
    return track, explain(model, record, track, axis, row)


def test_the_telling_word_is_named(encoder):
    record = Record("1", (Text("The food came late, but the cook was wonderful."),))
    track, (why,) = reasons(encoder, record)
    best = int(why.column("importance").argmax())
    assert why.note[best] == "wonderful" and track.top().name == "joy"
    assert record.text[int(why.start[best]) : int(why.end[best])] == "wonderful"
    assert why.about[best] == Span(0, len(record.text), "char") and "ekman-7: joy" in why.source


def test_any_axis_can_be_asked_for(encoder):
    record = Record("1", (Text("I love this song and I hate this rain."),))
    for axis, word in (("love", "love"), ("anger", "hate")):
        _, (why,) = reasons(encoder, record, "goemotions-28", axis=axis)
        assert why.note[int(why.column("importance").argmax())] == word


def test_a_turn_is_explained_by_its_own_words(encoder):
    turns = (Turn("a", None, "See you at nine."), Turn("b", None, "I am terrified of him."))
    track = next(t for t in encoder([Record("1", (), turns)])[0] if t.space.id == "ekman-7" and t.subject == "b")
    (why,) = explain(encoder, Record("1", (), turns), track)
    assert why.note[int(why.column("importance").argmax())] == "terrified" and why.subject == "b"


def test_nothing_said_is_nothing_explained(encoder):
    assert reasons(encoder, Record("1", (Text(""),)))[1] == ()


def test_a_long_text_is_explained_in_few_questions(encoder):
    record = Record(
        "1", (Text("The shop is on the left. " * 40 + "What a disgusting smell! " + "It has a door. " * 40),)
    )
    asked = []

    class Counting:
        card = encoder.card

        def __call__(self, records):
            asked.extend(records)
            return encoder(records)

    track = next(t for t in encoder([record])[0] if t.space.id == "goemotions-28")
    (why,) = explain(Counting(), record, track, "disgust")
    assert len(asked) < 250 and np.isfinite(why.values).all()
    assert "disgusting" in [why.note[i] for i in np.argsort(-why.column("importance"))[:5]]
