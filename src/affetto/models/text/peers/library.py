"""Where the libraries of others come in: late, quietly, and with the way out where one is missing."""

import importlib
import warnings
from typing import Any

from affetto.core.errors import MissingExtraError

EXTRA = "peers"


def library(module: str, card: str) -> Any:
    """Import the library that a peer is made of; what it warns of itself (old escapes, old APIs) is not ours to tell.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(card, EXTRA) from None
