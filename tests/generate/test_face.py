"""Drawn heads: found by the detector, followed by the mesh, turned as asked, and the same for the same coefficients."""

from itertools import pairwise

import numpy as np
import pytest

import affetto
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.generate.acting import FACES, index
from affetto.generate.face import LOOKS, Head, shape, turned

STRAIGHT = np.zeros(3, np.float32)


def row(parts: dict[str, float]) -> np.ndarray:
    out = np.zeros(52, np.float32)
    for name, value in parts.items():
        out[index(name)] = value
    return out


def drawn(look: int, parts: dict[str, float], pose: np.ndarray = STRAIGHT) -> tuple[np.ndarray, np.ndarray]:
    canvas = np.full((360, 320, 3), 150, np.uint8)
    box = Head(LOOKS[look], 92).draw(canvas, row(parts), pose, (160, 165))
    return canvas, box


def answers(*pictures: np.ndarray) -> list[Record]:
    return affetto.perceive([Record(str(k), (Image(one),)) for k, one in enumerate(pictures)], model="face")


@pytest.fixture(scope="module")
def seen() -> dict[str, list[Record]]:
    wanted = {"neutral": {}, "joy": FACES["joy"], "surprise": FACES["surprise"], "jaw": {"jawOpen": 0.6}}
    return {name: answers(*(drawn(look, parts)[0] for look in (0, 1))) for name, parts in wanted.items()}


def value(record: Record, space: str, axis: str) -> float:
    track = next(track for track in record.tracks if track.space.id == space)
    return float(track.column(axis)[0])


def test_every_look_is_found_where_it_is_drawn() -> None:
    for look in range(len(LOOKS)):
        canvas, box = drawn(look, {})
        track = next(t for t in answers(canvas)[0].tracks if t.space.id == "ekman-8")
        assert not np.isnan(track.values).any(), look
        assert np.abs(track.box[0] - box).max() < 45, look


def test_joy_and_surprise_are_told_from_neutral(seen: dict[str, list[Record]]) -> None:
    for k in range(2):
        for feeling in ("joy", "surprise", "neutral"):
            assert value(seen[feeling][k], "ekman-8", feeling) > 0.6


def test_the_mesh_follows_jaw_and_smile(seen: dict[str, list[Record]]) -> None:
    for k in range(2):
        still = seen["neutral"][k]
        assert value(seen["jaw"][k], "arkit-52", "jawOpen") > value(still, "arkit-52", "jawOpen") + 0.2
        smile = value(seen["joy"][k], "arkit-52", "mouthSmileLeft")
        assert smile > value(still, "arkit-52", "mouthSmileLeft") + 0.12


def test_a_turned_head_is_seen_turned() -> None:
    angles = [-25.0, 0.0, 25.0]
    found = answers(*(drawn(0, {}, np.array([yaw, 0, 0], np.float32))[0] for yaw in angles))
    yaws = [value(record, "head-pose", "yaw") for record in found]
    assert all(b - a > 8 for a, b in pairwise(yaws))


def test_the_same_gives_the_same_and_another_face_another() -> None:
    first, again, other = (drawn(0, FACES["joy"])[0], drawn(0, FACES["joy"])[0], drawn(1, FACES["joy"])[0])
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_head_half_or_wholly_outside_does_no_harm() -> None:
    canvas = np.full((200, 200, 3), 90, np.uint8)
    for middle in ((0.0, 0.0), (200.0, 100.0), (100.0, 230.0), (-500.0, -500.0), (100.0, 900.0)):
        Head(LOOKS[2], 60).draw(canvas, row(FACES["anger"]), STRAIGHT, middle)
    assert canvas.shape == (200, 200, 3)


def test_turns_are_those_of_head_pose() -> None:
    ahead = np.array([0, 0, 1.0])
    assert (turned(np.array([30, 0, 0])) @ ahead)[0] > 0.4
    assert (turned(np.array([0, 30, 0])) @ ahead)[1] < -0.4
    assert (turned(np.array([0, 0, 30])) @ np.array([1.0, 0, 0]))[1] > 0.4


def test_the_file_is_small_and_whole() -> None:
    model = shape()
    n = len(model.neutral)
    assert model.moves.shape == (52, n, 3) and model.shapes.shape == (16, n, 3) and model.triangles.max() < n
    assert np.abs(model.moves[index("tongueOut")]).max() < 1e-3
