"""How films and pictures become rows of persons, whatever is asked of the faces; with squares for faces."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Image, Text
from affetto.core.space import Axis, Space
from affetto.models.face.looking import NO_FACE, NO_PICTURE, NOBODY, Answer, Looking, read, sights
from tests.squares import Squares, picture

WHERE = Space("where", "graded", (Axis("x", low=0, high=1e4), Axis("size", low=0, high=1e4)))
FACE = (1, 100, 120, 60)


class Where:
    """A part that says where a face is and how large, and how sure the mesh was."""

    card = Card("face.where", "model", "1", "Where")
    spaces = (WHERE, catalog.load("va"))

    def __init__(self):
        self.batches = []

    def __call__(self, faces):
        self.batches.append(len(faces))
        values = np.array([(face.box[0] + face.box[2], face.place.size) for face in faces], np.float32) / (2, 1)
        sure = np.array([face.face for face in faces], np.float32)
        return [Answer(WHERE, values, sure), Answer(self.spaces[1], np.zeros((len(faces), 2), np.float32))]


@pytest.fixture(autouse=True)
def corners(monkeypatch):
    """Let squares be proposed where the cascade would look for faces."""
    from affetto.models.face import detect
    from tests.squares import Corners

    monkeypatch.setattr(detect, "Cascade", lambda *_: Corners())


def film(pages, rate=5.0, duration=None, clock=None, broken=None):
    """Return a film of grey pictures, which breaks after so many of them."""
    pages = [np.repeat(page[..., None], 3, 2) for page in pages]

    def open(seconds):
        step = max(1, int(seconds * rate))
        for first in range(0, len(pages), step):
            if broken is not None and first + step > broken:
                yield np.stack([*pages[first:broken], pages[0]])[:-1]
                raise UnreadableError("made.mp4 is cut short")
            yield np.stack(pages[first : first + step])

    return Frames("made.mp4", rate, len(pages) / rate if duration is None else duration, open, (320, 240), clock)


def asked(*signals, options=None, part=None):
    part = part or Where()
    return read([Record("r", signals)], [part], Squares(), options)[0]


def still(page):
    return Image(np.repeat(page[..., None], 3, 2))


def test_each_picture_with_a_face_is_a_row_and_each_stretch_without_is_one():
    pages = [picture()] * 5 + [picture((1, 80 + k, 120, 60)) for k in range(10)] + [picture()] * 10
    pages += [picture((1, 90, 120, 60))] * 5 + [picture()] * 2
    where, va = asked(film(pages), options=Looking(rate=0))
    assert (where.subject, where.channel, where.perspective, where.unit) == ("person-1", "face", "expressed", "s")
    assert (where.source, where.space.id, va.space.id) == ("face.where@1", "where", "va")
    assert (where.start[0], where.end[-1]) == (0, pytest.approx(len(pages) / 5))
    assert where.start[1:] == pytest.approx(where.end[:-1])
    gaps = np.isnan(where.values[:, 0])
    assert [note == NO_FACE for note in where.note] == gaps.tolist()
    assert gaps.sum() == 3
    assert not gaps[1:][gaps[:-1]].any()
    assert where.end[0] == pytest.approx(1.0, abs=0.41)
    assert where.values[1, 0] == pytest.approx(80 + 5 * (where.start[1] - 1), abs=2)
    assert where.box[1] == pytest.approx([where.values[1, 0] - 30, 90, where.values[1, 0] + 30, 150], abs=2)
    assert np.isnan(where.box[gaps]).all()
    assert np.isnan(where.confidence[gaps]).all()
    assert where.confidence[~gaps] == pytest.approx(0.99)
    assert va.confidence is None
    assert (where.end - where.start)[~gaps] == pytest.approx(0.2)


@pytest.mark.parametrize("signal", [film([picture()] * 8), film([]), film([], duration=float("nan")), still(picture())])
def test_where_nobody_is_there_is_one_row_that_says_so(signal):
    for track in asked(signal):
        assert (track.subject, len(track), track.note) == (NOBODY, 1, (NO_FACE,))
        assert np.isnan(track.values).all()
        assert np.isnan(track.box).all()
        assert (track.start[0], track.end[0]) == (0, 1.6 if getattr(signal, "duration", 0) == 1.6 else 0)


def test_each_person_has_a_track_over_the_whole_film_in_order_of_appearance():
    pages = [picture((5, 80, 120, 60))] * 6 + [picture((5, 80, 120, 60), (6, 240, 120, 50))] * 14
    tracks = asked(film(pages))
    assert [(t.space.id, t.subject) for t in tracks] == [
        ("where", "person-1"), ("where", "person-2"), ("va", "person-1"), ("va", "person-2"),
    ]  # fmt: skip
    assert np.nanmean(tracks[0].values[:, 0]) == pytest.approx(80, abs=2)
    assert np.nanmean(tracks[1].values[:, 0]) == pytest.approx(240, abs=2)
    assert [(t.start[0], t.end[-1]) for t in tracks] == [(0, 4)] * 4
    assert np.isnan(tracks[1].values[0]).all()


def test_what_shows_itself_but_once_is_chance_unless_there_is_but_one_picture():
    assert asked(film([picture(FACE), *[picture()] * 6]))[0].subject == NOBODY
    assert asked(film([picture(FACE), *[picture()] * 6]), options=Looking(least=1))[0].subject == "person-1"
    (track, _) = asked(film([picture(FACE)]))
    assert (track.subject, len(track), track.end[0]) == ("person-1", 1, pytest.approx(0.2))


def test_a_picture_is_rows_at_its_only_moment_the_largest_face_first():
    tracks = asked(still(picture((1, 60, 60, 40), (2, 200, 120, 80))))
    assert [(t.subject, t.start.tolist(), t.end.tolist()) for t in tracks[:2]] == [
        ("person-1", [0.0], [0.0]), ("person-2", [0.0], [0.0]),
    ]  # fmt: skip
    assert tracks[0].values[0, 0] == pytest.approx(200, abs=2)
    assert tracks[0].note is None


def test_boxes_end_with_the_picture():
    (track, _) = asked(still(picture((1, 12, 200, 60), (2, 200, 100, 60))), options=Looking())[1::2]
    assert track.box[0].min() >= 0
    (left, top, right, bottom) = asked(still(picture((1, 310, 100, 70), size=(340, 130))))[0].box[0]
    assert (right <= 340) & (bottom <= 130) & (left >= 0) & (top >= 0)


def test_crops_of_faces_are_answered_many_at_a_time_each_by_itself():
    part = Where()
    pages = [picture((k, 24, 24, 36), size=(48, 48)) for k in range(70)]
    records = [Record(str(k), (still(page), Text("beside"))) for k, page in enumerate(pages)]
    tracks = read(records, [part], Squares())
    assert part.batches == [32, 32, 6]
    assert [len(some) for some in tracks] == [2] * 70
    assert {some[0].subject for some in tracks} == {"person-1"}


def test_records_without_pictures_get_none_and_others_their_own_in_order():
    sound = Audio("x", 16000, 1.0, lambda _: iter(()))
    records = [Record("a", (Text("x"),)), Record("b", (sound, film([picture(FACE)] * 3))), Record("c"),
               Record("d", (still(picture()),))]  # fmt: skip
    tracks = read(records, [Where(), Where()], Squares())
    assert [len(some) for some in tracks] == [0, 4, 0, 4]
    assert read([], [Where()], Squares()) == []
    assert read(records, [], Squares()) == [(), (), (), ()]


def test_a_rate_takes_fewer_pictures_with_their_own_seconds():
    pages = [picture((1, 60 + k, 120, 60)) for k in range(60)]
    (track, _) = asked(film(pages, 30.0), options=Looking(rate=5))
    assert track.start == pytest.approx(np.arange(10) / 5, abs=1e-9)
    assert track.values[:, 0] == pytest.approx(60 + 6 * np.arange(10), abs=2)
    assert track.end[-1] == pytest.approx(2)
    assert len(asked(film(pages, 30.0), options=Looking(rate=90))[0]) == 60


def test_pictures_keep_the_seconds_that_the_film_says():
    pages = np.repeat(np.stack([picture(FACE)] * 4)[..., None], 3, 3)
    times = np.array([0.0, 0.1, 0.9, 1.0])
    (track, _) = asked(film(list(pages[..., 0]), clock=lambda _: iter([(times[:3], pages[:3]), (times[3:], pages[3:])]),
                            duration=1.2))  # fmt: skip
    assert track.start == pytest.approx(times)
    assert track.end == pytest.approx([0.1, 0.9, 1.0, 1.2])


def test_of_a_film_that_breaks_what_was_read_counts_and_the_note_says_so():
    for track in asked(film([picture(FACE)] * 40, broken=25)):
        assert (track.start[-1], track.end[-1]) == (pytest.approx(5), pytest.approx(8))
        assert track.note[-1] == "the film cannot be read beyond this: made.mp4 is cut short"
        assert len(track) == 26
        assert not np.isnan(track.values[:-1]).any()
        assert np.isnan(track.values[-1]).all()
    with pytest.raises(UnreadableError, match="cut short"):
        asked(film([picture(FACE)] * 40, broken=0))
    (track, _) = asked(film([picture(FACE)] * 10, duration=9.0))
    assert (track.start[-1], track.end[-1], track.note[-1]) == (pytest.approx(2), 9, NO_PICTURE)


def test_a_film_that_nobody_opened_says_so():
    with pytest.raises(UnreadableError, match="only named here"):
        asked(Frames("x.mp4", 5.0, 1.0))


def test_an_error_of_ours_is_not_blamed_on_the_film():
    def broken(crops):
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError):
        read([Record("r", (film([picture(FACE)] * 9),))], [Where()], broken)


def test_hours_are_not_held():
    """Pictures are read as they are looked at: never more than two blocks ahead."""
    ahead = []
    seen = 0

    def clock(_):
        for k in range(30):
            ahead.append(10 * k - seen)
            yield np.arange(10) / 5 + 2 * k, np.repeat(np.stack([picture(FACE)] * 10)[..., None], 3, 3)

    for _ in sights(film([picture()], clock=clock, duration=60.0), Squares()):
        seen += 1
    assert seen == 300
    assert max(ahead) <= 20


def test_an_unknown_detector_is_named():
    with pytest.raises(UnknownNameError, match="nobody"):
        asked(still(picture()), options=Looking(detector="nobody"))
