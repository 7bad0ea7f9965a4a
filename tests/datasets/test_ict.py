"""The drawn heads: how the model mixes and turns, how triangles are drawn, and whether scenes say what they show."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import MissingExtraError
from affetto.datasets import ict_scenes, rasteriser
from affetto.datasets.head_cutouts import cutout
from affetto.datasets.ict_face import EYES, REACH, Head, turned
from affetto.datasets.ict_scenes import Scenes, Studio

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ANGLE = st.floats(-180, 180, width=32)
SHARE = st.floats(0, 1, width=32)
HIGH, WIDE = 20, 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ict")
    catalog.load("ict-renders").faker(made)
    return made


@pytest.fixture(scope="module")
def head(folder: Path) -> Head:
    return Head.read(folder)


@pytest.fixture(scope="module")
def real() -> Head:
    if not (DATA / "face" / "ict-facekit-light").is_dir():
        pytest.skip("the corpus is not here")
    return Head.read(DATA / "face" / "ict-facekit-light")


def weights(head: Head, **of: float) -> np.ndarray:
    out = np.zeros(len(head.names), np.float32)
    for name, value in of.items():
        out[head.names.index(name)] = value
    return out


def right_handed(axis: int, degrees: float) -> np.ndarray:
    """Return the turn about one axis that takes the next axis towards the one after it."""
    out = np.eye(3)
    a, b, angle = (axis + 1) % 3, (axis + 2) % 3, np.radians(degrees)
    out[a, a] = out[b, b] = np.cos(angle)
    out[b, a], out[a, b] = np.sin(angle), -np.sin(angle)
    return out


def way_of(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return where the z axis went when points turned (Kabsch)."""
    u, _, v = np.linalg.svd((after - after.mean(0)).T.astype(float) @ (before - before.mean(0)).astype(float))
    return (u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v)[:, 2]


def test_a_head_without_anything_is_neutral(head: Head) -> None:
    still = head.mixed(np.zeros(16, np.float32), weights(head))
    assert np.allclose(still, head.neutral, atol=1e-5)


def test_expressions_add_up(head: Head) -> None:
    smile = head.mixed(np.zeros(16, np.float32), weights(head, mouthSmile_L=0.5))
    assert np.allclose(smile[:40, 1] - head.neutral[:40, 1], 0.1, atol=1e-5)
    assert np.allclose(smile[40:], head.neutral[40:], atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(SHARE, SHARE, st.booleans(), st.booleans())
def test_a_gaze_turns_the_balls_by_the_degrees_it_says(head: Head, aside: float, up: float, out: bool, down: bool):
    sign = -1 if down else 1
    for eye, (side, own) in enumerate((("L", 1), ("R", -1))):
        look = {f"eyeLook{'Out' if out else 'In'}_{side}": aside, f"eyeLook{'Down' if down else 'Up'}_{side}": up}
        said = head.gaze(weights(head, **look), eye)
        assert said == pytest.approx((aside * REACH[0] * own * (1 if out else -1), sign * up * REACH[1]), abs=1e-4)
        balls = [
            points[slice(*EYES[eye])] for points in (head.neutral, head.mixed(np.zeros(16), weights(head, **look)))
        ]
        x, y, z = way_of(*balls)
        seen = np.degrees(np.arctan2(x, z)), np.degrees(np.arcsin(np.clip(y, -1, 1)))
        assert seen == pytest.approx(said, abs=0.05)
        assert np.allclose(balls[0].mean(0) - balls[1].mean(0), 0, atol=0.2)


@given(ANGLE, ANGLE, ANGLE)
def test_a_turn_is_yaw_after_pitch_after_roll(left: float, up: float, roll: float) -> None:
    wanted = right_handed(1, left) @ right_handed(0, -up) @ right_handed(2, roll)
    assert np.allclose(turned(left, up, roll), wanted, atol=1e-5)


def test_turns_go_where_they_say_and_come_in_any_shape() -> None:
    assert turned(30, 0)[0, 2] > 0 and turned(0, 30)[1, 2] > 0 and turned(0, 0, 30)[0, 1] < 0
    many = turned(np.arange(6.0).reshape(2, 3), 5)
    assert many.shape == (2, 3, 3, 3) and np.allclose(many[1, 2], turned(5, 5))


@pytest.mark.corpus
def test_the_real_head_has_all_of_arkit_but_the_tongue(real: Head) -> None:
    names = set(catalog.load("arkit-52").names)
    assert set(real.arkit) == names - {"tongueOut"} and len(real.arkit) == 51
    parts = [part for own in real.arkit.values() for part in own]
    assert len(parts) == len(set(parts)) and len(real.names) == 57
    assert real.triangles.max() < len(real.neutral) == 26719 and len(set(real.landmarks.tolist())) == 68


@pytest.mark.corpus
def test_the_real_head_moves_as_its_expressions_are_called(real: Head) -> None:
    still = real.neutral[real.landmarks]

    def moved(**of: float) -> np.ndarray:
        return real.mixed(np.zeros(16, np.float32), weights(real, **of))[real.landmarks]

    assert moved(jawOpen=1)[8, 1] < still[8, 1] - 1
    assert moved(mouthSmile_L=1)[54, 1] > still[54, 1] + 0.3 and abs(moved(mouthSmile_L=1)[48, 1] - still[48, 1]) < 0.1
    shut, open = (np.linalg.norm(points[43] - points[47]) for points in (moved(eyeBlink_L=1), still))
    assert shut < open / 2 and still[54, 0] > 0 > still[48, 0]
    for k, (start, end) in enumerate(EYES):
        away = np.linalg.norm(real.neutral[start:end] - real.centres[k], axis=1)
        assert away.std() < 0.05 * away.mean()


def oracle(corners: np.ndarray) -> np.ndarray:
    """Return the shares of three corners in each pixel, HIGH x WIDE x 3, by solving for them."""
    y, x = np.mgrid[:HIGH, :WIDE].astype(float)
    return np.stack([x, y, np.ones_like(x)], 2) @ np.linalg.inv(np.vstack([corners[:, :2].T, np.ones(3)])).T


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-4, 28, width=32), min_size=6, max_size=6), st.lists(SHARE, min_size=3, max_size=3))
def test_a_triangle_covers_what_lies_in_it_and_blends_its_corners(flat: list[float], shade: list[float]) -> None:
    pytest.importorskip("numba")
    corners = np.concatenate([np.array(flat, np.float32).reshape(3, 2), [[1], [2], [3]]], 1).astype(np.float32)
    (ax, ay), (bx, by), (cx, cy) = corners[:, :2].astype(float)
    if abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) < 1:
        return
    one = np.array([[0, 1, 2]], np.int32)
    shades, near, which = rasteriser.drawn(corners, np.array(shade, np.float32), one, HIGH, WIDE)
    assert shades.shape == near.shape == which.shape == (HIGH, WIDE)
    assert np.array_equal(which < 0, np.isnan(shades)) and np.array_equal(which < 0, np.isneginf(near))
    parts = oracle(corners)
    clear, inside = np.abs(parts).min(2) > 1e-3, which == 0
    assert np.array_equal(inside[clear], (parts.min(2) > 0)[clear])
    assert np.allclose(shades[inside], (parts @ shade)[inside], atol=1e-3)
    assert np.allclose(near[inside], (parts @ corners[:, 2])[inside], atol=1e-2)


def test_as_many_pixels_are_drawn_as_a_triangle_is_large() -> None:
    pytest.importorskip("numba")
    corners = np.array([[10.3, 5.2, 0], [90.7, 20.1, 0], [30.2, 95.8, 0]], np.float32)
    _, _, which = rasteriser.drawn(corners, np.zeros(3, np.float32), np.array([[0, 1, 2]], np.int32), 100, 100)
    u, v = corners[1, :2] - corners[0, :2], corners[2, :2] - corners[0, :2]
    assert (which == 0).sum() == pytest.approx(abs(u[0] * v[1] - u[1] * v[0]) / 2, rel=0.01)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_nearer_wins_whatever_the_order_even_where_two_cross(order: list[int]) -> None:
    pytest.importorskip("numba")
    flat = np.array([[0, 0], [23, 0], [0, 19]], np.float32)
    points = np.concatenate([np.c_[flat, [1, 1, 1]], np.c_[flat, [0, 3, 0]]]).astype(np.float32)
    both = np.array([[0, 1, 2], [3, 4, 5]], np.int32)[order]
    shades, near, which = rasteriser.drawn(points, np.repeat(np.float32([0.2, 0.8]), 3), both, HIGH, WIDE)
    x = np.arange(WIDE)[None] + np.zeros((HIGH, 1))
    drawn = which >= 0
    assert np.allclose(near[drawn], np.maximum(1, 3 * x / 23)[drawn], atol=1e-4)
    clear = drawn & (np.abs(3 * x / 23 - 1) > 0.01)
    assert np.allclose(shades[clear], np.where(3 * x / 23 > 1, 0.8, 0.2)[clear])
    assert {order[k] for k in which[drawn]} == {0, 1}


def test_normals_are_of_unit_length_and_stand_on_the_surface() -> None:
    pytest.importorskip("numba")
    corners = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], np.float32)
    faces = [[a, b, c] if np.linalg.det(corners[[a, b, c]]) > 0 else [a, c, b]
             for a in (0, 3) for b in (1, 4) for c in (2, 5)]  # fmt: skip
    assert np.allclose(rasteriser.normals(corners, np.array(faces, np.int32)), corners, atol=1e-6)


def test_without_numba_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingExtraError, match=r"drawing faces.*bench"):
        rasteriser._compiled.__wrapped__()


def test_the_same_seed_gives_the_same_bytes(head: Head) -> None:
    pytest.importorskip("numba")
    studio = Studio(head)
    one, again, other = (studio.scene(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.picture.tobytes() == again.picture.tobytes() != other.picture.tobytes()
    assert np.array_equal(one.points, again.points) and np.array_equal(one.triangle, again.triangle)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1 << 40))
def test_the_truth_is_known_before_it_is_drawn_and_within_its_ranges(head: Head, seed: int) -> None:
    how = Scenes(yaw=40, pitch=20, roll=10)
    posed = Studio(head, side=96).posed(np.random.default_rng(seed), how)
    assert posed.weights.min() >= 0 and posed.weights.max() <= 1 and posed.identity.shape == (16,)
    assert all(abs(angle) <= most for angle, most in zip(posed.pose, (40, 20, 10), strict=True))
    assert all(abs(angle) <= most for angle, most in zip(posed.gaze, REACH * 2, strict=True))
    marks = posed.points[head.landmarks, :2]
    assert 0.39 * 96 <= np.ptp(marks, 0).max() <= 0.52 * 96
    assert np.allclose((marks.max(0) + marks.min(0)) / 2, 48, atol=0.01)


def test_a_scene_is_what_was_posed(head: Head) -> None:
    pytest.importorskip("numba")
    studio, said = Studio(head), weights(head, jawOpen=0.5, eyeLookUp_L=1)
    given = {"weights": said, "identity": np.ones(16, np.float32), "pose": (20.0, -10.0, 5.0)}
    for what in ({}, given):
        posed, scene = (way(np.random.default_rng(8), **what) for way in (studio.posed, studio.scene))
        assert np.array_equal(posed.points, scene.points) and np.array_equal(posed.weights, scene.weights)
        assert (posed.pose, posed.gaze) == (scene.pose, scene.gaze)
        assert scene.picture.shape == scene.triangle.shape == (studio.side, studio.side) and scene.seen.shape == (68,)
        assert -1 == scene.triangle.min() < scene.triangle.max() < len(head.triangles)
    assert posed.weights is said and posed.pose == given["pose"] and posed.gaze[1] == REACH[1]


def test_what_something_covers_is_not_seen(head: Head) -> None:
    pytest.importorskip("numba")
    studio, lost = Studio(head), 0
    for seed in range(12):
        open, hidden = (
            studio.scene(np.random.default_rng(seed), Scenes(hidden=share, camera=False)) for share in (0, 1)
        )
        assert np.array_equal(open.points, hidden.points) and not (hidden.seen & ~open.seen).any()
        x, y = np.round(open.points[head.landmarks, :2]).astype(int).T
        covered = open.picture[y, x] != hidden.picture[y, x]
        assert not hidden.seen[covered].any()
        lost += int((open.seen & ~hidden.seen).sum())
    assert lost > 20


def test_reading_the_corpus_draws_nothing_until_a_picture_is_looked_at(
    folder: Path, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numba")
    with monkeypatch.context() as patch:
        patch.setattr(ict_scenes, "drawn", lambda *_: pytest.fail("a picture was drawn"))
        records = list(catalog.load("ict-renders").read("test", folder=folder))
    assert [record.id for record in records] == ["920000", "920001", "920002"]
    for record in records:
        scene = Studio(head).scene(np.random.default_rng(int(record.id)))
        image, tracks = record.signals[0], {track.space.id: track for track in record.tracks}
        assert image.size == (168, 168) and image.pixels.shape == (168, 168, 3)
        assert all(np.array_equal(image.pixels[:, :, k], scene.picture) for k in range(3))
        marks = scene.points[head.landmarks, :2]
        assert all(np.allclose(track.box[0], [*marks.min(0), *marks.max(0)]) for track in record.tracks)
        yaw, up, roll = scene.pose
        assert tracks["head-pose"].values[0] == pytest.approx([yaw, -up, roll], abs=1e-4)
        moves = tracks["arkit-52"]
        assert moves.column("jawOpen")[0] == scene.weights[head.names.index("jawOpen")]
        assert np.isnan(moves.column("tongueOut")[0])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1 << 40))
def test_a_cut_out_head_is_as_long_as_asked_for_and_lies_in_its_square(head: Head, seed: int) -> None:
    one = cutout(head, np.random.default_rng(seed), (24, 300), -30)
    (left, top, right, bottom), outer = one.boxes()
    assert 24 - 0.5 <= max(right - left, bottom - top) <= 300 + 0.5 and one.roll == -30
    assert 0 <= outer[0] <= left and right <= outer[2] <= one.side and outer[1] >= 0 and outer[3] <= one.side
    track = one.track("person-1", (1.0, 2.0, 3.0, 4.0))
    assert track.values[0] == pytest.approx([one.yaw, -one.up, -30], abs=1e-4) and track.space.id == "head-pose"


@pytest.mark.corpus
def test_a_real_head_is_drawn_where_it_says_and_seen_from_the_side_in_half(real: Head) -> None:
    pytest.importorskip("numba")
    studio, how = Studio(real), Scenes(plain=True)
    front = studio.scene(np.random.default_rng(1), how, pose=(0.0, 0.0, 0.0))
    assert front.seen.sum() > 60 and 0.2 < (front.triangle >= 0).mean() < 0.8
    aside = studio.scene(np.random.default_rng(1), how, pose=(55.0, 0.0, 0.0))
    assert aside.seen[:6].all() and not aside.seen[13:17].any()
    x, y = np.round(front.points[real.landmarks, :2]).astype(int).T
    pupils = [front.picture[y[own].mean().astype(int), x[own].mean().astype(int)] for own in (slice(36, 42),)]
    assert max(pupils) < front.picture[y[30], x[30]]


@pytest.mark.corpus
def test_a_real_head_is_cut_out_along_its_edges(real: Head) -> None:
    pytest.importorskip("numba")
    one = cutout(real, np.random.default_rng(3), (60, 80), 15)
    (left, top, right, bottom), outer = one.boxes()
    grey, share = one()
    assert grey.shape == share.shape == (one.side, one.side) and share.min() >= 0 and share.max() <= 1
    assert (
        share[round((top + bottom) / 2), round((left + right) / 2)] == 1
        and 0 < ((share > 0) & (share < 1)).mean() < 0.1
    )
    rows, columns = np.nonzero(share)
    around = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert np.allclose(around, outer, atol=2) and grey.min() >= 0 and grey.max() <= 255.5
