"""Benchmarks of whole recordings: who is who, who speaks when, and what each felt over time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.bench import course, lacking, people, runs, systems
from affetto.bench.protocol import RECORDINGS, Benchmark, load, named
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Frames
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.metrics import diarization, timeline

SPEAKING, SEVEN, POSE, VA = (catalog.load(id) for id in ("speaking", "ekman-7", "head-pose", "va"))
LEFT, RIGHT = [100.0, 100, 200, 220], [400.0, 100, 500, 220]
CARDS = [id for id, card in catalog.cards("benchmark").items() if card.facts.get("talk") in RECORDINGS]


def bench(talk: str = "people", **facts: object) -> Benchmark:
    space = {"people": "speaking", "course": "ekman-7"}.get(talk, "ekman-7")
    metrics = {"people": ["der", "link_accuracy"]}.get(talk, ["eder", "accuracy"])
    said = {"corpus": "made-talks", "split": "test", "truth": space, "space": space, "metrics": metrics, "talk": talk}
    return load(Card("b.v1", "benchmark", "1", "B", channel="fused", facts=said | facts))


def speaks(name: str, *spans: tuple[float, float]) -> Track:
    start, end = np.transpose(spans)
    return Track(SPEAKING, start, end, np.ones((len(spans), 1)), subject=name, channel="voice", source="drawn")


def face(name: str, box: list[float], end: float = 10.0, space: object = POSE) -> Track:
    start = np.arange(0, end, 0.5)
    values = np.zeros((len(start), len(space.axes)))
    return Track(space, start, start + 0.5, values, subject=name, channel="face", source="m@1", box=[box] * len(start))


def feels(name: str, *rows: tuple[float, float, str], channel: str = "fused", source: str = "drawn") -> Track:
    values = [[float(label == one) for one in SEVEN.names] if label else [np.nan] * 7 for *_, label in rows]
    start, end = [row[0] for row in rows], [row[1] for row in rows]
    return Track(SEVEN, start, end, values, subject=name, channel=channel, source=source)


def talk(id: str = "t") -> Record:
    """Ann (left) speaks 0-4, Ben (right) 4-8, and Radio, whom nobody sees, 8-10; Eve is not there."""
    tracks = (
        speaks("Ann", (0, 4)),
        speaks("Ben", (4, 8)),
        speaks("Radio", (8, 10)),
        face("Ann", LEFT),
        face("Ben", RIGHT),
        feels("Ann", (0, 5, "joy"), (5, 10, "neutral")),
        feels("Ben", (0, 10, "anger")),
        feels("Radio", (8, 10, "sadness")),
    )
    known = {"Ann": {"visible": True}, "Ben": {"visible": True}, "Radio": {"visible": False}}
    turns = (Turn("Ann", Span(0, 4), "hello"), Turn("Ben", Span(4, 8), "go away"), Turn("Radio", Span(8, 10), "rain"))
    signals = (Audio(16000, 1, 10.0), Frames((640, 360), 5.0, 10.0))
    return Record(id, signals, turns, known, tracks, {"subtitles": "names"})


RIGHTLY = (
    speaks("person-2", (0, 4)),
    speaks("person-1", (4, 8)),
    speaks("voice-3", (8, 10)),
    face("person-2", [110, 110, 190, 200]),
    face("person-1", [410, 110, 490, 200]),
)


def value(outcome: object) -> dict[str, float]:
    return {name: metric.value for name, metric in outcome.metrics.items()}


@pytest.mark.parametrize("id", CARDS)
def test_the_cards_are_of_a_talk_and_say_what_is_optimistic(id: str) -> None:
    one = catalog.load(id)
    assert one.talk in ("people", "course") and not (one.heard or one.seen or one.dev or one.train)
    assert one.known_conditions == lacking.KNOWN and systems.baselines(one) == ()
    if one.talk == "course":
        assert "RAVDESS" in " ".join(one.card.limits)
    without = named(f"{id}@no-voice")
    assert without.id == f"{id}@no-voice" and without.condition == "no-voice"
    with pytest.raises(UnknownNameError):
        named(f"{id}@telephone")


def test_two_kinds_there_are() -> None:
    assert len(CARDS) >= 2
    with pytest.raises(CatalogError, match="people or course"):
        bench("weather")


def test_what_a_system_may_see() -> None:
    record = talk()
    shown = lacking.blind(record)
    assert not shown.tracks and not shown.people and not shown.meta
    assert shown.turns == record.turns and shown.signals == record.signals
    plain = lacking.blind(replace(record, meta={"subtitles": "plain"}))
    assert {turn.speaker for turn in plain.turns} == {"speaker"} and plain.turns[0].text == "hello"
    assert not lacking.blind(replace(record, meta={"subtitles": "none"})).turns
    assert not lacking.blind(lacking.under("no-text", record)).turns
    kinds = [[type(one) for one in lacking.under(c, record).signals] for c in ("no-voice", "no-face")]
    assert kinds == [[Frames], [Audio]]
    with pytest.raises(UnknownNameError):
        lacking.under("no-smell", record)


def test_who_is_who_is_found_by_boxes_and_by_time() -> None:
    who = people.cast(talk().tracks, RIGHTLY)
    assert who.faces == {"Ann": "person-2", "Ben": "person-1"}
    assert who.voices == {"Ann": "person-2", "Ben": "person-1", "Radio": "voice-3"}
    assert who.named("Radio", "fused") == "voice-3" and who.named("Eve", "text") == "Eve"
    assert people.faces_of(talk().tracks, [face("x", [0, 0, 10, 10])]) == {}
    shared = [face("x", LEFT, 3.0), face("y", LEFT, 9.0)]
    assert people.faces_of(talk().tracks, shared) == {"y": "Ann"}


def test_a_right_answer_has_all_scores_right() -> None:
    outcome = people.evaluate(bench(), [talk()], {"m": [RIGHTLY]}, 20, 20)["m"]
    found = value(outcome)
    wanted = {"der": 0, "link_accuracy": 1, "link_accuracy_two": 1, "wrong_faces": 0, "count_right": 1, "count_off": 0}
    assert {name: found[name] for name in wanted} == wanted and np.isnan(found["wrong_voices"])
    assert outcome.n == 1 and outcome.said == 1


def test_swapped_unlinked_and_invented_people_are_told() -> None:
    swapped = [track.called({"person-1": "person-2", "person-2": "person-1"}.get(track.subject, track.subject))
               if track.space.id == "speaking" else track for track in RIGHTLY]  # fmt: skip
    unlinked = [track.called(f"voice-{track.subject[-1]}") if track.space.id == "speaking" else track
                for track in RIGHTLY]  # fmt: skip
    narrator = [track.called("person-1") if track.subject == "voice-3" else track for track in unlinked]
    silent = [*RIGHTLY[3:]]
    said = {"swapped": [swapped], "unlinked": [unlinked], "narrator": [narrator], "silent": [silent], "none": [()]}
    found = {name: value(one) for name, one in people.evaluate(bench(), [talk()], said, 20, 20).items()}
    assert found["swapped"]["link_accuracy"] == 0 and found["swapped"]["der"] == 0
    assert found["unlinked"]["link_accuracy"] == 0 and found["unlinked"]["count_off"] == 2
    assert found["narrator"]["wrong_faces"] == 1
    assert found["silent"]["der"] == found["silent"]["missed"] == 1 and found["silent"]["count_off"] == 1
    assert found["none"]["count_off"] == 3 and found["none"]["link_accuracy"] == 0


def test_recordings_are_pooled_by_their_speech() -> None:
    short = replace(talk("s"), tracks=(speaks("Ann", (0, 2)), face("Ann", LEFT)), people={"Ann": {"visible": True}})
    half = (speaks("person-1", (0, 1)), face("person-1", LEFT))
    found = value(people.evaluate(bench(), [talk(), short], {"m": [RIGHTLY, half]}, 20, 20)["m"])
    assert found["der"] == pytest.approx(1 / 12) and found["link_accuracy"] == 1
    with pytest.raises(MalformedError, match="somebody speaks"):
        people.evaluate(bench(), [Record("q")], {"m": [()]}, 20, 20)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 5), st.sampled_from("xyz")), max_size=6))
def test_the_error_rate_is_that_of_the_metrics(rows) -> None:
    said = [speaks(name, (start, start + length)) for start, length, name in rows]
    found = value(people.evaluate(bench(), [talk()], {"m": [said]}, 20, 20)["m"])
    truth = [track for track in talk().tracks if track.space == SPEAKING]
    wanted = diarization.evaluate(truth, said)
    assert {name: found[name] for name in ("der", "missed", "false_alarm", "confusion")} == pytest.approx(
        {name: wanted[name] for name in ("der", "missed", "false_alarm", "confusion")}
    )


def test_feelings_are_compared_by_the_second() -> None:
    fast = feels("x", *((k / 4, (k + 1) / 4, "joy" if k % 4 else "anger") for k in range(8)))
    slow = course.even(fast)
    assert slow.start.tolist() == [0, 1] and slow.values[0, SEVEN.index("joy")] == pytest.approx(0.75)
    gap = course.even(feels("x", (0, 0.5, "joy"), (0.5, 2.5, None), (2.5, 4, "anger")))
    assert np.isnan(gap.values[1]).all() and gap.values[0, SEVEN.index("joy")] == 1 and len(gap) == 4


ALL = (
    feels("person-2", (0, 5, "joy"), (5, 10, "neutral")),
    feels("person-1", (0, 10, "anger")),
    feels("voice-3", (8, 10, "sadness")),
)


def lived(*tracks: Track) -> dict[str, float]:
    one = bench("course")
    said = course.kept(one, [*RIGHTLY, *tracks])
    return value(course.evaluate(one, [talk()], {"m": [said]}, 20, 20)["m"])


def test_the_true_course_is_right_in_all_scores() -> None:
    found = lived(*ALL)
    assert found["eder"] == 0 and found["accuracy"] == found["uar"] == found["accuracy_spoken"] == 1
    assert found["ccc_valence"] == pytest.approx(1) and found["eder_face"] > 0 and np.isnan(found["ccc_valence_text"])
    assert found["gain_voice"] == found["eder_voice"]


def test_each_channel_is_scored_alone_and_silence_is_missed() -> None:
    face_only = [replace(track, channel="face") for track in ALL[:2]]
    found = lived(*face_only)
    assert found["eder_face"] == pytest.approx(2 / 22) and found["accuracy_face"] == pytest.approx(20 / 22)
    assert found["eder"] == found["missed"] == pytest.approx(17 / 22) and found["accuracy"] == 0
    assert found["gain_face"] == pytest.approx(2 / 22 - 17 / 22)
    spoken = lived(feels("person-2", (0, 4, "joy"), channel="voice"))
    assert spoken["accuracy_voice_spoken"] == pytest.approx(0.4) and spoken["uar_voice_spoken"] == pytest.approx(1 / 3)


def test_other_spaces_come_over_a_bridge_and_what_the_reader_feels_does_not_count() -> None:
    many = catalog.load("goemotions-28")
    row = [[0.9 * float(name == "anger") for name in many.names]]
    read = Track(many, [0], [10], row, subject="person-1", channel="text", source="m@1")
    assert lived(read.called("reader"))["accuracy_text"] == 0
    found = lived(read, feels("reader", (0, 10, "joy"), channel="text"))
    assert found["accuracy_text"] == pytest.approx(10 / 22) and not np.isnan(found["ccc_valence_text"])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["joy", "anger", "neutral", ""]), min_size=10, max_size=10))
def test_the_emotion_error_is_that_of_the_metrics(labels) -> None:
    said = feels("person-1", *((k, k + 1, label) for k, label in enumerate(labels)))
    one, alone = bench("course"), replace(talk(), tracks=tuple(t for t in talk().tracks if t.subject == "Ben"))
    kept = course.kept(one, [*RIGHTLY, said])
    found = value(course.evaluate(one, [alone], {"m": [kept]}, 20, 20)["m"])
    wanted = timeline.evaluate(feels("x", (0, 10, "anger")), said)
    assert found["eder"] == pytest.approx(wanted["eder"]) and found["missed"] == pytest.approx(wanted["missed"])


def test_a_run_is_stored_and_scores_alike_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [talk("a"), talk("b")]
    monkeypatch.setattr(systems, "records_of", lambda *_: records)
    for one, answer, metric, wanted in (
        (bench(), RIGHTLY, "link_accuracy", 1.0),
        (bench("course"), (*RIGHTLY, *ALL), "accuracy", 1.0),
    ):
        path = systems.keep(one, records, [answer] * 2, tmp_path / one.talk / "mine.test.jsonl.gz")
        options = runs.RunOptions(keep=tmp_path / "r", out=tmp_path / one.talk, resamples=30)
        (result,) = runs.rescore(one, {"mine": path}, options, lambda sides: []).results
        assert result["metrics"][metric]["value"] == wanted and result["n"] == 2
        assert result["notes"].startswith("made-talks test")
