"""Replies from a bank: what is chosen, why, and what is never said."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.generate import bank as banks
from affetto.generate.bank import FEELINGS, STRATEGIES, Bank
from affetto.generate.manners import unfit
from affetto.generate.reply import Options, Reply, followed, heard, reply, seeds_written

SAID = (
    ("I am so sorry about your dog.", "affirmation and reassurance", ("sadness",)),
    ("How old was your dog?", "question", ("sadness",)),
    ("Where did the dog like to walk?", "question", ("sadness", "joy")),
    ("Congratulations on the new job!", "affirmation and reassurance", ("joy",)),
    ("When does the job start?", "question", ("joy",)),
    ("What will the new job be like?", "question", ("joy", "fear")),
    ("I see.", "others", ("neutral",)),
)
SAD = (("Ada", "My dog died last night."), ("Bo", "Oh no."), ("Ada", "The dog was all I had."))


class Words:
    """A matcher that knows only which words two texts share."""

    def vector(self, text: str) -> np.ndarray:
        out = np.full(64, 1e-3, np.float32)
        for word in text.lower().replace(".", " ").replace("?", " ").replace("!", " ").split():
            out[int(hashlib.sha256(word.encode()).hexdigest(), 16) % 64] += 1
        return out / np.linalg.norm(out)

    def talks(self, talks: Sequence[Sequence[tuple[str, bool]]]) -> np.ndarray:
        return np.stack([self.vector(" ".join(text for text, _ in talk[-3:])) for talk in talks])

    def replies(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.vector(text) for text in texts]) if texts else np.zeros((0, 64), np.float32)

    def fits(self, talk: object, texts: Sequence[str], vectors: np.ndarray | None = None) -> np.ndarray:
        own = self.replies(texts) if vectors is None else vectors
        return np.asarray(4 * own @ self.talks([talk])[0] - 1, np.float32)  # type: ignore[list-item]


@dataclass
class Says:
    """A model that says the same of every talk."""

    space: str
    values: tuple[float, ...]
    where: int | None = None

    @property
    def card(self):  # type: ignore[no-untyped-def]
        return catalog.find("fake")

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        out = []
        for record in records:
            pieces = record.pieces()
            k = len(pieces) - 1 if self.where is None else self.where
            track = Track(
                catalog.load(self.space), [pieces[k].start], [pieces[k].end], [self.values], pieces[k].unit,
                pieces[k].subject, source="fake",
            )  # fmt: skip
            out.append((track,))
        return out


def one_of(names: Sequence[str], name: str) -> tuple[float, ...]:
    return tuple(float(other == name) for other in names)


def talk(lines: Sequence[tuple[str, str]] = SAD, **facts: object) -> Record:
    return Record("talk", turns=tuple(Turn(who, None, text) for who, text in lines), **facts)  # type: ignore[arg-type]


@pytest.fixture
def few() -> Bank:
    texts, does, answers = zip(*SAID, strict=True)
    return banks.laid(texts, Words(), does, answers, "test", "MIT")


PLAIN = Options(strategy=0, feeling=0, followups=0, variety=0)


def test_what_fits_comes_first(few: Bank) -> None:
    found = reply(talk(), few, Words(), options=PLAIN)
    assert len(found) == 5 and "dog" in found[0].text
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_the_plan_lifts_its_strategy(few: Bank) -> None:
    options = replace(PLAIN, strategy=5.0)
    for name in ("question", "affirmation and reassurance"):
        found = reply(talk(), few, Words(), Says("strategy-8", one_of(STRATEGIES, name)), options=options)
        assert found[0].strategy == name
        assert f"1.00, number 1 of 8: {name}" in " ".join(found[0].reasons)


def test_the_feeling_lifts_what_answers_it(few: Bank) -> None:
    options = replace(PLAIN, feeling=20.0)
    for name in ("joy", "sadness", "neutral"):
        found = reply(talk(), few, Words(), reader=Says("ekman-7", one_of(FEELINGS, name)), options=options)
        assert found[0].feeling == name
        assert found[0].parts["feeling"] == pytest.approx(20.0)
        assert "1.00 of what the last turn shows" in " ".join(found[0].reasons)


def test_a_feeling_that_the_record_carries_counts_before_the_reader(few: Bank) -> None:
    record = talk()
    record = record.add(*Says("ekman-7", one_of(FEELINGS, "joy"))([record])[0])
    found = reply(record, few, Words(), reader=Says("ekman-7", one_of(FEELINGS, "sadness")))
    assert found[0].feeling == "joy"


def test_the_feeling_of_an_earlier_turn_is_not_that_of_the_last(few: Bank) -> None:
    record = talk()
    record = record.add(*Says("ekman-7", one_of(FEELINGS, "joy"), 0)([record])[0])
    assert all(one.feeling == "" and "feeling" not in one.parts for one in reply(record, few, Words()))


def test_swapping_good_and_bad_followups_turns_the_ranking_round(few: Bank) -> None:
    seeds = {"good": ("the dog was old",), "bad": ("new job new job",)}
    turned = {"good": seeds["bad"], "bad": seeds["good"]}
    lines = [(text, who == "Bo") for who, text in SAD]
    texts = [text for text, *_ in SAID]
    one, other = (followed(lines, texts, Words(), side) for side in (seeds, turned))
    np.testing.assert_allclose(one, -other, atol=1e-6)
    assert list(np.argsort(one)) == list(np.argsort(-other))
    options = replace(PLAIN, followups=500.0, seeds=seeds)
    first = reply(talk(), few, Words(), options=options)
    last = reply(talk(), few, Words(), options=replace(options, seeds=turned))
    assert first[0].text != last[0].text


def test_the_written_followups_have_as_many_good_as_bad_ones() -> None:
    seeds = seeds_written()
    assert len(seeds["good"]) == len(seeds["bad"]) == 30
    assert not set(seeds["good"]) & set(seeds["bad"])


def test_variety_brings_others_in(few: Bank) -> None:
    same = banks.laid(
        [f"The dog {'was ' * k}old." for k in range(1, 5)] + ["I see."], Words(), [""] * 5, [()] * 5, "t", "MIT"
    )
    plain = [one.text for one in reply(talk(), same, Words(), options=replace(PLAIN, choices=2))]
    varied = reply(talk(), same, Words(), options=replace(PLAIN, choices=2, variety=9.0))
    assert "I see." not in plain and varied[1].text == "I see."
    everything = reply(talk(), same, Words(), options=replace(PLAIN, variety=9.0))
    assert all(one.score == pytest.approx(sum(one.parts.values())) for one in everything)
    assert "somewhat like a choice above" in " ".join(everything[-1].reasons)


def test_scores_are_the_sums_of_their_parts_and_reasons_say_their_numbers(few: Bank) -> None:
    plan, reader = (
        Says("strategy-8", (0.3, 0.1, 0.1, 0.1, 0.2, 0.1, 0.05, 0.05)),
        Says("ekman-7", one_of(FEELINGS, "joy")),
    )
    for one in reply(talk(), few, Words(), plan, reader):
        assert one.score == pytest.approx(sum(one.parts.values()))
        assert f"{1 / (1 + np.exp(-one.parts['fit'])):.2f}" in one.reasons[0]
        assert f"{one.parts['followups'] / Options().followups:+.3f}" in " ".join(one.reasons)
        assert one.source == "test (MIT)"


def test_nothing_is_said_in_a_crisis(few: Bank) -> None:
    assert reply(talk(), few, Words(), crisis=True) == []
    care = catalog.load("care")
    record = talk().add(
        Track(care, [2], [3], [[1.0] + [0.0] * (len(care.axes) - 1)], "turn", "Ada", source="dialogue.care")
    )
    assert reply(record, few, Words()) == []
    silent = talk().add(Track(care, [2], [3], [[np.nan] * len(care.axes)], "turn", "Ada", source="dialogue.care"))
    assert reply(silent, few, Words())


@pytest.mark.parametrize("lines", [(), (("Ada", ""),), (("Ada", "<Media omitted>"), ("Bo", "...")), (("Ada", " \n"),)])
def test_where_nothing_was_said_nothing_is_answered(few: Bank, lines: tuple) -> None:
    assert reply(talk(lines), few, Words()) == []
    assert (
        reply(
            talk(),
            few.__class__((), *[column[:0] for column in (few.vectors, few.scale, few.strategy, few.feelings)], "", ""),
            Words(),
        )
        == []
    )


def test_who_replies_and_to_what() -> None:
    assert heard(talk()) == [(SAD[0][1], False), (SAD[1][1], True), (SAD[2][1], False)]
    assert heard(talk(), "Ada") == [(SAD[0][1], True), (SAD[1][1], False)]
    assert heard(talk(people={"Ada": {"role": "listener"}})) == [(SAD[0][1], True), (SAD[1][1], False)]
    assert heard(talk((("Ada", "Hello"), ("Ada", "Are you there?")))) == [("Hello", False), ("Are you there?", False)]
    assert heard(talk((("Ada", "Hello"),)), "Ada") == []


ODD = st.lists(st.tuples(st.sampled_from(["a", "b", "", "עדה"]), st.text(max_size=30)), max_size=6)


@settings(max_examples=40, deadline=None)
@given(ODD)
def test_no_talk_stops_it(lines: list[tuple[str, str]]) -> None:
    texts, does, answers = zip(*SAID, strict=True)
    found = reply(talk(lines), banks.laid(texts, Words(), does, answers, "test", "MIT"), Words())
    assert all(isinstance(one, Reply) and np.isfinite(one.score) for one in found)
    assert len({one.text for one in found}) == len(found)


def test_five_thousand_turns_are_answered(few: Bank) -> None:
    assert reply(talk([("Ada" if k % 2 else "Bo", f"number {k} of the dog") for k in range(5000)]), few, Words())


def test_what_was_said_is_not_said_again(few: Bank) -> None:
    lines = (("Ada", "My dog died."), ("Bo", "How old was  YOUR dog?"), ("Ada", "Nine, the dog was nine."))
    assert "How old was your dog?" not in [
        one.text for one in reply(talk(lines), few, Words(), options=replace(PLAIN, choices=9))
    ]


def test_choices_want_a_number() -> None:
    with pytest.raises(MalformedError, match="1 or more"):
        Options(choices=0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("You are clearly depressed.", "a diagnosis"),
        ("Sounds like you have bipolar disorder", "a diagnosis"),
        ("You might have PTSD.", "a diagnosis"),
        ("You should take some sleeping pills.", "a medical order"),
        ("Stop taking your meds!", "a medical order"),
        ("You need to get a lawyer and sue", "a legal order"),
        ("You\u2019re such an idiot", "an insult"),
        ("Just get over it.", "an insult"),
        ("I promise it will work out.", "a promise"),
        ("Call me at 555-123-4567", "an address"),
        ("You should punch him!", "harm"),
    ],
)
def test_what_is_never_said(few: Bank, text: str, what: str) -> None:
    assert unfit(text) == what
    made = banks.laid([f"{text} dog", "The dog was old."], Words(), ["", ""], [(), ()], "test", "MIT")
    assert [one.text for one in reply(talk(), made, Words())] == ["The dog was old."]


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry you feel so low.",
        "That was a depressing film!",
        "You were brave.",
        "Did you take a cake?",
        "I was ill in 2019.",
    ],
)
def test_harmless_replies_stay(text: str) -> None:
    assert unfit(text) == ""


def test_all_written_replies_are_fit_to_be_said_and_cover_what_there_is() -> None:
    found = banks.written()
    assert len(found) >= 300 and len(set(found.texts)) == len(found)
    assert not [text for text in found.texts if unfit(text) or len(text.split()) > 25]
    assert set(found.strategy.tolist()) == set(range(len(STRATEGIES)))
    assert {name for row in range(len(found)) for name in found.feelings_of(row)} == set(FEELINGS)
    assert found.licence == "MIT"
    assert found.facts["digest"] == hashlib.sha256(banks.WRITTEN.read_bytes()).hexdigest()


def test_written_vectors_of_other_texts_are_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "replies.tsv"
    path.write_text("text\tstrategy\tfeelings\nWhat now?\tquestion\tfear,sadness\nI see.\tothers\t\n", "utf-8")
    with pytest.raises(UnreadableError, match="nobody is here"):
        banks.written(path=path)
    made = banks.written(Words(), path)
    assert (
        made.texts == ("What now?", "I see.")
        and made.feelings_of(0) == ("fear", "sadness")
        and made.feelings_of(1) == ()
    )
    made.save(path.with_suffix(".npz"))
    assert banks.written(path=path).texts == made.texts
    path.write_text("text\tstrategy\tfeelings\nAnd then?\tquestion\t\n", "utf-8")
    assert banks.written(Words(), path).texts == ("And then?",)


def test_a_bank_comes_back_as_it_was_and_its_vectors_are_near_those_it_was_given(few: Bank, tmp_path: Path) -> None:
    few.save(tmp_path / "few.npz")
    back = banks.opened(tmp_path / "few.npz")
    assert back.texts == few.texts and back.by == few.by == "Words" and back.licence == "MIT"
    for name in ("vectors", "strategy", "feelings"):
        np.testing.assert_array_equal(getattr(back, name), getattr(few, name))
    vector = Words().talks([[("The dog was old.", False)]])[0]
    np.testing.assert_allclose(back.near(vector), Words().replies(few.texts) @ vector, atol=0.02)
    with pytest.raises(UnreadableError, match="make it again"):
        banks.opened(tmp_path / "few.npz", "dialogue.reply@9")


def test_what_is_no_bank_is_refused(tmp_path: Path, few: Bank) -> None:
    path = tmp_path / "no.npz"
    path.write_bytes(b"no")
    with pytest.raises(UnreadableError, match="no bank of replies"):
        banks.opened(path)
    np.savez(path, texts=np.array([{"a": 1}], object), facts=np.frombuffer(json.dumps({}).encode(), np.uint8))
    with pytest.raises(UnreadableError, match="no bank of replies"):
        banks.opened(path)
    with pytest.raises(MalformedError, match="no strategy"):
        banks.laid(["a"], Words(), ["asking"], [()], "t", "MIT")
    with pytest.raises(MalformedError, match="no feeling"):
        banks.laid(["a"], Words(), [""], [("bliss",)], "t", "MIT")
    with pytest.raises(MalformedError, match="as many"):
        replace(few, texts=("one",))


def test_a_bank_is_gathered_from_talks() -> None:
    lines = (("speaker", "My dog died."), ("listener", "So sorry for you."), ("speaker", "Thank you so much"),
             ("listener", "You are clearly depressed."), ("speaker", "What?"), ("listener", "ok"))  # fmt: skip
    space = catalog.load("strategy-8")
    track = Track(space, [1], [2], [one_of(space.names, "affirmation and reassurance")], "turn", "listener")
    made = banks.gathered([talk(lines).add(track), talk(lines)], Words(), "mine", "CC0-1.0", lambda _: ("sadness",))
    assert made.texts == ("So sorry for you.",)
    assert made.strategy_of(0) == "affirmation and reassurance" and made.feelings_of(0) == ("sadness",)
    plain = banks.gathered([talk((("a", "How are you?"), ("b", "Fine, thank you.")))], Words(), "mine", "CC0-1.0")
    assert plain.texts == ("Fine, thank you.",) and plain.strategy_of(0) == ""
    both = banks.joined(made, plain)
    assert both.texts == (*made.texts, *plain.texts) and both.licence == "CC0-1.0"
    with pytest.raises(MalformedError, match="do not go together"):
        banks.joined(made, replace(plain, by="other"))
    assert len(banks.gathered([], Words(), "nothing", "CC0-1.0")) == 0
