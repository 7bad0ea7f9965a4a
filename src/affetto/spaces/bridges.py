"""From one space to another: which bridges there are, what crossing them loses, and `translate`.

Knows the ways (tables, trees, dyads, sums, geometry, polarity, open words) and says at every crossing which it took;
where none leads it refuses and names the near ones. The arithmetic is in `tables`, `linear` and `geometry`, the
measured losses in `tables/losses.json`, which `python -m recipes.bridge_loss` writes.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.errors import NoBridgeError, UnknownNameError
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.spaces import geometry, linear, placing, tables
from affetto.spaces.taxonomy import space as load_space

LONGEST = 3
"""How many bridges one translation crosses at most."""
OPEN = "open"
_ONLY_FROM = {"quadrants-4": ("va", "vad")}
"""Where only measured points lead: coordinates of words have no true centre, so their signs alone mean little."""
_Crossing = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]


@dataclass(frozen=True)
class Bridge:
    """A way from one space to another, with its source and what it loses.

    >>> bridge("stocktwits-7", "ekman-7").loss
    0.0
    """

    id: str
    """`origin--target`; the ids of its steps with ` > ` between them where there are several."""
    kind: str
    """`table`, `tree`, `dyads`, `linear`, `geometry`, `polarity`, `wheel`, or `chain` of several."""
    source: str
    """Who says so."""
    published: bool
    """Whether a publication says so, or only Affetto."""
    loss: float = math.nan
    """Share of information lost, 0 to 1, as `measure` says; NaN where it was not measured."""
    measure: str = "not measured: no corpus at hand has labels of both spaces, or of the first"
    """What `loss` is, on which data."""
    n: int = 0
    """On how many labels or texts."""
    also: Mapping[str, float] | None = None
    """Other numbers of the same measurement."""
    note: str = ""
    """What happens on the way that one may not expect."""
    steps: tuple["Bridge", ...] = ()


def bridge(origin: Space | str, target: Space | str) -> Bridge:
    """Return the shortest way between two spaces.

    Raises:
        NoBridgeError: nothing leads there; names what leads away from `origin` and to `target`.
        UnknownNameError: there is no such space.
    """
    start, end = _named(origin), _named(target)
    steps = [_bridge(a, b) for a, b in _way(start, end)]
    if len(steps) == 1:
        return steps[0]
    return Bridge(
        id=" > ".join(step.id for step in steps),
        kind="chain",
        source="; ".join(step.source for step in steps),
        published=all(step.published for step in steps),
        note=" ".join(step.note for step in steps if step.note),
        steps=tuple(steps),
        **_loss(f"{start.id}--{end.id}"),
    )


def bridges(origin: Space | str) -> tuple[Bridge, ...]:
    """Return the bridges that lead directly away from a space."""
    start = _named(origin)
    return tuple(_bridge(start, load_space(target)) for target in _exits(start))


def translate(track: Track, space: Space | str) -> Track:
    """Return a Track in another space; its source gains the ids of the bridges that were crossed.

    NaN rows stay NaN. Confidence is kept where the main answer goes over whole (there it is a lower bound: a broader
    answer is right at least as often), and NaN elsewhere. Boxes, notes and what rows are about stay.

    Raises:
        NoBridgeError: nothing leads there; names what leads away from the track's space and to the wished one.
        UnknownNameError: there is no such space.

    >>> from affetto.spaces.taxonomy import space
    >>> glad = Track(space("stocktwits-7"), [0], [9], [[0, 1, 0, 0, 0, 0, 0]], unit="char", source="rater")
    >>> translate(glad, "ekman-7").source
    'rater > stocktwits-7--ekman-7'
    """
    end = load_space(space)
    if track.space.id == end.id and track.space.names == end.names:
        return track
    for origin, target in _way(_named(track.space), end):
        values, confidence = _crossing(origin, target)(track)
        source = f"{origin.id}--{target.id}"
        track = replace(
            track,
            space=target,
            values=values,
            confidence=confidence,
            source=f"{track.source} > {source}" if track.source else source,
        )
    return track


def _named(space: Space | str) -> Space:
    """Return the catalog's own Space where one of the same names is there: it knows what the words mean."""
    if isinstance(space, str):
        return load_space(space) if space != OPEN else Space(OPEN, "open", ())
    if space.kind in ("open", "vector"):
        return space
    try:
        known = load_space(space.id)
    except UnknownNameError:
        return space
    return known if known.names == space.names else space


def _way(start: Space, end: Space) -> list[tuple[Space, Space]]:
    if start.id == end.id:
        raise NoBridgeError(f"{start.id!r} needs no bridge to itself")
    paths: list[list[Space]] = [[start]]
    seen = {start.id}
    for _ in range(LONGEST):
        longer = []
        for path in paths:
            exits = _exits(path[-1])
            if end.id in exits and start.id in _ONLY_FROM.get(end.id, (start.id,)):
                return list(zip(path, [*path[1:], end], strict=True))
            longer += [[*path, load_space(exit)] for exit in exits if exit not in seen]
            seen.update(exits)
        paths = longer
    raise NoBridgeError(_refusal(start, end))


def _refusal(start: Space, end: Space) -> str:
    away = sorted(_exits(start))
    to = sorted(origin for origin, target in tables.listed() if target == end.id)
    words = f"no bridge leads from {start.id!r} to {end.id!r}"
    words += f"; from {start.id!r} one can go to {', '.join(away)}" if away else f"; none leaves {start.id!r}"
    words += f"; {end.id!r} can be reached from {', '.join(to)}" if to else f"; no table leads to {end.id!r}"
    if end.id in ("va", "vad"):
        words += "; every label space whose labels have coordinates leads to 'vad' and 'va'"
    return words


def _exits(space: Space) -> dict[str, str]:
    """Return where one can go from a space, and by what kind of bridge, the tables first."""
    if space.kind == "open":
        return dict.fromkeys(placing.PLACES, "wheel")
    exits = {target: "table" for origin, target in tables.listed() if origin == space.id}
    exits |= {plain["to"]: "own table" for plain in _brought(space.id)}
    if space.id == "vad":
        return exits | {"va": "geometry"}
    if space.id == "va":
        return exits | {"quadrants-4": "geometry"}
    if geometry.has_points(space):
        exits |= {"vad": "geometry"}
    if geometry.has_sides(space) and space.id != "sentiment-3":
        exits = {"sentiment-3": "polarity"} | exits
    return exits


@cache
def _brought(id: str) -> tuple[Mapping[str, Any], ...]:
    """Return the tables that a space's own card brings along: `[[bridges]]` with `to` and the keys of a table."""
    try:
        return tuple(catalog.find(id, "space").facts.get("bridges", ()))
    except UnknownNameError:
        return ()


def _plain(origin: Space, target: Space) -> Mapping[str, Any]:
    own = next((plain for plain in _brought(origin.id) if plain["to"] == target.id), None)
    return own or tables.read(origin.id, target.id)


def _bridge(origin: Space, target: Space) -> Bridge:
    id, kind = f"{origin.id}--{target.id}", _exits(origin)[target.id]
    if "table" in kind:
        plain = _plain(origin, target)
        facts = {"kind": plain.get("kind", "table"), "source": plain.get("source", "not said")}
        facts |= {"published": bool(plain.get("published")), "note": plain.get("note", "")}
    else:
        facts = {"kind": kind, "published": origin.id in ("va", "vad"), "note": _NOTES[kind]}
        facts["source"] = origin.vad_source if kind == "geometry" and origin.vad_source else _SOURCES[kind]
    return Bridge(id, **facts, **_loss(id))


_SOURCES = {
    "geometry": "Russell 1980: valence and arousal are the axes of the circumplex.",
    "polarity": "Polarity of each label, as its taxonomy states it.",
    "wheel": "Names and synonyms of the labels, as their taxonomies state them.",
}
_NOTES = {
    "geometry": "Coordinates are those of words: compare their order, not their size; arousal is the least sure.",
    "polarity": "Labels of no clear side go to neutral, and so does what the probabilities lack to 1.",
    "wheel": "Words that no taxonomy knows are left out; a row that has no others is not said.",
}


def _crossing(origin: Space, target: Space) -> Callable[[Track], _Crossing]:
    kind = _exits(origin)[target.id]
    if "table" in kind:
        plain = _plain(origin, target)
        if plain.get("kind") == "linear":
            sums = linear.matrix(plain, origin, target)
            return lambda track: (linear.cross(sums, track.values), None)
        table = tables.table(plain, origin, target)
        return lambda track: (out := tables.cross(table, track.values), _confidence(track, table, out))
    if kind == "wheel":
        return lambda track: (placing.place(track.space.names, track.values, target, _carry), None)
    if kind == "polarity":
        return lambda track: (geometry.sides(origin, target, track.values), None)
    if target.id == "va":
        return lambda track: (track.values[:, :2].astype(np.float64), None)
    if target.id == "quadrants-4":
        return lambda track: (geometry.quadrants(track.values), None)
    return lambda track: (geometry.points(origin, track.values), None)


def _carry(origin: Space, term: str, target: Space) -> npt.NDArray[np.float64] | None:
    values = np.eye(len(origin.axes))[[origin.index(term)]]
    try:
        over = translate(Track(origin, np.zeros(1), np.ones(1), values, unit="turn"), target)
    except NoBridgeError:
        return None
    return np.asarray(over.values[0], np.float64)


def _confidence(track: Track, table: tables.Table, out: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    if track.confidence is None:
        return None
    said = ~(np.isnan(track.values).all(1) | np.isnan(out).all(1))
    before = np.nan_to_num(track.values, nan=-1).argmax(1)
    after = np.nan_to_num(out, nan=-1).argmax(1)
    whole = said & (table.weights[before, after] == 1)
    return np.where(whole, track.confidence, np.nan)


def _loss(id: str) -> dict[str, Any]:
    said = dict(_losses().get(id, {}))
    if said.get("loss", 0) is None:
        said["loss"] = math.nan
    return said


@cache
def _losses() -> Mapping[str, Mapping[str, Any]]:
    path = tables.FOLDER / "losses.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}
