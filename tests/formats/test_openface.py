"""OpenFace tables: what scripts find in ours, what we find in theirs, and that both are the same faces."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.formats import openface, turning
from affetto.formats.finding import find_space
from tests import face_tracks as faces

IDS = ("face-points-68", "head-pose", "gaze", "facs-au")
LOST = ("AU11", "AU13", "AU46")
quiet = settings(max_examples=12, deadline=None)


def units(**values):
    row = np.zeros(27)
    for name, value in values.items():
        row[find_space("facs-au").index(name)] = value
    return row


@quiet
@given(st.data())
def test_faces_come_back(tmp_path_factory, data):
    people = [data.draw(faces.persons(IDS, subject)) for subject in ("person-1", "person-2")]
    path = tmp_path_factory.mktemp("o") / "clip.openface.csv"
    formats.by_path(path).write([faces.clip(*people), faces.clip(people[1], id="b, c")], path)
    first, second = formats.by_path(path).read(path)
    assert (first.id, second.id) == ("clip", "b, c")
    for old, new in zip((*people[0], *people[1], *people[1]), (*first.tracks, *second.tracks), strict=True):
        faces.agree(old, new, LOST, box=False)


def test_scripts_index_by_name(tmp_path):
    path = tmp_path / "talk.openface.csv"
    rows = [units(AU12=2.5, AU04=0.5, AU16=3), np.full(27, np.nan), units(AU12=1)]
    start, end = [0, 0.2, 0.8], [0.2, 0.8, 1.0]
    person = (
        faces.track("facs-au", rows, start, end, note=["", "no face", ""]),
        faces.track("head-pose", [[30, 10, 0], [np.nan] * 3, [0, 0, 20]], start, end, confidence=[0.9, np.nan, 0.8]),
    )
    formats.by_path(path).write([faces.clip(person, id="talk")], path)
    table = pd.read_csv(path)
    assert tuple(table.columns) == openface.HEADER and len(table.columns) == len(set(table.columns))
    assert table["frame"].tolist() == [1, 2, 3, 4, 5] and table["face_id"].eq(0).all()
    assert table["timestamp"].tolist() == [0, 0.2, 0.4, 0.6, 0.8]
    assert table["success"].tolist() == [1, 0, 0, 0, 1]
    assert table["AU12_r"].tolist()[::4] == [2.5, 1] and table["AU12_r"][1:4].isna().all()
    assert table["AU04_c"].tolist()[::4] == [0, 0] and table["AU12_c"].tolist()[::4] == [1, 1]
    assert table["AU16_r"][0] == 3 and table["pose_Tx"].isna().all()
    assert table["pose_Ry"][0] < 0 < table["pose_Rx"][0] and table["pose_Rz"][4] == pytest.approx(-np.radians(20))
    assert table["confidence"][0] == 0.9 and table["x_0"].isna().all()


def test_what_openface_wrote_itself(tmp_path):
    path = tmp_path / "video.csv"
    head = (
        "frame, face_id, timestamp, confidence, success, gaze_0_x, gaze_0_y, gaze_0_z, gaze_1_x, gaze_1_y, gaze_1_z, "
    )
    head += "gaze_angle_x, gaze_angle_y, eye_lmk_x_0, pose_Tx, pose_Ty, pose_Tz, pose_Rx, pose_Ry, pose_Rz, AU01_r, "
    head += "AU12_r, AU12_c, AU28_c"
    lines = [
        "1, 0, 0.000, 0.98, 1, 0.5, 0, -0.866, 0.5, 0, -0.866, 0.524, 0, 300, 1, 2, 500, 0.1, 0, 0, -0.1, 2.25, 1, 0",
        "2, 0, 0.033, 0.98, 1, 0, 0, -1, 0, 0, -1, 0, 0, 300, 1, 2, 500, 0, 0.5, 0, 5.3, 0.00, 0, 0",
        "3, 0, 0.067, 0.02, 0" + ", 0" * 19,
        "4, 0, 0.100, 0.02, 0" + ", 0" * 17 + ", -nan(ind), 0",
    ]
    path.write_text("\n".join([head, *lines, ""]))
    (record,) = formats.for_reading(path).read(path)
    by = {track.space.id: track for track in record.tracks}
    assert record.id == "video" and set(by) == {"facs-au", "head-pose", "gaze"}
    assert by["facs-au"].start.tolist() == [0, 0.033, 0.067] and by["facs-au"].note == ("", "", "no face")
    assert by["facs-au"].end[-1] == pytest.approx(0.133) and by["facs-au"].column("AU12")[0] == 2.25
    assert by["facs-au"].column("AU01").tolist()[:2] == [0, 5] and np.isnan(by["facs-au"].values[2]).all()
    assert np.isnan(by["facs-au"].column("AU28")).all()
    assert by["head-pose"].column("yaw")[1] == pytest.approx(np.degrees(-0.5))
    assert by["gaze"].column("left-yaw")[0] == pytest.approx(30, abs=0.2)
    assert by["gaze"].column("right-yaw")[1] == pytest.approx(np.degrees(0.5), abs=1e-3)


@quiet
@given(st.lists(st.floats(-80, 80), min_size=3, max_size=3), st.lists(st.floats(-60, 60), min_size=2, max_size=2))
def test_turns_are_the_same_by_either_order(pose, eyes):
    rows = np.array([pose])
    assert turning.from_openface(turning.to_openface(rows)) == pytest.approx(rows, abs=1e-5)
    assert turning.pose(turning.turn(rows)) == pytest.approx(rows, abs=1e-5)
    camera = turning.seen_from_camera(rows, np.array([eyes]))
    assert turning.seen_from_head(rows, camera) == pytest.approx(np.array([eyes]), abs=1e-5)
    straight = turning.seen_from_camera(rows, np.zeros((1, 2)))[0]
    assert straight == pytest.approx(pose[:2], abs=1e-5)


def test_the_mesh_gives_the_68_points_and_nobody_gives_one_row(tmp_path):
    path = tmp_path / "x.openface.csv"
    mesh = np.arange(1434.0)
    error = Record("bad", meta={"error": "torn, file"})
    formats.by_path(path).write([faces.clip((faces.track("face-mesh-478", [mesh], [0], [0]),)), error], path)
    table = pd.read_csv(path)
    assert table["x_30"][0] == 3 * 4 and table["y_30"][0] == 3 * 4 + 1
    assert table["success"].tolist() == [1, 0] and table["note"][1] == "error: torn, file"
    one, two = formats.by_path(path).read(path)
    assert one.tracks[0].space.id == "face-points-68" and (one.tracks[0].start, one.tracks[0].end) == (0, 0)
    assert two == error
    formats.by_path(path).write([], path)
    assert list(formats.by_path(path).read(path)) == [] and path.read_text().startswith("frame,face_id,")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "first line"),
        ("a,b\n1,2\n", "first line"),
        ("frame,success\n1,yes\n", "line 2 of x.openface.csv"),
        ("frame,success\n1,1,1\n", "3 cells"),
        ("frame,success\n\x00\n", "line 2"),
    ],
)
def test_hostile_tables_are_refused(tmp_path, text, why):
    path = tmp_path / "x.openface.csv"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=why):
        list(openface.read(path))
    with pytest.raises(UnreadableError, match="nowhere"):
        list(openface.read(tmp_path / "nowhere.openface.csv"))
