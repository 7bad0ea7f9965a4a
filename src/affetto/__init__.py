"""Human emotion in text, and what goes with it: perceive it, explain it, translate it, keep it.

The nouns of `affetto.core` and the verbs of `affetto.api`, each fetched when it is first asked for, so
that `import affetto` costs next to nothing. All else is found in its own room: `affetto.spaces`, `affetto.formats` ...

>>> import affetto
>>> affetto.perceive("What a day!", model="fake").tracks[0].space.id
'ekman-7'
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affetto.api import card, cards, explain, load, perceive, read, translate, write
    from affetto.core.card import Card
    from affetto.core.errors import (
        AffettoError,
        MalformedError,
        MissingExtraError,
        NoBridgeError,
        UnknownNameError,
        UnreadableError,
    )
    from affetto.core.record import Record, Turn
    from affetto.core.signal import Audio, Frames, Image, Text, Waves
    from affetto.core.space import Axis, Space
    from affetto.core.span import Span
    from affetto.core.track import Track

    __version__: str

__all__ = [
    "AffettoError",
    "Audio",
    "Axis",
    "Card",
    "Frames",
    "Image",
    "MalformedError",
    "MissingExtraError",
    "NoBridgeError",
    "Record",
    "Space",
    "Span",
    "Text",
    "Track",
    "Turn",
    "UnknownNameError",
    "UnreadableError",
    "Waves",
    "__version__",
    "card",
    "cards",
    "explain",
    "load",
    "perceive",
    "read",
    "translate",
    "write",
]

_ROOMS = {
    "api": ("card", "cards", "explain", "load", "perceive", "read", "translate", "write"),
    "core.card": ("Card",),
    "core.errors": (
        "AffettoError",
        "MalformedError",
        "MissingExtraError",
        "NoBridgeError",
        "UnknownNameError",
        "UnreadableError",
    ),
    "core.record": ("Record", "Turn"),
    "core.signal": ("Audio", "Frames", "Image", "Text", "Waves"),
    "core.space": ("Axis", "Space"),
    "core.span": ("Span",),
    "core.track": ("Track",),
}
_HOME = {name: f"{__name__}.{room}" for room, names in _ROOMS.items() for name in names}


class _Face(ModuleType):
    """The package itself: its verb `explain` is not hidden by the room `affetto.explain` when that is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless it is a room that would stand before a verb."""
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    """Fetch a noun or a verb from its room (PEP 562)."""
    if name == "__version__":
        value: Any = importlib.import_module("importlib.metadata").version("affetto")
    elif name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)


sys.modules[__name__].__class__ = _Face
