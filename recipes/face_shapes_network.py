"""The network of `face.blendshapes`, and the lessons it is taught: which movements make a mesh what it is.

A mesh turned to the front (`affetto.models.face.alignment`) goes in, and what the mesh network knows of the crop, which
may be missing; out come ARKit's coefficients and where the eyes look in the head. Lessons are made: a head of the ICT
model or of a person, moved by ICT's expressions, off by as much as the mesh network is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from affetto.datasets.ict_face import EYES, Head, turned
from affetto.models.face.alignment import aligned
from affetto.train.fit import Batch, FitOptions, fit
from recipes.face_mesh_network import POINTS
from recipes.face_mesh_network import WIDTH as KNOWN

Floats = npt.NDArray[np.float32]
LOOKS = 4
"""Degrees of the eyes, over 30: left eye to the person's left, and up; the right eye likewise."""
WIDE = 30.0


class ShapesNetwork(nn.Module):
    """Meshes, and perhaps what is known of crops, to coefficients and looks."""

    def __init__(self, mean: Floats, names: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean.reshape(-1).copy()))
        self.mesh, self.known = nn.Linear(POINTS * 3, 256), nn.Linear(KNOWN, 128)
        self.two, self.last = nn.Linear(256, 256), nn.Linear(256 + 128, names + LOOKS)
        self.drop = nn.Dropout(0.1)
        self.names = names

    def forward(self, mesh: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return coefficients (n x names, 0..1) and looks (n x 4, degrees) of meshes (n x 1434) and known (n x 256).

        Where nothing is known of the crop, its row is zeros.
        """
        x = functional.silu(self.mesh(10 * (mesh - self.mean)))
        x = functional.silu(self.two(self.drop(x))) + x
        there = (known.abs().sum(1, keepdim=True) > 0).to(known.dtype)
        y = self.last(torch.cat([self.drop(x), there * functional.silu(self.known(known))], 1))
        return torch.sigmoid(y[:, : self.names]), WIDE * y[:, self.names :]


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

    @staticmethod
    def of(head: Head, near: npt.NDArray[np.int32], weight: Floats) -> "Puppet":
        """Make it of a head and of where the points lie on it (478 x 4 points of the head and their weights)."""

        def picked(points: Floats) -> Floats:
            return np.asarray((points[..., near, :] * weight[..., None]).sum(-2), np.float32)

        makers = np.zeros((len(head.names), len(head.arkit)), np.float32)
        for k, parts in enumerate(head.arkit.values()):
            makers[list(parts), k] = 1 / len(parts)
        return Puppet(
            picked(head.neutral), picked(head.identities), picked(head.expressions), head.centres,
            tuple(head.arkit), makers,
        )  # fmt: skip

    def moved(self, identity: Floats, weights: Floats, looks: Floats) -> Floats:
        """Return points n x 478 x 3 of persons (n x 16) with expressions (n x 57) and looks (n x 4, degrees)."""
        points = self.neutral + np.tensordot(identity, self.identities, 1) + np.tensordot(weights, self.expressions, 1)
        return self.looking(points, looks)

    def looking(self, points: Floats, looks: Floats) -> Floats:
        """Turn the points of the irises (left 473-477, right 468-472) about the eyes' middles."""
        for eye, part in ((0, slice(473, 478)), (1, slice(468, 473))):
            turn = np.stack([turned(*one) for one in looks[:, 2 * eye : 2 * eye + 2]])
            centre = self.centres[eye] + (points[:, part].mean(1) - self.neutral[part].mean(0))[:, None] * [[1, 1, 1]]
            points[:, part] = np.einsum("nki,nji->nkj", points[:, part] - centre, turn) + centre
        return points


@dataclass(frozen=True)
class Schooling:
    """How the network is taught."""

    epochs: int = 30
    steps: int = 400
    rate: float = 1e-3
    batch: int = 256
    drawn: float = 0.4
    """Share of the lessons that are renders seen by the mesh network."""
    people: float = 0.5
    """Share of the others that move the face of a person, as far as it was at rest."""
    blind: float = 0.5
    """Share of the renders of which the network is shown the mesh alone."""
    seed: int = 20


@dataclass(frozen=True)
class Seen:
    """What the mesh network said of renders, and their truth."""

    shapes: Floats
    """n x 478 x 3, aligned."""
    known: Floats
    """n x 256."""
    off: Floats
    """n x 478 x 3: how far the shapes are from the true ones."""
    coefficients: Floats
    """n x names."""
    looks: Floats
    """n x 4."""
    weights: Floats
    """n x 57."""


def taught(puppet: Puppet, seen: Seen, rest: Floats, mean: Floats, how: Schooling) -> ShapesNetwork:
    """Return a network that has learned.

    Args:
        puppet: the head to move.
        seen: renders as the mesh network sees them.
        rest: m x 478 x 3, aligned shapes of people whose faces are at rest.
        mean: 478 x 3, the mean face.
        how: see `Schooling`.
    """
    torch.manual_seed(how.seed)
    unit = np.linalg.norm(puppet.neutral[33] - puppet.neutral[263])
    still = aligned((puppet.neutral / unit * [1, -1, -1])[None].astype(np.float32), mean)[0][0]

    def made(rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats]:
        weights = seen.weights[rng.integers(0, len(seen.weights), n)].copy()
        weights *= rng.uniform(0.3, 1, (n, 1))
        other = seen.weights[rng.integers(0, len(seen.weights), n)] * (rng.random((n, 57)) < 0.1)
        weights = np.maximum(weights, other).astype(np.float32)
        looks = _looks(puppet, weights)
        identity = rng.normal(size=(n, 16)).astype(np.float32)
        own = aligned((puppet.moved(identity, weights, looks) * [1, -1, -1]).astype(np.float32), mean)[0]
        lent = rng.random(n) < how.people
        moved = aligned((puppet.moved(0 * identity, weights, looks) * [1, -1, -1]).astype(np.float32), mean)[0] - still
        own[lent] = rest[rng.integers(0, len(rest), lent.sum())] + moved[lent]
        own += seen.off[rng.integers(0, len(seen.off), n)] * rng.uniform(0, 1.2, (n, 1, 1))
        return own.astype(np.float32), weights @ puppet.makers, looks

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng((how.seed, epoch))
        for _ in range(how.steps):
            n = int(how.batch * how.drawn)
            rows = rng.integers(0, len(seen.shapes), n)
            shapes, coefficients, looks = made(rng, how.batch - n)
            known = seen.known[rows] * (rng.random((n, 1)) >= how.blind)
            yield {
                "mesh": torch.from_numpy(np.concatenate([seen.shapes[rows], shapes]).reshape(how.batch, -1)).float(),
                "known": torch.from_numpy(np.concatenate([known, np.zeros((len(shapes), KNOWN))])).float(),
                "goal": torch.from_numpy(np.concatenate([seen.coefficients[rows], coefficients])).float(),
                "looks": torch.from_numpy(np.concatenate([seen.looks[rows], looks])).float(),
            }

    def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
        coefficients, looks = module(batch["mesh"], batch["known"])
        return (coefficients - batch["goal"]).abs().mean() + 0.02 * (looks - batch["looks"]).abs().mean() / 3

    options = FitOptions(epochs=how.epochs, rate=how.rate, warmup=0.05, decay=0.02, average=0.999, clip=1.0)
    made_net = fit(ShapesNetwork(mean, len(puppet.names)), batches, how.steps, loss, options)
    assert isinstance(made_net, ShapesNetwork)
    return made_net


def _looks(puppet: Puppet, weights: Floats) -> Floats:
    """Return n x 4 degrees that the coefficients of looking say (`Head.gaze`)."""
    from affetto.datasets.ict_face import REACH  # noqa: PLC0415

    said = weights @ puppet.makers
    at = {name: said[:, k] for k, name in enumerate(puppet.names)}
    out = []
    for side, sign in (("Left", 1), ("Right", -1)):
        out.append(sign * (at[f"eyeLookOut{side}"] - at[f"eyeLookIn{side}"]) * REACH[0])
        out.append((at[f"eyeLookUp{side}"] - at[f"eyeLookDown{side}"]) * REACH[1])
    return np.stack(out, 1).astype(np.float32)


__all__ = ["EYES", "LOOKS", "Puppet", "Schooling", "Seen", "ShapesNetwork", "taught"]
