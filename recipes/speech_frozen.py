"""The second opinion: the voice encoder as it came, and a small network on what it remembers of a whole clip.

It learns in half a minute, from clips that were changed in six ways beforehand, and errs elsewhere than the network
whose encoder was fitted: the mean of both is better than either.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from affetto.models.speech.affect import at_one_loudness
from recipes.speech_augment import AugmentOptions, changed
from recipes.speech_lessons import Lesson
from recipes.speech_network import WIDTH, VoiceNetwork, batch_of, smoothed
from recipes.speech_publishing import Course

log = logging.getLogger("speech")
Floats = npt.NDArray[np.float32]
VERSIONS = 6
"""How often each clip is heard: as it is, and changed."""
EPOCHS, RATE, DECAY, HIDDEN, AT_ONCE = 50, 7e-4, 0.05, 512, 64
SMOOTHING, MIXED = 0.1, 0.4


class FrozenNetwork(nn.Module):
    """Mel powers to logits by the voice encoder as it came: mean and deviation of each layer, and its last state."""

    def __init__(self, labels: int, pretrained: bool = True) -> None:
        super().__init__()
        self.layers = VoiceNetwork(1, pretrained).layers
        size = 7 * WIDTH
        self.mean, self.spread = nn.Buffer(torch.zeros(size)), nn.Buffer(torch.ones(size))
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(size, HIDDEN), nn.ReLU(), nn.Dropout(0.5), nn.Linear(HIDDEN, labels)
        )

    def remembered(self, power: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Return what is remembered, n x 1792, of mel powers n x t x 40 of which `frames` (n) count."""
        state, found = power, []
        there = (torch.arange(power.shape[1])[None] < frames[:, None])[..., None].float()
        count = there.sum(1)
        for layer in self.layers:
            state, _ = layer(state)
            mean = (state * there).sum(1) / count
            spread = (((state - mean[:, None]) ** 2 * there).sum(1) / count).clamp_min(1e-8).sqrt()
            found += [mean, spread]
        last = (torch.arange(power.shape[1])[None] == frames[:, None] - 1)[..., None].float()
        return torch.cat([*found, (state * last).sum(1)], 1)

    def both(self, power: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, n x labels, and what the hidden layer makes of each clip, n x 512."""
        known = self.head[:3]((self.remembered(power, frames) - self.mean) / self.spread)
        return self.head[3:](known), known

    def forward(self, power: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Return logits, n x labels."""
        return self.both(power, frames)[0]


class Duet(nn.Module):
    """The fitted network and the frozen one together."""

    def __init__(self, fitted: VoiceNetwork, frozen: FrozenNetwork) -> None:
        super().__init__()
        self.fitted, self.frozen = fitted, frozen

    def both(self, power: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n x labels), the mean of both networks' log-probabilities, and what the fitted one knows."""
        logits, known = self.fitted.both(power, frames)
        return (logits.log_softmax(1) + self.frozen(power, frames).log_softmax(1)) / 2, known


@torch.no_grad()
def remembered(lessons: Sequence[Lesson], work: Path, seed: int) -> npt.NDArray[np.float16]:
    """Return what the encoder remembers of each version of each clip, versions x n x 1792; kept in `work`."""
    path = work / f"remembered-{seed}.npy"
    if path.exists():
        return np.load(path, mmap_mode="r")
    net = FrozenNetwork(1).eval()
    order = np.argsort([len(lesson.mel) for lesson in lessons])
    others = [lesson.mel for lesson in lessons]
    out = np.zeros((VERSIONS, len(lessons), 7 * WIDTH), np.float16)
    for version in range(VERSIONS):
        rng = np.random.default_rng((seed, version))
        for start in range(0, len(order), AT_ONCE):
            rows = order[start : start + AT_ONCE]
            mels = [others[i].astype(np.float32) for i in rows]
            clips = [
                changed(mel, others, rng, AugmentOptions(gaps=1)) if version else at_one_loudness(np.exp(mel))
                for mel in mels
            ]
            with torch.autocast("cpu", torch.bfloat16):
                out[version, rows] = net.remembered(*batch_of(clips, 400)).float().numpy()
        log.info("version %d of %d of what the encoder remembers", version + 1, VERSIONS)
    np.save(path, out)
    return out


def taught_frozen(
    known: npt.NDArray[np.float16], lessons: Sequence[Lesson], rows: npt.NDArray[np.int64], course: Course,
    share: dict[str, float], seed: int,
) -> FrozenNetwork:  # fmt: skip
    """Return a frozen network whose head has learned some lessons.

    Args:
        known: versions x n x 1792, as `remembered` gives it.
        lessons: n.
        rows: the lessons to learn from.
        course: labels, and which of them each corpus asked for.
        share: corpus -> how much its clips count; 1 for the others.
        seed: of all that is random.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = FrozenNetwork(len(course.labels))
    plain = torch.from_numpy(np.asarray(known[0][rows], np.float32))
    net.mean.copy_(plain.mean(0))
    net.spread.copy_(plain.std(0) + 1e-3)
    truth = torch.tensor([course.labels.index(lessons[i].label) for i in rows])
    open = torch.tensor([[label in course.asked[lessons[i].corpus] for label in course.labels] for i in rows])
    weight = np.array([share.get(lessons[i].corpus, 1.0) for i in rows])
    steps = int(EPOCHS * weight.sum() / AT_ONCE)
    solver = torch.optim.AdamW(net.head.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(solver, RATE, total_steps=steps)
    for _ in range(steps):
        at = rng.choice(len(rows), AT_ONCE, p=weight / weight.sum())
        x = (torch.from_numpy(np.asarray(known[rng.integers(VERSIONS)][rows[at]], np.float32)) - net.mean) / net.spread
        may = open[at]
        goal = smoothed(truth[at], may, SMOOTHING)
        if rng.random() < MIXED:
            other = torch.from_numpy(rng.permutation(AT_ONCE))
            part = float(max(lot := rng.beta(0.4, 0.4), 1 - lot))
            x, goal, may = part * x + (1 - part) * x[other], part * goal + (1 - part) * goal[other], may | may[other]
        loss = -(goal * net.head(x).masked_fill(~may, -1e4).log_softmax(1)).sum(1).mean()
        solver.zero_grad()
        torch.autograd.backward(loss)
        solver.step()
        schedule.step()
    return net.eval()
