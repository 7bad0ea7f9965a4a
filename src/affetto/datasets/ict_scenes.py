"""Made pictures of made people: the ICT head, painted, lit, turned, hidden in part and blurred at random, in grey.

Every picture comes with its truth: where each point lies and whether it is seen, how strong each expression is, how the
head is turned and where the eyes look. Knows what skin, brows, hair and glasses roughly look like; the same seed gives
the same picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from affetto.datasets.ict_face import EYES, FACE, GUMS, SKIN, TEETH, Floats, Head, turned
from affetto.datasets.rasteriser import drawn, normals

Grey = npt.NDArray[np.uint8]
SIDE = 168
"""Of a picture, pixels, where nothing else is said; the face takes 0.4 to 0.5 of it."""
ABOVE, FRONT = np.array([0, 0.4, 1.0]), np.array([0, 0, 1.0])
"""Where lamps mostly are, and the camera."""
_ACTED = (
    {"mouthSmile": 1.0, "cheekSquint": 0.6, "mouthUpperUp": 0.3, "jawOpen": 0.15},
    {"mouthSmile": 0.8, "mouthDimple": 0.4, "mouthPress": 0.3},
    {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.5},
    {"browInnerUp": 0.8, "browOuterUp": 0.4, "browDown": 0.3, "eyeWide": 0.9, "mouthStretch": 0.7, "jawOpen": 0.25},
    {"browDown": 1.0, "eyeWide": 0.4, "eyeSquint": 0.4, "mouthPress": 0.7, "noseSneer": 0.4, "mouthRollLower": 0.3},
    {"browDown": 0.9, "noseSneer": 0.8, "mouthStretch": 0.4, "mouthLowerDown": 0.7, "mouthUpperUp": 0.6,
     "jawOpen": 0.3},
    {"noseSneer": 1.0, "mouthUpperUp": 0.8, "browDown": 0.4, "eyeSquint": 0.4, "cheekSquint": 0.4},
    {"browInnerUp": 1.0, "browDown": 0.3, "mouthFrown": 0.9, "mouthShrugLower": 0.5},
    {"mouthFunnel": 0.8, "jawOpen": 0.3}, {"mouthPucker": 0.9}, {"jawOpen": 0.8}, {"mouthClose": 0.3, "jawOpen": 0.3},
    {"eyeBlink": 1.0}, {"eyeBlink": 0.6, "eyeSquint": 0.5}, {"mouthRollLower": 0.8, "mouthRollUpper": 0.8},
    {"mouthShrugLower": 0.7, "mouthShrugUpper": 0.5}, {"cheekPuff": 0.9, "mouthPress": 0.3},
    {"mouthLowerDown": 0.8, "mouthUpperUp": 0.5, "jawOpen": 0.2}, {"mouthDimple": 0.8, "mouthPress": 0.5},
)  # fmt: skip
"""What faces do as a whole: how people smile, startle, fear, scorn, weep and speak, after the units of FACS."""


@dataclass(frozen=True)
class Scenes:
    """How far scenes differ."""

    yaw: float = 55.0
    """Degrees that a head turns aside, at most."""
    pitch: float = 30.0
    roll: float = 20.0
    hidden: float = 0.35
    """Share of the faces that something hides in part."""
    plain: bool = False
    """Neutral, lit from the front, in focus and not hidden: to look at the model itself."""
    camera: bool = True
    """Whether some camera blurs, packs and spoils the picture; else it is as drawn."""


@dataclass(frozen=True)
class Posed:
    """A head before it is drawn, and so all of the truth but what is seen of it."""

    solid: Floats = field(repr=False)
    """n x 3: the head itself, turned, about the middle of its landmarks, in centimetres."""
    points: Floats
    """n x 3: where each point of the head is: pixels, and how near, in pixels from the middle of the head."""
    weights: Floats
    """57: how strong each expression of ICT's is, 0..1."""
    identity: Floats
    """16, in deviations."""
    pose: tuple[float, float, float]
    """Degrees: yaw to the person's left, up, and roll to the person's right shoulder."""
    gaze: tuple[float, float, float, float]
    """Degrees in the head: left eye to the person's left, and up; the same of the right eye."""


@dataclass(frozen=True)
class Scene(Posed):
    """One made picture and its truth."""

    picture: Grey
    """side x side."""
    seen: npt.NDArray[np.bool_]
    """68: whether each landmark is seen: neither behind the face, nor hidden, nor outside."""
    triangle: npt.NDArray[np.int32] = field(repr=False)
    """side x side: which triangle is seen, -1 where none."""


@dataclass(frozen=True)
class Studio:
    """Draws scenes of one head.

    Args:
        head: the model.
        backgrounds: grey pictures to put behind; without any, made ones.
        side: of the pictures, pixels.
    """

    head: Head
    backgrounds: Sequence[Grey] = ()
    side: int = SIDE

    def posed(self, rng: np.random.Generator, how: Scenes = Scenes(), weights: Floats | None = None,
              identity: Floats | None = None, pose: tuple[float, float, float] | None = None) -> Posed:  # fmt: skip
        """Return a head as it will be drawn; what is not given is drawn by lot."""
        head = self.head
        identity = rng.normal(size=16).astype(np.float32) if identity is None else identity
        if weights is None:
            weights = np.zeros(len(head.names), np.float32) if how.plain else self.expression(rng)
        if pose is None:
            yaw, up, roll = (float(np.clip(rng.normal(), -2, 2) / 2 * most) for most in (how.yaw, how.pitch, how.roll))
            pose = yaw, up, roll
        solid = head.mixed(identity, weights)
        solid = (solid - solid[head.landmarks].mean(0)) @ turned(*pose).T
        points = self._projected(solid, rng)
        return Posed(solid, points, weights, identity, pose, (*head.gaze(weights, 0), *head.gaze(weights, 1)))

    def scene(self, rng: np.random.Generator, how: Scenes = Scenes(), weights: Floats | None = None,
              identity: Floats | None = None, pose: tuple[float, float, float] | None = None) -> Scene:  # fmt: skip
        """Draw a scene; what is not given is drawn by lot, at first as `posed` draws it."""
        head, posed = self.head, self.posed(rng, how, weights, identity, pose)
        points, marks = posed.points, posed.points[self.head.landmarks]
        shades = self._painted(rng, how.plain) * _lit(normals(posed.solid, head.triangles), rng, how.plain)
        shade, nearest, which = drawn(points, shades.astype(np.float32), head.triangles, self.side, self.side)
        canvas = np.where(which < 0, self._background(rng, how.plain), np.nan_to_num(shade)).astype(np.float32)
        cover = np.zeros(canvas.shape, bool)
        if not how.plain:
            canvas = _with_glasses(canvas, marks, rng)
            if rng.random() < how.hidden:
                canvas, cover = _covered(canvas, marks, rng, self.backgrounds)
            canvas = _photographed(canvas, rng) if how.camera else canvas
        picture = np.clip(canvas * 255, 0, 255).astype(np.uint8)
        return Scene(**vars(posed), picture=picture, seen=_seen(marks, nearest, cover), triangle=which)

    def expression(self, rng: np.random.Generator) -> Floats:
        """Return the weights of a random expression: what faces do, some single movements, a look, a blink."""
        weights = np.zeros(len(self.head.names), np.float32)
        for _ in range(rng.integers(0, 3)):
            strength = rng.random() ** 0.7
            for name, share in _ACTED[rng.integers(len(_ACTED))].items():
                self._add(weights, name, share * strength * rng.uniform(0.6, 1.4), rng)
        for name in rng.choice(self._movements, rng.integers(0, 6), replace=False):
            self._add(weights, str(name), rng.random(), rng)
        aside, up = rng.normal(0, 0.4), rng.normal(0, 0.35)
        for eye, way in (("L", aside), ("R", -aside)):
            self._set(weights, f"eyeLookOut_{eye}", max(0, way + rng.normal(0, 0.03)))
            self._set(weights, f"eyeLookIn_{eye}", max(0, -way + rng.normal(0, 0.03)))
            self._set(weights, f"eyeLookUp_{eye}", max(0, up))
            self._set(weights, f"eyeLookDown_{eye}", max(0, -up))
        return np.clip(weights, 0, 1)

    @cached_property
    def _movements(self) -> list[str]:
        plain = {name.split("_")[0] for name in self.head.names}
        return sorted(name for name in plain if not name.startswith(("eyeLook", "PupilDilate")))

    def _add(self, weights: Floats, name: str, value: float, rng: np.random.Generator) -> None:
        """Add to both sides of a movement about alike, or now and then to one alone."""
        lean = 0.0 if rng.random() < 0.7 else rng.uniform(-1, 1)
        for own, share in ((name, 1.0), (f"{name}_L", min(1, 1 + lean)), (f"{name}_R", min(1, 1 - lean))):
            if own in self.head.names:
                weights[self.head.names.index(own)] += value * share

    def _set(self, weights: Floats, name: str, value: float) -> None:
        weights[self.head.names.index(name)] = value

    def _projected(self, solid: Floats, rng: np.random.Generator) -> Floats:
        """Return points as a camera at some distance sees them, the face 60 to 90 pixels wide about the middle."""
        away = rng.uniform(35, 120)
        flat = solid[:, :2] * (away / (away - solid[:, 2:]))
        marks = flat[self.head.landmarks]
        middle, size = (marks.max(0) + marks.min(0)) / 2, np.ptp(marks, 0).max()
        scale = rng.uniform(0.4, 0.51) * self.side / size
        x, y = (flat - middle).T * scale
        return np.stack([self.side / 2 + x, self.side / 2 - y, solid[:, 2] * scale], 1).astype(np.float32)

    @cached_property
    def _regions(self) -> dict[str, Floats]:
        """How much each point belongs to brows, lips, lids and nostrils, 0..1, on the neutral head."""
        still = self.head.neutral
        marks = still[self.head.landmarks]
        face = np.arange(len(still)) < FACE
        flat = still[:, :2]
        lift = np.array([0, -0.25], np.float32)
        brow = np.minimum(_to_line(flat, marks[17:22, :2] + lift), _to_line(flat, marks[22:27, :2] + lift))
        lid = np.minimum(_to_line(flat, marks[36:40, :2]), _to_line(flat, marks[42:46, :2]))
        outline = marks[48:60, :2].astype(np.float32).reshape(-1, 1, 2)
        near = still[:, 2] > marks[48:60, 2].min() - 1.2
        inside = np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in flat], np.float32)
        nostril = np.minimum(*(np.linalg.norm(still - marks[k] - [0, -0.1, 0], axis=1) for k in (32, 34)))
        front = (face & (still[:, 2] > 4)).astype(np.float32)
        return {
            "brow": front * np.clip(1.6 - brow / 0.28, 0, 1),
            "lid": front * np.clip(1.5 - lid / 0.12, 0, 1),
            "lip": front * near * np.clip(0.5 + inside / 0.2, 0, 1),
            "nostril": front * np.clip(1.4 - nostril / 0.35, 0, 1),
        }

    def _painted(self, rng: np.random.Generator, plain: bool) -> Floats:
        """Return how bright each point's paint is, 0..1."""
        still, region = self.head.neutral, self._regions
        skin = 0.62 if plain else rng.uniform(0.22, 0.85)
        paint = np.full(len(still), skin, np.float32)
        if not plain:
            paint *= 1 + _mottled(still, rng, rng.uniform(0, 0.1))
        dark = 0.12 if plain else rng.uniform(0.05, 0.9) * skin
        _lay(paint, region["lip"], skin * (0.68 if plain else rng.uniform(0.45, 1.0)), 0.9)
        _lay(paint, region["brow"], dark, 0.85 if plain else rng.uniform(0.1, 1))
        _lay(paint, region["lid"], 0.08, 0.7 if plain else rng.uniform(0, 1))
        _lay(paint, region["nostril"], 0.08, 0.8)
        hair = dark if rng.random() < 0.8 else rng.uniform(0.05, 0.9)
        line = rng.uniform(8.3, 11.5)
        edge = still[:, 1] + 0.25 * np.abs(still[:, 0]) ** 1.2 * rng.uniform(0, 0.5) + 4 * _mottled(still, rng, 0.2)
        side = (still[:, 2] < rng.uniform(-2, 3)) & (still[:, 1] > rng.uniform(-6, 4))
        if plain or rng.random() < 0.85:
            _lay(paint, ((edge > line) | side)[:].astype(np.float32) * (np.arange(len(still)) < SKIN), hair, 1)
        if not plain and rng.random() < 0.2:
            chin = (still[:, 1] < rng.uniform(-3.5, -0.5)) & (np.arange(len(still)) < FACE)
            _lay(paint, chin * (1 - region["lip"]) * (0.7 + _mottled(still, rng, 0.3)), dark, rng.uniform(0.2, 0.9))
        paint[SKIN:GUMS] = rng.uniform(0.05, 0.2) * skin
        paint[GUMS:TEETH] = 0.4 * skin
        paint[TEETH : EYES[0][0]] = rng.uniform(0.6, 0.95)
        white, iris = rng.uniform(0.65, 0.95), rng.uniform(0.08, 0.45)
        for eye, (start, end) in enumerate(EYES):
            out = still[start:end] - self.head.centres[eye]
            angle = np.degrees(np.arccos(out[:, 2] / np.linalg.norm(out, axis=1)))
            paint[start:end] = np.where((angle < 10) | (angle > 120), 0.03, np.where(angle < 25, iris, white))
        return paint

    def _background(self, rng: np.random.Generator, plain: bool) -> Floats:
        if plain:
            return np.full((self.side, self.side), 0.8, np.float32)
        if self.backgrounds and rng.random() < 0.8:
            return piece(self.backgrounds, rng, self.side)
        return _clouds(rng, self.side)


def piece(pictures: Sequence[Grey], rng: np.random.Generator, side: int) -> Floats:
    """Return some part of some picture, side x side, 0..1."""
    one = pictures[int(rng.integers(len(pictures)))]
    size = int(min(one.shape) * rng.uniform(0.3, 1))
    top, left = rng.integers(0, one.shape[0] - size + 1), rng.integers(0, one.shape[1] - size + 1)
    part = cv2.resize(one[top : top + size, left : left + size], (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(part[:, :: rng.choice([-1, 1])] / np.float32(255), np.float32)


def _clouds(rng: np.random.Generator, side: int) -> Floats:
    """Return a made background: smooth patches of two sizes."""
    out = np.full((side, side), rng.uniform(0.1, 0.9), np.float32)
    for cells, strength in ((2, 0.4), (9, 0.15)):
        grid = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
        out += strength * rng.random() * cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(out, 0, 1)


def _to_line(flat: Floats, line: Floats) -> Floats:
    """Return how far points (n x 2) are from a line of points."""
    best = np.full(len(flat), np.inf, np.float32)
    for start, end in pairwise(line):
        way = end - start
        along = np.clip((flat - start) @ way / (way @ way), 0, 1)
        best = np.minimum(best, np.linalg.norm(flat - start - along[:, None] * way, axis=1))
    return best


def _mottled(solid: Floats, rng: np.random.Generator, strength: float) -> Floats:
    """Return unevenness at each point, deviation about `strength`: waves of random direction, 0.5 to 8 cm long."""
    waves = rng.normal(size=(8, 3))
    waves *= (2 * np.pi / np.exp(rng.uniform(np.log(0.5), np.log(8), 8)) / np.linalg.norm(waves, axis=1))[:, None]
    phase = solid @ waves.T.astype(np.float32) + rng.uniform(0, 6.3, 8).astype(np.float32)
    return np.asarray(strength * np.sin(phase).sum(1) / 2, np.float32)


def _lay(paint: Floats, where: Floats, shade: float, strength: float) -> None:
    """Paint over, as far as `where` says."""
    share = np.clip(where, 0, 1) * strength
    paint *= 1 - share
    paint += share * shade


def _lit(normal: Floats, rng: np.random.Generator, plain: bool) -> Floats:
    """Return how bright lamps make each point: some light from all around, one to three lamps, a little shine."""
    if plain:
        return np.asarray(0.45 + 0.65 * np.clip(normal @ np.array([0.2, 0.4, 0.9]), 0, None), np.float32)
    light = np.full(len(normal), rng.uniform(0.3, 0.8), np.float32)
    for _ in range(rng.integers(1, 4)):
        way = rng.normal(size=3) + ABOVE
        way /= np.linalg.norm(way)
        light += rng.uniform(0.15, 0.7) * np.clip(normal @ way, 0, None)
        half = (way + FRONT) / np.linalg.norm(way + FRONT)
        light += rng.uniform(0, 0.35) * np.clip(normal @ half, 0, None) ** rng.uniform(8, 40)
    return np.asarray(light / max(0.75, float(np.percentile(light, 90))), np.float32)


def _with_glasses(canvas: Floats, marks: Floats, rng: np.random.Generator) -> Floats:
    """Draw glasses on one face in eight."""
    if rng.random() > 0.125:
        return canvas
    lenses: Any = canvas.copy()
    shade, thick = rng.uniform(0, 0.6), int(rng.integers(1, 4))
    size = np.linalg.norm(marks[45] - marks[36]) * rng.uniform(0.2, 0.27)
    middles = [marks[36:42, :2].mean(0), marks[42:48, :2].mean(0)]
    turn = float(np.degrees(np.arctan2(*(middles[1] - middles[0])[::-1])))
    shape = (round(size), round(size * rng.uniform(0.7, 1)))
    spots = [(round(float(x)), round(float(y))) for x, y in middles]
    if rng.random() < 0.4:
        for spot in spots:
            cv2.ellipse(lenses, spot, shape, turn, 0, 360, (rng.uniform(0, 1),), -1)
        see = rng.uniform(0.3, 0.95)
        lenses = see * canvas + (1 - see) * lenses
    for spot in spots:
        cv2.ellipse(lenses, spot, shape, turn, 0, 360, (shade,), thick)
    if rng.random() < 0.2:
        cv2.line(lenses, spots[0], spots[1], (shade,), thick)
    return np.asarray(lenses, canvas.dtype)


def _covered(
    canvas: Floats, marks: Floats, rng: np.random.Generator, pictures: Sequence[Grey]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Put one to three things before the face; return where they are, too."""
    cover: Any = np.zeros(canvas.shape, np.uint8)
    size = np.ptp(marks[:, :2], 0).max()
    for _ in range(rng.integers(1, 4)):
        x, y = marks[rng.integers(68), :2] + rng.normal(0, 0.2 * size, 2)
        shape = tuple(int(part) for part in size * rng.uniform(0.08, 0.35, 2))
        cv2.ellipse(cover, (round(float(x)), round(float(y))), shape, rng.uniform(0, 180), 0, 360, (1,), -1)
    side = len(canvas)
    thing = piece(pictures, rng, side) if pictures and rng.random() < 0.6 else _clouds(rng, side)
    return np.where(cover > 0, thing, canvas).astype(np.float32), cover > 0


def _photographed(canvas: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture as some camera took it: its own curve, out of focus or coarse, noisy, packed as JPEG."""
    taken: Any = np.clip(canvas, 0, 1) ** np.exp(rng.uniform(-0.6, 0.4))
    taken = (taken - 0.5) * rng.uniform(0.5, 1.3) + 0.5 + rng.uniform(-0.15, 0.15)
    blur = rng.exponential(0.7)
    if blur > 0.3:
        taken = cv2.GaussianBlur(taken, (0, 0), min(blur, 3))
    if rng.random() < 0.4:
        side = len(taken)
        small = int(side * rng.uniform(0.25, 0.7))
        coarse = cv2.resize(taken, (small, small), interpolation=cv2.INTER_AREA)
        taken = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    taken = taken + rng.normal(0, rng.exponential(0.015), taken.shape)
    whole = np.clip(taken * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, packed = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
        whole = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(whole / np.float32(255), np.float32)


def _seen(marks: Floats, nearest: Floats, cover: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell which landmarks are seen: nothing of the head lies more than 3 pixels before them, nothing else at all."""
    x, y = (np.round(marks[:, k]).astype(int) for k in (0, 1))
    side = len(nearest)
    inside = (x >= 0) & (y >= 0) & (x < side) & (y < side)
    x, y = np.clip(x, 0, side - 1), np.clip(y, 0, side - 1)
    return np.asarray(inside & (nearest[y, x] < marks[:, 2] + 3) & ~cover[y, x])
