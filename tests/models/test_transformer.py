"""A classifier of transformers, tiny and random, made here: read by its card alone, offline, in windows."""

from pathlib import Path

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.card import read_card
from affetto.core.errors import CatalogError, MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.models.text import transformer as backend
from affetto.models.weights import NETWORK, checksum

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LABELS = ("negative", "neutral", "positive")
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "am", "so", "glad", "sad", "##der", "today", ".", "!")
TEXTS = ("I am so glad today!", "so sadder", "I am so glad today. " * 60)
CARD = """id = "{id}"
kind = "model"
version = "3"
title = "Tiny"
load = "affetto.models.text.transformer:load"
spaces = ["{space}"]
channel = "text"
licence = "MIT"
hub = "tiny"
activation = "{activation}"
max_tokens = 16
{more}
"""


def save(folder, labels=LABELS, safe=True):
    """Save a tiny random BERT and its tokenizer."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=16,
        initializer_range=1.0,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    network = transformers.BertForSequenceClassification(config).eval()
    network.save_pretrained(folder)
    if not safe:
        torch.save(network.state_dict(), folder / "pytorch_model.bin")
        (folder / backend.WEIGHTS).unlink()
    return network


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    return folder, save(folder / "tiny")


def card(folder, more="", space="sentiment-3", activation="softmax", id="my.tiny"):
    path = folder / f"{id}.toml"
    path.write_text(CARD.format(id=id, space=space, activation=activation, more=more))
    return read_card(path)


def loaded(tiny, **facts):
    return backend.load(card(tiny[0], **facts))


def post(text, id="1"):
    return Record(id, (Text(text),))


def direct(tiny, text):
    """Return the logits that transformers gives of a short text by itself."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny[0] / "tiny")
    with torch.inference_mode():
        return tiny[1](**tokenizer(text, return_tensors="pt")).logits.numpy()[0]


def test_it_says_what_transformers_says(tiny):
    model = loaded(tiny)
    answers = model([post(TEXTS[0]), post(""), post(TEXTS[1]), post(TEXTS[2])])
    for k, text in ((0, TEXTS[0]), (2, TEXTS[1])):
        raised = np.exp(direct(tiny, text))
        assert answers[k][0].values[0] == pytest.approx(raised / raised.sum(), abs=1e-5)
    assert np.isnan(answers[1][0].values).all()
    assert answers[3][0].values[0].sum() == pytest.approx(1, abs=1e-5)
    assert answers[0][0].source == "my.tiny@3"
    assert answers[0][0].confidence is None


def test_a_long_text_is_the_mean_of_its_windows_by_their_length(tiny):
    model = loaded(tiny)
    ids = model.tokenizer(TEXTS[2], add_special_tokens=False)["input_ids"]
    room, step = 14, 10
    starts = range(0, max(1, len(ids) - (room - step)), step)
    windows = [[2, *ids[start : start + room], 3] for start in starts]
    with torch.inference_mode():
        logits = np.stack([tiny[1](torch.tensor([window])).logits.numpy()[0] for window in windows])
    wanted = np.average(logits, 0, [len(window) for window in windows])
    assert model.logits([TEXTS[2], TEXTS[1]])[0] == pytest.approx(wanted, abs=1e-4)
    assert len(windows) > 30


def test_a_batch_answers_as_one_by_one_and_any_text_is_read(tiny):
    model = loaded(tiny)
    odd = ("😂", "\u202eשמח", "so sad \ud83d", "a" * 10_000, "\x00", "?", TEXTS[0] * 5000)
    records = [post(text, str(i)) for i, text in enumerate((*TEXTS, *odd))]
    for together, record in zip(model(records), records, strict=True):
        assert model([record])[0][0].values == pytest.approx(together[0].values, abs=1e-5)
    assert model([]) == []
    assert model([Record("none")]) == [()]


def test_several_labels_at_once_have_a_note_and_what_nobody_says_is_nan(tiny):
    more = "threshold = 0.4\n[labels]\nnegative = 'sadness'\nneutral = 'fear'\npositive = 'joy'"
    (track,) = loaded(tiny, space="brighter-6", activation="sigmoid", more=more)([post(TEXTS[0])])[0]
    p = 1 / (1 + np.exp(-direct(tiny, TEXTS[0])))
    for name, wanted in zip(("sadness", "fear", "joy"), p, strict=True):
        assert track.column(name)[0] == pytest.approx(wanted, abs=1e-5)
    assert np.isnan(track.column("anger")[0])
    named = [
        name for name, q in sorted(zip(("sadness", "fear", "joy"), p, strict=True), key=lambda x: -x[1]) if q >= 0.4
    ]
    assert (track.note or ("",)) == ("; ".join(named),)


def test_labels_of_one_name_add_up_or_the_surest_counts(tiny):
    more = "[labels]\nnegative = 'joy'\nneutral = 'joy'\npositive = 'fear'"
    raised = np.exp(direct(tiny, TEXTS[0]))
    p = raised / raised.sum()
    (one,) = loaded(tiny, space="ekman-7", more=more)([post(TEXTS[0])])[0]
    assert one.column("joy")[0] == pytest.approx(p[0] + p[1], abs=1e-5)
    assert one.column("anger")[0] == 0
    (some,) = loaded(tiny, space="brighter-6", more=more)([post(TEXTS[0])])[0]
    assert some.column("joy")[0] == pytest.approx(max(p[0], p[1]), abs=1e-5)


@pytest.mark.parametrize(
    "facts, words",
    [
        ({"activation": "sigmoid"}, "one label is right, which wants activation = 'softmax'"),
        ({"activation": "relu"}, "activation is softmax or sigmoid, not 'relu'"),
        ({"space": "vad"}, "vad is of kind 'graded'"),
        ({"more": "[labels]\nnegative = 'negative'"}, "differ in neutral, positive"),
        ({"more": "threshold = 'high'"}, "threshold is not of the kind"),
        ({"more": "sha256 = 'f00d'"}, "are not what its card says"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_in_one_sentence(tiny, facts, words):
    with pytest.raises(CatalogError, match=words):
        loaded(tiny, **facts)


def test_labels_that_the_space_does_not_know_are_refused(tiny):
    with pytest.raises(UnknownNameError, match="no axis of ekman-7 is called 'negative'"):
        loaded(tiny, space="ekman-7")


def test_a_window_longer_than_the_network_is_refused(tiny):
    path = Path(card(tiny[0], id="my.wide").path)
    path.write_text(path.read_text().replace("max_tokens = 16", "max_tokens = 512"))
    with pytest.raises(CatalogError, match="max_tokens is 512, but tiny reads 16 at most"):
        backend.load(read_card(path))


def test_weights_are_checked_where_the_card_gives_their_checksum(tiny):
    assert loaded(tiny, more=f"sha256 = '{checksum(tiny[0] / 'tiny' / backend.WEIGHTS)}'").card.sha256


def test_pickles_are_never_read(tmp_path):
    save(tmp_path / "tiny", safe=False)
    with pytest.raises(UnreadableError, match=r"tiny is no classifier that my\.tiny can read"):
        backend.load(card(tmp_path))


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Return what the hub was asked for; it has nothing, and no cache."""
    import huggingface_hub

    calls = []

    def snapshot(hub, **how):
        calls.append((hub, how))
        raise OSError("nothing here\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.delenv(NETWORK, raising=False)
    return calls


def test_nothing_is_fetched_unless_asked(asked, monkeypatch):
    known = catalog.find("hub.goemotions-roberta")
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
        backend.load(card(tmp_path), network=True)
    with pytest.raises(CatalogError, match="names no revision"):
        backend.load(card(tmp_path, more="network = true"), network=True)
    assert [how["local_files_only"] for _, how in asked] == [True]


def test_a_missing_library_is_answered_with_what_to_install(tiny, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'affetto\[hub\]'"):
        loaded(tiny)


def test_the_shipped_card_fits_its_space():
    known = catalog.find("hub.goemotions-roberta")
    facts = backend._facts(known)
    assert backend._columns(known, facts, catalog.load("goemotions-28"), catalog.load("goemotions-28").names) == tuple(
        range(28)
    )
