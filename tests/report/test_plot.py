import builtins
import struct
import tracemalloc
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings

from affetto.core.errors import MalformedError, MissingExtraError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats.finding import find_space
from affetto.report import strips
from affetto.report.plot import Options, figure, plot
from tests import strategies
from tests.voices import phrase, silence

pytest.importorskip("matplotlib")
EKMAN, VA = find_space("ekman-7"), find_space("va")
PROSODY = Space("prosody", "graded", (Axis("pitch", high=600, unit="Hz"), Axis("loudness", high=10, unit="sone")))
JOY, SAD, NOTHING = [0, 0, 0, 0.75, 0.25, 0, 0], [0, 0, 0, 0.125, 0.875, 0, 0], [np.nan] * 7


def sound(samples, rate=16000.0, known=True):
    def blocks(seconds):
        size = int(seconds * rate)
        return (samples[i : i + size, None] for i in range(0, len(samples), size))

    return Audio("a.wav", rate, len(samples) / rate if known else np.nan, blocks)


def interview(**changes):
    samples = np.concatenate([phrase(120, 2), silence(1), phrase(200, 2), silence(1)])
    moods = Track(EKMAN, [0, 2, 3, 5], [2, 3, 5, 6], [JOY, NOTHING, SAD, NOTHING], "s", "Ann", channel="voice",
                  confidence=[1, np.nan, 0.5, np.nan], note=["", "no voice", "", "no voice"])  # fmt: skip
    curves = Track(VA, [0, 1, 3, 4], [1, 2, 4, 5], [[0, 0.5], [0.25, 0.5], [-1, 1], [np.nan, 0]], "s", "Ann")
    prosody = Track(PROSODY, [0, 3], [2, 5], [[120, 3], [200, 5]], "s", "Ann")
    turns = (Turn("Ann", Span(0, 2), "So good"), Turn("Bo", Span(3, 5), "<b> & $x$ _y_"))
    return replace(Record("clip & co", (sound(samples),), turns, tracks=(moods, curves, prosody)), **changes)


def test_the_files_are_made_at_their_size_and_the_same_each_time(tmp_path):
    for suffix in (".png", ".svg", ".pdf"):
        one, two = (plot(interview(), tmp_path / f"{name}{suffix}", Options(width=8, dpi=50)) for name in "ab")
        assert one.read_bytes() == two.read_bytes()
    png = (tmp_path / "a.png").read_bytes()
    assert struct.unpack(">I", png[16:20]) == (400,)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    words = [node.text for node in ElementTree.parse(tmp_path / "a.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert {"clip & co", "Ann", "Bo", "joy", "valence", "no voice", "0:03", "time (m:ss)", "<b> & $x$ _y_"} <= set(
        words
    )


def test_pictures_are_not_blank_and_need_no_display(tmp_path, monkeypatch):
    from matplotlib.image import imread

    monkeypatch.delenv("DISPLAY", raising=False)
    pixels = imread(plot(interview(), tmp_path / "a.png"))
    assert 0.03 < (pixels[..., :3].min(2) < 0.9).mean() < 0.6
    assert pixels[:, -3:, :3].min() == 1, "something is cut off at the right"


def test_each_strip_draws_what_was_said_and_gaps_where_nothing_was():
    whole = figure(interview())
    names = [axes.get_title(loc="left") for axes in whole.axes]
    assert names[:5] == [
        "sound",
        "turns",
        "Ann · voice · expressed",
        "Ann · text · expressed",
        "Ann · text · expressed",
    ]
    wave, turns, ribbon, curves, pitch, loudness = whole.axes
    assert curves.get_xlim() == (0, 6)
    low = wave.collections[0].get_paths()[0].vertices
    quiet = low[(low[:, 0] > 2.1) & (low[:, 0] < 2.9), 1]
    assert np.abs(quiet).max() == 0 and np.abs(low[:, 1]).max() > 0.1
    assert [label.get_text() for label in turns.get_yticklabels()] == ["Ann", "Bo"]
    joy = next(c for c in ribbon.collections if c.get_label() == "joy")
    boxes = [path.get_extents().bounds for path in joy.get_paths()]
    np.testing.assert_allclose(boxes, [(0, 0.25, 2, 0.75), (3, 0.875, 2, 0.125)])
    np.testing.assert_allclose(joy.get_facecolors()[:, 3], [1, 0.65])
    assert [text.get_text() for text in ribbon.texts] == ["sadness", "joy", "no voice", "no voice"]
    valence, arousal = curves.get_lines()[:2]
    x, y = valence.get_data()
    gap = np.flatnonzero(np.isnan(y))
    assert x[gap[0]] == 2 and np.isnan(y[x > 4][1:]).all() and y[:5].tolist() == [0, 0, 0, 0.25, 0.25]
    assert not np.isnan(arousal.get_ydata()[-3:-1]).any() and curves.get_ylim()[0] < -1
    assert (pitch.get_ylabel(), loudness.get_ylabel()) == ("pitch (Hz)", "loudness (sone)")


def test_words_alone_lie_on_turns_or_characters():
    turns = tuple(Turn("AB"[i % 2], None, f"turn {i}") for i in range(30))
    moods = Track(EKMAN, range(30), range(1, 31), [JOY] * 30, "turn", "A")
    whole = figure(Record("talk", turns=turns, tracks=(moods,)))
    assert whole.axes[-1].get_xlabel() == "turn" and whole.axes[-1].get_xticklabels()[0].get_text() == "1"
    assert len(whole.axes[1].collections[0].get_paths()) == 30
    post = Record("post", (Text("so good"),), tracks=(replace(moods[:1], unit="char", end=[7]),))
    (axes,) = figure(post).axes
    assert axes.get_xlabel() == "character" and axes.get_xlim() == (0, 7)
    assert figure(Record("x", turns=turns)).axes[0].get_title(loc="left") == "turns"


def test_labels_keep_their_colours_and_the_many_share_one():
    many = find_space("goemotions-28")
    track = Track(many, [0], [9], np.linspace(0, 1, 28)[None], "char", "w")
    found = strips.colours([track, Track(EKMAN, [0], [9], [JOY], "char")], 8)
    assert found["joy"] == strips.COLOURS[0] and found["neutral"] == strips.GREY
    assert len(set(found.values())) == len(found)
    (axes,) = figure(Record("p", tracks=(track,))).axes
    assert [c.get_label() for c in axes.collections][-1] == "others"
    (axes,) = figure(Record("p", tracks=(track,)), Options(labels=0)).axes
    assert [c.get_label() for c in axes.collections] == ["others"]
    more = Record("p", tracks=(track,) * 5)
    assert "3 more answers" in figure(more, Options(tracks=2)).axes[-1].get_xlabel()


@pytest.mark.parametrize("known", [True, False])
def test_an_hour_of_sound_is_read_block_by_block(known):
    rate, made = 16000.0, []

    def blocks(seconds):
        for second in range(0, 3600, 10):
            made.append(second)
            block = np.zeros((160_000, 2), np.float32)
            block[7, 1], block[9, 0] = 0.5, -0.25
            yield block

    tracemalloc.start()
    wave = strips.envelope(Audio("a", rate, 3600.0 if known else np.nan, blocks, channels=2), 360)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(made) == 360 and peak < 30e6
    assert len(wave.low) <= 720 and abs(wave.end - 3600) < 11
    assert wave.low.min() == -0.25 and wave.high.max() == 0.5
    if known:
        assert (wave.low == -0.25).all() and (wave.high == 0.5).all()


def test_short_and_empty_sounds():
    for samples in (np.zeros(0, np.float32), np.float32([0.5]), np.float32([0.5, -1, 0.25])):
        wave = strips.envelope(sound(samples), 100)
        assert len(wave.low) == len(samples)
        assert figure(Record("x", (sound(samples),))).axes[0].get_ylim()[1] > 0


@settings(max_examples=12)
@given(record=strategies.records())
def test_whatever_may_exist_is_drawn_or_refused(tmp_path_factory, record):
    path = tmp_path_factory.mktemp("plot") / "x.svg"
    try:
        plot(record, path)
    except MalformedError as error:
        assert "nothing" in str(error) or "no sound" in str(error)
    else:
        ElementTree.parse(path)


def test_what_cannot_be_drawn_says_so(tmp_path, monkeypatch):
    with pytest.raises(MalformedError, match="no sound, no turns"):
        figure(Record("x", (Text("a"),)))
    with pytest.raises(MalformedError, match=r"\.png, \.svg, \.pdf"):
        plot(interview(), tmp_path / "x.gif")
    with pytest.raises(UnreadableError, match="cannot be written"):
        plot(interview(), tmp_path / "no" / "x.png")
    for wrong in ({"width": 0}, {"dpi": 10_000}, {"labels": 99}, {"columns": 1}, {"tracks": 0}):
        with pytest.raises(MalformedError, match="a picture wants"):
            Options(**wrong)
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"affetto\[plot\]"):
        figure(interview())
