"""Transcripts with times as turns: who says what, when. Knows files of words; hears nothing.

- `.srt .vtt`: subtitles, as `media.subtitles` reads them.
- `.csv .tsv`: a line a turn, with the columns `start`, `end`, `text` and perhaps `speaker`, in any order and any
  capitals (also `begin`, `stop`, `words`, `transcript`, `name`, `duration` in the place of `end`); `.csv` also with
  semicolons, tabs or bars.
- `.json`: a list of objects with `start`, `end`, `text`, `speaker`; or one under `segments` (Whisper, faster-whisper,
  WhisperX with speakers), `chunks` with `timestamp` (transformers), or `turns` (of Affetto).
- `.rttm`: who speaks when, without words.
- Anything else that holds Records with turns (`.TextGrid`, `.eaf` ...) through `records`, which the caller hands in.

Times are seconds, or `[h:]m:s` with a point or comma. Turns may overlap, for people talk at once, but one speaker's may
not by more than half a second; they may come in any order and are sorted. What has no speaker is `someone`'s. Any
language will do.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.media.lines import Lines, clean, flaw
from affetto.media.subtitles import read_subtitles
from affetto.media.text import SOMEONE

SUFFIXES = (".srt", ".vtt", ".csv", ".tsv", ".json", ".rttm")
"""Suffixes that are read here."""
TOGETHER = 0.5
"""Seconds by which two turns of one speaker may overlap: subtitles are laid out generously."""
BEYOND = 2.0
"""Seconds by which a turn may begin after the end of a recording without being taken for another one's."""
_STARTS = ("start", "begin", "start_time", "starttime", "onset", "from", "start_s")
_ENDS = ("end", "stop", "end_time", "endtime", "offset", "to", "end_s")
_TEXTS = ("text", "words", "transcript", "transcription", "utterance", "sentence", "content")
_SPEAKERS = ("speaker", "name", "speaker_id", "speaker_label", "who", "participant")
_LENGTHS = ("duration", "length", "dur")
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d{1,9})?)")
_NO_WORDS = "<NA>"
Readers = Callable[[Path], Iterable[Record]]


def read_transcript(
    path: str | Path, *, duration: float = math.nan, records: Readers | None = None
) -> tuple[Turn, ...]:
    """Read the turns of a transcript, in order of time, each with its span in seconds.

    Args:
        path: the file.
        duration: seconds of the recording that it belongs to, where they are known: a turn that begins long after its
            end is refused, one that ends after it is cut there.
        records: reads the Records of a file of another kind (such as `.eaf`), whose turns are taken.

    Raises:
        UnreadableError: there is no such file, its kind or encoding is unknown, a line or time in it makes no sense, or
            it does not belong to the recording; says which and where.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".srt", ".vtt"):
        turns = _subtitles(path)
    elif suffix in (".csv", ".tsv"):
        turns = tuple(_table(_text(path), path.name, suffix == ".tsv"))
    elif suffix == ".json":
        turns = tuple(_json(_text(path), path.name))
    elif suffix == ".rttm":
        turns = tuple(_rttm(_text(path), path.name))
    elif records is not None:
        _text_of_none(path)
        turns = _spoken(record for record in records(path))
    else:
        raise UnreadableError(
            f"{path.name!r} ends in {suffix!r}, which is no transcript that is known; known: {', '.join(SUFFIXES)}"
        )
    return checked(turns, path.name, duration)


def checked(turns: Iterable[Turn], name: str, duration: float = math.nan) -> tuple[Turn, ...]:
    """Return turns in order of time, checked, and cut at the end of their recording.

    Raises:
        UnreadableError: there is none with a time, one speaker speaks twice at once, or one lies beyond the end.
    """
    known = [turn for turn in turns if turn.span is not None]
    if not known:
        raise UnreadableError(
            f"{name} holds no turn with its times; a transcript wants a start and an end in seconds for each turn"
        )
    kept: list[Turn] = []
    latest: dict[str, Turn] = {}
    for turn in sorted(known, key=lambda turn: (turn.span.start, turn.span.end) if turn.span else (0, 0)):
        span = turn.span
        if span is None:
            continue
        before = latest.get(turn.speaker)
        if before is not None and before.span is not None and turn.speaker != SOMEONE:
            over = min(before.span.end, span.end) - span.start
            if over > TOGETHER:
                raise UnreadableError(
                    f"in {name}, {turn.speaker[:40]!r} speaks twice at once: at {_clock(before.span.start)} to "
                    f"{_clock(before.span.end)} and again from {_clock(span.start)}; correct the times, or the names"
                )
        if span.start > duration + BEYOND:
            raise UnreadableError(
                f"{name} goes on at {_clock(span.start)}, but the recording ends at {_clock(duration)}; is it the "
                "transcript of another recording, or are its times in another unit?"
            )
        if before is None or before.span is None or span.end >= before.span.end:
            latest[turn.speaker] = turn
        end = min(span.end, max(duration, span.start)) if math.isfinite(duration) else span.end
        kept.append(Turn(turn.speaker, Span(span.start, end), turn.text))
    return tuple(kept)


def seconds_of(said: object) -> float:
    """Return the seconds that a number or a clock time says.

    Raises:
        ValueError: it says none, or one below 0.

    >>> seconds_of("1:02:03,5"), seconds_of(" 7.25 ")
    (3723.5, 7.25)
    """
    text = str(said).strip()
    found = _CLOCK.fullmatch(text)
    if found:
        hours, minutes, seconds = found.groups()
        if float(seconds.replace(",", ".")) >= 60 or (hours is not None and int(minutes) >= 60):
            raise ValueError(f"{text!r} is no time: minutes and seconds go to 59")
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    if isinstance(said, bool):
        raise ValueError(f"{text!r} is no time")
    try:
        value = float(text.removesuffix("s").replace(",", ".") if isinstance(said, str) else text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time; write seconds or h:mm:ss.mmm") from None
    if not 0 <= value < math.inf:
        raise ValueError(f"the time {text[:40]!r} is not finite or below 0")
    return value


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02}:{rest:06.3f}"


def _text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        UnreadableError: there is no such file, it is empty, or not in UTF-8 or UTF-16.
    """
    lines = Lines(path)
    text = lines.whole()
    wrong = flaw(text, lines.encoding)
    if wrong:
        raise UnreadableError(f"{path.name} {wrong}")
    return text


def _text_of_none(path: Path) -> None:
    """Refuse a file that is not there, in the words of the others."""
    Lines(path).close()


def _spoken(records: Iterable[Record]) -> tuple[Turn, ...]:
    """Return the turns of Records; where these hold none, their `speaking` Tracks, whose notes are words."""
    held = list(records)
    turns = [turn for record in held for turn in record.turns]
    if not turns:
        for track in (track for record in held for track in record.tracks if track.space.id == "speaking"):
            notes = track.note or ("",) * len(track)
            spans = [span for span in track.spans if span.unit == "s"]
            turns += [Turn(track.subject, span, note) for span, note in zip(spans, notes, strict=False)]
    return tuple(turns)


def _subtitles(path: Path) -> tuple[Turn, ...]:
    (record,) = read_subtitles(Lines(path), path)
    if "error" in record.meta:
        raise UnreadableError(str(record.meta["error"]))
    return record.turns


def _table(text: str, name: str, tabs: bool) -> Iterator[Turn]:
    head = text.split("\n", 1)[0]
    delimiter = "\t" if tabs else max(",;\t|", key=head.count)
    table = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        columns = _columns([cell.strip().lower() for cell in next(table)], name)
        for number, row in enumerate(table, 2):
            if any(cell.strip() for cell in row):
                said = {key: row[place].strip() if place < len(row) else "" for key, place in columns.items()}
                yield _turn(said, f"line {table.line_num or number} of {name}")
    except csv.Error as error:
        raise UnreadableError(f"line {table.line_num} of {name} is no row of a table: {error}") from None


def _columns(header: list[str], name: str) -> dict[str, int]:
    """Return the place of each column that counts."""
    wanted = {"start": _STARTS, "end": _ENDS, "text": _TEXTS, "speaker": _SPEAKERS, "duration": _LENGTHS}
    places = {key: next((header.index(one) for one in names if one in header), -1) for key, names in wanted.items()}
    found = {key: place for key, place in places.items() if place >= 0}
    missing = [key for key in ("start", "text") if key not in found]
    missing += [] if {"end", "duration"} & set(found) else ["end"]
    if missing:
        raise UnreadableError(
            f"{name} has no column {' and '.join(missing)}; its first line wants start, end, text and perhaps speaker, "
            f"and is: {', '.join(header)[:120]}"
        )
    return found


def _turn(said: Mapping[str, Any], where: str) -> Turn:
    """Return the turn of a row or an object whose keys are start, end or duration, text and perhaps speaker."""
    try:
        start = seconds_of(said["start"])
        end = seconds_of(said["end"]) if said.get("end") not in (None, "") else start + seconds_of(said["duration"])
    except KeyError:
        raise UnreadableError(f"{where} lacks its end; a turn wants start and end in seconds") from None
    except ValueError as error:
        raise UnreadableError(f"{where}: {error}") from None
    if end < start:
        raise UnreadableError(f"{where} ends at {_clock(end)}, before it starts at {_clock(start)}")
    speaker = str(said.get("speaker") or "").strip()
    return Turn(clean(speaker) or SOMEONE, Span(start, end), clean(str(said.get("text") or "").strip()))


def _json(text: str, name: str) -> Iterator[Turn]:
    try:
        said = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{name} is no JSON: {error}") from None
    found = _segments(said)
    if found is None:
        raise UnreadableError(
            f"{name} is no transcript: it wants a list of {{start, end, text, speaker}}, or one under 'segments'"
        )
    for i, one in enumerate(found):
        where = f"segment {i} of {name}"
        if not isinstance(one, Mapping):
            raise UnreadableError(f"{where} wants an object with start, end and text, not {str(one)[:40]!r}")
        yield _turn(_keys(one, where), where)


def _segments(said: Any) -> list[Any] | None:
    """Return the list in which the turns stand."""
    if isinstance(said, list) and len(said) == 1 and isinstance(said[0], Mapping) and "start" not in said[0]:
        said = _segments(said[0]) or said
    if isinstance(said, Mapping):
        lists = (said.get(key) for key in ("segments", "chunks", "turns", "utterances", "results"))
        said = next((one for one in lists if isinstance(one, list)), None)
    return said if isinstance(said, list) else None


def _keys(one: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return start, end, text and speaker of an object, whatever they are called."""
    named = {str(key).lower(): value for key, value in one.items()}
    place = named.get("timestamp", named.get("span"))
    if isinstance(place, list) and len(place) >= 2:
        named |= {"start": place[0], "end": place[1]}
    groups = {"start": _STARTS, "end": _ENDS, "text": _TEXTS, "speaker": _SPEAKERS, "duration": _LENGTHS}
    said = {}
    for key, names in groups.items():
        value = next((named[name] for name in names if named.get(name) is not None), None)
        if value is not None and not (key == "text" and isinstance(value, list)):
            said[key] = value
    if "start" not in said:
        raise UnreadableError(f"{where} lacks its start; a turn wants start and end in seconds")
    return said


def _rttm(text: str, name: str) -> Iterator[Turn]:
    """Yield who speaks when; of lines that are called by a label behind a bar (`Ann|joy`), the person."""
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split()
        if not cells or cells[0].startswith(";") or cells[0] != "SPEAKER":
            continue
        if len(cells) < 8:
            raise UnreadableError(f"line {number} of {name} is no RTTM: it wants 8 to 10 fields, not {len(cells)}")
        speaker = cells[7].partition("|")[0].replace("%20", " ")
        said = {"start": cells[3], "duration": cells[4], "speaker": "" if speaker == _NO_WORDS else speaker}
        yield _turn(said, f"line {number} of {name}")
