import re
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.report import talk_gist
from affetto.report.conversation import MOST, page_of_conversations
from affetto.report.talk_chart import ARCS, LANES
from tests import talks

DAY = date(2026, 11, 20)


@dataclass
class Offered:
    """What `generate.reply` gives."""

    text: str
    score: float = 0.83
    strategy: str = "question"
    feeling: str = "joy"
    reasons: tuple = ("asks, so that the other goes on",)
    source: str = "bank@1"


class Whole(HTMLParser):
    """Checks that tags are closed in order, and gathers ids, links and words."""

    VOID = frozenset("meta link br img input hr".split())
    HTML5 = frozenset("path circle line rect".split())

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.links, self.words, self.tags = [], [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.append((tag, facts))
        self.ids += [facts["id"]] if "id" in facts else []
        self.links += [facts["href"]] if "href" in facts and tag == "a" else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def of(self, kind):
        return [facts for _, facts in self.tags if kind in (facts.get("class") or "").split()]


def page(*records, **how):
    return page_of_conversations(list(records), made=DAY, **how)


def words_of(text):
    return " ".join("".join(Whole(text).words).split())


def test_a_talk_with_all_tracks_is_told_whole():
    text = page(talks.talk(), replies=[Offered("Shall we look at it together? <b>")])
    read = Whole(text)
    said = words_of(text)
    assert len(read.of("said")) == 12 and len(read.of("arc")) == 6 and len(read.of("point")) == 12
    assert "Words of self-harm stand in turn 8" in said and "findahelpline.com" in said
    assert "▼ worse than neutral" in said and "▲ better than neutral" in said and "◆ from sadness" in said
    assert "because of turn 2: “I froze” 61%" in said and "because of this turn" in said
    assert "strategy affirmation and reassurance 42%" in said and "client talk sustain 60%" in said
    assert "empathy: reacts ★★, explores ★★" in said and "client talk neutral" not in said
    assert "Expected next of Tom: joy" in said and "4.2 of 5 at first, 2.3 at last" in said
    assert "Shall we look at it together? <b>" in said and "score 0.83" in said and "asks, so that" in said
    assert "Feelings here are estimates, never facts about a person." in said and "Intended use" in said
    assert '<mark class="empathic">I&#x27;m so sorry</mark>' in text
    assert '<mark class="because">I froze</mark>' in text and '<mark class="danger">disappeared</mark>' in text
    arc = read.of("arc")[0]
    assert arc["aria-label"].startswith("Turn 4: “He laughed at my first answer” → anger of Mia in turn 4, 93% sure")
    assert (arc["data-cause"], arc["data-felt"]) == ("t0-3", "t0-3")


def test_a_page_is_one_file_that_fetches_nothing_and_whose_links_lead_somewhere():
    text = page(talks.talk(), talks.odd(), talks.timed(), talks.long(40))
    read = Whole(text)
    assert len(set(read.ids)) == len(read.ids) and all(link[1:] in read.ids for link in read.links)
    assert not re.search(r'(?:src|href)="(?!#|data:,)', text) and "style=" not in re.sub(r"<style.*</style>", "", text)
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text
    assert text == page(talks.talk(), talks.odd(), talks.timed(), talks.long(40))
    assert "4 conversations" in words_of(text) and len(read.of("talk")) == 4


def test_replies_and_a_notice_that_a_talk_carries_are_told():
    replies = [{"text": "Tell me more.", "score": float("nan"), "strategy": "question", "reasons": ["it asks"]}]
    record = replace(talks.talk(), meta={"replies": replies, "notice": "Call <b>112</b> now.\nA person can help."})
    said = words_of(page(record))
    assert (
        "Replies that could be given" in said and "Tell me more.strategy questionit asks" in said and "nan" not in said
    )
    assert "Call <b>112</b> now. A person can help." in said and "findahelpline" not in said
    assert "Tell me more." in words_of(page(talks.long(3), replies={"long": replies}))


def test_odd_talks_are_only_words():
    text = page(talks.odd(), title="<script>x</script>")
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text and "\x1b" not in text
    assert "<script>x" not in text and '<p dir="auto">שלום, מה שלומך היום?</p>' in text
    assert "(no words)" in words_of(text) and words_of(text).count("not said") >= 8


def test_talks_in_seconds_and_in_turns_are_told_alike():
    told, timed = (words_of(page(record)) for record in (talks.talk(), replace(talks.timed(), id="interview")))
    assert re.sub(r"(Tom|Mia) 0:\d\d", r"\1", timed) == told


def test_long_talks_have_few_shapes_and_all_turns():
    read = Whole(page(talks.long(3000)))
    assert len(read.of("said")) == 3000 and len(read.of("arc")) == ARCS and not read.of("point")
    assert len(read.of("course")) == 3
    width = next(
        float(facts["width"]) for tag, facts in read.tags if tag == "svg" and "chart" in facts.get("class", "")
    )
    assert width < 4300


def test_many_speakers_and_many_talks_are_cut_and_told():
    crowd = Record("crowd", turns=tuple(Turn(f"P{k}", None, "hi") for k in range(LANES + 3)))
    assert "3 more speakers have no lane" in words_of(page(crowd))
    many = [Record(f"r{k}", turns=(Turn("Ann", None, "hi"),)) for k in range(MOST + 5)]
    assert f"The first {MOST} of {MOST + 5} are on this page." in words_of(page(*many))


def test_what_could_not_be_read_is_said():
    said = words_of(page(Record("r", meta={"error": "row 3 is torn"}), Record("e", meta={"warning": "times are lost"})))
    assert "Could not be read: row 3 is torn" in said and "times are lost" in said and "Nobody said anything" in said
    assert "no conversations" not in words_of(page_of_conversations([], made=DAY))


def test_the_care_notice_stands_only_where_words_are_more_than_mentioned():
    record = talks.talk()
    care = next(track for track in record.tracks if track.space.id == "care")
    low = replace(
        record, tracks=(*(t for t in record.tracks if t is not care), replace(care, values=care.values * 0.3))
    )
    said = words_of(page(low))
    assert "Words of self-harm stand" not in said and "words of self-harm, mentioned" in said


def test_the_surest_reading_of_feelings_counts_and_turns_of_one_moment_are_kept_apart():
    record = talks.talk()
    other = [replace(t, source="text.affect-en@1", values=t.values[:, ::-1].copy()) for t in record.tracks[:3:2]]
    told = talk_gist.talk(replace(record, tracks=(*other, *record.tracks)))
    assert [turn.feeling for turn in told.turns] == [label for _, _, label, _ in talks.SAID]
    rater = [replace(t, source="rater 1") for t in other]
    told = talk_gist.talk(replace(record, tracks=(*record.tracks, *rater)))
    assert [turn.feeling for turn in told.turns] != [label for _, _, label, _ in talks.SAID]
    span = talks.Span(0, 1, "s")
    same = Record("s", turns=(Turn("Ann", span, "a"), Turn("Ann", span, "b")))
    ekman = record.tracks[0].space
    sad, joy = talks.one(ekman, "sadness", 0.8), talks.one(ekman, "joy", 0.8)
    track = talks.Track(ekman, [0, 0], [1, 1], [sad, joy], subject="Ann", source="dialogue.erc@1")
    assert [turn.feeling for turn in talk_gist.talk(same.add(track)).turns] == ["sadness", "joy"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=80)), max_size=5), st.text(max_size=20))
def test_any_words_make_a_whole_page(said, id):
    told = page(Record(id, turns=tuple(Turn(who, None, text) for who, text in said)), replies=[Offered(id)])
    Whole(told)
    told.encode("utf-8")


def test_the_picture_for_papers(tmp_path):
    pytest.importorskip("matplotlib")
    from affetto.report.talk_plot import Options, figure, plot

    one, two = (plot(talks.talk(), tmp_path / f"{name}.svg") for name in "ab")
    assert one.read_bytes() == two.read_bytes()
    svg = one.read_text("utf-8")
    assert all(word in svg for word in ("Tom (supporter)", "Sa sadness", "moved aside", "one standard deviation"))
    drawn = figure(talks.talk())
    assert [len(axes.patches) for axes in drawn.axes] == [4, 0, 0] and drawn.axes[1].get_ylim() == (-1.05, 1.05)
    marks = [len(part.get_offsets()) for part in drawn.axes[2].collections]
    assert sorted(marks)[-1] == 6 and sum(marks) - 6 - 1 >= 5
    assert len(figure(talks.odd()).axes) == 1
    assert len(figure(talks.long(600), Options(causes=20)).axes[0].patches) <= 20
    assert plot(talks.timed(), tmp_path / "a.png").stat().st_size > 10_000
    with pytest.raises(MalformedError, match="nothing is said"):
        plot(Record("r", turns=(Turn("Ann", None, "hi"),)), tmp_path / "a.png")
    with pytest.raises(MalformedError, match=r"\.png"):
        plot(talks.talk(), tmp_path / "a.gif")
    with pytest.raises(MalformedError, match="width"):
        Options(width=0)


@pytest.fixture
def show(tab_of):
    """Return a function that opens talks as a page."""
    return lambda *records, **how: tab_of(page(*records), **how)


def test_arcs_light_their_turns_by_keyboard_and_by_pointer(show):
    tab = show(talks.talk())
    arc = tab.locator(".arc").nth(1)
    arc.focus()
    line = tab.locator(".spoken")
    assert line.text_content() == arc.get_attribute("aria-label")
    assert tab.locator(".said.lit").get_attribute("id") == arc.get_attribute("data-cause")
    assert tab.locator(".said.lit-felt").get_attribute("id") == arc.get_attribute("data-felt")
    tab.keyboard.press("Escape")
    assert line.text_content() == "" and tab.locator(".lit, .lit-felt").count() == 0
    tab.locator("#t0-11 a[data-cause]").hover()
    assert tab.locator(".said.lit").get_attribute("id") == "t0-10"
    tab.keyboard.press("]")
    assert tab.locator(".said.lit").get_attribute("id") == "t0-1"


def test_light_dark_narrow_and_paper(show, tmp_path):
    dark = show(talks.talk(), color_scheme="dark")
    assert dark.locator("html").get_attribute("data-theme") == "dark"
    dark.keyboard.press("d")
    assert dark.locator("html").get_attribute("data-theme") == "light"
    phone = show(talks.talk(), talks.odd(), size=(390, 844))
    box = phone.locator("#talks").bounding_box()
    assert box["width"] <= 390 and phone.locator("body").bounding_box()["width"] <= 390
    assert phone.locator("#t0-0 p").bounding_box()["width"] > 250
    paper = dark.pdf(path=str(tmp_path / "talk.pdf"))
    assert paper.startswith(b"%PDF") and len(paper) > 20_000


def test_the_picture_is_not_blank(show, tmp_path):
    cv2 = pytest.importorskip("cv2")
    tab = show(talks.talk())
    tab.locator(".chart").screenshot(path=str(tmp_path / "chart.png"))
    image = cv2.imread(str(tmp_path / "chart.png"))[:, :, ::-1].astype(int)
    for colour in ((0, 114, 178), (213, 94, 0), (123, 79, 163), (230, 159, 0)):
        assert (abs(image - colour).max(2) <= 12).mean() > 0.0005


def test_five_thousand_turns_stay_usable(show):
    tab = show(talks.long(5000))
    tab.keyboard.press("]")
    assert tab.locator(".said.lit").count() == 1
    tab.locator("#t0-4999 .number").click()
    assert tab.locator("#t0-4999 p").is_visible()
