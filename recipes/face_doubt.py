"""Teach `face.mesh` to doubt: what cascades and the mesh itself take for a face, and what is none.

    python -m recipes.face_doubt --work build/face --teacher-python ../teacher/bin/python [--seed 20]

After `recipes.face_mesh`, whose lessons it uses and whose file it changes. A small network of its own looks at the
middle of each crop. Its lessons without a face are hard ones: where OpenCV's cascades see one on pictures without
people, where the mesh network follows its own points there, and faces that are far off the middle. It joins the file
of the mesh: `face` becomes the smaller of both logits. Knows nothing of how faces are followed.
"""

import argparse
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional

from affetto.models.face.crop import Place, cut
from affetto.models.face.detect import FRONTAL, PROFILE, TURNS, Cascade, Shape, turned
from affetto.models.face.mesh import SIDE, FaceMesh, place_of
from affetto.models.face.seen import look
from affetto.train.export import export
from affetto.train.fit import Batch, FitOptions, fit
from affetto.train.packed import save, saved
from recipes import cards, face_mesh
from recipes.face_lessons import Lessons
from recipes.face_mesh_network import Faces, relit

log = logging.getLogger("face")
Grey = npt.NDArray[np.uint8]
Lot = dict[str, npt.NDArray[Any]]
"""Lessons: `crops` n x 112 x 112, `there` whether each shows a face, `group` the number of its picture or person."""
INNER = 88
"""Pixels of the middle of a crop that are looked at: not much more than the face, so that no frame gives it away."""
KEEP_EVERY = 5
"""Each so-manieth picture without people, and each such face, is for measuring."""
_CASCADES = (FRONTAL, PROFILE, Shape("haarcascade_frontalface_default.xml", 1.0, 0.0, 0.1))


@dataclass(frozen=True)
class Schooling:
    """How it is taught."""

    faces: int = 12000
    epochs: int = 12
    batch: int = 128
    rate: float = 3e-3
    seed: int = 20


class Doubt(nn.Module):
    """Crops, n x 1 x 112 x 112 in 0..1, to the logit that each shows a face."""

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (1, 16, 24, 32, 48), (2, 2, 1, 2)
        self.look = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(widths[k], widths[k + 1], 3, strides[k], 1, bias=False),
                    nn.BatchNorm2d(widths[k + 1]),
                    nn.ReLU(),
                )
                for k in range(4)
            )
        )
        self.say = nn.Sequential(nn.Dropout(0.2), nn.Linear(48 * 36, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, crop: torch.Tensor) -> torch.Tensor:
        """Return n x 1."""
        edge = (SIDE - INNER) // 2
        x = functional.avg_pool2d(crop[:, :, edge : edge + INNER, edge : edge + INNER], 2)
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / (x.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)
        return self.say(self.look(x).flatten(1))


def main() -> None:
    """Make lessons, learn, join the file, measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--teacher-python", required=True)
    asked.add_argument("--mesh", type=Path, default=face_mesh.WEIGHTS)
    asked.add_argument("--seed", type=int, default=Schooling.seed)
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    how, lessons = Schooling(seed=args.seed), Lessons(args.work, args.teacher_python)
    rng = np.random.default_rng(how.seed)
    (scenes, empty), people = lessons.scenes(), lessons.people("train")
    nobody = kept(args.work / "doubt-hard.npz", lambda: hard(empty, FaceMesh(args.mesh), rng))
    parts = [nobody, faces(people, empty, how.faces, rng), faces(scenes, [], 8 * len(scenes), rng)]
    crops, there, group = (np.concatenate([part[name] for part in parts]) for name in ("crops", "there", "group"))
    held = group % KEEP_EVERY == 0
    log.info("lessons: %d with a face, %d without; %d held out", there.sum(), (~there).sum(), held.sum())
    net, learned = Doubt().eval(), args.work / "doubt.pt"
    if not learned.exists():
        torch.save(taught(crops[~held], there[~held], how).state_dict(), learned)
    net.load_state_dict(torch.load(learned, weights_only=True))
    measure(net, crops[held], there[held])
    join(args.mesh, net)
    if args.mesh == face_mesh.WEIGHTS:
        face_mesh.measure(FaceMesh(args.mesh), lessons, empty, how.seed)
        cards.update("face.mesh", args.mesh, ["face-mesh"], room="face")


def kept(path: Path, make: Callable[[], Lot]) -> Lot:
    """Return what was made before, or is made now."""
    if not path.exists():
        np.savez(path, **make())  # type: ignore[arg-type]
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def hard(empty: Sequence[Grey], mesh: FaceMesh, rng: np.random.Generator) -> Lot:
    """Return crops of pictures without people, most of which look like faces to somebody."""
    crops, group = [], []
    for k, small in enumerate(empty):
        picture = np.asarray(cv2.resize(small, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC), np.uint8)
        high, wide = picture.shape
        places = Cascade(shape=_CASCADES[k % len(_CASCADES)])(picture)[:12]
        if k % 3 == 0:
            places += turned(Cascade(), picture, TURNS[k % len(TURNS)])[:6]
        for _ in range(12):
            size = np.exp(rng.uniform(np.log(24), np.log(min(high, wide))))
            places.append(Place(rng.uniform(0, wide), rng.uniform(0, high), size, rng.normal() * 0.4))
        first = look(mesh, picture, places)
        second = look(mesh, picture, [place_of(one.points) for one in first if one.face > 0.2])
        third = look(mesh, picture, [place_of(one.points) for one in second if one.face > 0.5])
        found = [one.crop for one in (*first, *second, *third)]
        crops += found
        group += [k] * len(found)
    return {"crops": np.stack(crops), "there": np.zeros(len(crops), bool), "group": np.array(group)}


def faces(kind: Faces, empty: Sequence[Grey], n: int, rng: np.random.Generator) -> Lot:
    """Return crops of faces, every third far off its middle, and on other pictures where there are any."""
    crops, group, there = [], [], []
    for _ in range(n):
        i = int(rng.integers(len(kind)))
        picture, place = kind.pictures[kind.which[i]], place_of(kind.points[i])
        good = bool(rng.random() < 0.67)
        crop = cut(picture, beside(place, good, rng), SIDE)
        if empty and rng.random() < 0.6:
            asked = beside(place, good, rng)
            ground = empty[rng.integers(len(empty))]
            size = min(ground.shape) * rng.uniform(0.3, 1)
            x, y = (rng.uniform(0, side) for side in ground.shape[::-1])
            crop = laid(cut(picture, asked, SIDE), cut(ground, Place(x, y, size), SIDE), kind.points[i], asked)
        crops.append(crop)
        group.append(i)
        there.append(good)
    return {"crops": np.stack(crops), "there": np.array(there), "group": np.array(group)}


def beside(place: Place, good: bool, rng: np.random.Generator) -> Place:
    """Return a place as a second look has it, or one that is far off."""
    if good:
        shift, grow, turn = rng.normal(0, 0.045, 2), rng.normal(0, 0.08), rng.normal(0, 0.12)
    else:
        way, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.7)
        shift, grow = np.array([np.cos(way), np.sin(way)]) * far, rng.choice([-1, 0, 1]) * rng.uniform(0.5, 1)
        turn = rng.normal(0, 0.4)
    x, y = place.x + shift[0] * place.size, place.y + shift[1] * place.size
    return Place(x, y, place.size * np.exp(grow), place.angle + turn)


def laid(face: Grey, ground: Grey, points: npt.NDArray[np.float32], place: Place) -> Grey:
    """Return a crop of which only the face itself is left, softly, on another ground."""
    outline = cv2.convexHull(np.asarray(place.to_crop(points)[:468, :2] * SIDE, np.float32)).astype(np.int32)
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillConvexPoly(mask, outline, 1.0)
    mask = cv2.GaussianBlur(cv2.dilate(mask, np.ones((5, 5))), (0, 0), 2.5)
    return np.asarray(face * mask + ground * (1 - mask), np.uint8)


def taught(crops: Grey, there: npt.NDArray[np.bool_], how: Schooling) -> nn.Module:
    """Return a network that has learned."""
    torch.manual_seed(how.seed)
    steps = len(crops) // how.batch

    def batches(epoch: int) -> Iterator[Batch]:
        rng, lot = np.random.default_rng((how.seed, epoch)), torch.Generator().manual_seed(how.seed + epoch)
        order = rng.permutation(len(crops))
        for k in range(steps):
            some = order[k * how.batch : (k + 1) * how.batch]
            x = torch.from_numpy(coarse(crops[some], rng))[:, None].float() / 255
            x = torch.where(torch.rand(len(x), 1, 1, 1, generator=lot) < 0.5, x, x.flip(3))
            yield {"x": relit(x, lot), "there": torch.from_numpy(there[some]).float()[:, None]}

    def loss(module: nn.Module, batch: Batch) -> torch.Tensor:
        return functional.binary_cross_entropy_with_logits(module(batch["x"]).float(), batch["there"])

    options = FitOptions(epochs=how.epochs, rate=how.rate, decay=0.02, average=0.99)
    return fit(Doubt(), batches, steps, loss, options)


def coarse(crops: Grey, rng: np.random.Generator) -> Grey:
    """Return crops of which some were small, and some have a bar across."""
    out = crops.copy()
    for crop in out:
        if rng.random() < 0.4:
            side = int(rng.integers(24, 72))
            crop[:] = cv2.resize(
                cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA),
                (SIDE, SIDE),
                interpolation=cv2.INTER_LINEAR,
            )
        if rng.random() < 0.2:
            top, left = rng.integers(10, 90, 2)
            crop[top : top + rng.integers(6, 40), left : left + rng.integers(6, 70)] = rng.integers(256)
    return out


@torch.no_grad()
def measure(net: nn.Module, crops: Grey, there: npt.NDArray[np.bool_]) -> None:
    """Log what it takes for faces."""
    said = np.concatenate(
        [
            net(torch.from_numpy(crops[k : k + 256])[:, None].float() / 255)[:, 0].numpy()
            for k in range(0, len(crops), 256)
        ]
    )
    for cut_at in (0.0, 1.0, 2.0, 3.0):
        log.info("logit above %.0f: %.4f of the faces, %.4f of the others", cut_at, (said[there] > cut_at).mean(),
                 (said[~there] > cut_at).mean())  # fmt: skip


def join(path: Path, net: nn.Module) -> None:
    """Put the network into the file of a mesh: the logit of `face` becomes the smaller of both."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, "doubt.onnx")
        export(net, {"crop": torch.rand(2, 1, SIDE, SIDE)}, ["doubt"], alone, {}, whole=True)
        added = onnx.compose.add_prefix(onnx.load(str(alone)), "doubt/")
    made = saved(path)
    graph, given, said = made.graph, added.graph.input[0].name, added.graph.output[0].name
    if any(node.name.startswith("doubt/") for node in graph.node):
        raise SystemExit(f"{path.name} doubts already: make it anew with recipes.face_mesh")
    for node in added.graph.node:
        node.input[:] = ["crop" if name == given else name for name in node.input]
    for node in graph.node:
        node.output[:] = ["mesh/sure" if name == "sure" else name for name in node.output]
    graph.node.extend(added.graph.node)
    graph.initializer.extend(added.graph.initializer)
    graph.initializer.append(numpy_helper.from_array(np.array([1, 69]), "doubt/parts"))
    graph.node.extend(
        [
            helper.make_node(
                "Split", ["mesh/sure", "doubt/parts"], ["mesh/face", "mesh/rest"], axis=1, name="doubt/split"
            ),
            helper.make_node("Min", ["mesh/face", said], ["doubt/face"], name="doubt/min"),
            helper.make_node("Concat", ["doubt/face", "mesh/rest"], ["sure"], axis=1, name="doubt/sure"),
        ]
    )
    onnx.checker.check_model(made)
    save(made, path)


if __name__ == "__main__":
    main()
