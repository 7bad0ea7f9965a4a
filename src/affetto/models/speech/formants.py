"""Resonances of the voice: frequency and bandwidth of the first three formants of each 20 ms, by linear prediction.

Knows numbers; knows no voice: a resonance is found in noise too. Follows the reference implementation of the extended
Geneva set, so that numbers can be compared. It departs from textbooks in three ways, found by looking at its answers:
of the sound at 11 kHz only what lies below 3.4 kHz is kept, the last 6 ms of a window are cut off, and the poles are
taken of the predictor with its signs turned. The first formant thereby comes out lower, and its bandwidth much larger
(about 1 kHz), than Praat would say. Compare them with eGeMAPS only.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from affetto.models.speech.spectrum import HOP, WINDOW

Floats = npt.NDArray[np.float32]
ORDER = 11
COUNT = 3
_RATE = 11000
_POINTS = 512
_KEPT = 220
"""Samples at 11 kHz that are looked at: the first 20 ms of the padded window."""
_LOW, _HIGH = 50.0, 5450.0


def formants(samples: Floats) -> tuple[Floats, Floats]:
    """Return frequencies and bandwidths in Hz, n x 3 each, a row a window; NaN where there are fewer.

    Args:
        samples: one channel at 16 kHz, at least one window of 20 ms; windows come every 10 ms.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    slow = frames @ _resampling()
    lags = [np.einsum("ij,ij->i", slow[:, : _KEPT - lag], slow[:, lag:]) for lag in range(ORDER + 1)]
    likeness = np.stack(lags, 1).astype(np.float64)
    heard = likeness[:, 0] > 1e-12
    likeness[~heard] = np.eye(ORDER + 1)[0]
    roots = np.linalg.eigvals(_companions(_predictors(likeness)))
    hz = np.where(heard[:, None], np.angle(roots) * _RATE / (2 * np.pi), np.nan)
    width = -np.log(np.abs(roots) + 1e-12) * _RATE / np.pi
    hz = np.where((hz > _LOW) & (hz < _HIGH), hz, np.nan)
    order = np.argsort(hz, axis=1)[:, :COUNT]
    hz = np.take_along_axis(hz, order, 1)
    width = np.where(np.isnan(hz), np.nan, np.take_along_axis(width, order, 1))
    return hz.astype(np.float32), width.astype(np.float32)


_STEEPEST = 1 - 1e-6
"""Of a reflection: at 1 the filter would ring for ever, and rounding can bring it there."""


def _predictors(likeness: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return each row's linear prediction, n x 11, from its autocorrelation (Levinson and Durbin)."""
    found = np.zeros((len(likeness), ORDER))
    error = likeness[:, 0] * (1 + 1e-9)
    for order in range(ORDER):
        rest = likeness[:, order + 1] + (found[:, :order] * likeness[:, order:0:-1]).sum(1)
        step = np.clip(-rest / error, -_STEEPEST, _STEEPEST)
        found[:, :order] += step[:, None] * found[:, :order][:, ::-1]
        found[:, order] = step
        error = np.maximum(error * (1 - step**2), 1e-30)
    return found


def _companions(coefficients: npt.NDArray[np.float64]) -> Floats:
    """Return n x 11 x 11, matrices whose eigenvalues are the poles."""
    out = np.zeros((len(coefficients), ORDER, ORDER), np.float32)
    out[:, np.arange(1, ORDER), np.arange(ORDER - 1)] = 1
    out[:, 0] = coefficients
    return out


@cache
def _resampling() -> Floats:
    """Return 320 x 220: a Hamming window, then the spectrum of it amid 512 points, read at 11 kHz."""
    at = (np.arange(WINDOW)[:, None] + (_POINTS - WINDOW) // 2) / _POINTS - np.arange(_KEPT) * 16000 / _RATE / _POINTS
    lines = np.arange(_KEPT // 2)
    sums = sum(np.cos(2 * np.pi * line * at) for line in lines)
    return (np.hamming(WINDOW)[:, None] * sums * 2 / _POINTS).astype(np.float32)
