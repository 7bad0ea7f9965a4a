"""Explanations on the screen, in a pipe, and as JSON. Knows how they look; `api.explain` makes them."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from affetto import api
from affetto.core.plain import from_track
from affetto.core.record import Record
from affetto.serve.gist import explained, one_line, words
from affetto.serve.gist import place as at

HEADER = ("id", "at", "start", "end", "word", "importance", "subject", "perspective", "answer")


def show(records: Iterable[Record], asked: Mapping[str, Any], as_json: bool, plot: str | None = None) -> None:
    """Print which words, seconds or patches carried each answer to each Record, and draw the first with patches.

    Args:
        records: read as they are needed.
        asked: the options of `api.explain`.
        as_json: as JSON, a line a Record.
        plot: the file to draw.
    """
    began = False
    for record in records:
        reasons = [] if "error" in record.meta else api.explain(record, **asked)
        if as_json:
            click.echo(json.dumps(_plain(record, reasons), ensure_ascii=False))
        elif sys.stdout.isatty():
            from affetto.serve import terminal  # noqa: PLC0415 - rich, only where it is seen

            terminal.show_reasons(record, reasons, terminal.console())
        else:
            if not began:
                click.echo("\t".join(HEADER))
            for line in _lines(record, reasons):
                click.echo("\t".join(line))
        if plot and not began and "error" not in record.meta:
            from affetto.report.heat import plot_reasons  # noqa: PLC0415 - OpenCV, only where it is needed

            click.echo(f"drawn in {plot_reasons(record, reasons, plot)}", err=True)
        began = True


def _plain(record: Record, reasons: Sequence[api.Reason]) -> dict[str, Any]:
    return {
        "id": record.id,
        "error": record.meta.get("error"),
        "reasons": [
            {
                "text": words(record, answer.spans[0]),
                "answer": from_track(answer),
                "importance": [from_track(part) for part in parts],
            }
            for answer, parts in reasons
        ],
    }


def _lines(record: Record, reasons: Sequence[api.Reason]) -> Iterable[tuple[str, ...]]:
    for answer, parts in reasons:
        for part in parts:
            rows = zip(part.spans, part.note or (), part.values[:, 0], strict=True)
            for span, word, weight in rows:
                digits = 2 if span.unit == "s" else 0
                edges = (f"{span.start:.{digits}f}", f"{span.end:.{digits}f}")
                where = (one_line(record.id), at(answer.spans[0]), *edges)
                said = (one_line(word), f"{weight:+.4f}", one_line(answer.subject), answer.perspective, explained(part))
                yield where + said
