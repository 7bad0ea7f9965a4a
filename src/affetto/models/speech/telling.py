"""Which of several voices each clip belongs to, by numbers in which a voice resembles itself. Nobody is recognised.

A voice is a point about which its clips lie, and longer clips lie nearer; the points lie about the origin (the
two-covariance model of Bruemmer and de Villiers 2010, all directions alike). Groups of clips are joined two and two,
the pair first that the model favours most, as long as it favours one voice over two. So the number of voices follows.
Knows embeddings and seconds; knows no sound and no network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
_USUAL = 2.0
"""Seconds of the clips that `alike` is about."""
_ROUNDS = 5
"""How often clips may move to another voice at the end, at most."""


@dataclass(frozen=True)
class Telling:
    """How voices are told apart.

    Raises:
        MalformedError: a number is out of range.
    """

    alike: float = 0.35
    """Mean cosine of two clips of one voice, of 2 s each; that of two voices is taken to be 0."""
    trust: float = 1.0
    """How much the numbers count: less where they go along with each other. The higher, the more voices are found."""
    longest: float = 3.0
    """Seconds of a clip that count, at most."""
    speakers: int = 0
    """How many voices there are, where that is known; 0: it is not."""
    most: int = 1500
    """Clips that are compared all with all, the longest; the others join the likeliest voice."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not (0 < self.alike < 1 and self.trust > 0 and self.longest > 0):
            raise MalformedError(
                "telling voices apart wants alike between 0 and 1, and trust and longest above 0, not "
                f"{self.alike}, {self.trust} and {self.longest}"
            )
        if self.speakers < 0 or self.most < 2:
            raise MalformedError(f"it wants 0 or more speakers, and most from 2, not {self.speakers} and {self.most}")


def told_apart(embeddings: Floats, seconds: Sequence[float] | Floats, options: Telling | None = None) -> list[int]:
    """Return the number of the voice of each clip; voices are numbered from 0 in the order of their first clips.

    Args:
        embeddings: n x d, in order of time; a row of NaN goes with the row before it.
        seconds: n, how long each clip is.
        options: how.

    Raises:
        MalformedError: they are not as many.

    >>> told_apart(np.eye(8)[[0, 1, 0, 1]], [3, 3, 3, 3], Telling(alike=0.6))
    [0, 1, 0, 1]
    """
    return told(embeddings, seconds, options)[0]


def told(
    embeddings: Floats, seconds: Sequence[float] | Floats, options: Telling | None = None
) -> tuple[list[int], list[float]]:
    """Return the number of the voice of each clip, as `told_apart`, and how probable it is among those found."""
    options = options or Telling()
    x, long = np.asarray(embeddings, np.float64), np.asarray(seconds, np.float64)
    if x.ndim != 2 or long.shape != x.shape[:1]:
        raise MalformedError(f"n x d embeddings want n seconds, not shapes {x.shape} and {long.shape}")
    known = np.flatnonzero(np.isfinite(x).all(1))
    found, sure = np.full(len(x), -1), np.ones(len(x))
    if not len(known):
        return [0] * len(x), [1.0] * len(x)
    model = _Model(x[known], long[known], options)
    found[known], sure[known] = model.voices()
    before = np.maximum(np.searchsorted(known, np.arange(len(x)), "right") - 1, 0)
    names: dict[int, int] = {}
    voices = [names.setdefault(int(one), len(names)) for one in found[known[before]]]
    return voices, [float(one) for one in sure[known[before]]]


class _Model:
    """The clips of one recording, and what the model says of groups of them."""

    def __init__(self, x: Floats, seconds: Floats, options: Telling) -> None:
        self.options = options
        self.x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
        self.weight = np.clip(seconds, 1e-3, options.longest) / _USUAL
        self.ratio = options.alike / (1 - options.alike)  # of the variance between voices to that within one
        self.precision = options.trust * x.shape[1] * (1 + self.ratio)

    def voices(self) -> tuple[Ints, Floats]:
        """Return the voice of each clip, and how probable it is."""
        core = np.sort(np.argsort(-self.weight, kind="stable")[: self.options.most])
        found = self._grown(core)
        sure = self._likeness(core, found)
        for _ in range(_ROUNDS):
            before, found = found, self._settled(sure)
            sure = self._likeness(np.arange(len(self.x)), found)
            if len(before) == len(found) and (before == found).all():
                break
        return found, sure[np.arange(len(found)), found]

    def _settled(self, sure: Floats) -> Ints:
        """Return the likeliest voice of each clip, numbered without gaps; where their number is known, none is lost."""
        found = sure.argmax(1)
        if self.options.speakers:
            for k in range(sure.shape[1]):
                if not (found == k).any() and sure.shape[1] <= len(found):
                    found[int(sure[:, k].argmax())] = k
        return _dense(found)

    def _log(self, weight: Floats, square: Floats) -> Floats:
        """Return the logarithm of how probable groups are as one voice each, less what does not depend on grouping.

        Args:
            weight: of all clips of each.
            square: of the length of their weighed sum.
        """
        odd = 1 + weight * self.ratio
        return np.asarray(-self.x.shape[1] / 2 * np.log(odd) + self.precision * self.ratio / (2 * odd) * square)

    def _grown(self, core: Ints) -> Ints:
        """Return groups of some of the clips."""
        weight = self.weight[core].copy()
        sums = self.x[core] * weight[:, None]
        gram = sums @ sums.T
        own = self._log(weight, np.diag(gram))
        gain = (
            self._log(weight[:, None] + weight, np.diag(gram)[:, None] + np.diag(gram) + 2 * gram) - own[:, None] - own
        )
        np.fill_diagonal(gain, -np.inf)
        group, left = np.arange(len(core)), len(core)
        nearest, best = gain.argmax(1), gain.max(1)
        while left > max(1, self.options.speakers):
            i = int(best.argmax())
            if not self.options.speakers and best[i] < 0:
                break
            i, j = sorted((i, int(nearest[i])))
            gram[i] += gram[j]
            gram[:, i] += gram[:, j]
            weight[i] += weight[j]
            group[group == j] = i
            left -= 1
            own[i] = self._log(weight[i], gram[i, i])
            gone = np.isneginf(gain[i])
            both = self._log(weight[i] + weight, gram[i, i] + np.diag(gram) + 2 * gram[i]) - own[i] - own
            both[gone] = -np.inf
            gain[i] = gain[:, i] = both
            gain[j] = gain[:, j] = gain[i, j] = gain[j, i] = -np.inf
            stale = np.flatnonzero((nearest == i) | (nearest == j) | (both > best))
            stale = np.union1d(stale, [i, j])
            nearest[stale], best[stale] = gain[stale].argmax(1), gain[stale].max(1)
        return _dense(group)

    def _likeness(self, clips: Ints, voices: Ints) -> Floats:
        """Return how probable each voice is for each clip, n x k, given which clips are whose."""
        count = int(voices.max()) + 1
        sums, weight = np.zeros((count, self.x.shape[1])), np.bincount(voices, self.weight[clips], minlength=count)
        np.add.at(sums, voices, self.x[clips] * self.weight[clips][:, None])
        middles = sums / (1 / self.ratio + weight)[:, None]
        odds = self.precision * self.weight[:, None] * (self.x @ middles.T - (middles**2).sum(1) / 2)
        raised = np.exp(odds - odds.max(1, keepdims=True))
        return np.asarray(raised / raised.sum(1, keepdims=True))


def _dense(groups: Ints) -> Ints:
    return np.asarray(np.unique(groups, return_inverse=True)[1].reshape(-1), np.int64)
