"""Train `text.affect-en-fast`: hashed n-grams of English into the heads of `text.affect-en`, taught by it.

    python -m recipes.text_affect_en_fast --work build/fast [--seed 20] [--out FILE]

The lesson is what the published `text.affect-en` answers to its training texts, to XED's English sentences, and to
texts spliced of these. Two networks of different seeds are trained on a blend of the lesson and the raters' labels and
stand side by side in the model. Calibration and thresholds are from dev. Writes the package's file, its card, and from
test its results.
"""

import argparse
import logging
import random
import time
from pathlib import Path

import numpy as np
import torch

from affetto.core.catalog import find
from affetto.metrics.calibration import ece_classwise as ece
from affetto.metrics.classification import macro_f1
from affetto.models.text.bags import Bags, bags
from affetto.models.text.calibration import softmax
from affetto.models.text.encoder import Network
from affetto.models.text.hashing import Grams
from affetto.models.text.ngrams import Ngrams
from affetto.models.weights import weights
from benchmarks.results import interval, save
from recipes import cards, corpora
from recipes.hashed import Hashed, HashedOptions, fit, logits, rounded
from recipes.publish_text_affect_en import fit_any, fit_one
from recipes.text_affect_en import HEADS, Table, blended, loss, repeated, table

log = logging.getLogger("text.affect-en-fast")
HOME = Path(__file__).resolve().parents[1]
WEIGHTS = HOME / "src/affetto/models/text/weights/text.affect-en-fast.npz"
GRAMS = Grams(2, 5)
BITS, WIDTH, HIDDEN, NETWORKS = 16, 28, 96, 2
EPOCHS = 12
SPLICED = 60_000
"""Texts made of others, which the encoder alone has labelled."""
LEARNT = {"goemotions": 30.0, "ekman": 0.3, "vad": 0.3, "intensity": 0.2}
"""Weights of the heads' losses."""


def lessons(work: Path, seed: int) -> Table:
    """Ask the encoder about its training texts, XED's sentences, and texts spliced of these; blend in raters' labels.

    What was spliced nobody has labelled: there the encoder's word stands alone. Rare labels stand thrice.
    """
    train = table("train")
    texts = train.texts + corpora.xed_english()
    more = spliced(texts, SPLICED, seed)
    path = work / "lesson.npy"
    if not path.exists():
        network = Network(weights(find("text.affect-en")))
        go, ekman, vad, intensity = np.split(network.logits(texts + more), np.cumsum(list(HEADS.values()))[:-1], 1)
        np.save(path, np.hstack([1 / (1 + np.exp(-go)), softmax(ekman), vad, intensity]).astype(np.float32))
    said = np.load(path)
    lesson = repeated(blended(said[: len(texts)], train), train)
    rest = said[len(texts) :]
    rest[:, 42] = np.nan  # disgust has no intensity in BRIGHTER's English part
    return Table(lesson.texts + more, np.concatenate([lesson.targets, rest]))


def spliced(texts: list[str], count: int, seed: int) -> list[str]:
    """Return new texts: a stretch of one and a stretch of another, so that words meet which never met."""
    rng = random.Random(seed)
    made = []
    while len(made) < count:
        words = []
        for text in rng.sample(texts, 2):
            read = text.split()
            start = rng.randrange(max(1, len(read)))
            words += read[start : start + rng.randint(3, 12)]
        if len(words) > 3:
            made.append(" ".join(words))
    return made


def trained(data: Bags, targets: np.ndarray, work: Path, seed: int) -> list[Hashed]:
    """Train the networks that are not yet in the work folder."""
    truth = torch.from_numpy(targets)
    groups = np.zeros(len(data), np.int64)
    modules = []
    for number in range(NETWORKS):
        torch.manual_seed(seed + number)
        module = Hashed(BITS, WIDTH, HIDDEN, sum(HEADS.values()))
        path = work / f"network-{number}.pt"
        if not path.exists():
            fit(
                module,
                data,
                groups,
                [np.arange(len(data))] * EPOCHS,
                lambda x, rows: loss_of(x, truth[rows]),
                HashedOptions(rate=3e-3, keep=0.5),
                seed + number,
            )
            torch.save(module.state_dict(), path)
        module.load_state_dict(torch.load(path))
        modules.append(module)
    return modules


def loss_of(x: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the encoder's loss for logits that are there already."""
    return loss(lambda ids, mask: x, {"ids": x, "mask": x, "targets": targets}, LEARNT)  # type: ignore[arg-type]


def assembled(modules: list[Hashed]) -> dict[str, np.ndarray]:
    """Put the networks side by side, uncalibrated."""
    sizes = {"goemotions": 28, "ekman": 7, "vad reader": 3, "vad writer": 3, "intensity": 6}
    kinds = ["any", "one", "graded", "graded", "graded"]
    parts = [{name: value.numpy() for name, value in module.state_dict().items()} for module in modules]
    packed, scale = rounded(np.concatenate([part["table.weight"] for part in parts], 1), spread=6)
    hidden = np.zeros((len(parts) * WIDTH, len(parts) * HIDDEN), np.float32)
    for i, part in enumerate(parts):
        hidden[i * WIDTH : (i + 1) * WIDTH, i * HIDDEN : (i + 1) * HIDDEN] = part["hidden.weight"].T
    outputs = sum(sizes.values())
    asked = np.ones((1, outputs), bool)
    asked[0, 42] = False  # BRIGHTER asked nobody about disgust in English
    return {
        "grams": np.array([GRAMS.shortest, GRAMS.longest, GRAMS.pairs], np.int64),
        "head_names": np.array(list(sizes)),
        "head_kinds": np.array(kinds),
        "head_sizes": np.array(list(sizes.values())),
        "languages": np.array(["eng"]),
        "table": packed,
        "table_scale": scale,
        "hidden_weight": hidden,
        "hidden_bias": np.concatenate([part["hidden_bias.weight"] for part in parts], 1),
        "out_weight": np.concatenate([part["out.weight"].T for part in parts]) / len(parts),
        "slope": np.ones((1, outputs), np.float32),
        "shift": np.mean([part["out_bias.weight"] for part in parts], 0),
        "thresholds": np.full((1, outputs), 0.5, np.float32),
        "asked": asked,
        "low": np.array([[-np.inf] * 35 + [-1] * 6 + [0] * 6], np.float32)[0],
        "high": np.array([[np.inf] * 35 + [1] * 6 + [3] * 6], np.float32)[0],
    }


def calibrated(arrays: dict[str, np.ndarray]) -> Ngrams:
    """Fit slopes, shifts and thresholds on dev, with the int8 tables that ship."""
    raw = arrays | {
        "head_kinds": np.array(["graded"] * 5),
        "low": np.full(47, -np.inf, np.float32),
        "high": np.full(47, np.inf, np.float32),
    }
    go, bank, intensity = corpora.goemotions("dev"), corpora.emobank("dev"), corpora.brighter("b", "eng", "dev")
    read = Ngrams(raw)
    x_go, x_bank, x_intensity = (
        np.concatenate([*read.answer(rows.texts).values()], 1) for rows in (go, bank, intensity)
    )
    slope, shift, limits = np.ones(47), np.zeros(47), np.full(47, 0.5)
    facts = fit_any(x_go[:, :28], go.truth)
    slope[:28], shift[:28], limits[:28] = (facts[name] for name in ("slope", "intercept", "threshold"))
    facts = fit_one(x_go[:, 28:35], go.truth @ corpora.ekman_of_goemotions())
    slope[28:35], shift[28:35] = facts["slope"], facts["intercept"]
    for k in range(6):
        slope[35 + k], shift[35 + k] = np.polyfit(x_bank[:, 35 + k], (bank.truth[:, k] - 3) / 2, 1)
        if not np.isnan(intensity.truth[:, k]).all():
            slope[41 + k], shift[41 + k] = np.polyfit(x_intensity[:, 41 + k], intensity.truth[:, k], 1)
    shifted = (arrays["shift"] * slope + shift).astype(np.float32)
    more = {"slope": slope[None].astype(np.float32), "thresholds": limits[None].astype(np.float32), "shift": shifted}
    return Ngrams(arrays | more)


def measure(model: Ngrams, seed: int) -> None:
    """Score the shipped file on the test splits, and its speed on GoEmotions' test texts; write the results."""
    go, bank = corpora.goemotions("test"), corpora.emobank("test")
    answers, limits = model.answer(go.texts), model.thresholds["goemotions"]
    p, said = answers["goemotions"], answers["goemotions"] >= limits
    groups = go.truth @ corpora.ekman_of_goemotions()
    single = (groups > 0).sum(1) == 1
    right = groups[np.arange(len(groups)), answers["ekman"].argmax(1)] > 0
    scores = {
        "macro-F1": lambda r: macro_f1(go.truth[r], said[r]),
        "micro-F1": lambda r: macro_f1(go.truth[r].reshape(-1, 1), said[r].reshape(-1, 1)),
        "ECE": lambda r: ece(go.truth[r], p[r]),
        "ekman-7 macro-F1 (one group)": lambda r: macro_f1(
            groups[r[single[r]]] > 0, np.eye(7)[answers["ekman"][r[single[r]]].argmax(1)]
        ),
        "ekman-7 accuracy (any of the raters' groups)": lambda r: right[r].mean(),
        "ekman-7 ECE": lambda r: ece((groups / groups.sum(1, keepdims=True))[r], answers["ekman"][r]),
    }
    notes = "test split; int8 as shipped; thresholds and calibration from dev; bootstrap over texts"
    metrics = {name: interval(score, len(go), seed) for name, score in scores.items()}
    speed = rates(model, go.texts)
    more = "; speed: GoEmotions test texts in, arrays out, after loading, median of 7; CPU second: of one thread"
    save("goemotions", "text.affect-en-fast", len(go), metrics, seed, speed, notes + more)
    _say(metrics | {name: {"value": value} for name, value in speed.items()})
    answers = model.answer(bank.texts)
    values = np.concatenate([answers["vad reader"], answers["vad writer"]], 1)
    names = [f"{side} {axis}" for side in ("reader", "writer") for axis in ("valence", "arousal", "dominance")]
    scores = {
        f"Pearson, {name}": lambda r, k=k: np.corrcoef(values[r, k], bank.truth[r, k])[0, 1]
        for k, name in enumerate(names)
    }
    metrics = {name: interval(score, len(bank), seed) for name, score in scores.items()}
    save("emobank", "text.affect-en-fast", len(bank), metrics, seed, {}, notes)
    _say(metrics)
    intensity = corpora.brighter("b", "eng", "test")
    values = model.answer(intensity.texts)["intensity"]
    scores = {
        f"Pearson, {name}": lambda r, k=k: np.corrcoef(values[r, k], intensity.truth[r, k])[0, 1]
        for k, name in enumerate(corpora.BRIGHTER)
        if name != "disgust"
    }
    metrics = {name: interval(score, len(intensity), seed) for name, score in scores.items()}
    save("brighter-b-eng", "text.affect-en-fast", len(intensity), metrics, seed, {}, notes)
    _say(metrics)


def rates(model: Ngrams, texts: list[str]) -> dict[str, float]:
    """Return texts a second with two threads, with one, and by CPU time of one."""
    found: dict[str, float] = {}
    for threads in (2, 1):
        walls, spent = [], []
        for _ in range(7):
            wall, cpu = time.perf_counter(), time.process_time()
            model.answer(texts, threads=threads)
            walls.append(time.perf_counter() - wall)
            spent.append(time.process_time() - cpu)
        found[f"posts a second, {threads} threads"] = len(texts) / float(np.median(walls))
    found["posts a CPU second"] = len(texts) / float(np.median(spent))
    return found


def _say(metrics: dict[str, dict[str, float]]) -> None:
    for name, metric in metrics.items():
        log.info("%s: %.4f", name, metric["value"])


def main() -> None:
    """Run the stages that are not yet in the work folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    lesson = lessons(options.work, options.seed)
    modules = trained(bags(lesson.texts, GRAMS), lesson.targets, options.work, options.seed)
    for module in modules:
        dev = logits(module, bags(corpora.goemotions("dev").texts, GRAMS), np.zeros(5426, np.int64))[:, :28]
        cuts = np.arange(-2.5, 0.1, 0.25)
        log.info("dev macro-F1 %.4f", max(macro_f1(corpora.goemotions("dev").truth, dev > cut) for cut in cuts))
    model = calibrated(assembled(modules))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    model.save(options.out)
    log.info("%s: %.2f MB", options.out, options.out.stat().st_size / 1e6)
    measure(Ngrams.load(options.out), options.seed)
    cards.update("text.affect-en-fast", options.out, ["goemotions", "emobank", "brighter-b-eng"])


if __name__ == "__main__":
    main()
