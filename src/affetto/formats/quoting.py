"""Words and numbers in the narrow places of other people's formats: a field without blanks, one label of an interval.

Knows how they are said there and taken back; knows no format.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import quote, unquote

import numpy as np

from affetto.core.errors import MalformedError
from affetto.core.track import Array, Track

NOTHING = "?"
"""What stands where nothing was said."""


def quoted(text: str, also: str = "") -> str:
    """Return a text without blanks, control characters and those of `also`: these stand as %20 and the like.

    >>> quoted("my clip|one", "|")
    'my%20clip%7Cone'
    """
    bad = {c for c in text if c in also or c in "%\x7f" or c < " " or c.isspace()}
    return "".join(quote(c, safe="") if c in bad else c for c in text)


def unquoted(text: str) -> str:
    """Return the text that `quoted` was given."""
    return unquote(text)


def said(track: Track, row: int) -> str:
    """Return a row as words: `name=value` of each axis that was said, `@confidence`, and after a # the note.

    >>> from affetto.core.space import Axis, Space
    >>> mood = Space("mood-2", "any", (Axis("not good"), Axis("bad")))
    >>> said(Track(mood, [0], [4], [[0.75, float("nan")]], confidence=[0.5], note=["aha"]), 0)
    'not%20good=0.75 @0.5 # aha'
    """
    names = zip(track.space.names, track.values[row], strict=True)
    words = [f"{quoted(name, '=#@')}={value!s}" for name, value in names if not np.isnan(value)] or [NOTHING]
    if track.confidence is not None and not np.isnan(track.confidence[row]):
        words.append(f"@{track.confidence[row]!s}")
    if track.note is not None and track.note[row]:
        words.append(f"# {track.note[row]}")
    return " ".join(words)


def heard(text: str) -> tuple[dict[str, float], float, str]:
    """Return what `said` says: value by name, confidence (NaN where there is none), and the note.

    Raises:
        MalformedError: it is not said so.
    """
    head, mark, note = text.partition("# ")
    values: dict[str, float] = {}
    confidence = np.nan
    for word in head.split():
        name, between, number = word.rpartition("=")
        try:
            if between:
                values[unquoted(name)] = float(number)
            elif word.startswith("@"):
                confidence = float(word[1:])
            elif word != NOTHING:
                raise ValueError
        except ValueError:
            raise MalformedError(f"{word[:60]!r} is not said as name=value, @confidence or {NOTHING}") from None
    return values, confidence, note if mark else ""


def one_hot(labels: Iterable[str], names: Sequence[str]) -> Array:
    """Return a row for each label: 1 in its column, 0 elsewhere, all NaN where the label is empty.

    Raises:
        MalformedError: the names lack a label; names those there are.
    """
    place = {name: i for i, name in enumerate(names)}
    rows = list(labels)
    values = np.zeros((len(rows), len(names)), np.float32)
    for row, label in enumerate(rows):
        if label and label not in place:
            raise MalformedError(f"the label {label[:60]!r} is none of {', '.join(names)[:300]}")
        if label:
            values[row, place[label]] = 1
        else:
            values[row] = np.nan
    return values


def layers(spans: Iterable[tuple[float, float]]) -> list[int]:
    """Return for each span, in order of start, the first layer in which it overlaps none before it.

    A point overlaps what ends there.

    >>> layers([(0, 2), (1, 3), (2, 4)])
    [0, 1, 0]
    """
    ends: list[float] = []
    chosen = []
    for start, end in spans:
        free = (i for i, last in enumerate(ends) if last < start or (last == start < end))
        layer = next(free, len(ends))
        ends[layer : layer + 1] = [end]
        chosen.append(layer)
    return chosen
