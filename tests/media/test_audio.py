import math
import os
import random
import struct
import zipfile
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import av
import numpy as np
import pytest
from av.subtitles.subtitle import SubtitleSet
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Turn
from affetto.core.span import Span
from affetto.media import containers, files, lengths
from affetto.media.audio import audio, read_audio
from tests.voices import noise, phrase, save, silence, tone

RATE = 16000
DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def heard(source, **how):
    """Return all samples of a sound, n x channels."""
    return np.concatenate(list(audio(source, **how).blocks()))


@cache
def talk(seconds, rate):
    return phrase(seconds=seconds, rate=rate)


def encode(path, samples, rate, codec, subtitles=None, late=0.0, actor="", pictures=False):
    """Write samples (n) with any codec of PyAV; `subtitles` is a codec, whose two cues Ann and Bob say."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        video = picture_stream(container) if pictures else None
        texts = container.add_stream(subtitles) if subtitles else None
        if texts:
            texts.codec_context.subtitle_header = HEADER
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, int(late * rate), Fraction(1, rate)
        draw(container, video)
        container.mux([*stream.encode(frame), *stream.encode()])
        for k, words in enumerate(("ANN: I got the job!", "BOB: Really?")) if texts else ():
            event = f"{k},0,Default,{actor},0,0,0,,{words}".encode()
            packet = texts.codec_context.encode_subtitle(SubtitleSet.create(event, 0, 900, pts=k * 1_000_000))
            packet.stream, packet.time_base = texts, Fraction(1, 1000)
            packet.pts = packet.dts = 1000 * k
            packet.duration = 900
            container.mux(packet)
    return path


def picture_stream(container):
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    return stream


def draw(container, stream):
    for k in range(30 if stream else 0):
        frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 8 * k, np.uint8))
        frame.pts = k
        container.mux(stream.encode(frame))
    if stream:
        container.mux(stream.encode())


def film(path):
    """Write pictures without sound."""
    with av.open(str(path), "w") as container:
        draw(container, picture_stream(container))
    return path


def raw(data, rate=RATE, channels=1, bits=16, kind=1, size=None):
    """Return the bytes of a WAV, whose header may lie."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    size = len(data) if size is None else size
    return b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", size) + data


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def power(samples):
    """Return the mean power in dB of a full-scale sine."""
    return 10 * math.log10(2 * float(np.mean(np.square(samples))) + 1e-20)


def test_a_wav_comes_as_it_is(tmp_path):
    samples = talk(1.3, RATE)
    path = save(tmp_path / "call.wav", samples)
    record = read_audio(path)
    (signal,) = record.signals
    assert record.id == "call" and record.meta == {"path": str(path)} and record.turns == ()
    assert (signal.rate, signal.channels, signal.duration) == (16000.0, 1, pytest.approx(1.3))
    blocks = list(signal.blocks(0.5))
    assert [len(b) for b in blocks] == [8000, 8000, 4800]
    assert all(b.dtype == np.float32 and b.shape[1] == 1 for b in blocks)
    assert np.allclose(np.concatenate(blocks)[:, 0], samples, atol=1.6e-4)


@given(st.floats(0.001, 3.0))
@settings(max_examples=8)
def test_blocks_do_not_change_the_sound_and_begin_anew(tmp_path_factory, block):
    path = save(tmp_path_factory.mktemp("x") / "x.wav", noise(0.9, rate=22050), rate=22050)
    signal = audio(path)
    whole = np.concatenate(list(signal.blocks()))
    parts = list(signal.blocks(block))
    assert np.array_equal(np.concatenate(parts), whole)
    assert {len(p) for p in parts[:-1]} <= {max(1, round(block * RATE))}


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 192000])
def test_tones_keep_their_pitch_and_level_at_any_rate(tmp_path, rate):
    for pitch in (100, 1000, 3000, 7000):
        if pitch < rate / 2.2:
            samples = heard(save(tmp_path / "x.wav", tone(pitch, 0.5, rate, 0.5), rate))[:, 0]
            assert len(samples) == RATE // 2
            middle = samples[2000:-2000]
            expected = tone(pitch, 0.5, RATE, 0.5)[2000:-2000]
            assert abs(power(middle) - power(expected)) < 0.1
            assert power(middle - expected) < -60
    for pitch in (9000, 12000, 15000, 60000):
        if pitch < rate / 2.2:
            assert power(heard(save(tmp_path / "x.wav", tone(pitch, 0.5, rate, 0.5), rate))[2000:-2000]) < -75


@pytest.mark.parametrize(
    "name, codec, rate, likeness",
    [
        ("a.mp3", "mp3", 44100, 0.999),
        ("a.m4a", "aac", 44100, 0.995),
        ("a.mkv", "aac", 44100, 0.995),
        ("a.ogg", "libopus", 48000, 0.98),
        ("a.webm", "libopus", 48000, 0.98),
        ("a.flac", "flac", 44100, 0.9999),
        ("a.wav", "pcm_s24le", 44100, 0.9999),
        ("a.wav", "pcm_u8", 16000, 0.998),
        ("a.wav", "pcm_mulaw", 16000, 0.998),
        ("a.wav", "pcm_f32le", 48000, 0.9999),
        ("a.aiff", "pcm_s16be", 44100, 0.9999),
        ("a.caf", "pcm_s16le", 44100, 0.9999),
        ("a.au", "pcm_s16be", 44100, 0.9999),
        ("mp3-called.wav", "mp3", 44100, 0.999),
    ],
)
def test_codecs_come_out_where_they_went_in(tmp_path, name, codec, rate, likeness):
    samples = talk(1.5, rate)
    path = tmp_path / name
    made = encode(path.with_suffix(".mp3") if codec == "mp3" else path, samples, rate, codec).rename(path)
    plain = heard(save(tmp_path / "plain.wav", samples, rate))[:, 0]
    signal = audio(made)
    found = np.concatenate(list(signal.blocks()))[:, 0]
    assert abs(len(found) - len(plain)) < 0.03 * RATE and signal.duration == pytest.approx(1.5, abs=0.05)
    n = min(len(found), len(plain))
    assert np.corrcoef(found[:n], plain[:n])[0, 1] > likeness


def test_channels_are_mixed_to_their_mean_and_do_not_cancel(tmp_path):
    left, right = tone(300, 1.0), tone(700, 1.0)
    both = heard(save(tmp_path / "x.wav", np.stack([left, right], 1)))[:, 0]
    assert np.allclose(both, (left + right) / 2, atol=1e-4)
    against = heard(save(tmp_path / "y.wav", np.stack([left, -left], 1)))[:, 0]
    assert np.allclose(against, left, atol=1e-4)
    six = heard(save(tmp_path / "z.wav", np.stack([left, *[silence(1.0)] * 5], 1)))[:, 0]
    assert np.allclose(six, left / 6, atol=1e-4)


def test_channels_are_speakers_where_asked(tmp_path):
    path = save(tmp_path / "x.wav", np.stack([tone(300, 0.5, 44100), tone(700, 0.5, 44100)], 1), 44100)
    record = read_audio(path, "channels")
    assert record.meta["speakers"] == ["speaker 1", "speaker 2"]
    assert record.signals[0].channels == 2
    samples = np.concatenate(list(record.signals[0].blocks()))
    for k, pitch in enumerate((300, 700)):
        assert np.allclose(samples[1000:-1000, k], tone(pitch, 0.5)[1000:-1000], atol=1e-3)
    assert next(files.read(path, speakers=["agent", "caller"])).meta["speakers"] == ["agent", "caller"]
    for names in (["agent"], ["a", "b", "c"], ["a", "a"], "agent"):
        with pytest.raises(MalformedError, match=r"x\.wav has 2 channels"):
            read_audio(path, names)
    with pytest.raises(MalformedError, match="rate wants"):
        audio(path, rate=0)


@pytest.mark.parametrize(
    "name, codec, actor", [("a.mkv", "srt", ""), ("a.mp4", "mov_text", ""), ("a.mkv", "ass", "Cleo")]
)
def test_subtitles_inside_are_turns(tmp_path, name, codec, actor):
    path = encode(tmp_path / name, tone(440, 2.0, 44100), 44100, "aac", codec, actor=actor)
    record = read_audio(path)
    assert record.meta["subtitles"].startswith("inside: ")
    said = [("ANN", "I got the job!"), ("BOB", "Really?")]
    said = [(actor, f"{who}: {words}") for who, words in said] if actor else said
    assert record.turns == tuple(Turn(who, Span(k, k + 0.9, "s"), words) for k, (who, words) in enumerate(said))
    assert next(files.read(path, turns=False)).turns == ()


def test_subtitles_beside_are_turns_and_come_first(tmp_path):
    path = encode(tmp_path / "a.mkv", tone(440, 2.0, 44100), 44100, "aac", "srt")
    put(tmp_path, "a.vtt", b"WEBVTT\n\n00:00.500 --> 00:01.500\n<v Dora>Beside.\n")
    record = read_audio(path)
    assert record.turns == (Turn("Dora", Span(0.5, 1.5, "s"), "Beside."),)
    assert record.meta["subtitles"] == str(tmp_path / "a.vtt")
    put(tmp_path, "a.vtt", b"\0\1\2")
    record = read_audio(path)
    assert record.turns[0].speaker == "ANN" and "a.vtt" in record.meta["warning"]


def test_sound_that_starts_late_keeps_its_time(tmp_path):
    path = encode(tmp_path / "a.mkv", tone(440, 1.0, 44100), 44100, "aac", "srt", late=2.0, pictures=True)
    record = read_audio(path)
    samples = np.concatenate(list(record.signals[0].blocks()))[:, 0]
    assert np.flatnonzero(np.abs(samples) > 0.1)[0] / RATE == pytest.approx(2.0, abs=0.03)
    assert record.turns[1].span == Span(1.0, 1.9, "s")
    assert record.signals[0].duration == pytest.approx(len(samples) / RATE, abs=0.05)


SAID = {
    "empty.wav": (b"", "is empty"),
    "header.wav": (raw(b""), "cut off after its header"),
    "half-a-header.wav": (raw(b"")[:30], "no picture, film or sound inside"),
    "text.wav": (b"Dear diary, " * 99, "no picture, film or sound inside"),
    "picture.wav": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "is broken off"),
    "noise.mp3": (random.Random(1).randbytes(50_000), "no picture, film or sound inside"),
    "slow.wav": (raw(bytes(2000), rate=2), "2 samples a second"),
    "fast.wav": (raw(bytes(2000), rate=2**31 - 1), "samples a second"),
    "wide.wav": (raw(bytes(100_000), channels=65535), "sound"),
    "list.wav": (b"ffconcat version 1.0\nfile /etc/hostname\n", "no picture, film or sound inside"),
    "list.mp3": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "no picture, film or sound inside",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_no_sound_is_said_in_one_sentence(tmp_path, name, capfd):
    content, why = SAID[name]
    path = put(tmp_path, name, content)
    with pytest.raises(UnreadableError, match=why) as caught:
        files.read(path)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_what_is_not_there_or_no_file_is_said(tmp_path):
    with pytest.raises(UnreadableError, match="pictures only"):
        read_audio(film(tmp_path / "film.mp4"))
    with pytest.raises(UnreadableError, match=r"no file.*check the path"):
        files.read(tmp_path / "x.wav")
    with pytest.raises(UnreadableError, match="save what is there to a file first"):
        files.read("http://127.0.0.1:9/x.wav")
    with pytest.raises(UnreadableError, match="stdin"):
        files.read("-", suffix=".wav")
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(UnreadableError, match="a device or a pipe"):
        files.read(tmp_path / "pipe.wav")
    path = save(tmp_path / "gone.wav", tone(300, 0.1))
    signal = audio(path)
    path.unlink()
    with pytest.raises(UnreadableError, match="no file"):
        list(signal.blocks())


def test_no_playlist_opens_another_file(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "_FORMATS", "concat,hls,mpegts,wav")
    other = save(tmp_path / "other.wav", tone(300, 0.1))
    path = put(tmp_path, "list.wav", f"ffconcat version 1.0\nfile {other.name}\n".encode())
    with pytest.raises(UnreadableError):
        read_audio(path)


def test_strange_sounds_are_read(tmp_path, capfd):
    values = np.array([0.5, np.nan, np.inf, -np.inf, 3e38, -7.0], "<f4")
    found = heard(put(tmp_path, "nan.wav", raw(values.tobytes(), kind=3, bits=32)))[:, 0]
    assert found.tolist() == [0.5, 0, 0, 0, 1, -1]
    assert heard(put(tmp_path, "one.wav", raw(b"\0\x40"))).tolist() == [[0.5]]
    assert not heard(save(tmp_path / "still.wav", silence(1.0))).any()
    clipped = heard(save(tmp_path / "loud.wav", np.sign(tone(200, 0.5, 44100)), 44100))
    assert np.abs(clipped).max() == 1
    assert len(list(audio(put(tmp_path, "one48.wav", raw(b"\0\x40", rate=48000))).blocks())) <= 1
    for size in (0, 2**32 - 1, 2**31 - 1):
        signal = audio(put(tmp_path, "lie.wav", raw(bytes(32000), size=size)))
        assert signal.duration == pytest.approx(1.0) and sum(map(len, signal.blocks())) == RATE
    assert capfd.readouterr() == ("", "")


def test_a_broken_file_gives_what_can_be_decoded(tmp_path, capfd):
    samples = talk(4.0, 44100)
    for name, codec in (("a.flac", "flac"), ("a.mp3", "mp3"), ("a.mkv", "aac")):
        whole = encode(tmp_path / name, samples, 44100, codec).read_bytes()
        record = read_audio(put(tmp_path, f"half-{name}", whole[: len(whole) // 2]))
        seconds = sum(map(len, record.signals[0].blocks())) / RATE
        assert 1.2 < seconds < 2.8 and record.signals[0].duration == pytest.approx(seconds, abs=0.15)
        assert ("warning" in record.meta) == (codec != "mp3")
        hurt = bytearray(whole)
        for k in range(len(hurt) // 2, len(hurt) // 2 + 300):
            hurt[k] ^= 0x5A
        found = heard(put(tmp_path, f"hurt-{name}", bytes(hurt)))
        least = 1.9 if codec == "aac" else 3.7  # a .mkv ends where it is hurt, the others go on behind
        assert least < len(found) / RATE < 4.1 and np.abs(found).max() <= 1
    assert capfd.readouterr() == ("", "")


def test_long_files_are_measured_by_their_last_packet(tmp_path, monkeypatch):
    paths = [encode(tmp_path / f"a.{x}", talk(6.0, RATE), RATE, c) for x, c in (("mkv", "aac"), ("flac", "flac"))]
    paths.append(save(tmp_path / "a.wav", noise(6.0)))
    mp3 = encode(tmp_path / "a.mp3", talk(6.0, RATE), RATE, "mp3")
    monkeypatch.setattr(lengths, "COUNTED", 0)
    for path in paths:
        assert audio(path).duration == pytest.approx(6.0, abs=0.15)
    assert audio(mp3).duration == pytest.approx(6.0, abs=0.1)
    monkeypatch.setattr(lengths, "COUNTED_UNSTATED", 0)
    assert math.isnan(audio(mp3).duration)
    flac = put(tmp_path, "half.flac", paths[1].read_bytes()[: paths[1].stat().st_size // 3])
    signal = audio(flac)
    assert not signal.duration > 3


def test_a_clip_inside_a_zip_is_read_by_its_opener(tmp_path):
    samples = tone(300, 0.5)
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        archive.write(save(tmp_path / "a.wav", samples), "folder/a.wav")
    archive = zipfile.ZipFile(tmp_path / "clips.zip")
    record = read_audio(partial(archive.open, "folder/a.wav"), path="clips.zip/folder/a.wav")
    assert record.id == "a" and record.meta == {"path": "clips.zip/folder/a.wav"}
    for _ in range(2):
        assert np.allclose(np.concatenate(list(record.signals[0].blocks()))[:, 0], samples, atol=1e-4)
    archive.close()
    with pytest.raises(UnreadableError, match="cannot be opened"):
        list(record.signals[0].blocks())


def test_a_folder_gives_a_record_a_file(tmp_path):
    home = tmp_path / "calls"
    (home / "b").mkdir(parents=True)
    for name in ("z.wav", "b/1.wav", "b/2.WAV", ".hidden.wav"):
        save(home / name, tone(300, 0.1))
    encode(home / "b/1.flac", tone(300, 0.1), RATE, "flac")
    put(home, "bad.mp3", b"no")
    put(home, ".cache/x.wav", b"")
    put(home, "notes.txt", b"not read")
    put(home, "z.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello.\n")
    folder = files.read(home)
    records = list(folder)
    assert [r.id for r in records] == ["b/1.flac", "b/1.wav", "b/2", "bad", "z"]
    assert [len(r.signals) for r in records] == [1, 1, 1, 0, 1]
    assert "bad.mp3" in records[3].meta["error"] and records[4].turns[0].text == "Hello."
    assert folder.position == folder.total > 0
    with pytest.raises(UnreadableError, match="holds no sound, film or picture"):
        files.read(put(tmp_path, "other/notes.txt", b"words").parent)
    (error, *_) = [r for r in files.read(home, speakers=["a", "b"]) if r.id == "z"]
    assert "1 channel" in error.meta["error"]


@given(st.binary(min_size=0, max_size=400), st.integers(0, 60))
@settings(max_examples=30)
def test_no_bytes_break_the_reader(tmp_path_factory, rubbish, at):
    whole = raw(bytes(4000), rate=8000)
    path = put(tmp_path_factory.mktemp("x"), "x.wav", whole[:at] + rubbish + whole[at:])
    try:
        signal = audio(path)
    except UnreadableError:
        return
    for block in signal.blocks():
        assert np.isfinite(block).all() and np.abs(block).max() <= 1


@pytest.mark.corpus
def test_real_clips_are_those_of_libsndfile():
    soundfile = pytest.importorskip("soundfile")
    path = DATA / "speech/ravdess/ravdess_speech_16k_opus32k.zip"
    if not path.is_file():
        pytest.skip("the data folder is absent")
    with zipfile.ZipFile(path) as archive:
        for name in random.Random(3).sample([n for n in archive.namelist() if n.endswith(".opus")], 5):
            found = heard(partial(archive.open, name), path=name)[:, 0]
            with archive.open(name) as file:
                expected, _ = soundfile.read(file, dtype="float32")
            assert len(found) == len(expected)
            assert np.corrcoef(found, expected)[0, 1] > 0.999
