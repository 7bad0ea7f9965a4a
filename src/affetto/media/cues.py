"""The turns of a sound: from subtitles beside it (same name, .srt or .vtt), or else from those inside it.

Inside, the first text stream is read (SubRip, WebVTT, mov_text, ASS); pictures of subtitles are not. The actor's name
of an ASS line is its speaker. Knows whose turns they are as `media.subtitles` does; decodes no sound.
"""

import re
from pathlib import Path
from typing import Any

from affetto.core.errors import UnreadableError
from affetto.core.record import Turn
from affetto.core.span import Span
from affetto.media import subtitles
from affetto.media.containers import BROKEN, SPAN, Source, opened, seconds
from affetto.media.decoding import packets
from affetto.media.lines import LONGEST, Lines, clean

BESIDE = (".srt", ".vtt", ".SRT", ".VTT")
"""Suffixes of the subtitles looked for beside a sound, the first that is there."""
_TEXTS = {"subrip", "srt", "webvtt", "mov_text", "ass", "ssa", "text"}
_OVERRIDE = re.compile(r"\{[^{}]*\}")


def turns(source: Source, path: str, texts: bool) -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """Return the turns of a recording, and what to keep of them as meta: where they lie, and what went wrong.

    Args:
        source: the recording.
        path: what to call it where `source` is a callable.
        texts: whether subtitles lie inside, too, and are read where none beside it can be.
    """
    said, found = beside(Path(source)) if isinstance(source, str | Path) else ((), {})
    if said or not texts:
        return said, found if said else {key: found[key] for key in ("warning",) if key in found}
    warning = {"warning": found["warning"]} if "warning" in found else {}
    said, found = inside(source, path)
    return said, found | warning


def beside(path: Path) -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """Return the turns of the subtitles beside a file, and what to keep of them as meta; nothing where there are none.

    Subtitles that cannot be read give no turns, and `warning` says why.
    """
    for suffix in BESIDE:
        other = path.with_suffix(suffix)
        if other.is_file():
            meta = {"subtitles": clean(str(other))}
            try:
                (record,) = subtitles.read_subtitles(Lines(other), other)
            except UnreadableError as error:
                return (), meta | {"warning": str(error)}
            return record.turns, meta | ({"warning": record.meta["error"]} if "error" in record.meta else {})
    return (), {}


def inside(source: Source, path: str = "") -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """Return the turns of the first subtitles inside a container, and what to keep of them as meta."""
    with opened(source, path) as (container, _):
        texts = [one for one in container.streams.subtitles if one.codec_context and one.codec_context.name in _TEXTS]
        if not texts:
            return (), {}
        stream, start, held = texts[0], seconds(container), 0
        cues = []
        for packet in packets(container, stream):
            cue = _cue(packet, start)
            held += sum(map(len, cue.lines)) if cue else 0
            if held > LONGEST:
                break
            if cue:
                cues.append(cue)
        found = subtitles.turns_of(cues)
        return found, {"subtitles": f"inside: {stream.codec_context.name}"} if found else {}


def _cue(packet: Any, start: float) -> Any:
    """Return what one packet says, and when; None where it says nothing."""
    try:
        lines = [_words(rect.ass) for rect in packet.decode() if getattr(rect, "ass", b"")]
    except BROKEN:
        return None
    words = [line for line in lines if line.strip()]
    if not words or packet.pts is None:
        return None
    begin = float(packet.pts * packet.time_base) - start
    end = begin + float((packet.duration or 0) * packet.time_base)
    span = Span(max(0.0, begin), max(0.0, end), "s") if abs(begin) < SPAN and abs(end) < SPAN else None
    return subtitles.Cue(span, words)


def _words(ass: bytes) -> str:
    """Return the words of an ASS event (order, layer, style, name, margins, effect, words), after `<v Name>`."""
    fields = ass.decode("utf-8", "replace").split(",", 8)
    if len(fields) < 9:
        return ""
    words = _OVERRIDE.sub("", fields[8]).replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", " ")
    actor = re.sub(r"[<>\n]", "", fields[3]).strip()
    return f"<v {actor}>{words}" if actor and words.strip() else words
