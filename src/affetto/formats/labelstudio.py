"""Label Studio (.labelstudio.json): tasks whose predictions people correct, and their annotations read back.

How a Record is said there: a task, with

- `data`: `video`, `audio`, `image` or `text` (words, or turns a line each), and under `affetto` what else the Record is
  (people, turns, meta) and whose Track each control stands for;
- `predictions`: one a source, `model_version` being the source and `score` the mean of its calibrated confidences. A
  source that is `rater:...` gives `annotations` instead.

A row is a region: in seconds of a sound or film `labels` with start and end, in words `labels` with characters, in a
picture `rectanglelabels` in percent; where it is the answer to a whole text or picture, `choices`. Axes (of more than 4
they are left out) are `number` items of the same region. The exact row stands in the region's `meta`, which Label
Studio keeps and shows (`joy=0.82 @0.8 # note`), and counts where nobody has changed the label. Rows that say nothing,
vectors, Tracks of the Records whose media they do not lie on, `about` and Tracks without rows are left out.

Beside NAME.labelstudio.json stands NAME.labelstudio.config.xml, the labeling configuration to paste into the project:
one object for each kind of medium and one control for each person, channel and space. Label Studio asks that every task
has every object of the configuration, so write sounds, films, pictures and texts into projects of their own. It opens
files by address: `prefix` is put before each path (`/data/local-files/?d=`).

Knows how to write it, and the doors; `labelstudio_reading` reads, `labelstudio_controls` knows names and configuration.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core import plain
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Image
from affetto.core.track import Track
from affetto.formats import jsonl
from affetto.formats.growing import whole
from affetto.formats.labelstudio_controls import (
    OBJECTS,
    RATER,
    SCHEMA,
    Control,
    Controls,
    Place,
    medium_of,
    place_of,
    words_of,
)
from affetto.formats.labelstudio_reading import read_records
from affetto.formats.quoting import said

MOST_AXES = 4
"""Axes of a graded space that a region has numbers for."""
Item = dict[str, Any]


def read(path: str | Path) -> Iterator[Record]:
    """Read a Record for each task: predictions are models' Tracks, annotations a human rater's (`rater:` and who).

    Tasks of others are read too (the export called JSON): labels, choices and rectangles become Tracks in a space that
    knows all names of a control, or in an open one; ratings and numbers become Tracks of one axis, written answers
    notes. Other results (masks, key points, relations ...) stand, as they were, in `meta["labelstudio"]`, and
    `meta["warning"]` names them. Cancelled annotations are left aside likewise.

    Raises:
        UnreadableError: there is no such file, it is no JSON, or no tasks of Label Studio.
    """
    return read_records(path)


def write(records: Iterable[Record], path: str | Path, prefix: str = "") -> None:
    """Write Records as tasks, and the labeling configuration beside them.

    Args:
        records: any number of them.
        path: the file, NAME.labelstudio.json.
        prefix: stands before the path of every medium that is no address already.
    """
    controls = Controls()
    with whole(path) as file:
        file.write(b"[")
        between = b"\n"
        for record in records:
            file.write(between + jsonl.dump(_task(record, controls, prefix)))
            between = b",\n"
        file.write(b"\n]\n")
    with whole(beside(path)) as file:
        file.write(controls.configuration().encode("utf-8", "replace"))


def beside(path: str | Path) -> Path:
    """Return where the labeling configuration of a file of tasks stands.

    >>> beside("talk.labelstudio.json").name
    'talk.labelstudio.config.xml'
    """
    return Path(path).with_suffix(".config.xml")


def labeling_config(records: Iterable[Record]) -> str:
    """Return the labeling configuration for Records, XML: it is pasted into a project before tasks are imported."""
    controls = Controls()
    for record in records:
        _task(record, controls, "")
    return controls.configuration()


def appender(columns: Sequence[str] = ()) -> jsonl.Rewriting:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return jsonl.Rewriting(write)


@dataclass
class _Answers:
    """What one source says of a task."""

    result: list[Item] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)

    def told(self, source: str) -> Item:
        """Return it as a prediction, or of a rater as an annotation."""
        if source.startswith(RATER):
            return {"completed_by": {"email": source.removeprefix(RATER)}, "result": self.result}
        sure = [one for one in self.confidence if not np.isnan(one)]
        score = {"score": round(float(np.mean(sure)), 6)} if sure else {}
        return {"model_version": source, **score, "result": self.result}


def _task(record: Record, controls: Controls, prefix: str) -> Item:
    medium = medium_of(record)
    controls.media.setdefault(medium)
    frame = plain.from_record(record.blind())
    used: dict[str, Item] = {}
    answers: dict[str, _Answers] = {}
    for number, track in enumerate(record.tracks):
        if not _sayable(track, medium):
            continue
        mine = answers.setdefault(track.source, _Answers())
        for row in range(len(track)):
            if np.isnan(track.values[row]).all():
                continue
            place = place_of(track, row, record, medium)
            control = controls.of(track, medium, place)
            used[control.name] = control.told(track)
            mine.result += _items(track, row, control, place, f"{number}-{row}")
            if track.confidence is not None:
                mine.confidence.append(float(track.confidence[row]))
    answers = {source: one for source, one in answers.items() if one.result}
    predictions = [one.told(source) for source, one in answers.items() if not source.startswith(RATER)]
    annotations = [one.told(source) for source, one in answers.items() if source.startswith(RATER)]
    data = {medium: _where(record, medium, prefix), "affetto": {"schema": SCHEMA, "record": frame, "controls": used}}
    return {"data": data, "predictions": predictions, "annotations": annotations}


def _sayable(track: Track, medium: str) -> bool:
    fits = track.space.kind != "vector" and (track.space.kind != "graded" or len(track.space.axes) <= MOST_AXES)
    there = {"video": "s", "audio": "s", "image": "s"}.get(medium)
    return len(track) > 0 and fits and (track.unit == there if there else track.unit in ("char", "turn"))


def _where(record: Record, medium: str, prefix: str) -> str:
    if medium == "text":
        return words_of(record)
    kinds: dict[str, Any] = {"video": Frames, "audio": Audio, "image": Image}
    paths = [str(getattr(s, "path", "")) for s in record.signals if isinstance(s, kinds[medium])]
    path = next(iter(paths), "") or str(record.meta.get("path") or "")
    return path if "://" in path else prefix + path


def _items(track: Track, row: int, control: Control, place: Place, id: str) -> Iterator[Item]:
    """Yield the results of a row: its label, or its region and the numbers of its axes."""
    origin = "manual" if track.source.startswith(RATER) else "prediction"
    common: Item = {"id": id, "to_name": OBJECTS[control.medium], "origin": origin}
    sure = np.nan if track.confidence is None else float(track.confidence[row])
    common |= {} if np.isnan(sure) else {"score": round(sure, 6)}
    if place.size:
        common |= {"original_width": place.size[0], "original_height": place.size[1], "image_rotation": 0}
    exact = {"meta": {"text": [said(track, row)]}}
    if control.type != "number":
        top = track.top(row)
        label = control.space.id if control.graded or top is None else top.name
        yield common | exact | {"from_name": control.name, "type": place.type, "value": place.value(label)}
        exact = {}
    if control.graded:
        for axis, value in zip(track.space.axes, track.values[row], strict=True):
            if not np.isnan(value):
                number = place.bare | {"number": float(str(value))}
                yield common | exact | {"from_name": control.number(axis.name), "type": "number", "value": number}
                exact = {}
