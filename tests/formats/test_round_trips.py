import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from tests import perceived, strategies

MOOD = Space("mood-2", "one", (Axis("good"), Axis("bad")))
VAD = Space(
    "vad-as-here", "graded", tuple(Axis(name, low=-1.0, high=1.0) for name in ("valence", "arousal", "dominance"))
)
quiet = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def post(id="1", text="I got the job!", **meta):
    n = len(text)
    return Record(
        id,
        (Text(text),),
        tracks=(
            Track(MOOD, [0], [n], [[0.75, 0.25]], "char", "writer", "expressed", "text", "m@1", [0.9], note=["good"]),
            Track(VAD, [0], [n], [[0.5, np.nan, -1]], "char", "reader", "evoked", "text", "m@1"),
        ),
        meta=meta,
    )


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".emotionml"])
@quiet
@given(records=st.lists(strategies.records(), max_size=3))
def test_whole_formats_give_records_back(tmp_path_factory, suffix, records):
    path = tmp_path_factory.mktemp("round") / f"x{suffix}"
    formats.by_path(path).write(records, path)
    assert list(formats.by_path(path).read(path)) == records
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
@quiet
@given(records=st.lists(strategies.records(), max_size=3))
def test_long_tables_give_tracks_back(tmp_path_factory, suffix, records):
    path = tmp_path_factory.mktemp("round") / f"x{suffix}"
    formats.by_path(path).write(records, path, shape="long")
    back = list(formats.by_path(path).read(path))
    assert [r.id for r in back] == [r.id for r in records]
    for old, new in zip(records, back, strict=True):
        assert list(new.tracks) == [told(track) for track in old.tracks]


def told(track):
    """A Track as a table tells it: a column that says nothing is none."""
    lean = {}
    if track.confidence is not None and np.isnan(track.confidence).all():
        lean["confidence"] = None
    if not len(track):
        lean |= {"confidence": None, "box": None, "about": None, "note": None}
    if track.about is not None and all(span is None for span in track.about):
        lean["about"] = None
    if track.note is not None and not any(track.note):
        lean["note"] = None
    return replace(track, **lean)


@pytest.mark.parametrize("suffix", sorted(formats.FORMATS))
def test_every_suffix_writes_appends_and_names_itself(tmp_path, suffix):
    form = formats.by_path(tmp_path / f"X{suffix.upper()}")
    path, grown, part = (tmp_path / f"{name}{suffix}" for name in ("x", "y", "z"))
    form.write([post("1"), post("2")], path)
    appender = form.appender()
    part = tmp_path / f"y{suffix}.part"
    appender.open(part, 0, {})
    appender.append([post("1")])
    size, state = appender.sync()
    appender.append([post("torn")])
    appender.close()
    appender = form.appender()
    appender.open(part, size, state)
    appender.append([post("2")])
    appender.sync()
    appender.close()
    appender.finish(part, grown)
    assert held(path) == held(grown)
    assert not part.exists()


def held(path):
    return {one.name: one.read_bytes() for one in path.iterdir()} if path.is_dir() else path.read_bytes()


def test_unknown_formats_name_the_known(tmp_path):
    with pytest.raises(UnknownNameError, match=r"\.jsonl"):
        formats.by_path("x.docx")
    with pytest.raises(UnknownNameError, match="emotionml"):
        formats.by_name("docx")
    assert set(formats.FORMATS.values()) == set(formats.TITLES)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".emotionml", ".parquet"])
def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_text("old")

    def broken():
        yield post()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        formats.by_path(path).write(broken(), path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".emotionml", ".parquet"])
def test_what_cannot_be_read_says_so(tmp_path, suffix):
    form = formats.by_path(f"x{suffix}")
    with pytest.raises(UnreadableError, match="nowhere"):
        list(form.read(tmp_path / f"nowhere{suffix}"))
    for i, junk in enumerate(
        [b"", b"\0\1\2\xff", b"[" * 100_000, b'{"id": 1', b'[{"nope": 1}]', b"a,b\n1,2\n", b"<a/>"]
    ):
        path = tmp_path / f"{i}{suffix}"
        path.write_bytes(junk)
        try:
            assert list(form.read(path)) == []
        except UnreadableError as error:
            assert path.name in str(error) and len(str(error)) < 500
    with pytest.raises(UnreadableError, match="folder"):
        form.write([post()], tmp_path / "no" / f"x{suffix}")


def test_what_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(formats.by_name("jsonl"), "LONGEST", 2000)
    monkeypatch.setattr(formats.by_name("json"), "LARGEST", 2000)
    for suffix, way in ((".jsonl", "line 2 of"), (".json", "use .jsonl")):
        path = tmp_path / f"x{suffix}"
        form = formats.by_path(path)
        form.write([post(), post(text="x" * 2000)], path)
        with pytest.raises(UnreadableError, match=way):
            list(form.read(path))


def test_json_holds_one_or_many_and_odd_meta(tmp_path):
    path = tmp_path / "x.json"
    form = formats.by_path(path)
    form.write(post(), path)
    assert path.read_text()[0] == "{" and list(form.read(path)) == [post()]
    odd = post(a=float("nan"), b=np.float32(0.5), c=(1, 2), d="half \ud800", e=tmp_path, f=np.int64(3), g={"h": {1}})
    for suffix in (".json", ".jsonl", ".emotionml"):
        path = tmp_path / f"odd{suffix}"
        formats.by_path(path).write([odd], path)
        (back,) = formats.by_path(path).read(path)
        assert back.meta == {
            "a": None,
            "b": 0.5,
            "c": [1, 2],
            "d": "half \ud800",
            "e": str(tmp_path),
            "f": 3,
            "g": {"h": [1]},
        }
        assert back.tracks == odd.tracks


# A film of two people that was perceived: what each format gives back of it.

FILM = perceived.film()


def written(tmp_path, suffix, records=(FILM,), **how):
    path = tmp_path / f"x{suffix}"
    formats.by_path(path).write(list(records), path, **how)
    return path, list(formats.for_reading(path).read(path)) if suffix not in (".srt", ".vtt") else []


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".emotionml"])
def test_whole_formats_give_a_perceived_film_back(tmp_path, suffix):
    assert written(tmp_path, suffix)[1] == [FILM]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_long_tables_give_the_tracks_of_a_perceived_film_back(tmp_path, suffix):
    (back,) = written(tmp_path, suffix, shape="long")[1]
    assert list(back.tracks) == [told(track) for track in FILM.tracks] and back.id == FILM.id


def test_wide_tables_have_a_line_a_turn_with_everybodys_answers(tmp_path):
    path = tmp_path / "x.csv"
    formats.by_path(path).write([FILM], path)
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(line["speaker"], line["text"]) for line in table[: len(FILM.turns)]] == [
        (t.speaker, t.text) for t in FILM.turns
    ]
    names = set(table[0])
    assert {"Ann.va@face.valence", "Ann.va@fused.valence", "Ann.ekman-7.top", "speaker.goemotions-28.top"} <= names
    assert not any("#2" in name for name in names)


def test_emotionml_points_into_the_media_in_milliseconds(tmp_path):
    path, _ = written(tmp_path, ".emotionml")
    text = path.read_text("utf-8")
    told = re.findall(r'time-ref-uri="([^"]*)" offset-to-start="(\d+)" duration="(\d+)"', text)
    rows = [
        (round(a * 1000), round(b * 1000)) for track in FILM.tracks for a, b in zip(track.start, track.end, strict=True)
    ]
    assert [(int(at), int(at) + int(length)) for _, at, length in told] == rows
    assert {uri for uri, *_ in told} == {"clips/talk%20one.mp4"}
    assert 'uri="clips/talk%20one.mp4#t=3.5,6"' in text and " start=" not in text


def test_textgrids_leave_out_boxes_only(tmp_path):
    path, (back,) = written(tmp_path, ".TextGrid")
    assert back.turns == FILM.turns
    got = sorted(map(str, back.tracks))
    assert got == sorted(str(told(replace(track, box=None))) for track in FILM.tracks)
    praat = pytest.importorskip("parselmouth").praat.call
    grid = praat("Read from file", str(path))
    assert praat(grid, "Get total duration") == perceived.SECONDS


def test_audformat_leaves_out_boxes_and_people_only(tmp_path):
    pytest.importorskip("audformat")
    _, (back,) = written(tmp_path, ".audformat")
    assert back.turns == FILM.turns and back.id == FILM.id
    assert sorted(map(str, back.tracks)) == sorted(str(told(replace(track, box=None))) for track in FILM.tracks)


def test_rttm_says_who_speaks_and_how_surely(tmp_path):
    path, (back,) = written(tmp_path, ".rttm")
    heard = [track for track in FILM.tracks if track.space.id == "speaking"]
    assert [(t.speaker, t.span) for t in back.turns] == [(t.speaker, t.span) for t in FILM.turns]
    assert sorted(map(str, back.tracks)) == sorted(str(replace(track, note=None, source="")) for track in heard)
    assert path.read_text().count("SPEAKER talk%20one 1 ") == 4 and "|" not in path.read_text()
    silent = replace(heard[0], values=[[np.nan], [0.5]])
    path, (back,) = written(tmp_path, ".rttm", [replace(FILM, tracks=(silent,))])
    assert len(back.turns) == 1


@pytest.mark.parametrize("suffix", [".openface.csv", ".pyfeat.csv", ".livelink.csv"])
def test_tables_of_faces_hold_the_faces_of_a_perceived_film(tmp_path, suffix):
    _, records = written(tmp_path, suffix)
    assert {track.channel for record in records for track in record.tracks} == {"face"}


@pytest.mark.parametrize("suffix", sorted(formats.FORMATS))
def test_a_perceived_film_that_was_stopped_halfway_can_be_written(tmp_path, suffix):
    """Tracks without rows, people who only speak, a Record with an error, turns that nobody timed."""
    empty = tuple(track[:0] for track in FILM.tracks)
    part = replace(FILM, id="part", tracks=(*empty, *FILM.tracks[:1]), turns=(*FILM.turns, Turn("Ann", None, "later")))
    broken = Record("broken", meta={"error": "torn", "path": "b.mp4"})
    records = [part, broken] if suffix != ".livelink.csv" else [part]
    how = {"shape": "long"} if suffix in (".csv", ".tsv", ".parquet") else {}
    _, back = written(tmp_path, suffix, records, **how)
    kept = {one.id for one in back} | {track.subject for one in back for track in one.tracks}
    assert kept & {"part", "x", "Ann", "person-1"} or suffix in (".srt", ".vtt")
