import json
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from affetto import formats
from affetto.core.errors import AffettoError, CatalogError, MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Text
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.media import files
from affetto.run import batch

MOOD = Space("mood-2", "one", (Axis("good"), Axis("bad")))


def mark(records):
    return [r.add(Track(MOOD, [0], [len(r.text)], [[1, 0]], "char", "writer")) for r in records]


def posts(n, start=1):
    return [Record(str(i), (Text(f"post {i}"),), meta={"number": i}) for i in range(start, start + n)]


def run(folder, records, work=mark, name="out.jsonl", **how):
    path = folder / name
    source = folder / "in.txt"
    if not source.exists():
        source.write_text("the same")
    return batch.run(records, work, path, formats.by_path(path).appender(), **({"source": source} | how))


def ids(folder, name="out.jsonl"):
    return [r.id for r in formats.by_path(name).read(folder / name)]


def rest(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != "in.txt")


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_one_row_each_in_order(tmp_path, n):
    told = []
    last = run(tmp_path, posts(n), progress=told.append, chunk=64)
    assert ids(tmp_path) == [str(i) for i in range(1, n + 1)]
    assert (last.rows, last.errors, last.resumed, last.finished) == (n, 0, 0, True)
    assert [p.rows for p in told] == sorted(p.rows for p in told) and told[-1] == last
    assert rest(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".json", ".emotionml"])
def test_hostile_rows_get_error_rows_in_their_places(tmp_path, suffix):
    source = tmp_path / "in.csv"
    rows = [b"%d,row %d" % (i, i) for i in range(1, 201)]
    rows[10], rows[20], rows[30], rows[40] = b"11,\xff", b"21,a\0b", b"31,", b'41,"open'
    rows[50] = b"51," + b"joy " * 1_250_000
    source.write_bytes(b"id,text\n" + b"\n".join(rows))

    def work(records):
        assert all(r.signals for r in records)
        if any("row 100" in r.text for r in records):
            raise RuntimeError("out of breath")
        return mark(records)

    reading = files.read(source)
    out = tmp_path / f"out{suffix}"
    appender = formats.by_path(out).appender(columns=reading.columns)
    last = batch.run(reading, work, out, appender, source=source, chunk=32)
    assert (last.rows, last.errors) == (200, 4)
    assert last.position == last.total == source.stat().st_size
    if suffix == ".parquet":
        table = parquet.read_table(out).to_pylist()
    elif suffix in (".csv", ".tsv"):
        table = [r.meta["row"] for r in files.read(out, id_column="id", column="id")]
    else:
        table = [{"id": r.meta["row"].get("id"), "error": r.meta.get("error")} for r in formats.by_path(out).read(out)]
    assert [row["id"] or "41" for row in table] == [str(i) for i in range(1, 201)]
    errors = {i: row["error"] for i, row in enumerate(table, 1) if row["error"]}
    assert sorted(errors) == [11, 21, 41, 100]  # the empty row 31 is no error, only not said
    assert errors[100] == "RuntimeError: out of breath"


def test_errors_that_no_row_is_to_blame_for_stop_at_once(tmp_path):
    def work(records):
        raise CatalogError("the card is broken")

    with pytest.raises(CatalogError):
        run(tmp_path, posts(3), work)

    def short(records):
        return records[1:]

    last = run(tmp_path, posts(3), short, overwrite=True)
    assert last.errors == 3
    assert (
        "the work gave 0 results for 1" in next(formats.by_path("x.jsonl").read(tmp_path / "out.jsonl")).meta["error"]
    )


class Stop(BaseException):
    pass


def stopping(after):
    """Work that is stopped in the middle of a later chunk."""
    calls = []

    def work(records):
        calls.append(len(records))
        if len(calls) > after:
            raise Stop
        return mark(records)

    return work


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Stop, SystemExit])
def test_a_stopped_run_goes_on_where_it_was(tmp_path, monkeypatch, stop):
    monkeypatch.setattr(batch, "_EVERY", 0)
    monkeypatch.setattr(sys.modules[__name__], "Stop", stop)
    for after in (2, 1, 3):
        with pytest.raises(stop):
            run(tmp_path, posts(100), stopping(after), chunk=10, resume=True)
        assert rest(tmp_path) == ["out.jsonl.part", "out.jsonl.part.json"]
    seen = []

    def work(records):
        seen.extend(r.id for r in records)
        return mark(records)

    last = run(tmp_path, posts(100), work, resume=True)
    assert seen == [str(i) for i in range(61, 101)]
    assert (last.rows, last.resumed) == (100, 60)
    assert ids(tmp_path) == [str(i) for i in range(1, 101)] and rest(tmp_path) == ["out.jsonl"]


def test_a_torn_tail_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_EVERY", 0)
    with pytest.raises(Stop):
        run(tmp_path, posts(50), stopping(2), chunk=10)
    with (tmp_path / "out.jsonl.part").open("ab") as file:
        file.write(b'{"id": "half')
    run(tmp_path, posts(50), resume=True)
    assert ids(tmp_path) == [str(i) for i in range(1, 51)]


def test_a_failed_append_does_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_EVERY", 0)
    appender = formats.by_path("x.jsonl").appender()
    append, calls = appender.append, []

    def failing(records):
        calls.append(1)
        if len(calls) == 3:
            append(records[:4])
            raise OSError("no space left")
        append(records)

    appender.append = failing
    (tmp_path / "in.txt").write_text("x")
    with pytest.raises(OSError, match="no space"):
        batch.run(posts(50), mark, tmp_path / "out.jsonl", appender, source=tmp_path / "in.txt", chunk=10)
    last = run(tmp_path, posts(50), resume=True)
    assert last.resumed == 20 and ids(tmp_path) == [str(i) for i in range(1, 51)]


def test_it_refuses_clearly(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_EVERY", 0)
    source, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    run(tmp_path, posts(5))
    for resume in (True, False):
        with pytest.raises(AffettoError, match="already there; say overwrite"):
            run(tmp_path, posts(5), resume=resume)
    run(tmp_path, posts(6), overwrite=True)
    assert len(ids(tmp_path)) == 6
    with pytest.raises(AffettoError, match="input itself"):
        run(tmp_path, posts(5), source=out, overwrite=True)
    (tmp_path / "link.jsonl").symlink_to(out)
    with pytest.raises(AffettoError, match="input itself"):
        run(tmp_path, posts(5), source=tmp_path / "link.jsonl", overwrite=True)
    with pytest.raises(AffettoError, match="folder that exists"):
        run(tmp_path, posts(5), name="no/out.jsonl")
    with pytest.raises(UnreadableError, match="nowhere"):
        run(tmp_path, posts(5), name="b.jsonl", source=tmp_path / "nowhere")
    with pytest.raises(MalformedError, match="JSON"):
        run(tmp_path, posts(5), name="b.jsonl", options={"model": object()})

    with pytest.raises(Stop):
        run(tmp_path, posts(50), stopping(2), name="b.jsonl", chunk=10, options={"model": "a@1", "n": (1, 2)})
    with pytest.raises(AffettoError, match=r"stopped run of 20 rows lies at .*b\.jsonl\.part.*say resume"):
        run(tmp_path, posts(50), name="b.jsonl")
    with pytest.raises(AffettoError, match="other options: model was 'a@1' and is 'a@2'"):
        run(tmp_path, posts(50), name="b.jsonl", resume=True, options={"model": "a@2", "n": [1, 2]})
    source.write_text("other")
    with pytest.raises(AffettoError, match="not what it was"):
        run(tmp_path, posts(50), name="b.jsonl", resume=True, options={"model": "a@1", "n": [1, 2]})
    source.write_text("the same")
    with pytest.raises(AffettoError, match="fewer than the 20 rows"):
        run(tmp_path, posts(5), name="b.jsonl", resume=True, options={"model": "a@1", "n": [1, 2]})
    (tmp_path / "b.jsonl.part").write_bytes(b"")
    with pytest.raises(AffettoError, match="shorter than its journal"):
        run(tmp_path, posts(50), name="b.jsonl", resume=True, options={"model": "a@1", "n": [1, 2]})
    (tmp_path / "b.jsonl.part").unlink()
    with pytest.raises(AffettoError, match="is gone"):
        run(tmp_path, posts(50), name="b.jsonl", resume=True, options={"model": "a@1", "n": [1, 2]})
    for junk in ("{", "[]", "{}"):
        (tmp_path / "b.jsonl.part.json").write_text(junk)
        with pytest.raises(UnreadableError, match="say overwrite"):
            run(tmp_path, posts(50), name="b.jsonl", resume=True)
    run(tmp_path, posts(50), name="b.jsonl", overwrite=True)
    assert len(ids(tmp_path, "b.jsonl")) == 50


def test_stdin_cannot_be_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_EVERY", 0)
    with pytest.raises(Stop):
        run(tmp_path, posts(50), stopping(2), chunk=10, source="-")
    with pytest.raises(AffettoError, match="stdin cannot be resumed"):
        run(tmp_path, posts(50), source="-", resume=True)
    run(tmp_path, posts(50), source=None, overwrite=True)
    assert len(ids(tmp_path)) == 50


def test_killed_between_the_rename_and_the_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(batch._Job, "_clear", lambda self: None)
    run(tmp_path, posts(5))
    assert rest(tmp_path) == ["out.jsonl", "out.jsonl.part.json"]
    monkeypatch.undo()
    last = run(tmp_path, posts(5), resume=True)
    assert last.rows == 5 and last.finished and rest(tmp_path) == ["out.jsonl"]


def test_two_at_once_are_one_too_many(tmp_path):
    def work(records):
        with pytest.raises(AffettoError, match="another process"):
            run(tmp_path, posts(5), resume=True)
        return mark(records)

    run(tmp_path, posts(5), work)
    assert len(ids(tmp_path)) == 5


def test_long_texts_make_small_chunks(tmp_path):
    sizes = []

    def work(records):
        sizes.append(len(records))
        return records

    big = [Record(str(i), (Text("x" * 1_500_000),)) for i in range(5)]
    run(tmp_path, [*big, *posts(20)], work)
    assert sizes == [3, 22]


def test_what_is_long_is_written_before_the_next_is_begun(tmp_path):
    sizes = []

    def work(records):
        sizes.append(len(records))
        return records

    def sound(id, seconds):
        return Record(id, (Audio("", 16000, seconds),))

    short = [sound(f"s{i}", 25.0) for i in range(4)]
    run(tmp_path, [sound("a", 600.0), sound("b", float("nan")), *short, *posts(3)], work)
    assert sizes == [1, 1, 3, 4]


def command(*arguments):
    return [sys.executable, str(Path(__file__).with_name("slow_batch.py")), *map(str, arguments)]


@pytest.mark.parametrize("suffix, every", [(".jsonl", 0), (".csv", 0.02), (".parquet", 0)])
def test_killed_again_and_again_it_ends_with_one_row_each(tmp_path, suffix, every):
    n, dice = 6000, random.Random(suffix)
    source, out = tmp_path / "in.csv", tmp_path / f"out{suffix}"
    texts = ["bad" if i % 977 == 500 else f"post, {i}" for i in range(n)]
    source.write_text("id,text\n" + "".join(f'{i},"{text}"\n' for i, text in enumerate(texts)))
    journal = Path(f"{out}.part.json")
    killed = []
    for _ in range(5):
        process = subprocess.Popen(command(source, out, "resume", every))
        began = time.monotonic()
        while not journal.exists() and process.poll() is None and time.monotonic() - began < 60:
            time.sleep(0.01)
        before = json.loads(journal.read_text())["rows"]
        while process.poll() is None and json.loads(journal.read_text())["rows"] <= before:
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            break
        killed.append(json.loads(journal.read_text())["rows"])
    assert len(killed) >= 3 and killed == sorted(killed) and 0 < killed[-1] < n
    assert not out.exists()
    subprocess.run(command(source, out, "resume", every), check=True)
    if suffix == ".parquet":
        rows = parquet.read_table(out).to_pylist()
    else:
        rows = [r.meta["row"] for r in files.read(out, "text")] if suffix == ".csv" else []
        rows = rows or [r.meta["row"] | {"error": r.meta.get("error")} for r in formats.by_path(out).read(out)]
    assert [row["id"] for row in rows] == [str(i) for i in range(n)]
    assert [row["text"] for row in rows] == texts
    assert [i for i, row in enumerate(rows) if row["error"]] == [i for i, text in enumerate(texts) if text == "bad"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", out.name]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_memory_stays_flat(tmp_path, suffix):
    def many(n):
        for i in range(n):
            yield Record(str(i), (Text("so it goes"),), meta={"row": {"id": i, "text": "so it goes"}})

    def work(records):
        return [replace(r, tracks=track) for r in records]

    track = (Track(MOOD, [0], [10], [[1, 0]], "char", "writer"),)
    out = tmp_path / f"out{suffix}"
    peaks = []
    for n in (1_000, 8_000):
        tracemalloc.start()
        batch.run(many(n), work, out, formats.by_path(out).appender(), overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3 + 200_000
