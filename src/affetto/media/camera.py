"""A camera as live Frames: `camera:0` is the first one of this machine.

Frames come as they are seen, at most so many a second, until the camera stops or nobody asks for more. Nothing is kept.
Knows OpenCV's cameras; knows no files.
"""

import math
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Block, Frames, Times
from affetto.media.picking import BYTES, RATES, USUAL

_SOON = 0.05
"""Share of a tick by which a picture may come before it."""
_NAME = re.compile(r"camera:(\d{1,3})")


def read_camera(path: str, rate: float) -> Record:
    """Return a Record with live Frames; the camera is tried at once, and opened again when they are asked for.

    Args:
        path: `camera:` and its number, from 0.
        rate: frames a second, at most; 0: all that it gives.

    Raises:
        UnreadableError: there is no such camera, or it gives no picture.
    """
    found = _NAME.fullmatch(path)
    if found is None:
        raise UnreadableError(f"{path!r} names no camera; the first one is 'camera:0', the second 'camera:1'")
    number = int(found[1])
    device = _opened(number)
    try:
        picture = _look(device)
        own = float(device.get(cv2.CAP_PROP_FPS))
    finally:
        device.release()
    if picture is None:
        raise UnreadableError(f"camera {number} is there but gives no picture; is another program using it?")
    mean = rate or (own if RATES[0] <= own <= RATES[1] else USUAL)
    size = (picture.shape[1], picture.shape[0])
    clock = partial(_timed, number, rate, size)
    signal = Frames(path, mean, math.nan, partial(_blocks, clock), size, clock)
    return Record(f"camera-{number}", (signal,), meta={"path": path})


def _timed(number: int, rate: float, size: tuple[int, int], block: float) -> Iterator[tuple[Times, Block]]:
    room = max(1, BYTES // (size[0] * size[1] * 3))
    times: list[float] = []
    held: list[Block] = []
    for second, picture in _seen(number, rate):
        if picture.shape[1::-1] != size:
            picture = cv2.resize(picture, size)  # noqa: PLW2901 - the same one, at the size that was said
        times.append(second)
        held.append(picture)
        if len(held) >= room or second + (1 + _SOON) / (rate or math.inf) >= times[0] + block:
            yield np.array(times), np.stack(held)
            times, held = [], []
    if held:
        yield np.array(times), np.stack(held)


def _seen(number: int, rate: float) -> Iterator[tuple[float, Block]]:
    """Yield pictures and the seconds since the first; those that come too soon are left out."""
    device = _opened(number)
    start, due = math.nan, 0.0
    try:
        while (picture := _look(device)) is not None:
            now = time.monotonic()
            start = now if math.isnan(start) else start
            second = now - start
            if second >= due - _SOON / (rate or 1):
                due = (math.floor(second * rate + _SOON) + 1) / rate if rate else 0.0
                yield second, picture
    finally:
        device.release()


def _blocks(clock: Callable[[float], Iterator[tuple[Times, Block]]], block: float) -> Iterator[Block]:
    return (pictures for _, pictures in clock(block))


def _opened(number: int) -> Any:
    level = cv2.getLogLevel()
    cv2.setLogLevel(0)  # what it would print is said in our sentence
    try:
        device = cv2.VideoCapture(number)
    finally:
        cv2.setLogLevel(level)
    if not device.isOpened():
        device.release()
        raise UnreadableError(f"there is no camera {number} here, or it may not be opened; name a film instead")
    return device


def _look(device: Any) -> Block | None:
    good, picture = device.read()
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)) if good else None
