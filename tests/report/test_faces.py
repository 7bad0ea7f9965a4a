"""Faces in pictures and films as people see them: what is drawn where, gaps, crowds, and what cannot be drawn."""

import tracemalloc
from dataclasses import replace

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.track import Track
from affetto.report import faces, overlay, shots, strips
from affetto.report.film import write_film
from affetto.report.heat import heated, plot_reasons
from affetto.report.plot import Options, figure, plot
from tests import portraits
from tests.portraits import EKMAN, UNITS, clip, portrait

pytest.importorskip("matplotlib")


def words(whole):
    """Return all that is written in a figure."""
    return [text.get_text() for axes in whole.axes for text in axes.texts] + [text.get_text() for text in whole.texts]


def test_marks_say_who_and_what_and_where():
    one, two = faces.marks(faces.people(portrait(0.9, 0.5)), 0.0)
    assert (one.name, one.words, two.order) == ("person-1", "joy 0.90", 1)
    assert one.box[2] < two.box[0]
    assert one.points.shape == (478, 2)
    assert (one.points[:, 0] >= one.box[0] - 1).all() and (one.points[:, 0] <= one.box[2] + 1).all()


def test_who_is_not_seen_is_not_marked():
    everybody = faces.people(clip([0.2, None, None, 0.8]))
    assert [len(faces.marks(everybody, second)) for second in (0.0, 0.2, 0.4, 0.6, 2.0)] == [1, 0, 0, 1, 0]
    assert faces.people(portrait())[0].seen == 0 and everybody[0].seen == pytest.approx(0.4)


def test_a_face_whose_expression_is_not_said_is_marked_so():
    record = portrait(0.9)
    labels = record.tracks[0]
    silent = replace(labels, values=np.full((1, 8), np.nan), confidence=None)
    (mark,) = faces.marks(faces.people(replace(record, tracks=(silent, *record.tracks[1:]))), 0.0)
    assert mark.words == "not said"


def test_captions_without_expressions_name_the_strongest_units():
    units = portrait(0.8).tracks[2]
    assert faces.caption(units, 0) == "AU12 4.0, AU06 2.4"
    assert faces.caption(portrait(0.8).tracks[1], 0) == "valence +0.80"
    assert faces.caption(portrait(0.8).tracks[3], 0) == ""


def test_painting_leaves_the_picture_as_it_is_and_marks_the_box():
    record = portrait(0.9)
    pixels = record.signals[0].pixels
    before = pixels.copy()
    (mark,) = faces.marks(faces.people(record), 0.0)
    for scale in (1.0, 3.0, 0.5):
        drawn = overlay.paint(pixels, [mark], scale)
        assert drawn.shape == (round(120 * scale), round(120 * scale), 3)
        left, top, _, bottom = (round(x * scale) for x in mark.box)
        edge = drawn[(top + bottom) // 2, max(0, left - 2) : left + 3].astype(int)
        assert abs(edge - overlay.rgb(0)).sum(1).min() < 90
    np.testing.assert_array_equal(pixels, before)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-50, 250)] * 4), max_size=5),
    st.integers(1, 90),
    st.integers(1, 90),
    st.text(max_size=40),
)
def test_any_boxes_in_any_picture_are_painted(corners, high, wide, name):
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    marks = [
        faces.Mark(name, name[::-1], box, np.full((478, 2), 5.0) if k % 2 else None, k) for k, box in enumerate(boxes)
    ]
    assert overlay.paint(np.zeros((high, wide, 3), np.uint8), marks).shape == (high, wide, 3)


def test_plates_keep_apart_from_each_other():
    marks = faces.marks(faces.people(portrait(*[0.5] * 6, size=90)), 0.0)
    placed = []
    boxes = [mark.box for mark in marks]
    for mark in marks:
        x, y = overlay._room(mark.box, (30, 100), (135, 135 * 6), placed, boxes)
        placed.append((x, y, x + 100, y + 30))
    for k, one in enumerate(placed):
        assert all(overlay._shared(one, other) == 0 for other in placed[:k])


def test_letters_are_written_once_and_hold_any_script():
    assert overlay.written("joy 0.87", 14) is overlay.written("joy 0.87", 14)
    for text in ("", "joy", "überrascht", "喜び", "a" * 500, "\x00\n"):
        mask = overlay.written(text, 12)
        assert mask.shape[0] == 16 and mask.min() >= 0 and mask.max() <= 1 and mask.shape[1] < 900


def test_a_portrait_has_a_line_a_person(tmp_path):
    whole = figure(portrait(0.9, 0.2))
    told = words(whole)
    assert {"person-1", "person-2", "joy", "neutral"} <= set(told)
    assert any("valence +0.90" in line for line in told)
    assert any("lip corner puller AU12 4.5, cheek raiser AU06 2.7" in line for line in told)
    one, two = (plot(portrait(0.9, 0.2), tmp_path / f"{name}.png") for name in "ab")
    assert one.read_bytes() == two.read_bytes()
    assert plot(portrait(0.9), tmp_path / "a.svg").stat().st_size > 10_000


def test_a_crowd_and_an_empty_picture():
    assert "8 more people are in the file" in words(figure(portrait(*[0.5] * 20, size=30)))
    assert "no usable face was seen" in words(figure(portrait()))
    assert figure(portrait(0.5, size=16)).get_size_inches()[0] == 10
    whole = figure(Record("tall", (Image(np.zeros((900, 30, 3), np.uint8)),), tracks=portrait().tracks))
    assert whole.get_size_inches()[1] < 12


def test_a_film_has_a_sheet_a_ribbon_curves_and_units():
    whole = figure(clip([0.1] * 5 + [0.9] * 5 + [None] * 5 + [0.3] * 10), Options(shots=5))
    sheet, ribbon, curves, units, *_ = whole.axes
    told = [text.get_text() for text in sheet.texts]
    assert told.count("joy 0.90") == 1 and told.count("no face") == 1
    assert ribbon.get_title(loc="left") == "person-1 · face · expressed"
    assert curves.get_xlim() == (0, 5)
    heat = units.images[0].get_array()
    assert [label.get_text() for label in units.get_yticklabels()] == ["cheek raiser AU06", "lip corner puller AU12"]
    middle = heat[:, int(2.5 / 5 * heat.shape[1])]
    assert np.ma.getmaskarray(middle).all() or np.isnan(np.ma.getdata(middle)).all()
    assert heat[1].max() == pytest.approx(4.5)
    assert "1 more answers" in units.get_xlabel()


def test_the_shot_of_a_stretch_is_its_peak():
    joys = [0.1] * 20
    joys[3], joys[14] = 0.6, 0.8
    record = clip(joys)
    (mine,) = shots.shots(record.signals[0], faces.people(record), 2, 4.0)
    assert [(shot.slot, shot.second, shot.words) for shot in mine] == [(0, 0.6, "joy 0.60"), (1, 2.8, "joy 0.80")]
    assert mine[0].pixels.shape == (shots.SIDE, shots.SIDE, 3)
    lips = [(abs(shot.pixels.astype(int) - portraits.LIPS).sum(2) < 60).sum() for shot in mine]
    assert 0 < lips[0] < lips[1]


def test_several_people_have_strips_of_their_own_until_there_are_too_many():
    whole = figure(clip([0.5] * 6, people=2))
    titles = [axes.get_title(loc="left") for axes in whole.axes]
    assert sum("person-1" in title for title in titles) == sum("person-2" in title for title in titles) == 3
    whole = figure(clip([0.5] * 6, people=6))
    assert any("more answers" in axes.get_xlabel() for axes in whole.axes)


def test_a_film_without_faces_says_so():
    nobody = Track(EKMAN, [0], [2], [[np.nan] * 8], "s", "person", channel="face", note=("no face",))
    whole = figure(replace(clip([0.5] * 10), tracks=(nobody,)))
    assert "no face" in words(whole)


def test_gaps_and_short_rows_of_units():
    track = clip([0.9] + [None] * 3 + [0.4]).tracks[2]
    assert track.space == UNITS and strips.units_shown(track) == 2
    quiet = clip([0.0] * 4).tracks[2]
    assert strips.units_shown(quiet) == 1


def test_a_film_is_drawn_into_its_frames(tmp_path):
    joys = [0.1, 0.9, None, None, 0.5] * 3
    made = plot(clip(joys, rate=4.0, size=81), tmp_path / "marked.mp4")
    with av.open(str(made)) as film:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]
    assert [second for second, _ in frames] == pytest.approx(np.arange(15) / 4)
    assert frames[0][1].shape == (122, 122, 3)
    orange = [(abs(frame.astype(int) - overlay.rgb(0)).sum(2) < 90).mean() for _, frame in frames]
    assert orange[1] > 0.02 and orange[2] < 0.005
    assert [path.name for path in tmp_path.iterdir()] == ["marked.mp4"]


def test_a_long_film_is_never_held(tmp_path):
    def blocks(seconds):
        for _ in range(20):
            yield np.zeros((40, 96, 128, 3), np.uint8)

    record = clip([0.5] * 4)
    long = replace(record, signals=(Frames("long", 5.0, 160.0, blocks, (128, 96)),))
    tracemalloc.start()
    plot(long, tmp_path / "long.mp4")
    figure(long)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6, "the film is 29 MB"


def test_what_cannot_be_filmed_says_so_and_leaves_nothing(tmp_path):
    with pytest.raises(MalformedError, match="no film that is open"):
        plot(portrait(0.5), tmp_path / "x.mp4")
    with pytest.raises(MalformedError, match="no answers about faces"):
        plot(replace(clip([0.5]), tracks=()), tmp_path / "x.mp4")
    with pytest.raises(UnreadableError, match="cannot be written"):
        write_film(clip([0.5] * 3), tmp_path / "no" / "x.mp4")
    empty = replace(clip([0.5]), signals=(Frames("", 5.0, 1.0, lambda _: iter(()), (20, 20)),))
    with pytest.raises(MalformedError, match="has no frame"):
        plot(empty, tmp_path / "x.mp4")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UnreadableError, match="not opened"):
        figure(Record("x", (Image(None, "gone.png", (20, 20)),), tracks=portrait(0.5).tracks))
    for wrong in ({"shots": 0}, {"shots": 101}):
        with pytest.raises(MalformedError, match="a picture wants"):
            Options(**wrong)


def importance(weights, box=(0, 0, 120, 120)):
    side = round(len(weights) ** 0.5)
    across = np.linspace(box[0], box[2], side + 1)
    down = np.linspace(box[1], box[3], side + 1)
    boxes = [(across[j], down[i], across[j + 1], down[i + 1]) for i in range(side) for j in range(side)]
    axis = EKMAN.axes[0]
    space = replace(EKMAN, id="importance", kind="graded", axes=(replace(axis, name="importance", low=-1.0),))
    zeros = np.zeros(len(weights))
    notes = tuple("mouth" if k else "left eye" for k in range(len(weights)))
    return Track(
        space, zeros, zeros, np.array(weights)[:, None], "s", "person-1", channel="face",
        source="patches(face@1, ekman-8: joy)", box=boxes, note=notes,
    )  # fmt: skip


def test_heat_is_warm_where_the_answer_falls_and_blue_where_it_rises():
    grey = np.full((120, 120, 3), 128, np.uint8)
    drawn = heated(grey, importance([0.5, 0, 0, -0.5])).astype(int)
    warm, none, cold = drawn[40, 40], drawn[40, 440], drawn[440, 440]
    assert warm[0] > warm[2] + 60 and cold[2] > cold[0] + 60 and abs(none - 128).max() < 60
    assert abs(heated(grey, importance([0.0] * 4)).astype(int) - 128).max() <= 1


def test_reasons_are_drawn_a_panel_each(tmp_path):
    record = portrait(0.9)
    part = importance([0.1, 0.4, -0.2, 0.0])
    reasons = [(record.tracks[0], (part,))] * 14
    assert plot_reasons(record, reasons, tmp_path / "why.png").read_bytes()[:4] == b"\x89PNG"
    svg = plot_reasons(record, reasons, tmp_path / "why.svg").read_text("utf-8")
    assert "mouth +0.40, left eye +0.10" in svg and "person-1 · ekman-8: joy" in svg
    assert "2 more are not drawn" in svg
    with pytest.raises(MalformedError, match="rests on patches"):
        plot_reasons(record, [(record.tracks[0], ())], tmp_path / "no.png")
    with pytest.raises(MalformedError, match=r"\.png, \.svg, \.pdf"):
        plot_reasons(record, reasons, tmp_path / "no.gif")
    with pytest.raises(UnreadableError, match="not to be had"):
        plot_reasons(replace(record, signals=()), reasons, tmp_path / "no.png")
