"""Puts people before a wall, frame by frame. Knows who sits where; whoever draws a person is handed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from affetto.generate.acting import Acting
from affetto.generate.talk import Boxes, Floats

Pixels = npt.NDArray[np.uint8]
WIDE, HIGH = 640, 360
ACROSS = {"left": 0.27, "middle": 0.5, "right": 0.73}
"""Where somebody sits, as a share of the width; of three people `ACROSS_3`."""
ACROSS_3 = {"left": 0.18, "middle": 0.5, "right": 0.82}
SWAY = (0.5, 0.6)
"""Pixels by which a face moves for each degree that the head is turned aside, and down."""


class Drawer(Protocol):
    """Draws one person."""

    def draw(self, canvas: Pixels, arkit: Floats, pose: Floats, middle: tuple[float, float]) -> Floats:
        """Draw a person on a picture; return left, top, right and bottom of the face, pixels."""
        ...


@dataclass(frozen=True)
class Seat:
    """One person before the wall."""

    drawer: Drawer
    middle: tuple[float, float]
    """Where the face is when the head is straight, pixels."""


def empty(acting: Mapping[str, Acting]) -> dict[str, Boxes]:
    """Return boxes to be filled by `frames`."""
    return {
        name: Boxes(one.times, np.zeros((len(one.times), 4), np.float32), one.arkit) for name, one in acting.items()
    }


def frames(
    acting: Mapping[str, Acting], seats: Mapping[str, Seat], room: Pixels, boxes: Mapping[str, Boxes], seed: int = 0
) -> Iterator[Pixels]:
    """Yield the pictures, height x width x 3, RGB, with a little noise, and write into `boxes` where faces are.

    Args:
        acting: what everybody does, of one length.
        seats: who sits where, by the same names.
        room: what is behind them.
        boxes: filled as the pictures are drawn.
        seed: of the noise.
    """
    noise = np.random.default_rng(seed).normal(0, 2, (*room.shape[:2], 1)).astype(np.float32)
    for k in range(len(next(iter(acting.values())).times)):
        canvas = room.copy()
        for name, one in acting.items():
            pose = one.pose[k]
            x, y = seats[name].middle
            spot = (x + SWAY[0] * float(pose[0]), y + SWAY[1] * float(pose[1]))
            boxes[name].box[k] = seats[name].drawer.draw(canvas, one.arkit[k], pose, spot)
        grain = np.roll(noise, (37 * k % 97, 61 * k % 101), (0, 1))
        yield np.clip(canvas + grain, 0, 255).astype(np.uint8)


def wall(rng: np.random.Generator) -> Pixels:
    """Return a background: a wall of some colour with smooth patches."""
    picture = np.full((HIGH, WIDE, 3), rng.uniform(90, 190, 3), np.float32)
    for cells, strength in ((3, 40), (11, 12)):
        grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        picture += strength * cv2.resize(grid, (WIDE, HIGH), interpolation=cv2.INTER_CUBIC)[:, :, None]
    return np.clip(picture, 0, 255).astype(np.uint8)
