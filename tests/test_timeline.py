"""A made film of two people who talk, with one more who is only heard: all of it from end to end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import affetto
from affetto import api, timeline
from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.signal import Frames
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.generate import demo
from affetto.generate import film as made
from affetto.generate.face import LOOKS, Head
from affetto.generate.talk import Line, Person, Talk

TALK = Talk(
    "talk",
    (Person("Ann", "left", look=0, voice=3), Person("Ben", "right", look=1, voice=4), Person("Sam", "", voice=2)),
    (
        Line("Ann", "We got the house! They said yes! I am so happy.", "joy"),
        Line("Ben", "Oh great, they blocked the door again. I just love that.", "anger", face="joy", words="joy"),
        Line("Sam", "Your coffee is on the table.", "neutral"),
        Line("Ann", "That makes me so angry! I am calling them now!", "anger"),
        Line("Ben", "Please do.", "neutral"),
        Line("Sam", "I will wait.", "neutral"),
    ),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return demo.make(tmp_path_factory.mktemp("film"), TALK)


@pytest.fixture(scope="module")
def seen(film) -> Record:
    (record,) = affetto.perceive(film)
    return record


def of(record, subject, channel, space):
    (track,) = (t for t in record.tracks if (t.subject, t.channel, t.space.id) == (subject, channel, space))
    return track


def test_everybody_has_one_name_over_all_channels(seen):
    people = seen.people
    assert set(people) == {"Ann", "Ben", "Sam"}
    assert {people["Ann"]["face"], people["Ben"]["face"]} == {"person-1", "person-2"}
    assert people["Sam"]["face"] is None and people["Sam"]["linked"] is None
    assert people["Ann"]["linked"] > 0.5 and people["Ben"]["linked"] > 0.5
    left = of(seen, "Ann", "face", "ekman-8").box[:, 0]
    assert np.nanmedian(left) < np.nanmedian(of(seen, "Ben", "face", "ekman-8").box[:, 0])


def test_each_channel_the_whole_and_the_contradiction_are_there(seen):
    for name, channels in (("Ann", {"face", "voice", "text", "fused"}), ("Sam", {"voice", "text", "fused"})):
        assert {track.channel for track in seen.tracks if track.subject == name} == channels
    fused = of(seen, "Ann", "fused", "ekman-7")
    assert fused.top(1).name == "joy"
    assert np.isnan(of(seen, "Sam", "fused", "ekman-7").values[0]).all()
    speaking = of(seen, "Ben", "voice", "speaking")
    ben = next(turn.span for turn in seen.turns if turn.speaker == "Ben")
    assert abs(speaking.start[0] - ben.start) < 0.5 and abs(speaking.end[0] - ben.end) < 0.5
    notes = {note for note in of(seen, "Ben", "fused", "conflict").note if note not in ("", "not said")}
    assert notes and all("joy" in note for note in notes)


def test_windows_change_nothing(film, seen):
    (cut,) = affetto.perceive(film, watching=timeline.Watching(window=4.0))
    assert cut == seen or [t for t in cut.tracks if t.channel == "face"] == [
        t for t in seen.tracks if t.channel == "face"
    ]
    assert [len(track) for track in cut.tracks] == [len(track) for track in seen.tracks]
    assert cut.people == seen.people


def test_turns_without_names_are_said_by_whoever_is_heard(film, seen):
    record = next(api.read(film))
    nameless = replace(record, turns=tuple(replace(turn, speaker="someone") for turn in record.turns))
    found = affetto.perceive(nameless)
    names = [turn.speaker for turn in found.turns]
    assert names[0] == names[3] and names[0] != names[1] and "someone" not in names
    assert found.people[names[0]]["face"] == seen.people["Ann"]["face"]


def test_a_run_that_was_stopped_goes_on_and_says_the_same(film, tmp_path):
    watching = timeline.Watching(window=3.0)
    whole = tmp_path / "whole.jsonl"
    api.perceive_file(film, whole, watching=watching)

    made, out = [], tmp_path / "out.jsonl"

    def stops(part, until, _):
        made.append((part, until))
        if len(made) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.perceive_file(film, out, watching=watching, told=stops)
    (part,) = tmp_path.glob("out.jsonl.*.part.jsonl")
    kept = list(api.read(part))
    assert kept[0].meta["asked"]["watching"]["window"] == 3.0 and sum(len(record.tracks) for record in kept) > 4
    with pytest.raises(affetto.AffettoError, match="say resume"):
        api.perceive_file(film, out, watching=watching)
    api.perceive_file(film, out, watching=watching, resume=True)
    assert not list(tmp_path.glob("*.part*"))
    one, other = next(api.read(whole)), next(api.read(out))
    assert one.people.keys() == other.people.keys()
    for a, b in zip(one.tracks, other.tracks, strict=True):
        assert (a.subject, a.channel, a.space.id, len(a)) == (b.subject, b.channel, b.space.id, len(b))
        if a.channel == "face":
            assert np.allclose(a.values, b.values, atol=0.02, equal_nan=True)


def test_a_film_without_sound_is_seen_and_a_sound_without_film_heard(film, seen):
    record = next(api.read(film))
    mute = affetto.perceive(replace(record, signals=tuple(s for s in record.signals if isinstance(s, Frames))))
    assert {track.channel for track in mute.tracks} == {"face", "text", "fused"}
    assert {name: facts["face"] for name, facts in mute.people.items()} == {
        name: facts["face"] for name, facts in seen.people.items()
    }
    blind = affetto.perceive(replace(record, signals=record.signals[:1]))
    assert {track.channel for track in blind.tracks} == {"voice", "text", "fused"}
    assert set(blind.people) == {"Ann", "Ben", "Sam"}


@pytest.mark.parametrize(
    ("words", "said", "spaces"),
    [
        (
            "Ich weiß nicht, was das ist, aber wir sind da, und du bist auch da, so wie es immer war.",
            "de",
            {"brighter-6"},
        ),
        ("Je ne sais pas ce que c'est, mais nous sommes là et tu es dans la maison avec moi, pas vous.", "fr", set()),
    ],
)
def test_words_in_another_language_are_read_in_it_or_it_is_said(film, words, said, spaces):
    record = next(api.read(film))
    turns = tuple(replace(turn, text=words) for turn in record.turns)
    found = affetto.perceive(replace(record, signals=record.signals[:1], turns=turns))
    assert f"look like {said}" in found.meta["warning"]
    assert {track.space.id for track in found.tracks if track.channel == "text"} == spaces
    assert any(track.channel == "voice" for track in found.tracks)


def test_deviations_come_where_they_are_asked_for(film):
    (record,) = affetto.perceive(film, watching=timeline.Watching(baseline=True, fusion=""))
    spaces = {track.space.id for track in record.tracks}
    assert {"facs-au.deviation", "ekman-8.deviation"} <= spaces and "conflict" not in spaces
    assert not any(track.channel == "fused" for track in record.tracks)


def test_who_speaks_longest_in_a_turn_says_it():
    speaking = catalog.load("speaking")
    ann = Track(speaking, [0, 5], [2, 6], [[1], [1]], subject="ann", channel="voice")
    ben = Track(speaking, [1.5, 8], [5, 9], [[0.9], [np.nan]], subject="ben", channel="voice")
    turns = [Turn("someone", span, "x") for span in (Span(0, 3, "s"), Span(2, 5, "s"), Span(8, 9, "s"), None)]
    assert [turn.speaker for turn in timeline.spoken(turns, [ann, ben])] == ["ann", "ben", "someone", "someone"]


def test_twelve_people_are_all_there(tmp_path):
    wide, high = 1280, 720
    heads = [Head(LOOKS[k % len(LOOKS)], 88.0) for k in range(12)]

    def drawn():
        for number in range(6):
            picture = np.full((high, wide, 3), (120, 140, 110), np.uint8)
            for k, head in enumerate(heads):
                at = (wide * (k % 4 + 0.5) / 4, high * (k // 4 + 0.5) / 3)
                head.draw(picture, np.zeros(52, np.float32), np.array([number, 0, 0], np.float32), at)
            yield picture

    made.film(tmp_path / "twelve.mp4", drawn(), 5.0, np.zeros(19200, np.float32))
    (record,) = affetto.perceive(tmp_path / "twelve.mp4")
    assert set(record.people) == {f"person-{k + 1}" for k in range(12)}
