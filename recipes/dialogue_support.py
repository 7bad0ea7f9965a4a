"""Train, measure and publish `dialogue.strategy`, `dialogue.skills` and `dialogue.relief`.

    python -m recipes.dialogue_support --work build/dialogue [--only strategy] [--seed 20]

ESConv has an official split: dev calibrates and chooses (the test of `dialogue.relief` was scored twice: its card says
so). AnnoMI has none: five folds give the scores, talks of one video kept together; what calibrates a fold was found on
the other folds.
"""

import argparse
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affetto.bench.baselines import Baseline, Majority, TfidfLogistic
from affetto.bench.protocol import fold_of
from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.metrics import support
from affetto.metrics.agreement import cohen_kappa
from affetto.metrics.calibration import ece
from affetto.metrics.classification import macro_f1
from affetto.metrics.dimensional import ccc
from affetto.models.dialogue import words
from affetto.models.dialogue.context import around, heard
from affetto.models.dialogue.heads import Head, keep
from affetto.models.dialogue.readout import softmax
from affetto.models.dialogue.relief import told
from benchmarks.results import interval, save
from recipes import cards
from recipes.dialogue_heads import HeadOptions, Reader, Remembered, Wordings, head, learned, ridge, slope

log = logging.getLogger("dialogue.support")
ROOM = cards.HOME / "src/affetto/models/dialogue/weights"
STRATEGY = HeadOptions(epochs=6)
SKILLS = HeadOptions(epochs=6)
TILT = 0.2
"""How much of the log share of each strategy is taken off, so that rare ones are said more often (macro-F1 on dev)."""
HELD, WORDS_HELD = (1e3, 3e3, 1e4, 1e5), (1.0, 3.0, 10.0, 100.0)
"""Strengths of the ridge regressions of trouble that are tried on dev."""
PLAIN: tuple[type[Baseline], ...] = (Majority, TfidfLogistic)
Metrics = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Turns:
    """Labelled turns as arrays."""

    known: np.ndarray
    """n x AROUND."""
    texts: list[str]
    truth: np.ndarray
    """n."""
    group: list[str]
    """n: the talk, or the video."""
    meta: list[Mapping[str, Any]]

    def part(self, rows: np.ndarray) -> "Turns":
        """Return some of them."""
        held = [[values[k] for k in rows] for values in (self.texts, self.group, self.meta)]
        return Turns(self.known[rows], held[0], self.truth[rows], held[1], held[2])


def turns_of(records: Sequence[Record], spaces: Sequence[str], read: Reader) -> Turns:
    """Return the turns of talks that have a label in one of the spaces; labels of later spaces count on from before."""
    known, texts, truth, group, meta = [], [], [], [], []
    for record in records:
        views = around(record, read([turn.text for turn in record.turns]))
        start = 0
        for space in spaces:
            for track in record.tracks:
                if track.space.id == space and not track.source.startswith("rater:"):
                    for at, values in zip(track.start.astype(int), track.values, strict=True):
                        if not np.isnan(values).any():
                            known.append(views[at])
                            texts.append(record.turns[at].text)
                            truth.append(start + int(values.argmax()))
                            group.append(str(record.meta.get("group", record.id)))
                            meta.append(record.meta)
            start += len(load(space).axes)
    return Turns(np.array(known, np.float32), texts, np.array(truth, np.int64), group, meta)


def smoothed(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the smoothed cross-entropy."""
    return torch.nn.functional.cross_entropy(logits, truth, label_smoothing=0.05)


def of_two(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the smoothed cross-entropy of therapists' turns (labels 0 to 3) and clients' turns (4 to 6)."""
    client = truth >= 4
    parts = [
        torch.nn.functional.cross_entropy(some, label, label_smoothing=0.05, reduction="sum")
        for some, label in ((logits[~client, :4], truth[~client]), (logits[client, 4:], truth[client] - 4))
    ]
    return torch.stack(parts).sum() / len(truth)


def labelled(truth: np.ndarray, p: np.ndarray, group: Sequence[str], seed: int) -> Metrics:
    """Return macro-F1, accuracy, kappa and ECE of one label a row, with intervals over groups."""
    eye, said = np.eye(p.shape[1]), p.argmax(1)
    right, top = (said == truth).astype(float), p.max(1)
    scores = {
        "macro-F1": lambda r: macro_f1(eye[truth[r]], eye[said[r]]),
        "accuracy": lambda r: float(right[r].mean()),
        "kappa": lambda r: cohen_kappa(truth[r], said[r]),
        "ECE": lambda r: ece(right[r], top[r]),
    }
    return {name: interval(score, len(truth), seed, group, 300) for name, score in scores.items()}


def led(truth: np.ndarray, p: np.ndarray, group: Sequence[str], seed: int) -> Metrics:
    """Return Q, B and weighted F1 of strategies too."""
    names = np.array(support.STRATEGIES)
    t, s = names[truth], names[p.argmax(1)]
    scores = {
        "Q": lambda r: support.quality(t[r].tolist(), s[r].tolist()),
        "B": lambda r: support.bias(t[r].tolist(), s[r].tolist()),
        "weighted F1": lambda r: support.weighted_f1(t[r].tolist(), s[r].tolist()),
    }
    found = {name: interval(score, len(truth), seed, group, 300) for name, score in scores.items()}
    return found | labelled(truth, p, group, seed)


def publish_strategy(asked: words.Reader, work: Path, seed: int) -> None:
    """Train on train, calibrate on dev, score on test; write weights and card."""
    read = Remembered(partial(heard, asked), "esconv", work)
    corpus = load("esconv")
    train, dev, test = (_esconv(list(corpus.read(split)), read) for split in ("train", "dev", "test"))
    made = learned(train.known, train.texts, train.truth, 8, smoothed, STRATEGY)
    log_share = np.log(np.bincount(train.truth, minlength=8) / len(train.truth))
    made = Head(made.weight, (made.bias - TILT * log_share).astype(np.float32), made.grams)
    steep = slope(made(dev.known, dev.texts), dev.truth)
    for name, part in (("dev", dev), ("test", test)):
        found = labelled(part.truth, softmax(made(part.known, part.texts) * steep), part.group, seed)
        log.info("%s: %s", name, {key: round(one["value"], 4) for key, one in found.items()})
    metrics = led(test.truth, softmax(made(test.known, test.texts) * steep), test.group, seed)
    for kind in PLAIN:
        p = _baseline(kind, "strategy-8", train, test, 8)
        metrics |= {f"{key}, {kind.id}": one for key, one in led(test.truth, p, test.group, seed).items()}
    _write(
        "strategy",
        "esconv-strategies",
        {"deeds": _with(made, slopes=[steep])},
        metrics,
        len(test.truth),
        seed,
        "official test split; dev calibrates; bootstrap over talks; Q and B as Kang et al. 2024",
    )


def _esconv(records: Sequence[Record], read: Reader) -> Turns:
    return turns_of(records, ["strategy-8"], read)


def _baseline(kind: type[Baseline], space: str, train: Turns, test: Turns, k: int) -> np.ndarray:
    pupil = kind(space, 0).learn(train.texts, np.eye(k)[train.truth])
    return np.asarray(pupil._say(test.texts, [""] * len(test.texts)))


def publish_skills(asked: words.Reader, work: Path, seed: int) -> None:
    """Cross five folds, train on all; write weights and card."""
    read = Remembered(partial(heard, asked), "annomi", work)
    data = turns_of(list(load("annomi").read("all")), ["therapist-4", "client-talk-3"], read)
    fold = np.array([fold_of(name, 5, seed) for name in data.group])
    logits = np.zeros((len(fold), 7), np.float32)
    plain = {kind: np.zeros((len(fold), 7)) for kind in PLAIN}
    sides = {"therapist-4": (data.truth < 4, 0, 4), "client-talk-3": (data.truth >= 4, 4, 7)}
    for number in range(5):
        learn, rows = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        part, rest = data.part(learn), data.part(rows)
        made = learned(part.known, part.texts, part.truth, 7, of_two, SKILLS)
        logits[rows] = made(rest.known, rest.texts)
        for kind, found in plain.items():
            for space, (mine, start, end) in sides.items():
                taught, asked_rows = data.part(learn[mine[learn]]), rows[mine[rows]]
                moved = Turns(taught.known, taught.texts, taught.truth - start, taught.group, taught.meta)
                found[asked_rows, start:end] = _baseline(kind, space, moved, data.part(asked_rows), end - start)
        log.info("skills fold %d", number)
    metrics: Metrics = {}
    slopes = []
    for space, (mine, start, end) in sides.items():
        truth, own, folds = data.truth[mine] - start, logits[mine, start:end], fold[mine]
        group = [data.group[k] for k in np.flatnonzero(mine)]
        good = np.array([data.meta[k]["quality"] == "high" for k in np.flatnonzero(mine)])
        p = np.zeros_like(own)
        for number in range(5):
            p[folds == number] = softmax(own[folds == number] * slope(own[folds != number], truth[folds != number]))
        metrics |= {f"{key}, {space}": one for key, one in labelled(truth, p, group, seed).items()}
        for name, some in (("high", good), ("low", ~good)):
            rows = np.flatnonzero(some)
            found = labelled(truth[rows], p[rows], [group[k] for k in rows], seed)
            metrics |= {f"{key}, {space}, {name} quality": found[key] for key in ("macro-F1", "kappa")}
        for kind, said in plain.items():
            found = labelled(truth, said[mine, start:end], group, seed)
            metrics |= {f"{key}, {space}, {kind.id}": found[key] for key in ("macro-F1", "accuracy", "kappa")}
        slopes.append(slope(own, truth))
    made = learned(data.known, data.texts, data.truth, 7, of_two, SKILLS)
    _write(
        "skills",
        "annomi-5fold",
        {"deeds": _with(made, slopes=slopes)},
        metrics,
        len(fold),
        seed,
        "five folds, talks of one video kept together; calibrated on the other folds; bootstrap over videos",
    )


@dataclass(frozen=True)
class Troubles:
    """Talks with what the seeker said before and after."""

    known: np.ndarray
    texts: list[str]
    truth: np.ndarray
    """n x 2, NaN where not said."""

    def part(self, rows: np.ndarray) -> "Troubles":
        """Return some of them, by flags."""
        return Troubles(self.known[rows], [self.texts[k] for k in np.flatnonzero(rows)], self.truth[rows])

    def beside(self, other: "Troubles") -> "Troubles":
        """Return these and others."""
        known, truth = (np.concatenate(two) for two in ((self.known, other.known), (self.truth, other.truth)))
        return Troubles(known, self.texts + other.texts, truth)


def troubles(records: Sequence[Record], read: Reader) -> Troubles:
    """Return what is known of each talk, and how strong its trouble was."""
    known, texts, truth = [], [], []
    for record in records:
        vectors, words = told(record, read([turn.text for turn in record.turns]))
        known.append(vectors[0])
        texts += words
        answers = [np.nan, np.nan]
        for track in record.tracks:
            if track.space.id == "esconv-11":
                for start, row in zip(track.start, track.values, strict=True):
                    answers[int(start > 0)] = float(np.nanmax(row))
        truth.append(answers)
    return Troubles(np.array(known, np.float32), texts, np.array(truth))


def reckoned(data: Troubles, strength: Sequence[tuple[float, float]]) -> Head:
    """Train a ridge regression for before and one for after, each on the talks of which it is known.

    Args:
        data: talks.
        strength: for each of the two, how much vectors and words are held back.
    """
    mean, spread = data.known.mean(0), data.known.std(0) + 1e-3
    wordings = Wordings.of(data.texts, 5, 6000)
    table = wordings.table(data.texts)
    length = np.sqrt((table**2).sum(1)).mean()
    middle = table.mean(0) / length
    sides = []
    for side, (held, words_held) in enumerate(strength):
        rows = ~np.isnan(data.truth[:, side])
        scales = 1 / np.sqrt(held), 1 / np.sqrt(words_held)
        known = [(data.known[rows] - mean) / spread * scales[0], (table[rows] / length - middle) * scales[1]]
        weight, bias = ridge(np.concatenate(known, 1).astype(np.float64), data.truth[rows, side : side + 1], 1.0)
        width = data.known.shape[1]
        own, words = weight[:width, 0] * scales[0], weight[width:, 0] * scales[1]
        sides.append((own, bias[0] - middle @ words, words / length))
    weights, biases, words_of = (np.stack(parts, -1) for parts in zip(*sides, strict=True))
    return head(weights, biases, mean, spread, wordings.grams(words_of))


def publish_relief(asked: words.Reader, work: Path, seed: int) -> None:
    """Train on train and two of three failed talks, choose on dev and failed ones, score on test; write all."""
    read = Remembered(partial(heard, asked), "esconv", work)
    train, dev, test, failed = (
        troubles(list(load("esconv").read(split)), read) for split in ("train", "dev", "test", "failed")
    )
    third = np.arange(len(failed.texts)) % 6
    train, dev = train.beside(failed.part(third < 3)), dev.beside(failed.part(third == 3))
    mixed = test.beside(failed.part(third > 3))
    said = {both: reckoned(train, (both, both))(dev.known, dev.texts) for both in itertools.product(HELD, WORDS_HELD)}
    best = [min(said, key=lambda s, k=k: float(np.nanmean((said[s][:, k] - dev.truth[:, k]) ** 2))) for k in range(2)]
    log.info("held back by %s", best)
    made = reckoned(train, best)
    metrics: Metrics = {}
    for where, part in (("", test), (", with failed talks", mixed)):
        answers = np.clip(made(part.known, part.texts), 1, 5)
        mean = np.nanmean(train.truth, 0)
        gone = float(np.nanmean(train.truth[:, 1] - train.truth[:, 0]))
        moved = part.truth[:, 1] - part.truth[:, 0]
        for name, truth, mine, usual in (
            ("before", part.truth[:, 0], answers[:, 0], mean[0]),
            ("after", part.truth[:, 1], answers[:, 1], mean[1]),
            ("after less before", moved, answers[:, 1] - answers[:, 0], gone),
        ):
            rows = np.flatnonzero(~np.isnan(truth))
            found = graded(truth[rows], mine[rows], float(usual), seed)
            metrics |= {f"{key}, {name}{where}": one for key, one in found.items()}
    notes = "official test split (176 of 195 talks say after), and with 65 failed talks that were not learned from"
    _write("relief", "esconv-trouble", {"trouble": made}, metrics, len(test.texts), seed, notes)


def graded(truth: np.ndarray, mine: np.ndarray, usual: float, seed: int) -> Metrics:
    """Return Pearson, CCC and mean error, and the mean error of who always says the training mean."""
    scores = {
        "Pearson": lambda r: float(np.corrcoef(truth[r], mine[r])[0, 1]),
        "CCC": lambda r: ccc(truth[r], mine[r]),
        "MAE": lambda r: float(np.abs(truth[r] - mine[r]).mean()),
        "MAE of the mean": lambda r: float(np.abs(truth[r] - usual).mean()),
    }
    return {key: interval(score, len(truth), seed) for key, score in scores.items()}


def _with(made: Head, **facts: Any) -> Head:
    return Head(made.weight, made.bias, made.grams, facts)


def _write(
    name: str, benchmark: str, heads: Mapping[str, Head], metrics: Metrics, n: int, seed: int, notes: str
) -> None:
    for key, one in metrics.items():
        log.info("%s: %.4f [%.4f, %.4f]", key, one["value"], one["low"], one["high"])
    _scored(benchmark, name, metrics, n, seed, notes)
    file = ROOM / f"dialogue.{name}.npz"
    keep(file, heads)
    log.info("%s: %.0f kB", file.name, file.stat().st_size / 1e3)
    cards.update(f"dialogue.{name}", file, [benchmark], find("text.affect-en").sha256, "dialogue")


def _scored(benchmark: str, name: str, metrics: Metrics, n: int, seed: int, notes: str) -> None:
    """Write the scores of the model, and those that end with a baseline's id as the baseline's own."""
    said_by: dict[str, Metrics] = {}
    for key, one in metrics.items():
        plain = next((kind.id for kind in PLAIN if key.endswith(f", {kind.id}")), "")
        said_by.setdefault(plain or f"dialogue.{name}", {})[key.removesuffix(f", {plain}")] = one
    for model, found in said_by.items():
        save(benchmark, model, n, found, seed, {}, f"{notes}; python -m recipes.dialogue_support")


def main() -> None:
    """Train and publish what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", choices=("strategy", "skills", "relief"))
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    every = {"strategy": publish_strategy, "skills": publish_skills, "relief": publish_relief}
    for name, publish in every.items():
        if options.only in (None, name):
            publish(words.encoder(find(f"dialogue.{name}")), options.work, options.seed)


if __name__ == "__main__":
    main()
