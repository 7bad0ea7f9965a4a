"""TurEV-DB: single Turkish words said in four emotions; what is shown is in the folder's and in the file's name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, said_of_clip
from affetto.datasets.corpus import Split
from affetto.datasets.headers import silence
from affetto.datasets.packed_clips import ClipCorpus, clips_of

EMOTIONS = {"kz": "anger", "sk": "calm", "mt": "joy", "hl": "sadness"}
"""Kizgin, sakin, mutlu; hl stands in the folder Sad."""
FOLDERS = {"Angry": "kz", "Calm": "sk", "Happy": "mt", "Sad": "hl"}
_NAME = re.compile(r"(\d+)_(kz|sk|mt|hl)_(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    speaker: str
    emotion: str
    word: str


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says.

    Raises:
        ValueError: it is not named as clips of TurEV-DB are.

    >>> parse("1157_kz_acik")
    Name(speaker='1157', emotion='anger', word='acik')
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no name of a clip such as 1157_kz_acik")
    return Name(found[1], EMOTIONS[found[2].lower()], found[3])


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("turev-4")
    for one in clips_of(split, "Sound Source/*/*.wav", 44100):
        name = parse(one.name)
        if EMOTIONS[FOLDERS[PurePosixPath(one.file).parent.name]] != name.emotion:
            raise ValueError(f"{one.file}: folder and name say different emotions")
        track = said_of_clip(space, name.emotion, one.audio.duration, channel="voice")
        yield clip(one.name, [one.audio], [track], name.speaker, file=one.file, text=name.word)


def _fake(folder: Path) -> None:
    for kind, code in FOLDERS.items():
        for speaker in (1157, 6783):
            silence(folder / "Sound Source" / kind / f"{speaker}_{code}_acik.wav", rate=44100)
