"""Blend the answers of several models into calibrated probabilities, a language at a time, with little data for each.

Knows logits, truth and groups; knows no texts. Weights are fitted on answers to texts that the models did not see.
"""

from dataclasses import dataclass

import numpy as np
import torch

from affetto.bench.thresholds import threshold


@dataclass(frozen=True)
class Blend:
    """How the inputs become logits, for each group."""

    weights: np.ndarray
    """groups x inputs x k."""
    shift: np.ndarray
    """groups x k."""
    thresholds: np.ndarray
    """groups x k: from where a probability counts as said, for the best F1."""

    def probabilities(self, x: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Return the probabilities of inputs, n x k."""
        z = np.matmul(x[:, None], self.weights[groups])[:, 0] + self.shift[groups]
        return 1 / (1 + np.exp(-z))


def blend(x: np.ndarray, truth: np.ndarray, groups: np.ndarray, count: int, seed: int, own: float = 20.0) -> Blend:
    """Fit one weight matrix for all groups, and each group's departure from it, held small by an L2 penalty `own`.

    Args:
        x: n x inputs, answers in logits.
        truth: n x k in {0, 1}, NaN where unknown.
        groups: n, 0 to count - 1.
        count: how many groups.
        seed: of the bootstrap that smooths the thresholds.
        own: the penalty: the sum of the squared departures counts as `own` / 2 of summed log likelihood.
    """
    k = truth.shape[1]
    inputs = torch.tensor(x, dtype=torch.float64)
    known = torch.tensor(~np.isnan(truth), dtype=torch.float64)
    target = torch.tensor(np.nan_to_num(truth), dtype=torch.float64)
    group = torch.tensor(groups)
    shared = torch.zeros(x.shape[1], k, dtype=torch.float64, requires_grad=True)
    departure = torch.zeros(count, x.shape[1], k, dtype=torch.float64, requires_grad=True)
    shift = torch.full((count, k), -1.5, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([shared, departure, shift], max_iter=150, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        z = inputs @ shared + shift[group]
        for number in range(count):
            rows = group == number
            z = z.index_add(0, rows.nonzero()[:, 0], inputs[rows] @ departure[number])
        values = torch.nn.functional.binary_cross_entropy_with_logits(z, target, reduction="none") * known
        value = values.sum() + own / 2 * (departure**2).sum() + 0.5 * (shared**2).sum()
        value = value / len(x)
        value.backward()
        return value

    solver.step(closure)
    made = Blend((shared + departure).detach().numpy(), shift.detach().numpy(), np.full((count, k), 0.5))
    p = made.probabilities(x, groups)
    for number in range(count):
        rows = groups == number
        for label in np.flatnonzero(~np.isnan(truth[rows]).any(0)):
            made.thresholds[number, label] = threshold(p[rows, label], truth[rows, label], seed)
    return made
