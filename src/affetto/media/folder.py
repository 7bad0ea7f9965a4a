"""A folder of recordings: a Record each, in the order of their paths. Knows what counts as one; decodes nothing."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from affetto.core.errors import AffettoError, UnreadableError
from affetto.core.record import Record
from affetto.media.lines import clean
from affetto.media.recording import read_recording


class Folder:
    """All sounds, films and pictures below a folder.

    What begins with a dot is left out, and links to folders are not followed.
    """

    def __init__(
        self,
        path: str | Path,
        suffixes: Sequence[str],
        speakers: str | Sequence[str] | None = None,
        turns: bool = True,
        frames_rate: float = 5.0,
    ) -> None:
        """List the files.

        Raises:
            UnreadableError: there is no sound, film or picture in it.
        """
        self._home, self._speakers, self._turns, self._rate = Path(path), speakers, turns, frames_rate
        self._locked: list[Path] = []
        self._files = sorted(
            Path(folder, file)
            for folder, folders, files in os.walk(path, onerror=self._skip)
            for file in files
            if not (file.startswith(".") or _hidden(folder, path)) and PurePath(file).suffix.lower() in suffixes
        )
        if not self._files and not self._locked:
            raise UnreadableError(
                f"the folder {str(path)!r} holds no sound, film or picture; name a file, or another folder"
            )
        self.total: int | None = sum(map(_bytes, self._files))
        self.position = 0

    def _skip(self, error: OSError) -> None:
        self._locked.append(Path(error.filename))

    def __iter__(self) -> Iterator[Record]:
        """Yield a Record a file; one that cannot be read comes without signals and with `meta["error"]`."""
        names = {file: file.relative_to(self._home) for file in self._files}
        stems = Counter(one.with_suffix("") for one in names.values())
        for file, one in names.items():
            id = clean((one if stems[one.with_suffix("")] > 1 else one.with_suffix("")).as_posix())
            try:
                record = read_recording(file, self._speakers, id=id, turns=self._turns, frames_rate=self._rate)
            except AffettoError as error:
                record = Record(id, meta={"path": clean(str(file)), "error": clean(str(error))})
            self.position += _bytes(file)
            yield record
        for folder in self._locked:
            why = f"the folder {clean(str(folder))!r} cannot be listed; ask for the right to read it"
            yield Record(clean(folder.name), meta={"path": clean(str(folder)), "error": why})


def _hidden(folder: str, home: str | Path) -> bool:
    return any(part.startswith(".") for part in PurePath(folder).relative_to(home).parts)


def _bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
