import io
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from affetto.core.record import Record, Turn
from affetto.serve.talking import LIMITS, NOTICE, drawn, shown
from tests import talks


def flat(text):
    return " ".join(text.split())


def test_a_talk_is_told_turn_by_turn():
    told = shown(talks.talk())
    lines = told.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("   3 "))
    assert lines[at : at + 5] == [
        "   3 Tom (supporter)  [sadness 52%] ↘ worse than neutral",
        "     Oh no, I'm so sorry. What happened?",
        "     because of turn 2: 'I froze' (61%)",
        "     <strategy: reflection of feelings 50%> <skill: question 70%>",
        "     empathy: reacts **, explores ** by 'I'm so sorry', 'What happened?'",
    ]
    assert "[joy 86%] ↗ better than neutral" in told and "[anger 66%] → from sadness" in told
    assert "because of this turn: 'He laughed at my first answer' (93%)" in told
    assert "!! words of self-harm: 'nobody would miss me; disappeared'" in told
    assert flat(told).index(NOTICE) < flat(told).index("Hey Mia") and flat(told).endswith(LIMITS)
    assert " Mia  ▃▃▃▃▅▇  6 turns, 5 shifts" in lines and " expected next of Tom: joy 64%" in lines
    assert " trouble of Mia: 4.2 at first, 2.3 at last, of 5" in lines
    assert "client talk: neutral" not in told


def test_a_talk_in_seconds_is_told_alike():
    plain, timed = shown(talks.talk()), shown(talks.timed())
    assert "   3 0:08.0 Tom (supporter)  [sadness 52%] ↘ worse than neutral" in timed.splitlines()
    kept = [line for line in plain.splitlines() if line.startswith("     ")]
    assert kept == [line for line in timed.splitlines() if line.startswith("     ")]


def test_shifts_are_found_where_no_track_tells_them_and_same_labels_are_none():
    record = talks.talk()
    bare = replace(record, tracks=tuple(track for track in record.tracks if track.space.id != "shift"))
    assert shown(bare).splitlines()[:55] == shown(record).splitlines()[:55]
    line = next(line for line in shown(record).splitlines() if line.startswith("   9 "))
    assert line == "   9 Tom (supporter)  [neutral 44%]"


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("record", [talks.talk(), talks.timed(), talks.odd(), talks.long(40)], ids=lambda r: r.id)
def test_no_line_is_wider_than_asked(record, width):
    assert max(cell_len(line) for line in shown(record, width).splitlines()) <= width


def test_odd_talks_are_safe_to_show():
    told = shown(talks.odd())
    assert "\x1b" not in told and "\u202e" not in told and "(no words)" in told and "<Media omitted>" in told
    assert "     \u2068שלום, מה שלומך היום?\u2069" in told.splitlines()
    assert told.count("\u2068") == told.count("\u2069") == 6
    assert "not said" in told and "word" * 10 in told and "someone" not in told


def test_a_shift_between_hardly_known_feelings_is_only_possible():
    record = talks.talk()
    (low,) = (replace(t, confidence=t.confidence * 0.5) for t in record.tracks[2:3])
    told = shown(replace(record, tracks=(*record.tracks[:2], low, *record.tracks[3:])))
    assert "[anger 33%] → perhaps from sadness" in told and "[anger 79%] ↘ worse than sadness" in told


def test_replies_and_a_notice_that_a_talk_carries_are_told():
    replies = [{"text": "Tell me\x1b more.", "strategy": "question", "reasons": ["it asks", "it fits"]}]
    told = shown(replace(talks.talk(), meta={"replies": replies, "notice": "Call 112 now.\nA person can help."}))
    assert " reply 1: Tell me more. <question>" in told and "     - it asks\n     - it fits\n" in told
    assert "\nCall 112 now.\nA person can help.\n" in told and NOTICE[:30] not in flat(told)


def test_letters_of_ascii_are_enough():
    shown(talks.talk(), ascii=True).encode("ascii")
    assert " Mia  :::-*" in shown(talks.talk(), ascii=True) or "better than" in shown(talks.talk(), ascii=True)


def test_a_pipe_gets_no_colours_and_a_terminal_does():
    def printed(**how):
        held = io.StringIO()
        screen = Console(file=held, width=80, highlight=False, **how)
        for line in drawn(talks.talk()):
            screen.print(line)
        return held.getvalue()

    assert "\x1b[" not in printed()
    coloured = printed(force_terminal=True, color_system="standard", _environ={})
    assert "\x1b[1;31m!! Words of self-harm" in coloured


def test_long_talks_come_line_by_line_and_whole():
    lines = drawn(talks.long(5000))
    first = [next(lines).plain for _ in range(4)]
    assert first[2].startswith("   1 Ann")
    rest = [line.plain for line in lines]
    assert any(line.startswith("5000 Bo") for line in rest) and any("1,667 turns" in line for line in rest)
    assert len(next(line for line in rest if line.startswith(" Ann "))) <= 80


def test_talks_without_tracks_turns_or_with_errors():
    assert "not said" in shown(Record("r", turns=(Turn("Ann", None, "hi"),)))
    assert "LINE 3 is torn" in shown(Record("r", meta={"error": "LINE 3 is torn", "warning": "w\x1bx"}))
    assert shown(Record("")).strip()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=200)), max_size=5), st.integers(40, 100))
def test_anything_said_is_shown_within_the_width_without_control_codes(said, width):
    told = shown(Record("r", turns=tuple(Turn(who, None, text) for who, text in said)), width)
    assert not {unicodedata.category(sign) for sign in told.replace("\n", "")} & {"Cc", "Cs", "Zl", "Zp"}
    assert max(map(cell_len, told.split("\n"))) <= width
