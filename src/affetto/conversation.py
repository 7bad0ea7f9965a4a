"""A whole talk: what each turn shows in context, how it moved, what caused it, how it was met, and what may come next.

Asks one model of talk after the other, each found by its card; later ones see what earlier ones said of feelings.
Decides nothing itself. Knows Records; knows no words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.track import Track

ERC = "dialogue.erc"
READERS = {"": ERC, "daily": "dialogue.erc-daily", "future": "dialogue.erc-with-future"}
"""Ways to read feelings, and their cards."""
ROLES = ("seeker", "supporter", "therapist", "client")
"""Roles that make a talk one of support."""


@dataclass(frozen=True)
class Conversation:
    """A Model that asks several models of talk."""

    card: Card
    parts: tuple[str, ...]
    """Cards of models that are asked about every talk, in this order; the first reads feelings."""
    roles: tuple[str, ...] = ()
    """Cards of those that are asked only where the talk says who supports whom."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return all Tracks of each talk; none for a Record without turns."""
        talks = [i for i, record in enumerate(records) if record.turns]
        supported = [i for i in talks if supports(records[i])]
        found: list[tuple[Track, ...]] = [() for _ in records]
        feelings: list[tuple[Track, ...]] = [() for _ in records]
        for at, part in enumerate((*self.parts, *self.roles)):
            asked = talks if at < len(self.parts) else supported
            if not asked:
                continue
            model: Model = catalog.load(part)
            answers = model([records[i].blind().add(*feelings[i]) for i in asked])
            for i, tracks in zip(asked, answers, strict=True):
                found[i] += tracks
                if at == 0:
                    feelings[i] = tracks
        return found

    def reading(self, how: str) -> "Conversation":
        """Return it as it reads feelings in another way.

        Args:
            how: `daily` (everyday talk, mostly without feeling) or `future` (later turns count too); empty: as usual.
        """
        return replace(self, parts=(READERS[how], *self.parts[1:]))

    def also(self, parts: Sequence[str]) -> "Conversation":
        """Return it as it asks more models of every talk."""
        more = tuple(part for part in parts if part not in self.parts)
        return replace(self, parts=(*self.parts, *more), roles=tuple(one for one in self.roles if one not in more))


def supports(record: Record) -> bool:
    """Tell whether a talk says that somebody supports or counsels another."""
    return any(_role(facts) in ROLES for facts in record.people.values())


def _role(facts: Any) -> str:
    return str(facts.get("role", "")).lower()


def load(card: Card) -> Conversation:
    """Return it with the parts that its card names."""
    return Conversation(card, tuple(card.facts["parts"]), tuple(card.facts.get("roles", ())))
