"""Train and publish `dialogue.transition`: the next feeling of a speaker, from personality, last feeling and two turns.

    python -m recipes.dialogue_transition --work build/transition [--seed 20]

The network of Wen et al. 2021 in small: words move the last feeling's valence, arousal and dominance by what the text
encoder hears in both turns, personality scales that, a hidden layer reads the seven feelings. Five folds of PELD, in
which overlapping triples and those that share longer turns stay together, give the scores; what leans the answers from
the most likely label to the one that serves weighted and macro F1 is fitted for each fold on inner folds of the others.
Beside it, without personality, with the personalities of others, without words, and with what the encoder hears in the
speaker's turn before in place of its label; and what the labels themselves could tell (with the label of the other's
turn, never given to the model). Answers to unseen triples are kept in `--work` for `affetto bench score
peld-transition`.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from affetto.bench import transition as protocol
from affetto.bench.protocol import fold_of
from affetto.bench.results import number
from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.metrics.calibration import ece
from affetto.models.dialogue.readout import Readout
from affetto.models.dialogue.transition import Asked, Network, anchors, hear, personality, temperament
from affetto.models.dialogue.words import encoder
from benchmarks.results import interval, save
from recipes import cards
from recipes.corpora import DATA

log = logging.getLogger("dialogue.transition")
MODEL, BENCHMARK, FOLDS = "dialogue.transition", "peld-transition.v1", 5
WEIGHTS = cards.HOME / "src/affetto/models/dialogue/weights/dialogue.transition.npz"


@dataclass(frozen=True)
class Options:
    """How one network is trained; the penalties by log loss on the same folds, where they hardly move F1."""

    hidden: int = 16
    steps: int = 120
    rate: float = 0.02
    decay: float = 0.3
    """On how words move the feeling ..."""
    later: float = 1e-3
    """... and on all else, in units of the loss."""
    seed: int = 20


def train(asked: Asked, truth: np.ndarray, traits: Sequence[float], options: Options) -> Network:
    """Train one network on n triples (truth: n, the number of the label); `traits` is the middling personality."""
    import torch  # noqa: PLC0415 - tests read this module without it

    torch.manual_seed(options.seed)
    mean, spread = asked.words.mean(0), asked.words.std(0)
    spread = np.where(spread > 1e-3, spread, 1).astype(np.float32)
    middle = asked.temperament.mean(0)
    words = torch.from_numpy((asked.words - mean) / spread)
    feeling, target = torch.from_numpy(asked.feeling), torch.from_numpy(truth.astype(np.int64))
    nature = torch.from_numpy(asked.temperament - middle)
    start = feeling @ torch.from_numpy(anchors())
    change, scale = torch.nn.Linear(words.shape[1], 3), torch.nn.Linear(3, 3)
    layers = [torch.nn.Linear(3 + feeling.shape[1], options.hidden), torch.nn.Linear(options.hidden, 7)]
    with torch.no_grad():
        change.weight *= 0.1
        scale.weight.zero_()
        scale.bias.fill_(1.0)
    parts = [change, scale, *layers]
    optimiser = torch.optim.Adam([p for part in parts for p in part.parameters()], options.rate)
    for _ in range(options.steps):
        optimiser.zero_grad()
        arrived = start + change(words) * scale(nature)
        hidden = torch.nn.functional.gelu(layers[0](torch.cat([arrived, feeling], 1)), approximate="tanh")
        loss = torch.nn.functional.cross_entropy(layers[1](hidden), target)
        loss = loss + options.decay * change.weight.square().sum()
        loss = loss + options.later * sum(part.weight.square().sum() for part in parts[1:])
        loss.backward()
        optimiser.step()

    def plain(tensor: Any) -> np.ndarray:
        return np.asarray(tensor.detach().numpy(), np.float32)

    moves = {"mean": mean, "spread": spread, "middle": middle, "change": plain(change.weight).T}
    moves |= {"change_bias": plain(change.bias), "scale": plain(scale.weight).T, "scale_bias": plain(scale.bias)}
    facts = {
        "moves": {name: np.round(value, 5).tolist() for name, value in moves.items()},
        "personality": list(map(float, np.round(traits, 4))),
        "lean": [0.0] * 7,
    }
    return Network(Readout(tuple((plain(part.weight).T, plain(part.bias)) for part in layers), facts))


def lean(logs: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return what to add to log-probabilities (n x 7) for the best sum of weighted and macro F1.

    Probabilities are divided by a power of how often each label is. A number for each label, found by coordinate
    search, did better on the triples it was found on and worse on all others.
    """
    often = np.log(np.maximum(1, np.bincount(truth, minlength=7)) / len(truth))
    powers = np.arange(0, 1.51, 0.05)
    found = [sum(f1s(truth, (logs - power * often).argmax(1))) for power in powers]
    return np.asarray(-powers[int(np.argmax(found))] * often)


def f1s(truth: np.ndarray, said: np.ndarray) -> tuple[float, float]:
    """Return weighted and macro F1 of n labels."""
    table = np.bincount(truth * 7 + said, minlength=49).reshape(7, 7)
    f1 = 2 * np.diag(table) / np.maximum(1, table.sum(0) + table.sum(1))
    return float(f1 @ table.sum(1) / len(truth)), float(f1.mean())


@dataclass(frozen=True)
class Triples:
    """PELD as the network is asked about it."""

    records: list[Record]
    asked: Asked
    truth: np.ndarray
    other: np.ndarray
    """n, the raters' label of the other's turn, which nobody is given but `labels`."""
    heard: np.ndarray
    """n x 7, what the encoder hears in the speaker's turn before, in place of the raters' label."""
    traits: np.ndarray
    """n x 5."""
    fold: np.ndarray
    group: list[str]

    def only(self, rows: np.ndarray) -> Asked:
        """Return what is known of some of them."""
        return Asked(self.asked.feeling[rows], self.asked.words[rows], self.asked.temperament[rows])


def read(seed: int) -> Triples:
    """Read PELD, and hear its words."""
    records = protocol.grouped(list(load("peld").read("all", folder=DATA / "text/peld")))
    shown = [protocol.asked(record, "ekman-7") for record in records]
    felt = np.stack([record.tracks[0].values[0] for record in shown])
    labels = [
        [next(t.values[t.start == n][0].argmax() for t in _labels(record) if (t.start == n).any()) for n in (1, 2)]
        for record in records
    ]
    traits = np.array([personality(record.people[record.meta["next"]]) for record in shown])
    texts = [turn.text for record in shown for turn in record.turns]
    ear, nature = encoder(find(MODEL)), temperament(traits)
    asked = hear(ear, texts, felt, nature)
    heard = hear(ear, texts, np.full_like(felt, np.nan), nature).feeling
    group = [str(record.meta["dialogue"]) for record in records]
    fold = np.array([fold_of(one, FOLDS, seed) for one in group])
    return Triples(records, asked, np.array(labels)[:, 1], np.array(labels)[:, 0], heard, traits, fold, group)


def _labels(record: Record) -> list[Any]:
    return [track for track in record.tracks if track.space.id == "ekman-7"]


def crossed(data: Triples, options: Options, shown: Triples | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return for each triple log-probabilities and what leans them (n x 7 both), from folds that did not hold it.

    Args:
        data: what is learned from.
        options: of training.
        shown: what is asked about, where that is known in another way than what is learned from.
    """
    shown = shown or data
    logs, leans = (np.zeros((len(data.truth), 7), np.float32) for _ in range(2))
    for k in range(FOLDS):
        rows, test = np.flatnonzero(data.fold != k), data.fold == k
        network = train(data.only(rows), data.truth[rows], _middling(data, rows), options)
        logs[test] = network(shown.only(np.flatnonzero(test)))
        inner = np.zeros((len(data.truth), 7), np.float32)
        for other in set(range(FOLDS)) - {k}:
            learn = rows[data.fold[rows] != other]
            rest = rows[data.fold[rows] == other]
            inner[rest] = train(data.only(learn), data.truth[learn], _middling(data, rows), options)(data.only(rest))
        leans[test] = lean(inner[rows], data.truth[rows])
    return logs, leans


def _middling(data: Triples, rows: np.ndarray) -> np.ndarray:
    return np.unique(data.traits[rows], axis=0).mean(0)


def variants(data: Triples, seed: int) -> dict[str, Triples]:
    """Return the data without one of the things that the network is asked with."""
    whole, rng = data.asked, np.random.default_rng(seed)
    people, whose = np.unique(data.traits, axis=0, return_inverse=True)
    others = (whose + rng.integers(1, len(people), len(whose))) % len(people)
    same = np.tile(whole.temperament.mean(0), (len(whose), 1))
    known = np.hstack([whole.words, 3 * np.eye(7, dtype=np.float32)[data.other]])
    return {
        "whole": data,
        "no-personality": replace(data, asked=replace(whole, temperament=same)),
        "others-personality": replace(data, asked=replace(whole, temperament=temperament(people[others]))),
        "no-words": replace(data, asked=replace(whole, words=np.zeros_like(whole.words))),
        "heard": replace(data, asked=replace(whole, feeling=data.heard)),
        "labels": replace(data, asked=replace(whole, words=known.astype(np.float32))),
    }


def scores(data: Triples, logs: np.ndarray, leans: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    """Return scores with intervals over talks, and how far F1 is above that of repeating the first feeling."""
    truth, n = data.truth, len(data.truth)
    said, first = (logs + leans).argmax(1), data.asked.feeling.argmax(1)
    sure = np.exp(logs[np.arange(n), said])
    surprise = -logs[np.arange(n), truth]
    made = {
        "weighted_f1": lambda rows: f1s(truth[rows], said[rows])[0],
        "macro_f1": lambda rows: f1s(truth[rows], said[rows])[1],
        "weighted_f1 above copying": lambda r: f1s(truth[r], said[r])[0] - f1s(truth[r], first[r])[0],
        "macro_f1 above copying": lambda r: f1s(truth[r], said[r])[1] - f1s(truth[r], first[r])[1],
        "log loss": lambda rows: float(surprise[rows].mean()),
        "ece of confidence": lambda rows: ece(said[rows] == truth[rows], sure[rows]),
    }
    return {name: interval(score, n, seed, data.group) for name, score in made.items()}


def main() -> None:
    """Cross five folds for each variant, publish the network of all triples, write the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = Options(seed=given.seed)
    data = read(given.seed)
    log.info("%d triples of %d talks", len(data.truth), len(set(data.group)))
    for name, own in variants(data, given.seed).items():
        logs, leans = crossed(data if name == "heard" else own, options, own)
        found = scores(data, logs, leans, given.seed)
        log.info("%s: %s", name, ", ".join(f"{key} {number(one['value'])}" for key, one in found.items()))
        notes = f"five folds over talks, {name}; leaned on inner folds; PELD's label of the first turn is given"
        model = MODEL if name == "whole" else f"{MODEL}-{name}"
        save("peld-transition-folds", model, len(data.truth), found, given.seed, {}, notes)
        if name == "whole":
            _keep(given.work / f"{MODEL}.all.jsonl.gz", data, logs + leans)
            chosen = lean(logs, data.truth)
    everyone = np.arange(len(data.truth))
    network = train(data.asked, data.truth, _middling(data, everyone), options)
    facts = network.readout.facts | {"lean": np.round(chosen, 3).tolist()}
    WEIGHTS.parent.mkdir(exist_ok=True)
    Readout(network.readout.layers, facts).save(WEIGHTS)
    log.info("%s: %.1f kB", WEIGHTS.name, WEIGHTS.stat().st_size / 1e3)
    cards.update(MODEL, WEIGHTS, ["peld-transition-folds"], find("text.affect-en").sha256, room="dialogue")


def _keep(path: Path, data: Triples, logs: np.ndarray) -> None:
    """Write the answers to unseen triples as predictions that `affetto bench score` reads."""
    import gzip  # noqa: PLC0415
    import json  # noqa: PLC0415

    from affetto.core import plain  # noqa: PLC0415
    from affetto.core.track import Track  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    raised = np.exp(logs - logs.max(1, keepdims=True))
    space = load("ekman-7")
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for record, row in zip(data.records, raised / raised.sum(1, keepdims=True), strict=True):
            who, last = record.turns[-1].speaker, len(record.turns) - 1
            source = f"{find(MODEL)}, five folds"
            track = Track(space, [last], [last + 1], row[None], unit="turn", subject=who, source=source)
            file.write(json.dumps(plain.from_record(Record(record.id, tracks=(track,)))) + "\n")


if __name__ == "__main__":
    main()
