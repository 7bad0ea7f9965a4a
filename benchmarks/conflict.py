"""Whether contradiction of channels is found: real faces, voices and words, put together with equal or other labels.

    python -m benchmarks.conflict --items build/fusion/items.npz [--seed 7] [--n 6000]

The items are what our models say of faces, voices and words that they did not learn from (`recipes.fusion_items`), each
with the label of its own channel. Those of test are put together at random, drawn by the seed: half of the cases are
*consistent* (one label in all channels), a quarter is of *opposite* valence (joy against anger, disgust, fear or
sadness), a quarter *differs* otherwise (other labels, neutral and surprise among them, which contradict nobody). Of
three channels one stands against two that share a label. Labels are drawn evenly, then corpora evenly, then items, so
that no label and no corpus counts by its size. Words are those of GoEmotions, which were labelled by themselves; MELD's
were labelled on film, face and voice included, and are counted apart.

As in CA-MER (Han et al. 2025), three channels are told by who is right: `video-aligned`, the voice deviates from face
and words; `audio-aligned`, the face deviates; `text deviates`; `consistent`. Intervals are over who speaks or writes,
drawn in each channel (a face stands for itself). Two rules are measured on the same cases: Jensen-Shannon divergence,
and the distance of expected sides.
"""

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.models.fusion import conflict
from affetto.models.fusion.conflict import CHANNELS, Conflict
from affetto.models.fusion.grid import Seen
from benchmarks.results import save

BENCHMARK = "channel-conflict.v1"
KINDS = ("consistent", "differs", "opposite")
SHARES = (0.5, 0.25, 0.25)
SIDES = (-1, -1, -1, 1, -1, 0, 0)
"""Pleasant, unpleasant or neither, of the labels of ekman-7."""
LABELS = len(SIDES)
OWN_WORDS, FILM_WORDS = "goemotions", "meld"
SETS = ((0, 1), (0, 2), (1, 2), (0, 1, 2))
"""The channels that speak, by their numbers in `CHANNELS`."""
SUBSETS = {"video-aligned": 2, "audio-aligned": 0, "text deviates": 1}
"""Subsets of three channels, and the channel that deviates."""
RESAMPLES = 400
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Items:
    """What one channel's model said, n items."""

    said: npt.NDArray[np.float32]
    """n x 7, ekman-7."""
    sure: npt.NDArray[np.float32]
    label: Ints
    split: npt.NDArray[np.str_]
    corpus: npt.NDArray[np.str_]
    group: Ints
    """Who speaks or writes, as a number."""


@dataclass(frozen=True, eq=False)
class Cases:
    """Items put together, m cases of c channels."""

    channels: tuple[int, ...]
    rows: Ints
    """m x c, numbers of items."""
    kind: Ints
    """m, numbers of `KINDS`."""
    deviates: Ints
    """m, the channel that stands alone, or -1."""


def items(path: Path) -> list[Items]:
    """Return the items of `CHANNELS`, in their order."""
    with np.load(path) as held:
        return [
            Items(
                held[f"{name}_ekman7"],
                held[f"{name}_confidence"],
                held[f"{name}_label"].astype(np.intp),
                held[f"{name}_split"],
                held[f"{name}_corpus"],
                np.unique(held[f"{name}_group"], return_inverse=True)[1],
            )
            for name in CHANNELS
        ]


def cases(
    pools: Sequence[Items], channels: Sequence[int], splits: Sequence[str], n: int, seed: int, words: str = OWN_WORDS
) -> Cases:
    """Draw n cases of the channels from items of the splits.

    Args:
        pools: the items of all `CHANNELS`.
        channels: which of them speak: two or three.
        splits: where the items are taken from.
        n: how many.
        seed: of all that is drawn.
        words: the corpus that texts are taken from.
    """
    rng = np.random.default_rng(seed)
    counts = [round(n * share) for share in SHARES]
    parts, kinds, alone = [], [], []
    for kind, count in enumerate(counts):
        wanted = list(_labels(kind, len(channels)))
        for (labels, odd), m in zip(wanted, rng.multinomial(count, np.full(len(wanted), 1 / len(wanted))), strict=True):
            columns = [
                _draw(pools[channel], splits, label, m, rng, words if CHANNELS[channel] == "text" else "")
                for channel, label in zip(channels, labels, strict=True)
            ]
            parts.append(np.stack(columns, 1))
            kinds += [kind] * m
            alone += [channels[odd] if odd >= 0 else -1] * m
    return Cases(tuple(channels), np.concatenate(parts), np.array(kinds), np.array(alone))


def _labels(kind: int, channels: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield the labels of the channels for a kind of case, and which channel stands alone (-1: none, or unknown)."""
    for one, other in itertools.product(range(LABELS), repeat=2):
        against = SIDES[one] * SIDES[other] < 0
        if (one == other, against) != (kind == 0, kind == 2):
            continue
        if channels == 2 or one == other:
            yield ((one, other), -1) if channels == 2 else ((one,) * channels, -1)
        else:
            for odd in range(channels):
                yield tuple(other if k == odd else one for k in range(channels)), odd


def _draw(pool: Items, splits: Sequence[str], label: int, n: int, rng: np.random.Generator, corpus: str) -> Ints:
    there = np.isin(pool.split, splits) & (pool.label == label)
    if corpus:
        there &= pool.corpus == corpus
    shelves = [np.flatnonzero(there & (pool.corpus == name)) for name in np.unique(pool.corpus[there])]
    if not shelves:
        raise SystemExit(f"no item of label {label} in {', '.join(splits)}")
    return np.array([rng.choice(shelves[k]) for k in rng.integers(0, len(shelves), n)], np.intp)


def seen(pools: Sequence[Items], drawn: Cases) -> Seen:
    """Return the cases as steps of a grid, a second each."""
    m, c = drawn.rows.shape
    said = np.stack([pools[channel].said[drawn.rows[:, k]] for k, channel in enumerate(drawn.channels)], 1)
    sure = np.stack([pools[channel].sure[drawn.rows[:, k]] for k, channel in enumerate(drawn.channels)], 1)
    names = tuple(CHANNELS[channel] for channel in drawn.channels)
    logs = np.log(np.clip(said, 1e-4, 1)).astype(np.float32)
    return Seen(1.0, float(m), names, logs, np.full((m, c, 2), np.nan, np.float32), sure, np.ones((m, c), np.float32))


def weights(pools: Sequence[Items], drawn: Cases, draws: int, seed: int) -> Iterator[Floats]:
    """Yield how often each case counts, m, in each draw of the people of every channel."""
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        weight = np.ones(len(drawn.rows))
        for k, channel in enumerate(drawn.channels):
            people, whose = np.unique(pools[channel].group[drawn.rows[:, k]], return_inverse=True)
            weight *= np.bincount(rng.integers(0, len(people), len(people)), minlength=len(people))[whose]
        yield weight


def auroc(truth: npt.NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return the chance that a case that is true scores higher than one that is not; ties count a half."""
    order = np.argsort(score, kind="stable")
    _, place = np.unique(score[order], return_inverse=True)
    yes = np.bincount(place, (weight * truth)[order])
    no = np.bincount(place, (weight * ~truth)[order])
    below = np.cumsum(no) - no
    return float((yes * (below + no / 2)).sum() / (yes.sum() * no.sum()))


Score = Callable[[Floats], float]


def share(yes: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> Score:
    """Return a score: the share of `yes` among the cases, by weight."""
    return lambda weight: float((weight * (yes & among)).sum() / max(1e-9, (weight * among).sum()))


def curve(truth: npt.NDArray[np.bool_], score: Floats, among: npt.NDArray[np.bool_]) -> Score:
    """Return a score: the area under the curve among the cases."""
    return lambda weight: auroc(truth[among], score[among], weight[among])


def calibration(truth: npt.NDArray[np.bool_], chance: Floats) -> Score:
    """Return a score: expected calibration error of ten even bins."""
    bins = np.minimum((chance * 10).astype(int), 9)

    def ece(weight: Floats) -> float:
        gaps = np.bincount(bins, weight * (truth - chance), 10)
        return float(np.abs(gaps).sum() / weight.sum())

    return ece


def told(name: str, drawn: Cases, chance: Floats) -> dict[str, Score]:
    """Return the scores of any number that should be higher where channels contradict each other."""
    there = np.ones(len(chance), bool)
    opposite, same = drawn.kind == 2, drawn.kind == 0
    return {
        f"auroc opposite, {name}": curve(opposite, chance, opposite | same),
        f"auroc opposite against all others, {name}": curve(opposite, chance, there),
        f"auroc any other label, {name}": curve(~same, chance, there),
    }


def ours(name: str, pools: Sequence[Items], drawn: Cases, model: Conflict) -> dict[str, Score]:
    """Return the scores of the model, marks and deviating channels included."""
    track = model.between(seen(pools, drawn))
    assert track is not None
    chance, marked = track.column("conflict").astype(np.float64), conflict.marked(track)
    found = told(name, drawn, chance) | {
        f"calibration error, {name}": calibration(drawn.kind == 2, chance),
        f"false alarms, {name}": share(marked, drawn.kind == 0),
        f"marked of opposite, {name}": share(marked, drawn.kind == 2),
        f"marked of differs, {name}": share(marked, drawn.kind == 1),
    }
    labels = pools[drawn.channels[0]].label[drawn.rows[:, 0]]
    for k, label in enumerate(catalog.load("ekman-7").names):
        found[f"false alarms, {name}, {label}"] = share(marked, (drawn.kind == 0) & (labels == k))
    if len(drawn.channels) == len(CHANNELS):
        shares = np.stack([track.column(channel) for channel in CHANNELS], 1)
        right = shares.argmax(1) == drawn.deviates
        against = drawn.kind == 2
        found["which channel, opposite"] = share(right, against)
        found["which channel, opposite and marked"] = share(right, against & marked)
        found["which channel, differs"] = share(right, drawn.kind == 1)
        for subset, channel in SUBSETS.items():
            here = against & (drawn.deviates == channel)
            found[f"which channel, {subset}"] = share(right, here)
            found[f"marked, {subset}"] = share(marked, here)
            found[f"auroc opposite, {subset}"] = curve(against, chance, here | (drawn.kind == 0))
        found["marked, consistent"] = share(marked, drawn.kind == 0)
    return found


def rules(pools: Sequence[Items], drawn: Cases) -> dict[str, Floats]:
    """Return the two simple rules: the furthest of the pairs of channels."""
    said = [pools[channel].said[drawn.rows[:, k]] for k, channel in enumerate(drawn.channels)]
    nobody = np.full((len(drawn.rows), 2), np.nan)
    pairs = [conflict.statistics(p, q, nobody) for p, q in itertools.combinations(said, 2)]
    sides = [p @ np.array(SIDES, np.float64) for p in said]
    apart = [np.abs(p - q) for p, q in itertools.combinations(sides, 2)]
    return {
        "jensen-shannon": np.max([pair[:, conflict.STATISTICS.index("divergence")] for pair in pairs], 0),
        "valence-distance": np.max(apart, 0),
    }


def measure(
    pools: Sequence[Items], drawn: Cases, scores: Mapping[str, Score], seed: int, draws: int = RESAMPLES
) -> dict[str, dict[str, float]]:
    """Return each score with its interval over people."""
    found = {name: [] for name in scores}
    for weight in weights(pools, drawn, draws, seed):
        for name, score in scores.items():
            found[name].append(score(weight))
    out = {}
    for name, score in scores.items():
        low, high = np.nanpercentile(found[name], [2.5, 97.5])
        out[name] = {"value": score(np.ones(len(drawn.rows))), "low": float(low), "high": float(high)}
    return out


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--n", type=int, default=6000)
    options = parser.parse_args()
    pools, model = items(options.items), catalog.load("fusion.conflict")
    names = catalog.load("ekman-7").names
    kept: dict[str, dict[str, dict[str, float]]] = {"fusion.conflict": {}}
    for number, channels in enumerate(SETS):
        name = "+".join(CHANNELS[k] for k in channels)
        drawn = cases(pools, channels, ["test"], options.n, options.seed + number)
        kept["fusion.conflict"] |= measure(pools, drawn, ours(name, pools, drawn, model), options.seed)
        for rule, value in rules(pools, drawn).items():
            kept.setdefault(rule, {}).update(measure(pools, drawn, told(name, drawn, value), options.seed))
        if 1 in channels:
            film = cases(pools, channels, ["test"], options.n, options.seed + 10 + number, FILM_WORDS)
            scores = {f"{key}, words of talks": score for key, score in ours(name, pools, film, model).items()}
            few = {key: scores[key] for key in scores if key.startswith(("auroc opposite,", "which", "false"))}
            few = {key: score for key, score in few.items() if not any(f", {label}," in key for label in names)}
            kept["fusion.conflict"] |= measure(pools, film, few, options.seed)
    notes = (
        f"test items, {options.n} cases of each set of channels, half consistent, a quarter opposite; labels and "
        "corpora drawn evenly; intervals over speakers, writers and faces; words of GoEmotions, or MELD ("
        "of talks)"
    )
    for name, metrics in kept.items():
        print(save(BENCHMARK, name, options.n * len(SETS), metrics, options.seed, {}, notes))


if __name__ == "__main__":
    main()
