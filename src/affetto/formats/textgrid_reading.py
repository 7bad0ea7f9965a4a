"""Reading TextGrids: those of `formats.textgrid`, corrected or not, and those of anybody else.

Praat's text form is a row of numbers, quoted texts and flags; all words between are for people. So the long and the
short form are read alike. Knows that form, and what tiers are called; takes every file for hostile.
"""

import codecs
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np

from affetto.core.errors import AffettoError, MalformedError, UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.space import Space, open_space
from affetto.core.span import Span
from affetto.core.track import Channel, Perspective, Track
from affetto.formats.finding import find_space
from affetto.formats.quoting import NOTHING, heard, unquoted

LARGEST = 1 << 28
"""Bytes of the largest file that is read."""
MOST_LABELS = 1000
"""Different words of one tier in an open space."""
NUMBERS = "numbers"
"""Ends the name of the tier that says a Track of kind `one` in full."""
ERROR = "|error"
"""The tier of what went wrong."""
_TOKEN = re.compile(
    r'"(?P<text>(?:[^"]++|"")*+)"|(?<!\S)(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)(?!\S)'
    r"|(?<!\S)(?P<flag><[a-z]+>)|![^\n]*|[^\s\"]+|(?P<open>\")"
)
Row = tuple[float, float, str]


@dataclass(frozen=True)
class _Key:
    """Whose Track a tier is."""

    subject: str
    channel: Channel
    space: str
    perspective: Perspective
    source: str


@dataclass
class _Rows:
    """What the tiers of one Track say."""

    labels: list[Row] = field(default_factory=list)
    numbers: list[Row] = field(default_factory=list)
    labelled: bool = False
    """Whether there is a tier of labels, if only an empty one."""

    def chosen(self) -> list[Row]:
        """Return the rows that count."""
        return self.labels if self.labelled else self.numbers


def quoted_name(text: str) -> str:
    """Return a part of a tier's name: without `|`."""
    return text.replace("%", "%25").replace("|", "%7C")


def read_records(path: str | Path, space: str = "") -> Iterator[Record]:
    """Read the Records of a TextGrid or a Collection.

    Raises:
        UnreadableError: there is no such file, or it is no TextGrid in text form; says what and where.
        UnknownNameError: there is no such space.
    """
    meant = find_space(space) if space else None
    name = Path(path).name
    try:
        if Path(path).stat().st_size > LARGEST:
            raise UnreadableError(f"{name} is larger than {LARGEST >> 20} MB; extract a part of it in Praat")
        held = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None
    tokens = _Tokens(_decoded(held, name), name)
    if tokens.text() != "ooTextFile":
        raise UnreadableError(f"{name} is no TextGrid; in Praat, choose 'Save as text file'")
    kind = tokens.text()
    if kind.split()[:1] == ["TextGrid"]:
        yield _record(tokens, Path(path).stem, meant)
        return
    if kind != "Collection":
        raise UnreadableError(f"{name} holds a {kind[:40]!r}, not a TextGrid or a Collection of them")
    for _ in range(tokens.count()):
        kind = tokens.text()
        if kind.split()[:1] != ["TextGrid"]:
            raise UnreadableError(f"{name} holds a {kind[:40]!r} among its TextGrids; save these alone")
        yield _record(tokens, tokens.text(), meant)


def _decoded(held: bytes, name: str) -> str:
    if held.startswith(b"ooBinaryFile"):
        raise UnreadableError(f"{name} is a binary TextGrid; in Praat, choose 'Save as text file'")
    wide = held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return held.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        form = "UTF-16" if wide else "UTF-8"
        raise UnreadableError(
            f"{name} is no {form} (byte {error.start}); in Praat, set text writing to UTF-8"
        ) from None


class _Tokens:
    """The numbers, texts and flags of a file, one by one."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._text, self._at = text, 0
        self._found = _TOKEN.finditer(text)

    def text(self) -> str:
        """Return the next token, a text."""
        return str(self._next("text", "a text in quotes")).replace('""', '"')

    def time(self) -> float:
        """Return the next token, seconds >= 0."""
        said = self._number()
        if not 0 <= said < math.inf:
            raise UnreadableError(f"{self.where()} wants seconds >= 0, not {said}; in Praat, shift the times to 0")
        return said

    def count(self) -> int:
        """Return the next token, how many of something follow."""
        said = self._number()
        if not (said >= 0 and said == said // 1):
            raise UnreadableError(f"{self.where()} wants a count, not {said}")
        return int(said)

    def flag(self) -> bool:
        """Return the next token, whether something exists."""
        return self._next("flag", "<exists> or <absent>") == "<exists>"

    def _number(self) -> float:
        said = self._next("number", "a number")
        try:
            return float(said)
        except ValueError:
            raise UnreadableError(f"{self.where()} wants a number, not {said[:40]}") from None

    def _next(self, kind: str, wanted: str) -> str:
        for match in self._found:
            if match.lastgroup is not None:
                self._at = match.start()
                if match.lastgroup == kind:
                    return match[kind]
                raise UnreadableError(f"{self.where()} wants {wanted}, not {match[0][:40]!r}")
        self._at = len(self._text)
        raise UnreadableError(f"{self.where()} wants {wanted}, and the file ends; it was cut off")

    def where(self) -> str:
        """Return the place of the last token."""
        number = self._text.count("\n", 0, self._at) + 1
        return f"line {number} of {self.name}"


def _record(tokens: _Tokens, id: str, meant: Space | None) -> Record:
    tokens.time()
    tokens.time()
    tiers = []
    if tokens.flag():
        tiers = [_tier(tokens) for _ in range(tokens.count())]
    tracks: dict[_Key, _Rows] = {}
    turns: list[Turn] = []
    meta = {}
    for name, rows in tiers:
        parts = name.split("|")
        if len(parts) > 1 and parts[-1].isdigit():
            del parts[-1]
        numbers = len(parts) > 3 and parts[-1] == NUMBERS
        key = _key(parts[: len(parts) - numbers])
        if name == ERROR:
            meta = {"error": rows[0][2] if rows else ""}
        elif key is not None:
            mine = tracks.setdefault(key, _Rows())
            full = numbers or find_space(key.space).kind != "one"
            (mine.numbers if full else mine.labels).extend(rows)
            mine.labelled |= not full
        elif meant is not None and rows and {text for *_, text in rows} <= {*meant.names, NOTHING}:
            tracks.setdefault(_Key(name, "voice", meant.id, "expressed", ""), _Rows(labelled=True)).labels.extend(rows)
        else:
            speaker = unquoted(parts[0]) if len(parts) == 1 else name
            turns += [Turn(speaker, Span(start, end), "" if text.isspace() else text) for start, end, text in rows]
    turns.sort(key=lambda turn: (turn.span.start, turn.span.end) if turn.span else (0, 0))
    try:
        found = tuple(_track(key, rows) for key, rows in tracks.items() if rows.chosen())
        return Record(id, turns=tuple(turns), tracks=found, meta=meta)
    except AffettoError as error:
        raise UnreadableError(f"{id!r} in {tokens.name} cannot be read: {error}") from None


def _tier(tokens: _Tokens) -> tuple[str, list[Row]]:
    """Return name and labels of a tier, but for the empty ones."""
    kind, name = tokens.text(), tokens.text()
    if kind not in ("IntervalTier", "TextTier"):
        raise UnreadableError(f"{tokens.where()} wants an IntervalTier or a TextTier, not {kind[:40]!r}")
    tokens.time()
    tokens.time()
    rows = []
    for _ in range(tokens.count()):
        start = tokens.time()
        end = tokens.time() if kind == "IntervalTier" else start
        text = tokens.text()
        if end < start:
            raise UnreadableError(f"{tokens.where()} ends an interval of {name[:40]!r} at {end}, before {start}")
        if text:
            rows.append((start, end, text))
    return name, rows


def _key(parts: list[str]) -> _Key | None:
    """Return whose Track a tier of such a name is; None where it is no such name."""
    if not 3 <= len(parts) <= 5:
        return None
    subject, channel, space, perspective, source = (*map(unquoted, parts), *("expressed", "")[len(parts) - 3 :])
    if channel not in get_args(Channel) or perspective not in get_args(Perspective):
        return None
    try:
        find_space(space)
    except UnknownNameError:
        return None
    return _Key(subject, channel, space, perspective, source)  # type: ignore[arg-type]  # both are seen to be known


def _track(key: _Key, rows: _Rows) -> Track:
    """Return the Track of the tiers: the labels, where there are any, and of the numbers those that agree with them."""
    full: dict[tuple[float, float], list[str]] = {}
    for start, end, text in rows.numbers:
        full.setdefault((start, end), []).append(text)
    told: list[tuple[dict[str, float], float, str]] = []
    chosen = sorted(rows.chosen(), key=lambda row: row[:2])
    for start, end, text in chosen:
        if not rows.labelled:
            told.append(heard(text))
            continue
        same = next((one for one in full.get((start, end), ()) if _agree(text, heard(one)[0])), None)
        if same is not None:
            full[start, end].remove(same)
            told.append(heard(same))
        else:
            told.append(({} if text == NOTHING else {text: 1.0}, math.nan, ""))
    return _built(key, chosen, told)


def _agree(label: str, values: dict[str, float]) -> bool:
    top = max(values, key=lambda name: values[name]) if values else NOTHING
    return label == top


def _built(key: _Key, rows: list[Row], told: list[tuple[dict[str, float], float, str]]) -> Track:
    words = tuple(dict.fromkeys(name for values, *_ in told for name in values))
    space = find_space(key.space)
    if space.kind == "open":
        if len(words) > MOST_LABELS:
            raise MalformedError(f"{key.subject!r} has over {MOST_LABELS:,} different words in an open space")
        space = open_space(words, space.id)
    place = {name: i for i, name in enumerate(space.names)}
    found = np.full((len(rows), len(space.axes)), np.nan, np.float32)
    for i, (values, *_) in enumerate(told):
        if values and space.kind == "one":
            found[i] = 0
        for name, value in values.items():
            if name not in place:
                where = f"{name[:60]!r} at {rows[i][0]:g} s is no name"
                raise MalformedError(
                    f"{where} in the space {space.id} of {key.subject!r}: {', '.join(space.names)[:300]}"
                )
            found[i, place[name]] = value
    sure = np.array([confidence for _, confidence, _ in told])
    notes = tuple(note for *_, note in told)
    return Track(
        space,
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        found,
        "s",
        key.subject,
        key.perspective,
        key.channel,
        key.source,
        confidence=None if np.isnan(sure).all() else sure,
        note=notes if any(notes) else None,
    )
