"""Fit and publish `speech.speaker`: who speaks when, by what a voice encoder remembers.

    pip install --no-deps resemblyzer==0.1.4
    AFFETTO_DATA=DATA python -m recipes.speech_speaker --work build/speaker [--seed 20]

What the voice encoder of Resemblyzer (Wan et al. 2018, generalized end-to-end loss; Apache-2.0; `pip install --no-deps
resemblyzer==0.1.4` brings its weights) remembers every 40 ms is turned by a linear discriminant analysis of its means
over clips of the speakers of five corpora, at three speeds each (so that each is three speakers), clean and under
noise. The speakers of `UNHEARD` are never learned from: they are for `benchmarks/diarization.py`, and RAVDESS' are
those of the test talks of `recipes/made_talks.py`. How voices are told apart is fitted on talks of half of the
speakers, with what was learned from the other half.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from affetto.core.catalog import find, load
from affetto.models.speech.listening import Listening
from affetto.models.speech.mel import RATE
from affetto.models.speech.remembering import VoiceEncoder
from affetto.models.speech.speaker import Turning, VoiceEmbedder
from affetto.models.speech.spells import Channel, Spell
from affetto.models.speech.telling import Telling, told_apart
from recipes import cards
from recipes.speech_talks import Clip, Floats, Talk, clips, talks

log = logging.getLogger("speech")
WEIGHTS = Path(__file__).resolve().parents[1] / "src/affetto/models/speech/weights/speech.speaker.onnx.xz"
CORPORA = ("ravdess", "emo-db", "emovo", "turev-db", "tess")
UNHEARD = {"emo-db": ("03", "08", "09", "10"), "emovo": ("f3", "m3")}
"""Speakers who are never learned from, and RAVDESS' of `UNHEARD_FOLDS`."""
UNHEARD_FOLDS = ("1", "2", "3", "4")
SPEEDS = (1.0, 0.88, 1.14)
NUMBERS, SHRINK = 64, 0.3
SHORT = 1.5
"""Seconds of the parts that are learned from besides whole clips."""


def unheard() -> dict[str, tuple[str, ...]]:
    """Return corpus -> speakers who are not learned from."""
    actors = {str(r.meta["speaker"]) for r in load("ravdess").read("all") if str(r.meta["fold"]) in UNHEARD_FOLDS}
    return {"ravdess": tuple(sorted(actors, key=int)), **UNHEARD}


def remembered(pool: Sequence[Clip], encoder: VoiceEncoder, seed: int) -> tuple[Floats, list[str], list[str]]:
    """Return what the encoder remembers of clips and parts of them, n x 768, and of each its voice and its group.

    A voice is a speaker at a speed, a group a corpus at a speed.
    """
    rng = np.random.default_rng(seed)
    found, voices, groups = [], [], []
    for clip in pool:
        for speed in SPEEDS:
            for noisy in (False, True):
                samples = np.interp(
                    np.arange(0, len(clip.samples) - 1, speed), np.arange(len(clip.samples)), clip.samples
                )
                frames = encoder([_spoilt(samples, rng) if noisy else samples.astype(np.float32)])[0]
                short = round(SHORT / 0.04)
                start = int(rng.integers(0, max(1, len(frames) - short)))
                for part in (frames, frames[start : start + short]):
                    found.append(part.mean(0))
                    voices.append(f"{clip.corpus} {clip.speaker} {speed}")
                    groups.append(f"{clip.corpus} {speed}")
    return np.stack(found), voices, groups


def _spoilt(samples: npt.NDArray[np.float64], rng: np.random.Generator) -> Floats:
    """Return a clip under noise 8 to 28 dB below it, through some channel."""
    lines = np.fft.rfft(rng.standard_normal(len(samples)))
    noise = np.fft.irfft(lines * np.arange(1, len(lines) + 1) ** -rng.uniform(0, 1), len(samples))
    heard = np.fft.rfft(samples + noise * (samples.std() / noise.std() * 10 ** (-rng.uniform(8, 28) / 20)))
    curve = np.interp(np.linspace(0, 1, len(heard)), np.linspace(0, 1, 6), rng.normal(0, 3, 6))
    return np.asarray(np.fft.irfft(heard * 10 ** (curve / 20), len(samples)), np.float32)


def turned(x: Floats, voices: Sequence[str], groups: Sequence[str]) -> Floats:
    """Return the linear discriminant analysis of voices within groups, 769 x 64, the last row for the mean.

    The covariance within voices is shrunk towards a multiple of the identity; each voice counts alike.
    """
    mean, spread = x.mean(0), x.std(0) + 1e-6
    z = (x - mean) / spread
    names, whose = np.unique(voices, return_inverse=True)
    count = np.bincount(whose)
    middles = np.zeros((len(names), z.shape[1]))
    np.add.at(middles, whose, z)
    middles /= count[:, None]
    apart = z - middles[whose]
    inner = (apart / count[whose][:, None]).T @ apart / len(names)
    inner = (1 - SHRINK) * inner + SHRINK * np.trace(inner) / len(inner) * np.eye(len(inner))
    size, axes = np.linalg.eigh(inner)
    white = axes / np.sqrt(size)
    group = np.array([groups[int(np.argmax(whose == k))] for k in range(len(names))])
    between = np.concatenate([middles[group == g] - middles[group == g].mean(0) for g in np.unique(group)]) @ white
    turn = (white @ np.linalg.eigh(between.T @ between)[1][:, ::-1][:, :NUMBERS]) / spread[:, None]
    turn /= np.linalg.norm(z @ (turn * spread[:, None]), axis=1).mean()
    return np.concatenate([turn, -(mean @ turn)[None]]).astype(np.float32)


def confusion(truth: Sequence[str], found: Sequence[int], seconds: Floats) -> float:
    """Return the share of the time that is not the voice that its speaker goes with best."""
    rows, columns = sorted(set(truth)), sorted(set(found))
    shared = np.zeros((len(rows), len(columns)))
    for one, other, long in zip(truth, found, seconds, strict=True):
        shared[rows.index(one), columns.index(other)] += long
    return float(1 - shared[linear_sum_assignment(-shared)].sum() / shared.sum())


def fitted_telling(heard: Sequence[tuple[Talk, VoiceEmbedder]]) -> Telling:
    """Return how voices are best told apart in talks whose turns are known."""
    cases = []
    for talk, embedder in heard:
        turns = sorted(talk.truth, key=lambda turn: turn[1])
        rows = embedder.rows([talk.samples[int(a * RATE) : int(b * RATE)] for _, a, b in turns])
        seconds = np.array([b - a for _, a, b in turns])
        cases.append(([who for who, _, _ in turns], embedder.embedded(np.stack([one.sum(0) for one in rows])), seconds))
    tried = {}
    for alike in (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6):
        for trust in (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5):
            how = Telling(alike=alike, trust=trust)
            wrong = [confusion(truth, told_apart(x, seconds, how), seconds) for truth, x, seconds in cases]
            tried[alike, trust] = float(np.mean(wrong))
    best = min(tried, key=lambda key: tried[key])
    log.info("telling: alike %s, trust %s, confusion %.3f", *best, tried[best])
    return Telling(alike=best[0], trust=best[1])


def spells_of(talk: Talk) -> list[Spell]:
    """Return the stretches of voice in a talk."""
    channel = Channel("voice", Listening(), 0.0)
    for start in range(0, len(talk.samples), 10 * RATE):
        channel.feed(talk.samples[start : start + 10 * RATE])
    channel.finish()
    return channel.spells


def pools_of(known: Mapping[str, Sequence[Clip]], part: int) -> dict[str, list[Clip]]:
    """Return the clips of every other speaker of each corpus, where those are two or more."""
    found = {}
    for corpus, own in known.items():
        names = sorted({clip.speaker for clip in own})[part::2]
        found[corpus] = [clip for clip in own if clip.speaker in names]
    return found


def main() -> None:
    """Fit and write."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--talks", type=int, default=24, help="talks that are fitted on, of each half")
    given = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given.work.mkdir(parents=True, exist_ok=True)
    from recipes.speech_speaker_network import write  # noqa: PLC0415 - it wants torch, and whoever borrows from here does not

    write(given.work / "encoder.onnx", {})
    encoder, out = VoiceEncoder(given.work / "encoder.onnx"), unheard()
    known: dict[str, list[Clip]] = {}
    for corpus in CORPORA:
        names = {str(r.meta["speaker"]) for r in load(corpus).read("all")} - set(out.get(corpus, ()))
        known[corpus] = clips(corpus, sorted(names), 60 if corpus == "ravdess" else 40, given.seed)
        log.info("%s: %d clips of %d speakers", corpus, len(known[corpus]), len(names))
    held: dict[str, tuple[Floats, list[str], list[str]]] = {}
    for corpus, own in known.items():
        held[corpus] = _kept(given.work / f"{corpus}.npz", own, encoder, given.seed)
    card = find("speech.speaker")
    heard: list[tuple[Talk, VoiceEmbedder]] = []
    for part in (0, 1):
        pool = {c: own for c, own in pools_of(known, 1 - part).items() if c in ("ravdess", "emo-db", "emovo")}
        turn = _learned(held, known, part)

        def turned_rows(clips: Sequence[Floats], turn: Floats = turn) -> list[Floats]:
            return [rows @ turn[:-1] + turn[-1] for rows in encoder(clips)]

        embedder = VoiceEmbedder(card, turned_rows, Telling(), Turning())
        for noise in (None, 15.0):
            made = talks(pool, given.talks // 2, given.seed + part, noise)
            heard += [(one, embedder) for one in made]
    facts = {"telling": asdict(fitted_telling(heard)), "turning": asdict(Turning())}
    write(WEIGHTS, facts, _learned(held, known))
    cards.update("speech.speaker", WEIGHTS, [], room="speech")
    log.info("%s: %d bytes", WEIGHTS.name, WEIGHTS.stat().st_size)


def _kept(path: Path, own: Sequence[Clip], encoder: VoiceEncoder, seed: int) -> tuple[Floats, list[str], list[str]]:
    if not path.exists():
        x, voices, groups = remembered(own, encoder, seed)
        np.savez(path, x=x, voices=voices, groups=groups)
    with np.load(path) as file:
        return file["x"], [str(one) for one in file["voices"]], [str(one) for one in file["groups"]]


def _learned(
    held: Mapping[str, tuple[Floats, list[str], list[str]]],
    known: Mapping[str, Sequence[Clip]],
    part: int | None = None,
) -> Floats:
    """Return what is learned from all speakers, or from one half of them."""
    names = {
        f"{clip.corpus} {clip.speaker}"
        for own in (known if part is None else pools_of(known, part)).values()
        for clip in own
    }
    rows = [
        (x[k], voices[k], groups[k])
        for x, voices, groups in held.values()
        for k in range(len(x))
        if voices[k].rpartition(" ")[0] in names
    ]
    return turned(np.stack([x for x, _, _ in rows]).astype(np.float64), *zip(*[row[1:] for row in rows], strict=True))


if __name__ == "__main__":
    main()
