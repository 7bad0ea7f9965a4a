"""What the networks of feeling see of a voice, and the encoder that one of them lends to another."""

from dataclasses import replace

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import CatalogError
from affetto.models.speech.affect import DEPTH, load, picture
from tests.voices import noise, phrase


@pytest.mark.parametrize("gain", [0.3, 3.0])
def test_how_near_the_microphone_was_does_not_show(gain):
    clip = phrase(140, 1.2) + noise(1.2, 0.01)
    assert np.allclose(picture(clip), picture(clip * np.float32(gain)), atol=2e-2)


def test_white_noise_is_seen_as_the_encoder_was_trained_to_see_it():
    seen = 4 * picture(noise(3.0, 0.2)) - 4
    assert np.median(seen) == pytest.approx(np.log10(3.75), abs=0.15)
    assert seen.max() - seen.min() <= DEPTH + 1e-5


@pytest.mark.parametrize("samples", [0, 1, 400, 1680, 16000, 16161])
def test_frames_come_in_pairs(samples):
    seen = picture(np.zeros(samples, np.float32))
    assert seen.shape[1] == 80
    assert len(seen) % 2 == 0
    assert len(seen) >= 8
    assert np.isfinite(seen).all()


def test_a_clip_longer_than_the_encoder_knows_places_for_is_answered():
    values = catalog.load("speech.affect").answer([phrase(150, 11.0)])[0].values
    assert values.shape == (1, 8)
    assert values.sum() == pytest.approx(1, abs=1e-4)


def test_bursts_stand_on_the_encoder_of_voices_and_on_no_other():
    bursts = catalog.load("speech.bursts")
    assert bursts.network.base is catalog.load("speech.affect").network
    facts = dict(bursts.card.facts) | {"base_sha256": "0" * 64}
    with pytest.raises(CatalogError, match=r"other weights than those of 'speech\.affect'"):
        load(replace(bursts.card, facts=facts))
    with pytest.raises(CatalogError, match=r"other weights than those of 'text\.affect-en-fast'"):
        load(replace(bursts.card, facts=facts | {"base": "text.affect-en-fast"}))
