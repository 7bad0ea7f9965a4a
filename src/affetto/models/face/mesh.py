"""The mesh of a face: 478 points of a grey crop, and how much to trust them. The network behind every part of `face`.

Points are in MediaPipe's order: 468 of the face's surface, then five of each iris. Knows crops; knows no picture that
they come from.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.models.face.crop import Grey, Place, Points
from affetto.models.weights import opened

SIDE = 112
"""Of a crop, pixels."""
AROUND = 1.5
"""How much larger than the box of the points a crop is."""
BETWEEN_EYES = (33, 263)
"""The outer corners of the right and of the left eye."""
IBUG_68 = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389, 70, 63, 105, 66, 107, 336, 296,
    334, 293, 300, 168, 197, 5, 4, 75, 97, 2, 326, 305, 33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61,
    39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
"""Which of the points are the 68 of iBUG (Sagonas et al. 2013), in their order."""


@dataclass(frozen=True)
class Meshes:
    """What the network says of n crops."""

    points: Points
    """n x 478 x 3: x and y in 0..1 of the crop, z in the same unit, negative towards the camera."""
    face: npt.NDArray[np.float32]
    """n: the probability that there is a face."""
    error: npt.NDArray[np.float32]
    """n: the mean error of the points that is to be expected, as a share of the distance between the eyes."""
    visible: npt.NDArray[np.float32]
    """n x 68: the probability that each iBUG landmark is seen."""


class FaceMesh:
    """The network in its file.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path) -> None:
        self.session, _ = opened(path, "face network")

    def __call__(self, crops: Grey) -> Meshes:
        """Find the mesh in crops, n x 112 x 112."""
        x = (crops[:, None].astype(np.float32)) / 255
        points, sure = self.session.run(["mesh", "sure"], {"crop": x})
        return Meshes(
            points.reshape(len(crops), -1, 3),
            _logistic(sure[:, 0]),
            np.exp(sure[:, 1]),
            _logistic(sure[:, 2:]),
        )


def place_of(points: Points) -> Place:
    """Return where to cut a face out, from its points in pixels: turned so that the eyes are level."""
    right, left = points[BETWEEN_EYES[0], :2], points[BETWEEN_EYES[1], :2]
    angle = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    cos, sin = np.cos(angle), np.sin(angle)
    level = points[:468, :2] @ np.array([[cos, -sin], [sin, cos]], np.float32)
    low, high = level.min(0), level.max(0)
    x, y = (low + high) / 2
    return Place(
        float(cos * x - sin * y), float(sin * x + cos * y), AROUND * max(1e-3, float((high - low).max())), angle
    )


def _logistic(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)
