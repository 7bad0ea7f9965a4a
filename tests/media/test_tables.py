import csv
import io
import json
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from affetto.core import plain
from affetto.core.errors import MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.media import delimited, files


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def read(folder, content, name="posts.csv", **how):
    return list(files.read(put(folder, name, content), **how))


def texts(records):
    return [r.text if r.signals else r.meta["error"].partition(": ")[2] or r.meta["error"] for r in records]


def test_a_row_is_a_record_and_keeps_its_columns(tmp_path):
    records = read(tmp_path, "id,text,n\na,joy,1\n,fear,\n")
    assert [r.id for r in records] == ["a", "2"]
    assert records[0] == Record("a", (Text("joy"),), meta={"number": 1, "row": {"id": "a", "text": "joy", "n": "1"}})
    assert next(files.read(tmp_path / "posts.csv", "n", id_column="text")).id == "joy"
    assert files.read(tmp_path / "posts.csv").columns == ("id", "text", "n")


def test_columns_are_chosen_or_named(tmp_path):
    path = put(tmp_path, "x.csv", "a,b\n1,2\n")
    with pytest.raises(UnknownNameError, match=r"no column of x\.csv is called 'txt'; known: a, b"):
        files.read(path, "txt")
    with pytest.raises(UnreadableError, match=r"which column of x\.csv holds the words.* a, b"):
        files.read(path)
    with pytest.raises(UnknownNameError, match="known: a, b"):
        files.read(path, "a", id_column="key")
    assert texts(read(tmp_path, "post\njoy\n")) == ["joy"]
    assert texts(read(tmp_path, "n,Text\n1,joy\n")) == ["joy"]


def test_hostile_rows_stay_alone(tmp_path):
    big = b"joy " * 1_250_000
    content = (
        b"id,text,n\n1,fine,1\n2,caf\xe9,2\n3,nu\0ll,3\n4," + big + b",4\n5,,5\n6\n7,too,many,cells\n8,trail,8,,\n"
        b'9,"two\nlines",9\n10,"he said ""hi""",10\n11,"unclosed,11\n12,fine \xe2\x80\x94,\xff\n13,last'
    )
    records = read(tmp_path, content)
    assert [r.meta["number"] for r in records] == list(range(1, 14))
    assert [r.text and r.text[:12] for r in records] == [
        *("fine", None, None, "joy joy joy ", "", "", None, "trail"),
        *("two\nlines", 'he said "hi"', None, "fine —", "last"),
    ]
    said = {r.meta["number"]: r.meta["error"] for r in records if "error" in r.meta}
    assert said == {
        2: "row 2 of posts.csv: the cell of 'text' is no UTF-8 (byte 0xe9 at character 3); "
        "save it as UTF-8, or name its encoding",
        3: "row 3 of posts.csv: the cell of 'text' holds null bytes; remove them",
        7: "row 7 of posts.csv has 4 cells where the header has 3; put quotes around cells that hold ','",
        11: "row 11 of posts.csv opens a quote that nothing closes; close it, or double quotes that are meant as such",
    }
    assert records[1].meta["row"]["text"] == "caf\ufffd" and records[11].meta["row"]["n"] == "\ufffd"
    assert len(records[3].text) == 5_000_000
    json.dumps([r.meta for r in records]).encode()


def test_excel_and_other_dialects(tmp_path):
    assert texts(read(tmp_path, b"\xef\xbb\xbfid;text\r\n1;a, b\r\n")) == ["a, b"]
    assert texts(read(tmp_path, "sep=;\nid;text\n1;a, b\n")) == ["a, b"]
    assert texts(read(tmp_path, "id|text\n1|a, b\n")) == ["a, b"]
    assert texts(read(tmp_path, "id\ttext\n1\ta, b\n")) == ["a, b"]
    assert texts(read(tmp_path, "id,text\r1,joy\r2,fear\r")) == ["joy", "fear"]
    assert texts(read(tmp_path, "id\ttext\n1\tjoy\n".encode("utf-16"), "x.tsv")) == ["joy"]
    assert texts(read(tmp_path, "text;label, old\njoy;1\n", column="text")) == ["joy"]
    assert texts(read(tmp_path, "\n\nid,text\n\n1,joy\n\n")) == ["joy"]


def test_a_column_alone_has_no_delimiter(tmp_path):
    content = 'text\nOne, two, three\n"Quoted, too"\n5" tall, they say\n"Hm", he said\n'
    assert texts(read(tmp_path, content)) == [
        "One, two, three",
        "Quoted, too",
        '5" tall, they say',
        '"Hm", he said',
    ]


def test_quotes_of_tsv_corpora_are_characters(tmp_path):
    content = 'text\tn\n"Hm" he said\t1\n"open\t2\nplain\t3\n"quoted ""well"""\t4\n"two\nlines"\t5\n"end\t6\n'
    records = read(tmp_path, content, "x.tsv")
    assert texts(records) == ['"Hm" he said', '"open', "plain", 'quoted "well"', "two\nlines", '"end']
    assert [r.meta["row"]["n"] for r in records] == ["1", "2", "3", "4", "5", "6"]


def test_a_quote_that_nobody_closes_costs_one_row(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_LONGEST_ROW", 10_000)
    rows = [f'{i},"fine"' for i in range(5000)]
    rows[7] = '7,"open'
    records = read(tmp_path, "id,text\n" + "\n".join(rows))
    assert len(records) == 5000
    assert [i for i, r in enumerate(records) if "error" in r.meta] == [7]


def test_empty_tables(tmp_path):
    assert read(tmp_path, "id,text\n") == [] == read(tmp_path, "id,text")
    with pytest.raises(UnreadableError, match="no header"):
        read(tmp_path, "")
    assert read(tmp_path, "", "x.jsonl") == [] == read(tmp_path, "\n\n", "x.jsonl")


def test_columns_of_one_name_are_told_apart(tmp_path):
    (record,) = read(tmp_path, "text,text,\na,b,c\n")
    assert record.meta["row"] == {"text": "a", "text.2": "b", "": "c"}


def test_jsonl_rows_stay_alone(tmp_path):
    content = b"\n".join(
        [
            b'{"text": "joy", "n": 1, "deep": {"a": [null, NaN]}}',
            b'{"text": 5}',
            b"",
            b'{"text": null}',
            b'{"words": "x"}',
            b"[1]",
            b'{"text": "half \\ud800"}',
            b'{"text": "caf\xe9"}',
            b'{"text": "a\\u0000b"}',
            b"[" * 100_000,
            b'{"text": "n", "n": ' + b"9" * 5000 + b"}",
            b'{"id": 7, "text": "last"}',
            b'{"text": "tor',
        ]
    )
    records = read(tmp_path, content, "x.jsonl")
    assert [r.id for r in records] == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "7", "12"]
    assert [r.text for r in records] == ["joy", None, "", *[None] * 7, "last", None]
    assert records[0].meta["row"] == {"text": "joy", "n": 1, "deep": {"a": [None, None]}}
    said = [r.meta["error"].removeprefix(f"row {r.meta['number']} of x.jsonl") for r in records if not r.signals]
    for part, why in zip(
        said,
        ["int", "it has words", "list", "half a char", "0xe9", "null", "deep", "JSON", "torn"],
        strict=True,
    ):
        assert why in part


def test_jsonl_columns_are_named(tmp_path):
    path = put(tmp_path, "x.jsonl", '{"a": "1", "b": "2"}\n{"a": "1", "c": "2"}\n')
    with pytest.raises(UnknownNameError, match="known: a, b, c"):
        files.read(path, "txt")
    with pytest.raises(UnreadableError, match="one of: a, b, c"):
        files.read(path)
    assert texts(files.read(path, "a")) == ["1", "1"]
    with pytest.raises(UnreadableError, match="no JSON objects"):
        read(tmp_path, "words\nand words\n", "y.jsonl")


def test_records_of_our_own_come_back_whole(tmp_path):
    record = Record("a", (Text("joy"),), meta={"x": 1})
    line = json.dumps(plain.from_record(record))
    back = read(tmp_path, f"{line}\n{{\n{line}\n", "x.jsonl")
    assert back[0] == back[2] == record
    assert back[1].meta["error"].startswith("row 2 of x.jsonl")


def frame(path, **columns):
    parquet.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_parquet_rows(tmp_path):
    path = frame(
        tmp_path / "x.parquet",
        text=["joy", None, "nu\0ll", "", "sad"],
        n=[1, None, 3, 4, 5],
        x=[0.5, float("nan"), None, 1.0, 2.0],
        day=np.array(["2026-01-02"] * 5, "datetime64[D]"),
        tags=[["a"], None, [], ["b", "c"], ["d"]],
    )
    reading = files.read(path)
    records = list(reading)
    assert texts(records) == [
        "joy",
        "",
        "the cell of 'text' holds null bytes; remove them",
        "",
        "sad",
    ]
    assert records[0].meta["row"] == {"text": "joy", "n": 1, "x": 0.5, "day": "2026-01-02", "tags": ["a"]}
    assert records[1].meta["row"]["x"] is None
    assert reading.position == reading.total == path.stat().st_size
    with pytest.raises(UnknownNameError, match="known: day, n, tags, text, x"):
        files.read(path, "txt")


def test_invalid_utf8_in_parquet_stays_alone(tmp_path):
    cells = pa.array([b"joy", b"caf\xe9", b"sad"], pa.binary())
    broken = pa.StringArray.from_buffers(3, *cells.buffers()[1:])
    path = frame(tmp_path / "x.parquet", text=broken, other=pa.array(["a", "b", "c"]).dictionary_encode())
    first, second, third = files.read(path)
    assert (first.text, third.text) == ("joy", "sad")
    assert "0xe9" in second.meta["error"] and second.meta["row"] == {"text": "caf\ufffd", "other": "b"}


def test_what_is_no_parquet_says_so(tmp_path, monkeypatch):
    with pytest.raises(UnreadableError, match=r"no \.parquet inside"):
        read(tmp_path, "text\njoy\n", "x.parquet")
    path = frame(tmp_path / "y.parquet", text=["some words", "more words"] * 4)
    whole = bytearray(path.read_bytes())
    whole[20:28] = b"\xff" * 8
    path.write_bytes(whole)
    records = list(files.read(path))
    assert len(records) == 8 and "damaged" in records[0].meta["error"]
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"affetto\[parquet\]"):
        files.read(path)


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(cells, cells, cells), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_what_csv_writes_is_read(tmp_path_factory, rows, delimiter):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([("a", "text", "b"), *rows])
    path = put(tmp_path_factory.mktemp("any"), "x.tsv" if delimiter == "\t" else "x.csv", text.getvalue())
    back = [tuple(r.meta["row"].values()) for r in files.read(path)]
    assert back == rows


@given(st.binary(max_size=200), st.sampled_from([".csv", ".tsv", ".jsonl"]))
def test_any_bytes_give_records_or_a_clear_error(tmp_path_factory, content, suffix):
    path = put(tmp_path_factory.mktemp("any"), f"x{suffix}", b'text,n\n"a",1\n' * (suffix != ".jsonl") + content)
    try:
        for record in files.read(path, encoding="utf-8"):
            assert bool(record.signals) != ("error" in record.meta)
    except UnreadableError as error:
        assert suffix == ".jsonl" and "x.jsonl" in str(error)


def test_memory_stays_flat(tmp_path):
    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("id,text\n")
        file.writelines(f'{i},"row {i}, with some words in it"\n' for i in range(60_000))
    tracemalloc.start()
    count = sum(1 for _ in files.read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 60_000 and peak < 5_000_000


def test_several_columns_give_a_text_each_and_say_where_it_stands(tmp_path):
    content = b"id,title,description\n1,So good,Rainy\n2,,x\n3,\xff,fine\n4,\xff,\xff\n5,a,b,c\n6,alone\n"
    first, second, third, fourth, fifth, sixth = read(tmp_path, content, column=["title", "description"])
    assert first.text == "So good\nRainy"
    assert first.meta["fields"] == {"title": [0, 7], "description": [8, 13]}
    assert first.meta["row"] == {"id": "1", "title": "So good", "description": "Rainy"}
    assert second.meta["fields"] == {"title": [0, 0], "description": [1, 2]}
    assert "row 3 of posts.csv: the cell of 'title' is no UTF-8" in third.meta["flaws"]["title"]
    assert (third.text, "error" in third.meta) == ("\nfine", False)
    assert fourth.meta["error"].count("row 4") == 2
    assert fourth.signals == fifth.signals == ()
    assert sixth.meta["fields"] == {"title": [0, 5], "description": [6, 6]}


def test_several_columns_are_known_each_once(tmp_path):
    with pytest.raises(UnknownNameError, match=r"no column of x\.csv is called 'body'; known: a, b"):
        read(tmp_path, "a,b\n1,2\n", "x.csv", column=("a", "body"))
    (one,) = read(tmp_path, "a,b\n1,2\n", "x.csv", column=("a", "a"))
    assert (one.text, "fields" in one.meta) == ("1", False)
    (one,) = read(tmp_path, '{"a": "x", "b": 3}\n', "x.jsonl", column=("a", "b"))
    assert "wants words, not int" in one.meta["flaws"]["b"]
    frame(tmp_path / "x.parquet", a=["x"], b=["y"])
    assert texts(files.read(tmp_path / "x.parquet", ["b", "a"])) == ["y\nx"]
