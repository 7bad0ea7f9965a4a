"""Open words to canonical terms and their groups: "kinda hopeful but anxious" to hope (weakly) and anxiety.

Knows the words of the taxonomies, how they bend, and the rules for hedges, denials and slips of the pen; what it does
not know it returns as unknown. It reads what somebody calls a feeling; to find feelings in any text is a model's work.
The rules:

- A word alone weighs 0.75; hedges multiply that by less than 1, intensifiers by more, up to 1.
- A denial ("not happy", "no longer afraid", "never") turns the next feeling into its opposite at half the weight. A
  feeling without an opposite stays, denied, with weight 0. It does not reach beyond "but", "and" or a comma.
- "un" before a known word denies it likewise, where the word with "un" is not known itself.
- A word under several nodes goes where its neighbours point (`tone.resolve`), else to the node whose first
  synonym it is, else to what the nodes share; where they share nothing its weight is divided among them.
- A slip of the pen is mended where exactly one term is near: one letter dropped, added, swapped or a wrong vowel in
  words of 7 letters or more, two in 10 or more, the first letter always right. `how` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from affetto.core.space import Space, open_space
from affetto.core.track import Track
from affetto.spaces import tone
from affetto.spaces.taxonomy import ancestors
from affetto.spaces.taxonomy import space as load_space
from affetto.spaces.words import BOOSTS, BREAKS, DENIALS, EITHER, HEDGES, IDLE, NO_DENIALS, Token, forms, slips, tokens

How = Literal["name", "synonym", "form", "opposite", "denied", "typo", "unknown"]
LEXICON = ("parrott", "goemotions-28", "plutchik-wheel", "empathetic-32", "emonet-40", "academic-5", "compound-7")
"""Where words are looked up: the first that knows a word has it."""
PLAIN = 0.75
"""The weight of a word that nothing makes weaker or stronger."""
_WIDEST = 4


@dataclass(frozen=True)
class Feeling:
    """One feeling that words name."""

    word: str
    """The words as they stand."""
    term: str
    """The canonical term; "" where the word is unknown."""
    space: str
    """The id of the space that has the term."""
    weight: float
    """0 to 1: how strongly the words say it; 0 where they deny it or are unknown."""
    group: str
    """The broadest term above it in its space."""
    how: How
    start: int = 0
    """Where the words begin, in characters."""
    end: int = 0


def normalise(words: str) -> list[Feeling]:
    """Return the feelings that words name, in their order, with the words that are unknown among them.

    >>> [(f.term, f.group, round(f.weight, 2)) for f in normalise("kinda hopeful but anxious")]
    [('hope', 'joy', 0.45), ('anxiety', 'fear', 0.75)]
    """
    said = tokens(words)
    found: list[Feeling] = []
    grade, denied, i = 1.0, False, 0
    while i < len(said):
        token = said[i]
        feelings, width = _longest(said, i, words)
        marker, mark_width = _marker(said, i)
        if marker and mark_width >= width:
            grade = grade * marker if isinstance(marker, float) else grade
            denied = (denied or marker == "denial") and marker != "no denial"
            i += mark_width
            continue
        if feelings:
            start, end = token.start, said[i + width - 1].end
            for feeling in feelings:
                weighed = replace(feeling, weight=min(1.0, feeling.weight * grade))
                found.append(
                    replace(_deny(weighed) if denied else weighed, word=words[start:end], start=start, end=end)
                )
            goes_on = i + width < len(said) and said[i + width].text in ("or", "nor")
            grade, denied = 1.0, denied and goes_on
        elif token.divides or token.text in BREAKS:
            grade, denied = 1.0, False
        elif token.text not in IDLE:
            found.append(Feeling(words[token.start : token.end], "", "", 0.0, "", "unknown", token.start, token.end))
        i += width
    return found


def open_track(texts: Sequence[str], template: Track | None = None) -> Track:
    """Return what people wrote as a Track of kind `open`: a row a text, a column a canonical term.

    A text without any known feeling gives a row of NaN; the texts stand beside the rows as notes.

    Args:
        texts: the words of each row.
        template: a Track with as many rows, whose times, subject and source are taken; else rows are turns.
    """
    rows = [normalise(text) for text in texts]
    terms = tuple(dict.fromkeys(f.term for row in rows for f in row if f.term)) or ("nothing",)
    values = np.full((len(texts), len(terms)), np.nan)
    for i, row in enumerate(rows):
        if any(f.term for f in row):
            values[i] = 0
        for f in row:
            if f.term:
                column = terms.index(f.term)
                values[i, column] = max(values[i, column], f.weight)
    space = open_space(terms)
    if template is not None:
        return replace(template, space=space, values=values, confidence=None, note=tuple(texts))
    turns = np.arange(len(texts), dtype=np.float64)
    return Track(space, turns, turns + 1, values, unit="turn", note=tuple(texts))


def group(space: Space | str, term: str) -> str:
    """Return the broadest term above a term, itself where it is a root.

    Raises:
        UnknownNameError: the space has no such term.
    """
    return ancestors(load_space(space), term)[-1]


def _longest(said: list[Token], i: int, words: str) -> tuple[list[Feeling], int]:
    for width in range(_WIDEST, 1, -1):
        part = said[i : i + width]
        if len(part) == width and not any(token.divides for token in part):
            phrase = " ".join(token.text for token in part)
            if phrase in _index():
                return _feelings(phrase, words), width
    word = said[i].text
    return ([] if said[i].divides or word in IDLE or word in BREAKS else _look_up(word, words)), 1


def _marker(said: list[Token], i: int) -> tuple[float | Literal["denial", "no denial", ""], int]:
    for width in range(_WIDEST, 0, -1):
        phrase = " ".join(token.text for token in said[i : i + width])
        if phrase in NO_DENIALS:
            return "no denial", width
        if phrase in DENIALS:
            return "denial", width
        if phrase in HEDGES or phrase in BOOSTS:
            return HEDGES.get(phrase) or BOOSTS[phrase], width
    grade = EITHER.get(said[i].text)
    if grade and i + 1 < len(said) and _longest(said, i + 1, "")[0]:
        return grade, 1
    return "", 0


def _look_up(word: str, words: str) -> list[Feeling]:
    if word in _index():
        return _feelings(word, words)
    for form in forms(word):
        if form in _index() and form not in IDLE:
            return [replace(feeling, how="form") for feeling in _feelings(form, words)]
    if word.startswith("un") and word[2:] in _index():
        return [_deny(feeling) for feeling in _feelings(word[2:], words)]
    near = _near(word)
    return [replace(feeling, how="typo") for feeling in _feelings(near, words)] if near else []


@cache
def _near(word: str) -> str:
    """Return the one known word that this is a slip of, or "" where none or several terms are as near."""
    most = 0 if len(word) < 7 else 1 if len(word) < 10 else 2
    for distance in range(1, most + 1):
        near = [
            known
            for known in _index()
            if known[0] == word[0] and " " not in known and len(known) >= 5 and slips(word, known, distance) == distance
        ]
        if near:
            return near[0] if len({_index()[known] for known in near}) == 1 else ""
    return ""


def _feelings(phrase: str, words: str) -> list[Feeling]:
    space, terms = _index()[phrase]
    how: How = "name" if phrase in terms else "synonym"
    if len(terms) > 1:
        chosen = tone.resolve(phrase, words, space).term
        terms = (chosen,) if chosen else terms
    return [Feeling(phrase, term, space, PLAIN / len(terms), group(space, term), how) for term in terms]


def _deny(feeling: Feeling) -> Feeling:
    opposite = load_space(feeling.space)[feeling.term].opposite
    if not opposite:
        return replace(feeling, weight=0.0, how="denied")
    return replace(
        feeling, term=opposite, weight=feeling.weight / 2, group=group(feeling.space, opposite), how="opposite"
    )


@cache
def _index() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return each known word or phrase with the first space that knows it and the terms it stands under there."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for id in LEXICON:
        for phrase, terms in tone.senses(load_space(id)).items():
            found.setdefault(" ".join(token.text for token in tokens(phrase)), (id, terms))
    return found
