"""Where the feeling of who writes and the feeling of who reads part: how often, on which emotion, in which words.

Takes Records that bear two Tracks of one space: the writer's (felt or expressed) and the reader's (perceived or
evoked). Knows no corpus and no model.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.space import Axis, Space
from affetto.core.track import Track

WRITER, READER = ("felt", "expressed"), ("perceived", "evoked")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GapOptions:
    """What counts as a gap, and how expressions are sought."""

    margin: float = 0.25
    """Share of an axis' range by which the two differ."""
    high: float = 2 / 3
    """Share of the range from which a feeling is strong ..."""
    low: float = 1 / 3
    """... and up to which it is weak: `hidden` is strong in the writer and weak to the reader."""
    longest: int = 3
    """Words, or where words are not set apart twice as many characters, in an expression."""
    least: int = 5
    """Texts that an expression must stand in."""
    prior: float = 1000.0
    """Weight of the prior, in expressions; its shares are those of all texts."""
    top: int = 20
    """Expressions to return."""
    seed: int = 20
    resamples: int = 1000


@dataclass(frozen=True)
class Expression:
    """Words that stand more often where there is a gap."""

    words: str
    z: float
    """Log-odds ratio over its standard error."""
    inside: int
    """Texts with a gap that have it."""
    outside: int
    """Other texts that have it."""


@dataclass(frozen=True)
class Gap:
    """How writer and reader part on one axis."""

    axis: str
    n: int
    writer: float
    """Mean of what writers say, in the axis' own unit."""
    reader: float
    pearson: float
    """Between the two; NaN where either never changes."""
    above: float
    """Share of texts in which the writer is above the reader by the margin."""
    below: float
    hidden: float
    """Share of the texts with a strong writer that are weak to the reader; NaN where no writer is strong."""
    hidden_low: float
    hidden_high: float
    """Ends of its 95 % bootstrap interval over texts."""
    expressions: tuple[Expression, ...]
    """Typical of texts in which the writer is above the reader."""


def gaps(records: Iterable[Record], space: Space, options: GapOptions | None = None) -> list[Gap]:
    """Return the gap on each axis of a space.

    Args:
        records: with a Track of the writer and one of the reader in that space, or else passed over.
        space: of kind `graded`, `any` or `one`.
        options: see `GapOptions`.

    Raises:
        MalformedError: no Record has both.
    """
    options = options or GapOptions()
    texts, writer, reader = [], [], []
    for record in records:
        said = _said(record, space.id, WRITER), _said(record, space.id, READER)
        if said[0] is not None and said[1] is not None and record.text:
            texts.append(record.text)
            writer.append(said[0])
            reader.append(said[1])
    if not texts:
        raise MalformedError(
            f"no Record has two answers in {space.id}, one of the writer ({' or '.join(WRITER)}) and one of the reader"
            f" ({' or '.join(READER)})"
        )
    found = [expressions_of(text, options.longest) for text in texts]
    often = {one for one, n in Counter(one for text in found for one in text).items() if n >= options.least}
    found = [text & often for text in found]
    pairs = zip(space.axes, np.array(writer).T, np.array(reader).T, strict=True)
    return [_gap(axis, w, r, found, options) for axis, w, r in pairs if not np.isnan(w + r).all()]


def _gap(axis: Axis, writer: Floats, reader: Floats, found: Sequence[set[str]], options: GapOptions) -> Gap:
    known = ~np.isnan(writer + reader)
    w, r = writer[known], reader[known]
    size = axis.high - axis.low
    above, below = (sign * (w - r) >= options.margin * size - 1e-6 for sign in (1, -1))
    strong = w >= axis.low + options.high * size - 1e-6
    weak = r <= axis.low + options.low * size + 1e-6
    low, high = _interval((strong & weak)[strong], options)
    mine = [expressions for expressions, yes in zip(found, known, strict=True) if yes]
    return Gap(
        axis.name,
        len(w),
        float(w.mean()),
        float(r.mean()),
        float(np.corrcoef(w, r)[0, 1]) if w.std() > 0 and r.std() > 0 else math.nan,
        float(above.mean()),
        float(below.mean()),
        float((strong & weak).sum() / strong.sum()) if strong.any() else math.nan,
        low,
        high,
        tuple(typical(mine, above, options)),
    )


def typical(texts: Sequence[set[str]], inside: npt.NDArray[np.bool_], options: GapOptions) -> list[Expression]:
    """Return the expressions typical of some texts, by log-odds with an informative Dirichlet prior.

    For an expression in a of A texts inside and b of B outside, prior p = weight times its share of all texts:
    ln((a + p) / (A + weight - a - p)) - ln((b + p) / (B + weight - b - p)), divided by sqrt(1 / (a + p) + 1 / (b + p))
    (Monroe, Colaresi and Quinn 2008, Fightin' Words, eq. 16 and 22), A and B being sums over all expressions given.

    Args:
        texts: n, the expressions of each.
        inside: n, which texts are meant.
        options: `prior` and `top`.
    """
    a = Counter(word for text, yes in zip(texts, inside, strict=True) if yes for word in text)
    b = Counter(word for text, yes in zip(texts, inside, strict=True) if not yes for word in text)
    total = a + b
    size = sum(total.values())
    if not a or not b or len(total) < 2:
        return []
    scored = []
    for word, count in total.items():
        p = options.prior * count / size
        odds = [
            math.log((found[word] + p) / (sum_ + options.prior - found[word] - p))
            for found, sum_ in ((a, a.total()), (b, b.total()))
        ]
        z = (odds[0] - odds[1]) / math.sqrt(1 / (a[word] + p) + 1 / (b[word] + p))
        scored.append(Expression(word, z, a[word], b[word]))
    scored.sort(key=lambda one: (-one.z, one.words))
    return [one for one in scored[: options.top] if one.z > 0]


def expressions_of(text: str, longest: int) -> set[str]:
    """Return the expressions of a text: runs of up to `longest` words, or of characters where words are not set apart.

    >>> sorted(expressions_of("Oh, fine.", 2))
    ['fine', 'oh', 'oh fine']
    """
    plain = text.casefold()
    if _UNSPACED.search(plain):
        runs = re.findall(r"\w+", plain)
        return {run[i : i + n] for run in runs for n in range(2, 2 * longest + 1) for i in range(len(run) - n + 1)}
    words = re.findall(r"\w+(?:['\N{RIGHT SINGLE QUOTATION MARK}]\w+)*", plain)
    return {" ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)}


_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Thai, Lao, Burmese, Khmer, kana and Han: scripts that set no spaces between words."""


def _said(record: Record, space: str, sides: Sequence[str]) -> Floats | None:
    """Return the answer of one side, averaged over its rows; several raters' common answer before single ones."""
    mine = [t for t in record.tracks if t.space.id == space and t.perspective in sides and len(t)]
    common = [t for t in mine if not t.source.startswith("rater:")]
    chosen: list[Track] = common or mine
    if not chosen:
        return None
    values = np.concatenate([track.values for track in chosen]).astype(np.float64)
    said = values[~np.isnan(values).all(1)]
    return said.mean(0) if len(said) else None


def _interval(hits: npt.NDArray[np.bool_], options: GapOptions) -> tuple[float, float]:
    if not len(hits):
        return math.nan, math.nan
    draws = np.random.default_rng(options.seed).binomial(len(hits), hits.mean(), options.resamples) / len(hits)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
