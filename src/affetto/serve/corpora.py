"""`affetto data`: which corpora there are, whether a folder holds one whole, and what stands in it."""

import json
from collections import Counter
from typing import Any

import click

from affetto.serve.manners import OK, SOME_FAILED, Page, shared

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_MOST = 40
"""Labels that statistics show of one space."""
_SUMS = {"emotional": "all but neutral", "pairs": "different pairs"}
"""What statistics show below the labels of a space, where it is counted."""


@click.group(cls=Page, context_settings=_HELP)
def data() -> None:
    """Look at corpora: what there are, where to get them, whether a folder holds one whole, what is in it.

    No corpus comes with Affetto. AFFETTO_DATA names the folder below which they lie.

    Examples:
      affetto data list
      affetto data show meld
      affetto data check ~/corpora/MELD
      affetto data stats goemotions
    """


@data.command("list", context_settings=_HELP, short_help="What corpora there are.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a corpus.")
@shared
def list_(as_json: bool) -> int:
    """List the corpora that Affetto reads in their official layout."""
    from affetto.serve import shelves  # noqa: PLC0415

    shelves.show_list("datasets", as_json)
    return OK


@data.command("show", context_settings=_HELP, short_help="The card of a corpus.")
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@shared
def show(id: str, as_json: bool) -> int:
    """Show the card of a corpus: labels, whose they are, splits, licence, where to get it, traps."""
    from affetto.serve import shelves  # noqa: PLC0415

    shelves.show_card(id, as_json)
    return OK


@data.command("check", context_settings=_HELP, short_help="What is missing or odd in a folder.")
@click.argument("folder")
@click.option("--corpus", "-c", metavar="ID", help="Which corpus it is  [default: the one whose files are there]")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line an oddity.")
@shared
def check(folder: str, corpus: str | None, as_json: bool) -> int:
    """Say what is missing or odd in the folder of a corpus, file by file. Leaves with 1 where anything is.

    Examples:
      affetto data check ~/corpora/MELD
      affetto data check downloads/goemotions --corpus goemotions
    """
    from affetto import measure  # noqa: PLC0415

    found = measure.corpus(corpus) if corpus else measure.corpus_in(folder)
    odd = found.check(folder)
    if as_json:
        for one in odd:
            click.echo(json.dumps({"corpus": found.card.id, "kind": one.kind, "file": one.file, "words": one.words}))
        return SOME_FAILED if odd else OK
    for one in odd:
        click.echo(f"{one.kind}: {one.file}: {one.words}")
    click.echo(f"{found.card.id}: {f'{len(odd)} oddities' if odd else 'all is there, and as it should be'}")
    return SOME_FAILED if odd else OK


@data.command("stats", context_settings=_HELP, short_help="Counts of Records, turns, people and labels.")
@click.argument("id")
@click.option("--folder", metavar="DIR", help="Where it lies  [default: its place below AFFETTO_DATA]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@shared
def stats(id: str, folder: str | None, as_json: bool) -> int:
    """Count what a corpus holds, split by split: Records, turns, words, people, each label, and all but neutral.

    Example:
      affetto data stats meld --folder ~/corpora/MELD
    """
    from affetto import measure  # noqa: PLC0415
    from affetto.serve import shelves  # noqa: PLC0415

    found = measure.corpus_stats(id, folder)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return OK
    heads = ["split", "records", "turns", "words", "people", "twins of a later split"]
    shelves.columns([[split, *(f"{counts[head]:,}" for head in heads[1:])] for split, counts in found.items()], heads)
    for space in dict.fromkeys(space for counts in found.values() for space in counts["labels"]):
        total: Counter[str] = Counter()
        for counts in found.values():
            total.update(counts["labels"].get(space, {}))
        click.echo("")
        rows = [[name, *_shares(found, space, name)] for name, _ in total.most_common(_MOST)]
        rows += [[words, *_counts(found, space, key)] for key, words in _SUMS.items() if _said(found, space, key)]
        shelves.columns(rows, [space, *found])
    return OK


def _shares(found: dict[str, Any], space: str, name: str) -> list[str]:
    return [_cell(counts["labels"].get(space, {}).get(name, 0), counts, space) for counts in found.values()]


def _counts(found: dict[str, Any], space: str, key: str) -> list[str]:
    return [_cell(counts.get(key, {}).get(space, 0), counts, space) for counts in found.values()]


def _said(found: dict[str, Any], space: str, key: str) -> bool:
    return any(space in counts.get(key, {}) for counts in found.values())


def _cell(count: int, counts: dict[str, Any], space: str) -> str:
    whole = counts["rows"].get(space, 0)
    return f"{count:,} ({count / whole:.1%})" if whole else ""
