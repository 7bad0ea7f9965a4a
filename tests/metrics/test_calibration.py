import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import calibration as c

ONE = Space("mood-3", "one", tuple(map(Axis, "abc")))
ANY = Space("moods-3", "any", tuple(map(Axis, "abc")))
NAN = np.nan
near = {"rtol": 0, "atol": 1e-9}
seeds = pytest.mark.parametrize("seed", range(6))
ALL = (c.ece, c.ece_mass, c.mce, c.auroc_confidence, c.aurc)


def track(values, space=ONE, **columns):
    return Track(space, np.arange(len(values)), np.arange(len(values)) + 1, values, **columns)


def ece_by_hand(right, sure, bins):
    """Bin by bin, as it is written down by Guo et al. 2017."""
    total = 0.0
    for b in range(bins):
        inside = (sure > b / bins) & (sure <= (b + 1) / bins) | (sure == 0) * (b == 0)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    return total


@seeds
def test_agrees_with_scikit_learn_and_the_definition(seed):
    draw = np.random.default_rng(seed)
    p = draw.dirichlet(np.ones(3), 80)
    labels = np.array([draw.choice(3, p=row) for row in p])
    t = np.eye(3)[labels]
    np.testing.assert_allclose(c.nll(t, p), reference.log_loss(labels, p, labels=range(3)), **near)
    each = [reference.brier_score_loss(t[:, i], p[:, i]) for i in range(3)]
    np.testing.assert_allclose(c.brier(t, p), sum(each), **near)
    each = [reference.log_loss(t[:, i], p[:, i]) for i in range(3)]
    np.testing.assert_allclose(c.binary_nll(t, p), np.mean(each), **near)
    sure, right = p.max(1), (p.argmax(1) == labels).astype(float)
    np.testing.assert_allclose(c.auroc_confidence(right, sure), reference.roc_auc_score(right, sure), **near)
    for bins in (1, 10, 15):
        np.testing.assert_allclose(c.ece(right, sure, bins), ece_by_hand(right, sure, bins), **near)
        wanted = np.mean([ece_by_hand(t[:, i], p[:, i], bins) for i in range(3)])
        np.testing.assert_allclose(c.ece_classwise(t, p, bins), wanted, **near)


@seeds
def test_risk_coverage_averages_over_the_orders_of_ties(seed):
    draw = np.random.default_rng(seed)
    right, sure = (draw.random(8) < 0.5).astype(float), draw.integers(0, 3, 8) / 2
    runs = []
    for _ in range(4000):
        order = np.lexsort((draw.random(8), -sure))
        runs.append(np.cumsum(1 - right[order]) / np.arange(1, 9))
    np.testing.assert_allclose(c.risk_coverage(right, sure)[1], np.mean(runs, 0), rtol=0, atol=0.03)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=40), st.randoms())
def test_bounds_and_order(rows, chance):
    right = np.array([yes for yes, _ in rows], float)
    sure = np.array([level for _, level in rows]) / 8
    order = np.array(chance.sample(range(len(rows)), len(rows)))
    for metric in ALL:
        score = metric(right, sure)
        assert np.isnan(score) or -1e-12 <= score <= 1 + 1e-12
        np.testing.assert_allclose(metric(right[order], sure[order]), score, **near)
    assert c.ece(right, sure) <= c.mce(right, sure) + 1e-12
    coverage, risk = c.risk_coverage(right, sure)
    np.testing.assert_allclose([coverage[-1], risk[-1]], [1, 1 - right.mean()], **near)


def test_what_comes_true_as_often_as_said_has_no_error():
    draw = np.random.default_rng(0)
    sure = draw.random(200_000)
    right = (draw.random(200_000) < sure).astype(float)
    assert c.ece(right, sure) < 0.01 and c.ece_mass(right, sure) < 0.01 and c.mce(right, sure) < 0.03


def test_conformal_sets_keep_their_promise():
    draw = np.random.default_rng(0)
    p = draw.dirichlet(np.ones(4), 80_000)
    t = np.eye(4)[(draw.random((80_000, 1)) > p.cumsum(1)[:, :-1]).sum(1)]
    for coverage in (0.5, 0.8, 0.95):
        threshold = c.conformal_threshold(c.conformal_scores(t[:40_000], p[:40_000]), coverage)
        report = c.conformal_report(t[40_000:], c.conformal_sets(p[40_000:], threshold))
        assert report["conformal_coverage"] == pytest.approx(coverage, abs=0.01)
    assert c.conformal_sets(p, np.inf).all()


def test_evaluate_one_label():
    p = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.4, 0.2, 0.4]])
    truth, said = track([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]), track(p)
    scores = c.evaluate(truth, said)
    right, sure = [1, 1, 0], [0.8, 0.6, 0.4]
    for metric in ALL:
        np.testing.assert_allclose(scores[metric.__name__], metric(right, sure), rtol=0, atol=1e-6)
    np.testing.assert_allclose(scores["brier"], c.brier(truth.values, said.values), **near)
    np.testing.assert_allclose(scores["nll"], c.nll(truth.values, said.values), **near)
    np.testing.assert_allclose(scores["ece_classwise"], c.ece_classwise(truth.values, said.values), **near)


def test_evaluate_takes_the_confidence_that_is_given_and_leaves_out_what_is_not_said():
    rows = np.vstack([np.eye(3), np.eye(3)[:1]])
    said = np.vstack([np.eye(3)[:2], np.full((1, 3), NAN), np.eye(3)[:1]])
    scores = c.evaluate(track(rows), track(said, confidence=[0.75, 0.75, 0.9, NAN]))
    assert (scores["n"], scores["said"]) == (2, 0.5)
    assert scores["ece"] == pytest.approx(0.25) and scores["brier"] == 0
    unknown = c.evaluate(track(rows), track(said, confidence=[NAN] * 4))
    assert unknown["n"] == 3 and unknown["ece"] == 0
    with pytest.raises(MalformedError, match="no row has both"):
        c.evaluate(track(rows[:1]), track([[NAN] * 3]))


def test_evaluate_several_labels():
    truth, said = track([[1, 0, NAN], [0, 0, 0]], ANY), track([[0.9, 0.2, 0.3], [0.4, NAN, 0.1]], ANY)
    scores = c.evaluate(truth, said)
    t, p = [[1], [0], [0], [0]], [[0.9], [0.2], [0.4], [0.1]]
    np.testing.assert_allclose(scores["brier"], c.brier(t, p), rtol=0, atol=1e-6)
    np.testing.assert_allclose(scores["nll"], c.binary_nll(t, p), rtol=0, atol=1e-6)
    np.testing.assert_allclose(scores["ece"], c.ece([1, 0], [0.9, 0.4]), rtol=0, atol=1e-6)
    with pytest.raises(MalformedError, match="kind one, and moods-3 is any"):
        c.evaluate(truth, said, threshold=0.5)


def test_evaluate_conformal_sets_overall_and_per_group():
    truth = track([[NAN] * 3, [1, 0, 0], [0, 1, 0]])
    said = track([[1, 0, 0], [0.5, 0.5, 0], [0.75, 0.25, 0]])
    scores = c.evaluate(truth, said, threshold=0.5, groups=["x", "x", "y"])
    assert scores["conformal_coverage"] == 0.5 and scores["conformal_set_size"] == 1.5
    assert scores["conformal_coverage_x"] == 1 and scores["conformal_set_size_y"] == 1
    with pytest.raises(MalformedError, match="3 rows, 1 groups"):
        c.evaluate(truth, said, threshold=0.5, groups=["x"])


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("right", "sure"), [([], []), ([1], [NAN]), ([2], [0.5]), ([1], [1.5]), ([1], [-0.1]), ([1, 0], [1]), (["a"], [1])]
)
def test_bad_columns_are_refused(metric, right, sure):
    with pytest.raises(MalformedError):
        metric(right, sure)


def test_bad_tables_and_options_are_refused():
    for metric in (c.brier, c.nll, c.binary_nll, c.ece_classwise):
        for bad in ([], [[2, 0]], [[NAN, 1]], [1]):
            with pytest.raises(MalformedError):
                metric(bad, bad)
    for call in (
        lambda: c.ece([1], [1], 0),
        lambda: c.ece_mass([1], [1], 2.5),
        lambda: c.conformal_threshold([], 0.9),
        lambda: c.conformal_threshold([NAN], 0.9),
        lambda: c.conformal_threshold([0.1], 1),
        lambda: c.conformal_scores([[0.5, 0.5]], [[0.5, 0.5]]),
        lambda: c.conformal_report([[1, 0]], [[1, 1]], ["a", "b"]),
    ):
        with pytest.raises(MalformedError):
            call()
    with pytest.raises(MalformedError, match="truth is in mood-3 and the estimate in moods-3: translate"):
        c.evaluate(track(np.eye(3)), track(np.eye(3), ANY))
