"""The facts of anything loadable: a model, a dataset, a space, a benchmark. TOML beside the code.

Knows what a card must say; knows not where cards lie (`catalog` does).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from affetto.core.errors import CatalogError

CardKind = Literal["model", "dataset", "space", "benchmark", "detector", "language"]
_REQUIRED = ("id", "kind", "version", "title")


@dataclass(frozen=True)
class Card:
    """The facts of one loadable thing."""

    id: str
    """Its name everywhere, such as `text.affect-en`; also the name of the file."""
    kind: CardKind
    version: str
    title: str
    """One line for lists."""
    load: str = ""
    """The function that takes the Card and returns the thing, as ``module:function``."""
    spaces: tuple[str, ...] = ()
    """Ids of the spaces its answers are in."""
    channel: str = ""
    """What it listens to: text, voice, face ..."""
    languages: tuple[str, ...] = ()
    """BCP 47 codes; empty where language does not matter."""
    source: str = ""
    """Where it comes from: a recipe, a page, a repository and commit."""
    sha256: str = ""
    """Checksum of its weights or archive."""
    licence: str = ""
    """SPDX id of the thing itself, weights included; for weights the strictest that their data ask for."""
    citation: str = ""
    intended_use: str = ""
    limits: tuple[str, ...] = ()
    """What it cannot do, is known to get wrong, or must not be used for."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """All other keys of the file, as they stand."""
    path: str = field(default="", compare=False)
    """The file it was read from."""

    def __str__(self) -> str:
        """Return id and version, as a Track's source says it."""
        return f"{self.id}@{self.version}"


def read_card(path: Path) -> Card:
    """Read a card from a TOML file.

    Raises:
        CatalogError: the file is no TOML, lacks a required key, or a key has the wrong type.
    """
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"the card {path.name} cannot be read: {error}") from None
    missing = [key for key in _REQUIRED if not plain.get(key)]
    if missing:
        raise CatalogError(f"the card {path.name} lacks {', '.join(missing)}")
    if plain["kind"] not in get_args(CardKind):
        raise CatalogError(
            f"the kind of card {path.name} is one of {', '.join(get_args(CardKind))}, not {plain['kind']!r}"
        )
    if plain["id"] != path.stem:
        raise CatalogError(
            f"the card {path.name} names itself {plain['id']!r}; the file wants to be called {plain['id']}.toml"
        )
    known = {f.name: f.type for f in fields(Card) if f.name not in ("facts", "path")}
    said: dict[str, Any] = {}
    for key, value in plain.items():
        if key not in known:
            continue
        wants_list = str(known[key]).startswith("tuple")
        listed = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not (listed if wants_list else isinstance(value, str)):
            raise CatalogError(
                f"in the card {path.name}, {key} wants {'a list of strings' if wants_list else 'a string'}"
            )
        said[key] = tuple(value) if wants_list else value
    rest = {key: value for key, value in plain.items() if key not in known}
    return Card(**said, facts=rest, path=str(path))
