"""Late fusion: a logarithmic opinion pool of channels, each weighed by how reliable it was found and how sure it is.

Of what the channels say at a step, with x_c = log p_c - log prior_c and w_c = reliability_c * confidence_c ** power *
there_c, taken relative to the largest, so that the strongest channel has w = 1 and W is their sum:

    log p = (sum_c w_c x_c + sum_c w_c log prior_c / W) / W ** dependence + constant

One channel alone passes through unchanged; one that covers less than a quarter of the step (there_c) counts for less.
The pool is that of Genest and Zidek 1986; dependence, 0 for channels that err apart and 1 for channels that err as one,
keeps it from growing surer than it should. Its numbers are in the card, written by `recipes/fusion_late.py`. Knows the
grid; knows no modality.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from affetto.core.card import Card
from affetto.core.errors import CatalogError
from affetto.models.fusion.grid import Doubles, Floats, Seen

OTHER = "other"
"""The entry of the card for channels that it does not name."""
ENOUGH = 0.25
"""Share of a step from which on a channel counts in full."""
_EDGE = 1e-4


@dataclass(frozen=True, eq=False)
class Pooled:
    """What all channels together say, step by step."""

    labels: Floats
    """n x 7: probabilities in ekman-7, or NaN."""
    va: Floats
    """n x 2: -1..1, or NaN."""
    confidence: Floats
    """n: probability that the top label is right, or NaN."""


@dataclass(frozen=True, eq=False)
class Voice:
    """What is known of a channel."""

    reliability: float
    """Weight of its log-odds, beside those of the others."""
    prior: Doubles
    """7: what its answers are like on the average."""
    spread: Doubles
    """2: mean square of the errors of its valence and arousal."""
    trust: tuple[float, float]
    """Constant and slope from the log-odds of the top label to those that it is right."""


@dataclass(frozen=True, eq=False)
class Reliabilities:
    """The numbers of the card."""

    channels: Mapping[str, Voice]
    power: float
    """How much a confidence counts."""
    dependence: float
    """0..1."""
    company: float
    """What the weight of all channels with the same top label, beyond 1, adds to the log-odds that it is right."""
    quarrel: float
    """What the weight of the channels with other top labels takes from them."""
    own: float
    """Slope from the log-odds of the channels' own confidence to those that the top label is right."""

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> "Reliabilities":
        """Return the numbers as a card holds them.

        Raises:
            CatalogError: something is missing.
        """
        try:
            channels = {name: _voice(part) for name, part in plain["channels"].items()}
            numbers = (float(plain[name]) for name in ("power", "dependence", "company", "quarrel", "own"))
            found = Reliabilities(channels, *numbers)
            found.channels[OTHER]
        except (KeyError, TypeError, ValueError) as error:
            raise CatalogError(f"the card of late fusion lacks numbers: {error}") from None
        return found

    def voice(self, channel: str) -> Voice:
        """Return what is known of a channel, or of channels nobody measured."""
        return self.channels.get(channel, self.channels[OTHER])


@dataclass(frozen=True, eq=False)
class Parts:
    """How much each channel counts."""

    voices: list[Voice]
    """c."""
    weights: Doubles
    """n x c: relative to the strongest of the step; 0 where it says nothing."""
    sure: Doubles
    """n x c: the channel's own confidence, or else the probability of its top label; 0..1 without the ends."""
    total: Doubles
    """n: the sum of the weights; 1 where nobody says anything."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What tells how sure one may be of a step."""

    shares: Doubles
    """n x c: of the channels with the same top label as all together, or of all where no channel has it."""
    lift: Doubles
    """n: log-odds of the top label."""
    own: Doubles
    """n: mean log-odds of these channels' confidence."""
    company: Doubles
    """n: their weight beyond 1."""
    quarrel: Doubles
    """n: the weight of the others."""


@dataclass(frozen=True)
class Late:
    """Pools what is seen."""

    card: Card
    reliabilities: Reliabilities

    def __call__(self, seen: Seen) -> Pooled:
        """Return what all channels of a person say together."""
        n = len(seen.logs)
        if not seen.channels:
            return Pooled(*(np.full(shape, np.nan, np.float32) for shape in ((n, 7), (n, 2), (n,))))
        parts = self.weighed(seen)
        voices, weights, total = parts.voices, parts.weights, parts.total
        logs = np.where(seen.said[:, :, None], seen.logs, 0).astype(np.float64)
        priors = np.log(np.stack([v.prior for v in voices]))
        pooled = np.einsum("nc,ncj->nj", weights, logs) - (1 - 1 / total[:, None]) * (weights @ priors)
        labels = _softmax(pooled / total[:, None] ** self.reliabilities.dependence)
        right = self._right(labels, seen, parts)
        silent = ~seen.said.any(1)
        labels[silent], right[silent] = np.nan, np.nan
        return Pooled(labels.astype(np.float32), _middle(seen, voices), right.astype(np.float32))

    def weighed(self, seen: Seen) -> Parts:
        """Return how much each channel counts in each step."""
        voices = [self.reliabilities.voice(channel) for channel in seen.channels]
        top = np.exp(np.where(seen.said[:, :, None], seen.logs, 0).max(2)).astype(np.float64)
        sure = np.where(np.isnan(seen.confidence), top, seen.confidence).clip(_EDGE, 1 - _EDGE)
        there = np.minimum(seen.share / ENOUGH, 1) * seen.said
        size = np.array([v.reliability for v in voices]) * sure**self.reliabilities.power * there
        weights = _relative(size)
        return Parts(voices, weights, sure, np.maximum(weights.sum(1), 1))

    def _right(self, labels: Doubles, seen: Seen, parts: Parts) -> Doubles:
        """Return the probability that the top label of each step is right."""
        table, facts = self.reliabilities, self.facts(labels, seen, parts)
        constant, slope = (facts.shares @ np.array([v.trust[k] for v in parts.voices]) for k in (0, 1))
        odds = constant + slope * facts.lift + table.own * facts.own
        odds += table.company * facts.company - table.quarrel * facts.quarrel
        return np.asarray(1 / (1 + np.exp(-odds)), np.float64)

    @staticmethod
    def facts(labels: Doubles, seen: Seen, parts: Parts) -> Facts:
        """Return what tells how sure one may be of what was pooled, n x 7."""
        same = seen.said & (np.nan_to_num(seen.logs, nan=-np.inf).argmax(2) == labels.argmax(1)[:, None])
        with_it = parts.weights * same
        asked = np.where(with_it.any(1, keepdims=True), with_it, parts.weights)
        shares = np.divide(asked, asked.sum(1, keepdims=True), out=np.zeros_like(asked), where=asked > 0)
        company = np.maximum(with_it.sum(1) - 1, 0)
        quarrel = (parts.weights * ~same).sum(1)
        return Facts(shares, _log_odds(labels.max(1)), (shares * _log_odds(parts.sure)).sum(1), company, quarrel)


def load(card: Card) -> Late:
    """Return late fusion with the numbers of its card."""
    return Late(card, Reliabilities.from_plain(card.facts.get("pool", {})))


def _voice(plain: Mapping[str, Any]) -> Voice:
    prior, spread = np.array(plain["prior"], np.float64), np.array(plain["spread"], np.float64)
    constant, slope = plain["trust"]
    return Voice(float(plain["reliability"]), prior / prior.sum(), spread, (float(constant), float(slope)))


def _relative(weights: Doubles) -> Doubles:
    """Return weights (n x c) relative to the largest of their row."""
    most = weights.max(1, keepdims=True)
    return np.asarray(np.divide(weights, most, out=np.zeros_like(weights), where=most > 0), np.float64)


def _softmax(x: Doubles) -> Doubles:
    raised = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True), np.float64)


def _log_odds(p: Doubles) -> Doubles:
    p = p.clip(_EDGE, 1 - _EDGE)
    return np.asarray(np.log(p / (1 - p)), np.float64)


def _middle(seen: Seen, voices: list[Voice]) -> Floats:
    """Return the mean of valence and arousal, each channel weighed by its precision and by how much is there."""
    precision = 1 / np.stack([v.spread for v in voices])
    weights = np.where(np.isnan(seen.va), 0, precision * np.minimum(seen.share / ENOUGH, 1)[:, :, None])
    total = weights.sum(1)
    sums = (weights * np.nan_to_num(seen.va)).sum(1)
    return np.asarray(np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0), np.float32)
