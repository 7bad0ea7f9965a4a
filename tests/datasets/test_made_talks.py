"""Made talks, read: truth with its Tracks, sound and film opened only when somebody looks."""

from pathlib import Path

import pytest

from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.signal import Audio, Frames
from affetto.datasets.corpus import Corpus
from tests.films import film


@pytest.fixture
def corpus() -> Corpus:
    return catalog.load("made-talks")


@pytest.fixture
def folder(corpus: Corpus, tmp_path: Path) -> Path:
    corpus.faker(tmp_path)
    return tmp_path


def test_a_talk_is_its_truth(corpus: Corpus, folder: Path) -> None:
    first, second = corpus.read("dev", folder=folder)
    assert (first.id, second.id) == ("dev-00-two", "dev-01-two")
    assert first.people["Ann"]["visible"] and first.turns[0].text == "Hi!"
    assert {track.source for track in first.tracks} == {"drawn"}
    assert first.meta["subtitles"] == "names" and first.meta["path"] == str(folder / "dev" / "dev-00-two.mp4")
    assert first.meta["lines"][0]["feeling"] == "joy"


def test_sound_and_film_are_opened_when_asked(corpus: Corpus, folder: Path) -> None:
    import numpy as np

    record = next(iter(corpus.read("test", folder=folder)))
    heard, seen = record.signals
    assert isinstance(heard, Audio) and isinstance(seen, Frames)
    with pytest.raises(UnreadableError):
        list(seen.blocks())
    film(folder / "test" / "test-00-two.mp4", [np.full((360, 640, 3), k * 20, np.uint8) for k in range(10)], sound=1)
    times, pictures = next(iter(seen.timed()))
    assert pictures.shape[1:] == (360, 640, 3) and times[0] == 0
    assert sum(len(block) for block in heard.blocks()) > 8000


def test_an_id_that_leads_elsewhere_is_refused(corpus: Corpus, folder: Path) -> None:
    (folder / "dev" / "talks.csv").write_text("id,duration,variant,subtitles\n../x,3,two,names\n", "utf-8")
    with pytest.raises(UnreadableError, match="no name of a file"):
        list(corpus.read("dev", folder=folder))
