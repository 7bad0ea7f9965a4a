"""Texts as bags of hashed n-grams, a whole batch at a time, in numpy alone.

Knows Unicode and arithmetic: a text becomes tokens, a token becomes the n-grams of its characters, an n-gram becomes a
32-bit number, the same on every machine. Knows nothing of emotions; `ngrams.py` gives the numbers a meaning.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

CHUNK = 1 << 16
"""Code points read at once: what bounds memory, and what fits a processor's second cache."""
PIECE = 1 << 15
"""A text longer than this many code points is read in pieces of this length."""
LONGEST = 1 << 8
"""A run longer than this many code points is cut into tokens of this length."""

_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)
_LETTER = np.uint64(0xD6E8FEB86659FD93)
_FINAL = np.uint64(0xFF51AFD7ED558CCD)
_FIRST, _SECOND = np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_OPEN, _CLOSE = 2, 3
_SPACE, _WORD, _MARK, _SIGN = 0, 1, 2, 3
_MARKS = ((0x2010, 0x2060), (0x3001, 0x3004), (0x3008, 0x3031), (0xFE10, 0xFE70), (0xFF00, 0xFF10), (0xFF1A, 0xFF21))
_SIGNS = ((0x2190, 0x2C00), (0x1F000, 0x20000))


def _classes() -> np.ndarray:
    table = np.full(0x3100, _WORD, np.uint8)
    table[:0x80] = [_WORD if chr(i).isalnum() or chr(i) in "'_" else _MARK for i in range(0x80)]
    table[:0x21] = table[0x7F:0xA1] = _SPACE
    table[0xA1:0xC0] = _MARK
    table[[0xAA, 0xB2, 0xB3, 0xB5, 0xB9, 0xBA]] = _WORD
    table[[0x60C, 0x61B, 0x61F, 0x6D4, 0x964, 0x965]] = _MARK
    table[0x1361:0x1369] = _MARK
    table[0x2000:0x2010] = table[0x2028:0x202A] = table[0x3000] = _SPACE
    for start, end in _MARKS:
        table[start : min(end, len(table))] = _MARK
    table[0x2190:0x2C00] = _SIGN
    table[0x2060:0x2070] = _SPACE
    return table


_CLASSES = _classes()


def folded(text: str) -> str:
    """Return `text` in lower case and, where it is not plain ASCII, in Unicode's compatible form (NFKC).

    >>> folded("\uff33o HAPPY")
    'so happy'
    """
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True)
class Tokens:
    """The tokens of some texts: runs of letters, runs of marks, single signs (emoji)."""

    letters: np.ndarray
    """Code points of all texts, uint32."""
    starts: np.ndarray
    """Where each token starts in `letters`, int64."""
    ends: np.ndarray
    """Where each token ends in `letters`, int64."""
    offsets: np.ndarray
    """Text i holds tokens `offsets[i]` up to `offsets[i + 1]`; n + 1, int64."""
    names: np.ndarray
    """A 64-bit number for each token, equal for equal tokens."""


def tokens(texts: Sequence[str]) -> Tokens:
    """Cut folded texts into tokens; letters repeated three times or more count twice.

    >>> made = tokens(["so happyyyy!!", ""])
    >>> (made.ends - made.starts).tolist(), made.offsets.tolist()
    ([2, 6, 2], [0, 3, 3])
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    letters = np.frombuffer((" ".join(texts) + " ").encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    kinds = _CLASSES[np.minimum(letters, len(_CLASSES) - 1)]
    wide = np.flatnonzero(letters >= len(_CLASSES))
    if len(wide):
        for blocks, kind in ((_MARKS, _MARK), (_SIGNS, _SIGN)):
            for start, end in blocks:
                kinds[wide[(letters[wide] >= start) & (letters[wide] < end)]] = kind
    same = letters[1:] == letters[:-1]
    kept = np.ones(len(letters), bool)
    kept[2:] = ~(same[1:] & same[:-1] & (kinds[2:] != _SPACE) & ~((letters[2:] >= 0x30) & (letters[2:] <= 0x39)))
    kept_before = np.concatenate([[0], np.cumsum(kept)])
    letters, kinds, bounds = letters[kept], kinds[kept], kept_before[bounds]
    turns = np.ones(len(letters), bool)
    turns[1:] = (kinds[1:] != kinds[:-1]) | (kinds[1:] == _SIGN)
    firsts = np.flatnonzero(turns)
    lasts = np.append(firsts[1:], len(letters))
    spoken = kinds[firsts] != _SPACE
    firsts, lasts = _cut(firsts[spoken], lasts[spoken])
    return Tokens(letters, firsts, lasts, np.searchsorted(firsts, bounds), _spans(letters, firsts, lasts))


def _cut(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = -(-(ends - starts) // LONGEST)
    if not len(parts) or parts.max() == 1:
        return starts, ends
    number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    cut = np.repeat(starts, parts) + number * LONGEST
    return cut, np.minimum(cut + LONGEST, np.repeat(ends, parts))


class _Powers:
    """The powers of the base and of its inverse modulo 2 to the 64, as far as ever asked."""

    def __init__(self) -> None:
        self._made = np.ones((2, 1), np.uint64)

    def __call__(self, size: int) -> np.ndarray:
        """Return both, 2 x size; many threads may ask at once."""
        made = self._made
        if made.shape[1] < size:
            steps = np.empty((2, max(size, 4 * CHUNK)), np.uint64)
            steps[:, 0], steps[0, 1:], steps[1, 1:] = 1, _BASE, _BASE_INVERSE
            made = self._made = np.cumprod(steps, axis=1, dtype=np.uint64)
        return made[:, :size]


_powers = _Powers()


def _sums(letters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return running sums (n + 1) of letter x base ** place, and the inverse powers (n + 1)."""
    up, down = _powers(len(letters) + 1)
    value = (letters.astype(np.uint64) + np.uint64(1)) * _LETTER
    value ^= value >> np.uint64(29)
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(value * up[:-1], out=sums[1:])
    return sums, down


def _spans(letters: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    sums, down = _sums(letters)
    spans: np.ndarray = (sums[ends] - sums[starts]) * down[starts]
    return spans


def _short(long: np.ndarray) -> np.ndarray:
    """Mix 64-bit numbers into 32-bit ones."""
    mixed = (long ^ (long >> np.uint64(32))) * _FINAL
    short: np.ndarray = (mixed >> np.uint64(32)).astype(np.uint32)
    return short


@dataclass(frozen=True)
class Grams:
    """Which n-grams are looked at."""

    shortest: int = 1
    """Letters in the shortest n-gram of letters."""
    longest: int = 5
    """Letters in the longest; a token's edges count as a letter."""
    pairs: bool = True
    """Whether two tokens in a row are a feature of their own."""


def letter_grams(read: Tokens, chosen: np.ndarray, grams: Grams) -> tuple[np.ndarray, np.ndarray]:
    """Return the 32-bit numbers of chosen tokens' n-grams, whole token included, and their offsets (m + 1)."""
    starts, lengths = read.starts[chosen], (read.ends - read.starts)[chosen]
    sizes = lengths + 2
    edges = np.concatenate([[0], np.cumsum(sizes)])
    padded = np.full(edges[-1], _CLOSE, np.uint32)
    place = np.arange(edges[-1]) - np.repeat(edges[:-1], sizes)
    inner = (place > 0) & (place <= np.repeat(lengths, sizes))
    padded[edges[:-1]] = _OPEN
    padded[inner] = read.letters[(np.repeat(starts, sizes) + place - 1)[inner]]
    sums, down = _sums(padded)
    room = np.repeat(sizes, sizes) - place
    found, owners = [read.names[chosen] * _FIRST], [np.arange(len(chosen))]
    owner = np.repeat(np.arange(len(chosen)), sizes)
    for n in range(grams.shortest, grams.longest + 1):
        at = np.flatnonzero(inner if n == 1 else room >= n)
        found.append((sums[at + n] - sums[at]) * down[at] + np.uint64(n))
        owners.append(owner[at])
    order = np.argsort(np.concatenate(owners), kind="stable")
    numbers = _short(np.concatenate(found))[order]
    counts = np.bincount(np.concatenate(owners), minlength=len(chosen))
    return numbers, np.concatenate([[0], np.cumsum(counts)])


def pair_grams(read: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of tokens two in a row, and their offsets by text (n + 1)."""
    both = (read.names[:-1] * _FIRST) ^ (read.names[1:] * _SECOND)
    inside = np.ones(max(0, len(read.names) - 1), bool)
    last = read.offsets[1:-1] - 1
    inside[last[(last >= 0) & (last < len(inside))]] = False
    before = np.concatenate([[0], np.cumsum(inside)])
    return _short(both[inside]), before[np.minimum(read.offsets, len(inside))]


def chunks(texts: Sequence[str]) -> Iterator[tuple[list[str], list[int]]]:
    """Yield folded texts a chunk at a time with the row each belongs to; long texts come in pieces of one row."""
    held: list[str] = []
    rows: list[int] = []
    size = 0
    for row, text in enumerate(texts):
        for start in range(0, max(1, len(text)), PIECE):
            held.append(folded(text[start : start + PIECE]))
            rows.append(row)
            size += len(held[-1]) + 1
            if size >= CHUNK:
                yield held, rows
                held, rows, size = [], [], 0
    if held:
        yield held, rows


_SCRIPTS = (
    (0x41, 0x250), (0x1E00, 0x1F00),  # Latin
    (0x300, 0x370),  # marks that stand on any letter
    (0x400, 0x530),  # Cyrillic
    (0x600, 0x700), (0x750, 0x780), (0x8A0, 0x900), (0xFB50, 0xFE00), (0xFE70, 0xFF00),  # Arabic
    (0x900, 0x980),  # Devanagari
    (0x1200, 0x13A0), (0x2D80, 0x2DE0),  # Ethiopic
    (0x3400, 0xA000), (0x20000, 0x32000),  # Han
)  # fmt: skip
_FOREIGN_WEIGHT = 4
"""A kana says Japanese more loudly than a Han letter says Chinese."""


def script_share(read: Tokens) -> np.ndarray:
    """Return the share of each text's letters in Latin, Cyrillic, Arabic, Devanagari, Ethiopic or Han; n, 0..1."""
    total = np.zeros(len(read.letters) + 1, np.int64)
    known = np.zeros(len(read.letters) + 1, np.int64)
    letter = _CLASSES[np.minimum(read.letters, len(_CLASSES) - 1)] == _WORD
    letter &= ~((read.letters >= 0x21) & (read.letters < 0x41))
    for start, end in (*_MARKS, *_SIGNS):
        letter &= ~((read.letters >= start) & (read.letters < end))
    native = np.zeros(len(read.letters), bool)
    for start, end in _SCRIPTS:
        native |= (read.letters >= start) & (read.letters < end)
    np.cumsum(np.where(letter & native, 1, np.where(letter, _FOREIGN_WEIGHT, 0)), out=total[1:])
    np.cumsum(letter & native, out=known[1:])
    first = np.append(read.starts, len(read.letters))[read.offsets]
    heard = total[first[1:]] - total[first[:-1]]
    return np.where(heard > 0, (known[first[1:]] - known[first[:-1]]) / np.maximum(heard, 1), 0)
