"""Recordings opened in the middle say the same from there on; sound and pictures lie on one clock."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError
from affetto.core.signal import Audio, Frames
from affetto.media import decoding, files, picking
from affetto.media.audio import audio
from affetto.media.recording import read_recording
from affetto.media.video import frames
from tests.films import TICKS, colours, film, grey, quarters

RATE = 16000
SECONDS = 20


def chirp(rate, seconds=SECONDS):
    """Return a tone that rises from 200 Hz by 80 a second: no moment is like another."""
    time = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * (200 * time + 40 * time**2))).astype(np.float32)


def save(path, codec, rate, samples, first=0.0, container=None):
    """Write a sound of which the first sample lies at a second."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        kind = stream.codec_context.codec.audio_formats[0].name
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, round(first * rate), Fraction(1, rate)
        for piece in av.AudioResampler(format=kind, layout="mono", rate=rate).resample(frame):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def whole(source, since=0.0):
    return np.concatenate([*audio(source, since=since).blocks(3.0), np.zeros((0, 1), np.float32)])[:, 0]


@pytest.mark.parametrize(
    ("name", "codec", "rate", "error", "leaps"),
    [
        ("a.wav", "pcm_s16le", 44100, 1e-6, True),
        ("a.flac", "flac", 22050, 1e-6, True),
        ("a.mp3", "libmp3lame", 44100, 1e-6, True),
        ("a.m4a", "aac", 48000, 0.03, True),
        ("a.mov", "aac", 44100, 0.03, True),
        ("a.mka", "aac", 44100, 0.15, True),
        ("a.webm", "libopus", 48000, 0.15, True),
        ("a.avi", "libmp3lame", 44100, 0.03, False),
    ],
)
def test_the_first_sample_is_that_of_the_second(tmp_path, monkeypatch, name, codec, rate, error, leaps):
    path = save(tmp_path / name, codec, rate, chirp(rate))
    full = whole(path)
    assert np.corrcoef(full[16000 : 18 * RATE], chirp(RATE)[16000 : 18 * RATE])[0, 1] > 0.99 or not leaps
    decoded = []
    of = decoding.frames

    def counted(packet):
        found = of(packet)
        decoded.extend(frame.samples for frame in found)
        return found

    monkeypatch.setattr(decoding, "frames", counted)
    for since in (0.3, 1.6, 7.0, 12.3456, 19.5):
        decoded.clear()
        part, rest = whole(path, since), full[round(since * RATE) :]
        assert abs(len(part) - len(rest)) <= 1
        assert np.abs(part[: len(rest)] - rest[: len(part)]).max() <= error
        assert sum(decoded) / rate < SECONDS - since + 6 or not leaps
    assert len(whole(path, 25.0)) == 0


def test_channels_rates_and_durations_stay_what_they_are(tmp_path):
    path = save(tmp_path / "a.wav", "pcm_s16le", 8000, chirp(8000, 6))
    record = read_recording(path, ["ann"], since=2.5)
    (signal,) = record.signals
    assert isinstance(signal, Audio) and (signal.channels, signal.duration) == (1, pytest.approx(3.5))
    assert record.meta["since"] == 2.5 and record.meta["speakers"] == ["ann"]
    assert sum(map(len, signal.blocks(1.0))) == 3.5 * RATE
    assert np.allclose(np.concatenate(list(signal.blocks(0.7))), np.concatenate(list(signal.blocks(9.0))))
    assert "since" not in read_recording(path).meta
    assert next(files.read(path, since=5.0)).signals[0].duration == pytest.approx(1.0)
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(MalformedError, match="since wants seconds >= 0"):
            read_recording(path, since=wrong)


def timed(source, rate, since=0.0):
    """Return the seconds and the pictures from a second on."""
    found = [
        (second, picture) for times, block in frames(source, rate, since=since).timed(1.0)
        for second, picture in zip(times.tolist(), block, strict=True)
    ]  # fmt: skip
    return [second for second, _ in found], [picture for _, picture in found]


def textured(count, size=64, seed=3):
    """Return pictures, each unlike the one before, so that a wrong one is seen."""
    rng = np.random.default_rng(seed)
    return [
        np.kron(rng.integers(0, 255, (8, 8, 3), np.uint8), np.ones((size // 8, size // 8, 1), np.uint8))
        for _ in range(count)
    ]


MADE = [
    ("a.mp4", "libx264", {"g": "8", "bf": "3"}),
    ("b.mp4", "libx264", {"g": "12", "x264-params": "bframes=3:b-pyramid=normal:open-gop=1"}),
    ("a.mov", "libx264", {"g": "10", "bf": "2"}),
    ("a.mkv", "libx264", {"g": "9", "bf": "3"}),
    ("a.ts", "libx264", {"g": "10", "bf": "3"}),
    ("a.avi", "mpeg4", {"g": "10"}),
    ("a.webm", "libvpx-vp9", {"g": "10", "deadline": "realtime", "cpu-used": "8"}),
    ("b.mkv", "libx265", {"g": "10", "x265-params": "log-level=none"}),
    ("a.gif", "gif", {}),
]


@pytest.fixture(scope="module", params=MADE, ids=lambda made: f"{made[0]} {made[1]}")
def made(request, tmp_path_factory):
    name, codec, options = request.param
    times = None
    if name.endswith((".mkv", ".mov")):  # a variable rate
        times = np.round(np.cumsum(np.random.default_rng(1).choice([0.04, 0.08, 0.12, 0.4], 72)), 3)
        times -= times[0]
    return film(tmp_path_factory.mktemp("since") / name, textured(72), times, codec, 12, options=options)


@pytest.mark.parametrize("rate", [0, 5.0])
def test_pictures_from_a_second_on_are_those_of_the_whole_film(made, rate):
    times, pictures = timed(made, rate)
    for since in (0.05, 2.0, 4.999, times[-1]):
        first = next(k for k, second in enumerate(times) if second >= since - 1e-6)
        late, shown = timed(made, rate, since)
        assert late == pytest.approx(times[first:], abs=1e-9)
        assert np.array_equal(shown, pictures[first:])
    assert timed(made, rate, 60.0)[0] == []


@given(st.floats(0, 3.2), st.sampled_from([0, 1.0, 5.0, 7.5]))
@settings(max_examples=12, deadline=None)
def test_no_second_is_missed_between_two_stretches(tmp_path_factory, since, rate):
    path = tmp_path_factory.getbasetemp() / "stretches.mp4"
    if not path.exists():
        film(path, [grey(k) for k in range(33)], rate=10, options={"g": "5", "bf": "2"})
    times, pictures = timed(path, rate)
    late, shown = timed(path, rate, since)
    early = [second for second in times if second < since - 1e-6]
    assert early + late == pytest.approx(times)
    assert np.array_equal(np.array(shown), np.array(pictures)[len(early) :]) or not shown


def test_a_leap_decodes_but_little(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", textured(400), rate=20, options={"g": "20", "bf": "2"})
    decoded = []
    of = picking.frames_of
    signal = frames(path, 5.0, since=18.0)
    monkeypatch.setattr(picking, "frames_of", lambda packet: decoded.extend(found := of(packet)) or found)
    assert sum(map(len, signal.blocks())) == 10
    assert len(decoded) < 90
    assert signal.duration == pytest.approx(2.0, abs=0.06)


def test_a_turned_film_stays_turned(tmp_path):
    path = film(tmp_path / "a.mp4", [quarters()] * 40, rate=10, options={"g": "5"},
                turned=(0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))  # fmt: skip
    signal = frames(path, 5.0, since=3.0)
    assert signal.size == (64, 96)
    assert {colours(picture) for block in signal.blocks() for picture in block} == {colours(timed(path, 5.0)[1][0])}


def both(path, pictures, sound):
    """Write a film whose pictures and whose sound lie at their own seconds: start and end of each."""
    with av.open(str(path), "w") as out:
        seen = out.add_stream("libx264", rate=10)
        seen.width, seen.height, seen.pix_fmt = 64, 64, "yuv420p"
        seen.time_base = seen.codec_context.time_base = Fraction(1, TICKS)
        heard = out.add_stream("aac", rate=48000, layout="mono")
        for k in range(round((pictures[1] - pictures[0]) * 10)):
            frame = av.VideoFrame.from_ndarray(grey(k % 30))
            frame.pts, frame.time_base = round((pictures[0] + k / 10) * TICKS), Fraction(1, TICKS)
            out.mux(seen.encode(frame))
        out.mux(seen.encode(None))
        samples = chirp(48000, sound[1] - sound[0])
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, round(sound[0] * 48000), Fraction(1, 48000)
        out.mux([*heard.encode(frame), *heard.encode(None)])
    return path


@pytest.mark.parametrize(
    ("pictures", "sound", "warning"),
    [
        ((0, 4), (0, 4), None),
        ((0, 4), (0.5, 4), "the sound begins 0.5 s after the pictures"),
        ((0.8, 4), (0, 4), "the pictures begin 0.8 s after the sound"),
        ((0, 14), (0, 2), "the sound ends 12 s before the pictures"),
        ((0, 2), (0.8, 4.5), "the sound begins 0.8 s after the pictures and the pictures end 2.5 s before the sound"),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_and_pictures_lie_on_one_clock_from_the_start_of_the_file(tmp_path, pictures, sound, warning, suffix):
    path = both(tmp_path / f"a{suffix}", pictures, sound)
    record = read_recording(path, frames_rate=0)
    assert record.meta.get("warning") == warning
    heard, seen = record.signals
    samples = np.concatenate(list(heard.blocks()))[:, 0]
    assert np.flatnonzero(np.abs(samples) > 0.02)[0] / RATE == pytest.approx(sound[0], abs=0.03)
    expected = np.concatenate([np.zeros(int(sound[0] * RATE), np.float32), chirp(RATE, sound[1] - sound[0])])
    first, last = int((sound[0] + 0.3) * RATE), int((sound[1] - 0.2) * RATE)
    alike = [np.corrcoef(samples[first + k : last + k], expected[first:last])[0, 1] for k in range(-16, 17)]
    assert max(alike) > 0.99  # within a millisecond, by which such a clock counts
    times = np.concatenate([times for times, _ in seen.timed()])
    assert (times[0], times[-1]) == (pytest.approx(pictures[0], abs=0.01), pytest.approx(pictures[1] - 0.1, abs=0.01))
    for since in (0.2, 0.6, 1.7):
        part = read_recording(path, frames_rate=0, since=since)
        later = np.concatenate(list(part.signals[0].blocks()))[:, 0]
        rest = samples[round(since * RATE) :]
        size = min(len(later), len(rest))
        assert abs(len(later) - len(rest)) <= 1 and np.abs(later[:size] - rest[:size]).max() < 0.15
        late = np.concatenate([times for times, _ in part.signals[1].timed()])
        assert late == pytest.approx(times[times >= since - 1e-6])
        assert part.meta.get("warning") == warning


def test_turns_keep_their_seconds(tmp_path):
    path = both(tmp_path / "a.mp4", (0, 6), (0, 6))
    path.with_suffix(".vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hello\n", encoding="utf-8")
    record = read_recording(path, since=3.0)
    assert [(turn.speaker, turn.span.start) for turn in record.turns] == [("Ann", 1.0)]
    assert [type(signal) for signal in record.signals] == [Audio, Frames]
    assert record.signals[1].duration == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.flac", "flac")])
def test_a_song_with_a_cover_is_a_sound(tmp_path, name, codec):
    picture = film(tmp_path / "cover.mkv", [quarters()], codec="mjpeg")
    samples = chirp(44100, 2)
    with (
        av.open(str(tmp_path / name), "w", format="mp4" if name == "a.m4a" else None) as out,
        av.open(str(picture)) as cover,
    ):
        voice = out.add_stream(codec, rate=44100, layout="mono")
        drawn = out.add_stream_from_template(cover.streams.video[0])
        drawn.disposition = av.stream.Disposition.attached_pic
        packet = next(one for one in cover.demux(video=0) if one.size)
        packet.stream = drawn
        if name != "a.flac":
            out.mux(packet)
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = 44100
        kind = voice.codec_context.codec.audio_formats[0].name
        for piece in av.AudioResampler(format=kind, layout="mono", rate=44100).resample(frame):
            out.mux(voice.encode(piece))
        out.mux(voice.encode(None))
        if name == "a.flac":
            out.mux(packet)
    for since in (0.0, 1.2):
        record = read_recording(tmp_path / name, since=since)
        assert [type(signal) for signal in record.signals] == [Audio]
        assert "warning" not in record.meta
        assert record.signals[0].duration == pytest.approx(2.0 - since, abs=0.06)
