"""What is worth showing of a Record's answers: for each subject and stretch, the feelings, how sure, and the degrees.

Knows Tracks; knows neither colours nor terminals.
"""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from affetto.core.record import Record
from affetto.core.space import Axis
from affetto.core.span import Span
from affetto.core.track import Track

WORTH_NAMING = 0.05
"""Probabilities below this are left out where people read."""
MOST_AXES = 40
"""Of more numbers in a row than this people are told only how many there are; files hold them all."""
Share = tuple[Axis, float]


@dataclass(frozen=True)
class Answer:
    """What is said in one space of labels."""

    space: str
    shares: list[Share]
    """Highest first."""
    confidence: float
    """NaN where unknown."""
    decided: list[str]
    """The labels that the model decided on, where several may be right."""


@dataclass
class Gist:
    """What is said of one subject over one stretch."""

    subject: str
    span: Span
    text: str
    perspectives: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    """Those where one label is right come first."""
    degrees: list[Share] = field(default_factory=list)
    """Valence, arousal ... on axes that go both ways or from low to high."""
    intensities: list[Share] = field(default_factory=list)
    """How strong each of several feelings is, from nothing upward."""
    notes: list[str] = field(default_factory=list)
    """Why nothing was said."""

    @property
    def main(self) -> Share | None:
        """The main feeling and its share."""
        return self.answers[0].shares[0] if self.answers else None

    @property
    def confidence(self) -> float:
        """How sure the main feeling is, NaN where unknown."""
        return self.answers[0].confidence if self.answers else math.nan

    def degree(self, name: str) -> Share | None:
        """Return one degree, None where nothing was said."""
        return next((share for share in self.degrees if share[0].name == name), None)


def gists(record: Record) -> list[Gist]:
    """Return a Gist for each subject and stretch of a Record, in order of time, the speakers before the reader."""
    found: dict[tuple[str, Span], Gist] = {}
    for track in sorted(record.tracks, key=lambda track: track.space.kind != "one"):
        for row, span in enumerate(track.spans):
            gist = found.setdefault((track.subject, span), Gist(track.subject, span, words(record, span)))
            _add(gist, track, row)
    return sorted(found.values(), key=lambda gist: (gist.subject == "reader", gist.span.start, gist.span.end))


def _add(gist: Gist, track: Track, row: int) -> None:
    note = track.note[row] if track.note else ""
    for said, seen in ((track.perspective, gist.perspectives), (track.source, gist.sources)):
        if said not in seen:
            seen.append(said)
    values = track.values[row]
    if np.isnan(values).all():
        if note and note not in gist.notes:
            gist.notes.append(note)
        return
    if track.space.kind == "graded" and len(track.space.axes) > MOST_AXES:
        return
    if track.space.kind == "graded":
        both_ways = any(axis.name == "valence" for axis in track.space.axes)
        listed = gist.degrees if both_ways else gist.intensities
        known = {axis.name for axis, _ in listed}
        listed += [share for share in shares(track, row, by_height=False) if share[0].name not in known]
    elif track.space.kind != "vector":
        sure = math.nan if track.confidence is None else float(track.confidence[row])
        labels = decided(note) if track.space.kind == "any" else []
        gist.answers.append(Answer(track.space.id, shares(track, row), sure, labels))


def shares(track: Track, row: int, by_height: bool = True) -> list[Share]:
    """Return what one row says of each axis, without what it does not say."""
    said = [(axis, float(value)) for axis, value in zip(track.space.axes, track.values[row], strict=True)]
    said = [share for share in said if not math.isnan(share[1])]
    return sorted(said, key=lambda share: -share[1]) if by_height else said


def decided(note: str) -> list[str]:
    """Return the labels in a note.

    >>> decided("joy; love")
    ['joy', 'love']
    """
    return [name.strip() for name in note.split(";") if name.strip()]


def words(record: Record, span: Span) -> str:
    """Return the words of a Record that lie at a span."""
    if span.unit == "char":
        return (record.text or "")[int(span.start) : int(span.end)]
    if span.unit == "turn":
        return " ".join(turn.text for turn in record.turns[int(span.start) : math.ceil(span.end)])
    return " ".join(turn.text for turn in record.turns if turn.span is not None and turn.span in span)


def explained(part: Track) -> str:
    """Return the answer that an importance Track explains, as its source says it.

    >>> from affetto.core.space import Axis, Space
    >>> space = Space("importance", "graded", (Axis("importance", low=-1.0),))
    >>> explained(Track(space, [], [], [], source="occlusion(fake@1, ekman-7: joy)"))
    'ekman-7: joy'
    """
    return part.source.rpartition(", ")[2].removesuffix(")")


def place(span: Span) -> str:
    """Return where a stretch lies, as people write it; empty for characters.

    >>> place(Span(64.2, 66, "s")), place(Span(2, 3, "turn"))
    ('1:04.2', '3')
    """
    if span.unit == "turn":
        return str(int(span.start) + 1)
    minutes, seconds = divmod(span.start, 60)
    return f"{int(minutes)}:{seconds:04.1f}" if span.unit == "s" else ""


def one_line(text: str, width: int | None = None) -> str:
    r"""Return text safe to show on one line: no line breaks, no control codes, no switches of direction.

    >>> one_line("hello\x1b[31m\n you", 9)
    'hello [3…'
    """
    if not text.isprintable():
        text = "".join(character if _showable(character) else " " for character in text[: 4 * (width or len(text)) + 4])
    text = " ".join(text.split())
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def _showable(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind not in ("Cc", "Cs", "Zl", "Zp") and (kind != "Cf" or character in "\u200c\u200d")


def lines(record: Record) -> Iterable[str]:
    """Yield a plain line for each answer: `[place] subject perspective space: what is said`.

    Of faces there is a line for each person and stretch (`serve.faces`), not for each frame; of what channels say
    together too (`serve.together`).
    """
    if any(track.channel == "fused" or track.space.id == "speaking" for track in record.tracks):
        from affetto.serve import together  # noqa: PLC0415 - it knows how they are told

        yield from lines(together.apart(record))
        yield from together.lines(record)
        return
    if any(track.channel == "face" for track in record.tracks):
        from affetto.serve import faces  # noqa: PLC0415 - it knows how stretches are told

        rest = faces.faceless(record)
        if rest.tracks or "error" in record.meta:
            yield from lines(rest)
        yield from faces.lines(record)
        return
    if error := record.meta.get("error"):
        yield f"error: {one_line(str(error))}"
    elif not record.tracks:
        yield "not said"
    rows = [(track, row, span) for track in record.tracks for row, span in enumerate(track.spans)]
    for track, row, span in sorted(rows, key=lambda found: found[2].start):
        where = f"{place(span)} " if place(span) else ""
        about = f" | {one_line(words(record, span))}" if where else ""
        said = sentence(track, row)
        yield f"{where}{one_line(track.subject)} {track.perspective} {track.space.id}: {said}{about}"


def sentence(track: Track, row: int) -> str:
    """Return what one row says, in one stable line."""
    note = one_line(track.note[row]) if track.note else ""
    said = shares(track, row, by_height=track.space.kind != "graded")
    if not said:
        return f"not said ({note})" if note else "not said"
    if track.space.kind == "vector" or len(said) > MOST_AXES:
        return f"{len(said)} numbers"
    if track.space.kind == "graded":
        text = ", ".join(f"{axis.name} {number(axis, value)}" for axis, value in said)
    else:
        kept = [share for share in said if share[1] >= WORTH_NAMING][:5] or said[:1]
        text = ", ".join(f"{axis.name} {value:.2f}" for axis, value in kept)
    if track.confidence is not None and not math.isnan(track.confidence[row]):
        text += f" (confidence {track.confidence[row]:.2f})"
    return f"{text} = {note}" if note else text


def number(axis: Axis, value: float) -> str:
    """Return a value as its axis wants it written, with its unit, or with a sign where it goes both ways.

    >>> number(Axis("pitch", low=50, high=1100, unit="Hz"), 181.37), number(Axis("valence", low=-1), 0.5)
    ('181 Hz', '+0.50')
    """
    if axis.unit not in ("", "1", "step"):
        return f"{value:.3g} {axis.unit}"
    return f"{value:+.2f}" if axis.low < 0 else f"{value:.2f}"
