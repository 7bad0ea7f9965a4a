"""Who spoke when: scores worked by hand (golden/diarization.json), and laws that hold of any talk."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import diarization as d

SPEAKING = catalog.load("speaking")
CASES = json.loads((Path(__file__).parent / "golden" / "diarization.json").read_text("utf-8"))
near = {"rtol": 0, "atol": 1e-9}
talks = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(1, 10)), min_size=1, max_size=8)


def talk(rows):
    """Return a Track for each speaker of rows (name, start, end); of no name, one row of NaN."""
    names = dict.fromkeys(name for name, *_ in rows)
    made = []
    for name in names:
        own = [(start, end) for who, start, end in rows if who == name]
        values = np.full((len(own), 1), np.nan if name is None else 1.0)
        made.append(Track(SPEAKING, *np.transpose(own), values, subject=name or "nobody", channel="voice"))
    return made


def drawn(rows):
    return talk([(name, start / 4, (start + length) / 4) for name, start, length in rows])


def by_hand(truth, estimate):
    """Count quarter seconds, trying every mapping of speakers."""
    high = max(track.end.max() for track in (*truth, *estimate))
    sides = [
        [{t.subject for t in side if ((t.start <= at) & (at < t.end)).any()} for at in np.arange(0, high, 0.25) + 0.125]
        for side in (truth, estimate)
    ]
    names = [sorted({t.subject for t in side}) for side in (truth, estimate)]
    padded = [*names[0], *(f"nobody-{k}" for k in range(len(names[1])))]
    best = 0
    for chosen in itertools.permutations(padded, len(names[1])):
        called = dict(zip(names[1], chosen, strict=True))
        best = max(best, sum(len(a & {called[name] for name in b}) for a, b in zip(*sides, strict=True)))
    counts = [(len(a), len(b)) for a, b in zip(*sides, strict=True)]
    speech = sum(a for a, _ in counts)
    missed, false = sum(max(0, a - b) for a, b in counts), sum(max(0, b - a) for a, b in counts)
    return np.array([missed, false, sum(map(min, counts)) - best]) / speech


@pytest.mark.parametrize("case", CASES, ids=[str(i) for i in range(len(CASES))])
def test_cases_worked_by_hand(case):
    found = d.evaluate(talk(case["truth"]), talk(case["estimate"]), **case.get("options", {}))
    for name, wanted in case["expected"].items():
        value = np.divide(*map(float, wanted.split("/"))) if isinstance(wanted, str) else wanted
        np.testing.assert_allclose(found[name], value, **near, err_msg=name)


@settings(deadline=None)
@given(talks, talks)
def test_it_agrees_with_counting_moments(asked, said):
    truth, estimate = drawn(asked), drawn(said)
    found = d.evaluate(truth, estimate)
    parts = [found[name] for name in ("missed", "false_alarm", "confusion")]
    np.testing.assert_allclose(parts, by_hand(truth, estimate), **near)
    np.testing.assert_allclose(found["der"], sum(parts), **near)
    assert min(parts) >= -1e-12


@settings(deadline=None)
@given(talks, talks, st.permutations("abc"))
def test_names_and_the_order_of_rows_do_not_matter(asked, said, names):
    truth, estimate = drawn(asked), drawn(said)
    other = drawn([(dict(zip("abc", names, strict=True))[name], *rest) for name, *rest in reversed(said)])
    assert d.evaluate(truth, estimate) == pytest.approx(d.evaluate(truth, other))


@settings(deadline=None)
@given(talks)
def test_the_error_is_0_only_where_both_sides_are_the_same(said):
    truth = drawn(said)
    assert d.evaluate(truth, drawn([(f"voice-{name}", *rest) for name, *rest in said]))["der"] == 0
    longer = [*truth, talk([("a", 20, 21)])[0]]
    assert d.evaluate(truth, longer)["der"] > 0 and d.evaluate(longer, truth)["der"] > 0


@settings(deadline=None)
@given(talks, talks, st.floats(0, 1))
def test_a_collar_and_a_threshold_leave_out_what_they_say(asked, said, collar):
    truth, estimate = drawn(asked), drawn(said)
    every, few = (d.seconds(d.floor(truth, estimate, collar=width)) for width in (0.0, collar))
    assert all(few[name] <= every[name] + 1e-9 for name in ("speech", "missed", "false_alarm"))
    halved = [Track(SPEAKING, t.start, t.end, t.values / 2, subject=t.subject) for t in estimate]
    assert d.evaluate(truth, halved, threshold=0.6)["missed"] == pytest.approx(1)
    assert d.evaluate(truth, halved, threshold=0.4) == pytest.approx(d.evaluate(truth, estimate))


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1 << 30))
def test_pairs_are_the_best_there_are(rows, columns, seed):
    table = np.random.default_rng(seed).integers(-3, 6, (rows, columns)).astype(float)
    pairs = d.best_pairs(table)
    assert len(pairs) == min(rows, columns) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    best = table[linear_sum_assignment(table, maximize=True)].sum()
    assert sum(table[a, b] for a, b in pairs) == pytest.approx(best)


def test_empty_sides():
    ann = talk([("ann", 0, 2)])
    assert d.evaluate(ann, [])["missed"] == 1 and d.best_pairs(np.zeros((0, 3))) == []
    assert d.seconds(d.floor([], ann)) == {"speech": 0, "missed": 0, "false_alarm": 2, "confusion": 0}
    assert d.seconds(d.floor([], []))["speech"] == 0
    with pytest.raises(MalformedError, match="nobody speaks"):
        d.evaluate([], ann)


def test_who_is_who():
    truth, estimate = talk([("ann", 0, 4), ("ben", 4, 9)]), talk([("x", 5, 9), ("y", 0, 3), ("z", 20, 21)])
    assert d.mapping(d.floor(truth, estimate)) == {"x": "ben", "y": "ann"}


def test_links_are_scored_of_voices_that_have_a_face():
    truth = {"ann": "left", "ben": "right", "radio": None}
    assert d.link_accuracy(truth, truth) == 1 and d.link_accuracy(truth, {}) == 0
    assert d.link_accuracy(truth, {"ann": "right", "ben": "right"}) == 0.5
    assert np.isnan(d.link_accuracy({"radio": None}, {"radio": "left"}))


def test_what_is_no_talk_is_refused():
    ann = talk([("ann", 0, 2)])
    moods = Space("moods", "any", (Axis("joy"), Axis("anger")))
    wrong = [Track(moods, [0], [1], [[1, 0]]), Track(SPEAKING, [0], [1], [[1]], unit="char")]
    for track in wrong:
        with pytest.raises(MalformedError, match="in seconds"):
            d.evaluate(ann, [track])
    with pytest.raises(MalformedError, match="by Tracks, not by str"):
        d.evaluate(ann, ["ann"])
    for options in ({"collar": -1}, {"collar": np.nan}, {"duration": 0}):
        with pytest.raises(MalformedError):
            d.evaluate(ann, ann, **options)
    with pytest.raises(MalformedError, match="finite"):
        d.best_pairs([[np.nan]])
