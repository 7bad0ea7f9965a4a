"""Words behind their disguises: figures and signs for letters, letters left out, spaced or said long, shorthand, slips.

Knows letters, and the word lists that it is given; knows not what the words mean.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_TOKEN = re.compile(r"(?:[^\W_]|[@$*#]|[!'](?=\w))+|[.?!;\n]+|[^\w\s]")
_ENDS = frozenset(".?!;\n")
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "`": "'", "\u00b4": "'", "_": " "})
_LETTERS = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
_LEET = (str.maketrans(_LETTERS), str.maketrans(_LETTERS | {"1": "l"}))
_HIDDEN = re.compile(r"[*#]")
_LONG = re.compile(r"(.)\1{2,}")
_LONGEST = 40
"""Letters of a word from which nothing is sought behind it."""
_SPACED = 4
"""Single letters in a row that are one word, spaced."""
_SMALL = "i a am im to want wanna gonna my me so just going it all off".split()
"""Words that may stand between those sought where the spaces are missing."""


@dataclass(frozen=True)
class Plain:
    """A text in plain words, and where each of them stands in it."""

    words: str
    """One space between words; " . " where a sentence or a line ends."""
    places: tuple[tuple[int, int, int], ...]
    """Of each word: where it begins in `words`, and its start and end in the text."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text lies what lies from `start` to `end` in `words`."""
        inside = [place for k, place in enumerate(self.places) if place[0] < end and self._ends(k) > start]
        return (inside[0][1], inside[-1][2]) if inside else (0, 0)

    def _ends(self, k: int) -> int:
        return self.places[k + 1][0] - 1 if k + 1 < len(self.places) else len(self.words)


@dataclass(frozen=True)
class Disguises:
    """What is looked for, and what stands for it."""

    short: Mapping[str, str]
    """Shorthand and slang, to words."""
    exact: frozenset[str]
    """Words sought behind figures, stars, spaces and letters said long."""
    near: frozenset[str]
    """Words sought behind one letter too many, too few, wrong or swapped."""
    signs: Mapping[str, str]
    """Emoji, to words."""

    def plain(self, text: str) -> Plain:
        """Return a text in plain words."""
        found: list[tuple[str, int, int]] = []
        for match in _TOKEN.finditer(_folded(text)):
            raw, start, end = match.group(), match.start(), match.end()
            if raw[0] in _ENDS and not raw[-1].isalnum():
                found.append((".", start, end))
            elif raw[0].isalnum() or len(raw) > 1:
                found.append((raw, start, end))
            elif raw in self.signs:
                found.append((self.signs[raw], start, end))
        words: list[str] = []
        places, at = [], 0
        for raw, start, end in _joined(found):
            for word in (raw if raw == "." else self.word(raw)).split():
                words.append(word)
                places.append((at, start, end))
                at += len(word) + 1
        return Plain(" ".join(words), tuple(places))

    def word(self, raw: str) -> str:
        """Return what a word stands for, in small letters without apostrophes: one word, or several.

        >>> d = Disguises({"kms": "kill myself"}, frozenset(["kill"]), frozenset(["suicidal"]), {})
        >>> d.word("k!ll"), d.word("kms"), d.word("suicdal"), d.word("don't")
        ('kill', 'kill myself', 'suicidal', 'dont')
        """
        for form in (raw, raw.replace("'", "")):
            if form in self.short:
                return self.short[form]
        word = raw.replace("'", "")
        if word in self.exact or len(word) > _LONGEST:
            return word
        found = self._long(word) or self._figures(word) or self._stars(word) or self._slip(word) or self._run(word)
        return self.short.get(found, found) if found else re.sub(r"\W", "", _LONG.sub(r"\1", word))

    def _known(self, word: str) -> bool:
        return word in self.exact or word in self.short or word in self.near

    def _long(self, word: str) -> str:
        """Return a word without letters said long."""
        if not _LONG.search(word):
            return ""
        return next((w for w in (_LONG.sub(r"\1", word), _LONG.sub(r"\1\1", word)) if w[2:] and self._known(w)), "")

    def _figures(self, word: str) -> str:
        """Return a word whose figures and signs are read as letters."""
        if word.isalpha() or word.isdigit():
            return ""
        read = [word.translate(table) for table in _LEET]
        return next((w for w in read if self._known(w)), "") or next((w for r in read if (w := self._slip(r))), "")

    def _stars(self, word: str) -> str:
        """Return a word some letters of which are hidden, two at least being shown."""
        if not _HIDDEN.search(word) or len(_HIDDEN.sub("", word)) < 2:
            return ""
        pattern = re.compile("".join("." if _HIDDEN.match(sign) else re.escape(sign) for sign in word))
        return next((w for w in sorted(self.exact | self.near) if pattern.fullmatch(w)), "")

    def _slip(self, word: str) -> str:
        """Return the word that a slip of one letter was meant to be, or whose last g is dropped."""
        if not word.isalpha():
            return ""
        if word.endswith("in") and word + "g" in self.exact:
            return word + "g"
        return next((w for w in self._long_words if len(word) > 5 and word not in self.short and one_off(word, w)), "")

    def _run(self, word: str) -> str:
        """Return words that were written without spaces, where each of them is known and one at least is sought."""
        if len(word) < 8 or not word.isalpha():
            return ""
        ways: list[list[str] | None] = [[], *[None] * len(word)]
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 9), end):
                before, part = ways[start], word[start:end]
                if before is not None and ways[end] is None and (part in self.exact or part in _SMALL):
                    ways[end] = [*before, part]
        parts = ways[-1] or []
        return " ".join(self.short.get(p, p) for p in parts) if sum(p not in _SMALL for p in parts) > 0 else ""

    @cached_property
    def _long_words(self) -> tuple[str, ...]:
        return tuple(sorted(self.near))


def one_off(word: str, other: str) -> bool:
    """Tell whether a word is another, or one letter added, lost, changed, or two neighbours swapped, apart from it.

    >>> one_off("myslef", "myself"), one_off("suicdal", "suicidal"), one_off("mine", "myself")
    (True, True, False)
    """
    if abs(len(word) - len(other)) > 1:
        return False
    k = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    a, b = word[k:], other[k:]
    swapped = len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or swapped


def _folded(text: str) -> str:
    """Return a text in small plain letters, each sign in its place; what has no width is an apostrophe."""
    out = []
    for sign in text.translate(_QUOTES):
        if sign.isascii():
            out.append(sign.lower())
            continue
        kept = [part for part in unicodedata.normalize("NFKD", sign).casefold() if not unicodedata.combining(part)]
        out.append("'" if not kept or unicodedata.category(sign) in ("Cf", "Mn", "Me") else kept[0])
    return "".join(out)


def _joined(tokens: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Return tokens with runs of single letters made one word."""
    out: list[tuple[str, int, int]] = []
    run: list[tuple[str, int, int]] = []
    for token in [*tokens, ("", 0, 0)]:
        if len(token[0]) == 1 and token[0] != ".":
            run.append(token)
            continue
        out += [("".join(t[0] for t in run), run[0][1], run[-1][2])] if len(run) >= _SPACED else run
        run = []
        out += [token] if token[0] else []
    return out
