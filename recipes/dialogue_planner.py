"""Train and publish `dialogue.planner`: which support strategy would come next, before it is said.

    python -m recipes.dialogue_planner --work build/dialogue-planner [--seed 20]

One hidden layer on what `text.affect-en` knows of the last turns, taught on ESConv's train with its rare strategies
weighed up, stopped and calibrated on dev, scored once on test: quality Q and preference bias B (Kang et al. 2024), with
intervals over talks, beside always the commonest and drawing by how common each is. A few minutes on one core.
"""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from affetto.core.catalog import find, load
from affetto.metrics.calibration import ece_classwise as ece
from affetto.metrics.support import STRATEGIES, bias, quality, weighted_f1
from affetto.models.dialogue.planner import RECENT, seen
from affetto.models.dialogue.readout import Readout
from affetto.models.dialogue.saying import worded
from affetto.models.text.encoder import Network
from affetto.models.weights import weights
from benchmarks.results import interval, save
from recipes import cards
from recipes.dialogue_reply import kept

log = logging.getLogger("dialogue.planner")
BENCHMARK = "esconv-next-strategy.v1"
RESAMPLES = 300
WEIGHTS = cards.HOME / "src/affetto/models/dialogue/weights/dialogue.planner.npz"
HIDDEN, EPOCHS, BATCH, RATE, DECAY, DROP = 32, 10, 128, 2e-4, 0.3, 0.5
LIFT = 0.5
"""Power of how rare a strategy is in its weight: 0 for none, 1 for all alike."""


@dataclass(frozen=True)
class Items:
    """Turns of supporters that have a strategy."""

    seen: np.ndarray
    truth: np.ndarray
    """n, the numbers of the strategies."""
    talk: list[str]


def items(split: str, known: dict[str, np.ndarray]) -> Items:
    """Return what stands before each supporter's turn that has a strategy and is not the first of the talk.

    Of train, talks that share two longer utterances with one of dev or test are left out.
    """
    rows, truth, talk = [], [], []
    records = list(load("esconv").read(split))
    if split == "train":
        records = kept(records, [record for part in ("dev", "test") for record in load("esconv").read(part)])
    for record in records:
        said = [(turn.speaker, turn.text) for turn in record.turns]
        track = next(t for t in record.tracks if t.space.id == "strategy-8")
        for row, start in enumerate(track.start.astype(int)):
            axis = track.top(row)
            if axis is not None and start and any(worded(text) for _, text in said[max(0, start - RECENT) : start]):
                rows.append(seen(said[:start], "supporter", known, 768))
                truth.append(STRATEGIES.index(axis.name))
                talk.append(record.id)
    return Items(np.stack(rows), np.array(truth), talk)


def known_of(work: Path) -> dict[str, np.ndarray]:
    """Return what the encoder knows of every turn of ESConv, from the work folder if it is there."""
    splits = ("train", "dev", "test")
    turns = (turn.text for split in splits for record in load("esconv").read(split) for turn in record.turns)
    texts = [text for text in dict.fromkeys(turns) if worded(text)]
    kept = work / "known.npy"
    if not kept.exists():
        np.save(kept, Network(weights(find("text.affect-en"))).heard(texts, ("known",))[0].astype(np.float16))
    return dict(zip(texts, np.load(kept).astype(np.float32), strict=True))


def taught(train: Items, dev: Items, seed: int) -> Readout:
    """Teach the layers, keep those of the epoch whose Q on dev is the best, and fit how sure they may be."""
    torch.manual_seed(seed)
    mean, spread = train.seen.mean(0), train.seen.std(0) + 1e-3
    module = torch.nn.Sequential(
        torch.nn.Dropout(0.2), torch.nn.Linear(train.seen.shape[1], HIDDEN), torch.nn.GELU(approximate="tanh"),
        torch.nn.Dropout(DROP), torch.nn.Linear(HIDDEN, len(STRATEGIES)),
    )  # fmt: skip
    x, y = torch.from_numpy((train.seen - mean) / spread), torch.from_numpy(train.truth)
    count = np.bincount(train.truth, minlength=len(STRATEGIES))
    weigh = torch.tensor((count.mean() / count) ** LIFT, dtype=torch.float32)
    optimizer = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=DECAY)
    best, found = -1.0, None
    for epoch in range(EPOCHS):
        module.train()
        for rows in torch.randperm(len(x)).split(BATCH):
            value = torch.nn.functional.cross_entropy(module(x[rows]), y[rows], weigh, label_smoothing=0.1)
            optimizer.zero_grad()
            torch.autograd.backward(value)
            optimizer.step()
        layers = [(m.weight.detach().numpy().T.copy(), m.bias.detach().numpy().copy()) for m in (module[1], module[4])]
        first = layers[0][0] / spread[:, None]
        readout = Readout(((first, layers[0][1] - mean @ first), layers[1]))
        logits = readout(dev.seen)
        said = quality(*named(dev.truth, logits))
        log.info("epoch %d: dev Q %.4f, B %.3f", epoch, said, bias(*named(dev.truth, logits)))
        if said > best:
            best, found = said, readout
    assert found is not None
    logits = found(dev.seen)
    slope = float(minimize_scalar(lambda s: -_log(logits * s, dev.truth), bounds=(0.1, 5), method="bounded").x)
    return Readout(found.layers, {"slope": slope})


def _log(logits: np.ndarray, truth: np.ndarray) -> float:
    return float((logits[np.arange(len(truth)), truth] - np.log(np.exp(logits).sum(1))).mean())


def named(truth: np.ndarray, logits: np.ndarray) -> tuple[list[str], list[str]]:
    """Return truth and estimate in names."""
    return [STRATEGIES[k] for k in truth], [STRATEGIES[k] for k in logits.argmax(1)]


def keep(model: str, test: Items, p: np.ndarray, seed: int, notes: str) -> None:
    """Score and save."""
    truth, said = (np.array(names) for names in named(test.truth, p))
    one = np.eye(len(STRATEGIES))[test.truth]
    scores = {
        "Q": lambda rows: quality(list(truth[rows]), list(said[rows])),
        "B": lambda rows: bias(list(truth[rows]), list(said[rows])),
        "weighted F1": lambda rows: weighted_f1(list(truth[rows]), list(said[rows])),
        "accuracy": lambda rows: float((truth[rows] == said[rows]).mean()),
        "accuracy, first three": lambda rows: float(
            (np.argsort(-p[rows], 1)[:, :3] == test.truth[rows, None]).any(1).mean()
        ),
        "ECE": lambda rows: ece(one[rows], p[rows]),
    }
    metrics = {name: interval(score, len(truth), seed, test.talk, RESAMPLES) for name, score in scores.items()}
    save(BENCHMARK, model, len(truth), metrics, seed, {}, notes)
    log.info("%s: %s", model, {name: round(metric["value"], 4) for name, metric in metrics.items()})


def main() -> None:
    """Teach, publish, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    known = known_of(options.work)
    train, dev, test = (items(split, known) for split in ("train", "dev", "test"))
    log.info("%d, %d and %d turns", len(train.truth), len(dev.truth), len(test.truth))
    WEIGHTS.parent.mkdir(exist_ok=True)
    taught(train, dev, options.seed).save(WEIGHTS)
    ships = Readout.open(WEIGHTS)
    logits = ships(test.seen) * ships.facts["slope"]
    notes = "the strategy of the turn to come, from the turns before; ESConv test; bootstrap over talks"
    raised = np.exp(logits - logits.max(1, keepdims=True))
    keep("dialogue.planner", test, raised / raised.sum(1, keepdims=True), options.seed, notes)
    share = np.bincount(train.truth, minlength=len(STRATEGIES)) / len(train.truth)
    keep("baseline.majority", test, np.tile(share, (len(test.truth), 1)), options.seed, notes + "; how common each is")
    drawn = np.random.default_rng(options.seed).choice(len(share), len(test.truth), p=share)
    keep("baseline.random", test, np.eye(len(share))[drawn], options.seed, notes + "; drawn by how common each is")
    cards.update("dialogue.planner", WEIGHTS, [BENCHMARK], find("text.affect-en").sha256, room="dialogue")


if __name__ == "__main__":
    main()
