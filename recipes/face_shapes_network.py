"""The network of `face.blendshapes`, and the lessons it is taught: which movements make a mesh what it is.

A mesh turned to the front (`affetto.models.face.alignment`) goes through one linear map, fitted by ridge regression on
meshes of people at rest that ICT's expressions move: so the map does not depend on how drawings look. Where the crop
is known, a small network adds what the map leaves over; it learns from drawn heads as the mesh network sees them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from affetto.datasets.ict_face import REACH, Head, turned
from affetto.models.face.alignment import aligned
from affetto.train.fit import Batch, FitOptions, fit
from recipes.face_mesh_network import POINTS
from recipes.face_mesh_network import WIDTH as KNOWN

Floats = npt.NDArray[np.float32]
LOOKS = 4
"""Degrees of the eyes, over 30: left eye to the person's left, and up; the right eye likewise."""
WIDE = 30.0
IN_PICTURE = np.array([1, -1, -1], np.float32)
"""From the frame of the head to that of pictures, in which y goes down and z away."""


class ShapesNetwork(nn.Module):
    """Meshes, and perhaps what is known of crops, to coefficients and looks.

    Args:
        mean: 478 x 3, the mean face.
        linear: (956 + 1) x (names + 4): the map, and what it begins from; depth is no guide, and left out.
    """

    def __init__(self, mean: Floats, linear: Floats) -> None:
        super().__init__()
        self.names = linear.shape[1] - LOOKS
        self.register_buffer("mean", torch.from_numpy(mean.reshape(1, POINTS, 3)[..., :2].reshape(1, -1).copy()))
        self.register_buffer("weight", torch.from_numpy(linear[:-1].copy()))
        self.register_buffer("bias", torch.from_numpy(linear[-1].copy()))
        self.known, self.shape = nn.Linear(KNOWN, 128), nn.Linear(POINTS * 2, 128)
        self.last, self.drop = nn.Linear(256, linear.shape[1]), nn.Dropout(0.2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, mesh: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return coefficients (n x names, 0..1) and looks (n x 4, degrees) of meshes (n x 1434) and known (n x 256).

        Where nothing is known of the crop, its row is zeros.
        """
        flat = mesh.view(-1, POINTS, 3)[..., :2].reshape(-1, POINTS * 2) - self.mean
        there = (known.abs().sum(1, keepdim=True) > 0).to(known.dtype)
        more = functional.silu(torch.cat([self.known(known), self.shape(10 * flat)], 1))
        y = flat @ self.weight + self.bias + there * self.last(self.drop(more))
        return y[:, : self.names].clamp(0, 1), WIDE * y[:, self.names :]


@dataclass(frozen=True)
class Puppet:
    """The 478 points of the ICT head, ready to be moved: many at a time, without drawing them."""

    neutral: Floats
    """478 x 3, centimetres."""
    identities: Floats
    """16 x 478 x 3."""
    expressions: Floats
    """57 x 478 x 3."""
    centres: Floats
    """2 x 3: of the eyes."""
    names: tuple[str, ...]
    """Of ARKit's coefficients."""
    makers: Floats
    """57 x names: the mean of which expressions each coefficient is."""
    looking: npt.NDArray[np.bool_]
    """57: which expressions turn the eyes."""

    @staticmethod
    def of(head: Head, near: npt.NDArray[np.int32], weight: Floats) -> "Puppet":
        """Make it of a head and of where the points lie on it (478 x 4 points of the head and their weights)."""

        def picked(points: Floats) -> Floats:
            return np.asarray((points[..., near, :] * weight[..., None]).sum(-2), np.float32)

        makers = np.zeros((len(head.names), len(head.arkit)), np.float32)
        for k, parts in enumerate(head.arkit.values()):
            makers[list(parts), k] = 1 / len(parts)
        return Puppet(
            picked(head.neutral),
            picked(head.identities),
            picked(head.expressions),
            head.centres,
            tuple(head.arkit),
            makers,
            np.array([name.startswith("eyeLook") for name in head.names]),
        )

    def moved(self, weights: Floats) -> Floats:
        """Return points n x 478 x 3 of the mean head with expressions (n x 57)."""
        points = self.neutral + np.tensordot(weights, self.expressions, 1)
        looks = self.looks(weights)
        for eye, part in ((0, slice(473, 478)), (1, slice(468, 473))):
            turn = turned(looks[:, 2 * eye], looks[:, 2 * eye + 1])
            points[:, part] = np.einsum("nki,nji->nkj", points[:, part] - self.centres[eye], turn) + self.centres[eye]
        return np.asarray(points, np.float32)

    def looks(self, weights: Floats) -> Floats:
        """Return where the eyes look, n x 4 degrees, by the coefficients of looking (as `Head.gaze`)."""
        said = weights @ self.makers
        at = {name: said[:, k] for k, name in enumerate(self.names)}
        out = []
        for side, sign in (("Left", 1), ("Right", -1)):
            out.append(sign * (at[f"eyeLookOut{side}"] - at[f"eyeLookIn{side}"]) * REACH[0])
            out.append((at[f"eyeLookUp{side}"] - at[f"eyeLookDown{side}"]) * REACH[1])
        return np.stack(out, 1).astype(np.float32)


@dataclass(frozen=True)
class Schooling:
    """How the map is fitted and the network taught."""

    made: int = 40000
    """Meshes that the map is fitted on."""
    strength: tuple[float, float] = (0.05, 0.5)
    """Least and greatest share of a drawn expression that a person at rest is moved by: people show less."""
    ridge: float = 0.015
    """Strength of the prior, a mesh."""
    noise: float = 0.004
    """How far points are off by chance, as a share of the distance between the eyes."""
    epochs: int = 12
    rate: float = 1e-3
    batch: int = 128
    seed: int = 20


@dataclass(frozen=True)
class Seen:
    """What the mesh network said of drawn heads, and their truth."""

    shapes: Floats
    """n x 478 x 3, aligned."""
    known: Floats
    """n x 256."""
    coefficients: Floats
    """n x names."""
    looks: Floats
    """n x 4."""
    weights: Floats
    """n x 57."""


def mapped(puppet: Puppet, rest: Floats, drawn: Floats, mean: Floats, how: Schooling) -> Floats:
    """Return the linear map, 957 x (names + 4), from where points lie to coefficients and looks over 30 degrees.

    Args:
        puppet: whose movements are lent.
        rest: m x 478 x 3, aligned shapes of people at rest, who move.
        drawn: k x 57, weights of expressions, from which movements are drawn.
        mean: 478 x 3, the mean face.
        how: see `Schooling`.
    """
    rng = np.random.default_rng(how.seed)
    n, width = how.made, POINTS * 2

    def lot() -> Floats:
        return drawn[rng.integers(0, len(drawn), n)]

    first, second = lot(), lot() * (rng.random((n, drawn.shape[1])) < 0.1)
    weights = np.maximum(*(one * rng.uniform(*how.strength, (n, 1)) for one in (first, second)))
    weights[:, puppet.looking] = first[:, puppet.looking]
    weights = weights.astype(np.float32)
    still = aligned(puppet.neutral[None] * IN_PICTURE, mean)[0][0]
    move = aligned(puppet.moved(weights) * IN_PICTURE, mean)[0] - still
    shapes = rest[rng.integers(0, len(rest), n)] + move + how.noise * rng.normal(size=move.shape)
    x = (shapes - mean)[..., :2].reshape(n, width)
    goal = np.concatenate([weights @ puppet.makers, puppet.looks(weights) / WIDE], 1)
    middle = goal.mean(0)
    weight = np.linalg.solve(x.T @ x + how.ridge * n * np.eye(width), x.T @ (goal - middle))
    said = x @ weight
    steep = ((goal - middle) * said).sum(0) / (said**2).sum(0)
    return np.concatenate([weight * steep, (middle - steep * said.mean(0))[None]]).astype(np.float32)


def taught(seen: Seen, linear: Floats, mean: Floats, how: Schooling) -> ShapesNetwork:
    """Return the network around the map, after it learned what the map leaves over on drawn heads."""
    torch.manual_seed(how.seed)
    goals = np.concatenate([seen.coefficients, seen.looks / WIDE], 1)
    inputs = {"mesh": seen.shapes.reshape(len(goals), -1), "known": seen.known, "goal": goals}
    lessons = {name: torch.from_numpy(values.astype(np.float32)) for name, values in inputs.items()}

    def batches(epoch: int) -> Iterator[Batch]:
        order = torch.from_numpy(np.random.default_rng((how.seed, epoch)).permutation(len(goals)))
        for rows in order.split(how.batch):
            yield {name: values[rows] for name, values in lessons.items()}

    def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
        coefficients, looks = module(batch["mesh"], batch["known"])
        off = torch.cat([coefficients, looks / WIDE], 1) - batch["goal"]
        return 10 * off.square().mean()

    options = FitOptions(epochs=how.epochs, rate=how.rate, warmup=0.05, decay=0.05, average=0.999, clip=1.0)
    net = fit(ShapesNetwork(mean, linear), batches, len(goals) // how.batch, loss, options)
    assert isinstance(net, ShapesNetwork)
    return net
