"""Pieces of time to be answered: segments of speech, overlapping windows of long ones, a regular grid.

Knows seconds; knows no sound and no network.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError

_HAIR = 1e-6
"""Seconds that make no difference."""


@dataclass(frozen=True, order=True)
class Stretch:
    """From when to when, in seconds from the start of the sound."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """How long it is, in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class SegmentOptions:
    """How stretches of voice become segments that are answered one by one.

    Raises:
        MalformedError: not `0 <= shortest <= longest` and `0 <= overlap < longest`.
    """

    longest: float = 6.0
    """A longer stretch is answered in windows of at most so many seconds."""
    overlap: float = 2.0
    """Seconds that neighbouring windows of one stretch share at least."""
    shortest: float = 0.4
    """A shorter stretch is widened to so many seconds, as far as the sound goes."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not (0 <= self.shortest <= self.longest < math.inf and 0 <= self.overlap < self.longest):
            raise MalformedError(
                "segments want 0 <= shortest <= longest and 0 <= overlap < longest, in seconds, not "
                f"shortest {self.shortest}, longest {self.longest} and overlap {self.overlap}"
            )


def segments(
    stretches: Iterable[Stretch], duration: float = math.inf, options: SegmentOptions | None = None
) -> list[Stretch]:
    """Return the segments of stretches of voice, in order: none longer and, within the sound, none shorter than asked.

    A long stretch gives windows of one length, evenly spread, that overlap; together they are the stretch.

    Args:
        stretches: where there is voice.
        duration: of the sound, in seconds.
        options: how long segments are.

    >>> segments([Stretch(3, 5), Stretch(10, 20)], 60.0)[:2]
    [Stretch(start=3, end=5), Stretch(start=10.0, end=16.0)]
    """
    options = options or SegmentOptions()
    found: list[Stretch] = []
    for stretch in stretches:
        if stretch.length < options.shortest:
            found.append(_widened(stretch, options.shortest, duration))
        elif stretch.length <= options.longest + _HAIR:
            found.append(stretch)
        else:
            hops = max(1, math.ceil((stretch.length - options.longest) / (options.longest - options.overlap) - _HAIR))
            hop = (stretch.length - options.longest) / hops
            found += windows(stretch, options.longest, hop)
    return found


def windows(stretch: Stretch, length: float, hop: float) -> list[Stretch]:
    """Return windows of one length, one every `hop` seconds and a last one that ends with the stretch.

    A stretch that is no longer than a window is the only one.

    Raises:
        MalformedError: length or hop is not above 0.

    >>> windows(Stretch(0, 5), 2.0, 2.0)
    [Stretch(start=0.0, end=2.0), Stretch(start=2.0, end=4.0), Stretch(start=3.0, end=5)]
    """
    _positive(length=length, hop=hop)
    if stretch.length <= length + _HAIR:
        return [stretch]
    count = math.ceil((stretch.length - length) / hop - _HAIR)
    early = [Stretch(stretch.start + i * hop, stretch.start + i * hop + length) for i in range(count)]
    return [*early, Stretch(stretch.end - length, stretch.end)]


def grid(duration: float, rate: float, width: float | None = None) -> list[Stretch]:
    """Return windows of `width` seconds, `rate` a second, over a whole sound; those at its ends are cut.

    Window i lies around the middle of the cell from i / rate to (i + 1) / rate; without a width it is that cell.

    Raises:
        MalformedError: rate or width is not above 0, or duration is below 0 or unknown.

    >>> grid(2.0, 1.0, 3.0), grid(2.5, 1.0)[-1]
    ([Stretch(start=0.0, end=2.0), Stretch(start=0.0, end=2.0)], Stretch(start=2.0, end=2.5))
    """
    _positive(rate=rate, width=1.0 if width is None else width)
    if not 0 <= duration < math.inf:
        raise MalformedError(f"a grid wants a duration >= 0 in seconds, not {duration}")
    count = math.ceil(duration * rate - _HAIR)
    cells = [Stretch(i / rate, min(duration, (i + 1) / rate)) for i in range(count)]
    if width is None:
        return cells
    middles = ((cell.start + cell.end) / 2 for cell in cells)
    return [Stretch(max(0.0, middle - width / 2), min(duration, middle + width / 2)) for middle in middles]


def voiced(places: Sequence[Stretch], stretches: Sequence[Stretch]) -> npt.NDArray[np.float64]:
    """Return the share of each place, 0..1, that is voice.

    Args:
        places: n, anywhere, in any order.
        stretches: where there is voice, in order and apart.

    >>> voiced([Stretch(0, 2), Stretch(2, 3)], [Stretch(1, 2.5)]).tolist()
    [0.5, 0.5]
    """
    edges = np.array([(s.start, s.end) for s in stretches], np.float64).reshape(-1)
    before = np.concatenate([[0.0], np.cumsum(np.diff(edges, prepend=0.0) * (np.arange(len(edges)) % 2))])
    bounds = np.array([(p.start, p.end) for p in places], np.float64).reshape(-1, 2)
    length = bounds[:, 1] - bounds[:, 0]
    seconds = np.diff(np.interp(bounds, np.concatenate([[0.0], edges]), before), axis=1)[:, 0]
    share: npt.NDArray[np.float64] = np.divide(seconds, length, out=np.zeros_like(seconds), where=length > 0)
    return share


def _widened(stretch: Stretch, length: float, duration: float) -> Stretch:
    start = max(0.0, min((stretch.start + stretch.end - length) / 2, duration - length))
    return Stretch(start, min(duration, start + length))


def _positive(**given: float) -> None:
    for name, value in given.items():
        if not 0 < value < math.inf:
            raise MalformedError(f"{name} wants to be above 0, not {value}")
