"""Small models and a language model together, in two stages: they name, it chooses and writes (HEF, Yang et al. 2024).

The small models' ranked emotions are offered, the first k at first; if the language model rejects them all, exactly the
others. Then it is shown which words tell why, and writes a reply on both. Where it gives no answer, refuses, or says
what cannot be read, the small models' first emotion and a reply found elsewhere stand in, and the result says so.
Knows Records, Tracks and the Protocol; no model by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from affetto.core.answering import NONE, Choice, chosen, listed, refused, written
from affetto.core.errors import AffettoError
from affetto.core.language import LanguageModel, Message, Sampling
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.generate.prompting import WINDOW, Window, called, prompt, shown, standing

Stage = Literal["candidates", "others", "fallback"]
Retrieve = Callable[[str], str]
"""Takes an emotion and returns a reply found elsewhere."""
REPLYING, CHOOSING = Sampling(most_tokens=120), Sampling(most_tokens=60)


@dataclass(frozen=True)
class HybridOptions:
    """How it is done."""

    k: int = 5
    """How many of the small models' emotions are offered first."""
    window: Window = WINDOW
    """How much of the conversation is shown."""
    words: int = 6
    """Words at most that tell why."""
    ask_why: bool = True
    """Whether the language model is asked for these words too, or the small models' are taken."""
    sampling: Sampling = REPLYING
    """How the reply is written; choices are always the likeliest, and short."""


@dataclass(frozen=True)
class Call:
    """One question to the language model."""

    step: str
    messages: tuple[Message, ...]
    answer: str | None
    """As it was written; None where there was none."""


@dataclass(frozen=True)
class Felt:
    """Which emotion was found, and how."""

    emotion: str
    """Empty where neither side names one."""
    stage: Stage
    """At which it was found: among the first k, among the others, or by the small models alone."""
    candidates: tuple[str, ...]
    """What was offered first, the likeliest first."""
    warnings: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Hybrid:
    """A reply, and what it rests on."""

    emotion: str
    stage: Stage
    candidates: tuple[str, ...]
    words: tuple[str, ...]
    """That tell why it was felt, as they stand in the conversation."""
    reply: str
    """Empty where the language model gave none and no other was found."""
    source: str
    """The language model that wrote it, `retrieved`, or nothing."""
    warnings: tuple[str, ...]
    """What went wrong, a sentence each."""
    calls: tuple[Call, ...]
    """All that the language model was asked and answered, in order."""


def hybrid(
    record: Record,
    feeling: Track,
    model: LanguageModel,
    causes: Sequence[Track] = (),
    retrieved: Retrieve | str = "",
    options: HybridOptions = HybridOptions(),
) -> Hybrid:
    """Name what was felt and why, and write a reply to a conversation's last turn.

    Args:
        record: a conversation.
        feeling: what the small models say, in a space of kind `one`; its last row that says anything counts, its
            subject is whose feeling it is, and its labels are all there are to choose from.
        model: to choose and to write.
        causes: Tracks whose notes are words that tell why (spaces `cause` or `importance`); the highest values count.
        retrieved: the reply to fall back on, or who finds one for an emotion.
        options: how it is done.
    """
    asked = _Asking(model)
    found = _felt(record, feeling, options, asked)
    words = cause_words(record, causes, options.words)
    if options.ask_why and found.emotion and not asked.dead:
        words = _why(record, feeling, found.emotion, words, options, asked) or words
    reply = _written(record, feeling, found.emotion, words, options, asked) if not asked.dead else ""
    source = model.name if reply else ""
    if not reply:
        reply = retrieved if isinstance(retrieved, str) else retrieved(found.emotion)
        source = "retrieved" if reply else ""
        asked.warnings.append(f"the reply is {'one that was retrieved' if reply else 'left out'}, not {model.name}'s")
    return Hybrid(
        found.emotion, found.stage, found.candidates, words, reply, source, tuple(asked.warnings), tuple(asked.calls)
    )


def felt(
    record: Record,
    feeling: Track,
    model: LanguageModel,
    options: HybridOptions = HybridOptions(),
) -> Felt:
    """Name what was felt: the two stages of choosing, without a reply. Takes what `hybrid` takes."""
    return _felt(record, feeling, options, _Asking(model))


def _felt(record: Record, feeling: Track, options: HybridOptions, asked: "_Asking") -> Felt:
    names = ranked(feeling)
    candidates = names[: options.k]
    others = tuple(name for name in names or feeling.space.names if name not in candidates)
    pick = Choice(rejected=True)
    stage: Stage = "candidates"
    if candidates:
        pick = asked.choose("choose", record, feeling, candidates, (NONE,) if others else (), options)
    if pick.rejected and others and not asked.dead:
        stage = "others"
        pick = asked.choose("others", record, feeling, others, (), options)
    if pick.name:
        return Felt(pick.name, stage, candidates, tuple(asked.warnings), tuple(asked.calls))
    first = candidates[0] if candidates else ""
    asked.warnings.append(f"the emotion is the small models' first one, not {asked.model.name}'s")
    return Felt(first, "fallback", candidates, tuple(asked.warnings), tuple(asked.calls))


def ranked(feeling: Track) -> tuple[str, ...]:
    """Return the labels of a Track's last row that says anything, the likeliest first; none where no row does."""
    rows = np.flatnonzero(~np.isnan(feeling.values).any(1))
    if not len(rows):
        return ()
    order = np.argsort(-feeling.values[rows[-1]], kind="stable")
    return tuple(feeling.space.names[k] for k in order)


def cause_words(record: Record, causes: Sequence[Track], most: int = 6) -> tuple[str, ...]:
    """Return the words in the notes of Tracks, those of the highest values, in the order of the conversation."""
    rows = [
        (float(value), word)
        for track in causes
        if track.note is not None
        for value, note in zip(track.values[:, 0], track.note, strict=True)
        for word in listed(note)
        if value > 0
    ]
    best = [word for _, word in sorted(rows, key=lambda row: -row[0])]
    return standing(_first_standing(best, record, most), record)


def _first_standing(words: Sequence[str], record: Record, most: int) -> list[str]:
    """Return the first so many words that stand in the conversation."""
    return [word for word in dict.fromkeys(words) if standing([word], record)][:most]


@dataclass
class _Asking:
    """Asks one language model, and keeps what was asked, answered and lacking."""

    model: LanguageModel
    calls: list[Call] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dead: bool = False
    """Whether it failed to answer: then it is not asked again, which would only take as long again."""

    def ask(self, step: str, messages: tuple[Message, ...], sampling: Sampling) -> str:
        """Return the answer, empty where there is none."""
        try:
            answer = self.model.generate(messages, sampling)
        except AffettoError as error:
            self.dead = True
            self.warnings.append(str(error))
            self.calls.append(Call(step, messages, None))
            return ""
        self.calls.append(Call(step, messages, answer))
        return answer

    def choose(
        self,
        step: str,
        record: Record,
        feeling: Track,
        names: Sequence[str],
        more: Sequence[str],
        options: HybridOptions,
    ) -> Choice:
        """Return which of the names it chose."""
        facts = {"speaker": _speaker(record, feeling), "choices": ", ".join((*names, *more))}
        messages = prompt(step, history=shown(record, options.window), **facts)
        answer = self.ask(step, messages, CHOOSING)
        axes = {axis.name: axis for axis in feeling.space.axes}
        synonyms = {name: (*axes[name].synonyms, *axes[name].facts.values()) for name in names}
        pick = chosen(answer, names, synonyms)
        if not (pick.name or (pick.rejected and more) or self.dead):
            self.warnings.append(f"{self.model.name} {_fault(answer)} when asked to choose among {len(names)} emotions")
            return Choice()
        return pick


def _why(
    record: Record, feeling: Track, emotion: str, words: Sequence[str], options: HybridOptions, asked: _Asking
) -> tuple[str, ...]:
    """Return the words that the language model says tell why, of those that really stand there."""
    facts = {"speaker": _speaker(record, feeling), "emotion": emotion, "words": ", ".join(words) or "(none known)"}
    messages = prompt("cause", history=shown(record, options.window, words), **facts)
    answer = asked.ask("cause", messages, CHOOSING)
    found = standing(listed(answer.replace("*", "")), record)[: options.words]
    if not found and not asked.dead:
        asked.warnings.append(f"{asked.model.name} {_fault(answer)} when asked which words tell why")
    return found


def _written(
    record: Record, feeling: Track, emotion: str, words: Sequence[str], options: HybridOptions, asked: _Asking
) -> str:
    """Return the reply, or nothing where it is none."""
    why = f" because of: {', '.join(words)}" if words else ""
    facts = {"speaker": _speaker(record, feeling), "emotion": emotion or "something that nobody named", "why": why}
    messages = prompt("reply", history=shown(record, options.window, words), **facts)
    answer = asked.ask("reply", messages, options.sampling)
    reply = written(answer)
    said = {" ".join(turn.text.split()).casefold() for turn in record.turns}
    if asked.dead:
        return ""
    if refused(answer) or not any(sign.isalpha() for sign in reply) or reply.casefold() in said:
        fault = "repeated what was said" if reply and reply.casefold() in said else _fault(answer)
        asked.warnings.append(f"{asked.model.name} {fault} when asked for a reply")
        return ""
    return reply


def _fault(answer: str) -> str:
    """Return what is wrong with an answer, as a verb."""
    if not answer.strip():
        return "said nothing"
    return "refused" if refused(answer) else "said something else"


def _speaker(record: Record, feeling: Track) -> str:
    """Return who feels, as the prompt calls him."""
    return next((called(turn) for turn in record.turns if turn.speaker == feeling.subject), "the speaker")
