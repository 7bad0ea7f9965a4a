"""EmoBank: English sentences rated twice, for what their writer shows and for what they stir in a reader.

Valence, arousal and dominance from 1 to 5 come as (x - 3) / 2 in -1..1. Of each side there is the mean that the makers
kept (source `raters`) and a Track a single rating, source `rater:1` to `rater:7`. That number is
a rating's place in the file and names no person: a sentence was rated by whoever took it. `meta["both"]` is the
published mean over both sides.
"""

import csv
import gzip
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.track import Perspective
from affetto.datasets.corpus import RATERS, Corpus, Split, post, said_of, table_of
from affetto.datasets.twins import ABOVE, held, twin

SIDES: tuple[tuple[str, Perspective], ...] = (("reader", "evoked"), ("writer", "expressed"))
Said = dict[str, list[tuple[str, list[float]]]]
"""Id to who said it and what, on -1..1."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    table, reader, writer, readers, writers, meta = split.files
    space = catalog.load("vad")
    rows = list(table_of(table))
    ids = {row["id"] for row in rows if row["split"] == split.name}
    said = {"reader": _said(reader, readers, ids), "writer": _said(writer, writers, ids)}
    about = {row["id"]: row for row in table_of(meta, "\t", quoted=False)}
    others = held({name: [r["text"] for r in rows if r["split"] == name] for name in ABOVE.get(split.name, ())})
    for row in rows:
        if row["id"] not in ids:
            continue
        tracks = [
            said_of(row["text"], space, values, source, subject=side, perspective=perspective)
            for side, perspective in SIDES
            for source, values in said[side].get(row["id"], ())
        ]
        where = about[row["id"]]
        kind = {"document": where["document"], "domain": where["category"]}
        if where["subcategory"].strip():
            kind["subdomain"] = where["subcategory"].strip()
        yield post(
            row["id"],
            row["text"],
            tracks,
            "en",
            both=[round(value, 4) for value in _scaled(row)],
            **kind,
            **twin(row["text"], others),
        )


def _said(means: Path, ratings: Path, ids: set[str]) -> Said:
    """Return of each of these ids the mean, and then the single ratings."""
    found: Said = defaultdict(list)
    for row in table_of(means):
        if row["id"] in ids:
            found[row["id"]].append((RATERS, _scaled(row)))
    place: Counter[str] = Counter()
    for row in table_of(ratings):
        if (id := row["id"]) in ids:
            place[id] += 1
            found[id].append((f"rater:{place[id]}", _scaled(row)))
    return found


def _scaled(row: Mapping[str, str]) -> list[float]:
    return [(float(row[axis]) - 3) / 2 for axis in "VAD"]


def _fake(folder: Path) -> None:
    texts = ['Remember what she said, "in my last letter"?', "P.S.", "Caf\u00e9 \N{HOT BEVERAGE}, anyone?"]
    ids = [f"{split}-doc_{i}_{i + 9}" for split in ("train", "dev", "test") for i in range(3)]
    whole = [(id, id.split("-")[0], "3.0", "2.8", "3.2", texts[i % 3]) for i, id in enumerate(ids)]
    _write(folder / "emobank.csv.gz", ("id", "split", "V", "A", "D", "text"), whole)
    for side in ("reader", "writer"):
        head = ("id", "V", "A", "D", "stdV", "stdA", "stdD", "N")
        _write(folder / f"{side}.csv.gz", head, [(id, "3.5", "2.5", "3.0", "0.5", "0.5", "0.0", "2") for id in ids])
        ratings = [(id, vote, "2", "3") for id in ids for vote in "34"]
        _write(folder / f"individual_{side}_ratings.csv.gz", ("id", "V", "A", "D"), ratings)
    places = ("id", "document", "category", "subcategory")
    _write(folder / "meta.tsv.gz", places, [(id, id[:-4], "letters", " ") for id in ids], "\t")


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str = ",") -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([head, *rows])
    path.write_bytes(gzip.compress(text.getvalue().encode()))
