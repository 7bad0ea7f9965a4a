"""Whatever may exist: spans, spaces, tracks and records for property tests."""

import numpy as np
from hypothesis import strategies as st

from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.space import KINDS, Axis, Space
from affetto.core.span import UNITS, Span
from affetto.core.track import Track

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Any text a file can hold, with line ends, quotes and null bytes."""
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.one_of(st.sampled_from(["joy", "sadness", "anger", "valence", "not at all", "x.top", "<&>"]), words)
places = st.floats(0, 1e6, allow_nan=False, allow_infinity=False)
shares = st.floats(0, 1, width=32)
perspectives = st.sampled_from(["expressed", "felt", "perceived", "evoked"])
channels = st.sampled_from(["text", "voice", "face", "body", "scene", "music", "physiology", "fused"])


@st.composite
def spans(draw, unit=None):
    """Spans in one unit, or in any."""
    start, end = sorted((draw(places), draw(places)))
    return Span(start, end, unit or draw(st.sampled_from(UNITS)))


@st.composite
def spaces(draw, kinds=KINDS, min_axes=0):
    """Spaces of these kinds, also such as nobody would think of."""
    kind = draw(st.sampled_from(kinds))
    if kind == "vector":
        return Space(draw(words), kind, tuple(Axis(str(i)) for i in range(draw(st.integers(min_axes, 4)))))
    axes = []
    for name in draw(st.lists(names, min_size=min_axes, max_size=5, unique=True)):
        if kind == "graded":
            low = draw(st.sampled_from([-1.0, 0.0, 1.0, -3.5]))
            axes.append(Axis(name, low=low, high=low + draw(st.sampled_from([1.0, 2.0, 9.0])), unit=draw(texts)))
        else:
            axes.append(Axis(name))
    return Space(draw(words), kind, tuple(axes))


def rows(space):
    """Rows of values that the space allows."""
    k = len(space.axes)
    if space.kind == "one":
        return st.one_of(st.just([np.nan] * k), st.lists(st.integers(1, 9), min_size=k, max_size=k).map(_simplex))
    if space.kind == "graded":
        cells = [st.one_of(st.just(np.nan), st.floats(a.low, a.high, width=32)) for a in space.axes]
        return st.tuples(*cells).map(list)
    cell = st.floats(-100, 100, width=32) if space.kind == "vector" else shares
    return st.lists(st.one_of(st.just(np.nan), cell), min_size=k, max_size=k)


def _simplex(weights):
    return [w / sum(weights) for w in weights]


@st.composite
def tracks(draw, space=None, kinds=KINDS, min_axes=0, max_rows=4):
    """Tracks in one space, or in any space of these kinds."""
    space = space or draw(spaces(kinds, min_axes))
    n = draw(st.integers(0, max_rows)) if space.kind != "one" or space.axes else 0
    unit = draw(st.sampled_from(UNITS))
    bounds = [sorted((draw(places), draw(places))) for _ in range(n)]

    def column(cells):
        return draw(st.one_of(st.none(), st.lists(cells, min_size=n, max_size=n)))

    about = column(st.one_of(st.none(), spans()))
    note = column(texts)
    return Track(
        space,
        [start for start, _ in bounds],
        [end for _, end in bounds],
        np.array([draw(rows(space)) for _ in range(n)], np.float32).reshape(n, len(space.axes)),
        unit,
        subject=draw(texts),
        perspective=draw(perspectives),
        channel=draw(channels),
        source=draw(texts),
        confidence=column(st.one_of(st.just(np.nan), shares)),
        box=column(st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4)),
        about=None if about is None else tuple(about),
        note=None if note is None else tuple(note),
    )


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), texts
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
"""What JSON can say."""


@st.composite
def records(draw):
    said = draw(st.lists(st.tuples(words, st.one_of(st.none(), spans("s")), texts), max_size=3))
    return Record(
        id=draw(texts),
        signals=tuple(Text(t, draw(st.sampled_from(["", "en"]))) for t in draw(st.lists(texts, max_size=1))),
        turns=tuple(Turn(*turn) for turn in said),
        people=draw(st.dictionaries(words, st.dictionaries(words, json_values, max_size=2), max_size=2)),
        tracks=tuple(draw(st.lists(tracks(), max_size=3))),
        meta=draw(st.dictionaries(words, json_values, max_size=3)),
    )
