"""Corpora of clips in both layouts: what is read, what can be heard, and what a damaged zip says."""

import os
import pickle
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.signal import Audio
from affetto.datasets import emogator, ravdess
from affetto.datasets.packed_clips import ClipCorpus, Pack, Packed, fake_pack
from tests.voices import phrase, save

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SPOKEN = ("ravdess", "tess", "emo-db", "emovo", "turev-db", "emogator")
NAMES = {
    "ravdess": "03-01-06-01-02-01-12", "tess": "OA_bite_neutral", "emo-db": "03a01Wa", "emovo": "gio-f1-b1",
    "turev-db": "Angry/1157_kz_acik", "emogator": "000001-02-1",
}  # fmt: skip


def zip_of(id: str) -> str:
    return str(catalog.find(id, "dataset").facts["packed"]["all"]["files"][1])


def clip_of(id: str, folder: Path) -> Audio:
    audio = next(iter(catalog.load(id).read("all", folder=folder))).signals[0]
    assert isinstance(audio, Audio)
    return audio


def heard(audio: Audio) -> np.ndarray:
    return np.concatenate(list(audio.blocks(0.5)))


@pytest.mark.parametrize("id", SPOKEN)
def test_the_packed_layout_gives_the_records_of_the_makers(id: str, tmp_path: Path) -> None:
    fake_pack(tmp_path, zip_of(id), {f"{NAMES[id]}.wav": "0.1"})
    corpus = catalog.load(id)
    assert isinstance(corpus, ClipCorpus) and corpus.has("all", tmp_path)
    assert {odd.kind for odd in corpus.check(tmp_path)} == {"count"}
    (record,) = corpus.read("all", folder=tmp_path)
    assert record.id == NAMES[id].rpartition("/")[2] and record.meta["file"] == f"{NAMES[id]}.wav"
    assert record.people["speaker"]["group"] == record.meta["speaker"] and record.tracks[0].end[0] == 0.1
    audio = record.signals[0]
    assert isinstance(audio, Audio) and (audio.rate, audio.channels, audio.duration) == (16000, 1, 0.1)
    assert heard(audio).shape == (1600, 1)


@pytest.mark.parametrize("gone", ["labels.csv", "zip"])
def test_half_a_pack_is_named(gone: str, tmp_path: Path) -> None:
    fake_pack(tmp_path, zip_of("emovo"), {"gio-f1-b1.wav": "0.1"})
    name = zip_of("emovo") if gone == "zip" else gone
    (tmp_path / name).unlink()
    assert [(odd.kind, odd.file) for odd in catalog.load("emovo").check(tmp_path)] == [("missing", name)]


def test_a_clip_that_the_zip_lacks_is_named(tmp_path: Path) -> None:
    fake_pack(tmp_path, zip_of("emovo"), {"gio-f1-b1.wav": "0.1", "gio-f2-b1.wav": "0.1"})
    with zipfile.ZipFile(tmp_path / zip_of("emovo"), "w") as pack:
        pack.writestr("gio-f1-b1.wav", b"")
    with pytest.raises(UnreadableError, match="lacks gio-f2-b1"):
        list(catalog.load("emovo").read("all", folder=tmp_path))


def test_a_clip_is_unpacked_when_it_is_heard_and_damage_is_told_then(tmp_path: Path) -> None:
    fake_pack(tmp_path, zip_of("emovo"), {"gio-f1-b1.wav": "0.1"})
    path = tmp_path / zip_of("emovo")
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"WAVEfmt") + 60] ^= 1
    path.write_bytes(whole)
    audio = clip_of("emovo", tmp_path)
    with pytest.raises(UnreadableError, match=r"gio-f1-b1\.wav cannot be taken out"):
        heard(audio)


def test_the_zip_is_opened_once_and_again_elsewhere(tmp_path: Path) -> None:
    fake_pack(tmp_path, "z.zip", {"a.wav": "0.1", "b.wav": "0.1"})
    pack = Pack(tmp_path / "z.zip")
    first = pack._open()
    assert Packed(pack, "a.wav")().read() == Packed(pack, "b.wav")().read() and pack._open() is first
    twin = pickle.loads(pickle.dumps(Packed(pack, "a.wav")))
    assert twin().read() == Packed(pack, "a.wav")().read() and twin.pack._open() is not first


def test_the_makers_files_can_be_heard_at_16_khz_in_one_channel(tmp_path: Path) -> None:
    voice = phrase(140, 1.0, rate=48000)
    home = tmp_path / "ravdess" / "Actor_12"
    home.mkdir(parents=True)
    save(home / "03-01-06-01-02-01-12.wav", np.stack([voice, voice], 1), 48000)
    corpus = catalog.load("ravdess")
    (record,) = corpus.reader(_split(tmp_path / "ravdess"))
    audio = record.signals[0]
    assert isinstance(audio, Audio)
    samples = heard(audio)
    assert samples.shape == pytest.approx((16000, 1), abs=40) and audio.rate == 16000
    assert abs(samples).max() == pytest.approx(0.3, abs=0.05)


def test_crema_d_can_be_heard_where_its_sound_lies(tmp_path: Path) -> None:
    corpus = catalog.load("crema-d")
    corpus.faker(tmp_path)
    (tmp_path / "AudioWAV").mkdir()
    save(tmp_path / "AudioWAV" / "1001_IEO_NEU_XX.wav", phrase(120, 0.5))
    there, *absent = (record.signals[0] for record in corpus.read("all", folder=tmp_path))
    assert isinstance(there, Audio) and there.duration == 0.5 and abs(heard(there)).max() > 0.2
    assert all(isinstance(audio, Audio) and audio.open is None for audio in absent)


def test_folds_of_bursts_keep_a_contributor_together(tmp_path: Path) -> None:
    rows = {f"{who:06}-{kind:02}-1.wav": "0.1" for who in (1, 3, 6) for kind in (1, 2)}
    fake_pack(tmp_path, zip_of("emogator"), rows)
    found = {(r.meta["speaker"], r.meta["fold"]) for r in catalog.load("emogator").read("all", folder=tmp_path)}
    assert found == {("000001", "1"), ("000003", "3"), ("000006", "1")} and emogator.FOLDS == 5


@pytest.mark.corpus
@pytest.mark.parametrize("id", SPOKEN)
def test_real_clips_are_as_long_as_their_table_says(id: str) -> None:
    folder = DATA / catalog.find(id, "dataset").facts["folder"]
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    for record in [*catalog.load(id).read("all", folder=folder)][::400]:
        audio = record.signals[0]
        assert isinstance(audio, Audio)
        assert ("gender" in record.people["speaker"]) == (id not in ("turev-db", "emogator"))
        samples = heard(audio)
        assert len(samples) / 16000 == pytest.approx(audio.duration, abs=0.001) and abs(samples).max() > 0.01


@pytest.mark.corpus
def test_the_folds_of_ravdess_are_those_of_emobox() -> None:
    folder = DATA / "speech" / "emobox-splits"
    if not folder.is_dir():
        pytest.skip("the folds are not here")
    found = Counter((r.meta["fold"], r.id[18:20]) for r in catalog.load("emobox").read("all", "ravdess", folder))
    assert found == {(fold, actor): 60 for fold, actors in ravdess.FOLDS.items() for actor in actors}


@pytest.mark.corpus
def test_four_shared_emotions_hold_no_cut_clip() -> None:
    if not (DATA / "speech" / "tess").is_dir():
        pytest.skip("the corpora are not here")
    records = list(catalog.load("acted-speech-4").read("all", folder=DATA / "speech"))
    labels = Counter(record.tracks[0].top().name for record in records)  # type: ignore[union-attr]
    assert labels == {"anger": 127 + 192 + 400 + 84 + 487, "joy": 71 + 192 + 400 + 84 + 357,
                      "neutral": 79 + 288 + 400 + 84 + 408, "sadness": 62 + 192 + 400 + 84 + 483}  # fmt: skip
    assert all(record.meta.get("complete", True) for record in records)
    assert len({record.people["speaker"]["group"] for record in records}) == 24 + 2 + 10 + 6 + 6


def _split(folder: Path):
    from affetto.datasets.corpus import Split

    return Split(folder, "all", "", (folder / "Actor_12" / "03-01-06-01-02-01-12.wav",))
