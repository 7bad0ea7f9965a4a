"""Subtitles with feelings (.srt, .vtt): each cue names its speaker and what the speaker feels meanwhile.

- SRT: `Ann [joy 82%]: words`, and `Ann [?]: words` where nothing is said of the feeling.
- WebVTT: `<v Ann><c.joy>words</c></v>` with a colour for each label in a STYLE block, and before the cue a NOTE that
  says it in words (`Ann: joy 82 %, fused, fusion.late@1`). Players show the colour, editors the note.

The feeling is that of the first Track of the speaker, in seconds and in a space of labels, of the channels fused, text,
voice and face, in this order; the reader's feelings (`evoked`) are passed over. Over a turn its rows are averaged by
how long they overlap it. The percentage is the calibrated confidence where all these rows have one and agree in their
label, else the averaged probability.

A cue is a timed turn. Where a Record has none, each stretch of one feeling of one person is a cue without words.
Turns without times, other Tracks and meta have no place here. Several Records follow each other, each from its own 0.

Reading stays with `media.subtitles`, which takes names and words back as they were (line ends and runs of blanks become
one blank) and drops the feelings. Knows how to write cues; reads none.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import jsonl
from affetto.formats.growing import whole

CHANNELS = ("fused", "text", "voice", "face")
"""Whose word counts, the first that says anything."""
COLOURS = {
    "joy": "#F0E442",
    "anger": "#E4572E",
    "sadness": "#56B4E9",
    "fear": "#CC79A7",
    "disgust": "#009E73",
    "surprise": "#E69F00",
    "contempt": "#B08968",
    "neutral": "#FFFFFF",
}
"""Of the usual labels: a palette that the colour-blind can tell apart (after Okabe and Ito 2008)."""
_TONES = {1: "#F0E442", -1: "#56B4E9"}
"""Of other labels, by their polarity."""
_ENTITY = re.compile(r"&(?=#|\w+;?)")
_MARK = re.compile(r"<(?=[\w/])|\{(?=\\)")


@dataclass(frozen=True)
class _Cue:
    """One subtitle."""

    start: float
    end: float
    speaker: str
    words: str
    label: str
    percent: int
    source: str
    """Channel and source of the feeling."""


def read(path: str | Path) -> Iterator[Record]:
    """Refuse to read: subtitles are media.

    Raises:
        UnreadableError: always.
    """
    raise UnreadableError(f"{Path(path).name} is read as turns by affetto.read, not as Tracks; for these write .json")


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records as cues: WebVTT where the name ends in .vtt, else SubRip."""
    path = Path(path)
    if path.suffix.lower() == ".vtt":
        _write_vtt(list(records), path)
        return
    number = 0
    with whole(path) as file:
        for record in records:
            for cue in _cues(record):
                number += 1
                felt = f"{cue.label} {cue.percent}%" if cue.label else "?"
                words = f" {_plain(cue.words)}" if cue.words else ""
                times = f"{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}"
                file.write(_bytes(f"{number}\n{times}\n{_plain(cue.speaker)} [{_plain(felt)}]:{words}\n\n"))


def appender(columns: Sequence[str] = ()) -> jsonl.Rewriting:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return jsonl.Rewriting(write)


def _write_vtt(records: list[Record], path: Path) -> None:
    known = {axis.name: axis for record in records for track in record.tracks for axis in track.space.axes}
    cues = [(record, list(_cues(record))) for record in records]
    labels = dict.fromkeys(cue.label for _, mine in cues for cue in mine if cue.label)
    with whole(path) as file:
        file.write(b"WEBVTT\n\nNOTE Feelings are estimates, made by Affetto, and no facts about a person.\n\n")
        if labels:
            file.write(b"STYLE\n")
            for label in labels:
                colour = COLOURS.get(label) or _TONES.get(known[label].polarity or 0, "#DDDDDD")
                file.write(_bytes(f"::cue(.{_name(label)}) {{ color: {colour}; }}\n"))
            file.write(b"\n")
        for record, mine in cues:
            if len(cues) > 1:
                file.write(_bytes(f"NOTE {_noted(record.id)}\n\n"))
            for cue in mine:
                felt = f"{cue.label} {cue.percent} %, {cue.source}" if cue.label else "?"
                file.write(_bytes(f"NOTE {_noted(f'{cue.speaker}: {felt}')}\n\n"))
                words = _escaped(cue.words)
                words = f"<c.{_name(cue.label)}>{words}</c>" if cue.label else words
                times = f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}"
                file.write(_bytes(f"{times}\n<v {_escaped(cue.speaker)}>{words}</v>\n\n"))


def _cues(record: Record) -> Iterator[_Cue]:
    mains = _mains(record)
    timed = [turn for turn in record.turns if turn.span is not None and turn.span.unit == "s"]
    if not timed:
        for speaker, track in mains.items():
            timed += [Turn(speaker, span, "") for span in _stretches(track)]
    for turn in sorted(timed, key=lambda turn: (turn.span.start, turn.span.end) if turn.span else (0, 0)):
        if turn.span is not None:
            main = mains.get(turn.speaker)
            label, share = ("", 0.0) if main is None else _felt(main, turn.span)
            source = f"{main.channel}, {main.source}" if main is not None else ""
            words = (_tidy(turn.speaker) or "someone", _tidy(turn.text), label, round(100 * share))
            yield _Cue(turn.span.start, turn.span.end, *words, source)


def _mains(record: Record) -> dict[str, Track]:
    """Return for each subject the Track whose word counts."""
    found: dict[str, Track] = {}
    for channel in CHANNELS:
        for track in record.tracks:
            labels = track.space.kind in ("one", "any") and len(track.space.axes) > 1
            if track.channel == channel and track.unit == "s" and labels and track.perspective != "evoked":
                found.setdefault(track.subject, track)
    return found


def _felt(track: Track, span: Span) -> tuple[str, float]:
    """Return the label of a stretch and how sure it is; an empty one where nothing is said of it."""
    over = np.minimum(track.end, span.end) - np.maximum(track.start, span.start)
    inside = (over > 0) | ((over == 0) & (span.length == 0))
    rows = np.flatnonzero(inside & ~np.isnan(track.values).all(1))
    if not len(rows):
        return "", 0.0
    weights = np.maximum(over[rows], 1e-9)
    shares = np.average(np.nan_to_num(track.values[rows]), axis=0, weights=weights)
    best = int(np.argmax(shares))
    agree = (np.nanargmax(track.values[rows], 1) == best).all()
    if track.confidence is not None and agree and not np.isnan(track.confidence[rows]).any():
        return track.space.names[best], float(np.average(track.confidence[rows], weights=weights))
    return track.space.names[best], float(shares[best])


def _stretches(track: Track) -> Iterator[Span]:
    """Yield each run of rows that say the same and meet."""
    runs: list[tuple[str, Span]] = []
    for i, span in enumerate(track.spans):
        top = track.top(i)
        name = "" if top is None else top.name
        if runs and runs[-1][0] == name and abs(runs[-1][1].end - span.start) < 1e-6:
            runs[-1] = name, Span(runs[-1][1].start, max(runs[-1][1].end, span.end))
        else:
            runs.append((name, span))
    yield from (span for name, span in runs if name)


def _stamp(seconds: float, point: str) -> str:
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{part:03}"


def _tidy(text: str) -> str:
    """Return a text on one line, without what is no character."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in text).split())


def _plain(text: str) -> str:
    """Return a text of which an SRT player and our reader take nothing for a tag or an entity."""
    return _MARK.sub(lambda found: "&lt;" if found[0] == "<" else "&#123;", _ENTITY.sub("&amp;", text))


def _escaped(text: str) -> str:
    return _MARK.sub("&#123;", html.escape(text, quote=False))


def _noted(text: str) -> str:
    return _tidy(text).replace("-->", "->")


def _name(label: str) -> str:
    """Return a label as the name of a class."""
    return re.sub(r"[^a-z0-9_-]", "_", label.lower())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
