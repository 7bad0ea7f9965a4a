"""Answers in a word each, for tables: sentiment, subjectivity, emotion. A work that follows that of the models.

All three rest on one answer: what the writer feels, in the first space of labels where one is right, else in the first
where several may be. Knows which answer that is; bridges are handed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from affetto.core.errors import NoBridgeError
from affetto.core.record import Record
from affetto.core.track import Track

Translate = Callable[[Track, str], Track]
SENTIMENT, EMOTION, NEUTRAL = "sentiment-3", "ekman-7", "neutral"


def annotated(records: Sequence[Record], translate: Translate) -> list[Record]:
    """Return answered Records with a Track in `sentiment-3` more, and with three words as `meta["annotation"]`.

    `sentiment` is negative, neutral or positive, the most probable after translation. `emotion` is the most probable
    label in ekman-7, or of the model's own labels where no bridge leads there. `subjectivity` is 1 - P(neutral) there,
    0 to 1: how much any emotion is expressed, an estimate of emotional subjectivity and not of opinion. Each is None
    where it was not said; a Record without such an answer stays as it is.

    Args:
        records: as a model has answered them.
        translate: says a Track in the space of an id, or raises NoBridgeError.
    """
    alike: dict[tuple[Any, ...], list[tuple[int, Track]]] = {}
    for i, record in enumerate(records):
        if (main := _main(record)) is not None:
            key = (id(main.space), main.unit, main.subject, main.perspective, main.channel)
            alike.setdefault((*key, main.source, main.confidence is None), []).append((i, main))
    done = list(records)
    for some in alike.values():
        whole = _stacked([main for _, main in some])
        sentiment, emotion = (_over(whole, space, translate) for space in (SENTIMENT, EMOTION))
        feelings = whole if emotion is None else emotion
        sides = [None] * len(whole) if sentiment is None else _tops(sentiment)
        labels, degrees = _tops(feelings), _subjectivity(feelings)
        for row, (i, _) in enumerate(some):
            fresh = () if sentiment is None or sentiment is whole else (sentiment[row : row + 1],)
            words = {"sentiment": sides[row], "subjectivity": degrees[row], "emotion": labels[row]}
            meta = {**done[i].meta, "annotation": words}
            done[i] = replace(done[i], tracks=(*done[i].tracks, *fresh), meta=meta)
    return done


def _main(record: Record) -> Track | None:
    own = [track for track in record.tracks if track.perspective != "evoked" and len(track) == 1]
    return next((track for kind in ("one", "any") for track in own if track.space.kind == kind), None)


def _stacked(tracks: Sequence[Track]) -> Track:
    """Return the rows of Tracks that differ in nothing else as one, in the order given, without notes."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(track, name) for track in tracks]) for name in ("start", "end", "values")
    }
    if tracks[0].confidence is not None:
        columns["confidence"] = np.concatenate([track.confidence for track in tracks if track.confidence is not None])
    return replace(tracks[0], **columns, box=None, about=None, note=None)


def _over(track: Track, space: str, translate: Translate) -> Track | None:
    try:
        return translate(track, space)
    except NoBridgeError:
        return None


def _tops(track: Track) -> list[str | None]:
    """Return the highest label of each row, None where nothing was said."""
    names = track.space.names
    best = np.nan_to_num(track.values, nan=-1.0).argmax(1).tolist()
    silent = np.asarray(np.isnan(track.values).all(axis=1))
    return [None if silent[row] else names[i] for row, i in enumerate(best)]


def _subjectivity(feelings: Track) -> list[float | None]:
    if NEUTRAL not in feelings.space.names:
        return [None] * len(feelings)
    said = (1 - feelings.column(NEUTRAL).astype(float)).round(6).tolist()
    return [None if x != x else x for x in said]  # noqa: PLR0124 - NaN is not itself
