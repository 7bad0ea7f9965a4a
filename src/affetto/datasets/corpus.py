"""What a corpus is: a card, a reader of its official layout, and a maker of a tiny fake in that layout.

Knows folders, splits, parts and counts; the files beside it know what stands in them. A card says, besides what all
cards say:

    folder = "text/meld"            below the data folder (AFFETTO_DATA), where no other is given
    get = "..."                     where the corpus is to be had
    parts = ["eng", "deu"]          where it has parts, such as languages; {part} in a file's name stands for one
    perspectives = ["expressed"]    of its labels
    [splits.train]
    files = ["train_sent_emo.csv"]  any of which may also lie there with .gz or .xz at the end
    records = 1039                  official counts, of Records and of rows of truth; left out where none is known
    rows = 9989
"""

import csv
import gzip
import io
import lzma
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from affetto.core.card import Card
from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.space import Space
from affetto.core.track import Track

PACKED = ("", ".gz", ".xz")
RATERS = "raters"
"""Source of a Track that says what several raters agreed on."""
csv.field_size_limit(1 << 27)


@dataclass(frozen=True)
class Split:
    """One split of one part: what a reader is asked for."""

    folder: Path
    name: str
    """train, dev, test, or what the card calls it."""
    part: str
    """Empty where the corpus has no parts."""
    files: tuple[Path, ...]
    """The files of the card, found, in its order."""


@dataclass(frozen=True)
class Oddity:
    """What is odd in a folder: one file, one sentence."""

    kind: Literal["missing", "broken", "count", "extra"]
    file: str
    words: str


@dataclass(frozen=True)
class Corpus:
    """A corpus whose folder can be read, checked, and imitated."""

    card: Card
    reader: Callable[[Split], Iterator[Record]]
    faker: Callable[[Path], None]
    """Writes a tiny corpus in the official layout into an empty folder."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of its splits."""
        return tuple(self.card.facts["splits"])

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of its parts; one empty name where it has none."""
        return tuple(self.card.facts.get("parts", ("",)))

    def folder(self, given: str | Path | None = None) -> Path:
        """Return where it lies: the folder given, or its place below the data folder.

        Raises:
            UnreadableError: it does not lie there; says where to get it.
        """
        home = os.environ.get("AFFETTO_DATA", "")
        if given is None and not home:
            raise UnreadableError(
                f"where does the corpus {self.card.id} lie? Name its folder, or set AFFETTO_DATA to the folder above"
                f" {self.card.facts['folder']}; to be had at {self.card.facts['get']}"
            )
        folder = Path(given) if given is not None else Path(home) / self.card.facts["folder"]
        if not folder.is_dir():
            raise UnreadableError(
                f"the corpus {self.card.id} is not at {folder}; to be had at {self.card.facts['get']}"
            )
        return folder

    def read(self, split: str, part: str | None = None, folder: str | Path | None = None) -> Iterator[Record]:
        """Yield the Records of a split, with their raters' Tracks, in the order of the files.

        Args:
            split: its name.
            part: only this part; by default all, one after the other.
            folder: where the corpus lies, if not below AFFETTO_DATA.

        Raises:
            UnknownNameError: no split or part is called so; names those there are.
            UnreadableError: a file is missing or is not what the layout says.
        """
        if split not in self.splits:
            raise UnknownNameError(f"split of {self.card.id}", split, self.splits)
        if part is not None and part not in self.parts:
            raise UnknownNameError(f"part of {self.card.id}", part, self.parts)
        home = self.folder(folder)
        for one in (part,) if part is not None else self.parts:
            if self._has(split, one):
                yield from self._records(Split(home, split, one, self._files(home, split, one)))

    def check(self, folder: str | Path | None = None) -> list[Oddity]:
        """Return what is missing or odd in its folder, file by file; an empty list where all is well."""
        home = self.folder(folder)
        found: list[Oddity] = []
        for split in self.splits:
            for part in self.parts:
                if not self._has(split, part):
                    continue
                missing = [name for name in self._names(split, part) if packed(home / name) is None]
                if missing:
                    found += [Oddity("missing", name, f"needed for {split}") for name in missing]
                    continue
                found += self._counted(home, split, part)
        return list(dict.fromkeys(found))

    def has(self, split: str, folder: str | Path | None = None) -> bool:
        """Tell whether all files of a split are there."""
        home = self.folder(folder)
        names = [name for part in self.parts if self._has(split, part) for name in self._names(split, part)]
        return all(packed(home / name) is not None for name in names)

    def _counted(self, home: Path, split: str, part: str) -> list[Oddity]:
        names = ", ".join(self._names(split, part))
        records = rows = 0
        try:
            for record in self._records(Split(home, split, part, self._files(home, split, part))):
                records += 1
                rows += len(record.turns) or max((len(track) for track in record.tracks), default=0)
        except (UnreadableError, MalformedError) as error:
            return [Oddity("broken", names, str(error))]
        said: Mapping[str, Any] = self.card.facts["splits"][split]
        odd = []
        for what, count in (("records", records), ("rows", rows)):
            wanted = said.get(what)
            wanted = wanted.get(part) if isinstance(wanted, Mapping) else wanted if not part else None
            if wanted is not None and wanted != count:
                odd.append(Oddity("count", names, f"{split} has {count:,} {what}, officially {wanted:,}"))
        return odd

    def _records(self, split: Split) -> Iterator[Record]:
        try:
            for record in self.reader(split):
                where = {"split": split.name} | ({"part": split.part} if split.part else {})
                yield replace(record, meta={**record.meta, **where})
        except (
            OSError,
            EOFError,
            lzma.LZMAError,
            UnicodeDecodeError,
            csv.Error,
            KeyError,
            ValueError,
            IndexError,
        ) as error:
            if isinstance(error, UnreadableError):
                raise
            names = ", ".join(path.name for path in split.files)
            raise UnreadableError(
                f"{names} is not laid out as {self.card.id} is ({type(error).__name__}: {error}); compare with"
                f" {self.card.facts['get']}"
            ) from error

    def _has(self, split: str, part: str) -> bool:
        return part in self.card.facts["splits"][split].get("parts", self.parts)

    def _names(self, split: str, part: str) -> list[str]:
        return [name.replace("{part}", part) for name in self.card.facts["splits"][split]["files"]]

    def _files(self, home: Path, split: str, part: str) -> tuple[Path, ...]:
        found = {name: packed(home / name) for name in self._names(split, part)}
        missing = [name for name, path in found.items() if path is None]
        if missing:
            raise UnreadableError(
                f"the corpus {self.card.id} at {home} lacks {', '.join(missing)}, needed for {split}; to be had at"
                f" {self.card.facts['get']}"
            )
        return tuple(path for path in found.values() if path is not None)


def packed(path: Path) -> Path | None:
    """Return the file (or folder) itself, or its packed twin beside it; None where neither lies there."""
    return next((twin for end in PACKED if (twin := path.with_name(path.name + end)).exists()), None)


def text_of(path: Path, encoding: str = "utf-8") -> str:
    """Return the whole text of a file, unpacked, with a byte order mark left out and line ends made plain."""
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "rb") as file:
        return str(file.read().decode(encoding)).removeprefix("\ufeff").replace("\r\n", "\n")


def lines_of(path: Path, encoding: str = "utf-8") -> list[str]:
    """Return the lines of a file, unpacked, without their ends; only a line feed ends one."""
    return text_of(path, encoding).removesuffix("\n").split("\n")


def table_of(
    path: Path, delimiter: str = ",", names: Sequence[str] | None = None, encoding: str = "utf-8", quoted: bool = True
) -> Iterator[dict[str, str]]:
    """Yield the rows of a delimited file as mappings from column to cell.

    Args:
        path: the file, packed or not.
        delimiter: one character.
        names: of the columns, where the file has no header.
        encoding: of the file.
        quoted: whether quotes enclose cells; else they are characters like others.

    Raises:
        ValueError: a row has not as many cells as there are columns; says which.
    """
    text = io.StringIO(text_of(path, encoding), newline="")
    for number, row in enumerate(
        csv.DictReader(text, names, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE), 1
    ):
        if None in row or None in row.values():
            raise ValueError(f"row {number} of {path.name} has not as many cells as there are columns")
        yield row


def one_of(space: Space, label: str) -> list[float]:
    """Return the row of values that says one label of a space.

    Raises:
        UnknownNameError: the space has no such label.
    """
    values = [0.0] * len(space.axes)
    values[space.index(label)] = 1.0
    return values


def post(id: str, text: str, tracks: Sequence[Track], language: str = "", **meta: Any) -> Record:
    """Return the Record of one text."""
    return Record(id, (Text(text, language),), tracks=tuple(tracks), meta=meta)


def said_of(
    text: str, space: Space, values: Sequence[float] | np.ndarray[Any, Any], source: str = RATERS, **what: Any
) -> Track:
    """Return what raters said of one whole text: one row over its characters; `what` as `Track` takes it."""
    return Track(
        space,
        np.zeros(1),
        np.array([len(text)]),
        np.array([values]),
        **({"unit": "char", "subject": "writer"} | what),
        source=source,
    )


def said_of_turns(
    speakers: Sequence[str], space: Space, values: Sequence[Sequence[float]], source: str = RATERS, **what: Any
) -> tuple[Track, ...]:
    """Return what raters said of the turns of a talk: a Track a speaker, its rows the turns of that speaker.

    Args:
        speakers: n, who says each turn.
        space: of the values.
        values: n x k; a row of NaN where nobody was asked.
        source: who said it.
        what: the other columns of a `Track`, such as `perspective`.
    """
    tracks = []
    for speaker in dict.fromkeys(speakers):
        at = [i for i, name in enumerate(speakers) if name == speaker]
        columns = {"unit": "turn", "subject": speaker or "speaker", "source": source} | what
        rows = np.array([values[i] for i in at])
        tracks.append(Track(space, np.array(at), np.array(at) + 1, rows, **columns))
    return tuple(tracks)


def tally(track: Track) -> Counter[str]:
    """Count the labels of a Track: the main one of each row, of kind `any` all over .5, of `graded` the axes said."""
    found: Counter[str] = Counter()
    for values in track.values:
        if np.isnan(values).all():
            continue
        if track.space.kind == "graded":
            found.update(axis.name for axis, v in zip(track.space.axes, values, strict=True) if not np.isnan(v))
        elif track.space.kind == "any":
            found.update(axis.name for axis, v in zip(track.space.axes, values, strict=True) if v > 0.5)
        else:
            found[track.space.axes[int(np.nanargmax(values))].name] += 1
    return found


def counts(records: Iterator[Record]) -> dict[str, Counter[str]]:
    """Count the labels of all Tracks, space by space, as `tally` does."""
    found: dict[str, Counter[str]] = {}
    for record in records:
        for track in record.tracks:
            found.setdefault(track.space.id, Counter()).update(tally(track))
    return found
