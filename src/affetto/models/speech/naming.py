"""Which voice every row belongs to, once all of a recording was heard: `voice-1`, `voice-2` ..., or one `speaker`.

Knows Tracks; knows no sound.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from affetto.core.track import Track
from affetto.models.speech.listening import NO_VOICE, SPEAKER
from affetto.models.speech.speaker import EMBEDDING
from affetto.models.speech.spells import VOICE
from affetto.models.speech.telling import Telling, told

SPEAKING = "speaking"
"""The id of the space of who speaks when."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]


def named(tracks: Sequence[Track], telling: Telling) -> tuple[Track, ...]:
    """Return the Tracks of a whole recording, from those of all its windows, in any number and order.

    Rows of the subject `voice` become those of `voice-1`, `voice-2` ... in the order of their first words, or of
    `speaker` where there is but one; the Track that says what voices resemble is dropped. In Tracks whose rows come
    evenly, each voice has all rows, "not said" where another speaks.
    """
    whole = _joined(tracks)
    heard = next((track for track in whole if track.space.id == EMBEDDING), None)
    if heard is None:
        return tuple(replace(track, subject=SPEAKER) if track.subject == VOICE else track for track in whole)
    voices, sure = told(heard.values, heard.end - heard.start, telling)
    count = max(voices) + 1
    names = [SPEAKER] if count == 1 else [f"voice-{k + 1}" for k in range(count)]
    found: list[Track] = []
    for track in whole:
        if track.subject != VOICE:
            found.append(track)
        elif track.space.id != EMBEDDING:
            owner, exact = _owners(track, heard)
            if track.space.id == SPEAKING:
                found += _spoken(track, np.array(voices)[owner], np.array(sure)[owner], names)
            elif count == 1:
                found.append(replace(track, subject=SPEAKER))
            else:
                found += [_of(track, np.array(voices)[owner] == k, name, exact) for k, name in enumerate(names)]
    return tuple(track for track in found if len(track))


def _spoken(track: Track, mine: Ints, sure: Floats, names: Sequence[str]) -> list[Track]:
    """Return who speaks when: how surely somebody does, times how surely it is this voice."""
    surely = replace(track, values=track.values * sure[:, None])
    return [_of(surely, mine == k, name, exact=True) for k, name in enumerate(names)]


def _joined(tracks: Sequence[Track]) -> list[Track]:
    """Return one Track for each subject, space and source, its rows in order of time.

    Their order is the same wherever the windows were cut: who is heard first comes first, `speaking` last of all.
    """
    groups: dict[tuple[str, ...], list[Track]] = {}
    heard: dict[str, float] = {}
    for track in tracks:
        kind = (track.space.id, track.source, track.channel, track.perspective)
        groups.setdefault((*kind, track.subject), []).append(track)
        heard[track.subject] = min(heard.get(track.subject, np.inf), float(track.start.min(initial=np.inf)))
    kinds = list(dict.fromkeys(key[:-1] for key in groups))
    order = sorted(groups, key=lambda key: (key[0] == SPEAKING, heard[key[-1]], key[-1], kinds.index(key[:-1])))
    return [_one(groups[key]) for key in order]


def _one(tracks: Sequence[Track]) -> Track:
    start = np.concatenate([track.start for track in tracks])
    order = np.argsort(start, kind="stable")
    sure = [np.full(len(one), np.nan, np.float32) if one.confidence is None else one.confidence for one in tracks]
    notes = [note for one in tracks for note in (one.note or ("",) * len(one))]
    return replace(
        tracks[0],
        start=start[order],
        end=np.concatenate([track.end for track in tracks])[order],
        values=np.concatenate([track.values for track in tracks])[order],
        confidence=None if all(one.confidence is None for one in tracks) else np.concatenate(sure)[order],
        note=tuple(notes[k] for k in order) if any(notes) else None,
    )


def _owners(track: Track, heard: Track) -> tuple[Ints, bool]:
    """Return, for each row, which row of what was heard it goes with, and whether all rows are rows of that.

    The one that it shares most time with, or else the nearest.
    """
    owner = np.zeros(len(track), np.int64)
    exact = True
    middles = (heard.start + heard.end) / 2
    longest = float((heard.end - heard.start).max(initial=0.0))
    for k, (start, end) in enumerate(zip(track.start, track.end, strict=True)):
        first = int(np.searchsorted(heard.start, start - longest))
        last = max(first + 1, int(np.searchsorted(heard.start, end, "right")))
        near = np.arange(max(0, first - 1), min(len(middles), last + 1))
        shared = np.minimum(end, heard.end[near]) - np.maximum(start, heard.start[near])
        owner[k] = near[int(shared.argmax())]
        exact = exact and abs(heard.start[owner[k]] - start) < 1e-6 and abs(heard.end[owner[k]] - end) < 1e-6
    return owner, exact


def _of(track: Track, mine: npt.NDArray[np.bool_], subject: str, exact: bool) -> Track:
    """Return the rows of one voice; where rows come evenly, all of them, "not said" where they are another's."""
    if not exact:
        sure = None if track.confidence is None else np.where(mine, track.confidence, np.nan)
        notes = track.note or ("",) * len(track)
        said = tuple(note if yes else NO_VOICE for note, yes in zip(notes, mine, strict=True))
        return replace(
            track, subject=subject, values=np.where(mine[:, None], track.values, np.nan), confidence=sure, note=said
        )
    keep = np.flatnonzero(mine)
    notes = tuple(track.note[k] for k in keep) if track.note is not None else ()
    return replace(
        track,
        subject=subject,
        start=track.start[keep],
        end=track.end[keep],
        values=track.values[keep],
        confidence=None if track.confidence is None else track.confidence[keep],
        note=notes if any(notes) else None,
    )
