"""How Records become texts to answer, and answers become Tracks again. Every text model reads this way.

A post is one row over its characters, said by `writer`. In a talk each speaker has a Track of their own with a row a
turn, in seconds where the turns carry them. What a reader would feel is one Track of `reader`. Knows no network.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.record import Piece, Record
from affetto.core.signal import Text
from affetto.core.space import Space
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


class _Asked(NamedTuple):
    """One text to answer, and in which Record it stands."""

    record: int
    piece: Piece
    language: str


def read(records: Sequence[Record], answer: Answerer, card: Card) -> list[tuple[Track, ...]]:
    """Answer every text and turn of `records`, and return each Record's Tracks, in order.

    A Record without words gets an empty tuple; empty words, and words over `LONGEST`, get NaN.
    """
    asked = [_Asked(i, *said) for i, record in enumerate(records) for said in _pieces(record)]
    if not asked:
        return [() for _ in records]
    said = np.array([bool(p.text.strip()) and len(p.text) <= LONGEST for _, p, _ in asked])
    chosen = [one for one, yes in zip(asked, said, strict=True) if yes]
    answers = answer([one.piece.text for one in chosen], [one.language for one in chosen])
    found: list[list[Track]] = [[] for _ in records]
    for part in answers:
        for record, track in _tracks(_filled(part, said, asked), asked, card):
            found[record].append(track)
    return [tuple(tracks) for tracks in found]


def decided(values: npt.NDArray[np.float32], limits: npt.NDArray[np.float32], names: Sequence[str]) -> list[str]:
    """Return the labels of each row of values (n x k) that reach their limits (k, or n x k), the surest first."""
    notes = []
    for row, yes in zip(values, values >= limits, strict=True):
        chosen = np.flatnonzero(yes)
        notes.append("; ".join(names[k] for k in chosen[np.argsort(-row[chosen], kind="stable")]))
    return notes


def _pieces(record: Record) -> Iterator[tuple[Piece, str]]:
    """Yield the pieces of a Record with their languages; that of a talk is the one its first Text names."""
    languages = [signal.language for signal in record.signals if isinstance(signal, Text)]
    for k, piece in enumerate(record.pieces()):
        yield piece, languages[0 if record.turns else k] if languages else ""


def _filled(part: Answer, said: npt.NDArray[np.bool_], asked: Sequence[_Asked]) -> Answer:
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
    note = [
        (next(given) if given else "") if yes else _why_not(one.piece) for one, yes in zip(asked, said, strict=True)
    ]
    return replace(part, values=values, confidence=confidence, note=note)


def _why_not(piece: Piece) -> str:
    length = len(piece.text)
    return f"{length:,} characters, over the limit of {LONGEST:,}: split it" if length > LONGEST else ""


def _tracks(part: Answer, asked: Sequence[_Asked], card: Card) -> list[tuple[int, Track]]:
    """Cut one space's answers into a Track for each Record and subject: checked once as a whole, then sliced."""
    groups: dict[tuple[int, str], list[int]] = {}
    for k, (record, piece, _) in enumerate(asked):
        groups.setdefault((record, "reader" if part.reader else piece.subject), []).append(k)
    order = [k for rows in groups.values() for k in rows]
    whole = Track(
        space=part.space,
        start=np.array([asked[k].piece.start for k in order]),
        end=np.array([asked[k].piece.end for k in order]),
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
        tracks.append((record, track.called(subject, asked[rows[0]].piece.unit)))
    return tracks
