"""The gap between who writes and who reads: by hand, on planted expressions, and on real corpora."""

import math
import os
from pathlib import Path

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.study.gap import GapOptions, expressions_of, gaps, typical

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SPACE = Space("strength", "graded", (Axis("anger", low=0, high=3),))


def _record(i: int, text: str, writer: float, *readers: float) -> Record:
    said = [Track(SPACE, [0], [len(text)], [[writer]], unit="char", perspective="felt", source="writer")]
    said += [
        Track(SPACE, [0], [len(text)], [[r]], unit="char", perspective="perceived", source=f"rater:{k}")
        for k, r in enumerate(readers)
    ]
    return Record(str(i), (Text(text),), tracks=tuple(said))


TWELVE = [(3, 0), (3, 1), (3, 2), (3, 3), (2, 0), (2, 1), (1, 0), (1, 1), (0, 0), (0, 0), (0, 1), (0, 3)]


def test_twelve_rows_by_hand() -> None:
    (gap,) = gaps([_record(i, "x", w, r) for i, (w, r) in enumerate(TWELVE)], SPACE)
    assert gap.n == 12
    assert gap.writer == pytest.approx(18 / 12) and gap.reader == pytest.approx(12 / 12)
    assert gap.above == pytest.approx(6 / 12)  # by 3, 2, 1, 2, 1, 1: at least .75
    assert gap.below == pytest.approx(2 / 12)
    assert gap.hidden == pytest.approx(4 / 6)  # of six strong writers, four are weak to the reader
    stricter = GapOptions(high=1.0)
    assert gaps([_record(i, "x", w, r) for i, (w, r) in enumerate(TWELVE)], SPACE, stricter)[0].hidden == 2 / 4


def test_several_readers_are_averaged() -> None:
    (gap,) = gaps([_record(0, "x", 3, 0, 0, 3), _record(1, "y", 0, 0, 0, 0)], SPACE)
    assert gap.reader == pytest.approx(0.5)


def test_planted_expressions_are_found() -> None:
    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(300)]
    records = []
    for i in range(600):
        hidden = i % 6 == 0
        said = [str(words[k]) for k in rng.integers(0, 300, 8)]
        if hidden or rng.random() < 0.02:
            said.insert(3, ["no worries", "never mind", "as you like"][i % 3])
        records.append(_record(i, " ".join(said), 3 if hidden else 0, 0))
    (gap,) = gaps(records, SPACE)
    found = [e.words for e in gap.expressions]
    assert {"no worries", "never mind", "as you like"} & set(found[:9])
    assert gap.expressions[0].z > 3 and gap.expressions[0].inside > gap.expressions[0].outside


def test_the_log_odds_are_those_of_the_formula() -> None:
    texts = [{"a", "b"}, {"a"}, {"b"}, {"b", "c"}]
    options = GapOptions(prior=4)
    best = typical(texts, np.array([True, True, False, False]), options)[0]
    p = 4 * 2 / 6
    odds = math.log((2 + p) / (3 + 4 - 2 - p)) - math.log((0 + p) / (3 + 4 - 0 - p))
    assert best.words == "a" and best.z == pytest.approx(odds / math.sqrt(1 / (2 + p) + 1 / p), abs=1e-9)


def test_words_without_spaces_are_cut_by_characters() -> None:
    assert "大丈夫" in expressions_of("もう大丈夫です", 2)
    assert "שלום עולם" in expressions_of("שלום עולם", 2)


def test_records_with_one_side_only_say_what_is_missing() -> None:
    record = _record(0, "x", 1)
    with pytest.raises(MalformedError, match="one of the writer"):
        gaps([record], SPACE)


@pytest.mark.corpus
@pytest.mark.parametrize(("id", "split", "space"), [("emobank", "test", "vad"), ("wrime", "test", None)])
def test_real_corpora_have_gaps(id: str, split: str, space: str | None) -> None:
    corpus = catalog.load(id)
    folder = DATA / corpus.card.facts["folder"]
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    found = gaps(corpus.read(split, folder=folder), catalog.load(space or corpus.card.spaces[0]))
    assert all(gap.n >= 900 for gap in found)
    assert any(gap.expressions for gap in found)
