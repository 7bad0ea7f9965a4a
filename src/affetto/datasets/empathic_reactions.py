"""Empathic Reactions: what people wrote after reading bad news, with the concern and distress they said they felt."""

from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, post, said_of, table_of


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("empathy-2")
    for row in table_of(split.files[0]):
        values = [float(row["empathy"]), float(row["distress"])]
        track = said_of(row["essay"], space, values, "writer", perspective="felt")
        yield post(row["message_id"], row["essay"], [track], "en", speaker=row["response_id"], group=row["article_id"])


def _fake(folder: Path) -> None:
    lines = ["message_id,response_id,article_id,empathy,distress,empathy_bin,distress_bin,essay"]
    lines += [
        f'R_{i // 5}_{i},R_{i // 5},{i},{1 + i / 2:.3f},{7 - i / 2:.3f},{int(i > 2)},1,"Poor boy \u2019, ""no"" {i}"'
        for i in range(6)
    ]
    (folder / "messages.csv").write_text("\n".join(lines) + "\n", "utf-8")
