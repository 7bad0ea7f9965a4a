"""Compressed sound to blocks of numbers: decoded, mixed, resampled, a little at a time.

Channels are mixed to their mean; one that runs against the first (wired the wrong way round) is turned first, so that
the two do not cancel. What the container says was silent (sound that starts late in a film, packets lost on the way)
becomes silence, so that seconds stay seconds. Who begins in the middle leaps there, and hears the same from there on.
Knows samples; knows no Records.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph

from affetto.core.errors import UnreadableError
from affetto.media.containers import BROKEN, SPAN, Source, leapt, name, opened, seconds

Samples = npt.NDArray[np.float32]
RATES = (1000, 1_000_000)
"""Samples a second that a sound may have."""
CHANNELS = 64
"""Channels that a sound may have."""
LONGEST = 600.0
"""Seconds of the longest block."""
GAP = 0.05
"""Seconds by which the clock of a container may be off before it means silence."""
UNSAID = 60.0
"""Seconds of the longest such silence in a file whose header says no duration."""
AGAINST = -0.5
"""Correlation with the first channel below which a channel is turned round: there, half of the power would cancel."""
_ROLL = 1.0
"""Seconds before the first sample that is wanted from which on a decoder, or a resampler, is fed: they look back."""
_PLACED = 48
"""Frames by whose times is told where a leap ended, where those are coarse."""
_FILTER = {"filter_size": "64"}
"""Taps of the resampling filter: flat within 0.01 dB to 7 kHz, aliases below -95 dB (`benchmarks.sound_reading`)."""
_TOP = {"u": 1 << 7, "i2": 1 << 15, "i4": 1 << 31, "i8": 1 << 63}


def sound_of(container: Any, called: str) -> Any:
    """Return the sound stream of a container.

    Raises:
        UnreadableError: it has none, or nobody here knows its codec.
    """
    stream = container.streams.best("audio")
    if stream is None and container.streams.video:
        raise UnreadableError(f"{called} holds pictures only: no sound stream lies in it; read one that has sound")
    if stream is None:
        raise UnreadableError(f"{called} holds no sound stream; check what it is, or save it anew")
    if stream.codec_context is None:
        raise UnreadableError(f"{called} is written with a codec that nobody here knows; convert it to .wav or .flac")
    return stream


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of a stream, to the end or to where the file breaks."""
    try:
        yield from container.demux(stream)
    except BROKEN:
        return


def frames(packet: Any) -> list[Any]:
    """Return the frames of a packet that hold samples; none where it is damaged."""
    try:
        return [frame for frame in packet.decode() if frame.samples and frame.sample_rate]
    except BROKEN:
        return []


def sound(
    source: Source, block: float, rate: int, channels: int | None, path: str = "", since: float = 0.0
) -> Iterator[Samples]:
    """Yield a sound in blocks.

    Args:
        source: where it lies.
        block: seconds of a block, at most `LONGEST`.
        rate: samples a second of what comes out.
        channels: how many channels are kept; None mixes them into one. Where the sound changes its channels on the
            way, each of those kept carries the mix.
        path: what to call it.
        since: the second at which the first sample lies.

    Yields:
        n x channels, -1..1; all of `block` seconds but the last.

    Raises:
        UnreadableError: the file is gone, or has no sound any more.
    """
    size = max(1, round(min(block, LONGEST) * rate))
    held: list[Samples] = []
    count = 0
    for piece in _since(source, rate, channels, path, since):
        held.append(piece)
        count += len(piece)
        if count >= size:
            whole = np.concatenate(held)
            cut = count - count % size
            for at in range(0, cut, size):
                yield whole[at : at + size].copy()
            held, count = [whole[cut:].copy()], count % size
    if count:
        yield np.concatenate(held)


def _since(source: Source, rate: int, channels: int | None, path: str, since: float) -> Iterator[Samples]:
    """Yield pieces from a second on; decoded and resampled from a whole second before, on which all rates meet."""
    begin = max(0, math.floor(since - _ROLL / 2))
    skip = round(since * rate) - begin * rate
    for piece in _even(source, rate, channels, path, begin):
        yield piece[skip:]
        skip = max(0, skip - len(piece))


def _even(source: Source, rate: int, channels: int | None, path: str, begin: int) -> Iterator[Samples]:
    """Yield pieces of one rate and one number of channels."""
    mix = _Mix()
    resampler: _Resampler | None = None
    for given, raw in _gathered(source, path, begin):
        fits = raw.shape[1] == channels
        samples = raw if fits else np.repeat(mix(raw), channels or 1, axis=1)
        if resampler is None or resampler.given != given:
            if resampler is not None:
                yield resampler.rest()
            resampler = _Resampler(given, rate, samples.shape[1])
        yield resampler(samples)
    if resampler is not None:
        yield resampler.rest()


def _gathered(source: Source, path: str, begin: int) -> Iterator[tuple[int, Samples]]:
    """Yield (rate, n x channels) of about half a second each: frames are too small to be worked on one by one."""
    held: list[Samples] = []
    count = rate = wide = 0
    for at, given, whole in _timed(source, path, begin):
        samples = whole[max(0, round((begin - at) * given)) :]
        if not len(samples):
            continue
        if held and (given != rate or samples.shape[1] != wide or 2 * count >= rate):
            yield rate, np.concatenate(held)
            held, count = [], 0
        rate, wide = given, samples.shape[1]
        held.append(samples)
        count += len(samples)
    if held:
        yield rate, np.concatenate(held)


def _timed(source: Source, path: str, begin: int, leap: bool = True) -> Iterator[tuple[float, int, Samples]]:
    """Yield (second, rate, n x channels) of each frame, and of the silence before it; at the latest from `begin` on."""
    with opened(source, path) as (container, _):
        stream = sound_of(container, name(source, path))
        start, said = seconds(container), (container.duration or 0) / av.time_base
        if not (leap and begin > _ROLL):
            yield from _clocked(_heard(container, stream), start, said)
            return
        first, off, _ = _placed(container, stream, start)
        off -= max(0.0, first)  # as much is silence
        if leapt(container, begin - _ROLL):
            _, now, heard = _placed(container, stream, start)
            if now - off <= begin:
                yield from _clocked(heard, start + off, said, now - off)
                return
    yield from _timed(source, path, begin, False)


def _heard(container: Any, stream: Any) -> Iterator[Any]:
    return (frame for packet in packets(container, stream) for frame in frames(packet))


def _placed(container: Any, stream: Any, start: float) -> tuple[float, float, Iterator[Any]]:
    """Return when the first frame from here on begins, as it says and as those after it say, and all these frames.

    The clock of some containers counts milliseconds: there the mean of what several frames say is nearer. It is NaN
    where none says anything.
    """
    held: list[Any] = []
    begun: list[float] = []
    length = 0.0
    coming = _heard(container, stream)
    for frame in coming:
        if frame.time is None and not held:
            continue
        held.append(frame)
        if frame.time is not None:
            begun.append(frame.time - start - length)
        length += frame.samples / frame.sample_rate
        fine = float(stream.time_base) * frame.sample_rate < 2
        if fine or len(held) == _PLACED or abs(begun[-1] - begun[0]) > GAP:
            break
    near = [at for at in begun if abs(at - begun[0]) <= GAP] or [math.nan]
    return near[0], float(np.mean(near)), chain(held, coming)


def _clocked(heard: Iterator[Any], start: float, said: float, now: float = 0.0) -> Iterator[tuple[float, int, Samples]]:
    """Yield (second, rate, n x channels) of each frame, and of the silence before it.

    Args:
        heard: frames.
        start: when the container's clock starts.
        said: seconds that its header says; 0 where it says none.
        now: when the first frame begins; 0: whenever it says.
    """
    shift, begun = 0.0, now > 0
    for frame in heard:
        rate, samples = frame.sample_rate, numbers(frame)
        if not good(rate, samples.shape[1]):
            return
        late = (frame.time - start - shift - now) if frame.time is not None else 0.0
        least = GAP if begun else 0.5 / rate
        if least < late < (said - now if 0 < said < SPAN else UNSAID):
            for n in _seconds(round(late * rate), rate):
                yield now, rate, np.zeros((n, samples.shape[1]), np.float32)
                now += n / rate
        elif abs(late) > GAP:  # the clock jumps
            shift += late
        yield now, rate, samples
        now += len(samples) / rate
        begun = True


def good(rate: int, channels: int) -> bool:
    """Tell whether a rate and a number of channels are those of a sound."""
    return RATES[0] <= rate <= RATES[1] and 1 <= channels <= CHANNELS


def _seconds(n: int, rate: int) -> Iterator[int]:
    while n > 0:
        yield min(n, rate)
        n -= rate


def numbers(frame: Any) -> Samples:
    """Return the samples of a decoded frame, n x channels in -1..1; NaN and infinite ones become 0."""
    array: npt.NDArray[Any] = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(frame.samples, -1)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            array = np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.clip(array, -1, 1), np.float32)
    if array.dtype.kind == "u":
        return (array.astype(np.float32) - _TOP["u"]) / np.float32(_TOP["u"])
    return array.astype(np.float32) / np.float32(_TOP[array.dtype.str[1:]])


class _Mix:
    """Several channels to their mean, each turned to the side of the first, by all that was heard so far."""

    def __init__(self) -> None:
        self._first = self._own = np.zeros(0)

    def __call__(self, samples: Samples) -> Samples:
        wide = samples.shape[1]
        if wide == 1:
            return samples
        if len(self._own) != wide:
            self._first = self._own = np.zeros(wide)
        self._first = self._first + samples[:, 0] @ samples
        self._own = self._own + np.einsum("ij,ij->j", samples, samples)
        signs = np.where(self._first < AGAINST * np.sqrt(self._own[0] * self._own), -1.0, 1.0)
        return np.asarray(samples @ (signs / wide).astype(np.float32))[:, None]


class _Resampler:
    """One rate to another, channel by channel, by the windowed sinc of libswresample; it delays nothing."""

    def __init__(self, given: int, rate: int, channels: int) -> None:
        self.given = given
        self._done = 0
        self._channels = channels
        self._graphs = [_graph(given, rate) for _ in range(channels)] if given != rate else []

    def __call__(self, samples: Samples) -> Samples:
        """Return what is ready after more samples."""
        if not self._graphs:
            return np.clip(samples, -1, 1)
        parts = []
        for graph, channel in zip(self._graphs, samples.T, strict=True):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channel)[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = self.given, self._done, Fraction(1, self.given)
            graph.push(frame)
            parts.append(_pulled(graph))
        self._done += len(samples)
        return np.clip(np.stack(parts, axis=1), -1, 1)

    def rest(self) -> Samples:
        """Return what is still inside."""
        if not self._done:
            return np.zeros((0, self._channels), np.float32)
        for graph in self._graphs:
            graph.push(None)
        return np.clip(np.stack([_pulled(graph) for graph in self._graphs], axis=1), -1, 1)


def _graph(given: int, rate: int) -> Any:
    graph = Graph()
    nodes = (
        graph.add("abuffer", sample_rate=str(given), sample_fmt="flt", channel_layout="mono", time_base=f"1/{given}"),
        graph.add("aresample", sample_rate=str(rate), out_sample_fmt="flt", **_FILTER),
        graph.add("abuffersink"),
    )
    nodes[0].link_to(nodes[1])
    nodes[1].link_to(nodes[2])
    graph.configure()
    return graph


def _pulled(graph: Any) -> Samples:
    parts: list[Samples] = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray()[0])
        except (av.BlockingIOError, EOFError):
            return np.concatenate(parts) if parts else np.zeros(0, np.float32)
