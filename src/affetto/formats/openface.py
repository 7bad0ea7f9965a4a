"""OpenFace CSV (.openface.csv): the table that OpenFace 2 writes, a row a face and picture, for scripts that read it.

Written are, in OpenFace's order, the columns that can be filled: `frame` (counts the pictures looked at, from 1),
`face_id`, `timestamp`, `confidence`, `success`, gaze, pose, the 68 points in pixels, `AUnn_r` (0..5) and `AUnn_c` (1
from an intensity of 1, a trace, on, so that both never contradict each other); then the units OpenFace lacks, `record`
and `note`. A face in no picture is a row with `success` 0 and empty cells. Left out as blocks, as OpenFace does where
it is not asked for them: eye landmarks, points in space, parameters of its model. `pose_T` is empty: distances want a
known camera. Expressions, blendshapes, valence and arousal have no place here.

Reading takes the tables of OpenFace itself too (its header has blanks after the commas) and gives Tracks in `facs-au`,
`head-pose`, `gaze` and `face-points-68`. A row lasts until the next one. docs/reference/faces.md has each column.
Knows columns; `turning` knows the signs and orders of angles.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from affetto.core.record import Record
from affetto.core.track import Array, Track
from affetto.formats import turning
from affetto.formats.face_table import FaceTable, Sheet, cells, read_sheet
from affetto.formats.finding import find_space
from affetto.formats.growing import write_by
from affetto.formats.sighting import Sighting, ends, picture_length, points_68, sightings, tracks

GAZE = tuple(f"gaze_{eye}_{axis}" for eye in "01" for axis in "xyz")
"""Unit vectors from the camera; eye 0 is the left one in the picture, the person's own right."""
GAZE_ANGLES = ("gaze_angle_x", "gaze_angle_y")
POSITION = ("pose_Tx", "pose_Ty", "pose_Tz")
POSE = ("pose_Rx", "pose_Ry", "pose_Rz")
POINTS = tuple(f"{axis}_{i}" for axis in "xy" for i in range(68))
UNITS_R = tuple(f"AU{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45))
"""Units whose intensity OpenFace tells; of AU28 it tells only whether it is there."""
UNITS_C = (*UNITS_R[:-1], "AU28", "AU45")
MORE_UNITS = ("AU16", "AU18", "AU22", "AU24", "AU27", "AU43")
UNITS = (*UNITS_R, "AU28", *MORE_UNITS)
TRACE = 1.0
"""Intensity from which on a unit is there: A, a trace, of FACS."""
HEADER = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *(*GAZE, *GAZE_ANGLES, *POSITION, *POSE, *POINTS),
    *(*(f"{unit}_r" for unit in UNITS_R), *(f"{unit}_c" for unit in UNITS_C)),
    *(*(f"{unit}_r" for unit in ("AU28", *MORE_UNITS)), *(f"{unit}_c" for unit in MORE_UNITS)),
    *("record", "note"),
)
_TEXTS = ("record", "note")
_SOURCE = "openface"


def read(path: str | Path) -> Iterator[Record]:
    """Read a Record for each name in the column `record`, or one called as the file; a subject for each face.

    Rows whose `success` is 0 say nothing, whatever stands in them. Intensities are brought into 0..5.

    Raises:
        UnreadableError: there is no such file, or it is no table of OpenFace; says where.
    """
    sheet = read_sheet(path, _sort, "OpenFace")
    stem = Path(path).name.split(".")[0]
    names = np.array(sheet.texts.get("record", [stem] * sheet.length), object)
    time = np.maximum(np.nan_to_num(sheet.column("timestamp", 0.0)), 0)
    face = np.nan_to_num(sheet.column("face_id", 0.0))
    values, seen = _values(sheet)
    for name in dict.fromkeys(names.tolist()):
        picture = picture_length(time[names == name])
        found: list[Track] = []
        for id in np.unique(face[names == name]):
            rows = np.flatnonzero((names == name) & (face == id))
            rows = rows[np.argsort(time[rows], kind="stable")]
            if (
                sheet.says(("frame",))
                and (np.nan_to_num(sheet.numbers["frame"][rows]) < 1).all()
                and not any(seen[rows])
            ):
                continue
            here = {space: column[rows] for space, column in values.items()}
            sure, box = sheet.column("confidence")[rows], np.full((len(rows), 4), np.nan)
            person = Sighting(f"person-{int(id) + 1}", time[rows], ends(time[rows], picture), here, sure, box)
            found += tracks(person, _SOURCE, "facs-au")
        yield Record(name, tracks=tuple(found), meta=_meta(sheet, names == name))


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records as one table, those of several recordings one after the other."""
    write_by(appender(), records, Path(path))


def appender(columns: Sequence[str] = ()) -> FaceTable:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return FaceTable(HEADER, _rows)


def _rows(record: Record) -> Iterator[list[str]]:
    people = sightings(record)
    if not people:
        error = record.meta.get("error")
        note = f"error: {error}" if error is not None else "no faces"
        yield ["0", "0", "0", "", "0", *[""] * (len(HEADER) - 7), record.id, note]
        return
    pictures = np.unique(np.concatenate([person.start for person in people]))
    lines: list[tuple[float, int, list[str]]] = []
    taken = _face_ids([person.subject for person in people])
    for id, person in zip(taken, people, strict=True):
        frame = np.searchsorted(pictures, person.start) + 1
        body = cells(_block(person))
        sure = cells(person.confidence[:, None])
        for i, (start, seen) in enumerate(zip(person.start.tolist(), person.seen.tolist(), strict=True)):
            head = [str(frame[i]), str(id), f"{start:.6f}".rstrip("0").rstrip("."), *sure[i], str(int(seen))]
            lines.append((start, id, [*head, *body[i], record.id, "" if seen else "no face"]))
    yield from (line for _, _, line in sorted(lines, key=lambda line: line[:2]))


def _face_ids(subjects: Sequence[str]) -> list[int]:
    """Return 0 for person-1 and so on, and numbers that are free for other names."""
    said = [int(one[7:]) - 1 if re.fullmatch(r"person-[1-9]\d{0,8}", one) else None for one in subjects]
    free = (n for n in range(10**9) if n not in said)
    return [next(free) if id is None else id for id in said]


def _block(person: Sighting) -> Array:
    """Return the cells from the gaze to the last unit, n x k."""
    units = person.column("facs-au")
    space = find_space("facs-au")

    def intensity(names: Iterable[str]) -> Array:
        return units[:, [space.index(name) for name in names]]

    def presence(names: Iterable[str]) -> Array:
        grade = intensity(names)
        return np.where(np.isnan(grade), np.nan, grade >= TRACE)

    n = len(person.start)
    points = points_68(person)
    head = person.column("head-pose")
    blocks = [_gaze(head, person.column("gaze")), np.full((n, 3), np.nan), turning.to_openface(head)]
    blocks += [points[:, :, 0], points[:, :, 1], intensity(UNITS_R), presence(UNITS_C)]
    blocks += [intensity(("AU28", *MORE_UNITS)), presence(MORE_UNITS)]
    return np.concatenate(blocks, 1)


def _gaze(head: Array, eyes: Array) -> Array:
    """Return both unit vectors, the right eye's first, and the angles of their mean: n x 8."""
    turns = turning.turn(head)
    right, left = ((turns @ turning.look(eyes[:, at : at + 2])[:, :, None])[:, :, 0] for at in (2, 0))
    vectors = [turned @ turning.MIRROR for turned in (right, left)]
    x, y, z = (vectors[0] + vectors[1]).T
    return np.column_stack([*vectors, np.arctan2(x, -z), np.arctan2(y, -z)])


def _sort(name: str) -> tuple[str, bool] | None:
    name = {"face": "face_id"}.get(name, name)
    if name in _TEXTS:
        return name, False
    return (name, True) if name in HEADER or name[:-2] in find_space("facs-au").names else None


def _values(sheet: Sheet) -> tuple[dict[str, Array], Array]:
    """Return the values in each space, and which rows show a face."""
    units = sheet.block(f"{name}_r" for name in find_space("facs-au").names)
    head = turning.from_openface(sheet.block(POSE))
    points = np.stack([sheet.block(POINTS[:68]), sheet.block(POINTS[68:])], 2).reshape(-1, 136)
    values = {"face-points-68": points, "head-pose": head, "gaze": _eyes(sheet, head), "facs-au": units}
    seen = np.any([~np.isnan(column).all(1) for column in values.values()], axis=0)
    seen &= ~(sheet.column("success", 1.0) == 0)
    for column in values.values():
        column[~seen] = np.nan
    return values, seen


def _eyes(sheet: Sheet, head: Array) -> Array:
    right, left = (sheet.block(GAZE[at : at + 3]) for at in (0, 3))
    if not sheet.says(GAZE):
        x, y = np.tan(sheet.block(GAZE_ANGLES)).T
        right = left = np.stack([x, y, -np.ones_like(x)], 1)
    turns = np.swapaxes(turning.turn(head), 1, 2)
    eyes = [turning.looked((turns @ (one @ turning.MIRROR)[:, :, None])[:, :, 0]) for one in (left, right)]
    return np.concatenate(eyes, 1)


def _meta(sheet: Sheet, rows: Array) -> dict[str, str]:
    notes = [note for note, here in zip(sheet.texts.get("note", ()), rows, strict=False) if here]
    error = next((note for note in notes if note.startswith("error: ")), None)
    return {} if error is None else {"error": error.removeprefix("error: ")}
