"""A table with several columns of words on the command line: its columns, its summary, its refusals."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affetto import api
from affetto.core.plain import to_record
from affetto.serve import summaries, terminal
from affetto.serve.cli import page

ROWS = (
    b"url,platform,title,description\n"
    b'u1,tube,"What a day, what a day",The bus leaves at nine\n'
    b"u2,tok,,I am so scared\n"
    b"u3,tube,oh \xff no,fine by me\n"
    b"u4,tok,hello there,\n"
)
FIELDS = ("-c", "title", "-c", "description")
WORDS = [f"{field}.{word}" for field in ("title", "description") for word in ("sentiment", "subjectivity", "emotion")]


def perceive(*words: object, piped: bytes | None = None) -> Result:
    return CliRunner().invoke(page, ["perceive", "-m", "fake", *map(str, words)], input=piped)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    path = tmp_path / "videos.csv"
    path.write_bytes(ROWS)
    return path


def test_each_column_has_its_words_and_numbers_in_one_row(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = perceive(videos, *FIELDS, "--out", out)
    assert done.exit_code == 1
    assert "4 rows in" in done.stderr
    assert "1 failed" in done.stderr
    found = rows(out.read_text("utf-8"))
    assert [row["url"] for row in found] == ["u1", "u2", "u3", "u4"]
    assert list(found[0])[4:10] == WORDS
    first, second, third, fourth = found
    assert first["title.sentiment"] in ("negative", "neutral", "positive")
    assert first["title.emotion"] == first["title.writer.ekman-7.top"]
    assert float(first["title.subjectivity"]) == pytest.approx(1 - float(first["title.writer.ekman-7.neutral"]))
    assert first["title.sentiment"] == first["title.writer.sentiment-3.top"]
    for row, said, silent in (
        (second, "description", "title"),
        (third, "description", "title"),
        (fourth, "title", "description"),
    ):
        assert all(row[f"{said}.{word}"] for word in ("sentiment", "subjectivity", "emotion"))
        assert not any(cell for name, cell in row.items() if name.startswith(f"{silent}."))
    assert [bool(row["error"]) for row in found] == [False, False, True, False]
    assert "the cell of 'title'" in third["error"]
    assert rows(perceive(videos, *FIELDS).stdout) == found


def test_each_column_is_answered_as_it_is_alone(videos: Path) -> None:
    both = rows(perceive(videos, *FIELDS).stdout)
    for field in ("title", "description"):
        alone = rows(perceive(videos, "-c", field, "--annotate").stdout)
        assert [name for name in alone[0] if name in ("sentiment", "subjectivity", "emotion")] == [
            *("sentiment", "subjectivity", "emotion")
        ]
        for row, one in zip(both, alone, strict=True):
            mine = {name.removeprefix(f"{field}."): cell for name, cell in row.items() if name.startswith(f"{field}.")}
            assert mine == {name: one[name] for name in mine}


def test_one_column_is_as_it_always_was(videos: Path) -> None:
    plain = rows(perceive(videos, "-c", "description").stdout)[0]
    assert "sentiment" not in plain
    assert "writer.sentiment-3.top" not in plain
    assert (
        perceive(videos, "-c", "description", "-c", "description").stdout
        == perceive(videos, "-c", "description").stdout
    )


def test_json_and_long_tables_know_the_fields(videos: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in perceive(videos, *FIELDS, "--json").stdout.splitlines()]
    record = to_record(lines[0])
    assert [signal["text"] for signal in lines[0]["signals"]] == ["What a day, what a day", "The bus leaves at nine"]
    assert [len(track) for track in record.tracks] == [2, 2, 2]
    assert record.meta["annotation"]["title.emotion"] == record.tracks[0].top(0).name  # type: ignore[union-attr]
    assert len(lines) == 4
    long = rows(perceive(videos, *FIELDS, "--long").stdout)
    assert {row["record"] for row in long} >= {"1/title", "1/description"}
    out = tmp_path / "long.csv"
    assert perceive(videos, *FIELDS, "--long", "--out", out).exit_code == 1
    first = next(api.perceive_each(api.read(videos, ["title", "description"]), "fake", annotate=True))
    assert next(iter(api.read(out))).tracks == first.tracks


def test_the_other_verbs_take_fields_one_by_one(videos: Path) -> None:
    run = CliRunner()
    moved = run.invoke(page, ["translate", "-m", "fake", str(videos), *FIELDS, "--to", "sentiment-3", "-f", "ekman-7"])
    assert rows(moved.stdout)[0]["description.writer.sentiment-3.top"]
    told = run.invoke(page, ["explain", "-m", "fake", str(videos), *FIELDS, "-s", "vad"]).stdout.splitlines()
    assert {line.split("\t")[0] for line in told[1:]} == {
        "1/title",
        "1/description",
        "2/description",
        "3/description",
        "4/title",
    }


def test_a_summary_counts_groups(videos: Path, tmp_path: Path) -> None:
    out, summary = tmp_path / "out.csv", tmp_path / "platforms.csv"
    done = perceive(videos, *FIELDS, "--by", "platform", "--out", out, "--summary", summary)
    assert "4 rows of summary in" in done.stderr
    found = rows(summary.read_text("utf-8"))
    assert [(row["group"], row["field"], row["n"], row["said"]) for row in found] == [
        *(("tok", "title", "2", "0.5"), ("tok", "description", "2", "0.5")),
        *(("tube", "title", "2", "0.5"), ("tube", "description", "2", "1")),
    ]
    assert sum(float(row["share"]) for row in found if row["field"] == "title") == 1
    mine = [row for row in rows(out.read_text("utf-8")) if row["platform"] == "tube"]
    mean = sum(float(row["description.writer.vad.valence"]) for row in mine) / 2
    assert float(found[3]["valence"]) == pytest.approx(mean, abs=1e-5)
    for row in found:
        for start in ("emotion.", "sentiment-3."):
            assert sum(float(cell) for name, cell in row.items() if name.startswith(start)) == pytest.approx(
                1, abs=1e-4
            )
    again = perceive(videos, *FIELDS, "--by", "platform", "--summary", summary)
    assert "already there; add --overwrite" in again.stderr
    piped = perceive(videos, *FIELDS, "--by", "platform", "--summary", summary, "--overwrite", "--quiet")
    assert rows(piped.stdout) == rows(out.read_text("utf-8"))
    assert rows(summary.read_text("utf-8")) == found
    shown = perceive(videos, *FIELDS, "--by", "platform", "--out", out, "--overwrite")
    assert rows(shown.stdout) == found


def test_a_summary_of_one_column_and_of_no_rows(videos: Path, tmp_path: Path) -> None:
    summary = tmp_path / "s.tsv"
    assert perceive(videos, "-c", "description", "--by", "platform", "--summary", summary).exit_code == 0
    assert summary.read_text("utf-8").splitlines()[1].startswith("tok\t\t2\t0.5\t0.5\t")
    done = perceive("--as", "csv", "-c", "a", "--by", "b", "--summary", summary, "--overwrite", piped=b"a,b\n")
    assert (done.exit_code, summary.read_text("utf-8")) == (0, "group\tfield\tn\tshare\tsaid\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-c", "titel", "-c", "description"), "no column of videos.csv is called 'titel'; did you mean title?"),
        ((*FIELDS, "--by", "side"), "--by in a pipe wants --summary FILE"),
        ((*FIELDS, "--summary", "s.csv"), "--summary wants --by COLUMN"),
        ((*FIELDS, "--by", "side", "--summary", "s.csv"), "no column of videos.csv is called 'side'"),
        ((*FIELDS, "--by", "side", "--out", "o.csv"), "no column of videos.csv is called 'side'"),
        ((*FIELDS, "--by", "platform", "--summary", "s.docx"), "name a .csv or .tsv, not 's.docx'"),
        ((*FIELDS, "--by", "platform", "--summary", "none/s.csv"), "name a file in a folder that exists"),
        ((*FIELDS, "--by", "platform", "--summary", "videos.csv", "--overwrite"), "is the input or the output itself"),
        ((*FIELDS, "--by", "platform", "-o", "s.csv", "--summary", "s.csv"), "is the input or the output itself"),
    ],
)
def test_refusals_are_one_sentence(
    videos: Path, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(videos.parent)
    done = perceive("videos.csv", *words)
    assert said in re.sub(r"\s+", " ", done.stderr)
    assert (done.exit_code, done.stdout) == (2, "")
    assert [path.name for path in videos.parent.iterdir()] == ["videos.csv"]
    assert videos.read_bytes() == ROWS


def test_only_tables_are_annotated() -> None:
    for option in (("--annotate",), ("--by", "x", "--summary", "s.csv")):
        done = perceive("some words", *option)
        assert done.exit_code == 2
        assert f"{option[0]} is for tables" in done.stderr


def test_a_terminal_shows_a_line_a_field_and_the_summary(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    screen = Console(width=120, file=io.StringIO(), highlight=False)
    monkeypatch.setattr(terminal, "console", lambda: screen)
    monkeypatch.setattr(summaries.sys.stdout, "isatty", lambda: True, raising=False)
    groups = api.Groups("platform", ("title", "description"))
    read = api.read(videos, ["title", "description"])
    terminal.show(groups.passing(api.perceive_each(read, "fake", annotate=True)), screen)
    summaries.tell(groups, None, quiet=True)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    lines = shown.splitlines()
    assert [line.split()[0] for line in lines[1:9]] == ["1", "1", "2", "2", "3", "3", "4", "4"]
    assert "not said" in lines[3]
    assert "the cell of 'title'" in lines[5]
    assert re.search(r"tube +description +2 +100%", shown)
    assert "-/0/+ %" in shown


def test_python_does_the_same(videos: Path, tmp_path: Path) -> None:
    groups = api.Groups("platform", ("title", "description"))
    out = tmp_path / "out.csv"
    state = api.perceive_file(videos, out, "fake", column=["title", "description"], groups=groups)
    assert (state.rows, state.errors) == (4, 1)
    assert out.read_text("utf-8") == perceive(videos, *FIELDS).stdout
    assert [row["n"] for row in groups.rows()] == [2, 2, 2, 2]
    records = api.perceive(videos, "fake", column=["title", "description"])
    assert [len(track) for track in records[0].tracks] == [2, 2]
    assert api.perceive(records[0].blind(), "fake").tracks == records[0].tracks
    assert [part.id for part in api.apart(records[0])] == ["1/title", "1/description"]
