"""What the speech recipes take in: a folder of CREMA-D in its official layout, which anybody may have."""

import pytest

from affetto.core import catalog
from tests.voices import phrase, save

pytest.importorskip("sklearn")


def test_lessons_come_from_an_official_folder_of_crema_d(tmp_path, monkeypatch):
    from recipes.speech_lessons import ASKED, lessons, there

    corpus = catalog.load("crema-d")
    folder = tmp_path / corpus.card.facts["folder"]
    folder.mkdir(parents=True)
    corpus.faker(folder)
    for record in corpus.read("all", folder=folder):
        path = folder / record.meta["file"]
        path.parent.mkdir(exist_ok=True)
        save(path, phrase(150, 0.8))
    monkeypatch.setenv("AFFETTO_DATA", str(tmp_path))
    assert there(["crema-d", "ravdess"]) == ["crema-d"]
    made, found = (lessons(["crema-d"], tmp_path / "work") for _ in range(2))
    assert [(one.id, one.label, one.fold) for one in made] == [(one.id, one.label, one.fold) for one in found]
    assert len(found) >= 2
    assert {one.label for one in found} <= set(ASKED["crema-d"])
    assert all(one.mel.shape[1] == 80 and len(one.mel) for one in found)
    assert all(1 <= one.fold <= 6 for one in found)
    assert len({(one.speaker, one.fold) for one in found}) == len({one.speaker for one in found})
