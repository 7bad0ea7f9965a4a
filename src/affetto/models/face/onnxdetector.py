"""Any detector of faces that somebody exported to ONNX, by a card and a file: YuNet, or one of boxes and scores.

Such a card needs no code. It says, besides what all cards say:

    load = "affetto.models.face.onnxdetector:load"
    file = "yunet.onnx"             beside the card, in the folder AFFETTO_MODELS, or in the cache of Affetto
    sha256 = "..."                  of the file
    url = "https://..."             where it is to be had; fetched once where AFFETTO_NETWORK=1 says so
    size = [640, 640]               width and height of the pictures that it takes, for YuNet multiples of 32
    outputs = "yunet"               yunet: cls, obj, bbox and kps of strides 8, 16 and 32, by these names;
                                    boxes: one output of n x 4 boxes, one of n scores, or of n x (no face, face)
    boxes = "boxes"                 the name of the output of boxes (left, top, right, bottom)
    scores = "scores"               the name of the output of scores, 0..1
    unit = "share"                  of the boxes: share of the picture that it takes, or pixels of it
    mean = 0.0                      what is taken from each grey level, 0..255, before it is
    scale = 1.0                     multiplied by this
    sure = 0.5                      lowest score that is proposed
    reach = 1.0                     larger side of the box of a face's points, as a share of that of its box

The pictures it gets are grey, in as many channels as it takes. Knows pictures; `detect.Finder` asks and confirms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnreadableError
from affetto.models.face.crop import Grey, Place
from affetto.models.face.mesh import AROUND
from affetto.models.face.seen import overlap
from affetto.models.weights import file_of, first_line

Floats = npt.NDArray[np.float32]
Outputs = Literal["yunet", "boxes"]
Unit = Literal["share", "pixels"]
_STRIDES = (8, 16, 32)
_MOST = 300
"""Proposals, at most."""


@dataclass(frozen=True)
class Facts:
    """What a card says of a file."""

    file: str
    size: Sequence[int]
    outputs: Outputs = "yunet"
    url: str = ""
    boxes: str = "boxes"
    scores: str = "scores"
    unit: Unit = "share"
    mean: float = 0.0
    scale: float = 1.0
    sure: float = 0.5
    reach: float = 1.0


@dataclass(frozen=True)
class OnnxDetector:
    """A Detector over one ONNX file."""

    card: Card
    facts: Facts
    session: Any
    channels: int = 3

    def __call__(self, picture: Grey) -> list[Place]:
        """Return where faces may be, the likeliest first."""
        wide, high = self.facts.size
        by = min(wide / picture.shape[1], high / picture.shape[0])
        size = (max(1, round(picture.shape[1] * by)), max(1, round(picture.shape[0] * by)))
        page = np.zeros((high, wide), np.float32)
        how = cv2.INTER_AREA if by < 1 else cv2.INTER_LINEAR
        page[: size[1], : size[0]] = (cv2.resize(picture, size, interpolation=how) - self.facts.mean) * self.facts.scale
        given = np.broadcast_to(page, (1, self.channels, high, wide))
        boxes, scores, angles = self._found(np.ascontiguousarray(given, np.float32))
        return [
            Place(
                float((left + right) / 2 / by - 0.5),
                float((top + bottom) / 2 / by - 0.5),
                float(AROUND * self.facts.reach * max(right - left, bottom - top) / by),
                float(angle),
            )
            for (left, top, right, bottom), angle in _best(boxes, scores, angles, self.facts.sure)
        ]

    def _found(self, given: Floats) -> tuple[Floats, Floats, Floats]:
        """Return boxes (n x 4, pixels of what it takes), scores (n) and turns (n)."""
        names = [one.name for one in self.session.get_outputs()]
        said = dict(zip(names, self.session.run(names, {self.session.get_inputs()[0].name: given}), strict=True))
        if self.facts.outputs == "yunet":
            return _yunet(said, self.facts.size)
        boxes = np.asarray(said[self.facts.boxes], np.float32).reshape(-1, 4)
        scores = np.asarray(said[self.facts.scores], np.float32).reshape(len(boxes), -1)[:, -1]
        if self.facts.unit == "share":
            boxes = boxes * np.array([*self.facts.size, *self.facts.size], np.float32)
        return boxes, scores, np.zeros(len(boxes), np.float32)


def _yunet(said: dict[str, Floats], size: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Return boxes, scores and turns of what YuNet says (Wu et al. 2023), a row for each cell of its three grids.

    A box is its middle, in cells from the corner of its own, and the logarithms of its sides, in cells; the first two
    of its five points are the eyes.
    """
    boxes, scores, angles = [], [], []
    for stride in _STRIDES:
        cells = np.array([(x, y) for y in range(size[1] // stride) for x in range(size[0] // stride)], np.float32)
        box, points = said[f"bbox_{stride}"].reshape(-1, 4), said[f"kps_{stride}"].reshape(-1, 10)
        middle, half = (cells + box[:, :2]) * stride, np.exp(np.clip(box[:, 2:], -10, 10)) * stride / 2
        boxes.append(np.concatenate([middle - half, middle + half], 1))
        sure = np.clip(said[f"cls_{stride}"].reshape(-1), 0, 1) * np.clip(said[f"obj_{stride}"].reshape(-1), 0, 1)
        scores.append(np.sqrt(sure))
        angles.append(np.arctan2(points[:, 3] - points[:, 1], points[:, 2] - points[:, 0]))
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(angles)


def _best(boxes: Floats, scores: Floats, angles: Floats, sure: float) -> list[tuple[tuple[float, ...], float]]:
    """Return the boxes that are sure enough and no worse repetition of another, with their turns."""
    kept: list[tuple[tuple[float, float, float, float], float]] = []
    for k in np.argsort(-scores, kind="stable")[:_MOST]:
        left, top, right, bottom = (float(x) for x in boxes[k])
        if not scores[k] >= sure or not np.isfinite(boxes[k]).all() or right <= left or bottom <= top:
            continue
        box = (left, top, right, bottom)
        if all(overlap(box, other) <= 0.6 for other, _ in kept):
            kept.append((box, float(angles[k])))
    return list(kept)


def load(card: Card) -> OnnxDetector:
    """Load the detector that a card names.

    Raises:
        CatalogError: the card lacks a fact, or does not fit the file, or the file is not what it says.
        UnreadableError: the file is not on this machine and cannot be fetched, or is no ONNX file.
    """
    facts = _facts(card)
    path = file_of(card.id, facts.file, facts.url, card.sha256, card.path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises plain exceptions of its own
        raise UnreadableError(f"{path} is no ONNX file that {card.id} can read: {first_line(error)}") from None
    known = [one.name for one in session.get_outputs()]
    kinds = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
    for name in kinds if facts.outputs == "yunet" else (facts.boxes, facts.scores):
        if name not in known:
            raise CatalogError(f"{card.id}: {facts.file} has no output {name!r}; known: {', '.join(known)}")
    shape = session.get_inputs()[0].shape
    wide, high = facts.size
    fits = len(shape) == 4 and shape[1] in (1, 3)
    if not fits or any(isinstance(got, int) and got != want for got, want in zip(shape[2:], (high, wide), strict=True)):
        raise CatalogError(f"{card.id}: {facts.file} takes pictures of {shape}, not 1 x 3 (or 1) x {high} x {wide}")
    return OnnxDetector(card, facts, session, shape[1])


def _facts(card: Card) -> Facts:
    """Return the facts of a card, checked."""
    known = {one.name: one.type for one in fields(Facts)}
    said = {key: value for key, value in card.facts.items() if key in known}
    if missing := {"file", "size"} - set(said):
        raise CatalogError(f"the card {card.id} lacks {', '.join(sorted(missing))}")
    numbers = ("mean", "scale", "sure", "reach")
    for key, value in said.items():
        right = (int, float) if key in numbers else list if key == "size" else str
        if not isinstance(value, right) or isinstance(value, bool):
            raise CatalogError(f"in the card {card.id}, {key} cannot be {value!r:.40}")
    facts = Facts(**said)
    grid = _STRIDES[-1] if facts.outputs == "yunet" else 1
    if len(facts.size) != 2 or not all(isinstance(side, int) and side > 0 and side % grid == 0 for side in facts.size):
        raise CatalogError(f"{card.id}: size is width and height, multiples of {grid}, not {facts.size!r:.40}")
    for name, value, words in (("outputs", facts.outputs, Outputs), ("unit", facts.unit, Unit)):
        if value not in get_args(words):
            raise CatalogError(f"{card.id}: {name} is {' or '.join(get_args(words))}, not {value!r}")
    return facts
