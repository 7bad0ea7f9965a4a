import csv

import numpy as np
import pytest
from pyarrow import parquet

from affetto import formats
from affetto.core.errors import MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.space import Axis, Space, open_space
from affetto.core.span import Span
from affetto.core.track import Track

MOOD = Space("mood-2", "any", (Axis("good"), Axis("bad")))
VA = Space("va-2", "graded", (Axis("valence", low=-1.0, high=1.0), Axis("arousal", low=-1.0, high=1.0)))


def post(number, text, *tracks, **row):
    row = {"id": f"p{number}", "text": text} | row
    return Record(f"p{number}", (Text(text),), tracks=tracks, meta={"number": number, "row": row})


def mood(good, bad, subject="writer", **more):
    return Track(MOOD, [0], [9], [[good, bad]], "char", subject, **more)


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def appended(path, *chunks, **how):
    """Write chunk by chunk, with a torn row and a new process between them."""
    form = formats.by_path(path)
    part = path.with_name(path.name + ".part")
    offset, state = 0, {}
    for chunk in chunks:
        appender = form.appender(**how)
        appender.open(part, offset, state)
        appender.append(chunk)
        offset, state = appender.sync()
        appender.append(chunk)
        appender.close()
    appender = form.appender(**how)
    appender.open(part, offset, state)
    appender.close()
    appender.finish(part, path)


def test_wide_keeps_the_input_and_adds_answers(tmp_path):
    path = tmp_path / "x.csv"
    one = post(1, 'quote " and\nnew line', mood(0.75, np.nan, confidence=[0.9], note=["good"]), likes="3")
    two = Record("p2", meta={"number": 2, "row": {"id": "p2", "text": "", "likes": None}, "error": "row 2: empty"})
    formats.by_path(path).write([one, two], path)
    first, second = table(path)
    assert list(first) == [
        "id",
        "text",
        "likes",
        "writer.mood-2.good",
        "writer.mood-2.bad",
        "writer.mood-2.top",
        "writer.mood-2.confidence",
        "writer.mood-2.note",
        "error",
    ]
    assert list(first.values()) == ["p1", 'quote " and\nnew line', "3", "0.75", "", "good", "0.9", "good", ""]
    assert list(second.values()) == ["p2", "", "", "", "", "", "", "", "row 2: empty"]


def test_names_that_collide_get_numbers(tmp_path):
    path = tmp_path / "x.tsv"
    record = post(1, "a", mood(1, 0), mood(0, 1, perspective="felt"), error="old", **{"writer.mood-2.good": "mine"})
    formats.by_path(path).write([record], path)
    (row,) = table(path)
    assert row["error"] == "old" and row["error#2"] == "" and row["writer.mood-2.good"] == "mine"
    assert (row["writer.mood-2.good#2"], row["writer.mood-2#2.good"]) == ("1", "0")


def test_columns_that_come_late_find_their_place(tmp_path):
    broken = [Record(str(n), meta={"row": {}, "error": "torn"}) for n in (1, 2)]
    good = [post(3, "x", mood(1, 0), more="y"), post(4, "z", Track(VA, [0], [1], [[0.5, -1]], "char", "reader"))]
    for suffix in (".csv", ".parquet"):
        path = tmp_path / f"x{suffix}"
        appended(path, broken, good[:1], good[1:], columns=("id", "text"))
        rows = table(path) if suffix == ".csv" else parquet.read_table(path).to_pylist()
        assert list(rows[0]) == [
            "id",
            "text",
            "more",
            "writer.mood-2.good",
            "writer.mood-2.bad",
            "writer.mood-2.top",
            "reader.va-2.valence",
            "reader.va-2.arousal",
            "error",
        ]
        assert [row["error"] or None for row in rows] == ["torn", "torn", None, None]
        assert [row["more"] or None for row in rows] == [None, None, "y", None]
        assert [float(row["reader.va-2.arousal"] or 0) for row in rows] == [0, 0, 0, -1]


def test_a_table_without_rows_has_a_header(tmp_path):
    for suffix in (".csv", ".tsv"):
        path = tmp_path / f"x{suffix}"
        formats.by_path(path).write([], path, columns=("id", "text"))
        assert path.read_text().split() == [",".join(("id", "text", "error"))] or "\t" in path.read_text()
    path = tmp_path / "x.parquet"
    formats.by_path(path).write([], path, columns=("id", "text"))
    assert parquet.read_table(path).column_names == ["id", "text", "error"]
    for suffix in (".csv", ".parquet"):
        path = tmp_path / f"long{suffix}"
        formats.by_path(path).write([], path, shape="long")
        assert list(formats.by_path(path).read(path)) == []


def test_a_dialogue_has_a_line_a_turn(tmp_path):
    path = tmp_path / "x.csv"
    turns = (Turn("Ann", Span(0, 1.5), "Hi!"), Turn("Bob", None, "Oh no."), Turn("Ann", Span(4, 5), "Bye."))
    tracks = (
        Track(MOOD, [0, 4], [1.5, 5], [[1, 0], [0.5, 0.5]], "s", "Ann"),
        Track(MOOD, [1], [2], [[0, 1]], "turn", "Bob"),
        Track(VA, [0], [15], [[0.25, 0]], "char", "reader"),
        Track(VA, [4], [10], [[0.125, 0]], "char", "reader", "felt"),
    )
    formats.by_path(path).write([Record("talk", turns=turns, tracks=tracks), Record("mute", turns=turns[:1])], path)
    rows = table(path)
    assert [(r["record"], r["speaker"], r["start"], r["end"], r["unit"], r["text"]) for r in rows] == [
        ("talk", "Ann", "0", "1.5", "s", "Hi!"),
        ("talk", "Bob", "1", "2", "turn", "Oh no."),
        ("talk", "Ann", "4", "5", "s", "Bye."),
        ("talk", "", "0.0", "15.0", "char", "Hi!\nOh no.\nBye."),
        ("mute", "Ann", "0", "1.5", "s", "Hi!"),
    ]
    assert [r["speaker.mood-2.top"] for r in rows] == ["good", "bad", "good", "", ""]
    assert [r["reader.va-2.valence"] for r in rows] == ["", "", "", "0.25", ""]
    assert [r["reader.va-2#2.valence"] for r in rows] == ["", "0.125", "", "", ""]


def test_a_track_of_many_rows_has_a_line_a_stretch(tmp_path):
    path = tmp_path / "x.csv"
    words = Track(open_space(("hopeful", "anxious")), [0], [6], [[0.25, 1]], "char", "writer")
    importance = Track(VA, [0, 3], [2, 6], [[0, 0], [1, 0]], "char", "writer")
    formats.by_path(path).write([Record("1", (Text("oh yes"),), tracks=(words, importance))], path)
    rows = table(path)
    assert [(r["start"], r["end"], r["text"]) for r in rows] == [
        ("0.0", "2.0", "oh"),
        ("0.0", "6.0", "oh yes"),
        ("3.0", "6.0", "yes"),
    ]
    assert rows[1]["writer.open.words"] == "anxious 1; hopeful 0.25" and rows[1]["writer.open.top"] == "anxious"


def test_parquet_has_types(tmp_path):
    path = tmp_path / "x.parquet"
    rows = [
        post(1, "a", mood(0.1, np.nan), n=1, x=1, flag=True, mixed=1, big=2**70, none=None, many=["u", 1]),
        post(2, "b\udc80", mood(1, 0), n=None, x=0.5, flag=False, mixed="s", big=1, none=None, many=None),
    ]
    formats.by_path(path).write(rows, path)
    table = parquet.read_table(path)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "id": "string",
        "text": "string",
        "n": "int64",
        "x": "double",
        "flag": "bool",
        "mixed": "string",
        "big": "string",
        "none": "string",
        "many": "string",
        "writer.mood-2.good": "float",
        "writer.mood-2.bad": "float",
        "writer.mood-2.top": "string",
        "error": "string",
    }
    first, second = table.to_pylist()
    assert first["writer.mood-2.good"] == np.float32(0.1) and first["writer.mood-2.bad"] is None
    assert (first["mixed"], first["many"], first["big"], second["text"]) == ("1", '["u", 1]', str(2**70), "b\\udc80")


def test_long_is_grown_over_several_runs(tmp_path):
    records = [post(1, "a", mood(0.1, 0.2), mood(1, 0, "reader")), post(1, "b"), post(3, "c", mood(0, 0))]
    for suffix in (".csv", ".parquet"):
        path = tmp_path / f"x{suffix}"
        appended(path, records[:2], records[2:], shape="long")
        back = list(formats.by_path(path).read(path))
        assert [(r.id, r.tracks) for r in back] == [(r.id, r.tracks) for r in records]


def test_only_long_tables_are_read_back(tmp_path):
    for suffix in (".csv", ".tsv", ".parquet"):
        path = tmp_path / f"x{suffix}"
        form = formats.by_path(path)
        form.write([post(1, "a", mood(1, 0))], path)
        with pytest.raises(UnreadableError, match="shape='long'"):
            list(form.read(path))
        with pytest.raises(UnknownNameError, match="long, wide"):
            form.appender(shape="tall")


def test_a_damaged_long_table_names_the_record(tmp_path):
    path = tmp_path / "x.csv"
    formats.by_path(path).write([post(1, "a", mood(0.5, 0.25))], path, shape="long")
    good = path.read_text()
    for old, new in (("0.5", "7"), ("any", "some"), ("0.5", "half"), (",char,", ",mile,"), ("p1,0,0", "p1,0")):
        assert old in good
        path.write_text(good.replace(old, new))
        with pytest.raises(UnreadableError, match=r"x\.csv"):
            list(formats.by_path(path).read(path))


def test_parquet_without_its_extra_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    form = formats.by_path("x.parquet")
    with pytest.raises(MissingExtraError, match=r"affetto\[parquet\]"):
        form.write([], tmp_path / "x.parquet")
    with pytest.raises(MissingExtraError, match=r"affetto\[parquet\]"):
        list(form.read(tmp_path / "x.parquet"))


def film(*tracks, **meta):
    row = {"id": "7", "title": "so good", "description": "rainy"}
    places = {"title": [0, 7], "description": [8, 13]}
    texts = (Text("so good"), Text("rainy"))
    return Record("7", texts, tracks=tracks, meta={"number": 1, "row": row, "fields": places} | meta)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_record_of_several_fields_is_one_line_with_the_field_before_its_answers(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    both = Track(MOOD, [0, 8], [7, 13], [[0.75, 0.25], [0.25, 0.5]], "char", "writer", source="m")
    again = Track(MOOD, [8], [13], [[1, 0]], "char", "writer", source="n")
    words = {"title.emotion": "joy", "description.emotion": None}
    formats.by_path(path).write([film(both, again, annotation=words), film(error="broken")], path)
    rows = table(path) if suffix == ".csv" else parquet.read_table(path).to_pylist()
    first, second = ({name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows)
    assert list(first) == [
        *("id", "title", "description", "title.emotion", "description.emotion"),
        *(f"title.writer.mood-2.{name}" for name in ("good", "bad", "top")),
        *(f"description.writer.mood-2.{name}" for name in ("good", "bad", "top")),
        *(f"description.writer.mood-2#2.{name}" for name in ("good", "bad", "top")),
        "error",
    ]
    assert (first["title.emotion"], first["title.writer.mood-2.top"]) == ("joy", "good")
    assert (first["description.writer.mood-2.good"], first["description.writer.mood-2.top"]) == ("0.25", "bad")
    assert float(first["description.writer.mood-2#2.good"]) == 1
    assert [second[name] for name in ("id", "title.emotion", "error")] == ["7", "", "broken"]


def test_fields_that_make_no_sense_lose_nothing(tmp_path):
    path = tmp_path / "x.csv"
    track = Track(MOOD, [0], [7], [[0.75, 0.25]], "char", "writer")
    formats.by_path(path).write([film(track, fields={"title": "here"}), film(track, fields={3: [0, 9]})], path)
    first, second = table(path)
    assert first["writer.mood-2.good"] == second["3.writer.mood-2.good"] == "0.75"


def test_a_long_table_names_the_field_and_gives_the_tracks_back(tmp_path):
    path = tmp_path / "x.csv"
    both = Track(MOOD, [0, 8], [7, 13], [[0.75, 0.25], [0.25, 0.5]], "char", "writer", source="m")
    form = formats.by_path(path)
    form.write([film(both)], path, shape="long")
    assert [row["record"] for row in table(path)] == ["7/title", "7/title", "7/description", "7/description"]
    (record,) = form.read(path)
    assert record.tracks == (both,)
