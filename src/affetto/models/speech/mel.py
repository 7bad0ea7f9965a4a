"""The pictures that the networks of this room look at: how strong each band of sound is, every 10 milliseconds.

White noise of standard deviation s has the power s squared in every band.

Knows numbers; knows no file and no network. The same functions make the lessons of the recipes and the answers.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
RATE = 16000
"""Samples a second that everything in this room wants."""
BANDS = 64
VOICE_BANDS = 40
FINE_BANDS = 80
WINDOW = 400
"""Samples of a window: 25 ms."""
HOP = 160
"""Samples from one window to the next: 10 ms."""
_POINTS = 512
_LOW, _HIGH = 60.0, 7600.0
FLOOR = 1e-10
"""Power below this counts as this: about the noise of 16 bits."""


def log_mel(samples: Floats) -> Floats:
    """Return the natural logarithm of the power in each of 64 bands of each window, n x 64: what `voice` looks at.

    Hann windows of 25 ms every 10 ms; window i covers samples 160 i to 160 i + 400, nothing is added at the ends, so
    that n = 1 + (len - 400) // 160, and blocks that overlap by 240 samples give what the whole would.

    Args:
        samples: one channel at 16 kHz, in -1..1.

    >>> log_mel(np.zeros(16000, np.float32)).shape
    (98, 64)
    """
    return _log_bands(samples, _filters())


def voice_mel(samples: Floats) -> Floats:
    """Return the same in 40 bands, n x 40: what the network that tells voices apart looks at.

    Their triangles are Slaney's (linear in Hz up to 1,000, then logarithmic, each of area 2 / width), up to 8,000 Hz.

    >>> voice_mel(np.zeros(16000, np.float32)).shape
    (98, 40)
    """
    return _log_bands(samples, slaney(VOICE_BANDS)[0])


def fine_mel(samples: Floats) -> Floats:
    """Return the same in 80 such bands, n x 80: what the networks of feeling look at.

    >>> fine_mel(np.zeros(16000, np.float32)).shape
    (98, 80)
    """
    return _log_bands(samples, slaney(FINE_BANDS)[0])


def _log_bands(samples: Floats, filters: Floats) -> Floats:
    samples = np.ascontiguousarray(samples, np.float32)
    if len(samples) < WINDOW:
        return np.zeros((0, filters.shape[1]), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    out = np.empty((len(frames), filters.shape[1]), np.float32)
    for at in range(0, len(frames), 2048):  # so that an hour needs no gigabyte
        spectrum = np.fft.rfft(frames[at : at + 2048] * _hann(), _POINTS, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        out[at : at + 2048] = power.astype(np.float32) @ filters
    logs: Floats = np.log(np.maximum(out, FLOOR))
    return logs


@cache
def slaney(bands: int) -> tuple[Floats, Floats]:
    """Return 257 x bands triangles and their half widths in Hz, after the Auditory Toolbox (Slaney 1998)."""
    split, step = 15.0, np.log(6.4) / 27
    top = split + np.log(RATE / 2 / 1000) / step
    mels = np.linspace(0, top, bands + 2)
    corners = np.where(mels < split, mels * 200 / 3, 1000 * np.exp(step * (mels - split)))
    hz = np.arange(_POINTS // 2 + 1) * RATE / _POINTS
    width = corners[2:] - corners[:-2]
    return np.asarray(_triangles(hz, corners) * 2 / width, np.float32), np.asarray(width / 2, np.float32)


def _triangles(hz: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rise = (hz[:, None] - left) / (centre - left)
    fall = (right - hz[:, None]) / (right - centre)
    return np.asarray(np.maximum(0, np.minimum(rise, fall)))


@cache
def _hann() -> Floats:
    window = np.hanning(WINDOW + 2)[1:-1]
    return np.asarray(window / np.sqrt((window**2).sum()), np.float32)


@cache
def _filters() -> Floats:
    """Return 257 x 64 triangles, evenly spaced in mel = 2595 log10(1 + Hz / 700) (O'Shaughnessy 1987)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW, _HIGH))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hz = np.arange(_POINTS // 2 + 1) * RATE / _POINTS
    triangles = _triangles(hz, corners)
    triangles = np.where(triangles.sum(0) > 0, triangles, _nearest(hz, corners[1:-1]))
    return np.asarray(triangles / triangles.sum(0), np.float32)


def _nearest(hz: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a column for each centre that is 1 at the nearest line of the spectrum: low bands are narrower than it."""
    found = np.zeros((len(hz), len(centre)))
    found[np.abs(hz[:, None] - centre).argmin(0), np.arange(len(centre))] = 1
    return found
