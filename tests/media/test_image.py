import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import UnreadableError
from affetto.core.signal import Audio, Frames, Image
from affetto.media import files, image
from affetto.media.image_headers import header
from tests.films import colours, film, grey, quarters
from tests.voices import save, tone

SUFFIXES = tuple(
    suffix
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".tif", ".gif", ".avif", ".jp2", ".ppm")
    if cv2.haveImageWriter(f"a{suffix}")
)
"""What this build of OpenCV writes: AVIF and GIF not before 4.12."""
SIDEWAYS = {1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"}
"""EXIF orientation -> how `quarters()` is to be seen."""


def read(path, content=None):
    if content is not None:
        path.write_bytes(content)
    return next(files.read(path))


def seen(path, content=None):
    (signal,) = read(path, content).signals
    assert isinstance(signal, Image) and signal.size == signal.pixels.shape[1::-1]
    return signal.pixels


def encoded(suffix, pixels, *options):
    good, content = cv2.imencode(
        suffix, pixels if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]], options
    )
    assert good
    return content.tobytes()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def exif(orientation, order="<"):
    """Return the EXIF of one tag."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def turned(kind, orientation):
    """Return a picture that says how it lies."""
    whole = encoded({"jpeg": ".jpg", "png": ".png", "webp": ".webp"}[kind], quarters())
    if kind == "jpeg":
        said = b"Exif\0\0" + exif(orientation, ">" if orientation % 2 else "<")
        return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said + whole[2:]
    if kind == "png":
        return whole[:33] + chunk(b"eXIf", exif(orientation)) + whole[33:]
    said = exif(orientation)
    size = b"".join((side - 1).to_bytes(3, "little") for side in (96, 64))
    body = b"VP8X" + struct.pack("<II", 10, 8)[:8] + size + whole[12:] + b"EXIF" + struct.pack("<I", len(said)) + said
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pictures_are_rgb_whatever_they_are_called(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    record = read(path, encoded(suffix, quarters()))
    (signal,) = record.signals
    assert (record.id, record.meta, signal.path, signal.size) == ("a", {"path": str(path)}, str(path), (96, 64))
    assert signal.pixels.dtype == np.uint8 and colours(signal.pixels) == "rgbw"
    assert colours(seen(path.rename(tmp_path / "other.mp4"))) == "rgbw"
    about = header(encoded(suffix, quarters()))
    assert (about.width, about.height) == (96, 64)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("orientation", SIDEWAYS)
def test_pictures_are_turned_upright(tmp_path, kind, orientation):
    pixels = seen(tmp_path / "a.jpg", turned(kind, orientation))
    assert colours(pixels) == SIDEWAYS[orientation]
    assert pixels.shape == ((96, 64, 3) if orientation > 4 else (64, 96, 3))


def test_grey_alpha_16_bits_and_numbers_become_rgb_of_8_bits(tmp_path):
    level = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(seen(tmp_path / "a.png", encoded(".png", level)), np.stack([level] * 3, 2))
    high = (level.astype(np.uint16) * 257)[:, :, None].repeat(3, 2)
    for suffix in (".png", ".tif"):
        assert np.array_equal(seen(tmp_path / f"b{suffix}", encoded(suffix, high))[:, :, 1], level)
    for top in (1.0, 255.0, 65535.0, 1e6):
        numbers = (level / 255 * top).astype(np.float32)
        found = seen(tmp_path / "c.tif", encoded(".tif", numbers))
        assert np.abs(found[:, :, 0].astype(int) - level).max() <= 1
    glass = np.dstack([quarters((16, 16)), level])
    for kind in (".png", ".tif", ".webp"):
        found = seen(
            tmp_path / f"d{kind}", encoded(kind, glass, *((cv2.IMWRITE_WEBP_QUALITY, 101) if kind == ".webp" else ()))
        )
        part = level[:, :, None] / 255
        expected = np.where(part > 0, quarters((16, 16)) * part + 255 * (1 - part), 255)
        assert np.abs(found - expected).max() <= 1.01


def test_palette_and_cmyk_are_those_of_pillow(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    whole = pillow.fromarray(np.asarray(cv2.resize(quarters(), (90, 60), interpolation=cv2.INTER_CUBIC)))
    for mode, form in (
        ("P", "PNG"),
        ("P", "GIF"),
        ("P", "TIFF"),
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("LA", "PNG"),
        ("1", "PNG"),
    ):
        made = whole.convert(mode)
        content = io.BytesIO()
        made.save(content, form)
        expected = np.asarray(made.convert("RGB"), float)
        assert np.abs(seen(tmp_path / f"a.{form.lower()}", content.getvalue()) - expected).mean() < 1.5, (mode, form)
    for form in ("AVIF", "TIFF") if ".avif" in SUFFIXES else ("TIFF",):
        content, tag = io.BytesIO(), pillow.Exif()
        tag[274] = 6
        pillow.fromarray(quarters()).save(content, form, exif=tag)
        assert colours(seen(tmp_path / f"b.{form.lower()}", content.getvalue())) == SIDEWAYS[6]


def test_a_picture_that_moves_is_a_film(tmp_path):
    path = film(tmp_path / "a.gif", [grey(k) for k in range(3)], codec="gif")
    (signal,) = read(path).signals
    assert isinstance(signal, Frames) and signal.size == (64, 64)
    (still,) = read(film(tmp_path / "b.gif", [grey(5)], codec="gif")).signals
    assert isinstance(still, Image) and still.pixels.shape == (64, 64, 3)
    pillow = pytest.importorskip("PIL.Image")
    first, *rest = [pillow.fromarray(grey(k)) for k in range(3)]
    for form in ("WEBP", "AVIF") if ".avif" in SUFFIXES else ("WEBP",):
        content = io.BytesIO()
        first.save(content, form, save_all=True, append_images=rest, duration=100)
        record = read(tmp_path / f"c.{form.lower()}", content.getvalue())
        assert isinstance(record.signals[0], Image) and "only its first picture" in record.meta["warning"]


def test_large_pictures_are_read_and_too_large_ones_refused_before_they_are_decoded(tmp_path, monkeypatch):
    eight = np.zeros((4320, 7680, 3), np.uint8)
    assert read(tmp_path / "8k.jpg", encoded(".jpg", eight)).signals[0].size == (7680, 4320)
    bomb = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + bomb + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableError, match=r"60,000 x 60,000 pixels.*make it smaller"):
        read(tmp_path / "bomb.png", bomb)
    liar = bytearray(encoded(".jpg", quarters()))
    at = liar.index(b"\xff\xc0")
    liar[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(UnreadableError, match="65,535 x 65,535"):
        read(tmp_path / "bomb.jpg", bytes(liar))
    monkeypatch.setattr(image, "PIXELS", 96 * 64 // 3)
    record = read(tmp_path / "a.jpg", encoded(".jpg", quarters()))
    assert record.signals[0].size == (48, 32) and "read at 1/2 of its size" in record.meta["warning"]
    assert colours(record.signals[0].pixels) == "rgbw"
    with pytest.raises(UnreadableError, match="96 x 64"):
        read(tmp_path / "a.png", encoded(".png", quarters()))
    monkeypatch.setattr(image, "BYTES", 10)
    with pytest.raises(UnreadableError, match="at most 10 is read"):
        read(tmp_path / "a.png")


SAID = {
    "empty.png": (b"", "is empty"),
    "text.jpg": (b"Dear diary, " * 99, "no picture, film or sound inside"),
    "start.jpg": (b"\xff\xd8\xff\xe0", "says no size"),
    "start.png": (b"\x89PNG\r\n\x1a\n", "says no size|broken off|damaged"),
    "cut.png": (encoded(".png", quarters())[:-40], "broken off"),
    "cut.webp": (encoded(".webp", quarters())[:-40], "broken off or damaged"),
    "cut.tif": (encoded(".tif", quarters())[:150], "broken off or damaged|says no size"),
    "cut.bmp": (encoded(".bmp", quarters())[:900], "broken off or damaged"),
    "cut.ppm": (encoded(".ppm", quarters())[:900], "broken off or damaged"),
    "hurt.png": (encoded(".png", quarters())[:-30] + b"x" + encoded(".png", quarters())[-29:], "damaged"),
    **{
        f"cut{kind}": (encoded(kind, quarters())[:60], "broken off or damaged")
        for kind in (".gif", ".avif")
        if kind in SUFFIXES
    },
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC picture.*save it as"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_no_picture_is_said_in_one_sentence(tmp_path, name, capfd):
    content, why = SAID[name]
    with pytest.raises(UnreadableError, match=why) as caught:
        read(tmp_path / name, content)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_is_broken_off_is_read_as_far_as_it_goes(tmp_path):
    whole = encoded(".jpg", np.random.default_rng(2).integers(0, 255, (200, 100, 3), np.uint8))
    record = read(tmp_path / "a.jpg", whole[: len(whole) // 2])
    assert "broken off" in record.meta["warning"]
    pixels, complete = record.signals[0].pixels, seen(tmp_path / "b.jpg", whole)
    assert np.array_equal(pixels[:80], complete[:80]) and not np.array_equal(pixels[-40:], complete[-40:])


def test_a_picture_is_decoded_when_it_is_looked_at(tmp_path):
    path = tmp_path / "a.png"
    signal = read(path, encoded(".png", quarters())).signals[0]
    path.unlink()
    with pytest.raises(UnreadableError, match="no file"):
        _ = signal.pixels
    with pytest.raises(UnreadableError, match="stdin cannot be read as a sound, film or picture"):
        files.read("-", suffix=".jpg")


@given(st.sampled_from(SUFFIXES), st.integers(0, 2**32 - 1), st.integers(0, 400), st.binary(max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_bytes_break_the_reader(tmp_path_factory, suffix, seed, at, rubbish):
    whole = bytearray(encoded(suffix, quarters()))
    at = at % len(whole)
    whole[at : at + len(rubbish)] = rubbish
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    try:
        record = read(path, bytes(whole[: seed % (2 * len(whole)) + 1]))
    except UnreadableError as error:
        assert "\n" not in str(error)
        return
    for signal in record.signals:
        if isinstance(signal, Image):
            assert signal.pixels.size


def test_a_folder_has_sounds_films_and_pictures(tmp_path):
    home = tmp_path / "all"
    home.mkdir()
    save(home / "a.wav", tone(300, 0.1))
    film(home / "b.mp4", [grey(0)] * 12)
    (home / "c.jpg").write_bytes(encoded(".jpg", quarters()))
    (home / "d.png").write_bytes(b"no")
    film(home / "e.mp4", [grey(0)] * 12).rename(home / "e.jpg")
    records = list(files.read(home, frames_rate=10))
    kinds = [[type(one) for one in record.signals] for record in records]
    assert [record.id for record in records] == ["a", "b", "c", "d", "e"]
    assert kinds == [[Audio], [Frames], [Image], [], [Frames]] and records[1].signals[0].rate == 10
    assert "d.png" in records[3].meta["error"]
