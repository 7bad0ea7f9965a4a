"""EQ-Bench: how strongly a person in a short talk would feel each of four named emotions, 0 to 10.

Knows its files of questions. The text of a Record is the talk alone; the question as it was put stands in meta. The
answer is an open Track: the four words, with the full-scale reference, divided by 10, as weights.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.space import open_space
from affetto.datasets.corpus import Corpus, Split, post, said_of, text_of

TALK = re.compile(r"\s*[^\n]+\n\n(.*?)\n\[(?:End|Ende)\b", re.DOTALL)
PERSON = re.compile(r"([^,\n]+) would (?:\w+ )?feel\b|würde (?:sich )?([^,\n]+?)(?: sich\b.*| in diesem .*)? fühlen")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    language = "de" if split.name.endswith("-de") else "en"
    for id, item in json.loads(text_of(split.files[0])).items():
        prompt, reference = item["prompt"], item["reference_answer_fullscale"]
        talk, person = TALK.match(prompt), PERSON.search(prompt)
        text = talk[1] if talk else prompt
        words, weights = _answer(reference)
        track = said_of(
            text,
            open_space(words),
            [weight / 10 for weight in weights],
            "author",
            subject=(person[1] or person[2]).strip() if person else "someone",
            perspective="perceived",
        )
        yield post(
            f"{split.name}-{id}",
            text,
            [track],
            language,
            group=f"{split.name[:2]}-{id}",
            question=prompt,
            choices=list(words),
        )


def _answer(reference: Mapping[str, Any]) -> tuple[tuple[str, ...], list[float]]:
    numbers = [key.removesuffix("_score") for key in reference if key.endswith("_score")]
    return tuple(reference[key] for key in numbers), [float(reference[f"{key}_score"]) for key in numbers]


def _fake(folder: Path) -> None:
    prompts = {
        "en": "\nSay what they feel:\n\nAnn: A cake, \N{BIRTHDAY CAKE}!\nBob: 'Yes'.\n[End dialogue]\n\n"
        "At the end of this dialogue, Ann would feel...\nHappy\nSad\n",
        "de": "\nSagen Sie, was sie fühlen:\n\nAnn: Ein Kuchen!\nBob: Ja.\n[Ende des Dialogs]\n\n"
        "Am Ende dieses Dialogs würde Ann sich fühlen...\nGlücklich\nTraurig\n",
    }
    answer = {"emotion1": "Happy", "emotion2": "Sad", "emotion1_score": 9, "emotion2_score": "0"}
    for file, language in (("v1_questions_60", "en"), ("v2_questions_171", "en"), ("v2_questions_171_de", "de")):
        item = {"prompt": prompts[language], "reference_answer": answer, "reference_answer_fullscale": answer}
        (folder / f"eq_bench_{file}.json").write_text(json.dumps({"1": item, "2": item}, ensure_ascii=False), "utf-8")
