"""Made voices for tests: vowels of a known pitch and known formants, talk with pauses, noise. No recording is needed.

A source of glottal pulses (a decaying spectrum of harmonics) goes through resonators in series, as in Klatt 1980.
"""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
RATE = 16000
VOWELS = {"a": (730, 1090, 2440), "i": (270, 2290, 3010), "u": (300, 870, 2240), "e": (530, 1840, 2480)}
"""Formants in Hz, of a man's voice (Peterson and Barney 1952)."""


def vowel(
    pitch: float | Sequence[float] = 120.0,
    seconds: float = 1.0,
    formants: Sequence[float] = VOWELS["a"],
    rate: int = RATE,
    bandwidths: Sequence[float] = (80, 90, 120),
    jitter: float = 0.0,
    shimmer: float = 0.0,
    breath: float = 0.0,
    level: float = 0.3,
    seed: int = 20,
) -> Samples:
    """Return one vowel.

    Args:
        pitch: Hz; several are the stations of a glide.
        seconds: how long.
        formants: Hz.
        rate: samples a second.
        bandwidths: Hz, of each formant.
        jitter: standard deviation of a period, as a share of it.
        shimmer: standard deviation of a period's amplitude, as a share of it.
        breath: noise in the source, as a share of its amplitude.
        level: the highest absolute sample.
        seed: of what is random.
    """
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    contour = np.interp(np.arange(n) / max(1, n - 1), np.linspace(0, 1, np.size(pitch)), np.atleast_1d(pitch))
    source = np.zeros(n + 2)
    at = 0.0
    while at < n:
        size = 1 + shimmer * rng.standard_normal()
        whole, part = int(at), at - int(at)
        source[whole] += (1 - part) * size
        source[whole + 1] += part * size
        at += rate / contour[min(whole, n - 1)] * max(0.5, 1 + jitter * rng.standard_normal())
    sound = source[:n] + breath * 0.1 * rng.standard_normal(n)
    for pole in (0.96, 0.9):  # -12 dB an octave of the glottis, less some of the lips
        sound = _recursive(sound, (pole,))
    for centre, width in zip(formants, bandwidths, strict=False):
        radius = np.exp(-np.pi * width / rate)
        sound = _recursive(sound, (2 * radius * np.cos(2 * np.pi * centre / rate), -(radius**2)))
    return (sound / max(1e-9, np.abs(sound).max()) * level).astype(np.float32)


def _recursive(x: npt.NDArray[np.float64], back: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return y[t] = x[t] + sum of back[k] y[t - 1 - k]."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, *(-b for b in back)], x))


def tone(pitch: float, seconds: float = 1.0, rate: int = RATE, level: float = 0.3) -> Samples:
    """Return a sine."""
    return (level * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds: float, rate: int = RATE) -> Samples:
    """Return nothing."""
    return np.zeros(int(seconds * rate), np.float32)


def noise(seconds: float, level: float = 0.1, rate: int = RATE, seed: int = 20) -> Samples:
    """Return white noise of a standard deviation."""
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)


def phrase(pitch: float = 120.0, seconds: float = 1.5, rate: int = RATE, level: float = 0.3, seed: int = 20) -> Samples:
    """Return syllables: vowels that glide, with short dips between, which voice activity takes for speech."""
    rng = np.random.default_rng(seed)
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * rate:
        formants = VOWELS[str(rng.choice(list(VOWELS)))]
        bend = pitch * rng.uniform(0.85, 1.2, 3)
        one = vowel(bend, rng.uniform(0.12, 0.22), formants, rate, jitter=0.01, shimmer=0.05, breath=0.3, seed=seed)
        one *= level / 0.3 * np.hanning(len(one) + 2)[1:-1].astype(np.float32) ** 0.5
        parts += [one, noise(rng.uniform(0.02, 0.06), 0.01, rate, seed)]
    return np.concatenate(parts)[: int(seconds * rate)]


def save(path: Path, samples: npt.NDArray[np.float32], rate: int = RATE) -> Path:
    """Write samples (n, or n x channels, -1..1) as 16-bit WAV; return the path."""
    wide = np.atleast_2d(samples.T).T
    with wave.open(str(path), "wb") as file:
        file.setnchannels(wide.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(wide, -1, 1) * 32767).astype("<i2").tobytes())
    return path
