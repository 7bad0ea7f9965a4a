"""Which texts, and which images, are nearly the same: MinHash over characters, a perceptual hash over cosines.

Knows texts and grey values; knows no tables, no parts and no labels. Nothing here is random: the same input gives the
same pairs on every machine.
"""

import itertools
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, MissingExtraError

Array = npt.NDArray[Any]
Pairs = list[tuple[int, int]]
SHINGLE = 5
"""Characters of a shingle."""
JACCARD = 0.8
"""Shared over all shingles of two texts that are near."""
HAMMING = 4
"""Bits of 64 in which the hashes of two images that are near may differ."""
BLANK = 2.0
"""Standard deviation in grey levels under which an image shows nothing."""
_BANDS, _ROWS = 21, 6
"""126 permutations: a pair at Jaccard .8 agrees in some band with probability 1 - (1 - .8^6)^21 = .998."""
_DOUBT = 0.12
"""How far under JACCARD an estimate is still verified: 3.4 standard errors of 126 permutations."""
_WINDOW = 8
"""With how many texts of a crowded bucket each is compared, per band."""
_CROWD = 4096
"""The same for images, where comparing is cheap."""
_BLOCK = 1 << 16
"""Shingles hashed at a time: they stay in the processor's cache."""
_SIDE = 32
"""An image is averaged to 32 x 32 before its cosines are taken."""
_PEACE = re.compile(r"\s+")


class _Signs(dict[int, str]):
    """Punctuation and control characters to a space, all else to itself."""

    def __missing__(self, code: int) -> str:
        self[code] = " " if unicodedata.category(chr(code))[0] in "PC" else chr(code)
        return self[code]


_SIGNS = _Signs()


def plain(text: str) -> str:
    r"""Return a text without what tells copies apart: case, width, punctuation, spacing. Emoji stay.

    >>> plain("  Well... THANK\tyou!")
    'well thank you'
    """
    bare = unicodedata.normalize("NFKC", text).casefold().translate(_SIGNS)
    return _PEACE.sub(" ", bare).strip()


def jaccard(one: str, other: str) -> float:
    """Return the share of common shingles (5 characters) of two plain texts, 0..1.

    >>> jaccard("thank you so much", "thank you so much dear")
    0.7222222222222222
    """
    a, b = _shingles(one), _shingles(other)
    return len(a & b) / len(a | b)


@lru_cache(1 << 14)
def _shingles(text: str) -> frozenset[str]:
    padded = text.ljust(SHINGLE)
    return frozenset(padded[i : i + SHINGLE] for i in range(len(padded) - SHINGLE + 1))


def near_texts(texts: Sequence[str], kinds: Array | None = None) -> Pairs:
    """Return the pairs (i < j) of plain texts whose shingles overlap by `JACCARD` or more, verified one by one.

    Candidates come from MinHash in bands (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
    ch. 3). Of texts that crowd one bucket by the dozen, each is compared with some only.

    Args:
        texts: distinct, as `plain` gives them; empty ones are near to nothing.
        kinds: n integers: two texts of one kind are passed over, unless the kind is -1.
    """
    spoken = np.array([i for i, text in enumerate(texts) if text], np.int64)
    if len(spoken) < 2:
        return []
    signatures = _signatures([texts[i] for i in spoken])
    kind = np.full(len(spoken), -1) if kinds is None else np.asarray(kinds)[spoken]
    found = [np.zeros((2, 0), np.int64)]
    for band in range(_BANDS):
        key = np.zeros(len(spoken), np.uint64)
        for row in signatures[band * _ROWS : (band + 1) * _ROWS]:
            key = _mixed(key ^ row)
        for i, j in _neighbours(key, _WINDOW, band):
            apart = (kind[i] != kind[j]) | (kind[i] == -1)
            pair = np.stack([i[apart], j[apart]])
            agree = (signatures[:, pair[0]] == signatures[:, pair[1]]).mean(0)
            found.append(pair[:, agree >= JACCARD - _DOUBT])
    pairs = sorted({(int(spoken[min(i, j)]), int(spoken[max(i, j)])) for i, j in np.concatenate(found, 1).T.tolist()})
    return [(i, j) for i, j in pairs if jaccard(texts[i], texts[j]) >= JACCARD]


def _mixed(values: Array) -> Array:
    """Return 64-bit words thoroughly mixed, one to one (splitmix64's finaliser: Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        words = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _signatures(texts: Sequence[str]) -> Array:
    """Return the smallest hash of each text's shingles under 126 permutations: 126 x n, uint32."""
    padded = [text.ljust(SHINGLE) for text in texts]
    sizes = np.array([len(text) for text in padded]) - SHINGLE + 1
    ends = np.cumsum(sizes)
    factors, offsets = _mixed(np.arange(_BANDS * _ROWS)) | np.uint64(1), _mixed(np.arange(1000, 1000 + _BANDS * _ROWS))
    signatures = np.empty((len(factors), len(texts)), np.uint32)
    first = 0
    while first < len(texts):
        done = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _BLOCK, "right")))
        hashes, starts = _hashes("".join(padded[first:last]), sizes[first:last])
        for p, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
            permuted = ((hashes * factor + offset) >> np.uint64(32)).astype(np.uint32)
            signatures[p, first:last] = np.minimum.reduceat(permuted, starts)
        first = last
    return signatures


def _hashes(joined: str, sizes: Array) -> tuple[Array, Array]:
    """Return a 64-bit hash of each shingle of joined texts, and where each text's begin."""
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    within = np.repeat((SHINGLE - 1) * np.arange(len(sizes)), sizes) + np.arange(sizes.sum())
    words = np.zeros(len(within), np.uint64)
    for k in range(SHINGLE):
        words = _mixed(words ^ codes[within + k])
    return words, starts


def _neighbours(keys: Array, window: int, seed: int = 0) -> Iterator[tuple[Array, Array]]:
    """Yield index pairs of equal keys, each pair once; in a crowd, of each with the `window` next in a mixed order."""
    mixed = np.argsort(_mixed(np.arange(len(keys)) + (seed << 40)))
    order = mixed[np.argsort(keys[mixed], kind="stable")]
    ranked = keys[order]
    for step in range(1, min(window, len(keys) - 1) + 1):
        same = np.flatnonzero(ranked[step:] == ranked[:-step])
        if not len(same):
            return
        yield order[same], order[same + step]


def image_hashes(images: Sequence[Array] | Array) -> Array:
    """Return a 64-bit perceptual hash of each image, uint64; 0 for a blank one, which is like nothing.

    The image is averaged to 32 x 32; of its cosine transform the 8 x 8 lowest frequencies above 0 in both directions
    give a bit each: above their median or not (the "DCT based hash" of Zauner 2010, here with area averages). An image
    that varies along its height or its width only, as stripes do, has none of these and is taken for blank.

    Args:
        images: each height x width, or height x width x 3, in 0..255; a stack of one shape is fastest.

    Raises:
        MalformedError: an image has another shape or holds what is no finite number.

    >>> hill = np.outer(np.arange(48.0), np.arange(48.0) ** 2 / 450)
    >>> bool(image_hashes([hill])[0] == image_hashes([hill * 0.9 + 9])[0])
    True
    """
    if isinstance(images, np.ndarray) and images.ndim == 3:
        blocks = [_hashed(images[i : i + 1024]) for i in range(0, len(images), 1024)]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.uint64)
    return np.array([_hashed(_grey(np.asarray(image))[None])[0] for image in images], np.uint64)


def _grey(image: Array) -> Array:
    if image.ndim == 3 and image.shape[2] == 3:
        return np.asarray(image @ np.array([0.299, 0.587, 0.114]))
    return image


def _hashed(stack: Array) -> Array:
    if stack.ndim != 3 or 0 in stack.shape or stack.dtype.kind not in "uifb":
        raise MalformedError(f"an image is height x width (x 3) numbers in 0..255, not {stack.dtype} {stack.shape[1:]}")
    grey = stack.astype(np.float64)
    if not np.isfinite(grey).all():
        raise MalformedError("an image to hash holds NaN or infinite values; fill them first")
    low = _cosines(stack.shape[1]) @ grey @ _cosines(stack.shape[2]).T
    low = np.round(low.reshape(len(grey), 64), 6)
    bits = low > np.median(low, 1, keepdims=True)
    hashes = np.packbits(bits, 1).view(">u8").ravel().astype(np.uint64)
    return np.where(grey.std((1, 2)) < BLANK, np.uint64(0), hashes)


@lru_cache(256)
def _cosines(length: int) -> Array:
    """Return 8 x length: areas averaged to 32, then the cosines of frequency 1 to 8 (DCT-II)."""
    edges = np.linspace(0, length, _SIDE + 1)
    pixels = np.arange(length)
    share = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    area = np.clip(share, 0, None) * _SIDE / length
    waves = np.cos(np.pi * np.outer(np.arange(1, 9), np.arange(_SIDE) + 0.5) / _SIDE)
    return np.asarray(waves @ area)


def near_hashes(hashes: Array, kinds: Array | None = None) -> Pairs:
    """Return the pairs (i < j) of distinct image hashes that differ in `HAMMING` bits or fewer.

    Two such agree in at least one of five bands, so that all are found, save in a bucket of thousands.

    Args:
        hashes: n, uint64, distinct; 0 is near to nothing.
        kinds: n integers: two images of one kind are passed over, unless the kind is -1.
    """
    seen = np.flatnonzero(hashes)
    words = np.asarray(hashes, np.uint64)[seen]
    kind = np.full(len(seen), -1) if kinds is None else np.asarray(kinds)[seen]
    found: set[tuple[int, int]] = set()
    for low, high in itertools.pairwise(np.linspace(0, 64, HAMMING + 2).astype(int).tolist()):
        key = (words >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        for i, j in _neighbours(key, _CROWD):
            near = (_ones(words[i] ^ words[j]) <= HAMMING) & ((kind[i] != kind[j]) | (kind[i] == -1))
            found.update(zip(seen[i[near]].tolist(), seen[j[near]].tolist(), strict=True))
    return sorted({(min(pair), max(pair)) for pair in found})


_COUNTS = np.array([bin(word).count("1") for word in range(1 << 16)], np.uint8)


def _ones(words: Array) -> Array:
    counts: Array = _COUNTS[np.ascontiguousarray(words).view(np.uint16)].reshape(-1, 4).sum(1)
    return counts


def read_grey(path: Path) -> Array | None:
    """Return the grey values of an image file, height x width, uint8; None where it is no image inside.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - an extra, loaded where it is needed
    except ImportError:
        raise MissingExtraError("looking into images", "images") from None
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("error")  # an image large enough to warn about is not opened
            image.draft("L", (256, 256))
            return np.asarray(image.convert("L"))
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None
