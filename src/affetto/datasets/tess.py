"""TESS: two actresses say "Say the word ..." with 200 words in seven emotions; what they show is in the file's name."""

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
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "joy", "neutral": "neutral", "ps": "surprise",
    "sad": "sadness",
}  # fmt: skip
"""`ps` is pleasant surprise."""
AGES = {"OAF": 64, "YAF": 26}
_NAME = re.compile(r"(OAF?|YAF?)_([a-z\-]+)_(angry|disgust|fear|happy|neutral|ps|sad)", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    speaker: str
    word: str
    emotion: str


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says; one clip names its speaker OA for OAF.

    Raises:
        ValueError: it is not named as clips of TESS are.

    >>> parse("OA_bite_neutral")
    Name(speaker='OAF', word='bite', emotion='neutral')
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no name of a clip such as OAF_back_angry")
    speaker, word, emotion = found.groups()
    return Name(speaker.upper().removesuffix("F") + "F", word.lower(), EMOTIONS[emotion.lower()])


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    seen: set[str] = set()
    for one in clips_of(split, "**/*.wav", 24414):
        if one.name.casefold() in seen:
            continue
        seen.add(one.name.casefold())
        name = parse(one.name)
        track = said_of_clip(space, name.emotion, one.audio.duration, channel="voice")
        about = {"gender": "female", "age": AGES[name.speaker]}
        text = f"Say the word {name.word}"
        yield clip(one.name, [one.audio], [track], name.speaker, about, file=one.file, text=text)


def _fake(folder: Path) -> None:
    for name in ("OAF_back_angry", "YAF_back_angry", "OAF_bar_ps", "YAF_dog_sad", "OA_bite_neutral"):
        silence(folder / f"{name[:3].strip('_')}_{name.rsplit('_', 1)[1]}" / f"{name}.wav", rate=24414)
