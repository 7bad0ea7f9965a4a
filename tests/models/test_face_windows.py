"""Films of hours, window by window: the windows together say what the whole says, and a stop on the way is not seen."""

import json
import math
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Image, Text
from affetto.media.recording import read_recording
from affetto.models.face import detect
from affetto.models.face.detect import Cascade
from affetto.models.face.keeping import packed, unpacked
from affetto.models.face.looking import NO_FACE, NO_PICTURE, NOBODY, Looking, read
from affetto.models.face.windows import joined, windows
from tests.models.test_face_looking import Where, corners, film, still
from tests.squares import Squares, picture

__all__ = ["corners"]
DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILMS = DATA / "video" / "face-samples"
PLACES = {1: (60, 60), 2: (160, 130), 3: (250, 180)}


def pages(*casts):
    """Return a picture for each cast: who of three is there, each at a place of their own that drifts."""
    return [
        picture(*((who, PLACES[who][0] + k % 7, PLACES[who][1], 60) for who in cast)) for k, cast in enumerate(casts)
    ]


def since(whole, second):
    """Return a film as it is opened from a second on."""
    times = [k / whole.rate for k in range(math.ceil(whole.duration * whole.rate - 1e-6))]

    def clock(seconds):
        for block, first in zip(
            whole.open(seconds), range(0, len(times), max(1, int(seconds * whole.rate))), strict=False
        ):
            rows = [k for k in range(len(block)) if times[first + k] >= second - 1e-6]
            if rows:
                yield np.array(times[first : first + len(block)])[rows], block[rows]

    return Frames(whole.path, whole.rate, max(0.0, whole.duration - second), whole.open, whole.size, clock)


def whole(signal, options=None, **meta):
    return read([Record("r", (signal,), meta=meta)], [Where()], Squares(), options)[0]


def seen(signal, seconds, options=None, state=None, **meta):
    return list(windows(Record("r", (signal,), meta=meta), [Where()], Squares(), options, seconds, state))


def together(found):
    return joined([track for window in found for track in window.tracks])


CASTS = st.lists(
    st.tuples(st.sets(st.sampled_from([1, 2, 3])).map(tuple), st.integers(1, 12)), min_size=1, max_size=6
).map(lambda runs: [cast for cast, count in runs for _ in range(count)])


@given(CASTS, st.sampled_from([0.2, 0.7, 1.0, 2.5, 60.0]), st.sampled_from([0, 0, 2.0]), st.sampled_from([1, 2, 4]))
@settings(max_examples=15, deadline=None)
def test_all_windows_together_say_what_the_whole_says(casts, seconds, rate, least):
    options = Looking(rate=rate, least=least)
    found = seen(film(pages(*casts)), seconds, options)
    assert [window.state.get("over", False) for window in found] == [False] * (len(found) - 1) + [True]
    assert joined([track for window in found for track in window.tracks], least) == whole(film(pages(*casts)), options)


@given(CASTS, st.sampled_from([0.7, 1.0, 2.5]), st.data())
@settings(max_examples=15, deadline=None)
def test_who_goes_on_after_any_window_says_the_same(casts, seconds, data):
    made = film(pages(*casts))
    before = seen(made, seconds)
    stop = data.draw(st.integers(0, len(before) - 1))
    state = json.loads(json.dumps(before[stop].state))
    opened = data.draw(st.floats(0, before[stop].until))
    after = seen(since(made, opened), seconds, None, state, since=opened)
    assert [(w.until, w.tracks, w.state) for w in after] == [(w.until, w.tracks, w.state) for w in before[stop + 1 :]]


def test_windows_end_at_multiples_of_their_seconds_and_people_keep_their_names():
    casts = [(1,)] * 6 + [()] * 6 + [(2,)] * 6 + [(1, 2)] * 5
    found = seen(film(pages(*casts)), 1.0)
    assert [w.until for w in found] == pytest.approx([1, 2, 3, 4, 4.6])
    subjects = [{t.subject for t in w.tracks} for w in found]
    assert subjects == [{"person-1"}, {"person-1"}, {"person-2"}, {"person-1", "person-2"}, {"person-1", "person-2"}]
    for window, begin in zip(found, (0, 1, 2, 3, 4), strict=True):
        for track in window.tracks:
            assert (track.start[0], track.end[-1]) == (pytest.approx(begin), pytest.approx(window.until))
    empty = seen(film(pages(*[()] * 12)), 1.0)
    assert [t.subject for w in empty for t in w.tracks] == [NOBODY] * 6
    (track, _) = together(empty)
    assert (track.subject, len(track), track.note, track.end[0]) == (NOBODY, 1, (NO_FACE,), pytest.approx(2.4))


def test_what_shows_itself_but_once_is_dropped_only_in_the_end():
    casts = [(1,), *[()] * 8, *[(2,)] * 6]
    found = seen(film(pages(*casts)), 1.0)
    assert "person-1" in {track.subject for track in found[0].tracks}
    tracks = together(found)
    assert {track.subject for track in tracks} == {"person-1"}
    assert tracks == whole(film(pages(*casts)))
    assert {t.subject for t in joined([t for w in found for t in w.tracks], 1)} == {"person-1", "person-2"}


@pytest.mark.parametrize("seconds", [1.0, 2.0, 2.5, 5.0, 7.0])
@pytest.mark.parametrize("how", [{"broken": 25}, {"duration": 9.0}])
def test_a_film_that_breaks_off_says_so_once_in_everybodys_tracks(how, seconds):
    casts = [(1,)] * 10 + [(1, 2)] * 10 + [(2,)] * 20
    made = film(pages(*casts)[: 25 if "duration" in how else 40], **how)
    tracks = together(seen(made, seconds))
    assert tracks == whole(made)
    assert [track.note.count(track.note[-1]) for track in tracks] == [1] * 4
    assert tracks[0].note[-1].startswith("the film" if "broken" in how else NO_PICTURE)


def test_a_film_that_breaks_where_somebody_goes_on_says_so_too():
    made = film(pages(*[(1,)] * 40), broken=25)
    before = seen(made, 2.5)
    after = seen(since(made, 5.0), 2.5, None, before[1].state, since=5.0)
    assert [w.tracks for w in after] == [before[2].tracks]
    assert after[0].tracks[0].note == ("the film cannot be read beyond this: made.mp4 is cut short",)


def test_of_a_film_that_was_opened_in_the_middle_times_are_those_of_the_film():
    made = film(pages(*[(1,)] * 30))
    (track, _) = whole(since(made, 3.0), since=3.0)
    assert track.start == pytest.approx(3 + np.arange(15) / 5)
    assert track.end[-1] == pytest.approx(6.0)
    assert together(seen(since(made, 3.0), 1.0, since=3.0)) == whole(since(made, 3.0), since=3.0)
    with pytest.raises(MalformedError, match=r"meta\['since'\] wants seconds >= 0, not 'x'"):
        whole(made, since="x")


def test_a_record_without_one_film_has_no_windows_or_one():
    sound = Audio("x", 16000, 1.0, lambda _: iter(()))
    assert list(windows(Record("r", (sound, Text("x"))), [Where()], Squares())) == []
    assert joined([]) == ()
    pictures = Record("r", (still(pages((1,))[0]), still(pages(())[0]), still(pages((1, 2))[0])))
    (window,) = windows(pictures, [Where()], Squares())
    assert window.state == {"over": True}
    assert window.tracks == read([pictures], [Where()], Squares())[0] == joined(window.tracks)
    twice = Record("r", (film(pages(*[(1,)] * 4)), film(pages(*[(1, 2)] * 4))))
    (window,) = windows(twice, [Where()], Squares())
    assert window.tracks == read([twice], [Where()], Squares())[0] == joined(window.tracks)
    assert list(windows(twice, [Where()], Squares(), state=window.state)) == []


def test_what_is_no_state_or_no_length_is_refused():
    made = film(pages((1,)))
    with pytest.raises(MalformedError, match="seconds > 0"):
        seen(made, 0)
    with pytest.raises(MalformedError, match="begin anew"):
        seen(made, 1.0, None, {"until": 1.0, "tracker": {"people": [{}]}})
    with pytest.raises(UnreadableError, match="only named here"):
        seen(Frames("x.mp4", 5.0, 1.0), 1.0)
    assert isinstance(still(picture()), Image)


def test_the_state_of_a_crowd_is_small_and_comes_back_number_for_number():
    casts = [(1, 2, 3)] * 60
    state = seen(film(pages(*casts)), 5.0)[0].state
    text = json.dumps(state)
    assert len(text) < 150_000
    looks = np.random.default_rng(0).random((3, 7), np.float32)
    assert np.array_equal(unpacked(json.loads(json.dumps(packed(looks)))), looks)


def test_what_the_cascade_proposes_does_not_hang_on_the_order_in_which_its_threads_end(monkeypatch):
    rng = np.random.default_rng(5)
    boxes = [(x, y, side, side) for x in (40, 44, 49) for y in (30, 35) for side in (50, 60, 72)]

    class Reader:
        def detectMultiScale(self, *given, **named):
            return rng.permutation(boxes)

    monkeypatch.setattr(detect, "_reader", lambda file: (Reader(), threading.Lock()))
    first = Cascade()(picture(size=(200, 160)))
    assert len(first) > 1
    assert all(Cascade()(picture(size=(200, 160))) == first for _ in range(20))


@pytest.mark.corpus
def test_a_real_film_goes_on_with_the_same_people_and_answers(tmp_path):
    path = FILMS / "pyfeat_face_noface.mov"
    if not path.is_file():
        pytest.skip("needs the data folder (AFFETTO_DATA)")
    face = catalog.load("face")
    record = read_recording(path)
    (expected,) = face([record])
    before = list(face.windows(record, 2.0))
    state = json.loads(json.dumps(before[0].state))
    after = list(face.windows(read_recording(path, since=before[0].until), 2.0, state))
    tracks = face.joined([track for window in (before[0], *after) for track in window.tracks])
    assert [(t.subject, t.space.id, t.note) for t in tracks] == [(t.subject, t.space.id, t.note) for t in expected]
    for track, other in zip(tracks, expected, strict=True):
        assert track.start == pytest.approx(other.start)
        assert track.values == pytest.approx(other.values, abs=2e-3, nan_ok=True)
        assert track.box == pytest.approx(other.box, abs=0.01, nan_ok=True)
