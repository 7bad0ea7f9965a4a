"""How well the causes of an emotion were found: causal pairs of utterances, causal spans, emotion-cause pairs.

Knows the two tasks of RECCON (Poria et al. 2021, arXiv 2012.11820) and the scores of SemEval-2024 Task 3 (Wang et al.
2024, arXiv 2405.13049). All scores are 0..1. 0/0 in a precision, recall or F is 0; a score over no samples is NaN.

- Entailment: F1 of the positive and of the negative pairs, and their mean; both classes count, whatever occurs.
- Spans: one true and one estimated text per sample; "" says that there is no cause. Means are over samples, not words.
  Two kinds of F1 circulate for the positives, and both are given: of the longest common run of words, and of the bag of
  words as SQuAD does it. The public script of RECCON gives either only where one text contains the other and 0
  otherwise: the scores called `contained` do so too and are the ones to compare with published figures (they look for
  whole words, where that script also finds a word inside a word).
- One branch of that script, for positives whose answer does not overlap at all, asks whether the answer was empty, but
  looks at a variable that still holds the last sample of the branch before. If that one happened to be empty, every
  non-overlapping answer is counted as a wrong "no cause" and the F1 of the negatives falls; so the score depends on the
  order of the samples. Here each sample is judged by its own answer.
- Pairs: precision and recall of all conversations together, per emotion; then their mean weighted by the true pairs of
  each emotion (what the task is ranked by), and without regard to emotion (micro). A pair said twice counts once.
"""

import string
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from affetto.core.errors import MalformedError, UnknownNameError

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
"""The six emotions of SemEval-2024 Task 3, whose pairs count."""
Match = Literal["strict", "proportional", "utterance"]
Task = Literal["entailment", "span", "pair", "pair-span"]
_ARTICLES = {"a", "an", "the"}


class CausePair(NamedTuple):
    """An emotion and one cause of it: `turn` feels `emotion` because of the words `start` to `end` of turn `cause`.

    `start` and `end` count words from 0, `end` is the first word after the span; both are None where the whole
    utterance is the cause.
    """

    turn: int
    emotion: str
    cause: int
    start: int | None = None
    end: int | None = None


class PairScores(NamedTuple):
    """Precision, recall and F1 of pairs: weighted by the true pairs of each emotion, and over all pairs alike."""

    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    precision: float
    recall: float
    f1: float


def entailment_f1(truth: Sequence[bool], estimate: Sequence[bool], positive: bool = True) -> float:
    """Return F1 of the pairs that are a cause, or of those that are none: 2 hits / (asked + said), n each.

    Source: Poria et al. 2021, task 2; equals scikit-learn's `f1_score` of that class.

    Raises:
        MalformedError: no pairs, two lengths, or something else than 0 and 1.

    >>> entailment_f1([1, 1, 0], [1, 0, 0]), entailment_f1([1, 1, 0], [1, 0, 0], positive=False)
    (0.6666666666666666, 0.6666666666666666)
    """
    _same_length(truth, estimate)
    try:
        asked, said = (np.asarray(side, np.float64) for side in (truth, estimate))
    except (TypeError, ValueError):
        asked = said = np.array([np.nan])
    if asked.ndim != 1 or not np.isin(asked, (0, 1)).all() or not np.isin(said, (0, 1)).all():
        raise MalformedError("entailment wants one 0 or 1 per pair of utterances, in truth and in estimate")
    side = float(positive)
    return _ratio(2 * ((asked == side) & (said == side)).sum(), (asked == side).sum() + (said == side).sum())


def exact_match(truth: Sequence[str], estimate: Sequence[str]) -> float:
    """Return the share of positives whose estimated span is the true one, white space at the ends aside (RECCON)."""
    return _mean([asked == said for asked, said in _texts(truth, estimate) if asked])


def lcs_f1(truth: Sequence[str], estimate: Sequence[str], contained: bool = False) -> float:
    """Return the mean F1 over positives of the longest common run of words: P = run / estimate, R = run / truth.

    Words are what white space separates, case kept (Poria et al. 2021). With `contained`, 0 unless one text contains
    the other, as the public script has it.

    Raises:
        MalformedError: not one text per sample on both sides.

    >>> lcs_f1(["we won the game"], ["won the game today"])
    0.75
    """
    return _mean([_lcs_f1(*pair, contained) for pair in _texts(truth, estimate) if pair[0]])


def squad_f1(truth: Sequence[str], estimate: Sequence[str], contained: bool = False) -> float:
    """Return the mean F1 over positives of the common words, each as often as it stands in both.

    Lower case, without punctuation and the articles a, an, the (Rajpurkar et al. 2016, arXiv 1606.05250); where
    nothing is left of one, 1 if nothing is left of the other, else 0 (SQuAD 2.0); an empty answer is 0 in any case.
    `contained` as in `lcs_f1`.

    Raises:
        MalformedError: not one text per sample on both sides.

    >>> squad_f1(["The dog is here."], ["dog"])
    0.5
    """
    return _mean([_squad_f1(*pair, contained) for pair in _texts(truth, estimate) if pair[0]])


def inverse_scores(truth: Sequence[str], estimate: Sequence[str]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of the answer "no cause" (Inv F1 of RECCON).

    With a the negatives answered "", b the negatives answered otherwise, c the positives answered "":
    P = a / (a + c), R = a / (a + b), F = 2PR / (P + R). NaN where truth has no negatives.

    Raises:
        MalformedError: not one text per sample on both sides.
    """
    pairs = _texts(truth, estimate)
    hits = sum(not asked and not said for asked, said in pairs)
    negatives = sum(not asked for asked, _ in pairs)
    if not negatives:
        return np.nan, np.nan, np.nan
    refused = sum(not said for _, said in pairs)
    return _ratio(hits, refused), hits / negatives, _ratio(2 * hits, refused + negatives)


def pair_scores(
    truth: Sequence[Sequence[CausePair]], estimate: Sequence[Sequence[CausePair]], match: Match = "strict"
) -> PairScores:
    """Return the scores of emotion-cause pairs, one sequence of pairs per conversation on both sides.

    `utterance` (subtask 2): turn, emotion and cause are the same. `strict` (subtask 1): the span too. `proportional`
    (subtask 1): each estimated span is laid on the true span of the same turn, emotion and cause of which it covers the
    largest share (of two, the one with more words in common), and words are counted: P = common / estimated words,
    R = common / true words, a true span counted once for each estimate laid on it, or once if there is none (as the
    task's script counts; its description counts it once in any case). Wang et al. 2024.

    Raises:
        MalformedError: not one sequence of pairs per conversation, no pairs in truth, a pair without the span it needs.
        UnknownNameError: an emotion that is none of the six.
    """
    if match not in get_args(Match):
        raise UnknownNameError("match", str(match), get_args(Match))
    asked, said = _pairs("truth", truth, match), _pairs("estimate", estimate, match)
    _same_length(truth, estimate)
    if not asked:
        raise MalformedError("truth has no emotion-cause pair in any conversation; there is nothing to find")
    if match == "proportional":
        counts = _covered(asked, said)
    else:
        counts = np.array(
            [
                [sum(key[2] == emotion for key in side) for side in (asked.keys() & said.keys(), said, asked)]
                for emotion in EMOTIONS
            ]
        )
    weights = np.array([sum(key[2] == emotion for key in asked) for emotion in EMOTIONS]) / len(asked)
    rows = [_prf(*row) for row in counts]
    precision, recall, f1 = (float(value) for value in weights @ np.array(rows))
    return PairScores(precision, recall, f1, *_prf(*counts.sum(0)))


def evaluate(truth: Sequence[Any], estimate: Sequence[Any], task: Task) -> dict[str, float]:
    """Return every score of a task.

    `entailment`: `f1_positive`, `f1_negative`, `f1_macro`. `span`: `exact_match`, `partial_match` (one contains the
    other, as whole words), `no_match` (the other positives), `lcs_f1`, `squad_f1`, `contained_lcs_f1`,
    `contained_squad_f1`, `inverse_precision`, `inverse_recall`, `inverse_f1`; `lcs_f1_all` and `squad_f1_all` are means
    over all samples, where a negative scores 1 if it was answered "" and 0 if not. `pair`: `PairScores` by utterance.
    `pair-span`: `PairScores` after `strict_` and `proportional_`. All have `n`; `span` has `n_positive`, `n_negative`.

    Raises:
        MalformedError: what the task's functions refuse.
        UnknownNameError: no such task, or an unknown emotion.
    """
    if task not in get_args(Task):
        raise UnknownNameError("cause task", str(task), get_args(Task))
    if task == "entailment":
        positive, negative = (entailment_f1(truth, estimate, side) for side in (True, False))
        return {
            "f1_positive": positive,
            "f1_negative": negative,
            "f1_macro": (positive + negative) / 2,
            "n": float(len(truth)),
        }
    if task == "span":
        return _evaluate_spans(truth, estimate)
    if task == "pair":
        return pair_scores(truth, estimate, "utterance")._asdict() | {"n": float(len(truth))}
    scores = {
        f"{match}_{name}": value
        for match in ("strict", "proportional")
        for name, value in pair_scores(truth, estimate, match)._asdict().items()
    }
    return scores | {"n": float(len(truth))}


def _evaluate_spans(truth: Sequence[str], estimate: Sequence[str]) -> dict[str, float]:
    pairs = _texts(truth, estimate)
    positives = [pair for pair in pairs if pair[0]]
    right = [float(not said) for asked, said in pairs if not asked]
    exact = exact_match(truth, estimate)
    partial = _mean([asked != said and _contained(asked, said) for asked, said in positives])
    precision, recall, f1 = inverse_scores(truth, estimate)
    return {
        "exact_match": exact,
        "partial_match": partial,
        "no_match": 1 - exact - partial,
        "lcs_f1": lcs_f1(truth, estimate),
        "squad_f1": squad_f1(truth, estimate),
        "contained_lcs_f1": lcs_f1(truth, estimate, contained=True),
        "contained_squad_f1": squad_f1(truth, estimate, contained=True),
        "inverse_precision": precision,
        "inverse_recall": recall,
        "inverse_f1": f1,
        "lcs_f1_all": _mean([_lcs_f1(*pair, contained=False) for pair in positives] + right),
        "squad_f1_all": _mean([_squad_f1(*pair, contained=False) for pair in positives] + right),
        "n": float(len(pairs)),
        "n_positive": float(len(positives)),
        "n_negative": float(len(right)),
    }


def _lcs_f1(asked: str, said: str, contained: bool) -> float:
    if contained and not _contained(asked, said):
        return 0.0
    a, b = asked.split(), said.split()
    return _ratio(2 * _longest_run(a, b), len(a) + len(b))


def _squad_f1(asked: str, said: str, contained: bool) -> float:
    if not said or (contained and not _contained(asked, said)):
        return 0.0
    a, b = _plain_words(asked), _plain_words(said)
    if not a or not b:
        return float(a == b)
    return _ratio(2 * (Counter(a) & Counter(b)).total(), len(a) + len(b))


def _longest_run(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the length of the longest run of words that stands in both."""
    longest, before = 0, [0] * (len(b) + 1)
    for word in a:
        now = [0] * (len(b) + 1)
        for place, other in enumerate(b, 1):
            if word == other:
                now[place] = before[place - 1] + 1
        longest, before = max(longest, *now), now
    return longest


def _contained(asked: str, said: str) -> bool:
    a, b = asked.split(), said.split()
    return bool(a and b) and _longest_run(a, b) == min(len(a), len(b))


def _plain_words(text: str) -> list[str]:
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return [word for word in bare.split() if word not in _ARTICLES]


def _texts(truth: Sequence[str], estimate: Sequence[str]) -> list[tuple[str, str]]:
    _same_length(truth, estimate)
    for name, side in (("truth", truth), ("estimate", estimate)):
        if isinstance(side, str) or not all(isinstance(text, str) for text in side):
            raise MalformedError(f"{name} wants one str per sample, '' where there is no cause")
    return [(asked.strip(), said.strip()) for asked, said in zip(truth, estimate, strict=True)]


def _pairs(name: str, side: Sequence[Sequence[CausePair]], match: Match) -> dict[tuple[Any, ...], None]:
    """Return the different pairs, in order: conversation, turn, emotion, cause, and the span where it counts."""
    keys: dict[tuple[Any, ...], None] = {}
    for conversation, pairs in enumerate(side):
        for pair in pairs:
            if not isinstance(pair, CausePair):
                raise MalformedError(f"{name}[{conversation}] wants CausePairs, not {pair!r}")
            if pair.emotion not in EMOTIONS:
                raise UnknownNameError("emotion of a cause", str(pair.emotion), EMOTIONS)
            key: tuple[Any, ...] = (conversation, pair.turn, pair.emotion, pair.cause)
            if match != "utterance":
                if pair.start is None or pair.end is None or not 0 <= pair.start < pair.end:
                    raise MalformedError(
                        f"{name}[{conversation}]: {pair} wants words start < end; or match='utterance'"
                    )
                key = (*key, pair.start, pair.end)
            keys[key] = None
    return keys


def _covered(asked: Collection[tuple[Any, ...]], said: Collection[tuple[Any, ...]]) -> np.ndarray:
    """Return common, estimated and true words per emotion, 6 x 3; of two spans covered alike, the first counts."""
    spans: dict[Hashable, list[tuple[int, int]]] = {}
    for key in asked:
        spans.setdefault(key[:4], []).append(key[4:])
    counts: Mapping[str, list[int]] = {emotion: [0, 0, 0] for emotion in EMOTIONS}
    laid = set()
    for key in said:
        start, end = key[4:]
        row = counts[key[2]]
        row[1] += end - start
        found = [(min(end, b) - max(start, a), a, b) for a, b in spans.get(key[:4], ())]
        common, a, b = max(found, key=lambda one: (one[0] / (one[2] - one[1]), one[0]), default=(0, 0, 0))
        if common > 0:
            row[0] += common
            row[2] += b - a
            laid.add((*key[:4], a, b))
    for key in asked:
        if key not in laid:
            counts[key[2]][2] += key[5] - key[4]
    return np.array([counts[emotion] for emotion in EMOTIONS])


def _prf(hits: float, said: float, asked: float) -> tuple[float, float, float]:
    return _ratio(hits, said), _ratio(hits, asked), _ratio(2 * hits, said + asked)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def _same_length(truth: Sequence[object], estimate: Sequence[object]) -> None:
    if not len(truth) or len(truth) != len(estimate):
        raise MalformedError(
            f"causes want as many entries in truth as in estimate, at least one, not {len(truth)} and {len(estimate)}"
        )
