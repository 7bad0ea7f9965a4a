"""The strips of a picture, each on axes of matplotlib: envelope, turns, ribbon, curves, prosody, and the clock below.

Knows colours, shapes and places; knows not which strips a Record wants.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from affetto.core.signal import Audio
from affetto.core.space import Axis
from affetto.core.span import Unit
from affetto.core.track import Array, Track

COLOURS = ("#E69F00", "#0072B2", "#D55E00", "#7B4FA3", "#009E73", "#56B4E9", "#CC79A7", "#F0E442", "#8C6D46")
"""Told apart by colour-blind people too: Okabe and Ito 2008, and two more of another lightness."""
INK, FAINT, GREY, WAVE = "#333333", "#E4E4E4", "#BBBBBB", "#8A97A6"
MOST_SPEAKERS = 8
"""Lines of a strip of turns; all further speakers share the last."""
_USUAL = (
    ("joy", "happiness", "happy", "positive"),
    ("sadness", "sad", "negative"),
    ("anger", "angry"),
    ("fear", "fearful", "scared"),
    ("disgust", "disgusted"),
    ("surprise", "surprised"),
    ("love", "trust"),
)
"""Labels that have the colour of the same place in `COLOURS` wherever they stand."""
_NEUTRAL = ("neutral", "calm", "no emotion")
MOST_UNITS = 12
"""Lines of a strip of action units, the strongest."""
_TRACE = 1.0
"""Intensity from which on a unit is drawn: a trace, in FACS."""
_MOMENTS = 1000
"""Columns of a heat strip."""
_INCHES = 0.06
"""Width of a letter of the small font, about."""
_FEW = 100
"""Rows of a ribbon between which there is room for a white line."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000)
"""Seconds between two marks of the clock."""


_TOUCHING = 0.05
"""Rows no farther apart than this are drawn without a gap."""


@dataclass(frozen=True)
class Strip:
    """One strip: its height in inches, and how it comes onto axes."""

    height: float
    draw: Callable[[Any], None]


@dataclass(frozen=True)
class Envelope:
    """The lowest and the highest sample of each stretch of a sound."""

    step: float
    """Seconds of a stretch."""
    low: Array
    high: Array

    @property
    def end(self) -> float:
        """Seconds of the whole."""
        return self.step * len(self.low)


def envelope(sound: Audio, columns: int) -> Envelope:
    """Return the envelope of a sound of any length, read block by block, in about `columns` stretches."""
    known = math.isfinite(sound.duration) and sound.duration > 0
    hop = max(1, math.ceil(sound.duration * sound.rate / columns) if known else round(sound.rate / 50))
    lows, highs, rest = [], [], np.zeros((0, sound.channels), np.float32)
    for block in sound.blocks():
        held = np.concatenate([rest, block])
        cut = len(held) // hop * hop
        parts, rest = held[:cut].reshape(-1, hop * held.shape[1]), held[cut:]
        lows.append(parts.min(1))
        highs.append(parts.max(1))
    if len(rest):
        lows.append(rest.min(keepdims=True)[0])
        highs.append(rest.max(keepdims=True)[0])
    low, high = (np.concatenate([np.zeros(0, np.float32), *parts]) for parts in (lows, highs))
    many = max(1, math.ceil(len(low) / (2 * columns)))
    starts = np.arange(0, len(low), many)
    if len(starts):
        low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    return Envelope(hop * many / sound.rate, low, high)


def colours(tracks: Sequence[Track], most: int) -> dict[str, str]:
    """Return a colour for each label that gets one: the `most` likely of each Track, the same in all Tracks."""
    wanted: list[str] = []
    for track in tracks:
        weight = (np.nan_to_num(track.values) * np.maximum(track.end - track.start, 1e-9)[:, None]).sum(0)
        order = np.argsort(-weight, kind="stable")
        wanted += [track.space.names[i] for i in order if weight[i] > 0][:most]
    found = {name: GREY for name in wanted if name in _NEUTRAL}
    for name in wanted:
        own = next((i for i, words in enumerate(_USUAL) if name in words), None)
        if own is not None:
            found[name] = COLOURS[own]
    free = [colour for colour in COLOURS if colour not in found.values()]
    for name in dict.fromkeys(wanted):
        if name not in found and free:
            found[name] = free.pop(0)
    return found


def draw_sound(axes: Any, wave: Envelope) -> None:
    """Draw an envelope."""
    at = (np.arange(len(wave.low)) + 0.5) * wave.step
    axes.fill_between(at, wave.low, wave.high, color=WAVE, linewidth=0.4)
    top = max(0.05, float(np.abs([wave.low, wave.high]).max(initial=0)) * 1.05)
    axes.set_ylim(-top, top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    _name(axes, "sound")


def draw_turns(axes: Any, turns: Sequence[tuple[str, tuple[float, float], str]], scale: float) -> None:
    """Draw who spoke when, and as much of the words as there is room; `scale` is inches by unit."""
    speakers = list(dict.fromkeys(speaker for speaker, *_ in turns))
    line = {speaker: min(k, MOST_SPEAKERS - 1) for k, speaker in enumerate(speakers)}
    for speaker in speakers:
        bars = [(start, max(end - start, 0.01 / scale)) for who, (start, end), _ in turns if who == speaker]
        axes.broken_barh(bars, (line[speaker] - 0.4, 0.8), facecolor="#D5E3EE", edgecolor="white", linewidth=0.8)
    for speaker, (start, end), text in turns:
        if words := _fitting(text, (end - start) * scale):
            axes.text((start + end) / 2, line[speaker], words, ha="center", va="center", fontsize=7, clip_on=True)
    lines = sorted(set(line.values()))
    names = [brief(speakers[k], 16) or "?" for k in lines]
    if len(speakers) > MOST_SPEAKERS:
        names[-1] = "others"
    axes.set_yticks(lines, names)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _name(axes, "turns")


def draw_ribbon(axes: Any, track: Track, names: dict[str, str], scale: float) -> None:
    """Draw the probabilities of each row stacked, paler the less sure it is; nothing where nothing was said."""
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - an extra
    from matplotlib.colors import to_rgba_array  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    said: Array = np.asarray(~np.isnan(track.values).all(1))
    shares = np.nan_to_num(track.values.astype(float))
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    sure = np.ones(len(track)) if track.confidence is None else np.nan_to_num(track.confidence, nan=1.0)
    left, right = track.start, np.maximum(track.end, track.start + 0.02 / scale)
    own = [
        (name, colour, shares[:, track.space.index(name)])
        for name, colour in names.items()
        if name in track.space.names
    ]
    own = [one for one in own if one[2].max() > 0]
    rest = shares.sum(1) - sum((part for *_, part in own), np.zeros(len(track)))
    parts = [*own, *([("others", FAINT, rest)] if rest.max() > 0.005 else [])]
    edge = 0.6 if len(track) <= _FEW else 0.0
    floor = np.zeros(len(track))
    for name, colour, part in parts:
        top = floor + part
        corners = np.stack([left, floor, left, top, right, top, right, floor], 1).reshape(-1, 4, 2)
        tint = np.repeat(to_rgba_array(colour), len(track), 0)
        tint[:, 3] = 0.3 + 0.7 * sure
        kept = said & (part > 0)
        axes.add_collection(
            PolyCollection(corners[kept], facecolors=tint[kept], edgecolors="white", linewidths=edge, label=name)
        )
        for i in np.flatnonzero(kept & (part >= 0.4)):
            room = (track.end[i] - track.start[i]) * scale
            if name != "others" and room > _INCHES * (len(name) + 1):
                middle = ((left[i] + right[i]) / 2, (floor[i] + top[i]) / 2)
                axes.text(*middle, brief(name, 24), ha="center", va="center", fontsize=7, clip_on=True)
        floor = top
    _notes(axes, track, np.logical_not(said), scale)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1], ["0", "1"])
    _name(axes, *_whose(track))
    _legend(axes, [Patch(color=colour, label=brief(name, 18)) for name, colour, _ in parts])


def draw_curves(axes: Any, track: Track) -> None:
    """Draw graded axes as steps, with gaps where nothing was said."""
    bounds = [(axis.low, axis.high) for axis in track.space.axes]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    lines = []
    for k, axis in enumerate(track.space.axes):
        colour = COLOURS[(k + 1) % len(COLOURS)]
        lines += axes.plot(*_steps(track, k), color=colour, linewidth=1.4, label=brief(axis.name, 18))
        lines[-1].set_linestyle(("-", "--", ":")[k % 3])
    if low < 0 < high:
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    margin = 0.04 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.set_yticks([low, (low + high) / 2, high])
    _name(axes, *_whose(track))
    _legend(axes, lines)


def draw_units(axes: Any, track: Track, end: float) -> None:
    """Draw action units as lines of a heat strip, those that ever show; of each moment the highest; gaps are white."""
    values = track.values.astype(float)
    most = np.nan_to_num(values).max(0, initial=0)
    strongest = np.argsort(-most, kind="stable")[:MOST_UNITS]
    shown = sorted(int(i) for i in strongest if most[i] >= _TRACE) or sorted(int(i) for i in strongest[:1])
    grid = np.full((len(shown), _MOMENTS), np.nan)
    for start, stop, row in zip(track.start, track.end, values[:, shown], strict=True):
        first = min(int(start / end * _MOMENTS), _MOMENTS - 1)
        part = grid[:, first : max(first + 1, math.ceil(stop / end * _MOMENTS))]
        part[:] = np.fmax(part, row[:, None])
    heat = axes.imshow(
        grid, aspect="auto", cmap=_heat(), vmin=0, vmax=5, interpolation="nearest",
        extent=(0, end, len(shown) - 0.5, -0.5),
    )  # fmt: skip
    for line in range(1, len(shown)):
        axes.axhline(line - 0.5, color="white", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [unit_words(track.space.axes[i]) for i in shown], fontsize=7)
    axes.tick_params(axis="y", length=0)
    scale = axes.figure.colorbar(heat, cax=axes.inset_axes((1.012, 0.05, 0.01, 0.9)), ticks=[0, 5])
    scale.ax.tick_params(labelsize=7, length=0)
    scale.outline.set_visible(False)
    _name(axes, *_whose(track))


def unit_words(axis: Axis) -> str:
    """Return what an action unit is called: what it does and its number, or only that."""
    named = str(axis.facts.get("facs_name", "")).lower()
    return f"{named} {axis.name}" if named else axis.name


def units_shown(track: Track) -> int:
    """Return how many lines `draw_units` draws."""
    most = np.nan_to_num(track.values).max(0, initial=0)
    return max(1, min(MOST_UNITS, int((most >= _TRACE).sum())))


def _heat() -> Any:
    """Return colours from almost nothing to dark, whose lightness alone tells them apart."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 - an extra

    return LinearSegmentedColormap.from_list("units", ("#F4F4F1", "#F3D9A0", "#E69F00", "#B34700", "#3F1A00"))


def draw_prosody(axes: Any, track: Track) -> None:
    """Draw pitch on the left and loudness on the right, each in its own unit."""
    drawn = [name for name in ("pitch", "loudness") if name in track.space.names]
    for name, colour, style in zip(drawn, (COLOURS[1], COLOURS[2]), ("-", "--"), strict=False):
        mine = axes if name == drawn[0] else axes.twinx()
        at, values = _steps(track, track.space.index(name))
        mine.plot(at, values, style, color=colour, linewidth=1.4, label=name)
        mine.set_ylabel(_unit_of(track.space[name]), color=colour)
        mine.tick_params(axis="y", colors=colour)
        mine.locator_params(axis="y", nbins=4)
        mine.margins(y=0.1)
        mine.spines["top"].set_visible(False)
    _name(axes, *_whose(track))


def draw_clock(axes: Any, unit: Unit, end: float) -> None:
    """Draw the clock below the last strip: m:ss, the numbers of turns, or characters."""
    axes.set_xlim(0, end)
    if unit == "s":
        step = next((step for step in _STEPS if end / step <= 10), max(_STEPS) * math.ceil(end / max(_STEPS) / 10))
        marks = np.arange(0, end + step * 1e-6, step)
        axes.set_xticks(marks, [clock(mark, step) for mark in marks])
        axes.set_xlabel("time (h:mm:ss)" if end >= 3600 else "time (m:ss)")
    elif unit == "turn":
        marks = np.arange(0, math.ceil(end), max(1, math.ceil(end / 20)))
        axes.set_xticks(marks + 0.5, [str(mark + 1) for mark in marks])
        axes.set_xlabel("turn")
    else:
        axes.set_xlabel("character")


def clock(seconds: float, step: float = 1) -> str:
    """Return seconds as m:ss, or h:mm:ss from an hour on, with the decimals that the step needs.

    >>> clock(75), clock(3661), clock(0.5, 0.1)
    ('1:15', '1:01:01', '0:00.5')
    """
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    minutes, rest = divmod(round(seconds, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    last = f"{rest:0{2 + digits + (digits > 0)}.{digits}f}"
    return f"{hours}:{minutes:02}:{last}" if hours else f"{minutes}:{last}"


def brief(text: str, most: int) -> str:
    """Return a text on one line, in at most so many characters that a picture can show."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(clean.split())
    return line if len(line) <= most else line[: max(0, most - 1)].rstrip() + "…"


def ink_on(colour: str) -> str:
    """Return the colour of letters that can be read on a colour, both as `#RRGGBB`.

    >>> ink_on("#0072B2"), ink_on("#E69F00")
    ('#FFFFFF', '#333333')
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 118 else "#FFFFFF"


def _fitting(text: str, inches: float) -> str:
    room = int(inches * 0.85 / _INCHES)
    return brief(text, room) if room >= 4 else ""


def _steps(track: Track, axis: int) -> tuple[Array, Array]:
    """Return the line of one axis: level over each row, broken where nothing was said, or no row lies."""
    order = np.lexsort((track.end, track.start))
    start, end, values = track.start[order], track.end[order], track.values[order, axis].astype(float)
    gap = np.append(start[1:] > end[:-1] + _TOUCHING, [False] * bool(len(start)))
    at = np.stack([start, end, end], 1)
    said = np.stack([values, values, np.where(gap, np.nan, values)], 1)
    return at.ravel(), said.ravel()


def _notes(axes: Any, track: Track, where: Array, scale: float) -> None:
    """Write the notes of rows that say nothing."""
    notes = track.note or ("",) * len(track)
    for i in np.flatnonzero(where):
        if words := _fitting(notes[i], (track.end[i] - track.start[i]) * scale):
            axes.text(
                (track.start[i] + track.end[i]) / 2, 0.5, words, ha="center", va="center", fontsize=7, color="#888888"
            )


def _whose(track: Track) -> tuple[str, str]:
    return " · ".join((track.subject, track.channel, track.perspective)), " · ".join(
        filter(None, (track.space.id, track.source))
    )


def _unit_of(axis: Axis) -> str:
    return brief(f"{axis.name} ({axis.unit})" if axis.unit else axis.name, 40)


def _name(axes: Any, left: str, right: str = "") -> None:
    axes.set_title(brief(left, 70), loc="left", fontsize=8.5, pad=3)
    axes.set_title(brief(right, 60), loc="right", fontsize=7, pad=3, color="#888888")


def _legend(axes: Any, handles: list[Any]) -> None:
    if handles:
        place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.004, 0.5), "borderaxespad": 0}
        columns = 1 if len(handles) <= 4 else 2
        axes.legend(handles=handles, ncols=columns, frameon=False, fontsize=7.5, handlelength=1.2, **place)
