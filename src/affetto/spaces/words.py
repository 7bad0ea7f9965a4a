"""The words around feelings: which make them weaker, stronger or deny them, which say nothing, and how words bend.

Knows English function words and endings; knows no feeling.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

HEDGES = {
    "kinda": 0.6, "kind of": 0.6, "sorta": 0.6, "sort of": 0.6, "somewhat": 0.6, "slightly": 0.4, "a bit": 0.5,
    "bit": 0.5, "a little": 0.5, "a little bit": 0.5, "little": 0.5, "a tad": 0.4, "mildly": 0.5, "vaguely": 0.4,
    "partly": 0.6, "half": 0.5, "almost": 0.6, "maybe": 0.5, "perhaps": 0.5, "possibly": 0.5, "probably": 0.7,
    "fairly": 0.85, "more or less": 0.7, "a touch": 0.4, "ish": 0.6, "faintly": 0.4, "moderately": 0.8,
    "mild": 0.5, "faint": 0.4, "a hint of": 0.4, "a trace of": 0.4, "a touch of": 0.4, "some": 0.7, "moderate": 0.8,
}  # fmt: skip
"""By how much a hedge takes a weight down."""
BOOSTS = {
    "rather": 1.05, "quite": 1.1, "really": 1.25, "very": 1.25, "so": 1.2, "too": 1.2, "truly": 1.25, "deeply": 1.3,
    "super": 1.3, "highly": 1.3, "much": 1.2, "extremely": 1.34, "incredibly": 1.34, "totally": 1.34,
    "absolutely": 1.34, "completely": 1.34, "utterly": 1.34, "insanely": 1.34, "overwhelmingly": 1.34, "fully": 1.3,
    "thoroughly": 1.3, "profoundly": 1.34, "immensely": 1.34, "intensely": 1.34, "beyond": 1.34,
    "seriously": 1.25, "genuinely": 1.2, "particularly": 1.2, "especially": 1.2, "freaking": 1.34,
    "fucking": 1.34, "pretty": 1.05, "awfully": 1.3, "terribly": 1.3, "strongly": 1.3, "desperately": 1.3, "sooo": 1.3,
    "deep": 1.3, "intense": 1.34, "strong": 1.3, "extreme": 1.34, "immense": 1.34, "profound": 1.34, "pure": 1.25,
    "utter": 1.34, "overwhelming": 1.34, "huge": 1.3, "a lot of": 1.2, "full of": 1.2, "complete": 1.3, "real": 1.1,
    "never felt so": 1.3, "never felt this": 1.3, "never felt more": 1.3, "never been so": 1.3, "never been this": 1.3,
    "never been more": 1.3,
}  # fmt: skip
"""By how much an intensifier takes a weight up."""
EITHER = {"great": 1.25, "high": 1.25, "slight": 0.5}
"""Grades before a feeling, feelings elsewhere: great joy, feeling great."""
DENIALS = frozenset(
    "not no never without hardly barely scarcely neither nor isnt arent wasnt werent dont doesnt didnt cant cannot "
    "couldnt wont wouldnt aint havent hasnt hadnt lack lacking lacked".split()
) | {"no longer", "not at all", "anything but", "far from", "free of", "devoid of"}
"""What denies the next feeling."""
NO_DENIALS = ("not only", "not just", "no doubt", "nothing but")
"""What looks like a denial and is none."""
BREAKS = frozenset(["but", "however", "yet", "though", "although", "and", "then", "while", "because", "just", "still"])
"""Words, beside punctuation, beyond which a denial or a grade does not reach."""
IDLE = frozenset(
    """a about after again all also always am an any anybody anymore anyone anything are around as at away be became
    become becoming been before being both bunch by can could day days did do does doing done each else even ever
    every everybody everyone everything feel feeling feelings feels felt few find finding for found from get gets
    getting gives go goes going gone got had has have having he her here hers herself him himself his how i id if ill
    im in inside into is it its itself ive lately left less life like lot lots made make makes making many me mixed
    mixture moment mood more my myself n of off often oh on once one only or other our ours out over own part people
    quickly rest right s same seem seemed seems she should side since some somebody someone something sometimes soon t
    than that the their them themselves there these they thing things this those time times to today tonight tomorrow
    touch under until up upon us usually was way we well went were what when where whether which who whole whom why will
    with within world would yes yesterday you your yours yourself now let lets tinge hint sense state emotion emotions
    emotional emotionally full mix blend overall general generally person speaker voice face tone expresses expressing
    expressed expression shows showing shown show appears appear appearing looks look looking sounds sound sounding
    """.split()
)
"""Words that say nothing of a feeling and are passed over in silence."""

_TOKEN = re.compile(
    "[^\\W\\d_]+(?:['\u2019-][^\\W\\d_]+)*|[,.;:!?/|&+()\n]|[\u2600-\u27bf\U0001f000-\U0001faff][\ufe0f]?"
)
_MARKS = frozenset(",.;:!?/|&+()\n")
_REPLACED = (
    ("fulness", ("ful",)), ("iness", ("y",)), ("fully", ("ful", "")), ("ingly", ("ing", "")), ("edly", ("ed", "")),
    ("ically", ("ic", "y")), ("ily", ("y",)), ("ied", ("y", "ied")), ("ies", ("y",)), ("ier", ("y",)), ("iest", ("y",)),
    ("ness", ("",)), ("ment", ("", "ed")), ("ful", ("", "fulness")), ("less", ("lessness",)), ("ing", ("", "e", "ed")),
    ("ed", ("", "e", "ing")), ("es", ("", "e")), ("s", ("",)), ("ly", ("", "le")), ("er", ()), ("d", ("",)),
    ("est", ("", "e")), ("ion", ("e", "ed", "ing")), ("ation", ("e", "ed")), ("ous", ("", "y")), ("ive", ("ion",)),
    ("ity", ("", "e", "ous")), ("ic", ("y", "ia")), ("ible", ("", "ed")), ("able", ("", "e")), ("ty", ("", "ous")),
    ("some", ("", "ness")), ("y", ("", "e")),
)  # fmt: skip
_ADDED = ("ed", "d", "ing", "ly", "ness", "ful", "y", "ment", "ion", "ation")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a mark that divides, and where it stands."""

    text: str
    start: int
    end: int
    divides: bool = False


def tokens(text: str) -> list[Token]:
    """Return the words of a text in lower case, without apostrophes, and its dividing marks."""
    found = []
    for match in _TOKEN.finditer(text):
        word = match[0].lower().replace("'", "").replace("\u2019", "")
        found.append(Token(word, match.start(), match.end(), word in _MARKS))
    return found


def forms(word: str) -> Iterator[str]:
    """Yield other forms a word may have in a list of words, the likeliest first: without an ending, or with another."""
    seen = {word}
    for ending, others in _REPLACED:
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3:
            for other in others:
                yield from _fresh(base + other, seen)
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "sl":
                yield from _fresh(base[:-1], seen)
    for ending in _ADDED if len(word) >= 4 else ():
        yield from _fresh(word + ending, seen)
        if word[-1] == "e" and ending[0] in "ei":
            yield from _fresh(word[:-1] + ending, seen)
        if word[-1] == "y" and ending in ("ed", "ness", "ly"):
            yield from _fresh(word[:-1] + "i" + ending, seen)


def slips(first: str, second: str, most: int) -> int:
    """Return how many letters were dropped, added or swapped with a neighbour; `most` + 1 where it is more.

    A vowel for a vowel counts as one, any other change as two: consent is no slip for content.

    >>> slips("anixous", "anxious", 2)
    1
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        now = [i]
        for j, b in enumerate(second, 1):
            cost = min(last[j] + 1, now[j - 1] + 1, last[j - 1] + _change(a, b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return last[-1]


def _change(a: str, b: str) -> int:
    return 0 if a == b else 1 if a in "aeiouy" and b in "aeiouy" else 2


def _fresh(word: str, seen: set[str]) -> Iterator[str]:
    if word not in seen:
        seen.add(word)
        yield word
