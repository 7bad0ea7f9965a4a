"""EmoBench: scenes with questions about what somebody feels, why, and what he should do, each with choices.

Knows its two files, one of questions about understanding (EU) and one about acting (EA), in English and Chinese. The
right choice is an open Track whose note says which question it answers: emotion, cause or action.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.space import open_space
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus, Split, lines_of, post, said_of

QUESTIONS = {
    "application": {"action": ("choices", "label")},
    "understanding": {
        "emotion": ("emotion_choices", "emotion_label"),
        "cause": ("cause_choices", "cause_label"),
    },
}
"""For each split: its questions, and the fields of their choices and of the right one."""
FACTS = ("category", "question type", "coarse_category", "finegrained_category")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    questions = QUESTIONS[split.name]
    for item in map(json.loads, lines_of(split.files[0])):
        if item["language"] != split.part:
            continue
        tracks = [_right(item, question, *fields) for question, fields in questions.items()]
        meta = {
            "group": item["qid"],
            "subject": item["subject"],
            "choices": {question: item[choices] for question, (choices, _) in questions.items()},
        } | {fact: item[fact] for fact in FACTS if fact in item}
        yield post(f"{split.name}-{item['qid']}", item["scenario"], tracks, split.part, **meta)


def _right(item: Mapping[str, Any], question: str, choices: str, label: str) -> Track:
    if item[label] not in item[choices]:
        raise ValueError(f"question {item['qid']}: {item[label]!r} is not among its choices")
    what: dict[str, Any] = {"subject": item["subject"], "perspective": "perceived", "note": (question,)}
    return said_of(item["scenario"], open_space((item[label],)), np.ones(1), "authors", **what)


def _fake(folder: Path) -> None:
    acting, understanding = [], []
    for language, name in (("en", "Ann"), ("zh", "小红")):
        for i in range(2):
            scene = {
                "qid": str(i),
                "language": language,
                "scenario": f"{name}, {i} \N{BIRTHDAY CAKE}.",
                "subject": name,
            }
            action = {"category": "Personal-Self", "question type": "Action", "choices": ["Go", "Stay"], "label": "Go"}
            emotion = {"emotion_choices": ["Joy", "Fear"], "emotion_label": "Joy"}
            cause = {"cause_choices": ['A "cake"', "Rain"], "cause_label": 'A "cake"'}
            acting.append(scene | action)
            understanding.append(scene | {"coarse_category": "complex_emotions"} | emotion | cause)
    for file, items in (("EA", acting), ("EU", understanding)):
        lines = [json.dumps(item, ensure_ascii=False) for item in items]
        (folder / f"{file}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
