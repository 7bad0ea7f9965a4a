"""Open words become terms: the rules for grades, denials, forms and slips, and what stays unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.track import Track
from affetto.spaces import taxonomy, wheel
from affetto.spaces.wheel import normalise, open_track
from affetto.spaces.words import slips

PHRASES = [
    ("kinda hopeful but anxious", [("hope", 0.45), ("anxiety", 0.75)]),
    ("happy", [("happiness", 0.75)]),
    ("very sad and lonely", [("sadness", 0.94), ("loneliness", 0.75)]),
    ("absolutely furious", [("fury", 1.0)]),
    ("a tad annoyed", [("annoyance", 0.3)]),
    ("slightly disappointed", [("disappointment", 0.3)]),
    ("extremely proud", [("pride", 1.0)]),
    ("somewhat jealous", [("jealousy", 0.45)]),
    ("sort of guilty", [("guilt", 0.45)]),
    ("really, really grateful", [("gratitude", 0.94)]),
    ("not happy", [("unhappiness", 0.375)]),
    ("not at all worried", [("relief", 0.375)]),
    ("without hope", [("despair", 0.375)]),
    ("no longer afraid", [("fear", 0.0)]),
    ("isn't ashamed", [("pride", 0.375)]),
    ("not happy but relieved", [("unhappiness", 0.375), ("relief", 0.75)]),
    ("neither sad nor angry", [("joy", 0.375), ("anger", 0.0)]),
    ("not only excited but also proud", [("excitement", 0.75), ("pride", 0.75)]),
    ("never felt so let down", [("sadness", 0.975)]),
    ("unafraid", [("fear", 0.0)]),
    ("can't wait", [("eagerness", 0.75)]),
    ("hardly surprised", [("surprise", 0.0)]),
    ("angrily", [("anger", 0.75)]),
    ("terrified!", [("terror", 0.75)]),
    ("disgustingly", [("disgust", 0.75)]),
    ("worriedly", [("worry", 0.75)]),
    ("the saddest", [("sadness", 0.75)]),
    ("apprehensively", [("apprehension", 0.75)]),
    ("hopefully", [("hope", 0.75)]),
    ("cheerfulness", [("cheerfulness", 0.75)]),
    ("gratefull", [("gratitude", 0.75)]),
    ("anixous", [("anxiety", 0.75)]),
    ("frustated", [("frustration", 0.75)]),
    ("dissapointed", [("disappointment", 0.75)]),
    ("embarassed", [("embarrassment", 0.75)]),
    ("on cloud nine", [("elation", 0.75)]),
    ("pissed off", [("anger", 0.75)]),
    ("curious and a bit confused", [("curiosity", 0.75), ("confusion", 0.375)]),
    ("bored", [("boredom", 0.75)]),
    ("awestruck", [("amazement", 0.75)]),
    ("nostalgic", [("sentimentality", 0.75)]),
    ("schadenfreude", [("malevolence/malice", 0.75)]),
    ("heartbroken, turned away by a lover", [("rejection", 0.75)]),
    ("SAD", [("sadness", 0.75)]),
    ("great joy", [("joy", 0.94)]),
    ("feeling great", [("happiness", 0.75)]),
    ("a slight unease", [("uneasiness", 0.375)]),
    ("deep sorrow, some relief", [("sorrow", 0.975), ("relief", 0.525)]),
    ("so in love", [("love", 0.9)]),
    ("joy/fear", [("joy", 0.75), ("fear", 0.75)]),
    ("panic; relief", [("panic", 0.75), ("relief", 0.75)]),
    ("I feel like I am lonely most days", [("loneliness", 0.75)]),
]
UNKNOWN = ["qwerty", "hangry", "table", "consent", "related", "engaged", "naïve", "😢", "7", ""]


@pytest.mark.parametrize(("words", "expected"), PHRASES)
def test_phrases(words, expected):
    found = [(f.term, f.weight) for f in normalise(words) if f.term]
    assert [term for term, _ in found] == [term for term, _ in expected]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in expected], abs=0.006)


@pytest.mark.parametrize("word", UNKNOWN)
def test_the_unknown_stays_unknown(word):
    assert all(f.how == "unknown" and not f.term and f.weight == 0 for f in normalise(word))


def test_unknown_words_are_shown_where_they_stand():
    found = normalise("very glorpy and sad")
    assert [(f.word, f.term, f.how) for f in found] == [("glorpy", "", "unknown"), ("sad", "sadness", "synonym")]
    assert "very glorpy and sad"[found[0].start : found[0].end] == "glorpy"


def test_groups_are_the_roots():
    assert [f.group for f in normalise("furious, blissful, homesick, stunned by beauty")][:3] == [
        "anger",
        "joy",
        "sadness",
    ]
    assert wheel.group("plutchik-wheel", "serenity") == "joy"


def test_how_it_was_read_is_said():
    how = {
        word: normalise(word)[0].how for word in ("fear", "afraid", "fearfulness", "anixous", "not glad", "unafraid")
    }
    assert how == {
        "fear": "name", "afraid": "synonym", "fearfulness": "form", "anixous": "typo", "not glad": "opposite",
        "unafraid": "denied",
    }  # fmt: skip


def test_a_word_without_a_clear_node_is_divided():
    found = normalise("upset")
    assert len(found) > 1 and sum(f.weight for f in found) == pytest.approx(0.75)
    assert next(f.term for f in normalise("upset, angry at the nuisance")) == "annoyance"


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("anixous", "anxious", 1),
        ("hapiness", "happiness", 1),
        ("consent", "content", 2),
        ("definate", "definite", 1),
        ("a", "a", 0),
    ],
)
def test_slips(first, second, distance):
    assert slips(first, second, 2) == distance
    assert slips(second, first, 2) == distance


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_is_read(text):
    for feeling in normalise(text):
        assert 0 <= feeling.weight <= 1
        assert text[feeling.start : feeling.end] == feeling.word
        if feeling.term:
            assert feeling.term in taxonomy.space(feeling.space).names


@settings(max_examples=40)
@given(st.sampled_from(sorted(wheel._index())))
def test_every_known_word_is_found(word):
    assert any(feeling.term for feeling in normalise(word))


def test_an_open_track_keeps_texts_and_silence():
    texts = ["kinda hopeful but anxious", "nothing to see", "very anxious"]
    track = open_track(texts)
    assert track.space.kind == "open" and track.note == tuple(texts)
    assert track.column("anxiety")[[0, 2]] == pytest.approx([0.75, 0.9375])
    assert np.isnan(track.values[1]).all()
    like = Track(taxonomy.space("ekman-6"), [3, 4, 5], [4, 5, 6], np.eye(6)[:3], subject="her", source="survey")
    again = open_track(texts, like)
    assert again.subject == "her" and list(again.start) == [3, 4, 5]
    assert len(open_track([])) == 0
