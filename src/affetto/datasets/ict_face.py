"""The light ICT face model: a head of 26,719 points, 16 ways in which heads differ, 57 expressions, eyes that turn.

Knows the file `ict_face_light.npz` (ICT-VGL/ICT-FaceKit, MIT, packed) and what its parts are; draws nothing. Lengths
are centimetres; x points to the person's left, y up, z out of the face.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
FACE, SKIN = 9409, 11248
"""Points before the first are the face's own; those before the second are skin."""
GUMS, TEETH, BALLS = 14062, 17039, 21451
"""Where gums and tongue, teeth, and the balls of the eyes begin; before the gums lie the sockets of mouth and eyes."""
EYES = ((22221, 23021), (23791, 24591))
"""The points of the left and of the right ball, as drawn; what lies around and over them is left out."""
REACH = (30.0, 25.0)
"""Degrees, aside and up or down, to which an eye turns where its coefficient is 1."""


@dataclass(frozen=True)
class Head:
    """The model, ready to be mixed."""

    neutral: Floats
    """n x 3."""
    expressions: Floats
    """57 x n x 3, added where their weight is 1."""
    identities: Floats
    """16 x n x 3, for one deviation each."""
    names: tuple[str, ...]
    """Of the expressions, in ICT's spelling."""
    triangles: Ints
    """t x 3, of the parts that are drawn."""
    landmarks: Ints
    """68: the points of the iBUG scheme."""

    @staticmethod
    def read(folder: Path) -> "Head":
        """Read `ict_face_light.npz` and `vertex_indices.json` of a folder."""
        import json  # noqa: PLC0415

        with np.load(folder / "ict_face_light.npz") as file:
            scale = float(file["delta_scale"])
            quads, more = file["quads"].astype(np.int32), file["tris"].astype(np.int32)
            triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], more])
            drawn = triangles.max(1) < BALLS
            for start, end in EYES:
                drawn |= (triangles.min(1) >= start) & (triangles.max(1) < end)
            marks = json.loads((folder / "vertex_indices.json").read_text("utf-8"))["idx_to_landmark_verts"]
            return Head(
                file["neutral"],
                file["expression_deltas_q"].astype(np.float32) * np.float32(scale),
                file["identity_deltas_q"].astype(np.float32) * np.float32(scale),
                tuple(str(name) for name in file["expression_names"]),
                triangles[drawn],
                np.array(marks, np.int32),
            )

    @cached_property
    def arkit(self) -> dict[str, tuple[int, ...]]:
        """Which expressions make a coefficient of ARKit, by its name there; tongueOut has none."""
        made: dict[str, list[int]] = {}
        for i, name in enumerate(self.names):
            plain = name.replace("_L", "Left").replace("_R", "Right")
            if plain.startswith(("browInnerUp", "cheekPuff")):
                plain = plain.removesuffix("Left").removesuffix("Right")
            made.setdefault(plain, []).append(i)
        return {
            name: tuple(parts) for name, parts in made.items() if not name.startswith(("PupilDilate", "cheekRaiser"))
        }

    @cached_property
    def centres(self) -> Floats:
        """2 x 3: the middles of the left and the right ball."""
        return np.stack([_middle(self.neutral[start:end]) for start, end in EYES])

    def mixed(self, identity: Floats, weights: Floats) -> Floats:
        """Return the points, n x 3, of a person (16) with an expression (57, 0..1 each), who looks where it says."""
        moved = np.tensordot(identity, self.identities, 1)
        points = self.neutral + moved
        for i in np.flatnonzero(weights):
            points += weights[i] * self.expressions[i]
        for eye, (start, end) in enumerate(EYES):
            centre = self.centres[eye] + moved[start:end].mean(0)
            points[start:end] = (points[start:end] - centre) @ turned(*self.gaze(weights, eye)).T + centre
        return np.asarray(points, np.float32)

    def gaze(self, weights: Floats, eye: int) -> tuple[float, float]:
        """Return where an eye looks (0 the left, 1 the right): degrees to the person's left, and up."""
        side = "LR"[eye]
        look = {way: float(weights[self.names.index(f"eyeLook{way}_{side}")]) for way in ("In", "Out", "Up", "Down")}
        left = (look["Out"] - look["In"]) * (1 if eye == 0 else -1)
        return left * REACH[0], (look["Up"] - look["Down"]) * REACH[1]


def turned(left: npt.ArrayLike, up: npt.ArrayLike, roll: npt.ArrayLike = 0.0) -> Floats:
    """Return the turns, ... x 3 x 3, of what looks along z: a roll to its right shoulder, then up, then to its left.

    Args:
        left: degrees, of any shape, like the others.
        up: degrees.
        roll: degrees.
    """
    yaw, pitch, tilt = np.broadcast_arrays(*(np.radians(x) for x in (left, np.negative(up), roll)))
    (cy, sy), (cx, sx), (cz, sz) = ((np.cos(x), np.sin(x)) for x in (yaw, pitch, tilt))
    rows = [
        [cy * cz + sy * sx * sz, sy * sx * cz - cy * sz, sy * cx],
        [cx * sz, cx * cz, -sx],
        [cy * sx * sz - sy * cz, sy * sz + cy * sx * cz, cy * cx],
    ]
    return np.asarray(np.moveaxis(np.array(rows), (0, 1), (-2, -1)), np.float32)


def _middle(points: Floats) -> Floats:
    """Return the centre of the sphere nearest to points (least squares)."""
    system = np.concatenate([2 * points, np.ones((len(points), 1), np.float32)], 1)
    return np.asarray(np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0][:3], np.float32)
