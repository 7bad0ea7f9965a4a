"""Which columns of anybody's table say who, what, where, and in which part: known by their names, or told.

Knows names of columns and plain cells; reads no file and judges nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError
from affetto.datasets.naming import speakers
from affetto.datasets.sheets import Sheet, Words, bare, part_name

_PARTITIONS = """
split splits fold folds part parts set usage partition partitions subset cv cvfold kfold datasplit datasetsplit
splitname traintest trainvaltest traindevtest testfold
""".split()
_GROUPS = {
    "speaker": "speaker spk spkr actor actress contributor",
    "subject": "subject subj participant patient person user author writer student child infant identity",
    "dialogue": "dialogue dialog conversation conv thread",
    "session": "session ses recording rec",
    "film": "film movie",
    "video": "video vid youtube",
    "song": "song album piece",
    "artist": "artist singer composer painter band",
    "trial": "trial stimulus",
    "culture": "culture country nationality",
    "language": "language lang",
}
"""Kind of group -> its columns, where `id`, `no`, `name` and the like may stand at the end."""
_CONTENT = {
    "id": "id uid uuid key uttid utteranceid sampleid itemid rowid segmentid clipid postid commentid",
    "text": "text utterance sentence transcript transcription content tweet comment post message prompt",
    "file": "file filename filepath path wav wavfile audio audiofile audiopath image imagefile imagepath img media "
    "mediafile mediapath videofile videopath clip",
    "corpus": "corpus dataset database db",
}
_LABELS = """
label labels emotion emotions sentiment class classes target y v a d valence arousal dominance affect mood stress
emotionname emotionlabel emotionid emotioncode labelname labelid category categoryid categoryname
""".split()
_NAME = 60
"""Characters of a name, at most, on average."""
_TAIL = re.compile(r"(id|ids|no|nr|num|number|name|code|index|idx)$")


@dataclass(frozen=True, eq=False)
class Table:
    """Plain columns of n rows, by what they say; an empty cell is "not said".

    Raises:
        MalformedError: a column is longer or shorter than the others.
    """

    partitions: Mapping[str, Words]
    """Name of a split, or of a fold -> the part each row is in; an empty part is none."""
    ids: Words | None = None
    groups: Mapping[str, Words] = field(default_factory=dict)
    """`speaker`, `dialogue` ... -> whose row it is."""
    text: Words | None = None
    media: Words | None = None
    """Files, as the table names them."""
    features: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """Numbers from which a label might be read off; NaN where there is none."""
    labels: Mapping[str, Words] = field(default_factory=dict)
    corpus: Words | None = None
    """Of which corpus each row is: groups and ids of different corpora are different."""

    def __post_init__(self) -> None:
        """Refuse columns of unequal length."""
        columns: dict[str, Any] = {**self.partitions, **self.groups, **self.features, **self.labels}
        single = {"ids": self.ids, "text": self.text, "media": self.media, "corpus": self.corpus}
        columns |= {name: column for name, column in single.items() if column is not None}
        for name, column in columns.items():
            if len(column) != len(self):
                raise MalformedError(f"the column {name!r} has {len(column)} rows where others have {len(self)}")

    def __len__(self) -> int:
        """Return how many rows it has."""
        return len(next(iter(self.partitions.values()), self.ids or ()))

    def rows(self, chosen: Sequence[int]) -> "Table":
        """Return only the chosen rows; a split in which none of them has a part is left out."""

        def cut(column: Words) -> Words:
            return tuple(column[i] for i in chosen)

        parts = {name: cut(column) for name, column in self.partitions.items()}
        return Table(
            {name: column for name, column in parts.items() if any(column)},
            None if self.ids is None else cut(self.ids),
            {name: cut(column) for name, column in self.groups.items()},
            None if self.text is None else cut(self.text),
            None if self.media is None else cut(self.media),
            {name: column[list(chosen)] for name, column in self.features.items()},
            {name: cut(column) for name, column in self.labels.items()},
            None if self.corpus is None else cut(self.corpus),
        )


@dataclass(frozen=True)
class Names:
    """What the columns of a table are called, where their names do not say it."""

    split: tuple[str, ...] = ()
    """With the parts, or the numbers of the folds; each column is a split of its own."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """`speaker`, `dialogue` or another word of yours -> its column."""
    id: str = ""
    text: str = ""
    file: str = ""
    label: str = ""
    corpus: str = ""
    """Which corpus it is, where no column says so: the names of its files may then tell who speaks."""


def recognise(sheet: Sheet, names: Names | None = None) -> tuple[Table, dict[str, str]]:
    """Return a table by what its columns say, and, to be printed, what each column was taken for.

    Args:
        sheet: the cells.
        names: of columns that are called otherwise than most.

    Raises:
        UnreadableError: no column says in which part a row is; names the columns there are.
        UnknownNameError: a column is not there; names those that are.
    """
    told = names or Names()
    taken: dict[str, str] = {}

    def take(column: str, role: str) -> Words:
        if column not in sheet.columns:
            raise UnknownNameError(f"column of {sheet.name}", column, sheet.columns)
        taken[column] = role
        return sheet.columns[column]

    def find(names: Sequence[str], tail: re.Pattern[str] | None = None) -> str:
        for column in sheet.columns:
            bared = bare(column)
            if column not in taken and (bared in names or (tail and tail.sub("", bared) in names)):
                return column
        return ""

    split = told.split or _partition_columns(sheet)
    if not split:
        raise UnreadableError(
            f"which column of {sheet.name} says the part or fold of a row? Name it as split, one of: "
            f"{', '.join(sheet.columns)}"
        )
    partitions = {name: _parts(take(name, "part")) for name in split}
    groups = {kind: take(column, kind) for kind, column in told.groups.items()}
    said = {"id": told.id, "text": told.text, "file": told.file}
    content = {role: take(column, role) for role, column in said.items() if column}
    labels = {told.label: take(told.label, "label")} if told.label else {}
    for role, known in _CONTENT.items():
        if role not in content and (column := find(known.split())):
            content[role] = take(column, role)
    for kind, known in _GROUPS.items():
        if kind not in groups and (column := find(known.split(), _TAIL)):
            if not _is_prose(sheet.columns[column]):
                groups[kind] = take(column, kind)
            elif "text" not in content:
                content["text"] = take(column, "text")
    answers = [name for name in sheet.columns if name not in taken and bare(name) in _LABELS]
    labels = labels or {name: take(name, "label") for name in answers}
    rest = {name: sheet.columns[name] for name in sheet.columns if name not in taken and name not in answers}
    features = _numbers(rest) if labels else {}
    taken |= dict.fromkeys(features, "feature")
    corpus = content.get("corpus") or ((told.corpus,) * len(sheet) if told.corpus else None)
    heard = _speakers(content.get("file") or content.get("id"), corpus)
    if heard and "speaker" not in groups:
        groups["speaker"], taken["(the names of the files)"] = heard, "speaker"
    return Table(
        partitions, content.get("id"), groups, content.get("text"), content.get("file"), features, labels, corpus
    ), taken


def _is_prose(column: Words) -> bool:
    """Tell whether a column holds texts rather than names: a `dialog` may be either."""
    return sum(map(len, column)) > _NAME * len(column)


def _parts(column: Words) -> Words:
    known = {cell: part_name(cell) for cell in set(column)}
    return tuple(known[cell] for cell in column)


def _partition_columns(sheet: Sheet) -> tuple[str, ...]:
    def few(column: Words) -> bool:
        return len(set(column)) <= max(3, len(column) // 2)

    named = [name for name in sheet.columns if re.sub(r"\d+$", "", _TAIL.sub("", bare(name))) in _PARTITIONS]
    return tuple(name for name in named if few(sheet.columns[name]))


def _numbers(columns: Mapping[str, Words]) -> dict[str, npt.NDArray[np.float64]]:
    found = {}
    for name, cells in columns.items():
        said = [cell for cell in cells if cell]
        try:
            values = np.array([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            continue
        if said and len(set(said)) > 1:
            found[name] = np.where(np.isfinite(values), values, np.nan)
    return found


def _speakers(files: Words | None, corpus: Words | None) -> Words | None:
    """Return the speakers that the names of files tell, corpus by corpus; None where none of them does."""
    if files is None:
        return None
    of: dict[str, list[int]] = {}
    for i, name in enumerate(corpus or ("",) * len(files)):
        of.setdefault(name, []).append(i)
    said = [""] * len(files)
    for name, rows in of.items():
        for i, speaker in zip(rows, speakers([files[i] for i in rows], name) or [""] * len(rows), strict=True):
            said[i] = speaker
    return tuple(said) if any(said) else None
