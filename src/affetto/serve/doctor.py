"""What is installed, what is missing and how to get it, what is broken. Looks only; changes and downloads nothing."""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import AffettoError
from affetto.serve.manners import MISSING_PART, OK

State = Literal["ok", "missing", "broken", "note"]
UNLOCKS = {
    "parquet": "reading and writing .parquet tables",
    "bench": "benchmarks: baselines, readings through a regression, figures",
    "peers": "other people's systems beside ours in benchmarks",
    "hub": "text classifiers of the Hugging Face hub, or of a folder",
    "plot": "drawing a Record (--plot)",
    "sound": "reading and writing audformat",
    "asr": "writing down what is said in a recording (--recognizer)",
    "oracles": "the tools that prosody and voice activity are compared with: openSMILE, Silero, WebRTC",
    "images": "comparing images in a split",
    "train": "training and rebuilding the models (recipes/)",
    "docs": "building the documentation",
    "dev": "the development set: tests, linters, types",
}
"""Extra -> what it is good for."""
_MARKS = {"ok": ("ok", "green"), "missing": ("--", "yellow"), "broken": ("!!", "red"), "note": ("  ", "")}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    part: str
    name: str
    state: State
    said: str
    way_out: str = ""


def examine() -> Iterator[Finding]:
    """Yield what there is, part by part."""
    yield Finding("this", "affetto", "ok", _version("affetto") or "not installed as a package")
    yield Finding("this", "python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield Finding("this", "machine", "ok", f"{platform.system()} {platform.machine()}, {_processors()}")
    yield _data()
    yield from _extras()
    yield from _weights()
    yield from _plug_ins()


def show(findings: Iterator[Finding], as_json: bool) -> int:
    """Print the findings as they come; return the exit code."""
    broken = missing = 0
    part = ""
    for finding in findings:
        broken += finding.state == "broken"
        missing += finding.state == "missing"
        if as_json:
            click.echo(json.dumps(asdict(finding)))
            continue
        if finding.part != part:
            part = finding.part
            click.echo(f"\n{part}" if part != "this" else part)
        mark, colour = _MARKS[finding.state]
        drawn = click.style(mark, fg=colour) if colour and _coloured() else mark
        click.echo(f"  {drawn}  {finding.name:<22} {finding.said}")
        if finding.way_out:
            click.echo(f"      {'':<22} {finding.way_out}")
    if not as_json:
        words = "something is broken" if broken else "all is well"
        click.echo(f"\n{words}{f'; {missing} optional parts are not installed' if missing else ''}")
    return MISSING_PART if broken else OK


def _extras() -> Iterator[Finding]:
    try:
        wanted = importlib.metadata.requires("affetto") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    parts: dict[str, list[tuple[str, str]]] = {"": []}
    for line in wanted:
        need, _, marker = line.partition(";")
        named = re.match(r"[\w.-]+", need.strip())
        asked = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        if named and named[0] != "affetto":
            parts.setdefault(asked[1] if asked else "", []).append((named[0], need.strip()))
    parts.pop("all", None)
    for name, need in parts.pop(""):
        held = _version(name)
        if held:
            yield Finding("needed", name, "ok", held)
        else:
            yield Finding("needed", name, "broken", f"missing; wanted {need}", "pip install --force-reinstall affetto")
    for extra in sorted(parts, key=lambda name: list(UNLOCKS).index(name) if name in UNLOCKS else len(UNLOCKS)):
        held_all = {name: _version(name) for name, _ in parts[extra]}
        lacking = [name for name, version in held_all.items() if not version]
        use = UNLOCKS.get(extra, "")
        if lacking:
            said = f"{use or 'optional'}; not installed: {', '.join(lacking)}"
            yield Finding("extras", extra, "missing", said, f"pip install 'affetto[{extra}]'")
        else:
            versions = ", ".join(f"{name} {version}" for name, version in held_all.items())
            yield Finding("extras", extra, "ok", f"{use}{': ' if use else ''}{versions}")


def _weights() -> Iterator[Finding]:
    try:
        models = catalog.cards("model")
    except AffettoError as error:
        yield Finding("models", "cards", "broken", str(error))
        return
    for card in models.values():
        yield _weights_of(card)


def _weights_of(card: Card) -> Finding:
    if extra := card.facts.get("extra"):
        return Finding("models", card.id, "note", f"{card.version}, needs the extra {extra}")
    name = card.facts.get("weights")
    if not name:
        return Finding("models", card.id, "ok", f"{card.version}, needs no weights")
    path = Path(card.path).parent / "weights" / str(name)
    again = "pip install --force-reinstall affetto"
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return Finding("models", card.id, "broken", f"{path} cannot be read: {error.strerror}", again)
    if found != card.sha256:
        return Finding("models", card.id, "broken", f"{path} is not the file that its card describes (sha256)", again)
    return Finding(
        "models", card.id, "ok", f"{card.version}, {path.stat().st_size / 1e6:.1f} MB, sha256 as in its card"
    )


def _plug_ins() -> Iterator[Finding]:
    broken = catalog.broken_strangers()
    for point in sorted(importlib.metadata.entry_points(group=catalog.GROUP), key=lambda point: point.name):
        if point.name in broken:
            way = f"pip install --force-reinstall {point.dist.name}" if point.dist else ""
            yield Finding("plug-ins", point.name, "broken", broken[point.name], way)
        else:
            version = f"{point.dist.name} {point.dist.version}" if point.dist else ""
            yield Finding("plug-ins", point.name, "ok", f"{point.value} {version}".strip())


def _data() -> Finding:
    folder = os.environ.get("AFFETTO_DATA", "")
    if not folder:
        return Finding("this", "data (AFFETTO_DATA)", "note", "not set; only training and the corpus tests need it")
    path = Path(folder)
    if not path.is_dir():
        return Finding(
            "this", "data (AFFETTO_DATA)", "broken", f"{folder} is no folder", "unset AFFETTO_DATA, or mend it"
        )
    free = shutil.disk_usage(path).free / 1e9
    return Finding("this", "data (AFFETTO_DATA)", "ok", f"{folder}, {free:.0f} GB free")


def _processors() -> str:
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        usable = os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS")
    return f"{usable} of {os.cpu_count()} processors usable" + (f", OMP_NUM_THREADS={asked}" if asked else "")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
