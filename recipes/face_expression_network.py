"""The network of `face.expression`, how its lessons are changed, and how it is taught.

A residual network (He et al. 2016) with squeeze-and-excitation (Hu et al. 2018) and stochastic depth (Huang et al.
2016), two megabytes in eight bits. Two heads share it: the shares of FER+'s ten votes, and the one label of FER2013.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from affetto.train.fit import Batch, FitOptions, fit
from recipes.face_pictures import EXPRESSIONS, LABELS, SIDE, Pictures

log = logging.getLogger("face")


class Residual(nn.Module):
    """Two convolutions beside a shortcut, weighed channel by channel, left out now and then."""

    def __init__(self, inner: int, outer: int, stride: int, dropped: float) -> None:
        super().__init__()
        self.one = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.two = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.norm_one, self.norm_two = nn.BatchNorm2d(outer), nn.BatchNorm2d(outer)
        self.squeeze, self.excite = nn.Linear(outer, outer // 8), nn.Linear(outer // 8, outer)
        self.short = (
            nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))
            if stride > 1 or inner != outer
            else nn.Identity()
        )
        self.dropped = dropped

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return n x outer x h x w."""
        y = self.norm_two(self.two(functional.relu(self.norm_one(self.one(x)))))
        y = y * torch.sigmoid(self.excite(functional.relu(self.squeeze(y.mean((2, 3))))))[:, :, None, None]
        if self.training and self.dropped:
            kept = (torch.rand(len(y), 1, 1, 1) >= self.dropped).to(y.dtype) / (1 - self.dropped)
            y = y * kept
        return functional.relu(y + self.short(x))


class ExpressionNetwork(nn.Module):
    """Grey faces, n x 1 x 48 x 48 in 0..1, to logits of FER+ (n x 8) and FER2013 (n x 7) side by side."""

    def __init__(self, widths: tuple[int, ...] = (32, 56, 112, 224), depth: int = 2) -> None:
        super().__init__()
        stem, *rest = widths
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        blocks, inner = [], stem
        for k, outer in enumerate(rest):
            for i in range(depth):
                share = (k * depth + i + 1) / (len(rest) * depth)
                blocks.append(Residual(inner, outer, 2 if i == 0 else 1, 0.15 * share))
                inner = outer
        self.blocks = nn.Sequential(*blocks)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(inner, len(EXPRESSIONS) + len(LABELS))

    def pooled(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is known of each face, n x 224."""
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / (x.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)
        return self.blocks(self.stem(x)).mean((2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits, n x 15."""
        return self.head(self.drop(self.pooled(x)))


@dataclass(frozen=True)
class Changes:
    """How far lessons are changed; each is drawn anew for each picture."""

    turn: float = 18.0
    """Degrees, at most."""
    zoom: float = 0.2
    """Share by which a side grows or shrinks, at most; each side by itself up to a quarter of it."""
    move: float = 0.1
    """Of the side, at most."""
    hidden: float = 0.4
    """Share of the pictures of which a patch is hidden."""
    mixed: float = 0.5
    """Share of the batches whose pictures are mixed two and two (mixup, or CutMix in half of these)."""


def changed(x: torch.Tensor, rng: torch.Generator, how: Changes, side: int = SIDE) -> torch.Tensor:
    """Return pictures, n x 1 x side x side in 0..1, mirrored, turned, lit and blurred otherwise."""
    n = len(x)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.rand(n, *shape, generator=rng) * 2 - 1

    angle, zoom = drawn() * how.turn * np.pi / 180, torch.exp(drawn() * how.zoom)
    wide, high = zoom * torch.exp(drawn() * how.zoom / 4), zoom * torch.exp(drawn() * how.zoom / 4)
    mirror = torch.sign(drawn())
    cos, sin, shift = torch.cos(angle), torch.sin(angle), drawn(2) * how.move * 2
    turn = torch.stack(
        [
            torch.stack([mirror * cos / wide, -sin / high, shift[:, 0]], 1),
            torch.stack([mirror * sin / wide, cos / high, shift[:, 1]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(turn, [n, 1, side, side], align_corners=False)
    x = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    blurred = functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    x = torch.where((drawn() > 0.7)[:, None, None, None], blurred, x)
    x = x.clamp(0, 1) ** torch.exp(drawn() * 0.5)[:, None, None, None]
    light = drawn(2, 1, 1) * torch.linspace(-1, 1, x.shape[-1])
    x = x * (1 + 0.25 * (light[:, :1] + light[:, 1:].transpose(2, 3)))
    noise = torch.randn(x.shape, generator=rng) * (0.04 * drawn().clamp_min(0))[:, None, None, None]
    return _hidden(x + noise, rng, how.hidden)


def _hidden(x: torch.Tensor, rng: torch.Generator, share: float) -> torch.Tensor:
    """Return pictures of which a share has a patch of one grey."""
    n, side = len(x), x.shape[-1]
    size = 0.15 + 0.3 * torch.rand(n, 2, generator=rng)
    start = torch.rand(n, 2, generator=rng) * (1 - size)
    place = (torch.arange(side) + 0.5) / side
    inside = (place >= start[..., None]) & (place < (start + size)[..., None])
    patch = inside[:, 0, :, None] & inside[:, 1, None, :] & (torch.rand(n, generator=rng) < share)[:, None, None]
    return torch.where(patch[:, None], torch.rand(n, 1, 1, 1, generator=rng), x)


def mixed(x: torch.Tensor, goals: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures and goals mixed two and two: blended, or a piece of one put into the other."""
    other = torch.from_numpy(rng.permutation(len(x)))
    share = float(rng.beta(0.4, 0.4)) if rng.random() < 0.5 else 1.0
    if share == 1.0:
        side = x.shape[-1]
        high, wide = rng.integers(side // 4, 3 * side // 4, 2)
        top, left = rng.integers(0, side - high + 1), rng.integers(0, side - wide + 1)
        x = x.clone()
        x[:, :, top : top + high, left : left + wide] = x[other, :, top : top + high, left : left + wide]
        share = 1 - high * wide / side**2
    else:
        x = share * x + (1 - share) * x[other]
    return x, share * goals + (1 - share) * goals[other]


@dataclass(frozen=True)
class Schooling:
    """How the network is taught."""

    epochs: int = 26
    small: int = 14
    """Epochs, the first ones, in which pictures are 36 pixels wide: half the work (progressive resizing)."""
    rate: float = 2e-3
    batch: int = 128
    second: float = 0.4
    """Weight of the FER2013 head."""
    smoothing: float = 0.1
    """Of the FER2013 label, since one in three is not what ten people say."""
    seed: int = 20
    changes: Changes = Changes()


def goals_of(lessons: Pictures, smoothing: float) -> torch.Tensor:
    """Return what both heads should say, n x 15."""
    single = np.full((len(lessons.pixels), len(LABELS)), smoothing / len(LABELS), np.float32)
    single[np.arange(len(single)), lessons.label] += 1 - smoothing
    return torch.from_numpy(np.concatenate([lessons.shares, single], 1))


def loss_of(logits: torch.Tensor, goals: torch.Tensor, second: float) -> torch.Tensor:
    """Return the cross-entropy of both heads, the second weighed; a head without a goal is left out."""
    parts = torch.split(logits.float(), [len(EXPRESSIONS), len(LABELS)], 1)
    wanted = torch.split(goals, [len(EXPRESSIONS), len(LABELS)], 1)
    first, other = (-(goal * part.log_softmax(1)).sum(1).mean() for part, goal in zip(parts, wanted, strict=True))
    return first + second * other


FINISH = Schooling(
    epochs=6, small=0, rate=6e-4, second=0.8, changes=Changes(turn=12, zoom=0.12, move=0.06, hidden=0.2, mixed=0.0)
)
"""The last epochs, in which lessons look more like what will be asked (after Touvron et al. 2019)."""


def taught(
    lessons: Pictures, how: Schooling, after_epoch: Callable[[int, nn.Module], None] | None = None,
    net: ExpressionNetwork | None = None,
) -> ExpressionNetwork:  # fmt: skip
    """Return a network that has learned: a new one, or one that goes on."""
    torch.manual_seed(how.seed)
    lessons = lessons[~lessons.blank]
    pixels = torch.from_numpy(lessons.pixels)[:, None]
    goals = goals_of(lessons, how.smoothing)

    def batches(epoch: int) -> Iterator[Batch]:
        rng, torch_rng = np.random.default_rng((how.seed, epoch)), torch.Generator().manual_seed(how.seed + epoch)
        order, side = rng.permutation(len(pixels)), 36 if epoch < how.small else SIDE
        for start in range(0, len(order) - how.batch // 2, how.batch):
            rows = order[start : start + how.batch]
            x, goal = changed(pixels[rows].float() / 255, torch_rng, how.changes, side), goals[rows]
            if rng.random() < how.changes.mixed:
                x, goal = mixed(x, goal, rng)
            yield {"x": x.contiguous(memory_format=torch.channels_last), "goal": goal}

    def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
        return loss_of(module(batch["x"]), batch["goal"], how.second)

    options = FitOptions(epochs=how.epochs, rate=how.rate, warmup=0.08, decay=0.05, average=0.999, clip=3.0, half=True)
    net = (net or ExpressionNetwork()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    made = fit(net, batches, len(pixels) // how.batch, loss, options, after_epoch=after_epoch)
    assert isinstance(made, ExpressionNetwork)
    return made


@torch.no_grad()
def said(net: nn.Module, pixels: np.ndarray, mirrored: bool = True) -> np.ndarray:
    """Return logits, n x 15, of grey faces n x 48 x 48 in 0..255; of each and its mirror image, on average."""
    out = []
    for start in range(0, len(pixels), 256):
        x = torch.from_numpy(pixels[start : start + 256])[:, None].float() / 255
        y = net(x)
        out.append(((y + net(x.flip(3))) / 2 if mirrored else y).numpy())
    return np.concatenate(out)
