"""A talk of two people as it looks after it was perceived: made up, with all that such a Record may hold."""

from itertools import pairwise

import numpy as np

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Frames
from affetto.core.span import Span
from affetto.core.track import Track

SECONDS = 12.0
PATH = "clips/talk one.mp4"
TURNS = (
    Turn("Ann", Span(0.5, 3.25), "I got the job! <3 & more"),
    Turn("person-2", Span(3.5, 6.0), "Great: well done."),
    Turn("Ann", Span(5.5, 8.0), 'He said "no", twice.'),
    Turn("person-2", Span(9.0, 11.125), "Oh."),
)
LINKS = {"voice-1": 0.93, "voice-2": 0.04}


def rows(id, n, seed, gaps=()):
    """Return n rows that the space allows, some of them NaN."""
    space, rng = catalog.load(id), np.random.default_rng(seed)
    values = rng.uniform(0, 1, (n, len(space.axes)))
    if space.kind == "one":
        values = values**4 / (values**4).sum(1, keepdims=True)
    if space.kind == "graded":
        low, high = (np.array([getattr(axis, side) for axis in space.axes]) for side in ("low", "high"))
        values = low + values * (high - low)
    values[list(gaps)] = np.nan
    return space, values.astype(np.float32)


def track(id, edges, subject, channel, source, seed, gaps=(), note=None, **more):
    """Return a Track whose rows lie between edges, or at pairs of them."""
    edges = np.asarray(edges, float)
    start, end = (edges[:-1], edges[1:]) if edges.ndim == 1 else edges.T
    space, values = rows(id, len(start), seed, gaps)
    notes = None if note is None else tuple(note if i in gaps else "" for i in range(len(start)))
    return Track(space, start, end, values, "s", subject, "expressed", channel, source, note=notes, **more)


def speaking(subject, seed):
    """Return who speaks when, with the words."""
    mine = [turn for turn in TURNS if turn.speaker == subject]
    spans = [(turn.span.start, turn.span.end) for turn in mine]
    sure = np.random.default_rng(seed).uniform(0.5, 1, (len(mine), 1)).astype(np.float32)
    words = tuple(turn.text for turn in mine)
    start, end = np.transpose(spans)
    space = catalog.load("speaking")
    return Track(space, start, end, sure, "s", subject, "expressed", "voice", "speech.who@1", note=words)


def film(id="talk one"):
    """Return the Record: faces at 5 rows a second with a stretch unseen, voices, words, and what is fused on a grid."""
    tracks = []
    for k, name in enumerate(("Ann", "person-2")):
        seen = np.round(np.arange(0, 10.0001, 0.2), 4)
        edges = [*pairwise(seen), (10.0, SECONDS)]
        gap = (len(edges) - 1,)
        n = len(edges)
        sure = np.where(np.arange(n) == gap[0], np.nan, 0.75)
        box = np.tile([10.5 + 300 * k, 20.0, 110.25 + 300 * k, 140.0], (n, 1))
        box[list(gap)] = np.nan
        face = {"gaps": gap, "note": "no face", "box": box}
        tracks.append(track("ekman-8", edges, name, "face", "face@1", 10 + k, confidence=sure, **face))
        tracks.append(track("va", edges, name, "face", "face@1", 20 + k, **face))
        tracks.append(track("arkit-52", edges, name, "face", "face.blendshapes@1", 30 + k, **face))
        talks = [(t.span.start, t.span.end) for t in TURNS if t.speaker == name]
        tracks.append(track("ravdess-8", talks, name, "voice", "speech.affect@1", 40 + k, confidence=[0.5, np.nan]))
        tracks.append(track("egemaps-88", talks, name, "voice", "speech.prosody@1", 50 + k))
        tracks.append(track("goemotions-28", talks, name, "text", "text.affect-en@2", 60 + k))
        tracks.append(speaking(name, 70 + k))
        grid = np.arange(0, SECONDS + 0.1)
        fused = {"gaps": (4, 11), "note": "not said"}
        tracks.append(
            track("ekman-7", grid, name, "fused", "fusion.late@1", 80 + k, confidence=np.linspace(0, 1, 12), **fused)
        )
        tracks.append(track("va", grid, name, "fused", "fusion.late@1", 90 + k, **fused))
        odd = {"gaps": (0, 5, 6), "note": "words joy, voice anger"}
        tracks.append(track("conflict", grid, name, "fused", "fusion.conflict@1", 95 + k, **odd))
    people = {
        "Ann": {"face": "person-1", "voice": "voice-1", "linked": 0.93, "links": LINKS},
        "person-2": {"face": "person-2", "voice": None, "linked": None, "links": {}},
    }
    signals = (Audio(PATH, 16000.0, SECONDS), Frames(PATH, 5.0, SECONDS, size=(640, 360)))
    return Record(id, signals, TURNS, people, tuple(tracks), {"path": PATH, "subtitles": "clips/talk one.srt"})
