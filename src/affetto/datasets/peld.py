"""PELD: three turns of a talk in the series Friends, their emotions, and the personality of who says two of them.

One Record a triple: the first speaker, another, the first again. Personality is openness, conscientiousness,
extraversion, agreeableness and neuroticism, 0..1, as the makers give it, in `people`.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus, Split, one_of, said_of_turns, table_of

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
NUMBERS = (1, 2, 3)
HEAD = (
    *("Speaker_1", "Speaker_2", "Personality"),
    *(f"{what}_{n}" for what in ("Utterance", "Emotion", "Sentiment") for n in NUMBERS),
)


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    for number, row in enumerate(table_of(split.files[0], "\t", quoted=False)):
        yield _triple(str(number), row)


def _triple(id: str, row: Mapping[str, str]) -> Record:
    first, second = row["Speaker_1"], row["Speaker_2"]
    speakers = [first, second, first]
    tracks: list[Track] = []
    for space, column in ((catalog.load("ekman-7"), "Emotion"), (catalog.load("sentiment-3"), "Sentiment")):
        tracks += said_of_turns(speakers, space, [one_of(space, row[f"{column}_{n}"]) for n in NUMBERS])
    personality = dict(zip(TRAITS, json.loads(row["Personality"]), strict=True))
    turns = tuple(Turn(who, None, row[f"Utterance_{n}"].strip()) for who, n in zip(speakers, NUMBERS, strict=True))
    people = {first: {"personality": personality}}
    return Record(id, turns=turns, people=people, tracks=tuple(tracks), meta={"speaker": first})


def _fake(folder: Path) -> None:
    rows = [
        ("Chandler", "The Interviewer", "[0.648, 0.375, 0.386, 0.58, 0.477]", "That I did.", 'So "talk", please.'),
        ("Rachel", "Ross", "[0.635, 0.354, 0.521, 0.552, 0.469]", "Hi \N{WAVING HAND SIGN}", "Hi."),
    ]
    lines = ["\t".join(HEAD)]
    for row in rows:
        lines.append("\t".join([*row, "All right.", "neutral", "joy", "fear", "neutral", "positive", "negative"]))
    (folder / "Dyadic_PELD.tsv.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
