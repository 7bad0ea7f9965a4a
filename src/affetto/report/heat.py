"""What carried an answer to a face, drawn over the face: warm where the answer falls without it, blue where it rises.

Takes what `api.explain` gives. Knows colours and paper; knows not how it was found out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from affetto.core.errors import MalformedError, MissingExtraError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Array, Track
from affetto.report import faces
from affetto.report.paper import SUFFIXES, save, style
from affetto.report.strips import brief, clock

Reason = tuple[Track, tuple[Track, ...]]
_SIDE, _PANEL, _ACROSS = 480, 3.1, 3
"""Pixels of a face, inches of a panel, and panels side by side."""
_WARM, _COLD = (213, 94, 0), (0, 114, 178)
"""Vermilion and blue, which colour-blind people tell apart too: Okabe and Ito 2008."""
_LEAST = 0.1
"""Importance from which on the strongest patch is drawn with full strength: where all is weaker, all is pale."""
_MOST = 12
"""Panels of a picture, the first ones."""
_WORDS, _WORTH = 4, 0.005
"""Lines of units below a panel, and the importance from which on a part of the face is named."""
_HEAD, _BELOW, _GAP, _FOOT = 0.55, 1.25, 0.15, 0.2
"""Inches above all, below each panel with the next one's title, between panels, and at the foot."""


@dataclass(frozen=True)
class _Panel:
    """One face, what was explained of it, and in which words besides."""

    patches: Track
    words: tuple[str, ...]
    pixels: Array


def plot_reasons(record: Record, reasons: Sequence[Reason], path: str | Path) -> Path:
    """Draw which patches of faces carried the answers about them, a panel an answer (.png, .svg, .pdf).

    Args:
        record: the picture or the film, open.
        reasons: pairs of an answer and what it rests on; those with patches are drawn.
        path: the file to make.

    Returns:
        The path.

    Raises:
        MalformedError: the path has another suffix, or no answer rests on patches of a face.
        UnreadableError: the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise MalformedError(f"a picture is one of {', '.join(SUFFIXES)}, not {path.name}")
    drawn = [(part, parts) for _, parts in reasons for part in parts if part.box is not None and len(part)]
    if not drawn:
        raise MalformedError(f"no answer about {record.id!r} rests on patches of a face; explain a picture or a film")
    return save(_figure(list(_panels(record, drawn[:_MOST])), len(drawn), record.id), path)


def _panels(record: Record, drawn: Sequence[tuple[Track, tuple[Track, ...]]]) -> Iterator[_Panel]:
    """Yield a panel for each Track of patches, in order; of a film they are found in one reading."""
    found: dict[float, Array] = {}
    image, film = faces.picture(record), faces.film(record)
    wanted = sorted({float(part.start[0]) for part, _ in drawn})
    if image is not None:
        found = dict.fromkeys(wanted, image.pixels)
    elif film is not None:
        rest = list(wanted)
        for second, frame in faces.moments(film):
            while rest and rest[0] <= second + faces.NEAR:
                found[rest.pop(0)] = np.array(frame)
            if not rest:
                break
    for part, parts in drawn:
        pixels = found.get(float(part.start[0]))
        if pixels is None:
            raise UnreadableError(f"the picture that {record.id!r} was explained by is not to be had; read it again")
        words = tuple(note for other in parts if other.box is None for note in other.note or ())
        yield _Panel(part, words, heated(pixels, part))


def heated(pixels: Array, patches: Track) -> Array:
    """Return the part of a picture that patches lie on, grey, with their importance over it, side x side, uint8 RGB."""
    assert patches.box is not None
    left, top = patches.box[:, :2].min(0).astype(float)
    right, bottom = patches.box[:, 2:].max(0).astype(float)
    scale = np.array([_SIDE / (right - left), _SIDE / (bottom - top)])
    turn = np.array([[scale[0], 0, -left * scale[0]], [0, scale[1], -top * scale[1]]])
    if scale.min() < 0.5:
        pixels = cv2.resize(pixels, None, fx=scale[0], fy=scale[1], interpolation=cv2.INTER_AREA)
        turn[:, :2] = np.eye(2)
    face = cv2.warpAffine(pixels, turn, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey: Array = np.repeat(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)[..., None], 3, 2).astype(np.float32)
    weights: Array = np.zeros((_SIDE, _SIDE), np.float32)
    for box, weight in zip(patches.box, patches.values[:, 0], strict=True):
        x0, y0, x1, y1 = np.round((box - (left, top, left, top)) * (*scale, *scale)).astype(int)
        weights[y0:y1, x0:x1] = weight
    spread = _SIDE / max(2.0, len(patches) ** 0.5) / 3
    weights = cv2.GaussianBlur(weights, (0, 0), spread)
    shares = weights / max(_LEAST, float(np.abs(weights).max()))
    through = (0.72 * np.abs(shares) ** 0.8)[..., None]
    ink = np.where((shares > 0)[..., None], np.array(_WARM, np.float32), np.array(_COLD, np.float32))
    return np.asarray(np.round(grey * (1 - through) + ink * through), np.uint8)


def _figure(panels: Sequence[_Panel], many: int, title: str) -> Any:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("a picture of a face", "plot") from None
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    wide, high = across * (_PANEL + _GAP) + _GAP, _HEAD + down * (_PANEL + _BELOW) + _FOOT
    more = f"   ({many - len(panels)} more are not drawn)" if many > len(panels) else ""
    with style():
        whole = Figure(figsize=(wide, high), dpi=100)
        for k, panel in enumerate(panels):
            left = _GAP + (k % across) * (_PANEL + _GAP)
            floor = _FOOT + (down - 1 - k // across) * (_PANEL + _BELOW) + _BELOW - _GAP
            _draw(whole.add_axes((left / wide, floor / high, _PANEL / wide, _PANEL / high)), panel)
        whole.text(_GAP / wide, 1 - 0.1 / high, brief(title, 60), fontsize=11, va="top")
        whole.text(_GAP / wide, 0.1 / high, f"orange: the answer falls without it; blue: it rises{more}", fontsize=7.5)
    return whole


def _draw(axes: Any, panel: _Panel) -> None:
    """Draw one panel: the face, who it is and what was explained above, the strongest parts and units below."""
    part = panel.patches
    axes.axis("off")
    axes.imshow(panel.pixels, interpolation="bilinear")
    when = f"   {clock(float(part.start[0]), 0.1)}" if part.end[0] > 0 else ""
    answer = part.source.rpartition(", ")[2].removesuffix(")")
    axes.set_title(brief(f"{part.subject} · {answer}{when}", 46), loc="left", fontsize=9)
    told = [f"{name} {x:+.2f}" for name, x in regions(part)[:3] if abs(x) >= _WORTH]
    lines = [", ".join(told) or "no patch carries it by itself", *panel.words]
    for line, words in enumerate(lines[: _WORDS + 1]):
        at = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top", "annotation_clip": False}
        axes.annotate(brief(words, 60), (0, 0), (0, -4 - 11 * line), fontsize=7.5, **at)


def regions(patches: Track) -> list[tuple[str, float]]:
    """Return the parts of the face that patches name, each with its importance farthest from 0, strongest first."""
    found: dict[str, float] = {}
    for name, weight in zip(patches.note or (), patches.values[:, 0].tolist(), strict=False):
        if abs(weight) > abs(found.get(name, 0.0)):
            found[name] = weight
    return sorted(found.items(), key=lambda pair: -abs(pair[1]))
