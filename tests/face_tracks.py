"""Faces over time as models tell them, for the tests of face tables."""

import numpy as np
from hypothesis import strategies as st

from affetto.core.record import Record
from affetto.core.track import Track
from affetto.formats.finding import find_space

HEAD = np.array([35.0, 30.0, 60.0])
EYES = np.array([30.0, 25.0, 30.0, 25.0])
"""How far heads and eyes turn here, degrees."""


def track(id, rows, start, end, subject="person-1", **more):
    return Track(find_space(id), start, end, rows, subject=subject, channel="face", source="face@1", **more)


def clip(*people, id="clip", **meta):
    return Record(id, tracks=tuple(one for person in people for one in person), meta=meta)


@st.composite
def persons(draw, ids, subject="person-1", rate=5.0):
    """One person's Tracks as `face` gives them: a row a picture, and one row for each stretch without a face."""
    n = draw(st.integers(1, 6))
    shown = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    pictures = [1 if face else draw(st.integers(1, 4)) for face in shown]
    runs = [(f, p) for i, (f, p) in enumerate(zip(shown, pictures, strict=True)) if f or not i or shown[i - 1]]
    edge = np.concatenate([[0], np.cumsum([p for _, p in runs])]) / rate
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    face = np.array([f for f, _ in runs])
    box = np.where(face[:, None], np.sort(seed.uniform(0, 500, (len(runs), 4)), 1), np.nan)
    sure = np.where(face, seed.uniform(0.1, 1, len(runs)), np.nan)
    note = None if face.all() else ["" if f else "no face" for f in face]
    tracks = []
    for id in ids:
        values = values_in(id, seed, len(runs))
        values[~face] = np.nan
        more = {"confidence": sure} if not tracks else {}
        tracks.append(track(id, values, edge[:-1], edge[1:], subject, box=box, note=note, **more))
    return tuple(tracks)


def values_in(id, seed, n):
    space = find_space(id)
    k = len(space.axes)
    if id == "head-pose":
        return seed.uniform(-HEAD, HEAD, (n, 3))
    if id == "gaze":
        return seed.uniform(-EYES, EYES, (n, 4))
    if space.kind == "vector":
        return seed.uniform(0, 600, (n, k))
    if space.kind == "one":
        rows = seed.uniform(0.01, 1, (n, k))
        return rows / rows.sum(1, keepdims=True)
    low, high = (np.array([getattr(axis, end) for axis in space.axes]) for end in ("low", "high"))
    return seed.uniform(low, high, (n, k))


def agree(old, new, skip=(), atol=2e-4, box=True):
    """Check that a Track came back: its times, its values but those of `skip`, its note, its confidence."""
    assert (new.space, new.subject, new.channel, new.note) == (old.space, old.subject, old.channel, old.note)
    np.testing.assert_allclose(new.start, old.start, atol=2e-5)
    np.testing.assert_allclose(new.end[:-1], old.end[:-1], atol=2e-5)
    kept = [i for i, name in enumerate(old.space.names) if name not in skip]
    np.testing.assert_allclose(new.values[:, kept], old.values[:, kept], atol=atol)
    if box:
        np.testing.assert_allclose(new.box, old.box, atol=1e-3)
    if old.confidence is not None:
        np.testing.assert_allclose(new.confidence, old.confidence, atol=1e-5)
