"""People who sit in made talks: the ICT head with a paint and lamps of its own, driven frame by frame, in colour.

Knows `datasets.ict_scenes`, whose paint it takes, and curves of ARKit's coefficients; knows no talk. Drawing needs
numba.
"""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.datasets.ict_face import Floats, Head, turned
from affetto.datasets.ict_scenes import Studio
from affetto.datasets.rasteriser import drawn, normals

AWAY = 75.0
"""Centimetres between the camera and a head."""
SPREAD = 0.8
"""Deviations of the identities drawn by lot, of the model's own."""
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sitter:
    """One person as a picture, always alike for the same seed.

    Args:
        head: the model.
        seed: of the identity, the paint, the clothes and the lamps.
        face: pixels from the brows to the chin.
    """

    head: Head
    seed: int
    face: float
    light: int = 0
    """Seed of the lamps: people of one talk share them."""
    lamps: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Hang the lamps."""
        rng = np.random.default_rng([self.light, 5])
        lamps = rng.normal(size=(2, 3)) * [0.7, 0.4, 0.3] + [0, 0.5, 1.0]
        object.__setattr__(self, "lamps", (lamps / np.linalg.norm(lamps, axis=1)[:, None]).astype(np.float32))

    @cached_property
    def identity(self) -> Floats:
        """16."""
        return (SPREAD * np.random.default_rng([self.seed, 1]).normal(size=16)).astype(np.float32)

    @cached_property
    def paint(self) -> Floats:
        """How bright each point's paint is."""
        return Studio(self.head)._painted(np.random.default_rng([self.seed, 2]), False)

    @cached_property
    def tint(self) -> tuple[Floats, Floats]:
        """The colours of skin and of clothes, 0..1."""
        rng = np.random.default_rng([self.seed, 3])
        skin = np.array([1.0, rng.uniform(0.74, 0.88), rng.uniform(0.6, 0.78)])
        return skin.astype(np.float32), rng.uniform(0.1, 0.7, 3).astype(np.float32)

    @cached_property
    def scale(self) -> float:
        """Pixels a centimetre."""
        still = self.head.mixed(self.identity, np.zeros(len(self.head.names), np.float32))
        marks = still[self.head.landmarks]
        return float(self.face / np.ptp(marks[17:, 1], 0))

    @cached_property
    def movements(self) -> list[tuple[int, tuple[int, ...]]]:
        """Which of the 52 coefficients moves which expressions of the head."""
        names = catalog.load("arkit-52").names
        return [(names.index(name), parts) for name, parts in self.head.arkit.items()]

    def draw(self, canvas: Pixels, arkit: Floats, pose: Floats, middle: tuple[float, float]) -> Floats:
        """Draw this person on a picture; return the box of the face: left, top, right, bottom in pixels.

        Args:
            canvas: height x width x 3, is drawn on.
            arkit: 52 coefficients.
            pose: yaw, pitch down and roll, degrees.
            middle: where the middle of the landmarks is, pixels.
        """
        weights = np.zeros(len(self.head.names), np.float32)
        for k, parts in self.movements:
            weights[list(parts)] = arkit[k]
        solid = self.head.mixed(self.identity, weights)
        centre = self.head.neutral[self.head.landmarks].mean(0)
        solid = (solid - centre) @ turned(pose[0], -pose[1], pose[2]).T
        flat = solid[:, :2] * (AWAY / (AWAY - solid[:, 2:]))
        side = int(3.2 * self.face)
        shift = np.array([middle[0] - side / 2, middle[1] - side / 2])
        whole = np.floor(shift).astype(int)
        x, y = side / 2 + flat[:, 0] * self.scale, side / 2 - flat[:, 1] * self.scale
        points = np.stack([x + shift[0] - whole[0], y + shift[1] - whole[1], solid[:, 2] * self.scale], 1)
        points = points.astype(np.float32)
        normal = normals(np.ascontiguousarray(solid, np.float32), self.head.triangles)
        light = 0.62 + 0.5 * np.clip(normal @ self.lamps.T, 0, None).sum(1)
        shades = np.clip(self.paint * light, 0, 1).astype(np.float32)
        shade, _, which = drawn(points, shades, self.head.triangles, side, side)
        self._paste(canvas, shade, which >= 0, whole)
        self._dress(canvas, middle)
        marks = points[self.head.landmarks, :2] + whole
        return np.array([*marks.min(0), *marks.max(0)], np.float32)

    def _dress(self, canvas: Pixels, middle: tuple[float, float]) -> None:
        """Lay clothes over the shoulders."""
        x, y = round(middle[0]), round(middle[1] + 2.3 * self.face)
        colour = tuple(float(c * 255) for c in self.tint[1])
        cv2.ellipse(
            canvas, (x, y), (round(1.5 * self.face), round(1.05 * self.face)), 0, 0, 360, colour, -1, cv2.LINE_AA
        )

    def _paste(self, canvas: Pixels, shade: Floats, covered: npt.NDArray[np.bool_], at: npt.NDArray[np.int64]) -> None:
        grey = cv2.GaussianBlur(np.where(covered, np.nan_to_num(shade), 0).astype(np.float32), (0, 0), 0.7)
        share = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), 0.7)
        side = len(shade)
        left, top = max(0, -int(at[0])), max(0, -int(at[1]))
        right, bottom = min(side, canvas.shape[1] - int(at[0])), min(side, canvas.shape[0] - int(at[1]))
        part = canvas[at[1] + top : at[1] + bottom, at[0] + left : at[0] + right]
        grey, share = grey[top:bottom, left:right, None], share[top:bottom, left:right, None]
        part[:] = np.clip(grey * self.tint[0] * 255 + (1 - share) * part, 0, 255).astype(np.uint8)
