"""From what models say of one person, whenever and in whatever space, to an even grid of steps and channels.

Knows Tracks, overlap and which of a channel's Tracks to take; is handed the way from one space to another; knows
nothing of how channels are weighed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.errors import AffettoError, MalformedError, NoBridgeError
from affetto.core.grid import overlaps
from affetto.core.space import Space
from affetto.core.track import Track

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Translate = Callable[[Track, str], Track]
"""Brings a Track into the space of an id, or raises an AffettoError where nothing leads there."""
LABELS, DEGREES = "ekman-7", "va"
"""The spaces that everything is brought into."""
LEAST = 1e-4
"""A probability is taken to be at least that."""
MOST = 1_000_000
"""Steps of a grid, at most: eleven days of seconds."""
_MOMENT = 1e-3
"""Share of a step that a row without any length is taken to last, so that it counts where nothing else does."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the channels of one person say, step by step."""

    step: float
    """Seconds."""
    until: float
    """Seconds, where the last step ends."""
    channels: tuple[str, ...]
    """In alphabetical order: those that say anything that can be brought here."""
    logs: Floats
    """n x c x 7: log-probabilities in ekman-7; NaN where a channel says nothing."""
    va: Floats
    """n x c x 2: valence and arousal, -1..1, or NaN."""
    confidence: Floats
    """n x c: the models' own, or NaN."""
    share: Floats
    """n x c, 0..1: how much of the step is covered by rows that say something."""
    left_out: tuple[str, ...] = ()
    """Which Tracks do not count, and why."""

    @property
    def start(self) -> Doubles:
        """Where each step begins, seconds, n."""
        return np.arange(len(self.logs), dtype=np.float64) * self.step

    @property
    def end(self) -> Doubles:
        """Where each step ends, seconds, n."""
        return np.asarray(np.minimum(self.start + self.step, self.until), np.float64)

    @property
    def said(self) -> npt.NDArray[np.bool_]:
        """Where a channel says a label, n x c."""
        return np.asarray(np.isfinite(self.logs).all(2), np.bool_)


def gridded(tracks: Sequence[Track], translate: Translate, step: float = 1.0, until: float | None = None) -> Seen:
    """Lay the Tracks of one person on an even grid from second 0 on.

    Of each channel those Tracks count that need the fewest bridges to ekman-7, and those that need the fewest to va;
    several that need as few are averaged. A row counts in each step by how much of it lies there. Of a Track nothing is
    said in `Seen`, but in `left_out`, where no bridge leads on, where its rows are no seconds, where it is the feeling
    of whoever reads or watches, and where it is a fused one already.

    Args:
        tracks: of one subject, in any order.
        translate: brings a Track into another space, as `spaces.bridges.translate` does.
        step: seconds of a step.
        until: seconds at which the grid ends; None: where the last row that counts does, or after one step of a still.

    Raises:
        MalformedError: `step` or `until` is no positive number, or the grid would have more than a million steps.
    """
    if not (0 < step < math.inf and (until is None or 0 < until < math.inf)):
        raise MalformedError(f"a grid wants a step and an end above 0, in seconds, not {step!r} and {until!r}")
    left_out = {f"{_name(track)}: {_unfit(track)}" for track in tracks if _unfit(track)}
    used: dict[str, tuple[list[Track], list[Track]]] = {}
    for channel in sorted({track.channel for track in tracks if not _unfit(track)}):
        mine = [track for track in tracks if track.channel == channel and len(track) and not _unfit(track)]
        labels, degrees = _ways(mine, translate, LABELS), _ways(mine, translate, DEGREES)
        for track, *ways in zip(mine, labels, degrees, strict=True):
            if ways == [None, None]:
                left_out.add(f"{_name(track)}: no bridge leads to {LABELS} or {DEGREES}")
        pair = _nearest(mine, labels, translate, LABELS), _nearest(mine, degrees, translate, DEGREES)
        if any(pair):
            used[channel] = pair
    ends = [float(track.end.max()) for pair in used.values() for some in pair for track in some]
    end = (max(ends, default=0.0) or step * bool(ends)) if until is None else until
    size = math.ceil(end / step - 1e-9)
    if size > MOST:
        raise MalformedError(
            f"{end:g} s in steps of {step:g} s are {size:.3g} steps, more than {MOST:,}: take larger steps or an end"
        )
    return _seen(used, step, end, size, tuple(sorted(left_out)))


def end_of(tracks: Sequence[Track]) -> float | None:
    """Return the second at which the last row of anybody ends; None where nothing lies in seconds."""
    return max((float(track.end.max()) for track in tracks if track.unit == "s" and len(track)), default=0) or None


def _unfit(track: Track) -> str:
    """Return why a Track cannot count, or nothing."""
    if track.unit != "s":
        return f"its rows are {track.unit}s, not seconds"
    if track.perspective == "evoked" or track.subject == "reader":
        return "it is the feeling of whoever reads or watches"
    return "it is fused already" if track.channel == "fused" else ""


def _name(track: Track) -> str:
    return f"{track.channel} in {track.space.id} by {track.source or 'nobody'}"


def _ways(tracks: Sequence[Track], translate: Translate, goal: str) -> list[int | None]:
    """Return how many bridges each Track needs to a space, by what its source says after one row; None: none leads."""
    found: list[int | None] = []
    for track in tracks:
        if track.space.id == goal:
            found.append(0)
            continue
        try:
            over = translate(track[:1], goal)
        except AffettoError:
            found.append(None)
        else:
            found.append(max(1, over.source.count("--") - track.source.count("--")))
    return found


def _nearest(tracks: Sequence[Track], ways: Sequence[int | None], translate: Translate, goal: str) -> list[Track]:
    """Return those Tracks that need the fewest bridges to a space, brought there."""
    best = min((way for way in ways if way is not None), default=None)
    chosen = [track for track, way in zip(tracks, ways, strict=True) if way is not None and way == best]
    return [translate(track, goal) if best else track for track in chosen]


def _seen(
    used: dict[str, tuple[list[Track], list[Track]]], step: float, until: float, size: int, left_out: tuple[str, ...]
) -> Seen:
    """Lay what counts on the grid."""
    labels: Space = catalog.load(LABELS)
    c = len(used)
    logs = np.full((size, c, len(labels.axes)), np.nan, np.float32)
    va = np.full((size, c, 2), np.nan, np.float32)
    confidence, share = np.full((size, c), np.nan, np.float32), np.zeros((size, c), np.float32)
    lasts = np.minimum(step, until - np.arange(size) * step)
    for k, (named, placed) in enumerate(used.values()):
        values, seconds, sure = _cells(named, step, until, size)
        logs[:, k] = np.log(np.clip(values, LEAST, 1))
        va[:, k], placed_seconds, placed_sure = _cells(placed, step, until, size)
        confidence[:, k] = np.where(seconds > 0, sure, placed_sure)
        share[:, k] = np.clip(np.where(seconds > 0, seconds, placed_seconds) / lasts, 0, 1)
    return Seen(step, until, tuple(used), logs, va, confidence, share, left_out)


def _cells(tracks: Sequence[Track], step: float, until: float, size: int) -> tuple[Doubles, Doubles, Doubles]:
    """Return the mean of the rows in each step, by how much of them lies there, the seconds covered, the confidence."""
    width = len(tracks[0].space.axes) if tracks else 1
    if not tracks:
        return np.full((size, width), np.nan), np.zeros(size), np.full(size, np.nan)
    values = np.concatenate([track.values for track in tracks]).astype(np.float64)
    sure = np.concatenate([_confidence(track) for track in tracks])
    start = np.concatenate([track.start for track in tracks])
    end = np.maximum(np.concatenate([track.end for track in tracks]), start + _MOMENT * step)
    kept = ~np.isnan(values).any(1) & (start < until)
    values, sure, start, end = values[kept], sure[kept], start[kept], np.minimum(end[kept], until)
    known = ~np.isnan(sure)
    columns = np.column_stack([np.ones(len(values)), known, np.where(known, sure, 0), values])
    sums = overlaps(start, end, columns, step, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        told = np.where(sums[:, :2] > 1e-6 * step, sums[:, :2], np.nan)
        return sums[:, 3:] / told[:, :1], np.nan_to_num(told[:, 0]), np.clip(sums[:, 2] / told[:, 1], 0, 1)


def _confidence(track: Track) -> Doubles:
    return np.full(len(track), np.nan) if track.confidence is None else track.confidence.astype(np.float64)


def only_there(track: Track, space: str) -> Track:
    """Return a Track that is in a space already: what a Model does that was handed no way from space to space.

    Raises:
        NoBridgeError: it is in another space.
    """
    if track.space.id != space:
        raise NoBridgeError(f"{track.space.id} does not become {space} here: hand in a function that translates")
    return track
