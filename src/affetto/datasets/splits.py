"""Who is in train, dev and test: parts that share no group, made from a seed, kept in a file that cannot change unseen.

Knows ids, groups, times and targets; knows no Records and reads no corpus. A split does not depend on the order in
which its rows came, nor on any random generator: the same rows and seed give the same bytes everywhere.
"""

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError

Array = npt.NDArray[Any]
PARTS = ("train", "dev", "test")
"""What the parts are called where they are no folds."""
SHARES = {"train": 0.7, "dev": 0.15, "test": 0.15}
BINS = 5
"""Into how many bins of equal count a numeric target is cut to be balanced."""
_FEW = 10
"""Different numbers up to which a numeric target is taken as classes."""


@dataclass(frozen=True)
class Split:
    """Which part each id is in: train, dev and test, or folds each of which is the test part once.

    Args:
        ids: n names, each once; they are kept in the order of their code points.
        parts: n names of parts.
        protocol: how it was made, to be printed beside every number.
        seed: what it was made from; None where nothing was drawn.

    Raises:
        MalformedError: an id comes twice, or ids and parts differ in length or are no words.

    >>> halves = Split(("b", "a"), ("test", "train"))
    >>> halves.ids, halves["test"]
    (('a', 'b'), ('b',))
    """

    ids: tuple[str, ...]
    parts: tuple[str, ...]
    protocol: str = ""
    seed: int | None = None

    def __post_init__(self) -> None:
        """Bring the rows into order, and refuse what is no split."""
        ids, parts = _words(self.ids, "ids"), _words(self.parts, "parts", len(self.ids))
        order = sorted(range(len(ids)), key=ids.__getitem__)
        for one, next in itertools.pairwise(order):
            if ids[one] == ids[next]:
                raise MalformedError(f"a split wants each id once, and {ids[one]!r} comes twice")
        object.__setattr__(self, "ids", tuple(ids[i] for i in order))
        object.__setattr__(self, "parts", tuple(parts[i] for i in order))

    def __len__(self) -> int:
        """Return how many ids it has."""
        return len(self.ids)

    def __getitem__(self, part: str) -> tuple[str, ...]:
        """Return the ids of one part.

        Raises:
            UnknownNameError: it has no such part; names those it has.
        """
        chosen = tuple(id for id, where in zip(self.ids, self.parts, strict=True) if where == part)
        if not chosen:
            raise UnknownNameError("part of this split", part, self.names)
        return chosen

    @property
    def names(self) -> tuple[str, ...]:
        """The parts there are: train, dev, test in this order, or the folds in order."""
        return order_parts(self.parts)

    @property
    def sizes(self) -> dict[str, int]:
        """How many ids each part has."""
        return {name: self.parts.count(name) for name in self.names}

    def of(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the part of each of these ids, in their order.

        Raises:
            UnknownNameError: an id is not in the split.
        """
        known = dict(zip(self.ids, self.parts, strict=True))
        asked = tuple(ids)
        for id in asked:
            if id not in known:
                raise UnknownNameError("id of this split", id, self.ids[:20])
        return tuple(known[id] for id in asked)

    def rounds(self) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Yield name, train ids and test ids: of folds each is the test part in turn, else there is one round.

        Raises:
            MalformedError: there are parts, yet not both train and test.
        """
        names = self.names
        if set(names) & set(PARTS):
            if not {"train", "test"} <= set(names):
                raise MalformedError(f"a round wants a part 'train' and a part 'test'; there are {', '.join(names)}")
            yield "test", self["train"], self["test"]
            return
        for name in names:
            yield name, tuple(i for i, p in zip(self.ids, self.parts, strict=True) if p != name), self[name]


def order_parts(parts: Iterable[str]) -> tuple[str, ...]:
    """Return each part once: train, dev and test where they belong, numbers by size, others by name."""

    def place(part: str) -> tuple[int, int, str]:
        middle = (1, int(part) if part.isdecimal() else 0, part)
        return {"train": (0, 0, ""), "dev": (0, 1, ""), "test": (2, 0, "")}.get(part, middle)

    return tuple(sorted(set(parts), key=place))


def group_folds(
    ids: Sequence[str],
    groups: Sequence[str],
    k: int = 5,
    seed: int = 0,
    targets: Sequence[Any] | Array | None = None,
) -> Split:
    """Return k folds of about one size, no group in two of them; the parts are called `0` to `k-1`.

    Args:
        ids: n names, each once.
        groups: n: the speaker, subject, dialogue, film, artist or culture of each. Where every row may stand alone,
            give the ids themselves.
        k: how many folds, at most as many as groups.
        seed: another seed gives other folds.
        targets: n classes or numbers whose share shall be about the same in each fold; numbers are cut at quantiles.

    Raises:
        MalformedError: there are fewer groups than folds, or the columns differ in length.

    >>> group_folds(["a1", "a2", "b1", "b2"], ["a", "a", "b", "b"], k=2).sizes
    {'0': 2, '1': 2}
    """
    if k < 2:
        raise MalformedError(f"folds are at least 2, not {k}")
    shares = {str(fold): 1.0 for fold in range(k)}
    return _grouped(ids, groups, shares, seed, targets, f"{k} folds, no group in two")


def holdout(
    ids: Sequence[str],
    groups: Sequence[str],
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
    targets: Sequence[Any] | Array | None = None,
) -> Split:
    """Return train, dev and test of about the asked shares, no group in two of them.

    Args:
        ids: n names, each once.
        groups: n: whose row it is, as in `group_folds`.
        shares: part to its share; they need not sum to 1.
        seed: another seed gives another split.
        targets: n classes or numbers to be spread evenly, as in `group_folds`.

    Raises:
        MalformedError: there are fewer groups than parts, a share is not positive, or the columns differ in length.
    """
    named = ", ".join(f"{part} {share:g}" for part, share in shares.items())
    return _grouped(ids, groups, shares, seed, targets, f"holdout ({named}), no group in two")


def leave_one_group_out(ids: Sequence[str], groups: Sequence[str]) -> Split:
    """Return as many folds as groups, each called by its group: every group is the test part once.

    Raises:
        MalformedError: there is one group only, one is called as a part is, or the columns differ in length.
    """
    named = _words(groups, "groups", len(ids))
    if len(set(named)) < 2:
        raise MalformedError("leaving one group out wants at least two groups")
    if clash := set(named) & set(PARTS):
        raise MalformedError(f"a group must not be called {', '.join(sorted(clash))}, as the parts of a split are")
    return Split(tuple(ids), tuple(named), "leave one group out")


def time_split(ids: Sequence[str], times: Sequence[float] | Array, shares: Mapping[str, float] = SHARES) -> Split:
    """Return train, dev and test in order of time: what is tested came after all that was learned from.

    Rows of one time stay together. Times are numbers of any one unit.

    Raises:
        MalformedError: a time is not finite, a part would be empty, or the columns differ in length.

    >>> time_split(["new", "old"], [2, 1], {"train": 0.5, "test": 0.5})["train"]
    ('old',)
    """
    try:
        when = np.asarray(times, np.float64)
    except (TypeError, ValueError):
        raise MalformedError("times of a split are numbers, seconds for example") from None
    if when.shape != (len(ids),) or not np.isfinite(when).all():
        raise MalformedError(f"times of a split are {len(ids)} finite numbers, one an id")
    wanted = _shares(shares)
    names = list(shares)
    moments, counts = np.unique(when, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / max(1, len(when))
    place = np.searchsorted(np.cumsum(wanted)[:-1], middle, "right")
    if len(set(place.tolist())) < len(names):
        raise MalformedError(f"{len(moments)} different times are too few for the shares of {', '.join(names)}")
    parts = [names[i] for i in place[np.searchsorted(moments, when)]]
    named = ", ".join(f"{part} {share:g}" for part, share in shares.items())
    return Split(tuple(ids), tuple(parts), f"by time ({named})")


def _grouped(
    ids: Sequence[str],
    groups: Sequence[str],
    shares: Mapping[str, float],
    seed: int,
    targets: Sequence[Any] | Array | None,
    protocol: str,
) -> Split:
    ids, groups = _words(ids, "ids"), _words(groups, "groups", len(ids))
    names = sorted(set(groups), key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    wanted = _shares(shares)
    if len(names) < len(wanted):
        raise MalformedError(f"{len(wanted)} parts want at least as many groups, and there are {len(names)}")
    number = {group: i for i, group in enumerate(names)}
    row = np.array([number[group] for group in groups])
    strata = np.zeros(len(ids), np.int64) if targets is None else _strata(targets, len(ids))
    counts = np.zeros((len(names), int(strata.max()) + 1))
    np.add.at(counts, (row, strata), 1)
    place = _spread(np.hstack([counts, counts.sum(1, keepdims=True)]), wanted)
    parts = list(shares)
    balance = "" if targets is None else ", targets spread evenly"
    return Split(tuple(ids), tuple(parts[place[i]] for i in row), protocol + balance, seed)


def _spread(counts: Array, shares: Array) -> Array:
    """Return a part for each group, the large ones first: where its rows lack most.

    Args:
        counts: groups x strata, how many rows; equal groups are taken in the order they come in.
        shares: parts, positive, sum 1.

    Of parts with counts c and shares s the sum of c^2 / (s T) over all strata of T rows is smallest where each part
    has its share; each group goes where this sum grows least, and none may stay empty.
    """
    total = np.maximum(counts.sum(0), 1)
    held = np.zeros((len(shares), counts.shape[1]))
    place = np.zeros(len(counts), np.int64)
    order = np.argsort(-counts[:, -1], kind="stable")
    for done, group in enumerate(order):
        growth = ((2 * held + counts[group]) * counts[group] / total).sum(1) / shares
        empty = held[:, -1] == 0
        if empty.sum() >= len(order) - done:
            growth[~empty] = np.inf
        place[group] = int(np.argmin(np.round(growth, 9)))
        held[place[group]] += counts[group]
    return place


def _strata(targets: Sequence[Any] | Array, n: int) -> Array:
    """Return a stratum for each row: its class, or the bin of its number; not said is a stratum of its own."""
    column = np.asarray(targets)
    if column.shape != (n,):
        raise MalformedError(f"targets of a split are one column of {n}, one an id, not of shape {column.shape}")
    if column.dtype.kind not in "fiu":
        return np.unique(column.astype(str), return_inverse=True)[1]
    numbers = column.astype(np.float64)
    said = np.isfinite(numbers)
    if len(np.unique(numbers[said])) > _FEW:
        edges = np.quantile(numbers[said], np.linspace(0, 1, BINS + 1)[1:-1])
        numbers = np.where(said, np.searchsorted(edges, np.where(said, numbers, 0), "right"), np.nan)
    return np.unique(np.where(said, numbers, np.inf), return_inverse=True)[1]


def _shares(shares: Mapping[str, float]) -> Array:
    wanted = np.array(list(shares.values()), np.float64)
    if len(wanted) < 2 or not np.isfinite(wanted).all() or (wanted <= 0).any():
        raise MalformedError(f"shares of a split are two or more positive numbers, not {dict(shares)}")
    shared: Array = wanted / wanted.sum()
    return shared


def _words(column: Iterable[Any], name: str, n: int | None = None) -> list[str]:
    words = list(column) if not isinstance(column, str) else [column]
    if not words or (n is not None and len(words) != n):
        raise MalformedError(f"the {name} of a split are {n or 'one or more'} words, not {len(words)}")
    for word in words:
        if not isinstance(word, str) or not word:
            raise MalformedError(f"the {name} of a split are words that are not empty, not {word!r:.80}")
        if not word.isprintable() and any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in word):
            raise MalformedError(f"the {name} of a split hold no control characters or half characters: {word!r:.80}")
    return words


def write(split: Split, path: str | Path) -> str:
    """Write a split as a .csv of `id,part`, and beside it `<name>.json` with protocol, seed, sizes and SHA-256.

    Returns:
        The SHA-256 of the .csv, in hex: what `sha256sum` says of it.
    """
    target = Path(path)
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(("id", "part"))
    table.writerows(zip(split.ids, split.parts, strict=True))
    content = buffer.getvalue().encode("utf-8")
    digest = hashlib.sha256(content).hexdigest()
    facts = {
        "protocol": split.protocol,
        "seed": split.seed,
        "n": len(split),
        "parts": split.sizes,
        "sha256": digest,
    }
    _put(target, content)
    _put(_facts(target), (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
    return digest


def read_split(path: str | Path) -> Split:
    """Read a split that `write` wrote, and make sure that it is the same.

    Raises:
        UnreadableError: it is not there, its .json is not, or it was changed since.
    """
    target = Path(path)
    try:
        content, said = target.read_bytes(), _facts(target).read_bytes()
    except OSError as error:
        name = Path(str(error.filename)).name
        raise UnreadableError(
            f"{name} cannot be read ({error.strerror}); a split is a .csv and its .csv.json"
        ) from None
    try:
        facts = json.loads(said)
        digest, protocol, seed = facts["sha256"], facts["protocol"], facts["seed"]
    except (ValueError, KeyError, TypeError):
        raise UnreadableError(f"{_facts(target).name} is not what a split is described with; write it anew") from None
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise UnreadableError(
            f"{target.name} was changed since it was written: its SHA-256 is {found[:12]}..., and "
            f"{_facts(target).name} says {str(digest)[:12]}...; fetch it again, or write it anew"
        )
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))[1:]
    return Split(tuple(row[0] for row in rows), tuple(row[1] for row in rows), protocol, seed)


def _facts(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _put(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
