"""ESConv: talks in which one supports another, with the strategy of each turn and how strong the trouble felt.

Knows the lines of train, dev and test, and the one list of failed talks, which names things otherwise. Strategies are
the supporter's own words for what he did; the strength (1..5, before and after) is the seeker's own answer.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus, Split, lines_of, one_of, said_of_turns, text_of

SPEAKERS = {"usr": "seeker", "sys": "supporter", "speaker": "seeker", "listener": "supporter"}
STRATEGIES = {
    "questions": "question",
    "other": "others",
    "restatement": "restatement or paraphrasing",
    "approval and reassurance": "affirmation and reassurance",
    "direct guidance": "providing suggestions",
}
"""Names of strategies in the failed talks, as the other talks write them."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    path = split.files[0]
    talks = json.loads(text_of(path)) if split.name == "failed" else map(json.loads, lines_of(path))
    for number, talk in enumerate(talks):
        yield _talk(f"{split.name}-{number}", talk)


def _talk(id: str, talk: Mapping[str, Any]) -> Record:
    said = [
        {"speaker": SPEAKERS[turn["speaker"]], "text": turn.get("text", turn.get("content")).strip()}
        | {key: value for key, value in (turn | turn.get("annotation", {})).items() if key in ("strategy", "feedback")}
        for turn in talk["dialog"]
    ]
    survey = talk["survey_score"]
    feedback = [turn.get("feedback") for turn in said]
    meta = {
        "emotion": talk["emotion_type"],
        "problem": talk["problem_type"],
        "situation": talk["situation"],
        "experience": talk["experience_type"],
        "survey": {who: {k: v for k, v in survey.get(who, {}).items() if "emotion" not in k} for who in survey},
    } | ({"feedback": feedback} if any(feedback) else {})
    return Record(
        id,
        turns=tuple(Turn(turn["speaker"], None, turn["text"]) for turn in said),
        tracks=(*_strategies(said), *_strength(talk["emotion_type"], survey["seeker"], len(said))),
        meta=meta,
    )


def _strategies(said: Sequence[Mapping[str, str]]) -> tuple[Track, ...]:
    space = catalog.load("strategy-8")
    nothing = [np.nan] * len(space.axes)
    rows = []
    for turn in said:
        name = turn.get("strategy", "").lower()
        rows.append(one_of(space, STRATEGIES.get(name, name)) if name else nothing)
    tracks = said_of_turns([turn["speaker"] for turn in said], space, rows, source="supporter")
    return tuple(track for track in tracks if track.subject == "supporter")


def _strength(emotion: str, answers: Mapping[str, str], turns: int) -> tuple[Track, ...]:
    """Return how strong the emotion felt before the first turn and after the last, as far as the seeker said."""
    space = catalog.load("esconv-11")
    rows, spans = [], []
    for when, span in (("initial", (0, 0)), ("final", (turns, turns))):
        if answer := answers.get(f"{when}_emotion_intensity"):
            rows.append([float(answer) if name == emotion else np.nan for name in space.names])
            spans.append(span)
    if not rows:
        return ()
    start, end = np.array(spans).T
    what: dict[str, Any] = {"unit": "turn", "subject": "seeker", "perspective": "felt", "source": "seeker"}
    return (Track(space, start, end, np.array(rows), **what),)


def _fake(folder: Path) -> None:
    survey = {"seeker": {"initial_emotion_intensity": "4", "empathy": "5"}, "supporter": {"relevance": "5"}}
    talk: dict[str, Any] = {
        "experience_type": "Current Experience",
        "emotion_type": "anxiety",
        "problem_type": "job crisis",
        "situation": 'I was told "maybe", and nothing since.',
        "survey_score": survey,
        "dialog": [
            {"text": "Hello \N{WAVING HAND SIGN}", "speaker": "sys", "strategy": "Others"},
            {"text": "hi, i can't sleep", "speaker": "usr"},
            {"text": "What keeps you awake?", "speaker": "sys", "strategy": "Question"},
        ],
    }
    done = survey | {"seeker": survey["seeker"] | {"final_emotion_intensity": "2"}}
    for name, n in (("train", 3), ("valid", 2), ("test", 2)):
        lines = [json.dumps(talk | {"survey_score": done if i else survey}) for i in range(n)]
        with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    failed = talk | {
        "dialog": [
            {"speaker": "speaker", "annotation": {"feedback": "2"}, "content": "Hey there\n"},
            {"speaker": "listener", "annotation": {"strategy": "Questions"}, "content": "hi"},
        ]
    }
    (folder / "FailedESConv.json").write_text(json.dumps([failed, failed], indent=1), "utf-8")
