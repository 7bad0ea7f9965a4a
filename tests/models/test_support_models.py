"""Models of supporting talk: strategies, skills, empathy with its reasons, concern, relief; and what they stand on."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.track import Track
from affetto.models.dialogue import context, empathy, grams, heads, relief, strategy

IDS = ("dialogue.strategy", "dialogue.skills", "dialogue.empathy", "dialogue.concern", "dialogue.relief")
TALK = (
    ("seeker", "hi. I lost my job last week and I feel terrible, I can't sleep at all"),
    ("supporter", "I am so sorry to hear that. That must be really hard for you."),
    ("seeker", "yes, I am scared that I can't pay the rent"),
    ("supporter", "What happened with your job?"),
    ("supporter", "Maybe you could talk to your landlord and ask for more time?"),
    ("seeker", "thank you so much, that is a good idea and I feel much better now"),
    ("supporter", "You are welcome, bye!"),
)


def talk(lines: tuple = TALK, people: dict | None = None) -> Record:
    return Record("t", turns=tuple(Turn(who, None, text) for who, text in lines), people=people or {})


def only(id: str, record: Record, space: str = "") -> Track:
    (tracks,) = catalog.load(id)([record])
    (track,) = [one for one in tracks if space in ("", one.space.id)]
    return track


def top(track: Track) -> list[str]:
    return [track.space.names[k] for k in track.values.argmax(1)]


@pytest.mark.parametrize("id", IDS)
def test_weights_are_small(id: str) -> None:
    card = catalog.find(id)
    assert (Path(card.path).parent / "weights" / str(card.facts["weights"])).stat().st_size <= 150_000


def test_clear_turns_get_their_strategy() -> None:
    track = only("dialogue.strategy", talk())
    assert track.subject == "supporter" and track.start.tolist() == [1, 3, 4, 6]
    assert top(track)[1:] == ["question", "providing suggestions", "others"]
    np.testing.assert_allclose(track.values.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(track.confidence, track.values.max(1))


def test_what_comes_later_changes_nothing() -> None:
    long, short = (only("dialogue.strategy", talk(lines)) for lines in (TALK, TALK[:5]))
    np.testing.assert_allclose(long.values[:3], short.values, atol=0.1)


def test_the_talk_before_a_turn_counts() -> None:
    alone, within = (only("dialogue.strategy", talk(lines)) for lines in (TALK[6:], TALK))
    assert np.abs(alone.values[0] - within.values[-1]).max() > 0.01


def test_skills_ask_each_side_its_own_question() -> None:
    lines = (
        ("T", "How many drinks do you have on a typical day?"),
        ("C", "I really want to stop drinking, I know I have to for my kids"),
        ("T", "So you feel that your children need you to be sober."),
        ("C", "I don't want to quit, I like it and I am not going to"),
    )
    (tracks,) = catalog.load("dialogue.skills")([talk(lines, {"T": {"role": "therapist"}, "C": {"role": "client"}})])
    therapist, client = tracks
    assert (therapist.space.id, therapist.subject, therapist.start.tolist()) == ("therapist-4", "T", [0, 2])
    assert (client.space.id, client.subject, client.start.tolist()) == ("client-talk-3", "C", [1, 3])
    assert top(therapist) == ["question", "reflection"]
    change, sustain = client.values[:, client.space.index("change")], client.values[:, client.space.index("sustain")]
    assert change[0] > change[1] and sustain[1] > sustain[0]
    (both,) = catalog.load("dialogue.skills")([talk(lines)])
    assert len(both) == 4


def test_empathy_names_its_words() -> None:
    track = only("dialogue.empathy", talk())
    assert track.start.tolist() == [1, 3, 4, 6] and track.subject == "supporter"
    reacting, exploring = track.space.index("emotional reactions"), track.space.index("explorations")
    assert track.values[0, reacting] > 0.8 > track.values[1, reacting]
    assert track.values[1, exploring] > 1 > track.values[0, exploring]
    assert track.note is not None
    assert "emotional reactions: I am so sorry to hear that." in track.note[0]
    assert "explorations: What happened with your job?" in track.note[1]


def test_reasons_are_words_of_the_turn() -> None:
    record, model = talk(), catalog.load("dialogue.empathy")
    track = only("dialogue.empathy", record)
    (why,) = model.explain(record, track, "emotional reactions", 0)
    text = record.turns[1].text
    assert why.space.id == "importance" and why.unit == "char"
    assert why.note == tuple(text[int(a) : int(b)] for a, b in zip(why.start, why.end, strict=True))
    said = dict(zip(why.note, why.values[:, 0], strict=True))
    assert said["sorry"] > 0.3
    assert {span.start for span in why.about or ()} == {1}
    silent = Record("s", turns=(Turn("a", None, "hi"), Turn("b", None, "")))
    (none,) = model([silent])
    assert model.explain(silent, none[0]) == ()


def test_nobody_answers_himself() -> None:
    record = talk((("a", "I am sad."), ("a", "So sad."), ("b", "I am so sorry."), ("a", "Thank you.")))
    assert empathy.answering(record) == [2, 3]
    assert empathy.answering(talk()) == [1, 3, 4, 6]
    assert catalog.load("dialogue.empathy")([talk(TALK[:1])]) == [()]


def test_concern_hears_who_suffers_with_others() -> None:
    texts = (
        "My heart breaks for these poor children and their families. I feel so bad for them, I cried when I read it.",
        "I don't really care about this article, it was boring and people make a big deal out of nothing.",
    )
    answers = catalog.load("dialogue.concern")([Record(str(k), (Text(text),)) for k, text in enumerate(texts)])
    warm, cold = (tracks[0] for tracks in answers)
    assert warm.perspective == "felt" and warm.subject == "writer"
    assert (warm.values > cold.values + 0.5).all()
    assert ((warm.values >= 1) & (warm.values <= 7)).all()


def test_relief_has_two_rows_of_the_seeker() -> None:
    track = only("dialogue.relief", talk())
    assert (track.start.tolist(), track.end.tolist(), track.subject) == ([0, 5], [1, 6], "seeker")
    assert track.note == ("before", "after") and track.perspective == "felt"
    assert track.values[0, 0] > track.values[1, 0]
    assert np.isnan(only("dialogue.relief", talk((("a", ""), ("b", "Hello")))).values).all()


def test_who_seeks_is_found_by_role_or_name_or_order() -> None:
    lines = (("b", "Hello"), ("a", "I am sad"))
    assert relief.seeker_turns(talk(lines)) == [0]
    assert relief.seeker_turns(talk(lines, {"b": {"role": "listener"}})) == [1]
    assert relief.seeker_turns(talk((("supporter", "x"), ("seeker", "y")))) == [1]
    assert relief.seeker_turns(talk((("supporter", "x"), ("therapist", "y")))) == [0]


def test_five_thousand_turns_are_answered() -> None:
    record = talk(tuple((("seeker", "supporter")[k % 2], ("I am sad", "Why?", "ok")[k % 3]) for k in range(5000)))
    assert len(only("dialogue.strategy", record)) == 2500
    assert len(only("dialogue.relief", record)) == 2


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=80) | st.text(
    st.sampled_from("ab .,!?\nso and"), max_size=120
)


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_clauses_hold_all_words_once(text: str) -> None:
    cuts = empathy.clauses(text)
    assert all(a < b for a, b in cuts) and all(one[1] <= other[0] for one, other in pairwise(cuts))
    assert [span for cut in cuts for span in empathy._within(text, cut)] == grams.words(text)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, max_size=4), st.lists(st.integers(-127, 127), min_size=3, max_size=3))
def test_grams_are_summed_once_a_text(texts: list[str], values: list[int]) -> None:
    known = np.sort(grams.keys("so sad")[:3])
    table = grams.Grams(known, np.array(values, np.int8)[:, None], np.array([0.5], np.float32))
    for text, found in zip(texts, table(texts), strict=True):
        mine = grams.keys(text)
        wanted = sum(v for key, v in zip(known, values, strict=True) if key in mine) * 0.5 / np.sqrt(max(1, len(mine)))
        assert found[0] == pytest.approx(wanted, abs=1e-4)


def test_a_file_gives_back_what_was_kept(tmp_path: Path) -> None:
    table = grams.Grams(grams.keys("a b"), np.ones((len(grams.keys("a b")), 2), np.int8), np.ones(2, np.float32))
    one = heads.Head(np.eye(2).astype(np.float16), np.array([1, 2], np.float32), table, {"slopes": [0.5]})
    heads.keep(tmp_path / "x.npz", {"one": one, "two": one})
    for found in heads.kept(tmp_path / "x.npz", "one", "two"):
        assert found.facts == {"slopes": [0.5]}
        np.testing.assert_array_equal(found(np.eye(2), ["a b", ""]), one(np.eye(2), ["a b", ""]))
    with pytest.raises(UnreadableError, match="holds no head three"):
        heads.kept(tmp_path / "x.npz", "three")


def test_what_stands_around_a_turn() -> None:
    record = talk((("a", "x"), ("b", "y"), ("a", "z")))
    vectors = np.arange(3, dtype=np.float32)[:, None] + np.ones((1, context.HEARD), np.float32)
    found = context.around(record, vectors)
    assert found.shape == (3, context.AROUND)
    own, past = context.HEARD, context.HEARD + context.KNOWN
    other = past + context.KNOWN
    assert found[:, own].tolist() == [0, 0, 1] and found[:, other].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found[:, past], [0, 0.3, 0.3 * 0.7 + 0.6], atol=1e-6)


def test_roles() -> None:
    record = talk((("A", "x"), ("Supporter", "y")), {"A": {"role": "Client"}})
    assert (context.role(record, "A"), context.role(record, "Supporter")) == ("client", "supporter")
    assert context.turns_of(record, context.SEEKERS) == [0] and context.turns_of(record, context.HELPERS) == [1]
    assert context.turns_of(talk((("x", "a"), ("y", "b"))), context.HELPERS) == [0, 1]


def test_an_unknown_space_is_refused() -> None:
    card = catalog.find("dialogue.strategy")
    with pytest.raises(CatalogError, match="names the space ekman-7"):
        strategy.load(type(card)(**{**vars(card), "spaces": ("ekman-7",)}))


@pytest.mark.parametrize("id", ["annomi-therapist.v1", "annomi-client.v1"])
def test_the_benches_of_counselling_keep_videos_together(id: str) -> None:
    bench = catalog.load(id)
    one, other = (Record(str(k), meta={"group": "same"}) for k in range(2))
    assert bench.fold_of(one, 20) == bench.fold_of(other, 20)
    assert bench.truth == bench.space == catalog.find(id).spaces[0]
