"""How Records become faces to answer, and answers become Tracks again. Every model of the face looks this way.

Each picture of a film that `media` picked, or each Image, is searched for faces; the parts of a model (expression,
action units ...) answer faces, many at a time; each person gets a Track in each space, over the whole recording: a row
a picture, and one row, "not said", for each stretch in which the face cannot be seen. Knows no network by name.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.face.crop import Grey
from affetto.models.face.detect import NEAR, Detector, Finder
from affetto.models.face.seen import Box, Face, Mesh, in_boxes
from affetto.models.face.track import Following, Tracker

Floats = npt.NDArray[np.float32]
Item = TypeVar("Item")
NOBODY = "person"
"""The subject where there is no face at all."""
NO_FACE = "no face"
NO_PICTURE = "no picture"
"""Where a film is said to go on, but shows nothing."""
BROKEN = "the film cannot be read beyond this"
CROP = 64
"""Pixels of the longer side of a picture that is taken for a crop of one face, which nobody needs to search for."""
_FLAT = 1.0
"""Deviation of the greys of a crop in which there is nothing."""
_FILM = 800
"""Pixels of the longer side of a film's picture as the cascade looks at it closely."""
_AT_ONCE = 32
"""Faces that are answered at a time."""
_BLOCK = 2.0
"""Seconds of film that are read at a time, at most."""
_SLACK = 1.0
"""Seconds by which a film may be longer or shorter than it is said to be."""


@dataclass(frozen=True)
class Looking:
    """How a model goes through pictures."""

    rate: float = 0.0
    """Rows a second at most; 0: one for each picture that the film was opened to give."""
    detector: str = ""
    """The id of the card of a detector; empty: OpenCV's cascade."""
    least: int = 2
    """Pictures of a film in which somebody must be seen to count, where it has as many; chance shows itself once."""
    following: Following = field(default_factory=Following)
    """How people are followed."""


class Answer(NamedTuple):
    """What a part says of n faces in one space."""

    space: Space
    values: Floats
    """n x k; NaN where it does not say."""
    confidence: Floats | None = None
    """n."""


class Part(Protocol):
    """Answers faces, in one space or several: expression, blendshapes, action units ..."""

    @property
    def card(self) -> Card:
        """Who is the source of its answers."""
        ...

    @property
    def spaces(self) -> Sequence[Space]:
        """In which it answers, in the order of its answers."""
        ...

    def __call__(self, faces: Sequence[Face]) -> Sequence[Answer]:
        """Return an Answer for each of its spaces."""
        ...


class Sight(NamedTuple):
    """What one analysed picture shows."""

    start: float
    end: float
    """Seconds; both 0 in a still picture."""
    faces: Sequence[Face]
    size: tuple[int, int]
    """Width and height of the picture in pixels."""
    note: str = ""
    """Why there is no picture from here on, where the film breaks off."""


class _Asked(NamedTuple):
    """A face that waits for its answers, and where they go."""

    face: Face
    scene: "_Scene"
    picture: int
    box: Box


@dataclass
class _Said:
    """What was said of one person: the number and box of each picture, and the columns of each space in pieces."""

    pictures: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    columns: dict[str, list[tuple[Floats, Floats | None]]] = field(default_factory=dict)


@dataclass
class _Scene:
    """What was seen and said of one film or picture."""

    record: int
    edges: list[tuple[float, float]] = field(default_factory=list)
    """Start and end of each picture."""
    note: str = ""
    """Why it breaks off, if it does."""
    people: dict[str, _Said] = field(default_factory=dict)


def read(
    records: Sequence[Record], parts: Sequence[Part], mesh: Mesh, options: Looking | None = None
) -> list[tuple[Track, ...]]:
    """Look at the faces of `records`, and return each Record's Tracks, in order; one without pictures gets none.

    Raises:
        UnreadableError: a film was only named, not opened, or nothing of it can be read.
        UnknownNameError: no card is called as the detector that is asked for.
    """
    options = options or Looking()
    scenes: list[_Scene] = []
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1) as pool:  # the next pictures are searched while faces are answered
        for batch in _batches(_asked(records, scenes, mesh, options)):
            waiting.append(pool.submit(_answer, parts, batch))
            if len(waiting) > 2:
                waiting.popleft().result()
        for last in waiting:
            last.result()
    tracks: list[list[Track]] = [[] for _ in records]
    for scene in scenes:
        tracks[scene.record] += _tracks(scene, parts, options)
    return [tuple(some) for some in tracks]


def sights(
    signal: Frames | Image, mesh: Mesh, options: Looking | None = None, boxes: Sequence[Box] = ()
) -> Iterator[Sight]:
    """Yield what each analysed picture of a signal shows, in order; faces bear the names of their persons.

    Args:
        signal: a film or a picture.
        mesh: the network that finds points.
        options: how to go through it.
        boxes: where the faces of a picture are, in pixels, where somebody knows; then nobody searches for them.

    Raises:
        UnreadableError: the film was only named, not opened, or nothing of it can be read.
    """
    options = options or Looking()
    detector: Detector | None = catalog.load(options.detector) if options.detector else None
    finder = Finder(mesh, detector, NEAR if isinstance(signal, Image) else _FILM, options.following.new)
    if isinstance(signal, Image):
        pixels = signal.pixels
        seen = grey(pixels)
        if boxes:
            faces = in_boxes(mesh, seen, boxes)
        elif max(seen.shape) <= CROP:
            faces = in_boxes(mesh, seen, [(0, 0, seen.shape[1] - 1, seen.shape[0] - 1)]) if seen.std() > _FLAT else []
        else:
            faces = sorted(finder(seen), key=_size, reverse=True)
        named = [replace(face, person=f"person-{k + 1}") for k, face in enumerate(faces)]
        yield Sight(0.0, 0.0, named, (pixels.shape[1], pixels.shape[0]))
    else:
        yield from _moving(signal, Tracker(mesh, finder, options=options.following), options.rate)


def grey(pixels: npt.NDArray[np.uint8]) -> Grey:
    """Return a picture (height x width x 3, RGB) in grey."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def _moving(film: Frames, tracker: Tracker, rate: float) -> Iterator[Sight]:
    """Yield what the pictures of a film show, each until the next one; one that breaks off says so at its end."""
    last: Sight | None = None
    for second, pixels, note in _pictures(film, rate):
        if last:
            yield last._replace(end=second)
        if pixels is not None:
            last = Sight(second, second, tracker.step(grey(pixels), second), (pixels.shape[1], pixels.shape[0]))
        elif note or last is None:
            rest = max(second, film.duration) if math.isfinite(film.duration) else second
            yield Sight(second, rest, (), film.size, note)


def _pictures(film: Frames, rate: float) -> Iterator[tuple[float, npt.NDArray[np.uint8] | None, str]]:
    """Yield the second and pixels of each analysed picture; at last the end, and why it is one if the film breaks."""
    blocks, half, wanted, end, note = _ahead(film.timed(_BLOCK)), 0.5 / film.rate, 0.0, 0.0, ""
    while True:
        try:
            times, block = next(blocks, (np.zeros(0), None))
        except Exception as error:  # of whatever reads the film
            if end == 0:
                raise
            note = f"{BROKEN}: {(str(error).strip() or type(error).__name__).splitlines()[0]}"
            break
        if block is None:
            break
        for second, pixels in zip(times.tolist(), block, strict=True):
            if not rate or second + half >= wanted:  # nearest to the tick
                yield second, pixels, ""
                wanted = (math.floor((second + half) * rate) + 1) / rate if rate else 0.0
            end = second + 2 * half
    if abs(film.duration - end) <= _SLACK and not note:
        end = film.duration
    elif film.duration > end and not note and end:
        note = NO_PICTURE
    yield end, None, note


def _ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, the next one being read while one is used."""
    rest = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, rest, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, rest, None)
            yield item


def _asked(records: Sequence[Record], scenes: list[_Scene], mesh: Mesh, options: Looking) -> Iterator[_Asked]:
    """Yield the faces of all records, and begin a scene for each film and picture."""
    for number, record in enumerate(records):
        for signal in record.signals:
            if not isinstance(signal, Frames | Image):
                continue
            scene = _Scene(number)
            scenes.append(scene)
            for sight in sights(signal, mesh, options, _boxes(record)):
                scene.edges.append((sight.start, sight.end))
                scene.note = sight.note
                for face in sight.faces:
                    yield _Asked(face, scene, len(scene.edges) - 1, _inside(face.box, sight.size))


def _boxes(record: Record) -> Sequence[Box]:
    """Return where the faces of a Record's picture are, by `meta["boxes"]`: four pixels of each; else none.

    Raises:
        MalformedError: it says something else.
    """
    said = record.meta.get("boxes", ())
    if all(isinstance(box, Sequence) and len(box) == 4 and all(map(_is_number, box)) for box in said):
        return [(float(a), float(b), float(c), float(d)) for a, b, c, d in said]
    raise MalformedError(
        f"record {record.id!r}: meta['boxes'] wants left, top, right, bottom of each face, not {said!r:.80}"
    )


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and math.isfinite(x)


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """Return as much of a box as lies in the picture."""
    wide, high = size
    left, top, right, bottom = (
        min(max(at, 0.0), float(most)) for at, most in zip(box, (wide, high, wide, high), strict=True)
    )
    return left, top, right, bottom


def _batches(faces: Iterable[_Asked]) -> Iterator[list[_Asked]]:
    """Yield the faces some at a time, so that the parts are asked about many at once, and hours are not held."""
    batch: list[_Asked] = []
    for one in faces:
        batch.append(one)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _answer(parts: Sequence[Part], batch: Sequence[_Asked]) -> None:
    """Ask all parts about some faces, and write down for each person what they say."""
    rows: dict[int, tuple[_Said, list[int]]] = {}
    for k, one in enumerate(batch):
        said = one.scene.people.setdefault(one.face.person, _Said())
        said.pictures.append(one.picture)
        said.boxes.append(one.box)
        rows.setdefault(id(said), (said, []))[1].append(k)
    faces = [one.face for one in batch]
    for p, part in enumerate(parts):
        for answer in part(faces):
            values = np.asarray(answer.values, np.float32)
            for said, mine in rows.values():
                sure = None if answer.confidence is None else np.asarray(answer.confidence, np.float32)[mine]
                said.columns.setdefault(f"{p} {answer.space.id}", []).append((values[mine], sure))


def _tracks(scene: _Scene, parts: Sequence[Part], options: Looking) -> Iterator[Track]:
    """Yield a Track in each space for each person who was seen often enough; of nobody, where none was."""
    least = min(options.least, len(scene.edges))
    people = [said for said in scene.people.values() if len(said.pictures) >= least]
    named = [(f"person-{k + 1}", said) for k, said in enumerate(people)] or [(NOBODY, _Said())]
    rows = [(subject, said, _rows(scene, said)) for subject, said in named]
    for p, part in enumerate(parts):
        for space in part.spaces:
            for subject, said, lines in rows:
                yield _track(part, space, subject, said.columns.pop(f"{p} {space.id}", []), lines, said)


class _Row(NamedTuple):
    """A row to be: the number of the answer, or -1 where nothing can be said, and why."""

    start: float
    end: float
    answer: int
    note: str = ""


def _rows(scene: _Scene, said: _Said) -> list[_Row]:
    """Return a row for each picture with the face, and one for each stretch without, from beginning to end."""
    rows: list[_Row] = []
    answers = {picture: k for k, picture in enumerate(said.pictures)}
    edges = scene.edges[:-1] if scene.note else scene.edges
    for picture, (start, end) in enumerate(edges):
        if picture in answers:
            rows.append(_Row(start, end, answers[picture]))
        elif rows and rows[-1].answer < 0:
            rows[-1] = rows[-1]._replace(end=end)
        else:
            rows.append(_Row(start, end, -1, NO_FACE))
    if scene.note:
        rows.append(_Row(*scene.edges[-1], -1, scene.note))
    return rows


def _track(
    part: Part,
    space: Space,
    subject: str,
    pieces: Sequence[tuple[Floats, Floats | None]],
    rows: Sequence[_Row],
    said: _Said,
) -> Track:
    """Return the Track of one person in one space."""
    order = np.array([row.answer for row in rows])
    here, mine = order >= 0, order[order >= 0]
    values = np.full((len(rows), len(space.axes)), np.nan, np.float32)
    box = np.full((len(rows), 4), np.nan, np.float32)
    confidence = np.full(len(rows), np.nan, np.float32)
    if pieces:
        values[here] = np.concatenate([values for values, _ in pieces])[mine]
        box[here] = np.array(said.boxes, np.float32)[mine]
        confidence[here] = np.concatenate([_column(sure, len(values)) for values, sure in pieces])[mine]
    notes = tuple(row.note for row in rows)
    return Track(
        space=space,
        start=np.array([row.start for row in rows]),
        end=np.array([row.end for row in rows]),
        values=values,
        unit="s",
        subject=subject,
        perspective="expressed",
        channel="face",
        source=str(part.card),
        confidence=None if all(sure is None for _, sure in pieces) and pieces else confidence,
        box=box,
        note=notes if any(notes) else None,
    )


def _column(sure: Floats | None, rows: int) -> Floats:
    return np.full(rows, np.nan, np.float32) if sure is None else sure


def _size(face: Face) -> float:
    return face.place.size
