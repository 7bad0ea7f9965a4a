"""The rows of a Track, made few and small enough for a page: binned where there are too many, rounded, as plain lists.

Knows columns and numbers; knows neither people nor HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from affetto.core.track import Array, Track
from affetto.report.page_labels import Labels

TOP = 3
"""Labels of a row that the page knows."""
_TICKS = 1000
"""Ticks of a second, a turn or a character in which times stand on the page."""
_SHORTEST = 1e-3
"""Weight of a row without length."""


@dataclass(frozen=True)
class Rows:
    """The columns of a Track in order of time, at most about as many rows as asked for."""

    start: Array
    end: Array
    values: Array
    confidence: Array | None
    notes: tuple[str, ...]
    step: float = 0.0
    """Length of the bins that rows were averaged over, in the unit of the Track; 0 where they were not."""


def rows(track: Track, most: int) -> Rows:
    """Return a Track's rows in order; more than `most` become means over bins of even length, weighed by duration.

    A bin says something where at least half of its time does; where not, it bears the first note that tells why.
    Rows that are longer than a bin stay alone.
    """
    order = np.lexsort((track.end, track.start))
    start, end, values = track.start[order], track.end[order], track.values[order].astype(np.float64)
    sure = None if track.confidence is None else track.confidence[order].astype(np.float64)
    notes = tuple(track.note[i] for i in order) if track.note else ("",) * len(order)
    if len(start) <= most:
        return Rows(start, end, values, sure, notes)
    step = float(end.max() - start[0]) / most
    if step <= 0:
        return Rows(start[:most], end[:most], values[:most], None if sure is None else sure[:most], notes[:most])
    bins = np.floor((start - start[0]) / step).astype(np.int64)
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    weight = np.maximum(end - start, _SHORTEST)
    whole = np.add.reduceat(weight, first)
    silent = np.asarray(np.isnan(values).all(1))
    last = [*first[1:].tolist(), len(bins)]
    why = [_reason(notes, silent, a, b) for a, b in zip(first.tolist(), last, strict=True)]
    return Rows(
        start=start[first],
        end=np.maximum.reduceat(end, first),
        values=_means(values, weight, first, whole),
        confidence=None if sure is None else _means(sure[:, None], weight, first, whole)[:, 0],
        notes=tuple(why),
        step=step,
    )


def _means(values: Array, weight: Array, first: Array, whole: Array) -> Array:
    """Return the mean of each bin and column, NaN where less than half of the bin's weight says anything."""
    weights = np.where(np.isnan(values), 0.0, weight[:, None])
    said = np.add.reduceat(weights, first)
    sums = np.add.reduceat(np.nan_to_num(values) * weights, first)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(said >= whole[:, None] / 2, sums / said, np.nan)


def _reason(notes: Sequence[str], silent: Array, first: int, last: int) -> str:
    return next((notes[i] for i in range(first, last) if silent[i] and notes[i]), notes[first])


def times(start: Array, end: Array) -> dict[str, list[int]]:
    """Return starts, each as ticks after the one before, and lengths in ticks."""
    at = np.round(np.asarray(start, np.float64) * _TICKS).astype(np.int64)
    long = np.round(np.asarray(end, np.float64) * _TICKS).astype(np.int64) - at
    return {"t": np.diff(at, prepend=0).tolist(), "d": long.tolist()}


def whole(values: Array, scale: float) -> list[int | None]:
    """Return numbers as whole ones after scaling; NaN is null."""
    said = np.isfinite(values)
    return [round(float(x) * scale) if ok else None for x, ok in zip(values, said, strict=True)]


def reasons(held: Rows) -> dict[str, str]:
    """Return the note of each row that says nothing, by its number."""
    silent = np.isnan(held.values).all(1) if held.values.shape[1] else np.ones(len(held.start), bool)
    return {str(i): held.notes[i] for i in np.flatnonzero(silent) if held.notes[i]}


def label_rows(track: Track, most: int, labels: Labels) -> dict[str, Any]:
    """Return a Track of labels for the page: of each row the three most likely, as label and per cent in turn."""
    held = rows(track, most)
    numbers = [-1] * len(track.space.axes)
    tops: list[list[int]] = []
    said = np.nan_to_num(held.values)
    for row, order in zip(said, np.argsort(-said, axis=1, kind="stable")[:, :TOP], strict=True):
        top: list[int] = []
        for i in order:
            if row[i] >= 0.005:
                if numbers[i] < 0:
                    numbers[i] = labels.number(track.space.names[i])
                top += [numbers[i], round(100 * float(row[i]))]
        tops.append(top)
    return _common(track, held) | {"top": tops}


def number_rows(track: Track, most: int, axes: Sequence[int], scale: float) -> dict[str, Any]:
    """Return some axes of a graded Track for the page, as whole numbers of 1 / `scale`."""
    held = rows(track, most)
    columns = [whole(held.values[:, i], scale) for i in axes]
    names = [track.space.names[i] for i in axes]
    units = [track.space.axes[i].unit for i in axes]
    return _common(track, held) | {"axes": names, "units": units, "scale": scale, "v": columns}


def _common(track: Track, held: Rows) -> dict[str, Any]:
    plain: dict[str, Any] = {"channel": track.channel, "space": track.space.id, "source": track.source}
    plain |= times(held.start, held.end)
    if held.confidence is not None:
        plain["sure"] = whole(held.confidence, 100)
    if why := reasons(held):
        plain["why"] = why
    if held.step:
        plain["step"] = round(held.step, 3)
    return plain


def spread(track: Track, most: int) -> list[int | None] | None:
    """Return how far valence may lie off in each row of a Track of labels, in hundredths; None where nobody knows.

    It is the standard deviation of the labels' valence (`Space.vad_source`) under the row's probabilities: 0 where one
    label is sure, large where joy and anger are about as likely.
    """
    if track.space.kind != "one" or any(axis.vad is None for axis in track.space.axes):
        return None
    places = np.array([axis.vad[0] for axis in track.space.axes if axis.vad])
    held = rows(track, most).values
    mean = held @ places
    return whole(np.sqrt(np.maximum(held @ places**2 - mean**2, 0)), 100)
