"""Train and publish `face.mesh`: 478 points of a face.

    python -m recipes.face_mesh --work build/face --teacher-python ../teacher/bin/python [--seed 20]

The teacher's Python has `mediapipe==0.10.21` (`recipes/face_teacher.py`). Lessons are made first (about 20 minutes on
one core, and kept), then the network learns (about 50 minutes on one core). No film is learned from: the clips of
`video/face-samples` are measured only, as are PublicTest and PrivateTest of FER2013 and drawn heads of other people
before other backgrounds.
"""

import argparse
import logging
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from affetto.models.face.crop import Place, Points, cut
from affetto.models.face.mesh import BETWEEN_EYES, IBUG_68, SIDE, FaceMesh, place_of
from affetto.models.face.seen import Face, look_twice
from affetto.train.export import export_static
from benchmarks.results import interval, save
from recipes import cards
from recipes.face_lessons import CLIPS, Lessons
from recipes.face_mesh_network import Faces, Grey, MeshNetwork, Schooling, nothing, taught

log = logging.getLogger("face")
WEIGHTS = Path(__file__).resolve().parents[1] / "src/affetto/models/face/weights/face.mesh.onnx.gz"
TESTED = 1500
"""Drawn heads that are measured."""
MEASURED = 3000
"""Faces, at most, of each kind that are measured."""


def main() -> None:
    """Make lessons, learn, write the file, measure it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--teacher-python", required=True)
    asked.add_argument("--seed", type=int, default=Schooling.seed)
    asked.add_argument("--heads", type=int, default=24000)
    asked.add_argument("--epochs", type=int, default=Schooling.epochs)
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    lessons = Lessons(args.work, args.teacher_python)
    kept = args.work / "mesh.pt"
    people, (scenes, empty) = lessons.people("train"), lessons.scenes()
    if not kept.exists():
        kinds = [people, lessons.heads("train", args.heads), scenes]
        log.info("lessons: %s", [len(kind) for kind in kinds])
        how = Schooling(seed=args.seed, epochs=args.epochs)
        torch.save(
            taught(
                kinds, empty, how, lambda epoch, net: torch.save(net.state_dict(), kept.with_suffix(".part"))
            ).state_dict(),
            kept,
        )
    net = MeshNetwork(np.zeros((478, 3), np.float32))
    net.load_state_dict(torch.load(kept, weights_only=True))
    write(net, people, args.seed)
    measure(FaceMesh(WEIGHTS), lessons, empty, args.seed)
    cards.update("face.mesh", WEIGHTS, ["face-mesh"], room="face")


def write(net: MeshNetwork, people: Faces, seed: int) -> None:
    """Write the network in int8; its last layers stay float32, since they say pixels."""
    rng = np.random.default_rng(seed)
    crops = np.stack(
        [cut(people.pictures[people.which[i]], shifted(place_of(people.points[i]), rng), SIDE) for i in range(512)]
    )
    shown = ({"crop": crops[k : k + 32, None].astype(np.float32) / 255} for k in range(0, len(crops), 32))
    export_static(
        net, {"crop": torch.rand(2, 1, SIDE, SIDE)}, ["mesh", "sure", "known"], WEIGHTS, {}, shown,
        floats=("/mesh/", "/sure/"),
    )  # fmt: skip


def measure(mesh: FaceMesh, lessons: Lessons, empty: list[Grey], seed: int) -> None:
    """Measure the file on what it has not learned from, and keep the result."""
    rng = np.random.default_rng(seed)
    tests = {Path(name).stem: lessons.film(name) for name in CLIPS}
    films = set(tests)
    tests |= {"FER2013 PrivateTest": lessons.people("test"), "drawn heads": lessons.heads("test", TESTED)}
    metrics: dict[str, dict[str, float]] = {}
    whole = []
    for name, faces in tests.items():
        said = followed(mesh, faces, rng)
        far = off(np.stack([face.points for face in said]), faces.points[: len(said)])
        if name in films:
            whole += list(far.mean(1))
        for part, some in {"": far, ", 68 landmarks": far[:, list(IBUG_68)], ", irises": far[:, 468:]}.items():
            metrics[f"error, {name}{part}"] = mean(some.mean(1), seed)
        metrics[f"taken for a face, {name}"] = mean(np.array([face.face >= 0.5 for face in said]), seed)
        if name == "drawn heads":
            right = (np.stack([face.visible for face in said]) >= 0.5) == faces.seen[: len(said)]
            metrics["landmarks seen or not, accuracy, drawn heads"] = mean(right.mean(1), seed)
    none = np.stack([nothing(empty, tests["FER2013 PrivateTest"], rng) for _ in range(MEASURED)])
    metrics["taken for a face, none there"] = mean(mesh(none).face >= 0.5, seed)
    begun = time.perf_counter()
    for k in range(300):
        mesh(none[k][None])
    each = (time.perf_counter() - begun) / 300
    path = save(
        "face-mesh", "face.mesh", len(whole), {"error, films": mean(np.array(whole), seed), **metrics}, seed,
        {"milliseconds a face, one thread": 1000 * each},
        "Mean distance of points in the plane, as a share of the distance between the outer corners of the eyes: from"
        " the mesh of MediaPipe on films and photographs, from the truth on drawn heads. The first crop is off the"
        " place by up to 5 % (8 % in size, 6 degrees); the second is cut by the mesh found in the first, as tracking"
        " does, and is what counts. Intervals over pictures, which in films depend on each other.",
    )  # fmt: skip
    log.info("%s", path.read_text("utf-8"))


def followed(mesh: FaceMesh, faces: Faces, rng: np.random.Generator) -> list[Face]:
    """Return what the mesh finds of some faces at a second look."""
    return [
        look_twice(mesh, faces.pictures[faces.which[i]], [shifted(place_of(faces.points[i]), rng)])[0]
        for i in range(min(MEASURED, len(faces)))
    ]


def shifted(place: Place, rng: np.random.Generator) -> Place:
    """Return a place off by up to 5 % of its side, 8 % in size, and 6 degrees."""
    x, y, grow, turn = rng.uniform(-1, 1, 4)
    return Place(place.x + 0.05 * x * place.size, place.y + 0.05 * y * place.size, place.size * np.exp(0.08 * grow),
                 place.angle + 0.1 * turn)  # fmt: skip


def off(points: Points, truth: Points) -> Points:
    """Return how far points (n x 478 x 3) are off in the plane, as a share of that between the outer eye corners."""
    apart = np.linalg.norm(truth[:, BETWEEN_EYES[0], :2] - truth[:, BETWEEN_EYES[1], :2], axis=1)
    return np.asarray(np.linalg.norm(points[..., :2] - truth[..., :2], axis=2) / apart[:, None], np.float32)


def mean(values: npt.NDArray[np.generic], seed: int) -> dict[str, float]:
    """Return the mean and its interval."""
    return interval(lambda rows: float(values[rows].mean()), len(values), seed)


if __name__ == "__main__":
    main()
