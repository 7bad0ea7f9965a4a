"""Crops, turns to the front, and what the parts of `face` make of a mesh; the weights that ship, on drawn faces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import affetto
from affetto.core.catalog import find
from affetto.core.errors import CatalogError, MalformedError, UnreadableError
from affetto.models.face import blendshapes, expression, people, units
from affetto.models.face.alignment import aligned, pose, upright
from affetto.models.face.crop import Place, cut
from affetto.models.face.mesh import IBUG_68, FaceMesh, place_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
somewhere = st.floats(-200, 200)
places = st.builds(Place, somewhere, somewhere, st.floats(5, 400), st.floats(-3.1, 3.1))


@given(places, st.lists(st.tuples(somewhere, somewhere, somewhere), min_size=1, max_size=5))
def test_there_and_back(place, points):
    points = np.array(points, np.float32)
    assert np.allclose(place.to_source(place.to_crop(points)), points, atol=0.02)


@pytest.mark.parametrize("size", [40, 112, 200, 420])
@pytest.mark.parametrize("angle", [0.0, 0.6, -2.0])
def test_a_spot_is_found_again_where_the_place_says(size, angle):
    y, x = np.mgrid[:300, :400]
    picture = (255 * np.exp(-((x - 210) ** 2 + (y - 150) ** 2) / 40)).astype(np.uint8)
    place = Place(205, 160, size, angle)
    crop = cut(picture, place, 112).astype(float)
    rows, columns = np.mgrid[:112, :112]
    seen = np.array([[(columns * crop).sum() / crop.sum() + 0.5, (rows * crop).sum() / crop.sum() + 0.5]]) / 112
    assert np.abs(place.to_source(seen) - [210, 150]).max() < 1.0


def _mesh(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(478, 3)).astype(np.float32)


def _turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Written from the definition of `head-pose`: Ry(yaw) Rx(pitch) Rz(roll), each right-handed."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


@given(st.floats(-80, 80), st.floats(-60, 60), st.floats(-120, 120), st.floats(0.1, 300))
def test_a_turned_mesh_comes_back_with_its_pose(yaw, pitch, roll, scale):
    mean = _mesh()
    posed = upright((mean @ _turn(yaw, pitch, roll).T * scale + [3, -2, 7]).astype(np.float32))
    shape, turn = aligned(posed[None], mean)
    assert np.abs(shape[0] - mean).max() < 0.01
    assert np.abs(pose(turn)[0] - [yaw, pitch, roll]).max() < 0.1


def test_the_place_of_a_mesh_is_level_and_around_it():
    place = Place(100, 80, 60, 0.4)
    found = place_of(place.to_source(place_like()))
    again = place_of(found.to_source(found.to_crop(place.to_source(place_like()))))
    assert found.angle == pytest.approx(0.4, abs=0.01)
    assert again == found


def place_like() -> np.ndarray:
    """Points whose outer eye corners are level."""
    points = np.abs(_mesh()) / 5
    points[33, :2], points[263, :2] = (0.2, 0.4), (0.7, 0.4)
    return points


def test_the_68_are_among_the_478():
    assert len(IBUG_68) == 68
    assert max(IBUG_68) < 468


@pytest.fixture(scope="module")
def faces():
    """Three drawn people: joy, surprise, sadness."""
    (record,) = affetto.read(EXAMPLES / "faces.jpg")
    return affetto.perceive(record, model="face")


def test_three_drawn_people_are_told(faces):
    said = sorted((t for t in faces.tracks if t.space.id == "ekman-8"), key=lambda track: track.box[0, 0])
    assert [track.top().name for track in said[:2]] == ["joy", "surprise"]
    assert np.argmax([track.column("sadness")[0] for track in said]) == 2


def test_what_they_do_is_in_their_blendshapes_and_units(faces):
    left = {track.subject: track.box[0, 0] for track in faces.tracks if track.space.id == "ekman-8"}
    joy, surprise, sadness = sorted(left, key=left.get)
    moved = {track.subject: track for track in faces.tracks if track.space.id == "arkit-52"}
    assert (
        moved[joy].column("mouthSmileLeft")[0]
        > max(moved[one].column("mouthSmileLeft")[0] for one in (surprise, sadness)) + 0.2
    )
    assert moved[surprise].column("jawOpen")[0] > moved[sadness].column("jawOpen")[0] + 0.2
    assert np.isnan(moved[joy].column("tongueOut")).all()
    shown = {track.subject: track for track in faces.tracks if track.space.id == "facs-au"}
    assert shown[joy].column("AU12")[0] > shown[sadness].column("AU12")[0] + 1
    assert shown[surprise].column("AU26")[0] > shown[sadness].column("AU26")[0]
    turned = [track.values for track in faces.tracks if track.space.id == "head-pose"]
    assert len(turned) == 3 and np.abs(np.concatenate(turned)).max() < 30


def test_a_film_has_a_row_a_picture_and_one_for_the_gap():
    (record,) = affetto.perceive(EXAMPLES / "face.mp4", channels=["face"], rate=5)
    track = next(track for track in record.tracks if track.space.id == "ekman-8")
    assert {track.subject for track in record.tracks} == {"person-1"}
    assert track.note[-1] == "no face" and np.isnan(track.values[-1]).all()
    assert 3.2 <= track.start[-1] <= 3.8 and track.end[-1] == pytest.approx(4, abs=0.1)
    joy = track.column("joy")[:-1]
    assert np.nanargmax(joy) in np.flatnonzero((track.start >= 0.4) & (track.start <= 1.6))


def test_crops_are_answered_in_batches_and_alone_alike():
    (picture,) = affetto.read(EXAMPLES / "faces.jpg")
    grey = picture.signals[0].pixels[:, :, 0]
    part = expression.load(find("face.expression"))
    crops = np.stack([expression.closer(cut(grey, Place(240 + 480 * k, 180, 260), 112), 0.735) for k in range(3)])
    whole = part.answer(crops)[0].values
    alone = np.concatenate([part.answer(crops[k : k + 1])[0].values for k in range(3)])
    assert np.allclose(whole, alone, atol=1e-5)
    assert np.allclose(whole.sum(1), 1, atol=1e-4)


def test_meshes_alone_are_enough_for_blendshapes():
    part = blendshapes.load(find("face.blendshapes"))
    arkit, head, gaze = part.of(np.stack([_mesh(k) for k in range(3)]))
    assert arkit.values.shape == (3, 52) and head.values.shape == (3, 3) and gaze.values.shape == (3, 4)
    with pytest.raises(MalformedError, match="478 x 3"):
        part.of(np.zeros((2, 68, 2), np.float32))


def test_units_rise_with_their_coefficients():
    part = units.load(find("face.au"))
    arkit = affetto.load("arkit-52")
    rows = np.zeros((6, 52), np.float32)
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        rows[:, arkit.index(name)] = np.linspace(0, 1, 6)
    said = part.of(rows).values[:, affetto.load("facs-au").index("AU12")]
    assert said[0] == 0 and said[-1] == 5 and (np.diff(said) >= 0).all()
    assert np.isnan(part.of(rows).values[:, affetto.load("facs-au").index("AU11")]).all()


def test_strange_cards_and_files_are_refused(tmp_path):
    with pytest.raises(CatalogError, match="parts are some of"):
        people.load(replace(find("face"), facts={"parts": ["face.nose"]}))
    with pytest.raises(CatalogError, match="rest is a table"):
        units.load(replace(find("face.au"), facts={}))
    (tmp_path / "not.onnx").write_bytes(b"nothing")
    for network in (FaceMesh, expression.Network, blendshapes.Network):
        with pytest.raises(UnreadableError, match=r"not\.onnx is no"):
            network(tmp_path / "not.onnx")
