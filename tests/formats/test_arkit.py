"""Live Link Face curves: read by a parser that knows nothing of ours, and what the app wrote read by us."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto import formats
from affetto.core.errors import MalformedError, UnreadableError
from affetto.formats import arkit
from affetto.formats.finding import find_space
from tests import face_tracks as faces

HEADER = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,"
    "HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)
"""As the app writes it and three public importers expect it."""
IDS = ("head-pose", "gaze", "arkit-52")
NAMES = find_space("arkit-52").names
quiet = settings(max_examples=12, deadline=None)


def importer(path):
    """Read a file as importers do: by the layout's words alone."""
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == HEADER
    rows = []
    for line in lines[1:]:
        cells = line.split(",")
        assert len(cells) == 63
        hours, minutes, seconds, frames = cells[0].split(":")
        assert [len(part) for part in (hours, minutes, seconds)] == [2, 2, 2] and len(frames) == 6
        second = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(frames) / 60
        rows.append((second, int(cells[1]), dict(zip(lines[0].split(",")[2:], map(float, cells[2:]), strict=True))))
    return rows


def shapes(**values):
    return [values.get(name, 0.0) for name in NAMES]


@quiet
@given(st.data())
def test_faces_come_back_and_importers_read_them(tmp_path_factory, data):
    person = data.draw(faces.persons(IDS))
    path = tmp_path_factory.mktemp("a") / "clip.livelink.csv"
    formats.by_path(path).write([faces.clip(person)], path)
    (back,) = formats.by_path(path).read(path)
    assert [track.space.id for track in back.tracks] == list(IDS)
    for old, new in zip(person, back.tracks, strict=True):
        if old.confidence is not None:
            assert new.confidence is None
        faces.agree(type(old)(**{**vars(old), "confidence": None}), new, box=False)
    rows = importer(path)
    curves = next(track for track in person if track.space.id == "arkit-52")
    at = {round(second, 3): (count, said) for second, count, said in rows}
    for i, start in enumerate(curves.start):
        count, said = at[round(start, 3)]
        assert count == (0 if np.isnan(curves.values[i]).all() else 61)
        wanted = np.nan_to_num(curves.values[i])
        assert [said[name[0].upper() + name[1:]] for name in NAMES] == pytest.approx(wanted, abs=1e-6)


def test_signs_units_and_what_is_not_said(tmp_path):
    path = tmp_path / "x.livelink.csv"
    curves = shapes(jawOpen=0.5)
    curves[NAMES.index("tongueOut")] = np.nan
    person = (
        faces.track("arkit-52", [curves], [0.5], [0.7]),
        faces.track("head-pose", [[30, 10, 5]], [0.5], [0.7]),
        faces.track("gaze", [[20, -10, 15, -10]], [0.5], [0.7]),
    )
    formats.by_path(path).write([faces.clip(person, ())], path)
    (nobody, none, _), (second, count, said) = importer(path)
    assert (nobody, none, second, count) == (0, 0, 0.5, 61)
    assert (said["JawOpen"], said["TongueOut"], said["LeftEyeRoll"]) == (0.5, 0, 0)
    angles = [said[name] for name in ("HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "RightEyeYaw")]
    assert np.degrees(angles) == pytest.approx([-30, 10, -5, -20, -10, -15])


def test_what_the_app_wrote_by_name_in_any_case_and_order(tmp_path):
    path = tmp_path / "MySlate_1.csv"
    names = HEADER.split(",")
    mixed = [names[0], names[1], *(n for n in names[2:] if "Right" in n), *(n for n in names[2:] if "Right" not in n)]
    said = {"EyeLookOutLeft": 0.45, "EyeLookInRight": 0.55, "LeftEyeYaw": -0.334, "RightEyeYaw": -0.274}
    lines = [",".join(name[0].lower() + name[1:] for name in mixed)]
    for code, count in (("23:59:59:43.245", 61), ("23:59:59:45.245", 0), ("00:00:00:00.000", 61)):
        lines.append(",".join([code, str(count), *(str(said.get(name, 0) if count else 9) for name in mixed[2:])]))
    lines.append("00:00:00:02.000,0")
    path.write_text("\n".join(lines) + "\n")
    (record,) = formats.for_reading(path).read(path)
    eyes, curves = record.tracks
    assert (record.id, record.meta, eyes.subject) == ("MySlate_1", {"timecode": "23:59:59:43.245"}, "person-1")
    assert curves.start == pytest.approx([0, 2 / 60, 16.755 / 60, 18.755 / 60], abs=1e-5)
    assert curves.note == ("", "no face", "", "no face") and curves.column("eyeLookOutLeft")[0] == pytest.approx(0.45)
    assert eyes.values[0] == pytest.approx(np.degrees([0.334, 0, 0.274, 0]), abs=1e-4)
    (half,) = arkit.read(path, rate=120)
    assert half.tracks[0].start[1] == pytest.approx(1 / 60, abs=1e-5)


def test_one_person_of_one_recording(tmp_path):
    path = tmp_path / "x.livelink.csv"
    short = (faces.track("arkit-52", [shapes(jawOpen=1)], [0], [0.2], "person-1"),)
    long = (faces.track("arkit-52", [shapes(jawOpen=0.25)] * 2, [0, 0.2], [0.2, 0.4], "person-2"),)
    formats.by_path(path).write([faces.clip(short, long)], path)
    assert [said["JawOpen"] for _, _, said in importer(path)] == [0.25, 0.25]
    with pytest.raises(MalformedError, match="each to a file of its own"):
        formats.by_path(path).write([faces.clip(short), faces.clip(long, id="two")], path)
    assert len(importer(path)) == 2
    formats.by_path(path).write([], path)
    (empty,) = formats.by_path(path).read(path)
    assert importer(path) == [] and not empty.tracks


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0,61", "Timecode HH:MM"),
        ("00:00:00:75.000,61", "rate="),
        ("00:00:00:00.0,x", "line 2 of"),
        (",61", "Timecode"),
    ],
)
def test_hostile_lines_are_refused(tmp_path, line, why):
    path = tmp_path / "x.livelink.csv"
    path.write_text(f"{HEADER}\n{line}\n")
    with pytest.raises(UnreadableError, match=why):
        list(arkit.read(path))
    path.write_text("BlendShapeCount,JawOpen\n61,1\n")
    with pytest.raises(UnreadableError, match="no column Timecode"):
        list(arkit.read(path))


def test_the_longer_suffix_counts_and_tables_are_known_by_their_header(tmp_path):
    assert formats.suffix("a.b.LiveLink.CSV") == ".livelink.csv" and formats.suffix("livelink.csv") == ".csv"
    assert formats.by_path("x.csv").__name__.endswith(".csv")
    plain = tmp_path / "x.csv"
    plain.write_text("id,text\n1,hello\n")
    assert formats.for_reading(plain).__name__.endswith(".csv")
    assert formats.for_reading(tmp_path / "nowhere.csv").__name__.endswith(".csv")
    plain.write_text(HEADER + "\n")
    assert formats.for_reading(plain) is arkit
