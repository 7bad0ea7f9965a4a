"""Channels that contradict each other are marked, those that agree or say nothing are not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError, NoBridgeError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.track import Track
from affetto.models.fusion import conflict
from affetto.models.fusion.conflict import CHANNELS, Episode
from affetto.spaces.bridges import translate
from benchmarks import conflict as bench

LABELS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")


@pytest.fixture(scope="module")
def model():
    return catalog.load("fusion.conflict")


def said(label, sure=0.9):
    """Return one label with a probability, the others sharing the rest."""
    row = np.full(7, (1 - sure) / 6)
    row[LABELS.index(label)] = sure
    return row


def track(channel, *labels, subject="ann", sure=0.9, step=1.0, space="ekman-7"):
    """Return a row a step; an empty label says nothing."""
    rows = np.stack([said(label, sure) if label else np.full(7, np.nan) for label in labels])
    start = np.arange(len(rows)) * step
    return Track(catalog.load(space), start, start + step, rows, subject=subject, channel=channel)


def answer(model, *tracks):
    (found,) = model([Record("1", tracks=tracks)])
    return found[0]


shares = st.lists(st.floats(0.01, 1), min_size=7, max_size=7).map(lambda row: np.array([row]) / sum(row))


@given(shares, shares)
@settings(max_examples=60, deadline=None)
def test_statistics_do_not_ask_who_is_first(first, second):
    nobody = np.full((1, 2), np.nan)
    one, other = conflict.statistics(first, second, nobody), conflict.statistics(second, first, nobody)
    np.testing.assert_allclose(one, other)
    divergence = one[0, conflict.STATISTICS.index("divergence")]
    assert 0 <= divergence <= 1 + 1e-9
    alike = conflict.statistics(first, first, nobody)[0]
    assert alike[2] == pytest.approx(0, abs=1e-6)
    assert alike[3] == 0


def test_by_hand():
    glad, angry = said("joy", 1.0)[None], said("anger", 1.0)[None]
    opposite, same, divergence, valence, sure = conflict.statistics(glad, angry, np.array([[0.7, 0.9]]))[0]
    assert opposite == pytest.approx(0, abs=1e-3)
    assert same == pytest.approx(np.log(1e-4))
    assert divergence == pytest.approx(1)
    assert valence == 4
    assert sure == pytest.approx(0.2)


def test_it_is_a_model_of_the_catalog(model):
    assert isinstance(model, Model)
    assert model.card == catalog.find("fusion.conflict")
    made = answer(model, track("text", "joy"), track("voice", "anger"))
    assert (made.space.id, made.channel, made.subject, made.source) == ("conflict", "fused", "ann", str(model.card))
    assert made.space.id in model.card.spaces


@pytest.mark.parametrize("bad", ["anger", "disgust", "fear", "sadness"])
@pytest.mark.parametrize("channels", [("text", "voice"), ("face", "text"), ("face", "voice")])
def test_opposite_feelings_are_marked_and_told(model, bad, channels):
    one, other = channels
    made = answer(model, track(one, "joy"), track(other, bad))
    words = {"text": "words", "voice": "voice", "face": "face"}
    tops = {one: "joy", other: bad}
    assert made.note == (
        ", ".join(f"{words[name]} {tops[name]}" for name in ("text", "voice", "face") if name in tops),
    )
    assert conflict.marked(made).tolist() == [True]
    assert made.confidence[0] == pytest.approx(made.column("conflict")[0])


@pytest.mark.parametrize("one", LABELS)
@pytest.mark.parametrize("other", LABELS)
def test_what_agrees_or_is_neutral_is_not_marked(model, one, other):
    made = answer(model, track("text", one), track("voice", other), track("face", one))
    against = "joy" in (one, other) and {one, other} & {"anger", "disgust", "fear", "sadness"}
    assert bool(conflict.marked(made)[0]) == bool(against)
    assert made.note[0] == "" or against


def test_a_likelier_label_that_contradicts_nothing_is_told_too(model):
    mixed = 0.55 * said("neutral", 1.0) + 0.45 * said("joy", 1.0)
    words = replace(track("text", "joy"), values=mixed[None])
    made = answer(model, words, track("voice", "anger", sure=1.0))
    assert made.note == ("words neutral or joy, voice anger",)


def test_doubt_lowers_a_conflict(model):
    found = [
        answer(model, track("text", "joy", sure=sure), track("voice", "anger", sure=sure)).column("conflict")[0]
        for sure in (0.9, 0.6, 0.3)
    ]
    assert found[0] > found[1] > found[2]


@pytest.mark.parametrize("odd", CHANNELS)
@pytest.mark.parametrize(("most", "alone"), [("joy", "anger"), ("sadness", "joy")])
def test_the_channel_that_stands_alone_brings_most(model, odd, most, alone):
    made = answer(model, *(track(name, alone if name == odd else most) for name in CHANNELS))
    parts = {name: float(made.column(name)[0]) for name in CHANNELS}
    assert max(parts, key=parts.get) == odd
    assert sum(parts.values()) == pytest.approx(1, abs=1e-5)
    assert conflict.episodes(made)[0].deviates == odd


def test_of_two_channels_none_is_blamed_and_the_silent_one_is_not_said(model):
    made = answer(model, track("text", "joy"), track("voice", "anger"))
    assert made.column("text")[0] == made.column("voice")[0] == 0.5
    assert np.isnan(made.column("face")[0])
    assert conflict.episodes(made) == [
        Episode(0.0, 1.0, ("text", "voice"), "", made.column("conflict")[0], "words joy, voice anger")
    ]


def test_steps_in_which_less_than_two_speak_are_not_said(model):
    made = answer(model, track("text", "joy", "", "joy", "joy"), track("voice", "anger", "anger", "", "joy"))
    assert np.isnan(made.column("conflict")).tolist() == [False, True, True, False]
    assert made.note == ("words joy, voice anger", "not said", "not said", "")
    assert np.isnan(made.values[1]).all()
    assert np.isnan(made.confidence[1])


def test_nothing_is_made_up(model):
    alone = track("text", "joy")
    others = track("voice", "anger", subject="ben")
    late = replace(track("voice", "", "anger"), subject="ann")
    assert model([]) == []
    for tracks in ((), (alone,), (alone, others), (alone, late)):
        assert model([Record("1", tracks=tracks)]) == [()]


def test_people_are_not_mixed(model):
    tracks = [track("text", "joy"), track("voice", "joy")]
    tracks += [track("text", "joy", subject="ben"), track("voice", "anger", subject="ben")]
    (found,) = model([Record("1", tracks=tuple(tracks))])
    assert [one.subject for one in found] == ["ann", "ben"]
    assert [conflict.marked(one).any() for one in found] == [False, True]


def test_other_spaces_count_where_a_way_is_handed_in(model):
    words = np.zeros((1, 28), np.float32)
    space = catalog.load("goemotions-28")
    words[0, space.index("joy")] = 1
    text = Track(space, [0], [1], words, subject="ann", channel="text")
    tracks = (text, track("voice", "anger"))
    assert model([Record("1", tracks=tracks)]) == [()]
    (found,) = replace(model, translate=translate)([Record("1", tracks=tracks)])
    assert found[0].note == ("words joy, voice anger",)
    with pytest.raises(NoBridgeError, match="ekman-7"):
        conflict.only_there(text, "ekman-7")


def test_the_grid_is_as_wished(model):
    finer = replace(model, options=conflict.ConflictOptions(step=0.5, until=3.0))
    made = answer(finer, track("text", "joy"), track("voice", "anger"))
    assert len(made) == 6
    assert np.isnan(made.column("conflict")).sum() == 4


def test_episodes_join_what_touches(model):
    words, voice = ["joy"] * 8, ["anger", "anger", "joy", "anger", "joy", "joy", "anger", ""]
    made = answer(model, track("text", *words), track("voice", *voice))
    assert [(one.start, one.end) for one in conflict.episodes(made)] == [(0, 2), (3, 4), (6, 7)]
    assert [(one.start, one.end) for one in conflict.episodes(made, gap=1)] == [(0, 4), (6, 7)]
    assert [(one.start, one.end) for one in conflict.episodes(made, gap=1, shortest=2)] == [(0, 4)]
    assert conflict.episodes(made[:0]) == []
    assert conflict.episodes(replace(made, note=None)) == []


def test_another_pair_is_another_episode(model):
    made = answer(model, track("text", "joy", "joy"), track("voice", "anger", ""), track("face", "", "anger"))
    assert [one.channels for one in conflict.episodes(made)] == [("text", "voice"), ("face", "text")]


def test_a_channel_that_stands_alone_is_one_episode_whichever_pair_is_furthest_apart(model):
    text = replace(track("text", "joy", "joy"), values=np.stack([said("joy", 0.95), said("joy", 0.7)]))
    face = replace(track("face", "joy", "joy"), values=np.stack([said("joy", 0.7), said("joy", 0.95)]))
    made = answer(model, text, face, track("voice", "anger", "anger"))
    assert len(set(made.note)) == 2
    (one,) = conflict.episodes(made)
    assert (one.start, one.end, one.deviates) == (0, 2, "voice")


def test_a_card_without_numbers_says_so(model):
    facts = {key: value for key, value in model.card.facts.items() if key != "pairs"}
    with pytest.raises(CatalogError, match="lacks numbers"):
        conflict.load(replace(model.card, facts=facts))
    with pytest.raises(CatalogError, match=r"0\.5"):
        conflict.limits_of(model.card, "0.5")
    rarer = conflict.limits_of(model.card, "0.01").marks
    assert all(rarer[key] > value for key, value in model.limits.marks.items())


def drawn_items(seed=1, n=700, sharp=3.0):
    """Return three channels of made answers that are right more often than not."""
    rng = np.random.default_rng(seed)
    found = []
    for corpus in ("ferplus", "goemotions", "ravdess"):
        label = rng.integers(0, 7, n)
        logits = rng.normal(0, 1, (n, 7)) + sharp * np.eye(7)[label]
        said = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        split = rng.choice(["fit", "dev", "test"], n)
        found.append(bench.Items(said, said.max(1), label, split, np.full(n, corpus), np.arange(n) // 10))
    return found


@pytest.mark.parametrize("channels", bench.SETS)
def test_cases_are_what_they_are_called(channels):
    pools = drawn_items()
    drawn = bench.cases(pools, channels, ["test"], 400, seed=3)
    labels = np.stack([pools[c].label[drawn.rows[:, k]] for k, c in enumerate(channels)], 1)
    assert all((pools[c].split[drawn.rows[:, k]] == "test").all() for k, c in enumerate(channels))
    assert np.bincount(drawn.kind).tolist() == [200, 100, 100]
    sides = np.array(bench.SIDES)[labels]
    assert (labels[drawn.kind == 0] == labels[drawn.kind == 0][:, :1]).all()
    assert ((sides.max(1) == 1) & (sides.min(1) == -1) == (drawn.kind == 2)).all()
    if len(channels) == 3:
        for row, odd in zip(labels[drawn.kind > 0], drawn.deviates[drawn.kind > 0], strict=True):
            assert len({*np.delete(row, odd)}) == 1
            assert row[odd] not in np.delete(row, odd)
    again = bench.cases(pools, channels, ["test"], 400, seed=3)
    np.testing.assert_array_equal(drawn.rows, again.rows)


def test_contradiction_of_made_items_is_found(model):
    pools = drawn_items(sharp=5.0)
    drawn = bench.cases(pools, (0, 1, 2), ["test"], 600, seed=4)
    scores = bench.ours("all", pools, drawn, model)
    once = np.ones(600)
    assert scores["auroc opposite, all"](once) > 0.95
    assert scores["which channel, opposite"](once) > 0.9
    assert scores["false alarms, all"](once) < 0.05
    assert scores["marked of opposite, all"](once) > 0.8


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=20))
@settings(max_examples=40, deadline=None)
def test_the_area_is_the_share_of_pairs_in_order(rows):
    truth, score = np.array([a for a, _ in rows]), np.array([float(b) for _, b in rows])
    if truth.all() or not truth.any():
        return
    gaps = score[truth][:, None] - score[~truth][None]
    assert bench.auroc(truth, score, np.ones(len(rows))) == pytest.approx(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def test_a_channel_that_is_hardly_there_contradicts_nothing(model):
    short = replace(track("voice", "anger", "anger"), end=np.array([1.0, 1.1]))
    made = answer(model, track("text", "joy", "joy"), short)
    assert made.note == ("words joy, voice anger", "not said")
