"""Where cards are found: beside Affetto's own code, and in packages that name themselves under `affetto.cards`.

Listing reads TOML and imports nothing; loading is one import. A third party ships cards by the entry point

    [project.entry-points."affetto.cards"]
    my-package = "my_package"

whose value is the package (or sub-package) in whose folder the `*.toml` cards lie, at any depth.
"""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from affetto.core.card import Card, CardKind, read_card
from affetto.core.errors import CatalogError, UnknownNameError

_HOME = Path(__file__).resolve().parents[1]
_SHELVES = ("spaces", "models", "datasets", "bench")
GROUP = "affetto.cards"


def cards(kind: CardKind | None = None) -> dict[str, Card]:
    """Return all cards, or those of a kind, by their ids in alphabetical order. Imports nothing of theirs.

    Raises:
        CatalogError: a card is broken, or two have one id.
    """
    found: dict[str, Card] = {}
    for path in [*_own().values(), *_strangers()]:
        card = _read(path)
        if card.id in found:
            raise CatalogError(f"two cards are called {card.id!r}: {found[card.id].path} and {path}; rename one")
        found[card.id] = card
    return {id: found[id] for id in sorted(found) if kind in (None, found[id].kind)}


def find(id: str, kind: CardKind | None = None) -> Card:
    """Return one card by its id.

    Raises:
        UnknownNameError: there is none of that id and kind; names those there are.
    """
    own = _own().get(id)
    card = _read(own) if own else cards().get(id)
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
    module, function = card.load.split(":", 1)
    return getattr(importlib.import_module(module), function)(card)


def broken_strangers() -> dict[str, str]:
    """Return the entry points that could not be found, with the reason: a broken plug-in stops nobody else."""
    return {point.name: reason for point in _points() if (reason := _folder(point)[1])}


@cache
def _read(path: Path) -> Card:
    return read_card(path)


@cache
def _own() -> dict[str, Path]:
    return {path.stem: path for shelf in _SHELVES for path in sorted((_HOME / shelf).rglob("*.toml"))}


@cache
def _strangers() -> tuple[Path, ...]:
    folders = (_folder(point)[0] for point in _points())
    return tuple(path for folder in folders if folder for path in sorted(folder.rglob("*.toml")))


def _points() -> Iterable[importlib.metadata.EntryPoint]:
    return importlib.metadata.entry_points(group=GROUP)


def _folder(point: importlib.metadata.EntryPoint) -> tuple[Path | None, str]:
    try:
        spec = importlib.util.find_spec(point.value)
    except ImportError as error:
        return None, str(error)
    if spec is None or not spec.submodule_search_locations:
        return None, f"{point.value} is not a package"
    return Path(next(iter(spec.submodule_search_locations))), ""
