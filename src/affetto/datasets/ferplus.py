"""FER+: ten votes on each image of FER2013, for eight expressions, unknown, and no face at all.

The Track holds the shares of the votes for the eight expressions (source "raters"); where all ten went to unknown or
no face, nothing is said. How many went there is `meta["unknown"]` and `meta["no_face"]`; `meta["no_majority"]` stands
where the majority rule of the paper names no expression (see `majority`). The published table has no pixels: the id of
a Record is the row, from 0, under which `fer2013` has the picture. Packed as `face_tiles` says, it has them, and the
marks of twins and blanks that `fer2013` gives.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.datasets.clips import clip, picture, said_of_clip, votes
from affetto.datasets.corpus import RATERS, Split, table_of
from affetto.datasets.face_tiles import USAGES, is_packed, tiles
from affetto.datasets.packed_clips import ClipCorpus

COLUMNS = {
    "anger": "anger", "disgust": "disgust", "fear": "fear", "joy": "happiness", "sadness": "sadness",
    "surprise": "surprise", "neutral": "neutral", "contempt": "contempt",
}  # fmt: skip


NOWHERE = ("unknown", "NF")
"""The columns of votes for no expression."""


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def majority(counts: Sequence[int]) -> int:
    """Return the place of the expression that won by the majority rule of FER+, or -1.

    As the training code of Barsoum et al. 2016 (microsoft/FERPlus) scores: single votes are dropped, then more than
    half of what is left must agree; unknown and no face, the last two of the counts, win but are no expressions.

    >>> majority([6, 3, 1, 0]), majority([3, 3, 0, 0]), majority([1, 1, 8, 0]), majority([1, 1, 0, 0])
    (0, -1, -1, -1)
    """
    kept = [count if count > 1 else 0 for count in counts]
    most = kept.index(max(kept))
    return most if 2 * kept[most] > sum(kept) and most < len(kept) - len(NOWHERE) else -1


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-8")
    for row, said, image, more in _packed(split) if is_packed(split) else _published(split):
        counts = [said[COLUMNS[word]] for word in space.names]
        track = said_of_clip(space, votes(counts), source=RATERS, channel="face")
        rest = [said[word] for word in NOWHERE]
        said_more: dict[str, Any] = {"unknown": rest[0], "no_face": rest[1], **more}
        said_more |= {"no_majority": True} if majority([*counts, *rest]) < 0 else {}
        yield clip(str(row), [image], [track], **said_more)


def _packed(split: Split) -> Iterator[tuple[int, Mapping[str, int], Image, Mapping[str, Any]]]:
    columns = (*COLUMNS.values(), *NOWHERE)
    for tile in tiles(split):
        yield tile.row, {word: int(tile.cells[f"ferplus_{word}"]) for word in columns}, tile.image, tile.marks


def _published(split: Split) -> Iterator[tuple[int, Mapping[str, int], Image, Mapping[str, Any]]]:
    columns = (*COLUMNS.values(), *NOWHERE)
    for row, cells in enumerate(table_of(split.files[0])):
        if cells["Usage"] == USAGES[split.name]:
            image = picture(split.folder, cells["Image name"] or f"fer{row:07}.png")
            yield row, {word: int(cells[word]) for word in columns}, image, {}


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
