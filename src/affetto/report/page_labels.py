"""The look of each label on the page: its colour, its pattern and its two letters, the same in every record.

The labels of Ekman and their synonyms keep the colours that the pictures of `plot` give them (Okabe and Ito 2008, told
apart by colour-blind people too); any other label gets a paler colour that only its name decides. Knows no Record.
"""

import colorsys
import zlib
from dataclasses import dataclass, field

from affetto.report.strips import COLOURS

NEUTRAL = "#A3A8AE"
_KNOWN = {
    "joy": (COLOURS[0], 1, ("happiness", "happy", "positive", "amusement", "excitement")),
    "sadness": (COLOURS[1], 2, ("sad", "negative", "grief")),
    "anger": (COLOURS[2], 3, ("angry", "annoyance")),
    "fear": (COLOURS[3], 4, ("fearful", "scared", "nervousness", "anxiety")),
    "disgust": (COLOURS[4], 5, ("disgusted",)),
    "surprise": (COLOURS[5], 6, ("surprised",)),
    "love": (COLOURS[6], 7, ("trust", "caring")),
    "contempt": (COLOURS[8], 8, ()),
    "neutral": (NEUTRAL, 0, ("no emotion", "other")),
    "calm": ("#8FB7A8", 0, ("relief",)),
}
"""Label: colour, pattern, and the words that look the same."""
_LOOKS = {word: (colour, pattern) for name, (colour, pattern, also) in _KNOWN.items() for word in (name, *also)}
PLAIN = frozenset(("neutral", "no emotion", "calm", "other"))
"""Labels that are no peak."""
_HUES, _TIERS = 15, ((0.42, 0.42), (0.58, 0.38), (0.72, 0.45))
"""Of labels that nobody knows: hues, and pairs of lightness and saturation."""


@dataclass(frozen=True)
class Look:
    """How one label is drawn."""

    name: str
    short: str
    """Two letters, where there is no room for the name."""
    colour: str
    """As #RRGGBB."""
    pattern: int
    """0 none, 1 to 8: what is drawn over the colour where patterns are asked for."""


def look(name: str) -> Look:
    """Return how a label is drawn; it depends on nothing but its name.

    >>> look("joy").colour, look("joy").short
    ('#E69F00', 'Jo')
    """
    colour, pattern = _LOOKS.get(name.strip().lower(), ("", 0))
    if not colour:
        number = zlib.crc32(name.encode("utf-8", "replace"))
        light, strong = _TIERS[number // _HUES % len(_TIERS)]
        colour = "#" + "".join(
            f"{round(255 * part):02X}" for part in colorsys.hls_to_rgb(number % _HUES / _HUES, light, strong)
        )
        pattern = 1 + number // 45 % 8
    return Look(name, name.strip()[:2].capitalize(), colour, pattern)


@dataclass
class Labels:
    """The labels that a page names, each with its number, in the order of their first use."""

    looks: list[Look] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return the number of a label, a new one at its first use."""
        if name not in self._numbers:
            self._numbers[name] = len(self.looks)
            self.looks.append(look(name))
        return self._numbers[name]
