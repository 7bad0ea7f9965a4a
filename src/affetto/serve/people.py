"""Faces for people at a terminal: a block a person of a picture, a line a stretch of a film. Knows rich."""

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.serve import inks, together
from affetto.serve.faces import NOBODY, WORTH_NAMING, Look, head_words, looks, size_of, unit_words, where
from affetto.serve.gist import number, one_line, place

_SHADES = " ░▒▓█"
_UNITS = 3
"""Action units that are told."""


def show_people(record: Record, screen: Console) -> None:
    """Print what is seen in the faces of a picture or a film."""
    found = looks(record)
    seen = [look for look in found if look.frames]
    screen.print()
    screen.print(Text(f" {one_line(record.id, 60)}{_count(seen)}", style="italic"))
    if not seen:
        screen.print(Text(f"   {NOBODY}", style="dim"))
    elif any(look.span.end > look.span.start for look in found):
        _film(found, screen)
    else:
        for look in seen:
            _block(look, size_of(record), screen)
    screen.print(Text(f" {', '.join(sorted({source for look in found for source in look.sources}))}", style="dim"))
    screen.print()


def show_together(record: Record, screen: Console) -> None:
    """Print what all channels say of each person together, where they contradict each other, and who is who."""
    found = together.fused(record)
    names = list(dict.fromkeys(look.subject for look in found))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("from", "to", "who", "together", "valence", "arousal"):
        table.add_column(head, justify="left" if head in ("who", "together") else "right", no_wrap=True)
    for look in found:
        name = Text(one_line(look.subject, 16), style=inks.person(names.index(look.subject)))
        start, end = place(look.span), place(Span(look.span.end, look.span.end))
        table.add_row(start, end, name, _shows(look), _degree(look, "valence"), _degree(look, "arousal"))
    screen.print(table)
    for span, who, words in together.conflicts(record):
        at = f"{place(span)} to {place(Span(span.end, span.end))}"
        screen.print(Text.assemble(f" {at}  ", (one_line(who, 16), "bold"), (f"  contradiction: {words}", "yellow")))
    for words in together.linked(record):
        screen.print(Text(f" {words}"))
    sources = sorted({track.source for track in record.tracks if track.channel == together.CHANNEL})
    screen.print(Text(f" {', '.join(sources)}", style="dim"))
    screen.print()


def _count(seen: Sequence[Look]) -> str:
    people = len({look.subject for look in seen})
    return f"  ·  {people} face{'' if people == 1 else 's'}" if people else ""


def _block(look: Look, size: tuple[int, int], screen: Console) -> None:
    """Print a person of a picture: where, which expression, how sure, degrees, units, the head."""
    line = Text.assemble("\n ", (one_line(look.subject, 40), "bold"), (f"  {look.perspective}", "dim"))
    if look.shares:
        axis, _ = look.shares[0]
        line.append("  ").append(axis.name, style=f"bold {inks.colour(axis)}")
        if not math.isnan(look.confidence):
            line.append(f"  confidence {look.confidence:.2f}")
    if look.box is not None:
        line.append(f"  {where(look.box, size)}", style="dim")
    screen.print(line)
    kept = [share for share in look.shares if share[1] >= WORTH_NAMING] or look.shares[:1]
    for i, (axis, value) in enumerate(kept):
        line = Text.assemble(f"   {axis.name:<15}", (inks.bar(value, 24), inks.colour(axis)), f" {value:.2f}")
        screen.print(line if i else line.append(f"   {look.space}", style="dim"))
    for axis, value in look.degrees:
        screen.print(Text.assemble(f"   {axis.name:<15}", *inks.scale(axis, value), f" {number(axis, value)}"))
    for name, words in (("moves", _moves(look)), ("head", head_words(look.pose))):
        if words:
            screen.print(Text(f"   {name:<15}{words}"))


def _film(found: Sequence[Look], screen: Console) -> None:
    """Print a film as a table of stretches, and below it how long each person was seen."""
    people = list(dict.fromkeys(look.subject for look in found))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    wanted = {"from": 0, "to": 48, "who": 0, "shows": 0, "sure": 54, "valence": 64, "arousal": 74, "frames": 84}
    heads = [head for head, wants in (wanted | {"moves": 110}).items() if screen.width >= wants]
    for head in heads:
        table.add_column(head, justify="left" if head in ("who", "shows", "moves") else "right", no_wrap=True)
    for look in sorted(found, key=lambda look: (look.span.start, people.index(look.subject))):
        cells: dict[str, str | Text] = {
            "from": place(look.span),
            "to": place(Span(look.span.end, look.span.end)),
            "who": Text(one_line(look.subject, 16), style=inks.person(people.index(look.subject))),
            "shows": _shows(look),
            "sure": "" if math.isnan(look.confidence) else f"{look.confidence:.2f}",
            "valence": _degree(look, "valence"),
            "arousal": _degree(look, "arousal"),
            "frames": str(look.frames or ""),
            "moves": ", ".join(axis.name for axis, _ in look.units[:_UNITS]),
        }
        table.add_row(*(cells[head] for head in heads))
    screen.print(table)
    for order, name in enumerate(people):
        mine = [look for look in found if look.subject == name and look.frames]
        frames, seconds = sum(look.frames for look in mine), sum(look.span.end - look.span.start for look in mine)
        words = f"  seen for {seconds:.1f} s, in {frames} frame{'' if frames == 1 else 's'}"
        screen.print(Text.assemble(" ", (one_line(name, 16), inks.person(order)), words))


def _shows(look: Look) -> Text:
    if not look.shares:
        return Text("seen" if look.frames else f"not said{f' ({one_line(look.note, 20)})' if look.note else ''}", "dim")
    axis, value = look.shares[0]
    return Text.assemble((f"{axis.name:<10} ", inks.colour(axis)), (inks.bar(value, 6), inks.colour(axis)))


def _degree(look: Look, name: str) -> Text:
    share = look.degree(name)
    return Text("") if share is None else Text(number(*share), style=inks.both_ways(*share))


def _moves(look: Look) -> str:
    return ", ".join(f"{unit_words(axis)} {value:.1f}" for axis, value in look.units[:_UNITS])


def patches(part: Track) -> Text:
    """Return a face as a grid of shades: the darker a cell, the more the answer falls without it; red: it rises."""
    weights = part.values[:, 0]
    side = max(1, round(len(weights) ** 0.5))
    most = max(float(abs(weights).max(initial=0.0)), 0.02)
    drawn = Text()
    for k, weight in enumerate(weights):
        share = float(weight) / most
        shade = _SHADES[round(abs(share) * (len(_SHADES) - 1))]
        drawn.append("" if k % side else "\n   " if k else "   ")
        drawn.append(2 * shade, style="green" if share > 0 else "red")
    return drawn


def regions(part: Track) -> list[tuple[str, float]]:
    """Return the parts of a face that patches name, each with the weight farthest from 0, in the order of the face."""
    found: dict[str, float] = {}
    for name, weight in zip(part.note or (), part.values[:, 0].tolist(), strict=False):
        if abs(weight) >= abs(found.get(name, 0.0)):
            found[name] = weight
    return list(found.items())
