"""EMO-DB: ten German speakers act seven emotions over ten sentences; what they show is in the file's name.

In the packed layout `meta["complete"]` says whether the clip is whole: of boredom, disgust and fear it holds but the
first two seconds, so that length tells the label wherever clips are not all cut alike.
"""

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
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "joy", "T": "sadness", "N": "neutral",
}  # fmt: skip
"""By the first letter of the German word: Wut, Langeweile, Ekel, Angst, Freude, Trauer."""
ACTORS = {
    "03": ("male", 31), "08": ("female", 34), "09": ("female", 21), "10": ("male", 32), "11": ("male", 26),
    "12": ("male", 30), "13": ("female", 32), "14": ("female", 35), "15": ("male", 25), "16": ("female", 31),
}  # fmt: skip
"""Gender and age, as the makers' page has them."""
_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])")


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    speaker: str
    text: str
    emotion: str
    version: str


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says.

    Raises:
        ValueError: it is not named as clips of EMO-DB are.

    >>> parse("03a01Wa")
    Name(speaker='03', text='a01', emotion='anger', version='a')
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no name of a clip such as 03a01Wa")
    speaker, text, letter, version = found.groups()
    return Name(speaker, text, EMOTIONS[letter], version)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("emodb-7")
    for one in clips_of(split, "wav/*.wav", 16000):
        name = parse(one.name)
        gender, age = ACTORS[name.speaker]
        track = said_of_clip(space, name.emotion, one.audio.duration, channel="voice")
        yield clip(
            one.name, [one.audio], [track], name.speaker, {"gender": gender, "age": age}, file=one.file,
            sentence=name.text, complete=one.row.get("complete", "1") == "1",
        )  # fmt: skip


def _fake(folder: Path) -> None:
    for name in ("03a01Fa", "03a01Nc", "08a02Wb", "09b01La", "10a04Ea", "11b03Ta", "16b10Aa"):
        silence(folder / "wav" / f"{name}.wav")
