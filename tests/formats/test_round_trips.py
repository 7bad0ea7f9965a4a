from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from tests import strategies

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
