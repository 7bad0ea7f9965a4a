"""Small models on hashed n-grams: tables of int8 rows, one hidden layer, calibrated heads, languages told apart.

Knows how such a model answers a batch of texts in numpy alone, and how it lies in a .npz file (no pickles). Knows
nothing of Records or corpora: `recipes/text_affect_multi.py` and `recipes/text_affect_en_fast.py` train the numbers.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from affetto.models.text import hashing
from affetto.models.text.hashing import Grams, Tokens

BLOCK = 2048
"""Texts answered at once: what bounds memory beside `hashing.CHUNK`."""
GATHERED = 8192
"""Rows of a table held at once while they are summed."""
UNSUPPORTED = -1
"""The language number of a text that no language of the model claims."""

CODES: Mapping[str, tuple[str, ...]] = {
    **{short: (long,) for short, long in zip(
        "af am zh de en es ha hi ig rw mr om pcm ro ru so su sw sv tt ti uk vmw yo".split(),
        "afr amh chn deu eng esp hau hin ibo kin mar orm pcm ron rus som sun swa swe tat tir ukr vmw yor".split(),
        strict=True,
    )},
    "zho": ("chn",), "cmn": ("chn",), "spa": ("esp",), "gaz": ("orm",), "swh": ("swa",),
    "pt-br": ("ptbr",), "pt-mz": ("ptmz",), "pt": ("ptbr", "ptmz"), "por": ("ptbr", "ptmz"),
    "ar-dz": ("arq",), "ar-ma": ("ary",), "ar": ("arq", "ary"), "ara": ("arq", "ary"),
}  # fmt: skip
"""ISO 639 codes and the BRIGHTER codes they mean. `pt` and `ar` leave two: the text decides between them."""


@dataclass(frozen=True)
class Head:
    """One question a model answers."""

    name: str
    kind: str
    """`any` (independent probabilities), `one` (probabilities of sum 1) or `graded` (numbers in a range)."""
    start: int
    end: int
    """Its columns among the outputs."""


class _Sums(NamedTuple):
    """What has been added up of a block of texts; the rows of long texts grow piece by piece."""

    shared: np.ndarray
    """n x d, whole numbers."""
    own: np.ndarray
    """n x (k + 1), whole numbers: the language's own table; the last column is the squared weight of what it knows."""
    read: np.ndarray
    """n: n-grams read."""


class Ngrams:
    """A model of hashed n-grams. `Ngrams.load(path).answer(texts)` gives one array a head.

    Attributes:
        heads: The questions, by order of the outputs.
        languages: The codes of the languages it knows; one empty code where it knows one and does not ask which.
        thresholds: For each head of kind `any`, where a probability counts as said: k, or languages x k.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the arrays of a weights file (see `save`).

        Raises:
            ValueError: An array is missing or has a shape that does not fit the others.
        """
        missing = sorted(REQUIRED - set(arrays))
        if missing:
            raise ValueError(f"n-gram weights need the arrays {', '.join(missing)}; build them with the recipe again")
        self._arrays = dict(arrays)
        shortest, longest, pairs = map(int, arrays["grams"])
        self.grams = Grams(shortest, longest, bool(pairs))
        ends = np.cumsum(arrays["head_sizes"]).tolist()
        self.heads = tuple(
            Head(str(name), str(kind), end - int(size), end)
            for name, kind, size, end in zip(
                arrays["head_names"], arrays["head_kinds"], arrays["head_sizes"], ends, strict=True
            )
        )
        self.languages = tuple(map(str, arrays["languages"]))
        self._table = arrays["table"]
        self._bits = _bits_of(len(self._table), "table")
        if arrays["hidden_weight"].shape[0] != self._table.shape[1] or arrays["out_weight"].shape[1] != ends[-1]:
            raise ValueError(
                f"n-gram weights do not fit: table {self._table.shape}, hidden_weight "
                f"{arrays['hidden_weight'].shape}, out_weight {arrays['out_weight'].shape}, {ends[-1]} outputs"
            )
        several = len(self.languages) > 1
        self.thresholds = {
            head.name: limits if several else limits[0]
            for head in self.heads
            if head.kind == "any"
            for limits in [arrays["thresholds"][:, head.start : head.end]]
        }

    @classmethod
    def load(cls, path: Path) -> "Ngrams":
        """Read a weights file.

        Raises:
            ValueError: The file is no n-gram model.
        """
        with np.load(path, allow_pickle=False) as file:
            return cls({name: file[name] for name in file.files})

    def save(self, path: Path) -> None:
        """Write the weights file: the same arrays give the same bytes."""
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **dict(sorted(self._arrays.items())))

    def answer(
        self, texts: Sequence[str], languages: str | Sequence[str | None] | None = None, threads: int | None = None
    ) -> dict[str, np.ndarray]:
        """Return calibrated answers, n x k float32 a head; NaN where nothing was learnt or the language is unknown.

        Args:
            texts: Any strings.
            languages: A code for all texts or one a text (BRIGHTER's or ISO's, see `CODES`); None or "" asks the model.
            threads: Threads that share the work; by default two where there are two cores.

        A model of several languages adds `language`: n codes (str), None where the text is in none of them.
        """
        texts = list(texts)
        told = [languages] * len(texts) if isinstance(languages, str) or languages is None else list(languages)
        if len(told) != len(texts):
            raise ValueError(f"{len(texts)} texts need as many languages, one code, or None; got {len(told)}")
        blocks = [(texts[at : at + BLOCK], told[at : at + BLOCK]) for at in range(0, len(texts), BLOCK)] or [([], [])]
        workers = min(len(blocks), threads if threads is not None else min(2, os.cpu_count() or 1))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                parts = list(pool.map(self._block, *zip(*blocks, strict=True)))
        else:
            parts = [self._block(*block) for block in blocks]
        values = np.concatenate([part[0] for part in parts])
        answers = {head.name: values[:, head.start : head.end] for head in self.heads}
        if len(self.languages) > 1:
            spoken = np.concatenate([part[1] for part in parts])
            answers["language"] = np.array([*self.languages, None], object)[spoken]
        return answers

    def identify(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probability of each language, n x languages; what is missing to 1 says it is another one."""
        found = [self._told_apart(hashing.tokens(held)) for held in _firsts(texts)]
        return np.concatenate(found or [np.zeros((0, len(self.languages)), np.float32)])

    def _block(self, texts: list[str], told: list[str | None]) -> tuple[np.ndarray, np.ndarray]:
        size = len(texts)
        spoken = np.zeros(size, np.int64)
        if len(self.languages) > 1:
            spoken = self._decided(texts, told)
        own = self._arrays["own"].shape[1] if "own" in self._arrays else 0
        sums = _Sums(np.zeros((size, self._table.shape[1])), np.zeros((size, own)), np.zeros(size))
        for held, rows in hashing.chunks(texts):
            self._add(sums, held, np.array(rows), spoken)
        return self._answered(sums, spoken), spoken

    def _add(self, sums: _Sums, held: list[str], rows: np.ndarray, spoken: np.ndarray) -> None:
        read = hashing.tokens(held)
        owner = np.repeat(rows, np.diff(read.offsets))
        keys = read.names
        if sums.own.shape[1]:
            keys = keys + spoken[owner].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        _, first, same = np.unique(keys, return_index=True, return_inverse=True)
        numbers, offsets = hashing.letter_grams(read, first, self.grams)
        counts = np.diff(offsets)
        np.add.at(sums.read, owner, counts[same])
        ordered = _row_starts(owner, len(sums.read))
        shared = _summed(self._table, self._shared(numbers), offsets)
        sums.shared[:] += _gathered(shared, same, ordered)
        if sums.own.shape[1]:
            speaks = np.repeat(spoken[owner[first]], counts)
            own = _summed(self._arrays["own"], self._own(numbers, speaks), offsets)
            sums.own[:] += _gathered(own, same, ordered)
        if self.grams.pairs:
            numbers, offsets = hashing.pair_grams(read)
            sizes = np.diff(offsets)
            by_row = _row_starts(np.repeat(rows, sizes), len(sums.read))
            np.add.at(sums.read, rows, sizes)
            sums.shared[:] += _summed(self._table, self._shared(numbers), by_row)
            if sums.own.shape[1]:
                speaks = np.repeat(spoken[rows], sizes)
                sums.own[:] += _summed(self._arrays["own"], self._own(numbers, speaks), by_row)

    def _shared(self, numbers: np.ndarray) -> np.ndarray:
        return numbers >> np.uint32(32 - self._bits)

    def _own(self, numbers: np.ndarray, speaks: np.ndarray) -> np.ndarray:
        """Return where the n-grams of texts in languages `speaks` lie in the languages' own tables.

        An n-gram has two places where it may lie and a mark by which it is known; one that lies in neither was not
        learnt and goes to the last row, which is empty.
        """
        at, marks = self._arrays, self._arrays["own_marks"]
        bits, starts, mark = at["own_bits"][speaks], at["own_starts"][speaks], own_mark(numbers)
        places = np.full(len(numbers), len(marks) - 1)
        for choice in (1, 0):
            place = starts + own_place(numbers, bits, choice)
            places = np.where(marks[place] == mark, place, places)
        return places

    def _answered(self, sums: _Sums, spoken: np.ndarray) -> np.ndarray:
        at = self._arrays
        scale = at["table_scale"] / np.sqrt(np.maximum(sums.read, 1))[:, None]
        hidden = (sums.shared * scale).astype(np.float32) @ at["hidden_weight"] + at["hidden_bias"][spoken]
        logits = np.maximum(hidden, 0) @ at["out_weight"]
        if sums.own.shape[1]:
            own = sums.own * at["own_scale"][spoken]
            own = own[:, :-1] / np.sqrt(np.maximum(own[:, -1:], 1e-6))
            both = np.concatenate([own, logits], 1).astype(np.float32)
            logits = np.matmul(both[:, None], at["mix"][spoken])[:, 0]
        logits = logits * at["slope"][spoken] + at["shift"][spoken]
        for head in self.heads:
            part = logits[:, head.start : head.end]
            if head.kind == "any":
                part[:] = 1 / (1 + np.exp(-np.clip(part, -30, 30)))
            elif head.kind == "one":
                part[:] = np.exp(part - part.max(1, keepdims=True))
                part /= part.sum(1, keepdims=True)
            else:
                np.clip(part, at["low"][head.start : head.end], at["high"][head.start : head.end], out=part)
        logits[~at["asked"][spoken]] = np.nan
        logits[spoken == UNSUPPORTED] = np.nan
        answered: np.ndarray = logits.astype(np.float32)
        return answered

    def _decided(self, texts: list[str], told: list[str | None]) -> np.ndarray:
        """Return the language number of each text: what was told, or what the text says."""
        spoken = np.full(len(texts), UNSUPPORTED)
        choices: dict[str, list[int]] = {}
        asked = []
        for row, code in enumerate(told):
            name = (code or "").lower().replace("_", "-")
            if name not in choices:
                base = CODES.get(name) or CODES.get(name.split("-")[0]) or (name,)
                choices[name] = [self.languages.index(one) for one in base if one in self.languages]
            if not name or len(choices[name]) > 1:
                asked.append(row)
            elif choices[name]:
                spoken[row] = choices[name][0]
        if asked:
            likely = self.identify([texts[row] for row in asked])
            sure = likely @ self._arrays["kin"].T
            for row, p, group in zip(asked, likely, sure, strict=True):
                few = choices[(told[row] or "").lower().replace("_", "-")]
                if few:
                    spoken[row] = few[int(p[few].argmax())]
                elif group.max() >= self._arrays["sure"]:
                    best = self._arrays["kin"][int(group.argmax())] > 0
                    spoken[row] = int(np.where(best, p, -1).argmax())
        return spoken

    def _told_apart(self, read: Tokens) -> np.ndarray:
        table, count = self._arrays["tongue"], len(read.offsets) - 1
        _, first, same = np.unique(read.names, return_index=True, return_inverse=True)
        numbers, offsets = hashing.letter_grams(read, first, Grams(1, 3, pairs=False))
        bits = np.uint32(32 - _bits_of(len(table), "tongue"))
        sums = _gathered(_summed(table, numbers >> bits, offsets), same, read.offsets)
        counts = _gathered(np.diff(offsets)[:, None], same, read.offsets)
        logits = sums / np.sqrt(np.maximum(counts, 1)) * self._arrays["tongue_scale"] + self._arrays["tongue_bias"]
        likely = np.exp(logits - logits.max(1, keepdims=True))
        likely /= likely.sum(1, keepdims=True)
        spoken = likely[:, : len(self.languages)] * hashing.script_share(read)[:, None]
        return np.where(counts > 0, spoken, 0).astype(np.float32).reshape(count, -1)


REQUIRED = frozenset(
    "grams head_names head_kinds head_sizes languages table table_scale hidden_weight hidden_bias out_weight "
    "slope shift thresholds asked low high".split()
)
"""The arrays that every weights file holds; with several languages also own, own_marks, own_bits, own_starts,
own_scale, mix, tongue, tongue_scale, tongue_bias, kin, sure."""


def own_place(numbers: np.ndarray, bits: np.ndarray | int, choice: int) -> np.ndarray:
    """Return the first (0) or second (1) place of 32-bit numbers in a table of 2 ** bits rows."""
    mixed = numbers * np.uint32((0x85EBCA6B, 0xC2B2AE35)[choice])
    return (mixed >> (np.uint32(32) - np.asarray(bits, np.uint32))).astype(np.int64)


def own_mark(numbers: np.ndarray) -> np.ndarray:
    """Return the mark (1 to 255) by which a row of a language's own table knows its n-gram."""
    mark: np.ndarray = np.maximum((numbers * np.uint32(0x27D4EB2F)) >> np.uint32(24), 1).astype(np.uint8)
    return mark


def _bits_of(rows: int, name: str) -> int:
    if rows < 2 or rows & (rows - 1):
        raise ValueError(f"the array {name} of n-gram weights must have a power of two of rows, not {rows}")
    return rows.bit_length() - 1


def _firsts(texts: Sequence[str]) -> list[list[str]]:
    """Return the folded beginnings of texts, in chunks."""
    made: list[list[str]] = []
    size = hashing.CHUNK
    for text in texts:
        if size >= hashing.CHUNK:
            made.append([])
            size = 0
        made[-1].append(hashing.folded(text[:4096]))
        size += len(made[-1][-1]) + 1
    return made


def _row_starts(owner: np.ndarray, rows: int) -> np.ndarray:
    """Return the offsets (rows + 1) of ascending owners."""
    return np.searchsorted(owner, np.arange(rows + 1))


def _summed(table: np.ndarray, places: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the sums of int8 rows at `places` between offsets: m x d int32, exact whatever the order."""
    out = np.zeros((len(offsets) - 1, table.shape[1]), np.int32)
    full = np.flatnonzero(offsets[1:] > offsets[:-1])
    starts, ends = offsets[:-1][full], offsets[1:][full]
    at = 0
    while at < len(full):
        stop = max(at + 1, int(np.searchsorted(ends, starts[at] + GATHERED, "right")))
        rows = table.take(places[starts[at] : ends[stop - 1]], 0)
        out[full[at:stop]] = np.add.reduceat(rows, starts[at:stop] - starts[at], 0, np.int32)
        at = stop
    return out


def _gathered(values: np.ndarray, places: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the sums of rows of `values` at `places` between offsets: m x d int64."""
    out = np.zeros((len(offsets) - 1, values.shape[1]), np.int64)
    full = np.flatnonzero(offsets[1:] > offsets[:-1])
    if len(full):
        out[full] = np.add.reduceat(values.take(places, 0), offsets[:-1][full], 0, np.int64)
    return out
