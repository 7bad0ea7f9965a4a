"""Making one clip many: tempo, pitch, room, channel, noise and gaps, all in the mel picture, where they cost little.

Powers of independent sounds add, so noise and other voices are added as power; a room smears power over time; a change
of pitch and of the vocal tract moves and stretches the bands.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_FRAME = 0.01
_DECAY = 13.8
"""Nepers of power by which sound has decayed after the reverberation time (60 dB)."""


@dataclass(frozen=True)
class AugmentOptions:
    """How often each change is made: the share of the clips."""

    tempo: float = 0.3
    pitch: float = 0.3
    room: float = 0.2
    channel: float = 0.3
    telephone: float = 0.06
    noise: float = 0.3
    part: float = 0.3
    """Only a part of the clip, 60 to 100 % of it."""
    gaps: int = 2
    """Bands, and stretches of time, that are silenced, at most."""


def changed(mel: Floats, others: Sequence[Floats], rng: np.random.Generator, options: AugmentOptions) -> Floats:
    """Return a changed clip.

    Args:
        mel: frames x bands, logarithm of power.
        others: clips whose voices may be mixed in as babble.
        rng: of all that is random.
        options: how often each change is made.

    Returns:
        Mel powers, frames x bands.
    """
    if rng.random() < options.tempo:
        mel = _resampled(mel, np.linspace(0, len(mel) - 1, max(8, int(len(mel) * rng.uniform(0.85, 1.18)))))
    if rng.random() < options.pitch:
        count = mel.shape[1]
        shift = rng.uniform(-0.03, 0.03) * count
        bands = (np.arange(count) * rng.uniform(0.96, 1.04) + shift).clip(0, count - 1)
        mel = _resampled(mel.T, bands).T
    if rng.random() < options.room:
        mel = _in_a_room(mel, rng.uniform(0.15, 0.7), rng.uniform(0.02, 0.25))
    if rng.random() < options.channel:
        mel = mel + _curve(rng, mel.shape[1], 6, 1.0)
    if rng.random() < options.telephone:
        mel = _through_telephone(mel, rng)
    if rng.random() < options.noise:
        mel = _in_noise(mel, others, rng)
    if len(mel) > 60 and rng.random() < options.part:
        length = int(len(mel) * rng.uniform(0.6, 1))
        start = rng.integers(0, len(mel) - length + 1)
        mel = mel[start : start + length]
    power = np.exp(mel)
    for _ in range(rng.integers(0, options.gaps + 1)):
        width = rng.integers(1, power.shape[1] // 7)
        band = rng.integers(0, power.shape[1] - width)
        power[:, band : band + width] *= 0.01
    for _ in range(rng.integers(0, options.gaps + 1)):
        length = min(len(power) // 4, rng.integers(1, 26))
        start = rng.integers(0, len(power) - length + 1)
        power[start : start + length] *= 0.01
    return power


def _resampled(rows: Floats, at: npt.NDArray[np.float64]) -> Floats:
    """Return the rows at fractional numbers, in a straight line between neighbours."""
    first = np.floor(at).astype(int).clip(0, max(0, len(rows) - 2))
    share = (at - first)[:, None].astype(np.float32)
    return rows[first] * (1 - share) + rows[np.minimum(first + 1, len(rows) - 1)] * share


def _curve(rng: np.random.Generator, bands: int, knots: int, size: float) -> Floats:
    stations = np.linspace(0, bands - 1, knots)
    return np.interp(np.arange(bands), stations, rng.normal(0, size, knots)).astype(np.float32)


def _in_a_room(mel: Floats, seconds: float, share: float) -> Floats:
    keep = np.float32(np.exp(-_DECAY * _FRAME / seconds))
    power = np.exp(mel)
    tail = np.zeros(mel.shape[1], np.float32)
    out = power.copy()
    for t in range(len(power)):
        out[t] += share * tail
        tail = tail * keep + power[t]
    return np.log(out + 1e-10)


def _through_telephone(mel: Floats, rng: np.random.Generator) -> Floats:
    mel, floor = mel.copy(), mel.min()
    low, high = rng.uniform(0.075, 0.12), rng.uniform(0.65, 0.75)
    mel[:, : round(low * mel.shape[1])] = floor - rng.uniform(0, 2)
    mel[:, round(high * mel.shape[1]) :] = floor - rng.uniform(0, 2)
    return mel


def _loud(mel: Floats) -> float:
    """Return the logarithm of the power of the loud parts of a clip, all bands together."""
    return float(np.percentile(np.logaddexp.reduce(mel, 1), 90))


def _in_noise(mel: Floats, others: Sequence[Floats], rng: np.random.Generator) -> Floats:
    ratio = rng.uniform(0.7, 6.9)  # 3 to 30 dB
    if rng.random() < 0.6:
        noise = _curve(rng, mel.shape[1], 4, 1.5) + np.log(rng.gamma(2, 0.5, mel.shape).astype(np.float32) + 1e-3)
    else:
        other = others[rng.integers(len(others))].astype(np.float32)
        noise = other[np.arange(len(mel)) % len(other)]
    return np.logaddexp(mel, noise + np.float32(_loud(mel) - ratio - _loud(noise)))
