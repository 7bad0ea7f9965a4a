"""The page of a record, as a file: whole, closed, escaped, small, the same each time, and right in its numbers."""

import base64
import json
import re
from datetime import date
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.report import page_people, page_rows
from affetto.report.html import Options, Player, page
from affetto.report.page_labels import Labels, look
from tests import report_talks as talks
from tests.report_talks import EKMAN, VA

HOW = Options(made=date(2026, 11, 20))
VOID = {"meta", "link", "input", "img", "br", "hr"}
FILM = b"\x00\x01not really a film"


class Tree(HTMLParser):
    """Reads a page: its tags, whether they close, its texts and blocks."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.blocks, self.texts, self.wrong = [], [], {}, [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append((tag, dict(attributes).get("id") or dict(attributes).get("type") or ""))

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.wrong.append((tag, self.getpos()))
        else:
            self.open.pop()

    def handle_data(self, text):
        if self.open and self.open[-1][0] in ("script", "style"):
            key = self.open[-1][1] or self.open[-1][0]
            self.blocks[key] = self.blocks.get(key, "") + text
        else:
            self.texts.append(text)

    @property
    def data(self):
        def refuse(word):
            raise AssertionError(word)

        return json.loads(self.blocks["data"], parse_constant=refuse)


def tree(record, **more):
    return Tree(page(record, options=more.pop("options", HOW), **more))


def everything():
    return {
        "talk": talks.talk(60.0),
        "words": talks.words_only(),
        "moment": talks.one_moment(),
        "strange": talks.strange(),
        "nothing": Record("nothing"),
        "unsaid": Record("unsaid", tracks=(Track(VA, [0, 1], [1, 4], np.full((2, 2), np.nan), subject="Ann"),)),
    }


@pytest.mark.parametrize("kind", everything())
def test_a_page_is_one_closed_document_that_fetches_nothing(kind):
    found = tree(everything()[kind])
    assert not found.wrong and not found.open
    names = [tag for tag, _ in found.tags]
    assert [names.count(one) for one in ("html", "head", "body", "main", "h1", "footer")] == [1] * 6
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for tag, attributes in found.tags:
        assert not any(key.startswith("on") or key == "style" for key in attributes), (tag, attributes)
        for key in ("src", "href", "poster", "action", "data"):
            assert re.match(r"#|data:|$", attributes.get(key) or ""), (tag, attributes)
    assert not re.search(r"url\(|@import|https?://", found.blocks["style"])
    assert not re.search(r"fetch\(|XMLHttp|WebSocket|eval\(|innerHTML|localStorage|https?://", found.blocks["script"])
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", everything())
def test_its_numbers_are_json_without_nan(kind):
    data = tree(everything()[kind]).data
    assert data["unit"] == {"words": "turn", "nothing": "char"}.get(kind, "s")
    for person in data["people"]:
        for lane in person["lanes"]:
            assert len(lane["t"]) == len(lane["d"]) == len(lane["top"])
            assert all(0 <= top[0] < len(data["labels"]) for top in lane["top"] if top)


def test_everybody_and_every_turn_stand_in_the_page_itself():
    record = talks.talk(90.0, ("Ann", "Ben", "Chloé"))
    found = tree(record)
    words = " ".join(found.texts)
    assert all(name in words for name in ("Ann", "Ben", "Chloé", "talk.mp4", "face.expression@1.0.0", "never facts"))
    assert sum(a.get("class", "").startswith("turn") for tag, a in found.tags if tag == "li") == len(record.turns)
    assert all(turn.text in words for turn in record.turns)
    assert all(a.get("dir") == "auto" for tag, a in found.tags if tag == "p" and set(a) == {"dir"})


def test_the_foot_says_limits_use_licence_and_what_no_card_says():
    unknown = Track(VA, [0], [1], [[0.1, 0.1]], source="unheard.of@9")
    words = " ".join(tree(talks.talk(60.0).add(unknown)).texts)
    card = catalog.find("speech.affect")
    assert card.intended_use in words and card.licence in words and all(limit in words for limit in card.limits)
    assert "unheard.of@9 No card of it is installed here" in words
    assert "What is claimed" in words and "Not said" in words


def test_hostile_names_and_words_are_text():
    record = talks.strange()
    text = page(record, options=HOW)
    found = Tree(text)
    assert "<img src=x" not in text and "</style>wistful" not in found.blocks["style"]
    assert [tag for tag, _ in found.tags].count("script") == 3
    assert sum(tag == "img" for tag, _ in found.tags) == 0
    assert record.turns[0].speaker in found.texts
    assert "\ud800" not in text and "\x00" not in text
    assert "${facts} $title" in found.texts
    text.encode("utf-8")


@settings(max_examples=25)
@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_or_word_opens_a_tag(name, words):
    plain = Tree(page(Record("r", turns=(Turn("a", None, "b"),)), options=HOW))
    found = Tree(page(Record("r", turns=(Turn(name, None, words),)), options=HOW))
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in plain.tags]
    assert not found.wrong and found.data["turns"] == [[[0, 1], 0]]


def test_the_same_record_gives_the_same_bytes():
    record = talks.talk(40.0)
    assert page(record, options=HOW) == page(record, options=HOW)
    assert page(record, options=HOW) != page(record, options=Options(made=date(2026, 11, 21)))


def test_three_hours_stay_small_and_say_that_they_are_means():
    record = talks.talk(3 * 3600.0, rate=2.0, turn=4.0)
    text = page(record, options=HOW)
    assert len(text) < 5e6
    data = Tree(text).data
    assert max(len(lane["t"]) for person in data["people"] for lane in person["lanes"]) <= 4001
    face = next(lane for lane in data["people"][0]["lanes"] if lane["channel"] == "face")
    assert face["step"] == pytest.approx(2.7, abs=0.01)


def test_bins_keep_means_gaps_and_reasons():
    n = 1000
    values = np.tile([[0.25, 0.75]], (n, 1)).astype(np.float32)
    values[400:600] = np.nan
    values[0] = (0.65, 0.35)
    note = tuple("no face" if 400 <= i < 600 else "" for i in range(n))
    mood = Space("mood", "one", (Axis("good"), Axis("bad")))
    held = page_rows.rows(Track(mood, np.arange(n), np.arange(n) + 1.0, values, note=note), 100)
    assert len(held.start) <= 101 and held.step == pytest.approx(10)
    assert held.values[0] == pytest.approx([0.29, 0.71])
    assert np.isnan(held.values[45]).all() and held.notes[45] == "no face"
    assert (held.end - held.start).sum() == pytest.approx(n)


@given(st.integers(10, 60), st.integers(1, 300), st.floats(0, 1), st.integers(0, 9))
def test_bins_lose_no_time_and_invent_no_value(most, n, silent, seed):
    random = np.random.default_rng(seed)
    edges = np.cumsum(random.exponential(1, n + 1))
    values = random.uniform(-1, 1, (n, 2)).astype(np.float32)
    values[random.random(n) < silent] = np.nan
    track = Track(VA, edges[:-1], edges[1:], values)
    held = page_rows.rows(track, most)
    assert held.start[0] == edges[0] and held.end[-1] == edges[-1]
    assert (np.diff(held.start) > 0).all()
    said = held.values[~np.isnan(held.values)]
    if len(said):
        assert np.nanmin(values) - 1e-6 <= said.min() and said.max() <= np.nanmax(values) + 1e-6


def test_shares_and_means_leave_out_what_is_not_said():
    values = np.zeros((3, 7), np.float32)
    values[0, EKMAN.index("joy")] = values[1, EKMAN.index("anger")] = 1
    values[2] = np.nan
    track = Track(EKMAN, [0, 3, 4], [3, 4, 100], values)
    shares, said = page_people.shares(track)
    assert shares == [("joy", 0.75), ("anger", 0.25)] and said == 4
    mood = Track(VA, [0, 1], [1, 4], [[1.0, 0.2], [np.nan, np.nan]])
    assert page_people.means(mood) == {"valence": 1.0, "arousal": pytest.approx(0.2)}
    assert page_people.means(None) == {}


def test_valence_is_uncertain_where_labels_that_differ_are_as_likely():
    values = np.zeros((2, 7), np.float32)
    values[0, EKMAN.index("joy")] = 1
    values[1, [EKMAN.index("joy"), EKMAN.index("anger")]] = 0.5
    off = page_rows.spread(Track(EKMAN, [0, 1], [1, 2], values), 10)
    assert off == [0, 71]  # joy .80, anger -.62: half of the distance between them
    assert page_rows.spread(Track(talks.GO, [0], [1], np.full((1, 28), 0.1)), 10) is None


def test_conflicts_are_stretches_with_the_channel_that_deviates():
    values = np.array([[0.1, 0, 0, 0], [0.7, 0.1, 0.8, 0], [0.9, 0.7, 0.1, 0], [np.nan] * 4, [0.5, 0, 0, 1]])
    track = Track(
        talks.CONFLICT,
        range(5),
        range(1, 6),
        values,
        subject="Ann",
        channel="fused",
        note=("", "a", "b", "not said", "c"),
    )
    (person,) = page_people.gather(Record("r", tracks=(track,))).people
    told = [(m.start, m.end, round(m.degree, 1), m.channel, m.note) for m in person.marks]
    assert told == [(1, 3, 0.9, "text", "b"), (4, 5, 0.5, "face", "c")]


def test_peaks_are_the_strongest_moments_apart_and_never_neutral():
    labels = ["neutral", "joy", "joy", "anger", "neutral"]
    values = np.full((5, 7), 0.0, np.float32)
    for row, (label, sure) in enumerate(zip(labels, (0.99, 0.7, 0.9, 0.6, 0.99), strict=True)):
        values[row] = (1 - sure) / 6
        values[row, EKMAN.index(label)] = sure
    found = page_people.peaks(Track(EKMAN, [0, 10, 12, 14, 30], [1, 11, 13, 15, 31], values), 4, 2.0)
    assert [(peak.at, peak.label) for peak in found] == [(12.5, "joy"), (14.5, "anger")]


def test_lanes_are_one_a_channel_and_source_and_readers_are_nobody():
    values = talks.rows(EKMAN, ["joy"], [0.8], 1)
    rater = Track(EKMAN, [0], [1], values, subject="Ann", source="rater-1")
    many = Track(talks.GO, [0], [1], np.full((1, 28), 0.1), subject="Ann", source="m@1")
    best = Track(EKMAN, [0], [1], values, subject="Ann", source="m@1")
    evoked = Track(VA, [0], [1], [[0.1, 0.1]], subject="reader", perspective="evoked", source="m@1")
    cast = page_people.gather(Record("r", tracks=(rater, many, best, evoked)))
    assert [person.name for person in cast.people] == ["Ann"]
    assert cast.people[0].lanes == [rater, best] and cast.people[0].also == [many] and cast.readers == [evoked]


def test_rows_of_turns_lie_where_their_turns_do():
    turns = (Turn("Ann", Span(3.0, 5.0), "a"), Turn("Ann", None, "b"), Turn("Ann", Span(7.0, 8.0), "c"))
    track = Track(EKMAN, [0, 1, 2], [1, 2, 3], talks.rows(EKMAN, ["joy"] * 3, [0.8] * 3, 1), unit="turn", subject="Ann")
    cast = page_people.gather(Record("r", turns=turns, tracks=(track,)))
    assert cast.unit == "s" and cast.end == 8
    assert cast.people[0].lanes[0].start.tolist() == [3, 7] and cast.turns[1].place is None


def test_what_is_not_drawn_is_named():
    pose = Track(
        Space("head-pose", "graded", (Axis("yaw", low=-90, high=90),)), [0], [1], [[3]], subject="a", channel="face"
    )
    assert "not drawn here: head-pose" in page(Record("r", tracks=(pose,)), options=HOW)


def test_labels_keep_their_looks():
    assert look("joy") == look("joy") and look("happiness").colour == look("joy").colour
    names = [f"mood {k}" for k in range(40)]
    assert len({(look(name).colour, look(name).pattern) for name in names}) > 30
    assert all(re.fullmatch("#[0-9A-F]{6}", look(name).colour) for name in [*names, "\ud800", ""])
    known = {
        look(name).colour for name in ("joy", "sadness", "anger", "fear", "disgust", "surprise", "contempt", "neutral")
    }
    assert len(known) == 8
    labels = Labels()
    assert [labels.number(name) for name in ("b", "a", "b")] == [0, 1, 0]


def test_a_recording_lies_in_the_page_or_beside_it():
    held = Tree(page(talks.talk(20.0), Player("video/mp4", FILM), options=HOW))
    assert base64.b64decode(held.blocks["media"]) == FILM and held.data["url"] == ""
    beside = Tree(page(talks.talk(20.0), Player("audio/wav", url="a folder/talk #1.wav"), options=HOW))
    assert unquote(beside.data["url"]) == "a folder/talk #1.wav" and "#" not in beside.data["url"]
    assert "media" not in beside.blocks
    policy = next(a["content"] for _, a in beside.tags if a.get("http-equiv"))
    assert "media-src data: blob: 'self' file:" in policy


@pytest.mark.parametrize("url", ["", "http://a/b.mp4", "//a/b.mp4", "javascript:alert(1)", "data:video/mp4,x"])
def test_a_recording_elsewhere_is_refused(url):
    with pytest.raises(MalformedError, match="relative to the page"):
        Player("video/mp4", url=url)


def test_what_is_no_recording_or_no_picture_is_refused():
    with pytest.raises(MalformedError, match="mime"):
        Player('video/mp4"><script>', b"")
    with pytest.raises(MalformedError, match="JPEG"):
        page(talks.talk(10.0), stills={"Ann": [(0.0, b"\x89PNG")]})
    with pytest.raises(MalformedError, match="rows"):
        Options(rows=1)


def test_stills_stand_at_their_moments():
    found = tree(talks.talk(60.0), stills={"Ann": [(7.0, talks.jpeg()), (1.0, talks.jpeg())]})
    at = [float(a["data-at"]) for tag, a in found.tags if tag == "img"]
    assert len(at) == 2 and at == sorted(at)


def test_links_say_how_sure():
    words = " ".join(tree(talks.talk(20.0)).texts)
    assert "93 %" in words and "voice-2 4 %" in words and "person-1" in words


def test_explanations_come_along_with_what_they_explain():
    data = tree(talks.talk(30.0)).data
    reason = next(one for one in data["reasons"] if one["subject"] == "Ann")
    assert reason["about"][2] == "s" and [part[0] for part in reason["parts"]][:3] == ["I", "got", "the"]
