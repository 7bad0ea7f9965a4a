import math
import os
import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.signal import Audio, Frames
from affetto.core.span import Span
from affetto.media import files, picking
from affetto.media.video import frames
from tests.films import colours, film, grey, number, quarters
from tests.voices import save, tone

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
CLIPS = DATA / "video/face-samples"
TURNED = {
    "upright": ((1, 0, 0, 1), "rgbw"),
    "quarter with the clock": ((0, 1, -1, 0), "brwg"),
    "half": ((-1, 0, 0, -1), "wbgr"),
    "quarter against it": ((0, -1, 1, 0), "gwrb"),
    "mirrored": ((-1, 0, 0, 1), "grwb"),
    "upside down": ((1, 0, 0, -1), "bwrg"),
    "transposed": ((0, 1, 1, 0), "rbgw"),
}


def seen(source, rate=5.0):
    """Return (second, number) of each frame."""
    found = []
    for times, block in frames(source, rate).timed():
        assert block.dtype == np.uint8 and block.shape[3] == 3 and len(times) == len(block)
        found += [(round(float(t), 3), number(picture)) for t, picture in zip(times, block, strict=True)]
    return found


@pytest.mark.parametrize(
    "name, codec, options",
    [
        ("a.mp4", "libx264", {}),
        ("a.mov", "libx265", {"x265-params": "log-level=none"}),
        ("a.webm", "libvpx-vp9", {}),
        ("b.mp4", "libsvtav1", {}),
        ("b.webm", "vp8", {}),
        ("a.mkv", "ffv1", {}),
        ("c.mp4", "mjpeg", {}),
        ("a.gif", "gif", {}),
        ("a.png", "apng", {}),
    ],
)
def test_codecs_give_each_frame_at_its_time(tmp_path, name, codec, options):
    path = tmp_path / name
    film(
        path.with_suffix(".apng") if codec == "apng" else path,
        [grey(k) for k in range(20)],
        None,
        codec,
        10,
        0.0,
        None,
        options,
    )
    path.with_suffix(".apng").rename(path) if codec == "apng" else None
    (signal,) = next(files.read(path, frames_rate=0)).signals
    assert isinstance(signal, Frames) and signal.size == (64, 64)
    assert signal.duration == pytest.approx(2.0, abs=0.01) and signal.rate == pytest.approx(10, abs=0.5)
    assert seen(path, 0) == [(k / 10, k) for k in range(20)]
    assert seen(path) == [(k / 5, 2 * k) for k in range(10)]
    assert [n for _, n in seen(path, 20)] == [k // 2 for k in range(40)]


@given(
    st.lists(st.floats(0.02, 1.5), min_size=1, max_size=30),
    st.sampled_from([1.0, 2.5, 5.0, 12.0]),
    st.floats(0.05, 3.0),
)
@settings(max_examples=12, deadline=None)
def test_any_rhythm_gives_the_frame_nearest_to_each_tick(tmp_path_factory, steps, rate, block):
    times = np.round(np.concatenate([[0.0], np.cumsum(steps)]), 3)
    path = film(tmp_path_factory.mktemp("x") / "x.mkv", [grey(k) for k in range(len(times))], times, "libx264")
    signal = frames(path, rate)
    ticks = np.concatenate([t for t, _ in signal.timed(block)])
    found = [number(picture) for one in signal.blocks(block) for picture in one]
    assert np.allclose(ticks, np.arange(len(ticks)) / rate) and len(found) == len(ticks)
    for tick, one in zip(ticks, found, strict=True):
        shown = np.flatnonzero(times <= tick + 1e-6)[-1]
        soon = times[shown + 1] - tick if shown + 1 < len(times) else math.inf
        near = soon < tick - times[shown] - 2e-3 and soon < 0.5 / rate - 2e-3
        tied = abs(soon - min(tick - times[shown], 0.5 / rate)) <= 2e-3
        assert one == shown + near or (tied and one in (shown, shown + 1))
    assert times[-1] < ticks[-1] + 1 / rate + 1e-6


def test_skipping_changes_no_picture(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    drawn = [np.kron(rng.integers(0, 255, (8, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in range(60)]
    path = film(tmp_path / "a.mp4", drawn, rate=30, options={"x264-params": "bframes=3"})
    decoded = []
    of = picking.frames_of

    def counted(packet):
        found = of(packet)
        decoded.extend(found)
        return found

    signal = frames(path, 2.0)
    monkeypatch.setattr(picking, "frames_of", counted)
    fast = np.concatenate(list(signal.blocks()))
    assert len(decoded) < 45
    monkeypatch.setattr(picking, "_wanted", lambda *_: True)
    assert np.array_equal(fast, np.concatenate(list(signal.blocks())))


@pytest.mark.parametrize("turned", TURNED)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_films_are_turned_upright(tmp_path, turned, suffix):
    (a, b, c, d), expected = TURNED[turned]
    if suffix == ".mkv" and turned in ("mirrored", "upside down", "transposed"):
        pytest.skip("Matroska holds turns, and no mirror")
    path = film(tmp_path / f"a{suffix}", [quarters()] * 3, turned=(a, b, 0, c, d, 0, 0, 0, 1))
    signal = frames(path)
    (block,) = signal.blocks()
    assert colours(block[0]) == expected
    assert signal.size == block.shape[2:0:-1] == ((64, 96) if a == 0 else (96, 64))


def test_pixels_become_square_and_frames_keep_one_size(tmp_path):
    path = film(tmp_path / "a.mp4", [quarters()] * 2, ratio=Fraction(4, 3))
    assert frames(path).size == (128, 64)
    (block,) = frames(path, 0).blocks()
    assert block.shape == (2, 64, 128, 3) and colours(block[0]) == "rgbw"
    odd = film(tmp_path / "b.mkv", [quarters((75, 33))] * 2, codec="ffv1")
    assert next(frames(odd).blocks()).shape[1:] == (33, 75, 3)


def test_blocks_are_bounded_by_seconds_and_by_bytes(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", [grey(k) for k in range(30)])
    assert [len(b) for b in frames(path).blocks(1.0)] == [5, 5, 5]
    monkeypatch.setattr(picking, "BYTES", 64 * 64 * 3 * 4)
    assert [len(b) for b in frames(path).blocks()] == [4, 4, 4, 3]
    monkeypatch.setattr(picking, "BYTES", 1)
    assert [len(b) for b in frames(path).blocks()] == [1] * 15
    with pytest.raises(MalformedError, match="seconds > 0"):
        frames(path).blocks(0)
    for rate in (-1, math.nan, 1e9):
        with pytest.raises(MalformedError, match="rate wants"):
            frames(path, rate)


def test_a_film_with_sound_is_one_record(tmp_path):
    path = film(tmp_path / "a.mp4", [grey(k) for k in range(20)], sound=2.0)
    (tmp_path / "a.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nHello.\n")
    record = next(files.read(path))
    assert [type(s) for s in record.signals] == [Audio, Frames] and record.id == "a"
    assert record.meta == {"path": str(path), "subtitles": str(tmp_path / "a.srt")}
    assert record.turns[0].span == Span(0.5, 1.5, "s")
    assert [s.duration for s in record.signals] == [pytest.approx(2.0, abs=0.1)] * 2
    assert next(files.read(path, turns=False)).turns == ()
    assert next(files.read(path, speakers=["Ann"])).meta["speakers"] == ["Ann"]
    silent = film(tmp_path / "b.mp4", [grey(0)])
    (tmp_path / "b.vtt").write_text("WEBVTT\n\n00:00.500 --> 00:01.500\n<v Dora>Beside.\n")
    record = next(files.read(silent))
    assert [type(s) for s in record.signals] == [Frames] and record.turns[0].speaker == "Dora"
    assert seen(silent) == [(0.0, 0)]


def test_pictures_that_start_late_keep_their_time(tmp_path):
    path = film(tmp_path / "a.mkv", [grey(k + 1) for k in range(10)], [1 + k / 10 for k in range(10)], sound=2.0)
    found = seen(path)
    assert [n for _, n in found[:5]] == [-1] * 5 and [n for _, n in found[5:]] == [1, 3, 5, 7, 9]
    pause = film(tmp_path / "b.mkv", [grey(k) for k in range(3)], [0.0, 0.2, 5.0])
    assert [n for _, n in seen(pause)] == [0] + [1] * 24 + [2]


def test_the_cover_of_a_song_is_no_film(tmp_path):
    picture = film(tmp_path / "cover.mkv", [quarters()], codec="mjpeg")
    with av.open(str(tmp_path / "a.mp3"), "w") as out, av.open(str(picture)) as cover:
        voice = out.add_stream("mp3", rate=16000, layout="mono")
        drawn = out.add_stream_from_template(cover.streams.video[0])
        drawn.disposition = av.stream.Disposition.attached_pic
        packet = next(one for one in cover.demux(video=0) if one.size)
        packet.stream = drawn
        frame = av.AudioFrame.from_ndarray(tone(300, 1.0)[None], format="fltp", layout="mono")
        frame.sample_rate = 16000
        out.mux(packet)
        out.mux([*voice.encode(frame), *voice.encode()])
    with av.open(str(tmp_path / "a.mp3")) as made:
        assert made.streams.video
    assert [type(s) for s in next(files.read(tmp_path / "a.mp3")).signals] == [Audio]
    with pytest.raises(UnreadableError, match=r"a\.mp3 holds no moving pictures"):
        frames(tmp_path / "a.mp3")


def test_a_broken_film_gives_what_can_be_decoded(tmp_path, capfd):
    whole = film(tmp_path / "a.mkv", [grey(k) for k in range(30)], options={"x264-params": "keyint=5"}).read_bytes()
    half = tmp_path / "half.mkv"
    half.write_bytes(whole[: len(whole) * 2 // 3])
    record = next(files.read(half))
    assert "broken off" in record.meta["warning"]
    found = seen(half)
    assert 2 < len(found) < 15 and [n for _, n in found] == [2 * k for k in range(len(found))]
    hurt = bytearray(whole)
    for at in range(len(hurt) // 2, len(hurt) // 2 + 60):
        hurt[at] ^= 0x5A
    (tmp_path / "hurt.mkv").write_bytes(hurt)
    assert seen(tmp_path / "hurt.mkv")[:3] == [(0.0, 0), (0.2, 2), (0.4, 4)]
    mp4 = film(tmp_path / "b.mp4", [grey(0)] * 9).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(mp4[: len(mp4) // 3])
    with pytest.raises(UnreadableError, match="broken off before its index"):
        files.read(tmp_path / "cut.mp4")
    assert capfd.readouterr() == ("", "")


def test_what_is_no_film_is_said(tmp_path, monkeypatch):
    with pytest.raises(UnreadableError, match="no moving pictures"):
        frames(save(tmp_path / "a.wav", tone(300, 0.1)))
    with pytest.raises(UnreadableError, match="no file"):
        frames(tmp_path / "none.mp4")
    path = film(tmp_path / "a.mp4", [grey(0)] * 3)
    signal = frames(path)
    path.unlink()
    with pytest.raises(UnreadableError, match="no file"):
        list(signal.blocks())
    large = film(tmp_path / "b.mp4", [grey(0)] * 3, sound=0.5)
    monkeypatch.setattr("affetto.media.video.PIXELS", 1000)
    record = next(files.read(large))
    assert [type(s) for s in record.signals] == [Audio] and "64 x 64 pixels" in record.meta["warning"]


@given(st.integers(0, 2**32), st.integers(1, 40))
@settings(max_examples=15, deadline=None)
def test_no_bytes_break_the_reader(tmp_path_factory, seed, many):
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("x")
    whole = bytearray(film(folder / "a.mp4", [grey(k) for k in range(8)], sound=0.5).read_bytes())
    for _ in range(many):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    (folder / "a.mp4").write_bytes(whole)
    try:
        record = next(files.read(folder / "a.mp4"))
    except UnreadableError as error:
        assert "\n" not in str(error)
        return
    for signal in record.signals:
        for _, _ in zip(range(300), signal.blocks(), strict=False):
            pass


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name, size, seconds, sound",
    [
        ("pexels_wolfgang_langer_cry.mp4", (640, 360), 19.7, True),
        ("pyfeat_single_face.mp4", (640, 360), 2.4, True),
        ("pyfeat_face_noface.mov", (960, 540), 6.4, True),
        ("emoface_angry_actor.mov", (1080, 1920), 3.4, True),
    ],
)
def test_real_films_give_the_nearest_frames(name, size, seconds, sound):
    if not (CLIPS / name).is_file():
        pytest.skip("the data folder is absent")
    record = next(files.read(CLIPS / name, frames_rate=2.0))
    film = record.signals[-1]
    assert film.size == size and film.duration == pytest.approx(seconds, abs=0.1)
    assert isinstance(record.signals[0], Audio) == sound
    late = {"warning": "the sound begins 2.4 s after the pictures"} if name == "pyfeat_face_noface.mov" else {}
    assert {key: record.meta[key] for key in record.meta if key == "warning"} == late
    pictures = [p for block in film.blocks() for p in block]
    assert len(pictures) == math.ceil(film.duration * 2 - 1e-6)
    least = {}
    for times, block in frames(CLIPS / name, 0).timed():
        for second, picture in zip(times, block, strict=True):
            k = round(float(second) * 2)
            away = abs(second - k / 2)
            if k < len(pictures) and away < least.get(k, (9.0, False))[0]:
                least[k] = away, np.array_equal(picture, pictures[k])
    assert all(same for _, same in least.values()) and len(least) == len(pictures)
