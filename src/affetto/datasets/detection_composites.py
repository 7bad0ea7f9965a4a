"""Composites to find faces in: faces of FER2013 pasted on photographs of OASIS that show nobody; a third show no face.

Both corpora are read as they lie packed below one folder, `face/fer2013` and `image/oasis`. A picture is 640 x 512, and
drawn when somebody looks at it, always alike. Its faces are 24 to 300 pixels wide, plain, turned or partly hidden, and
some pictures are dark; `meta["faces"]` says so of each, in the order of the Tracks. A Track is one face: its box, and
the shares of the votes of FER+ for it. Faces of dev and test are of those splits of FER2013 (of what stands in train
too, none), and their photographs are of other themes.

Knows how such a picture is made; knows no detector.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.datasets.clips import clip
from affetto.datasets.corpus import Corpus, Split
from affetto.datasets.face_tiles import A_LINE, A_SHEET, SIDE, USAGES
from affetto.datasets.packed_clips import Pack

WIDTH, HEIGHT = 640, 512
PICTURES = {"dev": 160, "test": 480}
FACES = (0, 1, 1, 2, 0, 4)
"""How many faces a picture is to have, in turn; one that finds no room is left out."""
SMALLEST, LARGEST = 24, 300
"""Pixels on a side of a face; even in the logarithm between."""
SIZES = (24, 40, 80, 160, 301)
"""Where the groups of sizes begin, and the last ends."""
LOOKS = ("plain", "plain", "turned-15", "turned-30", "turned-45", "hidden-10", "hidden-25")
"""What is done to faces, drawn evenly: degrees to one side or the other, percent under one square."""
DARK = 4
"""Every so manieth picture is dark: an eighth of its light, with the noise of a sensor."""
_LIGHT, _GRAIN, _GAMMA = 1 / 8, 3.0, 2.2
_TRIES = 60
SHOWN = frozenset(
    "I12 I13 I14 I61 I62 I64 I65 I66 I99 I121 I122 I145 I150 I174 I178 I219 I229 I231 I282 I283 I284 I287 I302 "
    "I370 I387 I388 I418 I430 I435 I471 I489 I525 I604 I609 I611 I617 I618 I662 I675 I676 I677 I684 I704 I705 "
    "I708 I751 I752 I755 I782 I785 I791 I795 I796 I803 I828 I853 I865 I868 I871 I881".split()
)
"""Photographs of things, scenes and animals that show people, figures or made faces all the same; found by eye."""

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pasted:
    """One face of a picture."""

    face: Record
    """Of FER+."""
    left: int
    top: int
    side: int
    degrees: float
    """Clockwise."""
    hidden: tuple[float, float, float]
    """Left, top and side of the square over it, as shares of its side; a side of 0 hides nothing."""
    look: str

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.left + self.side, self.top + self.side


@dataclass(frozen=True)
class Scene:
    """What a picture is made of."""

    photograph: str
    """The file in the zip of OASIS."""
    pasted: tuple[Pasted, ...]
    dark: bool
    seed: int


@dataclass(frozen=True)
class Drawn:
    """Draws a picture when it is looked at."""

    pack: Pack
    scene: Scene

    def __call__(self) -> Pixels:
        """Return it, 512 x 640 x 3.

        Raises:
            UnreadableError: the photograph is broken.
        """
        import cv2  # noqa: PLC0415 - heavy, and whoever only counts needs none

        raw = np.frombuffer(self.pack.bytes(self.scene.photograph), np.uint8)
        photograph = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
        if photograph is None:
            raise UnreadableError(f"{self.scene.photograph} in {self.pack.path.name} is no picture; get the zip anew")
        scaled = cv2.resize(cv2.cvtColor(photograph, cv2.COLOR_BGR2RGB), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        rng = np.random.default_rng(self.scene.seed)
        canvas = np.asarray(scaled, np.float32)
        for one in self.scene.pasted:
            _paste(canvas, one, rng)
        if self.scene.dark:
            canvas *= np.float32(_LIGHT ** (1 / _GAMMA))
            canvas += rng.normal(0, _GRAIN, canvas.shape[:2])[:, :, None].astype(np.float32)
        return np.asarray(np.clip(np.round(canvas), 0, 255), np.uint8)


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    faces = [
        record
        for record in catalog.load("ferplus").read(split.name, folder=split.files[0].parent)
        if not {"no_majority", "seen_in", "blank"} & set(record.meta) and not record.meta["no_face"]
    ]
    photographs = [
        Path(record.signals[0].path).name
        for record in catalog.load("oasis").read("all", folder=split.files[-2].parent)
        if record.meta["category"] != "Person" and record.id not in SHOWN and _of(record.meta["group"]) == split.name
    ]
    if not faces or not photographs:
        raise ValueError(f"there are {len(faces)} faces and {len(photographs)} photographs to make pictures of")
    pack = Pack(split.files[-1])
    for number in range(PICTURES[split.name]):
        scene = _scene(split.name, number, faces, photographs)
        image = Image(None, f"{split.folder}/composite-{split.name}-{number:04}", (WIDTH, HEIGHT), Drawn(pack, scene))
        tracks = [
            replace(one.face.tracks[0], subject=f"person-{k}", box=np.array([one.box]))
            for k, one in enumerate(scene.pasted, 1)
        ]
        kinds = [
            {"size": _size(one.side), "look": one.look, "light": "dark" if scene.dark else "bright"}
            for one in scene.pasted
        ]
        yield clip(f"{split.name}-{number:04}", [image], tracks, photograph=scene.photograph, faces=kinds)


def _of(theme: str) -> str:
    """Return the split of the photographs of a theme: a quarter of the themes is for dev."""
    return "dev" if hashlib.sha256(theme.encode()).digest()[0] % 4 == 0 else "test"


def _size(side: int) -> str:
    k = int(np.searchsorted(SIZES, side, "right"))
    return f"{SIZES[k - 1]}-{SIZES[k] - 1}"


def _scene(split: str, number: int, faces: Sequence[Record], photographs: Sequence[str]) -> Scene:
    rng = np.random.default_rng([list(USAGES).index(split), number])
    pasted: list[Pasted] = []
    for _ in range(FACES[number % len(FACES)]):
        look, face = LOOKS[int(rng.integers(len(LOOKS)))], faces[int(rng.integers(len(faces)))]
        side = round(float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))))
        name, _, amount = look.partition("-")
        degrees = float(amount) * rng.choice((-1, 1)) if name == "turned" else 0.0
        over = float(np.sqrt(float(amount) / 100)) if name == "hidden" else 0.0
        hidden = (float(rng.uniform(0, 1 - over)), float(rng.uniform(0, 1 - over)), over)
        for _ in range(_TRIES):
            left, top = int(rng.integers(0, WIDTH - side + 1)), int(rng.integers(0, HEIGHT - side + 1))
            one = Pasted(face, left, top, side, degrees, hidden, look)
            if not any(_meet(one, other) for other in pasted):
                pasted.append(one)
                break
    photograph = photographs[int(rng.integers(len(photographs)))]
    return Scene(photograph, tuple(pasted), number % DARK == DARK - 1, int(rng.integers(1 << 62)))


def _meet(one: Pasted, other: Pasted) -> bool:
    (a, b, c, d), (e, f, g, h) = one.box, other.box
    return a < g and e < c and b < h and f < d


def _paste(canvas: Floats, one: Pasted, rng: np.random.Generator) -> None:
    """Lay a face on a picture: a disc with a soft edge, slightly coloured."""
    import cv2  # noqa: PLC0415

    picture = one.face.signals[0]
    grey = picture.pixels[:, :, 0] if isinstance(picture, Image) else np.zeros((SIDE, SIDE), np.uint8)
    face = cv2.resize(grey, (one.side, one.side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    tint = np.array([1.0, rng.uniform(0.8, 0.95), rng.uniform(0.7, 0.9)], np.float32)
    coloured = face[:, :, None] * tint
    left, top, over = (round(share * one.side) for share in one.hidden)
    coloured[top : top + over, left : left + over] = rng.uniform(0, 255, 3)
    middle = (one.side - 1) / 2
    way: Any = cv2.getRotationMatrix2D((middle, middle), -one.degrees, 1)
    turned = cv2.warpAffine(coloured, way, (one.side, one.side), borderMode=cv2.BORDER_REPLICATE)
    y, x = np.mgrid[: one.side, : one.side]
    away = np.hypot(y - middle, x - middle) / (one.side / 2)
    alpha = np.clip((1 - away) / 0.08, 0, 1)[:, :, None].astype(np.float32)
    part = canvas[one.top : one.top + one.side, one.left : one.left + one.side]
    part[:] = alpha * turned + (1 - alpha) * part


def _fake(folder: Path) -> None:
    import cv2  # noqa: PLC0415

    tiles, photographs = folder / "face" / "fer2013", folder / "image" / "oasis"
    tiles.mkdir(parents=True)
    photographs.mkdir(parents=True)
    words = "neutral happiness surprise sadness anger disgust fear contempt unknown NF".split()
    head = ",".join(["row", "usage", "emotion", "emotion_name", *(f"ferplus_{word}" for word in words)])
    lines = [
        f"{sheet * A_SHEET + k},{USAGES[split]},3,happy,0,10,0,0,0,0,0,0,0,0"
        for split, sheet in (("dev", 4), ("test", 5))
        for k in range(3)
    ]
    (tiles / "labels.csv").write_text("\n".join([head, *lines]) + "\n", "utf-8")
    (tiles / "duplicates.csv").write_text("row,dup_group,usage\n", "utf-8")
    shades = np.tile(np.arange(SIDE * A_LINE, dtype=np.uint8), (SIDE, 1))
    for sheet in (4, 5):
        (tiles / f"tiles_{sheet}.jpg").write_bytes(cv2.imencode(".jpg", shades)[1].tobytes())
    rows = [f"I{k},I{k}.png,{theme} 1,Object,Pixabay,4,1,100,4,1,100" for k, theme in enumerate("abcdefghij", 20)]
    head = "id,file,theme,category,source,valence_mean,valence_sd,valence_n,arousal_mean,arousal_sd,arousal_n"
    (photographs / "ratings.csv").write_text("\n".join([head, *rows]) + "\n", "utf-8")
    with zipfile.ZipFile(photographs / "oasis_256.zip", "w") as pack:
        for row in rows:
            pack.writestr(row.split(",")[1], cv2.imencode(".png", np.full((205, 256, 3), 90, np.uint8))[1].tobytes())
