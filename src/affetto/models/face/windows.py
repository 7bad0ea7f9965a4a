"""A film's faces, window by window: for films of hours, and for those who go on where somebody stopped.

What a window says is said of the people as they are called on the way; `joined` makes of all windows what
`looking.read` says of the whole film at once. Knows Tracks and how they lie behind each other; knows no files.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.track import Track
from affetto.models.face.looking import NO_FACE, NOBODY, Answering, Part, Scene, opened_at, read, tracks_of
from affetto.models.face.seen import Mesh
from affetto.models.face.sighting import Looking, Stretch, moving, tracker_of
from affetto.models.face.track import Tracker

SECONDS = 60.0
"""Of a window."""
_SAME = 1e-6
"""Seconds by which two times may differ that are one."""
Key = tuple[str, str]
"""Who says it, and in which space."""


class Window(NamedTuple):
    """What a stretch of a film shows."""

    until: float
    """Seconds from the start of the film: here the next window begins."""
    tracks: tuple[Track, ...]
    """Of each person who is seen in it, from its beginning to its end; of nobody, where none is."""
    state: dict[str, Any]
    """What the next window needs to know, as JSON can hold it; `over` is true where there is none. It tells people
    apart, so it is for a journal that is removed in the end, and for no result."""


def windows(
    record: Record,
    parts: Sequence[Part],
    mesh: Mesh,
    options: Looking | None = None,
    seconds: float = SECONDS,
    state: Mapping[str, Any] | None = None,
) -> Iterator[Window]:
    """Yield what the faces of a film show, a window at a time; people keep their names from one to the next.

    Args:
        record: with a film; opened anywhere up to where the state ends, as `meta["since"]` says. One without pictures
            has no window; one with several films or with still pictures has one.
        parts: who answers.
        mesh: the network that finds points.
        options: how to look.
        seconds: of a window; windows end at the first picture from each multiple of it on.
        state: of the last window that was seen through; the next one is the first then.

    Raises:
        MalformedError: `seconds` is none, or the state was not made here.
        UnreadableError: the film was only named, not opened, or nothing of it can be read.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise MalformedError(f"windows want seconds > 0, not {seconds}")
    options, known = options or Looking(), state or {}
    signals = [signal for signal in record.signals if isinstance(signal, Frames | Image)]
    if known.get("over") or not signals:
        return
    if len(signals) > 1 or not isinstance(signals[0], Frames):
        (tracks,) = read([record], parts, mesh, options)
        yield Window(max((float(track.end.max()) for track in tracks), default=0.0), tracks, {"over": True})
        return
    try:
        tracker = tracker_of(mesh, options, known.get("tracker"))
        wanted = float(known.get("until", -1.0))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(
            f"record {record.id!r}: the state of a window was not made by this version ({error!r}); begin anew"
        ) from None
    stretch = Stretch(options.rate, opened_at(record), wanted)
    yield from _film(signals[0], parts, tracker, stretch, seconds)


def _film(film: Frames, parts: Sequence[Part], tracker: Tracker, stretch: Stretch, seconds: float) -> Iterator[Window]:
    """Yield the windows of a film; each is held back until it is known whether another one follows."""
    scene, ready, edge = Scene(), None, math.inf
    with Answering(parts) as answering:
        for sight in moving(film, tracker, stretch):
            if ready is not None:
                yield ready
                ready = None
            if not scene.edges:
                edge = (math.floor(sight.start / seconds + _SAME) + 1) * seconds
            answering.add(scene, sight)
            if sight.end >= edge - _SAME and not sight.note:
                state = {"until": sight.end, "tracker": tracker.state}
                answering.finish()
                ready = Window(sight.end, tuple(tracks_of(scene, parts, scene.people)), state)
                scene = Scene()
        answering.finish()
    if ready is not None:
        yield ready._replace(state={"over": True})
    elif scene.edges:
        yield Window(scene.edges[-1][1], tuple(tracks_of(scene, parts, scene.people)), {"over": True})


def joined(tracks: Iterable[Track], least: int = Looking.least) -> tuple[Track, ...]:
    """Return what all windows of a film say as what is said of the whole.

    Args:
        tracks: those of all windows, in order; from the first one on.
        least: pictures in which somebody must be seen to count, unless the film has fewer.

    Returns:
        A Track for each person and space over all windows, as `looking.read` returns them: persons are numbered anew,
        in the order in which they come. What is said of still pictures, or of several films, comes as it is.
    """
    tracks = tuple(tracks)
    by: dict[Key, dict[str, dict[float, Track]]] = {}
    for track in tracks:
        begins = by.setdefault((track.source, track.space.id), {}).setdefault(track.subject, {})
        if track.start[0] in begins:
            return tracks
        begins[float(track.start[0])] = track
    if not tracks or all(track.end[-1] == 0 for track in tracks):
        return tracks
    told = next(iter(by.values()))
    stretches = {begin: _unseen(track) for some in told.values() for begin, track in some.items()}
    names = [name for name, some in told.items() if name != NOBODY and _counts(_merged(some, stretches, some), least)]
    subjects = {name: f"person-{k + 1}" for k, name in enumerate(names)} or {NOBODY: NOBODY}
    return tuple(
        _merged(some.get(name, {}) if names else {}, stretches, next(iter(some.values()))).called(subject)
        for some in by.values()
        for name, subject in subjects.items()
    )


def _counts(track: Track, least: int) -> bool:
    """Tell whether somebody was seen in enough pictures, or in all there are."""
    seen = len(track) if track.note is None else track.note.count("")
    return seen >= min(least, len(track))


def _unseen(track: Track) -> Track:
    """Return what is said of one who is not seen in the window of a Track: one row, and why the film breaks off."""
    notes = track.note or ("",) * len(track)
    broken = len(notes) - 1 if notes[-1] not in ("", NO_FACE) else len(notes)
    rows = [(track.start[0], track.end[broken - 1], NO_FACE)] if broken else []
    rows += [(track.start[-1], track.end[-1], notes[-1])] if broken < len(notes) else []
    return replace(
        track,
        start=np.array([start for start, _, _ in rows]),
        end=np.array([end for _, end, _ in rows]),
        values=np.full((len(rows), track.values.shape[1]), np.nan, np.float32),
        confidence=None,
        box=None,
        note=tuple(note for _, _, note in rows),
    )


def _merged(some: Mapping[float, Track], stretches: Mapping[float, Track], likes: Mapping[float, Track]) -> Track:
    """Return the Tracks of one person in one space as one, which says in all other stretches that nobody is seen.

    `likes` are Tracks of the same space and source, whoever they are about.
    """
    pieces = [some.get(begin, unseen) for begin, unseen in sorted(stretches.items())]
    like = next(iter(likes.values()))
    notes = [note for one in pieces for note in (one.note or ("",) * len(one))]
    start, end = (np.concatenate([getattr(one, name) for one in pieces]) for name in ("start", "end"))
    again = [k > 0 and notes[k] == notes[k - 1] == NO_FACE for k in range(len(notes))]
    first = np.flatnonzero(~np.array(again, bool))
    last = np.append(first[1:], len(notes)) - 1
    unsure = bool(some) and all(one.confidence is None for one in some.values())
    return replace(
        like,
        start=start[first],
        end=end[last],
        values=_column(pieces, "values", like.values.shape[1])[first],
        confidence=None if unsure else _column(pieces, "confidence", 0)[first],
        box=_column(pieces, "box", 4)[first],
        note=tuple(notes[k] for k in first) if any(notes) else None,
    )


def _column(pieces: Sequence[Track], name: str, wide: int) -> npt.NDArray[np.float32]:
    """Return a column of all pieces, NaN where one of another space, or none, stands in."""
    shape = (wide,) if wide else ()
    columns = [getattr(one, name) for one in pieces]
    return np.concatenate(
        [
            column
            if column is not None and column.shape[1:] == shape
            else np.full((len(one), *shape), np.nan, np.float32)
            for one, column in zip(pieces, columns, strict=True)
        ]
    )
