"""BRIGHTER: short texts in 32 languages, with which of six emotions most raters think the speaker may feel.

Three corpora lie in one folder, as SemEval-2025 task 11 had three tracks: `brighter-a` (each emotion there or not),
`brighter-b` (how strong, 0 to 3) and `brighter-c` (languages without training data). Each language is a part. An
emotion that a language was not asked about, or whose answer is not published, is NaN. A text that also stands in a
later split of its language says so: `meta["duplicate_of"]`.
"""

import csv
import gzip
import io
import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, packed, post, said_of, table_of
from affetto.datasets.twins import ABOVE, Held, held, twin

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
UNASKED = {"eng": "disgust", "afr": "surprise"}


def load(card: Card) -> Corpus:
    """Return the corpus of one track."""
    codes = dict(zip(card.facts["parts"], card.languages, strict=True))
    return Corpus(card, partial(_read, card.spaces[0], codes), partial(_fake, card))


def _read(space_id: str, codes: Mapping[str, str], split: Split) -> Iterator[Record]:
    space = catalog.load(space_id)
    others = _others(split)
    for row in table_of(split.files[0]):
        if not set(EMOTIONS) & set(row):
            raise ValueError(f"no column is one of {', '.join(EMOTIONS)}")
        text = row["text"]
        values = [_number(row.get(axis.name, "")) for axis in space.axes]
        try:
            track = said_of(text, space, values)
        except MalformedError as error:
            raise ValueError(f"row {row['id']}: {error}") from None
        yield post(row["id"], text, [track], codes[split.part], **twin(text, others))


def _number(cell: str) -> float:
    return float(cell) if cell.strip() else math.nan


def _others(split: Split) -> Held:
    """Return the texts of the splits that this one must not repeat, as far as their files are there."""
    here = split.files[0]
    track = here.parents[1]
    files = {name: packed(track / name / f"{split.part}.csv") for name in ABOVE.get(split.name, ())}
    return held({name: [row["text"] for row in table_of(path)] for name, path in files.items() if path})


def _fake(card: Card, folder: Path) -> None:
    top = 3 if card.spaces[0] == "intensity-6" else 1
    texts = (
        'He said "no", twice.',
        "\u0939\u092e \u0916\u0941\u0936 \u0939\u0948\u0902 \N{FACE WITH TEARS OF JOY}",
        "line\nbreak",
    )
    for split, facts in card.facts["splits"].items():
        for part in facts.get("parts", card.facts["parts"]):
            asked = [emotion for emotion in EMOTIONS if UNASKED.get(part) != emotion]
            rows = [
                [f"{part}_{split}_{card.id[-1]}_{i}", text, *((i + k) % (top + 1) for k in range(len(asked)))]
                for i, text in enumerate(texts)
            ]
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([["id", "text", *asked], *rows])
            path = folder / facts["files"][0].replace("{part}", part)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.getvalue().encode()))
