"""Prompts for language models: texts of this folder's `prompts/`, and the conversation as they see it.

A prompt is a file: what the model is to be, a line `---`, what it is asked, with `$names` to fill in. Words of a
conversation are data: each turn stays on its own line behind its speaker, so that it can neither speak for another nor
look like a list of choices. Knows texts; asks nobody.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from affetto.core.language import Message
from affetto.core.record import Record, Turn

FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Window:
    """How much of a conversation is shown."""

    turns: int = 12
    """The last so many."""
    letters: int = 1200
    """Of a turn, its beginning."""


WINDOW = Window()


def prompt(name: str, **facts: str) -> tuple[Message, ...]:
    """Return the messages of a prompt, filled in."""
    system, _, user = _text(name).partition("\n---\n")
    return (Message("system", Template(system).substitute(facts)), Message("user", Template(user).substitute(facts)))


def shown(record: Record, window: Window = WINDOW, words: Sequence[str] = ()) -> str:
    r"""Return the last turns of a conversation, a line each, with `*` around words that are to stand out.

    >>> from affetto.core.record import Turn
    >>> shown(Record("1", turns=(Turn("Ada", None, "My dog\n died."),)), words=["dog"])
    'Ada: My *dog* died.'
    """
    turns = [turn for turn in record.turns if turn.text.strip()][-window.turns :]
    return "\n".join(f"{called(turn)}: {_marked(_line(turn.text, window.letters), words)}" for turn in turns)


def called(turn: Turn) -> str:
    """Return the name of who says a turn, as prompts write it."""
    return _line(turn.speaker.replace(":", " "), 40) or "speaker"


def standing(words: Sequence[str], record: Record) -> tuple[str, ...]:
    """Return the words or phrases that stand in a conversation, in their order there, each once."""
    said = " ".join(turn.text for turn in record.turns).casefold()
    places: dict[str, tuple[int, str]] = {}
    for word in words:
        plain = " ".join(word.split())
        match = re.search(rf"(?<!\w){re.escape(plain.casefold())}(?!\w)", said) if plain else None
        if match:
            places.setdefault(plain.casefold(), (match.start(), plain))
    return tuple(word for _, word in sorted(places.values()))


def _line(text: str, letters: int) -> str:
    """Return a text on one line, without signs that nobody sees, cut off where it is too long."""
    plain = " ".join(text.split())
    plain = "".join(sign for sign in plain if sign.isprintable() or sign in "\u200d\ufe0f")
    return plain if len(plain) <= letters else plain[:letters].rstrip() + " ..."


def _marked(text: str, words: Sequence[str]) -> str:
    plain = [re.escape(word) for word in sorted(set(words), key=len, reverse=True) if word.strip()]
    return re.sub(rf"(?<!\w)(?:{'|'.join(plain)})(?!\w)", r"*\g<0>*", text, flags=re.IGNORECASE) if plain else text


@cache
def _text(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text("utf-8").strip()
