"""DFEW: clips of films with the expression that most of ten annotators saw; five published folds.

Every clip with a single label is read once, from the test list of its fold, which is `meta["fold"]`, 1 to 5: training
data of a fold are the clips of the other four.
"""

from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, film, said_of_clip
from affetto.datasets.corpus import RATERS, Corpus, Split, table_of

EMOTIONS = ("joy", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
"""By the number in the lists, which counts from 1."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    for fold, path in enumerate(split.files, 1):
        for row in table_of(path):
            name, number = row["video_name"].strip().zfill(5), int(row["label"])
            if not 1 <= number <= len(EMOTIONS):
                raise ValueError(f"{path.name}, clip {name}: labels are 1 to {len(EMOTIONS)}, not {number}")
            file = f"Clip/original/{name}.mp4"
            track = said_of_clip(space, EMOTIONS[number - 1], source=RATERS, channel="face")
            yield clip(name, [film(split.folder, file, 25)], [track], file=file, fold=str(fold))


def _fake(folder: Path) -> None:
    for kind in ("train", "test"):
        home = folder / "EmoLabel_DataSplit" / f"{kind}(single-labeled)"
        home.mkdir(parents=True)
        for fold in range(1, 6):
            rows = [
                f"{10 * n + i},{1 + (n + i) % 7}"
                for n in range(1, 6)
                for i in (1, 2)
                if (n == fold) == (kind == "test")
            ]
            (home / f"set_{fold}.csv").write_text("\n".join(["video_name,label", *rows]) + "\n", "utf-8")
