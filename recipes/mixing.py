"""Made noise and made music, to mix with recordings of speech: all from a seed, nothing recorded.

Knows samples at 16 kHz; knows no corpus. `KINDS` are for training, `NEW` are made in other ways and kept for testing.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from affetto.models.speech.mel import RATE

Floats = npt.NDArray[np.float32]
Rng = np.random.Generator


def coloured(n: int, rng: Rng, power: float) -> np.ndarray:
    """Return Gaussian noise whose power falls with frequency to this power: 0 white, 1 pink, 2 brown."""
    size = _good(n)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(rng.standard_normal(size)) / np.maximum(hz, 20.0) ** (power / 2)
    return np.fft.irfft(spectrum, size)[:n]


def band(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    """Keep what lies between two frequencies in Hz, with slopes of a fifth of an octave."""
    size = _good(len(samples) + RATE // 10)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1.0))
    keep = np.clip((octaves - np.log2(low)) * 5 + 1, 0, 1) * np.clip((np.log2(high) - octaves) * 5 + 1, 0, 1)
    return np.fft.irfft(np.fft.rfft(samples, size) * keep, size)[: len(samples)]


def hum(n: int, rng: Rng) -> np.ndarray:
    """Return mains hum: 50 or 60 Hz and its multiples, over a little noise."""
    t = np.arange(n) / RATE
    base = rng.choice([50.0, 60.0]) * (1 + 0.002 * np.sin(2 * np.pi * rng.uniform(0.05, 0.5) * t))
    phase = 2 * np.pi * np.cumsum(base) / RATE
    parts = [rng.uniform(0, 1) / k ** rng.uniform(0, 1.2) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 20)]
    return _level(np.sum(parts, axis=0)) + 10 ** (rng.uniform(-50, -10) / 20) * _level(coloured(n, rng, 1))


def fan(n: int, rng: Rng) -> np.ndarray:
    """Return a motor: bands of noise that swell and a few steady tones."""
    t = np.arange(n) / RATE
    low = rng.uniform(60, 1500)
    swell = 1 + rng.uniform(0, 0.7) * np.sin(2 * np.pi * rng.uniform(0.1, 25) * t)
    out = _level(band(coloured(n, rng, rng.uniform(0, 2)), low, low * rng.uniform(2, 8))) * swell
    for _ in range(rng.integers(0, 4)):
        out += rng.uniform(0, 0.7) * np.sin(2 * np.pi * rng.uniform(80, 4000) * t)
    return out


def clicks(n: int, rng: Rng, rate: float | None = None) -> np.ndarray:
    """Return keys, taps and knocks: short decays, a few a second or many."""
    out = 1e-3 * rng.standard_normal(n)
    count = max(1, int(n / RATE * (rate or 10 ** rng.uniform(-0.3, 1.5))))
    for at in rng.integers(0, n, count):
        size = min(n - at, int(rng.uniform(0.004, 0.12) * RATE))
        ring = rng.standard_normal(size) * rng.uniform(0, 1) + np.sin(np.arange(size) * rng.uniform(0.03, 2.0))
        out[at : at + size] += rng.exponential(1.0) * ring * np.exp(-np.arange(size) / size * rng.uniform(3, 9))
    return out


def crowd(n: int, rng: Rng) -> np.ndarray:
    """Return the murmur of many far away: bands of noise as strong as in speech, each swelling by itself."""
    out = np.zeros(n)
    slow = np.arange(n // 800 + 2) * 800
    for _ in range(8):
        low = 10 ** rng.uniform(2.1, 3.4)
        swell = np.abs(coloured(len(slow), rng, rng.uniform(0, 0.8)))
        part = _level(band(rng.standard_normal(n), low, low * rng.uniform(1.3, 3)))
        out += part * np.interp(np.arange(n), slow, swell / swell.mean()) * (300 / (300 + low))
    return out


def music(n: int, rng: Rng) -> np.ndarray:
    """Return chords, a tune, a bass and drums: sums of harmonics on a scale, with attacks, tremolo and vibrato."""
    out = np.zeros(n)
    beat = 60 / rng.uniform(60, 180)
    root = 110 * 2 ** rng.uniform(-1, 1)
    scale = np.array(rng.choice([(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9, 12, 14)]))
    loud = rng.uniform(0, 1, 4) * (rng.uniform(0, 1, 4) < 0.75) + 1e-3
    colour = rng.uniform(0.5, 2.5, 3)
    at = 0.0
    while at < n / RATE:
        places = rng.choice(scale, 3, replace=False)
        length = beat * rng.choice([1, 2, 4])
        for step in places:
            _note(out, at, length * 1.1, root * 2 ** (step / 12 + 1), loud[0], colour[0], rng)
        _note(out, at, length, root * 2 ** (places[0] / 12), loud[1], colour[1], rng)
        for k in range(int(rng.integers(1, 5))):
            part = length / 4
            _note(out, at + k * part, part, root * 2 ** (rng.choice(scale) / 12 + 2), loud[2], colour[2], rng)
        _drum(out, at, loud[3], rng)
        _drum(out, at + beat / 2, loud[3] * rng.uniform(0, 1), rng)
        at += length
    return out


def _note(out: np.ndarray, at: float, seconds: float, hz: float, loud: float, colour: float, rng: Rng) -> None:
    start, size = int(at * RATE), int(seconds * RATE)
    size = min(size, len(out) - start)
    if size < 32 or hz > 6000:
        return
    t = np.arange(size) / RATE
    wobble = 1 + rng.choice([0.0, 0.006]) * np.sin(2 * np.pi * rng.uniform(4, 7) * t)
    phase = 2 * np.pi * np.cumsum(hz * wobble) / RATE
    count = int(min(12, 7000 // hz))
    sound = np.sum([np.sin(k * phase + rng.uniform(0, 6)) / k**colour for k in range(1, count + 1)], axis=0)
    rise, fall = rng.uniform(0.003, 0.1), rng.uniform(0.5, 6)
    out[start : start + size] += (
        loud * sound * np.minimum(1, t / rise) * np.exp(-fall * t) * np.minimum(1, (size / RATE - t) / 0.01)
    )


def _drum(out: np.ndarray, at: float, loud: float, rng: Rng) -> None:
    start = int(at * RATE)
    size = min(int(rng.uniform(0.03, 0.25) * RATE), len(out) - start)
    if size < 32:
        return
    t = np.arange(size) / RATE
    low = np.sin(2 * np.pi * rng.uniform(40, 180) * t * np.exp(-3 * t))
    out[start : start + size] += (
        loud
        * np.exp(-t * rng.uniform(12, 40))
        * (rng.uniform(0, 2) * low + rng.uniform(0, 1) * rng.standard_normal(size))
    )


def beeps(n: int, rng: Rng) -> np.ndarray:
    """Return tones, sweeps and dial tones, steady or on and off."""
    out = 1e-3 * rng.standard_normal(n)
    at = 0
    while at < n:
        size = min(n - at, int(10 ** rng.uniform(-1.2, 0.8) * RATE))
        start, end = 10 ** rng.uniform(2, 3.6, 2)
        hz = np.linspace(start, end if rng.uniform() < 0.3 else start, size)
        tone = np.sin(2 * np.pi * np.cumsum(hz) / RATE)
        if rng.uniform() < 0.3:
            tone += np.sin(2 * np.pi * np.arange(size) * 10 ** rng.uniform(2, 3.4) / RATE)
        if rng.uniform() < 0.3:
            tone = np.tanh(3 * tone)
        edge = np.minimum(1, np.minimum(np.arange(size), np.arange(size)[::-1]) / 160)
        out[at : at + size] += tone * edge
        at += size + int(rng.choice([0, rng.uniform(0, 1)]) * RATE)
    return out


def wind(n: int, rng: Rng) -> np.ndarray:
    """Return gusts: low noise that swells slowly."""
    slow = np.arange(n // 1600 + 2) * 1600
    gusts = np.exp(_level(coloured(len(slow), rng, 1.0)) * rng.uniform(0.2, 1.2))
    return coloured(n, rng, rng.uniform(1.5, 3)) * np.interp(np.arange(n), slow, gusts)


def rain(n: int, rng: Rng) -> np.ndarray:
    """Return drops: hundreds of clicks a second over a hiss."""
    drops = np.zeros(n)
    drops[rng.integers(0, n, int(n / RATE * rng.uniform(200, 900)))] = rng.standard_normal()
    return _level(band(drops * rng.exponential(1.0, n), 900, 7000)) + 0.3 * _level(coloured(n, rng, 0.5))


def plucked(n: int, rng: Rng) -> np.ndarray:
    """Return strings plucked at irregular times: noise that runs round a loop (Karplus and Strong 1983)."""
    out = np.zeros(n)
    at = 0
    while at < n:
        period = int(RATE / (110 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12, 15, 17, 19, 22]) / 12)))
        size = min(n - at, int(rng.uniform(0.3, 2.0) * RATE))
        loops = [rng.standard_normal(period)]
        for _ in range(size // period):
            loops.append(0.498 * (loops[-1] + np.roll(loops[-1], 1)))
        out[at : at + size] += np.concatenate(loops)[:size] * rng.uniform(0.3, 1)
        at += int(rng.uniform(0.08, 0.6) * RATE)
    return out


def organ(n: int, rng: Rng) -> np.ndarray:
    """Return held chords made by frequency modulation, with a slow tremolo: no attack, no drum (Chowning 1973)."""
    t = np.arange(n) / RATE
    out = np.zeros(n)
    at = 0
    while at < n:
        size = min(n - at, int(rng.uniform(0.5, 3.0) * RATE))
        s = t[:size]
        for step in rng.choice([0, 4, 7, 9, 12, 16], 3, replace=False):
            hz = 130.8 * 2 ** (step / 12)
            side = rng.uniform(0.5, 3) * np.sin(2 * np.pi * hz * rng.choice([1, 2, 3]) * s)
            out[at : at + size] += np.sin(2 * np.pi * hz * s + side) * (1 + 0.3 * np.sin(2 * np.pi * 5.5 * s))
        at += size
    return out


KINDS: dict[str, Callable[[int, Rng], np.ndarray]] = {
    "white": lambda n, rng: coloured(n, rng, 0.0),
    "pink": lambda n, rng: coloured(n, rng, 1.0),
    "brown": lambda n, rng: coloured(n, rng, 2.0),
    "hum": hum,
    "fan": fan,
    "clicks": clicks,
    "crowd": crowd,
    "music": music,
    "beeps": beeps,
    "wind": wind,
}
NEW: dict[str, Callable[[int, Rng], np.ndarray]] = {"rain": rain, "plucked": plucked, "organ": organ}
"""Not for training."""


def made(kind: str, n: int, rng: Rng) -> Floats:
    """Return n samples of a kind of `KINDS` or `NEW`, with a root mean square of 1."""
    return _level((KINDS | NEW)[kind](n, rng)).astype(np.float32)


def _level(samples: np.ndarray) -> np.ndarray:
    return samples / max(1e-9, float(np.sqrt(np.mean(samples**2))))


def _good(n: int) -> int:
    """Return the next length that a Fourier transform likes."""
    return 1 << max(4, (n - 1).bit_length())
