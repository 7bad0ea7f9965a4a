"""Answers for people at a terminal: bars, colours, a talk as a table of turns. Knows rich; decides nothing.

Colours say pleasant or not and are never the only sign; NO_COLOR and TERM=dumb are respected (by rich). Faces are in
`people`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from affetto.core.record import Record
from affetto.core.signal import Audio, Frames
from affetto.core.track import Track
from affetto.serve import faces, inks, people, together
from affetto.serve.gist import WORTH_NAMING, Answer, Gist, Share, explained, gists, number, one_line, place, words

Reason = tuple[Track, tuple[Track, ...]]
_STEPS = "▁▂▃▄▅▆▇█"


def console(width: int | None = None) -> Console:
    """Return the console on stdout."""
    return Console(highlight=False, markup=False, emoji=False, width=width, soft_wrap=False)


def show(records: Iterable[Record], screen: Console) -> None:
    """Print each Record as it comes: a talk as a table of turns, one post as bars, many as a line each text."""
    rest = iter(records)
    first = next(rest, None)
    if first is None:
        return
    second = next(rest, None)
    if talks(first) or (second is None and "fields" not in first.meta):
        for record in (first, *([second] if second else []), *rest):
            show_one(record, screen)
        return
    screen.print(_line_header(screen), style="bold")
    for record in (first, *([second] if second else []), *rest):
        for line in _lines(record, screen):
            screen.print(line, overflow="ellipsis", no_wrap=True)


def talks(record: Record) -> bool:
    """Tell whether a Record is shown as a table along time: a talk, or a recording that could be answered."""
    if "error" in record.meta:
        return bool(record.turns)
    return bool(record.turns) or any(isinstance(signal, Audio | Frames) for signal in record.signals)


def show_one(record: Record, screen: Console) -> None:
    """Print one Record: what is said in words and voices, what faces show, and what all of that says together."""
    whole, record = record, together.apart(record)
    rest = faces.faceless(record)
    if faces.faced(record):
        if rest.tracks:
            (show_talk if talks(record) else show_post)(rest, screen)
        people.show_people(record, screen)
    else:
        (show_talk if talks(record) else show_post)(record, screen)
    if together.told(whole):
        people.show_together(whole, screen)


def show_post(record: Record, screen: Console) -> None:
    """Print one text and what is felt, by whom, and how sure that is."""
    if error := record.meta.get("error"):
        screen.print(Text.assemble((f"{one_line(record.id)} ", "bold"), (one_line(str(error)), "red")))
        return
    screen.print()
    screen.print(Text(f" {one_line(record.text or '(no text)', 2000)}", style="italic"))
    for gist in gists(record):
        screen.print()
        screen.print(_headline(gist))
        for answer in gist.answers:
            _bars(answer, screen)
        for axis, value in gist.degrees:
            screen.print(
                Text.assemble((f"   {axis.name:<15}", ""), *inks.scale(axis, value), f" {number(axis, value)}")
            )
        strong = [(axis, value) for axis, value in gist.intensities if value > axis.low + 0.1 * (axis.high - axis.low)]
        if strong:
            said = ", ".join(f"{axis.name} {value:.1f} of {axis.high:g}" for axis, value in strong)
            screen.print(Text.assemble((f"   {'how strong':<15}", ""), said))
        screen.print(Text(f"   {', '.join(gist.sources)}", style="dim"))
    if not record.tracks:
        screen.print(Text("   not said", style="dim"))
    screen.print()


def show_talk(record: Record, screen: Console) -> None:
    """Print a talk or a recording as a table along time, and below it how each speaker's valence went."""
    turns = [gist for gist in gists(record) if gist.subject != "reader"]
    speakers = list(dict.fromkeys((*(turn.speaker for turn in record.turns), *(gist.subject for gist in turns))))
    says = "says" if record.turns else "sounds"
    colours = {name: inks.person(i) for i, name in enumerate(speakers)}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head, justify in (("at", "right"), ("who", "left"), (says, "left"), ("feels", "left")):
        table.add_column(head, justify=justify, ratio=1 if head == says else None, no_wrap=head != says)  # type: ignore[arg-type]
    roomy = [head for head, wants in (("sure", 64), ("valence", 56), ("arousal", 76)) if screen.width >= wants]
    for head in roomy:
        table.add_column(head, justify="right", no_wrap=True)
    for gist in turns:
        cells: dict[str, str | Text] = {
            "sure": _sure(gist),
            "valence": _degree(gist, "valence"),
            "arousal": _degree(gist, "arousal"),
        }
        table.add_row(
            place(gist.span),
            Text(one_line(gist.subject, 16), style=colours.get(gist.subject, "")),
            one_line(gist.text, 400) if record.turns else _voice(gist),
            _feeling(gist),
            *(cells[head] for head in roomy),
        )
    screen.print()
    screen.print(table)
    for name in speakers:
        mine = [share[1] for gist in turns if gist.subject == name and (share := gist.degree("valence"))]
        axis = next((share[0] for gist in turns if (share := gist.degree("valence"))), None)
        if mine and axis is not None:
            curve = "".join(_STEPS[round(7 * inks.height(axis, value))] for value in mine)
            mean = number(axis, sum(mine) / len(mine))
            screen.print(Text.assemble(" ", (one_line(name, 16), colours[name]), f"  {curve}  mean valence {mean}"))
    if record.tracks:
        screen.print(Text(f" {', '.join(sorted({track.source for track in record.tracks}))}", style="dim"))
    screen.print()


def _voice(gist: Gist) -> str:
    """Return how a voice sounds: pitch, loudness, and how many syllables a second."""
    wanted = {"pitch": "{:.0f} Hz", "loudness": "{:.0f} dBFS", "rate": "{:.1f}/s"}
    said = {axis.name: value for axis, value in gist.intensities}
    return ", ".join(form.format(said[name]) for name, form in wanted.items() if name in said)


def show_reasons(record: Record, reasons: Sequence[Reason], screen: Console) -> None:
    """Print each answer above its words, coloured by how far they carried it."""
    for answer, parts in reasons:
        span = answer.spans[0]
        when = "" if span.unit == "s" and span.end == 0 else place(span)
        for part in parts:
            screen.print()
            head = Text.assemble(" ", (one_line(answer.subject, 40), "bold"), (f"  {answer.perspective}  ", "dim"))
            screen.print(head.append(explained(part), style="bold").append(f"  {when}", style="dim"))
            if part.source.startswith(("cues(", "units(")):
                screen.print(_qualities(part))
                continue
            if part.box is not None:
                screen.print(people.patches(part))
                screen.print(_carriers(people.regions(part)))
                continue
            screen.print(_curve(part) if part.unit == "s" else _painted(words(record, span), part))
            screen.print(_carriers(list(zip(part.note or (), part.values[:, 0].tolist(), strict=True))))
    if not any(parts for _, parts in reasons):
        screen.print(Text(one_line(str(record.meta.get("error", "not said"))), style="dim"))
    screen.print()


def _painted(text: str, part: Track) -> Text:
    weights = part.values[:, 0]
    most = max(float(abs(weights).max(initial=0.0)), 0.05)
    painted, at = Text(" "), 0
    for span, weight in zip(part.spans, weights, strict=True):
        start, end = int(span.start), int(span.end)
        painted.append(one_line_kept(text[at:start]))
        painted.append(one_line_kept(text[start:end]), style=_ink(float(weight) / most))
        at = end
    painted.append(one_line_kept(text[at:]))
    return painted


def _curve(part: Track) -> Text:
    """Return the seconds of a voice as a curve: as high as they carried the answer, flat where they did not."""
    weights = part.values[:, 0]
    most = max(float(weights.max(initial=0.0)), 0.05)
    curve = Text(" ")
    for weight in weights:
        share = max(0.0, float(weight) / most)
        curve.append(_STEPS[round(share * (len(_STEPS) - 1))], style="green" if share >= 0.12 else "dim")
    return curve


def _qualities(part: Track) -> Text:
    """Return what a voice is like and how far that speaks for the answer, a line each."""
    said = list(zip(part.note or (), part.values[:, 0], strict=True))[:5]
    lines = [
        Text.assemble((f"   {x:+.2f}  ", "dim"), (one_line(note), "green" if x > 0 else "red")) for note, x in said
    ]
    return Text("\n").join(lines)


def _ink(share: float) -> str:
    """Return how a word is drawn that carried this share (-1..1) of what the strongest word did."""
    if share >= 0.66:
        return "bold black on green"
    if share >= 0.33:
        return "bold green"
    if share >= 0.12:
        return "green"
    return "red strike" if share <= -0.33 else "red" if share <= -0.12 else ""


def _carriers(named: Sequence[tuple[str, float]]) -> Text:
    said = sorted(named, key=lambda pair: -abs(pair[1]))[:5]
    line = Text("   ")
    for word, weight in said:
        if abs(weight) >= 0.005:
            line.append(f"{one_line(word, 24)} ", style="green" if weight > 0 else "red")
            line.append(f"{weight:+.2f}   ", style="dim")
    return line


def one_line_kept(text: str) -> str:
    """Return text on one line without control codes, its outer spaces kept."""
    inner = one_line(text)
    if not inner:
        return " " if text else ""
    return (" " if text[0].isspace() else "") + inner + (" " if text[-1].isspace() else "")


def _headline(gist: Gist) -> Text:
    line = Text.assemble(" ", (one_line(gist.subject, 40), "bold"), (f"  {', '.join(gist.perspectives)}", "dim"))
    if gist.main is not None:
        axis, _ = gist.main
        line.append("  ")
        line.append(axis.name, style=f"bold {inks.colour(axis)}")
        if not math.isnan(gist.confidence):
            line.append(f"  confidence {gist.confidence:.2f}")
    elif not gist.degrees and not gist.intensities:
        line.append(f"  not said{': ' if gist.notes else ''}{one_line('; '.join(gist.notes), 200)}", style="dim")
    return line


def _bars(answer: Answer, screen: Console) -> None:
    least = 0.2 if answer.decided else WORTH_NAMING
    kept = [share for share in answer.shares if share[1] >= least or share[0].name in answer.decided][:4]
    for i, (axis, value) in enumerate(kept or answer.shares[:1]):
        mark = "• " if axis.name in answer.decided else "  "
        line = Text.assemble(f" {mark}{axis.name:<15}", (inks.bar(value, 24), inks.colour(axis)), f" {value:.2f}")
        screen.print(line if i else Text.assemble(line, (f"   {answer.space}", "dim")))


def _feeling(gist: Gist) -> Text:
    if gist.main is None:
        return Text("not said", style="dim")
    axis, value = gist.main
    return Text.assemble((f"{axis.name:<10} ", inks.colour(axis)), (inks.bar(value, 6), inks.colour(axis)))


def _sure(gist: Gist) -> str:
    return "" if math.isnan(gist.confidence) else f"{gist.confidence:.2f}"


def _degree(gist: Gist, name: str) -> Text:
    share: Share | None = gist.degree(name)
    return Text("") if share is None else Text(number(*share), style=inks.both_ways(*share))


def _line_header(screen: Console) -> Text:
    return Text(f"{'id':<10} {'feels':<17} {'sure':>5} {'valence':>8} {'arousal':>8}  text"[: screen.width])


def _lines(record: Record, screen: Console) -> Iterator[Text]:
    """Yield a line of a post, or of each of its fields, and what went wrong."""
    shown = [gist for gist in gists(record) if gist.subject != "reader"]
    if faces.faced(record) and "error" not in record.meta:
        yield from _faces(record, screen)
        return
    if error := record.meta.get("error"):
        line = Text(f"{one_line(record.id, 10):<10} ")
        yield line.append(one_line(str(error), max(10, screen.width - 12)), style="red")
    if "fields" in record.meta:
        for gist in shown:
            yield _line(record.id, gist, gist.text, screen)
    elif not error:
        yield _line(record.id, next(iter(shown), None), record.text or "", screen)


def _faces(record: Record, screen: Console) -> Iterator[Text]:
    """Yield a line of each face in a picture, and of each stretch of one in a film."""
    size = faces.size_of(record)
    for look in faces.looks(record):
        words = faces.where(look.box, size) if look.box else faces.NOBODY if not look.frames else ""
        answers = [Answer(look.space, look.shares, look.confidence, [])] if look.shares else []
        shown = Gist(look.subject, look.span, "", answers=answers, degrees=look.degrees)
        yield _line(record.id, shown, f"{look.subject}: {words}" if look.frames else words, screen)


def _line(id: str, shown: Gist | None, text: str, screen: Console) -> Text:
    line = Text(f"{one_line(id, 10):<10} ")
    if shown is None:
        return line.append(f"{'not said':<17}", style="dim")
    feeling = _feeling(shown)
    line.append_text(feeling).append(" " * (18 - len(feeling))).append(f"{_sure(shown):>5} ")
    for name in ("valence", "arousal"):
        cell = _degree(shown, name)
        line.append(" " * (8 - len(cell))).append_text(cell).append(" ")
    return line.append(f" {one_line(text, max(10, screen.width - 54))}")


def show_table(rows: Sequence[Sequence[str]], heads: Sequence[str], screen: Console) -> None:
    """Print a plain table whose last column takes what room is left."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, head in enumerate(heads):
        last = i == len(heads) - 1
        table.add_column(head, style="bold" if i == 0 else "", overflow="fold", ratio=1 if last else None)
    for row in rows:
        table.add_row(*(one_line(cell) for cell in row))
    screen.print(table)
