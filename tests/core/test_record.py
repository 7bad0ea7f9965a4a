"""A Record: what belongs together, and its way through JSON and back without loss."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import plain
from affetto.core.errors import AffettoError, MalformedError, UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Frames, Image, Text, Waves
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from tests.strategies import json_values, records, tracks

SPACE = Space("mood-2", "one", (Axis("good"), Axis("bad")))
TRACK = {
    "space": {"id": "mood-2", "kind": "one", "names": ["good", "bad"]},
    "start": [0.0],
    "end": [1.0],
    "values": [[0.25, 0.75]],
}


def there_and_back(record: Record) -> Record:
    return plain.to_record(json.loads(json.dumps(plain.from_record(record), allow_nan=False)))


@given(records())
def test_json_gives_back_the_record(record):
    assert there_and_back(record) == record


@given(tracks())
def test_json_gives_back_every_bit_of_a_track(track):
    back = plain.to_track(json.loads(json.dumps(plain.from_track(track), allow_nan=False)))
    assert back == track
    assert back.values.tobytes() == track.values.tobytes() or np.isnan(track.values).any()


@given(tracks())
def test_what_was_not_said_stays_unsaid(track):
    back = there_and_back(Record("1", tracks=(track,))).tracks[0]
    assert np.array_equal(np.isnan(back.values), np.isnan(track.values))


def test_what_was_not_said_is_null():
    silent = Track(SPACE, [0], [1], [[math.nan, math.nan]], confidence=[math.nan])
    assert plain.from_track(silent)["values"] == [[None, None]]
    assert plain.from_track(silent)["confidence"] == [None]
    assert there_and_back(Record("1", (Audio("a.wav", 16000, math.nan),))).signals[0].duration is not None
    assert math.isnan(there_and_back(Record("1", (Audio("a.wav", 16000, math.nan),))).signals[0].duration)


def test_a_known_space_comes_back_with_its_definitions():
    known = Space("mood-2", "one", (Axis("good", "All is well."), Axis("bad", "It is not.")))

    def find(id):
        if id != "mood-2":
            raise UnknownNameError("space", id, ["mood-2"])
        return known

    assert plain.to_track(TRACK, find).space is known
    other = {**TRACK, "space": {**TRACK["space"], "names": ["bad", "good"]}}
    assert plain.to_track(other, find).space.names == ("bad", "good")
    stranger = {**TRACK, "space": {**TRACK["space"], "id": "theirs"}}
    assert plain.to_track(stranger, find).space.id == "theirs"


def test_media_come_back_named_but_not_opened():
    back = there_and_back(Record("1", (Frames("film.mp4", 25, 9.5, size=(640, 480)),)))
    with pytest.raises(UnreadableError, match=r"film\.mp4 is only named here.*read it again"):
        back.signals[0].blocks()


def test_a_picture_needs_a_path_to_stand_in_json():
    picture = Image(np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(MalformedError, match="write its pixels to a file first"):
        plain.from_record(Record("1", (picture,)))


def test_a_picture_comes_back_named_but_not_opened():
    back = there_and_back(Record("1", (Image(np.zeros((2, 3, 3), np.uint8), "a.png"),))).signals[0]
    assert (back.path, back.size) == ("a.png", (3, 2))
    assert there_and_back(Record("1", (back,))).signals[0] == back
    with pytest.raises(UnreadableError, match=r"a\.png is only named here.*read it again"):
        _ = back.pixels


def test_a_picture_is_decoded_when_it_is_looked_at():
    looked = []
    image = Image(None, "a.png", (3, 2), lambda: looked.append(1) or np.ones((2, 3, 3), np.uint8))
    assert plain.from_record(Record("1", (image,)))["signals"] == [{"kind": "image", "path": "a.png", "size": [3, 2]}]
    assert not looked and image.pixels.shape == (2, 3, 3) and looked == [1]
    assert image == Image(np.ones((2, 3, 3), np.uint8), "a.png") != Image(None, "b.png", (3, 2))
    assert Image(np.ones((2, 3, 3), np.uint8)) != Image(np.zeros((2, 3, 3), np.uint8))
    for wrong in (np.zeros((2, 3), np.uint8), np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3, 3))):
        with pytest.raises(MalformedError, match="height x width x 3 uint8"):
            Image(wrong)


def test_a_picture_as_large_as_a_liar_says_takes_no_memory():
    liar = {"id": "1", "signals": [{"kind": "image", "path": "a.png", "size": [10**6, 10**6]}]}
    assert plain.to_record(liar).signals[0].size == (10**6, 10**6)


def test_a_film_says_the_second_of_each_frame():
    blocks = [np.zeros((n, 4, 4, 3), np.uint8) for n in (2, 1)]
    film = Frames("", 5.0, 0.6, open=lambda _: iter(blocks), size=(4, 4))
    assert [times.tolist() for times, _ in film.timed()] == [[0.0, 0.2], [0.4]]
    own = Frames("", 5.0, 0.6, open=lambda _: iter(blocks), clock=lambda _: iter([(np.array([0.1, 0.9]), blocks[0])]))
    assert [times.tolist() for times, _ in own.timed()] == [[0.1, 0.9]] and own == Frames("", 5.0, 0.6)
    with pytest.raises(UnreadableError, match="only named here"):
        Frames("a.mp4", 5.0, 0.6).timed()


@pytest.mark.parametrize(
    ("broken", "wanted"),
    [
        (None, "an object with an id, not None"),
        ([], "an object with an id"),
        ({"signals": []}, "an object with an id"),
        ({"id": "1", "schema": "affetto-record-9"}, "wants schema 'affetto-record-1'"),
        ({"id": "1", "signals": [{"kind": "smell"}]}, "one of text, image, audio, frames, waves"),
        ({"id": "1", "signals": [{"kind": "text"}]}, "record '1' lacks"),
        ({"id": "1", "signals": [{"kind": "text", "text": 5}]}, "a Text wants a str"),
        ({"id": "1", "signals": ["text"]}, "record '1' lacks or misplaces"),
        ({"id": "1", "signals": [{"kind": "audio", "path": "", "rate": 0, "duration": 1}]}, "rate > 0"),
        ({"id": "1", "signals": [{"kind": "audio", "path": "", "rate": "x", "duration": 1}]}, "record '1' lacks"),
        ({"id": "1", "signals": [{"kind": "image", "path": "a", "size": [-1, 2]}]}, "a width and a height in whole"),
        ({"id": "1", "signals": [{"kind": "image", "path": "a", "size": [1, 2, 3]}]}, "a width and a height in whole"),
        ({"id": "1", "turns": [{"speaker": "a", "text": None}]}, "a Turn wants speaker and text as str"),
        ({"id": "1", "turns": [{"speaker": "a", "text": "", "span": [2, 1, "s"]}]}, "0 <= start <= end"),
        ({"id": "1", "turns": 5}, "record '1' lacks or misplaces"),
        ({"id": "1", "people": ["Ann"]}, "people maps names to facts"),
        ({"id": "1", "meta": "x"}, "meta maps names to facts"),
        ({"id": "1", "tracks": [5]}, "a Track in JSON wants an object"),
        ({"id": "1", "tracks": [{}]}, "a Track in JSON lacks or misplaces something: KeyError"),
        ({"id": "1", "tracks": [{**TRACK, "space": "mood-2"}]}, "object with id, kind and names"),
        ({"id": "1", "tracks": [{**TRACK, "values": [[0.5, 0.6]]}]}, "sum to 1"),
        ({"id": "1", "tracks": [{**TRACK, "values": [[0.5], [0.6, 1]]}]}, "record '1': a Track"),
        ({"id": "1", "tracks": [{**TRACK, "values": "much"}]}, "record '1': a Track"),
        ({"id": "1", "tracks": [{**TRACK, "values": [["x", "y"]]}]}, "record '1': a Track"),
        ({"id": "1", "tracks": [{**TRACK, "values": [[10**400, 0]]}]}, "record '1': a Track"),
        ({"id": "1", "tracks": [{**TRACK, "start": {"a": 1}}]}, "record '1': a Track"),
        ({"id": "1", "tracks": [{**TRACK, "about": [[0, 1, "s", 4]]}]}, "record '1': a Track"),
        ({"id": "1", "tracks": [{**TRACK, "note": [5]}]}, "each a str"),
        (
            {"id": "1", "tracks": [{**TRACK, "space": {**TRACK["space"], "kind": "graded", "ranges": [[0, 1, ""]]}}]},
            "record '1': a Track",
        ),
    ],
)
def test_broken_json_names_the_record_and_what_it_lacks(broken, wanted):
    with pytest.raises(MalformedError, match=wanted):
        plain.to_record(broken)


@given(json_values, st.sampled_from(["signals", "turns", "people", "tracks", "meta", "id"]))
def test_any_json_in_a_wrong_place_is_a_record_or_a_clear_error(value, key):
    _record_or_error({"id": "1", key: value})


@given(json_values, st.sampled_from([*TRACK, "unit", "confidence", "box", "about", "note", "subject"]))
def test_any_json_in_a_wrong_place_of_a_track_is_a_track_or_a_clear_error(value, key):
    _record_or_error({"id": "1", "tracks": [{**TRACK, key: value}]})


def _record_or_error(broken):
    try:
        record = plain.to_record(broken)
    except AffettoError as error:
        assert str(error)
    else:
        assert json.dumps(plain.from_record(record), allow_nan=False)


@given(records())
def test_a_blind_record_hides_the_answers_and_nothing_else(record):
    blind = record.blind()
    assert blind.tracks == ()
    assert blind.add(*record.tracks) == record


def test_the_words_of_a_record_are_its_texts_or_else_its_turns():
    talk = (Turn("Ann", Span(0, 1), "Hi."), Turn("Bo", None, "Oh."))
    assert Record("1", turns=talk).text == "Hi.\nOh."
    assert Record("1", (Text("so"),), turns=talk).text == "so"
    assert Record("1", (Audio("a.wav", 16000, 1),)).text is None


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: Record(5), "id is a str"),
        (lambda: Record("1", signals=("text",)), "signals holds no str"),
        (lambda: Record("1", turns=(Text("x"),)), "turns holds no Text"),
        (lambda: Record("1", tracks=("x",)), "tracks holds no str"),
        (lambda: Record("1", meta=["x"]), "meta maps names to facts"),
        (lambda: Turn("Ann", (0, 1), "Hi."), "span is a Span or None"),
        (lambda: Turn(None, None, "Hi."), "speaker and text as str"),
        (lambda: Text(b"x"), "a Text wants a str, not bytes"),
        (lambda: Audio("", math.nan, 1), "finite rate > 0"),
        (lambda: Waves("", 4, -1), "duration >= 0"),
        (lambda: Image(np.zeros((2, 2), np.uint8)), "height x width x 3 uint8"),
        (lambda: Audio("", 4, 1, open=lambda s: iter(())).blocks(0), "seconds > 0"),
    ],
)
def test_what_does_not_belong_is_refused(make, wanted):
    with pytest.raises(MalformedError, match=wanted):
        make()


def test_an_opened_signal_yields_its_blocks():
    blocks = [np.zeros((4, 1), np.float32)] * 2
    assert list(Audio("a.wav", 4, 2, open=lambda seconds: iter(blocks)).blocks(1.0)) == blocks
