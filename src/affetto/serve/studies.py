"""`affetto study`: questions of research, asked of a corpus or of a file of answers."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from affetto.serve.manners import OK, Page, shared

if TYPE_CHECKING:
    from affetto.study.gap import Gap

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Page, context_settings=_HELP)
def study() -> None:
    """Ask questions of research of a corpus: where writer and reader part.

    Example:
      affetto study gap emobank
    """


@study.command("gap", context_settings=_HELP, short_help="Where writer and reader part, and in which words.")
@click.argument("corpus")
@click.option("--split", metavar="NAME", help="Only this one  [default: all that are there]")
@click.option("--space", "-s", metavar="ID", help="The space of both answers  [default: the corpus' first]")
@click.option("--folder", metavar="DIR", help="Where the corpus lies  [default: its place below AFFETTO_DATA]")
@click.option("--margin", default=0.25, show_default=True, help="Share of an axis' range that counts as a gap.")
@click.option("--high", default=2 / 3, show_default="2/3", help="From here a writer's feeling is strong ...")
@click.option("--low", default=1 / 3, show_default="1/3", help="... and up to here it is weak to a reader: hidden.")
@click.option("--top", default=10, show_default=True, help="Expressions to show of each axis.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line an axis.")
@shared
def gap(
    corpus: str,
    split: str | None,
    space: str | None,
    folder: str | None,
    margin: float,
    high: float,
    low: float,
    top: int,
    as_json: bool,
) -> int:
    """Say of each emotion how often writers feel, or show, what readers do not see, and in which words.

    Takes a corpus with labels of both sides, such as emobank or wrime. Expressions are those typical of texts in which
    the writer is above the reader: log-odds with a Dirichlet prior, in standard errors.

    Examples:
      affetto study gap wrime --split test
      affetto study gap emobank --margin 0.125 --json
    """
    from affetto import api, measure  # noqa: PLC0415
    from affetto.study.gap import GapOptions, gaps  # noqa: PLC0415

    found = measure.corpus(corpus)
    home = found.folder(folder)
    splits = [split] if split else [name for name in found.splits if found.has(name, home)]
    records = (record for name in splits for record in found.read(name, folder=home))
    options = GapOptions(margin=margin, high=high, low=low, top=top)
    answers = gaps(records, api.space(space or found.card.spaces[0]), options)
    for one in answers:
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
    if not as_json:
        _show(answers)
    return OK


def _show(answers: "list[Gap]") -> None:
    from affetto.serve import shelves  # noqa: PLC0415

    heads = ["axis", "n", "writer", "reader", "Pearson", "writer above", "reader above", "hidden, 95 %"]
    rows = [
        [
            one.axis,
            f"{one.n:,}",
            f"{one.writer:.2f}",
            f"{one.reader:.2f}",
            f"{one.pearson:.2f}",
            f"{one.above:.1%}",
            f"{one.below:.1%}",
            f"{one.hidden:.1%} [{one.hidden_low:.1%}, {one.hidden_high:.1%}]",
        ]
        for one in answers
    ]
    shelves.columns(rows, heads)
    for one in answers:
        if one.expressions:
            click.echo(f"\n{one.axis}, typical where the writer is above the reader:")
            said = [[e.words, f"{e.z:.1f}", f"{e.inside:,}", f"{e.outside:,}"] for e in one.expressions]
            shelves.columns(said, ["expression", "z", "with a gap", "without"])
