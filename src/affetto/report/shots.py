"""A contact sheet along the clock: of each stretch of a film and each person, the moment that shows most.

The stretches are even, so that the whole film is seen; in each it is the peak that is shown, with its label and its
time. Knows films and people; knows no codec.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from affetto.core.signal import Frames
from affetto.core.track import Array
from affetto.report import faces
from affetto.report.faces import Person
from affetto.report.strips import GREY, INK, clock

SIDE = 144
"""Pixels of a small picture."""
INCHES = 0.86
"""Its side on paper."""
_FLOOR = 0.28
"""How high above the floor of their strip they stand, as a share of its height; the words are below."""
_AROUND = 1.35
"""The shown square as a multiple of the longer side of the box."""


@dataclass(frozen=True)
class Shot:
    """One small picture."""

    slot: int
    second: float
    pixels: Array
    words: str


def shots(frames: Frames, everybody: Sequence[Person], slots: int, end: float) -> list[list[Shot]]:
    """Return the small pictures of each person, at most one a slot; the film is read once, a few frames at a time."""
    wanted: list[tuple[float, int, int, int]] = []
    for number, person in enumerate(everybody):
        wanted += [
            (float(person.main.start[row]), number, slot, row) for slot, row in _peaks(person, slots, end).items()
        ]
    wanted.sort()
    found: list[list[Shot]] = [[] for _ in everybody]
    for second, frame in faces.moments(frames) if wanted else ():
        while wanted and wanted[0][0] <= second + faces.NEAR:
            start, number, slot, row = wanted.pop(0)
            track = everybody[number].main
            assert track.box is not None  # `_peaks` chooses rows with a box
            found[number].append(Shot(slot, start, small(frame, track.box[row], SIDE), faces.caption(track, row)))
        if not wanted:
            break
    return found


def draw_shots(axes: Any, mine: Sequence[Shot], slots: int, end: float) -> None:
    """Draw the small pictures of one person, each in the middle of its stretch."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage  # noqa: PLC0415 - an extra

    step = 0.1 if end < 2 * slots else 1
    for shot in mine:
        at = ((shot.slot + 0.5) * end / slots, _FLOOR)
        image = OffsetImage(shot.pixels, zoom=72 * INCHES / SIDE, interpolation="bilinear")
        axes.add_artist(AnnotationBbox(image, at, frameon=False, pad=0, box_alignment=(0.5, 0)))
        for down, words, size, ink in ((3, shot.words, 7.5, INK), (13, clock(shot.second, step), 6.5, "#888888")):
            look = {"ha": "center", "va": "top", "fontsize": size, "color": ink, "annotation_clip": False}
            axes.annotate(words, at, (0, -down), textcoords="offset points", **look)
    for slot in sorted(set(range(slots)) - {shot.slot for shot in mine}):
        axes.text((slot + 0.5) * end / slots, 0.6, "no face", ha="center", va="center", fontsize=7, color=GREY)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def small(frame: Array, box: Array, side: int) -> Array:
    """Return the square around a box, side x side; beyond the frame its edge goes on."""
    left, top, right, bottom = (float(x) for x in box)
    half = max(right - left, bottom - top, 2.0) * _AROUND / 2
    scale = side / (2 * half)
    turn = np.array(
        [[scale, 0, side / 2 - scale * (left + right) / 2], [0, scale, side / 2 - scale * (top + bottom) / 2]]
    )
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if scale < 0.5:  # warpAffine skips pixels, so that the frame is made smaller first
        frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        turn[:, :2] = np.eye(2)
    return np.asarray(cv2.warpAffine(frame, turn, (side, side), flags=how, borderMode=cv2.BORDER_REPLICATE))


def _peaks(person: Person, slots: int, end: float) -> dict[int, int]:
    """Return, for each slot in which the person is seen, the row that shows most."""
    track = person.main
    if track.box is None:
        return {}
    shown = faces.strength(track)
    good = ~np.isnan(shown) & np.isfinite(track.box).all(1)
    slot = np.minimum((track.start * slots / max(end, 1e-9)).astype(int), slots - 1)
    best: dict[int, int] = {}
    for row in np.flatnonzero(good):
        here = int(slot[row])
        if here not in best or shown[row] > shown[best[here]]:
            best[here] = int(row)
    return best
