"""Writes a made talk: the film (H.264 and AAC in .mp4), its subtitles (.srt) and its truth (.truth.json).

Knows PyAV and files; draws nothing. Files come into being whole: under another name first.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from affetto.core import plain
from affetto.core.record import Record
from affetto.generate.talk import RATE, Floats

TRUTH = ".truth.json"
"""What the name of the truth ends with."""
Named = Literal["names", "plain", "none"]
"""Whether subtitles say who speaks, or only the words, or are left out."""


def write(
    path: Path, frames: Iterable[npt.NDArray[np.uint8]], rate: float, sound: Floats, truth: Callable[[], Record],
    subtitles: Named = "names",
) -> Path:  # fmt: skip
    """Write a talk; return the film's path.

    Args:
        path: of the film, NAME.mp4; its folder is made where it is not there.
        frames: pictures, height x width x 3, RGB.
        rate: frames a second.
        sound: n at 16 kHz, -1..1.
        truth: gives what is true of it, when all frames are drawn.
        subtitles: with names, without, or none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.stem}.part.mp4")
    film(fresh, frames, rate, sound)
    record = truth()
    if subtitles != "none":
        path.with_suffix(".srt").write_text(srt(record, subtitles == "names"), "utf-8")
    said = json.dumps(plain.from_record(record), ensure_ascii=False, allow_nan=False)
    path.with_suffix(TRUTH).write_text(said + "\n", "utf-8")
    fresh.replace(path)
    return path


def film(path: Path, frames: Iterable[npt.NDArray[np.uint8]], rate: float, sound: Floats) -> None:
    """Write pictures and sound into an .mp4, a second of sound beside each second of pictures."""
    import av  # noqa: PLC0415 - heavy, and whoever only plans a talk needs none

    ticks = Fraction(rate).limit_denominator(1000)
    with av.open(str(path), "w") as container:
        stream: Any = None
        voice: Any = container.add_stream("aac", rate=RATE, layout="mono")
        heard = _seconds(sound)
        for number, pixels in enumerate(frames):
            if stream is None:
                stream = container.add_stream("libx264", rate=ticks, options={"preset": "veryfast", "crf": "22"})
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            if number % max(1, round(rate)) == 0:
                _sounded(container, voice, next(heard, None))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = number, 1 / ticks
            container.mux(stream.encode(frame))
        for rest in heard:
            _sounded(container, voice, rest)
        if stream is not None:
            container.mux(stream.encode())
        container.mux(voice.encode())


def srt(record: Record, names: bool = True) -> str:
    """Return the turns as subtitles.

    >>> from affetto.core.record import Turn
    >>> from affetto.core.span import Span
    >>> print(srt(Record("1", turns=(Turn("Ann", Span(0.5, 2, "s"), "Hi!"),))), end="")
    1
    00:00:00,500 --> 00:00:02,000
    Ann: Hi!
    """
    cues = [
        f"{k}\n{_stamp(turn.span.start)} --> {_stamp(turn.span.end)}\n{turn.speaker + ': ' if names else ''}{turn.text}"
        for k, turn in enumerate((turn for turn in record.turns if turn.span), 1)
        if turn.span
    ]
    return "\n\n".join(cues) + "\n"


def _stamp(second: float) -> str:
    whole = round(second * 1000)
    hours, minutes, seconds = whole // 3_600_000, whole // 60_000 % 60, whole // 1000 % 60
    return f"{hours:02}:{minutes:02}:{seconds:02},{whole % 1000:03}"


def _seconds(sound: Floats) -> Iterator[tuple[int, Floats]]:
    for at in range(0, len(sound), RATE):
        yield at, np.ascontiguousarray(sound[at : at + RATE], np.float32)


def _sounded(container: Any, voice: Any, part: tuple[int, Floats] | None) -> None:
    import av  # noqa: PLC0415

    if part is None:
        return
    at, samples = part
    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
    container.mux(voice.encode(frame))
