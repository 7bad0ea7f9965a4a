"""The feeling of each turn that a talk carries, or that somebody is asked for. Knows Tracks; knows no network."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.core.places import Places
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track

Floats = npt.NDArray[np.float32]
SPACE = "ekman-7"


def felt(record: Record, space: str = SPACE) -> Floats:
    """Return what the talk's Tracks say each turn expresses, n x k; NaN where nothing does.

    Of several Tracks of one speaker that of a rater, or else of a model of talk, counts before that of whoever read the
    turns alone.
    """
    pieces = record.pieces() if record.turns else []
    axes = _space(space)
    values = np.full((len(pieces), len(axes.axes)), np.nan, np.float32)
    places = Places(record)
    tracks = [track for track in record.tracks if track.space.id == space and track.perspective == "expressed"]
    for track in sorted(tracks, key=_rank, reverse=True):
        if pieces and track.unit == pieces[0].unit:
            for row, k in places.rows(track):
                if pieces[k].subject == track.subject:
                    values[k] = track.values[row]
    return values


def felt_by_all(records: Sequence[Record], erc: str) -> list[Floats]:
    """Return what each turn of each talk expresses in ekman-7.

    A talk that carries nothing is shown to the model of the card `erc`.
    """
    found = [felt(record) for record in records]
    bare = [i for i, values in enumerate(found) if len(values) and np.isnan(values).all()]
    if bare:
        answers = load(erc)([records[i].blind() for i in bare])
        for i, tracks in zip(bare, answers, strict=True):
            found[i] = felt(records[i].blind().add(*tracks))
    return found


def _rank(track: Track) -> int:
    """Return how much a Track counts, 0 the most."""
    return 1 if track.source.startswith("dialogue.") else 2 if track.source.startswith("text.") else 0


def _space(id: str) -> Space:
    found: Space = load(id)
    return found
