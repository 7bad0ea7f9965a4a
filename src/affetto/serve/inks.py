"""Bars, scales and colours of a terminal. Colours say pleasant or not, and are never the only sign."""

from affetto.core.space import Axis

_BLOCKS = " ▏▎▍▌▋▊▉█"
_COLOURS = {
    "joy": "yellow", "happiness": "yellow", "amusement": "yellow", "excitement": "yellow", "pride": "yellow",
    "love": "bright_magenta", "caring": "bright_magenta", "gratitude": "bright_magenta", "trust": "green",
    "sadness": "blue", "grief": "blue", "disappointment": "blue", "remorse": "blue", "loneliness": "blue",
    "anger": "red", "annoyance": "red", "disapproval": "red", "rage": "red",
    "fear": "magenta", "nervousness": "magenta", "anxiety": "magenta", "terror": "magenta",
    "disgust": "chartreuse4", "embarrassment": "dark_orange", "surprise": "cyan", "realization": "cyan",
    "confusion": "cyan", "curiosity": "cyan", "anticipation": "dark_orange", "neutral": "bright_black",
}  # fmt: skip
_SPEAKERS = ("cyan", "magenta", "yellow", "green", "blue", "red")


def person(order: int) -> str:
    """Return the colour of the so many-th speaker or person."""
    return _SPEAKERS[order % len(_SPEAKERS)]


def bar(share: float, width: int) -> str:
    """Return a bar of as much of a width as a share says, to an eighth of a letter."""
    eighths = round(share * width * 8)
    full, rest = divmod(max(0, min(eighths, width * 8)), 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)


def scale(axis: Axis, value: float) -> list[tuple[str, str]]:
    """Return a scale with a mark where a value lies, as pieces of text with their styles."""
    width = 24
    at = round(height(axis, value) * (width - 1))
    line = ["─"] * width
    if axis.low < 0 < axis.high:
        line[width // 2] = "┼"
    before, after = "".join(line[:at]), "".join(line[at + 1 :])
    return [(before, "dim"), ("●", both_ways(axis, value)), (after, "dim")]


def height(axis: Axis, value: float) -> float:
    """Return where on its axis a value lies, 0..1."""
    return min(1.0, max(0.0, (value - axis.low) / (axis.high - axis.low)))


def both_ways(axis: Axis, value: float) -> str:
    """Return the colour of a degree."""
    if axis.name != "valence":
        return "cyan"
    at = height(axis, value)
    return "green" if at > 0.55 else "red" if at < 0.45 else "cyan"


def colour(axis: Axis) -> str:
    """Return the colour of a label."""
    return _COLOURS.get(axis.name) or {1: "green", -1: "red"}.get(axis.polarity or 0, "cyan")
