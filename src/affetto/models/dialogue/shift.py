"""How each speaker's feeling moved from turn to turn: where it changed, how surely, and to which side.

Compares each turn with the same speaker's turn before it. Knows answers; knows neither words nor networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.models.dialogue.feelings import SPACE, Floats, felt_by_all


@dataclass(frozen=True)
class Shift:
    """A Model of change between a speaker's turns."""

    card: Card
    erc: str = "dialogue.erc"
    """The card of who is asked where a talk carries no feelings."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each speaker with two turns or more that show something."""
        values = felt_by_all(records, self.erc)
        return [self._of(record, feelings) for record, feelings in zip(records, values, strict=True)]

    def _of(self, record: Record, feelings: Floats) -> tuple[Track, ...]:
        pieces = record.pieces() if record.turns else []
        space, labels = load_card("shift"), load_card(SPACE)
        valence = labels.weighed(load_card("va"), feelings)[:, 0]
        said = np.flatnonzero(~np.isnan(feelings).any(1))
        before: dict[str, int] = {}
        rows: dict[str, list[tuple[int, int]]] = {}
        for k in said:
            subject = pieces[k].subject
            if subject in before:
                rows.setdefault(subject, []).append((before[subject], int(k)))
            before[subject] = int(k)
        tracks = []
        for subject, pairs in rows.items():
            old, new = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
            same = (feelings[old] * feelings[new]).sum(1)
            names = [[labels.names[k] for k in feelings[turns].argmax(1)] for turns in (old, new)]
            tracks.append(
                Track(
                    space=space,
                    start=np.array([pieces[k].start for k in new]),
                    end=np.array([pieces[k].end for k in new]),
                    values=np.stack([np.clip(1 - same, 0, 1), np.clip(valence[new] - valence[old], -2, 2)], 1),
                    unit=pieces[new[0]].unit,
                    subject=subject,
                    source=str(self.card),
                    about=tuple(Span(pieces[k].start, pieces[k].end, pieces[k].unit) for k in old),
                    note=tuple(a if a == b else f"{a} → {b}" for a, b in zip(*names, strict=True)),
                )
            )
        return tuple(tracks)


def load(card: Card) -> Shift:
    """Load it as its card says."""
    return Shift(card, str(card.facts.get("erc", "dialogue.erc")))
