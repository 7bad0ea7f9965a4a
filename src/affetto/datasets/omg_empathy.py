"""OMG-Empathy: a listener hears a story told face to face and says afterwards, frame by frame, how pleasant it felt.

A Record is one film of listener and teller; the Track is the listener's own (perspective felt, source
"rater:listener"), with valence said and arousal not. Parts are the ten listeners.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.datasets.clips import film
from affetto.datasets.corpus import Corpus, Split, table_of

RATE = 25.0
"""Frames, and values, a second."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, lambda folder: _fake(folder, card))


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("va")
    for path in split.files:
        valence = np.array([float(row["valence"]) for row in table_of(path)])
        frame = np.arange(len(valence))
        values = np.stack([valence, np.full(len(valence), np.nan)], 1)
        said = {"subject": "listener", "perspective": "felt", "channel": "fused", "source": "rater:listener"}
        track = Track(space, frame / RATE, (frame + 1) / RATE, values, **said)  # type: ignore[arg-type]
        id = path.name.partition(".")[0]
        file = f"{path.parent.parent.name}/Videos/{id}.mp4"
        signal = film(split.folder, file, RATE, len(valence) / RATE)
        meta = {"speaker": split.part, "story": id.rpartition("_")[2], "file": file}
        yield Record(id, (signal,), people={"listener": {"group": split.part}}, tracks=(track,), meta=meta)


def _fake(folder: Path, card: Card) -> None:
    for split in card.facts["splits"].values():
        for name in split["files"]:
            for part in card.facts["parts"]:
                path = folder / name.replace("{part}", part)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("valence\n0.0\n-0.25\n1\n", "utf-8")
