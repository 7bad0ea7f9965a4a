"""How long a stream is: what the headers of its container state, and what its packets say.

A long file is measured by its last packets, after a leap; a short one is gone through, undecoded. Knows seconds, from
the start of the container; decodes nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av

from affetto.media.containers import BROKEN, SPAN, seconds
from affetto.media.decoding import packets

COUNTED = 1 << 22
"""Bytes up to which a file is gone through, undecoded, to count its seconds."""
COUNTED_UNSTATED = 1 << 26
"""The same of a container whose header states none."""
SLACK = 0.15
"""Seconds by which a header may differ from what was counted: codecs pad both ends."""
_SHORT = 0.5
"""Seconds that may be missing at the end of a file before it is called broken off."""
_TAILS = (2.0, 30.0, 300.0)
"""Seconds before the end from which on a long file is searched for its last packet, until one is found."""
_STATED = {
    *("ogg", "flac", "wav", "w64", "aiff", "au", "caf", "mov", "matroska", "webm", "asf", "avi"),
    *("gif", "ivf", "mxf", "flv"),
}
"""Containers whose headers state a duration; those of others (.mp3, .aac) are guesses from the rate of bits."""


@dataclass(frozen=True)
class Length:
    """How long a stream is."""

    seconds: float
    """NaN where no header is to be trusted and the file is too long to be counted."""
    warning: str
    """That the file ends before its header says; empty where it does not."""
    shared: bool = False
    """Whether the header speaks of the whole file only: then the stream may just be shorter than another one."""


class Measure:
    """Measures the length of a stream while its packets are gone through."""

    def __init__(self, container: Any, stream: Any, size: int) -> None:
        """Look at the headers; `size` is the bytes of the file."""
        self._container, self._stream = container, stream
        self._stated = not _STATED.isdisjoint(container.format.name.split(","))
        self._last = math.nan
        self.whole = size <= (COUNTED if self._stated else COUNTED_UNSTATED)
        """Whether all packets are to be gone through."""

    def packets(self) -> Iterator[Any]:
        """Yield the packets, and keep the seconds at which they end."""
        for packet in packets(self._container, self._stream):
            self._see(packet)
            yield packet

    def length(self, called: str) -> Length:
        """Return how long it is, after the packets: all of them, or only the first."""
        said = self._said()
        counted = self._last if self.whole else self._tail(said) if self._stated else math.nan
        known = self._stated and not math.isnan(said)
        short = known and not counted > said - _SHORT
        duration = said if known and abs(said - counted) <= SLACK else counted
        why = f"{called} is broken off: it ends before the {said:.1f} s that its header says" if short else ""
        return Length(duration, why, self._stream.duration is None)

    def _see(self, packet: Any) -> None:
        if packet.pts is None:
            return
        end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - seconds(self._container)
        if 0 <= end < SPAN and not end < self._last:
            self._last = end

    def _said(self) -> float:
        """Return the seconds that the headers state; NaN where they state none."""
        container, stream = self._container, self._stream
        if stream.duration is not None:
            start = float((stream.start_time or 0) * stream.time_base) - seconds(container)
            said = start + float(stream.duration * stream.time_base)
        else:
            said = (container.duration or 0) / av.time_base
        return said if 0 < said < SPAN else math.nan

    def _tail(self, said: float) -> float:
        """Return the seconds at which the last packet ends, after a leap to where it should lie; NaN if none is."""
        self._last = math.nan
        if math.isnan(said):
            return math.nan
        for back in _TAILS:
            try:
                self._container.seek(int(max(0.0, said - back + seconds(self._container)) * av.time_base))
            except BROKEN:
                return math.nan
            for packet in packets(self._container, self._stream):
                self._see(packet)
            if not math.isnan(self._last) or back >= said:
                break
        return self._last
