"""Where cards are found: beside Affetto's own code, and in packages that name themselves under `affetto.cards`.

Listing reads TOML and imports nothing; loading is one import. A third party ships cards by the entry point

    [project.entry-points."affetto.cards"]
    my-package = "my_package"

whose value is the package (or sub-package) in whose folder the `*.toml` cards lie, at any depth.
"""

import importlib
import importlib.metadata
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from affetto.core.card import Card, CardKind, read_card
from affetto.core.errors import AffettoError, CatalogError, UnknownNameError

_HOME = Path(__file__).resolve().parents[1]
_SHELVES = ("spaces", "models", "datasets", "bench")
GROUP = "affetto.cards"
_NO_CARDS = "published"
"""The folder whose TOML files are tables of published results, not cards."""


def cards(kind: CardKind | None = None) -> dict[str, Card]:
    """Return all cards, or those of a kind, by their ids in alphabetical order. Imports nothing of theirs.

    Raises:
        CatalogError: a card is broken, or two have one id.
    """
    found: dict[str, Card] = {}
    for card in [*map(_read, _own()), *(card for point in _points() for card in _brought(point)[0])]:
        if card.id in found:
            raise CatalogError(f"two cards are called {card.id!r}: {found[card.id].path} and {card.path}; rename one")
        found[card.id] = card
    return {id: found[id] for id in sorted(found) if kind in (None, found[id].kind)}


def find(id: str, kind: CardKind | None = None) -> Card:
    """Return one card by its id.

    Raises:
        UnknownNameError: there is none of that id and kind; names those there are.
    """
    own = [path for path in _own() if path.stem == id]
    card = _read(own[0]) if len(own) == 1 else cards().get(id)
    if card is None or kind not in (None, card.kind):
        raise UnknownNameError(kind or "card", id, cards(kind))
    return card


@cache
def load(id: str) -> Any:
    """Load what a card names, once in a process.

    Raises:
        UnknownNameError: no card has that id.
        CatalogError: the card does not say how to load it.
    """
    card = find(id)
    if ":" not in card.load:
        raise CatalogError(f"the card {id!r} does not say how to load it: load = 'module:function'")
    module, name = card.load.split(":", 1)
    try:
        function = getattr(importlib.import_module(module), name)
    except AffettoError:
        raise
    except (ImportError, AttributeError) as error:
        raise CatalogError(f"the card {id!r} is loaded by {card.load}, which cannot be imported: {error}") from error
    return function(card)


def broken_strangers() -> dict[str, str]:
    """Return the entry points that bring nothing or a broken card, with the reason: they stop nobody else."""
    return {point.name: reason for point in _points() if (reason := _brought(point)[1])}


@cache
def _read(path: Path) -> Card:
    return read_card(path)


@cache
def _own() -> tuple[Path, ...]:
    found = (path for shelf in _SHELVES for path in sorted((_HOME / shelf).rglob("*.toml")))
    return tuple(path for path in found if path.parent.name != _NO_CARDS)


@cache
def _points() -> tuple[importlib.metadata.EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group=GROUP))


@cache
def _brought(point: importlib.metadata.EntryPoint) -> tuple[tuple[Card, ...], str]:
    """Return the cards of a stranger's package, and what is wrong with it: a broken one brings none."""
    try:
        spec = importlib.util.find_spec(point.value)
        if spec is None or not spec.submodule_search_locations:
            return (), f"{point.value} is not a package"
        folder = Path(next(iter(spec.submodule_search_locations)))
        return tuple(_read(path) for path in sorted(folder.rglob("*.toml"))), ""
    except Exception as error:  # find_spec runs the code of parent packages, which may do anything
        return (), f"{type(error).__name__}: {error}"
