"""OASIS: 900 photographs with how pleasant they are and how much they stir, as about a hundred people each felt.

Means of the scale 1..7 come in as (x - 4) / 3; the mean, SD and N as published are in `meta`. `meta["group"]` is the
theme without its number ("Dog"): pictures of one theme belong in one fold. Read is the published table, or the same
with the pictures' file names beside it (a column `file`).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, picture, said_of_clip
from affetto.datasets.corpus import RATERS, Corpus, Split, table_of


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("va")
    for cells in table_of(split.files[0]):
        row = {name.lower() or "id": cell for name, cell in cells.items()}
        theme = row["theme"].strip()
        said: dict[str, Any] = {name: float(row[name]) for name in row if name.endswith(("_mean", "_sd", "_n"))}
        values = [(said[f"{axis}_mean"] - 4) / 3 for axis in space.names]
        what: dict[str, Any] = {"subject": "viewer", "perspective": "evoked", "channel": "scene"}
        track = said_of_clip(space, values, source=RATERS, **what)
        image = picture(split.folder, row.get("file") or f"images/{theme}.jpg")
        group = re.sub(r"\s*\d+$", "", theme)
        yield clip(
            row["id"],
            [image],
            [track],
            theme=theme,
            group=group,
            category=row["category"],
            origin=row["source"],
            **said,
        )


def _fake(folder: Path) -> None:
    (folder / "ratings.csv").write_text(
        ",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N\n"
        "I1,Acorns 1,Object,Pixabay,4.68627451,0.954202712,102,2.346534653,1.602720459,101\n"
        'I2,Dog 2,Animal,"Flickr/Ren\N{LATIN SMALL LETTER E WITH ACUTE}e, \U0001f436",7,0,102,1,0,101\n'
        "I3,Dog 12,Animal,Wikipedia,1,0.1,108,7,0.2,104\n",
        "utf-8",
    )
