"""How a reply shows empathy in three ways, 0 to 2, and by which of its words (EPITOME, Sharma et al. 2020).

A reply is read as a whole, and then in clauses: those that carry what was found are its reasons. Knows talks; knows no
corpus.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.models.dialogue.context import HELPERS, KNOWN, LOGITS, Floats, heard, role, surface
from affetto.models.dialogue.grams import words
from affetto.models.dialogue.heads import Head, kept
from affetto.models.dialogue.readout import sigmoid, softmax
from affetto.models.dialogue.saying import said, worded
from affetto.models.dialogue.words import Reader, encoder
from affetto.models.weights import weights

SPACE = "epitome-3"
WAYS, LEVELS = 3, 3
ENDS = frozenset(".!?\u2026")
PAUSES = frozenset(",;:")
JOINTS = frozenset("but and because so if when or".split())
LONGEST = 100
"""Words of a clause at most."""
MOST = 64
"""Clauses of a reply that are looked at, the first ones."""


def clauses(text: str) -> list[tuple[int, int]]:
    """Return where the clauses of a text stand: cut at its marks, at new lines, and before words that join.

    >>> [text[a:b] for text in ["Oh no! I am so sorry, and I hope you rest."] for a, b in clauses(text)]
    ['Oh no!', 'I am so sorry,', 'and I hope you rest.']
    """
    found: list[tuple[int, int]] = []
    first, end, count = 0, 0, 0
    for start, stop in words(text):
        word = text[start:stop].lower()
        if count and ("\n" in text[end:start] or (count >= 3 and word in JOINTS) or count >= LONGEST):
            found.append((first, end))
            count = 0
        first, end, count = (first if count else start), stop, count + 1
        if word in ENDS or (word in PAUSES and count >= 4):
            found.append((first, end))
            count = 0
    return found + ([(first, end)] if count else [])


def whole(encoder: Reader, replies: Sequence[str]) -> Floats:
    """Return what is known of replies, n x (HEARD + 8)."""
    counted = np.array([[*surface(text), text.count("?"), text.lower().count("you") / 5] for text in replies])
    return np.concatenate([heard(encoder, replies), counted.reshape(-1, 8).astype(np.float32)], 1)


def parts(encoder: Reader, clauses: Sequence[str], answers: Floats) -> Floats:
    """Return what is known of n clauses, n x (KNOWN + LOGITS + 6 + 9); `answers` are the logits of their replies."""
    logits, known = encoder.heard(clauses)
    signs = np.array([surface(text) for text in clauses], np.float32)
    return np.concatenate([known[:, :KNOWN], logits[:, :LOGITS], signs, answers], 1)


def levels(logits: Floats, slopes: Sequence[float]) -> Floats:
    """Return probabilities of the levels, n x 3 ways x 3 levels, of logits, n x 9."""
    each = [softmax(part * np.float32(slope)) for part, slope in zip(np.split(logits, WAYS, 1), slopes, strict=True)]
    return np.stack(each, 1)


@dataclass(frozen=True)
class Empathy:
    """A Model of replies."""

    card: Card
    encoder: Reader
    head: Head
    """Three logits a way, one a level."""
    reasons: Head
    """A logit a way: that a clause carries it. `facts["threshold"]`: from which probability on."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each speaker who answers somebody; the words that carry a way stand in `note`."""
        asked = [answering(record) for record in records]
        spoken = [
            [k for k in rows if worded(record.turns[k].text)] for record, rows in zip(records, asked, strict=True)
        ]
        texts = [record.turns[k].text for record, rows in zip(records, spoken, strict=True) for k in rows]
        answers, carried = self.read(texts) if texts else (np.zeros((0, WAYS, LEVELS), np.float32), [])
        tracks, at, space, limits = [], 0, load_card(SPACE), self.reasons.facts["threshold"]
        for record, rows, own in zip(records, asked, spoken, strict=True):
            values = np.full((len(record.turns), WAYS), np.nan, np.float32)
            sure = np.full(len(record.turns), np.nan, np.float32)
            notes = [""] * len(record.turns)
            for k in own:
                values[k] = answers[at] @ np.arange(LEVELS)
                sure[k] = answers[at].max(1).mean()
                notes[k] = _note(space.names, record.turns[k].text, answers[at], carried[at], limits)
                at += 1
            tracks.append(said(record, space, values, self.card, sure, notes, rows))
        return tracks

    def read(self, replies: Sequence[str]) -> tuple[Floats, list[tuple[list[tuple[int, int]], Floats]]]:
        """Return of n replies how probable each level is, and what carries it.

        Returns:
            Probabilities (n x 3 ways x 3 levels); and of each reply its m clauses, and how surely each carries a way
            (m x 3).
        """
        logits = self.head(whole(self.encoder, replies), replies)
        spans = [clauses(text)[:MOST] for text in replies]
        pieces = [text[start:end] for text, cut in zip(replies, spans, strict=True) for start, end in cut]
        sizes = [len(cut) for cut in spans]
        sure = np.zeros((0, WAYS), np.float32)
        if pieces:
            known = parts(self.encoder, pieces, np.repeat(logits, sizes, 0))
            sure = sigmoid(self.reasons(known, pieces))
        split = np.split(sure, np.cumsum(sizes)[:-1])
        return levels(logits, self.head.facts["slopes"]), list(zip(spans, split, strict=True))

    def explain(self, record: Record, track: Track, axis: str | None = None, row: int = 0) -> tuple[Track, ...]:
        """Return which words of a reply carried a way, as an importance Track: a row a word of the turn.

        Args:
            record: what was answered.
            track: one of the answers to it.
            axis: the way; by default the one with the highest value.
            row: which row of the track.
        """
        places = {(piece.start, piece.end): piece.text for piece in record.pieces()}
        text = places.get((float(track.start[row]), float(track.end[row])), "")
        if np.isnan(track.values[row]).any() or not worded(text):
            return ()
        way = track.space.index(axis) if axis else int(track.values[row].argmax())
        _, ((cuts, sure),) = self.read([text])
        spans = [(start, end, sure[k, way]) for k, cut in enumerate(cuts) for start, end in _within(text, cut)]
        return (
            Track(
                space=load_card("importance"),
                start=np.array([start for start, _, _ in spans], float),
                end=np.array([end for _, end, _ in spans], float),
                values=np.array([[value] for *_, value in spans], np.float32),
                unit="char",
                subject=track.subject,
                channel="text",
                source=f"reasons({self.card}, {SPACE}: {track.space.names[way]})",
                about=(Span(float(track.start[row]), float(track.end[row]), track.unit),) * len(spans),
                note=tuple(text[start:end] for start, end, _ in spans),
            ),
        )


def answering(record: Record) -> list[int]:
    """Return the turns that answer: said after somebody else has spoken; of helpers only, where somebody is one."""
    helped = any(role(record, turn.speaker) in HELPERS for turn in record.turns)
    first = record.turns[0].speaker if record.turns else ""
    heard_others, rows = False, []
    for k, turn in enumerate(record.turns):
        heard_others = heard_others or turn.speaker != first
        if heard_others and not (helped and role(record, turn.speaker) not in HELPERS):
            rows.append(k)
    return rows


def reasons_of(sure: Floats, level: Floats, threshold: Sequence[float]) -> list[list[int]]:
    """Return, for each way, the clauses (of m x 3) that carry it: those sure enough, or the surest one.

    Args:
        sure: m x 3.
        level: 3 x 3, probabilities of the levels; a way of which nothing is most probable has no reasons.
        threshold: 3.
    """
    found = []
    for way in range(WAYS):
        over = np.flatnonzero(sure[:, way] >= threshold[way])
        over = over if len(over) or not len(sure) else sure[:, [way]].argmax(0)
        found.append([int(k) for k in over] if level[way].argmax() else [])
    return found


def _note(
    names: Sequence[str],
    text: str,
    level: Floats,
    carried: tuple[list[tuple[int, int]], Floats],
    limits: Sequence[float],
) -> str:
    """Return which words carried which way: `explorations: what happened? ...; ...`."""
    cuts, sure = carried
    said_by = []
    for name, rows in zip(names, reasons_of(sure, level, limits), strict=True):
        if rows:
            said_by.append(f"{name}: {' ... '.join(' '.join(text[slice(*cuts[k])].split()) for k in rows)}")
    return "; ".join(said_by)


def _within(text: str, cut: tuple[int, int]) -> list[tuple[int, int]]:
    return [(cut[0] + start, cut[0] + end) for start, end in words(text[cut[0] : cut[1]])]


def load(card: Card) -> Empathy:
    """Load it as its card says."""
    return Empathy(card, encoder(card), *kept(weights(card), "levels", "reasons"))
