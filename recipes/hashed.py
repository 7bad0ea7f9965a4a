"""What the recipes of hashed n-gram models share: the torch module that learns, and its int8 tables.

Knows how to train what `affetto.models.text.ngrams` answers with; knows no corpus.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression

from affetto.models.text.bags import Bags, Lines, bags
from affetto.models.text.hashing import Grams

log = logging.getLogger(__name__)


class Hashed(torch.nn.Module):
    """A table of n-gram vectors, one hidden layer with a bias for each group of rows, one output layer.

    Call it with places (in the table), starts (of each text), counts and groups; it gives logits (n x outputs).
    """

    def __init__(self, bits: int, width: int, hidden: int, outputs: int, groups: int = 1, drop: float = 0.2) -> None:
        super().__init__()
        self.bits = bits
        self.table = torch.nn.EmbeddingBag(1 << bits, width, mode="sum")
        self.hidden = torch.nn.Linear(width, hidden, bias=False)
        self.hidden_bias = torch.nn.Embedding(groups, hidden)
        self.out = torch.nn.Linear(hidden, outputs, bias=False)
        self.out_bias = torch.nn.Embedding(groups, outputs)
        self.drop = torch.nn.Dropout(drop)
        torch.nn.init.normal_(self.table.weight, 0, 0.05)
        torch.nn.init.zeros_(self.hidden_bias.weight)
        torch.nn.init.zeros_(self.out_bias.weight)

    def forward(
        self, places: torch.Tensor, starts: torch.Tensor, counts: torch.Tensor, groups: torch.Tensor
    ) -> torch.Tensor:
        """Return the logits."""
        x = self.table(places, starts) / counts.sqrt()[:, None]
        h = torch.relu(self.hidden(self.drop(x)) + self.hidden_bias(groups))
        return self.out(self.drop(h)) + self.out_bias(groups)


def batch(data: Bags, rows: np.ndarray, bits: int, keep: float = 1.0, seed: int = 0) -> list[torch.Tensor]:
    """Return places, starts and counts of some rows; a share `keep` of the n-grams, drawn by chance."""
    drawn = data.part(rows)
    numbers, offsets = drawn.numbers, drawn.offsets
    if keep < 1:
        kept = np.random.default_rng(seed).random(len(numbers), dtype=np.float32) < keep
        before = np.concatenate([[0], np.cumsum(kept)])
        numbers, offsets = numbers[kept], before[offsets]
    counts = np.maximum(np.diff(offsets), 1).astype(np.float32)
    places = (numbers >> np.uint32(32 - bits)).astype(np.int64)
    return [torch.from_numpy(places), torch.from_numpy(offsets[:-1]), torch.from_numpy(counts)]


@dataclass(frozen=True)
class HashedOptions:
    """How a `Hashed` module is trained."""

    rate: float = 3e-3
    """Peak learning rate of Adam: linear warm-up of 200 steps, then linear decay to zero."""
    keep: float = 0.5
    """Share of the n-grams seen at each visit of a text."""
    rows: int = 256
    """Texts a batch."""
    decay: float = 0.0
    """Weight decay of the table (decoupled), a step at full rate."""


def fit(
    module: Hashed,
    data: Bags,
    groups: np.ndarray,
    epochs: Sequence[np.ndarray],
    loss: Callable[[torch.Tensor, np.ndarray], torch.Tensor],
    options: HashedOptions,
    seed: int,
    said: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train on the rows of each epoch in turn; `loss(logits, rows)` says how wrong the logits are."""
    rng = np.random.default_rng(seed)
    adam = torch.optim.AdamW(
        [
            {"params": [module.table.weight], "weight_decay": options.decay},
            {"params": [p for n, p in module.named_parameters() if n != "table.weight"], "weight_decay": 0.0},
        ],
        lr=options.rate,
    )
    steps, step, started = sum(-(-len(rows) // options.rows) for rows in epochs), 0, time.time()
    for epoch, members in enumerate(epochs):
        module.train()
        rows_of_epoch, total = rng.permutation(members), 0.0
        for at in range(0, len(rows_of_epoch), options.rows):
            rows = rows_of_epoch[at : at + options.rows]
            for group in adam.param_groups:
                group["lr"] = options.rate * min(1, (step + 1) / 200) * (1 - step / steps)
            drawn = batch(data, rows, module.bits, options.keep, seed=seed * 1_000_003 + step)
            value = loss(module(*drawn, torch.from_numpy(groups[rows])), rows)
            adam.zero_grad()
            value.backward()
            adam.step()
            total += value.item() * len(rows)
            step += 1
        log.info("epoch %d: loss %.4f, %.0f s", epoch, total / max(1, len(members)), time.time() - started)
        said(epoch)


@torch.no_grad()
def logits(module: Hashed, data: Bags, groups: np.ndarray) -> np.ndarray:
    """Return the logits of all rows, n x outputs."""
    module.eval()
    out = []
    for at in range(0, len(data), 1024):
        rows = np.arange(at, min(len(data), at + 1024))
        out.append(module(*batch(data, rows, module.bits), torch.from_numpy(groups[rows])).numpy())
    return np.concatenate(out)


def rounded(table: np.ndarray, spread: float = 0.0, levels: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """Return a table as int8 with one scale a column, and the scales; of so many numbers each side of 0.

    With `spread` > 0 the largest value kept is that many standard deviations of a column (of what is not 0); what lies
    beyond is cut to it.
    """
    largest = np.abs(table).max(0)
    if spread > 0:
        deviation = np.sqrt((table**2).sum(0) / np.maximum(1, (table != 0).sum(0)))
        largest = np.minimum(largest, spread * deviation)
    scale = np.maximum(largest, 1e-12) / levels
    return np.clip(np.round(table / scale), -levels, levels).astype(np.int8), scale.astype(np.float32)


def lines(
    texts: Sequence[str], truth: np.ndarray, grams: Grams, bits: int, held: float, weight: float = 1.0, most: int = 0,
    levels: int = 127,
) -> Lines:  # fmt: skip
    """Fit a logistic regression a label on n-grams of letters and pairs of words, weighted by how rare they are.

    Args:
        texts: n.
        truth: n x k of 0 and 1.
        grams: which n-grams.
        bits: of an n-gram's number that count.
        held: how little the weights are held near 0 (C).
        weight: how much a text with the label counts, beside one without.
        most: see `Lines`.
        levels: numbers that a weight may be, each side of 0; the fewer, the smaller it packs.
    """
    read = bags(texts, grams)
    counts = np.maximum(1, np.diff(read.offsets))
    places = read.numbers >> np.uint32(32 - bits)
    owner = np.repeat(np.arange(len(texts)), np.diff(read.offsets))
    seen = csr_matrix((np.ones(len(places)), (owner, places)), shape=(len(texts), 1 << bits))
    rarity = np.log((1 + len(texts)) / (1 + seen.getnnz(0))) + 1
    features = (diags(1 / np.sqrt(counts)) @ seen @ diags(rarity)).tocsr()
    fit = LogisticRegression(C=held, solver="liblinear", class_weight={0: 1, 1: weight})
    weights = [fit.fit(features, column > 0).coef_[0] * rarity for column in truth.T]
    table, scale = rounded(np.stack(weights, 1), 8, levels)
    return Lines(table, scale, grams, most)
