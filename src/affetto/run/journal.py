"""What is known so far of one long recording, on the disk as it comes: a Record a line, so that anybody can read it.

The first line says what was asked; each further line holds the Tracks of one part (face, voice) up to a second, and
what that part needs to go on from there. A line that was cut off in the middle is as if it had never been. Whoever
finishes removes the file. Knows Records and lines; knows neither models nor films.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from affetto.core import catalog, plain
from affetto.core.errors import AffettoError, MalformedError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track

SCHEMA = "affetto-journal-1"


class Entry(NamedTuple):
    """What one part knew at one time."""

    until: float
    """Seconds of the recording up to which it is known."""
    tracks: tuple[Track, ...]
    state: Mapping[str, Any]
    """Whatever the part needs to go on."""


@dataclass
class Journal:
    """The file of one recording.

    Args:
        path: where it lies, or will.
        asked: whatever changes the answers, as JSON holds it.
        resume: go on with what lies there; else it is begun anew.

    Raises:
        AffettoError: what lies there was asked otherwise, or is no journal.
    """

    path: Path
    asked: Mapping[str, Any]
    resume: bool = False
    parts: dict[str, list[Entry]] = field(default_factory=dict)
    """What was written before, part by part, in order."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        """Read what is there, or begin."""
        if self.resume and self.path.exists():
            self._read()
        else:
            self._append(Record("asked", meta={"journal": SCHEMA, "asked": dict(self.asked)}), "wb")

    def write(self, part: str, until: float, tracks: tuple[Track, ...], state: Mapping[str, Any]) -> None:
        """Add what a part knows up to a second; it is on the disk when this returns."""
        meta = {"part": part, "until": until, "state": dict(state)}
        self._append(Record(f"{part} until {until:g} s", tracks=tracks, meta=meta), "ab")

    def remove(self) -> None:
        """Remove the file: all is known, and lies elsewhere."""
        self.path.unlink(missing_ok=True)

    def _append(self, record: Record, mode: str) -> None:
        line = json.dumps(plain.from_record(record), ensure_ascii=False).encode() + b"\n"
        with self._lock, self.path.open(mode) as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            first, *rest = (plain.to_record(json.loads(line), _space) for line in whole.splitlines())
            told = first.meta["asked"] if first.meta.get("journal") == SCHEMA else None
            for record in rest:
                entry = Entry(float(record.meta["until"]), record.tracks, record.meta["state"])
                self.parts.setdefault(str(record.meta["part"]), []).append(entry)
        except (ValueError, KeyError, TypeError, MalformedError):
            told = None
        if told != json.loads(json.dumps(dict(self.asked))):
            why = "is no journal of a recording" if told is None else "was asked with other options"
            raise AffettoError(f"{str(self.path)!r} {why}; say overwrite to begin anew")
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))


def _space(id: str) -> Space:
    space: Space = catalog.load(catalog.find(id, "space").id)
    return space
