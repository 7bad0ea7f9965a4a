"""Talks in rows: a turn a row (tables, JSON lines), or a talk an object with its turns or messages inside.

Columns are found by the names that are usual for them, and `meta["columns"]` tells which were taken. Rows of one talk
may lie apart. Knows rows and objects; knows no file.
"""

import json
import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.media.chat_turns import MEDIA, Message, talk
from affetto.media.delimited import Broken
from affetto.media.lines import clean
from affetto.media.transcripts import seconds_of

HELD = 200_000
"""Turns that are held until their talk is given, so that rows of one talk may lie apart."""
_MILLISECONDS = 1e11
"""A number above this counts thousandths of seconds since 1970."""
_LISTS = ("turns", "messages", "dialog", "dialogue", "utterances", "conversation", "conversations", "log", "segments")
_IDS = ("id", "dialogue_id", "dialog_id", "conversation_id", "conv_id")
_SILENT = ("system", "developer", "tool", "function")
"""Roles of messages that nobody says to anybody."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table, or the keys of objects, that hold a turn; empty: the first that is known by its name."""

    text: str = ""
    speaker: str = ""
    dialogue: str = ""
    """What rows of one talk share."""
    order: str = ""
    """The number of a turn in its talk: rows are sorted by it."""
    start: str = ""
    """Seconds, a clock time, or a date with a time."""
    end: str = ""
    role: str = ""


KNOWN: dict[str, tuple[str, ...]] = {
    "text": ("text", "utterance", "message", "content", "words", "value", "body", "sentence", "utterance_text",
             "transcript", "transcription", "said", "turn_text", "msg"),
    "speaker": ("speaker", "speaker_id", "speaker_name", "speaker_idx", "name", "from", "sender", "author", "user",
                "who", "participant", "interlocutor", "role", "username", "user_id"),
    "dialogue": ("dialogue_id", "dialog_id", "conversation_id", "conv_id", "dialogue", "dialog", "conversation",
                 "transcript_id", "thread_id", "session_id", "chat_id", "session", "thread", "conversationid",
                 "dialogueid", "convid"),
    "order": ("utterance_id", "utterance_idx", "turn_id", "turn", "turn_no", "turn_number", "utterance_no", "order",
              "index", "position", "turn_index"),
    "start": ("start", "start_time", "starttime", "time", "timestamp", "date", "datetime", "created_at", "begin",
              "onset", "sent_at"),
    "end": ("end", "end_time", "endtime", "stop", "offset"),
    "role": ("role", "speaker_role"),
}  # fmt: skip
"""Names by which a column is known, the likeliest first; capitals, spaces and hyphens make no difference."""


def find(names: Sequence[str], asked: Columns, where: str) -> dict[str, str]:
    """Return which column holds what.

    Raises:
        UnknownNameError: no column is called as asked; names those there are.
        UnreadableError: no column of words is known by its name.
    """
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(re.sub(r"[\s-]+", "_", name.strip().lower()), name)
    found: dict[str, str] = {}
    for part in fields(asked):
        wanted = getattr(asked, part.name)
        if wanted and wanted not in names:
            raise UnknownNameError(f"column of {where}", wanted, names)
        free = [one for one in KNOWN[part.name] if one in plain and plain[one] not in found.values()]
        if part.name == "role":
            free = [one for one in KNOWN["role"] if one in plain]
        if wanted or free:
            found[part.name] = wanted or plain[free[0]]
    if "text" not in found:
        raise UnreadableError(
            f"which column of {where} holds the words of a turn? none is called {', '.join(KNOWN['text'][:6])} ...; "
            f"name it, one of: {', '.join(map(clean, names)) or 'none'}"
        )
    return found


def talks_of_rows(
    rows: Iterable[Mapping[str, Any] | Broken],
    columns: Mapping[str, str],
    where: str,
    meta: Mapping[str, Any],
    encoding: str = "utf-8",
) -> Iterator[Record]:
    """Yield the talks of rows, each where its last row was read, or in their order at the end.

    A row that cannot be read is told of in the talk before it, or comes as a Record of its own with `meta["error"]`.
    """
    held: OrderedDict[str, list[Mapping[str, Any]]] = OrderedDict()
    wrong: dict[str, list[str]] = {}
    given: dict[str, int] = {}
    last, count = "", 0
    mute = [] if "speaker" in columns else ["no column of speakers is known, so that all turns are someone's; name it"]
    said = {**meta, "columns": dict(columns)}
    for number, row in enumerate(rows, 1):
        if isinstance(row, Broken):
            if last in held:
                wrong.setdefault(last, []).append(f"row {number} {row.reason}")
            else:
                yield Record(str(number), meta={**meta, "error": f"row {number} of {where} {row.reason}"})
            continue
        id = _label(row.get(columns.get("dialogue", "")))
        last = id if "dialogue" in columns else where.rpartition(".")[0] or where
        held.setdefault(last, []).append(row)
        held.move_to_end(last)
        count += 1
        if count > HELD and len(held) > 1:
            early, turns = held.popitem(last=False)
            count -= len(turns)
            yield _of_rows(early, turns, columns, said, [*mute, *wrong.pop(early, [])], given, encoding)
    for early, turns in held.items():
        yield _of_rows(early, turns, columns, said, [*mute, *wrong.pop(early, [])], given, encoding)


def _of_rows(
    id: str,
    rows: list[Mapping[str, Any]],
    columns: Mapping[str, str],
    meta: Mapping[str, Any],
    wrong: list[str],
    given: dict[str, int],
    encoding: str,
) -> Record:
    given[id] = given.get(id, 0) + 1
    if given[id] > 1:
        wrong.append("its rows lie too far apart, so that it comes in parts; sort the file by its talks")
    key = columns.get("order")
    if key is not None:
        places = [_number(row.get(key)) for row in rows]
        if not any(map(math.isnan, places)) and len(set(places)) == len(places):
            rows = [rows[k] for k in sorted(range(len(rows)), key=places.__getitem__)]
    messages = [_message(row, columns) for row in rows]
    if "start" in columns and all(math.isnan(one.at) for one in messages):
        wrong.append(f"{columns['start']!r} holds no time: write seconds, h:mm:ss, or 2026-11-20 21:15:00")
    label = id if given[id] == 1 else f"{id} ({given[id]})"
    return talk(label, messages, meta, warnings=wrong, encoding=encoding)


def talk_of(one: Mapping[str, Any], number: int, meta: Mapping[str, Any], columns: Columns | None = None) -> Record:
    """Return the talk of an object with its turns inside, as language models and corpora write them.

    Args:
        one: such as `{"id": ..., "turns": [{"speaker": ..., "text": ...}]}` or `{"messages": [{"role": ...}]}`.
        number: of the object in its file, from 1; its name where it has none.
        meta: what to keep with it.
        columns: the keys of a turn, where they are not usual.
    """
    key = listed(one)
    id = next((_label(one[name]) for name in _IDS if one.get(name) not in (None, "")), str(number))
    messages: list[Message] = []
    notices: list[list[Any]] = []
    wrong: list[str] = []
    for k, part in enumerate(one[key] if key else ()):
        if isinstance(part, Mapping):
            try:
                found = find(list(map(str, part)), columns or Columns(), f"turn {k + 1}")
            except (UnreadableError, UnknownNameError):
                if part.get("content", part.get("text", "")) is not None:
                    wrong.append(f"turn {k + 1} has no words that are known: {', '.join(map(str, part))[:80]}")
                    continue
                found = {}
            message = _message(part, found)
            if message.role in _SILENT:
                notices.append([len(messages), message.text])
                continue
        elif isinstance(part, str):
            message = Message("AB"[k % 2], part)
        elif isinstance(part, list) and len(part) == 2 and all(isinstance(x, str) for x in part):
            message = Message(part[0], part[1])
        else:
            wrong.append(f"turn {k + 1} is {str(part)[:40]!r}, and no turn")
            continue
        messages.append(message)
    rest = {name: value for name, value in one.items() if name not in (key, *_IDS) and _light(value)}
    kept = {**meta, "number": number} | ({"facts": rest} if rest else {}) | ({"system": notices} if notices else {})
    return talk(id, messages, kept, warnings=wrong)


def listed(one: Mapping[str, Any]) -> str:
    """Return the key under which an object holds a list of turns; empty where it holds none."""
    return next((name for name in _LISTS if isinstance(one.get(name), list)), "")


def _message(row: Mapping[str, Any], columns: Mapping[str, str]) -> Message:
    def cell(part: str) -> Any:
        return row.get(columns[part]) if part in columns else None

    said = cell("speaker")
    if isinstance(said, Mapping):
        said = said.get("name") or said.get("role") or said.get("id")
    role = cell("role")
    speaker = "" if said is None else _label(said)
    text, media = _words(cell("text"))
    return Message(
        speaker=speaker,
        text=text,
        at=_moment(cell("start")),
        end=_moment(cell("end")),
        role=str(role).strip() if isinstance(role, str) else "",
        media=media,
    )


def _words(said: Any) -> tuple[str, str]:
    """Return the words of a content, and what came with them: a text, or a list of parts."""
    if isinstance(said, list):
        parts = [part if isinstance(part, Mapping) else {"type": "text", "text": part} for part in said]
        words = "\n".join(str(part["text"]) for part in parts if part.get("text"))
        media = ", ".join(str(part.get("type")) for part in parts if not part.get("text") and part.get("type"))
        return (words or (MEDIA if media else "")), media
    if said is None or (isinstance(said, float) and math.isnan(said)):
        return "", ""
    return (said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)), ""


def _label(said: Any) -> str:
    if isinstance(said, float) and said.is_integer():
        return str(int(said))
    return "" if said is None else str(said).strip()


def _number(said: Any) -> float:
    try:
        return float(said)
    except (TypeError, ValueError):
        return math.nan


def _moment(said: Any) -> float:
    """Return the seconds of a moment: a number, a clock time, or a date with a time; NaN where it is none."""
    if said is None or said == "" or isinstance(said, bool):
        return math.nan
    try:
        seconds = seconds_of(said)
        return seconds / 1000 if seconds > _MILLISECONDS else seconds
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(str(said).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _light(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) and len(str(value)) < 2000 and value == value  # noqa: PLR0124
