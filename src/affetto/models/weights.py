"""Where weights lie, in the package, on this machine or as those of the hub; what they are checked by; how they open.

Knows files and checksums; asks the hub, or another server, only where that is allowed; knows no model.
"""

import contextlib
import gzip
import hashlib
import json
import lzma
import os
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnreadableError

NETWORK = "AFFETTO_NETWORK"
"""The environment variable that allows the network where it is 1."""
MODELS = "AFFETTO_MODELS"
"""The environment variable that names the folder of files that are no part of Affetto."""
_LARGEST = 4 * 10**9
"""Bytes of a file that is fetched, at most."""
_PATIENCE = 60.0
"""Seconds in which a server must say something."""
_PIECE = 1 << 20


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


def network_of(path: Path) -> str | bytes:
    """Return what onnxruntime opens a network from: the path of its file, or what that holds where it is packed.

    Raises:
        OSError: it cannot be read, or is no packed file.
    """
    unpack = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix)
    return unpack(path.read_bytes()) if unpack else str(path)


def opened(path: Path, what: str, key: str = "") -> tuple[Any, Any]:
    """Open a network of Affetto's own, to be asked by one thread at a time.

    Args:
        path: its file, ONNX.
        what: it is, for messages.
        key: of the file's metadata, under which facts stand as JSON; without, there are none.

    Returns:
        The session of onnxruntime, and the facts, or None.

    Raises:
        UnreadableError: the file is no such network.
    """
    import onnxruntime  # noqa: PLC0415 - checksums need none

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(network_of(path), options, providers=["CPUExecutionProvider"])
        return session, json.loads(session.get_modelmeta().custom_metadata_map[key]) if key else None
    except Exception as error:  # onnxruntime raises plain exceptions of its own
        raise UnreadableError(f"{path.name} is no {what} of affetto: {error}") from None


def checksum(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_of(what: str, file: str, url: str, sha256: str, path: str = "") -> Path:
    """Return a file that is no part of Affetto: one on this machine, or fetched where AFFETTO_NETWORK=1 allows it.

    It is looked for beside the card, in the folder AFFETTO_MODELS, and in the cache of Affetto (`~/.cache/affetto`, or
    below XDG_CACHE_HOME); what is fetched is checked, and put into the last two, whichever there is first.

    Args:
        what: wants it, for messages.
        file: its name, or its path from where the card lies.
        url: where it is to be had; empty: nowhere.
        sha256: its checksum; nothing is fetched without one.
        path: the file of the card.

    Raises:
        CatalogError: it is not what the checksum says, or would have to be fetched without one.
        UnreadableError: it is not on this machine, or cannot be fetched.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "affetto"
    shelf = Path(os.environ[MODELS]) if os.environ.get(MODELS) else cache
    for place in (Path(path).parent / file, shelf / file, cache / file):
        if place.is_file():
            if sha256 and checksum(place) != sha256:
                raise CatalogError(f"the file of {what} is not what its card says: {place} differs; remove it")
            return place
    if url and os.environ.get(NETWORK) == "1":
        return _fetched(what, url, sha256, shelf / Path(file).name)
    way = f"set {NETWORK}=1 to fetch it once from {url}, or " if url else ""
    raise UnreadableError(
        f"{file} of {what} is not on this machine; {way}put it into a folder and name that in {MODELS}"
    )


def _fetched(what: str, url: str, sha256: str, goal: Path) -> Path:
    """Fetch a file, whole or not at all."""
    if not sha256:
        raise CatalogError(f"{what} says no sha256 of {url}, and only a file that can be checked is fetched")
    if not url.startswith(("https://", "http://")):
        raise CatalogError(f"{what} names {url}, and files are fetched by https only")
    goal.parent.mkdir(parents=True, exist_ok=True)
    handle, growing = tempfile.mkstemp(dir=goal.parent, prefix=f".{goal.name}.")
    try:
        found = hashlib.sha256()
        try:
            with os.fdopen(handle, "wb") as out, urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310
                size = 0
                while piece := answer.read(_PIECE):
                    size += len(piece)
                    if size > _LARGEST:
                        raise UnreadableError(f"more than {_LARGEST:,} bytes")
                    found.update(piece)
                    out.write(piece)
        except (OSError, ValueError) as error:  # urllib's own errors are OSErrors, those of addresses ValueErrors
            raise UnreadableError(f"{url} of {what} cannot be fetched: {first_line(error)}") from None
        if found.hexdigest() != sha256:
            raise CatalogError(f"what lies at {url} is not what the card of {what} says: its checksum differs")
        Path(growing).replace(goal)
    finally:
        with contextlib.suppress(OSError):
            Path(growing).unlink()
    return goal


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
