"""Train and publish `fusion.attention`: channels fused by a small network that looks at some seconds at once.

    python -m recipes.fusion_attention --work build/fusion [--seed 20] [--epochs 18]

After `recipes.fusion_items` and `recipes.fusion_late`. It learns from made talks of fit items, whose labels stay for
shorter or longer, and from MELD's dev with the voices of `recipes.fusion_meld`, in which each dialogue is answered by
readers that had not heard it; channels are taken away from it at random, whole or for a stretch. Temperature and trust
are fitted on made talks of dev items. Test is only measured, by `python -m benchmarks.fusion`. What was
trained is kept in `--work`. About ten minutes on one core.
"""

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from affetto.models.fusion.attention import FEATURES, HOP, WIDTH, features
from affetto.models.fusion.fusing import only_there
from affetto.models.fusion.grid import gridded
from affetto.models.weights import opened
from affetto.train.export import export
from affetto.train.fit import Batch, FitOptions, fit
from recipes import cards
from recipes.fusion_attention_network import FusionNetwork
from recipes.fusion_items import read_items
from recipes.fusion_late import BENCHMARKS
from recipes.fusion_made import CHANNELS, Items, Made, Making, made
from recipes.fusion_meld import Talk, talks

log = logging.getLogger("fusion")
WEIGHTS = cards.HOME / "src/affetto/models/fusion/weights/fusion.attention.onnx.gz"
STAYS = (0.6, 0.85, 0.95)
"""How readily labels stay in the lessons: a third of them each."""


@dataclass(frozen=True)
class Schooling:
    """How it is taught."""

    count: int = 1500
    """Made talks of each readiness to stay."""
    meld: int = 2
    """How often an epoch has the talks of MELD's dev."""
    epochs: int = 18
    batch: int = 64
    rate: float = 2e-3
    drop: float = 0.3
    """Chance that a channel is taken away; half of these times for a stretch only."""
    seed: int = 20


@dataclass(frozen=True, eq=False)
class Lessons:
    """Windows and their truth."""

    shown: npt.NDArray[np.float32]
    """n x WIDTH x 3 x 13."""
    truth: npt.NDArray[np.int64]
    """n x WIDTH; -1 where nothing is known."""


def of_made(talk: Made) -> Lessons:
    """Return made talks as lessons."""
    shown = features(talk.logs, talk.va, talk.confidence, talk.share)
    return Lessons(shown, np.where(talk.said.any(2), talk.truth, -1))


def of_meld(some: list[Talk]) -> Lessons:
    """Return talks of MELD as lessons: the label of a step is that of the turn that most of it lies in."""
    windows, truths = [], []
    for talk in some:
        seen = gridded(talk.tracks, only_there)
        begins = seen.start
        inside = np.minimum(talk.end[:, None], begins + 1) - np.maximum(talk.start[:, None], begins)
        truth = np.where(inside.max(0) > 0, talk.truth[inside.argmax(0)], -1)
        shown = np.zeros((len(begins), len(CHANNELS), FEATURES), np.float32)
        for k, name in enumerate(CHANNELS):
            if name in seen.channels:
                c = seen.channels.index(name)
                shown[:, k] = features(seen.logs[:, c], seen.va[:, c], seen.confidence[:, c], seen.share[:, c])
        truth[~shown[:, :, -1].any(1)] = -1
        for start in range(0, len(begins), HOP):
            window = np.zeros((WIDTH, len(CHANNELS), FEATURES), np.float32)
            right = np.full(WIDTH, -1)
            part = slice(start, start + WIDTH)
            window[: len(shown[part])], right[: len(truth[part])] = shown[part], truth[part]
            if (right >= 0).any():
                windows.append(window)
                truths.append(right)
    return Lessons(np.stack(windows), np.stack(truths))


def lessons_of(items: Items, how: Schooling) -> Lessons:
    """Return all that it learns from."""
    parts = [of_made(made(items, "fit", how.count, how.seed + k, Making(stay=stay))) for k, stay in enumerate(STAYS)]
    parts += [of_meld(talks(items)["dev"])] * how.meld
    log.info("%d windows, %d of them of MELD", sum(len(p.truth) for p in parts), how.meld * len(parts[-1].truth))
    return Lessons(np.concatenate([p.shown for p in parts]), np.concatenate([p.truth for p in parts]))


def taught(lessons: Lessons, how: Schooling) -> FusionNetwork:
    """Return a network that learned."""
    torch.manual_seed(how.seed)
    rng = np.random.default_rng(how.seed)
    net = FusionNetwork()
    steps = len(lessons.truth) // how.batch

    def batches(epoch: int) -> Iterator[Batch]:
        order = rng.permutation(len(lessons.truth))
        for k in range(steps):
            rows = order[k * how.batch : (k + 1) * how.batch]
            shown, truth = hidden(lessons.shown[rows], rng, how.drop), lessons.truth[rows]
            yield {"shown": torch.from_numpy(shown), "truth": torch.from_numpy(truth)}

    def loss(module: torch.nn.Module, batch: Batch) -> torch.Tensor:
        there = (batch["truth"] >= 0) & (batch["shown"][..., -1] > 0).any(2)
        return torch.nn.functional.cross_entropy(module(batch["shown"])[there], batch["truth"][there])

    options = FitOptions(epochs=how.epochs, rate=how.rate, decay=0.05, average=0.998)
    return fit(net, batches, steps, loss, options, after_epoch=lambda epoch, _: log.info("epoch %d", epoch + 1))


def hidden(shown: npt.NDArray[np.float32], rng: np.random.Generator, chance: float) -> npt.NDArray[np.float32]:
    """Return windows in which channels were taken away; the last one is never."""
    out = shown.copy()
    for window in out:
        for c in rng.permutation(window.shape[1]):
            others = np.delete(window[..., -1], c, 1).any()
            if others and rng.random() < chance:
                start, end = sorted(rng.integers(0, WIDTH + 1, 2)) if rng.random() < 0.5 else (0, WIDTH)
                window[start:end, c] = 0
    return out


def publish(net: FusionNetwork, others: Lessons, path: Path) -> None:
    """Write the network, then again with the calibration that fits what it says then."""

    def write(facts: dict) -> None:
        example = {"shown": torch.rand(2, WIDTH, len(CHANNELS), FEATURES)}
        export(net, example, ["logits"], path, {"affetto.calibration": json.dumps(facts)})

    path.parent.mkdir(exist_ok=True)
    write({"temperature": 1.0, "trust": [0.0, 1.0]})
    session, _ = opened(path, "fusion network", "affetto.calibration")
    there = (others.truth >= 0) & others.shown[..., -1].any(2)
    logits = session.run(["logits"], {"shown": others.shown})[0][there].astype(np.float64)
    truth = others.truth[there]

    def loss(heat: float) -> float:
        x = logits / heat
        return float((np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), truth]).mean())

    heats = np.exp(np.linspace(-1, 1, 201))
    best = float(heats[int(np.argmin([loss(heat) for heat in heats]))])
    p = np.exp(logits / best)
    top = (p.max(1) / p.sum(1)).clip(1e-4, 1 - 1e-4)
    line = LogisticRegression(C=100.0).fit(np.log(top / (1 - top))[:, None], logits.argmax(1) == truth)
    log.info("dev: log loss %.4f at temperature %.3f, accuracy %.4f", loss(best), best, (p.argmax(1) == truth).mean())
    write({"temperature": best, "trust": [float(line.intercept_[0]), float(line.coef_[0, 0])]})


def main() -> None:
    """Learn, calibrate, write."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=Schooling.seed)
    ask.add_argument("--epochs", type=int, default=Schooling.epochs)
    ask.add_argument("--cards", action="store_true", help="only bring the card up to date with the results")
    said = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    if not said.cards:
        items, kept = read_items(said.work / "items.npz"), said.work / "attention.pt"
        if not kept.exists():
            how = Schooling(seed=said.seed, epochs=said.epochs)
            torch.save(taught(lessons_of(items, how), how).state_dict(), kept)
        net = FusionNetwork()
        net.load_state_dict(torch.load(kept, weights_only=True))
        publish(net.eval(), of_made(made(items, "dev", 1000, said.seed)), WEIGHTS)
    there = [id for id in BENCHMARKS if (cards.HOME / "benchmarks/results" / id / "fusion.attention.json").exists()]
    cards.update("fusion.attention", WEIGHTS, there, room="fusion")


if __name__ == "__main__":
    main()
