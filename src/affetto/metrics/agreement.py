"""How far raters agree, beyond what chance would give: the ceiling of every estimate.

Conventions:
    Ratings are raters x items; NaN is "not rated". Raters are peers: no order of truth and estimate matters.
    Cohen's kappa is of two raters, over the items that both rated. Fleiss' kappa is of as many raters for each item,
    not necessarily the same ones; where the numbers differ use Krippendorff's alpha, which takes whatever is there and
    leaves out items rated once. An ICC is over the items that every rater rated.
    1 is full agreement, 0 what chance gives, below 0 less than chance. Where nothing varies (all ratings are one value)
    chance agreement is full, 0/0, and the answer NaN: agreement cannot be told from habit.
    Weights of kappa go by the place of a category among those given (those seen, if none are), not by its number.

Knows tables of ratings; knows not who rated.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.track import Track
from affetto.metrics.pairs import Floats, mean_of_said, ranks, same_space

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]
NAN = float("nan")


def cohen_kappa(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    weights: Weights = "none",
    categories: Sequence[float] | None = None,
) -> float:
    """Return the kappa of two raters: 1 - disagreement seen / disagreement by chance (Cohen 1960, 1968).

    Args:
        first: n ratings as numbers, NaN where not rated.
        second: n ratings of the same items.
        weights: what a disagreement counts: `none` 1, `linear` the places between, `quadratic` their square.
        categories: all categories in their order; those seen, rising, if not given.

    Raises:
        MalformedError: no item was rated by both, or a rating is none of the categories.

    >>> cohen_kappa([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    table = _ratings([first, second])
    a, b = table[:, ~np.isnan(table).any(0)]
    if weights not in get_args(Weights):
        raise MalformedError(f"weights are {', '.join(get_args(Weights))}, not {weights!r}")
    known = np.unique(np.r_[a, b]) if categories is None else np.asarray(categories, np.float64)
    if not len(a) or not np.isin(np.r_[a, b], known).all():
        raise MalformedError("kappa wants at least one item that both rated, and ratings that are among the categories")
    places = [(column[:, None] == known).argmax(1) for column in (a, b)]
    seen = np.zeros((len(known), len(known)))
    np.add.at(seen, tuple(places), 1 / len(a))
    apart = np.abs(np.subtract.outer(np.arange(len(known)), np.arange(len(known)))).astype(np.float64)
    costs = {"none": (apart > 0) * 1.0, "linear": apart, "quadratic": apart**2}[weights]
    chance = (costs * np.outer(seen.sum(1), seen.sum(0))).sum()
    return float(1 - (costs * seen).sum() / chance) if chance > 0 else NAN


def fleiss_kappa(ratings: npt.ArrayLike) -> float:
    """Return the kappa of several raters with unordered categories (Fleiss 1971).

    Args:
        ratings: raters x items, numbers; NaN where a rater did not rate an item.

    Raises:
        MalformedError: fewer than two ratings an item, or not as many for each.

    >>> round(fleiss_kappa([[0, 0, 1], [0, 0, 1], [0, 1, 1]]), 4)
    0.55
    """
    table = _ratings(ratings)
    each = (~np.isnan(table)).sum(0)
    if each.min() < 2 or each.min() != each.max():
        raise MalformedError(
            f"Fleiss' kappa wants as many ratings for each item, at least 2, not {each.min()} to {each.max()}: "
            "use krippendorff_alpha"
        )
    m = int(each[0])
    counts = np.stack([(table == category).sum(0) for category in np.unique(table[~np.isnan(table)])])
    agreed = ((counts**2).sum(0) - m) / (m * (m - 1))
    chance = ((counts.sum(1) / counts.sum()) ** 2).sum()
    return float((agreed.mean() - chance) / (1 - chance)) if len(counts) > 1 else NAN


def krippendorff_alpha(ratings: npt.ArrayLike, level: Level = "nominal") -> float:
    """Return alpha, 1 - disagreement within items / disagreement between any two ratings (Krippendorff 2011).

    Ordinal distance is that between middle ranks of the pairable ratings, squared; interval distance that between
    numbers, squared; so the ordinal alpha is the interval alpha of ranks.

    Args:
        ratings: raters x items, numbers; NaN where a rater did not rate an item.
        level: what differences mean: `nominal`, `ordinal` or `interval`.

    Raises:
        MalformedError: no item has two ratings, or the level is unknown.

    >>> krippendorff_alpha([[1, 2, 3], [1, 2, 3]], "ordinal")
    1.0
    """
    table = _ratings(ratings)
    if level not in get_args(Level):
        raise MalformedError(f"the level is one of {', '.join(get_args(Level))}, not {level!r}")
    each = (~np.isnan(table)).sum(0)
    table, each = table[:, each > 1], each[each > 1]
    if not len(each):
        raise MalformedError("alpha wants at least one item that two raters rated")
    items, raters = np.nonzero(~np.isnan(table).T)
    values = table[raters, items]
    if not np.ptp(values):
        return NAN
    if level == "nominal":
        codes = np.unique(values, return_inverse=True)[1]
        width = int(codes.max()) + 1
        cells, counts = np.unique(items * width + codes, return_counts=True)
        same = np.bincount(cells // width, counts**2, len(each))
        within, overall = each**2 - same, len(values) ** 2 - (np.bincount(codes) ** 2).sum()
    else:
        x = ranks(values) if level == "ordinal" else values
        x = x - x.mean()
        sums = np.bincount(items, x, len(each))
        apart = x - (sums / each)[items]
        within = 2 * each * np.bincount(items, apart**2, len(each))
        overall = 2 * len(values) * (x @ x)
    seen = (within / (each - 1)).sum() / len(values)
    return float(1 - seen / (overall / (len(values) * (len(values) - 1))))


def icc(ratings: npt.ArrayLike, model: Literal[1, 2, 3] = 2, average: bool = False) -> float:
    """Return an intraclass correlation (Shrout and Fleiss 1979), from the mean squares of items, raters and rest.

    Args:
        ratings: k raters x n items; items that a rater left out are left out.
        model: 1 each item has other raters; 2 the same raters, drawn from many: absolute agreement; 3 the same raters
            and none else: consistency.
        average: of the mean of the k raters, ICC(model, k), instead of one rater, ICC(model, 1).

    Raises:
        MalformedError: fewer than two raters or two items rated by all.

    >>> scores = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
    >>> round(icc(scores, 2), 2), round(icc(scores, 3, average=True), 2)
    (0.29, 0.91)
    """
    table = _ratings(ratings)
    table = table[:, ~np.isnan(table).any(0)]
    k, n = table.shape
    if model not in (1, 2, 3) or k < 2 or n < 2:
        raise MalformedError(
            f"an ICC is of model 1, 2 or 3, over at least 2 raters and 2 items that all rated, "
            f"not model {model!r} over {k} raters and {n} items"
        )
    if not np.ptp(table):
        return NAN
    x = table - table.mean()
    between, raters, total = k * (x.mean(0) ** 2).sum(), n * (x.mean(1) ** 2).sum(), (x**2).sum()
    items = between / (n - 1)
    judges = raters / (k - 1)
    rest = (total - between - raters) / ((n - 1) * (k - 1))
    noise = {1: (total - between) / (n * (k - 1)), 2: rest, 3: rest}[model]
    bias = (judges - rest) / n if model == 2 else 0.0
    whole = items + bias if average else items + (k - 1) * noise + k * bias
    return float((items - noise) / whole) if whole else NAN


def _ratings(given: object) -> Floats:
    try:
        table = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MalformedError(f"ratings are a table of numbers, raters x items, NaN where not rated: {error}") from None
    if table.ndim != 2 or not table.size or np.isinf(table).any():
        raise MalformedError(f"ratings are finite or NaN, raters x items, at least 1 x 1, not of shape {table.shape}")
    return table


def evaluate(truth: Track, estimate: Track, *others: Track) -> dict[str, float]:
    """Return how far two or more raters, each a Track about the same rows, agree.

    Args:
        truth: n rows of one rater, in a space of kind `one` (the highest label counts), `any` (labels from 0.5 on
            count, each label is one question) or `graded`.
        estimate: n rows of another.
        others: n rows each of further ones.

    Returns:
        Kind `one`: `cohen_kappa` (mean over pairs of raters), `alpha_nominal`, and `fleiss_kappa` over the rows that
        all rated. Kind `any`: `cohen_kappa` and `alpha_nominal` of each label, as `<score>_<label>`, and their means.
        Kind `graded`: `alpha_ordinal`, `alpha_interval` and `icc_1_1` to `icc_3_k` likewise, as `<score>_<axis>`.
        `n`: rows that two or more rated. What cannot be computed is NaN.

    Raises:
        MalformedError: the Tracks cannot be compared, or no row was rated twice.
    """
    tracks = (truth, estimate, *others)
    kinds = ("one", "any", "graded")
    space = same_space(truth, estimate, kinds)
    for other in tracks[1:]:
        same_space(truth, other, kinds)
        if len(other) != len(truth):
            raise MalformedError(f"one rater has {len(truth)} rows and another {len(other)}: give one for each thing")
    cube = np.stack([track.values.astype(np.float64) for track in tracks])
    rated = (~np.isnan(cube).all(2)).sum(0)
    if not (rated > 1).any():
        raise MalformedError("no row was rated by two raters, so agreement cannot be told")
    scores = {"n": float((rated > 1).sum())}
    if space.kind == "one":
        codes = np.where(np.isnan(cube).all(2), np.nan, np.nan_to_num(cube, nan=-1.0).argmax(2))
        whole = codes[:, ~np.isnan(codes).any(0)]
        return scores | _categories(codes) | {"fleiss_kappa": fleiss_kappa(whole) if whole.size else NAN}
    if space.kind == "any":
        cube = np.where(np.isnan(cube), np.nan, cube >= 0.5)
    of = _categories if space.kind == "any" else _grades
    each = {name: of(cube[:, :, i]) for i, name in enumerate(space.names)}
    for score in next(iter(each.values())):
        scores |= {f"{score}_{name}": said[score] for name, said in each.items()}
        scores[score] = mean_of_said([said[score] for said in each.values()])
    return scores


def _categories(codes: Floats) -> dict[str, float]:
    pairs = [
        (codes[i], codes[j])
        for i in range(len(codes))
        for j in range(i + 1, len(codes))
        if not np.isnan(codes[i] + codes[j]).all()
    ]
    return {
        "cohen_kappa": mean_of_said([cohen_kappa(a, b) for a, b in pairs]),
        "alpha_nominal": krippendorff_alpha(codes) if pairs else NAN,
    }


def _grades(ratings: Floats) -> dict[str, float]:
    twice = ((~np.isnan(ratings)).sum(0) > 1).any()
    whole = (~np.isnan(ratings).any(0)).sum() > 1
    levels: tuple[Level, Level] = ("ordinal", "interval")
    models: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    scores = {f"alpha_{level}": krippendorff_alpha(ratings, level) if twice else NAN for level in levels}
    for average, width in ((False, "1"), (True, "k")):
        scores |= {f"icc_{m}_{width}": icc(ratings, m, average) if whole else NAN for m in models}
    return scores
