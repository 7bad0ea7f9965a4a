"""The errors of Affetto, as one tree. Each message says what, where, and the way out.

::

    AffettoError
    |-- MalformedError      a value that must not exist; the message names the shape it wanted  (ValueError)
    |-- UnknownNameError    a name nobody knows; the message names those that are known         (LookupError)
    |-- CatalogError        a card that is broken, or two with one id
    |-- MissingExtraError   a part that is not installed; the message is the pip line           (ImportError)
    |-- UnreadableError     an input that cannot be read                                        (ValueError)
    |-- NoBridgeError       two spaces that nothing connects; the message names the near ones
"""

import difflib
from collections.abc import Iterable


class AffettoError(Exception):
    """Whatever Affetto refuses to do."""


class MalformedError(AffettoError, ValueError):
    """A value that must not exist: its message names the shape it wanted."""


class UnknownNameError(AffettoError, LookupError):
    """A name that nobody knows: its message names those that are known."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        """Say that no `what` is called `name`, and list `known`, the nearest first."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        super().__init__(f"no {what} is called {name!r}; {hint}known: {', '.join(names) or 'none'}")
        self.name = name


class CatalogError(AffettoError):
    """A card that is broken, or two cards with one id."""


class MissingExtraError(AffettoError, ImportError):
    """A part of Affetto that is not installed: its message is the line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        """Say that `what` needs the extra `extra`."""
        super().__init__(f"{what} needs a part that is not installed: pip install 'affetto[{extra}]'")
        self.extra = extra


class UnreadableError(AffettoError, ValueError):
    """An input that cannot be read: its message says which, why, and the way out."""


class NoBridgeError(AffettoError):
    """Two spaces that nothing connects: its message names the near ones."""
