"""Who is measured, and the process that each runs in: predictions on disk, speed and memory beside them.

A system is a Model by its card, or a baseline that learns from the benchmark's own training rows. Each runs in a
process of its own, so that its time and memory are its own. Knows no metric.
"""

import gzip
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affetto.bench import causes, conditions, course, lacking, people, places, protocol, seeing, transition
from affetto.bench import rows as aligned
from affetto.bench.protocol import Benchmark
from affetto.core import catalog, plain
from affetto.core.errors import AffettoError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Track

CHUNK = 1024
"""Records that a model is asked about at a time."""
PEERS = "peer."
Answers = list[tuple[Track, ...]]


@dataclass(frozen=True)
class Job:
    """What one process does."""

    system: str
    benchmark: str
    folder: str | None
    """Of the corpus; None: below AFFETTO_DATA."""
    keep: Path
    """Where predictions go."""
    seed: int


@dataclass(frozen=True)
class Done:
    """What came of it."""

    speed: Mapping[str, float]
    files: Mapping[str, Path]
    """Of the predictions, by split."""


def known() -> list[str]:
    """Return the names of all systems that may be measured."""
    return [*catalog.cards("model"), *dict.fromkeys((*BASELINES, *SOUND_BASELINES, *PICTURE_BASELINES, *UNTAUGHT))]


def named(name: str) -> str:
    """Return the id that a name means: a card's, a peer's without its prefix, or a baseline's.

    Raises:
        UnknownNameError: nobody is called so; names those that are.

    >>> named("fake"), named("majority")
    ('fake', 'baseline.majority')
    """
    for id in (name, f"{PEERS}{name}", f"baseline.{name}"):
        if id in known():
            return id
    raise UnknownNameError("system", name, known())


BASELINES = ("baseline.majority", "baseline.random", "baseline.tfidf")
"""Those that read."""
SOUND_BASELINES = ("baseline.majority", "baseline.random", "baseline.cepstral-svm", "baseline.egemaps-svm")
"""Those that listen."""
PICTURE_BASELINES = ("baseline.majority", "baseline.random", "baseline.hog")
"""Those that look."""
CASCADE = "baseline.cascade"
"""That which finds faces, and learns nothing."""
COPY = transition.Copy.id
"""That which expects of a speaker what she felt before, and learns nothing."""
UNTAUGHT = (CASCADE, COPY)


def baselines(benchmark: Benchmark) -> tuple[str, ...]:
    """Return the baselines that a benchmark is meant for."""
    if benchmark.places:
        return (CASCADE,)
    if benchmark.talk:
        return (COPY,) if benchmark.talk == "transition" else ()
    return SOUND_BASELINES if benchmark.heard else PICTURE_BASELINES if benchmark.seen else BASELINES


def learns(system: str) -> bool:
    """Tell whether a system is a baseline that learns from the benchmark itself."""
    return system in (*BASELINES, *SOUND_BASELINES, *PICTURE_BASELINES)


def run(job: Job) -> Done:
    """Do the job in a process of its own.

    Raises:
        AffettoError: what the system or the corpus refused, as it said it.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, sender))
    process.start()
    sender.close()
    try:
        done = receiver.recv()
    except EOFError:
        process.join()
        raise AffettoError(
            f"the process of {job.system} on {job.benchmark} ended with code {process.exitcode} before it answered"
        ) from None
    process.join()
    if isinstance(done, AffettoError):
        raise done
    return Done(**done)


def records_of(benchmark: Benchmark, split: str, folder: str | None) -> list[Record]:
    """Return the Records of a split, of all the benchmark's parts, with the labels and the seconds that it asks for.

    Where the benchmark has conditions, those that are scored stand there once for each: `part` of meta is the
    condition, `whole` the id without it.

    Raises:
        UnreadableError: the split is empty, or a file is missing.
    """
    corpus = catalog.load(benchmark.corpus)
    parts = benchmark.parts or (None,)
    records = [record for part in parts for record in corpus.read(split, part, folder)]
    if benchmark.without:
        records = [record for record in records if not any(key in record.meta for key in benchmark.without)]
    if benchmark.labels:
        records = [record for record in records if _asked(benchmark, record)]
    if benchmark.seconds:
        records = [conditions.first(record, benchmark.seconds) for record in records]
    if not records:
        raise UnreadableError(f"the split {split!r} of {benchmark.corpus} is empty: nothing can be scored")
    if benchmark.overlap:
        records = transition.grouped(records)
    if benchmark.conditions and split == benchmark.split:
        records = [_part(record, condition) for condition in benchmark.conditions for record in records]
    return records


def _part(record: Record, condition: str) -> Record:
    meta = {**record.meta, "part": condition, "whole": record.id}
    return replace(record, id=f"{record.id}@{condition}", meta=meta)


def _asked(benchmark: Benchmark, record: Record) -> bool:
    return any(benchmark.asks(track, row) for track in benchmark.truths(record) for row in range(len(track)))


def questions(benchmark: Benchmark, split: str, folder: str | None, seed: int) -> list[Record]:
    """Return the Records of a split as systems are asked about them: those that are scored under the condition.

    They still carry the truth, for whoever needs their folds (`Benchmark.fold_of`); `rows.blind` takes it away.

    Raises:
        UnreadableError: the split is empty, or a file is missing.
        UnknownNameError: there is no such condition.
    """
    records = records_of(benchmark, split, folder)
    if split == benchmark.split and (benchmark.condition or benchmark.conditions):
        return [_under(benchmark, record, seed) for record in records]
    return records


def _under(benchmark: Benchmark, record: Record, seed: int) -> Record:
    """Return a Record as it is heard or seen; what is drawn is drawn by its id without the condition."""
    whole = replace(record, id=record.meta.get("whole", record.id))
    if benchmark.talk:
        return replace(lacking.under(benchmark.condition or record.meta["part"], whole), id=record.id)
    change = conditions.under if benchmark.heard else seeing.under
    return replace(change(benchmark.condition or record.meta["part"], whole, seed), id=record.id)


def predictions(path: Path) -> tuple[list[str], Answers]:
    """Read predictions back: ids of Records, and the Tracks that were said of each.

    A file of lines of JSON, a Record a line (`id`, `tracks`), packed with gzip where its name ends in `.gz`.

    Raises:
        UnreadableError: the file is missing, cut off, or no predictions; says at which line.
    """
    ids: list[str] = []
    answers: Answers = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for line in file:
                record = plain.to_record(json.loads(line), catalog.load)
                ids.append(record.id)
                answers.append(record.tracks)
    except (OSError, EOFError, ValueError) as error:
        raise UnreadableError(
            f"the predictions {path} cannot be read after line {len(ids)} ({error}); run the benchmark again"
        ) from None
    return ids, answers


def _work(job: Job, sender: Any) -> None:
    try:
        sender.send(_do(job))
    except AffettoError as error:
        sender.send(_sendable(error))
    finally:
        sender.close()


def _sendable(error: AffettoError) -> AffettoError:
    kind = UnreadableError if isinstance(error, UnreadableError) else AffettoError
    return kind(str(error))


def _do(job: Job) -> dict[str, Any]:
    benchmark = protocol.named(job.benchmark)
    splits = [split for split in (benchmark.dev, benchmark.split) if split]
    asked = {split: questions(benchmark, split, job.folder, job.seed) for split in splits}
    before = _peak()
    began = time.perf_counter()
    answer = _answerer(job, benchmark, asked[benchmark.split])
    loaded = time.perf_counter() - began
    files, speed = {}, {"load_seconds": loaded}
    for split, records in asked.items():
        began = time.perf_counter()
        answers = answer(records)
        seconds = time.perf_counter() - began
        files[split] = keep(benchmark, records, answers, job.keep / benchmark.id / f"{job.system}.{split}.jsonl.gz")
        if split == benchmark.split:
            speed |= {"records_per_second": len(records) / seconds, "seconds": seconds}
    speed |= {"peak_mb": _peak(), "own_mb": max(0.0, _peak() - before)}
    return {"speed": speed, "files": files}


def _answerer(job: Job, benchmark: Benchmark, scored: Sequence[Record]) -> Callable[[Sequence[Record]], Answers]:
    """Return what answers Records: a model by its card, or a baseline that learns each part or fold alone."""
    if not learns(job.system):
        model = _untaught(benchmark, job.system) if job.system in UNTAUGHT else catalog.load(job.system)
        return lambda records: _in_chunks(model, _blind(benchmark, records))
    from affetto.bench import teaching  # noqa: PLC0415 - scikit-learn, only where something learns

    alone = benchmark.train or benchmark.condition  # a condition holds for what is scored, not for what is learned from
    pool = records_of(benchmark, benchmark.train or benchmark.split, job.folder) if alone else scored

    def kind(record: Record) -> str:
        if benchmark.train and benchmark.conditions:
            return ""
        return str(record.meta.get("part", "") if benchmark.train else benchmark.fold_of(record, job.seed))

    systems = {}
    for one in dict.fromkeys(map(kind, scored)):
        lesson = [record for record in pool if (kind(record) == one) == bool(benchmark.train)]
        systems[one] = teaching.taught(job.system, benchmark, lesson, job.seed)

    def answer(records: Sequence[Record]) -> Answers:
        answers: Answers = [()] * len(records)
        for one, system in systems.items():
            mine = [i for i, record in enumerate(records) if kind(record) == one]
            for i, said in zip(mine, _in_chunks(system, aligned.blind([records[i] for i in mine])), strict=True):
                answers[i] = said
        return answers

    return answer


def _blind(benchmark: Benchmark, records: Sequence[Record]) -> list[Record]:
    if benchmark.talk == "transition":
        return [transition.asked(record, benchmark.truth) for record in records]
    if benchmark.talk == "cause":
        return [causes.asked(record) for record in records]
    return [lacking.blind(record) for record in records] if benchmark.talk else aligned.blind(records)


def _untaught(benchmark: Benchmark, system: str) -> Any:
    if system == COPY:
        return transition.Copy(catalog.load(benchmark.truth))
    from affetto.bench.looking import Cascade  # noqa: PLC0415 - where it is asked for

    return Cascade(benchmark.space)


def _in_chunks(model: Any, records: Sequence[Record]) -> Answers:
    return [said for start in range(0, len(records), CHUNK) for said in model(records[start : start + CHUNK])]


def keep(benchmark: Benchmark, records: Sequence[Record], answers: Answers, path: Path) -> Path:
    """Write the answers that can be scored here, a line a Record, packed with gzip; return the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept(benchmark, answers)
    part = path.with_name(f".{path.name}.part")
    with gzip.open(part, "wt", encoding="utf-8", compresslevel=3) as file:
        for record, tracks in zip(records, kept, strict=True):
            file.write(json.dumps(plain.from_record(Record(record.id, tracks=tracks)), separators=(",", ":")) + "\n")
    part.replace(path)
    return path


def _kept(benchmark: Benchmark, answers: Answers) -> Answers:
    """Return of each answer what is scored here."""
    if benchmark.talk == "cause":
        return [causes.kept(tracks) for tracks in answers]
    if benchmark.talk in protocol.RECORDINGS:
        return [
            course.kept(benchmark, tracks) if benchmark.talk == "course" else people.kept(tracks) for tracks in answers
        ]
    chosen = places.chosen(benchmark, answers) if benchmark.places else aligned.chosen(benchmark, answers)
    return [tuple(replace(t, note=None) for t in tracks if aligned.kind_of(t) == chosen) for tracks in answers]


def _peak() -> float:
    """Return the most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024**2
