"""A made talk as files, and the command that makes one: the film plays, and its truth is read back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from affetto import api, recordings
from affetto.core.record import Record
from affetto.formats import json as records
from affetto.generate import demo, film
from affetto.generate.talk import Line, Person, Talk
from affetto.media.recording import read_recording
from affetto.serve.demo import FILES
from affetto.serve.demo import demo as command
from affetto.serve.manners import Page

SHORT = Talk(
    "short",
    (Person("Ann", "left"), Person("Ben", "right", 1, 1), Person("Sam", "", voice=2)),
    (
        Line("Ann", "Good news!", "joy", listeners={"Ben": "surprise"}),
        Line("Ben", "Oh great.", "anger", face="joy", words="joy", pause=0.2),
        Line("Ann", "Really?", "surprise", pause=0.1),
        Line("Ben", "Yes.", pause=0.1),
    ),
    lead=0.2,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.make(tmp_path_factory.mktemp("talk"), SHORT)


def test_the_film_has_pictures_sound_and_turns(made: Path) -> None:
    record = read_recording(made)
    heard, seen = record.signals
    samples = np.concatenate(list(heard.blocks(10)))
    pictures = np.concatenate(list(seen.blocks(10)))
    assert abs(len(samples) / heard.rate - seen.duration) < 0.2 and np.abs(samples).max() > 0.1
    assert pictures.shape[1:] == (360, 640, 3) and pictures[:, :180, :320].std() > 20
    assert [turn.speaker for turn in record.turns] == ["Ann", "Ben", "Ann", "Ben"]


def test_its_truth_is_a_record(made: Path) -> None:
    (record,) = records.read(made.with_suffix(film.TRUTH))
    assert record.id == "short" and record.turns[0].text == "Good news!"
    boxes = {t.subject: t.box for t in record.tracks if t.space.id == "arkit-52"}
    assert boxes["Ann"][:, 2].max() < 320 < boxes["Ben"][:, 0].min()
    assert ((boxes["Ann"][:, 3] - boxes["Ann"][:, 1]) > 90).all()
    assert [line["conflict"] for line in record.meta["lines"]] == [False, True, False, False]
    assert {path.name for path in made.parent.iterdir()} == {"short.mp4", "short.srt", "short.truth.json"}


def test_the_mouth_moves_when_its_owner_speaks(made: Path) -> None:
    (record,) = records.read(made.with_suffix(film.TRUTH))
    for name in ("Ann", "Ben"):
        moves = next(t for t in record.tracks if t.subject == name and t.space.id == "arkit-52")
        spoken = next(t for t in record.tracks if t.subject == name and t.space.id == "speaking")
        during = [any(a <= s < b for a, b in zip(spoken.start, spoken.end, strict=True)) for s in moves.start]
        lip = moves.column("mouthLowerDownLeft")
        assert lip[during].mean() > 2 * lip[~np.array(during)].mean()


def test_the_ready_made_talk_has_what_it_promises() -> None:
    talk = demo.TALK
    assert len(talk.seen) == 2 and any(not person.side for person in talk.people)
    assert len({line.feeling for line in talk.lines}) >= 4 and sum(line.conflict for line in talk.lines) == 1
    heard = [line.speaker for line in talk.lines]
    assert all(heard.count(person.name) >= 2 for person in talk.people)  # else subtitles do not name them


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    def perceive(path: Path) -> list[Record]:
        return [Record(path.stem)]

    def report(record: Record, out: Path) -> None:
        out.write_text(record.id, "utf-8")

    def made(folder: Path) -> Path:
        (folder / "demo.mp4").write_bytes(b"film")
        return folder / "demo.mp4"

    monkeypatch.setattr(recordings, "demo_film", made)
    monkeypatch.setattr(api, "perceive", perceive)
    monkeypatch.setattr(recordings, "report", report)
    group = Page("affetto")
    group.add_command(command)
    return group


def test_the_command_says_what_it_made_and_where(page: Any, tmp_path: Path) -> None:
    ran = CliRunner().invoke(page, ["demo", "--output", str(tmp_path / "a" / "b")])
    assert ran.exit_code == 0, ran.output
    assert all(str(tmp_path / "a" / "b" / name) in ran.output for name in FILES)
    assert (tmp_path / "a" / "b" / "demo.html").read_text("utf-8") == "demo"


def test_the_command_keeps_what_is_there(page: Any, tmp_path: Path) -> None:
    (tmp_path / "demo.html").write_text("mine", "utf-8")
    kept = CliRunner().invoke(page, ["demo", "--output", str(tmp_path)])
    assert kept.exit_code == 2 and "--overwrite" in kept.output
    assert (tmp_path / "demo.html").read_text("utf-8") == "mine"
    assert CliRunner().invoke(page, ["demo", "--output", str(tmp_path), "--overwrite"]).exit_code == 0


def test_a_folder_that_cannot_be_is_told(page: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    ran = CliRunner().invoke(page, ["demo", "--output", str(tmp_path / "file" / "in")])
    assert ran.exit_code == 2 and "cannot be written" in ran.output
