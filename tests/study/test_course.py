import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.study.course import CourseOptions, gridded, summarize

EKMAN = catalog.load("ekman-7")


def felt(labels, subject="ann", channel="face", step=1.0):
    """Return a Track whose rows are each surely one label; None is not said."""
    values = np.full((len(labels), 7), np.nan, np.float32)
    for row, label in zip(values, labels, strict=True):
        if label:
            row[:] = 0.02
            row[EKMAN.index(label)] = 0.88
    at = np.arange(len(labels)) * step
    return Track(EKMAN, at, at + step, values, subject=subject, channel=channel)


def valence(values, subject="ann", channel="face"):
    at = np.arange(len(values))
    both = np.stack([values, np.zeros(len(values))], 1)
    return Track(catalog.load("va"), at, at + 1, both, subject=subject, channel=channel)


def test_shares_and_transitions_are_counted_by_hand():
    labels = ["joy", "joy", "anger", None, "anger", "joy", "neutral", "neutral"]
    record = Record("r", turns=(Turn("ann", Span(0, 2, "s"), "Hi"),), tracks=(felt(labels),))
    (ann,) = summarize(record).people
    assert ann.shares == pytest.approx({"joy": 3 / 7, "anger": 2 / 7, "neutral": 2 / 7})
    assert ann.transitions == {"joy": {"anger": 1, "neutral": 1}, "anger": {"joy": 1}}
    assert (ann.said, ann.seen, ann.turns, ann.channel) == (7.0, 7.0, 1, "face")


def test_what_is_fused_speaks_first_and_speaking_is_added_up():
    speaking = Track(catalog.load("speaking"), [0, 5], [2, 6.5], [[0.9], [1.0]], subject="ann", channel="voice")
    record = Record("r", tracks=(felt(["anger"] * 8), felt(["joy"] * 8, channel="fused"), speaking))
    (ann,) = summarize(record).people
    assert ann.channel == "fused" and list(ann.shares) == ["joy"]
    assert ann.spoken == pytest.approx(3.5)


def test_a_grid_weighs_rows_by_how_far_they_reach_into_a_step():
    track = Track(catalog.load("va"), [0.0, 0.5, 3.0], [0.5, 2.0, 3.5], [[1, 0], [0, 1], [-1, -1]])
    rows = gridded(track, 4.0, 1.0)
    assert np.allclose(rows, [[0.5, 0.5], [0, 1], [np.nan, np.nan], [-1, -1]], equal_nan=True)


def test_recovery_is_from_the_lowest_step_until_valence_is_back():
    curve = [
        0.2,
        0.3,
        0.25,
        0.3,
        0.2,
        0.25,
        0.3,
        0.2,
        0.25,
        0.25,
        0.3,
        -0.5,
        -0.9,
        -0.6,
        -0.2,
        0.25,
        0.3,
        0.2,
        0.25,
        0.3,
    ]
    (ann,) = summarize(Record("r", tracks=(valence(curve),))).people
    (low,) = ann.recoveries
    assert (low.start, low.lowest, low.seconds) == (11.0, 12.5, 3.0)
    (ann,) = summarize(Record("r", tracks=(valence([*curve[:14], *[-0.9] * 6]),))).people
    assert np.isnan(ann.recoveries[0].seconds)


def test_one_who_follows_is_found_with_the_lag_and_chance_says_so():
    rng = np.random.default_rng(0)
    a = np.convolve(rng.normal(size=160), np.ones(3) / 3, "same").clip(-1, 1)
    b = np.roll(a, 3)
    found = summarize(Record("r", tracks=(valence(a), valence(b, "ben")))).pairs
    assert [(pair.first, pair.second, pair.lag) for pair in found] == [("ann", "ben", 3.0)]
    assert found[0].correlation > 0.95 and found[0].chance < 0.02 and abs(found[0].at_once) < 0.5
    strangers = summarize(Record("r", tracks=(valence(a), valence(rng.normal(size=160).clip(-1, 1), "ben")))).pairs
    assert strangers[0].chance > 0.02


def test_peaks_are_apart_felt_and_in_order():
    labels = ["neutral"] * 20
    labels[3] = labels[4] = "joy"
    labels[12] = "anger"
    (ann,) = summarize(Record("r", tracks=(felt(labels),)), CourseOptions(peaks=5)).people
    assert [(peak.at, peak.label) for peak in ann.peaks] == [(3.5, "joy"), (12.5, "anger")]


def test_conflicts_that_touch_are_one():
    space = catalog.load("conflict")
    values = [[c, 0.5, 0.5, np.nan] for c in (0.9, 0.8, 0.6, 0.7, np.nan)]
    notes = ("words joy, voice anger", "words joy, voice fear", "", "words joy, voice anger", "not said")
    track = Track(space, [0, 1, 2, 3, 4], [1, 2, 3, 4, 5], values, subject="ann", channel="fused", note=notes)
    (ann,) = summarize(Record("r", tracks=(track,))).people
    assert [(span.start, span.end, words) for span, words in ann.conflicts] == [
        (0.0, 2.0, "words joy, voice anger"), (3.0, 4.0, "words joy, voice anger"),
    ]  # fmt: skip


def test_nothing_along_time_is_refused_and_nothing_said_is_not_invented():
    with pytest.raises(MalformedError, match="along time"):
        summarize(Record("r", tracks=(Track(EKMAN, [0], [4], [[1 / 7] * 7], unit="char"),)))
    (ann,) = summarize(Record("r", tracks=(felt([None, None]),))).people
    assert ann.shares == {} and ann.peaks == () and ann.means == {} and ann.said == 0
    with pytest.raises(MalformedError, match="step > 0"):
        CourseOptions(step=0)
