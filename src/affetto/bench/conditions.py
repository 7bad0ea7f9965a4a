"""How a recogniser fares when it hears worse: noise, a telephone, less of it.

A condition changes the sound of a Record and nothing else:

    white-20 white-10 white-5 white-0       white noise so many dB below the mean power of the clip
    pink-20 pink-10 pink-5 pink-0           noise whose power falls with 3 dB an octave
    telephone                               300 to 3400 Hz, 8000 samples a second, mu-law of 8 bits, back to 16 kHz
    middle-8 middle-4 middle-2 middle-1 middle-0.5      so many seconds from the middle; shorter clips stay whole

Noise is drawn by the seed and the Record's id. A sound under a condition is held whole while it is heard: these are
for clips. Knows samples; knows no benchmark.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.signal import Audio, Block

Floats = npt.NDArray[np.float64]
KNOWN = (
    *(f"{colour}-{db}" for colour in ("white", "pink") for db in (20, 10, 5, 0)),
    "telephone",
    *(f"middle-{seconds:g}" for seconds in (8, 4, 2, 1, 0.5)),
)
BAND = (300.0, 3400.0)
"""Hz that a telephone lets through (ITU-T G.712)."""
MU = 255.0
"""Of the companding law (ITU-T G.711)."""
_TELEPHONE_RATE = 8000.0


def under(condition: str, record: Record, seed: int) -> Record:
    """Return a Record as it sounds under a condition.

    Raises:
        UnknownNameError: there is no such condition; names those there are.
    """
    if condition not in KNOWN:
        raise UnknownNameError("condition", condition, KNOWN)
    name, _, amount = condition.partition("-")
    if name == "middle":
        return _each(record, lambda audio: _middle(audio, float(amount)))
    if name == "telephone":
        return _each(record, lambda audio: _through(audio, lambda samples: telephone(samples, audio.rate)))
    digest = hashlib.sha256(f"{seed}\0{record.id}".encode("utf-8", "surrogatepass")).digest()
    drawn = int.from_bytes(digest[:8], "big")

    def noisy(samples: Floats) -> Floats:
        return samples + noise(samples, float(amount), np.random.default_rng(drawn), pink=name == "pink")

    return _each(record, lambda audio: _through(audio, noisy))


def first(record: Record, seconds: float) -> Record:
    """Return a Record whose sounds end after so many seconds."""
    return _each(record, lambda audio: part(audio, 0.0, seconds))


def part(audio: Audio, start: float, end: float) -> Audio:
    """Return a sound from one second to another; one that is not opened stays so."""
    if audio.open is None or (start <= 0 and end >= audio.duration):
        return audio
    return replace(audio, duration=min(end, audio.duration) - start, open=_Part(audio, start, end))


def noise(samples: Floats, decibels: float, rng: np.random.Generator, pink: bool) -> Floats:
    """Return noise (n x channels) so many dB below the mean power of samples.

    Pink is white noise whose spectrum is divided by the root of the frequency.

    >>> tone = np.sin(np.arange(16000) / 5)[:, None]
    >>> made = noise(tone, 10, np.random.default_rng(1), pink=True)
    >>> round(float(10 * np.log10((tone**2).mean() / (made**2).mean())), 6)
    10.0
    """
    drawn = rng.standard_normal(samples.shape)
    if pink and len(drawn) > 1:
        spectrum = np.fft.rfft(drawn, axis=0)
        drawn = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum))))[:, None], len(drawn), axis=0)
    power = (drawn**2).mean() if drawn.size else 1.0
    wanted = (samples**2).mean() / 10 ** (decibels / 10) if drawn.size else 0.0
    return np.asarray(drawn * np.sqrt(wanted / power))


def telephone(samples: Floats, rate: float) -> Floats:
    """Return samples (n x channels) as they come out of a telephone: see the head of this file."""
    n = len(samples)
    few = max(1, round(n * _TELEPHONE_RATE / rate))
    spectrum = np.fft.rfft(samples, axis=0)
    hz = np.fft.rfftfreq(n, 1 / rate)
    spectrum[(hz < BAND[0]) | (hz > BAND[1])] = 0
    narrow = np.fft.irfft(spectrum[: few // 2 + 1], few, axis=0) * few / n
    squeezed = np.sign(narrow) * np.log1p(MU * np.minimum(1, np.abs(narrow))) / np.log1p(MU)
    coded = np.round(squeezed * 127) / 127
    heard = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(MU)) / MU
    wide = np.zeros_like(spectrum)
    back = np.fft.rfft(heard, axis=0)
    wide[: len(back)] = back[: len(wide)]
    return np.asarray(np.fft.irfft(wide, n, axis=0) * n / few)


@dataclass(frozen=True)
class _Part:
    """Opens a stretch of a sound."""

    audio: Audio
    start: float
    end: float

    def __call__(self, seconds: float) -> Iterator[Block]:
        left, at = round(self.start * self.audio.rate), 0
        right = round(self.end * self.audio.rate)
        for block in self.audio.blocks(seconds):
            piece = block[max(0, left - at) : max(0, right - at)]
            at += len(block)
            if len(piece):
                yield piece
            if at >= right:
                return


def _middle(audio: Audio, seconds: float) -> Audio:
    start = max(0.0, (audio.duration - seconds) / 2)
    return part(audio, start, start + seconds)


def _through(audio: Audio, change: Callable[[Floats], Floats]) -> Audio:
    if audio.open is None:
        return audio

    def opened(seconds: float) -> Iterator[Block]:
        blocks = [np.asarray(block, np.float64) for block in audio.blocks()]
        whole = np.concatenate(blocks) if blocks else np.zeros((0, audio.channels))
        heard = change(whole).astype(np.float32) if len(whole) else whole.astype(np.float32)
        size = max(1, round(seconds * audio.rate))
        for at in range(0, len(heard), size):
            yield np.clip(heard[at : at + size], -1, 1)

    return replace(audio, open=opened)


def _each(record: Record, change: Callable[[Audio], Audio]) -> Record:
    return replace(record, signals=tuple(change(s) if isinstance(s, Audio) else s for s in record.signals))
