"""Running sums of annotated Records by a column of their table: memory grows with the groups, not with the rows.

Knows sums; knows neither how a summary looks nor where it is written.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.roles import Appender
from affetto.run import fields
from affetto.run.annotate import SENTIMENT

MOST = 1000
"""Groups that are kept apart; the rows of all later ones are summed as `OTHERS`."""
OTHERS = "(others)"
_MEANS = ("valence", "subjectivity", f"{SENTIMENT}.negative", f"{SENTIMENT}.neutral", f"{SENTIMENT}.positive")


class Groups:
    """What was said in each group, field by field.

    Args:
        by: the column whose cells name the groups.
        names: the fields, where there are several.
    """

    def __init__(self, by: str, names: Sequence[str] = ()) -> None:
        """Begin with no rows."""
        self.by = by
        self.names = tuple(names) or ("",)
        self._sums: dict[tuple[str, str], dict[str, float]] = {}
        self._known: set[str] = set()

    def check(self, columns: Sequence[str], name: str) -> None:
        """Refuse a column that the table does not have.

        Raises:
            UnknownNameError: names those there are.
        """
        if self.by not in columns:
            raise UnknownNameError(f"column of {name}", self.by, columns)

    def add(self, record: Record) -> None:
        """Count a Record, annotated or failed."""
        row = record.meta.get("row", {})
        cell = row.get(self.by)
        group = "" if cell is None else str(cell).strip()
        if group not in self._known and len(self._known) >= MOST:
            group = OTHERS
        self._known.add(group)
        places = fields.places(record)
        words = record.meta.get("annotation", {})
        for name in self.names:
            sums = self._sums.setdefault((group, name), {"n": 0.0})
            sums["n"] += 1
            emotion = words.get(f"{name}.emotion" if places else "emotion")
            if emotion is None:
                continue
            _count(sums, "said", 1.0)
            _count(sums, f"emotion.{emotion}", 1.0)
            _mean(sums, "subjectivity", words.get(f"{name}.subjectivity" if places else "subjectivity"))
            for axis, value in _numbers(record, places.get(name)).items():
                _mean(sums, axis, value)

    def rows(self) -> list[dict[str, str | float | None]]:
        """Return the summary, a row for each group and field, the largest group first.

        `n` counts rows and `share` is their part of all rows; `said` is the part of them that was answered. All else is
        of these alone: mean `valence` and `subjectivity`, mean probabilities as `sentiment-3.*`, and as `emotion.*` the
        share of rows in which that emotion is the most probable. None where nobody said anything.
        """
        total = sum(sums["n"] for (_, name), sums in self._sums.items() if name == self.names[0])
        feelings = sorted({key for sums in self._sums.values() for key in sums if key.startswith("emotion.")})
        order = {name: i for i, name in enumerate(self.names)}
        found = sorted(self._sums.items(), key=lambda item: (-item[1]["n"], item[0][0], order[item[0][1]]))
        rows: list[dict[str, str | float | None]] = []
        for (group, name), sums in found:
            said = sums.get("said", 0.0)
            line: dict[str, str | float | None] = {"group": group, "field": name, "n": int(sums["n"])}
            line |= {"share": sums["n"] / total, "said": said / sums["n"]}
            line |= {key: sums[key] / sums[f"{key}#"] if key in sums else None for key in _MEANS}
            rows.append(line | {key: sums.get(key, 0.0) / said if said else None for key in feelings})
        return rows

    def over(self, appender: Appender) -> Appender:
        """Return an Appender that counts what it writes, and whose state holds the sums, so that both are resumed."""
        return _Counting(self, appender)

    def passing(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield Records and count them."""
        for record in records:
            self.add(record)
            yield record

    def state(self) -> list[Any]:
        """Return what `restore` needs, as JSON holds it."""
        return [[group, name, sums] for (group, name), sums in self._sums.items()]

    def restore(self, state: Sequence[Any]) -> None:
        """Take up a state that `state` gave."""
        self._sums = {(group, name): dict(sums) for group, name, sums in state}
        self._known = {group for group, _ in self._sums}


class _Counting:
    def __init__(self, groups: Groups, appender: Appender) -> None:
        self._groups, self._appender = groups, appender

    def open(self, path: Path, offset: int, state: Mapping[str, Any]) -> None:
        self._groups.restore(state.get("groups", ()))
        self._appender.open(path, offset, state.get("rows", {}))

    def append(self, records: Sequence[Record]) -> None:
        self._appender.append(records)
        for record in records:
            self._groups.add(record)

    def sync(self) -> tuple[int, dict[str, Any]]:
        size, state = self._appender.sync()
        return size, {"rows": state, "groups": self._groups.state()}

    def close(self) -> None:
        self._appender.close()

    def finish(self, path: Path, out: Path) -> None:
        self._appender.finish(path, out)


def _numbers(record: Record, place: tuple[int, int] | None) -> dict[str, float]:
    """Return the writer's valence and the probabilities of sentiment, of the field at a place or of all the text."""
    found: dict[str, float] = {}
    for track in record.tracks:
        if track.perspective == "evoked" or not (track.space.id == SENTIMENT or "valence" in track.space.names):
            continue
        spans = zip(track.start.tolist(), track.end.tolist(), strict=True)
        rows = [i for i, (start, end) in enumerate(spans) if place is None or place[0] <= start <= end <= place[1]]
        for i in rows[:1]:
            for axis, value in zip(track.space.names, track.values[i].tolist(), strict=True):
                found.setdefault(f"{SENTIMENT}.{axis}" if track.space.id == SENTIMENT else axis, value)
    return {axis: value for axis, value in found.items() if axis in _MEANS}


def _count(sums: dict[str, float], key: str, value: float) -> None:
    sums[key] = sums.get(key, 0.0) + value


def _mean(sums: dict[str, float], key: str, value: float | None) -> None:
    if value is not None and not math.isnan(value):
        _count(sums, key, value)
        _count(sums, f"{key}#", 1.0)
