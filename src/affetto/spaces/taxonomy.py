"""Taxonomies: what stands in a `*.toml` beside this file, as a Space.

Knows how a taxonomy is written down and drawn as a tree; knows not how one becomes another (`bridges` does).
A file is a card (see `core.card`) with these further keys: `space_kind`, `vad_source`, a table `[[axes]]` each
(name, definition, synonyms, polarity, vad, parent, opposite, low, high, unit, facts), and a table `[[relations]]`
each (subject, kind, objects); one of kind `vector` has a `width` in place of axes. `[[bridges]]` are ways that the card
brings along (see `tables` and `linear`). Any package may bring its own by the entry point `affetto.cards`.
"""

from collections.abc import Mapping
from typing import Any, cast

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import AffettoError, CatalogError
from affetto.core.space import Axis, Relation, Space, vector_space

_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "definition": str,
    "synonyms": list,
    "polarity": int,
    "vad": list,
    "parent": str,
    "opposite": str,
    "low": (int, float),
    "high": (int, float),
    "unit": str,
    "facts": Mapping,
}


def load(card: Card) -> Space:
    """Return the Space that a card describes.

    Raises:
        CatalogError: the card lacks its kind or its axes, or one of them is malformed; says which.
    """
    where = f"the space card {card.id!r}"
    kind, axes = card.facts.get("space_kind"), card.facts.get("axes")
    if not isinstance(kind, str):
        raise CatalogError(f"{where} wants space_kind = 'one', 'any', 'graded', 'vector' or 'open'")
    if kind == "vector" and isinstance(width := card.facts.get("width"), int) and width > 0:
        return vector_space(width, card.id)
    if not isinstance(axes, list) or not axes:
        raise CatalogError(f"{where} wants at least one table [[axes]]")
    try:
        return Space(
            card.id,
            cast(Any, kind),
            tuple(_axis(axis, where) for axis in axes),
            tuple(_relation(relation, where) for relation in card.facts.get("relations", ())),
            str(card.facts.get("vad_source", "")),
        )
    except CatalogError:
        raise
    except AffettoError as error:
        raise CatalogError(f"{where}: {error}") from None


def space(id: str | Space) -> Space:
    """Return a Space by its id, loaded once in a process; a Space as it stands.

    Raises:
        UnknownNameError: there is none; names those there are.
    """
    if isinstance(id, Space):
        return id
    catalog.find(id, "space")
    return cast(Space, catalog.load(id))


def tree(space: Space) -> str:
    """Return the labels as a tree of text lines, with opposites (`<>`), parts (`=`) and consequences (`->`).

    >>> from affetto.core.space import Axis, Space
    >>> print(tree(Space("mood", "any", (Axis("joy"), Axis("glee", parent="joy")))))
    joy
    `-- glee
    """
    lines: list[str] = []
    for root in space.children(""):
        _grow(space, root, "", "", lines)
    return "\n".join(lines)


def ancestors(space: Space, name: str) -> tuple[str, ...]:
    """Return a label and all that stand above it, nearest first.

    Raises:
        UnknownNameError: the space has no such label.
    """
    path = [space[name].name]
    while (parent := space[path[-1]].parent) and parent not in path:
        path.append(parent)
    return tuple(path)


def _grow(space: Space, name: str, first: str, rest: str, lines: list[str]) -> None:
    lines.append(first + name + _remarks(space, name))
    children = space.children(name)
    for child in children:
        last = child == children[-1]
        _grow(space, child, rest + ("`-- " if last else "|-- "), rest + ("    " if last else "|   "), lines)


def _remarks(space: Space, name: str) -> str:
    opposite = space[name].opposite
    said = f"  <> {opposite}" if opposite else ""
    for relation in space.relations:
        if relation.subject == name:
            said += (
                f"  = {' + '.join(relation.objects)}"
                if relation.kind == "composed_of"
                else f"  -> {', '.join(relation.objects)}"
            )
    return said


def _axis(plain: Any, where: str) -> Axis:
    if not isinstance(plain, Mapping) or not isinstance(plain.get("name"), str):
        raise CatalogError(f"{where}: a table [[axes]] wants a name")
    name = plain["name"]
    for key, value in plain.items():
        if key not in _TYPES:
            raise CatalogError(f"{where}: axis {name!r} has an unknown key {key!r}; known: {', '.join(_TYPES)}")
        if not isinstance(value, _TYPES[key]):
            raise CatalogError(f"{where}: {key} of axis {name!r} has the wrong type: {value!r}")
    said = dict(plain)
    for key in ("synonyms", "vad"):
        if key in said:
            said[key] = tuple(said[key])
    if any(not isinstance(word, str) for word in said.get("synonyms", ())):
        raise CatalogError(f"{where}: synonyms of axis {name!r} are strings")
    if any(not isinstance(number, int | float) for number in said.get("vad", ())):
        raise CatalogError(f"{where}: vad of axis {name!r} is three numbers")
    try:
        return Axis(**said)
    except AffettoError as error:
        raise CatalogError(f"{where}: {error}") from None


def _relation(plain: Any, where: str) -> Relation:
    kinds = ("composed_of", "leads_to")
    if not isinstance(plain, Mapping) or set(plain) != {"subject", "kind", "objects"} or plain["kind"] not in kinds:
        raise CatalogError(f"{where}: a table [[relations]] wants subject, kind ({' or '.join(kinds)}) and objects")
    return Relation(plain["subject"], plain["kind"], tuple(plain["objects"]))
