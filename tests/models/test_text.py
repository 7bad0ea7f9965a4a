"""The text networks from inside: wording, windows, calibration, weights."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.models.text.adapter import traded
from affetto.models.text.calibration import Calibration, sigmoid, softmax
from affetto.models.text.encoder import OVERLAP, WINDOW, batches
from affetto.models.text.reading import LONGEST
from affetto.models.text.wording import readable
from affetto.models.weights import weights


@pytest.fixture(scope="module")
def encoder():
    return catalog.load("text.affect-en")


@pytest.mark.parametrize(
    "text, read",
    [
        ("soooo", "soo"),
        ("1000000", "1000000"),
        ("a👍🏽b", "a thumbs up sign b"),
        ("x\ufe0f\u200dy", "xy"),
        ("déjà", "déjà"),
    ],
)
def test_words_are_made_readable(text, read):
    assert readable(text) == read


def test_tickers_numbers_links_and_users_become_words():
    assert traded("$BRK.B &amp; <ticker> at 1,200.5 via @joe www.x.y #moon") == (
        "ticker & ticker at number via user moon"
    )


def test_n_grams_have_a_say_in_the_28_emotions_alone(encoder):
    texts = ["grief is all I have", "", "\ud800 lone", "so proud of you " * 400]
    plain = replace(encoder, network=copy.copy(encoder.network))
    plain.network.lines = None
    ours, theirs = encoder.answer(texts), plain.answer(texts)
    assert np.isfinite(ours[0].values).all()
    assert np.abs(ours[0].values - theirs[0].values).max() > 0.01
    for one, other in zip(ours[1:], theirs[1:], strict=True):
        assert np.allclose(one.values, other.values, equal_nan=True)


def test_windows_cover_every_word_piece(encoder):
    network = encoder.network
    text = " ".join(f"word{i}" for i in range(400))
    whole = network.tokenizer.encode(text, add_special_tokens=False).ids
    windows, owners, _ = network._windows(["short", text])
    assert all(len(window) <= WINDOW for window in windows) and owners.tolist() == [0] + [1] * (len(windows) - 1)
    seen = windows[1][1:-1]
    for window in windows[2:]:
        assert seen[-OVERLAP:] == window[1 : 1 + OVERLAP]
        seen += window[1 + OVERLAP : -1]
    assert seen == whole


def test_the_end_of_a_long_text_counts(encoder):
    calm = "The shop opens at nine and closes at five. " * 60
    bland, moved = (encoder([Record("1", (Text(text),))])[0][1] for text in (calm, calm + "I am so furious! " * 80))
    assert moved.column("anger")[0] > bland.column("anger")[0] + 0.1


def test_a_text_that_nobody_means_as_one_feeling_is_not_said(encoder):
    for track in encoder([Record("1", (Text("joy " * (LONGEST // 4 + 1)),))])[0]:
        assert np.isnan(track.values).all() and "over the limit of 200,000" in track.note[0]


def test_batches_hold_each_window_once_and_keep_the_bound():
    rng = np.random.default_rng(1)
    windows = [list(range(1, int(n))) for n in rng.integers(2, 129, 300)]
    found = []
    for rows, ids, mask in batches(windows, 512):
        assert ids.size <= 512 or len(rows) == 1
        assert [ids[k][mask[k] > 0].tolist() for k in range(len(rows))] == [windows[i] for i in rows]
        found += rows.tolist()
    assert sorted(found) == list(range(300))


def test_what_was_never_asked_is_not_said_and_the_rest_calibrated():
    any_head = {"space": "brighter-6", "perspective": "expressed", "reader": False, "trust": [1.0, 0.0]}
    any_head |= {"slope": [2.0] * 6, "intercept": [0.5] * 6, "threshold": [0.5] * 6}
    graded = {"space": "intensity-6", "perspective": "expressed", "reader": False, "trust": [1.0, 0.0]}
    graded |= {"slope": [1.0, None, 1.0, 1.0, 1.0, 9.0], "intercept": [0.0, None, 0.0, 0.0, 0.0, 0.0]}
    made = Calibration.from_plain({"heads": [any_head, graded]}, catalog.load)
    first, second = made.answers(np.array([[1, -1, 0, 2, -2, -0.3, 1, 1, 1, 1, 1, 1]], np.float32))
    assert first.values[0] == pytest.approx(1 / (1 + np.exp(-(2 * np.array([1, -1, 0, 2, -2, -0.3]) + 0.5))), abs=1e-6)
    assert first.note == ["joy; anger; fear"]
    assert first.confidence[0] == pytest.approx(first.values.max(), abs=1e-6)
    assert np.isnan(second.values[0, 1]) and second.values[0, 5] == 3.0


def test_extreme_logits_stay_probabilities():
    far = np.array([[1e9, -1e9, 0.0]], np.float32)
    assert np.isfinite(sigmoid(far)).all() and softmax(far).sum() == pytest.approx(1)


def test_weights_that_are_not_the_cards_are_refused():
    card = catalog.find("text.affect-en")
    with pytest.raises(CatalogError, match="not what its card says"):
        weights(replace(card, sha256="0" * 64))
    with pytest.raises(CatalogError, match="are missing"):
        weights(replace(card, facts={"weights": "gone.onnx"}))
