import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Image, Text
from affetto.core.track import Track
from affetto.formats import labelstudio, labelstudio_reading
from affetto.formats.finding import find_space
from tests import perceived, strategies

EKMAN, VA, GO = find_space("ekman-7"), find_space("va"), find_space("goemotions-28")


def read(path):
    (record,) = labelstudio.read(path)
    return record


def sayable(track):
    """A Track as tasks hold it: rows that say something, without boxes."""
    return replace(track[~np.isnan(track.values).all(1)], box=None)


def lean(track):
    """A Track whose empty columns are none."""
    sure, note = track.confidence, track.note
    sure = None if sure is None or np.isnan(sure).all() else sure
    return replace(track, confidence=sure, note=note if note and any(note) else None)


def test_a_perceived_film_comes_back_but_for_what_says_nothing(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    film = perceived.film()
    labelstudio.write([film], path)
    back = read(path)
    assert replace(back, tracks=()) == replace(film, tracks=())
    wanted = [
        lean(sayable(track)) for track in film.tracks if len(track.space.axes) < 5 or track.space.kind != "graded"
    ]
    assert sorted(map(str, back.tracks)) == sorted(map(str, wanted))
    (task,) = json.loads(path.read_text())
    assert task["data"]["video"] == perceived.PATH and task["annotations"] == []
    sources = [one["model_version"] for one in task["predictions"]]
    assert sources == [
        "face@1",
        "speech.affect@1",
        "text.affect-en@2",
        "speech.who@1",
        "fusion.late@1",
        "fusion.conflict@1",
    ]
    assert task["predictions"][0]["score"] == 0.75 and "score" not in task["predictions"][2]
    labelstudio.write([film], path, prefix="/data/local-files/?d=")
    assert json.loads(path.read_text())[0]["data"]["video"] == "/data/local-files/?d=" + perceived.PATH


TAGS = {"labels": "Labels", "rectanglelabels": "RectangleLabels", "choices": "Choices", "number": "Number"}


def post(n=1):
    text = "I got the job!"
    n = len(text)
    values = [[0, 0, 0, 0.75, 0.25, 0, 0]]
    return Record(
        "1",
        (Text(text, "en"),),
        tracks=(
            Track(EKMAN, [0], [n], values, "char", "writer", "expressed", "text", "m@1", [0.5], note=["good"]),
            Track(VA, [0], [n], [[0.5, np.nan]], "char", "reader", "evoked", "text", "m@1"),
            Track(GO, [2, 6], [5, 13], np.eye(28)[[3, 4]] * 0.5, "char", "writer", "expressed", "text", "words@1"),
        ),
    )


def picture():
    values = np.array([[0, 0, 0, 0.75, 0.25, 0, 0], [1, 0, 0, 0, 0, 0, 0], [np.nan] * 7])
    box = [[10, 20, 110, 220], [200, 20, 300, 220], [np.nan] * 4]
    face = Track(EKMAN, [0] * 3, [0] * 3, values, "s", "person-1", "expressed", "face", "face@1", box=box)
    va = Track(VA, [0], [0], [[0.5, -0.25]], "s", "person-1", "expressed", "face", "face@1", box=box[:1])
    return Record("p", (Image(None, "p.jpg", (400, 250)),), tracks=(face, va), meta={"path": "p.jpg"})


@pytest.mark.parametrize("record", [perceived.film(), post(), picture()], ids=lambda record: record.id)
def test_the_configuration_matches_every_name_of_the_tasks(tmp_path, record):
    path = tmp_path / "x.labelstudio.json"
    labelstudio.write([record], path)
    config = labelstudio.beside(path).read_text("utf-8")
    assert config == labelstudio.labeling_config([record])
    view = ElementTree.fromstring(config)
    names = {one.get("name"): one for one in view.iter() if one.get("name")}
    assert len(names) == sum(1 for one in view.iter() if one.get("name"))
    (task,) = json.loads(path.read_text())
    items = [item for one in task["predictions"] for item in one["result"]]
    assert items
    for item in items:
        control, target = names[item["from_name"]], names[item["to_name"]]
        assert control.tag == TAGS[item["type"]] and control.get("toName") == item["to_name"]
        assert target.get("value").removeprefix("$") in task["data"]
        if item["type"] != "number":
            known = {inner.get("value") for inner in control}
            assert set(item["value"][item["type"]]) <= known
        else:
            assert float(control.get("min")) <= item["value"]["number"] <= float(control.get("max"))


def test_texts_get_choices_and_spans_and_numbers(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    labelstudio.write([post()], path)
    assert read(path) == post()
    (task,) = json.loads(path.read_text())
    items = [item for one in task["predictions"] for item in one["result"]]
    assert [item["type"] for item in items] == ["choices", "number", "labels", "labels"]
    assert items[0]["value"] == {"choices": ["joy"]}
    assert items[0]["meta"]["text"][0].endswith("joy=0.75 sadness=0.25 surprise=0.0 neutral=0.0 @0.5 # good")
    assert items[2]["value"]["text"] == "got"


def test_turns_without_times_are_lines_of_a_text(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    turns = (Turn("Ann", None, "Hi!"), Turn("Bo", None, ""), Turn("Ann", None, "Bad news."))
    said = Track(EKMAN, [0, 2], [1, 3], np.eye(7)[[3, 0]], "turn", "Ann", "expressed", "text", "m@1")
    record = Record("talk", turns=turns, tracks=(said,))
    labelstudio.write([record], path)
    assert read(path) == record
    items = json.loads(path.read_text())[0]["predictions"][0]["result"]
    assert [item["value"]["text"] for item in items] == ["Hi!", "Bad news."]


def test_pictures_get_rectangles_in_percent(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    labelstudio.write([picture()], path)
    back = read(path)
    assert back.tracks[0] == picture().tracks[0][:2]
    assert back.tracks[1] == picture().tracks[1]
    item = json.loads(path.read_text())[0]["predictions"][0]["result"][0]
    assert item["type"] == "rectanglelabels" and item["original_width"] == 400
    assert {k: item["value"][k] for k in ("x", "y", "width", "height")} == {"x": 2.5, "y": 8, "width": 25, "height": 80}


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_answers_in_seconds_come_back(tmp_path_factory, data):
    space = data.draw(strategies.spaces(kinds=("one", "any", "open"), min_axes=1))
    track = data.draw(strategies.tracks(space=space))
    track = replace(track, unit="s", box=None, about=None)
    assume(len({name.lower() for name in space.names}) == len(space.names))
    path = tmp_path_factory.mktemp("ls") / "x.labelstudio.json"
    labelstudio.write([Record("x", (Audio("a.wav", 16000, 9.0),), tracks=(track,))], path)
    kept = lean(sayable(track))
    for said in read(path).tracks:
        if track.source.startswith("rater:"):
            continue
        assert (said.source, said.subject, said.channel) == (track.source or "model", track.subject, track.channel)
        assert told(said) == told(kept)
    assert len(read(path).tracks) == bool(len(kept))


def told(track):
    rows = []
    for i in range(len(track)):
        values = {n: str(v) for n, v in zip(track.space.names, track.values[i], strict=True) if not np.isnan(v)}
        sure = "nan" if track.confidence is None else str(track.confidence[i])
        rows.append(
            (track.start[i], track.end[i], str(sorted(values.items())), sure, track.note[i] if track.note else "")
        )
    return sorted(rows)


def test_a_raters_track_is_an_annotation_and_comes_back(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    mine = Track(EKMAN, [0], [2], [[0, 0, 0, 0.5, 0.5, 0, 0]], "s", "Ann", "perceived", "voice", "rater:lee@x.org")
    record = Record("x", (Audio("a.wav", 16000, 9.0),), tracks=(mine,))
    labelstudio.write([record], path)
    (task,) = json.loads(path.read_text())
    assert task["predictions"] == [] and task["annotations"][0]["completed_by"] == {"email": "lee@x.org"}
    assert read(path) == record


def corrected(path, change, **annotation):
    """Make an annotation of the first prediction, as Label Studio does, and read it."""
    (task,) = json.loads(path.read_text())
    items = [dict(item, origin="prediction-changed") for item in task["predictions"][0]["result"]]
    for item in items:
        item.pop("score", None)
    annotation = {"id": 7, "completed_by": 3, "result": change(items), "was_cancelled": False} | annotation
    path.write_text(json.dumps([task | {"id": 1, "predictions": [], "annotations": [annotation]}]))
    return read(path)


def heard():
    values = np.array([[0, 0, 0, 0.75, 0.25, 0, 0], [1, 0, 0, 0, 0, 0, 0]])
    track = Track(EKMAN, [0, 2], [2, 4.5], values, "s", "Ann", "expressed", "voice", "m@1", [0.5, 0.75])
    return Record("x", (Audio("a.wav", 16000, 9.0),), tracks=(track,))


def test_corrections_are_the_raters_with_their_times(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    labelstudio.write([heard()], path)

    def change(items):
        items[0]["value"]["end"] = 1.25
        items[1]["value"]["labels"] = ["fear"]
        control = items[0]["from_name"]
        more = {"value": {"start": 5, "end": 6, "channel": 0, "labels": ["Sadness"]}, "id": "new", "from_name": control}
        return [*items, more | {"to_name": "audio", "type": "labels", "origin": "manual"}]

    (track,) = corrected(path, change, completed_by={"id": 3, "email": "lee@x.org"}).tracks
    assert track.source == "rater:lee@x.org" and track.subject == "Ann" and track.space == EKMAN
    assert track.start.tolist() == [0, 2, 5] and track.end.tolist() == [1.25, 4.5, 6] and track.confidence is None
    assert [track.top(i).name for i in range(3)] == ["joy", "fear", "sadness"]
    assert track.values.max(1).tolist() == [1, 1, 1]


def test_what_nobody_understands_is_kept_aside_with_a_note(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    labelstudio.write([heard()], path)
    odd = [
        {"id": "b", "type": "brushlabels", "value": {"rle": [1, 2]}, "from_name": "mask"},
        {"id": "c", "type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
    ]

    def change(items):
        items[0]["value"]["labels"] = ["relief"]
        items[1]["value"]["start"] = 99
        return [*items, *odd, "junk", {"type": "number", "from_name": "n", "value": {"number": "x"}}]

    record = corrected(path, change)
    assert record.tracks == ()
    aside = record.meta["labelstudio"]
    assert [one["item"]["type"] for one in aside] == ["labels", "labels", "brushlabels", "relation", "number"]
    assert aside[2]["item"] == odd[0] and "relief" in aside[0]["reason"] and aside[0]["source"] == "rater:3"
    assert "5 results of Label Studio were left aside (brushlabels, labels, number, relation)" in record.meta["warning"]
    labelstudio.write([heard()], path)
    record = corrected(path, lambda items: items, was_cancelled=True)
    assert record.tracks == () and len(record.meta["labelstudio"]) == 2


def item(type, value, name, id="r1", **more):
    return {"id": id, "from_name": name, "to_name": "audio", "type": type, "value": value} | more


def test_a_project_of_somebody_else(tmp_path):
    path = tmp_path / "project-1-at-2026.json"
    region = {"start": 0.5, "end": 2.5, "channel": 0}
    result = [
        item("labels", region | {"labels": ["Joy"]}, "mood", original_length=60.0),
        item("textarea", region | {"text": ["well, well"]}, "transcription", original_length=60.0),
        item("rating", region | {"rating": 4}, "strength", original_length=60.0),
        item("labels", {"start": 3, "end": 4, "labels": ["laugh"]}, "act", "r2"),
        item("choices", {"choices": ["good", "clear"]}, "quality", "r3", original_length=60.0),
        item("textarea", {"text": ["nice clip"]}, "remark", "r4", original_length=60.0),
        item("number", {"number": 41}, "age", "r5", original_length=60.0),
    ]
    tasks = [{"id": 12, "data": {"audio": "/d/a.wav"}, "annotations": [{"completed_by": 2, "result": result}]}]
    path.write_text(json.dumps(tasks))
    (record,) = formats.by_path(path).read(path)
    assert record.id == "12" and record.meta["path"] == "/d/a.wav" and "warning" not in record.meta
    said = {track.subject: track for track in record.tracks}
    mood = said["mood"]
    assert (mood.space.id, mood.top().name, mood.source, mood.channel) == ("ekman-7", "joy", "rater:2", "voice")
    assert (
        mood.note == ("well, well",) and (mood.start[0], mood.end[0]) == (0.5, 2.5) and mood.perspective == "perceived"
    )
    assert said["strength"].values.tolist() == [[4]] and said["strength"].space.axes[0].high == 5
    assert said["act"].space.names == ("laugh",) and said["quality"].space.names == ("good", "clear")
    assert said["quality"].end.tolist() == [60] and said["remark"].note == ("nice clip",)
    assert said["age"].values.tolist() == [[41]]


def test_spans_and_choices_of_texts_of_somebody_else(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    span = {"start": 0, "end": 5, "text": "Oh no", "labels": ["anger"]}
    result = [
        {"from_name": "f", "to_name": "t", "type": "labels", "value": span},
        {"from_name": "g", "to_name": "t", "type": "choices", "value": {"choices": ["negative"]}},
        {"from_name": "h", "to_name": "t", "type": "paragraphlabels", "value": {"start": "0", "end": "1"}},
    ]
    result[2]["value"]["paragraphlabels"] = ["joy"]
    tasks = [{"data": {"text": "Oh no, not again"}, "predictions": [{"model_version": "v2", "result": result}]}]
    path.write_text(json.dumps(tasks))
    record = read(path)
    span, whole, turns = record.tracks
    assert (record.text, span.unit, span.end[0], span.source, span.channel) == (
        "Oh no, not again",
        "char",
        5,
        "v2",
        "text",
    )
    assert (whole.unit, whole.end[0], whole.space.id) == ("char", 16, "sentiment-3")
    assert (turns.unit, turns.start[0], turns.end[0]) == ("turn", 0, 2)


@pytest.mark.parametrize(
    "text, why",
    [
        ("[{]", "no JSON"),
        ('[{"id": 1}]', "entry 0 of x.labelstudio.json is no task of Label Studio"),
        ('[{"data": {}, "annotations": []}, 3]', "entry 1"),
        ('[{"data": [], "annotations": []}]', "entry 0"),
        ('{"data": {}, "annotations": 5}', "JSON-MIN"),
        (
            '[{"data": {"affetto": {"schema": "affetto-labelstudio-1", "record": 5}}, "annotations": []}]',
            "makes no Record",
        ),
        ('[{"data": {}, "annotations": [5]}]', "makes no Record"),
    ],
)
def test_what_are_no_tasks_is_refused(tmp_path, text, why, monkeypatch):
    path = tmp_path / "x.labelstudio.json"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=why) as caught:
        list(labelstudio.read(path))
    assert len(str(caught.value)) < 500
    with pytest.raises(UnreadableError, match="nowhere"):
        list(labelstudio.read(tmp_path / "nowhere.labelstudio.json"))
    monkeypatch.setattr(labelstudio_reading, "LARGEST", 1)
    with pytest.raises(UnreadableError, match="larger than"):
        list(labelstudio.read(path))


def test_a_group_without_results_or_names_stops_nobody(tmp_path):
    path = tmp_path / "x.labelstudio.json"
    bare = {"type": "labels", "value": {"start": 0, "end": 1, "labels": ["joy"]}}
    path.write_text(json.dumps([{"data": {"audio": "a"}, "annotations": [{"result": None}, {"result": [bare]}]}]))
    (track,) = read(path).tracks
    assert track.top().name == "joy" and track.source == "rater:unknown"
