"""Corpora of clips and pictures: what names and tables say, against label files made by others; and their traps."""

import csv
import math
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Image
from affetto.datasets import crema_d, emo_db, emobox, emogator, emovo, fer2013, ravdess, tess, turev_db
from affetto.datasets.clips import said_of_clip, sound, votes
from affetto.datasets.headers import header, silence

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
JOY = {"happiness": "joy", "happy": "joy"}


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.is_file():
        pytest.skip("the corpus is not here")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(id: str, folder: Path, split: str = "all", **part: str) -> list[Record]:
    return list(catalog.load(id).read(split, folder=folder, **part))


def fake(id: str, folder: Path) -> Any:
    corpus = catalog.load(id)
    corpus.faker(folder)
    return corpus


SPOKEN: list[tuple[str, Callable[[str], Any], str, str, dict[str, str], dict[str, int]]] = [
    ("ravdess", ravdess.parse, "actor", "actor", {"happy": "joy", "sad": "sadness", "angry": "anger", "fearful": "fear",
     "surprised": "surprise"}, {"neutral": 96, **dict.fromkeys(("calm", "joy", "sadness", "anger", "fear", "disgust",
     "surprise"), 192)}),
    ("emodb", emo_db.parse, "speaker", "speaker", JOY, {"anger": 127, "boredom": 81, "neutral": 79, "joy": 71,
     "fear": 69, "sadness": 62, "disgust": 46}),
    ("emovo", emovo.parse, "speaker", "speaker", JOY, dict.fromkeys(("anger", "disgust", "fear", "joy", "sadness",
     "surprise", "neutral"), 84)),
    ("tess", tess.parse, "speaker", "speaker", {"happy": "joy", "sad": "sadness", "angry": "anger", "ps": "surprise",
     "pleasant_surprise": "surprise"}, dict.fromkeys(("anger", "disgust", "fear", "joy", "sadness", "surprise",
     "neutral"), 400)),
    ("turev-db", turev_db.parse, "speaker", "speaker", {"happy": "joy", "sad": "sadness", "angry": "anger"},
     {"anger": 487, "sadness": 483, "calm": 408, "joy": 357}),
]  # fmt: skip


@pytest.mark.corpus
@pytest.mark.parametrize(("folder", "parse", "field", "column", "same", "official"), SPOKEN, ids=[s[0] for s in SPOKEN])
def test_names_say_what_the_label_file_says(
    folder: str, parse: Callable[[str], Any], field: str, column: str, same: dict[str, str], official: dict[str, int]
) -> None:
    tally: Counter[str] = Counter()
    for row in rows(f"speech/{folder}/labels.csv"):
        name = parse(Path(row["file"]).stem)
        assert name.emotion == same.get(row["emotion"], row["emotion"]), row
        assert getattr(name, field).lstrip("0") == row[column].lstrip("0"), row
        tally[name.emotion] += 1
        if folder == "ravdess":
            assert (name.intensity, name.statement, name.gender) == (row["intensity"], row["statement"], row["gender"])
        if folder == "turev-db":
            assert turev_db.EMOTIONS[turev_db.FOLDERS[row["file"].split("/")[0]]] == name.emotion
        if folder == "emovo":
            assert {"f": "female", "m": "male"}[name.speaker[0]] == row["gender"] and name.sentence == row["sentence"]
        if folder == "tess":
            assert tess.AGES[name.speaker] == int(row["age"]) and name.word == row["word"].lower()
        if folder == "emodb":
            assert name.speaker in emo_db.ACTORS and name.text == row["text"]
    assert tally == official


@pytest.mark.corpus
def test_bursts_are_numbered_as_their_categories() -> None:
    names = catalog.load("emogator-30").names
    tally: Counter[str] = Counter()
    for row in rows("speech/emogator/labels.csv"):
        name = emogator.parse(Path(row["file"]).stem)
        assert names[name.category - 1] == row["category"].lower() and name.contributor == row["contributor"]
        tally[row["category"]] += 1
    assert len(tally) == 30 and set(tally.values()) == {179}


@pytest.mark.corpus
def test_majorities_of_crema_d_are_the_published_ones(tmp_path: Path) -> None:
    path = DATA / "speech" / "crema-d-labels" / "crema-d-labels.tar.xz"
    if not path.is_file():
        pytest.skip("the corpus is not here")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    with (tmp_path / "processedResults" / "summaryTable.csv").open(encoding="utf-8", newline="") as file:
        summary = {row["FileName"]: row for row in csv.DictReader(file)}
    columns = {"voice": "VoiceVote", "face": "FaceVote", "fused": "MultiModalVote"}
    letters = {"A": "anger", "D": "disgust", "F": "fear", "H": "joy", "N": "neutral", "S": "sadness"}
    for record in read("crema-d-votes", path.parent):
        for track in record.tracks:
            top = {track.space.names[i] for i in np.flatnonzero(track.values[0] == track.values[0].max())}
            said = summary[record.id][columns[track.channel]]
            assert top == {letters[letter] for letter in said.split(":")}, record.id
            assert track.perspective == "perceived" and "surprise" not in top
    intended = Counter(crema_d.parse(id).emotion for id in summary)
    assert intended == {**dict.fromkeys(("anger", "disgust", "fear", "joy", "sadness"), 1271), "neutral": 1087}


@pytest.mark.corpus
def test_the_votes_of_fer_plus_are_those_of_the_label_file(tmp_path: Path) -> None:
    labels = rows("face/fer2013/labels.csv")
    words = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]
    with (tmp_path / "fer2013new.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Usage", "Image name", *words])
        for row in labels:
            table.writerow([row["usage"], "", *(row[f"ferplus_{word}"] for word in words)])
    corpus = catalog.load("ferplus")
    assert [sum(row["usage"] == usage for row in labels) for usage in fer2013.USAGES.values()] == [
        corpus.card.facts["splits"][split]["records"] for split in fer2013.USAGES
    ]
    same_word = {**JOY, "angry": "anger", "sad": "sadness"}
    named = [same_word.get(row["emotion_name"], row["emotion_name"]) for row in labels]
    assert named == [fer2013.EMOTIONS[int(row["emotion"])] for row in labels]
    same = total = 0
    for record in corpus.read("test", folder=tmp_path):
        counts = [int(labels[int(record.id)][f"ferplus_{word}"]) for word in words[:8]]
        assert int(np.nansum(record.tracks[0].values[0]) + 0.5) == bool(sum(counts))
        top = record.tracks[0].top()
        total += top is not None
        same += top is not None and top.name == fer2013.EMOTIONS[int(labels[int(record.id)]["emotion"])]
    assert 0.6 < same / total < 0.85


@pytest.mark.corpus
def test_oasis_says_how_pictures_feel() -> None:
    path = DATA / "image" / "oasis"
    if not path.is_dir():
        pytest.skip("the corpus is not here")
    records = read("oasis", path)
    valence = {record.meta["theme"]: record.tracks[0].column("valence")[0] for record in records}
    assert min(valence.values()) < -0.9 and valence["Beach 1"] > 0.7 and valence["Bloody knife 1"] < -0.6
    assert len({record.meta["group"] for record in records}) < 400
    assert all(record.tracks[0].perspective == "evoked" for record in records)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("part", "parse", "n"),
    [("ravdess", ravdess.parse, 24), ("emodb", emo_db.parse, 10), ("tess", tess.parse, 2), ("emovo", emovo.parse, 6),
     ("turevdb", turev_db.parse, 6), ("cremad", crema_d.parse, 91)],
)  # fmt: skip
def test_emobox_and_the_names_agree(part: str, parse: Callable[[str], Any], n: int) -> None:
    if not (DATA / "speech" / "emobox-splits").is_dir():
        pytest.skip("the corpus is not here")
    speakers = set()
    for record in read("emobox", DATA / "speech" / "emobox-splits", part=part):
        top = record.tracks[0].top()
        assert top is not None and top.name == parse(Path(record.id).stem).emotion
        speakers.add(record.meta["speaker"])
    assert len(speakers) == n


def test_every_code_of_emobox_is_known() -> None:
    assert [emobox.word("emovo", code) for code in ("dis", "gio", "neu", "pau", "rab", "sor", "tri")] == [
        "disgust", "joy", "neutral", "fear", "anger", "surprise", "sadness"
    ]  # fmt: skip
    assert emobox.word("oreau", "C") == "anger" and emobox.word("urdu", "S") == emobox.word("savee", "sa") == "sadness"
    assert emobox.word("ased", "S") is emobox.word("asvpesd", "17") is emobox.word("polish", "s") is None
    with pytest.raises(KeyError):
        emobox.word("emovo", "xyz")


def test_emobox_keeps_folds_and_tells_namesakes_apart(tmp_path: Path) -> None:
    fake("emobox", tmp_path)
    first, second = read("emobox", tmp_path, part="casia")
    assert (first.id, second.id) == ("201.wav", "201.wav#2")
    assert first.meta["folds"] == {"1": "train", "3": "test"} and first.meta["fold"] == "3"
    (whole,) = read("emobox", tmp_path, part="tess")
    assert whole.meta["speaker"] == "OAF"


@pytest.mark.parametrize(
    ("parse", "name"),
    [(ravdess.parse, "03-02-06-01-02-01-12"), (ravdess.parse, ""), (emo_db.parse, "03a01Xa"), (tess.parse, "OAF_back"),
     (emovo.parse, "xyz-f1-b1"), (turev_db.parse, "1157_xx_acik"), (emogator.parse, "000001-31-1"),
     (emogator.parse, "000001-00-1"), (crema_d.parse, "1001_XXX_ANG_XX")],
)  # fmt: skip
def test_a_strange_name_is_refused(parse: Callable[[str], Any], name: str) -> None:
    with pytest.raises(ValueError, match="no name of a clip"):
        parse(name)


def test_headers_say_rate_channels_and_length(tmp_path: Path) -> None:
    silence(tmp_path / "a" / "b.wav", 0.5, 24414)
    facts = header(tmp_path / "a" / "b.wav")
    assert (facts.rate, facts.channels) == (24414, 1) and facts.duration == pytest.approx(0.5, abs=1e-4)
    assert sound(tmp_path, "a/b.wav", 24414).rate == 16000
    absent = sound(tmp_path, "a/none.wav", 16000, 2.0)
    assert (absent.rate, absent.duration, absent.open) == (16000, 2.0, None)


def test_a_cut_wave_file_is_as_long_as_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    silence(path, 1.0, 8000)
    path.write_bytes(path.read_bytes()[: 44 + 8000])
    assert header(path).duration == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "head"),
    [("a.wav", b""), ("a.wav", b"RIFF\0\0\0\0WAVE"), ("a.wav", b"RIFF\0\0\0\0WAVEdata\1\0\0\0x"), ("a.mp3", b""),
     ("a.mp3", b"\xff\xfe\0 no"), ("a.mp3", b"ID3\4\0\0\x7f\x7f\x7f\x7f"), ("a.mp3", b"<html>")],
)  # fmt: skip
def test_a_broken_header_is_one_sentence(tmp_path: Path, name: str, head: bytes) -> None:
    (tmp_path / name).write_bytes(head)
    with pytest.raises(UnreadableError, match="does not begin as"):
        header(tmp_path / name)


def test_an_mp3_behind_a_long_tag_is_found(tmp_path: Path) -> None:
    size = 100_000
    tag = b"ID3\4\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
    (tmp_path / "a.mp3").write_bytes(tag + b"\xff\xfb\x50\x04")
    facts = header(tmp_path / "a.mp3")
    assert (facts.rate, facts.channels) == (44100, 2) and math.isnan(facts.duration)


def test_nothing_said_is_said_of_nothing() -> None:
    assert votes([0, 0]) is None
    track = said_of_clip(catalog.load("ekman-7"), None)
    assert track.top() is None and track.end[0] == 0


def test_a_turn_of_iemocap_keeps_every_rater(tmp_path: Path) -> None:
    fake("iemocap", tmp_path)
    first, second = read("iemocap", tmp_path)[:2]
    said = {(track.source, track.space.id): track for track in first.tracks}
    assert first.tracks[0].top().name == "excitement" and first.meta["fold"] == "1"  # type: ignore[union-attr]
    shared = said["rater:C-E2", "iemocap-9"]
    assert shared.column("joy")[0] == shared.column("excitement")[0] == 0.5
    other = said["rater:C-E4", "iemocap-9"]
    assert other.top() is None and other.note == ("other; laughing, it's too much",)
    assert said["rater:C-E3", "iemocap-9"].top().name == "neutral"  # type: ignore[union-attr]
    valence, arousal, dominance = said["rater:A-E3", "vad"].values[0]
    assert (valence, arousal) == (0, 0.5) and math.isnan(dominance)
    assert said["raters", "vad"].values[0].tolist() == [0.25, 0.5, 1.0]
    assert first.meta["speaker"] == "Ses01F" and second.meta["speaker"] == "Ses01M"
    assert first.people["speaker"]["gender"] == "female" and first.text == "Excuse me, caf\u00e9?"
    assert second.tracks[0].top() is None and second.tracks[0].note == ("xxx",)
    assert first.tracks[0].end[0] == pytest.approx(8.2357 - 6.2901)


def test_affectnet_says_where_the_face_is_and_what_was_not_said(tmp_path: Path) -> None:
    fake("affectnet", tmp_path)
    happy, scorn, none = read("affectnet", tmp_path, "dev")
    assert happy.tracks[0].box is not None and happy.tracks[0].box[0].tolist() == [0, 12, 100, 113]
    assert scorn.tracks[0].top().name == "contempt"  # type: ignore[union-attr]
    assert none.tracks[0].note == ("no face",) and np.isnan(none.tracks[1].values).all()


def test_raf_compounds_are_two_emotions(tmp_path: Path) -> None:
    fake("raf-db", tmp_path)
    pairs = {tuple(record.tracks[0].values[0]) for record in read("raf-db", tmp_path, "test", part="compound")}
    assert len(pairs) == 11 and {sum(pair) for pair in pairs} == {2.0}
    basic = read("raf-db", tmp_path, "train", part="basic")
    assert [record.tracks[0].top().name for record in basic] == [  # type: ignore[union-attr]
        "surprise", "fear", "disgust", "joy", "sadness", "anger", "neutral",
    ]  # fmt: skip


def test_folds_are_disjoint_and_whole(tmp_path: Path) -> None:
    for id in ("dfew", "mafw"):
        (tmp_path / id).mkdir()
        fake(id, tmp_path / id)
        records = read(id, tmp_path / id)
        assert len({record.id for record in records}) == len(records)
        assert {record.meta["fold"] for record in records} == {"1", "2", "3", "4", "5"}


def test_twins_and_blanks_of_fer2013_are_marked(tmp_path: Path) -> None:
    fake("fer2013", tmp_path)
    train, dev, test = (read("fer2013", tmp_path, split) for split in ("train", "dev", "test"))
    assert [record.meta.get("duplicate_of") for record in train + dev + test] == ["test"] * 6 + [None] * 3
    assert [bool(record.meta.get("blank")) for record in train] == [True, True, False]
    image = train[2].signals[0]
    assert isinstance(image, Image) and image.pixels[47, 47].tolist() == [255] * 3 and image.pixels[47, 46, 0] == 0
    assert [record.id for record in test] == ["6", "7", "8"]


def test_fer_plus_says_nothing_where_nobody_saw_a_face(tmp_path: Path) -> None:
    fake("ferplus", tmp_path)
    first, none, mixed = read("ferplus", tmp_path, "train")
    assert first.tracks[0].column("neutral")[0] == pytest.approx(0.4)
    assert none.tracks[0].top() is None and none.meta["no_face"] == 10
    assert mixed.tracks[0].column("contempt")[0] == pytest.approx(0.25) and mixed.meta["unknown"] == 2


def test_emotiontalk_judges_four_ways_and_splits_by_group(tmp_path: Path) -> None:
    fake("emotiontalk", tmp_path)
    for split, groups in (("train", {"G00002"}), ("dev", {"G00001"}), ("test", {"G00003", "G00015"})):
        records = read("emotiontalk", tmp_path, split)
        assert {record.meta["group"] for record in records} == groups
    assert [track.channel for track in records[0].tracks[::4]] == ["fused", "text", "voice", "face"]
    assert [track.source for track in records[0].tracks[:4]] == ["raters", "rater:1", "rater:2", "rater:3"]
    assert records[0].tracks[2].top().name == "surprise"  # type: ignore[union-attr]


def test_what_moves_is_a_track_over_time(tmp_path: Path) -> None:
    (tmp_path / "sewa").mkdir()
    (tmp_path / "omg").mkdir()
    fake("sewa", tmp_path / "sewa")
    (first, *_) = read("sewa", tmp_path / "sewa", "dev")
    assert first.tracks[0].start.tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert first.tracks[0].values[0].tolist() == pytest.approx([0.2, -0.1])
    fake("omg-empathy", tmp_path / "omg")
    record = read("omg-empathy", tmp_path / "omg", "train", part="10")[1]
    track = record.tracks[0]
    assert (record.id, track.perspective, record.meta["speaker"]) == ("Subject_10_Story_4", "felt", "10")
    assert track.end.tolist() == pytest.approx([0.04, 0.08, 0.12]) and np.isnan(track.column("arousal")).all()


def test_a_speaker_that_nobody_named_is_no_group(tmp_path: Path) -> None:
    fake("msp-podcast", tmp_path)
    known, unknown, scorn = read("msp-podcast", tmp_path, "test2")
    assert known.meta["speaker"] == "4" and "speaker" not in unknown.meta and not unknown.people
    assert unknown.tracks[0].note == ("X",) and scorn.tracks[0].top().name == "contempt"  # type: ignore[union-attr]
    valence, arousal, dominance = known.tracks[1].values[0]
    assert (valence, arousal, dominance) == pytest.approx((1, -2 / 3, 0))


def _clips(folder: Path) -> Iterator[Record]:
    for id in ("ravdess", "emo-db", "tess", "emovo", "turev-db", "emogator"):
        (folder / id).mkdir()
        fake(id, folder / id)
        yield from read(id, folder / id)


def test_clips_know_speaker_rate_and_file(tmp_path: Path) -> None:
    for record in _clips(tmp_path):
        audio = record.signals[0]
        assert isinstance(audio, Audio) and audio.rate > 0 and audio.path.endswith(record.meta["file"])
        assert record.meta["speaker"] == record.people["speaker"]["group"]
        assert record.tracks[0].source == "intended" and record.tracks[0].channel == "voice"
        assert math.isnan(audio.duration) or record.tracks[0].end[0] == audio.duration
