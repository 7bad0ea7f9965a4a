"""Attention fusion: a small network that looks at all channels of a person over some seconds before it says a step.

Its tokens are steps times channels; what a channel does not say is hidden from it, so any of them may be missing. It
looks at windows of `WIDTH` steps that overlap, and keeps the middle of each. Valence and arousal it does not learn:
they are those of late fusion. Made by `recipes/fusion_attention.py`. Knows the grid; knows no modality, and no channels
but face, text and voice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from affetto.core.card import Card
from affetto.core.catalog import find
from affetto.models.fusion import late
from affetto.models.fusion.grid import Floats, Seen
from affetto.models.fusion.late import Late, Pooled
from affetto.models.weights import opened, weights

CHANNELS = ("face", "text", "voice")
WIDTH, HOP = 24, 12
"""Steps of a window, and from one window to the next."""
FEATURES = 13
"""Of a channel in a step: see `features`."""
_AT_ONCE = 64
"""Windows that are asked about at a time."""
_EDGE = 1e-4


def features(logs: Floats, va: Floats, confidence: Floats, share: Floats) -> Floats:
    """Return what the network is shown of each channel in each step.

    Args:
        logs: ... x 7, log-probabilities; NaN where the channel says nothing.
        va: ... x 2, or NaN.
        confidence: ..., or NaN.
        share: ..., 0..1.

    Returns:
        ... x 13: log-probabilities without their mean, log-odds of the confidence (of the top label where it is
        unknown), valence and arousal, whether they are there, how much of the step is covered, and whether the channel
        says anything; all 0 where it does not.
    """
    said = np.isfinite(logs).all(-1, keepdims=True)
    plain = np.where(said, logs, 0)
    top = np.where(np.isnan(confidence), np.exp(plain.max(-1)), confidence).clip(_EDGE, 1 - _EDGE)
    known = np.isfinite(va).all(-1, keepdims=True)
    parts = (
        plain - plain.mean(-1, keepdims=True), np.log(top / (1 - top))[..., None], np.where(known, va, 0), known,
        share[..., None], said,
    )  # fmt: skip
    return np.asarray(np.concatenate(parts, -1) * said, np.float32)


@dataclass(frozen=True)
class Attention:
    """Asks the network."""

    card: Card
    session: Any
    temperature: float
    trust: tuple[float, float]
    """Constant and slope from the log-odds of the top label to those that it is right."""
    degrees: Late

    def __call__(self, seen: Seen) -> Pooled:
        """Return what all channels of a person say together, over time."""
        n = len(seen.logs)
        shown = np.zeros((n, len(CHANNELS), FEATURES), np.float32)
        for k, channel in enumerate(CHANNELS):
            if channel in seen.channels:
                at = seen.channels.index(channel)
                shown[:, k] = features(seen.logs[:, at], seen.va[:, at], seen.confidence[:, at], seen.share[:, at])
        there = shown[:, :, -1].any(1)
        labels, right = np.full((n, 7), np.nan, np.float32), np.full(n, np.nan, np.float32)
        if there.any():
            logits = self._logits(shown)[there] / self.temperature
            raised = np.exp(logits - logits.max(1, keepdims=True))
            labels[there] = raised / raised.sum(1, keepdims=True)
            top = labels[there].max(1).clip(_EDGE, 1 - _EDGE)
            right[there] = 1 / (1 + np.exp(-self.trust[0] - self.trust[1] * np.log(top / (1 - top))))
        return Pooled(labels, self.degrees(seen).va, right)

    def _logits(self, shown: Floats) -> Floats:
        """Return the logits of each step, n x 7, from windows that overlap; those without anything are not asked."""
        n, edge = len(shown), (WIDTH - HOP) // 2
        count = -(-n // HOP)
        padded = np.zeros((count * HOP + WIDTH - HOP, *shown.shape[1:]), np.float32)
        padded[edge : edge + n] = shown
        windows = np.stack([padded[k * HOP : k * HOP + WIDTH] for k in range(count)])
        out = np.zeros((count, HOP, 7), np.float32)
        asked = np.flatnonzero(windows[..., -1].any((1, 2)))
        for start in range(0, len(asked), _AT_ONCE):
            rows = asked[start : start + _AT_ONCE]
            out[rows] = self.session.run(["logits"], {"shown": windows[rows]})[0][:, edge : edge + HOP]
        return out.reshape(-1, 7)[:n]


def load(card: Card) -> Attention:
    """Return the network that a card names, and late fusion for valence and arousal."""
    session, facts = opened(weights(card), "fusion network", "affetto.calibration")
    constant, slope = facts["trust"]
    degrees = late.load(find("fusion.late", "model"))
    return Attention(card, session, float(facts["temperature"]), (float(constant), float(slope)), degrees)
