"""MELD: turns of talks in the series Friends, each with one of Ekman's six emotions or neutral, and its sentiment.

This is the text: one Record a dialogue. `meta` has for each turn its official number (clips are called after dialogue
and utterance) and its seconds in the episode. Tables that were decoded as Latin-1 somewhere are mended (U+0092 is an
apostrophe of Windows-1252).
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus, Split, one_of, said_of_turns, table_of

HEAD = (
    *("Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode"),
    *("StartTime", "EndTime"),
)
MENDED = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
"""Control characters to what Windows-1252 means by them."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def seconds(clock: str) -> float:
    """Return the seconds of a time written as hours:minutes:seconds, with a comma or a point before the fraction.

    >>> seconds("00:14:38,127")
    878.127
    """
    hours, minutes, rest = clock.replace(",", ".").split(":")
    return round(int(hours) * 3600 + int(minutes) * 60 + float(rest), 3)


def _read(split: Split) -> Iterator[Record]:
    for number, rows in groupby(table_of(split.files[0]), key=lambda row: row["Dialogue_ID"]):
        yield _dialogue(f"{split.name}-{number}", list(rows))


def _dialogue(id: str, rows: Sequence[Mapping[str, str]]) -> Record:
    speakers = [row["Speaker"].translate(MENDED).strip() for row in rows]
    texts = [row["Utterance"].translate(MENDED).strip() for row in rows]
    tracks: list[Track] = []
    for space, column in ((catalog.load("ekman-7"), "Emotion"), (catalog.load("sentiment-3"), "Sentiment")):
        tracks += said_of_turns(speakers, space, [one_of(space, row[column].strip().lower()) for row in rows])
    meta = {
        "dialogue": id,
        "season": int(rows[0]["Season"]),
        "episode": int(rows[0]["Episode"]),
        "utterances": [int(row["Utterance_ID"]) for row in rows],
        "times": [[seconds(row["StartTime"]), seconds(row["EndTime"])] for row in rows],
    }
    turns = tuple(Turn(speaker, None, text) for speaker, text in zip(speakers, texts, strict=True))
    return Record(id, turns=turns, tracks=tuple(tracks), meta=meta)


def _fake(folder: Path) -> None:
    said = [
        ("Why do all you\u2019re mugs have numbers?", "Mark", "surprise", "positive"),
        ("Oh. She can say, \u2018Where\u2019s number 27?!\u2019", "Rachel", "anger", "negative"),
        ("Y\x92know what? \N{HOT BEVERAGE}", "Rachel", "neutral", "neutral"),
    ]
    for name, packing in (("train", gzip.compress), ("dev", bytes), ("test", bytes)):
        text = io.StringIO()
        rows = [
            (3 * n + i + 1, *line, n, i, 3, 19, f"00:14:{38 + i},127", f"00:14:{39 + i},378")
            for n in range(2)
            for i, line in enumerate(said)
        ]
        csv.writer(text, lineterminator="\n").writerows([HEAD, *rows])
        end = ".gz" if name == "train" else ""
        (folder / f"{name}_sent_emo.csv{end}").write_bytes(packing(text.getvalue().encode()))
