"""A recording on one line of time: who was there, who spoke when, what each showed in face, voice and words.

Ties together those who look, listen, link, read, fuse and compare, each found by its card; decides nothing itself. The
face and the voice are followed at the same time, window by window; what they know can be kept on the disk meanwhile
(`run.journal`), and a recording that was left in the middle goes on from there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import UnknownNameError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Frames
from affetto.core.track import Track
from affetto.media.text import SOMEONE
from affetto.models import asking
from affetto.models.fusion import baseline, fusing, linking, parting
from affetto.models.fusion.conflict import ConflictOptions
from affetto.models.text.tongue import tongue
from affetto.run.journal import Journal
from affetto.spaces import bridges

Told = Callable[[str, float, float], None]
"""Is told which part is how far: its name, the second, and the seconds of the whole (NaN where nobody knows)."""
NOBODY = ("", SOMEONE, "speaker")
"""Names that are nobody's."""
CHANNELS: dict[str, type[Audio | Frames]] = {"face": Frames, "voice": Audio}
"""The parts that go through a recording, and what each needs."""


CONFLICT, SPEAKING = "fusion.conflict", "speaking"
ENGLISH = "en"


class Follower(Protocol):
    """Who goes through a recording window by window, as the models `face` and `speech` do."""

    def windows(self, record: Record, seconds: float = 60.0, state: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield what becomes known, in order of time: windows with `until`, `tracks` and `state`.

        The sound or film begins at `meta["since"]`; what a window left as its `state` is what the next one begins with.
        """
        ...

    def joined(self, tracks: Sequence[Track]) -> tuple[Track, ...]:
        """Return the Tracks of all windows as those of the whole."""
        ...


@dataclass(frozen=True)
class Watching:
    """How a recording is gone through."""

    window: float = 60.0
    """Seconds after which what is known is put aside."""
    fusion: str = "late"
    """How channels are fused: `late` or `attention`; empty: not at all."""
    step: float = 1.0
    """Seconds of a row of what is fused and compared."""
    baseline: bool = False
    """Whether deviations from each person's own median are added."""
    recognizer: str = ""
    """The id of the card of who writes down what is said, where there are no subtitles; empty: nobody."""
    language: str = ""
    """BCP 47 code of the words; empty: by their script, or else English."""


@dataclass(frozen=True)
class Timeline:
    """A Model of whole recordings, and an Observer: it also says who is there and who says what."""

    card: Card
    face: Follower
    voice: Follower
    watching: Watching = field(default_factory=Watching)
    journal: Callable[[Record], Journal] | None = None
    """Opens the journal of a recording; None: nothing is kept on the way."""
    reopened: Callable[[Record, float], Record] | None = None
    """Opens a recording again from a second on."""
    told: Told | None = None
    """Is told how far it is."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return all Tracks of each Record."""
        return [self.observe(record.blind()).tracks for record in records]

    def observe(self, record: Record) -> Record:
        """Return a recording with who is there, who says what, and all Tracks.

        Raises:
            UnreadableError: nothing of it can be read.
        """
        journal = self.journal(record) if self.journal else None
        named = record if _named(record.turns) else replace(record, turns=())
        parts = self._followed(named, journal)
        found = (*parts.get("face", ()), *parts.get("voice", _announced(named.turns)))
        names = {turn.speaker for turn in named.turns} | {*map(str, record.meta.get("speakers", ()))}
        found = linking.gathered(parting.parted(found, names), names)
        record = self._worded(record, found)
        links = linking.linked(found)
        tracks, people = linking.named(found, links, names)
        turns = linking.turned(record.turns, links, names)
        record = replace(record, turns=turns, people={**record.people, **people})
        words, warning = self._read(record)
        tracks += words
        if self.watching.baseline:
            tracks += baseline.deviations(tracks)
        record = _warned(record.add(*tracks, *self._compared(tracks)), warning)
        if journal:
            journal.remove()
        return record

    def _followed(self, record: Record, journal: Journal | None) -> dict[str, tuple[Track, ...]]:
        """Return what face and voice show, both followed at the same time."""
        parts = {
            name: getattr(self, name)
            for name, kind in CHANNELS.items()
            if any(isinstance(signal, kind) for signal in record.signals)
        }
        stop = Event()
        with ThreadPoolExecutor(max(1, len(parts))) as pool:
            running = {
                name: pool.submit(self._one, name, model, record, journal, stop) for name, model in parts.items()
            }
            try:
                return {name: one.result() for name, one in running.items()}
            except BaseException:
                stop.set()
                raise

    def _one(
        self, name: str, model: Follower, record: Record, journal: Journal | None, stop: Event
    ) -> tuple[Track, ...]:
        """Follow one part to the end, or until it is told to stop; what a journal holds of it is not done again."""
        kind: type[Audio | Frames] = CHANNELS[name]
        before = journal.parts.get(name, []) if journal else []
        tracks = [track for entry in before for track in entry.tracks]
        state = before[-1].state if before else None
        if state and state.get("over"):
            return model.joined(tracks)
        if before and self.reopened:
            record = self.reopened(record, before[-1].until)
        left = next(signal.duration for signal in record.signals if isinstance(signal, kind))
        whole = left + float(record.meta.get("since", 0.0))
        for window in model.windows(record, self.watching.window, state):
            tracks += window.tracks
            if journal:
                journal.write(name, window.until, window.tracks, window.state)
            if self.told:
                self.told(name, window.until, whole)
            if stop.is_set():
                break
        return model.joined(tracks)

    def _worded(self, record: Record, found: Sequence[Track]) -> Record:
        """Return the Record with its words said by those who speak then; recognised, where somebody is asked to."""
        turns = record.turns
        if not turns and self.watching.recognizer:
            heard = catalog.load(self.watching.recognizer)([record])[0]
            turns = tuple(turn for track in heard for turn in _turns(track))
        speaking = [track for track in found if track.space.id == SPEAKING]
        return replace(record, turns=turns if _named(turns) else spoken(turns, speaking))

    def _read(self, record: Record) -> tuple[tuple[Track, ...], str]:
        """Return what the words of a Record say, and why nobody reads them, or in which language they were read."""
        if not record.turns:
            return (), ""
        said, guessed = self.watching.language, ""
        if not said:
            guessed = tongue(record.text or "")
            said = guessed if guessed != ENGLISH else ""
        try:
            reader = asking.perceiver(None, said or None, channels=("text",))
        except UnknownNameError:
            if not guessed:
                raise
            return (), f"the words look like {said}, which no model here reads; face and voice are answered"
        tracks = reader([Record(record.id, turns=record.turns)])[0].tracks
        foreign = bool(said) and said == guessed
        return tracks, f"the words look like {said} and are read so; --language says otherwise" if foreign else ""

    def _compared(self, tracks: Sequence[Track]) -> tuple[Track, ...]:
        """Return what the channels say together, and where they contradict each other, where there are several."""
        if not self.watching.fusion or len({track.channel for track in tracks} & {"text", "voice", "face"}) < 2:
            return ()
        step = self.watching.step
        fused = fusing.fuse(tracks, bridges.translate, self.watching.fusion, step)
        judge = replace(catalog.load(CONFLICT), translate=bridges.translate, options=ConflictOptions(step))
        return (*fused, *judge([Record("", tracks=tuple(tracks))])[0])

    def at(self, rate: float) -> "Timeline":
        """Return it as it answers so many rows a second."""
        face, voice = asking.at_rate(self.face, rate), asking.at_rate(self.voice, rate)
        return replace(self, face=face, voice=voice)


def load(card: Card) -> Timeline:
    """Load it with the parts that its card names."""
    face, voice = card.facts["parts"]
    return Timeline(card, catalog.load(face), catalog.load(voice))


def spoken(turns: Sequence[Turn], speaking: Sequence[Track]) -> tuple[Turn, ...]:
    """Return turns that name nobody, each said by whoever speaks longest in it; where nobody does, as it was.

    Args:
        turns: some of them with a span in seconds.
        speaking: Tracks in the space `speaking`.

    >>> from affetto.core.span import Span
    >>> speaking = catalog.load("speaking")
    >>> voice = Track(speaking, [0, 4], [3, 6], [[1], [1]], subject="voice-1", channel="voice")
    >>> [turn.speaker for turn in spoken([Turn("someone", Span(0, 5, "s"), "Hello")], [voice])]
    ['voice-1']
    """
    return tuple(replace(turn, speaker=_loudest(turn, speaking) or turn.speaker) for turn in turns)


def _warned(record: Record, warning: str) -> Record:
    if not warning:
        return record
    before = record.meta.get("warning")
    return replace(record, meta={**record.meta, "warning": f"{before}; {warning}" if before else warning})


def _announced(turns: Sequence[Turn]) -> tuple[Track, ...]:
    """Return who speaks when as the turns say it, for films without sound: mouths tell then whose face is whose."""
    timed = [(turn.speaker, turn.span) for turn in turns if turn.span is not None and turn.span.unit == "s"]
    tracks = []
    for name in dict.fromkeys(name for name, _ in timed):
        spans = sorted(span for speaker, span in timed if speaker == name)
        start, end = (np.array([getattr(span, edge) for span in spans]) for edge in ("start", "end"))
        sure = np.ones((len(spans), 1))
        tracks.append(Track(catalog.load(SPEAKING), start, end, sure, subject=name, source="subtitles"))
    return tuple(tracks)


def _turns(track: Track) -> Iterator[Turn]:
    """Yield what a recogniser wrote down, said by whoever it may be."""
    for span, words in zip(track.spans, track.note or (), strict=False):
        if words:
            yield Turn(track.subject if track.subject != "voice" else SOMEONE, span, words)


def _loudest(turn: Turn, speaking: Sequence[Track]) -> str:
    if turn.span is None or turn.span.unit != "s":
        return ""
    heard: dict[str, float] = {}
    for track in speaking:
        shared = track.end.clip(max=turn.span.end) - track.start.clip(min=turn.span.start)
        weights = track.values[:, 0].astype(float)
        heard[track.subject] = heard.get(track.subject, 0.0) + float((shared.clip(min=0) * weights)[weights > 0].sum())
    best = max(heard, key=lambda name: heard[name], default="")
    return best if best and heard[best] > 0 else ""


def _named(turns: Sequence[Turn]) -> bool:
    return any(turn.speaker not in NOBODY for turn in turns)


def watcher(
    watching: Watching | None, language: str, out: Path | None, asked: Mapping[str, Any], resume: bool
) -> Timeline:
    """Return the model `timeline` as somebody wants it.

    Args:
        watching: how; None: as usual.
        language: BCP 47 code of the words; empty: by their script.
        out: the file that a batch makes, beside which the journal of each recording lies; None: none is kept.
        asked: whatever changes the answers, for the journals.
        resume: go on with journals that lie there.
    """
    made: Timeline = catalog.load("timeline")
    made = replace(made, watching=replace(watching or made.watching, language=language))
    if out is None:
        return made

    def opened(record: Record) -> Journal:
        safe = "".join(letter if letter.isalnum() else "-" for letter in record.id)[:80]
        return Journal(out.with_name(f"{out.name}.{safe}.part.jsonl"), asked, resume)

    return replace(made, journal=opened, reopened=_reopened)


def _reopened(record: Record, second: float) -> Record:
    """Return a recording that was read from a file, read again from a second on; its turns and names stay."""
    from affetto.media.recording import read_recording  # noqa: PLC0415 - words need no PyAV

    path = record.meta.get("path")
    if not path:
        return record
    rate = next((signal.rate for signal in record.signals if isinstance(signal, Frames)), 5.0)
    again = read_recording(str(path), record.meta.get("speakers"), frames_rate=rate, since=second)
    return replace(record, signals=again.signals, meta={**record.meta, "since": second})
