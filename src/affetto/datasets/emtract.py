"""EmTract: 10,000 posts of investors on StockTwits, each with one of six emotions or neutral, tagged by hand.

The text is the post as it was written; `meta["cleaned"]` is what the makers made of it (tickers, numbers and users as
words). The makers publish no split. `meta["fold"]` is one of five folds, 0 to 4, by the post's place in the file: those
on which `text.finance-en` was measured (stratified by emotion, posts of equal words together, seed 20; see
recipes/text_finance_en.py). They stand in `emtract_folds.txt`, a digit a post.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MissingExtraError
from affetto.core.record import Record
from affetto.datasets.corpus import Corpus, Split, one_of, post, said_of

FOLDS = Path(__file__).with_name("emtract_folds.txt")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("stocktwits-7")
    folds = FOLDS.read_text("ascii").replace("\n", "")
    table = _arrow()[1].read_table(split.files[0]).to_pydict()
    columns = zip(table["label"], table["text"], table["body"], strict=True)
    for number, (label, cleaned, body) in enumerate(columns):
        if not 0 <= label < len(space.axes):
            raise ValueError(f"row {number}: labels are 0 to {len(space.axes) - 1}, not {label!r}")
        track = said_of(body, space, one_of(space, space.names[label]))
        yield post(str(number), body, [track], "en", cleaned=cleaned, fold=int(folds[number]))


def _arrow() -> tuple[Any, Any]:
    """Return pyarrow and its parquet."""
    try:
        import pyarrow as arrow  # noqa: PLC0415 - an extra, loaded where it is needed
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("the corpus emtract", "parquet") from None
    return arrow, parquet


def _fake(folder: Path) -> None:
    arrow, parquet = _arrow()
    posts = {
        "label": [0, 1, 4],
        "text": ["<ticker> lost a star", "to the moon rocketface", "<ticker> , again ?"],
        "body": ["$DAKT lost a star", "To the moon \N{ROCKET}", '$X, "again"?'],
    }
    parquet.write_table(arrow.table(posts), folder / "tagged_sample.parquet")
