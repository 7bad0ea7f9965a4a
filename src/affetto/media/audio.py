"""Sound of any container and codec as a Record: one channel at 16 kHz, decoded while its blocks are asked for.

Knows what the headers say, and looks whether it is so; the decoding itself is in `media.decoding`. What cannot be
decoded in the middle is silent or left out, and the sound ends where the file breaks: no error comes from that, and
`meta["warning"]` says so where it can be known beforehand. Of films it reads the sound.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.media import cues
from affetto.media.containers import BROKEN, SPAN, Source, name, opened, seconds
from affetto.media.decoding import RATES, frames, good, numbers, packets, sound, sound_of
from affetto.media.lines import clean

RATE = 16000
"""Samples a second that the models here want."""
COUNTED = 1 << 22
"""Bytes up to which a file is gone through, undecoded, to count its seconds."""
COUNTED_UNSTATED = 1 << 26
"""The same of a container whose header states none."""
SLACK = 0.15
"""Seconds by which a header may differ from what was counted: codecs pad both ends."""
_SHORT = 0.5
"""Seconds that may be missing at the end of a file before it is called broken off."""
_TAIL = 2.0
"""Seconds before the end to which a long file is searched for its last packet."""
_STATED = {"ogg", "flac", "wav", "w64", "aiff", "au", "caf", "mov", "matroska", "webm", "asf", "avi"}
"""Containers whose headers state a duration; those of others (.mp3, .aac) are guesses from the rate of bits."""


@dataclass(frozen=True)
class _Facts:
    channels: int
    duration: float
    texts: bool
    """Whether subtitles lie inside."""
    warning: str


def audio(source: Source, *, channels: bool = False, rate: int = RATE, path: str = "") -> Audio:
    """Return the sound of a file, which is decoded when its blocks are asked for, each time from the beginning.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        channels: keep its channels; by default they are mixed to one, their mean. (A channel that is another's
            negative is turned first, so that they do not cancel.)
        rate: samples a second of the blocks, whatever the file has.
        path: what to call it where `source` is a callable.

    Returns:
        Blocks are samples x channels, float32 in -1..1; what lies beyond is cut off, NaN and infinite samples are 0. A
        packet that is damaged is silent where the container keeps time, or else left out; the sound ends where the
        file breaks. `duration` is NaN where no header is to be trusted and the file is too long to be counted.

    Raises:
        UnreadableError: there is no such file, or no sound in it that can be decoded.
    """
    _checked(rate)
    return _audio(source, _facts(source, path), channels, rate, path)


def read_audio(
    source: Source,
    speakers: str | Sequence[str] | None = None,
    *,
    id: str | None = None,
    turns: bool = True,
    rate: int = RATE,
    path: str = "",
) -> Record:
    """Return a file of sound, or the sound of a film, as a Record.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        speakers: `channels`: each channel is somebody's, and is kept; or the names of those who speak, one a channel.
            They come as `meta["speakers"]`. By default the channels are mixed to one.
        id: its name; by default that of the file without its suffix.
        turns: read the subtitles beside it (same name, .srt or .vtt) or else inside it as its turns.
        rate: samples a second of the blocks.
        path: what to call it where `source` is a callable.

    Returns:
        One Audio; `meta` holds `path`, and where there is such: `speakers`, `subtitles` (where they lie) and `warning`.

    Raises:
        UnreadableError: there is no such file, or no sound in it that can be decoded.
        MalformedError: there are not as many speakers as channels.
    """
    _checked(rate)
    facts = _facts(source, path)
    meta: dict[str, Any] = {"path": _where(source, path)}
    if speakers is not None:
        meta["speakers"] = _speakers(speakers, facts.channels, name(source, path))
    warnings = [facts.warning] if facts.warning else []
    said, found = cues.beside(Path(source)) if turns and isinstance(source, str | Path) else ((), {})
    if turns and not said:
        warnings += [found["warning"]] if "warning" in found else []
        said, found = cues.inside(source, path) if facts.texts else ((), {})
    if warnings:
        meta["warning"] = "; ".join(warnings)
    called = id if id is not None else Path(meta["path"]).stem or "sound"
    signal = _audio(source, facts, speakers is not None, rate, path)
    return Record(called, (signal,), said, meta=meta | found)


def _audio(source: Source, facts: _Facts, channels: bool, rate: int, path: str) -> Audio:
    kept = facts.channels if channels else None
    opener = partial(sound, source, rate=rate, channels=kept, path=path)
    return Audio(_where(source, path), float(rate), facts.duration, opener, kept or 1)


def _where(source: Source, path: str) -> str:
    return clean(path or (str(source) if isinstance(source, str | Path) else ""))


def _checked(rate: int) -> None:
    if rate != int(rate) or not RATES[0] <= rate <= RATES[1]:
        raise MalformedError(f"rate wants a whole number of samples a second in {RATES[0]}..{RATES[1]}, not {rate}")


def _speakers(speakers: str | Sequence[str], channels: int, called: str) -> list[str]:
    if speakers == "channels":
        return [f"speaker {k}" for k in range(1, channels + 1)]
    names = [speakers] if isinstance(speakers, str) else list(speakers)
    if len(names) != channels or len(set(names)) < channels:
        raise MalformedError(
            f"{called} has {channels} channel{'s' * (channels > 1)}, so speakers wants as many different names, "
            f"or 'channels', not {names!r:.200}"
        )
    return names


def _facts(source: Source, path: str) -> _Facts:
    """Look into a file: does it decode, how many channels has it, how long is it, are there subtitles inside."""
    called = name(source, path)
    with opened(source, path) as (container, size):
        stream = sound_of(container, called)
        stated = not _STATED.isdisjoint(container.format.name.split(","))
        whole = size <= (COUNTED if stated else COUNTED_UNSTATED)
        channels, counted = _first(container, stream, called, whole)
        said = _said(container, stream)
        if not whole:
            counted = _tail(container, stream, said) if stated else math.nan
        texts = bool(container.streams.subtitles)
    short = stated and not math.isnan(said) and not counted > said - _SHORT
    duration = said if stated and abs(said - counted) <= SLACK else counted
    warning = f"{called} is broken off: it ends before the {said:.1f} s that its header says" if short else ""
    return _Facts(channels, duration, texts, warning)


def _first(container: Any, stream: Any, called: str, whole: bool) -> tuple[int, float]:
    """Return the channels of the first frame, and if the whole is gone through, the seconds at which it ends."""
    channels, last = 0, None
    for packet in packets(container, stream):
        last = packet if packet.pts is not None else last
        frame = None if channels else next(iter(frames(packet)), None)
        if frame is not None:
            channels = numbers(frame).shape[1]
            if not good(frame.sample_rate, channels):
                raise UnreadableError(
                    f"{called} says that it has {frame.sample_rate:,} samples a second and channels: {channels}, which "
                    "is no sound; its header is damaged"
                )
        if channels and not whole:
            break
    if not channels:
        raise UnreadableError(
            f"{called} holds no sound that can be decoded: it is cut off after its header, or damaged; save it anew"
        )
    return channels, math.nan if last is None else _end(last, container)


def _end(packet: Any, container: Any) -> float:
    """Return the seconds at which a packet ends, from the start of the container; NaN where that is nonsense."""
    end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - seconds(container)
    return end if 0 <= end < SPAN else math.nan


def _said(container: Any, stream: Any) -> float:
    """Return the seconds that the headers state, from the start of the container; NaN where they state none."""
    if stream.duration is not None:
        start = float((stream.start_time or 0) * stream.time_base) - seconds(container)
        said = start + float(stream.duration * stream.time_base)
    else:
        said = (container.duration or 0) / av.time_base
    return said if 0 < said < SPAN else math.nan


def _tail(container: Any, stream: Any, said: float) -> float:
    """Return the seconds at which the last packet ends, after a leap to where it should lie; NaN if none is there."""
    if math.isnan(said):
        return math.nan
    try:
        container.seek(int(max(0.0, said - _TAIL + seconds(container)) * av.time_base))
    except BROKEN:
        return math.nan
    return max((_end(one, container) for one in packets(container, stream) if one.pts is not None), default=math.nan)
