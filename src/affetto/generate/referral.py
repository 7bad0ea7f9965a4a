"""What is said in place of a reply where words ask for a person's help: a short notice that names whom to call.

Takes what `dialogue.care` said, as Tracks in the space `care`, or the families themselves. It names what was written,
never a condition; it knows help lines by country (`helplines.toml`, to be checked before anybody relies on them), and
knows not who reads it. It is written in English, whatever language is asked for.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.track import Track

SPACE = "care"
REFER = 0.5
"""From this value on a person should be named (see `dialogue.care`)."""
OTHER = "about somebody else: "
"""How the note of a row begins where the one in trouble is not the one who speaks."""
_FAMILIES = ("emergency", "self-harm", "abuse", "danger-to-others")
_HEARD = {
    "emergency": "your life may be in danger right now",
    "self-harm": "you may be thinking of dying or of hurting yourself",
    "abuse": "somebody is hurting you, or has hurt you",
    "danger-to-others": "somebody else might get hurt by you",
}
_HEARD_OF_OTHERS = {
    "emergency": "somebody's life may be in danger right now",
    "self-harm": "somebody may be thinking of dying or of hurting themselves",
    "abuse": "somebody is being hurt, or was",
    "danger-to-others": "somebody may hurt others",
}


@dataclass(frozen=True)
class Noticed:
    """What in a talk asks for a person's help."""

    families: tuple[str, ...]
    """The most urgent first."""
    other: bool
    """Whether it is about somebody else than who speaks."""
    words: tuple[str, ...]
    """As they were said."""


def noticed(tracks: Iterable[Track], since: float = 0.0) -> Noticed | None:
    """Return what Tracks in the space `care` ask for; None where nothing reaches `REFER`.

    Args:
        tracks: of a talk; those in other spaces are passed over.
        since: only rows that end after it, in the Tracks' own unit.
    """
    families: set[str] = set()
    words: list[str] = []
    for track in tracks:
        if track.space.id != SPACE:
            continue
        for row in np.flatnonzero((track.values >= REFER).any(1) & (track.end > since)):
            families |= {
                axis.name for axis, value in zip(track.space.axes, track.values[row], strict=True) if value >= REFER
            }
            words.append(track.note[row] if track.note else "")
    if not families:
        return None
    return Noticed(
        _ordered(families), all(said.startswith(OTHER) for said in words), tuple(w.removeprefix(OTHER) for w in words)
    )


def notice(families: Collection[str], country: str = "", language: str = "en", other: bool = False) -> str:
    """Return the notice: what was noticed, that a program cannot help, and whom to call.

    Args:
        families: axes of the space `care`; none, or unknown ones, get the notice for any trouble.
        country: where the reader is: an ISO 3166 code, a name, or a locale such as en-GB; unknown ones get the
            directory of help lines of all countries.
        language: BCP 47 code; there is English only, and a notice in English is better than none.
        other: whether it is about somebody else than the reader.

    >>> print(notice(["abuse"], "GB").splitlines()[2])
    If anybody is in danger right now, call 999.
    """
    del language
    known = _ordered(families)
    heard = [(_HEARD_OF_OTHERS if other else _HEARD)[family] for family in known]
    what = f"Your words sound as if {', and '.join(heard) or 'you carry a great deal'}"
    entry = lines(country)
    directory = _helplines()["directory"]
    emergency = entry["emergency"] if entry else directory["emergency"]
    urgent = "emergency" in known
    said = [
        f"{what}. Thank you for saying it.",
        "I am a program: I cannot help in a crisis and I will not pretend to. A person can, and this should not wait.",
        f"Call {emergency} now, and do not wait until it feels worse."
        if urgent
        else f"If anybody is in danger right now, call {emergency}.",
        *_calls(known, entry),
        f"Lines in {'other countries' if entry else 'your country'}: {directory['url']} or {directory['more']}",
        _closing(known, other),
    ]
    return "\n".join(said)


def lines(country: str) -> Mapping[str, Any] | None:
    """Return what is known of a country: `emergency`, `crisis` and `violence`; None where it is not known.

    >>> lines("en-AU")["emergency"], lines("united kingdom")["crisis"][0]["number"], lines("Atlantis")
    ('000', '116 123', None)
    """
    wanted = country.strip().casefold().replace("_", "-").split(".")[0]
    found: dict[str, Mapping[str, Any]] = _helplines()["countries"]
    for code, entry in found.items():
        if wanted == code.casefold() or wanted in (name.casefold() for name in entry["names"]):
            return entry
    parts = wanted.split("-")
    return found.get(parts[-1].upper()) if len(parts) > 1 else None


@cache
def _helplines() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("helplines.toml").read_text("utf-8"))


def _calls(families: Sequence[str], entry: Mapping[str, Any] | None) -> list[str]:
    """Return a line for each help line that fits."""
    if entry is None:
        return []
    kinds = ["violence"] if families == ("abuse",) else ["crisis", *(["violence"] if "abuse" in families else [])]
    chosen = [one for kind in kinds for one in entry[kind]] or entry["crisis"]
    return [f"To talk to somebody: {one['name']}, {one['number']} ({one['source']})" for one in chosen]


def _closing(families: Sequence[str], other: bool) -> str:
    if other:
        return (
            "If you can, do not leave them alone, ask them openly how they are, and bring in somebody you trust. "
            "It is not yours to carry alone. If I have misread you, I am sorry."
        )
    if families == ("danger-to-others",):
        return "Please step away from them, and from anything that could hurt, until you have talked to somebody."
    if families == ("abuse",):
        return "It is not your fault. If somebody can see your screen, clear this talk once you have the number."
    return (
        "Until then, tell somebody near you, and stay away from anything you could hurt yourself with. "
        "If I have misread you, I am sorry."
    )


def _ordered(families: Collection[str]) -> tuple[str, ...]:
    return tuple(family for family in _FAMILIES if family in families)
