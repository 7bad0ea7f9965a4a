"""One answer for each person from all channels: Tracks in, fused Tracks out, by late fusion or by attention.

Knows Tracks, persons and the grid; is handed Models and the way from one space to another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.track import SILENT, Array, Track
from affetto.models.fusion import attention, late
from affetto.models.fusion.grid import DEGREES, LABELS, Seen, Translate, end_of, gridded, only_there
from affetto.models.fusion.late import Pooled

Pool = Callable[[Seen], Pooled]
"""What fuses a person's grid."""
WAYS: dict[str, Callable[[Card], Pool]] = {"late": late.load, "attention": attention.load}
"""How channels are fused; the card is called `fusion.` and that."""


@dataclass(frozen=True)
class FusingOptions:
    """On which grid."""

    step: float = 1.0
    """Seconds."""
    until: float | None = None
    """Seconds at which the grid ends; None: where the last row of anybody does."""


def fuse(
    tracks: Sequence[Track], translate: Translate, how: str = "late", step: float = 1.0, until: float | None = None
) -> tuple[Track, ...]:
    """Return what all channels together say of each person, in ekman-7 and in va, a row a step.

    A step in which no channel says anything is NaN, with the note "not said"; a person of whom nothing is said at all
    in a space gets no Track there. What a reader or viewer would feel counts for nobody.

    Args:
        tracks: of any people, channels and spaces, in any order; those that are fused already are left out.
        translate: brings a Track into another space, as `spaces.bridges.translate` does.
        how: `late` or `attention`.
        step: seconds of a row.
        until: seconds at which the rows end; None: where the last row of anybody does.

    Raises:
        UnknownNameError: there is no such way of fusing.
        MalformedError: `step` or `until` is no positive number, or there would be more than a million rows.
    """
    card, pool = _way(how)
    return _fused(tracks, translate, card, pool, FusingOptions(step, until))


@dataclass(frozen=True)
class Fusion:
    """A Model that asks other Models and adds what their Tracks say together.

    Without Models it takes the Tracks that a Record already bears, and returns the fused ones only.
    """

    card: Card
    pool: Pool
    models: tuple[Model, ...] = ()
    translate: Translate = field(default=only_there)
    """Brings Tracks into other spaces; as it is, only those that are there already count."""
    options: FusingOptions = field(default_factory=FusingOptions)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return the Tracks of all Models, and the fused ones."""
        answers = [model([record.blind() for record in records]) for model in self.models]
        asked = [sum((tuple(answer[k]) for answer in answers), ()) for k in range(len(records))]
        return [
            (*new, *_fused(new if self.models else record.tracks, self.translate, self.card, self.pool, self.options))
            for record, new in zip(records, asked, strict=True)
        ]


def fusion(
    models: Sequence[Model], translate: Translate, how: str = "late", options: FusingOptions | None = None
) -> Fusion:
    """Return a Model over other Models.

    Raises:
        UnknownNameError: there is no such way of fusing.
    """
    return Fusion(*_way(how), tuple(models), translate, options or FusingOptions())


def load(card: Card) -> Fusion:
    """Return fusion of the Tracks that Records bear, as a card says."""
    return Fusion(card, WAYS[card.id.removeprefix("fusion.")](card))


def _way(how: str) -> tuple[Card, Pool]:
    if how not in WAYS:
        raise UnknownNameError("way of fusing", how, WAYS)
    return _loaded(how)


@cache
def _loaded(how: str) -> tuple[Card, Pool]:
    card = catalog.find(f"fusion.{how}", "model")
    return card, WAYS[how](card)


def _fused(
    tracks: Sequence[Track], translate: Translate, card: Card, pool: Pool, options: FusingOptions
) -> tuple[Track, ...]:
    """Return the fused Tracks of each person, in the order in which people come up."""
    people: dict[str, list[Track]] = {}
    for track in tracks:
        people.setdefault(track.subject, []).append(track)
    until = end_of(tracks) if options.until is None else options.until
    found: list[Track] = []
    for name, own in people.items():
        seen = gridded(own, translate, options.step, until)
        pooled = pool(seen)
        for space, values, sure in (
            (LABELS, pooled.labels, pooled.confidence),
            (DEGREES, pooled.va, np.where(np.isnan(pooled.va).any(1), np.nan, pooled.confidence)),
        ):
            if not np.isnan(values).all():
                found.append(_track(space, seen, values, sure, name, card))
    return tuple(found)


def _track(space: str, seen: Seen, values: Array, sure: Array, subject: str, card: Card) -> Track:
    silent = np.atleast_1d(np.isnan(values).all(1))
    return Track(
        catalog.load(space),
        seen.start,
        seen.end,
        values,
        unit="s",
        subject=subject,
        channel="fused",
        source=str(card),
        confidence=sure,
        note=tuple(SILENT if nothing else "" for nothing in silent) if silent.any() else None,
    )
