"""Words fall into the published groups, and the scores are those worked out by hand and those published."""

import csv
import json
import os
import re
import zipfile
from fractions import Fraction
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, UnknownNameError, UnreadableError
from affetto.metrics import openset

GOLDEN = json.loads((Path(__file__).parent / "golden" / "openset.json").read_text("utf-8"))
DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
PUBLISHED = DATA / "text" / "lexicons" / "mer_emotion_wheel"


def exactly(text):
    return pytest.approx(float(Fraction(text)), abs=1e-9)


def book(path, rows, shared=True, doctype=""):
    """Write a workbook of one sheet: its words in a table of strings, or in the cells themselves."""
    words, lines = [], []
    for y, row in enumerate(rows, 1):
        cells = ""
        for x, word in enumerate(row):
            place = f"{chr(ord('A') + x)}{y}"
            if not word:
                cells += f'<c r="{place}"/>'
            elif shared:
                cells += f'<c r="{place}" t="s"><v>{len(words)}</v></c>'
                words.append(word)
            else:
                cells += f'<c r="{place}" t="inlineStr"><is><t>{escape(word)}</t></is></c>'
        lines.append(f'<row r="{y}">{cells}</row>')
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "xl/worksheets/sheet1.xml",
            f"{doctype}<worksheet {space}><sheetData>{''.join(lines)}</sheetData></worksheet>",
        )
        if shared:
            items = [f"<si><t>{escape(word)}</t><rPh><t>not this</t></rPh></si>" for word in words]
            file.writestr("xl/sharedStrings.xml", f"<sst {space}>{''.join(items)}</sst>")


def sheet(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def folder(path, plain=False):
    tables = GOLDEN["tables"]
    sheet(path / "format.csv", [["name", "format"], *tables["forms"]])
    words = list(tables["synonyms"].items())
    halves = [
        ["word_run1", "synonym_run1", "word_run2", "synonym_run2"],
        *([*one, *two] for one, two in zip(words, reversed(words), strict=True)),
    ]
    write = (lambda p, rows: sheet(p.with_suffix(".csv"), rows)) if plain else book
    write(path / "synonym.xlsx", halves)
    for shared, (name, rows) in enumerate(tables["wheels"].items()):
        whole = [["level1", "level2", "level3"], *rows]
        if plain:
            write(path / f"{name}.xlsx", whole)
        else:
            book(path / f"{name}.xlsx", whole, shared=bool(shared))
    return path


@pytest.fixture
def wheels(tmp_path):
    return openset.load_wheels(folder(tmp_path))


def test_a_folder_of_csv_is_the_same_tables(wheels, tmp_path):
    (tmp_path / "plain").mkdir()
    assert openset.load_wheels(folder(tmp_path / "plain", plain=True)) == wheels
    assert wheels.wheels["wheel1"][1] == ("glad", "merry", "cheery")


def test_words_find_their_groups(wheels):
    assert (wheels.form(" GLOOM "), wheels.synonym("gloom")) == ("gloomy", "blue")
    assert [wheels.group("glad", "wheel1", level) for level in (1, 2)] == ["glad", "calm"]
    assert wheels.group("gloom", "wheel1", 2) == "blue"
    assert wheels.group("gladly", "wheel2") is None
    assert wheels.form("zorp") is wheels.synonym("zorp") is wheels.group("zorp", "wheel1") is None
    with pytest.raises(UnknownNameError, match="wheel1, wheel2"):
        wheels.group("glad", "wheel9")
    with pytest.raises(UnknownNameError, match="known: 1, 2"):
        wheels.group("glad", "wheel1", 3)


def test_a_word_in_two_places_keeps_the_last_and_a_form_the_first_base():
    rows = (("up", "high", "odd"), ("down", "deep", "odd"))
    tables = openset.Wheels({"odder": ("odd", "even"), "odd": ("odd",)}, {}, {"one": rows})
    assert (tables.form("odder"), tables.group("odder", "one"), tables.group("odd", "one", 2)) == (
        "even",
        "down",
        "deep",
    )


@pytest.mark.parametrize("name", GOLDEN["expected"])
def test_golden(wheels, name):
    scores = openset.evaluate(GOLDEN["truth"], GOLDEN["estimate"], wheels)
    for part, value in zip(("precision", "recall", "f1", "n"), GOLDEN["expected"][name], strict=True):
        assert scores[f"{name}_{part}"] == exactly(value), part


def test_golden_rates_and_hits(wheels):
    scores = openset.evaluate(GOLDEN["truth"], GOLDEN["estimate"], wheels)
    assert {name: scores[name] for name in GOLDEN["also"]} == {name: exactly(v) for name, v in GOLDEN["also"].items()}
    assert np.isnan(scores["hit_rate"])
    hits = GOLDEN["hits"]
    scores = openset.evaluate([[word] for word in hits["truth"]], hits["estimate"], wheels)
    for name in ("hit_rate", "hit_precision"):
        assert scores[name] == exactly(hits[name])
        assert getattr(openset, name)(hits["truth"], hits["estimate"], wheels) == scores[name]


def test_the_last_word_on_made_up_words(wheels):
    truth, honest, padded = [["gloom"]], [["blue"]], [["blue", "zorp", "blorp", "quux"]]
    assert openset.wheel_overlap(truth, padded, wheels)[:3] == openset.wheel_overlap(truth, honest, wheels)[:3]
    strict = [openset.wheel_overlap(truth, said, wheels, strict=True).precision for said in (honest, padded)]
    assert strict[1] < strict[0]
    assert openset.wheel_overlap([["zorp"]], [["ZORP"]], wheels, strict=True).f1 == 1


def test_a_wheel_that_counts_no_sample_is_left_out(wheels):
    assert openset.wheel_overlap([["furious"]], [["furiously"]], wheels) == (1, 1, 1, 1)
    assert openset.hit_rate(["furious"], [["furiously"]], wheels) == 1


def test_nothing_to_score_is_nan(wheels):
    assert np.isnan(openset.wheel_overlap([["zorp"]], [["glad"]], wheels).f1)
    assert openset.word_overlap([[]], [["glad"]], wheels, strict=True).n == 0
    assert np.isnan(openset.hit_rate(["zorp"], [["glad"]], wheels))
    assert openset.overlap([{"a"}], [set()]) == (0, 0, 0, 1)
    scores = openset.evaluate([["", " "]], [[]], wheels)
    assert np.isnan(scores["unknown_truth"]) and scores["words_truth"] == 0


@pytest.mark.parametrize(
    ("truth", "estimate"),
    [
        ([], []),
        ([["glad"]], []),
        (["glad"], [["glad"]]),
        ([["glad"]], [[1]]),
        ([["glad"]], [None]),
        ("glad", "glad"),
        ([float("nan")], [["glad"]]),
    ],
)
def test_what_is_no_words_is_refused(wheels, truth, estimate):
    with pytest.raises(MalformedError, match=r"wants? "):
        openset.evaluate(truth, estimate, wheels)
    with pytest.raises(MalformedError):
        openset.hit_rate([1], [["glad"]], wheels)


def test_tables_that_are_none_are_refused(tmp_path):
    with pytest.raises(UnreadableError, match=r"format.csv' is missing"):
        openset.load_wheels(tmp_path)
    folder(tmp_path)
    book(tmp_path / "wheel1.xlsx", [["level1", "level2"], ["a", "b"]])
    with pytest.raises(UnreadableError, match="lacks the column 'level3'"):
        openset.load_wheels(tmp_path)
    book(tmp_path / "wheel1.xlsx", [["level1"]], doctype="<!DOCTYPE a>")
    with pytest.raises(UnreadableError, match="not the plain UTF-8"):
        openset.load_wheels(tmp_path)
    (tmp_path / "wheel1.xlsx").write_bytes(b"PK no book")
    with pytest.raises(UnreadableError, match="cannot be read as a table"):
        openset.load_wheels(tmp_path)
    for path in tmp_path.glob("wheel*"):
        path.unlink()
    with pytest.raises(UnreadableError, match=r"holds no wheel1\.xlsx"):
        openset.load_wheels(tmp_path)
    with pytest.raises(MalformedError, match="at least one wheel"):
        openset.Wheels({}, {}, {})


SOME = st.lists(
    st.lists(st.sampled_from(["jollier", "gloom", "furious", "glad", "quiet", "zorp", "blorp"]), min_size=1), min_size=1
)
TABLES = openset.Wheels(
    {word: (word,) for word in ("jollier", "gloom", "furious", "glad", "quiet")},
    {},
    {"one": (("a", "jollier", "gloom"), ("b", "furious", "glad")), "two": (("a", "glad", "quiet"),)},
)


@given(SOME)
def test_what_is_said_as_it_is_true_is_right(truth):
    for strict in (False, True):
        score = openset.wheel_overlap(truth, truth, TABLES, strict=strict)
        assert np.isnan(score.f1) or score[:3] == (1, 1, 1)
    assert score.n == len(truth)


@settings(max_examples=30)
@given(SOME, SOME)
def test_strict_counts_every_sample_and_order_does_not_matter(truth, estimate):
    n = min(len(truth), len(estimate))
    truth, estimate = truth[:n], estimate[:n]
    score = openset.word_overlap(truth, estimate, TABLES, "synonym", strict=True)
    again = openset.word_overlap(
        truth[::-1], [words[::-1] * 2 for words in estimate[::-1]], TABLES, "synonym", strict=True
    )
    assert score.n == n and 0 <= score.f1 <= 1
    assert score == pytest.approx(again)


@pytest.mark.corpus
@pytest.mark.skipif(not PUBLISHED.exists(), reason="the wheel tables are not here")
def test_the_published_tables_are_read_whole():
    tables = openset.load_wheels(PUBLISHED, forms="format_mer2025.csv")
    assert (len(tables.forms), len(tables.synonyms)) == (7386, 1255)
    assert {base for bases in tables.forms.values() for base in bases} == set(tables.synonyms)
    assert [len(rows) for rows in tables.wheels.values()] == [72, 82, 36, 48, 36]
    assert all(cell and cell == cell.strip().lower() for rows in tables.wheels.values() for row in rows for cell in row)


@pytest.mark.corpus
@pytest.mark.skipif(not (PUBLISHED / "check-openset.csv").exists(), reason="the 332 published label pairs are not here")
def test_the_published_score_of_332_label_pairs():
    sides = []
    for name in ("check-openset.csv", "predict-openset.csv"):
        with (PUBLISHED / name).open(encoding="utf-8", newline="") as file:
            rows = {row["name"]: row["openset"] for row in csv.DictReader(file)}
        sides.append({key: [w for w in re.split(r"['\",\[\]]", words) if w.strip()] for key, words in rows.items()})
    truth = list(sides[0].values())
    estimate = [sides[1][key] for key in sides[0]]
    scores = openset.evaluate(truth, estimate, openset.load_wheels(PUBLISHED, forms="format_mer2025.csv"))
    published = {
        "level1_f1": 0.5537,
        "level1_precision": 0.5594,
        "level1_recall": 0.5485,
        "level2_f1": 0.4245,
        "case1_f1": 0.2912,
        "case2_f1": 0.3280,
    }
    assert len(truth) == 332
    assert {name: round(scores[name], 4) for name in published} == published
