"""Scores of emotion in time: which part of a recording was named wrong, which episodes were found, which frames agree.

Conventions:
    Both Tracks are in seconds and in one space; they need not have the same rows. Times are rounded to a microsecond,
    rows of no length hold no time.
    What is scored is the stretch from the first start to the last end of the truth, or 0..`duration` if that is given;
    moments covered only by rows in which the truth is NaN are left out of it, and episodes end there. What the estimate
    says outside is not scored, so give `duration` where the truth lists emotions only. A moment that no row covers has
    no emotion, and nor has one of the label `neutral`; rows of NaN in the estimate say none.
    Emotion diarization error rate (Wang et al. 2023: missed emotion + false alarm + confusion, as a share of time):
    at a moment with the emotions T in truth and E in the estimate, missed is max(0, |T| - |E|), false alarm
    max(0, |E| - |T|), confusion min(|T|, |E|) - |T and E|, each divided by max(|T|, |E|); then the mean over all time
    that is scored. Where rows overlap, T or E has several labels; with one each it is 1 - share of time named right.
    An episode is the longest unbroken stretch of one emotion. It is found if an episode of the estimate has the same
    emotion and a start and an end no further off than `tolerance`; each counts once. Precision, recall and F1 are over
    all episodes; F1 is 1 where there is none on either side, and 0/0 gives NaN in precision and recall.
    Frames: both sides stand at the middle of their rows. Each row of the estimate at t is compared with the truth at
    t + `lag`, a straight line between the two rows around it, since who rates while watching is late. Nothing is
    compared before the first and after the last row of the truth, nor in its gaps (longer than 1.5 median steps).
    Fix the lag on train, never on test. CCC divides by n unless ddof is 1, as in `dimensional`.

Knows seconds; knows neither characters nor turns.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.metrics.classification import HALF, above, top
from affetto.metrics.dimensional import ccc
from affetto.metrics.pairs import Flags, Floats, mean_of_said, same_space

NEUTRAL = "neutral"
"""The label that is no emotion, in spaces that have it."""
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Strip:
    """Time cut at every start and end of both Tracks; m pieces of k emotions."""

    edges: Floats
    """m + 1, seconds, rising."""
    names: tuple[str, ...]
    """The k emotions: the labels of the space without the neutral one."""
    asked: Flags
    """m x k, which the truth has."""
    said: Flags
    """m x k, which the estimate has."""
    scored: Flags
    """m, whether the truth speaks there."""


def strip(
    truth: Track,
    estimate: Track,
    neutral: str = NEUTRAL,
    threshold: float = HALF,
    duration: float | None = None,
) -> Strip:
    """Return both Tracks on one cut of time.

    Args:
        truth: rows in seconds, in a space of kind `one` (its highest label counts) or `any`.
        estimate: rows in seconds, in the same space.
        neutral: the label that is no emotion.
        threshold: kind `any` only: from where on the estimate says a label.
        duration: seconds; scores 0..duration instead of the stretch of the truth.

    Raises:
        MalformedError: the Tracks cannot be compared, are not in seconds, or there is no time to score.
        UnknownNameError: the space has no label `neutral`, and one other than the default was asked for.
    """
    space = _seconds(truth, estimate, ("one", "any"))
    if neutral != NEUTRAL:
        space.index(neutral)
    kept = [i for i, name in enumerate(space.names) if name != neutral]
    if duration is not None and not (0 < duration < np.inf and round(duration, DIGITS) >= _last(truth)):
        raise MalformedError(f"duration is seconds up to the end of the truth or later, not {duration!r}")
    low = 0.0 if duration is not None else float(np.round(truth.start.min(initial=np.inf), DIGITS))
    high = float(np.round(duration, DIGITS)) if duration is not None else _last(truth)
    if not low < high:
        raise MalformedError("the truth covers no time: give rows of some length, or the duration of the recording")
    times = _rounded(np.concatenate([[low, high], truth.start, truth.end, estimate.start, estimate.end]))
    edges: Floats = np.unique(np.clip(times, low, high))
    mute: Flags = np.all(np.isnan(truth.values), axis=1)
    spoken, silent = (_cover(truth, chosen[:, None], edges)[:, 0] for chosen in (~mute, mute))
    return Strip(
        edges,
        tuple(space.names[i] for i in kept),
        _cover(truth, _labels(truth, space, HALF)[:, kept], edges),
        _cover(estimate, _labels(estimate, space, threshold)[:, kept], edges),
        spoken | ~silent,
    )


def diarization_error(both: Strip) -> dict[str, float]:
    """Return `eder` and its parts `missed`, `false_alarm` and `confusion`, shares of time, 0..1, 0 the best.

    Raises:
        MalformedError: the truth speaks at no time.
    """
    lasts = np.diff(both.edges) * both.scored
    if not lasts.sum():
        raise MalformedError("the truth says nothing at any time, so there is nothing to score")
    asked, said = both.asked.sum(1), both.said.sum(1)
    shares = lasts / lasts.sum() / np.maximum(1, np.maximum(asked, said))
    parts = {
        "missed": float(shares @ np.maximum(0, asked - said)),
        "false_alarm": float(shares @ np.maximum(0, said - asked)),
        "confusion": float(shares @ (np.minimum(asked, said) - (both.asked & both.said).sum(1))),
    }
    return {"eder": sum(parts.values())} | parts


def segment_scores(both: Strip, tolerance: float = 0.5) -> dict[str, float]:
    """Return `segment_precision`, `segment_recall` and `segment_f1` of episodes.

    Args:
        both: truth and estimate.
        tolerance: seconds by which starts and ends may be off.

    Raises:
        MalformedError: the tolerance is negative or no number.
    """
    if not 0 <= tolerance < np.inf:
        raise MalformedError(f"the tolerance is 0 seconds or more, not {tolerance!r}")
    asked, said, found = 0, 0, 0
    for label in range(len(both.names)):
        a = _episodes(both.edges, both.asked[:, label] & both.scored)
        b = _episodes(both.edges, both.said[:, label] & both.scored)
        asked, said, found = asked + len(a), said + len(b), found + _matched(a, b, tolerance)
    return {
        "segment_precision": found / said if said else float("nan"),
        "segment_recall": found / asked if asked else float("nan"),
        "segment_f1": 2 * found / (asked + said) if asked + said else 1.0,
    }


def frame_ccc(
    truth: Track,
    estimate: Track,
    lag: float = 0.0,
    ddof: Literal[0, 1] = 0,
    silent: Literal["drop", "refuse"] = "refuse",
) -> dict[str, float]:
    """Return the CCC over frames of each axis by name, NaN for an axis of which the truth never speaks.

    Args:
        truth: rows in seconds, in a space of kind `graded`.
        estimate: rows in seconds, in the same space; each is a frame.
        lag: seconds by which the truth is later than the signal.
        ddof: what variances divide by: n - ddof.
        silent: `refuse` an estimate that is NaN where the truth speaks, or `drop` those frames.

    Raises:
        MalformedError: the Tracks cannot be compared, no frame falls on the truth, or the estimate is silent there.
    """
    if silent not in ("drop", "refuse"):
        raise MalformedError(f"silent is drop or refuse, not {silent!r}")
    if not np.isfinite(lag):
        raise MalformedError(f"the lag is a number of seconds, not {lag!r}")
    space = _seconds(truth, estimate, ("graded",))
    at = _rounded((estimate.start + estimate.end) / 2 + lag)
    asked = _between(truth, at)
    scores = {}
    for axis, name in enumerate(space.names):
        rows = ~np.isnan(asked[:, axis])
        mute = rows & np.isnan(estimate.values[:, axis])
        if mute.any() and silent == "refuse":
            raise MalformedError(
                f"the estimate says nothing of {name} in {mute.sum()} of {rows.sum()} frames of which truth speaks: "
                "fill them, or ask for silent='drop'"
            )
        rows &= ~mute
        said = estimate.values[rows, axis]
        scores[name] = ccc(asked[rows, axis], said, ddof) if rows.any() else float("nan")
    if np.isnan(list(scores.values())).all():
        raise MalformedError("no frame of the estimate falls on a moment of which the truth speaks")
    return scores


def _seconds(truth: Track, estimate: Track, kinds: tuple[str, ...]) -> Space:
    space = same_space(truth, estimate, kinds)
    if truth.unit != "s":
        raise MalformedError(f"scores in time want rows in seconds (s), not {truth.unit}")
    return space


def _last(track: Track) -> float:
    return float(np.round(track.end.max(initial=-np.inf), DIGITS))


def _rounded(times: npt.ArrayLike) -> Floats:
    rounded: Floats = np.asarray(times, np.float64).round(DIGITS)
    return rounded


def _labels(track: Track, space: Space, threshold: float) -> Flags:
    if not len(track):
        return np.zeros((0, len(space.axes)), bool)
    on: Flags = (top(track.values) if space.kind == "one" else above(track.values, threshold)) == 1
    return on


def _cover(track: Track, labels: Flags, edges: Floats) -> Flags:
    """Return which of the labels of the rows hold in each piece of time."""
    steps = np.zeros((len(edges), labels.shape[1]), np.int64)
    for times, step in ((track.start, 1), (track.end, -1)):
        at = np.searchsorted(edges, np.clip(_rounded(times), edges[0], edges[-1]))
        np.add.at(steps, at, step * labels.astype(np.int64))
    covered: Flags = np.cumsum(steps, 0)[:-1] > 0
    return covered


def _episodes(edges: Floats, on: Flags) -> Floats:
    """Return the start and end of each unbroken stretch, m x 2."""
    turns = np.diff(np.r_[False, on, False].astype(np.int8))
    return np.stack([edges[turns == 1], edges[turns == -1]], 1)


def _matched(truth: Floats, estimate: Floats, tolerance: float) -> int:
    """Return how many episodes can be paired, each at most once.

    Episodes of one label are apart and in order, so those that an episode may be paired with are neighbours, and the
    windows of later episodes begin no earlier. Taking the first free one each time is therefore the best.
    """
    slack = tolerance + 10.0**-DIGITS / 2
    found = at = 0
    for start, end in truth:
        while at < len(estimate) and (estimate[at, 0] < start - slack or estimate[at, 1] < end - slack):
            at += 1
        if at < len(estimate) and estimate[at, 0] <= start + slack and estimate[at, 1] <= end + slack:
            found, at = found + 1, at + 1
    return found


def _between(track: Track, at: Floats) -> Floats:
    """Return the values of a Track at moments, on straight lines between the middles of its rows; NaN off them."""
    middles = _rounded((track.start + track.end) / 2)
    order = np.argsort(middles, kind="stable")
    middles, values = middles[order], track.values[order].astype(np.float64)
    if not len(middles):
        return np.full((len(at), values.shape[1]), np.nan)
    steps = np.diff(middles)
    if (steps == 0).any():
        raise MalformedError("frames of the truth are one a moment, but two rows have the same middle")
    usual = float(np.median(steps)) if len(steps) else 0.0
    right = np.clip(np.searchsorted(middles, at), 0, len(middles) - 1)
    left = np.where(middles[right] == at, right, np.maximum(right - 1, 0))
    apart = right > left
    share = np.divide(at - middles[left], middles[right] - middles[left], out=np.zeros_like(at), where=apart)[:, None]
    drawn = np.where(share > 0, values[left] * (1 - share) + values[right] * share, values[left])
    gap = track.start[order][right] - track.end[order][left] > 1.5 * usual
    off = (at < middles[0]) | (at > middles[-1]) | (apart & gap)
    return np.where(off[:, None], np.nan, drawn)


def evaluate(
    truth: Track,
    estimate: Track,
    neutral: str = NEUTRAL,
    threshold: float = HALF,
    duration: float | None = None,
    tolerance: float = 0.5,
    lag: float = 0.0,
    ddof: Literal[0, 1] = 0,
    silent: Literal["drop", "refuse"] = "refuse",
) -> dict[str, float]:
    """Return all scores in time that the kind of space allows.

    Args:
        truth: rows in seconds.
        estimate: rows in seconds, in the same space.
        neutral: labels: the one that is no emotion.
        threshold: kind `any`: from where on the estimate says a label.
        duration: labels: scores 0..duration instead of the stretch of the truth.
        tolerance: labels: seconds by which an episode may be off.
        lag: numbers: seconds by which the truth is later than the signal.
        ddof: numbers: what variances divide by: n - ddof.
        silent: numbers: `refuse` an estimate that is NaN where the truth speaks, or `drop` those frames.

    Returns:
        Kinds `one` and `any`: `seconds` scored, `eder`, `missed`, `false_alarm`, `confusion`, `segment_precision`,
        `segment_recall`, `segment_f1`. Kind `graded`: `ccc_<axis>` over frames, and `ccc`, their mean.

    Raises:
        MalformedError: the Tracks cannot be compared, or there is nothing to score.
        UnknownNameError: the space has no label `neutral`, and one other than the default was asked for.

    >>> from affetto.core.space import Axis, Space
    >>> mood = Space("mood-2", "one", (Axis("joy"), Axis("neutral")))
    >>> truth, said = (Track(mood, [0, t], [t, 8], [[1, 0], [0, 1]]) for t in (4, 6))
    >>> evaluate(truth, said)["eder"]
    0.25
    """
    space = _seconds(truth, estimate, ("one", "any", "graded"))
    if space.kind == "graded":
        each = frame_ccc(truth, estimate, lag, ddof, silent)
        return {f"ccc_{name}": score for name, score in each.items()} | {"ccc": mean_of_said(list(each.values()))}
    both = strip(truth, estimate, neutral, threshold, duration)
    lasting = {"seconds": float((np.diff(both.edges) * both.scored).sum())}
    return lasting | diarization_error(both) | segment_scores(both, tolerance)
