"""Films as Frames: upright RGB pictures at a chosen rate, decoded while their blocks are asked for.

Any container and codec of PyAV (H.264, HEVC, VP9, AV1 ...), and GIF and APNG that move. Frames stand at their true
times, from the start of the container, as its sound does; which frame stands at which tick is in `media.picking`.
Frames keep their size, turned as the film says, with square pixels; large ones come in blocks of few (32 MB), so that
a film of any length and size takes little memory. Knows what the headers say, and looks whether the first
frame decodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.signal import Block, Frames, Times
from affetto.media.containers import Source, checked, name, opened, rest_of, seconds
from affetto.media.lengths import Length, Measure
from affetto.media.lines import clean
from affetto.media.picking import PIXELS, RATES, USUAL, Shape, frames_of, pictures_of, prepare, shape_of, timed

RATE = 5.0
"""Frames a second that are looked at, where nobody says."""


@dataclass(frozen=True)
class Film:
    """The moving pictures of a file."""

    frames: Frames
    length: Length
    """When the last picture ends, and whether the file is broken off."""
    count: int
    """Pictures in it; 0 where they were not counted."""
    begins: float
    """When the first is shown, seconds from the start of the file."""
    shape: Shape
    """How they are brought upright."""


def frames(source: Source, rate: float = RATE, *, path: str = "", since: float = 0.0) -> Frames:
    """Return the moving pictures of a file, which are decoded when their blocks are asked for, each time anew.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        rate: frames a second: at second k / rate stands the frame nearest to it. 0: all frames, at their own times,
            which `Frames.timed` gives; `Frames.rate` is then their mean rate.
        path: what to call it where `source` is a callable.
        since: the second from which on frames are given; a leap leads to the key frame before it. `Frames.timed` gives
            true seconds of the file nevertheless.

    Returns:
        Blocks of frames x height x width x 3, uint8 RGB. `duration` is that of the rest from `since` on; NaN where no
        header is to be trusted and the file is too long to be counted.

    Raises:
        UnreadableError: there is no such file, or no moving pictures in it that can be decoded.
    """
    return film(source, rate, path, since).frames


def film(source: Source, rate: float = RATE, path: str = "", since: float = 0.0) -> Film:
    """Return the same as `frames`, with what else is known; same errors."""
    if not (rate == 0 or RATES[0] <= rate <= RATES[1]):
        raise MalformedError(f"a film's rate wants 0 (every frame) or {RATES[0]}..{RATES[1]} a second, not {rate}")
    checked(since)
    called = name(source, path)
    with opened(source, path) as (container, size):
        stream = pictures_of(container)
        if stream is None:
            raise UnreadableError(f"{called} holds no moving pictures; read one that has, or a picture file")
        _check(stream, called)
        mean = float(stream.average_rate or stream.guessed_rate or 0)
        measure = Measure(container, stream, size)
        shape, begin, count = _first(measure, stream, called)
        begin -= seconds(container)
        length = measure.length(called)
    where = clean(path or (str(source) if isinstance(source, str | Path) else ""))
    own = mean if RATES[0] <= mean <= RATES[1] else USUAL
    clock = partial(_timed, source, rate, shape, path, since)
    rest = rest_of(length.seconds, since)
    signal = Frames(where, rate or own, rest, partial(_blocks, clock), (shape.width, shape.height), clock)
    return Film(signal, length, count, begin, shape)


def _timed(
    source: Source, rate: float, shape: Shape, path: str, since: float, block: float
) -> Iterator[tuple[Times, Block]]:
    return timed(source, block, rate, shape, path, since)


def _blocks(clock: Any, block: float) -> Iterator[Block]:
    return (pictures for _, pictures in clock(block))


def _check(stream: Any, called: str) -> None:
    wide, high = stream.codec_context.width, stream.codec_context.height
    if wide * high > PIXELS:
        raise UnreadableError(
            f"{called} says that its frames have {wide:,} x {high:,} pixels; films of at most {PIXELS:,} are read: "
            "make it smaller"
        )


def _first(measure: Measure, stream: Any, called: str) -> tuple[Shape, float, int]:
    """Return shape and time of the first frame, and how many packets there are, where all of them are gone through."""
    prepare(stream)
    shape: Shape | None = None
    begin, count = 0.0, 0
    for packet in measure.packets():
        count += packet.size > 0
        if shape is None:
            for frame in frames_of(packet)[:1]:
                shape, begin = _shape(frame, stream, called), frame.time or 0.0
        if shape is not None and not measure.whole:
            return shape, begin, 0
    if shape is None:
        raise UnreadableError(
            f"{called} holds no picture that can be decoded: it is cut off after its header, or damaged; save it anew"
        )
    return shape, begin, count


def _shape(frame: Any, stream: Any, called: str) -> Shape:
    shape = shape_of(frame, stream)
    if shape.width * shape.height > PIXELS:
        raise UnreadableError(
            f"{called} says that its frames are {shape.width:,} x {shape.height:,} pixels wide and high; its header is "
            "damaged"
        )
    return shape
