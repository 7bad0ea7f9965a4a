"""Py-Feat CSV (.pyfeat.csv): the table (Fex) that Py-Feat writes, a row a face and picture, for scripts that read it.

Written are the columns of Py-Feat 2 in its order: face box, `FaceScore`, 68 points in pixels, `Pitch` `Roll` `Yaw`,
its 20 units (0..1, ours divided by 5), seven emotions, valence, arousal, gaze, the 52 blendshapes, size of the picture,
`frame` (counts the pictures looked at, from 0), `approx_time` (MM:SS as there, with decimals), `input` (the Record);
then what it lacks: `Identity` (the subject), `Contempt`, our further units, `note`. What is not known is an empty cell,
and a picture without a face a row of them with `FaceScore` 0. The mesh is read but not written: it is 1,434 columns.

Angles are radians; pitch is positive downward, yaw to the person's own right, roll to the own right shoulder, gaze from
the camera, as in files of Py-Feat up to 2.1.0. From 2.1.1 on it counts pitch upward: read those with `up=True`.
docs/reference/faces.md has each column. Knows columns; `pyfeat_layout` their names, `turning` angles.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.track import Array, Track
from affetto.formats import pyfeat_layout as layout
from affetto.formats import turning
from affetto.formats.face_table import FaceTable, Sheet, cells, read_sheet
from affetto.formats.finding import find_space
from affetto.formats.growing import write_by
from affetto.formats.sighting import Sighting, ends, picture_length, points_68, sightings, tracks

RATES = (30.0, 25.0, 24.0, 24000 / 1001, 30000 / 1001, 50.0, 60000 / 1001, 60.0, 15.0, 12.0, 10.0)
"""Pictures a second that films have, the likelier first."""
_SLACK = 0.01
"""How far whole seconds may be off when they say the rate."""
_SOURCE = "py-feat"


def read(path: str | Path, rate: float = 0.0, *, up: bool = False) -> Iterator[Record]:
    """Read a Record for each name in the column `input` (or `clip`), or one called as the file; also from .parquet.

    Tracks are in `face-mesh-478` or `face-points-68`, `head-pose`, `gaze`, `arkit-52`, `facs-au`, `ekman-7` (`ekman-8`
    with contempt) and `va`. Subjects are the column `Identity`, or else person-1, person-2 ... in each picture's order.
    Angles of the head beyond 3.2 mean that they are degrees, as older versions have them. Columns of other names that
    say one thing throughout a Record stand in `meta["row"]`.

    Args:
        path: the file.
        rate: pictures a second of the film, of which `frame` counts all; 0 finds it from `approx_time`.
        up: whether pitch is positive upward (Py-Feat from 2.1.1 on).

    Raises:
        UnreadableError: there is no such file, or it is no table of Py-Feat; says where.
        MissingExtraError: it is a .parquet and pyarrow is not installed.
    """
    sheet = read_sheet(path, layout.sort, "Py-Feat")
    if not sheet.says((*layout.RECT, "FaceScore", *layout.UNITS)):
        raise UnreadableError(f"{sheet.name} is no table of Py-Feat: it has neither FaceRectX, FaceScore nor AU01")
    stem = [Path(path).name.split(".")[0]] * sheet.length
    names = np.array(sheet.texts.get("input", sheet.texts.get("clip", stem)), object)
    time = _time(sheet, rate)
    values = _values(sheet, up)
    box = sheet.block(layout.RECT)
    box[:, 2:] += box[:, :2]
    for name in dict.fromkeys(names.tolist()):
        here = names == name
        picture = picture_length(time[here])
        found: list[Track] = []
        for subject, chosen in _subjects(sheet, here, time).items():
            rows = chosen[np.argsort(time[chosen], kind="stable")]
            mine = {space: column[rows] for space, column in values.items()}
            sure = np.where(sheet.column("FaceScore")[rows] == 0, np.nan, sheet.column("FaceScore")[rows])
            person = Sighting(subject, time[rows], ends(time[rows], picture), mine, sure, box[rows])
            found += tracks(person, _SOURCE, "facs-au")
        yield Record(name, tracks=tuple(found), meta=_meta(sheet, here))


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records as one table, those of several recordings one after the other."""
    write_by(appender(), records, Path(path))


def appender(columns: Sequence[str] = ()) -> FaceTable:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return FaceTable(layout.header(), _rows)


def _rows(record: Record) -> Iterator[list[str]]:
    people = sightings(record)
    head = layout.header()
    if not people:
        error = record.meta.get("error")
        bare = {"FaceScore": "0", "input": record.id, "note": "no faces" if error is None else f"error: {error}"}
        yield [bare.get(name, "") for name in head]
        return
    pictures = np.unique(np.concatenate([person.start for person in people]))
    size = next((s for s in record.signals if isinstance(s, Frames | Image)), None)
    tall, wide = (np.nan, np.nan) if size is None else _size(size)
    lines: list[tuple[float, int, list[str]]] = []
    for nth, person in enumerate(people):
        numbers = _numbers(person) | {"FrameHeight": np.full(len(person.start), tall)}
        numbers |= {"FrameWidth": np.full(len(person.start), wide), "frame": np.searchsorted(pictures, person.start)}
        names = [name for name in head if name in numbers]
        body = cells(np.stack([np.asarray(numbers[name], np.float64) for name in names], 1))
        for start, seen, line in zip(person.start.tolist(), person.seen.tolist(), body, strict=True):
            words = {"approx_time": f"{int(start // 60):02d}:{start % 60:09.6f}", "input": record.id}
            words |= {"Identity": person.subject, "note": "" if seen else "no face"}
            told = dict(zip(names, line, strict=True)) | words
            lines.append((start, nth, [told.get(name, "") for name in head]))
    yield from (line for _, _, line in sorted(lines, key=lambda line: line[:2]))


def _size(signal: Frames | Image) -> tuple[float, float]:
    """Return height and width in pixels."""
    if isinstance(signal, Image):
        return float(signal.pixels.shape[0]), float(signal.pixels.shape[1])
    return float(signal.size[1]), float(signal.size[0])


def _numbers(person: Sighting) -> dict[str, Array]:
    points, head = points_68(person), person.column("head-pose")
    eyes = person.column("gaze")
    gaze = turning.seen_from_camera(head, np.stack([eyes[:, ::2].mean(1), eyes[:, 1::2].mean(1)], 1))
    yaw, pitch = np.radians(gaze).T
    turned = np.radians(head)
    seen = person.seen
    out = {"FaceScore": np.where(seen, person.confidence, 0.0), "gaze_yaw": -yaw, "gaze_pitch": pitch}
    out |= {"gaze_angle": np.arccos(np.cos(yaw) * np.cos(pitch))}
    out |= {"Pitch": turned[:, 1], "Roll": turned[:, 2], "Yaw": -turned[:, 0]}
    left, top, right, bottom = np.where(seen, person.box.T, np.nan)
    out |= dict(zip(layout.RECT, (left, top, right - left, bottom - top), strict=True))
    out |= dict(zip(layout.POINTS, [*points[:, :, 0].T, *points[:, :, 1].T], strict=True))
    units = person.column("facs-au") / 5
    space = find_space("facs-au")
    out |= {name: units[:, space.index(name)] for name in (*layout.UNITS, *layout.MORE_UNITS)}
    kind = "ekman-8" if "ekman-8" in person.values else "ekman-7"
    labels = dict(zip(find_space(kind).names, person.column(kind).T, strict=True))
    out |= {name: labels[label] for name, label in layout.EMOTIONS.items() if label in labels}
    out |= dict(zip(("valence", "arousal"), person.column("va").T, strict=True))
    return out | dict(zip(find_space("arkit-52").names, person.column("arkit-52").T, strict=True))


def _values(sheet: Sheet, up: bool) -> dict[str, Array]:
    """Return the values in each space, NaN where a row shows no face."""
    pitch, roll, yaw = (sheet.column(name) for name in layout.POSE)
    turned = np.stack([-yaw, -pitch if up else pitch, roll], 1)
    head = turned if np.nanmax(np.abs(turned), initial=0) > 3.2 else np.degrees(turned)
    gaze = np.degrees(np.stack([-sheet.column("gaze_yaw"), sheet.column("gaze_pitch") * (-1 if up else 1)], 1))
    labels = "ekman-8" if not np.isnan(sheet.column("Contempt")).all() else "ekman-7"
    columns = {label: name for name, label in layout.EMOTIONS.items()}
    points = np.stack([sheet.block(layout.POINTS[:68]), sheet.block(layout.POINTS[68:])], 2)
    mesh = _mesh(sheet)
    values = {
        "face-mesh-478": mesh,
        "face-points-68": points.reshape(-1, 136) if np.isnan(mesh).all() else np.full((sheet.length, 136), np.nan),
        "head-pose": head,
        "gaze": np.tile(turning.seen_from_head(head, gaze), 2),
        "arkit-52": sheet.block(find_space("arkit-52").names),
        "facs-au": sheet.block(find_space("facs-au").names) * 5,
        labels: sheet.block(columns[label] for label in find_space(labels).names),
        "va": sheet.block(("valence", "arousal")),
    }
    for column in values.values():
        column[sheet.column("FaceScore") == 0] = np.nan
    return values


def _mesh(sheet: Sheet) -> Array:
    """Return the mesh in pixels; Py-Feat counts its depth in widths of the face box."""
    if sheet.says(("mesh_z_477",)):
        mesh = sheet.block(layout.MESH)
        mesh[:, 2::3] *= sheet.column("FaceRectWidth")[:, None]
        return mesh
    if sheet.says(("x_477",)):
        return sheet.block(layout.PLAIN_MESH)
    return np.full((sheet.length, 1434), np.nan)


def _subjects(sheet: Sheet, here: Array, time: Array) -> dict[str, Array]:
    """Return who is on which rows of one recording; rows of nobody in a recording without anybody are left out."""
    people: dict[str, list[int]] = {}
    said, count = sheet.texts.get("Identity"), dict[float, int]()
    for i in np.flatnonzero(here).tolist():
        count[time[i]] = count.get(time[i], 0) + 1
        subject = said[i] if said is not None else ""
        if not subject and _error(sheet, i):
            continue
        people.setdefault(subject or f"person-{count[time[i]]}", []).append(i)
    return {subject: np.array(rows) for subject, rows in people.items()}


def _error(sheet: Sheet, row: int) -> str:
    """Return what `_rows` noted of a Record that has no faces."""
    note = sheet.texts["note"][row] if "note" in sheet.texts else ""
    return note if note == "no faces" or note.startswith("error: ") else ""


def _meta(sheet: Sheet, here: Array) -> dict[str, Any]:
    rows = np.flatnonzero(here).tolist()
    other = {name: {column[i] for i in rows} for name, column in sheet.texts.items() if name not in layout.TEXTS}
    row = {name: next(iter(said)) for name, said in other.items() if len(said) == 1}
    note = next((_error(sheet, i) for i in rows if _error(sheet, i).startswith("error: ")), "")
    return ({"row": row} if row else {}) | ({"error": note.removeprefix("error: ")} if note else {})


def _time(sheet: Sheet, rate: float) -> Array:
    """Return the second of each row."""
    words = sheet.texts.get("approx_time")
    frame = sheet.column("frame")
    said = np.full(sheet.length, np.nan) if words is None else np.array([_clock(word) for word in words])
    if np.isnan(frame).all() or (words is not None and any("." in word for word in words) and not rate):
        frame, rate = said, 1.0
    if not rate and np.isnan(said).all() and "input" in sheet.texts:
        return np.zeros(sheet.length)
    time: Array = np.maximum(np.nan_to_num(frame), 0) / (rate or _rate(frame, said))
    return time


def _rate(frame: Array, second: Array) -> float:
    """Return the rate at which frames fall into the whole seconds they are said to be in; 30 where nothing tells."""
    both = ~np.isnan(frame) & ~np.isnan(second)
    late = both & (second > 0)
    if not late.any():
        return RATES[0]
    high = float((frame[late] / second[late]).min()) * (1 + _SLACK)
    low = float((frame[both] / (second[both] + 1)).max()) * (1 - _SLACK)
    return next((rate for rate in RATES if low <= rate <= high), high if high > 0 else RATES[0])


def _clock(word: str) -> float:
    try:
        parts = [float(part) for part in word.split(":")]
    except ValueError:
        return np.nan
    return float(sum(part * 60.0**power for power, part in enumerate(reversed(parts))))
