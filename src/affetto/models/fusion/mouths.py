"""What ties a mouth to a voice: numbers of each pair of a face and a voice of one recording.

A face's mouth motion (blendshapes of jaw and lips) and a voice's activity are laid on one grid of time, and compared.
Every number is 0 where there is nothing to go by. Knows Tracks; knows no picture, no sound, and no odds.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.track import Track

Floats = npt.NDArray[np.float64]
MOUTH = {
    "jawOpen": 1.0,
    "mouthClose": 3.0,
    "mouthFunnel": 2.0,
    "mouthPucker": 3.0,
    "mouthLowerDownLeft": 1.0,
    "mouthLowerDownRight": 1.0,
}
"""Blendshapes that speech moves, and how much each counts; about as they tremble on a silent face, inverted."""
OPEN = ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight")
"""Blendshapes that open the mouth."""
FEATURES = ("known", "level", "contrast", "open", "course", "others", "unseen")
"""What is said of a pair.

    known       1 where there is enough to go by, 0 where there is nothing: s / (s + 2) of the seconds s in which this
                voice alone is heard and the face is seen
    level       how much the mouth moves in that time, less `QUIET`, times `known`
    contrast    how much more it moves than while this voice is silent, in standard errors, within -1..1
    open        how much wider open it is than while this voice is silent, in the same way
    course      how its motion goes with the voice's activity over time: the best correlation within `LAGS`, less what
                chance gives, in standard errors, within -1..1
    others      how much more it moves in that time than the other faces that are seen, in standard errors, within -1..1
    unseen      the share of the voice's time in which the face is not seen
"""
QUIET = -3.4
"""The log of the motion between a silent and a speaking mouth."""
_DARK = 0.004
"""Motion below which nothing is seen: added before the log."""
_TICK = 0.1
"""Seconds of a cell of the grid."""
_STEP = 0.2
"""Seconds over which motion is told, whatever the rate: at 5 pictures a second, from one to the next."""
_PAUSE = 0.6
"""Seconds between two rows beyond which motion is not told."""
_WINDOW = 9
"""Cells over which motion and activity are smoothed for their correlation."""
LAGS = (-3, -2, -1, 0, 1, 2, 3)
"""Cells by which sound may come before or after the picture."""
_ALIKE = 0.5
"""Seconds after which motion says something new, for standard errors."""
_FIRM = 4.0
"""Standard errors at which evidence counts .76 (tanh 1) of what it can ever count."""


def pairs_of(tracks: Sequence[Track]) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    """Return what is said of each pair, f x v x `FEATURES`, and the faces and the voices, in order of appearance."""
    seen = [t for t in tracks if t.space.id == "arkit-52" and t.unit == "s" and not np.isnan(t.values).all()]
    heard = [t for t in tracks if t.space.id == "speaking" and t.unit == "s" and np.nan_to_num(t.values).any()]
    faces = tuple(dict.fromkeys(track.subject for track in seen))
    voices = tuple(dict.fromkeys(track.subject for track in heard))
    if not faces or not voices:
        return np.zeros((len(faces), len(voices), len(FEATURES))), faces, voices
    cells = max(2 * _WINDOW, int(np.ceil(max(track.end.max() for track in (*seen, *heard)) / _TICK)) + 1)
    own = [[track for track in seen if track.subject == face] for face in faces]
    moves = np.stack([_merged([motion(track, cells) for track in tracks]) for tracks in own])
    wide = np.stack([_merged([opening(track, cells) for track in tracks]) for tracks in own])
    speaks = np.stack([activity([t for t in heard if t.subject == voice], cells) for voice in voices])
    return features(moves, wide, speaks), faces, voices


def motions(tracks: Sequence[Track]) -> dict[str, Floats]:
    """Return the log of each face's mouth motion in each cell of time, NaN where it is not seen, by subject."""
    cells = int(np.ceil(max((track.end.max() for track in tracks if len(track)), default=0.0) / _TICK)) + 1
    own: dict[str, list[Floats]] = {}
    for track in tracks:
        own.setdefault(track.subject, []).append(motion(track, cells))
    return {name: _merged(rows) for name, rows in own.items()}


def span_mean(row: Floats, start: float, end: float) -> float:
    """Return the mean of what is known in the cells of a stretch of time; NaN where less than a third is near it."""
    cells = row[int(start / _TICK) : int(end / _TICK) + 1]
    known = cells[~np.isnan(cells)]
    return float(known.mean()) if len(known) * _STEP >= (end - start) / 3 and len(known) else float("nan")


def motion(track: Track, cells: int) -> Floats:
    """Return the log of the mouth's motion over `_STEP` seconds in each cell of time; NaN where none is seen."""
    rows = ~np.isnan(track.values).all(1)
    at, order = (track.start[rows] + track.end[rows]) / 2, np.argsort(track.start[rows], kind="stable")
    at = at[order]
    weights = np.array(list(MOUTH.values()))
    shapes = track.values[rows][order][:, [track.space.index(name) for name in MOUTH]].astype(np.float64) * weights
    before = np.searchsorted(at, at - _STEP * 0.75, side="right") - 1
    later = np.flatnonzero((before >= 0) & (at - at[np.maximum(before, 0)] <= _PAUSE))
    before = before[later]
    size = np.sqrt(np.nanmean((shapes[later] - shapes[before]) ** 2, axis=1)) if len(later) else np.zeros(0)
    return _celled((at[later] + at[before]) / 2, np.log(size + _DARK), cells)


def opening(track: Track, cells: int) -> Floats:
    """Return how wide the mouth is open in each cell of time, the sum of `OPEN`; NaN where none is seen."""
    wide = track.values[:, [track.space.index(name) for name in OPEN]].astype(np.float64).sum(1)
    rows = ~np.isnan(wide)
    return _celled((track.start[rows] + track.end[rows]) / 2, wide[rows], cells)


def activity(tracks: Sequence[Track], cells: int) -> Floats:
    """Return how surely, 0..1, a voice is heard in each cell of time: the share of the cell that its rows cover."""
    whole = np.zeros(cells)
    for track in tracks:
        for start, end, sure in zip(track.start, track.end, track.values[:, 0], strict=True):
            if np.isnan(sure):
                continue
            first, last = int(start / _TICK), min(int(end / _TICK), cells - 1)
            edges = np.arange(first, last + 1) * _TICK
            whole[first : last + 1] += sure * (np.minimum(end, edges + _TICK) - np.maximum(start, edges)) / _TICK
    return np.clip(whole, 0, 1)


def features(moves: Floats, wide: Floats, speaks: Floats) -> Floats:
    """Return what is said of each pair, f x v x `FEATURES`.

    Args:
        moves: f x cells, log motion, NaN where the mouth is not seen.
        wide: f x cells, how open it is, likewise.
        speaks: v x cells, 0..1.
    """
    found = np.zeros((len(moves), len(speaks), len(FEATURES)))
    seen = ~np.isnan(moves)
    rates = np.maximum(1, [round(float(_spacing(row))) for row in seen]) * _TICK
    heard = speaks > 0.5
    rivals = _rivals(moves)
    smooth = [_smoothed(row) for row in moves]
    for v, own in enumerate(speaks):
        alone = heard[v] & (heard.sum(0) == 1)
        alone = alone if alone.any() else heard[v]
        for f, row in enumerate(moves):
            now, then = row[alone & seen[f]], row[~heard[v] & seen[f]]
            sighted = ~np.isnan(wide[f])
            known = len(now) * rates[f] / (len(now) * rates[f] + 2)
            both = alone & seen[f] & ~np.isnan(rivals[f])
            found[f, v] = (
                known,
                known * ((now.mean() if len(now) else QUIET) - QUIET),
                _apart(now, then, rates[f], 0.1),
                _apart(wide[f][alone & sighted], wide[f][~heard[v] & sighted], rates[f], 0.002),
                _together(smooth[f], _smoothed(own)),
                _above(row[both] - rivals[f][both], rates[f]),
                1 - _covered(heard[v], seen[f], round(rates[f] / _TICK)),
            )
    return found


def _celled(at: Floats, values: Floats, cells: int) -> Floats:
    """Return the mean of what lies in each cell of time; NaN where nothing does."""
    cell = np.minimum((at / _TICK).astype(int), cells - 1)
    known = np.bincount(cell, minlength=cells)
    total = np.bincount(cell, values, minlength=cells)
    return np.asarray(np.divide(total, known, out=np.full(cells, np.nan), where=known > 0))


def _merged(rows: list[Floats]) -> Floats:
    stacked = np.stack(rows)
    known = (~np.isnan(stacked)).sum(0)
    return np.asarray(np.divide(np.nansum(stacked, 0), known, out=np.full(len(known), np.nan), where=known > 0))


def _spacing(seen: npt.NDArray[np.bool_]) -> float:
    """Return how many cells lie from one that is seen to the next, as a rule."""
    gaps = np.diff(np.flatnonzero(seen))
    return float(np.median(gaps)) if len(gaps) else _STEP / _TICK


def _rivals(moves: Floats) -> Floats:
    """Return for each face how much the others' mouths move, f x cells: the mean of those seen within .2 s."""
    filled = np.stack([_smoothed(row, 5) for row in moves])
    known, total = (~np.isnan(filled)).sum(0), np.nansum(filled, 0)
    others = known - ~np.isnan(filled)
    rest = total - np.nan_to_num(filled)
    return np.asarray(np.divide(rest, others, out=np.full(moves.shape, np.nan), where=others > 0))


def _smoothed(row: Floats, window: int = _WINDOW) -> Floats:
    """Return the mean of what is known within a window around each cell."""
    kernel = np.ones(window)
    known = np.convolve(~np.isnan(row), kernel, "same")
    total = np.convolve(np.nan_to_num(row), kernel, "same")
    return np.asarray(np.divide(total, known, out=np.full(len(row), np.nan), where=known > 0.5))


def _firm(value: float, error: float) -> float:
    return float(np.tanh(value / max(error, 1e-6) / _FIRM))


def _apart(now: Floats, then: Floats, rate: float, least: float) -> float:
    """Return by how many standard errors now is above then, within -1..1; no variance is below `least`."""
    if len(now) < 2 or len(then) < 2:
        return 0.0
    few = [max(1.0, len(part) * rate / _ALIKE) for part in (now, then)]
    spread = sum(max(least, float(part.var())) / size for part, size in zip((now, then), few, strict=True))
    return _firm(float(now.mean() - then.mean()), float(np.sqrt(spread)))


def _above(gaps: Floats, rate: float) -> float:
    if len(gaps) < 2:
        return 0.0
    few = max(1.0, len(gaps) * rate / _ALIKE)
    return _firm(float(gaps.mean()), float(np.sqrt((gaps.var() + 0.1) / few)))


def _together(move: Floats, own: Floats) -> float:
    """Return the best correlation of smoothed motion and activity within the lags, by Fisher's z, less chance."""
    best = -np.inf
    for lag in LAGS:
        a, b = (move[lag:], own[: len(own) - lag]) if lag >= 0 else (move[:lag], own[-lag:])
        known = ~np.isnan(a) & ~np.isnan(b)
        few = known.sum() * _TICK / (2 * _ALIKE)
        if few < 4 or a[known].std() < 1e-6 or b[known].std() < 1e-6:
            continue
        together = np.clip(np.corrcoef(a[known], b[known])[0, 1], -0.99, 0.99)
        best = max(best, float(np.arctanh(together) * np.sqrt(few - 3)))
    return 0.0 if np.isinf(best) else _firm(best - 0.5, 1.0)


def _covered(heard: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_], spacing: int) -> float:
    """Return the share of the time in which a voice is heard that a face is seen."""
    near = np.convolve(seen, np.ones(2 * spacing + 1), "same") > 0.5
    return float((heard & near).sum() / max(1, heard.sum()))
