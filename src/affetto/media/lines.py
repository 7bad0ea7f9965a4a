"""Bytes to lines of characters: byte-order marks, encodings, lengths, and how far the reading is.

A byte that is no character of the encoding stands as a lone surrogate (U+DC80..U+DCFF) in its line, so that it harms
that line only; `flaw` says so in words. Knows no rows and no Records.
"""

import codecs
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from affetto.core.errors import UnreadableError

BLOCK = 1 << 18
"""Bytes read at a time."""
LONGEST = 1 << 26
"""Characters of the longest line, and of the longest text held whole."""
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LONE = re.compile("[\ud800-\udfff]")


class TooLong(str):
    """The beginning of a line of more than `LONGEST` characters, whose rest was left out."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) if byte >= 0x80 else "\udcff" for byte in bad), error.end


codecs.register_error("affetto.mark", _mark)


class Lines:
    """The lines of a file or of stdin, each with its line end; a file of lone carriage returns is read as well."""

    def __init__(self, path: str | Path, encoding: str | None = None) -> None:
        """Open a file, or stdin for `-`.

        Raises:
            UnreadableError: there is no such file, it may not be read, or nobody knows the encoding.
        """
        self.name = "stdin" if str(path) == "-" else Path(path).name
        self.total: int | None = None
        self.position = 0
        self._is_stdin = str(path) == "-"
        self._file: BinaryIO | None = None
        self._file = self._open(path)
        self._head = self._read()
        self.encoding, skip = self._encoding(encoding)
        self._head = self._head[skip:]
        self.position = skip

    def _open(self, path: str | Path) -> BinaryIO:
        if str(path) == "-":
            return sys.stdin.buffer
        try:
            file = Path(path).open("rb")  # noqa: SIM115 - `close` and the end of `blocks` close it
            self.total = file.seek(0, io.SEEK_END) if file.seekable() else None
            if self.total is not None:
                file.seek(0)
            return file
        except FileNotFoundError:
            raise UnreadableError(f"there is no file {str(path)!r}; check the path") from None
        except IsADirectoryError:
            raise UnreadableError(f"{str(path)!r} is a folder; name one file in it") from None
        except OSError as error:
            raise UnreadableError(f"{str(path)!r} cannot be opened: {error.strerror}") from None

    def _encoding(self, asked: str | None) -> tuple[str, int]:
        for mark, encoding in _MARKS:
            if self._head.startswith(mark) and asked in (None, "utf-8", "utf-16", "utf-32", encoding):
                return encoding, len(mark)
        if asked is not None:
            try:
                return codecs.lookup(asked).name, 0
            except LookupError:
                raise UnreadableError(
                    f"no encoding is called {asked!r}; usual ones: utf-8, utf-16, cp1252, latin-1, shift_jis, gb18030"
                ) from None
        return _guess(self._head), 0

    def blocks(self) -> Iterator[str]:
        """Yield all characters in blocks, and close the file."""
        decoder = codecs.getincrementaldecoder(self.encoding)("affetto.mark")
        block, returns = self._head, False
        self._head = b""
        try:
            first = True
            while block:
                self.position += len(block)
                text = decoder.decode(block)
                if first:
                    returns, first = "\r" in text and "\n" not in text, False
                yield text.replace("\r", "\n") if returns else text
                block = self._read()
            rest = decoder.decode(b"", final=True)
            if rest:
                yield rest
        finally:
            self.close()

    def __iter__(self) -> Iterator[str]:
        """Yield line after line; one that is too long comes cut, as a `TooLong`."""
        parts: list[str] = []
        held = 0
        for block in self.blocks():
            *whole, last = block.split("\n")
            for piece in whole:
                if parts:
                    parts.append(piece)
                    line = "".join(parts) + "\n"
                    yield line if held + len(piece) <= LONGEST else TooLong(line)
                    parts, held = [], 0
                else:
                    yield piece + "\n"
            if last:
                held += len(last)
                if held <= LONGEST or not parts:
                    parts.append(last)
        if parts:
            line = "".join(parts)
            yield line if held <= LONGEST else TooLong(line)

    def whole(self) -> str:
        """Return all characters; at most `LONGEST` and one block, so that no file fills the memory."""
        parts, held = [], 0
        for block in self.blocks():
            parts.append(block)
            held += len(block)
            if held > LONGEST:
                break
        text = "".join(parts)
        return TooLong(text) if held > LONGEST else text

    def _read(self) -> bytes:
        return b"" if self._file is None else self._file.read(BLOCK)

    def close(self) -> None:
        """Close the file; stdin stays open."""
        if self._file is not None and not self._is_stdin:
            self._file.close()

    def __del__(self) -> None:
        """Close the file of whoever read only its header."""
        self.close()


def flaw(text: str, encoding: str = "utf-8") -> str | None:
    """Return what is wrong with words, with the way out, as the end of a sentence; None where nothing is.

    >>> flaw("all good"), flaw("  ")
    (None, 'is empty')
    """
    if not text.strip():
        return "is empty"
    if type(text) is TooLong:
        return f"is longer than {LONGEST:,} characters; split it"
    if "\0" in text:
        return "holds null bytes; remove them"
    lone = _LONE.search(text)
    if lone is None:
        return None
    code = ord(lone.group())
    if 0xDC80 <= code <= 0xDCFF:
        return (
            f"is no {encoding.upper()} (byte 0x{code - 0xDC00:02x} at character {lone.start()}); "
            "save it as UTF-8, or name its encoding"
        )
    return f"holds half a character at {lone.start()} (a lone surrogate); remove it"


def clean(text: str) -> str:
    """Return words that any file can hold: what was no character becomes U+FFFD."""
    return _LONE.sub("\ufffd", text) if _LONE.search(text) else text


def _guess(head: bytes) -> str:
    sample = head[:4096]
    if len(sample) >= 4:
        even, odd = sample[0::2], sample[1::2]
        if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.1 * len(even):
            return "utf-16-le"
        if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.1 * len(odd):
            return "utf-16-be"
    return "utf-8"
