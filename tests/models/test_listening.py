"""How recordings become rows: stretches, turns, channels, rates; laws that hold for every speech model."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.span import Span
from affetto.models.speech.listening import NO_VOICE, Answer, Listening, Tape, read
from affetto.models.speech.live import SO_FAR, Live, LiveOptions
from tests.voices import noise, phrase, silence

RATE = 16000
CARD = Card("speech.ear", "model", "1", "An ear that knows how long a clip is")
TALK = np.concatenate([silence(1.0), phrase(140, 2.0), silence(1.5), phrase(220, 3.0, seed=3), silence(1.0)])


class Ear:
    card = CARD

    def __init__(self):
        self.heard = []

    def answer(self, clips):
        self.heard += [len(clip) / RATE for clip in clips]
        seconds = np.array([[len(clip) / RATE / 1000] for clip in clips], np.float32).reshape(-1, 1)
        values = np.concatenate([seconds, 1 - seconds], 1)
        return [Answer(catalog.load("va"), values, np.full(len(clips), 0.5, np.float32))]


def audio(samples, rate=RATE):
    wide = np.atleast_2d(samples.T).T

    def open(seconds):
        step = int(seconds * rate)
        return (wide[start : start + step] for start in range(0, len(wide), step))

    return Audio("made.wav", rate, len(wide) / rate, open, wide.shape[1])


def asked(samples, turns=(), options=None, **meta):
    record = Record("r", (audio(samples),), turns, meta=meta)
    ear = Ear()
    return read([record], ear.answer, CARD, options)[0], ear


def test_each_stretch_of_voice_is_a_row():
    (track,), ear = asked(TALK)
    assert (track.channel, track.perspective, track.unit, track.subject) == ("voice", "expressed", "s", "speaker")
    assert track.source == "speech.ear@1"
    assert track.start == pytest.approx([1.0, 4.5], abs=0.25)
    assert track.end == pytest.approx([3.0, 7.5], abs=0.35)
    assert ear.heard == pytest.approx(track.end - track.start, abs=0.03)
    assert track.confidence.tolist() == [0.5, 0.5]
    assert track.note is None


def test_where_nobody_speaks_there_is_one_row_that_says_so():
    for still in (silence(3.0), noise(3.0, 0.003), silence(0.01), np.zeros(0, np.float32), np.zeros(1, np.float32)):
        (track,), ear = asked(still)
        assert np.isnan(track.values).all()
        assert np.isnan(track.confidence).all()
        assert track.note == (NO_VOICE,)
        assert (track.start[0], track.end[0]) == (0, pytest.approx(len(still) / RATE))
        assert ear.heard == []


def test_a_long_stretch_is_cut_into_even_parts_whose_windows_overlap():
    (track,), ear = asked(phrase(150, 14.0), options=Listening(longest=5.0, around=0.5))
    lengths = track.end - track.start
    assert len(track) == 3
    assert lengths.max() <= 5.0
    assert np.ptp(lengths) < 0.02
    assert track.start[1:] == pytest.approx(track.end[:-1])
    assert ear.heard == pytest.approx(lengths + np.array([0.5, 1.0, 0.5]), abs=0.03)


def test_turns_with_seconds_are_the_rows_of_their_speakers():
    turns = (
        Turn("Ann", Span(1, 3, "s"), "hello"),
        Turn("Bob", Span(4.5, 7, "s"), "no"),
        Turn("Ann", Span(90, 91, "s"), "?"),
    )
    tracks, ear = asked(TALK, turns)
    by = {track.subject: track for track in tracks}
    assert sorted(by) == ["Ann", "Bob"]
    assert by["Ann"].start.tolist() == [1, 90]
    assert np.isnan(by["Ann"].values[1]).all()
    assert by["Ann"].note == ("", NO_VOICE)
    assert ear.heard == pytest.approx([2.0, 2.5])


def test_turns_without_seconds_do_not_count():
    (track,), _ = asked(TALK, (Turn("Ann", None, "hello"),))
    assert track.subject == "speaker"
    assert len(track) == 2


def test_each_channel_may_be_a_speaker():
    two = np.stack([TALK, np.concatenate([silence(3.2), TALK])[: len(TALK)]], 1)
    tracks, _ = asked(two, speakers=["agent", "customer"])
    assert [track.subject for track in tracks] == ["agent", "customer"]
    assert tracks[1].start[0] == pytest.approx(4.2, abs=0.25)
    assert [track.subject for track in asked(two)[0]] == ["channel-1", "channel-2"]


def test_at_a_rate_rows_are_even_and_silent_ones_are_not_said():
    (track,), ear = asked(TALK, options=Listening(rate=2.0, width=1.0, sparse=0.5))
    assert track.start == pytest.approx(np.arange(len(track)) / 2)
    assert track.end[-1] == pytest.approx(len(TALK) / RATE)
    said = ~np.isnan(track.values[:, 0])
    assert said[[3, 4, 10, 12]].all()
    assert not said[[0, 7, -1]].any()
    assert max(ear.heard) <= 1.01


def test_rows_do_not_depend_on_the_fellows_nor_on_blocks():
    records = [Record(str(i), (audio(TALK[i * 4000 :]),)) for i in range(3)]
    together = read(records, Ear().answer, CARD)
    assert together == [read([record], Ear().answer, CARD)[0] for record in records]


def test_records_without_sound_get_nothing_and_other_rates_are_refused():
    ear = Ear()
    assert read([Record("1", (Text("hello"),)), Record("2")], ear.answer, CARD) == [(), ()]
    with pytest.raises(MalformedError, match="16000 Hz, not 8000"):
        read([Record("3", (audio(TALK, 8000),))], ear.answer, CARD)


def test_an_hour_is_never_held_whole():
    import tracemalloc

    block = np.zeros((RATE * 10, 1), np.float32)
    long = Audio("long.wav", RATE, 3600.0, lambda seconds: iter([block] * 360))
    tracemalloc.start()
    (track,) = read([Record("r", (long,))], Ear().answer, CARD)[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert track.end[0] == pytest.approx(3600)
    assert peak < 40e6


def test_the_tape_forgets_only_what_it_may():
    tape = Tape()
    tape.add(np.arange(RATE, dtype=np.float32))
    tape.forget(0.5)
    tape.add(np.arange(RATE, dtype=np.float32))
    assert tape.end == 2.0
    assert tape.clip(0.5, 0.5 + 2 / RATE).tolist() == [8000, 8001]
    assert len(tape.clip(0, 9)) == 24000


@pytest.mark.parametrize("step", [160, 1000, 16000])
def test_live_a_first_row_comes_within_1_2_seconds_of_speech(step):
    live = Live(Ear())
    first, rows = None, []
    for start in range(0, len(TALK), step):
        for track in live.feed(TALK[start : start + step]):
            first = first if first is not None else (start + step) / RATE
            rows += [(track.start[i], track.end[i], (track.note or ("",) * len(track))[i]) for i in range(len(track))]
    rows += [(track.start[0], track.end[0], "") for track in live.finish()]
    assert first <= 1.0 + 1.2 + (step / RATE if step > 1000 else 0)
    final = [row for row in rows if row[2] != SO_FAR]
    assert [row[0] for row in final] == pytest.approx([1.0, 4.5], abs=0.25)
    assert [row[1] for row in final] == pytest.approx([3.0, 7.5], abs=0.35)
    assert sum(row[2] == SO_FAR for row in rows) >= 3 or step == 16000


def test_live_finishes_what_is_cut_off_and_begins_anew():
    live = Live(Ear(), "Ann", LiveOptions(first=99.0))
    assert live.feed(TALK[: 2 * RATE]) == ()
    (track,) = live.finish()
    assert track.subject == "Ann"
    assert track.end[0] == pytest.approx(2.0, abs=0.1)
    assert live.finish() == ()
