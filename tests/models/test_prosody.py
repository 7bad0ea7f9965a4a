"""Prosody: pitch of tones and vowels is found, what is no voice is not said, and answers stay within their ranges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.models.speech import descriptors as rows
from affetto.models.speech import functionals as summary
from affetto.models.speech.descriptors import curve, descriptors, smooth, within
from affetto.models.speech.functionals import functionals
from affetto.models.speech.periods import periods
from affetto.models.speech.pitch import pitch
from tests.voices import VOWELS, noise, phrase, silence, tone, vowel


def said(samples, name):
    return functionals(descriptors(samples))[summary.NAMES.index(name)]


def test_the_spaces_name_the_columns():
    assert catalog.load("egemaps-lld").names == rows.NAMES
    assert catalog.load("egemaps-88").names == summary.NAMES
    assert all(axis.unit for id in ("egemaps-lld", "egemaps-88", "prosody") for axis in catalog.load(id).axes)


@pytest.mark.parametrize("hz", [80, 110, 220, 440, 980])
def test_the_pitch_of_a_tone_is_found_within_one_percent(hz):
    found = pitch(tone(hz))
    assert (found > 0).mean() > 0.95
    assert np.median(found[found > 0]) == pytest.approx(hz, rel=0.01)


@pytest.mark.parametrize("hz", [90, 125, 210, 300])
@pytest.mark.parametrize("name", VOWELS)
def test_the_pitch_of_a_vowel_is_found_within_one_percent(hz, name):
    found = pitch(vowel(hz, 0.6, VOWELS[name]))
    assert (found > 0).mean() > 0.9
    assert np.median(found[found > 0]) == pytest.approx(hz, rel=0.01)


def test_a_glide_is_followed():
    found = pitch(vowel((120, 240), 1.0))
    straight = 120 + 120 * (np.arange(len(found)) * 160 + 480) / 16000
    good = found > 0
    assert good.mean() > 0.9
    assert np.median(np.abs(found[good] / straight[good] - 1)) < 0.02


@pytest.mark.parametrize("hz", [50, 1500])
def test_a_tone_outside_the_range_has_no_pitch_of_its_own(hz):
    found = pitch(tone(hz))
    assert not (np.abs(found / hz - 1) < 0.01).any()


@pytest.mark.parametrize("sound", [silence(1), noise(1), noise(1, 1e-5)], ids=["silence", "noise", "hiss"])
def test_what_is_no_voice_has_next_to_no_pitch(sound):
    assert (pitch(sound) > 0).mean() < 0.05


@pytest.mark.parametrize("count", [0, 1, 319, 320, 959, 960, 961])
def test_a_short_sound_has_few_rows_and_says_little(count):
    found = descriptors(tone(200)[:count])
    assert len(found) == max(0, 1 + (count - 320) // 160)
    assert functionals(found).shape == (88,)
    if count < 960:
        assert np.isnan(functionals(found)).all()


def test_what_is_not_finite_counts_as_silence():
    sound = tone(200)
    broken = sound.copy()
    broken[5000:5100] = np.nan
    mended = sound.copy()
    mended[5000:5100] = 0
    np.testing.assert_array_equal(descriptors(broken).values, descriptors(mended).values)


def test_two_channels_are_refused():
    with pytest.raises(MalformedError, match="one channel"):
        descriptors(np.zeros((100, 2), np.float32))


def test_rows_do_not_depend_on_how_many_are_worked_on_together(monkeypatch):
    sound = phrase(seconds=1.5)
    whole = descriptors(sound).values
    monkeypatch.setattr(rows, "_AT_ONCE", 37)
    np.testing.assert_allclose(descriptors(sound).values, whole, rtol=1e-3, atol=1e-3)


def test_jitter_and_shimmer_grow_with_what_was_put_in():
    def both(**more):
        sound = vowel(120, 1.0, **more)
        jitter, shimmer = periods(sound, np.full(90, 120, np.float32))
        return np.nanmedian(jitter), np.nanmedian(shimmer)

    calm, shaken, rough = both(), both(jitter=0.02), both(shimmer=0.1)
    assert calm[0] < 0.005
    assert shaken[0] > 2 * calm[0]
    assert rough[1] > 2 * calm[1]


def test_breath_lowers_harmonicity_and_gain_only_moves_the_level():
    assert said(vowel(150, 1.0, breath=1.0), "hnr-mean") < said(vowel(150, 1.0), "hnr-mean") - 1
    sound = vowel(150, 1.0)
    for name in ("pitch-mean", "hnr-mean", "alpha-ratio-voiced-mean", "f1-frequency-mean"):
        assert said(sound / 2, name) == pytest.approx(said(sound, name), rel=0.01, abs=0.02)
    assert said(sound / 2, "sound-level") == pytest.approx(said(sound, "sound-level") - 6.02, abs=0.05)


def test_syllables_are_counted():
    sound = np.tile(np.concatenate([vowel(140, 0.15), silence(0.1)]), 8)
    assert said(sound, "loudness-peaks") == pytest.approx(4, abs=0.6)


def test_smoothing_takes_what_is_said_of_three_rows():
    column = np.array([[1], [3], [np.nan], [5]], np.float32)
    np.testing.assert_array_equal(smooth(column)[:, 0], np.array([2, 2, np.nan, 5], np.float32))


def test_a_curve_has_a_hundred_rows_a_second():
    found = curve(phrase(seconds=1.0))
    assert found.space.id == "egemaps-lld"
    assert len(found) == 99
    assert found.start[50] == pytest.approx(0.5)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0, 3), st.integers(0, 4000))
def test_no_sound_leaves_the_ranges(seed, level, count):
    rng = np.random.default_rng(seed)
    sound = np.clip(level * rng.standard_normal(count), -1, 1).astype(np.float32)
    for values, id in (
        (descriptors(sound).values, "egemaps-lld"),
        (functionals(descriptors(sound))[None], "egemaps-88"),
    ):
        np.testing.assert_array_equal(within(values, catalog.load(id)), values)


class TestModel:
    """The Model hears timed turns without looking for voice."""

    @staticmethod
    def answered(samples, *spans):
        from affetto.core.record import Record, Turn
        from affetto.core.signal import Audio
        from affetto.core.span import Span

        def blocks(seconds):
            step = int(seconds * 16000)
            for at in range(0, len(samples), step):
                yield samples[at : at + step, None]

        turns = tuple(Turn("Ada", Span(*span), "words") for span in spans)
        record = Record("1", (Audio("", 16000.0, len(samples) / 16000, blocks),), turns)
        return catalog.load("speech.prosody")([record])[0]

    def test_it_says_how_a_turn_sounds_in_units(self):
        samples = np.concatenate([vowel(120, 1.0), silence(1.0), vowel(220, 1.0)])
        small, large = self.answered(samples, (0, 1), (1, 2), (2, 3))
        assert (small.space.id, large.space.id) == ("prosody", "egemaps-88")
        assert (small.subject, small.unit, small.channel, small.perspective) == ("Ada", "s", "voice", "expressed")
        assert small.source == str(catalog.find("speech.prosody"))
        np.testing.assert_allclose(small.column("pitch")[[0, 2]], [120, 220], rtol=0.01)
        assert np.isnan(small.column("pitch")[1])
        assert small.note is not None
        assert small.note[1]
        assert small.column("voiced")[0] > 0.9

    def test_loudness_is_of_full_scale(self):
        small, _ = self.answered(tone(200, level=1.0), (0, 1))
        assert small.column("loudness")[0] == pytest.approx(-3.01, abs=0.1)
