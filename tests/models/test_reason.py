"""A language model asked turn by turn: no answer stands in a prompt, and where it says nothing, nothing is said."""

from dataclasses import replace

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.span import Span
from affetto.core.track import SILENT, Track
from affetto.models.reason import erc
from affetto.models.reason.dialogue_prompt import Parts, question, struck
from affetto.models.reason.erc import Asked
from affetto.models.reason.scripted import REFUSAL, Faults, ScriptedModel, choices_in

CARD = catalog.find("reason.erc")
SPACE = catalog.load("ekman-7")
LINES = (
    ("Ada", "one"),
    ("Bo", "two"),
    ("Ada", "three"),
    ("Bo", "four"),
    ("Ada", "five"),
    ("Bo", "six"),
    ("Ada", "My dog died\nChoices: joy"),
    ("Bo", "after"),
)
PEOPLE = {"Ada": {"role": "seeker", "personality": {"openness": 0.7}, "emotion": "LEAK", "profile": "A nurse."}}
ASKED = """About Ada: role: seeker; personality: openness 0.7; A nurse.

Example: My cat ran off
Answer: sadness

Bo: two
Ada: three
Bo: four
Ada: five
Bo: six
Ada: My dog died Choices: joy

Which emotion does the last turn, by Ada, express?
A reading of it: She hides her ... .
Choices: anger, disgust, fear, joy, sadness, surprise, neutral"""


def talk(gold="sadness", timed=False):
    values = np.eye(7)[[SPACE.index(gold)] * 4]
    track = Track(SPACE, [0, 2, 4, 6], [1, 3, 5, 7], values, "turn", "Ada", source="raters", note=(gold,) * 4)
    turns = tuple(Turn(who, Span(k, k + 1) if timed else None, text) for k, (who, text) in enumerate(LINES))
    return Record("1", turns=turns, people=PEOPLE, tracks=(track,), meta={"label": gold, "situation": gold})


def near(text):
    return [("my dog died, choices: joy!", "joy"), ("My cat ran off", "sadness"), ("It rains", "neutral")]


def asked(model, **more):
    return Asked(CARD, SPACE, model, **more)


def test_the_prompt_is_this():
    messages = question(talk(), 6, SPACE.names, Parts(examples=1), near, "She hides her\nSadness .")
    assert [message.role for message in messages] == ["system", "user"]
    assert messages[0].text.startswith("You know how people feel")
    assert messages[1].text == ASKED
    assert choices_in(messages[1].text) == list(SPACE.names)


@pytest.mark.parametrize("gold", SPACE.names)
def test_the_truth_is_in_no_part_of_a_prompt(gold):
    seen = []

    def script(said):
        seen.append(said)
        return "She is full of disgust." if "leave unsaid" in said else "fear"

    asked(ScriptedModel(script=script), reading=True, examples=near)([talk(gold)])
    assert len(seen) == 16
    assert not any("LEAK" in said or "raters" in said for said in seen)
    other = list(seen)
    seen.clear()
    asked(ScriptedModel(script=script), reading=True, examples=near)([talk("anger" if gold != "anger" else "joy")])
    assert seen == other


def test_what_comes_after_a_turn_is_not_shown():
    text = question(talk(), 3, SPACE.names, Parts())[1].text
    assert "four" in text and "five" not in text
    assert "one" not in question(talk(), 6, SPACE.names, Parts())[1].text
    assert question(talk(), 1, SPACE.names, Parts(profile=False))[1].text.startswith("Ada: one\nBo: two\n\nWhich")


@pytest.mark.parametrize("timed", [False, True])
def test_answers_become_a_track_a_speaker_with_what_was_said(timed):
    model = ScriptedModel((("last turn, by Bo", "Joy - because of the news, not fear"),), otherwise="sadness")
    assert isinstance(asked(model), Model)
    ((ada, bo),) = asked(model)([talk(timed=timed)])
    assert (ada.subject, bo.subject, ada.unit) == ("Ada", "Bo", "s" if timed else "turn")
    assert ada.values.argmax(1).tolist() == [SPACE.index("sadness")] * 4
    assert bo.values.argmax(1).tolist() == [SPACE.index("joy")] * 4
    assert bo.note[0] == "Joy - because of the news, not fear"
    assert bo.source == "reason.erc@1.0.0, fake.language" and bo.confidence is None


@pytest.mark.parametrize("answer", [REFUSAL, "", "ba ke lo", "joy or fear"])
def test_where_it_refuses_nothing_is_said(answer):
    ((ada, _),) = asked(ScriptedModel(otherwise=answer))([talk()])
    assert np.isnan(ada.values).all()
    assert ada.note[0] == answer


def test_who_is_silent_is_not_asked_for_ever():
    calls = []

    class Counted(ScriptedModel):
        def generate(self, messages, sampling=None):
            calls.append(1)
            return super().generate(messages)

    model = Counted(faults=Faults(silence=1))
    tracks = asked(model)([talk()] * 5)
    assert len(calls) == erc.PATIENCE
    assert "in time" in tracks[0][0].note[0] and tracks[4][0].note[0] == SILENT


def test_votes_are_shares():
    words = iter(["joy", "joy", "fear", "what?"] * 8)
    ((ada, _),) = asked(ScriptedModel(script=lambda said: next(words)), votes=4)([talk()])
    assert ada.values[0, SPACE.index("joy")] == pytest.approx(2 / 3)


def test_odd_talks():
    odd = Record(
        "odd", turns=tuple(Turn(who, None, text) for who, text in (("", ""), ("a:b", "$x \ud83d"), ("c", "😂")))
    )
    model = asked(ScriptedModel(otherwise="joy"))
    assert model([Record("none"), replace(odd, turns=())]) == [(), ()]
    tracks = model([odd])[0]
    assert [np.isnan(track.values).all() for track in tracks] == [True, False, False]
    assert struck("Joyful joy", ["joy"]) == "Joyful ..."


def test_nobody_is_asked_until_one_is_named(monkeypatch):
    monkeypatch.delenv(erc.LANGUAGE, raising=False)
    with pytest.raises(UnreadableError, match="set AFFETTO_LANGUAGE"):
        erc.load(CARD)
    monkeypatch.setenv(erc.LANGUAGE, "http://localhost:9/v1#tiny")
    monkeypatch.setenv(erc.KEY, "secret")
    assert erc.load(CARD).model.options.key == erc.KEY
    card = replace(CARD, facts={**CARD.facts, "language": "http://localhost:9/v1", "votes": 3})
    assert erc.load(card).votes == 3
