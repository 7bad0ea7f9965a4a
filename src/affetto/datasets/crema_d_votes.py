"""CREMA-D's votes: which of six emotions raters heard in the voice, saw in the face, and took from both together.

A Track for each way: the shares of its votes, source "raters", perspective perceived. How strong the raters found the
emotion (0 to 100) and how many they were is in `meta`. What the actors were asked to show is `crema-d`.
"""

import csv
import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.track import Channel
from affetto.datasets import crema_d
from affetto.datasets.clips import clip, said_of_clip, votes
from affetto.datasets.corpus import RATERS, Corpus, Split

WAYS: dict[str, Channel] = {"1": "voice", "2": "face", "3": "fused"}
"""By the first digit of a row's name; the majority votes of summaryTable.csv bear it out in all 22,326 rows."""
LETTERS = {"A": "anger", "D": "disgust", "F": "fear", "H": "joy", "N": "neutral", "S": "sadness"}
TABLES = ("VideoDemographics.csv", "processedResults/tabulatedVotes.csv")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    demographics, tabulated = _tables(split)
    people = crema_d.actors(iter(demographics))
    rows: dict[str, dict[Channel, dict[str, str]]] = {}
    for row in tabulated:
        rows.setdefault(row["fileName"], {})[WAYS[row[""][0]]] = row
    for id, ways in rows.items():
        name = crema_d.parse(id)
        here = crema_d.signals(split.folder, id)
        tracks = []
        for way, row in ways.items():
            counts = {word: int(row[letter]) for letter, word in LETTERS.items()}
            shares = votes([counts.get(word, 0) for word in space.names])
            duration = here[0].duration
            tracks.append(said_of_clip(space, shares, duration, RATERS, channel=way, perspective="perceived"))
        yield clip(
            id, here, tracks, name.actor, people[name.actor], file=f"AudioWAV/{id}.wav", intended=name.emotion,
            level=name.level, text=crema_d.SENTENCES[name.sentence],
            raters={way: int(row["numResponses"]) for way, row in ways.items()},
            strength={way: float(row["meanEmoResp"]) for way, row in ways.items()},
        )  # fmt: skip


def _tables(split: Split) -> list[list[dict[str, str]]]:
    """Return the rows of both tables, from one tar of them or from the folder itself."""
    found = []
    for name in TABLES:
        packed = len(split.files) == 1
        text = _member(split.files[0], name) if packed else (split.folder / name).read_text("utf-8")
        found.append(list(csv.DictReader(io.StringIO(text, newline=""))))
    return found


def _member(path: Path, name: str) -> str:
    """Return one text of a tar, which is unpacked to its last byte, so that a cut one is found out."""
    raw: bytes = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)(path.read_bytes())
    try:
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            member = archive.extractfile(name)
            return member.read().decode("utf-8") if member else ""
    except tarfile.TarError as error:
        raise ValueError(f"{path.name} is no tar of the tables ({error})") from None


def _fake(folder: Path) -> None:
    crema_d.fake(folder)
    with tarfile.open(folder / "crema-d-labels.tar.xz", "w:xz") as archive:
        for name in TABLES:
            archive.add(folder / name, name)
            (folder / name).unlink()
