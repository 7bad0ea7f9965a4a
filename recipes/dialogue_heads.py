"""How the heads of `affetto.models.dialogue` learn: lines over the encoder's vectors, and weights of wordings.

Knows arrays and texts; the recipes `dialogue_support` and `dialogue_empathy` know the corpora.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from affetto.models.dialogue.grams import Grams, keys
from affetto.models.dialogue.heads import Head
from affetto.models.dialogue.readout import softmax
from recipes.hashed import rounded

log = logging.getLogger(__name__)
Reader = Callable[[Sequence[str]], np.ndarray]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Remembered:
    """What is read of texts, kept in the folder `work` from one run to the next.

    Args:
        read: takes n texts, returns n x d.
        name: of the files.
        work: the folder.
    """

    def __init__(self, read: Reader, name: str, work: Path) -> None:
        self.read, self.name = read, name
        self.names, self.values = work / f"{name}.texts.json", work / f"{name}.npy"
        known = json.loads(self.names.read_text("utf-8")) if self.names.exists() else []
        self.place = {text: k for k, text in enumerate(known)}
        self.table = np.load(self.values, mmap_mode="r") if known else None

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return what is read of n texts, n x d."""
        new = [text for text in dict.fromkeys(texts) if text not in self.place]
        if new or self.table is None:
            log.info("%s: %d texts are read", self.name, len(new))
            parts = [self.read(new[at : at + 2000]) for at in range(0, len(new), 2000)]
            self.place |= {text: len(self.place) + k for k, text in enumerate(new)}
            table = np.concatenate(([self.table] if self.table is not None else []) + parts)
            self.values.parent.mkdir(parents=True, exist_ok=True)
            np.save(self.values, table)
            self.names.write_text(json.dumps(list(self.place)), "utf-8")
            self.table = table
        return self.table[[self.place[text] for text in texts]]


@dataclass(frozen=True)
class Wordings:
    """The grams of texts that count, with how much each counts by its rarity."""

    keys: np.ndarray
    rarity: np.ndarray

    @staticmethod
    def of(texts: Sequence[str], least: int = 3, most: int = 6000) -> "Wordings":
        """Return the most frequent grams of texts, those in at least some texts."""
        counts = Counter(int(key) for text in texts for key in keys(text))
        top = sorted(key for key, n in counts.most_common(most) if n >= least)
        rarity = [np.log(len(texts) / counts[key]) + 1 for key in top]
        return Wordings(np.array(top, np.uint32), np.array(rarity, np.float32))

    def places(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return places in `keys`, their values, and the offsets of each text, n + 1."""
        places, values, offsets = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)], [0]
        for text in texts:
            mine = keys(text)
            at = np.minimum(np.searchsorted(self.keys, mine), len(self.keys) - 1)
            hit = at[self.keys[at] == mine]
            places.append(hit)
            values.append(self.rarity[hit] / np.float32(np.sqrt(max(1, len(mine)))))
            offsets.append(offsets[-1] + len(hit))
        return np.concatenate(places), np.concatenate(values), np.array(offsets)

    def table(self, texts: Sequence[str]) -> np.ndarray:
        """Return the values of texts, n x m."""
        places, values, offsets = self.places(texts)
        found = np.zeros((len(texts), len(self.keys)), np.float32)
        found[np.repeat(np.arange(len(texts)), np.diff(offsets)), places] = values
        return found

    def grams(self, weights: np.ndarray) -> Grams:
        """Return them with weights (m x k) of their values, as int8."""
        table, scale = rounded(weights * self.rarity[:, None], spread=8)
        return Grams(self.keys, table, scale)


def head(weight: np.ndarray, bias: np.ndarray, mean: np.ndarray, spread: np.ndarray, grams: Grams) -> Head:
    """Return a head of weights (d x k) that were learned on vectors less their mean, by their spread."""
    plain = (weight / spread[:, None]).astype(np.float16)
    return Head(plain, (bias - mean @ plain.astype(np.float32)).astype(np.float32), grams)


@dataclass(frozen=True)
class HeadOptions:
    """How a line of labels is trained."""

    epochs: int = 6
    rate: float = 7e-4
    word_rate: float = 4e-3
    word_decay: float = 0.05
    drop: float = 0.5
    decay: float = 0.02
    rows: int = 128
    least: int = 3
    most: int = 4000
    seeds: tuple[int, ...] = (20, 21, 22)
    """As many lines are trained, and their weights averaged."""


class Line(torch.nn.Module):
    """A line over vectors, and one over wordings."""

    def __init__(self, width: int, outputs: int, words: int, drop: float) -> None:
        super().__init__()
        self.drop = torch.nn.Dropout(drop)
        self.line = torch.nn.Linear(width, outputs)
        self.words = torch.nn.EmbeddingBag(max(1, words), outputs, mode="sum")
        torch.nn.init.zeros_(self.words.weight)

    def forward(self, known: torch.Tensor, bag: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the logits."""
        places, values, starts = bag
        return self.line(self.drop(known)) + self.words(places, starts, per_sample_weights=values)


def learned(
    known: np.ndarray, texts: Sequence[str], truth: np.ndarray, outputs: int, loss: Loss, options: HeadOptions
) -> Head:
    """Train a line on n vectors and texts; `loss(logits, truth)` says how wrong a batch is."""
    mean, spread = known.mean(0), known.std(0) + 1e-3
    wordings = Wordings.of(texts, options.least, options.most)
    bags = wordings.places(texts)
    lines = [
        _line((known - mean) / spread, bags, truth, (outputs, len(wordings.keys)), loss, options, seed)
        for seed in options.seeds
    ]
    weight, bias, words = (np.mean(parts, 0) for parts in zip(*lines, strict=True))
    return head(weight, bias, mean, spread, wordings.grams(words))


def _line(
    known: np.ndarray,
    bags: tuple[np.ndarray, np.ndarray, np.ndarray],
    truth: np.ndarray,
    sizes: tuple[int, int],
    loss: Loss,
    options: HeadOptions,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    module = Line(known.shape[1], *sizes, options.drop)
    groups = [
        {"params": module.line.parameters(), "lr": options.rate, "weight_decay": options.decay},
        {"params": module.words.parameters(), "lr": options.word_rate, "weight_decay": options.word_decay},
    ]
    adam = torch.optim.AdamW(groups)
    rates = [group["lr"] for group in adam.param_groups]
    vectors, asked = torch.from_numpy(known.astype(np.float32)), torch.from_numpy(truth)
    steps, step = options.epochs * -(-len(known) // options.rows), 0
    for _ in range(options.epochs):
        order = rng.permutation(len(known))
        for at in range(0, len(order), options.rows):
            rows = order[at : at + options.rows]
            for group, rate in zip(adam.param_groups, rates, strict=True):
                group["lr"] = rate * min(1, (step + 1) / 50) * (1 - step / steps)
            value = loss(module(vectors[rows], _bag(bags, rows)), asked[rows])
            adam.zero_grad()
            value.backward()
            adam.step()
            step += 1
    weight, bias, words = (
        part.detach().numpy() for part in (module.line.weight.T, module.line.bias, module.words.weight)
    )
    return weight, bias, words[: sizes[1]]


def _bag(bags: tuple[np.ndarray, np.ndarray, np.ndarray], rows: np.ndarray) -> tuple[torch.Tensor, ...]:
    places, values, offsets = bags
    inside = np.concatenate([np.arange(offsets[row], offsets[row + 1]) for row in rows])
    starts = np.concatenate([[0], np.cumsum(offsets[rows + 1] - offsets[rows])[:-1]])
    return torch.from_numpy(places[inside]), torch.from_numpy(values[inside]), torch.from_numpy(starts)


def slope(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the factor of logits (n x k) that makes true labels (n) the likeliest."""
    grid = np.geomspace(0.3, 3, 47)
    rows = np.arange(len(truth))
    return float(grid[np.argmax([np.log(softmax(logits * g)[rows, truth] + 1e-9).mean() for g in grid])])


def ridge(known: np.ndarray, truth: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (d x k) and the mean of the truth (k) of a ridge regression on centred numbers."""
    mean = truth.mean(0)
    if known.shape[1] <= len(known):
        return np.linalg.solve(known.T @ known + strength * np.eye(known.shape[1]), known.T @ (truth - mean)), mean
    gram = known @ known.T + strength * np.eye(len(known))
    return known.T @ np.linalg.solve(gram, truth - mean), mean
