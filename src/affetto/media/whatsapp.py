"""Chats that WhatsApp exports as text, of Android and of iOS, in any of its date styles.

A line begins a message where it begins with a date and a time in the style of the file; any other line goes on with the
message before. Whether day or month comes first is told by the whole file: an order in which some date does not exist
is none; of those that are left the one whose dates run forward wins, then the shorter talk, then what is usual with
such a clock. Lines of the program itself ("Ann added Bo") are no turns; they stand in `meta["system"]`. Pictures and
other files become the words `<Media omitted>`, or their caption, and `meta["media"]` says what they were.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from affetto.core.errors import UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.media.chat_turns import MARKS, MEDIA, Message, talk

ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
"""Where year, month and day stand in the dates of each order."""
_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2009": " ", "\uff0c": ",", "\u060c": ","})
_HALF = r"(?:[ap]\.?\s?m\.?|上午|下午|오전|오후|午前|午後|ص|م)"
_HEAD = re.compile(
    rf"""(?P<open>\[)?\s?(?P<date>\d{{1,4}}(?P<sign>[./-])\ ?\d{{1,2}}[./-]\ ?\d{{1,4}})\.?,?\s
    (?P<before>{_HALF})?\s?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?:[:.](?P<second>\d{{2}}))?
    \s?(?P<after>{_HALF})?(?:(?P<close>\])\s?|\s[-\u2013]\s)""",
    re.VERBOSE | re.IGNORECASE,
)
_AFTERNOON = ("p", "下", "오후", "午後", "م")
_NOTICE = re.compile(
    r"end-to-end encrypt|Ende-zu-Ende-verschl|extremo a extremo|bout en bout|ponta a ponta|crittografat[ei] end-to-end|"
    r"security code|created (?:this )?group|(?:added|removed) (?:you|\S+)$| added .{1,80}$|joined using|"
    r"(?:^|\s)left$|changed (?:the|this|their|to)\b|disappearing messages|now an admin|is a contact|pinned a message|"
    r"is no longer|You're now|hat die Gruppe|wurde hinzugef|hat den Betreff",
    re.IGNORECASE,
)
_MARKED = "\u200e"
_FILE = re.compile(
    r"<(?:attached|angehängt|adjunto|pièce jointe|anexado|allegato|anexo)\s?: ?([^<>\n]{1,200})>|"
    r"^([^\n<>]{1,150}\.\w{2,5}) \((?:file attached|Datei angehängt|archivo adjunto|fichier joint|arquivo anexado|"
    r"file allegato)\)",
    re.IGNORECASE | re.MULTILINE,
)
_OMITTED = re.compile(
    r"<(?:media omitted|medien ausgeschlossen|multimedia omitido|archivo omitido|médias omis|mídia oculta|"
    r"arquivo de mídia oculto|media omessi|media weggelaten)>|"
    r"(?:image|video|audio|sticker|GIF|document|contact card|video note) omitted|"
    r"(?:Bild|Video|Audio|Sticker|GIF|Dokument) weggelassen|(?:imagen|audio|sticker|video|documento) omitid[oa]",
    re.IGNORECASE,
)
_EDITED = re.compile(r"\s*\u200e?<This message was edited>\s*$", re.IGNORECASE)
_LONGEST_NAME = 100


@dataclass
class _Line:
    """The first line of a message, and what follows it."""

    numbers: tuple[int, int, int]
    clock: tuple[int, int, int]
    text: str


def begins(line: str) -> bool:
    r"""Tell whether a line begins a message of an export.

    >>> begins("31/12/2020, 21:15 - Ann: hi"), begins("[12/31/20, 9:15:03\u202fPM] Ann: hi"), begins("Ann: 12:30")
    (True, True, False)
    """
    return _head(line) is not None


def read_whatsapp(
    lines: Iterable[str], id: str, meta: dict[str, Any], order: str = "", encoding: str = "utf-8"
) -> Record:
    """Return the one talk of an export.

    Args:
        lines: of the file.
        id: what to call it.
        meta: what to keep with it.
        order: `dmy`, `mdy` or `ymd` where the caller knows how dates are written; else the file tells.
        encoding: of the file.

    Raises:
        UnknownNameError: there is no such order.
        UnreadableError: no line begins with a date and a time.
    """
    if order and order not in ORDERS:
        raise UnknownNameError("order of dates", order, ORDERS)
    found: list[_Line] = []
    lost: list[str] = []
    style = ""
    for line in lines:
        head = _head(line)
        if head is None or (style and _style(head) != style):
            if found:
                found[-1].text += line
            elif line.strip():
                lost.append(line.strip())
            continue
        style = style or _style(head)
        found.append(_line(head, line))
    if not found:
        raise UnreadableError(
            f"{id} is no WhatsApp export: no line begins like '31/12/2020, 21:15 - Ann: words' or "
            "'[31/12/2020, 21:15:03] Ann: words'"
        )
    chosen, doubt = (order, "") if order else _order(found, "AM" in style, style)
    step = 1.0 if "s" in style else 60.0
    warnings = [doubt] if doubt else []
    if lost:
        warnings.append(f"{len(lost)} lines before the first message are left out; they stand in meta['before']")
        meta = meta | {"before": lost[:100]}
    messages, notices = _messages(found, chosen)
    meta = meta | {"layout": "whatsapp", "dates": chosen} | ({"system": notices} if notices else {})
    return talk(id, messages, meta, step, warnings, encoding)


def _messages(found: Sequence[_Line], order: str) -> tuple[list[Message], list[list[Any]]]:
    """Return what people said, and what the program said: the number of the turn it stands before, and its words."""
    messages: list[Message] = []
    notices: list[list[Any]] = []
    for one in found:
        speaker, text = _speaker(one.text)
        if speaker is None:
            notices.append([len(messages), text.translate(MARKS).strip()])
            continue
        moment = _moment(one, order)
        message = Message(speaker, text, float("nan") if moment is None else moment.timestamp())
        _attach(message)
        messages.append(message)
    return messages, notices


def _head(line: str) -> "re.Match[str] | None":
    plain = line[:120].translate(MARKS).translate(_SPACES)
    found = _HEAD.match(plain) if any(sign.isdigit() for sign in plain[:12]) else None
    return found if found and bool(found["open"]) == bool(found["close"]) else None


def _style(head: "re.Match[str]") -> str:
    """Return how heads of the file are written: brackets, sign, seconds, halves of the day."""
    half = "AM" if head["before"] or head["after"] else ""
    return f"{head['open'] or ''}{head['sign']}{'s' if head['second'] else ''}{half}"


def _line(head: "re.Match[str]", line: str) -> _Line:
    a, b, c = (int(part) for part in re.split(r"[./-]\s?", head["date"]))
    hour, half = int(head["hour"]), (head["before"] or head["after"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith(_AFTERNOON) else 0)
    marks = at = 0
    for at, sign in enumerate(line):
        if at - marks == head.end():
            break
        marks += ord(sign) in MARKS
    else:
        at = len(line)
    return _Line((a, b, c), (hour, int(head["minute"]), int(head["second"] or 0)), line[at:])


def _speaker(text: str) -> tuple[str | None, str]:
    """Return who says the text after a head, and what; None for the program itself."""
    text = text.rstrip("\r\n")
    first, colon, rest = text.partition(":")
    name = first.translate(MARKS).strip()
    if not colon or not name or "\n" in first or len(name) > _LONGEST_NAME or re.search(r'["“”«»]', name):
        return None, text
    if rest[:1] not in ("", " ", "\u200e", "\n", "\r", "\u202f", "\u00a0"):
        return None, text
    said = rest[1:] if rest[:1] in (" ", "\u202f", "\u00a0") else rest
    if said.startswith(_MARKED) and _NOTICE.search(said.splitlines()[0]):
        return None, text
    return name, said.lstrip(_MARKED)


def _attach(message: Message) -> None:
    """Keep of a message what came with it apart from its words."""
    message.text, edited = _EDITED.subn("", message.text)
    if edited:
        message.facts["edited"] = True
    file = _FILE.search(message.text)
    if file:
        message.media = (file[1] or file[2]).strip()
        rest = (message.text[: file.start()] + message.text[file.end() :]).translate(MARKS).strip()
        message.text = rest or MEDIA
    elif _OMITTED.fullmatch(message.text.translate(MARKS).strip()):
        message.media, message.text = message.text.translate(MARKS).strip(), MEDIA


def _moment(line: _Line, order: str) -> datetime | None:
    year, month, day = (line.numbers[place] for place in ORDERS[order])
    try:
        return datetime(year + (2000 if year < 100 else 0), month, day, *line.clock, tzinfo=UTC)
    except ValueError:
        return None


def _order(found: Sequence[_Line], halves: bool, style: str) -> tuple[str, str]:
    """Return the order of the dates that the whole file speaks for, and what is to be said where it is a guess."""
    usual = "ymd" if any(line.numbers[0] > 31 for line in found) else "mdy" if halves and "/" in style else "dmy"
    ranked = []
    for order in ORDERS:
        moments = [_moment(line, order) for line in found]
        held = [moment for moment in moments if moment is not None]
        back = sum(b < a for a, b in pairwise(held))
        length = (max(held) - min(held)).days if held else 0
        ranked.append(((len(moments) - len(held), back, length, order != usual), order))
    ranked.sort()
    (best, order), (second, other) = ranked[:2]
    if best[:2] == second[:2] and best[2] + second[2] and {order, other} == {"dmy", "mdy"}:
        written = {"dmy": "day first", "mdy": "month first"}
        return order, f"its dates may be {written[order]} or {written[other]}; read as {written[order]} ({order})"
    return order, ""
