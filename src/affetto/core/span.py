"""Where something is: seconds of a recording, characters of a text, or turns of a talk.

Knows intervals and their algebra; knows nothing of what happens in them.
"""

import math
from dataclasses import dataclass
from functools import total_ordering
from typing import Literal, get_args

from affetto.core.errors import MalformedError

Unit = Literal["s", "char", "turn"]
UNITS: tuple[Unit, ...] = get_args(Unit)


@total_ordering
@dataclass(frozen=True, slots=True)
class Span:
    """The half-open stretch from `start` to `end` in one unit, ordered by start and then by end.

    Raises:
        MalformedError: the unit is none of `s`, `char`, `turn`, or not `0 <= start <= end < infinity`.

    >>> Span(0, 2, "s") & Span(1, 3, "s")
    Span(start=1, end=2, unit='s')
    >>> 1.5 in Span(0, 2, "s"), Span(0, 1, "s") in Span(0, 2, "s")
    (True, True)
    """

    start: float
    end: float
    unit: Unit = "s"

    def __post_init__(self) -> None:
        """Refuse what is no span."""
        if self.unit not in UNITS:
            raise MalformedError(f"a Span's unit is one of {', '.join(UNITS)}, not {self.unit!r}")
        try:
            good = math.isfinite(self.start) and math.isfinite(self.end) and 0 <= self.start <= self.end
        except (TypeError, OverflowError):
            good = False
        if not good:
            raise MalformedError(f"a Span wants finite 0 <= start <= end, not {self.start!r} and {self.end!r}")

    @property
    def length(self) -> float:
        """How long it is, in its unit."""
        return self.end - self.start

    def __and__(self, other: "Span") -> "Span | None":
        """Return what both share, or None where they only touch or are apart."""
        self._same_unit(other)
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end, self.unit) if start < end else None

    def __contains__(self, other: "Span | float") -> bool:
        """Tell whether a point, or a whole span, lies inside."""
        if isinstance(other, Span):
            self._same_unit(other)
            return self.start <= other.start and other.end <= self.end
        return self.start <= other < self.end

    def __lt__(self, other: "Span") -> bool:
        """Order by start, then by end."""
        self._same_unit(other)
        return (self.start, self.end) < (other.start, other.end)

    def _same_unit(self, other: "Span") -> None:
        if self.unit != other.unit:
            raise MalformedError(f"Spans of different units never mix: {self.unit!r} and {other.unit!r}")
