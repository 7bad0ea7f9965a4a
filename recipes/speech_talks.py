"""Talks for the recipes and benchmarks of who speaks when: clips of acted speech one after the other, with truth.

Turns of 1 to 5 s, made of one or two clips of one speaker in any emotion, with gaps of -0.2 s (both speak) to 1 s. The
truth is where the clips are, from the first to the last sound in each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.models.speech.mel import RATE

Floats = npt.NDArray[np.float32]
TURNS = (16, 29)
"""Turns of a talk: from, to."""


@dataclass(frozen=True)
class Clip:
    """One clip, from its first to its last sound."""

    corpus: str
    speaker: str
    emotion: str
    samples: Floats


@dataclass(frozen=True)
class Talk:
    """A talk, and who speaks when."""

    corpus: str
    samples: Floats
    truth: tuple[tuple[str, float, float], ...]
    """Speaker, start and end in seconds."""


def clips(corpus: str, speakers: Sequence[str], most: int = 60, seed: int = 20) -> list[Clip]:
    """Return clips of some speakers of a corpus, at most so many of each."""
    records = [record for record in load(corpus).read("all") if str(record.meta["speaker"]) in set(speakers)]
    order = np.random.default_rng(seed).permutation(len(records))
    count: dict[str, int] = {}
    found = []
    for k in order:
        speaker = str(records[k].meta["speaker"])
        if count.setdefault(speaker, 0) < most:
            count[speaker] += 1
            samples = np.concatenate([block[:, 0] for block in records[k].signals[0].blocks()])
            top = records[k].tracks[0].top()
            found.append(Clip(corpus, speaker, top.name if top else "", trimmed(samples)))
    return found


def trimmed(samples: Floats) -> Floats:
    """Return a clip from the first to the last 10 ms within 35 dB of its loud ones, and 50 ms around."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    level = 10 * np.log10((frames**2).mean(1) + 1e-10)
    loud = np.flatnonzero(level > np.percentile(level, 98) - 35)
    return samples[max(0, loud[0] * 160 - 800) : (loud[-1] + 1) * 160 + 800]


def talk(pool: Sequence[Clip], rng: np.random.Generator, noise: float | None = None) -> Talk:
    """Return a talk of two to four of the speakers of a pool.

    Args:
        pool: clips of one corpus.
        rng: of all that is random.
        noise: dB that noise (white to pink) lies below the voices; None: there is none.
    """
    own: dict[str, list[Clip]] = {}
    for clip in pool:
        own.setdefault(clip.speaker, []).append(clip)
    cast = [str(one) for one in rng.permutation(sorted(own))[: rng.integers(2, min(4, len(own)) + 1)]]
    gains = {name: 10 ** (rng.uniform(-3, 3) / 20) * 0.05 / _level(own[name]) for name in cast}
    parts: list[tuple[int, Floats]] = []
    truth, at, last = [], 0.5, ""
    for turn in range(int(rng.integers(*TURNS))):
        name = cast[turn] if turn < len(cast) else str(rng.choice([one for one in cast if one != last]))
        said = _turn(own[name], rng) * np.float32(gains[name])
        start = max(0.0, at + (rng.uniform(-0.2, 1.0) if turn else 0.0))
        parts.append((round(start * RATE), said))
        at = start + len(said) / RATE
        truth.append((name, start + 0.05, at - 0.05))
        last = name
    samples = np.zeros(round((at + 0.5) * RATE) + 1, np.float32)
    for first, said in parts:
        samples[first : first + len(said)] += said
    if noise is not None:
        samples += _noise(len(samples), rng) * np.float32(0.05 * 10 ** (-noise / 20))
    return Talk(pool[0].corpus, np.clip(samples, -1, 1), tuple(truth))


def talks(pools: Mapping[str, Sequence[Clip]], count: int, seed: int, noise: float | None = None) -> list[Talk]:
    """Return talks, in turn of each pool."""
    names = list(pools)
    return [talk(pools[names[k % len(names)]], np.random.default_rng((seed, k)), noise) for k in range(count)]


def _turn(own: Sequence[Clip], rng: np.random.Generator) -> Floats:
    said = own[rng.integers(len(own))].samples[: 5 * RATE]
    other = own[rng.integers(len(own))].samples
    if rng.random() < 0.5 and len(said) + len(other) < 4.7 * RATE:
        said = np.concatenate([said, np.zeros(int(rng.uniform(0.1, 0.3) * RATE), np.float32), other])
    return said


def _level(own: Sequence[Clip]) -> float:
    return float(np.mean([clip.samples.std() for clip in own]))


def _noise(count: int, rng: np.random.Generator) -> Floats:
    lines = np.fft.rfft(rng.standard_normal(count))
    sound = np.fft.irfft(lines * np.arange(1, len(lines) + 1) ** -rng.uniform(0, 0.5), count)
    return np.asarray(sound / sound.std(), np.float32)
