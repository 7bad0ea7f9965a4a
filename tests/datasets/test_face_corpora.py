"""Corpora of faces: the packed layout of FER2013 and FER+, what is odd about its pictures, and composites of faces."""

import csv
import os
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.datasets import detection_composites as composites
from affetto.datasets.face_tiles import A_SHEET, SIDE, USAGES
from affetto.datasets.ferplus import majority

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
WORDS = "neutral happiness surprise sadness anger disgust fear contempt unknown NF".split()
SURE, SPLIT, NOBODY = "0,9,0,0,0,0,0,0,1,0", "5,5,0,0,0,0,0,0,0,0", "1,0,0,0,0,0,0,0,0,9"
ROWS = [
    (0, "train", 3, SURE), (1, "train", 3, SURE), (5999, "train", 6, SPLIT), (6000, "train", 3, SURE),
    (6001, "dev", 3, NOBODY), (6060, "dev", 0, SURE), (6061, "test", 3, SURE), (6062, "test", 4, SURE),
]  # fmt: skip
TWINS = [(1, 0, "train"), (6060, 0, "dev"), (6061, 0, "test"), (6000, 1, "train"), (0, 1, "train")]
"""Row, group, split."""


def shade(row: int) -> int:
    return 20 + row % 200


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Return a folder in the packed layout: each tile one grey and a dot, but for a blank one in row 6062."""
    head = ["row", "usage", "emotion", "emotion_name", *(f"ferplus_{word}" for word in WORDS)]
    lines = [f"{row},{USAGES[split]},{emotion},x,{votes}" for row, split, emotion, votes in ROWS]
    (tmp_path / "labels.csv").write_text("\n".join([",".join(head), *lines]) + "\n", "utf-8")
    twins = [f"{row},{group},{USAGES[split]}" for row, group, split in TWINS]
    (tmp_path / "duplicates.csv").write_text("\n".join(["row,dup_group,usage", *twins]) + "\n", "utf-8")
    for sheet, tall in ((0, 100), (1, 2)):
        grey = np.zeros((tall * SIDE, 60 * SIDE), np.uint8)
        for row, *_ in ROWS:
            if row // A_SHEET == sheet:
                top, left = row % A_SHEET // 60 * SIDE, row % 60 * SIDE
                grey[top : top + SIDE, left : left + SIDE] = shade(row)
                if row != 6062:
                    grey[top : top + 8, left : left + 8] = 255
        cv2.imwrite(str(tmp_path / f"tiles_{sheet}.jpg"), grey, [cv2.IMWRITE_JPEG_QUALITY, 100])
    for k in range(2, 6):
        shutil.copy(tmp_path / "tiles_1.jpg", tmp_path / f"tiles_{k}.jpg")
    return tmp_path


def read(id: str, folder: Path, split: str) -> dict[str, Record]:
    return {record.id: record for record in catalog.load(id).read(split, folder=folder)}


def pixels(record: Record) -> np.ndarray:
    picture = record.signals[0]
    assert isinstance(picture, Image) and picture.size == (SIDE, SIDE)
    return picture.pixels


@pytest.mark.parametrize("id", ["fer2013", "ferplus"])
def test_rows_are_cut_from_their_sheets(id: str, faces: Path) -> None:
    for split in USAGES:
        records = read(id, faces, split)
        assert list(records) == [str(row) for row, own, *_ in ROWS if own == split]
        for record in records.values():
            seen = pixels(record)
            assert seen.shape == (SIDE, SIDE, 3) and abs(int(seen[40, 40, 0]) - shade(int(record.id))) <= 2
            assert (seen[4, 4].min() > 240) == (record.id != "6062")


@pytest.mark.parametrize("id", ["fer2013", "ferplus"])
def test_twins_name_the_later_split_and_whether_training_saw_them(id: str, faces: Path) -> None:
    records = {row: r for split in USAGES for row, r in read(id, faces, split).items()}
    assert {row: r.meta.get("duplicate_of") for row, r in records.items() if "duplicate_of" in r.meta} == {
        "1": "test",
        "6060": "test",
    }
    assert {row for row, r in records.items() if r.meta.get("seen_in") == "train"} == {"6060", "6061"}
    assert [row for row, r in records.items() if r.meta.get("blank")] == ["6062"]


def test_labels_and_votes_are_those_of_the_table(faces: Path) -> None:
    assert read("fer2013", faces, "train")["0"].tracks[0].top().name == "joy"
    train = read("ferplus", faces, "train")
    assert train["0"].tracks[0].column("joy")[0] == pytest.approx(1) and train["0"].meta["unknown"] == 1
    assert [row for row, record in train.items() if record.meta.get("no_majority")] == ["5999"]
    nobody = read("ferplus", faces, "dev")["6001"]
    assert nobody.meta["no_face"] == 9 and nobody.meta["no_majority"] and nobody.tracks[0].top().name == "neutral"


def test_a_broken_or_short_sheet_is_named(faces: Path) -> None:
    corpus = catalog.load("ferplus")
    cv2.imwrite(str(faces / "tiles_1.jpg"), np.zeros((SIDE, 60 * SIDE), np.uint8))
    with pytest.raises(UnreadableError, match=r"tiles_1\.jpg ends before its tile 60"):
        list(corpus.read("dev", folder=faces))
    (faces / "tiles_1.jpg").write_bytes(b"no picture")
    with pytest.raises(UnreadableError, match=r"tiles_1\.jpg is no picture"):
        list(corpus.read("dev", folder=faces))
    (faces / "tiles_5.jpg").unlink()
    assert {(odd.kind, odd.file) for odd in corpus.check(faces) if odd.kind == "missing"} == {
        ("missing", "tiles_5.jpg")
    }


@given(st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_a_majority_is_more_than_half_of_what_is_no_single_vote(counts: list[int]) -> None:
    won, kept = majority(counts), [count for count in counts if count > 1]
    if won >= 0:
        assert won < 8 and counts[won] > 1 and 2 * counts[won] > sum(kept)
        assert counts[won] == max(counts) and counts.count(counts[won]) == 1
    else:
        assert not any(2 * count > sum(kept) for count in counts[:8] if count > 1)


@pytest.mark.corpus
def test_the_majority_protocol_keeps_the_pictures_of_the_paper() -> None:
    folder = DATA / "face" / "fer2013"
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    test = read("ferplus", folder, "test")
    kept = [record for record in test.values() if "no_majority" not in record.meta]
    assert len(test) == 3589 and len(kept) == 3153
    assert sum("seen_in" in record.meta for record in test.values()) == 288
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    for record in kept[::7]:
        best = max(WORDS[:8], key=lambda word: int(table[int(record.id)][f"ferplus_{word}"]))
        assert record.tracks[0].top().name == {"happiness": "joy"}.get(best, best)
    assert pixels(kept[0]).std() > 10


@pytest.fixture
def pasted(tmp_path: Path) -> Path:
    catalog.load("detection-composites").faker(tmp_path)
    return tmp_path


def test_composites_are_the_same_again_and_say_where_their_faces_are(pasted: Path) -> None:
    first, second = read("detection-composites", pasted, "test"), read("detection-composites", pasted, "test")
    assert list(first) == list(second) and len(first) == composites.PICTURES["test"]
    for id in list(first)[1:12]:
        picture, again = (one[id].signals[0].pixels for one in (first, second))
        assert np.array_equal(picture, again) and picture.shape == (composites.HEIGHT, composites.WIDTH, 3)
        changed = np.abs(picture.astype(int) - np.median(picture, (0, 1))).max(2) > 25
        for track in first[id].tracks:
            left, top, right, bottom = track.box[0].astype(int)
            assert right - left == bottom - top and min(left, top) >= 0
            assert right <= composites.WIDTH and bottom <= composites.HEIGHT
            changed[top:bottom, left:right] = False
        assert not changed.any(), id


def test_composites_have_all_kinds_of_faces_and_a_third_without(pasted: Path) -> None:
    records = list(read("detection-composites", pasted, "test").values())
    assert all(len(record.tracks) == len(record.meta["faces"]) for record in records)
    counts = Counter(kind for record in records for face in record.meta["faces"] for kind in face.items())
    assert min(counts.values()) > 40 and {look for what, look in counts if what == "look"} == set(composites.LOOKS)
    assert sum(not record.tracks for record in records) == len(records) / 3
    sides = [track.box[0][2] - track.box[0][0] for record in records for track in record.tracks]
    assert min(sides) >= composites.SMALLEST and max(sides) <= composites.LARGEST
    for record in records:
        for a in record.tracks:
            for b in record.tracks:
                apart = (a.box[0][:2] >= b.box[0][2:]).any() or (b.box[0][:2] >= a.box[0][2:]).any()
                assert a is b or apart


def test_a_broken_photograph_is_named_when_it_is_looked_at(pasted: Path) -> None:
    import zipfile

    with zipfile.ZipFile(pasted / "image" / "oasis" / "oasis_256.zip") as pack:
        names = pack.namelist()
    with zipfile.ZipFile(pasted / "image" / "oasis" / "oasis_256.zip", "w") as pack:
        for name in names:
            pack.writestr(name, b"no picture")
    record = next(iter(catalog.load("detection-composites").read("dev", folder=pasted)))
    with pytest.raises(UnreadableError, match=r"I\d+\.png in oasis_256\.zip is no picture"):
        _ = record.signals[0].pixels


def test_drawn_heads_lie_where_they_say_and_are_the_same_again(pasted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setitem(composites.PICTURES, "test-drawn", 36)
    monkeypatch.setattr(composites, "LARGEST", 90)
    first, second = (read("detection-composites", pasted, "test-drawn") for _ in range(2))
    assert next(iter(first)) == "test-drawn-0000" and sum(not record.tracks for record in first.values()) == 12
    for record in first.values():
        assert len(record.tracks) == len(record.meta["faces"])
        for track, kinds in zip(record.tracks, record.meta["faces"], strict=True):
            left, top, right, bottom = track.box[0]
            assert left >= 0 and top >= 0 and right <= composites.WIDTH and bottom <= composites.HEIGHT
            low, high = map(int, kinds["size"].split("-"))
            assert low <= max(right - left, bottom - top) < high + 1
            look, _, amount = kinds["look"].partition("-")
            yaw, pitch, roll = track.values[0]
            assert abs(roll) == (float(amount) if look == "turned" else 0)
            assert kinds["view"] == ("front" if max(abs(yaw), abs(pitch)) < 25 else "aside")
    for id in list(first)[:5]:
        picture, again = (one[id].signals[0].pixels for one in (first, second))
        assert np.array_equal(picture, again) and picture.shape == (composites.HEIGHT, composites.WIDTH, 3)
        changed = np.abs(picture.astype(int) - np.median(picture, (0, 1))).max(2) > 25
        boxes = [track.box[0].round().astype(int) for track in first[id].tracks]
        dark = any(face["light"] == "dark" for face in first[id].meta["faces"])
        assert dark or changed.any() == bool(boxes)
        assert dark or all(changed[top:bottom, left:right].mean() > 0.1 for left, top, right, bottom in boxes)


def test_each_source_of_faces_wants_its_own_corpus_only(pasted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in composites.PICTURES:
        monkeypatch.setitem(composites.PICTURES, split, 3)
    shutil.move(pasted / "face" / "ict-facekit-light", pasted / "elsewhere")
    assert len(read("detection-composites", pasted, "test")) == 3
    with pytest.raises(UnreadableError, match=r"lacks face/ict-facekit-light/.*needed for test-drawn; to be had at"):
        read("detection-composites", pasted, "test-drawn")
    shutil.move(pasted / "elsewhere", pasted / "face" / "ict-facekit-light")
    shutil.rmtree(pasted / "face" / "fer2013")
    assert len(read("detection-composites", pasted, "dev-drawn")) == 3
    with pytest.raises(UnreadableError, match=r"lacks face/fer2013/.*needed for dev; to be had at"):
        read("detection-composites", pasted, "dev")
    shutil.rmtree(pasted / "image")
    with pytest.raises(UnreadableError, match=r"lacks image/oasis/"):
        read("detection-composites", pasted, "test-drawn")


@pytest.mark.corpus
def test_dev_and_test_share_no_face_and_no_theme() -> None:
    if not (DATA / "image" / "oasis").is_dir() or not (DATA / "face" / "fer2013").is_dir():
        pytest.skip("the corpora are not here")
    dev, test = (read("detection-composites", DATA, split) for split in ("dev", "test"))
    photographs = [{record.meta["photograph"] for record in side.values()} for side in (dev, test)]
    assert not photographs[0] & photographs[1] and min(map(len, photographs)) > 60
    oasis = read("oasis", DATA / "image" / "oasis", "all").values()
    people = {record.id for record in oasis if record.meta["category"] == "Person"}
    assert len(people) > 300 and not any(name.partition(".")[0] in people for side in photographs for name in side)
