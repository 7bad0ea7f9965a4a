"""The command line, as people, pipes and programs meet it."""

import csv
import hashlib
import importlib.metadata
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affetto.core.card import Card
from affetto.core.catalog import GROUP
from affetto.core.plain import to_record
from affetto.run.batch import Progress
from affetto.serve import doctor, manners, progress
from affetto.serve.cli import page

HOME = Path(__file__).parents[2]
EXAMPLES = HOME / "examples"
POSTS, TALK = str(EXAMPLES / "posts.csv"), str(EXAMPLES / "conversation.srt")
AFFETTO = [sys.executable, "-c", "from affetto.serve.cli import main; main()"]


def run(*words: object, piped: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(page, [str(word) for word in words], input=piped, env=env)


def perceive(*words: object, piped: str | bytes | None = None) -> Result:
    return run("perceive", "--model", "fake", *words, piped=piped)


@pytest.fixture
def bad_rows(tmp_path: Path) -> Path:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"id,text\n1,fine\n2,\xff\xfe broken\n3,also fine\n")
    return path


@pytest.fixture
def good_rows(tmp_path: Path) -> Path:
    path = tmp_path / "good.csv"
    path.write_text('id,mood,text\n1,x,"Hello, you"\n2,,"two\nlines"\n', "utf-8")
    return path


def test_a_text_gives_a_line_for_each_answer() -> None:
    done = perceive("I got the job!")
    assert done.exit_code == 0
    first, second = done.stdout.splitlines()
    assert first.startswith("writer expressed ekman-7: ")
    assert "(confidence 0." in first
    assert second.startswith("writer expressed vad: valence ")
    assert done.stderr == ""


def test_unquoted_words_are_one_text() -> None:
    assert perceive("I", "got", "the", "job!").stdout == perceive("I got the job!").stdout


def test_a_pipe_is_read_with_and_without_a_dash() -> None:
    said = perceive("I got the job!").stdout
    assert perceive(piped="I got the job!").stdout == said
    assert perceive("-", piped="I got the job!").stdout == said
    assert perceive("--text", "-").stdout != said


def test_a_pipe_may_hold_a_text_a_line_or_a_table() -> None:
    lines = perceive("--lines", piped="one\ntwo words\n").stdout
    assert [row["text"] for row in csv.DictReader(io.StringIO(lines))] == ["one", "two words"]
    table = perceive("--column", "post", piped="post,n\nhello,1\n").stdout
    assert next(csv.DictReader(io.StringIO(table)))["n"] == "1"
    tabs = perceive("--as", "tsv", "--column", "post", piped="n\tpost\n1\thello\n").stdout
    assert next(csv.DictReader(io.StringIO(tabs)))["post"] == "hello"


def test_a_talk_gives_its_turns_in_order() -> None:
    done = perceive(TALK)
    assert done.exit_code == 0
    who = [line.split()[1] for line in done.stdout.splitlines() if " ekman-7: " in line]
    assert who[:4] == ["Ines", "Tomas", "Ines", "Tomas"]
    assert len(who) == 15
    assert done.stdout.splitlines()[0].endswith("| Hey you. Kettle's on, do you want the ginger one?")


def test_a_table_in_a_pipe_stays_a_table(good_rows: Path) -> None:
    done = perceive(good_rows)
    assert done.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["id"], row["mood"], row["text"]) for row in rows] == [
        ("1", "x", "Hello, you"),
        ("2", "", "two\nlines"),
    ]
    assert 0 <= float(rows[0]["writer.ekman-7.joy"]) <= 1


def test_json_lines_stay_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"id": "a", "text": "hello"}\n{"id": "b", "text": "oh no"}\n')
    records = [to_record(json.loads(line)) for line in perceive(path).stdout.splitlines()]
    assert [record.id for record in records] == ["a", "b"]


@pytest.mark.parametrize("what", [["I got the job! 😄 \ud83d"], [POSTS], [TALK], [""]])
def test_json_is_valid_and_alone_on_stdout(what: list[str]) -> None:
    done = perceive("--json", *what)
    for line in done.stdout.splitlines():
        assert to_record(json.loads(line, parse_constant=pytest.fail)).id
    assert done.stdout.count("\n") == (40 if what == [POSTS] else 1)


def test_a_long_table_has_a_line_a_number(good_rows: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(perceive(good_rows, "--long").stdout)))
    assert len(rows) == 2 * (7 + 3)
    assert {row["axis"] for row in rows} >= {"joy", "valence"}


def test_bad_rows_say_why_and_the_rest_goes_on(bad_rows: Path) -> None:
    done = perceive(bad_rows)
    assert done.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert perceive("--json", bad_rows).exit_code == 1


def test_answers_that_come_late_never_break_the_table(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("text\n" + "hello there\n" * 200 + f'"{"long " * 50_000}"\nbye\n')
    rows = list(csv.reader(io.StringIO(perceive(path).stdout)))
    assert len(rows) == 203
    assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "emotionml", "xml", "parquet"])
def test_out_writes_the_format_of_its_suffix(tmp_path: Path, good_rows: Path, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"out.{suffix}"
    done = perceive(good_rows, "--out", out)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    assert f"2 rows in {out}" in done.stderr
    assert out.stat().st_size
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_out_of_bad_rows_counts_them(tmp_path: Path, bad_rows: Path) -> None:
    done = perceive(bad_rows, "--out", tmp_path / "out.csv")
    assert done.exit_code == 1
    assert "1 failed" in done.stderr
    assert perceive(bad_rows, "--quiet", "--overwrite", "--out", tmp_path / "out.csv").stderr == ""


def test_out_is_not_replaced_unasked(tmp_path: Path, good_rows: Path) -> None:
    out = tmp_path / "out.csv"
    assert perceive("some words", "--out", out).exit_code == 0
    done = perceive(good_rows, "--out", out)
    assert done.exit_code == 2
    assert "already there; add --overwrite" in done.stderr
    assert perceive(good_rows, "--out", out, "--overwrite").exit_code == 0
    assert perceive(good_rows, "--out", good_rows, "--overwrite").exit_code == 2


def test_a_killed_batch_resumes(tmp_path: Path) -> None:
    path, out = tmp_path / "many.csv", tmp_path / "out.jsonl"
    path.write_text("id,text\n" + "".join(f"{i},word{i} and more words of row {i}\n" for i in range(8_000)))
    words = ["perceive", "--model", "fake", "--column", "text", str(path), "--out", str(out)]
    running = subprocess.Popen([*AFFETTO, *words], stderr=subprocess.PIPE)
    part = tmp_path / "out.jsonl.part"
    for _ in range(6000):
        if running.poll() is not None or (part.exists() and part.stat().st_size > 40_000):
            break
        time.sleep(0.02)
    running.kill()
    running.communicate()
    assert not out.exists()
    again = run(*words)
    assert again.exit_code == 2
    assert "--resume" in again.stderr
    assert "--overwrite" in again.stderr
    done = run(*words, "--resume")
    assert done.exit_code == 0, done.stderr
    with out.open() as file:
        assert [json.loads(line)["id"] for line in file] == [str(i) for i in range(8_000)]


def errors() -> dict[str, tuple[list[str], int, str]]:
    return {
        "missing file": (
            ["perceive", "nowhere/posts.csv"],
            2,
            "no file 'nowhere/posts.csv'; check the path, or add --text",
        ),
        "missing file of a strange suffix": (["perceive", "data/talk.xyz"], 2, "no file 'data/talk.xyz'"),
        "directory": (["perceive", str(Path(__file__).parent)], 2, "holds no sound, film or picture"),
        "wrong column": (["perceive", "-m", "fake", POSTS, "-c", "body"], 2, "'body'; known: author, id, text"),
        "unknown model": (["perceive", "-m", "fakee", "hi"], 2, "no model is called 'fakee'; did you mean fake"),
        "space as model": (["perceive", "-m", "vad", "hi"], 2, "no model is called 'vad'"),
        "wrong language": (["perceive", "-m", "text.affect-en", "-l", "xx", "hi"], 2, "'xx'; known: en"),
        "wrong suffix of the output": (
            ["perceive", "-m", "fake", "hi", "-o", "a.docx"],
            2,
            "no format is called '.docx'",
        ),
        "wrong suffix of the input": (["perceive", str(HOME / "pyproject.toml")], 2, "ends in '.toml'"),
        "nowhere to write": (["perceive", "-m", "fake", "hi", "-o", "/nowhere/a.csv"], 2, "/nowhere/a.csv"),
        "two files": (["perceive", POSTS, TALK], 2, "one file at a time"),
        "resume of nothing": (["perceive", "hi", "--resume"], 2, "--resume wants --out FILE"),
        "json in a file": (["perceive", "hi", "--json", "-o", "a.csv"], 2, "the suffix says it"),
        "long json": (["perceive", "-m", "fake", "hi", "--long", "-o", "a.jsonl"], 2, "only tables"),
        "unknown encoding": (["perceive", "-m", "fake", POSTS, "--encoding", "klingon"], 2, "'klingon'"),
        "unknown option": (["perceive", "--colum", "text", POSTS], 2, "No such option"),
        "unknown command": (["percieve", "hi"], 2, "No such command"),
        "explain in an unknown space": (
            ["explain", "-m", "fake", "-s", "mood", "hi"],
            2,
            "'mood'; known: ekman-7, vad",
        ),
        "explain an unknown axis": (["explain", "-m", "fake", "-s", "vad", "-a", "joy", "hi"], 2, "no axis of vad"),
        "an axis of nothing": (["explain", "-m", "fake", "-a", "joy", "hi"], 2, "--axis wants --space"),
        "translate to an unknown space": (
            ["translate", "-m", "fake", "hi", "--to", "mood"],
            2,
            "no space is called 'mood'",
        ),
        "no bridge": (["translate", "-m", "fake", "hi", "--to", "facs-au"], 2, "no bridge leads from 'ekman-7'"),
        "nothing to translate into": (["translate", "hi"], 2, "Missing option '--to'"),
        "unknown list": (["list", "modells"], 2, "did you mean models"),
        "unknown card": (["card", "text.afect-en"], 2, "did you mean text.affect-en"),
        "unknown space": (["spaces", "show", "plutchik"], 2, "did you mean plutchik-"),
        "model as space": (["spaces", "show", "fake"], 2, "no space is called 'fake'"),
        "three ways at once": (["spaces", "show", "vad", "--tree", "--json"], 2, "choose one"),
    }


@pytest.mark.parametrize("name", errors())
def test_every_error_is_one_sentence_with_a_way_out(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words, code, said = errors()[name]
    done = run(*words)
    assert said in done.stderr
    assert done.exit_code == code
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".srt", ".jsonl", ".parquet", ".json", ".xml"])
def test_a_binary_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"noise{suffix}"
    path.write_bytes(bytes(range(256)) * 40)
    done = perceive(path)
    assert done.exit_code == 2, (done.stdout, done.stderr)
    assert done.stderr.startswith("affetto: ")
    assert len(done.stderr.splitlines()) == 1


def test_an_empty_pipe_is_said() -> None:
    done = perceive(piped="")
    assert done.exit_code == 2
    assert "stdin is empty" in done.stderr


def test_a_text_that_looks_like_a_path_is_one_only_if_it_is_asked() -> None:
    assert perceive("posts.csv").exit_code == 2
    assert perceive("--text", "posts.csv").exit_code == 0
    for text in (
        "I love file.csv so much",
        "https://example.org/a.csv",
        "and/or",
        "3.14",
        "wow...",
        "ok.",
        "",
        "a" * 5000,
    ):
        assert perceive(text).exit_code == 0, text


def test_a_fault_of_our_own_is_said_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affetto.api.perceive_each", lambda *_, **__: 1 / 0)
    done = perceive("hi")
    assert done.exit_code == 4
    assert done.stderr.startswith("affetto: a fault of Affetto's own: ZeroDivisionError")
    assert "Traceback" not in done.stderr
    for words in (["--debug", "perceive", "hi"], ["perceive", "hi", "--debug"]):
        assert "Traceback" in run(*words).stderr


def test_a_missing_part_has_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    done = perceive(tmp_path / "a.parquet")
    assert done.exit_code == 3
    assert "pip install 'affetto[parquet]'" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a.csv is there; say overwrite, or name another", "a.csv is there; add --overwrite, or name another"),
        ("say resume to go on, or overwrite to begin anew", "add --resume to go on, or --overwrite to begin anew"),
        ("say suffix='.txt' (or another)", "add --as txt (or another)"),
        ("which column? say column=..., one of: a, b", "which column? add --column NAME, one of: a, b"),
        ("people say resumes overwhelm", "people say resumes overwhelm"),
    ],
)
def test_ways_out_are_named_as_options(words: str, said: str) -> None:
    assert manners.in_options(words) == said


def test_explain_gives_a_table_and_json() -> None:
    done = run("explain", "-m", "fake", "wonderful and terrible")
    assert done.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t"))
    assert [row["word"] for row in rows[:3]] == ["wonderful", "and", "terrible"]
    assert {row["answer"] for row in rows} >= {"vad: valence"}
    said = json.loads(run("explain", "-m", "fake", "--json", "-s", "vad", "wonderful and terrible").stdout)
    assert said["reasons"][0]["importance"][0]["note"] == ["wonderful", "and", "terrible"]
    talk = run("explain", "-m", "fake", "-s", "ekman-7", TALK)
    assert {row["at"] for row in csv.DictReader(io.StringIO(talk.stdout), delimiter="\t")} >= {"0:01.2", "1:19.7"}


def test_translate_tells_the_bridge_on_stderr(tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    assert perceive("hello you", "--out", answers, "--quiet").stderr == ""
    done = run("translate", answers, "--to", "sentiment-3", "--from", "ekman-7")
    assert done.exit_code == 0
    assert "bridge ekman-7--sentiment-3" in done.stderr
    assert "loss" in done.stderr
    assert [track.space.id for track in to_record(json.loads(done.stdout)).tracks] == ["sentiment-3"]
    whole = tmp_path / "answers.json"
    assert perceive(POSTS, "--out", whole, "--quiet").stderr == ""
    again = run("translate", whole, "--to", "sentiment-3", "--quiet", "--json")
    assert len(again.stdout.splitlines()) == 40
    quiet = run("translate", "-m", "fake", "hello you", "--to", "sentiment-3", "--from", "ekman-7", "--quiet")
    assert quiet.stdout.startswith("writer expressed sentiment-3: ")
    assert quiet.stderr == ""
    out = tmp_path / "ekman.csv"
    assert run("translate", POSTS, "-m", "fake", "--to", "ekman-6", "-o", out).exit_code in (0, 1)
    assert len(list(csv.reader(out.read_text("utf-8").splitlines()))) == 41
    assert run("translate", POSTS, "-m", "fake", "--to", "ekman-6", "-o", out).exit_code == 2


def test_lists_are_tables_with_tabs_or_json() -> None:
    assert dict(line.split("\t") for line in run("list").stdout.splitlines()).keys() >= {"models", "bridges"}
    for what in ("models", "spaces", "formats", "bridges"):
        done = run("list", what)
        heads, *rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert rows
        assert {len(row) for row in rows} == {len(heads)}
        assert len([json.loads(line) for line in run("list", what, "--json").stdout.splitlines()]) == len(rows)
    assert "fake\t1\tekman-7, vad" in run("list", "models").stdout


def test_card_and_spaces_show() -> None:
    assert "must not be used to say anything about anybody" in run("card", "fake").stdout
    assert json.loads(run("card", "fake", "--json").stdout)["spaces"] == ["ekman-7", "vad"]
    assert "joy" in run("spaces", "show", "ekman-6").stdout
    assert "|-- " in run("spaces", "show", "parrott", "--tree").stdout
    assert "owl#Ontology" in run("spaces", "show", "ekman-6", "--turtle").stdout
    assert json.loads(run("spaces", "show", "vad", "--json").stdout)["kind"] == "graded"


def test_help_reads_as_a_page_and_documents_the_exit_codes() -> None:
    said = run("--help").stdout
    for code in (manners.SOME_FAILED, manners.BAD_INPUT, manners.MISSING_PART, manners.OWN_FAULT, 130, 141):
        assert f"\n    {code} " in said
    for command in ("perceive", "explain", "translate", "list", "card"):
        assert f"\n    affetto {command}" in run(command, "--help").stdout, command
    assert run("--version").stdout.startswith("affetto, version ")


def test_doctor_tells_what_is_missing_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = [json.loads(line) for line in run("doctor", "--json").stdout.splitlines()]
    assert {"affetto", "python", "numpy", "fake", "parquet"} <= {finding["name"] for finding in found}
    for finding in found:
        if finding["state"] in ("missing", "broken"):
            assert finding["way_out"]
    monkeypatch.setenv("AFFETTO_DATA", str(tmp_path / "nowhere"))
    done = run("doctor")
    assert done.exit_code == 3
    assert "nowhere is no folder" in done.stdout


def test_doctor_checks_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights" / "m.onnx"
    path.parent.mkdir()
    card = Card("m", "model", "1", "M", sha256="0" * 64, facts={"weights": "m.onnx"}, path=str(tmp_path / "m.toml"))
    assert doctor._weights_of(card).state == "broken"
    path.write_bytes(b"other bytes")
    assert "not the file" in doctor._weights_of(card).said
    good = replace(card, sha256=hashlib.sha256(b"other bytes").hexdigest())
    assert doctor._weights_of(good).state == "ok"


def test_doctor_names_broken_plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [importlib.metadata.EntryPoint(name, f"{name}_package", GROUP) for name in ("his", "hers")]
    monkeypatch.setattr(doctor.importlib.metadata, "entry_points", lambda **_: points)
    monkeypatch.setattr(doctor.catalog, "broken_strangers", lambda: {"hers": "ImportError: gone"})
    assert [(found.name, found.state) for found in doctor._plug_ins()] == [("hers", "broken"), ("his", "ok")]


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("some words\n" * 20_000)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*AFFETTO, "perceive", "-m", "fake", "--lines", str(tmp_path / "many.txt")],
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode == manners.CLOSED_PIPE


def test_an_interrupt_is_one_line_and_keeps_what_is_done(tmp_path: Path) -> None:
    path, out = tmp_path / "many.txt", tmp_path / "out.csv"
    path.write_text("".join(f"word{i} and more words of row {i}\n" for i in range(100_000)))
    running = subprocess.Popen(
        [*AFFETTO, "perceive", "-m", "fake", "--lines", str(path), "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a shell's background job ignores it
    )
    for _ in range(6000):
        if running.poll() is not None or (tmp_path / "out.csv.part").exists():
            break
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=300)
    assert running.returncode == manners.INTERRUPTED
    assert "--resume" in said
    assert "Traceback" not in said
    assert not out.exists()


def test_the_command_starts_without_what_it_does_not_need() -> None:
    code = "import sys; sys.argv = ['affetto', 'perceive', '-m', 'fake', 'hi']\nfrom affetto.serve.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "affetto" in loaded
    assert not loaded & {"rich", "pyarrow", "torch", "onnxruntime", "tokenizers", "transformers"}


def test_the_rate_and_the_time_left() -> None:
    state = Progress(rows=500, errors=2, resumed=100, seconds=4.0, position=250, total=1000)
    said = progress.line(state)
    assert " 25%" in said
    assert "500 rows, 2 failed" in said
    assert "100 rows/s" in said
    assert "0:15 left" in said
    assert progress.line(Progress(3, 0, 0, 0.0)) == "3 rows"
    assert progress.line(replace(state, position=1000)) == "500 rows, 2 failed  100 rows/s"
    assert progress.line(replace(state, position=1000, finished=True)).startswith("100%")


def test_output_is_utf_8_whatever_the_locale_says() -> None:
    done = subprocess.run(
        [*AFFETTO, "perceive", "-m", "fake", "--json", "schön 😄"],
        capture_output=True,
        check=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )
    assert "sch" in json.loads(done.stdout.decode("utf-8"))["signals"][0]["text"]
