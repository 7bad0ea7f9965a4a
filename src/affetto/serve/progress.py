"""How far a batch is: one line on stderr that is drawn over itself, in a terminal only. Knows no rows."""

import math
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from affetto.run.batch import Progress

_WIDTH = 24
_EVERY = 0.1
_BLOCKS = " ▏▎▍▌▋▊▉█"


@dataclass
class Count:
    """How far a table in a pipe is; the same as `run.batch.Progress`, which tells of a file."""

    rows: int = 0
    errors: int = 0
    resumed: int = 0
    seconds: float = 0.0
    position: int | None = None
    total: int | None = None
    finished: bool = False


class Bar:
    """A bar with the rate and the time left.

    Args:
        wanted: whether to draw at all; it is never drawn where stderr is no terminal.
    """

    def __init__(self, wanted: bool = True) -> None:
        self.drawn = False
        self._wanted = wanted and sys.stderr.isatty()
        self._last = 0.0
        self._parts: dict[str, float] = {}
        self._began = time.monotonic()

    def __call__(self, state: "Progress | Count") -> None:
        """Draw how far it is, at most ten times a second."""
        now = time.monotonic()
        if self._wanted and state.rows and now - self._last >= _EVERY:
            self._last = now
            self.drawn = True
            sys.stderr.write("\r\x1b[K" + line(state))
            sys.stderr.flush()

    def watching(self, part: str, until: float, whole: float) -> None:
        """Draw how far a recording is: the second that each part (face, voice) has come to."""
        self._parts[part] = until
        if self._wanted:
            self.drawn = True
            of = "" if math.isnan(whole) else f" of {clock(whole)}"
            at = ", ".join(f"{name} {clock(second)}" for name, second in sorted(self._parts.items()))
            pace = min(self._parts.values()) / max(time.monotonic() - self._began, 1e-3)
            sys.stderr.write(f"\r\x1b[K{at}{of}  {pace:.1f} times real time")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the bar away."""
        if self.drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.drawn = False


def line(state: "Progress | Count") -> str:
    """Return the bar as text."""
    rate = (state.rows - state.resumed) / state.seconds if state.seconds > 0 else 0.0
    said = f"{state.rows:,} rows"
    if state.errors:
        said += f", {state.errors:,} failed"
    if rate:
        said += f"  {rate:,.0f} rows/s"
    share = min(1.0, state.position / state.total) if state.total and state.position is not None else 0.0
    if not 0 < share < 1 and not state.finished:  # read in blocks: a small input is read whole before it is answered
        return said
    eighths = round(share * _WIDTH * 8)
    full, rest = divmod(eighths, 8)
    bar = ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(_WIDTH)
    left = f"  {clock(state.rows * (1 / share - 1) / rate)} left" if rate and share > 0 else ""
    return f"{share:4.0%} {bar} {said}{left}"


def took(seconds: float) -> str:
    """Return how long something took, as people read it.

    >>> took(0.25), took(75)
    ('0.2 s', '1:15')
    """
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def clock(seconds: float) -> str:
    """Return seconds as people read them.

    >>> clock(5), clock(75), clock(3725)
    ('0:05', '1:15', '1:02:05')
    """
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
