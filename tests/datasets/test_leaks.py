import bz2
import csv
import gzip
import json
import lzma
import os
import random
import string
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from affetto.core.errors import MalformedError, MissingExtraError, UnknownNameError, UnreadableError
from affetto.datasets import leaks, nearness
from affetto.datasets.columns import Names, Table
from affetto.datasets.leaks import check, check_folds, check_images
from affetto.datasets.naming import speakers
from affetto.datasets.sharing import numbered_anew
from affetto.datasets.splits import group_folds, write

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def needs(path):
    return pytest.mark.skipif(not (DATA / path).exists(), reason="the data folder is not here")


def put(folder, name, rows):
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows(rows)
    return path


def kinds(findings, leak=None):
    return sorted({finding.kind for finding in findings if leak is None or finding.leak == leak})


def one(findings, kind, parts=None):
    (found,) = [f for f in findings if f.kind == kind and parts in (None, f.parts)]
    return found


def posts(n, seed=0):
    """Return texts that have nothing to do with each other."""
    dice = random.Random(seed)
    return ["".join(dice.choices(string.ascii_lowercase + "    ", k=60)) for _ in range(n)]


def halves(n):
    return ["train"] * (n // 2) + ["test"] * (n - n // 2)


CLEAN = [["id", "split", "speaker", "text", "length", "emotion"]] + [
    [f"u{i}", part, f"{part}{i % 4}", text, str((i * 7) % 11), "glad" if i % 3 else "sad"]
    for i, (part, text) in enumerate(zip(halves(40), posts(40), strict=True))
]


def test_a_clean_table_has_no_finding_and_the_report_says_what_was_looked_at(tmp_path):
    report = check_folds(put(tmp_path, "clean.csv", CLEAN))
    assert report.findings == () and report.leaks == ()
    assert str(report).splitlines() == [
        "clean.csv: 40 rows",
        "split: train 20, test 20",
        "columns: part: split; id: id; text: text; speaker: speaker; label: emotion; feature: length",
        "not looked at: media: no column names the files",
        "no leak found in what was looked at",
    ]


def test_every_kind_of_leak_is_found_at_once(tmp_path):
    rows = [row[:] for row in CLEAN]
    rows[30][2] = rows[1][2]
    rows[31][0] = rows[2][0]
    rows[32][3] = rows[3][3]
    rows[33][3] = rows[4][3].upper() + "!!"
    for row in rows[1:]:
        row[4] = str(len(row[5]) + 0.01 * int(row[4]))
    report = check_folds(put(tmp_path, "leaky.csv", rows))
    assert kinds(report.leaks) == ["feature", "group", "id", "near text", "text"]
    assert one(report.leaks, "group").words == "1 of 8 speakers is in train and in test"
    assert one(report.leaks, "id").examples == ("u1",)
    assert "'length' alone tells 'emotion' (rank-biserial correlation" in one(report.leaks, "feature").words
    assert str(report).endswith("5 leaks found") and str(report).count("\nLEAK  ") == 5


def test_what_split_writes_is_read(tmp_path):
    write(group_folds([f"a{i}" for i in range(9)], list("abcabcabc"), 3), tmp_path / "folds.csv")
    report = check_folds(tmp_path / "folds.csv")
    assert report.findings == () and report.sizes == {"part": {"0": 3, "1": 3, "2": 3}}


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abcdefghij"), min_size=10, max_size=40), st.integers(0, 9))
def test_folds_made_here_have_no_shared_group(groups, seed):
    if len(set(groups)) < 2:
        return
    ids = [f"i{i}" for i in range(len(groups))]
    parts = group_folds(ids, groups, 2, seed).of(ids)
    table = Table({"fold": parts}, tuple(ids), {"speaker": tuple(groups)})
    assert check(table) == []
    torn = ("0", *("1" * (len(ids) - 1)))
    shared = groups[0] in groups[1:]
    assert kinds(check(Table({"fold": torn}, tuple(ids), {"speaker": tuple(groups)}))) == (["group"] if shared else [])


def test_folds_are_each_held_against_the_rest(tmp_path):
    rows = [["fold", "Speaker_ID"], *[[str(i % 3), f"s{i % 3}"] for i in range(12)], ["2", "s0"]]
    found = one(check_folds(put(tmp_path, "folds.csv", rows)).leaks, "group")
    assert found.words == "1 of 3 speakers is in more than one fold" and found.examples == ("s0",)


def test_every_fold_column_is_a_split_and_is_told_once(tmp_path):
    rows = [["fold1", "fold2", "actor"]] + [[("train", "test")[i % 2], "train" if i else "test", "x"] for i in range(8)]
    found = one(check_folds(put(tmp_path, "folds.tsv", rows)).leaks, "group")
    assert found.splits == ("fold1", "fold2") and found.words == "the only speaker is in train and in test"


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("Dialogue_ID", "dialogue"), ("participant", "subject"), ("Movie", "film"), ("singer name", "artist"),
        ("spk_id", "speaker"), ("SESSION", "session"), ("video_id", "video"), ("conv-id", "dialogue"),
    ],
)  # fmt: skip
def test_groups_are_known_by_the_names_they_have_in_the_field(tmp_path, column, kind):
    rows = [["usage", column], ["Training", "one"], ["Validation", "one"], ["Testing", "two"]]
    found = one(check_folds(put(tmp_path, "table.csv", rows)).leaks, "group")
    assert (found.column, found.parts, found.count) == (kind, ("train", "dev"), 1)


def test_a_dialogue_may_be_a_name_or_the_text_itself(tmp_path):
    texts = [text * 2 for text in posts(19)]
    rows = [["split", "dialog"], *zip(["train"] * 10 + ["test"] * 10, [*texts, texts[0]], strict=True)]
    report = check_folds(put(tmp_path, "table.csv", rows))
    assert report.columns["dialog"] == "text" and kinds(report.leaks) == ["text"]


def test_a_culture_on_both_sides_is_worth_knowing_and_no_leak(tmp_path):
    rows = [["set", "country"], ["train", "it"], ["test", "it"], ["test", "fi"]]
    found = one(check_folds(put(tmp_path, "table.csv", rows)).findings, "group")
    assert not found.leak and str(found) == "note  1 of 2 cultures is in train and in test: it"


def test_groups_of_two_corpora_are_different(tmp_path):
    rows = [["dataset", "split", "speaker"], ["a", "train", "1"], ["b", "test", "1"], ["a", "test", "2"]]
    assert check_folds(put(tmp_path, "two.csv", rows)).findings == ()
    rows.append(["a", "train", "2"])
    assert one(check_folds(put(tmp_path, "two.csv", rows)).findings, "group").corpus == "a"


def test_names_of_columns_can_be_told(tmp_path):
    rows = [["wann", "wer", "was"], ["train", "x", "a"], ["test", "x", "b"]]
    path = put(tmp_path, "table.csv", rows)
    assert kinds(check_folds(path, names=Names(split=("wann",), groups={"speaker": "wer"})).leaks) == ["group"]
    with pytest.raises(UnreadableError, match=r"^which column of table\.csv says the part .* one of: wann, wer, was$"):
        check_folds(path)
    with pytest.raises(UnknownNameError, match=r"known: wann, was, wer"):
        check_folds(path, names=Names(split=("wo",)))


def test_several_files_are_one_table_whose_parts_their_names_say(tmp_path):
    put(tmp_path, "my_train_set.csv", [["Dialogue_ID", "speaker"], *[[str(i), "a"] for i in range(50)]])
    put(tmp_path, "dev.tsv", [["Dialogue_ID", "speaker", "more"], *[[str(i), "b", ""] for i in range(10)]])
    put(tmp_path, "test.csv", [["Dialogue_ID", "speaker"], *[[str(i), "a"] for i in range(20)]])
    (tmp_path / "readme.txt").write_text("train")
    for path in (tmp_path, sorted(tmp_path.glob("*.[ct]sv"))):
        report = check_folds(path)
        assert report.sizes["part (of the file's name)"] == {"train": 50, "dev": 10, "test": 20}
        assert one(report.leaks, "group").column == "speaker"
        assert (
            "the dialogues count from the same number on"
            in one(report.findings, "group", ("train", "dev", "test")).words
        )
    with pytest.raises(UnreadableError, match="says no part"):
        check_folds([tmp_path / "dev.tsv", tmp_path / "readme.txt"])


def test_numbers_that_begin_anew_mean_nothing_and_shared_ones_do():
    assert numbered_anew([f"dia{i}" for i in (*range(90), *range(10))], ["train"] * 90 + ["test"] * 10)
    assert not numbered_anew([*"123123"], ["train"] * 3 + ["test"] * 3)
    assert not numbered_anew(["ann", "ann"], ["train", "test"])


def test_copies_by_chance_and_by_design_are_told_apart_from_leaks():
    parts = tuple(halves(40))
    texts = posts(40)
    short = Table({"split": parts}, text=("thank you", *texts[1:-1], "Thank you."))
    found = one(check(short), "near text")
    assert not found.leak and found.examples == ('"Thank you." ~ "thank you"',)
    read = Table({"split": parts}, text=("Kids are talking by the door", "Dogs are sitting by the door") * 20)
    assert "2 different texts in 40 rows" in one(check(read), "text").words and kinds(check(read), True) == []


def test_near_texts_are_those_of_true_jaccard_and_none_is_missed():
    dice = random.Random(3)
    texts = posts(200, 5)
    changed = []
    for text in texts:
        at = dice.randrange(len(text))
        changed.append(text[:at] + "#" + text[at + 1 :])
    every = list(dict.fromkeys(map(nearness.plain, texts + [text + " oh" for text in texts] + changed)))
    true = {
        (i, j) for i in range(0, len(every), 7) for j in range(len(every))
        if i < j and nearness.jaccard(every[i], every[j]) >= nearness.JACCARD
    }  # fmt: skip
    found = set(nearness.near_texts(every))
    assert len(true) > 30 and true == {pair for pair in found if pair[0] % 7 == 0}
    kind = np.array([0] * len(every))
    assert nearness.near_texts(every, kind) == [] and set(nearness.near_texts(every, kind - 1)) == found


@settings(max_examples=20)
@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_text_can_be_held_against_any(texts):
    plain = list(dict.fromkeys(map(nearness.plain, texts)))
    for i, j in nearness.near_texts(plain):
        assert i < j and nearness.jaccard(plain[i], plain[j]) >= nearness.JACCARD


def test_plain_forgets_case_width_and_punctuation_but_no_emoji():
    assert nearness.plain("ＷＥＬＬ,  'Straße'…\n\u0000") == "well strasse"
    assert nearness.plain("?!...") == "" and nearness.plain("so 😀!") == "so 😀"


def test_thousands_of_copies_of_one_template_do_not_take_for_ever():
    texts = [f"this is message number {i} of a template that everybody has sent today" for i in range(1500)]
    parts = tuple("test" if i % 10 == 0 else "train" for i in range(1500))
    found = one(check(Table({"split": parts}, text=tuple(texts))), "near text")
    assert found.rows == 150


def faces(n, seed=0):
    """Return smooth images that have nothing to do with each other."""
    dice = np.random.default_rng(seed)
    wave = np.cos(np.pi * np.outer(np.arange(12), np.arange(48) + 0.5) / 48)
    images = wave.T @ dice.normal(size=(n, 12, 12)) @ wave
    low, high = images.min((1, 2), keepdims=True), images.max((1, 2), keepdims=True)
    return (255 * (images - low) / (high - low)).astype(np.uint8)


def test_images_in_memory_are_compared_by_pixels_and_by_eye():
    images = faces(60)
    images[40] = images[3]
    images[41] = np.clip(images[4] * 0.8 + 20, 0, 255)
    images[5] = images[42] = 7
    images[43] = 9
    found = check_images(images, ["Training"] * 30 + ["PublicTest"] * 20 + ["test"] * 10)
    same, near = one(found, "media"), one(found, "near image")
    assert (same.count, same.rows, same.parts) == (2, 2, ("train", "PublicTest"))
    assert same.examples == ("3 = 40", "5 = 42")
    assert (near.count, near.examples) == (1, ("4 = 41",))
    assert near.words == "1 image is alike to the eye in train and in PublicTest (1 of 20 rows of PublicTest)"


def test_hashes_of_images_find_all_that_differ_in_four_bits():
    dice = np.random.default_rng(2)
    words = dice.integers(1, 1 << 63, 200, dtype=np.uint64)
    others = words.copy()
    for i in range(200):
        for bit in dice.choice(64, i % 7, replace=False):
            others[i] ^= np.uint64(1) << np.uint64(bit)
    found = set(nearness.near_hashes(np.concatenate([words, others])))
    assert found == {(i, 200 + i) for i in range(200) if i % 7 <= 4}


def test_what_is_no_image_is_refused_in_a_sentence():
    for wrong in (np.zeros((2, 3, 4, 5)), np.zeros((1, 0, 4)), np.full((1, 4, 4), np.nan), np.array([["a"]])):
        with pytest.raises(MalformedError, match="image"):
            nearness.image_hashes(list(wrong) if wrong.ndim != 3 else wrong)
    with pytest.raises(MalformedError, match="one length, not 1, 2, 1"):
        check_images(np.zeros((1, 4, 4)), ["train", "test"])
    colour = np.repeat(faces(1)[0][..., None], 3, 2)
    assert nearness.image_hashes([colour]) == nearness.image_hashes(faces(1))


def test_files_are_compared_by_bytes_and_images_by_looks(tmp_path):
    image = pytest.importorskip("PIL.Image")
    media = tmp_path / "media"
    media.mkdir()
    picture = image.fromarray(faces(1)[0]).resize((200, 160))
    picture.save(media / "a.png")
    picture.save(media / "b.jpg", quality=40)
    image.fromarray(faces(1, 9)[0]).save(media / "other.png")
    (media / "c.png").write_bytes(b"no picture")
    for name in ("one.wav", "two.wav"):
        (media / name).write_bytes(b"RIFF and so on")
    (media / "three.wav").write_bytes(b"RIFF and so ON")
    rows = [["file", "split"], ["a.png", "train"], ["one.wav", "train"], ["c.png", "train"], ["gone.wav", "train"]]
    rows += [[name, "test"] for name in ("b.jpg", "two.wav", "three.wav", "other.png")]
    report = check_folds(put(tmp_path, "table.csv", rows), media)
    assert one(report.leaks, "media").examples == ("one.wav = two.wav",)
    assert one(report.leaks, "near image").examples == ("a.png = b.jpg",)
    assert "1 files of the table that are not in the folder" in report.unseen
    with pytest.raises(UnreadableError, match="no folder 'nowhere' with the media"):
        check_folds(tmp_path / "table.csv", "nowhere")


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    (tmp_path / "a.png").write_bytes(b"")
    path = put(tmp_path, "table.csv", [["image", "split"], ["a.png", "train"], ["b.png", "test"]])
    assert check_folds(path).findings == ()
    with pytest.raises(MissingExtraError, match=r"pip install 'affetto\[images\]'"):
        check_folds(path, tmp_path)


def test_files_that_are_named_on_both_sides_are_found_without_their_bytes(tmp_path):
    rows = [["path", "split"], ["x/a.wav", "train"], ["x/a.wav", "test"], ["x/b.wav", "test"]]
    found = one(check_folds(put(tmp_path, "table.csv", rows)).leaks, "media")
    assert found.words == "1 file is named in train and in test (1 of 2 rows of test)"


def features(values, label):
    return Table(
        {"split": tuple(halves(len(label)))}, features={"f": np.asarray(values, float)}, labels={"label": tuple(label)}
    )


def test_a_feature_that_is_the_label_is_found_whatever_the_label_is():
    dice = np.random.default_rng(0)
    noise = dice.normal(size=200)
    valence = [f"{value:.4f}" for value in noise]
    assert "Spearman's correlation" in one(check(features(-np.exp(noise), valence)), "feature").words
    assert check(features(noise + dice.normal(size=200), valence)) == []
    classes = [("calm", "glad", "sad")[i % 3] for i in range(200)]
    told = [float(name == "glad") + 0.1 * noise[i] for i, name in enumerate(classes)]
    assert "with 'glad' 1.000" in one(check(features(told, classes)), "feature").words
    assert check(features(noise, classes)) == []
    codes = [str(i % 3) for i in range(200)]
    assert kinds(check(features([float(code) for code in codes], codes))) == ["feature"]


def test_few_rows_rare_classes_and_gaps_prove_nothing():
    assert check(features(range(10), [str(i) for i in range(10)])) == []
    rare = ["odd"] * 3 + ["usual"] * 97
    assert check(features(range(100), rare)) == []
    gaps = [float(i) if i < 10 else np.nan for i in range(100)]
    assert check(features(gaps, [str(i) for i in range(100)])) == []


def test_a_feature_is_held_against_every_label(tmp_path):
    rows = [["split", "valence", "arousal", "f", "g"]]
    rows += [[part, str(i), str(i * 37 % 40), str(2 * i), str(-(i * 37 % 40))] for i, part in enumerate(halves(40))]
    found = [f.column for f in check_folds(put(tmp_path, "table.csv", rows)).leaks]
    assert found == ["f", "g"]


def test_dev_that_is_the_test_part_is_found_by_its_rows():
    parts = ("train",) * 10 + ("dev",) * 10 + ("test",) * 10
    texts = posts(20)
    found = check(Table({"split": parts}, text=(*texts, *texts[10:])))
    assert "the test part is the dev part: 10 of its 10 texts are in dev" in one(found, "dev").words


@pytest.mark.parametrize("name", ["val_test", "devtest", "Test/Valid"])
def test_dev_that_is_the_test_part_is_found_by_its_name(tmp_path, name):
    found = one(check_folds(put(tmp_path, "t.csv", [["split"], ["train"], ["train"], [name], [name]])).leaks, "dev")
    assert found.words == f"the part {name!r} is dev and test at once"


def test_dev_without_a_test_part_is_worth_a_note(tmp_path):
    found = one(check_folds(put(tmp_path, "t.csv", [["split"], *[["train"]] * 3, ["val"]])).findings, "dev")
    assert not found.leak and "no test part" in found.words


def test_every_kind_of_table_is_read_and_packed_ones_too(tmp_path):
    rows = [{"split": ("train", "test")[i % 2], "speaker": 7, "f": None} for i in range(6)]
    text = "split,speaker\n" + "".join(f"{row['split']},{row['speaker']}\n" for row in rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows) + "{torn\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv").write_text(text.replace(",", ";"), encoding="utf-16")
    (tmp_path / "c.tsv.gz").write_bytes(gzip.compress(text.replace(",", "\t").encode()))
    (tmp_path / "d.csv.xz").write_bytes(lzma.compress(text.encode()))
    (tmp_path / "e.jsonl.bz2").write_bytes(bz2.compress(lines.encode()))
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "f.parquet")
    for path in sorted(tmp_path.iterdir()):
        report = check_folds(path)
        assert (report.name, report.n, one(report.leaks, "group").examples) == (path.name, 6, ("7",))
    assert "1 rows that cannot be read" in check_folds(tmp_path / "e.jsonl.bz2").unseen


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"id,split\n", "has no rows"),
        ("one.csv", b"id\na\nb\n", "which column of one.csv says the part or fold"),
        ("none.csv", b"id,speaker\na,b\n", "one of: id, speaker"),
        ("train.csv", b"id,split\na,train\nb,train\n", "all rows of train.csv are in one part"),
        ("blank.csv", b"id,split\na,\nb,\n", "all rows of blank.csv are in one part"),
        ("torn.jsonl", b"{\n", "1 rows, none of which can be read"),
        ("a.xlsx", b"", "is no table known here; known: .csv"),
        ("no.parquet", b"", "is no .parquet inside"),
        ("no.csv.xz", b"never packed", "cannot be unpacked"),
        ("no.csv.gz", gzip.compress(b"id,split\n" * 99)[:-9], "cannot be unpacked"),
    ],
)
def test_what_cannot_be_checked_is_said_in_a_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableError) as error:
        check_folds(tmp_path / name)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_and_an_empty_folder_are_said_in_a_sentence(tmp_path):
    for path in ("gone.csv", "gone.csv.gz", "gone.parquet"):
        with pytest.raises(UnreadableError, match=r"gone\.(csv|parquet)"):
            check_folds(tmp_path / path)
    with pytest.raises(UnreadableError, match="has no table called train, dev or test"):
        check_folds(tmp_path)


def test_a_wrong_encoding_harms_its_row_only(tmp_path):
    (tmp_path / "latin.csv").write_bytes(
        "split,speaker,text\ntrain,José,olé olé olé olé\ntest,ann,naïve\n".encode("cp1252")
    )
    assert check_folds(tmp_path / "latin.csv").findings == ()
    assert check_folds(tmp_path / "latin.csv", encoding="cp1252").findings == ()


def test_columns_of_one_table_are_of_one_length():
    with pytest.raises(MalformedError, match="'speaker' has 1 rows where others have 2"):
        Table({"split": ("train", "test")}, groups={"speaker": ("a",)})


def test_names_of_files_tell_who_speaks():
    assert speakers(["x/03-01-06-01-02-01-12.wav"]) == ["12"]
    assert speakers(["Crema\\1001_DFA_ANG_XX.flv"]) == ["1001"]
    assert speakers(["03a01Fa.wav"], "EMO-DB") == ["03"] and speakers(["03a01Fa.wav"]) is None
    assert speakers(["1001_DFA_ANG_XX.wav", "readme.wav"], "cremad") is None and speakers([], "cremad") is None


@pytest.mark.corpus
@needs("speech/emobox-splits")
def test_the_published_folds_of_emobox_share_their_speakers_where_they_do():
    report = check_folds(DATA / "speech/emobox-splits/emobox_splits.csv.xz")
    shared = {f.corpus: (f.count, len(f.splits)) for f in report.leaks if f.kind == "group" and f.column == "speaker"}
    assert shared["cremad"] == (91, 1) and shared["emodb"] == (10, 5)
    assert not {"ravdess", "cafe", "emovo", "jlcorpus", "polish", "savee", "subesco"} & set(shared)
    assert "cremad: all 91 speakers are in train and in test" in str(report)
    assert any("casia, emns, emovdb" in words for words in report.unseen)


@pytest.mark.corpus
@needs("text/goemotions")
def test_goemotions_has_32_texts_in_train_and_in_test():
    rows = [
        (part, *line.rstrip("\n").split("\t"))
        for part in ("train", "dev", "test")
        for line in gzip.decompress((DATA / f"text/goemotions/{part}.tsv.gz").read_bytes()).decode().split("\n")
        if line
    ]
    parts, texts, _, ids = (tuple(column) for column in zip(*rows, strict=True))
    found = check(Table({"split": parts}, ids, text=texts))
    assert one(found, "text", ("train", "test")).count == 32 and one(found, "text", ("train", "test")).rows == 37
    assert kinds(found) == ["near text", "text"]


@pytest.mark.corpus
@needs("face/fer2013")
def test_the_same_images_of_fer2013_are_in_training_and_in_the_tests():
    image = pytest.importorskip("PIL.Image")
    sheets = [np.asarray(image.open(DATA / f"face/fer2013/tiles_{s}.jpg").convert("L")) for s in range(6)]
    tiles = [s[: s.shape[0] // 48 * 48].reshape(-1, 48, 60, 48).swapaxes(1, 2).reshape(-1, 48, 48) for s in sheets]
    with (DATA / "face/fer2013/labels.csv").open() as file:
        parts = [row["usage"] for row in csv.DictReader(file)]
    found = check_images(np.concatenate(tiles)[: len(parts)], parts)
    assert {f.parts[1]: f.rows for f in found if f.kind == "media" and f.parts[0] == "train"} == {
        "PublicTest": 280,
        "PrivateTest": 288,
    }
    assert all(f.rows > 0 for f in found if f.kind == "near image")


def test_the_threshold_is_the_one_that_is_promised():
    assert leaks.TOO_WELL == 0.98 and nearness.JACCARD == 0.8 and nearness.HAMMING == 4
