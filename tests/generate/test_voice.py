"""The made voice: heard as a voice, as long as its words, and different in each feeling as the literature says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.generate.voice import MANNERS, VOICES, say, spell
from affetto.models.speech.voice import speech

WORDS = "I did not expect to see you here today."


@pytest.fixture(scope="module")
def said() -> dict[str, np.ndarray]:
    return {feeling: say(WORDS, feeling).sound for feeling in MANNERS}


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def pitch(samples: np.ndarray) -> float:
    """Return the median of the lag at which 40 ms are most like themselves, in hertz."""
    found = []
    for at in range(0, len(samples) - 1280, 640):
        part = samples[at : at + 640]
        lags = range(32, 200)
        like = [float(part @ samples[at + lag : at + lag + 640]) for lag in lags]
        if level(part) > 0.3 * level(samples):
            found.append(16000 / lags[int(np.argmax(like))])
    return float(np.median(found))


@pytest.mark.parametrize("number", range(len(VOICES)))
def test_it_is_found_as_voice(number: int) -> None:
    heard = np.concatenate([np.zeros(16000), say(WORDS, voice=VOICES[number]).sound, np.zeros(16000)])
    found = list(speech([heard.astype(np.float32)]))
    covered = sum(stretch.end - stretch.start for stretch in found)
    seconds = len(heard) / 16000 - 2
    assert 0.8 * seconds < covered < seconds + 0.5
    assert found[0].start > 0.7


def test_feelings_differ_as_banse_and_scherer_say(said: dict[str, np.ndarray]) -> None:
    assert level(said["anger"]) > level(said["joy"]) > level(said["neutral"]) > level(said["sadness"])
    assert len(said["fear"]) < len(said["neutral"]) < len(said["sadness"])
    assert pitch(said["fear"]) > 1.3 * pitch(said["neutral"])
    assert pitch(said["anger"]) > 1.2 * pitch(said["neutral"])


def test_speakers_differ_in_pitch() -> None:
    heights = [pitch(say(WORDS, voice=voice).sound) for voice in VOICES]
    assert len({round(height / 8) for height in heights}) == len(VOICES)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_any_text_has_a_sound_and_a_mouth(text: str) -> None:
    heard = say(text)
    assert len(heard.sound) > 0 and np.isfinite(heard.sound).all() and np.abs(heard.sound).max() <= 1
    assert heard.mouth.shape[1] == 3 and abs(len(heard.mouth) / 100 - len(heard.sound) / 16000) < 0.02
    assert heard.mouth.min() >= 0 and heard.mouth.max() <= 1


def test_lips_close_for_m_and_open_for_a() -> None:
    vowel, lips = say("aaa ah ah").mouth[:, 0].max(), say("mmm").mouth[:, 0].max()
    assert vowel > 0.6 > 0.1 > lips


def test_more_words_take_longer_and_seeds_repeat() -> None:
    assert len(say(WORDS).sound) > 2 * len(say("not here").sound)
    assert np.array_equal(say(WORDS, seed=3).sound, say(WORDS, seed=3).sound)
    assert not np.array_equal(say(WORDS, seed=3).sound, say(WORDS, seed=4).sound)


def test_words_are_spelt_in_sounds() -> None:
    assert [len(word) for word in spell("She sees")] == [2, 3]
    assert spell("") and spell("...")
