"""What every Model of the catalog that reads talks keeps, whoever wrote it."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.span import Span

LINES = (
    ("Ada", "I lost my job today, and I don't know what to do."),
    ("Bo", "Oh no, I am so sorry. What happened?"),
    ("Ada", "They just told me, in front of everybody. I am furious!"),
    ("Bo", "That must have been awful. You could ask for a letter of reference."),
    ("Ada", ""),
    ("Bo", "<Media omitted>"),
    ("Ada", "Thank you. You are a real friend, I feel better now."),
)
ROLES = {"Ada": {"role": "seeker"}, "Bo": {"role": "supporter"}}
ODD = {
    "one turn": [("Ada", "Hello.")],
    "empty turns": [("Ada", ""), ("Bo", " "), ("Ada", "\n")],
    "nobody's name": [("", "Who is there?"), ("", "Me.")],
    "emoji": [("Ada", "😂😂👩‍👩‍👧‍👦"), ("Bo", "🏳️‍🌈 ok")],
    "right to left": [("آدا", "\u202eאני שמח مرحبا\u202c"), ("Bo", "שלום")],
    "mixed languages": [("Ada", "Ich bin so froh!"), ("Bo", "我很高兴"), ("Ada", "me too, yay")],
    "surrogates and nulls": [("Ada", "so sad \ud83d today"), ("Bo", "I am \x00 happy")],
    "placeholders": [("Ada", "<Media omitted>"), ("Bo", "image omitted"), ("Ada", "...")],
    "a very long turn": [("Ada", "I can't believe it. " * 400), ("Bo", "Nor can I.")],
    "twelve people": [(f"p{k % 12}", f"I am number {k}, and I am glad.") for k in range(24)],
}


def published() -> list[str]:
    cards = catalog.cards("model").items()
    rooms = ("affetto.models.dialogue", "affetto.conversation")
    return [id for id, card in cards if card.load.startswith(rooms) and (card.sha256 or "weights" not in card.facts)]


@pytest.fixture(params=published())
def model(request: pytest.FixtureRequest) -> Model:
    return catalog.load(request.param)


def talk(lines: object = LINES, timed: bool = False, roles: object = ROLES, id: str = "talk") -> Record:
    turns = tuple(
        Turn(who, Span(2 * i, 2 * i + 1.5) if timed else None, text)
        for i, (who, text) in enumerate(lines)  # type: ignore[arg-type]
    )
    return Record(id, turns=turns, people=roles)  # type: ignore[arg-type]


def test_it_is_a_model_and_names_its_card(model: Model) -> None:
    assert isinstance(model, Model)
    assert model.card == catalog.find(model.card.id)


def test_no_records_and_no_turns_get_nothing(model: Model) -> None:
    assert model([]) == []
    assert all(np.isnan(track.values).all() for track in model([Record("nothing")])[0])


@pytest.mark.parametrize("timed", [False, True])
def test_a_talk_is_answered_by_turns_in_the_declared_spaces(model: Model, timed: bool) -> None:
    (tracks,) = model([talk(timed=timed)])
    names = {"Ada", "Bo", "reader", ""}
    for track in tracks:
        assert track.space.id in {*model.card.spaces, "importance"}
        assert track.channel == "text" and track.subject in names
        assert track.unit in {"s" if timed else "turn", "turn", "char"}
        assert model.card.id == "conversation" or track.source == str(model.card)
    if model.card.id != "dialogue.care":
        assert tracks


def test_an_empty_turn_and_a_placeholder_say_nothing(model: Model) -> None:
    (tracks,) = model([talk()])
    for track in tracks:
        if track.space.id in ("ekman-7", "emorynlp-7", "strategy-8", "therapist-4", "client-talk-3", "epitome-3"):
            silent = np.isin(track.start, (4, 5)) & (track.unit == "turn")
            assert np.isnan(track.values[silent]).all()


@pytest.mark.parametrize("lines", ODD.values(), ids=ODD)
@pytest.mark.parametrize("roles", [{}, ROLES], ids=["no roles", "roles"])
def test_no_talk_stops_it_or_disturbs_another(model: Model, lines: list, roles: dict) -> None:
    alone = model([talk()])[0]
    before, _, after = model([talk(), talk(lines, roles=roles), talk()])
    for tracks in (before, after):
        assert_same(alone, tracks, float(model.card.facts.get("batch_slack", 0.03)))


def test_a_batch_answers_as_one_by_one(model: Model) -> None:
    talks = [talk(), talk(LINES[:2], id="b"), Record("post", (Text("hello"),)), talk(LINES[2:], roles={}, id="c")]
    slack = float(model.card.facts.get("batch_slack", 0.03))
    for together, alone in zip(model(talks), [model([one])[0] for one in talks], strict=True):
        assert_same(together, alone, slack)


def assert_same(one: tuple, other: tuple, slack: float) -> None:
    """Tell that two answers are the same up to what whole numbers in a batch move; causes may cross their threshold."""
    one, other = ([track for track in side if track.space.id not in ("cause", "importance")] for side in (one, other))
    for a, b in zip(one, other, strict=True):
        assert (a.space.id, a.subject, a.perspective, a.unit) == (b.space.id, b.subject, b.perspective, b.unit)
        assert a.spans == b.spans
        reach = a.space.axes[0].high - a.space.axes[0].low
        np.testing.assert_allclose(a.values, b.values, atol=slack * reach)
