"""The strong batch: one result or one error row for each input, in order, whatever happens in the middle.

Results go to `<out>.part` as they come, with a journal `<out>.part.json` of how far they are good; a run that was
killed goes on from there; `<out>` appears only when it is whole. Knows no model and no format: both are handed in.
"""

import contextlib
import hashlib
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from affetto.core.errors import (
    AffettoError,
    CatalogError,
    MalformedError,
    UnknownNameError,
    UnreadableError,
)
from affetto.core.record import Record
from affetto.core.roles import Appender
from affetto.core.signal import Audio, Frames, Text, Waves
from affetto.run import fields

Work = Callable[[list[Record]], list[Record]]
SCHEMA = "affetto-batch-1"
_EVERY = 0.5
"""Seconds between two visits to the disk; what a kill can cost, beside the chunk at hand."""
_CHARACTERS = 1 << 22
"""Characters of a chunk, at most, but for a single longer text."""
_SECONDS = 60.0
"""Seconds of sound and film of a chunk, at most, but for a single longer one: an hour's answers are not held back."""
_BLAMELESS = (ImportError, CatalogError, UnknownNameError)
"""Errors that are no row's fault, and would be the same for every row."""


@dataclass(frozen=True)
class Progress:
    """How far a batch is."""

    rows: int
    """Records done in all, those of earlier runs included."""
    errors: int
    """How many of them are error rows."""
    resumed: int
    """How many were there from an earlier run, so that rate = (rows - resumed) / seconds."""
    seconds: float
    """Since this run began."""
    position: int | None = None
    """Bytes of the input read so far, where the reader tells."""
    total: int | None = None
    """Bytes of the input, where the reader tells."""
    finished: bool = False
    """The last report: `out` is there."""


def run(
    records: Iterable[Record],
    work: Work,
    out: str | Path,
    appender: Appender,
    *,
    source: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    chunk: int = 512,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Do work on Records in chunks and write the results as they come; return the last Progress.

    Records that come with `meta["error"]` are written as they are, without work; those of several fields are worked on
    a field at a time, and written whole (`run.fields`). Where the work raises, the rows of that chunk are tried one by
    one, and those that fail get the exception as `meta["error"]`; what no row can be blamed for (ImportError,
    CatalogError, UnknownNameError) is raised at once. KeyboardInterrupt, or any other end, leaves `<out>.part` and its
    journal, and `resume=True` goes on with them.

    Args:
        records: the input, from its beginning, also when resuming (rows done are read over).
        work: takes Records and returns as many, in order.
        out: the file to make.
        appender: writes the rows, as `formats.by_path(out).appender()`.
        source: the input file: its content is part of the fingerprint; without it (stdin) nothing can be resumed.
        options: whatever changes the answers (model and version, column ...), as JSON holds it; in the fingerprint.
        resume: go on with a run that was stopped; without one, begin.
        overwrite: replace an `out` that exists, and drop a run that was stopped.
        chunk: Records at a time, at most; long texts make smaller chunks.
        progress: is told at the beginning, after each chunk, and at the end.

    Raises:
        AffettoError: `out` is the input; it exists, or a stopped run lies there, and neither `resume` nor `overwrite`
            says what to do; the input or the options are not those of the stopped run; another process is at it.
    """
    job = _Job(Path(out), source, _plain(options or {}), appender)
    try:
        done = job.begin(resume, overwrite)
    except BaseException:
        job.stop()
        raise
    if job.whole:
        return _tell(progress, Progress(done.rows, done.errors, done.rows, 0.0, finished=True))
    clock, state = time.monotonic(), Progress(done.rows, done.errors, done.rows, 0.0)
    stream = iter(records)
    try:
        _tell(progress, state)
        if sum(1 for _ in itertools.islice(stream, done.rows)) < done.rows:
            raise AffettoError(f"the input has fewer than the {done.rows} rows already done; run with overwrite=True")
        for block in _chunks(stream, max(1, chunk)):
            results = list(fields.each(block, lambda parts: _one_each(work, list(parts))))
            appender.append(results)
            wrong = sum("error" in result.meta for result in results)
            done = _Done(done.rows + len(block), done.errors + wrong)
            job.save(done)
            state = replace(state, rows=done.rows, errors=done.errors, seconds=time.monotonic() - clock)
            state = _where(state, records)
            _tell(progress, state)
    except BaseException:
        job.stop()
        raise
    job.finish(done)
    last = _where(replace(state, seconds=time.monotonic() - clock, finished=True), records)
    return _tell(progress, last)


@dataclass(frozen=True)
class _Done:
    rows: int = 0
    errors: int = 0


@dataclass
class _Job:
    """The files of one batch: `out`, `out.part` and the journal."""

    out: Path
    source: str | Path | None
    options: dict[str, Any]
    appender: Appender
    whole: bool = False
    """`out` was there already, and is what was asked for."""
    _saved: float = 0.0
    _lock: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        self.part = self.out.with_name(self.out.name + ".part")
        self.journal = self.out.with_name(self.out.name + ".part.json")

    def begin(self, resume: bool, overwrite: bool) -> _Done:
        if self.source is not None and _same_file(self.source, self.out):
            raise AffettoError(f"the output {str(self.out)!r} is the input itself; name another file")
        if (self.out.is_dir() and not self.out.suffix) or not self.out.parent.is_dir():
            raise AffettoError(f"{str(self.out)!r} cannot be written: name a file in a folder that exists")
        self._take_lock()
        held = None if overwrite and not resume else self._read()
        if held is None and self.out.exists() and not overwrite:
            raise AffettoError(f"{str(self.out)!r} is already there; say overwrite, or name another file")
        if held is not None and not resume:
            raise AffettoError(
                f"a stopped run of {held['rows']:,} rows lies at {str(self.part)!r}; say resume to go on with it, "
                "or overwrite to begin anew"
            )
        self._fingerprint = {"input": _content(self.source), "options": self.options}
        if held is None:
            self.journal.unlink(missing_ok=True)
            self.appender.open(self.part, 0, {})
            self.save(_Done(), at_once=True)
            return _Done()
        self._check(held)
        done = _Done(held["rows"], held["errors"])
        if held["finishing"] and not self.part.exists() and self.out.exists():
            self.whole = True
            self._clear()
        else:
            self.appender.open(self.part, held["bytes"], held["state"])
        return done

    def save(self, done: _Done, at_once: bool = False, finishing: bool = False) -> None:
        """Bring rows, and then the journal that vouches for them, to the disk; in between only now and then."""
        if not at_once and time.monotonic() - self._saved < _EVERY:
            return
        size, state = self.appender.sync()
        said = {
            "schema": SCHEMA,
            **self._fingerprint,
            "rows": done.rows,
            "errors": done.errors,
            "bytes": size,
            "state": state,
            "finishing": finishing,
        }
        fresh = self.journal.with_name(self.journal.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.journal)
        self._saved = time.monotonic()

    def stop(self) -> None:
        """Let go of the files. What was saved last is the state to go on from: rows since may be half written."""
        with contextlib.suppress(Exception):
            self.appender.close()
        self._lock.close()

    def finish(self, done: _Done) -> None:
        try:
            self.save(done, at_once=True, finishing=True)
            self.appender.close()
            self.appender.finish(self.part, self.out)
            self._clear()
        finally:
            self._lock.close()

    def _clear(self) -> None:
        self.journal.unlink(missing_ok=True)
        self.journal.with_name(self.journal.name + ".new").unlink(missing_ok=True)
        self._lock.close()

    def _read(self) -> dict[str, Any] | None:
        try:
            held = json.loads(self.journal.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise UnreadableError(
                f"the journal {str(self.journal)!r} cannot be read ({error}); say overwrite"
            ) from None
        keys = {"input", "options", "rows", "errors", "bytes", "state", "finishing"}
        if not isinstance(held, dict) or held.get("schema") != SCHEMA or not keys <= set(held):
            raise UnreadableError(f"{str(self.journal)!r} is no journal of a batch ({SCHEMA}); say overwrite")
        return held

    def _check(self, held: Mapping[str, Any]) -> None:
        if held["input"] is None or self._fingerprint["input"] is None:
            raise AffettoError("a run over stdin cannot be resumed; save the input to a file, and say overwrite")
        if held["input"] != self._fingerprint["input"]:
            raise AffettoError(
                f"the input {str(self.source)!r} is not what it was when the run stopped; say overwrite to begin anew"
            )
        old, new = held["options"], self.options
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        if changed:
            words = "; ".join(f"{key} was {old.get(key)!r} and is {new.get(key)!r}" for key in changed)
            raise AffettoError(f"the stopped run had other options: {words}; say them again, or overwrite")
        if self.part.exists() and self.part.stat().st_size < held["bytes"]:
            raise AffettoError(f"{str(self.part)!r} is shorter than its journal says; say overwrite to begin anew")
        if not self.part.exists() and held["bytes"] and not (held["finishing"] and self.out.exists()):
            raise AffettoError(f"{str(self.part)!r} is gone; say overwrite to begin anew")

    def _take_lock(self) -> None:
        try:
            import fcntl  # noqa: PLC0415 - not on every system; without it nobody is kept out
        except ImportError:
            return
        file = self._lock.enter_context(self.out.with_name(self.out.name + ".part.lock").open("ab"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat())
        except OSError:
            mine = False
        if not mine:  # held by somebody, or just removed by somebody who ended
            file.close()
            raise AffettoError(f"another process is writing {str(self.out)!r}; wait for it, or stop it")
        self._lock.callback(Path(file.name).unlink, missing_ok=True)


def _chunks(records: Iterator[Record], most: int) -> Iterator[list[Record]]:
    block: list[Record] = []
    characters, seconds = 0, 0.0
    for record in records:
        block.append(record)
        characters += sum(len(signal.text) for signal in record.signals if isinstance(signal, Text))
        characters += sum(len(turn.text) for turn in record.turns)
        lasts = (signal.duration for signal in record.signals if isinstance(signal, Audio | Frames | Waves))
        seconds += max((_SECONDS if math.isnan(one) else one for one in lasts), default=0.0)
        if len(block) >= most or characters >= _CHARACTERS or seconds >= _SECONDS:
            yield block
            block, characters, seconds = [], 0, 0.0
    if block:
        yield block


def _one_each(work: Work, block: list[Record]) -> list[Record]:
    """Return one result for each Record: its answer, or itself with what went wrong."""
    good = [i for i, record in enumerate(block) if "error" not in record.meta]
    results = list(block)
    asked = [block[i] for i in good]
    if asked:
        answers = _tried(work, asked)
        for i, answer in zip(good, answers, strict=True):
            results[i] = answer
    return results


def _tried(work: Work, asked: list[Record]) -> list[Record]:
    try:
        answers = list(work(asked))
        if len(answers) != len(asked):
            raise MalformedError(f"the work gave {len(answers)} results for {len(asked)} Records")
        return answers
    except _BLAMELESS:
        raise
    except Exception as error:
        if len(asked) > 1:
            return [answer for record in asked for answer in _tried(work, [record])]
        words = str(error).strip() or "no reason given"
        said = words if isinstance(error, AffettoError) else f"{type(error).__name__}: {words}"
        return [replace(asked[0], meta={**asked[0].meta, "error": said[:1000]})]


def _where(state: Progress, records: Iterable[Record]) -> Progress:
    return replace(state, position=getattr(records, "position", None), total=getattr(records, "total", None))


def _tell(progress: Callable[[Progress], None] | None, state: Progress) -> Progress:
    if progress is not None:
        progress(state)
    return state


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(options)))
    except (TypeError, ValueError) as error:
        raise MalformedError(f"the options of a batch want to be JSON values: {error}") from None
    return plain


def _same_file(source: str | Path, out: Path) -> bool:
    path = Path(source)
    return path.exists() and out.exists() and path.samefile(out)


def _content(source: str | Path | None) -> dict[str, Any] | None:
    """Return size and sha256 of the whole input: reading it over costs far less than any work on it."""
    if source is None or str(source) == "-":
        return None
    if Path(source).is_dir():
        held = sorted((str(path.relative_to(source)), path.stat().st_size) for path in Path(source).rglob("*"))
        return {"files": len(held), "sha256": hashlib.sha256(repr(held).encode("utf-8", "surrogatepass")).hexdigest()}
    try:
        with Path(source).open("rb") as file:
            return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise UnreadableError(f"the input {str(source)!r} cannot be read: {error.strerror}") from None
