"""Records and Tracks as plain JSON values, and back without loss: NaN is null, media are named by their path.

Knows the schema `affetto-record-1`; knows no file.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from affetto.core import signal as senses
from affetto.core.errors import AffettoError, MalformedError
from affetto.core.record import Record, Turn
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track

SCHEMA = "affetto-record-1"
Plain = dict[str, Any]
SpaceFinder = Callable[[str], Space]
_LAZY: dict[str, type[senses.Audio] | type[senses.Frames] | type[senses.Waves]] = {
    "audio": senses.Audio,
    "frames": senses.Frames,
    "waves": senses.Waves,
}


def from_record(record: Record) -> Plain:
    """Return a Record as JSON values.

    Raises:
        MalformedError: it holds an Image without a path, which JSON cannot carry.
    """
    return {
        "schema": SCHEMA,
        "id": record.id,
        "signals": [_from_signal(signal) for signal in record.signals],
        "turns": [{"speaker": t.speaker, "span": _from_span(t.span), "text": t.text} for t in record.turns],
        "people": {name: dict(facts) for name, facts in record.people.items()},
        "tracks": [from_track(track) for track in record.tracks],
        "meta": dict(record.meta),
    }


def to_record(plain: Any, find_space: SpaceFinder | None = None) -> Record:
    """Return the Record that JSON values say.

    Args:
        plain: what `from_record` gave.
        find_space: finds a space by its id, so that definitions come along; without it, spaces keep names and ranges.

    Raises:
        MalformedError: the values do not make a Record; says which.
    """
    if not isinstance(plain, Mapping) or "id" not in plain:
        raise MalformedError(f"a Record in JSON wants an object with an id, not {_short(plain)}")
    schema = plain.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise MalformedError(f"a Record in JSON wants schema {SCHEMA!r}, not {schema!r}")
    try:
        return Record(
            id=str(plain["id"]),
            signals=tuple(_to_signal(x) for x in plain.get("signals", ())),
            turns=tuple(Turn(x["speaker"], _to_span(x.get("span")), x["text"]) for x in plain.get("turns", ())),
            people=plain.get("people", {}),
            tracks=tuple(to_track(x, find_space) for x in plain.get("tracks", ())),
            meta=plain.get("meta", {}),
        )
    except AffettoError as error:
        raise MalformedError(f"record {_short(plain['id'])}: {error}") from None
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise MalformedError(f"record {_short(plain['id'])} lacks or misplaces something: {error!r}") from None


def from_track(track: Track) -> Plain:
    """Return a Track as JSON values; values stand as rows, in the order of the space's names."""
    plain: Plain = {
        "space": {"id": track.space.id, "kind": track.space.kind, "names": list(track.space.names)},
        "unit": track.unit,
        "subject": track.subject,
        "perspective": track.perspective,
        "channel": track.channel,
        "source": track.source,
        "start": track.start.tolist(),
        "end": track.end.tolist(),
        "values": [_numbers(row) for row in track.values],
    }
    if track.space.kind == "graded":
        plain["space"]["ranges"] = [[axis.low, axis.high, axis.unit] for axis in track.space.axes]
    if track.confidence is not None:
        plain["confidence"] = _numbers(track.confidence)
    if track.box is not None:
        plain["box"] = [_numbers(row) for row in track.box]
    if track.about is not None:
        plain["about"] = [_from_span(span) for span in track.about]
    if track.note is not None:
        plain["note"] = list(track.note)
    return plain


def to_track(plain: Any, find_space: SpaceFinder | None = None) -> Track:
    """Return the Track that JSON values say.

    Raises:
        MalformedError: the values do not make a Track; says which.
    """
    if not isinstance(plain, Mapping):
        raise MalformedError(f"a Track in JSON wants an object, not {_short(plain)}")
    try:
        about = plain.get("about")
        note = plain.get("note")
        return Track(
            space=_to_space(plain["space"], find_space),
            start=plain["start"],
            end=plain["end"],
            values=_array(plain["values"]),
            unit=plain.get("unit", "s"),
            subject=plain.get("subject", "someone"),
            perspective=plain.get("perspective", "expressed"),
            channel=plain.get("channel", "text"),
            source=plain.get("source", ""),
            confidence=None if plain.get("confidence") is None else _array(plain["confidence"]),
            box=None if plain.get("box") is None else _array(plain["box"]),
            about=None if about is None else tuple(_to_span(span) for span in about),
            note=None if note is None else tuple(note),
        )
    except AffettoError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise MalformedError(f"a Track in JSON lacks or misplaces something: {error!r}") from None


def _to_space(plain: Any, find_space: SpaceFinder | None) -> Space:
    if not isinstance(plain, Mapping):
        raise MalformedError(f"a space in JSON wants an object with id, kind and names, not {_short(plain)}")
    names = tuple(plain["names"])
    if find_space is not None and plain["kind"] not in ("open", "vector"):
        try:
            known = find_space(plain["id"])
            if known.names == names:
                return known
        except AffettoError:
            pass  # a stranger's space: its names and ranges travel with the track
    ranges = plain.get("ranges") or [[0.0, 1.0, ""]] * len(names)
    axes = (Axis(name, low=low, high=high, unit=unit) for name, (low, high, unit) in zip(names, ranges, strict=True))
    return Space(plain["id"], plain["kind"], tuple(axes))


def _from_signal(signal: senses.Signal) -> Plain:
    match signal:
        case senses.Text():
            return {"kind": "text", "text": signal.text, "language": signal.language}
        case senses.Image():
            if not signal.path:
                raise MalformedError("an Image without a path cannot stand in JSON; write its pixels to a file first")
            return {"kind": "image", "path": signal.path, "size": list(signal.size)}
    duration = None if math.isnan(signal.duration) else signal.duration
    plain = {"kind": type(signal).__name__.lower(), "path": signal.path, "rate": signal.rate, "duration": duration}
    match signal:
        case senses.Audio():
            return plain | {"channels": signal.channels}
        case senses.Frames():
            return plain | {"size": list(signal.size)}
        case senses.Waves():
            return plain | {"channels": list(signal.channels), "units": list(signal.units)}


def _to_signal(plain: Mapping[str, Any]) -> senses.Signal:
    kind = plain["kind"]
    if kind == "text":
        return senses.Text(plain["text"], plain.get("language", ""))
    if kind == "image":
        return senses.Image(None, plain["path"], tuple(plain["size"]))
    if kind not in _LAZY:
        raise MalformedError(f"a signal's kind is one of text, image, {', '.join(_LAZY)}, not {kind!r}")
    facts: Plain = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items() if k not in ("kind", "open")}
    facts["duration"] = math.nan if facts["duration"] is None else facts["duration"]
    return _LAZY[kind](**facts)


def _from_span(span: Span | None) -> list[Any] | None:
    return None if span is None else [span.start, span.end, span.unit]


def _to_span(plain: Sequence[Any] | None) -> Span | None:
    return None if plain is None else Span(*plain)


def _numbers(row: Iterable[np.floating[Any]]) -> list[float | None]:
    return [None if np.isnan(x) else float(str(x)) for x in row]


def _array(rows: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.array(rows, dtype=object).astype(np.float32) if rows else np.zeros(0, np.float32)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
