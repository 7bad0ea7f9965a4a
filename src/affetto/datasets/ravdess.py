"""RAVDESS, speech: 24 actors say two sentences in eight emotions, twice each; what they show is in the file's name."""

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

EMOTIONS = ("neutral", "calm", "joy", "sadness", "anger", "fear", "disgust", "surprise")
"""By the third field, which counts from 01."""
FOLDS = {
    "1": ("01", "11", "20", "21"), "2": ("04", "10", "12", "14"), "3": ("08", "09", "19", "23"),
    "4": ("03", "05", "07", "24"), "5": ("02", "15", "16", "18"), "6": ("06", "13", "17", "22"),
}  # fmt: skip
"""The fold of EmoBox -> the actors that are tested in it (Ma et al. 2024; read off its lists, card emobox)."""
STATEMENTS = ("Kids are talking by the door", "Dogs are sitting by the door")
_NAME = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")
"""Modality, channel, emotion, intensity, statement, repetition, actor."""


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    emotion: str
    intensity: str
    statement: str
    repetition: int
    actor: str
    gender: str


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says.

    Raises:
        ValueError: it is not named as speech of RAVDESS is.

    >>> parse("03-01-06-01-02-01-12").emotion
    'fear'
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no name of a clip of speech such as 03-01-06-01-02-01-12")
    emotion, intensity, statement, repetition, actor = found.groups()
    return Name(
        EMOTIONS[int(emotion) - 1],
        ("normal", "strong")[int(intensity) - 1],
        STATEMENTS[int(statement) - 1],
        int(repetition),
        actor,
        "male" if int(actor) % 2 else "female",
    )


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ravdess-8")
    fold = {actor: number for number, actors in FOLDS.items() for actor in actors}
    for one in clips_of(split, "Actor_*/*.wav", 48000):
        name = parse(one.name)
        track = said_of_clip(space, name.emotion, one.audio.duration, channel="voice")
        yield clip(
            one.name, [one.audio], [track], name.actor, {"gender": name.gender}, file=one.file, text=name.statement,
            intensity=name.intensity, repetition=name.repetition, fold=fold[name.actor],
        )  # fmt: skip


def _fake(folder: Path) -> None:
    for actor in range(1, 25):
        for emotion in (1, 1 + actor % 8):
            silence(folder / f"Actor_{actor:02}" / f"03-01-{emotion:02}-01-01-01-{actor:02}.wav", rate=48000)
