"""What a speaker shows next: talks of which a system sees all but the last turn, and says how that will feel.

Seen are the turns before, the personality of who speaks next where it is known, and what raters said of that speaker's
turn before; not the last turn, nor what anybody said of another. Scored is the answer for the turn that follows, in the
space and by the scores that single turns have. Talks that share words are one group: windows cut from one talk overlap,
so that what follows in one stands as what was in another.

Knows turns, Tracks and words; knows no corpus and no model.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track

LONG = 5
"""Words from which on a turn that stands in two talks shows them to be one; shorter ones are said everywhere."""


def asked(record: Record, space: str) -> Record:
    """Return a talk as a system may see it: without its last turn, its meta, and all but one row of the truth.

    Args:
        record: with two turns or more.
        space: of the truth, of which the row of the next speaker's last turn is shown.
    """
    who = record.turns[-1].speaker
    before = [k for k, turn in enumerate(record.turns[:-1]) if turn.speaker == who]
    shown = [
        track[np.flatnonzero(track.start == before[-1])]
        for track in record.tracks
        if before and track.space.id == space and track.subject == who and track.unit == "turn"
    ]
    known = record.people.get(who, {})
    people = {who: {"personality": known["personality"]}} if "personality" in known else {}
    return Record(record.id, (), record.turns[:-1], people, tuple(shown), {"next": who})


def scored(record: Record) -> Record:
    """Return a talk with no more truth than that of its last turn."""
    last = len(record.turns) - 1
    rows = [track[np.flatnonzero((track.start == last) & (track.unit == "turn"))] for track in record.tracks]
    return replace(record, tracks=tuple(track for track in rows if len(track)))


def grouped(records: Sequence[Record]) -> list[Record]:
    """Return talks with `dialogue` in meta: one name for all that belong together.

    Those do that follow each other and share a turn, and those anywhere that share one of five words or more.
    """
    first = list(range(len(records)))

    def root(k: int) -> int:
        while first[k] != k:
            first[k] = first[first[k]]
            k = first[k]
        return k

    seen: dict[str, int] = {}
    before: set[str] = set()
    for k, record in enumerate(records):
        words = {" ".join(re.findall(r"\w+", turn.text.casefold())) for turn in record.turns}
        if k and words & before - {""}:
            first[root(k)] = root(k - 1)
        for said in words:
            if len(said.split()) >= LONG:
                first[root(k)] = root(seen.setdefault(said, k))
        before = words
    names: dict[int, str] = {}
    for k, record in enumerate(records):
        names.setdefault(root(k), record.id)
    return [replace(record, meta={**record.meta, "dialogue": names[root(k)]}) for k, record in enumerate(records)]


class Copy:
    """The least there is to beat: whoever speaks next feels as in her last turn."""

    id = "baseline.copy"

    def __init__(self, space: Space) -> None:
        """Take the space of the answers."""
        self.space = space
        self.card = Card(
            self.id,
            "model",
            "1",
            "Whoever speaks next feels as before",
            spaces=(space.id,),
            channel="text",
            source="src/affetto/bench/transition.py",
            licence="MIT",
            intended_use="The least that a system in a benchmark has to beat.",
            limits=("It repeats what it is told, and reads no words.",),
        )

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return for each talk the row that it carries of the next speaker, for the turn that follows."""
        return [
            tuple(
                replace(track[[-1]], start=np.array([n]), end=np.array([n + 1]), source=str(self.card))
                for track in record.tracks
                if track.space.id == self.space.id and len(track)
            )
            for record in records
            for n in (len(record.turns),)
        ]
