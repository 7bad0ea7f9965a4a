"""Explanations of faces: the patches that carry an answer, and the action units in words, on made faces."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.signal import Audio, Image
from affetto.core.track import Track
from affetto.explain import patches, seeing
from affetto.explain.seeing import SeeingOptions, reasons, units
from tests.portraits import EKMAN, UNITS, VA, Smiles, answers, clip, portrait

FEW = SeeingOptions(cells=4, most_moments=2)


def why(record, model=None, spaces=("ekman-8",), axis=None, options=FEW):
    chosen = [track for track in record.tracks if track.space.id in spaces]
    return reasons(model or Smiles(), record, chosen, record.tracks, axis, options)


def heaviest(part):
    row = int(part.values[:, 0].argmax())
    return part.box[row].reshape(2, 2).mean(0), part.note[row]


def test_the_mouth_carries_a_smile():
    record = portrait(0.9, 0.6)
    found = why(record)
    assert [answer.subject for answer, _ in found] == ["person-1", "person-2"]
    for k, (answer, (part, _)) in enumerate(found):
        x, y = heaviest(part)[0]
        assert abs(x - (60 + 120 * k)) < 25 and y > 60
        assert "mouth" in heaviest(part)[1] or heaviest(part)[1] == "chin"
        assert part.values.max() > 0.2
        above = part.values[part.box[:, 3] < 45, 0]
        assert above.max() < 0.05
        assert part.about[0] == answer.spans[0]


def test_what_the_patches_look_like():
    (_, (part, _)), *_ = why(portrait(0.9))
    assert part.space is seeing.IMPORTANCE and part.channel == "face" and part.subject == "person-1"
    assert part.source == "patches(face@1, ekman-8: joy)"
    assert len(part) == 16 and part.box.shape == (16, 4)
    assert part.box[0].tolist() == pytest.approx([0, 0, 30, 30], abs=0.1)
    assert part.box[-1].tolist() == pytest.approx([90, 90, 120, 120], abs=0.1)
    assert len(set(part.note)) > 4


def test_a_model_is_asked_in_batches_about_the_whole_and_every_patch_and_told_where_the_face_is():
    model, told = Smiles(), []
    answer = model.answer
    model.answer = lambda record: told.append(record) or answer(record)
    why(portrait(0.9), model)
    assert sum(model.asked) == 1 + 5 * 5 and max(model.asked) <= 16
    assert all(record.meta["boxes"] == [pytest.approx([26.4, 20, 93.6, 100], abs=0.1)] for record in told)
    assert not told[0].tracks


def test_all_answers_about_a_face_are_explained_by_one_round_of_asking():
    model = Smiles()
    found = why(portrait(0.9), model, ("ekman-8", "va"))
    assert sum(model.asked) == 26
    assert [parts[0].source for _, parts in found] == ["patches(face@1, ekman-8: joy)", "patches(face@1, va: valence)"]
    joy, valence = (parts[0].values for _, parts in found)
    np.testing.assert_allclose(valence, joy / 2, atol=1e-6)


def test_another_axis_may_be_asked_for():
    ((_, (part, *_)),) = why(portrait(0.9), axis="neutral")
    ((_, (other, *_)),) = why(portrait(0.9), axis="joy")
    assert "neutral" in part.source
    np.testing.assert_allclose(part.values, -other.values, atol=1e-6)
    ((_, (part, *_)),) = why(portrait(0.9), spaces=("va",), axis="arousal")
    assert part.source.endswith("va: arousal)")


def test_the_units_of_a_picture_are_the_highest():
    ((_, (_, part)),) = why(portrait(0.8))
    assert part.note == ("lip corner puller (AU12) 4.0", "cheek raiser (AU06) 2.4")
    assert part.values[:, 0].tolist() == pytest.approx([0.8, 0.48])
    assert part.source == "units(face@1, ekman-8: joy)"


def test_the_units_of_a_film_are_those_above_the_persons_own_median():
    record = clip([0.3] * 8 + [0.9] * 3)
    part = units(record.tracks[0], [record.tracks[2]], 9)[0]
    assert part.note == (
        "lip corner puller (AU12) 3.0 above this person's median",
        "cheek raiser (AU06) 1.8 above this person's median",
    )
    assert units(record.tracks[0], [record.tracks[2]], 2) == ()


def test_two_rows_are_no_median_and_other_people_do_not_count():
    record = clip([0.2, 0.8])
    (part,) = units(record.tracks[0], [record.tracks[2]], 1)
    assert part.note[0] == "lip corner puller (AU12) 4.0"
    assert units(record.tracks[0], [record.tracks[2].called("person-7")], 1) == ()
    assert units(record.tracks[0], [], 1) == ()


def test_units_nobody_coded_are_left_out():
    record = portrait(0.8)
    values = np.full((1, 27), np.nan)
    values[0, UNITS.index("AU12")] = 3
    (part,) = units(record.tracks[0], [replace(record.tracks[2], values=values)])
    assert part.note == ("lip corner puller (AU12) 3.0",)


def test_of_a_film_the_moments_that_show_most_are_explained():
    joys = [0.1] * 30
    joys[4], joys[6], joys[20] = 0.8, 0.7, 0.9
    found = why(clip(joys, rate=5.0))
    assert [float(answer.start[0]) for answer, _ in found] == [0.8, 4.0]
    assert all(heaviest(parts[0])[0][1] > 60 for _, parts in found)
    one = why(clip(joys, rate=5.0), options=SeeingOptions(cells=2, most_moments=1))
    assert [float(answer.start[0]) for answer, _ in one] == [4.0]


def test_each_expression_has_its_moment_before_any_has_two():
    record = clip([0.9] * 12 + [0.8] * 6, rate=1.0)
    values = np.array(record.tracks[0].values)
    joy, sadness = EKMAN.index("joy"), EKMAN.index("sadness")
    values[12:, [joy, sadness]] = values[12:, [sadness, joy]]
    moods = replace(record.tracks[0], values=values)
    assert seeing._moments(moods, SeeingOptions(most_moments=2)) == [0.0, 12.0]
    assert seeing._moments(moods, SeeingOptions(most_moments=3)) == [0.0, 1.0, 12.0]


def test_a_face_that_is_not_seen_carries_nothing():
    record = clip([None, None])
    ((answer, parts),) = why(record)
    assert parts == () and np.isnan(answer.values).all()
    nobody = portrait()
    ((_, parts),) = why(nobody)
    assert parts == ()


def test_without_a_face_in_the_crop_there_are_no_patches_but_units():
    class Blind(Smiles):
        def answer(self, record):
            return answers([0], [0], [None], record.meta["boxes"])

    ((_, parts),) = why(portrait(0.9), Blind())
    assert [part.source.partition("(")[0] for part in parts] == ["units"]


def test_a_patch_without_which_the_face_is_lost_takes_the_whole_answer():
    class Fragile(Smiles):
        def answer(self, record):
            pixels = record.signals[0].pixels.astype(int)
            lost = (abs(pixels - (40, 30, 30)).sum(2) < 60).sum() < 150
            return answers([0], [0], [None if lost else 0.8], record.meta["boxes"])

    ((_, (part, *_)),) = why(portrait(0.9), Fragile())
    assert part.values.max() == pytest.approx(0.8, abs=0.61)
    assert part.values.max() > 0.15 and "eye" in heaviest(part)[1] + "brow eye"


def test_what_is_measured_is_not_explained():
    assert why(portrait(0.9), spaces=("facs-au", "face-mesh-478")) == []


def test_the_answer_nearest_to_the_face_is_taken_where_there_are_several():
    class Pair(Smiles):
        def answer(self, record):
            (place,) = record.meta["boxes"]
            away = answers([0], [0], [0.0], [[x + 500 for x in place]], "person-1")
            return (*away, *(track.called("person-2") for track in super().answer(record)))

    ((_, (part, *_)),) = why(portrait(0.9), Pair())
    assert part.values.max() > 0.2


def test_a_model_that_gives_no_such_track_and_a_record_without_pictures():
    class Other:
        card = Card("other", "model", "1", "")

        def __call__(self, records):
            return [() for _ in records]

    with pytest.raises(MalformedError, match="other gives no ekman-8 track"):
        why(portrait(0.9), Other())
    record = portrait(0.9)
    with pytest.raises(MalformedError, match="has no picture and no film"):
        why(replace(record, signals=(Audio("", 16000, 1.0),)))
    for wrong in ({"cells": 1}, {"room": 0.5}, {"most_moments": 0}, {"largest": 4}):
        with pytest.raises(MalformedError, match="looking wants"):
            SeeingOptions(**wrong)


def test_units_are_asked_for_where_the_model_gives_none(monkeypatch):
    record = portrait(0.8)
    labels, units_of = record.tracks[0], record.tracks[2]

    class Coder:
        card = Card("face.au", "model", "1", "")

        def __call__(self, records):
            assert not records[0].tracks
            return [(units_of,)]

    monkeypatch.setattr(seeing.catalog, "load", lambda _: Coder())
    monkeypatch.setattr(seeing.catalog, "cards", lambda kind: {"face.au": Coder.card})
    ((_, parts),) = reasons(Smiles(), record, [labels], [labels], None, FEW)
    assert parts[-1].note[0] == "lip corner puller (AU12) 4.0"
    monkeypatch.setattr(seeing.catalog, "cards", lambda kind: {})
    ((_, parts),) = reasons(Smiles(), record, [labels], [labels], None, FEW)
    assert len(parts) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60), st.integers(1, 60),
    st.tuples(st.floats(-80, 80), st.floats(-80, 80)), st.floats(1, 300), st.integers(16, 64),
)  # fmt: skip
def test_any_square_of_any_picture_is_cut_and_bounded(high, wide, corner, side, largest):
    pixels = np.arange(high * wide * 3, dtype=np.uint32).reshape(high, wide, 3).astype(np.uint8)
    square = (corner[0], corner[1], corner[0] + side, corner[1] + side)
    cut = patches.crop(pixels, square, largest)
    assert cut.shape[0] == cut.shape[1] <= largest and cut.dtype == np.uint8
    assert cut.shape[0] >= min(side, largest) / 2


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(16, 70))
def test_patches_cover_each_pixel_four_times(cells, side):
    cut = np.zeros((side, side, 3), np.uint8)
    cut[0, 0] = 255
    bright = np.full_like(cut, 200)
    hidden = sum((one != 200).any(2).astype(int) for one in patches.greyed(bright, cells))
    assert hidden.max() == 0, "the grey is the mean of the picture"
    checks = np.indices((side, side)).sum(0) % 2 * 255
    board = np.repeat(checks[..., None], 3, 2).astype(np.uint8)
    hidden = sum((one != board).any(2).astype(int) for one in patches.greyed(board, cells))
    assert (hidden == 4).all()


def test_parts_are_named_by_the_box_where_there_is_no_mesh():
    record = portrait(0.9)
    some = record.tracks[:3]
    ((_, (part, _)),) = reasons(Smiles(), record, some[:1], some, None, FEW)
    assert "around the face" in part.note and {"forehead", "chin"} & {*part.note}


def test_an_empty_track_has_no_reasons():
    record = Record("x", (Image(np.zeros((9, 9, 3), np.uint8)),))
    empty = Track(EKMAN, [], [], [], "s", channel="face")
    assert reasons(Smiles(), record, [empty, Track(VA, [], [], [], "s", channel="face")], [], None, FEW) == []
