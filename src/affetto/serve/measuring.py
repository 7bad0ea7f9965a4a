"""`affetto bench`: what there is to measure, runs, stored predictions again, tables, published figures, leaks.

Parses, calls, and shows; what a command needs is imported when it runs.
"""

from pathlib import Path
from typing import Any

import click

from affetto.serve.manners import OK, SOME_FAILED, Page, shared

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Page, context_settings=_HELP)
def bench() -> None:
    """Measure models on benchmarks, beside peers, with intervals and paired tests; look for leaks in splits.

    Examples:
      affetto bench list
      affetto bench run goemotions --model text.affect-en --vs vader,textblob
      affetto bench check folds.csv
      affetto bench published --task erc --metric wf1
    """


def _where(command: Any) -> Any:
    for option in (
        click.option("--folder", metavar="DIR", help="Where the corpus lies  [default: its place below AFFETTO_DATA]"),
        click.option("--keep", metavar="DIR", default="bench-runs", show_default=True, help="Where predictions go."),
        click.option("--out", "-o", metavar="DIR", help="Where results go  [default: beside the predictions]"),
        click.option("--seed", default=20, show_default=True, help="Of the draws, and of what learns."),
        click.option("--resamples", default=10_000, show_default=True, help="Draws for the intervals."),
        click.option("--json", "as_json", is_flag=True, help="The results as JSON, one line a system."),
    ):
        command = option(command)
    return command


@bench.command("list", context_settings=_HELP, short_help="What benchmarks there are.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a thing.")
@shared
def list_(as_json: bool) -> int:
    """List the benchmarks: corpus, space and headline metric of each."""
    from affetto.serve import shelves  # noqa: PLC0415

    shelves.show_list("benchmarks", as_json)
    return OK


@bench.command("run", context_settings=_HELP, short_help="Let systems answer a benchmark, and score them.")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--model", "-m", "models", multiple=True, required=True, metavar="ID", help="Who is measured.")
@click.option("--vs", multiple=True, metavar="ID,...", help="Beside whom: models, peers such as vader, baselines.")
@click.option("--no-baselines", is_flag=True, help="Leave out majority, random and the machines that learn anew.")
@_where
@shared
def run(ids: tuple[str, ...], models: tuple[str, ...], vs: tuple[str, ...], no_baselines: bool, **how: Any) -> int:
    """Let systems answer benchmarks, store what they say, and score it: intervals, paired tests, speed, memory.

    Each system runs in a process of its own. Predictions are kept as Tracks, so that they can be scored again. Beside
    the JSON of each result, a table (Markdown) and a figure (forest plot, SVG) of the run are written.

    Examples:
      affetto bench run goemotions --model text.affect-en --vs vader,textblob
      affetto bench run goemotions-ekman emobank-reader --model text.affect-en --no-baselines
    """
    from affetto.serve import benches  # noqa: PLC0415

    names = [name for said in vs for name in said.split(",") if name]
    return benches.run(ids, [*models, *names], not no_baselines, how)


@bench.command("score", context_settings=_HELP, short_help="Score stored predictions again.")
@click.argument("id")
@click.argument("files", nargs=-1, required=True, metavar="NAME=FILE...")
@_where
@shared
def score(id: str, files: tuple[str, ...], **how: Any) -> int:
    """Score predictions that lie in files, of a run or of a system that Affetto cannot load.

    A file holds a line a Record, as `affetto perceive --json` writes them, packed with gzip.

    Example:
      affetto bench score goemotions mine=bench-runs/goemotions.v1/text.affect-en.test.jsonl.gz
    """
    from affetto.serve import benches  # noqa: PLC0415

    return benches.score(id, files, how)


@bench.command("table", context_settings=_HELP, short_help="The page of stored results.")
@click.argument("folder", default="bench-runs")
@click.option("--benchmark", "-b", metavar="ID", help="Only this one.")
@shared
def table(folder: str, benchmark: str | None) -> int:
    """Print the tables of all results stored in a folder, as Markdown, with published figures beside them."""
    from affetto.serve import benches  # noqa: PLC0415

    click.echo(benches.page(Path(folder), benchmark), nl=False)
    return OK


@bench.command("published", context_settings=_HELP, short_help="What others have published, with provenance.")
@click.option("--task", "-t", metavar="NAME", help="Such as erc, text-emotion, speech.")
@click.option("--metric", metavar="NAME", help="Such as wf1, accuracy, uar.")
@click.option("--corpus", "-c", metavar="NAME", help="Such as MELD.")
@click.option("--system", metavar="WORDS", help="Systems whose name holds this.")
@shared
def published(task: str | None, metric: str | None, corpus: str | None, system: str | None) -> int:
    """Sort published figures, best first within corpus and split; those that leak or cannot be are marked, and last.

    Example:
      affetto bench published --task erc --metric wf1
    """
    from affetto.bench import survey  # noqa: PLC0415
    from affetto.serve import shelves  # noqa: PLC0415

    heads, *rows = survey.table(survey.published(task, metric, corpus, system))
    shelves.columns(rows, heads)
    return OK


@bench.command("check", context_settings=_HELP, short_help="Look for leaks in anyone's split.")
@click.argument("file")
@click.option("--media", metavar="DIR", help="Where the files of the table lie, to compare their content.")
@click.option("--part", "-p", metavar="COLUMN", help="Says train, dev or test, or the fold.")
@click.option("--group", "-g", "groups", multiple=True, metavar="COLUMN", help="Must not be shared: speaker, film ...")
@click.option("--text", metavar="COLUMN", help="Holds the words.")
@click.option("--label", metavar="COLUMN", help="Holds the answer.")
@shared
def check(file: str, groups: tuple[str, ...], **columns: str | None) -> int:
    """Look for what a split shares between train and test: speakers, texts, media, features that give the label away.

    Leaves with 1 where something leaks.

    Examples:
      affetto bench check folds.csv
      affetto bench check split.tsv --part set --group actor --media clips
    """
    from affetto.serve import benches  # noqa: PLC0415

    return SOME_FAILED if benches.check(file, groups, columns) else OK
