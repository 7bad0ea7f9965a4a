"""The command line `affetto`: perceive, explain, translate, list, card, spaces, doctor.

Parses, calls `api`, and shows; decides nothing. What a command needs is imported when it runs, so that help and a
single text come at once.
"""

import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from affetto.core.errors import UnreadableError
from affetto.serve import summaries, writing
from affetto.serve.converse import converse, replies
from affetto.serve.corpora import data
from affetto.serve.courses import report as report_of
from affetto.serve.courses import summarize
from affetto.serve.demo import demo
from affetto.serve.manners import OK, SOME_FAILED, Page, input_options, shared
from affetto.serve.measuring import bench
from affetto.serve.progress import Bar, Count
from affetto.serve.source import Source, source
from affetto.serve.studies import study
from affetto.serve.watching import recording_options, watching

if TYPE_CHECKING:
    from affetto.core.record import Record

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Page, context_settings=_HELP, invoke_without_command=False)
@click.version_option(package_name="affetto", prog_name="affetto")
@click.option("--debug", is_flag=True, help="On an error, show where it came from.")
def page(debug: bool) -> None:
    """Human emotion in words, voices and faces: perceive it, explain it, translate it.

    Each answer says what is felt, whose feeling it is, where, and how sure that is. Nothing leaves this machine.

    Examples:
      affetto perceive "I got the job!"
      affetto perceive conversation.srt
      affetto perceive call.mp3
      affetto perceive portrait.jpg
      affetto perceive interview.mp4 --report interview.html
      affetto converse chat.txt --reply
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
@recording_options
@click.option(
    "--out", "-o", metavar="FILE", help="Write here: .json .jsonl .csv .parquet .emotionml .eaf .TextGrid .srt ..."
)
@click.option(
    "--plot", metavar="FILE", help="Of one recording, talk or picture: draw it too (.png .svg .pdf; a film: .mp4)."
)
@click.option("--long", "long", is_flag=True, help="As a table with a line a number, not a line a text.")
@click.option("--annotate", is_flag=True, help="Of a table: add sentiment, subjectivity and emotion, a word each.")
@click.option("--by", metavar="COLUMN", help="Of a table: annotate it, and sum it up by this column.")
@click.option("--summary", metavar="FILE", help="With --by: write the summary here (.csv .tsv), not show it.")
@click.option("--resume", is_flag=True, help="With --out: go on where a stopped run ended.")
@click.option("--overwrite", is_flag=True, help="With --out: replace a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a Record.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no closing sentence.")
@shared
def perceive(
    out: str | None,
    plot: str | None,
    report: str | None,
    long: bool,
    annotate: bool,
    by: str | None,
    summary: str | None,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **reading: Any,
) -> int:
    """Say what is felt in a text, a talk, a recording, a picture or a table, by whom, and how sure that is.

    Give it a text, a file (.txt .srt .vtt .csv .tsv .jsonl .parquet, or any sound, film or picture), a folder of
    recordings, or - for a pipe. In a terminal the answer is drawn; in a pipe it is plain, a line an answer, and of a
    table it is a table. Faces of films are told stretch by stretch; --out and --json have every frame.

    With several columns each is answered on its own, in one row: title.sentiment (negative, neutral or positive),
    title.subjectivity (1 - P(neutral): how much any emotion is expressed), title.emotion, then all numbers.

    Examples:
      affetto perceive "I got the job!"
      affetto perceive conversation.srt
      affetto perceive call.mp3 --speakers agent,customer --plot call.png
      affetto perceive interview.wav --rate 2 --out curve.csv
      affetto perceive portrait.jpg --plot marked.png
      affetto perceive interview.mp4 --report interview.html
      affetto perceive interview.mp4 --transcript words.srt --out interview.eaf
      affetto perceive clip.mp4 --channel face --rate 10 --out clip.parquet
      affetto perceive clip.mp4 --channel face --plot clip-marked.mp4
      affetto perceive posts.csv --column text --out answers.csv
      affetto perceive posts.csv --column text --out answers.parquet --resume
      affetto perceive videos.csv --column title --column description --out answers.csv
      affetto perceive videos.csv -c title -c description --by platform -o answers.csv --summary platforms.csv
      affetto perceive posts.csv | head
      echo "What a day" | affetto perceive --json
      affetto perceive --language de "Endlich Feierabend!"
    """
    if (resume or overwrite) and not (out or (overwrite and (summary or report))):
        raise click.UsageError(f"--{'resume' if resume else 'overwrite'} wants --out FILE")
    if as_json and (out or long):
        raise click.UsageError(
            "--json is for the screen or a pipe; with --out the suffix says it, and --long is a table"
        )
    said = source(reading["what"], reading["as_text"], reading["suffix"], reading["column"])
    if (annotate or by) and not said.is_table:
        raise click.UsageError(f"--{'annotate' if annotate else 'by'} is for tables; name one, or add --as csv")
    for option in ("plot", "report"):
        if locals()[option] and (said.is_many or reading["lines"] or out):
            raise click.UsageError(f"--{option} is for one recording, talk or picture, and without --out")
    if reading["transcript"] and said.is_many:
        raise click.UsageError("--transcript is for one recording")
    if report:
        writing.free(report, overwrite)
    groups = summaries.asked(by, summary, reading["column"], (said.path, out), overwrite)
    more: dict[str, Any] = {
        "annotate": annotate or groups is not None or isinstance(reading["column"], tuple),
        "groups": groups,
    }
    if out:
        more |= {"shape": "long" if long else "wide", "resume": resume, "overwrite": overwrite}
        code = writing.into_file(said, out, quiet, reading, more)
    else:
        answered = _answered(said, reading, quiet, **more)
        shown = writing.Drawn(answered, plot, report, reading["rate"]) if plot or report else answered
        code = _show(shown, said, as_json, long, reading["lines"])
    if groups is not None:
        summaries.tell(groups, summary, quiet)
    return code


@page.command(context_settings=_HELP, short_help="Which words, seconds, or parts of a face carried each answer.")
@input_options
@click.option("--space", "-s", metavar="ID", help="Only the answers in this space, such as ekman-7.")
@click.option("--axis", "-a", metavar="NAME", help="This label or axis, not the main one; wants --space.")
@click.option("--plot", metavar="FILE", help="Of faces: draw what carried the answers over them (.png .svg .pdf).")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a Record.")
@shared
def explain(space: str | None, axis: str | None, plot: str | None, as_json: bool, **reading: Any) -> int:
    """Say which words, which seconds of a voice, or which parts of a face carried each answer.

    They are taken away, and the model is asked again. In a terminal the words are coloured: green carried the answer,
    red spoke against it. In a pipe it is a table with a line a word, a moment, or a patch of a face.

    Examples:
      affetto explain "not bad at all, actually kind of loved it"
      affetto explain --space vad "The film was fine. There were people in it."
      affetto explain conversation.srt --space ekman-7 --json
      affetto explain call.mp3 --space ravdess-8
      affetto explain portrait.jpg --space ekman-8 --plot why.png
    """
    if axis and not space:
        raise click.UsageError("--axis wants --space, whose axis it is")
    from affetto import api  # noqa: PLC0415
    from affetto.serve import reasons  # noqa: PLC0415

    said = source(reading["what"], reading["as_text"], reading["suffix"], reading["column"])
    records = _Counted(part for record in _records(said, reading) for part in api.apart(record))
    asked = {"space": space, "axis": axis, "model": writing.models(reading), "language": reading["language"]}
    reasons.show(records, asked | {"channels": reading["channels"]}, as_json, plot)
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
        writing.free(out, overwrite)
    answered = _answered(said, reading, quiet=True, keep=True)
    moved = _Counted(crossing.translated(answered, space, origin, quiet), answered.reading, quiet)
    if out:
        from affetto import api  # noqa: PLC0415

        api.write(iter(moved), out)
    else:
        as_json = as_json or (said.suffix == ".json" and not sys.stdout.isatty())
        _show(moved, said, as_json, long=False, lines=reading["lines"])
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


for _group in (bench, converse, data, demo, replies, report_of, study, summarize):
    page.add_command(_group)


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


def _records(said: Source, reading: dict[str, Any]) -> "Iterable[Record]":
    from affetto import api  # noqa: PLC0415

    if said.text is not None:
        return [api.post(said.text)]
    records = api.read(said.path, reading["column"], **writing.how_to_read(said, reading))
    return records if said.is_many or reading["lines"] else _whole(records)


def _answered(said: Source, reading: dict[str, Any], quiet: bool, groups: Any = None, **how: Any) -> _Counted:
    """Return the answered Records; `how` is what `api.perceive_each` takes, `groups` is told each."""
    from affetto import api  # noqa: PLC0415

    records = _records(said, reading)
    if groups is not None:
        groups.check(getattr(records, "columns", ()), said.path)
    at_once = 1 if said.folder else 16 if sys.stdout.isatty() else api.CHUNK
    models, language = writing.models(reading), reading["language"]
    asked = {"language": language, "rate": reading["rate"], "channels": reading["channels"]}
    if "fusion" in reading:
        asked |= {"watching": watching(reading), "told": Bar(not quiet).watching}
    answered = api.perceive_each(records, models, at_once=at_once, **asked, **how)
    return _Counted(answered if groups is None else groups.passing(answered), records, quiet)


def _show(answered: "_Counted | writing.Drawn", said: Source, as_json: bool, long: bool, lines: bool) -> int:
    """Print answers as people or pipes want them; return the exit code."""
    if as_json:
        writing.as_json(answered)
    elif long:
        writing.as_table(answered, answered.columns, long=True)
    elif sys.stdout.isatty():
        from affetto.serve import terminal  # noqa: PLC0415 - rich, only where it is seen

        terminal.show(answered, terminal.console())
    elif said.suffix in (".jsonl", ".ndjson"):
        writing.as_json(answered)
    elif said.is_table or lines:
        writing.as_table(answered, answered.columns)
    else:
        writing.as_lines(answered)
    return answered.code


def _whole(records: "Iterable[Record]") -> "Iterator[Record]":
    """Yield the Records of a file that is no table: where there is but one, its failure is that of the file."""
    for record in records:
        if "error" in record.meta:
            raise UnreadableError(record.meta["error"])
        yield record
