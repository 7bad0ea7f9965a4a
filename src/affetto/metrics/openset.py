"""How well free emotion words meet free emotion words, once words of one feeling are put into one group.

Knows the emotion-wheel (EW) set metrics and the hit rate of MER-UniBench as they are published (AffectGPT, Lian et al.
2025, arXiv 2501.16566; rules and tables of `zeroQiaoba/MERTools`), and beside them a strict variant of ours. The tables
are not part of Affetto: `load_wheels` reads them from a folder.

- Words are stripped and lower-cased. Three ways to put words into groups: `form` (case 1 of the paper: a surface form
  becomes its base word), `synonym` (case 2: the base word becomes the first word of the wheels that it is a synonym of)
  and, per wheel, `wheel` (case 3: the first of all its wheel words that stands on that wheel gives its group: level 1
  the inner ring, level 2 the middle one). "First" is alphabetical throughout.
- A sample scores set precision |T & E| / |E| and recall |T & E| / |T| over groups. Both are averaged over samples and F
  is made of the two averages; then precision, recall and F are averaged over the wheels. Level 1 is the headline.
- Published: words outside the tables (or off the wheel) are dropped on both sides, so made-up words cost nothing; a
  sample without truth groups is skipped, one without estimated groups scores 0 and 0.
- Strict: such a word stays as a group of its own. Unknown estimates cost precision, unknown truths cost recall unless
  said in the same words, and a sample is skipped only if its truth has no words at all.
- 0/0 in F is 0. A wheel on which no sample counts is left out of the mean over wheels (the published code then has no
  score at all); a score over no samples is NaN.

Does not know how words are drawn out of a free text: use a rule or a temperature of 0, or the score is not repeatable.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree import ElementTree

import numpy as np

from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError

Level = Literal[1, 2]
Words = Sequence[Collection[str]]
"""One collection of words per sample."""
_LARGEST = 1 << 26
"""Bytes of one sheet."""
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True)
class Wheels:
    """The tables that put words into groups.

    Args:
        forms: surface form to its base words.
        synonyms: base word to the wheel words that it is a synonym of; one that is missing stands for itself.
        wheels: name of a wheel to its rows of inner, middle and outer word.

    Raises:
        MalformedError: there is no wheel, or one without rows.

    >>> tables = Wheels({"joyful": ("joy",)}, {}, {"one": (("glad", "joy", "amused"),)})
    >>> tables.group("Joyful", "one"), tables.group("joyful", "one", level=2), tables.group("zest", "one")
    ('glad', 'joy', None)
    """

    forms: Mapping[str, Collection[str]]
    synonyms: Mapping[str, Collection[str]]
    wheels: Mapping[str, Sequence[tuple[str, str, str]]]
    _places: Mapping[tuple[str, int], Mapping[str, str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the group of every word of every wheel."""
        if not self.wheels or not all(self.wheels.values()):
            raise MalformedError("Wheels want at least one wheel, each with rows of inner, middle and outer word")
        places = {(name, level): _places(rows, level) for name, rows in self.wheels.items() for level in (1, 2)}
        object.__setattr__(self, "_places", places)

    def form(self, word: str) -> str | None:
        """Return the base word of a surface form (case 1), None where the tables do not know it."""
        return min(self.forms.get(_clean(word), ()), default=None)

    def synonym(self, word: str) -> str | None:
        """Return the wheel word that a surface form goes to whatever the wheel (case 2), None where unknown."""
        base = self.form(word)
        return None if base is None else min(self.synonyms.get(base, (base,)))

    def group(self, word: str, wheel: str, level: Level = 1) -> str | None:
        """Return the group of a surface form on a wheel (case 3), None where unknown or not on that wheel.

        Raises:
            UnknownNameError: there is no such wheel or level; names those there are.
        """
        if wheel not in self.wheels:
            raise UnknownNameError("wheel", wheel, self.wheels)
        if level not in (1, 2):
            raise UnknownNameError("level of a wheel", str(level), ("1", "2"))
        place = self._places[wheel, level]
        bases = self.forms.get(_clean(word), ())
        terms = sorted({term for base in bases for term in self.synonyms.get(base, (base,))})
        return next((place[term] for term in terms if term in place), None)


class Overlap(NamedTuple):
    """Set precision, recall and F, each 0..1, and the number of samples counted (its mean over wheels)."""

    precision: float
    recall: float
    f1: float
    n: float


def load_wheels(folder: str | Path, forms: str = "format.csv") -> Wheels:
    """Read the published tables: `forms`, `synonym.xlsx` and every `wheel*.xlsx` of a folder.

    Each sheet may be a .csv of the same columns instead: `name, format` (comma-separated forms); `word_run1,
    synonym_run1, word_run2, ...`; `level1, level2, level3` (an empty cell repeats the one above). Of the two lists of
    forms published, the challenge of 2025 (and AffectGPT) has `format_mer2025.csv`, that of 2026 `format.csv`.

    Raises:
        UnreadableError: a table is missing, or is none; says which.
    """
    folder = Path(folder)
    surface: dict[str, set[str]] = {}
    for row in _rows(folder / forms, "name", "format"):
        base = _clean(row["name"])
        for form in (*_split(row["format"]), base):
            surface.setdefault(form, set()).add(base)
    synonyms: dict[str, set[str]] = {}
    for row in _rows(_sheet(folder, "synonym"), "word_run1", "synonym_run1"):
        for column in (name for name in row if name.startswith("word_run")):
            if target := _clean(row[column]):
                for word in (target, *_split(row.get(column.replace("word", "synonym"), ""))):
                    synonyms.setdefault(word, set()).add(target)
    stems = sorted({path.stem for path in folder.glob("wheel*") if path.suffix in (".xlsx", ".csv")})
    if not stems:
        raise UnreadableError(f"{str(folder)!r} holds no wheel1.xlsx; name the folder of the wheel tables")
    return Wheels(
        {form: tuple(sorted(bases)) for form, bases in surface.items()},
        {word: tuple(sorted(targets)) for word, targets in synonyms.items()},
        {stem: _triples(_sheet(folder, stem)) for stem in stems},
    )


def overlap(truth: Sequence[AbstractSet[str]], estimate: Sequence[AbstractSet[str]]) -> Overlap:
    """Return set precision, recall and F of groups: (1/n) sum |T & E| / |E|, (1/n) sum |T & E| / |T|, 2PR / (P + R).

    Samples with an empty T are skipped, an empty E scores 0 and 0 (Lian et al. 2025, arXiv 2501.16566). n samples each.

    Raises:
        MalformedError: the two are not of one length.

    >>> overlap([{"glad", "low"}, {"mad"}], [{"glad"}, set()])
    Overlap(precision=0.5, recall=0.25, f1=0.3333333333333333, n=2)
    """
    _same_length(truth, estimate)
    rows = [(len(t & e) / max(1, len(e)), len(t & e) / len(t)) for t, e in zip(truth, estimate, strict=True) if t]
    if not rows:
        return Overlap(np.nan, np.nan, np.nan, 0)
    precision, recall = (float(mean) for mean in np.mean(rows, axis=0))
    total = precision + recall
    return Overlap(precision, recall, 2 * precision * recall / total if total else 0.0, len(rows))


def word_overlap(
    truth: Words, estimate: Words, wheels: Wheels, case: Literal["form", "synonym"] = "form", strict: bool = False
) -> Overlap:
    """Return `overlap` after case 1 (`form`) or case 2 (`synonym`) of the published mapping, no wheel involved.

    Raises:
        MalformedError: not one collection of words per sample on both sides.
    """
    place = wheels.form if case == "form" else wheels.synonym
    return overlap(*(_grouped(side, place, wheels, strict) for side in _checked(truth, estimate)))


def wheel_overlap(truth: Words, estimate: Words, wheels: Wheels, level: Level = 1, strict: bool = False) -> Overlap:
    """Return `overlap` after case 3, averaged over the wheels: the EW score; F is the mean of the wheels' F.

    Raises:
        MalformedError: not one collection of words per sample on both sides.
    """
    sides = _checked(truth, estimate)
    scores = []
    for name in wheels.wheels:
        place = partial(wheels.group, wheel=name, level=level)
        scores.append(overlap(*(_grouped(side, place, wheels, strict) for side in sides)))
    counted = [score for score in scores if score.n]
    return Overlap(*(float(mean) for mean in np.mean(counted, axis=0))) if counted else scores[0]


def hit_rate(truth: Sequence[str], estimate: Words, wheels: Wheels, level: Level = 1) -> float:
    """Return how often the group of the one true word is among the estimated groups, averaged over samples and wheels.

    Samples whose true word is not on a wheel are skipped there (HIT of MER-UniBench, Lian et al. 2025). Listing every
    word scores 1: read it beside `hit_precision`. 0..1.

    Raises:
        MalformedError: not one true word and one collection of words per sample.
    """
    return _hits(truth, estimate, wheels, level)[0]


def hit_precision(truth: Sequence[str], estimate: Words, wheels: Wheels, level: Level = 1) -> float:
    """Return the hit divided by the number of estimated groups that are a group of any true word of the whole set.

    0 where none is; averaged over samples and wheels as `hit_rate` is (same source). 0..1.

    Raises:
        MalformedError: not one true word and one collection of words per sample.
    """
    return _hits(truth, estimate, wheels, level)[1]


def evaluate(truth: Words, estimate: Words, wheels: Wheels) -> dict[str, float]:
    """Return every score, published and strict, with what is needed to judge them.

    Keys: `level1_`, `level2_`, `case1_`, `case2_` and the same after `strict_`, each with `precision`, `recall`, `f1`,
    `n`; `hit_rate`, `hit_precision` (NaN unless every sample has one true word); `unknown_truth`, `unknown_estimate`
    (share of words outside the table of forms), `words_truth`, `words_estimate` (different words per sample).

    Raises:
        MalformedError: not one collection of words per sample on both sides.
    """
    truth, estimate = _checked(truth, estimate)
    scores: dict[str, float] = {}
    for strict in (False, True):
        of = {
            "level1": wheel_overlap(truth, estimate, wheels, 1, strict),
            "level2": wheel_overlap(truth, estimate, wheels, 2, strict),
            "case1": word_overlap(truth, estimate, wheels, "form", strict),
            "case2": word_overlap(truth, estimate, wheels, "synonym", strict),
        }
        for name, score in of.items():
            prefix = f"strict_{name}" if strict else name
            scores |= {f"{prefix}_{part}": float(value) for part, value in score._asdict().items()}
    single = all(len(words) == 1 for words in truth)
    hits = _hits([word for words in truth for word in words], estimate, wheels, 1) if single else (np.nan, np.nan)
    scores["hit_rate"], scores["hit_precision"] = hits
    for name, side in (("truth", truth), ("estimate", estimate)):
        words = [word for sample in side for word in sample]
        unknown = sum(wheels.form(word) is None for word in words)
        scores[f"unknown_{name}"] = unknown / len(words) if words else np.nan
        scores[f"words_{name}"] = len(words) / len(side)
    return scores


def _hits(truth: Sequence[str], estimate: Words, wheels: Wheels, level: Level) -> tuple[float, float]:
    if not all(isinstance(word, str) for word in truth):
        raise MalformedError("a hit rate wants one true word, a str, per sample")
    _, estimate = _checked([[word] for word in truth], estimate)
    scores = []
    for name in wheels.wheels:
        asked = [wheels.group(word, name, level) for word in truth]
        known = {group for group in asked if group}
        rows = []
        for group, words in zip(asked, estimate, strict=True):
            said = {wheels.group(word, name, level) for word in words}
            if group:
                rows.append((group in said, (group in said) / max(1, len(said & known))))
        scores += [np.mean(rows, axis=0)] if rows else []
    rate, precision = np.mean(scores, axis=0) if scores else (np.nan, np.nan)
    return float(rate), float(precision)


def _grouped(side: Words, place: Callable[[str], str | None], wheels: Wheels, strict: bool) -> list[set[str]]:
    """Return the groups of each sample; in strict scores a word without one makes its own, behind a mark."""
    groups = []
    for words in side:
        found = {word: place(word) for word in words}
        own = {f"?{wheels.synonym(word) or word}" for word, group in found.items() if strict and not group}
        groups.append({group for group in found.values() if group} | own)
    return groups


def _checked(truth: Words, estimate: Words) -> tuple[Words, Words]:
    _same_length(truth, estimate)
    return _side("truth", truth), _side("estimate", estimate)


def _side(name: str, side: Words) -> Words:
    for place, words in enumerate(side):
        if isinstance(words, str) or not isinstance(words, Collection) or not all(isinstance(w, str) for w in words):
            raise MalformedError(f"{name}[{place}] wants a list of words, not {words!r}; split the answer first")
    return [tuple(dict.fromkeys(cleaned for word in words if (cleaned := _clean(word)))) for words in side]


def _same_length(truth: Sequence[object], estimate: Sequence[object]) -> None:
    if isinstance(truth, str) or isinstance(estimate, str) or not len(truth) or len(truth) != len(estimate):
        raise MalformedError(
            f"open words want one entry per sample on both sides, not {len(truth)} in truth and "
            f"{len(estimate)} in estimate"
        )


def _clean(word: str) -> str:
    return word.strip().lower()


def _split(words: str) -> list[str]:
    return [cleaned for word in words.split(",") if (cleaned := _clean(word))]


def _places(rows: Sequence[tuple[str, str, str]], level: int) -> dict[str, str]:
    """Return word to group; a word that stands in several places keeps the last, as in the published code."""
    rings: dict[str, dict[str, list[str]]] = {}
    for inner, middle, outer in rows:
        rings.setdefault(inner, {}).setdefault(middle, []).append(outer)
    places = {}
    for inner, middles in rings.items():
        places[inner] = inner if level == 1 else min(middles)
        for middle, outers in middles.items():
            places |= dict.fromkeys((middle, *outers), inner if level == 1 else middle)
    return places


def _triples(path: Path) -> tuple[tuple[str, str, str], ...]:
    triples, last = [], ("", "", "")
    for row in _rows(path, "level1", "level2", "level3"):
        inner, middle, outer = (_clean(row[f"level{k}"]) or last[k - 1] for k in (1, 2, 3))
        last = (inner, middle, outer)
        triples.append(last)
    return tuple(triples)


def _sheet(folder: Path, stem: str) -> Path:
    book = folder / f"{stem}.xlsx"
    return book if book.exists() else folder / f"{stem}.csv"


def _rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table under its header, every cell a str."""
    try:
        lines = _book(path) if path.suffix == ".xlsx" else _lines(path)
    except FileNotFoundError:
        raise UnreadableError(f"{str(path)!r} is missing; name the folder of the wheel tables") from None
    except (OSError, KeyError, IndexError, ValueError, zipfile.BadZipFile, ElementTree.ParseError, csv.Error) as error:
        raise UnreadableError(f"{str(path)!r} cannot be read as a table: {error}") from None
    header = [_clean(name) for name in lines[0]] if lines else []
    if missing := [column for column in columns if column not in header]:
        raise UnreadableError(f"{str(path)!r} lacks the column {missing[0]!r}; it wants {', '.join(columns)}")
    for line in lines[1:]:
        if any(cell.strip() for cell in line):
            yield dict(zip(header, [*line, *[""] * (len(header) - len(line))], strict=False))


def _lines(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def _book(path: Path) -> list[list[str]]:
    """Return the cells of the first sheet of a workbook, those that are empty as ""."""
    with zipfile.ZipFile(path) as book:
        sheet = min(name for name in book.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name))
        shared = "xl/sharedStrings.xml"
        strings = [_text(item) for item in _tree(book, shared)] if shared in book.namelist() else []
        lines = []
        for row in _tree(book, sheet).iter(f"{_SHEET}row"):
            cells: dict[int, str] = {}
            for place, cell in enumerate(row.iter(f"{_SHEET}c")):
                letters = re.match("[A-Z]{1,3}", cell.get("r", ""))
                value = cell.findtext(f"{_SHEET}v", "")
                inline = cell.find(f"{_SHEET}is")
                if inline is not None:
                    value = _text(inline)
                elif cell.get("t") == "s":
                    value = strings[int(value)]
                cells[_column(letters.group()) if letters else place] = value
            lines.append([cells.get(place, "") for place in range(max(cells, default=-1) + 1)])
    return lines


def _tree(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if book.getinfo(name).file_size > _LARGEST:
        raise ValueError(f"{name} is larger than {_LARGEST >> 20} MB")
    text = book.read(name)
    if b"<!DOCTYPE" in text or b"\0" in text:
        raise ValueError(f"{name} is not the plain UTF-8 of a workbook")
    return ElementTree.fromstring(text)  # noqa: S314


def _text(item: ElementTree.Element) -> str:
    """Return the words of a cell without the reading aids that stand beside them."""
    runs = [item, *item.findall(f"{_SHEET}r")]
    return "".join(run.findtext(f"{_SHEET}t", "") for run in runs)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
