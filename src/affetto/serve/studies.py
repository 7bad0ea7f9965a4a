"""`affetto study`: questions of research, asked of a corpus or of a file of answers."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from affetto.serve.difficulty import difficulty
from affetto.serve.manners import OK, Page, shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from affetto.core.record import Record
    from affetto.study.gap import Gap
    from affetto.study.statistics import Estimate
    from affetto.study.support import Study

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Page, context_settings=_HELP)
def study() -> None:
    """Ask questions of research of a corpus: where writer and reader part, what goes with relief.

    Examples:
      affetto study gap emobank
      affetto study support esconv
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


@study.command("support", context_settings=_HELP, short_help="Which skills of who supports go with relief.")
@click.argument("corpus", default="esconv")
@click.option("--split", "splits", multiple=True, metavar="NAME", help="Only these  [default: all that are there]")
@click.option("--model", "-m", "models", multiple=True, metavar="ID", help="Who labels skills  [default: the raters]")
@click.option(
    "--cluster", metavar="KEY", help="Key of meta that talks share which belong together; 'none': each alone."
)
@click.option("--folder", metavar="DIR", help="Where the corpus lies  [default: its place below AFFETTO_DATA]")
@click.option("--json", "as_json", is_flag=True, help="JSON: one object with all of it.")
@shared
def support(
    corpus: str,
    splits: tuple[str, ...],
    models: tuple[str, ...],
    cluster: str | None,
    folder: str | None,
    as_json: bool,
) -> int:
    """Say which skills of those who support go with relief of those whom they support, and what that does not show.

    Takes a corpus in which the seeker says how strong the trouble felt before and after, such as esconv. Each skill:
    relief that goes with a standard deviation more of it, covariates allowed for; and matched pairs of talks high and
    low in it. Errors are clustered by supporter, or where nobody knows who that was by problem.

    Examples:
      affetto study support esconv
      affetto study support esconv --split train --split dev --model dialogue.strategy --json
    """
    from affetto import measure  # noqa: PLC0415
    from affetto.study.support import SupportOptions, effects  # noqa: PLC0415

    found = measure.corpus(corpus)
    home = found.folder(folder)
    asked = splits or tuple(name for name in found.splits if found.has(name, home))
    records = [record for name in asked for record in found.read(name, folder=home)]
    options = SupportOptions() if cluster is None else SupportOptions(clusters=(cluster,) if cluster != "none" else ())
    answer = effects(_labelled(records, models, options.skills) if models else records, options)
    limits = [*answer.limits, *found.card.limits]
    if models:
        limits.insert(0, f"Skills are labelled by {', '.join(models)}, whose errors bend what goes with them.")
    if as_json:
        click.echo(json.dumps({**asdict(answer), "limits": limits}, ensure_ascii=False))
    else:
        _show_support(answer, limits)
    return OK


def _labelled(records: "Sequence[Record]", models: "Sequence[str]", skills: "Sequence[str]") -> "Iterator[Record]":
    """Yield talks with the models' Tracks of skills in place of the raters'."""
    from dataclasses import replace  # noqa: PLC0415

    from affetto import api  # noqa: PLC0415

    loaded = [api.load(id) for id in models]
    for at in range(0, len(records), _AT_ONCE):
        some = records[at : at + _AT_ONCE]
        roles = [{turn.speaker: {"role": turn.speaker} for turn in record.turns} for record in some]
        shown = [replace(record.blind(), people={**r, **record.people}) for record, r in zip(some, roles, strict=True)]
        said = [model(shown) for model in loaded]
        for record, *own in zip(some, *said, strict=True):
            other = tuple(track for track in record.tracks if track.space.id not in skills)
            yield replace(record, tracks=(*other, *(track for tracks in own for track in tracks)))


_AT_ONCE = 64
"""Talks that a model is asked about at a time."""


def _show_support(answer: "Study", limits: "Sequence[str]") -> None:
    from affetto.serve import shelves  # noqa: PLC0415

    where = f"clustered by {answer.clusters} ({answer.groups})" if answer.clusters else "each talk its own"
    click.echo(
        f"{answer.n:,} talks ({answer.passed:,} passed over); strength before {answer.before:.2f}, relief"
        f" {answer.relief:.2f} (SD {answer.spread:.2f}); errors {where}\n"
    )
    heads = ["skill", "share", "relief a SD, 95 %", "p (Holm)", "beside the others"]
    rows = [
        [one.skill, f"{one.mean:.1%}", _said(one.alone), f"{one.p_holm:.3f}", _said(one.together)]
        for one in answer.effects
    ]
    shelves.columns(rows, heads)
    click.echo("\nTalks high in a skill less those low in it, as they are and in matched pairs:")
    heads = ["skill", "naive", "pairs", "matched, 95 %", "p (Holm)", "SMD", "E"]
    rows = [
        [
            skill,
            _short(m.naive.value),
            f"{m.pairs:,}",
            _said(m.effect),
            f"{m.p_holm:.3f}",
            f"{m.after:.2f}",
            f"{m.e_limit:.2f}",
        ]
        for skill, m in ((one.skill, one.matching) for one in answer.effects if one.matching)
    ]
    shelves.columns(rows, heads)
    click.echo(
        "SMD: the largest standardised difference of a covariate that matching leaves. E: how strongly something"
        " unmeasured must go with both skill and relief, as a risk ratio, for the interval to reach 0."
    )
    if answer.reference:
        click.echo(f"Beside the others: in place of {answer.reference!r}.")
    click.echo("\nWhat this does not show:")
    for limit in limits:
        click.echo(f"- {limit}")


def _said(one: "Estimate | None") -> str:
    return "-" if one is None else f"{_short(one.value)} [{_short(one.low)}, {_short(one.high)}]"


def _short(value: float) -> str:
    return f"{value:+.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:+.2f}"


study.add_command(difficulty)
