"""Scores of sums equal the metrics over all rows and any resample; intervals and paired tests are what they say."""

import numpy as np
import pytest
from sklearn import metrics as reference

from affetto.bench import evaluate as scoring
from affetto.bench.protocol import Benchmark, load
from affetto.bench.rows import Place, Rows
from affetto.bench.scores import Case, scores
from affetto.core.card import Card
from affetto.core.errors import CatalogError, MalformedError
from affetto.core.space import Axis, Space

LETTERS = tuple(Axis(name) for name in "abcd")


def _benchmark(metrics: tuple[str, ...] = ("macro_f1",), **facts: object) -> Benchmark:
    facts = {"corpus": "c", "split": "test", "truth": "letters", "space": "letters", "metrics": list(metrics)} | facts
    return load(Card("b.v1", "benchmark", "1", "Letters", facts=facts))


def _rows(
    values: np.ndarray, kind: str = "one", groups: list[str] | None = None, parts: list[str] | None = None
) -> Rows:
    n = len(values)
    places = tuple(Place(i, "char", 0, 1, "writer") for i in range(n))
    axes = LETTERS if kind != "graded" else tuple(Axis(name, low=-1, high=1) for name in "abcd")[: values.shape[1]]
    return Rows(
        Space("letters", kind, axes[: values.shape[1]]),
        values,
        places,
        tuple(groups or map(str, range(n))),
        tuple(parts or [""] * n),
    )


def _whole(kind: str, case: Case) -> dict[str, float]:
    return {name: float(s.finish(s.adds.sum(0, keepdims=True))[0]) for name, s in scores(kind, case).items()}


def test_scores_of_one_label_equal_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    truth, said = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    p = rng.dirichlet(np.ones(4), 200)
    p[np.arange(200), said] += 1
    p /= p.sum(1, keepdims=True)
    found = _whole("one", Case(np.eye(4)[truth], np.eye(4)[said], p, tuple("abcd")))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, said), abs=1e-9)
    assert found["uar"] == pytest.approx(reference.balanced_accuracy_score(truth, said), abs=1e-9)
    for mean in ("macro", "micro", "weighted"):
        assert found[f"{mean}_f1"] == pytest.approx(reference.f1_score(truth, said, average=mean), abs=1e-9)
    assert found["nll"] == pytest.approx(reference.log_loss(truth, p, labels=range(4)), abs=1e-9)


def test_scores_of_several_labels_equal_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    truth, p = (rng.random((300, 4)) < 0.3).astype(float), rng.random((300, 4))
    said = (p > 0.6).astype(float)
    found = _whole("any", Case(truth, said, p, tuple("abcd")))
    for mean in ("macro", "micro", "weighted"):
        assert found[f"{mean}_f1"] == pytest.approx(reference.f1_score(truth, said, average=mean), abs=1e-9)
    assert found["hamming"] == pytest.approx(reference.hamming_loss(truth, said), abs=1e-9)
    assert found["exact_match"] == pytest.approx(reference.accuracy_score(truth, said), abs=1e-9)
    assert found["jaccard"] == pytest.approx(
        reference.jaccard_score(truth, said, average="samples", zero_division=1.0), abs=1e-9
    )


def test_scores_on_axes_equal_numpy() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100, 1))
    y = 0.5 * x + rng.normal(size=(100, 1))
    found = _whole("graded", Case(x, y, y, ("a",)))
    a, b = x[:, 0], y[:, 0]
    assert found["pearson_a"] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
    ccc = 2 * np.cov(a, b, ddof=0)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    assert found["ccc_a"] == pytest.approx(ccc, abs=1e-9)
    assert found["rmse_a"] == pytest.approx(np.sqrt(np.mean((a - b) ** 2)), abs=1e-9)


def test_the_interval_holds_the_value_and_narrows_with_n() -> None:
    rng = np.random.default_rng(4)
    widths = []
    for n in (100, 1600):
        truth = np.eye(4)[rng.integers(0, 4, n)]
        values = np.where(rng.random((n, 1)) < 0.7, truth, np.roll(truth, 1, 1))
        rows = _rows(truth)
        case = scoring.case(_benchmark(), rows, values)
        measured = scoring.evaluate(_benchmark(), rows, {"x": case}, 1, resamples=400)["x"].metrics["accuracy"]
        assert measured.low < measured.value < measured.high
        widths.append(measured.high - measured.low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.3)


def test_whole_groups_are_drawn_so_that_few_speakers_mean_a_wide_interval() -> None:
    truth = np.eye(2)[np.repeat([0, 1], 200)]
    values = np.eye(2)[np.zeros(400, int)]
    alone = _rows(truth)
    few = _rows(truth, groups=["anna"] * 200 + ["bert"] * 200)
    width = []
    for rows in (alone, few):
        case = scoring.case(_benchmark(("accuracy",)), rows, values)
        metric = scoring.evaluate(_benchmark(("accuracy",)), rows, {"x": case}, 1, resamples=300)["x"].metrics[
            "accuracy"
        ]
        width.append(metric.high - metric.low)
    assert width[1] == 1.0 and width[0] < 0.15


def test_the_same_seed_gives_the_same_numbers() -> None:
    rng = np.random.default_rng(5)
    rows = _rows(np.eye(4)[rng.integers(0, 4, 50)])
    case = scoring.case(_benchmark(), rows, rng.dirichlet(np.ones(4), 50))
    once, again = (scoring.evaluate(_benchmark(), rows, {"x": case, "y": case}, 7, resamples=200) for _ in range(2))
    assert once == again


def test_equal_systems_do_not_differ_and_unequal_ones_do() -> None:
    rng = np.random.default_rng(6)
    truth = np.eye(4)[rng.integers(0, 4, 300)]
    good = np.where(rng.random((300, 1)) < 0.9, truth, np.roll(truth, 1, 1))
    bad = np.where(rng.random((300, 1)) < 0.4, truth, np.roll(truth, 1, 1))
    rows = _rows(truth)
    cases = {name: scoring.case(_benchmark(), rows, v) for name, v in (("good", good), ("twin", good), ("bad", bad))}
    pairs = {p.against: p for p in scoring.evaluate(_benchmark(), rows, cases, 1, resamples=999)["good"].paired}
    assert pairs["twin"].difference == 0 and pairs["twin"].p_bootstrap == 1 and pairs["twin"].p_mcnemar == 1
    assert pairs["bad"].difference > 0.3 and pairs["bad"].p_bootstrap == pytest.approx(0.002)
    assert pairs["bad"].p_mcnemar < 1e-6


def test_mcnemar_is_the_exact_binomial_test() -> None:
    from scipy.stats import binomtest

    for b, c in ((3, 9), (0, 5), (40, 41), (700, 900)):
        assert scoring.mcnemar(b, c) == pytest.approx(min(1, binomtest(min(b, c), b + c).pvalue), rel=1e-6)


def test_a_row_that_says_nothing_is_wrong_not_left_out() -> None:
    truth = np.eye(4)[[0, 1, 2, 3]]
    values = truth.copy()
    values[0] = np.nan
    outcome = scoring.evaluate(_benchmark(), _rows(truth), {"x": scoring.case(_benchmark(), _rows(truth), values)}, 1)
    assert outcome["x"].metrics["accuracy"].value == 0.75 and outcome["x"].said == 0.75


def test_parts_are_scored_alone_and_meaned() -> None:
    truth = np.eye(2)[[0, 0, 1, 1, 0, 1]]
    values = np.eye(2)[[0, 0, 1, 1, 1, 0]]
    rows = _rows(truth, parts=["deu"] * 4 + ["eng"] * 2)
    case = scoring.case(_benchmark(("accuracy",)), rows, values)
    metrics = scoring.evaluate(_benchmark(("accuracy",)), rows, {"x": case}, 1, resamples=50)["x"].metrics
    assert (metrics["accuracy_deu"].value, metrics["accuracy_eng"].value, metrics["accuracy"].value) == (1, 0, 0.5)


def test_values_of_another_shape_are_refused_in_one_sentence() -> None:
    with pytest.raises(MalformedError, match="wants 4 rows of 4 values in letters, not 3 of 2"):
        scoring.case(_benchmark(), _rows(np.eye(4)), np.ones((3, 2)))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"splitt": "test"}, "has splitt, which no benchmark has"),
        ({"dev": "test"}, "scores the split that it lets others learn from"),
        ({"metrics": None}, "lacks metrics"),
    ],
)
def test_a_card_that_is_no_benchmark_is_refused(facts: dict[str, object], words: str) -> None:
    if facts.get("metrics", "") is None:
        with pytest.raises(CatalogError, match=words):
            load(Card("b.v1", "benchmark", "1", "B", facts={"corpus": "c", "split": "t", "truth": "x", "space": "x"}))
    else:
        with pytest.raises(CatalogError, match=words):
            _benchmark(**facts)
