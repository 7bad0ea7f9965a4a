"""The network of `speech.affect` and `speech.bursts`, its lessons in batches, and how it is fitted.

Three layers of LSTM, 256 wide, begin as Resemblyzer's voice encoder (Wan et al. 2018, generalized end-to-end loss;
Apache-2.0), which has heard thousands of speakers: `pip install --no-deps resemblyzer==0.1.4` brings its weights. What
all three layers remember of 40 ms at a time is pooled by attention (mean and deviation; Okabe et al. 2018). All is
fitted together.
"""

import importlib.metadata
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from affetto.models.speech.affect import at_one_loudness
from affetto.models.speech.mel import VOICE_BANDS
from affetto.train.fit import Batch, FitOptions, fit
from recipes.speech_augment import AugmentOptions, changed
from recipes.speech_lessons import Lesson

log = logging.getLogger("speech")
Floats = npt.NDArray[np.float32]
WIDTH, POOLED, STEP = 256, 192, 4


class VoiceNetwork(nn.Module):
    """Mel powers to logits.

    Args:
        labels: how many logits.
        pretrained: begin as the voice encoder, not at random.
    """

    def __init__(self, labels: int, pretrained: bool = True) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.LSTM(VOICE_BANDS if k == 0 else WIDTH, WIDTH, batch_first=True) for k in range(3)
        )
        self.narrow, self.norm = nn.Linear(3 * WIDTH, POOLED), nn.LayerNorm(POOLED)
        self.attention = nn.Sequential(nn.Linear(POOLED, 64), nn.Tanh(), nn.Linear(64, POOLED))
        self.last, self.head = nn.LayerNorm(2 * POOLED), nn.Linear(2 * POOLED, labels)
        self.drop, self.drop_last = nn.Dropout(0.2), nn.Dropout(0.3)
        if pretrained:
            self._begin()

    def _begin(self) -> None:
        file = next(f for f in importlib.metadata.files("resemblyzer") or () if f.name == "pretrained.pt")
        weights = torch.load(file.locate(), map_location="cpu", weights_only=True)["model_state"]
        for k, layer in enumerate(self.layers):
            layer.load_state_dict({f"{name}_l0": weights[f"lstm.{name}_l{k}"] for name in
                                   ("weight_ih", "weight_hh", "bias_ih", "bias_hh")})  # fmt: skip

    def pooled(self, power: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Return what is known of each clip, n x 384, of mel powers n x t x 40 of which `frames` (n) count."""
        state, states = power, []
        for layer in self.layers:
            state, _ = layer(state)
            states.append(state)
        whole = torch.cat(states, -1)
        n, t, width = whole.shape
        whole = whole[:, : t // STEP * STEP].reshape(n, t // STEP, STEP, width).mean(2)
        heard = torch.relu(self.norm(self.narrow(self.drop(whole)))).float()
        there = torch.arange(t // STEP)[None] < torch.div(frames, STEP, rounding_mode="floor").clamp_min(1)[:, None]
        weight = self.attention(heard).float().masked_fill(~there[..., None], -1e9).softmax(1)
        mean = (weight * heard).sum(1)
        spread = ((weight * heard * heard).sum(1) - mean * mean).clamp_min(1e-5).sqrt()
        return self.last(torch.cat([mean, spread], 1))

    def both(self, power: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, n x labels, and what is known of each clip."""
        known = self.pooled(power, frames)
        return self.head(self.drop_last(known)), known

    def forward(self, power: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Return logits, n x labels."""
        return self.both(power, frames)[0]


@dataclass(frozen=True)
class Schooling:
    """How a network is taught."""

    epochs: int = 12
    rate: float = 2e-3
    layer_rate: float = 0.15
    """Of the voice encoder's layers, as a share of `rate`."""
    batch: int = 32
    longest: int = 192
    """Frames of a lesson, at most; of a longer clip some part."""
    smoothing: float = 0.1
    mixed: float = 0.25
    """Share of the batches whose clips are mixed two and two (mixup)."""
    share: dict[str, float] = field(default_factory=dict)
    """Corpus -> share of its clips in each epoch, drawn anew; all of the others."""
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    seed: int = 20


def taught(
    lessons: Sequence[Lesson], labels: Sequence[str], asked: Mapping[str, Sequence[str]], how: Schooling
) -> VoiceNetwork:
    """Return a network that has learned lessons.

    Args:
        lessons: clips.
        labels: of all corpora; the order of the logits.
        asked: corpus -> the labels that it asked for; the logits of others are neither rewarded nor punished there.
        how: see `Schooling`.
    """
    torch.manual_seed(how.seed)
    place = {label: k for k, label in enumerate(labels)}
    truth = np.array([place[lesson.label] for lesson in lessons])
    open = {c: torch.tensor([label in wanted for label in labels]) for c, wanted in asked.items()}
    others = [lesson.mel for lesson in lessons]
    shares = np.array([how.share.get(lesson.corpus, 1.0) for lesson in lessons])

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng((how.seed, epoch))
        order = rng.permutation(np.flatnonzero(rng.random(len(lessons)) < shares))
        for start in range(0, len(order) - how.batch // 2, how.batch):
            rows = order[start : start + how.batch]
            power, frames = batch_of(
                [changed(others[i].astype(np.float32), others, rng, how.augment) for i in rows], how.longest, rng
            )
            may = torch.stack([open[lessons[i].corpus] for i in rows])
            goal = smoothed(torch.from_numpy(truth[rows]), may, how.smoothing)
            if rng.random() < how.mixed:
                other = torch.from_numpy(rng.permutation(len(rows)))
                share = float(max(lot := rng.beta(0.4, 0.4), 1 - lot))
                power = share * power + (1 - share) * power[other]
                frames, may = torch.maximum(frames, frames[other]), may | may[other]
                goal = share * goal + (1 - share) * goal[other]
            yield {"power": power, "frames": frames, "goal": goal.float(), "may": may}

    def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
        logits = module(batch["power"], batch["frames"]).float().masked_fill(~batch["may"], -1e4)
        return -(batch["goal"] * logits.log_softmax(1)).sum(1).mean()

    steps = max(1, round(shares.sum() / how.batch))
    options = FitOptions(epochs=how.epochs, rate=how.rate, warmup=0.15, decay=0.05, layer_decay=how.layer_rate,
                         average=0.998, clip=2.0, half=True)  # fmt: skip
    net = fit(
        VoiceNetwork(len(labels)), batches, steps, loss, options, depth=lambda name: int(name.startswith("layers."))
    )
    assert isinstance(net, VoiceNetwork)
    return net


def smoothed(right: torch.Tensor, may: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Return goals, n x labels, of right labels by number (n), a share spread over the labels that may be."""
    goal = nn.functional.one_hot(right, may.shape[1]) * (1 - smoothing)
    return goal + smoothing * may / may.sum(1, keepdim=True)


class Speaks(Protocol):
    """Any network here: logits, and what it knows, of mel powers."""

    def both(self, power: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n x labels) and what is known (n x d)."""
        ...


@torch.no_grad()
def said(net: Speaks, lessons: Sequence[Lesson], longest: int = 600) -> tuple[Floats, Floats]:
    """Return logits (n x labels) and what is known (n x 384) of whole clips."""
    order = np.argsort([len(lesson.mel) for lesson in lessons])
    logits, known = [], []
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        clips = [at_one_loudness(np.exp(lessons[i].mel.astype(np.float32))) for i in rows]
        one, other = net.both(*batch_of(clips, longest))
        logits.append(one.numpy())
        known.append(other.numpy())
    back = np.argsort(order)
    return np.concatenate(logits)[back], np.concatenate(known)[back]


def batch_of(
    clips: Sequence[Floats], longest: int, rng: np.random.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return powers padded with silence, n x t x 40, and how many frames count; of long clips a part, or the middle."""
    parts = []
    for clip in clips:
        spare = max(0, len(clip) - longest)
        start = int(rng.integers(0, spare + 1)) if rng is not None else spare // 2
        parts.append(clip[start : start + longest])
    most = max(STEP, -(-max(map(len, parts)) // STEP) * STEP)
    power = np.zeros((len(parts), most, VOICE_BANDS), np.float32)
    for row, part in zip(power, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(power), torch.tensor([len(part) for part in parts])
