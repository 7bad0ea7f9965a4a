import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from affetto.core.errors import MalformedError, UnknownNameError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import timeline as t
from affetto.metrics.dimensional import ccc

NAMES = ("joy", "anger", "neutral")
MOOD = Space("mood-3", "one", tuple(map(Axis, NAMES)))
MOODS = Space("moods-3", "any", tuple(map(Axis, NAMES)))
VA = Space("va", "graded", (Axis("valence", low=-1), Axis("arousal", low=-1)))
NAN = np.nan
near = {"rtol": 0, "atol": 1e-9}
rows = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8), st.integers(0, 2)), min_size=1, max_size=8)


def track(spans, space=MOOD, unit="s"):
    values = [[float(name == label) for name in NAMES] for *_, label in spans]
    return Track(space, [start for start, *_ in spans], [end for _, end, _ in spans], values, unit)


def drawn(said):
    return track([(start / 4, (start + length) / 4, NAMES[label]) for start, length, label in said])


def eder_by_hand(truth, estimate):
    """Quarter second by quarter second, as written down."""
    wrong, total = np.zeros(3), 0
    low, high = truth.start.min(), truth.end.max()
    for middle in np.arange(low, high, 0.25) + 0.125:
        sets = []
        for side in (truth, estimate):
            held = (side.start <= middle) & (middle < side.end)
            sets.append({NAMES[i] for i in side.values[held].argmax(1)} - {"neutral"})
        a, b = sets
        worst = max(len(a), len(b), 1)
        parts = max(0, len(a) - len(b)), max(0, len(b) - len(a)), min(len(a), len(b)) - len(a & b)
        wrong += np.array(parts) / worst
        total += 1
    return wrong / total


@given(rows, rows)
def test_error_rate_agrees_with_counting_moments(said, heard):
    truth, estimate = drawn(said), drawn(heard)
    scores = t.evaluate(truth, estimate)
    parts = [scores["missed"], scores["false_alarm"], scores["confusion"]]
    np.testing.assert_allclose(parts, eder_by_hand(truth, estimate), **near)
    np.testing.assert_allclose(scores["eder"], sum(parts), **near)
    assert 0 <= scores["eder"] <= 1 + 1e-9
    assert t.evaluate(truth, truth)["eder"] == 0 and t.evaluate(truth, truth)["segment_f1"] == 1


@given(rows, rows, st.floats(0, 2), st.randoms())
def test_episodes_are_matched_as_many_as_can_be(said, heard, tolerance, chance):
    truth, estimate = drawn(said), drawn(heard)
    both = t.strip(truth, estimate, duration=8.0)
    found = asked = claimed = 0
    for label in range(2):
        a, b = (t._episodes(both.edges, side[:, label]) for side in (both.asked, both.said))
        fits = (np.abs(a[:, None] - b[None]) <= tolerance + 5e-7).all(2)
        if fits.size:
            found += (maximum_bipartite_matching(csr_array(fits)) >= 0).sum()
        asked, claimed = asked + len(a), claimed + len(b)
    wanted = 2 * found / (asked + claimed) if asked + claimed else 1
    scores = t.segment_scores(both, tolerance)
    np.testing.assert_allclose(scores["segment_f1"], wanted, **near)
    mixed = chance.sample(range(len(estimate)), len(estimate))
    assert t.evaluate(truth, estimate[mixed], duration=8.0) == pytest.approx(
        t.evaluate(truth, estimate, duration=8.0), nan_ok=True
    )


def test_frames_of_one_label_are_one_episode_whatever_their_rounding():
    starts = np.arange(30) * 0.1
    frames = Track(MOOD, starts, starts + 0.1, np.tile([1.0, 0, 0], (30, 1)))
    scores = t.evaluate(track([(0, 3, "joy")]), frames, tolerance=0)
    assert scores["segment_f1"] == 1 and scores["eder"] == 0


def test_padding_with_neutral_outside_the_truth_buys_nothing():
    truth, short = track([(0, 4, "joy")]), track([(0, 2, "joy")])
    padded = track([(0, 2, "joy"), (2, 100, "neutral")])
    assert t.evaluate(truth, short)["eder"] == t.evaluate(truth, padded)["eder"] == 0.5
    assert t.evaluate(truth, track([(0, 8, "joy")]), duration=8)["false_alarm"] == 0.5


def test_several_labels_reach_a_threshold():
    truth = Track(MOODS, [0], [2], [[1, 1, 0]])
    said = Track(MOODS, [0], [2], [[0.6, 0.3, 0.2]])
    assert t.evaluate(truth, said)["missed"] == 0.5
    assert t.evaluate(truth, said, threshold=0.3)["eder"] == 0


def test_the_neutral_label_may_have_another_name_or_none():
    truth, said = track([(0, 2, "joy")]), track([(0, 2, "anger")])
    assert t.evaluate(truth, said, neutral="anger")["missed"] == 1
    assert t.evaluate(truth, said)["confusion"] == 1
    with pytest.raises(UnknownNameError, match="joy"):
        t.evaluate(truth, said, neutral="calm")
    calm = Space("mood-1", "one", (Axis("joy"),))
    assert t.evaluate(Track(calm, [0], [1], [[1]]), Track(calm, [0], [1], [[1]]))["eder"] == 0


def test_nothing_said_is_all_missed():
    scores = t.evaluate(track([(0, 2, "joy")]), Track(MOOD, [], [], np.zeros((0, 3))))
    assert scores["eder"] == scores["missed"] == 1 and scores["segment_f1"] == 0


def frames(values, step=0.5, start=0.0, width=0.5):
    at = start + step * np.arange(len(values))
    return Track(VA, at, at + width, np.stack([values, -np.asarray(values)], 1))


@pytest.mark.parametrize("width", [0.0, 0.5])
def test_a_lag_moves_the_truth_onto_the_signal(width):
    signal = np.sin(np.arange(60) / 5) * 0.9
    truth, estimate = frames(np.r_[np.zeros(6), signal], width=width), frames(signal, width=width)
    scores = t.evaluate(truth, estimate, lag=3.0)
    np.testing.assert_allclose([scores["ccc"], scores["ccc_valence"], scores["ccc_arousal"]], 1, **near)
    assert t.evaluate(truth, estimate)["ccc"] < 0.9
    back = t.evaluate(estimate, truth, lag=-3.0)
    np.testing.assert_allclose(back["ccc"], 1, **near)


def test_without_lag_on_the_same_frames_it_is_the_plain_ccc():
    draw = np.random.default_rng(0)
    a, b = draw.uniform(-1, 1, (2, 50))
    truth, estimate = frames(a), frames(b)
    for ddof in (0, 1):
        got = t.evaluate(truth, estimate, ddof=ddof)["ccc_valence"]
        np.testing.assert_allclose(got, ccc(truth.values[:, 0], estimate.values[:, 0], ddof), **near)
    order = draw.permutation(50)
    assert t.frame_ccc(truth[order], estimate[order]) == pytest.approx(t.frame_ccc(truth, estimate))


def test_frames_of_another_rate_lie_on_the_line_between():
    truth, estimate = frames([0.0, 0.2, 0.4, 0.6]), frames(np.arange(13) / 20, step=0.125, start=0.0)
    np.testing.assert_allclose(t.evaluate(truth, estimate)["ccc"], 1, rtol=0, atol=1e-6)


def test_gaps_and_silence_of_the_truth_are_not_scored():
    a = np.array([0.1, 0.2, 0.3, 0.9, 0.8, 0.7])
    at = np.array([0, 1, 2, 50, 51, 52.0])
    truth = Track(VA, at, at + 1, np.stack([a, a], 1))
    everywhere = np.arange(53.0)
    said = Track(VA, everywhere, everywhere + 1, np.full((53, 2), -1.0))
    values = said.values.copy()
    values[at.astype(int)] = np.stack([a, a], 1)
    assert t.frame_ccc(truth, Track(VA, everywhere, everywhere + 1, values))["valence"] == pytest.approx(1)
    mute = truth.values.copy()
    mute[1] = NAN
    values[1] = -1
    scores = t.frame_ccc(Track(VA, at, at + 1, mute), Track(VA, everywhere, everywhere + 1, values))
    assert scores["valence"] == pytest.approx(1)


def test_a_silent_estimate_is_refused_or_dropped():
    truth, said = frames([0.1, 0.2, 0.3]), frames([0.1, NAN, 0.3])
    with pytest.raises(MalformedError, match=r"nothing of valence in 1 of 3 frames.*silent='drop'"):
        t.evaluate(truth, said)
    assert t.evaluate(truth, said, silent="drop")["ccc"] == pytest.approx(1)
    with pytest.raises(MalformedError, match="silent is drop or refuse"):
        t.evaluate(truth, said, silent="keep")


def test_what_cannot_be_scored_is_refused():
    joy, grade = track([(0, 2, "joy")]), frames([0.1, 0.2])
    empty = Track(MOOD, [], [], np.zeros((0, 3)))
    mute = Track(MOOD, [0], [2], [[NAN] * 3])
    none = Track(VA, [], [], np.zeros((0, 2)))
    for call, says in (
        (lambda: t.evaluate(joy, grade), "truth is in mood-3 and the estimate in va: translate one of them"),
        (lambda: t.evaluate(track([(0, 2, "joy")], unit="char"), track([(0, 2, "joy")], unit="char")), "in seconds"),
        (lambda: t.evaluate(track([(0, 2, "joy")], unit="char"), joy), "in char and those of the estimate in s"),
        (lambda: t.evaluate(empty, joy), "the truth covers no time"),
        (lambda: t.evaluate(track([(2, 2, "joy")]), joy), "the truth covers no time"),
        (lambda: t.evaluate(mute, joy), "says nothing at any time"),
        (lambda: t.evaluate(joy, joy, duration=1), "duration is seconds up to the end"),
        (lambda: t.evaluate(joy, joy, duration=np.nan), "duration is seconds up to the end"),
        (lambda: t.evaluate(joy, joy, tolerance=-1), "the tolerance is 0 seconds or more"),
        (lambda: t.evaluate(grade, grade, lag=np.inf), "the lag is a number of seconds"),
        (lambda: t.evaluate(grade, grade, lag=9), "no frame of the estimate falls on"),
        (lambda: t.evaluate(none, grade), "no frame of the estimate falls on"),
        (lambda: t.evaluate(grade[[0, 0]], grade), "two rows have the same middle"),
        (lambda: t.evaluate(joy, "joy"), "wants to be a Track, not str"),
    ):
        with pytest.raises(MalformedError, match=says):
            call()


def test_an_empty_truth_with_a_duration_is_all_neutral():
    empty = Track(MOOD, [], [], np.zeros((0, 3)))
    assert t.evaluate(empty, track([(0, 2, "joy")]), duration=4)["false_alarm"] == 0.5
    for a, b in itertools.product((empty,), (empty, track([(1, 3, "neutral")]))):
        assert t.evaluate(a, b, duration=4)["eder"] == 0
