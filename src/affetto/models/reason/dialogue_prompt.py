"""The prompt that asks a language model what one turn of a talk expresses, of the parts of PRC-Emo (Li et al. 2025).

What the model is to be, who speaks, answered examples, the turns before, a reading of the turn, the closed list. Each
part is told from words and people alone: no Track is looked at, so no answer can stand in a question. Knows Records;
asks nobody.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from affetto.core.language import Message
from affetto.core.record import Record

FOLDER = Path(__file__).parent / "prompts"
Examples = Callable[[str], Sequence[tuple[str, str]]]
"""Takes the words of a turn and returns other turns like it with their labels, the nearest first."""
LETTERS = 1200
"""Of a turn that are shown, its beginning."""
TOLD = ("role", "personality", "profile")
"""What is told of a speaker, of all that `people` holds."""


@dataclass(frozen=True)
class Parts:
    """Which parts a prompt has."""

    window: int = 5
    """Turns before the one that is asked about."""
    profile: bool = True
    """Whether it is told what is known of the speaker."""
    examples: int = 3
    """How many answered examples, where somebody hands them in."""


def question(
    record: Record,
    turn: int,
    labels: Sequence[str],
    parts: Parts,
    examples: Examples | None = None,
    reading: str = "",
) -> tuple[Message, ...]:
    """Return the messages that ask what a turn expresses.

    Args:
        record: the talk; its Tracks and its meta are not looked at.
        turn: its number, from 0.
        labels: the closed list.
        parts: which parts.
        examples: where answered examples come from; those with the very words of the turn are left out.
        reading: what the turn means, in words; labels in it are struck out.
    """
    asked = record.turns[turn]
    found = examples(asked.text) if examples and parts.examples else ()
    others = [(text, label) for text, label in found if _plain(text) != _plain(asked.text)][: parts.examples]
    told = _told(record.people.get(asked.speaker, {})) if parts.profile else ""
    facts = {
        "profile": f"About {_name(asked.speaker)}: {told}.\n\n" if told else "",
        "examples": "".join(f"Example: {_line(text)}\nAnswer: {label}\n\n" for text, label in others),
        "history": history(record, turn, parts.window),
        "speaker": _name(asked.speaker),
        "reading": f"\nA reading of it: {struck(_line(reading), labels)}" if reading.strip() else "",
        "choices": ", ".join(labels),
    }
    return _filled("erc", facts)


def reading_of(record: Record, turn: int, parts: Parts) -> tuple[Message, ...]:
    """Return the messages that ask what a turn says openly and what it leaves unsaid."""
    facts = {"history": history(record, turn, parts.window), "speaker": _name(record.turns[turn].speaker)}
    return _filled("reading", facts)


def history(record: Record, turn: int, window: int) -> str:
    """Return a turn and as many before it, a line each; none that comes after."""
    shown = record.turns[max(0, turn - window) : turn + 1]
    return "\n".join(f"{_name(one.speaker)}: {_line(one.text)}" for one in shown)


def struck(text: str, labels: Sequence[str]) -> str:
    """Return a text without the words of a list.

    >>> struck("He hides his Anger, angrily.", ["anger"])
    'He hides his ..., angrily.'
    """
    return re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, labels))})(?!\w)", "...", text, flags=re.IGNORECASE)


def _told(facts: Mapping[str, Any]) -> str:
    """Return what may be told of somebody, in words."""
    said = []
    for name in TOLD:
        value = facts.get(name)
        if isinstance(value, Mapping):
            value = ", ".join(f"{trait} {degree}" for trait, degree in value.items())
        if isinstance(value, str) and value.strip():
            said.append(value if name == "profile" else f"{name}: {value}")
    return _line("; ".join(said)).rstrip(".")


def _filled(name: str, facts: Mapping[str, str]) -> tuple[Message, ...]:
    system, _, user = _text(name).partition("\n---\n")
    return (Message("system", system), Message("user", Template(user).substitute(facts)))


@cache
def _text(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text("utf-8").strip()


def _name(speaker: str) -> str:
    return _line(speaker.replace(":", " "))[:40] or "speaker"


def _line(text: str) -> str:
    """Return a text on one line, cut off where it is too long."""
    plain = "".join(sign for sign in " ".join(text.split()) if sign.isprintable() or sign in "\u200d\ufe0f")
    return plain if len(plain) <= LETTERS else plain[:LETTERS].rstrip() + " ..."


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
