"""DailyDialog, as XDailyDialog has it: everyday talks of two, each turn with one of Ekman's six emotions or neutral.

Dev and test stand in four languages, line by line the same (parts). `train` is what of the training dialogues is in
that repository: 8,096 in English, Italian and Chinese. Acts of each turn and the topic are in `meta`. Speakers have no
names: they take turns as A and B. A training dialogue whose English words also stand in dev or test says so
(`duplicate_of`); one whose turns are not as many as its labels has no Tracks (`misaligned`).
"""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.datasets.corpus import Corpus, Split, lines_of, one_of, packed, said_of_turns
from affetto.datasets.nearness import plain

EMOTIONS = ("neutral", "anger", "disgust", "fear", "joy", "sadness", "surprise")
"""In the order of their numbers, from 0; the makers say no emotion and happiness."""
ACTS = ("inform", "question", "directive", "commissive")
"""In the order of their numbers, from 1."""
TOPICS = (
    *("ordinary life", "school life", "culture and education", "attitude and emotion", "relationship", "tourism"),
    *("health", "work", "politics", "finance"),
)
"""In the order of their numbers, from 1."""
TRAIN = ("en", "it", "zh")
"""The languages of the training texts, in the order of the card."""
END = "__eou__"


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    if split.name == "train":
        yield from _partial(split)
        return
    for number, line in enumerate(lines_of(split.files[0])):
        text, topic, acts, emotions = line.split("\t")
        yield _dialogue(f"{split.name}-{number}", _turns(text), emotions.split(), acts.split(), topic)


def _partial(split: Split) -> Iterator[Record]:
    """Yield the training dialogues, whose texts and labels stand in parallel files."""
    columns = [lines_of(path) for path in split.files]
    english, (emotions, acts, topics) = columns[0], columns[3:]
    texts = columns[TRAIN.index(split.part)]
    others: dict[str, str] = {}
    for name in ("test", "dev"):
        if (path := packed(split.folder / f"en_{name}_human.txt")) is not None:
            for line in lines_of(path):
                others.setdefault(_bare(line.split("\t")[0]), name)
    for number, row in enumerate(zip(texts, english, emotions, acts, topics, strict=True)):
        text, original, emotion, act, topic = row
        twin = {"duplicate_of": others[bare]} if (bare := _bare(original)) in others else {}
        yield _dialogue(f"train-{number}", _turns(text), emotion.split(), act.split(), topic, **twin)


def _bare(text: str) -> str:
    """Return a dialogue without what differs between editions: case, spaces, signs."""
    return plain(text.replace(END, " ")).replace(" ", "")


def _turns(text: str) -> list[str]:
    return [turn.strip() for turn in text.strip().removesuffix(END).split(END)]


def _dialogue(
    id: str, texts: Sequence[str], emotions: Sequence[str], acts: Sequence[str], topic: str, **twin: str
) -> Record:
    space = catalog.load("ekman-7")
    speakers = ["AB"[i % 2] for i in range(len(texts))]
    meta: dict[str, object] = {
        "dialogue": id,
        "acts": [ACTS[_number(act, 1, len(ACTS)) - 1] for act in acts],
        "topic": TOPICS[_number(topic, 1, len(TOPICS)) - 1],
        **twin,
    }
    values = [one_of(space, EMOTIONS[_number(emotion, 0, len(EMOTIONS) - 1)]) for emotion in emotions]
    turns = tuple(Turn(speaker, None, text) for speaker, text in zip(speakers, texts, strict=True))
    if len(values) != len(turns):
        return Record(id, turns=turns, meta=meta | {"misaligned": True})
    return Record(id, turns=turns, tracks=said_of_turns(speakers, space, values), meta=meta)


def _number(cell: str, low: int, high: int) -> int:
    if not low <= int(cell) <= high:
        raise ValueError(f"a label is a number from {low} to {high}, not {cell}")
    return int(cell)


def _fake(folder: Path) -> None:
    talks = {
        "en": 'Can I help you ? __eou__ Yes , "please" ! __eou__ Right .',
        "de": 'Kann ich helfen? __eou__ Ja, "bitte"! __eou__ Gut.',
        "it": 'Posso aiutarla? __eou__ S\u00ec, "prego"! __eou__ Bene.',
        "zh": "\u6211\u80fd\u5e2e\u4f60\u5417\uff1f__eou__\u662f\u7684\uff01__eou__\u597d\u3002",
    }
    for name in ("dev", "test"):
        for part, talk in talks.items():
            lines = [f"{talk} __eou__\t1\t2 1 3\t0 4 0", f"{name} {talk}\t10\t2 4 1\t6 0 5"]
            _write(folder / f"{part}_{name}_human.txt", lines)
    home = folder / "partial_8096"
    home.mkdir()
    for part in TRAIN:
        talk = talks[part]
        _write(home / f"dialogues_text_{part.title()}.txt", [talk, f"Hm ? __eou__ {talk}", f"{talk} __eou__"])
    _write(home / "dialogues_emotion.txt", ["0 4 0", "0 0 1 2", "3 5 6 0"])
    _write(home / "dialogues_action.txt", ["2 1 3", "2 2 1 3", "1 4 1 1"])
    _write(home / "dialogues_topic.txt", ["1", "6", "9"])


def _write(path: Path, lines: Sequence[str]) -> None:
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
