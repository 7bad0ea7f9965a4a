"""How the network that doubts joins the file of a mesh: nothing changes but how sure a face is, and never upwards."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

from affetto.models.face.crop import Place  # noqa: E402
from affetto.models.face.mesh import SIDE, FaceMesh  # noqa: E402


def mesh(path):
    """Write a file as that of a mesh is, whose numbers hang on how bright a crop is."""
    helper, kinds = onnx.helper, onnx.TensorProto
    rng = np.random.default_rng(0)
    sizes = {"mesh": 478 * 3, "sure": 70, "known": 8}
    held = [onnx.numpy_helper.from_array(rng.normal(size=(1, size)).astype(np.float32), f"w-{name}")
            for name, size in sizes.items()]  # fmt: skip
    nodes = [helper.make_node("ReduceMean", ["crop"], ["light"], axes=[2, 3], keepdims=0)]
    nodes += [helper.make_node("MatMul", ["light", f"w-{name}"], [name]) for name in sizes]
    given = helper.make_tensor_value_info("crop", kinds.FLOAT, ["n", 1, SIDE, SIDE])
    outputs = [helper.make_tensor_value_info(name, kinds.FLOAT, ["n", size]) for name, size in sizes.items()]
    graph = helper.make_graph(nodes, "mesh", [given], outputs, held)
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )


def known(path, crops):
    """Return what the file says that it knows of crops, which `FaceMesh` does not ask for."""
    return FaceMesh(path).session.run(["known"], {"crop": crops[:, None].astype(np.float32) / 255})[0]


def test_it_joins_the_mesh_and_only_lowers_how_sure_a_face_is(tmp_path):
    from recipes.face_doubt import Doubt, join

    path = tmp_path / "face.mesh.onnx"
    mesh(path)
    crops = np.random.default_rng(1).integers(0, 255, (9, SIDE, SIDE)).astype(np.uint8)
    before, told = FaceMesh(path)(crops), known(path, crops)
    torch.manual_seed(1)
    net = Doubt().eval()
    join(path, net)
    after = FaceMesh(path)(crops)
    assert known(path, crops) == pytest.approx(told, abs=1e-6)
    for name in ("points", "error", "visible"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-6)
    with torch.no_grad():
        doubted = torch.sigmoid(net(torch.from_numpy(crops)[:, None].float() / 255))[:, 0].numpy()
    assert after.face == pytest.approx(np.minimum(before.face, doubted), abs=1e-5)
    with pytest.raises(SystemExit, match="doubts already"):
        join(path, net)


def test_its_lessons_are_in_the_middle_or_far_off_it():
    from recipes.face_doubt import beside

    rng = np.random.default_rng(2)
    place = Place(50, 50, 60)
    near = [beside(place, True, rng) for _ in range(200)]
    far = [beside(place, False, rng) for _ in range(200)]
    assert max(np.hypot(one.x - 50, one.y - 50) for one in near) < 0.25 * 60
    assert min(np.hypot(one.x - 50, one.y - 50) for one in far) >= 0.3 * 60 - 1e-6
