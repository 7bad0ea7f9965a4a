"""MELD as talks with two channels: what `text.affect-en` says of the words, and a small reader of the voice.

There are no raw sounds at hand, but the 88 functionals of eGeMAPS for the clips of dev and test (`features/
meld_opensmile`). So the voice is read by a regression on them that learned from dev alone: of dev it answers each
dialogue after learning from the others (five folds of dialogues), of test after learning from all of dev. It is no
model of this package. Turns lie at their seconds in the episode, from the start of their dialogue.
"""

import csv
import gzip
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from affetto.core.catalog import load
from affetto.core.track import Track
from affetto.models.fusion.grid import LEAST
from recipes.fusion_items import GOAL
from recipes.fusion_made import CHANNELS, Items, Made

FOLDS = 5
STRENGTH = 0.003
"""C of the regression on standardised functionals; of .0003 to .1 the best on dev, dialogues left out."""
LONGEST, SHORTEST = 15.0, 0.3
"""Seconds of a turn; the published times hold some mistakes."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Talk:
    """What one speaker says in one dialogue, and what the channels say of it."""

    dialogue: str
    tracks: tuple[Track, ...]
    start: Floats
    """n: seconds of each turn."""
    end: Floats
    """n."""
    truth: npt.NDArray[np.int64]
    """n: the number of the label in ekman-7."""


@dataclass(frozen=True, eq=False)
class _Turns:
    """All turns of a split, in order."""

    id: list[str]
    dialogue: list[str]
    speaker: list[str]
    start: Floats
    end: Floats
    truth: npt.NDArray[np.int64]


def talks(items: Items) -> dict[str, list[Talk]]:
    """Return the talks of dev and test."""
    turns = {split: _turns(split) for split in ("dev", "test")}
    heard = {split: _features(split, turns[split].id) for split in turns}
    said = dict(zip(turns, _voices(turns["dev"], heard), strict=True))
    return {split: _talks(turns[split], said[split], items) for split in turns}


def _turns(split: str) -> _Turns:
    names = load(GOAL).names
    rows: list[tuple[str, str, str, float, float, int]] = []
    for record in load("meld").read(split):
        labels = {
            int(track.start[k]): names.index(track.top(k).name)
            for track in record.tracks
            if track.space.id == GOAL
            for k in range(len(track))
        }
        first = min(start for start, _ in record.meta["times"])
        for k, turn in enumerate(record.turns):
            start, end = (second - first for second in record.meta["times"][k])
            end = min(max(end, start + SHORTEST), start + LONGEST)
            id = f"{record.id}-{record.meta['utterances'][k]}"
            rows.append((id, record.id, turn.speaker, start, end, labels[k]))
    ids, dialogues, speakers, starts, ends, truth = zip(*rows, strict=True)
    return _Turns(list(ids), list(dialogues), list(speakers), np.array(starts), np.array(ends), np.array(truth))


def _features(split: str, ids: Sequence[str]) -> Floats:
    """Return n x 88, NaN where the clip of a turn was not measured."""
    folder = Path(os.environ["AFFETTO_DATA"]) / "features" / "meld_opensmile"
    with gzip.open(folder / f"opensmile_{split}_features.csv.gz", "rb") as raw:
        rows = list(csv.DictReader(io.TextIOWrapper(raw, "utf-8")))
    names = [name for name in rows[0] if name != "file"]
    known = {row["file"].removesuffix(".wav"): [float(row[name]) for name in names] for row in rows}
    silent = [np.nan] * len(names)
    keys = ["dia{1}_utt{2}".format(*id.split("-")) for id in ids]
    return np.array([known.get(key, silent) for key in keys])


def _voices(dev: _Turns, heard: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Return n x 8 of dev and of test: what the reader says, and how surely it is right; NaN where nobody measured."""
    order = sorted(set(dev.dialogue))
    fold = np.array([order.index(name) % FOLDS for name in dev.dialogue])
    known = ~np.isnan(heard["dev"]).any(1)
    own = np.full((len(fold), 7), np.nan)
    for k in range(FOLDS):
        learned = known & (fold != k)
        asked = known & (fold == k)
        own[asked] = _answers(heard["dev"][learned], dev.truth[learned], heard["dev"][asked])
    there = ~np.isnan(heard["test"]).any(1)
    other = np.full((len(there), 7), np.nan)
    other[there] = _answers(heard["dev"][known], dev.truth[known], heard["test"][there])
    lift = [np.log(p.max(1) / (1 - p.max(1)))[:, None] for p in (own[known], other[there])]
    line = LogisticRegression(C=100.0).fit(lift[0], own[known].argmax(1) == dev.truth[known])
    found = []
    for values, rows, odds in ((own, known, lift[0]), (other, there, lift[1])):
        sure = np.full((len(values), 1), np.nan)
        sure[rows, 0] = line.predict_proba(odds)[:, 1]
        found.append(np.hstack([values, sure]))
    return found[0], found[1]


def _answers(lessons: Floats, truth: npt.NDArray[np.int64], asked: Floats) -> Floats:
    """Return the probabilities of seven labels after learning from lessons; extremes are cut at four deviations."""
    middle, spread = lessons.mean(0), lessons.std(0) + 1e-9
    x, new = (np.clip((rows - middle) / spread, -4, 4) for rows in (lessons, asked))
    machine = LogisticRegression(C=STRENGTH, max_iter=500).fit(x, truth)
    out = np.full((len(new), 7), 1e-3)
    out[:, machine.classes_] = machine.predict_proba(new)
    return out / out.sum(1, keepdims=True)


def _talks(turns: _Turns, voices: Floats, items: Items) -> list[Talk]:
    rows = np.flatnonzero(items["text_corpus"] == "meld")
    place = {str(items["text_id"][k]): k for k in rows}
    text = [place.get(id, -1) for id in turns.id]
    groups: dict[tuple[str, str], list[int]] = {}
    for k, key in enumerate(zip(turns.dialogue, turns.speaker, strict=True)):
        groups.setdefault(key, []).append(k)
    space, degrees = load(GOAL), load("va")
    found = []
    for (dialogue, speaker), own in groups.items():

        def track(values: Floats, sure: Floats, channel: str, kind: str, own: list[int] = own, speaker: str = speaker):
            return Track(
                space if kind == GOAL else degrees, turns.start[own], turns.end[own], values, subject=speaker,
                channel=channel, source="text.affect-en" if channel == "text" else "a regression", confidence=sure,
            )  # fmt: skip

        named = np.array([items["text_ekman7"][text[k]] if text[k] >= 0 else [np.nan] * 7 for k in own])
        placed = np.array([items["text_va"][text[k]] if text[k] >= 0 else [np.nan] * 2 for k in own])
        sure = np.array([items["text_confidence"][text[k]] if text[k] >= 0 else np.nan for k in own])
        tracks = (
            track(named, sure, "text", GOAL),
            track(placed, sure, "text", "va"),
            track(voices[own, :7], voices[own, 7], "voice", GOAL),
        )
        found.append(Talk(dialogue, tracks, turns.start[own], turns.end[own], turns.truth[own]))
    return found


def of_turns(values: npt.NDArray[np.float32], talk: Talk, step: float = 1.0) -> Floats:
    """Return what rows of a grid (n x k) say of each turn: their mean by overlap; NaN where they say nothing."""
    begins = np.arange(len(values)) * step
    inside = np.minimum(talk.end[:, None], begins + step) - np.maximum(talk.start[:, None], begins)
    weights = np.maximum(inside, 0) * ~np.isnan(values).any(1)
    total = weights.sum(1, keepdims=True)
    sums = weights @ np.nan_to_num(values)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)


def as_steps(some: Sequence[Talk]) -> Made:
    """Return each turn of talks as a made talk of one step."""
    parts = []
    for talk in some:
        named, placed, heard = talk.tracks
        n = len(talk.truth)
        logs = np.full((n, 1, len(CHANNELS), 7), np.nan, np.float32)
        va, sure = np.full((n, 1, len(CHANNELS), 2), np.nan, np.float32), np.full((n, 1, len(CHANNELS)), np.nan)
        for track, channel in ((named, "text"), (heard, "voice")):
            at = CHANNELS.index(channel)
            logs[:, 0, at] = np.log(np.clip(track.values, LEAST, 1))
            sure[:, 0, at] = track.confidence
        va[:, 0, CHANNELS.index("text")] = placed.values
        share = np.isfinite(logs).all(3).astype(np.float32)
        parts.append(Made(logs, va, sure.astype(np.float32), share, talk.truth[:, None], np.zeros(share.shape, int)))
    return Made(*(np.concatenate([getattr(part, name) for part in parts]) for name in Made.__dataclass_fields__))
