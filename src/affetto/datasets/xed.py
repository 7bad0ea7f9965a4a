"""XED: lines of film subtitles with Plutchik's eight emotions, several at once.

English and Finnish were annotated by people (split `all`, with the neutral lines, which have none of the eight). Every
other language, and both again, got the labels of lines aligned with theirs (split `projected`): silver. Languages are
parts, called as the files are: `br` is Brazilian Portuguese, `cn` and `tw` simplified and traditional Chinese.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.datasets.corpus import RATERS, Corpus, Split, lines_of, packed, post, said_of, text_of

EMOTIONS = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")
"""In the order of their numbers, from 1."""
SILVER = "silver:projection"
LANGUAGES = {"br": "pt-BR", "cn": "zh-Hans", "tw": "zh-Hant"}
"""Codes of files that are not those of languages."""
_LABELS = re.compile(r"[1-8](, ?[1-8])*")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    if split.name == "projected":
        yield from _labelled(_projection(split), split.part, "projected", SILVER)
        return
    annotated, neutral = split.files
    yield from _labelled(annotated, split.part, "annotated", RATERS)
    space = catalog.load("plutchik-8")
    for number, line in enumerate(lines_of(neutral), 1):
        cells = line.split("\t")
        if not cells[1].strip():
            continue
        film = {"film": "/".join(cells[4].split("/")[:3])} if len(cells) > 4 and cells[4] else {}
        track = said_of(cells[1], space, [0.0] * len(EMOTIONS))
        yield post(f"{split.part}-neutral-{number}", cells[1], [track], _language(split.part), **film)


def _projection(split: Split) -> Path:
    """Return the file of one language; the second edition where there is one."""
    folder = split.files[0]
    for name in (f"{split.part}-projections2.tsv", f"{split.part}-projections.tsv"):
        if (path := packed(folder / name)) is not None:
            return path
    raise UnreadableError(f"the corpus xed at {split.folder} lacks {folder.name}/{split.part}-projections.tsv")


def _labelled(path: Path, part: str, name: str, source: str) -> Iterator[Record]:
    """Yield the sentences of a file that have numbers; all else, such as cells that swallowed rows, is left out."""
    space = catalog.load("plutchik-8")
    found = 0
    for number, cells in enumerate(csv.reader(io.StringIO(text_of(path), newline=""), delimiter="\t"), 1):
        if len(cells) != 2 or "\n" in cells[0] or not cells[0].strip() or not _LABELS.fullmatch(cells[1].strip()):
            continue
        found += 1
        chosen = {EMOTIONS[int(digit) - 1] for digit in re.findall(r"\d", cells[1])}
        values = [float(axis.name in chosen) for axis in space.axes]
        yield post(f"{part}-{name}-{number}", cells[0], [said_of(cells[0], space, values, source)], _language(part))
    if not found:
        raise ValueError("no line has a sentence, a tab and numbers from 1 to 8")


def _language(part: str) -> str:
    return LANGUAGES.get(part, part)


def _fake(folder: Path) -> None:
    (folder / "AnnotatedData").mkdir()
    (folder / "Projections").mkdir()
    films = {"en": "", "fi": "\t2\t428\tfi/1965/59037/7041403.xml.gz"}
    for part, film in films.items():
        _write(folder / f"AnnotatedData/{part}-annotated.tsv", '* So get up !\t1\nK\u00e4\u00e4nny, "nyt" .\t8, 1, 4\n')
        _write(folder / f"AnnotatedData/neu_{part}.txt", f"9\tThree fifty.{film}\n9\tMr. Howard sir.{film}\n")
    codes = (
        "ar bg br bs cn cs da de el en es et eu fa fi fr gl he hr hu id is it ja mk ml ms nl no pl pt ro ru sk sl sr"
    )
    for code in [*codes.split(), "sv", "th", "tw", "vi", "zh"]:
        swallowed = '"Cut\nen/1990/1.xml.gz\tbg/1990/2.xml.gz\t288\t263\tA.\tB.\nit."""\t6, 7'
        lines = f'"He said ""hm""."\t1\r\n\u042f \u0442\u0435\u0431\u044f .\t5, 8\r\n{swallowed}\r\n'
        _write(folder / f"Projections/{code}-projections.tsv", lines)
    _write(folder / "Projections/tr-projections2.tsv", "phrase\temotion\r\nHadi.\t6, 2, 1\r\n")


def _write(path: Path, text: str) -> None:
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode()))
