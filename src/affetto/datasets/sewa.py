"""SEWA as the AVEC challenges hand it out: Germans talk by video, with valence and arousal ten times a second.

A Record is one side of a talk, with the gold standard over time (source "raters").
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.datasets.clips import SPEAKER, clip, sound
from affetto.datasets.corpus import RATERS, Corpus, Split, lines_of

STEP = 0.1
"""Seconds from label to label."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, lambda folder: _fake(folder, card))


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("va")
    for path in split.files:
        rows = [line.split(";") for line in lines_of(path)]
        said = np.array([[float(cell) for cell in row[1:4]] for row in rows])
        start, arousal, valence = said.T
        track = Track(
            space, start, start + STEP, np.stack([valence, arousal], 1), subject=SPEAKER, channel="fused", source=RATERS
        )
        id = path.name.partition(".")[0]
        file = f"audio/{id}.wav"
        yield clip(id, [sound(split.folder, file, 44100, float(start[-1] + STEP))], [track], id, file=file)


def _fake(folder: Path, card: Card) -> None:
    (folder / "labels").mkdir()
    for split in card.facts["splits"].values():
        for file in split["files"]:
            rows = [f"'{Path(file).stem}';{i * STEP:.1f};{i / 10 - 0.1};{0.2 - i / 10};0.0" for i in range(4)]
            (folder / file).write_text("\n".join(rows) + "\n", "utf-8")
