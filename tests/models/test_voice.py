import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core.errors import MalformedError
from affetto.models.speech import voice as hearing
from affetto.models.speech.mel import RATE
from affetto.models.speech.stretches import Stretch
from affetto.models.speech.voice import Voice, VoiceOptions, chances, speech
from tests.voices import noise, phrase, silence, tone

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).parents[3] / "shared" / "data"))
TALK = np.concatenate(
    [
        silence(0.8),
        phrase(130, 1.2),
        silence(0.7),
        phrase(220, 1.5, seed=3),
        silence(0.15),
        phrase(220, 0.8),
        silence(1),
    ]
) + noise(6.15, 0.002)
seconds = st.floats(0, 100, allow_nan=False)


def alone(samples: np.ndarray, options: VoiceOptions | None = None) -> list[Stretch]:
    return list(speech([samples], options))


def test_talk_is_heard_where_it_is() -> None:
    first, second = alone(TALK)
    assert first.start == pytest.approx(0.8, abs=0.15)
    assert first.end == pytest.approx(2.0, abs=0.15)
    assert second.start == pytest.approx(2.7, abs=0.15)
    assert second.end == pytest.approx(5.15, abs=0.2)


@pytest.mark.parametrize("level", [0.001, 0.01, 0.1])
def test_talk_is_heard_at_any_level(level: float) -> None:
    assert len(alone((TALK * level / 0.1).astype(np.float32))) == 2


@pytest.mark.parametrize(
    "sound",
    [silence(5), noise(5, 0.001), noise(5, 0.3), tone(50, 5), tone(440, 5), tone(3000, 5, level=0.9), np.ones(80000)],
    ids=["silence", "faint noise", "loud noise", "hum", "tone", "high tone", "constant"],
)
def test_no_voice_where_nobody_is(sound: np.ndarray) -> None:
    assert alone(sound.astype(np.float32)) == []


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=30))
def test_the_size_of_blocks_changes_nothing(sizes: list[int]) -> None:
    ear, voice = hearing._Hearing(), Voice()
    said, found, at = [], [], 0
    for size in itertools.cycle(sizes) if sum(sizes) > 2000 else itertools.cycle([*sizes, 5000]):
        if at >= len(TALK):
            break
        said.append(ear.feed(TALK[at : at + size]))
        found += voice.feed(TALK[at : at + size])
        at += size
    said.append(ear.finish()[0])
    assert np.array_equal(np.repeat(np.concatenate(said), 2)[: len(TALK) // 160], chances(TALK))
    assert found + voice.finish() == alone(TALK)


@pytest.mark.parametrize("n", [0, 1, 159, 160, 161, 400, 1399, 1400, 1520, 4000, 16001])
def test_every_ten_milliseconds_get_a_chance(n: int) -> None:
    found = chances(noise(n / RATE + 0.01)[:n])
    assert found.shape == (n // 160,)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("fed", [0.5, 1.234, 2.9])
def test_it_knows_within_a_fifth_of_a_second_and_looks_no_further(fed: float) -> None:
    n = int(fed * RATE)
    other = np.concatenate([TALK[:n], noise(3, 0.3)])
    ear = hearing._Hearing()
    known = ear.feed(TALK[:n])
    assert len(known) * 0.02 >= fed - 0.2
    assert np.array_equal(known, hearing._Hearing().feed(other)[: len(known)])


def test_since_and_until_tell_of_the_stretch_that_goes_on() -> None:
    voice = Voice()
    voice.feed(TALK[: int(1.8 * RATE)])
    assert voice.since == alone(TALK)[0].start
    assert 1.6 <= voice.until <= 1.8
    assert voice.feed(TALK[int(1.8 * RATE) : int(2.6 * RATE)]) == alone(TALK)[:1]
    assert voice.since is None


def test_finish_forgets() -> None:
    voice = Voice()
    first = voice.feed(TALK) + voice.finish()
    assert voice.feed(TALK) + voice.finish() == first


def test_voice_up_to_the_end_ends_with_the_sound() -> None:
    cut = TALK[: int(1.5 * RATE)]
    assert alone(cut)[-1].end == pytest.approx(1.5, abs=0.06)
    assert alone(cut)[-1].end <= 1.5


def test_what_is_no_number_counts_as_silence() -> None:
    broken = TALK.copy()
    broken[3000:3100], broken[40000:40010], broken[60000] = np.nan, np.inf, -np.inf
    assert len(alone(broken)) == 2
    assert np.isfinite(chances(broken)).all()


def test_wide_samples_are_refused_and_columns_of_one_are_not() -> None:
    assert list(speech([TALK[:, None]])) == alone(TALK)
    with pytest.raises(MalformedError, match="one channel"):
        Voice().feed(np.zeros((10, 2), np.float32))
    with pytest.raises(MalformedError, match="one channel"):
        list(speech([np.zeros((10, 2), np.float32)]))


@given(
    st.lists(st.floats(0, 1), max_size=200),
    st.floats(0.01, 1),
    st.floats(0, 0.5),
    st.floats(0.01, 0.6),
    st.floats(0, 1),
)
def test_stretches_are_in_order_apart_and_long_enough(
    given_chances: list[float], begin: float, shortest: float, pause: float, margin: float
) -> None:
    options = VoiceOptions(begin, begin * 0.7, shortest, pause, margin * pause / 2)
    voice = Voice(options)
    found = voice._follow(np.array(given_chances, np.float32))
    found += voice._closed(len(given_chances) * 0.02)
    for stretch in found:
        assert 0 <= stretch.start < stretch.end <= len(given_chances) * 0.02 + options.margin + 1e-4
        inside = [c for i, c in enumerate(given_chances) if stretch.start <= i * 0.02 < stretch.end]
        assert np.float32(max(inside)) >= np.float32(options.begin) or np.isclose(max(inside), options.begin)
    for one, other in itertools.pairwise(found):
        assert other.start - one.end >= pause - 2 * options.margin - 1e-3


@pytest.mark.parametrize(
    "wrong",
    [{"begin": 0.3, "stay": 0.5}, {"begin": 1.2}, {"stay": 0.0}, {"pause": 0.0}, {"margin": 0.2}, {"shortest": -1}],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MalformedError):
        VoiceOptions(**wrong)


@pytest.mark.corpus
@pytest.mark.skipif(not (DATA / "speech" / "emodb").is_dir(), reason="EMO-DB is not here")
@pytest.mark.parametrize("ratio", [40, 10])
def test_speech_with_hand_labels_is_heard_where_it_is(ratio: int) -> None:
    pytest.importorskip("soundfile")
    truth = pytest.importorskip("recipes.voice_truth")
    wrong = []
    for clip in truth.clips("emodb", 12, "test", 1):
        quiet = np.pad(clip.samples, 16000) * 0.05 / clip.samples.std()
        found = chances(quiet + noise(len(quiet) / RATE + 0.01, 0.05 * 10 ** (-ratio / 20))[: len(quiet)])
        said = found[101 : 101 + len(clip.truth)] >= 0.5
        wrong += [*(said != clip.truth)[~np.isnan(clip.truth)], *(found[:90] >= 0.5)]
    assert np.mean(wrong) < 0.12
