"""Wide tables: a line a Record, the columns of its input as they were, and the answers beside them.

A Record with turns gives a line a turn (speaker, start, end, unit, text); one whose Tracks have several rows gives a
line for each stretch that a row speaks of. Answers stand in `{subject}.{space}.{axis}`, then `.top` (the label with the
highest value), `.confidence` and `.note`; where the subject is the speaker of the line it is called `speaker`. Where
several channels of a Record say the same of one subject, as the face and all channels fused, the space has the channel
behind it: `{subject}.{space}@{channel}.{axis}`. A second Track of the same, or a name the input has already, gets `#2`.
A space in open words has `.top` and `.words` instead of a column a word. What went wrong stands in `error`, always the
last column.

A Record of several fields (`meta["fields"]`) is one line whatever it holds; its answers have the field before them,
`{field}.{subject}.{space}.{axis}`. What `meta["annotation"]` says stands before all answers.

A wide table is for reading; to get Tracks back there are `long` tables and JSON. Knows cells; knows no file.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from affetto.core.record import Record
from affetto.core.track import Track
from affetto.formats.finding import field_at

Key = tuple[str, str]
"""A group (`in`: as the input had it, `at`: where, `out`: answers, `error`) and a name."""
Line = dict[Key, Any]
_GROUPS = ("in", "at", "out", "error")
_ERROR: Key = ("error", "error")


def lines(record: Record) -> list[Line]:
    """Return the lines of a Record, at least one."""
    row = record.meta.get("row")
    base: Line = {("in", str(k)): v for k, v in (row if isinstance(row, Mapping) else {"record": record.id}).items()}
    if "error" in record.meta:
        base[_ERROR] = str(record.meta["error"])
    words = record.meta.get("annotation")
    if isinstance(words, Mapping):
        base |= {("out", str(name)): value for name, value in words.items()}
    if isinstance(record.meta.get("fields"), Mapping):
        return [base | _fields(record)]
    table = _Places(record, base)
    ordinals: dict[tuple[str, str], int] = {}
    channels: dict[tuple[str, str], set[str]] = {}
    for track in record.tracks:
        channels.setdefault((track.subject, track.space.id), set()).add(track.channel)
    for track in record.tracks:
        several = len(channels[track.subject, track.space.id]) > 1
        said = f"{track.space.id}@{track.channel}" if several else track.space.id
        nth = ordinals[track.subject, said] = ordinals.get((track.subject, said), 0) + 1
        for i, place in enumerate(table.places_of(track)):
            subject = "speaker" if table.speakers.get(place) == track.subject else track.subject
            table.lines[place].update(_answer(track, i, f"{subject}.{said}{'' if nth == 1 else f'#{nth}'}"))
    return table.in_order()


def _fields(record: Record) -> Line:
    """Return the answers about each field, the fields in their order."""
    by_field: dict[str, Line] = {name: {} for name in record.meta["fields"]}
    ordinals: dict[tuple[str, str, str], int] = {}
    known: dict[tuple[float, float], str] = {}
    for track in record.tracks:
        for i, (start, end) in enumerate(zip(track.start.tolist(), track.end.tolist(), strict=True)):
            if (start, end) not in known:
                known[start, end] = field_at(record.meta, start, end)
            field = known[start, end]
            key = (field, track.subject, track.space.id)
            nth = ordinals[key] = ordinals.get(key, 0) + 1
            prefix = f"{field}.{track.subject}" if field else track.subject
            answer = _answer(track, i, f"{prefix}.{track.space.id}{'' if nth == 1 else f'#{nth}'}")
            by_field.setdefault(field, {}).update(answer)
    line: Line = {} if "row" in record.meta else {("at", "text"): record.text}
    for answers in by_field.values():
        line |= answers
    return line


class _Places:
    """The lines of one Record, and which of them a row of a Track belongs to."""

    def __init__(self, record: Record, base: Line) -> None:
        self.lines: list[Line] = []
        self.speakers: dict[int, str] = {}
        self._base, self._record = base, record
        self._index: dict[tuple[str, float, float], int] = {}
        self._many = bool(record.turns) or any(len(track) > 1 for track in record.tracks)
        character = 0
        for i, turn in enumerate(record.turns):
            unit, start, end = (
                ("turn", i, i + 1) if turn.span is None else (turn.span.unit, turn.span.start, turn.span.end)
            )
            at = {"speaker": turn.speaker, "start": start, "end": end, "unit": unit, "text": turn.text}
            self.lines.append(base | {("at", name): value for name, value in at.items()})
            self.speakers[i] = turn.speaker
            for key in (("turn", i, i + 1), (unit, start, end), ("char", character, character + len(turn.text))):
                self._index.setdefault(key, i)
            character += len(turn.text) + 1
        self._turns = len(self.lines)
        if not self._many:
            text = {} if "row" in record.meta else {("at", "text"): record.text}
            self.lines.append(base | text)

    def places_of(self, track: Track) -> list[int]:
        """Return the line of each row."""
        if not self._many:
            return [0] * len(track)
        return [
            self._place(track.unit, start, end)
            for start, end in zip(track.start.tolist(), track.end.tolist(), strict=True)
        ]

    def in_order(self) -> list[Line]:
        """Return the turns, then the other places in the order of time."""
        rest = sorted(self.lines[self._turns :], key=lambda x: (x.get(("at", "start"), 0), x.get(("at", "end"), 0)))
        return self.lines[: self._turns] + rest or [self._base]

    def _place(self, unit: str, start: float, end: float) -> int:
        found = self._index.get((unit, start, end))
        if found is None:
            found = self._index[unit, start, end] = len(self.lines)
            text = self._record.text if unit == "char" else None
            at = {"start": start, "end": end, "unit": unit, "text": text and text[int(start) : int(end)]}
            self.lines.append(self._base | {("at", name): value for name, value in at.items()})
        return found


def _answer(track: Track, i: int, prefix: str) -> Line:
    space = track.space
    names = space.names
    said = [None if x != x else x for x in track.values[i].tolist()]  # noqa: PLR0124 - NaN is not itself
    line: Line = {}
    if space.kind != "open":
        line.update(zip(_keys(prefix, names), said, strict=True))
    if space.kind in ("one", "any", "open"):
        pairs = [(x, -n) for n, x in enumerate(said) if x is not None]
        line["out", f"{prefix}.top"] = names[-max(pairs)[1]] if pairs else None
        if space.kind == "open":
            words = (f"{names[-n]} {x:.3g}" for x, n in sorted(pairs, reverse=True))
            line["out", f"{prefix}.words"] = "; ".join(words)
    if track.confidence is not None:
        sure = float(track.confidence[i])
        line["out", f"{prefix}.confidence"] = None if sure != sure else sure  # noqa: PLR0124
    if track.note is not None:
        line["out", f"{prefix}.note"] = track.note[i]
    return line


@lru_cache(maxsize=1024)
def _keys(prefix: str, names: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple(("out", f"{prefix}.{name}") for name in names)


class Sheet:
    """Which columns a wide table has, while its lines still come: columns are added, never moved.

    `order` is the order in which lines are written down; `header` and `places` say how the finished table is made of
    them. Where the first lines have all columns, both are the same and nothing is to be done in the end.
    """

    def __init__(self, columns: Iterable[str] = ()) -> None:
        """Begin with the columns that the input is known to have."""
        self.order: list[Key] = []
        self.first = 0
        """How many columns there were when the first line was written."""
        self._given = [("in", name) for name in columns]
        self._known: set[Key] = set()

    def take(self, new: Sequence[Line]) -> list[list[Any]]:
        """Return the cells of lines, in `order`; later lines may be longer than earlier ones."""
        fresh = {key: None for line in new for key in line if key not in self._known}
        if not self.order:
            begin = dict.fromkeys([*self._given, *fresh, _ERROR])
            self.order = sorted(begin, key=lambda key: _GROUPS.index(key[0]))
            self.first = len(self.order)
            self._known.update(self.order)
        elif fresh:
            self.order += fresh
            self._known.update(fresh)
        return [[line.get(key) for key in self.order] for line in new]

    @property
    def settled(self) -> bool:
        """Whether the lines as written are the table already."""
        return 0 < self.first == len(self.order)

    def places(self) -> list[int]:
        """Return, for each column of the finished table, its place in `order`."""
        if not self.order:
            self.take(())
        return sorted(range(len(self.order)), key=lambda i: _GROUPS.index(self.order[i][0]))

    def header(self) -> list[str]:
        """Return the names of the finished table, each of which stands once."""
        names: dict[str, None] = {}
        for i in self.places():
            name, n = self.order[i][1], 1
            while name in names:
                n += 1
                name = f"{self.order[i][1]}#{n}"
            names[name] = None
        return list(names)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON holds it."""
        return {"order": [list(key) for key in self.order], "first": self.first}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `state` gave."""
        self.order = [(str(group), str(name)) for group, name in state["order"]]
        self.first = int(state["first"])
        self._known = set(self.order)
