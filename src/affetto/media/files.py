"""One door for all files: `read` chooses by the suffix and yields Records one by one.

Knows which suffix is read by whom; knows no format itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.media.lines import Lines
from affetto.media.parquet import Parquet
from affetto.media.subtitles import read_subtitles
from affetto.media.tables import Columns, read_delimited, read_jsonl
from affetto.media.text import read_lines, read_whole

SUFFIXES: dict[str, str] = {
    ".txt": "a text, or one text a line",
    ".srt": "subtitles: turns with seconds",
    ".vtt": "subtitles: turns with seconds",
    ".csv": "a table, one Record a row",
    ".tsv": "a table, one Record a row",
    ".jsonl": "an object a line, one Record each",
    ".ndjson": "an object a line, one Record each",
    ".parquet": "a table, one Record a row",
}
"""Suffix -> what it is, for lists."""
_SOUNDS = (
    ".wav .mp3 .flac .ogg .oga .opus .spx .m4a .m4b .aac .wma .aiff .aif .aifc .amr .awb .au .snd .caf .w64 .wv .ape "
    ".tta .ac3 .dts .mka .sph .voc"
).split()
_FILMS = ".mp4 .m4v .mov .mkv .webm .avi .wmv .flv .3gp .3g2 .mpg .mpeg .m2ts .mts .mxf .ogv".split()
_PICTURES = (
    ".jpg .jpeg .jpe .jfif .png .apng .gif .webp .bmp .dib .tif .tiff .avif .jp2 .ppm .pgm .pbm .pnm .heic .heif"
).split()
MEDIA = (*_SOUNDS, *_FILMS, *_PICTURES)
"""Suffixes of recordings; what they are inside is seen by their content, not by the suffix."""
SUFFIXES |= dict.fromkeys(_SOUNDS, "sound") | dict.fromkeys(_FILMS, "a film: its sound and its pictures")
SUFFIXES |= dict.fromkeys(_PICTURES, "a picture; one that moves is a film")
CAMERA = "camera:"
"""What the names of cameras begin with."""


class _Measured(Protocol):
    """What knows how far it has been read."""

    @property
    def total(self) -> int | None: ...

    @property
    def position(self) -> int: ...


class Reading(Iterator[Record]):
    """Records as they come, and how far they have come.

    `run.batch` looks at `position` and `total` to tell the progress; a plain iterator does as well, without.
    """

    def __init__(self, records: Iterable[Record], measured: _Measured, columns: tuple[str, ...] = ()) -> None:
        """Wrap Records."""
        self._records = iter(records)
        self._measured = measured
        self.columns = columns
        """The columns of a table, in order; empty for other files."""

    @property
    def total(self) -> int | None:
        """Bytes of the input; None where nobody knows (stdin)."""
        return self._measured.total

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._measured.position

    def __next__(self) -> Record:
        """Return the next Record."""
        return next(self._records)


def read(
    path: str | Path,
    column: Columns | None = None,
    *,
    id_column: str | None = None,
    lines: bool = False,
    turns: bool | None = None,
    suffix: str | None = None,
    encoding: str | None = None,
    speakers: str | Sequence[str] | None = None,
    frames_rate: float = 5.0,
    since: float = 0.0,
) -> Reading:
    """Read a file, stdin for `-`, a camera, or a folder of sounds, films and pictures, as Records, one by one.

    What can be known at once is checked at once: the file, its suffix, its columns. A row that cannot be read never
    stops the others: it comes, in its place, as a Record without signals whose `meta["error"]` is one sentence.
    In tables `meta["row"]` keeps the columns of the input as they were, `meta["number"]` the number of the row from 1.
    Of a folder every sound, film and picture is read, in the order of their paths; the id is the path in it without
    the suffix.

    Args:
        path: the file or folder; `-` is stdin; `camera:0` is the first camera, live.
        column: the column of a table that holds the words; by default `text`, or the only one there is. Several give
            Records of several fields: a Text each, and `meta["fields"]` says which characters they are.
        id_column: the column that names the Records; by default `id` where there is one, else the number of the row.
        lines: a .txt (or stdin) is one Record a line, not one in all.
        turns: a .txt is a dialogue of `Name: words` lines; None: only where that is unmistakable; False: never. Of a
            sound or film, False leaves its subtitles alone, which else are its turns.
        suffix: read it as if its name ended so (`.csv`); for stdin by default `.txt`.
        encoding: how its characters are written; by default UTF-8, or UTF-16 where the file begins so.
        speakers: each channel of a sound is somebody's: `channels`, or their names; by default channels are mixed.
        frames_rate: frames a second of films and cameras that are looked at; 0: all.
        since: the second of a sound or film from which on it is read.

    Raises:
        UnreadableError: there is no such file, its suffix is unknown, or it is no such file inside; a folder without
            any sound, film or picture; no such camera.
        UnknownNameError: no column is called so; names those there are.
        MissingExtraError: reading it needs a part that is not installed.
    """
    if suffix is None and str(path) != "-" and Path(path).is_dir():
        from affetto.media.folder import Folder  # noqa: PLC0415 - words need no PyAV

        folder = Folder(path, MEDIA, speakers, turns is not False, frames_rate)
        return Reading(folder, folder)
    if suffix is None and str(path).startswith(CAMERA) and not Path(path).exists():
        from affetto.media.camera import read_camera  # noqa: PLC0415 - words need no OpenCV

        return Reading([read_camera(str(path), frames_rate)], _Whole(None, 0))
    kind = (suffix or (".txt" if str(path) == "-" else Path(path).suffix)).lower()
    if kind not in SUFFIXES:
        raise UnreadableError(
            f"{str(path)!r} ends in {kind!r}, which nobody here reads; known: {', '.join(SUFFIXES)}; "
            "say suffix='.txt' (or another) if it is one inside"
        )
    if kind == ".parquet":
        table = Parquet(path, column, id_column)
        return Reading(table, table, table.columns)
    if kind in MEDIA:
        return _medium(path, speakers, turns is not False, frames_rate, since)
    opened = Lines(path, encoding)
    try:
        if kind in (".csv", ".tsv"):
            columns, records = read_delimited(opened, kind == ".tsv", column, id_column)
        elif kind in (".jsonl", ".ndjson"):
            columns, records = read_jsonl(opened, column, id_column)
        elif kind == ".txt":
            columns, records = (), read_lines(opened) if lines else read_whole(opened, path, turns)
        else:
            columns, records = (), read_subtitles(opened, path)
    except BaseException:
        opened.close()
        raise
    return Reading(records, opened, columns)


@dataclass
class _Whole:
    total: int | None
    position: int


def _medium(
    path: str | Path, speakers: str | Sequence[str] | None, turns: bool, frames_rate: float, since: float
) -> Reading:
    from affetto.media.recording import read_recording  # noqa: PLC0415 - words need no PyAV

    if str(path) == "-":
        raise UnreadableError("stdin cannot be read as a sound, film or picture; save it to a file first")
    record = read_recording(path, speakers, turns=turns, frames_rate=frames_rate, since=since)
    size = Path(path).stat().st_size
    return Reading([record], _Whole(size, size))
