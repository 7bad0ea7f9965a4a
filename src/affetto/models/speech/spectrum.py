"""What the spectrum of each 20 ms says: loudness, balance, slope, flux and MFCC 1 to 4, and how strong the sound is.

Knows numbers; knows no voice. Definitions of the extended Geneva set (Eyben et al. 2016, IEEE Transactions on Affective
Computing 7(2)), with the constants that its reference implementation publishes. Where that differs from the paper, this
follows the implementation, since the set is there to be compared; such places say so.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
RATE = 16000
HOP = 160
"""Samples from one row to the next: 10 ms."""
WINDOW = 320
"""Samples of a window: 20 ms."""
NAMES = (
    "loudness", "alpha-ratio", "hammarberg", "slope-0-500", "slope-500-1500", "flux", "mfcc-1", "mfcc-2", "mfcc-3",
    "mfcc-4",
)  # fmt: skip
_POINTS = 512
_BINS = _POINTS // 2 + 1
_BANDS = 26
_LOW, _HIGH = 20.0, 8000.0
_QUIET = 1 / 32767**2
"""Power of the last of 16 bits, the least that a band is taken to have."""
_FLOOR = 1e-14
"""Power under which a line of the spectrum counts as this."""
_COMPRESSION = 0.33
_LIFTER = 22


def spectral(samples: Floats) -> tuple[Floats, Floats]:
    """Return the descriptors of `NAMES` of each window, n x 10, and the mean square of its samples, n.

    Hamming windows of 20 ms every 10 ms from the first sample on. Loudness is the sum of 26 auditory bands (power with
    the weights of equal loudness of Hermansky 1990, to the power 0.33); alpha ratio and Hammarberg index are in dB;
    slopes in dB/Hz; flux is the root mean square change of the magnitudes up to 5 kHz.

    Args:
        samples: one channel at 16 kHz, in -1..1, at least one window.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * _hamming(), _POINTS, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bands = np.maximum(power @ _filters(), _QUIET)
    out = np.empty((len(frames), len(NAMES)), np.float32)
    out[:, 0] = ((bands * _equal_loudness()) ** np.float32(_COMPRESSION)).sum(1) / _BANDS
    edges = np.maximum(power, np.float32(_FLOOR))
    out[:, 1] = 10 * np.log10(edges[:, 32:161].sum(1) / edges[:, :32].sum(1))
    out[:, 2] = 10 * np.log10(edges[:, :64].max(1) / edges[:, 64:161].max(1))
    decibel = 10 * np.log10(edges[:, :49])
    out[:, 3] = decibel[:, :17] @ _slope(0, 16)
    out[:, 4] = decibel[:, 16:] @ _slope(16, 48)
    out[:, 5] = _flux(np.sqrt(power[:, :159]))
    out[:, 6:] = np.log(bands / np.float32(_QUIET)) @ _cosines()
    return out, np.einsum("ij,ij->i", frames, frames) / WINDOW


def _flux(magnitude: Floats) -> Floats:
    """Return how far each row is from the one before; that of the first is 0."""
    change = np.diff(magnitude, axis=0)
    squared = np.einsum("ij,ij->i", change, change) / (magnitude.shape[1] + 1)
    out: Floats = np.sqrt(np.concatenate([np.zeros(1, np.float32), squared]))
    return out


@cache
def _hamming() -> Floats:
    return np.hamming(WINDOW).astype(np.float32)


def _mel(hz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    return 1127 * np.log1p(np.asarray(hz) / 700)


@cache
def _corners() -> npt.NDArray[np.float64]:
    """Return the 28 corners in mel of 26 triangles from 20 to 8000 Hz (mel of the HTK book)."""
    return np.linspace(_mel(_LOW), _mel(_HIGH), _BANDS + 2)


@cache
def _filters() -> Floats:
    """Return 257 x 26 triangles of height 1."""
    mel, corners = _mel(np.arange(_BINS) * RATE / _POINTS)[:, None], _corners()
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    triangles = np.maximum(0, np.minimum((mel - left) / (centre - left), (right - mel) / (right - centre)))
    triangles[:2] = 0  # the lowest lines lie at the edge, and the reference leaves them out
    return triangles.astype(np.float32)


@cache
def _equal_loudness() -> Floats:
    """Return the weight of each band: equal loudness at 40 phon, Hermansky 1990, falling steeply above 5 kHz."""
    omega = 2 * np.pi * 700 * np.expm1(_corners()[1:-1] / 1127)
    squared = omega**2
    curve = (squared + 56.8e6) * squared**2 / ((squared + 6.3e6) ** 2 * (squared + 0.38e9))
    return (curve * 1e32 / (1.7e31 + omega**7)).astype(np.float32)


@cache
def _slope(first: int, last: int) -> Floats:
    """Return what makes the slope in dB/Hz of the lines `first` to `last` of the spectrum.

    Least squares, but counting one line fewer than there are, as the reference does: so it also falls with the level.
    """
    hz = np.arange(first, last + 1) * RATE / _POINTS
    count = last - first
    out: Floats = ((hz - hz.sum() / count) / ((hz**2).sum() - hz.sum() ** 2 / count)).astype(np.float32)
    return out


@cache
def _cosines() -> Floats:
    """Return 26 x 4: the cosines of MFCC 1 to 4 with the lifter, as in the HTK book."""
    order = np.arange(1, 5)
    angle = np.pi * order / _BANDS * (np.arange(_BANDS)[:, None] + 0.5)
    lifter = 1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    out: Floats = (np.sqrt(2 / _BANDS) * np.cos(angle) * lifter).astype(np.float32)
    return out
