"""What people see: in a real terminal (a pty), with and without colour, wide and narrow."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from affetto import Record, Space, Text, Track, Turn, load
from affetto.serve import gist, terminal

HOME = Path(__file__).parents[2]
POSTS, TALK = str(HOME / "examples" / "posts.csv"), str(HOME / "examples" / "conversation.srt")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def in_terminal(*words: str, width: int = 100, **env: str) -> tuple[int, str]:
    """Run the command in a terminal of its own; return its exit code and what it shows there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    running = subprocess.Popen(
        [sys.executable, "-c", "from affetto.serve.cli import main; main()", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**clean, "TERM": "xterm-256color", **env},
    )
    os.close(slave)
    shown = b""
    try:
        while block := os.read(master, 1 << 16):
            shown += block
    except OSError:  # the other side has gone
        pass
    os.close(master)
    return running.wait(300), shown.decode("utf-8", "replace").replace("\r\n", "\n")


def drawn(record: Record, width: int = 100) -> str:
    """Return what a Record looks like, without colours."""
    screen = Console(width=width, record=True, file=open(os.devnull, "w"), highlight=False)  # noqa: PTH123, SIM115
    terminal.show([record], screen)
    screen.file.close()
    return screen.export_text()


def answered(text: str = "I got the job! 😄") -> Record:
    """Return a text with answers as the large models give them."""
    goemotions, ekman, vad, intensity = (load(id) for id in ("goemotions-28", "ekman-7", "vad", "intensity-6"))

    def track(space: Space, said: dict[str, float], rest: float, **more: object) -> Track:
        values = [[said.get(name, rest) for name in space.names]]
        more = {"subject": "writer", "source": "m@1", "unit": "char", **more}
        return Track(space, [0], [len(text)], values, **more)  # type: ignore[arg-type]

    return Record(
        "text",
        (Text(text),),
        tracks=(
            track(goemotions, {"joy": 0.8, "excitement": 0.4}, 0.01, note=("joy; excitement",)),
            track(ekman, {"joy": 0.88}, 0.02, confidence=[0.91]),
            track(vad, {"valence": 0.6, "arousal": -0.4}, 0.0, perspective="felt"),
            track(vad, {"valence": 0.5}, 0.1, subject="reader", perspective="evoked"),
            track(intensity, {"joy": 2.4, "disgust": np.nan}, 0.0),
        ),
    )


def test_a_text_shows_feelings_whose_they_are_and_how_sure() -> None:
    shown = drawn(answered())
    assert re.search(r"writer +expressed, felt +joy +confidence 0\.91", shown)
    assert re.search(r"joy +█+.* 0\.88 +ekman-7", shown)
    assert re.search(r"• excitement +█+.* 0\.40", shown)
    assert "+0.60" in shown and "-0.40" in shown
    assert "joy 2.4 of 3" in shown
    assert re.search(r"reader +evoked", shown)
    assert "disgust" not in shown


def test_the_plain_lines_are_stable() -> None:
    assert list(gist.lines(answered())) == [
        "writer expressed goemotions-28: joy 0.80, excitement 0.40 = joy; excitement",
        "writer expressed ekman-7: joy 0.88 (confidence 0.91)",
        "writer felt vad: valence +0.60, arousal -0.40, dominance +0.00",
        "reader evoked vad: valence +0.50, arousal +0.10, dominance +0.10",
        "writer expressed intensity-6: anger 0.00, fear 0.00, joy 2.40, sadness 0.00, surprise 0.00",
    ]


def test_colours_in_a_terminal_and_none_where_they_are_not_wanted() -> None:
    words = ("perceive", "-m", "fake", "I got the job!")
    code, coloured = in_terminal(*words)
    assert code == 0
    assert COLOUR.search(coloured)
    code, plain = in_terminal(*words, NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3\d", plain)  # no colour; bold and italics may stay
    assert COLOUR.sub("", plain) == COLOUR.sub("", coloured)
    assert not COLOUR.search(in_terminal(*words, TERM="dumb")[1])


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_talk_is_a_table_of_turns_that_fits(width: int) -> None:
    code, shown = in_terminal("perceive", "-m", "fake", TALK, width=width)
    shown = COLOUR.sub("", shown)
    assert code == 0
    assert len(re.findall(r"^ *\d+:\d\d\.\d", shown, re.M)) == 15
    assert max(map(len, shown.splitlines())) <= width
    assert re.search(r"Tomas +[▁▂▃▄▅▆▇█]{7} +mean valence [+-]", shown)


def test_posts_are_a_line_each(tmp_path: Path) -> None:
    code, shown = in_terminal("perceive", "-m", "fake", POSTS)
    lines = COLOUR.sub("", shown).splitlines()
    assert len(lines) == 41
    assert lines[0].split() == ["id", "feels", "sure", "valence", "arousal", "text"]
    assert lines[11].startswith("11 ")
    assert code in (0, 1)


def test_a_batch_draws_its_progress_on_stderr_and_takes_it_away(tmp_path: Path) -> None:
    path = tmp_path / "many.txt"
    path.write_text("".join(f"word{i} and {'more ' * 30}\n" for i in range(3000)))
    code, shown = in_terminal("perceive", "-m", "fake", "--lines", str(path), "--out", str(tmp_path / "out.csv"))
    assert code == 0
    assert re.search(r"\r\x1b\[K +\d+% .* rows/s", shown)
    assert re.search(r"\r\x1b\[K3,000 rows in ", shown)
    quiet = ("--overwrite", "--quiet")
    assert (
        in_terminal("perceive", "-m", "fake", "--lines", str(path), "--out", str(tmp_path / "out.csv"), *quiet)[1] == ""
    )


def test_explain_colours_the_words() -> None:
    code, shown = in_terminal("explain", "-m", "fake", "wonderful and terrible")
    assert code == 0
    assert COLOUR.search(shown)
    assert " wonderful and terrible" in COLOUR.sub("", shown)
    assert "ekman-7: " in shown


@pytest.mark.parametrize("words", [("list", "models"), ("spaces", "show", "vad"), ("card", "fake"), ("doctor",)])
def test_lists_and_cards_fit_a_terminal(words: tuple[str, ...]) -> None:
    code, shown = in_terminal(*words, width=90)
    assert code in (0, 3)
    assert "fake" in shown or words[0] == "spaces"


def test_nothing_given_in_a_terminal_asks_for_something() -> None:
    code, shown = in_terminal("perceive")
    assert code == 2
    assert "say a text, name a file, or pipe something in" in shown


def test_a_hostile_text_cannot_steer_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\x9b31m\r\nnext"
    for record in (answered(evil), Record("talk", turns=(Turn(evil, None, evil),)), Record(evil, meta={"error": evil})):
        shown = "\n".join([drawn(record), *gist.lines(record)])
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@given(st.text(max_size=60), st.integers(1, 40))
def test_one_line_is_one_safe_line_of_at_most_that_width(text: str, width: int) -> None:
    line = gist.one_line(text, width)
    assert len(line) <= width
    assert "\n" not in line
    assert "\x1b" not in line
    line.encode()


@given(st.text(max_size=60))
def test_any_text_can_be_drawn(text: str) -> None:
    record = Record("1", (Text(text),), tracks=(Track(load("vad"), [0], [len(text)], [[np.nan] * 3], unit="char"),))
    assert "not said" in drawn(record)
    assert list(gist.lines(record)) == ["someone expressed vad: not said"]


def test_where_nothing_is_said_it_says_why() -> None:
    track = Track(load("vad"), [0], [5], [[np.nan] * 3], unit="char", note=("too long",))
    assert "not said: too long" in drawn(Record("1", (Text("12345"),), tracks=(track,)))
    assert list(gist.lines(Record("1", tracks=(track,)))) == ["someone expressed vad: not said (too long)"]
    assert list(gist.lines(Record("1"))) == ["not said"]
