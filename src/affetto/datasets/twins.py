"""Texts that stand in another split too: exactly the same, but for case, width, punctuation and spacing.

Knows texts and names of splits; knows no files. What is only nearly the same, `nearness` finds.
"""

from collections.abc import Iterable, Mapping

from affetto.datasets.nearness import plain

Held = Mapping[str, str]
"""Plain text to the split that holds it."""
ABOVE = {"train": ("test", "dev"), "dev": ("test",)}
"""Which splits a split must not repeat."""


def held(texts: Mapping[str, Iterable[str]]) -> Held:
    """Return which split holds which text; of several, the one named first.

    >>> held({"test": ["Thank you!"], "dev": ["thank you", "Hm?"]})
    {'thank you': 'test', 'hm': 'dev'}
    """
    found: dict[str, str] = {}
    for split, members in texts.items():
        for text in members:
            if bare := plain(text):
                found.setdefault(bare, split)
    return found


def twin(text: str, others: Held) -> dict[str, str]:
    """Return the entry of a Record's meta that says where its text stands too; empty where nowhere.

    >>> twin("Thank you.", {"thank you": "test"})
    {'duplicate_of': 'test'}
    """
    return {"duplicate_of": others[bare]} if (bare := plain(text)) in others else {}
