"""A Space, an Axis: what they refuse, and what they find."""

import math

import pytest
from hypothesis import given

from affetto.core.errors import AffettoError, MalformedError, UnknownNameError
from affetto.core.space import KINDS, Axis, Relation, Space, open_space, vector_space
from tests.strategies import spaces

GOOD, BAD = Axis("good"), Axis("bad")


@given(spaces())
def test_every_axis_is_found_by_its_name(space):
    for i, name in enumerate(space.names):
        assert space.index(name) == i
        assert space[name] is space.axes[i]
    assert space.children("") == space.names


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: Axis(""), "wants a name"),
        (lambda: Axis(None), "wants a name"),
        (lambda: Axis("x", polarity=2), "-1, 0, 1 or None"),
        (lambda: Axis("x", vad=(0, 0)), "three numbers in -1..1"),
        (lambda: Axis("x", vad=(0, 0, 1.5)), "three numbers in -1..1"),
        (lambda: Axis("x", vad=(0, 0, math.nan)), "three numbers in -1..1"),
        (lambda: Axis("x", low=1, high=1), "low < high"),
        (lambda: Axis("x", low=math.nan), "low < high"),
        (lambda: Axis("x", high=math.inf), "finite low < high"),
        (lambda: Space("mood", "many", (GOOD,)), ", ".join(KINDS)),
        (lambda: Space("mood", "one", (GOOD, BAD, GOOD)), "each name once; twice: good"),
        (lambda: Space("mood", "one", ("good", "bad")), "each an Axis"),
        (lambda: Space("mood", "one", (Axis("good", parent="joy"),)), "names it does not have: joy"),
        (lambda: Space("mood", "one", (Axis("good", opposite="evil"),)), "names it does not have: evil"),
        (lambda: Space("mood", "any", (GOOD,), (Relation("good", "leads_to", ("x", "y")),)), "does not have: x, y"),
    ],
)
def test_a_malformed_space_names_what_it_wanted(make, wanted):
    with pytest.raises(MalformedError, match=wanted):
        make()


def test_an_unknown_axis_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"did you mean good.*known: bad, good") as error:
        Space("mood", "one", (GOOD, BAD)).index("goood")
    assert isinstance(error.value, LookupError | AffettoError)
    assert error.value.name == "goood"


def test_a_tree_is_walked_from_the_roots():
    space = Space("tree", "any", (Axis("joy"), Axis("glee", parent="joy"), Axis("fear")))
    assert space.children("") == ("joy", "fear")
    assert space.children("joy") == ("glee",)
    assert space.children("fear") == ()


def test_axes_may_come_as_a_list():
    assert Space("mood", "one", [GOOD, BAD]) == Space("mood", "one", (GOOD, BAD))


def test_open_and_vector_spaces_are_made_on_the_way():
    assert open_space(("kinda hopeful", "anxious")).names == ("kinda hopeful", "anxious")
    assert open_space(()).axes == ()
    assert vector_space(3).names == ("0", "1", "2")
