"""Which face belongs to which voice: by how the mouth moves while the voice is heard. And everybody's one name.

A face's mouth motion (blendshapes of jaw and lips) and a voice's activity are laid on one grid of time. Each pair of a
face and a voice gets a few numbers (`FEATURES`) that are 0 where nothing was seen, and from them, by the fitted weights
of the card, the odds that both are one person. The odds become probabilities together: over all ways to give voices
faces one to one, where any voice may be heard off screen and any face may stay silent.

Knows Tracks; knows no picture, no sound and no words. It tells nobody apart by looks or by the sound of a voice: it
only takes faces and voices that others have told apart, within one recording.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError, MalformedError
from affetto.core.record import Record, Turn
from affetto.core.track import Track, join
from affetto.models.fusion.mouths import FEATURES, pairs_of

Floats = npt.NDArray[np.float64]
CARD, SPEAKING = "fusion.linking", "speaking"
_NUMBERED = re.compile(r"(voice-\d+|speaker|)")
"""What voices are called whose names nobody knows."""
_EXACT = 10
"""Faces, or voices, up to which probabilities are exact."""


@dataclass(frozen=True)
class LinkingOptions:
    """How sure a link must be.

    Raises:
        MalformedError: the threshold lies outside 0.5..1, so that a voice could have two faces.
    """

    threshold: float = 0.5
    """The least joint probability of a link; more than half, so that nobody is linked twice."""
    same: float = 0.8
    """How sure, each by itself, two voices must be the same face's for both to be one voice."""
    at_once: float = 0.1
    """Share of the shorter one's time in which two voices that are one may be heard at once."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0.5 <= self.threshold <= 1:
            raise MalformedError(f"the threshold of a link lies in 0.5..1, not {self.threshold!r}")


@dataclass(frozen=True)
class Links:
    """Who may be who in one recording.

    >>> links = Links(("person-1",), ("Ann",), {"person-1": {"Ann": 0.9}}, {"Ann": "person-1"})
    >>> links.called(["Ann"])
    ({'person-1': 'Ann'}, {'Ann': 'Ann'})
    """

    faces: tuple[str, ...]
    voices: tuple[str, ...]
    probability: Mapping[str, Mapping[str, float]]
    """Of each face, of each voice: that both are one person."""
    pairs: Mapping[str, str]
    """Of each voice that was given a face, the face."""

    def called(self, names: Collection[str] = ()) -> tuple[dict[str, str], dict[str, str]]:
        """Return the one name of each face and of each voice: that of subtitles, else the face's, else the voice's.

        A face that is nobody's voice, but called as one, gets the next free number.

        Args:
            names: voices whose names are those of people, as in subtitles; `voice-1` and `speaker` are none.
        """
        names = [name for name in names if not _NUMBERED.fullmatch(name)]
        owner = {face: voice if voice in names else face for voice, face in self.pairs.items()}
        taken = {*self.voices, *self.faces}
        faces: dict[str, str] = {}
        for face in self.faces:
            faces[face] = owner.get(face, face)
            if faces[face] == face and face in self.voices and self.pairs.get(face) != face:
                faces[face] = next(one for k in count(1) if (one := f"person-{k}") not in taken)
                taken.add(faces[face])
        return faces, {voice: faces[self.pairs[voice]] if voice in self.pairs else voice for voice in self.voices}


@dataclass(frozen=True)
class Linking:
    """Links the faces and voices of recordings that have been perceived; as a Model it gives all Tracks one name each.

    Args:
        card: with the fitted `weights`, by the names of `FEATURES`, and the `bias`.
        options: how sure a link must be.

    Raises:
        CatalogError: the card lacks a weight.
    """

    card: Card
    options: LinkingOptions = field(default_factory=LinkingOptions)

    def __post_init__(self) -> None:
        """Refuse a card without its numbers."""
        said = self.card.facts.get("weights_of", {})
        if set(said) != {"bias", *FEATURES} or not all(isinstance(value, float | int) for value in said.values()):
            raise CatalogError(f"{self.card.id}: weights_of wants a number for bias, {', '.join(FEATURES)}")

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return the Tracks of each Record, faces and voices under one name a person."""
        return [named(record.tracks, self.linked(record.tracks))[0] for record in records]

    def odds(self, tracks: Sequence[Track]) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
        """Return the log odds of each face and voice by themselves, f x v, and the names of both."""
        scores, faces, voices = pairs_of(tracks)
        said: Mapping[str, float] = self.card.facts["weights_of"]
        return scores @ np.array([said[name] for name in FEATURES], np.float64) + said["bias"], faces, voices

    def linked(self, tracks: Sequence[Track]) -> Links:
        """Return which face may be which voice, see `linked`."""
        odds, faces, voices = self.odds(tracks)
        chances = marginals(odds)
        pairs = {voices[v]: faces[f] for f, v in np.argwhere(chances > self.options.threshold).tolist()}
        table = {
            face: {voice: round(float(p), 4) for voice, p in zip(voices, row, strict=True)}
            for face, row in zip(faces, chances, strict=True)
        }
        return Links(faces, voices, table, pairs)


def load(card: Card) -> Linking:
    """Return the linking that a card describes."""
    return Linking(card)


def linked(tracks: Sequence[Track], options: LinkingOptions | None = None) -> Links:
    """Return which of the faces of a recording may be which of its voices.

    Args:
        tracks: all that was said of one recording. A face is a subject with `arkit-52` in seconds, a voice one with
            `speaking`.
        options: how sure a link must be.
    """
    found: Linking = load_card(CARD)
    return (replace(found, options=options) if options else found).linked(tracks)


def gathered(
    tracks: Sequence[Track], names: Collection[str] = (), options: LinkingOptions | None = None
) -> tuple[Track, ...]:
    """Return the Tracks with those voices as one that the same mouth speaks, though they sound like two.

    Args:
        tracks: of one recording.
        names: voices that somebody named: they stay apart.
        options: how sure it must be.
    """
    options = options or LinkingOptions()
    odds, faces, voices = load_card(CARD).odds(tracks)
    same: dict[str, str] = {}
    first: dict[int, str] = {}
    for v in sorted(range(len(voices)), key=lambda v: -odds[:, v].max(initial=-np.inf)):
        voice, f = voices[v], int(odds[:, v].argmax()) if len(faces) else 0
        if voice in names or not len(faces) or 1 / (1 + np.exp(-odds[f, v])) < options.same:
            continue
        other = first.setdefault(f, voice)
        if other != voice and _shared_time(tracks, voice, other) <= options.at_once:
            same[voice] = other
    if not same:
        return tuple(tracks)
    kept: dict[tuple[str, ...], list[Track]] = {}
    for track in tracks:
        subject = same.get(track.subject, track.subject) if track.channel == "voice" else track.subject
        key = (subject, track.channel, track.space.id, track.perspective, track.source, track.unit)
        kept.setdefault(key, []).append(track.called(subject))
    return tuple(join(some) if len(some) > 1 else some[0] for some in kept.values())


def _shared_time(tracks: Sequence[Track], first: str, second: str) -> float:
    """Return the share of the shorter one's time in which two voices are heard at once."""
    spans = [
        [span for track in tracks if track.space.id == SPEAKING and track.subject == name for span in track.spans]
        for name in (first, second)
    ]
    both = sum(max(0.0, min(a.end, b.end) - max(a.start, b.start)) for a in spans[0] for b in spans[1])
    return both / max(1e-9, min(sum(span.end - span.start for span in some) for some in spans))


def named(
    tracks: Sequence[Track], links: Links, names: Collection[str] = ()
) -> tuple[tuple[Track, ...], dict[str, dict[str, Any]]]:
    """Return the Tracks with one name a person over all channels, and who is who, as `people` of a Record holds it.

    What is evoked in others, and what the reader feels, keeps its subject.

    Args:
        tracks: of one recording.
        links: of its faces and voices.
        names: voices that bear a name, as from subtitles: the person is called so.

    Returns:
        The Tracks; and for each person `face` and `voice`, as they were called before, or None; `linked`, the joint
        probability that both are one, or None; and `links`, that of the face and every voice (of somebody who is only
        heard: of the voice and every face).
    """
    faces, voices = links.called(names)
    renamed = tuple(
        track
        if track.perspective == "evoked" or track.subject == "reader"
        else _called(track, faces if track.channel == "face" else voices)
        for track in tracks
    )
    people: dict[str, dict[str, Any]] = {}
    voice_of = {face: voice for voice, face in links.pairs.items()}
    for face in links.faces:
        voice, chances = voice_of.get(face), dict(links.probability[face])
        sure = None if voice is None else chances[voice]
        people[faces[face]] = {"face": face, "voice": voice, "linked": sure, "links": chances}
    for voice in links.voices:
        if voice not in links.pairs:
            chances = {face: links.probability[face][voice] for face in links.faces}
            people[voices[voice]] = {"face": None, "voice": voice, "linked": None, "links": chances}
    return renamed, people


def turned(turns: Sequence[Turn], links: Links, names: Collection[str] | None = None) -> tuple[Turn, ...]:
    """Return turns whose speakers are called as in the Tracks that `named` returns.

    Args:
        turns: their speakers are voices.
        links: of the recording.
        names: voices that bear a name; None: all who speak in the turns, save those called as `voice-1`.
    """
    _, called = links.called([turn.speaker for turn in turns] if names is None else names)
    return tuple(replace(turn, speaker=called.get(turn.speaker, turn.speaker)) for turn in turns)


def marginals(odds: Floats) -> Floats:
    """Return the joint probability of each pair, f x v, over all ways to link one to one.

    A way weighs as much as the product of its pairs' odds; a face or voice that is left alone weighs 1. Exact by
    going over sets of faces (or voices) where there are at most ten of one of them, else by the fixed point in which
    each is shared out among its partners in proportion.

    Args:
        odds: f x v, log odds of each pair by itself.

    >>> marginals(np.log([[1.0]])).tolist()
    [[0.5]]
    """
    if odds.shape[0] > odds.shape[1]:
        return marginals(odds.T).T
    faces, voices = odds.shape
    weights = np.exp(np.clip(odds, -50, 50))
    if faces > _EXACT:
        return _shared(weights)
    sets = np.arange(1 << faces)
    before = np.zeros((voices + 1, len(sets)))
    after = np.zeros((voices + 1, len(sets)))
    before[0, 0], after[voices] = 1, 1
    for v in range(voices):
        before[v + 1] = before[v] + _grown(before[v], weights[:, v])
        before[v + 1] /= before[v + 1].sum()
    found = np.zeros((faces, voices))
    for v in reversed(range(voices)):
        reach = after[v + 1].copy()
        for f in range(faces):
            free = sets[(sets >> f) & 1 == 0]
            gain = weights[f, v] * after[v + 1][free | 1 << f]
            reach[free] += gain
            found[f, v] = before[v][free] @ gain
        found[:, v] /= before[v] @ reach
        after[v] = reach / reach.max()
    return found


def _grown(sets: Floats, weights: Floats) -> Floats:
    """Return the weight of each set of faces after a voice took one face of those that were free."""
    found = np.zeros_like(sets)
    number = np.arange(len(sets))
    for f, weight in enumerate(weights):
        free = number[(number >> f) & 1 == 0]
        found[free | 1 << f] += weight * sets[free]
    return found


def _shared(weights: Floats) -> Floats:
    mine, theirs = np.ones(weights.shape[0]), np.ones(weights.shape[1])
    for _ in range(200):
        mine = (mine + 1 / (1 + weights @ theirs)) / 2
        theirs = (theirs + 1 / (1 + weights.T @ mine)) / 2
    return np.asarray(mine[:, None] * weights * theirs[None])


def _called(track: Track, called: Mapping[str, str]) -> Track:
    name = called.get(track.subject, track.subject)
    return track if name == track.subject else track.called(name)
