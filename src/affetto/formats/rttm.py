"""RTTM (.rttm), the lines of speaker diarization: who speaks when, and in which emotion.

`SPEAKER <record> 1 <start> <duration> <NA> <NA> <subject> <confidence> <NA>`, a line a row of each `speaking` Track,
whose value is the confidence: what tools of diarization read and score. A Record without such a Track says of each
subject the first Track in seconds whose space is of kind `one`, by its most probable label, the field being
`<subject>|<emotion>`; without that, its timed turns. Rows that say nothing are left out. What has none of these, or has
an error, stands as a comment (`;;`), so that no Record goes unmentioned.

Fields hold no blanks: these, `%`, `|` and `<` stand as %20, %25, %7C and %3C, and an empty one as `<NA>`. Times are
rounded to a microsecond. Probabilities but the highest, other Tracks, channel, perspective, source and the words of
turns have no place here: for whole Records there is JSON.
Knows lines of RTTM; knows no space but by its id.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.space import open_space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats.finding import find_space
from affetto.formats.growing import GrowingFile, whole
from affetto.formats.quoting import one_hot, quoted, unquoted

LONGEST = 1 << 20
"""Bytes of the longest line that is read."""
MOST_LABELS = 1000
"""Different labels of one subject that are read without a space."""
SPEAKING = "speaking"
"""The id of the space in which it is said who speaks when."""
_NOTHING = "<NA>"


def read(path: str | Path, space: str = "") -> Iterator[Record]:
    """Read a Record for each name in the second field: its turns, and a Track a subject where emotions are said.

    Where a line without an emotion has a confidence, its subject also gets a `speaking` Track, whose values these are.
    Lines of other types than SPEAKER are passed over, and channels are not told apart.

    Args:
        path: the file.
        space: the id of the space of the emotions, in which also a field without `|` is an emotion (of `speaker`); by
            default the words themselves are an open space, and a field without `|` is a speaker.

    Raises:
        UnreadableError: there is no such file, or a line is no RTTM; says which.
        UnknownNameError: there is no such space.
    """
    if space:
        find_space(space)
    name = Path(path).name
    records: dict[str, list[_Line]] = {}
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), 1):
                where = f"line {number} of {name}"
                if len(line) > LONGEST:
                    raise UnreadableError(f"{where} is longer than {LONGEST >> 10} kB and is no RTTM")
                if (one := _line(line, where, bool(space))) is not None:
                    records.setdefault(one.record, []).append(one)
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None
    for id, lines in records.items():
        yield _record(id, lines, space, name)


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records, a line for each row."""
    with whole(path) as file:
        for record in records:
            file.write(_encode(record))


class _Appender(GrowingFile):
    def encode(self, records: Sequence[Record]) -> bytes:
        """Return the lines of Records."""
        return b"".join(map(_encode, records))


def appender(columns: Sequence[str] = ()) -> _Appender:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return _Appender()


def _encode(record: Record) -> bytes:
    id = _field(record.id)
    lines = [
        f"SPEAKER {id} 1 {_number(start)} {_number(end - start)} {_NOTHING} {_NOTHING} {words} {sure} {_NOTHING}\n"
        for start, end, words, sure in sorted(_rows(record))
    ]
    if "error" in record.meta:
        lines.append(f";; {id} error: {' '.join(str(record.meta['error']).split())}\n")
    elif not lines:
        lines.append(f";; {id} says nothing in seconds with labels\n")
    return "".join(lines).encode("utf-8", "backslashreplace")


def _rows(record: Record) -> Iterator[tuple[float, float, str, str]]:
    heard = [track for track in record.tracks if track.space.id == SPEAKING and track.unit == "s" and len(track)]
    for track in heard:
        for span, sure in zip(track.spans, track.values[:, 0], strict=True):
            if not np.isnan(sure):
                yield span.start, span.end, _field(track.subject), str(sure)
    if heard:
        return
    mains: dict[str, Track] = {}
    for track in record.tracks:
        if track.unit == "s" and track.space.kind == "one" and len(track):
            mains.setdefault(track.subject, track)
    for subject, track in mains.items():
        for i, span in enumerate(track.spans):
            top = track.top(i)
            sure = np.nan if track.confidence is None else track.confidence[i]
            if top is not None:
                words = f"{_field(subject)}|{_field(top.name)}"
                yield span.start, span.end, words, _NOTHING if np.isnan(sure) else str(sure)
    if not mains:
        for turn in record.turns:
            if turn.span is not None and turn.span.unit == "s":
                yield turn.span.start, turn.span.end, _field(turn.speaker), _NOTHING


def _field(text: str) -> str:
    return quoted(text, "|<") or _NOTHING


def _number(seconds: float) -> str:
    """Return seconds with three decimals, or as many more, up to six, as they need."""
    text = f"{seconds:.6f}"
    return text[:-3] + text[-3:].rstrip("0")


@dataclass(frozen=True)
class _Line:
    """What one line says."""

    record: str
    subject: str
    label: str | None
    start: float
    end: float
    confidence: float


def _line(line: bytes, where: str, emotions: bool) -> _Line | None:
    try:
        cells = line.decode("utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{where} is no UTF-8 (byte {error.start}); save it as UTF-8") from None
    if not cells or cells[0].startswith(";") or cells[0] in _OTHERS:
        return None
    if cells[0] != "SPEAKER" or not 8 <= len(cells) <= 10:
        raise UnreadableError(
            f"{where} is no RTTM: it wants SPEAKER and 8 to 10 fields, not {len(cells)} in {' '.join(cells)[:60]!r}"
        )
    start, length = _seconds(cells[3]), _seconds(cells[4])
    if not (start >= 0 and length >= 0 and math.isfinite(start + length)):
        raise UnreadableError(f"{where} wants finite start and duration >= 0, not {cells[3][:40]} and {cells[4][:40]}")
    subject, between, label = cells[7].rpartition("|")
    if between:
        names: tuple[str, str | None] = (_unfield(subject), _unfield(label))
    else:
        names = ("speaker", _unfield(label)) if emotions else (_unfield(label), None)
    sure = _seconds(cells[8]) if len(cells) > 8 else math.nan
    return _Line(_unfield(cells[1]), *names, start, start + length, sure if 0 <= sure <= 1 else math.nan)


_OTHERS = frozenset(
    "SEGMENT NOSCORE NO_RT_METADATA LEXEME NON-LEX NON-SPEECH FILLER EDIT SU IP CB A/P SPKR-INFO".split()
)
"""Types of lines that RTTM has besides (NIST, RTTM-format-v13, table 1)."""


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _unfield(text: str) -> str:
    return "" if text == _NOTHING else unquoted(text)


@dataclass
class _Said:
    """The rows of one subject."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)


def _record(id: str, lines: list[_Line], space: str, name: str) -> Record:
    lines.sort(key=lambda line: (line.start, line.end))
    subjects: dict[str, _Said] = {}
    speakers: dict[str, _Said] = {}
    for line in lines:
        if line.label is not None or not math.isnan(line.confidence):
            said = (speakers if line.label is None else subjects).setdefault(line.subject, _Said())
            said.spans.append((line.start, line.end))
            said.labels.append(line.label or "")
            said.confidence.append(line.confidence)
    turns = tuple(Turn(line.subject, Span(line.start, line.end), "") for line in lines)
    try:
        heard = [_heard(*pair) for pair in speakers.items()]
        return Record(id, turns=turns, tracks=(*heard, *(_track(*pair, space) for pair in subjects.items())))
    except MalformedError as error:
        raise UnreadableError(f"{id!r} in {name} cannot be read: {error}") from None


def _heard(subject: str, said: _Said) -> Track:
    start, end = np.transpose(said.spans)
    values = np.array(said.confidence, np.float32)[:, None]
    return Track(find_space(SPEAKING), start, end, values, "s", subject, "expressed", "voice")


def _track(subject: str, said: _Said, space: str) -> Track:
    words = tuple(dict.fromkeys(filter(None, said.labels)))
    if not space and len(words) > MOST_LABELS:
        raise MalformedError(f"{subject!r} has over {MOST_LABELS:,} different labels; name their space")
    meant = find_space(space) if space else open_space(words)
    start, end = np.transpose(said.spans)
    sure = None if np.isnan(said.confidence).all() else np.array(said.confidence)
    values = one_hot(said.labels, meant.names)
    return Track(meant, start, end, values, "s", subject, "expressed", "voice", confidence=sure)
