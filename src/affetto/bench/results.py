"""Where a measured number is kept: `<folder>/<benchmark>/<model>.json`, with what made it.

Knows the schema of a result; knows no benchmark and no table. Tables of README and docs are made from these files and
from nothing else.
"""

import datetime
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from affetto.core.errors import UnreadableError

Metric = Mapping[str, float | None]
"""`value`, and `low` and `high` of its 95 % interval; None where not said."""
_HOME = Path(__file__).resolve().parents[3]
_LIBRARIES = ("affetto", "av", "numpy", "onnxruntime", "scikit-learn", "torch", "transformers")


def save(
    folder: Path,
    benchmark: str,
    model: str,
    n: int,
    metrics: Mapping[str, Metric],
    seed: int | None,
    speed: Mapping[str, float],
    notes: str,
    **more: Any,
) -> Path:
    """Write a result with the commit, the date, the versions and the machine that made it; return the file.

    Args:
        folder: below which results lie.
        benchmark: id of the benchmark, which becomes the folder.
        model: id of the model, which becomes the name of the file.
        n: how many items were scored.
        metrics: name to value, low and high; NaN is written as null.
        seed: what the random choices started from; None where nothing was random.
        speed: name to number; the name says the unit.
        notes: split, protocol, command: whatever one must know to read the numbers.
        more: other facts, JSON values.
    """
    path = folder / benchmark / f"{model}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {
        "benchmark": benchmark,
        "model": model,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "seed": seed,
        "n": n,
        "metrics": {
            name: {key: number(metric.get(key)) for key in ("value", "low", "high")} for name, metric in metrics.items()
        },
        "speed": {name: number(value) for name, value in speed.items()},
        "notes": notes,
        "versions": versions(),
        **more,
    }
    path.write_text(json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    return path


def results(folder: Path, benchmark: str | None = None) -> list[dict[str, Any]]:
    """Return all kept results, or those of one benchmark, by benchmark and model.

    Raises:
        UnreadableError: a file is no result.
    """
    found = []
    for path in sorted(folder.glob(f"{benchmark or '*'}/*.json")):
        try:
            plain = json.loads(path.read_text("utf-8"))
            _ = plain["benchmark"], plain["model"], plain["n"], plain["metrics"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnreadableError(
                f"{path} is no result of a benchmark ({type(error).__name__}: {error}); run it again"
            ) from None
        found.append(plain)
    return found


def commit() -> str:
    """Return the commit of the code, with `+` where the tree differs from it; empty outside a repository."""
    try:
        hash, dirty = (
            subprocess.run(["git", "-C", str(_HOME), *what], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603, S607 - git on its own repository
            for what in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--", "src"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return hash + ("+" if dirty else "")


def machine() -> str:
    """Return processor, cores and Python; no names of hosts or people."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, Python {platform.python_version()}"


def versions() -> dict[str, str]:
    """Return the versions of what the numbers rest on, as far as it is installed."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def number(value: float | None) -> float | None:
    """Return a number of six digits as JSON holds it; None for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")
