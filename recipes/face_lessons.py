"""What `face.mesh` and `face.blendshapes` learn from: pictures of people with a teacher's meshes, and drawn heads.

Knows where the data lie, how the ICT head's surface answers to the 478 points of MediaPipe's mesh, and which picture
belongs to which part. All that is made here is kept below `--work` and not made twice.
"""

import csv
import io
import logging
import os
import subprocess
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from affetto.datasets.ict_face import EYES, FACE, Head
from affetto.datasets.ict_scenes import SIDE as DRAWN
from affetto.datasets.ict_scenes import Scenes, Studio
from affetto.media.video import frames
from affetto.models.face.mesh import BETWEEN_EYES
from recipes.face_mesh_network import Faces
from recipes.face_pictures import pictures

log = logging.getLogger("face")
Floats = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]
FIRST = {"train": 100_000, "test": 900_000, "map": 1_000}
"""The seed of the first drawn picture of each part; the others follow."""
TEST_EVERY = 5
"""Of the background pictures, each so-manieth stands behind drawn heads of the test part only."""
CLIPS = (
    "emoface_angry_actor.mov",
    "pexels_wolfgang_langer_cry.mp4",
    "pyfeat_face_noface.mov",
    "pyfeat_single_face.mp4",
)
"""Films on which the mesh is only measured."""


@dataclass(frozen=True)
class Lessons:
    """Makes and keeps lessons."""

    work: Path
    teacher: str
    """The Python that has mediapipe."""

    @cached_property
    def head(self) -> Head:
        """The ICT head."""
        return Head.read(Path(os.environ["AFFETTO_DATA"]) / "face" / "ict-facekit-light")

    @cached_property
    def scenery(self) -> dict[str, Grey]:
        """The pictures of OASIS, in grey, by their names."""
        with zipfile.ZipFile(Path(os.environ["AFFETTO_DATA"]) / "image" / "oasis" / "oasis_256.zip") as packed:
            read = {Path(name).name: packed.read(name) for name in packed.namelist() if name.endswith(".webp")}
        grey = {name: cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE) for name, raw in read.items()}
        return {name: np.asarray(grey[name], np.uint8) for name in sorted(grey)}

    def taught(self, name: str, asked: dict[str, Grey], *options: str) -> dict[str, Floats]:
        """Return what the teacher says of pictures: arrays m x 1435 by the pictures' names."""
        kept = self.work / f"{name}.meshes.npz"
        if not kept.exists():
            given = self.work / f"{name}.pictures.npz"
            np.savez(given, **asked)  # type: ignore[arg-type]
            script = Path(__file__).with_name("face_teacher.py")
            subprocess.run([self.teacher, str(script), str(given), str(kept), *options], check=True)
            given.unlink()
        with np.load(kept) as file:
            return {key: file[key] for key in file.files}

    def people(self, split: str) -> Faces:
        """Return the faces of a split of FER2013 on which the teacher found a mesh of some size."""
        lot = pictures(split)
        rows = self.taught(f"fer-{split}", {"all": lot.pixels})["all"]
        which, points = rows[:, 0].astype(int), rows[:, 1:].reshape(-1, 478, 3)
        wide = np.linalg.norm(points[:, BETWEEN_EYES[0], :2] - points[:, BETWEEN_EYES[1], :2], axis=1)
        good = (wide > 9) & (lot.votes[which, 9] < 3)
        return Faces(list(lot.pixels), which[good], points[good], np.ones((int(good.sum()), 68), bool))

    def scenes(self) -> tuple[Faces, list[Grey]]:
        """Return the faces in the pictures of OASIS, and its pictures without people."""
        said = self.taught("oasis", self.scenery, "--grow", "2", "--margin", "0.05", "--faces", "4")
        kept, which, points = [], [], []
        for name, rows in said.items():
            for row in rows[:, 1:].reshape(-1, 478, 3):
                if np.linalg.norm(row[BETWEEN_EYES[0], :2] - row[BETWEEN_EYES[1], :2]) >= 14:
                    which.append(len(kept))
                    points.append(row)
            kept.append(self.scenery[name])
        with (Path(os.environ["AFFETTO_DATA"]) / "image" / "oasis" / "ratings.csv").open(encoding="utf-8") as file:
            person = {Path(row["file"]).name for row in csv.DictReader(file) if row["category"] == "Person"}
        empty = [grey for name, grey in self.scenery.items() if name not in person and not len(said[name])]
        return Faces(kept, np.array(which), np.array(points), np.ones((len(which), 68), bool)), empty

    def film(self, name: str) -> Faces:
        """Return each third of the frames of a film in which the teacher finds a face."""
        path = Path(os.environ["AFFETTO_DATA"]) / "video" / "face-samples" / name
        grey = np.concatenate(
            [np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in block]) for block in frames(path, 0).blocks(2)]
        )
        rows = self.taught(Path(name).stem, {"all": grey}, "--grow", "1", "--margin", "0")["all"]
        which, points = rows[::3, 0].astype(int), rows[::3, 1:].reshape(-1, 478, 3)
        return Faces(grey, which, points, np.ones((len(points), 68), bool))

    @cached_property
    def surface(self) -> tuple[npt.NDArray[np.int32], Floats]:
        """Where the 478 points lie on the ICT head: four of its points for each, and their weights.

        The teacher looks at 260 plain drawings of different people; each of its points becomes the point of the head
        that is nearest to it in all of them, and then the blend of that and its neighbours that fits best.
        """
        kept = self.work / "surface.npz"
        if not kept.exists():
            studio = Studio(self.head, side=512)
            drawings = []
            for i in range(260):
                rng = np.random.default_rng(FIRST["map"] + i)
                weights = studio.expression(rng) if i % 3 else None
                drawings.append(studio.scene(rng, Scenes(plain=True, yaw=25, pitch=15, roll=5), weights))
            rows = self.taught("map", {"all": np.stack([one.picture for one in drawings])}, "--grow", "1",
                               "--margin", "0")["all"]  # fmt: skip
            heads = np.stack([drawings[int(row[0])].points for row in rows])
            np.savez(kept, **_laid_on(self.head, heads, rows[:, 1:].reshape(-1, 478, 3)))
        with np.load(kept) as file:
            log.info(
                "the mesh on the head: off by %.4f of the distance between the eyes on unseen drawings", file["off"]
            )
            return file["near"], file["weight"]

    def drawn(self, part: str, n: int) -> dict[str, npt.NDArray[np.generic]]:
        """Return n drawn heads: pictures, points, seen, weights, identity, angles (pose, looks)."""
        kept = self.work / f"drawn-{part}-{n}.npz"
        if not kept.exists():
            behind = [g for k, g in enumerate(self.scenery.values()) if (k % TEST_EVERY == 0) == (part == "test")]
            studio, (near, weight) = Studio(self.head, behind), self.surface
            rows = []
            for i in range(n):
                one = studio.scene(np.random.default_rng(FIRST[part] + i))
                points = (one.points[near] * weight[..., None]).sum(1) * [1, 1, -1]
                rows.append((one.picture, points.astype(np.float32), one.seen, one.weights, one.identity,
                             np.array([*one.pose, *one.gaze], np.float32)))  # fmt: skip
                if i % 2000 == 0:
                    log.info("drawn %d of %d", i, n)
            names = ("pictures", "points", "seen", "weights", "identity", "angles")
            np.savez(kept, **dict(zip(names, map(np.stack, zip(*rows, strict=True)), strict=True)))  # type: ignore[arg-type]
        with np.load(io.BytesIO(kept.read_bytes())) as file:
            return {name: file[name] for name in file.files}

    def heads(self, part: str, n: int) -> Faces:
        """Return drawn heads as lessons of the mesh."""
        made = self.drawn(part, n)
        assert made["pictures"].shape[1] == DRAWN
        return Faces(made["pictures"], np.arange(n), made["points"], made["seen"])  # type: ignore[arg-type]


def _laid_on(head: Head, heads: Floats, meshes: Floats) -> dict[str, npt.NDArray[np.generic]]:
    """Return near (478 x 4), weight (478 x 4), and how far off they are on each fourth drawing, which is left out."""
    wide = np.linalg.norm(meshes[:, BETWEEN_EYES[0], :2] - meshes[:, BETWEEN_EYES[1], :2], axis=1)
    learned = np.arange(len(meshes)) % 4 != 0
    eyes = np.concatenate([np.arange(start, end) for start, end in EYES])
    near, weight, off = np.zeros((478, 4), np.int32), np.zeros((478, 4), np.float32), []
    for point in range(478):
        some = np.arange(FACE) if point < 468 else eyes
        far = np.linalg.norm(heads[learned][:, some, :2] - meshes[learned, None, point, :2], axis=2)
        cost = np.minimum(far / wide[learned, None], 0.15).mean(0)
        around = np.argsort(np.linalg.norm(head.neutral[some] - head.neutral[some[cost.argmin()]], axis=1))[:12]
        best = around[np.argsort(cost[around])][:4]
        near[point] = some[best]
        corner = heads[learned][:, near[point], :2]
        ways = (corner - corner[:, :1])[:, 1:].transpose(0, 2, 1).reshape(-1, 3) / np.repeat(wide[learned], 2)[:, None]
        goal = ((meshes[learned, point, :2] - corner[:, 0]) / wide[learned, None]).reshape(-1)
        ridge = 1e-2 * len(ways) * ways.var() * np.eye(3)
        share = np.clip(np.linalg.solve(ways.T @ ways + ridge, ways.T @ goal), -0.5, 1)
        weight[point] = [1 - share.sum(), *share]
        there = (heads[~learned][:, near[point], :2] * weight[point][:, None]).sum(1)
        off.append(np.linalg.norm(there - meshes[~learned, point, :2], axis=1) / wide[~learned])
    return {"near": near, "weight": weight, "off": np.array(np.mean(off))}
