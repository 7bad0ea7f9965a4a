"""Compressed film to RGB frames: decoded one by one, put on the film's own clock, and picked at a chosen rate.

At tick k / rate stands the frame nearest to it; but none that is shown more than half a tick later, so that in a pause
of a variable rate the frame before it stays. Before the first frame the picture is black. A damaged frame is left out,
and the one before it stays. Frames that no tick wants are not converted, and where the codec can do without, not even
decoded. Knows frames; knows no Records.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from affetto.core.errors import UnreadableError
from affetto.core.signal import Block, Times
from affetto.media.containers import BROKEN, SPAN, Source, leapt, name, opened, seconds
from affetto.media.decoding import UNSAID, packets

PIXELS = 36_000_000
"""Of the largest frame: 8,192 x 4,352 is the largest of HEVC and AV1."""
BYTES = 1 << 25
"""Of a block, unless one frame alone has more."""
RATES = (0.001, 1000.0)
"""Frames a second that are asked for."""
USUAL = 25.0
"""Frames a second of a film that says none."""
BACK = 0.5
"""Seconds by which a clock may step back before it means that it began anew."""
PAUSE = 3600.0
"""Seconds of the longest pause between two frames."""
_THREADS = 2
_AHEAD = 16
"""Packets that may lie between two frames that follow each other: the largest reordering of H.264 and HEVC."""
_LEAPS = (1.0, 12.0)
"""Seconds before the first frame that is wanted to which a leap goes; the second, where the first ends too late."""
_SAME = 1e-6
"""Seconds by which two times may differ that are one."""
Frame = tuple[float, Any]
"""A second, and PyAV's frame."""


def pictures_of(container: Any) -> Any:
    """Return the stream of moving pictures of a container; None where there is none: the cover of a song is no film."""
    films = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    films = [one for one in films if one.codec_context is not None]
    best = container.streams.best("video")
    return best if best in films else films[0] if films else None


@dataclass(frozen=True)
class Shape:
    """How frames are brought upright."""

    width: int
    """Pixels of what comes out."""
    height: int
    turns: int = 0
    """Quarter turns against the clock, after the flip."""
    flips: bool = False
    """Mirrored, left and right, before it is turned."""

    def __call__(self, frame: Any) -> Block:
        """Return height x width x 3, uint8 RGB; what is transparent is laid on white."""
        wide, high = (self.height, self.width) if self.turns % 2 else (self.width, self.height)
        if any(part.is_alpha for part in frame.format.components):
            layers = frame.reformat(wide, high, "rgba").to_ndarray().astype(np.uint16)
            alpha = layers[:, :, 3:]
            pixels = ((layers[:, :, :3] * alpha + (255 - alpha) * 255 + 127) // 255).astype(np.uint8)
        else:
            pixels = frame.reformat(wide, high, "rgb24").to_ndarray()
        return np.rot90(pixels[:, ::-1] if self.flips else pixels, self.turns)


def shape_of(frame: Any, stream: Any) -> Shape:
    """Return how the frames of a stream are brought upright, by its first: pixels made square, and turned."""
    ratio = float(stream.sample_aspect_ratio or 1) or 1.0
    ratio = ratio if 0.1 < ratio < 10 else 1.0
    wide = max(1, round(frame.width * max(1.0, ratio)))
    high = max(1, round(frame.height / min(1.0, ratio)))
    turns, flips = _turned(frame)
    return Shape(high, wide, turns, flips) if turns % 2 else Shape(wide, high, turns, flips)


def _turned(frame: Any) -> tuple[int, bool]:
    """Return quarter turns against the clock and whether it is mirrored before, as the display matrix says.

    Its first numbers a, b, c, d (16.16) bring (x, y) to (a x + c y, b x + d y), y downwards (ISO/IEC 14496-12, 6.2.2).
    """
    sides = [bytes(side) for side in frame.side_data if side.type.name == "DISPLAYMATRIX"]
    if not sides or len(sides[0]) < 36:
        return 0, False
    a, b, _, c, d = np.frombuffer(sides[0][:20], np.int32).astype(float)
    flips = a * d - b * c < 0
    angle = math.atan2(-b, a) + (math.pi if flips else 0.0)
    return round(angle / (math.pi / 2)) % 4, flips


def timed(
    source: Source, block: float, rate: float, shape: Shape, path: str = "", since: float = 0.0
) -> Iterator[tuple[Times, Block]]:
    """Yield (seconds of n frames, n x height x width x 3).

    Args:
        source: where the film lies.
        block: seconds of a block, at most.
        rate: frames a second; 0: all there are, at their own times.
        shape: how frames are brought upright.
        path: what to call it.
        since: the second from which on frames are given, the same as without it.

    Raises:
        UnreadableError: the file is gone, or has no moving pictures any more.
    """
    room = max(1, BYTES // (shape.width * shape.height * 3))
    times: list[float] = []
    held: list[Block] = []
    last: tuple[Any, Block] | None = None
    for second, frame in picked(source, rate, path, since):
        if times and (len(times) >= room or second >= times[0] + block - _SAME):
            yield np.array(times), np.stack(held)
            times, held = [], []
        if last is None or last[0] is not frame:
            black = np.zeros((shape.height, shape.width, 3), np.uint8)
            last = frame, black if frame is None else shape(frame)
        times.append(second)
        held.append(last[1])
    if times:
        yield np.array(times), np.stack(held)


def nearest(source: Source, second: float, shape: Shape, path: str = "") -> Block:
    """Return the frame of a film that is nearest to a second, the earlier of two that are as near; the last at its end.

    Raises:
        UnreadableError: the file is gone, or no frame of it can be decoded any more.
    """
    with _found(source, path, 0, 0, second) as (frames, _):
        before: Frame | None = None
        for at, frame in frames:
            if at >= second:
                return shape(frame if before is None or at - second < second - before[0] else before[1])
            before = at, frame
    if before is None:
        raise UnreadableError(f"{name(source, path)} holds no picture that can be decoded any more; was it replaced?")
    return shape(before[1])


def picked(source: Source, rate: float, path: str = "", since: float = 0.0) -> Iterator[tuple[float, Any]]:
    """Yield the seconds and PyAV's frames as `timed` picks them; None before the first."""
    first = max(0, math.ceil((since - _SAME) * rate))
    with _found(source, path, rate, first, since) as (frames, clock):
        if rate:
            yield from _ticked(frames, clock, rate, first)
        else:
            yield from (one for one in frames if one[0] >= since - _SAME)


@contextmanager
def _found(
    source: Source, path: str, rate: float, first: int, since: float
) -> Iterator[tuple[Iterator[Frame], "_Clock"]]:
    """Open a film; give its frames, from one at `since` or before, and its clock. It leaps there, where that works."""
    for back in _LEAPS:
        if since > back:
            with opened(source, path) as (container, _):
                stream = _stream(container, source, path)
                clock = _Clock(container, stream, leapt=True)
                if not leapt(container, since - back, stream):
                    continue
                frames = _decoded(container, stream, clock, rate, first)
                begin = next(frames, None)
                if begin is not None and begin[0] <= since + _SAME:
                    yield chain([begin], frames), clock
                    return
    with opened(source, path) as (container, _):
        stream = _stream(container, source, path)
        clock = _Clock(container, stream)
        yield _decoded(container, stream, clock, rate, first), clock


def _stream(container: Any, source: Source, path: str) -> Any:
    stream = pictures_of(container)
    if stream is None:
        raise UnreadableError(f"{name(source, path)} holds no moving pictures any more; was it replaced?")
    return stream


def _ticked(frames: Iterator[Frame], clock: "_Clock", rate: float, at: int) -> Iterator[tuple[float, Any]]:
    """Yield the second of each tick from number `at` on, and the frame that stands there."""
    before = -math.inf
    shown: Any = None
    for second, frame in frames:
        while (tick := at / rate) < second:
            soon = second - tick <= 0.5 / rate and second - tick < tick - before
            yield tick, frame if soon else shown
            at += 1
        before, shown = second, frame
    while shown is not None and (tick := at / rate) < clock.end - _SAME:
        yield tick, shown
        at += 1


class _Clock:
    """Seconds from the start of a container, that never run backwards, and never leap further than the film is long."""

    def __init__(self, container: Any, stream: Any, leapt: bool = False) -> None:
        """Look at the headers; after a leap the first frame that says its time is the first."""
        self.lost = leapt
        """Whether it waits for that frame."""
        self._start = seconds(container)
        said = (container.duration or 0) / av.time_base
        self._said = said if 0 < said < SPAN else 0.0
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        self.step = 1 / rate if RATES[0] <= rate <= RATES[1] else 1 / USUAL
        self._shift = self._last = 0.0
        self.end = 0.0
        """When the last frame ends."""

    def __call__(self, frame: Any) -> float:
        """Return the second of the next frame."""
        second = self.end if frame.time is None else frame.time - self._start - self._shift
        if self.lost and frame.time is not None:
            self.lost, self._last, self.end = False, second, second
        late = second - self.end
        if late > min(PAUSE, max(UNSAID, self._said - self.end)) or second < self._last - BACK:
            self._shift += late
            second = self.end
        second = max(second, self._last)
        lasts = float((frame.duration or 0) * frame.time_base) if frame.time_base else 0.0
        end = second + (lasts if 0 < lasts < UNSAID else self.step)
        self._last, self.end = second, min(end, self._said) if second < self._said else end
        return second

    def of(self, packet: Any) -> float | None:
        """Return when a packet's frame is shown, as far as the packet knows."""
        if packet.pts is None or packet.time_base is None:
            return None
        return float(packet.pts * packet.time_base) - self._start - self._shift


def _decoded(container: Any, stream: Any, clock: _Clock, rate: float, first: int) -> Iterator[Frame]:
    """Yield all frames that a tick from number `first` on may want, in the order of their times."""
    prepare(stream)
    context, skips = stream.codec_context, False
    for packet, wanted in _marked(packets(container, stream), clock, rate, first):
        if skips == wanted:
            skips = not wanted
            context.skip_frame = "NONREF" if skips else "DEFAULT"
        for frame in frames_of(packet):
            second = clock(frame)
            if not clock.lost:
                yield second, frame


def _marked(packets: Iterator[Any], clock: _Clock, rate: float, first: int) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether a tick may want its frame, as the times of the packets around it tell."""
    ahead: deque[Any] = deque()
    times: deque[float] = deque(maxlen=2 * _AHEAD + 1)
    for packet in chain(packets, repeat(None, _AHEAD)):
        ahead.append(packet)
        second = None if packet is None else clock.of(packet)
        if second is not None:
            times.append(second)
        if len(ahead) > _AHEAD and (now := ahead.popleft()) is not None:
            yield now, not rate or _wanted(clock.of(now), times, rate, first)


def _wanted(second: float | None, times: Iterable[float], rate: float, first: int) -> bool:
    """Tell whether a tick from `first` on lies between the middle of a frame and the one before, and the one after."""
    if second is None:
        return True
    before = max((time for time in times if time < second), default=-math.inf)
    after = min((time for time in times if time > second), default=math.inf)
    if math.isinf(before) or math.isinf(after):
        return True
    return max(first, math.ceil(((before + second) / 2 - _SAME) * rate)) <= (after + _SAME) * rate


def prepare(stream: Any) -> None:
    """Set how a stream is decoded: by two threads, and no frame larger than `PIXELS`."""
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = _THREADS
    stream.codec_context.options = {"max_pixels": str(PIXELS)}


def frames_of(packet: Any) -> list[Any]:
    """Return the whole frames of a packet; none where it is damaged."""
    try:
        return [frame for frame in packet.decode() if not frame.is_corrupt and frame.width * frame.height > 0]
    except BROKEN:
        return []
