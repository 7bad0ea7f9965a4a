"""AffectNet, labelled by hand: faces from the web with one of eight expressions, valence and arousal, and their place.

None, uncertain and no face are no expressions: not said, with the word in the note; valence and arousal of -2 are not
said either. `box` is the face in pixels of the picture.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, picture, said_of_clip
from affetto.datasets.corpus import Corpus, Split, text_of

EXPRESSIONS = ("neutral", "joy", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
"""By the number in the table."""
BESIDE = ("none", "uncertain", "no face")
"""The numbers after those."""
COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
    "valence", "arousal",
)  # fmt: skip
ANNOTATOR = "rater:annotator"
"""Source of its Tracks: one of twelve people labelled each image, and which is not published."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    labels, va = catalog.load("ekman-8"), catalog.load("va")
    for file, box, number, measured in _rows(split.files[0]):
        names = (*EXPRESSIONS, *BESIDE)
        if not 0 <= number < len(names):
            raise ValueError(f"{file}: expressions are 0 to {len(names) - 1}, not {number}")
        label, note = (names[number], None) if number < len(EXPRESSIONS) else (None, (names[number],))
        path = f"Manually_Annotated_Images/{file}"
        said = [math.nan if value < -1 else value for value in measured]
        tracks = [
            said_of_clip(labels, label, source=ANNOTATOR, channel="face", box=[box], note=note),
            said_of_clip(va, said, source=ANNOTATOR, channel="face", box=[box]),
        ]
        yield clip(file, [picture(split.folder, path)], tracks, file=path)


def _rows(path: Path) -> Iterator[tuple[str, list[float], int, Sequence[float]]]:
    """Yield file, box, expression, valence and arousal; validation.csv has no header in some releases."""
    for row in csv.reader(io.StringIO(text_of(path), newline="")):
        if not row or row[0] == COLUMNS[0]:
            continue
        cells = dict(zip(COLUMNS, row, strict=True))
        left, top, width, height = (float(cells[f"face_{name}"]) for name in ("x", "y", "width", "height"))
        measured = (float(cells["valence"]), float(cells["arousal"]))
        yield cells[COLUMNS[0]], [left, top, left + width, top + height], int(cells["expression"]), measured


def _fake(folder: Path) -> None:
    home = folder / "Manually_Annotated_file_lists"
    home.mkdir()
    rows = [
        f'{{name}}/{i:08}.jpg,{10 * i},12,100,101,"30.5;40.5;31;42",{number},{valence},{arousal}'
        for i, (number, valence, arousal) in enumerate(((1, 0.785714, -0.0555556), (7, -0.6, 0.4), (10, -2, -2)))
    ]
    for name, head in (("training", [",".join(COLUMNS)]), ("validation", [])):
        lines = "\n".join([*head, *(row.format(name=name[:3]) for row in rows)])
        (home / f"{name}.csv").write_text(lines + "\n", "utf-8")
