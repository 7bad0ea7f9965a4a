"""Benchmarks of written talks: what comes next, and what caused a feeling."""

from pathlib import Path

import numpy as np
import pytest

from affetto.bench import evaluate, rows, runs, systems, transition
from affetto.bench.protocol import load, named
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from recipes import corpora

SEVEN, CAUSE = catalog.load("ekman-7"), catalog.load("cause")


def feels(who: str, *said: tuple[int, str]) -> Track:
    start = np.array([turn for turn, _ in said])
    values = [[float(label == name) for name in SEVEN.names] for _, label in said]
    return Track(SEVEN, start, start + 1, values, unit="turn", subject=who, source="raters")


def triple(id: str, words: tuple[str, str, str], labels: tuple[str, str, str]) -> Record:
    turns = tuple(Turn(who, None, said) for who, said in zip("ABA", words, strict=True))
    tracks = (feels("A", (0, labels[0]), (2, labels[2])), feels("B", (1, labels[1])))
    people = {"A": {"personality": {"openness": 0.5}, "role": "hero"}, "B": {"personality": {"openness": 0.1}}}
    return Record(id, turns=turns, people=people, tracks=tracks, meta={"speaker": "A", "film": "F"})


def test_the_answer_is_not_shown() -> None:
    shown = transition.asked(triple("1", ("hi", "go", "no"), ("joy", "fear", "anger")), "ekman-7")
    assert [turn.text for turn in shown.turns] == ["hi", "go"]
    (track,) = shown.tracks
    assert track.subject == "A" and track.start.tolist() == [0] and track.values[0, SEVEN.index("joy")] == 1
    assert shown.people == {"A": {"personality": {"openness": 0.5}}} and shown.meta == {"next": "A"}


def test_only_the_last_turn_is_scored() -> None:
    (track,) = transition.scored(triple("1", ("hi", "go", "no"), ("joy", "fear", "anger"))).tracks
    assert track.start.tolist() == [2] and track.values[0, SEVEN.index("anger")] == 1


def test_windows_of_one_talk_are_one_group() -> None:
    words = [
        ("one", "two", "three"),
        ("two", "three", "four"),  # overlaps with the one before
        ("five", "you cannot be serious about this", "six"),
        ("Hi.", "one", "seven"),  # a short turn, and not beside its like
        ("eight", "nine", "You cannot be serious about this!"),  # a long turn, elsewhere
    ]
    records = transition.grouped([triple(str(i), said, ("joy",) * 3) for i, said in enumerate(words)])
    names = [record.meta["dialogue"] for record in records]
    assert names == ["0", "0", "2", "3", "2"]
    assert all(record.meta["film"] == "F" for record in records)


def test_copying_says_what_it_was_told() -> None:
    shown = transition.asked(triple("1", ("hi", "go", "no"), ("joy", "fear", "anger")), "ekman-7")
    (track,) = transition.Copy(SEVEN)([shown])[0]
    assert (track.start[0], track.end[0], track.subject) == (2, 3, "A")
    assert track.values[0].argmax() == SEVEN.index("joy")


def test_the_card_of_transition() -> None:
    one = named("peld-transition")
    assert one.talk == "transition" and one.group == "dialogue" and one.folds == 5
    assert systems.baselines(one) == ("baseline.copy",) and one.known_conditions == ()
    assert systems.named("copy") == "baseline.copy"
    with pytest.raises(CatalogError, match="people or course or transition or cause"):
        load(Card("b.v1", "benchmark", "1", "B", facts={**_facts("reply"), "talk": "reply"}))


def _facts(talk: str) -> dict[str, object]:
    space = "cause" if talk == "cause" else "ekman-7"
    metrics = ["macro_f1"] if talk == "cause" else ["weighted_f1"]
    return {"corpus": "reccon", "split": "test", "truth": space, "space": space, "metrics": metrics, "talk": talk}


@pytest.mark.parametrize("id", ["reccon-entailment", "reccon-span"])
def test_the_cards_of_causes(id: str) -> None:
    one = named(id)
    assert one.talk == "cause" and not systems.baselines(one) and runs.published_beside(one)


def test_causes_are_asked_kept_and_scored(tmp_path: Path) -> None:
    what = load(Card("b.v1", "benchmark", "1", "B", channel="text", facts=_facts("cause")))
    turns = (Turn("A", None, "I lost it"), Turn("B", None, "Oh no"))
    why = Track(CAUSE, [0], [1], [[1.0]], unit="turn", subject="B", source="raters", about=[Span(1, 2, "turn")])
    record = Record("t", turns=turns, tracks=(feels("B", (1, "sadness")), feels("A", (0, "neutral")), why))
    (shown,) = systems._blind(what, [record])
    assert [track.space.id for track in shown.tracks] == ["ekman-7"] and not shown.meta
    said = [(why, feels("B", (1, "joy")))]
    path = systems.keep(what, [record], said, tmp_path / "b.v1" / "m.test.jsonl.gz")
    ids, kept = systems.predictions(path)
    assert ids == ["t"] and [track.space.id for track in kept[0]] == ["cause"]
    done = {"m": systems.Done({}, {"test": path})}
    ran = runs._scored(what, {"test": [record]}, done, runs.RunOptions(out=tmp_path, resamples=20), [])
    assert ran.results[0]["metrics"]["macro_f1"]["value"] == 1.0


@pytest.mark.corpus
def test_copying_on_peld() -> None:
    home = corpora.DATA / "text" / "peld"
    if not home.is_dir():
        pytest.skip("no data folder")
    what = named("peld-transition")
    records = systems.records_of(what, "all", str(home))
    truth = rows.truth_rows(what, [*map(transition.scored, records)])
    said = transition.Copy(SEVEN)(systems._blind(what, records))
    values = rows.said_rows(what, truth, said).values
    outcome = evaluate.evaluate(what, truth, {"copy": evaluate.case(what, truth, values)}, 20, 20)["copy"]
    assert (outcome.n, outcome.groups, outcome.said) == (6510, 2221, 1)
    assert outcome.metrics["weighted_f1"].value == pytest.approx(0.419, abs=5e-4)
    assert outcome.metrics["macro_f1"].value == pytest.approx(0.328, abs=5e-4)
