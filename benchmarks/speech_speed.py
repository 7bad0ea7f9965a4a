"""How fast recordings are answered: whole processes on a talk of ten minutes, and a live stream.

    AFFETTO_DATA=DATA python -m benchmarks.speech_speed [--minutes 10] [--runs 3] [--dry]

The talk is clips of RAVDESS, EMO-DB and EMOVO with pauses between (so about 60 % voice), as an mp3. Measured are
`affetto perceive talk.mp3 --out answers.json`, the same with `--model speech.affect` alone (without prosody), the same
in Python after loading, a clip of three seconds from process start, and after how many seconds of speech the first row
of a live stream comes. Medians of runs; results in `benchmarks/results/speech-speed`.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from affetto import api
from affetto.core.catalog import load
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.models.speech.live import Live
from benchmarks.results import save

RATE = 16000
CORPORA = ("ravdess", "emo-db", "emovo")


def talk(seconds: float, seed: int) -> np.ndarray:
    """Return clips of several corpora with pauses between."""
    rng = np.random.default_rng(seed)
    clips = [record for corpus in CORPORA for record in load(corpus).read("all")]
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * RATE:
        record = clips[rng.integers(len(clips))]
        pause = np.zeros(int(rng.uniform(0.2, 1.5) * RATE))
        parts += [np.concatenate([block[:, 0] for block in record.signals[0].blocks()]), pause]
    return np.concatenate(parts)[: int(seconds * RATE)].astype(np.float32)


def encode(samples: np.ndarray, path: Path) -> Path:
    """Write samples as an mp3; return the path."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=RATE, layout="mono")
        stream.bit_rate = 64000
        for start in range(0, len(samples), 1152 * 64):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1152 * 64], "flt", "mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def process(path: Path, *options: str) -> float:
    """Return the seconds that a whole process takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["affetto", "perceive", str(path), "--quiet", "--out", str(Path(folder, "a.json"))]
        began = time.perf_counter()
        subprocess.run([*command, *options], check=True)
        return time.perf_counter() - began


def in_python(path: Path, *models: str) -> float:
    """Return the seconds in a process that has loaded the models."""
    began = time.perf_counter()
    api.perceive(path, list(models) or None)
    return time.perf_counter() - began


def live_delay(samples: np.ndarray) -> float:
    """Return how many seconds after a voice begins its first row is there: sound heard, and the time to answer it."""
    model = load("speech.affect")
    record: Record = api.perceive(Record("talk", (_held(samples),)), model)
    starts = record.tracks[0].start
    live, delays = Live(model), []
    block = RATE // 50
    seen: set[int] = set()
    for start in range(0, len(samples), block):
        began = time.perf_counter()
        rows = live.feed(samples[start : start + block])
        took = time.perf_counter() - began
        for track in rows[:1]:
            at = int(np.abs(starts - track.start[0]).argmin())
            if at not in seen:
                seen.add(at)
                delays.append((start + block) / RATE - track.start[0] + took)
    return statistics.median(delays)


def _held(samples: np.ndarray) -> Audio:
    """Return samples that lie in memory as a sound."""

    def open(block: float) -> Iterator[np.ndarray]:
        step = int(block * RATE)
        return (samples[start : start + step, None] for start in range(0, len(samples), step))

    return Audio("talk", RATE, len(samples) / RATE, open)


def main() -> None:
    """Measure and write."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--dry", action="store_true")
    given = ask.parse_args()
    samples = talk(given.minutes * 60, given.seed)
    seconds = len(samples) / RATE
    with tempfile.TemporaryDirectory() as folder:
        path, short = encode(samples, Path(folder, "talk.mp3")), encode(samples[: 3 * RATE], Path(folder, "short.mp3"))
        in_python(short)
        measured = {
            "whole process, times real time": lambda: seconds / process(path),
            "whole process without prosody, times real time": lambda: (
                seconds / process(path, "--model", "speech.affect")
            ),
            "after loading, times real time": lambda: seconds / in_python(path),
            "after loading without prosody, times real time": lambda: seconds / in_python(path, "speech.affect"),
            "a clip of 3 s from process start, seconds": lambda: process(short),
        }
        speed = {name: statistics.median(measure() for _ in range(given.runs)) for name, measure in measured.items()}
    speed["first row of a live stream, seconds after the voice began"] = live_delay(samples[: 120 * RATE])
    for name, value in speed.items():
        print(f"{name}: {value:.2f}")
    if not given.dry:
        notes = f"a talk of {given.minutes:g} minutes as mp3, 2 cores"
        save("speech-speed", "speech.affect", given.runs, {}, given.seed, speed, notes)


if __name__ == "__main__":
    main()
