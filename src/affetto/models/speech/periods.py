"""How much the periods of the voice differ from one to the next: jitter in their lengths, shimmer in their sizes.

Knows numbers; wants to be told the pitch. Periods are followed through each voiced stretch, each laid on the next where
the two are most alike (waveform matching; Boersma 2009, Should jitter be measured by peak picking or by waveform
matching?, Folia Phoniatrica 61(5)), with parabolic interpolation between samples. All stretches are followed at once.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.models.speech.spectrum import HOP, RATE

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
_REACH = 0.1
"""Share of the expected period by which a period may be shorter or longer."""
_ALIKE = 0.5
"""Two neighbours whose correlation is under this are no periods."""
_FEWEST = 2
"""Fewer periods than this in a row and the one before say nothing; the row has what the one before had."""


def periods(samples: Floats, hz: Floats) -> tuple[Floats, Floats]:
    """Return jitter (mean difference of neighbouring periods over their mean) and shimmer (dB) of each row.

    Args:
        samples: one channel at 16 kHz.
        hz: n, pitch of each 10 ms; 0 where there is none. There both are NaN, and where no two periods are alike.
    """
    jitter, shimmer = np.full((2, len(hz)), np.nan, np.float32)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hz > 0, [False]]).astype(int)))
    if not len(edges):
        return jitter, shimmer
    first, last = edges[::2], edges[1::2]
    stretch, row, length, size = _followed(samples, hz, first, last)
    order = np.argsort(stretch, kind="stable")
    stretch, row, length, size = stretch[order], row[order], length[order], size[order]
    pair = np.concatenate([[False], (stretch[1:] == stretch[:-1]) & ~np.isnan(length[1:]) & ~np.isnan(length[:-1])])
    difference = np.where(pair, np.abs(length - np.concatenate([[np.nan], length[:-1]])), 0)
    known = _ended(row, ~np.isnan(length), len(hz))
    mean_length = _divided(_ended(row, np.nan_to_num(length), len(hz)), known)
    mean_difference = _divided(_ended(row, difference, len(hz)), _ended(row, pair, len(hz)))
    _keep(jitter, mean_difference / mean_length, first, last)
    mean_size = _divided(_ended(row, np.nan_to_num(size), len(hz)), _ended(row, ~np.isnan(size), len(hz)))
    _keep(shimmer, mean_size, first, last)
    return jitter, shimmer


def _ended(row: npt.NDArray[np.intp], values: npt.NDArray[Any], count: int) -> Doubles:
    """Return the sum of the values of the periods that end in each row or in the one before."""
    total = np.bincount(row, values, count)
    out: Doubles = total + np.concatenate([[0.0], total[:-1]])
    return out


def _divided(total: Doubles, count: Doubles) -> Doubles:
    out: Doubles = np.divide(total, count, out=np.full(len(total), np.nan), where=count >= _FEWEST)
    return out


def _keep(column: Floats, mean: Doubles, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]) -> None:
    """Write the means into a column; a row of a stretch in which no period ended has what the one before had."""
    for start, end in zip(first, last, strict=True):
        part = mean[start:end]
        latest = np.maximum.accumulate(np.where(np.isnan(part), -1, np.arange(len(part))))
        column[start:end] = np.where(latest >= 0, part[np.maximum(latest, 0)], np.nan)


def _followed(
    samples: Floats, hz: Floats, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Doubles, Doubles]:
    """Return of each period its stretch, its row, its length in samples and its change of size in dB.

    Length and size are NaN where it is not like the next.
    """
    found: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Doubles, Doubles]] = []
    place = (first * HOP).astype(np.float64)
    running = np.arange(len(first))
    while True:
        row = (place[running]).astype(np.intp) // HOP
        period = RATE / hz[np.minimum(row, last[running] - 1)].astype(np.float64)
        room = place[running] + 2.2 * period + 4 < len(samples)
        on = (place[running] + period < last[running] * HOP) & room
        running, period = running[on], period[on]
        if not len(running):
            break
        length, likeness, size = _next(samples, np.rint(place[running]).astype(np.intp), period)
        alike = likeness >= _ALIKE
        place[running] += np.where(alike, length, period)
        ended = (place[running]).astype(np.intp) // HOP
        ended = np.minimum(ended, last[running] - 1)
        found.append((running, ended, np.where(alike, length, np.nan), np.where(alike, size, np.nan)))
    if not found:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0), np.zeros(0)
    stretch, ended, length, size = (np.concatenate(column) for column in zip(*found, strict=True))
    return stretch, ended, length, size


def _next(samples: Floats, place: npt.NDArray[np.intp], period: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Return for each place how long the period that begins there is, how like the next, and how far that is in dB."""
    width = np.rint(period).astype(np.intp)
    low = np.floor(period * (1 - _REACH)).astype(np.intp) - 1
    lags = int((np.ceil(period * (1 + _REACH)).astype(np.intp) - low).max()) + 2
    widest, rows = int(width.max()), np.arange(len(place))
    inside = np.arange(widest) < width[:, None]
    here = samples[np.minimum(place[:, None] + np.arange(widest), len(samples) - 1)]
    masked = here * inside
    reach = np.minimum(place[:, None] + low[:, None] + np.arange(lags + widest), len(samples) - 1)
    there = samples[reach]
    windows = np.lib.stride_tricks.sliding_window_view(there, widest, axis=1)[:, :lags]
    product = np.einsum("nlw,nw->nl", windows, masked)
    power = np.concatenate([np.zeros((len(place), 1)), np.cumsum(there.astype(np.float64) ** 2, 1)], 1)
    ends = width[:, None] + np.arange(lags)
    energy = np.take_along_axis(power, ends, 1) - power[:, :lags]
    own = np.einsum("nw,nw->n", masked, masked)
    likeness = product / np.sqrt(np.maximum(energy * own[:, None], 1e-20))
    allowed = low[:, None] + np.arange(lags) <= np.ceil(period * (1 + _REACH))[:, None]
    inner = np.where(allowed[:, 1:-1], likeness[:, 1:-1], -1)
    best = 1 + inner.argmax(1)
    left, top, right = likeness[rows, best - 1], likeness[rows, best], likeness[rows, best + 1]
    bend = left - 2 * top + right
    part = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=np.abs(bend) > 1e-9)
    size = _extent(here, inside)
    following = _extent(np.take_along_axis(there, best[:, None] + np.arange(widest), 1), inside)
    change = np.abs(20 * np.log10(np.maximum(following, 1e-9) / np.maximum(size, 1e-9)))
    return low + best + np.clip(part, -1, 1), top, change.astype(np.float64)


def _extent(values: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """Return the highest less the lowest value of each row."""
    out: Floats = np.where(inside, values, -np.inf).max(1) - np.where(inside, values, np.inf).min(1)
    return out
