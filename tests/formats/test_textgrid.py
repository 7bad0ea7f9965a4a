import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import textgrid, textgrid_reading
from affetto.formats.finding import find_space
from tests import strategies

EKMAN, VA = find_space("ekman-7"), find_space("va")
SAID = 'she said ""no"", 😀 שלום \\ae %7C'


def clip():
    values = np.array([[0.5, 0.25, 0.25, 0, 0, 0, 0], [0, 0, 0, 0.75, 0.25, 0, 0], [np.nan] * 7, [0, 0, 0, 0, 0, 0, 1]])
    moods = Track(
        EKMAN, [0, 1, 2, 3], [1.5, 2, 3, 3], values, "s", "Ann|B", "expressed", "voice", "m@1", [0.5, np.nan, 0, 1],
        note=("a # b", "", "no voice", ""),
    )  # fmt: skip
    curve = Track(VA, [0, 1], [1, 2], [[0.1, -1], [np.nan, 0]], "s", "Ann|B", "felt", "fused")
    turns = (Turn("Ann|B", Span(0.1, 1.5), SAID), Turn("Ann|B", Span(1, 2), ""), Turn("Bo", Span(2, 2), "\n\t!"))
    return Record("x", turns=turns, tracks=(moods, curve))


def test_a_record_comes_back(tmp_path):
    path = tmp_path / "x.TextGrid"
    textgrid.write([clip()], path)
    (back,) = textgrid.read(path)
    assert back == clip()
    more = [clip(), replace(clip(), id="y z 😀"), Record("broken", meta={"error": "torn"}), Record("none")]
    textgrid.write(more, path)
    assert list(textgrid.read(path)) == more


@settings(max_examples=25)
@given(data=st.data())
def test_tracks_in_seconds_come_back(tmp_path_factory, data):
    spaces = ["ekman-7", "va", "plutchik-8", "goemotions-28"]
    track = data.draw(strategies.tracks(space=find_space(data.draw(st.sampled_from(spaces)))))
    track = replace(track, unit="s", box=None, about=None)
    path = tmp_path_factory.mktemp("grid") / "x.TextGrid"
    textgrid.write([Record("x", tracks=(track,))], path)
    (back,) = textgrid.read(path)
    assert len(back.tracks) == bool(len(track))
    for said in back.tracks:
        told = track[np.lexsort((track.end, track.start))]
        if said.confidence is None:
            assert told.confidence is None or np.isnan(told.confidence).all()
            told = replace(told, confidence=None)
        if said.note is None:
            assert not any(told.note or ())
            told = replace(told, note=None)
        assert sorted(rows(said)) == sorted(rows(told))
        assert said.source == told.source and said.subject == told.subject and said.perspective == told.perspective


def rows(track):
    columns = [track.start.tolist(), track.end.tolist(), map(str, track.values.tolist())]
    columns += [[None] * len(track) if c is None else list(map(str, c)) for c in (track.confidence, track.note)]
    return [str(row) for row in zip(*columns, strict=True)]


@pytest.fixture
def praat():
    return pytest.importorskip("parselmouth").praat.call


def test_praat_reads_what_we_write(tmp_path, praat):
    path = tmp_path / "x.TextGrid"
    textgrid.write([replace(clip(), signals=(Audio("a.wav", 16000, 7.5),))], path)
    grid = praat("Read from file", str(path))
    assert praat(grid, "Get total duration") == 7.5
    names = [praat(grid, "Get tier name", i + 1) for i in range(int(praat(grid, "Get number of tiers")))]
    mine = "Ann%7CB|voice|ekman-7|expressed|m@1"
    assert names == [
        "Ann%7CB", "Ann%7CB|2", "Bo", mine, f"{mine}|2", f"{mine}|3", f"{mine}|numbers", f"{mine}|numbers|2",
        f"{mine}|numbers|3", "Ann%7CB|fused|va|felt|",
    ]  # fmt: skip
    assert praat(grid, "Get label of interval", 1, 2) == SAID
    assert praat(grid, "Get label of interval", 4, 1) == "anger"
    assert praat(grid, "Get start time of interval", 5, 2) == 1.0
    assert praat(grid, "Get label of point", 6, 1) == EKMAN.names[6]
    assert praat(grid, "Get label of interval", 10, 1) == "valence=0.1 arousal=-1.0"
    assert praat(grid, "Get number of intervals", 10) == 3
    textgrid.write([clip(), Record("empty")], path)
    two = praat("Read from file", str(path))
    assert [praat(one, "Get number of tiers") for one in two] == [10, 1]


def test_we_read_what_praat_writes(tmp_path, praat):
    grid = praat("Create TextGrid", 0, 2.5, "Mary bell", "bell")
    praat(grid, "Insert boundary", 1, 1.25)
    praat(grid, "Set interval text", 1, 2, 'he said "hi" é 日本 😀')
    praat(grid, "Insert point", 2, 0.5, "dong")
    turns = (Turn("bell", Span(0.5, 0.5), "dong"), Turn("Mary", Span(1.25, 2.5), 'he said "hi" é 日本 😀'))
    for form in ("text", "short text"):
        path = tmp_path / "x.TextGrid"
        praat(grid, f"Save as {form} file", str(path))
        (record,) = textgrid.read(path)
        assert record == Record("x", turns=turns)
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"):
            text = textgrid_reading._decoded(path.read_bytes(), "x")
            other = tmp_path / "x.textgrid"
            other.write_bytes(
                ("\ufeff" * (encoding[-3:] in ("-le", "-be")) + text.replace("\n", "\r\n")).encode(encoding)
            )
            assert list(textgrid.read(other)) == [record]
    praat([grid, grid], "Save as text file", str(path))
    assert [one.turns for one in textgrid.read(path)] == [turns, turns]
    for form, why in (("binary", "binary TextGrid"), ("chronological text", "Save as text file")):
        praat(grid, f"Save as {form} file", str(path))
        with pytest.raises(UnreadableError, match=why):
            list(textgrid.read(path))


def test_what_a_person_corrects_in_praat_counts(tmp_path, praat):
    path = tmp_path / "x.TextGrid"
    track = replace(clip().tracks[0][:1], note=None)
    other = replace(track, start=[4.0], end=[5.0])
    textgrid.write([Record("x", tracks=(replace(track, subject="A"), replace(other, subject="A", source="r")))], path)
    grid = praat("Read from file", str(path))
    praat(grid, "Set interval text", 1, 1, "joy")
    praat(grid, "Set interval text", 3, 2, "")
    praat(grid, "Save as text file", str(path))
    (record,) = textgrid.read(path)
    (said,) = record.tracks
    assert said.top().name == "joy" and said.values[0].max() == 1 and said.confidence is None
    praat(grid, "Set interval text", 1, 1, "joj")
    praat(grid, "Save as text file", str(path))
    with pytest.raises(UnreadableError, match="'joj' at 0 s is no name in the space ekman-7 of 'A'"):
        list(textgrid.read(path))


def test_a_tier_of_a_rater_and_a_tier_in_a_given_space(tmp_path):
    path = tmp_path / "x.TextGrid"
    path.write_text(
        'File type = "ooTextFile"\nObject class = "TextGrid"\n0 3 <exists> 3\n"IntervalTier" "Ann|face|va" 0 3 1 0 3 '
        '"arousal=0.5" ! a comment "here"\n"IntervalTier" "mood" 0 3 2 0 1 "joy" 1 3 "?"\n'
        '"TextTier" "words" 0 3 1 1 "joyful"'
    )
    (record,) = textgrid.read(path, space="ekman-7")
    curve, mood = record.tracks
    assert (curve.subject, curve.channel, curve.column("arousal")[0]) == ("Ann", "face", 0.5) and np.isnan(
        curve.values[0, 0]
    )
    assert (mood.subject, mood.top(0).name, mood.top(1)) == ("mood", "joy", None)
    assert [turn.text for turn in record.turns] == ["joyful"]
    (record,) = textgrid.read(path)
    assert [turn.text for turn in record.turns] == ["joy", "joyful", "?"] and len(record.tracks) == 1


HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n1\n"IntervalTier"\n'


@pytest.mark.parametrize(
    "text, why",
    [
        (HEAD, "line 9 of x.TextGrid wants a text in quotes, and the file ends; it was cut off"),
        (HEAD + '"a" 0 3 99999999999999 0 1 "b"', "cut off"),
        (HEAD + '"a" 0 3 1e300 0 1 "b"', "cut off"),
        (HEAD + '"a" 0 3 -1', "wants a count, not -1"),
        (HEAD + '"a" 0 3 1 2 1 "b"', "ends an interval of 'a' at 1.0, before 2.0"),
        (HEAD + '"a" 0 3 1 -2 1 "b"', "seconds >= 0, not -2"),
        (HEAD + '"a" 0 3 1 1e999 1 "b"', "seconds >= 0, not inf"),
        (HEAD + '"a" 0 3 1 1.2.3 1 "b"', "wants a number, not 1.2.3"),
        (HEAD + '"a" 0 3 1 0 "b" 1', "wants a number, not '\"b\"'"),
        (HEAD + '"a" 0 3 1 0 1 "b', "wants a text in quotes"),
        (HEAD.replace("IntervalTier", "Table"), "not 'Table'|cut off"),
        (HEAD + '"a|voice|va" 0 3 1 0 1 "joyful"', "'joyful' is not said as name=value"),
        (HEAD + '"a|voice|va" 0 3 1 0 1 "valence=7"', "low..high"),
        (HEAD + '"a|voice|va" 0 3 1 0 1 "joy=1"', "'joy' at 0 s is no name"),
        ('File type = "ooTextFile"\nObject class = "Pitch 1"', "holds a 'Pitch 1'"),
        ('File type = "ooTextFile"\nObject class = "Collection"\n2 "Sound"', "holds a 'Sound' among"),
        ("SPEAKER x", "no TextGrid|cut off"),
        ('"' * 999_999, "wants a text|no TextGrid"),
    ],
)
def test_hostile_files_are_refused(tmp_path, text, why):
    path = tmp_path / "x.TextGrid"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=why) as caught:
        list(textgrid.read(path))
    assert "x.TextGrid" in str(caught.value) and len(str(caught.value)) < 500


def test_size_and_encoding_are_checked_first(tmp_path, monkeypatch):
    path = tmp_path / "x.TextGrid"
    for junk, why in ((b"\xff\xfea", "no UTF-16"), (b'"\xe9"', r"no UTF-8 \(byte 1\)")):
        path.write_bytes(junk)
        with pytest.raises(UnreadableError, match=why):
            list(textgrid.read(path))
    with pytest.raises(UnreadableError, match=re.escape("nowhere")):
        list(textgrid.read(tmp_path / "nowhere.TextGrid"))
    monkeypatch.setattr(textgrid_reading, "LARGEST", 1)
    with pytest.raises(UnreadableError, match="larger than"):
        list(textgrid.read(path))


def test_a_label_of_seven_megabytes_goes_through(tmp_path):
    path = tmp_path / "x.TextGrid"
    big = Record("x", turns=(Turn("a", Span(0, 1), '日本"' * 1_000_000),))
    textgrid.write([big], path)
    assert list(textgrid.read(path)) == [big]
