"""Train and publish `dialogue.situation`: which of 32 emotions was felt in what somebody tells of.

    python -m recipes.dialogue_situation --work build/dialogue-situation [--seed 20]

One layer on `known` of all that the speaker says and of his first turn, and on which of a thousand words he uses. The
words are those of train that tell most of the label (mutual information). Each training dialogue is seen twice, once as
what was said, once as the situation that it was to be about. Training dialogues that share their situation, or two
longer utterances, with valid or test are left out. The temperature comes from valid; test is scored once, by what
ships. What the encoder knows is kept in `--work` (150 MB). About ten minutes on one core.
"""

import argparse
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.metrics.calibration import ece
from affetto.metrics.classification import macro_f1
from affetto.models.dialogue.readout import Readout
from affetto.models.dialogue.situation import bag, spelled, tellers
from recipes import cards, corpora
from recipes.scores import save_scores

log = logging.getLogger("dialogue.situation")
SPACE, CORPUS, BENCHMARK = "empathetic-32", "empathetic-intents", "empatheticdialogues-recall"
WORDS, SCALE, LEAST = 1000, 3.0, 8
"""Words of the bag, their weight beside standardised states while training, and texts that must have one."""
EPOCHS, BATCH, RATE, DECAY, DROP, SMOOTH = 12, 256, 2e-3, 0.1, 0.5, 0.1
LONG = 5
"""Words of a longer utterance."""
WEIGHTS = cards.HOME / "src/affetto/models/dialogue/weights/dialogue.situation.npz"


@dataclass(frozen=True)
class Told:
    """Dialogues: what was said, and what was to be felt."""

    joined: list[str]
    first: list[str]
    situation: list[str]
    truth: np.ndarray
    """n, the numbers of the labels."""


def told(split: str) -> Told:
    """Read a split; of train without what also stands in valid or test."""
    folder = corpora.DATA / "text/empatheticdialogues"
    records = list(load(CORPUS).read(split, folder=folder))
    if split == "train":
        held = [record for part in ("valid", "test") for record in load(CORPUS).read(part, folder=folder)]
        situations = {corpora.plain(record.meta["situation"]) for record in held}
        longer = {text for record in held for text in _longer(record)}
        kept = [
            record
            for record in records
            if corpora.plain(record.meta["situation"]) not in situations and len(_longer(record) & longer) < 2
        ]
        log.info("train: %d of %d dialogues share nothing with valid and test", len(kept), len(records))
        records = kept
    own = [[piece.text for piece in tellers(record)[0]] for record in records]
    truth = [next(t for t in record.tracks if t.source == "speaker").values[0].argmax() for record in records]
    situations_of = [record.meta["situation"] for record in records]
    return Told([" ".join(turns) for turns in own], [turns[0] for turns in own], situations_of, np.array(truth))


def _longer(record: Record) -> set[str]:
    texts = {" ".join(re.findall(r"\w+", turn.text.casefold())) for turn in record.turns}
    return {text for text in texts if len(text.split()) >= LONG}


def known(texts: Sequence[str], kept: Path) -> np.ndarray:
    """Return what the encoder knows of texts, n x 768, from the file if it is there."""
    if not kept.is_file():
        network = load("text.affect-en").network
        parts = [network.heard(texts[i : i + 2000], ("known",))[0] for i in range(0, len(texts), 2000)]
        np.save(kept, np.concatenate(parts).astype(np.float16))
    found = np.load(kept).astype(np.float32)
    if len(found) != len(texts):
        raise SystemExit(f"{kept} is of other texts; remove it")
    return found


def vocabulary(texts: Sequence[str], truth: np.ndarray, count: int = WORDS) -> list[str]:
    """Return the words that tell most of the label: information of having one, times how many texts do."""
    prior = np.bincount(truth, minlength=32) / len(truth)
    labels: dict[str, Counter[int]] = {}
    for text, label in zip(texts, truth, strict=True):
        for word in spelled(text):
            labels.setdefault(word, Counter())[int(label)] += 1

    def told_by(word: str) -> float:
        total = labels[word].total()
        return sum(n * np.log(n / total / prior[label]) for label, n in labels[word].items())

    frequent = sorted(word for word, counts in labels.items() if counts.total() >= LEAST)
    return sorted(sorted(frequent, key=told_by, reverse=True)[:count])


def trained(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (d x 32) and biases of one layer."""
    torch.manual_seed(seed)
    features, labels = torch.from_numpy(x), torch.from_numpy(y)
    layer, drop = torch.nn.Linear(x.shape[1], 32), torch.nn.Dropout(DROP)
    torch.nn.init.normal_(layer.weight, std=0.01)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * -(-len(x) // BATCH))
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            optimiser.zero_grad()
            logits = layer(drop(features[rows]))
            loss = torch.nn.functional.cross_entropy(logits, labels[rows], label_smoothing=SMOOTH)
            loss.backward()
            optimiser.step()
            schedule.step()
        log.info("epoch %d: loss %.4f", epoch + 1, float(loss.detach()))
    return layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()


def coarse(values: np.ndarray) -> np.ndarray:
    """Return float16 whose last seven bits are nought: a relative error of 1/16 at most, and half of the bytes."""
    bits = (values.astype(np.float16).view(np.uint16).astype(np.uint32) + 0x40) & 0xFF80
    return bits.astype(np.uint16).view(np.float16)


def main() -> None:
    """Train, publish, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    train, valid, test = (told(split) for split in ("train", "valid", "test"))

    def states(part: Told, split: str) -> np.ndarray:
        sides = {"joined": part.joined, "first": part.first}
        return np.concatenate([known(texts, options.work / f"{split}-{side}.npy") for side, texts in sides.items()], 1)

    told_short = known(train.situation, options.work / "train-situation.npy")
    x = np.concatenate([states(train, "train"), np.concatenate([told_short, told_short], 1)])
    truth = np.concatenate([train.truth, train.truth])
    words = vocabulary([*train.joined, *train.situation], truth)
    mean, spread = x.mean(0), x.std(0) + 1e-3
    used = bag([*train.joined, *train.situation], words)
    weight, bias = trained(np.concatenate([(x - mean) / spread, used * SCALE], 1), truth, options.seed)
    width = len(mean)
    bias = bias - (mean / spread) @ weight[:width]
    weight = np.concatenate([weight[:width] / spread[:, None], weight[width:] * SCALE])

    def inputs(part: Told, split: str) -> np.ndarray:
        return np.concatenate([states(part, split), bag(part.joined, words)], 1)

    logits = Readout(((coarse(weight).astype(np.float32), bias),))(inputs(valid, "valid"))

    def loss(slope: float) -> float:
        scaled = slope * logits
        return float((np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(scaled)), valid.truth]).mean())

    slope = float(minimize_scalar(loss, bounds=(0.2, 5), method="bounded").x)
    WEIGHTS.parent.mkdir(exist_ok=True)
    Readout(((coarse(weight * slope), (bias * slope).astype(np.float16)),), {"words": words}).save(WEIGHTS)
    log.info("%s: %.1f kB; slope %.2f", WEIGHTS.name, WEIGHTS.stat().st_size / 1e3, slope)
    ships = Readout.open(WEIGHTS)
    for name, part in (("valid", valid), ("test", test)):
        said = ships(inputs(part, name))
        p = np.exp(said - said.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        rank = (p > p[np.arange(len(p)), part.truth][:, None]).sum(1)
        log.info("%s: %s", name, {k: round(float((rank < k).mean()), 4) for k in (1, 3, 5, 10)})
    eye = np.eye(32)
    scores = {"accuracy": lambda rows: (rank[rows] < 1).mean()}
    scores |= {f"recall at {k}": lambda rows, k=k: (rank[rows] < k).mean() for k in (3, 5, 8, 10)}
    scores["macro-F1"] = lambda rows: macro_f1(eye[test.truth[rows]], eye[p[rows].argmax(1)])
    scores["ECE"] = lambda rows: ece(p[rows].argmax(1) == test.truth[rows], p[rows].max(1))
    notes = f"official test; from the speaker's turns alone, which are {len(train.truth)} dialogues of train"
    save_scores(BENCHMARK, "dialogue.situation", len(p), options.seed, scores, notes)
    cards.update("dialogue.situation", WEIGHTS, [BENCHMARK], find("text.affect-en").sha256, "dialogue")


if __name__ == "__main__":
    main()
