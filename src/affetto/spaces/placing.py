"""Rows of open words as rows of a taxonomy.

Knows how several words join in one row; how one term becomes another it is told.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.space import Space
from affetto.spaces import tone, wheel
from affetto.spaces.taxonomy import space as load_space
from affetto.spaces.wheel import Feeling

PLACES = (
    "parrott", "goemotions-28", "ekman-7", "ekman-6", "brighter-6", "plutchik-8", "plutchik-wheel", "semeval-11",
    "empathetic-32", "leia-5", "stocktwits-7", "sentiment-3", "vad", "va",
)  # fmt: skip
"""The spaces that open words can be brought to."""
Values = npt.NDArray[np.float64]
Carry = Callable[[Space, str, Space], Values | None]
"""Takes a term of one space to a row of another; None where no bridge leads there."""


def place(names: Sequence[str], values: npt.NDArray[np.floating], target: Space, carry: Carry) -> Values:
    """Return rows of open words (n x words, weights 0..1) as rows of `target` (n x m).

    A word that the target itself knows goes to that label; others go to their canonical term and from there by a
    bridge. Words of one row are joined by the greatest (kind `any`), or averaged by weight, for kind `one` scaled to 1.
    Labels that no word names are 0. A row is NaN where no known word has any weight.
    """
    vectors = {i: vector for i, name in enumerate(names) if (vector := _vector(name, target, carry)) is not None}
    out = np.full((len(values), len(target.axes)), np.nan)
    if not vectors:
        return out
    weights: Values = np.nan_to_num(np.asarray(values, np.float64)[:, list(vectors)])
    told = weights.sum(1) > 0
    out[told] = _join(weights[told], np.stack(list(vectors.values())), target)
    return out


def _join(weights: Values, vectors: Values, target: Space) -> Values:
    joined: Values
    if target.kind == "any":
        joined = (weights[:, :, None] * vectors).max(1)
        return joined
    joined = weights @ vectors / weights.sum(1, keepdims=True)
    return joined / joined.sum(1, keepdims=True) if target.kind == "one" else joined


def _vector(name: str, target: Space, carry: Carry) -> Values | None:
    """Return one open word, or phrase, as a row of the target; None where nothing in it can go there."""
    rows, weights = [], []
    for feeling in wheel.normalise(name):
        row = _row(feeling, target, carry)
        if row is not None:
            rows.append(row)
            weights.append(min(1.0, feeling.weight / wheel.PLAIN))
    return _join(np.array([weights]), np.stack(rows), target)[0] if rows else None


def _row(feeling: Feeling, target: Space, carry: Carry) -> Values | None:
    if not feeling.term or not feeling.weight:
        return None
    said = [feeling.term] if feeling.how == "opposite" else [feeling.word.casefold(), feeling.term]
    for word in said:
        labels = tone.senses(target).get(word, ())
        if len(labels) == 1 and target.kind != "graded":
            return np.asarray(np.eye(len(target.axes))[target.index(labels[0])])
    row = carry(load_space(feeling.space), feeling.term, target)
    return None if row is None or np.isnan(row).all() else np.nan_to_num(row)
