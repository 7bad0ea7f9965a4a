"""Tables that say which label of one space stands for which of another, and the arithmetic of crossing them.

Knows the files `tables/*.bridge` (TOML) and how probabilities go over; knows not which way to take (`bridges` does).
A file says `from`, `to`, `kind` (`table`, `tree`, `dyads`), `source`, `published`, and `[table]`: a label of `from`
to a label of `to`, to several, or to weights. `dropped` lists the labels that go nowhere; `rest` names the label that
takes what the others lack to 1; `presence` is the grade that counts as present; `[joint]` names labels that are there
when all their parts are. In a `tree` a label without a row goes where the nearest label above it goes; `dyads` also
reads parts (`composed_of`) and broader labels (`parent`) from the two spaces.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import AffettoError, CatalogError
from affetto.core.space import Space
from affetto.spaces.taxonomy import ancestors

Values = npt.NDArray[np.float64]
FOLDER = Path(__file__).parent / "tables"
DUST = 0.05
"""Where labels are dropped and what is left sums to less than this, nothing is said rather than dust scaled up to 1."""


@dataclass(frozen=True, eq=False)
class Table:
    """How much of each label of `origin` stands for each label of `target`."""

    origin: Space
    target: Space
    kind: str
    """`table`, `tree` or `dyads`."""
    weights: Values
    """k x m, 0..1."""
    joint: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Columns of `target` that are there when all these columns of `origin` are."""
    rest: int | None = None
    """The column of `target` that takes what the others lack to 1."""
    presence: float | None = None
    """The grade that counts as present."""

    @property
    def fed(self) -> npt.NDArray[np.bool_]:
        """Which columns of the target anything leads to."""
        fed: npt.NDArray[np.bool_] = np.asarray((self.weights > 0).any(0))
        for column, _ in self.joint:
            fed[column] = True
        return fed


def listed() -> tuple[tuple[str, str], ...]:
    """Return from where to where the files lead, without reading any."""
    return _listed()


@cache
def read(origin: str, target: str) -> Mapping[str, Any]:
    """Return what a file says, as it stands.

    Raises:
        CatalogError: it is missing or no TOML.
    """
    path = FOLDER / f"{origin}--{target}.bridge"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"the bridge {path.name} cannot be read: {error}") from None


def table(plain: Mapping[str, Any], origin: Space, target: Space) -> Table:
    """Return the Table that a file says for two spaces.

    Raises:
        CatalogError: it names labels that the spaces lack, or leaves a label out without saying so.
    """
    where = f"the bridge {origin.id}--{target.id}"
    kind = plain.get("kind", "table")
    weights = np.zeros((len(origin.axes), len(target.axes)))
    rows, dropped = dict(plain.get("table", {})), set(plain.get("dropped", ()))
    try:
        if kind == "dyads":
            rows = _parts(origin, target) | rows
        for name in origin.names:
            if name in dropped:
                continue
            row = next((rows[label] for label in _climb(origin, name, kind) if label in rows), None)
            if row is None and kind == "table":
                raise CatalogError(f"{where} leaves out {name!r}: give it a row or list it under dropped")
            for label, weight in _weights(row):
                weights[origin.index(name), target.index(label)] = weight
        for name in (*rows, *dropped):
            origin.index(name)
        joint = {**(_wholes(origin, target) if kind == "dyads" else {}), **plain.get("joint", {})}
        return Table(
            origin,
            target,
            kind,
            weights,
            tuple((target.index(whole), tuple(origin.index(part) for part in parts)) for whole, parts in joint.items()),
            target.index(plain["rest"]) if plain.get("rest") else None,
            plain.get("presence"),
        )
    except CatalogError:
        raise
    except AffettoError as error:
        raise CatalogError(f"{where}: {error}") from None


def cross(table: Table, values: npt.NDArray[Any]) -> Values:
    """Return values (n x k) of the origin as values (n x m) of the target.

    From one label to one: probabilities add up, and are scaled to 1 where labels were dropped. From one to any: they
    add up. From any: what leads to one target is joined as independent (1 - product of 1 - p), or by the greatest
    where one contains the other (`tree`, `dyads`); to one, that is then scaled to 1, `rest` taking what is lacking.
    Rows of NaN stay NaN; labels that nothing leads to are NaN in a target of kind `any` and 0 in one of kind `one`.
    """
    p = chances(table.origin, values, table.presence)
    silent = unsaid(p)
    if table.origin.kind == "one":
        added = np.nan_to_num(p) @ table.weights
        if table.target.kind == "one":
            return scaled(added, table.rest, silent)
        out = np.clip(added, 0, 1)
    else:
        out = _union(p, table.weights, greatest=table.kind != "table")
        for column, parts in table.joint:
            out[:, column] = p[:, parts].prod(1)
        if table.target.kind == "one":
            return scaled(out, table.rest, silent)
    out[:, ~table.fed] = np.nan
    out[silent] = np.nan
    return out


def chances(space: Space, values: npt.NDArray[Any], presence: float | None = None) -> Values:
    """Return values as probabilities: grades go to 0..1, by `presence` or else by the range of their axis."""
    p: Values = np.array(values, np.float64)
    if space.kind != "graded":
        return p
    low = np.array([axis.low for axis in space.axes])
    high = np.array([axis.high for axis in space.axes])
    return np.clip(p / presence if presence else (p - low) / (high - low), 0, 1)


def unsaid(values: Values) -> npt.NDArray[np.bool_]:
    """Return which rows say nothing: all NaN."""
    return np.asarray(np.isnan(values).all(1), np.bool_)


def scaled(values: Values, rest: int | None, silent: npt.NDArray[np.bool_]) -> Values:
    """Return rows scaled to sum 1; `rest` takes what lacks; rows that are `silent` or mere dust become NaN."""
    out = np.nan_to_num(values)
    if rest is not None:
        out[:, rest] += np.maximum(0, 1 - out.sum(1))
    total = out.sum(1, keepdims=True)
    out = out / np.where(total > 0, total, 1)
    out[silent | (total[:, 0] < DUST)] = np.nan
    return out


def _union(p: Values, weights: Values, *, greatest: bool) -> Values:
    out = np.full((len(p), weights.shape[1]), np.nan)
    for column in range(weights.shape[1]):
        rows = np.flatnonzero(weights[:, column])
        if not len(rows):
            continue
        parts = p[:, rows] * weights[rows, column]
        known = np.nan_to_num(parts)
        joined = known.max(1) if greatest else 1 - (1 - known).prod(1)
        out[:, column] = np.where(np.isnan(parts).all(1), np.nan, joined)
    return out


def _weights(row: Any) -> Iterable[tuple[str, float]]:
    if isinstance(row, str):
        return [(row, 1.0)]
    if isinstance(row, Mapping):
        return [(label, float(weight)) for label, weight in row.items()]
    return [(label, 1.0) for label in row or ()]


def _climb(space: Space, name: str, kind: str) -> tuple[str, ...]:
    return (name,) if kind == "table" else ancestors(space, name)


def _parts(origin: Space, target: Space) -> dict[str, Any]:
    rows: dict[str, Any] = {name: name for name in origin.names if name in target.names}
    for relation in origin.relations:
        if relation.kind == "composed_of" and relation.subject not in rows:
            rows[relation.subject] = [part for part in relation.objects if part in target.names]
    return rows


def _wholes(origin: Space, target: Space) -> dict[str, tuple[str, ...]]:
    return {
        relation.subject: relation.objects
        for relation in target.relations
        if relation.kind == "composed_of"
        and relation.subject not in origin.names
        and all(part in origin.names for part in relation.objects)
    }


@cache
def _listed() -> tuple[tuple[str, str], ...]:
    pairs = (path.stem.split("--", 1) for path in sorted(FOLDER.glob("*.bridge")))
    return tuple((origin, target) for origin, target in pairs)
