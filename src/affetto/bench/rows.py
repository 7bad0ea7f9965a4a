"""Records to rows that can be compared: each row of the truth beside what a system said of the same place.

Knows spans, spaces and bridges; knows no metric.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from affetto.bench.protocol import Benchmark
from affetto.core.errors import MalformedError, NoBridgeError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.spaces.bridges import bridge, translate
from affetto.spaces.taxonomy import space as load_space

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Where a row of truth lies."""

    record: int
    unit: str
    start: float
    end: float
    subject: str


@dataclass(frozen=True)
class Rows:
    """The truth of n rows."""

    space: Space
    values: Floats
    """n x k; a label that raters gave is over 0."""
    places: tuple[Place, ...]
    group: tuple[str, ...]
    """n, whose rows are drawn together."""
    part: tuple[str, ...]
    """n, of the corpus."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.places)


@dataclass(frozen=True)
class Said:
    """What a system said of n rows, in the space it speaks."""

    space: Space
    values: Floats
    """n x k; NaN where it said nothing."""
    perspective: str
    way: str
    """The bridges to the benchmark's space; empty where it speaks that space, `none` where nothing leads there."""


def truth_rows(benchmark: Benchmark, records: Sequence[Record]) -> Rows:
    """Return the rows that raters spoke of, in the benchmark's space.

    Raises:
        MalformedError: there is none.
    """
    places, values, groups, parts = [], [], [], []
    for i, record in enumerate(records):
        for track in benchmark.truths(record):
            for row in range(len(track)):
                if not benchmark.asks(track, row):
                    continue
                where = (float(track.start[row]), float(track.end[row]))
                places.append(Place(i, track.unit, *where, track.subject))
                values.append(track.values[row])
                groups.append(benchmark.group_of(record))
                parts.append(str(record.meta.get("part", "")))
    if not places:
        raise MalformedError(
            f"the split {benchmark.split!r} of {benchmark.corpus} has no row labelled in {benchmark.truth} as"
            f" {benchmark.perspective}: nothing can be scored"
        )
    moved = carried(load_space(benchmark.truth), np.array(values, np.float64), benchmark.space)
    return Rows(load_space(benchmark.space), moved, tuple(places), tuple(groups), tuple(parts))


def said_rows(benchmark: Benchmark, rows: Rows, answers: Sequence[Sequence[Track]]) -> Said:
    """Return what a system said of each row, from its Tracks of each Record.

    Of several answers, one in the benchmark's space and perspective is taken, or else the one that a bridge brings
    there with the least loss. A row of the truth that spans several rows of the answer gets their mean.

    Raises:
        MalformedError: there is no answer at all.
    """
    id, perspective = chosen(benchmark, answers)
    space = next(t.space for tracks in answers for t in tracks if kind_of(t) == (id, perspective))
    values = np.full((len(rows), len(space.axes)), np.nan)
    heard = [[t for t in tracks if kind_of(t) == (id, perspective)] for tracks in answers]
    for n, place in enumerate(rows.places):
        said = [row for track in heard[place.record] for row in _within(track, place)]
        if said:
            values[n] = np.mean(said, 0)
    return Said(space, values, perspective, _way(space, benchmark)[0])


def kind_of(track: Track) -> tuple[str, str]:
    """Return what tells one answer of a system from its others: space and perspective."""
    return track.space.id, track.perspective


def chosen(benchmark: Benchmark, answers: Iterable[Sequence[Track]]) -> tuple[str, str]:
    """Return which of a system's answers is scored: in the benchmark's space and perspective, or the nearest.

    Raises:
        MalformedError: there is no answer at all.
    """
    spaces = {kind_of(track): track.space for tracks in answers for track in tracks if track.space.kind not in _NEVER}
    if not spaces:
        raise MalformedError(f"the predictions for {benchmark.id} hold no answer at all")

    def distance(kind: tuple[str, str]) -> tuple[float, bool, int]:
        return _way(spaces[kind], benchmark)[1], kind[1] != benchmark.perspective, -len(spaces[kind].axes)

    return min(spaces, key=distance)


_NEVER = ("open", "vector")
NAMES = "labels of the same name"
"""The way of an answer whose space no bridge leads from, and which has all the labels that count."""
SLACK = 0.1
"""Seconds by which an answer may reach over the ends of its place: tables and decoders round."""


def blind(records: Iterable[Record]) -> list[Record]:
    """Return the Records as a system under test may see them: without Tracks and without what meta says of them."""
    return [replace(record.blind(), meta={}) for record in records]


def _within(track: Track, place: Place) -> list[npt.NDArray[np.float32]]:
    if track.unit != place.unit:
        return []
    same = (track.start == place.start) & (track.end == place.end)
    if not same.any():
        timed = place.unit == "s"
        slack = SLACK if timed else 0.0
        unknown = timed and place.end == place.start  # nobody said how long the sound is: all of it is meant
        same = (track.start >= place.start - slack) & (track.end <= (np.inf if unknown else place.end + slack))
        if track.subject != place.subject and track.perspective != "evoked":
            return []
    return [track.values[row] for row in np.flatnonzero(same) if not np.isnan(track.values[row]).all()]


def _way(origin: Space, benchmark: Benchmark) -> tuple[str, float]:
    if origin.id == benchmark.space:
        return "", 0.0
    try:
        way = bridge(origin, benchmark.space)
    except NoBridgeError:
        shared = _names_all(origin, benchmark)
        return (NAMES, 10.0) if shared else ("none", np.inf)
    return way.id, way.loss if np.isfinite(way.loss) else 1.0 + len(way.steps)


def _names_all(origin: Space, benchmark: Benchmark) -> bool:
    """Tell whether a space of one label has all labels that count, by the same names."""
    target = load_space(benchmark.space)
    return origin.kind == target.kind == "one" and set(benchmark.labels or target.names) <= set(origin.names)


def answered(benchmark: Benchmark, said: Said, values: Floats) -> Floats:
    """Return rows of what a system said (n x k of its space) in the benchmark's space; only its labels count.

    Raises:
        NoBridgeError: nothing leads there.
    """
    target = load_space(benchmark.space)
    if said.way == NAMES:
        moved = np.zeros((len(values), len(target.axes)))
        for k, name in enumerate(target.names):
            if name in said.space.names:
                moved[:, k] = values[:, said.space.index(name)]
    else:
        moved = carried(said.space, values, benchmark.space)
    if said.way != NAMES and not benchmark.labels:
        return moved
    counted = np.array([name in (benchmark.labels or target.names) for name in target.names])
    moved = np.where(counted, moved, 0.0)
    whole = moved.sum(1, keepdims=True)
    return np.asarray(np.divide(moved, whole, out=np.full_like(moved, np.nan), where=whole > 0))


def carried(origin: Space, values: Floats, target: str) -> Floats:
    """Return values (n x k) of one space in another, by the bridge that leads there.

    Raises:
        NoBridgeError: nothing leads there.
    """
    if origin.id == target:
        return values
    places = np.arange(len(values), dtype=np.float64)
    track = Track(origin, places, places + 1, values.astype(np.float32), unit="turn")
    return np.asarray(translate(track, target).values, np.float64)
