"""Which feeling comes next: what a speaker's personality, his last feeling and two turns of talk let expect.

After Wen et al. 2021: the last feeling is a point in valence, arousal and dominance; the words of both turns move it,
as far as the personality allows; and where it arrives says which of seven feelings is shown. Knows turns, the feelings
that a talk carries, and the traits of people; knows no sound and no face.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.dialogue.feelings import SPACE, felt
from affetto.models.dialogue.readout import Readout
from affetto.models.dialogue.saying import worded
from affetto.models.dialogue.words import Reader, encoder
from affetto.models.weights import weights

Floats = npt.NDArray[np.float32]
TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
ANCHORS = {
    "anger": (-0.51, 0.59, 0.25),
    "disgust": (-0.60, 0.35, 0.11),
    "fear": (-0.62, 0.82, -0.43),
    "joy": (0.81, 0.51, 0.46),
    "neutral": (0.0, 0.0, 0.0),
    "sadness": (-0.63, -0.27, -0.33),
    "surprise": (0.40, 0.67, -0.13),
}
"""Valence, arousal and dominance of each feeling, as PELD gives them (after Russell and Mehrabian 1977)."""
_TRAITS_TO_VAD = np.array(
    [[0.0, 0.15, 0.25], [0.0, 0.0, 0.17], [0.21, 0.0, 0.60], [0.59, 0.30, -0.32], [0.19, -0.57, 0.0]], np.float32
)
"""Of each trait, what it adds to valence, arousal and dominance."""
_OWN_HEAD = slice(28, 35)
"""Where the encoder's logits say ekman-7."""


def temperament(ocean: npt.ArrayLike) -> Floats:
    """Return the temperament of a personality: valence, arousal and dominance, ... x 3.

    V = .21 E + .59 A + .19 N, A = .15 O + .30 A - .57 N, D = .25 O + .17 C + .60 E - .32 A (Mehrabian 1996, Analysis of
    the big-five personality factors in terms of the PAD temperament model; as PELD uses it).

    Args:
        ocean: ... x 5, openness, conscientiousness, extraversion, agreeableness and neuroticism, 0..1.

    >>> [round(float(one), 2) for one in temperament([1, 0, 0, 0, 1])]
    [0.19, -0.42, 0.25]
    """
    return np.asarray(np.asarray(ocean, np.float32) @ _TRAITS_TO_VAD, np.float32)


def manner(text: str) -> list[float]:
    """Return what the look of a turn tells: its length (logarithm of words), question, exclamation, trailing off."""
    return [math.log1p(len(text.split())), float("?" in text), float("!" in text), float(".." in text or "…" in text)]


@dataclass(frozen=True, eq=False)
class Asked:
    """What is known of n places at which somebody will speak."""

    feeling: Floats
    """n x 7: the last feeling of who will speak, probabilities in ekman-7."""
    words: Floats
    """n x d: of both turns, what the encoder hears in them and their manner."""
    temperament: Floats
    """n x 3."""


@dataclass(frozen=True, eq=False)
class Network:
    """The numbers of the weight file: how words move a feeling, how personality scales that, what it arrives at."""

    readout: Readout

    def __call__(self, asked: Asked) -> Floats:
        """Return the log-probabilities of the next feeling, n x 7."""
        facts = {name: np.array(value, np.float32) for name, value in self.readout.facts["moves"].items()}
        words = (asked.words - facts["mean"]) / facts["spread"]
        change = words @ facts["change"] + facts["change_bias"]
        scale = (asked.temperament - facts["middle"]) @ facts["scale"] + facts["scale_bias"]
        arrived = asked.feeling @ anchors() + change * scale
        logits = self.readout(np.hstack([arrived, asked.feeling]))
        logits = logits - logits.max(1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(1, keepdims=True)), np.float32)


def anchors() -> Floats:
    """Return valence, arousal and dominance of the feelings of ekman-7 in their order, 7 x 3."""
    return np.array([ANCHORS[name] for name in load_card(SPACE).names], np.float32)


@dataclass(frozen=True, eq=False)
class Transition:
    """A Model of the feeling that comes next."""

    card: Card
    network: Network
    encoder: Reader

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return one Track of one row, the turn after the last; none where the next speaker has not spoken yet.

        Who speaks next is `meta["next"]`, or else who spoke last before the last speaker. The feeling of her last turn
        is what the Record's Tracks in ekman-7 say, or else what the encoder hears in its words.
        """
        places = [_place(record) for record in records]
        found = [(i, place) for i, place in enumerate(places) if place is not None]
        answers: list[tuple[Track, ...]] = [()] * len(records)
        if not found:
            return answers
        texts = [records[i].turns[turn].text for i, (_, *turns) in found for turn in turns]
        feelings = [felt(records[i])[first] for i, (_, first, _) in found]
        traits = [personality(records[i].people.get(who, {})) for i, (who, *_) in found]
        mean = self.network.readout.facts["personality"]
        nature = temperament([mean if one is None else one for one in traits])
        logs = self.network(hear(self.encoder, texts, np.array(feelings), nature))
        decided = logs + np.array(self.network.readout.facts["lean"], np.float32)
        for k, (i, (who, *_)) in enumerate(found):
            note = "expected" if traits[k] is not None else "expected; personality not known, a middling one taken"
            answers[i] = (self._said(records[i], who, decided[k], logs[k], note),)
        return answers

    def _said(self, record: Record, who: str, decided: Floats, logs: Floats, note: str) -> Track:
        raised = np.exp(decided - decided.max())
        sure = float(np.exp(logs[decided.argmax()]))
        n = len(record.turns)
        return Track(
            load_card(SPACE),
            np.array([n]),
            np.array([n + 1]),
            (raised / raised.sum())[None],
            unit="turn",
            subject=who,
            source=str(self.card),
            confidence=np.array([min(1.0, sure)], np.float32),
            note=(note,),
        )


def hear(ear: Reader, texts: Sequence[str], feelings: Floats, nature: Floats) -> Asked:
    """Return what is known of n places.

    Args:
        ear: reads the words.
        texts: 2 n, of each place the last turn of who will speak, and the last of somebody else.
        feelings: n x 7, of the former; NaN where nobody says, which the ear then does.
        nature: n x 3, temperaments.
    """
    logits = ear.heard(texts, ("logits",))[0]
    both = np.hstack([logits, np.array([manner(text) for text in texts], np.float32)])
    own = np.exp(logits[::2, _OWN_HEAD] - logits[::2, _OWN_HEAD].max(1, keepdims=True))
    known = ~np.isnan(feelings).any(1, keepdims=True)
    feelings = np.where(known, feelings, own)
    whole = feelings.sum(1, keepdims=True)
    feelings = np.divide(feelings, whole, out=np.full_like(feelings, 1 / feelings.shape[1]), where=whole > 0)
    return Asked(feelings.astype(np.float32), both.reshape(len(feelings), -1), nature)


def personality(facts: Mapping[str, object]) -> list[float] | None:
    """Return the five traits of a person, 0..1; None where one of them is missing, or no such number."""
    said = facts.get("personality")
    if not isinstance(said, Mapping):
        return None
    values = [said.get(trait) for trait in TRAITS]
    numbers = [float(v) for v in values if isinstance(v, int | float) and 0 <= v <= 1]
    return numbers if len(numbers) == len(TRAITS) else None


def _place(record: Record) -> tuple[str, int, int] | None:
    """Return who speaks next, the number of her last turn with words, and that of the last of somebody else."""
    said = [(piece.subject, k) for k, piece in enumerate(record.pieces()) if worded(piece.text)] if record.turns else []
    if not said:
        return None
    last = said[-1][0]
    who = str(record.meta.get("next") or next((name for name, _ in reversed(said) if name != last), ""))
    mine = next((k for name, k in reversed(said) if name == who), None)
    other = next((k for name, k in reversed(said) if name != who), None)
    return None if mine is None or other is None else (who, mine, other)


def load(card: Card) -> Transition:
    """Load it as its card says.

    Raises:
        CatalogError: its weights are missing, or were trained on another encoder.
    """
    return Transition(card, Network(Readout.open(weights(card))), encoder(card))
