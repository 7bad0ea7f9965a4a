"""Files that come into being whole or not at all: by a rename at the end, or row by row over several runs.

Knows bytes and disks; knows no format.
"""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from affetto.core.errors import UnreadableError
from affetto.core.record import Record


@contextlib.contextmanager
def whole(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` when all went well, and leaves no trace when not.

    Raises:
        UnreadableError: the folder is not there or may not be written.
    """
    path = Path(path)
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".new", dir=path.parent)
    except OSError as error:
        raise UnreadableError(
            f"{str(path)!r} cannot be written: {error.strerror}; name a file in a folder of yours"
        ) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_mask())
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


class GrowingFile:
    """What all appenders share: a file that grows, is cut where a run was torn, and becomes the output at the end.

    A format says in `encode` what bytes Records are, and may say in `state` and `restore` what else must be known to go
    on, and in `finish` what becomes of the file.
    """

    _file: IO[bytes] | None = None

    def encode(self, records: Sequence[Record]) -> bytes:
        """Return the bytes of Records."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON holds it."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `state` gave."""

    def open(self, path: Path, offset: int, state: Mapping[str, Any]) -> None:
        """Open the growing file, cut it at `offset` bytes and go on as `state` says (both empty at first)."""
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(offset)
        self._file.seek(offset)
        if state:
            self.restore(state)

    def append(self, records: Sequence[Record]) -> None:
        """Write Records."""
        self._opened().write(self.encode(records))

    def sync(self) -> tuple[int, dict[str, Any]]:
        """Bring all to the disk; return the bytes so far, and what `open` needs to go on from here."""
        file = self._opened()
        file.flush()
        os.fsync(file.fileno())
        return file.tell(), self.state()

    def close(self) -> None:
        """Close the growing file, whole or not."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def finish(self, path: Path, out: Path) -> None:
        """Make `out` of the closed, whole growing file, atomically, and remove that."""
        path.replace(out)

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            raise UnreadableError("an appender wants `open` before anything else")
        return self._file


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_by(appender: GrowingFile, records: Iterable[Record], path: Path, at_once: int = 256) -> None:
    """Write Records through an appender, atomically and with few of them in memory.

    Raises:
        UnreadableError: the folder is not there or may not be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:80]}.", suffix=f"{path.suffix}.part", dir=path.parent)
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be written: {error.strerror}; name a folder of yours") from None
    os.close(handle)
    part = Path(name)
    rest = iter(records)
    try:
        appender.open(part, 0, {})
        while some := list(itertools.islice(rest, at_once)):
            appender.append(some)
        appender.sync()
        appender.close()
        part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_mask())
        appender.finish(part, path)
    finally:
        appender.close()
        part.unlink(missing_ok=True)
