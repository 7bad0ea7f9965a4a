"""What the commands of `affetto bench` do: run, score, and show. Decides nothing of how anything is measured."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from affetto import api, measure
from affetto.bench import report, results, runs
from affetto.bench.systems import baselines
from affetto.core.errors import UnreadableError
from affetto.serve import shelves


def run(ids: Sequence[str], names: Sequence[str], beside: bool, how: Mapping[str, Any]) -> int:
    """Run systems on benchmarks and show each as a table."""
    asked = [runs.benchmark(id) for id in ids]
    for benchmark in asked:
        systems = [*names, *(baselines(benchmark) if beside else ())]
        _show(measure.benchmark(benchmark.id, systems, _options(how), _say), how)
    return 0


def score(id: str, files: Sequence[str], how: Mapping[str, Any]) -> int:
    """Score stored predictions and show them as a table."""
    given = {}
    for said in files:
        name, equals, path = said.partition("=")
        if not equals or not name or not path:
            raise click.UsageError(f"predictions are named: NAME=FILE, not {said!r}")
        given[name] = Path(path)
    _show(runs.rescore(runs.benchmark(id), given, _options(how), measure.shared_rows), how)
    return 0


def page(folder: Path, benchmark: str | None) -> str:
    """Return the page of all stored results of a folder.

    Raises:
        UnreadableError: there is no result in it.
    """
    asked = runs.benchmark(benchmark).id if benchmark else None
    kept = results.results(folder, asked)
    cards = api.cards("benchmark")
    known = sorted({id for r in kept if (id := r["benchmark"]).partition("@")[0] in cards})
    if not known:
        raise UnreadableError(f"there are no results of benchmarks in {folder}; `affetto bench run` makes some")
    return "\n".join(_page(runs.benchmark(id), [r for r in kept if r["benchmark"] == id]) for id in known)


def check(file: str, groups: Sequence[str], columns: Mapping[str, str | None]) -> bool:
    """Print what leaks in a split; tell whether anything does."""
    found = measure.check_split(file, groups=groups, **columns)
    click.echo(str(found))
    return bool(found.leaks)


def _page(benchmark: Any, kept: Sequence[Mapping[str, Any]]) -> str:
    return report.page(
        report.ours_first(kept, benchmark.metrics[0]),
        benchmark.card.title,
        benchmark.metrics,
        benchmark.card.limits,
        runs.published_beside(benchmark),
    )


def _options(how: Mapping[str, Any]) -> runs.RunOptions:
    keep = Path(how["keep"])
    return runs.RunOptions(how["folder"], keep, Path(how["out"] or keep), how["seed"], how["resamples"])


def _show(ran: runs.Ran, how: Mapping[str, Any]) -> None:
    if how["as_json"]:
        for result in ran.results:
            click.echo(json.dumps(result, ensure_ascii=False))
        return
    metrics = ran.benchmark.metrics
    shelves.columns(report.rows(ran.results, metrics), report.heads(metrics))
    folder = Path(how["out"] or how["keep"]) / ran.benchmark.id
    (folder / "table.md").write_text(_page(ran.benchmark, ran.results), "utf-8")
    report.forest(ran.results, ran.benchmark.card.title, metrics[0], folder / "forest.svg")
    _say(f"written to {folder}: a JSON a system, table.md, forest.svg")


def _say(words: str) -> None:
    click.echo(words, file=sys.stderr)
