"""Subtitles (.srt, .vtt): one Record whose turns have seconds.

The speaker comes from `<v Name>`, from `NAME:` in capitals, or from `Name:` where that name stands before at least two
cues; else the turn is `someone`'s. Tags and positions are dropped, notes and styles are skipped. A cue whose times make
no sense keeps its words and loses its span. Feelings that Affetto wrote (`Ann [joy 82%]: words`) are dropped, so that
name and words come back as they were. Knows the files; plays no film.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.media.lines import Lines, flaw
from affetto.media.text import SOMEONE

_STAMP = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_STAMP}\s*--+>\s*{_STAMP}(?:\s.*)?$")
_VOICE = re.compile(r"<v(?:\.[^\s<>]{0,80})?\s([^<>\n]{0,200})>")
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]*>|\{\\[^{}]*\}")
_NAME = re.compile(r"\s*([^\W\d_][\w.'\u2019 -]{0,39}?)\s?:\s+(?=\S)")
_FELT = re.compile(r"([^\n]{1,200}?) \[(?:\?|[^\[\]\n]{1,60} \d{1,3}%)\]:(?: |$)")
"""What `formats.subtitles` puts before the words."""


@dataclass
class Cue:
    """One subtitle: when, and its lines."""

    span: Span | None
    lines: list[str]


def read_subtitles(lines: Lines, path: str | Path) -> Iterator[Record]:
    """Yield the one Record of a subtitle file."""
    text = lines.whole()
    name = "stdin" if str(path) == "-" else Path(path).stem
    meta = {"path": str(path)}
    wrong = flaw(text, lines.encoding)
    turns = () if wrong else turns_of(_cues(text))
    if not turns:
        reason = wrong or "holds no cue such as '00:00:01,000 --> 00:00:02,500' with words; is it a subtitle file?"
        meta["error"] = f"{lines.name} {reason}"
    yield Record(name, turns=turns, meta=meta)


def _cues(text: str) -> list[Cue]:
    cues: list[Cue] = []
    inside = False
    for line in text.splitlines():
        times = _TIMES.match(line) if "--" in line else None
        if times:
            if inside and cues[-1].lines and cues[-1].lines[-1].strip().isdigit():
                cues[-1].lines.pop()  # the number of this cue, with no empty line before it
            cues.append(Cue(_span(times.groups()), []))
            inside = True
        elif not line.strip():
            inside = False
        elif inside:
            cues[-1].lines.append(line)
    return cues


def _span(parts: tuple[str | None, ...]) -> Span | None:
    start, end = (_seconds(parts[i : i + 4]) for i in (0, 4))
    return Span(start, end, "s") if start <= end else None


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, part = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(part.ljust(3, "0")) / 1000


def turns_of(cues: list[Cue]) -> tuple[Turn, ...]:
    """Return the turns of cues: one a cue, or one for each voice in it."""
    pieces = [(cue.span, voice, words) for cue in cues for voice, words in _voices("\n".join(cue.lines))]
    named = Counter(found[1] for _, voice, words in pieces if not voice and (found := _NAME.match(words)))
    turns = []
    for span, said, words in pieces:
        voice, rest = said, words
        felt = None if voice else _FELT.match(words)
        found = None if voice or felt else _NAME.match(words)
        if felt:
            voice, rest = felt[1], words[felt.end() :]
            if not rest:
                continue
        elif found and (found[1].isupper() or named[found[1]] > 1):
            voice, rest = found[1], words[found.end() :]
        turns.append(Turn(voice or SOMEONE, span, rest))
    return tuple(turns)


def _voices(text: str) -> Iterator[tuple[str, str]]:
    """Yield (voice or '', words) for each voice of a cue: `<v Name>` tags, or lines that begin with a dash."""
    before, *tagged = _VOICE.split(text)
    parts = [("", before), *((_plain(tagged[i]), tagged[i + 1]) for i in range(0, len(tagged), 2))]
    for voice, part in parts:
        rows = part.split("\n")
        dashed = not voice and len(rows) > 1 and all(_plain(row).startswith(("-", "\u2013")) for row in rows)
        for piece in rows if dashed else [" ".join(rows)]:
            words = _plain(piece)
            if dashed or (not voice and re.match(r"[-\u2013]\s", words)):
                words = words.lstrip("-\u2013").strip()
            if words:
                yield voice, words


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", text)).split())
