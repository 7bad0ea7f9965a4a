"""The command line `affetto`: perceive, explain, translate, list, card, spaces, doctor.

Parses, calls `api`, and shows; decides nothing. What a command needs is imported when it runs, so that help and a
single text come at once.
"""

import json
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetto.core.errors import AffettoError, UnreadableError
from affetto.serve.manners import OK, SOME_FAILED, Page, input_options, shared
from affetto.serve.progress import Bar, Count, took
from affetto.serve.source import Source, source

if TYPE_CHECKING:
    from affetto.core.record import Record

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Page, context_settings=_HELP, invoke_without_command=False)
@click.version_option(package_name="affetto", prog_name="affetto")
@click.option("--debug", is_flag=True, help="On an error, show where it came from.")
def page(debug: bool) -> None:
    """Human emotion in text: perceive it, explain it, translate it.

    Each answer says what is felt, whose feeling it is, where, and how sure that is. Nothing leaves this machine.

    Examples:
      affetto perceive "I got the job!"
      affetto perceive conversation.srt
      affetto perceive posts.csv --column text --out answers.csv
      cat posts.txt | affetto perceive --lines --json | jq .tracks
      affetto explain "not bad at all, actually kind of loved it"
      affetto translate "What a day!" --to plutchik-8
      affetto list models
      affetto doctor

    Exit codes:
      0    all is well
      1    some rows failed; the others are there
      2    wrong usage, or an input that cannot be read
      3    a part of Affetto is missing or broken; the message says how to get it
      4    a fault of Affetto's own
      130  interrupted (Ctrl-C)
      141  whoever read the output has gone

    Colours are left out in pipes, and where NO_COLOR is set.
    """


def main() -> None:
    """Run the command line."""
    page.main(prog_name="affetto")


@page.command(context_settings=_HELP, short_help="What is felt, by whom, and how sure that is.")
@input_options
@click.option("--out", "-o", metavar="FILE", help="Write here: .json .jsonl .csv .tsv .parquet .emotionml .xml")
@click.option("--long", "long", is_flag=True, help="As a table with a line a number, not a line a text.")
@click.option("--resume", is_flag=True, help="With --out: go on where a stopped run ended.")
@click.option("--overwrite", is_flag=True, help="With --out: replace a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a Record.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no closing sentence.")
@shared
def perceive(
    out: str | None, long: bool, resume: bool, overwrite: bool, as_json: bool, quiet: bool, **reading: Any
) -> int:
    """Say what is felt in a text, a talk or a table, by whom, and how sure that is.

    Give it a text, a file (.txt .srt .vtt .csv .tsv .jsonl .parquet), or - for a pipe. In a terminal the answer is
    drawn; in a pipe it is plain, a line an answer, and of a table it is a table.

    Examples:
      affetto perceive "I got the job!"
      affetto perceive conversation.srt
      affetto perceive posts.csv --column text --out answers.csv
      affetto perceive posts.csv --column text --out answers.parquet --resume
      affetto perceive posts.csv | head
      echo "What a day" | affetto perceive --json
      affetto perceive --language de "Endlich Feierabend!"
    """
    if (resume or overwrite) and not out:
        raise click.UsageError(f"--{'resume' if resume else 'overwrite'} wants --out FILE")
    if as_json and (out or long):
        raise click.UsageError(
            "--json is for the screen or a pipe; with --out the suffix says it, and --long is a table"
        )
    said = source(reading["what"], reading["as_text"], reading["suffix"], reading["column"])
    if out:
        return _into_file(said, out, long, resume, overwrite, quiet, reading)
    answered = _answered(said, reading, quiet)
    if as_json:
        _write_json(answered)
    elif long:
        _write_table(answered, long=True)
    elif sys.stdout.isatty():
        from affetto.serve import terminal  # noqa: PLC0415 - rich, only where it is seen

        terminal.show(answered, terminal.console())
    elif said.suffix in (".jsonl", ".ndjson"):
        _write_json(answered)
    elif said.is_table or reading["lines"]:
        _write_table(answered, long=False)
    else:
        _write_plain(answered)
    return answered.code


@page.command(context_settings=_HELP, short_help="Which words carried each answer.")
@input_options
@click.option("--space", "-s", metavar="ID", help="Only the answers in this space, such as ekman-7.")
@click.option("--axis", "-a", metavar="NAME", help="This label or axis, not the main one; wants --space.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a Record.")
@shared
def explain(space: str | None, axis: str | None, as_json: bool, **reading: Any) -> int:
    """Say which words carried each answer, by taking words away and asking again.

    In a terminal the words are coloured: green carried the answer, red spoke against it. In a pipe it is a table with
    a line a word.

    Examples:
      affetto explain "not bad at all, actually kind of loved it"
      affetto explain --space vad "The film was fine. There were people in it."
      affetto explain conversation.srt --space ekman-7 --json
    """
    if axis and not space:
        raise click.UsageError("--axis wants --space, whose axis it is")
    from affetto.serve import reasons  # noqa: PLC0415

    said = source(reading["what"], reading["as_text"], reading["suffix"], reading["column"])
    records = _Counted(_records(said, reading))
    asked = {"space": space, "axis": axis, "model": _models(reading), "language": reading["language"]}
    reasons.show(records, asked, as_json)
    return records.code


@page.command(context_settings=_HELP, short_help="Say answers in another space.")
@input_options
@click.option("--to", "-t", "space", required=True, metavar="SPACE", help="The space to translate into.")
@click.option("--from", "-f", "origin", metavar="SPACE", help="Translate only answers in this space.")
@click.option("--out", "-o", metavar="FILE", help="Write here: .json .jsonl .csv .tsv .parquet .emotionml .xml")
@click.option("--overwrite", is_flag=True, help="With --out: replace a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a Record.")
@click.option("--quiet", "-q", is_flag=True, help="Do not tell the bridges.")
@shared
def translate(
    space: str, origin: str | None, out: str | None, overwrite: bool, as_json: bool, quiet: bool, **reading: Any
) -> int:
    """Say answers in another space: from 28 emotions to Ekman's six, from labels to valence and arousal ...

    Give it a file of answers that Affetto wrote (.json .jsonl .emotionml, or a --long table), or words, which are
    perceived first. Of several answers about one subject, the one that loses least goes over. The bridge taken, its
    source and its loss are told on stderr.

    Examples:
      affetto translate "I got the job!" --to va
      affetto translate answers.jsonl --to ekman-6 --out ekman.csv
      affetto list bridges
    """
    from affetto.serve import crossing  # noqa: PLC0415

    said = source(reading["what"], reading["as_text"], reading["suffix"], reading["column"])
    if out:
        _free(out, overwrite)
    answered = _answered(said, reading, quiet=True, keep=True)
    moved = _Counted(crossing.translated(answered, space, origin, quiet), answered.reading, quiet)
    if out:
        from affetto import api  # noqa: PLC0415

        api.write(iter(moved), out)
    elif as_json or (said.suffix in (".jsonl", ".ndjson", ".json") and not sys.stdout.isatty()):
        _write_json(moved)
    elif sys.stdout.isatty():
        from affetto.serve import terminal  # noqa: PLC0415

        terminal.show(moved, terminal.console())
    elif said.is_table or reading["lines"]:
        _write_table(moved, long=False)
    else:
        _write_plain(moved)
    return moved.code


@page.command("list", context_settings=_HELP, short_help="What models, spaces, formats, bridges there are.")
@click.argument("what", required=False, metavar="[models | spaces | formats | bridges | datasets | benchmarks]")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a thing.")
@shared
def list_(what: str | None, as_json: bool) -> int:
    """List what there is: models, spaces, formats, bridges, datasets, benchmarks; or how many of each.

    Examples:
      affetto list
      affetto list models
      affetto list spaces --json | jq .id
    """
    from affetto.serve import shelves  # noqa: PLC0415

    shelves.show_list(what, as_json)
    return OK


@page.command(context_settings=_HELP, short_help="Source, licence, scores, limits of one thing.")
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@shared
def card(id: str, as_json: bool) -> int:
    """Show the card of a model, space, dataset or benchmark: source, licence, scores, intended use, limits.

    Example:
      affetto card text.affect-en
    """
    from affetto.serve import shelves  # noqa: PLC0415

    shelves.show_card(id, as_json)
    return OK


@page.group(context_settings=_HELP)
def spaces() -> None:
    """Look into the spaces that answers are given in."""


@spaces.command("show", context_settings=_HELP, short_help="Labels or axes of a space; as a table or tree.")
@click.argument("id")
@click.option("--tree", is_flag=True, help="As a tree of broader and narrower labels.")
@click.option("--turtle", is_flag=True, help="As an ontology: OWL in Turtle.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@shared
def spaces_show(id: str, tree: bool, turtle: bool, as_json: bool) -> int:
    """Show the labels or axes of a space, what they mean, and how they hang together.

    Examples:
      affetto spaces show parrott --tree
      affetto spaces show plutchik-8 --turtle > plutchik.ttl
    """
    if tree + turtle + as_json > 1:
        raise click.UsageError("--tree, --turtle and --json are three ways to show it; choose one")
    from affetto.serve import shelves  # noqa: PLC0415

    shelves.show_space(id, "tree" if tree else "turtle" if turtle else "json" if as_json else "table")
    return OK


@page.command(context_settings=_HELP, short_help="What is installed, missing, broken.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@shared
def doctor(as_json: bool) -> int:
    """Say what is installed, what is missing, and how to get it. Leaves with 3 where something is broken."""
    from affetto.serve import doctor as checks  # noqa: PLC0415

    return checks.show(checks.examine(), as_json)


class _Counted:
    """Records going by, and whether all was well with them.

    Where the output goes to a file (`> answers.csv`) and stderr is a terminal, it draws how far they are.
    """

    def __init__(self, records: "Iterable[Record]", reading: Any = None, quiet: bool = True) -> None:
        self._records, self.reading = records, reading
        self._quiet = quiet or not _into_regular_file()
        self.columns: Sequence[str] = getattr(reading, "columns", ())
        self.failed = 0

    def __iter__(self) -> "Iterator[Record]":
        bar, count, began = Bar(not self._quiet), Count(), time.monotonic()
        try:
            for record in self._records:
                self.failed += "error" in record.meta
                yield record
                count.rows, count.errors, count.seconds = count.rows + 1, self.failed, time.monotonic() - began
                count.position, count.total = (getattr(self.reading, name, None) for name in ("position", "total"))
                bar(count)
        finally:
            bar.clear()

    @property
    def code(self) -> int:
        """The exit code."""
        return SOME_FAILED if self.failed else OK


def _into_regular_file() -> bool:
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # no file at all, as in tests
        return False


def _models(reading: dict[str, Any]) -> Sequence[str] | None:
    return reading["models"] or None


def _how(said: Source, reading: dict[str, Any]) -> dict[str, Any]:
    how: dict[str, Any] = {name: reading[name] for name in ("id_column", "encoding") if reading[name]}
    if reading["lines"]:
        how["lines"] = True
    if reading["suffix"] or said.path == "-":
        how["suffix"] = said.suffix
    return how


def _records(said: Source, reading: dict[str, Any]) -> "Iterable[Record]":
    from affetto import api  # noqa: PLC0415

    if said.text is not None:
        return [api.post(said.text)]
    records = api.read(said.path, reading["column"], **_how(said, reading))
    return records if said.is_table or reading["lines"] else _whole(records)


def _answered(said: Source, reading: dict[str, Any], quiet: bool, keep: bool = False) -> _Counted:
    """Return the answered Records; with `keep`, those that already bear answers stay as they are."""
    from affetto import api  # noqa: PLC0415

    records = _records(said, reading)
    at_once = 16 if sys.stdout.isatty() else api.CHUNK
    answered = api.perceive_each(records, _models(reading), language=reading["language"], at_once=at_once, keep=keep)
    return _Counted(answered, records, quiet)


def _whole(records: "Iterable[Record]") -> "Iterator[Record]":
    """Yield the Records of a file that is no table: where there is but one, its failure is that of the file."""
    for record in records:
        if "error" in record.meta:
            raise UnreadableError(record.meta["error"])
        yield record


def _into_file(
    said: Source, out: str, long: bool, resume: bool, overwrite: bool, quiet: bool, reading: dict[str, Any]
) -> int:
    from affetto import api  # noqa: PLC0415

    bar = Bar(not quiet)
    try:
        state = api.perceive_file(
            said.path if said.text is None else [api.post(said.text)],
            out,
            _models(reading),
            language=reading["language"],
            column=reading["column"],
            shape="long" if long else "wide",
            resume=resume,
            overwrite=overwrite,
            progress=bar,
            **({} if said.text is not None else _how(said, reading)),
        )
    except KeyboardInterrupt:
        bar.clear()
        if said.path not in ("", "-"):
            click.echo("affetto: what is done is kept; the same command with --resume goes on", err=True)
        raise
    finally:
        bar.clear()
    if not quiet:
        new = state.rows - state.resumed
        rate = f", {new / state.seconds:,.0f} rows/s" if new > 1 and state.seconds > 0 else ""
        failed = f"; {state.errors:,} failed, each says why in its row" if state.errors else ""
        rows = f"{state.rows:,} row{'' if state.rows == 1 else 's'}"
        click.echo(f"{rows} in {out} ({took(state.seconds)}{rate}){failed}", err=True)
    return SOME_FAILED if state.errors else OK


def _free(out: str, overwrite: bool) -> None:
    if Path(out).exists() and not overwrite:
        raise AffettoError(f"{out!r} is already there; say overwrite, or name another file")


def _write_json(records: "Iterable[Record]") -> None:
    from affetto.core.plain import from_record  # noqa: PLC0415

    for record in records:
        click.echo(json.dumps(from_record(record), ensure_ascii=False))


def _write_plain(records: "Iterable[Record]") -> None:
    from affetto.serve import gist  # noqa: PLC0415

    for record in records:
        for line in gist.lines(record):
            click.echo(line)


def _write_table(records: "_Counted", long: bool) -> None:
    from affetto.serve import stream  # noqa: PLC0415

    for text in stream.table(records, records.columns, long):
        click.echo(text, nl=False)
