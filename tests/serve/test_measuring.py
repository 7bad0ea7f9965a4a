"""The commands that measure: corpora, splits, published figures, gaps. Bad input gets one sentence and a code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affetto.core import catalog
from affetto.serve.cli import page

HOME = Path(__file__).resolve().parents[2]


def affetto(*words: str) -> Result:
    return CliRunner().invoke(page, list(words), prog_name="affetto")


def test_a_whole_folder_is_well_and_recognised_by_its_files(tmp_path: Path) -> None:
    catalog.load("goemotions").faker(tmp_path)
    done = affetto("data", "check", str(tmp_path))
    assert done.exit_code == 1  # a fake has not the official counts
    assert "count: train.tsv: train has 6 records, officially 43,410" in done.stdout
    assert done.stdout.endswith("goemotions: 3 oddities\n")


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    catalog.load("goemotions").faker(tmp_path)
    (tmp_path / "dev.tsv.gz").unlink()
    done = affetto("data", "check", str(tmp_path), "--json")
    odd = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"corpus": "goemotions", "kind": "missing", "file": "dev.tsv", "words": "needed for dev"} in odd


def test_a_folder_of_nothing_known_says_so(tmp_path: Path) -> None:
    done = affetto("data", "check", str(tmp_path))
    assert done.exit_code == 2 and "holds no file of a corpus that Affetto knows" in done.stderr
    assert affetto("data", "check", str(tmp_path / "none")).exit_code == 2


def test_statistics_count_records_words_and_labels(tmp_path: Path) -> None:
    catalog.load("goemotions").faker(tmp_path)
    found = json.loads(affetto("data", "stats", "goemotions", "--folder", str(tmp_path), "--json").stdout)
    assert found["train"]["records"] == 6 and found["train"]["labels"]["goemotions-28"]["neutral"] == 5
    shown = affetto("data", "stats", "goemotions", "--folder", str(tmp_path)).stdout
    assert shown.startswith("split\trecords") and "neutral\t5 (83.3%)" in shown


def test_lists_and_cards_of_corpora_and_benchmarks() -> None:
    assert "goemotions" in affetto("data", "list").stdout
    assert "CC-BY-4.0" in affetto("data", "show", "goemotions").stdout
    assert "goemotions-ekman.v1" in affetto("bench", "list").stdout


def test_the_leak_of_the_example_is_found_and_a_clean_split_passes(tmp_path: Path) -> None:
    done = affetto("bench", "check", str(HOME / "examples" / "folds.csv"))
    assert done.exit_code == 1 and "1 of 4 speakers is in train and in test: anna" in done.stdout
    clean = tmp_path / "clean.csv"
    rows = [
        f"{part}{i},{part}-{i % 3},{part},words of {part} number {i}" for part in ("train", "test") for i in range(9)
    ]
    clean.write_text("id,speaker,split,text\n" + "\n".join(rows) + "\n", "utf-8")
    done = affetto("bench", "check", str(clean))
    assert done.exit_code == 0 and "no leak found" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("a,b\n1,2\n", "which column of"), ("split,text\ntrain,x\ntrain,y\n", "are in one part")],
)
def test_a_table_that_is_no_split_gets_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text, "utf-8")
    done = affetto("bench", "check", str(path))
    assert done.exit_code == 2 and words in done.stderr and done.stderr.count("\n") == 1


def test_published_figures_are_sorted_and_unknown_names_answered() -> None:
    done = affetto("bench", "published", "--task", "erc", "--metric", "wf1", "--corpus", "MELD")
    lines = done.stdout.splitlines()
    values = [float(line.split("\t")[4]) for line in lines[1:] if "official test, 7 classes" in line]
    assert len(values) >= 4 and values == sorted(values, reverse=True)
    done = affetto("bench", "published", "--task", "astrology")
    assert done.exit_code == 2 and "erc" in done.stderr


def test_results_that_are_not_there_or_broken_say_so(tmp_path: Path) -> None:
    done = affetto("bench", "table", str(tmp_path))
    assert done.exit_code == 2 and "there are no results of benchmarks" in done.stderr
    (tmp_path / "goemotions.v1").mkdir()
    (tmp_path / "goemotions.v1" / "x.json").write_text("{}", "utf-8")
    done = affetto("bench", "table", str(tmp_path))
    assert done.exit_code == 2 and "is no result of a benchmark" in done.stderr


def test_the_gap_between_writer_and_reader_is_shown(tmp_path: Path) -> None:
    catalog.load("wrime").faker(tmp_path)
    done = affetto("study", "gap", "wrime", "--folder", str(tmp_path))
    assert done.exit_code == 0 and done.stdout.startswith("axis\tn\twriter\treader")
    one = json.loads(affetto("study", "gap", "wrime", "--folder", str(tmp_path), "--json").stdout.splitlines()[0])
    assert one["n"] == 8
    catalog.load("goemotions").faker(tmp_path)
    done = affetto("study", "gap", "goemotions", "--folder", str(tmp_path))
    assert done.exit_code == 2 and "one of the writer" in done.stderr
