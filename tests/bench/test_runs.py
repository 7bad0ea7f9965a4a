"""A whole run over processes, on a fake corpus: predictions on disk, results, tables, and what is refused."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from affetto.bench import report, results, runs, systems
from affetto.core import catalog
from affetto.core.errors import AffettoError, UnknownNameError, UnreadableError


def _none(records: object) -> list[str]:
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return GoEmotions as its fake has it, with more rows so that something can be learned."""
    home = tmp_path_factory.mktemp("goemotions")
    words = {17: "so happy and joyful", 2: "this makes me angry", 25: "I am sad and alone", 27: "a table and a chair"}
    for split, n in (("train", 80), ("dev", 60), ("test", 60)):
        lines = [f"{words[k]} {split} {i}\t{k}\t{split}{i}" for i in range(n) for k in [list(words)[i % 4]]]
        with gzip.open(home / f"{split}.tsv.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    return home


@pytest.fixture(scope="module")
def ran(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[runs.Ran, Path]:
    home = tmp_path_factory.mktemp("runs")
    options = runs.RunOptions(folder=str(folder), keep=home, out=home, resamples=300)
    names = ["text.affect-en-fast", "baseline.tfidf", "majority"]
    return runs.run(runs.benchmark("goemotions-ekman"), names, options, lambda r: ["one text is shared"]), home


def test_a_run_scores_every_system_with_interval_p_speed_and_memory(ran: tuple[runs.Ran, Path]) -> None:
    found = {result["model"]: result for result in ran[0].results}
    assert list(found) == ["baseline.majority", "baseline.tfidf", "text.affect-en-fast"] or len(found) == 3
    tfidf, majority = found["baseline.tfidf"], found["baseline.majority"]
    assert tfidf["metrics"]["accuracy"]["value"] > 0.9 > majority["metrics"]["accuracy"]["value"]
    assert tfidf["n"] == 60 and tfidf["groups"] == 60 and tfidf["said"] == 1
    assert tfidf["speed"]["records_per_second"] > 0 and tfidf["speed"]["peak_mb"] > 20
    against = next(pair for pair in tfidf["paired"] if pair["against"] == "baseline.majority")
    assert against["difference"] > 0 and against["p_bootstrap"] < 0.05 and against["p_mcnemar"] < 0.001
    assert found["text.affect-en-fast"]["system"] == str(catalog.find("text.affect-en-fast"))
    assert all(result["leaks"] == ["one text is shared"] for result in found.values())
    assert tfidf["machine"] and tfidf["versions"]["numpy"] and tfidf["date"] and tfidf["seed"] == 20


def test_stored_predictions_give_the_same_numbers_again(
    ran: tuple[runs.Ran, Path], folder: Path, tmp_path: Path
) -> None:
    options = runs.RunOptions(folder=str(folder), keep=tmp_path, out=tmp_path, resamples=300)
    path = ran[1] / "goemotions-ekman.v1" / "baseline.tfidf.test.jsonl.gz"
    again = runs.rescore(ran[0].benchmark, {"mine": path}, options, _none).results[0]
    first = next(result for result in ran[0].results if result["model"] == "baseline.tfidf")
    assert again["model"] == "mine" and again["metrics"] == first["metrics"]


def test_the_page_and_the_figure_are_made_from_what_is_stored(ran: tuple[runs.Ran, Path], tmp_path: Path) -> None:
    kept = results.results(ran[1], "goemotions-ekman.v1")
    page = report.page(kept, "Ekman", ran[0].benchmark.metrics, ["a limit"])
    for words in ("`baseline.tfidf`", "Leak: one text is shared.", "a limit", "60 rows"):
        assert words in page
    svg = report.forest(kept, "Ekman", "macro_f1", tmp_path / "forest.svg").read_text("utf-8")
    assert svg.startswith("<?xml") and "</svg>" in svg


@pytest.mark.parametrize("harm", ["cut", "words", "fewer", "gone"])
def test_corrupt_predictions_give_one_sentence(
    harm: str, ran: tuple[runs.Ran, Path], folder: Path, tmp_path: Path
) -> None:
    whole = (ran[1] / "goemotions-ekman.v1" / "baseline.tfidf.test.jsonl.gz").read_bytes()
    path = tmp_path / "harmed.test.jsonl.gz"
    if harm == "cut":
        path.write_bytes(whole[:-40])
    elif harm == "words":
        path.write_bytes(gzip.compress(b'{"id": "1", "tracks": "none"}\n'))
    elif harm == "fewer":
        path.write_bytes(gzip.compress(b"\n".join(gzip.decompress(whole).split(b"\n")[:10]) + b"\n"))
    options = runs.RunOptions(folder=str(folder), keep=tmp_path, out=tmp_path, resamples=50)
    with pytest.raises(UnreadableError) as caught:
        runs.rescore(runs.benchmark("goemotions-ekman"), {"x": path}, options, _none)
    assert "predictions" in str(caught.value) and "\n" not in str(caught.value)


def test_a_system_that_learned_from_the_scored_rows_is_refused(tmp_path: Path) -> None:
    options = runs.RunOptions(folder=str(tmp_path), keep=tmp_path, out=tmp_path)
    with pytest.raises(UnreadableError, match="its number would mean nothing"):
        runs.run(runs.benchmark("emtract"), ["text.finance-en"], options, _none)


def test_unknown_names_are_answered_with_the_known() -> None:
    with pytest.raises(UnknownNameError, match=r"goemotions\.v1"):
        runs.benchmark("goemotion")
    with pytest.raises(UnknownNameError, match=r"baseline\.tfidf"):
        systems.named("tf-idf")


def test_a_missing_file_of_the_corpus_is_named(tmp_path: Path) -> None:
    options = runs.RunOptions(folder=str(tmp_path), keep=tmp_path, out=tmp_path)
    with pytest.raises(AffettoError, match=r"lacks test\.tsv"):
        runs.run(runs.benchmark("goemotions"), ["fake"], options, _none)


def test_the_command_line_runs_a_benchmark(folder: Path, tmp_path: Path) -> None:
    words = ["bench", "run", "goemotions-ekman", "--model", "fake", "--vs", "majority", "--no-baselines", "--json"]
    more = ["--folder", str(folder), "--keep", str(tmp_path), "--resamples", "50"]
    done = subprocess.run(
        [sys.executable, "-c", "from affetto.serve.cli import main; main()", *words, *more],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["model"] for line in lines} == {"fake", "baseline.majority"}
    assert "fake answers goemotions-ekman.v1" in done.stderr
