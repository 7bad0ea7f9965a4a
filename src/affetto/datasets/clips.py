"""Clips: Records of a recording or a picture that lies in a file, with what was said of the whole of it.

Knows how such a Record is put together; reads nothing but the headers of sound files. A sound whose file is there can
be opened, as one channel of 16 kHz, and is decoded no sooner than that; other signals are only named: a path, and rate
and duration as far as a table, a header or the corpus's own description says them. A picture is only named.
The path of a signal begins with the folder given; `meta["file"]` is the same below that folder.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from affetto.core.record import Record
from affetto.core.signal import Audio, Block, Frames, Image, Signal
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.datasets.corpus import one_of
from affetto.datasets.headers import header

INTENDED = "intended"
"""Source of a Track that says what a speaker was asked to express: nobody was asked what came across."""
SPEAKER = "speaker"
"""Subject of such Tracks, and the key of the Record's people."""
HEARD = 16000.0
"""Samples a second of a sound that can be opened."""


def clip(
    id: str,
    signals: Sequence[Signal],
    tracks: Sequence[Track],
    speaker: str = "",
    about: Mapping[str, Any] | None = None,
    **meta: Any,
) -> Record:
    """Return the Record of one clip.

    Args:
        id: its name.
        signals: what it gives.
        tracks: what was said of it.
        speaker: who speaks or is seen, where known: the group that a split must not cut.
        about: what is known of that person, such as gender and age.
        meta: anything else.
    """
    who = {"group": speaker} if speaker else {}
    people = {SPEAKER: {**who, **(about or {})}} if speaker or about else {}
    return Record(
        id, tuple(signals), people=people, tracks=tuple(tracks), meta=({"speaker": speaker} if speaker else {}) | meta
    )


def said_of_clip(
    space: Space, said: str | Sequence[float] | None, duration: float = math.nan, source: str = INTENDED, **what: Any
) -> Track:
    """Return what was said of a whole clip: one row over its seconds.

    Args:
        space: of the values.
        said: a label, or a row of values; None where nothing was said (a row of NaN).
        duration: seconds; NaN where unknown, and then the row ends where it starts, at 0.
        source: who said it.
        what: the other columns of a `Track`, such as `channel`.

    Raises:
        UnknownNameError: the space has no such label.
    """
    values = one_of(space, said) if isinstance(said, str) else [math.nan] * len(space.axes) if said is None else said
    end = 0.0 if math.isnan(duration) else duration
    return Track(space, np.zeros(1), np.array([end]), np.array([values]), **{"subject": SPEAKER} | what, source=source)


def votes(counts: Sequence[float]) -> list[float] | None:
    """Return the shares of votes, which sum to 1; None where nobody voted.

    >>> votes([3, 1])
    [0.75, 0.25]
    """
    total = sum(counts)
    return [count / total for count in counts] if total else None


@dataclass(frozen=True)
class Opened:
    """How a sound is opened: decoded anew each time, to one channel of 16 kHz."""

    source: Path | Callable[[], BinaryIO]
    """The file, or what gives its bytes."""
    path: str
    """What it is called where it cannot be decoded."""

    def __call__(self, seconds: float) -> Iterator[Block]:
        """Yield blocks of so many seconds.

        Raises:
            UnreadableError: it cannot be decoded.
        """
        from affetto.media.audio import audio  # noqa: PLC0415 - the decoder is heavy, and most reading needs none

        yield from audio(self.source, path=self.path).blocks(seconds)


def sound(folder: Path, file: str, rate: float, duration: float = math.nan, channels: int = 1) -> Audio:
    """Return a sound that lies in a file, to be opened as one channel of 16 kHz; one that is not there is as said here.

    Args:
        folder: of the corpus.
        file: below it.
        rate: samples a second, as the corpus has it.
        duration: seconds, where the corpus says them; a header that says them is believed instead.
        channels: as the corpus has them.

    Raises:
        UnreadableError: the file is there and its header is broken.
    """
    path = folder / file
    if not path.is_file():
        return Audio(str(path), rate, duration, None, channels)
    if path.suffix.lower() in (".wav", ".mp3"):
        known = header(path).duration
        duration = duration if math.isnan(known) else known
    return Audio(str(path), HEARD, duration, Opened(path, str(path)))


def film(folder: Path, file: str, rate: float, duration: float = math.nan, size: tuple[int, int] = (0, 0)) -> Frames:
    """Return a film that lies in a file, not opened."""
    return Frames(str(folder / file), rate, duration, None, size)


def picture(folder: Path, file: str) -> Image:
    """Return a picture that lies in a file, only named."""
    return Image(None, str(folder / file))


def files(folder: Path, pattern: str) -> list[Path]:
    """Return the files below a folder that a pattern names, by name; hidden ones (`._Ses01.txt`) are no part of it."""
    return sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))
