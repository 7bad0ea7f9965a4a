"""Which skills of who supports go with relief: shares of skills in talks beside how much the trouble eased.

The method of studies of digital support: skills counted in each talk, regressed on the change that the seeker reports,
with covariates and clustered errors; then talks high in a skill matched with talks low in it by their propensity. Takes
Records that bear an answer of the seeker before and after, and Tracks of skills on the turns of who supports, whether
raters' or a model's. Knows no corpus and no model; shows associations, and says with them why they are no effects.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.study import statistics
from affetto.study.statistics import Estimate, Floats

SKILLS = ("strategy-8", "therapist-4", "epitome-3")
"""Spaces of what supporters do."""
NO_CAUSES = (
    "No causes: nobody was assigned a skill. Supporters chose what to do by what they saw, and some of what they saw is"
    " not measured here (self-selection).",
    "Relief is the seeker's own answer, on a coarse scale, often asked for by who pays for the talk (self-report).",
    "Shares of skills add up: more of one is less of the others, so that each is compared with whatever it replaced.",
    "Pairs are matched by what was known before the talk; its length, known only afterwards, is a covariate of the"
    " regressions alone.",
)


@dataclass(frozen=True)
class SupportOptions:
    """What is compared, and how strictly."""

    outcomes: tuple[str, ...] = ("esconv-11", "trouble")
    """Spaces in which the seeker says how strong it feels, before (first row) and after (last row)."""
    skills: tuple[str, ...] = SKILLS
    """Spaces of skills; a talk counts with those it bears."""
    facts: tuple[str, ...] = ("problem", "emotion", "experience")
    """Keys of meta that are covariates."""
    clusters: tuple[str, ...] = ("supporter", "problem")
    """Keys of meta by which talks belong together: the first that the talks have; without any, each is its own."""
    least: int = 20
    """Talks that a skill and each side of a comparison must have, and a fact to be a covariate of its own."""
    calipers: tuple[float, ...] = (0.2, 0.1, 0.05)
    """Of matching, in standard deviations of the log-odds: the widest that balances, or else the narrowest."""
    balanced: float = 0.1
    """The largest standardised mean difference that counts as balance."""


@dataclass(frozen=True)
class Chat:
    """What is counted of one talk."""

    before: float
    relief: float
    """By how much the trouble eased: before less after."""
    shares: Mapping[str, float]
    """Of the supporter's turns that were labelled, how many show each skill; of degrees, their mean."""
    turns: int
    facts: Mapping[str, str]
    cluster: str


@dataclass(frozen=True)
class Matching:
    """Talks high in a skill beside talks low in it."""

    high: int
    low: int
    """Talks of each side before matching."""
    naive: Estimate
    """The difference of their mean relief."""
    pairs: int
    effect: Estimate
    """The same of matched pairs, covariates allowed for; errors by pair."""
    p_holm: float
    before: float
    """The largest standardised mean difference of a covariate, without matching ..."""
    after: float
    """... and with it."""
    caliper: float
    e_value: float
    """How strongly something unmeasured must go with skill and relief, as a risk ratio, to explain it away ..."""
    e_limit: float
    """... and to let the interval reach 0; 1 where it does."""


@dataclass(frozen=True)
class Effect:
    """What goes with one skill."""

    skill: str
    mean: float
    """Share of the turns."""
    shown: float
    """Share of the talks."""
    alone: Estimate
    """Relief a standard deviation of the share, with covariates."""
    p_holm: float
    p_fdr: float
    """p of `alone`, corrected over all skills."""
    together: Estimate | None
    """The same beside all other skills but `Study.reference`; None of the reference itself."""
    matching: Matching | None
    """None where too few talks have, or lack, the skill."""


@dataclass(frozen=True)
class Study:
    """All that was found."""

    n: int
    passed: int
    """Talks without both answers, or without a labelled turn."""
    clusters: str
    """The key of meta by which errors are clustered; empty: each talk is its own."""
    groups: int
    before: float
    relief: float
    spread: float
    """Means of all talks, and the standard deviation of relief."""
    reference: str
    """The skill that `together` compares with; empty where shares do not add up to 1."""
    covariates: tuple[str, ...]
    """What was known before each talk, beside its length."""
    effects: tuple[Effect, ...]
    """The strongest first."""
    limits: tuple[str, ...]


def effects(records: Iterable[Record], options: SupportOptions | None = None) -> Study:
    """Relate the skills of who supports to the relief of who seeks it.

    Args:
        records: talks; those without an answer before and after, or without a labelled turn of the supporter, are
            passed over and counted.
        options: see `SupportOptions`.

    Raises:
        MalformedError: too few talks can be compared, or all eased by as much.
    """
    options = options or SupportOptions()
    talks = list(records)
    key = next((key for key in options.clusters if any(key in record.meta for record in talks)), "")
    chats = [one for record in talks if (one := chat(record, key, options))]
    if len(chats) < 2 * options.least:
        raise MalformedError(
            f"{len(chats):,} of {len(talks):,} talks say how the seeker felt before and after, in"
            f" {' or '.join(options.outcomes)}, and have turns labelled in {', '.join(options.skills)}; a comparison"
            f" wants {2 * options.least} or more"
        )
    relief = np.array([one.relief for one in chats])
    if relief.std() == 0:
        raise MalformedError(f"the trouble eased by {relief[0]:g} in all {len(chats):,} talks: nothing can go with it")
    names = list(dict.fromkeys(name for one in chats for name in one.shares))
    shares = np.array([[one.shares.get(name, 0.0) for name in names] for one in chats])
    kept = np.flatnonzero(((shares > 0).sum(0) >= options.least) & (shares.std(0) > 0))
    names, shares = [names[k] for k in kept], shares[:, kept]
    covariates, said = _covariates(chats, options)
    length = _standard(np.log([max(1, one.turns) for one in chats]))[:, None]
    clusters = [one.cluster for one in chats] if key else None
    groups = len(set(clusters)) if clusters else len(chats)
    if groups < 2:
        raise MalformedError(f"all talks have one {key}: errors cannot be clustered by it; say another")
    found, reference = _effects(relief, names, shares, (covariates, length), clusters, options)
    odd = [one.skill for one in found if one.matching and one.matching.after >= options.balanced]
    limits = [*NO_CAUSES, *_seen(relief, key, groups)]
    if odd:
        limits.append(f"Pairs are not alike enough in what was known before the talk for {', '.join(odd)}.")
    return Study(
        len(chats),
        len(talks) - len(chats),
        key,
        groups,
        float(np.mean([one.before for one in chats])),
        float(relief.mean()),
        float(relief.std(ddof=1)),
        reference,
        said,
        found,
        tuple(limits),
    )


def chat(record: Record, key: str, options: SupportOptions) -> Chat | None:
    """Return what is counted of a talk; None where nobody says how it began and ended, or what the supporter did."""
    answers = next(((track, found) for track in record.tracks if (found := _answers(track, options))), None)
    if answers is None:
        return None
    track, (before, after) = answers
    shares: dict[str, float] = {}
    for space in options.skills:
        own = [t for t in record.tracks if t.space.id == space and t.subject != track.subject and _common(t)]
        rows = np.concatenate([t.values for t in own]) if own else np.zeros((0, 1))
        rows = rows[~np.isnan(rows).any(1)].astype(np.float64)
        if len(rows):
            shares |= _shares(own[0], rows)
    if not shares:
        return None
    facts = {name: str(record.meta.get(name, "")).strip().casefold() for name in options.facts}
    return Chat(before, before - after, shares, len(record.turns), facts, str(record.meta.get(key, "")).casefold())


def _answers(track: Track, options: SupportOptions) -> tuple[float, float] | None:
    """Return how strong the seeker says it felt, before and after; a model's estimate is no answer."""
    if track.space.id not in options.outcomes or track.source.startswith("dialogue."):
        return None
    rows = track.values[~np.isnan(track.values).all(1)]
    return (float(np.nanmax(rows[0])), float(np.nanmax(rows[-1]))) if len(rows) > 1 else None


def _common(track: Track) -> bool:
    return not track.source.startswith(("rater:", "silver:"))


def _shares(track: Track, rows: Floats) -> dict[str, float]:
    names = track.space.names
    if track.space.kind == "one":
        rows = np.eye(len(names))[rows.argmax(1)]
    elif track.space.kind == "any":
        rows = (rows > 0.5).astype(np.float64)
    return dict(zip(names, map(float, rows.mean(0)), strict=True))


def _covariates(chats: Sequence[Chat], options: SupportOptions) -> tuple[Floats, tuple[str, ...]]:
    """Return what was known before, n x k, standardised, and its names; a fact's most frequent value has no column."""
    columns = {"strength before": [one.before for one in chats]}
    for fact in options.facts:
        often = [name for name, n in Counter(one.facts[fact] for one in chats).most_common() if n >= options.least]
        for name in often[1:]:
            columns[f"{fact}: {name}"] = [float(one.facts[fact] == name) for one in chats]
    kept = {name: np.array(values, np.float64) for name, values in columns.items() if np.std(values) > 0}
    if not kept:
        return np.zeros((len(chats), 0)), ()
    return np.stack([_standard(values) for values in kept.values()], 1), tuple(kept)


def _standard(values: Floats) -> Floats:
    spread = values.std(0)
    return np.asarray((values - values.mean(0)) / np.where(spread > 0, spread, 1))


def _effects(
    relief: Floats,
    names: Sequence[str],
    shares: Floats,
    covariates: tuple[Floats, Floats],
    clusters: Sequence[str] | None,
    options: SupportOptions,
) -> tuple[tuple[Effect, ...], str]:
    """Return what goes with each skill; `covariates` are those of before, and the length."""
    scaled, held = _standard(shares), np.hstack(covariates)
    alone = [
        statistics.regression(relief, np.hstack([scaled[:, [k]], held]), clusters, 1)[0] for k in range(len(names))
    ]
    whole = bool(np.allclose(shares.sum(1), 1))
    reference = next((name for name in names if name in ("others", "other")), names[0]) if whole else ""
    beside = [k for k, name in enumerate(names) if name != reference]
    joint = statistics.regression(relief, np.hstack([scaled[:, beside], held]), clusters, len(beside))
    together = {names[k]: one for k, one in zip(beside, joint, strict=True)}
    pairs = [_matching(relief, shares[:, k], covariates[0], options) for k in range(len(names))]
    corrected = iter(statistics.holm([one.effect.p for one in pairs if one]))
    holm, fdr = statistics.holm([one.p for one in alone]), statistics.false_discovery([one.p for one in alone])
    found = []
    for k, name in enumerate(names):
        pair = pairs[k]
        made = _with_p(pair, float(next(corrected))) if pair else None
        shown = float((shares[:, k] > 0).mean())
        mean = float(shares[:, k].mean())
        found.append(Effect(name, mean, shown, alone[k], float(holm[k]), float(fdr[k]), together.get(name), made))
    return tuple(sorted(found, key=lambda one: -abs(one.alone.value / one.alone.error))), reference


def _matching(relief: Floats, share: Floats, covariates: Floats, options: SupportOptions) -> Matching | None:
    """Match the talks with more of a skill than the median, or with any where most have none, with the others."""
    high = share > np.median(share)
    sides = np.flatnonzero(high), np.flatnonzero(~high)
    if min(map(len, sides)) < options.least:
        return None
    odds = statistics.propensity(covariates, high) if covariates.shape[1] else np.zeros(len(high))
    spread = statistics.spread_of(covariates, *sides)
    for caliper in options.calipers:
        a, b = statistics.matched(odds, high, caliper)
        after = _largest(statistics.imbalance(covariates, a, b, spread)) if len(a) else math.inf
        if after < options.balanced:
            break
    if len(a) < options.least:
        return None
    both = np.concatenate([a, b])
    x = np.hstack([high[both, None].astype(np.float64), covariates[both]])
    effect = statistics.regression(relief[both], x, [*range(len(a))] * 2, 1)[0]
    size = float(relief.std(ddof=1))
    near = 0.0 if effect.low <= 0 <= effect.high else min(abs(effect.low), abs(effect.high))
    return Matching(
        len(sides[0]),
        len(sides[1]),
        statistics.difference(relief[sides[0]], relief[sides[1]]),
        len(a),
        effect,
        effect.p,
        _largest(statistics.imbalance(covariates, *sides, spread)),
        after,
        caliper,
        statistics.e_value(effect.value / size),
        statistics.e_value(near / size),
    )


def _with_p(one: Matching, p: float) -> Matching:
    return Matching(**{**vars(one), "p_holm": p})


def _largest(values: npt.NDArray[np.float64]) -> float:
    return float(np.abs(values).max()) if len(values) else 0.0


def _seen(relief: Floats, key: str, groups: int) -> list[str]:
    """Return the limits that the numbers themselves show."""
    found = []
    if relief.min() > 0:
        found.append(
            f"Every talk eased the trouble, by {relief.min():g} or more: they were chosen by their outcome, which"
            " weakens whatever goes with it."
        )
    if not key:
        found.append("Who supported is not known: talks of one supporter are taken for independent.")
    elif key != "supporter":
        found.append(f"Who supported is not known: errors are clustered by {key} ({groups} of them) in its place.")
    if key and groups < 20:
        found.append(f"With {groups} clusters of unlike size, intervals are rough.")
    return found
