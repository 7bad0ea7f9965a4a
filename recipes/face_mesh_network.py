"""The network of `face.mesh`, its lessons in batches, and how it is taught.

A small residual network looks at a grey crop, 112 x 112, and says where 478 points lie (the order of MediaPipe's mesh),
whether there is a face at all, how far off its points will be, and which of the 68 iBUG landmarks are seen. Lessons are
renders of the ICT head, whose truth is exact, and pictures of people on which the mesh of MediaPipe is the teacher.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from affetto.models.face.crop import Place, cut
from affetto.models.face.mesh import BETWEEN_EYES, IBUG_68, SIDE, place_of
from affetto.train.fit import Batch, FitOptions, fit

log = logging.getLogger("face")
Floats = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]
POINTS, WIDTH = 478, 256


class Step(nn.Module):
    """A convolution, its norm, and what is above zero."""

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return n x outer x h x w."""
        return functional.relu(self.norm(self.conv(x)))


class Beside(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = Step(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is as large as x."""
        return functional.relu(x + self.norm(self.two(self.one(x))))


class MeshNetwork(nn.Module):
    """Grey crops to points, and how much to trust them.

    Args:
        mean: the mean mesh, 478 x 3, that answers begin from.
    """

    def __init__(self, mean: Floats) -> None:
        super().__init__()
        self.look = nn.Sequential(
            Step(1, 16, 2), Step(16, 32, 2), Beside(32), Step(32, 64, 2), Step(64, 64), Beside(64),
            Step(64, 128, 2), Step(128, 128), Beside(128), Step(128, 64),
        )  # fmt: skip
        self.known = nn.Linear(64 * 7 * 7, WIDTH)
        self.mesh, self.sure = nn.Linear(WIDTH, POINTS * 3), nn.Linear(WIDTH, 2 + 68)
        nn.init.normal_(self.mesh.weight, std=1e-3)
        self.mesh.bias.data = torch.from_numpy(mean.reshape(-1).copy())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return points (n x 1434); face, log error and seen (n x 70); what is known (n x 256); of n x 1 x h x w."""
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / (x.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)
        known = functional.relu(self.known(self.look(x).flatten(1)))
        return self.mesh(known), self.sure(known), known


@dataclass(frozen=True)
class Faces:
    """Lessons of one kind."""

    pictures: Sequence[Grey]
    """Grey, of any size."""
    which: npt.NDArray[np.int64]
    """n: the picture of each face."""
    points: Floats
    """n x 478 x 3, pixels of the picture."""
    seen: npt.NDArray[np.bool_]
    """n x 68: whether a landmark is seen, as far as one knows."""

    def __len__(self) -> int:
        return len(self.which)


@dataclass(frozen=True)
class Schooling:
    """How the network is taught."""

    epochs: int = 16
    rate: float = 2e-3
    batch: int = 128
    a_epoch: int = 56000
    """Lessons of an epoch."""
    nothing: float = 0.2
    """Share of lessons without a face."""
    shares: tuple[float, ...] = (0.5, 0.42, 0.08)
    """Of the kinds of lessons among those with a face."""
    hidden: float = 0.3
    """Share of the lessons that a patch hides in part."""
    seed: int = 20


def mirror_of(mean: Floats) -> npt.NDArray[np.int64]:
    """Return which point each point becomes in a mirror: that nearest to its mirror image on the mean mesh."""
    flipped = mean * [-1, 1, 1] + [2 * mean[:, 0].mean(), 0, 0]
    return np.asarray(np.linalg.norm(flipped[:, None] - mean[None], axis=2).argmin(1))


def jittered(points: Floats, rng: np.random.Generator) -> Place:
    """Return a place about a face: mostly nearly right, as tracking gives it, else as a detector does."""
    place = place_of(points)
    far = rng.random() < 0.35
    move, grow, turn = (0.2, 0.4, 0.6) if far else (0.05, 0.1, 0.15)
    shift = rng.uniform(-move, move, 2) * place.size
    size = place.size * np.exp(rng.uniform(-grow * 0.8, grow))
    return Place(place.x + shift[0], place.y + shift[1], size, place.angle + rng.uniform(-turn, turn))


def lesson(
    faces: Faces, i: int, mirror: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[Grey, Floats, npt.NDArray[np.bool_]]:
    """Return a crop of face i, its points in 0..1 of it, and which landmarks are seen."""
    points = faces.points[i]
    place = jittered(points, rng)
    crop, there, seen = cut(faces.pictures[faces.which[i]], place, SIDE), place.to_crop(points), faces.seen[i]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
        there = (there * [-1, 1, 1] + [1, 0, 0])[mirror]
        seen = seen[_mirror_68(mirror)]
    return crop, there.astype(np.float32), seen


def _mirror_68(mirror: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    inside = {point: k for k, point in reversed(list(enumerate(IBUG_68)))}
    return np.array([inside.get(int(mirror[point]), k) for k, point in enumerate(IBUG_68)])


def nothing(backgrounds: Sequence[Grey], faces: Faces, rng: np.random.Generator) -> Grey:
    """Return a crop in which no face is to be found: of a scene, or so near or far that it is none."""
    if rng.random() < 0.75:
        picture = backgrounds[rng.integers(len(backgrounds))]
        size = min(picture.shape) * rng.uniform(0.1, 1)
        x, y = (rng.uniform(0, side) for side in picture.shape[::-1])
        return cut(picture, Place(x, y, size, rng.uniform(-0.5, 0.5)), SIDE)
    i = rng.integers(len(faces))
    place, picture = place_of(faces.points[i]), faces.pictures[faces.which[i]]
    if rng.random() < 0.5:
        size, far = place.size * rng.uniform(0.1, 0.28), 0.3
    else:
        size, far = place.size * rng.uniform(0.4, 1), rng.uniform(0.8, 1.5)
    turn = rng.uniform(0, 2 * np.pi)
    away = place.size * far
    return cut(picture, Place(place.x + away * np.cos(turn), place.y + away * np.sin(turn), size, place.angle), SIDE)


def relit(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Return crops, n x 1 x h x w in 0..1, lit, sharp and grained otherwise."""
    n, side = len(x), x.shape[-1]

    def drawn(*shape: int) -> torch.Tensor:
        return torch.rand(n, *shape, generator=rng) * 2 - 1

    soft = functional.avg_pool2d(functional.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1)
    x = torch.lerp(x, soft, (drawn(1, 1, 1) * 1.2).clamp(-0.5, 1))
    x = x.clamp(1e-3, 1) ** torch.exp(drawn(1, 1, 1) * 0.6)
    light = drawn(2, 1, 1) * torch.linspace(-1, 1, side)
    x = x * (1 + 0.35 * (light[:, :1] + light[:, 1:].transpose(2, 3)))
    return x + torch.randn(x.shape, generator=rng) * 0.05 * drawn(1, 1, 1).clamp_min(0)


def patched(
    x: torch.Tensor, points: torch.Tensor, seen: torch.Tensor, share: float, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return crops of which a share has a patch, and which landmarks (n x 68) are still seen."""
    n, side = len(x), x.shape[-1]
    size = 0.1 + 0.35 * torch.rand(n, 2, generator=rng)
    start = torch.rand(n, 2, generator=rng) * 1.1 - 0.05 - size / 2
    does = torch.rand(n, generator=rng) < share
    at = (torch.arange(side) + 0.5) / side
    inside = (at >= start[..., None]) & (at < (start + size)[..., None])
    patch = inside[:, 0, None, :] & inside[:, 1, :, None] & does[:, None, None]
    marks = points[:, IBUG_68, :2]
    covered = ((marks >= start[:, None]) & (marks < (start + size)[:, None])).all(2) & does[:, None]
    filling = x.roll(1, 0).mean((1, 2, 3), keepdim=True) if rng.initial_seed() % 2 else x.roll(1, 0)
    return torch.where(patch[:, None], filling, x), seen & ~covered


def taught(
    kinds: Sequence[Faces], backgrounds: Sequence[Grey], how: Schooling,
    after_epoch: Callable[[int, nn.Module], None] | None = None,
) -> MeshNetwork:  # fmt: skip
    """Return a network that has learned from several kinds of lessons."""
    torch.manual_seed(how.seed)
    rng = np.random.default_rng(how.seed)
    first = kinds[0]
    mean = np.mean([place_of(one).to_crop(one) for one in first.points[rng.integers(0, len(first), 2000)]], 0)
    mean = (mean + (mean * [-1, 1, 1] + [1, 0, 0])[mirror_of(mean)]) / 2
    mirror = mirror_of(mean)

    def batches(epoch: int) -> Iterator[Batch]:
        rng, lot = np.random.default_rng((how.seed, epoch)), torch.Generator().manual_seed(how.seed + epoch)
        for _ in range(how.a_epoch // how.batch):
            crops, points, seen, there = [], [], [], []
            for _ in range(how.batch):
                kind = kinds[rng.choice(len(kinds), p=how.shares)]
                there.append(rng.random() >= how.nothing)
                if there[-1]:
                    crop, mesh, marks = lesson(kind, int(rng.integers(len(kind))), mirror, rng)
                else:
                    crop, mesh, marks = nothing(backgrounds, kind, rng), mean, np.zeros(68, bool)
                crops.append(crop)
                points.append(mesh)
                seen.append(marks)
            x = relit(torch.from_numpy(np.stack(crops))[:, None].float() / 255, lot)
            mesh, marks = torch.from_numpy(np.stack(points)).float(), torch.from_numpy(np.stack(seen))
            x, marks = patched(x, mesh, marks, how.hidden, lot)
            yield {"x": x.contiguous(memory_format=torch.channels_last), "mesh": mesh, "seen": marks,
                   "there": torch.tensor(there)}  # fmt: skip

    options = FitOptions(epochs=how.epochs, rate=how.rate, warmup=0.06, decay=0.02, average=0.999, clip=5.0, half=True)
    net = MeshNetwork(mean.astype(np.float32)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    made = fit(net, batches, how.a_epoch // how.batch, loss, options, after_epoch=after_epoch)
    assert isinstance(made, MeshNetwork)
    return made


def off_by(points: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return how far off points are, n x 478, in the plane, as a share of that between the outer eye corners."""
    apart = (truth[:, BETWEEN_EYES[0], :2] - truth[:, BETWEEN_EYES[1], :2]).norm(dim=1).clamp_min(0.05)
    return (points[..., :2] - truth[..., :2]).norm(dim=2) / apart[:, None]


def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the error of the points and, lightly, of depth, face, the error it expects, and what is seen."""
    points, sure, _ = module(batch["x"])
    points, sure = points.float().view(-1, POINTS, 3), sure.float()
    there, truth = batch["there"], batch["mesh"]
    off = off_by(points[there], truth[there])
    wide = (truth[there, BETWEEN_EYES[0], :2] - truth[there, BETWEEN_EYES[1], :2]).norm(dim=1).clamp_min(0.05)
    deep = ((points[there, :, 2] - truth[there, :, 2]).abs() / wide[:, None]).mean()
    expected = (sure[there, 1] - off.mean(1).detach().clamp_min(0.005).log()).abs().mean()
    face = functional.binary_cross_entropy_with_logits(sure[:, 0], there.float())
    seen = functional.binary_cross_entropy_with_logits(sure[there, 2:], batch["seen"][there].float())
    important = off[:, IBUG_68].mean() + off[:, 468:].mean()
    return 10 * (off.mean() + 0.5 * important + 0.3 * deep) + 0.5 * face + 0.2 * expected + 0.3 * seen
