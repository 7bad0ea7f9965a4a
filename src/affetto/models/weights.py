"""Where weights lie, in the package or as those of the hub, and whether they are what the card says.

Knows files and checksums; asks the hub only where that is allowed; knows no model.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnreadableError

NETWORK = "AFFETTO_NETWORK"
"""The environment variable that allows the network where it is 1."""


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


def folder_of(
    what: str, hub: str, revision: str, files: Sequence[str], fetchable: bool, network: bool, path: str = ""
) -> Path:
    """Return the folder of a network: one on this machine, or of the hub, fetched where that is allowed.

    Args:
        what: wants it, for messages.
        hub: a folder, or `owner/name`.
        revision: of the hub; nothing is fetched without one.
        files: the patterns of those of the hub that are fetched.
        fetchable: whether the hub may be asked at all.
        network: whether it may be asked even where AFFETTO_NETWORK is not 1.
        path: the file that a relative folder lies beside.

    Raises:
        CatalogError: it would have to be fetched, and no revision is named.
        UnreadableError: it is not on this machine, or cannot be fetched.
    """
    beside = Path(path).parent / hub
    if beside.is_dir():
        return beside
    import huggingface_hub  # noqa: PLC0415 - comes with transformers

    asking = fetchable and (network or os.environ.get(NETWORK) == "1")
    if asking and not revision:
        raise CatalogError(f"{what} names no revision of {hub}, and only a pinned one is fetched from the hub")
    try:
        folder = huggingface_hub.snapshot_download(
            hub, revision=revision or None, local_files_only=not asking, allow_patterns=list(files)
        )
    except Exception as error:  # of the hub, and of whatever carries it
        if asking:
            raise UnreadableError(f"{hub} of {what} cannot be fetched: {first_line(error)}") from None
        way = f"set {NETWORK}=1 to fetch it once, or " if fetchable else ""
        raise UnreadableError(
            f"{hub} of {what} is not on this machine; {way}name a folder that holds it as hub in a card"
        ) from None
    return Path(folder)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, or its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
