"""How spaces stand in EmotionML: the vocabularies of the W3C where one is the same, else a vocabulary of their own.

Knows names and scales; writes no XML. The standard vocabularies: w3.org/TR/emotion-voc (W3C Note, 1 April 2014).
"""

import re
from dataclasses import dataclass, field

from affetto.core.space import Axis, Space

W3C = "http://www.w3.org/TR/emotion-voc/xml#"
STANDARD: dict[str, tuple[str, dict[str, str]]] = {
    "big6": (
        "category",
        {
            "anger": "anger",
            "disgust": "disgust",
            "fear": "fear",
            "happiness": "joy",
            "sadness": "sadness",
            "surprise": "surprise",
        },
    ),
    "pad-dimensions": ("dimension", {"pleasure": "valence", "arousal": "arousal", "dominance": "dominance"}),
}
"""Fragment of the URI -> (type, its name -> our name)."""
SPACES = {"big6": "ekman-6", "pad-dimensions": "vad"}
"""Fragment of the URI -> the space that is the same."""
_NO_TOKEN = re.compile(
    "[^-.0-9:A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u0391-\u03a1"
    "\u03a3-\u03ce\u0410-\u044f\u0451-\u045c\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u0905-\u0939\u3041-\u3094"
    "\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3]"
)


@dataclass(frozen=True)
class Vocabulary:
    """A space as EmotionML says it."""

    uri: str
    """`#id` in the same document, or one of the W3C."""
    type: str
    """`category` or `dimension`."""
    names: tuple[str, ...]
    """What each axis is called there, in the order of the space."""
    axes: tuple[Axis, ...] = field(repr=False)

    @property
    def own(self) -> bool:
        """Whether the document must define it."""
        return self.uri.startswith("#")


def vocabulary(space: Space, id: str) -> Vocabulary:
    """Return how a space is said, calling it `id` where it needs a vocabulary of its own.

    >>> vocabulary(Space("x", "any", (Axis("not at all"),)), "x").names
    ('not_at_all',)
    """
    type = "dimension" if space.kind in ("graded", "vector") else "category"
    for fragment, (standard, names) in STANDARD.items():
        ours = {our: theirs for theirs, our in names.items()}
        same = set(space.names) == set(ours) and standard == type and space.kind != "open"
        if same and (type == "category" or all((a.low, a.high) == (-1, 1) for a in space.axes)):
            return Vocabulary(W3C + fragment, type, tuple(ours[name] for name in space.names), space.axes)
    return Vocabulary(f"#{id}", type, tokens(space.names), space.axes)


def tokens(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names that XML takes for tokens (xs:NMTOKEN), each once."""
    seen: dict[str, None] = {}
    for name in names:
        plain = token = _NO_TOKEN.sub("_", name)[:200]
        n = 1
        while token in seen:
            n += 1
            token = f"{plain}-{n}"
        seen[token] = None
    return tuple(seen)


def scaled(value: float, axis: Axis, kind: str) -> float:
    """Return a value on the scale 0..1 that EmotionML knows: probabilities as they are, axes by their range."""
    share = (value - axis.low) / (axis.high - axis.low) if kind == "graded" else value
    return min(max(share, 0.0), 1.0)


def unscaled(share: float, axis: Axis, kind: str) -> float:
    """Return the value whose `scaled` is `share`."""
    return axis.low + share * (axis.high - axis.low) if kind == "graded" else share
