"""Talks, from a file to what each turn shows: `affetto converse` in Python. Ties media, models and run together.

Decides nothing itself. What is offered as an answer to a talk is found in `affetto.answers`.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affetto import formats
from affetto.conversation import READERS, Conversation
from affetto.core import catalog
from affetto.core.errors import MalformedError, UnknownNameError
from affetto.core.record import Record
from affetto.models import asking

if TYPE_CHECKING:
    from affetto.run.batch import Progress

MODEL = "conversation"
AT_ONCE = 64
"""Talks that are asked about at a time."""


@dataclass(frozen=True)
class Asked:
    """What is wanted of talks.

    Raises:
        UnknownNameError: a way of reading or a model that there is none of.
    """

    reading: str = ""
    """`daily`: everyday talk, mostly without feeling; `future`: later turns count too; empty: as usual."""
    also: tuple[str, ...] = ()
    """Cards of more models of talk, such as `dialogue.skills`."""

    def __post_init__(self) -> None:
        """Refuse what nobody knows."""
        if self.reading not in READERS:
            raise UnknownNameError("way of reading feelings", self.reading, [name for name in READERS if name])
        for id in self.also:
            catalog.find(id, "model")

    def model(self) -> Conversation:
        """Return who answers."""
        made: Conversation = catalog.load(MODEL)
        return made.reading(self.reading).also(self.also)


def read(path: str | Path, layout: str = "", columns: Any = None, **how: Any) -> Iterator[Record]:
    """Read the talks of a file (`-` is stdin), one by one.

    Args:
        path: chats that WhatsApp or Telegram exports, subtitles with speakers, tables, JSON, JSON lines, DailyDialog,
            or lines such as `Ann: words`.
        layout: which it is, as `affetto.media.conversations.LAYOUTS` names them; empty: the content tells.
        columns: as `columns` makes them, where those of a table are not called as usual.
        how: `encoding`, `dates`.

    Raises:
        UnreadableError: there is no such file, or no talk in it.
        UnknownNameError: no layout or column is called so; names those there are.
    """
    from affetto.media.conversations import read_conversations  # noqa: PLC0415 - one text needs none of it

    return read_conversations(path, layout, columns, **how)


def columns(**named: str) -> Any:
    """Return `affetto.media.conversations.Columns`: which column of a table holds a turn's words, speaker ..."""
    from affetto.media.conversations import Columns  # noqa: PLC0415

    return Columns(**named)


def converse(what: Record | os.PathLike[str] | Iterable[Record], asked: Asked | None = None) -> Record | list[Record]:
    """Say of each turn of a talk what is felt, how it moved, what caused it, how it was met.

    Args:
        what: a Record with turns, which gives one Record; or a Path, or several Records, which give a list.
        asked: what is wanted.

    Raises:
        MalformedError: it is none of these, or a Record without turns.
        UnreadableError: the file cannot be read.
    """
    if isinstance(what, Record):
        if not what.turns:
            raise MalformedError(f"record {what.id!r} has no turns; converse wants a talk, perceive takes a text")
        return next(converse_each([what], asked))
    if isinstance(what, os.PathLike):
        return list(converse_each(read(Path(what)), asked))
    if isinstance(what, str | bytes) or not isinstance(what, Iterable):
        raise MalformedError(f"converse wants a Record, a Path, or several Records, not {type(what).__name__}")
    return list(converse_each(what, asked))


def converse_each(
    records: Iterable[Record], asked: Asked | None = None, *, at_once: int = AT_ONCE, keep: bool = False
) -> Iterator[Record]:
    """Yield each talk with its Tracks as soon as it is answered; one that fails has `meta["error"]`.

    Args:
        records: any number of them, read as they are needed.
        asked: what is wanted.
        at_once: talks that are asked about at a time.
        keep: leave those that bear Tracks already as they are.
    """
    model: Any = (asked or Asked()).model()
    return asking.perceive_each(records, model, at_once=at_once, keep=keep)


def converse_file(
    source: str | Path,
    out: str | Path,
    asked: Asked | None = None,
    *,
    layout: str = "",
    columns: Any = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: "Callable[[Progress], None] | None" = None,
    finish: Callable[[Record], Record] | None = None,
    **how: Any,
) -> "Progress":
    """Answer a file of any number of talks into another, in order, and resumable where it stopped.

    Args:
        source: what `read` reads.
        out: the file to make; the suffix names the format.
        asked: what is wanted.
        layout: as in `read`.
        columns: as in `read`.
        resume: go on with a run that was stopped.
        overwrite: replace a file that exists.
        progress: is told how far it is after each chunk.
        finish: what else is done with each answered talk, such as `affetto.answers.offered`.
        how: what `read` takes besides.

    Raises:
        AffettoError: the input cannot be read, or the output exists; talks that fail are counted, not raised.
    """
    from affetto.run import batch  # noqa: PLC0415

    asked = asked or Asked()
    form: Any = formats.by_path(out)
    records = read(source, layout, columns, **how)
    model = asked.model()

    def work(parts: Sequence[Record]) -> list[Record]:
        answered = [one.add(*tracks) for one, tracks in zip(parts, model(parts), strict=True)]
        return answered if finish is None else [finish(one) for one in answered]

    options: dict[str, Any] = {"models": [str(model.card), *model.parts], "reading": asked.reading, "layout": layout}
    if columns is not None:
        options["columns"] = asdict(columns)
    if finish is not None:
        options["finish"] = str(getattr(finish, "said", "finished"))
    return batch.run(
        records,
        work,
        out,
        form.appender(()),
        source=source if str(source) != "-" else None,
        options=options,
        resume=resume,
        overwrite=overwrite,
        chunk=AT_ONCE * 4,
        progress=progress,
    )


def told(record: Record, **meta: Any) -> Record:
    """Return a talk with more in its `meta`."""
    return replace(record, meta={**record.meta, **meta})
