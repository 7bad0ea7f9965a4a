"""Train and publish `face.blendshapes`, and find for `face.au` what faces at rest show.

    python -m recipes.face_shapes --work build/face --teacher-python ../teacher/bin/python [--seed 20]

After `recipes.face_mesh`, whose lessons and weights it uses; about 20 minutes on one core. Measured are drawn heads of
other people (found by the mesh network, as in `perceive`), drawings in which one movement is dialled from 0 to 1, and
real people: the meshes of `face/pyfeat-news-au` go in, and what Py-Feat said of the same frames is the reference.
"""

import argparse
import base64
import json
import logging
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from affetto.core.catalog import find
from affetto.datasets.ict_scenes import Scenes, Studio
from affetto.models.face.alignment import aligned
from affetto.models.face.blendshapes import Blendshapes, Network
from affetto.models.face.crop import cut
from affetto.models.face.mesh import SIDE, FaceMesh, place_of
from affetto.models.face.seen import Face, look
from affetto.models.face.units import Units
from affetto.train.export import export_static
from benchmarks.results import interval, save
from recipes import cards
from recipes.face_lessons import FIRST, Lessons
from recipes.face_mesh import TESTED, mean, off, shifted
from recipes.face_mesh import WEIGHTS as MESH
from recipes.face_mesh_network import Faces, Floats, MeshNetwork
from recipes.face_pictures import pictures
from recipes.face_shapes_network import POINTS, WIDE, Puppet, Schooling, ShapesNetwork, by_map, mapped, taught

log = logging.getLogger("face")
WEIGHTS = MESH.with_name("face.blendshapes.onnx.gz")
CARD = MESH.parents[1] / "face.au.toml"
CLOSE = 0.05
"""How far off a mesh may be to count as right, as a share of the distance between the eyes."""
DIALLED, STEPS = 8, 11
"""People on whom each movement is dialled, and in how many steps."""


def main() -> None:
    """Learn, write the file, measure it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--teacher-python", required=True)
    asked.add_argument("--seed", type=int, default=Schooling.seed)
    asked.add_argument("--heads", type=int, default=24000)
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    lessons, mesh = Lessons(args.work, args.teacher_python), FaceMesh(MESH)
    puppet, people, how = Puppet.of(lessons.head, *lessons.surface), lessons.people("train"), Schooling(seed=args.seed)
    middle = mean_face(puppet, args.seed)
    shapes, still = aligned(people.points, middle)[0], at_rest(people)
    heads = lessons.drawn("train", args.heads)
    weights = np.asarray(heads["weights"], np.float32)
    linear = mapped(puppet, shapes[still], weights, middle, how)
    begun = MeshNetwork(middle)
    begun.load_state_dict(torch.load(args.work / "mesh.pt", weights_only=True))
    net, kept = ShapesNetwork(begun, len(puppet.names)), args.work / "shapes.pt"
    if not kept.exists():
        goals = np.concatenate([weights @ puppet.makers, np.asarray(heads["angles"])[:, 3:] / WIDE], 1)
        lots = (lessons.heads("train", args.heads), goals.astype(np.float32)), (people, by_map(shapes, linear, middle))
        torch.save(taught(net, *lots, how).state_dict(), kept)
    net.load_state_dict(torch.load(kept, weights_only=True))
    write(net, puppet, middle, linear, trust(mesh, lessons.people("dev"), args.seed), people)
    part = Blendshapes(find("face.blendshapes"), Network(WEIGHTS))
    show_rest(part, mesh, Faces(people.pictures, people.which[still], people.points[still], people.seen[still]))
    measure(part, mesh, lessons, puppet, args.seed)
    cards.update("face.blendshapes", WEIGHTS, ["face-blendshapes"], room="face")


def mean_face(puppet: Puppet, seed: int) -> Floats:
    """Return the mean of many heads at rest, 478 x 3, the outer corners of the eyes 1 apart."""
    many = np.random.default_rng(seed).normal(size=(500, 16)).astype(np.float32)
    points = (puppet.neutral + np.tensordot(many, puppet.identities, 1)).mean(0)
    points = points / np.linalg.norm(points[33] - points[263])
    return np.asarray(points - points.mean(0), np.float32)


def found(mesh: FaceMesh, faces: Faces, seed: int) -> list[Face]:
    """Return what the mesh network sees of all faces, each cut somewhat off its place."""
    rng = np.random.default_rng(seed)
    return [
        look(mesh, faces.pictures[faces.which[i]], [shifted(place_of(faces.points[i]), rng)])[0]
        for i in range(len(faces))
    ]


def at_rest(people: Faces) -> np.ndarray:
    """Return which people (of Training) at least nine of ten raters call neutral."""
    votes = pictures("train").votes[people.which]
    return np.asarray(votes[:, 0] >= 9)


def trust(mesh: FaceMesh, people: Faces, seed: int) -> list[float]:
    """Return intercept and slope from the log of the expected error to the log-odds that a mesh is right."""
    faces = found(mesh, people, seed)
    right = off(np.stack([face.points for face in faces]), people.points).mean(1) < CLOSE
    expected = np.log([[max(face.error, 1e-3)] for face in faces])
    line = LogisticRegression(C=100.0).fit(expected, right)
    return [float(line.intercept_[0]), float(line.coef_[0, 0])]


def write(
    net: ShapesNetwork, puppet: Puppet, middle: Floats, linear: Floats, trusted: list[float], people: Faces
) -> None:
    """Write the network in int8, its last layer in float32; with it the linear map and the mean face."""
    facts = {
        "names": puppet.names,
        "mean": [round(float(x), 5) for x in middle.ravel()],
        "map": base64.b64encode(linear.astype("<f2").tobytes()).decode(),
        "trust": trusted,
    }
    crops = np.stack([cut(people.pictures[people.which[i]], place_of(people.points[i]), SIDE) for i in range(512)])
    shown = ({"crop": crops[k : k + 32, None].astype(np.float32) / 255} for k in range(0, len(crops), 32))
    export_static(
        net, {"crop": torch.rand(2, 1, SIDE, SIDE)}, ["coefficients", "looks"], WEIGHTS,
        {"affetto.shapes": json.dumps(facts)}, shown, floats=("/last/",),
    )  # fmt: skip


def show_rest(part: Blendshapes, mesh: FaceMesh, people: Faces) -> None:
    """Write into the card of `face.au` what nine in ten people at rest show of each unit, 0..1."""
    units = Units(find("face.au"), part, {})
    shares = units(found(mesh, people, 1))[0].values / 5
    rows = [
        f"{name} = {max(0.0, float(np.quantile(shares[:, k], 0.9))):.3f}"
        for k, name in enumerate(units.spaces[0].names)
        if not np.isnan(shares[:, k]).any()
    ]
    text = re.sub(r"\[rest\]\n(.+\n)*", "[rest]\n" + "\n".join(rows) + "\n", CARD.read_text("utf-8"))
    CARD.write_text(text, "utf-8")


def measure(part: Blendshapes, mesh: FaceMesh, lessons: Lessons, puppet: Puppet, seed: int) -> None:
    """Measure the file, and keep the result."""
    made, heads = lessons.drawn("test", TESTED), lessons.heads("test", TESTED)
    faces = found(mesh, heads, seed)
    truth = np.asarray(made["weights"], np.float32) @ puppet.makers
    said, looks = part.network.of_crops(np.stack([face.crop for face in faces]))
    turned = part.network.of_meshes(np.stack([face.points for face in faces]))[2]
    metrics: dict[str, dict[str, float]] = {}
    metrics["drawn heads: median Pearson"] = interval(lambda rows: median_r(said[rows], truth[rows]), TESTED, seed)
    metrics["drawn heads: mean absolute error"] = mean(np.abs(said - truth).mean(1), seed)
    angles = np.asarray(made["angles"], np.float32) * [1, -1, 1, 1, 1, 1, 1]
    for k, name in enumerate(("yaw", "pitch", "roll")):
        metrics[f"drawn heads: {name}, mean absolute error, degrees"] = mean(np.abs(turned[:, k] - angles[:, k]), seed)
    metrics["drawn heads: gaze, mean absolute error, degrees"] = mean(np.abs(looks - angles[:, 3:]).mean(1), seed)
    rises = dialled(part, mesh, lessons, puppet)
    values = np.array(list(rises.values()))
    metrics["one movement dialled: median Spearman"] = interval(
        lambda rows: float(np.median(values[rows])), len(values), seed
    )
    metrics |= {f"dialled: {name}": {"value": value, "low": np.nan, "high": np.nan} for name, value in rises.items()}
    metrics |= on_people(part, seed)
    path = save(
        "face-blendshapes", "face.blendshapes", TESTED, metrics, seed, {},
        "Drawn heads of people, expressions and backgrounds not learned from, through the mesh network. Dialled: one"
        f" movement from 0 to 1 in {STEPS} steps on {DIALLED} plainly drawn people; the Spearman correlation of each"
        " person, averaged. People: 477 frames of 20 clips; meshes and reference coefficients are both Py-Feat's, so"
        " the reference is another model's word, not truth; intervals over clips.",
    )  # fmt: skip
    log.info("%s", path.read_text("utf-8"))


def median_r(said: Floats, truth: Floats) -> float:
    """Return the median over columns of the Pearson correlation."""
    return float(np.nanmedian(each_r(said, truth)))


def each_r(said: Floats, truth: Floats) -> Floats:
    """Return the Pearson correlation of each column; NaN where one does not vary."""
    x, y = said - said.mean(0), truth - truth.mean(0)
    with np.errstate(invalid="ignore"):
        return np.asarray((x * y).sum(0) / np.sqrt((x * x).sum(0) * (y * y).sum(0)), np.float32)


def dialled(part: Blendshapes, mesh: FaceMesh, lessons: Lessons, puppet: Puppet) -> dict[str, float]:
    """Return, for each coefficient, how surely it rises as its movement does: the mean Spearman over people."""
    studio, (near, weight) = Studio(lessons.head), lessons.surface
    rises = {}
    for k, name in enumerate(puppet.names):
        one = []
        for person in range(DIALLED):
            faces = []
            for step in np.linspace(0, 1, STEPS):
                rng = np.random.default_rng(FIRST["test"] + 50_000 + person)
                identity = rng.normal(size=16).astype(np.float32)
                weights = ((puppet.makers[:, k] > 0) * step).astype(np.float32)
                scene = studio.scene(rng, Scenes(plain=True, yaw=15, pitch=10, roll=5), weights, identity)
                points = ((scene.points[near] * weight[..., None]).sum(1) * [1, 1, -1]).astype(np.float32)
                faces += look(mesh, scene.picture, [place_of(points)])
            said = part.network.of_crops(np.stack([face.crop for face in faces]))[0][:, k]
            one.append(spearmanr(np.linspace(0, 1, STEPS), said).statistic)
        rises[name] = float(np.nanmean(one))
    return rises


def on_people(part: Blendshapes, seed: int) -> dict[str, dict[str, float]]:
    """Return how far what is said of real people's meshes goes with what Py-Feat says of them, and how they turn."""
    folder = Path(os.environ["AFFETTO_DATA"]) / "face" / "pyfeat-news-au"
    table = pyarrow.parquet.read_table(folder / "news_au_blendshape_mesh.parquet").to_pandas()
    meshes = np.stack([table[[f"mesh_{axis}_{i}" for i in range(POINTS)]].to_numpy(np.float32) for axis in "xyz"], 2)
    meshes[:, :, 2] *= table["FaceRectWidth"].to_numpy(np.float32)[:, None]  # depth is in widths of the face there
    reference = table[list(part.network.names)].to_numpy(np.float32)
    said, _, turned = part.network.of_meshes(meshes)
    clips = table["clip"].to_numpy()
    found = {
        "people: median Pearson": interval(lambda rows: median_r(said[rows], reference[rows]), len(said), seed, clips)
    }
    for k, name in enumerate(part.network.names):
        found[f"people: {name}"] = interval(
            lambda rows, k=k: float(each_r(said[rows][:, [k]], reference[rows][:, [k]])[0]), len(said), seed, clips, 200
        )
    for k, name in enumerate(("Yaw", "Pitch", "Roll")):
        found[f"people: {name}, absolute Pearson"] = interval(
            lambda rows, k=k, name=name: abs(float(np.corrcoef(turned[rows, k], table[name].to_numpy()[rows])[0, 1])),
            len(said), seed, clips, 200,
        )  # fmt: skip
    return found


if __name__ == "__main__":
    main()
