"""One door for talks: chats, subtitles, tables, JSON and plain text become Records with turns, one a talk.

The layout is told by the content. Of a long file one talk at a time lies in memory. What cannot be read in a talk is
told in its `meta["warning"]`; a talk that cannot be read at all is a Record without turns, with `meta["error"]`.
Knows which layout is read by whom, and how it is recognised; knows no layout itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from affetto.core import plain
from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.media import talk_rows, telegram, whatsapp
from affetto.media.chat_turns import Message, talk
from affetto.media.delimited import DELIMITERS, Broken, Delimited
from affetto.media.files import Reading
from affetto.media.lines import Lines, clean
from affetto.media.subtitles import read_subtitles
from affetto.media.tables import own, row_of
from affetto.media.talk_rows import Columns
from affetto.media.text import dialogue

__all__ = ["LAYOUTS", "SUFFIXES", "Columns", "layout_of", "read_conversations"]

LAYOUTS = {
    "whatsapp": "the chat that WhatsApp exports (.txt)",
    "telegram": "the chats that Telegram exports (result.json)",
    "subtitles": "subtitles with speakers (.srt .vtt)",
    "table": "a turn a row, with columns of words and speakers (.csv .tsv); so is MELD",
    "jsonl": "a talk, or a turn, an object a line (.jsonl)",
    "json": "a talk, or a list of talks or of turns (.json)",
    "dailydialog": "a talk a line, turns end with __eou__, two speak by turns",
    "names": "lines such as 'Ann: words' (.txt)",
}
"""Layouts, and what each is."""
SUFFIXES = (".txt", ".json", ".jsonl", ".ndjson", ".srt", ".vtt", ".csv", ".tsv")
"""Suffixes of files that hold such talks; any other is looked into as well."""
_GLIMPSE = 40
"""Lines by which a layout is recognised."""
_FLAWED = 0.1
"""Share of the beginning of a file of plain turns that may be no characters."""
_NO_LETTER = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ud800-\udfff]")
_TURN_END = "__eou__"
_ZIP = "PK\x03\x04"


def read_conversations(
    path: str | Path,
    layout: str = "",
    columns: Columns | None = None,
    *,
    encoding: str | None = None,
    dates: str = "",
) -> Reading:
    """Read the talks of a file, one by one.

    Args:
        path: the file; `-` is stdin.
        layout: one of `LAYOUTS`; empty: the content tells.
        columns: the columns of a table, or the keys of a turn in JSON, that are not called as usual.
        encoding: how its characters are written; by default UTF-8, or UTF-16 where the file begins so.
        dates: `dmy`, `mdy` or `ymd`: how an export of WhatsApp writes dates; empty: the whole file tells.

    Raises:
        UnreadableError: there is no such file, or it holds no talk in that layout, or in any.
        UnknownNameError: no layout or column is called so; names those there are.
    """
    if layout and layout not in LAYOUTS:
        raise UnknownNameError("layout of conversations", layout, LAYOUTS)
    lines = _Peeked(path, encoding)
    try:
        head = lines.glimpse()
        if not head.strip():
            raise UnreadableError(f"{lines.name} is empty; name a file with a conversation")
        if head.startswith(_ZIP):
            raise UnreadableError(f"{lines.name} is packed (zip); unpack it, and name the file inside, as _chat.txt")
        chosen = layout or layout_of(head, Path(path).suffix.lower())
        if not chosen:
            known = "; ".join(f"{name}: {words}" for name, words in LAYOUTS.items())
            raise UnreadableError(f"{lines.name} is no conversation that is known; say layout=..., one of {known}")
        if not layout and chosen == "names" and (flawed := len(_NO_LETTER.findall(head)) / len(head)) > _FLAWED:
            raise UnreadableError(
                f"{lines.name} is no text: {flawed:.0%} of its beginning are no characters in {lines.encoding}; "
                "say encoding=... if it is written otherwise, or name a file of text"
            )
        id = "stdin" if str(path) == "-" else clean(Path(path).stem)
        meta = {"path": clean(str(path)), "layout": chosen}
        return Reading(_READERS[chosen](_File(lines, id, meta, columns or Columns(), dates)), lines)
    except BaseException:
        lines.close()
        raise


def layout_of(head: str, suffix: str = "") -> str:
    """Return the layout that the beginning of a file speaks for; empty where it is none that is known.

    >>> layout_of("[31/12/2020, 21:15:03] Ann: hi"), layout_of("Ann: hi"), layout_of('{"turns": []}')
    ('whatsapp', 'names', 'jsonl')
    """
    rows = [line for line in head.splitlines() if line.strip()][:_GLIMPSE]
    first = rows[0].strip() if rows else ""
    if any(map(whatsapp.begins, rows)):
        return "whatsapp"
    if telegram.telling(head):
        return "telegram"
    if first[:1] in ("{", "["):
        return "jsonl" if first[0] == "{" and (_whole(first) or suffix in (".jsonl", ".ndjson")) else "json"
    if first.startswith("WEBVTT") or any(" --> " in row for row in rows[:10]):
        return "subtitles"
    if any(_TURN_END in row for row in rows[:5]):
        return "dailydialog"
    if suffix in (".csv", ".tsv") or _is_header(first):
        return "table"
    return "names" if dialogue("\n".join(rows), asked=True) and any(":" in row for row in rows) else ""


class _Peeked(Lines):
    """The lines of a file whose beginning can be looked at before."""

    def glimpse(self) -> str:
        """Return the first characters, as many as one block holds; they are read again."""
        return self._head.decode(self.encoding, "affetto.mark")


@dataclass(frozen=True)
class _File:
    """A file that is being read, and what is asked of it."""

    lines: _Peeked
    id: str
    meta: dict[str, Any]
    columns: Columns
    dates: str


def _whatsapp(file: _File) -> Iterator[Record]:
    return iter([whatsapp.read_whatsapp(file.lines, file.id, file.meta, file.dates, file.lines.encoding)])


def _telegram(file: _File) -> Iterator[Record]:
    return telegram.read_telegram(file.lines.blocks(), file.id, file.meta, file.lines.encoding)


def _subtitles(file: _File) -> Iterator[Record]:
    for record in read_subtitles(file.lines, file.meta["path"]):
        yield Record(record.id, (), record.turns, record.people, (), {**record.meta, **file.meta})


def _table(file: _File) -> Iterator[Record]:
    header = file.lines.glimpse().split("\n", 1)[0]
    table = Delimited(file.lines, file.lines.name, "\t" if "\t" in header else None, file.columns.text or None)
    names = tuple(map(clean, table.columns))
    found = talk_rows.find(names, file.columns, file.lines.name)
    rows = (row if isinstance(row, Broken) else dict(zip(names, row, strict=True)) for row in table)
    return talk_rows.talks_of_rows(rows, found, file.lines.name, file.meta, file.lines.encoding)


def _jsonl(file: _File) -> Iterator[Record]:
    rows = map(row_of, (line for line in file.lines if line.strip()))
    held = list(islice(rows, _GLIMPSE))
    known = [row for row in held if not isinstance(row, Broken)]
    if not known:
        reason = next(row.reason for row in held if isinstance(row, Broken))
        raise UnreadableError(f"{file.lines.name} holds no JSON objects, one a line: its first line {reason}")
    return _talks(known, chain(held, rows), file)


def _talks(known: Sequence[Mapping[str, Any]], rows: Iterable[Any], file: _File) -> Iterator[Record]:
    """Yield the talks of objects, of which some are looked at before: Records, talks, or turns."""
    if known[0].get("schema") == plain.SCHEMA:
        return own(rows, file.lines.name)
    if any(map(talk_rows.listed, known)):
        return _objects(rows, file)
    names = list(dict.fromkeys(str(name) for row in known for name in row))
    found = talk_rows.find(names, file.columns, file.lines.name)
    return talk_rows.talks_of_rows(rows, found, file.lines.name, file.meta, file.lines.encoding)


def _objects(rows: Iterable[Any], file: _File) -> Iterator[Record]:
    """Yield a Record for each object with its turns inside, or with what is wrong with it."""
    for number, row in enumerate(rows, 1):
        meta = {**file.meta, "number": number}
        if isinstance(row, Broken):
            yield Record(str(number), meta={**meta, "error": f"row {number} of {file.lines.name} {row.reason}"})
        elif not talk_rows.listed(row):
            error = f"row {number} of {file.lines.name} holds no turns; it holds {', '.join(map(clean, row))[:120]}"
            yield Record(str(number), meta={**meta, "error": error})
        else:
            yield talk_rows.talk_of(row, number, file.meta, file.columns)


def _json(file: _File) -> Iterator[Record]:
    try:
        said = json.loads(file.lines.whole(), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{file.lines.name} is no JSON ({clean(str(error))}); is it cut off?") from None
    found = said if isinstance(said, list) else [said]
    objects = [one for one in found if isinstance(one, dict)]
    if not objects or len(objects) < len(found):
        raise UnreadableError(f"{file.lines.name} wants a talk, or a list of talks or of turns, each an object")
    return _talks(objects, objects, file)


def _dailydialog(file: _File) -> Iterator[Record]:
    for number, line in enumerate(file.lines, 1):
        if line.strip():
            said = [turn.strip() for turn in line.strip().removesuffix(_TURN_END).split(_TURN_END)]
            messages = [Message("AB"[k % 2], text) for k, text in enumerate(said)]
            yield talk(str(number), messages, {**file.meta, "number": number}, encoding=file.lines.encoding)


def _names(file: _File) -> Iterator[Record]:
    said = dialogue(file.lines.whole(), asked=True)
    if not said:
        raise UnreadableError(f"{file.lines.name} holds no words; a conversation wants lines such as 'Ann: words'")
    messages = [Message(turn.speaker, turn.text) for turn in said]
    return iter([talk(file.id, messages, file.meta, encoding=file.lines.encoding)])


_READERS: dict[str, Callable[[_File], Iterator[Record]]] = {
    "whatsapp": _whatsapp,
    "telegram": _telegram,
    "subtitles": _subtitles,
    "table": _table,
    "jsonl": _jsonl,
    "json": _json,
    "dailydialog": _dailydialog,
    "names": _names,
}


def _whole(line: str) -> bool:
    """Tell whether a line is a JSON object by itself."""
    return not isinstance(row_of(line), Broken)


def _is_header(line: str) -> bool:
    """Tell whether a line names columns of words and of speakers."""
    for delimiter in DELIMITERS:
        cells = [cell.strip().strip('"').lower().replace(" ", "_") for cell in line.split(delimiter)]
        known = [part for part in ("text", "speaker") if set(talk_rows.KNOWN[part]) & set(cells)]
        if len(cells) > 1 and len(known) > 1:
            return True
    return False
