"""Which turn of a talk caused what another shows, and which words of it did.

Each turn that shows something is paired with itself and the turns before it. What it shows is taken from the Tracks of
the talk, or from a model of talk that the card names; what the other turns show is estimated here, whatever Tracks say
of them. Of a pair that is surer than the cut, the best run of clauses is named. Knows Records and the layers that
answer; knows words only through the encoder.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.models.dialogue import pairs, spans
from affetto.models.dialogue.feelings import felt_by_all
from affetto.models.dialogue.readout import Readout, sigmoid, softmax
from affetto.models.dialogue.words import Reader, encoder
from affetto.models.weights import weights

Floats = npt.NDArray[np.float32]
_PARTS = ("traits", "shown", "pair", "span")


@dataclass(frozen=True)
class Heads:
    """The layers that answer."""

    traits: Readout
    """From what the encoder knows of a turn (815) to few numbers."""
    shown: Readout
    """From the traits of a turn and of the one before it, and whether there is one, to the labels of ekman-7."""
    pair: Readout
    """From what is known of two turns to whether one caused what the other shows."""
    span: Readout
    """From what is known of a clause to whether its words are among those that did."""
    facts: dict[str, Any]
    """`slope` and `intercept` of calibration, and `cut`: how probable a cause must be to be named."""

    def save(self, path: Path) -> None:
        """Write one npz file, weights as float16."""
        arrays: dict[str, Any] = {}
        for name in _PARTS:
            arrays |= getattr(self, name).arrays(f"{name}.")
        said = np.frombuffer(json.dumps(self.facts).encode(), np.uint8)
        np.savez_compressed(path, allow_pickle=False, facts=said, **arrays)

    @staticmethod
    def open(path: Path) -> "Heads":
        """Read the file.

        Raises:
            UnreadableError: it is none.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                parts = {name: Readout.of(file, {}, f"{name}.") for name in _PARTS}
                return Heads(**parts, facts=json.loads(bytes(file["facts"])))
        except Exception as error:  # numpy, zipfile and json raise errors of their own
            raise UnreadableError(f"{path.name} holds no causes of affetto: {error}") from None

    def read(self, known: Floats, first: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return the traits (n x d) of turns, and how probably each shows each label (n x 7).

        Args:
            known: n x 815, turns of talks one after the other.
            first: n, whether a turn begins a talk.
        """
        traits = self.traits(known)
        before = np.where(first[:, None], 0, np.roll(traits, 1, 0))
        logits = self.shown(np.concatenate([traits, before, first[:, None]], 1))
        return traits, softmax(logits)

    def probable(self, described: Floats) -> Floats:
        """Return how probably each pair of turns is one of cause and feeling (n)."""
        return sigmoid(self.facts["slope"] * self.pair(described)[:, 0] + self.facts["intercept"])

    def inside(self, described: Floats) -> Floats:
        """Return for each clause how probably its words are among those that caused (n)."""
        return sigmoid(self.span(described)[:, 0])


@dataclass(frozen=True)
class CauseOptions:
    """What is asked."""

    erc: str = "dialogue.erc-daily"
    """The card of who is asked where a talk carries no feelings."""
    least: float = 0.0
    """How probable the label of a turn must be, that its causes are looked for."""
    cut: float | None = None
    """How probable a cause must be to be named; None: as fitted on dev."""


class Found(NamedTuple):
    """A cause."""

    turn: int
    cause: int
    probability: float
    words: str = ""


@dataclass(frozen=True)
class Cause:
    """A Model of causes."""

    card: Card
    encoder: Reader
    heads: Heads
    options: CauseOptions = CauseOptions()

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track of each speaker whose feelings have causes in the talk."""
        feelings = felt_by_all(records, self.options.erc)
        talks = self._heard(records)
        found = [
            [] if talk is None else self._pairs(talk, values) for talk, values in zip(talks, feelings, strict=True)
        ]
        worded = self._words(records, talks, feelings, found)
        return [self._tracks(record, causes) for record, causes in zip(records, worded, strict=True)]

    def _heard(self, records: Sequence[Record]) -> list[pairs.Heard | None]:
        """Return what is known of each talk; None of a Record without turns."""
        texts = [turn.text for record in records for turn in record.turns]
        if not texts:
            return [None for _ in records]
        first = np.array([k == 0 for record in records for k in range(len(record.turns))])
        traits, shown = self.heads.read(known(self.encoder, texts), first)
        talks: list[pairs.Heard | None] = []
        at = 0
        for record in records:
            n = len(record.turns)
            rows = slice(at, at + n)
            names = [piece.subject for piece in record.pieces()] if n else []
            talks.append(pairs.heard(names, texts[rows], traits[rows], shown[rows]) if n else None)
            at += n
        return talks

    def _pairs(self, talk: pairs.Heard, feelings: Floats) -> list[Found]:
        """Return the pairs of a talk that are surer than the cut, without words yet."""
        cut = self.heads.facts["cut"] if self.options.cut is None else self.options.cut
        found = []
        for turn in map(int, np.flatnonzero(~np.isnan(feelings).any(1))):
            feeling = int(feelings[turn].argmax())
            if feeling == pairs.NEUTRAL or feelings[turn, feeling] < self.options.least:
                continue
            at = pairs.candidates(turn)
            p = self.heads.probable(pairs.described(talk, turn, feeling))
            found += [
                Found(turn, int(k), float(value))
                for k, value in zip(at, p, strict=True)
                if value >= cut and talk.facts[k, pairs.WORDED]
            ]
        return found

    def _words(
        self,
        records: Sequence[Record],
        talks: Sequence[pairs.Heard | None],
        feelings: Sequence[Floats],
        found: Sequence[list[Found]],
    ) -> list[list[Found]]:
        """Return the causes with their words."""
        cut = {
            record.turns[one.cause].text: spans.clauses(record.turns[one.cause].text)
            for record, causes in zip(records, found, strict=True)
            for one in causes
        }
        several = list(dict.fromkeys(part for parts in cut.values() if len(parts) > 1 for part in parts))
        place = {part: k for k, part in enumerate(several)}
        traits = shown = np.zeros((0, 7), np.float32)
        if several:
            traits, shown = self.heads.read(known(self.encoder, several), np.ones(len(several), bool))
        named: list[list[Found]] = []
        for record, talk, values, causes in zip(records, talks, feelings, found, strict=True):
            named.append([])
            for one in causes:
                parts = cut[record.turns[one.cause].text]
                start, end = 0, len(parts)
                if len(parts) > 1 and talk is not None:
                    feeling = int(values[one.turn].argmax())
                    rows = [place[part] for part in parts]
                    sizes = [len(part.split()) for part in parts]
                    pair = spans.paired(talk, one.turn, one.cause, one.probability)
                    told = spans.described(traits[rows], shown[rows], sizes, pair, feeling)
                    start, end = spans.best_run(self.heads.inside(told).tolist(), sizes)
                named[-1].append(one._replace(words=" ".join(parts[start:end])))
        return named

    def _tracks(self, record: Record, causes: Sequence[Found]) -> tuple[Track, ...]:
        pieces = record.pieces() if causes else []
        space = load_card("cause")
        tracks = []
        for subject in dict.fromkeys(pieces[one.turn].subject for one in causes):
            mine = [one for one in causes if pieces[one.turn].subject == subject]
            sure = np.array([one.probability for one in mine], np.float32)
            tracks.append(
                Track(
                    space,
                    np.array([pieces[one.cause].start for one in mine]),
                    np.array([pieces[one.cause].end for one in mine]),
                    sure[:, None],
                    unit=pieces[0].unit,
                    subject=subject,
                    source=str(self.card),
                    confidence=sure,
                    about=tuple(_span(pieces[one.turn]) for one in mine),
                    note=tuple(one.words for one in mine),
                )
            )
        return tuple(tracks)

    def asking(self, **options: Any) -> "Cause":
        """Return the same model with other options, see `CauseOptions`."""
        return replace(self, options=replace(self.options, **options))


def known(encoder: Reader, texts: Sequence[str]) -> Floats:
    """Return what the encoder knows of texts: its logits and its states, n x 815."""
    return np.concatenate(encoder.heard([text or "." for text in texts], ("logits", "known")), 1)


def _span(piece: Any) -> Span:
    return Span(piece.start, piece.end, piece.unit)


def load(card: Card) -> Cause:
    """Load it as its card says."""
    options = CauseOptions(str(card.facts.get("erc", CauseOptions.erc)), float(card.facts.get("least", 0.0)))
    return Cause(card, encoder(card), Heads.open(weights(card)), options)
