import numpy as np
import pytest

from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space, open_space, vector_space
from affetto.core.track import Track
from affetto.metrics import pairs

MOOD = Space("mood-2", "one", (Axis("good"), Axis("bad")))
GRADED = Space("vad", "graded", (Axis("valence", low=-1), Axis("arousal", low=-1)))
NAN = np.nan


def track(values, space=MOOD, unit="s"):
    return Track(space, np.arange(len(values)), np.arange(len(values)) + 1, values, unit)


def test_rows_of_which_the_truth_does_not_speak_are_left_out():
    pair = pairs.paired(track([[1, 0], [NAN, NAN], [0, 1]]), track([[1, 0], [0, 1], [NAN, NAN]]), ["one"])
    assert pair.kept.tolist() == [True, False, True]
    assert pair.truth.tolist() == [[1, 0], [0, 1]]
    assert np.isnan(pair.estimate[1]).all()


def test_silence_of_the_estimate_is_kept_dropped_or_refused():
    truth, estimate = track([[1, 0], [0, 1]]), track([[1, 0], [NAN, NAN]])
    assert len(pairs.paired(truth, estimate, ["one"], "keep").truth) == 2
    assert len(pairs.paired(truth, estimate, ["one"], "drop").truth) == 1
    with pytest.raises(MalformedError, match=r"says nothing in 1 of 2 rows.*row 1.*silent='drop'"):
        pairs.paired(truth, estimate, ["one"], "refuse")
    with pytest.raises(MalformedError, match="silent is one of keep, drop, refuse"):
        pairs.paired(truth, estimate, ["one"], "maybe")


@pytest.mark.parametrize(
    ("truth", "estimate", "says"),
    [
        (track([[1, 0]]), track([[0, 0]], GRADED), "truth is in mood-2 and the estimate in vad: translate one of them"),
        (
            track([[1, 0]]),
            track([[1, 0]], Space("mood-2", "one", (Axis("good"), Axis("evil")))),
            "good, bad.*good, evil",
        ),
        (track([[1, 0]]), track([[1, 0]], unit="char"), "in s and those of the estimate in char"),
        (track([[1, 0]]), track([[1, 0], [1, 0]]), "truth has 1 rows and the estimate 2"),
        (track([[0, 0]], GRADED), track([[0, 0]], GRADED), "want a space of kind one, and vad is graded.*dimensional"),
        (track([[1]], vector_space(1)), track([[1]], vector_space(1)), "vector is vector: compare what is made of the"),
        (track([[1]], open_space(("glad",))), track([[1]], open_space(("glad",))), "open is open: use.*openset"),
        (track([[1, 0]]), [[1, 0]], "the estimate wants to be a Track, not list"),
        (track([[NAN, NAN]]), track([[1, 0]]), "none of the 1 rows can be scored"),
        (track([]), track([]), "none of the 0 rows can be scored"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(truth, estimate, says):
    with pytest.raises(MalformedError, match=says):
        pairs.paired(truth, estimate, ["one"])


@pytest.mark.parametrize(
    ("truth", "estimate"),
    [([], []), ([1, 2], [1]), ([[1]], [[1]]), ([NAN], [1]), ([1], [np.inf]), (["a"], [1]), (None, [1])],
)
def test_columns_want_finite_numbers(truth, estimate):
    with pytest.raises(MalformedError):
        pairs.vectors(truth, estimate)


@pytest.mark.parametrize(
    ("truth", "estimate"), [([], []), ([1], [1]), ([[1]], [[1, 2]]), ([[1], [1, 2]], [[1]]), ([[]], [[]])]
)
def test_tables_want_one_shape(truth, estimate):
    with pytest.raises(MalformedError):
        pairs.tables(truth, estimate)


def test_the_mean_of_nothing_is_nan():
    assert np.isnan(pairs.mean_of_said([])) and np.isnan(pairs.mean_of_said([NAN]))
    assert pairs.mean_of_said([NAN, 1, 3]) == 2
