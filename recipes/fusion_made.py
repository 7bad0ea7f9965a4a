"""Made talks for what joins channels: real faces, voices and words put side by side that share a label, step by step.

Each sequence is one person for some steps of a second. Its label stays for a while, then changes; the person talks and
is silent in turns; a voice item lasts a stretch of speech, a text item a turn, a face item about two seconds; a voice
comes from one speaker. Channels are missing, now and then or throughout; some stretches show another label than they
should (a conflict, or simply a wrong label). What the models said of each item is theirs; only the joining is made,
so numbers on these sequences say how well channels are joined, and not how well real talks are read.

Knows the file of `recipes.fusion_items`; knows no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from affetto.models.fusion.grid import LEAST, Seen

CHANNELS = ("face", "text", "voice")
"""In the order of the arrays, which is that of a grid."""
Items = Mapping[str, npt.NDArray]


@dataclass(frozen=True)
class Making:
    """How sequences are made."""

    steps: int = 24
    """Of a second."""
    prior: Mapping[str, float] = field(
        default_factory=lambda: {
            "neutral": 0.36, "joy": 0.22, "anger": 0.12, "sadness": 0.11, "surprise": 0.1, "fear": 0.05,
            "disgust": 0.04,
        }
    )  # fmt: skip
    """Shares of the labels: talk is mostly neutral; between those of MELD and of FER+."""
    stay: float = 0.85
    """Chance that the next step has the same label."""
    talk: tuple[float, float] = (0.8, 0.7)
    """Chances that speech goes on, and that silence does."""
    absent: Mapping[str, float] = field(default_factory=lambda: {"face": 0.2, "text": 0.25, "voice": 0.1})
    """Chance that a channel is missing throughout; one is always left."""
    gap: float = 0.1
    """Chance that an item that is due is missing."""
    wrong: float = 0.1
    """Chance that an item shows another label, drawn by the prior."""
    lengths: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"face": (1, 3), "text": (2, 5), "voice": (1, 4)}
    )
    """Steps of an item, at least and at most."""


@dataclass(frozen=True, eq=False)
class Made:
    """Sequences, as a grid shows them, with their truth."""

    logs: npt.NDArray[np.float32]
    """n x t x 3 x 7."""
    va: npt.NDArray[np.float32]
    """n x t x 3 x 2."""
    confidence: npt.NDArray[np.float32]
    """n x t x 3."""
    share: npt.NDArray[np.float32]
    """n x t x 3, 0 where a channel says nothing."""
    truth: npt.NDArray[np.int64]
    """n x t."""
    shown: npt.NDArray[np.int64]
    """n x t x 3: the label of the item that each channel shows, or -1."""

    @property
    def said(self) -> npt.NDArray[np.bool_]:
        """Where a channel says anything, n x t x 3."""
        return self.share > 0

    def only(self, channels: tuple[str, ...]) -> "Made":
        """Return it with the other channels silent."""
        off = [k for k, name in enumerate(CHANNELS) if name not in channels]
        logs, va, confidence, share = (x.copy() for x in (self.logs, self.va, self.confidence, self.share))
        logs[:, :, off], va[:, :, off], confidence[:, :, off], share[:, :, off] = np.nan, np.nan, np.nan, 0
        return Made(logs, va, confidence, share, self.truth, self.shown)

    def seen(self, k: int) -> Seen:
        """Return one sequence as a grid."""
        steps = float(self.truth.shape[1])
        return Seen(1.0, steps, CHANNELS, self.logs[k], self.va[k], self.confidence[k], self.share[k])


def made(items: Items, split: str, count: int, seed: int, making: Making | None = None) -> Made:
    """Make sequences of the items of a split; the same seed gives the same."""
    how, rng = making or Making(), np.random.default_rng(seed)
    names = [str(name) for name in items["names"]]
    prior = np.array([how.prior[name] for name in names])
    prior /= prior.sum()
    pools = {channel: _pool(items, channel, split) for channel in CHANNELS}
    pick = np.full((count, how.steps, len(CHANNELS)), -1)
    truth = np.zeros((count, how.steps), np.int64)
    for n in range(count):
        truth[n] = _path(prior, how, rng)
        talking = _talking(how, rng)
        there = rng.random(len(CHANNELS)) >= [how.absent[channel] for channel in CHANNELS]
        there[rng.integers(len(CHANNELS))] = True
        for c, channel in enumerate(CHANNELS):
            if there[c]:
                where = np.ones(how.steps, bool) if channel == "face" else talking
                pick[n, :, c] = _picked(pools[channel], truth[n], where, how.lengths[channel], prior, how, rng)
    return _gathered(items, pick, truth, rng)


@dataclass(frozen=True)
class _Pool:
    """Where the items of a channel are, by who says them and by label."""

    by_label: list[npt.NDArray[np.int64]]
    by_speaker: list[list[npt.NDArray[np.int64]]]
    """Only of voices."""


def _pool(items: Items, channel: str, split: str) -> _Pool:
    rows = np.flatnonzero(items[f"{channel}_split"] == split)
    labels, corpora, groups = (items[f"{channel}_{name}"] for name in ("label", "corpus", "group"))
    k = len(items["names"])
    by_speaker = []
    if channel == "voice":
        for speaker in np.unique(groups[rows]):
            own = rows[groups[rows] == speaker]
            by_speaker.append([own[labels[own] == label] for label in range(k)])
    if channel == "text":  # as many posts as turns, whatever there are more of
        rng, counts = np.random.default_rng(0), [np.sum(corpora[rows] == name) for name in np.unique(corpora[rows])]
        kept = [
            rng.choice(rows[corpora[rows] == name], min(counts), replace=False) for name in np.unique(corpora[rows])
        ]
        rows = np.sort(np.concatenate(kept))
    return _Pool([rows[labels[rows] == label] for label in range(k)], by_speaker)


def _path(prior: npt.NDArray[np.float64], how: Making, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return a label for each step."""
    drawn = rng.choice(len(prior), how.steps, p=prior)
    for t in range(1, how.steps):
        if rng.random() < how.stay:
            drawn[t] = drawn[t - 1]
    return drawn


def _talking(how: Making, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return whether the person talks in each step."""
    out = np.zeros(how.steps, bool)
    out[0] = rng.random() < 0.5
    for t in range(1, how.steps):
        out[t] = out[t - 1] == (rng.random() < how.talk[0 if out[t - 1] else 1])
    return out


def _picked(
    pool: _Pool, truth: npt.NDArray[np.int64], where: npt.NDArray[np.bool_], lengths: tuple[int, int],
    prior: npt.NDArray[np.float64], how: Making, rng: np.random.Generator,
) -> npt.NDArray[np.int64]:  # fmt: skip
    """Return the row of the item of each step, or -1: an item goes on until its time is up or silence comes."""
    out = np.full(len(truth), -1)
    own = pool.by_speaker[rng.integers(len(pool.by_speaker))] if pool.by_speaker else pool.by_label
    t = 0
    while t < len(truth):
        if not where[t]:
            t += 1
            continue
        until = t + int(rng.integers(lengths[0], lengths[1] + 1))
        label = truth[t] if rng.random() >= how.wrong else rng.choice(len(prior), p=prior)
        rows = own[label] if len(own[label]) else pool.by_label[label]
        item = rng.choice(rows) if rng.random() >= how.gap else -1
        while t < min(until, len(truth)) and where[t]:
            out[t] = item
            t += 1
    return out


def _gathered(
    items: Items, pick: npt.NDArray[np.int64], truth: npt.NDArray[np.int64], rng: np.random.Generator
) -> Made:
    """Return what was said of the items that were picked."""
    shape = pick.shape
    logs, va = np.full((*shape, 7), np.nan, np.float32), np.full((*shape, 2), np.nan, np.float32)
    confidence, share = np.full(shape, np.nan, np.float32), np.zeros(shape, np.float32)
    shown = np.full(shape, -1)
    for c, channel in enumerate(CHANNELS):
        rows, there = pick[:, :, c], pick[:, :, c] >= 0
        logs[there, c] = np.log(np.clip(items[f"{channel}_ekman7"][rows[there]], LEAST, 1))
        va[there, c] = items[f"{channel}_va"][rows[there]]
        confidence[there, c] = items[f"{channel}_confidence"][rows[there]]
        shown[there, c] = items[f"{channel}_label"][rows[there]]
        share[there, c] = 1 if channel == "face" else rng.uniform(0.3, 1, there.sum())
    return Made(logs, va, confidence, share, truth, shown)
