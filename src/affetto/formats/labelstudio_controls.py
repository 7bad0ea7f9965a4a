"""The controls of a project of Label Studio: which stands for whose Track, and the configuration that names them all.

Knows names, places and the XML of a configuration; knows no task.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Image
from affetto.core.space import Space
from affetto.core.track import Track

SCHEMA = "affetto-labelstudio-1"
RATER = "rater:"
"""Begins the source of a human rater."""
OBJECTS = {"video": "audio", "audio": "audio", "image": "image", "text": "text"}
"""Medium -> the object of the configuration that is labelled: of a film the line of its sound, in step with it."""
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999")
"""Of labels, in turn: a palette that the colour-blind can tell apart (Okabe and Ito 2008)."""


@dataclass(frozen=True)
class Place:
    """Where a row lies, as Label Studio says it."""

    type: str
    """`labels`, `rectanglelabels` or `choices`."""
    bare: dict[str, Any]
    """The value without a label."""
    whole: bool = False
    """Whether it is the whole text or picture."""
    size: tuple[int, int] | None = None
    """Width and height of the picture in pixels, where there is one."""

    def value(self, label: str) -> dict[str, Any]:
        """Return the value with a label."""
        return self.bare | {self.type: [label]}


@dataclass
class Control:
    """One control, which labels regions of one kind in one medium and one space."""

    name: str
    type: str
    """`labels`, `rectanglelabels` or `choices`; `number` where it has axes of a whole text or picture only."""
    medium: str
    space: Space
    title: str
    words: dict[str, None] = field(default_factory=dict)
    """Labels of an open space."""

    @property
    def graded(self) -> bool:
        """Whether it has numbers."""
        return self.space.kind == "graded"

    def number(self, axis: str) -> str:
        """Return the name of the control of an axis."""
        return f"{self.name}.{slug(axis)}"

    def told(self, track: Track) -> dict[str, Any]:
        """Return, as JSON, whose Track it stands for."""
        names = [] if self.space.kind == "open" else list(self.space.names)
        space: dict[str, Any] = {"id": self.space.id, "kind": self.space.kind, "names": names}
        if self.graded:
            space["ranges"] = [[axis.low, axis.high, axis.unit] for axis in self.space.axes]
        whose = {"unit": track.unit, "subject": track.subject, "perspective": track.perspective}
        return {"space": space, "channel": track.channel} | whose


@dataclass
class Controls:
    """All controls of a project, and the media that they label."""

    media: dict[str, None] = field(default_factory=dict)
    _known: dict[tuple[str, ...], Control] = field(default_factory=dict)

    def of(self, track: Track, medium: str, place: Place) -> Control:
        """Return the control of a row; the same for all of one person, channel, perspective, space and kind."""
        space = track.space
        type = "number" if space.kind == "graded" and place.whole else place.type
        key: tuple[str, ...] = (type, medium, track.subject, track.channel, track.perspective, space.id, space.kind)
        key += () if space.kind == "open" else space.names
        if key not in self._known:
            title = f"{track.subject}, {track.channel}: {space.id}"
            parts = [track.subject, track.channel, space.id, *[track.perspective] * (track.perspective != "expressed")]
            self._known[key] = Control(self._free("-".join(map(slug, parts))), type, medium, space, title)
        control = self._known[key]
        if space.kind == "open":
            control.words |= dict.fromkeys(space.names)
        return control

    def _free(self, name: str) -> str:
        taken = {control.name for control in self._known.values()} | {"video", "audio", "image", "text"}
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        return free

    def configuration(self) -> str:
        """Return the labeling configuration."""
        lines = ["<View>", '  <Header value="Estimates of feelings, made by Affetto: no facts. Please correct them."/>']
        for control in self._known.values():
            lines += [f"  {line}" for line in _control(control)]
        for medium in self.media:
            lines += [f"  {line}" for line in _object(medium)]
        return "\n".join([*lines, "</View>", ""])


def slug(text: str) -> str:
    """Return a text as a name of letters, digits, `_` and `-`.

    >>> slug("Ann Lee/2")
    'Ann_Lee_2'
    """
    return re.sub(r"[^\w-]", "_", text) or "_"


def medium_of(record: Record) -> str:
    """Return what of a Record is labelled: `video`, `audio`, `image` or `text`."""
    for kind, medium in ((Frames, "video"), (Audio, "audio"), (Image, "image")):
        if any(isinstance(signal, kind) for signal in record.signals):
            return medium
    timed = any(track.unit == "s" for track in record.tracks) or any(turn.span for turn in record.turns)
    return "audio" if timed else "text"


def words_of(record: Record) -> str:
    """Return the text of a task: the words, or the turns a line each."""
    return record.text or ""


def lines_of(record: Record) -> list[tuple[int, int]]:
    """Return from which character to which each turn lies in `words_of`."""
    found, at = [], 0
    for turn in record.turns:
        found.append((at, at + len(turn.text)))
        at += len(turn.text) + 1
    return found


def place_of(track: Track, row: int, record: Record, medium: str) -> Place:
    """Return where a row lies."""
    start, end = float(track.start[row]), float(track.end[row])
    if medium == "image":
        return _rectangle(track, row, record)
    if medium == "text":
        return _words(track, start, end, record)
    return Place("labels", {"start": start, "end": end, "channel": 0})


def _words(track: Track, start: float, end: float, record: Record) -> Place:
    text = words_of(record)
    if track.unit == "turn":
        lines = lines_of(record)[int(start) : max(int(start) + 1, int(end))]
        first, last = (lines[0][0], lines[-1][1]) if lines else (0, len(text))
    else:
        first, last = int(start), int(end)
        if len(track) == 1 and (first, last) == (0, len(text)):
            return Place("choices", {}, whole=True)
    return Place("labels", {"start": first, "end": last, "text": text[first:last]})


def _rectangle(track: Track, row: int, record: Record) -> Place:
    size = next((s.size for s in record.signals if isinstance(s, Image) and min(s.size) > 0), None)
    if track.box is None or np.isnan(track.box[row]).any() or size is None:
        return Place("choices", {}, whole=True)
    left, top, right, bottom = (float(str(edge)) for edge in track.box[row])
    width, height = size
    percent = {"x": left / width, "y": top / height, "width": (right - left) / width, "height": (bottom - top) / height}
    told = {key: round(100 * value, 6) for key, value in percent.items()}
    return Place("rectanglelabels", told | {"rotation": 0}, size=size)


_TAGS = {
    "labels": ("Labels", "Label"),
    "rectanglelabels": ("RectangleLabels", "Label"),
    "choices": ("Choices", "Choice"),
}


def _control(control: Control) -> Iterator[str]:
    names = {"name": control.name, "toName": OBJECTS[control.medium]}
    yield f'<Header size="5" value={quoteattr(control.title)}/>'
    if control.type in _TAGS:
        tag, inner = _TAGS[control.type]
        words = [control.space.id] if control.graded else list(control.words or control.space.names)
        several = tag == "Choices" and control.space.kind in ("any", "open")
        yield f"<{tag}{_attributes(names | ({'choice': 'multiple'} if several else {}))}>"
        for word, colour in zip(words, _COLOURS * (len(words) // len(_COLOURS) + 1), strict=False):
            yield f"  <{inner}{_attributes({'value': word} | ({} if tag == 'Choices' else {'background': colour}))}/>"
        yield f"</{tag}>"
    if control.graded:
        for axis in control.space.axes:
            told = {"name": control.number(axis.name), "toName": names["toName"], "hint": axis.name, "step": "0.01"}
            told |= {"min": f"{axis.low:g}", "max": f"{axis.high:g}"}
            yield f"<Number{_attributes(told | ({'perRegion': 'true'} if control.type in _TAGS else {}))}/>"


def _object(medium: str) -> Iterator[str]:
    match medium:
        case "video":
            yield '<Video name="video" value="$video" sync="audio"/>'
            yield '<Audio name="audio" value="$video" sync="video"/>'
        case "audio":
            yield '<Audio name="audio" value="$audio"/>'
        case "image":
            yield '<Image name="image" value="$image"/>'
        case _:
            yield '<Text name="text" value="$text"/>'


def _attributes(told: dict[str, str]) -> str:
    return "".join(f" {key}={quoteattr(value)}" for key, value in told.items())
