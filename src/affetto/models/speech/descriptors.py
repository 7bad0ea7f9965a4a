"""The 25 low-level descriptors of the extended Geneva set, every 10 ms, from a sound at 16 kHz.

Knows how the parts (`spectrum`, `pitch`, `periods`, `harmonics`, `formants`) come together; knows no file. Rows are not
smoothed here: `functionals` does that, and `curve` does so for looking.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load as load_card
from affetto.core.errors import MalformedError
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.speech import harmonics as partials
from affetto.models.speech.formants import formants
from affetto.models.speech.periods import periods
from affetto.models.speech.pitch import WINDOW as LONG_WINDOW
from affetto.models.speech.pitch import magnitudes, pitch
from affetto.models.speech.spectrum import HOP, RATE, WINDOW, spectral
from affetto.models.speech.spectrum import NAMES as SPECTRAL

Floats = npt.NDArray[np.float32]
NAMES = (
    *SPECTRAL, "pitch", "jitter", "shimmer", "hnr", "h1-h2", "h1-a3",
    "f1-frequency", "f1-bandwidth", "f1-amplitude", "f2-frequency", "f2-bandwidth", "f2-amplitude",
    "f3-frequency", "f3-bandwidth", "f3-amplitude",
)  # fmt: skip
"""The columns, in the order of the reference implementation."""
PITCH = NAMES.index("pitch")
LOWEST_TONE = 27.5
"""Hz from which semitones are counted."""
_LATE = (LONG_WINDOW - WINDOW) // HOP
"""Rows at the end that a 60 ms window no longer fits."""
_AT_ONCE = 1000
"""Rows that are worked on together, so that hours need no gigabytes."""
_HARMONIC = tuple(NAMES.index(name) for name in partials.NAMES)
_HZ, _WIDTH = (tuple(NAMES.index(f"f{i}-{what}") for i in (1, 2, 3)) for what in ("frequency", "bandwidth"))


@dataclass(frozen=True)
class Descriptors:
    """What is known of each 10 ms."""

    values: Floats
    """n x 25 (`NAMES`); pitch in semitones from 27.5 Hz. NaN where it is not said: voice quality where no voice is."""
    hz: Floats
    """n, pitch; 0 where there is none."""
    energy: Floats
    """n, mean square of the samples of 20 ms."""
    rows: int
    """How many rows from the first on have a 60 ms window; the others know their spectrum only."""

    def __len__(self) -> int:
        """Return how many rows it has."""
        return len(self.values)


def descriptors(samples: Floats) -> Descriptors:
    """Return the descriptors of a sound. Row i looks at 20 ms, and for the voice at 60 ms, from i x 10 ms on.

    Args:
        samples: n, one channel at 16 kHz in -1..1; what is not finite counts as silence. Under 20 ms there are no rows.

    Raises:
        MalformedError: the samples are not one row of numbers.

    >>> descriptors(np.zeros(16000, np.float32)).values.shape
    (99, 25)
    """
    samples = _clean(samples)
    count = max(0, 1 + (len(samples) - WINDOW) // HOP)
    values = np.full((count, len(NAMES)), np.nan, np.float32)
    energy = np.zeros(count, np.float32)
    hz = np.zeros(count, np.float32)
    rows = max(0, count - _LATE)
    for at in range(0, count, _AT_ONCE):
        end = min(count, at + _AT_ONCE)
        before = max(0, at - 1)  # a row more, since flux looks back
        part = samples[before * HOP : (end - 1) * HOP + WINDOW]
        spectra, power = spectral(part)
        values[at:end, : len(SPECTRAL)], energy[at:end] = spectra[at - before :], power[at - before :]
        values[at:end, _HZ], values[at:end, _WIDTH] = formants(part[(at - before) * HOP :])
    if rows:
        hz[:rows] = pitch(samples)
        _voiced(samples, values, hz)
    return Descriptors(values, hz, energy, rows)


def curve(samples: Floats, subject: str = "speaker", source: str = "speech.prosody") -> Track:
    """Return the descriptors as a Track in `egemaps-lld`, 100 rows a second, each smoothed over three rows.

    Raises:
        MalformedError: the samples are not one row of numbers.
    """
    found = descriptors(samples)
    space = load_card("egemaps-lld")
    start = np.arange(len(found)) * HOP / RATE
    return Track(
        space,
        start,
        start + HOP / RATE,
        within(smooth(found.values), space),
        subject=subject,
        channel="voice",
        source=source,
    )


def smooth(values: Floats) -> Floats:
    """Return the mean of each row and its neighbours, n x k; of those that are said, and NaN where the row is not."""
    if not len(values):
        return values
    padded = np.pad(values, ((1, 1), (0, 0)), constant_values=np.nan)
    said = ~np.isnan(padded)
    filled = np.where(said, padded, 0)
    total = filled[:-2] + filled[1:-1] + filled[2:]
    count = said[:-2].astype(np.float32) + said[1:-1] + said[2:]
    return np.where(said[1:-1], total / np.maximum(count, 1), np.nan).astype(np.float32)


def within(values: Floats, space: Space) -> Floats:
    """Return the values cut to the ranges of the axes of a graded space."""
    low, high = ([getattr(axis, end) for axis in space.axes] for end in ("low", "high"))
    return np.clip(values, low, high).astype(np.float32)


def _voiced(samples: Floats, values: Floats, hz: Floats) -> None:
    """Fill in what only a voice has."""
    rows = np.flatnonzero(hz > 0)
    values[rows, PITCH] = 12 * np.log2(hz[rows] / LOWEST_TONE)
    values[:, PITCH + 1], values[:, PITCH + 2] = periods(samples, hz)
    for at in range(0, len(rows), _AT_ONCE):
        some = rows[at : at + _AT_ONCE]
        found = partials.harmonics(magnitudes(samples, some), hz[some], values[some][:, _HZ])
        values[some[:, None], _HARMONIC] = found


def _clean(samples: Floats) -> Floats:
    given = np.asarray(samples, np.float32)
    if given.ndim != 1:
        raise MalformedError(
            f"descriptors want one row of samples, not shape {given.shape}; give one channel at a time"
        )
    return given if np.isfinite(given).all() else np.nan_to_num(given, nan=0.0, posinf=0.0, neginf=0.0)
