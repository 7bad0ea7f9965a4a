"""FER2013: 35,887 grey faces of 48 x 48 pixels found by web search, one of seven labels each; all in one csv.

An image whose very pixels also stand in a later split says so: `meta["duplicate_of"]`; one without any contrast is
`meta["blank"]`. The id of a Record is its row in the file, from 0, the same as in `ferplus`.
"""

import csv
import gzip
import hashlib
import io
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.datasets.clips import clip, said_of_clip
from affetto.datasets.corpus import RATERS, Corpus, Split
from affetto.datasets.twins import ABOVE

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
"""By the number in the first column."""
USAGES = {"train": "Training", "dev": "PublicTest", "test": "PrivateTest"}
SIDE = 48


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def pixels(text: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the picture that 2,304 numbers in 0..255, row by row, draw: 48 x 48 x 3.

    Raises:
        ValueError: there are not as many numbers.
    """
    grey = np.array(text.split(), np.uint8).reshape(SIDE, SIDE)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    later = _held(split)
    for row, (emotion, drawn, usage) in enumerate(_rows(split.files[0])):
        if usage != USAGES[split.name]:
            continue
        image = Image(pixels(drawn), f"{split.files[0]}#{row}")
        twin = later.get(_digest(drawn))
        more: dict[str, Any] = {"duplicate_of": twin} if twin else {}
        more |= {"blank": True} if image.pixels.min() == image.pixels.max() else {}
        track = said_of_clip(space, EMOTIONS[int(emotion)], source=RATERS, channel="face")
        yield clip(str(row), [image], [track], **more)


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield emotion, pixels and usage of each row; the file is some 300 MB, so it is never held whole."""
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "rb") as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield row["emotion"], row["pixels"], row["Usage"]


def _held(split: Split) -> dict[bytes, str]:
    """Return which later split holds which pixels; of two, the one that `ABOVE` names first."""
    above = {USAGES[name]: name for name in ABOVE.get(split.name, ())}
    found: dict[bytes, str] = {}
    for _, drawn, usage in _rows(split.files[0]) if above else ():
        if name := above.get(usage):
            key = _digest(drawn)
            found[key] = name if name == "test" else found.get(key, name)
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
