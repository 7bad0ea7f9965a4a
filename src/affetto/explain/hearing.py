"""Which seconds of a voice carried an answer, and which of its qualities did, in words with units.

Seconds: one short window after the other is silenced, all in one batch; a moment's importance is the mean fall over the
windows that cover it (occlusion after Zeiler & Fergus 2014). Works for any Model of voice; knows none.

Qualities: a straight line through the model's answers (`recipes/speech_cues.py`; a surrogate, after Ribeiro et al.
2016) says which descriptors go along with them. It tells what can be heard where the model answers so, and how much of
the answers that explains; it does not look into the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Audio
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.explain.occlusion import IMPORTANCE

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Reason = tuple[Track, tuple[Track, ...]]
Stretches = Sequence[tuple[float, float]]
"""Starts and ends in seconds from the first sample."""
PROSODY = "speech.prosody"
"""The card of the Model that measures a voice."""
MEASURED = ("prosody", "egemaps-88", "egemaps-lld")
"""Spaces of what is measured: nothing carries it but the sound itself, so that there is nothing to explain."""
ENOUGH = 3
"""Rows of a speaker from which on a row is compared with that speaker's own median."""
FARTHEST = 3.0
"""Spreads from the reference beyond which a descriptor counts no more."""
LEAST_FIDELITY = 0.05
"""Share of the model's answers (R2) that the line must explain of speakers it was not fitted to, or it says nothing."""
SPEAKER, LESSONS = "this speaker's median", "the median of the training clips"
_GAIN = "loudness"
"""The descriptor that hangs on the gain of a recording, and so compares with no other recording."""
_WORDS = {
    "pitch-range": ("pitch range {} semitones", "wider than", "narrower than"),
    "loudness": ("loudness {} dB", "above", "below"),
    "loudness-range": ("loudness range {} dB", "wider than", "narrower than"),
    "rate": ("speaks {} syllables a second", "faster than", "slower than"),
    "jitter": ("jitter {} percentage points", "above", "below"),
    "balance": ("spectral balance {} dB", "brighter than", "darker than"),
    "voiced": ("voiced share {} percentage points", "above", "below"),
}
"""How a difference is said; what is not listed is its name, the number and its unit, above or below."""


@dataclass(frozen=True)
class HearingOptions:
    """How finely to listen."""

    window: float = 0.25
    """Seconds that are silenced at a time; more in rows that would need more asks than `most_asks`."""
    most_asks: int = 40
    """Sounds that the model is asked about for one row."""
    floor: float = -60.0
    """dB that is left of the sound in a window."""
    fade: float = 0.01
    """Seconds over which the sound falls to it, and rises again."""


def reasons(
    model: Model, record: Record, track: Track, axis: str | None = None, options: HearingOptions | None = None
) -> list[Reason]:
    """Return each row of an answer to a voice with what it rests on: its seconds, and its qualities where known.

    The recording is read once or twice. A Model that has an attribute `cues` (see `cues`) also gets qualities; they are
    measured by `speech.prosody`. Answers that are measured, as pitch is, get no reasons.

    Args:
        model: who answered.
        record: the recording.
        track: one of the model's answers to it, in seconds.
        axis: as in `seconds`.
        options: how finely to listen.

    Raises:
        MalformedError: the record has no sound, or the model does not give such a track.
    """
    if track.space.id in MEASURED:
        return []
    surrogate: Mapping[str, Any] | None = getattr(model, "cues", None)
    prosody = measured(record, track) if surrogate else ()
    found: dict[int, Reason] = {}
    for row, clip, rate in _clips(record, track, range(len(track))):
        parts = _carried(model, record, track, axis, row, clip, rate, options or HearingOptions())
        if surrogate:
            parts += cues(track, prosody, surrogate, row, axis)
        found[row] = (track[row : row + 1], parts)
    return [found[row] for row in range(len(track))]


def seconds(
    model: Model,
    record: Record,
    track: Track,
    axis: str | None = None,
    row: int = 0,
    options: HearingOptions | None = None,
) -> tuple[Track, ...]:
    """Return which seconds carried one row of an answer to a voice, as Tracks in the space `importance`.

    The row's stretch of the recording is asked about again by itself, whole and with windows silenced. Where an answer
    is "not said", it counts as nothing of a label, and as the middle of a graded axis.

    Args:
        model: who answered.
        record: the recording.
        track: one of the model's answers to it, in seconds.
        axis: the label or axis to explain; by default the row's highest value, or the farthest from the middle.
        row: which row of the track.
        options: how finely to listen.

    Returns:
        One Track, a row a cell of half a window: importance is how far the axis' value falls without the cell, as a
        share of the axis' range (so -1..1; below 0 the sound held the answer back); `note` says its seconds, `about`
        the row explained. Empty where nothing was said, or the recording ends before the row.

    Raises:
        MalformedError: the record has no sound, or the model does not give such a track.
    """
    _, clip, rate = next(_clips(record, track, [row]))
    return _carried(model, record, track, axis, row, clip, rate, options or HearingOptions())


def cues(
    track: Track, prosody: Sequence[Track], surrogate: Mapping[str, Any], row: int = 0, axis: str | None = None
) -> tuple[Track, ...]:
    """Return which qualities of the voice speak for one row of an answer, in words, by a line fitted to the model.

    A descriptor's contribution to the log-odds of the label is its weight times how many spreads it lies from the
    reference: this speaker's median over the recording where at least three rows say it, or else the median of the
    lessons (not of loudness, which hangs on the gain). A voice that nobody names is taken for one speaker.

    Args:
        track: the answer.
        prosody: Tracks in the space `prosody`, with the same speakers, starts and ends (see `measured`).
        surrogate: what the recipe fitted: `axes`, m names of descriptors; `median` and `spread`, m numbers, the spread
            of pitch in semitones; `weights`, m for each label; `fidelity`, each label's R2 on speakers left out.
        row: which row of the track.
        axis: the label to explain; by default the row's highest.

    Returns:
        One Track, a row a descriptor that was measured, those that weigh most first; contributions are divided by the
        sum of their absolute values where that is above 1; `note` says the descriptor with its unit. Empty where
        nothing was said, the row was not measured, or the line knows too little of the label (`LEAST_FIDELITY`).
    """
    at = _twin(track, prosody, row)
    if np.isnan(track.values[row]).all() or at is None:
        return ()
    label = track.space.names[_column(track, row, axis)]
    if surrogate["fidelity"].get(label, -np.inf) < LEAST_FIDELITY:
        return ()
    space = prosody[0].space
    columns = [space.index(name) for name in surrogate["axes"]]
    values = np.concatenate([one.values[:, columns] for one in prosody if one.subject == track.subject]).astype(float)
    reference, own = _reference(values, surrogate)
    off = values[at] - reference
    farther = scaled(values[at], surrogate["axes"]) - scaled(reference, surrogate["axes"])
    weights = np.array(surrogate["weights"][label]) * deviations(farther, np.array(surrogate["spread"]))
    said = [int(j) for j in np.argsort(-np.abs(weights), kind="stable") if abs(weights[j]) > 0]
    if not said:
        return ()
    weights /= max(1.0, float(np.abs(weights[said]).sum()))
    return (
        _part(
            track, row, weights[said],
            np.full(len(said), track.start[row]), np.full(len(said), track.end[row]),
            tuple(sentence(space.axes[columns[j]], float(off[j]), SPEAKER if own[j] else LESSONS) for j in said),
            f"cues({track.source}, R2 {surrogate['fidelity'][label]:.2f}, {track.space.id}: {label})",
        ),
    )  # fmt: skip


def measured(record: Record, track: Track) -> tuple[Track, ...]:
    """Return how the voice sounds in each row of a track of which something is said, in the space `prosody`."""
    audio = _sound(record, track.subject)
    rows = np.flatnonzero(~np.isnan(track.values).all(1))
    turns = tuple(Turn(track.subject, track.spans[row], "") for row in rows)
    if not turns:
        return ()
    (answers,) = catalog.load(PROSODY)([Record(record.id, (audio,), turns)])
    return tuple(one for one in answers if one.space.id == "prosody")


def scaled(values: Doubles, names: Sequence[str]) -> Doubles:
    """Return descriptors (... x m) as the line takes them: pitch in semitones from 100 Hz, the others as they are."""
    return np.where(np.array(names) == "pitch", 12 * np.log2(np.maximum(values, 1.0) / 100), values)


def deviations(off: Doubles, spread: Doubles) -> Doubles:
    """Return differences from a reference in spreads, cut at `FARTHEST`; NaN stays.

    >>> deviations(np.array([30.0, -9.0, np.nan]), np.array([20.0, 1.0, 1.0])).tolist()
    [1.5, -3.0, nan]
    """
    return np.clip(off / spread, -FARTHEST, FARTHEST)


def sentence(axis: Axis, off: float, reference: str = SPEAKER) -> str:
    """Say how far a descriptor lies from a reference, with its unit.

    >>> sentence(Axis("pitch", low=50, high=1100, unit="Hz"), 61.7)
    "pitch 62 Hz above this speaker's median"
    >>> sentence(Axis("rate", high=30, unit="1/s"), -1.23)
    "speaks 1.2 syllables a second slower than this speaker's median"
    """
    name = axis.name.replace("-", " ")
    words, higher, lower = _WORDS.get(axis.name, (f"{name} {{}} {axis.unit}".rstrip(), "above", "below"))
    number = _number(abs(off) * (100 if axis.unit == "1" else 1))
    if number == "0":
        return f"{name} at {reference}"
    return f"{words.format(number)} {higher if off > 0 else lower} {reference}"


def silenced(samples: Floats, rate: float, stretches: Stretches, options: HearingOptions | None = None) -> Floats:
    """Return samples (n) of which stretches, in seconds from the first, are faded to almost nothing."""
    options = options or HearingOptions()
    depth = np.zeros(len(samples))
    for start, end in stretches:
        near = slice(max(0, int((start - options.fade) * rate)), int((end + options.fade) * rate) + 1)
        at = np.arange(len(samples))[near] / rate
        ramp = np.minimum(at - start, end - at) / options.fade + 1
        depth[near] = np.maximum(depth[near], np.clip(ramp, 0, 1))
    out = np.array(samples, np.float32)
    out[depth > 0] *= 10 ** (options.floor * depth[depth > 0] / 20)
    return out


def ask(
    model: Model,
    record: Record,
    track: Track,
    column: int,
    clip: Floats,
    rate: float,
    silences: Sequence[Stretches],
    options: HearingOptions | None = None,
) -> Doubles:
    """Return what a model says on one axis of a clip, as if it were a row of a track, once for each of some silences.

    Raises:
        MalformedError: the model does not give such a track.
    """
    answers = model([_alone(record, track.subject, clip, rate, silence, options) for silence in silences])
    values = np.full(len(silences), np.nan)
    reader = track.perspective == "evoked"
    for i, tracks in enumerate(answers):
        twins = [t for t in tracks if t.space.id == track.space.id and (t.perspective == "evoked") == reader]
        if not twins:
            raise MalformedError(f"{model.card.id} gives no {track.space.id} track as {track.perspective} to explain")
        values[i] = twins[0].values[0, column]
    return np.where(np.isnan(values), _nothing(track.space)[column], values)


def _carried(
    model: Model,
    record: Record,
    track: Track,
    axis: str | None,
    row: int,
    clip: Floats,
    rate: float,
    options: HearingOptions,
) -> tuple[Track, ...]:
    """Return what `seconds` does, of a row whose sound is known."""
    if np.isnan(track.values[row]).all() or not len(clip):
        return ()
    column = _column(track, row, axis)
    edges = _edges(len(clip) / rate, options)
    windows = [(edges[max(0, i - 1)], edges[min(len(edges) - 1, i + 1)]) for i in range(len(edges))]
    values = ask(model, record, track, column, clip, rate, [(), *((window,) for window in windows)], options)
    chosen = track.space.axes[column]
    falls = (values[0] - values[1:]) / (chosen.high - chosen.low if track.space.kind == "graded" else 1.0)
    start, end = track.start[row] + edges[:-1], track.start[row] + edges[1:]
    return (
        _part(
            track, row, (falls[:-1] + falls[1:]) / 2, start, end,
            tuple(f"{a:.1f} to {b:.1f} s" for a, b in zip(start, end, strict=True)),
            f"silencing({track.source}, {track.space.id}: {track.space.names[column]})",
        ),
    )  # fmt: skip


def _part(
    track: Track, row: int, weights: Doubles, start: Doubles, end: Doubles, note: tuple[str, ...], source: str
) -> Track:
    return Track(
        space=IMPORTANCE,
        start=start,
        end=end,
        values=np.clip(weights, -1, 1)[:, None],
        unit="s",
        subject=track.subject,
        perspective=track.perspective,
        channel=track.channel,
        source=source,
        about=(track.spans[row],) * len(note),
        note=note,
    )


def _edges(length: float, options: HearingOptions) -> Doubles:
    """Return where the cells of a row of `length` seconds begin and end; a window is two cells, and one at the ends."""
    cells = min(options.most_asks - 2, round(2 * length / options.window))
    return np.linspace(0, length, max(1, cells) + 1)


def _clips(record: Record, track: Track, rows: Sequence[int]) -> Iterator[tuple[int, Floats, float]]:
    """Yield rows in order of time with their samples and the rate; the recording is read once and never held whole."""
    if track.unit != "s":
        raise MalformedError(f"a voice is explained in seconds, and the rows of this track lie in {track.unit!r}")
    audio = _sound(record, track.subject)
    blocks = audio.blocks()
    held, first = np.zeros(0, np.float32), 0
    for row in sorted(rows, key=lambda row: float(track.start[row])):
        begin, stop = (round(float(at[row]) * audio.rate) for at in (track.start, track.end))
        while first + len(held) < stop and (block := next(blocks, None)) is not None:
            held = np.concatenate([held, block[:, 0]])
            gone = min(begin - first, len(held))
            held, first = held[gone:], first + gone
        yield row, held[begin - first : stop - first], audio.rate


def _sound(record: Record, subject: str) -> Audio:
    """Return the sound of a Record as one channel: that of a subject who has one, or else all of them mixed."""
    audio = next((signal for signal in record.signals if isinstance(signal, Audio)), None)
    if audio is None:
        raise MalformedError(f"record {record.id!r} has no sound that could explain an answer to a voice")
    whole, given = audio, record.meta.get("speakers", ())
    names = [str(given[i]) if i < len(given) else f"channel-{i + 1}" for i in range(audio.channels)]
    own = slice(names.index(subject), names.index(subject) + 1) if subject in names else slice(None)

    def mono(seconds: float) -> Iterator[Floats]:
        for block in whole.blocks(seconds):
            yield block[:, own].mean(1, keepdims=True, dtype=np.float32)

    return replace(audio, open=mono, channels=1)


def _alone(
    record: Record, subject: str, clip: Floats, rate: float, silence: Stretches, options: HearingOptions | None
) -> Record:
    """Return a Record of one turn and its sound, which is silenced when somebody listens."""

    def blocks(seconds: float) -> Iterator[Floats]:
        samples = silenced(clip, rate, silence, options)
        size = max(1, int(seconds * rate))
        return (samples[at : at + size, None] for at in range(0, len(samples), size))

    length = len(clip) / rate
    return Record(record.id, (Audio("", rate, length, blocks),), (Turn(subject, Span(0, length, "s"), ""),))


def _twin(track: Track, prosody: Sequence[Track], row: int) -> int | None:
    """Return where among all prosody rows of its speaker a row of a track is measured."""
    spans = [span for one in prosody if one.subject == track.subject for span in one.spans]
    return spans.index(track.spans[row]) if track.spans[row] in spans else None


def _reference(values: Doubles, surrogate: Mapping[str, Any]) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """Return what each descriptor is compared with, NaN where with nothing, and whether that is the speaker's own."""
    own = (~np.isnan(values)).sum(0) >= ENOUGH
    reference = np.array(
        [np.nan if name == _GAIN else x for name, x in zip(surrogate["axes"], surrogate["median"], strict=True)]
    )
    reference[own] = np.nanmedian(values[:, own], axis=0)
    return reference, own


def _column(track: Track, row: int, axis: str | None) -> int:
    if axis:
        return track.space.index(axis)
    return int(np.nanargmax(np.abs(track.values[row] - _nothing(track.space))))


def _nothing(space: Space) -> Floats:
    """Return what each axis is worth where nothing is heard: nothing for labels, the middle for graded axes."""
    if space.kind != "graded":
        return np.zeros(len(space.axes), np.float32)
    return np.array([(axis.low + axis.high) / 2 for axis in space.axes], np.float32)


def _number(size: float) -> str:
    """Return a size above 0 in two or three digits: 62, 9, 1.2, 0.25."""
    digits = 0 if size >= 10 else 1 if size >= 1 else 2
    text = f"{size:.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text
