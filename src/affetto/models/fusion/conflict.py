"""How far the channels of one person tell apart, beyond what their own uncertainty explains, and which one deviates.

Of each pair of channels a few statistics of their two distributions make the chance that they show feelings of opposite
valence; of three channels the pair that is furthest apart counts. A step is marked where that chance reaches a limit
which 5 % of consistent items reach (the card says how that was measured). A neutral channel contradicts nobody. Knows
the grid; knows neither models nor files: the numbers are in the card, written by `recipes/fusion_conflict.py`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import SILENT, Array, Track
from affetto.models.fusion.grid import LABELS, Seen, Translate, end_of, gridded, only_there

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CHANNELS = ("face", "text", "voice")
"""Those that can contradict each other, in the order of a grid."""
PAIRS = tuple(itertools.combinations(range(len(CHANNELS)), 2))
"""The pairs of `CHANNELS`, by their numbers."""
WORDS = {"text": "words", "voice": "voice", "face": "face"}
"""What they are called in notes, in the order in which they are told."""
STATISTICS = ("opposite", "same", "divergence", "valence", "confidence")
ALARM = "0.05"
"""Share of consistent items that are marked, at most; a card has limits for this and for `0.01`."""
_LEAST = 1e-4
_FURTHEST = 4.0
"""Standard deviations between two valences, at most: beyond that all are as far."""


@dataclass(frozen=True)
class ConflictOptions:
    """On which grid."""

    step: float = 1.0
    """Seconds."""
    until: float | None = None
    """Seconds at which the grid ends; None: where the last row of anybody does."""
    least: float = 0.2
    """Share of a step that a channel must cover to count there: what just ends in it contradicts nothing."""


@dataclass(frozen=True, eq=False)
class Limits:
    """What the card says of pairs and of all three channels."""

    weights: Mapping[str, Floats]
    """For each pair, such as `face+text`, the weights of `STATISTICS` and a constant."""
    three: tuple[float, float]
    """Slope and constant that bring the highest log-odds of three pairs back to log-odds of a conflict."""
    marks: Mapping[str, float]
    """For each set of channels that speak, the conflict from which on a step is marked."""


@dataclass(frozen=True)
class Episode:
    """Steps in a row in which the same two channels contradict each other, or the same one the two others."""

    start: float
    """Seconds."""
    end: float
    channels: tuple[str, ...]
    """The two channels that are furthest apart."""
    deviates: str
    """Which channel stands alone against the two others; empty where only two speak."""
    conflict: float
    """The highest of its steps."""
    note: str
    """What the channels show at the highest, such as `words joy, voice anger`."""


def statistics(first: Array, second: Array, sure: Array) -> Floats:
    """Return what tells of conflict between two channels, n x 5, in the order of `STATISTICS`.

    `opposite`: log of the chance that one is pleasant and the other unpleasant, if each answers for itself; `same`: log
    of the chance that both show the same; `divergence`: Jensen-Shannon, bits; `valence`: difference of the expected
    sides (-1 unpleasant, 1 pleasant) in standard deviations that the two distributions imply; `confidence`: the lower
    of the two, less a half.

    Args:
        first: n x 7 probabilities in ekman-7.
        second: the other channel's.
        sure: n x 2, the channels' confidences; where NaN, the highest probability stands for it.
    """
    p, q = (np.asarray(side, np.float64) for side in (first, second))
    good, bad = _sides()
    sides = [(x[:, good].sum(1), x[:, bad].sum(1)) for x in (p, q)]
    opposite = sides[0][0] * sides[1][1] + sides[0][1] * sides[1][0]
    means = [up - down for up, down in sides]
    spread = sum(up + down - (up - down) ** 2 for up, down in sides)
    apart = np.abs(means[0] - means[1]) / np.sqrt(np.maximum(spread, 1e-2))
    known = np.where(np.isnan(sure), np.stack([p.max(1), q.max(1)], 1), sure)
    return np.stack(
        [
            np.log(opposite + _LEAST),
            np.log((p * q).sum(1) + _LEAST),
            _divergence(p, q),
            np.minimum(apart, _FURTHEST),
            known.min(1) - 0.5,
        ],
        axis=1,
    )


def odds(shares: Array, sure: Array, limits: Limits) -> tuple[Floats, Floats]:
    """Return the log-odds of a conflict, n, and those of each pair, n x 3, NaN where one of the two is silent.

    Args:
        shares: n x 3 x 7, the probabilities of `CHANNELS`; NaN where one says nothing.
        sure: n x 3, their confidences or NaN.
        limits: of the card.
    """
    pairs = np.full((len(shares), len(PAIRS)), np.nan)
    there = np.isfinite(shares.sum(2))
    for k, (a, b) in enumerate(PAIRS):
        both = there[:, a] & there[:, b]
        found = statistics(shares[both, a], shares[both, b], sure[both][:, [a, b]])
        weights = limits.weights[_key((a, b))]
        pairs[both, k] = found @ weights[:-1] + weights[-1]
    most = np.where(np.isnan(pairs), -np.inf, pairs).max(1)
    slope, constant = limits.three
    whole = np.where(there.all(1), slope * most + constant, most)
    return np.where(np.isfinite(most), whole, np.nan), pairs


def brought(pairs: Floats) -> Floats:
    """Return which share of a conflict each of `CHANNELS` brings, n x 3: how far it falls without that channel.

    Of two channels each brings a half: nothing tells which of them is right. Silent channels are NaN.

    >>> brought(np.array([[3.0, -3.0, 3.0], [np.nan, 1.0, np.nan]])).round(2).tolist()
    [[0.0, 1.0, 0.0], [0.5, nan, 0.5]]
    """
    chances = 1 / (1 + np.exp(-pairs))
    most = np.where(np.isnan(chances), 0.0, chances).max(1)
    falls = np.full(chances.shape, np.nan)
    for c in range(len(CHANNELS)):
        (without,) = (k for k, pair in enumerate(PAIRS) if c not in pair)
        falls[:, c] = most - chances[:, without]
    whole = falls.sum(1, keepdims=True)
    even = np.full_like(falls, 1 / len(CHANNELS))
    shares = np.where(whole > 1e-9, falls / np.where(whole > 1e-9, whole, 1.0), even)
    for k, pair in enumerate(PAIRS):
        alone = ~np.isnan(pairs[:, k]) & (np.isnan(pairs).sum(1) == 2)
        shares[alone] = np.nan
        shares[np.ix_(alone, list(pair))] = 0.5
    shares[np.isnan(pairs).all(1)] = np.nan
    return shares


@dataclass(frozen=True)
class Conflict:
    """A Model over the Tracks that a Record already bears: it adds one Track in the space `conflict` a person."""

    card: Card
    limits: Limits
    translate: Translate = field(default=only_there)
    """Brings Tracks into ekman-7; as it is, only those that are there already count."""
    options: ConflictOptions = field(default_factory=ConflictOptions)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each person of whom at least two channels speak in the same step."""
        return [self._of(record) for record in records]

    def _of(self, record: Record) -> tuple[Track, ...]:
        until = end_of(record.tracks) if self.options.until is None else self.options.until
        found = []
        for subject in dict.fromkeys(track.subject for track in record.tracks):
            own = [track for track in record.tracks if track.subject == subject]
            track = self.between(gridded(own, self.translate, self.options.step, until), subject)
            if track is not None:
                found.append(track)
        return tuple(found)

    def between(self, seen: Seen, subject: str = "someone") -> Track | None:
        """Return the conflict of a person's channels on their grid; None where two never speak at once."""
        shares = np.full((len(seen.logs), len(CHANNELS), seen.logs.shape[2]), np.nan)
        sure = np.full(shares.shape[:2], np.nan)
        for k, channel in enumerate(CHANNELS):
            if channel in seen.channels:
                at = seen.channels.index(channel)
                there = seen.said[:, at] & (seen.share[:, at] >= self.options.least - 1e-6)
                raised = np.where(there[:, None], np.exp(seen.logs[:, at].astype(np.float64)), np.nan)
                shares[:, k] = raised / raised.sum(1, keepdims=True)
                sure[:, k] = seen.confidence[:, at]
        log_odds, pairs = odds(shares, sure, self.limits)
        if np.isnan(log_odds).all():
            return None
        chance = 1 / (1 + np.exp(-log_odds))
        parts = brought(pairs)
        space: Space = catalog.load("conflict")
        columns = {"conflict": chance} | {name: parts[:, k] for k, name in enumerate(CHANNELS)}
        return Track(
            space,
            seen.start,
            seen.end,
            np.stack([columns[name] for name in space.names], 1),
            subject=subject,
            channel="fused",
            source=str(self.card),
            confidence=np.maximum(chance, 1 - chance),
            note=self._notes(chance, shares, pairs),
        )

    def _notes(self, chance: Floats, shares: Array, pairs: Floats) -> tuple[str, ...]:
        """Return for each step what contradicts what, where it is marked; else nothing, or that nothing was said."""
        notes = []
        for row, value in enumerate(chance):
            if np.isnan(value):
                notes.append(SILENT)
                continue
            there = [k for k in range(len(CHANNELS)) if not np.isnan(shares[row, k, 0])]
            if value < self.limits.marks[_key(there)]:
                notes.append("")
                continue
            told = _told(shares[row], PAIRS[int(np.nanargmax(pairs[row]))])
            notes.append(", ".join(f"{word} {told[name]}" for name, word in WORDS.items() if name in told))
        return tuple(notes)


def marked(track: Track) -> Bools:
    """Return which rows of a Track of conflicts are marked: those whose note says what contradicts what."""
    return np.array(track.noted, bool)


def episodes(track: Track, gap: float = 0.0, shortest: float = 0.0) -> list[Episode]:
    """Return the marked stretches of a Track of conflicts, one after the other.

    Args:
        track: of the space `conflict`, of one person.
        gap: seconds without a mark that do not end an episode.
        shortest: seconds; what is shorter is left out. A mark is a false alarm in one of twenty steps of a person who
            shows one feeling in all channels, so that one alone says little.
    """
    found: list[Episode] = []
    for row in np.flatnonzero(marked(track)):
        now = _episode(track, int(row))
        last = found[-1] if found else None
        if last and _alike(last, now) and now.start - last.end <= gap + 1e-6:
            found[-1] = replace(max(last, now, key=lambda one: one.conflict), start=last.start, end=now.end)
        else:
            found.append(now)
    return [one for one in found if one.end - one.start >= shortest - 1e-6]


def load(card: Card) -> Conflict:
    """Return the model with the numbers of its card.

    Raises:
        CatalogError: the card lacks them.
    """
    return Conflict(card, limits_of(card))


def limits_of(card: Card, alarm: str = ALARM) -> Limits:
    """Return the numbers of a card, with the limits of one rate of false alarms.

    Raises:
        CatalogError: the card lacks them, or has no such rate.
    """
    try:
        weights = {key: np.array(row, np.float64) for key, row in card.facts["pairs"].items()}
        slope, constant = map(float, card.facts["three"])
        marks = {key: float(value) for key, value in card.facts["marks"][alarm].items()}
        if {*weights, _key((0, 1, 2))} != {*marks} or {len(row) for row in weights.values()} != {len(STATISTICS) + 1}:
            raise KeyError("pairs")
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"the card {card.id} lacks numbers of its conflicts at alarm {alarm}: {error}") from None
    return Limits(weights, (slope, constant), marks)


def _key(channels: Sequence[int]) -> str:
    return "+".join(CHANNELS[k] for k in sorted(channels))


def _alike(one: Episode, other: Episode) -> bool:
    """Tell whether the same channel stands alone, or the same two contradict each other."""
    return one.channels == other.channels or (one.deviates != "" and one.deviates == other.deviates)


def _episode(track: Track, row: int) -> Episode:
    """Return one marked row as an episode: the channel that brings least is not part of the contradiction."""
    shares = {name: float(track.column(name)[row]) for name in CHANNELS}
    there = sorted((name for name in CHANNELS if not np.isnan(shares[name])), key=lambda name: -shares[name])
    return Episode(
        float(track.start[row]),
        float(track.end[row]),
        tuple(sorted(there[:2])),
        there[0] if len(there) == len(CHANNELS) else "",
        float(track.column("conflict")[row]),
        (track.note or ())[row],
    )


def _sides() -> tuple[list[int], list[int]]:
    """Return the columns of ekman-7 that are pleasant, and those that are not."""
    axes = catalog.load(LABELS).axes
    good, bad = ([k for k, axis in enumerate(axes) if axis.polarity == side] for side in (1, -1))
    return good, bad


def _told(shares: Floats, pair: tuple[int, int]) -> dict[str, str]:
    """Return what the two channels of a pair show: the label on the side that contradicts, after a likelier other."""
    names, sides = catalog.load(LABELS).names, _sides()
    up, down = (shares[:, side].sum(1) for side in sides)
    first, second = pair
    turned = up[first] * down[second] < down[first] * up[second]
    found = {}
    for k, side in zip(pair, reversed(sides) if turned else sides, strict=True):
        own = max(side, key=lambda column: float(shares[k, column]))
        top = int(shares[k].argmax())
        found[CHANNELS[k]] = names[own] if top == own else f"{names[top]} or {names[own]}"
    return found


def _divergence(p: Floats, q: Floats) -> Floats:
    """Return the Jensen-Shannon divergence of rows, in bits (Lin 1991)."""
    middle = (p + q) / 2
    halves = [x * np.log2(np.maximum(x, 1e-12) / np.maximum(middle, 1e-12)) for x in (p, q)]
    return np.asarray(np.maximum(0.0, (halves[0] + halves[1]).sum(1) / 2))
