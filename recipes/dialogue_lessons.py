"""Talks whose turns were labelled, as lessons: MELD, EmoryNLP and DailyDialog in English, without those that leak.

The three overlap, and with them RECCON (from DailyDialog): a training dialogue that shares two or more longer
utterances with any dialogue of a dev or test part is left out. Knows corpora and windows; knows no network.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.models.dialogue.talk_windows import Reach, alike, packed, said, windows
from affetto.models.dialogue.words import PIECES
from affetto.models.text.encoder import Network
from affetto.models.weights import weights
from recipes.dialogue_labels import LABELS, labels
from recipes.dialogue_network import SPACES

SPLITS = ("train", "dev", "test")
LONG, SHARED = 5, 2
"""Words of a longer utterance, and how many of them two dialogues may share less one."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Dialogue:
    """One talk."""

    corpus: str
    record: Record
    labels: npt.NDArray[np.int64]
    """n: the number of each turn's label in its space; -1 where there is none."""

    @property
    def texts(self) -> list[str]:
        """What is said."""
        return [turn.text for turn in self.record.turns]

    @property
    def speakers(self) -> list[str]:
        """Who says it."""
        return [turn.speaker for turn in self.record.turns]


@dataclass(frozen=True, eq=False)
class Lesson:
    """A window of a talk with its pieces' states and the labels of the turns that are asked for."""

    corpus: str
    states: list[torch.Tensor]
    heard: Floats
    """c x 815: what the encoder knows, and says, of each turn."""
    speakers: list[str]
    labels: npt.NDArray[np.int64]
    """c; -1 where nothing is asked."""


def dialogues() -> dict[tuple[str, str], list[Dialogue]]:
    """Return the talks of each corpus and split; those of train without leaks."""
    found = {(corpus, split): _read(corpus, split) for corpus in SPACES for split in SPLITS}
    held = {plain for (_, split), talks in found.items() if split != "train" for talk in talks for plain in _long(talk)}
    for split in ("dev", "test"):
        held |= {plain for record in load("reccon").read(split) for plain in _plain(record)}
    for corpus in SPACES:
        train = found[corpus, "train"]
        found[corpus, "train"] = [talk for talk in train if sum(plain in held for plain in _long(talk)) < SHARED]
    return found


def _read(corpus: str, split: str) -> list[Dialogue]:
    part = "en" if corpus == "dailydialog" else None
    return [Dialogue(corpus, record, labels(record, LABELS[corpus])) for record in load(corpus).read(split, part)]


def _plain(record: Record) -> list[str]:
    texts = [re.sub(r"[^a-z0-9]+", " ", turn.text.lower()).strip() for turn in record.turns]
    return [text for text in texts if len(text.split()) >= LONG]


def _long(talk: Dialogue) -> list[str]:
    return _plain(talk.record)


def states(talks: Sequence[Dialogue], kept: Path) -> list[list[torch.Tensor]]:
    """Return of each talk and turn the middle states of its pieces (p x 384, half precision), read once and kept."""
    if not kept.exists():
        network = Network(weights(find("text.affect-en")))
        texts = list(dict.fromkeys(said(text) for talk in talks for text in talk.texts))
        read: dict[str, torch.Tensor] = {}
        for start in range(0, len(texts), 4096):
            some = texts[start : start + 4096]
            whole = [0] * len(some)
            for owners, _, found, mask in network.states(some):
                for i, pieces, size in zip(owners, found, mask.sum(1), strict=True):
                    if size > whole[i]:
                        whole[i] = size
                        read[some[i]] = torch.from_numpy(pieces[: min(size, PIECES)].copy()).half()
        torch.save(read, kept)
    read = torch.load(kept, mmap=True)
    return [[read[said(text)] for text in talk.texts] for talk in talks]


def heard(talks: Sequence[Dialogue], kept: Path) -> list[Floats]:
    """Return of each talk what the encoder knows, and says, of its turns (n x 815), read once and kept."""
    if not kept.exists():
        network = Network(weights(find("text.affect-en")), threads=1)
        texts = [said(text) for talk in talks for text in talk.texts]
        parts = []
        for start in range(0, len(texts), 4096):
            logits, known = network.heard(texts[start : start + 4096])
            parts.append(np.hstack([known, logits]).astype(np.float16))
        np.save(kept, np.concatenate(parts))
    ends = np.cumsum([len(talk.labels) for talk in talks])[:-1]
    return [part.astype(np.float32) for part in np.split(np.load(kept), ends)]


def lessons(
    talks: Sequence[Dialogue], read: Sequence[list[torch.Tensor]], known: Sequence[Floats], reach: Reach
) -> list[Lesson]:
    """Cut talks into windows; each turn is asked for in one."""
    found = []
    for i, talk in enumerate(talks):
        for w in windows(i, len(talk.labels), reach):
            asked = np.full(w.end - w.start, -1)
            asked[w.first - w.start : w.last - w.start] = talk.labels[w.first : w.last]
            part = slice(w.start, w.end)
            found.append(Lesson(talk.corpus, read[i][part], known[i][part], talk.speakers[part], asked))
    return found


def batch(some: Sequence[Lesson], future: bool) -> dict[str, torch.Tensor]:
    """Return lessons as a network takes them, and the labels of each head as `labels_<corpus>` (n x c)."""
    states = [[piece.float().numpy() for piece in one.states] for one in some]
    made = packed(states, [one.heard for one in some], [one.speakers for one in some])
    found = {name: torch.from_numpy(value) for name, value in made.items()}
    found["future"] = torch.tensor([float(future)])
    most = max(len(one.labels) for one in some)
    for corpus in SPACES:
        asked = np.full((len(some), most), -1)
        for i, one in enumerate(some):
            if one.corpus == corpus:
                asked[i, : len(one.labels)] = one.labels
        found[f"labels_{corpus}"] = torch.from_numpy(asked)
    return found


def cuts(some: Sequence[Lesson], room: int, rng: np.random.Generator | None = None) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the numbers of lessons of like size, in batches of `room` pieces; shuffled where there is a generator."""
    sizes = np.array([sum(map(len, one.states)) for one in some], np.int64)
    found = list(alike((sizes + (rng.integers(0, 40, len(sizes)) if rng else 0)).tolist(), room))
    for i in rng.permutation(len(found)) if rng else range(len(found)):
        yield found[i]
