"""How heads and eyes turn, in the axes of `head-pose` and `gaze`, and in those of other tools.

Axes: x to the person's own left, y up, z out of the face. A head's turn is Ry(yaw) Rx(pitch) Rz(roll), each of them
right-handed. OpenFace has x as here, y down and z away from the camera, and turns by Rx Ry Rz. Knows angles; no file.
"""

import numpy as np

from affetto.core.track import Array

MIRROR = np.diag([1.0, -1.0, -1.0])
"""From these axes to those of OpenFace's camera, and back."""


def about(axis: int, degrees: Array) -> Array:
    """Return right-handed turns about x, y or z (0, 1, 2): n x 3 x 3."""
    angle = np.radians(np.asarray(degrees, np.float64))
    turn = np.zeros((*angle.shape, 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn[..., axis, axis] = 1
    turn[..., i, i] = turn[..., j, j] = np.cos(angle)
    turn[..., j, i], turn[..., i, j] = np.sin(angle), -np.sin(angle)
    return turn


def turn(pose: Array) -> Array:
    """Return the turns (n x 3 x 3) of rows of yaw, pitch and roll in degrees."""
    turns: Array = about(1, pose[:, 0]) @ about(0, pose[:, 1]) @ about(2, pose[:, 2])
    return turns


def pose(turns: Array) -> Array:
    """Return yaw (-180..180), pitch (-90..90) and roll (-180..180) in degrees of turns, n x 3."""
    yaw = np.arctan2(turns[:, 0, 2], turns[:, 2, 2])
    pitch = -np.arcsin(np.clip(turns[:, 1, 2], -1, 1))
    roll = np.arctan2(turns[:, 1, 0], turns[:, 1, 1])
    angles: Array = np.degrees(np.stack([yaw, pitch, roll], 1))
    return angles


def to_openface(rows: Array) -> Array:
    """Return Rx, Ry and Rz in radians, as OpenFace has them, of yaw, pitch and roll in degrees.

    >>> to_openface(np.array([[30.0, 0.0, 0.0]])).round(3).tolist()
    [[0.0, -0.524, 0.0]]
    """
    turns = MIRROR @ turn(rows) @ MIRROR
    x = np.arctan2(-turns[:, 1, 2], turns[:, 2, 2])
    y = np.arcsin(np.clip(turns[:, 0, 2], -1, 1))
    z = np.arctan2(-turns[:, 0, 1], turns[:, 0, 0])
    angles: Array = np.stack([x, y, z], 1) + 0.0
    return angles


def from_openface(rows: Array) -> Array:
    """Return yaw, pitch and roll in degrees of OpenFace's Rx, Ry and Rz in radians."""
    x, y, z = np.degrees(rows).T
    return pose(MIRROR @ about(0, x) @ about(1, y) @ about(2, z) @ MIRROR)


def look(angles: Array) -> Array:
    """Return unit vectors (n x 3) of rows of yaw and pitch in degrees, right-handed as above.

    >>> look(np.array([[90.0, 0.0]])).round(3).tolist()
    [[1.0, 0.0, 0.0]]
    """
    yaw, pitch = np.radians(np.asarray(angles, np.float64)).T
    vectors: Array = np.stack([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], 1) + 0.0
    return vectors


def looked(vectors: Array) -> Array:
    """Return yaw and pitch in degrees of vectors of any length, n x 2."""
    x, y, z = vectors.T
    angles: Array = np.degrees(np.stack([np.arctan2(x, z), np.arctan2(-y, np.hypot(x, z))], 1))
    return angles


def seen_from_camera(head: Array, eyes: Array) -> Array:
    """Return yaw and pitch from the camera (n x 2) of eyes whose yaw and pitch from the head are given."""
    return looked((turn(head) @ look(eyes)[:, :, None])[:, :, 0])


def seen_from_head(head: Array, eyes: Array) -> Array:
    """Return yaw and pitch from the head (n x 2) of eyes whose yaw and pitch from the camera are given."""
    return looked((np.swapaxes(turn(head), 1, 2) @ look(eyes)[:, :, None])[:, :, 0])
