"""What two parts of a split have in common: the same values, or values that are near to each other.

Knows columns of words and their parts; knows neither speakers nor files nor why it matters.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from affetto.datasets.splits import PARTS, order_parts

FOLDS = ("one fold", "another")
"""What is said in place of two parts where each fold is the test part in turn."""
_FILLED = 0.9
"""Share of the numbers up to the last that are there where rows were counted."""
_ONE_NUMBER = re.compile(r"\D*?0*(\d+)\D*")


@dataclass(frozen=True)
class Shared:
    """What is on both sides."""

    parts: tuple[str, str]
    """Two parts, or `FOLDS`."""
    values: tuple[str, ...]
    """Each different value that is on both sides, in order of its first row."""
    twins: tuple[str, ...]
    """For each, the value it is like on the other side: itself where it is the same."""
    rows: int
    """Rows of the later part (of all folds) that hold one of them."""
    of: int
    """All rows of the later part (of all folds) that hold anything."""
    held: int
    """Different values on the two sides together."""


def is_folds(parts: Sequence[str]) -> bool:
    """Tell whether the parts are folds, each to be the test part once: none is called train, dev or test."""
    return not set(parts) & set(PARTS)


def shared(values: Sequence[str], parts: Sequence[str]) -> Iterator[Shared]:
    """Yield, for each two parts, or once for folds, what is in both; an empty value or part is none.

    >>> next(shared(["ann", "ann", "bob"], ["train", "test", "test"])).values
    ('ann',)
    """
    where = _where(values, parts)
    yield from _meetings(values, parts, where, lambda value, sides: value if where[value] & sides else None)


def alike(
    values: Sequence[str], keys: Sequence[str], near: Mapping[str, set[str]], parts: Sequence[str]
) -> Iterator[Shared]:
    """Yield the values that are not the same on the other side, yet like one there.

    Args:
        values: n: the texts or the digests.
        keys: n: what counts as alike where it is equal, as a text without its case; an empty one is like nothing.
        near: key to the other keys near to it.
        parts: n.
    """
    where = _where(values, parts)
    key_of = {value: key for value, key in zip(values, keys, strict=True) if value and key}
    of_key: dict[str, list[str]] = {}
    for value, key in key_of.items():
        of_key.setdefault(key, []).append(value)

    def twin(value: str, sides: set[str]) -> str | None:
        if where[value] & sides or value not in key_of:
            return None
        key = key_of[value]
        kin = (other for known in (key, *sorted(near.get(key, ()))) for other in of_key[known])
        return next((other for other in kin if other in where and where[other] & sides), None)

    yield from _meetings(values, parts, where, twin)


def _meetings(
    values: Sequence[str],
    parts: Sequence[str],
    where: Mapping[str, set[str]],
    twin: Callable[[str, set[str]], str | None],
) -> Iterator[Shared]:
    """Yield the values to which `twin` finds another in the parts of the other side."""
    names = order_parts(part for part in parts if part)
    for pair in [FOLDS] if is_folds(names) else list(itertools.combinations(names, 2)):
        twins: dict[str, str | None] = {}
        rows = of = 0
        for value, part in zip(values, parts, strict=True):
            if value and part and (pair == FOLDS or part == pair[1]):
                if value not in twins:
                    twins[value] = twin(value, set(names) - {part} if pair == FOLDS else {pair[0]})
                of += 1
                rows += twins[value] is not None
        found = {value: other for value, other in twins.items() if other is not None}
        if found:
            held = sum(pair == FOLDS or not sides.isdisjoint(pair) for sides in where.values())
            yield Shared(pair, tuple(found), tuple(found.values()), rows, of, held)


def _where(values: Sequence[str], parts: Sequence[str]) -> dict[str, set[str]]:
    where: dict[str, set[str]] = {}
    for value, part in zip(values, parts, strict=True):
        if value and part:
            where.setdefault(value, set()).add(part)
    return where


def numbered_anew(values: Sequence[str], parts: Sequence[str]) -> bool:
    """Tell whether each part counts from the same number on, and not equally far: names that mean nothing together.

    >>> numbered_anew(["0", "1", "2", "0", "1"], ["train", "train", "train", "test", "test"])
    True
    """
    numbers: dict[str, set[int]] = {}
    for value, part in zip(values, parts, strict=True):
        if not value or not part:
            continue
        match = _ONE_NUMBER.fullmatch(value)
        if match is None:
            return False
        numbers.setdefault(part, set()).add(int(match[1]))
    first, last = {min(found) for found in numbers.values()}, [max(found) for found in numbers.values()]
    filled = all(len(found) >= _FILLED * (max(found) - min(found) + 1) for found in numbers.values())
    return len(first) == 1 and first <= {0, 1} and filled and min(last) < _FILLED * max(last)
