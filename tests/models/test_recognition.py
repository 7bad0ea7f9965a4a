"""Recognition of words: with what a recogniser once said, and with a tiny Whisper of random weights, made here."""

import json
import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.card import read_card
from affetto.core.errors import CatalogError, MalformedError, MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.signal import Audio, Text
from affetto.core.span import Span
from affetto.models.speech import recognition
from affetto.models.weights import NETWORK, checksum
from tests.voices import phrase, silence

RATE = 16000
CARD = """id = "my.asr"
kind = "model"
version = "3"
title = "Tiny"
load = "affetto.models.speech.recognition:load"
spaces = ["speaking"]
channel = "voice"
licence = "MIT"
{more}
"""


def card(folder, more='hub = "tiny"'):
    path = folder / "my.asr.toml"
    path.write_text(CARD.format(more=more))
    return read_card(path)


def sound(samples, block=None, signals=(), **meta):
    wide = np.atleast_2d(np.asarray(samples, np.float32).T).T

    def blocks(seconds):
        step = block or int(RATE * seconds)
        return (wide[at : at + step] for at in range(0, len(wide), step))

    return Record("r", (Audio("", 16000.0, len(wide) / RATE, blocks, wide.shape[1]), *signals), meta=meta)


def said(start, end, text, logprob=-0.25, nospeech=0.1):
    return SimpleNamespace(start=start, end=end, text=text, avg_logprob=logprob, no_speech_prob=nospeech)


class Fake:
    """What stands for a WhisperModel: says what was recorded, window by window."""

    supported_languages = ("en", "de")

    def __init__(self, *said, language="de", sure=0.9):
        self.said, self.heard, self.asked = list(said), [], []
        self.info = SimpleNamespace(language=language, language_probability=sure)

    def transcribe(self, samples, **how):
        self.heard.append(samples)
        self.asked.append(how)
        return iter(self.said.pop(0) if self.said else ()), self.info


def model(tmp_path, fake):
    known = card(tmp_path)
    return recognition.Recogniser(known, recognition.Facts("tiny"), fake)


TALK = np.concatenate([silence(0.5), phrase(140, 1.5), silence(1.2), phrase(220, 2.0, seed=3), silence(0.5)])


def test_segments_are_rows_with_words_in_seconds_of_the_recording(tmp_path):
    fake = Fake([said(0.0, 1.2, "  Hello \n there. "), said(1.2, 99.0, "Bye.", -1.0, 0.4), said(2, 2, " ")])
    ((track,),) = model(tmp_path, fake)([sound(TALK)])
    assert isinstance(model(tmp_path, fake), Model)
    assert (track.space.id, track.channel, track.subject, track.source) == ("speaking", "voice", "voice", "my.asr@3")
    (heard,) = fake.heard
    since = track.start[0]
    assert 0.3 < since < 0.7 and heard.dtype == np.float32 and len(heard) / RATE < 5.2
    assert track.start.tolist() == [since, since + 1.2]
    assert track.end.tolist() == pytest.approx([since + 1.2, since + len(heard) / RATE])
    assert track.note == ("Hello there.", "Bye.")
    assert track.values[:, 0] == pytest.approx([0.9, 0.6]) and track.confidence == pytest.approx(np.exp([-0.25, -1.0]))
    assert recognition.turns_of(track)[1].text == "Bye." and recognition.turns_of(track)[0].speaker == "voice"
    how = {"beam_size": 5, "temperature": 0.0, "condition_on_previous_text": False, "vad_filter": False}
    assert fake.asked[0] == {"language": None} | how


def test_silence_is_never_heard_and_what_is_not_understood_says_so(tmp_path):
    fake = Fake()
    ((track,), (other,), none) = model(tmp_path, fake)([sound(silence(3.0)), sound(TALK), Record("t", (Text("hi"),))])
    assert none == () and len(fake.heard) == 1
    assert np.isnan(track.values).all() and track.note == ("no voice",) and track.end.tolist() == [3.0]
    assert np.isnan(other.values).all() and other.note == ("no words",) and np.isnan(other.confidence).all()
    assert recognition.turns_of(track) == recognition.turns_of(other) == ()


def test_the_language_of_the_first_window_that_is_sure_counts_for_the_rest(tmp_path):
    long = np.concatenate([phrase(140, 20.0), silence(1.0), phrase(200, 20.0, seed=2), silence(1.0), phrase(180, 20.0)])
    fake = Fake()
    model(tmp_path, fake)([sound(long)])
    assert len(fake.asked) >= 3 and [how["language"] for how in fake.asked[:3]] == [None, "de", "de"]
    fake = Fake(sure=0.3)
    model(tmp_path, fake)([sound(long)])
    assert {how["language"] for how in fake.asked} == {None}
    fake = Fake()
    model(tmp_path, fake)([sound(TALK, language="en-GB")])
    assert fake.asked[0]["language"] == "en"


def test_channels_with_names_are_heard_apart_and_others_mixed(tmp_path):
    both = np.stack([TALK, np.roll(TALK, 8000)], 1)
    fake = Fake([said(0, 1, "a")], [said(0, 1, "b")])
    (tracks,) = model(tmp_path, fake)([sound(both, speakers=["Ann", "Bo"])])
    assert [(t.subject, t.note) for t in tracks] == [("Ann", ("a",)), ("Bo", ("b",))]
    fake = Fake([said(0, 1, "c")])
    ((track,),) = model(tmp_path, fake)([sound(both)])
    assert (track.subject, track.note) == ("voice", ("c",))


def test_a_long_recording_is_heard_in_bounded_windows_whose_times_are_right():
    talk = [np.concatenate([phrase(150, 4.0, seed=k), silence(1.0)]) for k in range(24)]
    long = np.concatenate([silence(70.0), *talk])
    found = list(recognition.windows(long[at : at + 16000] for at in range(0, len(long), 16000)))
    assert len(found) >= 4 and found[0].start > 69
    for window in found:
        first = round(window.start * RATE)
        assert len(window.samples) <= (recognition.LONGEST + 0.2) * RATE
        np.testing.assert_array_equal(window.samples, long[first : first + len(window.samples)])
    assert all(a.start + len(a.samples) / RATE <= b.start + 0.15 for a, b in pairwise(found))
    covered = sum(len(window.samples) for window in found) / RATE
    assert covered > 24 * 3.5


@settings(max_examples=8, deadline=None)
@given(block=st.integers(900, 40000))
def test_windows_do_not_depend_on_how_the_sound_is_cut(block):
    once = list(recognition.windows([TALK]))
    again = list(recognition.windows(TALK[at : at + block] for at in range(0, len(TALK), block)))
    assert [w.start for w in once] == [w.start for w in again]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(once, again, strict=True))


def test_what_breaks_inside_says_where(tmp_path):
    class Broken(Fake):
        def transcribe(self, samples, **how):
            raise RuntimeError("out of memory\nand more")

    with pytest.raises(UnreadableError, match=r"my\.asr cannot hear 0\.\d+ s on: out of memory$"):
        model(tmp_path, Broken())([sound(TALK)])
    with pytest.raises(MalformedError, match="recognised at 16000 Hz, not 8000"):
        model(tmp_path, Fake())([Record("r", (Audio("", 8000.0, 1.0, lambda _: iter([])),))])


# Loading.


@pytest.fixture
def library(monkeypatch):
    """Put a faster_whisper in the place of the real one, and return what it was asked for."""
    calls = []

    def whisper(folder, **how):
        calls.append((folder, how))
        if "broken" in folder:
            raise RuntimeError("Invalid model\nof ctranslate2")
        return Fake()

    monkeypatch.setitem(sys.modules, "faster_whisper", SimpleNamespace(WhisperModel=whisper))
    return calls


def placed(tmp_path, name="tiny", leave=""):
    folder = tmp_path / name
    folder.mkdir()
    for file in recognition.NEEDED:
        if file != leave:
            (folder / file).write_text(file)
    return folder


def test_a_folder_is_loaded_beside_the_card_or_by_its_path(tmp_path, library):
    folder = placed(tmp_path)
    assert recognition.load(card(tmp_path)).card.id == "my.asr"
    other = placed(tmp_path, "other")
    assert recognition.load(card(tmp_path), hub=str(other), language="de").facts.language == "de"
    assert [call[0] for call in library] == [str(folder), str(other)]
    assert library[0][1] == {"device": "cpu", "compute_type": "int8", "local_files_only": True}
    digest = checksum(folder / "model.bin")
    recognition.load(card(tmp_path, f'hub = "tiny"\nsha256 = "{digest}"'))
    with pytest.raises(CatalogError, match="are not what its card says"):
        recognition.load(card(tmp_path, 'hub = "tiny"\nsha256 = "f00d"'))


def test_what_is_no_model_is_refused(tmp_path, library):
    placed(tmp_path, leave="tokenizer.json")
    with pytest.raises(UnreadableError, match=r"tokenizer\.json is not there; convert one with ct2-transformers"):
        recognition.load(card(tmp_path))
    placed(tmp_path, "broken")
    with pytest.raises(UnreadableError, match=r"broken is no model that my\.asr can read: Invalid model$"):
        recognition.load(card(tmp_path, 'hub = "broken"'))
    placed(tmp_path, "good")
    with pytest.raises(UnknownNameError, match="no language of good is called 'xx'; known: de, en"):
        recognition.load(card(tmp_path, 'hub = "good"\nlanguage = "xx"'))
    for more, why in (
        ("", "lacks hub"),
        ("hub = 3", "lacks|not of the kind"),
        ('hub = "good"\nbeam = 0', "beam is a number"),
    ):
        with pytest.raises(CatalogError, match=why):
            recognition.load(card(tmp_path, more))


def test_nothing_is_fetched_unless_asked(tmp_path, library, monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    calls = []

    def snapshot(hub, **how):
        calls.append((hub, how))
        raise OSError("nothing here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.delenv(NETWORK, raising=False)
    known = catalog.find("hub.faster-whisper")
    with pytest.raises(
        UnreadableError, match="is not on this machine; set AFFETTO_NETWORK=1 to fetch it once, or name a"
    ):
        recognition.load(known)
    monkeypatch.setenv(NETWORK, "1")
    with pytest.raises(UnreadableError, match="cannot be fetched: nothing here"):
        recognition.load(known)
    with pytest.raises(
        UnreadableError, match=r"Systran/faster-whisper-base of hub\.faster-whisper is not on this machine"
    ):
        recognition.load(known, hub="base")
    assert [how["local_files_only"] for _, how in calls] == [True, False, True]
    assert calls[0][1]["revision"] == known.facts["revision"] and len(known.facts["revision"]) == 40
    assert not any(one in ("*", "*.py", "*.bin") for one in calls[0][1]["allow_patterns"])


def test_a_missing_library_is_answered_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'affetto\[asr\]'"):
        recognition.load(card(tmp_path))


# A real one, tiny and random.

NAMED = "endoftext startoftranscript translate transcribe startoflm startofprev nospeech notimestamps".split()
SPECIAL = [f"<|{name}|>" for name in NAMED]


def save_tokenizer(folder):
    """Save a tokenizer of bytes, without merges, with the tokens that Whisper asks for."""
    tokenizers = pytest.importorskip("tokenizers")
    from tokenizers import decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(SPECIAL)
    made.save(str(folder / "tokenizer.json"))
    return made


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Make a Whisper of random weights, and convert it as its makers do."""
    for name in ("faster_whisper", "ctranslate2"):
        pytest.importorskip(name)
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    import ctranslate2

    root = tmp_path_factory.mktemp("whisper")
    tokenizer = save_tokenizer(root)
    torch.manual_seed(7)
    ids = {name: tokenizer.token_to_id(name) for name in SPECIAL}
    size = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "init_std": 0.6}
    size |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_target_positions": 448}
    config = transformers.WhisperConfig(
        **size, vocab_size=tokenizer.get_vocab_size() + 1501, decoder_start_token_id=ids["<|startoftranscript|>"],
        bos_token_id=ids["<|endoftext|>"], eos_token_id=ids["<|endoftext|>"], pad_token_id=ids["<|endoftext|>"],
        suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    network = transformers.WhisperForConditionalGeneration(config).eval()
    network.generation_config.suppress_tokens = []
    network.generation_config.begin_suppress_tokens = []
    network.save_pretrained(root)
    transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(root / "tokenizer.json"),
        eos_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[1:],
    ).save_pretrained(root)
    out = root / "tiny"
    ctranslate2.converters.TransformersConverter(str(root), copy_files=["tokenizer.json"]).convert(str(out))
    return out


def test_a_tiny_whisper_is_loaded_and_heard(tiny, tmp_path):
    assert json.loads((tiny / "config.json").read_text())
    recogniser = recognition.load(card(tmp_path), hub=str(tiny))
    record = sound(np.concatenate([silence(1.0), TALK, silence(2.0), TALK]))
    ((track,),) = recogniser([record])
    ((again,),) = recogniser([record])
    assert track == again and track.space.id == "speaking" and track.source == "my.asr@3"
    assert track.end.max() <= record.signals[0].duration + 1e-6
    if not np.isnan(track.values).all():
        assert (track.start >= 1.0).all() and (track.end <= record.signals[0].duration + 1e-6).all()
        assert ((track.values >= 0) & (track.values <= 1)).all() and (
            (track.confidence > 0) & (track.confidence <= 1)
        ).all()
        assert all(turn.span in Span(0, 20) for turn in recognition.turns_of(track))
        assert recognition.turns_of(track)
    with pytest.raises(UnknownNameError, match="language of tiny"):
        recognition.load(card(tmp_path), hub=str(tiny), language="xx")
