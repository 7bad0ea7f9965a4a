"""How measured numbers are kept: the schema, the interval, and the tables that are made from them."""

import itertools
import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results, speed

HOME = Path(__file__).resolve().parents[2]
SCORE = {"value": 0.5, "low": 0.4, "high": 0.6}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return tmp_path


def test_a_result_says_what_made_it(kept):
    path = results.save("a-test", "a.model", 10, {"macro-F1": SCORE}, 7, {"posts/s": 1234.5678}, "by hand")
    plain = json.loads(path.read_text("utf-8"))
    assert path == kept / "a-test" / "a.model.json"
    assert plain == results.results("a-test")[0]
    assert (plain["n"], plain["seed"], plain["metrics"]) == (10, 7, {"macro-F1": SCORE})
    assert plain["speed"] == {"posts/s": 1234.57}
    assert "cores" in plain["machine"]
    assert len(plain["date"]) == len("2026-01-01")


def test_what_was_not_measured_is_null_and_never_nan(kept):
    path = results.save("a-test", "m", 1, {"r": {"value": math.nan, "low": None}}, None, {"x": math.inf}, "")
    plain = json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
    assert plain["metrics"] == {"r": {"value": None, "low": None, "high": None}}
    assert plain["speed"] == {"x": None}


def test_an_interval_holds_its_value_and_shrinks_with_n():
    few, many = (np.arange(n) % 4 == 0 for n in (40, 4000))
    wide = results.interval(lambda rows: few[rows].mean(), len(few), seed=1)
    narrow = results.interval(lambda rows: many[rows].mean(), len(many), seed=1)
    assert wide["value"] == narrow["value"] == 0.25
    assert wide["low"] < narrow["low"] < 0.25 < narrow["high"] < wide["high"]
    assert wide == results.interval(lambda rows: few[rows].mean(), len(few), seed=1)
    # the normal approximation of the standard error of a share
    assert narrow["high"] - narrow["low"] == pytest.approx(2 * 1.96 * (0.25 * 0.75 / 4000) ** 0.5, rel=0.15)


def test_rows_of_one_group_are_no_independent_witnesses():
    values = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0], 100)
    alone = results.interval(lambda rows: values[rows].mean(), 500, seed=1)
    grouped = results.interval(lambda rows: values[rows].mean(), 500, seed=1, groups=np.repeat(range(5), 100).tolist())
    assert alone["value"] == grouped["value"]
    assert grouped["high"] - grouped["low"] > 4 * (alone["high"] - alone["low"])


def test_the_posts_are_always_the_same_and_seldom_twice():
    first, second = (list(itertools.islice(speed.posts(), 2000)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 1500
    assert 8 < np.mean([len(post.split()) for post in first]) < 20


def test_tables_show_what_is_kept_and_nothing_else(kept, monkeypatch):
    tables = runpy.run_path(str(HOME / "scripts" / "tables"))["TABLES"]
    assert tables["scores"]() == tables["behaviour"]() == tables["speed"]() == "Not measured yet.\n"
    results.save("go", "m", 1234, {"macro-F1": SCORE, "a|b": {"value": 0.25}}, 7, {}, "")
    results.save("speed", "m", 10, {}, 7, {"posts/s": 1234.5}, "")
    assert tables["scores"]().splitlines()[2:] == [
        "| `m` | go | macro-F1 | 1,234 | 0.500 [0.400, 0.600] |",
        "| `m` | go | a\\|b | 1,234 | 0.250 |",
    ]
    assert tables["headlines"]().count("\n") == 3
    assert "| posts/s | 1,234 |" in tables["speed"]()
    assert "`fake`" in tables["models"]()
