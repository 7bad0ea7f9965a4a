import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import subtitles
from affetto.formats.finding import find_space
from affetto.media import files
from tests import perceived

EKMAN = find_space("ekman-7")


def joy(share, start=0.0, end=4.0, **more):
    values = [[0, 0, 0, share, 1 - share, 0, 0]]
    return Track(EKMAN, [start], [end], values, "s", **{"subject": "Ann", "channel": "fused", "source": "f@1"} | more)


def talk(*tracks, text="words", speaker="Ann"):
    return Record("x", turns=(Turn(speaker, Span(0.5, 3.25), text),), tracks=tracks)


def test_srt_says_speaker_feeling_and_words(tmp_path):
    path = tmp_path / "x.srt"
    subtitles.write([talk(joy(0.75, confidence=[0.82]))], path)
    assert path.read_text("utf-8") == "1\n00:00:00,500 --> 00:00:03,250\nAnn [joy 82%]: words\n\n"
    subtitles.write([talk(joy(0.75))], path)
    assert "Ann [joy 75%]: words" in path.read_text("utf-8")
    subtitles.write([talk(joy(0.75, subject="Bo"), joy(0.75, perspective="evoked"))], path)
    assert "Ann [?]: words" in path.read_text("utf-8")


def test_vtt_has_voices_classes_colours_and_notes(tmp_path):
    path = tmp_path / "x.vtt"
    subtitles.write([talk(joy(0.75, confidence=[0.82]), text="a < b & c")], path)
    text = path.read_text("utf-8")
    assert text.startswith("WEBVTT\n\n") and "::cue(.joy) { color: #F0E442; }" in text
    assert "NOTE Ann: joy 82 %, fused, f@1\n\n00:00:00.500 --> 00:00:03.250\n" in text
    assert "<v Ann><c.joy>a &lt; b &amp; c</c></v>\n" in text


def test_rows_are_averaged_over_a_turn_and_channels_have_an_order(tmp_path):
    early, late = joy(0.8, 0, 1.5, confidence=[0.5]), joy(0.3, 1.5, 9, confidence=[0.9])
    both = replace(
        early, start=[0, 1.5], end=[1.5, 9], values=np.concatenate([early.values, late.values]), confidence=[0.5, 0.9]
    )
    path = tmp_path / "x.srt"
    subtitles.write([talk(both)], path)
    share = 0.3 * (1.75 / 2.75) + 0.8 * (1 / 2.75)
    assert f"[sadness {round(100 * (1 - share))}%]" in path.read_text()
    subtitles.write([talk(joy(0.9, channel="face"), joy(0.6, channel="voice"))], path)
    assert "[joy 60%]" in path.read_text()


def test_without_turns_stretches_of_a_feeling_are_cues(tmp_path):
    path = tmp_path / "x.srt"
    values = np.array([[0, 0, 0, 1, 0, 0, 0]] * 2 + [[np.nan] * 7] + [[0, 0, 0, 0.25, 0.75, 0, 0]])
    track = replace(joy(1), start=[0, 1, 2, 3], end=[1, 2, 3, 4], values=values)
    subtitles.write([Record("x", tracks=(track,))], path)
    assert re.findall(r"(\S+) --> (\S+)\n(.*)", path.read_text()) == [
        ("00:00:00,000", "00:00:02,000", "Ann [joy 100%]:"),
        ("00:00:03,000", "00:00:04,000", "Ann [sadness 75%]:"),
    ]
    assert "error" in next(files.read(path)).meta


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_a_perceived_film_is_read_back_with_names_and_words(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    film = perceived.film()
    formats.by_path(path).write([film], path)
    (back,) = files.read(path)
    assert back.turns == film.turns
    with pytest.raises(UnreadableError, match=r"read as turns by affetto\.read"):
        list(formats.by_path(path).read(path))


WORDS = st.one_of(
    st.sampled_from(
        ["- no", "12", "BOB: hi", "Note: x: y", "<b>bold</b> 1<2", "{\\an8}up", "a &amp; b &lt;", "0:01 --> 0:02",
         "[?]: x", "Ann [joy 5%]: she said", "<v Bo>hm", "WEBVTT", "NOTE", "STYLE", "R&D &copy", "\u2013 dash", "x\ny"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn"]), max_size=30),
)  # fmt: skip
NAMES = st.sampled_from(["Ann", "person-2", "Dr. O'Neil & Co", "a <b>", "Zoë 3", "X: Y", "someone", "ANN"])


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
@settings(max_examples=60, deadline=None)
@given(said=st.lists(st.tuples(NAMES, WORDS, st.booleans()), min_size=1, max_size=4))
def test_any_words_of_anybody_come_back(tmp_path_factory, suffix, said):
    path = tmp_path_factory.mktemp("subs") / f"x{suffix}"
    turns = tuple(Turn(who, Span(k, k + 1), words) for k, (who, words, _) in enumerate(said))
    tracks = tuple(joy(0.7, subject=who) for who, _, felt in said if felt)
    subtitles.write([Record("x", turns=turns, tracks=tracks)], path)
    (back,) = files.read(path)
    wanted = [Turn(t.speaker, t.span, " ".join(t.text.split())) for t in turns if t.text.split()]
    assert list(back.turns) == wanted
