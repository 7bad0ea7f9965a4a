import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import emotionml, markup
from tests import strategies

NS = "http://www.w3.org/2009/10/emotionml"
EMO = f"{{{NS}}}"
W3C = "http://www.w3.org/TR/emotion-voc/xml#"
STANDARD = {
    f"{W3C}big6": {"anger", "disgust", "fear", "happiness", "sadness", "surprise"},
    f"{W3C}pad-dimensions": {"pleasure", "arousal", "dominance"},
}
TYPES = ("category", "dimension", "appraisal", "action-tendency")
BIG6 = Space("six", "one", tuple(map(Axis, ("anger", "disgust", "fear", "joy", "sadness", "surprise"))))
VAD = Space("three", "graded", tuple(Axis(name, low=-1.0, high=1.0) for name in ("valence", "arousal", "dominance")))
MOODS = Space("moods", "any", (Axis("not at all"), Axis("not_at_all"), Axis("<&>")))
quiet = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def check(path: Path) -> etree._Element:
    """Check the assertions of the W3C's implementation report, by their numbers; return the root."""
    root = etree.parse(path, etree.XMLParser(resolve_entities=False)).getroot()
    assert root.tag == EMO + "emotionml", "A101, A102, A700"
    assert root.get("version") == "1.0", "A110, A111"
    kinds = [child.tag for child in root]
    assert set(kinds) <= {EMO + "info", EMO + "emotion", EMO + "vocabulary"}, "A103-A105"
    assert kinds.count(EMO + "info") <= 1 and (EMO + "info" not in kinds or kinds[0] == EMO + "info"), "A106"
    vocabularies = dict(STANDARD)
    types = {f"{W3C}big6": "category", f"{W3C}pad-dimensions": "dimension"}
    for node in root.iter(EMO + "vocabulary"):
        names = [item.get("name") for item in node.findall(EMO + "item")]
        assert node.get("type") in TYPES, "A601, A602"
        assert re.fullmatch(r"[A-Za-z_][-.\w]*", node.get("id")) and f"#{node.get('id')}" not in vocabularies, "A603"
        assert names and len(set(names)) == len(names), "A604, A608"
        assert all(re.fullmatch(r"[-.:\w·]+", name) for name in names), "A607: a token"
        vocabularies[f"#{node.get('id')}"] = set(names)
        types[f"#{node.get('id')}"] = node.get("type")
    for info in root.iter(EMO + "info"):
        assert all(not child.tag.startswith(EMO) for child in info), "A302-A304"
    for emotion in root.iter(EMO + "emotion"):
        check_emotion(emotion, vocabularies, types)
    return root


def check_emotion(emotion, vocabularies, types):
    order = [child.tag.removeprefix(EMO) for child in emotion]
    assert order == sorted(order, key=("info", *TYPES, "reference").index), "A150-A157"
    assert any(tag in TYPES for tag in order), "A156"
    for type in TYPES:
        names = [child.get("name") for child in emotion.findall(EMO + type)]
        assert len(set(names)) == len(names), "A213, A223, A233, A243"
        if names:
            uri = emotion.get(f"{type}-set", emotion.getparent().get(f"{type}-set"))
            assert uri in vocabularies and types[uri] == type, "A159-A168, A212, A222"
            assert set(names) <= vocabularies[uri], "A210, A220"
        for child in emotion.findall(EMO + type):
            for key in ("value", "confidence"):
                assert child.get(key) is None or 0 <= float(child.get(key)) <= 1, "A300, A500"
            assert type != "dimension" or child.get("value") is not None or len(child), "A224"
    for key in ("start", "end", "duration"):
        assert emotion.get(key) is None or int(emotion.get(key)) >= 0, "A420-A422"
    assert re.fullmatch(r"-?\d+", emotion.get("offset-to-start", "0")), "A425"
    assert emotion.get("expressed-through", "text").split(), "A301"
    for reference in emotion.findall(EMO + "reference"):
        assert reference.get("uri") and " " not in reference.get("uri"), "A410, A411"
        assert reference.get("role", "expressedBy") in ("expressedBy", "experiencedBy", "triggeredBy", "targetedAt"), (
            "A413"
        )


@quiet
@given(records=st.lists(strategies.records(), max_size=3))
def test_whatever_we_write_is_valid(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("valid") / "x.emotionml"
    emotionml.write(records, path)
    check(path)


def clip():
    return Record(
        "clip",
        (Text("so happy"),),
        turns=(Turn("Ann", Span(0.5, 2.25), "so happy"),),
        tracks=(
            Track(BIG6, [0.5], [2.25], [[0.1, 0, 0, 0.9, 0, 0]], "s", "Ann", confidence=[0.8], source="m@1"),
            Track(VAD, [0], [8], [[0.5, np.nan, -1]], "char", "reader", "evoked", "voice"),
            Track(
                MOODS, [0], [1], [[0.25, 1, np.nan]], "turn", "Ann", "felt", about=[Span(0, 4, "char")], note=["x\0y"]
            ),
            Track(VAD, [0], [8], [[np.nan] * 3], "char", "reader", "evoked"),
        ),
        meta={"path": "a clip.srt"},
    )


def test_what_stands_where(tmp_path):
    path = tmp_path / "x.emotionml"
    emotionml.write([clip()], path)
    root = check(path)
    face, reader, moods, silent = root.iter(EMO + "emotion")
    assert face.get("category-set") == f"{W3C}big6"
    assert {c.get("name"): c.get("value") for c in face.findall(EMO + "category")}["happiness"] == "0.899999976"
    assert [c.get("confidence") for c in face.findall(EMO + "category")][3] == "0.800000012"
    assert (face.get("offset-to-start"), face.get("duration"), face.get("start")) == ("500", "1750", None)
    assert face.get("time-ref-uri") == "a%20clip.srt"
    assert reader.get("dimension-set") == f"{W3C}pad-dimensions" and reader.get("expressed-through") == "voice"
    assert {c.get("name"): c.get("value") for c in reader.findall(EMO + "dimension")} == {
        "pleasure": "0.75",
        "dominance": "0",
    }
    assert [(r.get("uri"), r.get("role")) for r in reader.findall(EMO + "reference")] == [
        ("urn:affetto:subject:reader", "experiencedBy"),
        ("a%20clip.srt#char=0,8", "triggeredBy"),
    ]
    assert moods.get("category-set").startswith("#")
    assert [c.get("name") for c in moods.findall(EMO + "category")] == ["not_at_all", "not_at_all-2"]
    assert [(c.get("name"), c.get("confidence")) for c in silent.findall(EMO + "dimension")] == [("pleasure", "0")]
    assert list(emotionml.read(path)) == [clip()]


def test_what_somebody_changed_counts(tmp_path):
    path = tmp_path / "x.emotionml"
    emotionml.write([clip()], path)
    text = path.read_text("utf-8")
    text = text.replace('name="pleasure" value="0.75"', 'name="pleasure" value="0.25"')
    text = text.replace('<dimension name="dominance" value="0"/>', "")
    text = text.replace('offset-to-start="500" duration="1750"', 'offset-to-start="1000" duration="10"')
    path.write_text(text, "utf-8")
    (record,) = emotionml.read(path)
    np.testing.assert_array_equal(record.tracks[1].values, [[-0.5, np.nan, np.nan]])
    assert record.tracks[0].spans == (Span(1.0, 1.01),)


STRANGER = f"""<?xml version="1.0"?>
<emotionml version="1.0" xmlns="{NS}" dimension-set="{W3C}pad-dimensions">
  <vocabulary type="category" id="mine"><item name="calm"/><item name="upset"/></vocabulary>
  <emotion category-set="#mine" start="1000000500" end="1000001500" expressed-through="gaze voice">
    Come, there is no use in crying!
    <category name="upset" value="0.7" confidence="0.5"/>
    <reference uri="alice.txt#p1" role="experiencedBy"/></emotion>
  <emotion category-set="#mine" start="1000000000"><category name="calm"/></emotion>
  <emotion><dimension name="pleasure" value="1"/><dimension name="arousal" value="0.5"/></emotion>
  <emotion category-set="{W3C}big6" offset-to-start="200" duration="300"><category name="fear" value="0.2"/></emotion>
  <emotion><dimension name="arousal"><trace freq="10 Hz" samples="0 0.5 1"/></dimension></emotion>
</emotionml>"""


def test_a_document_of_somebody_else(tmp_path):
    path = tmp_path / "alice.xml"
    path.write_text(STRANGER)
    check(path)
    (record,) = emotionml.read(path)
    assert record.id == "alice" and record.meta == {"began": 1000000000}
    upset, calm, pad, fear, trace = record.tracks
    assert (upset.subject, upset.perspective, upset.channel) == ("alice.txt#p1", "felt", "face")
    assert upset.space.names == ("calm", "upset") and upset.spans == (Span(0.5, 1.5),)
    np.testing.assert_allclose(upset.values, [[np.nan, 0.7]])
    assert upset.note == ("Come, there is no use in crying!",) and upset.confidence[0] == 0.5
    assert calm.values[0, 0] == 1 and np.isnan(calm.values[0, 1])
    assert pad.space.names == ("valence", "arousal", "dominance") and pad.unit == "turn"
    np.testing.assert_array_equal(pad.values, [[1, 0, np.nan]])
    assert fear.space.id == "big6" and fear.spans == (Span(0.2, 0.5),)
    np.testing.assert_array_equal(trace.column("arousal"), [-1, 0, 1])
    assert trace.spans[2] == Span(0.2, 0.2 + 0.1) or abs(trace.spans[2].end - 0.3) < 1e-9


BOMB = (
    '<!DOCTYPE emotionml [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + f']><emotionml version="1.0" xmlns="{NS}"><info>&i;</info></emotionml>'
)


@pytest.mark.parametrize(
    "text, why",
    [
        (BOMB, "document type"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "document type"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "document type"),
        (f'<emotionml version="1.0" xmlns="{NS}">' + "<info>" * 50, "nested deeper"),
        (f'<emotionml version="1.0" xmlns="{NS}"><info>' + "a" * 5000, "over 4,096 characters"),
        (f'<emotionml version="1.0" xmlns="{NS}"><info x="' + "a" * 500_000, "single tag"),
        (f'<emotionml version="1.0" xmlns="{NS}"><info>' + "<a/>" * 100, "over 50 inside"),
        (f'<emotionml version="1.0" xmlns="{NS}"><info>&undefined;</info></emotionml>', "well-formed"),
        (f'<emotionml version="1.0" xmlns="{NS}"><emotion/>', "well-formed|holds no"),
        (f'<emotionml version="2.0" xmlns="{NS}"/>', "version '2.0'"),
        ('<emotionml version="1.0"/>', "no EmotionML"),
        (
            f'<emotionml version="1.0" xmlns="{NS}"><emotion><category name="x" value="7"/></emotion></emotionml>',
            "0..1",
        ),
        (f'<emotionml version="1.0" xmlns="{NS}"><emotion><category/></emotion></emotionml>', "name"),
        (f'<emotionml version="1.0" xmlns="{NS}"><emotion></emotion></emotionml>', "holds no"),
        (f'<emotionml version="1.0" xmlns="{NS}"><script/></emotionml>', "script"),
        (
            f'<emotionml version="1.0" xmlns="{NS}"><emotion><info><a:row xmlns:a="urn:affetto:emotionml-1">'
            '{"record": 1}</a:row></info><category name="x"/></emotion></emotionml>',
            "emotion 1",
        ),
        (
            f'<emotionml version="1.0" xmlns="{NS}"><emotion><category name="x"><trace freq="0 Hz" samples="1"/>'
            "</category></emotion></emotionml>",
            "emotion 1|freq",
        ),
    ],
)
def test_hostile_documents_are_refused(tmp_path, monkeypatch, text, why):
    monkeypatch.setattr(markup, "LONGEST", 4096)
    monkeypatch.setattr(markup, "MOST_NODES", 50)
    path = tmp_path / "x.emotionml"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=why):
        list(emotionml.read(path))


def test_a_five_megabyte_text_goes_through(tmp_path):
    path = tmp_path / "x.emotionml"
    big = Record("big", (Text("日本語 " * 400_000),), tracks=clip().tracks[1:2])
    emotionml.write([big], path)
    assert list(emotionml.read(path)) == [big]
