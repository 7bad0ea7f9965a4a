"""`affetto summarize` and `affetto report`: a recording that was perceived, in numbers and as a page."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetto.core.errors import UnreadableError
from affetto.serve.gist import one_line
from affetto.serve.manners import OK, shared
from affetto.serve.writing import free

if TYPE_CHECKING:
    from affetto.core.record import Record
    from affetto.study.course import Course, Pair, Summary

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_SHARES = 4
"""Labels of a person that are told on one line."""


@click.command(context_settings=_HELP, short_help="Of a perceived recording: shares, changes, peaks, who moves whom.")
@click.argument("file")
@click.option("--media", metavar="FILE", help="The recording itself  [default: where the answers say it lies]")
@click.option("--stills", metavar="DIR", help="Put a small picture of each peak of a film here.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one line a recording.")
@shared
def summarize(file: str, media: str | None, stills: str | None, as_json: bool) -> int:
    """Sum up a recording that was perceived: what each person showed, how it changed, how people moved together.

    Takes a file of answers along time (.json .jsonl .parquet ... with seconds). Of each person the fused answers count
    where there are some, else the face's, the voice's, the words'. Synchrony is the correlation of two people's valence
    at the lag where it is largest; chance says how often a random shift gives as much.

    Examples:
      affetto perceive interview.mp4 --out interview.jsonl
      affetto summarize interview.jsonl
      affetto summarize interview.jsonl --stills peaks/
      affetto summarize interview.jsonl --json | jq .people
    """
    from affetto import recordings  # noqa: PLC0415
    from affetto.study.course import summarize as summed  # noqa: PLC0415

    for record in _perceived(file):
        summary = summed(record)
        if as_json:
            click.echo(json.dumps(_plain(asdict(summary)), ensure_ascii=False))
        else:
            _show(summary)
        if stills:
            for path in recordings.stills(record, stills, media):
                click.echo(f"peak in {path}", err=True)
    return OK


@click.command(context_settings=_HELP, short_help="Of a perceived recording: a page to look at and to send.")
@click.argument("file")
@click.option("--out", "-o", metavar="FILE", help="The page  [default: the file's name with .html]")
@click.option("--media", metavar="FILE", help="The recording itself  [default: where the answers say it lies]")
@click.option("--overwrite", is_flag=True, help="Replace a page that exists.")
@shared
def report(file: str, out: str | None, media: str | None, overwrite: bool) -> int:
    """Make one page of a recording that was perceived: film or sound in step with what each person showed.

    The page holds all it needs and asks nothing of any network. A film of more than a few minutes stays beside it.

    Examples:
      affetto perceive interview.mp4 --out interview.jsonl
      affetto report interview.jsonl --media interview.mp4
    """
    from affetto import recordings  # noqa: PLC0415

    page = out or str(Path(file).with_suffix(".html"))
    free(page, overwrite)
    records = _perceived(file)
    if len(records) > 1:
        raise UnreadableError(f"{file!r} holds {len(records)} Records; a page is of one: write it to a file of its own")
    recordings.report(records[0], page, media)
    click.echo(f"page in {page}", err=True)
    return OK


def _perceived(file: str) -> "list[Record]":
    """Return the Records of a file of answers.

    Raises:
        UnreadableError: it holds no answers.
    """
    from affetto import api  # noqa: PLC0415

    records = list(api.read(file))
    if not any(record.tracks for record in records):
        raise UnreadableError(f"{file!r} holds no answers yet; run: affetto perceive {file} --out answers.jsonl")
    return records


def _show(summary: "Summary") -> None:
    from affetto.serve import shelves  # noqa: PLC0415

    click.echo(f"{one_line(summary.id, 60)}  {_clock(summary.duration)}")
    heads = ["person", "by", "seen", "speaks", "turns", "valence", "arousal", "feels, share of the time"]
    shelves.columns([_line(one) for one in summary.people], heads)
    for one in summary.people:
        _tell(one)
    if summary.pairs:
        click.echo("\ntogether, by valence:")
        heads = ["first", "second", "correlation", "the second is later by", "at once", "by chance"]
        shelves.columns([_pair(pair) for pair in summary.pairs], heads)


def _line(one: "Course") -> list[str]:
    shares = list(one.shares.items())[:_SHARES]
    return [
        one_line(one.subject, 24),
        one.channel,
        _clock(one.seen) if one.seen else "-",
        _clock(one.spoken) if one.spoken else "-",
        str(one.turns) if one.turns else "-",
        _signed(one.means.get("valence", math.nan)),
        _signed(one.means.get("arousal", math.nan)),
        ", ".join(f"{label} {share:.0%}" for label, share in shares) or "not said",
    ]


def _tell(one: "Course") -> None:
    """Print what else there is to say of a person, if there is."""
    lines = []
    if one.peaks:
        lines.append("peaks     " + ", ".join(f"{_clock(peak.at)} {peak.label} {peak.value:.2f}" for peak in one.peaks))
    moves = sorted(((n, a, b) for a, row in one.transitions.items() for b, n in row.items()), reverse=True)[:3]
    if moves:
        lines.append("changes   " + ", ".join(f"{a} to {b} {n}x" for n, a, b in moves))
    if "inertia" in one.means:
        spread, inertia = one.means["valence_sd"], one.means["inertia"]
        lines.append(f"valence   deviation {spread:.2f}, inertia {_signed(inertia)}")
    for low in one.recoveries:
        back = "not back by the end" if math.isnan(low.seconds) else f"back after {low.seconds:.0f} s"
        lines.append(f"low       from {_clock(low.start)}, lowest {_clock(low.lowest)}, {back}")
    lines += [f"conflict  {_clock(span.start)} to {_clock(span.end)}: {words}" for span, words in one.conflicts]
    if lines:
        click.echo("\n" + one_line(one.subject, 40))
        for line in lines:
            click.echo(f"  {line}")


def _pair(pair: "Pair") -> list[str]:
    lag = f"{pair.lag:+.0f} s"
    return [pair.first, pair.second, _signed(pair.correlation), lag, _signed(pair.at_once), f"{pair.chance:.3f}"]


def _clock(seconds: float) -> str:
    """Return seconds as people read them.

    >>> _clock(64.2), _clock(3700)
    ('1:04.2', '1:01:40')
    """
    hours, rest = divmod(round(seconds, 1), 3600)
    if hours:
        return f"{int(hours)}:{int(rest // 60):02}:{int(rest % 60):02}"
    return f"{int(rest // 60)}:{rest % 60:04.1f}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.2f}"


def _plain(value: object) -> object:
    """Return JSON values: NaN is null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
