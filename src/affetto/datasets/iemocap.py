"""IEMOCAP: ten actors in five sessions talk in pairs, scripted or improvised; each turn judged by several raters.

A Record is one turn: its sound, its words where they are transcribed, the majority label and the mean of valence,
arousal and dominance (source "raters"), and the same from each rater ("rater:C-E2", "rater:A-E3", named as in the
files: E judged others, F and M are the actors judging themselves). Labels are as they stand: happiness and excitement
are two. A rater who named several shares his vote among them. No majority (xxx) and other (oth) are not said, with the
word in the note. Means of the scale 1..5 come in as (x - 3) / 2. `meta["fold"]` is the session.
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Signal, Text
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.datasets.clips import clip, files, said_of_clip, sound, votes
from affetto.datasets.corpus import RATERS, Corpus, Split, lines_of
from affetto.datasets.headers import silence

LABELS = {
    "neu": "neutral", "hap": "joy", "sad": "sadness", "ang": "anger", "sur": "surprise", "fea": "fear",
    "dis": "disgust", "fru": "frustration", "exc": "excitement",
}  # fmt: skip
"""Codes of the majority; `oth` and `xxx` are no labels. Raters' words begin with the same letters."""
_TURN = re.compile(r"\[([\d.]+) - ([\d.]+)\]\t(\S+)\t(\w+)\t\[([\d.]+), ([\d.]+), ([\d.]+)\]")
_CATEGORIES = re.compile(r"(C-[EFM]\d):\s*(.*?)\s*(?:\((.*)\))?\s*")
_ATTRIBUTES = re.compile(r"(A-[EFM]\d):\s*val\s*(\d?);\s*act\s*(\d?);\s*dom\s*(\d?);.*")
_Spaces = tuple[Space, Space]
_WORDS = re.compile(r"(\S+) \[[^\]]*\]:\s*(.*)")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    spaces = (catalog.load("iemocap-9"), catalog.load("vad"))
    for path in files(split.folder, "Session[1-5]/dialog/EmoEvaluation/*.txt"):
        session = path.parents[2]
        said = _words(session / "dialog" / "transcriptions" / path.name)
        for number, block in enumerate(_blocks(path), 1):
            found = _TURN.fullmatch(block[0].rstrip())
            if found is None:
                raise ValueError(f"{path.name}: turn {number} begins with {block[0]!r:.60}")
            yield _turn(split.folder / session.name, path.stem, found, block[1:], said, spaces)


def _blocks(path: Path) -> Iterator[list[str]]:
    """Yield the lines of each turn; the first says when, who and what."""
    block: list[str] = []
    for line in lines_of(path):
        if line.startswith("["):
            if block:
                yield block
            block = [line]
        elif block and line.strip():
            block.append(line)
    if not block:
        raise ValueError(f"{path.name} has no turns")
    yield block


def _turn(
    session: Path, dialogue: str, found: re.Match[str], lines: Sequence[str], said: dict[str, str], spaces: _Spaces
) -> Record:
    start, end, id, code = float(found[1]), float(found[2]), found[3], found[4]
    speaker = id[:5] + id.rpartition("_")[2][0]
    length = end - start
    label = LABELS.get(code)
    note = None if label else (code,)
    vad = _scaled([found[5], found[6], found[7]])
    tracks = [
        said_of_clip(spaces[0], label, length, RATERS, channel="fused", note=note),
        said_of_clip(spaces[1], vad, length, RATERS, channel="fused"),
        *(track for line in lines if (track := _rating(line, spaces, length)) is not None),
    ]
    file = f"sentences/wav/{dialogue}/{id}.wav"
    signals: list[Signal] = [sound(session, file, 16000, length)]
    if id in said:
        signals.append(Text(said[id], "en"))
    about = {"gender": {"F": "female", "M": "male"}[speaker[-1]]}
    style = "improvised" if "_impro" in dialogue else "scripted"
    return clip(
        id, signals, tracks, speaker, about, file=f"{session.name}/{file}", fold=session.name[-1], dialogue=dialogue,
        style=style, start=start, end=end, label=code,
    )  # fmt: skip


def _rating(line: str, spaces: _Spaces, length: float) -> Track | None:
    """Return what one rater said of a turn; None of a line that is no rating."""
    if found := _ATTRIBUTES.fullmatch(line.strip()):
        vad = _scaled([found[2], found[3], found[4]])
        return said_of_clip(spaces[1], vad, length, f"rater:{found[1]}", channel="fused")
    if found := _CATEGORIES.fullmatch(line.strip()):
        words = [word.strip().lower() for word in found[2].split(";") if word.strip()]
        known = [LABELS.get(word[:3], "") for word in words]
        shares = votes([known.count(name) for name in spaces[0].names])
        note = "; ".join(part for part in (*(w for w, k in zip(words, known, strict=True) if not k), found[3]) if part)
        return said_of_clip(
            spaces[0], shares, length, f"rater:{found[1]}", channel="fused", note=(note,) if note else None
        )
    return None


def _scaled(cells: Sequence[str]) -> list[float]:
    """Return valence, arousal and dominance on -1..1; the files have them in this order on 1..5, or empty."""
    return [(float(cell) - 3) / 2 if cell else math.nan for cell in cells]


def _words(path: Path) -> dict[str, str]:
    """Return what is said in each turn, where the transcription is there; it has lines of other speakers too."""
    found = (_WORDS.fullmatch(line.strip()) for line in (lines_of(path) if path.is_file() else ()))
    return {match[1]: match[2] for match in found if match}


def _fake(folder: Path) -> None:
    for session in range(1, 6):
        dialogue = f"Ses{session:02}F_impro01"
        home = folder / f"Session{session}"
        for part in ("EmoEvaluation", "transcriptions"):
            (home / "dialog" / part).mkdir(parents=True)
        (home / "dialog" / "EmoEvaluation" / f"._{dialogue}.txt").write_bytes(b"\0\5\x16\7")
        (home / "dialog" / "EmoEvaluation" / f"{dialogue}.txt").write_text(
            "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
            f"[6.2901 - 8.2357]\t{dialogue}_F000\texc\t[3.5000, 4.0000, 5.0000]\n"
            "C-E2:\tExcited; Happiness;\t()\nC-E3:\tNeutral state;\t()\nC-E4:\tOther;\t(laughing, it's too much)\n"
            "C-F1:\tExcited;\t()\nA-E3:\tval 3; act 4; dom  ;\t()\nA-F1:\tval 1; act 5; dom  5;\t(threatening)\n\n"
            f"[10.0100 - 11.3925]\t{dialogue}_M001\txxx\t[2.5000, 2.5000, 2.5000]\n"
            "C-E2:\tFrustration;\t()\nC-E4:\tAnger;\t()\nA-E3:\tval 2; act 3; dom  2;\t()\n",
            "utf-8",
        )
        (home / "dialog" / "transcriptions" / f"{dialogue}.txt").write_text(
            f"{dialogue}_F000 [006.2901-008.2357]: Excuse me, caf\N{LATIN SMALL LETTER E WITH ACUTE}?\n"
            f"{dialogue}_MXX0 [008.2400-009.0000]: Hm.\n",
            "utf-8",
        )
        silence(home / "sentences" / "wav" / dialogue / f"{dialogue}_F000.wav", 1.9456)
