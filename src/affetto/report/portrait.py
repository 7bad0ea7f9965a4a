"""A picture with its faces marked, and below it a line a person: expression, valence and arousal, strongest units.

Knows people and paper; `overlay` knows how a face is marked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from affetto.core.signal import Image
from affetto.core.track import Track
from affetto.report import faces
from affetto.report.faces import Person
from affetto.report.overlay import paint, rgb
from affetto.report.strips import FAINT, brief, ink_on, unit_words

_HEAD, _LINE, _EDGE = 0.36, 0.4, 0.12
"""Inches: of the title, of a line a person, and of the margin."""
_TALLEST = 0.9
"""Height of the drawn picture as a multiple of its width."""
_MOST_TIMES = 12.0
"""How many times larger a small picture is drawn at most."""
_BAR = (0.17, 0.36)
"""Where the bar of expressions begins and how long it is, as shares of the width; the words follow it."""
_WORTH = 0.08
"""Share of a bar from which on a label is a part of its own."""
_UNITS, _TRACE = 3, 0.5
"""Action units that are named, and the intensity from which on."""
NOBODY = "no usable face was seen"


def draw_portrait(
    image: Image,
    everybody: Sequence[Person],
    colours: Mapping[str, str],
    title: str,
    paper: tuple[float, int],
    most: int,
) -> Any:
    """Return a picture and what is seen in it as a `matplotlib.figure.Figure`.

    Args:
        image: the picture.
        everybody: what is said of whom.
        colours: of the labels.
        title: above it.
        paper: its width in inches, and dots an inch.
        most: people who get a line below it.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    width, dpi = paper
    seen = [person for person in everybody if person.seen]
    told = {name: colours[name] for person in seen[:most] for name in _named(person) if name in colours}
    lines = max(1, min(len(seen), most) + bool(told) + (len(seen) > most))
    room = width - 2 * _EDGE
    pixels = image.pixels
    high, wide = pixels.shape[:2]
    scale = min(room * dpi / wide, room * _TALLEST * dpi / high, _MOST_TIMES)
    marks = faces.marks(everybody, 0.0)
    drawn = paint(pixels, marks, scale)
    tall = drawn.shape[0] / dpi
    whole = _HEAD + tall + 0.1 + lines * _LINE + _EDGE
    figure = Figure(figsize=(width, whole), dpi=dpi)
    figure.text(_EDGE / width, 1 - 0.1 / whole, brief(title, 90), fontsize=11, va="top")
    place = (_EDGE / width, 1 - (_HEAD + tall) / whole, drawn.shape[1] / dpi / width, tall / whole)
    axes = figure.add_axes(place)
    axes.imshow(drawn, aspect="auto", interpolation="nearest")
    axes.axis("off")
    below = figure.add_axes((_EDGE / width, _EDGE / whole, 1 - 2 * _EDGE / width, lines * _LINE / whole))
    below.axis("off")
    below.set_xlim(0, 1)
    below.set_ylim(lines - 0.5, -0.5)
    if not seen:
        below.text(0, 0, NOBODY, va="center", fontsize=10)
    for line, person in enumerate(seen[:most]):
        _line(below, line, person, everybody.index(person), told)
    for i, (name, colour) in enumerate(told.items()):
        at = _BAR[0] + i * 0.092
        below.add_patch(_bar(at, min(len(seen), most) - 0.3, 0.01, 0.3, colour))
        below.text(at + 0.014, min(len(seen), most) - 0.15, brief(name, 14), va="center", fontsize=7.5)
    if len(seen) > most:
        below.text(0, lines - 1, f"{len(seen) - most} more people are in the file", va="center", color="#888888")
    return figure


def _line(axes: Any, line: int, person: Person, order: int, colours: Mapping[str, str]) -> None:
    """Draw one person's line."""
    ink = tuple(x / 255 for x in rgb(order))
    axes.add_patch(_bar(0, line - 0.22, 0.012, 0.44, ink))
    axes.text(0.02, line, brief(person.subject, 18), va="center", weight="bold")
    if person.labels is not None:
        _shares(axes, line, person, person.labels, colours)
    for down, words in zip((-0.17, 0.17), _words(person), strict=True):
        axes.text(_BAR[0] + _BAR[1] + 0.015, line + down, words, va="center", fontsize=7.5)


def _shares(axes: Any, line: int, person: Person, track: Track, colours: Mapping[str, str]) -> None:
    """Draw the probabilities of the labels as the parts of a bar, highest first, with their names where they fit."""
    if np.isnan(track.values[0]).all():
        note = track.note[0] if track.note else ""
        axes.text(_BAR[0], line, f"not said{f' ({brief(note, 30)})' if note else ''}", va="center", color="#888888")
        return
    at = _BAR[0]
    for name in _named(person):
        long = float(track.column(name)[0]) * _BAR[1]
        axes.add_patch(_bar(at, line - 0.3, long, 0.6, colours.get(name, FAINT)))
        if long > 0.0115 * (len(name) + 1):
            ink = ink_on(colours.get(name, FAINT))
            axes.text(at + long / 2, line, name, ha="center", va="center", fontsize=8, color=ink)
        at += long
    axes.add_patch(_bar(at, line - 0.3, max(0.0, _BAR[0] + _BAR[1] - at), 0.6, "#F2F2F2"))


def _bar(x: float, y: float, wide: float, high: float, colour: Any) -> Any:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - an extra

    return Rectangle((x, y), wide, high, facecolor=colour, edgecolor="white", linewidth=0.8)


def _named(person: Person) -> list[str]:
    """Return the labels that are parts of a person's bar of their own, highest first."""
    track = person.labels
    if track is None or np.isnan(track.values[0]).all():
        return []
    order = np.argsort(-track.values[0], kind="stable")
    return [track.space.names[i] for i in order if track.values[0][i] >= _WORTH]


def _words(person: Person) -> tuple[str, str]:
    """Return valence and arousal, and the strongest units of a picture, in words."""
    degrees, units = "", ""
    if (track := person.degrees) is not None:
        told = [(axis.name, x) for axis, x in zip(track.space.axes, track.values[0], strict=True) if not np.isnan(x)]
        degrees = "   ".join(f"{name} {x:+.2f}" for name, x in told)
    if (track := person.units) is not None:
        values = np.nan_to_num(track.values[0])
        strongest = [i for i in np.argsort(-values, kind="stable")[:_UNITS] if values[i] >= _TRACE]
        units = ", ".join(f"{unit_words(track.space.axes[i])} {values[i]:.1f}" for i in strongest)
    return degrees, units
