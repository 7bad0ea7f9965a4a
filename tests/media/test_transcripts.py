import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.media.transcripts import TOGETHER, read_transcript, seconds_of
from tests import perceived

TURNS = (Turn("Ann", Span(0.5, 2), "Hi, you!"), Turn("Bo", Span(1.75, 63.25), "Grüß dich — 你好"))


def saved(tmp_path, name, text, encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


SUBTITLES = (
    "1\n00:00:00,500 --> 00:00:02,000\nANN: Hi, you!\n\n2\n00:00:01,750 --> 00:01:03,250\n<v Bo>Grüß dich — 你好\n"
)
CUES = "WEBVTT\n\n00:00.500 --> 00:02.000\n<v Ann>Hi, you!\n\n00:01.750 --> 01:03.250\n<v Bo>Grüß dich — 你好\n"
PLAIN = [
    {"start": 0.5, "end": 2, "text": " Hi, you! ", "speaker": "Ann"},
    {"start": "0:01.75", "end": 63.25, "text": "Grüß dich — 你好", "speaker": "Bo"},
]
HEARD = {"id": 0, "seek": 0, "tokens": [1], "avg_logprob": -0.3, "no_speech_prob": 0.1}
WORDS = [{"word": "Grüß", "start": 1.75, "end": 2}]
WHISPER = {"text": "...", "language": "en", "segments": [PLAIN[0] | HEARD, PLAIN[1] | {"start": 1.75, "words": WORDS}]}
CHUNKS = [
    {"timestamp": [0.5, 2], "text": "Hi, you!", "speaker": "Ann"},
    {"timestamp": [1.75, 63.25], "text": "Grüß dich — 你好", "speaker": "Bo"},
]


@pytest.mark.parametrize(
    "name, text",
    [
        ("x.csv", 'start,end,text,speaker\n0.5,2,"Hi, you!",Ann\n1.75,63.25,Grüß dich — 你好,Bo\n'),
        ("x.csv", "Speaker;Start;End;Text\nBo;0:01.750;00:01:03,25;Grüß dich — 你好\n\nAnn;0,5;2;Hi, you!\n"),
        ("x.tsv", "begin\tduration\twords\tname\r\n0.5\t1.5\tHi, you!\tAnn\r\n1.75\t61.5\tGrüß dich — 你好\tBo"),
        ("x.srt", SUBTITLES),
        ("x.vtt", CUES),
        ("x.json", json.dumps(PLAIN)),
        ("x.json", json.dumps(WHISPER)),
        ("x.json", json.dumps({"chunks": CHUNKS})),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_all_kinds_say_the_same(tmp_path, name, text, encoding):
    turns = read_transcript(saved(tmp_path, name, text, encoding))
    wanted = TURNS if name != "x.srt" else (replace(TURNS[0], speaker="ANN"), TURNS[1])
    assert turns == wanted


def test_rttm_says_who_without_words(tmp_path):
    path = saved(
        tmp_path,
        "x.rttm",
        ";; c\nSPEAKER a 1 3.5 1 <NA> <NA> Bo%20B|joy 0.5 <NA>\nSPEAKER a 1 0.25 2 <NA> <NA> Ann <NA> <NA>\n",
    )
    assert read_transcript(path) == (Turn("Ann", Span(0.25, 2.25), ""), Turn("Bo B", Span(3.5, 4.5), ""))


@pytest.mark.parametrize("suffix", [".eaf", ".TextGrid", ".json", ".rttm", ".vtt", ".srt"])
def test_what_affetto_wrote_is_a_transcript_again(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    film = perceived.film()
    formats.by_path(path).write([film], path)
    turns = read_transcript(path, records=lambda path: formats.by_path(path).read(path), duration=perceived.SECONDS)
    wanted = film.turns if suffix != ".rttm" else tuple(Turn(t.speaker, t.span, "") for t in film.turns)
    assert turns == wanted


def test_what_nobody_names_is_someones_and_the_end_is_cut(tmp_path):
    path = saved(tmp_path, "x.csv", "start,end,text\n0,1,a\n0.1,1,b\n8,12,c\n")
    turns = read_transcript(path, duration=10.5)
    assert [turn.speaker for turn in turns] == ["someone"] * 3 and turns[-1].span == Span(8, 10.5)


@pytest.mark.parametrize(
    "name, text, why",
    [
        ("x.csv", "start,text\n0,a\n", "no column end; its first line wants start, end, text"),
        ("x.csv", "0,1,hi\n1,2,ho\n", "no column start and text and end"),
        ("x.csv", "start,end,text\n-1,1,a\n", "line 2 of x.csv: the time '-1' is not finite or below 0"),
        ("x.csv", "start,end,text\n0,1,a\n5,4,b\n", "line 3 of x.csv ends at 0:00:04.000, before it starts at 0:00:05"),
        ("x.csv", "start,end,text\n0,soon,a\n", "'soon' is no time; write seconds or h:mm:ss.mmm"),
        ("x.csv", "start,end,text\n0:75,2:00,a\n", "is no time: minutes and seconds go to 59"),
        ("x.csv", "start,end,text\n0,nan,a\n", "not finite"),
        ("x.csv", "start,end,text\n", "holds no turn with its times"),
        ("x.csv", "", "is empty"),
        ("x.csv", 'start,end,text\n0,1,"a\n2,3,b\n', "is no row of a table"),
        ("x.csv", "start,end,text,speaker\n0,9,a,Ann\n5,10,b,Ann\n", "'Ann' speaks twice at once: at 0:00:00.000 to "),
        ("x.csv", "start,end,text,speaker\n0,9,a,Ann\n1,2,b,Bo\n3,4,b,Ann\n", "'Ann' speaks twice at once"),
        ("x.csv", "start,end,text\n500,510,a\n", "goes on at 0:08:20.000, but the recording ends at 0:01:40.000"),
        ("x.json", "{", "is no JSON"),
        ("x.json", "[" * 100_000, "is no JSON"),
        ("x.json", '{"text": "hi"}', "is no transcript: it wants a list"),
        ("x.json", "[1]", "segment 0 of x.json wants an object"),
        ("x.json", '[{"end": 1, "text": "a"}]', "segment 0 of x.json lacks its start"),
        ("x.json", '[{"start": 1, "text": "a"}]', "segment 0 of x.json lacks its end"),
        ("x.json", '[{"start": true, "end": 2}]', "'True' is no time"),
        ("x.json", '[{"start": 0, "end": NaN}]', "not finite"),
        ("x.json", "[]", "holds no turn"),
        ("x.rttm", "SPEAKER a 1 0 1 <NA>", "line 1 of x.rttm is no RTTM"),
        ("x.rttm", "SPEAKER a 1 0 -1 <NA> <NA> b", "below 0"),
        ("x.srt", "hello", "holds no cue"),
        ("x.docx", "hello", r"ends in '.docx', which is no transcript that is known; known: .srt, .vtt, .csv"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_a_sentence(tmp_path, name, text, why):
    with pytest.raises(UnreadableError, match=why) as caught:
        read_transcript(saved(tmp_path, name, text), duration=100)
    assert name in str(caught.value) and len(str(caught.value)) < 400


def test_encodings_and_files_that_are_not_there(tmp_path):
    with pytest.raises(UnreadableError, match=r"is no UTF-8 \(byte 0xfc at character \d+\); save it as UTF-8"):
        read_transcript(saved(tmp_path, "x.csv", "start,end,text\n0,1,Gr\u00fc\u00df\n", "latin-1"))
    for suffix in (".csv", ".srt", ".eaf"):
        with pytest.raises(UnreadableError, match="there is no file"):
            read_transcript(tmp_path / f"nowhere{suffix}", records=lambda path: [])
    path = saved(tmp_path, "x.TextGrid", "hello")
    with pytest.raises(UnreadableError, match="holds no turn"):
        read_transcript(path, records=lambda path: [Record("1", turns=(Turn("a", None, "hi"),))])


times = st.integers(0, 10**7).map(lambda ms: ms / 1000)


@given(times)
def test_seconds_and_clocks_say_the_same(at):
    whole = round(at * 1000)
    clock = f"{whole // 3600000}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
    assert seconds_of(clock) == pytest.approx(at, abs=1e-9) and seconds_of(at) == seconds_of(str(at)) == at


@given(st.lists(st.tuples(times, st.floats(0, 100), st.sampled_from("AB")), min_size=1, max_size=8))
def test_turns_come_in_order_or_are_refused_for_speaking_twice(tmp_path_factory, said):
    path = tmp_path_factory.mktemp("t") / "x.json"
    path.write_text(
        json.dumps([{"start": a, "end": a + length, "text": "x", "speaker": who} for a, length, who in said])
    )
    clash = any(
        min(a + m, b + n) - max(a, b) > TOGETHER
        for i, (a, m, who) in enumerate(said)
        for b, n, other in said[:i]
        if who == other
    )
    if clash:
        with pytest.raises(UnreadableError, match="speaks twice"):
            read_transcript(path)
    else:
        turns = read_transcript(path)
        assert [turn.span.start for turn in turns] == sorted(a for a, _, _ in said)
