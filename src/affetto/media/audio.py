"""Sound of any container and codec as a Record: one channel at 16 kHz, decoded while its blocks are asked for.

Knows what the headers say, and looks whether it is so; the decoding itself is in `media.decoding`. What cannot be
decoded in the middle is silent or left out, and the sound ends where the file breaks: no error comes from that, and
`meta["warning"]` says so where it can be known beforehand. Of films it reads the sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.media import cues
from affetto.media.containers import Source, checked, name, opened, rest_of, seconds
from affetto.media.decoding import RATES, frames, good, numbers, sound, sound_of
from affetto.media.lengths import Length, Measure
from affetto.media.lines import clean

RATE = 16000
"""Samples a second that the models here want."""


@dataclass(frozen=True)
class Facts:
    """What is known of a sound before it is decoded."""

    channels: int
    texts: bool
    """Whether subtitles lie inside."""
    length: Length
    begins: float
    """When the sound begins, seconds from the start of the file."""


def audio(source: Source, *, channels: bool = False, rate: int = RATE, path: str = "", since: float = 0.0) -> Audio:
    """Return the sound of a file, which is decoded when its blocks are asked for, each time from the beginning.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        channels: keep its channels; by default they are mixed to one, their mean. (A channel that is another's
            negative is turned first, so that they do not cancel.)
        rate: samples a second of the blocks, whatever the file has.
        path: what to call it where `source` is a callable.
        since: the second of the file at which the first sample lies; a leap leads there.

    Returns:
        Blocks are samples x channels, float32 in -1..1; what lies beyond is cut off, NaN and infinite samples are 0. A
        packet that is damaged is silent where the container keeps time, or else left out; the sound ends where the
        file breaks. `duration` is that of the rest from `since` on; NaN where no header is to be trusted and the file
        is too long to be counted.

    Raises:
        UnreadableError: there is no such file, or no sound in it that can be decoded.
    """
    _checked(rate)
    checked(since)
    return _audio(source, facts_of(source, path), channels, rate, path, since)


def read_audio(
    source: Source,
    speakers: str | Sequence[str] | None = None,
    *,
    id: str | None = None,
    turns: bool = True,
    rate: int = RATE,
    path: str = "",
    since: float = 0.0,
    facts: Facts | None = None,
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
        since: as in `audio`; turns keep their seconds from the start of the file.
        facts: what is known of it, where somebody has looked.

    Returns:
        One Audio; `meta` holds `path`, and where there is such: `since`, `speakers`, `subtitles` (where they lie) and
        `warning`.

    Raises:
        UnreadableError: there is no such file, or no sound in it that can be decoded.
        MalformedError: there are not as many speakers as channels.
    """
    _checked(rate)
    checked(since)
    facts = facts or facts_of(source, path)
    meta: dict[str, Any] = {"path": _where(source, path)} | ({"since": since} if since else {})
    if speakers is not None:
        meta["speakers"] = _speakers(speakers, facts.channels, name(source, path))
    said, found = cues.turns(source, path, facts.texts) if turns else ((), {})
    warnings = [one for one in (facts.length.warning, found.pop("warning", "")) if one]
    if warnings:
        meta["warning"] = "; ".join(warnings)
    called = id if id is not None else Path(meta["path"]).stem or "sound"
    signal = _audio(source, facts, speakers is not None, rate, path, since)
    return Record(called, (signal,), said, meta=meta | found)


def _audio(source: Source, facts: Facts, channels: bool, rate: int, path: str, since: float) -> Audio:
    kept = facts.channels if channels else None
    opener = partial(sound, source, rate=rate, channels=kept, path=path, since=since)
    return Audio(_where(source, path), float(rate), rest_of(facts.length.seconds, since), opener, kept or 1)


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


def facts_of(source: Source, path: str) -> Facts:
    """Look into a file: does it decode, how many channels has it, how long is it, are there subtitles inside.

    Raises:
        UnreadableError: there is no such file, or no sound in it that can be decoded.
    """
    called = name(source, path)
    with opened(source, path) as (container, size):
        stream = sound_of(container, called)
        measure = Measure(container, stream, size)
        begin, channels = _first(measure, called)
        begin -= seconds(container)
        length = measure.length(called)
        texts = bool(container.streams.subtitles)
    return Facts(channels, texts, length, begin)


def _first(measure: Measure, called: str) -> tuple[float, int]:
    """Return time and channels of the first frame; all packets are gone through where they are to be counted."""
    channels, begin = 0, 0.0
    for packet in measure.packets():
        frame = None if channels else next(iter(frames(packet)), None)
        if frame is not None:
            channels, begin = numbers(frame).shape[1], frame.time or 0.0
            if not good(frame.sample_rate, channels):
                raise UnreadableError(
                    f"{called} says that it has {frame.sample_rate:,} samples a second and channels: {channels}, which "
                    "is no sound; its header is damaged"
                )
        if channels and not measure.whole:
            break
    if not channels:
        raise UnreadableError(
            f"{called} holds no sound that can be decoded: it is cut off after its header, or damaged; save it anew"
        )
    return begin, channels
