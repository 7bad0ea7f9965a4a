"""The parts of the page that stand in its HTML, so that they are there without a script, on paper and for a reader.

Header, glance, transcript, peaks, faces and voices, and the foot with the cards. All text passes through `escape`.
"""

import base64
import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import AffettoError
from affetto.core.record import Record
from affetto.report import page_people
from affetto.report.page_data import Options, Stills
from affetto.report.page_labels import Labels
from affetto.report.page_people import Cast, Person, Spoken

_SOURCE = re.compile(r"([\w.+-]+)@([\w.+-]+)")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HIDDEN = ("face", "voice", "linked", "links")
"""Facts of a person that the table of faces and voices tells."""


def clean(text: str) -> str:
    """Return a text without characters that no page can hold."""
    return _UNPRINTABLE.sub("\ufffd", text)


def escape(text: object) -> str:
    """Return a text that means nothing but itself, in HTML and in the quotes of an attribute."""
    return html.escape(clean(str(text)), quote=True)


def name(subject: str) -> str:
    """Return the name of a subject as it is shown, set apart so that its script turns nothing else round."""
    return f"<bdi>{escape(subject.strip()) or 'without a name'}</bdi>"


def clock(seconds: float, unit: str = "s") -> str:
    """Return a moment as people write it.

    >>> clock(3725.4), clock(61), clock(4, "turn")
    ('1:02:05', '1:01', 'turn 5')
    """
    if unit == "turn":
        return f"turn {int(seconds) + 1}"
    if unit == "char":
        return f"character {int(seconds)}"
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def length(cast: Cast) -> str:
    """Return how long the record is, in words."""
    if cast.unit == "turn":
        return f"{len(cast.turns)} turns, without times"
    if cast.unit == "char":
        return "a text"
    if not cast.end:
        return "one moment" if cast.people else "nothing"
    return clock(cast.end) + (" min" if cast.end < 3600 else " h")


def sources(record: Record) -> tuple[dict[str, Card | None], list[str]]:
    """Return the `id@version` of each model that the Tracks name, with its card if there is one, and other sources."""
    cards: dict[str, Card | None] = {}
    others: list[str] = []
    for source in dict.fromkeys(track.source for track in record.tracks):
        named = _SOURCE.findall(source)
        if not named and source:
            others.append(source)
        for id, version in named:
            full = f"{id}@{version.rstrip('.')}"
            if full not in cards:
                try:
                    cards[full] = catalog.find(id)
                except AffettoError:
                    cards[full] = None
    return cards, others


def facts(cast: Cast, cards: Iterable[str], others: Sequence[str], made: str) -> str:
    """Return the lines below the title: length, people, channels, models, date."""
    channels = sorted(
        {track.channel for person in cast.people for track in [*person.lanes, *person.also]},
        key=page_people.CHANNELS.index,
    )
    called = {"text": "words", "fused": "all together"}
    named = [f'<a href="#{anchor(full)}">{escape(full)}</a>' for full in cards]
    named += [f"{escape(source)}" for source in others]
    lines = {
        "Length": escape(length(cast)),
        "People": str(len(cast.people)),
        "Page made": escape(made),
        "Seen through": escape(", ".join(called.get(channel, channel) for channel in channels)) or "nothing",
        "Estimated by": ", ".join(named) or "nobody",
    }
    return "".join(f"<div><dt>{key}</dt><dd>{value}</dd></div>" for key, value in lines.items())


def anchor(full: str) -> str:
    """Return the id of a card's place in the foot."""
    return "card-" + re.sub(r"[^A-Za-z0-9.-]", "-", full)


def glance(cast: Cast, labels: Labels) -> str:
    """Return the table with a line a person: shares, means, speech, conflicts."""
    if not cast.people:
        return '<p class="none">Nobody was seen, heard or read in this record: nothing is said.</p>'
    lines = "".join(_glance_line(i, person, cast, labels) for i, person in enumerate(cast.people, 1))
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in (
            "Person",
            f"Strongest feeling, {'share of the time said' if cast.end else 'probability'}",
            f"Valence{', mean' if cast.end else ''}",
            f"Arousal{', mean' if cast.end else ''}",
            "Speaks",
            "Conflicts",
        )
    )
    return f'<table class="glance"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _glance_line(number: int, person: Person, cast: Cast, labels: Labels) -> str:
    told, about = _strongest(person, cast.end)
    means = page_people.means(person.degrees)
    spoken = sum(end - start for start, end, _ in person.speaking)
    speaks = "&ndash;"
    if cast.unit == "s" and person.speaking:
        speaks = f"{clock(spoken)} <span class='soft'>{100 * spoken / cast.end if cast.end else 0:.0f} %</span>"
    elif cast.unit == "turn":
        speaks = f"{len(person.speaking)} <span class='soft'>turns</span>"
    cells = (
        bars(told, labels, about),
        _scale(means.get("valence")),
        _scale(means.get("arousal")),
        speaks,
        str(len(person.marks)) if person.marks else "&ndash;",
    )
    filled = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row"><span class="badge">{number}</span> {name(person.name)}</th>{filled}</tr>'


def _strongest(person: Person, end: float) -> tuple[list[tuple[str, float]], str]:
    """Return the shares of a person's feelings, of one moment their probabilities, and through what they were seen."""
    if person.main is None:
        return [], ""
    told, said = page_people.shares(person.main)
    if not end and told:
        told = page_people.chances(person.main)
    channel = person.main.channel
    through = {"fused": "", "text": "by words"}.get(channel, f"by {channel}") if told else ""
    whole = f"said {min(100, 100 * said / end):.0f} % of the time" if end and said else ""
    return told, "; ".join(filter(None, (through, whole)))


def bars(told: Sequence[tuple[str, float]], labels: Labels, about: str = "", words: int = 4) -> str:
    """Return a bar made of shares, and below it the largest in words, and what else is to be said of them."""
    if not told:
        return '<span class="soft">not said</span>'
    spoken = ", ".join(f"{label} {100 * share:.0f} %" for label, share in told)
    at, parts = 0.0, []
    for label, share in told:
        parts.append(f'<rect class="f{labels.number(label)}" x="{at:.2f}" width="{100 * share:.2f}" height="10"/>')
        at += 100 * share
    named = "".join(
        f'<li class="f{labels.number(label)}"><i></i>{escape(label)} {100 * share:.0f} %</li>'
        for label, share in told[:words]
        if share >= 0.005
    )
    return (
        f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{escape(spoken)}">'
        f'{"".join(parts)}</svg><ul class="key">{named}<li class="about soft">{escape(about)}</li></ul>'
    )


def signed(value: float) -> str:
    """Return a number with its sign, zero without one."""
    rounded = round(value, 2)
    return f"{rounded:+.2f}".replace("-", "&minus;") if rounded else "0.00"


def _scale(value: float | None) -> str:
    if value is None:
        return "&ndash;"
    at = 50 + 46 * value
    return (
        f'<span class="number">{signed(value)}</span>'
        '<svg class="scale" viewBox="0 0 100 12" aria-hidden="true"><path d="M4 6H96M50 2V10"/>'
        f'<circle cx="{at:.1f}" cy="6" r="4.5"/></svg>'
    )


def transcript(cast: Cast, labels: Labels) -> str:
    """Return the turns, each a button to its moment, with the feeling of its words and a flag where channels differ."""
    held = {person.name: (i, person, _words(person)) for i, person in enumerate(cast.people, 1)}
    found = []
    for k, turn in enumerate(cast.turns):
        number, person, words = held[turn.speaker]
        label = _feeling(turn, k, words)
        feeling = f'<span class="chip f{labels.number(label)}"><i></i>{escape(label)}</span>' if label else ""
        flag = ""
        if turn.place is not None:
            start, end = turn.place
            mark = next((m for m in person.marks if m.start < end and m.end > start), None)
            if mark is not None:
                flag = f'<span class="flag" title="channels contradict each other">&#9670; {escape(mark.note)}</span>'
        when = clock(turn.place[0], cast.unit) if turn.place is not None else "&ndash;"
        style = f" f{labels.number(label)}" if label else ""
        found.append(
            f'<li class="turn{style}" data-k="{k}"><button type="button" class="when">{when}</button>'
            f'<span class="who"><span class="badge">{number}</span> {name(turn.speaker)}</span>'
            f'<p dir="auto">{escape(turn.text)}</p><span class="felt">{feeling}{flag}</span></li>\n'
        )
    return "".join(found)


def _words(person: Person) -> list[Any]:
    """Return the lane of words of a person as starts, ends and top labels."""
    lane = next((track for track in person.lanes if track.channel == "text"), None)
    if lane is None:
        return [np.zeros(0), np.zeros(0), []]
    order = np.argsort(lane.start, kind="stable")
    tops = [lane.top(int(i)) for i in order]
    return [lane.start[order], lane.end[order], ["" if top is None else top.name for top in tops]]


def _feeling(turn: Spoken, k: int, words: list[Any]) -> str:
    """Return the strongest label of the row of words that lies on a turn, empty where there is none."""
    starts, ends, tops = words
    if turn.place is None or not len(starts):
        return ""
    start, end = turn.place
    i = int(np.searchsorted(starts, start + 1e-6, "right")) - 1
    for row in (i, i + 1):
        if 0 <= row < len(starts) and starts[row] < end and ends[row] > start - 1e-6:
            return str(tops[row])
    return ""


def peaks(cast: Cast, stills: Stills, labels: Labels, options: Options) -> str:
    """Return the strongest moments of each person, with the small picture nearest to each, and all other pictures."""
    pictured = any(stills.get(person.name) for person in cast.people)
    found = []
    for number, person in enumerate(cast.people, 1):
        told = page_people.peaks(person.main, options.peaks, cast.end / 20) if person.main is not None else []
        shots = sorted(stills.get(person.name, ()), key=lambda shot: shot[0])
        items: list[tuple[float, str]] = []
        used: set[int] = set()
        for peak in told:
            near = min(range(len(shots)), key=lambda i: abs(shots[i][0] - peak.at), default=-1)
            picture = ""
            if near >= 0 and abs(shots[near][0] - peak.at) <= max(2.0, cast.end / 50):
                used.add(near)
                picture = _picture(shots[near], person, number)
            elif pictured:
                picture = f'<span class="blank f{labels.number(peak.label)}">no picture</span>'
            words = f"{peak.label} {100 * peak.value:.0f} %"
            items.append((peak.at, _moment(picture, peak.at, cast.unit, words, labels.number(peak.label))))
        items += [
            (shot[0], _moment(_picture(shot, person, number), shot[0], cast.unit, *_at(person, shot[0], labels)))
            for i, shot in enumerate(shots)
            if i not in used
        ]
        if items:
            head = f'<h3><span class="badge">{number}</span> {name(person.name)}</h3>'
            inner = "".join(item for _, item in sorted(items, key=lambda item: item[0]))
            found.append(f'<section class="moments" data-who="{number - 1}">{head}<ol>{inner}</ol></section>')
    return "".join(found) or '<p class="none">No moment stands out from neutral.</p>'


def _at(person: Person, at: float, labels: Labels) -> tuple[str, int]:
    """Return what was said of a person at a moment, and its label's number."""
    if person.main is not None and len(person.main):
        here = np.flatnonzero((person.main.start <= at) & (at <= person.main.end))
        top = person.main.top(int(here[0])) if len(here) else None
        if top is not None:
            return top.name, labels.number(top.name)
    return "", -1


def _moment(picture: str, at: float, unit: str, words: str = "", label: int = -1) -> str:
    chip = (
        f'<span class="chip f{label}"><i></i>{escape(words)}</span>' if words else '<span class="soft">not said</span>'
    )
    return f'<li class="peak" data-at="{at:.3f}">{picture}<button type="button">{clock(at, unit)}</button>{chip}</li>'


def _picture(shot: tuple[float, bytes], person: Person, number: int) -> str:
    at, jpeg = shot
    coded = base64.b64encode(jpeg).decode("ascii")
    seen = escape(person.name) or "a person"
    return (
        f'<img data-person="{number - 1}" data-at="{at:.3f}" alt="{seen} at {clock(at)}" '
        f'src="data:image/jpeg;base64,{coded}">'
    )


def links(cast: Cast) -> str:
    """Return which face is which voice, how sure that is, and what else is known of each person."""
    rows = []
    for number, person in enumerate(cast.people, 1):
        known = person.facts
        rest = [
            f"{escape(key)}: {escape(value)}"
            for key, value in known.items()
            if key not in _HIDDEN and (isinstance(value, str | bool) or _number(value))
        ]
        if not any(key in known for key in _HIDDEN) and not rest:
            continue
        cells = [
            f'<span class="badge">{number}</span> {name(person.name)}',
            escape(known.get("face") or "not seen"),
            escape(known.get("voice") or "not heard"),
            _sure(known),
            "; ".join(rest) or "&ndash;",
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    if not rows:
        return ""
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("Person", "Face", "Voice", "One person?", "What else is known")
    )
    return (
        '<section id="links"><h2>Faces and voices</h2><p class="lead">A face and a voice are joined where the mouth '
        "moves when the voice is heard. The number is the probability that both are one person.</p>"
        f'<div class="scroll"><table class="links"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _sure(known: Mapping[str, Any]) -> str:
    linked, others = known.get("linked"), known.get("links")
    parts = [f"<b>{100 * float(linked):.0f} %</b>"] if linked is not None and _number(linked) else []
    for voice, chance in others.items() if isinstance(others, Mapping) else ():
        if voice != known.get("voice") and _number(chance):
            parts.append(f'<span class="soft">{escape(voice)} {100 * chance:.0f} %</span>')
    return " ".join(parts) or "&ndash;"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def cards(found: Mapping[str, Card | None], others: Sequence[str]) -> str:
    """Return what each model is for, what it cannot do, and under which licence it is."""
    parts = []
    for full, card in found.items():
        if card is None:
            parts.append(
                f'<article class="card" id="{anchor(full)}"><h3>{escape(full)}</h3>'
                "<p>No card of it is installed here: its limits, licence and quality are not known.</p></article>"
            )
            continue
        version = full.rpartition("@")[2]
        other = "" if version == card.version else f" The card installed here is of version {escape(card.version)}."
        limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limits)
        data = "; ".join(
            f"{escape(item.get('name', ''))} ({escape(item.get('licence', 'licence not stated'))})"
            for item in card.facts.get("data", ())
            if isinstance(item, Mapping)
        )
        told = {
            "Intended use": escape(card.intended_use),
            "Limits": f"<ul>{limits}</ul>" if limits else "",
            "Licence": escape(card.licence),
            "Learned from": data,
            "Cite": escape(card.citation),
        }
        lines = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in told.items() if value)
        parts.append(
            f'<article class="card" id="{anchor(full)}"><h3>{escape(card.title)} <code>{escape(full)}</code></h3>'
            f"<dl>{lines}</dl>{f'<p>{other}</p>' if other else ''}</article>"
        )
    if others:
        named = ", ".join(escape(source) for source in others)
        parts.append(f'<article class="card"><h3>Other sources</h3><p>{named}: raters or programs without a card.</p>')
        parts[-1] += "</article>"
    return "".join(parts) or '<article class="card"><p>No model answered in this record.</p></article>'
