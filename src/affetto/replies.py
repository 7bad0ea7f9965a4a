"""An index of replies from talks that its maker has a right to: corpora that Affetto may not ship, or files of talks.

Ties corpora, media, spaces and generate together. What is chosen from it is found in `affetto.answers`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from affetto import talks
from affetto.core import catalog
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.generate import bank
from affetto.spaces.bridges import translate

MATCHER = "dialogue.reply"
LEAST = 0.5
"""Share that a feeling must have of what a talk is about."""
TROUBLES = {
    "anxiety": ("fear",), "fear": ("fear",), "nervousness": ("fear",), "depression": ("sadness",), "pain": ("sadness",),
    "sadness": ("sadness",), "shame": ("sadness",), "guilt": ("sadness",), "anger": ("anger",), "jealousy": ("anger",),
    "disgust": ("disgust",),
}  # fmt: skip
"""The emotions of ESConv in the labels of `ekman-7`, by the same groups as empathetic-32."""


def gather(
    sources: Sequence[str], out: str | Path, split: str = "train", most: int = 0, folder: str | None = None
) -> int:
    """Make an index of replies; return how many there are.

    Args:
        sources: corpora of talks, such as `empatheticdialogues` and `esconv`, by their cards, or files of talks.
        out: the file to make (.npz).
        split: of each corpus.
        most: replies of each source, at most; 0: all.
        folder: where a corpus lies; by default its place below AFFETTO_DATA.

    Raises:
        CatalogError: no source is named, or there is no reply in any.
        UnknownNameError: one is neither a file nor the card of a corpus.
    """
    matcher = catalog.load(MATCHER)
    made = None
    for name in sources:
        records: Iterable[Record]
        if Path(name).is_file():
            records, title, licence = talks.read(name), Path(name).name, "as the talks'"
        else:
            corpus = catalog.load(catalog.find(name, "dataset").id)
            records = corpus.read(split, folder=corpus.folder(folder))
            title, licence = corpus.card.title.split(":")[0], corpus.card.licence
        part = bank.gathered(records, matcher, title, licence, about, most)
        made = part if made is None else bank.joined(made, part)
    if made is None or not len(made):
        raise CatalogError("there is no reply to gather; name empatheticdialogues, esconv, or a file of talks")
    made.save(Path(out))
    return len(made)


def about(record: Record) -> tuple[str, ...]:
    """Return what a talk is about in the labels of `ekman-7`, by what its speaker said that he felt."""
    names: list[str] = []
    for track in record.tracks:
        if track.space.id == "empathetic-32" and track.perspective == "felt":
            shares = translate(track, "ekman-7")
            names += [axis for axis, share in zip(shares.space.names, shares.values[0], strict=True) if share >= LEAST]
        elif track.space.id == "esconv-11" and (axis := track.top(0)) is not None:
            names += TROUBLES.get(axis.name, ())
    return tuple(dict.fromkeys(name for name in names if name in bank.FEELINGS))
