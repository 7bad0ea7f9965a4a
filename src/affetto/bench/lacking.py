"""How a reader of whole recordings fares when a channel of them is missing, and what of them it may see at all.

    no-voice no-face no-text        the recording without its sound, its pictures, or its subtitles

What the subtitles of a recording tell is said by `meta["subtitles"]`: `names` (who says what), `plain` (what is said)
or `none`. Knows signals and turns; knows no benchmark.
"""

from dataclasses import replace

from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames

KNOWN = ("no-voice", "no-face", "no-text")
NOBODY = "speaker"
"""Whom subtitles name that name nobody."""
_GONE = {"no-voice": Audio, "no-face": Frames}


def under(condition: str, record: Record) -> Record:
    """Return a recording without a channel.

    Raises:
        UnknownNameError: there is no such condition; names those there are.
    """
    if condition not in KNOWN:
        raise UnknownNameError("condition", condition, KNOWN)
    if condition == "no-text":
        return replace(record, turns=(), meta={**record.meta, "subtitles": "none"})
    signals = tuple(signal for signal in record.signals if not isinstance(signal, _GONE[condition]))
    return replace(record, signals=signals)


def blind(record: Record) -> Record:
    """Return a recording as a system may see it: sound, pictures, and turns as far as its subtitles tell them."""
    told = record.meta.get("subtitles", "names")
    turns = () if told == "none" else record.turns
    if told == "plain":
        turns = tuple(replace(turn, speaker=NOBODY) for turn in turns)
    return Record(record.id, record.signals, turns)
