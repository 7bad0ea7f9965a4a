import itertools
import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog, plain
from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.media.chat_turns import MEDIA
from affetto.media.conversations import LAYOUTS, Columns, layout_of, read_conversations
from tests import talks


def read(tmp_path, name, text, written="utf-8", **how):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(written, "surrogatepass"))
    return list(read_conversations(path, **how))


def said(record):
    return [(turn.speaker, turn.text) for turn in record.turns]


ANDROID = """13/12/2020, 21:14 - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.
13/12/2020, 21:15 - Ann: Hello there
how are you?

12/31/20, 9:00 PM - this line was pasted
13/12/2020, 21:15 - Ann: <Media omitted>
13/12/2020, 21:15 - Bo B.: IMG-20201213-WA0001.jpg (file attached)
look at this: nice!
13/12/2020, 21:17 - Ann added Cy
14/12/2020, 00:01 - +49 170 1234567: 12:30 works <This message was edited>
14/12/2020, 00:02 - Bo B.:\x20
"""
IOS = """\u200e[12/31/20, 9:15:03\u202fPM] Friends: \u200eMessages and calls are end-to-end encrypted.
[12/31/20, 9:15:03\u202fPM] Friends: \u200eAnn created this group
[12/31/20, 9:15:03\u202fPM] Ann: Happy new year: \u200f🎉
\u200e[12/31/20, 11:59:59\u202fPM] Bo: \u200eimage omitted
\u200e[1/1/21, 12:00:01\u202fAM] Ann: \u200e<attached: 00000012-PHOTO-2021-01-01.jpg>
"""


def test_whatsapp_of_android(tmp_path):
    (record,) = read(tmp_path, "WhatsApp Chat with Ann.txt", ANDROID)
    assert said(record) == [
        ("Ann", "Hello there\nhow are you?\n\n12/31/20, 9:00 PM - this line was pasted"),
        ("Ann", MEDIA),
        ("Bo B.", "look at this: nice!"),
        ("+49 170 1234567", "12:30 works"),
        ("Bo B.", ""),
    ]
    assert [turn.span.start for turn in record.turns] == [0, 20, 40, 9960, 10020]
    assert record.meta["dates"] == "dmy" and "warning" not in record.meta and record.id == "WhatsApp Chat with Ann"
    assert [at for at, _ in record.meta["system"]] == [0, 3] and record.meta["system"][1][1] == "Ann added Cy"
    assert record.meta["media"] == {"1": "<Media omitted>", "2": "IMG-20201213-WA0001.jpg"}
    assert record.meta["edited"] == {"3": True}


def test_whatsapp_of_ios(tmp_path):
    (record,) = read(tmp_path, "_chat.txt", IOS)
    assert said(record) == [("Ann", "Happy new year: \u200f🎉"), ("Bo", MEDIA), ("Ann", MEDIA)]
    assert [turn.span.start for turn in record.turns] == [0, 9896, 9898]
    assert record.meta["dates"] == "mdy" and len(record.meta["system"]) == 2
    assert record.meta["media"]["2"] == "00000012-PHOTO-2021-01-01.jpg"


HEADS = {
    "android": "{d:%d/%m/%Y}, {d:%H:%M} - ",
    "android us": "{d:%m/%d/%y}, {d:%I:%M} {d:%p} - ",
    "german": "{d:%d.%m.%y}, {d:%H:%M} - ",
    "ios german": "[{d:%d.%m.%y}, {d:%H:%M:%S}] ",
    "ios us": "[{d:%m/%d/%y}, {d:%I:%M:%S}\u202f{d:%p}] ",
    "spanish": "{d:%d/%m/%y} {d:%I:%M} {half} - ",
    "swedish": "{d:%Y-%m-%d} {d:%H:%M} - ",
    "dutch": "{d:%d-%m-%Y} {d:%H:%M} - ",
    "japanese": "[{d:%Y/%m/%d} {d:%H:%M:%S}] ",
    "chinese": "{d:%Y/%m/%d} {noon}{d:%I:%M} - ",
    "arabic": "{d:%d}\u200f/{d:%m}\u200f/{d:%Y}\u060c {d:%I:%M} {arab} - ",
}


def head(style, moment):
    late = moment.hour >= 12
    return HEADS[style].format(
        d=moment, half=("a.\u00a0m.", "p.\u00a0m.")[late], noon=("上午", "下午")[late], arab="صم"[late]
    )


@pytest.mark.parametrize("style", HEADS)
@settings(max_examples=25)
@given(
    begin=st.datetimes(datetime(2011, 1, 1), datetime(2029, 1, 1)),
    gaps=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    words=st.lists(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1), min_size=7, max_size=7),
)
def test_any_style_of_dates_gives_all_words_and_times(tmp_path_factory, style, begin, gaps, words):
    begin = begin.replace(day=13, second=0, microsecond=0)  # month or day is plain
    moments = [begin + timedelta(hours=hours) for hours in itertools.accumulate(gaps, initial=0)]
    texts = [f"w {word}" for word in words[: len(moments)]]
    lines = [f"{head(style, at)}{'AB'[k % 2]}nn: {texts[k]}\n" for k, at in enumerate(moments)]
    (record,) = read(tmp_path_factory.mktemp("chat"), "chat.txt", "".join(lines))
    assert record.meta["layout"] == "whatsapp"
    assert said(record) == [(f"{'AB'[k % 2]}nn", text) for k, text in enumerate(texts)]
    assert [turn.span.start for turn in record.turns] == [(at - begin).total_seconds() for at in moments]


def test_dates_that_may_be_either_are_told_and_can_be_asked_for(tmp_path):
    text = "".join(f"{day:02}/05/2021, 10:00 - Ann: {day}\n" for day in (4, 5, 6))
    (record,) = read(tmp_path, "a.txt", text)
    assert record.meta["dates"] == "dmy" and "day first or month first" in record.meta["warning"]
    (asked,) = read(tmp_path, "a.txt", text, dates="mdy")
    assert asked.turns[1].span.start == 30 * 86400 and "warning" not in asked.meta
    with pytest.raises(UnknownNameError, match="dmy"):
        read(tmp_path, "a.txt", text, dates="ydm")


def test_times_out_of_order_keep_the_order_of_the_file(tmp_path):
    text = "[13.01.21, 10:00:05] Ann: b\n[13.01.21, 10:00:00] Bo: a\n[13.01.21, 10:00:09] Ann: c\n"
    (record,) = read(tmp_path, "a.txt", text)
    assert [turn.text for turn in record.turns] == ["b", "a", "c"]
    assert [turn.span.start for turn in record.turns] == [5, 0, 9]
    assert record.meta["warning"].startswith("messages with an earlier time")


def telegram(messages, **facts):
    return {"name": "Ann", "type": "personal_chat", "id": 7, **facts, "messages": messages}


MESSAGES = [
    {"id": 1, "type": "service", "date": "2021-03-01T12:00:00", "actor": "Ann", "action": "create_group", "text": ""},
    {"id": 2, "type": "message", "date": "2021-03-01T12:00:00", "date_unixtime": "1614600000", "from": "Ann",
     "from_id": "user1", "text": ["See ", {"type": "link", "text": "https://a.b/c"}, " {now}"]},
    {"id": 3, "type": "message", "date_unixtime": "1614600060", "from": "Bo", "from_id": "user2", "text": "",
     "media_type": "sticker", "sticker_emoji": "😂", "file": "(File not included)"},
    {"id": 4, "type": "message", "date_unixtime": "1614600090", "from": None, "from_id": "user9", "text": "x",
     "forwarded_from": "Cy", "reply_to_message_id": 2, "photo": "photos/1.jpg"},
]  # fmt: skip


ODD = 'a "{b}": ["messages": ['


@pytest.mark.parametrize("indent", [None, 1])
def test_telegram_one_chat(tmp_path, indent):
    (record,) = read(tmp_path, "result.json", json.dumps(telegram(MESSAGES), indent=indent, ensure_ascii=False))
    assert said(record) == [("Ann", "See https://a.b/c {now}"), ("Bo", "😂"), ("user9", "x")]
    assert [turn.span.start for turn in record.turns] == [0, 60, 90]
    assert record.id == "Ann" and record.meta["type"] == "personal_chat" and record.meta["layout"] == "telegram"
    assert record.meta["system"] == [[0, "Ann create_group"]] and record.meta["forwarded"] == {"2": "Cy"}
    assert record.meta["answers"] == {"2": 0} and record.meta["media"] == {"1": "sticker", "2": "photos/1.jpg"}


def test_telegram_all_chats_also_with_keys_sorted_and_empty_ones(tmp_path):
    chats = [
        telegram(MESSAGES),
        telegram([]),
        telegram(MESSAGES[1:2], name='a "{b}": ["messages": ['),
        telegram(MESSAGES),
    ]
    whole = {"about": "x {", "contacts": {"list": [{"user_id": 1}]}, "chats": {"about": "", "list": chats}}
    for ordered in (False, True):
        records = read(tmp_path, "result.json", json.dumps(whole, indent=1, sort_keys=ordered))
        assert [record.id for record in records] == ["Ann", "Ann (2)", ODD, "Ann (3)"]
        assert [len(record.turns) for record in records] == [3, 0, 1, 3] and "no message" in records[1].meta["error"]


@settings(max_examples=40)
@given(share=st.floats(0.01, 0.999))
def test_a_telegram_export_that_is_cut_off_keeps_what_stands_before(tmp_path_factory, share):
    text = json.dumps(telegram(MESSAGES[:1] + MESSAGES[1:2] * 50), indent=1)
    cut = max(text.index("from_id") + 10, int(share * len(text)))
    (record,) = read(tmp_path_factory.mktemp("chat"), "result.json", text[:cut])
    assert len(record.turns) == text[:cut].count("\n  }") - 1 or "error" in record.meta
    assert "cut off" in record.meta.get("warning", "") or "error" in record.meta


def test_a_broken_message_costs_only_itself(tmp_path):
    text = json.dumps(telegram(MESSAGES), indent=1).replace('"sticker"', '"stic')
    (record,) = read(tmp_path, "result.json", text)
    assert [turn.text for turn in record.turns] == ["See https://a.b/c {now}", "x"]
    assert "broken message" in record.meta["warning"]


def test_a_long_telegram_export_is_read_along(tmp_path, monkeypatch):
    monkeypatch.setattr("affetto.media.lines.BLOCK", 100)
    records = read(tmp_path, "result.json", json.dumps({"chats": {"list": [telegram(MESSAGES * 40)] * 3}}))
    assert [len(record.turns) for record in records] == [120] * 3


MELD = """Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime
1,"Oh my God, he's lost it.",Phoebe,surprise,negative,0,1,4,7,"00:20:59,421","00:21:00,000"
2,also I was,Chandler,neutral,neutral,0,0,4,7,"00:20:57,256","00:20:59,421"
3,Hey!,Joey,joy,positive,1,0,4,7,"00:21:24,660","00:21:28,800"
"""


def test_meld(tmp_path):
    first, second = read(tmp_path, "test_sent_emo.csv", MELD)
    assert (first.id, second.id) == ("0", "1") and said(second) == [("Joey", "Hey!")]
    assert said(first) == [("Chandler", "also I was"), ("Phoebe", "Oh my God, he's lost it.")]
    assert first.turns[0].span.start == pytest.approx(1257.256) and not first.tracks
    assert first.meta["columns"] == {
        "text": "Utterance", "speaker": "Speaker", "dialogue": "Dialogue_ID", "order": "Utterance_ID",
        "start": "StartTime", "end": "EndTime",
    }  # fmt: skip


def test_tables_whose_talks_lie_apart_and_whose_columns_are_named(tmp_path, monkeypatch):
    text = "who\tline\ttalk\nAnn\thi\t1\nCy\tno\t2\nBo\t\t1\nCy\tyes\t2\n"
    with pytest.raises(UnreadableError, match="who, line, talk"):
        read(tmp_path, "t.tsv", text)
    named = Columns(text="line", dialogue="talk")
    one, two = read(tmp_path, "t.tsv", text, columns=named)
    assert said(one) == [("Ann", "hi"), ("Bo", "")] and said(two) == [("Cy", "no"), ("Cy", "yes")]
    with pytest.raises(UnknownNameError, match="talks"):
        read(tmp_path, "t.tsv", text, columns=Columns(text="line", dialogue="talks"))
    monkeypatch.setattr("affetto.media.talk_rows.HELD", 1)
    apart = read(tmp_path, "t.tsv", text, columns=named)
    assert [record.id for record in apart] == ["1", "2", "1 (2)", "2 (2)"]
    assert "sort the file" in apart[2].meta["warning"] and sum(len(record.turns) for record in apart) == 4


def test_rows_that_are_broken_or_mute_cost_only_themselves(tmp_path):
    (record,) = read(tmp_path, "t.csv", 'text,n\nhi,1\n"torn,2\nyes,3\n')
    assert [turn.text for turn in record.turns] == ["hi", "yes"] and record.turns[0].speaker == "someone"
    assert "row 2" in record.meta["warning"] and "no column of speakers" in record.meta["warning"]


LINES = [
    {"id": "a", "turns": [{"speaker": "Ann", "text": "hi", "start": 1.5, "end": 2}, {"speaker": "Bo", "text": ""}]},
    {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"},
                  {"role": "assistant", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url"}]},
                  {"role": "assistant", "content": None, "tool_calls": []}]},
    {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}], "topic": "z"},
    {"dialog": [{"speaker": "seeker", "content": "sad"}, {"speaker": "supporter", "content": "oh"}]},
    {"dialogue": ["one", "two", "three"]},
    {"turns": [["Ann", "hi"], 3, {"speaker": "Bo"}]},
]  # fmt: skip


def test_json_lines_of_talks(tmp_path):
    text = "\n".join(map(json.dumps, LINES)) + '\n{"turns": [{"spea\n[1]\n{"a": 1}\n'
    records = read(tmp_path, "chat.jsonl", text)
    assert len(records) == 9 and [record.id for record in records[:2]] == ["a", "2"]
    assert said(records[0]) == [("Ann", "hi"), ("Bo", "")] and "no time" in records[0].meta["warning"]
    assert said(records[1]) == [("user", "hello"), ("assistant", "Hi"), ("assistant", "")]
    assert records[1].people == {"user": {"role": "user"}, "assistant": {"role": "assistant"}}
    assert records[1].meta["system"] == [[0, "Be kind."]] and records[1].meta["media"] == {"1": "image_url"}
    assert said(records[2]) == [("human", "x"), ("gpt", "y")] and records[2].meta["facts"] == {"topic": "z"}
    assert records[3].people == {"seeker": {"role": "seeker"}, "supporter": {"role": "supporter"}}
    assert said(records[4]) == [("A", "one"), ("B", "two"), ("A", "three")]
    assert said(records[5]) == [("Ann", "hi")] and "turn 2" in records[5].meta["warning"]
    assert all("error" in record.meta for record in records[6:]) and "torn" in records[6].meta["error"]


def test_json_lines_of_turns_and_of_records(tmp_path):
    rows = [
        {"conversation_id": k % 2, "author": "AB"[k % 2], "text": str(k), "timestamp": 1.7e12 + 1000 * k}
        for k in range(4)
    ]
    one, two = read(tmp_path, "t.jsonl", "\n".join(map(json.dumps, rows)))
    assert said(one) == [("A", "0"), ("A", "2")] and [turn.span.start for turn in two.turns] == [0, 2]
    own = talks.talk()
    lines = json.dumps(plain.from_record(own)) + "\nnothing\n"
    again, broken = read(tmp_path, "t.jsonl", lines)
    assert again.turns == own.turns and len(again.tracks) == len(own.tracks) and "row 2" in broken.meta["error"]


def test_json_files(tmp_path):
    assert [len(record.turns) for record in read(tmp_path, "t.json", json.dumps(LINES, indent=1))] == [2, 3, 2, 2, 3, 1]
    (one,) = read(tmp_path, "t.json", json.dumps(LINES[0], indent=1))
    (turns,) = read(tmp_path, "talk.json", json.dumps(LINES[0]["turns"]))
    assert said(one) == said(turns) == [("Ann", "hi"), ("Bo", "")] and turns.id == "talk"
    with pytest.raises(UnreadableError, match="cut off"):
        read(tmp_path, "t.json", '[{"turns": [')
    with pytest.raises(UnreadableError, match="wants a talk"):
        read(tmp_path, "t.json", "[1, 2]")


def test_dailydialog_subtitles_and_names(tmp_path):
    one, two = read(
        tmp_path, "dialogues_text.txt", "Hi . __eou__ Hello ! __eou__ Bye . __eou__\n\nA __eou__ B __eou__\n"
    )
    assert said(one) == [("A", "Hi ."), ("B", "Hello !"), ("A", "Bye .")] and two.id == "3"
    (heard,) = read(tmp_path, "a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>hi\n")
    assert said(heard) == [("Ann", "hi")] and heard.turns[0].span.start == 1 and heard.meta["layout"] == "subtitles"
    (named,) = read(tmp_path, "a.txt", "Ann: hi\nBo: yes\nand no\n\ntherapist: hm\n")
    assert said(named) == [("Ann", "hi"), ("Bo", "yes\nand no"), ("therapist", "hm")]
    assert named.people == {"therapist": {"role": "therapist"}}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_encodings_are_known(tmp_path, encoding):
    (record,) = read(tmp_path, "a.txt", ANDROID, encoding)
    assert len(record.turns) == 5


def test_a_wrong_encoding_loses_no_turn_and_is_told(tmp_path):
    text = "Ann: grüße\nBo: fine\nAnn: bye\n".encode("latin-1")
    (record,) = read(tmp_path, "a.txt", text)
    assert said(record) == [("Ann", "gr\ufffd\ufffde"), ("Bo", "fine"), ("Ann", "bye")]
    assert "name its encoding" in record.meta["warning"]
    (right,) = read(tmp_path, "a.txt", text, encoding="latin-1")
    assert right.turns[0].text == "grüße" and "warning" not in right.meta


@pytest.mark.parametrize("data", [np.random.default_rng(3).bytes(4000), "Анна: да\nБорис: нет\n".encode("cp1251")])
def test_bytes_that_are_no_text_are_refused(tmp_path, data):
    with pytest.raises(UnreadableError, match=r"a\.txt is no text: \d+% of its beginning .* say encoding"):
        read(tmp_path, "a.txt", data)


def test_russian_in_its_own_encoding_is_read_where_that_is_named(tmp_path):
    (record,) = read(tmp_path, "a.txt", "Анна: да\nБорис: нет\n".encode("cp1251"), encoding="cp1251")
    assert said(record) == [("Анна", "да"), ("Борис", "нет")]


def test_what_is_no_conversation_is_answered_with_the_known_layouts(tmp_path):
    for text in ("just some words", "\x00\x01\x02"):
        with pytest.raises(UnreadableError) as told:
            read(tmp_path, "a.txt", text)
        assert all(name in str(told.value) for name in LAYOUTS)
    for text, way in (("", "empty"), (b"PK\x03\x04abc", "unpack")):
        with pytest.raises(UnreadableError, match=way):
            read(tmp_path, "a.zip", text)
    with pytest.raises(UnknownNameError, match="whatsapp"):
        read(tmp_path, "a.txt", "Ann: hi", layout="whatsap")
    with pytest.raises(UnreadableError, match="no WhatsApp export"):
        read(tmp_path, "a.txt", "Ann: hi", layout="whatsapp")
    with pytest.raises(UnreadableError, match="no file"):
        read_conversations(tmp_path / "none.txt")


def test_long_talks_and_huge_messages(tmp_path):
    text = "".join(f"[13.01.21, {k // 3600:02}:{k // 60 % 60:02}:{k % 60:02}] P{k % 3}: {k}\n" for k in range(5000))
    (record,) = read(tmp_path, "a.txt", text + "[14.01.21, 10:00:00] Ann: " + "ha" * 10**6)
    assert len(record.turns) == 5001 and len(record.turns[-1].text) == 2 * 10**6


def test_many_dialogues_are_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr("affetto.media.talk_rows.HELD", 100)
    path = tmp_path / "many.csv"
    path.write_text("dialogue_id,speaker,text\n" + "".join(f"{k // 3},S{k % 2},w {k}\n" for k in range(40_000)))
    reading = read_conversations(path)
    first = next(reading)
    assert len(first.turns) == 3 and reading.position < reading.total
    assert sum(len(record.turns) for record in reading) == 40_000 - 3


@pytest.mark.corpus
def test_the_table_of_meld_is_read_as_the_corpus_reader_reads_it(monkeypatch):
    from recipes.corpora import DATA

    monkeypatch.setenv("AFFETTO_DATA", str(DATA))
    corpus = catalog.load("meld")
    truth = list(corpus.read("test"))
    records = list(read_conversations(DATA / "text" / "meld" / "test_sent_emo.csv"))
    assert len(records) == len(truth) == 280 and sum(len(record.turns) for record in records) == 2610
    assert [[t.speaker for t in r.turns] for r in records] == [[t.speaker for t in r.turns] for r in truth]
    pairs = zip((t for r in records for t in r.turns), (t for r in truth for t in r.turns), strict=True)
    same = [a.text.strip() == b.text for a, b in pairs]
    assert sum(same) > 0.99 * len(same)


@settings(max_examples=40)
@given(text=st.text(max_size=300), name=st.sampled_from(["a.txt", "a.json", "a.jsonl", "a.csv", "a.srt"]))
def test_anything_at_all_is_read_or_refused_in_a_sentence(tmp_path_factory, text, name):
    folder = tmp_path_factory.mktemp("any")
    for layout in ("", *LAYOUTS):
        try:
            records = read(folder, name, text, layout=layout)
        except UnreadableError as error:
            assert "\n" not in str(error)
            continue
        for record in records:
            plain.to_record(json.loads(json.dumps(plain.from_record(record), allow_nan=False)))
            assert record.turns or record.meta["error"]


@settings(max_examples=60)
@given(head=st.text(max_size=200))
def test_a_layout_is_known_or_none(head):
    assert layout_of(head) in {*LAYOUTS, ""}
