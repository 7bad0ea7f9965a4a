"""Emotional stimuli: the sentences that EmotionPrompt and NegativePrompt append to a task for a language model.

Each bears the side its makers meant it to stir, which nobody rated: source `design`. The tasks themselves are not read.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, one_of, post, said_of, text_of

SIDES = {"encouraging": "positive", "discouraging": "negative"}


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("sentiment-3")
    values = one_of(space, SIDES[split.name])
    for id, text in json.loads(text_of(split.files[0])).items():
        yield post(id, text, [said_of(text, space, values, "design", subject="reader", perspective="evoked")], "en")


def _fake(folder: Path) -> None:
    for name, id in (("emotionprompt_stimuli", "EP"), ("negativeprompt_stimuli", "NP")):
        said = {f"{id}0{i}": f"You\u2019ll do it, {i} \N{SPARKLES}" for i in (1, 2)}
        (folder / f"{name}.json").write_text(json.dumps(said), "utf-8")
