"""What face, voice and words of one person show in a window, as one sentence of a fixed grammar for a text model.

    brow lowerer 3.1, lip pressor 2.0; face: anger .62, disgust .20; pitch high, loud; voice: anger .50; says: "No."

Parts stand in this order, with semicolons between: action units by strength, the face's expression, the sound of the
voice, the voice's feeling, the words. What is not there is said so: "no face", "no voice", "no words", and "silent" for
the last two together. Nothing here learns; whoever reads the sentence may. Knows Tracks; knows no network and no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.span import Span
from affetto.core.track import Track

Floats = npt.NDArray[np.float64]

SOUNDS: Mapping[str, tuple[str, str]] = {
    "pitch": ("pitch low", "pitch high"),
    "pitch-range": ("flat", "lively"),
    "loudness": ("soft", "loud"),
    "rate": ("slow", "fast"),
    "jitter": ("steady", "shaky"),
    "harmonicity": ("hoarse", "clear"),
}
"""Axes of `prosody` in the order in which they are said, and the words for low and for high."""
NORMS: Mapping[str, tuple[float, float]] = {
    "pitch": (122.0, 264.0),
    "pitch-range": (2.4, 6.7),
    "rate": (3.7, 5.9),
    "jitter": (0.9, 1.8),
    "harmonicity": (4.7, 9.6),
}
"""Low below the first, high above the second, for a person with too few rows to know a median of their own.

20th and 80th percentile of what `speech.prosody` says of 338 clips of acted speech by men and women (about 80 each of
RAVDESS, EMOVO, EMO-DB and acted-speech-4). Loudness has none: it is that of the recording.
"""
_ROBUST = 1.4826
"""A median absolute deviation times this is the standard deviation of a normal distribution."""


@dataclass(frozen=True)
class TextualOptions:
    """From where on a thing is said, and of how long a stretch a sentence speaks."""

    window: float = 4.0
    """Seconds of a sentence."""
    unit: float = 1.0
    """FACS intensity from which an action unit is named: 1 is a trace."""
    units: int = 6
    """Action units named at most, the strongest."""
    top: int = 3
    """Feelings of a channel named at most, the surest."""
    least: float = 0.1
    """Probability from which a feeling is named."""
    deviation: float = 1.0
    """Robust standard deviations from the person's own median, from which a voice is high or low."""
    rows: int = 8
    """Rows of voice that make a median of one's own; with fewer, `NORMS` hold."""
    longest: int = 600
    """Characters of words; what is longer is cut at its beginning, since the end is nearest to now."""


@dataclass(frozen=True)
class Cues:
    """What is known of one person in one window; None or empty where nothing is."""

    units: Mapping[str, float] | None = None
    """FACS names, lower case, to intensity 0..5."""
    face: Mapping[str, float] | None = None
    """Feelings to probability, as the face shows them."""
    sound: Mapping[str, int] | None = None
    """Axes of `SOUNDS` to -1 (low), 0 or 1 (high)."""
    voice: Mapping[str, float] | None = None
    """Feelings to probability, as the voice sounds."""
    words: str = ""


@dataclass(frozen=True)
class Window:
    """The sentence of one person in one stretch."""

    subject: str
    start: float
    end: float
    text: str
    said: bool
    """Whether any channel says anything; if not, no model is asked."""


def sentence(cues: Cues, options: TextualOptions | None = None) -> str:
    """Return the sentence of these cues: the same cues, the same bytes.

    >>> sentence(Cues(face={"joy": 0.9, "fear": 0.02}, words="Fine."))
    'face: joy .90; no voice; says: "Fine."'
    """
    options = options or TextualOptions()
    face = [*_units(cues.units, options), *_feelings("face", cues.face, options)] or ["no face"]
    voice = [*_sound(cues.sound), *_feelings("voice", cues.voice, options)]
    words = " ".join(cues.words.replace('"', "'").split())[-options.longest :]
    if not voice and not words:
        return "; ".join([*face, "silent"])
    return "; ".join([*face, *(voice or ["no voice"]), f'says: "{words}"' if words else "no words"])


def cues(record: Record, subject: str, start: float, end: float, options: TextualOptions | None = None) -> Cues:
    """Return what a Record's Tracks and turns hold of one person from `start` to `end` seconds.

    Action units count by their maximum over the window, all else by its mean, rows weighed by how far they reach in.
    Words of a turn stand in every window that it reaches into.
    """
    options = options or TextualOptions()
    own = [t for t in record.tracks if t.subject == subject and t.unit == "s" and t.perspective == "expressed"]
    feelings = {}
    for channel in ("face", "voice"):
        rows = next((t for t in own if t.channel == channel and t.space.kind == "one"), None)
        feelings[channel] = None if rows is None else _mean(rows, start, end)
    units = next((t for t in own if t.channel == "face" and t.space.id == "facs-au"), None)
    sound = next((t for t in own if t.channel == "voice" and t.space.id == "prosody"), None)
    words = [
        turn.text
        for turn in record.turns
        if turn.speaker == subject and turn.span and turn.span.unit == "s" and _reach(turn.span, start, end)
    ]
    return Cues(
        None if units is None else _strongest(units, start, end),
        feelings["face"],
        None if sound is None else _heard(sound, start, end, options),
        feelings["voice"],
        " ".join(words),
    )


def windows(record: Record, options: TextualOptions | None = None) -> Iterator[Window]:
    """Yield the sentences of everybody in a Record whose answers lie in seconds: person by person, in order of time."""
    options = options or TextualOptions()
    own = [t for t in record.tracks if t.unit == "s" and t.channel in ("face", "voice") and len(t)]
    spans = [turn for turn in record.turns if turn.span and turn.span.unit == "s"]
    last = max([*(float(t.end.max()) for t in own), *(turn.span.end for turn in spans if turn.span)], default=0.0)
    for subject in dict.fromkeys([*(t.subject for t in own), *(turn.speaker for turn in spans)]):
        for k in range(int(np.ceil(last / options.window - 1e-9))):
            start, end = k * options.window, min(last, (k + 1) * options.window)
            found = cues(record, subject, start, end, options)
            yield Window(subject, start, end, sentence(found, options), found != Cues())


@dataclass(frozen=True)
class Textualised:
    """A Model that puts what other models found into sentences and asks a text model about these.

    The text model should have been taught on such sentences: one that was taught on what people write mostly hears the
    words and the names of feelings in it.
    """

    card: Card
    model: Model
    options: TextualOptions = field(default_factory=TextualOptions)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return for each Record the text model's answers about its windows; none where no channel lies in seconds."""
        said = [list(windows(record, self.options)) for record in records]
        asked = [window.text for found in said for window in found if window.said]
        answers = iter(self.model([Record(str(i), (Text(text),)) for i, text in enumerate(asked)]))
        return [self._tracks(found, [next(answers) if window.said else () for window in found]) for found in said]

    def _tracks(self, found: Sequence[Window], answers: Sequence[tuple[Track, ...]]) -> tuple[Track, ...]:
        kinds = {
            (t.space.id, t.perspective, t.source): t for tracks in answers for t in tracks if t.subject != "reader"
        }
        made = []
        for subject in dict.fromkeys(window.subject for window in found):
            rows = [i for i, window in enumerate(found) if window.subject == subject]
            for kind, example in kinds.items():
                same = [next((t for t in answers[i] if _kind(t) == kind), None) for i in rows]
                made.append(self._joined([found[i] for i in rows], same, example))
        return tuple(made)

    def _joined(self, rows: Sequence[Window], answers: Sequence[Track | None], example: Track) -> Track:
        empty = np.full(len(example.space.axes), np.nan, np.float32)
        sure = [np.nan if t is None or t.confidence is None else float(t.confidence[0]) for t in answers]
        return Track(
            example.space,
            np.array([row.start for row in rows]),
            np.array([row.end for row in rows]),
            np.stack([empty if t is None else t.values[0] for t in answers]),
            subject=rows[0].subject,
            perspective=example.perspective,
            channel="fused",
            source=f"{self.card} > {example.source}",
            confidence=np.array(sure),
            note=tuple(row.text if row.said else "not said" for row in rows),
        )


def load(card: Card) -> Textualised:
    """Return the sentences with the text model that the card names as `reader`."""
    return Textualised(card, catalog.load(str(card.facts["reader"])))


def reading(model: Model) -> Textualised:
    """Return the sentences with a text model of one's own."""
    card = catalog.find("fusion.textual", "model")
    return Textualised(replace(card, spaces=model.card.spaces, languages=model.card.languages), model)


def _kind(track: Track) -> tuple[str, str, str]:
    return track.space.id, track.perspective, track.source


def _units(units: Mapping[str, float] | None, options: TextualOptions) -> list[str]:
    if units is None:
        return []
    strong = sorted((name for name in units if units[name] >= options.unit), key=lambda name: (-units[name], name))
    return [", ".join(f"{name} {units[name]:.1f}" for name in strong[: options.units]) or "face at rest"]


def _feelings(channel: str, shares: Mapping[str, float] | None, options: TextualOptions) -> list[str]:
    if not shares:
        return []
    named = sorted((name for name in shares if shares[name] >= options.least), key=lambda name: (-shares[name], name))
    told = ", ".join(f"{name} {_share(shares[name])}" for name in named[: options.top])
    return [f"{channel}: {told or 'unsure'}"]


def _share(share: float) -> str:
    """Return a probability with two digits, and without the zero before the point."""
    return f"{share:.2f}".removeprefix("0")


def _sound(sound: Mapping[str, int] | None) -> list[str]:
    if sound is None:
        return []
    told = [words[sound[axis] > 0] for axis, words in SOUNDS.items() if sound.get(axis)]
    return [", ".join(told) or "voice as usual"]


def _weights(track: Track, start: float, end: float) -> Floats:
    """Return how many seconds of each row that says something lie in the window; a moment counts a little."""
    inside = np.minimum(track.end, end) - np.maximum(track.start, start)
    moment = (track.start == track.end) & (track.start >= start) & (track.start < end)
    return np.where(np.isnan(track.values).all(1), 0.0, np.where(moment, 1e-3, np.maximum(inside, 0.0)))


def _averages(track: Track, start: float, end: float) -> Floats | None:
    weights = _weights(track, start, end)[:, None] * ~np.isnan(track.values)
    if not weights.any():
        return None
    sums = (weights * np.nan_to_num(track.values)).sum(0)
    return np.asarray(np.divide(sums, weights.sum(0), out=np.full(len(sums), np.nan), where=weights.sum(0) > 0))


def _mean(track: Track, start: float, end: float) -> dict[str, float] | None:
    means = _averages(track, start, end)
    return None if means is None else dict(zip(track.space.names, map(float, means), strict=True))


def _strongest(track: Track, start: float, end: float) -> dict[str, float] | None:
    """Return the highest intensity of each unit that was coded in the window, by its FACS name."""
    inside = track.values[_weights(track, start, end) > 0]
    if not len(inside):
        return None
    names = [str(axis.facts.get("facs_name", axis.name)).lower() for axis in track.space.axes]
    coded = np.atleast_1d(~np.isnan(inside).all(0))
    return {name: float(np.nanmax(inside[:, k])) for k, name in enumerate(names) if coded[k]}


def _heard(track: Track, start: float, end: float, options: TextualOptions) -> dict[str, int] | None:
    """Return whether each axis of the voice is low, usual or high in the window, for this person or by the norms."""
    means = _averages(track, start, end)
    if means is None:
        return None
    limits = own_limits(track, options)
    found = {}
    for axis, value in zip(track.space.names, means, strict=True):
        if axis in SOUNDS and axis in limits and not np.isnan(value):
            low, high = limits[axis]
            found[axis] = int(value > high) - int(value < low)
    return found


def own_limits(track: Track, options: TextualOptions | None = None) -> dict[str, tuple[float, float]]:
    """Return between which values each axis of a person's voice is as usual: around their own median, or the norms."""
    options = options or TextualOptions()
    limits = dict(NORMS)
    for k, axis in enumerate(track.space.names):
        values = track.values[:, k][~np.isnan(track.values[:, k])].astype(np.float64)
        if len(values) < options.rows:
            continue
        middle = float(np.median(values))
        spread = _ROBUST * float(np.median(np.abs(values - middle))) * options.deviation
        limits[axis] = (middle - spread, middle + spread)
    return limits


def _reach(span: Span, start: float, end: float) -> bool:
    """Tell whether a span lies in the window at all; a moment belongs to the window that it begins in."""
    return start <= span.start < end or span.start < start < span.end
