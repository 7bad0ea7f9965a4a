"""EmpatheticDialogues: one tells of a situation he lived through, another listens; one of 32 emotions names it.

The layout is the official one: train, valid and test, cells parted by commas, commas within them written `_comma_`.
The emotion is what the speaker said he felt: one row from his first turn to his last, source `speaker`. The
situation in his own words is `meta["situation"]`. Another layout of the same dialogues is `empathetic-intents`.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus, Split, lines_of, one_of

HEAD = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def felt(space: Space, emotion: str, actors: Sequence[str]) -> Track:
    """Return what the speaker of a dialogue felt in the situation he tells of: one row over all his turns.

    Args:
        space: that has the emotion.
        emotion: its name.
        actors: who says each turn, `speaker` among them.
    """
    own = [i for i, actor in enumerate(actors) if actor == "speaker"]
    start, end, values = np.array([own[0]]), np.array([own[-1] + 1]), np.array([one_of(space, emotion)])
    return Track(space, start, end, values, "turn", "speaker", "felt", source="speaker")


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("empathetic-32")
    lines = lines_of(split.files[0])
    if tuple(lines[0].split(",")) != HEAD:
        raise ValueError(f"the first line wants to be {','.join(HEAD)}")
    cells = [line.split(",") for line in lines[1:]]
    for id, rows in groupby(cells, key=lambda row: row[0]):
        yield _dialogue(id, list(rows), space)


def _dialogue(id: str, rows: Sequence[Sequence[str]], space: Space) -> Record:
    """Return one dialogue; candidates for replies, which may follow the tags, are left."""
    if any(len(row) < len(HEAD) for row in rows):
        raise ValueError(f"a row of {id} has fewer than {len(HEAD)} cells")
    actors = ["speaker" if int(row[1]) % 2 else "listener" for row in rows]
    people = {actor: {"worker": row[4]} for actor, row in reversed(list(zip(actors, rows, strict=True)))}
    turns = tuple(Turn(actor, None, _said(row[5])) for actor, row in zip(actors, rows, strict=True))
    meta = {"dialogue": id, "situation": _said(rows[0][3]), "self_evaluation": rows[0][6]}
    return Record(id, turns=turns, people=people, tracks=(felt(space, rows[0][2], actors),), meta=meta)


def _said(cell: str) -> str:
    return cell.replace("_comma_", ",").strip()


def _fake(folder: Path) -> None:
    for name, number in (("train", 0), ("valid", 10), ("test", 20)):
        lines = [",".join(HEAD)]
        for n, emotion in enumerate(("sentimental", "afraid")):
            id = f"hit:{number}_conv:{number + n}"
            told = 'I "heard" it_comma_ twice \N{WEARY FACE}'
            for turn, words in enumerate((told, "Oh no_comma_ what was it?", "A cat.")):
                tags = "" if name == "train" else ",Hm.|I see_comma_ yes."
                lines.append(f"{id},{turn + 1},{emotion},{told},{turn % 2},{words},5|5|5_2|2|5,{tags}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")
