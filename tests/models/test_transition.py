"""What comes next in a talk: temperament by hand, who is asked about, a planted law, and the published network."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.models.dialogue.transition import ANCHORS, TRAITS, Asked, Network, anchors, load, personality, temperament
from recipes.dialogue_transition import Options, f1s, lean, train

SPACE = catalog.load("ekman-7")
CARD = catalog.find("dialogue.transition")
ROLES = {
    "Chandler": ((0.648, 0.375, 0.386, 0.58, 0.477), (0.51389, -0.00069, 0.27175)),
    "Ross": ((0.722, 0.489, 0.6, 0.533, 0.356), (0.50811, 0.06528, 0.45307)),
}
"""Personality as PELD gives it, and the temperament by the three formulas, by hand."""


def talk(*said: tuple[str, str], id: str = "1", **more: object) -> Record:
    return Record(id, turns=tuple(Turn(who, None, text) for who, text in said), **more)


def felt(turn: int, label: str, who: str) -> Track:
    row = [[float(label == name) for name in SPACE.names]]
    return Track(SPACE, [turn], [turn + 1], row, unit="turn", subject=who, source="raters")


@pytest.fixture(scope="module")
def model():
    return load(CARD)


@pytest.mark.parametrize("role", ROLES)
def test_the_temperament_of_two_roles(role: str) -> None:
    ocean, vad = ROLES[role]
    assert temperament(ocean).tolist() == pytest.approx(vad, abs=1e-5)
    assert temperament([ocean, ocean]).shape == (2, 3)


def test_anchors_stand_in_the_order_of_the_space() -> None:
    assert anchors()[SPACE.index("joy")].tolist() == pytest.approx(ANCHORS["joy"])
    assert not anchors()[SPACE.index("neutral")].any()


def planted(n: int, seed: int) -> tuple[Asked, np.ndarray]:
    """Return places at which personality decides which way words move a feeling, and the feeling arrived at."""
    rng = np.random.default_rng(seed)
    feeling = np.eye(7, dtype=np.float32)[rng.integers(0, 7, n)]
    people = temperament(rng.random((6, 5)))
    nature = people[rng.integers(0, 6, n)]
    words = rng.normal(0, 1, (n, 4)).astype(np.float32)
    change = words[:, :3] * 0.8 * np.sign(nature - np.median(people, 0))
    arrived = feeling @ anchors() + change + rng.normal(0, 0.05, (n, 3))
    truth = ((arrived[:, None] - anchors()) ** 2).sum(2).argmin(1)
    return Asked(feeling, words, nature.astype(np.float32)), truth


def test_a_planted_law_is_learned_and_other_peoples_personality_hurts() -> None:
    pytest.importorskip("torch")
    known, truth = planted(3000, 1)
    network = train(known, truth, [0.5] * 5, Options(steps=150, decay=1e-4, later=1e-5))
    asked, right = planted(1500, 1)  # the same six people
    rng = np.random.default_rng(2)
    strange = Asked(asked.feeling, asked.words, asked.temperament[rng.permutation(len(right))])
    macro = {name: f1s(right, network(one).argmax(1))[1] for name, one in (("own", asked), ("others", strange))}
    copied = f1s(right, asked.feeling.argmax(1))[1]
    assert macro["own"] >= copied + 0.10
    assert macro["others"] <= macro["own"] - 0.05


def test_leaning_serves_both_scores() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(7, 2000, p=[0.03, 0.03, 0.04, 0.1, 0.1, 0.1, 0.6])
    logits = rng.normal(0, 1, (2000, 7)) + 1.2 * np.eye(7)[truth] + np.log([0.03, 0.03, 0.04, 0.1, 0.1, 0.1, 0.6])
    plain, leaned = (f1s(truth, (logits + add).argmax(1)) for add in (0, lean(logits, truth)))
    assert sum(leaned) > sum(plain) and leaned[1] > plain[1]


def test_the_next_turn_of_who_spoke_before_the_last(model) -> None:
    (track,) = model([talk(("Ann", "Look!"), ("Ben", "What is it?"))])[0]
    assert (track.subject, track.unit, track.start[0], track.end[0]) == ("Ann", "turn", 2, 3)
    assert track.space == SPACE and track.perspective == "expressed" and track.channel == "text"
    assert track.values.sum() == pytest.approx(1, abs=1e-5) and 0 < track.confidence[0] <= 1
    assert track.note[0].startswith("expected; personality not known")
    (named,) = model([talk(("Ann", "Look!"), ("Ben", "What is it?"), meta={"next": "Ben"})])[0]
    assert named.subject == "Ben" and named.start[0] == 2


def test_the_feeling_that_the_talk_carries_is_the_start(model) -> None:
    said = (("Ann", "So this is it."), ("Ben", "Yes."))
    rows = [model([talk(*said, tracks=(felt(0, label, "Ann"),))])[0][0].values[0] for label in ("joy", "anger")]
    joy, anger = SPACE.index("joy"), SPACE.index("anger")
    assert rows[0][joy] > rows[1][joy] and rows[1][anger] > rows[0][anger]


def test_a_personality_counts_and_a_broken_one_is_not_known(model) -> None:
    said = (("Ann", "You did what?!"), ("Ben", "I sold the car..."))
    traits = {name: dict(zip(TRAITS, ocean, strict=True)) for name, (ocean, _) in ROLES.items()}
    answers = [model([talk(*said, people={"Ann": {"personality": t}})])[0][0] for t in traits.values()]
    assert not np.array_equal(answers[0].values, answers[1].values)
    assert [one.note for one in answers] == [("expected",)] * 2
    odd = ({}, {"openness": 3.0}, {**traits["Ross"], "openness": 4.2}, {**traits["Ross"], "openness": "high"}, "kind")
    for one in odd:
        assert personality({"personality": one}) is None
        assert "not known" in model([talk(*said, people={"Ann": {"personality": one}})])[0][0].note[0]


def test_nothing_is_said_where_nobody_can_be_asked_about(model) -> None:
    alone = talk(("Ann", "Hello?"))
    silent = talk(("Ann", "<Media omitted>"), ("Ben", "..."))
    stranger = talk(("Ann", "Hi."), ("Ben", "Hi."), meta={"next": "Eve"})
    assert model([alone, silent, stranger, Record("none"), Record("text")]) == [()] * 5
    assert model([]) == []


def test_odd_talks_do_not_stop_it_nor_change_their_neighbours(model) -> None:
    long = talk(*[("A" if k % 2 else "B", f"turn {k}") for k in range(5000)], id="long")
    odd = talk(("", "😂😂"), ("בן", "אני שמח"), ("", "\x00 so \ud83d sad"), id="odd")
    plain = talk(("Ann", "Look!"), ("Ben", "What is it?"))
    together = model([long, odd, plain])
    assert [len(tracks) for tracks in together] == [1, 1, 1] and together[0][0].start[0] == 5000
    slack = CARD.facts["batch_slack"]
    assert np.allclose(together[2][0].values, model([plain])[0][0].values, atol=slack)


def test_the_card_says_what_it_is_not(model) -> None:
    assert model.card.facts["base"] == "text.affect-en"
    assert "repeating the last emotion" in " ".join(CARD.limits)
    assert isinstance(model.network, Network)
