"""EmotionML 1.0, the W3C's words for emotions (.emotionml, .xml): an `<emotion>` for each row of each Track.

How a Track is said there:

- Labels are `<category>` with their probability as `value`; graded axes are `<dimension>` on the scale 0..1, which is
  all that EmotionML knows (valence -1..1 becomes (v + 1) / 2, and comes back). A NaN is left out. A row that says
  nothing at all stands as its first name with confidence 0, for an `<emotion>` may not be empty.
- Vocabularies are the W3C's where a space is the same (ekman-6 is big6, where joy is called happiness; vad is PAD,
  where valence is called pleasure), else the document defines them.
- The confidence of a row stands at its top category, or at all its dimensions. `expressed-through` is the channel.
- Seconds are `offset-to-start` and `duration` in milliseconds with a `time-ref-uri`; `start` and `end` would mean the
  years since 1970. Characters (RFC 5147), seconds and turns are fragments of a `<reference>`.
- `<reference role>`: the subject is who it is `expressedBy` (expressed, perceived) or `experiencedBy` (felt, evoked);
  what the place refers to is what it is `expressedBy`, or `triggeredBy` where it was evoked.
- What the standard cannot hold, to the last digit, is JSON in `<info>` under a namespace of our own; where somebody has
  changed the standard's part since, that part counts. Vectors, Tracks without rows, and Records without Tracks live in
  `<info>` only.

Knows how to write it, and the doors; `emotionml_reading` reads, `markup` parses, `vocabularies` names.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from affetto.core import plain
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.formats import jsonl
from affetto.formats.emotionml_reading import NAMESPACE, OWN, SCHEMA, read_records
from affetto.formats.growing import whole
from affetto.formats.vocabularies import Vocabulary, scaled, vocabulary

_SUBJECT_ROLE = {
    "expressed": "expressedBy",
    "perceived": "expressedBy",
    "felt": "experiencedBy",
    "evoked": "experiencedBy",
}
_PLACE_ROLE = {"expressed": "expressedBy", "perceived": "expressedBy", "felt": "expressedBy", "evoked": "triggeredBy"}
_FRAGMENT = {"s": "t", "char": "char", "turn": "turn"}


def read(path: str | Path) -> Iterator[Record]:
    """Read Records: those that Affetto wrote as they were, anything else as one Record with Tracks.

    Raises:
        UnreadableError: there is no such file, it is no EmotionML 1.0, or it is hostile.
    """
    return read_records(path)


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records as one EmotionML document."""
    path = Path(path)
    with whole(path) as file, tempfile.TemporaryFile() as body:
        writer = _Writer(body)
        file.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(f'<emotionml version="1.0" xmlns="{NAMESPACE}" xmlns:a="{OWN}">\n'.encode())
        file.write(f'<info>Written by Affetto.<a:document schema="{SCHEMA}"/>'.encode())
        for number, record in enumerate(records, 1):
            alone = writer.record(number, record)
            file.write(alone)
        file.write(b"</info>\n")
        body.seek(0)
        while block := body.read(1 << 20):
            file.write(block)
        file.write(b"</emotionml>\n")


def appender(columns: Sequence[str] = ()) -> jsonl.Rewriting:
    """Return what writes Records as they come; `columns` mean nothing here."""
    return jsonl.Rewriting(write)


class _Writer:
    """Writes emotions, and before the first emotion in a space its vocabulary."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body = body
        self._known: dict[Any, Vocabulary] = {}
        self._count = 0

    def record(self, number: int, record: Record) -> bytes:
        """Write a Record; return what of it belongs into the document's info, because it has no emotion."""
        beside = [[i, plain.from_track(t)] for i, t in enumerate(record.tracks) if not _sayable(t)]
        held = plain.from_record(record.blind()) | {"number": number, "beside": beside}
        first = True
        for i, track in enumerate(record.tracks):
            if not _sayable(track):
                continue
            words = self._vocabulary(track.space)
            for row in range(len(track)):
                note = {"record": number, "track": i, "row": row} | _row(track, row)
                if row == 0:
                    note |= _head(track, words)
                if first:
                    note["of"], first = held, False
                self._body.write(_emotion(track, row, words, note, record).encode("utf-8", "backslashreplace"))
        return _own("record", held).encode("ascii") if first else b""

    def _vocabulary(self, space: Space) -> Vocabulary:
        key = (space.id, space.kind, tuple((axis.name, axis.low, axis.high, axis.unit) for axis in space.axes))
        if key in self._known:
            return self._known[key]
        self._count += 1
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "_" for c in space.id)[:60]
        words = vocabulary(space, f"v{self._count}-{safe}")
        if words.own:
            self._body.write(_vocabulary(words, space).encode("utf-8"))
        if space.kind != "open":  # words of one Track: hardly ever the same again
            self._known[key] = words
        return words


def _sayable(track: Track) -> bool:
    return len(track) > 0 and len(track.space.axes) > 0 and track.space.kind != "vector"


def _vocabulary(words: Vocabulary, space: Space) -> str:
    scale = ""
    if space.kind == "graded":
        scale = "On the scale 0..1: " + "; ".join(
            f"{a.name} is (v - {a.low:g}) / {a.high - a.low:g}" for a in space.axes
        )
    items = "".join(f"<item name={quoteattr(name)}/>" for name in words.names)
    info = f"<info>{escape(_printable(scale))}{_own('space', _space(space))}</info>"
    return f'<vocabulary type="{words.type}" id="{words.uri[1:]}">{info}{items}</vocabulary>\n'


def _emotion(track: Track, row: int, words: Vocabulary, note: dict[str, Any], record: Record) -> str:
    start, end = float(track.start[row]), float(track.end[row])
    attributes = {f"{words.type}-set": words.uri, "expressed-through": track.channel}
    source = _source(record)
    if track.unit == "s":
        attributes["time-ref-uri"] = source
        attributes["offset-to-start"] = str(round(start * 1000))
        attributes["duration"] = str(round(end * 1000) - round(start * 1000))
    place = f"{source}#{_FRAGMENT[track.unit]}={start:.15g},{end:.15g}"
    references = ((f"urn:affetto:subject:{_quoted(track.subject)}", _SUBJECT_ROLE), (place, _PLACE_ROLE))
    told = "".join(f"{key}={quoteattr(value)} " for key, value in attributes.items()).rstrip()
    refers = "".join(
        f'<reference uri={quoteattr(uri)} role="{roles[track.perspective]}"/>' for uri, roles in references
    )
    said = "".join(_descriptions(track, row, words))
    return f"<emotion {told}><info>{_own('row', note)}</info>{said}{refers}</emotion>\n"


def _descriptions(track: Track, row: int, words: Vocabulary) -> Iterator[str]:
    values = track.values[row]
    sure = np.nan if track.confidence is None else float(track.confidence[row])
    confidence = "" if np.isnan(sure) else f' confidence="{min(max(sure, 0.0), 1.0):.9g}"'
    if np.isnan(values).all():
        value = ' value="0.5"' if words.type == "dimension" else ""
        yield f'<{words.type} name={quoteattr(words.names[0])}{value} confidence="0"/>'
        return
    top = int(np.nanargmax(values))
    for i, (name, value) in enumerate(zip(words.names, values.tolist(), strict=True)):
        if np.isnan(value):
            continue
        share = scaled(value, track.space.axes[i], track.space.kind)
        mine = confidence if words.type == "dimension" or i == top else ""
        yield f'<{words.type} name={quoteattr(name)} value="{share:.9g}"{mine}/>'


def _row(track: Track, row: int) -> dict[str, Any]:
    """Return all that a row is, exactly."""
    whole = plain.from_track(track[row : row + 1])
    columns = ("start", "end", "values", "confidence", "box", "about", "note")
    return {name: whole[name][0] for name in columns if name in whole}


def _head(track: Track, words: Vocabulary) -> dict[str, Any]:
    space: Any = words.uri if words.own else _space(track.space)
    return {
        "space": space,
        "unit": track.unit,
        "subject": track.subject,
        "perspective": track.perspective,
        "channel": track.channel,
        "source": track.source,
    }


def _space(space: Space) -> dict[str, Any]:
    said: dict[str, Any] = {"id": space.id, "kind": space.kind, "names": list(space.names)}
    if space.kind == "graded":
        said["ranges"] = [[axis.low, axis.high, axis.unit] for axis in space.axes]
    return said


def _source(record: Record) -> str:
    paths = [getattr(signal, "path", "") for signal in record.signals]
    path = next(filter(None, paths), "") or str(record.meta.get("path", ""))
    return quote(path, errors="replace") if path else f"urn:affetto:record:{_quoted(record.id)}"


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _own(name: str, value: Any) -> str:
    return f"<a:{name}>{escape(jsonl.dump(value, ascii=True).decode('ascii'))}</a:{name}>"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "_" for c in text)
