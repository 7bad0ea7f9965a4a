"""Drawn heads to lay on photographs: heads of the ICT face model, cut out along their edges, with where the face is.

A head is drawn twice as large as asked for and reduced, so that its edges are soft; no camera spoils it, nothing hides
it. Knows the ICT scenes; knows no photograph. Cutting needs numba (`affetto[bench]`), knowing where the face is none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.track import Track
from affetto.datasets.ict_face import Head
from affetto.datasets.ict_scenes import Posed, Scenes, Studio

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
HOW = Scenes(yaw=55, pitch=30, hidden=0, camera=False)
LEAST, MOST = 0.40, 0.51
"""What the face takes of the side of the picture, as `Studio` has it."""
ASIDE = 25.0
"""Degrees of yaw, or of pitch, from which on a head counts as turned aside."""


@dataclass(frozen=True)
class Cutout:
    """One head, drawn when it is looked at.

    Args:
        head: the model.
        seed: of all that is drawn by lot.
        side: of its picture, pixels.
        yaw: degrees to the person's left.
        up: degrees.
        roll: degrees to the person's right shoulder.
    """

    head: Head
    seed: int
    side: int
    yaw: float
    up: float
    roll: float

    @property
    def view(self) -> str:
        """Where it looks: `front` or `aside`."""
        return "front" if max(abs(self.yaw), abs(self.up)) < ASIDE else "aside"

    def boxes(self) -> tuple[Box, Box]:
        """Return left, top, right and bottom of the 68 landmarks, and of the whole head: pixels of the picture."""
        points = np.asarray(self._posed().points / 2, np.float32)
        return _around(points[self.head.landmarks]), _around(np.clip(points, 0, self.side))

    def track(self, subject: str, box: Box) -> Track:
        """Return how the head is turned, said of a face in a box."""
        values = np.array([[self.yaw, -self.up, self.roll]])
        return Track(
            catalog.load("head-pose"), np.zeros(1), np.zeros(1), values, subject=subject, channel="face",
            source="drawn", box=np.array([box]),
        )  # fmt: skip

    def __call__(self) -> tuple[Floats, Floats]:
        """Return its greys, 0..255, and how much of each pixel it covers, 0..1, both side x side.

        Raises:
            MissingExtraError: numba is not installed.
        """
        import cv2  # noqa: PLC0415 - heavy, and whoever only counts needs none

        scene = self._studio.scene(np.random.default_rng(self.seed), HOW, pose=(self.yaw, self.up, self.roll))
        covered = (scene.triangle >= 0).astype(np.float32)
        grey, share = (
            cv2.resize(whole, (self.side, self.side), interpolation=cv2.INTER_AREA)
            for whole in (scene.picture * covered, covered)
        )
        return np.asarray(grey / np.maximum(share, 1e-6), np.float32), np.asarray(share, np.float32)

    @property
    def _studio(self) -> Studio:
        return Studio(self.head, side=2 * self.side)

    def _posed(self) -> Posed:
        return self._studio.posed(np.random.default_rng(self.seed), HOW, pose=(self.yaw, self.up, self.roll))


def cutout(head: Head, rng: np.random.Generator, face: tuple[int, int], roll: float) -> Cutout:
    """Draw a head by lot whose face is from so many to so many pixels long."""
    yaw, up = (float(np.clip(rng.normal(), -2, 2) / 2 * most) for most in (HOW.yaw, HOW.pitch))
    side = round(float(np.exp(rng.uniform(np.log(face[0] / LEAST), np.log(face[1] / MOST)))))
    return Cutout(head, int(rng.integers(1 << 62)), side, yaw, up, roll)


def _around(points: Floats) -> Box:
    x, y = points[:, 0], points[:, 1]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
