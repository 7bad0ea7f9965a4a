"""`affetto converse`: what each turn of a talk shows, why, and how to answer; in a terminal, a file, or a page."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from affetto.serve import writing
from affetto.serve.manners import OK, SOME_FAILED, shared
from affetto.serve.progress import Bar, took

if TYPE_CHECKING:
    from affetto.answers import Offers
    from affetto.core.record import Record

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_MANY = 20
"""Talks that a page holds, at most."""


@click.command(context_settings=_HELP, short_help="Of a talk: each turn's feeling in context, why, and how to answer.")
@click.argument("file", default="-")
@click.option("--layout", metavar="NAME", default="", help="What the file is, where its content does not tell.")
@click.option("--speaker", metavar="COLUMN", default="", help="Of a table or JSON: who speaks.")
@click.option("--words", metavar="COLUMN", default="", help="Of a table or JSON: the words of a turn.")
@click.option("--talk", metavar="COLUMN", default="", help="Of a table or JSON: which talk a turn belongs to.")
@click.option("--encoding", metavar="NAME", help="How the characters are written  [default: UTF-8]")
@click.option("--dates", type=click.Choice(["dmy", "mdy", "ymd"]), help="How a chat of WhatsApp writes dates.")
@click.option(
    "--reading",
    type=click.Choice(["daily", "future"]),
    help="daily: everyday talk, mostly without feeling; future: later turns count too.",
)
@click.option("--also", multiple=True, metavar="ID", help="Ask this model of talk too, such as dialogue.concern.")
@click.option("--view", is_flag=True, help="Show it to read, 80 columns wide, also in a pipe or beside a file.")
@click.option("--out", "-o", metavar="FILE", help="Write here: .jsonl .json .csv .parquet .emotionml ...")
@click.option("--report", metavar="FILE", help="A page to look at and to send (.html), of 20 talks at most.")
@click.option("--plot", metavar="FILE", help="Draw the first talk (.png .svg .pdf).")
@click.option("--reply", "wanted", type=click.IntRange(1, 20), is_flag=False, flag_value=5, metavar="N",
              help="Offer so many answers to the last turn, with reasons  [5 where no number is said]")  # fmt: skip
@click.option("--replies", metavar="FILE", help="With --reply: choose from an index made by `affetto replies`.")
@click.option("--country", metavar="CODE", default="", help="With --reply: whose help lines are named, such as GB.")
@click.option(
    "--llm",
    metavar="NAME",
    default="",
    help="With --reply: a language model that chooses and writes: http://host/v1#model, a folder, owner/name@revision.",
)
@click.option(
    "--llm-key", metavar="VARIABLE", default="", help="With --llm: the variable that holds the endpoint's key."
)
@click.option("--resume", is_flag=True, help="With --out: go on where a stopped run ended.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a talk.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no closing sentence.")
@shared
def converse(file: str, **said: Any) -> int:
    """Say of each turn of a talk what is felt, how it moved, what caused it, how it was met; and how one could answer.

    Reads chats that WhatsApp (.txt) and Telegram (.json) export, subtitles with speakers, tables and JSON lines with
    speaker and text, MELD, DailyDialog, and lines such as "Ann: words". Nothing leaves this machine, unless --llm names
    an address: then the last turns are sent there.

    Where somebody speaks of harming himself, of abuse or of danger, no answer is made up: help lines are named.

    Examples:
      affetto converse examples/conversation.srt
      affetto converse chat.jsonl --out answers.jsonl --resume
      affetto converse chat.txt --layout whatsapp --report chat.html
      affetto converse chat.txt --reply 3 --country GB
      affetto converse talks.csv --speaker who --words message --talk ticket --json
      affetto converse chat.txt --reply --llm "http://localhost:11434/v1#llama3.2"
    """
    from affetto import talks  # noqa: PLC0415

    if said["out"] and (said["as_json"] or said["report"] or said["plot"]):
        raise click.UsageError("--out is for many talks; --json, --report and --plot go without it")
    if (said["resume"] and not said["out"]) or (said["overwrite"] and not (said["out"] or said["report"])):
        raise click.UsageError("--resume wants --out FILE, and --overwrite a file to replace")
    offers = _offers(said)
    if said["report"]:
        writing.free(said["report"], said["overwrite"])
    asked = talks.Asked(said["reading"] or "", said["also"])
    how = {"layout": said["layout"], "columns": _columns(said)}
    how |= {name: said[name] for name in ("encoding", "dates") if said[name]}
    if said["out"]:
        return _into_file(file, asked, offers, how, said)
    answered = talks.converse_each(talks.read(file, **how), asked, at_once=1 if sys.stdout.isatty() else 64)
    records = _Passing(answered if offers is None else map(offers, answered))
    if said["as_json"]:
        writing.as_json(records)
    elif said["view"] or not (said["report"] or said["plot"]):
        _view(records)
    _drawn(records, said)
    return SOME_FAILED if records.failed else OK


class _Passing:
    """Talks going by: how many failed, and the first of them, for a page."""

    def __init__(self, records: "Iterable[Record]") -> None:
        self._records = iter(records)
        self.first: list[Record] = []
        self.more, self.failed = False, 0

    def __iter__(self) -> "Iterator[Record]":
        for record in self._records:
            self.failed += "error" in record.meta
            if len(self.first) < _MANY:
                self.first.append(record)
            else:
                self.more = True
            yield record

    def whole(self) -> "list[Record]":
        """Let all go by that did not yet, and return the first of them that could be answered."""
        for _ in self:
            pass
        return [record for record in self.first if record.turns]


def _columns(said: dict[str, Any]) -> Any:
    from affetto.talks import columns  # noqa: PLC0415

    named = {"speaker": said["speaker"], "text": said["words"], "dialogue": said["talk"]}
    return columns(**named) if any(named.values()) else None


def _offers(said: dict[str, Any]) -> "Offers | None":
    """Return who offers answers, None where nobody asked for any."""
    lone = [name for name in ("replies", "country", "llm", "llm_key") if said[name]]
    if said["wanted"] is None:
        if lone:
            raise click.UsageError(f"--{lone[0].replace('_', '-')} wants --reply")
        return None
    from affetto.answers import offers  # noqa: PLC0415

    return offers(
        said["wanted"],
        replies=said["replies"],
        country=said["country"],
        llm=said["llm"],
        key=said["llm_key"],
    )


def _into_file(file: str, asked: Any, offers: "Offers | None", how: dict[str, Any], said: dict[str, Any]) -> int:
    from affetto import talks  # noqa: PLC0415

    bar = Bar(not said["quiet"])
    with writing.resumable(bar, file):
        state = talks.converse_file(
            file,
            said["out"],
            asked,
            resume=said["resume"],
            overwrite=said["overwrite"],
            progress=bar,
            finish=offers,
            **how,
        )
    if not said["quiet"]:
        failed = f"; {state.errors:,} failed, each says why in its row" if state.errors else ""
        count = f"{state.rows:,} talk{'' if state.rows == 1 else 's'}"
        click.echo(f"{count} in {said['out']} ({took(state.seconds)}){failed}", err=True)
    return SOME_FAILED if state.errors else OK


def _view(records: "Iterable[Record]") -> None:
    """Print talks to read, each as it comes."""
    from affetto.serve import talking  # noqa: PLC0415
    from affetto.serve.terminal import console  # noqa: PLC0415

    screen = console()
    wide = screen.width if sys.stdout.isatty() else 80
    for number, record in enumerate(records):
        if number:
            screen.print()
        for line in talking.drawn(record, wide, ascii=screen.options.ascii_only):
            screen.print(line, soft_wrap=True)


def _drawn(records: _Passing, said: dict[str, Any]) -> None:
    """Make the page and the picture that were asked for."""
    if not (said["report"] or said["plot"]):
        return
    from affetto import answers  # noqa: PLC0415

    found = records.whole()
    if said["plot"] and found:
        answers.plot(found[0], said["plot"])
        click.echo(f"drawn in {said['plot']}", err=True)
    if said["report"]:
        answers.page(found, said["report"])
        more = f", the first {len(found)} talks" if records.more else ""
        click.echo(f"page in {said['report']}{more}", err=True)


@click.command(context_settings=_HELP, short_help="Make an index of replies from your copy of a corpus, or from talks.")
@click.argument("sources", nargs=-1, required=True, metavar="CORPUS|FILE...")
@click.option("--out", "-o", required=True, metavar="FILE", help="The index to make (.npz).")
@click.option("--split", default="train", show_default=True, metavar="NAME", help="Of each corpus.")
@click.option("--most", default=0, metavar="N", help="Replies of each, at most  [default: all]")
@click.option("--folder", metavar="DIR", help="Where the corpus lies  [default: its place below AFFETTO_DATA]")
@click.option("--overwrite", is_flag=True, help="Replace an index that exists.")
@shared
def replies(sources: tuple[str, ...], out: str, split: str, most: int, folder: str | None, overwrite: bool) -> int:
    """Make an index of replies that `affetto converse --replies` chooses from.

    Takes empatheticdialogues (or empathetic-intents, its other layout) and esconv from your own copies, whose licence
    (CC BY-NC 4.0) goes with the index, and files of your own talks.

    Examples:
      affetto replies empatheticdialogues esconv --out replies.npz
      affetto replies chat.txt --out mine.npz
    """
    from affetto.replies import gather  # noqa: PLC0415

    writing.free(out, overwrite)
    count = gather(sources, out, split, most, folder)
    click.echo(f"{count:,} replies in {out}", err=True)
    return OK
