"""EmoGator: sounds without words (laughs, sighs, groans) that 357 people made for 30 emotions; the name says which."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, files, said_of_clip, sound
from affetto.datasets.corpus import Corpus, Split

_NAME = re.compile(r"(\d{6})-([012]\d|30)-([123])")
_FRAME = bytes((0xFF, 0xFB, 0x50, 0xC4)) + bytes(205)
"""An empty frame of MPEG 1 layer III, 64 kbit/s, 44.1 kHz, one channel."""


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    contributor: str
    category: int
    """1 to 30, in the order of the space emogator-30."""
    instance: int


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says.

    Raises:
        ValueError: it is not named as clips of EmoGator are.

    >>> parse("000001-02-1")
    Name(contributor='000001', category=2, instance=1)
    """
    found = _NAME.fullmatch(name)
    if found is None or found[2] == "00":
        raise ValueError(f"{name!r} is no name of a clip such as 000001-02-1")
    return Name(found[1], int(found[2]), int(found[3]))


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("emogator-30")
    for path in files(split.folder, "data/mp3/*.mp3"):
        name = parse(path.stem)
        file = path.relative_to(split.folder).as_posix()
        audio = sound(split.folder, file, 44100)
        track = said_of_clip(space, space.names[name.category - 1], audio.duration, channel="voice")
        yield clip(path.stem, [audio], [track], name.contributor, file=file, instance=name.instance)


def _fake(folder: Path) -> None:
    home = folder / "data" / "mp3"
    home.mkdir(parents=True)
    for name in ("000001-01-1", "000001-30-3", "000357-18-2"):
        (home / f"{name}.mp3").write_bytes(_FRAME * 2)
