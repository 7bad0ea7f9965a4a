"""Scores of who spoke when, of how many people there were, and of whose face a voice was given.

Conventions:
    A side is any number of Tracks in seconds, in a space of kind `any` with one axis (`speaking`): a subject speaks
    in the rows that reach `threshold`. Several Tracks of one subject are one speaker, and rows that overlap count once.
    Subjects need not have the same names on both sides. What is scored is 0..`duration`, or without one from the first
    start to the last end of either side; moments covered by rows in which the truth is NaN are left out of it. Times
    are rounded to a microsecond.
    Diarization error rate (NIST, Rich Transcription evaluation plans 2003 to 2009; pyannote.metrics, Bredin 2017): at
    a moment with T speakers in truth, E in the estimate, and C of them the same, missed is max(0, T - E), false alarm
    max(0, E - T), and confusion min(T, E) - C; each is summed over the time that is scored, and divided by the time of
    speech, the sum of T: so it may be over 1. The same are those that a mapping of speakers one to one pairs, the one
    that gives them the most time together.
    A collar is so many seconds on each side of every start and end of speech in the truth that are not scored, as NIST
    has it (.25); pyannote.metrics says the whole width instead. Without `overlap`, moments in which several speak in
    truth are not scored. Both are left out before speakers are mapped.
    Link accuracy is the share of the people of the truth who are both seen and heard, and whose face and voice bear
    one name in the estimate.

Knows seconds and names; knows neither sound nor faces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.track import Track
from affetto.metrics.classification import HALF
from affetto.metrics.pairs import Flags, Floats

DIGITS = 6


@dataclass(frozen=True, eq=False)
class Floor:
    """Time cut at every start and end of speech; m pieces, r speakers in truth, h in the estimate."""

    lasts: Floats
    """m, seconds that are scored."""
    truth: tuple[str, ...]
    """The r speakers."""
    estimate: tuple[str, ...]
    """The h speakers."""
    asked: Flags
    """m x r, who speaks in truth."""
    said: Flags
    """m x h, who speaks in the estimate."""


def floor(
    truth: Sequence[Track],
    estimate: Sequence[Track],
    duration: float | None = None,
    collar: float = 0.0,
    overlap: bool = True,
    threshold: float = HALF,
) -> Floor:
    """Return both sides on one cut of time.

    Args:
        truth: Tracks of one or several speakers; none where nobody speaks.
        estimate: likewise.
        duration: seconds; scores 0..duration instead of the stretch of both sides.
        collar: seconds on each side of a start or end in the truth that are not scored.
        overlap: whether moments are scored in which several speak in truth.
        threshold: from where on a row says that somebody speaks.

    Raises:
        MalformedError: a Track is not in seconds or in a space of another kind, or an option is out of range.
    """
    _check([*truth, *estimate])
    if not 0 <= collar < np.inf:
        raise MalformedError(f"the collar is 0 seconds or more, not {collar!r}")
    if duration is not None and not 0 < duration < np.inf:
        raise MalformedError(f"duration is a number of seconds over 0, not {duration!r}")
    sides = [_stretches(tracks, threshold) for tracks in (truth, estimate)]
    silent = np.concatenate([np.zeros((0, 2)), *(_spans(track, np.isnan(track.values[:, 0])) for track in truth)])
    spans = np.concatenate([np.zeros((0, 2)), silent, *(own for side in sides for own in side.values())])
    turns = np.concatenate([np.zeros((0, 2)), *sides[0].values()]).ravel()
    zones = np.stack([turns - collar, turns + collar], 1) if collar else np.zeros((0, 2))
    low = 0.0 if duration is not None else spans.min(initial=np.inf)
    high = float(duration) if duration is not None else spans.max(initial=-np.inf)
    if not low < high:
        low = high = 0.0
    edges = np.unique(np.clip(np.r_[low, high, spans.ravel(), zones.ravel()].round(DIGITS), low, high))
    asked, said = (_covered(side, edges) for side in sides)
    left = _covered({"": np.concatenate([silent, zones])}, edges)[:, 0]
    if not overlap:
        left = left | (asked.sum(1) > 1)
    return Floor(np.diff(edges) * ~left, tuple(sides[0]), tuple(sides[1]), asked, said)


def mapping(both: Floor) -> dict[str, str]:
    """Return for speakers of the estimate who they are in truth: one to one, with the most time together.

    Those who share no time with anybody left are not in it.
    """
    together = (both.said * both.lasts[:, None]).T @ both.asked.astype(np.float64)
    pairs = best_pairs(together)
    return {both.estimate[row]: both.truth[column] for row, column in pairs if together[row, column] > 0}


def seconds(both: Floor) -> dict[str, float]:
    """Return the seconds of `speech` (of all speakers in truth), and those `missed`, `false_alarm` and `confusion`."""
    asked, said = both.asked.sum(1), both.said.sum(1)
    same = np.zeros(len(both.lasts))
    for ours, theirs in mapping(both).items():
        same += both.said[:, both.estimate.index(ours)] & both.asked[:, both.truth.index(theirs)]
    return {
        "speech": float(both.lasts @ asked),
        "missed": float(both.lasts @ np.maximum(0, asked - said)),
        "false_alarm": float(both.lasts @ np.maximum(0, said - asked)),
        "confusion": float(both.lasts @ (np.minimum(asked, said) - same)),
    }


def diarization_error(both: Floor) -> dict[str, float]:
    """Return `der` and its parts `missed`, `false_alarm` and `confusion`, shares of the time of speech, 0 the best.

    Raises:
        MalformedError: nobody speaks in the truth.
    """
    found = seconds(both)
    speech = found.pop("speech")
    if not speech:
        raise MalformedError("nobody speaks in the truth where it is scored, so there is no share of speech to give")
    parts = {name: spent / speech for name, spent in found.items()}
    return {"der": sum(parts.values())} | parts


def link_accuracy(truth: Mapping[str, str | None], estimate: Mapping[str, str | None]) -> float:
    """Return the share of voices that were given the right face, 0..1; NaN where none has a face in truth.

    Args:
        truth: of each voice the face, or None where it is not seen; those are not scored.
        estimate: likewise, by the same names of voices and faces; a voice that is not there has none.

    >>> link_accuracy({"ann": "left", "ben": "right", "radio": None}, {"ann": "left", "ben": None})
    0.5
    """
    right = [estimate.get(voice) == face for voice, face in truth.items() if face is not None]
    return float(np.mean(right)) if right else float("nan")


def best_pairs(weights: npt.ArrayLike) -> list[tuple[int, int]]:
    """Return the pairs of rows and columns, each used once, whose weights sum to the most; as many as can be.

    The Hungarian method with potentials and shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987).

    Args:
        weights: n x m, finite.

    Raises:
        MalformedError: they are no table of finite numbers.

    >>> best_pairs([[9, 8], [8, 1]])
    [(0, 1), (1, 0)]
    """
    table = np.asarray(weights, np.float64)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise MalformedError(f"pairs are found in a table of finite numbers, not of shape {table.shape}")
    if table.shape[0] > table.shape[1]:
        return sorted((row, column) for column, row in best_pairs(table.T))
    costs = -table
    n, m = costs.shape
    rows, columns = np.zeros(n), np.zeros(m + 1)
    holder = np.full(m + 1, -1)  # the row that holds each column; the last column is where a row starts from
    for row in range(n):
        holder[m], at = row, m
        least, before, done = np.full(m, np.inf), np.full(m, m), np.zeros(m + 1, bool)
        while holder[at] >= 0:
            done[at] = True
            left = costs[holder[at]] - rows[holder[at]] - columns[:m]
            better = ~done[:m] & (left < least)
            least[better], before[better] = left[better], at
            nearest = int(np.where(done[:m], np.inf, least).argmin())
            step = least[nearest]
            rows[holder[done]] += step
            columns[done] -= step
            least[~done[:m]] -= step
            at = nearest
        while at != m:
            holder[at] = holder[before[at]]
            at = int(before[at])
    return sorted((int(row), column) for column, row in enumerate(holder[:m]) if row >= 0)


def evaluate(
    truth: Sequence[Track],
    estimate: Sequence[Track],
    duration: float | None = None,
    collar: float = 0.0,
    overlap: bool = True,
    threshold: float = HALF,
) -> dict[str, float]:
    """Return all scores of who spoke when.

    Args:
        truth: Tracks of one or several speakers.
        estimate: likewise; names need not be the same.
        duration: seconds; scores 0..duration instead of the stretch of both sides.
        collar: seconds on each side of a start or end in the truth that are not scored.
        overlap: whether moments are scored in which several speak in truth.
        threshold: from where on a row says that somebody speaks.

    Returns:
        `speech`, the seconds scored, of all speakers; `der`, `missed`, `false_alarm` and `confusion`; and
        `speakers_off`, how many speakers too many (or, below 0, too few) the estimate has in the time that is scored.

    Raises:
        MalformedError: Tracks are not of speech in seconds, an option is out of range, or nobody speaks in the truth.

    >>> from affetto.core.space import Axis, Space
    >>> space = Space("speaking", "any", (Axis("speaking"),))
    >>> ann, voice = (Track(space, [0], [end], [[1]], subject=name) for name, end in (("ann", 4), ("voice-1", 3)))
    >>> evaluate([ann], [voice])["der"]
    0.25
    """
    both = floor(truth, estimate, duration, collar, overlap, threshold)
    heard = [int((both.lasts @ side > 0).sum()) for side in (both.said, both.asked)]
    found = {"speech": seconds(both)["speech"]} | diarization_error(both)
    return found | {"speakers_off": float(heard[0] - heard[1])}


def _check(tracks: Sequence[Track]) -> None:
    for track in tracks:
        if not isinstance(track, Track):
            raise MalformedError(f"who speaks when is told by Tracks, not by {type(track).__name__}")
        if track.unit != "s" or track.space.kind != "any" or len(track.space.axes) != 1:
            raise MalformedError(
                f"who speaks when is told in seconds, in a space of kind any with one axis such as speaking, not in"
                f" {track.space.id} ({track.space.kind}, {len(track.space.axes)} axes) in {track.unit}"
            )


def _spans(track: Track, rows: Flags) -> Floats:
    spans: Floats = np.stack([track.start[rows], track.end[rows]], 1).astype(np.float64)
    return spans[spans[:, 1] > spans[:, 0]]


def _stretches(tracks: Sequence[Track], threshold: float) -> dict[str, Floats]:
    """Return of each subject the stretches of speech, as they stand, n x 2; only of those who speak at all."""
    found: dict[str, list[Floats]] = {}
    for track in tracks:
        rows = np.nan_to_num(track.values[:, 0], nan=-1.0) >= threshold
        found.setdefault(track.subject, []).append(_spans(track, rows))
    whole = {subject: _joined(np.concatenate(parts)) for subject, parts in found.items()}
    return {subject: spans for subject, spans in whole.items() if len(spans)}


def _joined(spans: Floats) -> Floats:
    """Return stretches, those that touch or overlap as one: a collar stands at real starts and ends only."""
    spans = spans.round(DIGITS)[np.argsort(spans[:, 0], kind="stable")]
    if not len(spans):
        return spans
    reach = np.maximum.accumulate(spans[:, 1])
    first = np.r_[True, spans[1:, 0] > reach[:-1]]
    return np.stack([spans[first, 0], reach[np.r_[np.flatnonzero(first)[1:] - 1, len(spans) - 1]]], 1)


def _covered(stretches: Mapping[str, Floats], edges: Floats) -> Flags:
    """Return which stretches, of n names, hold each piece of time: m x n."""
    steps = np.zeros((len(edges), len(stretches)), np.int64)
    for column, spans in enumerate(stretches.values()):
        for times, step in ((spans[:, 0], 1), (spans[:, 1], -1)):
            at = np.searchsorted(edges, np.clip(times.round(DIGITS), edges[0], edges[-1]))
            np.add.at(steps[:, column], at, step)
    on: Flags = np.cumsum(steps, 0)[:-1] > 0
    return on
