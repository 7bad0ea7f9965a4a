"""Made faces: pictures and films with drawn faces, answers as a Model of faces gives them, and such a Model."""

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.space import vector_space
from affetto.core.track import Track
from affetto.explain.seeing import REGIONS

EKMAN, VA, UNITS = (catalog.load(id) for id in ("ekman-8", "va", "facs-au"))
MESH = vector_space(3 * 478, "face-mesh-478")
SKIN, DARK, LIPS = (205, 160, 130), (40, 30, 30), (190, 60, 70)


def face(canvas, x, y, size, smile=1.0):
    """Draw a face of `size` pixels around a centre into a picture: brows, eyes, and a mouth as bright as its smile."""
    across, down = (np.arange(n) + 0.5 for n in (canvas.shape[1], canvas.shape[0]))
    u, v = (across[None] - x) / size, (down[:, None] - y) / size
    canvas[(u / 0.42) ** 2 + (v / 0.5) ** 2 < 1] = SKIN
    for side in (-0.18, 0.18):
        canvas[((u - side) / 0.08) ** 2 + ((v + 0.1) / 0.04) ** 2 < 1] = DARK
        canvas[(abs(u - side) < 0.1) & (abs(v + 0.2) < 0.012)] = DARK
    canvas[(abs(u) < 0.02 + 0.14 * smile) & (abs(v - 0.26) < 0.03)] = LIPS
    return canvas


def box(x, y, size):
    """Return the box of such a face."""
    return [x - 0.42 * size, y - 0.5 * size, x + 0.42 * size, y + 0.5 * size]


def mesh(x, y, size):
    """Return 478 points on such a face, as one row of values."""
    turn = np.linspace(0, 2 * np.pi, 478)
    points = np.stack([0.42 * np.cos(turn), 0.5 * np.sin(turn), 0 * turn], 1)
    for near, (u, v) in REGIONS.values():
        points[list(near), :2] = 0.84 * (u - 0.5), v - 0.5
    return (points * size + (x, y, 0)).ravel()


def smiling(joy):
    """Return a row of ekman-8 with so much joy, the rest neutral."""
    row = np.zeros(8)
    row[EKMAN.index("joy")], row[EKMAN.index("neutral")] = joy, 1 - joy
    return row


def answers(start, end, joys, boxes, subject="person-1", source="face@1", note="no face"):
    """Return Tracks as a Model of faces gives them: a joy of None is a stretch in which no face is seen."""
    seen = np.array([joy is not None for joy in joys])
    said = np.array([0.0 if joy is None else joy for joy in joys])
    boxes = np.where(seen[:, None], np.array(boxes, float), np.nan)
    units = np.zeros((len(said), 27))
    units[:, UNITS.index("AU12")], units[:, UNITS.index("AU06")] = 5 * said, 3 * said
    points = [mesh((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, b[3] - b[1]) for b in boxes]

    def track(space, values, **more):
        values = np.where(seen[:, None], np.array(values, float).reshape(len(said), -1), np.nan)
        notes = tuple("" if yes else note for yes in seen)
        return Track(
            space, start, end, values, "s", subject, channel="face", source=source, box=boxes, note=notes, **more
        )

    return (
        track(EKMAN, [smiling(x) for x in said], confidence=np.where(seen, np.maximum(said, 1 - said), np.nan)),
        track(VA, np.stack([said, said / 2], 1)),
        track(UNITS, units),
        track(MESH, points),
    )


def portrait(*joys, size=80, signal=True):
    """Return a picture with a face for each joy side by side, and the answers to it."""
    side = round(1.5 * size)
    canvas = np.full((side, side * max(1, len(joys)), 3), 90, np.uint8)
    tracks = []
    for k, joy in enumerate(joys):
        x, y = side * (k + 0.5), side / 2
        face(canvas, x, y, size, joy)
        tracks += answers([0], [0], [joy], [box(x, y, size)], f"person-{k + 1}")
    if not joys:
        tracks = [
            Track(EKMAN, [0], [0], [[np.nan] * 8], "s", "person", channel="face", source="face@1", note=("no face",))
        ]
    return Record("portrait", (Image(canvas, "portrait.png"),) if signal else (), tracks=tuple(tracks))


def clip(joys, rate=5.0, size=80, people=1):
    """Return a film, a frame for each joy (None: nobody is there), and the answers; a stretch of None is one row."""
    side = round(1.5 * size)
    frames = np.full((len(joys), side, side * people, 3), 90, np.uint8)
    places = [(side * (k + 0.5), side / 2) for k in range(people)]
    for frame, joy in zip(frames, joys, strict=True):
        for x, y in places if joy is not None else ():
            face(frame, x, y, size, joy)
    rows, k = [], 0
    while k < len(joys):
        last = k
        while joys[k] is None and last + 1 < len(joys) and joys[last + 1] is None:
            last += 1
        rows.append((k, last + 1))
        k = last + 1
    start, end = (np.array(at) / rate for at in zip(*rows, strict=True))
    said = [joys[k] for k, _ in rows]
    tracks = [
        track
        for k, (x, y) in enumerate(places)
        for track in answers(start, end, said, [box(x, y, size)] * len(rows), f"person-{k + 1}")
    ]

    def blocks(seconds):
        some = max(1, int(seconds * rate))
        return (frames[at : at + some] for at in range(0, len(frames), some))

    film = Frames("clip.mp4", rate, len(joys) / rate, blocks, (side * people, side))
    return Record("clip", (film,), tracks=tuple(tracks), meta={"path": "clip.mp4"})


class Smiles:
    """Says as much joy as there are lips in a picture, if there is skin; it is told where the face is."""

    card = Card("face", "model", "1", "", "tests.portraits:Smiles", spaces=("ekman-8", "va"), channel="face")

    def __init__(self):
        self.asked = []

    def __call__(self, records):
        self.asked.append(len(records))
        return [self.answer(record) for record in records]

    def answer(self, record):
        pixels = next(signal for signal in record.signals if isinstance(signal, Image)).pixels.astype(int)
        skin = (abs(pixels - SKIN).sum(2) < 60).sum()
        lips = (abs(pixels - LIPS).sum(2) < 60).sum() / max(1, skin) / 0.04
        high, wide = pixels.shape[:2]
        (place,) = record.meta.get("faces", [[0, 0, wide, high]])
        return answers([0], [0], [min(1.0, lips) if skin else None], [place])
