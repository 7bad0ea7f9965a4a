import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from affetto.core.errors import MalformedError, UnknownNameError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import dimensional as d

VA = Space("va", "graded", (Axis("valence", low=-1), Axis("arousal", low=-1)))
FEELING = Space("sentiment-score", "graded", (Axis("sentiment", low=-3, high=3), Axis("strength", low=0, high=4)))
NAN = np.nan
near = {"rtol": 0, "atol": 1e-9}
seeds = pytest.mark.parametrize("seed", range(6))
numbers = st.integers(-5, 5).map(float)
ALL = (d.ccc, d.pearson, d.spearman, d.rmse, d.mae, d.r2, d.sagr)


def track(values, space=VA):
    return Track(space, np.arange(len(values)), np.arange(len(values)) + 1, values)


@seeds
def test_agrees_with_scipy_and_scikit_learn(seed):
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=40).round(1), draw.normal(0.3, 2, 40).round(1)
    np.testing.assert_allclose(d.pearson(a, b), stats.pearsonr(a, b)[0], **near)
    np.testing.assert_allclose(d.spearman(a, b), stats.spearmanr(a, b)[0], **near)
    np.testing.assert_allclose(d.rmse(a, b), reference.root_mean_squared_error(a, b), **near)
    np.testing.assert_allclose(d.mae(a, b), reference.mean_absolute_error(a, b), **near)
    np.testing.assert_allclose(d.r2(a, b), reference.r2_score(a, b), **near)
    for ddof in (0, 1):
        covariance = np.cov(a, b, ddof=ddof)
        wanted = 2 * covariance[0, 1] / (np.trace(covariance) + (a.mean() - b.mean()) ** 2)
        np.testing.assert_allclose(d.ccc(a, b, ddof), wanted, **near)


@seeds
def test_sentiment_agrees_with_the_conventions_of_mmsa(seed):
    draw = np.random.default_rng(seed)
    a, b = draw.integers(-18, 19, 60) / 6, draw.integers(-21, 22, 60) / 6
    scores, sides, kept = d.sentiment_scores(a, b), (a >= 0, b >= 0), a != 0
    np.testing.assert_allclose(scores["acc2_has0"], reference.accuracy_score(*sides), **near)
    np.testing.assert_allclose(scores["f1_has0"], reference.f1_score(*sides, average="weighted"), **near)
    np.testing.assert_allclose(scores["acc2_non0"], reference.accuracy_score(a[kept] > 0, b[kept] > 0), **near)
    wanted = reference.f1_score(a[kept] > 0, b[kept] > 0, average="weighted")
    np.testing.assert_allclose(scores["f1_non0"], wanted, **near)
    for most, name in ((1, "acc3"), (2, "acc5"), (3, "acc7")):
        same = np.round(np.clip(a, -most, most)) == np.round(np.clip(b, -most, most))
        np.testing.assert_allclose(scores[name], same.mean(), **near)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.randoms())
def test_bounds_symmetry_and_order(rows, chance):
    a, b = (np.array(column) for column in zip(*rows, strict=True))
    order = np.array(chance.sample(range(len(rows)), len(rows)))
    for metric in ALL:
        np.testing.assert_allclose(metric(a[order], b[order]), metric(a, b), **near)
    assert -1 <= d.ccc(a, b) <= 1 and abs(d.ccc(a, b)) <= abs(np.nan_to_num(d.pearson(a, b), nan=1)) + 1e-9
    assert d.ccc(a, b) == pytest.approx(d.ccc(b, a))
    assert d.ccc(a, a) == pytest.approx(1.0 if np.ptp(a) else 0.0)
    assert d.mae(a, b) <= d.rmse(a, b) + 1e-9


def test_numbers_far_from_zero_or_hardly_varying_stay_exact():
    a = 1e8 + np.array([1.0, 2, 3, 4])
    np.testing.assert_allclose(d.ccc(a, a + 1), 2 * 1.25 / (2.5 + 1), **near)
    np.testing.assert_allclose(d.pearson(a, 3 * a), 1, **near)
    np.testing.assert_allclose(d.pearson(np.array([0, 1e-200]), np.array([0, 1e-200])), 1, **near)
    assert d.ccc([0.1] * 7, [0.3, *[0.1] * 6]) == 0


def test_sequences_are_pooled_or_averaged_and_never_mixed():
    truth = track([[0.5, 0], [-0.5, 0.2], [0.1, 0.4], [0.3, 0.6]])
    said = track([[0.4, 0], [-0.6, 0.1], [0.2, 0.5], [0.2, 0.6]])
    sequences = ["x", "x", "y", "y"]
    pooled, both = d.evaluate(truth, said), d.evaluate(truth, said, sequences=sequences)
    assert not [name for name in pooled if "sequence" in name]
    assert all(both[name] == pooled[name] for name in pooled)
    v, w = truth.values[:, 0].astype(float), said.values[:, 0].astype(float)
    each = [d.ccc(v[:2], w[:2]), d.ccc(v[2:], w[2:])]
    np.testing.assert_allclose(both["ccc_valence_per_sequence"], np.mean(each), **near)
    wanted = np.mean([both["ccc_valence_per_sequence"], both["ccc_arousal_per_sequence"]])
    np.testing.assert_allclose(both["ccc_per_sequence"], wanted, **near)
    for call in (
        lambda: d.evaluate(truth, said, sequences=["x"]),
        lambda: d.per_sequence(d.mae, [1, 2], [1, 2], ["x"]),
    ):
        with pytest.raises(MalformedError, match="one id a row"):
            call()


def test_sequences_that_cannot_tell_are_left_out():
    assert d.per_sequence(d.pearson, [1, 1, 1, 2], [1, 2, 1, 2], ["x", "x", "y", "y"]) == pytest.approx(1)
    assert np.isnan(d.per_sequence(d.pearson, [1, 1], [1, 2], ["x", "x"]))


def test_evaluate_gives_every_axis_and_their_mean():
    draw = np.random.default_rng(0)
    truth, said = (track(draw.uniform(-1, 1, (30, 2))) for _ in range(2))
    scores = d.evaluate(truth, said)
    for metric in ALL:
        name = metric.__name__
        each = [metric(truth.values[:, i], said.values[:, i]) for i in range(2)]
        np.testing.assert_allclose([scores[f"{name}_valence"], scores[f"{name}_arousal"]], each, **near)
        np.testing.assert_allclose(scores[name], np.mean(each), **near)
    assert d.evaluate(truth, said, ddof=1)["ccc_valence"] != scores["ccc_valence"]


def test_evaluate_refuses_silence_unless_asked_to_drop_it():
    truth, said = track([[0, NAN], [0.5, 0.1], [1, 0.3], [NAN, NAN]]), track([[0.1, 0], [0.4, NAN], [NAN, NAN], [0, 0]])
    with pytest.raises(MalformedError, match=r"says nothing in 1 of 3 rows.*silent='drop'"):
        d.evaluate(truth, said)
    with pytest.raises(MalformedError, match=r"nothing of arousal in 1 of 1 rows.*silent='drop'"):
        d.evaluate(truth[:2], said[:2])
    scores = d.evaluate(truth, said, silent="drop", sequences=["x"] * 4)
    assert scores["n"] == 2
    np.testing.assert_allclose(scores["mae_valence"], 0.1, rtol=0, atol=1e-7)
    assert np.isnan(scores["ccc_arousal"]) and np.isnan(scores["ccc_arousal_per_sequence"])
    assert scores["mae"] == scores["mae_valence"]
    with pytest.raises(MalformedError, match="silent is drop or refuse"):
        d.evaluate(truth, said, silent="keep")


def test_sentiment_is_stretched_to_its_scale():
    truth, said = track([[1, 0], [-1 / 3, 0]]), track([[0.9, 0], [-0.4, 0]])
    scores = d.evaluate(truth, said, sentiment="valence")
    assert scores["acc7"] == scores["acc2_non0"] == 1
    feeling = track([[2.5, 1], [-1, 0]], FEELING)
    assert d.evaluate(feeling, feeling, sentiment="sentiment")["acc7"] == 1
    with pytest.raises(MalformedError, match="as long below 0 as above, and strength is 0"):
        d.evaluate(feeling, feeling, sentiment="strength")
    with pytest.raises(UnknownNameError, match="sentiment, strength"):
        d.evaluate(feeling, feeling, sentiment="valence")


@pytest.mark.parametrize("metric", [*ALL, d.acc2_has0, d.f1_non0])
@pytest.mark.parametrize(
    ("truth", "estimate"), [([], []), ([1, NAN], [1, 2]), ([1, 2], [1, NAN]), ([1], [1, 2]), (["a"], [1])]
)
def test_bad_columns_are_refused(metric, truth, estimate):
    with pytest.raises(MalformedError):
        metric(truth, estimate)


def test_bad_options_and_spaces_are_refused():
    with pytest.raises(MalformedError, match="ddof is 0"):
        d.ccc([1, 2], [1, 2], 2)
    with pytest.raises(MalformedError, match="3, 5 or 7"):
        d.acc_classes([1], [1], 4)
    mood = Space("mood-2", "one", (Axis("good"), Axis("bad")))
    with pytest.raises(MalformedError, match="truth is in mood-2 and the estimate in va: translate one of them"):
        d.evaluate(track([[1, 0]], mood), track([[1, 0]]))
    with pytest.raises(MalformedError, match="mood-2 is one"):
        d.evaluate(track([[1, 0]], mood), track([[1, 0]], mood))
