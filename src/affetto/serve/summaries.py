"""Summaries of a table by one of its columns: what is asked for, and how it is shown or written.

Knows how it looks; `api.Groups` knows the sums.
"""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetto.core.errors import UnreadableError
from affetto.serve.writing import free

if TYPE_CHECKING:
    from affetto.api import Groups

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
Row = dict[str, str | float | None]


def asked(
    by: str | None,
    summary: str | None,
    column: str | Sequence[str] | None,
    taken: tuple[str, str | None],
    overwrite: bool,
) -> "Groups | None":
    """Return what will sum up, None where nobody asked for it.

    Args:
        by: the column to sum up by.
        summary: the file to write, if any.
        column: the column of words, or several.
        taken: the input and, if any, the output, neither of which may be the summary.
        overwrite: replace a summary that exists.

    Raises:
        click.UsageError: there is nowhere to put the summary, or nothing to sum up by.
        AffettoError: the file exists, or cannot be written.
    """
    if by is None:
        if summary is not None:
            raise click.UsageError("--summary wants --by COLUMN, whose groups it sums up")
        return None
    if summary is None and taken[1] is None and not sys.stdout.isatty():
        raise click.UsageError("--by in a pipe wants --summary FILE, so that two tables do not run into one")
    if summary is not None:
        path = Path(summary)
        if path.suffix.lower() not in _DELIMITERS:
            raise UnreadableError(f"a summary is a table: name a .csv or .tsv, not {summary!r}")
        if path.is_dir() or not path.parent.is_dir():
            raise UnreadableError(f"{summary!r} cannot be written: name a file in a folder that exists")
        if any(other and path.absolute() == Path(other).absolute() for other in taken):
            raise UnreadableError(f"the summary {summary!r} is the input or the output itself; name another file")
        free(summary, overwrite)
    from affetto import api  # noqa: PLC0415

    return api.Groups(by, column if isinstance(column, tuple) else ())


def tell(groups: "Groups", summary: str | None, quiet: bool) -> None:
    """Write the summary to its file; without one draw it in a terminal, or print it as a CSV."""
    rows = groups.rows()
    if summary is not None:
        path = Path(summary)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(table(rows, _DELIMITERS[path.suffix.lower()]), "utf-8", newline="")
        fresh.replace(path)
        if not quiet:
            click.echo(f"{len(rows)} row{'' if len(rows) == 1 else 's'} of summary in {summary}", err=True)
    elif sys.stdout.isatty():
        from affetto.serve import terminal  # noqa: PLC0415 - rich, only where it is seen

        heads = (groups.by, *(("field",) if groups.names != ("",) else ()), *_HEADS)
        terminal.show_table([_for_people(row, len(heads) > len(_HEADS) + 1) for row in rows], heads, terminal.console())
    else:
        click.echo(table(rows), nl=False)


def table(rows: Sequence[Row], delimiter: str = ",") -> str:
    r"""Return the rows of a summary as lines of cells, header first; numbers have six digits.

    >>> table([{"group": "a", "n": 2, "said": 0.5, "valence": None}])
    'group,n,said,valence\na,2,0.5,\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(rows[0] if rows else _EMPTY)
    for row in rows:
        writer.writerow(f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row.values())
    return text.getvalue()


_EMPTY = ("group", "field", "n", "share", "said")
_HEADS = ("n", "said", "valence", "subj.", "-/0/+ %", "emotions")


def _for_people(row: Row, with_field: bool) -> list[str]:
    """Return a row as cells to read: shares as percentages, the sides and the emotions in one cell each."""
    numbers = {key: value for key, value in row.items() if isinstance(value, float)}
    sides = [numbers.get(f"sentiment-3.{side}") for side in ("negative", "neutral", "positive")]
    feelings = sorted((-value, key) for key, value in numbers.items() if key.startswith("emotion.") and value > 0)
    return [
        str(row["group"]) or "(empty)",
        *([str(row["field"])] if with_field else []),
        f"{row['n']:,}",
        f"{numbers['said']:.0%}",
        f"{numbers['valence']:+.2f}" if "valence" in numbers else "",
        f"{numbers['subjectivity']:.2f}" if "subjectivity" in numbers else "",
        "/".join(f"{100 * side:.0f}" for side in sides if side is not None),
        ", ".join(f"{key.removeprefix('emotion.')} {-value:.0%}" for value, key in feelings),
    ]
