"""What a Record says of the faces in its picture or film: who, when, where, and in which few words. Draws nothing.

It goes by the channel `face`, by the spaces' kinds and by a few of their ids; knows no model.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.track import Array, Track

UNITS, MESH, NEUTRAL = "facs-au", "face-mesh-478", "neutral"
DEGREES = ("va", "vad")
"""Ids of the spaces with valence and arousal."""
NEAR = 1e-3
"""Seconds by which a frame may miss its row: clocks are rounded."""
_BLOCK = 1 << 26
"""Bytes of film that are held at a time, about."""


@dataclass(frozen=True)
class Person:
    """One subject and the Tracks on their face; each may be missing."""

    subject: str
    tracks: tuple[Track, ...]

    @property
    def labels(self) -> Track | None:
        """The expressions, of which one is right."""
        return next((track for track in self.tracks if track.space.kind == "one"), None)

    @property
    def degrees(self) -> Track | None:
        """Valence and arousal."""
        return next((track for track in self.tracks if track.space.id in DEGREES), None)

    @property
    def units(self) -> Track | None:
        """The action units."""
        return next((track for track in self.tracks if track.space.id == UNITS), None)

    @property
    def mesh(self) -> Track | None:
        """The landmarks."""
        return next((track for track in self.tracks if track.space.id == MESH), None)

    @property
    def main(self) -> Track:
        """The Track that says most in few words, and whose rows stand for this person's."""
        return self.labels or self.units or self.degrees or self.tracks[0]

    @property
    def seen(self) -> float:
        """Seconds in which something is said of them; of a picture 1 or 0."""
        track = self.main
        said = ~np.isnan(track.values).all(1)
        return float(np.where(track.end > track.start, track.end - track.start, 1.0)[said].sum())


@dataclass(frozen=True)
class Mark:
    """What is shown of one person in one picture."""

    name: str
    words: str
    box: tuple[float, float, float, float]
    """Left, top, right, bottom, pixels."""
    points: Array | None = None
    """The mesh, n x 2, pixels."""
    order: int = 0
    """Which person of the Record it is, from 0: what their colour goes by."""


def people(record: Record) -> list[Person]:
    """Return everybody whose face something is said of, in the order of the Record."""
    found: dict[str, list[Track]] = {}
    for track in record.tracks:
        if track.channel == "face" and len(track):
            found.setdefault(track.subject, []).append(track)
    return [Person(subject, tuple(tracks)) for subject, tracks in found.items()]


def picture(record: Record) -> Image | None:
    """Return the first picture of a Record."""
    return next((signal for signal in record.signals if isinstance(signal, Image)), None)


def film(record: Record) -> Frames | None:
    """Return the first film of a Record that is open."""
    return next((signal for signal in record.signals if isinstance(signal, Frames) and signal.open is not None), None)


def moments(frames: Frames) -> Iterator[tuple[float, Array]]:
    """Yield each frame with its second, while few of them lie in memory."""
    size = max(1, frames.size[0] * frames.size[1] * 3)
    for times, block in frames.timed(max(1, min(64, _BLOCK // size)) / frames.rate):
        yield from zip(times.tolist(), block, strict=True)


def row_at(track: Track, second: float) -> int | None:
    """Return the row of a Track that speaks of a second, the last one that began; None where none does."""
    holding = np.flatnonzero((track.start <= second + NEAR) & (second <= track.end + NEAR))
    return int(holding[np.argmax(track.start[holding])]) if len(holding) else None


def marks(everybody: Sequence[Person], second: float) -> list[Mark]:
    """Return what is to be shown of everybody who is seen at a second."""
    found = []
    for order, person in enumerate(everybody):
        box = next((place for track in person.tracks if (place := _box(track, second)) is not None), None)
        if box is not None:
            points = None if person.mesh is None else _points(person.mesh, second)
            row = row_at(person.main, second)
            words = "not said" if row is None else caption(person.main, row)
            found.append(Mark(person.subject, words, box, points, order))
    return found


def caption(track: Track, row: int) -> str:
    """Return what a row says in two or three words: the top label and its confidence, or the strongest units.

    >>> from affetto.core.space import Axis, Space
    >>> caption(Track(Space("mood-2", "one", (Axis("good"), Axis("bad"))), [0], [1], [[0.75, 0.25]]), 0)
    'good 0.75'
    """
    values = track.values[row]
    if np.isnan(values).all():
        return "not said"
    if track.space.kind == "one":
        axis = track.top(row)
        sure = math.nan if track.confidence is None else float(track.confidence[row])
        return f"{axis.name if axis else ''} {float(np.nanmax(values)) if math.isnan(sure) else sure:.2f}"
    if track.space.id in DEGREES:
        return f"valence {values[track.space.index('valence')]:+.2f}"
    if track.space.kind == "vector":
        return ""
    strongest = [i for i in np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")[:2] if values[i] > 0]
    return ", ".join(f"{track.space.names[i]} {values[i]:.1f}" for i in strongest)


def strength(track: Track) -> Array:
    """Return how much each row of a Track shows, n: 1 minus what is neutral, or the mean of its values; NaN: nothing.

    What stands out is worth a picture; where all is neutral, any moment is.
    """
    values = track.values.astype(float)
    said = ~np.isnan(values).all(1)
    if track.space.kind == "one" and NEUTRAL in track.space.names:
        return 1.0 - values[:, track.space.index(NEUTRAL)]
    shown = np.full(len(track), np.nan)
    if track.space.kind == "one":
        shown[said] = np.nanmax(values[said], axis=1)
    else:
        shown[said] = np.nanmean(np.abs(values[said]), axis=1)
    return shown


def _box(track: Track, second: float) -> tuple[float, float, float, float] | None:
    row = row_at(track, second)
    if row is None or track.box is None or not np.isfinite(track.box[row]).all():
        return None
    left, top, right, bottom = (float(x) for x in track.box[row])
    return left, top, right, bottom


def _points(track: Track, second: float) -> Array | None:
    """Return the landmarks of a row as n x 2; None where there are none, or no whole number of points in 3 axes."""
    row = row_at(track, second)
    if row is None or len(track.space.axes) % 3 or not np.isfinite(track.values[row]).all():
        return None
    return np.asarray(track.values[row].reshape(-1, 3)[:, :2])
