"""Which of several voices a clip is: numbers in which a voice resembles itself and no other, and where voices change.

The numbers come from what a voice encoder remembers (`remembering`): its mean over a clip, turned and stretched so that
what differs within a voice, such as emotion, counts little (linear discriminant analysis; `recipes/speech_speaker.py`).
They tell voices of one recording apart, are kept nowhere, and are compared with nobody else's. Knows clips; knows no
file of sound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.space import Axis, Space
from affetto.models.speech.remembering import VoiceEncoder
from affetto.models.speech.telling import Telling, told_apart
from affetto.models.weights import weights

__all__ = ["Embedder", "Turning", "VoiceEmbedder", "changes", "embed", "embedder", "space_of", "told_apart"]

Floats = npt.NDArray[np.float32]
EMBEDDING = "voice-embedding"
"""The id of the space of the numbers."""


@dataclass(frozen=True)
class Turning:
    """When one voice is taken to end within a stretch, and another to begin.

    The numbers that stand here were chosen on talks of speakers that `speech.speaker` learned from.
    """

    width: float = 1.5
    """Seconds before and after a moment that are compared, at most."""
    least: float = 0.6
    """Seconds of the shorter side, at least."""
    unlike: float = 9.0
    """What 1 - cosine of both sides counts, in log-odds of a change."""
    short: float = -1.0
    """What 1 / seconds of the shorter side counts."""
    pause: float = 2.0
    """What the lack of voice at the moment counts, 0..1."""
    bias: float = -5.0
    """What is added."""


class Embedder(Protocol):
    """Anything that tells what a voice is like in numbers. What it says of pieces of a clip adds up."""

    @property
    def card(self) -> Card:
        """Its card."""
        ...

    @property
    def step(self) -> float:
        """Seconds from row to row."""
        ...

    @property
    def telling(self) -> Telling:
        """How its voices are told apart."""
        ...

    @property
    def turning(self) -> Turning:
        """How its changes of voice are found."""
        ...

    def rows(self, clips: Sequence[Floats]) -> list[Floats]:
        """Return what is heard in each clip at 16 kHz, t x f, a row a step, at least one."""
        ...

    def embedded(self, sums: npt.NDArray[np.floating]) -> Floats:
        """Return the numbers, n x d of length 1, of sums of rows, n x f."""
        ...


@dataclass(frozen=True)
class VoiceEmbedder:
    """The Embedder that ships."""

    card: Card
    encoder: Callable[[Sequence[Floats]], list[Floats]]
    """Clips to what is remembered of each, t x d, a row every 40 ms."""
    telling: Telling
    turning: Turning
    step: float = 0.04

    def rows(self, clips: Sequence[Floats]) -> list[Floats]:
        """Return what is remembered of each clip, t x d, a row every 40 ms; it is their sum that counts."""
        return self.encoder(clips)

    def embedded(self, sums: npt.NDArray[np.floating]) -> Floats:
        """Return the numbers of sums of rows."""
        found = np.asarray(sums, np.float64)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)


def embedder(card: Card) -> VoiceEmbedder:
    """Load the Embedder of a card.

    Args:
        card: of `speech.speaker`.

    Raises:
        UnreadableError: its weights are none.
    """
    encoder = VoiceEncoder(weights(card))
    return VoiceEmbedder(card, encoder, Telling(**encoder.facts["telling"]), Turning(**encoder.facts["turning"]))


def embed(embedder: Embedder, clips: Sequence[Floats]) -> Floats:
    """Return the numbers of whole clips at 16 kHz, n x d."""
    sums = [rows.sum(0) for rows in embedder.rows(clips)]
    return embedder.embedded(np.stack(sums)) if sums else np.zeros((0, 0), np.float32)


def space_of(numbers: int) -> Space:
    """Return the space of so many numbers of a voice; they mean nothing one by one."""
    return Space(EMBEDDING, "vector", tuple(Axis(f"v{k}") for k in range(1, numbers + 1)))


def changes(embedder: Embedder, rows: Floats, pauses: Floats) -> list[int]:
    """Return the rows before which another voice begins, in order.

    The likeliest change is taken first, then those of the parts before and after it, as long as one is likely.

    Args:
        embedder: whose rows these are.
        rows: t x f, of one stretch of voice.
        pauses: t, how surely nobody is heard at each row, 0..1.
    """
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, np.float64)])
    found: list[int] = []
    waiting = [(0, len(rows))]
    while waiting:
        start, end = waiting.pop()
        at, odds = _likeliest(embedder, sums, pauses, start, end)
        if odds > 0:
            found.append(at)
            waiting += [(start, at), (at, end)]
    return sorted(found)


def odds_of(
    embedder: Embedder, sums: npt.NDArray[np.float64], pauses: Floats, start: int, end: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return, for each moment between two rows at which a voice may change, its row and what speaks for it, n x 4.

    Those are 1 - cosine of both sides, 1 / seconds of the shorter side, the pause, and 1.
    """
    how, step = embedder.turning, embedder.step
    least, width = max(1, round(how.least / step)), max(1, round(how.width / step))
    at = np.arange(start + least, end - least + 1, dtype=np.int64)
    if not len(at):
        return at, np.zeros((0, 4))
    before, after = np.maximum(start, at - width), np.minimum(end, at + width)
    left, right = embedder.embedded(sums[at] - sums[before]), embedder.embedded(sums[after] - sums[at])
    shorter = np.minimum(at - before, after - at) * step
    still = np.maximum(pauses[at - 1], pauses[np.minimum(at, len(pauses) - 1)])
    return at, np.stack([1 - (left * right).sum(1), 1 / shorter, still, np.ones(len(at))], 1)


def _likeliest(
    embedder: Embedder, sums: npt.NDArray[np.float64], pauses: Floats, start: int, end: int
) -> tuple[int, float]:
    at, facts = odds_of(embedder, sums, pauses, start, end)
    if not len(at):
        return start, -np.inf
    how = embedder.turning
    odds = facts @ np.array([how.unlike, how.short, how.pause, how.bias])
    best = int(odds.argmax())
    return int(at[best]), float(odds[best])
