"""Tables (.csv, .tsv, .jsonl) become Records, one a row, in order, whatever a row holds.

A row whose words cannot be read comes as a Record without signals and with `meta["error"]`. Only the column of the
words (and of the id) must be whole: what is no character in another column becomes U+FFFD there. With several columns
of words the Record has a Text for each, and `meta["fields"]` says which characters of its text they are. A .jsonl of
Affetto's own Records is read as such, tracks and all. Knows rows; `parquet` knows typed columns.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from affetto.core import catalog, plain
from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.space import Space
from affetto.media.delimited import Broken, Delimited
from affetto.media.lines import Lines, TooLong, clean, flaw

Row = Mapping[str, Any] | Broken
Columns = str | Sequence[str]
"""A column of words, or several."""
_GLIMPSE = 100
"""Lines of a .jsonl that are looked at to know its columns; fewer where they are long."""
_GLIMPSE_SIZE = 1 << 22
"""Characters that are enough of them."""


def choose_column(columns: Sequence[str], column: str | None, name: str) -> str:
    """Return the column that holds the words: the one asked for, else `text`, else the only one.

    Raises:
        UnknownNameError: no column is called so; names those there are.
        UnreadableError: none was asked for, and there is neither `text` nor only one.
    """
    if column is not None:
        if column not in columns:
            raise UnknownNameError(f"column of {name}", column, columns)
        return column
    for known in columns:
        if known.lower() == "text":
            return known
    if len(columns) == 1:
        return columns[0]
    raise UnreadableError(f"which column of {name} holds the words? say column=..., one of: {', '.join(columns)}")


def choose_columns(columns: Sequence[str], column: Columns | None, name: str) -> tuple[str, ...]:
    """Return the columns that hold words: those asked for, each once, else the one that `choose_column` finds.

    Raises:
        UnknownNameError: no column is called so; names those there are.
        UnreadableError: none was asked for, and there is neither `text` nor only one.
    """
    asked: Sequence[str | None] = [column] if column is None or isinstance(column, str) else tuple(column) or [None]
    return tuple(dict.fromkeys(choose_column(columns, one, name) for one in asked))


def choose_id(columns: Sequence[str], id_column: str | None, name: str) -> str | None:
    """Return the column that names the rows: the one asked for, else `id` where there is one, else None.

    Raises:
        UnknownNameError: no column is called so; names those there are.
    """
    if id_column is not None:
        if id_column not in columns:
            raise UnknownNameError(f"column of {name}", id_column, columns)
        return id_column
    return next((known for known in columns if known.lower() == "id"), None)


def read_delimited(
    lines: Lines, tabs: bool, column: Columns | None, id_column: str | None
) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Return the columns of a .csv or .tsv, and its Records."""
    known = column if column is None or isinstance(column, str) else next(iter(column), None)
    table = Delimited(lines, lines.name, "\t" if tabs else None, known)
    columns = tuple(clean(name) for name in table.columns)
    words, id = choose_columns(columns, column, lines.name), choose_id(columns, id_column, lines.name)
    rows = (row if isinstance(row, Broken) else dict(zip(columns, row, strict=True)) for row in table)
    return columns, records(rows, words, id, lines.name, lines.encoding)


def read_jsonl(lines: Lines, column: Columns | None, id_column: str | None) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Return the columns of the first objects of a .jsonl, and its Records."""
    all = iter(lines)
    glimpse: list[str] = []
    while len(glimpse) < _GLIMPSE and sum(map(len, glimpse)) < _GLIMPSE_SIZE and (line := next(all, None)) is not None:
        glimpse.append(line)
    known = [row for row in map(row_of, glimpse) if isinstance(row, dict)]
    rest = (line for line in itertools.chain(glimpse, all) if line.strip())
    if known and known[0].get("schema") == plain.SCHEMA:
        return (), own(map(row_of, rest), lines.name)
    columns = tuple(dict.fromkeys(name for row in known for name in row))
    if not columns:
        if any(line.strip() for line in glimpse):
            reason = next(row.reason for row in map(row_of, glimpse) if isinstance(row, Broken))
            raise UnreadableError(f"{lines.name} holds no JSON objects, one a line: its first line {reason}")
        return (), iter(())
    words, id = choose_columns(columns, column, lines.name), choose_id(columns, id_column, lines.name)
    return columns, records(map(row_of, rest), words, id, lines.name, lines.encoding)


def records(
    rows: Iterable[Row], columns: Sequence[str], id: str | None, name: str, encoding: str = "utf-8"
) -> Iterator[Record]:
    """Yield a Record for each row; `meta` has its `number`, its cells as `row`, and what is wrong as `error`.

    With several columns, `fields` has the first character of each in the Record's text and the one after its last, and
    what is wrong with some of them, but not with all, stands as `flaws`, a sentence a column. An empty cell is nothing
    wrong: its Record holds an empty Text, to which every answer is "not said".
    """
    for number, row in enumerate(rows, 1):
        meta: dict[str, Any] = {"number": number}
        if isinstance(row, Broken):
            yield Record(str(number), meta=meta | {"row": {}, "error": f"row {number} of {name} {row.reason}"})
            continue
        wrongs = ((one, _wrong(row.get(one), one, row, encoding)) for one in columns)
        flaws = {one: f"row {number} of {name}: {wrong}" for one, wrong in wrongs if wrong}
        meta["row"] = {key: clean(cell) if isinstance(cell, str) else cell for key, cell in row.items()}
        label = row.get(id) if id is not None else None
        label = str(number) if label is None or label == "" else clean(str(label))
        texts = tuple(Text("" if one in flaws else row.get(one) or "") for one in columns)
        if len(flaws) == len(columns):
            yield Record(label, meta=meta | {"error": "; ".join(flaws.values())})
        elif len(columns) == 1:
            yield Record(label, texts, meta=meta)
        else:
            meta |= {"fields": _places(columns, texts)} | ({"flaws": flaws} if flaws else {})
            yield Record(label, texts, meta=meta)


def _places(columns: Sequence[str], texts: Sequence[Text]) -> dict[str, list[int]]:
    starts = itertools.accumulate((len(one.text) + 1 for one in texts), initial=0)
    return {name: [at, at + len(one.text)] for name, one, at in zip(columns, texts, starts, strict=False)}


def _wrong(words: Any, column: str, row: Mapping[str, Any], encoding: str) -> str | None:
    if column not in row:
        return f"it has no {column!r}; it has {', '.join(map(clean, row)) or 'nothing'}"
    if not isinstance(words, str):
        return f"the cell of {column!r} wants words, not {type(words).__name__}" if words is not None else None
    if not words.strip():
        return None
    bad = flaw(words, encoding)
    return f"the cell of {column!r} {bad}" if bad else None


def row_of(line: str) -> dict[str, Any] | Broken:
    """Return the object in a line of JSON, or what is wrong with it.

    >>> row_of('{"a": 1}'), row_of("3").reason
    ({'a': 1}, 'wants a JSON object, not int')
    """
    if type(line) is TooLong:
        return Broken("is too long for a line of JSON; split it")
    try:
        value = json.loads(line, parse_constant=lambda _: None)
    except RecursionError:
        return Broken("is nested too deep; flatten it")
    except ValueError as error:
        return Broken(f"is no JSON ({clean(str(error))}); is the line torn?")
    return value if isinstance(value, dict) else Broken(f"wants a JSON object, not {type(value).__name__}")


def own(rows: Iterable[Any], name: str) -> Iterator[Record]:
    """Yield Affetto's own Records from rows of the file of that name, tracks and all."""
    find = cache(_space)
    for number, row in enumerate(rows, 1):
        try:
            if isinstance(row, Broken):
                raise MalformedError(row.reason)
            yield plain.to_record(row, find)
        except (MalformedError, ValueError, TypeError) as error:
            yield Record(str(number), meta={"number": number, "error": f"row {number} of {name}: {clean(str(error))}"})


def _space(id: str) -> Space:
    space: Space = catalog.load(catalog.find(id, "space").id)
    return space
