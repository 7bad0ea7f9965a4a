"""Plain text files: one text, one text a line, or a dialogue of `Name: words` lines.

A dialogue is taken for one unasked only where it is unmistakable: at least three lines with words, every one of them
begins with a name and a colon, there are at least two names, and one of them speaks twice. ("Pros: cheap / Cons: slow"
and the head of a letter are none.) Asked for, lines without a name go on with the turn before them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.media.lines import Lines, clean, flaw

SOMEONE = "someone"
"""The speaker of words that nobody's name stands before."""
_TURN = re.compile(r"\s*([^\W\d_][\w.'\u2019-]*(?: [\w.'\u2019()-]+){0,3})\s?:(?:\s+|$)(.*)", re.DOTALL)
_LONGEST_NAME = 40


def read_whole(lines: Lines, path: str | Path, turns: bool | None = None) -> Iterator[Record]:
    """Yield the one Record of a text: its words, or its turns."""
    text = lines.whole()
    name = "stdin" if str(path) == "-" else Path(path).stem
    meta = {"path": str(path)}
    wrong = flaw(text, lines.encoding)
    if wrong:
        hint = "; or read it a line at a time" if "longer" in wrong else ""
        yield Record(name, meta=meta | {"error": f"{lines.name} {wrong}{hint}"})
        return
    said = () if turns is False else dialogue(text, asked=turns is True)
    yield Record(name, () if said else (Text(text),), said, meta=meta)


def read_lines(lines: Lines) -> Iterator[Record]:
    """Yield a Record a line; an empty line, too, keeps its place."""
    for number, line in enumerate(lines, 1):
        text = line if line.__class__ is not str else line.rstrip("\r\n")
        wrong = flaw(text, lines.encoding) if text.strip() else None
        if wrong:
            yield Record(str(number), meta={"number": number, "error": f"line {number} of {lines.name} {wrong}"})
        else:
            yield Record(str(number), (Text(text),), meta={"number": number})


def dialogue(text: str, asked: bool = False) -> tuple[Turn, ...]:
    r"""Return the turns of a text, or none where it is no dialogue.

    Args:
        text: the whole text.
        asked: it is a dialogue, says the caller; False: only where that is unmistakable.

    >>> [turn.speaker for turn in dialogue("Ann: Hi!\nBob: Hello.\nAnn: Bad news.")]
    ['Ann', 'Bob', 'Ann']
    """
    turns: list[Turn] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        speaker, words = _split(line)
        if speaker is not None:
            turns.append(Turn(speaker, None, words))
        elif not asked:
            return ()
        elif turns:
            last = turns[-1]
            turns[-1] = Turn(last.speaker, None, f"{last.text}\n{words}" if last.text else words)
        else:
            turns.append(Turn(SOMEONE, None, words))
    if not asked:
        names = Counter(turn.speaker for turn in turns)
        if len(turns) < 3 or len(names) < 2 or max(names.values()) < 2:
            return ()
    return tuple(turn for turn in turns if turn.text.strip())


def _split(line: str) -> tuple[str | None, str]:
    found = _TURN.match(line) if ":" in line[: 2 * _LONGEST_NAME] else None
    if found is None or len(found[1]) > _LONGEST_NAME:
        return None, line.strip()
    return clean(found[1].strip()), found[2].strip()
