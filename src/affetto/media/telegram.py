"""Chats that Telegram exports as JSON: one chat, or all of them, message by message, whatever the size of the file.

The file is read along, so that only one chat at a time lies in memory; where it is cut off, what stands before the cut
is kept. Words are joined from their pieces (links, mentions, bold ...). Service messages (calls, joins, pins) are no
turns; they stand in `meta["system"]`. A sticker counts as its emoji. Knows these files only.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from affetto.core.record import Record
from affetto.media.chat_turns import MEDIA, Message, talk

_LIST = re.compile(r'(?<!\\)"messages"\s*:\s*\[')
_NEXT = re.compile(r'\{\s*"id"\s*:\s*-?\d+')
_SPACE = re.compile(r"[\s,]*")
_SIGNS = re.compile(r'"(?:from_id|date_unixtime|actor_id|personal_information)"\s*:|"chats"\s*:\s*\{')
_ROOM = 1 << 16
"""Characters that the head of a chat may take."""
_LONGEST = 1 << 22
"""Characters of the longest message."""
_KINDS = ("photo", "file", "media_type", "contact_information", "location_information", "poll")


def telling(head: str) -> bool:
    """Tell whether the beginning of a file is that of an export."""
    return head.lstrip().startswith("{") and _SIGNS.search(head) is not None


def read_telegram(blocks: Iterable[str], id: str, meta: Mapping[str, Any], encoding: str = "utf-8") -> Iterator[Record]:
    """Yield a Record for each chat of an export.

    Args:
        blocks: the characters of the file.
        id: what to call a chat without a name.
        meta: what to keep with each.
        encoding: of the file.
    """
    text = _Along(iter(blocks))
    names: Counter[str] = Counter()
    found = False
    while text.find(_LIST):
        found = True
        head = _head(text.before)
        raw, warnings = list(text.objects()), list(text.warnings)
        head = head | ({} if "name" in head else text.tail())
        name = str(head.get("name") or head.get("type") or id)
        names[name] += 1
        label = name if names[name] == 1 else f"{name} ({names[name]})"
        facts = {key: head[key] for key in ("type",) if isinstance(head.get(key), str)}
        messages, notices = _messages(raw)
        kept = {**meta, "layout": "telegram", **facts, **({"system": notices} if notices else {})}
        yield talk(label, messages, kept, 1.0, warnings, encoding)
    if not found:
        yield Record(id, meta={**meta, "error": f"{id} holds no list of messages; export the chat as JSON once more"})


class _Along:
    """Characters read along: a list of objects is found, and its objects one by one."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks, self._held, self._at = blocks, "", 0
        self._decoder = json.JSONDecoder(strict=False)
        self.before = ""
        """What stands before the list found last, as much as is needed."""
        self.warnings: list[str] = []

    def _more(self) -> bool:
        """Read on, forgetting what is done; False at the end."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._held, self._at = self._held[self._at :] + block, 0
        return True

    def find(self, pattern: "re.Pattern[str]") -> bool:
        """Go to behind the next place of a pattern; False where there is none."""
        while (place := pattern.search(self._held, self._at)) is None:
            self._at = max(self._at, len(self._held) - _ROOM)
            if not self._more():
                return False
        self.before, self._at = self._held[self._at : place.start()][-_ROOM:], place.end()
        self.warnings = []
        return True

    def objects(self) -> Iterator[dict[str, Any]]:
        """Yield the objects of the list until its end; what is broken is told in `warnings`."""
        while True:
            self._at = _SPACE.match(self._held, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._at >= len(self._held):
                if not self._more():
                    self.warnings.append("the file is cut off; what stands before the cut is kept")
                    return
                continue
            if self._held[self._at] == "]":
                self._at += 1
                return
            try:
                value, self._at = self._decoder.raw_decode(self._held, self._at)
            except (ValueError, RecursionError):
                if len(self._held) - self._at < _LONGEST and self._more():
                    continue
                if not self._skip():
                    return
                continue
            if isinstance(value, dict):
                yield value

    def _skip(self) -> bool:
        """Go to the next message after a broken one; False where there is none."""
        place = _NEXT.search(self._held, self._at + 1)
        self._at = len(self._held) if place is None else place.start()
        if place is None:
            self.warnings.append("the file is cut off, or broken, in a message; what stands before it is kept")
        else:
            self.warnings.append("a broken message is left out")
        return place is not None

    def tail(self) -> dict[str, Any]:
        """Return what stands behind the list in its object."""
        if len(self._held) - self._at < _ROOM:
            self._more()
        try:
            value, _ = self._decoder.raw_decode('{"messages":[]' + self._held[self._at : self._at + _ROOM])
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def _head(before: str) -> dict[str, Any]:
    """Return what stands before the list in its object."""
    at = before.rfind("{")
    while at >= 0:
        try:
            value = json.loads(before[at:].rstrip().removesuffix(",") + "}")
        except ValueError:
            at = before.rfind("{", 0, at)
            continue
        return value if isinstance(value, dict) else {}
    return {}


def _messages(raw: Iterable[Mapping[str, Any]]) -> tuple[list[Message], list[list[Any]]]:
    messages: list[Message] = []
    notices: list[list[Any]] = []
    places: dict[Any, int] = {}
    for one in raw:
        if one.get("type") == "service":
            words = " ".join(str(one[key]) for key in ("actor", "action", "title") if one.get(key))
            notices.append([len(messages), words])
            continue
        media = next((_named(one, kind) for kind in _KINDS if one.get(kind)), "")
        text = _words(one.get("text"))
        poll = one.get("poll")
        if not text.strip() and isinstance(poll, Mapping):
            text = str(poll.get("question", ""))
        text = text if text.strip() else str(one.get("sticker_emoji") or (MEDIA if media else ""))
        who = one.get("from") or one.get("from_id") or one.get("actor")
        message = Message("" if who is None else str(who), text, _moment(one), media=media)
        if one.get("forwarded_from"):
            message.facts["forwarded"] = str(one["forwarded_from"])
        if one.get("edited"):
            message.facts["edited"] = True
        if (answered := one.get("reply_to_message_id")) in places and isinstance(answered, int):
            message.facts["answers"] = places[answered]
        if isinstance(one.get("id"), int):
            places[one["id"]] = len(messages)
        messages.append(message)
    return messages, notices


def _named(one: Mapping[str, Any], kind: str) -> str:
    value = one[kind]
    if kind in ("photo", "file") and isinstance(value, str) and not value.startswith("("):
        return value
    return str(one.get("media_type") or kind.partition("_")[0])


def _words(text: Any) -> str:
    """Return the words of a text that is one, or a list of pieces."""
    if isinstance(text, list):
        return "".join(str(part.get("text", "")) if isinstance(part, Mapping) else str(part) for part in text)
    return text if isinstance(text, str) else ""


def _moment(one: Mapping[str, Any]) -> float:
    """Return the seconds of a message since 1970, NaN where it says none."""
    try:
        return float(one["date_unixtime"])
    except (KeyError, TypeError, ValueError):
        pass
    try:
        moment = datetime.fromisoformat(str(one.get("date")))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return float("nan")
