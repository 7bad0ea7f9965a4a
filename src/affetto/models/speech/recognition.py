"""What is said in a recording, by faster-whisper: words with their seconds, where that is installed and asked for.

The answer to a Record with sound is a Track in the space `speaking` for each channel: a row a segment of speech, its
note the words, its value the chance that there is speech at all (1 - `no_speech_prob`), its confidence the geometric
mean of the chances of its tokens (exp of `avg_logprob`): how sure the recogniser is, which nobody calibrated here.
Where nobody speaks, or no word is understood, there is one row "not said". `turns_of` makes turns of such a Track.

The sound is heard window by window: stretches of voice (`voice`) are put together while they and the pauses between
them last no longer than `LONGEST`, which is about what Whisper hears at once. So an hour takes no more memory than a
minute, silence is never transcribed, and times are those of the recording.

A card needs no code. It says, besides what all cards say,

    load = "affetto.models.speech.recognition:load"
    hub = "owner/name"              a model in the form of CTranslate2, or a folder that holds one
    revision = "..."                the commit of the hub: the same card is the same model
    network = true                  whether the hub may be asked, where AFFETTO_NETWORK=1 allows it
    language = ""                   code such as "en"; empty: the Record's own, or else what the first window is in
    beam = 5                        hypotheses that are followed at once

Nothing is fetched unless it is asked for. Knows sound as numbers; knows no file of sound, and not whose voice it is.
"""

import importlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError, MalformedError, MissingExtraError, UnknownNameError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.speech.listening import NO_VOICE, Tape
from affetto.models.speech.mel import RATE
from affetto.models.speech.outputs import facts_of
from affetto.models.speech.stretches import Stretch
from affetto.models.speech.voice import Voice, VoiceOptions
from affetto.models.weights import checksum, first_line, folder_of

VOICE = "voice"
"""The subject: somebody who is heard."""
NO_WORDS = "no words"
"""The note where there is voice, but no word was understood."""
EXTRA = "asr"
WEIGHTS = "model.bin"
NEEDED = ("config.json", WEIGHTS, "tokenizer.json")
"""Files without which a model cannot be read, or would have to be fetched."""
FILES = (*NEEDED, "preprocessor_config.json", "vocabulary.*")
"""The files of a hub that are fetched."""
OWNER = "Systran/faster-whisper-"
"""What stands before the size of a model (`small`, `large-v3`) on the hub."""
LONGEST = 28.0
"""Seconds of a window; Whisper hears 30, and the margins of the stretches come on top."""
SURE = 0.5
"""How sure the language of a window must be to count for those that follow."""
_BLOCK = 10.0
_KEPT = 1.0
_SPACE = "speaking"
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Facts:
    """What a card says of a recogniser."""

    hub: str
    revision: str = ""
    network: bool = False
    language: str = ""
    beam: int = 5


class Window(NamedTuple):
    """Sound that is heard at once."""

    start: float
    """Seconds from the start of the recording."""
    samples: Floats


class Segment(NamedTuple):
    """Words in a row, in seconds of the recording."""

    start: float
    end: float
    words: str
    speech: float
    """Chance that there is speech."""
    sure: float
    """Chance of a token, in the geometric mean."""


@dataclass(frozen=True)
class Recogniser:
    """A Model over a WhisperModel of faster-whisper."""

    card: Card
    facts: Facts
    network: Any

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return for each Record a Track a channel of its sounds; a Record without sound gets none.

        Raises:
            MalformedError: a sound has another rate than 16 kHz.
            UnreadableError: a sound was only named, not opened.
        """
        return [tuple(self._tracks(record)) for record in records]

    def _tracks(self, record: Record) -> Iterator[Track]:
        names = record.meta.get("speakers", ())
        for audio in (signal for signal in record.signals if isinstance(signal, Audio)):
            if audio.rate != RATE:
                raise MalformedError(f"speech is recognised at {RATE} Hz, not {audio.rate:g}; read it with its default")
            if len(names) == audio.channels > 1:
                for channel, name in enumerate(names):
                    yield self._track(audio, channel, str(name), _language(record))
            else:
                yield self._track(audio, None, VOICE, _language(record))

    def _track(self, audio: Audio, channel: int | None, subject: str, language: str) -> Track:
        """Return what is said in a channel, or in all of them mixed."""
        language = self.facts.language or language
        found: list[Segment] = []
        heard, length = 0, 0.0

        def counted() -> Iterator[Floats]:
            nonlocal length
            for block in audio.blocks(_BLOCK):
                length += len(block) / RATE
                yield block.mean(1) if channel is None else block[:, channel]

        for window in windows(counted()):
            heard += 1
            segments, language = self._segments(window, language)
            found += segments
        return _track(found, subject, str(self.card), length, NO_WORDS if heard else NO_VOICE)

    def _segments(self, window: Window, language: str) -> tuple[list[Segment], str]:
        """Return the segments of a window, and the language in which the next ones are heard."""
        try:
            said, info = self.network.transcribe(
                window.samples,
                language=language or None,
                beam_size=self.facts.beam,
                temperature=0.0,  # any other would draw words by chance
                condition_on_previous_text=False,
                vad_filter=False,
            )
            length = len(window.samples) / RATE
            segments = [one for one in (_segment(part, window.start, length) for part in said) if one is not None]
        except (RuntimeError, ValueError) as error:  # of ctranslate2, and of faster-whisper for a language
            raise UnreadableError(f"{self.card.id} cannot hear {window.start:g} s on: {first_line(error)}") from None
        sure = not language and getattr(info, "language_probability", 0.0) >= SURE
        return segments, str(info.language) if sure else language


def load(card: Card, network: bool = False, *, hub: str = "", language: str = "") -> Recogniser:
    """Load the recogniser that a card names.

    Args:
        card: says what the module's first lines list.
        network: whether the hub may be asked, even where AFFETTO_NETWORK is not 1; the card has to allow it too.
        hub: another model in the card's place: a folder, a name on the hub, or a size such as `tiny` or `large-v3`. It
            is read where it is on this machine, and never fetched: no commit of it is known.
        language: code such as `en`, in the card's place.

    Raises:
        CatalogError: the card lacks a fact, or the weights are not what it says.
        MissingExtraError: faster-whisper is not installed.
        UnreadableError: the model is not on this machine, or is none that is read here.
        UnknownNameError: the model does not know the language.
    """
    facts = Facts(
        **facts_of(card, {"hub": str, "revision": str, "network": bool, "language": str, "beam": int}, ("hub",))
    )
    if facts.beam < 1:
        raise CatalogError(f"{card.id}: beam is a number of hypotheses >= 1, not {facts.beam}")
    facts = Facts(facts.hub, facts.revision, facts.network, language or facts.language, facts.beam)
    try:
        library = importlib.import_module("faster_whisper")
    except ImportError:
        raise MissingExtraError(card.id, EXTRA) from None
    folder = _folder(card, facts, network, hub)
    lacks = [name for name in NEEDED if not (folder / name).is_file()]
    if lacks:
        raise UnreadableError(
            f"{folder} holds no model of faster-whisper for {card.id}: {', '.join(lacks)} is not there; convert one "
            "with ct2-transformers-converter --copy_files tokenizer.json preprocessor_config.json"
        )
    if card.sha256 and not hub and checksum(folder / WEIGHTS) != card.sha256:
        raise CatalogError(f"the weights of {card.id} are not what its card says: {folder / WEIGHTS} differs")
    try:
        whisper = library.WhisperModel(str(folder), device="cpu", compute_type="int8", local_files_only=True)
    except Exception as error:  # of ctranslate2 and of tokenizers, which raise plain exceptions of their own
        raise UnreadableError(f"{folder} is no model that {card.id} can read: {first_line(error)}") from None
    known = getattr(whisper, "supported_languages", None)
    if facts.language and known and facts.language not in known:
        raise UnknownNameError(f"language of {folder.name}", facts.language, known)
    return Recogniser(card, facts, whisper)


def turns_of(track: Track) -> tuple[Turn, ...]:
    """Return the turns of a Track in the space `speaking`: a turn a row in which words were understood.

    >>> space = load_card("speaking")
    >>> turns_of(Track(space, [0, 2], [1, 3], [[0.9], [np.nan]], "s", "voice", note=["Hi.", "no words"]))
    (Turn(speaker='voice', span=Span(start=0.0, end=1.0, unit='s'), text='Hi.'),)
    """
    notes = track.note or ("",) * len(track)
    rows = enumerate(zip(track.spans, notes, strict=True))
    return tuple(Turn(track.subject, span, note) for i, (span, note) in rows if track.top(i) and note.strip())


def windows(blocks: Iterable[Floats], longest: float = LONGEST) -> Iterator[Window]:
    """Yield the voice of a sound in windows that begin and end in pauses, where there are any.

    Args:
        blocks: n, 16 kHz, in -1..1, of any length.
        longest: seconds of a window, at most, but for the margins of its stretches.
    """
    tape, voice = Tape(), Voice(VoiceOptions(longest=longest))
    waiting: list[Stretch] = []

    def cut() -> Window:
        start, end = waiting[0].start, waiting[-1].end
        waiting.clear()
        return Window(start, tape.clip(start, end))

    for block in blocks:
        tape.add(block)
        for stretch in voice.feed(block):
            if waiting and stretch.end - waiting[0].start > longest:
                yield cut()
            waiting.append(stretch)
        since = voice.until if voice.since is None else voice.since
        if waiting and since - waiting[0].start > longest:
            yield cut()
        tape.forget((waiting[0].start if waiting else since) - _KEPT)
    for stretch in voice.finish():
        if waiting and stretch.end - waiting[0].start > longest:
            yield cut()
        waiting.append(stretch)
    if waiting:
        yield cut()


def _folder(card: Card, facts: Facts, network: bool, hub: str) -> Path:
    if not hub:
        return folder_of(card.id, facts.hub, facts.revision, FILES, facts.network, network, card.path)
    if Path(hub).is_dir():
        return Path(hub).absolute()
    named = hub if "/" in hub else f"{OWNER}{hub}"
    return folder_of(card.id, named, "", FILES, False, False, card.path)


def _language(record: Record) -> str:
    """Return the language that a Record says it is in, without its region."""
    said = next((s.language for s in record.signals if isinstance(s, Text) and s.language), "")
    return (said or str(record.meta.get("language") or "")).split("-")[0].lower()


def _segment(part: Any, since: float, length: float) -> Segment | None:
    """Return a segment of faster-whisper in seconds of the recording; None where it has no words."""
    words = " ".join(str(part.text).split())
    start, end = (min(max(float(at), 0.0), length) for at in (part.start, part.end))
    if not words:
        return None
    speech, sure = 1.0 - float(part.no_speech_prob), math.exp(min(0.0, float(part.avg_logprob)))
    return Segment(since + start, since + max(start, end), words, min(max(speech, 0.0), 1.0), sure)


def _track(found: list[Segment], subject: str, source: str, length: float, nothing: str) -> Track:
    space: Space = load_card(_SPACE)
    rows = found or [Segment(0.0, length, nothing, math.nan, math.nan)]
    return Track(
        space,
        np.array([row.start for row in rows]),
        np.array([row.end for row in rows]),
        np.array([[row.speech] for row in rows], np.float32),
        "s",
        subject,
        "expressed",
        "voice",
        source,
        confidence=np.array([row.sure for row in rows], np.float32),
        note=tuple(row.words for row in rows),
    )
