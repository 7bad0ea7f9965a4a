import json

import numpy as np
import pytest

from affetto.core import catalog, plain
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.fusion.baseline import BaselineOptions, deviations


def face(values, space="ekman-7", **how):
    at = np.arange(len(values), dtype=float)
    how = {"start": at, "end": at + 1, "subject": "ann", "channel": "face"} | how
    return Track(catalog.load(space), values=values, **how)


def test_a_cross_looking_face_is_no_longer_cross_and_a_change_stays():
    rows = np.full((30, 7), 0.05)
    anger, joy = (catalog.load("ekman-7").index(name) for name in ("anger", "joy"))
    rows[:, anger] = 0.7
    rows[20:25, anger], rows[20:25, joy] = 0.1, 0.65
    (told,) = deviations([face(rows)])
    assert told.space.id == "ekman-7.deviation" and told.space.kind == "graded"
    assert np.allclose(told.values[:20], 0, atol=1e-6)
    assert told.values[22, joy] == pytest.approx(0.6) and told.values[22, anger] == pytest.approx(-0.6)


def test_the_median_is_weighted_by_time_and_gaps_stay_gaps():
    values = [[0.0, 0.0], [1.0, 0.5], [np.nan, np.nan], [0.9, 0.4]]
    track = face(values, "va", start=[0, 1, 2, 3], end=[1, 2, 3, 30])
    (told,) = deviations([track], BaselineOptions(rows=3))
    assert np.allclose(told.values, [[-0.9, -0.4], [0.1, 0.1], [np.nan, np.nan], [0, 0]], atol=1e-6, equal_nan=True)


def test_of_too_little_nothing_is_told_and_words_have_no_usual():
    assert deviations([face(np.full((4, 7), 1 / 7))]) == ()
    assert deviations([face(np.full((40, 7), 1 / 7), channel="text")]) == ()
    assert deviations([face(np.full((40, 7), np.nan))]) == ()


def test_they_go_through_json():
    rows = np.random.default_rng(0).uniform(0, 5, (30, 27))
    record = Record("r", tracks=deviations([face(rows, "facs-au")]))
    assert plain.to_record(json.loads(json.dumps(plain.from_record(record)))).tracks[0] == record.tracks[0]
