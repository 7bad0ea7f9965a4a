"""A table in a pipe: lines of a CSV as the Records come. Knows no disk, so its header must be right at once.

The columns are those of the first Records that bear answers. What later ones have besides (a row in another language,
read by another model) finds no column any more, which is said on stderr; a file (`--out`) and JSON hold everything.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import click

from affetto import api
from affetto.core.record import Record

_AT_ONCE = 64
_PATIENCE = 10_000
"""Records without answers that are held back until one with answers says what columns there are."""


def table(records: Iterable[Record], columns: Sequence[str] = (), long: bool = False) -> Iterator[str]:
    """Yield a CSV piece by piece.

    Args:
        records: read as they are needed.
        columns: those of the input.
        long: a line a number, not a line a Record.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 26))
    encode = api.sheet(columns, long)
    width, said, answered = 0, False, long
    waiting: list[Record] = []
    for record in records:
        waiting.append(record)
        answered = answered or bool(record.tracks)
        if len(waiting) < (_AT_ONCE if answered else _PATIENCE):
            continue
        text = encode(waiting).decode()
        waiting = []
        width = width or cells(text)
        if not long and cells(text) != width:
            text = cut(text, width)
            if not said:
                click.echo("affetto: later rows have answers the header does not name; --out FILE holds all", err=True)
                said = True
        yield text
    text = encode(waiting).decode() if waiting or not width else ""
    yield cut(text, width) if text and width and not long else text


def cells(text: str) -> int:
    """Return how many cells the first line has."""
    return len(next(csv.reader(io.StringIO(text)), ()))


def cut(text: str, width: int) -> str:
    r"""Return the lines without what goes beyond `width` cells.

    >>> cut("a,b,c\n1,2,3\n", 2)
    'a,b\n1,2\n'
    """
    if cells(text) == width:
        return text
    kept = io.StringIO()
    csv.writer(kept, lineterminator="\n").writerows(row[:width] for row in csv.reader(io.StringIO(text)))
    return kept.getvalue()
