"""The laws of a Track, for every kind of space; slicing, joining, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from affetto.core.errors import AffettoError, MalformedError
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import SLACK, Track, join
from tests.strategies import spaces, spans, tracks

NAN = math.nan
MOOD = Space("mood-2", "one", (Axis("good"), Axis("bad")))
TAGS = Space("tags-2", "any", (Axis("warm"), Axis("loud")))
HEAT = Space("heat", "graded", (Axis("heat", low=-1, high=1),))
COLUMNS = ("start", "end", "values", "confidence", "box")


def track(space=MOOD, values=((0.25, 0.75),), **columns):
    n = len(values)
    return Track(space, columns.pop("start", range(n)), columns.pop("end", range(1, n + 1)), values, **columns)


@given(tracks())
def test_columns_have_one_length_their_types_and_cannot_be_changed(one):
    n = len(one)
    assert one.start.dtype == one.end.dtype == np.float64
    assert one.start.shape == one.end.shape == (n,)
    assert one.values.dtype == np.float32
    assert one.values.shape == (n, len(one.space.axes))
    assert one.spans == tuple(Span(a, b, one.unit) for a, b in zip(one.start, one.end, strict=True))
    for name in COLUMNS:
        column = getattr(one, name)
        if column is not None:
            assert len(column) == n
            with pytest.raises(ValueError, match="read-only"):
                column[...] = 0


@given(tracks())
def test_every_row_keeps_the_law_of_its_space(one):
    said, kind = one.values, one.space.kind
    assert not np.isinf(said).any()
    if kind in ("one", "any", "open"):
        assert np.nanmin(said, initial=0) >= 0
        assert np.nanmax(said, initial=1) <= 1 + 1e-6
    if kind == "one":
        silent = np.isnan(said).all(1)
        assert np.array_equal(silent, np.isnan(said).any(1))
        assert np.abs(said[~silent].sum(1) - 1).max(initial=0) <= SLACK
    if kind == "graded":
        for i, axis in enumerate(one.space.axes):
            column = said[:, i]
            assert np.nanmin(column, initial=axis.high) >= axis.low - 1e-6
            assert np.nanmax(column, initial=axis.low) <= axis.high + 1e-6


@given(tracks())
def test_a_track_equals_a_copy_of_itself_with_nan_equal_to_nan(one):
    copy = Track(**{name: getattr(one, name) for name in one.__dataclass_fields__})
    assert one == copy
    assert one != copy.called(one.subject + "x")
    assert one != "a track"


@given(tracks(), st.data())
def test_slices_indices_and_masks_give_the_same_rows(one, data):
    n = len(one)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
    chosen = one[mask]
    assert chosen == one[np.flatnonzero(mask)] == one[np.flatnonzero(mask).tolist()]
    assert len(chosen) == mask.sum()
    assert one[:] == one
    start, stop = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))
    assert one[start:stop] == one[list(range(start, stop))]
    assert one[::-1][::-1] == one
    for i, row in enumerate(np.flatnonzero(mask)):
        assert chosen.spans[i] == one.spans[row]
        assert np.array_equal(chosen.values[i], one.values[row], equal_nan=True)
        for name in ("about", "note"):
            if getattr(one, name) is not None:
                assert getattr(chosen, name)[i] == getattr(one, name)[row]


@pytest.mark.parametrize("rows", [0, -1, np.int64(1), [[0, 1]]])
def test_a_track_gives_no_single_row(rows):
    with pytest.raises(MalformedError, match="slice, a list of indices or a mask"):
        track(values=[(0.5, 0.5)] * 3)[rows]


def test_no_row_at_all_may_be_asked_for():
    assert len(track()[[]]) == len(track()[()]) == len(track()[np.array([], int)]) == 0


@given(spaces(), st.data())
def test_joined_rows_are_all_there_and_in_order_of_time(space, data):
    first = data.draw(tracks(space))
    others = [_fellow(first, data.draw(tracks(space))) for _ in range(2)]
    whole = join([first, *others])
    assert len(whole) == sum(map(len, (first, *others)))
    assert list(whole.spans) == sorted(whole.spans)
    for name in ("confidence", "box", "about", "note"):
        assert (getattr(whole, name) is None) == all(getattr(p, name) is None for p in (first, *others))
    counted = np.concatenate([p.values for p in (first, *others)])
    assert np.array_equal(np.isnan(whole.values).sum(0), np.isnan(counted).sum(0))
    assert join([whole]) == whole
    assert join([join([first, others[0]]), others[1]]) == join([first, join(others)]) == whole


def _fellow(first, other):
    """Return `other` as of the same subject, source and channel as `first`."""
    same = {name: getattr(first, name) for name in ("space", "unit", "subject", "perspective", "channel", "source")}
    columns = ("start", "end", "values", "confidence", "box", "about", "note")
    return Track(**same, **{name: getattr(other, name) for name in columns})


@given(tracks(), tracks())
def test_tracks_that_differ_in_more_than_rows_do_not_join(one, other):
    assume(one.space != other.space)
    with pytest.raises(MalformedError, match="share their space"):
        join([one, other])
    with pytest.raises(MalformedError, match=r"share their subject.*writer"):
        join([one.called("reader"), one.called("writer")])


def test_join_wants_something_to_join():
    with pytest.raises(MalformedError, match="at least one Track"):
        join([])


def test_what_one_part_lacks_is_not_said_in_the_whole():
    whole = join([track(start=[2], end=[3]), track(confidence=[0.5], note=["so"], about=[Span(0, 1)])])
    assert whole.note == ("so", "")
    assert whole.about == (Span(0, 1), None)
    assert whole.confidence.tolist()[0] == 0.5
    assert np.isnan(whole.confidence[1])


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: track(values=[(0.5, 0.6)]), "row 0.*sum to 1"),
        (lambda: track(values=[(0.5, 0.5), (NAN, 1.0)]), "row 1.*sum to 1, or all NaN"),
        (lambda: track(values=[(-0.5, 1.5)]), "probabilities in 0..1"),
        (lambda: track(values=[(1.0,)]), r"shape \(1, 2\).*not \(1, 1\)"),
        (lambda: track(values=[[0.5, 0.5], [1.0]]), r"values wants numbers of shape \(2, 2\)"),
        (lambda: track(values=[("much", "little")]), r"values wants numbers of shape \(1, 2\)"),
        (lambda: track(values=[(10**400, 0)]), "values wants numbers|probabilities"),
        (lambda: track(TAGS, [(0.5, 1.1)]), "probabilities in 0..1"),
        (lambda: track(TAGS, [(0.5, math.inf)]), "finite or NaN"),
        (lambda: track(HEAT, [(1.5,)]), "within each axis' low..high"),
        (lambda: track(HEAT, [(math.inf,)]), "finite or NaN"),
        (lambda: track(start=[0, 1]), r"shape \(2,\)|shape \(1,\)"),
        (lambda: track(start=["a"]), "start wants numbers"),
        (lambda: track(start=[10**400]), "start wants numbers"),
        (lambda: track(start=[2], end=[1]), "row 0.*0 <= start <= end, not 2.0 and 1.0"),
        (lambda: track(start=[-1]), "0 <= start <= end"),
        (lambda: track(end=[NAN]), "0 <= start <= end"),
        (lambda: track(end=[math.inf]), "finite 0 <= start <= end"),
        (lambda: track(confidence=[1.5]), "confidence lies in 0..1"),
        (lambda: track(confidence=[math.inf]), "confidence lies in 0..1"),
        (lambda: track(confidence=[0.5, 0.5]), r"confidence wants shape \(1,\)"),
        (lambda: track(box=[[0, 0, 1]]), r"box wants shape \(1, 4\)"),
        (lambda: track(note=["a", "b"]), "note wants 1 entries"),
        (lambda: track(values=[(0.5, 0.5)] * 2, note="ab"), "note wants 2 entries, one a row, each a str"),
        (lambda: track(note=[None]), "each a str"),
        (lambda: track(about=[(0, 1)]), "each a Span or None"),
        (lambda: track(about=5), "each a Span or None"),
        (lambda: track(unit="ms"), "unit is one of s, char, turn"),
        (lambda: track(perspective="hidden"), "perspective is one of expressed, felt, perceived, evoked"),
        (lambda: track(channel="smell"), "channel is one of text, voice"),
    ],
)
def test_a_malformed_track_names_the_shape_it_wanted(make, wanted):
    with pytest.raises(MalformedError, match=wanted):
        make()


@given(tracks(), st.floats(), st.sampled_from(COLUMNS))
def test_one_wrong_number_is_refused_or_legal_but_never_another_error(one, number, name):
    assume(len(one) and getattr(one, name) is not None and getattr(one, name).size)
    columns = {key: getattr(one, key) for key in one.__dataclass_fields__}
    columns[name] = np.array(columns[name], np.float64)
    columns[name].flat[0] = number
    try:
        same = Track(**columns)
    except AffettoError as error:
        assert "wants" in str(error) or ".." in str(error) or "finite" in str(error)
    else:
        assert len(same) == len(one)


@given(spans("char"), st.sampled_from(["writer", "reader"]))
def test_a_call_by_another_name_shares_the_columns(span, subject):
    one = track(start=[span.start], end=[span.end], unit="char")
    other = one.called(subject, "turn")
    assert (other.subject, other.unit) == (subject, "turn")
    assert other.values is one.values or np.shares_memory(other.values, one.values)
    with pytest.raises(MalformedError, match="unit is one of"):
        one.called("writer", "ms")


def test_the_highest_axis_is_named_and_silence_is_none():
    one = track(values=[(0.25, 0.75), (NAN, NAN)])
    assert one.top(0).name == "bad"
    assert one.top(1) is None
    assert one.column("good").tolist()[0] == 0.25
    assert track(TAGS, [(NAN, 0.1)]).top().name == "loud"


def test_a_track_may_have_no_rows():
    for empty in (track(values=[], start=[], end=[]), Track(MOOD, [], [], np.zeros((0, 2)))):
        assert len(empty) == 0
        assert empty.spans == ()
