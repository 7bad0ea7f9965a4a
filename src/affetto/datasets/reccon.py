"""RECCON: talks of DailyDialog with an emotion a turn, and the turns and words that caused it.

Knows the original annotation: one JSON object of talks a split. A cause is a row of a Track: it lies where the cause
stands, its `about` is the turn whose emotion it caused, its `note` the words that did. Turns are counted from 0.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.datasets.corpus import RATERS, Corpus, Split, one_of, packed, said_of_turns, text_of
from affetto.datasets.twins import ABOVE, Held, held, twin

EMOTIONS = {
    "happiness": "joy",
    "happy": "joy",
    "happines": "joy",
    "excited": "joy",
    "sad": "sadness",
    "surprised": "surprise",
    "angry": "anger",
}
FILES = {"dev": "dailydialog_valid.json", "test": "dailydialog_test.json"}
LATENT = "b"
"""What stands in place of a turn where the cause lies outside of the talk."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    others = _others(split)
    for id, parts in json.loads(text_of(split.files[0])).items():
        turns = [turn for part in parts for turn in part]
        if [turn["turn"] for turn in turns] != list(range(1, len(turns) + 1)):
            raise ValueError(f"the turns of {id} are not counted 1 to {len(turns)}")
        rows = [one_of(space, EMOTIONS.get(turn["emotion"], turn["emotion"])) for turn in turns]
        speakers = [turn["speaker"] for turn in turns]
        explained = {str(i): turn["type"] for i, turn in enumerate(turns) if "type" in turn}
        latent = [i for i, turn in enumerate(turns) if LATENT in turn.get("expanded emotion cause evidence", ())]
        meta: dict[str, Any] = {"dialogue": id, "cause_types": explained, "latent_causes": latent}
        yield Record(
            id,
            turns=tuple(Turn(turn["speaker"], None, turn["utterance"]) for turn in turns),
            tracks=(*said_of_turns(speakers, space, rows), *_causes(turns)),
            meta=meta | twin(_words(parts), others),
        )


def _causes(turns: Sequence[Mapping[str, Any]]) -> tuple[Track, ...]:
    """Return what caused the emotions of each speaker: one Track each, its rows the causes."""
    rows: dict[str, list[tuple[int, int, str]]] = {}
    for i, turn in enumerate(turns):
        evidence = turn.get("expanded emotion cause evidence", ())
        for cause, words in zip(evidence, turn.get("expanded emotion cause span", ()), strict=True):
            if cause != LATENT:
                rows.setdefault(turn["speaker"], []).append((cause - 1, i, words))
    tracks = []
    for speaker, causes in rows.items():
        start = np.array([row[0] for row in causes])
        tracks.append(
            Track(
                catalog.load("cause"),
                start,
                start + 1,
                np.ones((len(causes), 1)),
                unit="turn",
                subject=speaker,
                source=RATERS,
                about=tuple(Span(row[1], row[1] + 1, "turn") for row in causes),
                note=tuple(row[2] for row in causes),
            )
        )
    return tuple(tracks)


def _words(parts: Sequence[Sequence[Mapping[str, str]]]) -> str:
    return "\n".join(turn["utterance"] for part in parts for turn in part)


def _others(split: Split) -> Held:
    """Return the talks of the splits that this one must not repeat, as far as they lie beside it."""
    paths = {name: packed(split.folder / FILES[name]) for name in ABOVE.get(split.name, ())}
    talks = {name: json.loads(text_of(path)).values() for name, path in paths.items() if path is not None}
    return held({name: map(_words, parts) for name, parts in talks.items()})


def _fake(folder: Path) -> None:
    def turn(number: int, speaker: str, words: str, emotion: str, **causes: Any) -> dict[str, Any]:
        return {"turn": number, "speaker": speaker, "utterance": words, "emotion": emotion} | causes

    for name, n in (("train", 3), ("valid", 2), ("test", 2)):
        talks = {}
        for i in range(n):
            causes = {
                "expanded emotion cause evidence": [1, 2, LATENT],
                "expanded emotion cause span": ["I won a boat", "Oh , a boat !", LATENT],
                "type": ["inter-personal", "no-context", "latent"],
            }
            talks[f"{name[:2]}_{i}"] = [
                [
                    turn(1, "A", f"I won a boat in {name} {i} .", "neutral"),
                    turn(2, "B", "Oh , a boat ! \N{SAILBOAT}", "happines" if i else "surprise", **causes),
                ]
            ]
        (folder / f"dailydialog_{name}.json").write_text(json.dumps(talks, indent=4), "utf-8")
