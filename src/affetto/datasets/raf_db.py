"""RAF-DB: faces from the web, each labelled by some forty people; one of seven expressions, or two at once.

The part `basic` has one label of ekman-7. The part `compound` has eleven pairs (happily surprised ...), which come in
as two labels of brighter-6, where several emotions may be right; each pair is another.
"""

from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, picture, said_of_clip
from affetto.datasets.corpus import RATERS, Corpus, Split, lines_of

BASIC = ("surprise", "fear", "disgust", "joy", "sadness", "anger", "neutral")
"""By the number in the list, which counts from 1."""
COMPOUND = (
    ("joy", "surprise"), ("joy", "disgust"), ("sadness", "fear"), ("sadness", "anger"), ("sadness", "surprise"),
    ("sadness", "disgust"), ("fear", "anger"), ("fear", "surprise"), ("anger", "surprise"), ("anger", "disgust"),
    ("disgust", "surprise"),
)  # fmt: skip
"""Happily surprised, happily disgusted, sadly fearful, sadly angry, sadly surprised, sadly disgusted, fearfully angry,
fearfully surprised, angrily surprised, angrily disgusted, disgustedly surprised; the list counts from 1."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    for line in lines_of(split.files[0]):
        name, number = line.split()
        if not name.startswith(f"{split.name}_"):
            continue
        if split.part == "basic":
            space, said = catalog.load("ekman-7"), {BASIC[_place(number, BASIC)]}
        else:
            space, said = catalog.load("brighter-6"), set(COMPOUND[_place(number, COMPOUND)])
        values = [float(word in said) for word in space.names]
        track = said_of_clip(space, values, source=RATERS, channel="face")
        file = f"{split.part}/Image/aligned/{Path(name).stem}_aligned.jpg"
        original = f"{split.part}/Image/original/{name}"
        yield clip(Path(name).stem, [picture(split.folder, file)], [track], file=file, original=original)


def _place(number: str, labels: tuple[object, ...]) -> int:
    if not 1 <= int(number) <= len(labels):
        raise ValueError(f"labels are 1 to {len(labels)}, not {number}")
    return int(number) - 1


def _fake(folder: Path) -> None:
    for part, numbers in (("basic", range(1, 8)), ("compound", range(1, 12))):
        home = folder / part / "EmoLabel"
        home.mkdir(parents=True)
        lines = [f"{name}_{n:05}.jpg {n}" for name in ("train", "test") for n in numbers]
        (home / "list_patition_label.txt").write_text("\n".join(lines) + "\n", "utf-8")
