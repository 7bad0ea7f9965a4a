"""How feelings went in a recording: what each person was said to feel, moment by moment, beside what they did feel.

Who is who is found as `bench.people` does. All answers are brought to rows of one second (the mean of what they say in
it), so that none is better only for being smoother; of each channel the Track whose bridge to the benchmark's labels
loses least counts. The truth is compared moment by moment; a person nobody found is one of whom nothing was said.

    eder missed false_alarm confusion   emotion diarization error rate (`metrics.timeline`), all people, all their time
    accuracy uar        share of the time that is named right, over all time, and as the mean over labels; what nobody
                        named is wrong
    ccc_valence         concordance of valence where both sides say something; the truth's is that of its label
    ..._spoken          of the time in which the person speaks, when all channels may say something
    ..._face _voice _text           of one channel alone
    gain_face gain_voice gain_text  by how much the error rate of all channels together is lower than that of one

Knows Tracks, seconds and bridges; knows no corpus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from affetto.bench import people
from affetto.bench.evaluate import RESAMPLES, Outcome, Part, compared
from affetto.bench.protocol import Benchmark
from affetto.bench.scores import Floats, Score, concordance, recall
from affetto.core import catalog
from affetto.core.errors import MalformedError, NoBridgeError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Channel, Track
from affetto.metrics.timeline import diarization_error, strip
from affetto.spaces.bridges import bridge, translate

CHANNELS: tuple[Channel, ...] = ("fused", "face", "voice", "text")
VALENCE = "va"
STEP = 1.0
"""Seconds of a row of an answer."""
TICK = 0.1
"""Seconds of a moment."""


def kept(benchmark: Benchmark, tracks: Sequence[Track]) -> tuple[Track, ...]:
    """Return what is scored of an answer: who is who, and by person and channel labels and valence of each second."""
    found: list[Track] = list(people.kept(tracks))
    own = [t for t in tracks if t.unit == "s" and t.perspective != "evoked" and t.subject != "reader" and len(t)]
    for channel in CHANNELS:
        for subject in dict.fromkeys(track.subject for track in own if track.channel == channel):
            said = [track for track in own if track.channel == channel and track.subject == subject]
            for target in (benchmark.space, VALENCE):
                best = _nearest(said, target)
                if best is not None:
                    found.append(even(translate(best, target)))
    return tuple(found)


def even(track: Track, step: float = STEP) -> Track:
    """Return a Track in rows of one length from 0 s on: in each the mean of what is said, by time; NaN of nothing."""
    count = max(1, int(np.ceil(float(track.end.max()) / step - 1e-9)))
    edges = np.arange(count + 1) * step
    total, weight = np.zeros((count, len(track.space.axes))), np.zeros(count)
    for start, end, values in zip(track.start, track.end, track.values.astype(np.float64), strict=True):
        if np.isnan(values).any():
            continue
        first, last = int(start / step), min(count - 1, int(end / step))
        shared = np.minimum(end, edges[first + 1 : last + 2]) - np.maximum(start, edges[first : last + 1])
        total[first : last + 1] += np.maximum(0, shared)[:, None] * values
        weight[first : last + 1] += np.maximum(0, shared)
    rows = np.divide(total, weight[:, None], out=np.full_like(total, np.nan), where=weight[:, None] > 1e-9)
    return replace(
        track, start=edges[:-1], end=edges[1:], values=rows, confidence=None, box=None, about=None, note=None
    )


def evaluate(
    benchmark: Benchmark,
    records: Sequence[Record],
    answers: Mapping[str, Sequence[Sequence[Track]]],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Outcome]:
    """Score systems on the same recordings and the same draws of recordings.

    Raises:
        MalformedError: the truth says of nobody what they feel.
    """
    space: Space = catalog.load(benchmark.space)
    layouts, said = {}, {}
    for name, own in answers.items():
        found = [_lived(benchmark, record, tracks, space) for record, tracks in zip(records, own, strict=True)]
        if not any(found):
            raise MalformedError(f"{benchmark.id} wants recordings whose truth says what people feel, and it has none")
        layouts[name] = [Part("", len(records), _scores(found, space))]
        said[name] = _spoken_of(found)
    rights: dict[str, npt.NDArray[np.bool_] | None] = dict.fromkeys(answers)
    return compared(benchmark, layouts, rights, said, (len(records), len(records)), seed, resamples)


@dataclass(frozen=True, eq=False)
class _Life:
    """What one person felt in one recording, and was said to feel in one channel; m moments."""

    truth: Floats
    """m, the label's number; -1 where the truth says nothing."""
    said: Floats
    """m, likewise."""
    speaks: npt.NDArray[np.bool_]
    """m."""
    valence: Floats
    """m x 2, truth and answer; NaN where nothing is said."""
    errors: Mapping[str, float]
    """Seconds that are `missed`, `false_alarm` and `confusion`, and the `seconds` in all."""


Lives = dict[Channel, list[_Life]]


def _lived(benchmark: Benchmark, record: Record, answer: Sequence[Track], space: Space) -> Lives:
    """Return the people of one recording in each channel."""
    who = people.cast(record.tracks, answer)
    felt = [track for track in benchmark.truths(record) if track.channel == "fused" and len(track)]
    found: Lives = {}
    for channel in CHANNELS:
        for truth in felt:
            name = who.named(truth.subject, channel)
            own = {t.space.id: t for t in answer if t.channel == channel and t.subject == name and len(t)}
            speaking = [t for t in record.tracks if t.space.id == "speaking" and t.subject == truth.subject]
            nothing = replace(truth[:0], source="")
            said = own.get(space.id, nothing)
            found.setdefault(channel, []).append(_life(truth, said, own.get(VALENCE), speaking))
    return found


def _life(truth: Track, said: Track, valence: Track | None, speaking: Sequence[Track]) -> _Life:
    at = np.arange(np.floor(truth.start.min() / TICK), np.ceil(truth.end.max() / TICK)) * TICK + TICK / 2
    wanted, given = _at(truth, at), _at(said, at)
    pleasure = _at(translate(truth, VALENCE), at)[:, 0]
    heard = np.full(len(at), np.nan) if valence is None else _at(valence, at)[:, 0]
    speaks = np.zeros(len(at), bool)
    for track in speaking:
        speaks |= ~np.isnan(_at(track, at)[:, 0])
    both = strip(truth, said)
    shares = diarization_error(both)
    whole = float((np.diff(both.edges) * both.scored).sum())
    errors = {name: share * whole for name, share in shares.items()} | {"seconds": whole}
    return _Life(_label(wanted), _label(given), speaks, np.stack([pleasure, heard], 1), errors)


def _at(track: Track, at: Floats) -> Floats:
    """Return what a Track says at moments, n x k, of rows that overlap the last; NaN where none of its rows lies."""
    if not len(track):
        return np.full((len(at), len(track.space.axes)), np.nan)
    order = np.argsort(track.start, kind="stable")
    row = np.searchsorted(track.start[order], at, side="right") - 1
    there = (row >= 0) & (at < track.end[order][np.maximum(row, 0)])
    return np.where(there[:, None], track.values[order][np.maximum(row, 0)].astype(np.float64), np.nan)


def _label(values: Floats) -> Floats:
    said = ~np.isnan(values).any(1)
    return np.where(said, np.nan_to_num(values).argmax(1), -1).astype(np.float64)


def _scores(found: Sequence[Lives], space: Space) -> dict[str, Score]:
    """Return what each recording adds."""
    made: dict[str, Score] = {}
    for channel in CHANNELS:
        mark = "" if channel == "fused" else f"_{channel}"
        lives = [one.get(channel, []) for one in found]
        errors = np.array([[sum(x.errors[k] for x in own) for k in (*_ERRORS, "seconds")] for own in lives], np.float64)
        for k, name in enumerate(_ERRORS):
            if not mark or name == "eder":
                made[f"{name}{mark}"] = Score(errors[:, [k, -1]], people.ratio)
        for part in ("", "_spoken"):
            counts = np.array([_counts(own, len(space.axes), bool(part)) for own in lives])
            made[f"accuracy{mark}{part}"] = Score(counts, _accuracy)
            made[f"uar{mark}{part}"] = Score(counts, recall)
        made[f"ccc_valence{mark}"] = Score(np.array([_moments(own) for own in lives]), _concordance)
    for channel in CHANNELS[1:]:
        both = np.hstack([made[f"eder_{channel}"].adds, made["eder"].adds])
        made[f"gain_{channel}"] = Score(both, lambda sums: people.ratio(sums[:, :2]) - people.ratio(sums[:, 2:]))
    return made


_ERRORS = ("eder", "missed", "false_alarm", "confusion")


def _counts(lives: Sequence[_Life], labels: int, spoken: bool) -> Floats:
    """Return 2 x labels: moments of each label that are named right, and all of them."""
    found = np.zeros((2, labels))
    for one in lives:
        asked = (one.truth >= 0) & (one.speaks if spoken else True)
        truth = one.truth[asked].astype(int)
        found[0] += np.bincount(truth[one.said[asked] == truth], minlength=labels)
        found[1] += np.bincount(truth, minlength=labels)
    return found.ravel()


def _accuracy(sums: Floats) -> Floats:
    right, asked = np.split(sums, 2, axis=1)
    return people.ratio(np.stack([right.sum(1), asked.sum(1)], 1))


def _moments(lives: Sequence[_Life]) -> Floats:
    """Return n, x, y, xx, yy and xy of valence in truth and answer."""
    rows = np.concatenate([np.zeros((0, 2)), *(one.valence for one in lives)])
    x, y = rows[~np.isnan(rows).any(1)].T
    return np.array([len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])


def _concordance(sums: Floats) -> Floats:
    known = sums[:, 0] > 0
    return np.where(known, concordance(np.where(known[:, None], sums, 1.0)), np.nan)


def _spoken_of(found: Sequence[Lives]) -> float:
    """Return the share of the truth's time of which all channels together say something."""
    lives = [one for own in found for one in own.get("fused", ())]
    asked = np.concatenate([one.truth >= 0 for one in lives])
    return float(np.concatenate([one.said >= 0 for one in lives])[asked].mean())


def _nearest(tracks: Sequence[Track], target: str) -> Track | None:
    """Return the Track whose bridge to a space loses least, as `bench.rows` counts it; None where none leads there."""
    ways: list[tuple[float, Track]] = []
    for track in tracks:
        if track.space.kind not in ("one", "any", "graded"):
            continue
        if track.space.id == target:
            return track
        try:
            way = bridge(track.space, target)
        except NoBridgeError:
            continue
        ways.append((way.loss if np.isfinite(way.loss) else 1.0 + len(way.steps), track))
    return min(ways, key=lambda way: way[0])[1] if ways else None
