"""Speaks a text with a made voice: babble with the rhythm of its letters, and with the prosody of a feeling.

A source with harmonics and noise, shaped by formants (Klatt 1980, JASA 67; vowels of Peterson and Barney 1952, JASA
24). Letters stand for sounds roughly, so that a syllable has its vowel and a word its length, but nobody will
understand the words. How feelings sound follows Banse and Scherer 1996 (JPSP 70) and Juslin and Laukka 2003 (Psych.
Bulletin 129) in direction: pitch, its range, rate, loudness, the strength of high harmonics, breath and trembling.
Knows numpy; knows no talk and no face. The same seed gives the same sound.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.generate.talk import MOUTH, RATE, Floats, Utterance

TICK = 200
"""Frames a second in which the mouth moves."""
_HOP = RATE // TICK
_HIGHEST = 5200.0
"""Hertz of the highest harmonic."""


@dataclass(frozen=True)
class Sound:
    """One sound of speech."""

    seconds: float
    formants: tuple[float, float, float]
    """Hertz, of a man."""
    voiced: float
    """How loud the harmonics are, 0..1."""
    noise: float = 0.0
    """How loud the noise is, 0..1."""
    band: tuple[float, float] = (4500.0, 1500.0)
    """Middle and width of the noise, hertz."""
    mouth: tuple[float, float, float] = (0.2, 0.0, 0.1)
    """How far open, how round, how wide."""


VOWELS = {
    "ee": Sound(0.13, (270, 2290, 3010), 1.0, mouth=(0.3, 0.0, 0.9)),
    "i": Sound(0.09, (390, 1990, 2550), 0.95, mouth=(0.35, 0.0, 0.7)),
    "e": Sound(0.11, (530, 1840, 2480), 1.0, mouth=(0.55, 0.0, 0.5)),
    "a": Sound(0.13, (660, 1720, 2410), 1.0, mouth=(0.85, 0.0, 0.4)),
    "ah": Sound(0.14, (730, 1090, 2440), 1.0, mouth=(1.0, 0.0, 0.0)),
    "o": Sound(0.14, (570, 840, 2410), 1.0, mouth=(0.7, 0.6, 0.0)),
    "u": Sound(0.10, (440, 1020, 2240), 0.95, mouth=(0.35, 0.6, 0.0)),
    "oo": Sound(0.13, (300, 870, 2240), 0.95, mouth=(0.25, 1.0, 0.0)),
    "uh": Sound(0.08, (640, 1190, 2390), 0.9, mouth=(0.5, 0.0, 0.0)),
    "er": Sound(0.12, (490, 1350, 1690), 0.95, mouth=(0.4, 0.3, 0.0)),
}
"""Vowels of men, Peterson and Barney 1952."""
_LIPS, _TEETH, _BACK = (0.0, 0.0, 0.0), (0.15, 0.0, 0.4), (0.3, 0.0, 0.2)
CONSONANTS = {
    "m": Sound(0.07, (280, 1000, 2200), 0.45, mouth=_LIPS),
    "n": Sound(0.06, (280, 1700, 2600), 0.45, mouth=_TEETH),
    "l": Sound(0.06, (360, 1100, 2800), 0.6, mouth=_BACK),
    "r": Sound(0.06, (380, 1200, 1600), 0.6, mouth=(0.25, 0.4, 0.0)),
    "w": Sound(0.06, (300, 700, 2200), 0.55, mouth=(0.1, 0.9, 0.0)),
    "y": Sound(0.05, (280, 2200, 3000), 0.55, mouth=(0.2, 0.0, 0.8)),
    "b": Sound(0.07, (250, 900, 2200), 0.18, 0.12, (800, 800), _LIPS),
    "d": Sound(0.06, (250, 1700, 2600), 0.18, 0.15, (3500, 1500), _TEETH),
    "g": Sound(0.07, (250, 2000, 2500), 0.18, 0.15, (2000, 1000), _BACK),
    "p": Sound(0.09, (400, 1000, 2300), 0.0, 0.25, (900, 900), _LIPS),
    "t": Sound(0.08, (400, 1700, 2600), 0.0, 0.35, (4200, 1800), _TEETH),
    "k": Sound(0.09, (400, 1900, 2500), 0.0, 0.3, (2200, 1100), _BACK),
    "f": Sound(0.09, (340, 1100, 2100), 0.0, 0.22, (5500, 3000), (0.08, 0.0, 0.2)),
    "v": Sound(0.06, (220, 1100, 2100), 0.4, 0.1, (5500, 3000), (0.08, 0.0, 0.2)),
    "th": Sound(0.08, (320, 1300, 2500), 0.1, 0.18, (5200, 3000), _TEETH),
    "s": Sound(0.10, (320, 1500, 2600), 0.0, 0.5, (6000, 1600), _TEETH),
    "z": Sound(0.07, (240, 1500, 2600), 0.4, 0.3, (6000, 1600), _TEETH),
    "sh": Sound(0.10, (300, 1800, 2700), 0.0, 0.5, (3200, 1400), (0.2, 0.7, 0.0)),
    "h": Sound(0.06, (500, 1500, 2500), 0.05, 0.3, (1500, 1500), _BACK),
}  # fmt: skip
REST = Sound(0.04, (500, 1500, 2500), 0.0, mouth=(0.0, 0.0, 0.0))
_LETTERS = {
    "ee": "ee", "ea": "ee", "ie": "ee", "oo": "oo", "ou": "o", "ow": "o", "ai": "e", "ay": "e", "oa": "o", "au": "ah",
    "er": "er", "ir": "er", "ur": "er", "or": "o", "ar": "ah", "a": "a", "e": "e", "i": "i", "o": "ah", "u": "uh",
    "th": "th", "sh": "sh", "ch": "sh", "ph": "f", "ck": "k", "ng": "n", "wh": "w", "gh": "g", "c": "k", "q": "k",
    "x": "s", "j": "sh",
}  # fmt: skip
"""Letters whose sound is not called like them; longer ones go first."""
_SPELT = re.compile("|".join([*sorted(_LETTERS, key=len, reverse=True), "[a-z]"]))


@dataclass(frozen=True)
class Voice:
    """Whose voice it is."""

    pitch: float
    """Hertz, when calm."""
    tract: float
    """By how much formants lie higher than a man's."""
    breath: float = 0.06
    rate: float = 1.0


VOICES = (Voice(205, 1.17, 0.08, 1.05), Voice(122, 1.0, 0.05), Voice(165, 1.1, 0.06, 0.95), Voice(235, 1.22, 0.1, 1.1),
          Voice(104, 0.95, 0.05, 0.92))  # fmt: skip
"""Those that can be had, by number."""


@dataclass(frozen=True)
class Manner:
    """How a feeling sounds, beside a calm voice."""

    pitch: float = 1.0
    range: float = 1.0
    rate: float = 1.0
    loudness: float = 1.0
    tilt: float = 0.0
    """dB an octave by which high harmonics are stronger."""
    breath: float = 1.0
    tremble: float = 0.0
    """How far pitch trembles, as a share."""
    ending: float = -0.12
    """By how much pitch moves at the end, as a share."""


MANNERS = {
    "neutral": Manner(),
    "joy": Manner(1.5, 2.0, 1.1, 1.5, 2.5, 1.0, 0.0, 0.1),
    "anger": Manner(1.75, 1.9, 1.1, 3.0, 8.0, 0.6, 0.015, -0.3),
    "sadness": Manner(1.1, 0.6, 0.7, 0.4, -6.0, 4.0, 0.02, -0.1),
    "fear": Manner(1.9, 0.9, 1.25, 1.2, 3.0, 2.0, 0.05, 0.1),
    "surprise": Manner(1.5, 3.5, 1.0, 1.1, 0.0, 1.2, 0.0, 0.9),
    "disgust": Manner(0.95, 1.3, 0.8, 1.2, 4.0, 1.4, 0.03, -0.35),
}


def spell(text: str) -> list[list[Sound]]:
    """Return the sounds of each word of a text; a pause, too, is a word: of one rest.

    >>> [len(word) for word in spell("Hello, Ann")]
    [4, 1, 2]
    """
    words: list[list[Sound]] = []
    for piece in re.findall(r"[a-z']+|[.,;:!?-]+|\d", text.lower()):
        if not piece[0].isalpha() and piece[0] != "'":
            words.append([REST] * (3 if piece[0] in ".!?" else 1))
            continue
        plain = piece.replace("'", "")
        plain = plain[:-1] if len(plain) > 3 and plain.endswith("e") else plain
        found = [_LETTERS.get(one, one) for one in _SPELT.findall(plain)]
        if found and found[-1] == "y":
            found[-1] = "ee"
        known = [(VOWELS | CONSONANTS)[one] for k, one in enumerate(found) if k == 0 or one != found[k - 1]]
        words.append(known or [REST])
    return words or [[REST]]


def say(text: str, feeling: str = "neutral", voice: Voice = VOICES[0], seed: int = 0) -> Utterance:
    """Return a text as this voice says it in a feeling: sound at 16 kHz, and what the mouth does.

    Args:
        text: the words.
        feeling: one of `MANNERS`.
        voice: whose it is.
        seed: of what is drawn by lot: accents, noise.
    """
    rng, manner = np.random.default_rng(seed), MANNERS[feeling]
    frames, accents = _timed(spell(text), voice.rate * manner.rate, rng)
    moved = _smooth(frames, 11)
    pitch = _pitch(accents, voice, manner, rng)
    level = _smooth(frames[:, 3:5], 5)
    breath = voice.breath * manner.breath
    heard = _harmonics(moved[:, :3] * voice.tract, pitch, level[:, 0], manner.tilt, breath)
    noise = _noise(moved, level, breath, voice.tract, rng)
    heard = heard + 0.35 * noise
    voiced = np.repeat(level[:, 0] > 0.3, _HOP)
    size = np.sqrt(np.mean(heard[voiced] ** 2)) if voiced.any() else np.sqrt(np.mean(heard**2)) + 1e-6
    heard *= 0.07 * manner.loudness / max(size, 1e-6)
    fade = np.minimum(1, np.minimum(np.arange(len(heard)), np.arange(len(heard))[::-1]) / 200)
    sound = np.tanh(heard * fade).astype(np.float32)
    mouth = _smooth(frames[:, 7:10], 13)[:: TICK // MOUTH]
    return Utterance(sound, np.clip(mouth, 0, 1).astype(np.float32), {"made": "affetto.generate.voice"})


def _timed(words: list[list[Sound]], rate: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return columns of each frame (three formants, voice, noise, its band, the mouth), and where accents are, 0..1."""
    rows: list[Floats] = []
    marks: list[Floats] = []
    for k, word in enumerate(words):
        stressed = len(word) > 3 or rng.random() < 0.3
        for sound in word:
            long = sound.seconds / rate * (1.35 if k == len(words) - 1 else 1.0) * rng.uniform(0.9, 1.1)
            count = max(3, round(long * TICK))
            row = [*sound.formants, sound.voiced, sound.noise, *sound.band, *sound.mouth]
            block = np.tile(np.array(row, np.float32), (count, 1))
            if sound.noise and sound.voiced < 0.2 and sound.seconds < 0.095 and sound.mouth[0] < 0.35:
                block[: round(0.55 * count), 3:5] *= 0.1
            if rows and sound is REST:
                block[:, :3] = rows[-1][-1, :3]
            rows.append(block)
            vowel = sound.voiced > 0.8
            marks.append(np.full(count, float(vowel and stressed), np.float32))
            stressed = stressed and not vowel
    return np.concatenate(rows), np.concatenate(marks)


def _pitch(accents: Floats, voice: Voice, manner: Manner, rng: np.random.Generator) -> Floats:
    """Return hertz in each frame: falling slowly, higher in accents, moving at the end, trembling."""
    n = len(accents)
    along = np.linspace(0, 1, n)
    curve = 0.08 - 0.16 * along + 0.22 * _smooth(accents[:, None], 31)[:, 0]
    drift = np.convolve(rng.normal(0, 1, n + 60), np.hanning(61) / 6, "valid")[:n]
    curve = curve * manner.range + 0.02 * manner.range * drift
    curve = curve + manner.ending * np.clip((along - 0.75) / 0.25, 0, 1) ** 1.5
    tremble = manner.tremble * np.sin(2 * np.pi * 6.5 * np.arange(n) / TICK) + 0.004 * rng.normal(0, 1, n)
    return np.asarray(np.clip(voice.pitch * manner.pitch * (1 + curve + tremble), 55, 600), np.float32)


def _harmonics(formants: Floats, pitch: Floats, level: Floats, tilt: float, breath: float) -> Floats:
    """Return the voiced part: each harmonic as loud as the source and the formants let it be."""
    n = len(pitch) * _HOP
    at = np.arange(n) / _HOP
    phase = 2 * np.pi * np.cumsum(np.interp(at, np.arange(len(pitch)), pitch)) / RATE
    out = np.zeros(n, np.float32)
    slope = -10.0 + tilt - 12 * breath
    for number in range(1, int(_HIGHEST / float(pitch.min())) + 1):
        hertz = number * pitch
        loud = level * _through(hertz, formants) * number ** (slope / 6.02)
        loud = loud * np.clip((_HIGHEST - hertz) / 400, 0, 1)
        out += np.interp(at, np.arange(len(loud)), loud).astype(np.float32) * np.sin(number * phase).astype(np.float32)
    return out


def _through(hertz: Floats, formants: Floats) -> Floats:
    """Return how much of each frame's frequency the mouth lets through: resonances one after the other (Klatt 1980).

    Args:
        hertz: frames, or frames x k.
        formants: frames x 3; a fourth and a fifth are fixed.
    """
    out = np.ones_like(hertz)
    fixed = formants.mean() / 1480
    higher = ((3500 * fixed, 200.0), (4500 * fixed, 280.0))
    lower = [(formants[:, k], width) for k, width in enumerate((70.0, 100.0, 150.0))]
    for middle, width in (*lower, *higher):
        spot = np.reshape(middle, (-1, *[1] * (hertz.ndim - 1)))
        out = out * spot**2 / np.sqrt((spot**2 - hertz**2) ** 2 + (width * hertz) ** 2)
    return np.asarray(np.clip(out, 0, 30) * (1 + (hertz / 1500) ** 2) ** 0.5, np.float32)


def _noise(moved: Floats, level: Floats, breath: float, tract: float, rng: np.random.Generator) -> Floats:
    """Return hiss and breath: noise whose spectrum follows the sounds, 10 ms at a time."""
    n = len(moved)
    white = rng.normal(0, 1, (n + 2) * _HOP).astype(np.float32)
    pieces = np.stack([white[k * _HOP : (k + 2) * _HOP] for k in range(n)]) * np.hanning(2 * _HOP)
    at = np.fft.rfftfreq(2 * _HOP, 1 / RATE)
    middle, width = moved[:, 5, None], moved[:, 6, None]
    hiss = level[:, 1:] * np.exp(-0.5 * ((at[None] - middle) / width) ** 2)
    open_mouth = level[:, :1] * breath * np.clip(_through(np.tile(at, (n, 1)), moved[:, :3] * tract), 0, 4)
    shaped = np.fft.irfft(np.fft.rfft(pieces, axis=1) * (hiss + open_mouth), 2 * _HOP, axis=1)
    out = np.zeros((n + 1, _HOP))
    out[:-1] += shaped[:, :_HOP]
    out[1:] += shaped[:, _HOP:]
    return np.asarray(out[:-1].ravel(), np.float32)


def _smooth(columns: npt.NDArray[np.float32], width: int) -> Floats:
    """Return columns blurred over time; the ends stay."""
    window = np.hanning(width + 2)[1:-1]
    half = width // 2
    padded = np.pad(columns, ((half, half), (0, 0)), "edge")
    blurred = [np.convolve(padded[:, k], window / window.sum(), "valid") for k in range(columns.shape[1])]
    return np.stack(blurred, 1).astype(np.float32)
