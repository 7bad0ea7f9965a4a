import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import rttm
from affetto.formats.finding import find_space
from tests import strategies

EKMAN = find_space("ekman-7")


def talk(**changes):
    values = np.full((3, 7), np.nan)
    values[0] = values[2] = [0, 0, 0, 0.75, 0.25, 0, 0]
    values[2] = values[2][::-1]
    track = Track(
        EKMAN, [0, 1.5, 2], [1.5, 2, 3.25], values, "s", "Ann Lee", channel="voice", confidence=[0.5, 1, np.nan]
    )
    return replace(Record("clip 1", turns=(Turn("Ann Lee", Span(0, 1.5), "hi"),), tracks=(track,)), **changes)


def test_a_line_a_row_with_the_fields_of_the_standard(tmp_path):
    path = tmp_path / "x.rttm"
    rttm.write([talk()], path)
    assert path.read_text("utf-8").splitlines() == [
        "SPEAKER clip%201 1 0.000 1.500 <NA> <NA> Ann%20Lee|joy 0.5 <NA>",
        "SPEAKER clip%201 1 2.000 1.250 <NA> <NA> Ann%20Lee|joy <NA> <NA>",
    ]


def test_turns_speak_where_no_track_does_and_nothing_goes_unmentioned(tmp_path):
    path = tmp_path / "x.rttm"
    silent = Record("2", tracks=(Track(EKMAN, [0], [9], [[1, 0, 0, 0, 0, 0, 0]], "char"),))
    rttm.write([talk(tracks=()), silent, Record("3", meta={"error": "torn\nSPEAKER 3"})], path)
    assert path.read_text("utf-8").splitlines() == [
        "SPEAKER clip%201 1 0.000 1.500 <NA> <NA> Ann%20Lee <NA> <NA>",
        ";; 2 says nothing in seconds with labels",
        ";; 3 error: torn SPEAKER 3",
    ]
    (back,) = rttm.read(path)
    assert back == Record("clip 1", turns=(Turn("Ann Lee", Span(0, 1.5), ""),))


@settings(max_examples=30)
@given(data=st.data())
def test_tops_times_and_subjects_come_back(tmp_path_factory, data):
    track = data.draw(strategies.tracks(space=EKMAN).filter(lambda t: t.unit == "s"))
    record = Record(data.draw(strategies.texts), tracks=(track,))
    path = tmp_path_factory.mktemp("rttm") / "x.rttm"
    rttm.write([record], path)
    back = list(rttm.read(path, space="ekman-7"))
    kept = [i for i in range(len(track)) if track.top(i) is not None]
    assert len(back) == bool(kept)
    for one in back:
        (said,) = one.tracks
        assert (one.id, said.subject, len(said)) == (record.id, track.subject, len(kept))
        wanted, got = (
            sorted((round(of.start[i], 5), round(of.end[i], 5), of.top(i).name) for i in rows)
            for of, rows in ((track, kept), (said, range(len(said))))
        )
        np.testing.assert_allclose([x[:2] for x in got], [x[:2] for x in wanted], rtol=1e-9, atol=2e-5)
        assert sorted(x[2] for x in got) == sorted(x[2] for x in wanted)


def test_lines_of_other_tools(tmp_path):
    path = tmp_path / "x.rttm"
    path.write_text(
        ";; made elsewhere\nSPKR-INFO b 1 <NA> <NA> <NA> unknown s1 <NA> <NA>\n\n"
        "SPEAKER b 1 3.0 1 <NA> <NA> angry <NA>\nSPEAKER a 1 0 2 <NA> <NA> שרה|joy 7 <NA>\n"
        "SPEAKER b 1 1 1 <NA> <NA> sad\n"
    )
    b, a = rttm.read(path)
    assert [turn.speaker for turn in b.turns] == ["sad", "angry"] and not b.tracks and b.turns[0].span == Span(1, 2)
    (track,) = a.tracks
    assert (track.subject, track.space.kind, track.top().name, track.confidence) == ("שרה", "open", "joy", None)
    path.write_text("SPEAKER b 1 3.0 1 <NA> <NA> anger <NA> <NA>\nSPEAKER b 1 4 1 <NA> <NA> <NA> <NA> <NA>")
    (track,) = next(rttm.read(path, "ekman-7")).tracks
    assert track.subject == "speaker" and track.top(0).name == "anger" and track.top(1) is None
    path.write_text("SPEAKER b 1 3.0 1 <NA> <NA> hapy <NA> <NA>\n")
    with pytest.raises(UnreadableError, match="'hapy' is none of anger"):
        list(rttm.read(path, "ekman-7"))
    with pytest.raises(UnknownNameError, match="ekman-7"):
        list(rttm.read(path, "ekman7"))


@pytest.mark.parametrize(
    "line, why",
    [
        (b"SPEAKER b 1 0 1 <NA> <NA>", "8 to 10 fields"),
        (b"SPEAKER b 1 0 1 <NA> <NA> a b c d", "8 to 10 fields"),
        (b"WORD b 1 0 1 <NA> <NA> a", "no RTTM"),
        (b"SPEAKER b 1 0 -1 <NA> <NA> a", "not 0 and -1"),
        (b"SPEAKER b 1 -1 1 <NA> <NA> a", ">= 0"),
        (b"SPEAKER b 1 nan 1 <NA> <NA> a", "finite"),
        (b"SPEAKER b 1 1e308 1e308 <NA> <NA> a", "finite"),
        (b"SPEAKER b 1 x 1 <NA> <NA> a", "not x"),
        (b"\xff\xfeS\0P\0E\0", "no UTF-8"),
        (b"x" * 10_000_000, "longer than"),
    ],
)
def test_hostile_lines_are_refused_with_their_number(tmp_path, line, why):
    path = tmp_path / "x.rttm"
    path.write_bytes(b";; fine\n" + line)
    with pytest.raises(UnreadableError, match=re.escape(why)) as caught:
        list(rttm.read(path))
    assert "line 2 of x.rttm" in str(caught.value) and len(str(caught.value)) < 300


def test_a_flood_of_labels_is_refused(tmp_path):
    path = tmp_path / "x.rttm"
    path.write_text("".join(f"SPEAKER b 1 {i} 1 <NA> <NA> a|w{i} <NA> <NA>\n" for i in range(1001)))
    with pytest.raises(UnreadableError, match="different labels"):
        list(rttm.read(path))
