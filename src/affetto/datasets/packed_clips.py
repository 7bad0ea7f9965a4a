"""Corpora of clips that may lie in either of two layouts: as their makers give them, or as a table beside one zip.

The second is what re-encodings for study come in: `labels.csv`, a row a clip with at least `file` and `duration_s`, and
one zip of those files (any codec; 16 kHz Ogg Opus for the corpora known here). A card says what lies in it:

    [packed.all]                    as [splits.all], for this layout; the table first, the zip second
    files = ["labels.csv", "ravdess_speech_16k_opus32k.zip"]
    records = 1440
    rows = 1440

Knows where clips lie and how they are opened; knows nothing of what their names mean. The zip is opened once for all
clips of a read, and a clip is unpacked and decoded only when somebody listens to it.
"""

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.datasets.clips import HEARD, Opened, files, sound
from affetto.datasets.corpus import Corpus, Oddity, Split, packed, table_of
from affetto.datasets.headers import silence

TABLE = "labels.csv"


@dataclass(frozen=True)
class Clip:
    """One clip, as it lies there."""

    name: str
    """Of the file, without folders and suffix."""
    file: str
    """Below the folder of the corpus, or within the zip."""
    audio: Audio
    row: Mapping[str, str] = field(default_factory=dict)
    """What the table says of it; empty in the makers' layout."""


@dataclass(frozen=True)
class ClipCorpus(Corpus):
    """A corpus of clips in the makers' layout, or packed where its folder holds `labels.csv` or the zip."""

    def read(self, split: str, part: str | None = None, folder: str | Path | None = None) -> Iterator[Record]:
        """Yield the Records of a split, as `Corpus.read` does, from whichever layout the folder has."""
        yield from self._lying(folder).read(split, part, folder)

    def check(self, folder: str | Path | None = None) -> list[Oddity]:
        """Return what is missing or odd in its folder, for the layout that it has."""
        return self._lying(folder).check(folder)

    def has(self, split: str, folder: str | Path | None = None) -> bool:
        """Tell whether all files of a split are there, in the layout that the folder has."""
        return self._lying(folder).has(split, folder)

    def _lying(self, folder: str | Path | None) -> Corpus:
        """Return the corpus in the layout of its folder."""
        home = self.folder(folder)
        second = self.card.facts["packed"]
        there = any(packed(home / name) for split in second.values() for name in split["files"])
        facts = {**self.card.facts, "splits": second} if there else self.card.facts
        return Corpus(replace(self.card, facts=facts), self.reader, self.faker)


class Pack:
    """A zip of clips, opened when the first is wanted and then kept open; each process opens its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self._process = 0

    def __reduce__(self) -> tuple[type["Pack"], tuple[Path]]:
        """Leave the open file behind when it goes to another process."""
        return Pack, (self.path,)

    def names(self) -> set[str]:
        """Return what it holds.

        Raises:
            UnreadableError: it is no zip, or cut off.
        """
        return set(self._open().namelist())

    def bytes(self, name: str) -> bytes:
        """Return one clip as it is packed.

        Raises:
            UnreadableError: it is not there, or damaged.
        """
        try:
            return self._open().read(name)
        except (KeyError, zipfile.BadZipFile, OSError) as error:
            raise UnreadableError(
                f"the clip {name} cannot be taken out of {self.path.name} ({error}); get the zip anew"
            ) from None

    def _open(self) -> zipfile.ZipFile:
        if self._zip is None or self._process != os.getpid():  # a forked process must not share the place in the file
            try:
                self._zip = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, OSError) as error:
                raise UnreadableError(f"{self.path.name} is no whole zip ({error}); get it anew") from None
            self._process = os.getpid()
        return self._zip


@dataclass(frozen=True)
class Packed:
    """The way to the bytes of one clip in a zip."""

    pack: Pack
    name: str

    def __call__(self) -> BinaryIO:
        """Return them as a file."""
        return io.BytesIO(self.pack.bytes(self.name))


def clips_of(split: Split, pattern: str, rate: float) -> Iterator[Clip]:
    """Yield the clips of a split: the rows of its table in order, or else the files that a pattern names.

    Args:
        split: what is read.
        pattern: of the files in the makers' layout.
        rate: samples a second there, where no header says it.

    Raises:
        UnreadableError: the zip is broken, or lacks a clip of the table.
    """
    if split.files[0].name.split(".csv")[0] + ".csv" != TABLE:
        for path in files(split.folder, pattern):
            file = path.relative_to(split.folder).as_posix()
            yield Clip(path.stem, file, sound(split.folder, file, rate))
        return
    pack = Pack(split.files[1])
    there = pack.names()
    for row in table_of(split.files[0]):
        file = row["file"]
        if file not in there:
            raise UnreadableError(f"{pack.path.name} lacks {file}, which {TABLE} lists; get both anew")
        where = f"{pack.path}/{file}"
        audio = Audio(where, HEARD, float(row["duration_s"]), Opened(Packed(pack, file), where))
        yield Clip(PurePosixPath(file).stem, file, audio, row)


def fake_pack(folder: Path, zip: str, rows: Mapping[str, str], head: str = "file,duration_s") -> None:
    """Write a tiny corpus in the packed layout: a table, and a zip of silent clips of 0.1 s.

    Args:
        folder: where.
        zip: the name of the zip.
        rows: by the name of each clip, the other cells of its row, joined by commas.
        head: the names of the columns.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [head, *(f"{file},{rest}" for file, rest in rows.items())]
    (folder / TABLE).write_text("\n".join(lines) + "\n", "utf-8")
    quiet = folder / "quiet.wav"
    silence(quiet)
    with zipfile.ZipFile(folder / zip, "w") as pack:
        for file in rows:
            pack.write(quiet, file)
    quiet.unlink()
