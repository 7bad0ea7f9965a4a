"""Long tables: a line for each number that somebody said, lossless enough to give the Tracks back.

Columns beside the obvious: `number` counts Records (two may have one id), `track` and `row` count inside a Record;
`kind`, `low`, `high` and `scale` say what the space is, should the reader not know it; `about` and `box` are JSON. A
Track without rows, and a space without axes, stand as lines with empty cells; a Record without Tracks is one line with
its `error`. The lines of one field of several are those of `record/field`. Signals, turns and meta do not fit here: for
whole Records there is JSON. A column of notes (confidences, boxes) that holds nothing at all is read back as none.
Knows cells; knows no file.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.space import Axis
from affetto.core.span import Span
from affetto.core.track import Array, Track
from affetto.formats.finding import field_at, same_space

COLUMNS: dict[str, type] = {
    "number": int,
    "record": str,
    "track": int,
    "row": int,
    "subject": str,
    "perspective": str,
    "channel": str,
    "source": str,
    "space": str,
    "kind": str,
    "unit": str,
    "start": float,
    "end": float,
    "axis": str,
    "value": float,
    "low": float,
    "high": float,
    "scale": str,
    "confidence": float,
    "note": str,
    "about": str,
    "box": str,
    "error": str,
}
"""Name -> type of its cells; any cell may be empty."""
Line = dict[str, Any]


def lines(number: int, record: Record) -> Iterator[Line]:
    """Yield the lines of the `number`th Record, at least one."""
    base: Line = {"number": number, "record": record.id, "error": record.meta.get("error")}
    if not record.tracks:
        yield base
    for t, track in enumerate(record.tracks):
        whole = base | {
            "track": t,
            "subject": track.subject,
            "perspective": track.perspective,
            "channel": track.channel,
            "source": track.source,
            "space": track.space.id,
            "kind": track.space.kind,
            "unit": track.unit,
        }
        for row in _rows(track):
            if "row" in row and (field := field_at(record.meta, row["start"], row["end"])):
                row["record"] = f"{record.id}/{field}"
            yield from (whole | row | cell for cell in _cells(track, row.get("row")))


def _rows(track: Track) -> Iterator[Line]:
    if not len(track):
        yield {}
    sure = None if track.confidence is None else _numbers(track.confidence)
    boxes = None if track.box is None else [_numbers(box) for box in track.box]
    for i, (start, end) in enumerate(zip(track.start.tolist(), track.end.tolist(), strict=True)):
        about = None if track.about is None else track.about[i]
        yield {
            "row": i,
            "start": start,
            "end": end,
            "confidence": None if sure is None else sure[i],
            "note": None if track.note is None else track.note[i],
            "about": about and json.dumps([about.start, about.end, about.unit]),
            "box": boxes and json.dumps(boxes[i]),
        }


def _cells(track: Track, row: int | None) -> Iterator[Line]:
    said = [None] * len(track.space.axes) if row is None else _numbers(track.values[row])
    if not said:
        yield {}
    for axis, value in zip(track.space.axes, said, strict=True):
        graded = {"low": axis.low, "high": axis.high, "scale": axis.unit} if track.space.kind == "graded" else {}
        yield {"axis": axis.name, "value": value} | graded


def _numbers(values: Array) -> list[float | None]:
    """Return float32 numbers in the fewest digits that give them back; None for NaN."""
    return [None if x == "nan" else float(x) for x in values.astype(np.float32).astype("U").tolist()]


def records(rows: Iterable[Mapping[str, Any]], name: str) -> Iterator[Record]:
    """Yield the Records of lines, whose cells have the types of `COLUMNS` or are None.

    Raises:
        UnreadableError: they do not make Tracks; says which.
    """
    for number, group in itertools.groupby(rows, key=lambda row: row["number"]):
        mine = list(group)
        id = mine[0]["record"] or ""
        try:
            told = [row for row in mine if row["track"] is not None]
            tracks = [_track(list(part)) for _, part in itertools.groupby(told, key=lambda row: row["track"])]
            error = mine[0]["error"]
            yield Record(id, tracks=tuple(tracks), meta={} if error is None else {"error": error})
        except (MalformedError, TypeError, ValueError, KeyError) as error:
            raise UnreadableError(f"record {number} ({id!r}) of {name} does not make Tracks: {error}") from None


def _track(lines: list[Mapping[str, Any]]) -> Track:
    first = lines[0]
    rows = [list(part) for _, part in itertools.groupby(lines, key=lambda line: line["row"])]
    graded = first["kind"] == "graded"
    axes = tuple(
        Axis(line["axis"], low=line["low"], high=line["high"], unit=line["scale"] or "")
        if graded
        else Axis(line["axis"])
        for line in rows[0]
        if line["axis"] is not None
    )
    for part in rows:
        if [line["axis"] for line in part if line["axis"] is not None] != [axis.name for axis in axes]:
            raise MalformedError(f"row {part[0]['row']} of track {first['track']} wants the axes of the first row")
    heads = [part[0] for part in rows if part[0]["row"] is not None]
    values = (
        [[np.nan if x["value"] is None else x["value"] for x in part[: len(axes)]] for part in rows] if heads else []
    )

    def column(name: str) -> list[Any] | None:
        cells = [None if head[name] == "" else head[name] for head in heads]
        return None if all(cell is None for cell in cells) else cells

    sure, note, about, box = (column(name) for name in ("confidence", "note", "about", "box"))
    return Track(
        space=same_space(first["space"] or "", first["kind"], axes),
        start=np.array([head["start"] for head in heads], float),
        end=np.array([head["end"] for head in heads], float),
        values=np.array(values, np.float32).reshape(len(heads), len(axes)),
        unit=first["unit"],
        subject=first["subject"] or "",
        perspective=first["perspective"],
        channel=first["channel"],
        source=first["source"] or "",
        confidence=None if sure is None else np.array([np.nan if x is None else x for x in sure], np.float32),
        box=None if box is None else np.array([_box(x) for x in box], np.float32),
        about=None if about is None else tuple(None if x is None else Span(*json.loads(x)) for x in about),
        note=None if note is None else tuple("" if x is None else x for x in note),
    )


def _box(cell: str | None) -> list[float]:
    return [np.nan] * 4 if cell is None else [np.nan if x is None else x for x in json.loads(cell)]
