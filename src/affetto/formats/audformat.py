"""audformat (.audformat): a folder with a header `db.yaml` and tables `db.<table>.csv` of labelled segments.

How Records are said there:

- `files` has a line a file with the id and number of its Record, its duration and its error. A Record without a path
  is a file called by its id; Records of one file become one.
- The Tracks of one space, channel, perspective and source share a table: `label` (kind `one`; where somebody has
  changed it, that counts), a column an axis (open words all in `words`), `confidence`, `subject`, `note`; `track`
  counts inside a file. Rows in seconds are segments, rows in characters or turns a misc table of `record, start, end`.
  Empty cells were not said. A segment stands once in a table: the same one again goes to a second table, `-2`.
- `turns` holds what was said in timed turns, the misc table `words` that of others.
- Schemes have the labels and bounds of the spaces. A source is a rater: a machine where a model card is called so, else
  a human. `meta["split"]` is a split, with tables of its own. The usage is the `usage` in the meta of the Records where
  all say one that audformat knows, else `other`: Affetto does not know what recordings may be used for.
- Cells that CSV cannot hold (`NA`, line ends) make a table Parquet. Times are rounded to a nanosecond.
- The sign U+0085 in names that stand in the header becomes a space: YAML ends a line there.
- Signals but their path and duration, people, boxes, `about`, other meta, Tracks without rows and the definitions of
  labels have no place here: for whole Records there is JSON.

Knows the doors; `audformat_tables` writes, `audformat_reading` reads. Needs the extra `sound`.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.formats import jsonl
from affetto.formats.audformat_opening import library
from affetto.formats.audformat_reading import read_records
from affetto.formats.audformat_tables import Folder


def read(path: str | Path) -> Iterator[Record]:
    """Read a Record for each file: Tracks that Affetto wrote as they were, other tables a Track a scheme.

    In a table of somebody else a column with labels is a Track of kind `one`, the columns with bounds are a graded one,
    `speaker` or `subject` is whose it is, `text` or `transcription` are turns. A whole file of unknown length is turn
    0; another segment without an end ends where it starts.

    Args:
        path: the folder.

    Raises:
        MissingExtraError: audformat is not installed.
        UnreadableError: there is no such folder, or it is no audformat; says what and where.
    """
    return read_records(path)


def write(records: Iterable[Record], path: str | Path) -> None:
    """Write Records as a folder, which appears when it is whole; one that holds nothing but an audformat is replaced.

    Raises:
        MissingExtraError: audformat is not installed.
        UnreadableError: the folder may not be written, or holds other files.
    """
    library("writing .audformat")
    path = Path(path)
    if path.exists() and not (path.is_dir() and all(map(_ours, path.iterdir()))):
        raise UnreadableError(f"{str(path)!r} cannot be written: it is there and is no audformat; name another folder")
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name[:80]}.", suffix=".new", dir=path.parent))
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be written: {error.strerror}; name a folder of yours") from None
    try:
        folder = Folder()
        for record in records:
            folder.add(record)
        folder.save(fresh)
        fresh.chmod(0o755)
        if path.exists():
            old = fresh.with_suffix(".old")
            path.rename(old)
            fresh.rename(path)
            shutil.rmtree(old)
        else:
            fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


class _Appender(jsonl.Appender):
    def finish(self, path: Path, out: Path) -> None:
        """Make a folder of the lines."""
        write(jsonl.read(path), out)
        path.unlink()


def appender(columns: Sequence[str] = ()) -> _Appender:
    """Return what writes Records as they come; `columns` mean nothing here.

    Raises:
        MissingExtraError: audformat is not installed.
    """
    library("writing .audformat")
    return _Appender()


def _ours(path: Path) -> bool:
    return path.is_file() and re.fullmatch(r"db\.(yaml|.+\.(csv|parquet))", path.name) is not None
