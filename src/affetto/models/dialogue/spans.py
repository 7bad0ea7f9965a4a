"""The words of a turn that caused a feeling: its clauses, what is known of each, and the best run of them.

Knows words and numbers; knows no network.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.models.dialogue.pairs import Heard

Floats = npt.NDArray[np.float32]
_OPENERS = frozenset("and but because so if when or that which while since although though".split())
"""Words that open a clause."""
_CLOSED = re.compile(r"[.!?,;:\u2026]$")


def clauses(text: str) -> list[str]:
    """Return the clauses of a text: cut after signs that close one, and before words that open one.

    >>> clauses("I won , but you left . Why ?")
    ['I won ,', 'but you left .', 'Why ?']
    """
    found: list[list[str]] = []
    for word in text.split():
        closed = bool(found) and bool(_CLOSED.search(found[-1][-1])) and any(sign.isalnum() for sign in word)
        if not found or closed or word.lower() in _OPENERS:
            found.append([])
        found[-1].append(word)
    return [" ".join(words) for words in found]


def best_run(inside: Sequence[float], sizes: Sequence[int]) -> tuple[int, int]:
    """Return the run of clauses whose words most probably are those that caused: its first, and one after its last.

    Of all runs it is the one with the highest expected F1 of words, by the formula 2 hits / (asked + said).

    Args:
        inside: of each clause, how probably its words are among those that caused.
        sizes: words of each clause.

    Raises:
        ValueError: there are no clauses.

    >>> best_run([0.1, 0.9, 0.8, 0.1], [4, 5, 3, 6])
    (1, 3)
    """
    if not len(sizes):
        raise ValueError("a text without words has no run of clauses")
    length = np.concatenate([[0], np.cumsum(sizes)])
    hits = np.concatenate([[0], np.cumsum(np.asarray(inside) * np.asarray(sizes))])
    n = len(sizes)
    start, end = np.triu_indices(n)
    expected = 2 * (hits[end + 1] - hits[start]) / (length[end + 1] - length[start] + hits[-1])
    best = int(expected.argmax())
    return int(start[best]), int(end[best]) + 1


def paired(talk: Heard, turn: int, cause: int, probability: float) -> Floats:
    """Return what counts of a pair of turns for the words: how far, who, how sure, and what the turn is about.

    Args:
        talk: of both.
        turn: that feels.
        cause: that caused.
        probability: that it did.
    """
    far = turn - cause
    own = talk.speakers[turn] == talk.speakers[cause]
    place = [far == 0, far == 1, float(np.log1p(far)), own, probability]
    return np.concatenate([np.array(place, np.float32), talk.traits[turn], talk.traits[cause]])


def described(traits: Floats, shown: Floats, sizes: Sequence[int], pair: Floats, feeling: int) -> Floats:
    """Return a row for each clause of a turn (n x f).

    Args:
        traits: n x d, what each clause is about.
        shown: n x 7, how probably it shows each label of ekman-7.
        sizes: n, its words.
        pair: see `paired`.
        feeling: that was caused, the number of a label of ekman-7.
    """
    n = len(sizes)
    place = np.arange(n)
    words = np.asarray(sizes, np.float32)
    same, any_ = shown[:, feeling], 1 - shown[:, -1]
    columns = [
        np.log1p(words),
        words / words.sum(),
        place == 0,
        place == n - 1,
        np.full(n, n == 1),
        np.log1p(place),
        np.log1p(np.full(n, n)),
        np.log1p(n - 1 - place),
        same,
        any_,
        same - same.max(),
        any_ - any_.max(),
        np.append(any_[1:], 0),
        np.insert(any_[:-1], 0, 0),
        shown,
        traits,
        np.tile(pair, (n, 1)),
        np.tile(np.arange(7) == feeling, (n, 1)),
    ]
    return np.concatenate([np.asarray(part, np.float32).reshape(n, -1) for part in columns], 1)
