"""What one could answer next in a talk: replies from a bank, chosen by what they do, each with its numbers and reasons.

The bank gives those that lie nearest to the talk; they are ranked by how well they fit, by the strategy that would come
next, by the feeling that they answer, and by how likely a good follow-up is after them rather than a bad one (after the
follow-up likelihood of github.com/e0397123/FLR, with a dual encoder as the judge). What `manners` finds unfit is never
said, and choices that are like each other give way to others. Where somebody may need a person's help nothing is said
at all: that is for people. Knows Records, Tracks and a bank; receives every model.
"""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.generate.bank import ANSWERING, FEELINGS, STRATEGIES, Bank
from affetto.generate.manners import unfit

Floats = npt.NDArray[np.float32]
Turns = Sequence[tuple[str, bool]]
FOLLOWUPS = Path(__file__).with_name("followups.toml")
READ = 12
"""Turns that a reader is shown, the last."""
_PLACEHOLDER = re.compile(r"<[^<>]*>|\S+ omitted", re.IGNORECASE)


class Matcher(Protocol):
    """Brings talks and replies together: `dialogue.reply`."""

    def talks(self, talks: Sequence[Turns]) -> Floats:
        """Return vectors of length 1 of talks, n x d: what was said, and whether by the one who is to reply."""
        ...

    def replies(self, texts: Sequence[str]) -> Floats:
        """Return vectors of length 1 of replies, n x d."""
        ...

    def fits(self, talk: Turns, texts: Sequence[str], vectors: Floats | None = None) -> Floats:
        """Return n log odds that a text is the reply to this talk; `vectors`: theirs, where they are known."""
        ...


@dataclass(frozen=True)
class Options:
    """How replies are chosen. Weights are in log odds: what a term of 1 adds to the score."""

    choices: int = 5
    """How many replies are given."""
    nearest: int = 50
    """How many of the bank are looked at."""
    strategy: float = 1.5
    """Weight of the plan: the log of how much likelier than even (1 in 8) the reply's strategy is, within -1..1."""
    feeling: float = 1.5
    """Weight of the share, 0..1, of what the last speaker shows that the reply answers."""
    followups: float = 8.0
    """Weight of how much nearer good follow-ups are than bad ones, mostly within 0.2: it tells warm replies from cold
    ones, not fitting from unfitting ones."""
    variety: float = 3.0
    """What it costs to be the same as a choice before: times the largest product of their vectors, where above 0."""
    speaker: str = ""
    """Who is to reply; empty: whoever has the role of one who listens, or else did not speak last."""
    seeds: Mapping[str, Sequence[str]] | None = None
    """Follow-ups by `good` and `bad`; None: those written for Affetto."""

    def __post_init__(self) -> None:
        """Refuse what gives nothing."""
        if self.choices < 1 or self.nearest < 1:
            raise MalformedError("replies want choices and nearest of 1 or more")


@dataclass(frozen=True)
class Reply:
    """One thing to say."""

    text: str
    score: float
    """The sum of its parts, in log odds."""
    strategy: str
    """What it does, of `strategy-8`; empty where the bank does not say."""
    feeling: str
    """What the last speaker most shows, of `ekman-7`; empty where nobody said."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """What each term adds: `fit`, `strategy`, `feeling`, `followups`, `variety`; those that could be asked."""
    reasons: tuple[str, ...] = ()
    source: str = ""
    """What bank it is from, with the licence of its texts."""


def reply(
    record: Record,
    bank: Bank,
    matcher: Matcher,
    planner: Model | None = None,
    reader: Model | None = None,
    crisis: bool = False,
    options: Options | None = None,
) -> list[Reply]:
    """Return replies to the last turn, the best first; none where there is nothing to answer.

    Args:
        record: a talk; Tracks that it carries in `ekman-7` say what the last speaker shows, and one in `care` with rows
            is a crisis.
        bank: whose vectors the matcher made.
        matcher: `dialogue.reply`.
        planner: says what strategy comes next (`dialogue.planner`); None: that is left out.
        reader: says what turns show in `ekman-7`, where the record does not; None: that is left out.
        crisis: somebody may need a person's help: then no reply is given.
        options: how.
    """
    how = options or Options()
    talk = heard(record, how.speaker)
    if crisis or _crisis(record) or not talk or not len(bank):
        return []
    vector = matcher.talks([talk])[0]
    near = bank.near(vector)
    rows = [int(k) for k in np.argsort(-near, kind="stable")[: 2 * how.nearest] if not unfit(bank.texts[k])]
    rows = _unsaid(rows, bank, talk)[: how.nearest]
    if not rows:
        return []
    texts = [bank.texts[k] for k in rows]
    vectors = bank.vectors[rows].astype(np.float32) * bank.scale[rows, None]
    plan = planned(record, planner)
    shown = feeling_of(record, reader)
    terms: dict[str, npt.NDArray[Any]] = {"fit": matcher.fits(talk, texts, vectors)}
    if plan is not None and how.strategy:
        gains = np.clip(np.log(np.maximum(plan, 1e-6) * len(STRATEGIES)), -1, 1)
        terms["strategy"] = how.strategy * np.array(
            [gains[bank.strategy[k]] if bank.strategy[k] >= 0 else 0 for k in rows]
        )
    if shown is not None and how.feeling:
        answered = [sum(shown[FEELINGS.index(name)] for name in bank.feelings_of(k)) for k in rows]
        terms["feeling"] = how.feeling * np.array(answered)
    if how.followups:
        terms["followups"] = how.followups * followed(talk, texts, matcher, how.seeds)
    chosen = _chosen(terms, vectors, how)
    return [_made(place, rows, terms, cost, bank, plan, shown, how) for place, cost in chosen]


def heard(record: Record, speaker: str = "") -> list[tuple[str, bool]]:
    """Return what is to be answered: turns with words, and whether by the one who replies; up to another's last turn.

    A record without turns is one thing said by somebody else.
    """
    said = [(piece.subject, piece.text) for piece in record.pieces() if _worded(piece.text)]
    if not said:
        return []
    names = [who for who in record.people if str(record.people[who].get("role", "")) in ANSWERING]
    others = [who for who, _ in reversed(said) if who != said[-1][0]]
    who = speaker or next(iter([*names, *others]), "")
    while said and said[-1][0] == who:
        said.pop()
    return [(text, subject == who) for subject, text in said]


def planned(record: Record, planner: Model | None) -> Floats | None:
    """Return how probable each strategy is as the next, 8 numbers; None where nobody says."""
    tracks = planner([record])[0] if planner is not None else ()
    rows = [track.values[-1] for track in tracks if track.space.id == "strategy-8" and len(track)]
    return np.asarray(rows[-1], np.float32) if rows and not np.isnan(rows[-1]).any() else None


def feeling_of(record: Record, reader: Model | None = None) -> Floats | None:
    """Return what the last turn with words shows, in `ekman-7`; None where nobody says.

    Tracks of the record count before the reader, and of them those of a model of talk before others.
    """
    found = _shown(record)
    if found is None and reader is not None:
        late = replace(record, turns=record.turns[-READ:], tracks=())
        found = _shown(late.add(*reader([late])[0]))
    return found


def _shown(record: Record) -> Floats | None:
    """Return what the record's Tracks say that the last turn with words shows."""
    last = next((piece for piece in reversed(record.pieces()) if _worded(piece.text)), None)
    fitting = [t for t in record.tracks if t.space.id == "ekman-7" and t.perspective == "expressed"]
    for track in sorted(fitting, key=lambda t: not t.source.startswith("dialogue.")):
        for row, start in enumerate(track.start):
            here = last and track.subject == last.subject and track.unit == last.unit and start == last.start
            if here and not np.isnan(track.values[row]).any():
                return np.asarray(track.values[row], np.float32)
    return None


def followed(
    talk: Turns, texts: Sequence[str], matcher: Matcher, seeds: Mapping[str, Sequence[str]] | None = None
) -> Floats:
    """Return how much nearer good follow-ups are than bad ones, were each text said: n, -2..2.

    The mean product of the vectors of talk and reply with those of good follow-ups, less that with bad ones.

    Args:
        talk: up to the reply; here who replies is the other.
        texts: n replies.
        matcher: judges.
        seeds: follow-ups by `good` and `bad`; None: those written for Affetto.
    """
    lists = seeds if seeds is not None else seeds_written()
    turned = [(text, not own) for text, own in talk]
    after = matcher.talks([[*turned, (text, False)] for text in texts])
    good, bad = (matcher.replies(list(lists[side])).mean(0) for side in ("good", "bad"))
    return np.asarray(after @ (good - bad), np.float32)


@cache
def seeds_written() -> Mapping[str, Sequence[str]]:
    """Return the follow-ups that were written for Affetto, by `good` and `bad`."""
    plain = tomllib.loads(FOLLOWUPS.read_text("utf-8"))
    return {side: tuple(text for aspect in plain.values() for text in aspect[side]) for side in ("good", "bad")}


def _chosen(terms: Mapping[str, npt.NDArray[Any]], vectors: Floats, how: Options) -> list[tuple[int, float]]:
    """Return the places of the choices and what their likeness to those before costs (after Carbonell 1998, MMR)."""
    scores = np.sum([*terms.values()], 0).astype(np.float64)
    likeness = np.zeros(len(scores))
    chosen: list[tuple[int, float]] = []
    while len(chosen) < min(how.choices, len(scores)):
        now = scores - how.variety * likeness
        now[[place for place, _ in chosen]] = -np.inf
        best = int(now.argmax())
        chosen.append((best, float(-how.variety * likeness[best])))
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return chosen


def _made(
    place: int, rows: Sequence[int], terms: Mapping[str, npt.NDArray[Any]], cost: float, bank: Bank,
    plan: Floats | None, shown: Floats | None, how: Options,
) -> Reply:  # fmt: skip
    row = rows[place]
    parts = {name: float(values[place]) for name, values in terms.items()} | {"variety": cost}
    strategy, feeling = bank.strategy_of(row), FEELINGS[int(shown.argmax())] if shown is not None else ""
    rank = int((terms["fit"] > terms["fit"][place]).sum()) + 1
    chance = 1 / (1 + math.exp(-parts["fit"]))
    reasons = [
        f"It fits what was said: number {rank} of {len(rows)} looked at, odds {chance:.2f} against a random reply."
    ]
    if plan is not None and strategy and "strategy" in parts:
        likely = float(plan[STRATEGIES.index(strategy)])
        place_of = int((plan > likely).sum()) + 1
        reasons.append(f"It does what the plan puts at {likely:.2f}, number {place_of} of 8: {strategy}.")
    if shown is not None and "feeling" in parts:
        share = parts["feeling"] / how.feeling
        names = ", ".join(bank.feelings_of(row)) or "no feeling in particular"
        reasons.append(f"It answers {names}: {share:.2f} of what the last turn shows.")
    if "followups" in parts:
        gain = parts["followups"] / how.followups
        side = "nearer" if gain > 0 else "no nearer"
        reasons.append(f"Good follow-ups are {side} than bad ones after it ({gain:+.3f}).")
    if cost < 0:
        reasons.append(f"It is somewhat like a choice above ({-cost / how.variety:.2f}), which costs it {-cost:.2f}.")
    return Reply(
        bank.texts[row], float(sum(parts.values())), strategy, feeling, parts, tuple(reasons),
        f"{bank.source} ({bank.licence})",
    )  # fmt: skip


def _unsaid(rows: Sequence[int], bank: Bank, talk: Turns) -> list[int]:
    """Return the rows whose text was not said in the talk already."""
    said = {" ".join(text.casefold().split()) for text, _ in talk}
    return [k for k in rows if " ".join(bank.texts[k].casefold().split()) not in said]


def _crisis(record: Record) -> bool:
    """Tell whether the record carries a finding of who looks after people."""
    return any(track.space.id == "care" and np.nan_to_num(track.values).max(initial=0) > 0 for track in record.tracks)


def _worded(text: str) -> bool:
    """Tell whether a turn has words, and is not what a program writes in place of a picture."""
    plain = text.strip().strip("\u200e\u200f")
    return any(sign.isalnum() or ord(sign) > 0x2190 for sign in plain) and not _PLACEHOLDER.fullmatch(plain)
