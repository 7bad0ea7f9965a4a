"""The verbs: read, perceive, explain, translate, write, load, cards. Each ties together rooms that know only the core.

Knows who does what; decides nothing itself. Models, formats and taxonomies are loaded by their names when they are
first needed, so that one short text is answered at once.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from affetto import formats
from affetto.core import catalog
from affetto.core.card import Card, CardKind
from affetto.core.errors import MalformedError, MissingExtraError, NoBridgeError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames, Text
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models import asking
from affetto.models.asking import CHUNK, Models, chunks, in_language, models_for, names, perceiver
from affetto.run import annotate as annotating
from affetto.run import fields
from affetto.run.fields import apart
from affetto.run.groups import Groups
from affetto.spaces import taxonomy

if TYPE_CHECKING:
    from affetto.run.batch import Progress
    from affetto.spaces.bridges import Bridge
    from affetto.timeline import Timeline, Told, Watching

__all__ = [
    "CHUNK",
    "Groups",
    "Reason",
    "apart",
    "bridge",
    "bridges",
    "card",
    "cards",
    "explain",
    "load",
    "perceive",
    "perceive_each",
    "perceive_file",
    "post",
    "read",
    "sheet",
    "space",
    "suffixes",
    "translate",
    "tree",
    "turtle",
    "write",
]

Reason = tuple[Track, tuple[Track, ...]]
Columns = str | Sequence[str]
_TABLES = (".csv", ".tsv", ".parquet")
_RECORDS = (
    ".json", ".emotionml", ".xml", ".textgrid", ".rttm", ".audformat", ".eaf", ".labelstudio.json", ".openface.csv",
    ".pyfeat.csv", ".livelink.csv",
)  # fmt: skip
"""Suffixes of files that hold Records and nothing else."""


def cards(kind: CardKind | None = None) -> dict[str, Card]:
    """Return all cards, or those of a kind (`model`, `dataset`, `space`, `benchmark`), by their ids."""
    return catalog.cards(kind)


def card(id: str) -> Card:
    """Return the card of one thing: what it is, where it comes from, what it must not be used for."""
    return catalog.find(id)


def load(id: str) -> Any:
    """Load what a card names: a Model, a Space ... once in a process.

    Raises:
        UnknownNameError: no card is called so.
        MissingExtraError: it needs a part that is not installed.

    >>> load("vad").names
    ('valence', 'arousal', 'dominance')
    """
    return catalog.load(id)


def read(
    path: str | Path, column: Columns | None = None, *, transcript: str | Path | None = None, **how: Any
) -> Iterator[Record]:
    """Read a file (`-` is stdin) or a folder of recordings as Records, one by one.

    Text, subtitles, tables, pictures, sounds and films become Records to be answered; what Affetto wrote as JSON, JSON
    lines, EmotionML, TextGrid, RTTM, audformat, tables of faces or as a long table become Records with their Tracks.

    Args:
        path: .txt .srt .vtt .csv .tsv .jsonl .parquet, any picture, sound or film, `camera:0`, or .json .jsonl
            .emotionml .TextGrid .eaf .labelstudio.json .rttm .audformat .openface.csv .pyfeat.csv .livelink.csv with
            Records.
        column: the column of a table that holds the words, or several: then each is answered on its own.
        transcript: the words of a recording with their times: .srt .vtt .csv .tsv .json .rttm .TextGrid .eaf.
        how: what `affetto.media.files.read` takes besides: `lines`, `turns`, `speakers`, `id_column`, `suffix`,
            `encoding`, `frames_rate`.

    Raises:
        UnreadableError: there is no such file, or it cannot be read as what its suffix says.
        UnknownNameError: no column is called so; names those there are.
    """
    from affetto.media import files  # noqa: PLC0415 - one text on the command line needs none of these

    if column is None and transcript is None and not how:
        suffix = formats.suffix(path)
        if suffix in _RECORDS:
            return formats.by_path(path).read(path)
        if suffix in _TABLES and (tracks := _long_table(Path(path))) is not None:
            return tracks
    reading = files.read(path, column, **how)
    return reading if transcript is None else files.Reading(_transcribed(reading, Path(transcript)), reading)


def write(records: Record | Iterable[Record], path: str | Path) -> None:
    """Write Records with their Tracks to a file, atomically; the suffix names the format.

    Args:
        records: one, or several.
        path: .json .jsonl .csv .tsv .parquet .emotionml .TextGrid .eaf .labelstudio.json .srt .vtt .rttm .audformat

    Raises:
        UnknownNameError: no format has that suffix; names those there are.
        MissingExtraError: the format needs a part that is not installed.
    """
    formats.by_path(path).write([records] if isinstance(records, Record) else records, path)


@overload
def perceive(  # type: ignore[overload-overlap]  # a str is also an Iterable[str], but one text
    what: str | Record,
    model: Models | None = None,
    *,
    language: str | None = None,
    column: Columns | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watching: "Watching | None" = None,
) -> Record: ...
@overload
def perceive(
    what: os.PathLike[str] | Iterable[str | Record],
    model: Models | None = None,
    *,
    language: str | None = None,
    column: Columns | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watching: "Watching | None" = None,
) -> list[Record]: ...
def perceive(
    what: str | Record | os.PathLike[str] | Iterable[str | Record],
    model: Models | None = None,
    *,
    language: str | None = None,
    column: Columns | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watching: "Watching | None" = None,
) -> Record | list[Record]:
    """Answer what is felt, by whom, and how sure that is: return what was given, with the models' Tracks added.

    Args:
        what: a text or a Record, which gives one Record; or a Path, or several texts or Records, which give a list.
        model: the id of a card, a Model, or several; by default, for words, `text.affect-en` where they are English,
            else `text.affect-multi`; for pictures `face`; for sounds and films `timeline`, which asks for all of them.
        language: BCP 47 code of all that is given. Where nobody says, each Record's own, or else English, unless it
            is written in another script.
        column: of a table, the column or columns that hold words.
        rate: of a recording, rows a second; 0: a row for each stretch of voice, or each turn. Of a film also the
            pictures a second that are looked at; 0: five.
        channels: ask only the models of these channels, such as `face`; by default of all.
        watching: how recordings are gone through as a whole (`affetto.timeline.Watching`).

    Raises:
        UnknownNameError: no such model, channel, column, or language of the model; names those there are.
        UnreadableError: the file cannot be read.

    >>> perceive("I got the job!", model="fake").tracks[1].space.names
    ('valence', 'arousal', 'dominance')
    """
    work = perceiver(model, language, rate, channels, _watcher(watching, language))
    if isinstance(what, str):
        return work([post(what)])[0]
    if isinstance(what, Record):
        return next(fields.each([what], lambda parts: work(list(parts))))
    if isinstance(what, os.PathLike):
        records = read(Path(what), column, frames_rate=rate) if rate else read(Path(what), column)
    elif isinstance(what, Iterable) and not isinstance(what, bytes):
        records = (_record(item, i) for i, item in enumerate(what, 1))
    else:
        raise MalformedError(f"perceive wants a str, a Record, a Path, or several of them, not {type(what).__name__}")
    return list(fields.each(records, lambda parts: (one for chunk in chunks(parts, CHUNK) for one in work(chunk))))


def perceive_each(
    records: Iterable[Record],
    model: Models | None = None,
    *,
    language: str | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watching: "Watching | None" = None,
    told: "Told | None" = None,
    at_once: int = CHUNK,
    keep: bool = False,
    annotate: bool = False,
) -> Iterator[Record]:
    """Yield each Record with the models' Tracks as soon as it is answered; one that fails has `meta["error"]`.

    Args:
        records: any number of them, read as they are needed.
        model: as in `perceive`.
        language: as in `perceive`.
        rate: as in `perceive`, of recordings that were read at it.
        channels: as in `perceive`.
        watching: as in `perceive`.
        told: is told how far each part of a recording is.
        at_once: texts that a model is asked about at a time.
        keep: leave those that bear Tracks already as they are.
        annotate: add sentiment, subjectivity and emotion in a word each, as `run.annotate` says.

    Raises:
        UnknownNameError: no such model, or it does not read that language; names those there are.
    """

    def answered(parts: Iterator[Record]) -> Iterator[Record]:
        how: dict[str, Any] = {"language": language, "rate": rate, "channels": channels}
        how["watcher"] = _watcher(watching, language, told=told)
        done = asking.perceive_each(parts, model, at_once=at_once, keep=keep, **how)
        return (one for chunk in chunks(done, at_once) for one in _annotated(chunk)) if annotate else done

    return fields.each(records, answered, keep, at_once)


def perceive_file(
    source: str | Path | Iterable[Record],
    out: str | Path,
    model: Models | None = None,
    *,
    language: str | None = None,
    column: Columns | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watching: "Watching | None" = None,
    annotate: bool = False,
    groups: Groups | None = None,
    shape: Literal["wide", "long"] = "wide",
    resume: bool = False,
    overwrite: bool = False,
    progress: "Callable[[Progress], None] | None" = None,
    told: "Told | None" = None,
    **how: Any,
) -> "Progress":
    """Answer a file of any length into another: one row for each input, in order, and resumable where it stopped.

    Args:
        source: what `read` reads, or Records.
        out: the file to make; the suffix names the format.
        model: as in `perceive`.
        language: as in `perceive`.
        column: as in `perceive`.
        rate: as in `perceive`.
        channels: as in `perceive`.
        watching: as in `perceive`. What is known of a recording is kept beside `out` on the way.
        annotate: as in `perceive_each`.
        groups: is told each Record, annotated, and sums them up by a column of the table.
        shape: of a table to write: a line a Record, or a line a number.
        resume: go on with a run that was stopped.
        overwrite: replace a file that exists.
        progress: is told how far it is after each chunk.
        told: is told how far each part of a recording is.
        how: what `read` takes besides.

    Raises:
        AffettoError: the input cannot be read, or the output exists; rows that fail are counted, not raised.
    """
    from affetto.run import batch  # noqa: PLC0415

    form: Any = formats.by_path(out)
    tabular = formats.suffix(out) in _TABLES
    if shape == "long" and not tabular:
        raise MalformedError(f"only tables (.csv .tsv .parquet) can be long, not {Path(out).name}")
    if rate:
        how.setdefault("frames_rate", rate)
    records = read(source, column, **how) if isinstance(source, str | Path) else source
    columns: Sequence[str] = getattr(records, "columns", ())
    appender = form.appender(columns, shape=shape) if tabular else form.appender(columns)
    options: dict[str, Any] = {
        "models": names(model),
        "language": language or "",
        "column": column or "",
        "shape": shape,
    }
    if rate:
        options["rate"] = rate
    if channels:
        options["channels"] = sorted(channels)
    if watching is not None:
        options["watching"] = asdict(watching)
    if annotate or groups is not None:
        options["annotate"] = True
    if groups is not None:
        groups.check(columns, Path(str(source)).name)
        appender = groups.over(appender)
        options["by"] = groups.by
    work = perceiver(model, language, rate, channels, _watcher(watching, language, Path(out), options, resume, told))
    return batch.run(
        records,
        (lambda parts: _annotated(work(parts))) if "annotate" in options else work,
        out,
        appender,
        source=source if isinstance(source, str | Path) and str(source) != "-" else None,
        options=options,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )


def explain(
    what: str | Record,
    model: Models | None = None,
    *,
    space: str | None = None,
    axis: str | None = None,
    language: str | None = None,
    channels: Sequence[str] = (),
) -> list[Reason]:
    """Say which words carried each answer, or which seconds of a voice, or which parts of a face.

    Args:
        what: a text, or a Record.
        model: as in `perceive`.
        space: only the answers in this space; by default all.
        axis: the label or axis to explain; by default the main one, and of valence, arousal and dominance the first.
        language: as in `perceive`.
        channels: as in `perceive`.

    Returns:
        Pairs: each row of each answer as a Track, and the Tracks in the space `importance` that it rests on, a row
        a word or an eighth of a second, highest where the answer falls most without it; no such Track where nothing
        was said. Of a voice, where the model knows, a second one whose notes say its qualities ("pitch 62 Hz above
        this speaker's median"). Of a face, the action units that stand out, and patches of the picture by `box`. What
        is only measured, as by `speech.prosody`, is left out.

    Raises:
        UnknownNameError: no such model, or no answer in that space; names those there are.
    """
    from affetto.explain import hearing, occlusion, seeing  # noqa: PLC0415

    record = post(what) if isinstance(what, str) else what.blind()
    record = in_language(record, language)
    asked = models_for(record, model, language, channels)
    answers = [(one, track) for one in asked for track in one([record])[0]]
    if space is not None and answers and space not in {track.space.id for _, track in answers}:
        raise UnknownNameError("space of these answers", space, {track.space.id for _, track in answers})

    def wanted(track: Track) -> bool:
        return space == track.space.id or (space is None and (axis is None or axis in track.space.names))

    reasons: list[Reason] = []
    for one in asked:
        faces = [track for other, track in answers if other is one and track.channel == "face"]
        reasons += seeing.reasons(one, record, [track for track in faces if wanted(track)], faces, axis)
    for one, track in answers:
        if track.channel != "face" and wanted(track):
            named = axis or ("valence" if "valence" in track.space.names else None)
            if track.channel == "voice":
                reasons += hearing.reasons(one, record, track, named)
                continue
            for row in range(len(track)):
                reasons.append((track[row : row + 1], occlusion.explain(one, record, track, named, row)))
    return reasons


@overload
def translate(what: Track, space: str, *, origin: str | None = None) -> Track: ...
@overload
def translate(what: str | Record, space: str, *, origin: str | None = None, model: Models | None = None) -> Record: ...
def translate(
    what: str | Record | Track, space: str, *, origin: str | None = None, model: Models | None = None
) -> Record | Track:
    """Say an answer in another space, by the bridge that loses least.

    Args:
        what: a Track, which gives a Track; a Record, which gives one with its answers in that space and no others; or
            a text, which is perceived first. Of several answers about one subject and stretch, the one that loses
            least goes over.
        space: the id of the space.
        origin: only answers in this space.
        model: who perceives a text.

    Returns:
        The same in that space; the source of each Track names the bridges it came by (see `bridge`).

    Raises:
        NoBridgeError: nothing leads there; names the near spaces.
        UnknownNameError: there is no such space.

    >>> translate("What a day!", "sentiment-3", origin="ekman-7", model="fake").tracks[0].source
    'fake@1 > ekman-7--sentiment-3'
    """
    from affetto.spaces import bridges as ways  # noqa: PLC0415 - the tables are not for every day

    if isinstance(what, Track):
        return ways.translate(what, space)
    record = perceive(what, model) if isinstance(what, str) else what
    best: dict[tuple[Any, ...], tuple[float, int]] = {}
    refused: NoBridgeError | None = None
    taxonomy.space(space)
    for i, track in enumerate(record.tracks):
        if origin not in (None, track.space.id):
            continue
        try:
            loss = _loss(track.space, space)
        except NoBridgeError as error:
            refused = refused or error
            continue
        where = (track.unit, track.start.tobytes(), track.end.tobytes())
        key = (track.subject, track.perspective == "evoked", *where)
        best[key] = min(best.get(key, (loss, i)), (loss, i))
    if not best and refused is not None:
        raise refused
    if not best and record.tracks:
        raise UnknownNameError("space of these answers", origin or "", {track.space.id for track in record.tracks})
    return replace(record, tracks=tuple(ways.translate(record.tracks[i], space) for _, i in best.values()))


def bridge(origin: str | Space, target: str) -> "Bridge":
    """Return the way from one space to another, with its source and its measured loss.

    Raises:
        NoBridgeError: nothing leads there; names the near spaces.
        UnknownNameError: there is no such space.
    """
    from affetto.spaces import bridges as ways  # noqa: PLC0415

    return ways.bridge(origin, target)


def bridges() -> list["Bridge"]:
    """Return all bridges that lead directly from one space to another."""
    from affetto.spaces import bridges as ways  # noqa: PLC0415

    return [way for id in catalog.cards("space") for way in ways.bridges(id)]


def space(id: str) -> Space:
    """Return a space by its id; raise UnknownNameError, which names those there are, for any other."""
    return taxonomy.space(id)


def tree(id: str) -> str:
    """Return the labels of a space as a tree of text lines."""
    return taxonomy.tree(space(id))


def turtle(id: str) -> str:
    """Return a space as an ontology: OWL in Turtle."""
    from affetto.spaces import tone  # noqa: PLC0415

    return tone.turtle(space(id))


def sheet(columns: Sequence[str] = (), long: bool = False) -> Callable[[Sequence[Record]], bytes]:
    """Return what turns Records into lines of a CSV, header first: a line a Record, or with `long` a line a number."""
    lines: Any = formats.by_name("csv")
    encode: Callable[[Sequence[Record]], bytes] = lines.appender(columns, shape="long" if long else "wide").encode
    return encode


def suffixes() -> dict[str, tuple[bool, bool, str]]:
    """Return for each known suffix whether it is read, whether it is written, and what it is."""
    from affetto.media import files  # noqa: PLC0415

    words = {suffix: formats.TITLES[name] for suffix, name in formats.FORMATS.items()} | files.SUFFIXES
    return {one: (one in files.SUFFIXES or one in _RECORDS, one in formats.FORMATS, words[one]) for one in words}


def post(text: str) -> Record:
    """Return the Record of one text."""
    return Record("text", (Text(text),))


def _loss(origin: Space, target: str) -> float:
    """Return what a crossing loses; one that nobody measured counts worse than any that was measured."""
    if origin.id == target:
        return 0.0
    way = bridge(origin, target)
    return 1.0 + len(way.steps) if math.isnan(way.loss) else way.loss


def _transcribed(records: Iterable[Record], path: Path) -> Iterator[Record]:
    """Yield recordings with the turns of a transcript in place of their own."""
    from affetto.media.transcripts import read_transcript  # noqa: PLC0415

    for record in records:
        lengths = [signal.duration for signal in record.signals if isinstance(signal, Audio | Frames)]
        if not lengths:
            raise UnreadableError(f"record {record.id!r} is no recording, so that it has no transcript")
        known = max((one for one in lengths if not math.isnan(one)), default=math.nan)
        turns = read_transcript(path, duration=known, records=lambda other: formats.by_path(other).read(other))
        yield replace(record, turns=turns, meta={**record.meta, "subtitles": str(path)})


def _watcher(
    watching: "Watching | None",
    language: str | None,
    out: Path | None = None,
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    told: "Told | None" = None,
) -> Callable[[], "Timeline"]:
    """Return what makes who goes through recordings, keeping what is known beside `out` where there is one."""

    def made() -> "Timeline":
        from affetto import timeline  # noqa: PLC0415 - words need none of this

        return replace(timeline.watcher(watching, language or "", out, options or {}, resume), told=told)

    return cache(made)


def _annotated(records: Sequence[Record]) -> list[Record]:
    from affetto.spaces import bridges as ways  # noqa: PLC0415

    return annotating.annotated(records, ways.translate)


def _record(item: object, number: int) -> Record:
    if isinstance(item, Record):
        return item
    if isinstance(item, str):
        return Record(str(number), (Text(item),))
    raise MalformedError(f"item {number} wants to be a str or a Record, not {type(item).__name__}")


def _long_table(path: Path) -> Iterator[Record] | None:
    """Return the Records of a long table of Affetto's own, None where it is another table."""
    try:
        records = formats.for_reading(path).read(path)
        first = next(records, None)
    except (UnreadableError, MissingExtraError):
        return None
    return None if first is None else chain([first], records)
