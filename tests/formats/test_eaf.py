import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import eaf
from affetto.formats.finding import find_space
from tests import perceived, strategies

EKMAN, VA = find_space("ekman-7"), find_space("va")


def kept(record):
    """What a document holds of a Record: Tracks in seconds of not too many axes, without their boxes."""
    tracks = tuple(replace(track, box=None) for track in record.tracks if len(track.space.axes) < 40)
    return replace(record, tracks=tracks)


def read(path):
    (record,) = eaf.read(path)
    return record


def moods(n=3, **more):
    values = np.tile([[0.625, 0.25, 0.125, 0, 0, 0, 0]], (n, 1))
    return Track(EKMAN, np.arange(n), np.arange(1, n + 1), values, "s", "Ann", "expressed", "voice", "m@1", **more)


def test_a_perceived_film_comes_back(tmp_path):
    path = tmp_path / "x.eaf"
    film = perceived.film()
    eaf.write([film], path)
    back = read(path)
    assert replace(back, tracks=()) == replace(film, tracks=())
    assert list(back.tracks) == list(kept(film).tracks)
    assert "person-2 voice egemaps-88: 2 rows in s" in path.read_text("utf-8")


def test_several_records_share_a_document(tmp_path):
    path = tmp_path / "x.eaf"
    records = [perceived.film(), perceived.film("other"), Record("broken", meta={"error": "torn"}), Record("none")]
    eaf.write(records, path)
    assert list(eaf.read(path)) == list(map(kept, records))
    eaf.write([], path)
    assert [record.id for record in eaf.read(path)] == ["x"]


def sayable(text):
    """A text that XML can hold."""
    return "".join(c for c in text if c >= " " and c not in "\ufffe\uffff")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_tracks_in_seconds_come_back_to_the_millisecond(tmp_path_factory, data):
    space = data.draw(strategies.spaces(kinds=("one", "any", "graded", "open"), min_axes=1))
    axes = {sayable(axis.name) or "x": axis for axis in space.axes}
    axes = tuple(replace(axis, name=name, unit=sayable(axis.unit)) for name, axis in axes.items())
    space = replace(space, id=sayable(space.id), axes=axes)
    track = data.draw(strategies.tracks(space=space))
    note = None if track.note is None else tuple(map(sayable, track.note))
    whose = {"subject": sayable(track.subject), "source": sayable(track.source), "note": note}
    track = replace(track, unit="s", box=None, about=None, **whose)
    path = tmp_path_factory.mktemp("eaf") / "x.eaf"
    eaf.write([Record("x", tracks=(track,))], path)
    for said in read(path).tracks:
        assert said.source == track.source and said.subject == track.subject and said.channel == track.channel
        assert rows(said) == rows(track)
    assert len(read(path).tracks) == bool(len(track))


def rows(track):
    """Times in milliseconds, values by name, confidence and note of each row, in any order."""
    found = []
    for i in range(len(track)):
        start, end = (round(float(at[i]) * 1000) for at in (track.start, track.end))
        values = {n: str(v) for n, v in zip(track.space.names, track.values[i], strict=True) if not np.isnan(v)}
        sure = "nan" if track.confidence is None else str(track.confidence[i])
        found.append(
            (start, max(end, start + 1), str(sorted(values.items())), sure, "" if track.note is None else track.note[i])
        )
    return sorted(found)


def test_pympi_reads_what_we_write(tmp_path):
    pympi = pytest.importorskip("pympi")
    path = tmp_path / "x.eaf"
    film = perceived.film()
    eaf.write([film], path)
    said = pympi.Elan.Eaf(str(path))
    assert said.get_annotation_data_for_tier("Ann words") == [
        (500, 3250, film.turns[0].text), (5500, 8000, film.turns[2].text)
    ]  # fmt: skip
    name = "Ann fused ekman-7"
    told = said.get_parameters_for_tier(name)
    assert (told["PARTICIPANT"], told["ANNOTATOR"]) == ("Ann", "fusion.late@1")
    assert said.get_linguistic_type_names() and "ekman-7|fused|expressed" in said.get_linguistic_type_names()
    fused = next(track for track in film.tracks if track.space.id == "ekman-7")
    labels = said.get_annotation_data_for_tier(name)
    assert all(a[1] <= b[0] for a, b in pairwise(labels))
    at = {second: text for start, end, text in labels for second in range(start // 1000, end // 1000)}
    assert [at[i] for i in range(12)] == ["?" if top is None else top.name for top in map(fused.top, range(12))]
    assert said.get_child_tiers_for(name) == [f"{name} numbers"]
    assert {text for text, *_ in said.get_cv_entries("ekman-7").values() for text in [text[0][0]]} == {
        *EKMAN.names,
        "?",
    }
    (medium,) = said.get_linked_files()
    assert medium["RELATIVE_MEDIA_URL"].endswith(perceived.PATH) and medium["MIME_TYPE"] == "video/mp4"
    again = tmp_path / "y.eaf"
    said.to_file(str(again))
    assert eaf_equal(read(again), kept(film))


def eaf_equal(one, other):
    return replace(one, id="") == replace(other, id="")


def test_we_read_what_pympi_writes(tmp_path):
    pympi = pytest.importorskip("pympi")
    said = pympi.Elan.Eaf(author="Mo")
    said.add_linked_file("file:///films/a.mp4", mimetype="video/mp4")
    said.add_tier("Feeling", part="Kim")
    said.add_tier("gesture left")
    said.add_tier("Kim utterances", part="Kim")
    said.tiers["Feeling"][2]["ANNOTATOR"] = "Lee"
    said.add_linguistic_type("assoc", constraints="Symbolic_Association", timealignable=False)
    said.add_tier("Translation", "assoc", "Kim utterances")
    for start, end, text in [(0, 900, "Joy"), (900, 2000, "sadness"), (2500, 3000, "")]:
        said.add_annotation("Feeling", start, end, text)
    said.add_annotation("gesture left", 100, 200, "point")
    said.add_annotation("gesture left", 300, 400, "wave")
    said.add_annotation("Kim utterances", 0, 1500, "Hoi")
    said.add_ref_annotation("Translation", "Kim utterances", 700, "Hello there, my friend.")
    path = tmp_path / "x.eaf"
    said.to_file(str(path))
    record = read(path)
    assert record.turns == (Turn("Kim", Span(0, 1.5), "Hoi"),) and record.meta == {"path": "/films/a.mp4"}
    feeling, gesture, translation = record.tracks
    assert (feeling.subject, feeling.source, feeling.space.id) == ("Kim", "rater:Lee", "ekman-7")
    assert [top and top.name for top in map(feeling.top, range(3))] == ["joy", "sadness", None]
    assert feeling.perspective == "perceived" and feeling.end.tolist() == [0.9, 2, 3]
    assert (gesture.subject, gesture.space.kind, gesture.space.names) == ("gesture left", "open", ("point", "wave"))
    assert gesture.values.tolist() == [[1, 0], [0, 1]]
    assert translation.note == ("Hello there, my friend.",) and translation.start.tolist() == [0]
    (other,) = eaf.read(path, space="ekman-8")
    assert other.tracks[0].space.id == "ekman-8" and other.tracks[1].space.kind == "open"
    with pytest.raises(UnknownNameError, match="ekman-7"):
        list(eaf.read(path, space="ekman7"))


def edited(path, *changes):
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    return read(path)


def test_what_a_person_corrects_in_elan_counts(tmp_path):
    path = tmp_path / "x.eaf"
    calm = moods(3, confidence=[0.5, 0.6, 0.7], note=("a", "", "b"))
    eaf.write([Record("x", tracks=(calm,))], path)
    assert read(path).tracks == (calm,)
    (track,) = edited(path, (">anger<", ">joy<")).tracks
    assert (len(track), track.top().name, track.end.tolist(), track.confidence, track.note) == (
        1,
        "joy",
        [3],
        None,
        None,
    )
    eaf.write([Record("x", tracks=(calm,))], path)
    (track,) = edited(path, ('ANNOTATOR="m@1"', 'ANNOTATOR="Lee"')).tracks
    assert track.source == "rater:Lee" and len(track) == 3 and track.values[0, 0] == np.float32(0.625)
    eaf.write([Record("x", tracks=(calm,))], path)
    with pytest.raises(UnreadableError, match="'joj' at 0 s is no name in the space ekman-7"):
        edited(path, (">anger<", ">joj<"))


def test_a_stretch_that_is_made_longer_has_its_label_there_and_its_numbers_before(tmp_path):
    path = tmp_path / "x.eaf"
    eaf.write([Record("x", tracks=(moods(2),))], path)
    text = path.read_text("utf-8")
    slot = re.search(r'ANNOTATION_ID="a1" TIME_SLOT_REF1="\w+" TIME_SLOT_REF2="(\w+)"', text)[1]
    (track,) = edited(path, (f'"{slot}" TIME_VALUE="2000"', f'"{slot}" TIME_VALUE="5500"')).tracks
    assert track.end.tolist() == [1, 2, 5.5]
    assert track.values[:, 0].tolist() == [0.625, 0.625, 1]


def test_graded_tracks_are_said_in_two_decimals_and_may_be_corrected(tmp_path):
    path = tmp_path / "x.eaf"
    curve = Track(VA, [0, 1], [1, 2], [[0.123456, -1], [np.nan, 0]], "s", "Ann", "felt", "fused", "m@1")
    eaf.write([Record("x", tracks=(curve,))], path)
    assert read(path).tracks == (curve,)
    (track,) = edited(path, (">valence 0.12, arousal -1.00<", ">arousal 0.5<")).tracks
    assert track.column("arousal").tolist() == [0.5, 0] and np.isnan(track.column("valence")).all()
    with pytest.raises(UnreadableError, match="'arousal much' at 0 s is not said as 'axis number"):
        edited(path, (">arousal 0.5<", ">arousal much<"))
    with pytest.raises(UnreadableError, match=r"low\.\.high"):
        edited(path, (">arousal much<", ">arousal 7<"))


BARE = """<?xml version="1.0"?><ANNOTATION_DOCUMENT AUTHOR="" DATE="" FORMAT="2.7" VERSION="2.7">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/><TIME_ORDER>{slots}</TIME_ORDER>{tiers}
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="t"/></ANNOTATION_DOCUMENT>"""


def bare(path, slots, *tiers):
    times = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="{id}"' + ("" if at is None else f' TIME_VALUE="{at}"') + "/>" for id, at in slots
    )
    body = ""
    for name, parent, *annotations in tiers:
        body += f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="t"' + (f' PARENT_REF="{parent}"' if parent else "") + ">"
        for id, where, text in annotations:
            kind = "REF_ANNOTATION" if len(where) == 1 else "ALIGNABLE_ANNOTATION"
            refs = (
                f'ANNOTATION_REF="{where[0]}"'
                if len(where) == 1
                else f'TIME_SLOT_REF1="{where[0]}" TIME_SLOT_REF2="{where[1]}"'
            )
            value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
            body += f'<ANNOTATION><{kind} ANNOTATION_ID="{id}" {refs}>{value}</{kind}></ANNOTATION>'
        body += "</TIER>"
    path.write_text(BARE.format(slots=times, tiers=body))
    return path


def test_annotations_without_times_share_those_of_their_neighbours_or_of_what_they_refer_to(tmp_path):
    path = bare(
        tmp_path / "x.eaf",
        [("t1", 0), ("t2", None), ("t3", None), ("t4", 3000)],
        ("deeper", "parts", ("b1", ("a2",), "x"), ("b2", ("a2",), "y")),
        ("parts", "", ("a1", ("t1", "t2"), "one"), ("a2", ("t2", "t3"), "two"), ("a3", ("t3", "t4"), "one")),
    )
    deeper, parts = read(path).tracks
    assert parts.start.tolist() == [0, 1, 2] and parts.end.tolist() == [1, 2, 3]
    assert deeper.start.tolist() == [1, 1.5] and deeper.end.tolist() == [1.5, 2]


A = ("a1", ("t1", "t2"), "x")
SLOTS = [("t1", 0), ("t2", 1000)]


@pytest.mark.parametrize(
    "slots, tiers, why",
    [
        ([("t1", -1), ("t2", 5)], [("x", "", A)], "the time 't1' of x.eaf wants a number >= 0, not '-1'"),
        ([("t1", "nan"), ("t2", 5)], [("x", "", A)], "wants a number"),
        ([("t1", 9), ("t2", 5)], [("x", "", A)], "ends an annotation of the tier 'x' at 5, before 9"),
        ([("t1", 9)], [("x", "", A)], "refers to a time 't2' that it does not have"),
        ([("t1", None), ("t2", None)], [("x", "", A)], "without any time"),
        (SLOTS, [("x", "", A), ("x", "", ("a2", ("t1", "t2"), "y"))], "two tiers called 'x'"),
        (SLOTS, [("x", "", A, A)], "two annotations called 'a1'"),
        (SLOTS, [("x", "", ("a1", ("a9",), "x"))], "refers to an annotation 'a9' that it lacks"),
        (SLOTS, [("x", "", ("a1", ("a2",), "x"), ("a2", ("a1",), "x"))], "in a circle"),
    ],
)
def test_documents_that_make_no_sense_are_refused(tmp_path, slots, tiers, why):
    with pytest.raises(UnreadableError, match=why) as caught:
        read(bare(tmp_path / "x.eaf", slots, *tiers))
    assert "x.eaf" in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "no well-formed XML"),
        ("<a/>", "its root is 'a', not ANNOTATION_DOCUMENT"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><ANNOTATION_DOCUMENT/>', "declares a document type"),
        ("<ANNOTATION_DOCUMENT>" + "<TIER>" * 50, "nested deeper"),
        ('<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="ells"/></ANNOTATION_DOCUMENT>', "counts time in 'ells'"),
        (
            '<ANNOTATION_DOCUMENT><HEADER><PROPERTY NAME="affetto">{</PROPERTY></HEADER></ANNOTATION_DOCUMENT>',
            "no JSON",
        ),
        (
            '<ANNOTATION_DOCUMENT><HEADER><PROPERTY NAME="affetto">{"schema": "affetto-eaf-1"}</PROPERTY></HEADER>'
            "</ANNOTATION_DOCUMENT>",
            "is damaged",
        ),
    ],
)
def test_hostile_files_are_refused(tmp_path, text, why):
    path = tmp_path / "x.eaf"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=why) as caught:
        list(eaf.read(path))
    assert "x.eaf" in str(caught.value) and len(str(caught.value)) < 500
    with pytest.raises(UnreadableError, match="nowhere"):
        list(eaf.read(tmp_path / "nowhere.eaf"))


def test_the_same_record_gives_the_same_bytes_and_overlaps_go_to_further_tiers(tmp_path):
    one, two = tmp_path / "1.eaf", tmp_path / "2.eaf"
    over = replace(moods(2), start=[0, 0.5], end=[1, 2])
    for path in (one, two):
        eaf.write([Record("x", tracks=(over,))], path)
    assert one.read_bytes() == two.read_bytes()
    assert 'TIER_ID="Ann voice ekman-7 2"' in one.read_text()
    assert read(one).tracks == (over,)
