"""Every code block of README.md and docs/ runs: Python in one namespace a page, shell with the installed commands."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[1]
PAGES = [HOME / "README.md", *sorted((HOME / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+|\{[\w-]+\})?[^\n]*\n(.*?)^```$", re.S | re.M)
KINDS = {"python", "sh", "toml", "text", "{toctree}", "{eval-rst}"}


def blocks(page: Path) -> list[tuple[str, str]]:
    return FENCE.findall(page.read_text("utf-8"))


def runnable(page: Path) -> list[tuple[str, str]]:
    """Return what is run here: all but README's second block, which runs these tests, and lines that install."""
    wanted = [(kind, code) for kind, code in blocks(page) if kind in ("python", "sh") and "scripts/test" not in code]
    return [(kind, re.sub(r"^pip install .*\n", "", code, flags=re.M)) for kind, code in wanted]


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=lambda page: page.name)
def test_the_code_of_a_page_runs_in_order(page, tmp_path, monkeypatch, capsys):
    shutil.copytree(HOME / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    commands = str(Path(sys.executable).parent)
    shell = {**os.environ, "PATH": os.pathsep.join((commands, os.environ["PATH"])), "NO_COLOR": "1"}
    for kind, code in runnable(page):
        if kind == "python":
            exec(compile(code, str(page), "exec"), names)
        else:
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code], env=shell, capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, f"{code}\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}"
            assert "Traceback" not in run.stderr
    assert "Traceback" not in capsys.readouterr().err


def test_readme_opens_with_the_two_commands():
    shell = [code for kind, code in blocks(HOME / "README.md") if kind == "sh"]
    assert shell[0].startswith("pip install .\naffetto perceive ")
    assert "examples/conversation.srt" in shell[0]
    assert "examples/posts.csv" in shell[0]
    assert "--constraint constraints.txt" in shell[1]
    assert shell[1].endswith("scripts/check\nscripts/test\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_say_what_they_are_and_links_lead_somewhere(page):
    text = page.read_text("utf-8")
    assert {kind for kind, _ in blocks(page)} <= KINDS
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", FENCE.sub("", text)):
        assert (page.parent / target).exists(), target


def test_generated_tables_are_up_to_date():
    run = subprocess.run(
        [sys.executable, HOME / "scripts" / "tables", "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_the_cards_of_the_docs_are_those_of_the_stranger_that_is_tested():
    shown = {}
    for kind, code in blocks(HOME / "docs" / "how-to" / "extend.md"):
        if kind == "toml":
            name, _, text = code.removeprefix("# ").partition("\n")
            shown[name] = tomllib.loads(text)
    for name in ("weather-3.toml", "weather.guess.toml"):
        path = HOME / "tests" / "stranger" / "weather" / "weather_moods" / name
        assert shown[f"weather_moods/{name}"].keys() == tomllib.loads(path.read_text("utf-8")).keys()
