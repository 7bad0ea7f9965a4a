"""Any recording as a Record: its content, and not its name, says whether it is a picture, a film or a sound.

A film has its sound and its pictures, in this order; a film without sound its pictures, and a sound its sound alone.
What of a film cannot be read is left out, and `meta["warning"]` says so. Knows who reads what; decodes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.media import cues
from affetto.media.audio import Facts, facts_of, read_audio
from affetto.media.containers import Source, checked, head_of, name, opened
from affetto.media.image import read_image
from affetto.media.image_headers import HEAD, kind_of
from affetto.media.lines import clean
from affetto.media.picking import pictures_of
from affetto.media.video import RATE, Film, film

_MOVING = ("gif", "png")
"""Pictures that may be films, as far as those who decode films know."""
_LATE = 0.15
"""Seconds by which sound and pictures may begin apart before that is worth a word."""
_EARLY = 1.0
"""Seconds by which they may end apart."""


def read_recording(
    source: Source,
    speakers: str | Sequence[str] | None = None,
    *,
    id: str | None = None,
    turns: bool = True,
    frames_rate: float = RATE,
    path: str = "",
    since: float = 0.0,
) -> Record:
    """Return a picture, a film or a sound as a Record.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        speakers: as in `media.audio.read_audio`, where there is sound.
        id: its name; by default that of the file without its suffix.
        turns: read the subtitles beside it or inside it as its turns.
        frames_rate: frames a second of a film that are looked at; 0: all.
        path: what to call it where `source` is a callable.
        since: the second of the file from which on sound and pictures are read; turns keep their true seconds.

    Returns:
        One Image; or Audio, or Frames, or both; `meta` as `read_audio` and `read_image` say, with `since` where it is
        not 0. The first sample lies at that second; `Frames.timed` gives seconds from the start of the file.

    Raises:
        UnreadableError: there is no such file, or nothing in it that can be decoded.
        MalformedError: there are not as many speakers as channels, or `since` is below 0.
    """
    checked(since)
    kind = kind_of(head_of(source, path, HEAD))
    if kind in _MOVING:
        moving = _moving(source, frames_rate, path, since)
        if moving is not None:
            return _silent(source, moving, id, False, False, path, since)
    if kind is not None:
        return read_image(source, id=id, path=path)
    sounds, films, texts = _streams(source, path)
    if not films:
        return read_audio(source, speakers, id=id, turns=turns, path=path, since=since)
    if not sounds:
        return _silent(source, film(source, frames_rate, path, since), id, turns, texts, path, since)
    return _both(source, speakers, id, turns, texts, frames_rate, path, since)


def _both(
    source: Source,
    speakers: str | Sequence[str] | None,
    id: str | None,
    turns: bool,
    texts: bool,
    frames_rate: float,
    path: str,
    since: float,
) -> Record:
    """Return a film with sound; where one of the two is broken, the other, and a warning."""
    seen: Film | None = None
    lost = ""
    try:
        seen = film(source, frames_rate, path, since)
    except UnreadableError as error:
        lost = f"its pictures were left out: {error}"
    try:
        facts = facts_of(source, path)
        if seen is not None:
            facts, seen = _shorter(facts, seen)
        record = read_audio(source, speakers, id=id, turns=turns, path=path, since=since, facts=facts)
    except UnreadableError as error:
        if seen is None:
            raise
        return _warned(_silent(source, seen, id, turns, texts, path, since), f"its sound was left out: {error}")
    if seen is None:
        return _warned(record, lost)
    record = replace(record, signals=(*record.signals, seen.frames))
    if facts.length.warning or seen.length.warning:  # it is cut off, which says enough of its end
        return record if facts.length.warning else _warned(record, seen.length.warning)
    return _warned(record, _apart(facts, seen))


def _shorter(facts: Facts, seen: Film) -> tuple[Facts, Film]:
    """Return what is known without the warning that one of the two is broken off, where it is but shorter.

    Some headers say only how long the whole is; where one of the two is as long, nothing is missing of the other.
    """
    heard, shown = facts.length, seen.length
    if heard.warning and heard.shared and not shown.warning:
        return replace(facts, length=replace(heard, warning="")), seen
    if shown.warning and shown.shared and not heard.warning:
        return facts, replace(seen, length=replace(shown, warning=""))
    return facts, seen


def _apart(heard: Facts, seen: Film) -> str:
    """Return in a sentence how far sound and pictures begin or end at different times; empty where they hardly do."""
    said = []
    late, short = heard.begins - seen.begins, seen.length.seconds - heard.length.seconds
    if abs(late) > _LATE:
        said.append(_first("begin", "after", late))
    if abs(short) > _EARLY:
        said.append(_first("end", "before", short))
    return " and ".join(said)


def _first(verb: str, when: str, by: float) -> str:
    """Return what the sound, or else the pictures, do so many seconds before or after the other."""
    who, other = ("the sound", "the pictures") if by > 0 else ("the pictures", "the sound")
    return f"{who} {verb}{'s' * (by > 0)} {abs(by):.{0 if abs(by) >= 10 else 1}f} s {when} {other}"


def _silent(source: Source, seen: Film, id: str | None, turns: bool, texts: bool, path: str, since: float) -> Record:
    """Return a film without sound."""
    where = seen.frames.path
    said, found = cues.turns(source, path, texts) if turns else ((), {})
    warning = found.pop("warning", "")
    called = id if id is not None else Path(where).stem or "film"
    record = Record(called, (seen.frames,), said, meta={"path": where} | ({"since": since} if since else {}) | found)
    return _warned(_warned(record, seen.length.warning), warning)


def _warned(record: Record, warning: str) -> Record:
    if not warning:
        return record
    said = [record.meta["warning"]] if "warning" in record.meta else []
    meta: dict[str, Any] = {**record.meta, "warning": clean("; ".join([*said, warning]))}
    return replace(record, meta=meta)


def _moving(source: Source, rate: float, path: str, since: float) -> Film | None:
    """Return the film of a picture that moves; None where it has one picture only, or cannot be read as a film."""
    try:
        seen = film(source, rate, path, since)
    except UnreadableError:
        return None
    return seen if seen.count > 1 or (seen.length.seconds > 0 and seen.count == 0) else None


def _streams(source: Source, path: str) -> tuple[bool, bool, bool]:
    """Return whether sound, moving pictures and subtitles lie in a container."""
    with opened(source, path) as (container, _):
        sounds, films = bool(container.streams.audio), pictures_of(container) is not None
        unknown = any(stream.codec_context is None for stream in container.streams.video)
        if not sounds and not films and unknown:
            raise UnreadableError(
                f"{name(source, path)} is written with a codec that nobody here knows; convert it to .mp4 (H.264)"
            )
        return sounds, films, bool(container.streams.subtitles)
