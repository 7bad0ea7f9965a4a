"""What a browser can play of a recording: the file itself, or a small copy of it; and small pictures of its moments.

A copy is H.264 (yuv420p, upright, square pixels) and AAC in an .mp4, so that every browser plays it. Knows what
browsers play, and how large a copy becomes; shows nothing itself.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from affetto.core.errors import UnreadableError
from affetto.core.signal import Audio, Block
from affetto.media.audio import audio
from affetto.media.containers import bytes_of, name, opened
from affetto.media.picking import Shape, nearest, picked, pictures_of
from affetto.media.video import Film, film

_BROWSER = {
    "mov": ("video/mp4", "audio/mp4", {"h264"}, {"aac", "mp3"}),
    "webm": ("video/webm", "audio/webm", {"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
    "mp3": ("", "audio/mpeg", set(), {"mp3"}),
    "wav": ("", "audio/wav", set(), {"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"}),
    "ogg": ("", "audio/ogg", set(), {"vorbis", "opus", "flac"}),
    "flac": ("", "audio/flac", set(), {"flac"}),
}
"""Container -> its kind as a film and as a sound; codecs of pictures, and of sound, that browsers play in it."""
_PLAIN = ("yuv420p", "yuvj420p")
"""How the pixels of what browsers play lie: 8 bits, halved colours."""
_SOUND = 64_000
"""Bits a second of the sound of a copy."""
_CODER: dict[str, Any] = {"aac_coder": "fast"}
"""The encoder's quick way comes nearer to a voice than its usual one (22 dB against 16), and lets no tone crackle."""
_RATE = 48_000
"""Samples a second of it."""
_PICTURES = (60_000, 600_000)
"""Bits a second of its pictures: fewer show nothing, more are of no use."""
_CODEC = "libx264"
_QUALITY = "27"
"""Of pictures that need fewer bits (the constant rate factor of x264)."""
_FRAMES = (25.0, 30.0)
"""Frames a second of it; the second of films that have more than `_FAST`."""
_FAST = 27.0
_ROOM = 0.94
"""Share of the bytes that is planned: the container takes some, and bits a second are kept only on average."""
_BLOCK = 1.0
"""Seconds that are written at a time, pictures and sound in turn."""


def proxy(path: str | Path, most_bytes: int, height: int = 360) -> tuple[bytes, str] | None:
    """Return what a browser can play of a recording, and its kind such as `video/mp4`.

    Args:
        path: a film or a sound.
        most_bytes: how large it may be. A file that is smaller, and that browsers play, comes as it is.
        height: pixels of the shorter side of a copy, at most.

    Returns:
        None where a copy would be larger, or would show nothing any more; and where there is nothing to encode with.

    Raises:
        UnreadableError: there is no such file, or nothing of it can be decoded.
    """
    with opened(path) as (container, size):
        kind = _kind(container, path) if size <= most_bytes else ""
        sounds, films = bool(container.streams.audio), pictures_of(container) is not None
    if kind:
        return bytes_of(path), kind
    heard, shown = _heard(path) if sounds else None, _shown(path) if films else None
    if heard is None and shown is None:
        raise UnreadableError(f"{name(path)} holds neither sound nor pictures that can be decoded; save it anew")
    lasts = [length for length in (heard and heard.duration, shown and shown.length.seconds) if length]
    seconds = max((length for length in lasts if not math.isnan(length)), default=0.0)
    bits = _bits(most_bytes, seconds, heard is not None, shown is not None)
    if bits is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.mp4"
        try:
            _copied(path, copy, heard, shown and _small(shown, height), bits)
        except av.codec.codec.UnknownCodecError:  # of a PyAV that was built without
            return None
        if copy.stat().st_size > most_bytes:
            return None
        return copy.read_bytes(), "video/mp4" if shown else "audio/mp4"


def still(path: str | Path, seconds: Sequence[float], height: int = 120) -> list[bytes]:
    """Return the picture of a film that is nearest to each second, upright, as a small JPEG.

    Args:
        path: a film.
        seconds: from the start of the file; beyond its end stands the last picture.
        height: pixels of the pictures, at most.

    Raises:
        UnreadableError: there is no such file, or no moving pictures in it that can be decoded.
    """
    seen = _small(film(path), height)
    return [_jpeg(nearest(path, second, seen.shape)) for second in seconds]


def _kind(container: Any, path: str | Path) -> str:
    """Return as what browsers play a file as it is; empty where they do not."""
    names = container.format.name.split(",")
    known = "webm" if "matroska" in names and _is_webm(path) else names[0]
    if known not in _BROWSER:
        return ""
    video, audio_kind, films, sounds = _BROWSER[known]
    shown, heard = pictures_of(container), container.streams.best("audio")
    if heard is not None and (heard.codec_context is None or heard.codec_context.codec.canonical_name not in sounds):
        return ""
    if shown is None:
        return audio_kind if heard is not None else ""
    context = shown.codec_context
    return video if context.codec.canonical_name in films and context.pix_fmt in _PLAIN else ""


def _is_webm(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return b"webm" in file.read(64)


def _heard(path: str | Path) -> Audio | None:
    try:
        return audio(path, rate=_RATE)
    except UnreadableError:
        return None


def _shown(path: str | Path) -> Film | None:
    try:
        return film(path, 0)
    except UnreadableError:
        return None


def _bits(most: int, seconds: float, sound: bool, pictures: bool) -> int | None:
    """Return the bits a second of a copy's pictures; None where it would be too large, or nobody knows how long."""
    if seconds <= 0:
        return None
    left = 8 * most * _ROOM / seconds - _SOUND * sound
    if not pictures:
        return 0 if left >= 0 else None
    return None if left < _PICTURES[0] else round(min(left, _PICTURES[1]))


def _small(seen: Film, height: int) -> Film:
    """Return a film with a shape whose shorter side is at most `height`, and whose sides are even."""
    shape = seen.shape
    by = min(1.0, height / min(shape.width, shape.height))
    wide, high = (max(2, 2 * round(by * side / 2)) for side in (shape.width, shape.height))
    return replace(seen, shape=replace(shape, width=wide, height=high))


def _copied(path: str | Path, copy: Path, heard: Audio | None, shown: Film | None, bits: int) -> None:
    """Write a copy: pictures and sound a second at a time, each until it ends."""
    with av.open(str(copy), "w", options={"movflags": "+faststart"}) as out:
        writers = []
        if shown is not None:
            rate = _FRAMES[shown.frames.rate > _FAST]
            drawn = _drawn(out.add_stream(_CODEC, rate=round(rate)), shown.shape, rate, bits)
            writers.append(_pictures(out, drawn, (frame for _, frame in picked(path, rate)), shown.shape))
        if heard is not None:
            said = out.add_stream("aac", rate=_RATE, layout="mono")
            said.bit_rate = _SOUND
            said.options = _CODER
            writers.append(_sound(out, said, heard))
        while writers:
            writers = [one for one in writers if next(one, None)]


def _drawn(stream: Any, shape: Shape, rate: float, bits: int) -> Any:
    """Set how pictures are encoded: as good as they need, and at most so many bits a second."""
    stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, "yuv420p"
    stream.options = {
        "preset": "veryfast",
        "profile": "main",
        "crf": _QUALITY,
        "maxrate": str(bits),
        "bufsize": str(2 * bits),
        "g": str(round(2 * rate)),
    }
    stream.codec_context.thread_count = 2
    return stream


def _pictures(out: Any, stream: Any, frames: Iterator[Any], shape: Shape) -> Iterator[bool]:
    """Write pictures, and yield after each second of them."""
    pace = stream.codec_context.framerate
    last, small = None, _plain(np.zeros((shape.height, shape.width, 3), np.uint8))
    for count, frame in enumerate(frames):
        if frame is not last:
            last, small = frame, _sized(frame, shape)
        small.pts, small.time_base, small.pict_type = count, 1 / pace, PictureType.NONE
        out.mux(stream.encode(small))
        if (count + 1) % pace == 0:
            yield True
    out.mux(stream.encode(None))


def _sized(frame: Any, shape: Shape) -> Any:
    """Return a frame upright and small; one that only wants to be smaller keeps its colours apart, which is faster."""
    if shape.turns or shape.flips or any(part.is_alpha for part in frame.format.components):
        return _plain(shape(frame))
    return frame.reformat(shape.width, shape.height, "yuv420p", interpolation="BILINEAR")


def _plain(pixels: Block) -> Any:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(format="yuv420p")


def _sound(out: Any, stream: Any, heard: Audio) -> Iterator[bool]:
    """Write sound, and yield after each block."""
    count = 0
    for block in heard.blocks(_BLOCK):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, count, Fraction(1, _RATE)
        out.mux(stream.encode(frame))
        count += len(block)
        yield True
    out.mux(stream.encode(None))


def _jpeg(pixels: Block) -> bytes:
    done, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not done:
        raise UnreadableError("a picture of the film cannot be written as a JPEG")
    return data.tobytes()
