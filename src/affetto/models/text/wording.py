"""How written words are made readable for a word-piece vocabulary: emoji get their names, stretched letters shrink.

Knows Unicode, not models and not languages. The same function runs in training and in use.
"""

import re
import unicodedata

_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_INVISIBLE = {0x200B, 0x200D, 0x2060, 0xFE0E, 0xFE0F, 0xFEFF}
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_SYMBOLS = {"So", "Sk"}


def readable(text: str) -> str:
    """Return `text` with emoji spelled out by their Unicode names and letters repeated 3 or more times halved to 2.

    >>> readable("sooooo happy 😂")
    'soo happy  face with tears of joy '
    """
    if not text.isascii():
        text = "".join(map(_spelled, text))
    return _STRETCHED.sub(r"\1\1", text)


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x2000:
        return character
    if code in _INVISIBLE or code in _SKIN_TONES:
        return ""
    if unicodedata.category(character) in _SYMBOLS:
        name = unicodedata.name(character, "")
        return f" {name.lower()} " if name else " "
    return character
