"""How answers leave: into a file, or as JSON, plain lines or a table on stdout. Decides nothing about the answers."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetto.core.errors import AffettoError
from affetto.serve.manners import OK, SOME_FAILED
from affetto.serve.progress import Bar, took
from affetto.serve.source import Source
from affetto.serve.watching import watching

if TYPE_CHECKING:
    from affetto.core.record import Record


MESH = "face.mesh"
"""The card of who says where a face's landmarks are."""


def models(reading: Mapping[str, Any]) -> Sequence[str] | None:
    """Return the models asked for, None where nobody named one."""
    return reading["models"] or None


def how_to_read(said: Source, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `api.read` takes beside the path and the column."""
    how: dict[str, Any] = {name: reading[name] for name in ("id_column", "encoding") if reading[name]}
    if reading["lines"]:
        how["lines"] = True
    if reading["speakers"]:
        names = [name.strip() for name in reading["speakers"].split(",")]
        how["speakers"] = "channels" if names == ["channels"] else names
    if reading["suffix"] or said.path == "-":
        how["suffix"] = said.suffix
    if reading["rate"]:
        how["frames_rate"] = reading["rate"]
    if reading.get("transcript"):
        how["transcript"] = reading["transcript"]
    return how


def into_file(said: Source, out: str, quiet: bool, reading: Mapping[str, Any], more: Mapping[str, Any]) -> int:
    """Answer what is said into a file, with a bar and a closing sentence; return the exit code.

    Args:
        said: a text, a file, or stdin.
        out: the file to make.
        quiet: neither bar nor sentence.
        reading: the options of all commands that read.
        more: what `api.perceive_file` takes besides.
    """
    from affetto import api  # noqa: PLC0415

    bar = Bar(not quiet)
    with resumable(bar, said.path):
        state = api.perceive_file(
            said.path if said.text is None else [api.post(said.text)],
            out,
            models(reading),
            language=reading["language"],
            column=reading["column"],
            rate=reading["rate"],
            channels=reading["channels"],
            watching=watching(reading),
            progress=bar,
            told=bar.watching,
            **(how_to_read(said, reading) if said.text is None else {}),
            **more,
        )
    if not quiet:
        new = state.rows - state.resumed
        rate = f", {new / state.seconds:,.0f} rows/s" if new > 1 and state.seconds > 0 else ""
        failed = f"; {state.errors:,} failed, each says why in its row" if state.errors else ""
        rows = f"{state.rows:,} row{'' if state.rows == 1 else 's'}"
        click.echo(f"{rows} in {out} ({took(state.seconds)}{rate}){failed}", err=True)
    return SOME_FAILED if state.errors else OK


@contextlib.contextmanager
def resumable(bar: Bar, path: str) -> Iterator[None]:
    """Take the bar away when a batch over a file has ended; where it was stopped, say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        bar.clear()
        if path not in ("", "-"):
            click.echo("affetto: what is done is kept; the same command with --resume goes on", err=True)
        raise
    finally:
        bar.clear()


def free(out: str, overwrite: bool) -> None:
    """Refuse a file that exists, unless it may be replaced.

    Raises:
        AffettoError: it exists.
    """
    if Path(out).exists() and not overwrite:
        raise AffettoError(f"{out!r} is already there; say overwrite, or name another file")


class Drawn:
    """Answered Records going by, of which the first is drawn into a file, or told in a page, or both.

    Where faces were answered without their landmarks, those are asked for, for the drawing alone.
    """

    def __init__(self, answered: Any, plot: str | None, report: str | None = None, rate: float = 0.0) -> None:
        """Take the Records, the files to make, and at what rate they were answered."""
        self._answered, self._plot, self._report, self._rate = answered, plot, report, rate
        self.columns: Sequence[str] = answered.columns

    def __iter__(self) -> "Iterator[Record]":
        """Yield the Records; the first is drawn once it has gone by."""
        for number, record in enumerate(self._answered):
            yield record
            if number == 0 and "error" not in record.meta:
                self._draw(record)

    def _draw(self, record: "Record") -> None:
        if self._plot:
            from affetto.report.plot import plot  # noqa: PLC0415

            plot(self._with_mesh(record), self._plot)
            click.echo(f"drawn in {self._plot}", err=True)
        if self._report:
            from affetto import recordings  # noqa: PLC0415

            recordings.report(record, self._report)
            click.echo(f"page in {self._report}", err=True)

    def _with_mesh(self, record: "Record") -> "Record":
        from affetto import api  # noqa: PLC0415
        from affetto.serve.faces import faced  # noqa: PLC0415

        if not faced(record) or MESH not in api.cards("model") or any(t.source.startswith(MESH) for t in record.tracks):
            return record
        return record.add(*api.perceive(record.blind(), MESH, rate=self._rate).tracks)

    @property
    def code(self) -> int:
        """The exit code."""
        return int(self._answered.code)


def as_json(records: "Iterable[Record]") -> None:
    """Print JSON, a line a Record."""
    from affetto.core.plain import from_record  # noqa: PLC0415

    for record in records:
        click.echo(json.dumps(from_record(record), ensure_ascii=False))


def as_lines(records: "Iterable[Record]") -> None:
    """Print a plain line for each answer."""
    from affetto.serve import gist  # noqa: PLC0415

    for record in records:
        for line in gist.lines(record):
            click.echo(line)


def as_table(records: "Iterable[Record]", columns: Sequence[str], long: bool = False) -> None:
    """Print a table whose input had these columns."""
    from affetto.serve import stream  # noqa: PLC0415

    for text in stream.table(records, columns, long):
        click.echo(text, nl=False)
