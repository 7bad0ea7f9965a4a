import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import distribution as p

K = 5
MOOD = Space("mood-5", "one", tuple(map(Axis, "abcde")))
NAN = np.nan
near = {"rtol": 0, "atol": 1e-9}
ALL = (p.kl, p.js, p.cosine, p.canberra, p.chebyshev, p.emd, p.intersection, p.top_match)
votes = st.lists(st.integers(0, 5), min_size=K, max_size=K).filter(any).map(lambda row: np.array([row]) / sum(row))


def track(values):
    return Track(MOOD, np.arange(len(values)), np.arange(len(values)) + 1, values)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_scipy(seed):
    draw = np.random.default_rng(seed)
    t, e = draw.dirichlet(np.full(K, 0.5), 20), draw.dirichlet(np.ones(K), 20)
    wanted = {
        "kl": [stats.entropy(a, b) for a, b in zip(t, e, strict=True)],
        "js": [distance.jensenshannon(a, b, 2) ** 2 for a, b in zip(t, e, strict=True)],
        "cosine": [1 - distance.cosine(a, b) for a, b in zip(t, e, strict=True)],
        "canberra": [distance.canberra(a, b) for a, b in zip(t, e, strict=True)],
        "chebyshev": [distance.chebyshev(a, b) for a, b in zip(t, e, strict=True)],
        "emd": [stats.wasserstein_distance(range(K), range(K), a, b) for a, b in zip(t, e, strict=True)],
        "intersection": [1 - distance.cityblock(a, b) / 2 for a, b in zip(t, e, strict=True)],
    }
    for name, values in wanted.items():
        options = {"epsilon": 0} if name == "kl" else {}
        np.testing.assert_allclose(getattr(p, name)(t, e, **options), values, **near)


@given(votes, votes, st.permutations(range(K)))
def test_bounds_and_names_of_labels_do_not_matter(t, e, order):
    for metric in ALL:
        if metric is not p.emd:
            np.testing.assert_allclose(metric(t[:, order], e[:, order]), metric(t, e), **near)
    for metric in (p.js, p.cosine, p.chebyshev, p.intersection, p.top_match):
        assert 0 <= metric(t, e)[0] <= 1
    assert 0 <= p.emd(t, e)[0] <= K - 1 + 1e-9 and 0 <= p.canberra(t, e)[0] <= K and p.kl(t, e, 0)[0] >= -1e-12
    np.testing.assert_allclose([m(t, t)[0] for m in ALL if m is not p.kl], [0, 1, 0, 0, 0, 1, 1], **near)
    np.testing.assert_allclose(p.kl(t, t, 0), 0, **near)
    np.testing.assert_allclose(p.js(t, e), p.js(e, t), **near)


def test_votes_in_float32_still_tie():
    thirds = np.array([[1, 1, 1, 0, 0]], np.float32) / 3
    assert p.top_match(thirds, [[0, 0, 1, 0, 0]])[0] == 1


def test_evaluate_gives_means_and_emd_only_for_labels_in_order():
    draw = np.random.default_rng(1)
    truth, said = track(draw.dirichlet(np.ones(K), 9)), track(draw.dirichlet(np.ones(K), 9))
    scores = p.evaluate(truth, said)
    assert "emd" not in scores and scores["n"] == 9
    scores = p.evaluate(truth, said, ordered=True)
    for metric in ALL:
        np.testing.assert_allclose(scores[metric.__name__], metric(truth.values, said.values).mean(), **near)
    hard = track(np.eye(5)[:1]), track(np.eye(5)[1:2])
    assert p.evaluate(*hard)["kl"] < 14 and p.evaluate(*hard, epsilon=0)["kl"] == np.inf
    np.testing.assert_allclose(p.evaluate(*hard, base=4)["js"], 0.5, **near)


def test_silence_is_refused_or_dropped():
    truth, said = (
        track([[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [NAN] * 5]),
        track([[1, 0, 0, 0, 0], [NAN] * 5, [1, 0, 0, 0, 0]]),
    )
    with pytest.raises(MalformedError, match=r"says nothing in 1 of 2 rows"):
        p.evaluate(truth, said)
    assert p.evaluate(truth, said, silent="drop")["n"] == 1
    with pytest.raises(MalformedError, match="silent is drop or refuse"):
        p.evaluate(truth, said, silent="keep")


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("bad", [[], [[]], [[0.5, 0.6]], [[-0.5, 1.5]], [[NAN, NAN]], [["a", "b"]], [1, 0], [[0, 0]]])
def test_what_is_no_distribution_is_refused(metric, bad):
    with pytest.raises(MalformedError):
        metric(bad, bad)


def test_bad_options_and_spaces_are_refused():
    for call in (lambda: p.kl([[1]], [[1]], -1), lambda: p.kl([[1]], [[1]], NAN), lambda: p.js([[1]], [[1]], 1)):
        with pytest.raises(MalformedError):
            call()
    many = Space("moods", "any", tuple(map(Axis, "abcde")))
    with pytest.raises(MalformedError, match="kind one, and moods is any"):
        p.evaluate(Track(many, [0], [1], [[1] * 5]), Track(many, [0], [1], [[1] * 5]))
    with pytest.raises(MalformedError, match="truth is in mood-5 and the estimate in moods: translate"):
        p.evaluate(track([[1, 0, 0, 0, 0]]), Track(many, [0], [1], [[1] * 5]))
