"""How Records become faces to answer, and answers become Tracks again. Every model of the face looks this way.

Each picture of a film that `media` picked, or each Image, is searched for faces (`sighting`); the parts of a model
(expression, action units ...) answer faces, many at a time; each person gets a Track in each space, over the whole
recording: a row a picture, and one row, "not said", for each stretch in which the face cannot be seen. Knows no network
by name.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.face.seen import Box, Face, Mesh
from affetto.models.face.sighting import NO_PICTURE, Looking, Sight, sights

__all__ = [
    "NOBODY", "NO_FACE", "NO_PICTURE", "Answer", "Answering", "Looking", "Part", "Scene", "Sight", "read", "sights",
    "tracks_of",
]  # fmt: skip
Floats = npt.NDArray[np.float32]
NOBODY = "person"
"""The subject where there is no face at all."""
NO_FACE = "no face"
_AT_ONCE = 32
"""Faces that are answered at a time."""


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


@dataclass
class Said:
    """What was said of one person: the number and box of each picture, and the columns of each space in pieces."""

    pictures: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    columns: dict[str, list[tuple[Floats, Floats | None]]] = field(default_factory=dict)


@dataclass
class Scene:
    """What was seen and said of one film, or a stretch of it, or of one picture."""

    record: int = 0
    edges: list[tuple[float, float]] = field(default_factory=list)
    """Start and end of each picture."""
    note: str = ""
    """Why it breaks off, if it does."""
    people: dict[str, Said] = field(default_factory=dict)


class _Asked(NamedTuple):
    """A face that waits for its answers, and where they go."""

    face: Face
    scene: Scene
    picture: int
    box: Box


class Answering:
    """Asks parts about faces, many at a time, while the next pictures are searched; hours are not held."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._batch: list[_Asked] = []
        self._waiting: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> "Answering":
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for what was begun."""
        self._pool.shutdown(cancel_futures=True)

    def add(self, scene: Scene, sight: Sight) -> None:
        """Ask about the faces of the next picture of a scene."""
        scene.edges.append((sight.start, sight.end))
        scene.note = sight.note
        for face in sight.faces:
            self._batch.append(_Asked(face, scene, len(scene.edges) - 1, _inside(face.box, sight.size)))
            if len(self._batch) == _AT_ONCE:
                self._send(2)

    def finish(self) -> None:
        """Wait until all scenes have their answers."""
        self._send(0)

    def _send(self, most: int) -> None:
        """Have the faces at hand answered, and wait until at most so many batches wait."""
        if self._batch:
            self._waiting.append(self._pool.submit(_answer, self._parts, self._batch))
            self._batch = []
        while len(self._waiting) > most:
            self._waiting.popleft().result()


def read(
    records: Sequence[Record], parts: Sequence[Part], mesh: Mesh, options: Looking | None = None
) -> list[tuple[Track, ...]]:
    """Look at the faces of `records`, and return each Record's Tracks, in order; one without pictures gets none.

    Raises:
        UnreadableError: a film was only named, not opened, or nothing of it can be read.
        UnknownNameError: no card is called as the detector that is asked for.
    """
    options = options or Looking()
    scenes: list[Scene] = []
    with Answering(parts) as answering:
        for number, record in enumerate(records):
            for signal in record.signals:
                if isinstance(signal, Frames | Image):
                    scenes.append(Scene(number))
                    for sight in sights(signal, mesh, options, _boxes(record), opened_at(record)):
                        answering.add(scenes[-1], sight)
        answering.finish()
    tracks: list[list[Track]] = [[] for _ in records]
    for scene in scenes:
        least = min(options.least, len(scene.edges))
        people = [said for said in scene.people.values() if len(said.pictures) >= least]
        tracks[scene.record] += tracks_of(scene, parts, {f"person-{k + 1}": said for k, said in enumerate(people)})
    return [tuple(some) for some in tracks]


def opened_at(record: Record) -> float:
    """Return the second from which on a Record's film was opened.

    Raises:
        MalformedError: `meta["since"]` is no such number.
    """
    since = record.meta.get("since", 0.0)
    if not _is_number(since) or since < 0:
        raise MalformedError(f"record {record.id!r}: meta['since'] wants seconds >= 0, not {since!r:.80}")
    return float(since)


def tracks_of(scene: Scene, parts: Sequence[Part], people: Mapping[str, Said]) -> Iterator[Track]:
    """Yield a Track in each space for each of the people of a scene, by name; of nobody, where there are none."""
    rows = [(subject, said, _rows(scene, said)) for subject, said in (people or {NOBODY: Said()}).items()]
    for p, part in enumerate(parts):
        for space in part.spaces:
            for subject, said, lines in rows:
                yield _track(part, space, subject, said.columns.pop(f"{p} {space.id}", []), lines, said)


def _answer(parts: Sequence[Part], batch: Sequence[_Asked]) -> None:
    """Ask all parts about some faces, and write down for each person what they say."""
    rows: dict[int, tuple[Said, list[int]]] = {}
    for k, one in enumerate(batch):
        said = one.scene.people.setdefault(one.face.person, Said())
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


class _Row(NamedTuple):
    """A row to be: the number of the answer, or -1 where nothing can be said, and why."""

    start: float
    end: float
    answer: int
    note: str = ""


def _rows(scene: Scene, said: Said) -> list[_Row]:
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
    said: Said,
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
