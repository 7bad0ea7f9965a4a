"""What each turn of a talk expresses, by asking a language model turn by turn.

Whichever is named: by the card (`language = "..."`, see `language.named`), or in the environment variable
AFFETTO_LANGUAGE, with its key in AFFETTO_LANGUAGE_KEY. What it says stands in `note`; where it refuses, or says what
cannot be read, the row says nothing. Knows Records and the Protocol; no vendor.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.answering import chosen
from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import UnreadableError
from affetto.core.language import LanguageModel, NoAnswerError, Sampling
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import SILENT, Track
from affetto.models.reason.dialogue_prompt import Examples, Parts, question, reading_of
from affetto.models.reason.language import named

LANGUAGE, KEY = "AFFETTO_LANGUAGE", "AFFETTO_LANGUAGE_KEY"
"""The environment variables that name the language model, and hold its key."""
PATIENCE = 3
"""Questions in a row without an answer after which no more are asked."""
ALL_PARTS = Parts()


@dataclass(frozen=True)
class Asked:
    """A Model that asks a language model."""

    card: Card
    space: Space
    model: LanguageModel
    parts: Parts = ALL_PARTS
    votes: int = 1
    """How often each turn is asked about: the values are the shares of what was said; once: all or nothing."""
    reading: bool = False
    """Whether it first says what the turn means, which is a question more."""
    examples: Examples | None = None
    """Where answered examples come from."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each speaker of each talk; without confidence, since none is calibrated."""
        failed = 0
        found = []
        for record in records:
            blind = record.blind()
            values = np.full((len(record.turns), len(self.space.axes)), np.nan, np.float32)
            notes = [SILENT] * len(record.turns)
            for k, turn in enumerate(record.turns):
                if not any(sign.isalnum() or ord(sign) > 0x2190 for sign in turn.text) or failed >= PATIENCE:
                    continue
                try:
                    values[k], notes[k] = self._turn(blind, k)
                    failed = 0
                except NoAnswerError as error:
                    notes[k], failed = str(error), failed + 1
            found.append(self._tracks(record, values, notes))
        return found

    def _turn(self, record: Record, k: int) -> tuple[np.ndarray, str]:
        """Return what is said of a turn (as many shares as labels, or NaN), and the last answer's words."""
        reading = self.model.generate(reading_of(record, k, self.parts)) if self.reading else ""
        messages = question(record, k, self.space.names, self.parts, self.examples, reading)
        synonyms = {axis.name: axis.synonyms for axis in self.space.axes}
        counts: Counter[str] = Counter()
        said = ""
        for vote in range(self.votes):
            said = self.model.generate(messages, Sampling(80, 0.7 if self.votes > 1 else 0.0, vote))
            counts[chosen(_before_dash(said, self.space.names, synonyms), self.space.names, synonyms).name] += 1
        del counts[""]
        shares = np.array([counts[name] for name in self.space.names], np.float32)
        return (shares / shares.sum() if shares.any() else np.full(len(shares), np.nan)), " ".join(said.split())

    def _tracks(self, record: Record, values: np.ndarray, notes: Sequence[str]) -> tuple[Track, ...]:
        pieces = record.pieces() if record.turns else []
        tracks = []
        for subject in dict.fromkeys(piece.subject for piece in pieces):
            mine = [k for k, piece in enumerate(pieces) if piece.subject == subject]
            tracks.append(
                Track(
                    space=self.space,
                    start=np.array([pieces[k].start for k in mine]),
                    end=np.array([pieces[k].end for k in mine]),
                    values=values[mine],
                    unit=pieces[mine[0]].unit,
                    subject=subject,
                    source=f"{self.card}, {self.model.name}",
                    note=tuple(notes[k] for k in mine),
                )
            )
        return tuple(tracks)


def _before_dash(said: str, names: Sequence[str], synonyms: dict[str, tuple[str, ...]]) -> str:
    """Return the label before a dash, if what stands there is one, or else the whole answer."""
    for dash in (" - ", " \u2013 ", " \u2014 ", "\u2014", ": "):
        first = said.strip().partition(dash)[0]
        if first != said.strip() and chosen(first, names, synonyms).name:
            return first
    return said


def load(card: Card) -> Asked:
    """Load the one whose language model the card or the environment names.

    Raises:
        UnreadableError: neither names one.
    """
    name = str(card.facts.get("language", "")) or os.environ.get(LANGUAGE, "")
    if not name:
        raise UnreadableError(
            f"{card.id} asks a language model, and none is named: set {LANGUAGE} to an address "
            "(http://localhost:8000/v1#model), a folder, or fake.language"
        )
    key = str(card.facts.get("key", "")) or (KEY if os.environ.get(KEY) and "://" in name else "")
    return Asked(card, load_card(card.spaces[0]), named(name, key), votes=int(card.facts.get("votes", 1)))
