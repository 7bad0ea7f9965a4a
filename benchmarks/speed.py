"""How fast, how large and how unbreakable: whole processes, as a user runs them.

    python -m benchmarks.speed --model text.affect-en [--parts cold batch memory resume] [--rows 20000] [--dry]

- cold: median of 7 runs of `affetto perceive "..."`, from process start to answer
- batch: posts a second through the command line (whole process) and in Python (after loading), and one at a time
- memory: peak memory of a batch of 100,000 and of 1,000,000 rows
- resume: a batch of 100,000 rows is killed with SIGKILL several times, resumed, and compared row by row

Where vaderSentiment is installed, its rate on the same posts stands beside. The posts are made from templates, always
the same ones, about as long as Reddit comments. Parts that are not run keep the numbers that were kept before.
"""

import argparse
import csv
import importlib.util
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.results import RESULTS, save

SEED = 5
COLD = "I didn't expect to cry at the end, but here we are."
PARTS = ("cold", "batch", "memory", "resume")
AFFETTO = [sys.executable, "-c", "from affetto.serve.cli import main; main()"]
OPENINGS = ("", "ok so ", "honestly ", "not gonna lie, ", "update: ", "lol ", "well, ", "I swear ", "@sam ", "Day 3: ")
SUBJECTS = (
    "my boss|the dog|our landlord|this app|my little sister|the new season|that song|grandma|the neighbour|my code"
).split("|")
EVENTS = (
    "made me laugh so hard|ruined the whole evening|finally works|never calls back|is all I can think about|"
    "scared the hell out of me|was better than I had hoped|forgot my birthday again|starts at seven tomorrow|"
    "broke down on the motorway|deserves so much better|smells like wet socks|got the job|needs a new battery"
).split("|")
ENDINGS = (
    "|!|!!!|...|, and I can't even be mad about it.|. Thanks for nothing.| 😂|, who would have thought?| :)|"
    ". I'm so done with this week.|, what a relief|. Does anyone know why?| ❤️|, same as last year|"
    ". I keep thinking about what he said at the station.|, honestly the best news in months."
).split("|")
SINGLE = """
import json, sys, time
import affetto
model, path = sys.argv[1:]
posts = json.load(open(path, encoding="utf-8"))
affetto.perceive(posts[:64], model)
start = time.perf_counter()
affetto.perceive(posts, model)
batch = len(posts) / (time.perf_counter() - start)
loaded, few = affetto.load(model), posts[:400]
start = time.perf_counter()
for post in few:
    affetto.perceive(post, loaded)
print(json.dumps([batch, 1000 * (time.perf_counter() - start) / len(few)]))
"""
VADER = """
import json, sys, time
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
posts = json.load(open(sys.argv[2], encoding="utf-8"))
score = SentimentIntensityAnalyzer().polarity_scores
start = time.perf_counter()
for post in posts:
    score(post)
print(json.dumps([len(posts) / (time.perf_counter() - start), 0]))
"""


def posts() -> Iterator[str]:
    """Yield posts without end, always the same ones."""
    rng = random.Random(SEED)
    while True:
        said = [
            f"{rng.choice(SUBJECTS)} {rng.choice(EVENTS)}{rng.choice(ENDINGS)}" for _ in range(rng.choice((1, 1, 2)))
        ]
        yield rng.choice(OPENINGS) + " ".join(said)


def table(path: Path, rows: int) -> Path:
    """Write a CSV of so many posts, with a column of numbers."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("number", "text"))
        writer.writerows(enumerate(itertools.islice(posts(), rows), 1))
    return path


def run(arguments: Sequence[str]) -> tuple[float, float]:
    """Run the command line; return seconds and the peak of its memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([*AFFETTO, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"affetto {' '.join(arguments)} left with {process.returncode}")
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def batch(model: str, source: Path, out: Path, *more: str) -> list[str]:
    """Return the arguments of a batch."""
    return ["perceive", str(source), "--column", "text", "--model", model, "--out", str(out), "--quiet", *more]


def cold(model: str, folder: Path, rows: int) -> dict[str, float]:
    """Return the median of seven answers to one text, each by a new process."""
    runs = [run(["perceive", "--model", model, COLD]) for _ in range(7)]
    return {
        "one text, from process start to answer, s": statistics.median(seconds for seconds, _ in runs),
        "one text, peak memory, MB": max(memory for _, memory in runs),
    }


def rates(model: str, folder: Path, rows: int) -> dict[str, float]:
    """Return posts a second through the command line and in Python."""
    seconds, _ = run(batch(model, table(folder / "posts.csv", rows), folder / "rates.csv", "--overwrite"))
    path = folder / "posts.json"
    path.write_text(json.dumps(list(itertools.islice(posts(), rows))), "utf-8")

    def inside(code: str) -> tuple[float, float]:
        asked = [sys.executable, "-c", code, model, str(path)]
        together, single = json.loads(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)
        return together, single

    together, single = inside(SINGLE)
    found = {
        "command line, CSV to CSV, whole process, posts/s": rows / seconds,
        "Python, in batches, after loading, posts/s": together,
        "Python, one at a time, after loading, ms": single,
    }
    if importlib.util.find_spec("vaderSentiment"):
        vader, _ = inside(VADER)
        found |= {"VADER on the same posts, one thread, posts/s": vader, "ratio to VADER": together / vader}
    return found


def memory(model: str, folder: Path, rows: int) -> dict[str, float]:
    """Return the peak memory of a small and of a large batch."""
    found = {}
    for count in (100_000, 1_000_000):
        source, out = table(folder / "many.csv", count), folder / "many.out.csv"
        _, peak = run(batch(model, source, out, "--overwrite"))
        found[f"peak memory of {count:,} rows, MB"] = peak
        out.unlink()
    return found


def resume(model: str, folder: Path, rows: int, kills: int = 4) -> dict[str, float]:
    """Kill a batch of 100,000 rows several times, resume it, and return how many rows are lost, doubled or moved."""
    count = 100_000
    source, out = table(folder / "kill.csv", count), folder / "kill.out.csv"
    arguments = batch(model, source, out, "--resume")
    rng = random.Random(SEED)
    killed = 0
    for _ in range(kills):
        process = subprocess.Popen([*AFFETTO, *arguments], stderr=subprocess.DEVNULL)
        journal = out.with_name(out.name + ".part.json")
        before = _rows(journal)
        while process.poll() is None and _rows(journal) <= before:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.1, 1.5))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    if not out.exists():
        run(arguments)
    with source.open(newline="", encoding="utf-8") as asked, out.open(newline="", encoding="utf-8") as answered:
        pairs = itertools.zip_longest(csv.DictReader(asked), csv.DictReader(answered))
        wrong = sum(not a or not b or (a["number"], a["text"]) != (b["number"], b["text"]) for a, b in pairs)
    return {"killed by SIGKILL and resumed, times": killed, "of 100,000 rows lost, doubled or moved": wrong}


def _rows(journal: Path) -> int:
    try:
        return int(json.loads(journal.read_text("utf-8"))["rows"])
    except (OSError, ValueError, KeyError):
        return 0


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["cold", "batch"])
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the batch whose rate is measured")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    kept = RESULTS / "speed" / f"{options.model}.json"
    speed = json.loads(kept.read_text("utf-8"))["speed"] if kept.exists() else {}
    measures = dict(zip(PARTS, (cold, rates, memory, resume), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts:
            found = measures[part](options.model, Path(folder), options.rows)
            speed |= found
            for name, value in found.items():
                print(f"{value:12,.3f}  {name}", flush=True)
    if not options.dry:
        command = f"python -m benchmarks.speed --model {options.model} --parts {' '.join(options.parts)}"
        notes = (
            f"whole processes; medians where several runs; rates over {options.rows:,} posts; last command: {command}"
        )
        print(save("speed", options.model, options.rows, {}, SEED, speed, notes).name)


if __name__ == "__main__":
    main()
