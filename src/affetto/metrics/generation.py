"""How good written replies are, as far as words can tell: BLEU, chrF, Distinct-n, and the emotion a judge reads there.

Knows texts and a judge; knows no model. All four follow human judgement weakly: report people's judgement beside them.

- BLEU and chrF are sacrebleu's with its defaults, over the whole corpus, 0..100; each comes with the signature that
  must be printed beside it. BLEU of Chinese, Japanese or Korean needs another tokeniser, which `tokenize` names.
- Distinct-n: words are what white space separates, in lower case; put spaces into languages that have none first.
- Emotion accuracy: the share of replies in which a named judge reads the wished label, 0..1. It says as much about the
  judge as about the replies, so the result carries the judge's name.
- A score over nothing (no n-gram in any reply) is NaN.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from affetto.core.errors import MalformedError, MissingExtraError

References = Sequence[str] | Sequence[Sequence[str]]
"""One text per reply, or several that are each as good."""


class Score(NamedTuple):
    """A corpus score, 0..100, and sacrebleu's signature of how it was made."""

    value: float
    signature: str


class Judged(NamedTuple):
    """The share of replies that the judge reads as wished, 0..1, who judged, and how many."""

    accuracy: float
    judge: str
    n: int


@dataclass(frozen=True)
class Judge:
    """Someone who reads emotions: `labels` takes texts and returns one label each, in order.

    Use a judge of another family than what wrote the replies, and give its version in the name.

    Raises:
        MalformedError: it has no name.
    """

    name: str
    labels: Callable[[Sequence[str]], Sequence[str]]

    def __post_init__(self) -> None:
        """Refuse a judge without a name."""
        if not isinstance(self.name, str) or not self.name.strip():
            raise MalformedError("a Judge wants a name, so that the result can say who judged")


def bleu(truth: References, estimate: Sequence[str], tokenize: str | None = None) -> Score:
    """Return corpus BLEU-4 (Papineni et al. 2002) by sacrebleu (Post 2018), 0..100, and its signature.

    Raises:
        MissingExtraError: sacrebleu is not installed.
        MalformedError: not one reply and at least one reference text per sample.
    """
    return _sacrebleu("BLEU", truth, estimate, tokenize=tokenize)


def chrf(truth: References, estimate: Sequence[str], word_order: int = 0) -> Score:
    """Return corpus chrF (Popovic 2015) by sacrebleu, 0..100, and its signature; `word_order` 2 makes it chrF++.

    Raises:
        MissingExtraError: sacrebleu is not installed.
        MalformedError: not one reply and at least one reference text per sample.
    """
    return _sacrebleu("CHRF", truth, estimate, word_order=word_order)


def distinct(estimate: Sequence[str], n: int) -> float:
    """Return Distinct-n of the corpus: different n-grams of all replies / all their n-grams (Li et al. 2016), 0..1.

    It falls as the corpus grows: compare only corpora of one size.

    Raises:
        MalformedError: no replies, one that is no str, or n below 1.

    >>> distinct(["I am so sorry", "I am here"], 2)
    0.8
    """
    grams = [gram for reply in _replies(estimate) for gram in _grams(reply, n)]
    return len(set(grams)) / len(grams) if grams else np.nan


def distinct_per_reply(estimate: Sequence[str], n: int) -> float:
    """Return the mean over replies of different n-grams / n-grams of that reply, 0..1; shorter replies are left out.

    Raises:
        MalformedError: no replies, one that is no str, or n below 1.

    >>> distinct_per_reply(["no no", "yes I see", ""], 1)
    0.75
    """
    replies = [list(_grams(reply, n)) for reply in _replies(estimate)]
    shares = [len(set(grams)) / len(grams) for grams in replies if grams]
    return float(np.mean(shares)) if shares else np.nan


def emotion_accuracy(truth: Sequence[str], estimate: Sequence[str], judge: Judge) -> Judged:
    """Return the share of replies (`estimate`) in which the judge reads the wished label (`truth`).

    Raises:
        MalformedError: not one label and one reply per sample, or the judge does not return one label each.

    >>> emotion_accuracy(["joy", "fear"], ["Great!", "Fine."], Judge("always joy", lambda texts: ["joy"] * len(texts)))
    Judged(accuracy=0.5, judge='always joy', n=2)
    """
    replies = _replies(estimate)
    if isinstance(truth, str) or len(truth) != len(replies) or not all(isinstance(label, str) for label in truth):
        raise MalformedError(f"emotion accuracy wants one label, a str, for each of the {len(replies)} replies")
    read = judge.labels(replies)
    if isinstance(read, str) or len(read) != len(replies):
        raise MalformedError(f"the judge {judge.name!r} wants to return one label for each of {len(replies)} replies")
    hits = sum(asked == said for asked, said in zip(truth, read, strict=True))
    return Judged(hits / len(replies), judge.name, len(replies))


def evaluate(
    truth: References, estimate: Sequence[str], emotions: Sequence[str] | None = None, judge: Judge | None = None
) -> dict[str, float]:
    """Return every score of replies against reference replies.

    Keys: `bleu`, `chrf` (0..100, signatures from the functions), `distinct_1`, `distinct_2`, `distinct_1_per_reply`,
    `distinct_2_per_reply`, `words` (mean length), `n`; with `emotions`, the wished label of each reply, and a judge,
    `emotion_accuracy_by_<judge>` too.

    Raises:
        MissingExtraError: sacrebleu is not installed.
        MalformedError: what the functions refuse, or emotions without a judge (or the reverse).
    """
    if (emotions is None) != (judge is None):
        raise MalformedError("emotion accuracy wants both the wished emotions and a judge, or neither")
    scores = {"bleu": bleu(truth, estimate).value, "chrf": chrf(truth, estimate).value}
    for n in (1, 2):
        scores[f"distinct_{n}"] = distinct(estimate, n)
        scores[f"distinct_{n}_per_reply"] = distinct_per_reply(estimate, n)
    scores["words"] = float(np.mean([len(reply.split()) for reply in estimate]))
    scores["n"] = float(len(estimate))
    if emotions is not None and judge is not None:
        name = re.sub(r"\W+", "_", judge.name.lower()).strip("_")
        scores[f"emotion_accuracy_by_{name}"] = emotion_accuracy(emotions, estimate, judge).accuracy
    return scores


def _sacrebleu(name: str, truth: References, estimate: Sequence[str], **options: Any) -> Score:
    replies = _replies(estimate)
    streams = _streams(truth, len(replies))
    try:
        from sacrebleu import metrics  # noqa: PLC0415 - an extra, loaded where it is needed
    except ImportError:
        raise MissingExtraError("BLEU and chrF", "bench") from None
    metric = getattr(metrics, name)(**options)
    value = metric.corpus_score(replies, streams).score
    return Score(float(value), str(metric.get_signature()))


def _streams(truth: References, n: int) -> list[list[str | None]]:
    """Return the first, second, ... references of all replies, None where a reply has fewer."""
    if isinstance(truth, str) or len(truth) != n:
        raise MalformedError(f"truth wants one reference, or a list of them, for each of the {n} replies")
    rows = [[row] if isinstance(row, str) else list(row) for row in truth]
    for place, row in enumerate(rows):
        if not row or not all(isinstance(text, str) and text.strip() for text in row):
            raise MalformedError(f"truth[{place}] wants reference texts that are not empty, not {row!r}")
    most = max(len(row) for row in rows)
    return [[row[k] if k < len(row) else None for row in rows] for k in range(most)]


def _replies(estimate: Sequence[str]) -> list[str]:
    if isinstance(estimate, str) or not len(estimate) or not all(isinstance(reply, str) for reply in estimate):
        raise MalformedError("estimate wants a list of replies, each a str, at least one")
    return list(estimate)


def _grams(reply: str, n: int) -> Iterator[tuple[str, ...]]:
    if n < 1:
        raise MalformedError(f"an n-gram has at least one word, not {n}")
    words = reply.lower().split()
    return zip(*(words[k:] for k in range(n)), strict=False)
