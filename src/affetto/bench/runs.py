"""One run: systems answer, each in its process; their Tracks are stored, scored on the same rows, and compared.

Knows the order of things. Whoever calls hands in the check for leaks, since that room is not this one's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.bench import causes, course, people, places, probe, results, systems, transition
from affetto.bench import evaluate as scoring
from affetto.bench import rows as aligned
from affetto.bench.protocol import Benchmark, named
from affetto.bench.scores import Case
from affetto.bench.survey import Published, published
from affetto.core import catalog
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Track

LeakCheck = Callable[[Mapping[str, Sequence[Record]]], list[str]]
"""Takes the Records of each split, and returns a sentence for each leak between them."""
Said = Callable[[str], None]
_WHOLE = {"people": people.evaluate, "course": course.evaluate, "cause": causes.evaluate}
"""How talks are scored that are not scored row by row."""


@dataclass(frozen=True)
class RunOptions:
    """How a run is made."""

    folder: str | None = None
    """Of the corpus; None: below AFFETTO_DATA."""
    keep: Path = Path("bench-runs")
    """Where predictions lie."""
    out: Path = Path("bench-runs")
    """Where results lie."""
    seed: int = 20
    resamples: int = scoring.RESAMPLES


@dataclass(frozen=True)
class Ran:
    """What a run gave: results as they stand in their files, the first system first."""

    benchmark: Benchmark
    results: tuple[Mapping[str, Any], ...]


def benchmark(name: str) -> Benchmark:
    """Return a benchmark by its id, or by its name without the version, which means the newest; `@` a condition.

    Raises:
        UnknownNameError: no benchmark is called so; names those there are.
    """
    return named(name)


def run(
    what: Benchmark,
    names: Sequence[str],
    options: RunOptions,
    leak_check: LeakCheck,
    say: Said = lambda words: None,
) -> Ran:
    """Let systems answer a benchmark, and score them beside each other.

    Args:
        what: the benchmark.
        names: of the systems, the one in question first.
        options: see `RunOptions`.
        leak_check: looks for leaks between the splits before anything is scored.
        say: is told what happens.

    Raises:
        AffettoError: a corpus or a system is not there, or a system learned from the rows that are scored.
    """
    ids = list(dict.fromkeys(systems.named(name) for name in names))
    warnings = [words for id in ids if (words := _seen(what, id))]
    records = _records(what, options.folder)
    leaks = [*leak_check(_sides(what, records)), *warnings]
    for leak in leaks:
        say(leak)
    done = {}
    for id in ids:
        say(f"{id} answers {what.id}")
        done[id] = systems.run(systems.Job(id, what.id, options.folder, options.keep, options.seed))
    return _scored(what, records, done, options, leaks)


def published_beside(what: Benchmark) -> list[Published]:
    """Return the published results on the corpus and split of a benchmark."""
    if not what.published:
        return []
    corpus, split = what.published
    return [one for one in published(corpus=corpus) if one.split == split]


def rescore(what: Benchmark, files: Mapping[str, Path], options: RunOptions, leak_check: LeakCheck) -> Ran:
    """Score stored predictions again.

    Args:
        what: the benchmark.
        files: by the name of the system, its predictions on the scored split; those on dev lie beside them.
        options: see `RunOptions`.
        leak_check: as in `run`.

    Raises:
        UnreadableError: predictions are missing, cut off, or of other Records.
    """
    records = _records(what, options.folder)
    done = {}
    before = {result["model"]: result["speed"] for result in results.results(options.out, what.id)}
    for name, path in files.items():
        found = {what.split: path}
        beside = path.with_name(path.name.replace(f".{what.split}.", f".{what.dev}."))
        if what.dev and beside.exists() and beside != path:
            found[what.dev] = beside
        done[name] = systems.Done(before.get(name, {}), found)
    return _scored(what, records, done, options, leak_check(_sides(what, records)))


def _seen(what: Benchmark, id: str) -> str:
    """Return a word of warning about a system whose card says that it saw the scored texts without their labels.

    Raises:
        UnreadableError: it saw them with their labels.
    """
    if systems.learns(id) or id in systems.UNTAUGHT:
        return ""
    for data in catalog.find(id, "model").facts.get("data", ()):
        if data.get("corpus") != what.corpus or what.split not in data.get("splits", ()):
            continue
        if data.get("labels", True):
            raise UnreadableError(
                f"{id} learned from {what.corpus} {what.split!r}, which {what.id} scores: its number would mean nothing"
            )
        return f"{id} saw the texts of {what.corpus} {what.split!r} in training, without their labels"
    return ""


def _records(what: Benchmark, folder: str | None) -> dict[str, list[Record]]:
    splits = dict.fromkeys(split for split in (what.split, what.dev, what.train) if split)
    return {split: systems.records_of(what, split, folder) for split in splits}


def _sides(what: Benchmark, records: Mapping[str, Sequence[Record]]) -> Mapping[str, Sequence[Record]]:
    """Return what must not share anything: the splits, or the folds that a key of meta names."""
    if not what.fold:
        return records
    sides: dict[str, list[Record]] = {}
    for record in records[what.split]:
        sides.setdefault(f"fold {what.fold_of(record, 0)}", []).append(record)
    return sides


def _scored(
    what: Benchmark,
    records: Mapping[str, Sequence[Record]],
    done: Mapping[str, systems.Done],
    options: RunOptions,
    leaks: Sequence[str],
) -> Ran:
    found = {id: _answers(one.files[what.split], records[what.split]) for id, one in done.items()}
    sources = {id: next((t.source for tracks in said for t in tracks), id) for id, said in found.items()}
    ways = dict.fromkeys(done, "")
    if what.places or what.talk in _WHOLE:
        scored = _WHOLE.get(what.talk, places.evaluate)
        outcomes = scored(what, records[what.split], found, options.seed, options.resamples)
    else:
        asked = records[what.split]
        truth = aligned.truth_rows(what, [*map(transition.scored, asked)] if what.talk == "transition" else asked)
        tuned = aligned.truth_rows(what, records[what.dev]) if what.dev else None
        cases = {}
        for id, one in done.items():
            dev = _answers(one.files[what.dev], records[what.dev]) if what.dev and what.dev in one.files else None
            cases[id], ways[id] = _case(what, id, records[what.split], truth, found[id], tuned, dev, options.seed)
        outcomes = scoring.evaluate(what, truth, cases, options.seed, resamples=options.resamples)
    for id, outcome in outcomes.items():
        paired = [
            {key: results.number(v) if isinstance(v, float) else v for key, v in asdict(p).items()}
            for p in outcome.paired
        ]
        results.save(
            options.out,
            what.id,
            id,
            outcome.n,
            {name: asdict(metric) for name, metric in outcome.metrics.items()},
            options.seed,
            done[id].speed,
            _notes(what, ways[id], options),
            system=sources[id],
            groups=outcome.groups,
            said=results.number(outcome.said),
            paired=paired,
            leaks=list(leaks),
        )
    written = {result["model"]: result for result in results.results(options.out, what.id)}
    return Ran(what, tuple(written[id] for id in outcomes))


def _answers(path: Path, records: Sequence[Record]) -> list[tuple[Track, ...]]:
    ids, answers = systems.predictions(path)
    places = {id: at for at, id in enumerate(ids)}
    if len(places) == len(ids) == len(records) and all(record.id in places for record in records):
        return [answers[places[record.id]] for record in records]
    if ids != [record.id for record in records]:
        odd = next((a for a, record in zip(ids, records, strict=False) if a != record.id), "")
        raise UnreadableError(
            f"the predictions {path} are of other Records ({len(ids):,} of them, {len(records):,} are scored"
            f"{f'; the first that differs is {odd!r}' if odd else ''}); run the benchmark again"
        )
    return answers


def _case(
    what: Benchmark,
    id: str,
    records: Sequence[Record],
    truth: aligned.Rows,
    answers: Sequence[Sequence[Track]],
    tuned: aligned.Rows | None,
    dev: Sequence[Sequence[Track]] | None,
    seed: int,
) -> tuple[Case, str]:
    """Bring answers to the benchmark's space and to decisions; return them, and by what way they came.

    What must be fitted (thresholds, a regression where no bridge leads) is fitted on dev, or where there are folds, for
    each fold on the others.
    """
    said = aligned.said_rows(what, truth, answers)
    before = aligned.said_rows(what, tuned, dev) if tuned is not None and dev is not None else None
    fits: list[tuple[_Fit | None, npt.NDArray[np.intp]]] = [(None, np.arange(len(truth)))]
    if before is not None and tuned is not None:
        fits = [(_Fit(before.values, tuned.values), np.arange(len(truth)))]
    elif what.folds or what.fold:
        fold = np.array([what.fold_of(records[place.record], seed) for place in truth.places])
        parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in np.unique(fold)]
        fits = [(_Fit(said.values[a], truth.values[a]), b) for a, b in parts if len(a) and len(b)]
    values, limits = np.full(truth.values.shape, np.nan), np.full(truth.values.shape, 0.5)
    for fit, at in fits:
        if said.way != "none":
            values[at] = aligned.answered(what, said, said.values[at])
            learned = aligned.answered(what, said, fit.values) if fit else None
        elif fit is None:
            raise MalformedError(
                f"{id} speaks {said.space.id}; no bridge leads to {what.space}, and {what.id} has no dev to fit one on"
            )
        else:
            values[at] = probe.read_through(fit.values, fit.truth, said.values[at], truth.space.kind)
            learned = probe.read_through(fit.values, fit.truth, fit.values, truth.space.kind)
        if truth.space.kind == "any" and fit is not None and learned is not None:
            limits[at] = scoring.cuts(fit.truth, learned, seed)
    return scoring.case(what, truth, values, limits), _way_words(what, said, fits[0][0] is not None)


@dataclass(frozen=True)
class _Fit:
    """Rows that something may be fitted on: what was said of them, and the truth."""

    values: npt.NDArray[np.float64]
    truth: npt.NDArray[np.float64]


def _way_words(what: Benchmark, said: aligned.Said, fitted: bool) -> str:
    where = "dev" if what.dev else "the other folds"
    words = []
    if said.way == "none":
        words.append(f"{said.space.id} read through a regression fitted on {where}")
    elif said.way:
        words.append(f"by {said.way}")
    if fitted and catalog.load(what.space).kind == "any":
        words.append(f"thresholds from {where}")
    return "; ".join(words)


def _notes(what: Benchmark, way: str, options: RunOptions) -> str:
    drawn = f"{options.resamples:,} bootstrap resamples over {what.group or 'Records'}"
    heard = f"the first {what.seconds:g} s of each" if what.seconds else ""
    under = f"under {what.condition}" if what.condition else ""
    folds = f"folds by {what.fold}" if what.fold else ""
    left = f"without those of {', '.join(what.without)}" if what.without else ""
    each = f"under {', '.join(what.conditions)}" if what.conditions else ""
    words = [f"{what.corpus} {what.split}, {what.perspective}", folds, left, heard, under, each, way, drawn]
    return "; ".join(word for word in words if word)
