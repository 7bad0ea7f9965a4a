"""What is said of one person's face over time, as columns side by side, as face tables have it; and Tracks of that.

Going out, a stretch in which a person was not seen becomes a row for each picture that was looked at; coming in, such
rows become one row again, with the note "no face". Knows spaces of faces by their ids; knows no file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from affetto.core import catalog
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Array, Track
from affetto.formats.finding import find_space

SPACES = (
    "face-mesh-478",
    "face-points-68",
    "head-pose",
    "gaze",
    "arkit-52",
    "facs-au",
    "ekman-8",
    "ekman-7",
    "va",
)
"""Ids of the spaces that face tables have columns for; the first that is said carries the confidence."""
NO_FACE = "no face"
LONG = 1.5
"""A row without a face, or a gap, that lasts this many pictures is more than one."""
MOST = 100_000
"""Rows that one stretch without a face becomes at most."""


@dataclass(frozen=True)
class Sighting:
    """One person: columns of one length n, in order of time."""

    subject: str
    start: Array
    end: Array
    values: dict[str, Array]
    """Id of a space -> n x k, NaN where nothing is said."""
    confidence: Array
    """n, NaN where unknown."""
    box: Array
    """n x 4, left, top, right, bottom in pixels; NaN where unknown."""

    @property
    def seen(self) -> Array:
        """Which rows say anything."""
        said = [~np.isnan(values).all(1) for values in self.values.values()]
        return np.any(said, axis=0) if said else np.zeros(len(self.start), bool)

    def column(self, id: str) -> Array:
        """Return the values in a space, NaN throughout where there are none."""
        return self.values.get(id, np.full((len(self.start), len(find_space(id).axes)), np.nan))

    def rows(self, chosen: Array) -> "Sighting":
        """Return some of the rows, by their numbers or a mask."""
        values = {id: column[chosen] for id, column in self.values.items()}
        return Sighting(
            self.subject, self.start[chosen], self.end[chosen], values, self.confidence[chosen], self.box[chosen]
        )


def sightings(record: Record) -> list[Sighting]:
    """Return what a Record says of each person's face, in seconds; of two Tracks in one space the first.

    Times are rounded to a microsecond, so that rows of one picture meet.
    """
    subjects: dict[str, list[Track]] = {}
    for track in record.tracks:
        if track.channel == "face" and track.unit == "s" and len(track) and _known(track.space):
            subjects.setdefault(track.subject, []).append(track)
    people = [_aligned(subject, tracks) for subject, tracks in subjects.items()]
    picture = _picture(people)
    return [_spread(person, picture) for person in people]


def ends(start: Array, picture: float) -> Array:
    """Return where rows end that begin so: with the next row, or after one picture where that is not soon."""
    after = np.append(start[1:], np.inf)
    return np.where(after - start <= LONG * picture, after, start + picture)


def picture_length(times: Array) -> float:
    """Return the usual distance of one picture to the next; 0 where there is only one."""
    steps = np.diff(np.unique(times))
    return float(np.median(steps)) if len(steps) else 0.0


def points_68(person: Sighting) -> Array:
    """Return the 68 points (n x 68 x 2), from the mesh where there are none."""
    if "face-points-68" in person.values or "face-mesh-478" not in person.values:
        return person.column("face-points-68").reshape(-1, 68, 2)
    return person.values["face-mesh-478"].reshape(-1, 478, 3)[:, list(ibug_68()), :2]


def ibug_68() -> tuple[int, ...]:
    """Return which points of the mesh are the 68."""
    return tuple(catalog.find("face-mesh-478", "space").facts["ibug_68"])


def tracks(person: Sighting, source: str, otherwise: str) -> tuple[Track, ...]:
    """Return the Tracks of one person: one for each space in which anything is said, `otherwise` where in none.

    Values are brought into the ranges of their spaces, and probabilities to the sum of 1.
    """
    seen = person.seen
    fresh = np.ones(len(seen), bool)
    fresh[1:] = seen[1:] | seen[:-1] | (person.start[1:] > person.end[:-1] + 1e-9)
    kept = np.flatnonzero(fresh)
    last = np.append(kept[1:], len(seen)) - 1
    lean = replace(person.rows(kept), end=np.maximum(person.end[last], person.start[kept]))
    ids = [id for id in SPACES if id in lean.values and not np.isnan(lean.values[id]).all()] or [otherwise]
    note = None if seen.all() else tuple("" if face else NO_FACE for face in seen[kept])
    sure = None if np.isnan(lean.confidence).all() else np.clip(lean.confidence, 0, 1)
    return tuple(
        Track(
            space := find_space(id),
            lean.start,
            lean.end,
            _within(space, lean.column(id)),
            subject=person.subject,
            channel="face",
            source=source,
            confidence=sure if id == ids[0] else None,
            box=None if np.isnan(lean.box).all() else lean.box,
            note=note,
        )
        for id in ids
    )


def _known(space: Space) -> bool:
    return space.id in SPACES and find_space(space.id).names == space.names


def _aligned(subject: str, tracks: Iterable[Track]) -> Sighting:
    ordered = sorted(tracks, key=lambda track: SPACES.index(track.space.id))
    start = np.unique(np.concatenate([track.start for track in ordered]).round(6))
    n = len(start)
    end, box, sure = start.copy(), np.full((n, 4), np.nan), np.full(n, np.nan)
    values: dict[str, Array] = {}
    for track in ordered:
        at = np.searchsorted(start, track.start.round(6))
        np.maximum.at(end, at, track.end)
        if track.space.id in values:
            continue
        values[track.space.id] = np.full((n, len(track.space.axes)), np.nan)
        values[track.space.id][at] = track.values
        if track.box is not None and np.isnan(box).all():
            box[at] = track.box
        if track.confidence is not None and np.isnan(sure).all():
            sure[at] = track.confidence
    return Sighting(subject, start, end, values, sure, box)


def _picture(people: list[Sighting]) -> float:
    lengths = [length for one in people for length in (one.end - one.start)[one.seen].tolist() if length > 0]
    if lengths:
        return float(np.median(lengths))
    return picture_length(np.concatenate([one.start[one.seen] for one in people])) if people else 0.0


def _spread(person: Sighting, picture: float) -> Sighting:
    """Return it with a row for each picture in which the person was not seen."""
    if not picture > 0:
        return person
    length = person.end - person.start
    empty = ~person.seen & (length > LONG * picture)
    times = np.where(empty, np.clip((length / picture).round(), 1, MOST), 1).astype(int)
    row = np.repeat(np.arange(len(times)), times)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    wide = person.rows(row)
    start = (wide.start + nth * picture).round(6)
    return replace(wide, start=start, end=np.where(nth < times[row] - 1, start + picture, wide.end))


def _within(space: Space, values: Array) -> Array:
    if space.kind == "graded":
        return np.clip(values, [axis.low for axis in space.axes], [axis.high for axis in space.axes])
    if space.kind == "one":
        values = np.clip(values, 0, 1)
        total = values.sum(1, keepdims=True)
        return np.where(total > 0, values / np.where(total > 0, total, 1), np.nan)
    return values
