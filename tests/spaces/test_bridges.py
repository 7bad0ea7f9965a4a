"""Translation keeps mass and silence, says which way it took, and refuses where there is none."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError, NoBridgeError, UnknownNameError
from affetto.core.space import Axis, Space, open_space
from affetto.core.track import Track
from affetto.spaces import bridges, tables, taxonomy
from affetto.spaces.bridges import bridge, translate

LABELS = [id for id in sorted(catalog.cards("space")) if taxonomy.space(id).kind in ("one", "any")]
LISTED = tables.listed()


def track(id, values, **more):
    values = np.atleast_2d(np.asarray(values, float))
    start = np.arange(len(values))
    return Track(taxonomy.space(id), start, start + 1, values, unit="turn", **{"source": "model@1"} | more)


def hot(id, **weights):
    space = taxonomy.space(id)
    row = np.zeros(len(space.axes))
    for name, weight in weights.items():
        row[space.index(name)] = weight
    return row


def said(translated, name, row=0):
    return float(translated.column(name)[row])


@pytest.mark.parametrize(("origin", "target"), LISTED)
def test_every_table_covers_its_spaces(origin, target):
    plain = tables.read(origin, target)
    assert plain["from"] == origin and plain["to"] == target
    assert plain["source"]
    table = tables.table(plain, taxonomy.space(origin), taxonomy.space(target))
    assert ((table.weights >= 0) & (table.weights <= 1)).all()
    lost = [name for name, row in zip(table.origin.names, table.weights, strict=True) if not row.any()]
    unplaced = [name for name in lost if name not in plain.get("dropped", ())]
    assert table.kind != "table" or not unplaced
    if origin in ("parrott", "plutchik-wheel"):
        assert not unplaced


@pytest.mark.parametrize(("origin", "target"), LISTED)
def test_rows_of_nothing_stay_nothing_and_no_value_is_negative(origin, target):
    k = len(taxonomy.space(origin).axes)
    rows = np.stack([np.full(k, np.nan), *np.eye(k)])
    out = translate(track(origin, rows), target).values
    assert np.isnan(out[0]).all()
    assert (np.nan_to_num(out) >= 0).all()
    if taxonomy.space(target).kind == "one":
        sums = out[1:].sum(1)
        assert np.allclose(sums[~np.isnan(sums)], 1, atol=1e-5)


@settings(max_examples=40)
@given(st.data())
def test_probabilities_keep_their_mass(data):
    origin, target = data.draw(st.sampled_from([p for p in LISTED if taxonomy.space(p[0]).kind in ("one", "any")]))
    space = taxonomy.space(origin)
    row = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(space.axes), max_size=len(space.axes))))
    if space.kind == "one":
        row = row + 1e-3
        row /= row.sum()
    out = translate(track(origin, row), target)
    values = out.values[0]
    assert (np.nan_to_num(values) >= 0).all() and (np.nan_to_num(values) <= 1 + 1e-6).all()
    if out.space.kind == "one":
        assert np.isnan(values).all() or math.isclose(values.sum(), 1, abs_tol=1e-4)


@settings(max_examples=30)
@given(st.lists(st.floats(0.001, 1), min_size=7, max_size=7))
def test_renaming_there_and_back_changes_nothing(values):
    row = np.array(values) / sum(values)
    first = track("ekman-7", row)
    back = translate(translate(first, "stocktwits-7"), "ekman-7")
    assert np.allclose(back.values, first.values, atol=1e-6)
    assert back.source == "model@1 > ekman-7--stocktwits-7 > stocktwits-7--ekman-7"


@settings(max_examples=30)
@given(st.lists(st.sampled_from(taxonomy.space("semeval-11").names), max_size=4, unique=True))
def test_dyads_are_found_again(names):
    first = track("semeval-11", hot("semeval-11", **dict.fromkeys(names, 1.0)))
    back = translate(translate(first, "plutchik-8"), "semeval-11")
    for name in names:
        assert said(back, name) == 1.0


def test_one_to_one_adds_up():
    out = translate(track("empathetic-32", hot("empathetic-32", angry=0.5, furious=0.25, prepared=0.25)), "ekman-7")
    assert said(out, "anger") == pytest.approx(0.75)
    assert said(out, "neutral") == pytest.approx(0.25)


def test_any_to_one_joins_a_group_and_leaves_the_rest_to_neutral():
    out = translate(track("goemotions-28", hot("goemotions-28", anger=0.5, annoyance=0.5)), "ekman-7")
    assert said(out, "anger") == pytest.approx(0.75)
    assert said(out, "neutral") == pytest.approx(0.25)
    sure = translate(track("goemotions-28", hot("goemotions-28", joy=1, love=1, anger=1)), "ekman-7")
    assert said(sure, "joy") == said(sure, "anger") == pytest.approx(0.5)


def test_what_is_dropped_is_scaled_away_and_dust_is_not_said():
    half = translate(track("ekman-7", hot("ekman-7", neutral=0.5, joy=0.25, fear=0.25)), "ekman-6")
    assert said(half, "joy") == pytest.approx(0.5)
    dust = translate(track("ekman-7", hot("ekman-7", neutral=0.98, joy=0.02)), "ekman-6")
    assert np.isnan(dust.values).all()


def test_what_was_never_asked_is_not_said():
    out = translate(track("brighter-6", hot("brighter-6", joy=1)), "plutchik-8")
    assert said(out, "joy") == 1.0
    assert math.isnan(said(out, "trust")) and math.isnan(said(out, "anticipation"))


def test_a_label_that_was_not_said_stays_so_among_others():
    row = hot("brighter-6", joy=0.9)
    row[taxonomy.space("brighter-6").index("disgust")] = np.nan
    out = translate(track("brighter-6", row), "plutchik-8")
    assert math.isnan(said(out, "disgust")) and said(out, "joy") == pytest.approx(0.9)


def test_the_tree_goes_to_the_nearest_of_the_six():
    words = translate(track("parrott", hot("parrott", loathing=0.8, fury=0.3, tenderness=0.6, joy=0.5)), "brighter-6")
    assert said(words, "disgust") == pytest.approx(0.8)
    assert said(words, "anger") == pytest.approx(0.3)
    assert said(words, "joy") == pytest.approx(0.6), "the greatest, not the sum: one contains the other"


def test_dyads_need_both_parts():
    out = translate(track("plutchik-8", hot("plutchik-8", joy=0.8, trust=0.5)), "plutchik-wheel")
    assert said(out, "love") == pytest.approx(0.4)
    assert said(out, "remorse") == 0.0
    assert math.isnan(said(out, "ecstasy"))
    down = translate(track("plutchik-wheel", hot("plutchik-wheel", rage=0.7, hope=0.5)), "plutchik-8")
    assert said(down, "anger") == pytest.approx(0.7)
    assert said(down, "trust") == said(down, "anticipation") == pytest.approx(0.5)


def test_presence_begins_at_low_intensity():
    out = translate(track("intensity-6", hot("intensity-6", fear=2, joy=0.4)), "brighter-6")
    assert said(out, "fear") == 1.0
    assert said(out, "joy") == pytest.approx(0.4)


def test_geometry_is_the_weighted_mean():
    space = taxonomy.space("ekman-7")
    out = translate(track("ekman-7", hot("ekman-7", joy=0.5, fear=0.5)), "vad")
    assert out.values[0] == pytest.approx((np.array(space["joy"].vad) + space["fear"].vad) / 2, abs=1e-6)
    calm = translate(track("brighter-6", hot("brighter-6")), "vad")
    assert (calm.values == 0).all(), "nothing felt lies at the centre"
    assert translate(out, "va").values[0] == pytest.approx(out.values[0, :2])


def test_a_side_says_nothing_of_arousal():
    out = translate(track("sentiment-3", [0, 0, 1]), "vad")
    assert out.values[0, 0] > 0.5 and np.isnan(out.values[0, 1:]).all()


def test_quadrants_by_sign_and_none_at_the_centre():
    out = translate(
        track("va", [[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.5, -0.5], [0.01, 0], [np.nan] * 2]), "quadrants-4"
    )
    assert [axis.name if axis else None for axis in map(out.top, range(6))] == [
        "excited", "tense", "gloomy", "calm", None, None,
    ]  # fmt: skip
    assert translate(track("vad", [[0.5, -0.5, 0]]), "quadrants-4").top().name == "calm"


def test_polarity_of_labels():
    out = translate(track("stocktwits-7", hot("stocktwits-7", happy=0.6, fear=0.3, surprise=0.1)), "sentiment-3")
    assert out.values[0] == pytest.approx([0.3, 0.1, 0.6], abs=1e-6)
    assert bridge("stocktwits-7", "sentiment-3").kind in ("polarity", "chain")


def test_open_words_find_their_place():
    words = open_space(("kinda hopeful but anxious", "qwerty", "pissed off"))
    start = np.arange(3)
    people = Track(words, start, start + 1, [[1, 0, 0], [0, 1, 0], [0, 0.2, 0.9]], unit="turn", source="rater")
    out = translate(people, "ekman-7")
    assert out.source == "rater > open--ekman-7"
    assert said(out, "fear") > said(out, "joy") > 0
    assert np.isnan(out.values[1]).all()
    assert said(out, "anger", 2) == pytest.approx(1)
    assert said(translate(people, "brighter-6"), "anger", 2) == pytest.approx(0.9)
    assert translate(people, "vad").values[2, 0] < -0.5


def test_the_source_tells_the_way():
    out = translate(track("goemotions-28", hot("goemotions-28", joy=1)), "stocktwits-7")
    assert out.source == "model@1 > goemotions-28--ekman-7 > ekman-7--stocktwits-7"
    way = bridge("goemotions-28", "stocktwits-7")
    assert way.kind == "chain" and [step.id for step in way.steps] == [
        "goemotions-28--ekman-7",
        "ekman-7--stocktwits-7",
    ]
    assert translate(out, "stocktwits-7") is out


def test_confidence_goes_along_where_the_answer_goes_over_whole():
    rows = np.stack([hot("goemotions-28", annoyance=0.9), hot("goemotions-28", joy=0.3)])
    out = translate(track("goemotions-28", rows, confidence=[0.8, 0.4]), "ekman-7")
    assert out.confidence[0] == pytest.approx(0.8)
    assert np.isnan(out.confidence[1]), "neutral won, which nobody said"
    assert translate(track("goemotions-28", rows, confidence=[0.8, 0.4]), "vad").confidence is None


def test_other_columns_stay():
    first = track("ekman-7", np.eye(7)[:2], note=("a", "b"), box=[[0, 0, 1, 1]] * 2, subject="her", perspective="felt")
    out = translate(first, "sentiment-3")
    assert (out.note, out.subject, out.perspective) == (("a", "b"), "her", "felt")
    assert (out.box == first.box).all()


@pytest.mark.parametrize(
    ("origin", "target", "near"),
    [
        ("ekman-7", "goemotions-28", "brighter-6, ekman-6, sentiment-3, stocktwits-7, vad"),
        ("vad", "ekman-6", "can be reached from brighter-6"),
        ("gaze", "vad", "none leaves 'gaze'"),
        ("goemotions-28", "quadrants-4", "quadrants-4"),
    ],
)
def test_it_refuses_and_names_the_near_ones(origin, target, near):
    with pytest.raises(NoBridgeError, match=near):
        bridge(origin, target)
    k = len(taxonomy.space(origin).axes)
    with pytest.raises(NoBridgeError, match=origin):
        translate(track(origin, np.eye(k)[:1]), target)


def test_an_unknown_target_names_the_known():
    with pytest.raises(UnknownNameError, match="ekman-7"):
        translate(track("ekman-6", np.eye(6)[:1]), "ekman-9")


def test_a_strangers_space_of_an_own_name_is_not_taken_for_ours():
    mine = Space("ekman-7", "one", (Axis("happy"), Axis("sad")))
    with pytest.raises((NoBridgeError, CatalogError), match="ekman-7"):
        translate(Track(mine, [0], [1], [[1, 0]], unit="turn"), "sentiment-3")


def test_a_space_that_lost_its_definitions_on_the_way_is_known_again():
    bare = Space("goemotions-28", "any", tuple(Axis(name) for name in taxonomy.space("goemotions-28").names))
    out = translate(Track(bare, [0], [1], [hot("goemotions-28", joy=1)], unit="turn"), "vad")
    assert out.values[0, 0] > 0.5


def test_a_stranger_brings_its_own_bridge(monkeypatch):
    weather = Space("weather-3", "one", (Axis("sunny"), Axis("rainy"), Axis("stormy")))
    table = {"to": "ekman-6", "table": {"sunny": "joy", "rainy": "sadness", "stormy": "anger"}, "source": "me"}
    monkeypatch.setattr(bridges, "_brought", lambda name: (table,) if name == "weather-3" else ())
    out = translate(Track(weather, [0], [1], [[0.25, 0.75, 0]], unit="turn"), "brighter-6")
    assert out.source == "weather-3--ekman-6 > ekman-6--brighter-6"
    assert said(out, "sadness") == pytest.approx(0.75)
    assert bridge(weather, "ekman-6").source == "me"


def test_a_strangers_polarities_are_enough_for_sides():
    weather = Space("weather-2", "one", (Axis("sunny", polarity=1), Axis("rainy", polarity=-1)))
    assert said(translate(Track(weather, [0], [1], [[1, 0]], unit="turn"), "sentiment-3"), "positive") == 1


def test_a_way_is_never_longer_than_it_says():
    for origin, target in itertools.permutations(LABELS, 2):
        try:
            way = bridge(origin, target)
        except NoBridgeError:
            continue
        assert len(way.steps) <= bridges.LONGEST


def test_losses_are_shares_with_a_measure():
    for id, facts in json.loads((tables.FOLDER / "losses.json").read_text("utf-8")).items():
        assert 0 <= facts["loss"] <= 1, id
        assert facts["measure"] and facts["n"] > 0
        origin, target = id.split("--")
        assert bridge(origin, target).loss == facts["loss"]


def test_kept_results_say_the_same():
    folder = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "bridges"
    for path in folder.glob("*.json"):
        kept = json.loads(path.read_text("utf-8"))
        loss = kept["metrics"]["loss"]
        assert kept["model"] == path.stem
        assert bridge(*path.stem.split("--")).loss == pytest.approx(loss["value"], abs=1e-4)
        assert loss["low"] - 0.02 <= loss["value"] <= loss["high"] + 0.02


def test_losses_make_sense():
    assert bridge("stocktwits-7", "ekman-7").loss == 0
    assert 0.3 < bridge("goemotions-28", "ekman-7").loss < 0.7
    assert bridge("goemotions-28", "sentiment-3").loss > bridge("goemotions-28", "ekman-7").loss
    unmeasured = bridge("mikels-8", "ekman-6")
    assert math.isnan(unmeasured.loss) and "not measured" in unmeasured.measure


def test_a_broken_table_says_where():
    ekman, brighter = taxonomy.space("ekman-7"), taxonomy.space("brighter-6")
    with pytest.raises(CatalogError, match="leaves out 'anger'"):
        tables.table({"table": {}}, ekman, brighter)
    with pytest.raises(CatalogError, match="happiness"):
        tables.table({"table": dict.fromkeys(ekman.names, "happiness")}, ekman, brighter)
    with pytest.raises(CatalogError, match="cannot be read"):
        tables.read("ekman-7", "nowhere")
