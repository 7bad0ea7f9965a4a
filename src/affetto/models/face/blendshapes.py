"""How a face moves: `face.blendshapes`: ARKit's coefficients, how the head is turned, where the eyes look in it.

A network looks at the crop (`recipes/face_shapes_network.py`); it learned from drawn heads, whose truth is exact, and
from photographs. Of a mesh without its picture, a linear map says as much as it can. The pose is no network's: it is
the turn that lays the mesh on the mean face. tongueOut is never said: the ICT head has no tongue that comes out.
Knows crops and meshes; knows no picture.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from weakref import ref

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import find
from affetto.core.catalog import load as load_card
from affetto.core.errors import MalformedError
from affetto.core.space import Space
from affetto.models.face.alignment import aligned, pose
from affetto.models.face.crop import Grey
from affetto.models.face.looking import Answer
from affetto.models.face.seen import Face
from affetto.models.weights import opened, weights

Floats = npt.NDArray[np.float32]
POINTS = 478
WIDE = 30.0
"""Degrees that the map calls 1."""


class Network:
    """The network in its file, with the mean face and the names of the coefficients.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path) -> None:
        self.session, facts = opened(path, "blendshape network", "affetto.shapes")
        self.names = tuple(facts["names"])
        self.mean: Floats = np.array(facts["mean"], np.float32).reshape(POINTS, 3)
        numbers = np.frombuffer(base64.b64decode(facts["map"]), "<f2").astype(np.float32)
        self.map: Floats = numbers.reshape(2 * POINTS + 1, -1)
        self.trust = (float(facts["trust"][0]), float(facts["trust"][1]))
        """Intercept, and slope on the log of the mesh's expected error, to the log-odds that the mesh is within 5 %."""

    def of_crops(self, crops: Grey) -> tuple[Floats, Floats]:
        """Return coefficients (n x names) and looks (n x 4, degrees: to the left and up, of both eyes) of n crops."""
        said, looks = self.session.run(["coefficients", "looks"], {"crop": crops[:, None].astype(np.float32) / 255})
        return np.asarray(said, np.float32), np.asarray(looks, np.float32)

    def of_meshes(self, meshes: Floats) -> tuple[Floats, Floats, Floats]:
        """Return coefficients, looks and pose (n x 3, degrees) of meshes, n x 478 x 3, in any unit; y down, z away."""
        shapes, turn = aligned(meshes, self.mean)
        said = (shapes - self.mean)[..., :2].reshape(len(shapes), -1) @ self.map[:-1] + self.map[-1]
        split = len(self.names)
        return np.clip(said[:, :split], 0, 1), WIDE * said[:, split:], pose(turn)

    def confidence(self, error: Floats) -> Floats:
        """Return the probability that a mesh whose expected error is this (n) is within 5 % of the eyes' distance."""
        intercept, slope = self.trust
        return np.asarray(1 / (1 + np.exp(-(intercept + slope * np.log(np.maximum(error, 1e-3))))), np.float32)


@dataclass(frozen=True)
class Blendshapes:
    """The part of `face` that says how it moves."""

    card: Card
    network: Network
    _last: list[tuple[list[ref[Face]], list[Answer]]] = field(default_factory=list, repr=False, compare=False)
    """The faces that were answered last, which are not kept, and how: `units` asks about the same ones."""

    @cached_property
    def spaces(self) -> tuple[Space, ...]:
        """ARKit's coefficients, the head's pose, and the gaze."""
        return tuple(load_card(id) for id in self.card.spaces)

    def __call__(self, faces: Sequence[Face]) -> list[Answer]:
        """Answer faces; the same ones as just before at once."""
        for last, answers in self._last:
            if [one() for one in last] == list(faces):
                return answers
        answers = self._answered(faces)
        self._last[:] = [([ref(face) for face in faces], answers)]
        return answers

    def _answered(self, faces: Sequence[Face]) -> list[Answer]:
        sure = self.network.confidence(np.array([face.error for face in faces], np.float32))
        said, looks = self.network.of_crops(np.stack([face.crop for face in faces]))
        turned = pose(aligned(np.stack([face.points for face in faces]), self.network.mean)[1])
        return self._answers(said, looks, turned, sure)

    def of(self, meshes: Floats) -> list[Answer]:
        """Answer meshes, n x 478 x 3, without their pictures; x right, y down, z away from the camera, in any unit.

        Raises:
            MalformedError: they are no such meshes.
        """
        meshes = np.asarray(meshes, np.float32)
        if meshes.ndim != 3 or meshes.shape[1:] != (POINTS, 3):
            raise MalformedError(f"meshes are n x {POINTS} x 3 numbers, not {' x '.join(map(str, meshes.shape))}")
        return self._answers(*self.network.of_meshes(meshes), None)

    def _answers(self, said: Floats, looks: Floats, turned: Floats, sure: Floats | None) -> list[Answer]:
        arkit, head, gaze = self.spaces
        values = np.full((len(said), len(arkit.axes)), np.nan, np.float32)
        values[:, [arkit.index(name) for name in self.network.names]] = said
        eyes = np.clip(looks * np.array([1, -1, 1, -1], np.float32), -90, 90)
        return [Answer(arkit, values, sure), Answer(head, turned, sure), Answer(gaze, eyes, sure)]


def load(card: Card) -> Blendshapes:
    """Load the part that a card names, once in a process: `units` asks the same one."""
    return _loaded(card.id)


@cache
def _loaded(id: str) -> Blendshapes:
    card = find(id)
    return Blendshapes(card, Network(weights(card)))
