"""What there is: lists, cards and spaces, for people and for programs. Reads cards; loads no model."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import click

from affetto import api
from affetto.core.card import Card, CardKind
from affetto.core.errors import UnknownNameError
from affetto.core.space import Axis, Space

KINDS: dict[str, CardKind] = {
    "models": "model", "spaces": "space", "datasets": "dataset", "benchmarks": "benchmark", "detectors": "detector",
    "language-models": "language",
}  # fmt: skip
LISTS = ("models", "spaces", "formats", "bridges", "datasets", "benchmarks", "detectors", "language-models")
Shown = Mapping[str, Any]


def show_list(what: str | None, as_json: bool) -> None:
    """Print what there is of a kind, or how many there are of each."""
    if what is None:
        rows: list[Shown] = [{"what": name, "how many": len(things(name))} for name in LISTS]
    elif what in LISTS:
        rows = things(what)
    else:
        raise UnknownNameError("list", what, LISTS)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif rows:
        columns([[str(_flat(value)) for value in row.values()] for row in rows], list(rows[0]))
    elif what:
        click.echo(f"no {what} yet")


def things(what: str) -> list[Shown]:
    """Return what there is of a kind, a mapping each, all with the same keys."""
    if what == "formats":
        return [
            {"suffix": name, "read": _yes(read), "written": _yes(written), "what": words}
            for name, (read, written, words) in api.suffixes().items()
        ]
    if what == "bridges":
        return [
            {
                "bridge": way.id,
                "kind": way.kind,
                "loss": lost(way.loss),
                "published": _yes(way.published),
                "source": way.source,
            }
            for way in api.bridges()
        ]
    cards = api.cards(KINDS[what]).values()
    match what:
        case "models":
            return [
                {"id": c.id, "version": c.version, "spaces": c.spaces, "languages": c.languages, "title": c.title}
                for c in cards
            ]
        case "spaces":
            return [{"id": c.id, "kind": str(c.facts.get("space_kind", "")), "title": c.title} for c in cards]
    return [{"id": c.id, "version": c.version, "licence": c.licence, "title": c.title} for c in cards]


def show_card(id: str, as_json: bool) -> None:
    """Print all that a card says."""
    card = api.card(id)
    if as_json:
        click.echo(json.dumps(_said(card), ensure_ascii=False, indent=2, default=str))
        return
    click.echo(f"{card}  ({card.kind})\n{card.title}\n")
    for key, value in _said(card).items():
        if key not in ("id", "kind", "version", "title", "axes", "relations") and value not in ("", (), [], {}):
            _field(key.replace("_", " "), value)
    if card.kind == "space":
        click.echo(f"\n`affetto spaces show {card.id}` lists what its labels mean")


def show_space(id: str, how: Literal["table", "tree", "turtle", "json"]) -> None:
    """Print a space: its labels or axes as a table, as a tree, as an ontology, or as JSON."""
    if how == "tree":
        click.echo(api.tree(id).rstrip("\n"))
        return
    if how == "turtle":
        click.echo(api.turtle(id).rstrip("\n"))
        return
    space = api.space(id)
    if how == "json":
        click.echo(json.dumps(asdict(space), ensure_ascii=False, indent=2))
        return
    card = api.card(id)
    click.echo(f"{card}  {card.title}\n{_KIND_WORDS.get(space.kind, space.kind)}\n")
    heads = ["name", "range", "opposite", "meaning"]
    table = [[axis.name, _range(space, axis), axis.opposite, axis.definition] for axis in space.axes]
    kept = [i for i in range(len(heads)) if any(row[i] for row in table)]
    columns([[row[i] for i in kept] for row in table], [heads[i] for i in kept])


_KIND_WORDS = {
    "one": "one label is right; the probabilities of a row sum to 1",
    "any": "several labels may be right; each probability stands alone",
    "graded": "named axes with a low and a high end",
    "vector": "unnamed numbers",
    "open": "the words themselves",
}


def lost(loss: float) -> str:
    """Return what a bridge loses, as people read it."""
    return "not measured" if math.isnan(loss) else f"{loss:.2f}"


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Print a table: aligned and cut to the terminal, or whole and with tabs in a pipe."""
    if not sys.stdout.isatty():
        for row in ([*heads], *rows):
            click.echo("\t".join(cell.replace("\t", " ") for cell in row))
        return
    from affetto.serve import terminal  # noqa: PLC0415 - rich, only where it is seen

    terminal.show_table(rows, heads, terminal.console())


def _yes(value: bool) -> str:
    return "yes" if value else "-"


def _said(card: Card) -> dict[str, Any]:
    said = {key: value for key, value in asdict(card).items() if key not in ("facts", "path")}
    return {**said, **card.facts}


def _field(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        click.echo(f"{name}:")
        for key, inner in value.items():
            click.echo(f"  {key}: {_flat(inner)}")
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) or len(str(item)) > 40 for item in value):
        click.echo(f"{name}:")
        for item in value:
            click.echo(f"  - {_flat(item)}")
    else:
        click.echo(f"{name}: {_flat(value)}")


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(inner)}" for key, inner in value.items())
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    return ", ".join(_flat(item) for item in value)


def _range(space: Space, axis: Axis) -> str:
    if space.kind != "graded":
        return ""
    return f"{axis.low:g} to {axis.high:g}{f' {axis.unit}' if axis.unit else ''}"
