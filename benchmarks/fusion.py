"""How well channels are joined: on made talks of test items with each channel alone and removed, and on MELD's test.

    python -m benchmarks.fusion --work build/fusion [--count 1200] [--seed 7] [--dry]

After `recipes.fusion_items`, whose file it reads. `fusion-made.v1`: talks made of test items (`recipes.fusion_made`), a
row a step of a second in which any channel speaks; "together" are the steps in which all three do, where the channels
can be compared with each other and with what is fused. `late-smoothed` is late fusion averaged over neighbouring steps,
its width chosen on dev items: how much of what attention gains is only that labels stay. `fusion-meld.v1`: the turns of
MELD's test, words by `text.affect-en` and voices by the regression of `recipes.fusion_meld`; `late-of-meld` has its
numbers from MELD's dev. Intervals are over talks, and over dialogues. About four minutes on one core.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import find
from affetto.metrics.calibration import BINS
from affetto.models.fusion import attention, late
from affetto.models.fusion.fusing import only_there
from affetto.models.fusion.grid import Seen, gridded
from affetto.models.fusion.late import Late, Pooled, Reliabilities
from benchmarks.results import interval, save
from recipes.fusion_items import read_items
from recipes.fusion_made import CHANNELS, Made, made
from recipes.fusion_meld import Talk, as_steps, of_turns, talks

ALONE = {"face": "face.expression", "text": "text.affect-en", "voice": "speech.affect"}
LEAST = 1e-4
WIDTHS = (0, 1, 2, 3)
"""Steps to each side over which late fusion may be averaged."""
Pool = Callable[[Seen], Pooled]
Floats = npt.NDArray[np.float64]


class Tally:
    """What was said and what is true, summed up in each talk, so that talks can be drawn again and again."""

    def __init__(self, values: Floats, sure: Floats, truth: npt.NDArray[np.int64], talk: npt.NDArray[np.int64]) -> None:
        """Take n x k probabilities, n confidences, n labels, and the number of the talk of each row."""
        count, k = int(talk.max()) + 1, values.shape[1]
        top = values.argmax(1)
        shares = np.clip(values / values.sum(1, keepdims=True), LEAST, 1)
        self.table = np.zeros((count, k, k))
        np.add.at(self.table, (talk, truth, top), 1)
        self.loss = np.bincount(talk, -np.log(shares[np.arange(len(truth)), truth]), count)
        self.bins = np.zeros((count, BINS))
        place = np.minimum((sure * BINS).astype(int), BINS - 1)
        np.add.at(self.bins, (talk, place), (top == truth) - sure)
        self.talks = count

    def scores(self) -> dict[str, Callable[[npt.NDArray[np.int64]], float]]:
        """Return functions from the numbers of talks to a score."""
        return {
            "accuracy": lambda t: self._share(self.table[t].sum(0)),
            "macro_f1": lambda t: _macro(self.table[t].sum(0), even=True),
            "weighted_f1": lambda t: _macro(self.table[t].sum(0), even=False),
            "log_loss": lambda t: float(self.loss[t].sum() / self.table[t].sum()),
            "ece": lambda t: float(np.abs(self.bins[t].sum(0)).sum() / self.table[t].sum()),
        }

    @staticmethod
    def _share(table: Floats) -> float:
        return float(np.trace(table) / table.sum())


def _macro(table: Floats, even: bool) -> float:
    """Return the mean F1 of the labels that are there, each as much or by its rows."""
    rows, said, right = table.sum(1), table.sum(0), np.diag(table)
    f1 = 2 * right / np.maximum(rows + said, 1)
    return float(f1[rows > 0].mean() if even else (f1 * rows).sum() / rows.sum())


def measured(tally: Tally, seed: int, what: Sequence[str], suffix: str = "") -> dict[str, dict[str, float]]:
    """Return scores with intervals over talks."""
    scores = tally.scores()
    return {f"{name}{suffix}": interval(scores[name], tally.talks, seed, resamples=500) for name in what}


def pooled(pool: Pool, talk: Made) -> tuple[Floats, Floats]:
    """Return what is fused of made talks: n x t x 7, and the confidence."""
    found = [pool(talk.seen(k)) for k in range(len(talk.truth))]
    return np.stack([one.labels for one in found]).astype(float), np.stack([one.confidence for one in found])


def smoothed(pool: Pool, width: int) -> Pool:
    """Return a pool whose log-probabilities are averaged over so many steps to each side, the nearer ones more."""

    def ask(seen: Seen) -> Pooled:
        one = pool(seen)
        logs = np.nan_to_num(np.log(one.labels))
        there = np.isfinite(one.labels).all(1).astype(float)
        weights = width + 1.0 - np.abs(np.arange(-width, width + 1))
        total = np.convolve(there, weights, "same")
        sums = np.stack([np.convolve(column, weights, "same") for column in logs.T], 1)
        raised = np.exp(sums / np.maximum(total, 1e-9)[:, None])
        labels = np.where(there[:, None] > 0, raised / raised.sum(1, keepdims=True), np.nan)
        return Pooled(labels.astype(np.float32), one.va, one.confidence)

    return ask


def of_made(systems: Mapping[str, Pool], talk: Made, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores of all systems and of single channels on made talks."""
    number = np.broadcast_to(np.arange(len(talk.truth))[:, None], talk.truth.shape)
    anybody, together = talk.said.any(2), talk.said.all(2)
    main, few = ("accuracy", "macro_f1", "log_loss", "ece"), ("accuracy", "macro_f1")

    def tally(values: Floats, sure: Floats, rows: npt.NDArray[np.bool_]) -> Tally:
        return Tally(values[rows], sure[rows], talk.truth[rows], number[rows])

    found: dict[str, dict[str, dict[str, float]]] = {}
    singles: dict[str, Tally] = {}
    for c, channel in enumerate(CHANNELS):
        values, sure = np.exp(talk.logs[:, :, c]).astype(float), talk.confidence[:, :, c]
        own, singles[channel] = tally(values, sure, talk.said[:, :, c]), tally(values, sure, together)
        found[ALONE[channel]] = measured(own, seed, main, ", where it speaks")
        found[ALONE[channel]] |= measured(singles[channel], seed, main, ", together")
    everyone = np.arange(len(talk.truth))
    best = max(singles.values(), key=lambda one: one.scores()["accuracy"](everyone))
    for name, pool in systems.items():
        values, sure = pooled(pool, talk)
        whole = tally(values, sure, together)
        found[name] = measured(tally(values, sure, anybody), seed, main) | measured(whole, seed, main, ", together")
        for score in few:
            mine, other = whole.scores()[score], best.scores()[score]
            gain = interval(lambda t, a=mine, b=other: a(t) - b(t), len(talk.truth), seed, resamples=500)
            found[name][f"{score}, together, above the best single channel"] = gain
        for channel in CHANNELS:
            for word, kept in (("without", set(CHANNELS) - {channel}), ("only", {channel})):
                values, sure = pooled(pool, talk.only(tuple(kept)))
                found[name] |= measured(tally(values, sure, together), seed, few, f", together, {word} {channel}")
    return found


def of_meld(systems: Mapping[str, Pool], some: Sequence[Talk], seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the scores of all systems and of both channels on the turns of MELD."""
    truth = np.concatenate([talk.truth for talk in some])
    names = [talk.dialogue for talk in some for _ in talk.truth]
    _, dialogue = np.unique(names, return_inverse=True)
    what = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "ece")
    found: dict[str, dict[str, dict[str, float]]] = {}

    def add(name: str, values: Floats, sure: Floats, suffix: str = "") -> None:
        kept = ~np.isnan(values).any(1)
        tally = Tally(values[kept], sure[kept], truth[kept], dialogue[kept])
        found.setdefault(name, {}).update(measured(tally, seed, what, suffix))

    for name, place in ((ALONE["text"], 0), ("voice-regression", 2)):
        tracks = [talk.tracks[place] for talk in some]
        add(name, np.concatenate([t.values for t in tracks]), np.concatenate([t.confidence for t in tracks]))
    for name, pool in systems.items():
        for suffix, channels in (("", {"text", "voice"}), (", only text", {"text"}), (", only voice", {"voice"})):
            rows = []
            for talk in some:
                one = pool(gridded([t for t in talk.tracks if t.channel in channels], only_there, until=talk.end.max()))
                rows.append(of_turns(np.column_stack([one.labels, one.confidence]), talk))
            both = np.concatenate(rows)
            add(name, both[:, :-1], both[:, -1], suffix)
    return found


def chosen(pool: Pool, talk: Made) -> int:
    """Return the width of smoothing that suits made talks best."""
    rows = talk.said.any(2)
    losses = []
    for width in WIDTHS:
        values, _ = pooled(smoothed(pool, width), talk)
        losses.append(-np.log(np.clip(np.take_along_axis(values, talk.truth[:, :, None], 2)[rows], LEAST, 1)).mean())
    return WIDTHS[int(np.argmin(losses))]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    said = parser.parse_args()
    items = read_items(said.work / "items.npz")
    plain = late.load(find("fusion.late"))
    fused: dict[str, Pool] = {"fusion.late": plain, "fusion.attention": attention.load(find("fusion.attention"))}
    width = chosen(plain, made(items, "dev", 300, said.seed))
    test = made(items, "test", said.count, said.seed)
    found = of_made(fused | {"late-smoothed": smoothed(plain, width)}, test, said.seed)
    note = (
        "made talks of test items, 24 steps of a second each; together: the steps in which face, voice and words all "
        f"speak ({test.said.all(2).sum()} of {test.said.any(2).sum()}); a tenth of the items show another label; "
        f"late-smoothed averages {width} steps to each side"
    )
    from recipes.fusion_late import numbers_of  # noqa: PLC0415 - it wants torch

    told = talks(items)
    own = Late(find("fusion.late"), Reliabilities.from_plain(numbers_of(as_steps(told["dev"]), as_steps(told["dev"]))))
    dialogues = of_meld(fused | {"late-of-meld": own}, told["test"], said.seed)
    words = "turns of MELD's test; the voice is a regression on eGeMAPS that learned from dev, no model of the package"
    for benchmark, results, n, notes in (
        ("fusion-made.v1", found, said.count, note),
        ("fusion-meld.v1", dialogues, sum(len(talk.truth) for talk in told["test"]), words),
    ):
        for name, metrics in results.items():
            for metric, value in metrics.items():
                print(f"{value['value']:8.4f} [{value['low']:.4f}, {value['high']:.4f}]  {benchmark} {name}: {metric}")
            if not said.dry:
                print(save(benchmark, name, n, metrics, said.seed, {}, notes), flush=True)


if __name__ == "__main__":
    main()
