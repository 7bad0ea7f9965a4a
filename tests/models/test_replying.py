"""`dialogue.reply` and `dialogue.planner`: what answers what, and what would come next."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.generate import bank as banks
from affetto.generate.reply import reply
from affetto.models.dialogue.planner import Planner, supporter
from affetto.models.dialogue.replying import SIGNS, Replying, checksum, signs, spelled

DOG = [("My dog died last night. I can't stop crying.", False)]
JOB = [("I finally got the job I always wanted!", False)]


@pytest.fixture(scope="module")
def model() -> Replying:
    return catalog.load("dialogue.reply")


@pytest.fixture(scope="module")
def planner() -> Planner:
    return catalog.load("dialogue.planner")


def test_vectors_have_length_one_and_their_place_is_kept(model: Replying) -> None:
    texts = ["I am so sorry for your loss.", "", "Congratulations!", "...", "How old was he?"]
    found = model.replies(texts)
    lengths = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(lengths, [1, 0, 1, 0, 1], atol=1e-3)
    np.testing.assert_allclose(model.replies(texts[::-1])[::-1], found, atol=0.05)
    assert model.talks([[], DOG]).shape == (2, 256) and not model.talks([[]]).any()
    assert model.replies([]).shape == (0, 256)


def test_a_reply_to_the_matter_fits_better_than_one_to_another(model: Replying) -> None:
    texts = ["I am so sorry for your loss. How old was your dog?", "Congratulations on the new job! When do you start?"]
    sad, glad = model.fits(DOG, texts), model.fits(JOB, texts)
    assert sad[0] > sad[1] + 1 and glad[1] > glad[0] + 1


def test_whose_turn_it_was_counts(model: Replying) -> None:
    one, other = model.talks([[("Hello, my dog died.", True), DOG[0]], [("Hello, my dog died.", False), DOG[0]]])
    assert not np.allclose(one, other, atol=1e-3)


def test_only_the_last_turns_are_laid_into_the_vector(model: Replying) -> None:
    last = [("b", True), ("How are you?", False), ("Fine.", True), ("My dog died.", False)][-3:]
    near, far = model.talks([last, [("We won the lottery!", False)] * 4 + last])
    np.testing.assert_allclose(near, far, atol=0.05)


def test_shared_words_count_the_more_the_rarer_they_are() -> None:
    rarity = np.zeros(1 << 15, np.float32)
    rarity[[checksum("dog"), checksum("was")]] = 5, 1
    turns, texts = ["My dogs was ill"], ["A dog", "It was", "Nothing"]
    found = signs(turns, texts, np.array([0.5, 0.25, 0], np.float32), np.ones(3, np.float32), rarity)
    assert found.shape == (3, SIGNS)
    assert found[0, 0] == 0.5 and list(found[:, 1]) == [5, 1, 0] and list(found[:, 5]) == [2.5, pytest.approx(0.1), 0]
    asks = signs([*turns] * 4, ["A dog?"], *np.zeros((2, 1), np.float32), rarity)[0]
    assert list(found[:, 10]) == [1, 1, 1] and asks[7] == 1 and asks[9] == 3 and asks[8] == pytest.approx(3 * np.log(3))
    assert spelled("Dogs, dogs!") == {checksum("dog")}


def test_turns_that_take_up_what_was_said_score_above_those_that_do_not(model: Replying) -> None:
    lines = [("a", DOG[0][0]), ("b", "I am so sorry for your loss. How old was your dog?"), ("a", "")]
    other = [lines[0], ("b", "Congratulations on the new job! When do you start?"), ("b", "Hm?")]
    good, bad = ({t.subject: t for t in tracks} for tracks in model([talk(lines), talk(other)]))
    assert good["b"].values[0, 0] > bad["b"].values[0, 0]
    assert np.isnan(good["a"].values).all()
    assert np.isnan(bad["b"].values[1, 0])


def talk(lines: list[tuple[str, str]], **facts: object) -> Record:
    return Record("talk", turns=tuple(Turn(who, None, text) for who, text in lines), **facts)  # type: ignore[arg-type]


def test_the_plan_is_one_row_after_the_last_turn(planner: Planner) -> None:
    lines = [("a", "I feel so low."), ("b", "What happened?"), ("a", "I lost my job.")]
    (tracks, nothing, empty) = planner([talk(lines), Record("none"), talk([("a", ""), ("b", "...")])])
    assert nothing == empty == ()
    (track,) = tracks
    assert track.subject == "b" and list(track.start) == [3] and list(track.end) == [4] and track.note == ("expected",)
    assert track.values.sum() == pytest.approx(1, abs=1e-4)


def test_who_supports_is_known_by_role_or_by_turns() -> None:
    lines = [("a", "Hi"), ("b", "Hi"), ("a", "I feel low.")]
    assert supporter(talk(lines)) == "b"
    assert supporter(talk(lines, people={"a": {"role": "supporter"}})) == "a"
    assert supporter(talk(lines[:1])) == "reader"


def test_who_greets_is_not_yet_given_advice(planner: Planner) -> None:
    start = [("a", "Hello"), ("b", "Hi there!"), ("a", "I had a terrible week, my boss shouts at me.")]
    late = [("a" if k % 2 else "b", text) for k, text in enumerate(["And then?", "I do not know what to do now."] * 12)]
    first, then = (planner([talk(lines)])[0][0] for lines in (start, late))
    ask, advise = (first.space.index(name) for name in ("question", "providing suggestions"))
    assert first.values[0, ask] > first.values[0, advise]
    assert then.values[0, advise] > first.values[0, advise]


def test_the_written_bank_is_of_this_network_and_answers_the_matter(model: Replying, planner: Planner) -> None:
    found = banks.written()
    assert found.by == banks.maker(model)
    for said, words in (
        (DOG[0][0], ("sorry", "loss", "pet", "dog", "miss", "hurt")),
        (JOB[0][0], ("congrat", "great", "proud", "work")),
    ):
        chosen = reply(talk([("a", said)]), found, model, planner)
        assert len(chosen) == 5
        assert any(word in one.text.lower() for one in chosen for word in words)
