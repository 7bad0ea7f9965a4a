"""What every Model of the catalog that listens to voices keeps, whoever wrote it."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import CatalogError, MissingExtraError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Audio, Text
from affetto.core.span import Span
from tests.voices import noise, phrase, silence, tone

RATE = 16000
TALK = np.concatenate([silence(0.5), phrase(140, 1.5), silence(1.2), phrase(220, 2.0, seed=3), silence(0.5)])
HOSTILE = {
    "nothing": silence(0.0),
    "one sample": np.ones(1, np.float32),
    "silence": silence(2.0),
    "all one": np.ones(RATE, np.float32),
    "clipped": np.sign(TALK).astype(np.float32),
    "very quiet": TALK * np.float32(1e-4),
    "noise": noise(2.0, 0.3),
    "a tone": tone(440, 2.0),
    "a click": np.eye(1, RATE, 8000, dtype=np.float32)[0],
    "very short voice": phrase(150, 0.3),
}


def published() -> list[str]:
    cards = catalog.cards("model").items()
    heard = {
        id: card for id, card in cards if card.channel == "voice" and id != "hub.faster-whisper"
    }  # that one writes
    return [id for id, card in heard.items() if card.sha256 or "weights" not in card.facts]


@pytest.fixture(params=published())
def model(request: pytest.FixtureRequest) -> Model:
    card = catalog.find(request.param)
    try:
        return catalog.load(card.id)
    except (MissingExtraError, UnreadableError, CatalogError) as error:
        if not {"extra", "network", "get"} & set(card.facts):
            raise
        pytest.skip(str(error))


def recording(samples, id="r", turns=(), block=None, **meta):
    wide = np.atleast_2d(np.asarray(samples, np.float32).T).T

    def open(seconds):
        step = block or int(seconds * RATE)
        return (wide[start : start + step] for start in range(0, len(wide), step))

    return Record(id, (Audio("made.wav", RATE, len(wide) / RATE, open, wide.shape[1]),), turns, meta=meta)


def test_it_is_a_model_of_the_voice(model):
    assert isinstance(model, Model)
    rows = dict.fromkeys(model.card.spaces, 0)
    for track in model([recording(TALK)])[0]:
        rows[track.space.id] += len(track)
        assert (track.channel, track.unit) == ("voice", "s")
        assert track.subject == "speaker" or track.subject.startswith("voice-")
        assert track.source in {str(catalog.find(id)) for id in model.card.facts.get("parts", [model.card.id])}
        assert (track.start >= 0).all()
        assert (track.end <= len(TALK) / RATE + 0.01).all()
    assert set(rows.values()) == {2}


def test_as_many_answers_as_records_in_order_whatever_is_beside_them(model):
    records = [recording(TALK, "1"), Record("2", (Text("words"),)), Record("3"), recording(silence(1.0), "4")]
    answers = model(records)
    assert [bool(tracks) for tracks in answers] == [True, False, False, True]
    assert model([]) == []
    assert model([records[0]])[0] == answers[0]
    assert all(np.isnan(track.values).all() for track in answers[3])


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_breaks_it(model, what):
    for track in model([recording(HOSTILE[what])])[0]:
        assert len(track) >= 1
        assert not np.isinf(track.values).any()


def test_no_voice_is_not_said(model):
    for still in ("nothing", "silence", "one sample"):
        for track in model([recording(HOSTILE[still])])[0]:
            assert np.isnan(track.values).all()
            assert track.note == ("no voice",)


def test_answers_do_not_depend_on_blocks(model):
    assert model([recording(TALK, block=777)]) == model([recording(TALK)])


def test_turns_are_rows_of_their_speakers(model):
    turns = (
        Turn("Ann", Span(0.5, 2.0, "s"), "oh"),
        Turn("Bob", Span(3.2, 5.0, "s"), "ah"),
        Turn("Bob", Span(5.1, 5.6, "s"), ""),
    )
    tracks = model([recording(TALK, turns=turns)])[0]
    assert {track.subject for track in tracks} == {"Ann", "Bob"}
    assert {len(track) for track in tracks if track.subject == "Bob"} == {2}


def test_channels_are_speakers(model):
    two = np.stack([TALK, TALK[::-1]], 1)
    tracks = model([recording(two, speakers=["agent", "customer"])])[0]
    assert {track.subject for track in tracks} == {"agent", "customer"}
