import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core.errors import UnreadableError
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.media import files, lines
from affetto.media.text import dialogue


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_a_text_is_one_record(tmp_path):
    path = put(tmp_path, "note.txt", "I got the job!\nAt last.\n")
    reading = files.read(path)
    (record,) = reading
    assert record.id == "note" and record.signals == (Text("I got the job!\nAt last.\n"),)
    assert record.meta == {"path": str(path)} and reading.columns == ()
    assert reading.position == reading.total == path.stat().st_size


def test_lines_are_a_record_each_and_keep_their_places(tmp_path):
    path = put(tmp_path, "x.txt", b"one\r\n\ntwo \xe9\nth\0ree\nfour")
    records = list(files.read(path, lines=True))
    assert [r.id for r in records] == ["1", "2", "3", "4", "5"]
    assert [r.text for r in records] == ["one", "", None, None, "four"]
    errors = [r.meta.get("error") for r in records]
    assert errors[1] is None
    assert errors[2].startswith("line 3 of x.txt is no UTF-8 (byte 0xe9 at character 4); save it as UTF-8")
    assert errors[3] == "line 4 of x.txt holds null bytes; remove them"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_marks_and_encodings_are_seen(tmp_path, encoding):
    text = "Ça va?\nJa, gut. 😀\n"
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    path = put(tmp_path, "x.txt", marks.get(encoding, b"") + text.encode(encoding))
    assert [r.text for r in files.read(path, lines=True)] == ["Ça va?", "Ja, gut. 😀"]
    plain = "plain enough words\n" * 3
    path = put(tmp_path, "y.txt", plain.encode(encoding if encoding in marks else "utf-8"))
    assert next(files.read(path)).text == plain


def test_an_encoding_can_be_named(tmp_path):
    path = put(tmp_path, "x.txt", "déçu".encode("cp1252"))
    assert "0xe9" in next(files.read(path)).meta["error"]
    assert next(files.read(path, encoding="cp1252")).text == "déçu"
    with pytest.raises(UnreadableError, match="cp1252"):
        files.read(path, encoding="nonsense")


@pytest.mark.parametrize(
    "content, why", [(b"", "is empty"), (b" \n ", "is empty"), (b"\0\1", "null bytes"), (b"a\xff", "0xff")]
)
def test_what_is_no_text_says_so(tmp_path, content, why):
    for suffix in (".txt", ".srt", ".vtt"):
        (record,) = files.read(put(tmp_path, f"x{suffix}", content))
        assert record.signals == () and why in record.meta["error"] and f"x{suffix}" in record.meta["error"]


def test_what_is_not_there_says_so(tmp_path):
    with pytest.raises(UnreadableError, match="no file"):
        files.read(tmp_path / "x.txt")
    with pytest.raises(UnreadableError, match="folder"):
        files.read(tmp_path, suffix=".txt")
    with pytest.raises(UnreadableError, match=r"\.docx.*known: \.txt, \.srt"):
        files.read(tmp_path / "x.docx")


def test_five_megabytes_are_read_and_too_much_is_refused(tmp_path, monkeypatch):
    path = put(tmp_path, "x.txt", "joy " * 1_250_000 + "\nshort\n")
    assert [len(r.text) for r in files.read(path, lines=True)] == [5_000_000, 5]
    monkeypatch.setattr(lines, "LONGEST", 1_000_000)
    long, short = files.read(path, lines=True)
    assert "longer than 1,000,000" in long.meta["error"] and short.text == "short"
    assert "a line at a time" in next(files.read(path)).meta["error"]


def test_stdin_is_a_text(monkeypatch):
    def stdin(content):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    stdin(b"so happy")
    reading = files.read("-")
    assert [(r.id, r.text) for r in reading] == [("stdin", "so happy")] and reading.total is None
    stdin(b"one\ntwo")
    assert [r.text for r in files.read("-", lines=True)] == ["one", "two"]
    stdin(b"text,n\njoy,1\n")
    assert [r.text for r in files.read("-", suffix=".csv")] == ["joy"]
    with pytest.raises(UnreadableError, match="save it"):
        files.read("-", suffix=".parquet")


TALK = "Ann: Hi!\nBob Lee: Oh no.\n\nAnn: What is it?\n"


def test_unmistakable_dialogues_become_turns(tmp_path):
    path = put(tmp_path, "x.txt", TALK)
    (record,) = files.read(path)
    assert [(t.speaker, t.text) for t in record.turns] == [
        ("Ann", "Hi!"),
        ("Bob Lee", "Oh no."),
        ("Ann", "What is it?"),
    ]
    assert record.signals == () and record.text == "Hi!\nOh no.\nWhat is it?"
    (record,) = files.read(path, turns=False)
    assert record.turns == () and record.text == TALK


@pytest.mark.parametrize(
    "text",
    [
        "Pros: cheap\nCons: slow",
        "From: ann\nTo: bob\nSubject: hi",
        "Ann: Hi!\nBob: Hello.\nAnd so they talked.\nAnn: Bye.",
        "Note: one\nNote: two\nNote: three",
        "12:30 lunch\n13:30 walk\n12:30 again",
        "http://a.b\nhttp://a.b\nhttp://c.d",
        "",
    ],
)
def test_what_only_looks_like_a_dialogue_stays_a_text(text):
    assert dialogue(text) == ()


def test_asked_for_lines_without_a_name_go_on():
    turns = dialogue("Well.\nAnn: Hi!\n  and more\nBob:\nquiet words\nCarla:", asked=True)
    assert [(t.speaker, t.text) for t in turns] == [
        ("someone", "Well."),
        ("Ann", "Hi!\nand more"),
        ("Bob", "quiet words"),
    ]


SRT = """1
00:00:01,000 --> 00:00:02,500
ANN: I got <i>the job</i>!

2
00:00:03,000 --> 00:00:04,000
- Really?
- Yes.
3
01:00:05.5 --> 01:00:04,000 X1:10
{\\an8}Tom &amp; I

00:00:06,000 --> 00:00:07,000
Listen: nobody
"""


def test_subtitles_are_turns_with_seconds(tmp_path):
    (record,) = files.read(put(tmp_path, "film.srt", SRT.replace("\n", "\r\n")))
    assert record.id == "film" and record.signals == ()
    assert [(t.speaker, t.span, t.text) for t in record.turns] == [
        ("ANN", Span(1.0, 2.5, "s"), "I got the job!"),
        ("someone", Span(3.0, 4.0, "s"), "Really?"),
        ("someone", Span(3.0, 4.0, "s"), "Yes."),
        ("someone", None, "Tom & I"),
        ("someone", Span(6.0, 7.0, "s"), "Listen: nobody"),
    ]


def test_voices_of_vtt_speak(tmp_path):
    vtt = """WEBVTT - a film

STYLE
::cue { color: red }

NOTE not this: --

intro
00:01.000 --> 00:02.000 align:start
<v.loud Mary Ann>Hi!</v> <v Bob>Hello <00:01.500>there.</v>

00:03.000 --> 00:04.000
Eve: So it is.

00:05.000 --> 00:06.000
Eve: It is.

00:07.000 --> 00:08.000
<c.yellow></c>
"""
    (record,) = files.read(put(tmp_path, "x.vtt", vtt))
    assert [(t.speaker, t.text) for t in record.turns] == [
        ("Mary Ann", "Hi!"),
        ("Bob", "Hello there."),
        ("Eve", "So it is."),
        ("Eve", "It is."),
    ]
    assert record.turns[1].span == Span(1.0, 2.0, "s")


def test_subtitles_without_cues_say_so(tmp_path):
    (record,) = files.read(put(tmp_path, "x.srt", "just words\n"))
    assert "no cue" in record.meta["error"]


@given(st.text(max_size=300), st.sampled_from([".srt", ".vtt", ".txt"]), st.sampled_from([None, True, False]))
def test_any_text_gives_one_record(tmp_path_factory, text, suffix, turns):
    path = put(tmp_path_factory.mktemp("any"), f"x{suffix}", text.encode("utf-8", "surrogatepass"))
    (record,) = files.read(path, turns=turns)
    assert bool(record.text and record.text.strip()) != ("error" in record.meta) or record.turns == ()


@given(st.binary(max_size=300))
def test_any_bytes_give_as_many_lines_as_there_are(tmp_path_factory, content):
    path = put(tmp_path_factory.mktemp("any"), "x.txt", content)
    records = list(files.read(path, lines=True, encoding="latin-1"))
    ends = b"\n" if b"\n" in content or b"\r" not in content else b"\r"
    assert len(records) == len(content.split(ends)) - (content.endswith(ends) or not content)
