"""A voice that sounds like one and is spoken by two mouths is two, where the mouths say so."""

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.track import Track
from affetto.models.fusion.linking import gathered, linked
from affetto.models.fusion.parting import parted
from tests.models.test_linking import TALK, face, two, voice

VA = catalog.load("va")


def as_one(name="speaker"):
    """Return two faces whose voices were taken for one, with a Track of its feelings."""
    spans = sorted(TALK["Ann"] + TALK["Ben"])
    start, end = np.transpose(spans)
    values = [[0.5 if span in TALK["Ann"] else -0.5, 0.0] for span in spans]
    feels = Track(VA, start, end, values, subject=name, channel="voice")
    return [*two()[:2], voice(name, spans), feels]


def test_two_mouths_are_two_voices_with_all_that_was_said_of_each():
    found = parted(as_one())
    voices = {track.subject for track in found if track.channel == "voice"}
    assert voices == {"voice-1", "voice-2"}
    pairs = linked(found).pairs
    for name in voices:
        person = "Ann" if pairs[name] == "person-2" else "Ben"
        spoken, feels = (t for t in found if t.subject == name)
        assert list(zip(spoken.start, spoken.end, strict=True)) == TALK[person]
        assert set(feels.values[:, 0]) == {0.5 if person == "Ann" else -0.5}


def test_a_name_keeps_its_voice_whole_and_one_face_tells_nothing():
    assert parted(as_one("Ann"), ["Ann"]) == tuple(as_one("Ann"))
    assert parted(as_one()[1:]) == tuple(as_one()[1:])


def test_a_few_syllables_are_no_second_voice():
    short = [(0.0, 4.0), (9.0, 13.0), (20.0, 24.0)]
    listener = face("person-1", [(4.5, 5.4)], 3)
    tracks = [listener, face("person-2", short, 4), voice("speaker", [*short, (4.5, 5.4)])]
    assert parted(tracks) == tuple(tracks)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_told_apart_stays_so(seed):
    assert parted(two(seed=seed * 10)) == tuple(two(seed=seed * 10))
    assert gathered(parted(two(seed=seed * 10))) == tuple(two(seed=seed * 10))


def test_still_mouths_speak_for_nobody():
    tracks = [face("person-1", [], 1), face("person-2", [], 2), voice("speaker", TALK["Ann"] + TALK["Ben"])]
    assert parted(tracks) == tuple(tracks)
