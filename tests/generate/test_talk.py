"""Talks before they are played: when lines are spoken, what faces show, and whether the truth says just that."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog, plain
from affetto.core.errors import MalformedError
from affetto.generate.acting import FACES, acted, index
from affetto.generate.talk import (
    FEELINGS,
    RATE,
    Boxes,
    Line,
    Person,
    Spoken,
    Talk,
    Utterance,
    duration,
    faces,
    sound,
    spoken,
    truth,
)

ANN, BEN, SAM = Person("Ann", "left"), Person("Ben", "right"), Person("Sam")


def heard(seconds: float) -> Utterance:
    mouth = np.full((round(seconds * 100), 3), 0.8, np.float32)
    return Utterance(np.full(round(seconds * RATE), 0.3, np.float32), mouth, {"corpus": "c"})


def talk(*lines: Line) -> Talk:
    return Talk("t", (ANN, BEN, SAM), lines)


def boxes(seconds: float) -> dict[str, Boxes]:
    times = np.arange(round(seconds * 25)) / 25
    box = np.tile(np.array([10, 20, 110, 150], np.float32), (len(times), 1))
    return {name: Boxes(times, box, np.zeros((len(times), 52), np.float32)) for name in ("Ann", "Ben")}


def told(*lines: Line, seconds: float = 1.0) -> tuple[tuple[Spoken, ...], object]:
    one = talk(*lines)
    said = spoken(one, lambda line: heard(seconds))
    length = duration(one, said)
    return said, truth(one, said, boxes(length), length)


@given(st.lists(st.tuples(st.floats(-0.8, 2), st.floats(0.2, 3)), min_size=1, max_size=6))
def test_lines_follow_each_other_after_their_pauses(parts: list[tuple[float, float]]) -> None:
    lengths = iter([seconds for _, seconds in parts])
    one = talk(*(Line("Ann", "x", pause=pause) for pause, _ in parts))
    said = spoken(one, lambda line: heard(next(lengths)))
    for number, (before, after) in enumerate(pairwise(said), 1):
        latest = max(one.end for one in said[:number])
        assert after.start >= 0 and (after.line.pause < 0 or after.start >= before.end - 1e-3)
        assert after.start <= latest + after.line.pause + 1e-3 or after.line.pause < 0
    assert duration(one, said) >= max(one.end for one in said)


def test_sounds_add_where_they_overlap_and_never_clip() -> None:
    one = talk(Line("Ann", "x"), Line("Ben", "y", pause=-0.5))
    said = spoken(one, lambda line: Utterance(np.full(RATE, 0.9, np.float32), np.zeros((100, 3), np.float32)))
    mixed = sound(said, duration(one, said))
    both = mixed[round((said[1].start + 0.1) * RATE)]
    alone = mixed[round((said[0].start + 0.1) * RATE)]
    assert both == pytest.approx(2 * alone, rel=1e-4) and np.abs(mixed).max() <= 0.981


def test_the_truth_tells_who_speaks_and_what_each_channel_shows() -> None:
    line = Line("Ben", "Wonderful.", "anger", face="joy", words="joy", listeners={"Ann": "surprise"})
    said, record = told(Line("Ann", "Hi!", "joy"), line, Line("Sam", "Bye.", "sadness"))
    top = {
        (track.subject, track.channel): [track.top(k).name for k in range(len(track))]
        for track in record.tracks
        if track.space.id == "ekman-7"
    }
    assert top["Ben", "voice"] == ["anger"] and top["Ben", "text"] == ["joy"]
    assert "joy" in top["Ben", "face"] and "anger" not in top["Ben", "face"]
    assert "anger" in top["Ben", "fused"] and "surprise" in top["Ann", "fused"]
    assert ("Sam", "face") not in top and top["Sam", "fused"] == ["sadness"]
    conflict = next(t for t in record.tracks if t.space.id == "conflict" and t.subject == "Ben")
    assert conflict.values[0].tolist() == [1, 0, 1, 0] and conflict.note == ("words joy, voice anger, face joy",)
    speaking = {t.subject: (t.start[0], t.end[0]) for t in record.tracks if t.space.id == "speaking"}
    assert speaking == {one.line.speaker: (one.start, pytest.approx(one.end)) for one in said}
    assert record.people["Ann"] == {"visible": True, "side": "left"} and record.people["Sam"] == {"visible": False}
    assert record.meta["lines"][1]["conflict"] and record.meta["lines"][1]["corpus"] == "c"
    assert plain.to_record(plain.from_record(record), catalog.load) == record


def test_a_face_shows_its_feeling_a_little_longer_than_its_line() -> None:
    said, _ = told(Line("Ann", "Hi!", "joy"), Line("Ben", "Yes.", pause=2.0))
    shown = faces("Ann", said, 5.0)
    assert shown[round(said[0].start * 10)] == shown[round((said[0].end + 0.2) * 10)] == "joy"
    assert shown[round((said[0].end + 0.6) * 10)] == "neutral" and faces("Ben", said, 5.0)[8] == "neutral"


def test_rows_of_faces_are_whole_and_bear_boxes() -> None:
    _, record = told(Line("Ann", "Hi!", "joy"))
    for track in record.tracks:
        if track.channel == "face":
            assert track.box is not None and track.box.tolist() == [[10, 20, 110, 150]] * len(track)
            assert track.start[0] == 0 and np.allclose(track.start[1:], track.end[:-1])


def test_what_is_no_feeling_or_nobody_is_refused() -> None:
    with pytest.raises(MalformedError, match="anger, disgust"):
        Line("Ann", "x", "bliss")
    with pytest.raises(MalformedError, match="Eve"):
        talk(Line("Eve", "x"))


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(FEELINGS), st.integers(0, 50))
def test_acting_stays_in_range_and_shows_the_feeling(feeling: str, seed: int) -> None:
    one = talk(Line("Ann", "x", feeling))
    said = spoken(one, lambda line: heard(2.0))
    acting = acted(one, said, duration(one, said), 25, seed)
    assert set(acting) == {"Ann", "Ben"}
    ann, ben = acting["Ann"].arkit, acting["Ben"].arkit
    assert ann.shape == (len(acting["Ann"].times), 52) and ann.min() >= 0 and ann.max() <= 1
    during = (acting["Ann"].times > said[0].start + 0.5) & (acting["Ann"].times < said[0].end)
    for name, share in FACES[feeling].items():
        if share > 0.7 and not name.startswith("eye"):
            k = index(name)[0]
            assert ann[during, k].mean() > ben[during, k].mean() + 0.2
    jaw = index("jawOpen")[0]
    assert ann[during, jaw].mean() > 0.2 > ben[during, jaw].mean()


def test_acting_repeats_with_its_seed() -> None:
    one = talk(Line("Ann", "x", "joy"))
    said = spoken(one, lambda line: heard(1.0))
    first, again, other = (acted(one, said, 2.2, 25, seed)["Ann"].arkit for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
