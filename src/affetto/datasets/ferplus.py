"""FER+: ten votes on each image of FER2013, for eight expressions, unknown, and no face at all.

The Track holds the shares of the votes for the eight expressions (source "raters"); where all ten went to unknown or
no face, nothing is said. How many went there is `meta["unknown"]` and `meta["no_face"]`. The table has no pixels: the
id of a Record is the row, from 0, under which `fer2013` has the picture and its marks of twins.
"""

from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, picture, said_of_clip, votes
from affetto.datasets.corpus import RATERS, Corpus, Split, table_of
from affetto.datasets.fer2013 import USAGES

COLUMNS = {
    "anger": "anger", "disgust": "disgust", "fear": "fear", "joy": "happiness", "sadness": "sadness",
    "surprise": "surprise", "neutral": "neutral", "contempt": "contempt",
}  # fmt: skip


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-8")
    for number, row in enumerate(table_of(split.files[0])):
        if row["Usage"] != USAGES[split.name]:
            continue
        shares = votes([int(row[COLUMNS[word]]) for word in space.names])
        track = said_of_clip(space, shares, source=RATERS, channel="face")
        image = picture(split.folder, row["Image name"] or f"fer{number:07}.png")
        yield clip(str(number), [image], [track], unknown=int(row["unknown"]), no_face=int(row["NF"]))


def _fake(folder: Path) -> None:
    words = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    rows = [
        f"{usage},{'' if marks.endswith('10') else f'fer{i:07}.png'},{marks}"
        for i, (usage, marks) in enumerate(
            (usage, marks)
            for usage in USAGES.values()
            for marks in ("4,0,0,1,3,2,0,0,0,0", "0,0,0,0,0,0,0,0,0,10", "0,6,0,0,0,0,0,2,2,0")
        )
    ]
    (folder / "fer2013new.csv").write_text("\n".join([f"Usage,Image name,{words}", *rows]) + "\n", "utf-8")
