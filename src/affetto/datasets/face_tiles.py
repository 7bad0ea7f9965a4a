"""FER2013 and FER+ in one packed layout: sheets of tiles, a table of labels and votes, and a table of twins.

    tiles_0.jpg ..           grey sheets; row r is tile r % 6000 of sheet r // 6000, 60 tiles of 48 x 48 a line
    labels.csv               row, usage, emotion, and ten columns of votes (`ferplus_neutral` .. `ferplus_NF`)
    duplicates.csv           row, dup_group, usage: rows whose pixels are the same

The cards of both corpora name these files a split, as `packed_clips` describes. Knows where a picture lies and which
pictures are the same; knows nothing of what the labels mean. A sheet is decoded once a read, when its first row is due.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import UnreadableError
from affetto.core.signal import Image
from affetto.datasets.corpus import Split, packed, table_of
from affetto.datasets.twins import ABOVE

TABLE, TWINS, SHEET = "labels.csv", "duplicates.csv", "tiles_{}.jpg"
USAGES = {"train": "Training", "dev": "PublicTest", "test": "PrivateTest"}
"""What the splits are called in the tables of both corpora."""
SIDE, A_LINE, A_SHEET = 48, 60, 6000

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Tile:
    """One picture, as it lies there."""

    row: int
    """Of the original table, from 0."""
    cells: Mapping[str, str]
    """What the table says of it."""
    image: Image
    marks: Mapping[str, Any]
    """For the meta of its Record, as `marks` gives them."""


def is_packed(split: Split) -> bool:
    """Tell whether a split is asked for in this layout."""
    return split.files[0].name.split(".csv")[0] + ".csv" == TABLE


def tiles(split: Split) -> Iterator[Tile]:
    """Yield the pictures of a split in the order of their rows.

    Raises:
        UnreadableError: a sheet is broken, or ends before a row of the table.
    """
    splits = {usage: name for name, usage in USAGES.items()}
    groups: dict[str, set[str]] = defaultdict(set)
    twins = {}
    for cells in table_of(split.files[1]):
        groups[cells["dup_group"]].add(splits[cells["usage"]])
        twins[int(cells["row"])] = cells["dup_group"]
    at, sheet = -1, np.zeros((0, 0), np.uint8)
    for cells in table_of(split.files[0]):
        if cells["usage"] != USAGES[split.name]:
            continue
        row = int(cells["row"])
        if row // A_SHEET != at:
            at = row // A_SHEET
            sheet = _sheet(split.folder, SHEET.format(at))
        grey = _cut(sheet, row % A_SHEET, SHEET.format(at))
        image = Image(None, f"{split.folder / SHEET.format(at)}#{row}", (SIDE, SIDE), partial(_coloured, grey))
        yield Tile(row, cells, image, marks(split.name, groups.get(twins.get(row, ""), set()), grey))


def marks(split: str, holders: set[str], grey: Grey) -> dict[str, Any]:
    """Return what is odd about a picture.

    `duplicate_of` names a later split that has the very same pixels: of two, test. `seen_in` is train where a picture
    of dev or test stands there too. `blank` is true where there is nothing in it.

    >>> marks("test", {"train", "test"}, np.zeros((48, 48), np.uint8))
    {'seen_in': 'train', 'blank': True}
    """
    later = [name for name in ABOVE.get(split, ()) if name in holders]
    found: dict[str, Any] = {"duplicate_of": later[0]} if later else {}
    found |= {"seen_in": "train"} if split != "train" and "train" in holders else {}
    return found | ({"blank": True} if grey.std() < 1 else {})


def _coloured(grey: Grey) -> Grey:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _sheet(folder: Path, name: str) -> Grey:
    import cv2  # noqa: PLC0415 - heavy, and most reading of corpora needs none

    path = packed(folder / name)
    if path is None:
        raise UnreadableError(f"{folder} lacks the sheet {name}; get it anew")
    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE) if path.stat().st_size else None
    if found is None:
        raise UnreadableError(f"{name} is no picture, or a broken one; get it anew")
    return np.asarray(found, np.uint8)


def _cut(sheet: Grey, k: int, name: str) -> Grey:
    top, left = k // A_LINE * SIDE, k % A_LINE * SIDE
    grey = sheet[top : top + SIDE, left : left + SIDE]
    if grey.shape != (SIDE, SIDE):
        raise UnreadableError(f"{name} ends before its tile {k}, which {TABLE} lists; get it anew")
    return grey
