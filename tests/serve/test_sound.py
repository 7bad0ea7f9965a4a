"""Recordings on the command line: rows, rates, channels, folders, plots, and sentences for what is no recording."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from affetto.serve.cli import page
from tests.voices import phrase, save, silence

TALK = np.concatenate([silence(0.5), phrase(140, 1.5), silence(1.2), phrase(220, 2.0, seed=3), silence(0.5)])


def run(*words):
    return CliRunner().invoke(page, [str(word) for word in words], standalone_mode=True)


@pytest.fixture
def talk(tmp_path):
    return save(tmp_path / "talk.wav", TALK)


def test_a_recording_is_answered_in_lines(talk):
    done = run("perceive", talk)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert sum("ravdess-8" in line for line in lines) == 2
    assert sum(" va: valence" in line for line in lines) == 2
    assert sum("prosody: pitch" in line and " Hz" in line for line in lines) == 2
    assert sum("88 numbers" in line for line in lines) == 2


def test_json_holds_everything_but_the_sound(talk):
    (line,) = run("perceive", talk, "--json", "-m", "speech.prosody").output.splitlines()
    plain = json.loads(line)
    assert plain["signals"][0]["path"].endswith("talk.wav")
    assert [len(track["start"]) for track in plain["tracks"]] == [2, 2]
    assert len(line) < 40_000


def test_a_rate_gives_a_curve(talk, tmp_path):
    out = tmp_path / "curve.csv"
    assert run("perceive", talk, "--rate", 2, "-m", "speech.affect", "--out", out, "--long", "-q").exit_code == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    starts = sorted({float(row["start"]) for row in rows})
    assert np.diff(starts) == pytest.approx(0.5)
    assert len(starts) == pytest.approx(len(TALK) / 16000 * 2, abs=1)


def test_channels_are_speakers(tmp_path):
    call = save(tmp_path / "call.wav", np.stack([TALK, np.roll(TALK, 20000)], 1))
    done = run("perceive", call, "--speakers", "agent,customer", "-m", "speech.prosody")
    assert {line.split()[1] for line in done.output.splitlines()} == {"agent", "customer"}
    done = run("perceive", call, "--speakers", "a,b,c", "-m", "speech.prosody")
    assert done.exit_code == 2
    assert "2 channels" in done.output


def test_subtitles_beside_it_are_its_turns(talk):
    talk.with_suffix(".srt").write_text("1\n00:00:00,500 --> 00:00:02,000\nANN: Hello there!\n", "utf-8")
    done = run("perceive", talk)
    assert done.exit_code == 0, done.output
    assert "Ann expressed" in done.output or "ANN expressed" in done.output
    assert "goemotions-28" in done.output
    assert "ravdess-8" in done.output


def test_a_plot_is_drawn(talk, tmp_path):
    done = run("perceive", talk, "--plot", tmp_path / "x.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
    assert run("perceive", talk, "--plot", tmp_path / "x.docx").exit_code == 2


def test_a_folder_is_answered_and_a_bad_file_stops_nobody(talk, tmp_path):
    (tmp_path / "broken.mp3").write_bytes(b"no sound at all")
    out = tmp_path / "answers.jsonl"
    done = run("perceive", tmp_path, "--out", out, "-m", "speech.prosody")
    assert done.exit_code == 1
    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [record["id"] for record in records] == ["broken", "talk"]
    assert "error" in records[0]["meta"]
    assert records[1]["tracks"]


@pytest.mark.parametrize("form", ["TextGrid", "rttm", "jsonl", "csv"])
def test_answers_go_into_the_formats_of_the_field(talk, tmp_path, form):
    out = tmp_path / f"answers.{form}"
    assert run("perceive", talk, "--out", out, "-q").exit_code == 0
    assert out.stat().st_size > 100


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.wav", b"this is no sound", "text.wav"),
        ("empty.mp3", b"", "empty.mp3"),
        ("cut.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "cut.wav"),
        ("picture.wav", b"\x89PNG\r\n\x1a\n" + bytes(64), "picture.wav"),
    ],
)
def test_what_is_no_recording_gets_one_sentence(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    done = run("perceive", tmp_path / name)
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert "Traceback" not in done.output


def test_silence_is_not_said(tmp_path):
    done = run("perceive", save(tmp_path / "still.wav", silence(2.0)))
    assert done.exit_code == 0
    assert all("not said (no voice)" in line for line in done.output.splitlines())


def test_explain_names_seconds(talk):
    done = run("explain", talk, "--space", "ravdess-8", "-m", "speech.affect")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()


def test_in_python_a_path_a_record_and_a_rate(talk):
    import affetto

    (by_path,) = affetto.perceive(Path(talk), "speech.affect")
    by_record = affetto.perceive(next(affetto.read(talk)), "speech.affect")
    assert by_path.tracks == by_record.tracks
    curve = affetto.perceive(next(affetto.read(talk)), "speech.affect", rate=4.0)
    assert len(curve.tracks[0]) > len(by_record.tracks[0])
    assert Path(by_path.signals[0].path) == talk
