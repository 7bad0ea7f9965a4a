"""How high the voice is, every 10 ms: subharmonic summation (Hermes 1988, JASA 83(1)), and the best way through it.

Knows numbers; knows no voice: a tone is a voice to it. Windows, weights and limits are those of the extended Geneva set
(Eyben et al. 2016); the costs of the way through were fitted to the answers of its reference implementation.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from affetto.models.speech.spectrum import HOP, RATE

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
WINDOW = 960
"""Samples of a window: 60 ms."""
POINTS = 1024
BINS = POINTS // 2 + 1
LOWEST, HIGHEST = 55.0, 1000.0
"""Hz that a voice is looked for in."""
CANDIDATES = 6
VOICING = 0.7
"""From here on a candidate is voiced: 1 less the mean of the summed spectrum over its peak."""
_BOTTOM = 25.0
_OCTAVES = float(np.log2(RATE / 2 / _BOTTOM))
_HARMONICS, _DECAY = 15, 0.85
_RMS = 0.001
"""A window weaker than this, of full scale, has no pitch."""
_UNVOICED_COST, _SWITCH_COST, _JUMP_COST, _DOUBT_COST = 4.0, 4.0, 4.0, 3.0
_AT_ONCE = 512


def magnitudes(samples: Floats, rows: npt.NDArray[np.intp] | slice = slice(None)) -> Floats:
    """Return the magnitude spectra of 60 ms Gauss windows every 10 ms, n x 513, or those of some rows."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][rows]
    return np.abs(np.fft.rfft(frames * _gauss(), POINTS, axis=1))


def pitch(samples: Floats) -> Floats:
    """Return the pitch in Hz of each 60 ms, one every 10 ms; 0 where there is none.

    Args:
        samples: one channel at 16 kHz, in -1..1.

    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000).astype(np.float32)
    >>> bool(abs(np.median(pitch(tone)) - 200) < 1)
    True
    """
    if len(samples) < WINDOW:
        return np.zeros(0, np.float32)
    count = 1 + (len(samples) - WINDOW) // HOP
    hz, voicing, loud = np.zeros((count, CANDIDATES)), np.zeros((count, CANDIDATES)), np.zeros(count, bool)
    for at in range(0, count, _AT_ONCE):
        rows = slice(at, min(at + _AT_ONCE, count))
        spectra = magnitudes(samples, rows)
        hz[rows], voicing[rows] = _candidates(spectra)
        loud[rows] = np.sqrt(2 * np.einsum("ij,ij->i", spectra, spectra) / POINTS / WINDOW) > _RMS
    state = _way(hz, voicing)
    chosen = np.where(state < CANDIDATES, hz[np.arange(count), np.minimum(state, CANDIDATES - 1)], 0)
    return np.where(loud, chosen, 0).astype(np.float32)


def _candidates(spectra: Floats) -> tuple[Doubles, Doubles]:
    """Return the Hz of up to six candidates a row, the best first, and their voicing 0..1; 0 where there are fewer."""
    summed = _peaks_only(spectra) @ _summation()
    left, here, right = summed[:, :-2], summed[:, 1:-1], summed[:, 2:]
    bend = left - 2 * here + right
    peak = (here > left) & (here > right)
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros_like(bend), where=peak)
    height = np.where(peak, here - 0.25 * (left - right) * shift, -1)
    best = np.argpartition(-height, CANDIDATES, axis=1)[:, :CANDIDATES]
    score = np.take_along_axis(height, best, 1).astype(np.float64)
    place = 1 + best + np.take_along_axis(shift, best, 1).astype(np.float64)
    hz = _BOTTOM * 2 ** (place * _OCTAVES / (BINS - 1))
    fits = (score > 0) & (hz >= LOWEST) & (hz <= HIGHEST)
    order = np.argsort(np.where(fits, -score, np.inf), axis=1, kind="stable")
    fits, hz = np.take_along_axis(fits, order, 1), np.take_along_axis(hz, order, 1)
    score = np.take_along_axis(score, order, 1)
    mean = summed.mean(1, dtype=np.float64)[:, None]
    voicing = np.where(fits, np.maximum(0, 1 - mean / np.where(fits, score, 1)), 0)
    return np.where(fits, hz, 0), voicing


def _peaks_only(spectra: Floats) -> Floats:
    """Return the spectra with 0 wherever no local peak lies within two lines (Hermes 1988)."""
    peak = np.zeros(spectra.shape, bool)
    peak[:, 1:-1] = (spectra[:, 1:-1] > spectra[:, :-2]) & (spectra[:, 1:-1] > spectra[:, 2:])
    near = peak.copy()
    for step in (1, 2):
        near[:, step:] |= peak[:, :-step]
        near[:, :-step] |= peak[:, step:]
    return spectra * near


def _way(hz: Doubles, voicing: Doubles) -> npt.NDArray[np.intp]:
    """Return which candidate each row takes, or `CANDIDATES` for unvoiced: the cheapest way through (Viterbi)."""
    count = len(hz)
    there = hz > 0
    octave = np.log2(np.where(there, hz, 1))
    doubt = _DOUBT_COST * (1 - voicing) + _UNVOICED_COST * (voicing < VOICING)
    silent = _UNVOICED_COST * (voicing.max(1) >= VOICING)
    local = np.column_stack([np.where(there, doubt, 1e3), silent])
    steps = np.full((count, CANDIDATES + 1, CANDIDATES + 1), _SWITCH_COST)
    steps[:, -1, -1] = 0
    steps[1:, :-1, :-1] = _JUMP_COST * np.abs(octave[1:, :, None] - octave[:-1, None, :])
    came, every = np.zeros((count, CANDIDATES + 1), np.intp), np.arange(CANDIDATES + 1)
    cost = local[0]
    for row in range(1, count):
        total = steps[row] + cost
        came[row] = total.argmin(1)
        cost = total[every, came[row]] + local[row]
    state = np.empty(count, np.intp)
    last = int(cost.argmin())
    for row in range(count - 1, -1, -1):
        state[row] = last
        last = came[row, last]
    return state


@cache
def _gauss() -> Floats:
    middle = (WINDOW - 1) / 2
    out: Floats = np.exp(-0.5 * ((np.arange(WINDOW) - middle) / (0.4 * middle)) ** 2).astype(np.float32)
    return out


@cache
def _summation() -> Floats:
    """Return 513 x 513: smooth, read at 513 places evenly spaced in octaves from 25 Hz, weigh, add the harmonics."""
    eye = np.eye(BINS)
    padded = np.pad(eye, ((0, 0), (1, 1)), mode="edge")
    smooth = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    lines = np.arange(BINS) * RATE / POINTS
    lines[0] = lines[1] / 2
    places = np.log2(_BOTTOM) + np.arange(BINS) * _OCTAVES / (BINS - 1)
    ear = 0.5 + np.arctan(3 * places - 15) / np.pi
    octaves = smooth @ _spline(np.log2(lines), places) * ear
    sums = np.zeros_like(octaves)
    for harmonic in range(1, _HARMONICS + 1):
        up = int(BINS / _OCTAVES * np.log2(harmonic))
        sums[:, : BINS - up] += _DECAY ** (harmonic - 1) * octaves[:, up:]
    out: Floats = sums.astype(np.float32)
    return out


def _spline(knots: Doubles, places: Doubles) -> Doubles:
    """Return knots x places: what a natural cubic spline through values at the knots is at the places."""
    count, gaps, eye = len(knots), np.diff(knots), np.eye(len(knots))
    bends, rises = np.eye(count), np.zeros((count, count))
    for i in range(1, count - 1):
        bends[i, i - 1 : i + 2] = gaps[i - 1] / 6, (gaps[i - 1] + gaps[i]) / 3, gaps[i] / 6
        rises[i, i - 1 : i + 2] = 1 / gaps[i - 1], -1 / gaps[i - 1] - 1 / gaps[i], 1 / gaps[i]
    second = np.linalg.solve(bends, rises)
    left = np.clip(np.searchsorted(knots, places, side="right") - 1, 0, count - 2)
    gap = gaps[left]
    a = (knots[left + 1] - places) / gap
    b = 1 - a
    straight = a[:, None] * eye[left] + b[:, None] * eye[left + 1]
    bent = ((a**3 - a) * gap**2 / 6)[:, None] * second[left] + ((b**3 - b) * gap**2 / 6)[:, None] * second[left + 1]
    out: Doubles = (straight + bent).T
    return out
