"""What a file and the nouns mean by each other: the space of an id, the field of a stretch of text, a layout."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from affetto.core import catalog
from affetto.core.space import Axis, Kind, Space


@cache
def find_space(id: str) -> Space:
    """Return a space by its id, and load nothing but spaces, whatever a file says.

    Raises:
        UnknownNameError: the catalog has no such space.
    """
    space: Space = catalog.load(catalog.find(id, "space").id)
    return space


def same_space(id: str, kind: Kind, axes: tuple[Axis, ...]) -> Space:
    """Return the space of the catalog where it has these names, ranges and kind, else a space of just these axes."""
    if kind not in ("open", "vector"):
        known = _known(id)
        if known is not None and known.kind == kind and list(map(_gist, known.axes)) == list(map(_gist, axes)):
            return known
    return Space(id, kind, axes)


def field_at(meta: Mapping[str, Any], start: float, end: float) -> str:
    """Return the field in which a stretch of a Record's text lies, as `meta["fields"]` says; empty where in none.

    >>> field_at({"fields": {"title": [0, 5], "description": [6, 20]}}, 6, 20)
    'description'
    """
    said = meta.get("fields")
    if isinstance(said, Mapping):
        for name, place in said.items():
            match place:
                case [int(first), int(last)] if first <= start and end <= last:
                    return str(name)
    return ""


def layout(header: Iterable[str]) -> str:
    """Return which format of faces a table with these columns is in; empty where in none.

    >>> layout(["Timecode", "BlendShapeCount", "EyeBlinkLeft"])
    'arkit'
    """
    names = {name.strip().lower() for name in header}
    if {"timecode", "blendshapecount"} <= names:
        return "arkit"
    if "confidence" in names and names & {"success", "face"} and names & {"pose_rx", "gaze_0_x", "x_0", "au01_r"}:
        return "openface"
    return "pyfeat" if {"facerectx", "facescore"} <= names else ""


def _gist(axis: Axis) -> tuple[object, ...]:
    return axis.name, axis.low, axis.high, axis.unit


@cache
def _known(id: str) -> Space | None:
    try:
        return find_space(id)
    except LookupError:
        return None
