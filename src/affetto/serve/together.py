"""What all channels of a recording say together, as people are told it: stretches, contradictions, who is who.

Knows Tracks; knows no colours.
"""

from collections.abc import Iterator
from dataclasses import replace

from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.serve.faces import Look, looks
from affetto.serve.gist import one_line, place

CHANNEL, CONFLICT, SPEAKING = "fused", "conflict", "speaking"


def told(record: Record) -> bool:
    """Tell whether anything is said by all channels together."""
    return any(track.channel == CHANNEL for track in record.tracks)


def apart(record: Record) -> Record:
    """Return a Record with only what single channels say: neither what is fused, nor who just speaks."""
    return replace(record, tracks=tuple(t for t in record.tracks if t.channel != CHANNEL and t.space.id != SPEAKING))


def fused(record: Record) -> list[Look]:
    """Return what is said of each person together, stretch by stretch, in order of time; without what is not said."""
    tracks = tuple(track for track in record.tracks if track.channel == CHANNEL and track.space.id != CONFLICT)
    found = [look for look in looks(replace(record, tracks=tracks), CHANNEL) if look.frames]
    return sorted(found, key=lambda look: look.span.start)


def conflicts(record: Record) -> list[tuple[Span, str, str]]:
    """Return where channels contradict each other, whose, and how, in order of time; neighbours alike are one."""
    found: list[tuple[Span, str, str]] = []
    for track in record.tracks:
        if track.space.id == CONFLICT and track.note is not None:
            found += _marked(track)
    return sorted(found, key=lambda one: one[0].start)


def _marked(track: Track) -> list[tuple[Span, str, str]]:
    found: list[tuple[Span, str, str]] = []
    for marked, span, words in zip(track.noted, track.spans, track.note or (), strict=True):
        if not marked:
            continue
        if found and found[-1][0].end >= span.start and found[-1][2] == words:
            found[-1] = (Span(found[-1][0].start, span.end, span.unit), track.subject, words)
        else:
            found.append((span, track.subject, words))
    return found


def linked(record: Record) -> Iterator[str]:
    """Yield a sentence for each person whose face and voice were brought together, and how sure that is."""
    for name, facts in record.people.items():
        sure = facts.get("linked")
        if facts.get("face") and facts.get("voice") and isinstance(sure, int | float):
            face, voice = one_line(str(facts["face"]), 24), one_line(str(facts["voice"]), 24)
            yield f"{one_line(name, 24)}: the face {face} speaks with the voice {voice} ({sure:.2f})"


def lines(record: Record) -> Iterator[str]:
    """Yield a plain line for each person and stretch, each contradiction, and each link of a face and a voice."""
    said = [(look.span, f"{one_line(look.subject)} together {look.space}: {_said(look)}") for look in fused(record)]
    said += [(span, f"{one_line(who)} contradiction: {words}") for span, who, words in conflicts(record)]
    for span, words in sorted(said, key=lambda one: one[0].start):
        yield f"{place(span)} to {place(Span(span.end, span.end))} {words}"
    yield from linked(record)


def _said(look: Look) -> str:
    named = [f"{axis.name} {value:.2f}" for axis, value in look.shares if value >= 0.1] or ["not said"]
    degrees = [f"{axis.name} {value:+.2f}" for axis, value in look.degrees]
    return "; ".join(filter(None, (", ".join(named), ", ".join(degrees))))
