"""What all chats have in common: messages with their moments become turns with seconds, and one Record a talk.

Knows moments, names, roles and what stands for a picture; knows no file.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.media.lines import clean, flaw
from affetto.media.text import SOMEONE

MEDIA = "<Media omitted>"
"""The words of a turn that is a picture, a sound or a film only, whatever the language of the program says."""
ROLES = ("seeker", "supporter", "therapist", "client", "listener", "user", "assistant", "counselor", "counsellor")
"""Roles that are taken for one where they are all the name that a speaker has."""
_DATED = 1e8
"""Seconds above which a moment is a date, so that a talk counts from its earliest; below, it counts as it is."""
_NOBODY = ("nan", "none", "null")


@dataclass
class Message:
    """One message as a file has it."""

    speaker: str
    text: str
    at: float = math.nan
    """Seconds on the clock of the file (since 1970, or since its start); NaN where nobody knows."""
    end: float = math.nan
    role: str = ""
    media: str = ""
    """What came with it, such as the name of a picture."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Anything else to keep: forwarded, edited, answers."""


def talk(
    id: str,
    messages: Sequence[Message],
    meta: Mapping[str, Any],
    step: float = 1.0,
    warnings: Sequence[str] = (),
    encoding: str = "utf-8",
) -> Record:
    """Return the Record of a talk, its turns in the order of the file.

    Turns carry seconds where all of them have a moment: of dates those since the earliest message. Several messages of
    one moment are spread over the step of the clock, in their order, so that no two lie at one place.

    Args:
        id: its name.
        messages: what was said; also empty messages, which keep their places.
        meta: what to keep with it.
        step: the smallest difference that the clock of the file tells: 60 seconds, or 1.
        warnings: what is to be said of it besides.
        encoding: of the file, for the words about what is no character.
    """
    said = list(warnings)
    if not messages:
        return Record(clean(id), meta={**meta, "error": f"{clean(id)} holds no message that anybody wrote"})
    spans, wrong = _spans(messages, step)
    said += wrong
    broken = [flaw(one.text, encoding) for one in messages if one.text.strip()]
    if any(broken):
        first = next(one for one in broken if one)
        said.append(f"{sum(map(bool, broken))} of its turns have a flaw, shown as \ufffd; the first {first}")
    turns: list[Turn] = []
    people: dict[str, dict[str, Any]] = {}
    kept = dict(meta)
    for k, (one, span) in enumerate(zip(messages, spans, strict=True)):
        speaker = name_of(one.speaker)
        turns.append(Turn(speaker, span, clean(one.text.replace("\0", "\ufffd"))))
        role = clean(one.role) or (speaker.lower() if speaker.lower() in ROLES else "")
        if role:
            people.setdefault(speaker, {"role": role})
        for key, value in {**one.facts, **({"media": one.media} if one.media else {})}.items():
            kept.setdefault(key, {})[str(k)] = clean(value) if isinstance(value, str) else value
    if said:
        kept["warning"] = "; ".join(said)
    return Record(clean(id), (), tuple(turns), people, (), kept)


def name_of(said: object) -> str:
    r"""Return the name of a speaker, on one line; `someone` where there is none.

    >>> name_of("  Ann\u200e "), name_of(None), name_of(3)
    ('Ann', 'someone', '3')
    """
    if said is None or isinstance(said, bool) or (isinstance(said, float) and not math.isfinite(said)):
        return SOMEONE
    plain = " ".join(clean(str(said)).replace("\0", " ").translate(MARKS).split())
    return plain if plain and plain.lower() not in _NOBODY else SOMEONE


MARKS = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"))
"""Marks of direction, which chat programs set around names and times: a table for `str.translate`."""


def _spans(messages: Sequence[Message], step: float) -> tuple[list[Span | None], list[str]]:
    """Return the seconds of each message, and what is wrong with them."""
    known = [one.at for one in messages if math.isfinite(one.at)]
    if not known:
        return [None] * len(messages), []
    if len(known) < len(messages):
        return [None] * len(messages), [
            f"{len(messages) - len(known)} of {len(messages)} turns have no time: none kept"
        ]
    backward = sum(b < a for a, b in pairwise(known))
    said = [f"messages with an earlier time than the one before: {backward}; the order of the file is kept"]
    begin = min(known) if min(known) > _DATED else 0.0
    same, seen = Counter(known), Counter[float]()
    spans: list[Span | None] = []
    for one in messages:
        shift = 0.0 if math.isfinite(one.end) else step * seen[one.at] / same[one.at]
        seen[one.at] += 1
        start = one.at - begin + shift
        end = one.end - begin if math.isfinite(one.end) else start + step / same[one.at]
        spans.append(Span(round(start, 3), round(max(start, end), 3), "s"))
    return spans, said if backward else []
