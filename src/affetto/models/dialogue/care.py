"""Words that ask for a person's help now: of self-harm, abuse, danger to others, an emergency by one's own hand.

Made to miss little: it rather asks for help once too often. It finds words in English, and says which; it knows not how
somebody is, and diagnoses nothing. What it looks for stands in `care.patterns`, beside it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.dialogue.disguise import Disguises, Plain
from affetto.models.dialogue.saying import said

SPACE = "care"
OTHER = "about somebody else: "
"""A note begins so where the one in trouble is not the one who speaks."""
_OWN = re.compile(r"\b(?:i|im|ive|id|ill|me|myself|mine|we|us)\b")
_MINE = re.compile(r"\b(?:my|our)\b")
_REFLEXIVE = re.compile(r"\b(?:himself|herself|themselves)\b")
_THEIRS = re.compile(r"\b(?:his|her|their|him|them)\b")
_THEM = re.compile(r"\b(?:him|her|them)\b")
_ME = re.compile(r"\b(?:me|us)\b")
_THEIR_BODY = re.compile(
    r"\b(?:his|her|their) (?:own )?(?:wrists?|arms?|legs?|thighs?|skin|throat|life|lives|stomach|veins?)\b"
)


@dataclass(frozen=True)
class Finding:
    """Words that were found in a text."""

    families: tuple[str, ...]
    """Axes of the space `care`."""
    value: float
    """0..1: from `Care.refer` on a person should be named; below, it is only said that the words stand there."""
    start: int
    """First character ..."""
    end: int
    """... and the one after the last."""
    words: str
    """As they stand in the text."""
    other: bool
    """Whether they are of somebody else than who speaks."""


@dataclass(frozen=True)
class Pattern:
    """What is looked for, and what it means."""

    families: tuple[str, ...]
    value: float
    any: re.Pattern[str]
    unless: re.Pattern[str] | None
    """Words in the same sentence that make it a mention."""
    own_not: bool
    """Whether a negation is part of it, and denies nothing."""
    other: bool = False
    """Whether it is about somebody else by what it is."""


@dataclass(frozen=True, eq=False)
class Care:
    """The check."""

    card: Card
    disguises: Disguises
    idioms: re.Pattern[str]
    elsewhere: tuple[re.Pattern[str], ...]
    """Words that tell of a film, or of the news."""
    games: re.Pattern[str]
    subjects: re.Pattern[str]
    """Whoever may be spoken of, the speaker (the group `own`) among them."""
    denied: tuple[re.Pattern[str], re.Pattern[str]]
    """Before, and within what is denied."""
    patterns: tuple[Pattern, ...]
    refer: float
    mentioned: float

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return, for each Record, a Track for each speaker in whose words something stands: a row a turn."""
        space: Space = load_card(SPACE)
        return [self._track(record, space) for record in records]

    def check(self, text: str) -> tuple[Finding, ...]:
        """Return what stands in a text, in its order.

        >>> from affetto.core.catalog import load
        >>> [found.words for found in load("dialogue.care").check("honestly i wanna k!ll mys3lf")]
        ['wanna k!ll mys3lf']
        """
        plain = self.disguises.plain(text)
        words = self.idioms.sub(lambda match: " ".join("_" * len(w) for w in match.group().split(" ")), plain.words)
        found: list[Finding] = []
        for pattern in self.patterns:
            for match in pattern.any.finditer(words):
                found.append(self._finding(text, plain, words, pattern, match))
        return tuple(_outermost(found))

    def _finding(self, text: str, plain: Plain, words: str, pattern: Pattern, match: re.Match[str]) -> Finding:
        start, end = match.start(), match.end()
        before = words.rfind(" . ", 0, start + 1) + 1
        after = words.find(" . ", max(start, end - 2))
        sentence = words[before : after if after > 0 else len(words)]
        lead, hit = words[before:start], match.group()
        own = _OWN.search(hit) or _OWN.search(" ".join(lead.split()[-3:]))
        value = pattern.value
        denied = self.denied[0].search(lead) or (not pattern.own_not and self.denied[1].search(hit))
        told = not own and not _MINE.search(sentence) and any(one.search(sentence) for one in self.elsewhere)
        played = "danger-to-others" in pattern.families and self.games.search(sentence)
        if denied or told or played or (pattern.unless and pattern.unless.search(sentence)):
            value = min(value, self.mentioned)
        first, last = plain.original(start, end)
        other = self._other(pattern, lead, hit, sentence)
        return Finding(pattern.families, value, first, last, text[first:last].strip(), other)

    def _other(self, pattern: Pattern, lead: str, hit: str, sentence: str) -> bool:
        """Tell whether what was found is about somebody else than the speaker."""
        if pattern.other:
            return not _ME.search(hit)
        if "abuse" in pattern.families:
            if _OWN.search(hit) or _MINE.search(hit):
                return bool(_THEM.search(hit.rsplit(maxsplit=1)[-1])) and not _ME.search(hit)
            return bool(_THEM.search(hit) or (_THEIRS.search(sentence) and not _OWN.search(sentence) and lead))
        if "danger-to-others" in pattern.families:
            subjects = list(self.subjects.finditer(lead))
            return bool(subjects) and subjects[-1]["own"] is None
        if _OWN.search(hit) or _REFLEXIVE.search(hit) or _THEIR_BODY.search(hit):
            return not _OWN.search(hit)
        subjects = list(self.subjects.finditer(f"{lead}{hit}"))
        return subjects[-1]["own"] is None if subjects else bool(_THEIRS.search(hit))

    def _track(self, record: Record, space: Space) -> tuple[Track, ...]:
        pieces = record.pieces()
        values = np.zeros((len(pieces), len(space.axes)), np.float32)
        notes, rows = [""] * len(pieces), []
        for k, piece in enumerate(pieces):
            found = list(self.check(piece.text))
            if k and pieces[k - 1].subject == piece.subject:
                found += self._across(pieces[k - 1].text, piece.text)
            if found:
                rows.append(k)
                notes[k] = _note(found, self.refer)
                values[k] = _values(found, space)
        return said(record, space, values, self.card, note=notes, rows=rows) if rows else ()

    def _across(self, before: str, text: str) -> list[Finding]:
        """Return what begins in one turn and ends in the next of the same speaker."""
        return [one for one in self.check(f"{before} {text}") if one.start < len(before) < one.end - 1]


def load(card: Card) -> Care:
    """Return the check that a card names by `patterns`, a file beside it.

    Raises:
        CatalogError: the file is missing, is no TOML, or a pattern in it is none.
    """
    path = Path(card.path).parent / str(card.facts.get("patterns", ""))
    try:
        return _read(card, tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, KeyError, re.error) as error:
        raise CatalogError(f"the patterns of {card.id} cannot be read from {path.name}: {error!r}") from None


def _read(card: Card, plain: Mapping[str, Any]) -> Care:
    parts = plain["parts"]
    exact = frozenset(plain["words"]["exact"].split())
    disguises = Disguises(plain["short"], exact, frozenset(plain["words"]["near"].split()), plain["signs"])
    patterns = [
        Pattern(
            tuple(one["families"]),
            float(one["value"]),
            _pattern(one["any"], parts),
            _pattern([one["unless"]], parts) if "unless" in one else None,
            bool(one.get("own_not", False)),
            bool(one.get("other", False)),
        )
        for one in plain["patterns"]
    ]
    elsewhere, denial = plain["elsewhere"], plain["denial"]
    return Care(
        card,
        disguises,
        _pattern(plain["idioms"]["any"], parts),
        tuple(_pattern([elsewhere[name]], parts) for name in ("fiction", "news")),
        _pattern([elsewhere["games"]], parts),
        _pattern([plain["subjects"]["any"]], parts),
        (re.compile(denial["before"]), re.compile(denial["inside"])),
        tuple(patterns),
        float(plain["refer"]),
        float(plain["mentioned"]),
    )


def _pattern(any: Sequence[str], parts: Mapping[str, str]) -> re.Pattern[str]:
    """Return one pattern of several: whole words, the parts in their places."""
    return re.compile("|".join(rf"(?<!\w)(?:{_filled(one, parts)})(?!\w)" for one in any))


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    for _ in range(3):  # parts hold parts
        pattern = re.sub(r"\{([a-z]+\d?)\}", lambda match: parts[match.group(1)], pattern)
    return pattern


def _outermost(found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield findings in their order, without those that lie in another of the same families and no less value."""
    ordered = sorted(found, key=lambda one: (-one.value, one.start - one.end))
    kept: list[Finding] = []
    for one in ordered:
        if not any(
            set(one.families) <= set(k.families) and ((k.start < one.end and one.start < k.end) or one.value < k.value)
            for k in kept
        ):
            kept.append(one)
    yield from sorted(kept, key=lambda one: (one.start, one.end))


def _values(found: Sequence[Finding], space: Space) -> npt.NDArray[np.float32]:
    """Return the highest value of each family."""
    row = np.zeros(len(space.axes), np.float32)
    for one in found:
        for family in one.families:
            row[space.index(family)] = max(row[space.index(family)], one.value)
    return row


def _note(found: Sequence[Finding], refer: float) -> str:
    """Return the words found, those of one meaning once."""
    strong = [one for one in found if one.value >= refer] or list(found)
    return (OTHER if all(one.other for one in strong) else "") + "; ".join(dict.fromkeys(o.words for o in strong))
