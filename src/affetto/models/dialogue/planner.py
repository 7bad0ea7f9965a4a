"""Which strategy of support would come next: read from the last turns, before the turn is said.

Knows turns and what the encoder knows of them; knows no network but that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.dialogue import words
from affetto.models.dialogue.readout import Readout, softmax
from affetto.models.dialogue.saying import worded
from affetto.models.weights import weights

Floats = npt.NDArray[np.float32]
HELPING = ("supporter", "listener", "therapist")
"""Roles of those who support."""
LAST = 3
"""Turns of the other whose mean is read."""
RECENT = 12
"""Turns that are read at all, the last."""
PLACE = 30.0
"""Turns after which a talk counts as long: places are shares of it, up to 2."""


@dataclass(frozen=True)
class Planner:
    """A Model of the strategy to come."""

    card: Card
    space: Space
    encoder: words.Reader
    readout: Readout

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track of one row after the last turn: probabilities of strategies of whoever would support."""
        heard = [k for k, record in enumerate(records) if any(worded(t.text) for t in record.turns[-RECENT:])]
        out: list[tuple[Track, ...]] = [() for _ in records]
        if heard:
            talks = [[(turn.speaker, turn.text) for turn in records[k].turns] for k in heard]
            helpers = [supporter(records[k]) for k in heard]
            shares = self.shares(talks, helpers)
            for k, who, row in zip(heard, helpers, shares, strict=True):
                out[k] = (self._track(records[k], who, row),)
        return out

    def shares(self, talks: Sequence[Sequence[tuple[str, str]]], helpers: Sequence[str]) -> Floats:
        """Return probabilities, n x 8, of what each helper would do after a talk of (speaker, text)."""
        texts = [text for talk in talks for _, text in talk[-RECENT:] if worded(text)]
        (known,) = self.encoder.heard(texts, ("known",))
        found = dict(zip(texts, known, strict=True))
        width = known.shape[1]
        logits = self.readout(np.stack([seen(t, who, found, width) for t, who in zip(talks, helpers, strict=True)]))
        logits = logits * float(self.readout.facts.get("slope", 1.0))
        return softmax(logits)

    def _track(self, record: Record, who: str, shares: Floats) -> Track:
        n = len(record.turns)
        return Track(
            space=self.space,
            start=np.array([n]),
            end=np.array([n + 1]),
            values=shares[None],
            unit="turn",
            subject=who,
            source=str(self.card),
            confidence=np.array([shares.max()]),
            note=("expected",),
        )


def supporter(record: Record) -> str:
    """Return who would speak next and support: by role, else whoever did not speak last, else `reader`."""
    named = [who for who in record.people if str(record.people[who].get("role", "")) in HELPING]
    spoke = [turn.speaker or "speaker" for turn in record.turns]
    others = [who for who in reversed(spoke) if who != spoke[-1]]
    return next(iter([*named, *others]), "reader")


def seen(talk: Sequence[tuple[str, str]], helper: str, known: dict[str, Floats], width: int) -> Floats:
    """Return what the readout is given of a talk: what is known of its last turns, and three numbers of its place.

    The last turn of the other, the mean of his last three, the helper's own last turn (zeros where there is none).
    """
    recent = [(who, known[text]) for who, text in talk[-RECENT:] if text in known]
    other = [state for who, state in recent if who != helper][-LAST:]
    own = [state for who, state in recent if who == helper][-1:]
    zeros = np.zeros(width, np.float32)
    mean = np.mean(other, 0) if other else zeros
    place = [min(2.0, len(talk) / PLACE), float(len(talk) < 4), float(bool(talk) and talk[-1][0] == helper)]
    parts = [other[-1] if other else zeros, mean, own[0] if own else zeros, np.array(place, np.float32)]
    return np.concatenate(parts).astype(np.float32)


def load(card: Card) -> Planner:
    """Load the one whose weights a card names."""
    return Planner(card, load_card(card.spaces[0]), words.encoder(card), Readout.open(weights(card)))
