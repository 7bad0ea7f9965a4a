"""Where embedded weights lie, and whether they are what the card says.

Knows files and checksums; knows no network and no model.
"""

import hashlib
from pathlib import Path

from affetto.core.card import Card
from affetto.core.errors import CatalogError


def weights(card: Card) -> Path:
    """Return the weight file that a card names by `weights = "file"`, beside it in `weights/`, checked by sha256.

    Raises:
        CatalogError: it is missing, or not the file that the card describes.
    """
    path = Path(card.path).parent / "weights" / str(card.facts.get("weights", ""))
    if not path.is_file():
        raise CatalogError(f"the weights of {card.id} are missing: {path}; install affetto again")
    if checksum(path) != card.sha256:
        raise CatalogError(
            f"the weights of {card.id} are not what its card says: {path} differs; install affetto again"
        )
    return path


def checksum(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
