"""Which face belongs to which voice: made mouths and voices with known owners, and the laws of probabilities."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError, MalformedError
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.models.fusion import linking, mouths
from affetto.models.fusion.linking import LinkingOptions, Links, gathered, linked, marginals, named, turned

SHAPES, SPEAKING, SEVEN = (catalog.load(id) for id in ("arkit-52", "speaking", "ekman-7"))
TALK = {"Ann": [(0, 4), (9, 13), (20, 24)], "Ben": [(4.5, 8.5), (14, 19), (25, 29)]}
SECONDS = 30.0


def voice(name: str, spans: list[tuple[float, float]]) -> Track:
    start, end = np.transpose(spans)
    return Track(SPEAKING, start, end, np.ones((len(spans), 1)), subject=name, channel="voice")


def face(name: str, spans: list[tuple[float, float]], seed: int, rate: float = 5.0, seen=(0.0, SECONDS)) -> Track:
    """Return a face that speaks in spans (a jaw that opens at 3 to 5 Hz) and trembles all the time."""
    rng = np.random.default_rng(seed)
    at = np.arange(seen[0], seen[1], 1 / rate)
    values = np.abs(rng.normal(0.05, 0.008, (len(at), len(SHAPES.axes))))
    talks = np.any([(start <= at) & (at < end) for start, end in spans], axis=0) if spans else np.zeros(len(at), bool)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(rng.uniform(3, 5, len(at))) / rate + rng.uniform(0, 6, len(at)))
    for shape, size in (("jawOpen", 0.3), ("mouthLowerDownLeft", 0.15), ("mouthFunnel", 0.1)):
        values[:, SHAPES.index(shape)] += talks * size * wave
    return Track(SHAPES, at, at + 1 / rate, np.clip(values, 0, 1), subject=name, channel="face")


def two(rate: float = 5.0, seed: int = 0) -> list[Track]:
    return [
        face("person-1", TALK["Ben"], seed, rate),
        face("person-2", TALK["Ann"], seed + 1, rate),
        *(voice(name, spans) for name, spans in TALK.items()),
    ]


def chance(links: Links, face: str, voice: str) -> float:
    return links.probability[face][voice]


@pytest.mark.parametrize("rate", [3.0, 5.0, 12.5, 25.0])
def test_two_faces_get_their_own_voices(rate: float) -> None:
    for seed in range(3):
        links = linked(two(rate, seed * 10))
        assert links.pairs == {"Ann": "person-2", "Ben": "person-1"}
        assert chance(links, "person-2", "Ann") > 0.8 > 0.2 > chance(links, "person-1", "Ann")


def test_a_silent_listener_and_a_voice_off_screen_stay_alone() -> None:
    listener = [face("person-1", TALK["Ann"], 1), face("person-2", [], 2), voice("Ann", TALK["Ann"])]
    assert linked(listener).pairs == {"Ann": "person-1"}
    assert linked([face("person-1", [], 3), voice("narrator", [(0.5, 28)])]).pairs == {}
    hidden = [face("person-1", TALK["Ann"], 4), *(voice(name, spans) for name, spans in TALK.items())]
    assert linked(hidden).pairs == {"Ann": "person-1"}


def test_one_face_and_one_voice_are_one_person_only_by_the_mouth() -> None:
    sure = linked([face("person-1", TALK["Ann"], 5), voice("voice-1", TALK["Ann"])])
    other = linked([face("person-1", TALK["Ben"], 5), voice("voice-1", TALK["Ann"])])
    blink = linked([face("person-1", [], 5, seen=(0, 0.5)), voice("voice-1", [(0, 29)])])
    assert chance(sure, "person-1", "voice-1") > 0.8 and sure.pairs == {"voice-1": "person-1"}
    assert chance(other, "person-1", "voice-1") < 0.2
    assert 0.02 < chance(blink, "person-1", "voice-1") < 0.5 and not blink.pairs


def test_more_evidence_makes_surer() -> None:
    short = [track[track.end <= 3.0] if track.channel == "voice" else track[np.flatnonzero(track.end <= 2.0)]
             for track in (face("person-1", [(0, 30)], 7), voice("Ann", [(0, 2), (2, 3)]))]  # fmt: skip
    long = [face("person-1", TALK["Ann"], 7), voice("Ann", TALK["Ann"])]
    assert chance(linked(short), "person-1", "Ann") < chance(linked(long), "person-1", "Ann")


def test_nothing_and_nobody() -> None:
    assert linked([]) == Links((), (), {}, {})
    alone = linked([voice("Ann", TALK["Ann"])])
    assert alone.voices == ("Ann",) and alone.probability == {} and alone.pairs == {}
    empty = Track(SHAPES, [0], [9], np.full((1, 52), np.nan), subject="person", channel="face", note=["no face"])
    assert linked([empty]).faces == ()
    quiet = Track(SPEAKING, [0], [9], [[np.nan]], subject="voice", channel="voice", note=["no voice"])
    assert linked([face("person-1", [], 1), quiet]).voices == ()
    assert linked([face("person-1", [], 1)]).probability == {"person-1": {}}


def test_gaps_and_several_tracks_of_one_subject_are_no_motion() -> None:
    parts = [face("person-1", TALK["Ann"], 1, seen=(0, 12)), face("person-1", TALK["Ann"], 2, seen=(18, 30))]
    links = linked([*parts, voice("Ann", TALK["Ann"])])
    assert links.faces == ("person-1",) and links.pairs == {"Ann": "person-1"}
    jump = Track(SHAPES, [0, 5], [0.2, 5.2], np.stack([np.zeros(52), np.ones(52)]), subject="x", channel="face")
    assert np.isnan(mouths.motion(jump, 60)).all()


def test_activity_is_the_share_of_each_cell() -> None:
    said = mouths.activity([voice("a", [(0.05, 0.25)]), voice("a", [(0.2, 0.3)])], 5)
    assert said == pytest.approx([0.5, 1, 1, 0, 0], abs=1e-6)


def brute(odds: np.ndarray) -> np.ndarray:
    """Go over all ways to link."""
    faces, voices = odds.shape
    found, total = np.zeros(odds.shape), 0.0
    for way in itertools.product(range(-1, faces), repeat=voices):
        used = [f for f in way if f >= 0]
        if len(used) != len(set(used)):
            continue
        weight = np.exp(sum(odds[f, v] for v, f in enumerate(way) if f >= 0))
        total += weight
        for v, f in enumerate(way):
            if f >= 0:
                found[f, v] += weight
    return found / total


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 1 << 30))
def test_joint_probabilities_go_over_all_ways(faces: int, voices: int, seed: int) -> None:
    odds = np.random.default_rng(seed).normal(0, 3, (faces, voices))
    assert marginals(odds) == pytest.approx(brute(odds).reshape(faces, voices), abs=1e-9)


@pytest.mark.parametrize("shape", [(12, 12), (3, 40), (40, 10), (30, 30)])
def test_many_people_are_shared_out(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(-4, 1, shape)
    own = range(min(shape))
    odds[own, own] = 4
    found = marginals(odds)
    assert (found >= 0).all() and found.sum(0).max() <= 1 + 1e-6 and found.sum(1).max() <= 1 + 1e-6
    assert (found[own, own] > 0.8).all()


def test_the_fixed_point_is_near_the_exact_one() -> None:
    odds = np.random.default_rng(2).normal(-1, 2, (4, 4))
    assert linking._shared(np.exp(odds)) == pytest.approx(marginals(odds), abs=0.12)


def test_everybody_has_one_name_in_all_channels() -> None:
    felt = Track(SEVEN, [0], [4], np.eye(7)[:1], subject="Ann", channel="text")
    evoked = Track(SEVEN, [0], [4], np.eye(7)[:1], subject="Ann", perspective="evoked")
    reader = Track(SEVEN, [0], [4], np.eye(7)[:1], subject="reader")
    seen = Track(SEVEN, [0], [4], np.eye(7)[:1], subject="person-2", channel="face")
    off = voice("voice-3", [(29, 30)])
    tracks = [*two(), felt, evoked, reader, seen, off, face("person-3", [], 9)]
    links = linked(tracks)
    renamed, people = named(tracks, links, ["Ann"])
    names = [track.subject for track in renamed]
    assert names == ["person-1", "Ann", "Ann", "person-1", "Ann", "Ann", "reader", "Ann", "voice-3", "person-3"]
    assert list(people) == ["person-1", "Ann", "person-3", "voice-3"]
    ann = people["Ann"]
    assert (ann["face"], ann["voice"]) == ("person-2", "Ann") and ann["linked"] == ann["links"]["Ann"] > 0.5
    assert people["person-1"]["voice"] == "Ben" and set(people["person-1"]["links"]) == {"Ann", "Ben", "voice-3"}
    assert people["person-3"]["voice"] is None and people["person-3"]["linked"] is None
    assert people["voice-3"]["face"] is None and set(people["voice-3"]["links"]) == {"person-1", "person-2", "person-3"}
    turns = [Turn("Ann", Span(0, 4), "hi"), Turn("Ben", Span(4.5, 8), "yes"), Turn("Eve", None, "oh")]
    assert [turn.speaker for turn in turned(turns, links, ["Ann"])] == ["Ann", "person-1", "Eve"]
    assert [turn.speaker for turn in turned(turns, links)] == ["Ann", "Ben", "Eve"]
    untold = Links(("person-1",), ("voice-1",), {"person-1": {"voice-1": 0.9}}, {"voice-1": "person-1"})
    assert [turn.speaker for turn in turned([Turn("voice-1", None, "hi")], untold)] == ["person-1"]


def test_names_that_are_only_numbers_of_voices_are_no_names() -> None:
    links = Links(("person-1",), ("voice-1",), {"person-1": {"voice-1": 0.9}}, {"voice-1": "person-1"})
    assert links.called(["voice-1", "speaker"]) == ({"person-1": "person-1"}, {"voice-1": "person-1"})


def test_a_face_and_a_voice_of_one_name_that_are_two_people_stay_two() -> None:
    links = Links(("person-1",), ("person-1",), {"person-1": {"person-1": 0.1}}, {})
    tracks = (face("person-1", [], 1), voice("person-1", [(0, 3)]))
    renamed, people = named(tracks, links, ["person-1"])
    assert [track.subject for track in renamed] == ["person-2", "person-1"]
    assert people["person-2"]["face"] == "person-1" and people["person-1"]["voice"] == "person-1"
    crossed = Links(("person-1", "person-2"), ("person-1",), {"person-1": {}, "person-2": {}}, {"person-1": "person-2"})
    faces, voices = crossed.called(["person-1"])
    assert faces == {"person-1": "person-3", "person-2": "person-1"} and voices == {"person-1": "person-1"}


def test_it_is_a_model_of_perceived_records() -> None:
    model = catalog.load("fusion.linking")
    assert isinstance(model, Model) and model.card == catalog.find("fusion.linking")
    (tracks, nothing) = model([Record("a", tracks=tuple(two())), Record("b")])
    assert {track.subject for track in tracks} == {"person-1", "person-2"} and nothing == ()


def test_options_and_cards_that_cannot_be() -> None:
    with pytest.raises(MalformedError, match="threshold"):
        LinkingOptions(0.2)
    assert not linked(two(), LinkingOptions(1.0)).pairs
    card = catalog.find("fusion.linking")
    with pytest.raises(CatalogError, match="bias"):
        linking.load(type(card)(**{**card.__dict__, "facts": {}}))


def test_a_voice_that_sounds_like_two_is_one_where_one_mouth_speaks_both() -> None:
    talk = [(start, start + 3.0) for start in range(0, 30, 5)]
    mouth, other = face("person-1", talk, 1), face("person-2", [(start + 3.2, start + 4.8) for start, _ in talk], 2)
    split = [mouth, other, voice("voice-1", talk[::2]), voice("voice-2", talk[1::2])]
    one = gathered(split)
    (heard,) = (track for track in one if track.space.id == "speaking")
    assert len(heard) == len(talk) and list(heard.start) == sorted(heard.start)
    assert linked(one).pairs == {heard.subject: "person-1"}
    assert [track.subject for track in gathered(split, ["voice-1", "voice-2"])] == [track.subject for track in split]
    twice = [mouth, other, voice("voice-1", talk), voice("voice-2", [(start + 0.5, end) for start, end in talk])]
    assert len(gathered(twice)) == 4, "two who are heard at once are two"
    assert gathered(two()) == tuple(two())
