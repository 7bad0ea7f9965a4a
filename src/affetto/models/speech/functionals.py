"""The 88 functionals of the extended Geneva set (Eyben et al. 2016): what a clip is like as a whole, from its rows.

Knows the columns of `descriptors`; knows no sound. Means and deviations are over rows smoothed by three; those of the
voice are over voiced rows alone; deviations are divided by the mean, with its sign. As in the reference implementation,
the amplitudes of formants count as -201 dB where there is no voice, so that their means say how much of a clip is
voiced. Where nothing is said, the functional is NaN, where that writes 0.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.models.speech.descriptors import NAMES as COLUMNS
from affetto.models.speech.descriptors import PITCH, Descriptors, smooth

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
_CONTOUR = (
    "mean",
    "deviation",
    "p20",
    "p50",
    "p80",
    "range",
    "rise-mean",
    "rise-deviation",
    "fall-mean",
    "fall-deviation",
)
_ALL = ("flux", "mfcc-1", "mfcc-2", "mfcc-3", "mfcc-4")
_VOICE = COLUMNS[PITCH + 1 :]
_SPECTRAL = (
    "alpha-ratio",
    "hammarberg",
    "slope-0-500",
    "slope-500-1500",
    "flux",
    "mfcc-1",
    "mfcc-2",
    "mfcc-3",
    "mfcc-4",
)
_UNVOICED = _SPECTRAL[:5]
NAMES = (
    *(f"{name}-{what}" for name in ("pitch", "loudness") for what in _CONTOUR),
    *(f"{name}-{what}" for name in (*_ALL, *_VOICE) for what in ("mean", "deviation")),
    *(f"{name}-voiced-{what}" for name in _SPECTRAL for what in ("mean", "deviation")),
    *(f"{name}-unvoiced-mean" for name in _UNVOICED),
    "loudness-peaks",
    "voiced-segments",
    "voiced-length-mean",
    "voiced-length-deviation",
    "unvoiced-length-mean",
    "unvoiced-length-deviation",
    "sound-level",
)
"""In the order of the reference implementation."""
_HOP = 0.01
_AMPLITUDES = tuple(COLUMNS.index(f"f{i}-amplitude") for i in (1, 2, 3))
_NONE = -201.0
"""dB that the amplitude of a formant counts as where there is no voice."""
_RELEVANT = 0.1
"""Share of a contour's range by which a peak must stand out."""


class _Turns(NamedTuple):
    """The peaks and valleys of a contour, by turns, in order."""

    place: npt.NDArray[np.intp]
    peak: npt.NDArray[np.bool_]


def functionals(found: Descriptors) -> Floats:
    """Return the 88 functionals of `NAMES`; NaN where nothing is said.

    Args:
        found: the descriptors of a clip.
    """
    if not found.rows:
        return np.full(len(NAMES), np.nan, np.float32)
    values = found.values
    voiced = np.zeros(len(values), bool)
    voiced[: found.rows] = ~np.isnan(values[: found.rows, PITCH])
    unvoiced = ~voiced
    unvoiced[found.rows :] = False
    smooth_all = smooth(values)
    smooth_voice = smooth(_voice_only(values, voiced, found.rows))
    smooth_rest = smooth(np.where(unvoiced[:, None], values, np.nan))
    out: list[float] = []
    out += _contour(smooth_voice[voiced, PITCH])
    out += _contour(smooth_all[:, 0])
    for name in _ALL:
        out += _spread(smooth_all[:, COLUMNS.index(name)])
    for name in (*_VOICE, *_SPECTRAL):
        out += _spread(smooth_voice[:, COLUMNS.index(name)])
    for name in _UNVOICED:
        out += _spread(smooth_rest[:, COLUMNS.index(name)])[:1]
    seconds = len(values) * _HOP
    out.append(float(_turns(smooth_all[:, 0].astype(np.float64)).peak.sum()) / seconds)
    out += _lengths(voiced[: found.rows])
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(found.energy.mean(dtype=np.float64))
    out.append(float(level) if np.isfinite(level) else np.nan)
    return np.array(out, np.float32)


def _voice_only(values: Floats, voiced: npt.NDArray[np.bool_], rows: int) -> Floats:
    """Return the values of voiced rows, NaN elsewhere; amplitudes of formants are never missing, but very low."""
    out = np.where(voiced[:, None], values, np.nan).astype(np.float32)
    amplitudes = out[:rows, _AMPLITUDES]
    out[:rows, _AMPLITUDES] = np.where(np.isnan(amplitudes), _NONE, amplitudes)
    return out


def _spread(column: Floats) -> list[float]:
    """Return mean, and deviation over the mean, of what is said."""
    said = column[~np.isnan(column)].astype(np.float64)
    if not len(said):
        return [np.nan, np.nan]
    mean = float(said.mean())
    return [mean, float(said.std() / mean) if mean else np.nan]


def _contour(column: Floats) -> list[float]:
    """Return the ten functionals of pitch and loudness; slopes are per second."""
    said = column[~np.isnan(column)].astype(np.float64)
    if not len(said):
        return [np.nan] * len(_CONTOUR)
    low, middle, high = np.percentile(said, [20, 50, 80])
    place = _turns(said, ends=True).place
    place = np.unique(np.concatenate([[0], place, [len(said) - 1]])) if len(place) else place
    slope = np.diff(said[place]) / (np.diff(place) * _HOP)
    slopes = []
    for some in (slope[slope > 0], -slope[slope < 0]):
        slopes += [float(some.mean()), float(some.std())] if len(some) else [0.0, 0.0]
    return [*_spread(column), float(low), float(middle), float(high), float(high - low), *slopes]


def _turns(column: Doubles, ends: bool = False) -> _Turns:
    """Return where a contour turns, leaving out what turns by less than a share of the range of it all.

    With `ends`, its first and last value may be peaks and valleys too.
    """
    inner = np.arange(1, len(column) - 1)
    left, here, right = column[:-2], column[1:-1], column[2:]
    peak, valley = (here > left) & (here >= right), (here < left) & (here <= right)
    turns = [(int(place), bool(peak[place - 1])) for place in inner[peak | valley]]
    if ends and turns:
        turns = [(0, not turns[0][1]), *turns, (len(column) - 1, not turns[-1][1])]
    enough = _RELEVANT * float(column.max() - column.min()) if turns else 0.0
    kept: list[tuple[int, bool]] = []
    for place, high in turns:
        if kept and kept[-1][1] == high:
            if (column[place] > column[kept[-1][0]]) == high:
                kept[-1] = (place, high)
        elif not kept or abs(column[place] - column[kept[-1][0]]) > enough:
            kept.append((place, high))
    return _Turns(np.array([place for place, _ in kept], np.intp), np.array([high for _, high in kept], bool))


def _lengths(voiced: npt.NDArray[np.bool_]) -> list[float]:
    """Return voiced stretches a second, and mean and deviation of the seconds of voiced and of unvoiced ones."""
    edges = np.flatnonzero(np.diff(voiced.astype(int))) + 1
    bounds = np.concatenate([[0], edges, [len(voiced)]])
    seconds, kind = np.diff(bounds) * _HOP, voiced[bounds[:-1]]
    out = [float(kind.sum()) / (len(voiced) * _HOP)]
    for some in (seconds[kind], seconds[~kind]):
        out += [float(some.mean()), float(some.std())] if len(some) else [np.nan, np.nan]
    return out
