"""How well support strategies are chosen, and how lopsided the choice is: quality Q and preference bias B.

Knows the two scores of Kang et al. 2024 (arXiv 2402.13211, code `1eastar/EmotionalSupport`) over the eight strategies
of ESConv (Liu et al. 2021), or over any others.

- Names are stripped and lower-cased. A truth that is no strategy is an error. An estimate that is none is a parse
  error: it is counted and reported, it never hits (so recall falls), it is no estimate of any other strategy, and it
  stands outside the table of preferences. The public script instead refuses such files, or counts the answer as
  "others", where it may even be right. Without parse errors all scores are the script's.
- Q is the mean F1 over the strategies that occur in truth or estimate (`strategies` says how many), 0..1. Weighted F1
  weighs them by their number in truth. 0/0 is 0.
- B is the population standard deviation (divisor k) of the preferences of all k strategies, whose sum is k: 0 without
  any bias, sqrt(k - 1) where one strategy is always chosen.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnknownNameError

STRATEGIES = (
    "question",
    "restatement or paraphrasing",
    "reflection of feelings",
    "self-disclosure",
    "affirmation and reassurance",
    "providing suggestions",
    "information",
    "others",
)
"""The strategies of ESConv."""
ROUNDS = 20
"""How often the preferences are estimated anew, as published."""
Table = npt.NDArray[np.int64]


def counts(truth: Sequence[str], estimate: Sequence[str], strategies: Sequence[str] = STRATEGIES) -> Table:
    """Return how often each strategy was chosen for each true one: (k + 1) x k, the last row the parse errors.

    Rows are estimates, columns truths.

    Raises:
        MalformedError: nothing to count, two lengths, names that are no str, or fewer than two different strategies.
        UnknownNameError: a truth that is no strategy; names those there are.

    >>> counts(["a", "a", "b"], ["a", "b", "what?"], ["a", "b"]).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """
    names = [_clean(name) for name in strategies]
    if len(set(names)) < max(2, len(names)):
        raise MalformedError(f"strategies want at least two different names, not {list(strategies)!r}")
    if isinstance(truth, str) or isinstance(estimate, str) or not len(truth) or len(truth) != len(estimate):
        raise MalformedError(
            f"strategies want as many names in truth as in estimate, at least one, not {len(truth)} and {len(estimate)}"
        )
    table = np.zeros((len(names) + 1, len(names)), np.int64)
    for asked, said in zip(truth, estimate, strict=True):
        if _clean(asked) not in names:
            raise UnknownNameError("support strategy", asked, names)
        row = names.index(_clean(said)) if _clean(said) in names else len(names)
        table[row, names.index(_clean(asked))] += 1
    return table


def quality(truth: Sequence[str], estimate: Sequence[str], strategies: Sequence[str] = STRATEGIES) -> float:
    """Return Q: the mean over strategies of 2 hits / (asked + said); those in neither truth nor estimate are left out.

    Source: Kang et al. 2024; equals scikit-learn's macro F1 where nothing failed to parse.

    Raises:
        MalformedError, UnknownNameError: as `counts`.
    """
    f1, asked, said = _f1(counts(truth, estimate, strategies))
    return float(f1[asked + said > 0].mean())


def weighted_f1(truth: Sequence[str], estimate: Sequence[str], strategies: Sequence[str] = STRATEGIES) -> float:
    """Return the mean over strategies of F1, each weighted by its number in truth.

    Raises:
        MalformedError, UnknownNameError: as `counts`.
    """
    f1, asked, _ = _f1(counts(truth, estimate, strategies))
    return float(f1 @ asked / asked.sum())


def preferences(
    truth: Sequence[str], estimate: Sequence[str], strategies: Sequence[str] = STRATEGIES, rounds: int = ROUNDS
) -> npt.NDArray[np.float64]:
    """Return how much each strategy is preferred to the others beyond truth: k values, sum k, 1 each without bias.

    With w_ij how often i was chosen where j was true (i != j), p = 1 at first, then in each round, in order and in
    place (Newman 2023 for the Bradley-Terry model, as used by Kang et al. 2024):
    p_i = sum_j w_ij p_j / (p_i + p_j) / sum_j w_ji / (p_i + p_j). Only ratios matter; values are divided by their
    geometric mean after each round and brought to the sum k at the end. A strategy that was neither missed nor wrongly
    chosen keeps its value. One that was wrongly chosen and never missed has no finite preference: if there is one, it
    gets all (the limit); if there are several, every value is NaN.

    Raises:
        MalformedError, UnknownNameError: as `counts`; or rounds below 1.

    >>> preferences(["a", "b", "b", "b"], ["b", "a", "a", "a"], ["a", "b"]).tolist()
    [1.5, 0.5]
    """
    if rounds < 1:
        raise MalformedError(f"preferences want at least one round, not {rounds}")
    w = counts(truth, estimate, strategies)[:-1].astype(np.float64)
    np.fill_diagonal(w, 0)
    k = len(w)
    boundless = (w.sum(1) > 0) & (w.sum(0) == 0)
    if boundless.sum() > 1:
        return np.full(k, np.nan)
    if boundless.any():
        return np.where(boundless, float(k), 0.0)
    p = np.ones(k)
    for _ in range(rounds):
        for i in range(k):
            both = p[i] + p
            share = np.divide(1.0, both, out=np.zeros(k), where=both > 0)
            chosen, missed = w[i] @ (p * share), w[:, i] @ share
            if missed > 0:
                p[i] = chosen / missed
        p /= np.exp(np.log(p[p > 0]).mean())
    return np.asarray(p * k / p.sum())


def bias(
    truth: Sequence[str], estimate: Sequence[str], strategies: Sequence[str] = STRATEGIES, rounds: int = ROUNDS
) -> float:
    """Return B, the population standard deviation of `preferences` (Kang et al. 2024); NaN where they are.

    Raises:
        MalformedError, UnknownNameError: as `preferences`.
    """
    return float(preferences(truth, estimate, strategies, rounds).std())


def evaluate(truth: Sequence[str], estimate: Sequence[str], strategies: Sequence[str] = STRATEGIES) -> dict[str, float]:
    """Return every score.

    Keys: `quality`, `bias`, `weighted_f1`, `accuracy`, `parse_errors` (how many), `parse_error_rate`, `strategies` (how
    many Q is a mean over), `n`; `preference_<strategy>` and `f1_<strategy>` (NaN for one that does not occur), with
    underscores for what is no letter.

    Raises:
        MalformedError, UnknownNameError: as `counts`.
    """
    table = counts(truth, estimate, strategies)
    f1, asked, said = _f1(table)
    occurs = asked + said > 0
    liked = preferences(truth, estimate, strategies)
    scores = {
        "quality": quality(truth, estimate, strategies),
        "bias": float(liked.std()),
        "weighted_f1": weighted_f1(truth, estimate, strategies),
        "accuracy": float(np.diag(table).sum() / len(truth)),
        "parse_errors": float(table[-1].sum()),
        "parse_error_rate": float(table[-1].sum() / len(truth)),
        "strategies": float(occurs.sum()),
        "n": float(len(truth)),
    }
    for place, name in enumerate(strategies):
        key = "".join(letter if letter.isalnum() else "_" for letter in _clean(name))
        scores[f"preference_{key}"] = float(liked[place])
        scores[f"f1_{key}"] = float(f1[place]) if occurs[place] else np.nan
    return scores


def _f1(table: Table) -> tuple[npt.NDArray[np.float64], Table, Table]:
    """Return F1 of each strategy, how often it is true, and how often it was chosen."""
    asked, said = table.sum(0), table[:-1].sum(1)
    return 2 * np.diag(table) / np.maximum(1, asked + said), asked, said


def _clean(name: object) -> str:
    if not isinstance(name, str):
        raise MalformedError(f"a strategy is a str, not {name!r}; write '' for an answer that could not be read")
    return name.strip().lower()
