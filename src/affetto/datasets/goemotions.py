"""GoEmotions: Reddit comments, each with those of 27 emotions and neutral that at least two raters named.

A comment whose text also stands in a later split says so: `meta["duplicate_of"]`.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, lines_of, packed, post, said_of
from affetto.datasets.twins import ABOVE, Held, held, twin


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("goemotions-28")
    others = _others(split)
    for number, line in enumerate(lines_of(split.files[0]), 1):
        text, labels, id = line.split("\t")
        chosen = {int(label) for label in labels.split(",")}
        if not chosen <= set(range(len(space.axes))):
            raise ValueError(f"row {number}: labels are 0 to {len(space.axes) - 1}, not {labels!r}")
        values = [float(k in chosen) for k in range(len(space.axes))]
        yield post(id, text, [said_of(text, space, values)], "en", **twin(text, others))


def _others(split: Split) -> Held:
    """Return the texts of the splits that this one must not repeat, as far as their files are there."""
    files = {name: packed(split.folder / f"{name}.tsv") for name in ABOVE.get(split.name, ())}
    return held({name: [line.split("\t")[0] for line in lines_of(path)] for name, path in files.items() if path})


def _fake(folder: Path) -> None:
    for name, n in (("train", 6), ("dev", 3), ("test", 3)):
        lines = [
            f"{name} comment {i} by [NAME] \N{SMILING FACE WITH SMILING EYES}\t{i % 28},{27}\tx{name}{i}"
            for i in range(n)
        ]
        lines[0] = f"Thank you!\t15\tx{name}0"
        with gzip.open(folder / f"{name}.tsv.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
