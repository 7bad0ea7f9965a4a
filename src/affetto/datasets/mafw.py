"""MAFW: clips of films, series and short videos with the expression that eleven annotators agreed on; five folds.

Every clip with a single label is read once, from the test list of its fold, which is `meta["fold"]`, 1 to 5: training
data of a fold are the clips of the other four.
"""

from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, film, said_of_clip
from affetto.datasets.corpus import RATERS, Corpus, Split, lines_of

HAPPY = {"happiness": "joy"}
"""Where its words are not those of the space."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("mafw-11")
    for fold, path in enumerate(split.files, 1):
        for line in lines_of(path):
            name, label = line.split()
            file = f"data/clips/{name}"
            track = said_of_clip(space, HAPPY.get(label, label), source=RATERS, channel="face")
            yield clip(Path(name).stem, [film(split.folder, file, 25)], [track], file=file, fold=str(fold))


def _fake(folder: Path) -> None:
    words = ("happiness", "contempt", "helplessness", "neutral")
    for fold in range(1, 6):
        home = folder / "Train & Test Set" / "single" / "no_caption" / f"set_{fold}"
        home.mkdir(parents=True)
        lists = {"test": [], "train": []}  # type: dict[str, list[str]]
        for n in range(1, 6):
            lists["test" if n == fold else "train"] += [f"{n:04}{i}.mp4 {word}" for i, word in enumerate(words)]
        for kind, lines in lists.items():
            (home / f"{kind}.txt").write_text("\n".join(lines) + "\n", "utf-8")
