"""What a file and the nouns mean by each other: the space of an id, the field of a stretch of text, a layout."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from affetto.core import catalog
from affetto.core.space import Axis, Kind, Space

_USUAL = ("ekman-7", "ekman-8", "ravdess-8", "plutchik-8", "sentiment-3", "goemotions-28")
"""Spaces of labels that others' labels are looked for in first."""


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


def space_of(labels: tuple[str, ...]) -> Space | None:
    """Return a space of labels that has all of these names, whatever their capitals; None where there is none.

    Of several the usual ones come first, then those with fewer labels.

    >>> space_of(("Joy", "sadness")).id, space_of(("hug", "wave"))
    ('ekman-7', None)
    """
    words = {label.lower() for label in labels}
    fits = (space for space in _of_labels() if words <= {name.lower() for name in space.names})
    return next(fits, None) if words else None


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


@cache
def _of_labels() -> tuple[Space, ...]:
    spaces = [find_space(id) for id in catalog.cards("space")]
    usual = {id: i for i, id in enumerate(_USUAL)}
    named = [space for space in spaces if space.kind in ("one", "any")]
    return tuple(sorted(named, key=lambda space: (usual.get(space.id, len(usual)), len(space.axes), space.id)))


def _gist(axis: Axis) -> tuple[object, ...]:
    return axis.name, axis.low, axis.high, axis.unit


@cache
def _known(id: str) -> Space | None:
    try:
        return find_space(id)
    except LookupError:
        return None
