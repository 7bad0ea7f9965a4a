"""How feelings go in one recording: shares, transitions, recovery, peaks, and how two people move together.

Takes a Record with Tracks in seconds. Of each person the fused Tracks are read where there are some, else those of the
face, the voice, the words. Everything stands on an even grid of a second a step, from which steps that were not said
are left out. Knows no model and no film.

Formulas: inertia is the correlation of a step with the next, instability the root of the mean squared difference of
neighbours (MSSD; von Neumann 1941, in affect after Jahng, Wood and Trull 2008). Synchrony is the correlation of two
people's valence at the lag, within `lags`, where its size is largest (windowed cross-correlation without windows, after
Boker et al. 2002); what chance would give is told by the same after one of the two was turned round by random shifts
(surrogates, after Ramseyer and Tschacher 2010).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.grid import overlaps
from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track

Floats = npt.NDArray[np.float64]
ORDER = ("fused", "face", "voice", "text")
"""Which channel speaks for a person, the first that is there."""


@dataclass(frozen=True)
class CourseOptions:
    """How a recording is summed up."""

    step: float = 1.0
    """Seconds of a step of the grid."""
    peaks: int = 3
    """Moments of each person that are told, at most."""
    apart: float = 3.0
    """Seconds between two peaks, at least."""
    deep: float = 2.0
    """Deviations (1.4826 median absolute deviations) below a person's median from which on valence is low."""
    back: float = 0.5
    """Deviations below the median at which somebody has recovered."""
    lags: float = 5.0
    """Seconds by which one person may follow the other."""
    least: int = 20
    """Steps that two people must share to be compared."""
    surrogates: int = 200
    """Random shifts that say what chance gives."""
    seed: int = 20

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not (self.step > 0 and self.peaks >= 0 and self.apart >= 0 and self.deep > self.back >= 0):
            raise MalformedError("a summary wants step > 0, peaks >= 0, apart >= 0 and deep > back >= 0")
        if not (self.lags >= 0 and self.least >= 3 and self.surrogates >= 0):
            raise MalformedError("a summary wants lags >= 0, least >= 3 and surrogates >= 0")


@dataclass(frozen=True)
class Moment:
    """A moment that stands out."""

    at: float
    """Seconds."""
    label: str
    value: float
    channel: str


@dataclass(frozen=True)
class Recovery:
    """A time of low valence, and how long it took to come back."""

    start: float
    lowest: float
    """The second of the lowest step."""
    seconds: float
    """From the lowest step until valence was back; NaN where the recording ends before."""


@dataclass(frozen=True)
class Course:
    """One person's."""

    subject: str
    channel: str
    """That the labels are of; empty where there are none."""
    seen: float
    """Seconds in which the face was."""
    spoken: float
    """Seconds in which the person spoke."""
    turns: int
    said: float
    """Seconds about which something was said at all."""
    shares: dict[str, float] = field(default_factory=dict)
    """Label -> share of that time in which it was the most probable, the largest first."""
    transitions: dict[str, dict[str, int]] = field(default_factory=dict)
    """Label -> next label -> how often, from one stretch to the next without a gap."""
    means: dict[str, float] = field(default_factory=dict)
    """Of valence and arousal, and `valence_sd`, `inertia`, `instability` of valence."""
    peaks: tuple[Moment, ...] = ()
    """Strongest feelings other than neutral, in order of time."""
    recoveries: tuple[Recovery, ...] = ()
    conflicts: tuple[tuple[Span, str], ...] = ()
    """Stretches in which the channels contradict each other, and how."""


@dataclass(frozen=True)
class Pair:
    """How two people move together, by their valence."""

    first: str
    second: str
    correlation: float
    """At `lag`, -1..1; NaN where they share too little time, or one does not move."""
    lag: float
    """Seconds by which the second follows the first; negative: goes before."""
    at_once: float
    """The correlation without a lag."""
    chance: float
    """Share of random shifts with at least as large a correlation, 0..1: a p-value."""
    steps: int


@dataclass(frozen=True)
class Summary:
    """What can be told of a recording in numbers."""

    id: str
    duration: float
    people: tuple[Course, ...]
    pairs: tuple[Pair, ...]


def summarize(record: Record, options: CourseOptions | None = None) -> Summary:
    """Sum up a Record along its time.

    Raises:
        MalformedError: none of its Tracks lies in seconds.
    """
    options = options or CourseOptions()
    tracks = [track for track in record.tracks if track.unit == "s" and track.perspective != "evoked"]
    duration = max((float(track.end.max()) for track in tracks if len(track)), default=0.0)
    if duration <= 0:
        raise MalformedError(f"record {record.id!r} says nothing along time; perceive a recording or a timed talk")
    subjects = list(dict.fromkeys(track.subject for track in tracks))
    mine = {name: [track for track in tracks if track.subject == name] for name in subjects}
    people = tuple(_course(name, mine[name], record, duration, options) for name in subjects)
    curves = {name: _curve(mine[name], duration, options) for name in subjects}
    pairs = tuple(_pair(a, b, curves[a], curves[b], options) for a, b in combinations(subjects, 2))
    return Summary(record.id, duration, people, tuple(pair for pair in pairs if pair.steps >= options.least))


def gridded(track: Track, duration: float, step: float) -> Floats:
    """Return the values of a Track on an even grid, steps x k: the mean of the rows that touch a step, by overlap.

    Steps that no row says anything about are NaN.
    """
    steps = max(1, int(np.ceil(round(duration / step, 6))))
    said = ~np.isnan(track.values).any(1)
    columns = np.column_stack([np.ones(said.sum()), track.values[said]]).astype(np.float64)
    sums = overlaps(track.start[said], track.end[said], columns, step, steps)
    seconds = np.where(sums[:, :1] > 1e-6 * step, sums[:, :1], np.nan)
    return np.asarray(sums[:, 1:] / seconds)


def _of(tracks: Sequence[Track], kind: str, axis: str = "") -> Track | None:
    """Return the Track that speaks for a person: of a kind of space, with an axis, of the first channel there is."""
    for channel in ORDER:
        for track in tracks:
            fits = track.channel == channel and track.space.kind == kind and (not axis or axis in track.space.names)
            if fits and not np.isnan(track.values).all():
                return track
    return None


def _course(name: str, tracks: Sequence[Track], record: Record, duration: float, options: CourseOptions) -> Course:
    labels, curve = _of(tracks, "one"), _curve(tracks, duration, options)
    face = [track for track in tracks if track.channel == "face"]
    speaking = [track for track in tracks if track.space.id == "speaking"]
    rows = gridded(labels, duration, options.step) if labels else np.zeros((0, 0))
    tops = [-1 if np.isnan(row).any() else int(row.argmax()) for row in rows]
    return Course(
        subject=name,
        channel=labels.channel if labels else "",
        seen=_seconds(face[0]) if face else 0.0,
        spoken=sum(_seconds(track) for track in speaking[:1]),
        turns=sum(turn.speaker == name for turn in record.turns),
        said=float(sum(top >= 0 for top in tops)) * options.step,
        shares=_shares(labels, tops),
        transitions=_transitions(labels, tops),
        means=_means(tracks, duration, options),
        peaks=_peaks(labels, rows, options),
        recoveries=tuple(_recoveries(curve, options)),
        conflicts=tuple(_conflicts(tracks)),
    )


def _seconds(track: Track) -> float:
    said = ~np.isnan(track.values).all(1)
    return float((track.end - track.start)[said].sum())


def _shares(labels: Track | None, tops: Sequence[int]) -> dict[str, float]:
    said = [top for top in tops if top >= 0]
    if labels is None or not said:
        return {}
    counts = np.bincount(said, minlength=len(labels.space.axes)) / len(said)
    return {labels.space.names[i]: float(counts[i]) for i in np.argsort(-counts, kind="stable") if counts[i] > 0}


def _transitions(labels: Track | None, tops: Sequence[int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for before, after in pairwise(tops):
        if labels is not None and before >= 0 and after >= 0 and before != after:
            row = found.setdefault(labels.space.names[before], {})
            row[labels.space.names[after]] = row.get(labels.space.names[after], 0) + 1
    return found


def _curve(tracks: Sequence[Track], duration: float, options: CourseOptions) -> Floats:
    """Return a person's valence on the grid."""
    steps = max(1, int(np.ceil(round(duration / options.step, 6))))
    track = _of(tracks, "graded", "valence")
    if track is None:
        return np.full(steps, np.nan)
    return gridded(track, duration, options.step)[:, track.space.index("valence")]


def _means(tracks: Sequence[Track], duration: float, options: CourseOptions) -> dict[str, float]:
    track = _of(tracks, "graded", "valence")
    if track is None:
        return {}
    rows = gridded(track, duration, options.step)
    said = rows[~np.isnan(rows).any(1)]
    means = {name: float(said[:, i].mean()) for i, name in enumerate(track.space.names)}
    valence = rows[:, track.space.index("valence")]
    before, after = valence[:-1], valence[1:]
    both = ~np.isnan(before) & ~np.isnan(after)
    means["valence_sd"] = float(np.nanstd(valence))
    means["inertia"] = _correlation(before[both], after[both])
    means["instability"] = float(np.sqrt(((after - before)[both] ** 2).mean())) if both.any() else float("nan")
    return means


def _peaks(labels: Track | None, rows: Floats, options: CourseOptions) -> tuple[Moment, ...]:
    if labels is None:
        return ()
    names = labels.space.names
    felt = [i for i, name in enumerate(names) if name not in ("neutral", "calm")]
    strength = np.nan_to_num(rows[:, felt].max(1, initial=0), nan=0.0)
    found: list[Moment] = []
    for at in np.argsort(-strength, kind="stable"):
        second = (at + 0.5) * options.step
        near = any(abs(second - other.at) < options.apart for other in found)
        top = names[felt[int(rows[at, felt].argmax())]] if strength[at] > 0 else ""
        if len(found) < options.peaks and not near and top and names[int(rows[at].argmax())] == top:
            found.append(Moment(float(second), top, float(strength[at]), labels.channel))
    return tuple(sorted(found, key=lambda moment: moment.at))


def _recoveries(valence: Floats, options: CourseOptions) -> Iterator[Recovery]:
    """Yield each time that valence was low, from where it fell below until it was back."""
    said = valence[~np.isnan(valence)]
    if len(said) < options.least:
        return
    middle = float(np.median(said))
    deviation = 1.4826 * float(np.median(np.abs(said - middle)))
    if deviation == 0:
        return
    at = 0
    while at < len(valence):
        if not valence[at] < middle - options.deep * deviation:
            at += 1
            continue
        after = np.flatnonzero(valence[at:] >= middle - options.back * deviation)
        end = at + int(after[0]) if len(after) else len(valence)
        lowest = at + int(np.nanargmin(valence[at:end]))
        back = (end - lowest) * options.step if len(after) else float("nan")
        yield Recovery(at * options.step, (lowest + 0.5) * options.step, back)
        at = end


def _conflicts(tracks: Sequence[Track]) -> Iterator[tuple[Span, str]]:
    """Yield stretches of neighbouring rows that mark a conflict by saying how, with the words of the first."""
    for track in tracks:
        if track.space.id != "conflict" or track.note is None:
            continue
        open: tuple[float, float, str] | None = None
        rows = zip(track.noted, track.note, track.start.tolist(), track.end.tolist(), strict=True)
        for marked, words, start, end in rows:
            if not marked:
                continue
            if open and start <= open[1]:
                open = (open[0], end, open[2])
            else:
                if open:
                    yield Span(open[0], open[1], "s"), open[2]
                open = (start, end, words)
        if open:
            yield Span(open[0], open[1], "s"), open[2]


def _pair(first: str, second: str, a: Floats, b: Floats, options: CourseOptions) -> Pair:
    steps = int((~np.isnan(a) & ~np.isnan(b)).sum())
    if steps < options.least:
        return Pair(first, second, float("nan"), 0.0, float("nan"), float("nan"), steps)
    lag, best = _best(a, b, options)
    rng = np.random.default_rng(options.seed)
    far = int(options.lags / options.step) + 1
    shifts = rng.integers(far, max(far + 1, len(b) - far), options.surrogates)
    by_chance = [abs(_best(a, np.roll(b, shift), options)[1]) for shift in shifts]
    chance = float((1 + sum(one >= abs(best) for one in by_chance)) / (1 + len(by_chance)))
    return Pair(first, second, best, lag * options.step, _shifted(a, b, 0, options.least), chance, steps)


def _best(a: Floats, b: Floats, options: CourseOptions) -> tuple[int, float]:
    """Return the lag in steps with the largest correlation, either way, and that correlation."""
    most = int(options.lags / options.step)
    lags = sorted(range(-most, most + 1), key=abs)
    each = [_shifted(a, b, lag, options.least) for lag in lags]
    if np.isnan(each).all():
        return 0, float("nan")
    k = int(np.nanargmax(np.abs(each)))
    return lags[k], each[k]


def _shifted(a: Floats, b: Floats, lag: int, least: int) -> float:
    """Return the correlation of `a` with what `b` is `lag` steps later."""
    x, y = (a[: len(a) - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[:lag])
    both = ~np.isnan(x) & ~np.isnan(y)
    return _correlation(x[both], y[both]) if both.sum() >= least / 2 else float("nan")


def _correlation(x: Floats, y: Floats) -> float:
    if len(x) < 3 or np.ptp(x) < 1e-9 or np.ptp(y) < 1e-9:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
