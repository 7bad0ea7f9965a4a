"""What an argument of the command line means: a text, a file, a folder, or what is piped in. Reads nothing itself.

A name that exists is a file. What only looks like a path (a known suffix, no spaces) but does not exist is a slip of
the hand and is said so, instead of being read as a text.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from affetto.core.errors import UnreadableError

_SUFFIXES = (
    ".txt .srt .vtt .csv .tsv .json .jsonl .ndjson .parquet .xml .emotionml .md .doc .docx .pdf .odt .html .xlsx .xls "
    ".wav .mp3 .flac .ogg .opus .m4a .aac .wma .aiff .mp4 .mkv .webm .avi .mov .jpg .jpeg .png .gif .webp .bmp .tif "
    ".tiff .heic .avif .gz .zip"
).split()
_CAMERA = re.compile(r"camera:\d+")
_IN_FOLDER = re.compile(r"[\w.~-]*(?:[/\\][\w.-]+)+\.\w{1,9}")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".json", ".emotionml", ".xml")
"""Suffixes of files that hold many Records."""


@dataclass(frozen=True)
class Source:
    """Where the words come from."""

    text: str | None = None
    """Said on the command line."""
    path: str = ""
    """A file; `-` for stdin."""
    suffix: str = ""
    """What the file is read as."""

    folder: bool = False
    """Whether it is a folder of recordings."""

    @property
    def is_table(self) -> bool:
        """Whether it is a file that holds many Records."""
        return self.suffix in TABLES

    @property
    def is_many(self) -> bool:
        """Whether many Records come of it, of which one that fails is not all."""
        return self.is_table or self.folder


def source(what: Sequence[str], as_text: bool, suffix: str | None, column: str | Sequence[str] | None) -> Source:
    """Return what the arguments mean.

    Args:
        what: the arguments; several are the words of one text.
        as_text: they are a text, whatever they look like.
        suffix: what the file is to be read as (`csv` or `.csv`), if not by its own.
        column: the column or columns asked for; stdin with a column is a .csv.

    Raises:
        UnreadableError: it looks like a path, but there is no such file.
        click.UsageError: nothing is given and nothing is piped in.
    """
    asked = "." + suffix.lower().lstrip(".") if suffix else ""
    if not what or (tuple(what) == ("-",) and not as_text):
        if not what and sys.stdin.isatty():
            raise click.UsageError("say a text, name a file, or pipe something in; see --help for examples")
        return Source(path="-", suffix=asked or (".csv" if column else ".txt"))
    words = " ".join(what)
    if as_text:
        return Source(words)
    if len(what) > 1:
        for one in what:
            if _is_there(one) and _looks_like_path(one):
                raise click.UsageError(f"one file at a time, please: {one!r} stands among other words")
        return Source(words)
    if words.strip() and _is_there(words):
        if Path(words).is_dir():
            return Source(path=words, folder=True)
        return Source(path=words, suffix=asked or Path(words).suffix.lower())
    if _CAMERA.fullmatch(words):
        return Source(path=words)
    if _looks_like_path(words):
        raise UnreadableError(f"there is no file {words!r}; check the path, or add --text to read it as a text")
    return Source(words)


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # longer than any path, or with a null byte
        return False


def _looks_like_path(name: str) -> bool:
    if any(character.isspace() for character in name) or "://" in name or len(name) > 1000:
        return False
    return name.lower().endswith(tuple(_SUFFIXES)) or _IN_FOLDER.fullmatch(name) is not None
