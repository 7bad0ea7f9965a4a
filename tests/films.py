"""Made films for tests: each frame is one grey that says its number, so that any codec leaves it to be read."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

STEP = 7
"""Levels of grey from one frame to the next; from 10 on."""
TICKS = 1000
"""Ticks a second of the clock that frames are given."""


def grey(number: int, size: tuple[int, int] = (64, 64)) -> np.ndarray:
    """Return frame `number` (0..33) of a film."""
    return np.full((size[1], size[0], 3), 10 + STEP * number, np.uint8)


def number(pixels: np.ndarray) -> int:
    """Return which frame of a film a picture is; -1 for black."""
    return round((float(pixels.mean()) - 10) / STEP)


def quarters(size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """Return a picture whose upper left quarter is red, upper right green, lower left blue, lower right white."""
    wide, high = size
    pixels = np.full((high, wide, 3), 255, np.uint8)
    pixels[: high // 2, : wide // 2] = (255, 0, 0)
    pixels[: high // 2, wide // 2 :] = (0, 255, 0)
    pixels[high // 2 :, : wide // 2] = (0, 0, 255)
    return pixels


def colours(pixels: np.ndarray) -> str:
    """Return the colours of the quarters of a picture, row by row: `rgbw` for `quarters()`."""
    high, wide = pixels.shape[:2]
    found = ""
    for y in (high // 4, 3 * high // 4):
        for x in (wide // 4, 3 * wide // 4):
            bright = pixels[y, x] > 127
            found += {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}.get(tuple(map(int, bright)), "?")
    return found


def film(path: Path, frames, times=None, codec="libx264", rate=10, sound=0.0, turned=None, options=None, ratio=None):
    """Write a film.

    Args:
        path: the suffix names the container.
        frames: pictures, height x width x 3.
        times: the second of each; by default 1 / rate apart.
        codec: as PyAV calls it.
        rate: frames a second.
        sound: seconds of a tone beside it; 0: none.
        turned: nine numbers of a display matrix.
        options: of the codec.
        ratio: width of a pixel by its height.
    """
    times = [k / rate for k in range(len(frames))] if times is None else times
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = {"gif": "rgb8", "apng": "rgb24", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        if turned is not None:
            stream.set_display_matrix(turned)
        if ratio is not None:
            stream.codec_context.sample_aspect_ratio = ratio
        voice = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        for second, pixels in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels)
            frame.pts, frame.time_base = round(second * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if voice:
            hum = 0.3 * np.sin(np.arange(int(sound * 16000)) * 2 * np.pi * 440 / 16000)
            heard = av.AudioFrame.from_ndarray(hum[None].astype(np.float32), format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 16000, 0, Fraction(1, 16000)
            container.mux([*voice.encode(heard), *voice.encode()])
    return path
