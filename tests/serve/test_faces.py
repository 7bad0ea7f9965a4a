"""Faces on the command line: pictures, films, channels, rates, drawings, and what people are told of them."""

import csv
import json
import os
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import affetto
from affetto import api, timeline
from affetto.core import catalog
from affetto.core.errors import UnknownNameError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Frames, Image, Text
from affetto.core.track import Track
from affetto.explain import seeing
from affetto.models import asking
from affetto.serve import faces, terminal
from affetto.serve.cli import page
from affetto.serve.faces import looks, stretches
from tests import portraits
from tests.portraits import EKMAN, Smiles, answers, clip, portrait


@dataclass(frozen=True)
class Eyes:
    """How the made Model looks."""

    rate: float = 0.0


@dataclass(frozen=True)
class Watching:
    """A Model that looks at whole pictures and films, and sees one face that smiles as its lips are wide."""

    card = Smiles.card
    looking: Eyes = field(default_factory=Eyes)

    def __call__(self, records):
        return [tuple(track for signal in record.signals for track in self.answer(signal)) for record in records]

    def windows(self, record, seconds=60.0, state=None):
        (tracks,) = self([record])
        yield SimpleNamespace(until=max(track.end.max() for track in tracks), tracks=tracks, state={"over": True})

    def joined(self, tracks):
        return tuple(tracks)

    def answer(self, signal):
        if isinstance(signal, Image):
            joy, box = self.seen(signal.pixels)
            return answers([0], [0], [joy], [box]) if joy is not None else portrait().tracks
        if not isinstance(signal, Frames):
            return ()
        found = [
            (float(second), *self.seen(frame))
            for times, block in signal.timed()
            for second, frame in zip(times, block, strict=True)
        ]
        if self.looking.rate:
            found = [one for k, one in enumerate(found) if k % max(1, round(signal.rate / self.looking.rate)) == 0]
        start, joys, boxes = zip(*found, strict=True)
        end = [*start[1:], max(signal.duration, start[-1])]
        return answers(start, end, joys, boxes)

    def seen(self, pixels):
        skin = np.argwhere(abs(pixels.astype(int) - portraits.SKIN).sum(2) < 60)
        if not len(skin):
            return None, [0, 0, 1, 1]
        (top, left), (bottom, right) = skin.min(0), skin.max(0)
        lips = np.argwhere(abs(pixels.astype(int) - portraits.LIPS).sum(2) < 90)
        wide = np.ptp(lips[:, 1]) if len(lips) else 0
        return float(np.clip((wide / (right - left) - 0.04) / 0.36, 0, 1)), [left, top, right + 1, bottom + 1]


@pytest.fixture(autouse=True)
def watching(monkeypatch):
    """Let the made Model answer for the card `face`, and for that of the mesh, which nobody needs."""
    load, cards = catalog.load, catalog.cards
    made = {"face": Watching, "timeline": lambda: timeline.load(catalog.find("timeline"))}
    monkeypatch.setattr(catalog, "load", lambda name: made[name]() if name in made else load(name))
    monkeypatch.setattr(catalog, "cards", lambda kind=None: {i: c for i, c in cards(kind).items() if i != "face.mesh"})


@pytest.fixture
def picture(tmp_path):
    cv2.imwrite(str(tmp_path / "portrait.png"), portrait(0.9).signals[0].pixels[..., ::-1])
    return tmp_path / "portrait.png"


@pytest.fixture
def film(tmp_path):
    """A film of 4 seconds at 10 frames a second: a second each of no smile, a smile, nobody, half a smile."""
    joys = [0.05] * 10 + [0.9] * 10 + [None] * 10 + [0.7] * 10
    with av.open(str(tmp_path / "clip.mp4"), "w") as made:
        stream = made.add_stream("mpeg4", 10)
        stream.width = stream.height = 120
        for block in clip(joys, rate=10.0).signals[0].blocks():
            for frame in block:
                made.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        made.mux(stream.encode(None))
    return tmp_path / "clip.mp4"


def run(*words):
    return CliRunner().invoke(page, [str(word) for word in words], standalone_mode=True)


def drawn(*records, width=100):
    screen = Console(width=width, record=True, file=open(os.devnull, "w"), highlight=False)  # noqa: PTH123, SIM115
    terminal.show(list(records), screen)
    screen.file.close()
    return screen.export_text()


def test_a_picture_is_answered_in_a_line_a_person(picture):
    done = run("perceive", picture)
    assert done.exit_code == 0, done.output
    (line,) = done.output.splitlines()
    assert line.startswith("person-1 expressed ekman-8: joy 0.8")
    assert "(confidence" in line and "valence +0.8" in line and "AU12 4." in line
    assert line.endswith("| in the middle, 68 x 80 pixels")


def test_a_film_is_told_stretch_by_stretch_and_not_frame_by_frame(film):
    done = run("perceive", film, "--channel", "face")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("0:00.0 to 0:01.0 person-1 expressed ekman-8: neutral")
    assert lines[1].startswith("0:01.0 to 0:02.0 person-1 expressed ekman-8: joy") and lines[1].endswith("| 5 frames")
    assert lines[2] == "0:02.0 to 0:03.0 person-1 expressed ekman-8: not said (no face)"


def test_json_holds_every_frame_and_every_space(film):
    (line,) = run("perceive", film, "--json").output.splitlines()
    plain = json.loads(line)
    spaces = [one["space"] if isinstance(one["space"], str) else one["space"]["id"] for one in plain["tracks"]]
    assert {"ekman-8", "va", "facs-au"} <= set(spaces)
    assert len(plain["tracks"][0]["start"]) > 15 and plain["tracks"][0]["box"]


def test_a_rate_says_how_many_frames_are_looked_at(film, tmp_path):
    rows = {}
    for rate in (2, 10):
        out = tmp_path / f"{rate}.csv"
        assert run("perceive", film, "--channel", "face", "--rate", rate, "-o", out, "-q").exit_code == 0
        rows[rate] = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert len(rows[2]) == pytest.approx(8, abs=1) and len(rows[10]) == pytest.approx(40, abs=1)
    assert float(rows[10][12]["person-1.ekman-8.joy"]) > 0.7
    assert not any(rows[10][25][f"person-1.ekman-8.{name}"] for name in EKMAN.names)
    assert rows[10][25]["person-1.ekman-8.note"] == "no face"


def test_the_rate_reaches_the_model_from_python(film):
    (record,) = affetto.perceive(film, rate=10.0, channels=("face",))
    assert record.signals[0].rate == 10 and len(record.tracks[0]) == pytest.approx(40, abs=1)
    slow = affetto.perceive(record.blind(), rate=5.0, channels=("face",))
    assert len(slow.tracks[0]) == pytest.approx(20, abs=1)


def test_a_folder_is_answered_row_by_row_and_a_table_gives_the_answers_back(picture, film, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    out = tmp_path / "out" / "faces.jsonl"
    out.parent.mkdir()
    done = run("perceive", tmp_path, "-o", out)
    assert done.exit_code == 1, done.output
    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [record["id"] for record in records] == ["broken", "clip", "portrait"]
    assert "error" in records[0]["meta"] and records[2]["tracks"]
    long = tmp_path / "out" / "faces.parquet"
    pytest.importorskip("pyarrow")
    assert run("perceive", film, "-o", long, "--long", "-q").exit_code == 0
    (back,) = affetto.read(long)
    assert back.tracks[0].subject == "person-1" and back.tracks[0].box is not None


def asked(record, **how):
    return [model.card.id for model in asking.models_for(record, **how)]


def test_who_is_asked_by_what_there_is(monkeypatch):
    monkeypatch.setattr(asking, "_model", lambda name: type("Named", (), {"card": catalog.find(name)}))
    sound, image = Audio("", 16000, 1.0), portrait(0.5).signals[0]
    film = clip([0.5]).signals[0]
    assert asked(Record("p", (image,))) == ["face"]
    assert asked(Record("f", (sound, film))) == ["speech", "face"]
    talk = Record("t", (sound, film), (Turn("A", None, "hello"),))
    assert asked(talk) == ["speech", "face", "text.affect-en"]
    assert asked(talk, channels=("voice", "face")) == ["speech", "face"]
    assert asked(talk, channels=("face",)) == ["face"]
    assert asked(talk, channels=("voice", "text")) == ["speech", "text.affect-en"]
    assert asked(Record("x", (Text("hi"),)), channels=("face",)) == []


def test_channels_that_nobody_has_are_refused(picture):
    with pytest.raises(UnknownNameError, match="smell"):
        affetto.perceive("hello", channels=("smell",))
    done = run("perceive", picture, "--channel", "smell")
    assert done.exit_code == 2 and "known: " in done.output and "face" in done.output
    done = run("perceive", picture, "--channel", "voice", "-m", "fake")
    assert done.exit_code == 2 and "channel of the models that are named" in done.output


def test_channels_may_be_said_twice_or_with_commas(film):
    for said in (("--channel", "face,voice"), ("--channel", "face", "--channel", "voice")):
        done = run("perceive", film, *said)
        assert done.exit_code == 0, done.output
        assert "ekman-8" in done.output
    done = run("perceive", film, "--channel", "text")
    assert done.exit_code == 0 and "ekman-8" not in done.output
    assert "--channel" in run("perceive", "--help").output


def test_drawings_of_pictures_and_films(picture, film, tmp_path):
    pytest.importorskip("matplotlib")
    for what, suffix in ((picture, "png"), (film, "png"), (film, "mp4")):
        done = run("perceive", what, "--channel", "face", "--plot", tmp_path / f"{what.stem}-drawn.{suffix}")
        assert done.exit_code == 0, done.output
        assert (tmp_path / f"{what.stem}-drawn.{suffix}").stat().st_size > 2000
    done = run("perceive", picture, "--plot", tmp_path / "x.mp4")
    assert done.exit_code == 2 and "no film that is open" in done.output


def test_an_explanation_is_told_and_drawn(picture, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")

    def explain(record, **how):
        assert how["channels"] == ("face",)
        (tracks,) = Watching()([record])
        return seeing.reasons(Smiles(), record, tracks[:1], tracks, None, seeing.SeeingOptions(cells=4))

    monkeypatch.setattr(api, "explain", explain)
    done = run("explain", picture, "--channel", "face", "--plot", tmp_path / "why.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "why.png").read_bytes()[:4] == b"\x89PNG"
    assert "lip corner puller (AU12)" in done.output and "mouth" in done.output
    record = portrait(0.9)
    screen = Console(width=100, record=True, file=open(os.devnull, "w"), highlight=False)  # noqa: PTH123, SIM115
    terminal.show_reasons(record, explain(record, channels=("face",)), screen)
    shown = screen.export_text()
    screen.file.close()
    assert "█" in shown and "lip corner puller" in shown and "ekman-8: joy" in shown


def test_a_picture_in_a_terminal_is_a_block_a_person():
    told = drawn(portrait(0.9, 0.2))
    assert "portrait  ·  2 faces" in told
    first, second = told.split("person-2")
    assert "joy" in first and "confidence 0.90" in first and "on the left, 67 x 80 pixels" in first
    assert "moves          lip corner puller (AU12) 4.5, cheek raiser (AU06) 2.7" in first
    assert "neutral" in second and "on the right" in second and "face@1" in second
    assert "25 x 30 pixels, small" in drawn(portrait(0.9, size=30))


def test_what_is_not_seen_is_said_so():
    assert "no usable face was seen" in drawn(portrait())
    assert "no usable face was seen" in drawn(portrait(), portrait(0.5))
    nobody = Track(EKMAN, [0], [3], [[np.nan] * 8], "s", "person", channel="face", note=("no face",))
    assert "no usable face was seen" in drawn(replace(clip([None]), tracks=(nobody,)))
    (line,) = faces.lines(replace(clip([None]), tracks=(nobody,)))
    assert line == "person expressed ekman-8: not said (no usable face was seen)"


@pytest.mark.parametrize("width", [40, 80, 140])
def test_a_film_in_a_terminal_is_a_line_a_stretch(width):
    told = drawn(clip([0.1] * 10 + [0.9] * 10 + [None] * 5 + [0.2] * 10, people=2), width=width)
    assert told.count("person-1") >= 5 and "seen for 6.0 s, in 30 frames" in told
    assert "0:02.0" in told and max(map(len, told.splitlines())) <= width
    assert ("AU12" in told) == (width == 140)


def test_words_and_faces_of_one_record_are_both_shown():
    mood = Track(EKMAN, [0], [2], [portraits.smiling(0.8)], "char", "writer", source="m@1")
    both = replace(portrait(0.9), signals=(Text("oh"), *portrait(0.9).signals)).add(mood)
    told = drawn(both)
    assert "writer" in told and "person-1" in told
    assert len(list(affetto.serve.gist.lines(both))) == 2


def test_a_pose_is_told_in_words():
    pose = affetto.load("head-pose")
    shown = [(axis, value) for axis, value in zip(pose.axes, (-20.0, 3.0, 11.0), strict=True)]
    assert faces.head_words(shown) == "20° to the own right, 11° to the own right shoulder"
    assert faces.head_words([(axis, 1.0) for axis in pose.axes]) == "straight ahead"
    assert faces.head_words([]) == ""


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([None, 0.1, 0.9]), min_size=1, max_size=40), st.sampled_from([1.0, 5.0, 25.0]))
def test_each_row_is_in_one_stretch_and_no_blip_stands_alone(joys, rate):
    track = clip(joys, rate=rate, size=8).tracks[0]
    runs = stretches(track)
    assert sorted(row for run in runs for row in run) == list(range(len(track)))
    spans = [(track.start[run[0]], track.end[run[-1]]) for run in runs]
    assert all(one[1] == pytest.approx(other[0]) for one, other in pairwise(spans))
    if rate == 1.0:
        tops = [track.top(run[0]) for run in runs]
        assert all(one != other for one, other in pairwise(tops))
    found = looks(Record("x", tracks=(track,)))
    assert sum(look.frames for look in found) == sum(joy is not None for joy in joys)


def test_a_blip_is_no_stretch_and_a_long_absence_is_one():
    def told(joys):
        return [(run[0], len(run)) for run in stretches(clip(joys, rate=5.0, size=8).tracks[0])]

    assert told([0.9] * 10 + [0.1] + [0.9] * 10) == [(0, 21)]
    assert told([0.9] * 10 + [None] + [0.9] * 10) == [(0, 21)]
    assert told([0.9] * 10 + [None] * 10 + [0.9]) == [(0, 10), (10, 1), (11, 1)]
