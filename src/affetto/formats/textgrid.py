"""TextGrid of Praat (.TextGrid): tiers of labelled intervals and points along the seconds of a recording.

How a Record is said there:

- What a speaker says in timed turns is a tier called by the speaker; a turn without words is a label of one blank.
- A Track in seconds is a tier called `subject|channel|space|perspective|source`. A row is said as
  `valence=0.32 arousal=-0.1 @0.8 # note`: what was said of each axis, the confidence, the note; `?` where nothing was
  said. In a space of kind `one` the tier has the most probable label alone, to be read and corrected, and the numbers
  stand in a second tier, whose name ends in `|numbers`. Where somebody has changed a label, its time, or taken it away,
  that counts, and the numbers do not.
- Intervals of one tier may not overlap: rows that do go to further tiers, whose names end in `|2`, `|3` ... Rows
  without length are points, in tiers of points. Gaps are empty labels.
- Several Records are a Collection, which Praat opens as several TextGrids.
- Tracks in characters or turns, vectors, turns without time, boxes, `about` and meta have no place here: for whole
  Records there is JSON. A Record with an error has it in a tier called `|error`; the id of a single Record is the name
  of its file.

Knows how to write it, and the doors; `textgrid_reading` reads.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Waves
from affetto.formats import jsonl
from affetto.formats.growing import whole
from affetto.formats.quoting import NOTHING, layers, said
from affetto.formats.textgrid_reading import ERROR, NUMBERS, quoted_name, read_records

_EMPTY = "empty"
"""The tier of a Record that says nothing in seconds, for a TextGrid has at least one."""
Label = tuple[float, float, str]


def read(path: str | Path, space: str = "") -> Iterator[Record]:
    """Read the Record of a TextGrid, or the Records of a Collection, in the long or the short form, in UTF-8 or UTF-16.

    Tiers that Affetto or a rater has called `subject|channel|space` ... are Tracks, any other tier is the turns of a
    speaker of that name.

    Args:
        path: the file.
        space: the id of a space; then a tier all of whose labels are names in that space is a Track of a subject called
            like the tier.

    Raises:
        UnreadableError: there is no such file, or it is no TextGrid in text form; says what and where.
        UnknownNameError: there is no such space.
    """
    return read_records(path, space)


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write one Record as a TextGrid, any other number of them as a Collection."""
    with whole(path) as file, tempfile.TemporaryFile() as body:
        count, first = 0, None
        for count, record in enumerate(records, 1):
            if count == 1:
                first = record
                continue
            if count == 2 and first is not None:
                _item(1, first, body)
            _item(count, record, body)
        file.write(b'File type = "ooTextFile"\n')
        if count == 1 and first is not None:
            file.write(b'Object class = "TextGrid"\n\n')
            _grid(first, file, "")
            return
        file.write(f'Object class = "Collection"\n\nsize = {count} \nitem []: \n'.encode())
        body.seek(0)
        while block := body.read(1 << 20):
            file.write(block)


def appender(columns: Sequence[str] = ()) -> jsonl.Rewriting:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return jsonl.Rewriting(write)


def _item(number: int, record: Record, file: IO[bytes]) -> None:
    file.write(_bytes(f'    item [{number}]:\n        class = "TextGrid" \n        name = {_text(record.id)} \n'))
    _grid(record, file, " " * 8)


def _grid(record: Record, file: IO[bytes], pad: str) -> None:
    tiers = list(_tiers(record))
    known = [s.duration for s in record.signals if isinstance(s, Audio | Frames | Waves) and s.duration > 0]
    last = max([*known, *(end for _, labels in tiers for _, end, _ in labels)], default=0.0) or 1.0
    if "error" in record.meta:
        tiers.append((ERROR, [(0.0, last, str(record.meta["error"]))]))
    tiers = tiers or [(_EMPTY, [])]
    file.write(_bytes(f"{pad}xmin = 0 \n{pad}xmax = {last!r} \n{pad}tiers? <exists> \n"))
    file.write(_bytes(f"{pad}size = {len(tiers)} \n{pad}item []: \n"))
    for number, (name, labels) in enumerate(tiers, 1):
        points = bool(labels) and labels[0][0] == labels[0][1]
        form = _points if points else _intervals
        file.write(
            _bytes(f'{pad}    item [{number}]:\n{pad}        class = "{"TextTier" if points else "IntervalTier"}" \n')
        )
        file.write(
            _bytes(f"{pad}        name = {_text(name)} \n{pad}        xmin = 0 \n{pad}        xmax = {last!r} \n")
        )
        file.writelines(map(_bytes, form(labels, last, pad + " " * 8)))


def _intervals(labels: list[Label], last: float, pad: str) -> Iterator[str]:
    whole: list[Label] = []
    at = 0.0
    for start, end, text in [*labels, (last, last, "")]:
        whole += [(at, start, "")] * (at < start) + [(start, end, text)] * (start < end)
        at = end
    yield f"{pad}intervals: size = {len(whole)} \n"
    for number, (start, end, text) in enumerate(whole, 1):
        inside = f"{pad}    xmin = {start!r} \n{pad}    xmax = {end!r} \n{pad}    text = {_text(text)} \n"
        yield f"{pad}intervals [{number}]:\n{inside}"


def _points(labels: list[Label], last: float, pad: str) -> Iterator[str]:
    yield f"{pad}points: size = {len(labels)} \n"
    for number, (start, _, text) in enumerate(labels, 1):
        yield f"{pad}points [{number}]:\n{pad}    number = {start!r} \n{pad}    mark = {_text(text)} \n"


def _tiers(record: Record) -> Iterator[tuple[str, list[Label]]]:
    """Yield name and labels of each tier, the labels in order, all of them intervals or all of them points."""
    turns: dict[str, list[Label]] = {}
    for turn in record.turns:
        if turn.span is not None and turn.span.unit == "s":
            label = (float(turn.span.start), float(turn.span.end), turn.text or " ")
            turns.setdefault(quoted_name(turn.speaker), []).append(label)
    for name, labels in turns.items():
        yield from _apart(name, labels)
    for track in record.tracks:
        if track.unit == "s" and track.space.kind != "vector" and len(track):
            whose = (track.subject, track.channel, track.space.id, track.perspective, track.source)
            name = "|".join(map(quoted_name, whose))
            rows = list(zip(track.start.tolist(), track.end.tolist(), range(len(track)), strict=True))
            if track.space.kind == "one":
                tops = (track.top(i) for i in range(len(track)))
                names = [NOTHING if top is None else top.name for top in tops]
                yield from _apart(name, [(start, end, names[i]) for start, end, i in rows])
                name += f"|{NUMBERS}"
            yield from _apart(name, [(start, end, said(track, i)) for start, end, i in rows])


def _apart(name: str, labels: list[Label]) -> Iterator[tuple[str, list[Label]]]:
    """Yield tiers of labels that do not overlap; the second is called `|2`."""
    number = 0
    for points in (False, True):
        mine = sorted((one for one in labels if (one[0] == one[1]) == points), key=lambda one: one[:2])
        tiers: dict[int, list[Label]] = {}
        for layer, one in zip(layers((start, end) for start, end, _ in mine), mine, strict=True):
            tiers.setdefault(layer, []).append(one)
        for tier in tiers.values():
            number += 1
            yield name if number == 1 else f"{name}|{number}", tier


def _text(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
