"""FER2013: 35,887 grey faces of 48 x 48 pixels found by web search, one of seven labels each.

All in one csv, as it was published, or packed as `face_tiles` says. An image whose very pixels also stand in a later
split says so: `meta["duplicate_of"]`, and one of dev or test that stands in train, `meta["seen_in"]`; one without any
contrast is `meta["blank"]`. The id of a Record is its row in the file, from 0, the same as in `ferplus`.
"""

import csv
import gzip
import hashlib
import io
import lzma
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.datasets.clips import clip, said_of_clip
from affetto.datasets.corpus import RATERS, Split
from affetto.datasets.face_tiles import SIDE, USAGES, is_packed, marks, tiles
from affetto.datasets.packed_clips import ClipCorpus

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
"""By the number in the first column."""


def load(card: Card) -> ClipCorpus:
    """Return the corpus."""
    return ClipCorpus(card, _read, _fake)


def pixels(text: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the picture that 2,304 numbers in 0..255, row by row, draw: 48 x 48 x 3.

    Raises:
        ValueError: there are not as many numbers.
    """
    grey = np.array(text.split(), np.uint8).reshape(SIDE, SIDE)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    found = _packed(split) if is_packed(split) else _published(split)
    for row, emotion, image, more in found:
        track = said_of_clip(space, EMOTIONS[emotion], source=RATERS, channel="face")
        yield clip(str(row), [image], [track], **more)


def _packed(split: Split) -> Iterator[tuple[int, int, Image, Mapping[str, Any]]]:
    for tile in tiles(split):
        yield tile.row, int(tile.cells["emotion"]), tile.image, tile.marks


def _published(split: Split) -> Iterator[tuple[int, int, Image, Mapping[str, Any]]]:
    holders = _holders(split)
    for row, (emotion, drawn, usage) in enumerate(_rows(split.files[0])):
        if usage == USAGES[split.name]:
            image = Image(pixels(drawn), f"{split.files[0]}#{row}")
            yield row, int(emotion), image, marks(split.name, holders.get(_digest(drawn), set()), image.pixels)


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield emotion, pixels and usage of each row; the file is some 300 MB, so it is never held whole."""
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "rb") as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield row["emotion"], row["pixels"], row["Usage"]


def _holders(split: Split) -> dict[bytes, set[str]]:
    """Return which other splits hold which pixels."""
    names = {usage: name for name, usage in USAGES.items() if name != split.name}
    found: dict[bytes, set[str]] = {}
    for _, drawn, usage in _rows(split.files[0]):
        if usage in names:
            found.setdefault(_digest(drawn), set()).add(names[usage])
    return found


def _digest(drawn: str) -> bytes:
    return hashlib.blake2b(drawn.encode(), digest_size=12).digest()


def _fake(folder: Path) -> None:
    black, grey, edge = "0 " * 2303 + "0", "128 " * 2303 + "128", "0 " * 2303 + "255"
    rows = [
        f"{emotion},{drawn},{usage}"
        for usage in USAGES.values()
        for emotion, drawn in ((0, black), (3, grey), (6, edge))
    ]
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n", "utf-8")
