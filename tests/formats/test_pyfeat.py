"""Py-Feat tables: the file that Py-Feat wrote, ours in its columns, and what is odd in either."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.formats import pyfeat, pyfeat_layout
from tests import face_tracks as faces

IDS = ("face-points-68", "head-pose", "gaze", "arkit-52", "facs-au", "ekman-8", "va")
DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
NEWS = DATA / "face" / "pyfeat-news-au"
quiet = settings(max_examples=8, deadline=None)


def by_space(record):
    return {track.space.id: track for track in record.tracks}


@quiet
@given(st.data())
def test_faces_come_back(tmp_path_factory, data):
    people = [data.draw(faces.persons(IDS, subject)) for subject in ("person-1", "Ann, B")]
    path = tmp_path_factory.mktemp("p") / "clip.pyfeat.csv"
    formats.by_path(path).write([faces.clip(*people), faces.clip(people[1], id="b")], path)
    first, second = formats.by_path(path).read(path)
    for old, new in zip((*people[0], *people[1], *people[1]), (*first.tracks, *second.tracks), strict=True):
        if old.space.id != "gaze":
            faces.agree(old, new)
            continue
        assert new.values[:, 0] == pytest.approx(new.values[:, 2], nan_ok=True)
        faces.agree(old, new, old.space.names)


def test_scripts_index_by_name(tmp_path):
    path = tmp_path / "talk.pyfeat.csv"
    labels = [[0.1, 0, 0, 0.7, 0, 0, 0.1, 0.1], [np.nan] * 8, [0, 0, 0, 1, 0, 0, 0, 0]]
    more = {"box": [[10, 20, 110, 140], [np.nan] * 4, [10, 20, 110, 140]], "note": ["", "no face", ""]}
    person = (
        faces.track("ekman-8", labels, [0, 0.2, 0.6], [0.2, 0.6, 0.8], confidence=[0.5, np.nan, 1], **more),
        faces.track("facs-au", [np.full(27, 2.5)] * 3, [0, 0.2, 0.6], [0.2, 0.6, 0.8]),
        faces.track("head-pose", [[30, 10, 0]] * 3, [0, 0.2, 0.6], [0.2, 0.6, 0.8]),
    )
    person = tuple(one[[0, 2]] if one.space.id != "ekman-8" else one for one in person)
    picture = Image(np.zeros((48, 64, 3), np.uint8))
    record = Record("talk", (picture,), tracks=person)
    formats.by_path(path).write([record], path)
    table = pd.read_csv(path)
    assert tuple(table.columns) == pyfeat_layout.header() and len(set(table.columns)) == len(table.columns)
    assert table["frame"].tolist() == [0, 1, 2, 3] and table["input"].eq("talk").all()
    assert table["approx_time"].tolist() == ["00:00.000000", "00:00.200000", "00:00.400000", "00:00.600000"]
    assert table["FaceScore"].tolist() == [0.5, 0, 0, 1] and table["FaceRectX"].isna().tolist() == [0, 1, 1, 0]
    assert table["FaceRectWidth"][0] == 100 and table["FaceRectHeight"][0] == 120
    assert table["Happy"][0] == pytest.approx(0.7) and table["Contempt"][0] == pytest.approx(0.1)
    assert table["AU12"][0] == 0.5 and table["AU45"][0] == 0.5 and table["Yaw"][0] == pytest.approx(-np.pi / 6)
    assert table["Pitch"][0] == pytest.approx(np.radians(10)) and table["FrameHeight"][0] == 48


@pytest.mark.corpus
def test_the_file_that_pyfeat_wrote():
    if not NEWS.exists():
        pytest.skip("no data folder")
    path = NEWS / "news_au_blendshape.csv"
    table = pd.read_csv(path, dtype={"clip": str})
    records = list(formats.for_reading(path).read(path))
    assert [record.id for record in records] == sorted(set(table["clip"])) and len(records) == 20
    assert sum(len(record.tracks[0]) for record in records) == len(table)
    for record in records:
        rows, said = table[table["clip"] == record.id], by_space(record)
        assert record.meta == {"row": {"news_class": rows["news_class"].iloc[0]}}
        assert set(said) == {"head-pose", "gaze", "arkit-52", "facs-au", "ekman-7", "va"}
        assert said["va"].start == pytest.approx(rows["frame"] / 25)
        assert said["facs-au"].column("AU12") == pytest.approx(rows["AU12"] * 5, abs=1e-5)
        assert np.isnan(said["facs-au"].column("AU16")).all()
        assert said["arkit-52"].column("jawOpen") == pytest.approx(rows["jawOpen"])
        assert np.isnan(said["arkit-52"].column("tongueOut")).all()
        assert said["ekman-7"].column("joy") == pytest.approx(rows["Happy"], abs=3e-3)
        assert said["va"].column("valence") == pytest.approx(rows["valence"])
        assert said["head-pose"].column("pitch") == pytest.approx(np.degrees(rows["Pitch"]), abs=1e-4)
        assert said["head-pose"].box[:, 2] == pytest.approx(rows["FaceRectX"] + rows["FaceRectWidth"], rel=1e-5)
        assert said["head-pose"].confidence == pytest.approx(rows["FaceScore"])


@pytest.mark.corpus
def test_angles_and_depth_agree_with_the_mesh():
    path = NEWS / "news_au_blendshape_mesh.parquet"
    if not path.exists():
        pytest.skip("no data folder")
    pytest.importorskip("pyarrow")
    records = [by_space(record) for record in formats.for_reading(path).read(path)]
    mesh = np.concatenate([said["face-mesh-478"].values for said in records]).reshape(-1, 478, 3)
    yaw, pitch, roll = np.concatenate([said["head-pose"].values for said in records]).T
    own_left = mesh[:, 263] - mesh[:, 33]
    up = mesh[:, 10] - mesh[:, 152]
    wide = np.hypot(own_left[:, 0], own_left[:, 1])
    assert np.corrcoef(np.arctan2(-own_left[:, 1], own_left[:, 0]), roll)[0, 1] > 0.9
    assert np.corrcoef(up[:, 2] / np.abs(up[:, 1]), pitch)[0, 1] < -0.9
    depth = np.polyfit(own_left[:, 2] / wide, np.tan(np.radians(yaw)), 1)[0]
    assert depth == pytest.approx(1, abs=0.1)
    points = by_space(next(formats.for_reading(path).read(path)))["face-mesh-478"]
    assert points.values.shape[1] == 1434


def test_older_versions_and_odd_ones(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(
        "frame,approx_time,input,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,Pitch,Roll,Yaw,AU01,anger,"
        "disgust,fear,happiness,sadness,surprise,neutral,Identity_1,mood\n"
        "0,00:00,a.mp4,1,2,3,4,0.9,10,-5,20,1,0,0,0,1,0,0,0,0.1,x\n"
        "0,00:00,a.mp4,9,2,3,4,0.8,0,0,0,0.5,0,0,0,0,1,0,0,0.1,x\n"
        "30,00:01,a.mp4,,,,,0,,,,,,,,,,,,,y\n"
        "0,00:00,b.mp4,1,2,3,4,0.9,0,0,0,0.2,0,0,0,0,0,0,1,0.1,z\n"
    )
    a, b = formats.for_reading(path).read(path)
    assert (a.id, b.id, a.meta, b.meta) == ("a.mp4", "b.mp4", {}, {"row": {"mood": "z"}})
    assert [track.subject for track in a.tracks] == ["person-1"] * 3 + ["person-2"] * 3
    pose, units, labels = a.tracks[:3]
    assert pose.values[0].tolist() == [-20, 10, -5] and units.column("AU01")[0] == 5
    assert labels.top(0).name == "joy" and labels.note == ("", "no face") and labels.start.tolist() == [0, 1]
    assert next(pyfeat.read(path, rate=60)).tracks[0].start.tolist() == [0, 0.5]
    assert next(pyfeat.read(path, up=True)).tracks[0].values[0].tolist() == [-20, -10, -5]
    errors = tmp_path / "e.pyfeat.csv"
    bad = Record("bad", meta={"error": "torn"})
    formats.by_path(errors).write([bad, Record("empty")], errors)
    assert list(formats.by_path(errors).read(errors)) == [bad, Record("empty")]
    path.write_text("frame,input\n0,a\n")
    with pytest.raises(UnreadableError, match="neither FaceRectX"):
        list(pyfeat.read(path))
