"""The cases of the behaviour suite: templates filled in, names swapped, letters disturbed; always the same ones.

Knows texts and what is expected of them; knows no model.
"""

import itertools
import random
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FILE = Path(__file__).with_name("cases.toml")
SLOT = re.compile(r"\{(\w+)\}")
NEUTRAL = "The building has five floors and a lift. The corridor leads to the car park. "


@dataclass(frozen=True)
class Case:
    """Texts, and what is expected of the answers to them."""

    capability: str
    kind: Literal["MFT", "INV", "DIR"]
    texts: tuple[str, ...]
    """One (MFT), several that want the same answer (INV), or two that are compared (DIR)."""
    expect: str | tuple[str, ...]
    """Labels, one of which is named; or how the answer, or the first answer to the second, lies."""
    template: str
    """What it was filled in from: cases of one template are no independent witnesses."""


def cases(path: Path = FILE) -> list[Case]:
    """Return all cases, in the order of the file.

    >>> len(cases()) > 400, len({case.capability for case in cases()}) > 14
    (True, True)
    """
    plain = tomllib.loads(path.read_text("utf-8"))
    words = plain["words"] | plain["templates"]
    found = []
    for capability in plain["capability"]:
        for group in capability["case"]:
            found += [
                case
                for template in group["texts"]
                for case in _filled(capability["name"], group, template, plain, words)
            ]
    return found


def _filled(
    name: str, group: Mapping[str, Any], template: str, plain: Mapping[str, Any], words: Mapping[str, Sequence[str]]
) -> Iterator[Case]:
    for filling in _fillings(template, words, group.get("take")):
        text = _sentence(template, filling)
        whence = text if template in ("{plain}", "{person}") else template
        if "swap" in group:
            for people in plain["swaps"][group["swap"]]:
                texts = tuple(_sentence(text, {"who": who}) for who in people)
                yield Case(name, "INV", texts, "the same", whence)
        elif "noise" in group:
            yield Case(name, "INV", (text, *_NOISES[group["noise"]](text)), "the same", whence)
        elif "than" in group:
            yield Case(name, "DIR", (text, _sentence(group["than"], filling)), group["expect"], whence)
        else:
            expect = group["expect"]
            yield Case(name, "MFT", (text,), tuple(expect) if isinstance(expect, list) else expect, whence)


def _fillings(template: str, words: Mapping[str, Sequence[str]], take: int | None) -> list[dict[str, str]]:
    """Return the ways to fill the slots of a template, or `take` of them, as different as can be."""
    slots = [slot for slot in dict.fromkeys(SLOT.findall(template)) if slot in words]
    every = [dict(zip(slots, chosen, strict=True)) for chosen in itertools.product(*(words[slot] for slot in slots))]
    if take is None or take >= len(every):
        return every
    return random.Random(f"{template} {take}").sample(every, take)


def _sentence(template: str, filling: Mapping[str, str]) -> str:
    text = SLOT.sub(lambda slot: filling.get(slot[1], slot[0]), template)
    return text[:1].upper() + text[1:] if SLOT.search(template) and not SLOT.search(text) else text


def _typos(text: str) -> Iterator[str]:
    """Yield two texts in which two neighbouring letters inside one long word changed places."""
    rng = random.Random(text)
    places = [
        [at for at in range(word.start() + 1, word.end() - 2) if text[at] != text[at + 1]]
        for word in re.finditer(r"[a-z]{5,}", text)
    ]
    for at in map(rng.choice, rng.sample(places, min(2, len(places)))):
        yield text[:at] + text[at + 1] + text[at] + text[at + 2 :]


_NOISES: Mapping[str, Callable[[str], Iterator[str]]] = {
    "typos": _typos,
    "capitals": lambda text: iter((text.lower(), text.upper())),
    "clutter": lambda text: iter(
        (f"@anna {text}", f"{text} https://example.org/p/17", f"  {text.replace(' ', '  ')}\n\n", f"RT: {text} #42")
    ),
    "repeated": lambda text: iter((" ".join([text] * 100),)),
    "padded": lambda text: iter((f"{text} {NEUTRAL}",)),
}
