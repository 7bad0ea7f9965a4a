"""EMOVO: six Italian actors say fourteen sentences in seven states; what they show is in the file's name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, said_of_clip
from affetto.datasets.corpus import Split
from affetto.datasets.headers import silence
from affetto.datasets.packed_clips import ClipCorpus, clips_of

EMOTIONS = {
    "dis": "disgust", "gio": "joy", "neu": "neutral", "pau": "fear", "rab": "anger", "sor": "surprise",
    "tri": "sadness",
}  # fmt: skip
"""Disgusto, gioia, neutro, paura, rabbia, sorpresa, tristezza."""
_NAME = re.compile(r"(dis|gio|neu|pau|rab|sor|tri)-([fm][123])-([a-z]\d)")


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    emotion: str
    speaker: str
    sentence: str


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says.

    Raises:
        ValueError: it is not named as clips of EMOVO are.

    >>> parse("gio-f1-b1")
    Name(emotion='joy', speaker='f1', sentence='b1')
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no name of a clip such as gio-f1-b1")
    code, speaker, sentence = found.groups()
    return Name(EMOTIONS[code], speaker, sentence)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    for one in clips_of(split, "[fm][123]/*.wav", 48000):
        name = parse(one.name)
        track = said_of_clip(space, name.emotion, one.audio.duration, channel="voice")
        about = {"gender": "female" if name.speaker[0] == "f" else "male"}
        yield clip(one.name, [one.audio], [track], name.speaker, about, file=one.file, sentence=name.sentence)


def _fake(folder: Path) -> None:
    for name in ("dis-f1-b1", "gio-f2-b1", "neu-f3-n1", "dis-m1-b1", "sor-m2-l2", "tri-m3-d1"):
        silence(folder / name[4:6] / f"{name}.wav", rate=48000)
