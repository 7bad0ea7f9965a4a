"""Make the small head that `affetto.generate.face` draws: `src/affetto/generate/head.npz`.

    python -m recipes.drawn_face --surface build/face/surface.npz

The points are the 478 of MediaPipe's mesh, laid on the light ICT head (`recipes/face_lessons.py` makes `surface.npz`
with a teacher), and some of its points around them, so that there is a skull. ICT-VGL/ICT-FaceKit
is under the MIT licence (Li et al. 2020, CVPR; Copyright (c) 2020 USC Institute for Creative Technologies, Vision and
Graphics Lab). What a coefficient of ARKit moves, and how heads differ, is kept in steps of int8. The file bears no
likeness of a person: the model's neutral is a mean.
"""

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from affetto.core import catalog
from affetto.datasets.ict_face import REACH, SKIN, Head, turned
from affetto.generate.face import EYE_RINGS, HEAD, INNER_LIPS, OVAL

Floats = npt.NDArray[np.float32]
AROUND = 240
"""Points beside those of the mesh."""
LOWEST = -4.5
"""Centimetres: where the head ends below, at its middle; the neck is drawn otherwise."""
EARS = 7.2
"""Centimetres from the middle, aside, beyond which there are ears, which are left out."""
CENTRE = np.array([0.0, 2.0, -1.0], np.float32)
"""From where all of the head is seen, centimetres."""


def main() -> None:
    """Make the file."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--surface", type=Path, required=True)
    args = asked.parse_args()
    head = Head.read(Path(os.environ["AFFETTO_DATA"]) / "face" / "ict-facekit-light")
    with np.load(args.surface) as file:
        near, weight = file["near"], file["weight"]
    more = around(head, (head.neutral[near] * weight[..., None]).sum(1))

    def laid(points: Floats) -> Floats:
        return np.concatenate([(points[near] * weight[..., None]).sum(1), points[more]]).astype(np.float32)

    neutral = laid(head.neutral)
    names = catalog.load("arkit-52").names
    moves = np.zeros((52, *neutral.shape), np.float32)
    for name, parts in head.arkit.items():
        moves[names.index(name)] = laid(head.expressions[list(parts)].sum(0))
    looking(moves, neutral, names, head)
    shapes = np.stack([laid(one) for one in head.identities])
    triangles = skin(neutral + 0.5 * moves[names.index("jawOpen")], neutral)
    np.savez_compressed(
        HEAD, neutral=np.round(neutral * 1000).astype(np.int16), triangles=triangles.astype(np.uint16),
        **stepped("moves", moves), **stepped("shapes", shapes),
    )  # fmt: skip
    print(HEAD, HEAD.stat().st_size, "bytes", len(neutral), "points", len(triangles), "triangles")


def around(head: Head, mesh: Floats) -> npt.NDArray[np.int64]:
    """Return points of the skin, evenly spread, that lie outside the mesh: the farthest from all others, in turn."""
    still = head.neutral[:SKIN]
    flat = _flat(still)
    inside = _within(flat, _flat(mesh)[list(OVAL)])
    ears = (np.abs(still[:, 0]) > EARS) & (np.abs(still[:, 1] - 1) < 6) & (np.abs(still[:, 2] + 1) < 6)
    free = np.flatnonzero(~inside & ~ears & (still[:, 1] > LOWEST - 0.35 * still[:, 2]))
    far = np.linalg.norm(still[free, None] - mesh[list(OVAL)][None], axis=2).min(1)
    chosen = []
    for _ in range(AROUND):
        k = int(far.argmax())
        chosen.append(free[k])
        far = np.minimum(far, np.linalg.norm(still[free] - still[free[k]], axis=1))
    return np.array(chosen)


def looking(moves: Floats, neutral: Floats, names: tuple[str, ...], head: Head) -> None:
    """Add to the looks of the eyes what they do to the irises: the ball turns by `REACH`."""
    for eye, (side, first) in enumerate((("Left", 473), ("Right", 468))):
        points = slice(first, first + 5)
        aside = REACH[0] * (1 if eye == 0 else -1)
        out = neutral[points] - head.centres[eye]
        for way, angles in (("Out", (aside, 0)), ("In", (-aside, 0)), ("Up", (0, REACH[1])), ("Down", (0, -REACH[1]))):
            moves[names.index(f"eyeLook{way}{side}"), points] = out @ turned(*angles).T - out


def skin(opened: Floats, neutral: Floats) -> npt.NDArray[np.int64]:
    """Return triangles over all points but the irises, without the holes of eyes and mouth, counter-clockwise."""
    kept = np.array([k for k in range(len(opened)) if not 468 <= k < 478])
    flat = _flat(opened)
    triangles = kept[Delaunay(flat[kept]).simplices]
    middle = flat[triangles].mean(1)
    hole = np.zeros(len(triangles), bool)
    for ring in (INNER_LIPS, *EYE_RINGS):
        hole |= _within(middle, flat[list(ring)]) & np.isin(triangles, ring).all(1)
    triangles = triangles[~hole]
    longest = np.max([np.linalg.norm(neutral[triangles[:, a]] - neutral[triangles[:, b]], axis=1)
                      for a, b in ((0, 1), (1, 2), (2, 0))], 0)  # fmt: skip
    triangles = triangles[longest < 7]
    a, b, c = (neutral[triangles[:, k]] for k in range(3))
    outward = (np.cross(b - a, c - a) * ((a + b + c) / 3 - CENTRE)).sum(1) > 0
    return np.where(outward[:, None], triangles, triangles[:, ::-1])


def stepped(name: str, values: Floats) -> dict[str, npt.NDArray[np.generic]]:
    """Return values as int8 and how large a step is in each of the first axis."""
    step = np.maximum(np.abs(values).reshape(len(values), -1).max(1), 1e-6) / 127
    return {name: np.round(values / step[:, None, None]).astype(np.int8), f"{name}_step": step.astype(np.float32)}


def _flat(points: Floats) -> Floats:
    """Return points as seen from the middle of the head: how far from straight ahead, and in which direction."""
    out = points - CENTRE
    angle = np.arccos(np.clip(out[:, 2] / np.linalg.norm(out, axis=1), -1, 1))
    way = out[:, :2] / np.maximum(np.linalg.norm(out[:, :2], axis=1, keepdims=True), 1e-6)
    return np.asarray(way * angle[:, None], np.float32)


def _within(flat: Floats, ring: Floats) -> npt.NDArray[np.bool_]:
    outline = ring.astype(np.float32).reshape(-1, 1, 2)
    return np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in flat])


if __name__ == "__main__":
    main()
