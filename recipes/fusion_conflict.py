"""Fit `fusion.conflict`: by which statistics of two channels they contradict each other, and from where on.

    python -m recipes.fusion_conflict --items build/fusion/items.npz [--seed 11] [--n 12000]
    python -m benchmarks.conflict --items build/fusion/items.npz
    python -m recipes.fusion_conflict --scores

The items are those of `recipes.fusion_items`; the cases those of `benchmarks.conflict`. For each pair of channels a
logistic regression on cases of fit; for three channels one on the highest of the pairs. The limits of a mark are set on
consistent cases of fit and dev together: the statistics are too few to know their items, and of voices there are 31
speakers rather than 8. Speakers differ in how well they are heard, so the limit is not the 95th percentile itself but
the 90th of those percentiles over draws of people: of new people at most 5 % should be marked, nine times in ten.
Writes the numbers into the card; `benchmarks.conflict` measures it on test, and `--scores` writes the main ones of that
into the card too. About half a minute on one core.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from affetto.models.fusion.conflict import CHANNELS, PAIRS, STATISTICS, Limits, odds, statistics
from benchmarks.conflict import BENCHMARK, SETS, Cases, Items, cases, items, weights
from benchmarks.results import RESULTS
from recipes.cards import HOME, SCORES

CARD = HOME / "src/affetto/models/fusion/fusion.conflict.toml"
NUMBERS = "\n# Numbers: written by the recipe; do not edit by hand.\n"
ALARMS = ("0.05", "0.01")
SURENESS = 0.9
DRAWS = 300


def name(channels: Sequence[int]) -> str:
    """Return what a set of channels is called in the card."""
    return "+".join(CHANNELS[k] for k in channels)


def numbers(pools: Sequence[Items], drawn: Cases) -> tuple[np.ndarray, np.ndarray]:
    """Return the cases' probabilities, m x 3 x 7, and confidences, m x 3; NaN where a channel is silent."""
    shares = np.full((len(drawn.rows), len(CHANNELS), 7), np.nan)
    sure = np.full(shares.shape[:2], np.nan)
    for k, channel in enumerate(drawn.channels):
        clipped = np.clip(pools[channel].said[drawn.rows[:, k]], 1e-4, 1)
        shares[:, channel] = clipped / clipped.sum(1, keepdims=True)
        sure[:, channel] = pools[channel].sure[drawn.rows[:, k]]
    return shares, sure


def fitted(features: np.ndarray, truth: np.ndarray) -> list[float]:
    """Return the weights and the constant of a logistic regression."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    model = LogisticRegression(C=1.0, max_iter=1000).fit(features, truth)
    return [round(float(x), 4) for x in (*model.coef_[0], model.intercept_[0])]


def limit(chance: np.ndarray, pools: Sequence[Items], drawn: Cases, alarm: float, seed: int) -> float:
    """Return the chance that at most `alarm` of consistent cases reach, with `SURENESS` over who is met."""
    same = drawn.kind == 0
    order = np.argsort(chance[same])
    found = []
    for weight in weights(pools, drawn, DRAWS, seed):
        above = np.cumsum(weight[same][order]) / weight[same].sum()
        found.append(chance[same][order][min(int(np.searchsorted(above, 1 - alarm)), len(order) - 1)])
    return round(float(np.quantile(found, SURENESS)), 4)


def learned(pools: Sequence[Items], n: int, seed: int) -> tuple[Limits, dict[str, dict[str, float]]]:
    """Return the weights, and for each rate of alarms the limits of every set of channels."""
    pairs: dict[str, np.ndarray] = {}
    for k, (a, b) in enumerate(PAIRS):
        drawn = cases(pools, (a, b), ["fit"], n, seed + k)
        shares, sure = numbers(pools, drawn)
        found = statistics(shares[:, a], shares[:, b], sure[:, [a, b]])
        pairs[name((a, b))] = np.array(fitted(found, drawn.kind == 2))
    rough = Limits(pairs, (1.0, 0.0), {})
    drawn = cases(pools, SETS[-1], ["fit"], n, seed + 5)
    highest, _ = odds(*numbers(pools, drawn), rough)
    slope, constant = fitted(highest[:, None], drawn.kind == 2)
    limits = Limits(pairs, (slope, constant), {})
    marks: dict[str, dict[str, float]] = {}
    for k, channels in enumerate(SETS):
        drawn = cases(pools, channels, ["fit", "dev"], n, seed + 10 + k)
        log_odds, _ = odds(*numbers(pools, drawn), limits)
        chance = 1 / (1 + np.exp(-log_odds))
        for alarm in ALARMS:
            marks.setdefault(alarm, {})[name(channels)] = limit(chance, pools, drawn, float(alarm), seed)
    return limits, marks


def written(limits: Limits, marks: Mapping[str, Mapping[str, float]]) -> str:
    """Return the numbers as TOML."""
    lines = [f"three = {json.dumps(list(limits.three))}", "", "[pairs]"]
    lines += [f'"{key}" = {json.dumps(row.tolist())}' for key, row in limits.weights.items()]
    for alarm, values in marks.items():
        lines += ["", f'[marks."{alarm}"]', *(f'"{key}" = {value}' for key, value in values.items())]
    return "\n".join(lines) + "\n"


def scores() -> str:
    """Return the main scores of the last measuring as TOML."""
    plain = json.loads((RESULTS / BENCHMARK / "fusion.conflict.json").read_text("utf-8"))
    told = ("auroc opposite,", "false alarms,", "marked of opposite,")
    sets = [name(channels) for channels in SETS]
    text = ""
    for metric in [*(f"{kind} {which}" for kind in told for which in sets), "which channel, opposite"]:
        score = plain["metrics"][metric]
        row = {"benchmark": BENCHMARK, "metric": metric, "n": plain["n"] // len(SETS)}
        row |= {key: round(score[key], 4) for key in ("value", "low", "high")}
        text += "\n[[scores]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in row.items())
    return text


def main() -> None:
    """Fit, and write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=Path)
    parser.add_argument("--scores", action="store_true")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--n", type=int, default=12000)
    options = parser.parse_args()
    if options.scores or not options.items:
        text = CARD.read_text("utf-8").split(SCORES)[0].rstrip("\n") + "\n"
        CARD.write_text(text + SCORES + scores(), "utf-8")
        return
    limits, marks = learned(items(options.items), options.n, options.seed)
    print(STATISTICS)
    print(written(limits, marks))
    text = CARD.read_text("utf-8").split(NUMBERS)[0].rstrip("\n") + "\n"
    CARD.write_text(text + NUMBERS + written(limits, marks), "utf-8")


if __name__ == "__main__":
    main()
