"""Which of 32 emotions the one who tells of something felt in it, and which of his words say so.

One layer on what the encoder knows of all that he says and of how he begins, and on which of a thousand words he uses.
Knows talk and texts; knows no network but the encoder that its card names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Piece, Record
from affetto.core.space import Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.models.dialogue import words
from affetto.models.dialogue.readout import Readout, softmax
from affetto.models.dialogue.saying import worded
from affetto.models.weights import weights

Floats = npt.NDArray[np.float32]
TELLING = ("speaker", "seeker", "client")
"""Roles of those who tell; where nobody has a role, who speaks first tells."""
MOST_TURNS, MOST_CLAUSES = 24, 64
"""How many turns of one who tells are read, the first; how many clauses are looked at one by one."""
LEAST, LONGEST = 0.3, 10
"""Of the highest value, what a clause must have to be named; words of a clause."""
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_JOINTS = "and|but|because|so|then|when|while|since|although|though|that|who|which"
_BETWEEN = re.compile(rf"[.!?;:,\n]+\s*|\s+(?=(?:{_JOINTS})\s)", re.IGNORECASE)


@dataclass(frozen=True)
class Situation:
    """A Model of what was felt in what somebody tells of."""

    card: Card
    space: Space
    readout: Readout
    encoder: words.Reader

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return, for each who tells, a Track of one row over all that he says; none where nobody says anything."""
        told = [(i, pieces) for i, record in enumerate(records) for pieces in tellers(record)]
        found: list[tuple[Track, ...]] = [()] * len(records)
        if told:
            shares = self.shares([[piece.text for piece in pieces] for _, pieces in told])
            for (i, pieces), row in zip(told, shares, strict=True):
                found[i] = (*found[i], self._track(pieces, row))
        return found

    def shares(self, told: Sequence[Sequence[str]]) -> Floats:
        """Return probabilities (n x 32) of n tellings, each one's turns in order."""
        joined, first = [" ".join(turns) for turns in told], [turns[0] for turns in told]
        (known,) = self.encoder.heard([*joined, *first], ("known",))
        used = bag(joined, self.readout.facts["words"])
        logits = self.readout(np.concatenate([known[: len(told)], known[len(told) :], used], 1))
        return softmax(logits)

    def because(self, record: Record, name: str = "", most: int = 3) -> tuple[Track, ...]:
        """Return which clauses say that an emotion was felt: in the space `cause`, a row each, the clause in `note`.

        A clause's value is the mean of what it says alone (the emotion's probability) and of what goes without it (how
        far that falls). Those of a value below .3 of the highest are left out.

        Args:
            record: a talk, or a text.
            name: of the emotion; by default what the model itself finds.
            most: clauses at most, those of the highest values, in the order in which they were said.
        """
        return tuple(track for pieces in tellers(record) for track in self._because(pieces, name, most))

    def _because(self, pieces: Sequence[Piece], name: str, most: int) -> tuple[Track, ...]:
        turns = [piece.text for piece in pieces]
        places = [(k, a, b) for k, text in enumerate(turns) for a, b in clauses(text)][:MOST_CLAUSES]
        alone = [[turns[k][a:b]] for k, a, b in places]
        without = [[*turns[:k], turns[k][:a] + turns[k][b:], *turns[k + 1 :]] for k, a, b in places]
        shares = self.shares([turns, *alone, *without])
        said = shares[:, self.space.index(name) if name else int(shares[0].argmax())]
        own, left = said[1 : len(places) + 1], said[len(places) + 1 :]
        values = (own + np.maximum(0, said[0] - left)) / 2
        best = np.argsort(-values, kind="stable")[:most]
        rows = sorted(k for k in best if values[k] >= LEAST * values.max())
        span = Span(pieces[0].start, max(piece.end for piece in pieces), pieces[0].unit)
        return (
            Track(
                space=load_card("cause"),
                start=np.array([pieces[places[k][0]].start for k in rows]),
                end=np.array([pieces[places[k][0]].end for k in rows]),
                values=values[rows][:, None],
                unit=span.unit,
                subject=pieces[0].subject,
                perspective="felt",
                source=str(self.card),
                about=(span,) * len(rows),
                note=tuple(alone[k][0] for k in rows),
            ),
        )

    def _track(self, pieces: Sequence[Piece], shares: Floats) -> Track:
        return Track(
            space=self.space,
            start=np.array([pieces[0].start]),
            end=np.array([max(piece.end for piece in pieces)]),
            values=shares[None],
            unit=pieces[0].unit,
            subject=pieces[0].subject,
            perspective="felt",
            source=str(self.card),
            confidence=shares.max(keepdims=True),
        )


def tellers(record: Record) -> list[list[Piece]]:
    """Return the turns with words of each who tells, or else the texts of a record."""
    pieces = [piece for piece in record.pieces() if worded(piece.text)]
    roles = {who: str(facts.get("role", "")) for who, facts in record.people.items()}
    telling = list(dict.fromkeys(piece.subject for piece in pieces if roles.get(piece.subject) in TELLING))
    if not telling and pieces:
        telling = [pieces[0].subject]
    own = [[piece for piece in pieces if piece.subject == who][:MOST_TURNS] for who in telling]
    return [sorted(mine, key=lambda piece: piece.start) for mine in own]


def clauses(text: str) -> list[tuple[int, int]]:
    """Return where the clauses of a text lie: what signs and joining words part, long ones cut evenly.

    >>> [("I ran, and my dog died."[a:b]) for a, b in clauses("I ran, and my dog died.")]
    ['I ran', 'and my dog died']
    """
    found, at = [], 0
    cuts = [match.span() for match in _BETWEEN.finditer(text)]
    for start, end in [*cuts, (len(text), len(text))]:
        words = [(at + word.start(), at + word.end()) for word in re.finditer(r"\S+", text[at:start])]
        for part in np.array_split(np.arange(len(words)), -(-len(words) // LONGEST) or 1):
            if any(worded(text[a:b]) for a, b in (words[k] for k in part)):
                found.append((words[part[0]][0], words[part[-1]][1]))
        at = end
    return found


def bag(texts: Sequence[str], known: Sequence[str]) -> Floats:
    """Return which of the known words each text has: n x k, 0 or 1.

    >>> bag(["My dog, my Dog!"], ["cat", "dog"]).tolist()
    [[0.0, 1.0]]
    """
    place = {word: k for k, word in enumerate(known)}
    out = np.zeros((len(texts), len(known)), np.float32)
    for row, text in zip(out, texts, strict=True):
        row[[place[word] for word in spelled(text) if word in place]] = 1
    return out


def spelled(text: str) -> set[str]:
    """Return the words of a text in Latin letters, in lower case."""
    return set(_WORD.findall(text.lower().replace("\u2019", "'")))


def load(card: Card) -> Situation:
    """Load the one whose weights a card names."""
    return Situation(card, load_card(card.spaces[0]), Readout.open(weights(card)), words.encoder(card))
