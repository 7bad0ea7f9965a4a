"""CREMA-D: 91 actors say twelve sentences in six emotions; what they show is in the clip's name.

What 2,443 raters saw and heard is another corpus, `crema-d-votes`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames
from affetto.datasets.clips import clip, film, said_of_clip, sound
from affetto.datasets.corpus import Corpus, Split, table_of

EMOTIONS = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "joy", "NEU": "neutral", "SAD": "sadness"}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": ""}
SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
_NAME = re.compile(r"(1\d{3})_([A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX)")


@dataclass(frozen=True)
class Name:
    """What the name of a clip says."""

    actor: str
    sentence: str
    emotion: str
    level: str
    """low, medium or high; empty where none was asked for."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, fake)


def parse(name: str) -> Name:
    """Return what the name of a clip (without folder and suffix) says.

    Raises:
        ValueError: it is not named as clips of CREMA-D are.

    >>> parse("1001_IEO_HAP_LO")
    Name(actor='1001', sentence='IEO', emotion='joy', level='low')
    """
    found = _NAME.fullmatch(name)
    if found is None or found[2] not in SENTENCES:
        raise ValueError(f"{name!r} is no name of a clip such as 1001_IEO_HAP_LO")
    actor, sentence, emotion, level = found.groups()
    return Name(actor, sentence, EMOTIONS[emotion], LEVELS[level])


def actors(rows: Iterator[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Return what is known of each actor, from the rows of VideoDemographics.csv."""
    return {
        row["ActorID"]: {
            "gender": row["Sex"].lower(), "age": int(row["Age"]), "race": row["Race"], "ethnicity": row["Ethnicity"],
        }
        for row in rows
    }  # fmt: skip


def signals(folder: Path, name: str) -> tuple[Audio, Frames]:
    """Return sound and film of a clip, by its name; 16 kHz, 29.97 frames a second, as the corpus has them."""
    return sound(folder, f"AudioWAV/{name}.wav", 16000), film(folder, f"VideoFlash/{name}.flv", 29.97)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    people = actors(table_of(split.files[1]))
    for row in table_of(split.files[0]):
        id = row["Filename"]
        name = parse(id)
        here = signals(split.folder, id)
        track = said_of_clip(space, name.emotion, here[0].duration, channel="fused")
        yield clip(
            id, here, [track], name.actor, people[name.actor], file=f"AudioWAV/{id}.wav", text=SENTENCES[name.sentence],
            level=name.level,
        )  # fmt: skip


def fake(folder: Path) -> None:
    """Write a tiny CREMA-D: its tables, without sound and film."""
    names = ("1001_IEO_NEU_XX", "1001_IEO_HAP_LO", "1002_DFA_ANG_XX", "1002_ITS_SAD_XX")
    lines = [f'{i},"{name}"' for i, name in enumerate(names, 1)]
    (folder / "SentenceFilenames.csv").write_text("\n".join(['"Stimulus_Number","Filename"', *lines]), "utf-8")
    (folder / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n'
        '1002,21,"Female","Caucasian","Not Hispanic"\n',
        "utf-8",
    )
    columns = '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote","meanEmoResp"'
    rows = [
        f'"{way}{i:05}",{i},1,0,{way},10,0,"{name}",{11 + i + way},0.5,"N",71.5'
        for way in (1, 2, 3)
        for i, name in enumerate(names, 1)
    ]
    (folder / "processedResults").mkdir()
    (folder / "processedResults" / "tabulatedVotes.csv").write_text("\n".join([columns, *rows]) + "\n", "utf-8")
