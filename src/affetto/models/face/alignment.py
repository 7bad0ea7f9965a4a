"""A mesh turned to the front: its shape without the head's pose, and the pose without the shape.

Knows points; knows no picture and no network. In the frame used here x points to the person's left, y up and z out of
the face, and lengths are shares of the distance between the outer eye corners of the mean face.
"""

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
STILL = (33, 133, 362, 263, 168, 6, 197, 195, 8, 9, 151, 10, 109, 338, 67, 297, 127, 356, 234, 454, 21, 251, 54, 284)
"""Points that hardly move with expression: corners of the eyes, bridge of the nose, forehead, temples, ears."""


def upright(points: Points) -> Points:
    """Return points of a picture or crop (x right, y down, z away) in the frame used here."""
    return np.asarray(points * np.array([1, -1, -1], np.float32), np.float32)


def aligned(points: Points, mean: Points) -> tuple[Points, Points]:
    """Turn meshes to the front by what hardly moves (least squares: Kabsch 1976, with scale: Umeyama 1991).

    Args:
        points: n x 478 x 3 as the mesh network gives them, in any unit of length.
        mean: 478 x 3, the mean face, to which they are laid.

    Returns:
        The shapes, n x 478 x 3, and the turns, n x 3 x 3, that lead from the front to the pose.
    """
    solid = upright(points)
    still = list(STILL)
    goal = mean[still] - mean[still].mean(0)
    middle = solid[:, still].mean(1, keepdims=True)
    given = solid[:, still] - middle
    left, size, right = np.linalg.svd(np.einsum("nki,kj->nij", given, goal))
    sign = np.ones_like(size)
    sign[:, 2] = np.sign(np.linalg.det(left @ right))
    turn = (left * sign[:, None]) @ right
    scale = (size * sign).sum(1) / np.maximum((given**2).sum((1, 2)), 1e-12)
    shape = scale[:, None, None] * ((solid - middle) @ turn) + mean[still].mean(0)
    return shape.astype(np.float32), turn.astype(np.float32)


def pose(turn: Points) -> Points:
    """Return yaw, pitch and roll, n x 3, in degrees and with the signs of the space `head-pose`, of turns n x 3 x 3.

    >>> pose(np.eye(3, dtype=np.float32)[None]).round().tolist()
    [[0.0, -0.0, 0.0]]
    """
    yaw = np.arctan2(turn[:, 0, 2], turn[:, 2, 2])
    pitch = -np.arcsin(np.clip(turn[:, 1, 2], -1, 1))
    roll = np.arctan2(turn[:, 1, 0], turn[:, 1, 1])
    return np.asarray(np.degrees(np.stack([yaw, pitch, roll], 1)), np.float32)
