"""Drawn heads, whose every movement is known: scenes of the ICT face model by number, as Records.

The file below the data folder is the model; a picture is drawn when somebody looks at it, from a seed of its own, so
that it is the same everywhere. A Record has the picture, what moves (`arkit-52`, tongueOut not said), how the head is
turned and where the eyes look. Drawing needs numba (`affetto[bench]`); the truth does not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.core.track import Track
from affetto.datasets.clips import clip
from affetto.datasets.corpus import Corpus, Split
from affetto.datasets.ict_face import EYES, Floats, Head
from affetto.datasets.ict_scenes import Posed, Studio

FIRST = {"dev": 910_000, "test": 920_000}
"""The seed of the first picture of each split; those that networks learn from lie below 900,000."""
DRAWN = {"dev": 300, "test": 1500}
COUNTS = "counts.json"
"""A file that says how many pictures each split has, where not as many as usual are wanted."""
SOURCE = "drawn"
SUBJECT = "person-1"


@dataclass(frozen=True)
class Drawing:
    """Draws a picture when it is looked at."""

    studio: Studio
    seed: int

    def __call__(self) -> npt.NDArray[np.uint8]:
        """Return it, side x side x 3, grey.

        Raises:
            MissingExtraError: numba is not installed.
        """
        scene = self.studio.scene(np.random.default_rng(self.seed))
        return np.repeat(scene.picture[:, :, None], 3, axis=2)


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def coefficients(head: Head, weights: Floats) -> Floats:
    """Return ARKit's 52 coefficients, n x 52, of n x 57 weights of the head's expressions; NaN where there is none."""
    names = catalog.load("arkit-52").names
    out = np.full((len(weights), len(names)), np.nan, np.float32)
    for name, parts in head.arkit.items():
        out[:, names.index(name)] = weights[:, list(parts)].mean(1)
    return out


def _read(split: Split) -> Iterator[Record]:
    counts = split.folder / COUNTS
    drawn = json.loads(counts.read_text("utf-8")) if counts.exists() else DRAWN
    head = Head.read(split.folder)
    studio = Studio(head)
    for i in range(drawn[split.name]):
        seed = FIRST[split.name] + i
        posed = studio.posed(np.random.default_rng(seed))
        size = (studio.side, studio.side)
        image = Image(None, f"{split.files[0]}#{seed}", size, Drawing(studio, seed))
        yield clip(str(seed), [image], list(_tracks(head, posed)))


def _tracks(head: Head, posed: Posed) -> Iterator[Track]:
    left, top = posed.points[head.landmarks, :2].min(0)
    right, bottom = posed.points[head.landmarks, :2].max(0)
    yaw, up, roll = posed.pose
    left_yaw, left_up, right_yaw, right_up = posed.gaze
    for space, values in (
        ("arkit-52", coefficients(head, posed.weights[None])[0]),
        ("head-pose", np.array([yaw, -up, roll])),
        ("gaze", np.array([left_yaw, -left_up, right_yaw, -right_up])),
    ):
        yield Track(
            catalog.load(space), np.zeros(1), np.zeros(1), values[None], subject=SUBJECT, channel="face", source=SOURCE,
            box=np.array([[left, top, right, bottom]]),
        )  # fmt: skip


def _fake(folder: Path) -> None:
    """Write a plate with two eyes, that can smile on one side."""
    rng = np.random.default_rng(0)
    n = EYES[1][1]
    neutral = rng.uniform(-8, 8, (n, 3)).astype(np.float32) * [1, 1, 0.2] + [0, 0, 8]
    marks = np.stack([np.linspace(-6, 6, 68), 5 * np.sin(np.arange(68)), np.full(68, 9.0)], 1)
    neutral[:68] = marks
    for start, end in EYES:
        ball = rng.normal(size=(end - start, 3))
        neutral[start:end] = 1.4 * ball / np.linalg.norm(ball, axis=1, keepdims=True) + [3, 3, 8]
    movements = ("mouthSmile_L", "jawOpen", "browDown_L", "eyeBlink_L", "noseSneer_L", "mouthPucker")
    names = [*movements, *(f"eyeLook{way}_{eye}" for way in ("In", "Out", "Up", "Down") for eye in "LR")]
    moves = np.zeros((len(names), n, 3), np.int16)
    moves[0, :40, 1] = 800
    quads = np.arange(400, dtype=np.uint16).reshape(-1, 4)
    np.savez_compressed(
        folder / "ict_face_light.npz", neutral=neutral.astype(np.float32), quads=quads, tris=quads[:9, :3],
        expression_names=np.array(names), expression_deltas_q=moves, identity_names=np.array(["identity000"] * 16),
        identity_deltas_q=np.zeros((16, n, 3), np.int16), delta_scale=np.float32(0.00025),
    )  # fmt: skip
    (folder / "vertex_indices.json").write_text(json.dumps({"idx_to_landmark_verts": list(range(68))}), "utf-8")
    (folder / COUNTS).write_text(json.dumps({"dev": 2, "test": 3}), "utf-8")
