"""Who is where from picture to picture: following, loss and return, cuts, crowds; with squares for faces."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetto.media.video import frames
from affetto.models.face import looking
from affetto.models.face.detect import Finder
from affetto.models.face.identity import Texture
from affetto.models.face.mesh import FaceMesh
from affetto.models.face.track import Following, Tracker
from tests.squares import Corners, Squares, pattern, picture

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILMS = DATA / "video" / "face-samples"
RATE = 25


def tracked(pages, options=None, rate=RATE, counted=None):
    """Return for each picture the persons, with the middle of each."""
    mesh, detector = Squares(), Corners()
    tracker = Tracker(mesh, Finder(mesh, detector), options=options)
    seen = []
    for k, page in enumerate(pages):
        faces = tracker.step(page, k / rate)
        boxes = {face.person: face.box for face in faces}
        seen.append({who: ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for who, box in boxes.items()})
        if counted is not None:
            counted.append((detector.looks, mesh.asked))
    return seen


def walk(who, frames=50, speed=2.0, y=120, side=60, start=60.0):
    return [(who, start + speed * k, y, side) for k in range(frames)]


def test_a_face_is_followed_and_looked_for_but_rarely():
    counted = []
    way = walk(1)
    seen = tracked([picture(one) for one in way], counted=counted)
    for one, (_, x, y, _) in zip(seen, way, strict=True):
        assert list(one) == ["person-1"]
        assert one["person-1"] == pytest.approx((x, y), abs=2)
    looks, asked = counted[-1]
    assert looks <= 3
    assert asked < 1.4 * len(way)


def test_a_face_that_leaps_is_cut_again_in_the_middle():
    faces = []
    mesh = Squares()
    tracker = Tracker(mesh, Finder(mesh, Corners()))
    for k, x in enumerate((80, 80, 100, 100)):
        faces += tracker.step(picture((1, x, 120, 60)), k / 5)
    middles = [face.upright[:, 0].mean() for face in faces]
    assert len(faces) == 4
    assert middles == pytest.approx([0.5] * 4, abs=0.04)


def test_who_leaves_and_comes_back_keeps_the_name_and_a_stranger_gets_another():
    gone = [picture() for _ in range(40)]
    pages = [picture(one) for one in walk(1, 30)] + gone + [picture((1, 220, 100, 70))] * 40 + gone
    pages += [picture((2, 60, 120, 60))] * 40 + [picture((2, 60, 120, 60), (1, 220, 120, 60))] * 40
    seen = tracked(pages)
    assert [list(one) for one in seen[:30]] == [["person-1"]] * 30
    assert [one for one in seen[30:70] if one] == []
    late = next(k for k, one in enumerate(seen[70:]) if one)
    assert late <= RATE
    assert list(seen[109]) == ["person-1"]
    assert list(seen[189]) == ["person-2"]
    assert list(seen[-1]) == ["person-1", "person-2"]
    assert seen[-1]["person-1"] == pytest.approx((220, 120), abs=2)


def test_a_face_that_is_lost_is_looked_for_at_once():
    far = [picture((1, 60, 60, 50))] * 5 + [picture((1, 250, 170, 50))] * 3
    counted = []
    seen = tracked(far, counted=counted)
    assert [list(one) for one in seen] == [["person-1"]] * 8
    assert counted[5][0] == counted[4][0] + 1


def test_at_a_cut_another_face_in_the_same_place_is_another_person():
    pages = [picture((1, 160, 120, 100), ground=20)] * 10 + [picture((2, 160, 120, 100), ground=120)] * 10
    pages += [picture((1, 160, 120, 100), ground=20)] * 10
    seen = tracked(pages)
    assert [next(iter(one)) for one in seen] == ["person-1"] * 10 + ["person-2"] * 10 + ["person-1"] * 10


def test_a_new_size_of_the_pictures_is_a_cut():
    pages = [picture((1, 100, 120, 60))] * 3 + [picture((1, 400, 300, 120), size=(640, 480))] * 3
    assert [list(one) for one in tracked(pages)] == [["person-1"]] * 6


def test_people_who_pass_each_other_are_not_merged():
    left, right = walk(1, 60, 3, 70, 50, 60.0), walk(2, 60, -3, 160, 50, 260.0)
    seen = tracked([picture(a, b) for a, b in zip(left, right, strict=True)])
    assert all(len(one) == 2 for one in seen)
    first, last = (dict(sorted(seen[k].items())) for k in (0, -1))
    assert np.sign(first["person-1"][0] - first["person-2"][0]) == -np.sign(last["person-1"][0] - last["person-2"][0])
    assert first["person-1"][1] == pytest.approx(last["person-1"][1], abs=2)


def test_two_that_follow_one_face_become_one():
    """The second goes behind the first and does not come out again."""
    pages = [picture((2, 200 - 4 * k, 120, 56), (1, 100, 120, 60)) for k in range(26)] + [
        picture((1, 100, 120, 60))
    ] * 5
    seen = tracked(pages)
    assert len(seen[0]) == 2
    assert [len(one) for one in seen[-5:]] == [1] * 5


def test_a_crowd_of_twenty_is_followed_in_batches():
    crowd = [(k, 64 + 126 * (k % 5), 60 + 115 * (k // 5), 50) for k in range(20)]
    seen = tracked([picture(*((w, x + k, y, s) for w, x, y, s in crowd), size=(680, 480)) for k in range(8)])
    assert all(len(one) == 20 for one in seen)
    assert list(seen[0]) == [f"person-{k + 1}" for k in range(20)]
    few = tracked([picture(*crowd, size=(680, 480))] * 2, Following(people=3))
    assert [len(one) for one in few] == [3, 3]


def test_the_same_pictures_give_the_same_names():
    pages = [picture(one) for one in walk(1, 20)] + [picture()] * 10 + [picture(one) for one in walk(2, 20)]
    assert tracked(pages) == tracked(pages)


def test_a_square_is_like_itself_in_other_light_and_size_and_unlike_another():
    texture = Texture()
    crops = [np.pad(cv2.resize(pattern(who), (72, 72)), 20, constant_values=60) for who in range(6)]
    looks = texture.of(crops)
    assert np.linalg.norm(looks, axis=1) == pytest.approx(np.ones(6))
    dim = texture.of([(crop * 0.6 + 20).astype(np.uint8) for crop in crops])
    alike = looks @ dim.T
    assert alike.diagonal().min() > 0.85
    assert alike.diagonal().min() > alike[~np.eye(6, dtype=bool)].max() + 0.05
    assert texture.of([]).shape == (0, 1475)
    assert np.isfinite(texture.of([np.zeros((112, 112), np.uint8)])).all()


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("film", "people", "alone"),
    [
        ("pexels_wolfgang_langer_cry.mp4", 1, 1.0),
        ("pyfeat_single_face.mp4", 1, 1.0),
        ("pyfeat_face_noface.mov", 1, 0.375),
        ("pyfeat_no_face.mp4", 0, 0.0),
        ("emoface_angry_actor.mov", 1, 1.0),
    ],
)
def test_on_films_everybody_is_found_and_nobody_else(film, people, alone):
    """`alone` is the share of the pictures with a face: the man of the third film leaves after 2.4 of 6.4 seconds."""
    path, weights = FILMS / film, Path(looking.__file__).parent / "weights" / "face.mesh.onnx.gz"
    if not (path.is_file() and weights.is_file()):
        pytest.skip("needs the data folder (AFFETTO_DATA) and the network")
    seen = list(looking.sights(frames(path, 5.0), FaceMesh(weights)))
    assert {face.person for one in seen for face in one.faces} == {f"person-{k + 1}" for k in range(people)}
    assert np.mean([len(one.faces) for one in seen]) == pytest.approx(alone, abs=0.05)
