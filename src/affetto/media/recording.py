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
from affetto.media.audio import read_audio
from affetto.media.containers import Source, head_of, name, opened
from affetto.media.image import read_image
from affetto.media.image_headers import HEAD, kind_of
from affetto.media.lines import clean
from affetto.media.picking import pictures_of
from affetto.media.video import RATE, Film, film

_MOVING = ("gif", "png")
"""Pictures that may be films, as far as those who decode films know."""


def read_recording(
    source: Source,
    speakers: str | Sequence[str] | None = None,
    *,
    id: str | None = None,
    turns: bool = True,
    frames_rate: float = RATE,
    path: str = "",
) -> Record:
    """Return a picture, a film or a sound as a Record.

    Args:
        source: a path; or a callable that opens a binary file anew at each call.
        speakers: as in `media.audio.read_audio`, where there is sound.
        id: its name; by default that of the file without its suffix.
        turns: read the subtitles beside it or inside it as its turns.
        frames_rate: frames a second of a film that are looked at; 0: all.
        path: what to call it where `source` is a callable.

    Returns:
        One Image; or Audio, or Frames, or both; `meta` as `read_audio` and `read_image` say.

    Raises:
        UnreadableError: there is no such file, or nothing in it that can be decoded.
        MalformedError: there are not as many speakers as channels.
    """
    kind = kind_of(head_of(source, path, HEAD))
    if kind in _MOVING:
        moving = _moving(source, frames_rate, path)
        if moving is not None:
            return _silent(source, moving, id, False, False, path)
    if kind is not None:
        return read_image(source, id=id, path=path)
    sounds, films, texts = _streams(source, path)
    if not films:
        return read_audio(source, speakers, id=id, turns=turns, path=path)
    if not sounds:
        return _silent(source, film(source, frames_rate, path), id, turns, texts, path)
    return _both(source, speakers, id, turns, texts, frames_rate, path)


def _both(
    source: Source,
    speakers: str | Sequence[str] | None,
    id: str | None,
    turns: bool,
    texts: bool,
    frames_rate: float,
    path: str,
) -> Record:
    """Return a film with sound; where one of the two is broken, the other, and a warning."""
    seen: Film | None = None
    lost = ""
    try:
        seen = film(source, frames_rate, path)
    except UnreadableError as error:
        lost = f"its pictures were left out: {error}"
    try:
        record = read_audio(source, speakers, id=id, turns=turns, path=path)
    except UnreadableError as error:
        if seen is None:
            raise
        return _warned(_silent(source, seen, id, turns, texts, path), f"its sound was left out: {error}")
    if seen is None:
        return _warned(record, lost)
    record = replace(record, signals=(*record.signals, seen.frames))
    return record if "warning" in record.meta else _warned(record, seen.warning)


def _silent(source: Source, seen: Film, id: str | None, turns: bool, texts: bool, path: str) -> Record:
    """Return a film without sound."""
    where = seen.frames.path
    said, found = cues.turns(source, path, texts) if turns else ((), {})
    warning = found.pop("warning", "")
    called = id if id is not None else Path(where).stem or "film"
    record = Record(called, (seen.frames,), said, meta={"path": where} | found)
    return _warned(_warned(record, seen.warning), warning)


def _warned(record: Record, warning: str) -> Record:
    if not warning:
        return record
    said = [record.meta["warning"]] if "warning" in record.meta else []
    meta: dict[str, Any] = {**record.meta, "warning": clean("; ".join([*said, warning]))}
    return replace(record, meta=meta)


def _moving(source: Source, rate: float, path: str) -> Film | None:
    """Return the film of a picture that moves; None where it has one picture only, or cannot be read as a film."""
    try:
        seen = film(source, rate, path)
    except UnreadableError:
        return None
    return seen if seen.count > 1 or (seen.frames.duration > 0 and seen.count == 0) else None


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
