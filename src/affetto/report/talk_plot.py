"""One talk as one picture for a paper: each speaker's valence over turns with its band, shifts, and arcs from causes.

The colours, letters and points are those of the other pictures and of the page of conversations. Knows how to draw;
`talk_gist` knows what is told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affetto.core.errors import MalformedError, MissingExtraError
from affetto.core.record import Record
from affetto.report import talk_gist
from affetto.report.page_labels import look
from affetto.report.paper import SUFFIXES, save, style
from affetto.report.strips import FAINT, GREY, INK, brief, ink_on
from affetto.report.talk_gist import Said, Talk

_MARKERS = {1: "^", -1: "v", 0: "D"}
_LETTERS = 40
"""Turns above which a point has no letters."""
_LANE, _ARCS = 0.95, 0.8
"""Inches of a lane, and of the arcs."""
_ABOVE, _BETWEEN, _BELOW = 0.6, 0.32, 0.95
"""Inches of the title, between lanes, and of clock and legend."""


@dataclass(frozen=True)
class Options:
    """How a talk is drawn."""

    title: str = ""
    """Above all; by default the id of the Record."""
    width: float = 10.0
    """Inches."""
    dpi: int = 150
    """Dots an inch, of PNG."""
    speakers: int = 6
    """Lanes, of those who speak most."""
    causes: int = 200
    """Arcs, the surest."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not (2 <= self.width <= 100 and 20 <= self.dpi <= 600 and self.speakers >= 1 and self.causes >= 0):
            raise MalformedError(
                "a picture of a talk wants width 2..100, dpi 20..600, speakers >= 1 and causes >= 0, "
                f"not {self.width}, {self.dpi}, {self.speakers} and {self.causes}"
            )


def plot(record: Record, path: str | Path, options: Options | None = None) -> Path:
    """Draw a talk; the suffix of the path (.png, .svg, .pdf) says how. The same Record gives the same bytes.

    Args:
        record: with turns, and Tracks of feelings; shifts and causes are drawn where they are.
        path: the file to make.
        options: how.

    Returns:
        The path.

    Raises:
        MalformedError: the path has another suffix, or nothing is said of any turn.
        UnreadableError: the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise MalformedError(f"a picture of a talk is one of {', '.join(SUFFIXES)}, not {path.name}")
    return save(figure(record, options), path)


def figure(record: Record, options: Options | None = None) -> Any:
    """Return the picture of a talk as a `matplotlib.figure.Figure`.

    Raises:
        MalformedError: nothing is said of any turn.
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("a picture of a talk", "plot") from None
    how, told = options or Options(), talk_gist.talk(record)
    felt = {who: [turn for turn in told.of(who) if not math.isnan(turn.valence)] for who in told.speakers}
    kept = sorted((who for who in told.speakers if felt[who]), key=lambda who: -len(felt[who]))[: how.speakers]
    lanes = [who for who in told.speakers if who in kept]
    if not lanes:
        raise MalformedError(
            f"nothing is said of the feelings of any turn in the talk {record.id!r}; ask a model first"
        )
    causes = sorted(((one, turn) for turn in told.turns for one in turn.causes), key=lambda pair: -pair[0].sure)
    heights = ([_ARCS] if causes else []) + [_LANE] * len(lanes)
    with style():
        high = _ABOVE + sum(heights) + _BETWEEN * (len(heights) - 1) + _BELOW
        whole = Figure(figsize=(how.width, high), dpi=how.dpi)
        places = {"left": 0.62 / how.width, "right": 1 - 0.12 / how.width, "top": 1 - _ABOVE / high}
        places |= {"bottom": _BELOW / high, "hspace": _BETWEEN * len(heights) / sum(heights)}
        grid = whole.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights, gridspec_kw=places)[
            :, 0
        ]
        if causes:
            _arcs(grid[0], [(one.at + 1, turn.number + 1, one.sure) for one, turn in causes[: how.causes]])
        for axes, who in zip(grid[-len(lanes) :], lanes, strict=True):
            _lane(axes, told, who, felt[who], len(told.turns))
        _clock(grid[-1], len(told.turns), len(told.speakers) - len(lanes))
        _legend(whole, dict.fromkeys(turn.feeling for who in lanes for turn in felt[who]))
        whole.suptitle(brief(how.title or record.id, 90), fontsize=11, x=0.01, y=1 - 0.1 / high, ha="left", va="top")
    return whole


def _lane(axes: Any, told: Talk, who: str, mine: Sequence[Said], count: int) -> None:
    """Draw one speaker's valence over turns: the band, the line, the points with their letters, where it moved."""
    x = [turn.number + 1 for turn in mine]
    y = [turn.valence for turn in mine]
    spread = [0.0 if math.isnan(turn.spread) else turn.spread for turn in mine]
    axes.axhline(0, color=GREY, linewidth=0.6, linestyle=(0, (2, 3)), zorder=0)
    low, high = ([max(-1, min(1, v + sign * s)) for v, s in zip(y, spread, strict=True)] for sign in (-1, 1))
    axes.fill_between(x, low, high, color=FAINT, linewidth=0, zorder=1)
    axes.plot(x, y, color=INK, linewidth=0.9, zorder=2)
    colours = [look(turn.feeling).colour for turn in mine]
    axes.scatter(x, y, s=110 if count <= _LETTERS else 12, c=colours, edgecolors="white", linewidths=0.6, zorder=3)
    for turn, colour in zip(mine, colours, strict=True):
        if count <= _LETTERS:
            short = look(turn.feeling).short
            at = (turn.number + 1, turn.valence)
            axes.annotate(short, at, ha="center", va="center", fontsize=6, color=ink_on(colour), zorder=4)
    for way, marker in _MARKERS.items():
        moved = [turn for turn in mine if (shift := told.moved(turn)) and shift.way == way]
        if moved and count <= 4 * _LETTERS:
            places = [turn.valence + (0.42 if turn.valence < 0.5 else -0.42) for turn in moved]
            axes.scatter([turn.number + 1 for turn in moved], places, s=16, marker=marker, c=INK, zorder=4)
    axes.set_ylim(-1.05, 1.05)
    axes.set_yticks([-1, 0, 1], ["\u22121", "0", "1"])
    axes.set_ylabel("valence", fontsize=7)
    role = told.role(who)
    axes.set_title(brief(f"{who}{f' ({role})' if role else ''}", 60), fontsize=8.5, loc="left", pad=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _arcs(axes: Any, causes: Sequence[tuple[int, int, float]]) -> None:
    """Draw an arc from each cause to the turn it moved; a ring where both are one."""
    from matplotlib.patches import FancyArrowPatch  # noqa: PLC0415 - an extra

    longest = max(2, *(abs(felt - at) for at, felt, _ in causes))
    for at, felt, sure in causes:
        if at == felt:
            axes.plot([at], [0.09], marker="o", markersize=5, markerfacecolor="none", color=INK, alpha=0.3 + 0.7 * sure)
            continue
        high = 0.35 + 0.6 * math.sqrt(abs(felt - at) / longest)
        path = _bow(at, felt, high)
        arrow = FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=6, color=INK, fill=False, linewidth=0.4 + sure,
            alpha=0.3 + 0.7 * sure, clip_on=False,
        )  # fmt: skip
        axes.add_patch(arrow)
        arrow.set_clip_path(None)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_title("causes: an arrow from the turn in which they stand to the turn they moved", fontsize=7, loc="left")
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(bottom=False)


def _bow(start: float, end: float, high: float) -> Any:
    from matplotlib.path import Path as Curve  # noqa: PLC0415 - an extra

    points = [(start, 0.02), (start, high * 1.3), (end, high * 1.3), (end, 0.02)]
    return Curve(points, [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])


def _clock(axes: Any, count: int, left: int) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an extra

    axes.set_xlim(0.4, count + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=16, integer=True, min_n_ticks=1))
    axes.set_xlabel(f"turn  ({left} more speakers are not drawn)" if left else "turn")


def _legend(whole: Any, feelings: dict[str, None]) -> None:
    """Name the feelings, the band and the marks of shifts below the picture."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - an extra
    from matplotlib.patches import Patch  # noqa: PLC0415 - an extra

    handles: list[Any] = [
        Line2D([], [], marker="o", linestyle="", color=look(name).colour, label=f"{look(name).short} {name}")
        for name in feelings
    ]
    handles.append(Patch(color=FAINT, label="one standard deviation"))
    words = {1: "moved up", -1: "moved down", 0: "moved aside"}
    handles += [
        Line2D([], [], marker=marker, linestyle="", color=INK, markersize=4, label=words[way])
        for way, marker in _MARKERS.items()
    ]
    whole.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=min(len(handles), 8),
        fontsize=7,
        frameon=False,
    )
