"""Feelings of turns: windows of long talks, what is known of turns, and what a turn's answer may depend on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError
from affetto.core.record import Record, Turn
from affetto.models.dialogue import erc
from affetto.models.dialogue.talk_windows import Reach, alike, packed, said, windows

LINES = ("I lost my job today.", "Oh no, I am so sorry!", "I'm furious with them.", "Of course you are.", "Thanks.")


def talk(lines: tuple[str, ...], id: str = "talk") -> Record:
    return Record(id, turns=tuple(Turn("AB"[k % 2], None, text) for k, text in enumerate(lines)))


@pytest.fixture(scope="module")
def model() -> erc.Erc:
    found: erc.Erc = catalog.load("dialogue.erc")
    return found


reaches = st.sampled_from([Reach(14, 7, 0), Reach(14, 4, 4), Reach(3, 1, 1), Reach(1, 0, 0), Reach(20, 12, 0)])


@given(st.integers(0, 200), reaches)
def test_each_turn_is_answered_in_one_window_with_the_turns_around_it(turns: int, reach: Reach) -> None:
    answered = []
    for w in windows(0, turns, reach):
        assert 0 <= w.start <= w.first < w.last <= w.end <= turns and w.end - w.start <= reach.most
        assert w.first - w.start >= min(w.first, reach.before)
        assert w.end - w.last >= min(turns - w.last, reach.after)
        answered += range(w.first, w.last)
    assert answered == list(range(turns))


@given(st.lists(st.integers(1, 300), max_size=30), st.integers(1, 2048))
def test_batches_hold_each_window_once_and_no_more_than_there_is_room_for(sizes: list[int], room: int) -> None:
    found = list(alike(sizes, room))
    assert sorted(int(i) for rows in found for i in rows) == list(range(len(sizes)))
    assert all(len(rows) == 1 or max(sizes[i] for i in rows) * len(rows) <= room for rows in found)


def test_windows_are_packed_with_the_turn_and_speaker_of_each_piece() -> None:
    states = [[np.full((2, 3), 1.0), np.full((1, 3), 2.0)], [np.full((1, 3), 3.0)]]
    heard = [np.arange(8.0).reshape(2, 4), np.ones((1, 4))]
    made = packed(states, heard, [["Bo", "Ada"], ["Ada"]])
    assert made["turn"].tolist() == [[0, 0, 1], [0, -1, -1]]
    assert made["speaker"].tolist() == [[0, 0, 1], [0, 0, 0]]
    assert made["who"].tolist() == [[0, 1], [0, -1]]
    assert made["states"][:, :, 0].tolist() == [[1, 1, 2], [3, 0, 0]]
    assert made["heard"][:, :, 0].tolist() == [[0, 4], [1, 0]]


def test_only_the_first_words_of_a_turn_are_read() -> None:
    assert said("  ") == "."
    assert said("word " * 100) == " ".join(["word"] * 63)
    assert len(said("x" * 5000)) == 320


def test_a_turn_is_answered_by_what_was_said_before_it_and_not_after(model: erc.Erc) -> None:
    slack = float(model.card.facts["batch_slack"])
    whole, begun = (model.logits([talk(lines)])[0] for lines in (LINES, LINES[:3]))
    other = model.logits([talk((*LINES[:3], "That is wonderful news!!! I love you!", "Hooray!"))])[0]
    p, q, r = (model.head.values(x[:3]) for x in (whole, begun, other))
    np.testing.assert_allclose(p, q, atol=slack)
    np.testing.assert_allclose(p, r, atol=slack)
    alone = model.head.values(model.logits([talk(LINES[3:4])])[0])
    assert np.abs(alone - model.head.values(whole[3:4])).max() > 0.01


def test_with_future_also_sees_what_comes_after() -> None:
    model = catalog.load("dialogue.erc-with-future")
    glad = (*LINES[:3], "That is wonderful news!!! I love you!", "Hooray!")
    a, b = (model.logits([talk(lines)])[0][2] for lines in (LINES, glad))
    assert np.abs(a - b).max() > 0.01


def test_names_of_speakers_only_tell_who_is_the_same(model: erc.Erc) -> None:
    plain = talk(LINES)
    named = Record(
        "talk", turns=tuple(Turn({"A": "Joey", "B": "Рахель"}[t.speaker], None, t.text) for t in plain.turns)
    )
    np.testing.assert_array_equal(model.logits([plain])[0], model.logits([named])[0])


def test_a_talk_of_hundreds_of_turns_is_answered_whole(model: erc.Erc) -> None:
    tracks = model([talk(LINES * 60)])[0]
    assert sum(len(track) for track in tracks) == 300
    assert not any(np.isnan(track.values).any() for track in tracks)
    for track in tracks:
        np.testing.assert_allclose(track.values.sum(1), 1, atol=1e-4)
        assert ((track.confidence > 0) & (track.confidence < 1)).all()


def test_known_gives_a_vector_for_each_turn(model: erc.Erc) -> None:
    known = model.known([talk(LINES), Record("nothing"), talk(("",))])
    assert [part.shape for part in known] == [(5, 960), (0, 960), (1, 960)]
    assert all(part.dtype == np.float32 for part in known)
    assert len(np.unique(known[0].round(4), axis=0)) == 5


def test_cards_share_one_network_and_answer_in_their_own_spaces() -> None:
    models = [catalog.load(f"dialogue.erc{end}") for end in ("", "-daily", "-emorynlp", "-with-future")]
    assert len({id(model.upper) for model in models}) == 1
    for model in models:
        assert [model.head.space.id] == list(model.card.spaces)
        assert {track.space.id for track in model([talk(LINES)])[0]} == set(model.card.spaces)


def test_a_head_that_the_network_lacks_is_named() -> None:
    card = catalog.find("dialogue.erc")
    odd = replace(card, facts={**card.facts, "head": "iemocap"})
    with pytest.raises(CatalogError, match="iemocap"):
        erc.load(odd)


def test_strong_words_are_read(model: erc.Erc) -> None:
    lines = (
        "I'm so happy for you! This is wonderful!",
        "I hate you! Get out of here, you liar!",
        "I miss her so much.",
    )
    tops = [model.head.space.names[k] for k in model.head.values(model.logits([talk(lines)])[0]).argmax(1)]
    assert tops == ["joy", "anger", "sadness"]
