"""EmoryNLP: turns of scenes in the series Friends, each with one of seven feelings: six of Willcox' wheel, or neutral.

One Record a scene, in the split of the literature. Where several say a turn together, its speaker is all their names.
"""

import ast
import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.datasets.corpus import Corpus, Split, one_of, said_of_turns, table_of
from affetto.datasets.meld import seconds

HEAD = (
    *("Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode", "Start_Time", "End_Time"),
)


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    rows = table_of(split.files[0])
    for (season, episode, scene), turns in groupby(
        rows, key=lambda row: (row["Season"], row["Episode"], row["Scene_ID"])
    ):
        yield _scene(f"s{int(season):02}e{int(episode):02}-{scene}", list(turns))


def _scene(id: str, rows: Sequence[Mapping[str, str]]) -> Record:
    space = catalog.load("emorynlp-7")
    speakers = [_names(row["Speaker"]) for row in rows]
    values = [one_of(space, row["Emotion"].lower()) for row in rows]
    meta = {
        "dialogue": id,
        "season": int(rows[0]["Season"]),
        "episode": int(rows[0]["Episode"]),
        "utterances": [int(row["Utterance_ID"]) for row in rows],
        "times": [[seconds(row["Start_Time"]), seconds(row["End_Time"])] for row in rows],
    }
    turns = tuple(Turn(speaker, None, row["Utterance"]) for speaker, row in zip(speakers, rows, strict=True))
    return Record(id, turns=turns, tracks=said_of_turns(speakers, space, values), meta=meta)


def _names(cell: str) -> str:
    """Return the names in a list written in Python's way."""
    try:
        names = ast.literal_eval(cell)
    except SyntaxError:
        raise ValueError(f"a speaker is a list of names, not {cell!r}") from None
    return " and ".join(names)


def _fake(folder: Path) -> None:
    said = [
        ("Coffee \N{HOT BEVERAGE}.", "['Rachel Green']", "Neutral"),
        ('It\'s, uh, "lovely".', "['Monica Geller', 'Phoebe Buffay']", "Joyful"),
        ("Shut up!", "['Rachel Green']", "Mad"),
    ]
    for episode, name in enumerate(("train", "dev", "test"), 1):
        text = io.StringIO()
        rows = [
            (*line, scene, i + 1, 1, episode, f"00:00:0{i}.795", f"00:00:0{i + 1}.004")
            for scene in (1, 2)
            for i, line in enumerate(said)
        ]
        csv.writer(text, lineterminator="\n").writerows([HEAD, *rows])
        whole = text.getvalue().encode()
        path = folder / f"emorynlp_{name}_final.csv"
        if name == "train":
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(whole))
        else:
            path.write_bytes(whole)
