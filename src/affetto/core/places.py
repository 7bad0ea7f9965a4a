"""Which turn of a talk a row of a Track lies on, whether it counts turns or seconds. Knows places only."""

from collections.abc import Iterator

import numpy as np

from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track


class Places:
    """Which turn a row lies on."""

    def __init__(self, record: Record) -> None:
        """Look where the turns of a Record lie."""
        self._count = len(record.turns)
        self._starts: dict[tuple[float, float], list[int]] = {}
        for k, turn in enumerate(record.turns):
            if turn.span is not None and turn.span.unit == "s":
                self._starts.setdefault((turn.span.start, turn.span.end), []).append(k)
        self._speakers = [piece.subject for piece in record.pieces()] if record.turns else []

    def __call__(self, span: Span | None, speaker: str = "") -> int:
        """Return the number of the turn at a span, -1 where there is none; of several, that of a speaker."""
        if span is None:
            return -1
        if span.unit == "turn":
            return int(span.start) if 0 <= span.start < self._count else -1
        here = self._starts.get((span.start, span.end), []) if span.unit == "s" else []
        mine = [k for k in here if self._speakers[k] == speaker]
        return (mine or here or [-1])[0]

    def rows(self, track: Track) -> Iterator[tuple[int, int]]:
        """Yield the rows of a Track that say something, each with its turn; rows of one place are of turns in turn."""
        used: dict[Span, int] = {}
        for row, span in enumerate(track.spans):
            here = self._starts.get((span.start, span.end), []) if span.unit == "s" else []
            mine = [k for k in here if self._speakers[k] == track.subject]
            used[span] = used.get(span, -1) + 1
            k = mine[used[span]] if used[span] < len(mine) else self(span, track.subject)
            if k >= 0 and not np.isnan(track.values[row]).all():
                yield row, k
