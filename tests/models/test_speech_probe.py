"""The probe of frozen encoders, on made voices: who is tested is not heard in training, and scores hold."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.core.track import Track
from tests.voices import noise, vowel

pytest.importorskip("sklearn")
from recipes import speech_probe as probe

SPACE = catalog.load("ekman-7")
PITCH = {"anger": 260.0, "sadness": 110.0}


@pytest.fixture(autouse=True)
def few_strengths(monkeypatch):
    """Let training choose between two strengths only: it is the same code, and faster."""
    monkeypatch.setattr(probe, "STRENGTHS", (0.01, 1.0))


def spoken(id, samples, label, **meta):
    """Return a Record of one clip in memory, and what is said of it."""

    def blocks(seconds):
        step = int(16000 * seconds)
        return (samples[at : at + step, None] for at in range(0, len(samples), step))

    audio = Audio("", 16000.0, len(samples) / 16000, blocks)
    values = np.eye(7)[[SPACE.index(label)]]
    return Record(id, (audio,), tracks=(Track(SPACE, [0], [audio.duration], values, channel="voice"),), meta=meta)


def corpus(speakers=4, each=3, **meta):
    """Return clips whose label is their pitch and loudness, by speakers who differ in their vowel."""
    rng = np.random.default_rng(20)
    formants = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480)]
    records = []
    for who in range(speakers):
        for label, pitch in PITCH.items():
            for take in range(each):
                hz = pitch * rng.uniform(0.95, 1.05)
                clip = vowel(hz, 0.4, formants[who % 4], level=0.5 if label == "anger" else 0.1, seed=take)
                records.append(spoken(f"{who}-{label}-{take}", clip, label, speaker=f"s{who}", **meta))
    return records


def test_a_label_that_can_be_heard_is_found_in_unheard_speakers():
    records = corpus()
    rows = probe.rows_of(records)
    features = probe.features_of(records, rows.ids, probe.encoder_of("logmel"))
    said, how = probe.probe(probe.candidates(features, "last"), rows)
    assert features.shape == (24, 1, 128)
    assert sorted(how) == ["s0", "s1", "s2", "s3"]
    found = probe.scores(said, rows, seed=20)
    assert found["uar"]["value"] == pytest.approx(found["accuracy"]["value"])
    assert found["uar"]["value"] > 0.85
    assert found["uar_folds"]["low"] <= found["uar"]["value"] <= found["uar_folds"]["high"]
    assert probe.scores(1 - said, rows, seed=20)["uar"]["value"] == pytest.approx(1 - found["uar"]["value"])


def test_a_label_that_cannot_be_heard_is_not_found():
    rng = np.random.default_rng(3)
    records = [
        spoken(str(i), noise(0.3, seed=i), "anger" if rng.random() < 0.5 else "sadness", speaker=f"s{i % 4}")
        for i in range(40)
    ]
    rows = probe.rows_of(records)
    features = probe.features_of(records, rows.ids, probe.encoder_of("logmel"))
    said, _ = probe.probe(probe.candidates(features, "last"), rows)
    assert 0.25 < probe.scores(said, rows, seed=20)["uar"]["value"] < 0.75


def test_training_hears_nothing_of_the_fold_that_it_is_asked_about(monkeypatch):
    rows = probe.rows_of(corpus())
    heard = []

    class Head:
        def fit(self, table, labels):
            heard.append(set(table[:, 0].astype(int)))
            return self

        def predict(self, table):
            assert not heard[-1] & set(table[:, 0].astype(int))
            return np.zeros(len(table), int)

    monkeypatch.setattr(probe, "head", lambda strength: Head())
    whose = np.array([int(speaker[1:]) for speaker in rows.speakers], float)[:, None]
    probe.probe([whose], rows)
    assert {3, 2} == {len(known) for known in heard}


def test_folds_are_the_corpus_own_or_speakers_or_groups_of_them():
    assert set(probe.rows_of(corpus(2, 1)).folds) == {"s0", "s1"}
    given = [spoken(str(i), vowel(120, 0.1), "anger", speaker=str(i), fold=i % 3) for i in range(6)]
    assert probe.rows_of(given).folds.tolist() == ["0", "1", "2", "0", "1", "2"]
    many = np.array([f"{i:02}" for i in range(30)])
    folds = probe.folds_of(np.repeat(many, 2))
    assert len(set(folds)) == 5
    assert (folds[::2] == folds[1::2]).all()


def test_what_cannot_be_probed_is_told():
    with pytest.raises(MalformedError, match="has no speaker or no label"):
        probe.rows_of([spoken("1", vowel(120, 0.1), "anger")])
    torn = [spoken(str(i), vowel(120, 0.1), "anger", speaker="s", fold=i) for i in range(2)]
    with pytest.raises(MalformedError, match="speaker s is in several folds"):
        probe.rows_of(torn)
    with pytest.raises(MalformedError, match="the layer is last, mean, chosen or a number below 2, not '2'"):
        probe.candidates(np.zeros((3, 2, 4)), "2")
    with pytest.raises(UnreadableError, match="1 has no sound of 16000 samples a second"):
        probe.samples_of(Record("1"))


def test_layers_are_taken_meant_or_left_to_choose():
    features = np.arange(24.0).reshape(2, 3, 4)
    assert probe.candidates(features, "last")[0].tolist() == features[:, 2].tolist()
    assert probe.candidates(features, "1")[0].tolist() == features[:, 1].tolist()
    assert probe.candidates(features, "mean")[0].tolist() == features[:, 1].tolist()
    assert len(probe.candidates(features, "chosen")) == 3


def test_the_telling_layer_is_chosen_by_unheard_speakers():
    rows = probe.rows_of(corpus())
    rng = np.random.default_rng(1)
    useless = rng.standard_normal((len(rows.labels), 4))
    telling = rows.labels[:, None] + 0.01 * useless
    number, _ = probe.choose([useless, telling, useless], rows.labels, rows.speakers)
    assert number == 1


def test_each_speaker_is_brought_to_one_scale():
    speakers = np.array(["a"] * 50 + ["b"] * 50)
    features = (
        np.random.default_rng(1).standard_normal((100, 1, 3)) * np.where(speakers == "a", 5, 1)[:, None, None] + 7
    )
    out = probe.by_speaker(features, speakers)
    for speaker in "ab":
        assert out[speakers == speaker].mean(0) == pytest.approx(0, abs=1e-5)
        assert out[speakers == speaker].std(0) == pytest.approx(1, abs=1e-4)


def test_features_are_kept_for_the_very_same_clips(tmp_path):
    records = corpus(1, 1)
    ids = [record.id for record in records]
    calls = []

    def encode(samples):
        calls.append(len(samples))
        return np.ones((1, 2))

    first = probe.features_of(records, ids, encode, tmp_path / "a" / "kept.npz", seconds=0.1)
    again = probe.features_of(records, ids, encode, tmp_path / "a" / "kept.npz", seconds=0.1)
    assert calls == [1600, 1600]
    assert (first == again).all()
    probe.features_of(records[:1], ids[:1], encode, tmp_path / "a" / "kept.npz")
    assert len(calls) == 3


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Whisper"])
def test_a_network_gives_the_mean_of_each_layer_over_what_was_heard(tmp_path, kind):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(7)
    if kind == "Whisper":
        config = transformers.WhisperConfig(
            d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=16, decoder_ffn_dim=16, num_mel_bins=8, vocab_size=10, max_source_positions=100,
            pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        )  # fmt: skip
        network = transformers.WhisperModel(config).eval()
        extractor = transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=2, n_fft=200, hop_length=160)
        inner, frames = network.get_encoder(), 50
    else:
        config = transformers.Wav2Vec2Config(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, conv_dim=(8, 8),
            conv_stride=(16, 20), conv_kernel=(20, 20), num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
            num_feat_extract_layers=2,
        )  # fmt: skip
        network = transformers.Wav2Vec2Model(config).eval()
        extractor = transformers.Wav2Vec2FeatureExtractor()
        inner, frames = network, None
    network.save_pretrained(tmp_path / kind)
    extractor.save_pretrained(tmp_path / kind)
    clip = vowel(120, 1.0)
    said = probe.encoder_of(str(tmp_path / kind))(clip)
    features = extractor(clip, sampling_rate=16000, return_tensors="pt")[extractor.model_input_names[0]]
    with torch.inference_mode():
        layers = inner(features, output_hidden_states=True).hidden_states
    assert said.shape == (3, 16)
    for row, layer in zip(said, layers, strict=True):
        assert row == pytest.approx(layer[0, :frames].mean(0).numpy(), abs=1e-5)


def test_the_geneva_set_is_an_encoder_whose_unsaid_is_zero():
    encode = probe.encoder_of("egemaps")
    voiced, unvoiced = encode(vowel(120, 0.5)), encode(noise(0.5))
    assert voiced.shape == unvoiced.shape == (1, 88)
    assert np.isfinite(voiced).all()
    assert np.isfinite(unvoiced).all()
    assert np.abs(voiced - unvoiced).max() > 1
