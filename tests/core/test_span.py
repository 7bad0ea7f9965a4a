"""The algebra of spans, as laws."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from affetto.core.errors import MalformedError
from affetto.core.span import UNITS, Span

points = st.floats(0, 1e9, allow_nan=False)
units = st.sampled_from(UNITS)


@st.composite
def fellows(draw: st.DrawFn, count: int = 3) -> list[Span]:
    """Spans of one unit, close enough to overlap often."""
    unit = draw(units)
    ends = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted)
    return [Span(*draw(ends), unit) for _ in range(count)]


@given(fellows())
def test_sharing_commutes_associates_and_is_idempotent(spans):
    a, b, c = spans
    assert a & b == b & a
    assert a & a == (a if a.length else None)
    left, right = a & b, b & c
    assert (left & c if left else None) == (a & right if right else None)


@given(fellows(2))
def test_what_two_share_lies_in_both_and_is_the_largest_such(spans):
    a, b = spans
    both = a & b
    if both is None:
        assert min(a.end, b.end) <= max(a.start, b.start)
    else:
        assert both in a
        assert both in b
        assert both.length == min(a.end, b.end) - max(a.start, b.start) > 0


@given(fellows())
def test_lying_inside_is_an_order(spans):
    a, b, c = spans
    assert a in a
    if a in b and b in a:
        assert a == b
    if a in b and b in c:
        assert a in c
    if a in b and a.length:
        assert a & b == a


@given(fellows(2), st.integers(0, 12))
def test_a_point_lies_in_both_exactly_when_it_lies_in_what_they_share(spans, point):
    a, b = spans
    both = a & b
    assert (point in a and point in b) == (both is not None and point in both)


@given(fellows())
def test_spans_are_ordered_by_start_then_end(spans):
    a, b, c = spans
    assert (a < b) + (a == b) + (a > b) == 1
    assert sorted([a, b, c]) == sorted([c, b, a])
    assert (a <= b) == ((a.start, a.end) <= (b.start, b.end))
    if a < b < c:
        assert a < c


@given(fellows(1), fellows(1))
def test_units_never_mix(one, other):
    (a,), (b,) = one, other
    assume(a.unit != b.unit)
    for act in (lambda: a & b, lambda: a < b, lambda: a <= b, lambda: a > b, lambda: b in a):
        with pytest.raises(MalformedError, match=f"never mix.*'{a.unit}'|'{b.unit}'"):
            act()
    assert a != b


@given(points, points, units)
def test_a_span_exists_exactly_when_it_runs_forward(start, end, unit):
    if start <= end:
        span = Span(start, end, unit)
        assert span.length == end - start
        assert hash(span) == hash(Span(start, end, unit))
    else:
        with pytest.raises(MalformedError, match="0 <= start <= end"):
            Span(start, end, unit)


@pytest.mark.parametrize("bad", [-1.0, -1e-300, math.nan, math.inf, -math.inf])
def test_a_span_has_no_place_outside_the_clock(bad):
    with pytest.raises(MalformedError, match="finite 0 <= start <= end"):
        Span(bad, 5)
    if bad != -1e-300:
        with pytest.raises(MalformedError, match="finite 0 <= start <= end"):
            Span(0, bad)


@pytest.mark.parametrize("bad", ["ms", "", "S", None])
def test_an_unknown_unit_is_answered_with_the_known_ones(bad):
    with pytest.raises(MalformedError, match="s, char, turn"):
        Span(0, 1, bad)


@pytest.mark.parametrize("bad", ["1", None, [1], 1j])
def test_ends_are_numbers(bad):
    with pytest.raises(MalformedError, match="finite 0 <= start <= end"):
        Span(0, bad)


def test_a_span_cannot_be_changed():
    with pytest.raises(AttributeError):
        Span(0, 1).start = 5
