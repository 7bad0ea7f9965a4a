"""The picture of a talk on its page, as SVG: each speaker's valence over turns, shifts, and arcs from causes.

From top to bottom: an arc from the turn in which a cause stands to the turn whose feeling it brought about (a ring
where both are one), then a lane for each speaker. A point is a turn, with two letters of its feeling; the line joins a
speaker's turns, the band around it is one standard deviation of valence under the label's probabilities; a triangle
marks where the feeling moved. Knows shapes; `talk_gist` knows what is told.
"""

import math
from collections.abc import Iterator, Sequence

from affetto.report.page_labels import Labels
from affetto.report.page_parts import escape
from affetto.report.talk_gist import Said, Talk

LANES = 8
"""Speakers with a lane of their own, those who speak most."""
ARCS = 300
"""Causes that are drawn, the surest."""
POINTS = 400
"""Points of a lane; of more turns each is the mean of several."""
_LEFT, _RIGHT, _LANE, _ARCS, _BELOW = 112, 18, 92, 66, 24
_WIDE, _WIDEST, _WHOLE = 34.0, 4000, 980
_BIG = 10.5
"""Radius of a point with letters."""
_SIGNS = {1: "M-5 3L0 -5L5 3Z", -1: "M-5 -3L0 5L5 -3Z", 0: "M-5 0L0 -5L5 0L0 5Z"}
_WAYS = {1: "for the better", -1: "for the worse", 0: "neither better nor worse"}


def chart(told: Talk, labels: Labels, anchor: str) -> str:
    """Return the picture of a talk as SVG, and in words what is not drawn; empty where it has no turns.

    Args:
        told: the talk.
        labels: grows by the feelings that are named.
        anchor: what the ids of its turns begin with.
    """
    count = len(told.turns)
    if not count:
        return ""
    spoken = {who: len(told.of(who)) for who in told.speakers}
    kept = sorted(told.speakers, key=lambda who: -spoken[who])[:LANES]
    lanes = [who for who in told.speakers if who in kept]
    step = max(min(_WIDE, _WIDEST / count), (_WHOLE - _LEFT - _RIGHT) / count)
    width = _LEFT + _RIGHT + step * count
    causes = sorted(((cause, turn) for turn in told.turns for cause in turn.causes), key=lambda pair: -pair[0].sure)
    top = _ARCS if causes else 8
    height = top + _LANE * len(lanes) + _BELOW
    drawn = [_arc(cause.at, turn, cause.words, cause.sure, told, step, top, anchor) for cause, turn in causes[:ARCS]]
    for i, who in enumerate(lanes):
        drawn += _lane(told, who, i + 1, top + _LANE * i, step, width, labels, anchor)
    drawn += _axis(count, step, height - _BELOW)
    left = [f"{len(told.speakers) - len(lanes)} more speakers have no lane"] if len(told.speakers) > len(lanes) else []
    left += [f"the {ARCS} surest of {len(causes):,} causes are drawn"] if len(causes) > ARCS else []
    notes = f'<p class="soft">{"; ".join(left)}.</p>' if left else ""
    return (
        f'<div class="scroll"><svg class="chart" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        f'height="{height}" role="group" aria-label="Valence of each speaker over {count} turns, shifts and causes">'
        f'<defs><marker id="{anchor}-tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8Z"/></marker></defs>'
        f"{''.join(drawn)}</svg></div>{notes}"
    )


def _at(k: float, step: float) -> float:
    return _LEFT + step * (k + 0.5)


def _arc(at: int, felt: Said, words: str, sure: float, told: Talk, step: float, base: float, anchor: str) -> str:
    """Return the arc from a cause to the turn it moved, a link to the cause."""
    start, end = _at(at, step), _at(felt.number, step)
    if at == felt.number:
        shape = f"M{start - 4:.1f} {base - 3}a6 7 0 1 1 8 0"
    else:
        high = min(base - 8.0, 14 + 9 * math.sqrt(abs(felt.number - at)) * math.sqrt(step / 12))
        middle = (start + end) / 2
        shape = f"M{start:.1f} {base - 2}Q{middle:.1f} {base - 2 * high:.1f} {end:.1f} {base - 2}"
    feeling = felt.feeling or "feeling"
    quoted = f": \u201c{words}\u201d" if words else ""
    whose = f"{feeling} of {felt.speaker} in turn {felt.number + 1}"
    said = escape(f"Turn {at + 1}{quoted} \u2192 {whose}, {sure:.0%} sure")
    return (
        f'<a class="arc" href="#{anchor}-{at}" data-cause="{anchor}-{at}" data-felt="{anchor}-{felt.number}" '
        f'aria-label="{said}"><title>{said}</title><path class="reach" d="{shape}"/>'
        f'<path class="line" d="{shape}" stroke-width="{1 + 2 * sure:.1f}" marker-end="url(#{anchor}-tip)"/></a>'
    )


def _lane(
    told: Talk, who: str, number: int, top: float, step: float, width: float, labels: Labels, anchor: str
) -> Iterator[str]:
    middle, half = top + _LANE / 2, _LANE / 2 - 14
    short = who if len(who) <= 14 else who[:13] + "\u2026"
    role = escape(told.role(who)[:18])
    yield (
        f'<g class="lane-of"><title>{escape(who)}</title><text class="who" x="8" y="{middle - 4:.1f}">{number} '
        f'{escape(short)}</text><text class="small" x="8" y="{middle + 11:.1f}">{role}</text></g>'
        f'<path class="zero" d="M{_LEFT} {middle}H{width - _RIGHT:.0f}"/>'
        f'<path class="edge" d="M{_LEFT} {top + _LANE:.0f}H{width - _RIGHT:.0f}"/>'
        f'<text class="small" x="{_LEFT - 6}" y="{middle - half + 4:.1f}" text-anchor="end">+</text>'
        f'<text class="small" x="{_LEFT - 6}" y="{middle + half + 4:.1f}" text-anchor="end">&minus;</text>'
    )
    mine = [turn for turn in told.of(who) if turn.shares]
    points = list(_points(mine, step, middle, half))
    for part in _runs(points):
        upper = [f"{x:.1f} {y - spread:.1f}" for x, y, spread in part]
        lower = [f"{x:.1f} {y + spread:.1f}" for x, y, spread in reversed(part)]
        if len(part) > 1:
            yield f'<path class="band" d="M{"L".join(upper + lower)}Z"/>'
            yield f'<path class="course" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y, _ in part)}"/>'
    if len(mine) <= POINTS:
        for turn in mine:
            yield _point(turn, told, step, middle, half, labels, anchor)


def _points(mine: Sequence[Said], step: float, middle: float, half: float) -> Iterator[tuple[float, float, float]]:
    """Yield x, y and half the height of the band: a point a turn, or the mean of several."""
    size = max(1, math.ceil(len(mine) / POINTS))
    for at in range(0, len(mine), size):
        held = [turn for turn in mine[at : at + size] if not math.isnan(turn.valence)]
        if held:
            x = sum(_at(turn.number, step) for turn in held) / len(held)
            mean = sum(turn.valence for turn in held) / len(held)
            spread = sum(0.0 if math.isnan(turn.spread) else turn.spread for turn in held) / len(held)
            yield x, middle - half * mean, half * min(spread, 1.0)
        else:
            yield math.nan, math.nan, math.nan


def _runs(points: Sequence[tuple[float, float, float]]) -> Iterator[list[tuple[float, float, float]]]:
    """Yield the stretches of points between which something is said."""
    run: list[tuple[float, float, float]] = []
    for point in points:
        if math.isnan(point[0]):
            if run:
                yield run
            run = []
        else:
            run.append(point)
    if run:
        yield run


def _point(turn: Said, told: Talk, step: float, middle: float, half: float, labels: Labels, anchor: str) -> str:
    x = _at(turn.number, step)
    y = middle if math.isnan(turn.valence) else middle - half * turn.valence
    number = labels.number(turn.feeling)
    shift = told.moved(turn)
    sure = "" if math.isnan(turn.sure) else f" {turn.sure:.0%}"
    moved = f", moved {_WAYS[shift.way]} from {told.before(shift) or 'before'}" if shift else ""
    said = escape(f"Turn {turn.number + 1}, {turn.speaker}: {turn.feeling}{sure}{moved}")
    big = step >= 2 * _BIG + 2
    letters = f'<text x="{x:.1f}" y="{y + 3.4:.1f}">{escape(labels.looks[number].short)}</text>' if big else ""
    sign = ""
    if shift and step >= 8:
        place = f"{x + (14 if big else 5):.1f} {y - 9:.1f}"
        sign = f'<path class="moved" transform="translate({place})" d="{_SIGNS[shift.way]}"/>'
    radius = _BIG if big else min(4.0, step)
    return (
        f'<a class="point f{number}" href="#{anchor}-{turn.number}" aria-label="{said}" tabindex="-1">'
        f'<title>{said}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>{letters}{sign}</a>'
    )


def _axis(count: int, step: float, base: float) -> Iterator[str]:
    """Yield the numbers of turns below."""
    every = next(size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if size * step >= 26)
    yield f'<text class="small" x="8" y="{base + 17}">turn</text>'
    for k in range(count):
        if (k + 1) % every == 0 or (every > 1 and k == 0):
            yield f'<text class="small" x="{_at(k, step):.1f}" y="{base + 17}" text-anchor="middle">{k + 1}</text>'
