"""`affetto study difficulty`: how hard the talks of a corpus are to follow."""

import json
from typing import TYPE_CHECKING

import click

from affetto.serve.manners import OK, Entry, shared

if TYPE_CHECKING:
    from affetto.study.difficulty import Difficulty


@click.command(
    "difficulty",
    cls=Entry,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    short_help="How hard talks are: how often, and how far, feelings shift.",
)
@click.argument("corpus")
@click.option("--split", metavar="NAME", help="Only this one  [default: all that are there]")
@click.option("--space", "-s", metavar="ID", help="The space of the labels  [default: the corpus' first]")
@click.option("--folder", metavar="DIR", help="Where the corpus lies  [default: its place below AFFETTO_DATA]")
@click.option("--top", default=5, show_default=True, help="Hardest talks to show.")
@click.option("--own-points", is_flag=True, help="Place feelings by the coordinates of their words.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a talk.")
@shared
def difficulty(
    corpus: str, split: str | None, space: str | None, folder: str | None, top: int, own_points: bool, as_json: bool
) -> int:
    """Say of each talk how often its speakers' feelings shift, and how near the two feelings lie.

    The order is that of a curriculum, from easy to hard: (cost of a speaker's own shifts + cost of shifts between
    speakers + speakers) / (turns + speakers).

    Examples:
      affetto study difficulty meld --split train
      affetto study difficulty emorynlp --split train --json
    """
    from affetto import api, measure  # noqa: PLC0415
    from affetto.study.difficulty import ShiftOptions, difficulties  # noqa: PLC0415

    found = measure.corpus(corpus)
    home = found.folder(folder)
    splits = [split] if split else [name for name in found.splits if found.has(name, home)]
    records = (record for name in splits for record in found.read(name, folder=home))
    talks = difficulties(records, api.space(space or found.card.spaces[0]), ShiftOptions(own_points=own_points))
    if as_json:
        for one in talks:
            click.echo(json.dumps(_plain(one)))
    else:
        _show(talks, top)
    return OK


def _plain(one: "Difficulty") -> dict[str, object]:
    return {
        "id": one.id,
        "difficulty": round(one.value, 6),
        "turns": one.turns,
        "speakers": one.speakers,
        "own_shifts": round(one.own, 6),
        "shifts_across": round(one.across, 6),
    }


def _show(talks: "list[Difficulty]", top: int) -> None:
    from affetto.serve import shelves  # noqa: PLC0415

    values = sorted(one.value for one in talks)
    mean = sum(values) / len(values)
    click.echo(
        f"{len(values):,} talks, difficulty: mean {mean:.4f}, least {values[0]:.3f}, "
        f"median {values[len(values) // 2]:.3f}, most {values[-1]:.3f}"
    )
    hardest = sorted(talks, key=lambda one: (-one.value, one.id))[:top]
    rows = [
        [one.id, f"{one.value:.3f}", str(one.turns), str(one.speakers), f"{one.own:.2f}", f"{one.across:.2f}"]
        for one in hardest
    ]
    shelves.columns(rows, ["hardest", "difficulty", "turns", "speakers", "own shifts", "shifts across"])
