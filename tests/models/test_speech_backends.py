"""Speech classifiers of others, tiny and random, made here: read by their cards alone, offline."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.card import read_card
from affetto.core.errors import CatalogError, MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.span import Span
from affetto.models.speech import onnxfile, outputs
from affetto.models.speech import transformer as backend
from affetto.models.weights import NETWORK, checksum
from tests.voices import noise, phrase, silence, vowel

LABELS = ("hap", "ang", "sad")
WORDS = "[labels]\nhap = 'joy'\nang = 'anger'\nsad = 'sadness'"
CARD = """id = "{id}"
kind = "model"
version = "3"
title = "Tiny"
load = "affetto.models.speech.{loader}:load"
spaces = ["{space}"]
channel = "voice"
licence = "MIT"
activation = "{activation}"
longest = 2.0
{more}
"""
CLIPS = (vowel(120, 1.0), vowel(220, 0.61, seed=3), noise(0.25), vowel(150, 1.0, seed=4), phrase(180, 1.3))
TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8, 8),
    "conv_stride": (8, 8, 5),
    "conv_kernel": (10, 8, 5),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "num_feat_extract_layers": 3,
    "classifier_proj_size": 8,
    "initializer_range": 0.5,
}
KINDS = ("Wav2Vec2", "Hubert", "WavLM", "Data2VecAudio", "Whisper")


def written(folder, loader="transformer", space="ekman-7", activation="softmax", more="", id="my.tiny"):
    """Write a card, and return it read."""
    path = folder / f"{id}.toml"
    path.write_text(CARD.format(id=id, loader=loader, space=space, activation=activation, more=more))
    return read_card(path)


def spoken(samples, id="1", **more):
    """Return a Record of sound that lies in memory."""

    def blocks(seconds):
        step = int(16000 * seconds)
        return (samples[at : at + step, None] for at in range(0, len(samples), step))

    return Record(id, (Audio("", 16000.0, len(samples) / 16000, blocks),), **more)


def turn(who, start, end):
    return Turn(who, Span(start, end), "")


# What outputs mean.


def meant(folder, words, space="ekman-7", activation="softmax", more=""):
    return outputs.meaning(written(folder, space=space, activation=activation, more=more), words)


@given(st.lists(st.lists(st.floats(-30, 30, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
def test_probabilities_of_one_label_sum_to_one_and_keep_their_order(rows):
    meaning = outputs.Meaning(catalog.load("ekman-7"), (3, 0, 4), "softmax", (0.0, 1.0), 2.0)
    values = meaning.values(np.array(rows, np.float32))
    assert values.sum(1) == pytest.approx(1, abs=1e-5)
    surest = np.array([3, 0, 4])[np.argmax(rows, 1)]
    assert values[np.arange(len(rows)), surest] == pytest.approx(values.max(1))
    assert not values[:, [1, 2, 5, 6]].any()


def test_labels_that_the_space_lacks_are_taken_out_or_silence_the_row(tmp_path):
    meaning = meant(tmp_path, ("joy", "", "joy", "sadness"), activation="none")
    values = meaning.values(np.array([[0.1, 0.2, 0.5, 0.2], [0.1, 0.7, 0.1, 0.1], [np.nan] * 4], np.float32))
    assert values[0, [3, 4]] == pytest.approx([0.75, 0.25])
    assert np.isnan(values[1:]).all()
    (answer,) = meaning.answer([CLIPS[0], CLIPS[2][:100]], lambda clips: np.array([[0, 0.9, 0.1, 0]], np.float32))
    assert list(answer.note) == ["none of ekman-7", "under 0.1 s"]


def test_several_labels_at_once_take_the_surest_and_leave_the_rest_unsaid(tmp_path):
    meaning = meant(tmp_path, ("joy", "joy", "fear"), "brighter-6", "sigmoid")
    values = meaning.values(np.array([[0, 1, -1]], np.float32))[0]
    space = catalog.load("brighter-6")
    assert values[space.index("joy")] == pytest.approx(1 / (1 + np.exp(-1)))
    assert values[space.index("fear")] == pytest.approx(1 / (1 + np.exp(1)))
    assert np.isnan(values).sum() == 4


def test_graded_outputs_are_laid_on_their_axes_and_cut(tmp_path):
    meaning = meant(tmp_path, ("arousal", "valence"), "vad", "none", "scale = [1, 7]")
    values = meaning.values(np.array([[1, 4], [5.5, 9]], np.float32))
    assert values[:, [1, 0]] == pytest.approx(np.array([[-1, 0], [0.5, 1]]), abs=1e-6)
    assert np.isnan(values[:, 2]).all()


def test_a_long_clip_is_heard_in_even_parts_and_answered_by_their_mean(tmp_path):
    meaning = meant(tmp_path, ("joy", "sadness"), activation="none")
    heard = []

    def network(clips):
        heard.extend(len(clip) for clip in clips)
        return np.array([[clip[0], 1 - clip[0]] for clip in clips], np.float32)

    long = np.concatenate([np.full(32000, 0.2), np.full(32000, 0.4), np.full(16000, 0.9)])
    (answer,) = meaning.answer([long, np.full(8000, 0.5)], network)
    assert heard == [26667, 26667, 26666, 8000]
    assert answer.values[:, 3] == pytest.approx([(0.2 + 0.2 + 0.4) / 3, 0.5])


@pytest.mark.parametrize(
    "words, facts, told",
    [
        (("joy",), {"activation": "sigmoid"}, "'sigmoid' does not give values of kind 'one'"),
        (("joy",), {"activation": "relu"}, "softmax or sigmoid or none, not 'relu'"),
        (("joy",), {"space": "brighter-6"}, "'softmax' does not give values of kind 'any'"),
        (("valence",), {"space": "vad"}, "'softmax' does not give values of kind 'graded'"),
        (("valence", "valence"), {"space": "vad", "activation": "none"}, "two outputs stand for one axis"),
        (("valence",), {"space": "vad", "activation": "none", "more": "scale = [1, 1]"}, "scale is two numbers"),
        (("x",), {"space": "open"}, "open is of kind 'open'"),
    ],
)
def test_a_meaning_that_cannot_be_is_refused_in_one_sentence(tmp_path, words, facts, told):
    with pytest.raises(CatalogError, match=told):
        meant(tmp_path, words, **facts)


def test_outputs_that_are_no_probabilities_are_not_taken_for_some(tmp_path):
    with pytest.raises(CatalogError, match="are no probabilities in ekman-7"):
        meant(tmp_path, ("joy", "fear"), activation="none").values(np.array([[2.0, -1.0]], np.float32))


# An ONNX file.

ONNX = """file = "{file}"
input = "audio"
output = "scores"
labels = ["joy", "anger", ""]
"""


def save_onnx(path, frames=False, labels=3, twice=False):
    """Save a network whose logits are fixed multiples of mean square, mean and 1; over frames of 100 samples or all."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    def node(kind, takes, gives, **how):
        return helper.make_node(kind, takes, [gives], **how)

    weights = np.array([[900.0, -900.0, 0.0], [5.0, 5.0, -5.0]], np.float32)[:, :labels]
    nodes = [
        node("Reshape", ["audio", "shape"], "cut"),
        node("Mul", ["cut", "cut"], "squares"),
        node("ReduceMean", ["squares", "last"], "power", keepdims=1),
        node("ReduceMean", ["cut", "last"], "mean", keepdims=1),
        node("Concat", ["power", "mean"], "both", axis=2),
        node("MatMul", ["both", "weights"], "framed"),
        node("Identity", ["framed"], "scores")
        if frames
        else node("ReduceMean", ["framed", "middle"], "scores", keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, "n"])]
    inputs += [helper.make_tensor_value_info("length", TensorProto.FLOAT, [1])] if twice else []
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1, -1, 100]), "shape"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "middle"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(path))
    return weights


def wanted(clip, weights):
    """Return the probabilities of joy and anger that the file's logits give, of labels 0 and 1 alone."""
    logits = np.array([(clip**2).mean(), clip.mean()]) @ weights
    raised = np.exp(logits - logits.max())
    return raised[:2] / raised[:2].sum()


@pytest.fixture
def tiny_onnx(tmp_path):
    return tmp_path, save_onnx(tmp_path / "tiny.onnx")


def onnx_card(folder, more="", file="tiny.onnx", **facts):
    return written(folder, "onnxfile", more=ONNX.format(file=file) + more, **facts)


@pytest.mark.parametrize("frames", [False, True])
def test_an_onnx_file_says_what_its_numbers_say(tmp_path, frames):
    weights = save_onnx(tmp_path / "tiny.onnx", frames)
    model = onnxfile.load(onnx_card(tmp_path))
    clips = [np.round(clip[: len(clip) // 100 * 100], 4) for clip in CLIPS]
    (answer,) = model.answer([*clips, np.zeros(800, np.float32)])
    for clip, row in zip(clips, answer.values, strict=False):
        assert row[[3, 0]] == pytest.approx(wanted(clip, weights), abs=1e-4)
    assert np.isnan(answer.values[-1]).all()
    assert answer.confidence is None


@pytest.mark.parametrize("kind, added", [("layer", 1e-5), ("unit", 1e-7)])
def test_sound_is_normalised_as_the_card_says(tiny_onnx, kind, added):
    folder, _ = tiny_onnx
    model = onnxfile.load(onnx_card(folder, f"normalise = '{kind}'"))
    clip = CLIPS[0] * 0.01 + 0.2
    power = clip.var() / (clip.var() + added)
    assert model.output(clip)[0] == pytest.approx(900 * power, rel=1e-3)


def test_the_file_may_lie_in_the_folder_of_models_and_is_checked(tiny_onnx, monkeypatch, tmp_path_factory):
    folder, _ = tiny_onnx
    elsewhere = tmp_path_factory.mktemp("card")
    card = onnx_card(elsewhere, f"sha256 = '{checksum(folder / 'tiny.onnx')}'\nget = 'https://example.org'")
    monkeypatch.delenv(onnxfile.MODELS, raising=False)
    with pytest.raises(UnreadableError, match=r"name that in AFFETTO_MODELS; to be had at https://example\.org"):
        onnxfile.load(card)
    monkeypatch.setenv(onnxfile.MODELS, str(folder))
    assert onnxfile.load(card).card == card
    with pytest.raises(CatalogError, match="is not what its card says"):
        onnxfile.load(onnx_card(elsewhere, "sha256 = 'f00d'"))


def test_an_onnx_file_that_does_not_fit_its_card_is_refused(tiny_onnx):
    folder, _ = tiny_onnx
    for old, new, told in (
        ('input = "audio"', 'input = "sound"', "no input 'sound'; known: audio"),
        ('output = "scores"', 'output = "logits"', "no output 'logits'; known: scores"),
        ('labels = ["joy", "anger", ""]', "labels = [1]", "labels are words"),
        ('labels = ["joy", "anger", ""]', "", "lacks labels"),
        ("longest = 2.0", "longest = 0.5", "longest is at least 1 second"),
        ("longest = 2.0", "longest = 2.0\nnormalise = 'z'", "none or layer or unit, not 'z'"),
        ("longest = 2.0", "longest = 2.0\nnormalise = 1", "normalise is not of the kind"),
    ):
        path = Path(onnx_card(folder).path)
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(CatalogError, match=told):
            onnxfile.load(read_card(path))
    with pytest.raises(UnknownNameError, match="no axis of vad is called 'joy'"):
        onnxfile.load(onnx_card(folder, space="vad", activation="none"))


def test_what_is_no_such_onnx_file_is_told(tmp_path):
    (tmp_path / "tiny.onnx").write_bytes(b"no network")
    with pytest.raises(UnreadableError, match=r"is no ONNX file that my\.tiny can read"):
        onnxfile.load(onnx_card(tmp_path))
    save_onnx(tmp_path / "tiny.onnx", twice=True)
    with pytest.raises(CatalogError, match="wants more than sound: length"):
        onnxfile.load(onnx_card(tmp_path))
    save_onnx(tmp_path / "tiny.onnx", labels=2)
    with pytest.raises(CatalogError, match=r"names 3 labels, but tiny\.onnx gives 1 x 2 numbers"):
        onnxfile.load(onnx_card(tmp_path)).answer([CLIPS[0][:1600]])


def test_it_answers_records_turn_by_turn_and_where_there_is_voice(tiny_onnx):
    folder, weights = tiny_onnx
    model = onnxfile.load(onnx_card(folder))
    talk = np.round(np.concatenate([vowel(120, 1.0), silence(0.5), vowel(220, 2.5)]), 4)
    record = spoken(talk, turns=(turn("Ada", 0, 1), turn("Bo", 1.5, 4), turn("Bo", 9, 10)))
    voiceless = spoken(silence(1.5), "quiet")
    ada, bo = model([record, voiceless, Record("text", (Text("no sound"),))])[0]
    assert (ada.subject, bo.subject, ada.unit, ada.source) == ("Ada", "Bo", "s", "my.tiny@3")
    assert ada.values[0, [3, 0]] == pytest.approx(wanted(talk[:16000], weights), abs=1e-3)
    halves = [wanted(part, weights) for part in (talk[24000:44000], talk[44000:64000])]
    assert bo.values[0, [3, 0]] == pytest.approx(np.mean(halves, 0), abs=1e-3)
    assert np.isnan(bo.values[1]).all()
    _, (quiet,), nothing = model([record, voiceless, Record("text", (Text("no sound"),))])
    assert (np.isnan(quiet.values).all(), quiet.note, nothing) == (True, ("no voice",), ())
    assert model([]) == []


# A folder of transformers.


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Return a folder with a tiny random classifier of each kind, and one with a dense head; and the networks."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("hub")
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
    networks = {}
    for kind in KINDS:
        torch.manual_seed(7)
        if kind == "Whisper":
            config = transformers.WhisperConfig(
                d_model=16,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=16,
                decoder_ffn_dim=16,
                num_mel_bins=8,
                vocab_size=10,
                max_source_positions=100,
                classifier_proj_size=8,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=1,
                init_std=0.5,
                **labels,
            )
            network = transformers.WhisperForAudioClassification(config)
            extractor = transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=2, n_fft=200, hop_length=160)
        else:
            config = getattr(transformers, f"{kind}Config")(**TINY, **labels)
            network = getattr(transformers, f"{kind}ForSequenceClassification")(config)
            extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=kind != "Hubert")
        network.eval().save_pretrained(folder / kind)
        extractor.save_pretrained(folder / kind)
        networks[kind] = network, extractor
    networks["dense"] = save_dense(folder / "dense", torch, transformers)
    return folder, networks


def save_dense(folder, torch, transformers):
    """Save an encoder of wav2vec 2.0 with the weights of a dense head beside its own, in one file."""
    from safetensors.torch import save_file

    names = ("arousal", "dominance", "valence")
    config = transformers.Wav2Vec2Config(**TINY, id2label=dict(enumerate(names)))
    encoder = transformers.Wav2Vec2Model(config).eval()
    head = {
        "classifier.dense.weight": torch.randn(16, 16),
        "classifier.dense.bias": torch.randn(16),
        "classifier.out_proj.weight": torch.randn(3, 16) / 8,
        "classifier.out_proj.bias": torch.full((3,), 0.5),
    }
    encoder.save_pretrained(folder)
    own = {f"wav2vec2.{name}": tensor.clone() for name, tensor in encoder.state_dict().items()}
    save_file(own | head, folder / backend.WEIGHTS, {"format": "pt"})
    extractor = transformers.Wav2Vec2FeatureExtractor()
    extractor.save_pretrained(folder)
    return (encoder, head), extractor


def loaded(hub, kind="Wav2Vec2", more=WORDS, **facts):
    return backend.load(written(hub[0], more=f'hub = "{kind}"\n{more}', **facts))


def direct(hub, kind, clip):
    """Return the probabilities of joy, anger and sadness that transformers gives of a clip by itself."""
    import torch

    network, extractor = hub[1][kind]
    features = extractor(clip, sampling_rate=16000, return_tensors="pt")[extractor.model_input_names[0]]
    with torch.inference_mode():
        return network(features).logits.softmax(1).numpy()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_transformers_says_of_each_clip_alone(hub, kind):
    model = loaded(hub, kind)
    (answer,) = model.answer([*CLIPS, CLIPS[0][:1000]])
    each = [direct(hub, kind, clip) for clip in CLIPS]
    assert answer.values[:-1, [3, 0, 4]] == pytest.approx(np.array(each), abs=1e-5)
    assert np.ptp(np.array(each), axis=0).max() > 0.02
    assert np.isnan(answer.values[-1]).all()


def test_a_dense_head_is_tanh_between_two_layers_over_the_mean_of_the_frames(hub):
    import torch

    (encoder, head), extractor = hub[1]["dense"]
    model = loaded(hub, "dense", "head = 'dense'", space="vad", activation="none")
    (answer,) = model.answer([CLIPS[0]])
    with torch.inference_mode():
        frames = encoder(extractor(CLIPS[0], sampling_rate=16000, return_tensors="pt").input_values)[0][0].numpy()
    first, bias, second, offset = (tensor.numpy() for tensor in head.values())
    said = second @ np.tanh(first @ frames.mean(0) + bias) + offset
    assert answer.values[0, [1, 2, 0]] == pytest.approx(np.clip(2 * said - 1, -1, 1), abs=1e-4)


def test_clips_of_one_length_are_computed_together_and_others_apart(hub, monkeypatch):
    model = loaded(hub)
    sizes = []
    forward = type(model.classifier).__call__
    monkeypatch.setattr(
        type(model.classifier), "__call__", lambda self, x: sizes.append(tuple(x.shape)) or forward(self, x)
    )
    model.answer(CLIPS)
    assert sorted(sizes) == [(1, 4000), (1, 9760), (1, 20800), (2, 16000)]


def test_a_record_of_sound_gets_a_track_and_a_batch_answers_as_one_by_one(hub):
    model = loaded(hub)
    records = [spoken(clip, str(i), turns=(turn("Ada", 0, len(clip) / 16000),)) for i, clip in enumerate(CLIPS)]
    for together, record in zip(model(records), records, strict=True):
        assert together[0].subject == "Ada"
        assert model([record])[0][0].values == pytest.approx(together[0].values, abs=1e-6)


def test_a_network_that_lacks_weights_is_refused(hub):
    with pytest.raises(UnreadableError, match=r"dense lacks \d+ weights of a Wav2Vec2ForSequenceClassification"):
        loaded(hub, "dense")
    with pytest.raises(UnreadableError, match=r"Hubert has no dense head: classifier\.dense\.bias"):
        loaded(hub, "Hubert", "head = 'dense'\n" + WORDS)


@pytest.mark.parametrize(
    "kind, more, told",
    [
        ("Wav2Vec2", "[labels]\nhap = 'joy'", "differ in ang, sad"),
        ("Wav2Vec2", "head = 'wide'", "head is own or dense, not 'wide'"),
        ("Wav2Vec2", "sha256 = 'f00d'\n" + WORDS, "are not what its card says"),
        ("Wav2Vec2", "revision = 7", "revision is not of the kind"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_in_one_sentence(hub, kind, more, told):
    with pytest.raises(CatalogError, match=told):
        loaded(hub, kind, more)


def test_no_more_is_heard_at_once_than_the_network_can(hub):
    path = Path(written(hub[0], more=f'hub = "Whisper"\n{WORDS}', id="my.wide").path)
    path.write_text(path.read_text().replace("longest = 2.0", "longest = 30.0"))
    with pytest.raises(CatalogError, match=r"longest is 30.0 seconds, but Whisper hears 2 at most"):
        backend.load(read_card(path))


def test_labels_that_the_space_does_not_know_are_refused(hub):
    with pytest.raises(UnknownNameError, match="no axis of ekman-7 is called 'hap'"):
        loaded(hub, more="")


def test_pickles_are_never_read(hub, tmp_path):
    torch = pytest.importorskip("torch")
    network, extractor = hub[1]["Wav2Vec2"]
    network.save_pretrained(tmp_path / "tiny")
    extractor.save_pretrained(tmp_path / "tiny")
    torch.save(network.state_dict(), tmp_path / "tiny" / "pytorch_model.bin")
    (tmp_path / "tiny" / backend.WEIGHTS).unlink()
    with pytest.raises(UnreadableError, match=r"tiny is no classifier that my\.tiny can read"):
        backend.load(written(tmp_path, more=f'hub = "tiny"\n{WORDS}'))


@pytest.fixture
def asked(monkeypatch):
    """Return what the hub was asked for; it has nothing, and no cache."""
    for name in ("torch", "transformers"):
        pytest.importorskip(name)
    huggingface_hub = pytest.importorskip("huggingface_hub")
    calls = []

    def snapshot(hub, **how):
        calls.append((hub, how))
        raise OSError("nothing here\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.delenv(NETWORK, raising=False)
    return calls


def test_nothing_is_fetched_unless_asked(asked, monkeypatch):
    known = catalog.find("hub.wav2vec2-superb-er")
    with pytest.raises(UnreadableError, match="is not on this machine; set AFFETTO_NETWORK=1 to fetch it once, or"):
        backend.load(known)
    monkeypatch.setenv(NETWORK, "1")
    with pytest.raises(UnreadableError, match=r"cannot be fetched: nothing here$"):
        backend.load(known)
    assert [how["local_files_only"] for _, how in asked] == [True, False]
    assert all(how["revision"] == known.facts["revision"] for _, how in asked)
    assert not any(pattern in ("*", "*.bin", "*.py", "*.pt") for pattern in asked[0][1]["allow_patterns"])


def test_only_a_card_that_allows_it_and_pins_a_revision_is_fetched(asked, tmp_path):
    with pytest.raises(UnreadableError, match="machine; name a folder"):
        backend.load(written(tmp_path, more="hub = 'a/b'"), network=True)
    with pytest.raises(CatalogError, match="names no revision"):
        backend.load(written(tmp_path, more="hub = 'a/b'\nnetwork = true"), network=True)
    assert [how["local_files_only"] for _, how in asked] == [True]


def test_a_missing_library_is_answered_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'affetto\[hub\]'"):
        backend.load(written(tmp_path, more="hub = 'a/b'"))


SHIPPED = [
    card for card in catalog.cards("model").values() if card.load.split(":")[0].endswith(("transformer", "onnxfile"))
]


@pytest.mark.parametrize("card", [card for card in SHIPPED if card.channel == "voice"], ids=lambda card: card.id)
def test_the_shipped_cards_mean_something(card):
    if card.load.startswith(onnxfile.__name__):
        words = onnxfile._facts(card).labels
    else:
        facts = backend._facts(card)
        assert facts.network == bool(facts.revision)
        words = list((facts.labels or {}).values()) or list(catalog.load(card.spaces[0]).names)
    meaning = outputs.meaning(card, words)
    assert len(meaning.columns) == len(words) >= 3
    assert card.licence and card.limits and "checked here" in " ".join(card.limits)
