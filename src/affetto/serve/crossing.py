"""Translations as the command line tells them: the answers moved, and each bridge named once on stderr."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import click

from affetto import api
from affetto.core.errors import NoBridgeError
from affetto.core.record import Record
from affetto.core.track import Track


def translated(records: Iterable[Record], space: str, origin: str | None, quiet: bool) -> Iterator[Record]:
    """Yield each Record with its answers in `space` and no others; tell the bridges that were taken.

    Raises:
        NoBridgeError: nothing leads there from the answers of the first Record.
        UnknownNameError: there is no such space.
    """
    api.space(space)
    told: set[str] = set()
    went = False
    for record in records:
        try:
            moved = api.translate(record, space, origin=origin)
        except NoBridgeError as error:
            if not went:
                raise
            yield replace(record, tracks=(), meta={**record.meta, "error": str(error)})
            continue
        went = went or bool(moved.tracks)
        for track in moved.tracks:
            start = _origin(track)
            if not quiet and start and start not in told:
                told.add(start)
                click.echo(told_bridge(start, space), err=True)
        yield moved


def told_bridge(origin: str, target: str) -> str:
    """Return a bridge in words: its way, its source, what it loses."""
    way = api.bridge(origin, target)
    lost = "loss not measured" if math.isnan(way.loss) else f"loss {way.loss:.2f} ({way.measure})"
    whose = "" if way.published else ", Affetto's own"
    source = way.source.rstrip(".").replace(".;", ";")
    return f"bridge {way.id} ({way.kind}{whose}); {lost}; source: {source}{'. ' if way.note else ''}{way.note}"


def _origin(track: Track) -> str:
    """Return the space that a translated Track came from, empty where it did not move."""
    _, _, crossed = track.source.partition(" > ")
    return crossed.partition("--")[0]
