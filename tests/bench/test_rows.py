"""Each row of the truth meets what was said of the same place, in the nearest of a system's spaces."""

import numpy as np
import pytest

from affetto.bench import rows as aligned
from affetto.bench.protocol import Benchmark, fold_of, load, newest
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.track import Track

EKMAN = catalog.load("ekman-7")
GO = catalog.load("goemotions-28")


def _benchmark(**facts: object) -> Benchmark:
    said = {"corpus": "c", "split": "test", "truth": "ekman-7", "space": "ekman-7", "metrics": ["accuracy"]} | facts
    return load(Card("b.v1", "benchmark", "1", "B", facts=said))


def _one(label: str, start: float = 0, end: float = 4, **what: object) -> Track:
    space = what.pop("space", EKMAN)
    row = [[float(name == label) for name in space.names]]
    return Track(space, [start], [end], row, **({"unit": "char", "subject": "writer"} | what))


def test_rows_of_turns_meet_by_their_span() -> None:
    truth = [_one("joy", 0, 1, unit="turn", subject="anna"), _one("anger", 1, 2, unit="turn", subject="bert")]
    record = Record("d", turns=(Turn("anna", None, "hey"), Turn("bert", None, "no")), tracks=tuple(truth))
    rows = aligned.truth_rows(_benchmark(), [record])
    said = aligned.said_rows(_benchmark(), rows, [tuple(reversed(truth))])
    assert np.array_equal(said.values, rows.values) and said.way == ""


def test_a_row_over_several_turns_gets_the_mean_of_its_speaker() -> None:
    truth = _one("joy", 0, 3, unit="turn", subject="anna")
    answers = (
        _one("joy", 0, 1, unit="turn", subject="anna"),
        _one("fear", 1, 2, unit="turn", subject="bert"),
        _one("sadness", 2, 3, unit="turn", subject="anna"),
    )
    rows = aligned.truth_rows(_benchmark(), [Record("d", tracks=(truth,))])
    values = aligned.said_rows(_benchmark(), rows, [answers]).values[0]
    assert values[EKMAN.index("joy")] == values[EKMAN.index("sadness")] == 0.5 and values[EKMAN.index("fear")] == 0


def test_the_answer_in_the_space_and_perspective_is_taken_before_others() -> None:
    mine = _one("anger")
    others = (_one("joy", perspective="evoked", subject="reader"), _one("joy", space=GO), mine)
    rows = aligned.truth_rows(_benchmark(), [Record("1", (Text("grrr"),), tracks=(mine,))])
    said = aligned.said_rows(_benchmark(), rows, [others])
    assert said.perspective == "expressed" and said.values[0, EKMAN.index("anger")] == 1


def test_an_answer_in_another_space_goes_over_the_bridge_and_says_which() -> None:
    rows = aligned.truth_rows(_benchmark(), [Record("1", tracks=(_one("anger"),))])
    said = aligned.said_rows(_benchmark(), rows, [(_one("annoyance", space=GO),)])
    assert said.way == "goemotions-28--ekman-7"
    assert aligned.carried(said.space, said.values, "ekman-7")[0].argmax() == EKMAN.index("anger")


def test_where_no_bridge_leads_that_is_said() -> None:
    polarity = Track(catalog.load("sentiment-3"), [0], [4], [[1, 0, 0]], unit="char")
    rows = aligned.truth_rows(_benchmark(), [Record("1", tracks=(_one("anger"),))])
    assert aligned.said_rows(_benchmark(), rows, [(polarity,)]).way == "none"


def test_nothing_said_of_a_row_is_not_said() -> None:
    rows = aligned.truth_rows(_benchmark(), [Record("1", tracks=(_one("joy"),)), Record("2", tracks=(_one("fear"),))])
    said = aligned.said_rows(_benchmark(), rows, [(_one("joy"),), ()])
    assert np.isnan(said.values[1]).all()


def test_single_raters_and_silver_labels_are_no_truth() -> None:
    tracks = (_one("joy", source="rater:1"), _one("fear", source="silver:model"), _one("anger", source="raters"))
    rows = aligned.truth_rows(_benchmark(), [Record("1", tracks=tracks)])
    assert len(rows) == 1 and rows.values[0, EKMAN.index("anger")] == 1


def test_a_split_without_labels_says_so() -> None:
    with pytest.raises(MalformedError, match="has no row labelled in ekman-7 as expressed"):
        aligned.truth_rows(_benchmark(), [Record("1", (Text("x"),))])


def test_predictions_without_any_answer_say_so() -> None:
    rows = aligned.truth_rows(_benchmark(), [Record("1", tracks=(_one("joy"),))])
    with pytest.raises(MalformedError, match="hold no answer at all"):
        aligned.said_rows(_benchmark(), rows, [()])


def test_a_system_sees_neither_tracks_nor_meta() -> None:
    (seen,) = aligned.blind([Record("1", (Text("x"),), tracks=(_one("joy"),), meta={"label": "joy"})])
    assert seen.tracks == () and seen.meta == {} and seen.text == "x"


def test_names_mean_the_newest_version() -> None:
    assert newest("a", ["a.v1", "a.v10", "a.v9", "a-b.v11"]) == "a.v10"
    assert newest("a.v1", ["a.v1", "a.v2"]) == "a.v1"
    assert newest("b", ["a.v1"]) == "b"


def test_folds_keep_groups_whole_and_are_even_enough() -> None:
    folds = [fold_of(str(i), 5, 20) for i in range(5000)]
    assert set(folds) == set(range(5)) and min(map(folds.count, range(5))) > 900
    assert _benchmark(folds=5).fold_of(Record("1", meta={"fold": 3}), 1) == 3
