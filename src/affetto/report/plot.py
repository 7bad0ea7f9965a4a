"""One Record as one picture: the sound, who felt what, valence and arousal, pitch, faces, along one clock.

From top to bottom: the envelope of the first Audio; for each Track of labels a ribbon (the probabilities of each row
stacked, paler where it is unsure; nothing is drawn where nothing was said); for each Track of two or three graded axes
its curves; the prosody where a Track of the space `prosody` is there; and for each person whose face was seen a contact
sheet, the ribbon, valence and arousal, and a heat strip of the action units. Without seconds the clock counts turns, or
characters. A Record of a picture is that picture with its faces marked; a film can be drawn as a film too (`.mp4`).
Knows how to draw; knows no model, and reads sound and film only through the Record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affetto.core.errors import MalformedError, MissingExtraError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Image
from affetto.core.span import Unit
from affetto.core.track import Track
from affetto.report import faces, strips
from affetto.report.paper import SUFFIXES, save, style
from affetto.report.strips import COLOURS, Strip, brief

if TYPE_CHECKING:
    from affetto.report.shots import Shot

FILM = ".mp4"
"""The suffix of a film with what is seen burned in."""
PROSODY = "prosody"
"""The id of the space whose axes `pitch` and `loudness` are drawn as lines."""
_KINDS = ("ribbon", "curves", "prosody", "units")
_MOST_SHEETS = 4
"""People with small pictures, where none of their Tracks has a strip."""
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
    """Tracks that are drawn, the first ones; how many more there are stands below. Of a picture: people with a line."""
    shots: int = 8
    """Small pictures of each person in a film."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not (2 <= self.width <= 100 and 20 <= self.dpi <= 600):
            raise MalformedError(f"a picture wants width 2..100 and dpi 20..600, not {self.width} and {self.dpi}")
        counts = 10 <= self.columns <= 100_000 and self.tracks >= 1 and 1 <= self.shots <= 100
        if not (0 <= self.labels <= len(COLOURS) and counts):
            raise MalformedError(
                f"a picture wants labels 0..{len(COLOURS)}, columns 10..100000, tracks >= 1 and shots 1..100, "
                f"not {self.labels}, {self.columns}, {self.tracks} and {self.shots}"
            )


def plot(record: Record, path: str | Path, options: Options | None = None) -> Path:
    """Draw a Record; the suffix of the path (.png, .svg, .pdf; of a film .mp4 too) says how.

    The same Record gives the same bytes, but for films, whose encoders differ.

    Args:
        record: with Tracks, an Audio or a film that is open, a picture, or turns.
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
    if path.suffix.lower() == FILM:
        from affetto.report.film import write_film  # noqa: PLC0415 - OpenCV, only where it is needed

        return write_film(record, path)
    if path.suffix.lower() not in SUFFIXES:
        raise MalformedError(f"a picture is one of {', '.join(SUFFIXES)}, or {FILM} of a film, not {path.name}")
    return save(figure(record, options), path)


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
    everybody, image = faces.people(record), faces.picture(record)
    if everybody and image is not None:
        return _portrait(record, everybody, image, how)
    sound = next((s for s in record.signals if isinstance(s, Audio) and s.open is not None), None)
    wave = None if sound is None else strips.envelope(sound, how.columns)
    unit = _unit(record)
    end = max(_end(record, unit), 0.0 if wave is None else float(wave.end)) or 1.0
    drawn = [] if wave is None else [Strip(1.1, lambda axes: strips.draw_sound(axes, wave))]
    drawn += _turns(record, unit, how.width / end)
    chosen = [(track, kind) for track in record.tracks if (kind := _kind(track, unit))][: how.tracks]
    names = strips.colours([track for track, kind in chosen if kind == "ribbon"], how.labels)
    scale = how.width / end
    for kind in _KINDS:
        drawn += [
            _strip(track, kind, names, scale) for track, known in chosen if known == kind and track.channel != "face"
        ]
    drawn += _faces(record, everybody, chosen, names, how, end)
    if not drawn:
        raise MalformedError(f"the Record {record.id!r} has no sound, no turns and no answers that can be drawn")
    with style():
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


def _unit(record: Record) -> Unit:
    """Return what the clock counts: seconds where anything has them, else turns, else characters."""
    units = {track.unit for track in record.tracks if len(track)}
    if "s" in units or any(isinstance(signal, Audio | Frames) for signal in record.signals) or _timed(record):
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


def _portrait(record: Record, everybody: Sequence[faces.Person], image: Image, how: Options) -> Any:
    """Return the picture of a Record that has one, its faces marked."""
    from affetto.report.portrait import draw_portrait  # noqa: PLC0415 - OpenCV, only where it is needed

    names = strips.colours([person.labels for person in everybody if person.labels is not None], how.labels)
    with style():
        return draw_portrait(image, everybody, names, how.title or record.id, (how.width, how.dpi), how.tracks)


def _faces(
    record: Record,
    everybody: Sequence[faces.Person],
    chosen: Sequence[tuple[Track, str]],
    names: dict[str, str],
    how: Options,
    end: float,
) -> list[Strip]:
    """Return the strips of each person whose face is told of: small pictures, then what was chosen of their Tracks."""
    drawn: list[Strip] = []
    of = {track.subject for track, _ in chosen if track.channel == "face"}
    told = [person for person in everybody if person.subject in of] or everybody[:_MOST_SHEETS]
    frames = faces.film(record)
    sheets: list[list[Shot]] = [[] for _ in told]
    if frames is not None and any(person.seen for person in told):
        from affetto.report import shots  # noqa: PLC0415 - OpenCV, only where it is needed

        sheets = shots.shots(frames, told, how.shots, end)
    for person, mine in zip(told, sheets, strict=True):
        if mine:
            drawn.append(_sheet(mine, how.shots, end))
        for track, kind in chosen:
            if track.channel == "face" and track.subject == person.subject:
                drawn.append(_strip(track, kind, names, how.width / end, end))
    return drawn


def _sheet(mine: "Sequence[Shot]", slots: int, end: float) -> Strip:
    from affetto.report.shots import draw_shots  # noqa: PLC0415 - OpenCV, only where it is needed

    return Strip(1.3, lambda axes: draw_shots(axes, mine, slots, end))


def _strip(track: Track, kind: str, names: dict[str, str], scale: float, end: float = 1.0) -> Strip:
    match kind:
        case "units":
            height = 0.45 + 0.15 * strips.units_shown(track)
            return Strip(height, lambda axes: strips.draw_units(axes, track, end))
        case "ribbon":
            return Strip(0.95, lambda axes: strips.draw_ribbon(axes, track, names, scale))
        case "curves":
            return Strip(1.35, lambda axes: strips.draw_curves(axes, track))
    return Strip(1.35, lambda axes: strips.draw_prosody(axes, track))


def _kind(track: Track, unit: Unit) -> str:
    """Return how a Track is drawn, one of `_KINDS`; empty for not at all."""
    if track.unit != unit or not len(track) or not track.space.axes:
        return ""
    if track.channel == "face" and track.space.id not in (*faces.DEGREES, faces.UNITS) and track.space.kind == "graded":
        return ""
    if track.space.id == faces.UNITS:
        return "units"
    if track.space.id == PROSODY:
        return "prosody" if {"pitch", "loudness"} & {*track.space.names} else ""
    if track.space.kind == "graded":
        return "curves" if len(track.space.axes) <= _MOST_CURVES else ""
    return "" if track.space.kind == "vector" else "ribbon"


def _end(record: Record, unit: Unit) -> float:
    ends = [float(track.end.max()) for track in record.tracks if track.unit == unit and len(track)]
    if unit == "s":
        ends += [s.duration for s in record.signals if isinstance(s, Audio | Frames) and s.duration > 0]
        ends += [turn.span.end for turn in record.turns if turn.span is not None and turn.span.unit == "s"]
    if unit == "turn":
        ends.append(len(record.turns))
    return max(ends, default=0.0)
