"""Whether an answer is what a case expects, and how far answers to swapped texts lie apart.

Knows Tracks and cases; knows no model and no file. An answer is read as three things: the labels it names, a polarity
from -1 to 1, and the valence of the writer where the model says one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.track import Track
from benchmarks.behaviour.cases import Case

NEAR = 0.1
"""Answers are the same where the highest label is, or where no label's probability moved by this much."""
CLEAR = 0.1
"""A polarity further from 0 than this is pleasant or unpleasant."""
FULL = 0.02
"""A feeling that is all there is cannot grow: so much less still counts as no less."""
EKMAN = {
    "joy": "admiration amusement approval caring desire excitement gratitude joy love optimism pride relief",
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "sadness": "disappointment embarrassment grief remorse sadness",
    "surprise": "confusion curiosity realization surprise",
    "neutral": "neutral",
}
"""The grouping of Demszky et al. 2020, for models that know only Ekman's labels."""
_GROUP = {label: group for group, labels in EKMAN.items() for label in labels.split()}


@dataclass(frozen=True)
class Answer:
    """What a model said of one text."""

    labels: Mapping[str, float]
    """Each label of its finest space, and its probability; empty where nothing was said."""
    named: frozenset[str]
    """The labels that it decided on, the highest always among them."""
    pleasant: float
    """Sum of the probabilities of pleasant labels."""
    unpleasant: float
    neither: float
    valence: float
    """Of the writer, -1 to 1; NaN where the model says none."""

    @property
    def polarity(self) -> float:
        """Pleasant less unpleasant, as a share of all that was said: -1 to 1."""
        whole = self.pleasant + self.unpleasant + self.neither
        return (self.pleasant - self.unpleasant) / whole if whole else 0.0

    @property
    def top(self) -> str:
        """The highest label, empty where nothing was said."""
        return max(self.labels, key=lambda label: self.labels[label], default="")


def answer(tracks: Sequence[Track]) -> Answer:
    """Read one text's Tracks: the labels in its finest space with several or with one, and the writer's valence."""
    said = [track for track in tracks if len(track) and not np.isnan(track.values).all()]
    spoken = [track for track in said if track.space.kind in ("one", "any") and track.subject != "reader"]
    graded = [t for t in said if t.subject != "reader" and "valence" in t.space.names]
    valence = float(graded[0].column("valence")[0]) if graded else math.nan
    if not spoken:
        return Answer({}, frozenset(), 0.0, 0.0, 0.0, valence)
    track = max(spoken, key=lambda t: len(t.space.axes))
    values = np.nan_to_num(track.values[0])
    labels = {axis.name: float(value) for axis, value in zip(track.space.axes, values, strict=True)}
    decided = track.note[0].split(";") if track.note and track.space.kind == "any" else []
    named = {name.strip() for name in decided if name.strip()} | {max(labels, key=lambda label: labels[label])}
    sides = {side: sum(labels[a.name] for a in track.space.axes if (a.polarity or 0) == side) for side in (1, -1, 0)}
    return Answer(labels, frozenset(named), sides[1], sides[-1], sides[0], valence)


def passes(case: Case, answers: Sequence[Answer]) -> bool:
    """Tell whether the answers to a case's texts are as it expects."""
    first = answers[0]
    if case.kind == "INV":
        return all(first.top == other.top for other in answers[1:]) or spread(answers)["label"] < NEAR
    if isinstance(case.expect, tuple):
        wanted = set(case.expect)
        if first.labels and "admiration" not in first.labels:
            wanted = {_GROUP[label] for label in wanted}
        return bool(wanted & first.named)
    match case.expect:
        case "pleasant":
            return first.polarity > CLEAR
        case "unpleasant":
            return first.polarity < -CLEAR
        case "not pleasant":
            return first.polarity <= CLEAR
        case "not unpleasant":
            return first.polarity >= -CLEAR
        case "both":
            return min(first.pleasant, first.unpleasant) > 0.2 * max(first.pleasant, first.unpleasant, 0.1)
        case "more pleasant":
            return first.polarity > answers[1].polarity
        case "less pleasant":
            return first.polarity < answers[1].polarity
        case "stronger":
            return abs(first.polarity) >= abs(answers[1].polarity) - FULL
        case "answered or silent":
            return all(math.isfinite(value) for value in first.labels.values())
    raise ValueError(f"a case expects {case.expect!r}, which nobody can judge")


def spread(answers: Sequence[Answer]) -> dict[str, float]:
    """Return how far answers lie apart, as means over all pairs: `valence`, `top` and `label`.

    `valence` is the difference in valence (NaN where none is said), `top` that in the probability of the label that is
    highest on average, `label` the largest difference of any label's probability.
    """
    if len(answers) < 2 or not all(one.labels for one in answers):
        return {"valence": math.nan, "top": math.nan, "label": math.nan}
    p = np.array([list(one.labels.values()) for one in answers])
    valence = np.array([one.valence for one in answers])
    i, j = np.triu_indices(len(answers), 1)
    apart = np.abs(p[i] - p[j])
    return {
        "valence": float(np.abs(valence[i] - valence[j]).mean()),
        "top": float(apart[:, p.mean(0).argmax()].mean()),
        "label": float(apart.max(1).mean()),
    }
