"""Reads what a language model wrote: which of a closed list it chose, whether it refused, what its bare text is.

Models were asked for one word and give it in quotes, in JSON, with prose around, in another case, or not at all. Knows
words and the list; asks nobody.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NONE = "none of these"
"""What a model says that takes none of the choices, where it may."""
_NONES = re.compile(r"\W*none(?: of (?:these|them|the (?:above|choices|options)))?(?: fits?)?\W*", re.IGNORECASE)
_REFUSALS = re.compile(
    r"\b(?:can(?:no|')?t|can not|could(?: not|n't)|unable to|not able to|won't|will not|not comfortable)\s+(?:\w+\s+)?"
    r"(?:help(?:ing)?(?! but)|assist|comply|answer|provide|fulfil+|engage|discuss|continue|respond|do that|do this)"
    r"|\bas an? (?:ai|artificial|large language|language model)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,;\n\u2022]|\d+\.\s")
_NOT = re.compile(r"(?:\bnot|n't|\bnor|\brather than|\binstead of)\s+(?:\w+\s+)?$")
_EDGES = " \t\r\n\"'`*_.,;:!?()[]{}<>\u201c\u201d\u2018\u2019\u00ab\u00bb"
_LONGEST = 20_000
"""Characters of an answer that are looked at."""


@dataclass(frozen=True)
class Choice:
    """What was chosen."""

    name: str = ""
    """One of the choices; empty: none could be read."""
    rejected: bool = False
    """Whether all were rejected, in words that say so."""
    refused: bool = False
    """Whether the model refused to answer at all."""


def chosen(answer: str, choices: Sequence[str], synonyms: Mapping[str, Iterable[str]] | None = None) -> Choice:
    """Return which of the choices an answer takes.

    Looked for in this order: the whole answer, a text in its JSON, its last line, then any place: there one choice
    alone must be named, those after "not" aside. Case, quotes and markup do not count.

    Args:
        answer: as it was written.
        choices: the closed list.
        synonyms: other words for choices; one that stands for two choices stands for none.

    >>> chosen('Sure! {"emotion": "Sad"}', ["sad", "angry"]).name, chosen("Not sad but angry.", ["sad", "angry"]).name
    ('sad', 'angry')
    >>> chosen("None of these.", ["sad", "angry"]).rejected
    True
    """
    known = _known(choices, synonyms or {})
    answer = answer[:_LONGEST].replace("\u2019", "'")
    texts = [answer, *_texts_of(_json_in(answer)), *answer.strip().splitlines()[-1:]]
    for text in texts:
        plain = bare(text).casefold()
        if plain in known:
            return Choice(known[plain])
        if _NONES.fullmatch(text.strip()):
            return Choice(rejected=True)
    if refused(answer):
        return Choice(refused=True)
    found = _named(answer.casefold(), known)
    if len(found) == 1:
        return Choice(found.pop())
    return Choice(rejected=not found and NONE in answer.casefold())


def refused(answer: str) -> bool:
    """Tell whether an answer is a refusal to answer.

    >>> refused("I'm sorry, but I can't help with that."), refused("I can't help but feel for you.")
    (True, False)
    """
    return _REFUSALS.search(answer[:_LONGEST].replace("\u2019", "'")) is not None


def bare(answer: str) -> str:
    """Return an answer without quotes, markup and white space around it, its last sign aside if it ends a sentence.

    >>> bare(' **"Sad"**. ')
    'Sad'
    """
    return " ".join(answer.strip(_EDGES).split())


def written(answer: str, keys: Sequence[str] = ("reply", "answer", "response", "text")) -> str:
    """Return what was written, on one line: the text in its JSON where there is one, no quotes, no name before it.

    >>> written('Listener: "I am so sorry."')
    'I am so sorry.'
    """
    plain = _json_in(answer[:_LONGEST])
    texts = [plain[key] for key in keys if isinstance(plain, dict) and isinstance(plain.get(key), str)]
    text = " ".join((texts[0] if texts else answer[:_LONGEST]).split())
    text = re.sub(r"^(?:listener|assistant|reply|response|answer|supporter)\s*:\s*", "", text, flags=re.IGNORECASE)
    for left, right in ('""', "\u201c\u201d", "''"):
        if len(text) > 1 and text.startswith(left) and text.endswith(right):
            text = text[1:-1].strip()
    return text


def listed(answer: str) -> list[str]:
    """Return the words or phrases of a list: the texts in JSON where there is any, or what commas and lines part.

    >>> listed("dog, died"), listed('Here: {"words": ["my dog", "died"]}')
    (['dog', 'died'], ['my dog', 'died'])
    """
    texts = _texts_of(_json_in(answer[:_LONGEST])) or [answer[:_LONGEST]]
    return [word for text in texts for part in _BETWEEN.split(text) if (word := bare(part))]


def _known(choices: Sequence[str], synonyms: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return what each word stands for: the choices themselves, and synonyms that are not ambiguous."""
    meant: dict[str, set[str]] = {}
    for choice in choices:
        for word in synonyms.get(choice, ()):
            meant.setdefault(word.casefold(), set()).add(choice)
    known = {word: next(iter(found)) for word, found in meant.items() if len(found) == 1}
    return known | {choice.casefold(): choice for choice in choices}


def _named(answer: str, known: Mapping[str, str]) -> set[str]:
    """Return the choices that an answer names somewhere, longer words first, those after "not" aside."""
    pattern = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True)) or r"(?!)"
    matches = list(re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", answer))
    return {
        known[match.group()] for match in matches if not _NOT.search(answer[max(0, match.start() - 40) : match.start()])
    }


def _json_in(answer: str) -> Any:
    """Return the first JSON object or list in an answer, or None."""
    for match in list(re.finditer(r"[{\[]", answer))[:20]:
        try:
            return json.JSONDecoder().raw_decode(answer, match.start())[0]
        except (ValueError, RecursionError):
            continue
    return None


def _texts_of(plain: Any) -> list[str]:
    """Return the texts that stand in JSON, its keys aside."""
    if isinstance(plain, dict):
        plain = list(plain.values())
    parts = plain if isinstance(plain, list) else []
    return [part for part in parts if isinstance(part, str)] + [
        inner for part in parts if isinstance(part, list) for inner in part if isinstance(inner, str)
    ]
