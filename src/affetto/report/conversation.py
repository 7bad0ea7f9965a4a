"""Conversations as one HTML file that needs no network: feelings over turns, shifts, causes, how each turn was met.

Of each talk: what asks for care, a picture (`talk_chart`), the turns with their chips and the words that carried an
answer, what may come next, replies that are offered, and at the foot the limits and the cards of the models. All of it
stands in the HTML; the script only lights up what belongs together. Style, script and frame lie in `page/`, the style
after that of the other page. Knows how the file is put together; `talk_gist` knows what is told.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from string import Template
from typing import Any

from affetto.core.record import Record
from affetto.report import page_parts, talk_chart, talk_gist
from affetto.report.html import head, inks, read_part, version
from affetto.report.page_labels import Labels
from affetto.report.page_parts import escape, name
from affetto.report.talk_gist import SURE, Act, Said, Talk

Replies = Mapping[str, Sequence[Any]]
"""Of a Record's id: what could be answered, best first; mappings or objects with `text`, and where known `score`,
`strategy`, `feeling`, `reasons`, `source`, as `generate.reply.Reply`."""
MOST = 100
"""Talks on a page."""
_NOTICE = (
    "If somebody may be in danger, do not leave it to a program: stay with them, and call the emergency number of your "
    "country or a crisis line (findahelpline.com lists them) now. The check finds words; it diagnoses nobody, and it "
    "misses some."
)
_SIGNS = {1: ("\u25b2", "better than"), -1: ("\u25bc", "worse than"), 0: ("\u25c6", "from")}
_STAR = "\u2605"
_SHORT = {"emotional reactions": "reacts", "interpretations": "interprets", "explorations": "explores"}


def page_of_conversations(
    records: Record | Iterable[Record],
    title: str = "",
    replies: Replies | Sequence[Any] | None = None,
    made: date | None = None,
) -> str:
    """Return talks as a complete HTML document, the same bytes for the same talks, date and version.

    Args:
        records: with turns, and Tracks of models of talk or of raters; of several the first `MOST` are told.
        title: above all; by default the id of the one talk, or how many there are.
        replies: what could be answered, for each Record's id; or of one talk just the replies. By default what each
            talk carries as `meta["replies"]`.
        made: when; today where nothing is said.

    >>> page_of_conversations(Record("empty"), made=date(2026, 1, 1))[:15]
    '<!doctype html>'
    """
    given = [records] if isinstance(records, Record) else list(records)
    offered: Replies = replies if isinstance(replies, Mapping) else {r.id: replies or () for r in given[:1]}
    talks = [talk_gist.talk(record) for record in given[:MOST]]
    labels = Labels()
    found, others = _sources(talks)
    left = sorted({id for told in talks for id in told.left})
    title = title or (given[0].id if len(given) == 1 else f"{len(given)} conversations")
    parts = {
        "facts": _facts(talks, len(given), found, others, (made or date.today()).isoformat()),
        "overview": _overview(talks, len(given)) if len(given) > 1 else "",
        "talks": "".join(
            _talk(told, k, labels, offered.get(told.record.id) or told.replies) for k, told in enumerate(talks)
        ),
        "cards": page_parts.cards(found, others),
        "left": f"<p>These spaces are not drawn here: {escape(', '.join(left))}.</p>" if left else "",
    }
    style = read_part("page.css") + read_part("talk.css") + inks(labels)
    script = '(() => {\n"use strict";\n' + read_part("talk.js") + "\n})();"
    return Template(read_part("talk.html")).substitute(
        parts,
        head=head(title, script, style),
        title=escape(title),
        version=escape(version()),
        script=script,
    )


def _sources(talks: Sequence[Talk]) -> tuple[dict[str, Any], list[str]]:
    """Return the cards of all talks' models, and other sources."""
    tracks = tuple(track for told in talks for track in told.record.tracks)
    return page_parts.sources(replace(talks[0].record, tracks=tracks)) if talks else ({}, [])


def _facts(talks: Sequence[Talk], count: int, found: Iterable[str], others: Sequence[str], made: str) -> str:
    speakers = {(told.record.id, who) for told in talks for who in told.speakers}
    named = [f'<a href="#{page_parts.anchor(full)}">{escape(full)}</a>' for full in found]
    lines = {
        "Conversations": f"{count:,}",
        "Turns": f"{sum(len(told.turns) for told in talks):,}",
        "Speakers": f"{len(speakers):,}",
        "Page made": escape(made),
        "Estimated by": ", ".join([*named, *map(escape, others)]) or "nobody",
    }
    return "".join(f"<div><dt>{key}</dt><dd>{value}</dd></div>" for key, value in lines.items())


def _overview(talks: Sequence[Talk], count: int) -> str:
    """Return the table of several talks, each a link."""
    heads = ("Conversation", "Turns", "Speakers", "Shifts", "Causes", "Asks for care")
    lines = []
    for k, told in enumerate(talks):
        cells = (
            f"{len(told.turns):,}",
            ", ".join(map(name, told.speakers[:6])) + (" \u2026" if len(told.speakers) > 6 else ""),
            f"{len(told.moves()):,}",
            f"{sum(len(turn.causes) for turn in told.turns):,}",
            f"<b>turn {told.careful[0].number + 1}</b>" if told.careful else "&ndash;",
        )
        filled = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row"><a href="#t{k}"><bdi>{escape(told.record.id)}</bdi></a></th>{filled}</tr>')
    row = "".join(f'<th scope="col">{head}</th>' for head in heads)
    more = f'<p class="soft">The first {len(talks)} of {count:,} are on this page.</p>' if count > len(talks) else ""
    return (
        f'<section id="overview"><h2>At a glance</h2>{more}<div class="scroll"><table><thead><tr>{row}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></section>\n"
    )


def _talk(told: Talk, k: int, labels: Labels, replies: Sequence[Any]) -> str:
    record, anchor = told.record, f"t{k}"
    error, warning = (record.meta.get(key) for key in ("error", "warning"))
    parts = [f'<section class="talk" id="{anchor}"><h2><bdi>{escape(record.id)}</bdi></h2>']
    if error:
        parts.append(f'<p class="warn"><b>Could not be read:</b> {escape(error)}</p>')
    if warning:
        parts.append(f'<p class="warn">{escape(warning)}</p>')
    parts.append(_heed(told, anchor))
    if told.turns:
        parts.append(_glance(told, labels))
        parts.append(f"<h3>Feelings over turns</h3>{talk_chart.chart(told, labels, anchor)}")
        parts.append('<p class="spoken" role="status"></p>')
        parts.append(
            f'<h3>Turns</h3><p class="marks">In the words: <mark class="because">taken for a cause</mark>, '
            f'<mark class="empathic">shows empathy</mark>, <mark class="danger">asks for care</mark>.</p>'
            f'<ol class="saids">{"".join(_said(turn, told, labels, anchor) for turn in told.turns)}</ol>'
        )
        parts.append(_ahead(told, labels))
        parts.append(_offers(replies))
    elif not error:
        parts.append('<p class="none">Nobody said anything in this conversation.</p>')
    return "".join(parts) + "</section>\n"


def _heed(told: Talk, anchor: str) -> str:
    """Return the notice about words of danger, that of the talk if it carries one; empty where there are none."""
    said = f"<span>{escape(told.notice or _NOTICE)}</span>"
    if not told.careful:
        return f'<div class="heed" role="note">{said}</div>' if told.notice else ""
    kinds = ", ".join(dict.fromkeys(one.kinds for turn in told.careful for one in turn.care if one.sure >= SURE))
    where = ", ".join(f'<a href="#{anchor}-{turn.number}">turn {turn.number + 1}</a>' for turn in told.careful[:20])
    return (
        f'<div class="heed" role="note"><b>Words of {escape(kinds)} stand in {where}'
        f"{' &hellip;' if len(told.careful) > 20 else ''}.</b> {said}</div>"
    )


def _glance(told: Talk, labels: Labels) -> str:
    """Return the table with a line a speaker: role, turns, feelings, valence, shifts."""
    lines = []
    for number, who in enumerate(told.speakers, 1):
        mine = told.of(who)
        said = [turn for turn in mine if turn.shares]
        counts: dict[str, int] = {}
        for turn in said:
            counts[turn.feeling] = counts.get(turn.feeling, 0) + 1
        shares = sorted(((label, n / len(said)) for label, n in counts.items()), key=lambda pair: -pair[1])
        places = [turn.valence for turn in said if not math.isnan(turn.valence)]
        cells = (
            escape(told.role(who)) or "&ndash;",
            f"{len(mine):,}",
            page_parts.bars(shares, labels, f"said in {len(said):,}" if len(said) < len(mine) else ""),
            page_parts.signed(sum(places) / len(places)) if places else "&ndash;",
            f"{len(told.moves(who)):,}",
        )
        filled = "".join(f"<td>{cell}</td>" for cell in cells)
        head = f'<span class="badge">{number}</span> {name(who)}'
        lines.append(f'<tr><th scope="row">{head}</th>{filled}</tr>')
    heads = ("Speaker", "Role", "Turns", "Feelings, share of turns", "Valence, mean", "Shifts")
    row = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f'<div class="scroll"><table class="people"><thead><tr>{row}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _said(turn: Said, told: Talk, labels: Labels, anchor: str) -> str:
    """Return a turn: number, speaker, words with their marks, and what is told of it."""
    shift = told.moved(turn)
    about = [_feeling(turn, labels)]
    if shift:
        sign, words = _SIGNS[shift.way]
        perhaps = "perhaps " if told.unsure(shift, turn) else ""
        about.append(f'<li class="way">{sign} {perhaps}{words} {escape(told.before(shift) or "before")}</li>')
    about += [
        f'<li><b>Asks for care:</b> words of {escape(one.kinds)}</li>' if one.sure >= SURE
        else f'<li class="warmth">words of {escape(one.kinds)}, mentioned</li>'
        for one in turn.care
    ]  # fmt: skip
    about += [_because(turn, cause, anchor) for cause in sorted(turn.causes, key=lambda one: -one.sure)[:3]]
    about += [_act(act) for act in turn.acts if act.telling]
    warm = [f"{_SHORT.get(key, key)} {_STAR * round(value)}" for key, value in turn.empathy if round(value) > 0]
    warm += [f"{key} {value:.1f} of 7" for key, value in turn.moved]
    about += [f'<li class="warmth">empathy: {escape(", ".join(warm))}</li>'] if warm else []
    look = f" f{labels.number(turn.feeling)}" if turn.feeling else ""
    when = f" <small>{page_parts.clock(turn.span.start)}</small>" if turn.span and turn.span.unit == "s" else ""
    number = told.speakers.index(turn.speaker) + 1
    id, words = f"{anchor}-{turn.number}", _words(turn, told)
    return (
        f'<li class="said{look}{" moved" if shift or turn.causes else ""}" id="{id}">'
        f'<a class="number" href="#{id}" aria-label="turn {turn.number + 1}">{turn.number + 1}</a>'
        f'<span class="who"><span class="badge">{number}</span> {name(turn.speaker)}{when}</span>'
        f'<div class="what"><p dir="auto">{words or "<span class=soft>(no words)</span>"}</p>'
        f'<ul class="facets">{"".join(about)}</ul></div></li>\n'
    )


def _feeling(turn: Said, labels: Labels) -> str:
    if not turn.feeling:
        return '<li class="soft">not said</li>'
    sure = "" if math.isnan(turn.sure) else f" <small>{turn.sure:.0%} sure</small>"
    return f'<li class="felt-chip f{labels.number(turn.feeling)}">{escape(turn.feeling)}{sure}</li>'


def _because(turn: Said, cause: talk_gist.Cause, anchor: str) -> str:
    where = "this turn" if cause.at == turn.number else f"turn {cause.at + 1}"
    words = f": \u201c<bdi>{escape(cause.words)}</bdi>\u201d" if cause.words else ""
    return (
        f'<li><a href="#{anchor}-{cause.at}" data-cause="{anchor}-{cause.at}" data-felt="{anchor}-{turn.number}">'
        f"because of {where}{words}</a> <small>{cause.sure:.0%}</small></li>"
    )


def _act(act: Act) -> str:
    sure = "" if math.isnan(act.sure) else f" <small>{act.sure:.0%}</small>"
    return f'<li class="act"><small>{escape(act.kind)}</small> {escape(act.name)}{sure}</li>'


def _words(turn: Said, told: Talk) -> str:
    """Return the words of a turn with what is marked in them: care first, then empathy, then causes."""
    wanted = [("danger", part.strip()) for one in turn.care for part in one.words.split(";")]
    wanted += [("empathic", words) for _, words in turn.rationale]
    wanted += [("because", words) for words in told.causing(turn.number)]
    taken: list[tuple[int, int, str]] = []
    low = turn.text.lower() if len(turn.text.lower()) == len(turn.text) else turn.text
    for kind, words in wanted:
        start = turn.text.find(words) if words else -1
        start = low.find(words.lower()) if words and start < 0 else start
        end = start + len(words)
        if start >= 0 and all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, kind))
    parts, at = [], 0
    for start, end, kind in sorted(taken):
        parts.append(f'{escape(turn.text[at:start])}<mark class="{kind}">{escape(turn.text[start:end])}</mark>')
        at = end
    return "".join(parts) + escape(turn.text[at:])


def _ahead(told: Talk, labels: Labels) -> str:
    """Return what the next turn may show, and what became of the trouble."""
    lines = []
    for one in told.expected:
        named = ", ".join(f"{escape(label)} {share:.0%}" for label, share in one.shares[:3])
        chip = f'<span class="felt-chip f{labels.number(one.shares[0][0])}">{escape(one.shares[0][0])}</span>'
        lines.append(f"<li>Expected next of {name(one.speaker)}: {chip} <span class='soft'>({named})</span></li>")
    for who, first, last in told.relief:
        lines.append(f"<li>Trouble of {name(who)}, estimated: {first:.1f} of 5 at first, {last:.1f} at last.</li>")
    return f'<h3>Ahead, and all in all</h3><ul class="ahead">{"".join(lines)}</ul>' if lines else ""


def _offers(replies: Sequence[Any]) -> str:
    """Return the replies that are offered, best first, each with its reasons."""
    if not replies:
        return ""
    lines = []
    for one in replies:
        facts = {key: _part(one, key) for key in ("strategy", "feeling", "score", "source")}
        score = facts.pop("score")
        chips = [f'<li class="act"><small>{key}</small> {escape(value)}</li>' for key, value in facts.items() if value]
        if isinstance(score, int | float) and math.isfinite(score):
            chips.append(f'<li class="soft">score {score:.2f}</li>')
        reasons = _part(one, "reasons") or ()
        why = "".join(f"<li>{escape(reason)}</li>" for reason in ([reasons] if isinstance(reasons, str) else reasons))
        lines.append(
            f'<li><blockquote dir="auto">{escape(_part(one, "text"))}</blockquote>'
            f'<ul class="facets">{"".join(chips)}</ul>{f"<ul>{why}</ul>" if why else ""}</li>'
        )
    return (
        '<h3>Replies that could be given</h3><p class="soft">Drafts, for a person to choose from and to change.</p>'
        f'<ol class="offers">{"".join(lines)}</ol>'
    )


def _part(one: Any, key: str) -> Any:
    return one.get(key) if isinstance(one, Mapping) else getattr(one, key, None)
