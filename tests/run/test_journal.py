import numpy as np
import pytest

from affetto import api
from affetto.core import catalog
from affetto.core.errors import AffettoError
from affetto.core.track import Track
from affetto.run.journal import Journal

VA = catalog.load("va")


def track(start):
    return Track(VA, [start], [start + 1], [[0.5, np.nan]], subject="person-1", channel="face", source="face@1")


def test_what_was_written_is_there_again(tmp_path):
    path = tmp_path / "film.part.jsonl"
    journal = Journal(path, {"models": ["face@1"], "rate": 5.0})
    journal.write("face", 60.0, (track(0),), {"people": [1]})
    journal.write("voice", 30.0, (), {})
    journal.write("face", 120.0, (track(60), track(61)), {"people": [1, 2]})
    again = Journal(path, {"rate": 5.0, "models": ["face@1"]}, resume=True)
    assert [(entry.until, len(entry.tracks)) for entry in again.parts["face"]] == [(60.0, 1), (120.0, 2)]
    assert again.parts["face"][-1].state == {"people": [1, 2]}
    assert again.parts["face"][0].tracks[0] == track(0) and again.parts["voice"][0].tracks == ()
    again.remove()
    assert not path.exists()


def test_it_is_a_file_of_records_that_anybody_can_read(tmp_path):
    path = tmp_path / "film.part.jsonl"
    Journal(path, {}).write("face", 60.0, (track(0),), {})
    first, second = api.read(path)
    assert first.meta["asked"] == {} and second.tracks == (track(0),)


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_line_that_was_cut_off_is_forgotten_and_written_anew(tmp_path, cut):
    path = tmp_path / "film.part.jsonl"
    journal = Journal(path, {})
    journal.write("face", 60.0, (track(0),), {})
    journal.write("face", 120.0, (track(60),), {})
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    again = Journal(path, {}, resume=True)
    assert [entry.until for entry in again.parts["face"]] == [60.0]
    again.write("face", 120.0, (track(60),), {})
    assert path.read_bytes() == whole


def test_other_options_or_another_file_are_refused_and_without_resume_it_begins_anew(tmp_path):
    path = tmp_path / "film.part.jsonl"
    Journal(path, {"rate": 5.0}).write("face", 60.0, (track(0),), {})
    with pytest.raises(AffettoError, match="asked with other options"):
        Journal(path, {"rate": 10.0}, resume=True)
    assert Journal(path, {"rate": 10.0}).parts == {}
    path.write_text("hello\n")
    with pytest.raises(AffettoError, match="no journal"):
        Journal(path, {}, resume=True)
