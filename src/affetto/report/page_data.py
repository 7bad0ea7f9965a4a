"""The data of the page, as plain JSON values: what the script draws. Knows the shapes that `page/*.js` read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from affetto.core.errors import AffettoError, MalformedError
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.report import page_people, page_rows
from affetto.report.page_labels import Labels
from affetto.report.page_people import Cast, Mark, Person, Spoken

Stills = Mapping[str, Sequence[tuple[float, bytes]]]
"""Of a subject: seconds, and the picture at each as a JPEG."""
_FEW = 10
"""Pictures of a face below which nobody knows what it usually shows."""
_PER_REASON = 40
"""Rows of an explanation that the page tells, the most important."""


@dataclass(frozen=True)
class Options:
    """How the page is made."""

    title: str = ""
    """Above all; by default the id of the Record."""
    made: date | None = None
    """When; today where nothing is said."""
    rows: int = 4000
    """Rows of a Track; more become means over bins of even length."""
    units: int = 8
    """Action units of each person, the strongest."""
    peaks: int = 4
    """Peaks of each person that are told."""

    def __post_init__(self) -> None:
        """Refuse what makes no page."""
        if not (self.rows >= 10 and self.units >= 0 and self.peaks >= 0):
            raise MalformedError(
                f"a page wants rows >= 10, units and peaks >= 0, not {self.rows}, {self.units} and {self.peaks}"
            )


def data(cast: Cast, labels: Labels, options: Options, media: str = "") -> dict[str, Any]:
    """Return all that the script needs: labels with their looks, people with their rows, turns, explanations.

    Args:
        cast: who is on the page.
        labels: grows by the labels that are named.
        options: how many rows.
        media: `video`, `audio`, `image` or empty.
    """
    people = [_person(person, labels, options, cast.end) for person in cast.people]
    plain = {
        "unit": cast.unit,
        "end": round(cast.end, 3),
        "media": media,
        "people": people,
        "turns": [_turn(turn, cast, people) for turn in cast.turns],
        "readers": [_also(track, labels, options.rows) for track in cast.readers],
        "reasons": [reason for track in cast.reasons for reason in _reasons(track)],
    }
    return {"labels": [vars(look) for look in labels.looks]} | plain


def _person(person: Person, labels: Labels, options: Options, end: float) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": person.name,
        "lanes": [page_rows.label_rows(track, options.rows, labels) for track in person.lanes],
        "also": [_also(track, labels, options.rows) for track in person.also],
        "speaking": [[round(a, 3), round(b, 3), round(100 * sure)] for a, b, sure in person.speaking],
        "marks": [_mark(mark) for mark in person.marks],
    }
    if person.degrees is not None:
        plain["degrees"] = _degrees(person, options.rows)
    if person.units is not None:
        plain["units"] = _units(person.units, options)
    if person.prosody is not None:
        plain["prosody"] = page_rows.number_rows(
            person.prosody, options.rows, range(len(person.prosody.space.axes)), 10
        )
    if person.main is not None:
        found = page_people.peaks(person.main, options.peaks, end / 20)
        plain["peaks"] = [[round(peak.at, 3), labels.number(peak.label), round(100 * peak.value)] for peak in found]
    return plain


def _mark(mark: Mark) -> list[Any]:
    return [round(mark.start, 3), round(mark.end, 3), round(100 * mark.degree), mark.channel, mark.note]


def _degrees(person: Person, most: int) -> dict[str, Any]:
    """Return valence and arousal, with how far valence may lie off where the labels of the same rows tell."""
    track = person.degrees
    assert track is not None
    axes = [track.space.index(name) for name in ("valence", "arousal") if name in track.space.names]
    plain = page_rows.number_rows(track, most, axes, 100)
    for lane in person.lanes:
        same = lane.channel == track.channel and np.array_equal(lane.start, track.start)
        if same and (off := page_rows.spread(lane, most)) is not None:
            return plain | {"off": off}
    return plain


def _units(track: Track, options: Options) -> dict[str, Any]:
    """Return the action units that were strongest, each at its 95th percentile, with their FACS names."""
    said = track.values[~np.isnan(track.values).all(1)]
    said = np.where(np.isnan(said).all(0), 0.0, said)
    strength = np.nanquantile(said, 0.95, axis=0) if len(said) else np.zeros(len(track.space.axes))
    order = [int(i) for i in np.argsort(-strength, kind="stable")[: options.units] if strength[i] > 0.05]
    order.sort(key=lambda i: track.space.names[i])
    plain = page_rows.number_rows(track, options.rows, order, 10)
    usual = np.nanmedian(said[:, order], axis=0) if len(said) >= _FEW else np.full(len(order), np.nan)
    return plain | {
        "called": [_facs(track.space.axes[i].name, track) for i in order],
        "usual": page_rows.whole(np.asarray(usual), 10),
    }


def _facs(name: str, track: Track) -> str:
    from affetto.spaces import taxonomy  # noqa: PLC0415 - only where there are units

    own = track.space[name].facts.get("facs_name", "")
    try:
        return own or str(taxonomy.space("facs-au")[name].facts.get("facs_name", ""))
    except AffettoError:
        return ""


def _also(track: Track, labels: Labels, most: int) -> dict[str, Any]:
    if track.space.kind == "graded":
        return page_rows.number_rows(track, most, range(len(track.space.axes)), 100)
    return page_rows.label_rows(track, most, labels)


def _turn(turn: Spoken, cast: Cast, people: Sequence[dict[str, Any]]) -> list[Any]:
    """Return where a turn lies and who speaks, by number."""
    who = next(i for i, person in enumerate(cast.people) if person.name == turn.speaker)
    return [None if turn.place is None else [round(x, 3) for x in turn.place], who]


def _reasons(track: Track) -> list[dict[str, Any]]:
    """Return the explanations in a Track, one for each stretch that is explained, each with its weightiest rows."""
    apart: dict[Span | None, list[int]] = {}
    for i, about in enumerate(track.about or (None,) * len(track)):
        apart.setdefault(about, []).append(i)
    found = []
    for about, all_rows in apart.items():
        weight = np.abs(np.nan_to_num(track.values[all_rows, 0]))
        kept = sorted(all_rows[i] for i in np.argsort(-weight, kind="stable")[:_PER_REASON])
        parts = [[track.note[i] if track.note else "", *page_rows.whole(track.values[i, :1], 100)] for i in kept]
        place = [about.start, about.end, about.unit] if about is not None else None
        found.append(
            {"subject": track.subject, "channel": track.channel, "source": track.source, "about": place, "parts": parts}
        )
    return found
