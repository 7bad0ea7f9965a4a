"""EmpatheticIntents: the dialogues of EmpatheticDialogues, a file an emotion, each turn labelled by a classifier.

The file's name is the emotion that the speaker said he felt (source `speaker`). The label of each turn, an
emotion or what a listener does with his reply, is silver: two Tracks a speaker, one in `empathetic-32` and one in
`empathetic-intents-9`, each NaN where the other speaks. The published files have no splits: `all`. Train, valid and
test are the official ones of EmpatheticDialogues, found again by the numbers of conversations, in a table
`official_split_recovered.tsv` (dialog_id, emotion, split) that is not part of the publication.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from math import nan
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus, Split, one_of, packed, said_of_turns, table_of
from affetto.datasets.empatheticdialogues import felt

SILVER = "silver:empathetic-intents"
Row = Mapping[str, str]


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    chosen: set[str] | None = None
    if split.name != "all":
        chosen = {row["dialog_id"] for row in table_of(split.files[1], "\t") if row["split"] == split.name}
    for emotion in catalog.load("empathetic-32").names:
        path = packed(split.files[0] / f"{emotion}.csv")
        if path is None:
            raise UnreadableError(f"the corpus empathetic-intents lacks {split.files[0].name}/{emotion}.csv")
        for id, rows in groupby(table_of(path), key=lambda row: row["Dialog_ID"]):
            if chosen is None or id in chosen:
                yield _dialogue(id, emotion, list(rows))


def _dialogue(id: str, emotion: str, rows: Sequence[Row]) -> Record:
    situation, *said = rows
    if situation["Type"] != "situation":
        raise ValueError(f"{id} does not begin with its situation")
    actors = [row["Actor"] for row in said]
    turns = tuple(Turn(row["Actor"], None, row["Text"].strip()) for row in said)
    tracks = (felt(catalog.load("empathetic-32"), emotion, actors), *_silver(actors, [row["Label"] for row in said]))
    return Record(id, turns=turns, tracks=tracks, meta={"dialogue": id, "situation": situation["Text"].strip()})


def _silver(actors: Sequence[str], labels: Sequence[str]) -> Iterator[Track]:
    """Yield what the classifier said of the turns, a Track a speaker and space, where it said anything."""
    known = {id: _rows(id) for id in ("empathetic-32", "empathetic-intents-9")}
    for label in labels:
        if not any(label in rows for rows in known.values()):
            raise ValueError(f"no emotion and no intent is called {label!r}")
    for id, rows in known.items():
        values = [rows.get(label, [nan] * len(rows)) for label in labels]
        tracks = said_of_turns(actors, catalog.load(id), values, SILVER)
        yield from (track for track in tracks if not np.isnan(track.values).all())


@cache
def _rows(id: str) -> dict[str, list[float]]:
    """Return of each label of a space the row of values that says it."""
    space = catalog.load(id)
    return {name: one_of(space, name) for name in space.names}


def _fake(folder: Path) -> None:
    home = folder / "dialogues_intent_annotated"
    home.mkdir()
    known = [("dialog_id", "emotion", "split")]
    for number, emotion in enumerate(catalog.load("empathetic-32").names):
        id = f"hit:{number}_conv:{number}"
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [
                ("Dialog_ID", "Type", "Actor", "Text", "Label"),
                (id, "situation", "none", 'I "heard" it, twice', "devastated"),
                (id, "utterance", "speaker", "I heard it \N{WEARY FACE}", emotion),
                (id, "utterance", "listener", "Oh no, what was it?", "questioning"),
                (id, "utterance", "speaker", "A cat.", "neutral"),
            ]
        )
        (home / f"{emotion}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
        known.append((id, emotion, ("train", "valid", "test")[number % 3]))
    lines = "".join("\t".join(row) + "\n" for row in known)
    (folder / "official_split_recovered.tsv.gz").write_bytes(gzip.compress(lines.encode()))
