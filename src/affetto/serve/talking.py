"""A talk for people at a terminal: each turn with its feeling, how it moved and why, and below it each one's course.

Feelings, strategies and skills stand as words, never as colours only; arrows and marks are common letters, and no
control code of a talk reaches the terminal. Right-to-left words are set apart, so that they turn nothing else round.
Knows rich and what is told of a talk (`report.talk_gist`); decides nothing.
"""

import math
import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells
from rich.text import Text

from affetto.core.record import Record
from affetto.report import talk_gist
from affetto.report.talk_gist import SURE, Said, Talk
from affetto.serve import inks
from affetto.serve.gist import one_line, place

NOTICE = (
    "If somebody may be in danger, do not leave it to a program: stay with them, and call the emergency number of your "
    "country or a crisis line (findahelpline.com lists them) now."
)
"""What is said above a talk in which words of danger stand."""
LIMITS = (
    "Estimates of words, never facts about a person: not for decisions about anybody, and no diagnosis. Ask those whom "
    "it is about."
)
_STEPS = "▁▂▃▄▅▆▇█"
_KEY = "▁ unpleasant, ▄ neither, █ pleasant, · not said"
_MARKS = {1: "↗", -1: "↘", 0: "→"}
_WAYS = {1: "better than", -1: "worse than", 0: "from"}
_ASCII = str.maketrans("▁▂▃▄▅▆▇█↗↘→·", "_.-:=+*#^v> ")
_COLOURS = {1: "green", -1: "red", 0: "cyan"}
_SHORT = {"emotional reactions": "reacts", "interpretations": "interprets", "explorations": "explores"}
_LONGEST = 2000
"""Characters of a turn that are shown."""
_NAME = 12
_MOST = 10
"""Turns that a notice of care names."""
_REASONS = 3
_NARROWEST, _INDENT = 40, 5
_ISOLATE, _DONE = "\u2068", "\u2069"


def shown(record: Record, width: int = 80, ascii: bool = False) -> str:
    """Return a talk as plain text without colours; only words that cannot be broken are wider than asked.

    Args:
        record: with turns, and what models of talk say of them.
        width: in columns.
        ascii: draw with letters of ASCII only; what people say stays as it is.
    """
    return "\n".join(line.plain.rstrip() for line in drawn(record, width, ascii)) + "\n"


def drawn(record: Record, width: int = 80, ascii: bool = False) -> Iterator[Text]:
    """Yield a talk line by line, for a console of rich to print as they come: in colour where there are colours."""
    told = talk_gist.talk(record)
    width = max(width, _NARROWEST)
    colours = {name: inks.person(i) for i, name in enumerate(told.speakers)}
    yield from _wrapped(one_line(record.id), width, style="bold")
    yield from _top(record, told, width)
    room = min(_NAME, max((cell_len(one_line(name, _NAME)) for name in told.speakers), default=0))
    for turn in told.turns:
        for line in _turn(turn, told, colours[turn.speaker], room, width):
            yield _plain(line) if ascii else line
    for line in _foot(told, colours, width):
        yield _plain(line) if ascii else line


def _top(record: Record, told: Talk, width: int) -> Iterator[Text]:
    if error := record.meta.get("error"):
        yield from _wrapped(one_line(str(error)), width, style="red")
    if warning := record.meta.get("warning"):
        yield from _wrapped(f"! {one_line(str(warning), 400)}", width, style="yellow")
    if told.careful:
        named = ", ".join(str(turn.number + 1) for turn in told.careful[:_MOST])
        more = " ..." if len(told.careful) > _MOST else ""
        kinds = ", ".join(dict.fromkeys(one.kinds for turn in told.careful for one in turn.care if one.sure >= SURE))
        said = f"!! Words of {kinds} stand in turn {named}{more}. {'' if told.notice else NOTICE}"
        yield from _wrapped(said, width, style="bold red")
    for line in told.notice.splitlines():
        yield from _wrapped(one_line(line), width, style="bold red")
    yield Text("")


def _turn(turn: Said, told: Talk, colour: str, room: int, width: int) -> Iterator[Text]:
    """Yield the lines of a turn: number, time and name, then its words, then what is told of it."""
    when = f" {place(turn.span)}" if turn.span is not None and turn.span.unit == "s" else ""
    role = one_line(told.role(turn.speaker), 12)
    name = one_line(turn.speaker, _NAME)
    line = Text.assemble((f"{turn.number + 1:>4}{when} ", "dim"), (_isolated(name), f"bold {colour}"))
    if role and role.lower() != turn.speaker.lower():
        line.append(f" ({role})", style="dim")
    line.append(" " * (room - cell_len(name) + 2))
    feeling = _feeling(turn, told)
    if line.cell_len + feeling.cell_len <= width:
        yield line.append_text(feeling)
    else:
        yield line
        yield from _wrapped(feeling.plain, width, _INDENT, "bold")
    words = one_line(turn.text, _LONGEST)
    yield from _wrapped(words or "(no words)", width, _INDENT, "" if words else "dim")
    for said, style in _about(turn):
        yield from _wrapped(said, width, _INDENT, style)


def _feeling(turn: Said, told: Talk) -> Text:
    """Return the chip of a feeling, with its confidence, and the arrow where it moved."""
    if not turn.feeling:
        return Text("not said", style="dim")
    sure = "" if math.isnan(turn.sure) else f" {turn.sure:.0%}"
    line = Text(f"[{one_line(turn.feeling, 16)}{sure}]", style="bold" if turn.sure >= SURE else "")
    if shift := told.moved(turn):
        before = one_line(told.before(shift), 16)
        words = f"{'perhaps ' if told.unsure(shift, turn) else ''}{_WAYS[shift.way]} {before}"
        line.append(f" {_MARKS[shift.way]} {words.rstrip()}", style=_COLOURS[shift.way])
    return line


def _about(turn: Said) -> Iterator[tuple[str, str]]:
    """Yield what else is told of a turn, and its style: care, why, what it does, how empathic it is."""
    for one in turn.care:
        said = f": {_quoted(one.words)}" if one.words else ""
        strong = one.sure >= SURE
        kinds = f"{one.kinds}{', about somebody else' if one.other else ''}"
        yield f"{'!!' if strong else '!'} words of {kinds}{said}", "bold red" if strong else "yellow"
    for cause in sorted(turn.causes, key=lambda cause: -cause.sure)[:2]:
        where = "this turn" if cause.at == turn.number else f"turn {cause.at + 1}"
        words = f": {_quoted(cause.words)}" if cause.words else ""
        yield f"because of {where}{words} ({cause.sure:.0%})", ""
    chips = [
        f"<{act.kind}: {act.name}{'' if math.isnan(act.sure) else f' {act.sure:.0%}'}>"
        for act in turn.acts
        if act.telling
    ]
    if chips:
        yield " ".join(chips), "cyan"
    marks = [f"{_SHORT.get(name, name)} {'*' * round(value)}" for name, value in turn.empathy if round(value) > 0]
    marks += [f"{name} {value:.1f} of 7" for name, value in turn.moved]
    if marks:
        words = ", ".join(_quoted(words) for _, words in turn.rationale[:3] if words)
        yield f"empathy: {', '.join(marks)}{f' by {words}' if words else ''}", "green"


def _foot(told: Talk, colours: dict[str, str], width: int) -> Iterator[Text]:
    """Yield each speaker's course, what is expected, what became of the trouble, by whom it is told, and the limits."""
    yield Text("")
    name = min(_NAME, max((cell_len(one_line(who, _NAME)) for who in told.speakers), default=0))
    for who in told.speakers:
        mine = told.of(who)
        label = one_line(who, _NAME)
        line = Text.assemble(" ", (_isolated(label), colours[who]), " " * (name - cell_len(label)))
        line.append(f"  {_course([turn.valence for turn in mine], max(8, width - name - 30))}")
        counts = f"  {_count(len(mine), 'turn')}, {_count(len(told.moves(who)), 'shift')}"
        if line.cell_len + len(counts) > width:
            yield line
            line = Text(" " * (name + 1))
        yield line.append(counts)
    if any(not math.isnan(turn.valence) for turn in told.turns):
        yield from _wrapped(f"valence over turns: {_KEY}", width, 1, "dim")
    for who, first, last in told.relief:
        said = f"trouble of {one_line(who, 40)}: {first:.1f} at first, {last:.1f} at last, of 5"
        yield from _wrapped(said, width, 1)
    for one in told.expected:
        yield from _wrapped(
            f"expected next of {one_line(one.speaker, 40)}: {one.shares[0][0]} {one.sure:.0%}", width, 1
        )
    for number, reply in enumerate(told.replies, 1):
        chip = f" <{one_line(str(reply['strategy']))}>" if reply.get("strategy") else ""
        yield from _wrapped(f"reply {number}: {one_line(str(reply.get('text', '')), _LONGEST)}{chip}", width, 1)
        for reason in (reply.get("reasons") or ())[:_REASONS]:
            yield from _wrapped(f"- {one_line(str(reason))}", width, _INDENT, "dim")
    if told.sources:
        yield from _wrapped(", ".join(map(one_line, told.sources)), width, 1, "dim")
    yield from _wrapped(LIMITS, width, 1, "dim")


def _course(values: list[float], most: int) -> str:
    """Return a line of blocks, one a turn, or the mean of several where there are more than fit.

    >>> _course([-1.0, 0.0, 1.0, float("nan")], 8), _course([-1.0] * 8 + [1.0] * 8, 4)
    ('▁▅█·', '▁▁██')
    """
    size = max(1, math.ceil(len(values) / most))
    parts = [values[at : at + size] for at in range(0, len(values), size)]
    means = [[value for value in part if not math.isnan(value)] for part in parts]
    return "".join(
        _STEPS[min(7, max(0, round(3.5 * (1 + sum(held) / len(held)) + 0.01)))] if held else "·" for held in means
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _wrapped(words: str, width: int, indent: int = 0, style: str = "") -> Iterator[Text]:
    """Yield words in lines of a width, each set apart where its letters run from right to left."""
    room, line, used = width - indent, "", 0
    for word in words.split(" "):
        for piece in chop_cells(word, room) if len(word) * 2 > room else [word]:
            cells = cell_len(piece)
            if line and used + 1 + cells > room:
                yield Text(" " * indent + _isolated(line), style=style, no_wrap=True)
                line, used = piece, cells
            else:
                line, used = (f"{line} {piece}", used + 1 + cells) if line else (piece, cells)
    yield Text(" " * indent + _isolated(line), style=style, no_wrap=True)


def _plain(line: Text) -> Text:
    """Return a line whose arrows and blocks are letters of ASCII."""
    line.plain = line.plain.translate(_ASCII)
    return line


def _quoted(words: str) -> str:
    return f"'{one_line(words, 80)}'"


def _isolated(words: str) -> str:
    """Return words set apart where letters run from right to left, so that they turn nothing else round."""
    back = any(unicodedata.bidirectional(sign) in ("R", "AL", "AN") for sign in words)
    return f"{_ISOLATE}{words}{_DONE}" if back else words
