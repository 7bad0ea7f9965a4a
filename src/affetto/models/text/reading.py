"""How Records become texts to answer, and answers become Tracks again. Every text model reads this way.

A post is one row over its characters, said by `writer`. In a talk each speaker has a Track of their own with a row a
turn, in seconds where the turns carry them. What a reader would feel is one Track of `reader`. Knows no network.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.space import Space
from affetto.core.span import Unit
from affetto.core.track import Perspective, Track

LONGEST = 200_000
"""Characters; a longer text is "not said", with a note that says so, since nobody means it as one feeling."""


@dataclass(frozen=True)
class Answer:
    """What a network says of n texts in one space."""

    space: Space
    values: npt.NDArray[np.float32]
    """n x k."""
    perspective: Perspective = "expressed"
    reader: bool = False
    """Whether it is the reader's feeling; else the writer's or speaker's."""
    confidence: npt.NDArray[np.float32] | None = None
    """n."""
    note: Sequence[str] | None = None
    """n."""


Answerer = Callable[[Sequence[str], Sequence[str]], Sequence[Answer]]
"""Takes n texts and their n languages (empty where unknown), and answers in each of its spaces."""


@dataclass(frozen=True)
class _Piece:
    """One text to answer: where in which Record it stands, and who said it."""

    record: int
    subject: str
    unit: Unit
    start: float
    end: float
    text: str
    language: str


def read(records: Sequence[Record], answer: Answerer, card: Card) -> list[tuple[Track, ...]]:
    """Answer every text and turn of `records`, and return each Record's Tracks, in order.

    A Record without words gets an empty tuple; empty words, and words over `LONGEST`, get NaN.
    """
    pieces = [piece for i, record in enumerate(records) for piece in _pieces(i, record)]
    if not pieces:
        return [() for _ in records]
    said = np.array([bool(p.text.strip()) and len(p.text) <= LONGEST for p in pieces])
    chosen = [piece for piece, yes in zip(pieces, said, strict=True) if yes]
    answers = answer([p.text for p in chosen], [p.language for p in chosen])
    found: list[list[Track]] = [[] for _ in records]
    for part in answers:
        for record, track in _tracks(_filled(part, said, pieces), pieces, card):
            found[record].append(track)
    return [tuple(tracks) for tracks in found]


def decided(values: npt.NDArray[np.float32], limits: npt.NDArray[np.float32], names: Sequence[str]) -> list[str]:
    """Return the labels of each row of values (n x k) that reach their limits (k, or n x k), the surest first."""
    notes = []
    for row, yes in zip(values, values >= limits, strict=True):
        chosen = np.flatnonzero(yes)
        notes.append("; ".join(names[k] for k in chosen[np.argsort(-row[chosen], kind="stable")]))
    return notes


def _pieces(i: int, record: Record) -> list[_Piece]:
    if record.turns:
        languages = [s.language for s in record.signals if isinstance(s, Text)]
        language = languages[0] if languages else ""
        timed = all(turn.span is not None and turn.span.unit == "s" for turn in record.turns)
        pieces = []
        for k, turn in enumerate(record.turns):
            start, end = (turn.span.start, turn.span.end) if timed and turn.span else (k, k + 1)
            pieces.append(
                _Piece(i, turn.speaker or "speaker", "s" if timed else "turn", start, end, turn.text, language)
            )
        return pieces
    pieces, at = [], 0
    for signal in record.signals:
        if isinstance(signal, Text):
            end = at + len(signal.text)
            pieces.append(_Piece(i, "writer", "char", at, end, signal.text, signal.language))
            at = end + 1
    return pieces


def _filled(part: Answer, said: npt.NDArray[np.bool_], pieces: Sequence[_Piece]) -> Answer:
    """Lay the answers of the texts that were asked back among those that were not."""
    if said.all():
        return part
    n = len(said)
    values = np.full((n, len(part.space.axes)), np.nan, np.float32)
    values[said] = part.values
    confidence = None
    if part.confidence is not None:
        confidence = np.full(n, np.nan, np.float32)
        confidence[said] = part.confidence
    given = iter(part.note) if part.note is not None else None
    note = [(next(given) if given else "") if yes else _why_not(p) for p, yes in zip(pieces, said, strict=True)]
    return replace(part, values=values, confidence=confidence, note=note)


def _why_not(piece: _Piece) -> str:
    length = len(piece.text)
    return f"{length:,} characters, over the limit of {LONGEST:,}: split it" if length > LONGEST else ""


def _tracks(part: Answer, pieces: Sequence[_Piece], card: Card) -> list[tuple[int, Track]]:
    """Cut one space's answers into a Track for each Record and subject: checked once as a whole, then sliced."""
    groups: dict[tuple[int, str], list[int]] = {}
    for k, piece in enumerate(pieces):
        groups.setdefault((piece.record, "reader" if part.reader else piece.subject), []).append(k)
    order = [k for rows in groups.values() for k in rows]
    whole = Track(
        space=part.space,
        start=np.array([pieces[k].start for k in order]),
        end=np.array([pieces[k].end for k in order]),
        values=part.values[order],
        unit="char",
        perspective=part.perspective,
        channel="text",
        source=str(card),
        confidence=None if part.confidence is None else part.confidence[order],
        note=None if part.note is None else tuple(part.note[k] for k in order),
    )
    tracks, at = [], 0
    for (record, subject), rows in groups.items():
        track = whole[at : at + len(rows)]
        if track.note is not None and not any(track.note):
            track = replace(track, note=None)
        at += len(rows)
        tracks.append((record, track.called(subject, pieces[rows[0]].unit)))
    return tracks
