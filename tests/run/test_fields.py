"""Rows of several fields: taken apart, answered, put together; annotated, and summed up by group."""

import json
import math

import numpy as np
import pytest

from affetto import formats, load
from affetto.core import plain
from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.run import annotate, batch, fields, groups
from affetto.spaces import bridges

MOOD = Space("mood-2", "one", (Axis("good"), Axis("bad")))


def film(title, description, id="7", **meta):
    places = {"title": [0, len(title)], "description": [len(title) + 1, len(title) + 1 + len(description)]}
    return Record(id, (Text(title), Text(description)), meta={"row": {}, "fields": places} | meta)


def said(text, source="m@1", unit="char", **more):
    good = 0.75 if "good" in text else 0.25
    return Track(MOOD, [0], [len(text)], [[good, 1 - good]], unit, "writer", source=source, **more)


def mark(records):
    return [record.add(said(record.text)) for record in records]


def through(records, work=mark, **how):
    return list(fields.each(records, lambda parts: work(list(parts)), **how))


def test_a_record_is_taken_apart_by_field():
    title, description = fields.apart(film("so good", ""))
    assert [(one.id, one.text) for one in (title, description)] == [("7/title", "so good"), ("7/description", "")]
    plain_one = Record("1", (Text("a"),))
    assert fields.apart(plain_one) == [plain_one]
    for broken in ({"fields": 3}, {"fields": {"title": [0, 1]}}):
        odd = Record("1", (Text("a"), Text("b")), meta=broken)
        assert fields.apart(odd) == [odd]
        assert fields.places(odd) == {}


def test_answers_are_put_together_over_the_characters_of_their_fields():
    whole, empty = through([film("so good", "rainy"), film("", "good", "8")])
    assert whole.id == "7" and len(whole.signals) == 2
    (track,) = whole.tracks
    assert [whole.text[int(span.start) : int(span.end)] for span in track.spans] == ["so good", "rainy"]
    np.testing.assert_array_equal(track.values, [[0.75, 0.25], [0.25, 0.75]])
    assert [(span.start, span.end) for span in empty.tracks[0].spans] == [(0, 0), (1, 5)]
    assert "error" not in whole.meta


def test_tracks_that_differ_stay_apart_and_old_ones_stay():
    def work(records):
        return [record.add(said(record.text, f"m@{len(record.text)}"), said(record.text)) for record in records]

    old = said("before", "rater")
    (whole,) = through([film("good", "rainy").add(old)], work)
    assert [(track.source, len(track)) for track in whole.tracks] == [("rater", 1), ("m@4", 1), ("m@1", 2), ("m@5", 1)]
    assert through([film("good", "rainy").add(old)], work, keep=True)[0].tracks[0] == old


def test_every_column_goes_along_and_other_units_become_characters():
    def work(records):
        return [
            record.add(
                said(record.text, confidence=[0.5], note=["why"], about=[Span(0, 2, "char")]),
                said(record.text, "other", "turn"),
            )
            for record in records
        ]

    first, other = through([film("good", "rainy")], work)[0].tracks
    assert first.note == ("why", "why")
    assert first.about == (Span(0, 2, "char"), Span(5, 7, "char"))
    assert first.confidence.tolist() == [0.5, 0.5]
    assert other.spans == (Span(0, 4, "char"), Span(5, 10, "char"))


@pytest.mark.parametrize("at_once", [1, 3, 512])
def test_order_is_kept_among_records_with_and_without_fields(at_once):
    records = [film(f"t{i}", f"good {i}", str(i)) if i % 3 else Record(str(i), (Text(f"p{i}"),)) for i in range(20)]
    done = through(records, at_once=at_once)
    assert [record.id for record in done] == [str(i) for i in range(20)]
    assert all(len(record.tracks[0]) == (2 if i % 3 else 1) for i, record in enumerate(done))


def test_what_goes_wrong_in_a_field_leaves_the_other_alone(tmp_path):
    def work(records):
        if any("fail" in (record.text or "") for record in records):
            raise ZeroDivisionError("that hurt")
        return mark(records)

    records = [
        film("good", "rainy", "1"),
        film("fail", "good", "2"),
        film("", "good", "3", flaws={"title": "no UTF-8"}),
    ]
    out = tmp_path / "out.jsonl"
    done = batch.run(records, work, out, formats.by_path(out).appender())
    assert (done.rows, done.errors) == (3, 2)
    first, second, third = formats.by_path(out).read(out)
    assert "error" not in first.meta
    assert second.meta["error"] == "title: ZeroDivisionError: that hurt"
    assert third.meta["error"] == "no UTF-8"
    assert "flaws" not in third.meta
    assert [len(record.tracks[0]) for record in (first, second, third)] == [2, 1, 1]
    assert second.tracks[0].spans == (Span(5, 9, "char"),)


def ekman(*values, source="m@1"):
    return Track(load("ekman-7"), [0], [4], [values], "char", "writer", source=source)


def answered(*tracks, id="1", **row):
    return Record(id, (Text("some"),), tracks=tracks, meta={"row": row})


def test_annotation_is_three_words_and_a_track():
    glad, dull = ekman(0.1, 0, 0, 0.7, 0, 0, 0.2), ekman(0, 0.1, 0, 0, 0, 0, 0.9)
    silent = ekman(*[math.nan] * 7)
    sure = Track(load("vad"), [0], [4], [[0.5, 0, 0]], "char", "reader", "evoked")
    records = [
        answered(sure, glad),
        answered(dull),
        answered(silent),
        answered(sure),
        Record("x", meta={"error": "no"}),
    ]
    one, two, three, four, five = annotate.annotated(records, bridges.translate)
    assert one.meta["annotation"] == {"sentiment": "positive", "subjectivity": 0.8, "emotion": "joy"}
    assert two.meta["annotation"] == {"sentiment": "neutral", "subjectivity": 0.1, "emotion": "neutral"}
    assert set(three.meta["annotation"].values()) == {None}
    assert (four, five) == tuple(records[3:])
    assert one.tracks[-1] == bridges.translate(glad, "sentiment-3")


def test_annotation_goes_through_bridges_or_says_what_it_can():
    brighter = load("brighter-6")
    several = Track(brighter, [0], [4], [[0.9 if name == "sadness" else 0.05 for name in brighter.names]], "char")
    strange = Track(MOOD, [0], [4], [[0.25, 0.75]], "char", source="stranger")
    one, two = annotate.annotated([answered(several), answered(strange)], bridges.translate)
    assert (one.meta["annotation"]["emotion"], one.meta["annotation"]["sentiment"]) == ("sadness", "negative")
    assert 0 < one.meta["annotation"]["subjectivity"] <= 1
    assert two.meta["annotation"] == {"sentiment": None, "subjectivity": None, "emotion": "bad"}
    assert two.tracks == (strange,)


def test_groups_are_sums_of_what_was_said():
    glad, sad = ekman(0, 0, 0, 0.8, 0, 0, 0.2), ekman(0, 0, 0, 0, 0.6, 0, 0.4)
    valence = Track(load("vad"), [0], [4], [[0.5, 0, 0]], "char", "writer")
    evoked = Track(load("vad"), [0], [4], [[-1, 0, 0]], "char", "reader", "evoked")
    records = annotate.annotated(
        [
            answered(evoked, glad, valence, on="tube"),
            answered(sad, on=" tube "),
            answered(ekman(*[math.nan] * 7), on="tube"),
            answered(glad, on=None),
        ],
        bridges.translate,
    )
    sums = groups.Groups("on")
    assert [record.id for record in sums.passing(iter(records))] == ["1"] * 4
    tube, nowhere = sums.rows()
    assert (tube["group"], tube["field"], tube["n"], tube["share"]) == ("tube", "", 3, 0.75)
    assert tube["said"] == pytest.approx(2 / 3)
    assert tube["valence"] == pytest.approx(0.5)
    assert tube["subjectivity"] == pytest.approx(0.7)
    assert (tube["emotion.joy"], tube["emotion.sadness"]) == (0.5, 0.5)
    assert sum(tube[f"sentiment-3.{side}"] for side in ("negative", "neutral", "positive")) == pytest.approx(1)
    assert (nowhere["group"], nowhere["valence"], nowhere["emotion.sadness"]) == ("", None, 0)


def test_groups_beyond_the_most_are_summed_as_others(monkeypatch):
    monkeypatch.setattr(groups, "MOST", 2)
    sums = groups.Groups("on")
    for name in ("a", "b", "c", "d", "a"):
        sums.add(Record("1", meta={"row": {"on": name}, "error": "no"}))
    assert [(row["group"], row["n"], row["said"]) for row in sums.rows()] == [
        ("(others)", 2, 0),
        ("a", 2, 0),
        ("b", 1, 0),
    ]
    with pytest.raises(UnknownNameError, match=r"no column of x\.csv is called 'on'; known: a, b"):
        sums.check(("a", "b"), "x.csv")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_sums_survive_a_stop_with_the_rows(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(batch, "_EVERY", 0.0)
    records = [film(f"good {i}", f"t{i}", str(i), row={"on": "ab"[i % 2]}) for i in range(50)]
    (tmp_path / "in.txt").write_text("the same")

    def work(parts, stop=True):
        if stop and any(part.id.startswith("30/") for part in parts):
            raise KeyboardInterrupt
        return annotate.annotated(mark(parts), bridges.translate)

    def run(out, work, **how):
        sums = groups.Groups("on", ("title", "description"))
        appender = sums.over(formats.by_path(out).appender())
        batch.run(records, work, out, appender, source=tmp_path / "in.txt", chunk=8, **how)
        return sums.rows()

    out, other = tmp_path / f"out{suffix}", tmp_path / f"other{suffix}"
    with pytest.raises(KeyboardInterrupt):
        run(out, work)
    assert 0 < json.loads((tmp_path / f"out{suffix}.part.json").read_text())["rows"] < 50
    resumed = run(out, lambda parts: work(parts, stop=False), resume=True)
    assert resumed == run(other, lambda parts: work(parts, stop=False))
    assert out.read_bytes() == other.read_bytes()
    assert [(row["group"], row["field"], row["n"]) for row in resumed[:2]] == [
        ("a", "title", 25),
        ("a", "description", 25),
    ]


def test_json_gives_fields_and_words_back():
    (whole,) = annotate.annotated(through([film("so good", "rainy")]), bridges.translate)
    same = plain.to_record(plain.from_record(whole), {"mood-2": MOOD}.__getitem__)
    assert same == whole
    assert fields.places(same) == {"title": (0, 7), "description": (8, 13)}
