"""How fast, how small and how true the reading of sound is.

    python -m benchmarks.sound_reading [--parts speed memory resampling likeness] [--minutes 10] [--hours 10] [--dry]

- speed: seconds of sound decoded a second of processor time, of made talk in several codecs, to 16 kHz mono
- memory: peak memory of a process of its own that reads a sound of ten hours, block by block (.mp3 and .opus)
- resampling: level error of tones up to 7 kHz, and what is left of tones above 8 kHz, from five rates
- likeness: correlation and shift against libsndfile (and soxr) on Opus clips of RAVDESS, below `AFFETTO_DATA`

Processor time, not the clock, so that a busy machine changes little. The sounds are made, always the same ones.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np

from affetto.media.audio import audio
from benchmarks.results import RESULTS, save

SEED = 11
PARTS = ("speed", "memory", "resampling", "likeness")
CODECS = (
    ("wav 16 kHz mono", "wav", "pcm_s16le", 16000, 1, None),
    ("wav 44.1 kHz stereo", "wav", "pcm_s16le", 44100, 2, None),
    ("flac 44.1 kHz stereo", "flac", "flac", 44100, 2, None),
    ("mp3 44.1 kHz stereo, 128 kbit/s", "mp3", "mp3", 44100, 2, 128_000),
    ("m4a (AAC) 44.1 kHz stereo, 128 kbit/s", "m4a", "aac", 44100, 2, 128_000),
    ("opus 48 kHz mono, 24 kbit/s", "opus", "libopus", 48000, 1, 24_000),
)
READ = """
import json, resource, sys, time
from affetto.media.audio import audio
start = time.process_time()
count = sum(len(block) for block in audio(sys.argv[1]).blocks())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([count / 16000, peak, time.process_time() - start]))
"""


def talk(rate: int) -> np.ndarray:
    """Return 20 s that are as hard to encode as talk: harmonics that glide, noise and pauses."""
    rng = np.random.default_rng(SEED)
    at = np.arange(20 * rate) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    sound = np.asarray(voice) * (np.sin(2 * np.pi * 2.5 * at) > -0.3) + 0.05 * rng.standard_normal(len(at))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def encode(path: Path, codec: str, rate: int, channels: int, bits: int | None, seconds: float) -> Path:
    """Write talk of some length: 20 s are encoded once, and their packets repeated; return the path."""
    layout = "stereo" if channels == 2 else "mono"
    samples = np.ascontiguousarray(np.repeat(talk(rate)[None], channels, 0))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bits:
            stream.bit_rate = bits
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        packets = [(bytes(p), p.time_base, p.duration) for p in [*stream.encode(frame), *stream.encode()] if p.size]
        at = 0
        while at * float(packets[0][1]) < seconds:
            for content, base, duration in packets:
                packet = av.Packet(content)
                packet.stream, packet.time_base = stream, base
                packet.pts = packet.dts = at
                packet.duration = duration
                container.mux(packet)
                at += duration
    return path


def speed(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return how many times faster than real time each codec is decoded on one core."""
    found = {}
    for title, suffix, codec, rate, channels, bits in CODECS:
        path = encode(folder / f"talk.{suffix}", codec, rate, channels, bits, 60 * options.minutes)
        start = time.process_time()
        count = sum(len(block) for block in audio(path).blocks())
        found[f"{title}, times real time"] = count / 16000 / (time.process_time() - start)
    return found


def memory(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return the peak memory of a process that reads a long sound."""
    found = {}
    for suffix, codec, rate, bits in (("mp3", "mp3", 16000, 32_000), ("opus", "libopus", 16000, 12_000)):
        path = encode(folder / f"long.{suffix}", codec, rate, 1, bits, 3600 * options.hours)
        said = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
        seconds, peak, spent = json.loads(said.stdout)
        found[f"{suffix} of {seconds / 3600:.1f} h, peak memory, MB"] = peak
        found[f"{suffix} of {seconds / 3600:.1f} h, processor time, s"] = spent
    return found


def resampling(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return the worst level error and the worst alias of tones from five rates."""
    off, alias = 0.0, -200.0
    for rate in (8000, 22050, 44100, 48000, 192000):
        for pitch in (100, 440, 1000, 3000, 5000, 7000, 9000, 10000, 15000, 20000, 60000):
            if pitch > rate / 2.2:
                continue
            tone = 0.5 * np.sin(2 * np.pi * pitch * np.arange(rate) / rate)
            path = folder / "tone.wav"
            path.write_bytes(_wav(tone, rate))
            heard = np.concatenate(list(audio(path).blocks()))[2000:-2000, 0]
            level = 10 * np.log10(np.mean(heard**2) / 0.125 + 1e-20)
            if pitch < 8000:
                off = max(off, abs(float(level)))
            else:
                alias = max(alias, float(level))
    return {"tones to 7 kHz, worst level error, dB": off, "tones above 9 kHz, worst alias, dB": alias}


def _wav(samples: np.ndarray, rate: int) -> bytes:
    data = samples.astype("<f4").tobytes()
    form = np.array([3, 1], "<u2").tobytes() + np.array([rate, 4 * rate], "<u4").tobytes() + b"\4\0\x20\0"
    size = np.array([36 + len(data), len(data)], "<u4")
    return b"RIFF" + size[:1].tobytes() + b"WAVEfmt \x10\0\0\0" + form + b"data" + size[1:].tobytes() + data


def likeness(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return how like libsndfile's reading ours is, on clips of RAVDESS; nothing where they are absent."""
    home = Path(os.environ.get("AFFETTO_DATA", "")) / "speech" / "ravdess" / "ravdess_speech_16k_opus32k.zip"
    if not home.is_file():
        return {}
    pairs = list(_clips(home))
    alike = [float(np.corrcoef(ours, theirs)[0, 1]) for ours, theirs in pairs]
    return {
        "Opus clips against libsndfile, n": len(pairs),
        "Opus clips against libsndfile, lowest correlation": min(alike),
        "Opus clips against libsndfile, median correlation": float(np.median(alike)),
        "Opus clips against libsndfile, largest shift, samples": max(abs(_shift(*pair)) for pair in pairs),
    }


def _clips(home: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    import soundfile  # noqa: PLC0415 - of the development set

    with zipfile.ZipFile(home) as archive:
        names = [name for name in archive.namelist() if name.endswith(".opus")]
        for name in random.Random(SEED).sample(names, 60):
            ours = np.concatenate(list(audio(partial(archive.open, name), path=name).blocks()))[:, 0]
            with archive.open(name) as file:
                theirs, _ = soundfile.read(file, dtype="float32")
            n = min(len(ours), len(theirs))
            yield ours[:n], theirs[:n]


def _shift(ours: np.ndarray, theirs: np.ndarray) -> int:
    size = 2 * len(ours)
    likeness = np.fft.irfft(np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size)), size)
    at = int(likeness.argmax())
    return at if at < size // 2 else at - size


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--minutes", type=float, default=10, help="of the sounds whose speed is measured")
    parser.add_argument("--hours", type=float, default=10, help="of the sounds whose memory is measured")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    kept = RESULTS / "sound-reading" / "pyav.json"
    numbers = json.loads(kept.read_text("utf-8"))["speed"] if kept.exists() else {}
    measures = dict(zip(PARTS, (speed, memory, resampling, likeness), strict=True))
    for part in options.parts:
        with tempfile.TemporaryDirectory() as folder:
            found = measures[part](Path(folder), options)
        numbers |= found
        for name, value in found.items():
            print(f"{value:14,.5g}  {name}", flush=True)
    if not options.dry:
        notes = (
            f"made sounds of {options.minutes:g} minutes (speed) and {options.hours:g} hours (memory); one process, "
            f"processor time; last command: python -m benchmarks.sound_reading --parts {' '.join(options.parts)}"
        )
        print(save("sound-reading", "pyav", len(CODECS), {}, SEED, numbers, notes).name)


if __name__ == "__main__":
    main()
