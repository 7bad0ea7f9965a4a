import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import classification as c

K = 4
ONE = Space("mood-4", "one", tuple(map(Axis, "abcd")))
ANY = Space("moods-4", "any", tuple(map(Axis, "abcd")))
NAN = np.nan
near = {"rtol": 0, "atol": 1e-9}
seeds = pytest.mark.parametrize("seed", range(8))


def track(values, space):
    return Track(space, np.arange(len(values)), np.arange(len(values)) + 1, values)


@seeds
def test_one_label_agrees_with_scikit_learn(seed):
    draw = np.random.default_rng(seed)
    t, p = draw.integers(0, K - seed % 2, 60), draw.integers(0, K, 60)
    a, b = c.chosen(t, K), c.chosen(p, K)
    same = {"labels": range(K), "zero_division": 0}
    np.testing.assert_allclose(c.accuracy(a, b), reference.accuracy_score(t, p), **near)
    np.testing.assert_allclose(c.uar(a, b), reference.recall_score(t, p, labels=np.unique(t), average="macro"), **near)
    np.testing.assert_allclose(c.f1(a, b), reference.f1_score(t, p, average=None, **same), **near)
    for name in ("macro", "micro", "weighted"):
        got = getattr(c, f"{name}_f1")(a, b)
        np.testing.assert_allclose(got, reference.f1_score(t, p, average=name, **same), **near)
    present = reference.f1_score(t, p, labels=np.unique(t), average="macro")
    np.testing.assert_allclose(c.macro_f1(a, b, present=True), present, **near)
    assert (c.confusion(a, b)[:, :K] == reference.confusion_matrix(t, p, labels=range(K))).all()


@seeds
def test_several_labels_agree_with_scikit_learn(seed):
    draw = np.random.default_rng(seed)
    t, p = draw.random((50, K)) < 0.3, draw.random((50, K)) < 0.4
    for name in ("macro", "micro", "weighted"):
        got = getattr(c, f"{name}_f1")(t, p)
        np.testing.assert_allclose(got, reference.f1_score(t, p, average=name, zero_division=0), **near)
    for empty in (0.0, 1.0):
        wanted = reference.jaccard_score(t, p, average="samples", zero_division=empty)
        np.testing.assert_allclose(c.jaccard(t, p, empty), wanted, **near)
    np.testing.assert_allclose(c.hamming(t, p), reference.hamming_loss(t, p), **near)
    np.testing.assert_allclose(c.exact_match(t, p), reference.accuracy_score(t, p), **near)
    precision = reference.precision_score(t, p, average=None, zero_division=np.nan)
    np.testing.assert_allclose(c.precision(t, p), precision, **near)


@seeds
def test_areas_agree_with_scikit_learn_with_ties(seed):
    draw = np.random.default_rng(seed)
    t, p = draw.random(80) < 0.3, draw.integers(0, 3 + 9 * seed, 80) / 90
    np.testing.assert_allclose(c.auroc(t, p), reference.roc_auc_score(t, p), **near)
    np.testing.assert_allclose(c.auprc(t, p), reference.average_precision_score(t, p), **near)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=20), st.randoms())
def test_areas_do_not_depend_on_order_and_turn_with_the_scores(rows, chance):
    t, p = (np.array(column, float) for column in zip(*rows, strict=True))
    order = np.array(chance.sample(range(len(rows)), len(rows)))
    for metric in (c.auroc, c.auprc):
        np.testing.assert_allclose(metric(t[order], p[order]), metric(t, p), **near)
        assert np.isnan(metric(t, p)) or 0 <= metric(t, p) <= 1
    np.testing.assert_allclose(c.auroc(t, -p), 1 - c.auroc(t, p), **near)


@given(st.lists(st.tuples(st.integers(0, K - 1), st.integers(-1, K - 1)), min_size=1, max_size=20), st.randoms())
def test_label_scores_lie_in_0_to_1_and_do_not_depend_on_order(rows, chance):
    a, b = (c.chosen(np.array(column), K) for column in zip(*rows, strict=True))
    order = np.array(chance.sample(range(len(rows)), len(rows)))
    for metric in (c.accuracy, c.uar, c.macro_f1, c.micro_f1, c.weighted_f1, c.jaccard, c.hamming, c.exact_match):
        assert 0 <= metric(a, b) <= 1
        np.testing.assert_allclose(metric(a[order], b[order]), metric(a, b), **near)
    assert c.accuracy(a, a) == c.uar(a, a) == c.micro_f1(a, a) == c.macro_f1(a, a, present=True) == 1
    assert c.confusion(a, b).sum() == len(rows)


def test_evaluate_counts_silence_as_a_miss_and_drops_silent_truth():
    rows = np.vstack([np.eye(4), np.full((1, 4), NAN)])
    scores = c.evaluate(track(rows, ONE), track(np.vstack([np.eye(4)[:3], np.full((2, 4), NAN)]), ONE))
    assert (scores["n"], scores["labels"], scores["labels_present"]) == (4, 4, 4)
    assert scores["accuracy"] == scores["uar"] == 0.75
    assert scores["silent"] == 0.25
    assert scores["macro_f1"] == 0.75
    np.testing.assert_allclose(scores["micro_f1"], 6 / 7, **near)


def test_evaluate_takes_one_threshold_or_one_a_label_and_float32_reaches_it():
    truth, said = track([[1, 1, 0, 0]], ANY), track([[0.7, 0.3, 0.3, 0.1]], ANY)
    assert c.evaluate(truth, said)["jaccard"] == 0.5
    assert c.evaluate(truth, said, threshold=[0.7, 0.3, 0.31, 0.5])["exact_match"] == 1
    assert c.evaluate(truth, said, threshold=0.3)["jaccard"] == pytest.approx(2 / 3)
    for bad in ([0.5, 0.5], "high", NAN, None):
        with pytest.raises(MalformedError, match="threshold is"):
            c.evaluate(truth, said, threshold=bad)


def test_evaluate_leaves_out_cells_of_which_the_truth_does_not_speak():
    scores = c.evaluate(track([[1, NAN, 0, 0]], ANY), track([[0.9, 0.9, 0, 0]], ANY))
    assert scores["exact_match"] == 1 and scores["hamming"] == 0 and scores["micro_f1"] == 1


def test_evaluate_names_the_scores_of_each_label():
    scores = c.evaluate(track(np.eye(4), ONE), track(np.eye(4), ONE), per_label_too=True)
    assert {f"{score}_{label}" for score in ("f1", "recall", "precision", "auroc", "auprc") for label in "abcd"} <= set(
        scores
    )
    assert all(scores[f"auroc_{label}"] == 1 for label in "abcd")


def test_one_class_only():
    scores = c.evaluate(track(np.eye(4)[[0, 0]], ONE), track(np.eye(4)[[0, 1]], ONE))
    assert scores["labels_present"] == 1 and scores["uar"] == 0.5
    assert np.isnan(scores["auroc"]) and np.isnan(scores["auprc"])
    assert scores["macro_f1"] == pytest.approx(2 / 3 / 4) and scores["macro_f1_present"] == pytest.approx(2 / 3)


def test_no_label_at_all():
    scores = c.evaluate(track(np.zeros((2, 4)), ANY), track(np.zeros((2, 4)), ANY))
    assert scores["exact_match"] == scores["jaccard"] == 1 and scores["micro_f1"] == scores["macro_f1"] == 0
    assert all(np.isnan(scores[name]) for name in ("uar", "weighted_f1", "macro_f1_present", "auroc"))
    assert c.evaluate(track(np.zeros((2, 4)), ANY), track(np.zeros((2, 4)), ANY), both_empty=0)["jaccard"] == 0


@pytest.mark.parametrize("metric", [c.accuracy, c.uar, c.macro_f1, c.jaccard, c.hamming, c.confusion])
@pytest.mark.parametrize(
    ("truth", "estimate"),
    [([], []), ([[0.5, 0.5]], [[1, 0]]), ([[NAN, NAN]], [[1, 0]]), ([[1, 0]], [["a", "b"]]), ([1], [1])],
)
def test_what_is_no_decision_is_refused(metric, truth, estimate):
    with pytest.raises(MalformedError):
        metric(truth, estimate)


def test_several_labels_have_no_accuracy_and_no_confusion():
    for metric in (c.accuracy, c.confusion):
        for truth, estimate in (([[1, 1]], [[1, 0]]), ([[1, 0]], [[1, 1]]), ([[0, 0]], [[1, 0]])):
            with pytest.raises(MalformedError, match="one label"):
                metric(truth, estimate)


def test_bad_label_numbers_and_ranks_are_refused():
    for labels in ([4], [-2], [0.5], [[0]], ["a"]):
        with pytest.raises(MalformedError, match="label numbers"):
            c.chosen(labels, 4)
    for truth, scores in (([1, 2], [0, 0]), ([1], [0, 0])):
        with pytest.raises(MalformedError):
            c.auroc(truth, scores)


def test_other_spaces_are_refused():
    graded = Space("va", "graded", (Axis("valence"),))
    with pytest.raises(MalformedError, match="va is graded"):
        c.evaluate(track([[0.5]], graded), track([[0.5]], graded))
    with pytest.raises(MalformedError, match="truth is in mood-4 and the estimate in moods-4: translate one"):
        c.evaluate(track(np.eye(4), ONE), track(np.eye(4), ANY))
