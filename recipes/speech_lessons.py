"""What the speech recipes learn from: clips as the mel pictures that the networks see.

Each clip goes from the first sound in it to the last. The labels are those of one list of nine; each corpus asked its
actors for some of them, and says nothing of the others. Of EMO-DB only the first two seconds count, since three of its
seven states are cut there in the copy at hand, so that the length would tell the label.

    CREMA-D, as its makers lay it out, is read from `speech/crema-d-official` below AFFETTO_DATA where it is there.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.models.speech.mel import RATE, fine_mel

log = logging.getLogger("speech")
LABELS = ("neutral", "calm", "joy", "sadness", "anger", "fear", "disgust", "surprise", "boredom")
ASKED = {
    "ravdess": LABELS[:8],
    "tess": ("neutral", "joy", "sadness", "anger", "fear", "disgust", "surprise"),
    "emo-db": ("neutral", "joy", "sadness", "anger", "fear", "disgust", "boredom"),
    "emovo": ("neutral", "joy", "sadness", "anger", "fear", "disgust", "surprise"),
    "turev-db": ("calm", "joy", "sadness", "anger"),
    "crema-d": ("neutral", "joy", "sadness", "anger", "fear", "disgust"),
}
"""Corpus -> the labels that it asked its actors for."""
OURS = ("ravdess", "tess", "emo-db", "emovo", "turev-db")
"""Those that the shipped weights learned from."""
FOLDS = 6
CUT = {"emo-db": 2.0}
"""Seconds of a clip that count."""
QUIET = 8.0
"""Nepers of power below the loud frames at which a clip begins and ends: 35 dB."""


@dataclass(frozen=True)
class Lesson:
    """One clip."""

    corpus: str
    id: str
    speaker: str
    label: str
    mel: npt.NDArray[np.float16]
    """Frames x 80, natural logarithm of power."""
    fold: int
    """1 to 6: in which fold its speaker is tested; 0: in none."""


def lessons(corpora: Sequence[str], work: Path) -> list[Lesson]:
    """Return the clips of corpora, from the cache in `work` where they are there."""
    return [lesson for corpus in corpora for lesson in _cached(corpus, work / f"{corpus}.npz")]


def there(corpora: Sequence[str] = OURS) -> list[str]:
    """Return the corpora that lie in the data folder."""
    found = []
    for corpus in corpora:
        try:
            if load(corpus).has("all"):
                found.append(corpus)
        except UnreadableError:
            log.info("%s is not there", corpus)
    return found


def _cached(corpus: str, path: Path) -> Iterator[Lesson]:
    if not path.exists():
        found = [(*_facts(corpus, record), _picture(corpus, record)) for record in load(corpus).read("all")]
        ids, speakers, labels, folds, mels = zip(*found, strict=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path, ids=ids, speakers=speakers, labels=labels, folds=_folds(corpus, speakers, folds),
            ends=np.cumsum([len(mel) for mel in mels]), mels=np.concatenate(mels),
        )  # fmt: skip
    held = np.load(path)
    mels = np.split(held["mels"], held["ends"][:-1])
    for id, speaker, label, fold, mel in zip(
        held["ids"], held["speakers"], held["labels"], held["folds"], mels, strict=True
    ):
        yield Lesson(corpus, str(id), str(speaker), str(label), mel, int(fold))


def _facts(corpus: str, record: Record) -> tuple[str, str, str, str]:
    top = record.tracks[0].top()
    assert top is not None, f"{corpus} {record.id} has no label"
    return record.id, record.meta["speaker"], top.name, str(record.meta.get("fold", ""))


def _folds(corpus: str, speakers: Sequence[str], given: Sequence[str]) -> list[int]:
    """Return folds: RAVDESS and EmoGator have theirs; the speakers of EMO-DB go two and two; TESS has none."""
    if all(given):
        return [int(fold) for fold in given]
    if corpus == "tess":
        return [0] * len(speakers)
    order = sorted(set(speakers))
    together = 2 if corpus == "emo-db" else 1
    return [order.index(speaker) // together % FOLDS + 1 for speaker in speakers]


def _picture(corpus: str, record: Record) -> npt.NDArray[np.float16]:
    """Return the picture of a clip from its first to its last frame within 35 dB of the loud ones, and 80 ms around."""
    samples = np.concatenate([block[:, 0] for block in record.signals[0].blocks()])
    mel = fine_mel(samples[: int(CUT.get(corpus, 1e9) * RATE)])
    loud = np.logaddexp.reduce(mel, 1)
    heard = np.flatnonzero(loud > np.percentile(loud, 98) - QUIET)
    return mel[max(0, heard[0] - 8) : heard[-1] + 9].astype(np.float16)
