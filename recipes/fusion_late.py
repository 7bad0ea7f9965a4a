"""Fit `fusion.late`: how reliable each channel is beside the others, and how sure one may be of all together.

    python -m recipes.fusion_late --work build/fusion [--seed 20] [--cards]

After `recipes.fusion_items`. Reliabilities, priors and dependence are fitted on made talks of fit items (the likelihood
of the label of each step in which two channels speak), what makes the confidence on made talks of dev items, where one
speaks as well; the spread of valence and arousal is around the coordinates of the label's word. The numbers go into the
card. `--cards` only brings the card's scores up to date with `benchmarks/results`. Half a minute on one core.
"""

import argparse
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from affetto.core.catalog import find, load
from affetto.models.fusion.late import ENOUGH, OTHER, Late, Reliabilities
from recipes import cards
from recipes.fusion_items import read_items
from recipes.fusion_made import CHANNELS, Items, Made, made

log = logging.getLogger("fusion")
CARD = cards.HOME / "src/affetto/models/fusion/fusion.late.toml"
NUMBERS = "\n# Numbers: written by the recipe; do not edit by hand.\n"
BENCHMARKS = ("fusion-made.v1", "fusion-meld.v1")
POWER = 0.2
"""How much a confidence counts. Set, not fitted: on these items the distributions tell as much as the confidence (the
best power is 0), but a strange voice or a face half hidden, which only the confidence knows of, is rare among them."""
HOLD = 0.02
"""How strongly priors are held to what a channel's answers are like on the average."""
EVEN = 0.3
"""How far priors are brought nearer to each other. Set, not fitted: a prior of .004 (disgust in faces) would make a
label that is hardly mentioned the answer as soon as a channel is unsure of everything."""
EDGE = 1e-4
FACTS = ("company", "quarrel", "own")
"""Of the confidence, besides the log-odds of the top label; see `affetto.models.fusion.late`."""


def fitted(items: Items, seed: int) -> dict:
    """Return the numbers of the card."""
    return numbers_of(made(items, "fit", 2000, seed), made(items, "dev", 1000, seed), _spreads(items))


def numbers_of(lessons: Made, others: Made, spreads: Sequence[Sequence[float]] | None = None) -> dict:
    """Return the numbers that suit talks.

    Args:
        lessons: of which the reliabilities come; channels that never speak there are left out.
        others: of which the confidence comes.
        spreads: of valence and arousal, two a channel; ones where nobody measured them.
    """
    spreads = spreads or [[1.0, 1.0]] * len(CHANNELS)
    plain = _pool(lessons)
    there = {name: c for c, name in enumerate(CHANNELS) if lessons.said[:, :, c].any()}
    mean = np.exp(np.mean(np.log([plain["prior"][c] for c in there.values()]), 0))
    channels = {
        name: {"reliability": plain["reliability"][c], "prior": plain["prior"][c], "spread": list(spreads[c])}
        for name, c in there.items()
    }
    channels[OTHER] = {
        "reliability": min(part["reliability"] for part in channels.values()),
        "prior": (mean / mean.sum()).tolist(),
        "spread": np.max(spreads, 0).tolist(),
    }
    found = {"power": POWER, "dependence": plain["dependence"], **dict.fromkeys(FACTS, 0.0)}
    blank = {name: part | {"trust": [0.0, 1.0]} for name, part in channels.items()}
    trust = _trust(Late(find("fusion.late"), Reliabilities.from_plain(found | {"channels": blank})), others)
    for name, c in there.items():
        channels[name]["trust"] = [trust["constant"][c], trust["slope"][c]]
    channels[OTHER]["trust"] = [min(channels[name]["trust"][k] for name in there) for k in (0, 1)]
    return found | {name: trust[name] for name in FACTS} | {"channels": channels}


def _pool(lessons: Made) -> dict:
    """Return reliability, prior and dependence that make the labels of steps with two channels likeliest."""
    said, flat = lessons.said, lessons.said.sum(2) >= 2
    logs = torch.from_numpy(np.nan_to_num(lessons.logs)[flat]).double()
    sure = torch.from_numpy(np.nan_to_num(lessons.confidence, nan=0.5).clip(EDGE, 1 - EDGE)[flat] ** POWER).double()
    there, truth = (
        torch.from_numpy((np.minimum(lessons.share / ENOUGH, 1) * said)[flat]).double(),
        torch.from_numpy(lessons.truth[flat]),
    )
    means = [np.exp(lessons.logs[:, :, c][said[:, :, c]]) for c in range(len(CHANNELS))]
    usual = torch.from_numpy(np.log([p.mean(0) if len(p) else np.full(7, 1 / 7) for p in means])).double()
    size, depend = torch.zeros(len(CHANNELS)).double(), torch.zeros(1).double()
    prior = usual.clone()

    def loss() -> torch.Tensor:
        weights = size.exp() * sure * there
        weights = weights / weights.max(1, keepdim=True).values
        total, priors = weights.sum(1, keepdim=True), evened(prior).log()
        pooled = (weights[:, :, None] * (logs - priors)).sum(1) + weights @ priors / total
        return (
            torch.nn.functional.cross_entropy(pooled / total ** depend.exp(), truth)
            + HOLD * ((prior - usual) ** 2).mean()
        )

    log.info("fit, log loss of steps with two channels or three: %.4f", _least(loss, [size, depend, prior]))
    reliability = (size - size.max()).exp()
    return {
        "reliability": reliability.tolist(), "prior": evened(prior).tolist(), "dependence": depend.exp().item()
    }  # fmt: skip


def evened(prior: torch.Tensor) -> torch.Tensor:
    """Return priors of logits (c x 7), brought nearer to each other."""
    return (1 - EVEN) * prior.softmax(1) + EVEN / prior.shape[1]


def _trust(late: Late, others: Made) -> dict:
    """Return what makes the confidence, fitted on all steps in which anybody speaks."""
    facts, right = [], []
    for k in range(len(others.truth)):
        seen = others.seen(k)
        there, pooled = seen.said.any(1), late(seen)
        labels = np.nan_to_num(pooled.labels.astype(np.float64))
        one = late.facts(labels, seen, late.weighed(seen))
        columns = (one.shares, one.shares * one.lift[:, None], one.company, -one.quarrel, one.own)
        facts.append(np.column_stack(columns)[there])
        right.append((labels.argmax(1) == others.truth[k])[there])
    x, y = torch.from_numpy(np.concatenate(facts)), torch.from_numpy(np.concatenate(right)).double()
    c = len(CHANNELS)
    constant, more = torch.zeros(c).double(), torch.zeros(c + 3).double() - 1

    def loss() -> torch.Tensor:
        odds = x[:, :c] @ constant + x[:, c:] @ more.exp()
        return torch.nn.functional.binary_cross_entropy_with_logits(odds, y) + 1e-4 * (more**2).mean()

    log.info("dev, log loss of being right: %.4f", _least(loss, [constant, more]))
    found = more.exp().tolist()
    return {"constant": constant.tolist(), "slope": found[:c]} | dict(zip(FACTS, found[c:], strict=True))


def _least(loss: Callable[[], torch.Tensor], numbers: list[torch.Tensor]) -> float:
    """Lower a loss by moving some numbers; return it."""
    for one in numbers:
        one.requires_grad_(True)
    solver = torch.optim.LBFGS(numbers, max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        value = loss()
        torch.autograd.backward(value)
        return value

    solver.step(closure)
    value = loss().item()
    for one in numbers:
        one.requires_grad_(False)
    return value


def _spreads(items: Items) -> list[list[float]]:
    """Return the mean square of the errors of valence and arousal, around those of the label's word, label by label."""
    space = load("ekman-7")
    points = np.array([axis.vad[:2] for axis in space.axes])
    found = []
    for channel in CHANNELS:
        rows = items[f"{channel}_split"] == "fit"
        labels = items[f"{channel}_label"][rows]
        errors = (items[f"{channel}_va"][rows] - points[labels]) ** 2
        found.append(np.mean([errors[labels == k].mean(0) for k in np.unique(labels)], 0).tolist())
    return found


def written(numbers: dict) -> str:
    """Return the numbers as TOML."""
    lines = ["[pool]", 'measured = "made talks of the fit and dev items of recipes/fusion_items.py"']
    lines += [f"{name} = {numbers[name]:.4f}" for name in ("power", "dependence", *FACTS)]
    for name, part in numbers["channels"].items():
        lines += ["", f"[pool.channels.{name}]", f"reliability = {part['reliability']:.4f}"]
        lines += [f"{key} = [{', '.join(f'{x:.4f}' for x in part[key])}]" for key in ("prior", "spread", "trust")]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fit, write the card."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--cards", action="store_true")
    said = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    if not said.cards:
        text = CARD.read_text("utf-8").split(NUMBERS)[0].split(cards.SCORES)[0].rstrip("\n") + "\n"
        numbers = fitted(read_items(said.work / "items.npz"), said.seed)
        CARD.write_text(text + NUMBERS + "\n" + written(numbers), "utf-8")
    there = [id for id in BENCHMARKS if (cards.HOME / "benchmarks/results" / id / "fusion.late.json").exists()]
    cards.update("fusion.late", CARD, there, room="fusion")


if __name__ == "__main__":
    main()
