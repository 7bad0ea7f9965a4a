"""What browsers can play of recordings, and small pictures of their moments."""

import io

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from affetto.core.errors import UnreadableError
from affetto.media import proxy as proxies
from affetto.media.proxy import proxy, still
from affetto.media.recording import read_recording
from affetto.media.video import frames
from tests.films import colours, film, grey, number, quarters
from tests.voices import save, tone

ROOM = 10_000_000


def opened(data):
    """Return what lies in a copy: kind of container, codecs, size, seconds."""
    with av.open(io.BytesIO(data)) as container:
        streams = {stream.type: stream.codec_context for stream in container.streams}
        shown = streams.get("video")
        return {
            "codecs": {kind: context.codec.canonical_name for kind, context in streams.items()},
            "size": (shown.width, shown.height) if shown else None,
            "pixels": shown.pix_fmt if shown else None,
            "seconds": container.duration / av.time_base,
        }


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [("a.mp4", "libx264", "video/mp4"), ("a.mov", "libx264", "video/mp4"), ("a.webm", "libvpx-vp9", "video/webm")],
)
def test_a_small_film_that_browsers_play_comes_as_it_is(tmp_path, name, codec, kind):
    path = film(tmp_path / name, [grey(k) for k in range(10)], codec=codec)
    assert proxy(path, ROOM) == (path.read_bytes(), kind)


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [
        ("a.wav", "pcm_s16le", "audio/wav"),
        ("a.mp3", "libmp3lame", "audio/mpeg"),
        ("a.m4a", "aac", "audio/mp4"),
        ("a.flac", "flac", "audio/flac"),
        ("a.opus", "libopus", "audio/ogg"),
        ("a.webm", "libopus", "audio/webm"),
    ],
)
def test_a_small_sound_that_browsers_play_comes_as_it_is(tmp_path, name, codec, kind):
    path = sounding(tmp_path / name, codec)
    assert proxy(path, ROOM) == (path.read_bytes(), kind)


def sounding(path, codec, seconds=3.0):
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(440, seconds, 48000)[None], format="flt", layout="mono")
        frame.sample_rate = 48000
        kind = stream.codec_context.codec.audio_formats[0].name
        for piece in av.AudioResampler(format=kind, layout="mono", rate=48000).resample(frame):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def numbered(path):
    """Return the seconds of a film's frames, and which each is."""
    seen = [(t, number(p)) for times, block in frames(path, 0).timed() for t, p in zip(times, block, strict=True)]
    return tuple(zip(*seen, strict=True))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.mp4", "mpeg4"), ("b.mkv", "ffv1")]
)
def test_another_film_is_copied_small_on_the_same_clock(tmp_path, name, codec):
    pages = [grey(k, (320, 200)) for k in range(30)]
    path = film(tmp_path / name, pages, codec=codec, rate=10, sound=3.0)
    data, kind = proxy(path, ROOM, height=100)
    found = opened(data)
    assert kind == "video/mp4" and found["codecs"] == {"video": "h264", "audio": "aac"}
    assert found["size"] == (160, 100) and found["pixels"] == "yuv420p"
    assert found["seconds"] == pytest.approx(3.0, abs=0.1)
    assert data.find(b"moov") < data.find(b"mdat")
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(data)
    heard, _ = read_recording(copy).signals
    (times, shown), (given, drawn) = numbered(copy), numbered(path)
    assert np.abs(np.array(shown) - np.interp(times, given, drawn)).max() < 2
    assert times[-1] == pytest.approx(2.96, abs=0.1)
    assert np.abs(np.concatenate(list(heard.blocks()))[8000:40000]).max() == pytest.approx(0.3, abs=0.03)


def test_a_turned_film_of_wide_pixels_becomes_upright(tmp_path):
    path = film(tmp_path / "a.mkv", [quarters((64, 96))] * 5, ratio=2)
    assert opened(proxy(path, ROOM)[0])["size"] == (128, 96)
    turned = film(
        tmp_path / "b.mov", [quarters()] * 5, codec="mpeg4", turned=(0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    )
    data, _ = proxy(turned, ROOM)
    assert opened(data)["size"] == (64, 96)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(data)
    (shown,) = still(copy, [0.2], height=96)
    assert colours(np.array(Image.open(io.BytesIO(shown)))) == "brwg"


def test_a_large_sound_is_copied_smaller(tmp_path):
    path = save(tmp_path / "a.wav", tone(440, 20.0))
    data, kind = proxy(path, 300_000)
    assert kind == "audio/mp4" and len(data) < 300_000 < path.stat().st_size
    assert opened(data)["codecs"] == {"audio": "aac"}
    assert opened(data)["seconds"] == pytest.approx(20, abs=0.1)


def test_what_cannot_become_small_enough_is_told_before_anything_is_written(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mkv", [grey(k % 30) for k in range(40)], codec="ffv1", sound=4.0)
    wrote = []
    of = proxies._copied
    monkeypatch.setattr(proxies, "_copied", lambda *given: wrote.append(given) or of(*given))
    assert proxy(path, 50_000) is None
    assert wrote == []
    data, _ = proxy(path, 150_000)
    assert len(data) <= 150_000 and len(wrote) == 1
    assert proxy(save(tmp_path / "b.wav", tone(440, 60.0)), 100_000) is None
    monkeypatch.setattr(proxies, "_copied", of)
    rng = np.random.default_rng(0)
    noise = film(tmp_path / "noise.mkv", [rng.integers(0, 255, (180, 320, 3), np.uint8) for _ in range(20)], rate=10)
    made = proxy(noise, 40_000)
    assert made is None or len(made[0]) <= 40_000


def test_where_nothing_encodes_there_is_no_copy(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mkv", [grey(k) for k in range(5)])
    monkeypatch.setattr(proxies, "_CODEC", "no-such-codec")
    assert proxy(path, ROOM) is None


def test_what_is_no_recording_says_so(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind" * 50)
    for one in (tmp_path / "a.mp4", tmp_path / "gone.mp4"):
        with pytest.raises(UnreadableError):
            proxy(one, ROOM)
    with pytest.raises(UnreadableError, match="no moving pictures"):
        still(save(tmp_path / "a.wav", tone(440, 1.0)), [0.0])


@pytest.mark.parametrize("times", [None, [0, 0.05, 0.1, 0.9, 0.95, 1.0, 1.05, 2.5, 2.6, 2.7]])
def test_stills_are_the_frames_nearest_to_their_seconds(tmp_path, times):
    rate = 10
    shown = np.array(times if times else np.arange(33) / rate)
    pages = [grey(3 * k if times else k, (128, 96)) for k in range(len(shown))]
    path = film(tmp_path / "a.mp4", pages, times, rate=rate, options={"g": "5", "bf": "2"})
    wanted = [0.0, 0.04, 0.16, 0.93, 2.51, 1.7, 0.46, 99.0]
    pictures = still(path, wanted, height=48)
    for second, data in zip(wanted, pictures, strict=True):
        assert data[:3] == b"\xff\xd8\xff"
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (48, 64, 3)
        near = int(np.argmin(np.abs(shown - second)))
        assert number(picture) == (3 * near if times else near)
    assert still(path, []) == []
