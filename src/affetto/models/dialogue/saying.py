"""How what is said of turns becomes Tracks: one for each speaker, a row a turn, where the turns lie.

Knows Records and Tracks; knows no network.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Perspective, Track

Floats = npt.NDArray[np.float32]
PLACEHOLDERS = frozenset(
    "<media omitted>|<image omitted>|image omitted|video omitted|audio omitted|sticker omitted|gif omitted|"
    "document omitted|this message was deleted|you deleted this message|null".split("|")
)
"""What chat programs write in place of words, in lower case."""


def worded(text: str) -> bool:
    """Tell whether a turn has words: not empty, no placeholder of a picture, not only signs.

    >>> worded("<Media omitted>"), worded("..."), worded("no"), worded("no, wait")
    (False, False, True, True)
    """
    plain = text.strip().strip("\u200e\u200f").lower()
    return plain not in PLACEHOLDERS and any(sign.isalnum() or ord(sign) > 0x2190 for sign in plain)


def said(
    record: Record,
    space: Space,
    values: Floats,
    card: Card,
    confidence: Floats | None = None,
    note: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    perspective: Perspective = "expressed",
) -> tuple[Track, ...]:
    """Return a Track for each speaker of a talk, in the order of their first turns.

    Args:
        record: with turns.
        space: of the values.
        values: n x k, a row a turn; NaN where nothing is said.
        card: of who says it.
        confidence: n.
        note: n.
        rows: the numbers of the turns that are answered at all; None: every turn.
        perspective: from which side.
    """
    pieces = record.pieces()
    groups: dict[str, list[int]] = {}
    for k in range(len(pieces)) if rows is None else rows:
        groups.setdefault(pieces[k].subject, []).append(k)
    tracks = []
    for subject, mine in groups.items():
        notes = tuple(note[k] for k in mine) if note is not None else ()
        tracks.append(
            Track(
                space=space,
                start=np.array([pieces[k].start for k in mine]),
                end=np.array([pieces[k].end for k in mine]),
                values=np.asarray(values, np.float32)[mine],
                unit=pieces[mine[0]].unit,
                subject=subject,
                perspective=perspective,
                channel="text",
                source=str(card),
                confidence=None if confidence is None else np.asarray(confidence, np.float32)[mine],
                note=notes if any(notes) else None,
            )
        )
    return tuple(tracks)
