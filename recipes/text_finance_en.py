"""Train and publish `text.finance-en`: two upper layers and a head on `text.affect-en`, and one weight an n-gram.

    python -m recipes.text_finance_en --work build/text-affect-en [--seed 20]

`--work` is where `recipes.text_affect_en` kept its final weights, whose upper layers are the start; the states come
from the int8 network that ships. A logistic regression on hashed n-grams is added to the network's answers. Five folds
give the scores (posts with equal words stay together), and their answers to posts they did not see the calibration and
the weight of the n-grams; they are kept in `--work` for `affetto bench score emtract`. The network that ships is
trained on all 10,000.
"""

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import torch
from sklearn.model_selection import StratifiedGroupKFold

from affetto.core.catalog import find, load
from affetto.metrics.calibration import ece_classwise as ece
from affetto.metrics.classification import macro_f1
from affetto.models.text.adapter import Upper, traded
from affetto.models.text.bags import Lines
from affetto.models.text.calibration import softmax
from affetto.models.text.encoder import Network
from affetto.models.text.hashing import Grams
from affetto.models.weights import weights
from affetto.train.export import export
from affetto.train.fit import Batch, FitOptions, fit
from recipes import cards, corpora
from recipes.hashed import lines
from recipes.publish_text_affect_en import MIDDLE, fit_one
from recipes.scores import keep_predictions, save_scores
from recipes.text_affect_en import Encoder

log = logging.getLogger("text.finance-en")
LABELS = 7
GRAMS, BITS = Grams(2, 5, pairs=True), 15
C, WEIGHT = 1.0, 2.5
"""Of the regressions on n-grams: inverse strength of their prior, and weight of a label's own posts."""
WEIGHTS = cards.HOME / "src/affetto/models/text/weights/text.finance-en.onnx.gz"


class Top(torch.nn.Module):
    """The encoder's upper layers and a head: states (n x t x 384) and mask (n x t) in, logits (n x 7) out."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(list(encoder.body.encoder.layer)[MIDDLE:])
        self.drop = torch.nn.Dropout(0.2)
        self.head = torch.nn.Linear(2 * encoder.body.config.hidden_size, LABELS)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        weight = mask.unsqueeze(-1).to(states.dtype)
        hidden = (1 - mask[:, None, None, :].to(states.dtype)) * -1e4
        for layer in self.layers:
            out = layer(states, attention_mask=hidden)
            states = out[0] if isinstance(out, tuple) else out
        pooled = torch.cat([states[:, 0], (states * weight).sum(1) / weight.sum(1)], -1)
        return self.head(self.drop(pooled))


def loss(module: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Return the smoothed cross-entropy."""
    logits = module(batch["states"].float(), batch["mask"]).float()
    return torch.nn.functional.cross_entropy(logits, batch["labels"], label_smoothing=0.1)


class Posts:
    """The posts' states, held in half precision, cut into batches of like length."""

    def __init__(self, network: Network, texts: list[str], labels: np.ndarray) -> None:
        self.labels = torch.from_numpy(labels)
        self.states: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        for rows, _sizes, states, mask in network.states([traded(text) or "." for text in texts]):
            for row, state, size in zip(rows, states, mask.sum(1), strict=True):
                if not len(self.states[row]):
                    self.states[row] = torch.from_numpy(state[:size]).half()
        self.sizes = np.array([len(state) for state in self.states])

    def batch(self, rows: np.ndarray) -> Batch:
        """Return rows as one padded batch."""
        states = torch.nn.utils.rnn.pad_sequence([self.states[i] for i in rows], batch_first=True)
        mask = (torch.arange(states.shape[1]) < torch.from_numpy(self.sizes[rows])[:, None]).long()
        return {"states": states, "mask": mask, "labels": self.labels[rows]}

    def batches(self, rows: np.ndarray, rng: np.random.Generator, size: int = 64) -> Iterator[Batch]:
        """Yield all rows once, shuffled, in batches of like length."""
        order = rows[np.argsort(self.sizes[rows] + rng.uniform(-3, 3, len(rows)))]
        cuts = [order[i : i + size] for i in range(0, len(order), size)]
        for i in rng.permutation(len(cuts)):
            yield self.batch(cuts[i])


def train(start: Encoder, posts: Posts, rows: np.ndarray, seed: int) -> torch.nn.Module:
    """Train one adapter on some posts."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    top = Top(start)
    top.layers.load_state_dict(torch.nn.ModuleList(list(start.body.encoder.layer)[MIDDLE:]).state_dict())
    options = FitOptions(epochs=4, rate=3e-4, average=0.98, decay=0.05, half=True)
    return fit(top, lambda _: posts.batches(rows, rng), -(-len(rows) // 64), loss, options)


@torch.no_grad()
def logits_of(top: torch.nn.Module, posts: Posts, rows: np.ndarray) -> np.ndarray:
    """Return the logits of rows, in their order."""
    parts = [posts.batch(rows[i : i + 64]) for i in range(0, len(rows), 64)]
    return torch.cat([top(b["states"].float(), b["mask"]).float() for b in parts]).numpy()


def counting(texts: list[str], labels: np.ndarray) -> Lines:
    """Return the n-grams' weights, learned from posts."""
    return lines([traded(text) or "." for text in texts], np.eye(LABELS)[labels], GRAMS, BITS, C, WEIGHT)


def mixed(upper: np.ndarray, lined: np.ndarray, truth: np.ndarray) -> float:
    """Return the weight of the n-grams beside the network that gives unseen answers the best likelihood."""
    grid = np.arange(0, 1.01, 0.05)
    found = []
    for weight in grid:
        head = fit_one(upper + weight * lined, truth)
        p = softmax((upper + weight * lined) * head["slope"] + np.array(head["intercept"], np.float32))
        found.append(np.log((p * truth).sum(1)).mean())
    return float(grid[np.argmax(found)])


def crossed(upper: np.ndarray, lined: np.ndarray, truth: np.ndarray, fold_of: np.ndarray) -> np.ndarray:
    """Return probabilities of which each fold's are mixed and calibrated on the other folds."""
    p = np.zeros_like(upper)
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        both = upper + mixed(upper[~mine], lined[~mine], truth[~mine]) * lined
        head = fit_one(both[~mine], truth[~mine])
        p[mine] = softmax(both[mine] * head["slope"] + np.array(head["intercept"], np.float32))
    return p


def main() -> None:
    """Train five folds and one on all, publish, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    state = torch.load(options.work / "final.pt")

    def start() -> Encoder:
        encoder = Encoder()
        encoder.load_state_dict(state)
        return encoder

    table = pyarrow.parquet.read_table(corpora.DATA / "text/emtract/tagged_sample.parquet").to_pydict()
    labels = np.array(table["label"], np.int64)
    network = Network(weights(find("text.affect-en")))
    sides = {"text": Posts(network, table["text"], labels), "body": Posts(network, table["body"], labels)}
    groups = np.unique([traded(text).casefold() for text in table["text"]], return_inverse=True)[1]
    said = {side: np.zeros((len(labels), LABELS), np.float32) for side in sides}
    lined = {side: np.zeros((len(labels), LABELS), np.float32) for side in sides}
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=options.seed).split(labels, labels, groups)
    fold_of = np.zeros(len(labels), np.int64)
    for number, (learn, test) in enumerate(folds):
        fold_of[test] = number
        top = train(start(), sides["text"], learn, options.seed + number)
        counted = counting([table["text"][i] for i in learn], labels[learn])
        for side, posts in sides.items():
            said[side][test] = logits_of(top, posts, test)
            lined[side][test] = counted.logits([traded(table[side][i]) or "." for i in test])
        log.info("fold %d: accuracy %.4f", number, (said["text"][test].argmax(1) == labels[test]).mean())
    truth = np.eye(LABELS)[labels]
    calibrated = {side: crossed(said[side], lined[side], truth, fold_of) for side in sides}
    texts, ids = table["body"], [str(i) for i in range(len(labels))]
    kept = options.work / "text.finance-en.all.jsonl.gz"
    keep_predictions(kept, ids, texts, load("stocktwits-7"), calibrated["body"], "text.finance-en, five folds")
    weight = mixed(said["body"], lined["body"], truth)
    both = said["body"] + weight * lined["body"]
    head = fit_one(both, truth) | {"space": "stocktwits-7", "perspective": "expressed", "reader": False}
    top = train(start(), sides["text"], np.arange(len(labels)), options.seed)
    example = {"states": torch.zeros(3, 7, 384), "mask": torch.ones(3, 7, dtype=torch.int64)}
    WEIGHTS.parent.mkdir(exist_ok=True)
    counted = counting(table["text"], labels)
    counted = replace(counted, scale=counted.scale * np.float32(weight))
    facts = {"affetto.calibration": json.dumps({"heads": [head]}), "affetto.lines": json.dumps(counted.to_plain())}
    export(top, example, ["logits"], WEIGHTS, facts)
    log.info("%s: %.2f MB; n-grams weigh %.2f", WEIGHTS.name, WEIGHTS.stat().st_size / 1e6, weight)

    check = Upper(WEIGHTS).logits(network, table["body"][:2000], LABELS)
    whole = logits_of(top, sides["body"], np.arange(2000))
    whole += counted.logits([traded(text) or "." for text in table["body"][:2000]])
    log.info("int8 and float32 agree on %.4f of 2,000 posts", (check.argmax(1) == whole.argmax(1)).mean())
    scores = {}
    for side, p in calibrated.items():
        right = p.argmax(1) == labels
        name = "cleaned text" if side == "text" else "raw post"
        scores[f"accuracy, {name}"] = lambda rows, right=right: right[rows].mean()
        scores[f"macro-F1, {name}"] = lambda rows, p=p: macro_f1(truth[rows], np.eye(LABELS)[p[rows].argmax(1)])
        scores[f"ECE, {name}"] = lambda rows, p=p: ece(truth[rows], p[rows])
    notes = "five folds, answers of the float32 adapters on int8 states; each fold calibrated on the four others"
    save_scores("emtract-5fold", "text.finance-en", len(labels), options.seed, scores, notes)
    cards.update("text.finance-en", WEIGHTS, ["emtract-5fold"], find("text.affect-en").sha256)


if __name__ == "__main__":
    main()
