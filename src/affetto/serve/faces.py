"""What is worth showing of the faces in a Record: for each person and stretch the expression, degrees, units, the head.

A film's rows are frames; people are told stretches, in which the same label is on top. Knows Tracks; knows neither
colours nor terminals.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.space import Axis
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.serve.gist import Share, number, one_line, place

UNITS, POSE, DEGREES = "facs-au", "head-pose", ("va", "vad")
"""Ids of the spaces of action units, of the head's turn, and of valence and arousal."""
NOBODY = "no usable face was seen"
WORTH_NAMING = 0.1
"""Probabilities below this are left out, but for the highest."""
SMALL = 48
"""Pixels of the longer side below which a face is called small: little of it can be told."""
BLIP = 0.5
"""Seconds: what is shorter belongs to the stretch before it."""
_TRACE = 0.5
"""Intensity from which on an action unit is told."""
_TURNED = 6.0
"""Degrees from which on it is told how a head is turned."""
Runs = list[list[int]]
"""Rows of a Track, stretch by stretch."""


@dataclass
class Look:
    """What is said of one person's face over one stretch, as means over its frames."""

    subject: str
    span: Span
    frames: int
    """How many of them say something."""
    space: str = ""
    """Of the expressions, or of what else was told of them."""
    shares: list[Share] = field(default_factory=list)
    """The expressions, highest first; empty where none was told."""
    confidence: float = math.nan
    degrees: list[Share] = field(default_factory=list)
    units: list[Share] = field(default_factory=list)
    """The strongest first, without those that do not show."""
    pose: list[Share] = field(default_factory=list)
    box: tuple[float, float, float, float] | None = None
    note: str = ""
    """Why nothing was said."""
    perspective: str = ""
    sources: tuple[str, ...] = ()

    def degree(self, name: str) -> Share | None:
        """Return one degree, None where nothing was said."""
        return next((share for share in self.degrees if share[0].name == name), None)


def faced(record: Record) -> bool:
    """Tell whether anything is said of a face, or that there is none."""
    return any(track.channel == "face" for track in record.tracks)


def faceless(record: Record) -> Record:
    """Return a Record without what is said of faces."""
    return replace(record, tracks=tuple(track for track in record.tracks if track.channel != "face"))


def looks(record: Record, channel: str = "face") -> list[Look]:
    """Return a Look for each person and stretch of a channel, person by person, in order of time."""
    people: dict[str, list[Track]] = {}
    for track in record.tracks:
        if track.channel == channel and len(track):
            people.setdefault(track.subject, []).append(track)
    found = []
    for subject, tracks in people.items():
        main = next((track for track in tracks if track.space.kind == "one"), tracks[0])
        found += [_look(subject, tracks, main, rows) for rows in stretches(main)]
    return found


def stretches(track: Track) -> Runs:
    """Return the rows of each stretch: the same label on top, or nothing said; a blip belongs to what is before it."""
    runs: Runs = []
    for row in np.lexsort((track.end, track.start)).tolist():
        if runs and _top(track, runs[-1][-1:]) == _top(track, [row]):
            runs[-1].append(row)
        else:
            runs.append([row])
    kept: Runs = []
    for run in runs:
        if kept and _one(track, kept[-1], run):
            kept[-1] = kept[-1] + run
        else:
            kept.append(run)
    return kept


def where(box: tuple[float, float, float, float], size: tuple[int, int]) -> str:
    """Return where in a picture a face is, as one sees it, and how large it is.

    >>> where((10, 10, 110, 130), (900, 600))
    'top left, 100 x 120 pixels'
    """
    wide, high = box[2] - box[0], box[3] - box[1]
    across = _third((box[0] + box[2]) / 2, size[0], ("left", "", "right"))
    down = _third((box[1] + box[3]) / 2, size[1], ("top", "", "bottom"))
    spot = " ".join(filter(None, (down, across)))
    spot = spot if down else f"on the {across}" if across else "in the middle"
    words = f"{wide:.0f} x {high:.0f} pixels{', small' if max(wide, high) < SMALL else ''}"
    return f"{spot}, {words}" if all(size) else words


def unit_words(axis: Axis) -> str:
    """Return what an action unit does, and its number: `lip corner puller (AU12)`."""
    does = axis.facts.get("facs_name", "").lower()
    return f"{does} ({axis.name})" if does else axis.name


def head_words(pose: Sequence[Share]) -> str:
    """Return how a head is turned, in words and degrees; empty where nobody says.

    >>> head_words([(Axis("yaw", low=-180, high=180, facts={"low_end": "to the own right"}), -12.2)])
    '12° to the own right'
    """
    turned = [
        f"{abs(x):.0f}° {axis.facts.get('low_end' if x < 0 else 'high_end', axis.name)}"
        for axis, x in pose
        if abs(x) >= _TURNED
    ]
    return ", ".join(turned) if turned or not pose else "straight ahead"


def size_of(record: Record) -> tuple[int, int]:
    """Return width and height of what was looked at; zeros where nobody knows."""
    return next((signal.size for signal in record.signals if isinstance(signal, Frames | Image)), (0, 0))


def lines(record: Record) -> Iterable[str]:
    """Yield a plain line for each person and stretch, in order of time: `[from to] person side space: what is said`."""
    found = looks(record)
    if found and not any(look.frames for look in found):
        yield f"{one_line(found[0].subject)} {found[0].perspective} {found[0].space}: not said ({NOBODY})"
        return
    for look in sorted(found, key=lambda look: look.span.start):
        moving = look.span.end > look.span.start
        when = f"{place(look.span)} to {place(Span(look.span.end, look.span.end))} " if moving else ""
        about = f" | {look.frames} frame{'s' * (look.frames != 1)}" if moving else ""
        if look.box is not None and not moving:
            about = f" | {where(look.box, size_of(record))}"
        why = f" ({one_line(look.note)})" if look.note else ""
        said = f"{_sentence(look)}{about}" if look.frames else f"not said{why}"
        yield f"{when}{one_line(look.subject)} {look.perspective} {look.space}: {said}"


def _sentence(look: Look) -> str:
    parts = []
    if look.shares:
        kept = [share for share in look.shares if share[1] >= WORTH_NAMING] or look.shares[:1]
        sure = "" if math.isnan(look.confidence) else f" (confidence {look.confidence:.2f})"
        parts.append(f"{', '.join(f'{axis.name} {x:.2f}' for axis, x in kept)}{sure}")
    parts += [", ".join(f"{axis.name} {number(axis, x)}" for axis, x in look.degrees)]
    parts += [", ".join(f"{axis.name} {x:.1f}" for axis, x in look.units[:5])]
    parts += [", ".join(f"{axis.name} {x:+.0f}°" for axis, x in look.pose)]
    return "; ".join(filter(None, parts)) or "seen"


def _look(subject: str, tracks: Sequence[Track], main: Track, rows: Sequence[int]) -> Look:
    """Return the means of all tracks of a person over a stretch of the main one."""
    span = Span(float(main.start[rows].min()), float(main.end[rows].max()), main.unit)
    said = [row for row in rows if not np.isnan(main.values[row]).all()]
    notes = dict.fromkeys(main.note[row] for row in rows if main.note and main.note[row])
    sources = tuple(dict.fromkeys(track.source for track in tracks if track.source))
    look = Look(subject, span, len(said), main.space.id, note="; ".join(notes), sources=sources)
    look.perspective = main.perspective
    if not said:
        return look
    if main.box is not None and np.isfinite(main.box[said]).all(1).any():
        left, top, right, bottom = np.nanmedian(main.box[said], axis=0).tolist()
        look.box = (left, top, right, bottom)
    for track in tracks:
        means = _means(track, span)
        shares = [(axis, x) for axis, x in zip(track.space.axes, means.tolist(), strict=True) if not math.isnan(x)]
        if track is main and track.space.kind == "one":
            look.shares = sorted(shares, key=lambda share: -share[1])
            if track.confidence is not None and not np.isnan(track.confidence[said]).all():
                look.confidence = float(np.nanmean(track.confidence[said]))
        elif track.space.id in DEGREES:
            look.degrees = shares
        elif track.space.id == UNITS:
            look.units = sorted((share for share in shares if share[1] >= _TRACE), key=lambda share: -share[1])
        elif track.space.id == POSE:
            look.pose = shares
    return look


def _means(track: Track, span: Span) -> npt.NDArray[np.float64]:
    """Return the mean of each axis over the rows that begin in a stretch, k; NaN where nothing was said."""
    inside = (track.start >= span.start) & ((track.start < span.end) | (track.start == span.start))
    values = track.values[inside].astype(float)
    counts = (~np.isnan(values)).sum(0)
    return np.where(counts > 0, np.nansum(values, axis=0) / np.maximum(counts, 1), np.nan)


def _top(track: Track, rows: Sequence[int]) -> str | None:
    """Return the label that is highest in the mean of some rows; None where they say nothing."""
    values = track.values[list(rows)]
    values = values[~np.isnan(values).all(1)]
    if not len(values):
        return None
    if track.space.kind != "one":
        return "seen"
    return track.space.names[int(np.nan_to_num(values.mean(0), nan=-np.inf).argmax())]


def _long(track: Track, rows: Sequence[int]) -> float:
    return float(track.end[list(rows)].max() - track.start[list(rows)].min()) if len(rows) else 0.0


def _one(track: Track, before: Sequence[int], after: Sequence[int]) -> bool:
    """Tell whether two stretches that touch are told as one: alike, or a blip; a face that is gone for long is not."""
    tops = [_top(track, before), _top(track, after)]
    if tops[0] == tops[1]:
        return True
    shorter = [_long(track, before) < BLIP, _long(track, after) < BLIP]
    if None in tops:
        return shorter[tops.index(None)]
    return any(shorter)


def _third(at: float, whole: int, names: tuple[str, str, str]) -> str:
    return names[min(2, max(0, int(3 * at / whole)))] if whole else ""
