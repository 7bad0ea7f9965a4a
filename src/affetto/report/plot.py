"""One Record as one picture: the sound, who felt what, valence and arousal, pitch, along one clock.

From top to bottom: the envelope of the first Audio; for each Track of labels a ribbon (the probabilities of each row
stacked, paler where it is unsure; nothing is drawn where nothing was said); for each Track of two or three graded axes
its curves; the prosody where a Track of the space `prosody` is there. Without seconds the clock counts turns, or
characters. Knows how to draw; knows no model, and reads sound only through the Record.
"""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affetto.core.errors import MalformedError, MissingExtraError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.core.span import Unit
from affetto.core.track import Track
from affetto.report import strips
from affetto.report.strips import COLOURS, INK, Strip, brief

SUFFIXES = (".png", ".svg", ".pdf")
PROSODY = "prosody"
"""The id of the space whose axes `pitch` and `loudness` are drawn as lines."""
_KINDS = ("ribbon", "curves", "prosody")
_MOST_CURVES = 3
"""Axes of a graded Track that is drawn as curves."""


@dataclass(frozen=True)
class Options:
    """How a picture is drawn."""

    title: str = ""
    """Above all; by default the id of the Record."""
    width: float = 10.0
    """Inches."""
    dpi: int = 100
    """Dots an inch, of PNG."""
    labels: int = 8
    """Labels of a ribbon with a colour of their own, the most probable of the whole; the others are one grey."""
    columns: int = 2000
    """Columns of the envelope, each the lowest and the highest sample of its stretch."""
    tracks: int = 12
    """Tracks that are drawn, the first ones; how many more there are stands below."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not (2 <= self.width <= 100 and 20 <= self.dpi <= 600):
            raise MalformedError(f"a picture wants width 2..100 and dpi 20..600, not {self.width} and {self.dpi}")
        if not (0 <= self.labels <= len(COLOURS) and 10 <= self.columns <= 100_000 and self.tracks >= 1):
            raise MalformedError(
                f"a picture wants labels 0..{len(COLOURS)}, columns 10..100000 and tracks >= 1, "
                f"not {self.labels}, {self.columns} and {self.tracks}"
            )


def plot(record: Record, path: str | Path, options: Options | None = None) -> Path:
    """Draw a Record; the suffix of the path (.png, .svg, .pdf) says how. The same Record gives the same bytes.

    Args:
        record: with Tracks, an Audio that is open, or turns.
        path: the file to make.
        options: how.

    Returns:
        The path.

    Raises:
        MalformedError: the path has another suffix, or there is nothing to draw.
        UnreadableError: the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise MalformedError(f"a picture is one of {', '.join(SUFFIXES)}, not {path.name}")
    drawn = figure(record, options)
    kind = path.suffix.lower()[1:]
    facts: dict[str, dict[str, Any]] = {
        "png": {"Software": "affetto"},
        "svg": {"Date": None, "Creator": "affetto"},
        "pdf": {"CreationDate": None, "Creator": "affetto", "Producer": "affetto"},
    }
    try:
        with _style():
            drawn.savefig(path, format=kind, metadata=facts[kind])
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be written: {error.strerror}; name a folder of yours") from None
    return path


def figure(record: Record, options: Options | None = None) -> Any:
    """Return the picture of a Record as a `matplotlib.figure.Figure`, for notebooks and further strokes.

    Raises:
        MalformedError: there is nothing to draw.
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("a picture of a Record", "plot") from None
    how = options or Options()
    sound = next((s for s in record.signals if isinstance(s, Audio) and s.open is not None), None)
    wave = None if sound is None else strips.envelope(sound, how.columns)
    unit = _unit(record)
    end = max(_end(record, unit), 0.0 if wave is None else float(wave.end)) or 1.0
    drawn = [] if wave is None else [Strip(1.1, lambda axes: strips.draw_sound(axes, wave))]
    drawn += _turns(record, unit, how.width / end)
    chosen = [(track, kind) for track in record.tracks if (kind := _kind(track, unit))][: how.tracks]
    names = strips.colours([track for track, kind in chosen if kind == "ribbon"], how.labels)
    for kind in _KINDS:
        drawn += [_strip(track, kind, names, how.width / end) for track, known in chosen if known == kind]
    if not drawn:
        raise MalformedError(f"the Record {record.id!r} has no sound, no turns and no answers that can be drawn")
    with _style():
        heights = [strip.height for strip in drawn]
        whole = Figure(figsize=(how.width, 0.8 + sum(heights)), dpi=how.dpi, layout="constrained")
        grid = whole.subplots(len(drawn), 1, sharex=True, squeeze=False, height_ratios=heights)
        for strip, axes in zip(drawn, grid[:, 0], strict=True):
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
            strip.draw(axes)
        whole.suptitle(brief(how.title or record.id, 90), fontsize=11, x=0.01, ha="left")
        strips.draw_clock(grid[-1, 0], unit, end)
        if more := len(record.tracks) - len(chosen):
            grid[-1, 0].set_xlabel(f"{grid[-1, 0].get_xlabel()}  ({more} more answers are not drawn)")
    return whole


@contextlib.contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl  # noqa: PLC0415 - an extra

    ours: Any = {
        "font.size": 8.5,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "svg.fonttype": "none",
        "svg.hashsalt": "affetto",
        "pdf.fonttype": 42,
        "axes.edgecolor": "#999999",
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "path.simplify": True,
        "text.parse_math": False,
    }
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # scripts that the font lacks are boxes, and stand in SVG
        mpl.rcdefaults()
        mpl.rcParams.update(ours)
        yield


def _unit(record: Record) -> Unit:
    """Return what the clock counts: seconds where anything has them, else turns, else characters."""
    units = {track.unit for track in record.tracks if len(track)}
    if "s" in units or any(isinstance(signal, Audio) for signal in record.signals) or _timed(record):
        return "s"
    return "turn" if "turn" in units or record.turns else "char"


def _timed(record: Record) -> bool:
    return any(turn.span is not None and turn.span.unit == "s" for turn in record.turns)


def _turns(record: Record, unit: Unit, scale: float) -> list[Strip]:
    """Return the strip of who said what, if there is one."""
    said = [
        (turn, (float(k), k + 1.0) if unit == "turn" else (turn.span.start, turn.span.end) if turn.span else None)
        for k, turn in enumerate(record.turns)
        if unit == "turn" or (unit == "s" and turn.span is not None and turn.span.unit == "s")
    ]
    places = [(turn.speaker, place, turn.text) for turn, place in said if place is not None]
    speakers = min(len({speaker for speaker, *_ in places}), strips.MOST_SPEAKERS)
    return [Strip(0.3 + 0.24 * speakers, lambda axes: strips.draw_turns(axes, places, scale))] if places else []


def _strip(track: Track, kind: str, names: dict[str, str], scale: float) -> Strip:
    match kind:
        case "ribbon":
            return Strip(0.95, lambda axes: strips.draw_ribbon(axes, track, names, scale))
        case "curves":
            return Strip(1.35, lambda axes: strips.draw_curves(axes, track))
    return Strip(1.35, lambda axes: strips.draw_prosody(axes, track))


def _kind(track: Track, unit: Unit) -> str:
    """Return how a Track is drawn, one of `_KINDS`; empty for not at all."""
    if track.unit != unit or not len(track) or not track.space.axes:
        return ""
    if track.space.id == PROSODY:
        return "prosody" if {"pitch", "loudness"} & {*track.space.names} else ""
    if track.space.kind == "graded":
        return "curves" if len(track.space.axes) <= _MOST_CURVES else ""
    return "" if track.space.kind == "vector" else "ribbon"


def _end(record: Record, unit: Unit) -> float:
    ends = [float(track.end.max()) for track in record.tracks if track.unit == unit and len(track)]
    if unit == "s":
        ends += [s.duration for s in record.signals if isinstance(s, Audio) and s.duration > 0]
        ends += [turn.span.end for turn in record.turns if turn.span is not None and turn.span.unit == "s"]
    if unit == "turn":
        ends.append(len(record.turns))
    return max(ends, default=0.0)
