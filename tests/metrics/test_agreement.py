import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import agreement as a

NAN = np.nan
near = {"rtol": 0, "atol": 1e-9}
seeds = pytest.mark.parametrize("seed", range(6))
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Krippendorff 2011, Computing Krippendorff's alpha-reliability, section C."""
JUDGES = np.array([[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
"""Shrout and Fleiss 1979, table 2."""


def track(values, space):
    return Track(space, np.arange(len(values)), np.arange(len(values)) + 1, values)


@seeds
@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_cohen_agrees_with_scikit_learn(seed, weights):
    draw = np.random.default_rng(seed)
    one, two = draw.integers(0, 5, 40) * 2, draw.integers(0, 4, 40) * 2
    wanted = reference.cohen_kappa_score(one, two, weights=None if weights == "none" else weights)
    np.testing.assert_allclose(a.cohen_kappa(one, two, weights), wanted, **near)
    wide = np.arange(-1, 11)
    wanted = reference.cohen_kappa_score(one, two, labels=wide, weights=None if weights == "none" else weights)
    np.testing.assert_allclose(a.cohen_kappa(one, two, weights, wide), wanted, **near)


@seeds
@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_agrees_with_krippendorff(seed, level):
    draw = np.random.default_rng(seed)
    ratings = draw.integers(1, 6, (4, 30)).astype(float)
    ratings[draw.random(ratings.shape) < 0.3] = NAN
    wanted = krippendorff.alpha(ratings, level_of_measurement=level)
    np.testing.assert_allclose(a.krippendorff_alpha(ratings, level), wanted, **near)


def test_published_examples():
    for level, value in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)):
        assert round(a.krippendorff_alpha(OBSERVERS, level), 3) == value
    for model, single, average in ((1, 0.17, 0.44), (2, 0.29, 0.62), (3, 0.71, 0.91)):
        assert round(a.icc(JUDGES, model), 2) == single
        assert round(a.icc(JUDGES, model, average=True), 2) == average


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=12), st.randoms())
def test_neither_order_of_raters_nor_of_items_matters(rows, chance):
    table = np.array(rows, float).T
    raters = chance.sample(range(3), 3)
    items = chance.sample(range(len(rows)), len(rows))
    mixed = table[np.ix_(raters, items)]
    for metric in (a.fleiss_kappa, a.krippendorff_alpha, a.icc):
        np.testing.assert_allclose(metric(mixed), metric(table), **near)
        assert np.isnan(metric(table)) or metric(table) <= 1 + 1e-9
    for level in ("ordinal", "interval"):
        np.testing.assert_allclose(a.krippendorff_alpha(mixed, level), a.krippendorff_alpha(table, level), **near)
    np.testing.assert_allclose(a.cohen_kappa(table[0], table[1]), a.cohen_kappa(table[1], table[0]), **near)


def test_full_agreement_is_one_and_a_constant_is_not_said():
    same = np.tile([1.0, 2, 3], (3, 1))
    assert a.cohen_kappa(same[0], same[1]) == a.fleiss_kappa(same) == a.krippendorff_alpha(same) == a.icc(same) == 1
    flat = np.full((3, 4), 0.1)
    for score in (
        a.cohen_kappa(flat[0], flat[1]),
        a.fleiss_kappa(flat),
        a.krippendorff_alpha(flat, "interval"),
        a.icc(flat),
    ):
        assert np.isnan(score)


def test_many_distinct_ratings_need_no_table_of_all_pairs():
    draw = np.random.default_rng(0)
    truth = draw.normal(size=100_000)
    ratings = truth + draw.normal(size=(2, 100_000))
    assert a.krippendorff_alpha(ratings, "interval") == pytest.approx(0.5, abs=0.01)
    assert a.krippendorff_alpha(ratings, "ordinal") == pytest.approx(0.48, abs=0.02)


def test_items_not_rated_by_all():
    holes = np.hstack([JUDGES, [[9], [NAN], [1], [2]]])
    assert a.icc(holes) == a.icc(JUDGES)
    with pytest.raises(MalformedError, match=r"not 3 to 4: use krippendorff_alpha"):
        a.fleiss_kappa(holes)
    swapped = np.array([[0, NAN, 1, 1], [0, 0, 1, NAN], [NAN, 1, NAN, 1]])
    whole = np.array([[0, 0, 1, 1], [0, 1, 1, 1]])
    assert a.fleiss_kappa(swapped) == pytest.approx(a.fleiss_kappa(whole))


def test_evaluate_one_label():
    mood = Space("mood-3", "one", tuple(map(Axis, "abc")))
    raters = [
        track(np.vstack([np.eye(3)[row], np.full((1, 3), NAN)]), mood)
        for row in ([0, 1, 2, 0], [0, 1, 1, 0], [0, 1, 2, 2])
    ]
    scores = a.evaluate(*raters)
    table = np.array([[0, 1, 2, 0], [0, 1, 1, 0], [0, 1, 2, 2]])
    assert scores["n"] == 4
    assert scores["fleiss_kappa"] == pytest.approx(a.fleiss_kappa(table))
    assert scores["alpha_nominal"] == pytest.approx(a.krippendorff_alpha(table))
    pairs = [a.cohen_kappa(table[i], table[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert scores["cohen_kappa"] == pytest.approx(np.mean(pairs))
    assert a.evaluate(*raters[:2])["cohen_kappa"] == pytest.approx(pairs[0])


def test_evaluate_several_labels_and_grades():
    moods = Space("moods-2", "any", tuple(map(Axis, "ab")))
    scores = a.evaluate(track([[0.9, 0.1], [0.2, 0.2], [0.7, NAN]], moods), track([[0.8, 0], [0, 0], [0.1, 1]], moods))
    assert scores["cohen_kappa_a"] == pytest.approx(a.cohen_kappa([1, 0, 1], [1, 0, 0]))
    assert np.isnan(scores["cohen_kappa_b"]) and scores["cohen_kappa"] == scores["cohen_kappa_a"]
    va = Space("va", "graded", (Axis("valence", low=0, high=10), Axis("arousal", low=0, high=10)))
    raters = [track(np.stack([judge, np.full(6, NAN)], 1), va) for judge in JUDGES]
    scores = a.evaluate(*raters)
    assert round(scores["icc_2_1_valence"], 2) == 0.29 and round(scores["icc_3_k"], 2) == 0.91
    assert scores["alpha_interval_valence"] == pytest.approx(
        krippendorff.alpha(JUDGES, level_of_measurement="interval")
    )
    assert np.isnan(scores["icc_1_1_arousal"]) and np.isnan(scores["alpha_ordinal_arousal"])


def test_bad_ratings_are_refused():
    for bad in ([], [1, 2], [["a"]], [[1, 2], [1]], [[np.inf, 1]], None):
        for metric in (a.fleiss_kappa, a.krippendorff_alpha, a.icc):
            with pytest.raises(MalformedError):
                metric(bad)
    for call in (
        lambda: a.cohen_kappa([NAN], [1]),
        lambda: a.cohen_kappa([1], [1, 2]),
        lambda: a.cohen_kappa([1], [2], categories=[1]),
        lambda: a.cohen_kappa([1], [2], "cubic"),
        lambda: a.krippendorff_alpha([[1, 2]]),
        lambda: a.krippendorff_alpha([[1], [2]], "ratio"),
        lambda: a.icc([[1, 2]]),
        lambda: a.icc([[1], [2]]),
        lambda: a.icc(JUDGES, 4),
        lambda: a.fleiss_kappa([[1, 2]]),
    ):
        with pytest.raises(MalformedError):
            call()


def test_raters_that_cannot_be_compared_are_refused():
    mood, other = Space("mood-1", "one", (Axis("a"),)), Space("mood-2", "one", (Axis("a"), Axis("b")))
    one = track([[1]], mood)
    with pytest.raises(MalformedError, match="truth is in mood-1 and the estimate in mood-2: translate"):
        a.evaluate(one, one, track([[1, 0]], other))
    with pytest.raises(MalformedError, match="the truth wants to be a Track, not list"):
        a.evaluate([[1]], one)
    with pytest.raises(MalformedError, match="1 rows and another 2"):
        a.evaluate(one, track([[1], [1]], mood))
    with pytest.raises(MalformedError, match="no row was rated by two"):
        a.evaluate(one, track([[NAN]], mood))
