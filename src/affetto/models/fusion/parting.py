"""Voices that sound like one but come from several mouths, parted: by whose mouth moves while each piece is heard.

Where two people or more are seen, each stretch of an unnamed voice speaks for the face whose mouth moves most in it, if
it moves clearly more than all others. A voice whose stretches speak for a second face as well is two. Knows Tracks;
its numbers were set on made talks (dev). The same mouth with two voices is `linking.gathered`'s matter.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

from affetto.core.track import Track
from affetto.models.fusion.mouths import QUIET, motions, span_mean

SPEAKING, SHAPES = "speaking", "arkit-52"
LONE = "speaker"
"""The voice of a recording in which but one is heard."""
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PartingOptions:
    """How clear it must be."""

    shortest: float = 0.8
    """Seconds of a stretch that speaks for anybody."""
    margin: float = 0.7
    """By how much more, in logs, one mouth must move than each other one, to show that a voice is several people's."""
    less: float = 0.2
    """The same, once that is known."""
    moves: float = 0.3
    """How far below the usual limit of a still mouth, in logs, the one that moves most may be."""
    seconds: float = 2.0
    """That speak for a second face, at least."""
    stretches: int = 2
    """Of them, at least."""


def parted(
    tracks: Sequence[Track], names: Collection[str] = (), options: PartingOptions | None = None
) -> tuple[Track, ...]:
    """Return the Tracks of a recording with voices of several mouths as several voices.

    Args:
        tracks: of one recording.
        names: voices that somebody named: they stay whole.
        options: how clear it must be.
    """
    options = options or PartingOptions()
    faces = motions([track for track in tracks if track.space.id == SHAPES])
    if len(faces) < 2:
        return tuple(tracks)
    found = list(tracks)
    for heard in [track for track in tracks if track.space.id == SPEAKING and track.subject not in names]:
        owner = _owners(heard, faces, options)
        long = {name: float((heard.end - heard.start)[owner == name].sum()) for name in dict.fromkeys(owner) if name}
        main = max(long, key=lambda name: long[name], default="")
        others = [
            name
            for name, seconds in long.items()
            if name != main and seconds >= options.seconds and (owner == name).sum() >= options.stretches
        ]
        if others:
            owner = _owners(heard, faces, replace(options, margin=options.less, shortest=0.0))
            found = _split(found, heard, [owner == name for name in others])
    return tuple(found)


def _owners(heard: Track, faces: dict[str, npt.NDArray[np.float64]], options: PartingOptions) -> npt.NDArray[np.str_]:
    """Return for each stretch of a voice the face that it speaks for; empty where none does clearly."""
    names = list(faces)
    owner = []
    for start, end in zip(heard.start, heard.end, strict=True):
        moved = np.array([span_mean(faces[name], start, end) for name in names])
        seen = np.sort(moved[~np.isnan(moved)])
        clear = len(seen) > 1 and seen[-1] - seen[-2] >= options.margin and seen[-1] >= QUIET - options.moves
        owner.append(names[int(np.nanargmax(moved))] if clear and end - start >= options.shortest else "")
    return np.array(owner)


def _split(tracks: Sequence[Track], heard: Track, parts: Sequence[Bools]) -> list[Track]:
    """Return all Tracks, those of a voice split: what lies in some of its stretches is a new voice's."""
    taken = {track.subject for track in tracks}
    free = (name for k in count(1) if (name := f"voice-{k}") not in taken)
    rest = next(free) if heard.subject == LONE else heard.subject
    new = [next(free) for _ in parts]
    found: list[Track] = []
    for track in tracks:
        if track.subject != heard.subject or track.channel != "voice":
            found.append(track)
            continue
        mine = [_inside(track, heard, rows) for rows in parts]
        left = ~np.any(mine, axis=0)
        pieces = [track.called(rest)[left], *(track.called(name)[rows] for name, rows in zip(new, mine, strict=True))]
        found += [piece for piece in pieces if len(piece)]
    return found


def _inside(track: Track, heard: Track, rows: Bools) -> Bools:
    """Return which rows of a Track lie mostly in some stretches of a voice."""
    inside = np.zeros(len(track))
    for start, end in zip(heard.start[rows], heard.end[rows], strict=True):
        inside += np.maximum(0.0, np.minimum(track.end, end) - np.maximum(track.start, start))
    return np.asarray(inside > 0.5 * (track.end - track.start), np.bool_)
