"""Composites to find faces in: faces pasted on photographs of OASIS that show nobody; a third show no face.

In `dev` and `test` the faces are of FER2013, as discs; in `dev-drawn` and `test-drawn` they are heads of the ICT face
model, cut out. The corpora are read as they lie packed below one folder: `image/oasis`, and `face/fer2013` or
`face/ict-facekit-light`. A picture is 640 x 512, and drawn when somebody looks at it, always alike. Its faces are 24 to
300 pixels long, plain, turned or partly hidden, and some pictures are dark; `meta["faces"]` says so of each, in the
order of the Tracks. A Track is one face: its box, and the shares of the votes of FER+ for it, or how the head turns.
Faces of dev and test are of those splits of FER2013 (of what stands in train too, none); photographs of `dev` and
`dev-drawn` are of other themes than those of `test` and `test-drawn`.

Knows how such a picture is made; knows no detector.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
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
from affetto.core.track import Track
from affetto.datasets.clips import clip
from affetto.datasets.corpus import Corpus, Split
from affetto.datasets.face_tiles import A_LINE, A_SHEET, SIDE, USAGES
from affetto.datasets.head_cutouts import Box, cutout
from affetto.datasets.ict_face import Head
from affetto.datasets.packed_clips import Pack

WIDTH, HEIGHT = 640, 512
PICTURES = {"dev": 160, "test": 480, "dev-drawn": 160, "test-drawn": 480}
FACES = (0, 1, 1, 2, 0, 4)
"""How many faces a picture is to have, in turn; one that finds no room is left out."""
SMALLEST, LARGEST = 24, 300
"""Pixels on the longer side of a face; even in the logarithm between."""
SIZES = (24, 40, 80, 160, 301)
"""Where the groups of sizes begin, and the last ends."""
LOOKS = ("plain", "plain", "turned-15", "turned-30", "turned-45", "hidden-10", "hidden-25")
"""What is done to faces, drawn evenly: degrees to one side or the other, percent of its box under one square of it."""
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
class Piece:
    """A face to be pasted, as a square picture."""

    track: Track
    """What is known of it; its subject and box are those of the picture that it comes into."""
    cut: Callable[[], tuple[Floats, Floats]]
    """Draws its greys, 0..255, and how much of each pixel it covers, 0..1, both side x side."""
    side: int
    inner: Box
    """Left, top, right, bottom of the face in the square."""
    outer: Box
    """Of all that covers anything."""
    about: dict[str, str]
    """More kinds that it is of."""


@dataclass(frozen=True)
class Pasted:
    """One face of a picture."""

    piece: Piece
    left: int
    top: int
    degrees: float
    """By which the square is turned, clockwise."""
    hidden: tuple[float, float, float]
    """Left, top and side of what is over the face, as shares of its sides; a side of 0 hides nothing."""
    look: str

    @property
    def box(self) -> Box:
        """Left, top, right, bottom."""
        return self._moved(self.piece.inner)

    @property
    def all(self) -> Box:
        """The same of all that covers anything."""
        return self._moved(self.piece.outer)

    def _moved(self, box: Box) -> Box:
        return self.left + box[0], self.top + box[1], self.left + box[2], self.top + box[3]


@dataclass(frozen=True)
class Disc:
    """A face of FER2013, enlarged or reduced, as a disc with a soft edge."""

    face: Record
    side: int

    def __call__(self) -> tuple[Floats, Floats]:
        """Return its greys and how much of each pixel it covers."""
        import cv2  # noqa: PLC0415

        picture = self.face.signals[0]
        grey = picture.pixels[:, :, 0] if isinstance(picture, Image) else np.zeros((SIDE, SIDE), np.uint8)
        scaled = cv2.resize(grey, (self.side, self.side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        middle = (self.side - 1) / 2
        y, x = np.mgrid[: self.side, : self.side]
        away = np.hypot(y - middle, x - middle) / (self.side / 2)
        return scaled, np.clip((1 - away) / 0.08, 0, 1).astype(np.float32)


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
    base, _, drawn = split.name.partition("-")
    photographs = [
        Path(record.signals[0].path).name
        for record in catalog.load("oasis").read("all", folder=split.files[-2].parent)
        if record.meta["category"] != "Person" and record.id not in SHOWN and _of(record.meta["group"]) == base
    ]
    if not photographs:
        raise ValueError("there are no photographs to make pictures of")
    pieces = _heads(split.files[0].parent) if drawn else _discs(base, split.files[0].parent)
    pack = Pack(split.files[-1])
    for number in range(PICTURES[split.name]):
        scene = _scene([list(USAGES).index(base), number, *([1] if drawn else [])], number, pieces, photographs)
        image = Image(None, f"{split.folder}/composite-{split.name}-{number:04}", (WIDTH, HEIGHT), Drawn(pack, scene))
        tracks = [
            replace(one.piece.track, subject=f"person-{k}", box=np.array([one.box]))
            for k, one in enumerate(scene.pasted, 1)
        ]
        light = {"light": "dark" if scene.dark else "bright"}
        kinds = [{"size": _size(one.box), "look": one.look} | light | one.piece.about for one in scene.pasted]
        yield clip(f"{split.name}-{number:04}", [image], tracks, photograph=scene.photograph, faces=kinds)


Draws = Callable[[np.random.Generator, float], tuple[Piece, float]]
"""Draws a piece to be turned by so many degrees to either side; returns it, and by how many its square is."""


def _discs(split: str, folder: Path) -> Draws:
    faces = [
        record
        for record in catalog.load("ferplus").read(split, folder=folder)
        if not {"no_majority", "seen_in", "blank"} & set(record.meta) and not record.meta["no_face"]
    ]
    if not faces:
        raise ValueError("there are no faces to make pictures of")

    def draw(rng: np.random.Generator, turn: float) -> tuple[Piece, float]:
        face = faces[int(rng.integers(len(faces)))]
        side = round(float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))))
        whole = (0, 0, side, side)
        return Piece(face.tracks[0], Disc(face, side), side, whole, whole, {}), _either(rng, turn)

    return draw


def _heads(folder: Path) -> Draws:
    head = Head.read(folder)

    def draw(rng: np.random.Generator, turn: float) -> tuple[Piece, float]:
        one = cutout(head, rng, (SMALLEST, LARGEST), _either(rng, turn))
        inner, outer = one.boxes()
        return Piece(one.track("", inner), one, one.side, inner, outer, {"view": one.view}), 0.0

    return draw


def _of(theme: str) -> str:
    """Return the split of the photographs of a theme: a quarter of the themes is for dev."""
    return "dev" if hashlib.sha256(theme.encode()).digest()[0] % 4 == 0 else "test"


def _size(box: Box) -> str:
    k = max(1, int(np.searchsorted(SIZES, max(box[2] - box[0], box[3] - box[1]), "right")))
    return f"{SIZES[k - 1]}-{SIZES[k] - 1}"


def _scene(seed: Sequence[int], number: int, draw: Draws, photographs: Sequence[str]) -> Scene:
    rng = np.random.default_rng(seed)
    pasted: list[Pasted] = []
    for _ in range(FACES[number % len(FACES)]):
        look = LOOKS[int(rng.integers(len(LOOKS)))]
        name, _, amount = look.partition("-")
        piece, degrees = draw(rng, float(amount) if name == "turned" else 0.0)
        over = float(np.sqrt(float(amount) / 100)) if name == "hidden" else 0.0
        hidden = (float(rng.uniform(0, 1 - over)), float(rng.uniform(0, 1 - over)), over)
        first, last = np.ceil(np.negative(piece.inner[:2])), np.floor(np.subtract((WIDTH, HEIGHT), piece.inner[2:]))
        for _ in range(_TRIES):
            left, top = (int(rng.integers(low, high + 1)) for low, high in zip(first, last, strict=True))
            one = Pasted(piece, left, top, degrees, hidden, look)
            if not any(_meet(one.all, other.all) for other in pasted):
                pasted.append(one)
                break
    photograph = photographs[int(rng.integers(len(photographs)))]
    return Scene(photograph, tuple(pasted), number % DARK == DARK - 1, int(rng.integers(1 << 62)))


def _either(rng: np.random.Generator, turn: float) -> float:
    return turn * float(rng.choice((-1, 1))) if turn else 0.0


def _meet(one: Box, other: Box) -> bool:
    (a, b, c, d), (e, f, g, h) = one, other
    return a < g and e < c and b < h and f < d


def _paste(canvas: Floats, one: Pasted, rng: np.random.Generator) -> None:
    """Lay a face on a picture, slightly coloured; what lies outside is cut off."""
    import cv2  # noqa: PLC0415

    grey, alpha = one.piece.cut()
    side, (left, top, right, bottom) = one.piece.side, one.piece.inner
    tint = np.array([1.0, rng.uniform(0.8, 0.95), rng.uniform(0.7, 0.9)], np.float32)
    coloured = grey[:, :, None] * tint
    x, wide = (round(share * (right - left)) for share in one.hidden[::2])
    y, high = (round(share * (bottom - top)) for share in one.hidden[1:])
    x, y = x + round(left), y + round(top)
    coloured[y : y + high, x : x + wide] = rng.uniform(0, 255, 3)
    middle = (side - 1) / 2
    way: Any = cv2.getRotationMatrix2D((middle, middle), -one.degrees, 1)
    turned = cv2.warpAffine(coloured, way, (side, side), borderMode=cv2.BORDER_REPLICATE)
    rows = slice(max(0, one.top), min(HEIGHT, one.top + side))
    columns = slice(max(0, one.left), min(WIDTH, one.left + side))
    own = (
        slice(rows.start - one.top, rows.stop - one.top),
        slice(columns.start - one.left, columns.stop - one.left),
    )
    part, share = canvas[rows, columns], alpha[own][:, :, None]
    part[:] = share * turned[own] + (1 - share) * part


def _fake(folder: Path) -> None:
    import cv2  # noqa: PLC0415

    heads = folder / "face" / "ict-facekit-light"
    heads.mkdir(parents=True)
    catalog.load("ict-renders").faker(heads)
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
