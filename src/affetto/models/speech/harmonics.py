"""What the harmonics of a voiced 60 ms say: how harmonic it is, and how strong its partials and formants are.

Knows numbers; wants to be told pitch and formants. Definitions of the extended Geneva set (Eyben et al. 2016) as its
reference implementation gives them: "H1-H2" is there the second partial less the third, and "H1-A3" the second less the
third formant.
"""

import numpy as np
import numpy.typing as npt

from affetto.models.speech.pitch import BINS, POINTS
from affetto.models.speech.spectrum import RATE

Floats = npt.NDArray[np.float32]
NAMES = ("hnr", "h1-h2", "h1-a3", "f1-amplitude", "f2-amplitude", "f3-amplitude")
_COUNT = 100
"""Partials that are looked at."""
_REACH = 0.2
"""Share of a formant's frequency within which its strongest partial is looked for."""
_FLOOR = 1e-10


def harmonics(spectra: Floats, hz: Floats, formants: Floats) -> Floats:
    """Return the descriptors of `NAMES` in dB, n x 6; NaN where a formant is not there.

    Args:
        spectra: n x 513 magnitudes of 60 ms windows, see `pitch.magnitudes`.
        hz: n, pitch, each above 0.
        formants: n x 3, in Hz.
    """
    out = np.empty((len(hz), len(NAMES)), np.float32)
    out[:, 0] = _ratio(spectra, hz)
    partial = hz[:, None] * np.arange(1, _COUNT + 1)
    line = np.rint(partial * (POINTS / RATE)).astype(np.intp)
    inside = line < BINS - 1
    line = np.clip(line, 1, BINS - 2)
    strongest = np.maximum(spectra[:, :-2], np.maximum(spectra[:, 1:-1], spectra[:, 2:]))
    magnitude = np.take_along_axis(strongest, line - 1, 1)
    level = 20 * np.log10(np.where(inside, magnitude, 0) + np.float32(_FLOOR))
    out[:, 1] = level[:, 1] - level[:, 2]
    rows = np.arange(len(hz))
    for i in range(formants.shape[1]):
        formant = formants[:, i, None]
        known = np.nan_to_num(formant)
        nearest = np.clip(np.rint(known[:, 0] / hz).astype(np.intp), 1, _COUNT) - 1
        within = np.where(np.abs(partial - known) <= _REACH * known, level, -np.inf).max(1)
        found = np.maximum(within, level[rows, nearest])
        out[:, 3 + i] = np.where(np.isnan(formant[:, 0]), np.nan, found - level[:, 0])
    out[:, 2] = level[:, 1] - level[:, 0] - out[:, 5]
    return out


def _ratio(spectra: Floats, hz: Floats) -> Floats:
    """Return harmonic over noise energy in dB, from the autocorrelation one period on (Boersma 1993)."""
    likeness = np.fft.irfft(spectra**2, axis=1)
    lag = np.clip(np.rint(RATE / hz).astype(np.intp), 1, POINTS // 2)
    periodic = np.maximum(likeness[np.arange(len(hz)), lag], _FLOOR)
    noise = np.maximum(likeness[:, 0] - periodic, _FLOOR)
    return (10 * np.log10(periodic / noise)).astype(np.float32)
