"""A real package from elsewhere, built and installed as anybody's, adds a model and a space to Affetto."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HOME = HERE.parents[1]


def install(source: Path, target: Path) -> Path:
    """Build a package and install it into a folder of its own, offline."""
    copied = target.parent / f"{target.name}-source"
    shutil.copytree(source, copied)
    how = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    pip = [sys.executable, "-m", "pip", "install", *how, str(copied)]
    run = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return target


@pytest.fixture(scope="module")
def weather(tmp_path_factory):
    return install(HERE / "weather", tmp_path_factory.mktemp("strangers") / "weather")


def affetto(*arguments: str, beside: tuple[Path, ...], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that sees these packages."""
    return subprocess.run(
        [sys.executable, "-c", "from affetto.serve.cli import main; main()", *arguments],
        env=seeing(*beside) | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def seeing(*packages: Path) -> dict[str, str]:
    """Return the environment of a process that sees these packages."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, packages), os.environ.get("PYTHONPATH", "")])}


def test_it_is_listed_without_being_imported(weather):
    for what, id in (("models", "weather.guess"), ("spaces", "weather-3")):
        run = affetto("list", what, "--json", beside=(weather,), WEATHER_MOODS_MUST_NOT_BE_IMPORTED="1")
        assert run.returncode == 0, run.stderr
        assert id in [json.loads(line)["id"] for line in run.stdout.splitlines()]


def test_its_model_answers(weather):
    run = affetto("perceive", "--model", "weather.guess", "--json", "Stop it!!", beside=(weather,))
    assert run.returncode == 0, run.stderr
    (track,) = json.loads(run.stdout)["tracks"]
    assert track["source"] == "weather.guess@1"
    assert track["space"] == {"id": "weather-3", "kind": "one", "names": ["sunny", "rainy", "stormy"]}
    assert track["values"][0][2] == max(track["values"][0])


def test_its_space_is_shown_and_its_answers_are_explained(weather):
    shown = affetto("spaces", "show", "weather-3", beside=(weather,))
    assert "stormy" in shown.stdout
    run = affetto("explain", "--model", "weather.guess", "--json", "We waited... Stop it!!", beside=(weather,))
    assert run.returncode == 0, run.stderr


def test_it_keeps_the_contract_of_every_model(weather):
    suites = ["tests/models/test_contract.py", "tests/core/test_catalog.py"]
    pytest_ = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "weather", *suites]
    run = subprocess.run(pytest_, cwd=HOME, env=seeing(weather), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout


def test_a_second_card_of_one_id_is_an_error(weather, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(HERE / "weather", twin)
    project = (twin / "pyproject.toml").read_text("utf-8")
    (twin / "pyproject.toml").write_text(
        project.replace("weather-moods", "other-moods").replace("weather_moods", "other_moods"), "utf-8"
    )
    (twin / "weather_moods").rename(twin / "other_moods")
    other = install(twin, tmp_path / "installed")
    run = affetto("list", "models", beside=(weather, other))
    assert run.returncode == 3
    assert "two cards are called 'weather" in run.stderr
    assert "rename one" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_broken_stranger_stops_nobody_else(weather, tmp_path):
    broken = install(HERE / "broken", tmp_path / "broken")
    listed = affetto("list", "models", beside=(weather, broken))
    assert listed.returncode == 0, listed.stderr
    assert "weather.guess" in listed.stdout
    assert "half" not in listed.stdout
    assert affetto("perceive", "--model", "fake", "hello", beside=(broken,)).returncode == 0
    doctor = affetto("doctor", beside=(weather, broken))
    assert "broken-moods" in doctor.stdout
    assert "half.toml lacks version, title" in doctor.stdout
