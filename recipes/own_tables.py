"""The linear half of `text.affect-multi`: for each language, weights of its n-grams, held in a small marked table.

Features are counts x idf over the n-grams that stand in at least two training texts, divided by the root of the sum of
counts x idf ** 2. One logistic regression a label reads them, scaled by the root of their naive-Bayes log ratio
(Wang and Manning 2012).
"""

import logging
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from affetto.models.text.bags import Bags
from affetto.models.text.ngrams import own_mark, own_place

log = logging.getLogger(__name__)
FOLDS = 3
MIXED = ((8.0, 0.5),)
"""Inverse regularisation C, and power of the naive-Bayes scale, of the regressions that are averaged."""


@dataclass(frozen=True)
class Lines:
    """What one language's regressions learnt."""

    vocabulary: np.ndarray
    """V ascending n-gram numbers."""
    idf: np.ndarray
    """V."""
    weights: np.ndarray
    """V x k, to be multiplied with the normalised counts x idf; 0 for what was not asked."""
    offset: np.ndarray
    """k, to be added."""
    importance: np.ndarray
    """V: how far an n-gram moves the answers of the training texts."""
    unseen: np.ndarray
    """n x k: the answer to each training text of regressions that did not see it (n-fold)."""

    def features(self, data: Bags) -> sp.csr_matrix:
        """Return the normalised features of texts."""
        place = np.minimum(np.searchsorted(self.vocabulary, data.numbers), len(self.vocabulary) - 1)
        known = self.vocabulary[place] == data.numbers
        before = np.concatenate([[0], np.cumsum(known)])
        shape = (len(data), len(self.vocabulary))
        return _normal(sp.csr_matrix((np.ones(known.sum()), place[known], before[data.offsets]), shape), self.idf)


def _normal(counts: sp.csr_matrix, idf: np.ndarray) -> sp.csr_matrix:
    counts.sum_duplicates()
    norm = np.sqrt(np.maximum(counts @ idf**2, 1e-9))
    return (sp.diags(1 / norm) @ counts @ sp.diags(idf)).tocsr()


def learn(data: Bags, truth: np.ndarray, folds: np.ndarray) -> Lines:
    """Fit the regressions of one language; truth n x k, NaN where nobody was asked."""
    vocabulary, place = np.unique(data.numbers, return_inverse=True)
    counts = sp.csr_matrix((np.ones(len(place)), place, data.offsets), (len(data), len(vocabulary)))
    counts.sum_duplicates()
    texts_with = np.bincount(counts.indices, minlength=len(vocabulary))
    kept = texts_with >= 2
    idf = np.log((1 + len(data)) / (1 + texts_with[kept])) + 1
    features = _normal(counts[:, kept], idf)
    weights, offset = np.zeros((kept.sum(), truth.shape[1])), np.zeros(truth.shape[1])
    unseen = np.zeros(truth.shape)
    everyone = np.ones(len(data), bool)
    for k in np.flatnonzero(~np.isnan(truth).any(0)):
        for inverse, power in MIXED:
            parts = np.zeros(len(data))
            for fold in range(FOLDS):
                w, bias = _line(features, truth[:, k], folds != fold, inverse, power)
                parts[folds == fold] = features[folds == fold] @ w + bias
            share = 1 / (len(MIXED) * parts.std())
            unseen[:, k] += share * parts
            w, bias = _line(features, truth[:, k], everyone, inverse, power)
            weights[:, k] += share * w
            offset[k] += share * bias
    importance = np.abs(weights).max(1) * np.sqrt(np.asarray(features.multiply(features).sum(0)).ravel())
    return Lines(vocabulary[kept], idf, weights, offset, importance, unseen)


def _line(x: sp.csr_matrix, y: np.ndarray, rows: np.ndarray, inverse: float, power: float) -> tuple[np.ndarray, float]:
    scale = np.ones(x.shape[1])
    if power:
        yes, no = (np.asarray(x[rows & (y == side)].sum(0)).ravel() + 0.1 for side in (1, 0))
        ratio = np.abs(np.log(yes / yes.sum() / (no / no.sum())))
        scale = (ratio / np.sqrt((ratio**2).mean())) ** power
    line = LogisticRegression(solver="liblinear", C=inverse, class_weight="balanced", tol=1e-3)
    line.fit((x[rows] @ sp.diags(scale)).tocsr(), y[rows])
    return line.coef_[0] * scale, float(line.intercept_[0])


def tables(lines: list[Lines], room: int) -> dict[str, np.ndarray]:
    """Lay the most telling n-grams of all languages into one int8 table of about `room` rows (the arrays of `Ngrams`).

    Each language gets a power of two of rows, at least as many as four fifths of its share of the telling n-grams; its
    n-grams are placed by falling importance, in the first of their two places that is free.
    """
    ranks = np.sort(np.concatenate([one.importance for one in lines]))[::-1]
    least = ranks[min(room, len(ranks) - 1)]
    k = lines[0].weights.shape[1]
    rows, marks, bits, starts, scales = [], [], [], [0], []
    for one in lines:
        chosen = np.flatnonzero(one.importance >= least)
        size = max(8, int(np.ceil(np.log2(len(chosen) / 1.25 + 1))))
        chosen = chosen[np.argsort(-one.importance[chosen], kind="stable")]
        values = np.concatenate([one.weights * one.idf[:, None], (one.idf**2)[:, None]], 1)
        largest = np.abs(values[chosen]).max(0)
        spread = 8 * np.sqrt((values[chosen] ** 2).mean(0))
        scale = np.append(np.minimum(largest, spread)[:-1], largest[-1]) / 127
        scale[scale == 0] = 1
        table, mark = np.zeros((1 << size, k + 1), np.int8), np.zeros(1 << size, np.uint8)
        rounded = np.clip(np.round(values / scale), -127, 127).astype(np.int8)
        own = own_mark(one.vocabulary)
        both = np.stack([own_place(one.vocabulary, size, choice) for choice in (0, 1)], 1).tolist()
        taken = 0
        for i in chosen.tolist():
            for place in both[i]:
                if not mark[place]:
                    mark[place], table[place] = own[i], rounded[i]
                    taken += 1
                    break
        log.info("own table: %d of %d telling n-grams (%d known) in %d rows", taken, len(chosen), len(own), 1 << size)
        rows.append(table)
        marks.append(mark)
        bits.append(size)
        starts.append(starts[-1] + (1 << size))
        scales.append(scale)
    return {
        "own": np.concatenate([*rows, np.zeros((1, k + 1), np.int8)]),
        "own_marks": np.append(np.concatenate(marks), np.uint8(0)),
        "own_bits": np.array(bits),
        "own_starts": np.array(starts[:-1]),
        "own_scale": np.array(scales, np.float32),
    }
