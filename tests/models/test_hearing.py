"""`speech`: a recording heard once, in windows of time, by all its parts; voices told apart and named at the end."""

from dataclasses import replace

import numpy as np
import pytest

from affetto.core import catalog, plain
from affetto.core.card import read_card
from affetto.core.errors import CatalogError, MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.span import Span
from affetto.models.speech import hearing as module
from affetto.models.speech.hearing import Hearing
from affetto.models.speech.listening import NO_VOICE, Listening
from affetto.models.speech.speaker import EMBEDDING, Turning
from affetto.models.speech.telling import Telling
from tests.voices import noise, phrase, silence

RATE = 16000
LOW, HIGH = 115, 260
SPACES = ["ravdess-8", "va", "prosody", "egemaps-88", "speaking"]
CHAT = np.concatenate(
    [silence(0.7), phrase(LOW, 2.2), silence(1.0), phrase(HIGH, 2.4, seed=3), silence(0.9), phrase(LOW, 1.8, seed=4),
     silence(1.1), phrase(HIGH, 9.0, seed=5), silence(0.8)]
)  # fmt: skip
DUET = np.concatenate([silence(0.5), phrase(LOW, 3.0), phrase(HIGH, 3.0, seed=3), silence(0.7)])
LONE = np.concatenate([silence(0.6), phrase(150, 2.0), silence(1.0), phrase(150, 9.5, seed=8), silence(0.7)])


class Pitch:
    """An Embedder that hears how high a voice is: the power of bands of 25 Hz up to 800 Hz, told apart at 180 Hz."""

    card = catalog.find("speech.speaker")
    step = 0.1
    telling = Telling(alike=0.9)
    turning = Turning(width=1.0, least=0.5, unlike=20, short=-0.5, pause=0.5, bias=-6)

    def rows(self, clips):
        found = []
        for clip in clips:
            parts = np.array_split(clip, max(1, round(len(clip) / 1600)))
            power = [np.abs(np.fft.rfft(part, 8000))[:400] ** 2 for part in parts]
            low = [[one[30:80].sum(), one[90:160].sum()] for one in power]
            found.append(np.array(low, np.float32))
        return found

    def embedded(self, sums):
        share = sums[:, :1] / np.maximum(sums.sum(1, keepdims=True), 1e-9)
        flat = np.where(share > 0.3, 1.0, -1.0)
        return np.concatenate([flat, np.zeros((len(sums), 7))], 1).astype(np.float32)


@pytest.fixture(scope="module")
def speech() -> Hearing:
    """`speech` with ears for pitch, so that who is who does not rest on a network."""
    return replace(catalog.load("speech"), embedder=Pitch())


def recording(samples, turns=(), **meta):
    wide = np.atleast_2d(np.asarray(samples, np.float32).T).T

    def open(seconds):
        step = int(seconds * RATE)
        return (wide[start : start + step] for start in range(0, len(wide), step))

    return Record("r", (Audio("made.wav", RATE, len(wide) / RATE, open, wide.shape[1]),), turns, meta=meta)


def by(tracks):
    return {(track.subject, track.space.id): track for track in tracks}


def test_a_lone_speaker_gets_what_the_parts_say_alone(speech):
    record = recording(LONE)
    *same, speaking = speech([record])[0]
    alone = [track for id in ("speech.affect", "speech.prosody") for track in catalog.load(id)([record])[0]]
    assert same == alone
    assert (speaking.subject, speaking.space.id, speaking.source) == ("speaker", "speaking", str(Pitch.card))
    assert 0.5 < speaking.values.min() <= speaking.values.max() <= 1


def test_two_voices_are_two_subjects_in_the_order_of_their_first_words(speech):
    found = by(speech([recording(CHAT)])[0])
    assert set(found) == {(who, space) for who in ("voice-1", "voice-2") for space in SPACES}
    one, other = found["voice-1", "ravdess-8"], found["voice-2", "ravdess-8"]
    assert one.start == pytest.approx([0.7, 7.2], abs=0.3)
    assert other.start[0] == pytest.approx(3.9, abs=0.3)
    assert len(other) == 3
    assert not any(track.space.id == EMBEDDING for track in found.values())
    said = found["voice-1", "speaking"]
    assert said.start == pytest.approx(one.start, abs=0.1)


def test_a_stretch_is_cut_where_the_voice_changes(speech):
    found = by(speech([recording(DUET)])[0])
    first, second = found["voice-1", "va"], found["voice-2", "va"]
    assert first.end[-1] == second.start[0]
    assert second.start[0] == pytest.approx(3.5, abs=0.5)


@pytest.mark.parametrize("seconds", [0.9, 4.0, 7.3, 1000.0])
def test_windows_change_nothing(speech, seconds):
    record = recording(CHAT)
    windows = list(speech.windows(record, seconds))
    found, whole = speech.joined([track for window in windows for track in window.tracks]), speech([record])[0]
    for one, other in zip(found, whole, strict=True):
        assert (one.subject, one.space.id, one.note) == (other.subject, other.space.id, other.note)
        assert np.array_equal([one.start, one.end], [other.start, other.end])
        assert np.allclose(one.values, other.values, atol=1e-6, equal_nan=True)
    untils = [window.until for window in windows]
    assert untils == sorted(untils)
    assert untils[-1] == pytest.approx(len(CHAT) / RATE)
    assert len(windows) > 1 or seconds > 100
    since = 0.0
    for window in windows:
        for track in window.tracks:
            assert track.subject == "voice"
            assert (track.start >= since - 0.06).all()
            assert (track.start <= window.until).all()
        since = window.until


def test_a_journal_of_json_is_as_good(speech):
    record = recording(CHAT)
    kept = [plain.from_track(track) for window in speech.windows(record, 3.0) for track in window.tracks]
    spaces = {track.space.id: track.space for track in speech([record])[0]}
    again = [plain.to_track(one, spaces.__getitem__) for one in kept]
    for one, other in zip(speech.joined(again), speech([record])[0], strict=True):
        assert (one.subject, one.space.id) == (other.subject, other.space.id)
        assert one.start.tolist() == other.start.tolist()
        assert np.allclose(one.values, other.values, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_what_was_stopped_goes_on_where_it_stopped(speech, after):
    windows = list(speech.windows(recording(CHAT), 4.0))[:after]
    since = windows[-1].until
    rest = recording(CHAT[round(since * RATE) :], since=since)
    tracks = [track for window in (*windows, *speech.windows(rest, 4.0)) for track in window.tracks]
    whole = by(speech([recording(CHAT)])[0])
    for key, track in by(speech.joined(tracks)).items():
        assert len(track) == len(whole[key])
        assert track.start == pytest.approx(whole[key].start, abs=0.12)


def test_since_moves_all_times(speech):
    moved, plain_ = speech([recording(CHAT, since=100.0)])[0], speech([recording(CHAT)])[0]
    for one, other in zip(moved, plain_, strict=True):
        assert one.start == pytest.approx(other.start + 100)
        assert one.end == pytest.approx(other.end + 100)
        assert np.array_equal(one.values, other.values, equal_nan=True)


def test_turns_with_names_are_not_told_apart_and_words_go_along(speech):
    turns = (Turn("Ann", Span(0.6, 3.0, "s"), "hello"), Turn("Bob", Span(3.8, 6.4, "s"), "no"),
             Turn("Ann", Span(90, 91, "s"), "?"))  # fmt: skip
    found = by(speech([recording(CHAT, turns)])[0])
    assert set(found) == {(who, space) for who in ("Ann", "Bob") for space in SPACES}
    assert found["Ann", "speaking"].note == ("hello", NO_VOICE)
    assert np.isnan(found["Ann", "va"].values[1]).all()
    assert found["Bob", "va"].start.tolist() == [3.8]


def test_turns_without_names_are_told_apart(speech):
    turns = tuple(Turn("", Span(a, b, "s"), "x") for a, b in ((0.7, 2.9), (3.9, 6.3), (7.2, 9.0), (50, 51)))
    found = by(speech([recording(CHAT, turns)])[0])
    assert {who for who, _ in found} == {"voice-1", "voice-2"}
    assert found["voice-1", "va"].start.tolist()[:2] == [0.7, 7.2]
    assert found["voice-2", "va"].start.tolist() == [3.9]
    resumed = [track for part in (recording(CHAT[: 3 * RATE], turns), recording(CHAT[3 * RATE :], turns, since=3.0))
               for window in speech.windows(part) for track in window.tracks]  # fmt: skip
    assert {track.subject for track in resumed} == {"voice"}


def test_channels_with_names_are_not_told_apart(speech):
    other = np.concatenate([silence(2.0), LONE])
    two = np.stack([CHAT[: len(other)], other[: len(CHAT)]], 1)
    assert {who for who, _ in by(speech([recording(two, speakers=["agent", "customer"])])[0])} == {"agent", "customer"}
    assert {who for who, _ in by(speech([recording(two)])[0])} == {"channel-1", "channel-2"}


def test_at_a_rate_each_voice_has_an_even_curve(speech):
    even = replace(speech, listening=Listening(rate=2.0))
    found = by(even([recording(CHAT)])[0])
    one, other = found["voice-1", "va"], found["voice-2", "va"]
    assert one.start == pytest.approx(np.arange(len(one)) / 2)
    assert one.start.tolist() == other.start.tolist()
    assert not (~np.isnan(one.values[:, 0]) & ~np.isnan(other.values[:, 0])).any()
    assert np.isnan(one.values[9:11]).all()
    assert not np.isnan(other.values[9:11]).any()
    record = recording(LONE)
    *same, _ = replace(speech, listening=Listening(rate=2.0))([record])[0]
    affect = catalog.load("speech.affect")
    assert same[:2] == list(replace(affect, listening=Listening(rate=2.0))([record])[0])


def test_nobody_is_not_said(speech):
    for still in (silence(2.0), noise(1.5, 0.003), silence(0.0)):
        tracks = speech([recording(still)])[0]
        assert [track.space.id for track in tracks] == SPACES
        assert all(track.subject == "speaker" and track.note == (NO_VOICE,) for track in tracks)
        assert all(np.isnan(track.values).all() for track in tracks)
    assert speech([Record("1", (Text("words"),)), Record("2")]) == [(), ()]
    assert list(speech.windows(Record("2"))) == []


def test_a_known_number_of_speakers_is_kept(speech):
    assert {track.subject for track in replace(speech, speakers=1)([recording(CHAT)])[0]} == {"speaker"}


def test_the_sound_is_opened_once_and_the_network_asked_once(monkeypatch):
    opened, asked = [], []
    record = recording(LONE)
    audio = record.signals[0]
    once = replace(record, signals=(replace(audio, open=lambda seconds: opened.append(1) or audio.open(seconds)),))
    run = module.affect.Network._one
    monkeypatch.setattr(module.affect.Network, "_one", lambda self, clip: asked.append(len(clip)) or run(self, clip))
    tracks = catalog.load("speech")([once])[0]
    assert len(opened) == 1
    assert {track.subject for track in tracks} == {"speaker"} or len(asked) > 3
    if {track.subject for track in tracks} == {"speaker"} and len(tracks[0]) == 3:
        assert sum(one > 1.7 * RATE for one in asked) == 3


def test_long_recordings_are_never_held_whole(speech):
    import tracemalloc

    block = np.zeros((RATE * 10, 1), np.float32)
    long = Audio("long.wav", RATE, 600.0, lambda seconds: iter([block] * 60))
    tracemalloc.start()
    tracks = speech([Record("r", (long,))])[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tracks[0].end[0] == pytest.approx(600)
    assert peak < 15e6


def test_other_rates_windows_and_parts_are_refused(speech, tmp_path):
    audio = Audio("made.wav", 8000, 1.0, lambda seconds: iter([np.zeros((8000, 1), np.float32)]))
    with pytest.raises(MalformedError, match="16000 Hz, not 8000"):
        speech([Record("3", (audio,))])
    with pytest.raises(MalformedError, match="more than 0 seconds"):
        list(speech.windows(recording(LONE), 0))
    path = tmp_path / "mine.toml"
    path.write_text('id = "mine"\nkind = "model"\nversion = "1"\ntitle = "x"\nparts = ["face.au"]\nlicence = "MIT"\n'
                    'load = "affetto.models.speech.hearing:load"\n')  # fmt: skip
    with pytest.raises(CatalogError, match=r"speech\.affect"):
        module.load(read_card(path))


def test_speech_speaker_alone_says_who_speaks_when():
    tracks = catalog.load("speech.speaker")([recording(LONE)])[0]
    assert {track.space.id for track in tracks} == {"speaking"}
