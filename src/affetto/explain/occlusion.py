"""Which words carried an answer: take words away, ask again, and see how far the answer falls.

Single words and short phrases are left out, all in one batch; a word's importance is the mean fall over what was
left out around it (occlusion after Zeiler & Fergus 2014; over phrases too, since "not good" falls only together). Works
for any Model of text; knows none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track

IMPORTANCE = Space("importance", "graded", (Axis("importance", low=-1.0, high=1.0),))
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]+")
_BATCH = 64
Asker = Callable[[Sequence[str]], npt.NDArray[np.float64]]
"""Takes texts and returns the value of the explained axis for each."""


@dataclass(frozen=True)
class OcclusionOptions:
    """How finely to look."""

    longest_phrase: int = 3
    """Words of the longest phrase that is left out as one."""
    most_parts: int = 48
    """A text of more words is first cut into this many stretches, and only the telling ones into words."""


def explain(
    model: Model,
    record: Record,
    track: Track,
    axis: str | None = None,
    row: int = 0,
    options: OcclusionOptions | None = None,
) -> tuple[Track, ...]:
    """Return which words carried one row of an answer, as Tracks in the space `importance`.

    Args:
        model: who answered.
        record: what was answered; a post (one text), or a talk (its turns).
        track: one of the model's answers to it.
        axis: the label or axis to explain; by default the row's highest value, or the farthest from the middle.
        row: which row of the track.
        options: how finely to look.

    Returns:
        One Track, a row a word, in characters of the explained text: importance is how far the axis' value falls
        without the word, as a share of the axis' range (so -1..1; below 0 the word held the answer back); `note` is
        the word, `about` the row explained. Empty where nothing was said.

    Raises:
        MalformedError: the record has no words, or the model does not give such a track.
    """
    options = options or OcclusionOptions()
    text = _text(record, track, row)
    if np.isnan(track.values[row]).all():
        return ()
    column = track.space.index(axis) if axis else _most_telling(track, row)
    chosen = track.space.axes[column]
    scale = chosen.high - chosen.low if track.space.kind == "graded" else 1.0
    words = _words(text)
    if not words:
        return ()

    def ask(texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return _ask(model, record, track, column, texts) / scale

    full = ask([text])[0]
    if np.isnan(full):
        return ()
    weights = _importance(text, words, full, ask, options)
    named = track.space.names[column]
    return (
        Track(
            space=IMPORTANCE,
            start=np.array([start for start, _ in words], float),
            end=np.array([end for _, end in words], float),
            values=np.clip(weights, -1, 1)[:, None],
            unit="char",
            subject=track.subject,
            perspective=track.perspective,
            channel=track.channel,
            source=f"occlusion({track.source}, {track.space.id}: {named})",
            about=(Span(float(track.start[row]), float(track.end[row]), track.unit),) * len(words),
            note=tuple(text[start:end] for start, end in words),
        ),
    )


def _importance(
    text: str,
    words: Sequence[tuple[int, int]],
    full: float,
    ask: Asker,
    options: OcclusionOptions,
) -> npt.NDArray[np.float64]:
    """Return a fall for each word; in a long text, only words of telling stretches get one of their own."""
    if len(words) <= options.most_parts:
        return _word_falls(text, words, range(len(words)), full, ask, options.longest_phrase)
    stretches = np.array_split(np.arange(len(words)), options.most_parts)
    falls = full - ask([_without(text, words, stretch) for stretch in stretches])
    weights = np.zeros(len(words))
    for stretch, fall in zip(stretches, falls, strict=True):
        weights[stretch] = fall / len(stretch)
    telling = np.argsort(-np.abs(falls), kind="stable")[: max(1, options.most_parts // 8)]
    inner = [int(k) for number in telling for k in stretches[number][:64]]
    weights[inner] = _word_falls(text, words, inner, full, ask, 1)
    return weights


def _word_falls(
    text: str,
    words: Sequence[tuple[int, int]],
    chosen: Sequence[int],
    full: float,
    ask: Asker,
    longest: int,
) -> npt.NDArray[np.float64]:
    """Return, for each chosen word, its own fall averaged with its share of the falls of phrases around it."""
    phrases = [range(k, k + length) for length in range(1, longest + 1) for k in chosen if k + length <= len(words)]
    falls = full - ask([_without(text, words, phrase) for phrase in phrases])
    own = {phrase[0]: fall for phrase, fall in zip(phrases, falls, strict=True) if len(phrase) == 1}
    sums, counts = dict(own), dict.fromkeys(own, 1.0)
    for phrase, fall in zip(phrases, falls, strict=True):
        if len(phrase) == 1 or not all(k in own for k in phrase):
            continue
        surplus = (fall - sum(own[k] for k in phrase)) / len(phrase)
        for k in phrase:
            sums[k] += own[k] + surplus
            counts[k] += 1
    return np.array([sums[k] / counts[k] for k in chosen])


def _ask(model: Model, record: Record, track: Track, column: int, texts: Sequence[str]) -> npt.NDArray[np.float64]:
    languages = [signal.language for signal in record.signals if isinstance(signal, Text)]
    language = languages[0] if languages else ""
    values = np.full(len(texts), np.nan)
    spoken = [i for i, text in enumerate(texts) if text.strip()]
    reader = track.perspective == "evoked"
    for start in range(0, len(spoken), _BATCH):
        rows = spoken[start : start + _BATCH]
        answers = model([Record(str(i), (Text(texts[i], language),)) for i in rows])
        for i, tracks in zip(rows, answers, strict=True):
            twins = [t for t in tracks if t.space.id == track.space.id and (t.perspective == "evoked") == reader]
            if not twins:
                raise MalformedError(
                    f"{model.card.id} gives no {track.space.id} track as {track.perspective} to explain"
                )
            values[i] = twins[0].values[0, column]
    empty = np.isnan(values)
    values[empty] = _nothing(track, column)
    return values


def _nothing(track: Track, column: int) -> float:
    """Return what an axis is worth where no word is left: nothing for labels, the middle for graded axes."""
    axis = track.space.axes[column]
    return (axis.low + axis.high) / 2 if track.space.kind == "graded" else 0.0


def _text(record: Record, track: Track, row: int) -> str:
    if record.turns:
        for k, turn in enumerate(record.turns):
            span = turn.span if track.unit == "s" else Span(k, k + 1, "turn")
            if span and (span.start, span.end) == (track.start[row], track.end[row]):
                return turn.text
    elif record.text is not None:
        return record.text[int(track.start[row]) : int(track.end[row])]
    raise MalformedError(f"record {record.id!r} has no words where row {row} of the track lies")


def _most_telling(track: Track, row: int) -> int:
    values = track.values[row]
    if track.space.kind == "graded":
        values = np.abs(values - np.array([(a.low + a.high) / 2 for a in track.space.axes], np.float32))
    return int(np.nanargmax(values))


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORD.finditer(text)]


def _without(text: str, words: Sequence[tuple[int, int]], gone: Sequence[int] | npt.NDArray[np.int64]) -> str:
    first, last = words[int(gone[0])][0], words[int(gone[-1])][1]
    return re.sub(r" {2,}", " ", text[:first] + text[last:])
