"""Telling voices apart: laws of the clustering, changes of voice, networks of others by a card, real speakers."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from affetto.core import catalog
from affetto.core.card import read_card
from affetto.core.errors import CatalogError, MalformedError, UnreadableError
from affetto.models.speech import onnxspeaker
from affetto.models.speech.speaker import Turning, changes, embed, embedder
from affetto.models.speech.telling import Telling, told, told_apart
from affetto.models.weights import MODELS, checksum
from tests.voices import noise, phrase, vowel

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).parents[3] / "shared" / "data"))
SURE = Telling(alike=0.7)


def voices(sizes, numbers=48, noise=0.07, seed=0):
    """Return clips of made voices in a random order, whose they are, and their seconds."""
    rng = np.random.default_rng(seed)
    whose = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    middles = rng.normal(size=(len(sizes), numbers)) / np.sqrt(numbers)
    x = middles[whose] + noise * rng.normal(size=(len(whose), numbers))
    return x / np.linalg.norm(x, axis=1, keepdims=True), whose, rng.uniform(1, 4, len(whose))


def same(one, other):
    return len({*zip(one, other, strict=True)}) == len({*one}) == len({*other})


@pytest.mark.parametrize("sizes", [[7], [5, 5], [1, 9], [4, 4, 4, 4, 12], [3] * 9])
def test_voices_are_told_apart_whatever_their_number(sizes):
    x, whose, seconds = voices(sizes)
    assert same(told_apart(x, seconds, SURE), whose.tolist())


@pytest.mark.parametrize("speakers", [1, 2, 3, 6])
def test_a_known_number_of_speakers_is_kept(speakers):
    x, whose, seconds = voices([6, 6, 6])
    found = told_apart(x, seconds, Telling(alike=0.7, speakers=speakers))
    assert len(set(found)) == speakers
    if speakers == 3:
        assert same(found, whose.tolist())
    assert len(set(told_apart(x[:2], seconds[:2], Telling(speakers=5)))) == 2


@settings(max_examples=60)
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(6)), elements=st.floats(-1, 1) | st.just(np.nan)),
    st.integers(0, 4),
    st.randoms(use_true_random=False),
)
def test_any_numbers_get_voices_numbered_as_they_come(x, speakers, random):
    seconds = np.array([random.uniform(0, 9) for _ in x])
    found, sure = told(x, seconds, Telling(speakers=speakers))
    assert len(found) == len(sure) == len(x)
    assert list(dict.fromkeys(found)) == list(range(len(set(found))))
    assert all(0 <= one <= 1 + 1e-9 for one in sure)
    assert found == told_apart(2 * x, seconds, Telling(speakers=speakers)) or np.abs(x).max(initial=0) < 1e-6


def test_clips_of_nothing_go_with_the_one_before():
    x, whose, seconds = voices([4, 4])
    holed = np.insert(x, 3, np.nan, 0)
    found = told_apart(holed, np.insert(seconds, 3, 0.2), SURE)
    assert found[3] == found[2]
    assert same(found[:3] + found[4:], whose.tolist())
    assert told_apart(np.full((3, 4), np.nan), [1, 1, 1]) == [0, 0, 0]
    assert told_apart(np.zeros((0, 4)), []) == []


def test_hours_are_told_apart_in_seconds():
    x, whose, seconds = voices([1500, 700, 300], noise=0.1)
    began = time.process_time()
    found = told_apart(x, seconds, Telling(alike=0.6, most=400))
    assert time.process_time() - began < 10
    assert np.mean([one == other for one, other in zip(found, _named(whose), strict=True)]) > 0.99


def _named(whose):
    names = {}
    return [names.setdefault(one, len(names)) for one in whose]


@pytest.mark.parametrize("wrong", [{"alike": 1.0}, {"alike": 0.0}, {"trust": 0}, {"speakers": -1}, {"most": 1}])
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(MalformedError):
        Telling(**wrong)
    with pytest.raises(MalformedError, match="n seconds"):
        told_apart(np.zeros((3, 2)), [1, 2])


class Ear:
    """Rows are vectors already."""

    card = catalog.find("speech.speaker")
    step = 0.1
    telling = SURE
    turning = Turning(unlike=10, short=-1, pause=1, bias=-5)

    def rows(self, clips):
        raise AssertionError("nobody asks")

    def embedded(self, sums):
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)


@given(st.lists(st.integers(15, 40), min_size=1, max_size=5))
def test_changes_are_where_the_voice_changes(lengths):
    axes = np.eye(8)[np.arange(len(lengths)) % 8]
    rows = np.concatenate([np.tile(axis, (n, 1)) for axis, n in zip(axes, lengths, strict=True)])
    assert changes(Ear(), rows, np.zeros(len(rows))) == np.cumsum(lengths)[:-1].tolist()


def test_a_pause_draws_a_change_and_a_short_side_speaks_against_it():
    rows = np.concatenate([np.tile(np.eye(4)[k], (20, 1)) for k in (0, 1)]) + 0.9
    pauses = np.zeros(40)
    assert changes(Ear(), rows, pauses) == []
    assert changes(Ear(), rows[:4], pauses[:4]) == []
    clear = Ear()
    clear.turning = Turning(unlike=10, short=-1, pause=6, bias=-5)
    pauses[20] = 1
    assert changes(clear, rows, pauses) == [20]


def test_the_shipped_numbers_are_of_length_1_and_know_a_made_voice_again():
    ear = embedder(catalog.find("speech.speaker"))
    made = [phrase(110, 2.0), phrase(250, 2.0, seed=5), phrase(112, 2.0, seed=9), vowel(120, 0.05), noise(0.0)]
    x = embed(ear, made)
    assert x.shape[1] in range(32, 129)
    assert np.allclose(np.linalg.norm(x, axis=1), 1, atol=1e-4)
    assert x[0] @ x[2] > x[0] @ x[1]
    assert np.abs(embed(ear, [0.1 * made[0]])[0] @ x[0]) > 0.99
    assert embed(ear, []).shape[0] == 0


def made_network(path, takes="wave"):
    """Write a network that gives three sums of what it takes."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shape = ["n", "t"] if takes == "wave" else ["n", "t", 80]
    axes = [1] if takes == "wave" else [1, 2]
    nodes = [
        helper.make_node("ReduceSum", ["x", "axes"], ["a"], keepdims=0),
        helper.make_node("ReduceSumSquare", ["x"], ["b"], axes=axes, keepdims=0),
        helper.make_node("ReduceL1", ["x"], ["c"], axes=axes, keepdims=0),
        helper.make_node("Unsqueeze", ["a", "one"], ["a1"]),
        helper.make_node("Unsqueeze", ["b", "one"], ["b1"]),
        helper.make_node("Unsqueeze", ["c", "one"], ["c1"]),
        helper.make_node("Concat", ["a1", "b1", "c1"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, ["n", 3])],
        [
            onnx.numpy_helper.from_array(np.array(axes, np.int64), "axes"),
            onnx.numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def carded(folder, more="", sha256=""):
    path = folder / "my.voices.toml"
    path.write_text(
        'id = "my.voices"\nkind = "model"\nversion = "1"\ntitle = "Mine"\nchannel = "voice"\nlicence = "MIT"\n'
        f'load = "affetto.models.speech.onnxspeaker:load"\nfile = "mine.onnx"\nsha256 = "{sha256}"\n{more}'
    )
    return read_card(path)


@pytest.mark.parametrize("takes", ["wave", "fbank"])
def test_a_network_of_others_is_read_by_its_card(tmp_path, takes):
    made_network(tmp_path / "mine.onnx", takes)
    card = carded(tmp_path, f'takes = "{takes}"\nscale = 1.0\ncentred = false\n', checksum(tmp_path / "mine.onnx"))
    model = onnxspeaker.load(card)
    clips = [phrase(140, 3.2), phrase(220, 0.1), np.zeros(0, np.float32)]
    rows = model.rows(clips)
    assert [len(one) for one in rows] == [6, 1, 1]
    x = embed(model, clips[:2])
    assert np.allclose(np.linalg.norm(x, axis=1), 1, atol=1e-5)
    part = clips[0][:24000]
    given = part if takes == "wave" else onnxspeaker.fbank(part)
    said = np.array([given.sum(), (given**2).sum(), np.abs(given).sum()])
    assert rows[0][0] == pytest.approx(said / np.linalg.norm(said), abs=1e-3)


def test_fbank_is_kaldis():
    sound = pytest.importorskip("transformers.audio_utils")
    clip = phrase(150, 1.0) * 32768
    mel = sound.mel_filter_bank(257, 80, 20, 8000, 16000, norm=None, mel_scale="kaldi", triangularize_in_mel_space=True)
    for shape in ("hamming", "povey"):
        window = sound.window_function(400, shape, periodic=False)
        theirs = sound.spectrogram(clip.astype(np.float64), window, 400, 160, 512, 2.0, False, preemphasis=0.97,
                                   mel_filters=mel, log_mel="log", mel_floor=1.192092955078125e-07,
                                   remove_dc_offset=True).T  # fmt: skip
        assert np.abs(onnxspeaker.fbank(clip, 80, shape) - theirs).max() < 0.02


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('takes = "songs"', "takes is fbank or wave"),
        ("window = 0.0", "window and step"),
        ('bands = "many"', "bands cannot be"),
        ('input = "z"', "no input 'z'; known: x"),
        ('output = "z"', "no output 'z'; known: y"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, more, said):
    made_network(tmp_path / "mine.onnx")
    with pytest.raises(CatalogError, match=said):
        onnxspeaker.load(carded(tmp_path, more))


def test_a_file_that_is_not_there_or_another_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(MODELS, str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UnreadableError, match="AFFETTO_MODELS"):
        onnxspeaker.load(carded(tmp_path))
    (tmp_path / "mine.onnx").write_bytes(b"no network")
    with pytest.raises(UnreadableError, match="no ONNX file"):
        onnxspeaker.load(carded(tmp_path))
    with pytest.raises(CatalogError, match="not what its card says"):
        onnxspeaker.load(carded(tmp_path, sha256="0" * 64))


@pytest.mark.corpus
@pytest.mark.skipif(not (DATA / "speech" / "ravdess").is_dir(), reason="RAVDESS is not here")
def test_real_speakers_who_were_never_learned_from_are_told_apart():
    pytest.importorskip("onnx")
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    speech_talks, speech_speaker = (
        pytest.importorskip(f"recipes.{name}") for name in ("speech_talks", "speech_speaker")
    )
    actors = speech_speaker.unheard()["ravdess"]
    own = speech_talks.clips("ravdess", [actors[0], actors[1]], 12)
    ear = embedder(catalog.find("speech.speaker"))
    found = told_apart(embed(ear, [clip.samples for clip in own]), [2.0] * len(own), Telling(speakers=2))
    truth = [int(clip.speaker == own[0].speaker) for clip in own]
    right = np.mean([one == other for one, other in zip(found, truth, strict=True)])
    assert max(right, 1 - right) > 0.8
