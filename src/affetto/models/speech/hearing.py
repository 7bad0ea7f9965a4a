"""A recording heard once: `speech`, who speaks when and how each voice sounds, by all its parts in one pass.

The voice is found, cut where another begins and where it would be too long, and the parts are asked about the same
clips, a window of time after the other, so that hours need no more memory than minutes. At the end the voices that
nobody names are told apart. Knows Records and Tracks; what a part says is its own matter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import find
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError, MalformedError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.speech import affect, prosody, speaker
from affetto.models.speech.listening import BLOCK, NO_VOICE, Answer, Listening, Piece, said_of
from affetto.models.speech.naming import SPEAKING, named
from affetto.models.speech.speaker import Embedder, space_of
from affetto.models.speech.spells import VOICE, Ears, Even, Segment, Spell, cut, spoken
from affetto.models.speech.stretches import Stretch

Floats = npt.NDArray[np.float32]
SPEAKER_CARD = "speech.speaker"
"""The card of who tells voices apart."""


class Part(Protocol):
    """A model of speech that answers clips."""

    @property
    def card(self) -> Card:
        """Its card."""
        ...

    @property
    def listening(self) -> Listening:
        """How it goes through a recording by itself."""
        ...

    def answer(self, clips: Sequence[Floats]) -> Sequence[Answer]:
        """Answer clips of any length at 16 kHz."""
        ...


PARTS: dict[str, Callable[[Card], Part]] = {"speech.affect": affect.load, "speech.prosody": prosody.load}
"""What may be a part besides the one that tells voices apart."""


@dataclass(frozen=True)
class Window:
    """What became known of a recording."""

    until: float
    """Seconds of the media: all that begins before is known now, here or in an earlier window."""
    tracks: tuple[Track, ...]
    state: Mapping[str, Any] = field(default_factory=dict)
    """`over` is true in the last one; else what comes next needs to know nothing."""


@dataclass(frozen=True)
class Hearing:
    """A Model of everything in a voice."""

    card: Card
    parts: tuple[Part, ...]
    embedder: Embedder
    listening: Listening = field(default_factory=Listening)
    speakers: int = 0
    """How many voices there are that nobody names, where that is known."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each voice and space of each Record; none where it has no sound."""
        return [self.joined([track for window in self.windows(one) for track in window.tracks]) for one in records]

    def joined(self, tracks: Sequence[Track]) -> tuple[Track, ...]:
        """Return a Record's Tracks from those of all its windows: voices told apart, what they resemble dropped.

        Rows of `voice` become those of `voice-1`, `voice-2` ... in the order of their first words, or of `speaker`
        where there is but one voice.
        """
        return named(tracks, replace(self.embedder.telling, speakers=self.speakers))

    def windows(
        self, record: Record, seconds: float = 60.0, state: Mapping[str, Any] | None = None
    ) -> Iterator[Window]:
        """Yield what is known of a Record, some seconds of sound after the others, in order of time.

        Voices that nobody names have the subject `voice` until `joined` tells them apart, and a Track in the space
        `voice-embedding`. `meta["since"]` says at which second of the media the sound begins. Where the work was
        stopped, a Record whose sound begins at `until` of the last window goes on; `state` is that window's.

        Raises:
            MalformedError: a sound has another rate than 16 kHz, or a window has no length.
            UnreadableError: a sound was only named, not opened.
        """
        if not seconds > 0:
            raise MalformedError(f"a window wants more than 0 seconds, not {seconds!r}")
        if state and state.get("over"):
            return
        since, last = float(record.meta.get("since", 0.0)), 0.0
        ears = Ears(record, self.listening, since)
        if not ears:
            return
        for _ in ears.hear(min(BLOCK, seconds)):
            if ears.end - last >= seconds:
                last, until = ears.end, ears.until
                yield Window(since + until, self._said(*ears.taken(until), since))
        yield Window(since + ears.end, self._said(*ears.taken(np.inf), since), {"over": True})

    def _said(self, spells: Sequence[Spell], even: Sequence[Even], since: float) -> tuple[Track, ...]:
        """Return the Tracks of the rows of spells, and of those at a rate."""
        segments = cut(spells, self.embedder, self.listening)
        asked = [one for one in segments if one.spell.whole or not self.listening.rate]
        tracks: list[Track] = []
        for part in self.parts:
            pieces = [Piece(0, who, at.start + since, at.end + since, clip) for who, at, clip in even]
            for one in asked:
                clip = one.wide if part.listening.around else one.clip
                at = one.at
                pieces.append(
                    Piece(0, one.spell.subject, at.start + since, at.end + since, clip if len(clip) else None)
                )
            tracks += said_of(pieces, part.answer, part.card)[0]
        return (*tracks, *self._who(segments, since))

    def _who(self, segments: Sequence[Segment], since: float) -> Iterator[Track]:
        """Yield who speaks when, and what the voices that nobody names resemble."""
        source, space = str(find(SPEAKER_CARD)), load_card(SPEAKING)
        for subject in dict.fromkeys(one.spell.subject for one in segments):
            mine = [one for one in segments if one.spell.subject == subject]
            rows = [row for one in mine for row in _spoken(one)]
            yield _track(
                space,
                [at for at, _, _ in rows],
                np.array([[sure] for _, sure, _ in rows]),
                subject,
                source,
                since,
                tuple(note for _, _, note in rows),
            )
            heard = [one.sums for one in mine if one.sums is not None]
            if subject == VOICE and heard:
                like = iter(self.embedder.embedded(np.stack(heard)))
                unheard = np.full(self.embedder.embedded(heard[0][None]).shape[1], np.nan, np.float32)
                values = np.stack([unheard if one.sums is None else next(like) for one in mine])
                yield _track(space_of(values.shape[1]), [one.at for one in mine], values, subject, source, since)


def _spoken(segment: Segment) -> list[tuple[Stretch, float, str]]:
    """Return when somebody speaks in a segment, how surely, and the words; without sound, that nothing is said."""
    if not len(segment.clip):
        return [(segment.at, np.nan, NO_VOICE)]
    return [(at, sure, segment.spell.words) for at, sure in spoken(segment)]


def _track(
    space: Space, at: Sequence[Stretch], values: npt.NDArray[np.floating], subject: str, source: str, since: float,
    notes: tuple[str, ...] = (),
) -> Track:  # fmt: skip
    return Track(
        space=space,
        start=np.array([one.start for one in at]) + since,
        end=np.array([one.end for one in at]) + since,
        values=np.asarray(values, np.float32).reshape(len(at), len(space.axes)),
        subject=subject,
        channel="voice",
        source=source,
        note=notes if any(notes) else None,
    )


def load(card: Card) -> Hearing:
    """Load the model that a card names by its `parts`; `embedder` may name the card of another who tells voices apart.

    Raises:
        CatalogError: it names a part that there is none of.
    """
    known = [*PARTS, SPEAKER_CARD]
    asked = card.facts.get("parts", [card.id])
    if not isinstance(asked, list) or not set(asked) <= set(known):
        raise CatalogError(f"{card.id}: parts are some of {', '.join(known)}, not {asked!r:.80}")
    parts = tuple(PARTS[one](find(one)) for one in asked if one != SPEAKER_CARD)
    another = str(card.facts.get("embedder", ""))
    if another:
        embedder: Embedder = load_card(find(another, "model").id)
    else:
        embedder = speaker.embedder(find(SPEAKER_CARD))
    return Hearing(card, parts, embedder)
