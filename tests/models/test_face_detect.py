"""Where faces are: proposals, what the mesh makes of them, second looks, and detectors that a card names."""

import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnreadableError
from affetto.models.face.crop import Place
from affetto.models.face.detect import Cascade, Finder, distinct, lit, turned, whole
from affetto.models.face.mesh import AROUND, place_of
from affetto.models.face.onnxdetector import load
from affetto.models.face.seen import Enough, apart, look, off, overlap
from affetto.models.weights import MODELS, NETWORK, file_of
from tests.squares import Corners, Squares, picture

LOAD = "affetto.models.face.onnxdetector:load"


def nothing(grey):
    return []


def middle(face):
    left, top, right, bottom = face.box
    return (left + right) / 2, (top + bottom) / 2, right - left


def test_proposals_are_put_right_by_the_mesh():
    (face,) = Finder(Squares(), Corners())(picture((1, 100, 120, 60)))
    assert middle(face) == pytest.approx((99.5, 119.5, 60), abs=2)
    assert face.place.size == pytest.approx(AROUND * 60, rel=0.05)
    assert off(place_of(face.points), face.place) < 0.05
    assert face.upright[:, :2].min() == pytest.approx((1 - 1 / AROUND) / 2, abs=0.02)
    assert face.crop.shape == (112, 112)
    assert face.person == ""


def test_what_the_mesh_denies_is_no_face():
    page = picture()
    page[100:110, 60:260] = 255
    assert Finder(Squares(), nothing).confirm(page, [Place(50, 50, 40), Place(160, 105, 250)]) == []
    assert Finder(Squares(), Corners(), enough=Enough(0.5, 0.01))(picture((1, 100, 120, 60))) == []


def test_each_face_is_found_once_and_twenty_in_one_picture():
    many = [(k, 60 + 120 * (k % 5), 60 + 110 * (k // 5), 40 + 2 * k) for k in range(20)]
    page = picture(*many, size=(640, 480))
    thrice = lambda grey: [place for place in Corners()(grey) for _ in range(3)]  # noqa: E731
    faces = Finder(Squares(), thrice)(page)
    assert sorted(round(middle(face)[2]) for face in faces) == pytest.approx([40 + 2 * k for k in range(20)], abs=2)


def test_a_picture_that_is_but_a_face_is_seen_whole_but_a_strip_is_not():
    for size in ((48, 48), (60, 48), (300, 300)):
        (face,) = Finder(Squares(), nothing)(picture((3, size[0] / 2, size[1] / 2, size[1] * 3 // 4), size=size))
        assert middle(face) == pytest.approx((size[0] / 2, size[1] / 2, size[1] * 0.75), abs=2 + size[0] / 60)
    assert whole(picture(size=(400, 100))) == []
    assert Finder(Squares(), nothing)(picture(size=(48, 48))) == []


def test_the_dark_and_the_turned_are_looked_at_where_nothing_was_found():
    seen = []

    def detector(grey):
        seen.append(grey)
        return []

    page = picture((1, 100, 120, 60), ground=5) // 8
    Finder(Squares(), detector)(page)
    assert len(seen) == 6
    assert seen[0] is page
    assert float(np.ptp(seen[1])) > 1.5 * float(np.ptp(page))
    assert [one.shape[0] == one.shape[1] for one in seen[2:]] == [True] * 4
    assert lit(page).shape == page.shape


@given(st.floats(-1, 1), st.integers(30, 290), st.integers(30, 210))
def test_what_is_found_in_a_turned_picture_lies_where_it_is(turn, x, y):
    page = np.zeros((240, 320), np.uint8)
    page[y - 3 : y + 4, x - 3 : x + 4] = 255

    def dot(grey):
        down, right = np.nonzero(grey > 60)
        return [Place(float(right.mean()), float(down.mean()), 20)]

    (place,) = turned(dot, page, turn)
    assert (place.x, place.y) == pytest.approx((x, y), abs=1.5)
    assert place.angle == pytest.approx(turn)
    assert 15 < place.size < 25


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_cascade_takes_pictures_of_any_size(mirrored):
    noise = np.random.default_rng(0)
    for shape in ((1, 1), (3, 2000), (19, 19), (48, 48), (2000, 24), (300, 700)):
        for place in Cascade(200, mirrored=mirrored)(noise.integers(0, 255, shape, dtype=np.uint8)):
            assert place.size > 0
        assert Cascade(200, mirrored=mirrored)(np.zeros(shape, np.uint8)) == []


@given(*[st.tuples(*[st.floats(-50, 50)] * 2, *[st.floats(0.1, 50)] * 2)] * 2)
def test_overlap_is_a_share_and_the_same_both_ways(one, other):
    a, b = ((x, y, x + w, y + h) for x, y, w, h in (one, other))
    assert 0 <= overlap(a, b) <= 1 + 1e-6
    assert overlap(a, b) == pytest.approx(overlap(b, a))
    assert overlap(a, a) == pytest.approx(1)


def test_of_faces_that_cover_each_other_the_first_stays():
    one, twin, other = look(
        Squares(), picture((1, 100, 120, 60)), [Place(100, 120, 90), Place(104, 120, 95), Place(0, 0, 9)]
    )
    assert apart([one, twin]) == [one]
    assert len(distinct([Place(0, 0, 10), Place(0.5, 0, 10), Place(0, 0, 20), Place(0, 0, 10, 0.5)])) == 3
    assert off(Place(0, 0, 10, 3.1), Place(0, 0, 10, -3.1)) < 0.05
    assert other.face < 0.5


def network(tmp_path, kind="boxes"):
    """Make a network whose score of each 8 x 8 cell is how bright it is, and whose boxes are 4 cells wide."""
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes, held, outputs = [], [], []

    def constant(name, values):
        held.append(onnx.numpy_helper.from_array(np.asarray(values, np.float32), name))

    def output(name):
        outputs.append(helper.make_tensor_value_info(name, kinds.FLOAT, None))

    constant("white", np.full((1, 3, 1, 1), 1 / 255 / 3))
    held.append(onnx.numpy_helper.from_array(np.array([1, -1, 1]), "row"))
    nodes.append(helper.make_node("Conv", ["picture", "white"], ["grey"]))
    for stride in (8, 16, 32) if kind == "yunet" else (8,):
        side = 64 // stride
        nodes.append(
            helper.make_node(
                "AveragePool", ["grey"], [f"pool{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            )
        )
        names = [f"cls_{stride}", f"obj_{stride}"] if kind == "yunet" else ["scores"]
        nodes += [helper.make_node("Reshape", [f"pool{stride}", "row"], [name]) for name in names]
        cells = np.array([(x, y) for y in range(side) for x in range(side)], np.float32)
        if kind == "yunet":
            tall = -9.0 if stride > 8 else np.log(4)
            constant(f"bbox_{stride}", np.tile([[0.5, 0.5, tall, tall]], (1, side**2, 1)))
            constant(f"kps_{stride}", np.tile([[0, 0, 1, 0.5] + [0] * 6], (1, side**2, 1)))
            names += [f"bbox_{stride}", f"kps_{stride}"]
        else:
            constant("boxes", (np.concatenate([cells - 1.5, cells + 2.5], 1) / side)[None])
            names.append("boxes")
        [output(name) for name in names]
    given = helper.make_tensor_value_info("picture", kinds.FLOAT, [1, 3, 64, 64])
    graph = helper.make_graph(nodes, "detector", [given], outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / f"{kind}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def card(path, sha256="", **facts):
    facts = {"file": path.name, "size": [64, 64], "outputs": "boxes", **facts}
    return Card(
        "hub.tiny", "model", "1", "Tiny", LOAD, sha256=sha256, facts=facts, path=str(path.parent / "hub.tiny.toml")
    )


@pytest.mark.parametrize("kind", ["boxes", "yunet"])
def test_a_detector_of_a_card_finds_what_its_network_finds(tmp_path, kind):
    detector = load(card(network(tmp_path, kind), outputs=kind, sure=0.6))
    page = picture((1, 260, 180, 40), (2, 60, 60, 40), size=(320, 240), ground=10)
    places = detector(page)
    for x, y in ((260, 180), (60, 60)):
        near = min(places, key=lambda place: np.hypot(place.x - x, place.y - y))
        assert np.hypot(near.x - x, near.y - y) < 15
        assert near.size == pytest.approx(AROUND * 32 * 5, rel=0.01)
        assert near.angle == pytest.approx(np.arctan(0.5) if kind == "yunet" else 0)
    assert detector(np.zeros((240, 320), np.uint8)) == []
    small = load(card(tmp_path / f"{kind}.onnx", outputs=kind, sure=0.6, reach=0.3))
    assert len(Finder(Squares(), small)(page)) == 2


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"file": 3}, "file cannot be 3"),
        ({"size": [64]}, "size is width and height"),
        ({"size": [64, "64"]}, "size is width and height"),
        ({"size": [128, 64]}, "takes pictures of"),
        ({"outputs": "ssd"}, "outputs is yunet or boxes"),
        ({"outputs": "yunet"}, "has no output 'cls_8'; known: scores, boxes"),
        ({"scores": "sure"}, "has no output 'sure'"),
        ({"unit": "metre"}, "unit is share or pixels"),
        ({"sure": "much"}, "sure cannot be 'much'"),
    ],
)
def test_a_card_that_does_not_fit_says_so(tmp_path, facts, message):
    with pytest.raises(CatalogError, match=message):
        load(card(network(tmp_path), **facts))


def test_a_file_that_is_no_network_says_so(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(UnreadableError, match="is no ONNX file that hub"):
        load(card(tmp_path / "x.onnx"))
    with pytest.raises(CatalogError, match="lacks file, size"):
        load(Card("hub.tiny", "model", "1", "Tiny", LOAD))


@pytest.fixture
def server(tmp_path):
    """Serve a folder on the loopback, and count what is asked."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            path = folder / self.path.lstrip("/")
            self.send_response(200 if path.is_file() else 404)
            self.end_headers()
            self.wfile.write(path.read_bytes() if path.is_file() else b"")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_address[1]}", asked
        http.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(MODELS, raising=False)
    monkeypatch.delenv(NETWORK, raising=False)
    return tmp_path / "cache" / "affetto"


def test_a_detector_is_fetched_once_where_that_is_allowed(server, home, monkeypatch, tmp_path):
    folder, url, asked = server
    path = network(folder)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    named = replace(card(path, sha256, url=f"{url}/boxes.onnx"), path=str(tmp_path / "hub.tiny.toml"))
    with pytest.raises(UnreadableError, match=f"set AFFETTO_NETWORK=1 to fetch it once from {url}"):
        load(named)
    assert asked == []
    monkeypatch.setenv(NETWORK, "1")
    assert load(named)(picture((1, 30, 30, 30), size=(64, 64)))
    monkeypatch.delenv(NETWORK)
    load(named)
    assert asked == ["/boxes.onnx"]
    assert [one.name for one in home.iterdir()] == ["boxes.onnx"]


def test_what_is_fetched_is_whole_and_what_the_card_says_or_not_there(server, home, monkeypatch):
    folder, url, _ = server
    (folder / "x").write_bytes(b"another file")
    monkeypatch.setenv(NETWORK, "1")
    for where, sha256, error, message in (
        (f"{url}/x", "0" * 64, CatalogError, "its checksum differs"),
        (f"{url}/y", "0" * 64, UnreadableError, "cannot be fetched: HTTP Error 404"),
        (f"{url}/x", "", CatalogError, "says no sha256"),
        ("file:///etc/hostname", "0" * 64, CatalogError, "by https only"),
        ("http://127.0.0.1:1/x", "0" * 64, UnreadableError, "cannot be fetched"),
        ("http://[", "0" * 64, UnreadableError, "cannot be fetched"),
        ("", "0" * 64, UnreadableError, "put it into a folder and name that in AFFETTO_MODELS"),
    ):
        with pytest.raises(error, match=message):
            file_of("hub.tiny", "x", where, sha256)
        assert not home.exists() or list(home.iterdir()) == []


def test_a_file_lies_beside_its_card_or_in_the_folder_of_models(home, monkeypatch, tmp_path):
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "x").write_bytes(b"mine")
    monkeypatch.setenv(MODELS, str(tmp_path / "shelf"))
    sha256 = hashlib.sha256(b"mine").hexdigest()
    assert file_of("hub.tiny", "x", "", sha256).read_bytes() == b"mine"
    assert file_of("hub.tiny", "x", "", "", str(tmp_path / "shelf" / "card.toml")).read_bytes() == b"mine"
    with pytest.raises(CatalogError, match="is not what its card says"):
        file_of("hub.tiny", "x", "", "0" * 64)
