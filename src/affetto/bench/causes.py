"""Which turn caused the feeling of another, and which of its words: talks with raters' marks beside answers.

Asked is about each turn whose true label is not neutral; its candidates are itself and every turn before it, as in the
first fold of RECCON (Poria et al. 2021), and whatever else raters marked. A pair is said to be a cause where an answer
has a row in the space `cause` that lies on the candidate, with the turn as its `about`; how sure the row is counts for
nothing, for who is not sure leaves it out. A row without a `note` names the whole turn.

    entailment      each pair once, however many marks it has
    macro_f1 positive_f1 negative_f1        F1 of the pairs that are a cause, of those that are none, and their mean
    span            each mark is a sample, and each pair without one
    squad_f1 lcs_f1                         of the marks; one whose pair was not found is 0
    contained_squad_f1 contained_lcs_f1     0 unless one text contains the other, as published figures have it
    exact_match inverse_f1 inverse_precision inverse_recall squad_f1_all lcs_f1_all     see `metrics.cause`
    squad_f1_found lcs_f1_found             of the marks whose pair was found

What is asked says the labels of the turns that are asked about. Each is part of its own questions alone: a system that
looks at the true label of a candidate must be named for it. Knows Tracks; knows no corpus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from affetto.bench.evaluate import RESAMPLES, Outcome, Part, compared
from affetto.bench.protocol import Benchmark
from affetto.bench.scores import Floats, Score
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.metrics import cause as metric

LABELS, CAUSES, NEUTRAL = "ekman-7", "cause", "neutral"
OF_PAIRS = ("macro_f1", "positive_f1", "negative_f1")
"""Scores of entailment; all others are of spans."""
_OF_SPANS = ("exact_match", "squad_f1", "lcs_f1", "contained_squad_f1", "contained_lcs_f1")


class Sample(NamedTuple):
    """One question: is `cause` a cause of what `turn` shows, and with which words."""

    turn: int
    cause: int
    words: str
    """Empty where it is none."""


def samples(record: Record) -> list[Sample]:
    """Return the questions of a talk with raters' Tracks: a pair once for each of its marks, or once without any."""
    marks = _named(record, record.tracks)
    found = []
    for turn in sorted(_feeling(record)):
        pairs = [(turn, cause) for cause in range(turn + 1)]
        pairs += [pair for pair in marks if pair[0] == turn and pair[1] > turn]
        for pair in pairs:
            found += [Sample(*pair, words) for words in marks.get(pair, [""])]
    return found


def asked(record: Record) -> Record:
    """Return the talk as it is shown to a system: with the labels of the turns that are asked about, and no causes."""
    turns = _feeling(record)
    tracks = []
    for track in record.tracks:
        if track.space.id == LABELS:
            mine = track[np.flatnonzero(np.isin(track.start, sorted(turns)))]
            if len(mine):
                tracks.append(replace(mine, source="raters"))
    return replace(record, tracks=tuple(tracks), meta={})


def kept(tracks: Sequence[Track]) -> tuple[Track, ...]:
    """Return what is scored of an answer."""
    return tuple(track for track in tracks if track.space.id == CAUSES and track.unit == "turn")


def said(record: Record, answer: Sequence[Track], questions: Sequence[Sample]) -> list[str]:
    """Return the words that an answer gives to each question; empty where it names no cause."""
    named = _named(record, kept(answer))
    return [named.get((one.turn, one.cause), [""])[0] for one in questions]


def evaluate(
    benchmark: Benchmark,
    records: Sequence[Record],
    answers: Mapping[str, Sequence[Sequence[Track]]],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Outcome]:
    """Score systems on the same talks and the same draws of talks; the headline says which of the two tasks it is.

    Raises:
        MalformedError: no turn of any talk shows anything.
    """
    questions = [samples(record) for record in records]
    if not any(questions):
        raise MalformedError(f"{benchmark.id} wants talks in which a turn is not neutral, and the truth has none")
    entailed = benchmark.metrics[0] in OF_PAIRS
    layouts, rights, spoken = {}, {}, {}
    for name, own in answers.items():
        words = [said(*row) for row in zip(records, own, questions, strict=True)]
        tallies = [of_pairs(*row) if entailed else of_spans(*row) for row in zip(questions, words, strict=True)]
        sums = {key: np.array([tally[key] for tally in tallies], np.float64) for key in tallies[0]}
        layouts[name] = [Part("", len(records), _pair_scores(sums) if entailed else _span_scores(sums))]
        hits = [bool(a.words) == bool(b) for row in zip(questions, words, strict=True) for a, b in _once(*row)]
        rights[name] = np.array(hits) if entailed else None
        spoken[name] = float(np.mean([len(tracks) > 0 for tracks in own]))
    n = sum(len(_once(row, [""] * len(row))) if entailed else len(row) for row in questions)
    return compared(benchmark, layouts, rights, spoken, (n, len(records)), seed, resamples)


def of_pairs(questions: Sequence[Sample], words: Sequence[str]) -> dict[str, float]:
    """Return how many pairs are a cause and said to be, or only one of both, or neither."""
    both = np.array([(bool(a.words), bool(b)) for a, b in _once(questions, words)], bool).reshape(-1, 2)
    true, found = both.T
    return {
        "hit": float((true & found).sum()),
        "missed": float((true & ~found).sum()),
        "wrong": float((~true & found).sum()),
        "rest": float((~true & ~found).sum()),
    }


def of_spans(questions: Sequence[Sample], words: Sequence[str]) -> dict[str, float]:
    """Return the sums of the scores of the marks, and how many questions were answered how."""
    pairs = [(one.words, found) for one, found in zip(questions, words, strict=True)]
    marks = [pair for pair in pairs if pair[0]]
    each = [metric.evaluate([a], [b], "span") for a, b in marks]
    return {name: float(sum(one[name] for one in each)) for name in _OF_SPANS} | {
        "marks": float(len(marks)),
        "found": float(sum(bool(b) for _, b in marks)),
        "right": float(sum(not a and not b for a, b in pairs)),
        "nothing": float(sum(not b for _, b in pairs)),
        "negatives": float(len(pairs) - len(marks)),
    }


def _once(questions: Sequence[Sample], words: Sequence[str]) -> list[tuple[Sample, str]]:
    """Return each pair once, whatever its marks."""
    return list({one[:2]: (one, found) for one, found in zip(questions, words, strict=True)}.values())


def _pair_scores(sums: Mapping[str, Floats]) -> dict[str, Score]:
    adds = np.stack([sums[key] for key in ("hit", "missed", "wrong", "rest")], 1)

    def positive(s: Floats) -> Floats:
        return _ratio(2 * s[:, 0], 2 * s[:, 0] + s[:, 1] + s[:, 2])

    def negative(s: Floats) -> Floats:
        return _ratio(2 * s[:, 3], 2 * s[:, 3] + s[:, 1] + s[:, 2])

    return {
        "macro_f1": Score(adds, lambda s: (positive(s) + negative(s)) / 2),
        "positive_f1": Score(adds, positive),
        "negative_f1": Score(adds, negative),
    }


def _span_scores(sums: Mapping[str, Floats]) -> dict[str, Score]:
    def share(part: Sequence[str], whole: Sequence[str]) -> Score:
        tops, bottoms = (np.sum([sums[key] for key in keys], 0) for keys in (part, whole))
        return Score(np.stack([tops, bottoms], 1), lambda s: _ratio(s[:, 0], s[:, 1]))

    found = {name: share([name], ["marks"]) for name in _OF_SPANS}
    found |= {f"{name}_found": share([name], ["found"]) for name in ("squad_f1", "lcs_f1")}
    found |= {f"{name}_all": share([name, "right"], ["marks", "negatives"]) for name in ("squad_f1", "lcs_f1")}
    found["inverse_f1"] = share(["right", "right"], ["nothing", "negatives"])
    found["inverse_precision"] = share(["right"], ["nothing"])
    found["inverse_recall"] = share(["right"], ["negatives"])
    return found


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _feeling(record: Record) -> set[int]:
    """Return the numbers of the turns whose label is not neutral."""
    found: set[int] = set()
    for track in record.tracks:
        if track.space.id == LABELS and track.unit == "turn":
            other = np.nan_to_num(track.values).argmax(1) != track.space.index(NEUTRAL)
            felt = np.flatnonzero(other & ~np.isnan(track.values).any(1))
            found.update(track.start[felt].astype(int).tolist())
    return found


def _named(record: Record, tracks: Sequence[Track]) -> dict[tuple[int, int], list[str]]:
    """Return of each pair that Tracks name as feeling and cause the words of each row."""
    found: dict[tuple[int, int], list[str]] = {}
    for track in tracks:
        if track.space.id != CAUSES or track.about is None:
            continue
        for row, (start, about) in enumerate(zip(track.start, track.about, strict=True)):
            cause = int(start)
            if about is None or np.isnan(track.values[row]).any() or not 0 <= cause < len(record.turns):
                continue
            words = (track.note[row] if track.note is not None else "") or record.turns[cause].text
            found.setdefault((int(about.start), cause), []).append(words)
    return found
