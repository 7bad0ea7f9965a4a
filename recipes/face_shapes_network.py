"""The network of `face.blendshapes`, and the lessons it is taught: which movements make a face what it is.

Two ways lead from a face to ARKit's coefficients. A mesh turned to the front (`affetto.models.face.alignment`) goes
through one linear map, fitted by ridge regression on meshes of people at rest that ICT's expressions move: so it does
not depend on how drawings look. And a crop goes through a network that begins as the mesh network and learns from drawn
heads, whose truth is exact, and from photographs, on which the linear map and the teacher's mesh say what to answer.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from affetto.datasets.ict_face import REACH, Head, turned
from affetto.models.face.alignment import aligned
from affetto.models.face.crop import cut
from affetto.models.face.mesh import IBUG_68, SIDE
from affetto.train.fit import Batch, FitOptions, fit
from recipes.face_mesh_network import POINTS, Faces, MeshNetwork, jittered, patched, relit
from recipes.face_mesh_network import WIDTH as KNOWN

Floats = npt.NDArray[np.float32]
LOOKS = 4
"""Degrees of the eyes, over 30: left eye to the person's left, and up; the right eye likewise."""
WIDE = 30.0
IN_PICTURE = np.array([1, -1, -1], np.float32)
"""From the frame of the head to that of pictures, in which y goes down and z away."""


class ShapesNetwork(nn.Module):
    """Grey crops to coefficients and looks; begins as the mesh network, which knows where everything is.

    Args:
        mesh: the mesh network.
        names: how many coefficients.
    """

    def __init__(self, mesh: MeshNetwork, names: int) -> None:
        super().__init__()
        self.names = names
        self.look, self.known = copy.deepcopy(mesh.look), copy.deepcopy(mesh.known)
        self.drop, self.last = nn.Dropout(0.1), nn.Linear(KNOWN, names + LOOKS)

    def raw(self, crop: torch.Tensor) -> torch.Tensor:
        """Return coefficients, which may lie beyond 0..1, and looks over 30 degrees, n x (names + 4)."""
        x = crop - crop.mean((1, 2, 3), keepdim=True)
        x = x / (x.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)
        return self.last(self.drop(functional.relu(self.known(self.look(x).flatten(1)))))

    def forward(self, crop: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return coefficients (n x names, 0..1) and looks (n x 4, degrees) of crops n x 1 x 112 x 112."""
        y = self.raw(crop)
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
    epochs: int = 8
    rate: float = 1e-3
    batch: int = 128
    people: float = 0.4
    """Share of the lessons that are photographs."""
    seed: int = 20


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


def by_map(shapes: Floats, linear: Floats, mean: Floats) -> Floats:
    """Return what the linear map says of aligned shapes (n x 478 x 3): n x (names + 4), coefficients within 0..1."""
    said = (shapes - mean)[..., :2].reshape(len(shapes), -1) @ linear[:-1] + linear[-1]
    said[:, :-LOOKS] = said[:, :-LOOKS].clip(0, 1)
    return np.asarray(said, np.float32)


def taught(
    net: ShapesNetwork, heads: tuple[Faces, Floats], people: tuple[Faces, Floats], how: Schooling
) -> ShapesNetwork:
    """Return the network after it learned.

    Args:
        net: as it begins.
        heads: drawn heads, and what they do, n x (names + 4).
        people: photographs, and what the linear map says of the teacher's meshes of them.
        how: see `Schooling`.
    """
    torch.manual_seed(how.seed)
    steps = len(heads[1]) // round(how.batch * (1 - how.people))

    def batches(epoch: int) -> Iterator[Batch]:
        rng, lot = np.random.default_rng((how.seed, epoch)), torch.Generator().manual_seed(how.seed + epoch)
        for _ in range(steps):
            crops, goals, points = [], [], []
            for _ in range(how.batch):
                faces, said = people if rng.random() < how.people else heads
                i = int(rng.integers(len(said)))
                place = jittered(faces.points[i], rng)
                crops.append(cut(faces.pictures[faces.which[i]], place, SIDE))
                points.append(place.to_crop(faces.points[i]))
                goals.append(said[i])
            x = relit(torch.from_numpy(np.stack(crops))[:, None].float() / 255, lot)
            seen = torch.ones(len(x), len(IBUG_68), dtype=torch.bool)
            x, _ = patched(x, torch.from_numpy(np.stack(points)), seen, 0.15, lot)
            yield {"x": x.contiguous(memory_format=torch.channels_last), "goal": torch.from_numpy(np.stack(goals))}

    def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
        assert isinstance(module, ShapesNetwork)
        return 10 * (module.raw(batch["x"]).float() - batch["goal"]).square().mean()

    options = FitOptions(epochs=how.epochs, rate=how.rate, warmup=0.05, decay=0.02, average=0.998, clip=1.0, half=True)
    made = fit(net.to(memory_format=torch.channels_last), batches, steps, loss, options)  # type: ignore[call-overload]
    assert isinstance(made, ShapesNetwork)
    return made
