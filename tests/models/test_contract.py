"""What every Model of the catalog that reads words keeps, whoever wrote it."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import MissingExtraError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.span import Span

HOSTILE = {
    "emoji": "😂😂 ok 👩‍👩‍👧‍👦 🏳️‍🌈",
    "right to left": "\u202eאני שמח مرحبا\u202c",
    "null bytes": "I am \x00 happy \x00",
    "lone surrogate": "so sad \ud83d today",
    "controls": "\x1b[31mred\x07\r\n\t\x85",
    "combining": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "only punctuation": "?!?! ... ---",
    "one letter": "a",
    "one word of 10,000 letters": "a" * 10_000,
    "html": "<script>alert('happy')</script> &nbsp;",
    "other scripts": "我很高兴 とても嬉しい मैं खुश हूँ",
}
POSTS = (
    "I got the job!!! I can't stop grinning 😄",
    "We buried Biscuit under the pear tree this morning.",
    "You lied to my face.",
    "The ferry runs from pier 3.",
    "not bad at all, actually kind of loved it",
)


def published() -> list[str]:
    """Return the ids of all models of words; one whose card has no checksum of its weights yet is not out."""
    cards = catalog.cards("model").items()
    return [
        id
        for id, card in cards
        if card.channel not in ("voice", "face", "fused")
        and (card.sha256 or "weights" not in card.facts)
        and not card.load.startswith(("affetto.models.dialogue", "affetto.models.reason", "affetto.conversation"))
    ]


@pytest.fixture(params=published())
def model(request: pytest.FixtureRequest) -> Model:
    card = catalog.find(request.param)
    try:
        return catalog.load(card.id)
    except (MissingExtraError, UnreadableError) as error:
        if not (card.facts.get("extra") or card.facts.get("network")):
            raise
        pytest.skip(str(error))


def post(text: str, id: str = "1") -> Record:
    return Record(id, (Text(text),))


def talk(timed: bool) -> Record:
    words = (("Ada", "I can't believe it!"), ("Bo", "Oh no, what happened?"), ("Ada", "I won."), ("Bo", ""))
    turns = tuple(Turn(who, Span(2 * i, 2 * i + 1.5) if timed else None, text) for i, (who, text) in enumerate(words))
    return Record("talk", turns=turns)


def test_it_is_a_model_and_names_its_card(model: Model) -> None:
    assert isinstance(model, Model)
    assert model.card == catalog.find(model.card.id)


def test_as_many_answers_as_records_in_their_order(model: Model) -> None:
    records = [post(text, str(i)) for i, text in enumerate(POSTS)]
    forward, backward = model(records), model(records[::-1])
    assert len(forward) == len(records)
    assert all(len(tracks) for tracks in forward)
    for one, other in zip(forward, backward[::-1], strict=True):
        assert_same(one, other)


def test_a_batch_answers_as_one_by_one(model: Model) -> None:
    records = [*(post(text, str(i)) for i, text in enumerate(POSTS)), post(""), talk(True), post(POSTS[0] * 40)]
    for together, alone in zip(model(records), [model([record])[0] for record in records], strict=True):
        assert_same(together, alone, float(model.card.facts.get("batch_slack", 2e-3)))


def test_the_same_words_get_the_same_answer(model: Model) -> None:
    assert model([post(POSTS[0])]) == model([post(POSTS[0])])


def test_no_records_no_answers(model: Model) -> None:
    assert model([]) == []


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_nothing_is_said_of_an_empty_text(model: Model, text: str) -> None:
    for track in model([post(text)])[0]:
        assert np.isnan(track.values).all()
        assert track.confidence is None or np.isnan(track.confidence).all()


def test_a_record_without_text_gets_no_tracks_or_empty_ones(model: Model) -> None:
    assert all(np.isnan(track.values).all() for track in model([Record("nothing")])[0])


def test_an_empty_record_in_a_batch_disturbs_nobody(model: Model) -> None:
    with_gap = model([post(POSTS[0]), post(""), Record("nothing"), post(POSTS[1])])
    without = model([post(POSTS[0]), post(POSTS[1])])
    assert_same(with_gap[0], without[0])
    assert_same(with_gap[3], without[1])


def test_the_source_names_the_card_and_the_spaces_are_declared(model: Model) -> None:
    for track in model([post(POSTS[0])])[0]:
        assert track.source == str(model.card)
        assert track.space.id in model.card.spaces
        assert track.space == catalog.load(track.space.id)
        assert track.channel == model.card.channel
    assert {track.space.id for track in model([post(POSTS[0])])[0]} == set(model.card.spaces)


def test_a_post_is_one_row_over_its_characters(model: Model) -> None:
    for track in model([post(POSTS[1])])[0]:
        assert track.unit == "char"
        assert track.spans == (Span(0, len(POSTS[1]), "char"),)


@pytest.mark.parametrize("timed", [True, False])
def test_a_talk_has_a_track_for_each_speaker(model: Model, timed: bool) -> None:
    tracks = model([talk(timed)])[0]
    assert {"Ada", "Bo"} <= {track.subject for track in tracks} <= {"Ada", "Bo", "reader"}
    for track in tracks:
        assert track.unit == ("s" if timed else "turn")
        if track.subject == "Bo":
            assert track.spans[0] == (Span(2, 3.5) if timed else Span(1, 2, "turn"))
            assert np.isnan(track.values[1]).all()
        assert len(track) == (4 if track.subject == "reader" else 2)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_stops_it(model: Model, text: str) -> None:
    before, hurt, after = model([post(POSTS[0]), post(text), post(POSTS[0])])
    assert_same(before, after)
    assert len(hurt) == len(before)


def test_a_very_long_text_is_read_or_refused_but_stops_nobody(model: Model) -> None:
    long = " ".join(POSTS) + " "
    tracks = model([post(long * (100_000 // len(long)))])[0]
    assert {track.space.id for track in tracks} <= set(model.card.spaces)


def assert_same(one: tuple, other: tuple, slack: float = 2e-3) -> None:
    """Tell that two answers are the same, up to float32 arithmetic in another order, or what the card owns up to."""
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert (a.space, a.subject, a.perspective, a.unit, a.spans) == (
            b.space,
            b.subject,
            b.perspective,
            b.unit,
            b.spans,
        )
        if slack <= 2e-3:
            assert [*filter(None, a.note or ())] == [*filter(None, b.note or ())]
        np.testing.assert_allclose(a.values, b.values, atol=slack)
        if a.confidence is not None:
            np.testing.assert_allclose(a.confidence, b.confidence, atol=slack)
