"""Live Link Face CSV (.livelink.csv): curves of one face in ARKit's 52 coefficients, with head and eyes, for avatars.

The header is that of the app: `Timecode`, `BlendShapeCount`, the 52 in PascalCase, then yaw, pitch and roll of the
head, the left and the right eye: 61 numbers of ten decimals a row. `Timecode` is HH:MM:SS:FF.sub, FF counting 60 a
second and sub in thousandths of FF. Angles are radians; yaw is positive to the person's own right, pitch downward, roll
to the own left shoulder: yaw and roll the other way than in `head-pose`. (Units and signs of the eyes as in recordings
of the app, where eyeLookOutLeft .45 goes with LeftEyeYaw -.33 and eyeLookDownLeft .28 with LeftEyePitch .17; the head
is taken to count as they do.)

The file holds one person of one recording: of several the one seen longest is written, and a second recording with a
face is refused. Importers want numbers, so what was not said stands as 0, and a picture without a face is a row of 0
with `BlendShapeCount` 0, which comes back as nothing said. Reading matches names in any case and order. Knows this
table; `sighting` knows stretches.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Array
from affetto.formats.face_table import FaceTable, cells, read_sheet
from affetto.formats.finding import find_space
from affetto.formats.growing import write_by
from affetto.formats.sighting import Sighting, ends, picture_length, sightings, tracks

RATE = 60.0
"""Pictures a second that FF of the timecode counts, unless the app is set otherwise."""
HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
EYES = ("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll")
COUNT = 61
_SIGNS = np.array([-1.0, 1.0, -1.0])
"""From yaw, pitch and roll of `head-pose` to those of the app, and back."""
_TIMECODE = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})[:;](\d{1,4}(?:\.\d*)?)")
_DAY = 86400.0
_SOURCE = "live-link-face"


def header() -> tuple[str, ...]:
    """Return the names of the 63 columns."""
    shapes = (axis.facts["live_link"] for axis in find_space("arkit-52").axes)
    return ("Timecode", "BlendShapeCount", *shapes, *HEAD, *EYES)


def read(path: str | Path, rate: float = RATE) -> Iterator[Record]:
    """Read one Record with one subject, `person-1`, in `arkit-52`, `head-pose` and `gaze`, from second 0 on.

    A head or eyes that are 0 throughout were switched off in the app and are not said. `meta["timecode"]` is where the
    recording began.

    Args:
        path: the file.
        rate: what FF of the timecode counts a second.

    Raises:
        UnreadableError: there is no such file, or it is none of Live Link Face; says where.
    """
    names = {name.lower(): name for name in header()}
    sheet = read_sheet(path, lambda name: _sort(names, name), "Live Link Face")
    if "Timecode" not in sheet.texts:
        raise UnreadableError(f"{sheet.name} is no table of Live Link Face: it has no column Timecode")
    codes = sheet.texts["Timecode"]
    time = _times([_seconds(code, rate, sheet.name, number) for number, code in enumerate(codes, 2)])
    order = np.argsort(time, kind="stable")
    shapes = sheet.block(names[axis.name.lower()] for axis in find_space("arkit-52").axes)
    head = np.degrees(sheet.block(HEAD) * _SIGNS)
    eyes = np.degrees(sheet.block(EYES) * np.tile(_SIGNS, 2))[:, [0, 1, 3, 4]]
    values = {"arkit-52": shapes, "head-pose": head, "gaze": eyes}
    for id, column in values.items():
        column[sheet.column("BlendShapeCount", COUNT) == 0] = np.nan
        if id != "arkit-52" and (np.nan_to_num(column) == 0).all():
            column[:] = np.nan
    nothing = np.full(sheet.length, np.nan)
    person = Sighting("person-1", time, time, values, nothing, np.full((sheet.length, 4), np.nan)).rows(order)
    end = ends(person.start, picture_length(time))
    person = Sighting("person-1", person.start, end, person.values, person.confidence, person.box)
    found = tracks(person, _SOURCE, "arkit-52") if sheet.length else ()
    meta = {"timecode": codes[order[0]]} if sheet.length else {}
    yield Record(Path(path).name.split(".")[0], tracks=found, meta=meta)


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write the face of one recording.

    Raises:
        MalformedError: a second Record has a face too.
    """
    write_by(appender(), records, Path(path))


def appender(columns: Sequence[str] = ()) -> "_Curves":
    """Return what writes Records as they come; `columns` mean nothing here."""
    return _Curves(header(), _rows)


class _Curves(FaceTable):
    _written = ""

    def state(self) -> dict[str, Any]:
        return super().state() | {"written": self._written}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._written = str(state["written"])

    def encode(self, records: Sequence[Record]) -> bytes:
        for record in records:
            if not any(person.seen.any() for person in sightings(record)):
                continue
            if self._written:
                raise MalformedError(
                    f"a file of Live Link Face holds one recording, and {record.id!r} comes after {self._written!r}; "
                    "write each to a file of its own"
                )
            self._written = record.id or "one"
        return super().encode(records)


def _rows(record: Record) -> Iterator[list[str]]:
    person = max(sightings(record), key=lambda one: int(one.seen.sum()), default=None)
    if person is None:
        return
    eyes = person.column("gaze")
    level = np.zeros(len(eyes))
    blocks = [np.radians(person.column("head-pose")) * _SIGNS]
    for at in (0, 2):
        blocks.append(np.radians(np.column_stack([eyes[:, at : at + 2], level])) * _SIGNS)
    body = np.nan_to_num(np.concatenate([person.column("arkit-52"), *blocks], 1)) + 0.0
    shown = ~np.isnan(np.concatenate([person.column(id) for id in ("arkit-52", "head-pose", "gaze")], 1)).all(1)
    body[~shown] = 0
    zero = [f"{0.0:.10f}"] * COUNT
    if person.start[0] > 0:
        yield [_timecode(0.0), "0", *zero]
    for start, face, line in zip(person.start.tolist(), shown.tolist(), cells(body, "%.10f"), strict=True):
        yield [_timecode(start), str(COUNT if face else 0), *line]


def _timecode(second: float) -> str:
    """Return a second of the recording as HH:MM:SS:FF.sub.

    >>> _timecode(3661.51)
    '01:01:01:30.600'
    """
    frames, thousandths = divmod(round(second * RATE * 1000), 1000)
    seconds, frame = divmod(frames, int(RATE))
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}.{thousandths:03d}"


def _seconds(code: str, rate: float, name: str, number: int) -> float:
    if (said := _TIMECODE.fullmatch(code.strip())) is None:
        raise UnreadableError(f"line {number} of {name} wants a Timecode HH:MM:SS:FF.sub, not {code[:40]!r}")
    hours, minutes, seconds = (int(part) for part in said.groups()[:3])
    frames = float(said[4])
    if frames >= rate + 1:
        raise UnreadableError(
            f"line {number} of {name} has picture {said[4]} of a second, but {rate:g} a second are expected; "
            "name the app's rate: arkit.read(path, rate=...)"
        )
    return hours * 3600 + minutes * 60 + seconds + frames / rate


def _times(codes: Sequence[float]) -> Array:
    """Return seconds from the first timecode, over midnight where they fall back by more than half a day."""
    time = np.array(codes, np.float64)
    if len(time):
        time += _DAY * np.append(0, np.cumsum(np.diff(time) < -_DAY / 2))
        time -= time.min()
    return time.round(6)


def _sort(names: Mapping[str, str], name: str) -> tuple[str, bool] | None:
    found = names.get(name.lower())
    return None if found is None else (found, found != "Timecode")
