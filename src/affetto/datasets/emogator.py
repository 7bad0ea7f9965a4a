"""EmoGator: sounds without words (laughs, sighs, groans) that 357 people made for 30 emotions; the name says which."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, said_of_clip
from affetto.datasets.corpus import Split
from affetto.datasets.packed_clips import ClipCorpus, clips_of

_NAME = re.compile(r"(\d{6})-([012]\d|30)-([123])")
FOLDS = 5
"""`meta["fold"]` is the contributor's number modulo this: all bursts of a person are in one fold."""
_FRAME = bytes((0xFF, 0xFB, 0x50, 0xC4)) + bytes(205)
"""An empty frame of MPEG 1 layer III, 64 kbit/s, 44.1 kHz, one channel."""


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    contributor: str
    category: int
    """1 to 30, in the order of the space emogator-30."""
    instance: int


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


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
    for one in clips_of(split, "data/mp3/*.mp3", 44100):
        name = parse(one.name)
        track = said_of_clip(space, space.names[name.category - 1], one.audio.duration, channel="voice")
        yield clip(
            one.name, [one.audio], [track], name.contributor, file=one.file, instance=name.instance,
            fold=str(int(name.contributor) % FOLDS),
        )  # fmt: skip


def _fake(folder: Path) -> None:
    home = folder / "data" / "mp3"
    home.mkdir(parents=True)
    for name in ("000001-01-1", "000001-30-3", "000357-18-2"):
        (home / f"{name}.mp3").write_bytes(_FRAME * 2)
